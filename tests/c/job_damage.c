/* Damaged jobs and terminal sessions: gaps told once, and the good neighbours. */
#include "damage.h"

/* Counts what an iteration over processes yields, and frees it. */
static struct found drain(wvmi_process_iter *iter)
{
    wvmi_process process;
    struct found found = {0, 0};
    COUNT_ALL(wvmi_process_iter_next(iter, &process), &found);
    wvmi_process_iter_free(iter);
    return found;
}

static void lists_of_processes_end(wvmi_session *source)
{
    wvmi_process explorer = process_of(forged_process_named("explorer.exe"));
    uint64_t values[] = {0, WILD, UNMAPPED, 0};
    for (size_t i = 0; i < COUNT(values); i++) {
        struct guest guest;
        struct found found;
        wvmi_process_iter *iter = NULL;
        wvmi_object job;
        wvmi_terminal_session terminal;
        uint64_t links;
        open_damaged(&guest, source);
        links = field(&guest, explorer.object, "_EPROCESS", "JobLinks");
        values[3] = links;
        damage(&guest, links, &values[i]);
        links = field(&guest, explorer.object, "_EPROCESS", "SessionProcessLinks");
        values[3] = links;
        damage(&guest, links, &values[i]);
        CHECK_OK(wvmi_process_job(guest.session, explorer, &job));
        CHECK_OK(wvmi_process_iter_new_in_job(guest.session, job, &iter));
        found = drain(iter);
        CHECK(found.gaps >= 1 && found.gaps <= 2 && found.good >= 1 && found.good <= 2);
        CHECK_OK(wvmi_process_terminal_session(guest.session, explorer, &terminal));
        CHECK_OK(wvmi_process_iter_new_in_terminal_session(guest.session, terminal, &iter));
        found = drain(iter);
        CHECK(found.gaps >= 1 && found.gaps <= 2 && found.good >= 1);
        CHECK_OK(wvmi_session_close(guest.session));
    }
}

static void wild_sessions_are_gaps(wvmi_session *source)
{
    wvmi_process explorer = process_of(forged_process_named("explorer.exe"));
    struct guest guest;
    wvmi_terminal_session_iter *iter = NULL;
    wvmi_terminal_session_details details[8];
    wvmi_process_details process;
    size_t count = 0, unknown = 0;
    open_damaged(&guest, source);
    poke(&guest, explorer.object, "_EPROCESS", "Session", UNMAPPED);
    CHECK_OK(wvmi_terminal_session_iter_new(guest.session, &iter));
    CHECK_OK(wvmi_terminal_session_iter_next_many(iter, details, sizeof details[0],
                                                  COUNT(details), &count));
    for (size_t i = 0; i < count; i++) {
        unknown += details[i].valid == 0 && details[i].address == UNMAPPED;
    }
    CHECK(count == 3 && unknown == 1);
    wvmi_terminal_session_iter_free(iter);
    CHECK_OK(wvmi_process_info(guest.session, explorer, &process, sizeof process));
    CHECK((process.valid & WVMI_PROCESS_VALID_SESSION_ID) == 0 && process.session_id == 0);
    CHECK((process.valid & WVMI_PROCESS_VALID_PID) != 0);
    CHECK_OK(wvmi_session_close(guest.session));
}

/* The job that another is nested in, and that other one. */
static const struct forged_job *nested_job(wvmi_object *outer)
{
    for (size_t i = 0; i < COUNT(forged_jobs); i++) {
        if (forged_jobs[i].parent) {
            outer->object = forged_jobs[i].parent;
            return &forged_jobs[i];
        }
    }
    CHECK(!"the forge nested no job");
    return NULL;
}

static struct found nested_in(wvmi_session *session, wvmi_object job)
{
    wvmi_job_iter *iter = NULL;
    wvmi_object inner;
    struct found found = {0, 0};
    CHECK_OK(wvmi_job_iter_new_in_job(session, job, &iter));
    COUNT_ALL(wvmi_job_iter_next(iter, &inner), &found);
    wvmi_job_iter_free(iter);
    return found;
}

/* Links to itself, nowhere, outside of the address space: of a list of one. */
static void lists_of_nested_jobs_end(wvmi_session *source)
{
    wvmi_object outer;
    const struct forged_job *inner = nested_job(&outer);
    wvmi_object inner_job = {inner->object};
    uint64_t values[] = {0, 1, WILD, UNMAPPED, UINT64_MAX, 0};
    CHECK(nested_in(source, outer).good == 1);
    for (size_t i = 0; i < COUNT(values); i++) {
        struct guest guest;
        struct found found;
        wvmi_job_details details;
        uint64_t links;
        open_damaged(&guest, source);
        links = field(&guest, inner->object, "_EJOB", "SiblingJobLinks");
        values[COUNT(values) - 1] = links;
        /* The way on is lost, not the job. */
        damage(&guest, links, &values[i]);
        found = nested_in(guest.session, outer);
        CHECK(found.gaps == 1 && found.good == 1);
        /* The way to it is lost, too, but the list can be read from its tail. */
        repair(&guest);
        poke(&guest, outer.object, "_EJOB", "ChildJobListHead", values[i]);
        found = nested_in(guest.session, outer);
        CHECK(values[i] == links || (found.gaps == 1 && found.good == 1));
        /* Nothing leads to it. */
        damage(&guest, field(&guest, outer.object, "_EJOB", "ChildJobListHead") + 8, &values[i]);
        found = nested_in(guest.session, outer);
        CHECK(values[i] == links || (found.gaps == 1 && found.good == 0));
        CHECK(nested_in(guest.session, inner_job).gaps == 0);
        CHECK_OK(wvmi_job_info(guest.session, outer, &details, sizeof details));
        CHECK(details.valid == 0x7fff);
        CHECK_OK(wvmi_session_close(guest.session));
    }
}

/* A job may be its own parent, and its own child: each list is still walked once. */
static void jobs_in_themselves_end(wvmi_session *source)
{
    wvmi_object outer;
    const struct forged_job *inner = nested_job(&outer);
    struct guest guest;
    wvmi_job_details details;
    wvmi_job_iter *iter = NULL;
    uint64_t head, links;
    size_t count;
    open_damaged(&guest, source);
    poke(&guest, inner->object, "_EJOB", "ParentJob", inner->object);
    head = field(&guest, inner->object, "_EJOB", "ChildJobListHead");
    links = field(&guest, inner->object, "_EJOB", "SiblingJobLinks");
    for (size_t at = 0; at <= 8; at += 8) {
        damage(&guest, head + at, &links);
        damage(&guest, links + at, &head);
    }
    for (size_t depth = 0; depth < 50; depth++) {
        wvmi_object job = {inner->object};
        CHECK_OK(wvmi_job_iter_new_in_job(guest.session, job, &iter));
        CHECK_OK(wvmi_job_iter_next_many(iter, &details, sizeof details, 1, &count));
        CHECK(details.object == inner->object && details.parent == inner->object);
        CHECK_STATUS(wvmi_job_iter_next(iter, &job), WVMI_END);
        wvmi_job_iter_free(iter);
    }
    CHECK_OK(wvmi_session_close(guest.session));
}

/* A process whose job is no job, and a job whose numbers cannot be. */
static void wild_jobs_are_told(wvmi_session *source)
{
    static const uint64_t wild[] = {WILD, UNMAPPED, 0x10, UINT64_MAX - 7};
    wvmi_process explorer = process_of(forged_process_named("explorer.exe"));
    wvmi_object outer;
    const struct forged_job *inner = nested_job(&outer);
    for (size_t i = 0; i < COUNT(wild); i++) {
        struct guest guest;
        wvmi_process_iter *processes = NULL;
        wvmi_job_iter *jobs = NULL;
        wvmi_job_details details;
        wvmi_object job;
        open_damaged(&guest, source);
        poke(&guest, explorer.object, "_EPROCESS", "Job", wild[i]);
        CHECK_OK(wvmi_process_job(guest.session, explorer, &job));
        CHECK(job.object == wild[i]);
        CHECK_STATUS(wvmi_job_info(guest.session, job, &details, sizeof details),
                     WVMI_ERROR_FAULT);
        CHECK_STATUS(wvmi_process_iter_new_in_job(guest.session, job, &processes),
                     WVMI_ERROR_FAULT);
        CHECK_STATUS(wvmi_job_iter_new_in_job(guest.session, job, &jobs), WVMI_ERROR_FAULT);
        CHECK(processes == NULL && jobs == NULL);
        poke(&guest, inner->object, "_EJOB", "JobMemoryLimit", UINT64_MAX);
        poke(&guest, inner->object, "_EJOB", "ParentJob", wild[i]);
        job.object = inner->object;
        CHECK_OK(wvmi_job_info(guest.session, job, &details, sizeof details));
        CHECK(details.parent == wild[i] && details.job_memory_limit == 0);
        CHECK((details.valid & WVMI_JOB_VALID_JOB_MEMORY_LIMIT) == 0);
        CHECK((details.valid | WVMI_JOB_VALID_JOB_MEMORY_LIMIT) == 0x7fff);
        CHECK(details.process_memory_limit == inner->process_memory_limit);
        CHECK_OK(wvmi_session_close(guest.session));
    }
}

int main(int argc, char **argv)
{
    wvmi_session *source;
    begin(argc, argv);
    source = open_forged();
    lists_of_processes_end(source);
    wild_sessions_are_gaps(source);
    lists_of_nested_jobs_end(source);
    jobs_in_themselves_end(source);
    wild_jobs_are_told(source);
    CHECK_OK(wvmi_session_close(source));
    return 0;
}
