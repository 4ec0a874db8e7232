//! Structures of user mode in either width: 64-bit ones by the layout's tables, 32-bit ones,
//! which the kernel's tables lack, by their documented places.

use crate::guest::{Guest, utf16};
use crate::profile::FieldRef;
use crate::record;

/// Whose code a structure belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Width {
    /// 32-bit code.
    X86,
    /// 64-bit code.
    Amd64,
}

/// Structure, size in 32-bit code, and its members with their offsets there.
type Structure32 = (&'static str, u64, &'static [(&'static str, u64)]);

const STRUCTURES_32: &[Structure32] = &[
    (
        "_PEB_LDR_DATA",
        0x30,
        &[
            ("Length", 0x0),
            ("Initialized", 0x4),
            ("InLoadOrderModuleList", 0xc),
            ("InMemoryOrderModuleList", 0x14),
            ("InInitializationOrderModuleList", 0x1c),
        ],
    ),
    (
        "_LDR_DATA_TABLE_ENTRY",
        0xa8,
        &[
            ("InLoadOrderLinks", 0x0),
            ("InMemoryOrderLinks", 0x8),
            ("InInitializationOrderLinks", 0x10),
            ("DllBase", 0x18),
            ("EntryPoint", 0x1c),
            ("SizeOfImage", 0x20),
            ("FullDllName", 0x24),
            ("BaseDllName", 0x2c),
            ("Flags", 0x34),
            ("TimeDateStamp", 0x44),
        ],
    ),
    (
        "_RTL_USER_PROCESS_PARAMETERS",
        0x298,
        &[
            ("MaximumLength", 0x0),
            ("Length", 0x4),
            ("Flags", 0x8),
            ("CurrentDirectory.DosPath", 0x24),
            ("DllPath", 0x30),
            ("ImagePathName", 0x38),
            ("CommandLine", 0x40),
            ("Environment", 0x48),
            ("WindowTitle", 0x70),
            ("DesktopInfo", 0x78),
            ("EnvironmentSize", 0x290),
        ],
    ),
];

fn structure_32(structure: &str) -> &'static Structure32 {
    let found = STRUCTURES_32.iter().find(|(name, ..)| *name == structure);
    found.unwrap_or_else(|| panic!("no 32-bit {structure} is known"))
}

impl Width {
    /// Size of a pointer in bytes.
    pub fn pointer(self) -> u64 {
        match self {
            Self::X86 => 4,
            Self::Amd64 => 8,
        }
    }

    /// Size of a structure in bytes.
    pub(crate) fn size_of(self, guest: &Guest, structure: &str) -> u64 {
        match self {
            Self::X86 => structure_32(structure).1,
            Self::Amd64 => guest.profile.size_of(structure),
        }
    }

    /// Offset of a member in bytes.
    ///
    /// # Panics
    /// When the structure or the member is not known.
    pub(crate) fn offset(self, guest: &Guest, structure: &str, path: &str) -> u64 {
        match self {
            Self::X86 => {
                let members = structure_32(structure).2;
                let found = members.iter().find(|(name, _)| *name == path);
                found
                    .unwrap_or_else(|| panic!("no 32-bit {structure}.{path} is known"))
                    .1
            }
            Self::Amd64 => guest.profile.offset(structure, path),
        }
    }
}

impl Guest {
    /// Address of a member of a user-mode structure.
    ///
    /// # Panics
    /// When the structure or the member is not known.
    pub fn user_field(&self, width: Width, va: u64, structure: &str, path: &str) -> u64 {
        va + width.offset(self, structure, path)
    }

    /// Writes a number of `size` bytes to memory of a process.
    pub fn write_user_uint(&mut self, process: u64, va: u64, size: u64, value: u64) {
        self.write_user(process, va, &value.to_le_bytes()[..size as usize]);
    }

    /// Reads a number of `size` bytes from memory of a process.
    pub fn read_user_uint(&self, process: u64, va: u64, size: u64) -> u64 {
        let mut bytes = [0; 8];
        let root = self.processes[&process].root;
        self.read_in(root, va, &mut bytes[..size as usize]);
        record::extract(
            &bytes,
            FieldRef {
                offset: 0,
                size: 8,
                bits: None,
            },
        )
    }

    /// Writes a pointer to memory of a process.
    pub fn write_user_pointer(&mut self, process: u64, width: Width, va: u64, value: u64) {
        self.write_user_uint(process, va, width.pointer(), value);
    }

    /// Places a text in a process and its `UNICODE_STRING` at `va`.
    pub(crate) fn write_user_string(&mut self, process: u64, width: Width, va: u64, text: &str) {
        let bytes = utf16(text);
        let buffer = self.allocate_user(process, bytes.len() as u64 + 2);
        self.write_user(process, buffer, &bytes);
        self.write_user_uint(process, va, 2, bytes.len() as u64);
        self.write_user_uint(process, va + 2, 2, bytes.len() as u64 + 2);
        self.write_user_pointer(process, width, va + width.pointer(), buffer);
    }

    /// Makes a list head in a process an empty list.
    pub(crate) fn empty_user_list(&mut self, process: u64, width: Width, head: u64) {
        self.write_user_pointer(process, width, head, head);
        self.write_user_pointer(process, width, head + width.pointer(), head);
    }

    /// Links an entry in at the end of a list in a process.
    pub(crate) fn append_to_user_list(
        &mut self,
        process: u64,
        width: Width,
        head: u64,
        entry: u64,
    ) {
        let size = width.pointer();
        let last = self.read_user_uint(process, head + size, size);
        self.write_user_pointer(process, width, entry, head);
        self.write_user_pointer(process, width, entry + size, last);
        self.write_user_pointer(process, width, last, entry);
        self.write_user_pointer(process, width, head + size, entry);
    }
}
