/* What callbacks are told by events and may change, and what monitors report. */
#include "toy_guest.h"

struct seen {
    unsigned calls, released;
    wvmi_event_details details;
    wvmi_event *event;
    wvmi_status status;
    bool deny;
};

static wvmi_action on_event(wvmi_event *event, void *user_data)
{
    struct seen *seen = (struct seen *)user_data;
    CHECK_OK(wvmi_event_info(event, &seen->details, sizeof seen->details));
    if (seen->deny) {
        CHECK_OK(wvmi_event_deny(event));
    }
    seen->calls++;
    return WVMI_ACTION_CONTINUE;
}

static wvmi_hook hook_code(wvmi_session *session, wvmi_event_callback callback, void *user_data)
{
    wvmi_breakpoint_spec spec;
    wvmi_hook hook = 0;
    memset(&spec, 0, sizeof spec);
    spec.address = FORGED_NT_CREATE_FILE;
    CHECK_OK(wvmi_breakpoint_insert(session, &spec, sizeof spec, callback, user_data, NULL, &hook));
    return hook;
}

static void hit(struct toy *toy, wvmi_session *session)
{
    CHECK(!toy_execute(toy, 0, FORGED_NT_CREATE_FILE));
    CHECK_OK(wvmi_session_poll(session, 1000));
}

static wvmi_action on_arguments(wvmi_event *event, void *user_data)
{
    uint64_t values[6], value = 0;
    wvmi_event_details details;
    wvmi_space space;
    size_t done = 0;
    struct seen *seen = (struct seen *)user_data;
    CHECK_OK(wvmi_event_arguments(event, values, 6));
    for (uint32_t i = 0; i < 6; i++) {
        CHECK_OK(wvmi_event_argument(event, i, &value));
        CHECK(value == values[i] && value == 0x100 + i);
    }
    CHECK_OK(wvmi_event_syscall_argument(event, 0, &value));
    CHECK(value == 0x10a);
    CHECK_OK(wvmi_event_return_address(event, &value));
    CHECK(value == TOY_ELSEWHERE);
    CHECK_OK(wvmi_event_return_value(event, &value));
    CHECK(value == 0x777);
    /* What the processor sees: its stack begins with the return address. */
    CHECK_OK(wvmi_event_info(event, &details, sizeof details));
    CHECK_OK(wvmi_event_read(event, details.registers.rsp, (uint8_t *)&value, sizeof value, &done));
    CHECK(value == TOY_ELSEWHERE && done == sizeof value);
    CHECK_STATUS(wvmi_event_read(event, 0x10, (uint8_t *)&value, sizeof value, &done),
                 WVMI_ERROR_FAULT);
    CHECK(done == 0);
    CHECK_STATUS(wvmi_event_read(event, 0, NULL, 1, NULL), WVMI_ERROR_NULL_ARGUMENT);
    CHECK_OK(wvmi_event_space(event, &space));
    CHECK(space.kind == WVMI_SPACE_ROOT && space.value == details.registers.cr3);
    CHECK_STATUS(wvmi_event_space(event, NULL), WVMI_ERROR_NULL_ARGUMENT);
    CHECK_STATUS(wvmi_event_argument(event, 0, NULL), WVMI_ERROR_NULL_ARGUMENT);
    CHECK_STATUS(wvmi_event_info(event, &details, 0), WVMI_ERROR_INVALID_ARGUMENT);
    CHECK_STATUS(wvmi_event_request_page(event, 0, 7), WVMI_ERROR_INVALID_ARGUMENT);
    seen->calls++;
    return WVMI_ACTION_CONTINUE;
}

static void arguments_are_read(void)
{
    struct toy toy;
    struct seen seen;
    wvmi_session *session = toy_open(&toy);
    wvmi_registers *registers = &toy.cpus[0].registers;
    memset(&seen, 0, sizeof seen);
    registers->rcx = 0x100;
    registers->rdx = 0x101;
    registers->r8 = 0x102;
    registers->r9 = 0x103;
    registers->r10 = 0x10a;
    registers->rax = 0x777;
    toy_poke(&toy, registers->rsp, TOY_ELSEWHERE);
    toy_poke(&toy, registers->rsp + 0x28, 0x104);
    toy_poke(&toy, registers->rsp + 0x30, 0x105);
    hook_code(session, on_arguments, &seen);
    hit(&toy, session);
    CHECK(seen.calls == 1);
    toy_close(&toy, session);
}

static wvmi_action on_skip(wvmi_event *event, void *user_data)
{
    ((struct seen *)user_data)->calls++;
    CHECK_OK(wvmi_event_skip_function(event, 0xc0000022, 0));
    return WVMI_ACTION_CONTINUE;
}

static wvmi_action on_change(wvmi_event *event, void *user_data)
{
    struct seen *seen = (struct seen *)user_data;
    wvmi_event_details details;
    CHECK_OK(wvmi_event_info(event, &details, sizeof details));
    details.registers.rbx = seen->calls++ == 0 ? 0x42 : 0x43;
    seen->status = wvmi_event_set_registers(event, &details.registers, sizeof details.registers);
    return WVMI_ACTION_CONTINUE;
}

static void functions_are_skipped(void)
{
    struct toy toy;
    struct seen seen;
    wvmi_session *session = toy_open(&toy);
    uint64_t stack = toy.cpus[0].registers.rsp;
    memset(&seen, 0, sizeof seen);
    toy_poke(&toy, stack, TOY_ELSEWHERE);
    hook_code(session, on_skip, &seen);
    hit(&toy, session);
    CHECK(seen.calls == 1 && toy.cpus[0].executed == 0);
    CHECK(toy.cpus[0].registers.rip == TOY_ELSEWHERE);
    CHECK(toy.cpus[0].registers.rsp == stack + 8);
    CHECK(toy.cpus[0].registers.rax == 0xc0000022);
    toy_close(&toy, session);
}

static void registers_are_changed_by_one(void)
{
    struct toy toy;
    struct seen seen;
    wvmi_session *session = toy_open(&toy);
    memset(&seen, 0, sizeof seen);
    hook_code(session, on_change, &seen);
    hit(&toy, session);
    CHECK(seen.status == WVMI_OK && toy.cpus[0].registers.rbx == 0x42);
    CHECK(toy.cpus[0].executed == 1);
    seen.calls = 0;
    hook_code(session, on_change, &seen);
    hit(&toy, session);
    CHECK(seen.calls == 2 && seen.status == WVMI_ERROR_CONFLICT);
    CHECK(toy.cpus[0].registers.rbx == 0x42);
    toy_close(&toy, session);
}

static void processors_are_monitored(void)
{
    static const uint32_t kinds[][3] = {
        {WVMI_MONITOR_CONTROL_REGISTER, WVMI_EVENT_CONTROL_REGISTER, 0},
        {WVMI_MONITOR_CONTROL_REGISTER, WVMI_EVENT_CONTROL_REGISTER, 3},
        {WVMI_MONITOR_CONTROL_REGISTER, WVMI_EVENT_CONTROL_REGISTER, 4},
        {WVMI_MONITOR_CONTROL_REGISTER, WVMI_EVENT_CONTROL_REGISTER, 8},
        {WVMI_MONITOR_MSR, WVMI_EVENT_MSR, 0xc0000082},
        {WVMI_MONITOR_CPUID, WVMI_EVENT_CPUID, 0x40000000},
        {WVMI_MONITOR_IO, WVMI_EVENT_IO, 0x3f8},
        {WVMI_MONITOR_HYPERCALL, WVMI_EVENT_HYPERCALL, 0},
    };
    struct toy toy;
    wvmi_session *session = toy_open(&toy);
    for (size_t i = 0; i < COUNT(kinds); i++) {
        struct seen seen;
        wvmi_hook hook;
        memset(&seen, 0, sizeof seen);
        CHECK(toy_event(&toy, kinds[i][1], kinds[i][2], 1, 2));
        hook = add_monitor(session, kinds[i][0], kinds[i][2], on_event, &seen);
        CHECK(!toy_event(&toy, kinds[i][1], kinds[i][2], 1, 2));
        CHECK_OK(wvmi_session_poll(session, 1000));
        CHECK(seen.calls == 1 && seen.details.kind == kinds[i][1]);
        CHECK(seen.details.number == kinds[i][2] && seen.details.hook == hook);
        if (kinds[i][0] <= WVMI_MONITOR_MSR) {
            CHECK(seen.details.old_value == 1 && seen.details.new_value == 2);
            seen.deny = true;
            CHECK(!toy_event(&toy, kinds[i][1], kinds[i][2], 1, 2));
            CHECK_OK(wvmi_session_poll(session, 1000));
            CHECK(toy.cpus[0].denied == i + 1);
        }
        CHECK_OK(wvmi_hook_remove(session, hook));
        CHECK(toy_event(&toy, kinds[i][1], kinds[i][2], 1, 2));
    }
    toy_close(&toy, session);
}

static void interrupts_are_reported_and_delivered(void)
{
    struct toy toy;
    struct seen seen;
    wvmi_session *session = toy_open(&toy);
    wvmi_monitor_spec spec;
    wvmi_hook hook = 0;
    memset(&seen, 0, sizeof seen);
    add_monitor(session, WVMI_MONITOR_INTERRUPT, 1, on_event, &seen);
    CHECK(!toy_event(&toy, WVMI_EVENT_INTERRUPT, 1, 0, 0));
    CHECK_OK(wvmi_session_poll(session, 1000));
    CHECK(seen.calls == 1 && seen.details.kind == WVMI_EVENT_INTERRUPT);
    CHECK(toy.cpus[0].own_int3 == 1); /* taken by the guest */
    memset(&spec, 0, sizeof spec);
    spec.kind = WVMI_MONITOR_INTERRUPT;
    spec.number = 14;
    CHECK_STATUS(wvmi_monitor_add(session, &spec, sizeof spec, on_event, &seen, NULL, &hook),
                 WVMI_ERROR_NOT_SUPPORTED);
    CHECK(hook == 0);
    toy_close(&toy, session);
}

static void memory_accesses_are_reported(void)
{
    struct toy toy;
    struct seen seen;
    wvmi_session *session = toy_open(&toy);
    wvmi_monitor_spec spec;
    wvmi_hook hook = 0;
    uint64_t pa = toy_translate(&toy, FORGED_KERNEL_BASE, NULL) + 0x200;
    memset(&seen, 0, sizeof seen);
    memset(&spec, 0, sizeof spec);
    spec.kind = WVMI_MONITOR_MEMORY;
    spec.space = space_of(WVMI_SPACE_PHYSICAL, 0);
    spec.address = pa;
    spec.length = 8;
    spec.access = 2;
    CHECK_OK(wvmi_monitor_add(session, &spec, sizeof spec, on_event, &seen, NULL, &hook));
    CHECK(!toy_run_at(&toy, 0, TOY_ELSEWHERE, TOY_WRITE, pa, 0x55));
    CHECK_OK(wvmi_session_poll(session, 1000));
    CHECK(seen.calls == 1 && seen.details.kind == WVMI_EVENT_MEMORY);
    CHECK(seen.details.memory_physical == pa && (seen.details.access & 2));
    CHECK((seen.details.valid & WVMI_EVENT_VALID_MEMORY_VIRTUAL) == 0);
    CHECK(toy_word(&toy, pa) == 0x55);
    /* Beside the range: made, and not told. */
    CHECK(!toy_run_at(&toy, 0, TOY_ELSEWHERE, TOY_WRITE, pa + 64, 0x56));
    CHECK_OK(wvmi_session_poll(session, 1000));
    CHECK(seen.calls == 1 && toy_word(&toy, pa + 64) == 0x56);
    CHECK_OK(wvmi_hook_remove(session, hook));
    CHECK(toy_run_at(&toy, 0, TOY_ELSEWHERE, TOY_WRITE, pa, 0x57));
    toy_close(&toy, session);
}

static void memory_needs_views(void)
{
    struct toy toy;
    struct seen seen;
    wvmi_driver_ops ops = toy_table_without_views();
    wvmi_session *session;
    wvmi_monitor_spec spec;
    wvmi_hook hook = 0;
    memset(&seen, 0, sizeof seen);
    memset(&spec, 0, sizeof spec);
    toy_begin(&toy);
    session = toy_open_table(&toy, &ops);
    spec.kind = WVMI_MONITOR_MEMORY;
    spec.address = FORGED_KERNEL_BASE;
    spec.length = 8;
    spec.access = 2;
    CHECK_STATUS(wvmi_monitor_add(session, &spec, sizeof spec, on_event, &seen, NULL, &hook),
                 WVMI_ERROR_NOT_SUPPORTED);
    add_monitor(session, WVMI_MONITOR_MSR, 0xc0000082, on_event, &seen);
    CHECK(!toy_event(&toy, WVMI_EVENT_MSR, 0xc0000082, 1, 2));
    CHECK_OK(wvmi_session_poll(session, 1000));
    CHECK(seen.calls == 1);
    toy_close(&toy, session);
}

struct request {
    uint64_t address;
    unsigned calls;
    uint32_t attempt, flags;
    wvmi_status status;
};

static wvmi_action on_request(wvmi_event *event, void *user_data)
{
    struct request *request = (struct request *)user_data;
    wvmi_event_details details;
    CHECK_OK(wvmi_event_info(event, &details, sizeof details));
    request->calls++;
    request->attempt = details.attempt;
    request->flags = details.flags;
    request->status = wvmi_event_request_page(event, request->address, 1);
    return WVMI_ACTION_RETRY;
}

/* No region allows it, so the guest is not asked and the callback is told. */
static void pages_that_cannot_come_are_told(void)
{
    struct toy toy;
    struct request request;
    wvmi_session *session = toy_open(&toy);
    memset(&request, 0, sizeof request);
    request.address = UINT64_C(0xffffabcd00000000);
    hook_code(session, on_request, &request);
    hit(&toy, session);
    CHECK(request.calls == 2 && (request.flags & WVMI_EVENT_NOT_RESIDENT));
    CHECK(request.status == WVMI_ERROR_NOT_RESIDENT);
    CHECK(toy.injected == 0 && toy.cpus[0].executed == 1);
    toy_close(&toy, session);
}

/* Takes the stack's page away; returns where its page-table entry is. */
static uint64_t take_page(struct toy *toy, uint64_t *word)
{
    const uint64_t demand_zero = 0x80;
    uint64_t entry = 0;
    CHECK(toy_translate(toy, toy->cpus[0].registers.rsp, &entry) != 0);
    *word = toy_word(toy, entry);
    CHECK_OK(toy_write_physical(toy, entry, (const uint8_t *)&demand_zero, sizeof demand_zero));
    return entry;
}

static void pages_are_asked_for_three_times(void)
{
    struct toy toy;
    struct request request;
    wvmi_session *session = toy_open(&toy);
    uint64_t word;
    memset(&request, 0, sizeof request);
    take_page(&toy, &word);
    request.address = toy.cpus[0].registers.rsp;
    hook_code(session, on_request, &request);
    hit(&toy, session);
    CHECK(toy.injected == 3 && toy.cpus[0].executed == 1);
    CHECK(request.calls == 5 && (request.flags & WVMI_EVENT_NOT_RESIDENT));
    CHECK(request.status == WVMI_ERROR_NOT_RESIDENT);
    CHECK(toy.last_injected.kind == WVMI_INTERRUPT_HARDWARE_EXCEPTION);
    CHECK(toy.last_injected.extra == request.address && toy.last_injected.has_error_code == 1);
    toy_close(&toy, session);
}

static wvmi_action on_need(wvmi_event *event, void *user_data)
{
    struct request *request = (struct request *)user_data;
    wvmi_event_details details;
    uint64_t value = 0;
    CHECK_OK(wvmi_event_info(event, &details, sizeof details));
    request->calls++;
    request->attempt = details.attempt;
    request->status = wvmi_event_return_address(event, &value);
    if (request->status == WVMI_ERROR_FAULT) {
        CHECK_OK(wvmi_event_request_page(event, request->address, 1));
        return WVMI_ACTION_RETRY;
    }
    CHECK(value == TOY_ELSEWHERE);
    return WVMI_ACTION_CONTINUE;
}

static void pages_come_in_and_the_callback_is_called_again(void)
{
    struct toy toy;
    struct request request;
    wvmi_session *session = toy_open(&toy);
    memset(&request, 0, sizeof request);
    request.address = toy.cpus[0].registers.rsp;
    toy_poke(&toy, request.address, TOY_ELSEWHERE);
    toy.fault_entry = take_page(&toy, &toy.fault_value);
    hook_code(session, on_need, &request);
    hit(&toy, session);
    CHECK(request.calls == 2 && request.attempt == 2 && request.status == WVMI_OK);
    CHECK(toy.injected == 1 && toy.cpus[0].executed == 1);
    toy_close(&toy, session);
}

/* Above the level at which Windows takes page faults, the guest is not asked. */
static void pages_are_not_asked_for_at_high_irql(void)
{
    struct toy toy;
    struct request request;
    wvmi_session *session = toy_open(&toy);
    uint64_t word;
    memset(&request, 0, sizeof request);
    take_page(&toy, &word);
    toy.cpus[0].registers.cr8 = 2;
    request.address = toy.cpus[0].registers.rsp;
    hook_code(session, on_request, &request);
    hit(&toy, session);
    CHECK(toy.injected == 0 && request.calls == 2 && toy.cpus[0].executed == 1);
    toy_close(&toy, session);
}

static wvmi_action on_keep(wvmi_event *event, void *user_data)
{
    ((struct seen *)user_data)->event = event;
    return WVMI_ACTION_CONTINUE;
}

static void *use_elsewhere(void *user_data)
{
    struct seen *seen = (struct seen *)user_data;
    uint64_t value;
    seen->status = wvmi_event_return_value(seen->event, &value);
    return NULL;
}

static wvmi_action on_share(wvmi_event *event, void *user_data)
{
    struct seen *seen = (struct seen *)user_data;
    pthread_t thread;
    seen->event = event;
    CHECK(pthread_create(&thread, NULL, use_elsewhere, seen) == 0);
    CHECK(pthread_join(thread, NULL) == 0);
    CHECK(seen->status == WVMI_ERROR_CLOSED);
    seen->calls++;
    return WVMI_ACTION_CONTINUE;
}

/* A status in every case, and nothing worse. */
static void events_end_with_their_callback(void)
{
    struct toy toy;
    struct seen seen, shared;
    wvmi_session *session = toy_open(&toy);
    wvmi_registers registers;
    uint64_t value = 77;
    wvmi_hook hook;
    memset(&seen, 0, sizeof seen);
    memset(&shared, 0, sizeof shared);
    memset(&registers, 0, sizeof registers);
    hook = hook_code(session, on_keep, &seen);
    hit(&toy, session);
    CHECK_STATUS(wvmi_event_info(seen.event, &seen.details, sizeof seen.details),
                 WVMI_ERROR_CLOSED);
    CHECK_STATUS(wvmi_event_argument(seen.event, 0, &value), WVMI_ERROR_CLOSED);
    CHECK_STATUS(wvmi_event_arguments(seen.event, &value, 1), WVMI_ERROR_CLOSED);
    CHECK_STATUS(wvmi_event_syscall_argument(seen.event, 0, &value), WVMI_ERROR_CLOSED);
    CHECK_STATUS(wvmi_event_return_address(seen.event, &value), WVMI_ERROR_CLOSED);
    CHECK_STATUS(wvmi_event_return_value(seen.event, &value), WVMI_ERROR_CLOSED);
    CHECK_STATUS(wvmi_event_set_registers(seen.event, &registers, sizeof registers),
                 WVMI_ERROR_CLOSED);
    CHECK_STATUS(wvmi_event_skip_function(seen.event, 0, 0), WVMI_ERROR_CLOSED);
    CHECK_STATUS(wvmi_event_deny(seen.event), WVMI_ERROR_CLOSED);
    CHECK_STATUS(wvmi_event_request_page(seen.event, 0, 1), WVMI_ERROR_CLOSED);
    CHECK(value == 77);
    CHECK_OK(wvmi_hook_remove(session, hook));
    hook_code(session, on_share, &shared);
    hit(&toy, session);
    CHECK(shared.calls == 1);
    toy_close(&toy, session);
    CHECK_STATUS(wvmi_event_deny(seen.event), WVMI_ERROR_CLOSED);
}

int main(int argc, char **argv)
{
    begin(argc, argv);
    arguments_are_read();
    functions_are_skipped();
    registers_are_changed_by_one();
    processors_are_monitored();
    interrupts_are_reported_and_delivered();
    memory_accesses_are_reported();
    memory_needs_views();
    pages_that_cannot_come_are_told();
    pages_are_asked_for_three_times();
    pages_come_in_and_the_callback_is_called_again();
    pages_are_not_asked_for_at_high_irql();
    events_end_with_their_callback();
    return 0;
}
