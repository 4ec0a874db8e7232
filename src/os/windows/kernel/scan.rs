//! Searching an address space for the kernel image.

use super::{KERNEL_HALF, KernelImage};
use crate::{
    core::{Memory, PAGE_SIZE, Pa, Progress, Space, Va},
    error::{Error, Fault, Result},
};

/// No kernel image is larger, in bytes.
const IMAGE_MAX: u64 = 32 << 20;

/// Where every 64-bit Windows loads its kernel: 512 GiB, one top-level entry.
const LOADER_START: Va = Va(0xffff_f800_0000_0000);
const LOADER_END: Va = Va(0xffff_f880_0000_0000);

/// Bound of a walk through [`LOADER_START`]: pages and absent tables looked at.
const STEPS_MAX: u64 = 1 << 22;

/// Steps between two progress reports.
const REPORT_EVERY: u64 = 1 << 16;

/// The kernel image below `code`, an address inside of it such as LSTAR.
///
/// Looks at each page of the 32 MiB below; pages that do not translate are passed
/// over. Fails with [`Error::NoKernel`] when `code` is no kernel address or no
/// kernel is there.
pub fn find_below(memory: &Memory, root: Pa, code: Va) -> Result<KernelImage> {
    let space = Space::Virtual { root };
    let pages = 0..=IMAGE_MAX / PAGE_SIZE;
    pages
        .map_while(|page| code.page().0.checked_sub(page.wrapping_mul(PAGE_SIZE)))
        .take_while(|&base| base >= KERNEL_HALF)
        .find_map(|base| image_at_page(memory, space, Va(base)).ok().flatten())
        .ok_or_else(|| Error::NoKernel {
            reason: format!("there is none in the 32 MiB below {code}").into(),
        })
}

/// The kernel image that the page tables of `root` map, found without a hint.
///
/// Walks what is mapped where Windows loads its kernel, at most 16 GiB of pages.
/// Fails with [`Error::NoKernel`] when no kernel is there, with
/// [`Error::NotSupported`] for images without physical memory, and with
/// [`Error::Cancelled`].
pub fn find_in_root(memory: &Memory, root: Pa, progress: &dyn Progress) -> Result<KernelImage> {
    memory.physical()?;
    let space = Space::Virtual { root };
    let mut va = LOADER_START;
    for step in 0..STEPS_MAX {
        if va >= LOADER_END {
            break;
        }
        if step.is_multiple_of(REPORT_EVERY) {
            let done = va.0.wrapping_sub(LOADER_START.0);
            let total = LOADER_END.0.wrapping_sub(LOADER_START.0);
            progress.step("looking for the kernel", done, total)?;
        }
        va = match image_at_page(memory, space, va) {
            Ok(Some(image)) => return Ok(image),
            Ok(None) => behind(va, PAGE_SIZE),
            Err(fault) => behind(va, absent_span(&fault)),
        };
    }
    Err(Error::NoKernel {
        reason: format!("the page tables at {root} map none").into(),
    })
}

/// The kernel image that begins with the page at `base`; the fault when the page
/// cannot be read.
fn image_at_page(memory: &Memory, space: Space, base: Va) -> Result<Option<KernelImage>, Fault> {
    let mut magic = [0; 2];
    memory
        .read(space, base.0, &mut magic)
        .map_err(|partial| partial.fault)?;
    if magic != *b"MZ" {
        return Ok(None);
    }
    Ok(KernelImage::verify(memory, space, base).ok())
}

/// Bytes that are absent together: what the entry at the fault's level maps.
const fn absent_span(fault: &Fault) -> u64 {
    let levels_above_pages = fault.level.saturating_sub(1) as u32;
    PAGE_SIZE.wrapping_shl(levels_above_pages.saturating_mul(9))
}

/// First address behind the block of `span` bytes (a power of two) that holds `va`.
const fn behind(va: Va, span: u64) -> Va {
    Va((va.0 & !span.wrapping_sub(1)).saturating_add(span))
}
