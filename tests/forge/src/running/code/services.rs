//! The system services and the bodies of the functions that are there to be hooked. A body
//! counts its call in the words of the actor that calls.

use iced_x86::code_asm::*;

use super::kernel::{Context, Routines};
use super::symbols::FIFTH_ARGUMENT;
use super::{Emit, actor_word, at, load_actor, loader};
use crate::running::user_space::{ENDS_THREAD, RECURSION};
use crate::running::words::ActorWord;

/// Arguments on the user-mode stack that the dispatcher copies.
const STACK_ARGUMENTS: i32 = 8;
/// Members of `_OBJECT_ATTRIBUTES` and `_UNICODE_STRING`.
const OBJECT_NAME: u64 = 0x10;
const BUFFER: u64 = 8;
/// Handle that `NtCreateFile` returns.
const NEW_HANDLE: i32 = 4;

pub(super) fn emit(a: &mut CodeAssembler, context: &Context, r: &mut Routines) -> Emit {
    dispatch(a, context, r)?;
    create_file(a, context, r)?;
    open_object(a, context, r)?;
    exit_thread(a, context, r)?;
    write_file(a, context, r)?;
    driver(a, context, r)
}

/// The rest of the way from `KiSystemServiceUser` to `KiSystemServiceCopyEnd`: finds the service
/// of number EAX and copies the arguments on the user-mode stack.
fn dispatch(a: &mut CodeAssembler, context: &Context, r: &mut Routines) -> Emit {
    let plan = context.plan;
    a.set_label(&mut r.dispatch)?;
    a.and(eax, 7)?;
    a.mov(r10, plan.services)?;
    a.mov(r10, ptr(r10 + rax * 8))?;
    a.mov(r11, rcx)?;
    a.mov(rsi, at(rbp, plan.fields.trap_frame.rsp))?;
    a.add(rsi, 0x28)?;
    a.sub(rsp, 0x20 + STACK_ARGUMENTS * 8)?;
    a.lea(rdi, ptr(rsp + 0x20))?;
    a.mov(ecx, STACK_ARGUMENTS)?;
    a.rep().movsq()?;
    a.mov(rcx, r11)?;
    a.mov(rax, context.image.copy_end)?;
    a.jmp(rax)
}

/// Adds the first five arguments to the actor's sum. RBX holds the actor; uses RAX.
fn sum_arguments(a: &mut CodeAssembler) -> Emit {
    a.lea(rax, ptr(rcx + rdx))?;
    a.add(rax, r8)?;
    a.add(rax, r9)?;
    a.add(rax, ptr(rsp + FIFTH_ARGUMENT as i32))?;
    a.add(actor_word(rbx, ActorWord::ArgumentSum), rax)
}

/// `NtCreateFile(FileHandle, DesiredAccess, ObjectAttributes, ...)`: reads the path and opens it.
fn create_file(a: &mut CodeAssembler, context: &Context, r: &mut Routines) -> Emit {
    let (mut unit, mut read) = (a.create_label(), a.create_label());
    a.set_label(&mut r.create_file)?;
    load_actor(a, context.plan, rbx)?;
    a.inc(actor_word(rbx, ActorWord::Creates))?;
    sum_arguments(a)?;
    a.push(rcx)?;
    a.mov(rax, at(r8, OBJECT_NAME))?;
    a.movzx(ecx, word_ptr(rax))?;
    a.mov(rax, at(rax, BUFFER))?;
    a.set_label(&mut unit)?;
    a.sub(ecx, 2)?;
    a.jb(read)?;
    a.movzx(r9d, word_ptr(rax + rcx))?;
    a.add(actor_word(rbx, ActorWord::PathSum), r9)?;
    a.jmp(unit)?;
    a.set_label(&mut read)?;
    a.mov(ecx, RECURSION as i32)?;
    a.mov(rax, context.image.open_object)?;
    a.call(rax)?;
    a.pop(rcx)?;
    a.mov(qword_ptr(rcx), NEW_HANDLE)?;
    a.xor(eax, eax)?;
    a.ret()
}

/// `ObOpenObjectByName`: calls itself ECX times; at the bottom, access `ENDS_THREAD` in EDX ends
/// the thread in the middle of all calls.
fn open_object(a: &mut CodeAssembler, context: &Context, r: &mut Routines) -> Emit {
    let (mut bottom, mut end) = (a.create_label(), a.create_label());
    a.set_label(&mut r.open_object)?;
    load_actor(a, context.plan, rbx)?;
    a.inc(actor_word(rbx, ActorWord::Opens))?;
    a.sub(ecx, 1)?;
    a.jb(bottom)?;
    a.mov(rax, context.image.open_object)?;
    a.call(rax)?;
    a.jmp(end)?;
    a.set_label(&mut bottom)?;
    a.test(edx, ENDS_THREAD)?;
    a.je(end)?;
    a.mov(rax, context.image.exit_thread)?;
    a.call(rax)?;
    a.set_label(&mut end)?;
    a.inc(actor_word(rbx, ActorWord::OpenReturns))?;
    a.xor(eax, eax)?;
    a.ret()
}

/// `PspExitThread`: does not return.
fn exit_thread(a: &mut CodeAssembler, context: &Context, r: &mut Routines) -> Emit {
    a.set_label(&mut r.exit_thread)?;
    load_actor(a, context.plan, rbx)?;
    a.inc(actor_word(rbx, ActorWord::ThreadExits))?;
    a.jmp(r.done)
}

/// `NtWriteFile(FileHandle, Event, ApcRoutine, ApcContext, IoStatusBlock, ...)`.
fn write_file(a: &mut CodeAssembler, context: &Context, r: &mut Routines) -> Emit {
    a.set_label(&mut r.write_file)?;
    load_actor(a, context.plan, rbx)?;
    a.inc(actor_word(rbx, ActorWord::Writes))?;
    sum_arguments(a)?;
    a.xor(eax, eax)?;
    a.ret()
}

/// The driver's function: calls that of the driver that is loaded late, and loads the plugin.
fn driver(a: &mut CodeAssembler, context: &Context, r: &mut Routines) -> Emit {
    a.set_label(&mut r.driver)?;
    load_actor(a, context.plan, rbx)?;
    a.inc(actor_word(rbx, ActorWord::DriverCalls))?;
    loader::call_late(a, context)?;
    a.call(r.plugin)?;
    a.xor(eax, eax)?;
    a.ret()
}
