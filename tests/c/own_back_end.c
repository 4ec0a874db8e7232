/* A back end of the program's own under load: slow, failing at every call in turn,
 * used by many threads, told to end, and one with far more room than memory. */
#include <pthread.h>
#include <sched.h>

#include "check.h"

#define THREADS 4
#define TWO_TIB (UINT64_C(2) << 40)

struct guest {
    wvmi_session *source;
    pthread_mutex_t lock;
    unsigned long calls, fail_at;
    int fail_on, slow, held;
};

static int counts_and_fails(struct guest *guest)
{
    int fails;
    pthread_mutex_lock(&guest->lock);
    guest->calls++;
    while (guest->held) {
        pthread_mutex_unlock(&guest->lock);
        sched_yield();
        pthread_mutex_lock(&guest->lock);
    }
    fails = guest->calls == guest->fail_at || (guest->fail_on && guest->calls > guest->fail_at);
    pthread_mutex_unlock(&guest->lock);
    return fails && guest->fail_at;
}

static wvmi_status read_physical(void *context, uint64_t address, uint8_t *buffer, size_t size)
{
    struct guest *guest = (struct guest *)context;
    if (counts_and_fails(guest)) {
        return WVMI_ERROR_IO;
    }
    for (int i = 0; i < guest->slow; i++) {
        sched_yield();
    }
    return wvmi_read(guest->source, space_of(WVMI_SPACE_PHYSICAL, 0), address, buffer, size, NULL);
}

static wvmi_session *open_guest(struct guest *guest, wvmi_session *source)
{
    wvmi_driver_ops ops;
    wvmi_config *config = forged_config();
    wvmi_session *session = NULL;
    memset(&ops, 0, sizeof ops);
    memset(guest, 0, sizeof *guest);
    CHECK(pthread_mutex_init(&guest->lock, NULL) == 0);
    guest->source = source;
    ops.read_physical = read_physical;
    ops.root = FORGED_SYSTEM_ROOT;
    ops.kernel_base = FORGED_KERNEL_BASE;
    CHECK_OK(wvmi_session_open_driver(&ops, sizeof ops, guest, config, &session));
    wvmi_config_free(config);
    return session;
}

struct seen {
    wvmi_session *session;
    size_t processes, names, gaps, errors;
};

/* Lists the processes with their names; nothing may be missing without a word. */
static void look(struct seen *seen)
{
    wvmi_process_iter *iter = NULL;
    wvmi_process process;
    wvmi_status status = wvmi_process_iter_new(seen->session, 0, &iter);
    seen->errors += status < 0;
    while (status == WVMI_OK || status == WVMI_GAP) {
        wvmi_process_details details;
        status = wvmi_process_iter_next(iter, &process);
        CHECK(seen->processes + seen->gaps < 1000);
        seen->gaps += status == WVMI_GAP;
        if (status != WVMI_OK) {
            seen->errors += status < 0;
            continue;
        }
        seen->processes++;
        status = wvmi_process_info(seen->session, process, &details, sizeof details);
        seen->errors += status < 0;
        seen->names += status == WVMI_OK && (details.valid & WVMI_PROCESS_VALID_NAME) != 0;
        status = WVMI_OK;
    }
    wvmi_process_iter_free(iter);
}

static void every_call_fails_in_turn(wvmi_session *source)
{
    struct guest guest;
    struct seen whole = {0, 0, 0, 0, 0};
    unsigned long calls, last;
    whole.session = open_guest(&guest, source);
    look(&whole);
    CHECK(whole.processes == COUNT(forged_processes) && whole.names == whole.processes);
    CHECK(whole.gaps == 0 && whole.errors == 0);
    for (int fail_on = 0; fail_on < 2; fail_on++) {
        guest.fail_at = 0;
        wvmi_session_refresh(whole.session);
        calls = guest.calls;
        look(&whole);
        last = guest.calls - calls;
        for (unsigned long at = 1; at <= last; at += stride(1 + last / 10)) {
            struct seen seen = {whole.session, 0, 0, 0, 0};
            CHECK_OK(wvmi_session_refresh(whole.session));
            guest.calls = 0;
            guest.fail_at = at;
            guest.fail_on = fail_on;
            look(&seen);
            CHECK(seen.names == COUNT(forged_processes) || seen.gaps > 0 || seen.errors > 0
                  || seen.names < seen.processes);
        }
    }
    guest.fail_at = 0;
    memset(&whole.processes, 0, sizeof whole - offsetof(struct seen, processes));
    look(&whole);
    CHECK(whole.names == COUNT(forged_processes) && whole.gaps + whole.errors == 0);
    CHECK_OK(wvmi_session_close(whole.session));
}

static void *look_in_thread(void *argument)
{
    look((struct seen *)argument);
    return NULL;
}

static void many_threads_share_a_slow_one(wvmi_session *source)
{
    struct guest guest;
    wvmi_session *session = open_guest(&guest, source);
    struct seen seen[THREADS];
    pthread_t threads[THREADS];
    guest.slow = 3;
    memset(seen, 0, sizeof seen);
    for (int i = 0; i < THREADS; i++) {
        seen[i].session = session;
        CHECK(pthread_create(&threads[i], NULL, look_in_thread, &seen[i]) == 0);
    }
    for (int i = 0; i < THREADS; i++) {
        CHECK(pthread_join(threads[i], NULL) == 0);
        CHECK(seen[i].names == COUNT(forged_processes) && seen[i].gaps + seen[i].errors == 0);
    }
    CHECK_OK(wvmi_session_close(session));
}

static unsigned long calls_of(struct guest *guest)
{
    unsigned long calls;
    pthread_mutex_lock(&guest->lock);
    calls = guest->calls;
    pthread_mutex_unlock(&guest->lock);
    return calls;
}

static void hold(struct guest *guest, int held)
{
    pthread_mutex_lock(&guest->lock);
    guest->held = held;
    pthread_mutex_unlock(&guest->lock);
}

/* Reads more than it may. */
static void *read_much(void *argument)
{
    struct seen *seen = (struct seen *)argument;
    size_t size = (size_t)64 << 20, present;
    uint8_t *buffer = (uint8_t *)calloc(1, size);
    CHECK(buffer != NULL);
    CHECK_STATUS(wvmi_read_sparse(seen->session, space_of(WVMI_SPACE_PHYSICAL, 0), 0, buffer, size,
                                  NULL, 0, &present),
                 WVMI_ERROR_CANCELLED);
    free(buffer);
    return NULL;
}

static void long_calls_are_cancelled(wvmi_session *source)
{
    struct guest guest;
    struct seen seen = {open_guest(&guest, source), 0, 0, 0, 0};
    unsigned long before = calls_of(&guest);
    uint64_t value;
    pthread_t thread;
    hold(&guest, 1);
    CHECK(pthread_create(&thread, NULL, read_much, &seen) == 0);
    while (calls_of(&guest) == before) {
        sched_yield();
    }
    CHECK_OK(wvmi_session_cancel(seen.session));
    hold(&guest, 0);
    CHECK(pthread_join(thread, NULL) == 0);
    CHECK(calls_of(&guest) - before < (64 << 20) / 4096);
    /* Later calls are not affected. */
    CHECK_OK(wvmi_read_u64(seen.session, kernel_space(), FORGED_KERNEL_BASE, &value));
    CHECK_OK(wvmi_session_close(seen.session));
}

static wvmi_status read_little(void *context, uint64_t address, uint8_t *buffer, size_t size)
{
    ++*(unsigned long *)context;
    memset(buffer, 0x5a, size);
    return address < 0x1000 ? WVMI_OK : WVMI_ERROR_FAULT;
}

static wvmi_status one_run(void *context, uint64_t from, uint64_t *start, uint64_t *length)
{
    (void)context;
    *start = 0;
    *length = 0x1000;
    return from < 0x1000 ? WVMI_OK : WVMI_END;
}

/* Memory of 2 TiB of which one page is there: nothing looks at what is not. */
static void what_is_reserved_costs_nothing(void)
{
    unsigned long calls = 0;
    wvmi_driver_ops ops;
    wvmi_session *session = NULL;
    wvmi_range_iter *iter = NULL;
    wvmi_range range;
    wvmi_space physical = space_of(WVMI_SPACE_PHYSICAL, 0);
    uint8_t byte;
    memset(&ops, 0, sizeof ops);
    ops.memory_size = TWO_TIB;
    ops.read_physical = read_little;
    ops.next_run = one_run;
    CHECK_OK(wvmi_session_open_driver(&ops, sizeof ops, &calls, NULL, &session));
    CHECK(calls < 10000);
    CHECK_OK(wvmi_range_iter_new(session, physical, 0, UINT64_MAX, &iter));
    CHECK_OK(wvmi_range_iter_next(iter, &range, sizeof range));
    CHECK(range.address == 0 && range.length == 0x1000);
    CHECK_STATUS(wvmi_range_iter_next(iter, &range, sizeof range), WVMI_END);
    wvmi_range_iter_free(iter);
    CHECK_STATUS(wvmi_read_u8(session, physical, TWO_TIB - 1, &byte), WVMI_ERROR_FAULT);
    CHECK_OK(wvmi_session_close(session));
}

/* Kernel space: 128 TiB of addresses, and reads in proportion to what is there. */
static void ranges_of_a_space_cost_what_is_present(wvmi_session *source)
{
    struct guest guest;
    wvmi_session *session = open_guest(&guest, source);
    wvmi_range_iter *iter = NULL;
    wvmi_range range;
    unsigned long before = calls_of(&guest);
    uint64_t absent = UINT64_C(0xffff900000000000), mapped = 0;
    CHECK_OK(wvmi_range_iter_new(session, kernel_space(), absent, absent + TWO_TIB - 1, &iter));
    CHECK_STATUS(wvmi_range_iter_next(iter, &range, sizeof range), WVMI_END);
    wvmi_range_iter_free(iter);
    CHECK(calls_of(&guest) - before < 1024);
    CHECK_OK(wvmi_range_iter_new(session, kernel_space(), FORGED_KERNEL_BASE,
                                 FORGED_KERNEL_BASE + FORGED_KERNEL_SIZE - 1, &iter));
    while (wvmi_range_iter_next(iter, &range, sizeof range) == WVMI_OK) {
        mapped += range.length;
    }
    wvmi_range_iter_free(iter);
    CHECK(mapped == FORGED_KERNEL_SIZE);
    CHECK_OK(wvmi_session_close(session));
}

int main(int argc, char **argv)
{
    wvmi_session *source;
    begin(argc, argv);
    source = open_forged();
    every_call_fails_in_turn(source);
    many_threads_share_a_slow_one(source);
    long_calls_are_cancelled(source);
    what_is_reserved_costs_nothing();
    ranges_of_a_space_cost_what_is_present(source);
    CHECK_OK(wvmi_session_close(source));
    return 0;
}
