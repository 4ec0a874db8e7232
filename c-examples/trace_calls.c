/* trace_calls: prints entries and returns of kernel functions in a running guest. */
#include "live.h"

#include <inttypes.h>

static wvmi_action on_entry(wvmi_event *event, void **value, void *user_data)
{
    const char *name = user_data;
    uint64_t arguments[4] = {0};

    *value = user_data;
    wvmi_event_arguments(event, arguments, 4);
    printf("> %s(0x%" PRIx64 ", 0x%" PRIx64 ", 0x%" PRIx64 ", 0x%" PRIx64 ")\n", name,
           arguments[0], arguments[1], arguments[2], arguments[3]);
    return WVMI_ACTION_CONTINUE;
}

static wvmi_action on_return(wvmi_event *event, const wvmi_call_details *call, void *user_data)
{
    static const char *const ends[] = {"returned", "unwound", "ended with its thread", "let go"};
    const char *name = user_data;
    uint64_t result = 0;

    if (call->end == WVMI_CALL_RETURNED && wvmi_event_return_value(event, &result) == WVMI_OK)
        printf("< %s = 0x%" PRIx64 " in thread %" PRIu32 "\n", name, result, call->thread_id);
    else
        printf("< %s %s, thread %" PRIu32 "\n", name, ends[call->end & 3], call->thread_id);
    return WVMI_ACTION_CONTINUE;
}

static int hook(wvmi_session *session, char *symbol)
{
    wvmi_breakpoint_spec spec = {0};
    wvmi_hook hook = 0;

    spec.symbol = symbol;
    spec.limit_calls = 10000;
    if (wvmi_call_hook_insert(session, &spec, sizeof spec, on_entry, on_return, symbol, NULL,
                              &hook) != WVMI_OK)
        return fail(symbol);
    return 0;
}

int main(int argc, char **argv)
{
    wvmi_session *session;
    int i;

    if (argc < 4) {
        fprintf(stderr, "usage: %s xen:GUEST SYMBOLS SYMBOL...\n", argv[0]);
        return 1;
    }
    session = open_running(3, argv, "", 1);
    if (session == NULL)
        return 1;
    for (i = 3; i < argc; i++) {
        if (hook(session, argv[i]) != 0) {
            wvmi_session_close(session);
            return 1;
        }
    }
    return run_until_signal(session);
}
