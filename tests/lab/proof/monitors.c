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

void check_monitors(void)
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
