/*
 * The lab guest's page of variables: its counters are the truth that checks
 * compare with, its switches tell the main loop what to do in each round.
 * Shared by the guest (offsets) and by programs in dom0 (struct vars).
 */
#ifndef LAB_VARS_H
#define LAB_VARS_H

/* Bits of `mode`: what processor 0 does once per round. */
#define MODE_CR3    (1 << 0)   /* loads CR3 with the other of two roots */
#define MODE_CR4    (1 << 1)   /* toggles CR4.TSD */
#define MODE_MSR    (1 << 2)   /* writes the round's number to SYSENTER_EIP */
#define MODE_CPUID  (1 << 3)   /* CPUID leaf 0 */
#define MODE_INT3   (1 << 4)   /* INT3 of its own */
#define MODE_LAZY   (1 << 5)   /* unmaps the lazy page, then reads from it */
#define MODE_VMCALL (1 << 6)   /* HVMOP_guest_request_vm_event */
#define MODE_OUT    (1 << 7)   /* OUT to port 0x84 (Xen lets 0x80 through untouched) */
#define MODE_XCR0   (1 << 8)   /* XSETBV with 1 and 3 in turn */
#define MODE_ICEBP  (1 << 9)   /* INT1 */
#define MODE_INTEGRITY (1 << 10) /* compares the hot function's first byte */

/* Virtual address of the page whose PTE comes and goes. */
#define LAZY_VA 0xc800000

#ifdef __ASSEMBLER__
.set v_calls, 0
.set v_rounds, 8
.set v_bad, 16
.set v_mode, 24
.set v_bp, 32
.set v_bp_rip, 40
.set v_pf, 48
.set v_pf_cr2, 56
.set v_pf_error, 64
.set v_pf_rip, 72
.set v_int3s, 80
.set v_lazy_reads, 88
.set v_lazy_sum, 96
.set v_db, 104
.set v_gp, 112
.set v_cr3_writes, 120
.set v_cr4_writes, 128
.set v_msr_writes, 136
.set v_cpuids, 144
.set v_cpuid_ebx, 152
.set v_vmcalls, 160
.set v_outs, 168
.set v_xcr0_writes, 176
.set v_icebps, 184
.set v_calls1, 192
.set v_rounds1, 200
.set v_ud, 208
.set v_lazy_pte, 216
#else
#include <stdint.h>
struct vars {
    uint64_t calls, rounds, bad, mode;
    uint64_t bp, bp_rip;                     /* #BP taken, RIP of the last frame */
    uint64_t pf, pf_cr2, pf_error, pf_rip;   /* #PF taken, facts of the last */
    uint64_t int3s;                          /* own INT3 executed */
    uint64_t lazy_reads, lazy_sum;
    uint64_t db, gp;
    uint64_t cr3_writes, cr4_writes, msr_writes;
    uint64_t cpuids, cpuid_ebx;
    uint64_t vmcalls, outs, xcr0_writes, icebps;
    uint64_t calls1, rounds1;                /* processor 1 */
    uint64_t ud, lazy_pte;                   /* lazy_pte: the PTE of LAZY_VA */
};
#endif
#endif
