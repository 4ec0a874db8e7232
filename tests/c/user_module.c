/* Regions and modules of processes as values: iterated, looked up, described. */
#include "check.h"

static void path_is(wvmi_session *session, wvmi_region region, const char *want)
{
    char path[512];
    uint16_t units[512];
    size_t length = 0, count = 0;
    if (!want) {
        CHECK_STATUS(wvmi_region_path(session, region, path, sizeof path, &length),
                     WVMI_ERROR_NOT_FOUND);
        return;
    }
    CHECK_OK(wvmi_region_path(session, region, path, sizeof path, &length));
    CHECK(strcmp(path, want) == 0 && length == strlen(want));
    CHECK_OK(wvmi_region_path_utf16(session, region, units, COUNT(units), &count));
    CHECK(count == length && units[0] == '\\');
    CHECK_STATUS(wvmi_region_path(session, region, path, 4, &length), WVMI_ERROR_BUFFER_TOO_SMALL);
    CHECK_STATUS(wvmi_region_path_utf16(session, region, units, 2, NULL),
                 WVMI_ERROR_BUFFER_TOO_SMALL);
}

static size_t regions_of(wvmi_session *session, uint64_t object)
{
    wvmi_region_iter *iter = NULL;
    wvmi_region_details details;
    wvmi_region region;
    wvmi_process process;
    size_t found = 0;
    process.object = object;
    CHECK_OK(wvmi_region_iter_new(session, process, &iter));
    for (size_t i = 0; i < COUNT(forged_regions); i++) {
        const struct forged_region *want = &forged_regions[i];
        if (want->process != object) {
            continue;
        }
        found++;
        CHECK_OK(wvmi_region_iter_next(iter, &region));
        CHECK(region.vad == want->vad);
        CHECK_OK(wvmi_region_info(session, region, &details, sizeof details));
        CHECK(details.start == want->start && details.end == want->end);
        CHECK(details.protection == want->protection && details.path == NULL);
        CHECK((details.kind == WVMI_REGION_IMAGE) == (want->is_image != 0));
        CHECK(details.commit_charge == want->commit_charge || !want->is_private);
        path_is(session, region, want->path);
        CHECK_OK(wvmi_region_at(session, process, want->end - 1, &details, sizeof details));
        CHECK(details.vad == region.vad);
    }
    CHECK_STATUS(wvmi_region_iter_next(iter, &region), WVMI_END);
    CHECK_STATUS(wvmi_region_iter_next(iter, NULL), WVMI_ERROR_NULL_ARGUMENT);
    wvmi_region_iter_free(iter);
    return found;
}

static void regions_are_values(wvmi_session *session)
{
    wvmi_region nowhere;
    wvmi_region_details details;
    size_t found = 0;
    for (size_t i = 0; i < COUNT(forged_processes); i++) {
        found += regions_of(session, forged_processes[i].object);
    }
    CHECK(found == COUNT(forged_regions));
    nowhere.vad = 0x10;
    CHECK_STATUS(wvmi_region_info(session, nowhere, &details, sizeof details), WVMI_ERROR_FAULT);
    CHECK_STATUS(wvmi_region_info(session, nowhere, NULL, sizeof details),
                 WVMI_ERROR_NULL_ARGUMENT);
    CHECK_STATUS(wvmi_region_path(session, nowhere, NULL, 0, NULL), WVMI_ERROR_FAULT);
    CHECK_STATUS(wvmi_region_iter_next(NULL, &nowhere), WVMI_ERROR_NULL_ARGUMENT);
}

static void text_is(wvmi_session *session, wvmi_user_module module, wvmi_user_module_text_kind kind,
                    const char *want)
{
    char text[512];
    uint16_t units[512];
    size_t length = 0, count = 0;
    CHECK_OK(wvmi_user_module_text(session, module, kind, text, sizeof text, &length));
    CHECK(strcmp(text, want) == 0 && length == strlen(want));
    CHECK_OK(wvmi_user_module_text_utf16(session, module, kind, units, COUNT(units), &count));
    CHECK(count == length);
}

static void module_is(wvmi_session *session, wvmi_user_module module,
                      const struct forged_user_module *want)
{
    wvmi_user_module_details details;
    uint32_t lists = want->lists | (want->on_wow64_list ? WVMI_LOADER_LIST_WOW64 : 0);
    CHECK(module.process == want->process && module.base == want->base);
    CHECK(module.entry == want->entry && module.wow64 == want->wow64);
    CHECK(module.lists == lists);
    CHECK_OK(wvmi_user_module_info(session, module, &details, sizeof details));
    CHECK(details.base == want->base && details.size == want->size);
    CHECK(details.entry == want->entry && details.lists == lists);
    CHECK(details.time_date_stamp == want->time_date_stamp && details.wow64 == want->wow64);
    CHECK(details.name == NULL && details.path == NULL);
    CHECK(!(details.valid & WVMI_USER_MODULE_VALID_NAME));
    text_is(session, module, WVMI_USER_MODULE_TEXT_NAME, want->name);
    text_is(session, module, WVMI_USER_MODULE_TEXT_MAPPED_PATH, want->mapped_path);
    text_is(session, module, WVMI_USER_MODULE_TEXT_PATH,
            want->entry ? want->path : want->mapped_path);
}

static void modules_are_iterated_and_found(wvmi_session *session)
{
    for (size_t i = 0; i < COUNT(forged_user_modules); i++) {
        const struct forged_user_module *want = &forged_user_modules[i];
        wvmi_architecture architecture =
            want->wow64 ? WVMI_ARCHITECTURE_X86 : WVMI_ARCHITECTURE_X64;
        wvmi_user_module_iter *iter = NULL;
        wvmi_user_module module;
        wvmi_process process;
        wvmi_status status;
        size_t found = 0;
        process.object = want->process;
        CHECK_OK(wvmi_user_module_iter_new(session, process, &iter));
        while ((status = wvmi_user_module_iter_next(iter, &module)) == WVMI_OK) {
            if (module.base == want->base) {
                module_is(session, module, want);
                found++;
            }
        }
        CHECK(status == WVMI_END && found == 1);
        wvmi_user_module_iter_free(iter);
        CHECK_OK(wvmi_user_module_at(session, process, want->base + want->size - 1, &module));
        module_is(session, module, want);
        CHECK_OK(wvmi_user_module_by_name(session, process, want->name, architecture, &module));
        module_is(session, module, want);
    }
}

/* `twice`: the 64-bit loader lists the 32-bit executable, too. */
static void one_list_holds(wvmi_session *session, uint64_t object, uint32_t list, uint32_t wow64,
                           int twice)
{
    wvmi_architecture architecture = wow64 ? WVMI_ARCHITECTURE_X86 : WVMI_ARCHITECTURE_X64;
    wvmi_user_module_iter *iter = NULL;
    wvmi_user_module_details details;
    wvmi_user_module module;
    wvmi_process process;
    size_t count = 0;
    process.object = object;
    CHECK_OK(wvmi_user_module_iter_new_in_order(session, process, list, architecture, &iter));
    if (twice && list != WVMI_LOADER_LIST_INITIALIZATION) {
        CHECK_OK(wvmi_user_module_iter_next(iter, &module));
        CHECK(module.wow64 == 1 && !(module.lists & WVMI_LOADER_LIST_WOW64));
    }
    for (size_t i = 0; i < COUNT(forged_user_modules); i++) {
        const struct forged_user_module *want = &forged_user_modules[i];
        if (want->process != object || !(want->lists & list) || want->on_wow64_list != wow64) {
            continue;
        }
        CHECK_OK(wvmi_user_module_iter_next(iter, &module));
        CHECK(module.base == want->base && module.entry == want->entry);
        CHECK((module.lists & ~WVMI_LOADER_LIST_WOW64) == list);
        text_is(session, module, WVMI_USER_MODULE_TEXT_NAME, want->name);
    }
    CHECK_STATUS(wvmi_user_module_iter_next_many(iter, &details, sizeof details, 1, &count),
                 WVMI_END);
    wvmi_user_module_iter_free(iter);
}

static void each_list_has_its_order(wvmi_session *session)
{
    static const uint32_t LISTS[] = {WVMI_LOADER_LIST_LOAD, WVMI_LOADER_LIST_MEMORY,
                                     WVMI_LOADER_LIST_INITIALIZATION};
    uint64_t explorer = forged_process_named("explorer.exe")->object;
    uint64_t legacy = forged_process_named("legacy32.exe")->object;
    wvmi_process process;
    wvmi_user_module_iter *iter = NULL;
    for (size_t i = 0; i < COUNT(LISTS); i++) {
        one_list_holds(session, explorer, LISTS[i], 0, 0);
        one_list_holds(session, legacy, LISTS[i], 0, 1);
        one_list_holds(session, legacy, LISTS[i], 1, 0);
    }
    process.object = explorer;
    CHECK_STATUS(wvmi_user_module_iter_new_in_order(session, process, WVMI_LOADER_LIST_LOAD,
                                                    WVMI_ARCHITECTURE_X86, &iter),
                 WVMI_ERROR_NOT_FOUND);
    CHECK_STATUS(wvmi_user_module_iter_new_in_order(session, process, 3, 0, &iter),
                 WVMI_ERROR_INVALID_ARGUMENT);
    CHECK_STATUS(wvmi_user_module_iter_new_in_order(session, process, 1, 3, &iter),
                 WVMI_ERROR_INVALID_ARGUMENT);
    CHECK_STATUS(wvmi_user_module_iter_new_in_order(session, process, 1, 0, NULL),
                 WVMI_ERROR_NULL_ARGUMENT);
}

static void wrong_questions_are_answered(wvmi_session *session)
{
    wvmi_process process = process_of(forged_process_named("legacy32.exe"));
    wvmi_user_module module, nowhere;
    wvmi_user_module_details details;
    char text[8];
    CHECK_OK(wvmi_user_module_by_name(session, process, "NTDLL", WVMI_ARCHITECTURE_OWN, &module));
    CHECK(module.wow64 == 1);
    CHECK_STATUS(wvmi_user_module_by_name(session, process, "no.dll", 0, &module),
                 WVMI_ERROR_NOT_FOUND);
    CHECK_STATUS(wvmi_user_module_by_name(session, process, NULL, 0, &module),
                 WVMI_ERROR_NULL_ARGUMENT);
    CHECK_STATUS(wvmi_user_module_by_name(session, process, "ntdll", 7, &module),
                 WVMI_ERROR_INVALID_ARGUMENT);
    CHECK_STATUS(wvmi_user_module_at(session, process, 0x10, &module), WVMI_ERROR_NOT_FOUND);
    CHECK_STATUS(wvmi_user_module_at(session, process, 0x10, NULL), WVMI_ERROR_NULL_ARGUMENT);
    CHECK_STATUS(wvmi_user_module_text(session, module, 9, text, sizeof text, NULL),
                 WVMI_ERROR_INVALID_ARGUMENT);
    CHECK_STATUS(wvmi_user_module_text(session, module, 0, text, 2, NULL),
                 WVMI_ERROR_BUFFER_TOO_SMALL);
    CHECK_STATUS(wvmi_user_module_info(session, module, NULL, 8), WVMI_ERROR_NULL_ARGUMENT);
    /* An address where no image is: the loader's word is not asked for. */
    nowhere = module;
    nowhere.base = 0x10;
    nowhere.entry = 0;
    CHECK_STATUS(wvmi_user_module_info(session, nowhere, &details, sizeof details),
                 WVMI_ERROR_FAULT);
    nowhere.process = 0x10;
    CHECK_STATUS(wvmi_user_module_info(session, nowhere, &details, sizeof details),
                 WVMI_ERROR_FAULT);
    CHECK_STATUS(wvmi_user_module_iter_next(NULL, &module), WVMI_ERROR_NULL_ARGUMENT);
}

int main(int argc, char **argv)
{
    wvmi_session *session;
    begin(argc, argv);
    session = open_forged();
    regions_are_values(session);
    modules_are_iterated_and_found(session);
    each_list_has_its_order(session);
    wrong_questions_are_answered(session);
    CHECK_OK(wvmi_session_close(session));
    return 0;
}
