//! Finding the kernel.
//!
//! A base address is believed when a PE image with a kernel's CodeView record is
//! there; nothing is computed from registers alone, since KVA shadow moves the
//! system-call entry and rootkits move whatever they like. [`locate`] takes what
//! a back end knows, from the best clue to none at all.

mod fit;
mod root;
mod scan;

pub use self::{
    root::find_root,
    scan::{find_below, find_in_root},
};
use crate::{
    core::{Memory, Pa, Progress, Space, Va},
    error::{Error, Result},
    pe::{CodeView, Mapped, Pe},
    symbols::PdbId,
};

/// `IMAGE_FILE_MACHINE_AMD64`.
const MACHINE_AMD64: u16 = 0x8664;

/// Lowest address of the kernel half, with four levels of page tables or five.
const KERNEL_HALF: u64 = 0xff00_0000_0000_0000;

/// A kernel image in guest memory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KernelImage {
    /// Address of its first byte.
    pub base: Va,
    /// Size in bytes.
    pub size: u32,
    /// Link time; with the size it names the image in a symbol store.
    pub time_date_stamp: u32,
    /// Major and minor version of Windows, as the linker stored them.
    pub os_version: (u16, u16),
    /// Identity of its PDB; `None` when the image's debug data is not in memory.
    pub pdb: Option<PdbId>,
}

impl KernelImage {
    /// The kernel at `base`, proven by its CodeView record.
    ///
    /// Fails with [`Error::NoKernel`] when another image or none is there, and
    /// with the fault where it cannot be read.
    pub fn verify(memory: &Memory, space: Space, base: Va) -> Result<Self> {
        let pe = image_at(memory, space, base)?;
        Self::new(base, &pe, pe.codeview()?)
            .filter(|image| image.pdb.is_some())
            .ok_or_else(|| not_a_kernel(base))
    }

    /// The kernel that trusted data places at `base`, whose debug data may be
    /// missing from the image (triage dumps keep the header page only).
    ///
    /// Fails as [`KernelImage::verify`] does.
    pub fn from_hint(memory: &Memory, space: Space, base: Va) -> Result<Self> {
        let pe = image_at(memory, space, base)?;
        let codeview = match pe.codeview() {
            Err(error) if error.fault().is_some() => None,
            codeview => codeview?,
        };
        Self::new(base, &pe, codeview).ok_or_else(|| not_a_kernel(base))
    }

    /// `None` when the image is of another module or processor.
    fn new(base: Va, pe: &Pe<Mapped<'_>>, codeview: Option<CodeView>) -> Option<Self> {
        let headers = pe.headers();
        let pdb = codeview.map(|record| PdbId::new(&record.pdb, record.guid, record.age));
        let of_kernel = pdb.as_ref().is_none_or(names_kernel);
        (headers.machine == MACHINE_AMD64 && of_kernel).then_some(Self {
            base,
            size: headers.size_of_image,
            time_date_stamp: headers.time_date_stamp,
            os_version: headers.os_version,
            pdb,
        })
    }
}

fn image_at(memory: &Memory, space: Space, base: Va) -> Result<Pe<Mapped<'_>>> {
    match Pe::parse(Mapped::new(memory, space, base)) {
        Err(Error::Corrupt { .. }) => Err(not_a_kernel(base)),
        pe => pe,
    }
}

fn not_a_kernel(base: Va) -> Error {
    Error::NoKernel {
        reason: format!("the image at {base} is not an x64 kernel").into(),
    }
}

/// Names that the PDB of an x64 kernel has had, the usual one first.
pub const PDB_NAMES: [&str; 4] = [
    "ntkrnlmp.pdb",
    "ntoskrnl.pdb",
    "ntkrpamp.pdb",
    "ntkrla57.pdb",
];

/// `ntkrnlmp.pdb`, `ntkrpamp.pdb`, `ntkrla57.pdb`, `ntoskrnl.pdb`; but not `ntfs.pdb`.
fn names_kernel(pdb: &PdbId) -> bool {
    let name = pdb.name.to_ascii_lowercase();
    ["ntkr", "ntoskrnl"]
        .iter()
        .any(|start| name.starts_with(start))
}

/// A kernel and page tables that map it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundKernel {
    /// Page-table root, of the System process where it could be told.
    pub root: Pa,
    /// The image.
    pub image: KernelImage,
}

/// What may lead to the kernel; none of it is believed without proof.
#[derive(Debug, Clone, Default)]
pub struct Clues {
    /// Page-table roots, the best first: from a dump's header, then of the processors.
    pub roots: Vec<Pa>,
    /// Base of the kernel image, from a dump's header.
    pub base: Option<Va>,
    /// Address of the system-call entry (`IA32_LSTAR`), 0 when unknown.
    pub lstar: u64,
}

/// Finds the kernel by the clues, and by scanning physical memory when they fail.
///
/// Fails with [`Error::NoKernel`] when there is none, and with
/// [`Error::Cancelled`] when `progress` says so.
pub fn locate(memory: &Memory, clues: &Clues, progress: &dyn Progress) -> Result<FoundKernel> {
    for &root in &clues.roots {
        if let Some(image) = from_clues(memory, root, clues) {
            return Ok(FoundKernel { root, image });
        }
    }
    if memory.physical().is_err() {
        return Err(Error::NoKernel {
            reason: "its headers are not in the image, which has no page tables".into(),
        });
    }
    for &root in &clues.roots {
        match find_in_root(memory, root, progress) {
            Ok(image) => return Ok(FoundKernel { root, image }),
            Err(Error::Cancelled) => return Err(Error::Cancelled),
            Err(_) => {}
        }
    }
    find_root(memory, progress)
}

/// The kernel where the base or the system-call entry leads.
fn from_clues(memory: &Memory, root: Pa, clues: &Clues) -> Option<KernelImage> {
    let space = Space::Virtual { root };
    clues
        .base
        .and_then(|base| KernelImage::from_hint(memory, space, base).ok())
        .or_else(|| find_below(memory, root, Va(clues.lstar)).ok())
}
