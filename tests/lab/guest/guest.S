/*
 * A PVH guest for the lab: one or two processors in 64-bit mode that call a hot
 * function for ever and, on request, do what a monitor can see. No interrupts,
 * no devices. Linked at physical addresses, runs at HIGH above them.
 */
#include "vars.h"

#define HIGH 0xffffffff80000000
#define CODE 8
#define DATA 16

	.section .note.Xen, "a", @note
	.align 4
	.long 4, 4, 18                  /* XEN_ELFNOTE_PHYS32_ENTRY */
	.asciz "Xen"
	.long _start

/* --- Boot processor: from 32-bit PVH entry to long mode -------------------- */
	.section .text.start, "ax"
	.code32
	.globl _start
_start:
	cli
	mov $stack0, %esp
	call make_tables
	mov $root_a, %eax
	mov %eax, %cr3
	mov %cr4, %eax
	or $0x20, %eax                  /* PAE */
	mov %eax, %cr4
	mov $0xc0000080, %ecx           /* EFER.LME */
	rdmsr
	or $0x100, %eax
	wrmsr
	mov %cr0, %eax
	or $0x80000001, %eax            /* PG, PE */
	mov %eax, %cr0
	lgdt gdtr
	ljmp $CODE, $long_mode

/* 128 MiB of 2 MiB pages, at 0 and at HIGH; one page table for LAZY_VA. */
make_tables:
	mov $pdpt + 3, %eax
	mov %eax, root_a
	mov %eax, root_a + 511 * 8
	mov %eax, root_b
	mov %eax, root_b + 511 * 8
	mov $directory + 3, %eax
	mov %eax, pdpt
	mov %eax, pdpt + 510 * 8
	mov $directory, %edi
	mov $0x83, %eax
	mov $64, %ecx
1:	mov %eax, (%edi)
	add $0x200000, %eax
	add $8, %edi
	loop 1b
	mov $lazy_table + 3, %eax
	mov %eax, directory + (LAZY_VA >> 21) * 8
	mov $lazy_page + 3, %eax
	mov %eax, lazy_table + ((LAZY_VA >> 12) & 511) * 8
	ret

	.code64
long_mode:
	movabs $high + HIGH, %rax
	jmp *%rax
high:
	call load_segments
	movabs $stack0 + HIGH, %rsp
	call make_idt
	mov %cr4, %rax                  /* OSXSAVE, where the processor has it */
	mov %rax, %r8
	mov $1, %eax
	cpuid
	bt $26, %ecx
	jnc 1f
	or $0x40000, %r8
	mov %r8, %cr4
1:	lea vars(%rip), %rbp
	lea lazy_table(%rip), %rax
	mov (((LAZY_VA >> 12) & 511) * 8)(%rax), %rax
	mov %rax, v_lazy_pte(%rbp)
	call start_second
	xor %ebx, %ebx
	jmp main

load_segments:
	mov $DATA, %eax
	mov %eax, %ds
	mov %eax, %es
	mov %eax, %ss
	ret

/* --- Exceptions ------------------------------------------------------------ */
make_idt:
	lea idt(%rip), %rdi
	lea on_db(%rip), %rax
	mov $1, %ecx
	call set_gate
	lea on_bp(%rip), %rax
	mov $3, %ecx
	call set_gate
	lea on_ud(%rip), %rax
	mov $6, %ecx
	call set_gate
	lea on_gp(%rip), %rax
	mov $13, %ecx
	call set_gate
	lea on_pf(%rip), %rax
	mov $14, %ecx
	call set_gate
	lidt idtr_high(%rip)
	ret

set_gate:                               /* rax = handler, ecx = vector, rdi = IDT */
	shl $4, %ecx
	mov %ax, (%rdi, %rcx)
	movw $CODE, 2(%rdi, %rcx)
	movw $0x8e00, 4(%rdi, %rcx)
	shr $16, %rax
	mov %ax, 6(%rdi, %rcx)
	shr $16, %rax
	mov %eax, 8(%rdi, %rcx)
	ret

on_db:	lock incq v_db + vars(%rip)
	iretq

on_ud:	lock incq v_ud + vars(%rip)
	addq $3, (%rsp)                 /* XSETBV is three bytes long */
	iretq

on_gp:	lock incq v_gp + vars(%rip)
	add $8, %rsp
	addq $2, (%rsp)                 /* WRMSR and its like are two bytes long */
	iretq

on_bp:	push %rax
	mov 8(%rsp), %rax
	mov %rax, v_bp_rip + vars(%rip)
	lock incq v_bp + vars(%rip)
	pop %rax
	iretq

on_pf:	push %rax
	mov 8(%rsp), %rax
	mov %rax, v_pf_error + vars(%rip)
	mov 16(%rsp), %rax
	mov %rax, v_pf_rip + vars(%rip)
	mov %cr2, %rax
	mov %rax, v_pf_cr2 + vars(%rip)
	lock incq v_pf + vars(%rip)
	and $-4096, %rax                /* brings the lazy page in, and only that */
	cmp $LAZY_VA, %rax
	jne 1f
	mov v_lazy_pte + vars(%rip), %rax
	mov %rax, lazy_table + ((LAZY_VA >> 12) & 511) * 8(%rip)
	invlpg LAZY_VA
1:	pop %rax
	add $8, %rsp
	iretq

/* --- Second processor: VCPUOP_initialise, VCPUOP_up ------------------------ */
start_second:
	lea second_context(%rip), %rdx
	mov %cr0, %rax
	mov %rax, 8 + 10 * 8(%rdx)
	mov %cr3, %rax
	mov %rax, 8 + 11 * 8(%rdx)
	mov %cr4, %rax
	mov %rax, 8 + 12 * 8(%rdx)
	mov $0xc0000080, %ecx
	rdmsr
	lea second_context(%rip), %rdx
	mov %eax, 8 + 13 * 8(%rdx)
	mov $24, %eax                   /* vcpu_op(VCPUOP_initialise, 1, context) */
	xor %edi, %edi
	mov $1, %esi
	vmcall
	test %rax, %rax
	jnz 1f                          /* a guest of one processor */
	mov $24, %eax                   /* vcpu_op(VCPUOP_up, 1) */
	mov $1, %edi
	mov $1, %esi
	vmcall
1:	ret

second_entry:
	lgdt gdtr_high(%rip)
	lidt idtr_high(%rip)
	call load_segments
	pushq $CODE
	lea 1f(%rip), %rax
	push %rax
	lretq
1:	lea vars(%rip), %rbp
	xor %ebx, %ebx
2:	mov %rbx, %rdi
	call hot
	incq v_calls1(%rbp)
	inc %rbx
	mov %rbx, v_rounds1(%rbp)
	call delay
	jmp 2b

/* --- Main loop ------------------------------------------------------------- */
.macro on_mode bit, function
	testq $\bit, v_mode(%rbp)
	jz 9f
	call \function
9:
.endm

	.globl main
main:
	mov %rbx, %rdi
	call hot
	incq v_calls(%rbp)
	on_mode MODE_INTEGRITY, do_integrity
	on_mode MODE_CR3, do_cr3
	on_mode MODE_CR4, do_cr4
	on_mode MODE_MSR, do_msr
	on_mode MODE_CPUID, do_cpuid
	on_mode MODE_INT3, do_int3
	on_mode MODE_LAZY, do_lazy
	on_mode MODE_VMCALL, do_vmcall
	on_mode MODE_OUT, do_out
	on_mode MODE_XCR0, do_xcr0
	on_mode MODE_ICEBP, do_icebp
	inc %rbx
	mov %rbx, v_rounds(%rbp)
	call delay
	jmp main

delay:	mov $2000, %ecx                 /* dom0 wants the processor, too */
1:	pause
	loop 1b
	ret

do_integrity:
	lea hot(%rip), %rax
	movzbl (%rax), %eax
	cmp $0x55, %al
	je 1f
	incq v_bad(%rbp)
1:	ret

do_cr3:	lea root_a(%rip), %rax
	test $1, %bl
	jz 1f
	lea root_b(%rip), %rax
1:	movabs $HIGH, %rcx
	sub %rcx, %rax
	.globl cr3_write
cr3_write:
	mov %rax, %cr3
	incq v_cr3_writes(%rbp)
	ret

do_cr4:	mov %cr4, %rax
	xor $4, %rax
	mov %rax, %cr4
	incq v_cr4_writes(%rbp)
	ret

do_msr:	mov $0x176, %ecx
	mov %ebx, %eax
	xor %edx, %edx
	wrmsr
	incq v_msr_writes(%rbp)
	ret

do_cpuid:
	push %rbx
	xor %eax, %eax
	cpuid
	mov %rbx, v_cpuid_ebx(%rbp)
	pop %rbx
	incq v_cpuids(%rbp)
	ret

do_int3:
	int3
	.globl after_int3
after_int3:
	incq v_int3s(%rbp)
	ret

do_lazy:
	movq $0, lazy_table + ((LAZY_VA >> 12) & 511) * 8(%rip)
	invlpg LAZY_VA
	mov LAZY_VA, %rax
	add %rax, v_lazy_sum(%rbp)
	incq v_lazy_reads(%rbp)
	ret

do_vmcall:
	mov $34, %eax                   /* hvm_op(HVMOP_guest_request_vm_event) */
	mov $24, %edi
	xor %esi, %esi
	vmcall
	incq v_vmcalls(%rbp)
	ret

do_out:	mov %bl, %al
	out %al, $0x84
	incq v_outs(%rbp)
	ret

do_xcr0:
	xor %ecx, %ecx
	xor %edx, %edx
	mov %ebx, %eax
	and $1, %eax
	lea 1(%rax, %rax), %eax         /* 1 or 3: x87, x87 and SSE */
	xsetbv
	incq v_xcr0_writes(%rbp)
	ret

do_icebp:
	.byte 0xf1
	.globl after_icebp
after_icebp:
	incq v_icebps(%rbp)
	ret

/* --- The hot function, alone on its page ----------------------------------- */
	.section .hot, "ax"
	.align 4096
	.globl hot
hot:	push %rbp
	mov %rsp, %rbp
	lea 1(%rdi), %rax
	nop
	pop %rbp
	ret
	.align 4096

	.section .vars, "aw"
	.align 4096
	.globl vars
vars:	.skip 4096

	.section .rodata, "a"
	.align 8
gdt:	.quad 0
	.quad 0x00af9b000000ffff
	.quad 0x00cf93000000ffff
gdtr:	.word 23
	.long gdt
	.align 8
gdtr_high:
	.word 23
	.quad gdt + HIGH
	.align 8
idtr_high:
	.word 32 * 16 - 1
	.quad idt + HIGH
	.align 8
second_context:                         /* struct vcpu_hvm_context */
	.long 1, 0                      /* VCPU_HVM_MODE_64B */
	.quad 0, 0, 0, 0                /* rax, rcx, rdx, rbx */
	.quad stack1 + HIGH, 0, 0, 0    /* rsp, rbp, rsi, rdi */
	.quad second_entry + HIGH, 2    /* rip, rflags */
	.quad 0, 0, 0, 0                /* cr0, cr3, cr4, efer */
	.skip 256

	.section .bss
	.align 4096
	.globl root_a, root_b, lazy_table, lazy_page
root_a:	.skip 4096
root_b:	.skip 4096
pdpt:	.skip 4096
directory: .skip 4096
lazy_table: .skip 4096
lazy_page: .skip 4096
idt:	.skip 4096
	.skip 8192
stack0:	.skip 8192
stack1:
