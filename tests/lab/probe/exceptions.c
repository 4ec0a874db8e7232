/* Exceptions: seen, delivered after all, injected. */
#include "probe.h"

#define EXCEPTION 3 /* event type: hardware exception */

/* Delivers the exception that an INT3 event stands for. */
static void reinject(event *event, unsigned index)
{
    (void)index;
    vmi_inject(&vmi, event, 3, event->u.software_breakpoint.type, NO_ERROR_CODE,
               event->u.software_breakpoint.insn_length, 0);
}

static void own_int3(void)
{
    uint64_t bp = vars->bp, int3s = vars->int3s;
    xc_monitor_software_breakpoint(vmi.xc, vmi.domain, true);
    unsigned seen = play(MODE_INT3, VM_EVENT_REASON_SOFTWARE_BREAKPOINT, ROUNDS, 0, reinject);
    settle();
    xc_monitor_software_breakpoint(vmi.xc, vmi.domain, false);
    bp = vars->bp - bp, int3s = vars->int3s - int3s;
    VERDICT(seen == ROUNDS && bp == seen && int3s == seen && vars->bp_rip == HIGH + after_int3,
            "int3-reinjected", "%u events, guest took %lu #BP, executed %lu INT3, frame RIP %lx", seen,
            (long)bp, (long)int3s, (long)vars->bp_rip);
}

static uint64_t first_rip, last_rip;
static void note_rip(event *event, unsigned index)
{
    if (index == 1)
        first_rip = event->data.regs.x86.rip;
    last_rip = event->data.regs.x86.rip;
    if (index == 3)
        reinject(event, index);
}

static void continued_int3(void)
{
    uint64_t bp = vars->bp;
    xc_monitor_software_breakpoint(vmi.xc, vmi.domain, true);
    unsigned seen = play(MODE_INT3, VM_EVENT_REASON_SOFTWARE_BREAKPOINT, 3, 0, note_rip);
    settle();
    xc_monitor_software_breakpoint(vmi.xc, vmi.domain, false);
    VERDICT(seen == 3 && first_rip == last_rip && vars->bp == bp + 1, "int3-continued-hits-again",
            "3 events at %lx, 1 #BP taken", (long)first_rip);
}

/* A hit answered by #PF: the handler runs, the same instruction hits again. */
static void injected_page_fault(uint32_t error_code)
{
    char name[64];
    event event;
    uint64_t faults = vars->pf;
    unsigned injected = 0, hits = 0, came_back = 0;
    uint8_t original = *code;
    snprintf(name, sizeof name, "page-fault-injected-error-%x", error_code);
    xc_monitor_software_breakpoint(vmi.xc, vmi.domain, true);
    *code = 0xcc;
    while (hits < 5000 && vmi_next(&vmi, PATIENCE, &event)) {
        hits++;
        if (event.vcpu_id == 0 && !injected) {
            *lazy_pte = 0;
            injected = !vmi_inject(&vmi, &event, 14, EXCEPTION, error_code, 0, LAZY_VA + 8);
        } else if (event.vcpu_id == 0) {
            came_back = event.data.regs.x86.rip == HIGH + hot;
            *code = original;
            vmi_answer(&vmi, &event, 0);
            break;
        } else {
            usleep(1000); /* or processor 1 takes all the time there is */
        }
        vmi_answer(&vmi, &event, 0);
    }
    *code = original;
    settle();
    xc_monitor_software_breakpoint(vmi.xc, vmi.domain, false);
    VERDICT(injected && came_back && vars->pf == faults + 1 && vars->pf_cr2 == LAZY_VA + 8 &&
                vars->pf_error == error_code && vars->pf_rip == HIGH + hot && *lazy_pte,
            name, "guest took %lu #PF, CR2 %lx, error %lx, frame RIP %lx, then hit again",
            (long)(vars->pf - faults), (long)vars->pf_cr2, (long)vars->pf_error, (long)vars->pf_rip);
}

/* Injection and a single step at once: which comes first? */
static void injection_and_step(void)
{
    event event;
    uint64_t faults = vars->pf, step_rip = 0;
    uint8_t original = *code;
    xc_monitor_software_breakpoint(vmi.xc, vmi.domain, true);
    xc_monitor_singlestep(vmi.xc, vmi.domain, true);
    *code = 0xcc;
    while (vmi_next(&vmi, PATIENCE, &event)) {
        if (event.reason == VM_EVENT_REASON_SINGLESTEP) {
            step_rip = event.data.regs.x86.rip;
            vmi_answer(&vmi, &event, VM_EVENT_FLAG_TOGGLE_SINGLESTEP);
            break;
        }
        if (event.vcpu_id == 0) {
            *code = original;
            vmi_inject(&vmi, &event, 14, EXCEPTION, 0, 0, LAZY_VA);
            vmi_answer(&vmi, &event, VM_EVENT_FLAG_TOGGLE_SINGLESTEP);
        } else {
            vmi_answer(&vmi, &event, 0);
        }
    }
    settle();
    xc_monitor_singlestep(vmi.xc, vmi.domain, false);
    xc_monitor_software_breakpoint(vmi.xc, vmi.domain, false);
    VERDICT(step_rip != 0 && vars->pf == faults + 1, "step-after-injection",
            "step event at %lx (hot is %lx), %lu #PF taken", (long)step_rip, (long)(HIGH + hot),
            (long)(vars->pf - faults));
}

static uint64_t debug_rip, debug_pending;
static uint32_t debug_type, debug_length;
static void note_debug(event *event, unsigned index)
{
    (void)index;
    debug_rip = event->data.regs.x86.rip;
    debug_pending = event->u.debug_exception.pending_dbg;
    debug_type = event->u.debug_exception.type;
    debug_length = event->u.debug_exception.insn_length;
    vmi_inject(&vmi, event, 1, debug_type, NO_ERROR_CODE, debug_length, debug_pending);
}

static void own_icebp(void)
{
    uint64_t db = vars->db, icebps = vars->icebps;
    int rc = xc_monitor_debug_exceptions(vmi.xc, vmi.domain, true, true);
    unsigned seen = play(MODE_ICEBP, VM_EVENT_REASON_DEBUG_EXCEPTION, ROUNDS, 0, note_debug);
    settle();
    xc_monitor_debug_exceptions(vmi.xc, vmi.domain, false, true);
    db = vars->db - db, icebps = vars->icebps - icebps;
    VERDICT(!rc && seen == ROUNDS && db == seen && icebps == seen, "icebp-reinjected",
            "%u events of type %u, length %u, pending %lx at %lx; guest took %lu #DB, executed %lu INT1", seen,
            debug_type, debug_length, (long)debug_pending, (long)debug_rip, (long)db, (long)icebps);
}

void check_exceptions(void)
{
    own_int3();
    continued_int3();
    for (uint32_t error_code = 0; error_code <= 4; error_code += 2)
        injected_page_fault(error_code);
    injected_page_fault(0x15);
    injection_and_step();
    own_icebp();
}
