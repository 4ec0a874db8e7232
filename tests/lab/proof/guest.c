/* The session, the guest's words, and the loop that a check runs. */
#include "proof.h"

#include <stdarg.h>
#include <time.h>

wvmi_session *session;

static const char *guest_target, *guest_symbols;

/* States of the guest. */
#define QUIET 2
#define PANICKED 3

void proof_target(const char *target, const char *symbols)
{
    guest_target = target;
    guest_symbols = symbols;
}

void complain(const char *what)
{
    wvmi_error error = {0};

    wvmi_last_error(&error, sizeof error);
    printf("     %s: %s\n", what, error.message != NULL ? error.message : "?");
}

bool open_guest(void)
{
    wvmi_config *config = NULL;
    wvmi_status status;

    wvmi_config_new(&config);
    wvmi_config_add_symbol_path(config, guest_symbols);
    /* An emulated processor parses for seconds; the first session does it for all. */
    wvmi_config_set_cache_directory(config, "symbol-cache");
    status = wvmi_session_open(guest_target, config, &session);
    wvmi_config_free(config);
    if (status != WVMI_OK)
        complain("opening the guest");
    return status == WVMI_OK;
}

bool close_guest(void)
{
    wvmi_status status = wvmi_session_close(session);

    if (status != WVMI_OK)
        complain("closing the guest");
    session = NULL;
    return status == WVMI_OK;
}

static uint64_t read_number(uint64_t address)
{
    static const wvmi_space physical = {WVMI_SPACE_PHYSICAL, 0};
    uint64_t number = 0;

    if (wvmi_read_u64(session, physical, address, &number) != WVMI_OK)
        complain("reading a word");
    return number;
}

uint64_t word(const char *name)
{
    char key[64];

    snprintf(key, sizeof key, "word.%s", name);
    return read_number(map_number(key));
}

void set_word(const char *name, uint64_t value)
{
    static const wvmi_space physical = {WVMI_SPACE_PHYSICAL, 0};
    char key[64];

    snprintf(key, sizeof key, "word.%s", name);
    if (wvmi_write(session, physical, map_number(key), (const uint8_t *)&value, sizeof value,
                   NULL) != WVMI_OK)
        complain("writing a word");
}

uint64_t actor_word(const struct actor *actor, const char *name)
{
    char key[64];

    snprintf(key, sizeof key, "actor_word.%s", name);
    return read_number(actor->words + map_number(key));
}

uint64_t total(uint32_t kinds, const char *name)
{
    uint64_t sum = 0;
    unsigned i;

    for (i = 0; i < ACTORS; i++) {
        if (actors[i].kind & kinds)
            sum += actor_word(&actors[i], name);
    }
    return sum;
}

const struct actor *actor_of(uint64_t thread)
{
    unsigned i;

    for (i = 0; i < ACTORS; i++) {
        if (actors[i].thread == thread)
            return &actors[i];
    }
    return NULL;
}

/* What an actor does may depend on its iteration's number modulo this. */
static uint64_t cycle_of(const struct actor *actor)
{
    switch (actor->kind) {
    case PAGER:
        return 7;
    case LIFECYCLE:
        return 2;
    case LOADER:
        return 4;
    default:
        return 1;
    }
}

void level_iterations(void)
{
    static const wvmi_space physical = {WVMI_SPACE_PHYSICAL, 0};
    uint64_t most = 0, done, cycle;
    unsigned i;

    for (i = 0; i < ACTORS; i++) {
        done = actor_word(&actors[i], "Iterations");
        most = done > most ? done : most;
    }
    for (i = 0; i < ACTORS; i++) {
        done = actor_word(&actors[i], "Iterations");
        cycle = cycle_of(&actors[i]);
        done += (most - done) / cycle * cycle;
        if (wvmi_write(session, physical, actors[i].words + map_number("actor_word.Iterations"),
                       (const uint8_t *)&done, sizeof done, NULL) != WVMI_OK)
            complain("writing a counter");
    }
}

void start(uint32_t kinds, uint64_t iterations)
{
    uint64_t most = 0;
    unsigned i;

    for (i = 0; i < ACTORS; i++) {
        uint64_t done = actor_word(&actors[i], "Iterations");

        if ((actors[i].kind & kinds) && done > most)
            most = done;
    }
    set_word("Limit", iterations == 0 ? 0 : most + iterations);
    set_word("Actors", kinds);
    set_word("State", 0);
}

void rest(void)
{
    set_word("Actors", 0);
}

bool is_quiet(void)
{
    uint64_t state = word("State");

    if (state == PANICKED)
        printf("     the guest panicked: vector %" PRIu64 " at 0x%" PRIx64 ", cr2 0x%" PRIx64
               ", error 0x%" PRIx64 "\n",
               word("PanicVector"), word("PanicAddress"), word("PanicFault"), word("PanicError"));
    return state == QUIET || state == PANICKED;
}

double now(void)
{
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

void pause_ms(unsigned milliseconds)
{
    struct timespec time = {milliseconds / 1000, milliseconds % 1000 * 1000000L};

    nanosleep(&time, NULL);
}

/* Serves events for a moment; false when the loop failed. */
static bool serve(void)
{
    double end = now() + 0.02;

    do {
        if (wvmi_session_poll(session, 20) < 0) {
            complain("serving events");
            return false;
        }
    } while (now() < end);
    return true;
}

bool serve_until_quiet(unsigned seconds)
{
    double end = now() + seconds;

    while (!is_quiet()) {
        if (!serve())
            return false;
        if (now() > end) {
            printf("     the guest is not quiet after %u s\n", seconds);
            describe_guest();
            return false;
        }
    }
    return true;
}

bool serve_until(const uint64_t *counter, uint64_t least, unsigned seconds)
{
    double end = now() + seconds;

    while (__atomic_load_n(counter, __ATOMIC_RELAXED) < least) {
        if (!serve())
            return false;
        if (now() > end) {
            printf("     %" PRIu64 " of %" PRIu64 " after %u s\n", *counter, least, seconds);
            return false;
        }
    }
    return true;
}

bool wait_until_quiet(unsigned seconds)
{
    double end = now() + seconds;

    while (!is_quiet()) {
        pause_ms(20);
        if (now() > end)
            return false;
    }
    return true;
}

bool wait_for_word(const char *name, uint64_t least, unsigned seconds)
{
    double end = now() + seconds;

    while (word(name) < least) {
        pause_ms(20);
        if (now() > end)
            return false;
    }
    return true;
}

static void describe_processors(void)
{
    wvmi_registers registers;
    uint16_t vcpu;

    for (vcpu = 0; wvmi_registers_get(session, vcpu, &registers, sizeof registers) == WVMI_OK;
         vcpu++)
        printf("     vcpu %u: rip 0x%" PRIx64 ", rsp 0x%" PRIx64 ", rflags 0x%" PRIx64
               ", cr2 0x%" PRIx64 ", cr3 0x%" PRIx64 "\n",
               vcpu, registers.rip, registers.rsp, registers.rflags, registers.cr2, registers.cr3);
}

uint64_t strays_since(uint64_t before)
{
    uint64_t strays = word("StrayBreakpoints") - before;

    if (strays > 0)
        printf("     the last stray INT3 at 0x%" PRIx64 "\n", word("StrayAddress"));
    return strays;
}

void describe_guest(void)
{
    unsigned round, i;

    for (round = 0; round < 2; round++) {
        printf("     state %" PRIu64 ", kinds 0x%" PRIx64 ", limit %" PRIu64 ", iterations",
               word("State"), word("Actors"), word("Limit"));
        for (i = 0; i < ACTORS; i++)
            printf(" %" PRIu64 "%s", actor_word(&actors[i], "Iterations"),
                   actor_word(&actors[i], "Busy") ? "*" : "");
        printf("\n");
        describe_processors();
        pause_ms(500);
    }
}

bool guest_runs(void)
{
    uint64_t before = total(PROGRAMS, "Iterations");

    start(PROGRAMS, 2);
    return wait_until_quiet(20) && total(PROGRAMS, "Iterations") > before;
}

/* Which try of a check this is. */
static enum { ONLY, FIRST, SECOND } try = ONLY;
/* Checks that failed at the first, and whether the second told them. */
static struct {
    const char *name;
    bool told;
} failed[32];
static size_t failed_count;

void twice(void (*check)(void))
{
    size_t i;

    failed_count = 0;
    try = FIRST;
    check();
    try = SECOND;
    if (failed_count > 0)
        check();
    try = ONLY;
    for (i = 0; i < failed_count; i++) {
        if (!failed[i].told)
            verdict(false, failed[i].name, "the second try did not come to it");
    }
}

bool has_failed(const char *name)
{
    size_t i;

    for (i = 0; i < failed_count; i++) {
        if (strcmp(failed[i].name, name) == 0) {
            failed[i].told |= try == SECOND;
            return true;
        }
    }
    return false;
}

bool verdict(bool good, const char *name, const char *format, ...)
{
    bool again = !good && try == FIRST && failed_count < sizeof failed / sizeof failed[0];
    va_list arguments;

    if (try == SECOND && !has_failed(name) && good)
        return true; /* told at the first try */
    if (again) {
        failed[failed_count].name = name;
        failed[failed_count++].told = false;
    }
    printf("%s %s: ", good ? "PASS" : again ? "AGAIN" : "FAIL", name);
    va_start(arguments, format);
    vprintf(format, arguments);
    va_end(arguments);
    printf("\n");
    fflush(stdout);
    return good;
}

wvmi_action count_hit(wvmi_event *event, void *user_data)
{
    uint64_t *hits = user_data;

    (void)event;
    ++*hits;
    return WVMI_ACTION_CONTINUE;
}

wvmi_hook hook_symbol(const char *symbol, wvmi_event_callback callback, void *user_data)
{
    wvmi_breakpoint_spec spec = {0};
    wvmi_hook hook = 0;

    spec.symbol = symbol;
    if (wvmi_breakpoint_insert(session, &spec, sizeof spec, callback, user_data, NULL, &hook) !=
        WVMI_OK)
        complain(symbol);
    return hook;
}
