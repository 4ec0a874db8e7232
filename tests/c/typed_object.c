/* What objects of each type say. */
#include "check.h"

#define NAMED "\\BaseNamedObjects\\"
#define SESSION "\\Sessions\\1\\BaseNamedObjects\\"
#define VOLUME "\\Device\\HarddiskVolume2"

/* A field of `details` is what the forge placed. */
#define CHECK_FACT(details, field)                                                                 \
    CHECK((uint64_t)(details).field == forged_fact((details).object, #field))

static void events_and_timers(wvmi_session *session)
{
    static const char *const events[] = {NAMED "ShellReadyEvent",
                                         "\\KernelObjects\\LowMemoryCondition"};
    wvmi_timer_details timer;
    for (size_t i = 0; i < COUNT(events); i++) {
        wvmi_object object = forged_object_at_path(events[i]);
        wvmi_event_object_details event;
        CHECK_OK(wvmi_event_object_info(session, object, &event, sizeof event));
        CHECK(event.object == object.object && event.valid == 3);
        CHECK_FACT(event, reset_mode);
        CHECK_FACT(event, signalled);
    }
    CHECK_OK(wvmi_timer_info(session, forged_object_at_path(NAMED "Daily"), &timer, sizeof timer));
    CHECK(timer.reset_mode == WVMI_RESET_AUTO && timer.valid == 0x1f);
    CHECK_FACT(timer, reset_mode);
    CHECK_FACT(timer, due_time);
    CHECK_FACT(timer, period);
    CHECK_FACT(timer, signalled);
    CHECK_FACT(timer, running);
}

static void mutexes_and_semaphores(wvmi_session *session)
{
    wvmi_object object = forged_object_at_path(SESSION "SingleInstance");
    wvmi_mutant_details mutant;
    wvmi_semaphore_details semaphore;
    wvmi_thread owner;
    uint32_t tid = 0;
    CHECK_OK(wvmi_mutant_info(session, object, &mutant, sizeof mutant));
    CHECK((uint32_t)mutant.count == forged_fact(object.object, "count") && mutant.count == -1);
    CHECK_FACT(mutant, owner_thread);
    CHECK_FACT(mutant, abandoned);
    owner.object = mutant.owner_thread;
    CHECK_OK(wvmi_thread_id(session, owner, &tid));
    object = forged_object_at_path(SESSION "Throttle");
    CHECK_OK(wvmi_semaphore_info(session, object, &semaphore, sizeof semaphore));
    CHECK_FACT(semaphore, count);
    CHECK_FACT(semaphore, limit);
}

static void sections_and_files(wvmi_session *session)
{
    static const char *const sections[] = {NAMED "SharedTable", NAMED "FontCache"};
    static const char *const files[] = {VOLUME "\\Windows\\Fonts\\arial.ttf",
                                        VOLUME "\\Users\\user\\notes.txt"};
    wvmi_section_details section;
    char path[256];
    for (size_t i = 0; i < COUNT(sections); i++) {
        wvmi_object object = forged_object_at_path(sections[i]);
        CHECK_OK(wvmi_section_info(session, object, &section, sizeof section));
        CHECK(section.valid == 0xff && section.mapped_views == 0);
        CHECK_FACT(section, start);
        CHECK_FACT(section, end);
        CHECK_FACT(section, size);
        CHECK_FACT(section, control_area);
        CHECK_FACT(section, segment);
        CHECK_FACT(section, file);
        CHECK_FACT(section, flags);
    }
    wvmi_file mapped;
    mapped.object = section.file;
    CHECK_OK(wvmi_file_path(session, mapped, path, sizeof path, NULL));
    CHECK(strcmp(path, files[0]) == 0);
    for (size_t i = 0; i < COUNT(files); i++) {
        wvmi_file_details details;
        wvmi_file file;
        CHECK_OK(wvmi_object_as_file(session, forged_object_at_path(files[i]), &file));
        CHECK_OK(wvmi_file_info(session, file, &details, sizeof details));
        CHECK_FACT(details, data_section);
        CHECK_FACT(details, data_section_size);
        CHECK_FACT(details, image_section);
        CHECK_FACT(details, image_section_size);
        CHECK((details.access & WVMI_FILE_ACCESS_READ) != 0 && details.flags != 0);
        CHECK(((details.valid & WVMI_FILE_VALID_IMAGE_SECTION_SIZE) != 0)
              == (details.image_section != 0));
    }
}

static void keys_and_tokens(wvmi_session *session)
{
    static const char software[] = "\\REGISTRY\\MACHINE\\SOFTWARE";
    wvmi_object object = forged_object_at_path(software);
    wvmi_key_details key;
    wvmi_token token;
    wvmi_token_details details;
    char path[64];
    size_t count = 0;
    CHECK_OK(wvmi_key_info(session, object, &key, sizeof key));
    CHECK(key.valid == 0x1f);
    CHECK_FACT(key, control_block);
    CHECK_FACT(key, parent);
    CHECK_FACT(key, cell);
    CHECK_FACT(key, pid);
    CHECK_OK(wvmi_object_text(session, object, WVMI_OBJECT_TEXT_PATH, path, sizeof path, NULL));
    CHECK(strcmp(path, software) == 0);
    CHECK_STATUS(wvmi_object_as_token(session, object, &token), WVMI_ERROR_INVALID_ARGUMENT);
    for (size_t i = 0; i < COUNT(forged_objects); i++) {
        if (strcmp(forged_objects[i].type_name, "Token") == 0) {
            object.object = forged_objects[i].object;
            CHECK_OK(wvmi_object_as_token(session, object, &token));
            CHECK(token.object == object.object);
            CHECK_OK(wvmi_token_info(session, token, &details, sizeof details));
            count++;
        }
    }
    CHECK(count > 0);
}

static void ports_lead_to_each_other(wvmi_session *session)
{
    wvmi_object object = forged_object_at_path("\\RPC Control\\lsasspirpc");
    wvmi_alpc_port_details port;
    CHECK_OK(wvmi_alpc_port_info(session, object, &port, sizeof port));
    CHECK(port.valid == 0xf && port.connection_port == object.object);
    CHECK_FACT(port, owner_process);
    CHECK_FACT(port, server_port);
    CHECK_FACT(port, client_port);
    object.object = port.client_port;
    CHECK_OK(wvmi_alpc_port_info(session, object, &port, sizeof port));
    CHECK_FACT(port, owner_process);
    CHECK_FACT(port, connection_port);
}

static void drivers_have_devices(wvmi_session *session)
{
    wvmi_object object = forged_object_at_path("\\Driver\\volmgr");
    wvmi_object volume = forged_object_at_path(VOLUME);
    wvmi_driver_object_details driver;
    wvmi_device_object_details device, many[8];
    wvmi_device_iter *iter = NULL;
    char text[128];
    size_t count = 0;
    CHECK_OK(wvmi_driver_object_info(session, object, &driver, sizeof driver));
    CHECK(driver.valid == 0xff);
    CHECK_FACT(driver, start);
    CHECK_FACT(driver, size);
    CHECK_FACT(driver, module_entry);
    CHECK_FACT(driver, flags);
    CHECK_FACT(driver, init);
    CHECK_FACT(driver, start_io);
    CHECK_FACT(driver, unload);
    CHECK(driver.major_functions[0] == forged_fact(object.object, "major_function_0"));
    CHECK_OK(wvmi_object_text(session, object, WVMI_OBJECT_TEXT_SERVICE_KEY, text, sizeof text,
                              NULL));
    CHECK(strcmp(text, forged_text(object.object, "service_key")) == 0);
    CHECK_OK(wvmi_object_text(session, object, WVMI_OBJECT_TEXT_DRIVER_NAME, text, sizeof text,
                              NULL));
    CHECK(strcmp(text, forged_text(object.object, "driver_name")) == 0);

    CHECK_OK(wvmi_device_iter_new(session, object, &iter));
    CHECK_OK(wvmi_device_iter_next_many(iter, many, sizeof many[0], COUNT(many), &count));
    CHECK(count == 2 && many[0].object == volume.object);
    CHECK_STATUS(wvmi_device_iter_next(iter, &device, sizeof device), WVMI_END);
    wvmi_device_iter_free(iter);
    wvmi_device_iter_free(NULL);
    CHECK_FACT(many[0], upper_device);
    CHECK_FACT(many[0], lower_device);
    CHECK_FACT(many[0], driver);
    CHECK_FACT(many[0], device_type);
    object.object = many[0].upper_device;
    CHECK_OK(wvmi_device_object_info(session, object, &device, sizeof device));
    CHECK(device.valid == 0x7f && device.lower_device == volume.object);
    CHECK_STATUS(wvmi_device_iter_new(session, volume, &iter), WVMI_ERROR_INVALID_ARGUMENT);
}

static void types_count_their_objects(wvmi_session *session)
{
    wvmi_object_type_iter *iter = NULL;
    wvmi_object_type_details type, again, many[16];
    wvmi_status status;
    size_t types = 0, found = 0, count = 0;
    CHECK_OK(wvmi_object_type_iter_new(session, &iter));
    while ((status = wvmi_object_type_iter_next(iter, &type, sizeof type)) == WVMI_OK) {
        size_t placed = 0;
        wvmi_object object;
        object.object = type.object;
        for (size_t i = 0; i < COUNT(forged_objects); i++) {
            placed += strcmp(forged_objects[i].type_name, type.name) == 0;
        }
        CHECK(type.valid == 0x3f && placed <= type.objects && type.objects <= type.peak_objects);
        CHECK(strcmp(wvmi_object_kind_name(type.kind), type.name) == 0);
        CHECK_OK(wvmi_object_type_info(session, object, &again, sizeof again));
        CHECK(memcmp(&again, &type, sizeof type) == 0);
        types++;
    }
    CHECK_STATUS(status, WVMI_END);
    wvmi_object_type_iter_free(iter);
    CHECK_OK(wvmi_object_type_iter_new(session, &iter));
    while (wvmi_object_type_iter_next_many(iter, many, sizeof many[0], COUNT(many), &count)
           == WVMI_OK) {
        found += count;
    }
    CHECK(found == types && types > 30);
    wvmi_object_type_iter_free(iter);
    wvmi_object_type_iter_free(NULL);
}

static void desktops_and_stations_have_names(wvmi_session *session)
{
    size_t found = 0;
    for (size_t i = 0; i < COUNT(forged_objects); i++) {
        const struct forged_object *forged = &forged_objects[i];
        wvmi_object object;
        uint16_t units[16];
        char name[64];
        size_t length = 0, count = 0;
        object.object = forged->object;
        if (strcmp(forged->type_name, "Desktop") != 0
            && strcmp(forged->type_name, "WindowStation") != 0)
            continue;
        CHECK_OK(wvmi_object_text(session, object, WVMI_OBJECT_TEXT_NAME, name, sizeof name,
                                  &length));
        CHECK(strcmp(name, forged->name) == 0 && length == strlen(name));
        CHECK_OK(wvmi_object_text_utf16(session, object, WVMI_OBJECT_TEXT_NAME, units,
                                        COUNT(units), &count));
        CHECK(count == length && units[0] == (uint16_t)name[0]);
        CHECK_STATUS(wvmi_object_text_utf16(session, object, WVMI_OBJECT_TEXT_NAME, NULL, 0,
                                            &count),
                     WVMI_ERROR_BUFFER_TOO_SMALL);
        CHECK(count == length);
        found++;
    }
    CHECK(found >= 2);
}

static void other_types_are_refused(wvmi_session *session)
{
    wvmi_object link = forged_object_at_path("\\GLOBAL??\\C:");
    wvmi_object volume = forged_object_at_path(VOLUME);
    wvmi_object nowhere = {0x10};
    union {
        wvmi_section_details section;
        wvmi_key_details key;
        wvmi_event_object_details event;
        wvmi_mutant_details mutant;
        wvmi_semaphore_details semaphore;
        wvmi_timer_details timer;
        wvmi_alpc_port_details port;
        wvmi_driver_object_details driver;
        wvmi_device_object_details device;
        wvmi_object_type_details type;
        wvmi_symbolic_link_details link;
    } it;
    char text[64];
#define REFUSED(function, member)                                                                  \
    CHECK_STATUS(function(session, link, &it.member, sizeof it.member),                           \
                 WVMI_ERROR_INVALID_ARGUMENT);                                                     \
    CHECK_STATUS(function(session, nowhere, &it.member, sizeof it.member), WVMI_ERROR_FAULT);      \
    CHECK_STATUS(function(session, link, NULL, sizeof it.member), WVMI_ERROR_NULL_ARGUMENT)
    REFUSED(wvmi_section_info, section);
    REFUSED(wvmi_key_info, key);
    REFUSED(wvmi_event_object_info, event);
    REFUSED(wvmi_mutant_info, mutant);
    REFUSED(wvmi_semaphore_info, semaphore);
    REFUSED(wvmi_timer_info, timer);
    REFUSED(wvmi_alpc_port_info, port);
    REFUSED(wvmi_driver_object_info, driver);
    REFUSED(wvmi_device_object_info, device);
    REFUSED(wvmi_object_type_info, type);
    CHECK_STATUS(wvmi_symbolic_link_info(session, volume, &it.link, sizeof it.link),
                 WVMI_ERROR_INVALID_ARGUMENT);
    CHECK_STATUS(wvmi_object_text(session, volume, WVMI_OBJECT_TEXT_LINK_TARGET, text, sizeof text,
                                  NULL),
                 WVMI_ERROR_INVALID_ARGUMENT);
    CHECK_STATUS(wvmi_object_text(session, volume, 99, text, sizeof text, NULL),
                 WVMI_ERROR_INVALID_ARGUMENT);
}

int main(int argc, char **argv)
{
    wvmi_session *session;
    begin(argc, argv);
    session = open_forged();
    events_and_timers(session);
    mutexes_and_semaphores(session);
    sections_and_files(session);
    keys_and_tokens(session);
    ports_lead_to_each_other(session);
    drivers_have_devices(session);
    types_count_their_objects(session);
    desktops_and_stations_have_names(session);
    other_types_are_refused(session);
    CHECK_OK(wvmi_session_close(session));
    return 0;
}
