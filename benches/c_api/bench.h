/* What the measurements share. */

#ifndef BENCH_H
#define BENCH_H

#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "winvmi.h"

#include "floor.h"
#include "table.h"

/* Ends the program when a call fails: what fails is not worth measuring. */
#define CHECK(call) check((call), #call)
void check(wvmi_status status, const char *what);

/* The command line. */
struct arguments {
    const char *full;
    const char *sparse;
    const char *symbols;
    const char *process;
    uint64_t base;
    size_t pages;
};

/* Addresses to visit in turn; their number is a power of 2. */
struct addresses {
    uint64_t *list;
    size_t count;
};

/* One opened guest and the addresses at which it is read. */
struct guest {
    wvmi_session *session;
    struct floor *floor;
    wvmi_space space;
    uint64_t root;
    /* All mapped pages in random order, one 8-byte aligned address in each. */
    struct addresses random;
    /* Of these, the first few. */
    struct addresses hot;
    /* All words of one page. */
    struct addresses same;
    /* Where the random ones and those of the one page lie. */
    struct addresses physical_random;
    struct addresses physical_same;
};

enum { ROUNDS = 9 };

/* Nanoseconds of a clock. Single threads are timed by the processor time that they got, so that
 * neighbours on a busy machine disturb less. */
double now(clockid_t clock);

/* Opens with the symbols of the arguments, or without any. */
wvmi_session *open_session(const char *image, const char *symbols);
void open_guest(struct guest *guest, const struct arguments *arguments);
void close_guest(struct guest *guest);

/* Visits all objects of a kind: how many there were. */
typedef size_t walk(wvmi_session *session);

/* Prints two rows: cold is the first walk of a fresh session, warm a later one. */
void measure_walk(const struct arguments *arguments, const char *name, walk *visit,
                  struct goal cold_goal, struct goal warm_goal);

void measure_memory(const struct guest *guest);
void measure_threads(const struct guest *guest);
void measure_objects(const struct arguments *arguments);
void measure_user(const struct arguments *arguments);
void measure_opening(const struct arguments *arguments);

#endif
