//! The eight Windows kernels whose real layouts the forge builds from.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

/// Name of the kernel's program database, as its CodeView record gives it.
pub const KERNEL_PDB: &str = "ntkrnlmp.pdb";

/// A Windows kernel build whose structure and symbol table is in `tests/profiles`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Layout {
    /// Windows 7 SP1, 6.1.7601.
    Win7Sp1,
    /// Windows 8.1 and Server 2012 R2, 6.3.9600.
    Win8_1,
    /// Windows 10 1607 and Server 2016, 10.0.14393.
    Win10_1607,
    /// Windows 10 1809 and Server 2019, 10.0.17763.
    Win10_1809,
    /// Windows 10 1903, 10.0.18362.
    Win10_1903,
    /// Windows 10 2004 and 20H2, 10.0.19041.
    Win10_2004,
    /// Windows Server 2022, 10.0.20348.
    Server2022,
    /// Windows 11 21H2, 10.0.22000.
    Win11_21H2,
}

/// What a layout's build is and where the forge loads its kernel.
#[derive(Debug)]
pub struct LayoutFacts {
    /// The command-line name, such as `win10-19041`.
    pub name: &'static str,
    /// GUID of the kernel's PDB: 32 hexadecimal digits, upper case.
    pub guid: &'static str,
    /// Age of the kernel's PDB.
    pub age: u32,
    /// Major and minor version and build number.
    pub version: (u32, u32, u32),
    /// The build laboratory string at `NtBuildLab` (`NtBuildLabEx` is made from it).
    pub build_lab: &'static str,
    /// Service pack, as the high byte of `CmNtCSDVersion`.
    pub service_pack: u8,
    /// Virtual address of the kernel image.
    pub kernel_base: u64,
    /// Physical address of the System process's page-map level 4.
    pub system_root: u64,
    /// Index of the page-table self-map entry in every page-map level 4.
    pub self_map_index: usize,
    /// Size of the debugger data block in bytes.
    pub debugger_data_size: u32,
    /// Start of the virtual range from which kernel pool is given out.
    pub pool_base: u64,
    /// Virtual address of the PFN database.
    pub pfn_database: u64,
}

impl Layout {
    /// All layouts, oldest first.
    pub const ALL: [Layout; 8] = [
        Layout::Win7Sp1,
        Layout::Win8_1,
        Layout::Win10_1607,
        Layout::Win10_1809,
        Layout::Win10_1903,
        Layout::Win10_2004,
        Layout::Server2022,
        Layout::Win11_21H2,
    ];

    /// The layout's fixed facts.
    pub fn facts(self) -> &'static LayoutFacts {
        match self {
            Layout::Win7Sp1 => &WIN7_SP1,
            Layout::Win8_1 => &WIN8_1,
            Layout::Win10_1607 => &WIN10_1607,
            Layout::Win10_1809 => &WIN10_1809,
            Layout::Win10_1903 => &WIN10_1903,
            Layout::Win10_2004 => &WIN10_2004,
            Layout::Server2022 => &SERVER_2022,
            Layout::Win11_21H2 => &WIN11_21H2,
        }
    }

    /// The command-line name, such as `win10-19041`.
    pub fn name(self) -> &'static str {
        self.facts().name
    }

    /// The build number, such as 19041.
    pub fn build(self) -> u32 {
        self.facts().version.2
    }

    /// The folder of symbol tables, to be used as a symbol directory.
    pub fn symbol_directory() -> PathBuf {
        PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../profiles")
    }

    /// The layout's reduced ISF table.
    pub fn table_path(self) -> PathBuf {
        let LayoutFacts { guid, age, .. } = self.facts();
        Self::symbol_directory().join(format!("windows/{KERNEL_PDB}/{guid}-{age}.json.xz"))
    }
}

impl fmt::Display for Layout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The error of parsing a layout name that does not exist.
#[derive(Debug)]
pub struct UnknownLayout(String);

impl fmt::Display for UnknownLayout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = Layout::ALL.iter().map(|layout| layout.name()).collect();
        write!(
            f,
            "unknown layout '{}' (one of {})",
            self.0,
            names.join(", ")
        )
    }
}

impl std::error::Error for UnknownLayout {}

impl FromStr for Layout {
    type Err = UnknownLayout;

    fn from_str(name: &str) -> Result<Self, UnknownLayout> {
        Layout::ALL
            .into_iter()
            .find(|layout| layout.name() == name)
            .ok_or_else(|| UnknownLayout(name.to_owned()))
    }
}

const WIN7_SP1: LayoutFacts = LayoutFacts {
    name: "win7-7601",
    guid: "339E74133576439CBCDF7E0229DA3773",
    age: 1,
    version: (6, 1, 7601),
    build_lab: "7601.win7sp1_ldr_escrow.190828-17",
    service_pack: 1,
    kernel_base: 0xffff_f800_02a4_b000,
    system_root: 0x18_7000,
    self_map_index: 0x1ed,
    debugger_data_size: 0x340,
    pool_base: 0xffff_fa80_0c00_0000,
    pfn_database: 0xffff_fa80_0000_0000,
};

const WIN8_1: LayoutFacts = LayoutFacts {
    name: "win8.1-9600",
    guid: "C8539FFDFDA646A794016F13DD5EC941",
    age: 1,
    version: (6, 3, 9600),
    build_lab: "9600.winblue_ltsb_escrow.220315-1",
    service_pack: 0,
    kernel_base: 0xffff_f803_1a08_7000,
    system_root: 0x1a_7000,
    self_map_index: 0x1ed,
    debugger_data_size: 0x360,
    pool_base: 0xffff_e000_1c00_0000,
    pfn_database: 0xffff_fa80_0000_0000,
};

const WIN10_1607: LayoutFacts = LayoutFacts {
    name: "win10-14393",
    guid: "E68EBE9258E74638B1E2C94F4EEA6B04",
    age: 1,
    version: (10, 0, 14393),
    build_lab: "14393.rs1_release.220803-1617",
    service_pack: 0,
    kernel_base: 0xffff_f801_9d20_9000,
    system_root: 0x1a_a000,
    self_map_index: 0x12b,
    debugger_data_size: 0x370,
    pool_base: 0xffff_c48a_3400_0000,
    pfn_database: 0xffff_e300_0000_0000,
};

const WIN10_1809: LayoutFacts = LayoutFacts {
    name: "win10-17763",
    guid: "E9B0162BD22022D8A437F9FBC73E9459",
    age: 1,
    version: (10, 0, 17763),
    build_lab: "17763.rs5_release.180914-1434",
    service_pack: 0,
    kernel_base: 0xffff_f800_7bc0_2000,
    system_root: 0x1a_b000,
    self_map_index: 0x1b7,
    debugger_data_size: 0x380,
    pool_base: 0xffff_9d0f_5200_0000,
    pfn_database: 0xffff_b780_0000_0000,
};

const WIN10_1903: LayoutFacts = LayoutFacts {
    name: "win10-18362",
    guid: "90F5E1C8BBE1FE1FB8A714305EE06F36",
    age: 1,
    version: (10, 0, 18362),
    build_lab: "18362.19h1_release.190318-1202",
    service_pack: 0,
    kernel_base: 0xffff_f804_3d60_0000,
    system_root: 0x1a_a000,
    self_map_index: 0x17d,
    debugger_data_size: 0x380,
    pool_base: 0xffff_d38e_0a00_0000,
    pfn_database: 0xffff_8d00_0000_0000,
};

const WIN10_2004: LayoutFacts = LayoutFacts {
    name: "win10-19041",
    guid: "5278AFF86C341677D7D7835C85B7B844",
    age: 1,
    version: (10, 0, 19041),
    build_lab: "19041.vb_release.191206-1406",
    service_pack: 0,
    kernel_base: 0xffff_f804_7ba0_0000,
    system_root: 0x1a_d000,
    self_map_index: 0x1db,
    debugger_data_size: 0x380,
    pool_base: 0xffff_8504_2800_0000,
    pfn_database: 0xffff_a880_0000_0000,
};

const SERVER_2022: LayoutFacts = LayoutFacts {
    name: "win2022-20348",
    guid: "62EE22A5A171B889C5B859E3F87F7074",
    age: 1,
    version: (10, 0, 20348),
    build_lab: "20348.fe_release.210507-1500",
    service_pack: 0,
    kernel_base: 0xffff_f800_2f40_0000,
    system_root: 0x1a_e000,
    self_map_index: 0x11f,
    debugger_data_size: 0x380,
    pool_base: 0xffff_b70c_6600_0000,
    pfn_database: 0xffff_dc80_0000_0000,
};

const WIN11_21H2: LayoutFacts = LayoutFacts {
    name: "win11-22000",
    guid: "9AA3518467E0D28B53CB63E0A57118DE",
    age: 1,
    version: (10, 0, 22000),
    build_lab: "22000.co_release.210604-1628",
    service_pack: 0,
    kernel_base: 0xffff_f806_4e40_0000,
    system_root: 0x1a_e000,
    self_map_index: 0x16a,
    debugger_data_size: 0x380,
    pool_base: 0xffff_9a02_7e00_0000,
    pfn_database: 0xffff_c900_0000_0000,
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_parse_back() {
        for layout in Layout::ALL {
            assert_eq!(layout.name().parse::<Layout>().unwrap(), layout);
        }
        assert!("win95".parse::<Layout>().is_err());
    }

    #[test]
    fn every_table_is_there() {
        for layout in Layout::ALL {
            assert!(layout.table_path().is_file(), "{layout}");
        }
    }
}
