/* A tracer that a signal ends: in the loop's own way, or for good. */
#include "proof.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

static volatile sig_atomic_t ended;

static void on_signal(int number)
{
    (void)number;
    ended = 1;
    wvmi_session_wakeup(session);
}

static wvmi_action on_hit(wvmi_event *event, void *user_data)
{
    uint64_t *hits = user_data;

    (void)event;
    if (++*hits == 50)
        printf("READY\n");
    return WVMI_ACTION_CONTINUE;
}

/* The program that is signalled: traces a busy guest. */
int tracer(void)
{
    static const int signals[] = {SIGINT, SIGTERM, SIGHUP, SIGALRM};
    static uint64_t hits;
    wvmi_status status = WVMI_OK;
    size_t i;

    if (!open_guest())
        return 1;
    for (i = 0; i < sizeof signals / sizeof signals[0]; i++)
        signal(signals[i], on_signal);
    hook_symbol("nt!NtCreateFile", on_hit, &hits);
    hook_symbol("nt!NtWriteFile", on_hit, &hits);
    while (!ended && status >= 0)
        status = wvmi_session_run(session);
    return close_guest() && status >= 0 ? 0 : 1;
}

/* Starts the tracer, signals it in the middle, and returns its status. */
static int traced_until(char *const *program, int number)
{
    char *arguments[] = {program[0], program[1], program[2], program[3], "--tracer", NULL};
    int ends[2], status = -1;
    char line[64];
    FILE *output;
    pid_t child;

    if (pipe(ends) != 0)
        return -1;
    fflush(stdout);
    child = fork();
    if (child == 0) {
        dup2(ends[1], STDOUT_FILENO);
        close(ends[0]);
        close(ends[1]);
        execv(program[0], arguments);
        _exit(127);
    }
    close(ends[1]);
    output = fdopen(ends[0], "r");
    while (fgets(line, sizeof line, output) != NULL) {
        if (strcmp(line, "READY\n") == 0)
            kill(child, number);
        else
            fputs(line, stdout);
    }
    fclose(output);
    waitpid(child, &status, 0);
    return status;
}

/* The guest's counters go on from earlier checks. */
static bool set_busy(uint64_t *strays, uint64_t *differences)
{
    if (!open_guest())
        return false;
    *strays = word("StrayBreakpoints");
    *differences = word("IntegrityDifferences");
    keep_code();
    start(PROGRAMS | INTEGRITY, 0);
    return close_guest();
}

static void ended_by(char *const *program, int number, const char *name)
{
    uint64_t rounds, strays, differences;
    bool good, runs, same;
    int status;

    if (!set_busy(&strays, &differences)) {
        verdict(false, name, "the guest cannot be opened");
        return;
    }
    status = traced_until(program, number);
    good = number == SIGKILL ? WIFSIGNALED(status) : WIFEXITED(status) && WEXITSTATUS(status) == 0;
    if (!open_guest()) {
        verdict(false, name, "the guest cannot be opened afterwards");
        return;
    }
    rounds = word("IntegrityRounds");
    runs = wait_for_word("IntegrityRounds", rounds + 2, 30);
    if (!runs)
        describe_guest();
    rest();
    runs &= wait_until_quiet(30) && guest_runs();
    same = code_is_as_before();
    strays = strays_since(strays);
    differences = word("IntegrityDifferences") - differences;
    verdict(good && runs && same && strays == 0 && differences == 0, name,
            "the tracer ended %s, the guest is %s, its code %s, %" PRIu64 " stray INT3, %" PRIu64
            " differences",
            good ? "well" : "badly", runs ? "running" : "standing", same ? "as before" : "changed",
            strays, differences);
    close_guest();
}

void check_signals(char *const *program)
{
    ended_by(program, SIGKILL, "signals-kill-and-open-again");
    ended_by(program, SIGINT, "signals-int");
    ended_by(program, SIGTERM, "signals-term");
    ended_by(program, SIGHUP, "signals-hup");
    ended_by(program, SIGALRM, "signals-alrm");
}
