/* Modules of the kernel, symbols and layouts. */
#include "check.h"

static void modules_come_in_load_order(wvmi_session *session)
{
    wvmi_module_iter *iter = NULL;
    wvmi_module_details many[5];
    wvmi_module module;
    size_t count = 0, total = 0;
    wvmi_status status;
    CHECK_OK(wvmi_module_iter_new(session, &iter));
    while ((status = wvmi_module_iter_next_many(iter, many, sizeof many[0], COUNT(many),
                                                &count)) == WVMI_OK) {
        for (size_t i = 0; i < count; i++, total++) {
            const struct forged_module *forged = &forged_modules[total];
            CHECK(total < COUNT(forged_modules));
            CHECK(many[i].entry == forged->entry && many[i].base == forged->base);
            CHECK(many[i].size == forged->size && many[i].entry_point == forged->entry_point);
            CHECK(strcmp(many[i].name, forged->name) == 0);
            CHECK(strcmp(many[i].path, forged->path) == 0);
            CHECK(many[i].name_length == strlen(forged->name));
            CHECK(many[i].path_length == strlen(forged->path));
        }
    }
    CHECK_STATUS(status, WVMI_END);
    CHECK(total == COUNT(forged_modules));
    wvmi_module_iter_free(iter);
    CHECK_OK(wvmi_module_iter_new(session, &iter));
    CHECK_OK(wvmi_module_iter_next(iter, &module));
    CHECK(module.entry == forged_modules[0].entry);
    CHECK_STATUS(wvmi_module_iter_next(iter, NULL), WVMI_ERROR_NULL_ARGUMENT);
    wvmi_module_iter_free(iter);
    wvmi_module_iter_free(NULL);
    CHECK_STATUS(wvmi_module_iter_new(session, NULL), WVMI_ERROR_NULL_ARGUMENT);
}

/* Are the units those of a text of ASCII letters? */
static bool is_text(const uint16_t *units, size_t count, const char *text)
{
    for (size_t i = 0; i < count; i++) {
        if (units[i] != (uint8_t)text[i]) {
            return false;
        }
    }
    return count == strlen(text);
}

static void one_module_is_described(wvmi_session *session)
{
    const struct forged_module *forged = &forged_modules[2];
    wvmi_module_details details;
    wvmi_module module;
    char text[128];
    uint16_t units[128];
    size_t length = 0;
    CHECK_OK(wvmi_module_at(session, forged->base + 0x10, &module));
    CHECK(module.entry == forged->entry);
    CHECK_OK(wvmi_module_info(session, module, &details, sizeof details));
    CHECK(details.base == forged->base && details.name == NULL && details.path == NULL);
    CHECK_OK(wvmi_module_name(session, module, text, sizeof text, &length));
    CHECK(strcmp(text, forged->name) == 0 && length == strlen(text));
    CHECK_OK(wvmi_module_path(session, module, text, sizeof text, NULL));
    CHECK(strcmp(text, forged->path) == 0);
    CHECK_STATUS(wvmi_module_path(session, module, text, 3, &length), WVMI_ERROR_BUFFER_TOO_SMALL);
    CHECK(length == strlen(forged->path));
    CHECK_OK(wvmi_module_name_utf16(session, module, units, COUNT(units), &length));
    CHECK(is_text(units, length, forged->name));
    CHECK_OK(wvmi_module_path_utf16(session, module, units, COUNT(units), &length));
    CHECK(is_text(units, length, forged->path));
    CHECK_STATUS(wvmi_module_path_utf16(session, module, units, 3, &length),
                 WVMI_ERROR_BUFFER_TOO_SMALL);
    CHECK(length == strlen(forged->path));
    CHECK_STATUS(wvmi_module_name_utf16(session, module, NULL, 3, &length),
                 WVMI_ERROR_NULL_ARGUMENT);
    CHECK_STATUS(wvmi_module_at(session, 0x10, &module), WVMI_ERROR_NOT_FOUND);
    module.entry = 0x10;
    CHECK_STATUS(wvmi_module_info(session, module, &details, sizeof details), WVMI_ERROR_FAULT);
}

static void symbols_lead_to_addresses_and_back(wvmi_session *session)
{
    uint64_t addresses[3];
    wvmi_symbol_match matches[3];
    CHECK_OK(wvmi_symbol_address(session, "nt!NtCreateFile", &addresses[0]));
    CHECK(addresses[0] == FORGED_NT_CREATE_FILE);
    CHECK_OK(wvmi_symbol_address(session, "NtCreateFile", &addresses[1]));
    CHECK(addresses[1] == addresses[0]);
    addresses[1] += 1;
    addresses[2] = 0x10;
    CHECK_OK(wvmi_symbols_at(session, addresses, 3, matches, sizeof matches[0]));
    CHECK(matches[0].status == WVMI_OK && matches[0].displacement == 0);
    CHECK(strcmp(matches[0].name, "NtCreateFile") == 0 && matches[0].name_length == 12);
    CHECK(matches[1].displacement == 1 && matches[1].address == addresses[0]);
    CHECK(matches[2].status == WVMI_ERROR_NOT_FOUND);
    CHECK_OK(wvmi_symbols_at(session, NULL, 0, NULL, sizeof matches[0]));
    CHECK_STATUS(wvmi_symbols_at(session, addresses, 3, NULL, sizeof matches[0]),
                 WVMI_ERROR_NULL_ARGUMENT);
    CHECK_STATUS(wvmi_symbol_address(session, "nt!NoSuchSymbol", addresses), WVMI_ERROR_NOT_FOUND);
    CHECK_STATUS(wvmi_symbol_address(session, "nosuch!Symbol", addresses), WVMI_ERROR_NOT_FOUND);
    CHECK_STATUS(wvmi_symbol_address(session, NULL, addresses), WVMI_ERROR_NULL_ARGUMENT);
}

static void layouts_are_told(wvmi_session *session)
{
    wvmi_field field;
    uint64_t size = 0;
    int64_t value = 0;
    CHECK_OK(wvmi_struct_size(session, "_EPROCESS", &size));
    CHECK(size == 0xa40);
    CHECK_OK(wvmi_field_offset(session, "_EPROCESS", "UniqueProcessId", &field, sizeof field));
    CHECK(field.offset == 1088 && field.size == 8 && field.bit_length == 0);
    CHECK_OK(wvmi_field_offset(session, "_HANDLE_TABLE_ENTRY", "ObjectPointerBits", &field,
                               sizeof field));
    CHECK(field.bit_position == 20 && field.bit_length == 44);
    CHECK_STATUS(wvmi_struct_size(session, "_NOTHING", &size), WVMI_ERROR_NOT_FOUND);
    CHECK_STATUS(wvmi_struct_size(session, NULL, &size), WVMI_ERROR_NULL_ARGUMENT);
    CHECK_STATUS(wvmi_field_offset(session, "_EPROCESS", "Nothing", &field, sizeof field),
                 WVMI_ERROR_NOT_FOUND);
    CHECK_STATUS(wvmi_field_offset(session, "_EPROCESS", "UniqueProcessId", NULL, sizeof field),
                 WVMI_ERROR_NULL_ARGUMENT);
    CHECK_STATUS(wvmi_enum_value(session, "_NO_ENUM", "Nothing", &value), WVMI_ERROR_NOT_FOUND);
    CHECK_STATUS(wvmi_enum_value(session, "_NO_ENUM", "Nothing", NULL), WVMI_ERROR_NULL_ARGUMENT);
}

static void unloaded_drivers_come_latest_first(wvmi_session *session)
{
    wvmi_unloaded_module_iter *iter = NULL;
    wvmi_unloaded_module module, many[64];
    size_t count = 0;
    CHECK_OK(wvmi_unloaded_module_iter_new(session, &iter));
    for (size_t i = 0; i < COUNT(forged_unloaded_modules); i++) {
        const struct forged_unloaded_module *forged = &forged_unloaded_modules[i];
        CHECK_OK(wvmi_unloaded_module_iter_next(iter, &module, sizeof module));
        CHECK(module.valid == 0xf && module.start == forged->start && module.end == forged->end);
        CHECK(module.time == forged->time && strcmp(module.name, forged->name) == 0);
        CHECK(module.name_length == strlen(forged->name));
        CHECK(is_text(module.name_utf16, module.name_utf16_length, forged->name));
    }
    CHECK_STATUS(wvmi_unloaded_module_iter_next(iter, &module, sizeof module), WVMI_END);
    CHECK_STATUS(wvmi_unloaded_module_iter_next(iter, NULL, sizeof module),
                 WVMI_ERROR_NULL_ARGUMENT);
    wvmi_unloaded_module_iter_free(iter);
    wvmi_unloaded_module_iter_free(NULL);
    CHECK_OK(wvmi_unloaded_module_iter_new(session, &iter));
    CHECK_OK(wvmi_unloaded_module_iter_next_many(iter, many, sizeof many[0], COUNT(many), &count));
    CHECK(count == COUNT(forged_unloaded_modules) && count > 1);
    CHECK(strcmp(many[1].name, forged_unloaded_modules[1].name) == 0);
    wvmi_unloaded_module_iter_free(iter);
    CHECK_STATUS(wvmi_unloaded_module_iter_new(session, NULL), WVMI_ERROR_NULL_ARGUMENT);
}

int main(int argc, char **argv)
{
    wvmi_session *session;
    begin(argc, argv);
    session = open_forged();
    modules_come_in_load_order(session);
    one_module_is_described(session);
    unloaded_drivers_come_latest_first(session);
    symbols_lead_to_addresses_and_back(session);
    layouts_are_told(session);
    CHECK_OK(wvmi_session_close(session));
    return 0;
}
