/* Damaged objects: errors or gaps, told once, and the good neighbours. */
#include "damage.h"

static const wvmi_process nobody = {0};

/* First entry of the first chain in use, and the address of the bucket. */
static uint64_t first_entry(struct guest *guest, wvmi_object directory, uint64_t *bucket)
{
    *bucket = field(guest, directory.object, "_OBJECT_DIRECTORY", "HashBuckets");
    while (peek(guest, *bucket) == 0) {
        *bucket += 8;
    }
    return peek(guest, *bucket);
}

static struct found list(wvmi_session *session, wvmi_object directory)
{
    wvmi_directory_iter *iter = NULL;
    wvmi_directory_entry entry;
    struct found found = {0, 0};
    CHECK_OK(wvmi_directory_iter_new(session, directory, &iter));
    COUNT_ALL(wvmi_directory_iter_next(iter, &entry, sizeof entry), &found);
    wvmi_directory_iter_free(iter);
    return found;
}

static void chains_end_and_others_go_on(wvmi_session *source)
{
    wvmi_object types = forged_object_at_path("\\ObjectTypes");
    struct found whole = list(source, types);
    for (int kind = 0; kind < 4; kind++) {
        struct guest guest;
        struct found found;
        uint64_t bucket, entry;
        open_damaged(&guest, source);
        entry = first_entry(&guest, types, &bucket);
        switch (kind) {
        case 0:
            poke(&guest, entry, "_OBJECT_DIRECTORY_ENTRY", "ChainLink", entry);
            break;
        case 1:
            poke(&guest, entry, "_OBJECT_DIRECTORY_ENTRY", "ChainLink", WILD);
            break;
        case 2:
            poke(&guest, entry, "_OBJECT_DIRECTORY_ENTRY", "ChainLink", UNMAPPED);
            break;
        default:
            entry = WILD;
            damage(&guest, bucket, &entry);
        }
        found = list(guest.session, types);
        CHECK(whole.gaps == 0 && found.gaps == 1);
        CHECK(found.good <= whole.good && found.good + 6 >= whole.good);
        CHECK_OK(wvmi_session_close(guest.session));
    }
}

static void wild_objects_have_no_kind_and_may_hide(wvmi_session *source)
{
    wvmi_object devices = forged_object_at_path("\\Device");
    struct guest guest;
    wvmi_directory_iter *iter = NULL;
    wvmi_directory_entry entry;
    wvmi_object object;
    uint64_t bucket, first;
    size_t unknown = 0, found = 0, reached = 0;
    open_damaged(&guest, source);
    first = first_entry(&guest, devices, &bucket);
    poke(&guest, first, "_OBJECT_DIRECTORY_ENTRY", "Object", WILD);
    CHECK_OK(wvmi_directory_iter_new(guest.session, devices, &iter));
    while (wvmi_directory_iter_next(iter, &entry, sizeof entry) == WVMI_OK) {
        unknown += entry.valid == 0 && entry.name == NULL && entry.object == WILD;
        found++;
    }
    wvmi_directory_iter_free(iter);
    CHECK(unknown == 1 && found == list(source, devices).good);
    for (size_t i = 0; i < COUNT(forged_objects); i++) {
        const char *path = forged_objects[i].path;
        if (path && strcmp(forged_objects[i].type_name, "Device") == 0) {
            wvmi_status status = wvmi_object_by_path(guest.session, path, &object);
            CHECK(status == WVMI_OK || status == WVMI_ERROR_FAULT);
            reached += status == WVMI_OK;
        }
    }
    CHECK(reached + 1 == found);
    CHECK_STATUS(wvmi_object_by_path(guest.session, "\\Device\\Nothing", &object),
                 WVMI_ERROR_FAULT);
    CHECK_OK(wvmi_session_close(guest.session));
}

static void directories_may_contain_themselves(wvmi_session *source)
{
    wvmi_object sessions = forged_object_at_path("\\Sessions");
    struct guest guest;
    wvmi_object object = sessions;
    uint64_t bucket, entry;
    open_damaged(&guest, source);
    entry = first_entry(&guest, sessions, &bucket);
    poke(&guest, entry, "_OBJECT_DIRECTORY_ENTRY", "Object", sessions.object);
    for (int depth = 0; depth < 100; depth++) {
        CHECK(list(guest.session, object).gaps == 0);
    }
    CHECK_OK(wvmi_object_by_path(guest.session, "\\Sessions\\Sessions\\Sessions", &object));
    CHECK(object.object == sessions.object);
    CHECK_OK(wvmi_session_close(guest.session));
}

/* Writes ASCII text over the target of a link. */
static void retarget(struct guest *guest, const char *link, const char *target)
{
    wvmi_object object = forged_object_at_path(link);
    uint64_t string = field(guest, object.object, "_OBJECT_SYMBOLIC_LINK", "LinkTarget");
    uint64_t buffer = peek(guest, string + 8);
    uint64_t header = peek(guest, string) & ~UINT64_C(0xffff);
    size_t length = strlen(target);
    header |= 2 * length;
    damage(guest, string, &header);
    for (size_t i = 0; i < length; i += 4) {
        uint16_t units[4] = {0, 0, 0, 0};
        for (size_t j = 0; j < 4 && i + j < length; j++) {
            units[j] = (uint16_t)target[i + j];
        }
        damage(guest, buffer + 2 * i, units);
    }
}

static void links_that_point_at_each_other_end(wvmi_session *source)
{
    static const char *const targets[] = {"\\GLOBAL??\\C:", "\\DosDevices\\C:"};
    for (size_t i = 0; i < COUNT(targets); i++) {
        struct guest guest;
        wvmi_object object = {7};
        char rest[64];
        open_damaged(&guest, source);
        retarget(&guest, "\\GLOBAL??\\C:", targets[i]);
        CHECK_STATUS(wvmi_object_resolve(guest.session, "\\??\\C:\\x", nobody, &object, rest,
                                         sizeof rest, NULL),
                     WVMI_ERROR_CORRUPT);
        CHECK(object.object == 7);
        CHECK_OK(wvmi_object_by_path(guest.session, "\\GLOBAL??\\C:", &object));
        CHECK_OK(wvmi_object_resolve(guest.session, "\\BaseNamedObjects\\Global\\Daily", nobody,
                                     &object, NULL, 0, NULL));
        CHECK_OK(wvmi_session_close(guest.session));
    }
}

static void devices_in_a_circle_are_told_once(wvmi_session *source)
{
    wvmi_object driver = forged_object_at_path("\\Driver\\volmgr");
    uint64_t next[] = {forged_object_at_path("\\Device\\HarddiskVolume2").object, WILD};
    for (size_t i = 0; i < COUNT(next); i++) {
        struct guest guest;
        wvmi_device_iter *iter = NULL;
        wvmi_device_object_details many[8];
        size_t count = 0;
        open_damaged(&guest, source);
        poke(&guest, forged_object_at_path("\\Device\\HarddiskVolume1").object, "_DEVICE_OBJECT",
             "NextDevice", next[i]);
        CHECK_OK(wvmi_device_iter_new(guest.session, driver, &iter));
        if (next[i] == WILD) {
            /* The device itself is only as good as what can be read of it. */
            CHECK_OK(wvmi_device_iter_next(iter, &many[0], sizeof many[0]));
            CHECK_OK(wvmi_device_iter_next(iter, &many[0], sizeof many[0]));
            CHECK_OK(wvmi_device_iter_next(iter, &many[0], sizeof many[0]));
            CHECK(many[0].valid == 0 && many[0].object == WILD);
            CHECK_STATUS(wvmi_device_iter_next(iter, &many[0], sizeof many[0]), WVMI_GAP);
        } else {
            CHECK_STATUS(wvmi_device_iter_next_many(iter, many, sizeof many[0], COUNT(many),
                                                    &count),
                         WVMI_GAP);
            CHECK(count == 2);
        }
        CHECK_STATUS(wvmi_device_iter_next(iter, &many[0], sizeof many[0]), WVMI_END);
        wvmi_device_iter_free(iter);
        CHECK_OK(wvmi_session_close(guest.session));
    }
}

static void bodies_are_told_as_far_as_they_reach(wvmi_session *source)
{
    wvmi_object section = forged_object_at_path("\\BaseNamedObjects\\FontCache");
    wvmi_object key = forged_object_at_path("\\REGISTRY\\MACHINE\\SOFTWARE");
    wvmi_object port = forged_object_at_path("\\RPC Control\\lsasspirpc");
    wvmi_object driver = forged_object_at_path("\\Driver\\volmgr");
    wvmi_object link = forged_object_at_path("\\GLOBAL??\\C:");
    struct guest guest;
    union {
        wvmi_section_details section;
        wvmi_key_details key;
        wvmi_alpc_port_details port;
        wvmi_driver_object_details driver;
    } it;
    char text[64];
    open_damaged(&guest, source);
    poke(&guest, section.object, "_SECTION", "u1.ControlArea", UNMAPPED);
    poke(&guest, key.object, "_CM_KEY_BODY", "KeyControlBlock", UNMAPPED);
    poke(&guest, port.object, "_ALPC_PORT", "CommunicationInfo", WILD);
    poke(&guest, driver.object, "_DRIVER_OBJECT", "DriverExtension", WILD);
    poke(&guest, link.object, "_OBJECT_SYMBOLIC_LINK", "LinkTarget.Buffer", UINT64_MAX - 8);
    CHECK_OK(wvmi_section_info(guest.session, section, &it.section, sizeof it.section));
    CHECK((it.section.valid & WVMI_SECTION_VALID_SIZE) != 0 && it.section.size == 5 * 4096);
    CHECK((it.section.valid & (WVMI_SECTION_VALID_FILE | WVMI_SECTION_VALID_FLAGS)) == 0);
    CHECK_OK(wvmi_key_info(guest.session, key, &it.key, sizeof it.key));
    CHECK(it.key.pid == 4 && it.key.control_block == UNMAPPED);
    CHECK((it.key.valid & (WVMI_KEY_VALID_CELL | WVMI_KEY_VALID_PARENT)) == 0);
    CHECK_STATUS(wvmi_object_path(guest.session, key, text, sizeof text, NULL), WVMI_ERROR_FAULT);
    CHECK_OK(wvmi_alpc_port_info(guest.session, port, &it.port, sizeof it.port));
    CHECK(it.port.valid == WVMI_ALPC_PORT_VALID_OWNER_PROCESS && it.port.client_port == 0);
    CHECK_OK(wvmi_driver_object_info(guest.session, driver, &it.driver, sizeof it.driver));
    CHECK_STATUS(wvmi_object_text(guest.session, driver, WVMI_OBJECT_TEXT_SERVICE_KEY, text,
                                  sizeof text, NULL),
                 WVMI_ERROR_FAULT);
    CHECK_STATUS(wvmi_object_text(guest.session, link, WVMI_OBJECT_TEXT_LINK_TARGET, text,
                                  sizeof text, NULL),
                 WVMI_ERROR_FAULT);
    CHECK_STATUS(wvmi_object_resolve(guest.session, "\\??\\C:", nobody, &section, NULL, 0, NULL),
                 WVMI_ERROR_FAULT);
    CHECK_OK(wvmi_session_close(guest.session));
}

static void damaged_types_are_gaps(wvmi_session *source)
{
    wvmi_object event = forged_object_at_path("\\BaseNamedObjects\\ShellReadyEvent");
    wvmi_object_type_iter *iter = NULL;
    wvmi_object_type_details type;
    wvmi_object_details details;
    wvmi_event_object_details body;
    struct guest guest;
    uint64_t table = 0, wild = WILD;
    struct found found = {0, 0};
    open_damaged(&guest, source);
    CHECK_OK(wvmi_object_info(source, event, &details, sizeof details));
    CHECK_OK(wvmi_symbol_address(source, "nt!ObTypeIndexTable", &table));
    damage(&guest, table + 8 * details.type_index, &wild);
    CHECK_OK(wvmi_object_type_iter_new(guest.session, &iter));
    COUNT_ALL(wvmi_object_type_iter_next(iter, &type, sizeof type), &found);
    CHECK(found.gaps == 1 && found.good > 30);
    wvmi_object_type_iter_free(iter);
    CHECK_STATUS(wvmi_event_object_info(guest.session, event, &body, sizeof body),
                 WVMI_ERROR_FAULT);
    CHECK_OK(wvmi_session_close(guest.session));
}

int main(int argc, char **argv)
{
    wvmi_session *source;
    begin(argc, argv);
    source = open_forged();
    chains_end_and_others_go_on(source);
    wild_objects_have_no_kind_and_may_hide(source);
    directories_may_contain_themselves(source);
    links_that_point_at_each_other_end(source);
    devices_in_a_circle_are_told_once(source);
    bodies_are_told_as_far_as_they_reach(source);
    damaged_types_are_gaps(source);
    CHECK_OK(wvmi_session_close(source));
    return 0;
}
