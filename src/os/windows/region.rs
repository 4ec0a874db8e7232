//! `_MMVAD`: the memory regions of a process.

mod control_area;
mod protection;
mod tree;

use isr::macros::{Bitfield, Field};

use super::{Process, Record, Windows};
use crate::{
    core::{PAGE_SIZE, Va},
    error::{Error, Result},
    symbols::Profile,
};

pub use control_area::{ControlArea, SectionFlags};
pub use protection::{BasicProtection, RegionProtection};
pub use tree::Regions;

isr::macros::offsets! {
    /// Where the fields of a region are. The flags lie in nested, unnamed
    /// unions, whose members are found by name.
    pub struct RegionLayout {
        struct _MMVAD_SHORT {
            #[isr(alias = "Left")]
            LeftChild: Field,
            #[isr(alias = "Right")]
            RightChild: Field,
            StartingVpn: Field,
            EndingVpn: Field,
            StartingVpnHigh: Option<Field>,
            EndingVpnHigh: Option<Field>,
            VadType: Bitfield,
            Protection: Bitfield,
            PrivateMemory: Bitfield,
            MemCommit: Option<Bitfield>,
            CommitCharge: Bitfield,
            CommitChargeHigh: Option<Field>,
        }

        struct _MMVAD {
            Subsection: Field,
            FirstPrototypePte: Field,
            LastContiguousPte: Field,
        }

        struct _EPROCESS {
            VadRoot: Field,
            VadHint: Option<Field>,
            CommittedPageCount: Option<Field>,
        }

        #[isr(optional)]
        struct _MM_AVL_TABLE {
            BalancedRoot: Field,
            NodeHint: Field,
        }

        #[isr(optional)]
        struct _MMADDRESS_NODE {
            RightChild: Field,
        }
    }
}

/// Regions of a process: the fields and which kind of tree holds them.
pub(super) struct Layout {
    fields: RegionLayout,
    control_area: control_area::ControlAreaLayout,
    /// Windows 7: the root is a sentinel inside the `_EPROCESS`.
    sentinel: Option<Sentinel>,
}

/// Where a Windows 7 tree begins, relative to `_EPROCESS`.
struct Sentinel {
    /// The pointer to the topmost real node.
    root: Field,
    hint: Field,
}

impl Layout {
    /// The tree is the old kind when `_MM_AVL_TABLE` is the type of
    /// `_EPROCESS.VadRoot`; its table also knows the type of the new kind.
    pub(super) fn new(profile: &Profile) -> Result<Self> {
        let missing = super::layouts::missing;
        let fields = RegionLayout::new(profile.isr()).map_err(missing)?;
        let old = profile.field_type_name("_EPROCESS", "VadRoot") == Some("_MM_AVL_TABLE");
        let sentinel = match old {
            true => Some(sentinel(&fields)?),
            false => None,
        };
        Ok(Self {
            control_area: control_area::ControlAreaLayout::new(profile.isr()).map_err(missing)?,
            fields,
            sentinel,
        })
    }
}

fn sentinel(fields: &RegionLayout) -> Result<Sentinel> {
    let (Some(table), Some(node)) = (&fields._MM_AVL_TABLE, &fields._MMADDRESS_NODE) else {
        return Err(Error::layout("_MM_AVL_TABLE"));
    };
    let start = fields._EPROCESS.VadRoot.offset();
    let at = |offset: u64| Field::new(start.wrapping_add(offset), 8);
    let balanced = table.BalancedRoot.offset();
    Ok(Sentinel {
        root: at(balanced.wrapping_add(node.RightChild.offset())),
        hint: at(table.NodeHint.offset()),
    })
}

/// What a region holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RegionKind {
    /// Memory of this process only.
    Private,
    /// A mapped executable image.
    Image,
    /// A mapped file.
    DataFile,
    /// Shared memory backed by the page file.
    PagefileSection,
    /// Device memory.
    Physical,
    /// Address windowing extensions.
    Awe,
    /// Large pages, private or shared.
    LargePages,
    /// Memory that changes between the page file and a device.
    RotatePhysical,
}

/// Values of `VadType` (`MI_VAD_TYPE`).
mod vad_type {
    pub const PHYSICAL: u64 = 1;
    pub const IMAGE: u64 = 2;
    pub const AWE: u64 = 3;
    pub const LARGE_PAGES: u64 = 5;
    pub const ROTATE: u64 = 6;
    pub const LARGE_PAGE_SECTION: u64 = 7;
}

/// A region.
#[derive(Clone, Copy)]
pub struct Region<'a> {
    windows: &'a Windows,
    record: Record<'a>,
}

impl<'a> Region<'a> {
    /// The region whose `_MMVAD` (or `_MMVAD_SHORT`) is at `vad`.
    pub fn new(windows: &'a Windows, vad: Va) -> Self {
        Self {
            windows,
            record: windows.record(vad),
        }
    }

    /// Size of a buffer for [`Region::with_copy`], in bytes.
    pub const SNAPSHOT: usize = 256;

    /// The same region with its `_MMVAD` read once into `buffer`, for many getters.
    pub fn with_copy(self, buffer: &'a mut [u8]) -> Self {
        let length = self.layout()._MMVAD.effective_len().min(buffer.len());
        match buffer.get_mut(..length) {
            Some(buffer) => Self {
                record: self.record.with_copy(buffer),
                ..self
            },
            None => self,
        }
    }

    fn layout(&self) -> &'a RegionLayout {
        &self.windows.layouts.region.fields
    }

    fn short(&self) -> &'a _MMVAD_SHORT {
        &self.layout()._MMVAD_SHORT
    }

    /// Address of the `_MMVAD`.
    pub const fn vad(&self) -> Va {
        self.record.base()
    }

    /// First page number. Corresponds to `StartingVpn` with `StartingVpnHigh` above it.
    pub(super) fn first_page(&self) -> Result<u64> {
        self.page_number(self.short().StartingVpn, self.short().StartingVpnHigh)
    }

    /// Last page number. Corresponds to `EndingVpn` with `EndingVpnHigh` above it.
    pub(super) fn last_page(&self) -> Result<u64> {
        self.page_number(self.short().EndingVpn, self.short().EndingVpnHigh)
    }

    #[inline(always)]
    fn page_number(&self, low: Field, high: Option<Field>) -> Result<u64> {
        let low = self.record.uint(low)?;
        let high = high.map_or(Ok(0), |high| self.record.uint(high))?;
        Ok(low | high << 32)
    }

    /// First address.
    pub fn start(&self) -> Result<Va> {
        self.first_page()
            .map(|page| Va(page.wrapping_mul(PAGE_SIZE)))
    }

    /// First address behind the region.
    pub fn end(&self) -> Result<Va> {
        self.last_page()
            .map(|page| Va(page.wrapping_add(1).wrapping_mul(PAGE_SIZE)))
    }

    /// Raw type. Corresponds to `_MMVAD_FLAGS.VadType`.
    pub fn vad_type(&self) -> Result<u8> {
        self.record
            .bits(self.short().VadType)
            .map(|bits| bits as u8)
    }

    /// Is the memory this process's alone? Corresponds to `_MMVAD_FLAGS.PrivateMemory`.
    pub fn is_private(&self) -> Result<bool> {
        let bits = self.record.bits(self.short().PrivateMemory)?;
        Ok(bits != 0)
    }

    /// Is an executable image mapped? Corresponds to `_MMVAD_FLAGS.VadType`.
    pub fn is_image(&self) -> Result<bool> {
        Ok(u64::from(self.vad_type()?) == vad_type::IMAGE)
    }

    /// What the region holds.
    ///
    /// Fails with the fault when the section is needed to tell and not in memory.
    pub fn kind(&self) -> Result<RegionKind> {
        Ok(match u64::from(self.vad_type()?) {
            vad_type::PHYSICAL => RegionKind::Physical,
            vad_type::IMAGE => RegionKind::Image,
            vad_type::AWE => RegionKind::Awe,
            vad_type::LARGE_PAGES | vad_type::LARGE_PAGE_SECTION => RegionKind::LargePages,
            vad_type::ROTATE => RegionKind::RotatePhysical,
            _ if self.is_private()? => RegionKind::Private,
            _ => match self.file_object()? {
                Some(_) => RegionKind::DataFile,
                None => RegionKind::PagefileSection,
            },
        })
    }

    /// Protection that the region was made with; single pages may differ.
    /// Corresponds to `_MMVAD_FLAGS.Protection`.
    pub fn protection(&self) -> Result<RegionProtection> {
        self.record
            .bits(self.short().Protection)
            .map(|bits| RegionProtection(bits as u8))
    }

    /// Is a private region committed as a whole? Corresponds to `MemCommit`.
    pub fn is_committed(&self) -> Result<bool> {
        let field = self.short().MemCommit;
        let field = field.ok_or_else(|| Error::layout("_MMVAD_FLAGS1.MemCommit"))?;
        self.record.bits(field).map(|bits| bits != 0)
    }

    /// Pages charged to the process, `None` for the value that means "not
    /// charged" (all bits set). Corresponds to `CommitCharge`, with
    /// `CommitChargeHigh` above it.
    pub fn commit_charge(&self) -> Result<Option<u64>> {
        let field = self.short().CommitCharge;
        let low = self.record.bits(field)?;
        let length = u32::try_from(field.bit_length()).unwrap_or(64);
        let Some(bytes) = self.short().CommitChargeHigh else {
            let unset = u64::MAX.checked_shl(length).map_or(u64::MAX, |bits| !bits);
            return Ok((low != unset).then_some(low));
        };
        let high = self.record.uint(bytes)?;
        Ok(Some(low | high.checked_shl(length).unwrap_or(0)))
    }

    /// Address of the first `_SUBSECTION`, `None` for private regions.
    /// Corresponds to `_MMVAD.Subsection`.
    pub(super) fn subsection(&self) -> Result<Option<Va>> {
        // A short node ends before the pointer.
        if self.is_private()? {
            return Ok(None);
        }
        self.record.pointer_or_none(self.layout()._MMVAD.Subsection)
    }

    /// The section's control area, `None` for private regions.
    /// Corresponds to `_MMVAD.Subsection` -> `_SUBSECTION.ControlArea`.
    pub fn control_area(&self) -> Result<Option<ControlArea<'a>>> {
        match self.subsection()? {
            Some(subsection) => ControlArea::of_subsection(self.windows, subsection),
            None => Ok(None),
        }
    }

    /// Address of the mapped file's `_FILE_OBJECT`, `None` when no file is mapped.
    pub fn file_object(&self) -> Result<Option<Va>> {
        match self.control_area()? {
            Some(area) => area.file_object(),
            None => Ok(None),
        }
    }

    /// First and last prototype page-table entry, `None` for private regions.
    /// Corresponds to `_MMVAD.FirstPrototypePte` and `LastContiguousPte`.
    pub fn prototype_ptes(&self) -> Result<Option<(Va, Va)>> {
        if self.is_private()? {
            return Ok(None);
        }
        let layout = &self.layout()._MMVAD;
        let first = self.record.pointer(layout.FirstPrototypePte)?;
        let last = self.record.pointer(layout.LastContiguousPte)?;
        Ok(Some((first, last)))
    }
}

impl<'a> Process<'a> {
    /// Where the regions' tree begins: the topmost node, `None` when there is none.
    /// Corresponds to `_EPROCESS.VadRoot`.
    pub fn vad_root(&self) -> Result<Option<Va>> {
        let layout = &self.windows().layouts.region;
        let root = match &layout.sentinel {
            Some(sentinel) => sentinel.root,
            None => Field::new(layout.fields._EPROCESS.VadRoot.offset(), 8),
        };
        self.record().pointer_or_none(root)
    }

    /// The region that was used last, a hint only. Corresponds to
    /// `_EPROCESS.VadHint` or `_MM_AVL_TABLE.NodeHint`.
    pub fn vad_hint(&self) -> Result<Option<Va>> {
        let layout = &self.windows().layouts.region;
        let hint = match &layout.sentinel {
            Some(sentinel) => Some(sentinel.hint),
            None => layout.fields._EPROCESS.VadHint,
        };
        hint.map_or(Ok(None), |hint| self.record().pointer_or_none(hint))
    }

    /// The process's regions in order of their addresses.
    pub fn regions(&self) -> Regions<'a> {
        Regions::new(self.windows(), self.object(), self.vad_root())
    }

    /// The region that holds `va`, `None` when the address is free.
    pub fn region(&self, va: Va) -> Result<Option<Region<'a>>> {
        tree::find(self.windows(), self.object(), self.vad_root()?, va)
    }
}
