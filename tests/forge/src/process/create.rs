//! Making of processes.

use crate::expected::ExpectedProcess;
use crate::guest::Guest;
use crate::kernel::address_space;
use crate::object::token::TokenSpec;
use crate::paging;
use crate::process::handle_table::HandleTable;
use crate::process::user_space::{self, UserLayout};
use crate::process::{ProcessSpec, ProcessState, UserSpace};
use crate::record::Record;

/// Type code of a process in its dispatcher header.
const PROCESS_OBJECT: u64 = 3;
/// References that a fast reference holds in its low bits.
const FAST_REFERENCES: u64 = 0xd;
/// Process-context identifiers of kernel and user roots under KVA shadow.
const KERNEL_PCID: u64 = 2;
const USER_PCID: u64 = 1;
/// `UserDirectoryTableBase` of a process that has no shadow root.
const NO_SHADOW: u64 = 1;

/// Page-table roots of a process being made.
struct Roots {
    root: u64,
    user_root: Option<u64>,
}

impl Roots {
    /// Values of `DirectoryTableBase` and `UserDirectoryTableBase`.
    fn values(&self) -> (u64, u64) {
        match self.user_root {
            Some(user_root) => (self.root | KERNEL_PCID, user_root | USER_PCID),
            None => (self.root, NO_SHADOW),
        }
    }
}

impl Guest {
    /// Makes a process: the address of its `_EPROCESS`.
    pub fn add_process(&mut self, spec: &ProcessSpec) -> u64 {
        let roots = self.make_roots(spec.user_space);
        let object = self.create_unnamed("Process", self.profile.size_of("_EPROCESS"));
        self.place_process(object, spec, roots)
    }

    /// Makes the System process, whose page tables exist already.
    pub(crate) fn add_system_process(&mut self, spec: &ProcessSpec) -> u64 {
        let object = self.create_unnamed("Process", self.profile.size_of("_EPROCESS"));
        let roots = Roots {
            root: self.kernel_root(),
            user_root: None,
        };
        self.place_process(object, spec, roots)
    }

    fn place_process(&mut self, object: u64, spec: &ProcessSpec, roots: Roots) -> u64 {
        let pid = self.take_id(spec.pid, object);
        let (directory_table_base, user_directory_table_base) = roots.values();
        let layout = UserLayout::new(self, spec.is_wow64);
        let has_user_space = spec.user_space != UserSpace::None;
        let state = ProcessState {
            index: Some(self.expected.processes.len()),
            pid,
            root: roots.root,
            user_root: roots.user_root,
            directory_table_base,
            user_directory_table_base,
            is_wow64: spec.is_wow64,
            handle_table: None,
            peb: if has_user_space { layout.peb } else { 0 },
            next_teb: if has_user_space { layout.first_teb } else { 0 },
            heap: 0..0,
            regions: Vec::new(),
        };
        self.processes.insert(object, state);
        if spec.user_space == UserSpace::Own {
            user_space::build(self, object, &layout);
        }
        let expected = self.write_process(object, spec, pid, &layout);
        self.expected.processes.push(expected);
        if spec.exit_time == 0 {
            self.give_handle_table(object);
        }
        self.join_lists(object, spec.session_id);
        if spec.user_space == UserSpace::Own {
            user_space::describe(self, object, spec, &layout);
        }
        object
    }

    /// Makes the roots of a process with the kernel half that all share.
    fn make_roots(&mut self, user_space: UserSpace) -> Roots {
        let root = self.frames.frame();
        let system = self.kernel_root();
        paging::make_root(&mut self.memory, &mut self.frames, root);
        paging::copy_kernel_half(&mut self.memory, system, root);
        if let UserSpace::SharedWith(other) = user_space {
            let other = self.processes[&other].root;
            paging::copy_user_half(&mut self.memory, other, root);
        }
        address_space::write_self_map(self, root);
        let shadowed = self.expected.kernel.kva_shadow && user_space != UserSpace::None;
        let user_root = shadowed.then(|| self.make_shadow_root(root));
        Roots { root, user_root }
    }

    /// Makes a shadow root with the user half of the kernel's root of the process.
    fn make_shadow_root(&mut self, full: u64) -> u64 {
        let root = self.frames.frame();
        paging::make_root(&mut self.memory, &mut self.frames, root);
        paging::copy_user_half(&mut self.memory, full, root);
        let table = paging::page_map(&self.memory, root, u64::MAX);
        for (index, value) in self.shadow_entries.clone() {
            self.memory.write_u64(table + index as u64 * 8, value);
        }
        root
    }

    fn write_process(
        &mut self,
        object: u64,
        spec: &ProcessSpec,
        pid: u32,
        layout: &UserLayout,
    ) -> ExpectedProcess {
        let state = self.processes[&object].clone();
        let token = self.create_token(&process_token(spec));
        let session = spec.session_id.map_or(0, |id| self.session(id));
        let wow64 = if spec.is_wow64 {
            self.wow64_process(layout)
        } else {
            0
        };
        let has_user_space = spec.user_space != UserSpace::None;
        let image_base = if has_user_space { layout.image } else { 0 };
        let name = cut_name(&spec.name);
        let mut record = new_process(self, object);
        record
            .set("Pcb.DirectoryTableBase", state.directory_table_base)
            .set_if(
                "Pcb.UserDirectoryTableBase",
                state.user_directory_table_base,
            )
            .set("UniqueProcessId", pid.into())
            .set("InheritedFromUniqueProcessId", spec.parent_pid.into())
            .put("ImageFileName", name.as_bytes())
            .set("CreateTime.QuadPart", spec.create_time)
            .set("ExitTime.QuadPart", spec.exit_time)
            .set("ExitStatus", spec.exit_status as u32 as u64)
            .set("Token.Value", token | FAST_REFERENCES)
            .set("Session", session)
            .set("Peb", state.peb)
            .set("SectionBaseAddress", image_base)
            .set_first(&["WoW64Process", "Wow64Process"], wow64)
            .set_if("Protection.Level", spec.protection.into());
        self.set_audit_path(&mut record, spec.image_path.as_deref());
        self.write_record(object, &record);
        let has_protection = self.profile.has_field("_EPROCESS", "Protection.Level");
        ExpectedProcess {
            object,
            pid,
            parent_pid: spec.parent_pid,
            name,
            image_path: spec.image_path.clone(),
            root: state.root,
            user_root: state.user_root.unwrap_or(state.root),
            directory_table_base: state.directory_table_base,
            create_time: spec.create_time,
            exit_time: spec.exit_time,
            exit_status: spec.exit_status,
            is_wow64: spec.is_wow64,
            peb: if spec.is_wow64 {
                layout.peb32
            } else {
                state.peb
            },
            native_peb: state.peb,
            session,
            session_id: spec.session_id,
            token,
            image_base,
            protection: has_protection.then_some(spec.protection),
            ..ExpectedProcess::default()
        }
    }

    /// What `WoW64Process` points to: a structure with the 32-bit PEB, or the PEB itself in
    /// kernels older than the structure.
    fn wow64_process(&mut self, layout: &UserLayout) -> u64 {
        if !self.profile.has_type("_EWOW64PROCESS") {
            return layout.peb32;
        }
        let va = self.allocate(self.profile.size_of("_EWOW64PROCESS"));
        let mut record = self.record("_EWOW64PROCESS");
        record.set("Peb", layout.peb32).set_if("Machine", 0x14c);
        self.write_record(va, &record);
        va
    }

    fn set_audit_path(&mut self, record: &mut Record, path: Option<&str>) {
        let Some(path) = path else { return };
        let (buffer, length) = self.allocate_string(path);
        let va = self.allocate(self.profile.size_of("_OBJECT_NAME_INFORMATION"));
        let mut information = self.record("_OBJECT_NAME_INFORMATION");
        information.set_string("Name", length, buffer);
        self.write_record(va, &information);
        record.set("SeAuditProcessCreationInfo.ImageFileName", va);
    }

    fn give_handle_table(&mut self, object: u64) {
        let pid = self.processes[&object].pid;
        let table = HandleTable::create(self, object, pid);
        self.poke_field(object, "_EPROCESS", "ObjectTable", table.object);
        let index = self.processes[&object].index;
        if let Some(index) = index {
            self.expected.processes[index].handle_table = table.object;
        }
        self.processes
            .entry(object)
            .and_modify(|state| state.handle_table = Some(table));
    }

    fn join_lists(&mut self, object: u64, session_id: Option<u32>) {
        let links = object + self.profile.offset("_EPROCESS", "ActiveProcessLinks");
        self.append_to_list(self.symbol("PsActiveProcessHead"), links);
        if let Some(id) = session_id {
            let links = object + self.profile.offset("_EPROCESS", "SessionProcessLinks");
            let head = self.session(id) + self.profile.offset("_MM_SESSION_SPACE", "ProcessList");
            self.append_to_list(head, links);
        }
    }
}

/// A process structure with its list heads and its empty region tree.
pub(crate) fn new_process(guest: &Guest, object: u64) -> Record {
    let mut record = guest.record("_EPROCESS");
    record
        .set("Pcb.Header.Type", PROCESS_OBJECT)
        .set(
            "Pcb.Header.Size",
            (guest.profile.size_of("_KPROCESS") / 4) & 0xff,
        )
        .set_empty_list("Pcb.Header.WaitListHead", object)
        .set_empty_list("Pcb.ProfileListHead", object)
        .set_empty_list("Pcb.ThreadListHead", object)
        .set_empty_list("ThreadListHead", object)
        .set("Flags", 0x1_4000);
    let root = guest
        .profile
        .find_field("_EPROCESS", "VadRoot.BalancedRoot");
    if let Some(root) = root {
        record.set("VadRoot.BalancedRoot.u1.Parent", object + root.offset);
    }
    record
}

/// The part of a name that `ImageFileName` holds with its terminator.
/// The machine's own token, or that of the user at the console.
fn process_token(spec: &ProcessSpec) -> TokenSpec {
    match spec.session_id {
        Some(session @ 1..) if spec.is_wow64 => TokenSpec::restricted(session),
        Some(session @ 1..) => TokenSpec::limited(session),
        session => TokenSpec::system(session.unwrap_or(0)),
    }
}

fn cut_name(name: &str) -> String {
    name.chars().take(14).collect()
}
