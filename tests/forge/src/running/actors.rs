//! The actors: threads of user processes and of the System process, each with an iteration that
//! it repeats.

use serde::Serialize;

use crate::guest::Guest;
use crate::memory::PAGE_SIZE;
use crate::object::file::FileSpec;
use crate::process::{HandleAttributes, ProcessSpec, ThreadSpec};
use crate::running::code::kernel::Addresses;
use crate::running::code::user::UserCode;
use crate::running::code::{Emit, user, wow64};
use crate::running::plan::{Plan, SPARE_COUNT, SPARE_SIZE};
use crate::running::tables;
use crate::running::user_space::{self, Files, HANDLE_COUNT};
use crate::running::words::ActorWord;

/// What an actor does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum ActorKind {
    /// A 64-bit process that opens and writes files.
    User,
    /// A 32-bit process that does.
    Wow64,
    /// The thread that pages code out and splits and joins large pages.
    Pager,
    /// The integrity checker.
    Integrity,
    /// The thread that creates and ends processes.
    Lifecycle,
    /// The thread that loads and unloads a driver.
    Loader,
    /// The thread that executes what a hypervisor can be told of.
    Privileged,
}

impl ActorKind {
    /// All kinds.
    pub const ALL: [Self; 7] = [
        Self::User,
        Self::Wow64,
        Self::Pager,
        Self::Integrity,
        Self::Lifecycle,
        Self::Loader,
        Self::Privileged,
    ];

    /// Its bit in [`Word::Actors`](super::Word::Actors).
    pub fn bit(self) -> u64 {
        1 << self as u64
    }
}

/// An actor.
#[derive(Clone, Debug, Serialize)]
pub struct Actor {
    /// What it does.
    pub kind: ActorKind,
    /// Id of its process.
    pub pid: u32,
    /// Its `_EPROCESS`.
    pub process: u64,
    /// Its `_ETHREAD`.
    pub thread: u64,
    /// Address of its words ([`ActorWord`]).
    pub words: u64,
    /// User mode only: what its code is.
    pub user: Option<ActorCode>,
}

/// The user-mode code of an actor.
#[derive(Clone, Debug, Serialize)]
pub struct ActorCode {
    /// First instruction of an iteration.
    pub entry: u64,
    /// Its INT3.
    pub breakpoint: u64,
    /// Its function `NtCreateFile`.
    pub create_file: u64,
    /// Its function `NtWriteFile`.
    pub write_file: u64,
    /// Addresses of the `_OBJECT_ATTRIBUTES` of the two files, as the kernel gets them.
    pub attributes: [u64; 2],
    /// Absolute path of the first file of an iteration.
    pub absolute_path: String,
    /// Path of the second file, relative to the folder.
    pub relative_path: String,
    /// Handle of the folder.
    pub folder: u32,
    /// Handles of the files written to, by number of the iteration modulo their count.
    pub handles: [u32; HANDLE_COUNT],
    /// Bits of the entry of a page on the standby list, without the frame.
    #[serde(skip)]
    pub(super) transition: u64,
}

/// Names of the user processes, and which run 32-bit code.
const PROCESSES: [(&str, bool); 3] = [
    ("alpha.exe", false),
    ("beta.exe", false),
    ("gamma32.exe", true),
];
/// Threads of the System process that are actors.
const KERNEL_ACTORS: u64 = 5;
/// Actors of a guest.
pub(super) const ACTOR_COUNT: u64 = PROCESSES.len() as u64 + KERNEL_ACTORS;
/// Offset of the code in a process's image.
const CODE: u64 = 0x1000;
/// Access granted to files.
const FILE_ACCESS: u32 = 0x12_019f;

/// Makes the user processes with their threads, files and code.
pub(super) fn add_users(guest: &mut Guest, plan: &Plan) -> Emit<Vec<Actor>> {
    let each = PROCESSES.iter().zip(0..);
    each.map(|((name, is_wow64), index)| add_user(guest, plan, index, (name, *is_wow64)))
        .collect()
}

fn add_user(
    guest: &mut Guest,
    plan: &Plan,
    index: u64,
    (name, is_wow64): (&str, bool),
) -> Emit<Actor> {
    let spec = ProcessSpec {
        is_wow64,
        ..ProcessSpec::user(name, parent(guest).1)
    };
    let process = guest.add_process(&spec);
    let image = expected(guest, process).image_base;
    let code = match is_wow64 {
        false => user::assemble(image + CODE)?,
        true => wow64::assemble(image + CODE)?,
    };
    guest.write_user(process, image + CODE, &code.bytes);
    let kind = if is_wow64 {
        ActorKind::Wow64
    } else {
        ActorKind::User
    };
    let thread = ThreadSpec {
        start_address: code.entry,
        win32_start_address: code.breakpoint,
        ..ThreadSpec::default()
    };
    let mut actor = add(guest, plan.actor(index), kind, process, &thread);
    let stack = if is_wow64 {
        user_space::STACK32
    } else {
        user_space::STACK
    };
    for (word, value) in [
        (ActorWord::UserEntry, code.entry),
        (ActorWord::UserStack, stack),
    ] {
        guest.write_u64(actor.words + word.offset(), value);
    }
    actor.user = Some(give_files(guest, process, name, is_wow64, &code));
    Ok(actor)
}

/// Opens the files that a process works with, and fills its pages.
fn give_files(
    guest: &mut Guest,
    process: u64,
    name: &str,
    is_wow64: bool,
    code: &UserCode,
) -> ActorCode {
    let volume = guest
        .lookup("\\Device\\HarddiskVolume2")
        .unwrap_or_default();
    let mut open = |file: &str| {
        let spec = FileSpec {
            device: volume,
            name: file,
            access: (true, true, false),
            ..FileSpec::default()
        };
        let object = guest.create_file(&spec);
        guest.open_handle(process, object, FILE_ACCESS, HandleAttributes::empty())
    };
    let folder = open(&format!("\\Work\\{name}"));
    let handles = std::array::from_fn(|index| open(&format!("\\Work\\{name}\\log {index}.txt")));
    let absolute_path = format!("\\??\\C:\\Work\\{name}\\räport.txt");
    let relative_path = String::from("drafts\\note.txt");
    let files = Files {
        absolute: &absolute_path,
        folder,
        relative: &relative_path,
        handles,
    };
    let transition = user_space::build(guest, process, is_wow64, &files);
    ActorCode {
        entry: code.entry,
        breakpoint: code.breakpoint,
        create_file: code.create_file,
        write_file: code.write_file,
        attributes: code.attributes,
        absolute_path,
        relative_path,
        folder,
        handles,
        transition,
    }
}

/// Makes the threads of the System process whose iterations are functions of the kernel.
pub(super) fn add_kernel_actors(
    guest: &mut Guest,
    plan: &Plan,
    addresses: &Addresses,
) -> Vec<Actor> {
    let functions: [(ActorKind, u64); KERNEL_ACTORS as usize] = [
        (ActorKind::Pager, addresses.pager),
        (ActorKind::Integrity, addresses.integrity),
        (ActorKind::Lifecycle, addresses.lifecycle),
        (ActorKind::Loader, addresses.loader),
        (ActorKind::Privileged, addresses.privileged),
    ];
    let each = functions.into_iter().zip(PROCESSES.len() as u64..);
    each.map(|(function, index)| add_kernel(guest, plan.actor(index), function))
        .collect()
}

fn add_kernel(guest: &mut Guest, words: u64, (kind, function): (ActorKind, u64)) -> Actor {
    let system = guest.expected.processes[0].object;
    let thread = ThreadSpec {
        wait_mode: 0,
        previous_mode: 0,
        syscall_number: 0,
        start_address: function,
        win32_start_address: function,
        ..ThreadSpec::default()
    };
    let actor = add(guest, words, kind, system, &thread);
    guest.write_u64(actor.words + ActorWord::Function.offset(), function);
    actor
}

fn add(guest: &mut Guest, words: u64, kind: ActorKind, process: u64, spec: &ThreadSpec) -> Actor {
    let thread = guest.add_thread(process, spec);
    let stack = tables::map_stack(guest, thread);
    let state = guest.processes[&process].clone();
    let known = guest
        .expected
        .threads
        .iter()
        .find(|known| known.object == thread);
    let teb = known.map_or(0, |known| known.native_teb);
    for (word, value) in [
        (ActorWord::Kind, kind.bit()),
        (ActorWord::Thread, thread),
        (ActorWord::Root, state.directory_table_base),
        (ActorWord::UserRoot, state.user_directory_table_base),
        (ActorWord::Stack, stack),
        (ActorWord::Teb, teb),
    ] {
        guest.write_u64(words + word.offset(), value);
    }
    guest.poke_field(thread, "_ETHREAD", "Tcb.Win32Thread", words);
    Actor {
        kind,
        pid: state.pid,
        process,
        thread,
        words,
        user: None,
    }
}

/// Makes the processes that come and go: none is in a list or in the answers at first.
pub(super) fn add_spares(guest: &mut Guest, plan: &Plan) -> Vec<u64> {
    let spares = (0..SPARE_COUNT).map(|index| add_spare(guest, plan, index));
    spares.collect()
}

fn add_spare(guest: &mut Guest, plan: &Plan, index: u64) -> u64 {
    let spec = ProcessSpec {
        session_id: None,
        ..ProcessSpec::user(&format!("child{index}.exe"), parent(guest).1)
    };
    let process = guest.add_process(&spec);
    let pid = guest.processes[&process].pid;
    let links = guest.field_address(process, "_EPROCESS", "ActiveProcessLinks");
    let (next, previous) = (guest.read_u64(links), guest.read_u64(links + 8));
    guest.write_u64(previous, next);
    guest.write_u64(next + 8, previous);
    let table = guest.id_table.as_ref();
    let entry = table
        .and_then(|table| table.existing_entry(pid))
        .unwrap_or_default();
    let record = plan.spares + index * SPARE_SIZE;
    for (offset, value) in [
        (0, process),
        (8, entry),
        (16, guest.read_u64(entry)),
        (24, guest.read_u64(entry + 8)),
    ] {
        guest.write_u64(record + offset, value);
    }
    guest.write(entry, &[0; 16]);
    guest.expected.processes.pop();
    if let Some(state) = guest.processes.get_mut(&process) {
        state.index = None;
    }
    process
}

/// The process that is the parent of all user actors: its object and id.
pub(super) fn parent(guest: &Guest) -> (u64, u32) {
    let found = guest.expected.process_named("explorer.exe");
    found.map_or((0, 0), |process| (process.object, process.pid))
}

fn expected(guest: &Guest, process: u64) -> &crate::expected::ExpectedProcess {
    let found = guest
        .expected
        .processes
        .iter()
        .find(|known| known.object == process);
    found.unwrap_or_else(|| panic!("no process at {process:#x}"))
}

/// Pages of code in kernel space that nothing writes to.
pub(super) fn pages(ranges: &[(u64, usize)]) -> Vec<u64> {
    let mut pages: Vec<u64> = ranges
        .iter()
        .flat_map(|(start, length)| {
            let first = start & !(PAGE_SIZE - 1);
            (first..start + *length as u64).step_by(PAGE_SIZE as usize)
        })
        .collect();
    pages.sort_unstable();
    pages.dedup();
    pages
}
