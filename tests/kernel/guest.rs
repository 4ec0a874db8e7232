//! The smallest guest that has a kernel to be found: frames, page tables, images.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use winvmi::{
    Fault, FaultKind,
    arch::amd64::LongMode,
    core::{
        Capabilities, Driver, Gfn, Memory, Pa,
        driver::{DriverInfo, PhysicalMemory, Run},
    },
    pe::{File, Image},
};

pub const KERNEL_BASE: u64 = 0xffff_f802_4560_0000;
pub const SELF_MAP_INDEX: u64 = 0x1b7;
const SHARED_DATA: u64 = 0xffff_f780_0000_0000;
const DLL: &[u8] = include_bytes!("../pe/sample_x64.dll");
const PDB_PATH: &[u8] = b"C:\\build\\sample_x64.pdb";

/// Frames by number; an absent one faults.
#[derive(Default)]
pub struct Guest {
    frames: Vec<Option<Box<[u8; 4096]>>>,
    /// Bytes of zeros that are present behind the frames.
    pub padding: u64,
    next_frame: u64,
    reads: AtomicU64,
}

impl Guest {
    /// A guest without memory; tables and images are placed from `first_frame` on.
    pub fn new(first_frame: u64) -> Self {
        Self {
            next_frame: first_frame,
            ..Self::default()
        }
    }

    /// Takes the next free frame.
    pub fn frame(&mut self) -> u64 {
        let frame = self.next_frame;
        self.next_frame += 1;
        self.write(frame << 12, &[0; 4096]);
        frame << 12
    }

    pub fn write(&mut self, pa: u64, bytes: &[u8]) {
        let frame = (pa >> 12) as usize;
        if frame >= self.frames.len() {
            self.frames.resize(frame + 1, None);
        }
        let frame = self.frames[frame].get_or_insert_with(|| Box::new([0; 4096]));
        let offset = (pa & 0xfff) as usize;
        frame[offset..offset + bytes.len()].copy_from_slice(bytes);
    }

    pub fn write_u64(&mut self, pa: u64, value: u64) {
        self.write(pa, &value.to_le_bytes());
    }

    pub fn read_u64(&self, pa: u64) -> u64 {
        let offset = (pa & 0xfff) as usize;
        let frame = self.present(pa >> 12).unwrap();
        u64::from_le_bytes(frame[offset..offset + 8].try_into().unwrap())
    }

    /// Maps a 4 KiB page, making the tables that are missing.
    pub fn map(&mut self, root: u64, va: u64, pa: u64) {
        let mut table = root;
        for shift in [39, 30, 21] {
            let entry = table + (va >> shift & 0x1ff) * 8;
            if self.read_u64(entry) == 0 {
                let next = self.frame();
                self.write_u64(entry, next | 3);
            }
            table = self.read_u64(entry) & !0xfff;
        }
        self.write_u64(table + (va >> 12 & 0x1ff) * 8, pa | 3);
    }

    /// A root with a self-map entry and shared user data.
    pub fn root(&mut self) -> u64 {
        let root = self.frame();
        self.write_u64(root + SELF_MAP_INDEX * 8, root | 3);
        let shared = self.frame();
        self.write(shared + 0x26c, &10_u32.to_le_bytes());
        self.map(root, SHARED_DATA, shared);
        root
    }

    /// A root whose kernel half is that of `system`, with this many user entries.
    pub fn process_root(&mut self, system: u64, user_entries: u64) -> u64 {
        let root = self.frame();
        for index in 256..512 {
            let entry = self.read_u64(system + index * 8);
            self.write_u64(root + index * 8, entry);
        }
        self.write_u64(root + SELF_MAP_INDEX * 8, root | 3);
        for index in 0..user_entries {
            let table = self.frame();
            self.write_u64(root + index * 8, table | 7);
        }
        root
    }

    /// Loads the sample DLL at `base`, with another name for its PDB.
    pub fn load(&mut self, root: u64, base: u64, pdb: &str) {
        let mut bytes = DLL.to_vec();
        let path = bytes.windows(PDB_PATH.len()).position(|it| it == PDB_PATH);
        let name = path.unwrap()..path.unwrap() + pdb.len() + 1;
        bytes[name].copy_from_slice(format!("{pdb}\0").as_bytes());
        let file = File::new(&bytes).unwrap();
        for rva in (0..0x6000).step_by(4096) {
            let mut page = [0; 4096];
            let _ = file.read(rva, &mut page);
            let pa = self.frame();
            self.write(pa, &page);
            self.map(root, base + u64::from(rva), pa);
        }
    }

    /// Writes a processor start block.
    pub fn start_block(&mut self, pa: u64, root: u64, target: u64) {
        self.write_u64(pa, 0x0000_0001_0006_4de9);
        self.write_u64(pa + 0x70, target);
        self.write_u64(pa + 0xa0, root);
    }

    pub fn forget(&mut self, pa: u64) {
        self.frames[(pa >> 12) as usize] = None;
    }

    pub fn reads(&self) -> u64 {
        self.reads.load(Ordering::Relaxed)
    }

    /// Everything as guest memory with four paging levels.
    pub fn memory(self) -> (Arc<Self>, Memory) {
        let guest = Arc::new(self);
        let memory = Memory::new(guest.clone(), 8192);
        memory.set_translate(Arc::new(LongMode::new(4)));
        (guest, memory)
    }

    fn frames_end(&self) -> u64 {
        self.frames.len() as u64
    }

    fn present(&self, frame: u64) -> Option<&[u8; 4096]> {
        self.frames.get(frame as usize)?.as_deref()
    }
}

impl PhysicalMemory for Guest {
    fn read(&self, pa: Pa, buffer: &mut [u8]) -> Result<(), Fault> {
        self.reads.fetch_add(1, Ordering::Relaxed);
        let frame = pa.gfn().0;
        let offset = pa.page_offset() as usize;
        let padding = self.frames_end()..self.frames_end() + (self.padding >> 12);
        match self.present(frame) {
            Some(bytes) => buffer.copy_from_slice(&bytes[offset..offset + buffer.len()]),
            None if padding.contains(&frame) => buffer.fill(0),
            None => return Err(Fault::physical(pa, FaultKind::NotInImage)),
        }
        Ok(())
    }

    fn next_run(&self, from: Gfn) -> Option<Run> {
        let end = self.frames_end();
        if from.0 >= end {
            let left = (end << 12) + self.padding - from.pa().0.min((end << 12) + self.padding);
            return (left > 0).then(|| Run {
                start: from.pa().0,
                length: left,
            });
        }
        let start = (from.0..end).find(|&frame| self.present(frame).is_some())?;
        let stop = (start..end).find(|&frame| self.present(frame).is_none());
        Some(Run {
            start: start << 12,
            length: (stop.unwrap_or(end) - start) << 12,
        })
    }
}

impl Driver for Guest {
    fn info(&self) -> DriverInfo {
        DriverInfo {
            name: "test",
            format: "",
            vcpus: 0,
            memory_size: ((self.frames.len() as u64) << 12) + self.padding,
        }
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities::PHYSICAL_READ
    }

    fn physical(&self) -> Option<&dyn PhysicalMemory> {
        Some(self)
    }
}
