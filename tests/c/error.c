/* The last error: what it tells, how long it stays, and whose it is. */
#include <pthread.h>

#include "check.h"

static wvmi_error last_error(void)
{
    wvmi_error error;
    CHECK_OK(wvmi_last_error(&error, sizeof error));
    return error;
}

static void *fresh_thread(void *unused)
{
    wvmi_error error;
    CHECK_STATUS(wvmi_last_error(&error, sizeof error), WVMI_END);
    CHECK(error.status == WVMI_OK && error.message[0] == '\0' && error.function[0] == '\0');
    return unused;
}

static void a_thread_begins_without_an_error(void)
{
    pthread_t thread;
    CHECK_STATUS(wvmi_session_open(NULL, NULL, NULL), WVMI_ERROR_NULL_ARGUMENT);
    CHECK(pthread_create(&thread, NULL, fresh_thread, NULL) == 0);
    CHECK(pthread_join(thread, NULL) == 0);
}

static void the_message_names_function_and_argument(void)
{
    wvmi_error error;
    CHECK_STATUS(wvmi_config_new(NULL), WVMI_ERROR_NULL_ARGUMENT);
    error = last_error();
    CHECK(error.status == WVMI_ERROR_NULL_ARGUMENT && error.fault == WVMI_FAULT_NONE);
    CHECK(strcmp(error.function, "wvmi_config_new") == 0);
    CHECK(strstr(error.message, "`config` is NULL") != NULL);
    CHECK(strlen(error.message) == error.message_length);
}

static void success_and_free_leave_the_error(void)
{
    wvmi_config *config = NULL;
    CHECK_OK(wvmi_config_new(&config));
    CHECK_STATUS(wvmi_config_set_name(config, NULL), WVMI_ERROR_NULL_ARGUMENT);
    CHECK_OK(wvmi_config_set_name(config, "guest"));
    wvmi_config_free(config);
    wvmi_config_free(NULL);
    CHECK(strcmp(last_error().function, "wvmi_config_set_name") == 0);
}

static void a_fault_tells_address_root_and_level(wvmi_session *session)
{
    wvmi_error error;
    uint64_t value = 42;
    wvmi_space space = space_of(WVMI_SPACE_ROOT, FORGED_SYSTEM_ROOT);
    CHECK_STATUS(wvmi_read_u64(session, space, 0x10, &value), WVMI_ERROR_FAULT);
    CHECK(value == 42);
    error = last_error();
    CHECK(error.fault == WVMI_FAULT_NOT_MAPPED && error.address == 0x10);
    CHECK(error.root == FORGED_SYSTEM_ROOT && error.level >= 1 && error.level <= 4);
    CHECK(strstr(error.message, "0x10") != NULL);

    CHECK_STATUS(wvmi_read_u64(session, space, UINT64_C(0x800000000000), &value),
                 WVMI_ERROR_FAULT);
    CHECK(last_error().fault == WVMI_FAULT_NON_CANONICAL);
    CHECK_STATUS(wvmi_read_u64(session, space_of(WVMI_SPACE_PHYSICAL, 0), UINT64_MAX - 7, &value),
                 WVMI_ERROR_FAULT);
    CHECK(last_error().fault == WVMI_FAULT_NOT_IN_IMAGE);
}

static void bad_arguments_leave_the_error(void)
{
    wvmi_error error;
    CHECK_STATUS(wvmi_config_new(NULL), WVMI_ERROR_NULL_ARGUMENT);
    CHECK_STATUS(wvmi_last_error(NULL, sizeof error), WVMI_ERROR_NULL_ARGUMENT);
    CHECK_STATUS(wvmi_last_error(&error, 0), WVMI_ERROR_INVALID_ARGUMENT);
    CHECK(strcmp(last_error().function, "wvmi_config_new") == 0);
}

static void older_and_newer_structures_work(void)
{
    struct {
        wvmi_error error;
        uint8_t newer[16];
    } larger;
    wvmi_error smaller;
    memset(&larger, 0xaa, sizeof larger);
    CHECK_OK(wvmi_last_error(&larger.error, sizeof larger));
    CHECK(larger.error.status < 0 && larger.newer[0] == 0 && larger.newer[15] == 0);
    memset(&smaller, 0xaa, sizeof smaller);
    CHECK_OK(wvmi_last_error(&smaller, sizeof smaller.status));
    CHECK(smaller.status == larger.error.status && smaller.fault == 0xaaaaaaaa);
}

int main(int argc, char **argv)
{
    wvmi_session *session;
    begin(argc, argv);
    a_thread_begins_without_an_error();
    the_message_names_function_and_argument();
    success_and_free_leave_the_error();
    session = open_forged();
    a_fault_tells_address_root_and_level(session);
    CHECK_OK(wvmi_session_close(session));
    bad_arguments_leave_the_error();
    older_and_newer_structures_work();
    return 0;
}
