//! `wvmi_process`: a process as a value, and what one asks it for.

use std::ffi::c_char;

use super::{
    error::About,
    ffi::{Call, Plain},
    guard::Answer,
    session::wvmi_session,
    status::{WVMI_OK, wvmi_status},
};
use crate::{
    core::Va,
    error::Result,
    os::windows::{Architecture, Process, Windows},
};

/// A process: the address of its `_EPROCESS`. A value, nothing to free.
///
/// Windows uses addresses again: the id and the creation time in
/// `wvmi_process_details` tell a new process from an old one.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct wvmi_process {
    /// Address of the process object.
    pub object: u64,
}

// SAFETY: an integer; every bit pattern is valid.
unsafe impl Plain for wvmi_process {}

impl wvmi_process {
    pub(super) fn of(process: &Process<'_>) -> Self {
        Self {
            object: process.object().0,
        }
    }

    #[inline]
    pub(super) fn get(self, windows: &Windows) -> Process<'_> {
        windows.process(Va(self.object))
    }
}

/// The body of a function that finds one process.
fn find(
    call: &Call,
    session: *mut wvmi_session,
    process: *mut wvmi_process,
    find: impl for<'a> FnOnce(&'a Windows) -> Result<Process<'a>>,
) -> Answer {
    let session = call.session(session)?;
    let output = call.output(process, "process")?;
    let found = find(session.engine().windows()?)?;
    output.write(wvmi_process::of(&found));
    Ok(WVMI_OK)
}

/// The body of a function that reads one number of a process.
#[inline]
fn get<T: Plain>(
    call: &Call,
    session: *mut wvmi_session,
    process: wvmi_process,
    (output, name): (*mut T, &'static str),
    get: impl FnOnce(&Process<'_>) -> Result<T>,
) -> Answer {
    let session = call.session(session)?;
    let output = call.output(output, name)?;
    let value = get(&process.get(session.engine().windows()?));
    output.write(value.about("process", process.object)?);
    Ok(WVMI_OK)
}

/// Finds a process by its id.
///
/// Looks at the list of active processes, then at the table of ids, which also
/// names processes that the list hides.
///
/// `process` receives it.
///
/// Returns `WVMI_OK`, `WVMI_ERROR_NOT_FOUND`, `WVMI_ERROR_NULL_ARGUMENT`,
/// `WVMI_ERROR_NO_KERNEL`, `WVMI_ERROR_NO_SYMBOLS`, or the fault that kept the
/// library from looking.
///
/// Any thread, also from a callback.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wvmi_process_by_id(
    session: *mut wvmi_session,
    pid: u32,
    process: *mut wvmi_process,
) -> wvmi_status {
    // SAFETY: the caller passes pointers as the header demands.
    let call = unsafe { Call::new(c"wvmi_process_by_id") };
    call.run(|| {
        find(&call, session, process, |windows| {
            windows.process_by_id(pid)
        })
    })
}

/// Finds the first active process with an image name.
///
/// `name` is UTF-8 (`"lsass.exe"`), compared with the name as Windows keeps it,
/// cut at 14 or 15 bytes; ASCII case is ignored. `process` receives it.
///
/// Returns `WVMI_OK`, `WVMI_ERROR_NOT_FOUND`, `WVMI_ERROR_NULL_ARGUMENT`,
/// `WVMI_ERROR_INVALID_ARGUMENT` when the name is not UTF-8,
/// `WVMI_ERROR_NO_KERNEL`, or `WVMI_ERROR_NO_SYMBOLS`.
///
/// Any thread, also from a callback.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wvmi_process_by_name(
    session: *mut wvmi_session,
    name: *const c_char,
    process: *mut wvmi_process,
) -> wvmi_status {
    // SAFETY: the caller passes pointers as the header demands.
    let call = unsafe { Call::new(c"wvmi_process_by_name") };
    call.run(|| {
        let name = call.text(name, "name")?;
        find(&call, session, process, |windows| {
            windows.process_by_name(name)
        })
    })
}

/// Gets the System process (`PsInitialSystemProcess`).
///
/// `process` receives it.
///
/// Returns `WVMI_OK`, `WVMI_ERROR_FAULT`, `WVMI_ERROR_CORRUPT`,
/// `WVMI_ERROR_NULL_ARGUMENT`, `WVMI_ERROR_NO_KERNEL`, or
/// `WVMI_ERROR_NO_SYMBOLS`.
///
/// Any thread, also from a callback.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wvmi_process_system(
    session: *mut wvmi_session,
    process: *mut wvmi_process,
) -> wvmi_status {
    // SAFETY: the caller passes pointers as the header demands.
    let call = unsafe { Call::new(c"wvmi_process_system") };
    call.run(|| find(&call, session, process, Windows::system_process))
}

/// Gets the idle process, which is on no list (`PsIdleProcess`).
///
/// `process` receives it.
///
/// Returns as `wvmi_process_system()`.
///
/// Any thread, also from a callback.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wvmi_process_idle(
    session: *mut wvmi_session,
    process: *mut wvmi_process,
) -> wvmi_status {
    // SAFETY: the caller passes pointers as the header demands.
    let call = unsafe { Call::new(c"wvmi_process_idle") };
    call.run(|| find(&call, session, process, Windows::idle_process))
}

/// Gets the process whose address space a virtual processor uses now.
///
/// `vcpu` counts from 0. `process` receives it.
///
/// Returns `WVMI_OK`, `WVMI_ERROR_NOT_FOUND` for a processor that the guest does
/// not have, `WVMI_ERROR_FAULT`, `WVMI_ERROR_CORRUPT`,
/// `WVMI_ERROR_NULL_ARGUMENT`, `WVMI_ERROR_NO_KERNEL`, or
/// `WVMI_ERROR_NO_SYMBOLS`.
///
/// Any thread, also from a callback.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wvmi_process_current(
    session: *mut wvmi_session,
    vcpu: u16,
    process: *mut wvmi_process,
) -> wvmi_status {
    // SAFETY: the caller passes pointers as the header demands.
    let call = unsafe { Call::new(c"wvmi_process_current") };
    call.run(|| {
        find(&call, session, process, |windows| {
            let thread = windows.processor(vcpu)?.current_thread()?;
            match thread.current_process()? {
                Some(process) => Ok(process),
                None => thread.process(),
            }
        })
    })
}

/// Reads the id of a process (`_EPROCESS.UniqueProcessId`).
///
/// `pid` receives it.
///
/// Returns `WVMI_OK`, `WVMI_ERROR_FAULT`, `WVMI_ERROR_NULL_ARGUMENT`,
/// `WVMI_ERROR_NO_KERNEL`, or `WVMI_ERROR_NO_SYMBOLS`.
///
/// Any thread, also from a callback.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wvmi_process_id(
    session: *mut wvmi_session,
    process: wvmi_process,
    pid: *mut u32,
) -> wvmi_status {
    // SAFETY: the caller passes pointers as the header demands.
    let call = unsafe { Call::new(c"wvmi_process_id") };
    call.run(|| get(&call, session, process, (pid, "pid"), |it| it.id()))
}

/// Reads the id of the process that created a process
/// (`_EPROCESS.InheritedFromUniqueProcessId`).
///
/// `pid` receives it. The creator may have exited, and its id may belong to
/// another process.
///
/// Returns as `wvmi_process_id()`.
///
/// Any thread, also from a callback.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wvmi_process_parent_id(
    session: *mut wvmi_session,
    process: wvmi_process,
    pid: *mut u32,
) -> wvmi_status {
    // SAFETY: the caller passes pointers as the header demands.
    let call = unsafe { Call::new(c"wvmi_process_parent_id") };
    call.run(|| get(&call, session, process, (pid, "pid"), |it| it.parent_id()))
}

/// Reads the image name of a process (`_EPROCESS.ImageFileName`).
///
/// Windows cuts the name at 14 or 15 bytes; bytes that are not UTF-8 become
/// U+FFFD. The name goes into `buffer` of `capacity` bytes; `length` (may be
/// NULL) receives its length, at most 47.
///
/// Returns `WVMI_OK`, `WVMI_ERROR_BUFFER_TOO_SMALL`, else as `wvmi_process_id()`.
///
/// Any thread, also from a callback.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wvmi_process_name(
    session: *mut wvmi_session,
    process: wvmi_process,
    buffer: *mut c_char,
    capacity: usize,
    length: *mut usize,
) -> wvmi_status {
    // SAFETY: the caller passes pointers as the header demands.
    let call = unsafe { Call::new(c"wvmi_process_name") };
    call.run(|| {
        let session = call.session(session)?;
        let output = call.text_buffer(buffer, capacity, length)?;
        let name = process.get(session.engine().windows()?).image_name();
        let name = name.about("process", process.object)?;
        output.write(&name.text())?;
        Ok(WVMI_OK)
    })
}

/// Reads the page-table root of a process (`_KPROCESS.DirectoryTableBase`), for
/// `WVMI_SPACE_ROOT`.
///
/// `root` receives its physical address.
///
/// Returns as `wvmi_process_id()`.
///
/// Any thread, also from a callback.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wvmi_process_root(
    session: *mut wvmi_session,
    process: wvmi_process,
    root: *mut u64,
) -> wvmi_status {
    // SAFETY: the caller passes pointers as the header demands.
    let call = unsafe { Call::new(c"wvmi_process_root") };
    call.run(|| {
        get(&call, session, process, (root, "root"), |process| {
            process.translation_root().map(u64::from)
        })
    })
}

/// Reads the page-table root that the user mode of a process runs on
/// (`_KPROCESS.UserDirectoryTableBase`), for `WVMI_SPACE_ROOT`. Without KVA
/// shadow it is the one of `wvmi_process_root()`.
///
/// `root` receives its physical address.
///
/// Returns as `wvmi_process_id()`.
///
/// Any thread, also from a callback.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wvmi_process_user_root(
    session: *mut wvmi_session,
    process: wvmi_process,
    root: *mut u64,
) -> wvmi_status {
    // SAFETY: the caller passes pointers as the header demands.
    let call = unsafe { Call::new(c"wvmi_process_user_root") };
    call.run(|| {
        get(&call, session, process, (root, "root"), |process| {
            process.user_translation_root().map(u64::from)
        })
    })
}

/// Reads the address of the PEB that a process's own code uses: the 32-bit one
/// under WoW64, else the 64-bit one.
///
/// `peb` receives the address in the process's space, 0 without a PEB. `wow64`
/// (may be NULL) receives 1 when it is the 32-bit one, else 0.
///
/// Returns as `wvmi_process_id()`.
///
/// Any thread, also from a callback.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wvmi_process_peb(
    session: *mut wvmi_session,
    process: wvmi_process,
    peb: *mut u64,
    wow64: *mut u32,
) -> wvmi_status {
    // SAFETY: the caller passes pointers as the header demands.
    let call = unsafe { Call::new(c"wvmi_process_peb") };
    call.run(|| {
        let session = call.session(session)?;
        let output = call.output(peb, "peb")?;
        let found = process.get(session.engine().windows()?).peb();
        let found = found.about("process", process.object)?;
        output.write(found.map_or(0, |peb| peb.address.0));
        if let Some(wow64) = call.optional_output(wow64) {
            let narrow = found.is_some_and(|peb| peb.architecture == Architecture::X86);
            wow64.write(narrow.into());
        }
        Ok(WVMI_OK)
    })
}
