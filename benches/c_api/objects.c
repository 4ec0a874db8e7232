/* Microseconds per guest object, and per opening. */

#include "bench.h"
#include "table.h"

#include <stdio.h>
#include <stdlib.h>

enum { BATCH = 256, AGAIN = 100 };

/* Three facts about each process, each by its own call. */
static size_t names(wvmi_session *session)
{
    wvmi_process_iter *iter;
    wvmi_process process;
    size_t total = 0;
    CHECK(wvmi_process_iter_new(session, 0, &iter));
    while (wvmi_process_iter_next(iter, &process) == WVMI_OK) {
        uint32_t pid, parent;
        char name[64];
        CHECK(wvmi_process_id(session, process, &pid));
        CHECK(wvmi_process_parent_id(session, process, &parent));
        CHECK(wvmi_process_name(session, process, name, sizeof name, NULL));
        total++;
    }
    wvmi_process_iter_free(iter);
    return total;
}

static size_t processes(wvmi_session *session)
{
    static wvmi_process_details details[BATCH];
    wvmi_process_iter *iter;
    size_t count, total = 0;
    CHECK(wvmi_process_iter_new(session, 0, &iter));
    while (wvmi_process_iter_next_many(iter, details, sizeof details[0], BATCH, &count) == WVMI_OK) {
        total += count;
    }
    wvmi_process_iter_free(iter);
    return total;
}

static size_t modules(wvmi_session *session)
{
    static wvmi_module_details details[BATCH];
    wvmi_module_iter *iter;
    size_t count, total = 0;
    CHECK(wvmi_module_iter_new(session, &iter));
    while (wvmi_module_iter_next_many(iter, details, sizeof details[0], BATCH, &count) == WVMI_OK) {
        total += count;
    }
    wvmi_module_iter_free(iter);
    return total;
}

/* The handles of one process, with the names of their objects' types: read from the objects. */
static size_t handles(wvmi_session *session)
{
    static wvmi_handle_details details[BATCH];
    wvmi_handle_iter *iter;
    wvmi_process process;
    size_t count, total = 0;
    CHECK(wvmi_process_by_name(session, "bulk.exe", &process));
    CHECK(wvmi_handle_iter_new(session, process, &iter));
    while (wvmi_handle_iter_next_many(iter, details, sizeof details[0], BATCH, &count) == WVMI_OK) {
        total += count;
    }
    wvmi_handle_iter_free(iter);
    return total;
}

/* Microseconds per object of one walk. */
static double timed(walk *visit, wvmi_session *session, size_t *count)
{
    double start = now(CLOCK_THREAD_CPUTIME_ID);
    *count = visit(session);
    return (now(CLOCK_THREAD_CPUTIME_ID) - start) / 1e3 / (double)*count;
}

void measure_walk(const struct arguments *arguments, const char *name, walk *visit,
                  struct goal cold_goal, struct goal warm_goal)
{
    double cold = 1e18, warm = 1e18;
    char row[80];
    size_t count;
    for (int round = 0; round < ROUNDS; round++) {
        wvmi_session *session = open_session(arguments->full, arguments->symbols);
        double first = timed(visit, session, &count);
        cold = first < cold ? first : cold;
        for (int again = 0; again < AGAIN; again++) {
            double next = timed(visit, session, &count);
            warm = next < warm ? next : warm;
        }
        CHECK(wvmi_session_close(session));
    }
    snprintf(row, sizeof row, "%s, cold", name);
    print_figure(row, "us", cold, cold_goal);
    snprintf(row, sizeof row, "%s, warm", name);
    print_figure(row, "us", warm, warm_goal);
}

/* The goals: half of what vmi-rs takes. */
void measure_objects(const struct arguments *arguments)
{
    const struct goal none = {0};
    measure_walk(arguments, "process: id, parent, name", names, (struct goal){0.55, 1.1},
                 (struct goal){0.12, 0.24});
    measure_walk(arguments, "process: all details", processes, none, none);
    measure_walk(arguments, "module: details, name, path", modules, (struct goal){0.415, 0.83},
                 (struct goal){0.195, 0.39});
    measure_walk(arguments, "handle: details, type name", handles, (struct goal){0.195, 0.39},
                 (struct goal){0.13, 0.26});
}

static double open_and_close(const char *image, const char *symbols)
{
    double best = 1e18;
    for (int round = 0; round < ROUNDS; round++) {
        double start = now(CLOCK_THREAD_CPUTIME_ID);
        wvmi_session *session = open_session(image, symbols);
        double time = (now(CLOCK_THREAD_CPUTIME_ID) - start) / 1e6;
        best = time < best ? time : best;
        CHECK(wvmi_session_close(session));
    }
    return best;
}

void measure_opening(const struct arguments *arguments)
{
    const struct goal peer = {10, 10}, none = {0};
    double start = now(CLOCK_THREAD_CPUTIME_ID);
    wvmi_session *first = open_session(arguments->full, arguments->symbols);
    double cold = (now(CLOCK_THREAD_CPUTIME_ID) - start) / 1e6;
    print_figure("opening 512 MiB, symbols parsed", "ms", cold, none);
    print_figure("opening 512 MiB, symbols shared with an open session", "ms",
                 open_and_close(arguments->full, arguments->symbols), peer);
    print_figure("opening 64 GiB (sparse), likewise", "ms",
                 open_and_close(arguments->sparse, arguments->symbols), none);
    print_figure("opening 512 MiB, without symbols", "ms", open_and_close(arguments->full, NULL),
                 none);
    CHECK(wvmi_session_close(first));
}
