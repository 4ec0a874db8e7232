/* Threads of guest processes: found, described and iterated. */
#include "check.h"

static void details_are_the_forged_ones(const wvmi_thread_details *details,
                                        const struct forged_thread *forged)
{
    CHECK(details->object == forged->object && details->process == forged->process);
    CHECK(details->tid == forged->tid && details->pid == forged->pid);
    CHECK(details->create_time == forged->create_time);
    CHECK(details->exit_time == forged->exit_time);
    CHECK(details->start_address == forged->start_address);
    CHECK(details->win32_start_address == forged->win32_start_address);
    CHECK(details->teb == forged->teb && details->native_teb == forged->native_teb);
    CHECK(details->kernel_stack == forged->kernel_stack);
    CHECK(details->trap_frame == forged->trap_frame);
    CHECK(details->impersonation_token == forged->impersonation_token);
    CHECK(details->state == forged->state && details->wait_reason == forged->wait_reason);
    CHECK(details->previous_mode == forged->previous_mode);
    CHECK(details->syscall_number == forged->syscall_number);
}

static void one_call_tells_everything(wvmi_session *session)
{
    wvmi_thread_details details;
    wvmi_thread thread;
    for (size_t i = 0; i < COUNT(forged_threads); i++) {
        thread.object = forged_threads[i].object;
        CHECK_OK(wvmi_thread_info(session, thread, &details, sizeof details));
        details_are_the_forged_ones(&details, &forged_threads[i]);
    }
    thread.object = 0x10;
    CHECK_STATUS(wvmi_thread_info(session, thread, &details, sizeof details), WVMI_ERROR_FAULT);
    CHECK_STATUS(wvmi_thread_info(session, thread, NULL, sizeof details),
                 WVMI_ERROR_NULL_ARGUMENT);
}

static void threads_are_found(wvmi_session *session)
{
    const struct forged_thread *forged = &forged_threads[COUNT(forged_threads) - 1];
    wvmi_thread thread;
    wvmi_process process;
    uint32_t tid = 0;
    CHECK_OK(wvmi_thread_by_id(session, forged->tid, &thread));
    CHECK(thread.object == forged->object);
    CHECK_OK(wvmi_thread_id(session, thread, &tid));
    CHECK(tid == forged->tid);
    CHECK_OK(wvmi_thread_process(session, thread, &process));
    CHECK(process.object == forged->process);
    CHECK_OK(wvmi_thread_current(session, 0, &thread));
    CHECK(thread.object == FORGED_CURRENT_THREAD);
    CHECK_STATUS(wvmi_thread_current(session, 60000, &thread), WVMI_ERROR_NOT_FOUND);
    CHECK_STATUS(wvmi_thread_by_id(session, 0x3fffffc, &thread), WVMI_ERROR_NOT_FOUND);
    CHECK_STATUS(wvmi_thread_by_id(session, forged->tid, NULL), WVMI_ERROR_NULL_ARGUMENT);
    CHECK_STATUS(wvmi_thread_id(session, thread, NULL), WVMI_ERROR_NULL_ARGUMENT);
    CHECK_STATUS(wvmi_thread_process(session, thread, NULL), WVMI_ERROR_NULL_ARGUMENT);
    thread.object = 0;
    CHECK_STATUS(wvmi_thread_process(session, thread, &process), WVMI_ERROR_FAULT);
}

static size_t forged_count(uint64_t process)
{
    size_t count = 0;
    for (size_t i = 0; i < COUNT(forged_threads); i++) {
        count += forged_threads[i].process == process;
    }
    return count;
}

static void each_process_yields_its_threads(wvmi_session *session)
{
    for (size_t i = 0; i < COUNT(forged_processes); i++) {
        wvmi_thread_iter *iter = NULL;
        wvmi_thread_details many[3];
        wvmi_thread thread;
        size_t count = 0, one_by_one = 0, in_bulk = 0;
        wvmi_status status;
        wvmi_process process = process_of(&forged_processes[i]);
        CHECK_OK(wvmi_thread_iter_new(session, process, &iter));
        while ((status = wvmi_thread_iter_next(iter, &thread)) == WVMI_OK) {
            one_by_one++;
        }
        CHECK_STATUS(status, WVMI_END);
        wvmi_thread_iter_free(iter);
        CHECK_OK(wvmi_thread_iter_new(session, process, &iter));
        while ((status = wvmi_thread_iter_next_many(iter, many, sizeof many[0], COUNT(many),
                                                    &count)) == WVMI_OK) {
            CHECK(many[0].process == process.object);
            in_bulk += count;
        }
        CHECK_STATUS(status, WVMI_END);
        wvmi_thread_iter_free(iter);
        CHECK(one_by_one == forged_count(process.object) && in_bulk == one_by_one);
    }
    wvmi_thread_iter_free(NULL);
}

static void a_process_that_is_none_is_a_gap(wvmi_session *session)
{
    wvmi_thread_iter *iter = NULL;
    wvmi_thread thread;
    wvmi_process process;
    wvmi_error error;
    process.object = 0x10;
    CHECK_OK(wvmi_thread_iter_new(session, process, &iter));
    CHECK_STATUS(wvmi_thread_iter_next(iter, &thread), WVMI_GAP);
    CHECK_OK(wvmi_last_error(&error, sizeof error));
    CHECK(error.status == WVMI_GAP && error.fault == WVMI_FAULT_NOT_MAPPED);
    CHECK_STATUS(wvmi_thread_iter_next(iter, &thread), WVMI_END);
    wvmi_thread_iter_free(iter);
    CHECK_STATUS(wvmi_thread_iter_new(session, process, NULL), WVMI_ERROR_NULL_ARGUMENT);
    CHECK_STATUS(wvmi_thread_iter_next(NULL, &thread), WVMI_ERROR_NULL_ARGUMENT);
}

static void quotas_hold_threads_back(wvmi_session *session)
{
    uint32_t held_back = 2, some = 0;
    wvmi_thread thread;
    size_t i;
    for (i = 0; i < COUNT(forged_threads); i++) {
        thread.object = forged_threads[i].object;
        CHECK_OK(wvmi_thread_held_back(session, thread, 0, &held_back));
        CHECK(held_back == forged_threads[i].held_back_on_0);
        some |= held_back;
    }
    CHECK(some == 1);
    CHECK_STATUS(wvmi_thread_held_back(session, thread, 0, NULL), WVMI_ERROR_NULL_ARGUMENT);
    CHECK(wvmi_thread_held_back(session, thread, 999, &held_back) < 0);
    thread.object = 0x10;
    CHECK_STATUS(wvmi_thread_held_back(session, thread, 0, &held_back), WVMI_ERROR_FAULT);
}

int main(int argc, char **argv)
{
    wvmi_session *session;
    begin(argc, argv);
    session = open_forged();
    one_call_tells_everything(session);
    threads_are_found(session);
    quotas_hold_threads_back(session);
    each_process_yields_its_threads(session);
    a_process_that_is_none_is_a_gap(session);
    CHECK_OK(wvmi_session_close(session));
    return 0;
}
