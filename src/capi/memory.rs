//! Reading and writing bytes, numbers and text.

use std::ffi::{CStr, c_char};

use super::{
    error::Failure,
    ffi::{Call, Output, Plain},
    quick,
    session::wvmi_session,
    space::wvmi_space,
    status::{WVMI_OK, wvmi_status},
};
use crate::{
    core::{Capabilities, Partial, STRING_MAX},
    error::Error,
    os::windows::{Architecture, UnicodeString},
};

/// No text that the library returns is longer, in bytes, without the terminator.
pub const WVMI_STRING_MAX: usize = 98304;

const _: () = assert!(WVMI_STRING_MAX == STRING_MAX);

/// A unit becomes 3 bytes of UTF-8 at most.
const UNITS_MAX: usize = STRING_MAX / 3;

/// Reports how far an access came, whatever its outcome.
pub fn report(
    result: Result<(), Partial>,
    size: usize,
    done: Option<Output<'_, usize>>,
) -> Result<wvmi_status, Failure> {
    if let Some(done) = done {
        done.write(result.map_or_else(|partial| partial.done, |()| size));
    }
    result?;
    Ok(WVMI_OK)
}

/// Reads bytes.
///
/// Reads across pages and stops at the first that is absent: the bytes before
/// it are in the buffer and counted in `done`.
///
/// `space` says where `address` lives. `buffer` receives `size` bytes; it may be
/// NULL when `size` is 0. `done` (may be NULL) receives the number of bytes
/// read, also on `WVMI_ERROR_FAULT`.
///
/// Returns `WVMI_OK`; `WVMI_ERROR_FAULT` when a byte is absent, with its address
/// and the reason in the last error; `WVMI_ERROR_NULL_ARGUMENT`;
/// `WVMI_ERROR_INVALID_ARGUMENT` for an unknown space; `WVMI_ERROR_NO_KERNEL` or
/// `WVMI_ERROR_NO_SYMBOLS` when the space cannot be resolved.
///
/// Any thread, also from a callback; reads run in parallel.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wvmi_read(
    session: *mut wvmi_session,
    space: wvmi_space,
    address: u64,
    buffer: *mut u8,
    size: usize,
    done: *mut usize,
) -> wvmi_status {
    // SAFETY: the caller passes pointers as the header demands.
    let call = unsafe { Call::new(c"wvmi_read") };
    if let Some(bytes) = call.possible_buffer(buffer, size)
        && quick::read(session, space, address, bytes)
    {
        if let Some(done) = call.optional_output(done) {
            done.write(size);
        }
        return WVMI_OK;
    }
    read_any(session, space, address, buffer, size, done)
}

/// The body. It has the convention of its caller, which knows from that that it does
/// not unwind, and ends with a jump.
#[inline(never)]
extern "C" fn read_any(
    session: *mut wvmi_session,
    space: wvmi_space,
    address: u64,
    buffer: *mut u8,
    size: usize,
    done: *mut usize,
) -> wvmi_status {
    // SAFETY: the arguments are those of `wvmi_read`.
    let call = unsafe { Call::new(c"wvmi_read") };
    call.run(|| {
        let session = call.session(session)?;
        let buffer = call.buffer(buffer, size, "buffer")?;
        let space = session.space(space)?;
        let result = session.memory().read(space, address, buffer);
        report(result, size, call.optional_output(done))
    })
}

/// Writes bytes.
///
/// Writes across pages and stops at the first that cannot be written: the bytes
/// before it are written and counted in `done`.
///
/// `space` says where `address` lives. `bytes` holds `size` bytes; it may be
/// NULL when `size` is 0. `done` (may be NULL) receives the number of bytes
/// written, also on errors of the write itself.
///
/// Returns `WVMI_OK`; `WVMI_ERROR_NOT_SUPPORTED` when the back end cannot write
/// (images are never changed); `WVMI_ERROR_FAULT`; else as `wvmi_read()`.
///
/// Any thread, also from a callback.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wvmi_write(
    session: *mut wvmi_session,
    space: wvmi_space,
    address: u64,
    bytes: *const u8,
    size: usize,
    done: *mut usize,
) -> wvmi_status {
    // SAFETY: the caller passes pointers as the header demands.
    let call = unsafe { Call::new(c"wvmi_write") };
    call.run(|| {
        let session = call.session(session)?;
        let bytes = call.slice(bytes, size, "bytes")?;
        let space = session.space(space)?;
        if !session
            .engine()
            .capabilities()
            .contains(Capabilities::WRITE)
        {
            return Err(Error::not_supported("writing to this back end").into());
        }
        let result = session.engine().memory().write(space, address, bytes);
        report(result, size, call.optional_output(done))
    })
}

/// A number as the guest stores it: little-endian.
trait Number: Plain {
    /// The function that reads it.
    const FUNCTION: &CStr;
    type Bytes: Default + AsMut<[u8]>;

    fn decode(bytes: Self::Bytes) -> Self;
}

macro_rules! number {
    ($number:ty, $function:literal) => {
        impl Number for $number {
            const FUNCTION: &CStr = $function;
            type Bytes = [u8; size_of::<$number>()];

            #[inline(always)]
            fn decode(bytes: Self::Bytes) -> Self {
                Self::from_le_bytes(bytes)
            }
        }
    };
}
number!(u8, c"wvmi_read_u8");
number!(u16, c"wvmi_read_u16");
number!(u32, c"wvmi_read_u32");
number!(u64, c"wvmi_read_u64");

#[inline(always)]
fn read_number<T: Number>(
    session: *mut wvmi_session,
    space: wvmi_space,
    address: u64,
    value: *mut T,
) -> wvmi_status {
    // SAFETY: the arguments are those of the extern function.
    let call = unsafe { Call::new(T::FUNCTION) };
    let mut bytes = T::Bytes::default();
    if let Some(value) = call.optional_output(value)
        && quick::read(session, space, address, bytes.as_mut())
    {
        value.write(T::decode(bytes));
        return WVMI_OK;
    }
    read_any_number(session, space, address, value)
}

/// The body; as [`read_any`].
#[inline(never)]
extern "C" fn read_any_number<T: Number>(
    session: *mut wvmi_session,
    space: wvmi_space,
    address: u64,
    value: *mut T,
) -> wvmi_status {
    // SAFETY: the arguments are those of the extern function.
    let call = unsafe { Call::new(T::FUNCTION) };
    call.run(|| {
        let session = call.session(session)?;
        let value = call.output(value, "value")?;
        let space = session.space(space)?;
        let mut bytes = T::Bytes::default();
        session.memory().read(space, address, bytes.as_mut())?;
        value.write(T::decode(bytes));
        Ok(WVMI_OK)
    })
}

/// Reads one byte.
///
/// `space` says where `address` lives; `value` receives the number.
///
/// Returns as `wvmi_read()`; nothing is written on a partial read.
///
/// Any thread, also from a callback.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wvmi_read_u8(
    session: *mut wvmi_session,
    space: wvmi_space,
    address: u64,
    value: *mut u8,
) -> wvmi_status {
    read_number(session, space, address, value)
}

/// Reads a 16-bit number in the guest's byte order (little-endian).
///
/// `space` says where `address` lives; `value` receives the number. The address
/// need not be aligned.
///
/// Returns as `wvmi_read()`; nothing is written on a partial read.
///
/// Any thread, also from a callback.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wvmi_read_u16(
    session: *mut wvmi_session,
    space: wvmi_space,
    address: u64,
    value: *mut u16,
) -> wvmi_status {
    read_number(session, space, address, value)
}

/// Reads a 32-bit number in the guest's byte order (little-endian).
///
/// `space` says where `address` lives; `value` receives the number. The address
/// need not be aligned.
///
/// Returns as `wvmi_read()`; nothing is written on a partial read.
///
/// Any thread, also from a callback.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wvmi_read_u32(
    session: *mut wvmi_session,
    space: wvmi_space,
    address: u64,
    value: *mut u32,
) -> wvmi_status {
    read_number(session, space, address, value)
}

/// Reads a 64-bit number, such as a pointer of 64-bit code, in the guest's byte
/// order (little-endian).
///
/// `space` says where `address` lives; `value` receives the number. The address
/// need not be aligned.
///
/// Returns as `wvmi_read()`; nothing is written on a partial read.
///
/// Any thread, also from a callback.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wvmi_read_u64(
    session: *mut wvmi_session,
    space: wvmi_space,
    address: u64,
    value: *mut u64,
) -> wvmi_status {
    read_number(session, space, address, value)
}

/// Reads a NUL-terminated string of bytes.
///
/// Reads up to the first NUL or `limit` bytes, page by page, so that a string
/// that ends before an absent page is whole. Bytes that are not UTF-8 become
/// U+FFFD.
///
/// `space` says where `address` lives. `limit` is the largest number of guest
/// bytes to read; 0 is `WVMI_STRING_MAX`, and more is cut to it. The text goes
/// into `buffer` of `capacity` bytes; `length` (may be NULL) receives its
/// length.
///
/// Returns `WVMI_OK`, `WVMI_ERROR_BUFFER_TOO_SMALL`, else as `wvmi_read()`.
///
/// Any thread, also from a callback.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wvmi_read_string(
    session: *mut wvmi_session,
    space: wvmi_space,
    address: u64,
    limit: usize,
    buffer: *mut c_char,
    capacity: usize,
    length: *mut usize,
) -> wvmi_status {
    // SAFETY: the caller passes pointers as the header demands.
    let call = unsafe { Call::new(c"wvmi_read_string") };
    call.run(|| {
        let session = call.session(session)?;
        let output = call.text_buffer(buffer, capacity, length)?;
        let space = session.space(space)?;
        let limit = if limit == 0 { STRING_MAX } else { limit };
        let memory = session.engine().memory();
        let bytes = memory.read_c_string(space, address, limit)?;
        let text = String::from_utf8_lossy(&bytes);
        // Each byte that is not UTF-8 has become three.
        let end = text.floor_char_boundary(STRING_MAX);
        output.write(text.get(..end).unwrap_or_default())?;
        Ok(WVMI_OK)
    })
}

/// Form of a `UNICODE_STRING`; one of the `WVMI_STRING_*` numbers.
pub type wvmi_string_kind = u32;

/// `_UNICODE_STRING` of 64-bit code: 16 bytes, the buffer's address at offset 8.
pub const WVMI_STRING_UNICODE64: wvmi_string_kind = 0;
/// `_UNICODE_STRING` of 32-bit code: 8 bytes, the buffer's address at offset 4.
pub const WVMI_STRING_UNICODE32: wvmi_string_kind = 1;
/// UTF-16 units up to the first NUL, at the address itself.
pub const WVMI_STRING_UTF16: wvmi_string_kind = 2;

fn read_units(
    call: &Call,
    session: *mut wvmi_session,
    (space, address): (wvmi_space, u64),
    kind: wvmi_string_kind,
) -> Result<Vec<u16>, Failure> {
    let session = call.session(session)?;
    let space = session.space(space)?;
    let memory = session.engine().memory();
    let architecture = match kind {
        WVMI_STRING_UNICODE64 => Architecture::Amd64,
        WVMI_STRING_UNICODE32 => Architecture::X86,
        WVMI_STRING_UTF16 => return Ok(memory.read_utf16_z(space, address, UNITS_MAX)?),
        _ => return Err(Error::invalid_argument("kind", "no WVMI_STRING_ number").into()),
    };
    let string = UnicodeString::read(memory, space, address, architecture)?;
    Ok(string.text(memory, space)?)
}

/// Reads UTF-16 text as UTF-8.
///
/// Unpaired surrogates become U+FFFD, and embedded NULs are kept and counted in
/// `length`; `wvmi_read_utf16()` gives the units as they are.
///
/// `space` says where `address` lives, `kind` what is there: a
/// `_UNICODE_STRING` or the units themselves. The text goes into `buffer` of
/// `capacity` bytes; `length` (may be NULL) receives its length.
///
/// Returns `WVMI_OK`, `WVMI_ERROR_BUFFER_TOO_SMALL`, else as `wvmi_read()`.
///
/// Any thread, also from a callback.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wvmi_read_unicode_string(
    session: *mut wvmi_session,
    space: wvmi_space,
    address: u64,
    kind: wvmi_string_kind,
    buffer: *mut c_char,
    capacity: usize,
    length: *mut usize,
) -> wvmi_status {
    // SAFETY: the caller passes pointers as the header demands.
    let call = unsafe { Call::new(c"wvmi_read_unicode_string") };
    call.run(|| {
        let output = call.text_buffer(buffer, capacity, length)?;
        let units = read_units(&call, session, (space, address), kind)?;
        output.write(&String::from_utf16_lossy(&units))?;
        Ok(WVMI_OK)
    })
}

/// Reads UTF-16 text without loss, as units.
///
/// `space` says where `address` lives, `kind` what is there. `units` receives at
/// most `capacity` 16-bit units, without a terminator; `count` (may be NULL)
/// receives the number of units that the text has.
///
/// Returns `WVMI_OK`, `WVMI_ERROR_BUFFER_TOO_SMALL` when the text was cut, else
/// as `wvmi_read()`.
///
/// Any thread, also from a callback.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wvmi_read_utf16(
    session: *mut wvmi_session,
    space: wvmi_space,
    address: u64,
    kind: wvmi_string_kind,
    units: *mut u16,
    capacity: usize,
    count: *mut usize,
) -> wvmi_status {
    // SAFETY: the caller passes pointers as the header demands.
    let call = unsafe { Call::new(c"wvmi_read_utf16") };
    call.run(|| {
        let output = call.units_buffer(units, capacity, count)?;
        output.write(&read_units(&call, session, (space, address), kind)?)?;
        Ok(WVMI_OK)
    })
}
