//! How a session is opened.

use std::{path::PathBuf, sync::Arc};

use crate::{
    core::{Pagefiles, Progress},
    driver::{self, FileMode, OpenOptions},
    error::{Error, Result},
    symbols::{MICROSOFT_SERVER, Store, SymbolPath, default_cache},
};

/// Where parsed symbols are kept between runs.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum ProfileCache {
    /// `$XDG_CACHE_HOME/winvmi`, else `~/.cache/winvmi`.
    #[default]
    Default,
    /// Nowhere.
    Off,
    /// In this directory.
    Directory(PathBuf),
}

/// A copy of one of the guest's page files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PagefilePath {
    /// Its number, 0 to 15: the first is that of `pagefile.sys`.
    pub number: u8,
    /// Where the copy is.
    pub path: PathBuf,
}

/// How a session is opened. [`Config::default`] suits most.
#[derive(Clone)]
pub struct Config {
    /// Name of the session in log records.
    pub name: String,
    /// Files and directories with symbols, in order of preference.
    pub symbol_paths: Vec<PathBuf>,
    /// Whether the local stores of `_NT_SYMBOL_PATH` are searched, too.
    pub symbol_environment: bool,
    /// Where parsed symbols are kept.
    pub profile_cache: ProfileCache,
    /// Never use the network, even where the build could.
    pub offline: bool,
    /// How image files are accessed.
    pub file_mode: FileMode,
    /// Page files of the guest, for pages that are not in memory.
    pub pagefiles: Vec<PagefilePath>,
    /// Number of cached translations (64 to 1,048,576; rounded up to a power of two).
    pub translation_slots: usize,
    /// Watches long calls.
    pub progress: Option<Arc<dyn Progress + Send>>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            name: String::from("winvmi"),
            symbol_paths: Vec::new(),
            symbol_environment: true,
            profile_cache: ProfileCache::default(),
            offline: true,
            file_mode: FileMode::default(),
            pagefiles: Vec::new(),
            translation_slots: crate::core::DEFAULT_TRANSLATION_SLOTS,
            progress: None,
        }
    }
}

impl Config {
    pub(super) fn open_options(&self) -> OpenOptions {
        OpenOptions {
            file_mode: self.file_mode,
        }
    }

    /// Opens the page files.
    ///
    /// # Errors
    /// When one cannot be opened, or has an impossible number.
    pub(super) fn open_pagefiles(&self) -> Result<Pagefiles> {
        let mut pagefiles = Pagefiles::default();
        for PagefilePath { number, path } in &self.pagefiles {
            let file = driver::open_pagefile(path, self.open_options())?;
            if !pagefiles.insert(*number, file) {
                let reason = format!("{number} is not the number of a page file (0 to 15)");
                return Err(Error::invalid_argument("pagefiles", reason));
            }
        }
        Ok(pagefiles)
    }

    /// Where symbols are looked for: first in `paths`.
    pub(super) fn symbol_store(&self, paths: &[PathBuf]) -> Store {
        let environment = match self.symbol_environment {
            true => SymbolPath::from_environment(),
            false => SymbolPath::default(),
        };
        let mut store = Store::new();
        let places = paths.iter().chain(&self.symbol_paths);
        for place in places.chain(&environment.stores) {
            store.add(place);
        }
        store.set_cache(match &self.profile_cache {
            ProfileCache::Default => default_cache(),
            ProfileCache::Off => None,
            ProfileCache::Directory(root) => Some(root.clone()),
        });
        store.set_servers(match environment.servers {
            _ if self.offline => Vec::new(),
            none if none.is_empty() => vec![MICROSOFT_SERVER.into()],
            servers => servers,
        });
        store
    }

    pub(super) fn progress(&self) -> &dyn Progress {
        match &self.progress {
            Some(progress) => &**progress,
            None => &(),
        }
    }
}
