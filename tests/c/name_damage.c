/* Damaged names of objects: told once, and what is no text is kept as it is. */
#include "damage.h"

/* Address of what an object's header says about its name. */
static uint64_t name_info(struct guest *guest, wvmi_object object)
{
    wvmi_object_details details;
    uint64_t table = 0;
    uint8_t distance = 0;
    CHECK_OK(wvmi_object_info(guest->source, object, &details, sizeof details));
    CHECK_OK(wvmi_symbol_address(guest->source, "nt!ObpInfoMaskToOffset", &table));
    CHECK_OK(wvmi_read(guest->source, kernel_space(), table + (details.info_mask & 3), &distance,
                       1, NULL));
    return details.header - distance;
}

static uint64_t name_buffer(struct guest *guest, wvmi_object object)
{
    uint64_t info = name_info(guest, object);
    return peek(guest, field(guest, info, "_OBJECT_HEADER_NAME_INFO", "Name") + 8);
}

static wvmi_status path_of(wvmi_session *session, wvmi_object object, char *path, size_t size)
{
    return wvmi_object_text(session, object, WVMI_OBJECT_TEXT_PATH, path, size, NULL);
}

/* A directory whose own directory lies below it, or is itself, or is none. */
static void directories_in_a_circle_have_no_path(wvmi_session *source)
{
    wvmi_object sessions = forged_object_at_path("\\Sessions");
    wvmi_object deep = forged_object_at_path("\\Sessions\\1\\BaseNamedObjects");
    wvmi_object null = forged_object_at_path("\\Device\\Null");
    const uint64_t above[] = {deep.object, sessions.object, WILD, UNMAPPED};
    for (size_t i = 0; i < COUNT(above); i++) {
        wvmi_status want = i < 2 ? WVMI_ERROR_CORRUPT : WVMI_ERROR_FAULT;
        struct guest guest;
        char text[256];
        open_damaged(&guest, source);
        poke(&guest, name_info(&guest, sessions), "_OBJECT_HEADER_NAME_INFO", "Directory",
             above[i]);
        CHECK_STATUS(path_of(guest.session, sessions, text, sizeof text), want);
        CHECK_STATUS(path_of(guest.session, deep, text, sizeof text), want);
        CHECK_OK(wvmi_object_text(guest.session, sessions, WVMI_OBJECT_TEXT_NAME, text,
                                  sizeof text, NULL));
        CHECK(strcmp(text, "Sessions") == 0);
        CHECK_OK(path_of(guest.session, null, text, sizeof text));
        CHECK(strcmp(text, "\\Device\\Null") == 0);
        CHECK_OK(wvmi_session_close(guest.session));
    }
}

/* A name that claims to be longer than any, or than its memory. */
static void long_names_are_bounded(wvmi_session *source)
{
    wvmi_object null = forged_object_at_path("\\Device\\Null");
    struct guest guest;
    uint64_t string, header, last = 0;
    char text[256];
    size_t needed = 0;
    wvmi_status status;
    open_damaged(&guest, source);
    string = field(&guest, name_info(&guest, null), "_OBJECT_HEADER_NAME_INFO", "Name");
    header = peek(&guest, string) | 0xffff;
    damage(&guest, string, &header);
    status = wvmi_object_text(guest.session, null, WVMI_OBJECT_TEXT_NAME, text, sizeof text,
                              &needed);
    CHECK(status == WVMI_ERROR_FAULT || status == WVMI_ERROR_CORRUPT ||
          (status == WVMI_ERROR_BUFFER_TOO_SMALL && needed <= WVMI_STRING_MAX));
    last = UNMAPPED;
    damage(&guest, string + 8, &last);
    CHECK_STATUS(wvmi_object_text(guest.session, null, WVMI_OBJECT_TEXT_NAME, text, sizeof text,
                                  &needed),
                 WVMI_ERROR_FAULT);
    CHECK_OK(wvmi_session_close(guest.session));
}

/* An unpaired surrogate and an embedded NUL: UTF-8 loses them, UTF-16 does not. */
static void names_that_are_no_text_keep_their_units(wvmi_session *source)
{
    static const uint16_t strange[] = {'A', 0xd800, 0, 'B'};
    wvmi_object device = forged_object_at_path("\\Device\\Null");
    wvmi_object devices = forged_object_at_path("\\Device");
    struct guest guest;
    uint16_t units[64];
    char text[64];
    size_t length = 0, count = 0, seen = 0;
    wvmi_directory_iter *iter = NULL;
    wvmi_directory_entry entry;
    open_damaged(&guest, source);
    damage(&guest, name_buffer(&guest, device), strange);
    CHECK_OK(wvmi_object_text(guest.session, device, WVMI_OBJECT_TEXT_NAME, text, sizeof text,
                              &length));
    CHECK(length == 6 && memcmp(text, "A\xef\xbf\xbd\0B", 7) == 0);
    CHECK_OK(wvmi_object_text_utf16(guest.session, device, WVMI_OBJECT_TEXT_NAME, units,
                                    COUNT(units), &count));
    CHECK(count == COUNT(strange) && memcmp(units, strange, sizeof strange) == 0);
    CHECK_OK(wvmi_object_text_utf16(guest.session, device, WVMI_OBJECT_TEXT_PATH, units,
                                    COUNT(units), &count));
    CHECK(count == 8 + COUNT(strange) && units[0] == '\\');
    CHECK(memcmp(units + 8, strange, sizeof strange) == 0);
    CHECK_STATUS(wvmi_object_text_utf16(guest.session, device, WVMI_OBJECT_TEXT_PATH, units, 9,
                                        &count),
                 WVMI_ERROR_BUFFER_TOO_SMALL);
    CHECK(count == 8 + COUNT(strange) && units[8] == 'A');
    CHECK_OK(wvmi_directory_iter_new(guest.session, devices, &iter));
    while (wvmi_directory_iter_next(iter, &entry, sizeof entry) == WVMI_OK) {
        if (entry.object == device.object) {
            CHECK(strcmp(entry.name, "A\xef\xbf\xbd\xef\xbf\xbd" "B") == 0);
            CHECK(entry.name_length == strlen(entry.name));
            seen++;
        }
    }
    CHECK(seen == 1);
    wvmi_directory_iter_free(iter);
    CHECK_OK(wvmi_session_close(guest.session));
}

int main(int argc, char **argv)
{
    wvmi_session *source;
    begin(argc, argv);
    source = open_forged();
    directories_in_a_circle_have_no_path(source);
    long_names_are_bounded(source);
    names_that_are_no_text_keep_their_units(source);
    CHECK_OK(wvmi_session_close(source));
    return 0;
}
