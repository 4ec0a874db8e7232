//! From long mode on: a processor takes its number, its tables and its registers.

use iced_x86::code_asm::*;

use super::kernel::{Context, Routines};
use super::{Emit, far_return, gates, processor_word, word};
use crate::running::plan::APIC;
use crate::running::words::{ProcessorWord, STEP, Word};

/// Model-specific registers.
const EFER: u32 = 0xc000_0080;
const STAR: u32 = 0xc000_0081;
const LSTAR: u32 = 0xc000_0082;
const FMASK: u32 = 0xc000_0084;
const GS_BASE: u32 = 0xc000_0101;
pub(super) const KERNEL_GS_BASE: u32 = 0xc000_0102;
/// System-call enable.
const SCE: i32 = 1;
/// Selectors as Windows has them: kernel code and data, user data, task state.
const KERNEL_CODE: i32 = 0x10;
const KERNEL_DATA: i32 = 0x18;
const USER_DATA: i32 = 0x2b;
const TASK: i32 = 0x40;
/// Selector bases of SYSCALL (kernel) and SYSRET (user).
const STAR_VALUE: u64 = 0x0023_0010_0000_0000;
/// Flags that SYSCALL clears: trap, interrupt, direction, nested task.
const FMASK_VALUE: u64 = 0x4700;
/// Registers of the local APIC: spurious vector, task priority, interrupt command.
const APIC_SPURIOUS: i32 = 0xf0;
const APIC_PRIORITY: i32 = 0x80;
pub(super) const APIC_COMMAND: i32 = 0x300;
/// Bit of the spurious-vector register that switches the local APIC on.
const APIC_ENABLE: i32 = 0x100;
/// INIT, and STARTUP at the trampoline's page, to all others.
const COMMAND_INIT: i32 = 0x000c_4500;
const COMMAND_STARTUP: i32 = 0x000c_4600 | (super::boot::TRAMPOLINE >> 12) as i32;
/// Rounds of a pause between the two.
const INIT_PAUSE: i32 = 100_000;
/// Mask registers of the legacy interrupt controllers.
const PIC_MASKS: [i32; 2] = [0x21, 0xa1];
/// The port of the hypervisor's console.
const CONSOLE: i32 = 0xe9;

pub(super) fn emit(a: &mut CodeAssembler, context: &Context, r: &mut Routines) -> Emit {
    a.set_label(&mut r.start)?;
    take_number(a, context)?;
    load_tables(a)?;
    load_registers(a, context)?;
    enable_apic(a)?;
    start_others(a, context, r)?;
    a.jmp(r.idle)?;
    print(a, r)
}

/// RBX: the number; RDI: the processor's words. One processor too many sleeps for ever.
fn take_number(a: &mut CodeAssembler, context: &Context) -> Emit {
    let plan = context.plan;
    a.mov(rax, plan.words)?;
    a.mov(ebx, 1)?;
    a.lock().xadd(word(rax, Word::Online), rbx)?;
    let (mut wanted, mut park) = (a.create_label(), a.create_label());
    a.cmp(rbx, plan.processor_count as i32)?;
    a.jb(wanted)?;
    a.set_label(&mut park)?;
    a.hlt()?;
    a.jmp(park)?;
    a.set_label(&mut wanted)?;
    a.imul_3(rdi, rbx, STEP as i32)?;
    a.mov(rax, plan.processors)?;
    a.add(rdi, rax)
}

fn load_tables(a: &mut CodeAssembler) -> Emit {
    a.lgdt(ptr(rdi + ProcessorWord::Gdt.offset() as i32))?;
    a.lidt(ptr(rdi + ProcessorWord::Idt.offset() as i32))?;
    a.mov(rsp, processor_word(rdi, ProcessorWord::IdleStack))?;
    let mut reloaded = a.create_label();
    a.push(KERNEL_CODE)?;
    a.lea(rax, ptr(reloaded))?;
    a.push(rax)?;
    far_return(a)?;
    a.set_label(&mut reloaded)?;
    a.mov(eax, KERNEL_DATA)?;
    a.mov(ss, ax)?;
    a.mov(eax, USER_DATA)?;
    for segment in [ds, es, fs, gs] {
        a.mov(segment, ax)?;
    }
    a.mov(eax, TASK)?;
    a.ltr(ax)
}

fn load_registers(a: &mut CodeAssembler, context: &Context) -> Emit {
    let plan = context.plan;
    a.mov(ecx, EFER)?;
    a.rdmsr()?;
    a.or(eax, SCE)?;
    a.wrmsr()?;
    a.mov(rax, processor_word(rdi, ProcessorWord::Region))?;
    write_register(a, GS_BASE)?;
    for (register, value) in [
        (KERNEL_GS_BASE, 0),
        (STAR, STAR_VALUE),
        (LSTAR, context.image.system_call),
        (FMASK, FMASK_VALUE),
    ] {
        a.mov(rax, value)?;
        write_register(a, register)?;
    }
    a.mov(rax, plan.system_root)?;
    a.mov(cr3, rax)
}

/// Writes RAX to a model-specific register. Uses RCX and RDX.
pub(super) fn write_register(a: &mut CodeAssembler, register: u32) -> Emit {
    a.mov(rdx, rax)?;
    a.shr(rdx, 32)?;
    a.mov(ecx, register)?;
    a.wrmsr()
}

fn enable_apic(a: &mut CodeAssembler) -> Emit {
    a.mov(rdx, APIC)?;
    a.mov(dword_ptr(rdx + APIC_PRIORITY), 0)?;
    let spurious = APIC_ENABLE | gates::SPURIOUS_VECTOR as i32;
    a.mov(dword_ptr(rdx + APIC_SPURIOUS), spurious)
}

/// The first processor silences the legacy interrupts, greets and starts the others.
fn start_others(a: &mut CodeAssembler, context: &Context, r: &Routines) -> Emit {
    let (mut is_first, mut text, mut pause) =
        (a.create_label(), a.create_label(), a.create_label());
    a.test(rbx, rbx)?;
    a.jne(r.idle)?;
    a.mov(eax, 0xff)?;
    for port in PIC_MASKS {
        a.out(port, al)?;
    }
    a.lea(rsi, ptr(text))?;
    a.call(r.print)?;
    a.mov(rdx, APIC)?;
    a.mov(dword_ptr(rdx + APIC_COMMAND), COMMAND_INIT)?;
    a.mov(ecx, INIT_PAUSE)?;
    a.set_label(&mut pause)?;
    a.pause()?;
    a.dec(ecx)?;
    a.jne(pause)?;
    a.mov(dword_ptr(rdx + APIC_COMMAND), COMMAND_STARTUP)?;
    a.jmp(is_first)?;
    a.set_label(&mut text)?;
    a.db(context.image.started.as_bytes())?;
    a.db(b"\n\0")?;
    a.set_label(&mut is_first)?;
    a.nop()
}

/// Writes the text at RSI, up to its NUL, to the hypervisor's console. Uses RAX.
fn print(a: &mut CodeAssembler, r: &mut Routines) -> Emit {
    let mut end = a.create_label();
    a.set_label(&mut r.print)?;
    a.lodsb()?;
    a.test(al, al)?;
    a.je(end)?;
    a.out(CONSOLE, al)?;
    a.jmp(r.print)?;
    a.set_label(&mut end)?;
    a.ret()
}
