/* Pausing a guest, counted, and what the log is told about a running guest. */
#include "toy_guest.h"

static wvmi_action on_hit(wvmi_event *event, void *user_data)
{
    wvmi_session *session = *(wvmi_session **)user_data;
    (void)event;
    /* Also from a callback. */
    CHECK_OK(wvmi_session_pause(session));
    CHECK_OK(wvmi_session_pause(session));
    CHECK_OK(wvmi_session_resume(session));
    return WVMI_ACTION_CONTINUE;
}

static wvmi_hook insert(wvmi_session **session)
{
    wvmi_breakpoint_spec spec;
    wvmi_hook hook = 0;
    memset(&spec, 0, sizeof spec);
    spec.address = FORGED_NT_CREATE_FILE;
    spec.limit_calls = 1;
    spec.limit_window_ms = spec.limit_suspension_ms = 60000;
    CHECK_OK(wvmi_breakpoint_insert(*session, &spec, sizeof spec, on_hit, session, NULL, &hook));
    return hook;
}

static void pauses_are_counted(void)
{
    struct toy toy;
    wvmi_session *session = toy_open(&toy);
    CHECK_STATUS(wvmi_session_resume(session), WVMI_ERROR_NOT_FOUND);
    CHECK_OK(wvmi_session_pause(session));
    CHECK_OK(wvmi_session_pause(session));
    CHECK(toy.paused == 2);
    CHECK_OK(wvmi_session_resume(session));
    CHECK(toy.paused == 1);
    /* Hooks do not end it. */
    CHECK_OK(wvmi_hook_remove(session, insert(&session)));
    CHECK(toy.paused == 1);
    toy.fail_at = toy.calls + 1;
    CHECK_STATUS(wvmi_session_resume(session), WVMI_ERROR_BACK_END);
    CHECK(toy.paused == 1);
    CHECK_OK(wvmi_session_resume(session));
    CHECK_STATUS(wvmi_session_resume(session), WVMI_ERROR_NOT_FOUND);
    toy.fail_at = toy.calls + 1;
    CHECK_STATUS(wvmi_session_pause(session), WVMI_ERROR_BACK_END);
    CHECK_STATUS(wvmi_session_resume(session), WVMI_ERROR_NOT_FOUND);
    toy_close(&toy, session);
}

static void closing_undoes_pauses(void)
{
    struct toy toy;
    wvmi_session *session = toy_open(&toy);
    insert(&session);
    CHECK(!toy_execute(&toy, 0, FORGED_NT_CREATE_FILE));
    CHECK_OK(wvmi_session_poll(session, 1000));
    CHECK(toy.paused == 1);
    CHECK_OK(wvmi_session_pause(session));
    CHECK(toy.paused == 2);
    toy_close(&toy, session);
    CHECK_STATUS(wvmi_session_pause(session), WVMI_ERROR_CLOSED);
}

static void images_are_not_paused(void)
{
    wvmi_session *session = open_without_symbols();
    CHECK_STATUS(wvmi_session_pause(session), WVMI_ERROR_NOT_SUPPORTED);
    CHECK_STATUS(wvmi_session_resume(session), WVMI_ERROR_NOT_SUPPORTED);
    CHECK_STATUS(wvmi_session_pause(NULL), WVMI_ERROR_NULL_ARGUMENT);
    CHECK_OK(wvmi_session_close(session));
}

/* The words that a record of a level has to contain, once. */
struct expected {
    wvmi_log_level level;
    const char *words;
    unsigned seen;
};

static struct expected expected[] = {
    {WVMI_LOG_INFO, "opened: back end host", 0},
    {WVMI_LOG_INFO, "named by the back end", 0},
    {WVMI_LOG_INFO, "symbols of ", 0},
    {WVMI_LOG_INFO, "attached", 0},
    {WVMI_LOG_WARNING, "exceeds its limit", 0},
    {WVMI_LOG_DEBUG, "its page came in", 0},
    {WVMI_LOG_INFO, "detached", 0},
};

static void on_log(wvmi_log_level level, const char *session, const char *message, void *user_data)
{
    (void)user_data;
    CHECK(strcmp(session, "toy") == 0 || strcmp(session, "winvmi") == 0);
    if (strcmp(session, "toy") != 0) {
        return;
    }
    for (size_t i = 0; i < COUNT(expected); i++) {
        if (strstr(message, expected[i].words)) {
            CHECK(level == expected[i].level);
            expected[i].seen++;
        }
    }
}

static void the_log_tells_what_happens(void)
{
    struct toy toy;
    wvmi_session *session;
    uint64_t entry = 0, word;
    CHECK_OK(wvmi_set_log(WVMI_LOG_TRACE, on_log, NULL, NULL));
    session = toy_open(&toy);
    CHECK(expected[0].seen == 1 && expected[2].seen == 1 && expected[3].seen == 0);
    insert(&session);
    CHECK(expected[3].seen == 1);
    for (int i = 0; i < 4; i++) {
        CHECK(!toy_execute(&toy, 0, FORGED_NT_CREATE_FILE));
        CHECK_OK(wvmi_session_poll(session, 1000));
        while (toy.paused > 0) {
            CHECK_OK(wvmi_session_resume(session));
        }
    }
    CHECK(expected[4].seen == 1);
    CHECK(toy_translate(&toy, FORGED_NT_CREATE_FILE, &entry) != 0);
    word = toy_word(&toy, entry);
    toy.cpus[1].registers.cr3 = toy.cpus[0].registers.cr3;
    CHECK(!toy_run_at(&toy, 1, FORGED_KERNEL_BASE, TOY_WRITE, entry, 0));
    CHECK_OK(wvmi_session_poll(session, 1000));
    CHECK(expected[5].seen == 0);
    CHECK(!toy_run_at(&toy, 1, FORGED_KERNEL_BASE, TOY_WRITE, entry, word));
    CHECK_OK(wvmi_session_poll(session, 1000));
    CHECK(expected[6].seen == 0);
    toy_close(&toy, session);
    CHECK_OK(wvmi_set_log(WVMI_LOG_OFF, NULL, NULL, NULL));
    for (size_t i = 0; i < COUNT(expected); i++) {
        CHECK(expected[i].seen == 1);
    }
}

int main(int argc, char **argv)
{
    begin(argc, argv);
    pauses_are_counted();
    closing_undoes_pauses();
    images_are_not_paused();
    the_log_tells_what_happens();
    return 0;
}
