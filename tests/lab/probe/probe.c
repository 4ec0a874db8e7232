/*
 * Asks a real Xen what docs/XEN.md states, with the lab's guest as the truth.
 *   probe DOMAIN HOT VARS LAZY_TABLE AFTER_INT3     (guest physical, hexadecimal)
 * One line per fact, PASS or FAIL with the numbers seen.
 */
#include "probe.h"

struct vmi vmi;
volatile struct vars *vars;
volatile uint8_t *code;
volatile uint64_t *lazy_pte;
uint64_t hot, hot_gfn, after_int3, lazy_table_gfn;

unsigned play(uint64_t mode, uint32_t reason, unsigned count, uint32_t flags, look_fn *look)
{
    event event;
    unsigned seen = 0;
    vars->mode = mode;
    while (seen < count && vmi_next(&vmi, PATIENCE, &event)) {
        if (event.reason != reason) {
            printf("     unexpected reason %u\n", event.reason);
            vmi_answer(&vmi, &event, 0);
            continue;
        }
        if (++seen == count)
            vars->mode = 0;
        if (look)
            look(&event, seen);
        vmi_answer(&vmi, &event, flags);
    }
    vars->mode = 0;
    return seen;
}

bool guest_runs(void)
{
    uint64_t rounds = vars->rounds, rounds1 = vars->rounds1;
    for (int i = 0; i < 500; i++) {
        if (vars->rounds > rounds + 5 && vars->rounds1 > rounds1 + 5)
            return true;
        usleep(10000);
    }
    return false;
}

void settle(void)
{
    vmi_drain(&vmi);
    if (!guest_runs())
        printf("     the guest stands still\n");
}

int main(int argc, char **argv)
{
    if (argc != 6)
        return 2;
    hot = strtoull(argv[2], NULL, 16);
    hot_gfn = hot >> 12;
    after_int3 = strtoull(argv[5], NULL, 16);
    lazy_table_gfn = strtoull(argv[4], NULL, 16) >> 12;

    vmi_open(&vmi, strtoul(argv[1], NULL, 10));
    vars = vmi_map(&vmi, strtoull(argv[3], NULL, 16) >> 12, PROT_READ | PROT_WRITE);
    code = (uint8_t *)vmi_map(&vmi, hot_gfn, PROT_READ | PROT_WRITE) + (hot & 0xfff);
    lazy_pte = (uint64_t *)vmi_map(&vmi, lazy_table_gfn, PROT_READ | PROT_WRITE) + ((LAZY_VA >> 12) & 511);
    int rc = vmi_listen(&vmi);
    uint32_t capabilities = 0;
    xc_monitor_get_capabilities(vmi.xc, vmi.domain, &capabilities);
    VERDICT(!rc && guest_runs(), "monitor", "capabilities %x", capabilities);

    check_exceptions();
    check_registers();
    check_instructions();
    check_views();
    check_kill_and_restore();
    vmi_deafen(&vmi);
    return 0;
}
