/* A hook in code that goes out and comes in again, by every level of the page tables. */
#include "proof.h"

#define OUTS 200
#ifndef PATIENCE
#define PATIENCE 120
#endif

static const char *const levels[] = {"PageTableOuts", "DirectoryOuts", "PointersOuts", "TopOuts",
                                     "ImageOuts"};
#define LEVELS (sizeof levels / sizeof levels[0])

static wvmi_action on_hit(wvmi_event *event, void *user_data)
{
    uint64_t *hits = user_data;

    (void)event;
    ++*hits;
    return WVMI_ACTION_CONTINUE;
}

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
    if (wvmi_breakpoint_insert(session, &spec, sizeof spec, on_hit, hits, NULL, &hook) == WVMI_OK)
        return true;
    complain("hooking the driver's function");
    return false;
}

void check_paging(void)
{
    static uint64_t driver_hits, write_hits;
    uint64_t before[LEVELS], after[LEVELS], began = outs(before), gone = 0;
    uint64_t calls = total(PROGRAMS, "DriverCalls"), writes = total(PROGRAMS, "Writes");
    uint64_t ins = word("PageIns"), splits = word("Splits");
    double end = now() + PATIENCE;
    bool every_level = true, ended;
    size_t i;

    driver_hits = write_hits = 0;
    hook_address(map_number("driver_function"), &driver_hits);
    hook_symbol("nt!NtWriteFile", on_hit, &write_hits);
    start(PROGRAMS | PAGER, 0);
    do {
        if (wvmi_session_poll(session, 50) < 0) {
            complain("serving events");
            break;
        }
        gone = outs(after) - began;
    } while (gone < OUTS && now() < end);
    rest();
    ended = serve_until_quiet(30);
    gone = outs(after) - began;
    for (i = 0; i < LEVELS; i++)
        every_level &= after[i] > before[i];
    calls = total(PROGRAMS, "DriverCalls") - calls;
    writes = total(PROGRAMS, "Writes") - writes;
    verdict(ended && gone >= OUTS && every_level && driver_hits == calls && write_hits == writes,
            "paging-hooks-live-again",
            "%" PRIu64 " page-outs over %zu levels, %" PRIu64 " page-ins, %" PRIu64
            " splits; driver %" PRIu64 " hits of %" PRIu64 " calls, NtWriteFile %" PRIu64
            " of %" PRIu64,
            gone, LEVELS, word("PageIns") - ins, word("Splits") - splits, driver_hits, calls,
            write_hits, writes);
}
