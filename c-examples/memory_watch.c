/* memory_watch: prints who writes to a kernel variable of a running guest. */
#include "live.h"

#include <inttypes.h>

static wvmi_action on_write(wvmi_event *event, void *user_data)
{
    wvmi_event_details details = {0};

    (void)user_data;
    if (wvmi_event_info(event, &details, sizeof details) == WVMI_OK)
        printf("0x%" PRIx64 " written by 0x%" PRIx64 " in %s (%" PRIu32 ")\n",
               details.memory_virtual, details.registers.rip, (const char *)details.image_name,
               details.process_id);
    return WVMI_ACTION_CONTINUE;
}

int main(int argc, char **argv)
{
    wvmi_monitor_spec spec = {0};
    wvmi_hook hook = 0;
    wvmi_session *session = open_running(argc, argv, "xen:GUEST VARIABLE BYTES [SYMBOLS]", 3);

    if (session == NULL)
        return 1;
    spec.kind = WVMI_MONITOR_MEMORY;
    spec.access = 2;
    spec.length = strtoul(argv[3], NULL, 0);
    if (wvmi_symbol_address(session, argv[2], &spec.address) != WVMI_OK ||
        wvmi_monitor_add(session, &spec, sizeof spec, on_write, NULL, NULL, &hook) != WVMI_OK) {
        fail(argv[2]);
        wvmi_session_close(session);
        return 1;
    }
    return run_until_signal(session);
}
