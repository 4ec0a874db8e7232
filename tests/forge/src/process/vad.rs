//! Regions of user spaces: trees of virtual address descriptors, of the old kind and the new.

use crate::expected::ExpectedRegion;
use crate::guest::Guest;
use crate::memory::PAGE_SIZE;
use crate::record::Record;
use crate::user::section::Section;

/// Tags of the pool blocks that descriptors lie in: short ones and whole ones.
const SHORT_TAG: &[u8; 4] = b"VadS";
const LONG_TAG: &[u8; 4] = b"Vad ";
/// Size of a pool header; the tag is its second word.
const POOL_HEADER: u64 = 0x10;
/// `VadType` of an image.
const IMAGE: u64 = 2;

/// What a region holds.
#[derive(Clone, Debug)]
pub enum Backing {
    /// Memory of the process alone.
    Private,
    /// A section.
    Section {
        /// The section.
        section: Section,
        /// Whether it is mapped as an image.
        is_image: bool,
    },
}

/// A region to be made.
#[derive(Clone, Debug)]
pub struct RegionSpec {
    /// First address.
    pub start: u64,
    /// Size in bytes.
    pub size: u64,
    /// `Protection`, all five bits.
    pub protection: u8,
    /// `MemCommit`.
    pub committed: bool,
    /// Pages charged.
    pub commit_charge: u64,
    /// What it holds.
    pub backing: Backing,
}

/// A descriptor in the tree of its process.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Node {
    first_page: u64,
    vad: u64,
}

/// A sub-tree: its topmost node and its height.
#[derive(Clone, Copy, Default)]
struct Subtree {
    root: u64,
    height: i32,
}

impl Guest {
    /// Makes a region of a process: the address of its descriptor.
    ///
    /// # Panics
    /// When the process does not exist or another region begins inside of the new one.
    pub fn add_region(&mut self, process: u64, spec: &RegionSpec) -> u64 {
        let vad = self.place_vad(process, spec);
        let node = Node {
            first_page: spec.start / PAGE_SIZE,
            vad,
        };
        let Some(state) = self.processes.get_mut(&process) else {
            panic!("{process:#x} is no process");
        };
        let at = state
            .regions
            .partition_point(|other| other.first_page < node.first_page);
        let next = state
            .regions
            .get(at)
            .map_or(u64::MAX, |next| next.first_page);
        let end = (spec.start + spec.size) / PAGE_SIZE;
        assert!(
            end <= next,
            "{:#x} overlaps {:#x}",
            spec.start,
            next * PAGE_SIZE
        );
        state.regions.insert(at, node);
        self.link_tree(process);
        self.expect_region(process, vad, spec);
        vad
    }

    fn place_vad(&mut self, process: u64, spec: &RegionSpec) -> u64 {
        let (structure, tag) = match spec.backing {
            Backing::Private => ("_MMVAD_SHORT", SHORT_TAG),
            Backing::Section { .. } => ("_MMVAD", LONG_TAG),
        };
        let size = self.profile.size_of(structure);
        let pool = self.allocate(POOL_HEADER + size);
        self.write(pool + 4, tag);
        let vad = pool + POOL_HEADER;
        let mut record = self.record(structure);
        self.set_range(&mut record, spec);
        self.set_flags(&mut record, spec);
        if let Backing::Section { section, .. } = &spec.backing {
            let pages = spec.size / PAGE_SIZE;
            record
                .set("Subsection", section.subsection)
                .set("FirstPrototypePte", section.prototypes)
                .set("LastContiguousPte", section.prototypes + (pages - 1) * 8)
                .set("VadsProcess", process | 1);
            record.set_empty_list("ViewLinks", vad);
        }
        self.write_record(vad, &record);
        vad
    }

    /// The name of a member in the structure itself or in the short one at its start.
    fn vad_member(&self, record: &Record, name: &str) -> Option<String> {
        let names = [name.to_owned(), format!("Core.{name}")];
        names
            .into_iter()
            .find(|name| self.profile.has_field(record.structure(), name))
    }

    fn set_vad(&self, record: &mut Record, name: &str, value: u64) {
        if let Some(name) = self.vad_member(record, name) {
            record.set(&name, value);
        }
    }

    /// Page numbers lie in one number, or in one of 32 bits and a byte above it.
    fn set_range(&self, record: &mut Record, spec: &RegionSpec) {
        let first = spec.start / PAGE_SIZE;
        let last = (spec.start + spec.size) / PAGE_SIZE - 1;
        for (name, page) in [("StartingVpn", first), ("EndingVpn", last)] {
            self.set_vad(record, name, page);
            self.set_vad(record, &format!("{name}High"), page >> 32);
        }
    }

    fn set_flags(&self, record: &mut Record, spec: &RegionSpec) {
        let (is_private, vad_type) = match spec.backing {
            Backing::Private => (true, 0),
            Backing::Section { is_image, .. } => (false, if is_image { IMAGE } else { 0 }),
        };
        let flags = [
            ("VadType", vad_type),
            ("Protection", spec.protection.into()),
            ("PrivateMemory", is_private.into()),
        ];
        for (name, value) in flags {
            self.set_vad(record, &format!("u.VadFlags.{name}"), value);
        }
        // The first has one of these structures, all others have both.
        for group in ["u.VadFlags", "u1.VadFlags1"] {
            self.set_vad(record, &format!("{group}.MemCommit"), spec.committed.into());
            self.set_vad(record, &format!("{group}.CommitCharge"), spec.commit_charge);
        }
        self.set_vad(record, "CommitChargeHigh", spec.commit_charge >> 31);
    }

    /// Links all descriptors of a process anew, as a tree as flat as can be.
    fn link_tree(&mut self, process: u64) {
        let nodes = self.processes[&process].regions.clone();
        let sentinel = self.profile.find_field("_EPROCESS", "VadRoot.BalancedRoot");
        let parent = sentinel.map_or(0, |field| process + field.offset);
        let tree = self.link_nodes(&nodes, parent);
        match sentinel {
            Some(_) => {
                let root = "VadRoot.BalancedRoot.RightChild";
                self.poke_field(process, "_EPROCESS", root, tree.root);
                let path = "VadRoot.DepthOfTree";
                self.poke_field(process, "_EPROCESS", path, tree.height as u64);
                let path = "VadRoot.NumberGenericTableElements";
                self.poke_field(process, "_EPROCESS", path, nodes.len() as u64);
            }
            None => {
                self.poke_field(process, "_EPROCESS", "VadRoot.Root", tree.root);
                self.poke_field(process, "_EPROCESS", "VadCount", nodes.len() as u64);
            }
        }
    }

    /// Takes the lowest region of a process out of its tree: where the tree points to it when
    /// it is put in again, as a leaf.
    ///
    /// # Panics
    /// When there is a lower one, or no other.
    pub(crate) fn hide_lowest_region(&mut self, process: u64, vad: u64) -> u64 {
        let Some(state) = self.processes.get_mut(&process) else {
            panic!("{process:#x} is no process");
        };
        assert!(state.regions[0].vad == vad, "there is a lower region");
        state.regions.remove(0);
        let parent = state.regions[0].vad;
        self.link_tree(process);
        let links = self.vad_links();
        for (path, value) in links.into_iter().zip([0, 0, parent]) {
            self.poke_field(vad, "_MMVAD_SHORT", path, value);
        }
        self.expected.regions.retain(|region| region.vad != vad);
        self.field_address(parent, "_MMVAD_SHORT", links[0])
    }

    /// Where a descriptor has its children, left and right, and its parent.
    fn vad_links(&self) -> [&'static str; 3] {
        match self.profile.has_field("_MMVAD_SHORT", "VadNode") {
            true => ["VadNode.Left", "VadNode.Right", "VadNode.ParentValue"],
            false => ["LeftChild", "RightChild", "u1.Parent"],
        }
    }

    fn link_nodes(&mut self, nodes: &[Node], parent: u64) -> Subtree {
        let middle = nodes.len() / 2;
        let Some(node) = nodes.get(middle) else {
            return Subtree::default();
        };
        let left = self.link_nodes(&nodes[..middle], node.vad);
        let right = self.link_nodes(&nodes[middle + 1..], node.vad);
        let balance = (right.height - left.height) as u64 & 3;
        for (path, value) in
            self.vad_links()
                .into_iter()
                .zip([left.root, right.root, parent | balance])
        {
            self.poke_field(node.vad, "_MMVAD_SHORT", path, value);
        }
        Subtree {
            root: node.vad,
            height: left.height.max(right.height) + 1,
        }
    }

    fn expect_region(&mut self, process: u64, vad: u64, spec: &RegionSpec) {
        let (section, is_image) = match &spec.backing {
            Backing::Private => (None, false),
            Backing::Section { section, is_image } => (Some(section), *is_image),
        };
        self.expected.regions.push(ExpectedRegion {
            process,
            vad,
            start: spec.start,
            end: spec.start + spec.size,
            protection: spec.protection,
            is_private: section.is_none(),
            is_image,
            committed: spec.committed,
            commit_charge: spec.commit_charge,
            control_area: section.map(|section| section.control_area),
            path: section.and_then(|section| section.path.clone()),
        });
    }
}
