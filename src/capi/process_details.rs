//! `wvmi_process_details`: everything about a process in one structure.

use std::ffi::c_char;

use super::{
    error::About,
    ffi::{Call, Plain, copy_text},
    process::wvmi_process,
    session::wvmi_session,
    status::{WVMI_OK, wvmi_status},
    valid::{Valid, or_zero},
};
use crate::os::windows::{ImageName, Process, ProcessSources};

/// What is known about a process, filled by `wvmi_process_info()` and
/// `wvmi_process_iter_next_many()`.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct wvmi_process_details {
    /// Which of the other fields were read: `WVMI_PROCESS_VALID_*` bits.
    pub valid: u64,
    /// Address of the process object (`_EPROCESS`); always filled.
    pub object: u64,
    /// Time of creation, a FILETIME (`_EPROCESS.CreateTime`).
    pub create_time: u64,
    /// Time of exit, a FILETIME; 0 while the process lives (`_EPROCESS.ExitTime`).
    pub exit_time: u64,
    /// Physical address of the page-table root (`_KPROCESS.DirectoryTableBase`).
    pub root: u64,
    /// Physical address of the root that user mode runs on; equals `root`
    /// without KVA shadow (`_KPROCESS.UserDirectoryTableBase`).
    pub user_root: u64,
    /// Base of the executable (`_EPROCESS.SectionBaseAddress`).
    pub image_base: u64,
    /// Address of the PEB that the process's own code uses, the 32-bit one under
    /// WoW64; 0 without one.
    pub peb: u64,
    /// Address of the 64-bit PEB; 0 without one (`_EPROCESS.Peb`).
    pub native_peb: u64,
    /// Address of the session structure; 0 without one (`_EPROCESS.Session`).
    pub session: u64,
    /// Address of the primary token; 0 without one (`_EPROCESS.Token`).
    pub token: u64,
    /// Address of the handle table; 0 once the process has exited
    /// (`_EPROCESS.ObjectTable`).
    pub handle_table: u64,
    /// Process id (`_EPROCESS.UniqueProcessId`).
    pub pid: u32,
    /// Id of the process that created it (`_EPROCESS.InheritedFromUniqueProcessId`);
    /// that process may have exited, and its id may belong to another.
    pub parent_pid: u32,
    /// NTSTATUS of the exit; 0x103 while the process lives (`_EPROCESS.ExitStatus`).
    pub exit_status: i32,
    /// Number of threads that have not exited (`_EPROCESS.ActiveThreads`).
    pub active_threads: u32,
    /// 1 when the process runs 32-bit code under WoW64 (`_EPROCESS.WoW64Process`).
    pub wow64: u32,
    /// Sources that name the process, `WVMI_PROCESS_SOURCE_*` bits: among those
    /// that the iteration asks. 0 from `wvmi_process_info()`.
    pub sources: u32,
    /// Name of the image, which Windows cuts at 14 or 15 bytes
    /// (`_EPROCESS.ImageFileName`).
    pub name: [c_char; 48],
    /// Number of the terminal session: 0 for services, 1 and up for users;
    /// `WVMI_TERMINAL_SESSION_NONE` for processes of the kernel
    /// (`_MM_SESSION_SPACE.SessionId`).
    pub session_id: u32,
    /// Protection: the type in bits 0 to 2 (`WVMI_PROTECTION_*`), audit in bit 3,
    /// the signer in bits 4 to 7: 1 Authenticode, 2 code generation, 3
    /// antimalware, 4 LSA, 5 Windows, 6 WinTcb, 7 WinSystem, 8 app; unknown on
    /// Windows 7 (`_EPROCESS.Protection`).
    pub protection: u32,
}

// SAFETY: integers only; every bit pattern is valid.
unsafe impl Plain for wvmi_process_details {}

/// `pid` was read.
pub const WVMI_PROCESS_VALID_PID: u64 = 1;
/// `parent_pid` was read.
pub const WVMI_PROCESS_VALID_PARENT_PID: u64 = 2;
/// `name` was read.
pub const WVMI_PROCESS_VALID_NAME: u64 = 4;
/// `create_time` was read.
pub const WVMI_PROCESS_VALID_CREATE_TIME: u64 = 8;
/// `exit_time` was read.
pub const WVMI_PROCESS_VALID_EXIT_TIME: u64 = 0x10;
/// `exit_status` was read.
pub const WVMI_PROCESS_VALID_EXIT_STATUS: u64 = 0x20;
/// `root` was read.
pub const WVMI_PROCESS_VALID_ROOT: u64 = 0x40;
/// `user_root` was read.
pub const WVMI_PROCESS_VALID_USER_ROOT: u64 = 0x80;
/// `image_base` was read.
pub const WVMI_PROCESS_VALID_IMAGE_BASE: u64 = 0x100;
/// `peb` was read.
pub const WVMI_PROCESS_VALID_PEB: u64 = 0x200;
/// `native_peb` was read.
pub const WVMI_PROCESS_VALID_NATIVE_PEB: u64 = 0x400;
/// `session` was read.
pub const WVMI_PROCESS_VALID_SESSION: u64 = 0x800;
/// `token` was read.
pub const WVMI_PROCESS_VALID_TOKEN: u64 = 0x1000;
/// `handle_table` was read.
pub const WVMI_PROCESS_VALID_HANDLE_TABLE: u64 = 0x2000;
/// `active_threads` was read.
pub const WVMI_PROCESS_VALID_ACTIVE_THREADS: u64 = 0x4000;
/// `wow64` was read.
pub const WVMI_PROCESS_VALID_WOW64: u64 = 0x8000;
/// `session_id` was read.
pub const WVMI_PROCESS_VALID_SESSION_ID: u64 = 0x10000;
/// `protection` was read.
pub const WVMI_PROCESS_VALID_PROTECTION: u64 = 0x20000;

/// `wvmi_process_details.session_id`: the process belongs to no session.
pub const WVMI_TERMINAL_SESSION_NONE: u32 = 0xffffffff;

/// `wvmi_process_details.protection`: the bits of the type.
pub const WVMI_PROTECTION_TYPE_MASK: u32 = 7;
/// Type of protection: none.
pub const WVMI_PROTECTION_NONE: u32 = 0;
/// Type of protection: against processes that are not protected (PPL).
pub const WVMI_PROTECTION_LIGHT: u32 = 1;
/// Type of protection: against all but protected processes of an equal or higher
/// signer.
pub const WVMI_PROTECTION_FULL: u32 = 2;
/// `wvmi_process_details.protection`: what is denied is written down only.
pub const WVMI_PROTECTION_AUDIT: u32 = 8;
/// `wvmi_process_details.protection >> WVMI_PROTECTION_SIGNER_SHIFT` is the
/// number of the signer.
pub const WVMI_PROTECTION_SIGNER_SHIFT: u32 = 4;

const _: () = {
    use crate::os::windows::{ProcessProtection as Protection, ProtectionKind as Kind};
    let audited = Protection((5 << WVMI_PROTECTION_SIGNER_SHIFT | WVMI_PROTECTION_AUDIT) as u8);
    assert!(audited.is_audit() && audited.signer().0 == 5);
    assert!(matches!(
        Protection(WVMI_PROTECTION_NONE as u8).kind(),
        Kind::None
    ));
    assert!(matches!(
        Protection(WVMI_PROTECTION_LIGHT as u8).kind(),
        Kind::Light
    ));
    assert!(matches!(
        Protection(WVMI_PROTECTION_FULL as u8).kind(),
        Kind::Full
    ));
    assert!(matches!(
        Protection(WVMI_PROTECTION_TYPE_MASK as u8).kind(),
        Kind::Unknown(7)
    ));
};

/// The details of a process that `sources` name.
pub fn describe(process: Process<'_>, sources: ProcessSources) -> (wvmi_process_details, Valid) {
    let object = process.object().0;
    let mut buffer = [0; Process::SNAPSHOT];
    let it = process.with_copy(&mut buffer);
    let mut valid = Valid::default();
    let v = &mut valid;
    let peb = it.peb().map(|peb| peb.map(|peb| peb.address));
    let native_peb = it.native_peb().map(|peb| peb.map(|peb| peb.address));
    let name = v.found(WVMI_PROCESS_VALID_NAME, it.image_name());
    let name = name.as_ref().map(ImageName::text).unwrap_or_default();
    let session_id = it.session_id();
    let session_id = session_id.map(|id| id.unwrap_or(WVMI_TERMINAL_SESSION_NONE));
    let protection = it.protection().map(|protection| protection.0.into());
    let details = wvmi_process_details {
        valid: 0,
        object,
        create_time: v.take(WVMI_PROCESS_VALID_CREATE_TIME, it.create_time()).0,
        exit_time: v.take(WVMI_PROCESS_VALID_EXIT_TIME, it.exit_time()).0,
        root: v.take(WVMI_PROCESS_VALID_ROOT, it.translation_root()).0,
        user_root: v
            .take(WVMI_PROCESS_VALID_USER_ROOT, it.user_translation_root())
            .0,
        image_base: v.take(WVMI_PROCESS_VALID_IMAGE_BASE, it.image_base()).0,
        peb: v.take(WVMI_PROCESS_VALID_PEB, or_zero(peb)),
        native_peb: v.take(WVMI_PROCESS_VALID_NATIVE_PEB, or_zero(native_peb)),
        session: v.take(WVMI_PROCESS_VALID_SESSION, or_zero(it.session())),
        token: v.take(WVMI_PROCESS_VALID_TOKEN, or_zero(it.token())),
        handle_table: v.take(
            WVMI_PROCESS_VALID_HANDLE_TABLE,
            or_zero(it.handle_table_address()),
        ),
        pid: v.take(WVMI_PROCESS_VALID_PID, it.id()),
        parent_pid: v.take(WVMI_PROCESS_VALID_PARENT_PID, it.parent_id()),
        exit_status: v.take(WVMI_PROCESS_VALID_EXIT_STATUS, it.exit_status()),
        active_threads: v.take(WVMI_PROCESS_VALID_ACTIVE_THREADS, it.active_threads()),
        wow64: v.take(WVMI_PROCESS_VALID_WOW64, it.is_wow64()).into(),
        sources: sources.bits(),
        name: copy_text(&name),
        session_id: v.take(WVMI_PROCESS_VALID_SESSION_ID, session_id),
        protection: v.take(WVMI_PROCESS_VALID_PROTECTION, protection),
    };
    (
        wvmi_process_details {
            valid: valid.bits(),
            ..details
        },
        valid,
    )
}

/// Tells everything about a process in one call.
///
/// What cannot be read is left 0 and out of `details->valid`; the rest is
/// filled.
///
/// `details` receives the facts, `size` is `sizeof *details`.
///
/// Returns `WVMI_OK` when at least one field was read; `WVMI_ERROR_FAULT` when
/// none was; `WVMI_ERROR_NULL_ARGUMENT`; `WVMI_ERROR_INVALID_ARGUMENT`;
/// `WVMI_ERROR_NO_KERNEL`; `WVMI_ERROR_NO_SYMBOLS`.
///
/// Any thread, also from a callback.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wvmi_process_info(
    session: *mut wvmi_session,
    process: wvmi_process,
    details: *mut wvmi_process_details,
    size: usize,
) -> wvmi_status {
    // SAFETY: the caller passes pointers as the header demands.
    let call = unsafe { Call::new(c"wvmi_process_info") };
    call.run(|| {
        let session = call.session(session)?;
        let output = call.sized_output(details, size, "details")?;
        let (details, valid) = describe(
            process.get(session.engine().windows()?),
            ProcessSources::empty(),
        );
        valid.finish().about("process", process.object)?;
        output.write(details);
        Ok(WVMI_OK)
    })
}
