/* The example trace_files itself, on a guest whose every instruction is known: what
 * it prints of files, of processes, of a parent that is none, and how a signal ends
 * it. The example takes the toy in place of its guest, and the guest runs whenever
 * the example serves events. */
#define _POSIX_C_SOURCE 200809L
#include "../toy_guest.h"

#include <signal.h>

static struct toy toy;

/* Opens the toy, whatever guest was asked for. */
static wvmi_status open_toy(const char *target, const wvmi_config *config, wvmi_session **session)
{
    CHECK(strcmp(target, "xen:any") == 0 && config != NULL);
    *session = toy_open(&toy);
    return WVMI_OK;
}

/* Has processor 0 run a thread of the process. */
static void enter(wvmi_session *session, const struct forged_process *process)
{
    wvmi_field owner, state, attached;
    CHECK_OK(wvmi_field_offset(session, "_KTHREAD", "Process", &owner, sizeof owner));
    CHECK_OK(wvmi_field_offset(session, "_KTHREAD", "ApcState", &state, sizeof state));
    CHECK_OK(wvmi_field_offset(session, "_KAPC_STATE", "Process", &attached, sizeof attached));
    toy.cpus[0].registers.cr3 = process->root;
    toy_poke(&toy, FORGED_CURRENT_THREAD + owner.offset, process->object);
    toy_poke(&toy, FORGED_CURRENT_THREAD + state.offset + attached.offset, process->object);
}

static void call(wvmi_session *session, const char *function)
{
    unsigned executed = toy.cpus[0].executed;
    uint64_t address = 0;
    CHECK_OK(wvmi_symbol_address(session, function, &address));
    CHECK(!toy_execute(&toy, 0, address));
    CHECK_OK(wvmi_session_poll(session, 1000));
    CHECK(toy.cpus[0].executed == executed + 1 && toy.injected == 0);
}

/* A handle of the process to something that is a file with a path, or that is none. */
static const struct forged_handle *handle_of(wvmi_session *session, uint32_t pid, bool is_file,
                                             char *path, size_t size)
{
    for (size_t i = 0; i < COUNT(forged_handles); i++) {
        wvmi_object object = {forged_handles[i].object};
        wvmi_file file;
        bool found = wvmi_object_as_file(session, object, &file) == WVMI_OK;
        if (forged_handles[i].pid == pid && found == is_file &&
            (!found || wvmi_file_path(session, file, path, size, NULL) == WVMI_OK)) {
            return &forged_handles[i];
        }
    }
    CHECK(!"such a handle");
    return NULL;
}

static char written[256];

static wvmi_status run_guest(wvmi_session *session)
{
    const struct forged_process *notepad = forged_process_named("notepad.exe");
    const struct forged_process *explorer = forged_process_named("explorer.exe");
    wvmi_registers *registers = &toy.cpus[0].registers;
    CHECK(notepad->object == FORGED_ATTRIBUTES_PROCESS && notepad->parent_pid == explorer->pid);
    enter(session, notepad);
    registers->r8 = FORGED_ATTRIBUTES_ADDRESS;
    call(session, "nt!NtCreateFile");
    /* A path that is nowhere: no line, and the call goes on. */
    registers->r8 = FORGED_ATTRIBUTES_INCOMPLETE;
    call(session, "nt!NtCreateFile");
    registers->rcx = handle_of(session, notepad->pid, true, written, sizeof written)->handle;
    call(session, "nt!NtWriteFile");
    registers->rcx = handle_of(session, notepad->pid, false, NULL, 0)->handle;
    call(session, "nt!NtWriteFile");
    registers->rcx = notepad->object;
    registers->rdx = explorer->object;
    call(session, "nt!PspInsertProcess");
    /* Told as the parent is somebody else than the process itself names. */
    registers->rdx = forged_process_named("lsass.exe")->object;
    call(session, "nt!PspInsertProcess");
    registers->rcx = notepad->object;
    call(session, "nt!MmCleanProcessAddressSpace");
    CHECK(raise(SIGTERM) == 0);
    return wvmi_session_run(session);
}

/* The guest is looked at before it is gone. */
static wvmi_status close_toy(wvmi_session *session)
{
    CHECK_OK(wvmi_session_close(session));
    toy_check_restored(&toy);
    toy_end(&toy);
    return WVMI_OK;
}

#define main trace_files
#define wvmi_session_open open_toy
#define wvmi_session_run run_guest
#define wvmi_session_close close_toy
#include "../../../c-examples/trace_files.c"
#undef main
#undef wvmi_session_open
#undef wvmi_session_run
#undef wvmi_session_close

static void expect(FILE *output, const char *what, const char *about)
{
    char line[512], begin[64];
    CHECK(fgets(line, sizeof line, output) != NULL);
    snprintf(begin, sizeof begin, " notepad.exe     %-6s ", what);
    CHECK(strstr(line, begin) != NULL);
    CHECK(strtoul(line, NULL, 10) == forged_process_named("notepad.exe")->pid);
    line[strcspn(line, "\n")] = '\0';
    CHECK(strcmp(strstr(line, begin) + strlen(begin), about) == 0);
}

int main(int argc, char **argv)
{
    char name[] = "trace_files", target[] = "xen:any", line[8], about[64];
    char *arguments[] = {name, target, NULL};
    const char *path = argv[argc - 1];
    FILE *output;
    begin(argc - 1, argv);
    CHECK(freopen(path, "w", stdout) != NULL);
    CHECK(trace_files(2, arguments) == 0);
    CHECK(fflush(stdout) == 0);
    output = fopen(path, "r");
    CHECK(output != NULL);
    expect(output, "create", FORGED_ATTRIBUTES_PATH);
    expect(output, "write", written);
    snprintf(about, sizeof about, "notepad.exe (%u)", forged_process_named("notepad.exe")->pid);
    expect(output, "begin", about);
    expect(output, "begin!", about);
    expect(output, "end", about);
    CHECK(fgets(line, sizeof line, output) == NULL);
    CHECK(fclose(output) == 0);
    return 0;
}
