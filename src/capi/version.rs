//! Versions and features of the library.

use std::ffi::c_char;

use super::ffi::Call;

/// Number of the binary interface, the last one in the library's SONAME; grows
/// when programs must be compiled again. Before 1.0 it is the minor version.
const ABI_VERSION: u32 = 1;

const VERSION: &str = concat!(env!("CARGO_PKG_VERSION"), "\0");

/// Optional parts that this build has.
const FEATURES: &[&str] = &[
    #[cfg(feature = "symbol-server")]
    "symbol-server",
    #[cfg(feature = "xen")]
    "xen",
];

/// Version of the library that is loaded, such as `"0.1.0"`.
///
/// Compare with `WVMI_VERSION`, the version of the header that the program was
/// compiled with: the loaded library may be newer.
///
/// Returns a static string, never NULL, never to be freed.
///
/// Any thread, also from a callback.
#[unsafe(no_mangle)]
pub extern "C" fn wvmi_version() -> *const c_char {
    VERSION.as_ptr().cast()
}

/// Number of the binary interface of the library that is loaded.
///
/// Equal numbers are compatible: functions, constants and structure fields are
/// only ever added. It is the last number of the library's SONAME
/// (`libwinvmi.so.0.1`).
///
/// Any thread, also from a callback.
#[unsafe(no_mangle)]
pub extern "C" fn wvmi_abi_version() -> u32 {
    ABI_VERSION
}

/// Tells whether this build has an optional part.
///
/// The header is the same in every build; what a build lacks answers
/// `WVMI_ERROR_NOT_SUPPORTED` when it is called.
///
/// `name` is `"symbol-server"` (download of symbols from a symbol server) or
/// the prefix of a back end, such as `"xen"`, UTF-8.
///
/// Returns true when the part is built in; false when it is not, and for NULL
/// and unknown names.
///
/// Any thread, also from a callback.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wvmi_has_feature(name: *const c_char) -> bool {
    // SAFETY: the caller passes pointers as the header demands.
    let call = unsafe { Call::new(c"wvmi_has_feature") };
    let Ok(name) = call.text(name, "name") else {
        return false;
    };
    FEATURES.contains(&name)
}
