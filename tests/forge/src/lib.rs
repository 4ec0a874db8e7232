//! Builds Windows guest memory from real kernel layouts.
//!
//! The forge is the independent truth that the engine is tested against: it places kernels,
//! processes, threads, objects and handles in sparse physical memory as the kernel of a real
//! build would, remembers everything it placed in [`Expected`], and writes memory images. What
//! the layouts' tables have is never written down here: structures are filled in by the names of
//! their members ([`Record`]), so one description serves all eight builds.
//!
//! A guest is consistent after every call; it can be enlarged, damaged and written at any time,
//! and cloned before it is damaged.
//!
//! ```
//! use winvmi_forge::{DumpType, Guest, HandleAttributes, ImageFormat, Layout, Options, ProcessSpec, ThreadSpec};
//!
//! // The standard population, and a process of one's own.
//! let mut guest = Guest::build(Layout::Win10_2004, &Options::default())?;
//! let process = guest.add_process(&ProcessSpec::user("mine.exe", 4));
//! guest.add_thread(process, &ThreadSpec::default());
//! let event = guest.create_named("Event", "\\BaseNamedObjects\\Mine", guest.body_size("Event"));
//! let handle = guest.open_handle(process, event, 0x1f_0003, HandleAttributes::INHERIT);
//!
//! // The answers.
//! let pid = guest.expected().processes.last().unwrap().pid;
//! assert_eq!(guest.expected().handles_of(pid)[0].handle, handle);
//!
//! // Damage: a list that ends in the void, and a page that is gone.
//! guest.poke_field(process, "_EPROCESS", "ActiveProcessLinks.Flink", 0xdead_beef_dead_beef);
//! guest.unmap_user(process, guest.expected().processes.last().unwrap().peb);
//!
//! let dump = guest.image_bytes(ImageFormat::Dump(DumpType::BitmapKernel));
//! assert_eq!(&dump[..8], b"PAGEDU64");
//! # Ok::<(), std::io::Error>(())
//! ```
//!
//! | module | what it builds |
//! |---|---|
//! | `kernel` | the image with its headers, globals, processors, modules, debugger data |
//! | `object` | headers, types, the namespace, files, keys, tokens |
//! | `process` | processes, threads, handle tables, user spaces, non-present pages |
//! | `population` | the standard guest of [`Guest::build`] |
//! | `dump` | raw images and crash dumps |
//! | `damage` | changes after the fact |
//! | [`running`] | a guest whose code runs, as a kernel for Xen and QEMU |

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
pub mod running;
mod user;

pub use dump::ImageFormat;
pub use dump::header::{BUG_CHECK, DumpType};
pub use dump::machine::{CoreFormat, Machine};
pub use expected::*;
pub use guest::Guest;
pub use kernel::modules::ModuleSpec;
pub use layout::{KERNEL_PDB, Layout, LayoutFacts, UnknownLayout};
pub use memory::{PAGE_SIZE, PhysicalMemory};
pub use object::file::FileSpec;
pub use object::token::TokenSpec;
pub use object::{InfoMask, NewObject, Reset};
pub use options::Options;
pub use paging::{FRAME_MASK, Leaf, PageSize, PteFlags};
pub use process::job::JobSpec;
pub use process::vad::{Backing, RegionSpec};
pub use process::{HandleAttributes, ProcessSpec, ThreadSpec, UserSpace};
pub use profile::{FieldRef, Profile};
pub use record::Record;
pub use user::section::Section;
pub use user::wide::Width;
pub use user::{DllSpec, ParametersSpec, SystemDll};
