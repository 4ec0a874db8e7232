/* own_loop: serves events and the keyboard in one poll(): a line removes the hook. */
#include "live.h"

#include <inttypes.h>
#include <poll.h>
#include <unistd.h>

static uint64_t hits, told;

static wvmi_action on_hit(wvmi_event *event, void *user_data)
{
    (void)event;
    (void)user_data;
    hits++;
    return WVMI_ACTION_CONTINUE;
}

/* Returns 0 when a line was read or the input ended. */
static int serve(wvmi_session *session, int32_t fd)
{
    struct pollfd both[2] = {{0}};

    both[0].fd = fd;
    both[0].events = POLLIN;
    both[1].fd = STDIN_FILENO;
    both[1].events = POLLIN;
    if (poll(both, 2, 1000) > 0 && both[1].revents != 0)
        return 0;
    if (wvmi_session_poll(session, 0) < 0)
        return 0;
    if (hits != told)
        printf("%" PRIu64 " hits\n", hits);
    told = hits;
    return 1;
}

int main(int argc, char **argv)
{
    wvmi_breakpoint_spec spec = {0};
    wvmi_hook hook = 0;
    int32_t fd = -1;
    wvmi_session *session = open_running(argc, argv, "xen:GUEST SYMBOL [SYMBOLS]", 2);

    if (session == NULL)
        return 1;
    spec.symbol = argv[2];
    if (wvmi_breakpoint_insert(session, &spec, sizeof spec, on_hit, NULL, NULL, &hook) != WVMI_OK ||
        wvmi_session_fd(session, &fd) != WVMI_OK) {
        fail(argv[2]);
        wvmi_session_close(session);
        return 1;
    }
    end_on_signals(session);
    while (!live_ended && serve(session, fd))
        continue;
    return wvmi_session_close(session) == WVMI_OK ? 0 : fail("the guest could not be restored");
}
