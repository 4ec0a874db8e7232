/* Back ends of a running guest that are half, that fail, and that lie. */
#include "toy_guest.h"

static unsigned calls;

static wvmi_action on_event(wvmi_event *event, void *user_data)
{
    (void)event;
    (void)user_data;
    calls++;
    return WVMI_ACTION_CONTINUE;
}

static wvmi_status insert(wvmi_session *session, wvmi_hook *hook)
{
    wvmi_breakpoint_spec spec;
    memset(&spec, 0, sizeof spec);
    spec.address = FORGED_NT_CREATE_FILE;
    return wvmi_breakpoint_insert(session, &spec, sizeof spec, on_event, NULL, NULL, hook);
}

static void capabilities_are_those_of_the_table(void)
{
    const uint64_t control = WVMI_CAPABILITY_CONTROL, views = WVMI_CAPABILITY_VIEWS,
                   events = WVMI_CAPABILITY_EVENTS;
    struct toy toy;
    wvmi_session_details details;
    wvmi_driver_ops ops = toy_table();
    for (int i = 0; i < 3; i++) {
        wvmi_session *session;
        uint64_t want = i == 0 ? control | views | events : i == 1 ? control | events : control;
        if (i == 1) {
            ops = toy_table_without_views();
        } else if (i == 2) {
            ops.enable_events = ops.disable_events = NULL;
            ops.wait_events = NULL;
            ops.events_fd = NULL;
        }
        toy_begin(&toy);
        session = toy_open_table(&toy, &ops);
        CHECK_OK(wvmi_session_info(session, &details, sizeof details));
        CHECK(details.capabilities & WVMI_CAPABILITY_LIVE);
        CHECK((details.capabilities & (control | views | events)) == want);
        if (i == 2) {
            wvmi_hook hook = 0;
            CHECK_STATUS(insert(session, &hook), WVMI_ERROR_NOT_SUPPORTED);
        }
        toy_close(&toy, session);
    }
}

static void refused(const wvmi_driver_ops *ops, wvmi_status status, const char *field)
{
    struct toy toy;
    wvmi_session *session = NULL;
    wvmi_error error;
    memset(&toy, 0, sizeof toy);
    CHECK_STATUS(wvmi_session_open_driver(ops, sizeof *ops, &toy, NULL, &session), status);
    wvmi_last_error(&error, sizeof error);
    CHECK(strstr(error.message, field) != NULL);
    CHECK(toy.released == 1 && session == NULL);
}

/* Opens the whole table without one of its functions. */
#define WITHOUT(field, named)                                                                     \
    do {                                                                                          \
        wvmi_driver_ops ops = toy_table();                                                        \
        ops.field = NULL;                                                                         \
        refused(&ops, WVMI_ERROR_NULL_ARGUMENT, "ops->" named);                                   \
    } while (0)

static void half_tables_say_what_is_missing(void)
{
    wvmi_driver_ops ops = toy_table();
    WITHOUT(pause, "pause");
    WITHOUT(resume, "resume");
    WITHOUT(reset_events, "reset_events");
    WITHOUT(allocate_frame, "allocate_frame");
    WITHOUT(free_frame, "free_frame");
    WITHOUT(create_view, "create_view");
    WITHOUT(destroy_view, "destroy_view");
    WITHOUT(switch_view, "switch_view");
    WITHOUT(remap_page, "remap_page");
    WITHOUT(reset_page, "reset_page");
    WITHOUT(get_page_access, "get_page_access");
    WITHOUT(set_page_access, "set_page_access");
    WITHOUT(enable_events, "enable_events");
    WITHOUT(disable_events, "disable_events");
    WITHOUT(wait_events, "wait_events");
    WITHOUT(write_physical, "write_physical");
    WITHOUT(get_registers, "get_registers");
    ops.live = 0;
    refused(&ops, WVMI_ERROR_INVALID_ARGUMENT, "ops->live");
    ops = toy_table();
    ops.default_view = 65536;
    refused(&ops, WVMI_ERROR_INVALID_ARGUMENT, "ops->default_view");
}

/* Hosts that know the read side only still pass. */
static void old_tables_pass(void)
{
    struct toy toy;
    wvmi_driver_ops ops = toy_table();
    wvmi_session *session = NULL;
    wvmi_session_details details;
    toy_begin(&toy);
    CHECK_OK(wvmi_session_open_driver(&ops, offsetof(wvmi_driver_ops, pause), &toy, NULL, &session));
    CHECK_OK(wvmi_session_info(session, &details, sizeof details));
    CHECK((details.capabilities & WVMI_CAPABILITY_CONTROL) == 0);
    toy_close(&toy, session);
}

/* Whichever call fails: the guest is as before, or as asked for; never between. */
static void each_call_may_fail(bool with_views)
{
    unsigned long failed = 0;
    for (unsigned long at = 1;; at++) {
        struct toy toy;
        wvmi_driver_ops ops = with_views ? toy_table() : toy_table_without_views();
        wvmi_session *session;
        wvmi_hook hook = 0;
        wvmi_status status;
        unsigned long done;
        uint64_t word = 0;
        toy_begin(&toy);
        session = toy_open_table(&toy, &ops);
        toy.fail_at = at;
        status = insert(session, &hook);
        if (status == WVMI_OK) {
            CHECK(!toy_execute(&toy, 0, FORGED_NT_CREATE_FILE));
            CHECK(wvmi_session_poll(session, 1000) >= 0);
            CHECK(toy.cpus[0].own_int3 == 0);
            status = wvmi_hook_remove(session, hook);
            if (status != WVMI_OK) {
                CHECK_OK(wvmi_hook_remove(session, hook));
            }
        } else {
            CHECK_STATUS(status, WVMI_ERROR_BACK_END);
            CHECK(toy_execute(&toy, 0, FORGED_NT_CREATE_FILE));
        }
        CHECK_OK(wvmi_read_u64(session, kernel_space(), FORGED_NT_CREATE_FILE, &word));
        done = toy.calls;
        failed += done >= at;
        toy.fail_at = 0;
        CHECK_OK(wvmi_session_close(session));
        CHECK(toy.frames == 0 && toy.view_count == 0 && toy.monitor_count == 0);
        toy_end(&toy);
        if (done < at) {
            break;
        }
    }
    CHECK(failed >= 5);
}

static wvmi_status lie_frame(void *context, uint64_t *frame)
{
    (void)context;
    *frame = 0x123;
    return WVMI_OK;
}

static wvmi_status lie_view(void *context, uint32_t access, uint32_t *view)
{
    (void)context;
    (void)access;
    *view = 0x10000;
    return WVMI_OK;
}

static wvmi_status lie_default_view(void *context, uint32_t access, uint32_t *view)
{
    (void)context;
    (void)access;
    *view = 0;
    return WVMI_OK;
}

static wvmi_status lie_access(void *context, uint32_t view, uint64_t frame, uint32_t *access)
{
    (void)context;
    (void)view;
    (void)frame;
    *access = 0xffffffff;
    return WVMI_OK;
}

static wvmi_status lie_fd(void *context, int32_t *descriptor)
{
    (void)context;
    *descriptor = -5;
    return WVMI_OK;
}

static void expect_insert(const wvmi_driver_ops *ops, wvmi_status status)
{
    struct toy toy;
    wvmi_session *session;
    wvmi_hook hook = 0;
    toy_begin(&toy);
    session = toy_open_table(&toy, ops);
    CHECK_STATUS(insert(session, &hook), status);
    wvmi_session_close(session);
    toy_end(&toy);
}

static void lies_are_errors(void)
{
    wvmi_driver_ops ops = toy_table();
    ops.allocate_frame = lie_frame;
    expect_insert(&ops, WVMI_ERROR_BACK_END);
    ops = toy_table();
    ops.create_view = lie_view;
    expect_insert(&ops, WVMI_ERROR_BACK_END);
    ops.create_view = lie_default_view;
    expect_insert(&ops, WVMI_ERROR_BACK_END);
    ops = toy_table();
    ops.get_page_access = lie_access;
    expect_insert(&ops, WVMI_ERROR_BACK_END);
}

static void descriptors_are_checked(void)
{
    struct toy toy;
    wvmi_driver_ops ops = toy_table();
    wvmi_session *session;
    wvmi_hook hook = 0;
    int32_t fd = 77;
    ops.events_fd = lie_fd;
    toy_begin(&toy);
    session = toy_open_table(&toy, &ops);
    CHECK_STATUS(wvmi_session_fd(session, &fd), WVMI_ERROR_BACK_END);
    CHECK(fd == 77);
    /* The loop looks at intervals then. */
    CHECK_OK(insert(session, &hook));
    calls = 0;
    CHECK(!toy_execute(&toy, 0, FORGED_NT_CREATE_FILE));
    CHECK_OK(wvmi_session_poll(session, 1000));
    CHECK(calls == 1);
    toy_close(&toy, session);
}

/* What a wait did with its answer function, in all the wrong ways. */
static struct {
    wvmi_driver_answer answer;
    void *context;
    const wvmi_driver_event *event;
    wvmi_driver_response response;
} wrong;

static void *answer_elsewhere(void *unused)
{
    wrong.answer(wrong.context, wrong.event, sizeof *wrong.event, &wrong.response,
                 sizeof wrong.response);
    return unused;
}

static wvmi_status wait_wrongly(void *context, uint32_t timeout_ms, wvmi_driver_answer answer,
                                void *answer_context)
{
    static const uint32_t kinds[] = {0, 1, 99, UINT32_MAX, WVMI_EVENT_INTERRUPT,
                                     WVMI_EVENT_CONTROL_REGISTER, WVMI_EVENT_IO};
    wvmi_driver_event event;
    wvmi_driver_response response;
    wvmi_registers registers = ((struct toy *)context)->cpus[0].registers;
    pthread_t thread;
    (void)timeout_ms;
    if (wrong.answer) {
        return WVMI_TIMEOUT;
    }
    for (size_t i = 0; i < COUNT(kinds); i++) {
        memset(&event, 0xff, sizeof event);
        event.registers = NULL;
        event.kind = kinds[i];
        event.vcpu = (uint32_t)(i * 40000);
        memset(&response, 0xee, sizeof response);
        answer(answer_context, &event, sizeof event, &response, sizeof response);
        CHECK(response.action == WVMI_DRIVER_CONTINUE && response.registers == NULL);
    }
    answer(answer_context, NULL, sizeof event, &response, sizeof response);
    CHECK(response.action == WVMI_DRIVER_CONTINUE);
    answer(answer_context, &event, sizeof event, NULL, sizeof response);
    answer(answer_context, &event, 0, &response, sizeof response);
    /* A hit, told by a host whose structures are shorter, and by one whose are longer. */
    memset(&event, 0, sizeof event);
    registers.rip = FORGED_NT_CREATE_FILE;
    event.registers = &registers;
    event.registers_size = sizeof registers;
    event.kind = WVMI_EVENT_INTERRUPT;
    event.interrupt.vector = 3;
    event.interrupt.kind = WVMI_INTERRUPT_SOFTWARE_EXCEPTION;
    for (size_t size = 0; size < 2; size++) {
        struct {
            wvmi_driver_response response;
            uint8_t more[24];
        } longer;
        memset(&longer, 0xee, sizeof longer);
        answer(answer_context, &event, sizeof event, &longer.response,
               size == 0 ? sizeof longer : offsetof(wvmi_driver_response, view));
        CHECK(longer.response.action == WVMI_DRIVER_FAST_SINGLE_STEP);
        CHECK(longer.response.step_view == 0);
        CHECK(longer.more[23] == (size == 0 ? 0 : 0xee));
        CHECK(size == 0 || longer.response.view == 0xeeeeeeee);
    }
    wrong.answer = answer;
    wrong.context = answer_context;
    wrong.event = &event;
    CHECK(pthread_create(&thread, NULL, answer_elsewhere, NULL) == 0);
    CHECK(pthread_join(thread, NULL) == 0);
    CHECK(wrong.response.action == WVMI_DRIVER_CONTINUE);
    return WVMI_TIMEOUT;
}

static void answers_survive_everything(void)
{
    struct toy toy;
    wvmi_driver_ops ops = toy_table();
    wvmi_session *session;
    wvmi_hook hook = 0;
    ops.wait_events = wait_wrongly;
    toy_begin(&toy);
    session = toy_open_table(&toy, &ops);
    CHECK_OK(insert(session, &hook));
    calls = 0;
    CHECK_OK(wvmi_session_poll(session, 0));
    CHECK(calls == 2);
    toy_close(&toy, session);
}

int main(int argc, char **argv)
{
    begin(argc, argv);
    capabilities_are_those_of_the_table();
    half_tables_say_what_is_missing();
    old_tables_pass();
    each_call_may_fail(true);
    each_call_may_fail(false);
    lies_are_errors();
    descriptors_are_checked();
    answers_survive_everything();
    return 0;
}
