/* Alternative views: creation, shadow frames, steps, page tables; and how a client
 * that was killed is cleaned up after. */
#include "probe.h"

#include <signal.h>
#include <sys/wait.h>

static uint64_t max_gfn, max_kib, shadow;
static uint16_t view;

static void created(void)
{
    xenmem_access_t access = 99;
    xc_altp2m_set_domain_state(vmi.xc, vmi.domain, true);
    int rc = xc_altp2m_create_view(vmi.xc, vmi.domain, XENMEM_access_rwx, &view);
    int lazy = xc_altp2m_get_mem_access(vmi.xc, vmi.domain, view, hot_gfn, &access);
    int error = lazy ? errno : 0;
    VERDICT(!rc && view > 0, "view-created", "view %u; access of an untouched page: rc %d errno %d access %u", view, lazy,
            error, access);

    xc_domaininfo_t info;
    xc_domain_getinfo_single(vmi.xc, vmi.domain, &info);
    max_kib = info.max_pages * 4;
    xc_domain_maximum_gpfn(vmi.xc, vmi.domain, &max_gfn);
    xen_pfn_t frame = shadow = max_gfn + 1;
    int refused = xc_domain_populate_physmap_exact(vmi.xc, vmi.domain, 1, 0, 0, &frame);
    int max = xc_domain_setmaxmem(vmi.xc, vmi.domain, max_kib + 4096);
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

/* A fast step that was answered and cancelled before it ran: does it spoil the
 * next, reported one? */
static void cancelled_fast_step(void)
{
    event event;
    uint8_t original = *code;
    bool prepared = false, reported = false;
    unsigned cpu = ~0u, hits = 0;
    xc_monitor_software_breakpoint(vmi.xc, vmi.domain, true);
    xc_monitor_singlestep(vmi.xc, vmi.domain, true);
    *code = 0xcc;
    while (hits++ < 1000 && vmi_next(&vmi, 2000, &event)) {
        if (event.reason == VM_EVENT_REASON_SINGLESTEP) {
            reported = true;
            vmi_answer(&vmi, &event, VM_EVENT_FLAG_TOGGLE_SINGLESTEP);
            break;
        }
        if (!prepared) {
            cpu = event.vcpu_id;
            xc_domain_pause(vmi.xc, vmi.domain);
            vmi_step(&vmi, &event, 0, true);
            xc_domain_debug_control(vmi.xc, vmi.domain, XEN_DOMCTL_DEBUG_OP_SINGLE_STEP_OFF, cpu);
            xc_domain_unpause(vmi.xc, vmi.domain);
            prepared = true;
        } else if (event.vcpu_id == cpu) {
            *code = original;
            vmi_answer(&vmi, &event, VM_EVENT_FLAG_TOGGLE_SINGLESTEP);
        } else {
            usleep(1000);
            vmi_answer(&vmi, &event, 0);
        }
    }
    *code = original;
    vmi_quiesce(&vmi, CPUS);
    settle();
    xc_monitor_singlestep(vmi.xc, vmi.domain, false);
    xc_monitor_software_breakpoint(vmi.xc, vmi.domain, false);
    VERDICT(reported, "cancelled-fast-step", "the next step is reported");
}

/* Write access to the lazy page's table, with and without the walker's own writes. */
static void page_walk(xenmem_access_t access, const char *name)
{
    event event;
    unsigned walks = 0, writes = 0, reads = 0;
    uint64_t before = vars->lazy_reads;
    xc_altp2m_set_mem_access(vmi.xc, vmi.domain, view, lazy_table_gfn, access);
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
    xc_altp2m_set_mem_access(vmi.xc, vmi.domain, view, lazy_table_gfn, XENMEM_access_rwx);
    VERDICT(writes > 0 && (access != XENMEM_access_r_pw || walks == 0), name,
            "%u explicit writes, %u reads, %u by page walks, guest reads %lu", writes, reads, walks,
            (long)(vars->lazy_reads - before));
}

void check_views(void)
{
    created();
    hidden(false, true);
    hidden(true, true);
    hidden(true, false);
    cancelled_fast_step();
    page_walk(XENMEM_access_r, "page-table-read-only");
    page_walk(XENMEM_access_r_pw, "page-table-read-only-but-for-walks");
}

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

static void restore(void)
{
    xen_pfn_t frame = shadow;
    int destroyed = xc_altp2m_destroy_view(vmi.xc, vmi.domain, view);
    int error = destroyed ? errno : 0;
    int off = xc_altp2m_set_domain_state(vmi.xc, vmi.domain, false);
    int freed = xc_domain_decrease_reservation_exact(vmi.xc, vmi.domain, 1, 0, &frame);
    int max = xc_domain_setmaxmem(vmi.xc, vmi.domain, max_kib);
    VERDICT(!destroyed && !off && !freed && !max && guest_runs(), "restored",
            "destroy %d (errno %d), altp2m off %d, frame freed %d, max memory %d", destroyed, error, off, freed, max);
}

void check_kill_and_restore(void)
{
    killed_client();
    restore();
}
