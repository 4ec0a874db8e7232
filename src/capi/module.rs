//! `wvmi_module`: modules of the kernel.

use std::{ffi::c_char, ptr};

use super::{
    error::About,
    ffi::{Call, Plain, into_handle},
    gate::Inside,
    session::wvmi_session,
    status::{WVMI_OK, wvmi_status},
    valid::Valid,
    walk::{Texts, Walk},
};
use crate::{
    core::Va,
    error::{Error, Result},
    os::windows::{Module, Modules, Windows},
};

/// A module of the kernel: the address of its loader entry
/// (`_KLDR_DATA_TABLE_ENTRY`). A value, nothing to free.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct wvmi_module {
    /// Address of the loader entry.
    pub entry: u64,
}

// SAFETY: an integer; every bit pattern is valid.
unsafe impl Plain for wvmi_module {}

impl wvmi_module {
    fn of(module: &Module<'_>) -> Self {
        Self {
            entry: module.entry().0,
        }
    }

    /// The engine's module for the value.
    pub fn get(self, windows: &Windows) -> Module<'_> {
        Module::new(windows, Va(self.entry))
    }
}

/// What is known about a module of the kernel, filled by `wvmi_module_info()`
/// and `wvmi_module_iter_next_many()`.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct wvmi_module_details {
    /// Which of the other fields were read: `WVMI_MODULE_VALID_*` bits.
    pub valid: u64,
    /// Address of the loader entry; always filled.
    pub entry: u64,
    /// Base of the image (`DllBase`).
    pub base: u64,
    /// Entry point (`EntryPoint`).
    pub entry_point: u64,
    /// Size of the image in bytes (`SizeOfImage`).
    pub size: u32,
    /// Link time stamp of the image (`TimeDateStamp`).
    pub time_date_stamp: u32,
    /// File name (`BaseDllName`), UTF-8, NUL-terminated. Filled by the iterator
    /// only, which keeps it until its next call; `wvmi_module_name()` copies it.
    pub name: *const c_char,
    /// Length of `name` in bytes.
    pub name_length: usize,
    /// Full path (`FullDllName`), as `name`; `wvmi_module_path()` copies it.
    pub path: *const c_char,
    /// Length of `path` in bytes.
    pub path_length: usize,
}

// SAFETY: integers and pointers only; every bit pattern is valid.
unsafe impl Plain for wvmi_module_details {}

/// `base` was read.
pub const WVMI_MODULE_VALID_BASE: u64 = 1;
/// `entry_point` was read.
pub const WVMI_MODULE_VALID_ENTRY_POINT: u64 = 2;
/// `size` was read.
pub const WVMI_MODULE_VALID_SIZE: u64 = 4;
/// `time_date_stamp` was read; the entries of some Windows lack it.
pub const WVMI_MODULE_VALID_TIME_DATE_STAMP: u64 = 8;
/// `name` was read.
pub const WVMI_MODULE_VALID_NAME: u64 = 0x10;
/// `path` was read.
pub const WVMI_MODULE_VALID_PATH: u64 = 0x20;

fn describe(it: &Module<'_>, valid: &mut Valid) -> wvmi_module_details {
    let stamp = it
        .time_date_stamp()
        .and_then(|stamp| stamp.ok_or_else(|| Error::layout("TimeDateStamp")));
    wvmi_module_details {
        valid: 0,
        entry: it.entry().0,
        base: valid.take(WVMI_MODULE_VALID_BASE, it.base()).0,
        entry_point: valid
            .take(WVMI_MODULE_VALID_ENTRY_POINT, it.entry_point())
            .0,
        size: valid.take(WVMI_MODULE_VALID_SIZE, it.size()),
        time_date_stamp: valid.take(WVMI_MODULE_VALID_TIME_DATE_STAMP, stamp),
        name: ptr::null(),
        name_length: 0,
        path: ptr::null(),
        path_length: 0,
    }
}

/// The details with the texts, which `texts` keeps.
fn describe_with_texts(module: Module<'_>, texts: &mut Texts) -> wvmi_module_details {
    let mut buffer = [0; Module::SNAPSHOT];
    let it = module.with_copy(&mut buffer);
    let mut valid = Valid::default();
    let mut details = describe(&it, &mut valid);
    let name = texts.read(|text| it.append_name(text));
    if let Some(name) = valid.found(WVMI_MODULE_VALID_NAME, name) {
        (details.name, details.name_length) = name;
    }
    let path = texts.read(|text| it.append_path(text));
    if let Some(path) = valid.found(WVMI_MODULE_VALID_PATH, path) {
        (details.path, details.path_length) = path;
    }
    details.valid = valid.bits();
    details
}

/// Tells everything but the texts about a module of the kernel in one call.
///
/// What cannot be read is left 0 and out of `details->valid`; the rest is
/// filled. `name` and `path` are NULL: `wvmi_module_name()` and
/// `wvmi_module_path()` copy them.
///
/// `details` receives the facts, `size` is `sizeof *details`.
///
/// Returns `WVMI_OK` when at least one field was read; `WVMI_ERROR_FAULT` when
/// none was; `WVMI_ERROR_NULL_ARGUMENT`; `WVMI_ERROR_INVALID_ARGUMENT`;
/// `WVMI_ERROR_NO_KERNEL`; `WVMI_ERROR_NO_SYMBOLS`.
///
/// Any thread, also from a callback.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wvmi_module_info(
    session: *mut wvmi_session,
    module: wvmi_module,
    details: *mut wvmi_module_details,
    size: usize,
) -> wvmi_status {
    // SAFETY: the caller passes pointers as the header demands.
    let call = unsafe { Call::new(c"wvmi_module_info") };
    call.run(|| {
        let session = call.session(session)?;
        let output = call.sized_output(details, size, "details")?;
        let mut valid = Valid::default();
        let details = describe(&module.get(session.engine().windows()?), &mut valid);
        let valid = valid.finish().about("module", module.entry)?;
        output.write(wvmi_module_details { valid, ..details });
        Ok(WVMI_OK)
    })
}

/// Finds the module of the kernel that an address lies in.
///
/// `address` is a virtual address. `module` receives the module.
///
/// Returns `WVMI_OK`, `WVMI_ERROR_NOT_FOUND`, `WVMI_ERROR_NULL_ARGUMENT`,
/// `WVMI_ERROR_NO_KERNEL`, or `WVMI_ERROR_NO_SYMBOLS`.
///
/// Any thread, also from a callback.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wvmi_module_at(
    session: *mut wvmi_session,
    address: u64,
    module: *mut wvmi_module,
) -> wvmi_status {
    // SAFETY: the caller passes pointers as the header demands.
    let call = unsafe { Call::new(c"wvmi_module_at") };
    call.run(|| {
        let session = call.session(session)?;
        let output = call.output(module, "module")?;
        let found = session.engine().windows()?.module_at(Va(address))?;
        output.write(wvmi_module::of(&found));
        Ok(WVMI_OK)
    })
}

/// Finds a module of the kernel by its name.
///
/// `name` is its file name, UTF-8; ASCII case does not count, the extension may
/// be left out, and `"nt"` is the kernel. `module` receives the module.
///
/// Returns `WVMI_OK`, `WVMI_ERROR_NOT_FOUND`, `WVMI_ERROR_NULL_ARGUMENT`,
/// `WVMI_ERROR_INVALID_ARGUMENT` when the name is not UTF-8,
/// `WVMI_ERROR_NO_KERNEL`, or `WVMI_ERROR_NO_SYMBOLS`.
///
/// Any thread, also from a callback.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wvmi_module_by_name(
    session: *mut wvmi_session,
    name: *const c_char,
    module: *mut wvmi_module,
) -> wvmi_status {
    // SAFETY: the caller passes pointers as the header demands.
    let call = unsafe { Call::new(c"wvmi_module_by_name") };
    call.run(|| {
        let session = call.session(session)?;
        let name = call.text(name, "name")?;
        let output = call.output(module, "module")?;
        let found = session.engine().windows()?.module_by_name(name)?;
        output.write(wvmi_module::of(&found));
        Ok(WVMI_OK)
    })
}

/// An iteration over the modules of the kernel; made by `wvmi_module_iter_new()`.
pub struct wvmi_module_iter {
    walk: Walk<Modules<'static>>,
    texts: Texts,
}

/// Begins an iteration over the modules of the kernel, in load order
/// (`PsLoadedModuleList`).
///
/// `iter` receives the handle; free it with `wvmi_module_iter_free()`.
///
/// Returns `WVMI_OK`, `WVMI_ERROR_NULL_ARGUMENT`, `WVMI_ERROR_NO_KERNEL`, or
/// `WVMI_ERROR_NO_SYMBOLS`.
///
/// Any thread, also from a callback.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wvmi_module_iter_new(
    session: *mut wvmi_session,
    iter: *mut *mut wvmi_module_iter,
) -> wvmi_status {
    // SAFETY: the caller passes pointers as the header demands.
    let call = unsafe { Call::new(c"wvmi_module_iter_new") };
    call.run(|| {
        let session = call.session(session)?;
        let output = call.output(iter, "iter")?;
        output.write(into_handle(wvmi_module_iter {
            walk: modules(&session)?,
            texts: Texts::default(),
        }));
        Ok(WVMI_OK)
    })
}

fn modules(session: &Inside) -> Result<Walk<Modules<'static>>> {
    // SAFETY: the reference is kept by the iterator alone, and the modules that
    // it yields are turned into values at once.
    unsafe { Walk::new(session, |engine| Ok(engine.windows()?.modules())) }
}

/// Gets the next module.
///
/// `module` receives it.
///
/// Returns `WVMI_OK`; `WVMI_END`; `WVMI_GAP` when a part of the list is damaged
/// or absent (the iteration goes on with what can be reached otherwise);
/// `WVMI_ERROR_CLOSED`; `WVMI_ERROR_NULL_ARGUMENT`.
///
/// The thread that owns `iter`, also from a callback.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wvmi_module_iter_next(
    iter: *mut wvmi_module_iter,
    module: *mut wvmi_module,
) -> wvmi_status {
    // SAFETY: the caller passes pointers as the header demands.
    let call = unsafe { Call::new(c"wvmi_module_iter_next") };
    call.run(|| {
        let iter = call.exclusive(iter, "iter")?;
        let output = call.output(module, "module")?;
        iter.texts.clear();
        iter.walk
            .next(&call, |_, module| output.write(wvmi_module::of(&module)))
    })
}

/// Gets the details of many modules at once.
///
/// `details` receives at most `capacity` of them, `stride` bytes apart (`sizeof
/// *details`); `count` receives how many, on every return. Their texts are
/// valid until the next call with this iterator.
///
/// Returns `WVMI_OK` with at least one module; `WVMI_END` with none; `WVMI_GAP`
/// with those before the gap, perhaps none; `WVMI_ERROR_CLOSED`;
/// `WVMI_ERROR_CANCELLED`; `WVMI_ERROR_NULL_ARGUMENT`;
/// `WVMI_ERROR_INVALID_ARGUMENT`.
///
/// The thread that owns `iter`, also from a callback.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wvmi_module_iter_next_many(
    iter: *mut wvmi_module_iter,
    details: *mut wvmi_module_details,
    stride: usize,
    capacity: usize,
    count: *mut usize,
) -> wvmi_status {
    // SAFETY: the caller passes pointers as the header demands.
    let call = unsafe { Call::new(c"wvmi_module_iter_next_many") };
    call.run(|| {
        let iter = call.exclusive(iter, "iter")?;
        let count = call.output(count, "count")?;
        let array = call.array_output(details, stride, capacity, "details")?;
        let wvmi_module_iter { walk, texts } = iter;
        texts.clear();
        walk.next_many(&call, &array, &count, |_, module| {
            describe_with_texts(module, texts)
        })
    })
}

/// Frees the iterator and the texts that it lent out. `iter` may be NULL.
///
/// Any thread, also from a callback, also after the session was closed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wvmi_module_iter_free(iter: *mut wvmi_module_iter) {
    // SAFETY: the caller passes pointers as the header demands.
    let call = unsafe { Call::new(c"wvmi_module_iter_free") };
    call.free(iter);
}
