//! What the kernel says about itself.

use isr::macros::Field;

use super::Windows;
use crate::{core::Va, error::Result};

/// Longest build string that is read, in bytes.
const BUILD_LAB_MAX: usize = 256;

/// Facts about a Windows kernel; each is `None` when it cannot be read.
#[derive(Debug, Clone, Default)]
pub struct KernelFacts {
    /// Build number. Corresponds to the low bits of `NtBuildNumber`.
    pub build: Option<u32>,
    /// Build string (`"19041.1.amd64fre.vb_release.191206-1406"`).
    /// Corresponds to `NtBuildLabEx`.
    pub build_lab: Option<String>,
    /// Number of processors. Corresponds to `KeNumberProcessors`.
    pub processors: Option<u32>,
    /// Whether user mode runs on its own page tables. Corresponds to `KiKvaShadow`.
    pub kva_shadow: Option<bool>,
    /// Highest address of user mode. Corresponds to `MmHighestUserAddress`.
    pub highest_user_address: Option<Va>,
}

impl Windows {
    /// What the kernel says about itself.
    pub fn facts(&self) -> KernelFacts {
        let variables = &self.variables;
        let number = |rva: Option<u64>, size| self.number(rva, size);
        KernelFacts {
            build: number(variables.NtBuildNumber, 4).map(|build| (build & 0xffff) as u32),
            build_lab: self.build_lab(),
            processors: number(variables.KeNumberProcessors, 4).map(|count| count as u32),
            kva_shadow: number(variables.KiKvaShadow, 1).map(|flag| flag != 0),
            highest_user_address: number(variables.MmHighestUserAddress, 8).map(Va),
        }
    }

    fn number(&self, rva: Option<u64>, size: u64) -> Option<u64> {
        let record = self.record(self.variable(rva?));
        record.uint(Field::new(0, size)).ok()
    }

    fn build_lab(&self) -> Option<String> {
        let address = self.variable(self.variables.NtBuildLabEx?);
        let bytes = self
            .memory
            .read_c_string(self.space(), address.0, BUILD_LAB_MAX);
        Some(String::from_utf8_lossy(&bytes.ok()?).into_owned())
    }

    /// Number of processors, at least 1, at most what Windows supports.
    pub fn processor_count(&self) -> Result<u16> {
        const MOST: u32 = 2048;
        let count = self.facts().processors.unwrap_or(1);
        Ok(count.clamp(1, MOST) as u16)
    }
}
