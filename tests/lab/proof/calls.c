/* Calls of two hot functions: every one told once, with what it was called with. */
#include "proof.h"

/* Arguments that the guest sums up. */
#define SUMMED 5
/* Three programs with three calls in each. */
#ifndef HOT_ITERATIONS
#define HOT_ITERATIONS 2230
#endif

struct tally {
    uint64_t hits;
    uint64_t sums[ACTORS];
    uint64_t wrong;
};

static void sum_arguments(wvmi_event *event, struct tally *tally, size_t index)
{
    uint64_t arguments[SUMMED];
    unsigned i;

    if (wvmi_event_arguments(event, arguments, SUMMED) != WVMI_OK) {
        tally->wrong++;
        return;
    }
    for (i = 0; i < SUMMED; i++)
        tally->sums[index] += arguments[i];
}

static wvmi_action on_call(wvmi_event *event, void *user_data)
{
    struct tally *tally = user_data;
    wvmi_event_details details = {0};
    const struct actor *actor;

    tally->hits++;
    if (wvmi_event_info(event, &details, sizeof details) != WVMI_OK ||
        !(details.valid & WVMI_EVENT_VALID_IDENTITY)) {
        tally->wrong++;
        return WVMI_ACTION_CONTINUE;
    }
    actor = actor_of(details.thread.object);
    if (actor == NULL || actor->process != details.process.object ||
        actor->process != details.attached.object || actor->pid != details.process_id ||
        details.previous_mode != 1 || details.irql != 0) {
        tally->wrong++;
        return WVMI_ACTION_CONTINUE;
    }
    sum_arguments(event, tally, (size_t)(actor - actors));
    return WVMI_ACTION_CONTINUE;
}

static unsigned argument_differences(const struct tally *tally, const uint64_t *before)
{
    unsigned i, different = 0;

    for (i = 0; i < ACTORS; i++)
        different += tally->sums[i] + before[i] != actor_word(&actors[i], "ArgumentSum");
    return different;
}

void check_calls(void)
{
    static struct tally tally;
    uint64_t before[ACTORS], calls, breakpoints = total(PROGRAMS, "Breakpoints");
    uint64_t iterations = total(PROGRAMS, "Iterations");
    unsigned i, different;
    struct costs spent, before_costs;
    double began, taken;
    bool ended;

    memset(&tally, 0, sizeof tally);
    for (i = 0; i < ACTORS; i++)
        before[i] = actor_word(&actors[i], "ArgumentSum");
    calls = total(PROGRAMS, "Creates") + total(PROGRAMS, "Writes");
    hook_symbol("nt!NtCreateFile", on_call, &tally);
    hook_symbol("nt!NtWriteFile", on_call, &tally);
    before_costs = costs_now();
    began = now();
    start(PROGRAMS, HOT_ITERATIONS);
    ended = serve_until_quiet(200);
    taken = now() - began;
    spent = costs_now();
    calls = total(PROGRAMS, "Creates") + total(PROGRAMS, "Writes") - calls;
    breakpoints = total(PROGRAMS, "Breakpoints") - breakpoints;
    iterations = total(PROGRAMS, "Iterations") - iterations;
    different = argument_differences(&tally, before);
    verdict(ended && tally.hits == calls && calls > 0, "calls-each-told-once",
            "%" PRIu64 " callbacks, %" PRIu64 " calls, %.0f hits per second, %.2f hypercalls and "
            "%.2f system calls per hit", tally.hits, calls, (double)tally.hits / taken,
            (double)(spent.hypercalls - before_costs.hypercalls) / (double)tally.hits,
            (double)(spent.system_calls - before_costs.system_calls) / (double)tally.hits);
    verdict(ended && tally.wrong == 0 && different == 0, "calls-identity-and-arguments",
            "%" PRIu64 " wrong, argument sums of %u of %u threads differ", tally.wrong, different,
            ACTORS);
    verdict(ended && breakpoints == iterations && word("StrayBreakpoints") == 0,
            "calls-foreign-int3", "%" PRIu64 " executed, %" PRIu64 " in the guest's handler",
            iterations, breakpoints);
}
