/* Hooks on symbols of modules that processes load: the native and the 32-bit one,
 * at once, when the module comes, when its page comes, when a process comes. */
#include "toy_guest.h"

struct seen {
    unsigned calls, released;
    uint64_t rip;
};

static wvmi_action on_hit(wvmi_event *event, void *user_data)
{
    struct seen *seen = (struct seen *)user_data;
    wvmi_event_details details;
    CHECK_OK(wvmi_event_info(event, &details, sizeof details));
    CHECK(details.address == details.registers.rip);
    seen->rip = details.registers.rip;
    seen->calls++;
    return WVMI_ACTION_CONTINUE;
}

static void on_release(void *user_data)
{
    ((struct seen *)user_data)->released++;
}

static wvmi_hook insert(wvmi_session *session, const wvmi_breakpoint_spec *spec, struct seen *seen)
{
    wvmi_hook hook = 0;
    memset(seen, 0, sizeof *seen);
    CHECK_OK(wvmi_breakpoint_insert(session, spec, sizeof *spec, on_hit, seen, on_release, &hook));
    return hook;
}

/* Gives an address a page of memory, past all views, where it has none, and an
 * instruction that is no INT3. */
static void supply(struct toy *toy, uint64_t va)
{
    uint64_t entry = 0;
    if (toy_translate(toy, va, &entry) == 0) {
        uint64_t frame = TOY_FIRST_FRAME - 0x10000 + (va >> 20 & 0xf000);
        uint64_t value = frame | 7;
        toy_add_page(toy, frame);
        CHECK_OK(toy_write_physical(toy, entry, (uint8_t *)&value, sizeof value));
    }
    toy_poke(toy, va, 0);
}

/* Executes an instruction, stopped or not, and serves what comes of it. */
static void execute(struct toy *toy, wvmi_session *session, uint64_t rip)
{
    toy_execute(toy, 0, rip);
    CHECK(wvmi_session_poll(session, 0) >= 0);
    CHECK(!toy->cpus[0].stopped && toy->cpus[0].own_int3 == 0);
}

static uint64_t address_of(wvmi_session *session, const struct forged_process *process,
                           const char *symbol, wvmi_architecture architecture)
{
    uint64_t address = 0;
    CHECK_OK(wvmi_process_symbol_address(session, process_of(process), symbol, architecture,
                                         &address));
    return address;
}

static void widths_are_told_apart(void)
{
    static const wvmi_architecture asked[] = {WVMI_ARCHITECTURE_OWN, WVMI_ARCHITECTURE_X64,
                                              WVMI_ARCHITECTURE_X86};
    const struct forged_process *process = forged_process_named("legacy32.exe");
    struct toy toy;
    struct seen seen;
    wvmi_session *session = toy_open(&toy);
    wvmi_breakpoint_spec spec;
    uint64_t native = address_of(session, process, "ntdll!NtCreateFile", WVMI_ARCHITECTURE_X64);
    uint64_t narrow = address_of(session, process, "ntdll!NtCreateFile", WVMI_ARCHITECTURE_X86);
    memset(&spec, 0, sizeof spec);
    spec.symbol = "ntdll!NtCreateFile";
    /* Other processes share the native module's pages: with them in the scope it
     * would be hooked here, too. */
    spec.scope_kind = WVMI_SCOPE_PROCESS;
    spec.scope_object = process->object;
    toy_enter(&toy, session, process);
    supply(&toy, native);
    supply(&toy, narrow);
    for (size_t i = 0; i < COUNT(asked); i++) {
        wvmi_hook hook;
        spec.architecture = asked[i];
        hook = insert(session, &spec, &seen);
        execute(&toy, session, native);
        execute(&toy, session, narrow);
        CHECK(seen.calls == 1);
        CHECK(seen.rip == (asked[i] == WVMI_ARCHITECTURE_X64 ? native : narrow));
        CHECK_OK(wvmi_hook_remove(session, hook));
        CHECK(seen.released == 1);
    }
    spec.architecture = 3;
    {
        wvmi_hook hook = 0;
        CHECK_STATUS(wvmi_breakpoint_insert(session, &spec, sizeof spec, on_hit, &seen, NULL, &hook),
                     WVMI_ERROR_INVALID_ARGUMENT);
        spec.architecture = 0;
        spec.symbol = "ntdll!";
        CHECK_STATUS(wvmi_breakpoint_insert(session, &spec, sizeof spec, on_hit, &seen, NULL, &hook),
                     WVMI_ERROR_INVALID_ARGUMENT);
        spec.symbol = "nt!NoSuchFunction";
        CHECK_STATUS(wvmi_breakpoint_insert(session, &spec, sizeof spec, on_hit, &seen, NULL, &hook),
                     WVMI_ERROR_NOT_FOUND);
    }
    toy_close(&toy, session);
}

/* The first two characters of the name that the loader keeps for a module. */
static void rename_module(struct toy *toy, wvmi_session *session,
                          const struct forged_process *process, const char *name, uint32_t first)
{
    for (size_t i = 0; i < COUNT(forged_user_modules); i++) {
        const struct forged_user_module *module = &forged_user_modules[i];
        uint64_t buffer = 0, word;
        if (module->process != process->object || strcmp(module->name, name) != 0) {
            continue;
        }
        CHECK_OK(wvmi_read_u64(session, space_of(WVMI_SPACE_PROCESS, process->object),
                               module->entry + 0x58 + 8, &buffer));
        word = toy_word(toy, toy_translate(toy, buffer, NULL));
        toy_poke(toy, buffer, (word & ~UINT64_C(0xffffffff)) | first);
        return;
    }
    CHECK(false);
}

#define AWAY 0x00780078U
#define BACK (('a' << 16) | 's')

static void modules_come(uint32_t scope, bool with_views)
{
    const struct forged_process *process = forged_process_named("notepad.exe");
    wvmi_driver_ops ops = with_views ? toy_table() : toy_table_without_views();
    struct toy toy;
    struct seen seen;
    wvmi_session *session;
    wvmi_breakpoint_spec spec;
    uint64_t function, entry;
    toy_begin(&toy);
    session = toy_open_table(&toy, &ops);
    function = address_of(session, process, "sample_x64!#20", 0);
    memset(&spec, 0, sizeof spec);
    spec.symbol = "sample_x64!#20";
    spec.scope_kind = scope;
    spec.scope_object = scope == WVMI_SCOPE_ALL || scope == WVMI_SCOPE_IMAGE ? 0 : process->object;
    spec.scope_image = "NOTEPAD.EXE";
    toy_enter(&toy, session, process);
    rename_module(&toy, session, process, "sample_x64.dll", AWAY);
    insert(session, &spec, &seen);
    if (!with_views) {
        supply(&toy, function);
    }
    execute(&toy, session, FORGED_IMAGE_MAPPED);
    rename_module(&toy, session, process, "sample_x64.dll", BACK);
    execute(&toy, session, FORGED_IMAGE_MAPPED);
    if (with_views) {
        /* The function's page is not in memory yet. */
        CHECK(toy_translate(&toy, function, &entry) == 0);
        toy_add_page(&toy, TOY_FIRST_FRAME - 0x1000);
        toy_run_at(&toy, 0, TOY_ELSEWHERE, TOY_WRITE, entry, (TOY_FIRST_FRAME - 0x1000) | 7);
        CHECK_OK(wvmi_session_poll(session, 1000));
    }
    CHECK(!toy_execute(&toy, 0, function));
    CHECK_OK(wvmi_session_poll(session, 1000));
    CHECK(seen.calls == 1 && seen.rip == function && toy.cpus[0].own_int3 == 0);
    /* The process ends, and another one comes to its place. */
    toy.cpus[0].registers.rcx = process->object;
    execute(&toy, session, FORGED_PROCESS_ENDED);
    CHECK(toy_execute(&toy, 0, function));
    if (scope == WVMI_SCOPE_ALL || scope == WVMI_SCOPE_IMAGE) {
        toy.cpus[0].registers.rdx = forged_processes[0].object;
        execute(&toy, session, FORGED_PROCESS_CREATED);
        CHECK(!toy_execute(&toy, 0, function));
        CHECK_OK(wvmi_session_poll(session, 1000));
        CHECK(seen.calls == 2);
    }
    toy_close(&toy, session);
    CHECK(seen.released == 1);
}

static unsigned warned;

static void on_log(wvmi_log_level level, const char *session, const char *message, void *user_data)
{
    (void)user_data;
    (void)session;
    warned += level == WVMI_LOG_WARNING && strstr(message, "is pending: its module has no such");
}

/* A name that its module lacks, and a module that nobody has: both may be asked for,
 * and the former is told in the log, once. */
static void pending_hooks_say_why(void)
{
    static const struct {
        const char *symbol;
        uint32_t reason;
        unsigned warnings;
    } cases[] = {
        {"nosuch!Function", WVMI_PENDING_MODULE, 0},
        {"sample_x64!Misspelled", WVMI_PENDING_SYMBOLS, 1},
        {"sample_x64!#20", WVMI_PENDING_PAGE, 0},
    };
    const struct forged_process *process = forged_process_named("notepad.exe");
    struct toy toy;
    struct seen seen;
    wvmi_session *session = toy_open(&toy);
    wvmi_breakpoint_spec spec;
    wvmi_hook_details details;
    wvmi_hook hook = 0;
    uint64_t function = address_of(session, process, "sample_x64!#20", 0), entry = 0;
    memset(&spec, 0, sizeof spec);
    spec.scope_kind = WVMI_SCOPE_PROCESS;
    spec.scope_object = process->object;
    CHECK_OK(wvmi_set_log(WVMI_LOG_WARNING, on_log, NULL, NULL));
    toy_enter(&toy, session, process);
    for (size_t i = 0; i < COUNT(cases); i++) {
        spec.symbol = cases[i].symbol;
        hook = insert(session, &spec, &seen);
        for (unsigned image = 0; image < 3; image++) {
            execute(&toy, session, FORGED_IMAGE_MAPPED);
            memset(&details, 0xee, sizeof details);
            CHECK_OK(wvmi_hook_info(session, hook, &details, sizeof details));
            CHECK(details.pending == cases[i].reason && details.active == 0);
            CHECK(details.refused == 0 && details.reserved == 0);
        }
        CHECK(warned == cases[i].warnings);
        warned = 0;
        if (i + 1 < COUNT(cases)) {
            CHECK_OK(wvmi_hook_remove(session, hook));
        }
    }
    /* The last one is found, and its page comes in. */
    CHECK(details.processes == 1 && details.waiting == 1);
    CHECK(toy_translate(&toy, function, &entry) == 0);
    toy_add_page(&toy, TOY_FIRST_FRAME - 0x1000);
    toy_run_at(&toy, 0, TOY_ELSEWHERE, TOY_WRITE, entry, (TOY_FIRST_FRAME - 0x1000) | 7);
    CHECK_OK(wvmi_session_poll(session, 1000));
    CHECK_OK(wvmi_hook_info(session, hook, &details, sizeof details));
    CHECK(details.active == 1 && details.waiting == 0 && details.processes == 1);
    CHECK(details.pending == WVMI_PENDING_NOTHING);
    CHECK_STATUS(wvmi_hook_info(session, hook, NULL, sizeof details), WVMI_ERROR_NULL_ARGUMENT);
    CHECK_STATUS(wvmi_hook_info(session, hook, &details, 0), WVMI_ERROR_INVALID_ARGUMENT);
    CHECK_STATUS(wvmi_hook_info(session, 0, &details, sizeof details), WVMI_ERROR_NOT_FOUND);
    CHECK_OK(wvmi_set_log(WVMI_LOG_OFF, NULL, NULL, NULL));
    toy_close(&toy, session);
    CHECK_STATUS(wvmi_hook_info(session, hook, &details, sizeof details), WVMI_ERROR_CLOSED);
}

#define MANY 2000

/* In one pause: all or none, and everybody's data is released once. */
static void many_at_once(void)
{
    static struct seen seen[MANY];
    static void *data[MANY];
    static wvmi_breakpoint_spec specs[MANY];
    static wvmi_hook hooks[MANY];
    struct toy toy;
    wvmi_session *session = toy_open(&toy);
    size_t failed = 77;
    unsigned before;
    memset(specs, 0, sizeof specs);
    specs[0].symbol = "nt!NtCreateFile";
    CHECK_OK(wvmi_hook_remove(session, insert(session, &specs[0], &seen[0])));
    specs[0].symbol = NULL;
    memset(seen, 0, sizeof seen);
    for (size_t i = 0; i < MANY; i++) {
        specs[i].address = FORGED_NT_CREATE_FILE + i % 64;
        data[i] = &seen[i];
    }
    before = toy.pauses;
    CHECK_OK(wvmi_breakpoint_insert_many(session, specs, sizeof specs[0], MANY, on_hit, data,
                                         on_release, hooks, &failed));
    CHECK(toy.pauses == before + 1 && failed == 77);
    CHECK(!toy_execute(&toy, 0, FORGED_NT_CREATE_FILE + 5));
    CHECK_OK(wvmi_session_poll(session, 1000));
    for (size_t i = 0; i < MANY; i++) {
        CHECK(seen[i].calls == (i % 64 == 5) && seen[i].released == 0);
    }
    for (size_t i = 0; i < MANY; i++) {
        CHECK_OK(wvmi_hook_remove(session, hooks[i]));
        CHECK(seen[i].released == 1);
    }
    CHECK(toy_execute(&toy, 0, FORGED_NT_CREATE_FILE + 5));
    /* One that cannot be inserted takes the others with it. */
    specs[MANY - 2].symbol = "nt!NoSuchFunction";
    memset(hooks, 0, sizeof hooks);
    CHECK_STATUS(wvmi_breakpoint_insert_many(session, specs, sizeof specs[0], MANY, on_hit, data,
                                             on_release, hooks, &failed),
                 WVMI_ERROR_NOT_FOUND);
    CHECK(failed == MANY - 2 && hooks[0] == 0);
    CHECK(toy_execute(&toy, 0, FORGED_NT_CREATE_FILE + 5));
    for (size_t i = 0; i < MANY; i++) {
        CHECK(seen[i].released == 2);
    }
    CHECK_STATUS(wvmi_breakpoint_insert_many(NULL, specs, sizeof specs[0], 1, on_hit, data,
                                             on_release, hooks, NULL),
                 WVMI_ERROR_NULL_ARGUMENT);
    CHECK(seen[0].released == 3);
    toy_close(&toy, session);
}

int main(int argc, char **argv)
{
    begin(argc, argv);
    widths_are_told_apart();
    modules_come(WVMI_SCOPE_ALL, true);
    modules_come(WVMI_SCOPE_PROCESS, true);
    modules_come(WVMI_SCOPE_PROCESS_TREE, true);
    modules_come(WVMI_SCOPE_IMAGE, true);
    modules_come(WVMI_SCOPE_IMAGE, false);
    pending_hooks_say_why();
    many_at_once();
    return 0;
}
