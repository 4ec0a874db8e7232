//! Modules of guest processes: executables and DLLs.

use std::{ffi::c_char, ptr};

use super::{
    architecture::{wanted, wvmi_architecture},
    error::{About, Failure},
    ffi::{Call, Plain},
    process::wvmi_process,
    session::wvmi_session,
    status::{WVMI_OK, wvmi_status},
    valid::Valid,
    walk::Texts,
};
use crate::{
    core::Va,
    error::{Error, Result},
    os::windows::{Architecture, LoaderLists, Process, UserModule, Windows},
};

/// A module of a process: an executable or a DLL. A value, nothing to free.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct wvmi_user_module {
    /// Object of the process that it is mapped in.
    pub process: u64,
    /// Address of its first byte.
    pub base: u64,
    /// Address of the loader's entry (`_LDR_DATA_TABLE_ENTRY`); 0 for an image
    /// that is on no list.
    pub entry: u64,
    /// The loader's lists that it is on: `WVMI_LOADER_LIST_*` bits. 0 for an image
    /// that was mapped behind the loader's back, or unlinked.
    pub lists: u32,
    /// 1 for 32-bit code, 0 for 64-bit code.
    pub wow64: u32,
}

// SAFETY: integers only; every bit pattern is valid.
unsafe impl Plain for wvmi_user_module {}

impl wvmi_user_module {
    /// The value for an engine's module. Where neither headers nor loader tell
    /// the bitness, it is the process's.
    pub fn of(module: &UserModule<'_>) -> Self {
        let architecture = module.architecture();
        let architecture = architecture.or_else(|_| module.process().architecture());
        Self {
            process: module.process().object().0,
            base: module.base().0,
            entry: module.entry().map_or(0, |entry| entry.address().0),
            lists: lists(module),
            wow64: matches!(architecture, Ok(Architecture::X86)).into(),
        }
    }

    /// The engine's module for the value.
    pub fn get(self, windows: &Windows) -> Result<UserModule<'_>> {
        let process = Process::new(windows, Va(self.process));
        let module = UserModule::new(process, Va(self.base))?;
        if self.entry == 0 {
            return Ok(module);
        }
        let loader = match self.lists & WVMI_LOADER_LIST_WOW64 {
            0 => Architecture::Amd64,
            _ => Architecture::X86,
        };
        let lists = LoaderLists::from_bits_truncate(self.lists as u8);
        Ok(module.listed(Va(self.entry), loader, lists))
    }
}

/// `WVMI_LOADER_LIST_*` bits of a module.
fn lists(module: &UserModule<'_>) -> u32 {
    let narrow = module.entry().map(|entry| entry.architecture()) == Some(Architecture::X86);
    let loader = if narrow { WVMI_LOADER_LIST_WOW64 } else { 0 };
    u32::from(module.lists().bits()) | loader
}

/// What is known about a module of a process, filled by
/// `wvmi_user_module_info()` and `wvmi_user_module_iter_next_many()`.
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
    /// File name, UTF-8, NUL-terminated. Filled by the iterator only, which
    /// keeps it until its next call; `wvmi_user_module_text()` copies it.
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
/// Beside the others: the lists are those of the 32-bit loader of a WoW64
/// process.
pub const WVMI_LOADER_LIST_WOW64: u32 = 0x10;

const _: () = {
    use crate::os::windows::LoaderLists as Lists;
    assert!(
        WVMI_LOADER_LIST_LOAD == Lists::LOAD.bits() as u32
            && WVMI_LOADER_LIST_MEMORY == Lists::MEMORY.bits() as u32
            && WVMI_LOADER_LIST_INITIALIZATION == Lists::INITIALIZATION.bits() as u32
            && WVMI_LOADER_LIST_WOW64 & Lists::all().bits() as u32 == 0
    );
};

fn describe(it: &UserModule<'_>, v: &mut Valid) -> wvmi_user_module_details {
    let wow64 = it.architecture().map(|it| it == Architecture::X86);
    wvmi_user_module_details {
        valid: 0,
        base: it.base().0,
        size: v.take(WVMI_USER_MODULE_VALID_SIZE, it.size()),
        entry_point: v
            .take(WVMI_USER_MODULE_VALID_ENTRY_POINT, it.entry_point())
            .0,
        entry: it.entry().map_or(0, |entry| entry.address().0),
        time_date_stamp: v.take(WVMI_USER_MODULE_VALID_TIME_DATE_STAMP, it.time_date_stamp()),
        wow64: v.take(WVMI_USER_MODULE_VALID_WOW64, wow64).into(),
        lists: lists(it),
        reserved: 0,
        name: ptr::null(),
        name_length: 0,
        path: ptr::null(),
        path_length: 0,
    }
}

/// The details with the texts, which `texts` keeps.
pub fn describe_with_texts(module: UserModule<'_>, texts: &mut Texts) -> wvmi_user_module_details {
    let mut buffer = [0; UserModule::SNAPSHOT];
    let it = module.with_copy(&mut buffer);
    let mut valid = Valid::default();
    let mut details = describe(&it, &mut valid);
    let name = texts.read(|text| it.append_name(text));
    if let Some(name) = valid.found(WVMI_USER_MODULE_VALID_NAME, name) {
        (details.name, details.name_length) = name;
    }
    let path = texts.read(|text| it.append_path(text));
    if let Some(path) = valid.found(WVMI_USER_MODULE_VALID_PATH, path) {
        (details.path, details.path_length) = path;
    }
    details.valid = valid.bits();
    details
}

/// Tells everything but the texts about a module of a process in one call.
///
/// What cannot be read is left 0 and out of `details->valid`; the rest is
/// filled. `name` and `path` are NULL: `wvmi_user_module_text()` copies them.
///
/// `details` receives the facts, `size` is `sizeof *details`.
///
/// Returns `WVMI_OK` when at least one field was read; `WVMI_ERROR_FAULT` when
/// none was; `WVMI_ERROR_NULL_ARGUMENT`; `WVMI_ERROR_INVALID_ARGUMENT`;
/// `WVMI_ERROR_NO_KERNEL`; `WVMI_ERROR_NO_SYMBOLS`.
///
/// Any thread, also from a callback.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wvmi_user_module_info(
    session: *mut wvmi_session,
    module: wvmi_user_module,
    details: *mut wvmi_user_module_details,
    size: usize,
) -> wvmi_status {
    // SAFETY: the caller passes pointers as the header demands.
    let call = unsafe { Call::new(c"wvmi_user_module_info") };
    call.run(|| {
        let session = call.session(session)?;
        let output = call.sized_output(details, size, "details")?;
        let it = module.get(session.engine().windows()?);
        let it = it.about("process", module.process)?;
        let mut buffer = [0; UserModule::SNAPSHOT];
        let mut valid = Valid::default();
        let details = describe(&it.with_copy(&mut buffer), &mut valid);
        let valid = valid.finish().about("module", module.base)?;
        output.write(wvmi_user_module_details { valid, ..details });
        Ok(WVMI_OK)
    })
}

/// A text of a module of a process; one of the `WVMI_USER_MODULE_TEXT_*` numbers.
pub type wvmi_user_module_text_kind = u32;

/// File name: what the loader says, else the end of the mapped file's path.
pub const WVMI_USER_MODULE_TEXT_NAME: wvmi_user_module_text_kind = 0;
/// Path: what the loader says (`"C:\\..."`), else the mapped file's.
pub const WVMI_USER_MODULE_TEXT_PATH: wvmi_user_module_text_kind = 1;
/// Path of the mapped file in the kernel's words (`"\\Device\\..."`), which the
/// process cannot change.
pub const WVMI_USER_MODULE_TEXT_MAPPED_PATH: wvmi_user_module_text_kind = 2;

/// UTF-16 units of a text.
fn text(
    call: &Call,
    session: *mut wvmi_session,
    module: wvmi_user_module,
    kind: wvmi_user_module_text_kind,
) -> Result<Vec<u16>, Failure> {
    let session = call.session(session)?;
    let it = module.get(session.engine().windows()?);
    let text = it.and_then(|it| match kind {
        WVMI_USER_MODULE_TEXT_NAME => it.name_utf16(),
        WVMI_USER_MODULE_TEXT_PATH => it.path_utf16(),
        WVMI_USER_MODULE_TEXT_MAPPED_PATH => it.mapped_path_utf16(),
        _ => Err(Error::invalid_argument(
            "kind",
            "no WVMI_USER_MODULE_TEXT_ number",
        )),
    });
    text.about("module", module.base)
}

/// Reads a text of a module of a process.
///
/// `kind` chooses the text. It goes into `buffer` of `capacity` bytes; `length`
/// (may be NULL) receives its length. Unpaired surrogates become U+FFFD;
/// `wvmi_user_module_text_utf16()` gives the units as they are.
///
/// Returns `WVMI_OK`; `WVMI_ERROR_BUFFER_TOO_SMALL`; `WVMI_ERROR_NOT_FOUND` when
/// no file is mapped there; `WVMI_ERROR_FAULT`; `WVMI_ERROR_CORRUPT`;
/// `WVMI_ERROR_NULL_ARGUMENT`; `WVMI_ERROR_INVALID_ARGUMENT`;
/// `WVMI_ERROR_NO_KERNEL`; `WVMI_ERROR_NO_SYMBOLS`.
///
/// Any thread, also from a callback.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wvmi_user_module_text(
    session: *mut wvmi_session,
    module: wvmi_user_module,
    kind: wvmi_user_module_text_kind,
    buffer: *mut c_char,
    capacity: usize,
    length: *mut usize,
) -> wvmi_status {
    // SAFETY: the caller passes pointers as the header demands.
    let call = unsafe { Call::new(c"wvmi_user_module_text") };
    call.run(|| {
        let output = call.text_buffer(buffer, capacity, length)?;
        let units = text(&call, session, module, kind)?;
        output.write(&String::from_utf16_lossy(&units))?;
        Ok(WVMI_OK)
    })
}

/// Reads a text of a module of a process without loss, as UTF-16 units.
///
/// `kind` chooses the text. `units` receives at most `capacity` 16-bit units,
/// without a terminator; `count` (may be NULL) receives the number of units that
/// the text has.
///
/// Returns as `wvmi_user_module_text()`.
///
/// Any thread, also from a callback.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wvmi_user_module_text_utf16(
    session: *mut wvmi_session,
    module: wvmi_user_module,
    kind: wvmi_user_module_text_kind,
    units: *mut u16,
    capacity: usize,
    count: *mut usize,
) -> wvmi_status {
    // SAFETY: the caller passes pointers as the header demands.
    let call = unsafe { Call::new(c"wvmi_user_module_text_utf16") };
    call.run(|| {
        let output = call.units_buffer(units, capacity, count)?;
        output.write(&text(&call, session, module, kind)?)?;
        Ok(WVMI_OK)
    })
}

/// Finds the module of a process that an address lies in.
///
/// `address` is any address. `module` receives the module.
///
/// Returns `WVMI_OK`; `WVMI_ERROR_NOT_FOUND`; `WVMI_ERROR_NULL_ARGUMENT`;
/// `WVMI_ERROR_NO_KERNEL`; `WVMI_ERROR_NO_SYMBOLS`.
///
/// Any thread, also from a callback.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wvmi_user_module_at(
    session: *mut wvmi_session,
    process: wvmi_process,
    address: u64,
    module: *mut wvmi_user_module,
) -> wvmi_status {
    // SAFETY: the caller passes pointers as the header demands.
    let call = unsafe { Call::new(c"wvmi_user_module_at") };
    call.run(|| {
        let session = call.session(session)?;
        let output = call.output(module, "module")?;
        let process_of = process.get(session.engine().windows()?);
        let found = process_of.user_module_at(Va(address));
        output.write(wvmi_user_module::of(
            &found.about("process", process.object)?,
        ));
        Ok(WVMI_OK)
    })
}

/// Finds a module of a process by its name.
///
/// `name` is its file name, UTF-8; ASCII case does not count, the extension may
/// be left out. `architecture` tells native and WoW64 modules of one name apart:
/// one of `WVMI_ARCHITECTURE_*`. `module` receives the module.
///
/// Returns `WVMI_OK`; `WVMI_ERROR_NOT_FOUND`; `WVMI_ERROR_NULL_ARGUMENT`;
/// `WVMI_ERROR_INVALID_ARGUMENT`; `WVMI_ERROR_FAULT`; `WVMI_ERROR_NO_KERNEL`;
/// `WVMI_ERROR_NO_SYMBOLS`.
///
/// Any thread, also from a callback.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wvmi_user_module_by_name(
    session: *mut wvmi_session,
    process: wvmi_process,
    name: *const c_char,
    architecture: wvmi_architecture,
    module: *mut wvmi_user_module,
) -> wvmi_status {
    // SAFETY: the caller passes pointers as the header demands.
    let call = unsafe { Call::new(c"wvmi_user_module_by_name") };
    call.run(|| {
        let session = call.session(session)?;
        let name = call.text(name, "name")?;
        let architecture = wanted(architecture)?;
        let output = call.output(module, "module")?;
        let process_of = process.get(session.engine().windows()?);
        let found = process_of.user_module(name, architecture);
        output.write(wvmi_user_module::of(
            &found.about("process", process.object)?,
        ));
        Ok(WVMI_OK)
    })
}
