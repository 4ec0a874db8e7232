/* file_tracer: a plugin that tells which files are created and written. */
#include "../plugin.h"

static const plugin_host *host;
static wvmi_hook hooks[2];

static char path[WVMI_STRING_MAX];
static char line[WVMI_STRING_MAX + 16];

static wvmi_action on_create(wvmi_event *event, void *user_data)
{
    wvmi_event_details details = {0};
    wvmi_status status;
    uint64_t attributes = 0;

    (void)user_data;
    if (wvmi_event_info(event, &details, sizeof details) != WVMI_OK ||
        wvmi_event_argument(event, 2, &attributes) != WVMI_OK)
        return WVMI_ACTION_CONTINUE;
    status = wvmi_object_attributes_path(host->session, details.attached, details.thread,
                                         attributes, path, sizeof path, NULL);
    if (status == WVMI_ERROR_FAULT)
        return plugin_bring_in(event);
    if (status == WVMI_OK) {
        snprintf(line, sizeof line, "create %s", path);
        host->tell("file_tracer", &details, line);
    }
    return WVMI_ACTION_CONTINUE;
}

static wvmi_action on_write(wvmi_event *event, void *user_data)
{
    wvmi_event_details details = {0};
    wvmi_object object = {0};
    wvmi_file file = {0};
    wvmi_status status;
    uint64_t handle = 0;

    (void)user_data;
    if (wvmi_event_info(event, &details, sizeof details) != WVMI_OK ||
        wvmi_event_argument(event, 0, &handle) != WVMI_OK)
        return WVMI_ACTION_CONTINUE;
    status = wvmi_handle_object(host->session, details.attached, handle, details.thread, &object);
    if (status == WVMI_OK)
        status = wvmi_object_as_file(host->session, object, &file);
    if (status == WVMI_OK)
        status = wvmi_file_path(host->session, file, path, sizeof path, NULL);
    if (status == WVMI_ERROR_FAULT)
        return plugin_bring_in(event);
    if (status == WVMI_OK) {
        snprintf(line, sizeof line, "write %s", path);
        host->tell("file_tracer", &details, line);
    }
    return WVMI_ACTION_CONTINUE;
}

static int start(const plugin_host *given)
{
    host = given;
    return plugin_hook(host, "nt!NtCreateFile", on_create, &hooks[0]) ||
           plugin_hook(host, "nt!NtWriteFile", on_write, &hooks[1]);
}

static void stop(void)
{
    wvmi_hook_remove(host->session, hooks[0]);
    wvmi_hook_remove(host->session, hooks[1]);
}

const plugin *plugin_entry(void)
{
    static const plugin self = {PLUGIN_VERSION, "file_tracer", start, stop};

    return &self;
}
