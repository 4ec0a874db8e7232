//! What a 64-bit process runs in user mode: an iteration ends with the service that gives up
//! the processor, or with the end of the thread.

use iced_x86::code_asm::*;

use super::{Assembled, Emit};
use crate::running::user_space::{
    ABSOLUTE, ACCESS, BUFFER, BUFFER_LENGTH, ENDS_THREAD, EXIT_PERIOD, HANDLE, HANDLE_COUNT,
    HANDLES, NUMBER, PLUGIN_FUNCTION, RELATIVE, STATUS,
};

/// Numbers of the system services.
pub(in crate::running) const CREATE_FILE: u32 = 0;
pub(in crate::running) const WRITE_FILE: u32 = 1;
pub(in crate::running) const YIELD: u32 = 2;
pub(in crate::running) const DRIVER_CALL: u32 = 3;

/// Arguments of `NtCreateFile` from the fifth on but the last two: no allocation size, normal
/// file, shared, opened, synchronous.
pub(super) const CREATE_ARGUMENTS: [u32; 5] = [0, 0x80, 7, 1, 0x20];

/// Code of a process in user mode.
pub(in crate::running) struct UserCode {
    pub bytes: Vec<u8>,
    /// First instruction of an iteration.
    pub entry: u64,
    /// Its INT3.
    pub breakpoint: u64,
    /// Its functions `NtCreateFile` and `NtWriteFile`.
    pub create_file: u64,
    pub write_file: u64,
    /// The `_OBJECT_ATTRIBUTES` that it gives to the kernel.
    pub attributes: [u64; 2],
}

/// Assembles the code for an address.
pub(in crate::running) fn assemble(address: u64) -> Emit<UserCode> {
    let mut a = CodeAssembler::new(64)?;
    let (mut create, mut write) = (a.create_label(), a.create_label());
    let (mut give_up, mut driver) = (a.create_label(), a.create_label());
    a.int3()?;
    a.sub(rsp, 0x68)?;
    a.mov(ebx, NUMBER as u32)?;
    a.inc(qword_ptr(rbx))?;
    a.mov(edx, ACCESS)?;
    call_create(&mut a, ABSOLUTE, create)?;
    call_write(&mut a, write)?;
    a.call(driver)?;
    call_plugin(&mut a)?;
    choose_access(&mut a)?;
    call_create(&mut a, RELATIVE, create)?;
    a.call(give_up)?;
    for (label, number) in [
        (&mut create, CREATE_FILE),
        (&mut write, WRITE_FILE),
        (&mut give_up, YIELD),
        (&mut driver, DRIVER_CALL),
    ] {
        a.set_label(label)?;
        a.mov(r10, rcx)?;
        a.mov(eax, number)?;
        a.syscall()?;
        a.ret()?;
    }
    let code = Assembled::new(&mut a, address)?;
    Ok(UserCode {
        entry: address,
        breakpoint: address,
        create_file: code.address(&create)?,
        write_file: code.address(&write)?,
        attributes: [ABSOLUTE, RELATIVE],
        bytes: code.bytes,
    })
}

/// `NtCreateFile(&handle, EDX, attributes, &status, ...)`.
fn call_create(a: &mut CodeAssembler, attributes: u64, function: CodeLabel) -> Emit {
    a.mov(ecx, HANDLE as u32)?;
    a.mov(r8d, attributes as u32)?;
    a.mov(r9d, STATUS as u32)?;
    let rest = CREATE_ARGUMENTS.into_iter().chain([0, 0]);
    for (index, argument) in rest.enumerate() {
        a.mov(qword_ptr(rsp + 0x20 + index as i32 * 8), argument as i32)?;
    }
    a.call(function)
}

/// `NtWriteFile(handle, 0, 0, 0, &status, buffer, length, 0, 0)`.
fn call_write(a: &mut CodeAssembler, function: CodeLabel) -> Emit {
    a.mov(eax, dword_ptr(rbx))?;
    a.and(eax, HANDLE_COUNT as i32 - 1)?;
    a.mov(rcx, qword_ptr(rbx + rax * 8 + (HANDLES - NUMBER) as i32))?;
    a.xor(edx, edx)?;
    a.xor(r8d, r8d)?;
    a.xor(r9d, r9d)?;
    let rest = [STATUS as u32, BUFFER as u32, BUFFER_LENGTH, 0, 0];
    for (index, argument) in rest.into_iter().enumerate() {
        a.mov(qword_ptr(rsp + 0x20 + index as i32 * 8), argument as i32)?;
    }
    a.call(function)
}

/// Calls the plugin's function if it is loaded.
fn call_plugin(a: &mut CodeAssembler) -> Emit {
    let mut none = a.create_label();
    a.mov(rax, qword_ptr(rbx + (PLUGIN_FUNCTION - NUMBER) as i32))?;
    a.test(rax, rax)?;
    a.je(none)?;
    a.call(rax)?;
    a.set_label(&mut none)?;
    a.nop()
}

/// EDX: the access, with the bit that ends the thread when its turn has come.
fn choose_access(a: &mut CodeAssembler) -> Emit {
    let mut usual = a.create_label();
    a.mov(edx, ACCESS)?;
    a.test(byte_ptr(rbx), EXIT_PERIOD as i32 - 1)?;
    a.jne(usual)?;
    a.or(edx, ENDS_THREAD)?;
    a.set_label(&mut usual)?;
    a.nop()
}
