//! The answers: everything that the forge placed in a guest.

mod fact;
mod job;
mod security;
mod user;

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use crate::paging::PageSize;

pub use fact::{ExpectedFact, ExpectedText};
pub use job::ExpectedJob;
pub use security::{ExpectedGroup, ExpectedToken};
pub use user::{ExpectedParameters, ExpectedRegion, ExpectedTeb, ExpectedUserModule};

/// Everything that the forge placed in a guest. Addresses are virtual unless a name says physical.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Expected {
    /// The kernel.
    pub kernel: ExpectedKernel,
    /// Processors, in order of number.
    pub processors: Vec<ExpectedProcessor>,
    /// Processes, in the order of the active list; the idle process is not in the list.
    pub processes: Vec<ExpectedProcess>,
    /// The idle process.
    pub idle_process: u64,
    /// Threads of all processes, in the order of each process's list.
    pub threads: Vec<ExpectedThread>,
    /// Kernel modules, in load order.
    pub modules: Vec<ExpectedModule>,
    /// Drivers unloaded, the latest first.
    pub unloaded_modules: Vec<ExpectedUnloadedModule>,
    /// Objects with a header, in order of creation.
    pub objects: Vec<ExpectedObject>,
    /// Numbers in the bodies of some objects.
    pub facts: Vec<ExpectedFact>,
    /// Texts that the bodies of some objects lead to.
    pub texts: Vec<ExpectedText>,
    /// Handles of all processes.
    pub handles: Vec<ExpectedHandle>,
    /// Jobs, in order of creation.
    pub jobs: Vec<ExpectedJob>,
    /// Tokens, in order of creation.
    pub tokens: Vec<ExpectedToken>,
    /// Pages placed for tests of address translation.
    pub pages: Vec<ExpectedPage>,
    /// What processes with a user space of their own were started with; of a WoW64 process in
    /// both widths.
    pub parameters: Vec<ExpectedParameters>,
    /// Modules of user mode, in the order of loading.
    pub user_modules: Vec<ExpectedUserModule>,
    /// Regions of user spaces, in order of creation.
    pub regions: Vec<ExpectedRegion>,
}

/// The kernel.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct ExpectedKernel {
    /// Name of the layout, such as `win10-19041`.
    pub layout: String,
    /// Address of the kernel image.
    pub base: u64,
    /// Size of the kernel image in bytes.
    pub size: u64,
    /// Physical address of the kernel image.
    pub physical_base: u64,
    /// Name of the kernel's PDB.
    pub pdb: String,
    /// GUID of the kernel's PDB, 32 hexadecimal digits in upper case.
    pub guid: String,
    /// Age of the kernel's PDB.
    pub age: u32,
    /// Operating system version of the image: major.
    pub major_version: u32,
    /// Operating system version of the image: minor.
    pub minor_version: u32,
    /// Build number.
    pub build: u32,
    /// String at `NtBuildLab`.
    pub build_lab: String,
    /// String at `NtBuildLabEx`.
    pub build_lab_ex: String,
    /// Root of the System process's page tables (physical).
    pub system_root: u64,
    /// Value of the LSTAR register: the address of the system-call entry.
    pub lstar: u64,
    /// Whether KVA shadow is on.
    pub kva_shadow: bool,
    /// Address of the debugger data block.
    pub debugger_data: u64,
    /// The highest user-mode address.
    pub highest_user_address: u64,
    /// Number of the page file that stands for the compressed store, where there is one.
    pub virtual_store: Option<u8>,
    /// Index of the self-map entry in every page-map level 4.
    pub self_map_index: usize,
    /// Time of the guest's clock (FILETIME).
    pub system_time: u64,
    /// Number of processors.
    pub processors: u32,
    /// Some exported names and their addresses.
    pub exports: Vec<(String, u64)>,
}

/// A processor.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ExpectedProcessor {
    /// Number, from 0.
    pub number: u32,
    /// Address of its `_KPCR`.
    pub kpcr: u64,
    /// Address of its `_KPRCB`.
    pub kprcb: u64,
    /// Running thread.
    pub current_thread: u64,
    /// Thread chosen to run next, or 0.
    pub next_thread: u64,
    /// Idle thread.
    pub idle_thread: u64,
    /// Saved registers.
    pub registers: ExpectedRegisters,
}

/// Registers saved in a `_KPRCB`.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[allow(missing_docs)]
pub struct ExpectedRegisters {
    pub rip: u64,
    pub rsp: u64,
    pub rax: u64,
    pub rflags: u64,
    pub cs: u16,
    pub cr0: u64,
    pub cr3: u64,
    pub cr4: u64,
    pub gs_base: u64,
    pub kernel_gs_base: u64,
    pub lstar: u64,
}

/// A process.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct ExpectedProcess {
    /// Address of the `_EPROCESS`.
    pub object: u64,
    /// Process id.
    pub pid: u32,
    /// Id of the parent, which may be gone.
    pub parent_pid: u32,
    /// Name, at most 14 bytes.
    pub name: String,
    /// Path in the kernel's audit information; `None` where there is no such record.
    pub image_path: Option<String>,
    /// Root of its page tables (physical, page aligned).
    pub root: u64,
    /// Root of its page tables in user mode; equal to `root` without KVA shadow.
    pub user_root: u64,
    /// Value of `DirectoryTableBase`, PCID bits included.
    pub directory_table_base: u64,
    /// Time of creation (FILETIME).
    pub create_time: u64,
    /// Time of exit (FILETIME), or 0.
    pub exit_time: u64,
    /// Exit status.
    pub exit_status: i32,
    /// Whether it runs 32-bit code.
    pub is_wow64: bool,
    /// Address of the PEB that its code uses: the 32-bit one of a WoW64 process; 0 for none.
    pub peb: u64,
    /// Address of the native PEB; 0 for none.
    pub native_peb: u64,
    /// Address of the session structure; 0 for none.
    pub session: u64,
    /// Session number.
    pub session_id: Option<u32>,
    /// Address of the token, reference bits removed.
    pub token: u64,
    /// Address of the handle table; 0 for none.
    pub handle_table: u64,
    /// Handles in its table.
    pub handle_count: u32,
    /// Levels of its handle table beyond the first: 0, 1 or 2.
    pub handle_table_level: u8,
    /// Address at which its image is mapped.
    pub image_base: u64,
    /// Value of `Protection.Level`, where the layout has it.
    pub protection: Option<u8>,
    /// Number of threads in its list.
    pub thread_count: u32,
}

/// A thread.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct ExpectedThread {
    /// Address of the `_ETHREAD`.
    pub object: u64,
    /// Thread id.
    pub tid: u32,
    /// Id of the process of its client id.
    pub pid: u32,
    /// Owning process.
    pub process: u64,
    /// Process whose address space it uses now.
    pub current_process: u64,
    /// Process saved while attached to another, or 0.
    pub saved_process: u64,
    /// `ApcStateIndex`.
    pub apc_state_index: u8,
    /// `State`.
    pub state: u8,
    /// `WaitReason`.
    pub wait_reason: u8,
    /// `WaitMode`.
    pub wait_mode: u8,
    /// `Alertable`.
    pub alertable: bool,
    /// `PreviousMode`.
    pub previous_mode: u8,
    /// `SystemCallNumber`.
    pub syscall_number: u32,
    /// `NextProcessor` without its top bit.
    pub next_processor: u32,
    /// Time of creation (FILETIME).
    pub create_time: u64,
    /// Time of exit (FILETIME), or 0.
    pub exit_time: u64,
    /// Exit status.
    pub exit_status: i32,
    /// `StartAddress`.
    pub start_address: u64,
    /// `Win32StartAddress`.
    pub win32_start_address: u64,
    /// Address of the TEB that its code uses: the 32-bit one in a WoW64 process; 0 for none.
    pub teb: u64,
    /// Address of the native TEB; 0 for none.
    pub native_teb: u64,
    /// `KernelStack`.
    pub kernel_stack: u64,
    /// Address of the trap frame; 0 for none.
    pub trap_frame: u64,
    /// Members of the trap frame and their values.
    pub trap_registers: Vec<(String, u64)>,
    /// Its TEBs, the native one first.
    pub tebs: Vec<ExpectedTeb>,
    /// User-mode instruction pointer in the trap frame.
    pub trap_rip: u64,
    /// User-mode stack pointer in the trap frame.
    pub trap_rsp: u64,
    /// Impersonation token; 0 for none.
    pub impersonation_token: u64,
    /// Scheduling group; 0 for none.
    pub scheduling_group: u64,
    /// Processors on which the group, or one above it, is over its quota.
    pub held_back_on: Vec<u32>,
}

/// A kernel module.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ExpectedModule {
    /// Address of the loader entry.
    pub entry: u64,
    /// Address of the image.
    pub base: u64,
    /// Size of the image in bytes.
    pub size: u32,
    /// Entry point.
    pub entry_point: u64,
    /// File name.
    pub name: String,
    /// Path.
    pub path: String,
    /// Link time of the image (Unix time).
    pub time_stamp: u32,
}

/// A driver that was unloaded.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ExpectedUnloadedModule {
    /// File name.
    pub name: String,
    /// First address.
    pub start: u64,
    /// First address after it.
    pub end: u64,
    /// Time of unloading (FILETIME).
    pub time: u64,
}

/// An object with a header.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ExpectedObject {
    /// Address of the body.
    pub address: u64,
    /// Name of its type, such as `Event`.
    pub type_name: String,
    /// Its own name, without directory.
    pub name: Option<String>,
    /// Path in the object namespace; of a file, the path with its device.
    pub path: Option<String>,
    /// Of a file, the path without that of its related file: device and own name, as they are.
    pub own_path: Option<String>,
    /// `_OBJECT_HEADER.TypeIndex` as it is stored, encoded where the kernel has a cookie.
    pub encoded_type_index: u8,
    /// `_OBJECT_HEADER.HandleCount`.
    pub handle_count: u64,
    /// `_OBJECT_HEADER.PointerCount`.
    pub pointer_count: u64,
    /// `_OBJECT_HEADER.InfoMask`.
    pub info_mask: u8,
}

/// A handle.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExpectedHandle {
    /// Owner.
    pub pid: u32,
    /// Value.
    pub handle: u32,
    /// Object that it refers to.
    pub object: u64,
    /// Granted access.
    pub access: u32,
    /// `OBJ_PROTECT_CLOSE` (1), `OBJ_INHERIT` (2) and `OBJ_AUDIT_OBJECT_CLOSE` (4).
    pub attributes: u32,
}

/// What an address of a test page is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum PageKind {
    /// Mapped.
    Present,
    /// Not mapped; the content is still in a frame that can be found.
    Transition,
    /// Not mapped; the content is in a page file at this offset in pages.
    PageFile {
        /// Number of the page file.
        file: u8,
        /// Offset in the page file, in pages.
        offset: u64,
    },
    /// Not mapped; reads as zero when touched.
    DemandZero,
    /// Not mapped; described by a prototype entry.
    Prototype,
    /// No entry at all.
    Absent,
}

/// A page placed for tests of address translation.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ExpectedPage {
    /// Process in whose address space the page is; the System process for kernel addresses.
    pub process: u64,
    /// Virtual address.
    pub va: u64,
    /// Physical address of the content, where there is one.
    pub pa: Option<u64>,
    /// Size of the page.
    pub size: PageSize,
    /// What the page is.
    pub kind: PageKind,
    /// First bytes of the content, where there is one.
    pub content: Vec<u8>,
    /// Whether user mode may touch it (meaningful for present pages).
    pub user: bool,
    /// Whether it may be written.
    pub writable: bool,
    /// Whether it may be executed.
    pub executable: bool,
}

impl Expected {
    /// The process of an id.
    pub fn process(&self, pid: u32) -> Option<&ExpectedProcess> {
        self.processes.iter().find(|process| process.pid == pid)
    }

    /// The first process of a name.
    pub fn process_named(&self, name: &str) -> Option<&ExpectedProcess> {
        self.processes.iter().find(|process| process.name == name)
    }

    /// The threads of a process.
    pub fn threads_of(&self, process: u64) -> impl Iterator<Item = &ExpectedThread> {
        self.threads
            .iter()
            .filter(move |thread| thread.process == process)
    }

    /// The handles of a process, in ascending order.
    pub fn handles_of(&self, pid: u32) -> Vec<&ExpectedHandle> {
        let mut handles: Vec<_> = self
            .handles
            .iter()
            .filter(|handle| handle.pid == pid)
            .collect();
        handles.sort_by_key(|handle| handle.handle);
        handles
    }

    /// The objects by address, for many look-ups.
    pub fn objects_by_address(&self) -> HashMap<u64, &ExpectedObject> {
        self.objects
            .iter()
            .map(|object| (object.address, object))
            .collect()
    }

    /// The object at an address.
    pub fn object(&self, address: u64) -> Option<&ExpectedObject> {
        self.objects.iter().find(|object| object.address == address)
    }

    /// The token at an address.
    pub fn token(&self, address: u64) -> Option<&ExpectedToken> {
        self.tokens.iter().find(|token| token.address == address)
    }

    /// A number in the body of an object.
    pub fn fact(&self, object: u64, name: &str) -> Option<u64> {
        let mut facts = self.facts.iter();
        let fact = facts.find(|it| it.object == object && it.name == name);
        fact.map(|it| it.value)
    }

    /// A text that the body of an object leads to.
    pub fn text(&self, object: u64, name: &str) -> Option<&str> {
        let mut texts = self.texts.iter();
        let text = texts.find(|it| it.object == object && it.name == name);
        text.map(|it| it.text.as_str())
    }

    /// The object of a namespace path.
    pub fn object_at(&self, path: &str) -> Option<&ExpectedObject> {
        self.objects
            .iter()
            .find(|object| object.path.as_deref() == Some(path))
    }
}
