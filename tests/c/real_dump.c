/* A real triage dump from C. An extra: skipped where the dump is not at hand. */
#include "check.h"

#define BASE UINT64_C(0xfffff8047ba00000)

static const char *shared(const char *file, char *path, size_t capacity)
{
    const char *folder = getenv("WINVMI_SHARED");
    FILE *probe;
    snprintf(path, capacity, "%s/%s", folder ? folder : "../shared", file);
    probe = fopen(path, "rb");
    if (probe == NULL)
        return NULL;
    fclose(probe);
    return path;
}

static void headers_and_symbols(wvmi_session *session)
{
    wvmi_session_details details;
    CHECK_OK(wvmi_session_info(session, &details, sizeof details));
    CHECK(details.kernel_base == BASE && details.kernel_root == 0x1ad000);
    CHECK(details.build == 19041 && details.vcpus == 16);
    CHECK(details.bug_check_code == 0x1000007e);
    CHECK(strcmp(details.pdb_guid, "5278AFF86C341677D7D7835C85B7B844") == 0);
    CHECK(details.pdb_age == 1 && details.symbols_loaded == 1);
}

static void every_processor_has_registers_and_a_thread(wvmi_session *session)
{
    wvmi_registers registers;
    wvmi_thread thread;
    uint16_t vcpu;
    for (vcpu = 0; vcpu < 16; vcpu++) {
        CHECK_OK(wvmi_registers_get(session, vcpu, &registers, sizeof registers));
        CHECK(registers.rip != 0 && registers.rsp != 0);
        CHECK_OK(wvmi_thread_current(session, vcpu, &thread));
        CHECK(thread.object != 0);
    }
}

/* The list is only partly in the dump: it gives what is there, and ends. */
static void the_process_list_ends(wvmi_session *session)
{
    wvmi_process_iter *processes = NULL;
    wvmi_process process;
    wvmi_status status;
    uint32_t pid = 0;
    int found = 0, steps = 0;
    char name[32];
    CHECK_OK(wvmi_process_iter_new(session, WVMI_PROCESS_SOURCE_ACTIVE_LIST, &processes));
    while ((status = wvmi_process_iter_next(processes, &process)) != WVMI_END) {
        CHECK(status == WVMI_OK || status == WVMI_GAP);
        CHECK(++steps < 100);
        found += status == WVMI_OK;
    }
    CHECK(found == 5);
    wvmi_process_iter_free(processes);
    CHECK_OK(wvmi_process_system(session, &process));
    CHECK_OK(wvmi_process_id(session, process, &pid));
    CHECK_OK(wvmi_process_name(session, process, name, sizeof name, NULL));
    CHECK(pid == 4 && strcmp(name, "System") == 0);
}

static void modules_have_names(wvmi_session *session)
{
    wvmi_module_iter *modules = NULL;
    wvmi_module_details details[200];
    size_t count = 0, i;
    CHECK_OK(wvmi_module_iter_new(session, &modules));
    CHECK_OK(wvmi_module_iter_next_many(modules, details, sizeof details[0], 200, &count));
    CHECK(count == 151);
    CHECK(details[0].base == BASE && strcmp(details[0].name, "ntoskrnl.exe") == 0);
    for (i = 0; i < count; i++)
        CHECK(details[i].name_length > 0);
    wvmi_module_iter_free(modules);
}

static void absent_bytes_are_faults(wvmi_session *session)
{
    static uint8_t pages[0x2000];
    wvmi_registers registers;
    wvmi_error error;
    uint64_t word = 0;
    size_t done = 0;
    CHECK_STATUS(wvmi_read(session, kernel_space(), BASE, pages, sizeof pages, &done),
                 WVMI_ERROR_FAULT);
    CHECK(done == 0x1000 && pages[0] == 'M' && pages[1] == 'Z');
    CHECK_OK(wvmi_last_error(&error, sizeof error));
    CHECK(error.fault == WVMI_FAULT_NOT_IN_IMAGE && error.address == BASE + 0x1000);
    CHECK_STATUS(wvmi_read(session, space_of(WVMI_SPACE_PHYSICAL, 0), 0, pages, 1, &done),
                 WVMI_ERROR_NOT_SUPPORTED);
    /* The crashing stack is there. */
    CHECK_OK(wvmi_registers_get(session, 0, &registers, sizeof registers));
    CHECK_OK(wvmi_read_u64(session, kernel_space(), registers.rsp, &word));
}

int main(void)
{
    char dump[1024], symbols[1024], table[1024];
    wvmi_config *config = NULL;
    wvmi_session *session = NULL;
    if (shared("real/triage_x64.dmp", dump, sizeof dump) == NULL ||
        shared("profiles/README.md", table, sizeof table) == NULL) {
        printf("skipped: the real dump is not at hand\n");
        return 0;
    }
    snprintf(symbols, sizeof symbols, "%.*s", (int)(strrchr(table, '/') - table), table);
    CHECK_OK(wvmi_config_new(&config));
    CHECK_OK(wvmi_config_add_symbol_path(config, symbols));
    CHECK_OK(wvmi_session_open(dump, config, &session));
    wvmi_config_free(config);
    headers_and_symbols(session);
    every_processor_has_registers_and_a_thread(session);
    the_process_list_ends(session);
    modules_have_names(session);
    absent_bytes_are_faults(session);
    wvmi_session_close(session);
    return 0;
}
