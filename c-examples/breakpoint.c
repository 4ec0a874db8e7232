/* breakpoint: prints each call of nt!NtCreateFile in a running guest, until SIGINT. */
#include "live.h"

#include <inttypes.h>

static wvmi_action on_create_file(wvmi_event *event, void *user_data)
{
    wvmi_event_details details = {0};
    uint64_t attributes = 0;

    (void)user_data;
    if (wvmi_event_info(event, &details, sizeof details) != WVMI_OK ||
        wvmi_event_argument(event, 2, &attributes) != WVMI_OK)
        return WVMI_ACTION_CONTINUE;
    printf("%5" PRIu32 ".%-5" PRIu32 " %-15s NtCreateFile(attributes 0x%" PRIx64 ")\n",
           details.process_id, details.thread_id, (const char *)details.image_name, attributes);
    return WVMI_ACTION_CONTINUE;
}

int main(int argc, char **argv)
{
    wvmi_breakpoint_spec spec = {0};
    wvmi_hook hook = 0;
    wvmi_session *session = open_running(argc, argv, "xen:GUEST [SYMBOLS]", 1);

    if (session == NULL)
        return 1;
    spec.symbol = "nt!NtCreateFile";
    if (wvmi_breakpoint_insert(session, &spec, sizeof spec, on_create_file, NULL, NULL, &hook) !=
        WVMI_OK) {
        fail("cannot insert a breakpoint");
        wvmi_session_close(session);
        return 1;
    }
    return run_until_signal(session);
}
