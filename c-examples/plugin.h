/* What plugin_host and its plugins share. A plugin is a .so that exports plugin_entry(). */
#ifndef PLUGIN_H
#define PLUGIN_H

#include <stdint.h>
#include <stdio.h>

#include <winvmi.h>

#define PLUGIN_VERSION 1u

/* What the host offers; valid until the plugin has stopped. */
typedef struct plugin_host {
    uint32_t version;
    wvmi_session *session;
    /* Prints a line about an event. */
    void (*tell)(const char *plugin, const wvmi_event_details *event, const char *text);
} plugin_host;

/* What a plugin is. */
typedef struct plugin {
    uint32_t version;
    const char *name;
    /* Inserts hooks. Returns 0, or anything else when it cannot; then `stop` follows, too. */
    int (*start)(const plugin_host *host);
    /* Removes hooks, after the last callback. */
    void (*stop)(void);
} plugin;

/* The one symbol that the host looks up. */
const plugin *plugin_entry(void);

/* Inserts a breakpoint; its id goes into *hook. Returns 0 on success. */
static inline int plugin_hook(const plugin_host *host, const char *symbol,
                              wvmi_event_callback callback, wvmi_hook *hook)
{
    wvmi_breakpoint_spec spec = {0};

    spec.symbol = symbol;
    return wvmi_breakpoint_insert(host->session, &spec, sizeof spec, callback, (void *)host, NULL,
                                  hook) != WVMI_OK;
}

#endif
