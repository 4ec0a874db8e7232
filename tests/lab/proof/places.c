/* Two breakpoints in one page; one address in two processes; scopes. */
#include "proof.h"

#define ITERATIONS 40

struct place {
    uint64_t hits;
    uint64_t strangers;         /* hits in other processes */
    uint64_t process;
};

static wvmi_action on_hit(wvmi_event *event, void *user_data)
{
    struct place *place = user_data;
    wvmi_event_details details = {0};

    wvmi_event_info(event, &details, sizeof details);
    place->hits++;
    place->strangers += details.process.object != place->process;
    return WVMI_ACTION_CONTINUE;
}

static void hook_in(const struct actor *actor, uint64_t address, struct place *place)
{
    wvmi_breakpoint_spec spec = {0};
    wvmi_hook hook;

    memset(place, 0, sizeof *place);
    place->process = actor->process;
    spec.address = address;
    spec.space.kind = WVMI_SPACE_PROCESS;
    spec.space.value = actor->process;
    spec.scope_kind = WVMI_SCOPE_PROCESS;
    spec.scope_object = actor->process;
    if (wvmi_breakpoint_insert(session, &spec, sizeof spec, on_hit, place, NULL, &hook) != WVMI_OK)
        complain("hooking a program's function");
}

static void hook_scoped(wvmi_scope_kind kind, uint64_t object, const char *image,
                        const struct actor *actor, struct place *place)
{
    wvmi_breakpoint_spec spec = {0};
    wvmi_hook hook;

    memset(place, 0, sizeof *place);
    place->process = actor->process;
    spec.symbol = "nt!NtCreateFile";
    spec.scope_kind = kind;
    spec.scope_object = object;
    spec.scope_image = image;
    if (wvmi_breakpoint_insert(session, &spec, sizeof spec, on_hit, place, NULL, &hook) != WVMI_OK)
        complain("hooking NtCreateFile in a scope");
}

void check_places(void)
{
    static struct place creates[2], writes, by_image, by_thread, none;
    const struct actor *first = &actors[0], *second = &actors[1];
    uint64_t called[2], written, strangers;
    bool ended;

    called[0] = actor_word(first, "Creates");
    called[1] = actor_word(second, "Creates");
    written = actor_word(first, "Writes");
    hook_in(first, first->create_file, &creates[0]);
    hook_in(first, first->write_file, &writes);
    hook_in(second, second->create_file, &creates[1]);
    hook_scoped(WVMI_SCOPE_IMAGE, 0, "BETA.EXE", second, &by_image);
    hook_scoped(WVMI_SCOPE_THREAD, first->thread, NULL, first, &by_thread);
    hook_scoped(WVMI_SCOPE_IMAGE, 0, "nobody.exe", first, &none);
    start(PROGRAMS, ITERATIONS);
    ended = serve_until_quiet(60);
    called[0] = actor_word(first, "Creates") - called[0];
    called[1] = actor_word(second, "Creates") - called[1];
    written = actor_word(first, "Writes") - written;
    strangers = creates[0].strangers + creates[1].strangers + writes.strangers;
    verdict(ended && first->create_file >> 12 == first->write_file >> 12 &&
                creates[0].hits == called[0] && writes.hits == written && written > 0,
            "places-two-in-one-page", "%" PRIu64 " hits of %" PRIu64 " calls, %" PRIu64
            " hits of %" PRIu64 " calls", creates[0].hits, called[0], writes.hits, written);
    verdict(ended && first->create_file == second->create_file && creates[0].hits == called[0] &&
                creates[1].hits == called[1] && strangers == 0,
            "places-one-address-in-two-processes",
            "%" PRIu64 " of %" PRIu64 " and %" PRIu64 " of %" PRIu64 ", %" PRIu64 " strangers",
            creates[0].hits, called[0], creates[1].hits, called[1], strangers);
    verdict(ended && by_image.hits == called[1] && by_thread.hits == called[0] &&
                by_image.strangers + by_thread.strangers == 0 && none.hits == 0,
            "places-scopes", "by image %" PRIu64 ", by thread %" PRIu64 ", by nobody's %" PRIu64,
            by_image.hits, by_thread.hits, none.hits);
}
