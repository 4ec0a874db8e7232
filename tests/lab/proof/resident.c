/* Paths of files whose text or structures are not in memory when the call begins. */
#include "proof.h"

#define PATH_MOST 512
/* Each program has two absent pages an iteration. */
#define ITERATIONS 110

struct paths {
    uint64_t calls;
    uint64_t asked;
    uint64_t brought;
    uint64_t wrong;
    uint64_t sums[ACTORS];
};

static uint64_t sum_of_units(const uint8_t *bytes, size_t size)
{
    uint64_t sum = 0;
    size_t i;

    for (i = 0; i + 1 < size; i += 2)
        sum += bytes[i] | (uint64_t)bytes[i + 1] << 8;
    return sum;
}

/* The first of these places that the guest itself could not read now; 0 when there is none. */
static uint64_t first_absent(wvmi_space space, uint64_t attributes)
{
    wvmi_translation translation = {0};
    uint64_t places[3] = {attributes, 0, 0};
    unsigned i;

    for (i = 0; i < 3; i++) {
        /* The library reads pages on the standby list as well; the processor does not. */
        if (wvmi_translate(session, space, places[i], &translation, sizeof translation) != WVMI_OK ||
            translation.source != WVMI_SOURCE_HARDWARE)
            return places[i];
        if (i < 2)
            wvmi_read_u64(session, space, places[i] + (i == 0 ? 16 : 8), &places[i + 1]);
    }
    return 0;
}

/* Reads the path that `attributes` (OBJECT_ATTRIBUTES) names. */
static wvmi_status read_path(wvmi_space space, uint64_t attributes, uint64_t *sum)
{
    uint8_t path[PATH_MOST];
    uint64_t name, text;
    uint16_t length;
    wvmi_status status;

    if ((status = wvmi_read_u64(session, space, attributes + 16, &name)) != WVMI_OK ||
        (status = wvmi_read_u16(session, space, name, &length)) != WVMI_OK ||
        (status = wvmi_read_u64(session, space, name + 8, &text)) != WVMI_OK)
        return status;
    if (length > sizeof path)
        return WVMI_ERROR_CORRUPT;
    status = wvmi_read(session, space, text, path, length, NULL);
    if (status == WVMI_OK)
        *sum += sum_of_units(path, length);
    return status;
}

static wvmi_action on_create(wvmi_event *event, void *user_data)
{
    struct paths *paths = user_data;
    wvmi_event_details details = {0};
    wvmi_space space = {WVMI_SPACE_PROCESS, 0};
    uint64_t attributes = 0, sum = 0, absent;
    const struct actor *actor;
    wvmi_status status;

    wvmi_event_info(event, &details, sizeof details);
    actor = actor_of(details.thread.object);
    space.value = details.attached.object;
    if (actor == NULL || wvmi_event_argument(event, 2, &attributes) != WVMI_OK) {
        paths->wrong++;
        return WVMI_ACTION_CONTINUE;
    }
    paths->brought += details.attempt > 1;
    absent = first_absent(space, attributes);
    if (absent != 0 && wvmi_event_request_page(event, absent, 1) == WVMI_OK) {
        paths->asked++;
        return WVMI_ACTION_RETRY;
    }
    status = read_path(space, attributes, &sum);
    paths->calls++;
    paths->wrong += status != WVMI_OK || (details.flags & WVMI_EVENT_NOT_RESIDENT) != 0;
    paths->sums[actor - actors] += sum;
    return WVMI_ACTION_CONTINUE;
}

void check_resident(void)
{
    static struct paths paths;
    uint64_t calls = total(PROGRAMS, "Creates");
    unsigned i, different = 0;
    bool ended;

    memset(&paths, 0, sizeof paths);
    for (i = 0; i < ACTORS; i++)
        paths.sums[i] = actor_word(&actors[i], "PathSum");
    hook_symbol("nt!NtCreateFile", on_create, &paths);
    start(PROGRAMS, ITERATIONS);
    ended = serve_until_quiet(120);
    for (i = 0; i < ACTORS; i++)
        different += paths.sums[i] != actor_word(&actors[i], "PathSum");
    calls = total(PROGRAMS, "Creates") - calls;
    verdict(ended && paths.asked >= 500 && paths.brought == paths.asked,
            "resident-on-request", "%" PRIu64 " pages asked for, %" PRIu64 " brought in",
            paths.asked, paths.brought);
    verdict(ended && paths.wrong == 0 && paths.calls == calls && different == 0,
            "resident-paths",
            "%" PRIu64 " paths of %" PRIu64 " calls, %" PRIu64 " wrong, sums of %u threads differ",
            paths.calls, calls, paths.wrong, different);
}
