//! Modules of guest processes: executables and DLLs.

use std::{ffi::c_char, ptr};

use super::{
    ffi::{Call, Plain, into_handle},
    gate::Inside,
    process::wvmi_process,
    session::wvmi_session,
    status::{WVMI_OK, wvmi_status},
    valid::Valid,
    walk::{Texts, Walk},
};
use crate::{
    error::Result,
    os::windows::{Architecture, UserModule, UserModules},
};

/// What is known about a module of a process, filled by
/// `wvmi_user_module_iter_next_many()`.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct wvmi_user_module_details {
    /// Which of the other fields were read: `WVMI_USER_MODULE_VALID_*` bits.
    pub valid: u64,
    /// Address of the first byte; always filled.
    pub base: u64,
    /// Size in bytes: what the loader says, else the headers, else the region.
    pub size: u64,
    /// Entry point; 0 when there is none.
    pub entry_point: u64,
    /// Address of the loader's entry; 0 for an image that is on no list.
    pub entry: u64,
    /// Link time stamp of the image.
    pub time_date_stamp: u32,
    /// 1 for 32-bit code, 0 for 64-bit code.
    pub wow64: u32,
    /// The loader's lists that the module is on: `WVMI_LOADER_LIST_*` bits. 0 for
    /// an image that was mapped behind the loader's back, or unlinked.
    pub lists: u32,
    /// Always 0.
    pub reserved: u32,
    /// File name, UTF-8, NUL-terminated, valid until the iterator's next call.
    pub name: *const c_char,
    /// Length of `name` in bytes.
    pub name_length: usize,
    /// Path: what the loader says, else what the kernel says; as `name`.
    pub path: *const c_char,
    /// Length of `path` in bytes.
    pub path_length: usize,
}

// SAFETY: integers and pointers only; every bit pattern is valid.
unsafe impl Plain for wvmi_user_module_details {}

/// `size` was read.
pub const WVMI_USER_MODULE_VALID_SIZE: u64 = 1;
/// `entry_point` was read.
pub const WVMI_USER_MODULE_VALID_ENTRY_POINT: u64 = 2;
/// `time_date_stamp` was read.
pub const WVMI_USER_MODULE_VALID_TIME_DATE_STAMP: u64 = 4;
/// `wow64` was read.
pub const WVMI_USER_MODULE_VALID_WOW64: u64 = 8;
/// `name` was read.
pub const WVMI_USER_MODULE_VALID_NAME: u64 = 0x10;
/// `path` was read.
pub const WVMI_USER_MODULE_VALID_PATH: u64 = 0x20;

/// The list in order of loading (`InLoadOrderModuleList`).
pub const WVMI_LOADER_LIST_LOAD: u32 = 1;
/// The list in order of addresses (`InMemoryOrderModuleList`).
pub const WVMI_LOADER_LIST_MEMORY: u32 = 2;
/// The list in order of initialization (`InInitializationOrderModuleList`).
pub const WVMI_LOADER_LIST_INITIALIZATION: u32 = 4;

const _: () = {
    use crate::os::windows::LoaderLists as Lists;
    assert!(
        WVMI_LOADER_LIST_LOAD == Lists::LOAD.bits() as u32
            && WVMI_LOADER_LIST_MEMORY == Lists::MEMORY.bits() as u32
            && WVMI_LOADER_LIST_INITIALIZATION == Lists::INITIALIZATION.bits() as u32
    );
};

fn describe(module: UserModule<'_>, texts: &mut Texts) -> wvmi_user_module_details {
    let mut buffer = [0; UserModule::SNAPSHOT];
    let it = module.with_copy(&mut buffer);
    let mut valid = Valid::default();
    let v = &mut valid;
    let wow64 = it.architecture().map(|it| it == Architecture::X86);
    let mut details = wvmi_user_module_details {
        valid: 0,
        base: it.base().0,
        size: v.take(WVMI_USER_MODULE_VALID_SIZE, it.size()),
        entry_point: v
            .take(WVMI_USER_MODULE_VALID_ENTRY_POINT, it.entry_point())
            .0,
        entry: it.entry().map_or(0, |entry| entry.address().0),
        time_date_stamp: v.take(WVMI_USER_MODULE_VALID_TIME_DATE_STAMP, it.time_date_stamp()),
        wow64: v.take(WVMI_USER_MODULE_VALID_WOW64, wow64).into(),
        lists: it.lists().bits().into(),
        reserved: 0,
        name: ptr::null(),
        name_length: 0,
        path: ptr::null(),
        path_length: 0,
    };
    if let Some(name) = v.found(WVMI_USER_MODULE_VALID_NAME, it.name()) {
        (details.name, details.name_length) = texts.keep(name);
    }
    if let Some(path) = v.found(WVMI_USER_MODULE_VALID_PATH, it.path()) {
        (details.path, details.path_length) = texts.keep(path);
    }
    details.valid = valid.bits();
    details
}

/// An iteration over the modules of a process; made by
/// `wvmi_user_module_iter_new()`.
pub struct wvmi_user_module_iter {
    walk: Walk<UserModules<'static>>,
    texts: Texts,
}

/// Begins an iteration over the modules of a process: those that its loaders
/// list (the 32-bit loader first under WoW64), then mapped images that are on no
/// list.
///
/// `iter` receives the handle; free it with `wvmi_user_module_iter_free()`.
///
/// Returns `WVMI_OK`, `WVMI_ERROR_NULL_ARGUMENT`, `WVMI_ERROR_NO_KERNEL`, or
/// `WVMI_ERROR_NO_SYMBOLS`.
///
/// Any thread, also from a callback.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wvmi_user_module_iter_new(
    session: *mut wvmi_session,
    process: wvmi_process,
    iter: *mut *mut wvmi_user_module_iter,
) -> wvmi_status {
    // SAFETY: the caller passes pointers as the header demands.
    let call = unsafe { Call::new(c"wvmi_user_module_iter_new") };
    call.run(|| {
        let session = call.session(session)?;
        let output = call.output(iter, "iter")?;
        output.write(into_handle(wvmi_user_module_iter {
            walk: modules(&session, process)?,
            texts: Texts::default(),
        }));
        Ok(WVMI_OK)
    })
}

fn modules(session: &Inside, process: wvmi_process) -> Result<Walk<UserModules<'static>>> {
    // SAFETY: the reference is kept by the iterator alone, and the modules that
    // it yields are turned into values at once.
    unsafe {
        Walk::new(session, |engine| {
            Ok(process.get(engine.windows()?).user_modules())
        })
    }
}

/// Gets the details of many modules at once.
///
/// `details` receives at most `capacity` of them, `stride` bytes apart (`sizeof
/// *details`); `count` receives how many, on every return. Their texts are valid
/// until the next call with this iterator.
///
/// Returns `WVMI_OK` with at least one module; `WVMI_END` with none; `WVMI_GAP`
/// with those before the gap, perhaps none; `WVMI_ERROR_CLOSED`;
/// `WVMI_ERROR_CANCELLED`; `WVMI_ERROR_NULL_ARGUMENT`;
/// `WVMI_ERROR_INVALID_ARGUMENT`.
///
/// The thread that owns `iter`, also from a callback.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wvmi_user_module_iter_next_many(
    iter: *mut wvmi_user_module_iter,
    details: *mut wvmi_user_module_details,
    stride: usize,
    capacity: usize,
    count: *mut usize,
) -> wvmi_status {
    // SAFETY: the caller passes pointers as the header demands.
    let call = unsafe { Call::new(c"wvmi_user_module_iter_next_many") };
    call.run(|| {
        let iter = call.exclusive(iter, "iter")?;
        let count = call.output(count, "count")?;
        let array = call.array_output(details, stride, capacity, "details")?;
        let wvmi_user_module_iter { walk, texts } = iter;
        texts.clear();
        walk.next_many(&call, &array, &count, |_, module| describe(module, texts))
    })
}

/// Frees the iterator and the texts that it lent out. `iter` may be NULL.
///
/// Any thread, also from a callback, also after the session was closed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wvmi_user_module_iter_free(iter: *mut wvmi_user_module_iter) {
    // SAFETY: the caller passes pointers as the header demands.
    let call = unsafe { Call::new(c"wvmi_user_module_iter_free") };
    call.free(iter);
}
