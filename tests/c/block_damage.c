/* Damaged PEBs, parameters, environments, TEBs, trap frames, exception records and
 * contexts: errors or gaps, told once, and what is left comes out. */
#include "damage.h"

#define NO_PAGE UINT64_C(0x10)
#define NOT_CANONICAL UINT64_C(0x0001000000000020)

static const uint64_t wild[] = {WILD, UNMAPPED, NO_PAGE, NOT_CANONICAL, UINT64_MAX - 7};

/* A process with blocks of one width: its PEB and its parameters. */
struct victim {
    wvmi_process process;
    wvmi_space space;
    wvmi_architecture architecture;
    size_t pointer;
    const char *peb_type;
    uint64_t peb, parameters;
    const struct forged_parameters *forged;
};

static struct victim victim_of(wvmi_session *source, int narrow)
{
    const struct forged_process *process =
        forged_process_named(narrow ? "legacy32.exe" : "notepad.exe");
    struct victim it;
    wvmi_peb_details details;
    memset(&it, 0, sizeof it);
    it.process = process_of(process);
    it.space = space_of(WVMI_SPACE_PROCESS, process->object);
    it.architecture = narrow ? WVMI_ARCHITECTURE_X86 : WVMI_ARCHITECTURE_X64;
    it.pointer = narrow ? 4 : 8;
    it.peb_type = narrow ? "_PEB32" : "_PEB";
    CHECK_OK(wvmi_peb_info(source, it.process, it.architecture, &details, sizeof details));
    it.peb = details.address;
    it.parameters = details.parameters;
    for (size_t i = 0; i < COUNT(forged_parameters); i++) {
        if (forged_parameters[i].process == process->object &&
            forged_parameters[i].native == !narrow) {
            it.forged = &forged_parameters[i];
        }
    }
    CHECK(it.forged != NULL && it.parameters != 0);
    return it;
}

/* Overwrites a pointer of the victim's. */
static void poke_user(struct guest *guest, const struct victim *it, uint64_t address,
                      uint64_t value)
{
    damage_part(guest, it->space, address, &value, it->pointer);
}

/* Where the parameters have a text's UNICODE_STRING, and its buffer. Their places do not
 * change from Windows to Windows. */
static uint64_t command_line_of(const struct victim *it)
{
    return it->parameters + (it->pointer == 4 ? 0x40 : 0x70);
}

static uint64_t environment_of(const struct victim *it)
{
    return it->parameters + (it->pointer == 4 ? 0x48 : 0x80);
}

static uint64_t environment_size_of(const struct victim *it)
{
    return it->parameters + (it->pointer == 4 ? 0x290 : 0x3f0);
}

static wvmi_status text_of(wvmi_session *session, const struct victim *it,
                           wvmi_process_text_kind kind)
{
    static char text[WVMI_STRING_MAX];
    size_t length = 0;
    wvmi_status status =
        wvmi_process_text(session, it->process, kind, text, sizeof text, &length);
    CHECK(length <= WVMI_STRING_MAX);
    return status;
}

static struct found variables_of(wvmi_session *session, const struct victim *it)
{
    wvmi_environment_iter *iter = NULL;
    wvmi_variable variable;
    struct found found = {0, 0};
    wvmi_status status = wvmi_environment_iter_new(session, it->process, &iter);
    if (status == WVMI_OK) {
        COUNT_ALL(wvmi_environment_iter_next(iter, &variable, sizeof variable), &found);
    } else {
        CHECK(status == WVMI_ERROR_FAULT || status == WVMI_ERROR_CORRUPT);
        found.gaps++;
    }
    wvmi_environment_iter_free(iter);
    return found;
}

/* Another process and the victim's other blocks are as they were. */
static void check_neighbours(wvmi_session *session)
{
    wvmi_process explorer = process_of(forged_process_named("explorer.exe"));
    wvmi_peb_details details;
    CHECK_OK(wvmi_peb_info(session, explorer, WVMI_ARCHITECTURE_OWN, &details, sizeof details));
    CHECK(details.image_base == forged_process_named("explorer.exe")->image_base);
}

static void wild_blocks_of_processes_are_faults(wvmi_session *source)
{
    struct victim it = victim_of(source, 0);
    for (size_t i = 0; i < COUNT(wild); i++) {
        struct guest guest;
        wvmi_peb_details details;
        wvmi_process_details process;
        open_damaged(&guest, source);
        poke(&guest, it.process.object, "_EPROCESS", "Peb", wild[i]);
        CHECK_STATUS(wvmi_peb_info(guest.session, it.process, WVMI_ARCHITECTURE_OWN, &details,
                                   sizeof details),
                     WVMI_ERROR_FAULT);
        CHECK(text_of(guest.session, &it, WVMI_PROCESS_TEXT_COMMAND_LINE) == WVMI_ERROR_FAULT);
        CHECK_OK(text_of(guest.session, &it, WVMI_PROCESS_TEXT_KERNEL_IMAGE_PATH));
        CHECK(variables_of(guest.session, &it).good == 0);
        CHECK_OK(wvmi_process_info(guest.session, it.process, &process, sizeof process));
        check_neighbours(guest.session);
        CHECK_OK(wvmi_session_close(guest.session));
    }
}

/* The 32-bit block of a WoW64 process is lost, the native one is not. */
static void wild_wow64_blocks_leave_the_native_one(wvmi_session *source)
{
    struct victim it = victim_of(source, 1);
    for (size_t i = 0; i < COUNT(wild); i++) {
        struct guest guest;
        wvmi_peb_details details;
        wvmi_environment_iter *iter = NULL;
        wvmi_variable variable;
        struct found found = {0, 0};
        open_damaged(&guest, source);
        poke(&guest, it.process.object, "_EPROCESS", "WoW64Process", wild[i]);
        CHECK_STATUS(wvmi_peb_info(guest.session, it.process, WVMI_ARCHITECTURE_X86, &details,
                                   sizeof details),
                     WVMI_ERROR_FAULT);
        CHECK_OK(wvmi_peb_info(guest.session, it.process, WVMI_ARCHITECTURE_X64, &details,
                               sizeof details));
        CHECK(details.parameters != 0 && details.image_base != 0);
        CHECK_OK(wvmi_environment_iter_new_native(guest.session, it.process, &iter));
        COUNT_ALL(wvmi_environment_iter_next(iter, &variable, sizeof variable), &found);
        CHECK(found.good == it.forged->variables && found.gaps == 0);
        wvmi_environment_iter_free(iter);
        CHECK_OK(wvmi_session_close(guest.session));
    }
}

/* What a block points to is lost, what it holds itself is not. */
static void wild_pointers_in_blocks_leave_the_rest(wvmi_session *source, int narrow)
{
    struct victim it = victim_of(source, narrow);
    for (size_t i = 0; i < COUNT(wild); i++) {
        struct guest guest;
        wvmi_peb_details details;
        wvmi_user_module_iter *iter = NULL;
        wvmi_user_module module;
        struct found found = {0, 0};
        open_damaged(&guest, source);
        poke_user(&guest, &it, field(&guest, it.peb, it.peb_type, "Ldr"), wild[i]);
        poke_user(&guest, &it, field(&guest, it.peb, it.peb_type, "ProcessParameters"), wild[i]);
        CHECK_OK(wvmi_peb_info(guest.session, it.process, it.architecture, &details,
                               sizeof details));
        CHECK((details.valid & WVMI_PEB_VALID_IMAGE_BASE) != 0);
        CHECK((details.valid & WVMI_PEB_VALID_PARAMETER_FLAGS) == 0);
        CHECK(details.parameter_flags == 0 && details.being_debugged == 0);
        CHECK(text_of(guest.session, &it, WVMI_PROCESS_TEXT_WINDOW_TITLE) < WVMI_OK);
        CHECK(variables_of(guest.session, &it).good == 0);
        /* The images are still mapped, the native loader of the narrow one still knows some. */
        CHECK_OK(wvmi_user_module_iter_new(guest.session, it.process, &iter));
        COUNT_ALL(wvmi_user_module_iter_next(iter, &module), &found);
        /* One for the loader, or one for each of its lists. */
        CHECK((found.gaps == 1 || found.gaps == 3) && found.good > 2);
        wvmi_user_module_iter_free(iter);
        check_neighbours(guest.session);
        CHECK_OK(wvmi_session_close(guest.session));
    }
}

/* Lengths that are odd, the most there is, or reach beyond what is mapped; wild buffers. */
static void strings_are_bounded(wvmi_session *source, int narrow)
{
    static const uint32_t lengths[] = {0xfffefffe, 0xffffffff, 0x0002fffe, 0x00010001, 0};
    struct victim it = victim_of(source, narrow);
    uint64_t string = command_line_of(&it);
    struct guest guest;
    open_damaged(&guest, source);
    for (size_t i = 0; i < COUNT(lengths); i++) {
        wvmi_status status;
        repair(&guest);
        damage_part(&guest, it.space, string, &lengths[i], sizeof lengths[i]);
        status = text_of(guest.session, &it, WVMI_PROCESS_TEXT_COMMAND_LINE);
        CHECK(status == WVMI_OK || status == WVMI_ERROR_FAULT || status == WVMI_ERROR_CORRUPT);
        CHECK(lengths[i] > 0x10001 || status == WVMI_OK);
        CHECK_OK(text_of(guest.session, &it, WVMI_PROCESS_TEXT_IMAGE_PATH));
        CHECK(variables_of(guest.session, &it).good == it.forged->variables);
    }
    for (size_t i = 0; i < COUNT(wild); i++) {
        wvmi_status status;
        repair(&guest);
        poke_user(&guest, &it, string + it.pointer, wild[i]);
        status = text_of(guest.session, &it, WVMI_PROCESS_TEXT_COMMAND_LINE);
        CHECK(status == WVMI_ERROR_FAULT || status == WVMI_ERROR_CORRUPT);
        CHECK_OK(text_of(guest.session, &it, WVMI_PROCESS_TEXT_IMAGE_PATH));
        CHECK_OK(text_of(guest.session, &it, WVMI_PROCESS_TEXT_DESKTOP));
    }
    CHECK_OK(wvmi_session_close(guest.session));
}

static void environments_are_bounded(wvmi_session *source, int narrow)
{
    static const uint64_t sizes[] = {UINT64_MAX, 0x7fffffff, 0, 1, 2, 7};
    static const uint16_t letters[4] = {'A', 'A', 'A', 'A'};
    struct victim it = victim_of(source, narrow);
    struct guest guest;
    struct found found;
    uint64_t start = 0;
    open_damaged(&guest, source);
    for (size_t i = 0; i < COUNT(sizes); i++) {
        repair(&guest);
        poke_user(&guest, &it, environment_size_of(&it), sizes[i]);
        found = variables_of(guest.session, &it);
        /* None where there is no room for one, all where the size says nothing. */
        CHECK(sizes[i] == 1 || sizes[i] == 2 || sizes[i] == 7
                  ? found.good == 0 && found.gaps <= 1
                  : found.good == it.forged->variables && found.gaps == 0);
    }
    for (size_t i = 0; i < COUNT(wild); i++) {
        repair(&guest);
        poke_user(&guest, &it, environment_of(&it), wild[i]);
        found = variables_of(guest.session, &it);
        CHECK(found.good == 0 && found.gaps >= 1);
        CHECK_OK(text_of(guest.session, &it, WVMI_PROCESS_TEXT_COMMAND_LINE));
    }
    /* The first variables run into each other, the others are as they were. */
    repair(&guest);
    CHECK_OK(wvmi_read(source, it.space, environment_of(&it), (uint8_t *)&start, it.pointer, NULL));
    for (size_t i = 0; i < 16; i++) {
        damage_in(&guest, it.space, start + 8 * i, letters);
    }
    found = variables_of(guest.session, &it);
    CHECK(found.gaps == 0 && found.good > 0 && found.good < it.forged->variables);
    /* It begins with its end. */
    repair(&guest);
    damage_part(&guest, it.space, start, "\0\0\0\0", 4);
    found = variables_of(guest.session, &it);
    CHECK(found.gaps == 0 && found.good == 0);
    CHECK_OK(wvmi_session_close(guest.session));
}

static void wild_blocks_of_threads_are_faults(wvmi_session *source)
{
    const struct forged_teb *forged = &forged_tebs[0];
    wvmi_thread thread = {forged->thread};
    for (size_t i = 0; i < COUNT(wild); i++) {
        struct guest guest;
        wvmi_teb_details details;
        wvmi_thread_details of_thread;
        wvmi_trap_frame_details frame;
        wvmi_registers registers;
        wvmi_space space;
        uint64_t slots[1088];
        size_t count = 0;
        open_damaged(&guest, source);
        CHECK_OK(wvmi_thread_info(source, thread, &of_thread, sizeof of_thread));
        space = space_of(WVMI_SPACE_PROCESS, of_thread.process);
        /* The slots beyond the first 64 are lost, nothing else. */
        damage_in(&guest, space, field(&guest, forged->address, "_TEB", "TlsExpansionSlots"),
                  &wild[i]);
        CHECK(wvmi_teb_tls_slots(guest.session, thread, forged->architecture, slots, COUNT(slots),
                                 &count) < WVMI_OK);
        CHECK_OK(wvmi_teb_info(guest.session, thread, forged->architecture, &details,
                               sizeof details));
        CHECK(details.last_error == forged->last_error && details.peb == forged->peb);
        poke(&guest, thread.object, "_KTHREAD", "Teb", wild[i]);
        poke(&guest, thread.object, "_KTHREAD", "TrapFrame", wild[i]);
        CHECK_STATUS(wvmi_teb_info(guest.session, thread, forged->architecture, &details,
                                   sizeof details),
                     WVMI_ERROR_FAULT);
        CHECK_STATUS(wvmi_teb_tls_slots(guest.session, thread, forged->architecture, slots,
                                        COUNT(slots), &count),
                     WVMI_ERROR_FAULT);
        CHECK_OK(wvmi_thread_info(guest.session, thread, &of_thread, sizeof of_thread));
        CHECK(of_thread.trap_frame == wild[i] && of_thread.kernel_stack != 0);
        CHECK_STATUS(wvmi_trap_frame_info(guest.session, wild[i], &frame, sizeof frame),
                     WVMI_ERROR_FAULT);
        CHECK_STATUS(wvmi_trap_frame_registers(guest.session, wild[i], &registers,
                                               sizeof registers),
                     WVMI_ERROR_FAULT);
        CHECK_OK(wvmi_session_close(guest.session));
    }
}

/* A record says how many words it has; it has room for 15. */
static void exception_records_are_bounded(wvmi_session *source)
{
    static const uint32_t counts[] = {0, 15, 16, 0x10000, UINT32_MAX};
    uint64_t at = FORGED_KERNEL_BASE;
    struct guest guest;
    wvmi_exception_record record;
    open_damaged(&guest, source);
    for (size_t i = 0; i < COUNT(counts); i++) {
        repair(&guest);
        damage_part(&guest, kernel_space(), at + 0x18, &counts[i], sizeof counts[i]);
        damage_in(&guest, kernel_space(), at + 8, &at);
        CHECK_OK(wvmi_exception_record_read(guest.session, kernel_space(), at,
                                            WVMI_ARCHITECTURE_X64, &record, sizeof record));
        CHECK(record.information_count == (counts[i] < 15 ? counts[i] : 15));
    }
    for (size_t i = 0; i < COUNT(wild); i++) {
        CHECK_STATUS(wvmi_exception_record_read(guest.session, kernel_space(), wild[i],
                                                WVMI_ARCHITECTURE_X64, &record, sizeof record),
                     WVMI_ERROR_FAULT);
    }
    CHECK_OK(wvmi_session_close(guest.session));
}

/* Any bytes are a context or none; nothing outside of them is touched. */
static void contexts_of_any_bytes_are_refused_or_loaded(void)
{
    static const wvmi_architecture widths[] = {WVMI_ARCHITECTURE_X86, WVMI_ARCHITECTURE_X64};
    static const size_t sizes[] = {WVMI_CONTEXT_SIZE_32, WVMI_CONTEXT_SIZE_64};
    static const size_t flags_at[] = {0, 0x30};
    uint64_t state = 88172645463325252u;
    size_t loaded = 0, refused = 0;
    for (size_t round = 0; round < 4000; round++) {
        size_t width = round % 2, size = sizes[width];
        /* Unaligned, and not a byte longer than it has to be. */
        uint8_t *room = (uint8_t *)malloc(size + 1), *context = room + 1;
        wvmi_registers registers, before;
        uint32_t parts = 7;
        wvmi_status status;
        CHECK(room != NULL);
        for (size_t i = 0; i < size; i++) {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            context[i] = (uint8_t)(state >> 32);
        }
        if (round % 4 < 2) {
            /* The flag of the width, and any parts. */
            context[flags_at[width]] &= 0x7f;
            context[flags_at[width] + 1] = 0;
            context[flags_at[width] + 2] = width == 0 ? 1 : 0x10;
            context[flags_at[width] + 3] = 0;
        }
        memset(&registers, 0x5a, sizeof registers);
        before = registers;
        status = wvmi_context_load(context, size, widths[width], &registers, sizeof registers,
                                   &parts);
        CHECK(status == WVMI_OK || status == WVMI_ERROR_CORRUPT);
        loaded += status == WVMI_OK;
        refused += status != WVMI_OK;
        if (status == WVMI_OK) {
            CHECK((parts & ~UINT32_C(0x7f)) == 0);
            CHECK_OK(wvmi_context_store(&registers, sizeof registers, parts & 0x17, widths[width],
                                        context, size));
        } else {
            CHECK(parts == 7 && memcmp(&before, &registers, sizeof before) == 0);
        }
        free(room);
    }
    CHECK(loaded >= 2000 && refused > 0);
}

int main(int argc, char **argv)
{
    wvmi_session *source;
    begin(argc, argv);
    source = open_forged();
    wild_blocks_of_processes_are_faults(source);
    wild_wow64_blocks_leave_the_native_one(source);
    for (int narrow = 0; narrow < 2; narrow++) {
        wild_pointers_in_blocks_leave_the_rest(source, narrow);
        strings_are_bounded(source, narrow);
        environments_are_bounded(source, narrow);
    }
    wild_blocks_of_threads_are_faults(source);
    exception_records_are_bounded(source);
    contexts_of_any_bytes_are_refused_or_loaded();
    CHECK_OK(wvmi_session_close(source));
    return 0;
}
