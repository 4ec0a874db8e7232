/* process_list: lists the processes of a crash dump or memory image. */
#include "example.h"

#include <inttypes.h>

static void print_process(const wvmi_process_details *process)
{
    if (process->valid & WVMI_PROCESS_VALID_PID)
        printf("%6" PRIu32, process->pid);
    else
        printf("%6s", "-");
    printf("  %6" PRIu32 "  0x%016" PRIx64 "  %-3s  %s\n", process->parent_pid, process->object,
           process->wow64 ? "32" : "64", process->name);
}

static int list_processes(wvmi_session *session)
{
    wvmi_process_iter *processes = NULL;
    wvmi_process process;
    wvmi_status status = wvmi_process_iter_new(session, WVMI_PROCESS_SOURCE_ACTIVE_LIST, &processes);
    int partial = 0;

    if (status != WVMI_OK)
        return fail("cannot list processes");
    printf("   PID    PPID  %-18s  BIT  NAME\n", "OBJECT");
    while ((status = wvmi_process_iter_next(processes, &process)) != WVMI_END) {
        wvmi_process_details details = {0};

        if (status == WVMI_GAP) {
            partial = fail("the list is damaged");
            continue;
        }
        if (status < 0)
            break;
        if (wvmi_process_info(session, process, &details, sizeof details) == WVMI_OK)
            print_process(&details);
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
    result = list_processes(session);
    wvmi_session_close(session);
    return result;
}
