/* A hook in a driver that is not loaded yet, comes, goes and comes elsewhere. */
#include "proof.h"

#define ROUNDS 6
#define LOADS 20

static struct {
    uint64_t hits, wrong_place, wrong_thread;
    uint64_t of_actor[ACTORS];
    /* Where the function is; 0: at one of its two places. */
    uint64_t place;
} told;

static wvmi_action on_call(wvmi_event *event, void *user_data)
{
    const struct actor *actor;
    wvmi_event_details details = {0};
    bool at_place;

    (void)user_data;
    wvmi_event_info(event, &details, sizeof details);
    at_place = told.place != 0 ? details.address == told.place
                               : details.address == map_indexed("late", 0) ||
                                     details.address == map_indexed("late", 1);
    actor = actor_of(details.thread.object);
    told.hits++;
    told.wrong_place += !at_place || details.registers.rip != details.address;
    if (actor == NULL || actor->process != details.process.object)
        told.wrong_thread++;
    else
        told.of_actor[actor - actors]++;
    return WVMI_ACTION_CONTINUE;
}

static wvmi_hook_details state_of(wvmi_hook hook)
{
    wvmi_hook_details details = {0};

    if (wvmi_hook_info(session, hook, &details, sizeof details) != WVMI_OK)
        complain("asking about a hook");
    return details;
}

static bool is_pending(wvmi_hook hook, wvmi_pending_reason reason)
{
    wvmi_hook_details details = state_of(hook);

    if (details.active == 0 && details.waiting == 0 && details.pending == reason)
        return true;
    printf("     active %" PRIu64 ", waiting %" PRIu64 ", pending for %u\n", details.active,
           details.waiting, details.pending);
    return false;
}

static bool is_live(wvmi_hook hook)
{
    wvmi_hook_details details = state_of(hook);

    return details.active == 1 && details.waiting == 0 && details.pending == 0;
}

static bool does(uint32_t kinds, uint64_t iterations)
{
    start(kinds, iterations);
    return serve_until_quiet(60);
}

/* Unloads the driver, if it is loaded. */
static bool unload(void)
{
    return word("DriverLoads") == word("DriverUnloads") || does(LOADER, 1);
}

/* Is every call told, each of its thread? */
static bool all_told(const uint64_t *before)
{
    uint64_t calls;
    bool good = told.wrong_place == 0 && told.wrong_thread == 0;
    unsigned i;

    for (i = 0; i < ACTORS; i++) {
        calls = actor_word(&actors[i], "LateCalls") - before[i];
        if (told.of_actor[i] != calls) {
            printf("     actor %u: %" PRIu64 " of %" PRIu64 "\n", i, told.of_actor[i], calls);
            good = false;
        }
    }
    return good;
}

/* Loads, calls, unloads: the hook is live and pending in turn. */
static void check_rounds(wvmi_hook hook, wvmi_hook unknown, const uint64_t *before,
                         uint64_t calls_before)
{
    uint64_t hits;
    unsigned round, live = 0, gone = 0;
    bool told_why = true;

    for (round = 0; round < ROUNDS; round++) {
        told.place = map_indexed("late", (unsigned)(word("DriverLoads") & 1));
        hits = told.hits;
        /* The driver calls itself before anybody else can. */
        if (does(LOADER, 1) && is_live(hook) && told.hits == hits + 1 && does(PROGRAMS, 2) &&
            told.hits == hits + 7)
            live++;
        told_why = told_why && is_pending(unknown, WVMI_PENDING_SYMBOLS);
        hits = told.hits;
        if (does(LOADER, 1) && is_pending(hook, WVMI_PENDING_MODULE) && does(PROGRAMS, 1) &&
            told.hits == hits)
            gone++;
    }
    verdict(live == ROUNDS && gone == ROUNDS && all_told(before), "late-live-when-loaded",
            "live after %u of %u loads at two addresses, its first call told; pending after %u of "
            "%u unloads; %" PRIu64 " hits of %" PRIu64 " calls",
            live, ROUNDS, gone, ROUNDS, told.hits, total(~0U, "LateCalls") - calls_before);
    verdict(told_why, "late-unknown-symbol", "pending for want of such a symbol while loaded");
}

/* The same beside running calls. */
static void check_load(wvmi_hook hook, const uint64_t *before, uint64_t calls_before)
{
    uint64_t loads = word("DriverLoads"), unloads = word("DriverUnloads"), hits = told.hits, calls;
    bool ended;

    told.place = 0;
    ended = does(PROGRAMS | LOADER, 2 * LOADS) && unload();
    calls = total(~0U, "LateCalls") - calls_before;
    verdict(ended && told.hits == calls && all_told(before) && is_pending(hook, WVMI_PENDING_MODULE),
            "late-beside-calls",
            "%" PRIu64 " loads, %" PRIu64 " unloads; %" PRIu64 " hits, all %" PRIu64 " of %" PRIu64
            " calls",
            word("DriverLoads") - loads, word("DriverUnloads") - unloads, told.hits - hits,
            told.hits, calls);
}

/* What the first process counts of the plugin's calls. */
static uint64_t plugin_calls(void)
{
    uint64_t calls = 0;
    wvmi_space space = {WVMI_SPACE_PROCESS, actors[0].process};

    if (wvmi_read_u64(session, space, map_number("plugin_calls"), &calls) != WVMI_OK)
        complain("reading the plugin's counter");
    return calls;
}

static wvmi_action on_plugin(wvmi_event *event, void *user_data)
{
    wvmi_event_details details = {0};

    (void)user_data;
    wvmi_event_info(event, &details, sizeof details);
    told.hits++;
    told.wrong_place += details.address != told.place || details.registers.rip != told.place;
    told.wrong_thread += details.thread.object != actors[0].thread;
    return WVMI_ACTION_CONTINUE;
}

/* A DLL that a process maps when the hook is there already, unmaps, and maps elsewhere. */
static void check_plugin(void)
{
    static const uint64_t load[] = {1, 2}, unload_again[] = {3, 4};
    uint64_t calls = plugin_calls(), loads = word("PluginLoads"), hits;
    unsigned round, place, live = 0, gone = 0;
    wvmi_hook hook;
    bool pending;

    memset(&told, 0, sizeof told);
    hook = hook_symbol("plugin!PluginFunction", on_plugin, NULL);
    pending = is_pending(hook, WVMI_PENDING_MODULE);
    for (round = 0; round < ROUNDS; round++) {
        place = round & 1;
        told.place = map_indexed("plugin", place);
        hits = told.hits;
        set_word("PluginTurn", load[place]);
        live += does(USER, 3) && is_live(hook) && told.hits >= hits + 3;
        hits = told.hits;
        set_word("PluginTurn", unload_again[place]);
        gone += does(USER, 1) && state_of(hook).active == 0 && state_of(hook).pending != 0 &&
                told.hits == hits;
    }
    calls = plugin_calls() - calls;
    verdict(pending && live == ROUNDS && gone == ROUNDS && told.hits == calls &&
                told.wrong_place == 0 && told.wrong_thread == 0,
            "late-plugin",
            "a DLL: pending, live after %u of %" PRIu64 " loads at two addresses, pending after %u "
            "of %u unloads; %" PRIu64 " hits of %" PRIu64 " calls",
            live, word("PluginLoads") - loads, gone, ROUNDS, told.hits, calls);
    wvmi_hook_remove(session, hook);
}

void check_late(void)
{
    uint64_t before[ACTORS], calls;
    wvmi_hook hook, unknown, present;
    unsigned i;
    bool live;

    unload();
    memset(&told, 0, sizeof told);
    for (i = 0; i < ACTORS; i++)
        before[i] = actor_word(&actors[i], "LateCalls");
    calls = total(~0U, "LateCalls");
    hook = hook_symbol("late!LateFunction", on_call, NULL);
    unknown = hook_symbol("late.sys!NoSuchFunction", count_hit, &told.wrong_place);
    verdict(is_pending(hook, WVMI_PENDING_MODULE) && is_pending(unknown, WVMI_PENDING_MODULE),
            "late-pending", "the module is not loaded, and the hooks say so");
    check_rounds(hook, unknown, before, calls);
    check_load(hook, before, calls);
    /* A hook that finds the driver loaded follows it all the same. */
    wvmi_hook_remove(session, hook);
    does(LOADER, 1);
    told.hits = 0;
    present = hook_symbol("LATE.SYS!LateFunction", count_hit, &told.hits);
    calls = total(~0U, "LateCalls");
    live = is_live(present) && does(LOADER, 2) && does(PROGRAMS, 2) && is_live(present);
    calls = total(~0U, "LateCalls") - calls;
    verdict(live && told.hits == calls && calls == 7, "late-hooked-while-loaded",
            "%" PRIu64 " hits of %" PRIu64 " calls at the other address", told.hits, calls);
    wvmi_hook_remove(session, present);
    check_plugin();
}
