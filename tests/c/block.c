/* PEBs, TEBs, trap frames, exception records and contexts. */
#include "check.h"

static void process_blocks_are_told(wvmi_session *session)
{
    wvmi_peb_details details;
    wvmi_process process;
    for (size_t i = 0; i < COUNT(forged_processes); i++) {
        const struct forged_process *want = &forged_processes[i];
        process = process_of(want);
        if (want->native_peb == 0) {
            CHECK_STATUS(wvmi_peb_info(session, process, WVMI_ARCHITECTURE_OWN, &details,
                                       sizeof details),
                         WVMI_ERROR_NOT_FOUND);
            continue;
        }
        CHECK_OK(wvmi_peb_info(session, process, WVMI_ARCHITECTURE_X64, &details, sizeof details));
        CHECK(details.address == want->native_peb && details.architecture == WVMI_ARCHITECTURE_X64);
        CHECK(details.image_base == want->image_base && details.being_debugged == 0);
        CHECK(details.parameters != 0 && (details.valid & WVMI_PEB_VALID_PARAMETER_FLAGS) != 0);
        CHECK(want->session_id == UINT32_MAX || details.session_id == want->session_id);
        CHECK_OK(wvmi_peb_info(session, process, WVMI_ARCHITECTURE_OWN, &details, sizeof details));
        CHECK(details.address == want->peb);
        CHECK(details.architecture == (want->wow64 ? WVMI_ARCHITECTURE_X86 : WVMI_ARCHITECTURE_X64));
        CHECK_STATUS(wvmi_peb_info(session, process, WVMI_ARCHITECTURE_X86, &details, sizeof details),
                     want->wow64 ? WVMI_OK : WVMI_ERROR_NOT_FOUND);
    }
    process = process_of(forged_process_named("notepad.exe"));
    CHECK_STATUS(wvmi_peb_info(session, process, 99, &details, sizeof details),
                 WVMI_ERROR_INVALID_ARGUMENT);
    CHECK_STATUS(wvmi_peb_info(session, process, 0, NULL, sizeof details),
                 WVMI_ERROR_NULL_ARGUMENT);
    process.object = 0x10;
    CHECK_STATUS(wvmi_peb_info(session, process, 0, &details, sizeof details), WVMI_ERROR_FAULT);
}

static void thread_blocks_are_told(wvmi_session *session)
{
    wvmi_teb_details details;
    wvmi_thread thread;
    uint64_t slots[1088];
    size_t count = 0;
    for (size_t i = 0; i < COUNT(forged_tebs); i++) {
        const struct forged_teb *want = &forged_tebs[i];
        thread.object = want->thread;
        CHECK_OK(wvmi_teb_info(session, thread, want->architecture, &details, sizeof details));
        CHECK(details.address == want->address && details.self_pointer == want->address);
        CHECK(details.peb == want->peb && details.architecture == want->architecture);
        CHECK(details.stack_base == want->stack_base && details.stack_limit == want->stack_limit);
        CHECK(details.last_error == want->last_error);
        CHECK((uint32_t)details.last_status == want->last_status);
        CHECK(details.process_id != 0 && details.thread_id != 0);
        CHECK_OK(wvmi_teb_tls_slots(session, thread, want->architecture, slots, COUNT(slots), &count));
        CHECK(count == 64 && slots[want->slot] == want->slot_value);
        CHECK_STATUS(wvmi_teb_tls_slots(session, thread, want->architecture, slots, 3, &count),
                     WVMI_ERROR_BUFFER_TOO_SMALL);
        CHECK(count == 64);
    }
    CHECK_STATUS(wvmi_teb_info(session, thread, 99, &details, sizeof details),
                 WVMI_ERROR_INVALID_ARGUMENT);
    CHECK_STATUS(wvmi_teb_info(session, thread, 0, NULL, sizeof details),
                 WVMI_ERROR_NULL_ARGUMENT);
    for (size_t i = 0; i < COUNT(forged_threads); i++) {
        if (forged_threads[i].native_teb == 0) {
            thread.object = forged_threads[i].object;
            CHECK_STATUS(wvmi_teb_info(session, thread, 0, &details, sizeof details),
                         WVMI_ERROR_NOT_FOUND);
            CHECK_STATUS(wvmi_teb_tls_slots(session, thread, 0, slots, COUNT(slots), NULL),
                         WVMI_ERROR_NOT_FOUND);
        }
    }
}

static uint64_t forged_register(uint64_t thread, const char *name)
{
    for (size_t i = 0; i < COUNT(forged_traps); i++) {
        if (forged_traps[i].thread == thread && strcmp(forged_traps[i].name, name) == 0) {
            return forged_traps[i].value;
        }
    }
    fprintf(stderr, "the forge stored no %s\n", name);
    exit(1);
}

static void trap_frames_are_told(wvmi_session *session)
{
    wvmi_trap_frame_details details;
    wvmi_registers registers;
    size_t frames = 0;
    for (size_t i = 0; i < COUNT(forged_threads); i++) {
        uint64_t frame = forged_threads[i].trap_frame, thread = forged_threads[i].object;
        wvmi_thread_details of_thread;
        wvmi_thread value;
        if (frame == 0) {
            continue;
        }
        frames++;
        value.object = thread;
        CHECK_OK(wvmi_thread_info(session, value, &of_thread, sizeof of_thread));
        CHECK(of_thread.trap_frame == frame);
        CHECK(of_thread.kernel_stack == forged_threads[i].kernel_stack);
        CHECK_OK(wvmi_trap_frame_info(session, frame, &details, sizeof details));
        CHECK(details.address == frame && details.from_user_mode == 1);
        CHECK(details.rip == forged_register(thread, "Rip"));
        CHECK(details.rsp == forged_register(thread, "Rsp"));
        CHECK(details.error_code == forged_register(thread, "ErrorCode"));
        CHECK(details.fault_address == forged_register(thread, "FaultAddress"));
        CHECK(details.mx_csr == forged_register(thread, "MxCsr"));
        CHECK(details.previous_mode == forged_register(thread, "PreviousMode"));
        CHECK(details.xmm[3][0] == forged_register(thread, "Xmm3.Low"));
        CHECK(details.xmm[3][1] == forged_register(thread, "Xmm3.High"));
        CHECK_OK(wvmi_trap_frame_registers(session, frame, &registers, sizeof registers));
        CHECK(registers.rip == details.rip && registers.rsp == details.rsp);
        CHECK(registers.r11 == forged_register(thread, "R11"));
        CHECK(registers.cs.selector == forged_register(thread, "SegCs"));
        CHECK(registers.gs.base == forged_register(thread, "GsBase"));
    }
    CHECK(frames > 5);
    CHECK_STATUS(wvmi_trap_frame_info(session, 0x10, &details, sizeof details), WVMI_ERROR_FAULT);
    CHECK_STATUS(wvmi_trap_frame_info(session, 0x10, NULL, sizeof details),
                 WVMI_ERROR_NULL_ARGUMENT);
    CHECK_STATUS(wvmi_trap_frame_registers(session, 0x10, &registers, sizeof registers),
                 WVMI_ERROR_FAULT);
    CHECK_STATUS(wvmi_trap_frame_registers(session, 0x10, NULL, sizeof registers),
                 WVMI_ERROR_NULL_ARGUMENT);
}

/* Any bytes are a record; those of a trap frame tell whether each field is read at its place. */
static void exception_records_are_read(wvmi_session *session)
{
    uint64_t at = FORGED_KERNEL_BASE;
    uint8_t bytes[0x98];
    wvmi_exception_record record;
    uint32_t word = 0;
    uint64_t wide = 0;
    CHECK_OK(wvmi_read(session, kernel_space(), at, bytes, sizeof bytes, NULL));
    CHECK_OK(wvmi_exception_record_read(session, kernel_space(), at, WVMI_ARCHITECTURE_X64, &record,
                                        sizeof record));
    memcpy(&word, bytes, sizeof word);
    CHECK(record.code == word);
    memcpy(&wide, bytes + 0x10, sizeof wide);
    CHECK(record.address == wide);
    memcpy(&word, bytes + 0x18, sizeof word);
    CHECK(record.information_count == (word < 15 ? word : 15));
    CHECK_OK(wvmi_exception_record_read(session, kernel_space(), at, WVMI_ARCHITECTURE_X86, &record,
                                        sizeof record));
    memcpy(&word, bytes + 0xc, sizeof word);
    CHECK(record.address == word);
    CHECK_STATUS(wvmi_exception_record_read(session, kernel_space(), at, WVMI_ARCHITECTURE_OWN, &record,
                                            sizeof record),
                 WVMI_ERROR_INVALID_ARGUMENT);
    CHECK_STATUS(wvmi_exception_record_read(session, kernel_space(), 0x10, WVMI_ARCHITECTURE_X64,
                                            &record, sizeof record),
                 WVMI_ERROR_FAULT);
    CHECK_STATUS(wvmi_exception_record_read(session, kernel_space(), at, WVMI_ARCHITECTURE_X64, NULL,
                                            sizeof record),
                 WVMI_ERROR_NULL_ARGUMENT);
}

static void contexts_carry_registers_both_ways(void)
{
    static const uint32_t widths[] = {WVMI_ARCHITECTURE_X86, WVMI_ARCHITECTURE_X64};
    uint32_t wanted = WVMI_CONTEXT_CONTROL | WVMI_CONTEXT_INTEGER | WVMI_CONTEXT_SEGMENTS;
    for (size_t i = 0; i < COUNT(widths); i++) {
        uint8_t context[WVMI_CONTEXT_SIZE_64];
        size_t size = widths[i] == WVMI_ARCHITECTURE_X86 ? WVMI_CONTEXT_SIZE_32 : WVMI_CONTEXT_SIZE_64;
        wvmi_registers before, after;
        uint32_t parts = 0;
        memset(context, 0, sizeof context);
        memset(&before, 0, sizeof before);
        memset(&after, 0, sizeof after);
        before.rip = 0x401000;
        before.rsp = 0x12ff00;
        before.rax = 0x1234;
        before.rdi = 0x5678;
        before.cs.selector = 0x23;
        before.dr7 = 0x401;
        CHECK_OK(wvmi_context_store(&before, sizeof before, wanted, widths[i], context, size));
        after.dr7 = 7;
        CHECK_OK(wvmi_context_load(context, size, widths[i], &after, sizeof after, &parts));
        CHECK(parts == wanted && after.rip == before.rip && after.rsp == before.rsp);
        CHECK(after.rax == before.rax && after.rdi == before.rdi && after.cs.selector == 0x23);
        CHECK(after.dr7 == 7);
        CHECK_STATUS(wvmi_context_load(context, size, widths[1 - i], &after, sizeof after, NULL),
                     i == 0 ? WVMI_ERROR_INVALID_ARGUMENT : WVMI_ERROR_CORRUPT);
        CHECK_STATUS(wvmi_context_load(context, size - 1, widths[i], &after, sizeof after, NULL),
                     WVMI_ERROR_INVALID_ARGUMENT);
        CHECK_STATUS(wvmi_context_load(context, size, 0, &after, sizeof after, NULL),
                     WVMI_ERROR_INVALID_ARGUMENT);
        CHECK_STATUS(wvmi_context_load(NULL, size, widths[i], &after, sizeof after, NULL),
                     WVMI_ERROR_NULL_ARGUMENT);
        CHECK_STATUS(wvmi_context_load(context, size, widths[i], NULL, sizeof after, NULL),
                     WVMI_ERROR_NULL_ARGUMENT);
        CHECK_STATUS(wvmi_context_store(&before, sizeof before, WVMI_CONTEXT_FLOATING_POINT,
                                        widths[i], context, size),
                     WVMI_ERROR_INVALID_ARGUMENT);
        CHECK_STATUS(wvmi_context_store(&before, sizeof before, 0x80000000U, widths[i], context,
                                        size),
                     WVMI_ERROR_INVALID_ARGUMENT);
        CHECK_STATUS(wvmi_context_store(NULL, sizeof before, wanted, widths[i], context, size),
                     WVMI_ERROR_NULL_ARGUMENT);
        CHECK_STATUS(wvmi_context_store(&before, sizeof before, wanted, widths[i], NULL, size),
                     WVMI_ERROR_NULL_ARGUMENT);
    }
}

int main(int argc, char **argv)
{
    wvmi_session *session;
    begin(argc, argv);
    session = open_forged();
    process_blocks_are_told(session);
    thread_blocks_are_told(session);
    trap_frames_are_told(session);
    exception_records_are_read(session);
    contexts_carry_registers_both_ways();
    CHECK_OK(wvmi_session_close(session));
    return 0;
}
