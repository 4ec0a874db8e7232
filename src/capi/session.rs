//! `wvmi_session`: one opened guest.

use std::{ffi::c_char, path::PathBuf};

pub use super::shared::Shared;
use super::{
    config::wvmi_config,
    ffi::{Call, Plain, copy_text},
    gate::{self, Inside},
    guard::Answer,
    status::{WVMI_OK, wvmi_status},
};
use crate::{
    core::Capabilities,
    error::Result,
    session::{Config, Session},
};

/// One opened guest; made by `wvmi_session_open()`.
///
/// A handle that was closed is recognised: calls with it answer
/// `WVMI_ERROR_CLOSED`, from any thread, at any later time. At most 1024
/// sessions can be open at once.
pub struct wvmi_session {
    _incomplete: (),
}

impl Call {
    /// Enters the session of the call.
    #[inline]
    pub fn session(&self, session: *const wvmi_session) -> Result<Inside> {
        Inside::by_handle(self.caller(), session, "session")
    }
}

/// Facts about a session, filled by `wvmi_session_info()`.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct wvmi_session_details {
    /// Which of the other fields are filled: `WVMI_SESSION_VALID_*` bits.
    pub valid: u64,
    /// What the back end can do: `WVMI_CAPABILITY_*` bits.
    pub capabilities: u64,
    /// Bytes of guest memory that can be read.
    pub memory_size: u64,
    /// Address of the kernel image.
    pub kernel_base: u64,
    /// Physical address of the kernel's page-table root.
    pub kernel_root: u64,
    /// Time at which the image was taken, as its header says; a FILETIME.
    pub system_time: u64,
    /// Parameters of the bug check.
    pub bug_check_parameters: [u64; 4],
    /// Code of the bug check that the image records.
    pub bug_check_code: u32,
    /// Size of the kernel image in bytes.
    pub kernel_size: u32,
    /// Link time stamp of the kernel image.
    pub kernel_time_date_stamp: u32,
    /// Number of virtual processors.
    pub vcpus: u32,
    /// Major version of Windows, as the kernel image says.
    pub version_major: u32,
    /// Minor version of Windows.
    pub version_minor: u32,
    /// Build number of Windows.
    pub build: u32,
    /// Age of the kernel's PDB.
    pub pdb_age: u32,
    /// 1 when the kernel's symbols are loaded, so that calls about Windows work.
    pub symbols_loaded: u32,
    /// 1 when user mode runs on page tables of its own (KVA shadow).
    pub kva_shadow: u32,
    /// Name of the back end: `"kdmp"`, `"raw"`.
    pub back_end: [c_char; 32],
    /// What the back end says about the format; empty where it has one only.
    pub format: [c_char; 64],
    /// Name of the kernel's PDB: `"ntkrnlmp.pdb"`.
    pub pdb_name: [c_char; 128],
    /// GUID of the kernel's PDB: 32 upper-case hexadecimal digits.
    pub pdb_guid: [c_char; 40],
}

// SAFETY: integers only; every bit pattern is valid.
unsafe impl Plain for wvmi_session_details {}

/// `kernel_base`, `kernel_root`, `kernel_size`, `kernel_time_date_stamp`,
/// `version_major` and `version_minor` are filled.
pub const WVMI_SESSION_VALID_KERNEL: u64 = 1;
/// `pdb_name`, `pdb_guid` and `pdb_age` are filled.
pub const WVMI_SESSION_VALID_PDB: u64 = 2;
/// `build` is filled.
pub const WVMI_SESSION_VALID_BUILD: u64 = 4;
/// `kva_shadow` is filled.
pub const WVMI_SESSION_VALID_KVA_SHADOW: u64 = 8;
/// `vcpus` is filled.
pub const WVMI_SESSION_VALID_VCPUS: u64 = 16;
/// `system_time` is filled.
pub const WVMI_SESSION_VALID_SYSTEM_TIME: u64 = 32;
/// `bug_check_code` and `bug_check_parameters` are filled.
pub const WVMI_SESSION_VALID_BUG_CHECK: u64 = 64;

/// Physical memory can be read.
pub const WVMI_CAPABILITY_PHYSICAL_READ: u64 = 1;
/// Memory is stored by virtual address (triage dumps); there are no page tables.
pub const WVMI_CAPABILITY_VIRTUAL_READ: u64 = 2;
/// Memory can be written.
pub const WVMI_CAPABILITY_WRITE: u64 = 4;
/// Registers can be read.
pub const WVMI_CAPABILITY_REGISTERS: u64 = 8;
/// Registers can be set.
pub const WVMI_CAPABILITY_SET_REGISTERS: u64 = 16;
/// Memory can be mapped into this process with `wvmi_map_range()`.
pub const WVMI_CAPABILITY_PIN: u64 = 32;
/// The guest is running: what is read may change.
pub const WVMI_CAPABILITY_LIVE: u64 = 64;
/// The guest can be paused and resumed.
pub const WVMI_CAPABILITY_CONTROL: u64 = 128;
/// Alternative views of memory can be made.
pub const WVMI_CAPABILITY_VIEWS: u64 = 256;
/// Events of the guest can be delivered.
pub const WVMI_CAPABILITY_EVENTS: u64 = 512;

const CAPABILITIES: [(Capabilities, u64); 10] = [
    (Capabilities::PHYSICAL_READ, WVMI_CAPABILITY_PHYSICAL_READ),
    (Capabilities::VIRTUAL_READ, WVMI_CAPABILITY_VIRTUAL_READ),
    (Capabilities::WRITE, WVMI_CAPABILITY_WRITE),
    (Capabilities::REGISTERS, WVMI_CAPABILITY_REGISTERS),
    (Capabilities::SET_REGISTERS, WVMI_CAPABILITY_SET_REGISTERS),
    (Capabilities::PIN, WVMI_CAPABILITY_PIN),
    (Capabilities::LIVE, WVMI_CAPABILITY_LIVE),
    (Capabilities::CONTROL, WVMI_CAPABILITY_CONTROL),
    (Capabilities::VIEWS, WVMI_CAPABILITY_VIEWS),
    (Capabilities::EVENTS, WVMI_CAPABILITY_EVENTS),
];

/// Opens a guest.
///
/// Opening succeeds whenever the guest's memory can be read. Without symbols,
/// or without a Windows kernel, the session is a memory-only one: calls about
/// Windows answer `WVMI_ERROR_NO_SYMBOLS` or `WVMI_ERROR_NO_KERNEL`,
/// `wvmi_session_info()` names the PDB that is needed, and
/// `wvmi_session_load_symbols()` completes the session.
///
/// `target` is UTF-8: the path of an image, whose format is found out by its
/// content, or a prefix and what it applies to: `kdmp:PATH` for Windows crash
/// dumps, `raw:PATH` for raw memory. `config` may be NULL for all defaults and
/// is not needed after the call. `session` receives the handle; close it with
/// `wvmi_session_close()`.
///
/// Returns `WVMI_OK`, `WVMI_ERROR_NULL_ARGUMENT`,
/// `WVMI_ERROR_INVALID_ARGUMENT` for an unknown prefix,
/// `WVMI_ERROR_NOT_SUPPORTED` for a format or back end that this build cannot
/// open, `WVMI_ERROR_FORMAT` for a damaged file, `WVMI_ERROR_IO`,
/// `WVMI_ERROR_CANCELLED` when the progress callback says so, or
/// `WVMI_ERROR_BUSY` when 1024 sessions are open.
///
/// Any thread, also from a callback.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wvmi_session_open(
    target: *const c_char,
    config: *const wvmi_config,
    session: *mut *mut wvmi_session,
) -> wvmi_status {
    // SAFETY: the caller passes pointers as the header demands.
    let call = unsafe { Call::new(c"wvmi_session_open") };
    call.run(|| {
        let target = call.text(target, "target")?;
        open_with(&call, config, session, |config| {
            Session::open(target, config)
        })
    })
}

/// The body of a function that opens a session.
pub fn open_with(
    call: &Call,
    config: *const wvmi_config,
    session: *mut *mut wvmi_session,
    open: impl FnOnce(&Config) -> Result<Session>,
) -> Answer {
    let output = call.output(session, "session")?;
    let session = match call.optional_input(config) {
        Some(config) => open(config.get())?,
        None => open(&Config::default())?,
    };
    output.write(gate::register(Shared::new(session))?);
    Ok(WVMI_OK)
}

/// Closes a session.
///
/// Long calls that other threads are inside of end with
/// `WVMI_ERROR_CANCELLED`; the function returns when all have left. Iterators
/// and other handles that belong to the session stay valid, answer
/// `WVMI_ERROR_CLOSED` and are still freed by their own functions, in any
/// order; memory mapped with `wvmi_map_range()` stays readable.
///
/// A running guest is left as it was found: hooks are removed, open calls of
/// call hooks end, the event loop of another thread ends. From a callback of
/// the event loop the call returns at once, and the rest is done when the loop
/// returns.
///
/// `session` may be NULL.
///
/// Returns `WVMI_OK`, `WVMI_ERROR_CLOSED` when it was closed before,
/// `WVMI_ERROR_INVALID_ARGUMENT` for what never was a session,
/// `WVMI_ERROR_BUSY`, or `WVMI_ERROR_BACK_END` when the session was closed but
/// the guest could not be restored.
///
/// Any thread; from other callbacks that the session itself is calling the
/// answer is `WVMI_ERROR_BUSY`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wvmi_session_close(session: *mut wvmi_session) -> wvmi_status {
    // SAFETY: the caller passes pointers as the header demands.
    let call = unsafe { Call::new(c"wvmi_session_close") };
    call.run(|| {
        if session.is_null() {
            return Ok(WVMI_OK);
        }
        // Dropped before closing, which waits for it.
        let ends_with_loop = call.session(session)?.end_with_loop();
        if !ends_with_loop {
            gate::close(session)?;
        }
        Ok(WVMI_OK)
    })
}

/// Tells what is known about a session.
///
/// What is not known is left 0 and out of `details->valid`; the back end, its
/// capabilities and the memory size are always known.
///
/// `details` receives the facts, `size` is `sizeof *details`.
///
/// Returns `WVMI_OK`, or `WVMI_ERROR_NULL_ARGUMENT` or
/// `WVMI_ERROR_INVALID_ARGUMENT` for a bad argument.
///
/// Any thread, also from a callback.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wvmi_session_info(
    session: *mut wvmi_session,
    details: *mut wvmi_session_details,
    size: usize,
) -> wvmi_status {
    // SAFETY: the caller passes pointers as the header demands.
    let call = unsafe { Call::new(c"wvmi_session_info") };
    call.run(|| {
        let session = call.session(session)?;
        let output = call.sized_output(details, size, "details")?;
        output.write(describe(session.engine()));
        Ok(WVMI_OK)
    })
}

fn describe(session: &Session) -> wvmi_session_details {
    let driver = session.driver_info();
    let mut details = wvmi_session_details {
        capabilities: capabilities(session.capabilities()),
        memory_size: driver.memory_size,
        vcpus: driver.vcpus.into(),
        back_end: copy_text(driver.name),
        format: copy_text(driver.format),
        ..wvmi_session_details::zeroed()
    };
    if driver.vcpus != 0 {
        details.valid |= WVMI_SESSION_VALID_VCPUS;
    }
    describe_image(session, &mut details);
    describe_kernel(session, &mut details);
    describe_windows(session, &mut details);
    details
}

fn capabilities(capabilities: Capabilities) -> u64 {
    CAPABILITIES
        .iter()
        .filter(|(bit, _)| capabilities.contains(*bit))
        .fold(0, |bits, (_, bit)| bits | bit)
}

fn describe_image(session: &Session, details: &mut wvmi_session_details) {
    let hints = session.hints();
    if let Some(time) = hints.system_time {
        details.system_time = time;
        details.valid |= WVMI_SESSION_VALID_SYSTEM_TIME;
    }
    if let Some(bug_check) = hints.bug_check {
        details.bug_check_code = bug_check.code;
        details.bug_check_parameters = bug_check.parameters;
        details.valid |= WVMI_SESSION_VALID_BUG_CHECK;
    }
    if let Some(build) = hints.build {
        details.build = build;
        details.valid |= WVMI_SESSION_VALID_BUILD;
    }
}

fn describe_kernel(session: &Session, details: &mut wvmi_session_details) {
    let Ok(kernel) = session.kernel() else {
        return;
    };
    details.valid |= WVMI_SESSION_VALID_KERNEL;
    details.kernel_base = kernel.image.base.0;
    details.kernel_root = kernel.root.0;
    details.kernel_size = kernel.image.size;
    details.kernel_time_date_stamp = kernel.image.time_date_stamp;
    details.version_major = kernel.image.os_version.0.into();
    details.version_minor = kernel.image.os_version.1.into();
    if let Some(pdb) = session.kernel_pdb() {
        details.valid |= WVMI_SESSION_VALID_PDB;
        details.pdb_name = copy_text(&pdb.name);
        details.pdb_guid = copy_text(&pdb.guid_text());
        details.pdb_age = pdb.age;
    }
}

fn describe_windows(session: &Session, details: &mut wvmi_session_details) {
    let Ok(windows) = session.windows() else {
        return;
    };
    let facts = windows.facts();
    details.symbols_loaded = 1;
    details.kernel_root = windows.root().0;
    if let Some(build) = facts.build {
        details.build = build;
        details.valid |= WVMI_SESSION_VALID_BUILD;
    }
    if let Some(shadow) = facts.kva_shadow {
        details.kva_shadow = shadow.into();
        details.valid |= WVMI_SESSION_VALID_KVA_SHADOW;
    }
    if let (0, Some(processors)) = (details.vcpus, facts.processors) {
        details.vcpus = processors;
        details.valid |= WVMI_SESSION_VALID_VCPUS;
    }
}

/// Copies the name of the session: the one that its configuration gave it.
///
/// The name goes into `buffer` of `capacity` bytes; `length` (may be NULL)
/// receives its length.
///
/// Returns `WVMI_OK`, `WVMI_ERROR_BUFFER_TOO_SMALL`, or
/// `WVMI_ERROR_NULL_ARGUMENT`.
///
/// Any thread, also from a callback.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wvmi_session_name(
    session: *mut wvmi_session,
    buffer: *mut c_char,
    capacity: usize,
    length: *mut usize,
) -> wvmi_status {
    // SAFETY: the caller passes pointers as the header demands.
    let call = unsafe { Call::new(c"wvmi_session_name") };
    call.run(|| {
        let session = call.session(session)?;
        let text = call.text_buffer(buffer, capacity, length)?;
        text.write(session.engine().name())?;
        Ok(WVMI_OK)
    })
}

/// Loads the kernel's symbols into a memory-only session.
///
/// `path` is a file or directory as in `wvmi_config_add_symbol_path()`, UTF-8,
/// searched before the paths of the configuration; NULL searches those only. A
/// session that has its symbols stays as it is.
///
/// Returns `WVMI_OK` when the session has its symbols now,
/// `WVMI_ERROR_NO_SYMBOLS` when they were not found, `WVMI_ERROR_NO_KERNEL`,
/// `WVMI_ERROR_FORMAT` or `WVMI_ERROR_IO` for a bad file,
/// `WVMI_ERROR_NO_LAYOUT` when the file lacks what the library needs, or
/// `WVMI_ERROR_CANCELLED`.
///
/// Any thread, also from a callback; a second thread waits for the first.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wvmi_session_load_symbols(
    session: *mut wvmi_session,
    path: *const c_char,
) -> wvmi_status {
    // SAFETY: the caller passes pointers as the header demands.
    let call = unsafe { Call::new(c"wvmi_session_load_symbols") };
    call.run(|| {
        let session = call.session(session)?;
        let path = call.optional_text(path, "path")?.map(PathBuf::from);
        session.engine().load_symbols(path.as_slice())?;
        Ok(WVMI_OK)
    })
}

/// Forgets what the session has cached about the guest: translations of
/// addresses. Needed after a guest has run or its image was changed by others;
/// writes of the library itself need no refresh.
///
/// Returns `WVMI_OK` or `WVMI_ERROR_NULL_ARGUMENT`.
///
/// Any thread, also from a callback.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wvmi_session_refresh(session: *mut wvmi_session) -> wvmi_status {
    // SAFETY: the caller passes pointers as the header demands.
    let call = unsafe { Call::new(c"wvmi_session_refresh") };
    call.run(|| {
        call.session(session)?.engine().refresh();
        Ok(WVMI_OK)
    })
}

/// Ends the long calls that other threads are inside of (loading symbols,
/// filling large arrays, scanning) with `WVMI_ERROR_CANCELLED`. Calls that
/// begin later are not affected; the session stays usable.
///
/// Returns `WVMI_OK` or `WVMI_ERROR_NULL_ARGUMENT`.
///
/// Any thread, also from a callback.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wvmi_session_cancel(session: *mut wvmi_session) -> wvmi_status {
    // SAFETY: the caller passes pointers as the header demands.
    let call = unsafe { Call::new(c"wvmi_session_cancel") };
    call.run(|| {
        call.session(session)?.engine().cancel();
        Ok(WVMI_OK)
    })
}
