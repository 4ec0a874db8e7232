/* Microseconds per guest object, and per opening. */

#include "bench.h"

#include <stdio.h>
#include <stdlib.h>

enum { BATCH = 256 };

/* Visits all objects of a kind: how many there were. */
typedef size_t walk(wvmi_session *session);

static size_t processes(wvmi_session *session)
{
    static wvmi_process_details details[BATCH];
    wvmi_process_iter *iter;
    size_t count, total = 0;
    CHECK(wvmi_process_iter_new(session, 0, &iter));
    while (wvmi_process_iter_next_many(iter, details, sizeof details[0], BATCH, &count) == WVMI_OK) {
        total += count;
    }
    wvmi_process_iter_free(iter);
    return total;
}

static size_t modules(wvmi_session *session)
{
    static wvmi_module_details details[BATCH];
    wvmi_module_iter *iter;
    size_t count, total = 0;
    CHECK(wvmi_module_iter_new(session, &iter));
    while (wvmi_module_iter_next_many(iter, details, sizeof details[0], BATCH, &count) == WVMI_OK) {
        total += count;
    }
    wvmi_module_iter_free(iter);
    return total;
}

/* The handles of one process, with the names of their objects' types: read from the objects. */
static size_t handles(wvmi_session *session)
{
    static wvmi_handle_details details[BATCH];
    wvmi_handle_iter *iter;
    wvmi_process process;
    size_t count, total = 0;
    CHECK(wvmi_process_by_name(session, "bulk.exe", &process));
    CHECK(wvmi_handle_iter_new(session, process, &iter));
    while (wvmi_handle_iter_next_many(iter, details, sizeof details[0], BATCH, &count) == WVMI_OK) {
        total += count;
    }
    wvmi_handle_iter_free(iter);
    return total;
}

/* Microseconds per object of one walk. */
static double timed(walk *visit, wvmi_session *session, size_t *count)
{
    double start = now(CLOCK_THREAD_CPUTIME_ID);
    *count = visit(session);
    return (now(CLOCK_THREAD_CPUTIME_ID) - start) / 1e3 / (double)*count;
}

/* Cold: the first walk of a fresh session. Warm: the second. */
static void measure(const struct arguments *arguments, const char *name, walk *visit)
{
    double cold = 1e18, warm = 1e18;
    size_t count;
    for (int round = 0; round < ROUNDS; round++) {
        wvmi_session *session = open_session(arguments->full, arguments->symbols);
        double first = timed(visit, session, &count);
        double second = timed(visit, session, &count);
        cold = first < cold ? first : cold;
        warm = second < warm ? second : warm;
        CHECK(wvmi_session_close(session));
    }
    printf("%10.3f  %10.3f  %s (%zu)\n", cold, warm, name, count);
}

void measure_objects(const struct arguments *arguments)
{
    puts("\n cold (us)   warm (us)  per object");
    measure(arguments, "process: details", processes);
    measure(arguments, "module: details, name, path", modules);
    measure(arguments, "handle: details, type name", handles);
}

static double open_and_close(const char *image, const char *symbols)
{
    double best = 1e18;
    for (int round = 0; round < ROUNDS; round++) {
        double start = now(CLOCK_THREAD_CPUTIME_ID);
        wvmi_session *session = open_session(image, symbols);
        double time = (now(CLOCK_THREAD_CPUTIME_ID) - start) / 1e6;
        best = time < best ? time : best;
        CHECK(wvmi_session_close(session));
    }
    return best;
}

void measure_opening(const struct arguments *arguments)
{
    double start = now(CLOCK_THREAD_CPUTIME_ID);
    wvmi_session *first = open_session(arguments->full, arguments->symbols);
    double cold = (now(CLOCK_THREAD_CPUTIME_ID) - start) / 1e6;
    puts("\n opening (ms)");
    printf("%10.2f  512 MiB, its symbols read for the first time\n", cold);
    printf("%10.2f  512 MiB, its symbols shared with an open session\n",
           open_and_close(arguments->full, arguments->symbols));
    printf("%10.2f  64 GiB (sparse), likewise\n",
           open_and_close(arguments->sparse, arguments->symbols));
    printf("%10.2f  512 MiB, without symbols\n", open_and_close(arguments->full, NULL));
    CHECK(wvmi_session_close(first));
}
