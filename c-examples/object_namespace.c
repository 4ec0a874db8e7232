/* object_namespace: lists a directory of the object namespace and those below it. */
#include "example.h"

#include <inttypes.h>

/* No real tree is deeper; a damaged one may lead back into itself. */
#define DEPTH_MAX 32

/* Where a link points, and what is there. */
static void print_link(wvmi_session *session, wvmi_object link)
{
    char target[1024], rest[1024], path[1024];
    wvmi_process nobody = {0};
    wvmi_object found;

    if (wvmi_object_text(session, link, WVMI_OBJECT_TEXT_LINK_TARGET, target, sizeof target, NULL)
        != WVMI_OK) {
        printf(" -> (computed by a driver)");
        return;
    }
    printf(" -> %s", target);
    if (wvmi_object_resolve(session, target, nobody, &found, rest, sizeof rest, NULL) == WVMI_OK
        && wvmi_object_path(session, found, path, sizeof path, NULL) == WVMI_OK
        && (*rest != '\0' || strcmp(path, target) != 0))
        printf(" = %s%s", path, rest);
}

/* What some types of objects say. */
static void print_details(wvmi_session *session, wvmi_object object, wvmi_object_kind kind)
{
    wvmi_section_details section = {0};
    wvmi_mutant_details mutant = {0};
    wvmi_driver_object_details driver = {0};

    if (kind == WVMI_OBJECT_SYMBOLIC_LINK)
        print_link(session, object);
    else if (kind == WVMI_OBJECT_SECTION
             && wvmi_section_info(session, object, &section, sizeof section) == WVMI_OK)
        printf(" %" PRIu64 " bytes", section.size);
    else if (kind == WVMI_OBJECT_MUTANT
             && wvmi_mutant_info(session, object, &mutant, sizeof mutant) == WVMI_OK)
        printf(mutant.owner_thread ? " owned" : " free");
    else if (kind == WVMI_OBJECT_DRIVER
             && wvmi_driver_object_info(session, object, &driver, sizeof driver) == WVMI_OK)
        printf(" at 0x%" PRIx64, driver.start);
}

static int list(wvmi_session *session, wvmi_object directory, unsigned level, unsigned depth)
{
    wvmi_directory_iter *entries = NULL;
    wvmi_directory_entry entry;
    wvmi_status status = wvmi_directory_iter_new(session, directory, &entries);
    int result = 0;

    if (status != WVMI_OK)
        return fail("cannot list the directory");
    while ((status = wvmi_directory_iter_next(entries, &entry, sizeof entry)) >= 0) {
        wvmi_object object;

        if (status == WVMI_END)
            break;
        if (status == WVMI_GAP) {
            result |= fail("a part of the directory is damaged");
            continue;
        }
        object.object = entry.object;
        printf("%*s%s  [%s]", (int)(2 * level), "", entry.name ? entry.name : "?",
               entry.type_name ? entry.type_name : "?");
        print_details(session, object, entry.kind);
        printf("\n");
        if (entry.kind == WVMI_OBJECT_DIRECTORY && level + 1 < depth)
            result |= list(session, object, level + 1, depth);
    }
    wvmi_directory_iter_free(entries);
    return status < 0 ? fail("the directory ended early") : result;
}

int main(int argc, char **argv)
{
    wvmi_session *session = open_guest(argc, argv, "DUMP DIRECTORY DEPTH [SYMBOLS]", 3);
    wvmi_process nobody = {0};
    wvmi_object directory;
    unsigned long depth;
    int result;

    if (session == NULL)
        return 1;
    depth = strtoul(argv[3], NULL, 10);
    if (depth > DEPTH_MAX)
        depth = DEPTH_MAX;
    if (wvmi_object_resolve(session, argv[2], nobody, &directory, NULL, 0, NULL) == WVMI_OK)
        result = list(session, directory, 0, (unsigned)depth);
    else
        result = fail(argv[2]);
    wvmi_session_close(session);
    return result;
}
