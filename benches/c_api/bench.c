#include "bench.h"

#include <stdio.h>
#include <stdlib.h>

void check(wvmi_status status, const char *what)
{
    if (status >= WVMI_OK && status != WVMI_GAP) {
        return;
    }
    wvmi_error error;
    wvmi_last_error(&error, sizeof error);
    fprintf(stderr, "%s: %s: %s\n", what, wvmi_status_name(status), error.message);
    exit(EXIT_FAILURE);
}

double now(clockid_t clock)
{
    struct timespec time;
    clock_gettime(clock, &time);
    return (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
}

wvmi_session *open_session(const char *image, const char *symbols)
{
    wvmi_config *config;
    wvmi_session *session;
    CHECK(wvmi_config_new(&config));
    CHECK(wvmi_config_set_symbol_environment(config, false));
    CHECK(wvmi_config_set_offline(config, true));
    if (symbols != NULL) {
        CHECK(wvmi_config_add_symbol_path(config, symbols));
    }
    CHECK(wvmi_session_open(image, config, &session));
    wvmi_config_free(config);
    return session;
}

static uint64_t next_random(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

enum { HOT_PAGES = 512, PAGE = 4096, WORDS = PAGE / 8 };

static struct addresses allocate(size_t count)
{
    struct addresses addresses = {calloc(count, sizeof(uint64_t)), count};
    if (addresses.list == NULL) {
        abort();
    }
    return addresses;
}

static struct addresses random_pages(uint64_t base, size_t count)
{
    uint64_t state = 88172645463325252u;
    struct addresses pages = allocate(count);
    for (size_t i = 0; i < count; i++) {
        pages.list[i] = base + i * PAGE + next_random(&state) % WORDS * 8;
    }
    for (size_t i = count - 1; i > 0; i--) {
        size_t other = next_random(&state) % (i + 1);
        uint64_t page = pages.list[i];
        pages.list[i] = pages.list[other];
        pages.list[other] = page;
    }
    return pages;
}

static struct addresses words_of(uint64_t page)
{
    struct addresses words = allocate(WORDS);
    for (size_t i = 0; i < WORDS; i++) {
        words.list[i] = page - page % PAGE + i * 8;
    }
    return words;
}

static struct addresses translated(const struct guest *guest, struct addresses virtual)
{
    struct addresses physical = allocate(virtual.count);
    for (size_t i = 0; i < virtual.count; i++) {
        if (!floor_translate(guest->floor, guest->root, virtual.list[i], &physical.list[i])) {
            fprintf(stderr, "the image does not map %#llx\n", (unsigned long long)virtual.list[i]);
            exit(EXIT_FAILURE);
        }
    }
    return physical;
}

void open_guest(struct guest *guest, const struct arguments *arguments)
{
    wvmi_process process;
    guest->session = open_session(arguments->full, arguments->symbols);
    guest->floor = floor_open(arguments->full);
    if (guest->floor == NULL) {
        perror(arguments->full);
        exit(EXIT_FAILURE);
    }
    CHECK(wvmi_process_by_name(guest->session, arguments->process, &process));
    CHECK(wvmi_process_root(guest->session, process, &guest->root));
    guest->space = (wvmi_space){WVMI_SPACE_ROOT, guest->root};
    guest->random = random_pages(arguments->base, arguments->pages);
    guest->hot = (struct addresses){guest->random.list, HOT_PAGES};
    guest->same = words_of(guest->random.list[0]);
    guest->physical_random = translated(guest, guest->random);
    guest->physical_same = translated(guest, guest->same);
}

void close_guest(struct guest *guest)
{
    free(guest->random.list);
    free(guest->same.list);
    free(guest->physical_random.list);
    free(guest->physical_same.list);
    floor_close(guest->floor);
    CHECK(wvmi_session_close(guest->session));
}
