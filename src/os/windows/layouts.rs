//! All field offsets and kernel symbols, resolved once per session.
//!
//! Each structure's own file declares what it needs; here they are only
//! gathered. Nothing is chosen by Windows version: every structure looks at the
//! members that the symbols give it.

use super::{
    handle_table, job, module, object, process, processor, region, scheduling, session, thread,
    token, trap_frame, user::UserLayouts, validity,
};
use crate::{
    error::{Error, Result},
    symbols::Profile,
};

/// Offsets of every structure that the Windows layer reads.
pub(super) struct Layouts {
    pub(super) process: process::Layout,
    pub(super) thread: thread::Layout,
    pub(super) handle_table: handle_table::Layout,
    pub(super) handle_entry: handle_table::EntryLayout,
    pub(super) module: module::Layout,
    pub(super) module_stamp: module::StampLayout,
    pub(super) region: region::Layout,
    pub(super) scheduling: scheduling::Layout,
    pub(super) processor: processor::Layout,
    pub(super) processor_state: processor::StateLayout,
    pub(super) object: object::Layouts,
    pub(super) token: token::Layout,
    pub(super) validity: validity::Layout,
    pub(super) session: session::Layout,
    pub(super) job: job::Layout,
    pub(super) trap_frame: trap_frame::Layout,
    pub(super) user: UserLayouts,
    /// Bytes from an `_OBJECT_HEADER` to the object: `_OBJECT_HEADER.Body`.
    pub(super) body_offset: u64,
}

impl Layouts {
    pub(super) fn new(profile: &Profile) -> Result<Self> {
        let isr = profile.isr();
        let body = profile
            .field("_OBJECT_HEADER", "Body")
            .ok_or_else(|| Error::layout("_OBJECT_HEADER.Body"))?;
        Ok(Self {
            process: process::Layout::new(isr).map_err(missing)?,
            thread: thread::Layout::new(isr).map_err(missing)?,
            handle_table: handle_table::Layout::new(isr).map_err(missing)?,
            handle_entry: handle_table::EntryLayout::new(isr)?,
            module: module::Layout::new(isr).map_err(missing)?,
            module_stamp: module::StampLayout::new(isr).map_err(missing)?,
            region: region::Layout::new(profile)?,
            scheduling: scheduling::Layout::new(isr).map_err(missing)?,
            processor: processor::Layout::new(isr).map_err(missing)?,
            processor_state: processor::StateLayout::new(isr).map_err(missing)?,
            object: object::Layouts::new(profile)?,
            token: token::Layout::new(profile)?,
            validity: validity::Layout::new(isr).map_err(missing)?,
            session: session::Layout::new(isr).map_err(missing)?,
            job: job::Layout::new(isr).map_err(missing)?,
            trap_frame: trap_frame::Layout::new(isr).map_err(missing)?,
            user: UserLayouts::new(profile),
            body_offset: body.offset,
        })
    }
}

/// The error of an `isr` macro as this crate's.
pub(super) fn missing(error: isr::macros::Error) -> Error {
    Error::layout(error.to_string())
}

isr::macros::symbols! {
    /// Addresses of kernel variables, relative to the kernel's base.
    pub(super) struct Variables {
        PsActiveProcessHead: u64,
        PsLoadedModuleList: u64,
        PsInitialSystemProcess: u64,
        PsIdleProcess: Option<u64>,
        PspCidTable: Option<u64>,
        ObpKernelHandleTable: Option<u64>,
        ObpRootDirectoryObject: Option<u64>,
        ObpInfoMaskToOffset: Option<u64>,
        ObTypeIndexTable: Option<u64>,
        ObHeaderCookie: Option<u64>,
        KiProcessorBlock: Option<u64>,
        KeNumberProcessors: Option<u64>,
        KiKvaShadow: Option<u64>,
        NtBuildNumber: Option<u64>,
        NtBuildLabEx: Option<u64>,
        MmHighestUserAddress: Option<u64>,
        MmUnloadedDrivers: Option<u64>,
        MmLastUnloadedDriver: Option<u64>,
        MiInvalidPteMask: Option<u64>,
        MiState: Option<u64>,
        MiSystemPartition: Option<u64>,
    }
}
