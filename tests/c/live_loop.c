/* The event loop of a running guest: running, polling, stopping, waking, and
 * closing in the middle. */
#include "toy_guest.h"

struct loop {
    wvmi_session *session;
    wvmi_hook hook;
    unsigned calls, released;
    wvmi_status status, inner;
    wvmi_process_iter *iter;
};

static wvmi_action on_hit(wvmi_event *event, void *user_data)
{
    (void)event;
    ((struct loop *)user_data)->calls++;
    return WVMI_ACTION_CONTINUE;
}

static void on_release(void *user_data)
{
    ((struct loop *)user_data)->released++;
}

static void hook_with(struct loop *loop, wvmi_event_callback callback)
{
    wvmi_breakpoint_spec spec;
    memset(&spec, 0, sizeof spec);
    spec.address = FORGED_NT_CREATE_FILE;
    CHECK_OK(wvmi_breakpoint_insert(loop->session, &spec, sizeof spec, callback, loop, on_release,
                                    &loop->hook));
}

static void *run(void *user_data)
{
    struct loop *loop = (struct loop *)user_data;
    do {
        /* The main thread may be looking whether it runs. */
        loop->status = wvmi_session_run(loop->session);
    } while (loop->status == WVMI_ERROR_BUSY);
    return NULL;
}

static void polling_waits_no_longer_than_asked(void)
{
    struct toy toy;
    struct loop loop;
    struct pollfd polled;
    int32_t fd = -1;
    memset(&loop, 0, sizeof loop);
    loop.session = toy_open(&toy);
    CHECK_STATUS(wvmi_session_poll(loop.session, 0), WVMI_TIMEOUT);
    hook_with(&loop, on_hit);
    CHECK_STATUS(wvmi_session_poll(loop.session, 20), WVMI_TIMEOUT);
    CHECK_OK(wvmi_session_fd(loop.session, &fd));
    polled.fd = fd;
    polled.events = POLLIN;
    CHECK(poll(&polled, 1, 0) == 0);
    CHECK(!toy_execute(&toy, 0, FORGED_NT_CREATE_FILE));
    CHECK(poll(&polled, 1, 1000) == 1);
    CHECK_OK(wvmi_session_poll(loop.session, 0));
    CHECK(loop.calls == 1 && poll(&polled, 1, 0) == 0);
    /* Told beforehand, the next wait ends at once. */
    CHECK_OK(wvmi_session_wakeup(loop.session));
    CHECK(poll(&polled, 1, 1000) == 1);
    CHECK_OK(wvmi_session_run(loop.session));
    CHECK_OK(wvmi_session_stop(loop.session));
    CHECK_STATUS(wvmi_session_run(loop.session), WVMI_STOPPED);
    CHECK_STATUS(wvmi_session_poll(loop.session, 0), WVMI_TIMEOUT);
    toy_close(&toy, loop.session);
    CHECK(loop.released == 1);
}

static void other_threads_end_the_loop(void)
{
    for (int way = 0; way < 4; way++) {
        struct toy toy;
        struct loop loop;
        pthread_t thread;
        wvmi_status status;
        memset(&loop, 0, sizeof loop);
        loop.session = toy_open(&toy);
        hook_with(&loop, on_hit);
        CHECK(pthread_create(&thread, NULL, run, &loop) == 0);
        /* One loop at a time; the other thread may not have begun. */
        do {
            poll(NULL, 0, 1);
            status = wvmi_session_poll(loop.session, 0);
        } while (status == WVMI_TIMEOUT);
        CHECK(status == WVMI_ERROR_BUSY);
        if (way == 0) {
            CHECK_OK(wvmi_session_stop(loop.session));
        } else if (way == 1) {
            CHECK_OK(wvmi_session_wakeup(loop.session));
        } else if (way == 2) {
            CHECK_OK(wvmi_session_cancel(loop.session));
        } else {
            CHECK_OK(wvmi_session_close(loop.session));
        }
        CHECK(pthread_join(thread, NULL) == 0);
        CHECK(loop.status == (way == 0   ? WVMI_STOPPED
                              : way == 1 ? WVMI_OK
                              : way == 2 ? WVMI_ERROR_CANCELLED
                                         : WVMI_ERROR_CLOSED));
        if (way < 3) {
            CHECK_OK(wvmi_session_close(loop.session));
        }
        CHECK(loop.released == 1);
        toy_check_restored(&toy);
        toy_end(&toy);
    }
}

static wvmi_action on_close(wvmi_event *event, void *user_data)
{
    struct loop *loop = (struct loop *)user_data;
    wvmi_process process;
    loop->calls++;
    (void)event;
    CHECK_STATUS(wvmi_session_run(loop->session), WVMI_ERROR_BUSY);
    CHECK_OK(wvmi_session_close(loop->session));
    loop->inner = wvmi_process_system(loop->session, &process);
    return WVMI_ACTION_CONTINUE;
}

static void closing_in_a_callback_ends_the_loop(bool with_views)
{
    struct toy toy;
    struct loop loop;
    wvmi_driver_ops ops = with_views ? toy_table() : toy_table_without_views();
    wvmi_process process;
    memset(&loop, 0, sizeof loop);
    toy_begin(&toy);
    loop.session = toy_open_table(&toy, &ops);
    CHECK_OK(wvmi_process_iter_new(loop.session, 0, &loop.iter));
    CHECK_OK(wvmi_process_iter_next(loop.iter, &process));
    hook_with(&loop, on_close);
    CHECK(!toy_execute(&toy, 0, FORGED_NT_CREATE_FILE));
    CHECK(!toy_execute(&toy, 1, FORGED_NT_CREATE_FILE));
    CHECK_STATUS(wvmi_session_run(loop.session), WVMI_STOPPED);
    CHECK(loop.calls == 1 && loop.released == 1);
    CHECK(toy.cpus[0].executed == 1 && toy.cpus[1].executed == 1);
    CHECK(toy.cpus[0].own_int3 == 0 && toy.cpus[1].own_int3 == 0);
    toy_check_restored(&toy);
    CHECK_STATUS(wvmi_hook_remove(loop.session, loop.hook), WVMI_ERROR_CLOSED);
    CHECK_STATUS(wvmi_session_run(loop.session), WVMI_ERROR_CLOSED);
    CHECK_STATUS(wvmi_session_close(loop.session), WVMI_ERROR_CLOSED);
    CHECK_STATUS(wvmi_process_iter_next(loop.iter, &process), WVMI_ERROR_CLOSED);
    CHECK(toy.released == 0);
    wvmi_process_iter_free(loop.iter);
    toy_end(&toy);
}

static wvmi_action on_change(wvmi_event *event, void *user_data)
{
    struct loop *loop = (struct loop *)user_data;
    wvmi_hook old = loop->hook;
    (void)event;
    loop->calls++;
    CHECK_OK(wvmi_hook_remove(loop->session, old));
    CHECK(loop->released == loop->calls - 1); /* not while it runs */
    hook_with(loop, on_change);
    CHECK(loop->hook != old);
    return WVMI_ACTION_CONTINUE;
}

static void hooks_come_and_go_in_callbacks(void)
{
    struct toy toy;
    struct loop loop;
    memset(&loop, 0, sizeof loop);
    loop.session = toy_open(&toy);
    hook_with(&loop, on_change);
    for (unsigned i = 1; i < 10; i++) {
        CHECK(!toy_execute(&toy, 0, FORGED_NT_CREATE_FILE));
        CHECK_OK(wvmi_session_poll(loop.session, 1000));
        CHECK(loop.calls == i && loop.released == i && toy.cpus[0].executed == i);
    }
    CHECK(toy.frames == 1);
    toy_close(&toy, loop.session);
    CHECK(loop.released == 10);
}

struct reader {
    wvmi_session *session;
    uint64_t word;
    bool ended;
};

/* Lists the processes, and reads the hooked code, which is the guest's own. */
static void *read_all_the_time(void *user_data)
{
    struct reader *reader = (struct reader *)user_data;
    do {
        wvmi_process_iter *iter = NULL;
        wvmi_process process;
        uint64_t word = 0;
        size_t count = 0;
        CHECK_OK(wvmi_process_iter_new(reader->session, 0, &iter));
        while (wvmi_process_iter_next(iter, &process) == WVMI_OK) {
            CHECK(process.object == forged_processes[count].object);
            count++;
        }
        CHECK(count == COUNT(forged_processes));
        wvmi_process_iter_free(iter);
        CHECK_OK(wvmi_read_u64(reader->session, kernel_space(), FORGED_NT_CREATE_FILE, &word));
        CHECK(word == reader->word);
    } while (!__atomic_load_n(&reader->ended, __ATOMIC_ACQUIRE));
    return NULL;
}

static void others_read_while_the_loop_runs(bool with_views)
{
    struct toy toy;
    struct loop loop;
    struct reader readers[2];
    pthread_t threads[2];
    wvmi_driver_ops ops = with_views ? toy_table() : toy_table_without_views();
    unsigned rounds = stride(20) == 1 ? 200 : 10;
    memset(&loop, 0, sizeof loop);
    memset(readers, 0, sizeof readers);
    toy_begin(&toy);
    loop.session = toy_open_table(&toy, &ops);
    CHECK_OK(wvmi_read_u64(loop.session, kernel_space(), FORGED_NT_CREATE_FILE, &readers[0].word));
    for (size_t i = 0; i < COUNT(readers); i++) {
        readers[i].session = loop.session;
        readers[i].word = readers[0].word;
        CHECK(pthread_create(&threads[i], NULL, read_all_the_time, &readers[i]) == 0);
    }
    for (unsigned round = 0; round < rounds; round++) {
        hook_with(&loop, on_hit);
        CHECK(!toy_execute(&toy, 0, FORGED_NT_CREATE_FILE));
        CHECK_OK(wvmi_session_poll(loop.session, 1000));
        CHECK_OK(wvmi_hook_remove(loop.session, loop.hook));
        CHECK(loop.calls == round + 1);
    }
    for (size_t i = 0; i < COUNT(readers); i++) {
        __atomic_store_n(&readers[i].ended, true, __ATOMIC_RELEASE);
        CHECK(pthread_join(threads[i], NULL) == 0);
    }
    toy_close(&toy, loop.session);
    CHECK(loop.released == rounds);
}

int main(int argc, char **argv)
{
    begin(argc, argv);
    polling_waits_no_longer_than_asked();
    other_threads_end_the_loop();
    closing_in_a_callback_ends_the_loop(true);
    closing_in_a_callback_ends_the_loop(false);
    hooks_come_and_go_in_callbacks();
    others_read_while_the_loop_runs(true);
    others_read_while_the_loop_runs(false);
    return 0;
}
