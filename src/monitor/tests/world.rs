//! A guest with page tables, over the mock driver.

use std::sync::Arc;

use super::mock::{FULL, Mock, code};
use crate::{
    arch::amd64::{LongMode, entry_address, index_shift},
    core::{
        Gfn, Pa, Va,
        driver::{ViewId, Views},
    },
    monitor::{
        Ground, Patches, PlainPatches, ShadowPages,
        breakpoint::{Breakpoint, BreakpointManager, Key, Reach},
    },
};

pub const PRESENT: u64 = 0b11;
pub const LARGE: u64 = 1 << 7;
pub const ACCESSED: u64 = 1 << 5;
pub const ROOT: Pa = Pa(0x1000);
pub const OTHER_ROOT: Pa = Pa(0x2000);
const FIRST_TABLE: u64 = 0x100;

pub struct World {
    pub mock: Arc<Mock>,
    pub ground: Ground,
    pub manager: BreakpointManager,
    pub view: ViewId,
    next_table: u64,
}

fn read_entry(mock: &Mock, at: Pa) -> u64 {
    let state = mock.state();
    let page = &state.frames[&at.gfn()];
    let offset = at.page_offset() as usize;
    u64::from_le_bytes(page[offset..offset + 8].try_into().unwrap())
}

fn new_table(mock: &Mock, next: &mut u64) -> Pa {
    let table = Gfn(*next);
    *next += 1;
    mock.put(table, [0; 4096]);
    table.pa()
}

fn entry_below(mock: &Mock, next: &mut u64, root: Pa, va: Va, level: u8) -> Pa {
    let mut table = root;
    for upper in (level + 1..=4).rev() {
        let at = entry_address(table, va, upper);
        if read_entry(mock, at) & 1 == 0 {
            let fresh = new_table(mock, next);
            mock.poke(at, &(fresh.0 | PRESENT).to_le_bytes());
        }
        table = Pa(read_entry(mock, at) & !0xfff);
    }
    entry_address(table, va, level)
}

/// Sets the entry that maps the 4 KiB page of `va`; tables come from `next` on.
pub fn map_page(mock: &Mock, next: &mut u64, root: Pa, va: Va, value: u64) {
    let entry = entry_below(mock, next, root, va, 1);
    mock.poke(entry, &value.to_le_bytes());
}

/// Address of the entry of `va` at `level`, whose tables are all present.
pub fn entry_at(mock: &Mock, root: Pa, va: Va, level: u8) -> Pa {
    entry_below(mock, &mut u64::MAX.clone(), root, va, level)
}

impl World {
    pub fn new() -> Self {
        let mock = Arc::new(Mock::new());
        let view = mock.create(FULL).unwrap();
        Self::over(mock, view, Patches::new(Box::new(ShadowPages::new())))
    }

    pub fn without_views() -> Self {
        let mock = Arc::new(Mock::without_views());
        Self::over(mock, ViewId(0), Patches::new(Box::new(PlainPatches::new())))
    }

    fn over(mock: Arc<Mock>, view: ViewId, patches: Patches) -> Self {
        let machine = mock.machine();
        for root in [ROOT, OTHER_ROOT] {
            mock.put(root.gfn(), [0; 4096]);
        }
        Self {
            ground: Ground::new(machine, LongMode::new(4)),
            manager: BreakpointManager::new(patches),
            mock,
            view,
            next_table: FIRST_TABLE,
        }
    }

    pub fn entry(&self, at: Pa) -> u64 {
        read_entry(&self.mock, at)
    }

    pub fn new_table(&mut self) -> Pa {
        new_table(&self.mock, &mut self.next_table)
    }

    /// Address of the entry of `va` at `level`, with the tables above it made present.
    pub fn entry_of(&mut self, root: Pa, va: Va, level: u8) -> Pa {
        entry_below(&self.mock, &mut self.next_table, root, va, level)
    }

    pub fn set_entry(&self, at: Pa, value: u64) {
        self.mock.poke(at, &value.to_le_bytes());
    }

    /// Maps the 4 KiB page of `va` to a frame full of code.
    pub fn map(&mut self, root: Pa, va: Va, gfn: Gfn) -> Pa {
        if !self.mock.state().frames.contains_key(&gfn) {
            self.mock.put(gfn, code(gfn.0 as u8));
        }
        let entry = self.entry_of(root, va, 1);
        self.set_entry(entry, gfn.pa().0 | PRESENT);
        entry
    }

    /// Maps a page of `level` (2 or 3) that starts at `pa`.
    pub fn map_large(&mut self, root: Pa, va: Va, level: u8, pa: Pa) -> Pa {
        let inside = va.page().0 & ((1 << index_shift(level)) - 1);
        let gfn = Pa(pa.0 + inside).gfn();
        self.mock.put(gfn, code(gfn.0 as u8));
        let entry = self.entry_of(root, va, level);
        self.set_entry(entry, pa.0 | PRESENT | LARGE);
        entry
    }

    /// The guest writes an entry on processor 0; breakpoints follow.
    pub fn guest_writes(&mut self, entry: Pa, value: u64) {
        self.guest_writes_on(0, entry, value);
    }

    pub fn guest_writes_on(&mut self, vcpu: u16, entry: Pa, value: u64) {
        self.ground.mark_dirty(self.view, entry, vcpu);
        self.set_entry(entry, value);
        self.process(vcpu);
    }

    pub fn process(&mut self, vcpu: u16) {
        let mut changes = Vec::new();
        let result = self.ground.process_dirty(vcpu, &mut changes);
        for change in changes {
            self.manager.follow(&mut self.ground, &change);
        }
        result.unwrap();
    }

    pub fn breakpoint(&self, va: Va, key: u64) -> Breakpoint {
        Breakpoint {
            view: self.view,
            root: ROOT,
            va,
            key: Key(key),
            tag: key * 10,
            reach: Reach::Root,
        }
    }

    pub fn global(&self, va: Va, key: u64) -> Breakpoint {
        Breakpoint {
            reach: Reach::Global,
            ..self.breakpoint(va, key)
        }
    }

    pub fn insert(
        &mut self,
        breakpoint: &Breakpoint,
    ) -> crate::Result<crate::monitor::breakpoint::Inserted> {
        self.manager.insert(&mut self.ground, breakpoint)
    }

    pub fn remove(&mut self, breakpoint: &Breakpoint) -> crate::Result<bool> {
        self.manager.remove(&mut self.ground, breakpoint)
    }

    /// What the guest executes at `pa` in the view.
    pub fn executed(&self, pa: Pa) -> u8 {
        self.mock.seen(self.view, pa)
    }

    pub fn keys(&self, pa: Pa, root: Pa) -> Vec<u64> {
        let at = crate::monitor::Location::new(self.view, pa);
        let hits = self.manager.hits(at, root);
        hits.iter().map(|hit| hit.key.0).collect()
    }

    /// Nothing is hooked, every right is back, every frame is free, the guest runs.
    pub fn assert_restored(&mut self) {
        assert!(self.manager.is_empty());
        self.manager.free(&self.ground).unwrap();
        assert_eq!(self.mock.altered(self.view), 0, "altered pages");
        let state = self.mock.state();
        assert!(state.allocated.is_empty(), "leaked {:?}", state.allocated);
        assert_eq!(state.paused, 0, "pauses");
    }
}
