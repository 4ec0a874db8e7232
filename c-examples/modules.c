/* modules: lists the modules of the kernel in load order. */
#include "example.h"

#include <inttypes.h>

#define BATCH 32

static int list_modules(wvmi_session *session)
{
    wvmi_module_iter *modules = NULL;
    wvmi_module_details details[BATCH];
    wvmi_status status = wvmi_module_iter_new(session, &modules);
    size_t count = 0, i;
    int partial = 0;

    if (status != WVMI_OK)
        return fail("cannot list modules");
    printf("%-18s  %10s  PATH\n", "BASE", "SIZE");
    do {
        status = wvmi_module_iter_next_many(modules, details, sizeof details[0], BATCH, &count);
        for (i = 0; i < count; i++)
            printf("0x%016" PRIx64 "  %10" PRIu32 "  %.*s\n", details[i].base, details[i].size,
                   (int)details[i].path_length, details[i].path ? details[i].path : "");
        if (status == WVMI_GAP)
            partial = fail("the list is damaged");
    } while (status == WVMI_OK || status == WVMI_GAP);
    wvmi_module_iter_free(modules);
    return status == WVMI_END ? partial : fail("the list ended early");
}

int main(int argc, char **argv)
{
    wvmi_session *session = open_guest(argc, argv, "DUMP [SYMBOLS]", 1);
    int result;

    if (session == NULL)
        return 1;
    result = list_modules(session);
    wvmi_session_close(session);
    return result;
}
