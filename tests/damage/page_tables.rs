//! Page tables that share their sub-trees, lead in circles or nowhere.

use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};

use winvmi::{
    Fault, FaultKind,
    arch::amd64::LongMode,
    core::{
        Capabilities, Driver, Gfn, Memory, PAGE_SIZE, Pa, Range, Space, Va,
        driver::{DriverInfo, PhysicalMemory, Run},
    },
};

/// Present, writable, for user mode.
const TABLE: u64 = 7;
const ROOT: u64 = 0x1000;
const VIRTUAL: Space = Space::Virtual { root: Pa(ROOT) };

/// Far more than any search takes, far less than one that does not end.
const PATIENCE: Duration = Duration::from_secs(20);

/// Page tables by their addresses.
#[derive(Default)]
struct Tables(BTreeMap<u64, Vec<u64>>);

impl Tables {
    /// A table whose entries are all the same.
    fn fill(&mut self, table: u64, entry: u64) {
        self.0.insert(table, vec![entry; 512]);
    }

    fn set(&mut self, table: u64, index: usize, entry: u64) {
        self.0.entry(table).or_insert_with(|| vec![0; 512])[index] = entry;
    }

    fn memory(self, levels: u8) -> Memory {
        let memory = Memory::new(Arc::new(self), 64);
        memory.set_translate(Arc::new(LongMode::new(levels)));
        memory
    }
}

impl Driver for Tables {
    fn info(&self) -> DriverInfo {
        DriverInfo {
            name: "tables",
            format: "",
            vcpus: 0,
            memory_size: self.0.len() as u64 * PAGE_SIZE,
        }
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities::PHYSICAL_READ
    }

    fn physical(&self) -> Option<&dyn PhysicalMemory> {
        Some(self)
    }
}

impl PhysicalMemory for Tables {
    fn read(&self, pa: Pa, buffer: &mut [u8]) -> Result<(), Fault> {
        let absent = Fault::physical(pa, FaultKind::NotInImage);
        let table = self.0.get(&pa.page().0).ok_or(absent)?;
        let bytes: Vec<u8> = table.iter().flat_map(|it| it.to_le_bytes()).collect();
        let start = pa.page_offset() as usize;
        buffer.copy_from_slice(&bytes[start..start + buffer.len()]);
        Ok(())
    }

    fn next_run(&self, _from: Gfn) -> Option<Run> {
        None
    }
}

/// The first ranges of the whole space.
fn ranges(memory: &Memory, count: usize) -> Vec<Range> {
    let start = Instant::now();
    let found = memory.ranges(VIRTUAL, 0, u64::MAX).take(count).collect();
    assert!(start.elapsed() < PATIENCE, "{:?}", start.elapsed());
    found
}

#[test]
fn shared_tables_that_map_nothing_are_crossed_once() {
    for levels in [4, 5] {
        let mut tables = Tables::default();
        // Every entry of every level leads on; the last table is empty.
        for level in 0..u64::from(levels) - 1 {
            let table = ROOT + level * PAGE_SIZE;
            tables.fill(table, (table + PAGE_SIZE) | TABLE);
        }
        let last = ROOT + u64::from(levels - 1) * PAGE_SIZE;
        tables.fill(last, 0);
        assert_eq!(ranges(&tables.memory(levels), 1), []);
    }
}

#[test]
fn tables_out_of_the_image_are_crossed() {
    let mut tables = Tables::default();
    tables.fill(ROOT, 0xdead_0000_0000 | TABLE);
    tables.set(ROOT, 511, 0x2000 | TABLE);
    tables.set(0x2000, 511, 0x3000 | TABLE);
    tables.set(0x3000, 511, 0x4000 | TABLE);
    tables.set(0x4000, 511, 0x5000 | TABLE);
    let found = ranges(&tables.memory(4), 2);
    let [range] = found[..] else {
        panic!("{found:?}");
    };
    assert_eq!((range.address, range.length), (u64::MAX - 0xfff, 0x1000));
    assert_eq!(range.pa, Some(Pa(0x5000)));
}

#[test]
fn tables_in_a_circle_map_what_a_walk_says() {
    let mut tables = Tables::default();
    tables.fill(ROOT, ROOT | TABLE);
    let memory = tables.memory(4);
    for range in ranges(&memory, 3) {
        let translation = memory.translate(Pa(ROOT), Va(range.address)).unwrap();
        assert_eq!(Some(translation.pa), range.pa);
        assert_eq!(range.length, PAGE_SIZE, "all map one page");
    }
}

#[test]
fn the_hole_in_the_middle_is_skipped() {
    for (levels, upper) in [(4, 0xffff_8000_0000_0000), (5, 0xff00_0000_0000_0000)] {
        let mut tables = Tables::default();
        for level in 0..u64::from(levels) {
            let table = ROOT + level * PAGE_SIZE;
            let index = if level == 0 { 256 } else { 0 };
            tables.set(table, index, (table + PAGE_SIZE) | TABLE);
        }
        let memory = tables.memory(levels);
        for from in [0, 0x1_0000_0000_0000, upper - 1, upper] {
            let found = memory.ranges(VIRTUAL, from, u64::MAX).next();
            assert_eq!(
                found.unwrap().address,
                upper,
                "{levels} levels from {from:#x}"
            );
        }
        assert!(
            memory
                .ranges(VIRTUAL, upper + 0x1000, u64::MAX)
                .next()
                .is_none()
        );
    }
}
