/* Processes that come and go. */
#include "proof.h"

struct lives {
    uint64_t created, exited, create_sum, exit_sum, unknown;
};

static wvmi_action on_insert(wvmi_event *event, void *user_data)
{
    struct lives *lives = user_data;
    uint64_t arguments[2] = {0};
    wvmi_process process;
    uint32_t pid = 0;

    wvmi_event_arguments(event, arguments, 2);
    process.object = arguments[0];
    lives->created++;
    lives->create_sum += arguments[0] + arguments[1];
    lives->unknown += wvmi_process_id(session, process, &pid) != WVMI_OK || pid == 0;
    return WVMI_ACTION_CONTINUE;
}

static wvmi_action on_clean(wvmi_event *event, void *user_data)
{
    struct lives *lives = user_data;
    uint64_t process = 0;

    wvmi_event_argument(event, 0, &process);
    lives->exited++;
    lives->exit_sum += process;
    return WVMI_ACTION_CONTINUE;
}

void check_lifecycle(void)
{
    static struct lives lives;
    uint64_t created = word("ProcessCreates"), exited = word("ProcessExits");
    uint64_t create_sum = word("InsertArgumentSum"), exit_sum = word("CleanArgumentSum");
    bool ended;

    memset(&lives, 0, sizeof lives);
    hook_symbol("nt!PspInsertProcess", on_insert, &lives);
    hook_symbol("nt!MmCleanProcessAddressSpace", on_clean, &lives);
    start(LIFECYCLE, 40);
    ended = serve_until_quiet(60);
    created = word("ProcessCreates") - created;
    exited = word("ProcessExits") - exited;
    create_sum = word("InsertArgumentSum") - create_sum;
    exit_sum = word("CleanArgumentSum") - exit_sum;
    verdict(ended && lives.created == created && lives.create_sum == create_sum && created > 0 &&
                lives.unknown == 0,
            "lifecycle-creation", "%" PRIu64 " of %" PRIu64 ", arguments right", lives.created,
            created);
    verdict(ended && lives.exited == exited && lives.exit_sum == exit_sum && exited > 0,
            "lifecycle-exit", "%" PRIu64 " of %" PRIu64 ", arguments right", lives.exited, exited);
}
