//! The lab's guest as its counters tell it (`tests/lab/guest/vars.h`).

use std::{thread::sleep, time::Duration};

use winvmi::core::{Driver, Gfn, Pa, Va};

/// What processor 0 does once per round (`MODE_...` in `vars.h`).
pub mod mode {
    pub const CR3: u64 = 1 << 0;
    pub const MSR: u64 = 1 << 2;
    pub const CPUID: u64 = 1 << 3;
    pub const INT3: u64 = 1 << 4;
    pub const LAZY: u64 = 1 << 5;
    pub const VMCALL: u64 = 1 << 6;
    pub const OUT: u64 = 1 << 7;
    pub const ICEBP: u64 = 1 << 9;
    pub const INTEGRITY: u64 = 1 << 10;
}

/// Counters, by their offset in the guest's page of variables.
#[derive(Clone, Copy)]
#[repr(u64)]
pub enum Var {
    Calls = 0,
    Rounds = 8,
    Bad = 16,
    Mode = 24,
    Breakpoints = 32,
    Faults = 48,
    FaultAddress = 56,
    FaultError = 64,
    FaultRip = 72,
    LazyReads = 88,
    Debugs = 104,
    Cr3Writes = 120,
    MsrWrites = 136,
    CpuIds = 144,
    VmCalls = 160,
    Outs = 168,
    Calls1 = 192,
    Rounds1 = 200,
    /// Unused by the guest.
    Scratch = 2048,
}

/// Distance of the guest's virtual from its physical addresses.
const HIGH: u64 = 0xffff_ffff_8000_0000;

/// Virtual address of the page whose PTE comes and goes.
pub const LAZY: Va = Va(0xc80_0000);

/// Where things lie, as the guest's symbol table tells.
#[derive(Clone, Copy)]
pub struct Places {
    /// The hot function, alone on its page.
    pub hot: Pa,
    pub vars: Pa,
    pub lazy_table: Pa,
}

impl Places {
    pub fn hot_gfn(&self) -> Gfn {
        self.hot.gfn()
    }

    pub fn hot_va(&self) -> Va {
        Va(self.hot.0 + HIGH)
    }
}

/// The guest, read and written through the driver under test.
#[derive(Clone, Copy)]
pub struct Guest<'a> {
    pub driver: &'a dyn Driver,
    pub places: Places,
}

impl Guest<'_> {
    pub fn read(&self, pa: Pa, buffer: &mut [u8]) {
        let memory = self.driver.physical().expect("memory");
        memory.read(pa, buffer).expect("guest memory");
    }

    pub fn write(&self, pa: Pa, bytes: &[u8]) {
        let memory = self.driver.physical().expect("memory");
        memory.write(pa, bytes).expect("guest memory");
    }

    pub fn get(&self, var: Var) -> u64 {
        let mut value = [0; 8];
        self.read(self.places.vars.wrapping_add(var as u64), &mut value);
        u64::from_le_bytes(value)
    }

    pub fn set(&self, var: Var, value: u64) {
        self.write(
            self.places.vars.wrapping_add(var as u64),
            &value.to_le_bytes(),
        );
    }

    pub fn code_page(&self) -> [u8; 4096] {
        let mut page = [0; 4096];
        self.read(self.places.hot.page(), &mut page);
        page
    }

    /// Takes the lazy page away; the next access to it faults.
    pub fn unmap_lazy(&self) {
        let entry = self
            .places
            .lazy_table
            .wrapping_add((LAZY.0 >> 12 & 511) * 8);
        self.write(entry, &0_u64.to_le_bytes());
    }

    /// Do both processors make progress?
    pub fn runs(&self) -> bool {
        let before = (self.get(Var::Rounds), self.get(Var::Rounds1));
        (0..300).any(|_| {
            sleep(Duration::from_millis(10));
            self.get(Var::Rounds) > before.0 + 3 && self.get(Var::Rounds1) > before.1 + 3
        })
    }
}
