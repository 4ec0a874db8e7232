//! Parsed profiles kept on disk, in the layout of `isr`'s own cache.

use std::{
    fs::{self, File},
    io::{self, Write},
    path::{Path, PathBuf},
    process,
    sync::atomic::{AtomicU64, Ordering},
    time::SystemTime,
};

use super::{
    PdbId, Profile, archive,
    places::{self, ARCHIVE},
};

/// Name of the file that tells what a cached profile was made from.
const ORIGIN: &str = "profile.origin";

/// A directory of ISR archives, made from slower formats.
#[derive(Debug, Clone)]
pub(super) struct Cache {
    root: PathBuf,
}

/// State of a file: a cached profile is as good as what it was made from.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Stamp {
    path: PathBuf,
    len: u64,
    modified: Option<SystemTime>,
}

impl Stamp {
    /// The present state of a file.
    ///
    /// # Errors
    /// The system's, when the file is not there.
    pub(super) fn of(path: &Path) -> io::Result<Self> {
        let metadata = fs::metadata(path)?;
        Ok(Self {
            path: fs::canonicalize(path)?,
            len: metadata.len(),
            modified: metadata.modified().ok(),
        })
    }
}

/// Where caches lie by convention: `$XDG_CACHE_HOME/winvmi`, else
/// `~/.cache/winvmi`; `None` without a home.
pub fn default_cache() -> Option<PathBuf> {
    let absolute = |variable| {
        let path = PathBuf::from(std::env::var_os(variable)?);
        path.is_absolute().then_some(path)
    };
    let base = absolute("XDG_CACHE_HOME").or_else(|| Some(absolute("HOME")?.join(".cache")));
    Some(base?.join("winvmi"))
}

impl Cache {
    pub(super) fn new(root: PathBuf) -> Self {
        Self { root }
    }

    pub(super) fn root(&self) -> &Path {
        &self.root
    }

    /// Files of other makers: an archive of another tool, a downloaded PDB.
    ///
    /// Archives of this cache stand for the file that they were made from, and
    /// for nothing when that is not among the places any more.
    pub(super) fn foreign(&self, id: &PdbId) -> Vec<PathBuf> {
        let mut files = places::candidates(&self.root, id);
        files.retain(|path| !path.ends_with(ARCHIVE) || !path.with_file_name(ORIGIN).exists());
        files
    }

    /// The cached profile made from a file in this state; `None` when there is
    /// none or it is damaged.
    pub(super) fn load(&self, id: &PdbId, origin: &Stamp) -> Option<Profile> {
        let directory = places::cache_directory(&self.root, id)?;
        let recorded = fs::read(directory.join(ORIGIN)).ok()?;
        if recorded != describe(origin) {
            return None;
        }
        Profile::from_bytes(id.clone(), archive::read(&directory.join(ARCHIVE)).ok()?).ok()
    }

    /// Keeps a profile. A cache that cannot be written costs time, nothing else.
    pub(super) fn store(&self, profile: &Profile, origin: &Stamp) {
        if let Some(directory) = places::cache_directory(&self.root, profile.id()) {
            // Best effort: the profile is in memory already.
            let _ = fill(&directory, profile, origin);
        }
    }
}

/// The origin is withdrawn first: a half-written pair never looks complete.
fn fill(directory: &Path, profile: &Profile, origin: &Stamp) -> io::Result<()> {
    fs::create_dir_all(directory)?;
    let record = directory.join(ORIGIN);
    match fs::remove_file(&record) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    replace(&directory.join(ARCHIVE), profile.as_bytes())?;
    replace(&record, &describe(origin))
}

fn describe(origin: &Stamp) -> Vec<u8> {
    let since = |time: SystemTime| time.duration_since(SystemTime::UNIX_EPOCH).ok();
    let modified = origin.modified.and_then(since).unwrap_or_default();
    let mut text = origin.path.as_os_str().as_encoded_bytes().to_vec();
    text.extend(format!("\n{}\n{}\n", origin.len, modified.as_nanos()).bytes());
    text
}

/// Writes a file under a name of its own, then gives it its final name: readers
/// see the old contents or the new, never a part.
fn replace(path: &Path, contents: &[u8]) -> io::Result<()> {
    static SERIAL: AtomicU64 = AtomicU64::new(0);
    let serial = SERIAL.fetch_add(1, Ordering::Relaxed);
    let part = path.with_extension(format!("{}-{serial}.part", process::id()));
    let mut file = File::create_new(&part)?;
    let written = file
        .write_all(contents)
        .and_then(|()| fs::rename(&part, path));
    if written.is_err() {
        // Nothing refers to the unfinished file.
        let _ = fs::remove_file(&part);
    }
    written
}
