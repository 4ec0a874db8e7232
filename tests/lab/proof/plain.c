/* A guest without memory views, of one processor: INT3 in its own code, which it can see. */
#include "proof.h"

#define ITERATIONS 100

void check_plain(void)
{
    static uint64_t hits;
    uint64_t calls = total(PROGRAMS, "Creates") + total(PROGRAMS, "Writes");
    uint64_t differences = word("IntegrityDifferences"), breakpoints = total(PROGRAMS, "Breakpoints");
    uint64_t iterations = total(PROGRAMS, "Iterations"), seen;
    uint32_t visible = 0;
    bool ended, masked, same;

    hits = 0;
    keep_code();
    hook_symbol("nt!NtCreateFile", count_hit, &hits);
    hook_symbol("nt!NtWriteFile", count_hit, &hits);
    wvmi_breakpoints_are_visible(session, &visible);
    masked = code_is_as_before();
    start(PROGRAMS, ITERATIONS);
    ended = serve_until_quiet(60);
    calls = total(PROGRAMS, "Creates") + total(PROGRAMS, "Writes") - calls;
    breakpoints = total(PROGRAMS, "Breakpoints") - breakpoints;
    iterations = total(PROGRAMS, "Iterations") - iterations;
    verdict(ended && calls > 0 && hits == calls, "plain-calls-each-told-once",
            "%" PRIu64 " callbacks, %" PRIu64 " calls", hits, calls);
    verdict(ended && breakpoints == iterations && word("StrayBreakpoints") == 0,
            "plain-foreign-int3", "%" PRIu64 " executed, %" PRIu64 " in the guest's handler",
            iterations, breakpoints);

    start(INTEGRITY, 1);
    ended = serve_until_quiet(60);
    seen = word("IntegrityDifferences") - differences;
    verdict(ended && visible == 1 && seen > 0 && masked, "plain-visible-but-to-the-library",
            "said to be visible: %u; the guest sees %" PRIu64 " differences, the library %s",
            visible, seen, masked ? "none" : "some");

    close_guest();
    if (!open_guest()) {
        verdict(false, "plain-closed", "the guest cannot be opened again");
        return;
    }
    differences = word("IntegrityDifferences");
    start(INTEGRITY, 1);
    ended = wait_until_quiet(30) && guest_runs();
    same = code_is_as_before() && word("IntegrityDifferences") == differences;
    verdict(ended && same, "plain-closed", "the guest is %s, its code %s",
            ended ? "running" : "standing", same ? "as before" : "changed");
}
