/* Log and progress callbacks: what they get, and when they are released. */
#include "check.h"

struct seen {
    int records;
    int released;
    bool go_on;
};

static void on_log(wvmi_log_level level, const char *session, const char *message, void *user_data)
{
    struct seen *seen = (struct seen *)user_data;
    CHECK(level >= WVMI_LOG_ERROR && level <= WVMI_LOG_TRACE);
    CHECK(session != NULL && message != NULL && strchr(message, '\n') == NULL);
    CHECK(wvmi_version() != NULL);
    seen->records++;
}

static bool on_progress(const char *session, const char *stage, uint64_t done, uint64_t total,
                        void *user_data)
{
    struct seen *seen = (struct seen *)user_data;
    CHECK(strcmp(session, "watched") == 0 && stage[0] != '\0');
    CHECK(total == 0 || done <= total);
    seen->records++;
    return seen->go_on;
}

static void on_release(void *user_data)
{
    ((struct seen *)user_data)->released++;
}

static void log_callbacks_are_released_once(void)
{
    struct seen first = {0, 0, true}, second = {0, 0, true}, refused = {0, 0, true};
    CHECK_OK(wvmi_set_log(WVMI_LOG_TRACE, on_log, &first, on_release));
    CHECK_OK(wvmi_session_close(open_forged()));
    CHECK(first.released == 0);
    CHECK_OK(wvmi_set_log(WVMI_LOG_ERROR, on_log, &second, on_release));
    CHECK(first.released == 1 && second.released == 0);
    CHECK_STATUS(wvmi_set_log(99, on_log, &refused, on_release), WVMI_ERROR_INVALID_ARGUMENT);
    CHECK(refused.released == 1 && second.released == 0);
    CHECK_OK(wvmi_set_log(WVMI_LOG_OFF, NULL, NULL, NULL));
    CHECK(second.released == 1);
}

static void progress_can_end_the_opening(void)
{
    struct seen seen = {0, 0, true}, refused = {0, 0, true};
    wvmi_config *config = forged_config();
    wvmi_session *session = NULL;
    wvmi_status status;
    CHECK_OK(wvmi_config_set_name(config, "watched"));
    CHECK_OK(wvmi_config_set_progress(config, on_progress, &seen, on_release));
    CHECK_OK(wvmi_session_open(forged_dump, config, &session));
    CHECK_OK(wvmi_session_close(session));
    seen.go_on = false;
    status = wvmi_session_open(forged_dump, config, &session);
    CHECK(status == WVMI_OK || status == WVMI_ERROR_CANCELLED);
    if (status == WVMI_OK) {
        CHECK_OK(wvmi_session_close(session));
    }
    CHECK(seen.released == 0);
    wvmi_config_free(config);
    CHECK(seen.released == 1);
    CHECK_STATUS(wvmi_config_set_progress(NULL, on_progress, &refused, on_release),
                 WVMI_ERROR_NULL_ARGUMENT);
    CHECK(refused.released == 1);
}

int main(int argc, char **argv)
{
    begin(argc, argv);
    log_callbacks_are_released_once();
    progress_can_end_the_opening();
    return 0;
}
