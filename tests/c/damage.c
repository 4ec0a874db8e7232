/* Damaged guests: every walk comes to WVMI_END, tells gaps and gives the good
 * neighbours. The file is read, not mapped: what is cut off is an error then. */
#define _POSIX_C_SOURCE 200809L

#include <unistd.h>

#include "hostile.h"

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

/* Dumps that end within their headers. */
static void cut_headers_are_survived(void)
{
    static uint8_t bytes[0x3000];
    FILE *dump = fopen(forged_dump, "rb");
    CHECK(dump != NULL && fread(bytes, sizeof bytes, 1, dump) == 1 && fclose(dump) == 0);
    for (size_t size = 0; size < 0x2010; size = next_dump_byte(size, stride(251))) {
        copy = fopen(copy_path, "wb");
        CHECK(copy != NULL && fwrite(bytes, 1, size, copy) == size && fclose(copy) == 0);
        open_and_read(copy_path);
    }
}

static void flip(size_t at)
{
    uint8_t byte = 0;
    CHECK(fseek(copy, (long)at, SEEK_SET) == 0 && fread(&byte, 1, 1, copy) == 1);
    byte ^= 0xff;
    CHECK(fseek(copy, (long)at, SEEK_SET) == 0 && fwrite(&byte, 1, 1, copy) == 1);
    CHECK(fflush(copy) == 0);
}

/* Dumps of which a byte of the header is another. */
static void flipped_headers_are_survived(void)
{
    for (size_t at = 0; at < 0x2000; at = next_dump_byte(at, stride(251))) {
        flip(at);
        open_and_read(copy_path);
        flip(at);
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

/* Cuts the dump while it is open: what is gone is told as such, wherever it is asked for. */
static void cutting_an_open_dump_is_an_error(wvmi_session *session)
{
    static uint8_t page[PAGE];
    struct tour whole = walk(session);
    wvmi_space physical = space_of(WVMI_SPACE_PHYSICAL, 0);
    wvmi_range_iter *ranges = NULL;
    wvmi_range range;
    uint64_t last = 0;
    size_t done = 77;
    CHECK_OK(wvmi_range_iter_new(session, physical, 0, UINT64_MAX, &ranges));
    while (wvmi_range_iter_next(ranges, &range, sizeof range) == WVMI_OK) {
        last = range.address + range.length - PAGE;
    }
    wvmi_range_iter_free(ranges);
    CHECK_OK(wvmi_read(session, physical, last, page, PAGE, &done));
    CHECK(fseek(copy, 0, SEEK_END) == 0);
    for (long size = ftell(copy) / 2; size > PAGE; size /= 4) {
        struct tour tour;
        wvmi_process process;
        CHECK(ftruncate(fileno(copy), size) == 0);
        CHECK_OK(wvmi_session_refresh(session));
        CHECK_STATUS(wvmi_read(session, physical, last, page, PAGE, &done), WVMI_ERROR_FAULT);
        CHECK(done == 0);
        tour = walk(session);
        CHECK(tour.processes <= whole.processes && tour.modules <= whole.modules);
        (void)wvmi_process_system(session, &process);
    }
}

int main(int argc, char **argv)
{
    wvmi_config *config;
    wvmi_session *session = NULL;
    begin(argc, argv);
    CHECK(snprintf(copy_path, sizeof copy_path, "%s.damaged", argv[0]) < (int)sizeof copy_path);
    copy_dump();
    config = forged_config();
    CHECK_OK(wvmi_config_set_file_mode(config, WVMI_FILE_MODE_READ));
    CHECK_OK(wvmi_session_open(copy_path, config, &session));
    wvmi_config_free(config);
    flipped_headers_are_survived();
    cutting_an_open_dump_is_an_error(session);
    CHECK_OK(wvmi_session_close(session));
    CHECK(fclose(copy) == 0);
    cut_headers_are_survived();
    CHECK(remove(copy_path) == 0);
    return 0;
}
