/* threads: lists the threads of a process, named by its id or its image name. */
#include "example.h"

#include <inttypes.h>

#define BATCH 64

/* Fills an array of details with each call: few calls, whatever the language. */
static int list_threads(wvmi_session *session, wvmi_process process)
{
    wvmi_thread_iter *threads = NULL;
    wvmi_thread_details details[BATCH];
    wvmi_status status = wvmi_thread_iter_new(session, process, &threads);
    size_t count = 0, i;
    int partial = 0;

    if (status != WVMI_OK)
        return fail("cannot list threads");
    printf("   TID  STATE  WAIT  %-18s  %s\n", "START", "TEB");
    do {
        status = wvmi_thread_iter_next_many(threads, details, sizeof details[0], BATCH, &count);
        for (i = 0; i < count; i++)
            printf("%6" PRIu32 "  %5" PRIu32 "  %4" PRIu32 "  0x%016" PRIx64 "  0x%" PRIx64 "\n",
                   details[i].tid, details[i].state, details[i].wait_reason,
                   details[i].win32_start_address, details[i].teb);
        if (status == WVMI_GAP)
            partial = fail("the list is damaged");
    } while (status == WVMI_OK || status == WVMI_GAP);
    wvmi_thread_iter_free(threads);
    return status == WVMI_END ? partial : fail("the list ended early");
}

int main(int argc, char **argv)
{
    wvmi_session *session = open_guest(argc, argv, "DUMP PROCESS [SYMBOLS]", 2);
    wvmi_process process;
    int result;

    if (session == NULL)
        return 1;
    if (find_process(session, argv[2], &process) == WVMI_OK)
        result = list_threads(session, process);
    else
        result = fail(argv[2]);
    wvmi_session_close(session);
    return result;
}
