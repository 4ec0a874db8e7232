/* Writes to control and model-specific registers. */
#include "probe.h"

static unsigned changed, advanced;
static uint64_t previous_new, rip, cr3;
static void note_cr(event *event, unsigned index)
{
    changed += event->u.write_ctrlreg.old_value != event->u.write_ctrlreg.new_value;
    advanced += index > 1 && event->u.write_ctrlreg.old_value == previous_new;
    previous_new = event->u.write_ctrlreg.new_value;
    rip = event->data.regs.x86.rip;
    cr3 = event->data.regs.x86.cr3;
}

static void control_register(const char *name, unsigned reg, uint64_t mode, uint64_t mask,
                             volatile uint64_t *truth)
{
    uint64_t before = *truth;
    changed = advanced = 0;
    int rc = xc_monitor_write_ctrlreg(vmi.xc, vmi.domain, reg, true, true, mask, true);
    unsigned seen = play(mode, VM_EVENT_REASON_WRITE_CTRLREG, ROUNDS, 0, note_cr);
    settle();
    xc_monitor_write_ctrlreg(vmi.xc, vmi.domain, reg, false, true, 0, true);
    VERDICT(!rc && seen == ROUNDS && *truth - before - seen <= 1 && changed == seen && advanced == seen - 1,
            name, "%u events, %lu writes, old and new differ %u times, old follows new %u times; RIP %lx, CR3 in event %lx (new %lx)",
            seen, (long)(*truth - before), changed, advanced, (long)rip, (long)cr3, (long)previous_new);
}

/* Xen defers the write to the answer, and so can deny it, only for a client that
 * asked to control registers; libxenctrl has no call for that. */
static int control_registers(void)
{
    struct xen_domctl op = {
        .cmd = XEN_DOMCTL_monitor_op,
        .interface_version = XEN_DOMCTL_INTERFACE_VERSION,
        .domain = vmi.domain,
        .u.monitor_op.op = XEN_DOMCTL_MONITOR_OP_CONTROL_REGISTERS,
    };
    return xc_domctl(vmi.xc, &op);
}

static void cr3_deny(bool expected, const char *name)
{
    uint64_t writes = vars->cr3_writes;
    changed = advanced = 0;
    xc_monitor_write_ctrlreg(vmi.xc, vmi.domain, VM_EVENT_X86_CR3, true, true, 0, true);
    unsigned seen = play(MODE_CR3, VM_EVENT_REASON_WRITE_CTRLREG, 10, VM_EVENT_FLAG_DENY, note_cr);
    settle();
    xc_monitor_write_ctrlreg(vmi.xc, vmi.domain, VM_EVENT_X86_CR3, false, true, 0, true);
    VERDICT(seen == 10 && (advanced == 0) == expected && vars->cr3_writes > writes, name,
            "%u events, the denied value came in %u times, the guest went past %lu writes", seen, advanced,
            (long)(vars->cr3_writes - writes));
}

static void note_msr(event *event, unsigned index)
{
    changed += event->u.mov_to_msr.new_value == (uint32_t)event->data.regs.x86.rbx;
    advanced += index > 1 && event->u.mov_to_msr.old_value == previous_new;
    previous_new = event->u.mov_to_msr.new_value;
}

static void msr(void)
{
    uint64_t before = vars->msr_writes;
    changed = advanced = 0;
    int rc = xc_monitor_mov_to_msr(vmi.xc, vmi.domain, 0x176, true, false);
    unsigned seen = play(MODE_MSR, VM_EVENT_REASON_MOV_TO_MSR, ROUNDS, 0, note_msr);
    settle();
    xc_monitor_mov_to_msr(vmi.xc, vmi.domain, 0x176, false, false);
    uint64_t writes = vars->msr_writes - before;
    play(MODE_MSR, VM_EVENT_REASON_MOV_TO_MSR, 0, 0, NULL);
    VERDICT(!rc && seen == ROUNDS && writes == seen && changed == seen, "msr-written",
            "%u events, %lu writes, new value right %u times, old value right %u times", seen, (long)writes, changed,
            advanced);
}

void check_registers(void)
{
    control_register("cr3-written", VM_EVENT_X86_CR3, MODE_CR3, 0, &vars->cr3_writes);
    cr3_deny(false, "cr3-deny-ignored-without-control");
    VERDICT(!control_registers(), "register-control", "asked for");
    cr3_deny(true, "cr3-denied-with-control");
    control_register("cr4-written", VM_EVENT_X86_CR4, MODE_CR4, 0, &vars->cr4_writes);
    control_register("xcr0-written", VM_EVENT_X86_XCR0, MODE_XCR0, 0, &vars->xcr0_writes);
    msr();
}
