//! `wvmi_unloaded_module_iter`: iterations over drivers that were unloaded.

use std::{ffi::c_char, ptr};

use super::{
    ffi::{Call, Plain, into_handle},
    session::wvmi_session,
    status::{WVMI_OK, wvmi_status},
    valid::Valid,
    walk::{Texts, Walk},
};
use crate::{
    core::decode_utf16,
    os::windows::{UnloadedModule, UnloadedModules},
};

/// A driver that was unloaded, filled by `wvmi_unloaded_module_iter_next()` and
/// `wvmi_unloaded_module_iter_next_many()`.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct wvmi_unloaded_module {
    /// Which of the other fields were read: `WVMI_UNLOADED_MODULE_VALID_*` bits.
    pub valid: u64,
    /// First address that it had.
    pub start: u64,
    /// First address behind it.
    pub end: u64,
    /// Time of unloading, a FILETIME.
    pub time: u64,
    /// File name, UTF-8, NUL-terminated, valid until the iterator's next call.
    pub name: *const c_char,
    /// Length of `name` in bytes.
    pub name_length: usize,
    /// The same without loss, as UTF-16 units without a terminator; valid as long.
    pub name_utf16: *const u16,
    /// Number of units of `name_utf16`.
    pub name_utf16_length: usize,
}

// SAFETY: integers and pointers only; every bit pattern is valid.
unsafe impl Plain for wvmi_unloaded_module {}

/// `start` was read.
pub const WVMI_UNLOADED_MODULE_VALID_START: u64 = 1;
/// `end` was read.
pub const WVMI_UNLOADED_MODULE_VALID_END: u64 = 2;
/// `time` was read.
pub const WVMI_UNLOADED_MODULE_VALID_TIME: u64 = 4;
/// `name` was read.
pub const WVMI_UNLOADED_MODULE_VALID_NAME: u64 = 8;

fn describe(module: &UnloadedModule<'_>, texts: &mut Texts) -> wvmi_unloaded_module {
    let mut valid = Valid::default();
    let v = &mut valid;
    let units = v.found(WVMI_UNLOADED_MODULE_VALID_NAME, module.name_utf16());
    let name = units.as_deref().map(decode_utf16);
    let (name, name_length) = name.map_or((ptr::null(), 0), |name| texts.keep(name));
    let units = units.map_or((ptr::null(), 0), |units| texts.keep_units(units));
    let (name_utf16, name_utf16_length) = units;
    wvmi_unloaded_module {
        start: v.take(WVMI_UNLOADED_MODULE_VALID_START, module.start()).0,
        end: v.take(WVMI_UNLOADED_MODULE_VALID_END, module.end()).0,
        time: v.take(WVMI_UNLOADED_MODULE_VALID_TIME, module.time()).0,
        name,
        name_length,
        name_utf16,
        name_utf16_length,
        valid: valid.bits(),
    }
}

/// An iteration over drivers that were unloaded; made by
/// `wvmi_unloaded_module_iter_new()`.
pub struct wvmi_unloaded_module_iter {
    walk: Walk<UnloadedModules<'static>>,
    texts: Texts,
}

/// Begins an iteration over the drivers that were unloaded, the latest first;
/// Windows keeps the last 50 (`MmUnloadedDrivers`).
///
/// `iter` receives the handle; free it with `wvmi_unloaded_module_iter_free()`.
///
/// Returns `WVMI_OK`, `WVMI_ERROR_NULL_ARGUMENT`, `WVMI_ERROR_NO_KERNEL`, or
/// `WVMI_ERROR_NO_SYMBOLS`.
///
/// Any thread, also from a callback.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wvmi_unloaded_module_iter_new(
    session: *mut wvmi_session,
    iter: *mut *mut wvmi_unloaded_module_iter,
) -> wvmi_status {
    // SAFETY: the caller passes pointers as the header demands.
    let call = unsafe { Call::new(c"wvmi_unloaded_module_iter_new") };
    call.run(|| {
        let session = call.session(session)?;
        let output = call.output(iter, "iter")?;
        // SAFETY: the reference is kept by the iterator alone, and the records
        // that it yields are turned into values at once.
        let walk =
            unsafe { Walk::new(&session, |engine| Ok(engine.windows()?.unloaded_modules())) };
        output.write(into_handle(wvmi_unloaded_module_iter {
            walk: walk?,
            texts: Texts::default(),
        }));
        Ok(WVMI_OK)
    })
}

/// Gets the next driver that was unloaded.
///
/// `module` receives the facts, `size` is `sizeof *module`; its name is valid
/// until the next call with this iterator.
///
/// Returns `WVMI_OK`; `WVMI_END`; `WVMI_GAP` when a record is absent (the
/// iteration goes on with the next), or the ring is absent or damaged (it ends);
/// `WVMI_ERROR_CLOSED`; `WVMI_ERROR_NULL_ARGUMENT`;
/// `WVMI_ERROR_INVALID_ARGUMENT`.
///
/// The thread that owns `iter`, also from a callback.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wvmi_unloaded_module_iter_next(
    iter: *mut wvmi_unloaded_module_iter,
    module: *mut wvmi_unloaded_module,
    size: usize,
) -> wvmi_status {
    // SAFETY: the caller passes pointers as the header demands.
    let call = unsafe { Call::new(c"wvmi_unloaded_module_iter_next") };
    call.run(|| {
        let iter = call.exclusive(iter, "iter")?;
        let output = call.sized_output(module, size, "module")?;
        let wvmi_unloaded_module_iter { walk, texts } = iter;
        texts.clear();
        walk.next(&call, |_, module| output.write(describe(&module, texts)))
    })
}

/// Gets many drivers that were unloaded at once.
///
/// `modules` receives at most `capacity` of them, `stride` bytes apart (`sizeof
/// *modules`); `count` receives how many, on every return. Their names are valid
/// until the next call with this iterator.
///
/// Returns `WVMI_OK` with at least one driver; `WVMI_END` with none; `WVMI_GAP`
/// with those before the gap, perhaps none; `WVMI_ERROR_CLOSED`;
/// `WVMI_ERROR_CANCELLED`; `WVMI_ERROR_NULL_ARGUMENT`;
/// `WVMI_ERROR_INVALID_ARGUMENT`.
///
/// The thread that owns `iter`, also from a callback.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wvmi_unloaded_module_iter_next_many(
    iter: *mut wvmi_unloaded_module_iter,
    modules: *mut wvmi_unloaded_module,
    stride: usize,
    capacity: usize,
    count: *mut usize,
) -> wvmi_status {
    // SAFETY: the caller passes pointers as the header demands.
    let call = unsafe { Call::new(c"wvmi_unloaded_module_iter_next_many") };
    call.run(|| {
        let iter = call.exclusive(iter, "iter")?;
        let count = call.output(count, "count")?;
        let array = call.array_output(modules, stride, capacity, "modules")?;
        let wvmi_unloaded_module_iter { walk, texts } = iter;
        texts.clear();
        walk.next_many(&call, &array, &count, |_, module| describe(&module, texts))
    })
}

/// Frees the iterator and the names that it lent out. `iter` may be NULL.
///
/// Any thread, also from a callback, also after the session was closed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wvmi_unloaded_module_iter_free(iter: *mut wvmi_unloaded_module_iter) {
    // SAFETY: the caller passes pointers as the header demands.
    let call = unsafe { Call::new(c"wvmi_unloaded_module_iter_free") };
    call.free(iter);
}
