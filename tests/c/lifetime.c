/* Threads of the host, closing while calls run, and freeing in any order. */
#include <pthread.h>

#include "check.h"

#define THREADS 4

struct reader {
    wvmi_session *session;
    wvmi_status last;
    unsigned long reads;
};

/* Reads until the session is closed. */
static void *read_until_closed(void *argument)
{
    struct reader *reader = (struct reader *)argument;
    uint64_t value;
    do {
        reader->last = wvmi_read_u64(reader->session, kernel_space(), FORGED_KERNEL_BASE, &value);
        reader->reads++;
    } while (reader->last == WVMI_OK);
    return NULL;
}

static void closing_waits_for_readers_and_ends_them(void)
{
    for (int round = 0; round < 20; round++) {
        pthread_t threads[THREADS];
        struct reader readers[THREADS];
        wvmi_session *session = open_without_symbols();
        for (int i = 0; i < THREADS; i++) {
            readers[i].session = session;
            readers[i].reads = 0;
            CHECK(pthread_create(&threads[i], NULL, read_until_closed, &readers[i]) == 0);
        }
        CHECK_OK(wvmi_session_close(session));
        for (int i = 0; i < THREADS; i++) {
            CHECK(pthread_join(threads[i], NULL) == 0);
            CHECK(readers[i].last == WVMI_ERROR_CLOSED && readers[i].reads > 0);
        }
    }
}

static void *count_processes(void *argument)
{
    struct reader *reader = (struct reader *)argument;
    wvmi_process_iter *iter = NULL;
    wvmi_process process;
    CHECK_OK(wvmi_process_iter_new(reader->session, 0, &iter));
    while (wvmi_process_iter_next(iter, &process) == WVMI_OK) {
        reader->reads++;
    }
    wvmi_process_iter_free(iter);
    return NULL;
}

static void threads_share_one_session(void)
{
    pthread_t threads[THREADS];
    struct reader readers[THREADS];
    wvmi_session *session = open_forged();
    for (int i = 0; i < THREADS; i++) {
        readers[i].session = session;
        readers[i].reads = 0;
        CHECK(pthread_create(&threads[i], NULL, count_processes, &readers[i]) == 0);
    }
    for (int i = 0; i < THREADS; i++) {
        CHECK(pthread_join(threads[i], NULL) == 0);
        CHECK(readers[i].reads == COUNT(forged_processes));
    }
    CHECK_OK(wvmi_session_close(session));
}

static void children_of_a_closed_session_say_so(void)
{
    wvmi_session *session = open_forged();
    wvmi_process_iter *processes = NULL;
    wvmi_thread_iter *threads = NULL;
    wvmi_module_iter *modules = NULL;
    wvmi_handle_iter *handles = NULL;
    wvmi_range_iter *ranges = NULL;
    wvmi_process process = process_of(forged_process_named("notepad.exe"));
    wvmi_process_details details;
    wvmi_handle_details handle;
    wvmi_thread thread;
    wvmi_module module;
    wvmi_range range;
    size_t count = 42;
    CHECK_OK(wvmi_process_iter_new(session, 0, &processes));
    CHECK_OK(wvmi_thread_iter_new(session, process, &threads));
    CHECK_OK(wvmi_module_iter_new(session, &modules));
    CHECK_OK(wvmi_handle_iter_new(session, process, &handles));
    CHECK_OK(wvmi_range_iter_new(session, kernel_space(), 0, UINT64_MAX, &ranges));
    CHECK_OK(wvmi_process_iter_next(processes, &process));
    CHECK_OK(wvmi_session_close(session));
    CHECK_STATUS(wvmi_process_iter_next(processes, &process), WVMI_ERROR_CLOSED);
    CHECK_STATUS(wvmi_process_iter_next_many(processes, &details, sizeof details, 1, &count),
                 WVMI_ERROR_CLOSED);
    CHECK(count == 0);
    CHECK_STATUS(wvmi_thread_iter_next(threads, &thread), WVMI_ERROR_CLOSED);
    CHECK_STATUS(wvmi_module_iter_next(modules, &module), WVMI_ERROR_CLOSED);
    CHECK_STATUS(wvmi_handle_iter_next(handles, &handle, sizeof handle), WVMI_ERROR_CLOSED);
    CHECK_STATUS(wvmi_range_iter_next(ranges, &range, sizeof range), WVMI_ERROR_CLOSED);
    wvmi_range_iter_free(ranges);
    wvmi_handle_iter_free(handles);
    wvmi_process_iter_free(processes);
    wvmi_module_iter_free(modules);
    wvmi_thread_iter_free(threads);
}

static void many_sessions_can_be_open(void)
{
    wvmi_session *sessions[16];
    for (size_t i = 0; i < COUNT(sessions); i++) {
        sessions[i] = open_without_symbols();
    }
    for (size_t i = COUNT(sessions); i-- > 0;) {
        CHECK_OK(wvmi_session_refresh(sessions[i]));
        CHECK_OK(wvmi_session_close(sessions[i]));
    }
}

int main(int argc, char **argv)
{
    begin(argc, argv);
    closing_waits_for_readers_and_ends_them();
    threads_share_one_session();
    children_of_a_closed_session_say_so();
    many_sessions_can_be_open();
    return 0;
}
