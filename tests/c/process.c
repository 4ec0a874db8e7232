/* Processes: found, described and iterated. */
#include "check.h"

static void details_are_the_forged_ones(const wvmi_process_details *details,
                                        const struct forged_process *forged)
{
    CHECK(details->object == forged->object);
    CHECK(details->pid == forged->pid && details->parent_pid == forged->parent_pid);
    CHECK(strcmp(details->name, forged->name) == 0);
    CHECK(details->create_time == forged->create_time);
    CHECK(details->exit_time == forged->exit_time);
    CHECK(details->exit_status == forged->exit_status);
    CHECK(details->root == forged->root && details->user_root == forged->user_root);
    CHECK(details->peb == forged->peb && details->native_peb == forged->native_peb);
    CHECK(details->session == forged->session && details->token == forged->token);
    CHECK(details->handle_table == forged->handle_table);
    CHECK(details->image_base == forged->image_base && details->wow64 == forged->wow64);
    CHECK(details->session_id == forged->session_id);
    CHECK(details->protection == forged->protection);
    CHECK((details->valid & WVMI_PROCESS_VALID_PROTECTION) != 0);
}

static void one_call_tells_everything(wvmi_session *session)
{
    wvmi_process_details details;
    wvmi_process nowhere;
    for (size_t i = 0; i < COUNT(forged_processes); i++) {
        wvmi_process process = process_of(&forged_processes[i]);
        CHECK_OK(wvmi_process_info(session, process, &details, sizeof details));
        details_are_the_forged_ones(&details, &forged_processes[i]);
    }
    nowhere.object = 0x10;
    CHECK_STATUS(wvmi_process_info(session, nowhere, &details, sizeof details), WVMI_ERROR_FAULT);
    CHECK_STATUS(wvmi_process_info(session, nowhere, NULL, sizeof details),
                 WVMI_ERROR_NULL_ARGUMENT);
    CHECK_STATUS(wvmi_process_info(session, nowhere, &details, SIZE_MAX),
                 WVMI_ERROR_INVALID_ARGUMENT);
}

static void getters_agree_with_the_details(wvmi_session *session)
{
    const struct forged_process *forged = forged_process_named("legacy32.exe");
    wvmi_process process = process_of(forged);
    uint32_t pid = 0, parent = 0, wow64 = 0;
    uint64_t root = 0, user_root = 0, peb = 0;
    char name[16];
    size_t length = 0;
    CHECK_OK(wvmi_process_id(session, process, &pid));
    CHECK_OK(wvmi_process_parent_id(session, process, &parent));
    CHECK_OK(wvmi_process_name(session, process, name, sizeof name, &length));
    CHECK_OK(wvmi_process_root(session, process, &root));
    CHECK_OK(wvmi_process_user_root(session, process, &user_root));
    CHECK_OK(wvmi_process_peb(session, process, &peb, &wow64));
    CHECK(pid == forged->pid && parent == forged->parent_pid);
    CHECK(strcmp(name, forged->name) == 0 && length == strlen(forged->name));
    CHECK(root == forged->root && user_root == forged->user_root);
    CHECK(peb == forged->peb && wow64 == 1);
    CHECK_OK(wvmi_process_peb(session, process, &peb, NULL));
    CHECK_STATUS(wvmi_process_id(session, process, NULL), WVMI_ERROR_NULL_ARGUMENT);
    CHECK_STATUS(wvmi_process_name(session, process, name, 2, &length),
                 WVMI_ERROR_BUFFER_TOO_SMALL);
    process.object = 0;
    CHECK_STATUS(wvmi_process_root(session, process, &root), WVMI_ERROR_FAULT);
}

static void processes_are_found(wvmi_session *session)
{
    const struct forged_process *notepad = forged_process_named("notepad.exe");
    wvmi_process process;
    CHECK_OK(wvmi_process_by_id(session, notepad->pid, &process));
    CHECK(process.object == notepad->object);
    CHECK_OK(wvmi_process_by_name(session, "NOTEPAD.exe", &process));
    CHECK(process.object == notepad->object);
    CHECK_OK(wvmi_process_system(session, &process));
    CHECK(process.object == forged_process_named("System")->object);
    CHECK_OK(wvmi_process_idle(session, &process));
    CHECK(process.object == FORGED_IDLE_PROCESS);
    CHECK_OK(wvmi_process_current(session, 0, &process));
    CHECK(process.object != 0);
    CHECK_STATUS(wvmi_process_current(session, 60000, &process), WVMI_ERROR_NOT_FOUND);
    CHECK_STATUS(wvmi_process_by_id(session, 0x7ffffffc, &process), WVMI_ERROR_NOT_FOUND);
    CHECK_STATUS(wvmi_process_by_name(session, "nobody.exe", &process), WVMI_ERROR_NOT_FOUND);
    CHECK_STATUS(wvmi_process_by_name(session, NULL, &process), WVMI_ERROR_NULL_ARGUMENT);
    CHECK_STATUS(wvmi_process_system(session, NULL), WVMI_ERROR_NULL_ARGUMENT);
}

static void iteration_yields_all_and_ends_for_good(wvmi_session *session)
{
    wvmi_process_iter *iter = NULL;
    wvmi_process process;
    CHECK_OK(wvmi_process_iter_new(session, 0, &iter));
    for (size_t i = 0; i < COUNT(forged_processes); i++) {
        CHECK_OK(wvmi_process_iter_next(iter, &process));
        CHECK(process.object == forged_processes[i].object);
    }
    CHECK_STATUS(wvmi_process_iter_next(iter, &process), WVMI_END);
    CHECK_STATUS(wvmi_process_iter_next(iter, &process), WVMI_END);
    wvmi_process_iter_free(iter);
    wvmi_process_iter_free(NULL);
    CHECK_STATUS(wvmi_process_iter_new(session, 99, &iter), WVMI_ERROR_INVALID_ARGUMENT);
    CHECK_STATUS(wvmi_process_iter_new(session, 0, NULL), WVMI_ERROR_NULL_ARGUMENT);
    CHECK_STATUS(wvmi_process_iter_next(NULL, &process), WVMI_ERROR_NULL_ARGUMENT);
}

static void bulk_iteration_names_the_sources(wvmi_session *session)
{
    wvmi_process_iter *iter = NULL;
    wvmi_process_details details[5];
    size_t count = 0, total = 0;
    wvmi_status status;
    uint32_t both = WVMI_PROCESS_SOURCE_ACTIVE_LIST | WVMI_PROCESS_SOURCE_CID_TABLE;
    CHECK_OK(wvmi_process_iter_new(session, both, &iter));
    while ((status = wvmi_process_iter_next_many(iter, details, sizeof details[0], COUNT(details),
                                                 &count)) == WVMI_OK) {
        for (size_t i = 0; i < count && total + i < COUNT(forged_processes); i++) {
            details_are_the_forged_ones(&details[i], &forged_processes[total + i]);
            CHECK(details[i].sources & WVMI_PROCESS_SOURCE_ACTIVE_LIST);
        }
        total += count;
    }
    CHECK(status == WVMI_END && count == 0 && total >= COUNT(forged_processes));
    wvmi_process_iter_free(iter);
}

static void other_structure_sizes_work(wvmi_session *session)
{
    struct newer {
        wvmi_process_details details;
        uint64_t unknown[4];
    } newer[2];
    struct older {
        uint64_t valid, object, untouched;
    } older;
    wvmi_process_iter *iter = NULL;
    size_t count = 0;
    memset(newer, 0xaa, sizeof newer);
    CHECK_OK(wvmi_process_iter_new(session, 0, &iter));
    CHECK_OK(wvmi_process_iter_next_many(iter, &newer[0].details, sizeof newer[0], COUNT(newer),
                                         &count));
    CHECK(count == 2 && newer[1].unknown[0] == 0 && newer[1].unknown[3] == 0);
    details_are_the_forged_ones(&newer[1].details, &forged_processes[1]);
    CHECK_STATUS(wvmi_process_iter_next_many(iter, &newer[0].details, 0, COUNT(newer), &count),
                 WVMI_ERROR_INVALID_ARGUMENT);
    wvmi_process_iter_free(iter);
    older.untouched = 7;
    CHECK_OK(wvmi_process_info(session, process_of(&forged_processes[0]),
                               (wvmi_process_details *)&older, 2 * sizeof(uint64_t)));
    CHECK(older.object == forged_processes[0].object && older.untouched == 7);
}

static void protection_is_taken_apart(wvmi_session *session)
{
    wvmi_process process = process_of(forged_process_named("services.exe"));
    wvmi_process_details details;
    CHECK_OK(wvmi_process_info(session, process, &details, sizeof details));
    CHECK((details.protection & WVMI_PROTECTION_TYPE_MASK) == WVMI_PROTECTION_LIGHT);
    CHECK(details.protection >> WVMI_PROTECTION_SIGNER_SHIFT == 6);
    CHECK((details.protection & WVMI_PROTECTION_AUDIT) == 0);
}

static void texts_are_given_without_loss(wvmi_session *session)
{
    static uint16_t units[4096];
    static char text[WVMI_STRING_MAX + 1];
    for (size_t i = 0; i < COUNT(forged_parameters); i++) {
        const char *line = forged_parameters[i].command_line;
        wvmi_process process = {forged_parameters[i].process};
        uint32_t native = forged_parameters[i].native ? WVMI_PROCESS_TEXT_NATIVE : 0;
        wvmi_process_text_kind kind = WVMI_PROCESS_TEXT_COMMAND_LINE | native;
        size_t count = 0, length = 0, ascii = 0;
        CHECK_OK(wvmi_process_text_utf16(session, process, kind, units, COUNT(units),
                                         &count));
        CHECK_OK(wvmi_process_text(session, process, kind, text, sizeof text, &length));
        CHECK(strcmp(text, line) == 0 && count <= length);
        while (ascii < count && line[ascii] > 0) {
            CHECK(units[ascii] == (uint16_t)line[ascii]);
            ascii++;
        }
        CHECK(ascii > 0);
        CHECK_STATUS(wvmi_process_text_utf16(session, process, kind, units, count - 1, &length),
                     WVMI_ERROR_BUFFER_TOO_SMALL);
        CHECK(length == count);
        CHECK_STATUS(wvmi_process_text_utf16(session, process, 99, units, COUNT(units), NULL),
                     WVMI_ERROR_INVALID_ARGUMENT);
    }
}

int main(int argc, char **argv)
{
    wvmi_session *session;
    begin(argc, argv);
    session = open_forged();
    one_call_tells_everything(session);
    getters_agree_with_the_details(session);
    processes_are_found(session);
    iteration_yields_all_and_ends_for_good(session);
    bulk_iteration_names_the_sources(session);
    other_structure_sizes_work(session);
    protection_is_taken_apart(session);
    texts_are_given_without_loss(session);
    CHECK_OK(wvmi_session_close(session));
    return 0;
}
