/* Reads and translations, beside the same work done by the floor. */

#define _GNU_SOURCE

#include "bench.h"
#include "table.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

enum { SMALL = 8, PAGE = 4096, LONG = 65536, SCATTER = 64 };

static const wvmi_space PHYSICAL = {WVMI_SPACE_PHYSICAL, 0};

/* Does `count` operations; the sum of what they gave keeps both sides honest. */
typedef uint64_t body(const struct guest *guest, const struct addresses *at, size_t count);

static uint64_t floor_physical(const struct guest *guest, const struct addresses *at, size_t count)
{
    uint64_t sum = 0, value = 0;
    for (size_t i = 0; i < count; i++) {
        floor_read_physical(guest->floor, at->list[i & (at->count - 1)], &value, SMALL);
        sum += value;
    }
    return sum;
}

static uint64_t api_physical(const struct guest *guest, const struct addresses *at, size_t count)
{
    uint64_t sum = 0, value = 0;
    for (size_t i = 0; i < count; i++) {
        wvmi_read_u64(guest->session, PHYSICAL, at->list[i & (at->count - 1)], &value);
        sum += value;
    }
    return sum;
}

static uint64_t floor_translation(const struct guest *guest, const struct addresses *at,
                                  size_t count)
{
    uint64_t sum = 0, pa = 0;
    for (size_t i = 0; i < count; i++) {
        floor_translate(guest->floor, guest->root, at->list[i & (at->count - 1)], &pa);
        sum += pa;
    }
    return sum;
}

static uint64_t api_translation(const struct guest *guest, const struct addresses *at, size_t count)
{
    uint64_t sum = 0;
    wvmi_translation found = {0};
    for (size_t i = 0; i < count; i++) {
        uint64_t va = at->list[i & (at->count - 1)];
        wvmi_translate(guest->session, guest->space, va, &found, sizeof found);
        sum += found.physical_address;
    }
    return sum;
}

static uint64_t floor_virtual(const struct guest *guest, const struct addresses *at, size_t count)
{
    uint64_t sum = 0, value = 0;
    for (size_t i = 0; i < count; i++) {
        uint64_t va = at->list[i & (at->count - 1)];
        floor_read_virtual(guest->floor, guest->root, va, &value, SMALL);
        sum += value;
    }
    return sum;
}

static uint64_t api_virtual(const struct guest *guest, const struct addresses *at, size_t count)
{
    uint64_t sum = 0, value = 0;
    for (size_t i = 0; i < count; i++) {
        uint64_t va = at->list[i & (at->count - 1)];
        wvmi_read_u64(guest->session, guest->space, va, &value);
        sum += value;
    }
    return sum;
}

/* Reads whole blocks, each from a block's start on; the sum is that of their first words. */
static uint64_t floor_blocks(const struct guest *guest, const struct addresses *at, size_t count,
                             size_t size)
{
    static uint64_t buffer[LONG / sizeof(uint64_t)];
    uint64_t sum = 0;
    for (size_t i = 0; i < count; i++) {
        uint64_t va = at->list[i & (at->count - 1)];
        floor_read_virtual(guest->floor, guest->root, va - va % size, buffer, size);
        sum += buffer[0];
    }
    return sum;
}

static uint64_t api_blocks(const struct guest *guest, const struct addresses *at, size_t count,
                           size_t size)
{
    static uint64_t buffer[LONG / sizeof(uint64_t)];
    uint64_t sum = 0;
    for (size_t i = 0; i < count; i++) {
        uint64_t va = at->list[i & (at->count - 1)];
        wvmi_read(guest->session, guest->space, va - va % size, (uint8_t *)buffer, size, NULL);
        sum += buffer[0];
    }
    return sum;
}

static uint64_t floor_page(const struct guest *guest, const struct addresses *at, size_t count)
{
    return floor_blocks(guest, at, count, PAGE);
}

static uint64_t api_page(const struct guest *guest, const struct addresses *at, size_t count)
{
    return api_blocks(guest, at, count, PAGE);
}

static uint64_t floor_long(const struct guest *guest, const struct addresses *at, size_t count)
{
    return floor_blocks(guest, at, count, LONG);
}

static uint64_t api_long(const struct guest *guest, const struct addresses *at, size_t count)
{
    return api_blocks(guest, at, count, LONG);
}

static uint64_t floor_scatter(const struct guest *guest, const struct addresses *at, size_t count)
{
    return floor_virtual(guest, at, count * SCATTER);
}

static uint64_t api_scatter(const struct guest *guest, const struct addresses *at, size_t count)
{
    wvmi_scatter_request requests[SCATTER];
    uint64_t values[SCATTER];
    uint64_t sum = 0;
    for (size_t i = 0; i < count; i++) {
        for (size_t j = 0; j < SCATTER; j++) {
            requests[j] = (wvmi_scatter_request){
                .space = guest->space,
                .address = at->list[(i * SCATTER + j) & (at->count - 1)],
                .buffer = (uint8_t *)&values[j],
                .size = SMALL,
            };
        }
        wvmi_read_scatter(guest->session, requests, sizeof requests[0], SCATTER);
        for (size_t j = 0; j < SCATTER; j++) {
            sum += values[j];
        }
    }
    return sum;
}

/* Nanoseconds per operation. */
static double timed(body *work, const struct guest *guest, const struct addresses *at, size_t count,
                    uint64_t *sum)
{
    double start = now(CLOCK_THREAD_CPUTIME_ID);
    *sum = work(guest, at, count);
    return (now(CLOCK_THREAD_CPUTIME_ID) - start) / (double)count;
}

static double lesser(double left, double right)
{
    return left < right ? left : right;
}

/* The best of the rounds, which the two sides take by turns. */
static void compare(const struct guest *guest, const char *name, body *floor, body *api,
                    const struct addresses *at, size_t count, struct goal goal)
{
    double floor_best = 1e18, api_best = 1e18;
    uint64_t floor_sum, api_sum;
    for (int round = 0; round < ROUNDS; round++) {
        floor_best = lesser(floor_best, timed(floor, guest, at, count, &floor_sum));
        api_best = lesser(api_best, timed(api, guest, at, count, &api_sum));
        if (floor_sum != api_sum) {
            fprintf(stderr, "%s: the floor and the library read different bytes\n", name);
            exit(EXIT_FAILURE);
        }
    }
    print_ratio(name, "ns", floor_best, api_best, goal);
}

/* The goals: 1.3 times the floor where the memory is hot, 1.5 where it is not, and ahead of the
 * best of the other tools. */
void measure_memory(const struct guest *guest)
{
    const struct guest *g = guest;
    compare(g, "physical 8 B, same page", floor_physical, api_physical, &g->physical_same, 4000000,
            (struct goal){1.3, 1.35});
    compare(g, "physical 8 B, random", floor_physical, api_physical, &g->physical_random, 1000000,
            (struct goal){1.5, 2.87});
    compare(g, "translation, same page", floor_translation, api_translation, &g->same, 4000000,
            (struct goal){0.13, 0.13});
    compare(g, "translation, random", floor_translation, api_translation, &g->random, 1000000,
            (struct goal){1.5, 1.67});
    compare(g, "virtual 8 B, same page", floor_virtual, api_virtual, &g->same, 4000000,
            (struct goal){1.3, 0});
    compare(g, "virtual 8 B, 512 hot pages", floor_virtual, api_virtual, &g->hot, 4000000,
            (struct goal){0.93, 0.93});
    compare(g, "virtual 8 B, random", floor_virtual, api_virtual, &g->random, 1000000,
            (struct goal){1.5, 3.11});
    compare(g, "virtual 4 KiB, random", floor_page, api_page, &g->random, 400000,
            (struct goal){1.5, 1.65});
    compare(g, "virtual 64 KiB, random", floor_long, api_long, &g->random, 20000,
            (struct goal){0.96, 0.96});
    compare(g, "64 scattered 8 B reads", floor_scatter, api_scatter, &g->random, 20000,
            (struct goal){1.5, 1.51});
}

/* What one reading thread does, and the processor time that it took. */
struct reader {
    body *work;
    const struct guest *guest;
    const struct addresses *at;
    size_t count;
    pthread_barrier_t *start;
    double time;
};

/* A thread that waits for another gives the processor up; a few times all do. */
enum { WAITS_MAX = 100 };

static long waits(void)
{
    struct rusage usage;
    getrusage(RUSAGE_THREAD, &usage);
    return usage.ru_nvcsw;
}

static void *read_on(void *argument)
{
    struct reader *reader = argument;
    pthread_barrier_wait(reader->start);
    long waits_before = waits();
    double start = now(CLOCK_THREAD_CPUTIME_ID);
    reader->work(reader->guest, reader->at, reader->count);
    reader->time = now(CLOCK_THREAD_CPUTIME_ID) - start;
    if (waits() - waits_before > WAITS_MAX) {
        fprintf(stderr, "reading threads wait for each other\n");
        exit(EXIT_FAILURE);
    }
    return NULL;
}

/* Processor time of each of some threads that read as much as each is told to, at once. */
static double lasted(const struct reader *reader, unsigned threads)
{
    pthread_t running[2];
    struct reader readers[2] = {*reader, *reader};
    pthread_barrier_t start;
    double sum = 0;
    pthread_barrier_init(&start, NULL, threads);
    for (unsigned i = 0; i < threads; i++) {
        readers[i].start = &start;
        if (pthread_create(&running[i], NULL, read_on, &readers[i]) != 0) {
            abort();
        }
    }
    for (unsigned i = 0; i < threads; i++) {
        pthread_join(running[i], NULL);
        sum += readers[i].time;
    }
    pthread_barrier_destroy(&start);
    return sum / threads;
}

/* How many times as much two threads read as one in the same time, on processors of their own. */
static double scaling(struct reader reader)
{
    double one = 1e18, two = 1e18;
    for (int round = 0; round < ROUNDS; round++) {
        one = lesser(one, lasted(&reader, 1));
        two = lesser(two, lasted(&reader, 2));
    }
    return 2 * one / two;
}

static void scale(const struct guest *guest, const char *name, const struct addresses *at)
{
    double floor = scaling((struct reader){floor_virtual, guest, at, 2000000, NULL, 0});
    double api = scaling((struct reader){api_virtual, guest, at, 2000000, NULL, 0});
    print_scaling(name, floor, api, 1.8);
}

void measure_threads(const struct guest *guest)
{
    scale(guest, "two threads for one, virtual 8 B, 512 hot pages", &guest->hot);
    scale(guest, "two threads for one, virtual 8 B, random", &guest->random);
}
