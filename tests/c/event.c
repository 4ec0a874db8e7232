/* Hooks and events of a guest that does not run: every call says so, and
 * releases what it was given. */
#include "check.h"

static int calls;
static int releases;

static wvmi_action on_event(wvmi_event *event, void *user_data)
{
    (void)event;
    (void)user_data;
    calls++;
    return WVMI_ACTION_CONTINUE;
}

static wvmi_action on_entry(wvmi_event *event, void **value, void *user_data)
{
    *value = user_data;
    return on_event(event, user_data);
}

static wvmi_action on_return(wvmi_event *event, const wvmi_call_details *call, void *user_data)
{
    CHECK(call->end <= WVMI_CALL_DETACHED);
    return on_event(event, user_data);
}

static void on_release(void *user_data)
{
    ++*(int *)user_data;
}

static wvmi_breakpoint_spec create_file(void)
{
    wvmi_breakpoint_spec spec;
    memset(&spec, 0, sizeof spec);
    spec.symbol = "nt!NtCreateFile";
    return spec;
}

static void refuse_breakpoints(wvmi_session *session)
{
    wvmi_breakpoint_spec spec = create_file();
    wvmi_hook hook = 0;
    size_t failed = 77;
    CHECK_STATUS(wvmi_breakpoint_insert(session, &spec, sizeof spec, on_event, &releases,
                                        on_release, &hook),
                 WVMI_ERROR_NOT_SUPPORTED);
    CHECK(releases == 1);
    CHECK_STATUS(wvmi_breakpoint_insert(session, &spec, sizeof spec, NULL, &releases, on_release,
                                        &hook),
                 WVMI_ERROR_NULL_ARGUMENT);
    CHECK_STATUS(wvmi_breakpoint_insert(NULL, &spec, sizeof spec, on_event, &releases, on_release,
                                        &hook),
                 WVMI_ERROR_NULL_ARGUMENT);
    CHECK(releases == 3);
    spec.symbol = "nt!NoSuchFunction";
    CHECK_STATUS(wvmi_breakpoint_insert_many(session, &spec, sizeof spec, 1, on_event, NULL, NULL, &hook,
                                             &failed),
                 WVMI_ERROR_NOT_FOUND);
    CHECK(failed == 0);
    spec.scope_kind = 99;
    CHECK_STATUS(wvmi_breakpoint_insert(session, &spec, sizeof spec, on_event, NULL, NULL, &hook),
                 WVMI_ERROR_INVALID_ARGUMENT);
    CHECK(hook == 0);
}

static void refuse_other_hooks(wvmi_session *session)
{
    wvmi_breakpoint_spec spec = create_file();
    wvmi_monitor_spec monitor;
    wvmi_hook hook = 0;
    uint32_t visible = 77;
    releases = 0;
    CHECK_STATUS(wvmi_call_hook_insert(session, &spec, sizeof spec, on_entry, on_return, &releases,
                                       on_release, &hook),
                 WVMI_ERROR_NOT_SUPPORTED);
    CHECK_STATUS(wvmi_call_hook_insert(session, &spec, sizeof spec, on_entry, NULL, &releases,
                                       on_release, &hook),
                 WVMI_ERROR_NULL_ARGUMENT);
    CHECK(releases == 2);
    memset(&monitor, 0, sizeof monitor);
    monitor.kind = WVMI_MONITOR_CONTROL_REGISTER;
    monitor.number = 3;
    CHECK_STATUS(wvmi_monitor_add(session, &monitor, sizeof monitor, on_event, &releases,
                                  on_release, &hook),
                 WVMI_ERROR_NOT_SUPPORTED);
    monitor.number = 2;
    CHECK_STATUS(wvmi_monitor_add(session, &monitor, sizeof monitor, on_event, &releases,
                                  on_release, &hook),
                 WVMI_ERROR_INVALID_ARGUMENT);
    CHECK(releases == 4 && hook == 0);
    CHECK_STATUS(wvmi_hook_remove(session, 1), WVMI_ERROR_NOT_SUPPORTED);
    CHECK_STATUS(wvmi_breakpoints_are_visible(session, &visible), WVMI_ERROR_NOT_SUPPORTED);
    CHECK(visible == 77);
}

static void refuse_the_loop(wvmi_session *session)
{
    int32_t fd = -1;
    CHECK_STATUS(wvmi_session_run(session), WVMI_ERROR_NOT_SUPPORTED);
    CHECK_STATUS(wvmi_session_poll(session, 1), WVMI_ERROR_NOT_SUPPORTED);
    CHECK_STATUS(wvmi_session_fd(session, &fd), WVMI_ERROR_NOT_SUPPORTED);
    CHECK_STATUS(wvmi_session_stop(session), WVMI_ERROR_NOT_SUPPORTED);
    CHECK_STATUS(wvmi_session_wakeup(session), WVMI_ERROR_NOT_SUPPORTED);
    CHECK(fd == -1);
}

static void refuse_no_event(void)
{
    wvmi_event_details details;
    wvmi_registers registers;
    uint64_t value;
    memset(&registers, 0, sizeof registers);
    CHECK_STATUS(wvmi_event_info(NULL, &details, sizeof details), WVMI_ERROR_NULL_ARGUMENT);
    CHECK_STATUS(wvmi_event_argument(NULL, 0, &value), WVMI_ERROR_NULL_ARGUMENT);
    CHECK_STATUS(wvmi_event_arguments(NULL, &value, 1), WVMI_ERROR_NULL_ARGUMENT);
    CHECK_STATUS(wvmi_event_syscall_argument(NULL, 0, &value), WVMI_ERROR_NULL_ARGUMENT);
    CHECK_STATUS(wvmi_event_return_address(NULL, &value), WVMI_ERROR_NULL_ARGUMENT);
    CHECK_STATUS(wvmi_event_return_value(NULL, &value), WVMI_ERROR_NULL_ARGUMENT);
    CHECK_STATUS(wvmi_event_set_registers(NULL, &registers, sizeof registers),
                 WVMI_ERROR_NULL_ARGUMENT);
    CHECK_STATUS(wvmi_event_skip_function(NULL, 0, 0), WVMI_ERROR_NULL_ARGUMENT);
    CHECK_STATUS(wvmi_event_deny(NULL), WVMI_ERROR_NULL_ARGUMENT);
    CHECK_STATUS(wvmi_event_request_page(NULL, 0, 1), WVMI_ERROR_NULL_ARGUMENT);
}

int main(int argc, char **argv)
{
    wvmi_session *session;
    begin(argc, argv);
    session = open_forged();
    refuse_breakpoints(session);
    refuse_other_hooks(session);
    refuse_the_loop(session);
    refuse_no_event();
    CHECK(calls == 0);
    CHECK_OK(wvmi_session_close(session));
    return 0;
}
