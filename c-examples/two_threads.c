/* two_threads: reads the kernel image from two threads on one session. */
#include "example.h"

#include <inttypes.h>
#include <pthread.h>

#define PAGE 4096

/* What one thread reads, and what it found. */
struct part {
    wvmi_session *session;
    uint64_t first;
    uint64_t pages;
    uint64_t readable;
    uint64_t sum;
};

static void *read_part(void *argument)
{
    struct part *part = argument;
    wvmi_space kernel = {WVMI_SPACE_KERNEL, 0};
    uint8_t page[PAGE];
    uint64_t i;
    size_t done, at;

    for (i = 0; i < part->pages; i++) {
        if (wvmi_read(part->session, kernel, part->first + i * PAGE, page, PAGE, &done) == WVMI_OK)
            part->readable++;
        for (at = 0; at < done; at++)
            part->sum += page[at];
    }
    return NULL;
}

static int read_kernel(wvmi_session *session)
{
    wvmi_session_details details = {0};
    struct part parts[2] = {{0}};
    pthread_t thread;
    uint64_t half;

    if (wvmi_session_info(session, &details, sizeof details) != WVMI_OK)
        return fail("no information");
    half = details.kernel_size / PAGE / 2;
    parts[0].session = parts[1].session = session;
    parts[0].pages = parts[1].pages = half;
    parts[0].first = details.kernel_base;
    parts[1].first = details.kernel_base + half * PAGE;
    if (pthread_create(&thread, NULL, read_part, &parts[1]) != 0)
        return fail("no thread");
    read_part(&parts[0]);
    pthread_join(thread, NULL);
    printf("%" PRIu64 " of %" PRIu64 " pages of the kernel are there; sum 0x%" PRIx64 "\n",
           parts[0].readable + parts[1].readable, half * 2, parts[0].sum + parts[1].sum);
    return 0;
}

int main(int argc, char **argv)
{
    wvmi_session *session = open_guest(argc, argv, "DUMP [SYMBOLS]", 1);
    int result;

    if (session == NULL)
        return 1;
    result = read_kernel(session);
    wvmi_session_close(session);
    return result;
}
