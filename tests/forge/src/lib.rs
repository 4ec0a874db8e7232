//! Builds Windows guest memory from real kernel layouts.
//!
//! The forge is the independent truth that the engine is tested against: it places kernels,
//! processes, threads, objects and handles in sparse physical memory as the kernel of a real
//! build would, remembers everything it placed in [`Expected`], and writes memory images.
//!
//! ```
//! use winvmi_forge::{Guest, Layout, Options, ProcessSpec};
//!
//! let mut guest = Guest::build(Layout::Win10_2004, &Options::default())?;
//! let process = guest.add_process(&ProcessSpec::user("mine.exe", 4));
//! let pid = guest.expected().processes.last().unwrap().pid;
//! assert_eq!(guest.peek_field(process, "_EPROCESS", "UniqueProcessId"), u64::from(pid));
//!
//! // Damage: a list that ends in the void.
//! guest.poke_field(process, "_EPROCESS", "ActiveProcessLinks.Flink", 0xdead_beef_dead_beef);
//! # let path = std::env::temp_dir().join(format!("forge-doc-{}.dmp", std::process::id()));
//! guest.write_full_dump(&path)?;
//! # std::fs::remove_file(&path)?;
//! # Ok::<(), std::io::Error>(())
//! ```

mod clock;
mod damage;
mod dump;
mod expected;
mod guest;
pub mod isf;
mod kernel;
mod layout;
mod memory;
mod object;
mod options;
mod paging;
mod population;
mod process;
mod profile;
mod record;

pub use dump::ImageFormat;
pub use dump::header::{BUG_CHECK, DumpType};
pub use dump::machine::{CoreFormat, Machine};
pub use expected::*;
pub use guest::Guest;
pub use kernel::modules::ModuleSpec;
pub use layout::{KERNEL_PDB, Layout, LayoutFacts, UnknownLayout};
pub use memory::{PAGE_SIZE, PhysicalMemory};
pub use object::file::FileSpec;
pub use object::{InfoMask, NewObject};
pub use options::Options;
pub use paging::{FRAME_MASK, Leaf, PageSize, PteFlags};
pub use process::{HandleAttributes, ProcessSpec, ThreadSpec, UserSpace};
pub use profile::{FieldRef, Profile};
pub use record::Record;
