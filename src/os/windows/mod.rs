//! Windows: what the kernel's structures say, one structure per file.
//!
//! [`Windows`] knows where the kernel is and what its structures look like.
//! Guest objects ([`Process`], [`Thread`], ...) are an address and a reference
//! to it: cheap to make and to copy, every getter a bounded read. All kernel
//! structures are read through the System process's page tables, never through
//! those that a processor happens to use.

mod calling;
mod client_id;
mod exception_record;
mod facts;
pub mod handle_table;
pub mod job;
pub mod kernel;
mod layouts;
mod list;
pub mod loaded_image;
pub mod loader;
pub mod module;
mod module_image;
pub mod object;
mod paging;
pub mod peb;
pub mod process;
pub mod process_memory;
pub mod processor;
pub mod protection;
mod record;
pub mod region;
mod scheduling;
pub mod session;
pub mod sid;
mod sources;
pub mod teb;
pub mod thread;
pub mod time;
pub mod token;
pub mod trap_frame;
mod unicode_string;
pub mod unloaded;
mod user;
pub mod user_module;
pub mod validity;

use std::sync::Arc;

pub use self::{
    calling::{Frame, current_pcr},
    client_id::CidTable,
    exception_record::ExceptionRecord,
    facts::KernelFacts,
    handle_table::{HandleAttributes, HandleEntry, HandleTable, Handles},
    job::{ChildJobs, JobLimits, JobObject, JobUiRestrictions},
    list::List,
    loaded_image::LoadedImage,
    loader::{LoaderData, LoaderEntries, LoaderEntry, LoaderOrder},
    module::{Module, Modules},
    object::{
        AlpcPort, DeviceMap, DeviceObject, DirectoryEntries, DirectoryObject, DriverDevices,
        DriverObject, EventObject, FileAccess, FileObject, KeyControlBlock, KeyObject,
        MAJOR_FUNCTIONS, MutantObject, NameInfo, Object, ObjectAttributes, ObjectFlags, ObjectKind,
        ObjectType, ObjectTypes, ResetMode, ResolvedPath, SectionObject, SemaphoreObject,
        SymbolicLink, TimerObject,
    },
    peb::{Environment, ParameterText, Peb, ProcessParameters, Variable},
    process::{Architecture, ImageName, PebAddress, Process, Processes},
    process_memory::ProcessMemory,
    processor::Processor,
    protection::{ProcessProtection, ProtectionKind, ProtectionSigner},
    record::Record,
    region::{ControlArea, Region, RegionKind, RegionProtection, Regions, SectionFlags},
    session::{TerminalSession, TerminalSessions},
    sid::Sid,
    sources::{ProcessSources, SourcedProcess, SourcedProcesses},
    teb::Teb,
    thread::{PreviousMode, Thread, ThreadState, Threads, WaitMode, WaitReason},
    time::FileTime,
    token::{
        ElevationType, Group, GroupAttributes, Groups, ImpersonationLevel, IntegrityLevel,
        LogonSession, Luid, PRIVILEGES, Privilege, Privileges, Token, TokenFlags, TokenKind,
        TokenSource,
    },
    trap_frame::TrapFrame,
    unicode_string::UnicodeString,
    unloaded::{UnloadedModule, UnloadedModules},
    user_module::{FindProfile, ListedModules, LoaderLists, UserModule, UserModules},
    validity::{PageContent, Validity},
};
use self::{
    layouts::{Layouts, Variables, missing},
    object::TypeCache,
};
use crate::{
    core::{Memory, Pa, Pagefiles, Space, Va, driver::ModuleHint},
    error::{Error, Result},
    symbols::Profile,
};

/// Id of the System process on every Windows.
const SYSTEM_ID: u32 = 4;

/// A Windows kernel with its symbols.
pub struct Windows {
    memory: Arc<Memory>,
    profile: Arc<Profile>,
    base: Va,
    root: Pa,
    layouts: Layouts,
    variables: Variables,
    /// Modules that only the image's headers list.
    recorded_modules: Vec<ModuleHint>,
    types: TypeCache,
    pagefiles: Pagefiles,
}

impl Windows {
    /// The kernel at `base`, whose structures are read through `root`.
    ///
    /// `profile` must be the one of that kernel.
    pub fn new(memory: Arc<Memory>, base: Va, root: Pa, profile: Arc<Profile>) -> Result<Self> {
        let mut windows = Self {
            layouts: Layouts::new(&profile)?,
            variables: Variables::new(profile.isr()).map_err(missing)?,
            recorded_modules: memory.driver().hints().modules,
            types: TypeCache::new(),
            pagefiles: Pagefiles::default(),
            memory,
            profile,
            base,
            root,
        };
        // A dump's header may carry the root of the process that crashed.
        if let Ok(root) = windows
            .system_process()
            .and_then(|it| it.translation_root())
        {
            windows.root = root;
        }
        paging::attach(&windows);
        Ok(windows)
    }

    /// The same Windows with the content of its page files.
    pub fn with_pagefiles(self, pagefiles: Pagefiles) -> Self {
        Self { pagefiles, ..self }
    }

    /// The page files that are at hand.
    pub const fn pagefiles(&self) -> &Pagefiles {
        &self.pagefiles
    }

    /// Forgets what was learnt about the guest: for a guest that ran since.
    pub fn refresh(&self) {
        self.types.clear();
    }

    /// Guest memory.
    pub fn memory(&self) -> &Memory {
        &self.memory
    }

    /// The kernel's symbols.
    pub fn profile(&self) -> &Profile {
        &self.profile
    }

    /// Base of the kernel image.
    pub const fn kernel_base(&self) -> Va {
        self.base
    }

    /// The System process's page-table root.
    pub const fn root(&self) -> Pa {
        self.root
    }

    /// The kernel's address space.
    pub const fn space(&self) -> Space {
        Space::Virtual { root: self.root }
    }

    /// Address of a symbol of the kernel image.
    pub fn symbol(&self, name: &str) -> Result<Va> {
        let rva = self.profile.symbol(name);
        let rva = rva.ok_or_else(|| Error::not_found(format!("symbol nt!{name}")))?;
        Ok(self.base.wrapping_add(rva))
    }

    /// A structure of the kernel.
    fn record(&self, base: Va) -> Record<'_> {
        Record::new(&self.memory, self.space(), base)
    }

    fn list(&self, head: Va, structure: &'static str) -> List<'_> {
        List::new(&self.memory, self.space(), head, structure)
    }

    /// Address of a kernel variable that every Windows has.
    const fn variable(&self, rva: u64) -> Va {
        self.base.wrapping_add(rva)
    }

    /// Address of a kernel variable that some Windows lack.
    fn optional_variable(&self, rva: Option<u64>, name: &'static str) -> Result<Va> {
        rva.map(|rva| self.variable(rva))
            .ok_or_else(|| Error::layout(format!("symbol {name}")))
    }

    /// The pointer in a kernel variable.
    fn pointer_variable(&self, address: Va) -> Result<Va> {
        self.record(address).pointer(isr::macros::Field::new(0, 8))
    }

    /// Page-aligned root of a `DirectoryTableBase` value, whose low bits are flags.
    fn root_of(&self, dtb: u64) -> Pa {
        Pa(dtb & 0x000f_ffff_ffff_f000)
    }

    fn body_offset(&self) -> u64 {
        self.layouts.body_offset
    }

    /// The process whose `_EPROCESS` is at `object`.
    pub fn process(&self, object: Va) -> Process<'_> {
        Process::new(self, object)
    }

    /// The thread whose `_ETHREAD` is at `object`.
    pub fn thread(&self, object: Va) -> Thread<'_> {
        Thread::new(self, object)
    }

    /// The System process. Corresponds to `PsInitialSystemProcess`; where a dump
    /// lacks that variable, the listed process with its id.
    pub fn system_process(&self) -> Result<Process<'_>> {
        let variable = self.variable(self.variables.PsInitialSystemProcess);
        self.process_at(variable, "PsInitialSystemProcess is NULL")
            .or_else(|error| self.listed_process(SYSTEM_ID).ok_or(error))
    }

    /// The idle process, which is on no list. Corresponds to `PsIdleProcess`.
    pub fn idle_process(&self) -> Result<Process<'_>> {
        let variable = self.optional_variable(self.variables.PsIdleProcess, "PsIdleProcess")?;
        self.process_at(variable, "PsIdleProcess is NULL")
    }

    fn process_at(&self, variable: Va, reason: &'static str) -> Result<Process<'_>> {
        let object = self.pointer_variable(variable)?;
        if object.is_null() {
            return Err(Error::corrupt("_EPROCESS", variable, reason));
        }
        Ok(self.process(object))
    }

    /// The processes on the active list.
    pub fn processes(&self) -> Processes<'_> {
        Processes::new(self, self.variable(self.variables.PsActiveProcessHead))
    }

    /// The processes and threads that have an id.
    pub fn client_ids(&self) -> Result<CidTable<'_>> {
        let variable = self.optional_variable(self.variables.PspCidTable, "PspCidTable")?;
        CidTable::new(self, self.pointer_variable(variable)?)
    }

    /// The handle table of the System process and of all kernel handles.
    /// Corresponds to `ObpKernelHandleTable`.
    pub fn kernel_handle_table(&self) -> Result<HandleTable<'_>> {
        let rva = self.variables.ObpKernelHandleTable;
        let variable = self.optional_variable(rva, "ObpKernelHandleTable")?;
        HandleTable::new(self, self.pointer_variable(variable)?)
    }

    /// The kernel's modules in load order. Corresponds to `PsLoadedModuleList`.
    pub fn modules(&self) -> Modules<'_> {
        Modules::new(self, self.variable(self.variables.PsLoadedModuleList))
    }

    /// The process with this id: the active list first, then `PspCidTable`.
    pub fn process_by_id(&self, id: u32) -> Result<Process<'_>> {
        match self.listed_process(id) {
            Some(process) => Ok(process),
            None => self.client_ids()?.process(id),
        }
    }

    fn listed_process(&self, id: u32) -> Option<Process<'_>> {
        self.processes()
            .flatten()
            .find(|process| process.id().is_ok_and(|it| it == id))
    }

    /// The first process on the active list with this image name, ASCII case ignored.
    pub fn process_by_name(&self, name: &str) -> Result<Process<'_>> {
        self.processes()
            .flatten()
            .find(|process| {
                let own = process.image_name();
                own.is_ok_and(|own| own.text().eq_ignore_ascii_case(name))
            })
            .ok_or_else(|| Error::not_found(format!("process {name}")))
    }
}
