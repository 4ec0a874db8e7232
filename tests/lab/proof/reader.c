/* A thread that lists processes while everything else happens. */
#include "proof.h"

#include <pthread.h>

static pthread_t thread;
static bool stopping;
static uint64_t lists, wrong;

/* How many of the guest's programs a list names; -1 when it fails. */
static int programs_in_list(void)
{
    wvmi_process_iter *iter = NULL;
    wvmi_process process;
    wvmi_status status;
    unsigned i;
    int found = 0;

    if (wvmi_process_iter_new(session, WVMI_PROCESS_SOURCE_ACTIVE_LIST, &iter) != WVMI_OK)
        return -1;
    while ((status = wvmi_process_iter_next(iter, &process)) == WVMI_OK || status == WVMI_GAP) {
        for (i = 0; status == WVMI_OK && i < ACTORS; i++)
            found += (actors[i].kind & PROGRAMS) && actors[i].process == process.object;
    }
    wvmi_process_iter_free(iter);
    return status == WVMI_END ? found : -1;
}

static void *read_on(void *unused)
{
    (void)unused;
    while (!__atomic_load_n(&stopping, __ATOMIC_RELAXED)) {
        wrong += programs_in_list() != 3;
        lists++;
        pause_ms(20);
    }
    return NULL;
}

void reader_start(void)
{
    stopping = false;
    lists = wrong = 0;
    pthread_create(&thread, NULL, read_on, NULL);
}

bool reader_stop(uint64_t *made, uint64_t *bad)
{
    __atomic_store_n(&stopping, true, __ATOMIC_RELAXED);
    pthread_join(thread, NULL);
    *made = lists;
    *bad = wrong;
    return lists > 0 && wrong == 0;
}
