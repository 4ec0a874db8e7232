//! User data of callbacks: released exactly once, after the last use.

use std::ffi::c_void;

/// Releases the `user_data` of a callback.
///
/// Called exactly once: after the last call of the callback has returned, or
/// at once when the registration fails. No lock of the library is held. It may
/// be called in any thread that uses the library.
pub type wvmi_release_callback = Option<unsafe extern "C" fn(user_data: *mut c_void)>;

/// A pointer of the host's with the function that releases it.
pub struct UserData {
    pointer: *mut c_void,
    release: wvmi_release_callback,
}

// SAFETY: the pointer is never dereferenced here, only handed back; the header
// says that callbacks and their release run in any thread.
unsafe impl Send for UserData {}
// SAFETY: as above; the callbacks that may run concurrently say so.
unsafe impl Sync for UserData {}

impl UserData {
    /// Takes over `pointer`; it is released when the value is dropped.
    pub const fn new(pointer: *mut c_void, release: wvmi_release_callback) -> Self {
        Self { pointer, release }
    }

    /// What is passed to the callback.
    pub const fn pointer(&self) -> *mut c_void {
        self.pointer
    }
}

impl Drop for UserData {
    fn drop(&mut self) {
        if let Some(release) = self.release {
            // SAFETY: the host gave this function for this pointer, and a drop
            // happens once.
            unsafe { release(self.pointer) }
        }
    }
}
