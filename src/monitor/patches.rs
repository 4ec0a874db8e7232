//! Code patches: one `INT3` per location, with a list of subscribers.

use std::collections::{BTreeMap, HashMap};

use super::{breakpoint::Key, machine::Machine};
use crate::{
    core::{
        Gfn, Pa, Va,
        driver::{Interrupt, InterruptKind, ViewId},
    },
    error::{Error, Result},
};

/// The one-byte breakpoint instruction.
pub const INT3: u8 = 0xcc;

/// Vector of the breakpoint exception.
pub const BREAKPOINT_VECTOR: u8 = 3;

/// A page in a view.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ViewPage {
    /// The view.
    pub view: ViewId,
    /// Frame that the guest names.
    pub gfn: Gfn,
}

/// A byte of a page in a view.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Location {
    /// The page.
    pub page: ViewPage,
    /// Offset inside the page, 0 to 4095.
    pub offset: u16,
}

impl Location {
    /// The byte at `pa` in `view`.
    pub const fn new(view: ViewId, pa: Pa) -> Self {
        Self {
            page: ViewPage {
                view,
                gfn: pa.gfn(),
            },
            offset: pa.page_offset() as u16,
        }
    }

    /// Physical address of the guest's own byte.
    pub const fn pa(self) -> Pa {
        self.page.gfn.pa().wrapping_add(self.offset as u64)
    }
}

/// On whose behalf a location is patched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Subscriber {
    /// The breakpoint's key.
    pub key: Key,
    /// Address that it was inserted at.
    pub va: Va,
    /// Root through which the address leads here.
    pub root: Pa,
}

/// What an insertion changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Installed {
    /// Nothing: the location was patched already.
    Shared,
    /// One more byte of a page that has patches already.
    Patched,
    /// The first patch of its page; access rights of the page were reset.
    FirstOfPage,
}

/// What a removal changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Removed {
    /// Nothing: there was no such subscriber.
    Absent,
    /// Others still want the patch.
    Shared,
    /// The original byte is back; other patches of the page remain.
    Restored,
    /// The page has no patches left; its access rights were reset.
    LastOfPage,
}

/// Does the interrupt come from an `INT3` of one byte?
///
/// `INT 3` in two bytes and hardware breakpoints are the guest's own.
pub fn is_breakpoint(interrupt: &Interrupt) -> bool {
    interrupt.vector == BREAKPOINT_VECTOR
        && interrupt.kind == InterruptKind::SoftwareException
        && interrupt.instruction_length <= 1
}

/// A way of putting `INT3` into the guest's code.
///
/// Each method leaves the guest as it was when it fails.
pub trait Medium: Send {
    /// Can the guest see the patches by reading its code?
    fn visible(&self) -> bool;

    /// Patches a byte; `first` when its page has no other patch.
    fn put(&mut self, machine: &Machine, at: Location, first: bool) -> Result<()>;

    /// Takes a patch out; `last` when its page has no other one.
    fn take(&mut self, machine: &Machine, at: Location, last: bool) -> Result<()>;

    /// Brings a page patched at `offsets` up to date after the guest wrote to it.
    fn refresh(&mut self, machine: &Machine, page: ViewPage, offsets: &[u16]) -> Result<()>;

    /// Has one processor execute the guest's own instruction at a patch.
    fn step_over(&mut self, machine: &Machine, at: Location) -> Result<StepOver>;

    /// Ends [`StepOver::Lifted`].
    fn stepped(&mut self, machine: &Machine, at: Location) -> Result<()>;

    /// The byte that readers of guest memory are to see at a patch, where the
    /// frame itself does not hold it.
    fn original(&self, at: Location) -> Option<u8>;

    /// Drops what is recorded of a page whose view no longer exists.
    fn forget(&mut self, page: ViewPage);

    /// Gives all frames back; those that the back end refuses stay for a retry.
    fn free(&mut self, machine: &Machine) -> Result<()>;
}

/// How a patch is stepped over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StepOver {
    /// The unpatched view shows the guest's instruction.
    InView(ViewId),
    /// The patch is gone until [`Patches::stepped`].
    Lifted,
}

/// All patches, and who subscribes to them.
pub struct Patches {
    medium: Box<dyn Medium>,
    pages: HashMap<ViewPage, BTreeMap<u16, Vec<Subscriber>>>,
}

impl Patches {
    /// No patches yet.
    pub fn new(medium: Box<dyn Medium>) -> Self {
        Self {
            medium,
            pages: HashMap::new(),
        }
    }

    /// Can the guest see the patches by reading its code?
    pub fn visible(&self) -> bool {
        self.medium.visible()
    }

    /// Subscribes to a location, patching it for the first subscriber.
    ///
    /// An error leaves the location as it was.
    pub fn insert(
        &mut self,
        machine: &Machine,
        at: Location,
        who: Subscriber,
    ) -> Result<Installed> {
        if let Some(subscribers) = self.subscribers_mut(at) {
            if !subscribers.contains(&who) {
                subscribers.push(who);
            }
            return Ok(Installed::Shared);
        }
        let first = !self.pages.contains_key(&at.page);
        self.medium.put(machine, at, first)?;
        let patches = self.pages.entry(at.page).or_default();
        patches.insert(at.offset, vec![who]);
        Ok(match first {
            true => Installed::FirstOfPage,
            false => Installed::Patched,
        })
    }

    /// Ends a subscription, restoring the byte after the last one.
    ///
    /// An error leaves the location as it was, subscription included.
    pub fn remove(&mut self, machine: &Machine, at: Location, who: Subscriber) -> Result<Removed> {
        match self.subscribers_mut(at) {
            Some(subscribers) if subscribers.contains(&who) => {
                if subscribers.len() == 1 {
                    return self.take(machine, at);
                }
                subscribers.retain(|other| *other != who);
                Ok(Removed::Shared)
            }
            _ => Ok(Removed::Absent),
        }
    }

    /// Ends a subscription whatever the back end says; a patch that cannot be
    /// taken out stays without subscribers until [`Patches::settle`].
    pub fn abandon(&mut self, machine: &Machine, at: Location, who: Subscriber) -> Removed {
        self.remove(machine, at, who).unwrap_or_else(|_| {
            if let Some(subscribers) = self.subscribers_mut(at) {
                subscribers.retain(|other| *other != who);
            }
            Removed::Shared
        })
    }

    /// Takes out patches that nobody subscribes to any more; says which pages
    /// have none left.
    pub fn settle(&mut self, machine: &Machine) -> Vec<ViewPage> {
        let is_orphan = |at: &Location| self.subscribers(*at).is_empty();
        let orphans: Vec<_> = self.locations().filter(is_orphan).collect();
        let taken = |at: Location| match self.take(machine, at) {
            Ok(Removed::LastOfPage) => Some(at.page),
            // What fails is tried again the next time.
            _ => None,
        };
        orphans.into_iter().filter_map(taken).collect()
    }

    fn take(&mut self, machine: &Machine, at: Location) -> Result<Removed> {
        let Some(patches) = self.pages.get_mut(&at.page) else {
            return Ok(Removed::Absent);
        };
        let last = patches.len() == 1;
        self.medium.take(machine, at, last)?;
        patches.remove(&at.offset);
        if !last {
            return Ok(Removed::Restored);
        }
        self.pages.remove(&at.page);
        Ok(Removed::LastOfPage)
    }

    /// Brings the page up to date after the guest wrote to it.
    pub fn refresh(&mut self, machine: &Machine, page: ViewPage) -> Result<()> {
        let Some(patches) = self.pages.get(&page) else {
            return Ok(());
        };
        let offsets: Vec<_> = patches.keys().copied().collect();
        self.medium.refresh(machine, page, &offsets)
    }

    /// Has one processor execute the guest's own instruction at a patch.
    pub fn step_over(&mut self, machine: &Machine, at: Location) -> Result<StepOver> {
        self.medium.step_over(machine, at)
    }

    /// Ends a step over a lifted patch, unless it was removed meanwhile.
    pub fn stepped(&mut self, machine: &Machine, at: Location) -> Result<()> {
        match self.contains(at) {
            true => self.medium.stepped(machine, at),
            false => Ok(()),
        }
    }

    /// The byte that readers of guest memory are to see at a patched location;
    /// `None` where the frame itself holds it.
    pub fn original(&self, at: Location) -> Option<u8> {
        self.medium.original(at)
    }

    /// Is there a patch at the location (subscribed to or not)?
    pub fn contains(&self, at: Location) -> bool {
        let page = self.pages.get(&at.page);
        page.is_some_and(|patches| patches.contains_key(&at.offset))
    }

    /// Has the page any patch?
    pub fn patched(&self, page: ViewPage) -> bool {
        self.pages.contains_key(&page)
    }

    /// Every patched location.
    pub fn locations(&self) -> impl Iterator<Item = Location> {
        self.pages.iter().flat_map(|(page, patches)| {
            let page = *page;
            patches.keys().map(move |&offset| Location { page, offset })
        })
    }

    /// The subscribers of a location, in order of insertion.
    pub fn subscribers(&self, at: Location) -> &[Subscriber] {
        let page = self.pages.get(&at.page);
        page.and_then(|patches| patches.get(&at.offset))
            .map_or(&[], Vec::as_slice)
    }

    fn subscribers_mut(&mut self, at: Location) -> Option<&mut Vec<Subscriber>> {
        self.pages.get_mut(&at.page)?.get_mut(&at.offset)
    }

    /// Drops what is recorded of a view that no longer exists.
    pub fn forget_view(&mut self, view: ViewId) {
        let medium = &mut self.medium;
        self.pages.retain(|page, _| {
            if page.view == view {
                medium.forget(*page);
            }
            page.view != view
        });
    }

    /// Gives all frames back. Nothing must be patched any more.
    ///
    /// An error leaves the frames that are still held; call again.
    pub fn free(&mut self, machine: &Machine) -> Result<()> {
        if !self.pages.is_empty() {
            return Err(Error::invalid_argument(
                "view",
                "it still shows patched pages",
            ));
        }
        self.medium.free(machine)
    }
}
