/* process_monitor: a plugin that tells which processes begin and end. */
#include "../arguments.h"
#include "../plugin.h"

static const plugin_host *host;
static wvmi_hook hooks[2];

static wvmi_action on_begin(wvmi_event *event, void *user_data)
{
    wvmi_event_details details = {0};
    wvmi_process_details process = {0}, parent = {0};
    char name[96], parent_name[96], line[256];

    (void)user_data;
    if (wvmi_event_info(event, &details, sizeof details) != WVMI_OK ||
        process_argument(host->session, event, 0, &process, name, sizeof name) != WVMI_OK ||
        process_argument(host->session, event, 1, &parent, parent_name, sizeof parent_name) !=
            WVMI_OK)
        return bring_in(event);
    snprintf(line, sizeof line, "begin %s by %s%s", name, parent_name,
             process.parent_pid == parent.pid ? "" : ", not its parent");
    host->tell("process_monitor", &details, line);
    return WVMI_ACTION_CONTINUE;
}

static wvmi_action on_end(wvmi_event *event, void *user_data)
{
    wvmi_event_details details = {0};
    wvmi_process_details process = {0};
    char name[96], line[128];

    (void)user_data;
    if (wvmi_event_info(event, &details, sizeof details) != WVMI_OK ||
        process_argument(host->session, event, 0, &process, name, sizeof name) != WVMI_OK)
        return bring_in(event);
    snprintf(line, sizeof line, "end %s", name);
    host->tell("process_monitor", &details, line);
    return WVMI_ACTION_CONTINUE;
}

static int start(const plugin_host *given)
{
    host = given;
    return plugin_hook(host, "nt!PspInsertProcess", on_begin, &hooks[0]) ||
           plugin_hook(host, "nt!MmCleanProcessAddressSpace", on_end, &hooks[1]);
}

static void stop(void)
{
    wvmi_hook_remove(host->session, hooks[0]);
    wvmi_hook_remove(host->session, hooks[1]);
}

const plugin *plugin_entry(void)
{
    static const plugin self = {PLUGIN_VERSION, "process_monitor", start, stop};

    return &self;
}
