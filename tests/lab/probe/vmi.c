#define _GNU_SOURCE
#include "vmi.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static int64_t now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000LL + t.tv_nsec / 1000000;
}

void vmi_open(struct vmi *vmi, uint32_t domain)
{
    memset(vmi, 0, sizeof *vmi);
    vmi->domain = domain;
    vmi->xc = xc_interface_open(NULL, NULL, 0);
    vmi->memory = xenforeignmemory_open(NULL, 0);
    vmi->model = xendevicemodel_open(NULL, 0);
    vmi->channel = xenevtchn_open(NULL, 0);
    if (!vmi->xc || !vmi->memory || !vmi->model || !vmi->channel) {
        printf("FAIL open: errno %d\n", errno);
        exit(1);
    }
}

int vmi_listen(struct vmi *vmi)
{
    uint32_t port;
    vmi->page = xc_monitor_enable(vmi->xc, vmi->domain, &port);
    if (!vmi->page)
        return errno;
    vmi->port = xenevtchn_bind_interdomain(vmi->channel, vmi->domain, port);
    if (vmi->port < 0)
        return errno;
    SHARED_RING_INIT((vm_event_sring_t *)vmi->page);
    BACK_RING_INIT(&vmi->ring, (vm_event_sring_t *)vmi->page, XC_PAGE_SIZE);
    return 0;
}

void vmi_deafen(struct vmi *vmi)
{
    munmap(vmi->page, XC_PAGE_SIZE);
    xc_monitor_disable(vmi->xc, vmi->domain);
    xenevtchn_unbind(vmi->channel, vmi->port);
}

void *vmi_map(struct vmi *vmi, uint64_t gfn, int protection)
{
    xen_pfn_t frame = gfn;
    int error = 0;
    void *page = xenforeignmemory_map(vmi->memory, vmi->domain, protection, 1, &frame, &error);
    if (!page) {
        printf("FAIL map: gfn %lx errno %d\n", (long)gfn, errno);
        exit(1);
    }
    return page;
}

bool vmi_next(struct vmi *vmi, int ms, event *event)
{
    struct pollfd fd = { .fd = xenevtchn_fd(vmi->channel), .events = POLLIN };
    int64_t end = now_ms() + ms;
    while (!RING_HAS_UNCONSUMED_REQUESTS(&vmi->ring)) { /* the first wake-up is spurious */
        int64_t left = end - now_ms();
        if (left <= 0)
            return false;
        if (poll(&fd, 1, left) == 1)
            xenevtchn_unmask(vmi->channel, xenevtchn_pending(vmi->channel));
    }
    memcpy(event, RING_GET_REQUEST(&vmi->ring, vmi->ring.req_cons), sizeof *event);
    vmi->ring.req_cons++;
    vmi->ring.sring->req_event = vmi->ring.req_cons + 1;
    return true;
}

answer vmi_plain(const event *event)
{
    answer answer = {
        .version = VM_EVENT_INTERFACE_VERSION,
        .vcpu_id = event->vcpu_id,
        .reason = event->reason,
        .flags = event->flags & VM_EVENT_FLAG_VCPU_PAUSED,
        .altp2m_idx = event->altp2m_idx,
        .u = event->u, /* DENY looks up the register here */
    };
    return answer;
}

void vmi_put(struct vmi *vmi, const answer *answer)
{
    memcpy(RING_GET_RESPONSE(&vmi->ring, vmi->ring.rsp_prod_pvt), answer, sizeof *answer);
    vmi->ring.rsp_prod_pvt++;
    RING_PUSH_RESPONSES(&vmi->ring);
    xenevtchn_notify(vmi->channel, vmi->port);
}

void vmi_answer(struct vmi *vmi, const event *event, uint32_t flags)
{
    answer answer = vmi_plain(event);
    answer.flags |= flags;
    if (flags & VM_EVENT_FLAG_SET_REGISTERS)
        answer.data.regs.x86 = event->data.regs.x86;
    vmi_put(vmi, &answer);
}

void vmi_step(struct vmi *vmi, const event *event, uint16_t view, bool fast)
{
    answer answer = vmi_plain(event);
    answer.flags |= VM_EVENT_FLAG_ALTERNATE_P2M;
    answer.altp2m_idx = view;
    if (fast) {
        answer.flags |= VM_EVENT_FLAG_FAST_SINGLESTEP;
        answer.u.fast_singlestep.p2midx = event->altp2m_idx;
    } else {
        answer.flags |= VM_EVENT_FLAG_TOGGLE_SINGLESTEP;
    }
    vmi_put(vmi, &answer);
}

void vmi_drain(struct vmi *vmi)
{
    event event;
    while (vmi_next(vmi, 20, &event)) {
        answer answer = vmi_plain(&event);
        answer.flags |= VM_EVENT_FLAG_ALTERNATE_P2M;
        answer.altp2m_idx = 0;
        vmi_put(vmi, &answer);
    }
}

void vmi_quiesce(struct vmi *vmi, unsigned cpus)
{
    xc_domain_pause(vmi->xc, vmi->domain);
    vmi_drain(vmi);
    for (unsigned cpu = 0; cpu < cpus; cpu++)
        xc_domain_debug_control(vmi->xc, vmi->domain, XEN_DOMCTL_DEBUG_OP_SINGLE_STEP_OFF, cpu);
    xc_altp2m_switch_to_view(vmi->xc, vmi->domain, 0);
    xc_domain_unpause(vmi->xc, vmi->domain);
}

int vmi_inject(struct vmi *vmi, const event *event, unsigned vector, unsigned type,
               uint32_t error, unsigned length, uint64_t cr2)
{
    return xendevicemodel_inject_event(vmi->model, vmi->domain, event->vcpu_id, vector, type,
                                       error, length, cr2);
}
