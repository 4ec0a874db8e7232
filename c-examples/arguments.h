/* What the hooked functions of the kernel are called with, for traces of files and processes. */
#ifndef ARGUMENTS_H
#define ARGUMENTS_H

#include <inttypes.h>
#include <stdio.h>

#include <winvmi.h>

/*
 * What the last call missed is brought in by the guest; then the callback is called again.
 * Where nothing is missing the event is let go.
 */
static inline wvmi_action bring_in(wvmi_event *event)
{
    wvmi_error error = {0};

    if (wvmi_last_error(&error, sizeof error) == WVMI_OK && error.status == WVMI_ERROR_FAULT &&
        wvmi_event_request_page(event, error.address, 1) == WVMI_OK)
        return WVMI_ACTION_RETRY;
    return WVMI_ACTION_CONTINUE;
}

/* NtCreateFile(FileHandle, DesiredAccess, ObjectAttributes, ...): the path that it is to open. */
static inline wvmi_status created_path(wvmi_session *session, wvmi_event *event,
                                       wvmi_event_details *details, char *path, size_t size)
{
    uint64_t attributes = 0;
    wvmi_status status = wvmi_event_info(event, details, sizeof *details);

    if (status == WVMI_OK)
        status = wvmi_event_argument(event, 2, &attributes);
    if (status == WVMI_OK)
        status = wvmi_object_attributes_path(session, details->attached, details->thread,
                                             attributes, path, size, NULL);
    return status;
}

/* NtWriteFile(FileHandle, ...): the path of the file; an error when it is something else. */
static inline wvmi_status written_path(wvmi_session *session, wvmi_event *event,
                                       wvmi_event_details *details, char *path, size_t size)
{
    wvmi_object object = {0};
    wvmi_file file = {0};
    uint64_t handle = 0;
    wvmi_status status = wvmi_event_info(event, details, sizeof *details);

    if (status == WVMI_OK)
        status = wvmi_event_argument(event, 0, &handle);
    if (status == WVMI_OK)
        status = wvmi_handle_object(session, details->attached, handle, details->thread, &object);
    if (status == WVMI_OK)
        status = wvmi_object_as_file(session, object, &file);
    if (status == WVMI_OK)
        status = wvmi_file_path(session, file, path, size, NULL);
    return status;
}

/*
 * PspInsertProcess(NewProcess, Parent, ...) before the process runs, and
 * MmCleanProcessAddressSpace(Process) at its end: a process argument, and as text.
 */
static inline wvmi_status process_argument(wvmi_session *session, wvmi_event *event,
                                           uint32_t index, wvmi_process_details *process,
                                           char *text, size_t size)
{
    wvmi_process object = {0};
    char name[64] = "";
    wvmi_status status = wvmi_event_argument(event, index, &object.object);

    if (status == WVMI_OK)
        status = wvmi_process_info(session, object, process, sizeof *process);
    if (status == WVMI_OK)
        status = wvmi_process_name(session, object, name, sizeof name, NULL);
    if (status == WVMI_OK)
        snprintf(text, size, "%s (%" PRIu32 ")", name, process->pid);
    return status;
}

#endif
