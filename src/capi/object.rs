//! `wvmi_object`: objects of the kernel's object manager.

use std::ffi::c_char;

use super::{
    error::About,
    ffi::{Call, Plain},
    guard::Answer,
    object_kind::{kind_number, wvmi_object_kind},
    process::wvmi_process,
    session::wvmi_session,
    status::{WVMI_OK, wvmi_status},
    thread::wvmi_thread,
    token::wvmi_token,
    valid::{Valid, or_zero},
};
use crate::{
    core::Va,
    error::{Error, Result},
    os::windows::{Object, Windows},
};

/// An object: the address of its body. A value, nothing to free.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct wvmi_object {
    /// Address of the object's body, which follows its `_OBJECT_HEADER`.
    pub object: u64,
}

// SAFETY: an integer; every bit pattern is valid.
unsafe impl Plain for wvmi_object {}

impl wvmi_object {
    pub(super) fn of(object: &Object<'_>) -> Self {
        Self {
            object: object.address().0,
        }
    }

    pub(super) fn get(self, windows: &Windows) -> Object<'_> {
        windows.object(Va(self.object))
    }
}

/// What is known about an object, filled by `wvmi_object_info()`.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct wvmi_object_details {
    /// Which of the other fields were read: `WVMI_OBJECT_VALID_*` bits.
    pub valid: u64,
    /// Address of the object's body; always filled.
    pub object: u64,
    /// Address of the `_OBJECT_HEADER`; always filled.
    pub header: u64,
    /// Number of references, in the kernel's own reckoning: Windows 8 and later
    /// count in advance for each handle (`_OBJECT_HEADER.PointerCount`).
    pub pointer_count: i64,
    /// Number of open handles (`_OBJECT_HEADER.HandleCount`).
    pub handle_count: i64,
    /// Address of the security descriptor; 0 without one of its own
    /// (`_OBJECT_HEADER.SecurityDescriptor`).
    pub security_descriptor: u64,
    /// What the object is: one of the `WVMI_OBJECT_*` numbers.
    pub kind: wvmi_object_kind,
    /// Index of its type in the guest's table of types, decoded
    /// (`_OBJECT_HEADER.TypeIndex`).
    pub type_index: u32,
    /// Flags as Windows numbers them: 1 new, 2 kernel, 4 kernel only,
    /// 8 exclusive, 0x10 permanent, 0x20 default security quota, 0x40 single
    /// handle entry, 0x80 deleted inline (`_OBJECT_HEADER.Flags`).
    pub flags: u32,
    /// Which optional headers it has, a bit for each (`_OBJECT_HEADER.InfoMask`).
    pub info_mask: u32,
}

// SAFETY: integers only; every bit pattern is valid.
unsafe impl Plain for wvmi_object_details {}

/// `pointer_count` was read.
pub const WVMI_OBJECT_VALID_POINTER_COUNT: u64 = 1;
/// `handle_count` was read.
pub const WVMI_OBJECT_VALID_HANDLE_COUNT: u64 = 2;
/// `security_descriptor` was read.
pub const WVMI_OBJECT_VALID_SECURITY_DESCRIPTOR: u64 = 4;
/// `kind` was read.
pub const WVMI_OBJECT_VALID_KIND: u64 = 8;
/// `type_index` was read.
pub const WVMI_OBJECT_VALID_TYPE_INDEX: u64 = 0x10;
/// `flags` was read.
pub const WVMI_OBJECT_VALID_FLAGS: u64 = 0x20;
/// `info_mask` was read.
pub const WVMI_OBJECT_VALID_INFO_MASK: u64 = 0x40;

/// Tells everything about an object's header in one call.
///
/// What cannot be read is left 0 and out of `details->valid`; the rest is
/// filled.
///
/// `details` receives the facts, `size` is `sizeof *details`.
///
/// Returns `WVMI_OK` when at least one field was read; `WVMI_ERROR_FAULT` when
/// none was; `WVMI_ERROR_NULL_ARGUMENT`; `WVMI_ERROR_INVALID_ARGUMENT`;
/// `WVMI_ERROR_NO_KERNEL`; `WVMI_ERROR_NO_SYMBOLS`.
///
/// Any thread, also from a callback.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wvmi_object_info(
    session: *mut wvmi_session,
    object: wvmi_object,
    details: *mut wvmi_object_details,
    size: usize,
) -> wvmi_status {
    // SAFETY: the caller passes pointers as the header demands.
    let call = unsafe { Call::new(c"wvmi_object_info") };
    call.run(|| {
        let session = call.session(session)?;
        let output = call.sized_output(details, size, "details")?;
        let details = describe(object.get(session.engine().windows()?));
        output.write(details.about("object", object.object)?);
        Ok(WVMI_OK)
    })
}

fn describe(object: Object<'_>) -> Result<wvmi_object_details> {
    let mut buffer = [0; Object::SNAPSHOT];
    let it = object.with_copy(&mut buffer);
    let mut valid = Valid::default();
    let v = &mut valid;
    let details = wvmi_object_details {
        valid: 0,
        object: it.address().0,
        header: it.header_address().0,
        pointer_count: v.take(WVMI_OBJECT_VALID_POINTER_COUNT, it.pointer_count()),
        handle_count: v.take(WVMI_OBJECT_VALID_HANDLE_COUNT, it.handle_count()),
        security_descriptor: v.take(
            WVMI_OBJECT_VALID_SECURITY_DESCRIPTOR,
            or_zero(it.security_descriptor()),
        ),
        kind: v.take(WVMI_OBJECT_VALID_KIND, it.kind().map(kind_number)),
        type_index: v.take(WVMI_OBJECT_VALID_TYPE_INDEX, it.type_index()).into(),
        flags: v
            .take(
                WVMI_OBJECT_VALID_FLAGS,
                it.flags().map(|flags| flags.bits()),
            )
            .into(),
        info_mask: v.take(WVMI_OBJECT_VALID_INFO_MASK, it.info_mask()).into(),
    };
    Ok(wvmi_object_details {
        valid: valid.finish()?,
        ..details
    })
}

/// The body of a function that copies one text of an object.
fn copy_text(
    call: &Call,
    session: *mut wvmi_session,
    object: wvmi_object,
    (buffer, capacity, length): (*mut c_char, usize, *mut usize),
    get: impl FnOnce(&Object<'_>) -> Result<String>,
) -> Answer {
    let session = call.session(session)?;
    let output = call.text_buffer(buffer, capacity, length)?;
    let text = get(&object.get(session.engine().windows()?));
    output.write(&text.about("object", object.object)?)?;
    Ok(WVMI_OK)
}

/// Reads the name of an object's type (`_OBJECT_TYPE.Name`), such as `"File"`.
///
/// The name goes into `buffer` of `capacity` bytes; `length` (may be NULL)
/// receives its length.
///
/// Returns `WVMI_OK`, `WVMI_ERROR_BUFFER_TOO_SMALL`, `WVMI_ERROR_FAULT`,
/// `WVMI_ERROR_CORRUPT`, `WVMI_ERROR_NULL_ARGUMENT`, `WVMI_ERROR_NO_KERNEL`, or
/// `WVMI_ERROR_NO_SYMBOLS`.
///
/// Any thread, also from a callback.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wvmi_object_type_name(
    session: *mut wvmi_session,
    object: wvmi_object,
    buffer: *mut c_char,
    capacity: usize,
    length: *mut usize,
) -> wvmi_status {
    // SAFETY: the caller passes pointers as the header demands.
    let call = unsafe { Call::new(c"wvmi_object_type_name") };
    let target = (buffer, capacity, length);
    call.run(|| {
        copy_text(&call, session, object, target, |it| {
            it.type_name().map(|name| name.into_owned())
        })
    })
}

/// Reads an object's own name, the last part of its path
/// (`_OBJECT_HEADER_NAME_INFO.Name`).
///
/// The name goes into `buffer` of `capacity` bytes; `length` (may be NULL)
/// receives its length.
///
/// Returns as `wvmi_object_type_name()`, and `WVMI_ERROR_NOT_FOUND` when the
/// object has no name.
///
/// Any thread, also from a callback.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wvmi_object_name(
    session: *mut wvmi_session,
    object: wvmi_object,
    buffer: *mut c_char,
    capacity: usize,
    length: *mut usize,
) -> wvmi_status {
    // SAFETY: the caller passes pointers as the header demands.
    let call = unsafe { Call::new(c"wvmi_object_name") };
    let target = (buffer, capacity, length);
    call.run(|| {
        copy_text(&call, session, object, target, |it| {
            it.name()?
                .ok_or_else(|| Error::not_found("name of the object"))
        })
    })
}

/// Reads the full path of an object, as the kernel's own query gives it: of a
/// file its device's path and its own, of a registry key its path in the
/// registry, of other objects their place in the namespace
/// (`"\\BaseNamedObjects\\name"`).
///
/// The path goes into `buffer` of `capacity` bytes; `length` (may be NULL)
/// receives its length.
///
/// Returns as `wvmi_object_type_name()`, and `WVMI_ERROR_NOT_FOUND` when the
/// object has no path.
///
/// Any thread, also from a callback.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wvmi_object_path(
    session: *mut wvmi_session,
    object: wvmi_object,
    buffer: *mut c_char,
    capacity: usize,
    length: *mut usize,
) -> wvmi_status {
    // SAFETY: the caller passes pointers as the header demands.
    let call = unsafe { Call::new(c"wvmi_object_path") };
    let target = (buffer, capacity, length);
    call.run(|| {
        copy_text(&call, session, object, target, |it| {
            it.path()?
                .ok_or_else(|| Error::not_found("path of the object"))
        })
    })
}

/// The body of a function that takes an object as something more special.
fn cast<T: Plain>(
    call: &Call,
    session: *mut wvmi_session,
    object: wvmi_object,
    (output, name): (*mut T, &'static str),
    cast: impl FnOnce(&Object<'_>) -> Result<Option<T>>,
) -> Answer {
    let session = call.session(session)?;
    let output = call.output(output, name)?;
    let value = cast(&object.get(session.engine().windows()?));
    let value = value.about("object", object.object)?;
    output
        .write(value.ok_or_else(|| Error::invalid_argument("object", format!("it is no {name}")))?);
    Ok(WVMI_OK)
}

/// Takes an object as the process that it is.
///
/// `process` receives it. The reverse needs no call: a process's `object` is
/// its object.
///
/// Returns `WVMI_OK`, `WVMI_ERROR_INVALID_ARGUMENT` when the object is something
/// else, `WVMI_ERROR_FAULT`, `WVMI_ERROR_CORRUPT`, `WVMI_ERROR_NULL_ARGUMENT`,
/// `WVMI_ERROR_NO_KERNEL`, or `WVMI_ERROR_NO_SYMBOLS`.
///
/// Any thread, also from a callback.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wvmi_object_as_process(
    session: *mut wvmi_session,
    object: wvmi_object,
    process: *mut wvmi_process,
) -> wvmi_status {
    // SAFETY: the caller passes pointers as the header demands.
    let call = unsafe { Call::new(c"wvmi_object_as_process") };
    call.run(|| {
        cast(&call, session, object, (process, "process"), |it| {
            Ok(it.as_process()?.as_ref().map(wvmi_process::of))
        })
    })
}

/// Takes an object as the thread that it is.
///
/// `thread` receives it. The reverse needs no call: a thread's `object` is its
/// object.
///
/// Returns as `wvmi_object_as_process()`.
///
/// Any thread, also from a callback.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wvmi_object_as_thread(
    session: *mut wvmi_session,
    object: wvmi_object,
    thread: *mut wvmi_thread,
) -> wvmi_status {
    // SAFETY: the caller passes pointers as the header demands.
    let call = unsafe { Call::new(c"wvmi_object_as_thread") };
    call.run(|| {
        cast(&call, session, object, (thread, "thread"), |it| {
            Ok(it.as_thread()?.as_ref().map(wvmi_thread::of))
        })
    })
}

/// Takes an object as the token that it is.
///
/// `token` receives it. The reverse needs no call: a token's `object` is its
/// object.
///
/// Returns as `wvmi_object_as_process()`.
///
/// Any thread, also from a callback.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wvmi_object_as_token(
    session: *mut wvmi_session,
    object: wvmi_object,
    token: *mut wvmi_token,
) -> wvmi_status {
    // SAFETY: the caller passes pointers as the header demands.
    let call = unsafe { Call::new(c"wvmi_object_as_token") };
    call.run(|| {
        cast(&call, session, object, (token, "token"), |it| {
            Ok(it.as_token()?.as_ref().map(wvmi_token::of))
        })
    })
}
