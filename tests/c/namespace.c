/* The object namespace: directories, paths, links, drive letters. */
#include "check.h"

#define VOLUME "\\Device\\HarddiskVolume2"

static const wvmi_process nobody = {0};

static bool is_in_namespace(const struct forged_object *forged)
{
    return forged->path && strcmp(forged->type_name, "File") != 0
           && strcmp(forged->type_name, "Key") != 0;
}

/* Lists a directory and all below; `paths` bounds the depth. */
static size_t count_below(wvmi_session *session, wvmi_object directory, int depth)
{
    wvmi_directory_iter *iter = NULL;
    wvmi_directory_entry entry;
    wvmi_status status;
    size_t count = 0;
    CHECK(depth < 16);
    CHECK_OK(wvmi_directory_iter_new(session, directory, &iter));
    while ((status = wvmi_directory_iter_next(iter, &entry, sizeof entry)) == WVMI_OK) {
        wvmi_object object;
        char name[256];
        object.object = entry.object;
        CHECK(entry.valid == 7 && strlen(entry.name) == entry.name_length);
        CHECK(strcmp(wvmi_object_kind_name(entry.kind), entry.type_name) == 0);
        CHECK(strlen(entry.type_name) == entry.type_name_length);
        CHECK_OK(wvmi_object_name(session, object, name, sizeof name, NULL));
        CHECK(strcmp(name, entry.name) == 0);
        count++;
        if (entry.kind == WVMI_OBJECT_DIRECTORY) {
            count += count_below(session, object, depth + 1);
        }
    }
    CHECK_STATUS(status, WVMI_END);
    CHECK_STATUS(wvmi_directory_iter_next(iter, &entry, sizeof entry), WVMI_END);
    wvmi_directory_iter_free(iter);
    return count;
}

static void directories_list_everything(wvmi_session *session)
{
    size_t placed = 0, count = 0, found = 0;
    wvmi_object root, types;
    wvmi_directory_iter *iter = NULL;
    wvmi_directory_entry many[7];
    wvmi_object_type_iter *type_iter = NULL;
    wvmi_object_type_details type;
    for (size_t i = 0; i < COUNT(forged_objects); i++) {
        placed += is_in_namespace(&forged_objects[i]);
    }
    CHECK_OK(wvmi_object_by_path(session, "\\", &root));
    CHECK(count_below(session, root, 0) + 1 == placed);

    CHECK_OK(wvmi_object_by_path(session, "\\ObjectTypes", &types));
    CHECK_OK(wvmi_directory_iter_new(session, types, &iter));
    while (wvmi_directory_iter_next_many(iter, many, sizeof many[0], COUNT(many), &count)
           == WVMI_OK) {
        CHECK(many[count - 1].kind == WVMI_OBJECT_TYPE);
        found += count;
    }
    wvmi_directory_iter_free(iter);
    wvmi_directory_iter_free(NULL);
    CHECK_OK(wvmi_object_type_iter_new(session, &type_iter));
    while (wvmi_object_type_iter_next(type_iter, &type, sizeof type) == WVMI_OK) {
        found--;
    }
    wvmi_object_type_iter_free(type_iter);
    CHECK(found == 0);
}

static void paths_find_their_objects(wvmi_session *session)
{
    wvmi_object object;
    for (size_t i = 0; i < COUNT(forged_objects); i++) {
        if (is_in_namespace(&forged_objects[i])) {
            CHECK_OK(wvmi_object_by_path(session, forged_objects[i].path, &object));
            CHECK(object.object == forged_objects[i].object);
        }
    }
    CHECK_OK(wvmi_object_by_path(session, "\\device\\NULL", &object));
    CHECK_STATUS(wvmi_object_by_path(session, "\\Device\\Nothing", &object), WVMI_ERROR_NOT_FOUND);
    CHECK_STATUS(wvmi_object_by_path(session, "\\Device\\Null\\x", &object), WVMI_ERROR_NOT_FOUND);
    CHECK_STATUS(wvmi_object_by_path(session, "Device", &object), WVMI_ERROR_INVALID_ARGUMENT);
    CHECK_STATUS(wvmi_object_by_path(session, "\\\xff", &object), WVMI_ERROR_INVALID_ARGUMENT);
    CHECK_STATUS(wvmi_object_by_path(session, NULL, &object), WVMI_ERROR_NULL_ARGUMENT);
    CHECK_STATUS(wvmi_object_by_path(session, "\\", NULL), WVMI_ERROR_NULL_ARGUMENT);
}

static void links_tell_and_are_followed(wvmi_session *session)
{
    wvmi_object link = forged_object_at_path("\\GLOBAL??\\C:");
    wvmi_object computed = forged_object_at_path("\\KernelObjects\\Computed");
    wvmi_object volume = forged_object_at_path(VOLUME);
    wvmi_symbolic_link_details details;
    wvmi_object object = {0};
    char text[64];
    size_t length = 0;
    CHECK_OK(wvmi_symbolic_link_info(session, link, &details, sizeof details));
    CHECK(details.drive_letter == 'C' && details.callback == 0 && details.creation_time != 0);
    CHECK_OK(wvmi_object_text(session, link, WVMI_OBJECT_TEXT_LINK_TARGET, text, sizeof text,
                              &length));
    CHECK(strcmp(text, forged_text(link.object, "link_target")) == 0 && length == strlen(text));
    CHECK_OK(wvmi_symbolic_link_info(session, computed, &details, sizeof details));
    CHECK(details.callback == forged_fact(computed.object, "callback"));
    CHECK(details.drive_letter == 0);
    /* Older Windows computes no targets: there it is a link like others. */
    CHECK_STATUS(wvmi_object_text(session, computed, WVMI_OBJECT_TEXT_LINK_TARGET, text,
                                  sizeof text, NULL),
                 details.callback ? WVMI_ERROR_NOT_FOUND : WVMI_OK);
    if (!details.callback) {
        computed = forged_object_at_path("\\KernelObjects");
    }

    CHECK_OK(wvmi_object_resolve(session, "\\??\\c:\\Windows\\x.exe", nobody, &object, text,
                                 sizeof text, &length));
    CHECK(object.object == volume.object && strcmp(text, "\\Windows\\x.exe") == 0);
    CHECK(length == strlen(text));
    object.object = 0;
    CHECK_STATUS(wvmi_object_resolve(session, "\\??\\C:\\Windows\\x.exe", nobody, &object, text, 4,
                                     &length),
                 WVMI_ERROR_BUFFER_TOO_SMALL);
    CHECK(object.object == 0 && length == 14 && strcmp(text, "\\Wi") == 0);
    CHECK_OK(wvmi_object_resolve(session, "\\DosDevices\\C:", nobody, &object, NULL, 0, NULL));
    CHECK(object.object == volume.object);
    CHECK_OK(wvmi_object_resolve(session, "\\KernelObjects\\Computed", nobody, &object, NULL, 0,
                                 NULL));
    CHECK(object.object == computed.object);
    CHECK_STATUS(wvmi_object_resolve(session, "\\??\\Q:", nobody, &object, NULL, 0, NULL),
                 WVMI_ERROR_NOT_FOUND);
    CHECK_STATUS(wvmi_object_resolve(session, "C:", nobody, &object, NULL, 0, NULL),
                 WVMI_ERROR_INVALID_ARGUMENT);
}

static void drives_belong_to_processes(wvmi_session *session)
{
    wvmi_process explorer = process_of(forged_process_named("explorer.exe"));
    wvmi_process notepad = process_of(forged_process_named("notepad.exe"));
    wvmi_device_map_details map;
    wvmi_object object;
    char rest[64];
    CHECK_OK(wvmi_device_map_info(session, explorer, &map, sizeof map));
    CHECK(map.valid == 7 && map.address == forged_fact(explorer.object, "device_map"));
    CHECK(map.dos_devices == forged_fact(explorer.object, "dos_devices"));
    CHECK(map.global_dos_devices == forged_fact(explorer.object, "global_dos_devices"));
    CHECK(map.drives == forged_fact(explorer.object, "drives"));
    CHECK_STATUS(wvmi_device_map_info(session, notepad, &map, sizeof map), WVMI_ERROR_NOT_FOUND);
    CHECK_STATUS(wvmi_device_map_info(session, notepad, NULL, sizeof map),
                 WVMI_ERROR_NULL_ARGUMENT);
    CHECK_OK(wvmi_object_resolve(session, "\\??\\Z:\\notes.txt", explorer, &object, rest,
                                 sizeof rest, NULL));
    CHECK(object.object == forged_object_at_path(VOLUME).object);
    CHECK(strcmp(rest, "\\Users\\notes.txt") == 0);
    CHECK_STATUS(wvmi_object_resolve(session, "\\??\\Z:\\notes.txt", notepad, &object, rest,
                                     sizeof rest, NULL),
                 WVMI_ERROR_NOT_FOUND);
}

static void mistakes_are_told(wvmi_session *session)
{
    wvmi_object device = forged_object_at_path("\\Device\\Null");
    wvmi_object root = forged_object_at_path("\\");
    wvmi_directory_iter *iter = NULL;
    wvmi_directory_entry entry;
    CHECK_STATUS(wvmi_directory_iter_new(session, device, &iter), WVMI_ERROR_INVALID_ARGUMENT);
    CHECK_STATUS(wvmi_directory_iter_new(session, root, NULL), WVMI_ERROR_NULL_ARGUMENT);
    device.object = 0x10;
    CHECK_STATUS(wvmi_directory_iter_new(session, device, &iter), WVMI_ERROR_FAULT);
    CHECK_OK(wvmi_directory_iter_new(session, root, &iter));
    CHECK_STATUS(wvmi_directory_iter_next(iter, NULL, sizeof entry), WVMI_ERROR_NULL_ARGUMENT);
    CHECK_OK(wvmi_session_close(session));
    CHECK_STATUS(wvmi_directory_iter_next(iter, &entry, sizeof entry), WVMI_ERROR_CLOSED);
    wvmi_directory_iter_free(iter);
}

int main(int argc, char **argv)
{
    wvmi_session *session;
    begin(argc, argv);
    session = open_forged();
    directories_list_everything(session);
    paths_find_their_objects(session);
    links_tell_and_are_followed(session);
    drives_belong_to_processes(session);
    mistakes_are_told(session);
    return 0;
}
