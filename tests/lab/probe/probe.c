/*
 * Asks a real Xen what docs/XEN.md states, with the lab's guest as the truth.
 *   probe DOMAIN HOT VARS LAZY_TABLE AFTER_INT3     (guest physical, hexadecimal)
 * One line per fact, PASS or FAIL with the numbers seen.
 */
#define _GNU_SOURCE
#include "vmi.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "vars.h"

#define HIGH 0xffffffff80000000ull
#define ROUNDS 100
#define PATIENCE 5000 /* ms */
#define CPUS 2
#define EXCEPTION 3
#define SOFTWARE_EXCEPTION 6
#define NO_ERROR_CODE (~0u)

static struct vmi vmi;
static volatile struct vars *vars;
static volatile uint8_t *code;
static volatile uint64_t *lazy_pte;
static uint64_t hot, hot_gfn, after_int3, max_gfn, shadow;
static uint16_t view;

#define VERDICT(good, name, ...) \
    do { printf("%s %s: ", (good) ? "PASS" : "FAIL", name); printf(__VA_ARGS__); \
         putchar('\n'); fflush(stdout); } while (0)

/* Lets the guest do `mode` and answers `count` events of `reason` with `flags`;
 * `look` sees each first and may change it. Returns how many came. */
typedef void look_fn(event *event, unsigned index);
static unsigned play(uint64_t mode, uint32_t reason, unsigned count, uint32_t flags, look_fn *look)
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

static bool guest_runs(void)
{
    uint64_t rounds = vars->rounds, rounds1 = vars->rounds1;
    for (int i = 0; i < 500; i++) {
        if (vars->rounds > rounds + 5 && vars->rounds1 > rounds1 + 5)
            return true;
        usleep(10000);
    }
    return false;
}

/* After the monitor is off: what still came in between is answered, too. */
static void settle(void)
{
    vmi_drain(&vmi);
    if (!guest_runs())
        printf("     the guest stands still\n");
}

/* --- Exceptions ------------------------------------------------------------ */
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

/* --- Registers ------------------------------------------------------------- */
static unsigned changed, advanced;
static uint64_t previous_new;
static void note_cr(event *event, unsigned index)
{
    changed += event->u.write_ctrlreg.old_value != event->u.write_ctrlreg.new_value;
    advanced += index > 1 && event->u.write_ctrlreg.old_value == previous_new;
    previous_new = event->u.write_ctrlreg.new_value;
    first_rip = event->data.regs.x86.rip;
    last_rip = event->data.regs.x86.cr3;
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
            seen, (long)(*truth - before), changed, advanced, (long)first_rip, (long)last_rip, (long)previous_new);
}

static void denied_cr3(void)
{
    uint64_t writes = vars->cr3_writes;
    changed = advanced = 0;
    xc_monitor_write_ctrlreg(vmi.xc, vmi.domain, VM_EVENT_X86_CR3, true, true, 0, true);
    unsigned seen = play(MODE_CR3, VM_EVENT_REASON_WRITE_CTRLREG, 10, VM_EVENT_FLAG_DENY, note_cr);
    settle();
    xc_monitor_write_ctrlreg(vmi.xc, vmi.domain, VM_EVENT_X86_CR3, false, true, 0, true);
    VERDICT(seen == 10 && advanced == 0 && vars->cr3_writes > writes, "cr3-denied",
            "%u events, the old value stayed %u times, the guest went past %lu writes", seen, seen - advanced,
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

/* --- Instructions that Xen would emulate ----------------------------------- */
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

static uint64_t cpuid_rax, cpuid_rbx;
static void note_cpuid(event *event, unsigned index)
{
    note_rip(event, index == 3 ? 2 : index);
    if (index == 1)
        cpuid_rax = event->data.regs.x86.rax, cpuid_rbx = event->data.regs.x86.rbx;
}

static void cpuid_continued(void)
{
    uint64_t before = vars->cpuids;
    first_rip = last_rip = 0;
    xc_monitor_cpuid(vmi.xc, vmi.domain, true);
    unsigned seen = play(MODE_CPUID, VM_EVENT_REASON_CPUID, 3, 0, note_cpuid);
    xc_monitor_cpuid(vmi.xc, vmi.domain, false);
    settle();
    VERDICT(seen == 3, "cpuid-continued", "3 events, RIP %s, %lu executed in between; RAX %lx RBX %lx in the event",
            first_rip == last_rip ? "stays" : "moves", (long)(vars->cpuids - before), (long)cpuid_rax, (long)cpuid_rbx);
}

static void port_out(void)
{
    uint64_t before = vars->outs;
    first_rip = last_rip = 0;
    int rc = xc_monitor_io(vmi.xc, vmi.domain, true);
    unsigned seen = play(MODE_OUT, VM_EVENT_REASON_IO_INSTRUCTION, 3, 0, note_cpuid);
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

/* --- Views ----------------------------------------------------------------- */
static void views(void)
{
    xenmem_access_t access = 99;
    xc_altp2m_set_domain_state(vmi.xc, vmi.domain, true);
    int rc = xc_altp2m_create_view(vmi.xc, vmi.domain, XENMEM_access_rwx, &view);
    int lazy = xc_altp2m_get_mem_access(vmi.xc, vmi.domain, view, hot_gfn, &access);
    int error = lazy ? errno : 0;
    VERDICT(!rc && view > 0, "view-created", "view %u; access of an untouched page: rc %d errno %d access %u", view, lazy,
            error, access);

    xc_domain_maximum_gpfn(vmi.xc, vmi.domain, &max_gfn);
    xen_pfn_t frame = shadow = max_gfn + 1;
    int refused = xc_domain_populate_physmap_exact(vmi.xc, vmi.domain, 1, 0, 0, &frame);
    int max = xc_domain_setmaxmem(vmi.xc, vmi.domain, 70 * 1024);
    frame = shadow;
    int allowed = refused ? xc_domain_populate_physmap_exact(vmi.xc, vmi.domain, 1, 0, 0, &frame) : 0;
    VERDICT(!max && !allowed, "frame-allocated", "gfn %lx; before max memory was raised: %s", (long)shadow,
            refused ? "refused" : "allowed");

    xc_altp2m_set_mem_access(vmi.xc, vmi.domain, view, hot_gfn, XENMEM_access_x);
    xc_altp2m_change_gfn(vmi.xc, vmi.domain, view, hot_gfn, shadow);
    xc_altp2m_get_mem_access(vmi.xc, vmi.domain, view, hot_gfn, &access);
    xenmem_access_t after_reset = 99;
    xc_altp2m_change_gfn(vmi.xc, vmi.domain, view, hot_gfn, ~0ull);
    int reset = xc_altp2m_get_mem_access(vmi.xc, vmi.domain, view, hot_gfn, &after_reset);
    VERDICT(access == XENMEM_access_rwx, "remap-resets-access", "x before, %u after change_gfn; after reset rc %d access %u", access,
            reset, after_reset);
}

static void hidden(bool fast, bool protect)
{
    event event;
    unsigned hits = 0, reads = 0, steps = 0, other = 0;
    uint8_t *patched = vmi_map(&vmi, shadow, PROT_READ | PROT_WRITE);
    memcpy(patched, (const void *)(code - (hot & 0xfff)), XC_PAGE_SIZE);
    patched[hot & 0xfff] = 0xcc;
    munmap(patched, XC_PAGE_SIZE);
    xc_altp2m_change_gfn(vmi.xc, vmi.domain, view, hot_gfn, shadow);
    xc_altp2m_set_mem_access(vmi.xc, vmi.domain, view, hot_gfn, protect ? XENMEM_access_x : XENMEM_access_rwx);
    xc_monitor_software_breakpoint(vmi.xc, vmi.domain, true);
    xc_monitor_singlestep(vmi.xc, vmi.domain, true);
    vars->bad = 0;
    uint64_t calls = vars->calls, calls1 = vars->calls1;
    xc_altp2m_switch_to_view(vmi.xc, vmi.domain, view);
    vars->mode = MODE_INTEGRITY;
    while ((hits < 2 * ROUNDS || (protect && reads < ROUNDS)) && vmi_next(&vmi, PATIENCE, &event)) {
        switch (event.reason) {
        case VM_EVENT_REASON_SOFTWARE_BREAKPOINT:
            hits++;
            vmi_step(&vmi, &event, 0, fast);
            break;
        case VM_EVENT_REASON_MEM_ACCESS:
            reads++;
            vmi_step(&vmi, &event, 0, fast);
            break;
        case VM_EVENT_REASON_SINGLESTEP:
            steps++;
            vmi_step(&vmi, &event, view, false);
            break;
        default:
            other++;
            vmi_answer(&vmi, &event, 0);
        }
    }
    vmi_quiesce(&vmi, CPUS);
    vars->mode = 0;
    settle();
    calls = vars->calls - calls + vars->calls1 - calls1;
    xc_altp2m_change_gfn(vmi.xc, vmi.domain, view, hot_gfn, ~0ull);
    xc_monitor_singlestep(vmi.xc, vmi.domain, false);
    xc_monitor_software_breakpoint(vmi.xc, vmi.domain, false);
    VERDICT(!other && (vars->bad == 0) == protect && hits >= 2 * ROUNDS,
            !protect ? "control-unprotected-shadow-is-seen" : fast ? "hidden-fast-step" : "hidden-reported-step",
            "%u hits, %u reads, %u steps on two processors; guest saw the patch %lu times", hits, reads, steps,
            (long)vars->bad);
}

/* Write access to the lazy page's table, with and without the walker's own writes. */
static void page_walk(xenmem_access_t access, const char *name)
{
    event event;
    unsigned walks = 0, writes = 0, reads = 0;
    uint64_t table_gfn = 0;
    uint64_t before = vars->lazy_reads;
    extern uint64_t lazy_table_gfn;
    table_gfn = lazy_table_gfn;
    xc_altp2m_set_mem_access(vmi.xc, vmi.domain, view, table_gfn, access);
    xc_monitor_singlestep(vmi.xc, vmi.domain, true);
    xc_altp2m_switch_to_view(vmi.xc, vmi.domain, view);
    vars->mode = MODE_LAZY;
    while (walks + writes + reads < ROUNDS && vmi_next(&vmi, PATIENCE, &event)) {
        if (event.reason != VM_EVENT_REASON_MEM_ACCESS) {
            vmi_step(&vmi, &event, view, false);
            continue;
        }
        if (event.u.mem_access.flags & MEM_ACCESS_FAULT_IN_GPT)
            walks++;
        else if (event.u.mem_access.flags & MEM_ACCESS_W)
            writes++;
        else
            reads++;
        vmi_step(&vmi, &event, 0, true);
    }
    vars->mode = 0;
    vmi_quiesce(&vmi, CPUS);
    settle();
    xc_monitor_singlestep(vmi.xc, vmi.domain, false);
    xc_altp2m_set_mem_access(vmi.xc, vmi.domain, view, table_gfn, XENMEM_access_rwx);
    VERDICT(writes > 0 && (access != XENMEM_access_r_pw || walks == 0), name,
            "%u explicit writes, %u reads, %u by page walks, guest reads %lu", writes, reads, walks,
            (long)(vars->lazy_reads - before));
}
uint64_t lazy_table_gfn;

/* --- A client that dies in the middle -------------------------------------- */
static void die_with_an_unanswered_event(uint32_t domain)
{
    event event;
    struct vmi own;
    vmi_open(&own, domain);
    if (vmi_listen(&own))
        _exit(1);
    xc_altp2m_change_gfn(own.xc, domain, view, hot_gfn, shadow);
    xc_monitor_software_breakpoint(own.xc, domain, true);
    xc_altp2m_switch_to_view(own.xc, domain, view);
    for (int i = 0; i < 10 && vmi_next(&own, PATIENCE, &event); i++)
        vmi_step(&own, &event, 0, true);
    if (vmi_next(&own, PATIENCE, &event))
        raise(SIGKILL);
    _exit(2);
}

static void killed_client(void)
{
    int status = 0;
    vmi_deafen(&vmi);
    if (fork() == 0)
        die_with_an_unanswered_event(vmi.domain);
    wait(&status);
    bool stuck = !guest_runs();
    int again = vmi_listen(&vmi);
    xc_domain_pause(vmi.xc, vmi.domain);
    int disabled = xc_monitor_disable(vmi.xc, vmi.domain);
    int listened = vmi_listen(&vmi);
    xc_monitor_software_breakpoint(vmi.xc, vmi.domain, false);
    bool still_stuck = false;
    xc_altp2m_switch_to_view(vmi.xc, vmi.domain, 0);
    xc_domain_unpause(vmi.xc, vmi.domain);
    still_stuck = !guest_runs();
    for (unsigned cpu = 0; cpu < CPUS; cpu++) {
        answer answer = { .version = VM_EVENT_INTERFACE_VERSION, .vcpu_id = cpu, .flags = VM_EVENT_FLAG_VCPU_PAUSED };
        vmi_put(&vmi, &answer);
    }
    bool runs = guest_runs();
    VERDICT(WIFSIGNALED(status) && stuck && again && !disabled && !listened && runs, "killed-client-recovered",
            "guest %s after the kill; second enable errno %d; disable rc %d; after it enable errno %d, guest %s; "
            "after an answer for each processor guest %s",
            stuck ? "stuck" : "runs", again, disabled, listened, still_stuck ? "still stuck" : "runs",
            runs ? "runs" : "stuck");
}

/* --- Restoring ------------------------------------------------------------- */
static void restore(void)
{
    xen_pfn_t frame = shadow;
    int destroyed = xc_altp2m_destroy_view(vmi.xc, vmi.domain, view);
    int error = destroyed ? errno : 0;
    int off = xc_altp2m_set_domain_state(vmi.xc, vmi.domain, false);
    int freed = xc_domain_decrease_reservation_exact(vmi.xc, vmi.domain, 1, 0, &frame);
    int max = xc_domain_setmaxmem(vmi.xc, vmi.domain, 64 * 1024 + 4);
    VERDICT(!destroyed && !off && !freed && !max && guest_runs(), "restored",
            "destroy %d (errno %d), altp2m off %d, frame freed %d, max memory %d", destroyed, error, off, freed, max);
}

int main(int argc, char **argv)
{
    if (argc != 6)
        return 2;
    hot = strtoull(argv[2], NULL, 16);
    hot_gfn = hot >> 12;
    after_int3 = strtoull(argv[5], NULL, 16);
    uint64_t table = strtoull(argv[4], NULL, 16);
    lazy_table_gfn = table >> 12;

    vmi_open(&vmi, strtoul(argv[1], NULL, 10));
    vars = vmi_map(&vmi, strtoull(argv[3], NULL, 16) >> 12, PROT_READ | PROT_WRITE);
    code = (uint8_t *)vmi_map(&vmi, hot_gfn, PROT_READ | PROT_WRITE) + (hot & 0xfff);
    lazy_pte = (uint64_t *)vmi_map(&vmi, lazy_table_gfn, PROT_READ | PROT_WRITE) + ((LAZY_VA >> 12) & 511);
    int rc = vmi_listen(&vmi);
    uint32_t capabilities = 0;
    xc_monitor_get_capabilities(vmi.xc, vmi.domain, &capabilities);
    VERDICT(!rc && guest_runs(), "monitor", "capabilities %x", capabilities);

    denied_cr3();
    printf("io\n"); fflush(stdout);
    port_out();
    printf("io done\n"); fflush(stdout);
    own_int3();
    continued_int3();
    for (uint32_t error_code = 0; error_code <= 4; error_code += 2)
        injected_page_fault(error_code);
    injected_page_fault(0x15);
    injection_and_step();
    own_icebp();
    control_register("cr3-written", VM_EVENT_X86_CR3, MODE_CR3, 0, &vars->cr3_writes);
    denied_cr3();
    control_register("cr4-written", VM_EVENT_X86_CR4, MODE_CR4, 0, &vars->cr4_writes);
    control_register("xcr0-written", VM_EVENT_X86_XCR0, MODE_XCR0, 0, &vars->xcr0_writes);
    msr();
    cpuid();
    cpuid_continued();
    port_out();
    guest_request();
    views();
    hidden(false, true);
    hidden(true, true);
    hidden(true, false);
    page_walk(XENMEM_access_r, "page-table-read-only");
    page_walk(XENMEM_access_r_pw, "page-table-read-only-but-for-walks");
    killed_client();
    restore();
    vmi_deafen(&vmi);
    return 0;
}
