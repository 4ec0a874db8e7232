/* Damaged tables, lists, trees and lengths: one gap or error, bounded time, and the
 * good neighbours. */

/* The largest handle table has that many. */
#define STEPS_MAX 300000

#include "damage.h"

/* Overwrites `size` of the 8 bytes at a kernel address, and no others. */
static void damage_only(struct guest *guest, uint64_t address, uint64_t value, size_t size)
{
    repair(guest);
    damage_part(guest, kernel_space(), address, &value, size);
}

static struct found handles_of(struct guest *guest, wvmi_process process)
{
    static wvmi_handle_details details[512];
    struct found found = {0, 0};
    wvmi_handle_iter *iter = NULL;
    wvmi_status status = wvmi_handle_iter_new(guest->session, process, &iter);
    if (status < 0) {
        found.gaps = 1;
        return found;
    }
    do {
        size_t count = 0;
        status = wvmi_handle_iter_next_many(iter, details, sizeof details[0], COUNT(details),
                                            &count);
        CHECK(status == WVMI_OK || status == WVMI_GAP || status == WVMI_END);
        found.good += count;
        found.gaps += status == WVMI_GAP;
        CHECK(found.good + found.gaps < STEPS_MAX);
    } while (status != WVMI_END);
    wvmi_handle_iter_free(iter);
    return found;
}

static uint64_t table_code(struct guest *guest, const struct forged_process *process)
{
    return peek(guest, field(guest, process->handle_table, "_HANDLE_TABLE", "TableCode"));
}

/* A table as if it had any other number of levels, none that there are, or none at all. */
static void check_table(struct guest *guest, const struct forged_process *process, uint64_t code)
{
    uint64_t table = process->handle_table;
    uint64_t at_code = field(guest, table, "_HANDLE_TABLE", "TableCode");
    uint64_t at_next = field(guest, table, "_HANDLE_TABLE", "NextHandleNeedingPool");
    uint64_t at_table = field(guest, process->object, "_EPROCESS", "ObjectTable");
    struct found found;
    damage_only(guest, at_next, 0xffffffff, 4);
    found = handles_of(guest, process_of(process));
    CHECK(found.gaps == 1 && found.good == process->handles);
    for (uint64_t level = 0; level < 4; level++) {
        if (level != (code & 3)) {
            damage_only(guest, at_code, (code & ~UINT64_C(3)) | level, 8);
            found = handles_of(guest, process_of(process));
            CHECK(level != 3 || (found.gaps == 1 && found.good == 0));
        }
    }
    damage_only(guest, at_code, WILD, 8);
    found = handles_of(guest, process_of(process));
    CHECK(found.gaps >= 1 && found.good == 0);
    damage_only(guest, at_table, UNMAPPED, 8);
    found = handles_of(guest, process_of(process));
    CHECK(found.gaps == 1 && found.good == 0);
}

/* One table of every number of levels. */
static void handle_tables_are_bounded(wvmi_session *source)
{
    unsigned levels = 0;
    for (size_t i = 0; i < COUNT(forged_processes); i++) {
        const struct forged_process *process = &forged_processes[i];
        struct guest guest;
        uint64_t code;
        if (!process->handle_table || !process->handles) {
            continue;
        }
        open_damaged(&guest, source);
        code = table_code(&guest, process);
        if (!(levels & 1u << (code & 3))) {
            levels |= 1u << (code & 3);
            check_table(&guest, process, code);
        }
        CHECK_OK(wvmi_session_close(guest.session));
    }
    CHECK(levels == 7);
}

/* Every kind of list and tree, by what its iterator finds. */
typedef struct found walk(struct guest *guest);

#define WALK(name, iter, value, new_iter)                                                         \
    static struct found name(struct guest *guest)                                                 \
    {                                                                                             \
        struct found found = {0, 0};                                                              \
        iter##_iter *walked = NULL;                                                               \
        value element;                                                                            \
        if (new_iter == WVMI_OK) {                                                                \
            COUNT_ALL(iter##_iter_next(walked, &element), &found);                                \
        } else {                                                                                  \
            found.gaps++;                                                                         \
        }                                                                                         \
        iter##_iter_free(walked);                                                                 \
        return found;                                                                             \
    }

static wvmi_process explorer(void)
{
    return process_of(forged_process_named("explorer.exe"));
}

WALK(walk_processes, wvmi_process, wvmi_process,
     wvmi_process_iter_new(guest->session, 0, &walked))
WALK(walk_threads, wvmi_thread, wvmi_thread,
     wvmi_thread_iter_new(guest->session, explorer(), &walked))
WALK(walk_modules, wvmi_module, wvmi_module, wvmi_module_iter_new(guest->session, &walked))
WALK(walk_regions, wvmi_region, wvmi_region,
     wvmi_region_iter_new(guest->session, explorer(), &walked))

/* Links that lead to themselves, nowhere, and back; the tail is still found. */
static void check_links(wvmi_session *source, uint64_t links, walk *walk, size_t least)
{
    uint64_t values[] = {0, 1, WILD, UNMAPPED, UINT64_MAX, 0};
    struct guest guest;
    struct found whole;
    open_damaged(&guest, source);
    whole = walk(&guest);
    CHECK(whole.gaps == 0 && whole.good >= least);
    values[COUNT(values) - 1] = links;
    for (size_t i = 0; i < COUNT(values); i++) {
        struct found found;
        damage_only(&guest, links, values[i], 8);
        found = walk(&guest);
        CHECK(found.gaps == 1 && found.good + 1 >= least && found.good <= whole.good);
    }
    CHECK_OK(wvmi_session_close(guest.session));
}

static void lists_are_read_around_a_break(wvmi_session *source)
{
    struct guest guest;
    uint64_t process, thread = 0;
    const struct forged_process *forged = forged_process_named("explorer.exe");
    size_t threads = 0;
    open_damaged(&guest, source);
    process = field(&guest, forged->object, "_EPROCESS", "ActiveProcessLinks");
    for (size_t i = 0; i < COUNT(forged_threads); i++) {
        if (forged_threads[i].process == forged->object && forged_threads[i].exit_time == 0) {
            thread = field(&guest, forged_threads[i].object, "_ETHREAD", "ThreadListEntry");
            threads++;
        }
    }
    CHECK_OK(wvmi_session_close(guest.session));
    check_links(source, process, walk_processes, 5);
    CHECK(threads > 0);
    check_links(source, thread, walk_threads, threads);
    check_links(source, forged_modules[1].entry, walk_modules, COUNT(forged_modules) - 1);
}

static void trees_are_bounded(wvmi_session *source)
{
    uint64_t values[] = {8, WILD, UNMAPPED, UINT64_MAX, 0};
    struct guest guest;
    struct found whole;
    uint64_t at_root, root, left;
    open_damaged(&guest, source);
    whole = walk_regions(&guest);
    CHECK(whole.gaps == 0 && whole.good > 3);
    at_root = field(&guest, explorer().object, "_EPROCESS", "VadRoot.Root");
    root = peek(&guest, at_root);
    left = field(&guest, root, "_RTL_BALANCED_NODE", "Left");
    values[COUNT(values) - 1] = root;
    for (size_t i = 0; i < COUNT(values); i++) {
        struct found found;
        damage_only(&guest, left, values[i], 8);
        found = walk_regions(&guest);
        CHECK(found.gaps >= 1 && found.good >= 1 && found.good < whole.good);
        damage_only(&guest, at_root, values[i], 8);
        found = walk_regions(&guest);
        CHECK(values[i] == root || (found.gaps == 1 && found.good == 0));
    }
    CHECK_OK(wvmi_session_close(guest.session));
}

/* Strings that claim more than there is, or than any may have. */
static void lengths_are_bounded(wvmi_session *source)
{
    static char text[WVMI_STRING_MAX];
    struct guest guest;
    uint64_t name;
    size_t length = 0;
    wvmi_module module;
    wvmi_status status;
    open_damaged(&guest, source);
    module.entry = forged_modules[1].entry;
    name = field(&guest, module.entry, "_KLDR_DATA_TABLE_ENTRY", "BaseDllName");
    /* Length and MaximumLength: odd, the most there is, more than the buffer has. */
    static const uint32_t lengths[] = {0xfffefffe, 0xffffffff, 0x0002fffe, 0x00010001};
    for (size_t i = 0; i < COUNT(lengths); i++) {
        damage_only(&guest, name, lengths[i], 4);
        status = wvmi_read_unicode_string(guest.session, kernel_space(), name,
                                          WVMI_STRING_UNICODE64, text, sizeof text, &length);
        CHECK(status == WVMI_OK || status == WVMI_ERROR_CORRUPT || status == WVMI_ERROR_FAULT
              || status == WVMI_ERROR_BUFFER_TOO_SMALL);
        CHECK(length <= WVMI_STRING_MAX);
        status = wvmi_module_name(guest.session, module, text, sizeof text, &length);
        CHECK(status <= WVMI_OK && length <= WVMI_STRING_MAX);
        CHECK(walk_modules(&guest).good == COUNT(forged_modules));
    }
    CHECK_OK(wvmi_session_close(guest.session));
}

int main(int argc, char **argv)
{
    wvmi_session *source;
    begin(argc, argv);
    source = open_forged();
    handle_tables_are_bounded(source);
    lists_are_read_around_a_break(source);
    trees_are_bounded(source);
    lengths_are_bounded(source);
    CHECK_OK(wvmi_session_close(source));
    return 0;
}
