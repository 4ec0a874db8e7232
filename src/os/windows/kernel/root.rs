//! Finding page tables in physical memory, for images that carry no registers.
//!
//! Two traces are followed. The boot processor leaves the block with which it
//! starts the others in the first MiB: a jump, the entry point in the kernel and
//! the root to load, which is that of the System process. Failing that, each
//! top-level table is recognised by the entry with which Windows maps the page
//! tables into themselves. A root is believed when the shared user data and the
//! kernel are found through it.

use super::{FoundKernel, KERNEL_HALF, KernelImage, find_below, find_in_root};
use crate::{
    core::{
        Gfn, Memory, PAGE_SIZE, Pa, Progress, Space, Va,
        bytes::{u16_at, u32_at, u64_at},
    },
    error::{Error, Result},
};

/// The start block lies in the first MiB, which real mode reaches.
const LOW_FRAMES: u64 = 256;
/// `_PROCESSOR_START_BLOCK.LmTarget`: where long mode goes on.
const LM_TARGET: usize = 0x70;
/// `_PROCESSOR_START_BLOCK.ProcessorState.SpecialRegisters.Cr3`.
const CR3: usize = 0xa0;
const START_BLOCK_SIZE: usize = 0xa8;
/// `jmp rel16`, as real mode decodes it.
const JUMP: u8 = 0xe9;

/// Bytes of a top-level table that map one half of the address space.
const HALF: usize = 2048;
const PRESENT: u64 = 1;
const LARGE: u64 = 1 << 7;
const FRAME: u64 = 0x000f_ffff_ffff_f000;

/// Page of `_KUSER_SHARED_DATA` in the kernel half.
const SHARED_DATA: u64 = 0xffff_f780_0000_0000;
/// `_KUSER_SHARED_DATA.NtMajorVersion`; the minor version follows.
const NT_MAJOR_VERSION: u64 = 0x26c;

/// The System process maps little more than `ntdll` and the shared data for user
/// mode: at most this many top-level entries.
const SYSTEM_USER_ENTRIES: usize = 2;
/// The start block is 32-bit code: it can only load a root below 4 GiB.
const SYSTEM_ROOT_END: u64 = 1 << 32;
/// Address spaces that are searched for a kernel before the scan gives up.
const SEARCHES_MAX: u32 = 16;
/// Frames between two progress reports.
const REPORT_EVERY: u64 = 1 << 14;

/// Finds page tables of Windows and the kernel that they map.
///
/// Prefers the System process's root; any other root that maps the kernel is
/// taken when that one cannot be told. Fails with [`Error::NoKernel`] when
/// nothing is found, with [`Error::NotSupported`] for images without physical
/// memory, and with [`Error::Cancelled`].
pub fn find_root(memory: &Memory, progress: &dyn Progress) -> Result<FoundKernel> {
    memory.physical()?;
    match from_start_block(memory, progress)? {
        Some(found) => Ok(found),
        None => SelfMapScan::new(memory, progress).run(),
    }
}

/// Follows the processor start block.
fn from_start_block(memory: &Memory, progress: &dyn Progress) -> Result<Option<FoundKernel>> {
    for frame in 0..LOW_FRAMES {
        let mut block = [0; START_BLOCK_SIZE];
        if memory
            .read(Space::Physical, Gfn(frame).pa().0, &mut block)
            .is_err()
        {
            continue;
        }
        let Some((root, target)) = start_block(&block) else {
            continue;
        };
        if let Some(image) = kernel_through(memory, root, Some(target), progress)? {
            return Ok(Some(FoundKernel { root, image }));
        }
    }
    Ok(None)
}

/// Root and entry point of a start block, `None` when it is none.
fn start_block(block: &[u8]) -> Option<(Pa, Va)> {
    let displacement = u16_at(block, 1)?;
    let target = u64_at(block, LM_TARGET)?;
    let root = u64_at(block, CR3)?;
    let sound = block.first() == Some(&JUMP)
        && u64::from(displacement) < PAGE_SIZE
        && target >= KERNEL_HALF
        && root != 0
        && root & !FRAME == 0;
    sound.then_some((Pa(root), Va(target)))
}

/// The kernel that `root` maps, if the root is one of Windows.
///
/// Only a request to end is an error.
fn kernel_through(
    memory: &Memory,
    root: Pa,
    entry: Option<Va>,
    progress: &dyn Progress,
) -> Result<Option<KernelImage>> {
    if !maps_shared_data(memory, root) {
        return Ok(None);
    }
    let near = entry.and_then(|entry| find_below(memory, root, entry).ok());
    if near.is_some() {
        return Ok(near);
    }
    match find_in_root(memory, root, progress) {
        Err(Error::Cancelled) => Err(Error::Cancelled),
        image => Ok(image.ok()),
    }
}

/// Does `root` map shared user data of a Windows version that has 64-bit kernels?
fn maps_shared_data(memory: &Memory, root: Pa) -> bool {
    let mut version = [0; 8];
    let read = memory.read(
        Space::Virtual { root },
        SHARED_DATA.wrapping_add(NT_MAJOR_VERSION),
        &mut version,
    );
    let numbers = (u32_at(&version, 0), u32_at(&version, 4));
    read.is_ok() && matches!(numbers, (Some(6..=10), Some(0..=3)))
}

/// The search for top-level tables that map themselves.
struct SelfMapScan<'a> {
    memory: &'a Memory,
    progress: &'a dyn Progress,
    best: Option<Candidate>,
    searches: u32,
    scanned: u64,
}

/// A root that maps the kernel.
struct Candidate {
    found: FoundKernel,
    /// Present entries of the user half.
    user_entries: usize,
}

impl<'a> SelfMapScan<'a> {
    fn new(memory: &'a Memory, progress: &'a dyn Progress) -> Self {
        Self {
            memory,
            progress,
            best: None,
            searches: 0,
            scanned: 0,
        }
    }

    fn run(mut self) -> Result<FoundKernel> {
        let physical = self.memory.physical()?;
        let mut from = Gfn(0);
        while let Some(run) = physical.next_run(from) {
            let start = Pa(run.start).gfn().0;
            let end = start.saturating_add(run.length / PAGE_SIZE);
            for frame in start..end {
                if self.is_done(Gfn(frame)) {
                    return self.finish();
                }
                self.visit(Gfn(frame))?;
            }
            // A run that does not lead on would be visited for ever.
            from = Gfn(end.max(from.0.saturating_add(1)));
        }
        self.finish()
    }

    /// Nothing better can come, or too much was tried.
    fn is_done(&self, next: Gfn) -> bool {
        match &self.best {
            Some(best) => {
                best.user_entries <= SYSTEM_USER_ENTRIES || next.pa().0 >= SYSTEM_ROOT_END
            }
            None => self.searches >= SEARCHES_MAX,
        }
    }

    fn finish(self) -> Result<FoundKernel> {
        self.best
            .map(|best| best.found)
            .ok_or_else(|| Error::NoKernel {
                reason: "no page tables in physical memory map one".into(),
            })
    }

    fn visit(&mut self, frame: Gfn) -> Result<()> {
        if self.scanned.is_multiple_of(REPORT_EVERY) {
            let done = self.scanned.saturating_mul(PAGE_SIZE);
            let total = self.memory.driver().info().memory_size;
            self.progress.step("looking for page tables", done, total)?;
        }
        self.scanned = self.scanned.saturating_add(1);
        let root = frame.pa();
        let mut upper = [0; HALF];
        let address = root.wrapping_add(HALF as u64).0;
        let readable = self.memory.read(Space::Physical, address, &mut upper);
        if readable.is_ok() && maps_itself(&upper, root) {
            self.consider(root)?;
        }
        Ok(())
    }

    /// Keeps `root` when it maps the kernel and has the smallest user half so far.
    fn consider(&mut self, root: Pa) -> Result<()> {
        let image = match &self.best {
            Some(best) => self.shares_kernel(root, &best.found),
            None => {
                let searched = maps_shared_data(self.memory, root);
                self.searches = self.searches.saturating_add(searched.into());
                kernel_through(self.memory, root, None, self.progress)?
            }
        };
        let user_entries = self.user_entries(root);
        let smaller = |best: &Candidate| user_entries < best.user_entries;
        if let Some(image) = image
            && self.best.as_ref().is_none_or(smaller)
        {
            let found = FoundKernel { root, image };
            self.best = Some(Candidate {
                found,
                user_entries,
            });
        }
        Ok(())
    }

    /// The known kernel, when `root` maps it to the same frame.
    fn shares_kernel(&self, root: Pa, known: &FoundKernel) -> Option<KernelImage> {
        let frame = |root| {
            let translation = self.memory.translate(root, known.image.base);
            translation.ok().map(|it| it.pa)
        };
        let same = frame(root)? == frame(known.root)?;
        same.then(|| known.image.clone())
    }

    /// Present entries of the user half of the page-map level 4. A fifth level
    /// above it has but one for everything that processes have.
    fn user_entries(&self, root: Pa) -> usize {
        let Some(lower) = self.lower_half(root) else {
            return usize::MAX;
        };
        let first = entries(&lower).next().filter(|entry| entry & PRESENT != 0);
        let below = match self.memory.translator().map(|mode| mode.levels()) {
            Some(5) => first.map(|entry| self.lower_half(Pa(entry & FRAME))),
            _ => Some(Some(lower)),
        };
        match below {
            Some(Some(half)) => entries(&half).filter(|entry| entry & PRESENT != 0).count(),
            Some(None) => usize::MAX,
            None => 0,
        }
    }

    fn lower_half(&self, root: Pa) -> Option<[u8; HALF]> {
        let mut lower = [0; HALF];
        let read = self.memory.read(Space::Physical, root.0, &mut lower);
        read.is_ok().then_some(lower)
    }
}

/// Does an entry of the upper half of a top-level table name the table itself?
fn maps_itself(upper: &[u8; HALF], root: Pa) -> bool {
    let wanted = root.0 | PRESENT;
    entries(upper).any(|entry| entry & (FRAME | PRESENT | LARGE) == wanted)
}

fn entries(half: &[u8; HALF]) -> impl Iterator<Item = u64> {
    half.as_chunks::<8>()
        .0
        .iter()
        .map(|&entry| u64::from_le_bytes(entry))
}
