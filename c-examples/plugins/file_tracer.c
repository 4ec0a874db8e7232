/* file_tracer: a plugin that tells which files are created and written. */
#include "../arguments.h"
#include "../plugin.h"

static const plugin_host *host;
static wvmi_hook hooks[2];

static char path[WVMI_STRING_MAX];
static char line[WVMI_STRING_MAX + 16];

static wvmi_action on_create(wvmi_event *event, void *user_data)
{
    wvmi_event_details details = {0};

    (void)user_data;
    if (created_path(host->session, event, &details, path, sizeof path) != WVMI_OK)
        return bring_in(event);
    snprintf(line, sizeof line, "create %s", path);
    host->tell("file_tracer", &details, line);
    return WVMI_ACTION_CONTINUE;
}

static wvmi_action on_write(wvmi_event *event, void *user_data)
{
    wvmi_event_details details = {0};

    (void)user_data;
    if (written_path(host->session, event, &details, path, sizeof path) != WVMI_OK)
        return bring_in(event);
    snprintf(line, sizeof line, "write %s", path);
    host->tell("file_tracer", &details, line);
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
