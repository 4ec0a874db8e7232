/*
 * Proves, through the C API and on the running Windows guest, what no example shows:
 * single steps, the guest's own INT3, views and frames of the caller's own.
 *
 * usage: client TARGET SYMBOLS
 */
#define _POSIX_C_SOURCE 200809L

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <winvmi.h>

#define PAGE 4096
#define ENOUGH 200

static wvmi_session *session;

struct seen {
    uint64_t events, wrong, last;
};

static void verdict(bool good, const char *name, const struct seen *seen)
{
    printf("%s %s: %" PRIu64 " events, %" PRIu64 " wrong\n", good ? "PASS" : "FAIL", name,
           seen->events, seen->wrong);
    fflush(stdout);
}

static bool done(wvmi_status status, const char *what)
{
    wvmi_error error = {0};

    if (status >= 0)
        return true;
    wvmi_last_error(&error, sizeof error);
    printf("     %s: %s\n", what, error.message != NULL ? error.message : "?");
    return false;
}

/* Serves events until there were enough of them, for so many seconds at most. */
static void serve(const struct seen *seen, uint64_t enough, int seconds)
{
    time_t end = time(NULL) + seconds;

    while (seen->events < enough && time(NULL) < end) {
        if (!done(wvmi_session_poll(session, 50), "serving events"))
            return;
    }
}

static wvmi_action on_hit(wvmi_event *event, void *user_data)
{
    (void)event;
    (void)user_data;
    return WVMI_ACTION_STEP;
}

/* Ten steps each: on one processor the address differs from one to the next. */
static wvmi_action on_step(wvmi_event *event, void *user_data)
{
    static struct seen each[2];
    struct seen *seen = user_data, *own;
    wvmi_event_details details = {0};

    wvmi_event_info(event, &details, sizeof details);
    own = &each[details.vcpu & 1];
    seen->events++;
    seen->wrong += details.kind != WVMI_EVENT_SINGLE_STEP || details.registers.rip == own->last;
    own->last = details.registers.rip;
    return ++own->events % 10 == 0 ? WVMI_ACTION_CONTINUE : WVMI_ACTION_STEP;
}

static wvmi_action on_int3(wvmi_event *event, void *user_data)
{
    struct seen *seen = user_data;
    wvmi_event_details details = {0};
    uint32_t irql = 99;
    uint8_t byte = 0;

    seen->events++;
    seen->wrong += wvmi_event_info(event, &details, sizeof details) != WVMI_OK ||
                   details.kind != WVMI_EVENT_BREAKPOINT || details.address != 0 ||
                   wvmi_event_read(event, details.registers.rip, &byte, 1, NULL) != WVMI_OK ||
                   byte != 0xcc || wvmi_event_irql(event, &irql) != WVMI_OK || irql != 0;
    return WVMI_ACTION_CONTINUE;
}

static wvmi_action on_denied(wvmi_event *event, void *user_data)
{
    struct seen *seen = user_data;
    wvmi_event_details details = {0};

    wvmi_event_info(event, &details, sizeof details);
    seen->events++;
    seen->wrong += details.kind != WVMI_EVENT_MEMORY || !(details.access & 2) ||
                   (details.memory_physical & ~UINT64_C(4095)) != seen->last;
    return WVMI_ACTION_CONTINUE;
}

static wvmi_hook monitor(const wvmi_monitor_spec *spec, wvmi_event_callback callback,
                         struct seen *seen)
{
    wvmi_hook hook = 0;

    done(wvmi_monitor_add(session, spec, sizeof *spec, callback, seen, NULL, &hook), "a monitor");
    return hook;
}

static void check_steps(void)
{
    static struct seen steps;
    wvmi_breakpoint_spec spec = {0};
    wvmi_monitor_spec stepping = {0};
    wvmi_hook hook = 0, step;

    spec.symbol = "nt!NtCreateFile";
    stepping.kind = WVMI_MONITOR_SINGLE_STEP;
    step = monitor(&stepping, on_step, &steps);
    done(wvmi_breakpoint_insert(session, &spec, sizeof spec, on_hit, NULL, NULL, &hook),
         spec.symbol);
    serve(&steps, ENOUGH, 40);
    wvmi_hook_remove(session, hook);
    wvmi_hook_remove(session, step);
    verdict(steps.events >= ENOUGH && steps.wrong == 0, "client-single-steps", &steps);
}

static void check_int3(void)
{
    static struct seen seen;
    wvmi_monitor_spec spec = {0};
    wvmi_hook hook;

    spec.kind = WVMI_MONITOR_INTERRUPT;
    spec.number = 3;
    hook = monitor(&spec, on_int3, &seen);
    serve(&seen, 20, 40);
    wvmi_hook_remove(session, hook);
    verdict(seen.events >= 20 && seen.wrong == 0, "client-own-int3", &seen);
}

/* Hooks on symbols of modules: one that nobody has, a name that is misspelled, one that is there. */
static void check_pending(void)
{
    static const char *const symbols[] = {"nosuch!Function", "ntdll!NtCraeteFile",
                                          "ntdll!NtCreateFile"};
    static struct seen seen;
    wvmi_hook_details details[3];
    wvmi_hook hooks[3] = {0};
    size_t i;

    memset(details, 0, sizeof details);
    for (i = 0; i < 3; i++) {
        wvmi_breakpoint_spec spec = {0};

        spec.symbol = symbols[i];
        done(wvmi_breakpoint_insert(session, &spec, sizeof spec, on_int3, &seen, NULL, &hooks[i]),
             symbols[i]);
    }
    serve(&seen, 1, 2);
    for (i = 0; i < 3; i++) {
        done(wvmi_hook_info(session, hooks[i], &details[i], sizeof details[i]), symbols[i]);
        printf("     %s: %" PRIu64 " active, %" PRIu64 " waiting, in %" PRIu64
               " processes, pending for %" PRIu32 "\n",
               symbols[i], details[i].active, details[i].waiting, details[i].processes,
               details[i].pending);
        done(wvmi_hook_remove(session, hooks[i]), symbols[i]);
    }
    verdict(details[0].pending == WVMI_PENDING_MODULE &&
                (details[1].pending == WVMI_PENDING_SYMBOLS ||
                 details[1].pending == WVMI_PENDING_PAGE) &&
                details[2].processes > 0 && seen.events == 0,
            "client-pending-symbols", &seen);
}

/* The guest-physical address of the page that a symbol is in. */
static uint64_t page_of(const char *symbol)
{
    wvmi_space kernel = {WVMI_SPACE_KERNEL, 0};
    wvmi_translation found = {0};
    uint64_t address = 0;

    if (done(wvmi_symbol_address(session, symbol, &address), symbol))
        done(wvmi_translate(session, kernel, address, &found, sizeof found), symbol);
    return found.physical_address & ~UINT64_C(4095);
}

/* The guest runs in a view that shows a copy of a page of its code and denies writes
 * to its list of processes. */
static void check_views(void)
{
    static struct seen denied;
    static uint8_t code[PAGE];
    wvmi_space physical = {WVMI_SPACE_PHYSICAL, 0};
    wvmi_monitor_spec spec = {0};
    wvmi_view *view = NULL;
    uint64_t frame = 0, head = page_of("nt!PsActiveProcessHead"), page = page_of("nt!NtCreateFile");
    uint32_t access = 0;
    bool good = done(wvmi_view_new(session, 7, &view), "a view") &&
                done(wvmi_frame_new(session, &frame), "a frame") &&
                done(wvmi_read(session, physical, page, code, PAGE, NULL), "reading") &&
                done(wvmi_write(session, physical, frame, code, PAGE, NULL), "writing") &&
                done(wvmi_view_set_access(view, page, 4), "rights") &&
                done(wvmi_view_show_frame(view, page, frame), "showing a frame") &&
                done(wvmi_view_set_access(view, head, 5), "rights") &&
                done(wvmi_view_access(view, page, &access), "rights") && access == 4;

    denied.last = head;
    spec.kind = WVMI_MONITOR_VIEW;
    spec.view = view;
    monitor(&spec, on_denied, &denied);
    good = good && done(wvmi_view_switch(session, view), "entering the view");
    serve(&denied, 20, 60);
    good = done(wvmi_view_switch(session, NULL), "leaving the view") && good;
    good = done(wvmi_view_reset_frame(view, page), "showing the page") && good;
    good = done(wvmi_frame_free(session, frame), "freeing the frame") && good;
    verdict(good && denied.events >= 20 && denied.wrong == 0, "client-views", &denied);
    /* Left to the session: it is closed with the view in use. */
    done(wvmi_view_switch(session, view), "entering the view again");
    serve(&denied, denied.events + 5, 20);
    done(wvmi_session_close(session), "closing");
    if (wvmi_view_switch(session, view) != WVMI_ERROR_CLOSED)
        verdict(false, "client-view-left-over", &denied);
    wvmi_view_free(view);
}

int main(int argc, char **argv)
{
    wvmi_config *config = NULL;
    bool opened;

    if (argc != 3) {
        fprintf(stderr, "usage: %s TARGET SYMBOLS\n", argv[0]);
        return 2;
    }
    wvmi_config_new(&config);
    wvmi_config_add_symbol_path(config, argv[2]);
    wvmi_config_set_cache_directory(config, "");
    opened = done(wvmi_session_open(argv[1], config, &session), argv[1]);
    wvmi_config_free(config);
    if (!opened)
        return 1;
    check_steps();
    check_int3();
    check_pending();
    check_views();
    return 0;
}
