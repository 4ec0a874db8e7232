//! The last error of each thread.

use std::{
    cell::RefCell,
    ffi::{CStr, CString, c_char},
    fmt,
};

use super::{
    ffi::{Call, Plain},
    guard,
    status::{WVMI_END, WVMI_ERROR_INTERNAL, WVMI_GAP, WVMI_OK, status_of, wvmi_status},
};
use crate::{
    core::Partial,
    error::{Error, Fault, FaultKind},
};

/// Why an address could not be accessed; one of the `WVMI_FAULT_*` numbers.
pub type wvmi_fault_kind = u32;

/// The error was no memory fault.
pub const WVMI_FAULT_NONE: wvmi_fault_kind = 0;
/// No page-table entry maps the address.
pub const WVMI_FAULT_NOT_MAPPED: wvmi_fault_kind = 1;
/// The page is on the standby or modified list and its frame cannot be told
/// without symbols.
pub const WVMI_FAULT_TRANSITION: wvmi_fault_kind = 2;
/// The page was never touched: Windows would fill it with zeros.
pub const WVMI_FAULT_DEMAND_ZERO: wvmi_fault_kind = 3;
/// The page is described by a prototype page-table entry.
pub const WVMI_FAULT_PROTOTYPE: wvmi_fault_kind = 4;
/// The page is in a page file.
pub const WVMI_FAULT_PAGEFILE: wvmi_fault_kind = 5;
/// The page is in the compressed store of Windows 10 and later.
pub const WVMI_FAULT_COMPRESSED: wvmi_fault_kind = 6;
/// The bytes existed in the guest, but are not in the image.
pub const WVMI_FAULT_NOT_IN_IMAGE: wvmi_fault_kind = 7;
/// The back end failed to deliver the page.
pub const WVMI_FAULT_BACK_END: wvmi_fault_kind = 8;
/// The address is not canonical.
pub const WVMI_FAULT_NON_CANONICAL: wvmi_fault_kind = 9;
/// A page-table entry on the way has an impossible combination of bits.
pub const WVMI_FAULT_MALFORMED: wvmi_fault_kind = 10;

/// Number of a fault kind.
pub const fn fault_kind(kind: FaultKind) -> wvmi_fault_kind {
    match kind {
        FaultKind::NotMapped => WVMI_FAULT_NOT_MAPPED,
        FaultKind::Transition => WVMI_FAULT_TRANSITION,
        FaultKind::DemandZero => WVMI_FAULT_DEMAND_ZERO,
        FaultKind::Prototype => WVMI_FAULT_PROTOTYPE,
        FaultKind::Pagefile { .. } => WVMI_FAULT_PAGEFILE,
        FaultKind::Compressed => WVMI_FAULT_COMPRESSED,
        FaultKind::NotInImage => WVMI_FAULT_NOT_IN_IMAGE,
        FaultKind::BackEnd => WVMI_FAULT_BACK_END,
        FaultKind::NonCanonical => WVMI_FAULT_NON_CANONICAL,
        FaultKind::Malformed => WVMI_FAULT_MALFORMED,
    }
}

/// The record of a thread's last error, filled by `wvmi_last_error()`.
///
/// All fields are zero (and the texts empty) while the thread has had no error.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct wvmi_error {
    /// What the failed call returned: an error, or `WVMI_GAP`.
    pub status: wvmi_status,
    /// Kind of the memory fault, `WVMI_FAULT_NONE` when it was none.
    pub fault: wvmi_fault_kind,
    /// What was asked, of what, why it failed and what can be done about it:
    /// English, UTF-8, NUL-terminated, never NULL. Valid until this thread's
    /// next `wvmi_last_error()` and never to be freed.
    pub message: *const c_char,
    /// Length of `message` in bytes, without the terminator.
    pub message_length: usize,
    /// Name of the function that failed: a static string, never NULL.
    pub function: *const c_char,
    /// Address that could not be accessed; physical when `root` is 0 and the
    /// guest's memory is stored by physical address.
    pub address: u64,
    /// Physical address of the page-table root that was used, 0 without one.
    pub root: u64,
    /// Level at which the translation stopped: 1 page table, 2 page directory,
    /// 3 page-directory pointers, 4 PML4, 5 PML5; 0 without a translation.
    pub level: u32,
    /// Number of the page file, for `WVMI_FAULT_PAGEFILE`.
    pub pagefile_number: u32,
    /// Offset in the page file in bytes, for `WVMI_FAULT_PAGEFILE`.
    pub pagefile_offset: u64,
}

// SAFETY: integers and pointers only; every bit pattern is valid.
unsafe impl Plain for wvmi_error {}

/// Why a call failed, and on what.
#[derive(Debug)]
pub struct Failure {
    error: Error,
    subject: Option<Subject>,
}

/// The guest object that a call was about: what it is and where.
type Subject = (&'static str, u64);

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self {
            error,
            subject: None,
        }
    }
}

impl From<Fault> for Failure {
    fn from(fault: Fault) -> Self {
        Error::Fault(fault).into()
    }
}

impl From<Partial> for Failure {
    fn from(partial: Partial) -> Self {
        partial.fault.into()
    }
}

/// Adds the object of a call to its error.
pub trait About<T> {
    /// Names the guest object that the call was about.
    fn about(self, what: &'static str, address: u64) -> Result<T, Failure>;
}

impl<T, E: Into<Failure>> About<T> for Result<T, E> {
    #[inline]
    fn about(self, what: &'static str, address: u64) -> Result<T, Failure> {
        self.map_err(|error| Failure {
            subject: Some((what, address)),
            ..error.into()
        })
    }
}

/// The last error as data; its text is made when somebody asks.
struct Record {
    function: &'static CStr,
    status: wvmi_status,
    failure: Failure,
}

thread_local! {
    static LAST: RefCell<Option<Record>> = const { RefCell::new(None) };
    /// Text of the message that `wvmi_last_error` gave out last.
    static MESSAGE: RefCell<CString> = RefCell::default();
}

/// Records `failure` as this thread's last error and returns its status.
#[cold]
pub fn record(function: &'static CStr, failure: Failure) -> wvmi_status {
    let status = status_of(&failure.error);
    keep(function, status, failure);
    status
}

/// Records the cause of a gap and returns [`WVMI_GAP`].
#[cold]
pub fn record_gap(function: &'static CStr, failure: Failure) -> wvmi_status {
    keep(function, WVMI_GAP, failure);
    WVMI_GAP
}

fn keep(function: &'static CStr, status: wvmi_status, failure: Failure) {
    let record = Record {
        function,
        status,
        failure,
    };
    // A thread that is ending has no last error any more.
    let previous = LAST.try_with(|last| last.replace(Some(record)));
    drop(previous);
}

impl fmt::Display for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.function.to_string_lossy())?;
        if let Some((what, address)) = self.failure.subject {
            write!(f, " ({what} {address:#x})")?;
        }
        write!(f, ": {}", self.failure.error)?;
        match advice(&self.failure.error) {
            Some(advice) => write!(f, "; {advice}"),
            None => Ok(()),
        }
    }
}

/// What a caller can do about an error, where the error itself does not say it.
fn advice(error: &Error) -> Option<&'static str> {
    match error {
        Error::Fault(fault) => advice_on_fault(fault),
        Error::NullArgument { .. } => Some("pass a valid pointer"),
        Error::NoKernel { .. } => {
            Some("memory calls work, calls about Windows need an image that holds a 64-bit kernel")
        }
        Error::Layout { .. } => Some("use the full PDB or table of this kernel"),
        Error::Closed => Some("free what belongs to it and open a new session"),
        Error::Internal { .. } => Some("the session is unharmed; please report this message"),
        _ => None,
    }
}

fn advice_on_fault(fault: &Fault) -> Option<&'static str> {
    match fault.kind {
        FaultKind::NotInImage => Some("only a more complete dump holds these bytes"),
        FaultKind::Transition => Some("load the kernel's symbols to resolve it"),
        FaultKind::Pagefile { .. } | FaultKind::Compressed => {
            Some("the page was not in memory when the image was taken")
        }
        _ => None,
    }
}

/// Fills the record of this thread's last error.
///
/// Successful calls do not clear the record, and `_free` and `_close`
/// functions do not touch it, so it may be read after cleaning up. A call that
/// returned `WVMI_GAP` leaves the cause of the gap here. The text is made by
/// this call, not by the one that failed, so failing is cheap.
///
/// `error` receives the record. `size` is `sizeof *error`.
///
/// Returns `WVMI_OK`; `WVMI_END` when the thread has had no error (the record
/// is then filled with zeros and empty texts); `WVMI_ERROR_NULL_ARGUMENT` or
/// `WVMI_ERROR_INVALID_ARGUMENT` for a bad `error` or `size`, which leaves the
/// record that was there before.
///
/// Any thread, also from a callback; each thread sees its own errors only.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wvmi_last_error(error: *mut wvmi_error, size: usize) -> wvmi_status {
    // SAFETY: the caller passes pointers as the header demands.
    let call = unsafe { Call::new(c"wvmi_last_error") };
    let filled = guard::caught(call.caller(), || {
        let error = call.sized_output(error, size, "error")?;
        let (status, value) = LAST.with_borrow(|last| match last {
            Some(record) => (WVMI_OK, describe(record)),
            None => (WVMI_END, nothing()),
        });
        error.write(value);
        Ok::<_, Error>(status)
    });
    match filled {
        Ok(Ok(status)) => status,
        Ok(Err(error)) => status_of(&error),
        Err(_) => WVMI_ERROR_INTERNAL,
    }
}

fn nothing() -> wvmi_error {
    wvmi_error {
        status: WVMI_OK,
        fault: WVMI_FAULT_NONE,
        message: c"".as_ptr(),
        message_length: 0,
        function: c"".as_ptr(),
        address: 0,
        root: 0,
        level: 0,
        pagefile_number: 0,
        pagefile_offset: 0,
    }
}

fn describe(record: &Record) -> wvmi_error {
    let mut error = wvmi_error {
        status: record.status,
        function: record.function.as_ptr(),
        ..nothing()
    };
    if let Some(fault) = record.failure.error.fault() {
        describe_fault(fault, &mut error);
    }
    MESSAGE.with_borrow_mut(|message| {
        *message = without_nul(record.to_string());
        error.message = message.as_ptr();
        error.message_length = message.as_bytes().len();
    });
    error
}

fn describe_fault(fault: &Fault, error: &mut wvmi_error) {
    error.fault = fault_kind(fault.kind);
    error.address = fault.address;
    error.root = fault.root.map_or(0, |root| root.0);
    error.level = fault.level.into();
    if let FaultKind::Pagefile { number, offset } = fault.kind {
        error.pagefile_number = number.into();
        error.pagefile_offset = offset;
    }
}

/// Guest names may hold NULs, C strings may not.
fn without_nul(text: String) -> CString {
    CString::new(text.replace('\0', "\u{fffd}")).unwrap_or_default()
}
