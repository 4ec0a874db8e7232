//! Owned handles of the Xen libraries.
//!
//! One owner each, closed once; neither cloned nor shared by copying pointers.
//! The libraries lock for themselves (no handle is opened "non-reentrant"), and
//! every failure is told by `errno`, which is per thread.

use std::{
    ffi::{CStr, CString, c_char, c_int, c_void},
    io,
    ptr::NonNull,
};

use xen::sys;

use crate::error::{Error, Result};

/// The error of the Xen call `call` that has just failed in this thread.
pub(super) fn failed(call: &'static str) -> Error {
    explained(call, &io::Error::last_os_error())
}

/// The error of the Xen call `call`, which failed for `cause`.
pub(super) fn explained(call: &'static str, cause: &io::Error) -> Error {
    let advice = match cause.raw_os_error() {
        Some(libc::EPERM | libc::EACCES) => "; root in the control domain is needed",
        _ => "",
    };
    let reason = format!("{call}: {cause}{advice}").into();
    match cause.raw_os_error() {
        Some(libc::EBUSY) => Error::Busy { reason },
        _ => Error::BackEnd { reason },
    }
}

/// Turns the result of a C call into ours: negative is failure.
pub(super) fn check(call: &'static str, result: c_int) -> Result<c_int> {
    if result < 0 {
        return Err(failed(call));
    }
    Ok(result)
}

macro_rules! owned {
    ($(#[$doc:meta])* $name:ident($raw:ident): $open:ident($($argument:expr),*), $close:ident) => {
        $(#[$doc])*
        pub(super) struct $name(NonNull<sys::$raw>);

        impl $name {
            /// Opens the library.
            pub(super) fn open() -> Result<Self> {
                // SAFETY: a NULL logger is allowed, ours is never changed.
                let handle = unsafe { sys::$open($($argument),*) };
                let handle = NonNull::new(handle).ok_or_else(|| failed(stringify!($open)))?;
                Ok(Self(handle))
            }

            /// The handle, for calls into the library.
            pub(super) fn raw(&self) -> *mut sys::$raw {
                self.0.as_ptr()
            }
        }

        impl Drop for $name {
            fn drop(&mut self) {
                // SAFETY: the handle is open and owned by this value alone.
                unsafe { sys::$close(self.raw()) };
            }
        }

        // SAFETY: the library locks what calls share.
        unsafe impl Send for $name {}
        // SAFETY: as above.
        unsafe impl Sync for $name {}
    };
}

owned! {
    /// Hypercalls of the control domain (libxenctrl).
    Interface(xc_interface): xc_interface_open(silent(), silent(), 0), xc_interface_close
}
owned! {
    /// Mapping of a guest's frames (libxenforeignmemory).
    ForeignMemory(xenforeignmemory_handle):
        xenforeignmemory_open(silent(), 0), xenforeignmemory_close
}
owned! {
    /// Injection of events (libxendevicemodel).
    DeviceModel(xendevicemodel_handle):
        xendevicemodel_open(silent(), 0), xendevicemodel_close
}
owned! {
    /// Event channels (libxenevtchn).
    EventChannels(xenevtchn_handle): xenevtchn_open(silent(), 0), xenevtchn_close
}
owned! {
    /// Xenstore, where domains have their names (libxenstore).
    Store(xs_handle): xs_open(0), xs_close
}

/// A logger that drops everything: without one the libraries print to stderr.
fn silent() -> *mut sys::xentoollog_logger {
    static LOGGER: sys::xentoollog_logger = sys::xentoollog_logger {
        vmessage: Some(ignore_message),
        progress: Some(ignore_progress),
        destroy: None,
    };
    (&raw const LOGGER).cast_mut()
}

unsafe extern "C" fn ignore_message(
    _: *mut sys::xentoollog_logger,
    _: sys::xentoollog_level,
    _: c_int,
    _: *const c_char,
    _: *const c_char,
    _: *mut sys::__va_list_tag,
) {
}

unsafe extern "C" fn ignore_progress(
    _: *mut sys::xentoollog_logger,
    _: *const c_char,
    _: *const c_char,
    _: c_int,
    _: std::ffi::c_ulong,
    _: std::ffi::c_ulong,
) {
}

impl Store {
    /// Names of the nodes under `path`; none when it does not exist.
    pub(super) fn list(&self, path: &str) -> Result<Vec<String>> {
        let path = c_path(path)?;
        let mut count = 0;
        // SAFETY: the path is NUL-terminated, the count is written.
        let entries =
            unsafe { sys::xs_directory(self.raw(), sys::XBT_NULL, path.as_ptr(), &mut count) };
        let Some(memory) = Allocation::new(entries.cast()) else {
            return Ok(Vec::new());
        };
        // SAFETY: the library returned `count` pointers.
        let entries = unsafe {
            std::slice::from_raw_parts(memory.0.as_ptr().cast::<*const c_char>(), count as usize)
        };
        let names = entries.iter().map(|entry| {
            // SAFETY: each points to a NUL-terminated string in the same allocation.
            unsafe { CStr::from_ptr(*entry) }
                .to_string_lossy()
                .into_owned()
        });
        Ok(names.collect())
    }

    /// Value of a node; none when it does not exist (any more).
    pub(super) fn read(&self, path: &str) -> Result<Option<String>> {
        let path = c_path(path)?;
        let mut length = 0;
        // SAFETY: the path is NUL-terminated, the length is written.
        let value = unsafe { sys::xs_read(self.raw(), sys::XBT_NULL, path.as_ptr(), &mut length) };
        let value = Allocation::new(value);
        Ok(value.map(|value| {
            // SAFETY: the library returned `length` bytes.
            let bytes = unsafe {
                std::slice::from_raw_parts(value.0.as_ptr().cast::<u8>(), length as usize)
            };
            String::from_utf8_lossy(bytes).into_owned()
        }))
    }
}

fn c_path(path: &str) -> Result<CString> {
    CString::new(path).map_err(|_| Error::invalid_argument("target", "holds a NUL byte"))
}

/// Memory from the C library's `malloc`.
struct Allocation(NonNull<c_void>);

impl Allocation {
    fn new(memory: *mut c_void) -> Option<Self> {
        NonNull::new(memory).map(Self)
    }
}

impl Drop for Allocation {
    fn drop(&mut self) {
        // SAFETY: allocated by malloc and owned by this value alone.
        unsafe { libc::free(self.0.as_ptr()) };
    }
}

/// A page or more mapped into this process by a library, unmapped once.
pub(super) struct Mapping {
    first: NonNull<u8>,
    pages: usize,
}

impl Mapping {
    /// Takes over what a library mapped; fails on NULL.
    pub(super) fn adopt(call: &'static str, first: *mut c_void, pages: usize) -> Result<Self> {
        let first = NonNull::new(first.cast()).ok_or_else(|| failed(call))?;
        Ok(Self { first, pages })
    }

    /// First byte.
    pub(super) fn as_ptr(&self) -> *mut u8 {
        self.first.as_ptr()
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        let length = self.pages.wrapping_mul(crate::core::PAGE_SIZE as usize);
        // SAFETY: this value owns the mapping of that length.
        unsafe { libc::munmap(self.first.as_ptr().cast(), length) };
    }
}

// SAFETY: plain memory; who writes to it says so.
unsafe impl Send for Mapping {}
// SAFETY: as above.
unsafe impl Sync for Mapping {}

/// Is this machine a Xen host at all?
pub(super) fn host_present() -> bool {
    ["/dev/xen/privcmd", "/proc/xen/privcmd"]
        .iter()
        .any(|path| std::path::Path::new(path).exists())
}
