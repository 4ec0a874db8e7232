/* process_monitor: a plugin that tells which processes begin and end. */
#include "../plugin.h"

#include <inttypes.h>

static const plugin_host *host;
static wvmi_hook hooks[2];

/* The process that an argument of the function is. */
static wvmi_status process_argument(wvmi_event *event, uint32_t index,
                                    wvmi_process_details *process, char name[64])
{
    wvmi_process object = {0};
    wvmi_status status = wvmi_event_argument(event, index, &object.object);

    if (status == WVMI_OK)
        status = wvmi_process_info(host->session, object, process, sizeof *process);
    if (status == WVMI_OK)
        status = wvmi_process_name(host->session, object, name, 64, NULL);
    return status;
}

static wvmi_action on_begin(wvmi_event *event, void *user_data)
{
    wvmi_event_details details = {0};
    wvmi_process_details process = {0}, parent = {0};
    char name[64], parent_name[64], line[256];

    (void)user_data;
    if (wvmi_event_info(event, &details, sizeof details) != WVMI_OK ||
        process_argument(event, 0, &process, name) != WVMI_OK ||
        process_argument(event, 1, &parent, parent_name) != WVMI_OK)
        return plugin_bring_in(event);
    snprintf(line, sizeof line, "begin %s (%" PRIu32 ") by %s (%" PRIu32 ")%s", name, process.pid,
             parent_name, parent.pid, process.parent_pid == parent.pid ? "" : ", not its parent");
    host->tell("process_monitor", &details, line);
    return WVMI_ACTION_CONTINUE;
}

static wvmi_action on_end(wvmi_event *event, void *user_data)
{
    wvmi_event_details details = {0};
    wvmi_process_details process = {0};
    char name[64], line[128];

    (void)user_data;
    if (wvmi_event_info(event, &details, sizeof details) != WVMI_OK ||
        process_argument(event, 0, &process, name) != WVMI_OK)
        return plugin_bring_in(event);
    snprintf(line, sizeof line, "end %s (%" PRIu32 ")", name, process.pid);
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
