/* Microseconds per region, per look-up of a region, and per module of a process. */

#include "bench.h"
#include "table.h"

#include <stdlib.h>

enum { BATCH = 256, REGIONS_MAX = 4096 };

/* Starts of the regions that are looked up, in the order in which they are. */
static uint64_t starts[REGIONS_MAX];
static size_t start_count;

static size_t regions(wvmi_session *session)
{
    static wvmi_region_details details[BATCH];
    wvmi_region_iter *iter;
    wvmi_process process;
    size_t count, total = 0;
    CHECK(wvmi_process_by_name(session, "explorer.exe", &process));
    CHECK(wvmi_region_iter_new(session, process, &iter));
    while (wvmi_region_iter_next_many(iter, details, sizeof details[0], BATCH, &count) == WVMI_OK) {
        total += count;
    }
    wvmi_region_iter_free(iter);
    return total;
}

/* Collects the regions in a random order, always the same. */
static void collect_starts(const struct arguments *arguments)
{
    wvmi_session *session = open_session(arguments->full, arguments->symbols);
    wvmi_region_details details;
    wvmi_region_iter *iter;
    wvmi_process process;
    size_t count;
    CHECK(wvmi_process_by_name(session, "explorer.exe", &process));
    CHECK(wvmi_region_iter_new(session, process, &iter));
    start_count = 0;
    while (start_count < REGIONS_MAX &&
           wvmi_region_iter_next_many(iter, &details, sizeof details, 1, &count) == WVMI_OK) {
        starts[start_count++] = details.start;
    }
    wvmi_region_iter_free(iter);
    CHECK(wvmi_session_close(session));
    srand(1);
    for (size_t last = start_count - 1; last > 0; last--) {
        size_t other = (size_t)rand() % (last + 1);
        uint64_t start = starts[last];
        starts[last] = starts[other];
        starts[other] = start;
    }
}

static size_t look_ups(wvmi_session *session)
{
    wvmi_region_details details;
    wvmi_process process;
    CHECK(wvmi_process_by_name(session, "explorer.exe", &process));
    for (size_t i = 0; i < start_count; i++) {
        CHECK(wvmi_region_at(session, process, starts[i] + 8, &details, sizeof details));
    }
    return start_count;
}

/* Takes everything from an iterator of modules, and frees it. */
static size_t count_modules(wvmi_user_module_iter *iter)
{
    static wvmi_user_module_details details[BATCH];
    size_t count, total = 0;
    while (wvmi_user_module_iter_next_many(iter, details, sizeof details[0], BATCH, &count) ==
           WVMI_OK) {
        total += count;
    }
    wvmi_user_module_iter_free(iter);
    return total;
}

/* One list of the loader, as the peer walks one. */
static size_t listed_modules(wvmi_session *session)
{
    wvmi_user_module_iter *iter;
    wvmi_process process;
    CHECK(wvmi_process_by_name(session, "notepad.exe", &process));
    CHECK(wvmi_user_module_iter_new_in_order(session, process, WVMI_LOADER_LIST_LOAD,
                                             WVMI_ARCHITECTURE_OWN, &iter));
    return count_modules(iter);
}

/* All three lists and the regions, for images that are on none. */
static size_t user_modules(wvmi_session *session)
{
    wvmi_user_module_iter *iter;
    wvmi_process process;
    CHECK(wvmi_process_by_name(session, "notepad.exe", &process));
    CHECK(wvmi_user_module_iter_new(session, process, &iter));
    return count_modules(iter);
}

/* The goals: half of what vmi-rs takes; for a user module of a list, per module of the
 * kernel's list; where the regions are walked, too, for one module and one region. */
void measure_user(const struct arguments *arguments)
{
    measure_walk(arguments, "region: details, path", regions, (struct goal){0.41, 0.82},
                 (struct goal){0.18, 0.36});
    collect_starts(arguments);
    measure_walk(arguments, "region look-up by address", look_ups, (struct goal){0.85, 1.7},
                 (struct goal){0.7, 1.4});
    measure_walk(arguments, "user module of a list: details, name, path", listed_modules,
                 (struct goal){0.415, 0.83}, (struct goal){0.195, 0.39});
    measure_walk(arguments, "user module, and regions for unlisted ones", user_modules,
                 (struct goal){0.825, 1.65}, (struct goal){0.375, 0.75});
}
