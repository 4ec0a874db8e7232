/* plugin_host: loads plugins (.so) that watch one running guest together, until SIGINT. */
#include "live.h"
#include "plugin.h"

#include <dlfcn.h>
#include <inttypes.h>

#define MOST_PLUGINS 16

static struct {
    void *library;
    const plugin *plugin;
} loaded[MOST_PLUGINS];
static int count;

static void tell(const char *name, const wvmi_event_details *event, const char *text)
{
    printf("%-16s %5" PRIu32 ".%-5" PRIu32 " %-15s %s\n", name, event->process_id,
           event->thread_id, (const char *)event->image_name, text);
}

/* Loads and starts one plugin. */
static int load(const char *path, const plugin_host *host)
{
    const plugin *(*entry)(void) = NULL;
    void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    void *symbol = library == NULL ? NULL : dlsym(library, "plugin_entry");

    if (symbol == NULL) {
        fprintf(stderr, "%s\n", dlerror());
        if (library != NULL)
            dlclose(library);
        return 1;
    }
    /* ISO C has no cast from an object's pointer to a function's. */
    memcpy(&entry, &symbol, sizeof entry);
    if (entry()->version != PLUGIN_VERSION) {
        fprintf(stderr, "%s: made for another version of the host\n", path);
        dlclose(library);
        return 1;
    }
    loaded[count].library = library;
    loaded[count].plugin = entry();
    return loaded[count++].plugin->start(host) == 0 ? 0 : fail(path);
}

/* No callback runs any more: the last plugin goes first. */
static void unload(void)
{
    while (count > 0) {
        count--;
        loaded[count].plugin->stop();
        dlclose(loaded[count].library);
    }
}

int main(int argc, char **argv)
{
    plugin_host host = {PLUGIN_VERSION, NULL, tell};
    wvmi_status status = WVMI_OK;
    int i, result = 0;

    if (argc < 4 || argc - 3 > MOST_PLUGINS) {
        fprintf(stderr, "usage: %s xen:GUEST SYMBOLS PLUGIN.so...\n", argv[0]);
        return 1;
    }
    host.session = open_running(3, argv, "", 1);
    if (host.session == NULL)
        return 1;
    for (i = 3; i < argc && result == 0; i++)
        result = load(argv[i], &host);
    end_on_signals(host.session);
    while (result == 0 && !live_ended && status == WVMI_OK)
        status = wvmi_session_run(host.session);
    if (status < 0)
        result = fail("the event loop failed");
    unload();
    if (wvmi_session_close(host.session) != WVMI_OK)
        result = fail("the guest could not be restored");
    return result;
}
