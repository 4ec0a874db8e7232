#include "floor.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { HEADER_SIZE = 0x2000, MEMORY_BLOCK = 0x88, MAX_RUNS = 42 };

#define PAGE UINT64_C(4096)
#define PRESENT UINT64_C(1)
#define LARGE UINT64_C(0x80)
#define FRAME UINT64_C(0x000ffffffffff000)

/* Consecutive physical memory, as the dump's header lists it. */
struct run {
    uint64_t start;
    uint64_t length;
    const uint8_t *bytes;
};

struct floor {
    uint8_t *file;
    size_t file_size;
    size_t run_count;
    struct run runs[MAX_RUNS];
};

static uint64_t load(const uint8_t *bytes)
{
    uint64_t value;
    memcpy(&value, bytes, sizeof value);
    return value;
}

static void list_runs(struct floor *floor)
{
    const uint8_t *block = floor->file + MEMORY_BLOCK;
    const uint8_t *bytes = floor->file + HEADER_SIZE;
    size_t count = load(block) & UINT32_MAX;
    for (size_t i = 0; i < count && i < MAX_RUNS; i++) {
        struct run *run = &floor->runs[i];
        run->start = load(block + 0x10 + 0x10 * i) * PAGE;
        run->length = load(block + 0x18 + 0x10 * i) * PAGE;
        run->bytes = bytes;
        bytes += run->length;
        floor->run_count++;
    }
}

struct floor *floor_open(const char *path)
{
    struct floor *floor = calloc(1, sizeof *floor);
    struct stat status;
    int file = open(path, O_RDONLY);
    if (floor == NULL || file < 0 || fstat(file, &status) != 0) {
        return NULL;
    }
    floor->file_size = (size_t)status.st_size;
    floor->file = mmap(NULL, floor->file_size, PROT_READ, MAP_SHARED, file, 0);
    close(file);
    if (floor->file == MAP_FAILED) {
        return NULL;
    }
    list_runs(floor);
    return floor;
}

void floor_close(struct floor *floor)
{
    munmap(floor->file, floor->file_size);
    free(floor);
}

/* Where `size` bytes at `pa` are in this process. */
static inline const uint8_t *find(const struct floor *floor, uint64_t pa, uint64_t size)
{
    for (size_t i = 0; i < floor->run_count; i++) {
        const struct run *run = &floor->runs[i];
        uint64_t offset = pa - run->start;
        if (offset < run->length) {
            return size <= run->length - offset ? run->bytes + offset : NULL;
        }
    }
    return NULL;
}

/* The one way to physical memory, also for the page walk; not copied into its callers. */
__attribute__((noinline)) bool floor_read_physical(const struct floor *floor, uint64_t pa,
                                                   void *buffer, size_t size)
{
    const uint8_t *bytes = find(floor, pa, size);
    if (bytes == NULL) {
        return false;
    }
    memcpy(buffer, bytes, size);
    return true;
}

bool floor_translate(const struct floor *floor, uint64_t root, uint64_t va, uint64_t *pa)
{
    uint64_t table = root & FRAME;
    for (unsigned shift = 39; shift >= 12; shift -= 9) {
        uint64_t entry;
        uint64_t at = table + (va >> shift & 511) * 8;
        if (!floor_read_physical(floor, at, &entry, sizeof entry) || !(entry & PRESENT)) {
            return false;
        }
        if (shift == 12 || (shift < 39 && (entry & LARGE))) {
            uint64_t inside = (UINT64_C(1) << shift) - 1;
            *pa = (entry & FRAME & ~inside) | (va & inside);
            return true;
        }
        table = entry & FRAME;
    }
    return false;
}

bool floor_read_virtual(const struct floor *floor, uint64_t root, uint64_t va, void *buffer,
                        size_t size)
{
    uint8_t *out = buffer;
    while (size > 0) {
        size_t left = PAGE - va % PAGE;
        size_t piece = size < left ? size : left;
        uint64_t pa;
        if (!floor_translate(floor, root, va, &pa) || !floor_read_physical(floor, pa, out, piece)) {
            return false;
        }
        out += piece;
        va += piece;
        size -= piece;
    }
    return true;
}
