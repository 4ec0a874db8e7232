//! The loader's data: three lists of modules in each width.

use crate::guest::Guest;
use crate::user::wide::Width;

const DATA: &str = "_PEB_LDR_DATA";
const ENTRY: &str = "_LDR_DATA_TABLE_ENTRY";

/// List heads and the links of entries, in load, memory and initialization order.
const LISTS: [(&str, &str); 3] = [
    ("InLoadOrderModuleList", "InLoadOrderLinks"),
    ("InMemoryOrderModuleList", "InMemoryOrderLinks"),
    (
        "InInitializationOrderModuleList",
        "InInitializationOrderLinks",
    ),
];

/// A module as the loader lists it.
pub(crate) struct ListedModule<'a> {
    pub name: &'a str,
    pub path: &'a str,
    pub base: u64,
    pub size: u32,
    pub entry_point: u64,
    pub time_stamp: u32,
    pub lists: [bool; 3],
}

/// Places the loader's empty lists of one width and lets the PEB point to them.
pub(crate) fn build(guest: &mut Guest, process: u64, width: Width) {
    let size = width.size_of(guest, DATA);
    let va = guest.allocate_user(process, size);
    for (path, value) in [("Length", size), ("Initialized", 1)] {
        let at = guest.user_field(width, va, DATA, path);
        guest.write_user_uint(process, at, 1, value);
    }
    for (head, _) in LISTS {
        let head = guest.user_field(width, va, DATA, head);
        guest.empty_user_list(process, width, head);
    }
    guest.poke_peb(process, width, "Ldr", va);
}

impl Guest {
    /// Puts a module on lists of a loader: the address of its entry.
    pub(crate) fn list_module(&mut self, process: u64, width: Width, module: &ListedModule) -> u64 {
        let data = self.peek_peb(process, width, "Ldr");
        let entry = self.allocate_user(process, width.size_of(self, ENTRY));
        let pointer = width.pointer();
        let numbers = [
            ("DllBase", pointer, module.base),
            ("EntryPoint", pointer, module.entry_point),
            ("SizeOfImage", 4, module.size.into()),
            ("Flags", 4, 0x000a_2ccc),
            ("TimeDateStamp", 4, module.time_stamp.into()),
        ];
        for (path, size, value) in numbers {
            let at = self.user_field(width, entry, ENTRY, path);
            self.write_user_uint(process, at, size, value);
        }
        for (path, text) in [("FullDllName", module.path), ("BaseDllName", module.name)] {
            let at = self.user_field(width, entry, ENTRY, path);
            self.write_user_string(process, width, at, text);
        }
        for ((head, links), is_listed) in LISTS.into_iter().zip(module.lists) {
            let head = self.user_field(width, data, DATA, head);
            let links = self.user_field(width, entry, ENTRY, links);
            match is_listed {
                true => self.append_to_user_list(process, width, head, links),
                false => self.empty_user_list(process, width, links),
            }
        }
        entry
    }
}
