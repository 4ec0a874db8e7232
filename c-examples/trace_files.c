/* trace_files: files opened and written, processes begun and ended in a running guest. */
#include "live.h"

#include <inttypes.h>

#define DEFAULT_GUEST "xen:win7,win10,win11"

static char text[WVMI_STRING_MAX];

static void tell(const wvmi_event_details *event, const char *what, const char *about)
{
    printf("%5" PRIu32 ".%-5" PRIu32 " %-15s %-6s %s\n", event->process_id, event->thread_id,
           (const char *)event->image_name, what, about);
}

/* What the last call missed is brought in by the guest; then the callback is called again. */
static wvmi_action bring_in(wvmi_event *event, const wvmi_event_details *details)
{
    wvmi_error error = {0};

    if (wvmi_last_error(&error, sizeof error) != WVMI_OK)
        return WVMI_ACTION_CONTINUE;
    if (error.status == WVMI_ERROR_FAULT &&
        wvmi_event_request_page(event, error.address, 1) == WVMI_OK)
        return WVMI_ACTION_RETRY;
    tell(details, "?", error.message);
    return WVMI_ACTION_CONTINUE;
}

/* NtCreateFile(FileHandle, DesiredAccess, ObjectAttributes, ...) */
static wvmi_action on_create_file(wvmi_event *event, void *session)
{
    wvmi_event_details details = {0};
    wvmi_status status;
    uint64_t attributes = 0;

    if (wvmi_event_info(event, &details, sizeof details) != WVMI_OK ||
        wvmi_event_argument(event, 2, &attributes) != WVMI_OK)
        return WVMI_ACTION_CONTINUE;
    status = wvmi_object_attributes_path(session, details.attached, details.thread, attributes,
                                         text, sizeof text, NULL);
    if (status != WVMI_OK)
        return status == WVMI_ERROR_NOT_FOUND ? WVMI_ACTION_CONTINUE : bring_in(event, &details);
    tell(&details, "create", text);
    return WVMI_ACTION_CONTINUE;
}

/* NtWriteFile(FileHandle, ...); what is written to may be something else than a file. */
static wvmi_action on_write_file(wvmi_event *event, void *session)
{
    wvmi_event_details details = {0};
    wvmi_object object = {0};
    wvmi_file file = {0};
    wvmi_status status;
    uint64_t handle = 0;

    if (wvmi_event_info(event, &details, sizeof details) != WVMI_OK ||
        wvmi_event_argument(event, 0, &handle) != WVMI_OK)
        return WVMI_ACTION_CONTINUE;
    status = wvmi_handle_object(session, details.attached, handle, details.thread, &object);
    if (status == WVMI_OK)
        status = wvmi_object_as_file(session, object, &file);
    if (status == WVMI_OK)
        status = wvmi_file_path(session, file, text, sizeof text, NULL);
    if (status == WVMI_ERROR_NOT_FOUND || status == WVMI_ERROR_INVALID_ARGUMENT)
        return WVMI_ACTION_CONTINUE;
    if (status != WVMI_OK)
        return bring_in(event, &details);
    tell(&details, "write", text);
    return WVMI_ACTION_CONTINUE;
}

/* The process that an argument of the function is, as text: its name and its id. */
static wvmi_status process_argument(wvmi_event *event, wvmi_session *session, uint32_t index,
                                    wvmi_process_details *process)
{
    wvmi_process object = {0};
    wvmi_status status = wvmi_event_argument(event, index, &object.object);
    char name[64] = "";

    if (status == WVMI_OK)
        status = wvmi_process_info(session, object, process, sizeof *process);
    if (status == WVMI_OK)
        status = wvmi_process_name(session, object, name, sizeof name, NULL);
    snprintf(text, sizeof text, "%s (%" PRIu32 ")", name, process->pid);
    return status;
}

/* PspInsertProcess(NewProcess, Parent, ...), before the process runs */
static wvmi_action on_insert_process(wvmi_event *event, void *session)
{
    wvmi_event_details details = {0};
    wvmi_process_details process = {0}, parent = {0};

    if (wvmi_event_info(event, &details, sizeof details) != WVMI_OK ||
        process_argument(event, session, 1, &parent) != WVMI_OK ||
        process_argument(event, session, 0, &process) != WVMI_OK)
        return bring_in(event, &details);
    tell(&details, process.parent_pid == parent.pid ? "begin" : "begin!", text);
    return WVMI_ACTION_CONTINUE;
}

/* MmCleanProcessAddressSpace(Process) */
static wvmi_action on_process_end(wvmi_event *event, void *session)
{
    wvmi_event_details details = {0};
    wvmi_process_details process = {0};

    if (wvmi_event_info(event, &details, sizeof details) != WVMI_OK ||
        process_argument(event, session, 0, &process) != WVMI_OK)
        return bring_in(event, &details);
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
