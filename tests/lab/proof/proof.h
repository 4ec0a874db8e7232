/* What the checks share: the guest's own counters, and a line for each check. */
#ifndef PROOF_H
#define PROOF_H

#define _GNU_SOURCE

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <winvmi.h>

/* Kinds of actors of the guest, as bits. */
enum {
    USER = 1,
    WOW64 = 2,
    PAGER = 4,
    INTEGRITY = 8,
    LIFECYCLE = 16,
    LOADER = 32,
    PRIVILEGED = 64
};
#define PROGRAMS (USER | WOW64)

/* Threads of user processes and of the System process. */
#define ACTORS 8

/* A thread of the guest that repeats an iteration, and where it counts. */
struct actor {
    uint32_t kind;
    uint32_t pid;
    uint64_t process;
    uint64_t thread;
    uint64_t words;             /* guest physical */
    uint64_t words_va;
    uint64_t breakpoint;        /* its own INT3 */
    uint64_t create_file;       /* its functions in user mode */
    uint64_t write_file;
};

/* The forge's map of the guest: numbers by name. */
void map_load(const char *path);
uint64_t map_number(const char *name);
uint64_t map_indexed(const char *name, unsigned index);
extern struct actor actors[ACTORS];

/* The session that a check works with, and how it is opened. */
extern wvmi_session *session;
void proof_target(const char *target, const char *symbols);
bool open_guest(void);
bool close_guest(void);

/* Words of the guest, read and written in its memory. */
uint64_t word(const char *name);
void set_word(const char *name, uint64_t value);
uint64_t actor_word(const struct actor *actor, const char *name);
/* Sum of a word of all actors of these kinds. */
uint64_t total(uint32_t kinds, const char *name);
const struct actor *actor_of(uint64_t thread);

/* Brings the numbers of all actors' iterations together: the limit is one for all. */
void level_iterations(void);
/* Has actors of these kinds do `iterations` more each (0: without end). */
void start(uint32_t kinds, uint64_t iterations);
/* Lets all actors rest at the end of their iteration. */
void rest(void);
bool is_quiet(void);
/* Serves events until nothing runs any more. */
bool serve_until_quiet(unsigned seconds);
/* Serves events until `*counter` is at least `least`. */
bool serve_until(const uint64_t *counter, uint64_t least, unsigned seconds);
/* Waits without serving; for threads beside the loop, and guests without hooks. */
bool wait_until_quiet(unsigned seconds);
bool wait_for_word(const char *name, uint64_t least, unsigned seconds);
/* Does the guest run, with nothing of ours in its way? Starts it for a moment. */
bool guest_runs(void);

/* INT3 that the guest took without having placed them; prints where the last one was. */
uint64_t strays_since(uint64_t before);

/* Prints where processors and threads are, now and half a second later. */
void describe_guest(void);

double now(void);
void pause_ms(unsigned milliseconds);

/*
 * A check that fails is tried once more: what fails at the first try is told as AGAIN,
 * and only that is told of the second.
 */
void twice(void (*check)(void));
/* Did it fail at the first try? What tells nothing when it is good tells it then. */
bool has_failed(const char *name);
/* Prints the line of a check: the theme, the name, its counters. `name` is kept. */
__attribute__((format(printf, 3, 4))) bool verdict(bool good, const char *name,
                                                   const char *format, ...);
/* Prints the last error of the library. */
void complain(const char *what);

/* A callback that adds one to the counter that `user_data` points to. */
wvmi_action count_hit(wvmi_event *event, void *user_data);
wvmi_hook hook_symbol(const char *symbol, wvmi_event_callback callback, void *user_data);

/* The kernel's code, byte for byte, as it was before any hook. */
void keep_code(void);
bool code_is_as_before(void);

/* A thread that lists processes all the time; its counters at the end. */
void reader_start(void);
bool reader_stop(uint64_t *lists, uint64_t *wrong);

/* What this process asked the host's kernel for so far. */
struct costs {
    uint64_t hypercalls;
    uint64_t system_calls;
};
struct costs costs_now(void);

/* What a tracer program does until a signal ends it. */
int tracer(void);

/* The checks. */
void check_calls(void);
void check_resident(void);
void check_paging(void);
void check_places(void);
void check_pairs(void);
void check_removal(void);
void check_integrity(void);
void check_lifecycle(void);
void check_late(void);
void check_monitors(void);
void check_detach(void);
/* Of a guest without views, and only where it is asked for. */
void check_plain(void);
/* This one opens and closes the guest itself; `program` is what started it. */
void check_signals(char *const *program);

#endif
