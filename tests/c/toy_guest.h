/* A small running guest: the memory of the forged dump, and processors that
 * execute one instruction at a time, when a test says so.
 *
 * Every instruction is one byte long. What is at RIP does not matter, except
 * that 0xcc is an INT3: what an instruction does, the test says. A processor that
 * is stopped by an event stays so until wait_events has had it answered. */
#ifndef TOY_GUEST_H
#define TOY_GUEST_H

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stddef.h>
#include <unistd.h>

#include "check.h"

#define TOY_VIEWS 8
#define TOY_CPUS 2
#define TOY_MONITORS 32
#define TOY_FIRST_FRAME UINT64_C(0x7000000000)
#define TOY_FULL 7U
#define TOY_PAGE UINT64_C(0xffffffffff000)

/* Where processors execute what no test hooks. */
#define TOY_ELSEWHERE (FORGED_NT_CREATE_FILE + 0x80)

enum toy_instruction { TOY_NOP, TOY_READ, TOY_WRITE, TOY_EVENT };

/* A page that was written, or that was allocated. */
struct toy_page {
    struct toy_page *next;
    uint64_t address;
    bool allocated;
    uint8_t bytes[4096];
};

/* What a view shows of a page. */
struct toy_shown {
    struct toy_shown *next;
    uint64_t frame, shown;
    uint32_t access;
};

struct toy_view {
    bool exists;
    /* Rights of the pages that nothing is known of. */
    uint32_t access;
    struct toy_shown *pages;
};

struct toy_cpu {
    wvmi_registers registers;
    uint32_t view;
    /* The instruction that it is at, and its operand. */
    enum toy_instruction instruction;
    uint64_t operand, value;
    wvmi_driver_event event;
    /* It waits for an answer; the event that it was to report was reported. */
    bool stopped, reported;
    /* Instructions that were executed, answers that had no effect. */
    unsigned executed, denied, rounds;
    /* INT3 that the guest itself took. */
    unsigned own_int3;
    uint64_t last_read;
};

struct toy {
    wvmi_session *source;
    pthread_mutex_t lock;
    struct toy_page *pages;
    struct toy_view views[TOY_VIEWS];
    struct toy_cpu cpus[TOY_CPUS];
    uint32_t monitors[TOY_MONITORS][2];
    size_t monitor_count;
    uint64_t next_frame;
    int pipe[2];
    int paused, frames, released;
    unsigned pauses, resumes, injected, view_count;
    wvmi_driver_interrupt last_injected;
    /* Live calls so far, and the one that fails. */
    unsigned long calls, fail_at;
    /* Steps of the pages that the guest brings in when it takes a page fault. */
    uint64_t fault_entry, fault_value;
};

static inline struct toy_page *toy_page_at(struct toy *toy, uint64_t address)
{
    struct toy_page *page = toy->pages;
    while (page && page->address != (address & TOY_PAGE)) {
        page = page->next;
    }
    return page;
}

static inline wvmi_status toy_read_physical(void *context, uint64_t address, uint8_t *buffer,
                                            size_t size)
{
    struct toy *toy = (struct toy *)context;
    struct toy_page *page;
    CHECK(size > 0 && address / 4096 == (address + size - 1) / 4096);
    pthread_mutex_lock(&toy->lock);
    page = toy_page_at(toy, address);
    if (page) {
        memcpy(buffer, page->bytes + address % 4096, size);
    }
    pthread_mutex_unlock(&toy->lock);
    return page ? WVMI_OK
                : wvmi_read(toy->source, space_of(WVMI_SPACE_PHYSICAL, 0), address, buffer, size,
                            NULL);
}

static inline struct toy_page *toy_add_page(struct toy *toy, uint64_t address)
{
    struct toy_page *page = (struct toy_page *)calloc(1, sizeof *page);
    CHECK(page != NULL);
    page->address = address & TOY_PAGE;
    page->next = toy->pages;
    toy->pages = page;
    return page;
}

static inline wvmi_status toy_write_physical(void *context, uint64_t address,
                                             const uint8_t *bytes, size_t size)
{
    struct toy *toy = (struct toy *)context;
    uint8_t whole[4096];
    struct toy_page *page;
    CHECK(size > 0 && address / 4096 == (address + size - 1) / 4096);
    if (toy_read_physical(toy, address & TOY_PAGE, whole, sizeof whole) != WVMI_OK) {
        return WVMI_ERROR_FAULT;
    }
    pthread_mutex_lock(&toy->lock);
    page = toy_page_at(toy, address);
    if (!page) {
        page = toy_add_page(toy, address);
        memcpy(page->bytes, whole, sizeof whole);
    }
    memcpy(page->bytes + address % 4096, bytes, size);
    pthread_mutex_unlock(&toy->lock);
    return WVMI_OK;
}

static inline uint64_t toy_word(struct toy *toy, uint64_t address)
{
    uint64_t word = 0;
    CHECK_OK(toy_read_physical(toy, address, (uint8_t *)&word, sizeof word));
    return word;
}

/* Walks the page tables; 0 when an entry is absent. `entry` receives where the
 * last one is. */
static inline uint64_t toy_translate(struct toy *toy, uint64_t va, uint64_t *entry)
{
    uint64_t table = toy->cpus[0].registers.cr3 & TOY_PAGE;
    for (int shift = 39; shift >= 12; shift -= 9) {
        uint64_t at = table + (va >> shift & 511) * 8;
        uint64_t word = toy_word(toy, at);
        uint64_t inside = (UINT64_C(1) << shift) - 1;
        if (entry) {
            *entry = at;
        }
        if ((word & 1) == 0) {
            return 0;
        }
        if (shift == 12 || (shift < 39 && (word & 0x80) != 0)) {
            return (word & TOY_PAGE & ~inside) | (va & inside);
        }
        table = word & TOY_PAGE;
    }
    return 0;
}

static inline struct toy_shown *toy_shown_in(struct toy *toy, uint32_t view, uint64_t frame,
                                             bool make)
{
    struct toy_shown *shown;
    CHECK(view < TOY_VIEWS && toy->views[view].exists);
    for (shown = toy->views[view].pages; shown; shown = shown->next) {
        if (shown->frame == (frame & TOY_PAGE)) {
            return shown;
        }
    }
    if (make) {
        shown = (struct toy_shown *)calloc(1, sizeof *shown);
        CHECK(shown != NULL);
        shown->frame = shown->shown = frame & TOY_PAGE;
        shown->access = toy->views[view].access;
        shown->next = toy->views[view].pages;
        toy->views[view].pages = shown;
    }
    return shown;
}

static inline bool toy_monitors(struct toy *toy, uint32_t kind, uint32_t number)
{
    for (size_t i = 0; i < toy->monitor_count; i++) {
        if (toy->monitors[i][0] == kind && toy->monitors[i][1] == number) {
            return true;
        }
    }
    return false;
}

/* Stops a processor at an event. */
static inline void toy_stop(struct toy *toy, uint32_t vcpu, uint32_t kind)
{
    struct toy_cpu *cpu = &toy->cpus[vcpu];
    cpu->stopped = true;
    cpu->event.kind = kind;
    cpu->event.vcpu = vcpu;
    cpu->event.view = cpu->view;
    cpu->event.flags |= WVMI_DRIVER_EVENT_VIEW;
    CHECK(write(toy->pipe[1], "!", 1) == 1);
}

/* Checks an access; stops the processor when the view does not allow it. */
static inline bool toy_may(struct toy *toy, uint32_t vcpu, uint32_t view, uint64_t pa, uint64_t va,
                           uint32_t access, uint64_t *shown_at)
{
    struct toy_cpu *cpu = &toy->cpus[vcpu];
    struct toy_shown *shown = toy_shown_in(toy, view, pa, false);
    uint32_t allowed = shown ? shown->access : toy->views[view].access;
    *shown_at = (shown ? shown->shown : pa & TOY_PAGE) | (pa & 4095);
    if ((allowed & access) == access) {
        return true;
    }
    memset(&cpu->event, 0, sizeof cpu->event);
    cpu->event.memory_physical = pa;
    cpu->event.memory_virtual = va;
    cpu->event.flags = va ? WVMI_DRIVER_EVENT_VIRTUAL : 0;
    cpu->event.access = access;
    toy_stop(toy, vcpu, WVMI_EVENT_MEMORY);
    return false;
}

/* Takes or reports an INT3. */
static inline void toy_int3(struct toy *toy, uint32_t vcpu)
{
    struct toy_cpu *cpu = &toy->cpus[vcpu];
    if (!toy_monitors(toy, WVMI_EVENT_INTERRUPT, 3)) {
        cpu->own_int3++;
        return;
    }
    memset(&cpu->event, 0, sizeof cpu->event);
    cpu->event.interrupt.vector = 3;
    cpu->event.interrupt.kind = WVMI_INTERRUPT_SOFTWARE_EXCEPTION;
    cpu->event.interrupt.instruction_length = 1;
    toy_stop(toy, vcpu, WVMI_EVENT_INTERRUPT);
}

/* Executes the processor's instruction in a view. False when it was stopped. */
static inline bool toy_step(struct toy *toy, uint32_t vcpu, uint32_t view)
{
    struct toy_cpu *cpu = &toy->cpus[vcpu];
    uint64_t code = toy_translate(toy, cpu->registers.rip, NULL), shown;
    uint8_t byte;
    CHECK(code != 0);
    if (!toy_may(toy, vcpu, view, code, cpu->registers.rip, 4, &shown)) {
        return false;
    }
    CHECK_OK(toy_read_physical(toy, shown, &byte, 1));
    if (byte == 0xcc) {
        toy_int3(toy, vcpu);
        return false;
    }
    if (cpu->instruction == TOY_READ) {
        if (!toy_may(toy, vcpu, view, cpu->operand, 0, 1, &shown)) {
            return false;
        }
        cpu->last_read = toy_word(toy, shown);
    } else if (cpu->instruction == TOY_WRITE) {
        if (!toy_may(toy, vcpu, view, cpu->operand, 0, 3, &shown)) {
            return false;
        }
        CHECK_OK(toy_write_physical(toy, shown, (uint8_t *)&cpu->value, sizeof cpu->value));
    } else if (cpu->instruction == TOY_EVENT && !cpu->reported) {
        cpu->reported = true;
        toy_stop(toy, vcpu, cpu->event.kind);
        return false;
    }
    cpu->registers.rip++;
    cpu->executed++;
    return true;
}

/* What a page fault handler of the guest would do. */
static inline void toy_take_fault(struct toy *toy)
{
    if (toy->fault_entry != 0) {
        struct toy_cpu *pager = &toy->cpus[1];
        pager->registers.rip = TOY_ELSEWHERE;
        pager->instruction = TOY_WRITE;
        pager->operand = toy->fault_entry;
        pager->value = toy->fault_value;
        pager->reported = false;
        toy->fault_entry = 0;
        toy_step(toy, 1, pager->view);
    }
}

/* Has a stopped processor go on as it was answered. */
static inline void toy_go_on(struct toy *toy, uint32_t vcpu, const wvmi_driver_response *response)
{
    struct toy_cpu *cpu = &toy->cpus[vcpu];
    uint64_t rip = cpu->registers.rip;
    bool was_step = cpu->event.kind == WVMI_EVENT_SINGLE_STEP;
    CHECK(++cpu->rounds < 64);
    if (response->registers) {
        CHECK(response->registers_size == sizeof cpu->registers);
        cpu->registers = *response->registers;
    }
    if (response->flags & WVMI_DRIVER_RESPONSE_VIEW) {
        cpu->view = response->view;
    }
    CHECK(cpu->view < TOY_VIEWS && toy->views[cpu->view].exists);
    switch (response->action) {
    case WVMI_DRIVER_CONTINUE:
        if (toy->injected > 0 && toy->last_injected.vector == 14) {
            toy->last_injected.vector = 0;
            toy_take_fault(toy);
        }
        if (rip == cpu->registers.rip && !was_step) {
            toy_step(toy, vcpu, cpu->view);
        }
        break;
    case WVMI_DRIVER_DENY:
        cpu->denied++;
        cpu->registers.rip++;
        break;
    case WVMI_DRIVER_REINJECT:
        cpu->own_int3++;
        break;
    case WVMI_DRIVER_EMULATE:
    case WVMI_DRIVER_FAST_SINGLE_STEP:
        toy_step(toy, vcpu, response->action == WVMI_DRIVER_EMULATE ? 0 : response->step_view);
        break;
    case WVMI_DRIVER_SINGLE_STEP:
        if (toy_step(toy, vcpu, cpu->view)) {
            CHECK(toy_monitors(toy, WVMI_EVENT_SINGLE_STEP, 0));
            memset(&cpu->event, 0, sizeof cpu->event);
            toy_stop(toy, vcpu, WVMI_EVENT_SINGLE_STEP);
        }
        break;
    default:
        CHECK(!"an unknown action");
    }
}

static inline wvmi_status toy_wait_events(void *context, uint32_t timeout_ms,
                                          wvmi_driver_answer answer, void *answer_context)
{
    struct toy *toy = (struct toy *)context;
    struct pollfd polled;
    char drained[64];
    bool any;
    polled.fd = toy->pipe[0];
    polled.events = POLLIN;
    poll(&polled, 1, (int)timeout_ms);
    while (read(toy->pipe[0], drained, sizeof drained) > 0) {
    }
    do {
        any = false;
        for (uint32_t vcpu = 0; vcpu < TOY_CPUS; vcpu++) {
            struct toy_cpu *cpu = &toy->cpus[vcpu];
            wvmi_driver_response response;
            if (!cpu->stopped) {
                continue;
            }
            any = true;
            cpu->stopped = false;
            cpu->event.registers = &cpu->registers;
            cpu->event.registers_size = sizeof cpu->registers;
            memset(&response, 0xee, sizeof response);
            answer(answer_context, &cpu->event, sizeof cpu->event, &response, sizeof response);
            toy_go_on(toy, vcpu, &response);
        }
    } while (any);
    return WVMI_OK;
}

/* Counts a live call; true for the one that is to fail. */
static inline bool toy_fails(struct toy *toy)
{
    return ++toy->calls == toy->fail_at;
}

static inline wvmi_status toy_get_registers(void *context, uint32_t vcpu,
                                            wvmi_registers *registers, size_t size)
{
    struct toy *toy = (struct toy *)context;
    CHECK(size == sizeof *registers);
    if (vcpu >= TOY_CPUS) {
        return WVMI_ERROR_NOT_FOUND;
    }
    *registers = toy->cpus[vcpu].registers;
    return WVMI_OK;
}

static inline wvmi_status toy_set_registers(void *context, uint32_t vcpu,
                                            const wvmi_registers *registers, size_t size)
{
    struct toy *toy = (struct toy *)context;
    CHECK(size == sizeof *registers && vcpu < TOY_CPUS);
    toy->cpus[vcpu].registers = *registers;
    return WVMI_OK;
}

static inline wvmi_status toy_pause(void *context)
{
    struct toy *toy = (struct toy *)context;
    if (toy_fails(toy)) {
        return WVMI_ERROR_IO;
    }
    toy->paused++;
    toy->pauses++;
    return WVMI_OK;
}

static inline wvmi_status toy_resume(void *context)
{
    struct toy *toy = (struct toy *)context;
    if (toy_fails(toy)) {
        return WVMI_ERROR_IO;
    }
    toy->paused--;
    toy->resumes++;
    CHECK(toy->paused >= 0);
    return WVMI_OK;
}

static inline wvmi_status toy_reset_events(void *context)
{
    struct toy *toy = (struct toy *)context;
    if (toy_fails(toy)) {
        return WVMI_ERROR_IO;
    }
    toy->monitor_count = 0;
    return WVMI_OK;
}

static inline wvmi_status toy_inject(void *context, uint32_t vcpu,
                                     const wvmi_driver_interrupt *interrupt, size_t size)
{
    struct toy *toy = (struct toy *)context;
    CHECK(size == sizeof *interrupt && vcpu < TOY_CPUS);
    if (toy_fails(toy)) {
        return WVMI_ERROR_IO;
    }
    toy->injected++;
    toy->last_injected = *interrupt;
    return WVMI_OK;
}

static inline wvmi_status toy_allocate_frame(void *context, uint64_t *frame)
{
    struct toy *toy = (struct toy *)context;
    if (toy_fails(toy)) {
        return WVMI_ERROR_IO;
    }
    *frame = toy->next_frame;
    toy->next_frame += 4096;
    toy->frames++;
    toy_add_page(toy, *frame)->allocated = true;
    return WVMI_OK;
}

static inline wvmi_status toy_free_frame(void *context, uint64_t frame)
{
    struct toy *toy = (struct toy *)context;
    struct toy_page **link = &toy->pages;
    if (toy_fails(toy)) {
        return WVMI_ERROR_IO;
    }
    while (*link && (*link)->address != frame) {
        link = &(*link)->next;
    }
    CHECK(*link && (*link)->allocated);
    struct toy_page *page = *link;
    *link = page->next;
    free(page);
    toy->frames--;
    return WVMI_OK;
}

static inline wvmi_status toy_create_view(void *context, uint32_t access, uint32_t *view)
{
    struct toy *toy = (struct toy *)context;
    CHECK(access < 16);
    if (toy_fails(toy)) {
        return WVMI_ERROR_IO;
    }
    for (uint32_t i = 1; i < TOY_VIEWS; i++) {
        if (!toy->views[i].exists) {
            toy->views[i].exists = true;
            toy->views[i].access = access;
            toy->view_count++;
            *view = i;
            return WVMI_OK;
        }
    }
    return WVMI_ERROR_IO;
}

static inline void toy_clear_view(struct toy *toy, uint32_t view)
{
    while (toy->views[view].pages) {
        struct toy_shown *shown = toy->views[view].pages;
        toy->views[view].pages = shown->next;
        free(shown);
    }
}

static inline wvmi_status toy_destroy_view(void *context, uint32_t view)
{
    struct toy *toy = (struct toy *)context;
    if (toy_fails(toy)) {
        return WVMI_ERROR_IO;
    }
    if (view == 0 || view >= TOY_VIEWS || !toy->views[view].exists) {
        return WVMI_ERROR_NOT_FOUND;
    }
    for (int i = 0; i < TOY_CPUS; i++) {
        CHECK(toy->cpus[i].view != view);
    }
    toy_clear_view(toy, view);
    toy->views[view].exists = false;
    toy->view_count--;
    return WVMI_OK;
}

static inline wvmi_status toy_switch_view(void *context, uint32_t view)
{
    struct toy *toy = (struct toy *)context;
    CHECK(view < TOY_VIEWS && toy->views[view].exists);
    if (toy_fails(toy)) {
        return WVMI_ERROR_IO;
    }
    for (int i = 0; i < TOY_CPUS; i++) {
        toy->cpus[i].view = view;
    }
    return WVMI_OK;
}

static inline wvmi_status toy_remap_page(void *context, uint32_t view, uint64_t frame,
                                         uint64_t shown)
{
    struct toy *toy = (struct toy *)context;
    struct toy_shown *page = toy_shown_in(toy, view, frame, true);
    if (toy_fails(toy)) {
        return WVMI_ERROR_IO;
    }
    CHECK(view != 0 && toy_page_at(toy, shown) && toy_page_at(toy, shown)->allocated);
    page->shown = shown;
    page->access = TOY_FULL;
    return WVMI_OK;
}

static inline wvmi_status toy_reset_page(void *context, uint32_t view, uint64_t frame)
{
    struct toy *toy = (struct toy *)context;
    struct toy_shown *page = toy_shown_in(toy, view, frame, true);
    if (toy_fails(toy)) {
        return WVMI_ERROR_IO;
    }
    page->shown = frame;
    page->access = TOY_FULL;
    return WVMI_OK;
}

static inline wvmi_status toy_get_page_access(void *context, uint32_t view, uint64_t frame,
                                              uint32_t *access)
{
    struct toy *toy = (struct toy *)context;
    struct toy_shown *page = toy_shown_in(toy, view, frame, false);
    if (toy_fails(toy)) {
        return WVMI_ERROR_IO;
    }
    *access = page ? page->access : toy->views[view].access;
    return WVMI_OK;
}

static inline wvmi_status toy_set_page_access(void *context, uint32_t view, uint64_t frame,
                                              uint32_t access)
{
    struct toy *toy = (struct toy *)context;
    struct toy_shown *page = toy_shown_in(toy, view, frame, true);
    CHECK(view != 0 && access < 16);
    if (toy_fails(toy)) {
        return WVMI_ERROR_IO;
    }
    page->access = access;
    return WVMI_OK;
}

static inline wvmi_status toy_enable_events(void *context, wvmi_event_kind kind, uint32_t number)
{
    struct toy *toy = (struct toy *)context;
    if (toy_fails(toy)) {
        return WVMI_ERROR_IO;
    }
    if (kind == WVMI_EVENT_INTERRUPT && number != 1 && number != 3) {
        return WVMI_ERROR_NOT_SUPPORTED;
    }
    CHECK(toy->monitor_count < TOY_MONITORS && !toy_monitors(toy, kind, number));
    toy->monitors[toy->monitor_count][0] = kind;
    toy->monitors[toy->monitor_count][1] = number;
    toy->monitor_count++;
    return WVMI_OK;
}

static inline wvmi_status toy_disable_events(void *context, wvmi_event_kind kind, uint32_t number)
{
    struct toy *toy = (struct toy *)context;
    if (toy_fails(toy)) {
        return WVMI_ERROR_IO;
    }
    for (size_t i = 0; i < toy->monitor_count; i++) {
        if (toy->monitors[i][0] == kind && toy->monitors[i][1] == number) {
            toy->monitor_count--;
            memmove(toy->monitors[i], toy->monitors[i + 1],
                    (toy->monitor_count - i) * sizeof toy->monitors[0]);
            return WVMI_OK;
        }
    }
    return WVMI_OK;
}

static inline wvmi_status toy_events_fd(void *context, int32_t *descriptor)
{
    *descriptor = ((struct toy *)context)->pipe[0];
    return WVMI_OK;
}

static inline void toy_release(void *context)
{
    ((struct toy *)context)->released++;
}

/* The whole table. */
static inline wvmi_driver_ops toy_table(void)
{
    wvmi_driver_ops ops;
    memset(&ops, 0, sizeof ops);
    ops.root = FORGED_SYSTEM_ROOT;
    ops.kernel_base = FORGED_KERNEL_BASE;
    ops.vcpus = TOY_CPUS;
    ops.live = 1;
    ops.read_physical = toy_read_physical;
    ops.write_physical = toy_write_physical;
    ops.get_registers = toy_get_registers;
    ops.set_registers = toy_set_registers;
    ops.release = toy_release;
    ops.pause = toy_pause;
    ops.resume = toy_resume;
    ops.reset_events = toy_reset_events;
    ops.inject = toy_inject;
    ops.allocate_frame = toy_allocate_frame;
    ops.free_frame = toy_free_frame;
    ops.create_view = toy_create_view;
    ops.destroy_view = toy_destroy_view;
    ops.switch_view = toy_switch_view;
    ops.remap_page = toy_remap_page;
    ops.reset_page = toy_reset_page;
    ops.get_page_access = toy_get_page_access;
    ops.set_page_access = toy_set_page_access;
    ops.enable_events = toy_enable_events;
    ops.disable_events = toy_disable_events;
    ops.wait_events = toy_wait_events;
    ops.events_fd = toy_events_fd;
    return ops;
}

/* The table of a back end without memory views. */
static inline wvmi_driver_ops toy_table_without_views(void)
{
    wvmi_driver_ops ops = toy_table();
    ops.allocate_frame = NULL;
    ops.free_frame = NULL;
    ops.create_view = NULL;
    ops.destroy_view = NULL;
    ops.switch_view = NULL;
    ops.remap_page = NULL;
    ops.reset_page = NULL;
    ops.get_page_access = NULL;
    ops.set_page_access = NULL;
    return ops;
}

static inline void toy_begin(struct toy *toy)
{
    memset(toy, 0, sizeof *toy);
    CHECK(pthread_mutex_init(&toy->lock, NULL) == 0);
    toy->source = open_without_symbols();
    toy->views[0].exists = true;
    toy->views[0].access = TOY_FULL;
    toy->next_frame = TOY_FIRST_FRAME;
    CHECK(pipe(toy->pipe) == 0);
    CHECK(fcntl(toy->pipe[0], F_SETFL, O_NONBLOCK) == 0);
    for (uint16_t i = 0; i < TOY_CPUS; i++) {
        CHECK_OK(wvmi_registers_get(toy->source, i % FORGED_PROCESSORS, &toy->cpus[i].registers,
                                    sizeof toy->cpus[i].registers));
        toy->cpus[i].registers.cr3 = toy->cpus[0].registers.cr3;
        toy->cpus[i].registers.cr8 = 0;
        toy->cpus[i].registers.rflags |= 0x200;
    }
}

static inline wvmi_session *toy_open_table(struct toy *toy, const wvmi_driver_ops *ops)
{
    wvmi_config *config = forged_config();
    wvmi_session *session = NULL;
    CHECK_OK(wvmi_config_set_name(config, "toy"));
    CHECK_OK(wvmi_session_open_driver(ops, sizeof *ops, toy, config, &session));
    wvmi_config_free(config);
    return session;
}

static inline wvmi_session *toy_open(struct toy *toy)
{
    wvmi_driver_ops ops = toy_table();
    toy_begin(toy);
    return toy_open_table(toy, &ops);
}

/* The guest is as it was before it was looked at. */
static inline void toy_check_restored(struct toy *toy)
{
    CHECK(toy->paused == 0 && toy->frames == 0 && toy->view_count == 0);
    CHECK(toy->monitor_count == 0 && toy->views[0].pages == NULL);
    for (int i = 0; i < TOY_CPUS; i++) {
        CHECK(toy->cpus[i].view == 0 && !toy->cpus[i].stopped);
    }
}

static inline void toy_end(struct toy *toy)
{
    CHECK(toy->released == 1);
    for (uint32_t i = 0; i < TOY_VIEWS; i++) {
        toy_clear_view(toy, i);
    }
    while (toy->pages) {
        struct toy_page *page = toy->pages;
        toy->pages = page->next;
        free(page);
    }
    close(toy->pipe[0]);
    close(toy->pipe[1]);
    pthread_mutex_destroy(&toy->lock);
    CHECK_OK(wvmi_session_close(toy->source));
}

/* Closes the session, and looks whether the guest is as it was. */
static inline void toy_close(struct toy *toy, wvmi_session *session)
{
    CHECK_OK(wvmi_session_close(session));
    toy_check_restored(toy);
    toy_end(toy);
}

/* Has a processor execute what is at `rip`; true when it was not stopped. */
static inline bool toy_run_at(struct toy *toy, uint32_t vcpu, uint64_t rip,
                              enum toy_instruction instruction, uint64_t operand, uint64_t value)
{
    struct toy_cpu *cpu = &toy->cpus[vcpu];
    CHECK(!cpu->stopped && toy->paused == 0);
    cpu->registers.rip = rip;
    cpu->instruction = instruction;
    cpu->operand = operand;
    cpu->value = value;
    cpu->reported = false;
    cpu->rounds = 0;
    return toy_step(toy, vcpu, cpu->view);
}

static inline bool toy_execute(struct toy *toy, uint32_t vcpu, uint64_t rip)
{
    return toy_run_at(toy, vcpu, rip, TOY_NOP, 0, 0);
}

/* Has processor 0 do something that is reported when it is monitored. */
static inline bool toy_event(struct toy *toy, uint32_t kind, uint32_t number, uint64_t old_value,
                             uint64_t new_value)
{
    struct toy_cpu *cpu = &toy->cpus[0];
    bool by_number = kind == WVMI_EVENT_CONTROL_REGISTER || kind == WVMI_EVENT_MSR ||
                     kind == WVMI_EVENT_INTERRUPT;
    bool told = toy_monitors(toy, kind, by_number ? number : 0);
    memset(&cpu->event, 0, sizeof cpu->event);
    cpu->event.kind = kind;
    cpu->event.number = number;
    cpu->event.old_value = old_value;
    cpu->event.new_value = new_value;
    cpu->event.interrupt.vector = number;
    cpu->event.interrupt.kind = WVMI_INTERRUPT_HARDWARE_EXCEPTION;
    return toy_run_at(toy, 0, TOY_ELSEWHERE, told ? TOY_EVENT : TOY_NOP, 0, 0);
}

/* Writes guest memory at a virtual address, past all views. */
static inline void toy_poke(struct toy *toy, uint64_t va, uint64_t value)
{
    uint64_t pa = toy_translate(toy, va, NULL);
    CHECK(pa != 0);
    CHECK_OK(toy_write_physical(toy, pa, (uint8_t *)&value, sizeof value));
}

/* Has processor 0 run a thread of a process. */
static inline void toy_enter(struct toy *toy, wvmi_session *session, const struct forged_process *process)
{
    wvmi_field owner, state, attached;
    CHECK_OK(wvmi_field_offset(session, "_KTHREAD", "Process", &owner, sizeof owner));
    CHECK_OK(wvmi_field_offset(session, "_KTHREAD", "ApcState", &state, sizeof state));
    CHECK_OK(wvmi_field_offset(session, "_KAPC_STATE", "Process", &attached, sizeof attached));
    toy->cpus[0].registers.cr3 = process->root;
    toy_poke(toy, FORGED_CURRENT_THREAD + owner.offset, process->object);
    toy_poke(toy, FORGED_CURRENT_THREAD + state.offset + attached.offset, process->object);
}

static inline wvmi_hook add_monitor(wvmi_session *session, uint32_t kind, uint32_t number,
                                    wvmi_event_callback callback, void *user_data)
{
    wvmi_monitor_spec spec;
    wvmi_hook hook = 0;
    memset(&spec, 0, sizeof spec);
    spec.kind = kind;
    spec.number = number;
    CHECK_OK(wvmi_monitor_add(session, &spec, sizeof spec, callback, user_data, NULL, &hook));
    return hook;
}

#endif
