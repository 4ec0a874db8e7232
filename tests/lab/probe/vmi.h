/* The least of a VMI client over libxenctrl: one ring, one domain. */
#ifndef LAB_VMI_H
#define LAB_VMI_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/mman.h>
#include <xenctrl.h>
#include <xendevicemodel.h>
#include <xenevtchn.h>
#include <xenforeignmemory.h>
#include <xen/vm_event.h>

struct vmi {
    uint32_t domain;
    xc_interface *xc;
    xenforeignmemory_handle *memory;
    xendevicemodel_handle *model;
    xenevtchn_handle *channel;
    int port;
    void *page;
    vm_event_back_ring_t ring;
};

typedef vm_event_request_t event;
typedef vm_event_response_t answer;

void vmi_open(struct vmi *vmi, uint32_t domain);
/* Enables the monitor ring; 0 or errno. */
int vmi_listen(struct vmi *vmi);
void vmi_deafen(struct vmi *vmi);
/* Maps one frame for good. */
void *vmi_map(struct vmi *vmi, uint64_t gfn, int protection);
/* Next event, false after `ms` without one. */
bool vmi_next(struct vmi *vmi, int ms, event *event);
/* An answer that only lets the processor go on. */
answer vmi_plain(const event *event);
void vmi_put(struct vmi *vmi, const answer *answer);
/* Answers with these flags on top of the plain ones. */
void vmi_answer(struct vmi *vmi, const event *event, uint32_t flags);
/* Moves the processor to `view` for a step, fast (back to the event's view
 * without an event) or reported. */
void vmi_step(struct vmi *vmi, const event *event, uint16_t view, bool fast);
/* Answers everything that is queued. */
void vmi_drain(struct vmi *vmi);
/* Pauses, drains, cancels steps, goes to the default view, resumes. */
void vmi_quiesce(struct vmi *vmi, unsigned cpus);
int vmi_inject(struct vmi *vmi, const event *event, unsigned vector, unsigned type,
               uint32_t error, unsigned length, uint64_t cr2);

#endif
