/* What the spaces of guest processes are made of: regions, modules, texts. */
#include "check.h"

static void regions_come_in_order(wvmi_session *session, uint64_t object)
{
    wvmi_region_iter *iter = NULL;
    wvmi_region_details many[4], one;
    wvmi_process process;
    size_t count = 0, forged = 0;
    wvmi_status status;
    process.object = object;
    while (forged < COUNT(forged_regions) && forged_regions[forged].process != object) {
        forged++;
    }
    CHECK_OK(wvmi_region_iter_new(session, process, &iter));
    while ((status = wvmi_region_iter_next_many(iter, many, sizeof many[0], COUNT(many),
                                                &count)) == WVMI_OK) {
        for (size_t i = 0; i < count; i++, forged++) {
            const struct forged_region *want = &forged_regions[forged];
            CHECK(forged < COUNT(forged_regions) && want->process == object);
            CHECK(many[i].vad == want->vad);
            CHECK(many[i].start == want->start && many[i].end == want->end);
            CHECK(many[i].protection == want->protection);
            CHECK(many[i].committed == want->committed);
            CHECK((many[i].kind == WVMI_REGION_IMAGE) == (want->is_image != 0));
            CHECK((many[i].path != NULL) == (want->path != NULL));
            CHECK(want->path == NULL || strcmp(many[i].path, want->path) == 0);
            CHECK_OK(wvmi_region_at(session, process, want->end - 1, &one, sizeof one));
            CHECK(one.vad == want->vad && one.path == NULL);
        }
    }
    CHECK_STATUS(status, WVMI_END);
    CHECK(forged == COUNT(forged_regions) || forged_regions[forged].process != object);
    wvmi_region_iter_free(iter);
}

static void regions_are_told(wvmi_session *session)
{
    wvmi_process process;
    wvmi_region_details details;
    wvmi_region_iter *iter = NULL;
    size_t count = 0;
    for (size_t i = 0; i < COUNT(forged_processes); i++) {
        regions_come_in_order(session, forged_processes[i].object);
    }
    process.object = forged_regions[0].process;
    CHECK_STATUS(wvmi_region_at(session, process, 0, &details, sizeof details),
                 WVMI_ERROR_NOT_FOUND);
    CHECK_STATUS(wvmi_region_at(session, process, 0, NULL, sizeof details),
                 WVMI_ERROR_NULL_ARGUMENT);
    CHECK_STATUS(wvmi_region_iter_new(session, process, NULL), WVMI_ERROR_NULL_ARGUMENT);
    CHECK_STATUS(wvmi_region_iter_next_many(NULL, &details, sizeof details, 1, &count),
                 WVMI_ERROR_NULL_ARGUMENT);
    wvmi_region_iter_free(iter);
}

static void validity_is_told(wvmi_session *session)
{
    wvmi_process process = process_of(forged_process_named("notepad.exe"));
    wvmi_validity validity = 99;
    CHECK_OK(wvmi_address_validity(session, process, forged_process_named("notepad.exe")->peb,
                                   &validity));
    CHECK(validity == WVMI_ADDRESS_VALID);
    CHECK_OK(wvmi_address_validity(session, process, 0, &validity));
    CHECK(validity == WVMI_ADDRESS_INVALID);
    CHECK_STATUS(wvmi_address_validity(session, process, 0, NULL), WVMI_ERROR_NULL_ARGUMENT);
}

static void user_modules_are_told(wvmi_session *session)
{
    for (size_t i = 0; i < COUNT(forged_user_modules); i++) {
        const struct forged_user_module *want = &forged_user_modules[i];
        wvmi_user_module_iter *iter = NULL;
        wvmi_user_module_details many[3];
        wvmi_process process;
        size_t count = 0, found = 0;
        wvmi_status status;
        process.object = want->process;
        CHECK_OK(wvmi_user_module_iter_new(session, process, &iter));
        while ((status = wvmi_user_module_iter_next_many(iter, many, sizeof many[0], COUNT(many),
                                                         &count)) >= WVMI_OK &&
               status != WVMI_END) {
            for (size_t j = 0; j < count; j++) {
                if (many[j].base == want->base) {
                    found++;
                    uint32_t wow64 = want->on_wow64_list ? WVMI_LOADER_LIST_WOW64 : 0;
                    CHECK(many[j].entry == want->entry && many[j].lists == (want->lists | wow64));
                    CHECK(want->entry == 0 || strcmp(many[j].name, want->name) == 0);
                    CHECK(want->entry == 0 || strcmp(many[j].path, want->path) == 0);
                }
            }
        }
        CHECK_STATUS(status, WVMI_END);
        CHECK(found == 1);
        wvmi_user_module_iter_free(iter);
    }
    wvmi_user_module_iter_free(NULL);
}

static void check_text(wvmi_session *session, wvmi_process process, wvmi_process_text_kind kind,
                       const char *want)
{
    static char text[WVMI_STRING_MAX + 1];
    size_t length = 0;
    CHECK_OK(wvmi_process_text(session, process, kind, text, sizeof text, &length));
    CHECK(strcmp(text, want) == 0 && length == strlen(want));
}

static void texts_and_environment_are_told(wvmi_session *session)
{
    char text[8];
    for (size_t i = 0; i < COUNT(forged_parameters); i++) {
        const struct forged_parameters *want = &forged_parameters[i];
        wvmi_environment_iter *iter = NULL;
        wvmi_variable variables[16];
        wvmi_process process;
        size_t count = 0, total = 0;
        wvmi_status status;
        uint32_t native = want->native ? WVMI_PROCESS_TEXT_NATIVE : 0;
        process.object = want->process;
        check_text(session, process, native | WVMI_PROCESS_TEXT_IMAGE_PATH, want->image_path);
        check_text(session, process, native | WVMI_PROCESS_TEXT_COMMAND_LINE, want->command_line);
        check_text(session, process, native | WVMI_PROCESS_TEXT_CURRENT_DIRECTORY,
                   want->current_directory);
        check_text(session, process, native | WVMI_PROCESS_TEXT_DLL_PATH, want->dll_path);
        check_text(session, process, native | WVMI_PROCESS_TEXT_WINDOW_TITLE, want->window_title);
        check_text(session, process, native | WVMI_PROCESS_TEXT_DESKTOP, want->desktop);
        CHECK_STATUS(wvmi_process_text(session, process, 99, text, sizeof text, NULL),
                     WVMI_ERROR_INVALID_ARGUMENT);
        if (native == 0) {
            CHECK_OK(wvmi_environment_iter_new(session, process, &iter));
        } else {
            CHECK_OK(wvmi_environment_iter_new_native(session, process, &iter));
        }
        CHECK_OK(wvmi_environment_iter_next(iter, variables, sizeof variables[0]));
        CHECK(strcmp(variables[0].name, want->first_name) == 0);
        CHECK(strcmp(variables[0].value, want->first_value) == 0);
        total = 1;
        while ((status = wvmi_environment_iter_next_many(iter, variables, sizeof variables[0],
                                                         COUNT(variables), &count)) == WVMI_OK) {
            CHECK(variables[0].name_length == strlen(variables[0].name));
            CHECK(variables[0].name_utf16_length == variables[0].name_length);
            CHECK(variables[0].name_utf16[0] == (uint8_t)variables[0].name[0]);
            CHECK(variables[0].value_utf16_length == variables[0].value_length);
            total += count;
        }
        CHECK_STATUS(status, WVMI_END);
        CHECK_STATUS(wvmi_environment_iter_next(iter, variables, sizeof variables[0]), WVMI_END);
        CHECK(total == want->variables);
        wvmi_environment_iter_free(iter);
    }
    wvmi_environment_iter_free(NULL);
}

static void system_has_no_parameters(wvmi_session *session)
{
    wvmi_process process = process_of(forged_process_named("System"));
    wvmi_environment_iter *iter = NULL;
    char text[8];
    CHECK_STATUS(wvmi_process_text(session, process, WVMI_PROCESS_TEXT_COMMAND_LINE, text,
                                   sizeof text, NULL),
                 WVMI_ERROR_NOT_FOUND);
    CHECK_STATUS(wvmi_environment_iter_new(session, process, &iter), WVMI_ERROR_NOT_FOUND);
    CHECK_STATUS(wvmi_environment_iter_new_native(session, process, &iter), WVMI_ERROR_NOT_FOUND);
    CHECK_STATUS(wvmi_environment_iter_new_native(session, process, NULL),
                 WVMI_ERROR_NULL_ARGUMENT);
    CHECK_STATUS(wvmi_environment_iter_next(NULL, NULL, 0), WVMI_ERROR_NULL_ARGUMENT);
    CHECK(iter == NULL);
}

int main(int argc, char **argv)
{
    wvmi_session *session;
    begin(argc, argv);
    session = open_forged();
    regions_are_told(session);
    validity_is_told(session);
    user_modules_are_told(session);
    texts_and_environment_are_told(session);
    system_has_no_parameters(session);
    CHECK_OK(wvmi_session_close(session));
    return 0;
}
