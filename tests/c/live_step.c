/* Stepping processors, injecting interrupts, the guest's own INT3, the level that a
 * processor runs at. */
#include "toy_guest.h"

struct seen {
    unsigned calls, more;
    uint64_t rip;
    uint32_t kind, irql, valid_irql;
    wvmi_action action;
};

static wvmi_action on_event(wvmi_event *event, void *user_data)
{
    struct seen *seen = (struct seen *)user_data;
    wvmi_event_details details;
    CHECK_OK(wvmi_event_info(event, &details, sizeof details));
    CHECK_OK(wvmi_event_irql(event, &seen->irql));
    CHECK_STATUS(wvmi_event_irql(event, NULL), WVMI_ERROR_NULL_ARGUMENT);
    seen->valid_irql = (details.valid & WVMI_EVENT_VALID_IRQL) != 0;
    CHECK(!seen->valid_irql || details.irql == seen->irql);
    seen->rip = details.registers.rip;
    seen->kind = details.kind;
    seen->calls++;
    return seen->calls > seen->more ? WVMI_ACTION_CONTINUE : seen->action;
}

static wvmi_hook hook_code(wvmi_session *session, uint64_t address, struct seen *seen)
{
    wvmi_breakpoint_spec spec;
    wvmi_hook hook = 0;
    memset(&spec, 0, sizeof spec);
    spec.address = address;
    CHECK_OK(wvmi_breakpoint_insert(session, &spec, sizeof spec, on_event, seen, NULL, &hook));
    return hook;
}

static void instructions_are_stepped(bool with_views)
{
    struct toy toy;
    struct seen hit, next, steps;
    wvmi_driver_ops ops = with_views ? toy_table() : toy_table_without_views();
    wvmi_session *session;
    memset(&hit, 0, sizeof hit);
    memset(&next, 0, sizeof next);
    memset(&steps, 0, sizeof steps);
    toy_begin(&toy);
    session = toy_open_table(&toy, &ops);
    hook_code(session, FORGED_NT_CREATE_FILE, &hit);
    /* Reached in the middle of the steps. */
    hook_code(session, FORGED_NT_CREATE_FILE + 3, &next);
    add_monitor(session, WVMI_MONITOR_SINGLE_STEP, 0, on_event, &steps);
    hit.action = steps.action = WVMI_ACTION_STEP;
    hit.more = 1;
    steps.more = 4;
    CHECK(!toy_execute(&toy, 0, FORGED_NT_CREATE_FILE));
    CHECK_OK(wvmi_session_poll(session, 1000));
    CHECK(hit.calls == 1 && steps.calls == 5 && steps.kind == WVMI_EVENT_SINGLE_STEP);
    CHECK(next.calls == 1 && next.kind == WVMI_EVENT_BREAKPOINT);
    CHECK(steps.rip == FORGED_NT_CREATE_FILE + 5 && toy.cpus[0].executed == 5);
    CHECK(toy.cpus[0].own_int3 == 0);
    /* Nobody asks: no steps. */
    CHECK(!toy_execute(&toy, 0, FORGED_NT_CREATE_FILE));
    CHECK_OK(wvmi_session_poll(session, 1000));
    CHECK(hit.calls == 2 && steps.calls == 5);
    toy_close(&toy, session);
}

static wvmi_driver_interrupt page_fault(void)
{
    wvmi_driver_interrupt interrupt;
    memset(&interrupt, 0, sizeof interrupt);
    interrupt.vector = 14;
    interrupt.kind = WVMI_INTERRUPT_HARDWARE_EXCEPTION;
    interrupt.has_error_code = 1;
    interrupt.error_code = 4;
    interrupt.extra = 0x1234000;
    return interrupt;
}

static void interrupts_are_injected(void)
{
    struct toy toy;
    wvmi_driver_ops ops = toy_table();
    wvmi_session *session = toy_open(&toy), *image = open_without_symbols();
    wvmi_driver_interrupt interrupt = page_fault();
    CHECK_OK(wvmi_inject(session, 1, &interrupt, sizeof interrupt));
    CHECK(toy.injected == 1 && toy.last_injected.vector == 14);
    CHECK(toy.last_injected.error_code == 4 && toy.last_injected.extra == 0x1234000);
    memset(&interrupt, 0, sizeof interrupt);
    interrupt.vector = 3;
    interrupt.kind = WVMI_INTERRUPT_SOFTWARE_EXCEPTION;
    interrupt.instruction_length = 1;
    CHECK_OK(wvmi_inject(session, 0, &interrupt, sizeof interrupt));
    CHECK(toy.injected == 2 && toy.last_injected.vector == 3 &&
          toy.last_injected.has_error_code == 0);
    CHECK_STATUS(wvmi_inject(session, TOY_CPUS, &interrupt, sizeof interrupt),
                 WVMI_ERROR_INVALID_ARGUMENT);
    CHECK_STATUS(wvmi_inject(session, 0, NULL, sizeof interrupt), WVMI_ERROR_NULL_ARGUMENT);
    CHECK_STATUS(wvmi_inject(session, 0, &interrupt, 0), WVMI_ERROR_INVALID_ARGUMENT);
    interrupt.vector = 256;
    CHECK_STATUS(wvmi_inject(session, 0, &interrupt, sizeof interrupt),
                 WVMI_ERROR_INVALID_ARGUMENT);
    interrupt.vector = 3;
    interrupt.kind = 1;
    CHECK_STATUS(wvmi_inject(session, 0, &interrupt, sizeof interrupt),
                 WVMI_ERROR_INVALID_ARGUMENT);
    interrupt = page_fault();
    CHECK_STATUS(wvmi_inject(image, 0, &interrupt, sizeof interrupt), WVMI_ERROR_NOT_SUPPORTED);
    toy.fail_at = toy.calls + 1;
    CHECK_STATUS(wvmi_inject(session, 0, &interrupt, sizeof interrupt), WVMI_ERROR_BACK_END);
    CHECK(toy.injected == 2);
    CHECK_OK(wvmi_session_close(image));
    toy_close(&toy, session);
    ops.inject = NULL;
    toy_begin(&toy);
    session = toy_open_table(&toy, &ops);
    CHECK_STATUS(wvmi_inject(session, 0, &interrupt, sizeof interrupt), WVMI_ERROR_NOT_SUPPORTED);
    toy_close(&toy, session);
}

static void the_guests_own_int3_is_told(void)
{
    struct toy toy;
    struct seen seen, hit;
    wvmi_session *session = toy_open(&toy);
    memset(&seen, 0, sizeof seen);
    memset(&hit, 0, sizeof hit);
    toy_poke(&toy, TOY_ELSEWHERE, 0xcc); /* hooked pages are copied */
    hook_code(session, FORGED_NT_CREATE_FILE, &hit);
    add_monitor(session, WVMI_MONITOR_INTERRUPT, 3, on_event, &seen);
    CHECK(!toy_execute(&toy, 0, TOY_ELSEWHERE));
    CHECK_OK(wvmi_session_poll(session, 1000));
    CHECK(seen.calls == 1 && seen.rip == TOY_ELSEWHERE && seen.kind == WVMI_EVENT_BREAKPOINT);
    CHECK(toy.cpus[0].own_int3 == 1);
    CHECK(!toy_execute(&toy, 0, FORGED_NT_CREATE_FILE));
    CHECK_OK(wvmi_session_poll(session, 1000));
    CHECK(seen.calls == 1 && hit.calls == 1 && toy.cpus[0].own_int3 == 1);
    toy_close(&toy, session);
}

static void levels_are_told(void)
{
    struct toy toy;
    struct seen seen;
    wvmi_session *session = toy_open(&toy);
    memset(&seen, 0, sizeof seen);
    hook_code(session, FORGED_NT_CREATE_FILE, &seen);
    for (unsigned level = 0; level < 3; level++) {
        toy.cpus[0].registers.cr8 = level;
        CHECK(!toy_execute(&toy, 0, FORGED_NT_CREATE_FILE));
        CHECK_OK(wvmi_session_poll(session, 1000));
        /* 0 may be what a back end left out. */
        CHECK(seen.calls == level + 1 && seen.irql == level && seen.valid_irql == (level > 0));
    }
    toy.cpus[0].registers.cs.selector = 0x33;
    CHECK(!toy_execute(&toy, 0, FORGED_NT_CREATE_FILE));
    CHECK_OK(wvmi_session_poll(session, 1000));
    CHECK(seen.irql == 0 && seen.valid_irql == 1);
    toy_close(&toy, session);
}

int main(int argc, char **argv)
{
    begin(argc, argv);
    instructions_are_stepped(true);
    instructions_are_stepped(false);
    interrupts_are_injected();
    the_guests_own_int3_is_told();
    levels_are_told();
    return 0;
}
