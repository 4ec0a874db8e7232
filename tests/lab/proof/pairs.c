/* Entries and ends of calls, paired through recursion and threads that end inside. */
#include "proof.h"

#define ITERATIONS 48
#define DEPTH 16

/* Open calls of one thread, innermost last. */
struct stack {
    uint64_t stacks[DEPTH];
    unsigned depth;
};

struct pairs {
    uint64_t entries, returned, exited, other, wrong, wrong_results;
    struct stack open[ACTORS];
};

static struct stack *stack_of(struct pairs *pairs, uint64_t thread)
{
    const struct actor *actor = actor_of(thread);

    return actor == NULL ? NULL : &pairs->open[actor - actors];
}

static wvmi_action on_entry(wvmi_event *event, void **value, void *user_data)
{
    struct pairs *pairs = user_data;
    wvmi_event_details details = {0};
    struct stack *stack;

    wvmi_event_info(event, &details, sizeof details);
    stack = stack_of(pairs, details.thread.object);
    pairs->entries++;
    if (stack == NULL || stack->depth == DEPTH) {
        pairs->wrong++;
        return WVMI_ACTION_CONTINUE;
    }
    stack->stacks[stack->depth] = details.registers.rsp;
    *value = &stack->stacks[stack->depth++];
    return WVMI_ACTION_CONTINUE;
}

static wvmi_action on_end(wvmi_event *event, const wvmi_call_details *call, void *user_data)
{
    struct pairs *pairs = user_data;
    struct stack *stack = stack_of(pairs, call->thread.object);
    uint64_t result = 0;

    if (call->end == WVMI_CALL_RETURNED) {
        pairs->returned++;
        pairs->wrong_results += wvmi_event_return_value(event, &result) != WVMI_OK;
    } else if (call->end == WVMI_CALL_THREAD_EXITED) {
        pairs->exited++;
    } else {
        pairs->other++;
    }
    /* The innermost open call ends first. */
    if (stack == NULL || stack->depth == 0 || call->value != &stack->stacks[stack->depth - 1] ||
        stack->stacks[stack->depth - 1] != call->stack) {
        pairs->wrong++;
        return WVMI_ACTION_CONTINUE;
    }
    stack->depth--;
    return WVMI_ACTION_CONTINUE;
}

static void hook_calls(const char *symbol, struct pairs *pairs)
{
    wvmi_breakpoint_spec spec = {0};
    wvmi_hook hook;

    memset(pairs, 0, sizeof *pairs);
    spec.symbol = symbol;
    if (wvmi_call_hook_insert(session, &spec, sizeof spec, on_entry, on_end, pairs, NULL, &hook) !=
        WVMI_OK)
        complain(symbol);
}

void check_pairs(void)
{
    static struct pairs opens, creates;
    uint64_t entered = total(PROGRAMS, "Opens"), returned = total(PROGRAMS, "OpenReturns");
    uint64_t exits = total(PROGRAMS, "ThreadExits"), calls = total(PROGRAMS, "Creates");
    bool ended;

    hook_calls("nt!ObOpenObjectByName", &opens);
    hook_calls("nt!NtCreateFile", &creates);
    start(PROGRAMS, ITERATIONS);
    ended = serve_until_quiet(90);
    entered = total(PROGRAMS, "Opens") - entered;
    returned = total(PROGRAMS, "OpenReturns") - returned;
    exits = total(PROGRAMS, "ThreadExits") - exits;
    calls = total(PROGRAMS, "Creates") - calls;
    verdict(ended && opens.entries == entered && opens.returned == returned &&
                opens.exited == entered - returned && opens.other == 0 && exits > 0,
            "pairs-recursion",
            "%" PRIu64 " entries of %" PRIu64 ", %" PRIu64 " returns of %" PRIu64 ", %" PRIu64
            " ended with their thread of %" PRIu64,
            opens.entries, entered, opens.returned, returned, opens.exited, entered - returned);
    verdict(ended && creates.entries == calls && creates.exited == exits &&
                creates.returned == calls - exits && creates.other == 0,
            "pairs-thread-exit",
            "%" PRIu64 " entries, %" PRIu64 " returns, %" PRIu64 " of %" PRIu64 " exits",
            creates.entries, creates.returned, creates.exited, exits);
    verdict(ended && opens.wrong + creates.wrong + opens.wrong_results == 0, "pairs-nested",
            "%" PRIu64 " ends out of order or with another value", opens.wrong + creates.wrong);
}
