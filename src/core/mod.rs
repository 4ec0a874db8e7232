//! Addresses, driver traits, translation and memory reads.
//!
//! The core knows no file format, no processor and no operating system: drivers
//! deliver frames, a [`Translate`] turns virtual into physical addresses, and
//! [`Memory`] joins them behind bounded, tolerant reads.

mod address;
mod backing;
pub mod bytes;
pub mod driver;
mod lease;
mod mapping;
mod memory;
mod pagefile;
mod progress;
mod ranges;
mod registers;
mod scatter;
mod sparse;
mod string;
mod tlb;
mod translate;

// The concurrency tests put a model checker's atomics in its place.
use std::sync::atomic as atomics;

pub(crate) use self::tlb::Tlb;
pub use self::{
    address::{Gfn, PAGE_SIZE, Pa, Va},
    driver::{Capabilities, Driver},
    mapping::{Mapping, Segment as MappingSegment},
    memory::{Memory, Partial, Space},
    pagefile::{Pagefile, Pagefiles},
    progress::Progress,
    ranges::{Range, Ranges},
    registers::{DescriptorTable, Registers, Segment},
    scatter::{Anticipated, SharedFrame},
    sparse::{PageState, pages_touched},
    string::{STRING_MAX, decode_utf16},
    tlb::{DEFAULT_TRANSLATION_SLOTS, PageMapping},
    translate::{EntryMeaning, Protection, SoftwarePte, Source, Translate, Translation},
};
