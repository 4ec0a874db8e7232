//! What was placed in user mode.

use serde::{Deserialize, Serialize};

use super::Expected;
use crate::user::wide::Width;

/// A thread environment block.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ExpectedTeb {
    /// Whose code it is for.
    pub width: Width,
    /// Its address.
    pub address: u64,
    /// Address of the PEB.
    pub peb: u64,
    /// `LastErrorValue`.
    pub last_error: u32,
    /// `LastStatusValue`.
    pub last_status: u32,
    /// First address behind the stack.
    pub stack_base: u64,
    /// Lowest address of the stack.
    pub stack_limit: u64,
    /// TLS slots in use and their values.
    pub tls_slots: Vec<(usize, u64)>,
}

/// What a process was started with.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ExpectedParameters {
    /// The process.
    pub process: u64,
    /// Whose code the record is for.
    pub width: Width,
    /// Address of the record.
    pub address: u64,
    /// Address of the environment.
    pub environment_address: u64,
    /// Its size in bytes.
    pub environment_size: u64,
    /// `ImagePathName`.
    pub image_path: String,
    /// `CommandLine`.
    pub command_line: String,
    /// `CurrentDirectory.DosPath`.
    pub current_directory: String,
    /// `DllPath`.
    pub dll_path: String,
    /// `WindowTitle`.
    pub window_title: String,
    /// `DesktopInfo`.
    pub desktop: String,
    /// Names and values of the environment.
    pub environment: Vec<(String, String)>,
}

/// A module of user mode.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ExpectedUserModule {
    /// The process.
    pub process: u64,
    /// Whose code it is.
    pub width: Width,
    /// Whose loader lists it.
    pub listed_by: Option<Width>,
    /// Address of the loader's entry, or 0.
    pub entry: u64,
    /// Address of the image.
    pub base: u64,
    /// Size of the image in bytes.
    pub size: u32,
    /// Entry point.
    pub entry_point: u64,
    /// Link time of the image (Unix time).
    pub time_stamp: u32,
    /// File name.
    pub name: String,
    /// Path in the loader's words.
    pub path: String,
    /// Path in the kernel's words.
    pub mapped_path: Option<String>,
    /// Whether it is on the lists in load, memory and initialization order.
    pub lists: [bool; 3],
    /// Pages that are not in memory, by their number in the image.
    pub missing: Vec<u32>,
}

/// A region of a user space.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ExpectedRegion {
    /// The process.
    pub process: u64,
    /// Address of the descriptor.
    pub vad: u64,
    /// First address.
    pub start: u64,
    /// First address after it.
    pub end: u64,
    /// `Protection`, all five bits.
    pub protection: u8,
    /// `PrivateMemory`.
    pub is_private: bool,
    /// Whether an image is mapped.
    pub is_image: bool,
    /// `MemCommit`.
    pub committed: bool,
    /// Pages charged.
    pub commit_charge: u64,
    /// Address of the `_CONTROL_AREA`.
    pub control_area: Option<u64>,
    /// Path of the mapped file in the kernel's words.
    pub path: Option<String>,
}

impl Expected {
    /// The regions of a process in order of address.
    pub fn regions_of(&self, process: u64) -> Vec<&ExpectedRegion> {
        let regions = self.regions.iter();
        let mut regions: Vec<_> = regions.filter(|it| it.process == process).collect();
        regions.sort_by_key(|region| region.start);
        regions
    }

    /// The modules of a process in the order of loading.
    pub fn modules_of(&self, process: u64) -> impl Iterator<Item = &ExpectedUserModule> {
        let modules = self.user_modules.iter();
        modules.filter(move |module| module.process == process)
    }
}
