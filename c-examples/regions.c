/* regions: lists the memory regions of a process with the files they map. */
#include "example.h"

#include <inttypes.h>

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

/* The kind's name; a newer library may know more kinds. */
static const char *kind_name(wvmi_region_kind kind)
{
    static const char *const names[] = {"?",        "private", "image", "file",  "pagefile",
                                        "physical", "awe",     "large", "rotate"};

    return kind < COUNT(names) ? names[kind] : "?";
}

/* The rights in the low three bits; `c` is copy on write. */
static const char *rights(uint32_t protection)
{
    static const char *const names[] = {"---", "r--", "--x", "r-x", "rw-", "rc-", "rwx", "rcx"};

    return names[protection & 7];
}

static void print_region(const wvmi_region_details *region)
{
    printf("0x%012" PRIx64 "  0x%012" PRIx64 "  %-8s  %s", region->start, region->end,
           kind_name(region->kind), rights(region->protection));
    if (region->path != NULL)
        printf("  %s", region->path);
    printf("\n");
}

static int list_regions(wvmi_session *session, wvmi_process process)
{
    wvmi_region_iter *regions = NULL;
    wvmi_region_details details[64];
    wvmi_status status = wvmi_region_iter_new(session, process, &regions);
    size_t count = 0, i;
    int partial = 0;

    if (status != WVMI_OK)
        return fail("cannot list regions");
    printf("%-14s  %-14s  %-8s  RWX  FILE\n", "START", "END", "KIND");
    do {
        status = wvmi_region_iter_next_many(regions, details, sizeof details[0], COUNT(details),
                                            &count);
        if (status == WVMI_GAP)
            partial = fail("a branch of the tree is damaged");
        for (i = 0; i < count; i++)
            print_region(&details[i]);
    } while (status == WVMI_OK || status == WVMI_GAP);
    wvmi_region_iter_free(regions);
    return status < 0 ? fail("the tree ended early") : partial;
}

int main(int argc, char **argv)
{
    wvmi_session *session = open_guest(argc, argv, "DUMP PROCESS [SYMBOLS]", 2);
    wvmi_process process;
    int result;

    if (session == NULL)
        return 1;
    if (find_process(session, argv[2], &process) == WVMI_OK)
        result = list_regions(session, process);
    else
        result = fail(argv[2]);
    wvmi_session_close(session);
    return result;
}
