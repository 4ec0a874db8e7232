/* What the examples for running guests share: a loop that ends on signals. */
#ifndef LIVE_H
#define LIVE_H

#ifndef _POSIX_C_SOURCE
#define _POSIX_C_SOURCE 200809L
#endif

#include "example.h"

#include <signal.h>

static wvmi_session *volatile live_session;
static volatile sig_atomic_t live_ended;

static void end_loop(int signal)
{
    (void)signal;
    live_ended = 1;
    if (live_session != NULL)
        wvmi_session_wakeup(live_session);
}

/*
 * As open_guest(). From here on SIGINT, SIGTERM, SIGHUP and SIGALRM end the loop,
 * so that none of them finds hooks in the guest and nobody to take them out.
 */
static inline wvmi_session *open_running(int argc, char **argv, const char *usage, int own)
{
    static const int signals[] = {SIGINT, SIGTERM, SIGHUP, SIGALRM};
    struct sigaction action;
    size_t i;

    memset(&action, 0, sizeof action);
    action.sa_handler = end_loop;
    for (i = 0; i < sizeof signals / sizeof signals[0]; i++)
        sigaction(signals[i], &action, NULL);
    return open_guest(argc, argv, usage, own);
}

/* The hooks are in: signals wake the loop of this session. */
static inline void end_on_signals(wvmi_session *session)
{
    live_session = session;
}

/*
 * Serves events until a signal or a callback ends it, then leaves the guest as
 * it was found. Returns the program's exit code.
 */
static inline int run_until_signal(wvmi_session *session)
{
    wvmi_status status = WVMI_OK;
    int result = 0;

    end_on_signals(session);
    while (!live_ended && status == WVMI_OK)
        status = wvmi_session_run(session);
    if (status < 0)
        result = fail("the event loop failed");
    if (wvmi_session_close(session) != WVMI_OK)
        result = fail("the guest could not be restored");
    return result;
}

#endif
