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
    servers: Vec<String>,
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

    /// Sets the addresses of the symbol servers that are asked last; none, as at
    /// first, means offline. What they deliver goes into the cache, without which
    /// nothing is downloaded; so it is in builds without the feature
    /// `symbol-server`.
    pub fn set_servers(&mut self, servers: Vec<String>) {
        self.servers = servers;
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
        match self.search(&self.files(id), id, progress) {
            Ok(Some(profile)) => Ok(profile),
            Err(Error::Cancelled) => Err(Error::Cancelled),
            unusable => match self.fetch(id, progress) {
                Ok(Some(profile)) => Ok(profile),
                Err(Error::Cancelled) => Err(Error::Cancelled),
                _ => Err(unusable.err().unwrap_or_else(|| self.missing(id))),
            },
        }
    }

    /// Identities of the modules called one of `names` whose symbols are at hand:
    /// for images that do not tell the identity of their own.
    pub fn identities(&self, names: &[&str]) -> Vec<PdbId> {
        let cache = self.cache.iter().map(|cache| cache.root());
        let directories = self.places.iter().map(PathBuf::as_path).chain(cache);
        let mut ids = Vec::new();
        for place in directories {
            match names.first() {
                Some(name) if place.is_file() => ids.extend(places::identity(place, name)),
                _ => ids.extend(places::identities(place, names)),
            }
        }
        ids
    }

    /// The symbols in the first usable file, else what is wrong with the first
    /// unusable one.
    fn search(
        &self,
        files: &[PathBuf],
        id: &PdbId,
        progress: &dyn Progress,
    ) -> Result<Option<Arc<Profile>>> {
        let mut failure = None;
        for path in files {
            match self.open(path, id, progress) {
                Ok(None) => {}
                Err(error) if !matches!(error, Error::Cancelled) => {
                    failure = failure.or(Some(error));
                }
                decided => return decided,
            }
        }
        failure.map_or(Ok(None), Err)
    }

    /// The symbols from a server, kept in the cache; `None` without either.
    #[cfg(feature = "symbol-server")]
    fn fetch(&self, id: &PdbId, progress: &dyn Progress) -> Result<Option<Arc<Profile>>> {
        let root = match &self.cache {
            Some(cache) if !self.servers.is_empty() => cache.root(),
            _ => return Ok(None),
        };
        if places::cache_directory(root, id).is_none() {
            return Ok(None);
        }
        let path = super::server::download(root, &self.servers, id, progress)?;
        let profile = self.open(&path, id, progress);
        if !matches!(profile, Ok(Some(_)) | Err(Error::Cancelled)) {
            // Else it would be taken for the answer for ever.
            let _ = fs::remove_file(path);
        }
        profile
    }

    /// This build has no network stack.
    #[cfg(not(feature = "symbol-server"))]
    fn fetch(&self, _id: &PdbId, _progress: &dyn Progress) -> Result<Option<Arc<Profile>>> {
        Ok(None)
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
        let cache = self.cache.iter().map(|cache| cache.root().to_owned());
        let servers = match cfg!(feature = "symbol-server") {
            true => self.servers.as_slice(),
            false => &[],
        };
        let servers = servers.iter().map(PathBuf::from);
        Error::NoSymbols(Box::new(MissingSymbols {
            pdb: id.name.clone(),
            guid: id.guid_text(),
            age: id.age,
            searched: self
                .places
                .iter()
                .cloned()
                .chain(cache)
                .chain(servers)
                .collect(),
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
        let text = start.trim_ascii_start();
        Ok(match text {
            _ if text.starts_with(b"Microsoft C/C++") => Self::Pdb,
            _ if text.starts_with(b"{") || text.starts_with(b"\xfd7zXZ") => Self::Isf,
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
