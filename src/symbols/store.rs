//! Finding the symbols of a module.

use std::{
    fs::{self, File},
    io::Read,
    path::{Path, PathBuf},
    sync::Arc,
};

use super::{
    PdbId, Profile, archive,
    cache::{Cache, Stamp},
    isf, pdb, places, registry,
};
use crate::{
    core::Progress,
    error::{Error, MissingSymbols, Result},
};

/// An ordered list of files and directories with symbols, and a cache.
///
/// Profiles are parsed once: sessions of one process share them, and those from
/// slow formats are kept in the cache as ISR archives.
#[derive(Debug, Clone, Default)]
pub struct Store {
    places: Vec<PathBuf>,
    cache: Option<Cache>,
}

impl Store {
    /// No places, no cache.
    pub fn new() -> Self {
        Self::default()
    }

    /// Puts a file or directory behind the places already there. It need not
    /// exist yet.
    pub fn add(&mut self, place: impl Into<PathBuf>) {
        self.places.push(place.into());
    }

    /// Sets the root of the cache; `None` switches it off.
    pub fn set_cache(&mut self, root: Option<PathBuf>) {
        self.cache = root.map(Cache::new);
    }

    /// The places, in the order in which they are searched.
    pub fn places(&self) -> &[PathBuf] {
        &self.places
    }

    /// Finds and reads the symbols of a module.
    ///
    /// A file counts only if GUID and age are those asked for. A damaged file
    /// is passed over, and reported when nothing better is found.
    ///
    /// # Errors
    /// [`Error::NoSymbols`] when no place has them, [`Error::Format`] or
    /// [`Error::Io`] when the only file that has them cannot be used,
    /// [`Error::Cancelled`] when `progress` says so.
    pub fn load(&self, id: &PdbId, progress: &dyn Progress) -> Result<Arc<Profile>> {
        let mut failure = None;
        for path in self.files(id) {
            match self.open(&path, id, progress) {
                Ok(Some(profile)) => return Ok(profile),
                Ok(None) => {}
                Err(Error::Cancelled) => return Err(Error::Cancelled),
                Err(error) => failure = failure.or(Some(error)),
            }
        }
        Err(failure.unwrap_or_else(|| self.missing(id)))
    }

    /// Files that may hold the symbols: those in the places, then what other
    /// tools left in the cache.
    fn files(&self, id: &PdbId) -> Vec<PathBuf> {
        let in_places = self.places.iter().flat_map(|place| files_in(place, id));
        let in_cache = self.cache.iter().flat_map(|cache| cache.foreign(id));
        in_places.chain(in_cache).collect()
    }

    /// The symbols in a file, shared; `None` when they are another module's.
    fn open(
        &self,
        path: &Path,
        id: &PdbId,
        progress: &dyn Progress,
    ) -> Result<Option<Arc<Profile>>> {
        let io = |source| Error::io(format!("read {path:?}"), source);
        let stamp = Stamp::of(path).map_err(io)?;
        registry::share((id.clone(), stamp.clone()), || {
            progress.step("reading symbols", 0, 0)?;
            self.read(path, &stamp, id)
                .map_err(|error| in_file(path, error))
        })
    }

    /// The symbols in a file, from the cache if it has been read before.
    fn read(&self, path: &Path, stamp: &Stamp, id: &PdbId) -> Result<Option<Profile>> {
        let format = Format::of(path)?;
        if let Format::Archive = format {
            return read_archive(path, id);
        }
        if let Some(profile) = self.cache.as_ref().and_then(|cache| cache.load(id, stamp)) {
            return Ok(Some(profile));
        }
        let profile = match format {
            Format::Pdb => pdb::read(path, id)?,
            _ => isf::read(path, id)?,
        };
        if let (Some(cache), Some(profile)) = (&self.cache, &profile) {
            cache.store(profile, stamp);
        }
        Ok(profile)
    }

    fn missing(&self, id: &PdbId) -> Error {
        let cache = self.cache.as_ref().map(|cache| cache.root().to_owned());
        Error::NoSymbols(Box::new(MissingSymbols {
            pdb: id.name.clone(),
            guid: id.guid_text(),
            age: id.age,
            searched: self.places.iter().cloned().chain(cache).collect(),
        }))
    }
}

/// Files of one place that may hold the symbols.
fn files_in(place: &Path, id: &PdbId) -> Vec<PathBuf> {
    match fs::metadata(place) {
        Ok(found) if found.is_dir() => places::candidates(place, id),
        Ok(_) if !places::names_another(place, id) => vec![place.to_owned()],
        _ => Vec::new(),
    }
}

/// Formats that symbols come in.
#[derive(Clone, Copy)]
enum Format {
    Archive,
    Isf,
    Pdb,
}

impl Format {
    /// Tells by a file's first bytes; archives have nothing to tell them by.
    fn of(path: &Path) -> Result<Self> {
        let io = |source| Error::io(format!("read {path:?}"), source);
        let mut start = Vec::new();
        let file = File::open(path).map_err(io)?;
        file.take(16).read_to_end(&mut start).map_err(io)?;
        Ok(match start.trim_ascii_start() {
            [b'M', b'i', b'c', b'r', b'o', b's', b'o', b'f', b't', ..] => Self::Pdb,
            [b'{', ..] | [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => Self::Isf,
            _ => Self::Archive,
        })
    }
}

fn read_archive(path: &Path, id: &PdbId) -> Result<Option<Profile>> {
    if !places::archive_is_of(path, id) {
        return Ok(None);
    }
    Profile::from_bytes(id.clone(), archive::read(path)?).map(Some)
}

/// Says which file is damaged.
fn in_file(path: &Path, error: Error) -> Error {
    match error {
        Error::Format { format, reason } => {
            Error::format(format, format!("{}: {reason}", path.display()))
        }
        other => other,
    }
}
