//! The tree of a process's regions, old kind and new.
//!
//! Every node must lie between the nodes it hangs below. The interval shrinks
//! with every step down, so no cycle can be walked twice; a node outside of it
//! is cut off with one gap, and its neighbours still come out.

use isr::macros::Field;

use super::Region;
use crate::{
    core::{PAGE_SIZE, Va},
    error::{Error, Result},
    os::windows::Windows,
};

/// Deeper than a balanced tree of 2^40 nodes.
const MAX_DEPTH: usize = 64;

/// Low bits of child pointers are flags.
const POINTER: u64 = !3;

/// A sub-tree that is still to be walked, with the page numbers it may hold.
struct Subtree {
    node: Va,
    first: u64,
    last: u64,
}

/// What the walk does next.
enum Task {
    Descend(Subtree),
    Visit(Visited),
}

/// What is known about a node since its place was checked.
#[derive(Clone, Copy)]
struct Visited {
    vad: Va,
    start: Va,
    /// `None` when it could not be read.
    is_image: Option<bool>,
}

/// A node whose place in the tree was checked.
struct Node<'a> {
    region: Region<'a>,
    first: u64,
    last: u64,
    is_image: Option<bool>,
    left: Option<Va>,
    right: Option<Va>,
}

/// Reads the topmost node of a sub-tree, once.
fn node<'a>(windows: &'a Windows, subtree: &Subtree) -> Result<Node<'a>> {
    let region = Region::new(windows, subtree.node);
    let mut buffer = [0; Regions::NODE_SIZE];
    let copy = region.with_copy(&mut buffer);
    let (first, last) = (copy.first_page()?, copy.last_page()?);
    if first > last || first < subtree.first || last > subtree.last {
        return Err(Error::corrupt(
            "_MMVAD",
            subtree.node,
            "its addresses do not fit its place in the tree",
        ));
    }
    let short = region.short();
    Ok(Node {
        region,
        first,
        last,
        is_image: copy.is_image().ok(),
        left: child(&copy, short.LeftChild)?,
        right: child(&copy, short.RightChild)?,
    })
}

fn child(node: &Region<'_>, link: Field) -> Result<Option<Va>> {
    let pointer = node.record.pointer(link)?.0 & POINTER;
    Ok((pointer != 0).then_some(Va(pointer)))
}

impl Node<'_> {
    /// What hangs to the left or to the right, with the page numbers it may hold.
    fn below(&self, subtree: &Subtree, left: bool) -> Result<Option<Subtree>> {
        let Some(node) = (if left { self.left } else { self.right }) else {
            return Ok(None);
        };
        let (first, last) = match left {
            true => (Some(subtree.first), self.first.checked_sub(1)),
            false => (self.last.checked_add(1), Some(subtree.last)),
        };
        match (first, last) {
            (Some(first), Some(last)) if first <= last => Ok(Some(Subtree { node, first, last })),
            _ => Err(Error::corrupt(
                "_MMVAD",
                self.region.vad(),
                "a child hangs where no address is left",
            )),
        }
    }
}

fn whole(node: Va) -> Subtree {
    Subtree {
        node: Va(node.0 & POINTER),
        first: 0,
        last: u64::MAX / PAGE_SIZE,
    }
}

/// The regions of a process in order; an `Err` is a gap.
pub struct Regions<'a> {
    windows: &'a Windows,
    process: Va,
    tasks: Vec<Task>,
    gap: Option<Error>,
}

impl<'a> Regions<'a> {
    /// Bytes of a node that say where it is and what it holds: those of a short one.
    const NODE_SIZE: usize = 64;

    pub(super) fn new(windows: &'a Windows, process: Va, root: Result<Option<Va>>) -> Self {
        let mut regions = Self {
            windows,
            process,
            tasks: Vec::new(),
            gap: None,
        };
        match root {
            Ok(Some(root)) => regions.tasks.push(Task::Descend(whole(root))),
            Ok(None) => {}
            Err(error) => regions.gap = Some(error),
        }
        regions
    }

    fn step(&mut self) -> Option<Result<Visited>> {
        loop {
            if let Some(gap) = self.gap.take() {
                return Some(Err(gap));
            }
            match self.tasks.pop()? {
                Task::Visit(visited) => return Some(Ok(visited)),
                Task::Descend(subtree) => self.gap = self.descend(&subtree).err(),
            }
        }
    }

    /// The start of the next region that holds an executable image.
    pub(in crate::os::windows) fn next_image(&mut self) -> Option<Result<Va>> {
        loop {
            let visited = match self.step()? {
                Ok(it) => it,
                Err(gap) => return Some(Err(gap)),
            };
            let is_image = match visited.is_image {
                Some(is_image) => Ok(is_image),
                None => Region::new(self.windows, visited.vad).is_image(),
            };
            match is_image {
                Ok(true) => return Some(Ok(visited.start)),
                Ok(false) => {}
                Err(gap) => return Some(Err(gap)),
            }
        }
    }

    /// Replaces a sub-tree by its left side, its node and its right side.
    fn descend(&mut self, subtree: &Subtree) -> Result<()> {
        let node = node(self.windows, subtree)?;
        // Both sides are told apart before anything is queued, so that a
        // damaged one costs neither the node nor the other side.
        let right = node.below(subtree, false);
        let left = node.below(subtree, true);
        if self.tasks.len() >= MAX_DEPTH.saturating_mul(2) {
            return Err(Error::corrupt(
                "_MM_AVL_TABLE",
                self.process,
                "the tree is deeper than a balanced one can be",
            ));
        }
        let mut queue = |side: Option<Subtree>| self.tasks.extend(side.map(Task::Descend));
        let mut gap = None;
        match right {
            Ok(side) => queue(side),
            Err(error) => gap = Some(error),
        }
        let visited = Visited {
            vad: node.region.vad(),
            start: Va(node.first.wrapping_mul(PAGE_SIZE)),
            is_image: node.is_image,
        };
        self.tasks.push(Task::Visit(visited));
        match left {
            Ok(side) => self.tasks.extend(side.map(Task::Descend)),
            Err(error) => gap = gap.or(Some(error)),
        }
        gap.map_or(Ok(()), Err)
    }
}

impl<'a> Iterator for Regions<'a> {
    type Item = Result<Region<'a>>;

    fn next(&mut self) -> Option<Self::Item> {
        let visited = self.step()?;
        Some(visited.map(|visited| Region::new(self.windows, visited.vad)))
    }
}

/// The region that holds `va`, searched from `root` down.
pub(super) fn find<'a>(
    windows: &'a Windows,
    process: Va,
    root: Option<Va>,
    va: Va,
) -> Result<Option<Region<'a>>> {
    let page = va.0 / PAGE_SIZE;
    let mut subtree = root.map(whole);
    for _ in 0..MAX_DEPTH {
        let Some(current) = subtree else {
            return Ok(None);
        };
        let node = node(windows, &current)?;
        if (node.first..=node.last).contains(&page) {
            return Ok(Some(node.region));
        }
        subtree = node.below(&current, page < node.first)?;
    }
    Err(Error::corrupt(
        "_MM_AVL_TABLE",
        process,
        "the tree is deeper than a balanced one can be",
    ))
}
