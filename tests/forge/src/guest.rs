//! A guest being built: its memory, its address spaces and what was placed in them.

use std::collections::{HashMap, HashSet};
use std::io;
use std::sync::Arc;

use crate::expected::Expected;
use crate::layout::Layout;
use crate::memory::{FrameAllocator, PAGE_SIZE, PhysicalMemory, page_parts};
use crate::object::ObjectTypes;
use crate::options::Options;
use crate::paging::{self, PageSize, PteFlags};
use crate::process::ProcessState;
use crate::process::handle_table::HandleTable;
use crate::profile::Profile;
use crate::record::{self, Record};
use crate::user::section::Section;
use crate::{clock, kernel, object, population, process};

/// Where the frame allocator begins; below lie the System root and the loader's leftovers.
const FIRST_FRAME: u64 = 0x60_0000;
/// Where the kernel image may begin (a large-page boundary; its low bits are added).
const KERNEL_FRAMES: u64 = 0x200_0000;

/// A Windows guest in the making, cheap to clone before it is damaged. It is consistent after every call: it can be written out at any time.
#[derive(Clone)]
pub struct Guest {
    pub(crate) profile: Arc<Profile>,
    pub(crate) options: Options,
    pub(crate) memory: PhysicalMemory,
    pub(crate) frames: FrameAllocator,
    pub(crate) expected: Expected,
    /// Kernel virtual address from which the next pool block comes.
    pub(crate) next_pool: u64,
    /// Kernel virtual address from which the next kernel stack comes.
    pub(crate) next_stack: u64,
    pub(crate) processes: HashMap<u64, ProcessState>,
    pub(crate) types: ObjectTypes,
    /// Index in `expected.objects` of an object.
    pub(crate) object_index: HashMap<u64, usize>,
    /// Objects of the namespace by path.
    pub(crate) namespace: HashMap<String, u64>,
    /// Numbers of frames that only user mode uses.
    pub(crate) user_frames: HashSet<u64>,
    /// Session structures by number.
    pub(crate) sessions: HashMap<u32, u64>,
    /// Logon sessions by identifier.
    pub(crate) logon_sessions: HashMap<u64, u64>,
    /// The table of process and thread ids.
    pub(crate) id_table: Option<HandleTable>,
    /// Process and thread ids given out.
    pub(crate) used_ids: HashSet<u32>,
    /// The next process or thread id to try.
    pub(crate) next_id: u32,
    /// Sections of image files by path.
    pub(crate) image_sections: HashMap<String, Section>,
    /// Top-level entries of the kernel half that user-mode roots have under KVA shadow.
    pub(crate) shadow_entries: Vec<(usize, u64)>,
}

impl Guest {
    /// Builds the standard guest: a kernel and a population of processes, threads, objects
    /// and handles of every kind, enlarged as the options say.
    ///
    /// # Errors
    /// When the layout's table cannot be read.
    pub fn build(layout: Layout, options: &Options) -> io::Result<Self> {
        let mut guest = Self::new(layout, options)?;
        population::populate(&mut guest);
        Ok(guest)
    }

    /// Builds a guest with a kernel, its modules, the object namespace, and the idle and
    /// System processes only.
    ///
    /// # Errors
    /// When the layout's table cannot be read.
    pub fn new(layout: Layout, options: &Options) -> io::Result<Self> {
        Ok(Self::with_profile(
            Arc::new(Profile::load(layout)?),
            options,
        ))
    }

    /// As [`Guest::new`], from a profile that is already loaded.
    pub fn with_profile(profile: Arc<Profile>, options: &Options) -> Self {
        let facts = profile.layout().facts();
        let kernel_pa = KERNEL_FRAMES + facts.kernel_base % PageSize::Large.bytes();
        let kernel_size = kernel::image::size_of_image(&profile);
        let end = (kernel_pa + kernel_size).next_multiple_of(PageSize::Large.bytes());
        let first_frame = if options.memory > 4 << 30 {
            1 << 32
        } else {
            FIRST_FRAME
        };
        let mut guest = Self {
            memory: PhysicalMemory::new(options.memory),
            frames: FrameAllocator::new(first_frame, KERNEL_FRAMES..end),
            expected: Expected::default(),
            next_pool: facts.pool_base,
            next_stack: (facts.kernel_base & !0x7f_ffff_ffff) + 0x10_0000_0000,
            processes: HashMap::new(),
            types: ObjectTypes::default(),
            object_index: HashMap::new(),
            namespace: HashMap::new(),
            user_frames: HashSet::new(),
            sessions: HashMap::new(),
            logon_sessions: HashMap::new(),
            id_table: None,
            used_ids: HashSet::new(),
            next_id: 4,
            image_sections: HashMap::new(),
            shadow_entries: Vec::new(),
            options: options.clone(),
            profile,
        };
        guest.memory.five_levels = options.five_levels;
        guest.expected.kernel.physical_base = kernel_pa;
        guest.expected.kernel.size = kernel_size;
        guest.build_kernel();
        guest
    }

    fn build_kernel(&mut self) {
        kernel::facts::record(self);
        kernel::address_space::build(self);
        kernel::image::build(self);
        kernel::globals::write(self);
        kernel::shared_data::build(self);
        object::types::build(self);
        object::directory::build_namespace(self);
        process::id_table::build(self);
        process::system::build(self);
        kernel::processors::build(self);
        kernel::modules::build(self);
        kernel::debugger_data::build(self);
        kernel::low_stub::build(self);
    }

    /// The layout.
    pub fn layout(&self) -> Layout {
        self.profile.layout()
    }

    /// The structures and symbols that the guest is built from.
    pub fn profile(&self) -> &Arc<Profile> {
        &self.profile
    }

    /// What was placed so far.
    pub fn expected(&self) -> &Expected {
        &self.expected
    }

    /// The physical memory.
    pub fn memory(&self) -> &PhysicalMemory {
        &self.memory
    }

    /// The physical memory, to be changed at will.
    pub fn memory_mut(&mut self) -> &mut PhysicalMemory {
        &mut self.memory
    }

    /// Root of the System process's page tables (physical).
    pub fn kernel_root(&self) -> u64 {
        self.profile.layout().facts().system_root
    }

    /// Address of a kernel symbol.
    ///
    /// # Panics
    /// When the layout lacks the symbol.
    pub fn symbol(&self, name: &str) -> u64 {
        self.expected.kernel.base + self.profile.symbol(name)
    }

    /// Address of a kernel symbol, where the layout has it.
    pub fn find_symbol(&self, name: &str) -> Option<u64> {
        Some(self.expected.kernel.base + self.profile.find_symbol(name)?)
    }

    /// An empty structure of the guest's layout.
    pub fn record(&self, structure: &'static str) -> Record {
        Record::new(&self.profile, structure)
    }

    /// The physical address of a kernel address.
    pub fn translate(&self, va: u64) -> Option<u64> {
        paging::translate(&self.memory, self.kernel_root(), va)
    }

    /// Reads kernel memory.
    ///
    /// # Panics
    /// Where nothing is mapped.
    pub fn read(&self, va: u64, buffer: &mut [u8]) {
        self.read_in(self.kernel_root(), va, buffer);
    }

    /// Writes kernel memory.
    ///
    /// # Panics
    /// Where nothing is mapped.
    pub fn write(&mut self, va: u64, bytes: &[u8]) {
        self.write_in(self.kernel_root(), va, bytes);
    }

    /// Reads memory of the address space of a root.
    ///
    /// # Panics
    /// Where nothing is mapped.
    pub fn read_in(&self, root: u64, va: u64, buffer: &mut [u8]) {
        for (at, part) in page_parts(va, buffer.len()) {
            self.memory.read(self.mapped(root, at), &mut buffer[part]);
        }
    }

    /// Writes memory of the address space of a root.
    ///
    /// # Panics
    /// Where nothing is mapped.
    pub fn write_in(&mut self, root: u64, va: u64, bytes: &[u8]) {
        for (at, part) in page_parts(va, bytes.len()) {
            let pa = self.mapped(root, at);
            self.memory.write(pa, &bytes[part]);
        }
    }

    fn mapped(&self, root: u64, va: u64) -> u64 {
        paging::translate(&self.memory, root, va).unwrap_or_else(|| panic!("{va:#x} is not mapped"))
    }

    /// Reads a 64-bit number of kernel memory.
    pub fn read_u64(&self, va: u64) -> u64 {
        let mut bytes = [0; 8];
        self.read(va, &mut bytes);
        u64::from_le_bytes(bytes)
    }

    /// Writes a 64-bit number to kernel memory.
    pub fn write_u64(&mut self, va: u64, value: u64) {
        self.write(va, &value.to_le_bytes());
    }

    /// Writes a structure to kernel memory.
    pub fn write_record(&mut self, va: u64, record: &Record) {
        self.write(va, record.bytes());
    }

    /// The value of a member of a structure in kernel memory.
    pub fn peek_field(&self, va: u64, structure: &str, path: &str) -> u64 {
        let field = self.profile.field(structure, path);
        let mut bytes = [0; 8];
        let length = field.size.min(8) as usize;
        self.read(va + field.offset, &mut bytes[..length]);
        record::extract(&bytes, profile_field_at_zero(field))
    }

    /// Changes a member of a structure in kernel memory.
    ///
    /// # Panics
    /// When the layout lacks the member or nothing is mapped there.
    pub fn poke_field(&mut self, va: u64, structure: &str, path: &str, value: u64) {
        let field = self.profile.field(structure, path);
        let length = field.size.min(8) as usize;
        let mut bytes = [0; 8];
        self.read(va + field.offset, &mut bytes[..length]);
        record::insert(&mut bytes[..length], profile_field_at_zero(field), value);
        self.write(va + field.offset, &bytes[..length]);
    }

    /// Gives out mapped, zeroed kernel pool of `size` bytes, aligned to 16 bytes.
    pub fn allocate(&mut self, size: u64) -> u64 {
        self.allocate_aligned(size, 16)
    }

    /// Gives out whole zeroed pages of kernel pool.
    pub fn allocate_pages(&mut self, size: u64) -> u64 {
        self.allocate_aligned(size.next_multiple_of(PAGE_SIZE), PAGE_SIZE)
    }

    fn allocate_aligned(&mut self, size: u64, align: u64) -> u64 {
        let start = self.next_pool.next_multiple_of(align);
        let mapped = self.next_pool.next_multiple_of(PAGE_SIZE);
        self.next_pool = start + size;
        if self.next_pool > mapped {
            self.map_kernel(mapped, self.next_pool - mapped);
        }
        start
    }

    /// Maps fresh zeroed frames at every page of a kernel range that has none.
    pub fn map_kernel(&mut self, va: u64, size: u64) {
        let root = self.kernel_root();
        for (at, _) in page_parts(va, size as usize) {
            let page = at & !(PAGE_SIZE - 1);
            if paging::translate(&self.memory, root, page).is_none() {
                let pa = self.frames.frame();
                self.map_kernel_page(page, pa, PageSize::Small, PteFlags::KERNEL);
                self.memory.write(pa, &[0; PAGE_SIZE as usize]);
            }
        }
    }

    /// Maps one page in the kernel half of every address space.
    pub fn map_kernel_page(&mut self, va: u64, pa: u64, size: PageSize, flags: PteFlags) {
        let root = self.kernel_root();
        let top = paging::page_map(&self.memory, root, va) + paging::top_index(va) as u64 * 8;
        let before = self.memory.read_u64(top);
        paging::map(
            &mut self.memory,
            &mut self.frames,
            root,
            (va, pa),
            size,
            flags,
        );
        let after = self.memory.read_u64(top);
        if before != after {
            self.share_top_entry(paging::top_index(va), after);
        }
    }

    /// Maps one page for the System process where only five levels of page tables reach.
    pub fn map_beyond(&mut self, va: u64, pa: u64, size: PageSize, flags: PteFlags) {
        let root = self.kernel_root();
        let (memory, frames) = (&mut self.memory, &mut self.frames);
        paging::map(memory, frames, root, (va, pa), size, flags);
    }

    /// Gives a new top-level entry of the kernel half to every process.
    fn share_top_entry(&mut self, index: usize, value: u64) {
        for process in self.processes.values() {
            let table = paging::page_map(&self.memory, process.root, u64::MAX);
            self.memory.write_u64(table + index as u64 * 8, value);
        }
    }

    /// Links an entry in at the end of a doubly linked list in kernel memory.
    pub fn append_to_list(&mut self, head: u64, entry: u64) {
        let last = self.read_u64(head + 8);
        self.write_u64(entry, head);
        self.write_u64(entry + 8, last);
        self.write_u64(last, entry);
        self.write_u64(head + 8, entry);
    }

    /// Makes a list head in kernel memory an empty list.
    pub fn empty_list(&mut self, head: u64) {
        self.write_u64(head, head);
        self.write_u64(head + 8, head);
    }

    /// Places a UTF-16 string with its terminator in kernel pool: its address and its length
    /// in bytes without the terminator.
    pub fn allocate_string(&mut self, text: &str) -> (u64, usize) {
        let bytes = utf16(text);
        let va = self.allocate(bytes.len() as u64 + 2);
        self.write(va, &bytes);
        (va, bytes.len())
    }

    /// The guest's clock (FILETIME).
    pub fn now(&self) -> u64 {
        clock::NOW
    }
}

/// A string as UTF-16, little endian, without terminator.
pub(crate) fn utf16(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

fn profile_field_at_zero(field: crate::FieldRef) -> crate::FieldRef {
    crate::FieldRef { offset: 0, ..field }
}
