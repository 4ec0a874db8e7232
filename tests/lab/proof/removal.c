/* Hooks that go, and come, while the loop runs. */
#include "proof.h"

#include <pthread.h>

#define FEW 10

struct removal {
    uint64_t self, victim, inserted, other, released;
    wvmi_hook victim_hook, other_hook;
    uint64_t at_removal;
    bool gone;
};

static wvmi_action on_inserted(wvmi_event *event, void *user_data)
{
    struct removal *removal = user_data;

    (void)event;
    removal->inserted++;
    return WVMI_ACTION_CONTINUE;
}

/* Removes itself after a few hits. */
static wvmi_action on_self(wvmi_event *event, void *user_data)
{
    struct removal *removal = user_data;

    (void)event;
    return ++removal->self == FEW ? WVMI_ACTION_REMOVE : WVMI_ACTION_CONTINUE;
}

static wvmi_action on_victim(wvmi_event *event, void *user_data)
{
    struct removal *removal = user_data;

    (void)event;
    removal->victim++;
    return WVMI_ACTION_CONTINUE;
}

/* Removes another hook, and inserts one. */
static wvmi_action on_killer(wvmi_event *event, void *user_data)
{
    struct removal *removal = user_data;

    (void)event;
    if (removal->victim == FEW && removal->victim_hook != 0) {
        if (wvmi_hook_remove(session, removal->victim_hook) != WVMI_OK)
            complain("removing inside a callback");
        removal->victim_hook = 0;
        hook_symbol("nt!NtWriteFile", on_inserted, removal);
    }
    return WVMI_ACTION_CONTINUE;
}

static wvmi_action on_other(wvmi_event *event, void *user_data)
{
    struct removal *removal = user_data;

    (void)event;
    __atomic_fetch_add(&removal->other, 1, __ATOMIC_SEQ_CST);
    return WVMI_ACTION_CONTINUE;
}

static void on_release(void *user_data)
{
    struct removal *removal = user_data;

    __atomic_fetch_add(&removal->released, 1, __ATOMIC_SEQ_CST);
}

/* Another thread: no callback starts once the removal has returned. */
static void *remove_other(void *user_data)
{
    struct removal *removal = user_data;
    uint64_t before;

    while (__atomic_load_n(&removal->other, __ATOMIC_SEQ_CST) < FEW)
        pause_ms(5);
    if (wvmi_hook_remove(session, removal->other_hook) != WVMI_OK)
        complain("removing from another thread");
    /* One may have been running. */
    pause_ms(50);
    before = __atomic_load_n(&removal->other, __ATOMIC_SEQ_CST);
    pause_ms(200);
    removal->gone = __atomic_load_n(&removal->other, __ATOMIC_SEQ_CST) == before;
    removal->at_removal = before;
    return NULL;
}

void check_removal(void)
{
    static struct removal removal;
    wvmi_breakpoint_spec spec = {0};
    pthread_t thread;
    uint64_t calls, writes;
    bool ended;

    memset(&removal, 0, sizeof removal);
    calls = total(PROGRAMS, "Creates");
    hook_symbol("nt!NtCreateFile", on_self, &removal);
    removal.victim_hook = hook_symbol("nt!NtCreateFile", on_victim, &removal);
    hook_symbol("nt!NtCreateFile", on_killer, &removal);
    spec.symbol = "nt!NtCreateFile";
    if (wvmi_breakpoint_insert(session, &spec, sizeof spec, on_other, &removal, on_release,
                               &removal.other_hook) != WVMI_OK)
        complain("inserting");
    writes = total(PROGRAMS, "Writes");
    start(PROGRAMS, 60);
    pthread_create(&thread, NULL, remove_other, &removal);
    ended = serve_until_quiet(60);
    pthread_join(thread, NULL);
    calls = total(PROGRAMS, "Creates") - calls;
    writes = total(PROGRAMS, "Writes") - writes;
    verdict(ended && removal.self == FEW && removal.victim == FEW && calls > FEW,
            "removal-inside-callbacks", "itself after %" PRIu64 ", another after %" PRIu64
            " of %" PRIu64 " calls", removal.self, removal.victim, calls);
    verdict(ended && removal.inserted > 0 && removal.inserted <= writes,
            "insertion-inside-a-callback", "%" PRIu64 " hits of %" PRIu64 " calls",
            removal.inserted, writes);
    verdict(ended && removal.gone && removal.at_removal < calls && removal.released == 1,
            "removal-from-another-thread",
            "after %" PRIu64 " of %" PRIu64 " calls, none later; released %" PRIu64 " times",
            removal.at_removal, calls, removal.released);
}
