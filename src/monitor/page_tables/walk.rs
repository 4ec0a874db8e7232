//! One walk as the processor does it, over tables that are protected on the way.

use crate::{
    arch::amd64::{LongMode, Pte, dtb_to_root, entry_address, index_shift},
    core::{Pa, Va, driver::ViewId},
    error::{FaultKind, Result},
    monitor::{
        machine::Machine,
        patches::ViewPage,
        rights::{Claim, PageRights},
    },
};

/// Level from which on an entry cannot map a page any more.
const FIRST_TABLE_ONLY_LEVEL: u8 = 4;

/// An entry that a walk read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Link {
    /// Where it is.
    pub address: Pa,
    /// 1 page table, 2 page directory, 3 PDPT, 4 PML4, 5 PML5.
    pub level: u8,
    /// What it held.
    pub pte: Pte,
}

/// The entries from the root on, and where they lead.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Chain {
    /// From the root on, the first absent one last.
    pub links: Vec<Link>,
    /// Physical address of the first byte of the 4 KiB page, `None` when absent.
    pub target: Option<Pa>,
}

impl Link {
    /// Does the processor follow the entry?
    fn is_valid(&self) -> bool {
        self.pte.is_present() && (self.level < FIRST_TABLE_ONLY_LEVEL || !self.pte.is_large())
    }

    /// Does the entry map a page (rather than name a table)?
    fn is_leaf(&self) -> bool {
        self.level == 1 || self.pte.is_large()
    }

    /// The page of `va` behind a leaf.
    fn target(&self, va: Va) -> Pa {
        let shift = index_shift(self.level);
        let inside = va.page().0 & !u64::MAX.wrapping_shl(shift);
        self.pte.frame(shift as u8).wrapping_add(inside)
    }

    /// Does the entry lead elsewhere than `self` did?
    ///
    /// Accessed, dirty and permission bits do not matter, nor does what an
    /// absent entry holds.
    pub fn leads_elsewhere(&self, now: Pte) -> bool {
        let new = Self { pte: now, ..*self };
        if !self.is_valid() || !new.is_valid() {
            return self.is_valid() != new.is_valid();
        }
        self.is_leaf() != new.is_leaf() || self.pte.table() != now.table()
    }
}

/// Reads an entry; `None` when the guest has no such memory.
pub fn read_entry(machine: &Machine, address: Pa) -> Result<Option<Pte>> {
    let mut bytes = [0; 8];
    match machine.physical()?.read(address, &mut bytes) {
        Ok(()) => Ok(Some(Pte(u64::from_le_bytes(bytes)))),
        Err(fault) if fault.kind == FaultKind::NotInImage => Ok(None),
        Err(fault) => Err(fault.into()),
    }
}

/// A walk in one view, of one paging mode.
pub struct Walker<'a> {
    pub machine: &'a Machine,
    pub rights: &'a mut PageRights,
    pub mode: &'a LongMode,
    pub view: ViewId,
}

impl Walker<'_> {
    fn page(&self, entry: Pa) -> ViewPage {
        let gfn = entry.gfn();
        let view = self.view;
        ViewPage { view, gfn }
    }

    /// Protects a table, then reads the entry: a later write cannot go unseen.
    fn link(&mut self, address: Pa, level: u8) -> Result<Option<Link>> {
        let page = self.page(address);
        let claimed = self.rights.claim(self.machine, page, Claim::Table);
        let entry = read_entry(self.machine, address);
        if let Ok(Some(pte)) = entry
            && claimed.is_ok()
        {
            return Ok(Some(Link {
                address,
                level,
                pte,
            }));
        }
        if claimed.is_ok() {
            self.rights.release(self.machine, page, Claim::Table)?;
        }
        // A table outside of the guest's memory can be neither read nor protected.
        match entry? {
            Some(_) => claimed.map(|()| None),
            None => Ok(None),
        }
    }

    /// Walks from `root` to the page of `va`, protecting each table.
    ///
    /// An error leaves no table protected.
    pub fn walk(&mut self, root: Pa, va: Va) -> Result<Chain> {
        let mut chain = Chain::default();
        if !self.mode.is_canonical(va) {
            return Ok(chain);
        }
        let mut table = dtb_to_root(root.0);
        for level in (1..=self.mode.levels()).rev() {
            let link = match self.link(entry_address(table, va, level), level) {
                Ok(Some(link)) => link,
                Ok(None) => break,
                Err(error) => {
                    // The error that counts is the first one.
                    let _ = self.release(&chain);
                    return Err(error);
                }
            };
            chain.links.push(link);
            if !link.is_valid() {
                break;
            }
            if link.is_leaf() {
                chain.target = Some(link.target(va));
                break;
            }
            table = link.pte.table();
        }
        Ok(chain)
    }

    /// Ends the protection of the tables of a former walk.
    ///
    /// All of them are released; the first failure is returned.
    pub fn release(&mut self, chain: &Chain) -> Result<()> {
        let mut result = Ok(());
        for link in &chain.links {
            let page = self.page(link.address);
            result = result.and(self.rights.release(self.machine, page, Claim::Table));
        }
        result
    }
}
