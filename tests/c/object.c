/* Handles, objects and files. */
#include "check.h"

static const struct forged_object *forged_object_at(uint64_t address)
{
    for (size_t i = 0; i < COUNT(forged_objects); i++) {
        if (forged_objects[i].object == address) {
            return &forged_objects[i];
        }
    }
    return NULL;
}

static const struct forged_object *forged_object_of_type(const char *type_name)
{
    for (size_t i = 0; i < COUNT(forged_objects); i++) {
        if (strcmp(forged_objects[i].type_name, type_name) == 0) {
            return &forged_objects[i];
        }
    }
    CHECK(!"the forge made no object of the type");
    return NULL;
}

static wvmi_object object_of(const struct forged_object *forged)
{
    wvmi_object object;
    object.object = forged->object;
    return object;
}

static void each_handle_is_looked_up(wvmi_session *session)
{
    wvmi_thread nobody;
    nobody.object = 0;
    for (size_t i = 0; i < COUNT(forged_handles); i++) {
        const struct forged_handle *forged = &forged_handles[i];
        wvmi_handle_details details;
        wvmi_process process;
        wvmi_object object;
        CHECK_OK(wvmi_process_by_id(session, forged->pid, &process));
        CHECK_OK(wvmi_handle_info(session, process, forged->handle, &details, sizeof details));
        CHECK(details.handle == forged->handle && details.object == forged->object);
        CHECK(details.granted_access == forged->access);
        CHECK(details.attributes == forged->attributes);
        CHECK_OK(wvmi_handle_object(session, process, forged->handle, nobody, &object));
        CHECK(object.object == forged->object);
    }
}

static void pseudo_handles_and_missing_ones(wvmi_session *session)
{
    wvmi_process process = process_of(forged_process_named("notepad.exe"));
    wvmi_handle_details details;
    wvmi_object object;
    wvmi_thread thread;
    thread.object = 0;
    CHECK_OK(wvmi_handle_object(session, process, UINT64_MAX, thread, &object));
    CHECK(object.object == process.object);
    CHECK_STATUS(wvmi_handle_object(session, process, UINT64_MAX - 1, thread, &object),
                 WVMI_ERROR_INVALID_ARGUMENT);
    thread.object = forged_threads[0].object;
    CHECK_OK(wvmi_handle_object(session, process, UINT64_MAX - 1, thread, &object));
    CHECK(object.object == thread.object);
    CHECK_STATUS(wvmi_handle_info(session, process, 0x7ffffffc, &details, sizeof details),
                 WVMI_ERROR_NOT_FOUND);
    CHECK_STATUS(wvmi_handle_object(session, process, 0x7ffffffc, thread, &object),
                 WVMI_ERROR_NOT_FOUND);
    CHECK_STATUS(wvmi_handle_object(session, process, 4, thread, NULL), WVMI_ERROR_NULL_ARGUMENT);
    CHECK_STATUS(wvmi_handle_info(session, process, 4, NULL, 8), WVMI_ERROR_NULL_ARGUMENT);
}

static void each_process_yields_its_handles(wvmi_session *session)
{
    for (size_t i = 0; i < COUNT(forged_processes); i++) {
        const struct forged_process *forged = &forged_processes[i];
        wvmi_handle_table_details table;
        wvmi_handle_iter *iter = NULL;
        wvmi_handle_details many[64];
        size_t count = 0, total = 0;
        wvmi_status status;
        if (forged->handle_table == 0) {
            CHECK_STATUS(wvmi_handle_iter_new(session, process_of(forged), &iter),
                         WVMI_ERROR_NOT_FOUND);
            CHECK_STATUS(wvmi_handle_table_info(session, process_of(forged), &table, sizeof table),
                         WVMI_ERROR_NOT_FOUND);
            continue;
        }
        CHECK_OK(wvmi_handle_table_info(session, process_of(forged), &table, sizeof table));
        CHECK(table.address == forged->handle_table && table.next_handle_needing_pool > 0);
        CHECK_OK(wvmi_handle_iter_new(session, process_of(forged), &iter));
        while ((status = wvmi_handle_iter_next_many(iter, many, sizeof many[0], COUNT(many),
                                                    &count)) == WVMI_OK) {
            for (size_t j = 0; j < count; j++) {
                const struct forged_object *object = forged_object_at(many[j].object);
                CHECK((many[j].valid & WVMI_HANDLE_VALID_TYPE_NAME) != 0);
                CHECK(object == NULL || strcmp(many[j].type_name, object->type_name) == 0);
                CHECK(many[j].type_name_length == strlen(many[j].type_name));
                CHECK(strcmp(wvmi_object_kind_name(many[j].kind), many[j].type_name) == 0);
            }
            total += count;
        }
        CHECK_STATUS(status, WVMI_END);
        CHECK(total == forged->handles);
        wvmi_handle_iter_free(iter);
    }
    wvmi_handle_iter_free(NULL);
}

static void handles_come_one_by_one(wvmi_session *session)
{
    wvmi_handle_iter *iter = NULL;
    wvmi_handle_details details;
    wvmi_process process = process_of(forged_process_named("notepad.exe"));
    uint64_t last = 0;
    wvmi_status status;
    CHECK_OK(wvmi_handle_iter_new(session, process, &iter));
    while ((status = wvmi_handle_iter_next(iter, &details, sizeof details)) == WVMI_OK) {
        CHECK(details.handle > last);
        last = details.handle;
    }
    CHECK_STATUS(status, WVMI_END);
    CHECK(last != 0);
    CHECK_STATUS(wvmi_handle_iter_next(iter, NULL, sizeof details), WVMI_ERROR_NULL_ARGUMENT);
    wvmi_handle_iter_free(iter);
}

static void objects_have_types_names_and_paths(wvmi_session *session)
{
    for (size_t i = 0; i < COUNT(forged_objects); i++) {
        const struct forged_object *forged = &forged_objects[i];
        wvmi_object object = object_of(forged);
        wvmi_object_details details;
        static char text[WVMI_STRING_MAX + 1];
        size_t length = 0;
        wvmi_status status;
        CHECK_OK(wvmi_object_info(session, object, &details, sizeof details));
        CHECK(details.object == forged->object && details.header < details.object);
        CHECK(strcmp(wvmi_object_kind_name(details.kind), forged->type_name) == 0);
        CHECK_OK(wvmi_object_type_name(session, object, text, sizeof text, &length));
        CHECK(strcmp(text, forged->type_name) == 0 && length == strlen(text));
        status = wvmi_object_name(session, object, text, sizeof text, &length);
        CHECK(forged->name ? status == WVMI_OK && strcmp(text, forged->name) == 0
                           : status == WVMI_ERROR_NOT_FOUND);
        status = wvmi_object_path(session, object, text, sizeof text, &length);
        CHECK(forged->path ? status == WVMI_OK && strcmp(text, forged->path) == 0
                           : status == WVMI_ERROR_NOT_FOUND);
    }
    CHECK(strcmp(wvmi_object_kind_name(WVMI_OBJECT_FILE), "File") == 0);
    CHECK(strcmp(wvmi_object_kind_name(12345), "unknown") == 0);
}

static void objects_are_cast(wvmi_session *session)
{
    wvmi_object event = object_of(forged_object_of_type("Event"));
    wvmi_object file_object = object_of(forged_object_of_type("File"));
    wvmi_object object;
    wvmi_process process;
    wvmi_thread thread;
    wvmi_file file;
    object.object = forged_processes[0].object;
    CHECK_OK(wvmi_object_as_process(session, object, &process));
    CHECK(process.object == object.object);
    CHECK_STATUS(wvmi_object_as_process(session, event, &process), WVMI_ERROR_INVALID_ARGUMENT);
    object.object = forged_threads[COUNT(forged_threads) - 1].object;
    CHECK_OK(wvmi_object_as_thread(session, object, &thread));
    CHECK(thread.object == object.object);
    CHECK_STATUS(wvmi_object_as_thread(session, event, &thread), WVMI_ERROR_INVALID_ARGUMENT);
    CHECK_OK(wvmi_object_as_file(session, file_object, &file));
    CHECK(file.object == file_object.object);
    CHECK_STATUS(wvmi_object_as_file(session, event, &file), WVMI_ERROR_INVALID_ARGUMENT);
    CHECK_STATUS(wvmi_object_as_file(session, event, NULL), WVMI_ERROR_NULL_ARGUMENT);
}

static void files_have_paths(wvmi_session *session)
{
    const struct forged_object *forged = forged_object_of_type("File");
    wvmi_file_details details;
    wvmi_file file;
    char text[512];
    file.object = forged->object;
    CHECK_OK(wvmi_file_info(session, file, &details, sizeof details));
    CHECK(details.object == forged->object && details.device != 0);
    CHECK_OK(wvmi_file_path(session, file, text, sizeof text, NULL));
    CHECK(strcmp(text, forged->path) == 0);
    CHECK_OK(wvmi_file_name(session, file, text, sizeof text, NULL));
    CHECK(strstr(forged->path, text) != NULL);
    file.object = 0x10;
    CHECK_STATUS(wvmi_file_info(session, file, &details, sizeof details), WVMI_ERROR_FAULT);
    CHECK_STATUS(wvmi_file_path(session, file, text, sizeof text, NULL), WVMI_ERROR_FAULT);
}

int main(int argc, char **argv)
{
    wvmi_session *session;
    begin(argc, argv);
    session = open_forged();
    each_handle_is_looked_up(session);
    pseudo_handles_and_missing_ones(session);
    each_process_yields_its_handles(session);
    handles_come_one_by_one(session);
    objects_have_types_names_and_paths(session);
    objects_are_cast(session);
    files_have_paths(session);
    CHECK_OK(wvmi_session_close(session));
    return 0;
}
