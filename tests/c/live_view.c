/* Views and frames of the caller's own in a guest that runs. */
#include "toy_guest.h"

struct seen {
    unsigned calls;
    wvmi_event_details details;
};

static wvmi_action on_event(wvmi_event *event, void *user_data)
{
    struct seen *seen = (struct seen *)user_data;
    CHECK_OK(wvmi_event_info(event, &seen->details, sizeof seen->details));
    seen->calls++;
    return WVMI_ACTION_CONTINUE;
}

static wvmi_hook watch(wvmi_session *session, const wvmi_view *view, struct seen *seen)
{
    wvmi_monitor_spec spec;
    wvmi_hook hook = 0;
    memset(seen, 0, sizeof *seen);
    memset(&spec, 0, sizeof spec);
    spec.kind = WVMI_MONITOR_VIEW;
    spec.view = view;
    CHECK_OK(wvmi_monitor_add(session, &spec, sizeof spec, on_event, seen, NULL, &hook));
    return hook;
}

/* What is shown, what is denied, and what is made in the guest's own memory. */
static void views_show_and_deny(void)
{
    struct toy toy;
    struct seen seen;
    wvmi_session *session = toy_open(&toy);
    wvmi_view *view = NULL;
    wvmi_hook_details details;
    wvmi_hook hook;
    uint64_t pa = toy_translate(&toy, FORGED_KERNEL_BASE, NULL), word = toy_word(&toy, pa);
    uint64_t frame = 0, hidden = UINT64_C(0x1122334455667788), number = 0;
    uint32_t access = 77;
    CHECK_OK(wvmi_view_new(session, TOY_FULL, &view));
    CHECK(view != NULL && toy.cpus[0].view != 0);
    CHECK_OK(wvmi_frame_new(session, &frame));
    CHECK(frame % 4096 == 0 && frame >= TOY_FIRST_FRAME);
    CHECK_OK(wvmi_read_u64(session, space_of(WVMI_SPACE_PHYSICAL, 0), frame, &number));
    CHECK(number == 0);
    CHECK_OK(wvmi_write(session, space_of(WVMI_SPACE_PHYSICAL, 0), frame,
                        (const uint8_t *)&hidden, sizeof hidden, NULL));
    CHECK_OK(wvmi_view_show_frame(view, pa & TOY_PAGE, frame));
    CHECK_STATUS(wvmi_frame_free(session, frame), WVMI_ERROR_BUSY);
    hook = watch(session, view, &seen);
    CHECK_OK(wvmi_hook_info(session, hook, &details, sizeof details));
    CHECK(details.active == 1 && details.pending == WVMI_PENDING_NOTHING);
    /* Nobody is in the view yet. */
    CHECK(toy_run_at(&toy, 0, TOY_ELSEWHERE, TOY_READ, pa, 0));
    CHECK(toy.cpus[0].last_read == word);
    CHECK_OK(wvmi_view_switch(session, view));
    CHECK(toy_run_at(&toy, 0, TOY_ELSEWHERE, TOY_READ, pa, 0));
    CHECK(toy.cpus[0].last_read == hidden && seen.calls == 0);
    /* Readers see the guest's own page, as ever. */
    CHECK_OK(wvmi_read_u64(session, kernel_space(), FORGED_KERNEL_BASE, &number));
    CHECK(number == word);
    CHECK_OK(wvmi_view_access(view, pa, &access));
    CHECK(access == 7);
    CHECK_OK(wvmi_view_set_access(view, pa, 4));
    CHECK_OK(wvmi_view_access(view, pa, &access));
    CHECK(access == 4);
    CHECK(!toy_run_at(&toy, 0, TOY_ELSEWHERE, TOY_READ, pa, 0));
    CHECK_OK(wvmi_session_poll(session, 1000));
    CHECK(seen.calls == 1 && seen.details.kind == WVMI_EVENT_MEMORY && seen.details.access == 1);
    CHECK(seen.details.memory_physical == pa && toy.cpus[0].last_read == word);
    CHECK(toy.cpus[0].executed == 3);
    CHECK_OK(wvmi_view_reset_frame(view, pa & TOY_PAGE));
    CHECK_OK(wvmi_view_access(view, pa, &access));
    CHECK(access == 4);
    CHECK_OK(wvmi_view_set_access(view, pa, 7));
    CHECK(toy_run_at(&toy, 0, TOY_ELSEWHERE, TOY_READ, pa, 0));
    CHECK(toy.cpus[0].last_read == word);
    CHECK_OK(wvmi_frame_free(session, frame));
    CHECK_STATUS(wvmi_frame_free(session, frame), WVMI_ERROR_NOT_FOUND);
    wvmi_view_free(view);
    CHECK(toy.view_count == 1 && toy.cpus[1].view != 0);
    CHECK_OK(wvmi_hook_info(session, hook, &details, sizeof details));
    CHECK(details.active == 0 && details.pending == WVMI_PENDING_VIEW);
    CHECK_OK(wvmi_hook_remove(session, hook));
    CHECK_STATUS(wvmi_hook_info(session, hook, &details, sizeof details), WVMI_ERROR_NOT_FOUND);
    toy_close(&toy, session);
}

/* Hooks act in the library's view, and again when the processors are back. */
static void hooks_wait_for_their_view(void)
{
    struct toy toy;
    struct seen seen;
    wvmi_session *session = toy_open(&toy);
    wvmi_breakpoint_spec spec;
    wvmi_view *view = NULL;
    wvmi_hook hook = 0;
    memset(&seen, 0, sizeof seen);
    memset(&spec, 0, sizeof spec);
    spec.symbol = "nt!NtCreateFile";
    CHECK_OK(wvmi_breakpoint_insert(session, &spec, sizeof spec, on_event, &seen, NULL, &hook));
    CHECK_OK(wvmi_view_new(session, TOY_FULL, &view));
    CHECK_OK(wvmi_view_switch(session, view));
    CHECK(toy_execute(&toy, 0, FORGED_NT_CREATE_FILE));
    CHECK_OK(wvmi_view_switch(session, NULL));
    CHECK(!toy_execute(&toy, 0, FORGED_NT_CREATE_FILE));
    CHECK_OK(wvmi_session_poll(session, 1000));
    CHECK(seen.calls == 1);
    wvmi_view_free(view);
    toy_close(&toy, session);
}

static void what_is_left_over_answers_closed(void)
{
    struct toy toy;
    wvmi_session *session = toy_open(&toy);
    wvmi_view *view = NULL;
    uint64_t frame = 0, pa;
    uint32_t access = 77;
    pa = toy_translate(&toy, FORGED_KERNEL_BASE, NULL) & TOY_PAGE;
    CHECK_OK(wvmi_view_new(session, 5, &view));
    CHECK_OK(wvmi_frame_new(session, &frame));
    CHECK_OK(wvmi_view_show_frame(view, pa, frame));
    CHECK_OK(wvmi_view_switch(session, view));
    CHECK_OK(wvmi_session_close(session));
    toy_check_restored(&toy);
    CHECK_STATUS(wvmi_view_switch(session, view), WVMI_ERROR_CLOSED);
    CHECK_STATUS(wvmi_view_show_frame(view, pa, frame), WVMI_ERROR_CLOSED);
    CHECK_STATUS(wvmi_view_reset_frame(view, pa), WVMI_ERROR_CLOSED);
    CHECK_STATUS(wvmi_view_access(view, pa, &access), WVMI_ERROR_CLOSED);
    CHECK_STATUS(wvmi_view_set_access(view, pa, 7), WVMI_ERROR_CLOSED);
    CHECK_STATUS(wvmi_frame_free(session, frame), WVMI_ERROR_CLOSED);
    CHECK(access == 77);
    wvmi_view_free(view);
    toy_end(&toy);
}

static void bad_arguments_are_refused(void)
{
    struct toy toy, other;
    struct seen seen;
    wvmi_session *session = toy_open(&toy), *second = toy_open(&other);
    wvmi_monitor_spec spec;
    wvmi_view *view = NULL;
    wvmi_hook hook = 0;
    uint64_t frame = 0;
    memset(&seen, 0, sizeof seen);
    memset(&spec, 0, sizeof spec);
    CHECK_STATUS(wvmi_view_new(session, 16, &view), WVMI_ERROR_INVALID_ARGUMENT);
    CHECK_STATUS(wvmi_view_new(session, 7, NULL), WVMI_ERROR_NULL_ARGUMENT);
    CHECK(view == NULL && toy.view_count <= 1);
    CHECK_OK(wvmi_view_new(session, 7, &view));
    CHECK_STATUS(wvmi_view_switch(second, view), WVMI_ERROR_INVALID_ARGUMENT);
    CHECK_STATUS(wvmi_view_show_frame(view, 0x1001, 0x2000), WVMI_ERROR_INVALID_ARGUMENT);
    CHECK_STATUS(wvmi_view_show_frame(view, 0x1000, 0x2000), WVMI_ERROR_NOT_FOUND);
    CHECK_STATUS(wvmi_view_show_frame(NULL, 0x1000, 0x2000), WVMI_ERROR_NULL_ARGUMENT);
    CHECK_STATUS(wvmi_view_access(view, 0x1000, NULL), WVMI_ERROR_NULL_ARGUMENT);
    CHECK_STATUS(wvmi_view_set_access(view, 0x1000, 99), WVMI_ERROR_INVALID_ARGUMENT);
    CHECK_STATUS(wvmi_frame_new(session, NULL), WVMI_ERROR_NULL_ARGUMENT);
    CHECK_STATUS(wvmi_frame_free(session, 0x1000), WVMI_ERROR_NOT_FOUND);
    CHECK_STATUS(wvmi_frame_free(session, 0x1001), WVMI_ERROR_INVALID_ARGUMENT);
    spec.kind = WVMI_MONITOR_VIEW;
    CHECK_STATUS(wvmi_monitor_add(session, &spec, sizeof spec, on_event, &seen, NULL, &hook),
                 WVMI_ERROR_NULL_ARGUMENT);
    spec.view = view;
    CHECK_STATUS(wvmi_monitor_add(second, &spec, sizeof spec, on_event, &seen, NULL, &hook),
                 WVMI_ERROR_INVALID_ARGUMENT);
    CHECK(hook == 0 && frame == 0);
    wvmi_view_free(view);
    wvmi_view_free(NULL);
    toy_close(&toy, session);
    toy_close(&other, second);
}

static void images_and_plain_back_ends_have_none(void)
{
    struct toy toy;
    wvmi_driver_ops ops = toy_table_without_views();
    wvmi_session *image = open_without_symbols(), *session;
    wvmi_view *view = NULL;
    uint64_t frame = 0;
    CHECK_STATUS(wvmi_view_new(image, 7, &view), WVMI_ERROR_NOT_SUPPORTED);
    CHECK_STATUS(wvmi_frame_new(image, &frame), WVMI_ERROR_NOT_SUPPORTED);
    CHECK_OK(wvmi_session_close(image));
    toy_begin(&toy);
    session = toy_open_table(&toy, &ops);
    CHECK_STATUS(wvmi_view_new(session, 7, &view), WVMI_ERROR_NOT_SUPPORTED);
    CHECK_STATUS(wvmi_view_switch(session, NULL), WVMI_ERROR_NOT_SUPPORTED);
    CHECK_STATUS(wvmi_frame_new(session, &frame), WVMI_ERROR_NOT_SUPPORTED);
    toy_close(&toy, session);
}

/* All or nothing, and the guest as it was in the end. */
static void each_call_may_fail(void)
{
    unsigned failed = 0;
    bool done = false;
    for (unsigned long at = 1; !done; at++) {
        struct toy toy;
        wvmi_session *session = toy_open(&toy);
        wvmi_view *view = NULL;
        uint64_t frame = 0, pa = toy_translate(&toy, FORGED_KERNEL_BASE, NULL) & TOY_PAGE;
        toy.fail_at = toy.calls + at;
        if (wvmi_view_new(session, 7, &view) == WVMI_OK &&
            wvmi_frame_new(session, &frame) == WVMI_OK &&
            wvmi_view_show_frame(view, pa, frame) == WVMI_OK &&
            wvmi_view_switch(session, view) == WVMI_OK &&
            wvmi_view_reset_frame(view, pa) == WVMI_OK) {
            wvmi_frame_free(session, frame);
        }
        wvmi_view_free(view);
        done = toy.calls < toy.fail_at;
        failed += !done;
        toy.fail_at = 0;
        toy_close(&toy, session);
    }
    CHECK(failed > 12);
}

int main(int argc, char **argv)
{
    begin(argc, argv);
    views_show_and_deny();
    hooks_wait_for_their_view();
    what_is_left_over_answers_closed();
    bad_arguments_are_refused();
    images_and_plain_back_ends_have_none();
    each_call_may_fail();
    return 0;
}
