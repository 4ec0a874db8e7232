/* command_lines: prints with which command line each process was started. */
#include "example.h"

#include <inttypes.h>

static void print_command_line(wvmi_session *session, wvmi_process process)
{
    static char line[WVMI_STRING_MAX + 1];
    wvmi_process_details details = {0};
    wvmi_status status;

    if (wvmi_process_info(session, process, &details, sizeof details) != WVMI_OK)
        return;
    status = wvmi_process_text(session, process, WVMI_PROCESS_TEXT_COMMAND_LINE, line,
                               sizeof line, NULL);
    /* System processes have none, and the page of others may be paged out. */
    printf("%6" PRIu32 "  %-15s  %s\n", details.pid, details.name,
           status == WVMI_OK ? line : wvmi_status_name(status));
}

static int print_command_lines(wvmi_session *session)
{
    wvmi_process_iter *processes = NULL;
    wvmi_process process;
    wvmi_status status = wvmi_process_iter_new(session, 0, &processes);
    int partial = 0;

    if (status != WVMI_OK)
        return fail("cannot list processes");
    while ((status = wvmi_process_iter_next(processes, &process)) >= 0) {
        if (status == WVMI_END)
            break;
        if (status == WVMI_GAP)
            partial = fail("the list is damaged");
        else
            print_command_line(session, process);
    }
    wvmi_process_iter_free(processes);
    return status < 0 ? fail("the list ended early") : partial;
}

int main(int argc, char **argv)
{
    wvmi_session *session = open_guest(argc, argv, "DUMP [SYMBOLS]", 1);
    int result;

    if (session == NULL)
        return 1;
    result = print_command_lines(session);
    wvmi_session_close(session);
    return result;
}
