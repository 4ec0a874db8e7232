/* dll_list: lists the modules of a process, also those the loader does not. */
#include "example.h"

#include <inttypes.h>

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static void print_module(const wvmi_user_module_details *module)
{
    const char *path = module->path != NULL ? module->path : "?";

    printf("0x%012" PRIx64 "  %9" PRIu64 "  %s  %s%s\n", module->base, module->size,
           module->wow64 ? "32" : "64", path, module->lists == 0 ? "  (on no list)" : "");
}

static int list_modules(wvmi_session *session, wvmi_process process)
{
    wvmi_user_module_iter *modules = NULL;
    wvmi_user_module_details details[64];
    wvmi_status status = wvmi_user_module_iter_new(session, process, &modules);
    size_t count = 0, i;
    int partial = 0;

    if (status != WVMI_OK)
        return fail("cannot list modules");
    printf("%-14s  %9s      PATH\n", "BASE", "SIZE");
    do {
        status = wvmi_user_module_iter_next_many(modules, details, sizeof details[0],
                                                 COUNT(details), &count);
        if (status == WVMI_GAP)
            partial = fail("a part of the lists is not in the image");
        for (i = 0; i < count; i++)
            print_module(&details[i]);
    } while (status == WVMI_OK || status == WVMI_GAP);
    wvmi_user_module_iter_free(modules);
    return status < 0 ? fail("the lists ended early") : partial;
}

int main(int argc, char **argv)
{
    wvmi_session *session = open_guest(argc, argv, "DUMP PROCESS [SYMBOLS]", 2);
    wvmi_process process;
    int result;

    if (session == NULL)
        return 1;
    if (find_process(session, argv[2], &process) == WVMI_OK)
        result = list_modules(session, process);
    else
        result = fail(argv[2]);
    wvmi_session_close(session);
    return result;
}
