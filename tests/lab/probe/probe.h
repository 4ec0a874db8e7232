/* What the probe's checks share: the guest under test and how it is played with. */
#ifndef LAB_PROBE_H
#define LAB_PROBE_H

#define _GNU_SOURCE
#include "vmi.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "vars.h"

#define HIGH 0xffffffff80000000ull
#define ROUNDS 100
#define PATIENCE 5000 /* ms */
#define CPUS 2
#define NO_ERROR_CODE (~0u)

extern struct vmi vmi;
extern volatile struct vars *vars;
extern volatile uint8_t *code;       /* first byte of the hot function */
extern volatile uint64_t *lazy_pte;
extern uint64_t hot, hot_gfn, after_int3, lazy_table_gfn;

#define VERDICT(good, name, ...) \
    do { printf("%s %s: ", (good) ? "PASS" : "FAIL", name); printf(__VA_ARGS__); \
         putchar('\n'); fflush(stdout); } while (0)

/* Lets the guest do `mode` and answers `count` events of `reason` with `flags`;
 * `look` sees each first, counted from 1, and may change it. Returns how many came. */
typedef void look_fn(event *event, unsigned index);
unsigned play(uint64_t mode, uint32_t reason, unsigned count, uint32_t flags, look_fn *look);
/* Do both processors make progress? */
bool guest_runs(void);
/* After a monitor is off: what still came in between is answered, too. */
void settle(void);

void check_exceptions(void);
void check_registers(void);
void check_instructions(void);
void check_views(void);
/* Last: leaves the domain without views and with a new ring. */
void check_kill_and_restore(void);

#endif
