/* A hook in code that goes out and comes in again, by every level of the page tables. */
#include "proof.h"

#define OUTS 200
#define ROUNDS 10
#ifndef PATIENCE
#define PATIENCE 120
#endif

static const char *const levels[] = {"PageTableOuts", "DirectoryOuts", "PointersOuts", "TopOuts",
                                     "ImageOuts"};
#define LEVELS (sizeof levels / sizeof levels[0])

static uint64_t outs(uint64_t *of_levels)
{
    uint64_t sum = 0;
    size_t i;

    for (i = 0; i < LEVELS; i++) {
        of_levels[i] = word(levels[i]);
        sum += of_levels[i];
    }
    return sum;
}

static bool hook_address(uint64_t address, uint64_t *hits)
{
    wvmi_breakpoint_spec spec = {0};
    wvmi_hook hook;

    spec.address = address;
    if (wvmi_breakpoint_insert(session, &spec, sizeof spec, count_hit, hits, NULL, &hook) == WVMI_OK)
        return true;
    complain("hooking the driver's function");
    return false;
}

/* Both functions, called in a guest whose pages stay: every call must be told. */
static bool is_live(const uint64_t *driver_hits, const uint64_t *write_hits)
{
    uint64_t calls = total(PROGRAMS, "DriverCalls"), writes = total(PROGRAMS, "Writes");
    uint64_t driver_before = *driver_hits, writes_before = *write_hits;

    start(PROGRAMS, 5);
    return serve_until_quiet(30) &&
           *driver_hits - driver_before == total(PROGRAMS, "DriverCalls") - calls &&
           *write_hits - writes_before == total(PROGRAMS, "Writes") - writes &&
           *driver_hits > driver_before;
}

/* Pages go and come beside running calls, then everything must be told again. */
static bool page_out(uint64_t until, uint64_t *gone)
{
    uint64_t of_levels[LEVELS];
    double end = now() + PATIENCE;

    start(PROGRAMS | PAGER, 0);
    do {
        if (wvmi_session_poll(session, 50) < 0) {
            complain("serving events");
            return false;
        }
        *gone = outs(of_levels);
    } while (*gone < until && now() < end);
    rest();
    return serve_until_quiet(30) && *gone >= until;
}

void check_paging(void)
{
    static uint64_t driver_hits, write_hits;
    uint64_t before[LEVELS], after[LEVELS], began = outs(before), gone = began;
    uint64_t calls = total(PROGRAMS, "DriverCalls"), writes = total(PROGRAMS, "Writes");
    uint64_t ins = word("PageIns"), splits = word("Splits");
    unsigned round, live = 0;
    bool every_level = true, ended = true;
    size_t i;

    driver_hits = write_hits = 0;
    hook_address(map_number("driver_function"), &driver_hits);
    hook_symbol("nt!NtWriteFile", count_hit, &write_hits);
    for (round = 1; round <= ROUNDS && ended; round++) {
        ended = page_out(began + round * (OUTS / ROUNDS), &gone);
        live += ended && is_live(&driver_hits, &write_hits);
    }
    outs(after);
    for (i = 0; i < LEVELS; i++)
        every_level &= after[i] > before[i];
    calls = total(PROGRAMS, "DriverCalls") - calls;
    writes = total(PROGRAMS, "Writes") - writes;
    verdict(ended && gone - began >= OUTS && every_level && live == ROUNDS &&
                driver_hits == calls && write_hits == writes,
            "paging-hooks-live-again",
            "%" PRIu64 " page-outs over %zu levels, %" PRIu64 " page-ins, %" PRIu64
            " splits; live after %u of %u rounds; %" PRIu64 " and %" PRIu64 " hits of %" PRIu64
            " and %" PRIu64 " calls",
            gone - began, LEVELS, word("PageIns") - ins, word("Splits") - splits, live, ROUNDS,
            driver_hits, write_hits, calls, writes);
}
