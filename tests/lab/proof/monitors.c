/* What processors and memory do, without a patch in any code. */
#include "proof.h"

struct seen {
    uint64_t events, wrong;
    uint64_t address;
};

static wvmi_action on_write(wvmi_event *event, void *user_data)
{
    struct seen *seen = user_data;
    wvmi_event_details details = {0};

    wvmi_event_info(event, &details, sizeof details);
    seen->events++;
    seen->wrong += details.kind != WVMI_EVENT_MEMORY || !(details.access & 2) ||
                   details.memory_virtual != seen->address;
    return WVMI_ACTION_CONTINUE;
}

static wvmi_action on_root(wvmi_event *event, void *user_data)
{
    struct seen *seen = user_data;
    wvmi_event_details details = {0};

    wvmi_event_info(event, &details, sizeof details);
    seen->events++;
    seen->wrong += details.kind != WVMI_EVENT_CONTROL_REGISTER || details.number != 3 ||
                   details.old_value == details.new_value || details.new_value == 0;
    return WVMI_ACTION_CONTINUE;
}

static void monitor(const wvmi_monitor_spec *spec, wvmi_event_callback callback, struct seen *seen)
{
    wvmi_hook hook;

    if (wvmi_monitor_add(session, spec, sizeof *spec, callback, seen, NULL, &hook) != WVMI_OK)
        complain("monitoring");
}

static void check_memory(void)
{
    static struct seen writes, roots;
    wvmi_monitor_spec memory = {0}, root = {0};
    uint64_t calls = actor_word(&actors[0], "Creates"), iterations = total(PROGRAMS, "Iterations");
    bool ended;

    memset(&writes, 0, sizeof writes);
    memset(&roots, 0, sizeof roots);
    writes.address = actors[0].words_va + map_number("actor_word.Creates");
    memory.kind = WVMI_MONITOR_MEMORY;
    memory.address = writes.address;
    memory.length = 8;
    memory.access = 2;
    monitor(&memory, on_write, &writes);
    root.kind = WVMI_MONITOR_CONTROL_REGISTER;
    root.number = 3;
    monitor(&root, on_root, &roots);
    start(PROGRAMS, 10);
    ended = serve_until_quiet(60);
    calls = actor_word(&actors[0], "Creates") - calls;
    iterations = total(PROGRAMS, "Iterations") - iterations;
    verdict(ended && writes.events == calls && writes.wrong == 0 && calls > 0, "monitors-writes",
            "%" PRIu64 " writes told of %" PRIu64, writes.events, calls);
    verdict(ended && roots.events >= iterations && roots.wrong == 0, "monitors-cr3",
            "%" PRIu64 " writes of CR3 in %" PRIu64 " iterations, %" PRIu64 " wrong",
            roots.events, iterations, roots.wrong);
}

/* What a processor of the guest told of itself, and what did not fit. */
struct instructions {
    uint64_t msr, cpuid, io, hypercall;
    uint64_t value, other_ports, wrong;
};

/* A register that 64-bit code does not use, and a port that nobody has. */
#define SYSENTER_EIP 0x176
#define PORT 0x84
#define INSTRUCTIONS 50

static wvmi_action on_instruction(wvmi_event *event, void *user_data)
{
    struct instructions *seen = user_data;
    const struct actor *actor;
    wvmi_event_details details = {0};

    wvmi_event_info(event, &details, sizeof details);
    if (details.kind == WVMI_EVENT_IO && details.number != PORT) {
        seen->other_ports++;
        return WVMI_ACTION_CONTINUE;
    }
    actor = actor_of(details.thread.object);
    seen->wrong += actor == NULL || actor->kind != PRIVILEGED;
    switch (details.kind) {
    case WVMI_EVENT_MSR:
        /* The number of the iteration: each comes once, and in order. */
        seen->wrong += details.number != SYSENTER_EIP || details.new_value != ++seen->value;
        seen->msr++;
        break;
    case WVMI_EVENT_CPUID:
        seen->wrong += details.number != 0 || details.length != 2 ||
                       details.old_value + 1 != seen->value;
        seen->cpuid++;
        break;
    case WVMI_EVENT_IO:
        seen->wrong += details.length != 1 || (details.flags & (WVMI_EVENT_INPUT | WVMI_EVENT_STRING));
        seen->io++;
        break;
    case WVMI_EVENT_HYPERCALL:
        seen->hypercall++;
        break;
    default:
        seen->wrong++;
    }
    return WVMI_ACTION_CONTINUE;
}

static void check_instructions(void)
{
    static const struct {
        wvmi_monitor_kind kind;
        uint32_t number;
    } kinds[] = {{WVMI_MONITOR_MSR, SYSENTER_EIP},
                 {WVMI_MONITOR_CPUID, 0},
                 {WVMI_MONITOR_IO, 0},
                 {WVMI_MONITOR_HYPERCALL, 0}};
    static struct instructions seen;
    wvmi_hook hooks[sizeof kinds / sizeof kinds[0]];
    wvmi_monitor_spec spec = {0};
    uint64_t msr = total(PRIVILEGED, "MsrWrites"), cpuid = total(PRIVILEGED, "CpuIds");
    uint64_t io = total(PRIVILEGED, "Outs"), hypercall = total(PRIVILEGED, "Vmcalls");
    size_t i;
    bool ended;

    memset(&seen, 0, sizeof seen);
    seen.value = total(PRIVILEGED, "Iterations");
    for (i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        spec.kind = kinds[i].kind;
        spec.number = kinds[i].number;
        if (wvmi_monitor_add(session, &spec, sizeof spec, on_instruction, &seen, NULL, &hooks[i]) !=
            WVMI_OK)
            complain("monitoring instructions");
    }
    set_word("Hypercalls", 1);
    start(PRIVILEGED, INSTRUCTIONS);
    ended = serve_until_quiet(60);
    msr = total(PRIVILEGED, "MsrWrites") - msr;
    cpuid = total(PRIVILEGED, "CpuIds") - cpuid;
    io = total(PRIVILEGED, "Outs") - io;
    hypercall = total(PRIVILEGED, "Vmcalls") - hypercall;
    verdict(ended && seen.msr == msr && seen.cpuid == cpuid && seen.io == io &&
                seen.hypercall == hypercall && msr == INSTRUCTIONS && hypercall == INSTRUCTIONS &&
                seen.wrong == 0,
            "monitors-instructions",
            "MSR %" PRIu64 " of %" PRIu64 ", CPUID %" PRIu64 " of %" PRIu64 ", OUT %" PRIu64
            " of %" PRIu64 ", hypercalls %" PRIu64 " of %" PRIu64 ", %" PRIu64 " wrong; %" PRIu64
            " accesses of other ports",
            seen.msr, msr, seen.cpuid, cpuid, seen.io, io, seen.hypercall, hypercall, seen.wrong,
            seen.other_ports);
    for (i = 0; i < sizeof hooks / sizeof hooks[0]; i++)
        wvmi_hook_remove(session, hooks[i]);
    memset(&seen, 0, sizeof seen);
    start(PRIVILEGED, 5);
    ended = serve_until_quiet(60);
    set_word("Hypercalls", 0);
    verdict(ended && seen.msr + seen.cpuid + seen.io + seen.hypercall + seen.other_ports == 0,
            "monitors-removed", "nothing is told any more");
}

void check_monitors(void)
{
    check_memory();
    check_instructions();
}
