/* The guest sums its own code all the time, and must not see a difference. */
#include "proof.h"

/* Each reads hooked pages word by word, and each of these reads is an event. */
#define INTEGRITY_ROUNDS 3

static const char *const hooked[] = {"nt!NtCreateFile", "nt!NtWriteFile",
                                     "nt!ObOpenObjectByName", "nt!PspInsertProcess",
                                     "nt!MmCleanProcessAddressSpace"};

/* Has the guest look at a byte that is not what it was. */
static void control(void)
{
    static const wvmi_space kernel = {WVMI_SPACE_KERNEL, 0};
    uint64_t address = map_indexed("watched", 0) + 0xfff, differences = word("IntegrityDifferences");
    uint8_t original = 0, changed;
    bool ended;

    wvmi_read_u8(session, kernel, address, &original);
    changed = (uint8_t)(original + 1);
    wvmi_write(session, kernel, address, &changed, 1, NULL);
    start(INTEGRITY, 1);
    ended = serve_until_quiet(60);
    wvmi_write(session, kernel, address, &original, 1, NULL);
    differences = word("IntegrityDifferences") - differences;
    verdict(ended && differences > 0, "integrity-control", "%" PRIu64 " differences seen",
            differences);
}

void check_integrity(void)
{
    static uint64_t hits;
    uint64_t rounds = word("IntegrityRounds"), differences = word("IntegrityDifferences");
    uint64_t own = total(INTEGRITY, "Breakpoints");
    size_t i;
    bool ended;

    hits = 0;
    for (i = 0; i < sizeof hooked / sizeof hooked[0]; i++)
        hook_symbol(hooked[i], count_hit, &hits);
    start(PROGRAMS | INTEGRITY | LIFECYCLE, INTEGRITY_ROUNDS);
    ended = serve_until_quiet(60);
    rounds = word("IntegrityRounds") - rounds;
    differences = word("IntegrityDifferences") - differences;
    own = total(INTEGRITY, "Breakpoints") - own;
    verdict(ended && rounds > 0 && differences == 0 && hits > 0, "integrity-hidden",
            "%" PRIu64 " rounds over %" PRIu64 " pages with 5 hooks, %" PRIu64
            " hits, %" PRIu64 " differences",
            rounds, map_number("watched"), hits, differences);
    verdict(ended && own == rounds && word("StrayBreakpoints") == 0, "integrity-foreign-int3",
            "%" PRIu64 " DbgBreakPoint, %" PRIu64 " in the guest's handler", rounds, own);
    control();
}
