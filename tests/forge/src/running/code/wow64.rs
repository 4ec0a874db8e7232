//! What a 32-bit process runs: 32-bit code in the compatibility segment, whose system calls go
//! through 64-bit code that converts their arguments, as WoW64 does.

use iced_x86::code_asm::*;
use iced_x86::{Code, Instruction};

use super::user::{CREATE_ARGUMENTS, CREATE_FILE, DRIVER_CALL, UserCode, WRITE_FILE, YIELD};
use super::{Assembled, Emit, far_return};
use crate::running::user_space::{
    ABSOLUTE, ACCESS, BUFFER, BUFFER_LENGTH, ENDS_THREAD, EXIT_PERIOD, HANDLE, HANDLE_COUNT,
    HANDLES, NUMBER, RELATIVE, STACK, STACK32, STATUS,
};

/// Code segments of user mode.
const CODE64: u16 = 0x33;
const CODE32: i32 = 0x23;
/// Room for the 32-bit code before the 64-bit code.
const CODE32_SIZE: u64 = 0x400;
/// Where the 64-bit code builds `_OBJECT_ATTRIBUTES` and its name on its stack.
const ATTRIBUTES: i32 = 0x80;
const NAME: i32 = 0xc0;
/// Arguments of `NtCreateFile` and `NtWriteFile`.
const CREATE_COUNT: u32 = 11;
const WRITE_COUNT: u32 = 9;
/// Arguments that are passed in registers.
const IN_REGISTERS: i32 = 4;

/// Assembles the code for an address: 32-bit code first.
pub(in crate::running) fn assemble(address: u64) -> Emit<UserCode> {
    let code64 = address + CODE32_SIZE;
    let mut a = CodeAssembler::new(32)?;
    let (mut create, mut write) = (a.create_label(), a.create_label());
    iteration(&mut a, code64, create, write)?;
    service(&mut a, &mut create, CREATE_FILE, CREATE_COUNT, code64)?;
    service(&mut a, &mut write, WRITE_FILE, WRITE_COUNT, code64)?;
    let low = Assembled::new(&mut a, address)?;
    let (high, entry) = assemble_64(code64, address)?;
    let mut bytes = low.bytes.clone();
    bytes.resize(CODE32_SIZE as usize, 0xcc);
    bytes.extend(high);
    Ok(UserCode {
        bytes,
        entry,
        breakpoint: address,
        create_file: low.address(&create)?,
        write_file: low.address(&write)?,
        attributes: [STACK + ATTRIBUTES as u64; 2],
    })
}

/// One iteration, all arguments on the stack.
fn iteration(a: &mut CodeAssembler, code64: u64, create: CodeLabel, write: CodeLabel) -> Emit {
    let mut usual = a.create_label();
    a.int3()?;
    a.inc(dword_ptr(NUMBER as u32))?;
    a.mov(edx, ACCESS)?;
    call_create(a, ABSOLUTE, create)?;
    a.mov(ebx, dword_ptr(NUMBER as u32))?;
    a.and(ebx, HANDLE_COUNT as i32 - 1)?;
    let rest = [0, 0, BUFFER_LENGTH, BUFFER as u32, STATUS as u32, 0, 0, 0];
    for argument in rest {
        a.push(argument as i32)?;
    }
    a.push(dword_ptr(ebx * 8 + HANDLES as u32))?;
    a.call(write)?;
    a.mov(eax, DRIVER_CALL)?;
    transition(a, code64)?;
    a.mov(edx, ACCESS)?;
    a.test(byte_ptr(NUMBER as u32), EXIT_PERIOD as i32 - 1)?;
    a.jne(usual)?;
    a.or(edx, ENDS_THREAD)?;
    a.set_label(&mut usual)?;
    call_create(a, RELATIVE, create)?;
    a.mov(eax, YIELD)?;
    transition(a, code64)
}

/// `NtCreateFile(&handle, EDX, attributes, &status, ...)`.
fn call_create(a: &mut CodeAssembler, attributes: u64, function: CodeLabel) -> Emit {
    a.push(0)?;
    a.push(0)?;
    for argument in CREATE_ARGUMENTS.into_iter().rev() {
        a.push(argument as i32)?;
    }
    a.push(STATUS as i32)?;
    a.push(attributes as i32)?;
    a.push(edx)?;
    a.push(HANDLE as i32)?;
    a.call(function)
}

/// A function of the 32-bit system library.
fn service(
    a: &mut CodeAssembler,
    label: &mut CodeLabel,
    number: u32,
    arguments: u32,
    code64: u64,
) -> Emit {
    a.set_label(label)?;
    a.mov(eax, number)?;
    transition(a, code64)?;
    a.ret_1(arguments * 4)
}

/// To the 64-bit code, which comes back to the next instruction (its address is in ECX).
fn transition(a: &mut CodeAssembler, code64: u64) -> Emit {
    let mut here = a.create_label();
    a.call(here)?;
    a.set_label(&mut here)?;
    a.pop(ecx)?;
    // Back is behind the far jump: one byte of POP, three of ADD and seven of JMP.
    a.add(ecx, 11)?;
    a.add_instruction(Instruction::with_far_branch(
        Code::Jmp_ptr1632,
        CODE64,
        code64 as u32,
    )?)
}

/// The 64-bit code: what converts a call (its address is `address`), and the first instruction
/// of an iteration, which goes to the 32-bit code.
fn assemble_64(address: u64, code32: u64) -> Emit<(Vec<u8>, u64)> {
    let mut a = CodeAssembler::new(64)?;
    let (mut convert_create, mut convert, mut call) =
        (a.create_label(), a.create_label(), a.create_label());
    // The 32-bit stack: the return address of the function, then its arguments.
    a.mov(r14d, esp)?;
    a.mov(r15d, ecx)?;
    a.mov(esp, STACK as u32)?;
    a.cmp(eax, CREATE_FILE as i32)?;
    a.je(convert_create)?;
    a.cmp(eax, WRITE_FILE as i32)?;
    a.jne(call)?;
    a.mov(r8d, dword_ptr(r14 + 12))?;
    a.set_label(&mut convert)?;
    a.mov(r10d, dword_ptr(r14 + 4))?;
    a.mov(edx, dword_ptr(r14 + 8))?;
    a.mov(r9d, dword_ptr(r14 + 16))?;
    for index in IN_REGISTERS..CREATE_COUNT as i32 {
        a.mov(ecx, dword_ptr(r14 + 4 + index * 4))?;
        a.mov(qword_ptr(rsp + 8 + index * 8), rcx)?;
    }
    a.set_label(&mut call)?;
    a.syscall()?;
    a.mov(rsp, r14)?;
    go_to_32(&mut a, r15)?;
    a.set_label(&mut convert_create)?;
    convert_attributes(&mut a)?;
    a.jmp(convert)?;
    let mut entry = a.create_label();
    a.set_label(&mut entry)?;
    a.mov(esp, STACK32 as u32)?;
    a.mov(r15d, code32 as u32)?;
    go_to_32(&mut a, r15)?;
    let code = Assembled::new(&mut a, address)?;
    let entry = code.address(&entry)?;
    Ok((code.bytes, entry))
}

/// Goes to 32-bit code; what lies below the stack pointer is overwritten.
fn go_to_32(a: &mut CodeAssembler, target: AsmRegister64) -> Emit {
    a.push(CODE32)?;
    a.push(target)?;
    far_return(a)
}

/// R8: 64-bit `_OBJECT_ATTRIBUTES` on the stack, made from those that the third argument points
/// to.
fn convert_attributes(a: &mut CodeAssembler) -> Emit {
    a.mov(r8d, dword_ptr(r14 + 12))?;
    a.mov(qword_ptr(rsp + ATTRIBUTES), 0x30)?;
    for (from, to) in [(4, 8), (12, 0x18), (16, 0x20), (20, 0x28)] {
        a.mov(ecx, dword_ptr(r8 + from))?;
        a.mov(qword_ptr(rsp + ATTRIBUTES + to), rcx)?;
    }
    a.mov(r8d, dword_ptr(r8 + 8))?;
    a.mov(ecx, dword_ptr(r8))?;
    a.mov(qword_ptr(rsp + NAME), rcx)?;
    a.mov(ecx, dword_ptr(r8 + 4))?;
    a.mov(qword_ptr(rsp + NAME + 8), rcx)?;
    a.lea(rcx, ptr(rsp + NAME))?;
    a.mov(qword_ptr(rsp + ATTRIBUTES + 0x10), rcx)?;
    a.lea(r8, ptr(rsp + ATTRIBUTES))
}
