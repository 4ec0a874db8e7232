//! Doubly linked lists of the kernel (`_LIST_ENTRY`).
//!
//! A walk checks that each entry's `Blink` names the entry it came from. An
//! entry has one `Blink`, so no damaged list can send the walk in a circle, and
//! nothing needs to be remembered. Where the check fails the list is read
//! backwards from its tail, so that the good entries behind the damage come out.

use super::{Architecture, Record};
use crate::{
    core::{Memory, Space, Va},
    error::{Error, Result},
};

/// More entries than any real list has: the bound of a walk through a guest
/// that changes under it.
const MAX_ENTRIES: u32 = 1 << 22;

/// What is looked at of a structure lies behind its links mostly, in this many bytes.
const AHEAD: u64 = 384;

/// Which way the walk goes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Direction {
    Forward,
    Backward,
    Done,
}

/// Addresses of the entries of a list; an `Err` is a gap.
pub struct List<'a> {
    record: Record<'a>,
    structure: &'static str,
    head: Va,
    /// Entry that the walk stands on (the head before the first).
    current: Va,
    /// Its links, when the previous step read them.
    links: Option<Links>,
    /// Last entry that came out going forward.
    last_forward: Va,
    direction: Direction,
    architecture: Architecture,
    left: u32,
}

/// One `_LIST_ENTRY`.
struct Links {
    flink: Va,
    blink: Va,
}

impl<'a> List<'a> {
    /// The list whose head is at `head`; `structure` names it in errors.
    pub fn new(memory: &'a Memory, space: Space, head: Va, structure: &'static str) -> Self {
        Self {
            record: Record::new(memory, space, head),
            structure,
            head,
            current: head,
            links: None,
            last_forward: head,
            direction: Direction::Forward,
            architecture: Architecture::Amd64,
            left: MAX_ENTRIES,
        }
    }

    /// The same list with the links of `architecture`, and at most `limit` entries.
    pub const fn of_user(self, architecture: Architecture, limit: u32) -> Self {
        Self {
            architecture,
            left: limit,
            ..self
        }
    }

    #[inline]
    fn read_links(&self, entry: Va) -> Result<Links> {
        let record = self.record.at(entry);
        let (flink, blink) = match self.architecture {
            Architecture::Amd64 => {
                let [flink, blink] = record.leading()?;
                (u64::from_le_bytes(flink), u64::from_le_bytes(blink))
            }
            Architecture::X86 => {
                let [flink, blink] = record.leading()?;
                let wide = |it| u32::from_le_bytes(it).into();
                (wide(flink), wide(blink))
            }
        };
        Ok(Links {
            flink: Va(flink),
            blink: Va(blink),
        })
    }

    /// The neighbour in the walk's direction, when it points back at `current`.
    fn neighbour(&mut self, forward: bool) -> Result<Va> {
        let here = match self.links.take() {
            Some(links) => links,
            None => self.read_links(self.current)?,
        };
        let next = if forward { here.flink } else { here.blink };
        let there = self.read_links(next)?;
        let back = if forward { there.blink } else { there.flink };
        if back != self.current {
            return Err(Error::corrupt(
                self.structure,
                self.current,
                format!("its neighbour {next} links to {back}"),
            ));
        }
        self.fetch(if forward { there.flink } else { there.blink });
        self.links = Some(there);
        Ok(next)
    }

    /// Has the processor fetch the entry after the next: a list is one cache miss
    /// after another, which pass while the caller looks at the entry before.
    fn fetch(&self, entry: Va) {
        let length = entry.left_in_page().min(AHEAD);
        let memory = self.record.memory();
        memory.anticipate(self.record.space(), entry.0, length as usize);
    }

    fn forward(&mut self) -> Option<Result<Va>> {
        match self.neighbour(true) {
            Ok(next) if next == self.head => {
                self.direction = Direction::Done;
                None
            }
            Ok(next) => {
                self.current = next;
                self.last_forward = next;
                Some(Ok(next))
            }
            Err(gap) => {
                self.current = self.head;
                self.direction = Direction::Backward;
                Some(Err(gap))
            }
        }
    }

    /// The gap was told already: whatever stops the way back just ends the walk.
    fn backward(&mut self) -> Option<Result<Va>> {
        match self.neighbour(false) {
            Ok(next) if next != self.head && next != self.last_forward => {
                self.current = next;
                Some(Ok(next))
            }
            _ => {
                self.direction = Direction::Done;
                None
            }
        }
    }
}

impl Iterator for List<'_> {
    type Item = Result<Va>;

    fn next(&mut self) -> Option<Self::Item> {
        self.left = self.left.checked_sub(1)?;
        match self.direction {
            Direction::Forward => self.forward(),
            Direction::Backward => self.backward(),
            Direction::Done => None,
        }
    }
}
