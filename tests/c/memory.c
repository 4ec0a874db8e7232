/* Reading bytes, numbers and text; writing is refused by images. */
#include "check.h"

static void bytes_and_numbers(wvmi_session *session)
{
    uint8_t bytes[8], byte = 0;
    uint16_t u16 = 0;
    uint32_t u32 = 0;
    uint64_t u64 = 0;
    size_t done = 0;
    wvmi_space space = kernel_space();
    CHECK_OK(wvmi_read(session, space, FORGED_KERNEL_BASE, bytes, sizeof bytes, &done));
    CHECK(done == sizeof bytes && bytes[0] == 'M' && bytes[1] == 'Z');
    CHECK_OK(wvmi_read_u8(session, space, FORGED_KERNEL_BASE, &byte));
    CHECK_OK(wvmi_read_u16(session, space, FORGED_KERNEL_BASE, &u16));
    CHECK_OK(wvmi_read_u32(session, space, FORGED_KERNEL_BASE, &u32));
    CHECK_OK(wvmi_read_u64(session, space, FORGED_KERNEL_BASE, &u64));
    CHECK(byte == 'M' && u16 == 0x5a4d && (u32 & 0xffff) == u16 && (uint32_t)u64 == u32);
    CHECK_OK(wvmi_read(session, space, FORGED_KERNEL_BASE, NULL, 0, NULL));
    CHECK_STATUS(wvmi_read(session, space, FORGED_KERNEL_BASE, NULL, 8, &done),
                 WVMI_ERROR_NULL_ARGUMENT);
    CHECK_STATUS(wvmi_read_u8(session, space, FORGED_KERNEL_BASE, NULL), WVMI_ERROR_NULL_ARGUMENT);
    CHECK_STATUS(wvmi_read_u8(NULL, space, FORGED_KERNEL_BASE, &byte), WVMI_ERROR_NULL_ARGUMENT);
    CHECK_STATUS(wvmi_read_u8(session, space_of(99, 0), FORGED_KERNEL_BASE, &byte),
                 WVMI_ERROR_INVALID_ARGUMENT);
    CHECK_STATUS(wvmi_read(session, space, FORGED_KERNEL_BASE, bytes, SIZE_MAX, &done),
                 WVMI_ERROR_INVALID_ARGUMENT);
}

static void every_space_reaches_its_memory(wvmi_session *session)
{
    for (size_t i = 0; i < COUNT(forged_pages); i++) {
        const struct forged_page *page = &forged_pages[i];
        uint8_t bytes[sizeof page->content];
        wvmi_error error;
        wvmi_space space = space_of(WVMI_SPACE_PROCESS, page->process);
        wvmi_status status = wvmi_read(session, space, page->va, bytes, sizeof bytes, NULL);
        if (page->kind == FORGED_PRESENT && page->pa == 0) {
            /* Windows does not use frame 0, and its dumps do not hold it. */
            CHECK_STATUS(status, WVMI_ERROR_FAULT);
            CHECK_OK(wvmi_last_error(&error, sizeof error));
            CHECK(error.fault == WVMI_FAULT_NOT_IN_IMAGE);
            continue;
        }
        if (page->kind == FORGED_PRESENT || page->kind == FORGED_TRANSITION) {
            CHECK_OK(status);
            CHECK(memcmp(bytes, page->content, page->content_length) == 0);
            CHECK_OK(wvmi_read(session, space_of(WVMI_SPACE_PHYSICAL, 0), page->pa, bytes,
                               sizeof bytes, NULL));
            CHECK(memcmp(bytes, page->content, page->content_length) == 0);
            continue;
        }
        CHECK(status == WVMI_ERROR_FAULT);
        CHECK_OK(wvmi_last_error(&error, sizeof error));
        CHECK(error.address == page->va);
        if (page->kind == FORGED_PAGEFILE) {
            CHECK(error.fault == WVMI_FAULT_PAGEFILE);
            CHECK(error.pagefile_number == page->pagefile_number);
            CHECK(error.pagefile_offset == page->pagefile_page * 4096);
        }
    }
}

static void user_space_is_reached_by_both_roots(wvmi_session *session)
{
    const struct forged_process *forged = forged_process_named("notepad.exe");
    uint64_t by_process = 0, by_user = 0, by_root = 0;
    wvmi_space process = space_of(WVMI_SPACE_PROCESS, forged->object);
    wvmi_space user = space_of(WVMI_SPACE_PROCESS_USER, forged->object);
    wvmi_space root = space_of(WVMI_SPACE_ROOT, forged->user_root);
    CHECK_OK(wvmi_read_u64(session, process, forged->peb, &by_process));
    CHECK_OK(wvmi_read_u64(session, user, forged->peb, &by_user));
    CHECK_OK(wvmi_read_u64(session, root, forged->peb, &by_root));
    CHECK(by_process == by_user && by_user == by_root);
}

static void a_partial_read_tells_how_far_it_came(wvmi_session *session)
{
    uint8_t bytes[0x3000];
    size_t done = 0;
    const struct forged_page *page = NULL;
    for (size_t i = 0; i + 1 < COUNT(forged_pages); i++) {
        if (forged_pages[i].kind == FORGED_TRANSITION &&
            forged_pages[i + 1].kind == FORGED_PAGEFILE) {
            page = &forged_pages[i];
        }
    }
    CHECK(page != NULL);
    CHECK_STATUS(wvmi_read(session, space_of(WVMI_SPACE_PROCESS, page->process), page->va + 0x10,
                           bytes, sizeof bytes, &done),
                 WVMI_ERROR_FAULT);
    CHECK(done == 0xff0);
    CHECK(memcmp(bytes, page->content + 0x10, page->content_length - 0x10) == 0);
}

static void text_is_converted_and_cut(wvmi_session *session)
{
    const struct forged_module *module = &forged_modules[1];
    wvmi_field field;
    uint64_t string, units_at;
    uint16_t units[64];
    char text[64];
    size_t length = 0, count = 0;
    CHECK_OK(wvmi_field_offset(session, "_KLDR_DATA_TABLE_ENTRY", "BaseDllName", &field,
                               sizeof field));
    string = module->entry + field.offset;
    CHECK_OK(wvmi_read_unicode_string(session, kernel_space(), string, WVMI_STRING_UNICODE64, text,
                                      sizeof text, &length));
    CHECK(strcmp(text, module->name) == 0 && length == strlen(text));
    CHECK_STATUS(wvmi_read_unicode_string(session, kernel_space(), string, WVMI_STRING_UNICODE64,
                                          text, 3, &length),
                 WVMI_ERROR_BUFFER_TOO_SMALL);
    CHECK(strlen(text) == 2 && length == strlen(module->name));
    CHECK_OK(wvmi_read_utf16(session, kernel_space(), string, WVMI_STRING_UNICODE64, units,
                             COUNT(units), &count));
    CHECK(count == length && units[0] == (uint16_t)module->name[0]);
    CHECK_STATUS(wvmi_read_utf16(session, kernel_space(), string, WVMI_STRING_UNICODE64, units, 1,
                                 &count),
                 WVMI_ERROR_BUFFER_TOO_SMALL);
    CHECK(count == length);
    CHECK_STATUS(wvmi_read_utf16(session, kernel_space(), string, 42, units, 1, &count),
                 WVMI_ERROR_INVALID_ARGUMENT);
    CHECK_OK(wvmi_read_u64(session, kernel_space(), string + 8, &units_at));
    CHECK_OK(wvmi_read_utf16(session, kernel_space(), units_at, WVMI_STRING_UTF16, units,
                             COUNT(units), &count));
    CHECK(count >= length);
    CHECK_OK(wvmi_read_string(session, kernel_space(), FORGED_KERNEL_BASE, 2, text, sizeof text,
                              &length));
    CHECK(strcmp(text, "MZ") == 0 && length == 2);
    CHECK_STATUS(wvmi_read_string(session, kernel_space(), 0x10, 2, text, sizeof text, &length),
                 WVMI_ERROR_FAULT);
}

static void images_are_not_written(wvmi_session *session)
{
    uint8_t byte = 0xcc;
    size_t done = 7;
    CHECK_STATUS(wvmi_write(session, kernel_space(), FORGED_KERNEL_BASE, &byte, 1, &done),
                 WVMI_ERROR_NOT_SUPPORTED);
    CHECK_STATUS(wvmi_write(session, kernel_space(), FORGED_KERNEL_BASE, NULL, 1, &done),
                 WVMI_ERROR_NULL_ARGUMENT);
    CHECK_OK(wvmi_read_u8(session, kernel_space(), FORGED_KERNEL_BASE, &byte));
    CHECK(byte == 'M');
}

int main(int argc, char **argv)
{
    wvmi_session *session;
    begin(argc, argv);
    session = open_forged();
    bytes_and_numbers(session);
    every_space_reaches_its_memory(session);
    user_space_is_reached_by_both_roots(session);
    a_partial_read_tells_how_far_it_came(session);
    text_is_converted_and_cut(session);
    images_are_not_written(session);
    CHECK_OK(wvmi_session_close(session));
    return 0;
}
