//! The state record: what was changed in a domain, written before it is changed.
//!
//! One small file per domain outside of this process. Whoever holds its lock may
//! change the domain; a record that nobody holds but that is not empty was left by
//! a killed process, and the next open restores the domain from it.
//!
//! The file is a fixed first line whose last byte tells whether the domain is
//! paused, or processors of it are held, then one line per change, only ever appended. A last line that was
//! cut short is ignored: its change was not made yet.

use std::{
    collections::BTreeSet,
    env,
    fs::{self, File, OpenOptions},
    io::{Read, Seek, Write},
    os::{
        fd::AsRawFd,
        unix::fs::{FileExt, OpenOptionsExt},
    },
    path::PathBuf,
};

use super::domain::DomainInfo;
use crate::{
    core::Gfn,
    error::{Error, Result},
};

/// First line: format, version, and a sum: 1 while the domain is paused by us,
/// 2 while some of its processors are.
const HEADER: &[u8] = b"winvmi xen 1 paused 0\n";

/// Position of that digit.
const PAUSED_AT: u64 = 20;

/// Longest record that is read: some 100,000 shadow frames.
const SIZE_LIMIT: u64 = 4 << 20;

/// Directory of the records, when `WINVMI_STATE_DIR` does not name one.
const DIRECTORY: &str = "/run/winvmi";

/// What has been changed in a domain.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Changes {
    /// It is paused.
    pub(super) paused: bool,
    /// Some of its processors are held.
    pub(super) held: bool,
    /// UUID of the domain that the record is about.
    pub(super) uuid: String,
    /// Its memory limit before, in KiB.
    pub(super) max_memory: Option<u64>,
    /// Alternative views were off before.
    pub(super) views_enabled: bool,
    /// The monitor was enabled.
    pub(super) monitored: bool,
    /// Views made.
    pub(super) views: BTreeSet<u16>,
    /// Frames added.
    pub(super) frames: BTreeSet<u64>,
}

/// One change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Change {
    /// The memory limit will differ from this, in KiB.
    MaxMemory(u64),
    /// Alternative views are switched on.
    EnableViews,
    /// The monitor is enabled.
    Monitor,
    /// A view was made.
    View(u16),
    /// A view was destroyed.
    ViewGone(u16),
    /// A frame is added.
    Frame(Gfn),
    /// A frame is not there after all.
    FrameGone(Gfn),
    /// Its views and the monitor are gone again; frames and the memory limit are not.
    Unwatched,
}

impl Changes {
    /// Is there anything to restore?
    pub(super) fn is_empty(&self) -> bool {
        let none = Self {
            uuid: self.uuid.clone(),
            ..Self::default()
        };
        *self == none
    }

    /// What undoing the changes does, for the log.
    pub(super) fn describe(&self) -> String {
        let counted = |count: usize, what: &str| match count {
            0 => None,
            1 => Some(format!("{what} (1)")),
            count => Some(format!("{what}s ({count})")),
        };
        let done = |was: bool, what: &str| was.then(|| what.to_owned());
        let parts = [
            done(self.paused, "resumed the domain"),
            done(self.held, "released its processors"),
            done(self.monitored, "disabled its monitor"),
            counted(self.views.len(), "destroyed view"),
            done(self.views_enabled, "switched its views off"),
            counted(self.frames.len(), "freed shadow frame"),
            self.max_memory
                .map(|kib| format!("set its memory limit back to {kib} KiB")),
        ];
        parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
    }

    fn apply(&mut self, change: Change) {
        match change {
            Change::MaxMemory(kib) => self.max_memory = Some(kib),
            Change::EnableViews => self.views_enabled = true,
            Change::Monitor => self.monitored = true,
            Change::View(view) => drop(self.views.insert(view)),
            Change::ViewGone(view) => drop(self.views.remove(&view)),
            Change::Frame(gfn) => drop(self.frames.insert(gfn.0)),
            Change::FrameGone(gfn) => drop(self.frames.remove(&gfn.0)),
            Change::Unwatched => {
                self.views_enabled = false;
                self.monitored = false;
                self.views.clear();
            }
        }
    }

    /// Reads a record; none when there is nothing in it.
    fn parse(bytes: &[u8]) -> Option<Self> {
        let (header, lines) = bytes.split_at_checked(HEADER.len())?;
        let (fixed, paused) = header.split_at_checked(PAUSED_AT as usize)?;
        if !HEADER.starts_with(fixed) {
            return None;
        }
        let stopped = paused.first().map_or(0, |digit| digit & 3);
        let mut changes = Self {
            paused: stopped & 1 != 0,
            held: stopped & 2 != 0,
            ..Self::default()
        };
        let lines = String::from_utf8_lossy(lines);
        for line in lines.split_inclusive('\n') {
            let Some(line) = line.strip_suffix('\n') else {
                break;
            };
            match line.strip_prefix("domain ") {
                Some(uuid) => changes.uuid = uuid.to_owned(),
                None => Change::parse(line)
                    .into_iter()
                    .for_each(|change| changes.apply(change)),
            }
        }
        Some(changes)
    }
}

impl Change {
    fn parse(line: &str) -> Option<Self> {
        let (word, number) = line.split_once(' ').unwrap_or((line, "0"));
        let number: u64 = number.parse().ok()?;
        let view = u16::try_from(number);
        Some(match word {
            "max-memory" => Self::MaxMemory(number),
            "views" => Self::EnableViews,
            "monitor" => Self::Monitor,
            "view" => Self::View(view.ok()?),
            "view-gone" => Self::ViewGone(view.ok()?),
            "frame" => Self::Frame(Gfn(number)),
            "frame-gone" => Self::FrameGone(Gfn(number)),
            "unwatched" => Self::Unwatched,
            _ => return None,
        })
    }

    fn line(self) -> String {
        match self {
            Self::MaxMemory(kib) => format!("max-memory {kib}\n"),
            Self::EnableViews => "views\n".to_owned(),
            Self::Monitor => "monitor\n".to_owned(),
            Self::View(view) => format!("view {view}\n"),
            Self::ViewGone(view) => format!("view-gone {view}\n"),
            Self::Frame(gfn) => format!("frame {}\n", gfn.0),
            Self::FrameGone(gfn) => format!("frame-gone {}\n", gfn.0),
            Self::Unwatched => "unwatched\n".to_owned(),
        }
    }
}

/// A record that this process holds the lock of.
pub(super) struct Record {
    file: File,
    changes: Changes,
}

impl Record {
    /// Takes the record of domain `id`. None when another process holds it.
    ///
    /// What a killed process left about this very domain is in
    /// [`Record::changes`]; what it left about an earlier one is dropped.
    pub(super) fn take(id: u32, info: &DomainInfo) -> Result<Option<Self>> {
        let file = open(id)?;
        // SAFETY: the descriptor is open.
        if unsafe { libc::flock(file.as_raw_fd(), libc::LOCK_EX | libc::LOCK_NB) } != 0 {
            return Ok(None);
        }
        let mut bytes = Vec::new();
        (&file)
            .take(SIZE_LIMIT)
            .read_to_end(&mut bytes)
            .map_err(|cause| Error::io("read the state record", cause))?;
        let uuid = hex(&info.uuid);
        let changes = Changes::parse(&bytes)
            .filter(|changes| changes.uuid == uuid)
            .unwrap_or_default();
        let mut record = Self { file, changes };
        if record.changes.is_empty() {
            record.clear(uuid)?;
        }
        Ok(Some(record))
    }

    /// What has been changed so far.
    pub(super) fn changes(&self) -> &Changes {
        &self.changes
    }

    /// Notes a change, before it is made.
    pub(super) fn note(&mut self, change: Change) -> Result<()> {
        self.write(change.line().as_bytes())?;
        self.changes.apply(change);
        Ok(())
    }

    /// Notes whether the domain is paused.
    pub(super) fn set_paused(&mut self, paused: bool) -> Result<()> {
        self.set_stopped(paused, self.changes.held)
    }

    /// Notes whether some of its processors are held.
    pub(super) fn set_held(&mut self, held: bool) -> Result<()> {
        self.set_stopped(self.changes.paused, held)
    }

    fn set_stopped(&mut self, paused: bool, held: bool) -> Result<()> {
        let digit = [b'0' | u8::from(paused) | u8::from(held) << 1];
        self.file
            .write_all_at(&digit, PAUSED_AT)
            .map_err(|cause| Error::io("write the state record", cause))?;
        self.changes.paused = paused;
        self.changes.held = held;
        Ok(())
    }

    /// The domain runs as it did, but for its memory.
    pub(super) fn note_running(&mut self) -> Result<()> {
        self.note(Change::Unwatched)?;
        self.set_stopped(false, false)
    }

    /// Everything is as it was: starts anew.
    pub(super) fn restored(&mut self) -> Result<()> {
        let uuid = std::mem::take(&mut self.changes.uuid);
        self.clear(uuid)
    }

    fn clear(&mut self, uuid: String) -> Result<()> {
        let emptied = self.file.set_len(0).and_then(|()| self.file.rewind());
        emptied.map_err(|cause| Error::io("empty the state record", cause))?;
        self.write(HEADER)?;
        self.write(format!("domain {uuid}\n").as_bytes())?;
        self.changes = Changes {
            uuid,
            ..Changes::default()
        };
        Ok(())
    }

    fn write(&mut self, bytes: &[u8]) -> Result<()> {
        let written = self.file.write_all(bytes);
        written.map_err(|cause| Error::io("write the state record", cause))
    }
}

fn open(id: u32) -> Result<File> {
    let directory = env::var_os("WINVMI_STATE_DIR").map_or_else(|| DIRECTORY.into(), PathBuf::from);
    let path = directory.join(format!("xen-{id}"));
    fs::create_dir_all(&directory)
        .and_then(|()| {
            OpenOptions::new()
                .read(true)
                .write(true)
                .create(true)
                .truncate(false)
                .mode(0o600)
                .open(&path)
        })
        .map_err(|cause| Error::io(format!("open the state record {}", path.display()), cause))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_what_was_noted() {
        let mut text = HEADER.to_vec();
        text.extend(b"domain 00ff\n");
        let changes = [
            Change::MaxMemory(65540),
            Change::EnableViews,
            Change::View(1),
            Change::View(2),
            Change::ViewGone(1),
            Change::Frame(Gfn(0xff001)),
            Change::Frame(Gfn(0xff002)),
            Change::FrameGone(Gfn(0xff001)),
        ];
        for change in changes {
            text.extend(change.line().into_bytes());
        }
        let mut running = text.clone();
        text.extend(b"frame 77");
        let read = Changes::parse(&text).unwrap();
        assert_eq!(read.uuid, "00ff");
        assert_eq!(read.max_memory, Some(65540));
        assert_eq!(read.views, BTreeSet::from([2]));
        assert_eq!(read.frames, BTreeSet::from([0xff002]));
        assert!(read.views_enabled && !read.paused && !read.monitored && !read.is_empty());
        assert_eq!(
            read.describe(),
            "destroyed view (1), switched its views off, freed shadow frame (1), \
             set its memory limit back to 65540 KiB"
        );
        running.extend(Change::Unwatched.line().into_bytes());
        let read = Changes::parse(&running).unwrap();
        assert_eq!(
            read.describe(),
            "freed shadow frame (1), set its memory limit back to 65540 KiB"
        );
    }

    #[test]
    fn the_paused_digit_is_where_it_is_written() {
        let mut text = HEADER.to_vec();
        assert_eq!(text[PAUSED_AT as usize], b'0');
        for digit in 0..4 {
            text[PAUSED_AT as usize] = b'0' + digit;
            let read = Changes::parse(&text).unwrap();
            assert_eq!((read.paused, read.held), (digit & 1 != 0, digit & 2 != 0));
        }
    }

    #[test]
    fn damaged_records_say_nothing() {
        assert_eq!(Changes::parse(b""), None);
        assert_eq!(Changes::parse(b"something else, longer than it"), None);
        let mut text = HEADER.to_vec();
        text.extend(b"frame x\nview 70000\n\xff\xfe\n");
        assert!(Changes::parse(&text).unwrap().is_empty());
    }
}
