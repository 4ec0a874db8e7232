//! Handle tables of one to three levels.

use crate::expected::ExpectedHandle;
use crate::guest::Guest;
use crate::memory::PAGE_SIZE;
use crate::profile::FieldRef;
use crate::record;

bitflags::bitflags! {
    /// Attributes of a handle, as `OBJ_*` flags.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
    pub struct HandleAttributes: u32 {
        /// The handle cannot be closed.
        const PROTECT_CLOSE = 1;
        /// Child processes inherit the handle.
        const INHERIT = 2;
        /// Closing the handle is audited.
        const AUDIT_CLOSE = 4;
    }
}

/// Size of an entry in bytes.
const ENTRY_SIZE: u64 = 16;
/// Handle values that one page of entries covers.
const PAGE_SPAN: u32 = (PAGE_SIZE / ENTRY_SIZE * 4) as u32;
/// Pointers in a page.
const POINTERS: usize = PAGE_SIZE as usize / 8;
/// Where protect-from-close is in the granted access of old entries.
const OLD_PROTECT_BIT: u32 = 1 << 25;

/// Whether a handle value is never given out: the first entry of each page is the table's own.
pub(crate) fn is_reserved(handle: u32) -> bool {
    handle.is_multiple_of(PAGE_SPAN)
}

/// Offset of a handle's entry in its page.
fn entry_offset(handle: u32) -> u64 {
    u64::from(handle % PAGE_SPAN) / 4 * ENTRY_SIZE
}

/// A handle table in the guest.
#[derive(Clone, Debug)]
pub(crate) struct HandleTable {
    /// Address of the `_HANDLE_TABLE`.
    pub object: u64,
    codec: EntryCodec,
    low: Vec<u64>,
    mid: Vec<u64>,
    top: u64,
    next_handle: u32,
    count: u32,
}

impl HandleTable {
    /// Makes an empty table with one page of entries.
    pub(crate) fn create(guest: &mut Guest, process: u64, pid: u32) -> Self {
        let object = guest.allocate(guest.profile.size_of("_HANDLE_TABLE"));
        let mut record = guest.record("_HANDLE_TABLE");
        record
            .set("QuotaProcess", process)
            .set("UniqueProcessId", pid.into())
            .set_empty_list("HandleTableList", object);
        guest.write_record(object, &record);
        let codec = EntryCodec::new(guest);
        let mut table = Self {
            object,
            codec,
            low: Vec::new(),
            mid: Vec::new(),
            top: 0,
            next_handle: 4,
            count: 0,
        };
        table.add_page(guest);
        table
    }

    /// Levels of pointer pages above the entries: 0, 1 or 2.
    pub(crate) fn level(&self) -> u8 {
        match (self.low.len(), self.mid.len()) {
            (1, _) => 0,
            (_, 1) => 1,
            _ => 2,
        }
    }

    /// The next handle value to be given out.
    fn take_handle(&mut self) -> u32 {
        if is_reserved(self.next_handle) {
            self.next_handle += 4;
        }
        self.next_handle += 4;
        self.next_handle - 4
    }

    /// Address of the entry of a handle, pages added up to it.
    fn entry(&mut self, guest: &mut Guest, handle: u32) -> u64 {
        let page = (handle / PAGE_SPAN) as usize;
        while self.low.len() <= page {
            self.add_page(guest);
        }
        self.low[page] + entry_offset(handle)
    }

    /// Address of the entry of a handle, where the table reaches so far.
    pub(crate) fn existing_entry(&self, handle: u32) -> Option<u64> {
        let page = self.low.get((handle / PAGE_SPAN) as usize)?;
        Some(page + entry_offset(handle))
    }

    /// Writes the entry of a handle. `pointer` is what the entry points to.
    pub(crate) fn write_entry(
        &mut self,
        guest: &mut Guest,
        handle: u32,
        pointer: u64,
        access: u32,
        attributes: HandleAttributes,
    ) {
        let entry = self.entry(guest, handle);
        guest.write(entry, &self.codec.encode(pointer, access, attributes));
        self.count += 1;
        let count = ["FreeLists[0].HandleCount", "HandleCount"];
        if let Some(field) = guest.profile.first_field("_HANDLE_TABLE", &count) {
            let offset = guest.profile.offset("_HANDLE_TABLE", field);
            guest.write(self.object + offset, &self.count.to_le_bytes());
        }
    }

    /// Adds a page of free entries, and pages of pointers where another level is needed.
    fn add_page(&mut self, guest: &mut Guest) {
        let page = guest.allocate_pages(PAGE_SIZE);
        self.low.push(page);
        let number = self.low.len() - 1;
        if number == 1 {
            self.add_pointers(guest);
            guest.write_u64(self.mid[0], self.low[0]);
        }
        if number > 1 && number.is_multiple_of(POINTERS) {
            self.add_pointers(guest);
        }
        if number > 0 {
            let slot = self.mid[number / POINTERS] + (number % POINTERS * 8) as u64;
            guest.write_u64(slot, page);
        }
        self.write_code(guest);
    }

    fn add_pointers(&mut self, guest: &mut Guest) {
        self.mid.push(guest.allocate_pages(PAGE_SIZE));
        if self.mid.len() == 2 {
            self.top = guest.allocate_pages(PAGE_SIZE);
            guest.write_u64(self.top, self.mid[0]);
        }
        if let [_, .., last] = self.mid[..] {
            guest.write_u64(self.top + (self.mid.len() as u64 - 1) * 8, last);
        }
    }

    fn write_code(&self, guest: &mut Guest) {
        let level = self.level();
        let start = match level {
            0 => self.low[0],
            1 => self.mid[0],
            _ => self.top,
        };
        let limit = self.low.len() as u64 * u64::from(PAGE_SPAN);
        guest.poke_field(
            self.object,
            "_HANDLE_TABLE",
            "TableCode",
            start | u64::from(level),
        );
        guest.poke_field(self.object, "_HANDLE_TABLE", "NextHandleNeedingPool", limit);
    }
}

/// How a layout's entries hold pointer, access and attributes.
#[derive(Clone, Copy, Debug)]
enum EntryCodec {
    /// Windows 7: the pointer with attributes in its low bits.
    Old,
    /// From Windows 8.1: bit fields.
    New {
        unlocked: FieldRef,
        references: FieldRef,
        attributes: FieldRef,
        pointer: FieldRef,
        access: FieldRef,
    },
}

impl EntryCodec {
    fn new(guest: &Guest) -> Self {
        const ENTRY: &str = "_HANDLE_TABLE_ENTRY";
        if !guest.profile.has_field(ENTRY, "ObjectPointerBits") {
            return Self::Old;
        }
        Self::New {
            unlocked: guest.profile.field(ENTRY, "Unlocked"),
            references: guest.profile.field(ENTRY, "RefCnt"),
            attributes: guest.profile.field(ENTRY, "Attributes"),
            pointer: guest.profile.field(ENTRY, "ObjectPointerBits"),
            access: guest.profile.field(ENTRY, "GrantedAccessBits"),
        }
    }

    fn encode(
        self,
        object: u64,
        granted: u32,
        flags: HandleAttributes,
    ) -> [u8; ENTRY_SIZE as usize] {
        let mut bytes = [0; ENTRY_SIZE as usize];
        match self {
            Self::Old => {
                let in_pointer = flags & !HandleAttributes::PROTECT_CLOSE;
                let protect = flags.contains(HandleAttributes::PROTECT_CLOSE);
                let granted = granted | if protect { OLD_PROTECT_BIT } else { 0 };
                // Bit 0 is the entry's lock: set while it is not held.
                let value = object | 1 | u64::from(in_pointer.bits());
                bytes[..8].copy_from_slice(&value.to_le_bytes());
                bytes[8..12].copy_from_slice(&granted.to_le_bytes());
            }
            Self::New {
                unlocked,
                references,
                attributes,
                pointer,
                access,
            } => {
                record::insert(&mut bytes, unlocked, 1);
                record::insert(&mut bytes, references, 0x7ff6);
                record::insert(&mut bytes, attributes, flags.bits().into());
                record::insert(&mut bytes, pointer, object >> 4);
                record::insert(&mut bytes, access, granted.into());
            }
        }
        bytes
    }
}

impl Guest {
    /// Opens a handle of a process to an object: its value.
    ///
    /// # Panics
    /// When the process does not exist or has no handle table.
    pub fn open_handle(
        &mut self,
        process: u64,
        object: u64,
        access: u32,
        attributes: HandleAttributes,
    ) -> u32 {
        let mut table = self.take_table(process);
        let handle = table.take_handle();
        self.put_handle(process, table, handle, (object, access, attributes));
        handle
    }

    /// Opens a handle of a given value, its table grown up to it.
    ///
    /// # Panics
    /// When the process has no handle table, or the value is no multiple of 4 or reserved.
    pub fn open_handle_at(
        &mut self,
        process: u64,
        handle: u32,
        object: u64,
        access: u32,
        attributes: HandleAttributes,
    ) {
        assert!(
            handle.is_multiple_of(4) && !is_reserved(handle),
            "{handle:#x} is no free handle"
        );
        let mut table = self.take_table(process);
        table.next_handle = table.next_handle.max(handle + 4);
        self.put_handle(process, table, handle, (object, access, attributes));
    }

    fn take_table(&mut self, process: u64) -> HandleTable {
        let state = self.processes.get_mut(&process);
        let table = state.and_then(|state| state.handle_table.take());
        table.unwrap_or_else(|| panic!("{process:#x} has no handle table"))
    }

    fn put_handle(
        &mut self,
        process: u64,
        mut table: HandleTable,
        handle: u32,
        (object, access, attributes): (u64, u32, HandleAttributes),
    ) {
        let header = self.object_header(object);
        table.write_entry(self, handle, header, access, attributes);
        self.count_handle(object);
        let Some(state) = self.processes.get_mut(&process) else {
            return;
        };
        let pid = state.pid;
        if let Some(index) = state.index {
            let expected = &mut self.expected.processes[index];
            expected.handle_count = table.count;
            expected.handle_table_level = table.level();
        }
        state.handle_table = Some(table);
        let attributes = attributes.bits();
        self.expected.handles.push(ExpectedHandle {
            pid,
            handle,
            object,
            access,
            attributes,
        });
    }
}
