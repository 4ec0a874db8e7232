//! The records of the breakpoint manager; nothing here touches the guest.

use std::collections::{BTreeMap, BTreeSet};

use super::{Breakpoint, Key, Reach};
use crate::{
    core::{Pa, Va, driver::ViewId},
    monitor::{
        page_tables::WatchedPage,
        patches::{Location, Subscriber},
    },
};

/// What one owner wants at one address of one view.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Site {
    pub key: Key,
    pub view: ViewId,
    pub va: Va,
}

/// A site in one address space.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct AnchorId {
    pub site: Site,
    pub root: Pa,
}

/// Where an anchor stands.
#[derive(Debug, Clone, Copy)]
pub struct Anchor {
    pub root: Pa,
    pub tag: u64,
    /// Rises with each insertion: subscribers are called in this order.
    pub order: u64,
    /// The patched byte, `None` while the breakpoint is pending.
    pub at: Option<Location>,
}

/// The anchors of a site: one of a per-root breakpoint each, or all of a global one.
pub struct Record {
    pub reach: Reach,
    /// In order of insertion; a global breakpoint's first is its canonical root.
    pub anchors: Vec<Anchor>,
}

/// All records.
#[derive(Default)]
pub struct Book {
    sites: BTreeMap<Site, Record>,
    pages: BTreeMap<WatchedPage, BTreeSet<Site>>,
    insertions: u64,
}

impl From<&Breakpoint> for AnchorId {
    fn from(breakpoint: &Breakpoint) -> Self {
        Self {
            site: Site {
                key: breakpoint.key,
                view: breakpoint.view,
                va: breakpoint.va,
            },
            root: breakpoint.root,
        }
    }
}

impl AnchorId {
    /// The virtual page that the anchor depends on.
    pub const fn page(&self) -> WatchedPage {
        WatchedPage::new(self.site.view, self.root, self.site.va)
    }

    /// The anchor as the subscriber of a patch.
    pub const fn subscriber(&self) -> Subscriber {
        Subscriber {
            key: self.site.key,
            va: self.site.va,
            root: self.root,
        }
    }

    /// The anchor behind a subscriber of a patch.
    pub const fn of(view: ViewId, who: &Subscriber) -> Self {
        let (key, va) = (who.key, who.va);
        Self {
            site: Site { key, view, va },
            root: who.root,
        }
    }
}

impl Book {
    pub fn record(&self, site: &Site) -> Option<&Record> {
        self.sites.get(site)
    }

    pub fn anchor(&self, id: &AnchorId) -> Option<&Anchor> {
        let record = self.sites.get(&id.site)?;
        record.anchors.iter().find(|anchor| anchor.root == id.root)
    }

    /// Records where an anchor is active, or that it is pending.
    pub fn place(&mut self, id: &AnchorId, at: Option<Location>) {
        let anchors = self.sites.get_mut(&id.site);
        for anchor in anchors.into_iter().flat_map(|record| &mut record.anchors) {
            if anchor.root == id.root {
                anchor.at = at;
            }
        }
    }

    /// Adds the anchor of a breakpoint, pending.
    pub fn add(&mut self, breakpoint: &Breakpoint) {
        let id = AnchorId::from(breakpoint);
        let record = self.sites.entry(id.site).or_insert(Record {
            reach: breakpoint.reach,
            anchors: Vec::new(),
        });
        // The first tag of a global breakpoint wins.
        let first = record.anchors.first().map(|anchor| anchor.tag);
        let tag = match breakpoint.reach {
            Reach::Global => first.unwrap_or(breakpoint.tag),
            Reach::Root => breakpoint.tag,
        };
        self.insertions = self.insertions.wrapping_add(1);
        record.anchors.push(Anchor {
            root: id.root,
            tag,
            order: self.insertions,
            at: None,
        });
        self.pages.entry(id.page()).or_default().insert(id.site);
    }

    /// Drops an anchor, and its site with the last one.
    pub fn drop(&mut self, id: &AnchorId) {
        let Some(record) = self.sites.get_mut(&id.site) else {
            return;
        };
        record.anchors.retain(|anchor| anchor.root != id.root);
        if record.anchors.is_empty() {
            self.sites.remove(&id.site);
        }
        let page = id.page();
        if let Some(sites) = self.pages.get_mut(&page) {
            sites.remove(&id.site);
            if sites.is_empty() {
                self.pages.remove(&page);
            }
        }
    }

    fn anchors_of<'a>(site: &'a Site, record: &'a Record) -> impl Iterator<Item = AnchorId> + 'a {
        let id = |anchor: &Anchor| AnchorId {
            site: *site,
            root: anchor.root,
        };
        record.anchors.iter().map(id)
    }

    /// Every anchor of a site.
    pub fn of_site(&self, site: &Site) -> Vec<AnchorId> {
        let record = self.sites.get(site);
        record
            .into_iter()
            .flat_map(|record| Self::anchors_of(site, record))
            .collect()
    }

    /// Every anchor whose site is accepted.
    pub fn select(&self, accept: impl Fn(&Site) -> bool) -> Vec<AnchorId> {
        let sites = self.sites.iter().filter(|(site, _)| accept(site));
        sites
            .flat_map(|(site, record)| Self::anchors_of(site, record))
            .collect()
    }

    /// Every anchor of an owner.
    pub fn of_key(&self, key: Key) -> Vec<AnchorId> {
        let from = Site {
            key,
            view: ViewId(0),
            va: Va(0),
        };
        let sites = self.sites.range(from..);
        sites
            .take_while(|(site, _)| site.key == key)
            .flat_map(|(site, record)| Self::anchors_of(site, record))
            .collect()
    }

    /// Every anchor that depends on a virtual page.
    pub fn on_page(&self, page: &WatchedPage) -> Vec<AnchorId> {
        let sites = self.pages.get(page);
        let root = page.root;
        let id = |site: &Site| AnchorId { site: *site, root };
        sites.into_iter().flatten().map(id).collect()
    }

    /// Is nothing recorded?
    pub fn is_empty(&self) -> bool {
        self.sites.is_empty()
    }
}
