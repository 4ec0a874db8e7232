/* The floor: what a C programmer writes who maps a full dump and walks the page tables himself. */

#ifndef FLOOR_H
#define FLOOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A mapped full dump. */
struct floor;

/* Maps the dump at `path`; NULL when that fails. */
struct floor *floor_open(const char *path);
void floor_close(struct floor *floor);

/* Each answers whether all bytes, or the page, were there. */
bool floor_read_physical(const struct floor *floor, uint64_t pa, void *buffer, size_t size);
bool floor_translate(const struct floor *floor, uint64_t root, uint64_t va, uint64_t *pa);
bool floor_read_virtual(const struct floor *floor, uint64_t root, uint64_t va, void *buffer,
                        size_t size);

#endif
