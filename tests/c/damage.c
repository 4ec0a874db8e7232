/* Damaged guests: every walk comes to WVMI_END, tells gaps and gives the good neighbours. */
#include "check.h"

/* No walk of the forged guest has more steps. */
#define STEPS 5000
#define PAGE 4096

/* What a walk over the whole guest found. */
struct tour {
    size_t processes, threads, handles, modules, gaps;
};

/* The copy of the dump that is damaged. */
static char copy_path[4096];
static FILE *copy;

/* Counts a step of an iterator; false at its end. */
static bool steps_on(wvmi_status status, struct tour *tour, size_t *count, size_t *steps)
{
    CHECK(++*steps < STEPS);
    CHECK(status == WVMI_OK || status == WVMI_GAP || status == WVMI_END);
    *count += status == WVMI_OK;
    tour->gaps += status == WVMI_GAP;
    return status != WVMI_END;
}

static void walk_threads(wvmi_session *session, wvmi_process process, struct tour *tour)
{
    wvmi_thread_iter *iter = NULL;
    wvmi_thread thread;
    size_t steps = 0;
    if (wvmi_thread_iter_new(session, process, &iter) != WVMI_OK) {
        tour->gaps++;
        return;
    }
    while (steps_on(wvmi_thread_iter_next(iter, &thread), tour, &tour->threads, &steps)) {
    }
    CHECK_STATUS(wvmi_thread_iter_next(iter, &thread), WVMI_END);
    wvmi_thread_iter_free(iter);
}

static void walk_handles(wvmi_session *session, struct tour *tour)
{
    wvmi_process process = process_of(forged_process_named("notepad.exe"));
    wvmi_handle_iter *iter = NULL;
    wvmi_handle_details details;
    wvmi_status status = wvmi_handle_iter_new(session, process, &iter);
    size_t steps = 0;
    if (status != WVMI_OK) {
        tour->gaps += status != WVMI_ERROR_NOT_FOUND;
        return;
    }
    while (steps_on(wvmi_handle_iter_next(iter, &details, sizeof details), tour, &tour->handles,
                    &steps)) {
    }
    CHECK_STATUS(wvmi_handle_iter_next(iter, &details, sizeof details), WVMI_END);
    wvmi_handle_iter_free(iter);
}

static void walk_processes(wvmi_session *session, struct tour *tour)
{
    wvmi_process_iter *iter = NULL;
    wvmi_process process;
    size_t steps = 0;
    wvmi_status status;
    CHECK_OK(wvmi_process_iter_new(session, WVMI_PROCESS_SOURCE_ACTIVE_LIST, &iter));
    do {
        status = wvmi_process_iter_next(iter, &process);
        if (status == WVMI_OK) {
            walk_threads(session, process, tour);
        }
    } while (steps_on(status, tour, &tour->processes, &steps));
    CHECK_STATUS(wvmi_process_iter_next(iter, &process), WVMI_END);
    wvmi_process_iter_free(iter);
}

static void walk_modules(wvmi_session *session, struct tour *tour)
{
    wvmi_module_iter *iter = NULL;
    wvmi_module module;
    char path[1024];
    size_t steps = 0;
    wvmi_status status;
    CHECK_OK(wvmi_module_iter_new(session, &iter));
    do {
        status = wvmi_module_iter_next(iter, &module);
        if (status == WVMI_OK &&
            wvmi_module_path(session, module, path, sizeof path, NULL) != WVMI_OK) {
            tour->gaps++;
        }
    } while (steps_on(status, tour, &tour->modules, &steps));
    wvmi_module_iter_free(iter);
}

static struct tour walk(wvmi_session *session)
{
    struct tour tour = {0, 0, 0, 0, 0};
    walk_processes(session, &tour);
    walk_handles(session, &tour);
    walk_modules(session, &tour);
    return tour;
}

/* Where the copy holds the word at an address of the kernel: its page is looked for. */
static long offset_of(wvmi_session *session, uint64_t address)
{
    static uint8_t wanted[PAGE], found[PAGE];
    uint64_t start = address & ~(uint64_t)(PAGE - 1);
    long offset = 0;
    CHECK_OK(wvmi_read(session, kernel_space(), start, wanted, PAGE, NULL));
    CHECK(fseek(copy, 0, SEEK_SET) == 0);
    while (fread(found, PAGE, 1, copy) == 1) {
        if (memcmp(found, wanted, PAGE) == 0) {
            return offset + (long)(address - start);
        }
        offset += PAGE;
    }
    CHECK(!"the page is in the dump");
    return 0;
}

static uint64_t swap_word(long offset, uint64_t value)
{
    uint64_t old = 0;
    CHECK(fseek(copy, offset, SEEK_SET) == 0 && fread(&old, sizeof old, 1, copy) == 1);
    CHECK(fseek(copy, offset, SEEK_SET) == 0 && fwrite(&value, sizeof value, 1, copy) == 1);
    CHECK(fflush(copy) == 0);
    return old;
}

static uint64_t member(wvmi_session *session, uint64_t base, const char *structure,
                       const char *path)
{
    wvmi_field field;
    CHECK_OK(wvmi_field_offset(session, structure, path, &field, sizeof field));
    return base + field.offset;
}

/* Overwrites a word with everything bad and walks the guest each time. */
static void survive(wvmi_session *session, uint64_t address, size_t processes_lost,
                    size_t modules_lost)
{
    struct tour whole = walk(session);
    long offset = offset_of(session, address);
    const uint64_t values[] = {0, 1, address, address - 8, UINT64_C(0xdeadbeefdeadbeef),
                               UINT64_C(0xffff880012345000), UINT64_MAX, FORGED_KERNEL_BASE};
    CHECK(whole.gaps == 0);
    for (size_t i = 0; i < COUNT(values); i++) {
        uint64_t old = swap_word(offset, values[i]);
        struct tour tour;
        CHECK_OK(wvmi_session_refresh(session));
        tour = walk(session);
        CHECK(tour.processes + processes_lost >= whole.processes);
        CHECK(tour.modules + modules_lost >= whole.modules);
        swap_word(offset, old);
        CHECK_OK(wvmi_session_refresh(session));
    }
}

static void damaged_links_cost_themselves_only(wvmi_session *session)
{
    uint64_t process = forged_processes[2].object, entry = forged_modules[2].entry;
    survive(session, member(session, process, "_EPROCESS", "ActiveProcessLinks.Flink"), 1, 0);
    survive(session, member(session, process, "_EPROCESS", "ActiveProcessLinks.Blink"), 1, 0);
    survive(session, member(session, process, "_EPROCESS", "ThreadListHead.Flink"), 0, 0);
    survive(session, member(session, entry, "_KLDR_DATA_TABLE_ENTRY", "InLoadOrderLinks.Flink"), 0,
            1);
    survive(session, member(session, entry, "_KLDR_DATA_TABLE_ENTRY", "FullDllName.Buffer"), 0, 0);
    survive(session, member(session, entry, "_KLDR_DATA_TABLE_ENTRY", "FullDllName"), 0, 0);
}

static void damaged_handle_tables_end(wvmi_session *session)
{
    uint64_t process = forged_process_named("notepad.exe")->object;
    uint64_t table = forged_process_named("notepad.exe")->handle_table;
    survive(session, member(session, process, "_EPROCESS", "ObjectTable"), 0, 0);
    survive(session, member(session, table, "_HANDLE_TABLE", "TableCode"), 0, 0);
    survive(session, member(session, table, "_HANDLE_TABLE", "NextHandleNeedingPool"), 0, 0);
}

/* Opens a file whatever is in it, and asks for everything that needs no symbols. */
static void open_and_read(const char *target)
{
    wvmi_session *session = NULL;
    wvmi_session_details details;
    wvmi_registers registers;
    wvmi_range_iter *ranges = NULL;
    wvmi_range range;
    uint64_t word;
    size_t steps = 0;
    wvmi_config *config = NULL;
    CHECK_OK(wvmi_config_new(&config));
    CHECK_OK(wvmi_config_set_symbol_environment(config, false));
    CHECK_OK(wvmi_config_set_cache_directory(config, ""));
    if (wvmi_session_open(target, config, &session) == WVMI_OK) {
        wvmi_space physical = space_of(WVMI_SPACE_PHYSICAL, 0);
        CHECK_OK(wvmi_session_info(session, &details, sizeof details));
        wvmi_registers_get(session, 0, &registers, sizeof registers);
        wvmi_read_u64(session, physical, 0x1000, &word);
        if (wvmi_range_iter_new(session, physical, 0, UINT64_MAX, &ranges) == WVMI_OK) {
            while (steps < 100 && wvmi_range_iter_next(ranges, &range, sizeof range) == WVMI_OK) {
                CHECK_STATUS(range.length == 0, 0);
                steps++;
            }
            wvmi_range_iter_free(ranges);
        }
        CHECK_OK(wvmi_session_close(session));
    }
    wvmi_config_free(config);
}

/* Headers of the dump: each byte flipped, and cut now and then. */
static void damaged_headers_are_survived(void)
{
    static uint8_t bytes[0x3000];
    FILE *dump = fopen(forged_dump, "rb");
    CHECK(dump != NULL && fread(bytes, sizeof bytes, 1, dump) == 1 && fclose(dump) == 0);
    copy = fopen(copy_path, "w+b");
    CHECK(copy != NULL && fwrite(bytes, sizeof bytes, 1, copy) == 1);
    for (long i = 0; i < 0x2000; i++) {
        /* Between the first fields and the last ones are the context and filler. */
        if (i == 0x100) {
            i = 0xf80;
        } else if (i == 0x1050) {
            break;
        }
        CHECK(fseek(copy, i, SEEK_SET) == 0 && fputc(bytes[i] ^ 0xff, copy) != EOF);
        CHECK(fflush(copy) == 0);
        open_and_read(copy_path);
        CHECK(fseek(copy, i, SEEK_SET) == 0 && fputc(bytes[i], copy) != EOF);
    }
    CHECK(fclose(copy) == 0);
    for (size_t size = 0; size < sizeof bytes; size += 251) {
        copy = fopen(copy_path, "wb");
        CHECK(copy != NULL && fwrite(bytes, 1, size, copy) == size && fclose(copy) == 0);
        open_and_read(copy_path);
    }
}

static void copy_dump(void)
{
    static uint8_t page[PAGE], zeros[PAGE];
    FILE *dump = fopen(forged_dump, "rb");
    size_t size;
    copy = fopen(copy_path, "w+b");
    CHECK(dump != NULL && copy != NULL);
    while ((size = fread(page, 1, PAGE, dump)) == PAGE && !feof(dump)) {
        if (memcmp(page, zeros, PAGE) == 0) {
            CHECK(fseek(copy, PAGE, SEEK_CUR) == 0);
        } else {
            CHECK(fwrite(page, PAGE, 1, copy) == 1);
        }
    }
    /* The last byte gives the copy its length. */
    CHECK(fseek(copy, -1, SEEK_CUR) == 0);
    CHECK(fwrite(page + PAGE - 1, 1, 1, copy) == 1 && fflush(copy) == 0);
    fclose(dump);
}

int main(int argc, char **argv)
{
    wvmi_config *config;
    wvmi_session *session = NULL;
    begin(argc, argv);
    CHECK(snprintf(copy_path, sizeof copy_path, "%s.damaged", argv[0]) < (int)sizeof copy_path);
    copy_dump();
    config = forged_config();
    CHECK_OK(wvmi_session_open(copy_path, config, &session));
    wvmi_config_free(config);
    damaged_links_cost_themselves_only(session);
    damaged_handle_tables_end(session);
    CHECK_OK(wvmi_session_close(session));
    CHECK(fclose(copy) == 0);
    damaged_headers_are_survived();
    CHECK(remove(copy_path) == 0);
    return 0;
}
