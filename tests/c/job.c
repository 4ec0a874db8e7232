/* Jobs and terminal sessions, and the processes in them. */
#include "check.h"

static const struct forged_job *job_with_members(size_t members)
{
    for (size_t i = 0; i < COUNT(forged_jobs); i++) {
        if (forged_jobs[i].members == members) {
            return &forged_jobs[i];
        }
    }
    CHECK(!"the forge made no such job");
    return NULL;
}

static void jobs_tell_everything(wvmi_session *session)
{
    for (size_t i = 0; i < COUNT(forged_jobs); i++) {
        const struct forged_job *forged = &forged_jobs[i];
        wvmi_object object = {forged->object};
        wvmi_job_details job;
        CHECK_OK(wvmi_job_info(session, object, &job, sizeof job));
        /* Older kernels have neither numbers nor nested jobs. */
        CHECK((job.valid | WVMI_JOB_VALID_ID | WVMI_JOB_VALID_PARENT) == 0x7fff);
        CHECK(job.object == forged->object);
        CHECK(job.parent == forged->parent && job.id == forged->id);
        CHECK(job.user_time == forged->user_time && job.kernel_time == forged->kernel_time);
        CHECK(job.process_memory_limit == forged->process_memory_limit);
        CHECK(job.job_memory_limit == forged->job_memory_limit);
        CHECK(job.minimum_working_set == forged->minimum_working_set);
        CHECK(job.maximum_working_set == forged->maximum_working_set);
        CHECK(job.limits == forged->limits && job.ui_restrictions == forged->ui_restrictions);
        CHECK(job.active_process_limit == forged->active_process_limit);
        CHECK(job.active_processes == forged->members);
        CHECK(job.total_processes == forged->members + forged->terminated);
        CHECK(job.terminated_processes == forged->terminated);
        CHECK(job.session_id == forged->session_id);
    }
}

static void jobs_list_their_processes(wvmi_session *session)
{
    for (size_t i = 0; i < COUNT(forged_jobs); i++) {
        const struct forged_job *forged = &forged_jobs[i];
        wvmi_object object = {forged->object};
        wvmi_process_iter *iter = NULL;
        wvmi_process process;
        CHECK_OK(wvmi_process_iter_new_in_job(session, object, &iter));
        for (size_t j = 0; j < forged->members; j++) {
            CHECK_OK(wvmi_process_iter_next(iter, &process));
            CHECK(process.object == forged->processes[j]);
            CHECK_OK(wvmi_process_job(session, process, &object));
            CHECK(object.object == forged->object);
        }
        CHECK_STATUS(wvmi_process_iter_next(iter, &process), WVMI_END);
        wvmi_process_iter_free(iter);
    }
}

static void jobs_list_what_is_nested_in_them(wvmi_session *session)
{
    size_t nested = 0, placed = 0;
    for (size_t i = 0; i < COUNT(forged_jobs); i++) {
        wvmi_object object = {forged_jobs[i].object};
        wvmi_job_iter *iter = NULL;
        wvmi_job_details many[4];
        size_t count = 0;
        placed += forged_jobs[i].parent != 0;
        CHECK_OK(wvmi_job_iter_new_in_job(session, object, &iter));
        for (size_t j = 0; j < COUNT(forged_jobs); j++) {
            if (forged_jobs[j].parent == forged_jobs[i].object) {
                CHECK_OK(wvmi_job_iter_next(iter, &object));
                CHECK(object.object == forged_jobs[j].object);
                nested++;
            }
        }
        CHECK_STATUS(wvmi_job_iter_next(iter, &object), WVMI_END);
        CHECK_STATUS(wvmi_job_iter_next(iter, NULL), WVMI_ERROR_NULL_ARGUMENT);
        wvmi_job_iter_free(iter);
        object.object = forged_jobs[i].object;
        CHECK_OK(wvmi_job_iter_new_in_job(session, object, &iter));
        while (wvmi_job_iter_next_many(iter, many, sizeof many[0], COUNT(many), &count) ==
               WVMI_OK) {
            CHECK(count == 1 && many[0].parent == forged_jobs[i].object);
        }
        wvmi_job_iter_free(iter);
    }
    CHECK(nested == placed && placed <= 1);
    {
        wvmi_object event = forged_object_at_path("\\BaseNamedObjects\\ShellReadyEvent");
        wvmi_job_iter *iter = NULL;
        CHECK_STATUS(wvmi_job_iter_new_in_job(session, event, &iter), WVMI_ERROR_INVALID_ARGUMENT);
        CHECK(iter == NULL);
    }
    wvmi_job_iter_free(NULL);
}

static void mistakes_about_jobs_are_told(wvmi_session *session)
{
    wvmi_object event = forged_object_at_path("\\BaseNamedObjects\\ShellReadyEvent");
    wvmi_object job = {job_with_members(2)->object};
    wvmi_process system = process_of(forged_process_named("System"));
    wvmi_process_iter *iter = NULL;
    wvmi_job_details details;
    CHECK_STATUS(wvmi_process_job(session, system, &job), WVMI_ERROR_NOT_FOUND);
    CHECK_STATUS(wvmi_process_job(session, system, NULL), WVMI_ERROR_NULL_ARGUMENT);
    CHECK_STATUS(wvmi_job_info(session, event, &details, sizeof details),
                 WVMI_ERROR_INVALID_ARGUMENT);
    CHECK_STATUS(wvmi_process_iter_new_in_job(session, event, &iter), WVMI_ERROR_INVALID_ARGUMENT);
    CHECK_STATUS(wvmi_process_iter_new_in_job(session, job, NULL), WVMI_ERROR_NULL_ARGUMENT);
    system.object = 0x10;
    CHECK_STATUS(wvmi_process_job(session, system, &job), WVMI_ERROR_FAULT);
}

/* Number of processes that the forge placed in a terminal session. */
static size_t members_of(uint64_t address)
{
    size_t count = 0;
    for (size_t i = 0; i < COUNT(forged_processes); i++) {
        count += forged_processes[i].session == address;
    }
    return count;
}

static void terminal_sessions_list_their_processes(wvmi_session *session)
{
    wvmi_terminal_session_iter *iter = NULL;
    wvmi_terminal_session terminal;
    wvmi_status status;
    size_t found = 0;
    CHECK_OK(wvmi_terminal_session_iter_new(session, &iter));
    while ((status = wvmi_terminal_session_iter_next(iter, &terminal)) == WVMI_OK) {
        wvmi_terminal_session_details details;
        wvmi_process_details processes[32];
        wvmi_process_iter *members = NULL;
        size_t count = 0;
        CHECK_OK(wvmi_terminal_session_info(session, terminal, &details, sizeof details));
        CHECK(details.address == terminal.address && details.valid == 1);
        CHECK_OK(wvmi_process_iter_new_in_terminal_session(session, terminal, &members));
        CHECK_OK(wvmi_process_iter_next_many(members, processes, sizeof processes[0],
                                             COUNT(processes), &count));
        CHECK(count == members_of(terminal.address));
        for (size_t i = 0; i < count; i++) {
            wvmi_process process = {processes[i].object};
            wvmi_terminal_session again;
            CHECK(processes[i].session_id == details.id && processes[i].sources == 0);
            CHECK_OK(wvmi_process_terminal_session(session, process, &again));
            CHECK(again.address == terminal.address);
        }
        wvmi_process_iter_free(members);
        found++;
    }
    CHECK_STATUS(status, WVMI_END);
    CHECK(found == 2);
    wvmi_terminal_session_iter_free(iter);
    wvmi_terminal_session_iter_free(NULL);
}

static void terminal_sessions_come_at_once(wvmi_session *session)
{
    wvmi_process system = process_of(forged_process_named("System"));
    wvmi_terminal_session_iter *iter = NULL;
    wvmi_terminal_session_details many[4];
    wvmi_terminal_session terminal;
    wvmi_process_details details;
    size_t count = 0;
    CHECK_OK(wvmi_terminal_session_iter_new(session, &iter));
    CHECK_OK(wvmi_terminal_session_iter_next_many(iter, many, sizeof many[0], COUNT(many),
                                                  &count));
    CHECK(count == 2 && many[0].id == 0 && many[1].id == 1);
    wvmi_terminal_session_iter_free(iter);
    CHECK_STATUS(wvmi_process_terminal_session(session, system, &terminal), WVMI_ERROR_NOT_FOUND);
    CHECK_OK(wvmi_process_info(session, system, &details, sizeof details));
    CHECK(details.session_id == WVMI_TERMINAL_SESSION_NONE);
    terminal.address = 0x10;
    CHECK_STATUS(wvmi_terminal_session_info(session, terminal, many, sizeof many[0]),
                 WVMI_ERROR_FAULT);
    CHECK_STATUS(wvmi_terminal_session_iter_new(session, NULL), WVMI_ERROR_NULL_ARGUMENT);
    CHECK_STATUS(wvmi_process_iter_new_in_terminal_session(session, terminal, NULL),
                 WVMI_ERROR_NULL_ARGUMENT);
}

int main(int argc, char **argv)
{
    wvmi_session *session;
    begin(argc, argv);
    session = open_forged();
    jobs_tell_everything(session);
    jobs_list_their_processes(session);
    jobs_list_what_is_nested_in_them(session);
    mistakes_about_jobs_are_told(session);
    terminal_sessions_list_their_processes(session);
    terminal_sessions_come_at_once(session);
    CHECK_OK(wvmi_session_close(session));
    return 0;
}
