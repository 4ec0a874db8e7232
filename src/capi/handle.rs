//! Handles of guest processes, and iterations over them.

use std::{ffi::c_char, ptr};

use super::{
    error::About,
    ffi::{Call, Plain},
    object::wvmi_object,
    object_kind::{WVMI_OBJECT_UNKNOWN, kind_number, wvmi_object_kind},
    process::wvmi_process,
    session::wvmi_session,
    status::{WVMI_OK, wvmi_status},
    thread::wvmi_thread,
    walk::Texts,
};
use crate::{
    error::Error,
    os::windows::{HandleEntry, ObjectKind, Windows},
};

/// What is known about a handle, filled by `wvmi_handle_info()` and
/// `wvmi_handle_iter_next_many()`.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct wvmi_handle_details {
    /// Which of the other fields were read: `WVMI_HANDLE_VALID_*` bits;
    /// `handle`, `object`, `attributes` and `granted_access` always are.
    pub valid: u64,
    /// Handle value.
    pub handle: u64,
    /// Address of the object's body.
    pub object: u64,
    /// Attributes: `WVMI_HANDLE_*` bits.
    pub attributes: u32,
    /// Access rights that the handle was opened with, an `ACCESS_MASK`.
    pub granted_access: u32,
    /// What the object is: one of the `WVMI_OBJECT_*` numbers.
    pub kind: wvmi_object_kind,
    /// Always 0.
    pub reserved: u32,
    /// Name of the object's type (`"File"`), UTF-8, NUL-terminated. Filled by
    /// the iterator only, which keeps it until its next call;
    /// `wvmi_object_type_name()` copies it.
    pub type_name: *const c_char,
    /// Length of `type_name` in bytes.
    pub type_name_length: usize,
}

// SAFETY: integers and pointers only; every bit pattern is valid.
unsafe impl Plain for wvmi_handle_details {}

/// `kind` was read.
pub const WVMI_HANDLE_VALID_KIND: u64 = 1;
/// `type_name` was read.
pub const WVMI_HANDLE_VALID_TYPE_NAME: u64 = 2;

/// Closing the handle fails (`OBJ_PROTECT_CLOSE`).
pub const WVMI_HANDLE_PROTECT_FROM_CLOSE: u32 = 1;
/// New processes inherit the handle (`OBJ_INHERIT`).
pub const WVMI_HANDLE_INHERIT: u32 = 2;
/// Closing the handle is audited (`OBJ_AUDIT_OBJECT_CLOSE`).
pub const WVMI_HANDLE_AUDIT_ON_CLOSE: u32 = 4;

const _: () = {
    use crate::os::windows::HandleAttributes as Attributes;
    assert!(
        WVMI_HANDLE_PROTECT_FROM_CLOSE == Attributes::PROTECT_FROM_CLOSE.bits()
            && WVMI_HANDLE_INHERIT == Attributes::INHERIT.bits()
            && WVMI_HANDLE_AUDIT_ON_CLOSE == Attributes::AUDIT_ON_CLOSE.bits()
    );
};

fn describe(entry: &HandleEntry, kind: Option<ObjectKind>) -> wvmi_handle_details {
    wvmi_handle_details {
        valid: kind.map_or(0, |_| WVMI_HANDLE_VALID_KIND),
        handle: entry.handle.into(),
        object: entry.object.0,
        attributes: entry.attributes.bits(),
        granted_access: entry.granted_access,
        kind: kind.map_or(WVMI_OBJECT_UNKNOWN, kind_number),
        reserved: 0,
        type_name: ptr::null(),
        type_name_length: 0,
    }
}

/// The details with the type's name, which `texts` keeps.
pub fn describe_with_texts(
    windows: &Windows,
    entry: &HandleEntry,
    texts: &mut Texts,
) -> wvmi_handle_details {
    // One byte of the header is all that is read of objects of known types.
    let object = windows.object(entry.object);
    let kind = object.kind().ok();
    let mut details = describe(entry, kind);
    let name = match kind.and_then(|kind| texts.type_name(kind)) {
        Some(name) => Some(name),
        None => object.type_name().ok().map(|it| texts.keep(it)),
    };
    if let Some(name) = name {
        (details.type_name, details.type_name_length) = name;
        details.valid |= WVMI_HANDLE_VALID_TYPE_NAME;
    }
    details
}

/// Looks a handle up in a process.
///
/// Kernel handles (high bits set) and all handles of the System process are
/// those of the kernel's own table. The low 2 bits of a handle are ignored.
///
/// `handle` is the value as the process uses it. `details` receives the facts,
/// `size` is `sizeof *details`; `type_name` is NULL.
///
/// Returns `WVMI_OK`; `WVMI_ERROR_NOT_FOUND` when the handle is not open, and
/// for pseudo-handles, which have no entry; `WVMI_ERROR_FAULT`;
/// `WVMI_ERROR_CORRUPT`; `WVMI_ERROR_NULL_ARGUMENT`;
/// `WVMI_ERROR_INVALID_ARGUMENT`; `WVMI_ERROR_NO_KERNEL`;
/// `WVMI_ERROR_NO_SYMBOLS`.
///
/// Any thread, also from a callback.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wvmi_handle_info(
    session: *mut wvmi_session,
    process: wvmi_process,
    handle: u64,
    details: *mut wvmi_handle_details,
    size: usize,
) -> wvmi_status {
    // SAFETY: the caller passes pointers as the header demands.
    let call = unsafe { Call::new(c"wvmi_handle_info") };
    call.run(|| {
        let session = call.session(session)?;
        let output = call.sized_output(details, size, "details")?;
        let windows = session.engine().windows()?;
        let entry = process.get(windows).lookup_handle(handle);
        let entry = entry.about("process", process.object)?;
        let entry = entry.ok_or_else(|| not_open(handle));
        let entry = entry.about("process", process.object)?;
        let kind = windows.object(entry.object).kind().ok();
        output.write(describe(&entry, kind));
        Ok(WVMI_OK)
    })
}

fn not_open(handle: u64) -> Error {
    Error::not_found(format!("handle {handle:#x}"))
}

/// Gets the object of a handle.
///
/// As `wvmi_handle_info()`, and the pseudo-handles: -1 is the process itself,
/// -2 the thread that uses the handle.
///
/// `handle` is the value as the process uses it, 32-bit values of 32-bit code
/// included. `thread` is needed for -2 only; `{0}` is none. `object` receives
/// the object.
///
/// Returns `WVMI_OK`; `WVMI_ERROR_NOT_FOUND` when the handle is not open;
/// `WVMI_ERROR_INVALID_ARGUMENT` for -2 without a thread; else as
/// `wvmi_handle_info()`.
///
/// Any thread, also from a callback.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wvmi_handle_object(
    session: *mut wvmi_session,
    process: wvmi_process,
    handle: u64,
    thread: wvmi_thread,
    object: *mut wvmi_object,
) -> wvmi_status {
    // SAFETY: the caller passes pointers as the header demands.
    let call = unsafe { Call::new(c"wvmi_handle_object") };
    call.run(|| {
        let session = call.session(session)?;
        let output = call.output(object, "object")?;
        let windows = session.engine().windows()?;
        let thread = (thread.object != 0).then(|| thread.get(windows));
        let found = process.get(windows).lookup_object(handle, thread);
        let found = found.and_then(|found| found.ok_or_else(|| not_open(handle)));
        output.write(wvmi_object::of(&found.about("process", process.object)?));
        Ok(WVMI_OK)
    })
}

/// What governs the handle table of a process, filled by
/// `wvmi_handle_table_info()`.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct wvmi_handle_table_details {
    /// Address of the `_HANDLE_TABLE`.
    pub address: u64,
    /// Address of the top table, with the number of levels below it in its low
    /// 2 bits (`_HANDLE_TABLE.TableCode`).
    pub table_code: u64,
    /// First handle value that the table has no room for
    /// (`_HANDLE_TABLE.NextHandleNeedingPool`).
    pub next_handle_needing_pool: u32,
    /// Always 0.
    pub reserved: u32,
}

// SAFETY: integers only; every bit pattern is valid.
unsafe impl Plain for wvmi_handle_table_details {}

/// Reads what governs the handle table of a process.
///
/// `details` receives the facts, `size` is `sizeof *details`.
///
/// Returns `WVMI_OK`; `WVMI_ERROR_NOT_FOUND` when the process has no table, as
/// after its exit; else as `wvmi_handle_info()`.
///
/// Any thread, also from a callback.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wvmi_handle_table_info(
    session: *mut wvmi_session,
    process: wvmi_process,
    details: *mut wvmi_handle_table_details,
    size: usize,
) -> wvmi_status {
    // SAFETY: the caller passes pointers as the header demands.
    let call = unsafe { Call::new(c"wvmi_handle_table_info") };
    call.run(|| {
        let session = call.session(session)?;
        let output = call.sized_output(details, size, "details")?;
        let table = process.get(session.engine().windows()?).handle_table();
        let table = table.and_then(|table| table.ok_or_else(no_table));
        let table = table.about("process", process.object)?;
        output.write(wvmi_handle_table_details {
            address: table.address().0,
            table_code: table.table_code(),
            next_handle_needing_pool: table.next_handle_needing_pool(),
            reserved: 0,
        });
        Ok(WVMI_OK)
    })
}

/// The error for a process without a handle table.
pub fn no_table() -> Error {
    Error::not_found("handle table: the process has none")
}
