/* Configurations and sessions: opening, what is known, closing. */
#include "check.h"

static void configurations_check_their_arguments(void)
{
    wvmi_config *config = NULL;
    CHECK_OK(wvmi_config_new(&config));
    CHECK_OK(wvmi_config_set_name(config, "n\xc3\xa4me"));
    CHECK_STATUS(wvmi_config_set_name(config, "\xff"), WVMI_ERROR_INVALID_ARGUMENT);
    CHECK_STATUS(wvmi_config_set_name(NULL, "x"), WVMI_ERROR_NULL_ARGUMENT);
    CHECK_STATUS(wvmi_config_add_symbol_path(config, NULL), WVMI_ERROR_NULL_ARGUMENT);
    CHECK_STATUS(wvmi_config_add_symbol_path(config, "\xc0"), WVMI_ERROR_INVALID_ARGUMENT);
    CHECK_STATUS(wvmi_config_set_symbol_environment(NULL, true), WVMI_ERROR_NULL_ARGUMENT);
    CHECK_OK(wvmi_config_set_cache_directory(config, NULL));
    CHECK_OK(wvmi_config_set_cache_directory(config, "/nowhere"));
    CHECK_STATUS(wvmi_config_set_cache_directory(config, "\xff"), WVMI_ERROR_INVALID_ARGUMENT);
    CHECK_OK(wvmi_config_set_offline(config, true));
    CHECK_STATUS(wvmi_config_set_offline(NULL, true), WVMI_ERROR_NULL_ARGUMENT);
    CHECK_OK(wvmi_config_set_translation_cache(config, 0));
    CHECK_OK(wvmi_config_set_translation_cache(config, 1 << 20));
    CHECK_STATUS(wvmi_config_set_translation_cache(config, 63), WVMI_ERROR_INVALID_ARGUMENT);
    CHECK_STATUS(wvmi_config_set_translation_cache(config, SIZE_MAX), WVMI_ERROR_INVALID_ARGUMENT);
    CHECK_OK(wvmi_config_set_file_mode(config, WVMI_FILE_MODE_MAP));
    CHECK_STATUS(wvmi_config_set_file_mode(config, 7), WVMI_ERROR_INVALID_ARGUMENT);
    wvmi_config_free(config);
}

static void opening_tells_what_is_wrong(void)
{
    wvmi_session *session = NULL;
    CHECK_STATUS(wvmi_session_open(NULL, NULL, &session), WVMI_ERROR_NULL_ARGUMENT);
    CHECK_STATUS(wvmi_session_open(forged_dump, NULL, NULL), WVMI_ERROR_NULL_ARGUMENT);
    CHECK_STATUS(wvmi_session_open("\xff\xfe", NULL, &session), WVMI_ERROR_INVALID_ARGUMENT);
    CHECK_STATUS(wvmi_session_open("/no/such/file", NULL, &session), WVMI_ERROR_IO);
    CHECK_STATUS(wvmi_session_open("nosuch:thing", NULL, &session), WVMI_ERROR_INVALID_ARGUMENT);
    CHECK_STATUS(wvmi_session_open("kdmp:/dev/null", NULL, &session), WVMI_ERROR_IO);
    CHECK(session == NULL);
}

static void facts_are_told(wvmi_session *session)
{
    wvmi_session_details details;
    char text[8];
    size_t length = 0;
    memset(&details, 0xaa, sizeof details);
    CHECK_OK(wvmi_session_info(session, &details, sizeof details));
    CHECK((details.valid & WVMI_SESSION_VALID_KERNEL) != 0);
    CHECK(details.kernel_base == FORGED_KERNEL_BASE);
    CHECK(details.kernel_root == FORGED_SYSTEM_ROOT);
    CHECK((details.valid & WVMI_SESSION_VALID_PDB) != 0);
    CHECK(strcmp(details.pdb_name, FORGED_PDB) == 0);
    CHECK(strcmp(details.pdb_guid, FORGED_GUID) == 0 && details.pdb_age == FORGED_PDB_AGE);
    CHECK((details.valid & WVMI_SESSION_VALID_BUILD) != 0 && details.build == FORGED_BUILD);
    CHECK(details.vcpus == FORGED_PROCESSORS);
    CHECK(strcmp(details.back_end, "kdmp") == 0 && details.format[0] != '\0');
    CHECK((details.capabilities & WVMI_CAPABILITY_PHYSICAL_READ) != 0);
    CHECK((details.capabilities & (WVMI_CAPABILITY_LIVE | WVMI_CAPABILITY_EVENTS)) == 0);
    CHECK(details.memory_size > 0);
    CHECK_STATUS(wvmi_session_info(session, NULL, sizeof details), WVMI_ERROR_NULL_ARGUMENT);
    CHECK_STATUS(wvmi_session_info(NULL, &details, sizeof details), WVMI_ERROR_NULL_ARGUMENT);
    CHECK_STATUS(wvmi_session_info(session, &details, 0), WVMI_ERROR_INVALID_ARGUMENT);

    CHECK_OK(wvmi_session_name(session, text, sizeof text, &length));
    CHECK(strcmp(text, "winvmi") == 0 && length == 6);
    CHECK_STATUS(wvmi_session_name(session, text, 4, &length), WVMI_ERROR_BUFFER_TOO_SMALL);
    CHECK(strcmp(text, "win") == 0 && length == 6);
    CHECK_STATUS(wvmi_session_name(session, NULL, 0, &length), WVMI_ERROR_BUFFER_TOO_SMALL);
    CHECK_STATUS(wvmi_session_name(session, NULL, 4, &length), WVMI_ERROR_NULL_ARGUMENT);
}

static void symbols_complete_a_memory_only_session(void)
{
    wvmi_session *session = open_without_symbols();
    wvmi_session_details details;
    wvmi_process process;
    wvmi_error error;
    uint16_t magic = 0;
    CHECK_OK(wvmi_session_info(session, &details, sizeof details));
    CHECK(details.symbols_loaded == 0 && strcmp(details.pdb_guid, FORGED_GUID) == 0);
    CHECK_OK(wvmi_read_u16(session, kernel_space(), FORGED_KERNEL_BASE, &magic));
    CHECK(magic == 0x5a4d);
    CHECK_STATUS(wvmi_process_system(session, &process), WVMI_ERROR_NO_SYMBOLS);
    CHECK_OK(wvmi_last_error(&error, sizeof error));
    CHECK(strstr(error.message, FORGED_GUID) != NULL);
    CHECK_STATUS(wvmi_session_load_symbols(session, "/no/such/place"), WVMI_ERROR_NO_SYMBOLS);
    CHECK_STATUS(wvmi_session_load_symbols(session, "\xff"), WVMI_ERROR_INVALID_ARGUMENT);
    CHECK_OK(wvmi_session_load_symbols(session, forged_symbols));
    CHECK_OK(wvmi_session_load_symbols(session, NULL));
    CHECK_OK(wvmi_process_system(session, &process));
    CHECK_OK(wvmi_session_info(session, &details, sizeof details));
    CHECK(details.symbols_loaded == 1);
    CHECK_OK(wvmi_session_refresh(session));
    CHECK_OK(wvmi_session_cancel(session));
    CHECK_OK(wvmi_process_system(session, &process));
    CHECK_OK(wvmi_session_close(session));
}

static void closed_sessions_are_recognised(void)
{
    wvmi_session *first = open_forged();
    wvmi_session *second;
    wvmi_process process;
    int not_a_session = 0;
    CHECK_OK(wvmi_session_close(first));
    second = open_forged();
    CHECK(first != second);
    CHECK_STATUS(wvmi_process_system(first, &process), WVMI_ERROR_CLOSED);
    CHECK_STATUS(wvmi_session_refresh(first), WVMI_ERROR_CLOSED);
    CHECK_STATUS(wvmi_session_cancel(first), WVMI_ERROR_CLOSED);
    CHECK_STATUS(wvmi_session_close(first), WVMI_ERROR_CLOSED);
    CHECK_OK(wvmi_process_system(second, &process));
    CHECK_OK(wvmi_session_close(second));
    CHECK_OK(wvmi_session_close(NULL));
    CHECK_STATUS(wvmi_session_close((wvmi_session *)&not_a_session), WVMI_ERROR_INVALID_ARGUMENT);
}

int main(int argc, char **argv)
{
    wvmi_session *session;
    begin(argc, argv);
    configurations_check_their_arguments();
    opening_tells_what_is_wrong();
    session = open_forged();
    facts_are_told(session);
    CHECK_OK(wvmi_session_close(session));
    symbols_complete_a_memory_only_session();
    closed_sessions_are_recognised();
    return 0;
}
