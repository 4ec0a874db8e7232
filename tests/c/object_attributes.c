/* The attributes that callers name objects by. */
#include "check.h"

static wvmi_session *session;

static const wvmi_process process = {FORGED_ATTRIBUTES_PROCESS};
static const wvmi_thread no_thread = {0};

static void read_the_fields(void)
{
    wvmi_object_attributes_details details;
    CHECK_OK(wvmi_object_attributes_info(session, process, FORGED_ATTRIBUTES_ADDRESS, &details,
                                         sizeof details));
    CHECK(details.valid == (WVMI_OBJECT_ATTRIBUTES_VALID_ROOT_DIRECTORY |
                            WVMI_OBJECT_ATTRIBUTES_VALID_ATTRIBUTES));
    CHECK(details.root_directory == FORGED_ATTRIBUTES_ROOT);
    CHECK(details.attributes == 0x40);
}

static void read_the_path(void)
{
    char path[256];
    uint16_t units[256];
    size_t length = 0, i;
    CHECK_OK(wvmi_object_attributes_path(session, process, no_thread, FORGED_ATTRIBUTES_ADDRESS,
                                         path, sizeof path, &length));
    CHECK(strcmp(path, FORGED_ATTRIBUTES_PATH) == 0 && length == strlen(path));
    CHECK_OK(wvmi_object_attributes_path_utf16(session, process, no_thread,
                                               FORGED_ATTRIBUTES_ADDRESS, units, 256, &length));
    CHECK(length == strlen(FORGED_ATTRIBUTES_PATH));
    for (i = 0; i < length; i++)
        CHECK(units[i] == (uint16_t)(FORGED_ATTRIBUTES_PATH)[i]);
    CHECK_STATUS(wvmi_object_attributes_path(session, process, no_thread,
                                             FORGED_ATTRIBUTES_ADDRESS, path, 8, &length),
                 WVMI_ERROR_BUFFER_TOO_SMALL);
    CHECK(strlen(path) == 7 && length == strlen(FORGED_ATTRIBUTES_PATH));
}

/* The address that is to be brought in is told. */
static void tell_what_is_missing(void)
{
    wvmi_object_attributes_details details;
    wvmi_error error;
    char path[64];
    CHECK_STATUS(wvmi_object_attributes_path(session, process, no_thread,
                                             FORGED_ATTRIBUTES_INCOMPLETE, path, sizeof path,
                                             NULL),
                 WVMI_ERROR_FAULT);
    CHECK_OK(wvmi_last_error(&error, sizeof error));
    CHECK(error.address == FORGED_ATTRIBUTES_MISSING && error.root != 0);
    CHECK_STATUS(wvmi_object_attributes_info(session, process, FORGED_ATTRIBUTES_MISSING,
                                             &details, sizeof details),
                 WVMI_ERROR_FAULT);
}

static void refuse_nothing(void)
{
    CHECK_STATUS(wvmi_object_attributes_info(session, process, FORGED_ATTRIBUTES_ADDRESS, NULL, 8),
                 WVMI_ERROR_NULL_ARGUMENT);
    CHECK_STATUS(wvmi_object_attributes_path(NULL, process, no_thread, FORGED_ATTRIBUTES_ADDRESS,
                                             NULL, 0, NULL),
                 WVMI_ERROR_NULL_ARGUMENT);
    CHECK_STATUS(wvmi_object_attributes_path_utf16(NULL, process, no_thread,
                                                   FORGED_ATTRIBUTES_ADDRESS, NULL, 0, NULL),
                 WVMI_ERROR_NULL_ARGUMENT);
}

int main(int argc, char **argv)
{
    begin(argc, argv);
    session = open_forged();
    read_the_fields();
    read_the_path();
    tell_what_is_missing();
    refuse_nothing();
    CHECK_OK(wvmi_session_close(session));
    return 0;
}
