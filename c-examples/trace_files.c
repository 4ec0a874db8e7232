/* trace_files: files opened and written, processes begun and ended in a running guest. */
#include "live.h"

#include "arguments.h"

#define DEFAULT_GUEST "xen:win7,win10,win11"

static char text[WVMI_STRING_MAX];

static void tell(const wvmi_event_details *event, const char *what, const char *about)
{
    printf("%5" PRIu32 ".%-5" PRIu32 " %-15s %-6s %s\n", event->process_id, event->thread_id,
           (const char *)event->image_name, what, about);
}

static wvmi_action on_create_file(wvmi_event *event, void *session)
{
    wvmi_event_details details = {0};

    if (created_path(session, event, &details, text, sizeof text) != WVMI_OK)
        return bring_in(event);
    tell(&details, "create", text);
    return WVMI_ACTION_CONTINUE;
}

static wvmi_action on_write_file(wvmi_event *event, void *session)
{
    wvmi_event_details details = {0};

    if (written_path(session, event, &details, text, sizeof text) != WVMI_OK)
        return bring_in(event);
    tell(&details, "write", text);
    return WVMI_ACTION_CONTINUE;
}

static wvmi_action on_insert_process(wvmi_event *event, void *session)
{
    wvmi_event_details details = {0};
    wvmi_process_details process = {0}, parent = {0};

    if (wvmi_event_info(event, &details, sizeof details) != WVMI_OK ||
        process_argument(session, event, 1, &parent, text, sizeof text) != WVMI_OK ||
        process_argument(session, event, 0, &process, text, sizeof text) != WVMI_OK)
        return bring_in(event);
    /* Who is told as the parent need not be the one that the process names. */
    tell(&details, process.parent_pid == parent.pid ? "begin" : "begin!", text);
    return WVMI_ACTION_CONTINUE;
}

static wvmi_action on_process_end(wvmi_event *event, void *session)
{
    wvmi_event_details details = {0};
    wvmi_process_details process = {0};

    if (wvmi_event_info(event, &details, sizeof details) != WVMI_OK ||
        process_argument(session, event, 0, &process, text, sizeof text) != WVMI_OK)
        return bring_in(event);
    tell(&details, "end", text);
    return WVMI_ACTION_CONTINUE;
}

static int hook(wvmi_session *session, const char *symbol, wvmi_event_callback callback)
{
    wvmi_breakpoint_spec spec = {0};
    wvmi_hook id = 0;

    spec.symbol = symbol;
    return wvmi_breakpoint_insert(session, &spec, sizeof spec, callback, session, NULL, &id) ==
           WVMI_OK;
}

int main(int argc, char **argv)
{
    char *defaults[] = {argv[0], (char *)DEFAULT_GUEST, NULL};
    wvmi_session *session = argc < 2 ? open_running(2, defaults, "", 1)
                                     : open_running(argc, argv, "[xen:GUEST,... [SYMBOLS]]", 1);

    if (session == NULL)
        return 1;
    if (!hook(session, "nt!NtCreateFile", on_create_file) ||
        !hook(session, "nt!NtWriteFile", on_write_file) ||
        !hook(session, "nt!PspInsertProcess", on_insert_process) ||
        !hook(session, "nt!MmCleanProcessAddressSpace", on_process_end)) {
        fail("cannot hook the kernel");
        wvmi_session_close(session);
        return 1;
    }
    return run_until_signal(session);
}
