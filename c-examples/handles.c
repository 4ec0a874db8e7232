/* handles: lists the open handles of a process with the objects behind them. */
#include "example.h"

#include <inttypes.h>

static void print_handle(wvmi_session *session, const wvmi_handle_details *handle)
{
    char path[1024] = "";
    wvmi_object object = {handle->object};

    /* A path that does not fit is cut; most objects have none. */
    wvmi_object_path(session, object, path, sizeof path, NULL);
    printf("0x%06" PRIx64 "  0x%08" PRIx32 "  %-16.*s  %s\n", handle->handle,
           handle->granted_access, (int)handle->type_name_length,
           handle->type_name ? handle->type_name : "", path);
}

static int list_handles(wvmi_session *session, wvmi_process process)
{
    wvmi_handle_iter *handles = NULL;
    wvmi_handle_details details = {0};
    wvmi_status status = wvmi_handle_iter_new(session, process, &handles);
    int partial = 0;

    if (status != WVMI_OK)
        return fail("cannot list handles");
    printf("HANDLE    ACCESS      %-16s  PATH\n", "TYPE");
    while ((status = wvmi_handle_iter_next(handles, &details, sizeof details)) >= 0) {
        if (status == WVMI_END)
            break;
        if (status == WVMI_GAP)
            partial = fail("the table is damaged");
        else
            print_handle(session, &details);
    }
    wvmi_handle_iter_free(handles);
    return status < 0 ? fail("the table ended early") : partial;
}

int main(int argc, char **argv)
{
    wvmi_session *session = open_guest(argc, argv, "DUMP PROCESS [SYMBOLS]", 2);
    wvmi_process process;
    int result;

    if (session == NULL)
        return 1;
    if (find_process(session, argv[2], &process) == WVMI_OK)
        result = list_handles(session, process);
    else
        result = fail(argv[2]);
    wvmi_session_close(session);
    return result;
}
