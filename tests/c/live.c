/* Breakpoints and call hooks in a guest that runs, hidden and visible, and the
 * guest as it was afterwards. */
#include "toy_guest.h"

struct seen {
    unsigned calls, ended, released;
    uint32_t last_end;
    uint64_t last_value, sequence, missed;
    uint32_t flags;
    void *call_value;
    wvmi_action action;
};

static wvmi_action on_hit(wvmi_event *event, void *user_data)
{
    struct seen *seen = (struct seen *)user_data;
    wvmi_event_details details;
    CHECK_OK(wvmi_event_info(event, &details, sizeof details));
    CHECK(details.kind == WVMI_EVENT_BREAKPOINT && details.sequence > seen->sequence);
    CHECK(details.registers.rip == FORGED_NT_CREATE_FILE);
    CHECK(details.valid & WVMI_EVENT_VALID_IDENTITY);
    CHECK(details.vcpu > 0 || details.thread.object == FORGED_CURRENT_THREAD);
    seen->sequence = details.sequence;
    seen->missed = details.missed;
    seen->flags = details.flags;
    seen->calls++;
    return seen->action;
}

static void on_release(void *user_data)
{
    ((struct seen *)user_data)->released++;
}

static wvmi_breakpoint_spec create_file(void)
{
    wvmi_breakpoint_spec spec;
    memset(&spec, 0, sizeof spec);
    spec.symbol = "nt!NtCreateFile";
    return spec;
}

static wvmi_hook insert(wvmi_session *session, struct seen *seen)
{
    wvmi_breakpoint_spec spec = create_file();
    wvmi_hook hook = 0;
    CHECK_OK(wvmi_breakpoint_insert(session, &spec, sizeof spec, on_hit, seen, on_release, &hook));
    CHECK(hook != 0);
    return hook;
}

static uint64_t code_word(wvmi_session *session)
{
    uint64_t word = 0;
    CHECK_OK(wvmi_read_u64(session, kernel_space(), FORGED_NT_CREATE_FILE, &word));
    return word;
}

static void breakpoints_are_hit_and_hidden(bool with_views)
{
    struct toy toy;
    struct seen seen;
    wvmi_driver_ops ops = with_views ? toy_table() : toy_table_without_views();
    wvmi_session *session;
    wvmi_hook hook;
    uint64_t word, pa;
    uint32_t visible = 77;
    memset(&seen, 0, sizeof seen);
    toy_begin(&toy);
    session = toy_open_table(&toy, &ops);
    word = code_word(session);
    pa = toy_translate(&toy, FORGED_NT_CREATE_FILE, NULL);
    hook = insert(session, &seen);
    CHECK_OK(wvmi_breakpoints_are_visible(session, &visible));
    CHECK(visible == (with_views ? 0 : 1));
    /* The library reads what the guest wrote, and so does a guest with views. */
    CHECK(code_word(session) == word);
    CHECK((toy_word(&toy, pa) == word) == with_views);
    CHECK(!toy_execute(&toy, 0, FORGED_NT_CREATE_FILE));
    CHECK_OK(wvmi_session_poll(session, 1000));
    CHECK(seen.calls == 1 && toy.cpus[0].executed == 1 && toy.cpus[0].own_int3 == 0);
    CHECK(toy.cpus[0].registers.rip == FORGED_NT_CREATE_FILE + 1);
    /* Both processors at once. */
    CHECK(!toy_execute(&toy, 0, FORGED_NT_CREATE_FILE));
    CHECK(!toy_execute(&toy, 1, FORGED_NT_CREATE_FILE));
    CHECK_OK(wvmi_session_poll(session, 1000));
    CHECK(seen.calls == 3 && toy.cpus[0].executed == 2 && toy.cpus[1].executed == 1);
    CHECK(toy_run_at(&toy, 0, TOY_ELSEWHERE, TOY_READ, pa, 0) != with_views);
    if (with_views) {
        CHECK_OK(wvmi_session_poll(session, 1000));
        CHECK(toy.cpus[0].last_read == word);
    }
    /* What the guest writes over a patch stays, and the patch too. */
    toy_run_at(&toy, 0, TOY_ELSEWHERE, TOY_WRITE, pa + 8, 0x1122334455667788);
    CHECK_STATUS(wvmi_session_poll(session, 50), with_views ? WVMI_OK : WVMI_TIMEOUT);
    CHECK(toy_word(&toy, pa + 8) == 0x1122334455667788);
    CHECK(!toy_execute(&toy, 0, FORGED_NT_CREATE_FILE));
    CHECK_OK(wvmi_session_poll(session, 1000));
    CHECK(seen.calls == 4);
    CHECK_OK(wvmi_hook_remove(session, hook));
    CHECK(seen.released == 1);
    CHECK_STATUS(wvmi_hook_remove(session, hook), WVMI_ERROR_NOT_FOUND);
    CHECK(toy_execute(&toy, 0, FORGED_NT_CREATE_FILE));
    hook = insert(session, &seen);
    /* An event that is on its way when the session closes is answered. */
    CHECK(!toy_execute(&toy, 1, FORGED_NT_CREATE_FILE));
    CHECK_OK(wvmi_session_close(session));
    CHECK(seen.calls == 4 && seen.released == 2 && toy_word(&toy, pa) == word);
    CHECK(toy.cpus[1].own_int3 == 0 && toy.cpus[1].executed == 2);
    CHECK(toy_execute(&toy, 1, FORGED_NT_CREATE_FILE));
    CHECK_STATUS(wvmi_hook_remove(session, hook), WVMI_ERROR_CLOSED);
    toy_check_restored(&toy);
    toy_end(&toy);
}

/* The guest's own INT3 is the guest's. */
static void foreign_int3_is_given_back(void)
{
    struct toy toy;
    struct seen seen;
    wvmi_session *session = toy_open(&toy);
    memset(&seen, 0, sizeof seen);
    toy_poke(&toy, TOY_ELSEWHERE, 0xcc);
    insert(session, &seen);
    CHECK(!toy_execute(&toy, 0, TOY_ELSEWHERE));
    CHECK_OK(wvmi_session_poll(session, 1000));
    CHECK(toy.cpus[0].own_int3 == 1 && seen.calls == 0);
    toy_close(&toy, session);
}

/* A page that goes and comes back keeps its breakpoint. */
static void breakpoints_follow_pages(void)
{
    struct toy toy;
    struct seen seen;
    wvmi_session *session = toy_open(&toy);
    uint64_t entry = 0, word;
    memset(&seen, 0, sizeof seen);
    CHECK(toy_translate(&toy, FORGED_NT_CREATE_FILE, &entry) != 0);
    word = toy_word(&toy, entry);
    toy_poke(&toy, FORGED_NT_CREATE_FILE & TOY_PAGE, 0); /* its page is written */
    toy_run_at(&toy, 1, TOY_ELSEWHERE, TOY_WRITE, entry, word);
    insert(session, &seen);
    CHECK(!toy_run_at(&toy, 1, FORGED_KERNEL_BASE, TOY_WRITE, entry, 0));
    CHECK_OK(wvmi_session_poll(session, 1000));
    CHECK(toy_translate(&toy, FORGED_NT_CREATE_FILE, NULL) == 0);
    CHECK(!toy_run_at(&toy, 1, FORGED_KERNEL_BASE, TOY_WRITE, entry, word));
    CHECK_OK(wvmi_session_poll(session, 1000));
    CHECK(!toy_execute(&toy, 0, FORGED_NT_CREATE_FILE));
    CHECK_OK(wvmi_session_poll(session, 1000));
    CHECK(seen.calls == 1 && toy.cpus[0].executed == 1);
    toy_close(&toy, session);
}

static void many_subscribers_and_actions(void)
{
    struct toy toy;
    struct seen first, second;
    wvmi_session *session = toy_open(&toy);
    wvmi_hook hooks[2];
    wvmi_breakpoint_spec specs[2];
    void *data[2];
    size_t failed = 77;
    memset(&first, 0, sizeof first);
    memset(&second, 0, sizeof second);
    specs[0] = specs[1] = create_file();
    data[0] = &first;
    data[1] = &second;
    CHECK_OK(wvmi_breakpoint_insert_many(session, specs, sizeof specs[0], 2, on_hit, data, NULL, hooks,
                                         &failed));
    CHECK(toy.frames == 1 && hooks[0] != hooks[1]);
    first.action = WVMI_ACTION_REMOVE;
    second.action = WVMI_ACTION_STOP;
    CHECK(!toy_execute(&toy, 0, FORGED_NT_CREATE_FILE));
    CHECK_STATUS(wvmi_session_run(session), WVMI_STOPPED);
    CHECK(first.calls == 1 && second.calls == 1);
    CHECK_STATUS(wvmi_hook_remove(session, hooks[0]), WVMI_ERROR_NOT_FOUND);
    CHECK(!toy_execute(&toy, 0, FORGED_NT_CREATE_FILE));
    CHECK_STATUS(wvmi_session_run(session), WVMI_STOPPED);
    CHECK(first.calls == 1 && second.calls == 2);
    toy_close(&toy, session);
}

static void rate_limits_suspend(void)
{
    struct toy toy;
    struct seen seen;
    wvmi_session *session = toy_open(&toy);
    wvmi_breakpoint_spec spec = create_file();
    wvmi_hook hook = 0;
    memset(&seen, 0, sizeof seen);
    spec.limit_calls = 2;
    spec.limit_window_ms = 60000;
    spec.limit_suspension_ms = 200;
    CHECK_OK(wvmi_breakpoint_insert(session, &spec, sizeof spec, on_hit, &seen, NULL, &hook));
    for (int i = 0; i < 6; i++) {
        toy_execute(&toy, 0, FORGED_NT_CREATE_FILE);
        wvmi_session_poll(session, 0);
    }
    CHECK(seen.calls == 3 && (seen.flags & WVMI_EVENT_SUSPENDED) && seen.missed == 0);
    CHECK(toy.cpus[0].executed == 6);
    /* When the suspension is over, the next call tells how many hits it swallowed. */
    CHECK(poll(NULL, 0, 300) == 0);
    toy_execute(&toy, 0, FORGED_NT_CREATE_FILE);
    CHECK_OK(wvmi_session_poll(session, 1000));
    CHECK(seen.calls == 4 && !(seen.flags & WVMI_EVENT_SUSPENDED) && seen.missed == 3);
    toy_close(&toy, session);
}

static wvmi_action on_entry(wvmi_event *event, void **value, void *user_data)
{
    struct seen *seen = (struct seen *)user_data;
    uint64_t address = 0;
    CHECK_OK(wvmi_event_return_address(event, &address));
    CHECK(address == TOY_ELSEWHERE);
    CHECK(*value == NULL);
    seen->calls++;
    seen->call_value = *value = seen + seen->calls;
    return WVMI_ACTION_CONTINUE;
}

static wvmi_action on_return(wvmi_event *event, const wvmi_call_details *call, void *user_data)
{
    struct seen *seen = (struct seen *)user_data;
    CHECK(call->function == FORGED_NT_CREATE_FILE && call->value == seen->call_value);
    CHECK(call->thread.object == FORGED_CURRENT_THREAD);
    CHECK((event == NULL) == (call->end == WVMI_CALL_DETACHED));
    if (call->end == WVMI_CALL_RETURNED) {
        CHECK_OK(wvmi_event_return_value(event, &seen->last_value));
    }
    seen->last_end = call->end;
    seen->ended++;
    return WVMI_ACTION_CONTINUE;
}

static void enter(struct toy *toy, wvmi_session *session)
{
    toy_poke(toy, toy->cpus[0].registers.rsp, TOY_ELSEWHERE);
    CHECK(!toy_execute(toy, 0, FORGED_NT_CREATE_FILE));
    CHECK_OK(wvmi_session_poll(session, 1000));
}

static void calls_end_once(bool with_views)
{
    struct toy toy;
    struct seen seen;
    wvmi_driver_ops ops = with_views ? toy_table() : toy_table_without_views();
    wvmi_session *session;
    wvmi_breakpoint_spec spec = create_file();
    wvmi_hook hook = 0;
    memset(&seen, 0, sizeof seen);
    toy_begin(&toy);
    session = toy_open_table(&toy, &ops);
    CHECK_OK(wvmi_call_hook_insert(session, &spec, sizeof spec, on_entry, on_return, &seen,
                                   on_release, &hook));
    enter(&toy, session);
    CHECK(seen.calls == 1 && seen.ended == 0);
    toy.cpus[0].registers.rax = 0x1234;
    toy.cpus[0].registers.rsp += 8;
    CHECK(!toy_execute(&toy, 0, TOY_ELSEWHERE));
    CHECK_OK(wvmi_session_poll(session, 1000));
    CHECK(seen.ended == 1 && seen.last_end == WVMI_CALL_RETURNED && seen.last_value == 0x1234);
    /* Whoever passes the same place later returns from nothing. */
    toy_execute(&toy, 0, TOY_ELSEWHERE);
    CHECK(wvmi_session_poll(session, 0) >= 0);
    CHECK(seen.ended == 1 && toy.cpus[0].executed == 3);
    toy.cpus[0].registers.rsp -= 8;
    enter(&toy, session);
    CHECK(seen.calls == 2 && seen.ended == 1 && seen.released == 0);
    toy_close(&toy, session);
    CHECK(seen.ended == 2 && seen.last_end == WVMI_CALL_DETACHED && seen.released == 1);
}

int main(int argc, char **argv)
{
    begin(argc, argv);
    breakpoints_are_hit_and_hidden(true);
    breakpoints_are_hit_and_hidden(false);
    foreign_int3_is_given_back();
    breakpoints_follow_pages();
    many_subscribers_and_actions();
    rate_limits_suspend();
    calls_end_once(true);
    calls_end_once(false);
    return 0;
}
