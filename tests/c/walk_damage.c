/* Damaged tables, lists, trees and lengths: one gap or error, bounded time, and the
 * good neighbours. */
#include "check.h"

#define WILD UINT64_C(0xdeadbeefdeadbeef)
#define UNMAPPED UINT64_C(0xffff880012345000)

/* No walk of these guests takes more steps, the largest handle table included. */
#define STEPS_MAX 300000

/* Memory that another session serves, but for one word. */
struct guest {
    wvmi_session *source;
    wvmi_session *session;
    uint64_t physical;
    uint8_t word[8];
};

static wvmi_status read_physical(void *context, uint64_t address, uint8_t *buffer, size_t size)
{
    struct guest *guest = (struct guest *)context;
    wvmi_status status = wvmi_read(guest->source, space_of(WVMI_SPACE_PHYSICAL, 0), address,
                                   buffer, size, NULL);
    for (size_t i = 0; i < sizeof guest->word && status == WVMI_OK; i++) {
        uint64_t at = guest->physical + i;
        if (guest->physical && at >= address && at - address < size) {
            buffer[at - address] = guest->word[i];
        }
    }
    return status;
}

static void open_guest(struct guest *guest, wvmi_session *source)
{
    wvmi_driver_ops ops;
    wvmi_config *config = forged_config();
    memset(guest, 0, sizeof *guest);
    memset(&ops, 0, sizeof ops);
    guest->source = source;
    ops.read_physical = read_physical;
    ops.root = FORGED_SYSTEM_ROOT;
    ops.kernel_base = FORGED_KERNEL_BASE;
    CHECK_OK(wvmi_session_open_driver(&ops, sizeof ops, guest, config, &guest->session));
    wvmi_config_free(config);
}

/* Overwrites `size` of the 8 bytes at a kernel address. */
static void damage(struct guest *guest, uint64_t address, uint64_t value, size_t size)
{
    wvmi_translation translation;
    CHECK_OK(wvmi_translate(guest->source, kernel_space(), address, &translation,
                            sizeof translation));
    CHECK_OK(wvmi_read(guest->source, kernel_space(), address, guest->word, sizeof guest->word,
                       NULL));
    memcpy(guest->word, &value, size);
    guest->physical = translation.physical_address;
    CHECK_OK(wvmi_session_refresh(guest->session));
}

static uint64_t at(struct guest *guest, uint64_t object, const char *structure, const char *path)
{
    wvmi_field field;
    CHECK_OK(wvmi_field_offset(guest->source, structure, path, &field, sizeof field));
    return object + field.offset;
}

struct found {
    size_t good, gaps;
};

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
    uint64_t code;
    CHECK_OK(wvmi_read_u64(guest->source, kernel_space(),
                           at(guest, process->handle_table, "_HANDLE_TABLE", "TableCode"), &code));
    return code;
}

/* Tables of every number of levels, and each as if it had any other. */
static void handle_tables_are_bounded(wvmi_session *source)
{
    unsigned levels = 0;
    for (size_t i = 0; i < COUNT(forged_processes); i++) {
        const struct forged_process *process = &forged_processes[i];
        struct guest guest;
        uint64_t code;
        struct found found;
        if (!process->handle_table || !process->handles) {
            continue;
        }
        open_guest(&guest, source);
        code = table_code(&guest, process);
        if (levels & 1u << (code & 3)) {
            CHECK_OK(wvmi_session_close(guest.session));
            continue;
        }
        levels |= 1u << (code & 3);
        damage(&guest, at(&guest, process->handle_table, "_HANDLE_TABLE", "NextHandleNeedingPool"),
               0xffffffff, 4);
        found = handles_of(&guest, process_of(process));
        CHECK(found.gaps == 1 && found.good == process->handles);
        for (uint64_t level = 0; level < 4; level++) {
            if (level != (code & 3)) {
                damage(&guest, at(&guest, process->handle_table, "_HANDLE_TABLE", "TableCode"),
                       (code & ~UINT64_C(3)) | level, 8);
                found = handles_of(&guest, process_of(process));
                CHECK(level != 3 || (found.gaps == 1 && found.good == 0));
            }
        }
        damage(&guest, at(&guest, process->handle_table, "_HANDLE_TABLE", "TableCode"), WILD, 8);
        found = handles_of(&guest, process_of(process));
        CHECK(found.gaps >= 1 && found.good == 0);
        damage(&guest, at(&guest, process->object, "_EPROCESS", "ObjectTable"), UNMAPPED, 8);
        found = handles_of(&guest, process_of(process));
        CHECK(found.gaps == 1 && found.good == 0);
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
        wvmi_status status = new_iter;                                                            \
        CHECK(status == WVMI_OK || status < 0);                                                   \
        found.gaps += status < 0;                                                                 \
        while (status == WVMI_OK || status == WVMI_GAP) {                                         \
            status = iter##_iter_next(walked, &element);                                          \
            CHECK(status == WVMI_OK || status == WVMI_GAP || status == WVMI_END);                 \
            found.good += status == WVMI_OK;                                                      \
            found.gaps += status == WVMI_GAP;                                                     \
            CHECK(found.good + found.gaps < 1000);                                                \
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
    open_guest(&guest, source);
    whole = walk(&guest);
    CHECK(whole.gaps == 0 && whole.good >= least);
    values[COUNT(values) - 1] = links;
    for (size_t i = 0; i < COUNT(values); i++) {
        struct found found;
        damage(&guest, links, values[i], 8);
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
    open_guest(&guest, source);
    process = at(&guest, forged->object, "_EPROCESS", "ActiveProcessLinks");
    for (size_t i = 0; i < COUNT(forged_threads); i++) {
        if (forged_threads[i].process == forged->object && forged_threads[i].exit_time == 0) {
            thread = at(&guest, forged_threads[i].object, "_ETHREAD", "ThreadListEntry");
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
    uint64_t root = 0, left;
    open_guest(&guest, source);
    whole = walk_regions(&guest);
    CHECK(whole.gaps == 0 && whole.good > 3);
    CHECK_OK(wvmi_read_u64(source, kernel_space(),
                           at(&guest, explorer().object, "_EPROCESS", "VadRoot.Root"), &root));
    left = at(&guest, root, "_RTL_BALANCED_NODE", "Left");
    values[COUNT(values) - 1] = root;
    for (size_t i = 0; i < COUNT(values); i++) {
        struct found found;
        damage(&guest, left, values[i], 8);
        found = walk_regions(&guest);
        CHECK(found.gaps >= 1 && found.good >= 1 && found.good < whole.good);
        damage(&guest, at(&guest, explorer().object, "_EPROCESS", "VadRoot.Root"), values[i], 8);
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
    open_guest(&guest, source);
    module.entry = forged_modules[1].entry;
    name = at(&guest, module.entry, "_KLDR_DATA_TABLE_ENTRY", "BaseDllName");
    /* Length and MaximumLength: odd, the most there is, more than the buffer has. */
    static const uint32_t lengths[] = {0xfffefffe, 0xffffffff, 0x0002fffe, 0x00010001};
    for (size_t i = 0; i < COUNT(lengths); i++) {
        damage(&guest, name, lengths[i], 4);
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
