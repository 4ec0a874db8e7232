/* Instructions that Xen would emulate: CPUID, OUT, VMCALL. */
#include "probe.h"

static uint32_t length;
static void skip_cpuid(event *event, unsigned index)
{
    (void)index;
    length = event->u.cpuid.insn_length;
    event->data.regs.x86.rip += length;
    event->data.regs.x86.rbx = 0x12345678;
}

static void cpuid(void)
{
    uint64_t before = vars->cpuids;
    int rc = xc_monitor_cpuid(vmi.xc, vmi.domain, true);
    unsigned seen = play(MODE_CPUID, VM_EVENT_REASON_CPUID, ROUNDS, VM_EVENT_FLAG_SET_REGISTERS, skip_cpuid);
    settle();
    xc_monitor_cpuid(vmi.xc, vmi.domain, false);
    VERDICT(!rc && seen == ROUNDS && vars->cpuids - before == seen && vars->cpuid_ebx == 0x12345678,
            "cpuid-skipped-by-registers", "%u events, %lu executed, length %u, EBX as answered %lx", seen,
            (long)(vars->cpuids - before), length, (long)vars->cpuid_ebx);
}

static uint64_t first_rip, last_rip, cpuid_rax, cpuid_rbx;
static void note_instruction(event *event, unsigned index)
{
    last_rip = event->data.regs.x86.rip;
    if (index == 1)
        first_rip = last_rip, cpuid_rax = event->data.regs.x86.rax, cpuid_rbx = event->data.regs.x86.rbx;
}

static void cpuid_continued(void)
{
    uint64_t before = vars->cpuids;
    xc_monitor_cpuid(vmi.xc, vmi.domain, true);
    unsigned seen = play(MODE_CPUID, VM_EVENT_REASON_CPUID, 3, 0, note_instruction);
    xc_monitor_cpuid(vmi.xc, vmi.domain, false);
    settle();
    VERDICT(seen == 3, "cpuid-continued", "3 events, RIP %s, %lu executed in between; RAX %lx RBX %lx in the event",
            first_rip == last_rip ? "stays" : "moves", (long)(vars->cpuids - before), (long)cpuid_rax, (long)cpuid_rbx);
}

static void port_out(void)
{
    uint64_t before = vars->outs;
    int rc = xc_monitor_io(vmi.xc, vmi.domain, true);
    unsigned seen = play(MODE_OUT, VM_EVENT_REASON_IO_INSTRUCTION, 3, 0, note_instruction);
    uint64_t outs = vars->outs - before;
    xc_monitor_io(vmi.xc, vmi.domain, false);
    settle();
    VERDICT(!rc && seen == 3, "out-continued", "3 events, RIP %s, %lu executed in between",
            first_rip == last_rip ? "stays" : "moves", (long)outs);
}

static void guest_request(void)
{
    uint64_t before = vars->vmcalls;
    int rc = xc_monitor_guest_request(vmi.xc, vmi.domain, true, true, false);
    unsigned seen = play(MODE_VMCALL, VM_EVENT_REASON_GUEST_REQUEST, ROUNDS, 0, NULL);
    settle();
    xc_monitor_guest_request(vmi.xc, vmi.domain, false, true, false);
    VERDICT(!rc && seen == ROUNDS && vars->vmcalls - before == seen, "guest-request", "%u events, %lu VMCALLs", seen,
            (long)(vars->vmcalls - before));
}

void check_instructions(void)
{
    cpuid();
    cpuid_continued();
    port_out();
    guest_request();
}
