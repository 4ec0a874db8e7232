/* Leaving a guest that is busy. */
#include "proof.h"

static uint64_t hits;
/* Still there when its session is closed, which is as good as if it were not. */
static wvmi_process_iter *left;

/* What a C callback can do wrong: an action that is none, a removed hook, a lost page. */
static wvmi_action on_bad(wvmi_event *event, void *user_data)
{
    uint64_t value;

    (void)user_data;
    ++hits;
    wvmi_event_argument(event, UINT32_MAX, &value);
    wvmi_hook_remove(session, UINT64_MAX);
    return hits % 2 == 0 ? 4711 : WVMI_ACTION_RETRY;
}

static void hook_much(wvmi_event_callback callback)
{
    static const char *const symbols[] = {"nt!NtCreateFile", "nt!NtWriteFile",
                                          "nt!ObOpenObjectByName", "nt!PspInsertProcess"};
    wvmi_breakpoint_spec spec = {0};
    wvmi_hook hook;
    size_t i;

    for (i = 0; i < sizeof symbols / sizeof symbols[0]; i++)
        hook_symbol(symbols[i], callback, &hits);
    spec.address = map_number("driver_function");
    if (wvmi_breakpoint_insert(session, &spec, sizeof spec, callback, &hits, NULL, &hook) != WVMI_OK)
        complain("hooking the driver");
}

static void leave_busy(const char *name, wvmi_event_callback callback)
{
    uint64_t differences, strays;
    bool served, closed, same, runs;

    keep_code();
    hits = 0;
    strays = word("StrayBreakpoints");
    differences = word("IntegrityDifferences");
    hook_much(callback);
    start(PROGRAMS | PAGER | INTEGRITY | LIFECYCLE, 0);
    served = serve_until(&hits, 200, 60);
    if (left == NULL &&
        wvmi_process_iter_new(session, WVMI_PROCESS_SOURCE_ACTIVE_LIST, &left) != WVMI_OK)
        complain("listing processes");
    closed = close_guest();
    if (!open_guest()) {
        verdict(false, name, "the guest cannot be opened again");
        return;
    }
    /* It goes on with all there is, then comes to rest with its code in memory. */
    runs = wait_for_word("IntegrityRounds", word("IntegrityRounds") + 2, 30);
    if (!runs)
        describe_guest();
    rest();
    runs &= wait_until_quiet(30) && guest_runs();
    same = code_is_as_before();
    strays = strays_since(strays);
    verdict(served && closed && same && runs && strays == 0 &&
                word("IntegrityDifferences") == differences,
            name, "%" PRIu64 " hits, then %s, code %s, %" PRIu64 " stray INT3, %" PRIu64
            " differences", hits, runs ? "running" : "standing", same ? "as before" : "changed",
            strays, word("IntegrityDifferences") - differences);
}

void check_detach(void)
{
    leave_busy("detach-under-load", count_hit);
    leave_busy("detach-after-bad-callbacks", on_bad);
    wvmi_process_iter_free(left);
    left = NULL;
}
