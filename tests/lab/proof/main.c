/*
 * Proves hidden breakpoints through the C API, with the forged guest's own
 * counters as the truth.
 *
 * usage: proof TARGET SYMBOLS MAP [CHECK...]
 */
#include "proof.h"

static const struct {
    const char *name;
    void (*check)(void);
    bool with_reader;
    bool on_request;
} checks[] = {
    {"calls", check_calls, true, false},
    {"resident", check_resident, true, false},
    {"paging", check_paging, true, false},
    {"places", check_places, true, false},
    {"pairs", check_pairs, true, false},
    {"removal", check_removal, true, false},
    {"integrity", check_integrity, true, false},
    {"lifecycle", check_lifecycle, false, false},
    {"late", check_late, true, false},
    {"monitors", check_monitors, true, false},
    {"detach", check_detach, false, false},
    {"plain", check_plain, false, true},
};

static bool is_wanted(const char *name, int argc, char **argv)
{
    int i;

    for (i = 4; i < argc; i++) {
        if (strcmp(argv[i], name) == 0)
            return true;
    }
    return argc == 4;
}

static uint64_t lists, wrong_lists;

static void run(void (*check)(void), bool with_reader)
{
    uint64_t made = 0, wrong = 0, strays;

    if (!open_guest()) {
        verdict(false, "open", "the guest cannot be opened");
        return;
    }
    if (has_failed("open"))
        verdict(true, "open", "the guest can be opened");
    /* What the check then finds decides. */
    if (!wait_until_quiet(30))
        printf("     the guest is not quiet: state %" PRIu64 ", actors 0x%" PRIx64
               ", %" PRIu64 " processors, %" PRIu64 " iterations\n",
               word("State"), word("Actors"), word("Online"), total(~0U, "Iterations"));
    level_iterations();
    strays = word("StrayBreakpoints");
    if (with_reader)
        reader_start();
    check();
    if (with_reader)
        reader_stop(&made, &wrong);
    lists += made;
    wrong_lists += wrong;
    rest();
    wait_until_quiet(5);
    strays = strays_since(strays);
    if (strays > 0 || has_failed("stray"))
        verdict(strays == 0, "stray", "%" PRIu64 " INT3 that the guest did not place", strays);
    close_guest();
}

static size_t current;

static void run_current(void)
{
    run(checks[current].check, checks[current].with_reader);
}

static char **program;

static void signal_program(void)
{
    check_signals(program);
}

int main(int argc, char **argv)
{
    double began;
    size_t i;

    if (argc < 4) {
        fprintf(stderr, "usage: %s TARGET SYMBOLS MAP [CHECK...]\n", argv[0]);
        return 2;
    }
    setvbuf(stdout, NULL, _IOLBF, 0);
    map_load(argv[3]);
    proof_target(argv[1], argv[2]);
    if (argc > 4 && strcmp(argv[4], "--tracer") == 0)
        return tracer();
    for (i = 0; i < sizeof checks / sizeof checks[0]; i++) {
        if (is_wanted(checks[i].name, argc, argv) && (argc > 4 || !checks[i].on_request)) {
            began = now();
            current = i;
            twice(run_current);
            printf("     %s took %.1f s\n", checks[i].name, now() - began);
        }
    }
    if (lists > 0)
        verdict(wrong_lists == 0, "reader-beside-the-loop",
                "%" PRIu64 " process lists during the checks, %" PRIu64 " wrong", lists,
                wrong_lists);
    if (is_wanted("signals", argc, argv)) {
        began = now();
        program = argv;
        twice(signal_program);
        printf("     signals took %.1f s\n", now() - began);
    }
    return 0;
}
