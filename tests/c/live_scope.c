/* Whom hooks concern, registers of every processor, what events tell of ports and
 * page walks, and a loop that is stopped from inside. */
#include "toy_guest.h"

struct seen {
    unsigned calls;
    wvmi_session *stop;
    wvmi_event_details details;
};

static wvmi_action on_event(wvmi_event *event, void *user_data)
{
    struct seen *seen = (struct seen *)user_data;
    CHECK_OK(wvmi_event_info(event, &seen->details, sizeof seen->details));
    seen->calls++;
    if (seen->stop) {
        CHECK_OK(wvmi_session_stop(seen->stop));
    }
    return WVMI_ACTION_CONTINUE;
}

static wvmi_breakpoint_spec scoped(uint32_t kind, uint64_t object, const char *image)
{
    wvmi_breakpoint_spec spec;
    memset(&spec, 0, sizeof spec);
    spec.symbol = "nt!NtCreateFile";
    spec.scope_kind = kind;
    spec.scope_object = object;
    spec.scope_image = image;
    return spec;
}

/* Before any callback: who is not meant hears nothing. */
static void scopes_take_in_whom_they_name(void)
{
    const struct forged_process *notepad = forged_process_named("notepad.exe");
    const struct forged_process *explorer = forged_process_named("explorer.exe");
    const struct forged_process *lsass = forged_process_named("lsass.exe");
    struct {
        wvmi_breakpoint_spec spec;
        bool in_notepad, in_lsass;
        struct seen seen;
    } cases[8];
    struct toy toy;
    wvmi_session *session = toy_open(&toy);
    wvmi_hook hook = 0;
    size_t count = 0;
    memset(cases, 0, sizeof cases);
    CHECK(notepad->parent_pid == explorer->pid);
#define CASE(scope, notepad, lsass)                                                              \
    (cases[count].spec = scope, cases[count].in_notepad = notepad, cases[count].in_lsass = lsass, \
     count++)
    CASE(scoped(WVMI_SCOPE_ALL, 0, NULL), true, true);
    CASE(scoped(WVMI_SCOPE_PROCESS, notepad->object, NULL), true, false);
    CASE(scoped(WVMI_SCOPE_PROCESS, explorer->object, NULL), false, false);
    CASE(scoped(WVMI_SCOPE_PROCESS_TREE, explorer->object, NULL), true, false);
    CASE(scoped(WVMI_SCOPE_IMAGE, 0, "NotePad.EXE"), true, false);
    CASE(scoped(WVMI_SCOPE_IMAGE, 0, "lsass.exe"), false, true);
    CASE(scoped(WVMI_SCOPE_THREAD, FORGED_CURRENT_THREAD, NULL), true, true);
    CASE(scoped(WVMI_SCOPE_THREAD, forged_threads[2].object, NULL), false, false);
    CHECK(count == COUNT(cases));
    toy_enter(&toy, session, notepad);
    for (size_t i = 0; i < count; i++) {
        CHECK_OK(wvmi_breakpoint_insert(session, &cases[i].spec, sizeof cases[i].spec, on_event,
                                        &cases[i].seen, NULL, &hook));
    }
    CHECK(toy.frames >= 1);
    CHECK(!toy_execute(&toy, 0, FORGED_NT_CREATE_FILE));
    CHECK_OK(wvmi_session_poll(session, 1000));
    for (size_t i = 0; i < count; i++) {
        CHECK(cases[i].seen.calls == cases[i].in_notepad);
        CHECK(!cases[i].in_notepad || cases[i].seen.details.process_id == notepad->pid);
        cases[i].seen.calls = 0;
    }
    toy_enter(&toy, session, lsass);
    CHECK(!toy_execute(&toy, 0, FORGED_NT_CREATE_FILE));
    CHECK_OK(wvmi_session_poll(session, 1000));
    for (size_t i = 0; i < count; i++) {
        CHECK(cases[i].seen.calls == cases[i].in_lsass);
    }
    {
        wvmi_breakpoint_spec spec = scoped(99, 0, NULL);
        CHECK_STATUS(wvmi_breakpoint_insert(session, &spec, sizeof spec, on_event, &cases[0].seen,
                                            NULL, &hook),
                     WVMI_ERROR_INVALID_ARGUMENT);
        spec = scoped(WVMI_SCOPE_IMAGE, 0, NULL);
        CHECK_STATUS(wvmi_breakpoint_insert(session, &spec, sizeof spec, on_event, &cases[0].seen,
                                            NULL, &hook),
                     WVMI_ERROR_NULL_ARGUMENT);
        spec = scoped(WVMI_SCOPE_PROCESS, 0x10, NULL);
        CHECK(wvmi_breakpoint_insert(session, &spec, sizeof spec, on_event, &cases[0].seen, NULL,
                                     &hook) < 0);
    }
    toy_close(&toy, session);
}

static void registers_of_every_processor_are_got_and_set(void)
{
    struct toy toy;
    wvmi_session *session = toy_open(&toy);
    wvmi_registers registers, after;
    for (uint16_t vcpu = 0; vcpu < TOY_CPUS; vcpu++) {
        CHECK_OK(wvmi_registers_get(session, vcpu, &registers, sizeof registers));
        CHECK(registers.rip == toy.cpus[vcpu].registers.rip);
        registers.rax = 0x1000U + vcpu;
        registers.dr7 = 0x400;
        registers.fs.base = 0x7000;
        CHECK_OK(wvmi_registers_set(session, vcpu, &registers, sizeof registers));
        CHECK_OK(wvmi_registers_get(session, vcpu, &after, sizeof after));
        CHECK(memcmp(&registers, &after, sizeof after) == 0);
        CHECK(toy.cpus[vcpu].registers.rax == 0x1000U + vcpu);
    }
    CHECK_STATUS(wvmi_registers_get(session, TOY_CPUS, &registers, sizeof registers),
                 WVMI_ERROR_NOT_FOUND);
    CHECK_STATUS(wvmi_registers_set(session, 0, NULL, sizeof registers), WVMI_ERROR_NULL_ARGUMENT);
    CHECK_STATUS(wvmi_registers_set(session, 0, &registers, 0), WVMI_ERROR_INVALID_ARGUMENT);
    toy_close(&toy, session);
    session = open_without_symbols();
    CHECK_STATUS(wvmi_registers_set(session, 0, &registers, sizeof registers),
                 WVMI_ERROR_NOT_SUPPORTED);
    CHECK_OK(wvmi_session_close(session));
}

static void ports_and_page_walks_are_told(void)
{
    struct toy toy;
    struct seen seen;
    wvmi_session *session = toy_open(&toy);
    wvmi_monitor_spec spec;
    wvmi_hook hook = 0;
    memset(&seen, 0, sizeof seen);
    memset(&spec, 0, sizeof spec);
    spec.kind = WVMI_MONITOR_IO;
    CHECK_OK(wvmi_monitor_add(session, &spec, sizeof spec, on_event, &seen, NULL, &hook));
    toy_event(&toy, WVMI_EVENT_IO, 0x3f8, 0, 0);
    toy.cpus[0].event.length = 2;
    toy.cpus[0].event.flags |= WVMI_DRIVER_EVENT_INPUT;
    CHECK_OK(wvmi_session_poll(session, 1000));
    CHECK(seen.calls == 1 && seen.details.number == 0x3f8 && seen.details.length == 2);
    CHECK(seen.details.flags == WVMI_EVENT_INPUT);
    toy_event(&toy, WVMI_EVENT_IO, 0x1f0, 0, 0);
    toy.cpus[0].event.flags |= WVMI_DRIVER_EVENT_STRING;
    CHECK_OK(wvmi_session_poll(session, 1000));
    CHECK(seen.calls == 2 && seen.details.flags == WVMI_EVENT_STRING);
    spec.kind = WVMI_MONITOR_CPUID;
    CHECK_OK(wvmi_monitor_add(session, &spec, sizeof spec, on_event, &seen, NULL, &hook));
    toy_event(&toy, WVMI_EVENT_CPUID, 7, 1, 0);
    toy.cpus[0].event.length = 2;
    CHECK_OK(wvmi_session_poll(session, 1000));
    CHECK(seen.calls == 3 && seen.details.length == 2 && seen.details.old_value == 1);
    /* The page tables are watched: the processor's walk of them is told as one. */
    spec.kind = WVMI_MONITOR_MEMORY;
    spec.address = FORGED_KERNEL_BASE;
    spec.length = 8;
    spec.access = 1;
    CHECK_OK(wvmi_monitor_add(session, &spec, sizeof spec, on_event, &seen, NULL, &hook));
    CHECK(!toy_run_at(&toy, 0, TOY_ELSEWHERE, TOY_READ,
                      toy_translate(&toy, FORGED_KERNEL_BASE, NULL), 0));
    toy.cpus[0].event.flags |= WVMI_DRIVER_EVENT_PAGE_WALK;
    CHECK_OK(wvmi_session_poll(session, 1000));
    CHECK(seen.calls == 4 && seen.details.flags == WVMI_EVENT_PAGE_WALK);
    toy_close(&toy, session);
}

/* Without a patch: the guest's code is as it was, in every view. */
static void execution_of_ranges_is_told(void)
{
    struct toy toy;
    struct seen seen;
    wvmi_session *session = toy_open(&toy);
    wvmi_monitor_spec spec;
    wvmi_hook hook = 0;
    uint64_t pa = toy_translate(&toy, FORGED_NT_CREATE_FILE, NULL), word = toy_word(&toy, pa);
    memset(&seen, 0, sizeof seen);
    memset(&spec, 0, sizeof spec);
    spec.kind = WVMI_MONITOR_MEMORY;
    spec.address = FORGED_NT_CREATE_FILE;
    spec.length = 16;
    spec.access = 4;
    CHECK_OK(wvmi_monitor_add(session, &spec, sizeof spec, on_event, &seen, NULL, &hook));
    for (uint64_t i = 0; i < 20; i++) {
        CHECK(!toy_execute(&toy, 0, FORGED_NT_CREATE_FILE + i));
        CHECK_OK(wvmi_session_poll(session, 1000));
        CHECK(seen.calls == (i < 16 ? i + 1 : 16) && toy.cpus[0].executed == i + 1);
        CHECK(seen.details.kind == WVMI_EVENT_MEMORY && seen.details.access == 4);
    }
    CHECK(seen.details.memory_virtual == FORGED_NT_CREATE_FILE + 15);
    CHECK(toy.frames == 0 && toy_word(&toy, pa) == word);
    CHECK(toy_run_at(&toy, 0, TOY_ELSEWHERE + 0x10000, TOY_READ, pa, 0));
    CHECK_OK(wvmi_hook_remove(session, hook));
    CHECK(toy_execute(&toy, 0, FORGED_NT_CREATE_FILE));
    toy_close(&toy, session);
}

static void callbacks_stop_the_loop(void)
{
    struct toy toy;
    struct seen seen;
    wvmi_session *session = toy_open(&toy);
    wvmi_breakpoint_spec spec = scoped(WVMI_SCOPE_ALL, 0, NULL);
    wvmi_hook hook = 0;
    memset(&seen, 0, sizeof seen);
    seen.stop = session;
    CHECK_OK(wvmi_breakpoint_insert(session, &spec, sizeof spec, on_event, &seen, NULL, &hook));
    for (unsigned i = 1; i < 4; i++) {
        CHECK(!toy_execute(&toy, 0, FORGED_NT_CREATE_FILE));
        CHECK_STATUS(wvmi_session_run(session), WVMI_STOPPED);
        CHECK(seen.calls == i && toy.cpus[0].executed == i);
    }
    toy_close(&toy, session);
}

int main(int argc, char **argv)
{
    begin(argc, argv);
    scopes_take_in_whom_they_name();
    registers_of_every_processor_are_got_and_set();
    ports_and_page_walks_are_told();
    execution_of_ranges_is_told();
    callbacks_stop_the_loop();
    return 0;
}
