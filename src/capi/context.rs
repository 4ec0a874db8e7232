//! Contexts: registers as Windows stores them in a `CONTEXT`.

use super::{
    architecture::{exact, wvmi_architecture},
    ffi::Call,
    registers::wvmi_registers,
    status::{WVMI_OK, wvmi_status},
};
use crate::{
    arch::amd64::context::{CONTEXT_AMD64, CONTEXT_X86, ContextParts, Form},
    core::{Registers, Va},
    error::{Error, Result},
    os::windows::Architecture,
};

/// `wvmi_context_*`: instruction and stack pointer, flags, their segments.
pub const WVMI_CONTEXT_CONTROL: u32 = 1;
/// `wvmi_context_*`: general registers.
pub const WVMI_CONTEXT_INTEGER: u32 = 2;
/// `wvmi_context_*`: data segments.
pub const WVMI_CONTEXT_SEGMENTS: u32 = 4;
/// `wvmi_context_*`: x87 and, of 64-bit code, SSE registers, which
/// `wvmi_registers` does not hold.
pub const WVMI_CONTEXT_FLOATING_POINT: u32 = 8;
/// `wvmi_context_*`: debug registers.
pub const WVMI_CONTEXT_DEBUG_REGISTERS: u32 = 0x10;
/// `wvmi_context_*`: SSE registers of 32-bit code, which `wvmi_registers` does
/// not hold.
pub const WVMI_CONTEXT_EXTENDED_REGISTERS: u32 = 0x20;
/// `wvmi_context_*`: state behind the structure, which `wvmi_registers` does not
/// hold.
pub const WVMI_CONTEXT_XSTATE: u32 = 0x40;

/// Size of the `CONTEXT` of 32-bit code, in bytes.
pub const WVMI_CONTEXT_SIZE_32: usize = 0x2cc;
/// Size of the `CONTEXT` of 64-bit code, in bytes.
pub const WVMI_CONTEXT_SIZE_64: usize = 0x4d0;

const _: () = {
    use ContextParts as Parts;
    assert!(
        WVMI_CONTEXT_CONTROL == Parts::CONTROL.bits()
            && WVMI_CONTEXT_INTEGER == Parts::INTEGER.bits()
            && WVMI_CONTEXT_SEGMENTS == Parts::SEGMENTS.bits()
            && WVMI_CONTEXT_FLOATING_POINT == Parts::FLOATING_POINT.bits()
            && WVMI_CONTEXT_DEBUG_REGISTERS == Parts::DEBUG_REGISTERS.bits()
            && WVMI_CONTEXT_EXTENDED_REGISTERS == Parts::EXTENDED_REGISTERS.bits()
            && WVMI_CONTEXT_XSTATE == Parts::XSTATE.bits()
            && WVMI_CONTEXT_SIZE_32 == CONTEXT_X86.size()
            && WVMI_CONTEXT_SIZE_64 == CONTEXT_AMD64.size()
    );
};

fn form(architecture: wvmi_architecture, size: usize) -> Result<&'static Form> {
    let form = match exact(architecture)? {
        Architecture::X86 => &CONTEXT_X86,
        Architecture::Amd64 => &CONTEXT_AMD64,
    };
    if size < form.size() {
        let reason = format!("a CONTEXT of this width has {:#x} bytes", form.size());
        return Err(Error::invalid_argument("context_size", reason));
    }
    Ok(form)
}

/// Takes the registers out of the bytes of a `CONTEXT`.
///
/// Registers of parts that the context does not hold stay as they are in
/// `registers`: fill it beforehand, or zero it.
///
/// `context` has `context_size` bytes: at least `WVMI_CONTEXT_SIZE_64` or
/// `WVMI_CONTEXT_SIZE_32`, as `architecture` says (one of the two widths).
/// `registers` is read and written, `size` is `sizeof *registers`. `parts` (may
/// be NULL) receives what the context holds: `WVMI_CONTEXT_*` bits
/// (`ContextFlags`).
///
/// Returns `WVMI_OK`; `WVMI_ERROR_CORRUPT` when its flags say that it is no
/// context of this width; `WVMI_ERROR_NULL_ARGUMENT`;
/// `WVMI_ERROR_INVALID_ARGUMENT`.
///
/// Any thread, also from a callback.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wvmi_context_load(
    context: *const u8,
    context_size: usize,
    architecture: wvmi_architecture,
    registers: *mut wvmi_registers,
    size: usize,
    parts: *mut u32,
) -> wvmi_status {
    // SAFETY: the caller passes pointers as the header demands.
    let call = unsafe { Call::new(c"wvmi_context_load") };
    call.run(|| {
        let bytes = call.slice(context, context_size, "context")?;
        let form = form(architecture, context_size)?;
        let before = call.sized_input(registers, size, "registers")?;
        let output = call.sized_output(registers, size, "registers")?;
        let mut values = Registers::from(&before);
        let found = form.load(bytes, &mut values).ok_or_else(|| {
            let reason = "its ContextFlags are not those of this width";
            Error::corrupt("CONTEXT", Va(0), reason)
        })?;
        if let Some(parts) = call.optional_output(parts) {
            parts.write(found.bits());
        }
        output.write((&values).into());
        Ok(WVMI_OK)
    })
}

/// Stores registers in the bytes of a `CONTEXT`, and the flags that say so.
///
/// All other bytes stay as they are: zero them for a new one.
///
/// `registers` holds the values, `size` is `sizeof *registers`. `parts` says
/// which to store: `WVMI_CONTEXT_*` bits of control, integer, segments and
/// debug registers. `context` has `context_size` bytes, as for
/// `wvmi_context_load()`.
///
/// Returns `WVMI_OK`; `WVMI_ERROR_NULL_ARGUMENT`; `WVMI_ERROR_INVALID_ARGUMENT`,
/// also for parts that `wvmi_registers` does not hold.
///
/// Any thread, also from a callback.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wvmi_context_store(
    registers: *const wvmi_registers,
    size: usize,
    parts: u32,
    architecture: wvmi_architecture,
    context: *mut u8,
    context_size: usize,
) -> wvmi_status {
    // SAFETY: the caller passes pointers as the header demands.
    let call = unsafe { Call::new(c"wvmi_context_store") };
    call.run(|| {
        let registers = call.sized_input(registers, size, "registers")?;
        let bytes = call.buffer(context, context_size, "context")?;
        let form = form(architecture, context_size)?;
        let held = ContextParts::CONTROL
            | ContextParts::INTEGER
            | ContextParts::SEGMENTS
            | ContextParts::DEBUG_REGISTERS;
        let parts = ContextParts::from_bits(parts).filter(|parts| held.contains(*parts));
        let parts =
            parts.ok_or_else(|| Error::invalid_argument("parts", "bits that cannot be stored"))?;
        form.store(&Registers::from(&registers), parts, bytes);
        Ok(WVMI_OK)
    })
}
