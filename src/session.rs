//! A session: one opened guest, with its memory, its kernel and its symbols.
//!
//! Opening succeeds without symbols and without a Windows kernel: memory can
//! be read in any case, and Windows calls say what is missing.

mod config;
mod locate;
mod nearest;
mod pause;
mod report;
mod user_symbol;

use std::{
    collections::HashSet,
    path::PathBuf,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

use once_cell::sync::OnceCell;

pub use self::{
    config::{Config, PagefilePath, ProfileCache},
    nearest::{NearestSymbol, SymbolFinder},
    user_symbol::UserSymbol,
};
use crate::{
    core::{
        Capabilities, Driver, Memory, Pagefiles, Progress, Registers, Space, Va,
        driver::{DriverInfo, Hints, Masked},
    },
    driver::{self, Target},
    error::{Error, MissingSymbols, Result},
    log::Log,
    os::windows::{
        Windows,
        kernel::{self, FoundKernel},
    },
    symbols::{PdbId, Profile, Store},
};

/// One opened guest. `Send + Sync`: readers on many threads share no lock.
pub struct Session {
    config: Config,
    memory: Arc<Memory>,
    located: Result<FoundKernel>,
    pagefiles: Pagefiles,
    windows: OnceCell<Windows>,
    /// Modules whose symbols were looked for in vain.
    unfound: Mutex<HashSet<PdbId>>,
    /// Why the last attempt to load symbols failed.
    symbols_error: Mutex<Option<Error>>,
    /// How often long calls were told to end.
    cancellations: AtomicU64,
    /// Pauses of the guest that are held.
    pauses: Mutex<u32>,
    log: Log,
    /// Whether long calls are to end at once, for good.
    ending: AtomicBool,
}

impl Session {
    /// Opens a guest: a path (its format is found out), or a prefix and what it
    /// applies to (`"kdmp:memory.dmp"`, `"raw:memory.img"`).
    ///
    /// # Errors
    /// Only when the guest's memory cannot be opened. Without kernel or symbols
    /// the session is a memory-only one; see [`Session::windows`].
    pub fn open(target: &str, config: &Config) -> Result<Self> {
        let driver = driver::open(&Target::parse(target)?, config.open_options())?;
        Self::open_driver(driver, config)
    }

    /// Opens a guest behind a caller's own back end.
    pub fn open_driver(driver: Arc<dyn Driver>, config: &Config) -> Result<Self> {
        let driver = Masked::wrap(driver);
        let pagefiles = config.open_pagefiles()?;
        let progress = config.progress();
        let located = locate::locate(&driver, config.translation_slots, progress);
        let (memory, located) = match located {
            Ok((memory, located)) => (memory, Ok(located)),
            Err(Error::Cancelled) => return Err(Error::Cancelled),
            Err(error) => (
                locate::memory_only(&driver, config.translation_slots),
                Err(error),
            ),
        };
        let session = Self {
            config: config.clone(),
            memory,
            located,
            pagefiles,
            windows: OnceCell::new(),
            unfound: Mutex::new(HashSet::new()),
            symbols_error: Mutex::new(None),
            cancellations: AtomicU64::new(0),
            pauses: Mutex::new(0),
            log: Log::new(config.name.as_str()),
            ending: AtomicBool::new(false),
        };
        session.report_opened();
        // What is missing is told by the calls that need it.
        match session.load_symbols(&[]) {
            Err(Error::Cancelled) => Err(Error::Cancelled),
            _ => Ok(session),
        }
    }

    /// Name of the session in log records.
    pub fn name(&self) -> &str {
        &self.config.name
    }

    /// Guest memory.
    pub fn memory(&self) -> &Arc<Memory> {
        &self.memory
    }

    /// Facts about the back end.
    pub fn driver_info(&self) -> DriverInfo {
        self.memory.driver().info()
    }

    /// What the back end can do.
    pub fn capabilities(&self) -> Capabilities {
        self.memory.driver().capabilities()
    }

    /// What the image's headers say, unverified.
    pub fn hints(&self) -> Hints {
        self.memory.driver().hints()
    }

    /// The kernel image and its page-table root, with or without symbols.
    ///
    /// # Errors
    /// [`Error::NoKernel`] when no Windows kernel was found.
    pub fn kernel(&self) -> Result<&FoundKernel> {
        self.located.as_ref().map_err(Clone::clone)
    }

    /// Identity of the kernel's symbols: what the image says, else that of the
    /// symbols that were found to fit.
    pub fn kernel_pdb(&self) -> Option<&PdbId> {
        let told = self.located.as_ref().ok()?.image.pdb.as_ref();
        told.or_else(|| Some(self.windows.get()?.profile().id()))
    }

    /// The Windows layer.
    ///
    /// # Errors
    /// [`Error::NoKernel`] without a kernel, [`Error::NoSymbols`] without its
    /// symbols ([`Session::load_symbols`] completes the session).
    pub fn windows(&self) -> Result<&Windows> {
        match self.windows.get() {
            Some(windows) => Ok(windows),
            None => Err(self.why_no_windows()),
        }
    }

    #[cold]
    fn why_no_windows(&self) -> Error {
        let error = self.symbols_error.lock();
        match (
            &self.located,
            &*error.unwrap_or_else(PoisonError::into_inner),
        ) {
            (Err(error), _) | (Ok(_), Some(error)) => error.clone(),
            (Ok(_), None) => Error::not_found("the kernel's symbols"),
        }
    }

    /// The kernel's address space.
    pub fn kernel_space(&self) -> Result<Space> {
        match self.windows.get() {
            Some(windows) => Ok(windows.space()),
            None => self
                .kernel()
                .map(|kernel| Space::Virtual { root: kernel.root }),
        }
    }

    /// As [`Session::kernel_space`], once its symbols are loaded.
    #[inline]
    pub fn known_kernel_space(&self) -> Option<Space> {
        self.windows.get().map(Windows::space)
    }

    /// Looks for the kernel's symbols in `paths`, then where the configuration
    /// says; does nothing when they are loaded.
    pub fn load_symbols(&self, paths: &[PathBuf]) -> Result<()> {
        let mut tried = false;
        let loaded = self.windows.get_or_try_init(|| {
            tried = true;
            self.attach(paths)
        });
        if tried {
            self.report_symbols(&loaded);
        }
        let error = loaded.err();
        let mut last = self
            .symbols_error
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        last.clone_from(&error);
        error.map_or(Ok(()), Err)
    }

    fn attach(&self, paths: &[PathBuf]) -> Result<Windows> {
        let kernel = self.kernel()?;
        let profile = self.profile(kernel, paths)?;
        let memory = Arc::clone(&self.memory);
        let windows = Windows::new(memory, kernel.image.base, kernel.root, profile)?;
        Ok(windows.with_pagefiles(self.pagefiles.clone()))
    }

    fn profile(&self, kernel: &FoundKernel, paths: &[PathBuf]) -> Result<Arc<Profile>> {
        let store = self.config.symbol_store(paths);
        match &kernel.image.pdb {
            Some(id) => store.load(id, &self.watch()),
            None => self.fitting_profile(kernel, &store),
        }
    }

    /// The symbols of a kernel whose identity is not in the image (triage dumps
    /// hold its header page only): those that place its variables where the
    /// dump's headers say they are.
    fn fitting_profile(&self, kernel: &FoundKernel, store: &Store) -> Result<Arc<Profile>> {
        let watch = self.watch();
        let hints = self.hints();
        for id in store.identities(&kernel::PDB_NAMES) {
            match store.load(&id, &watch) {
                Ok(profile) if kernel.image.fits(&profile, &hints) => return Ok(profile),
                Err(Error::Cancelled) => return Err(Error::Cancelled),
                _ => {}
            }
        }
        Err(Error::NoSymbols(Box::new(MissingSymbols {
            pdb: kernel::PDB_NAMES[0].into(),
            guid: String::new(),
            age: 0,
            searched: store.places().to_vec(),
        })))
    }

    /// The kernel's symbol at or closest before `address`, and the distance to
    /// it in bytes; `None` outside of the image.
    pub fn nearest_symbol(&self, address: Va) -> Result<Option<(&str, u64)>> {
        let image = &self.kernel()?.image;
        let profile = self.windows()?.profile();
        let rva = address.0.checked_sub(image.base.0);
        let inside = rva.filter(|&rva| rva < u64::from(image.size));
        Ok(inside.and_then(|rva| profile.nearest(rva)))
    }

    /// Registers of processor `vcpu`: those of the back end, else those that the
    /// kernel saved when the processor stopped.
    pub fn registers(&self, vcpu: u16) -> Result<Registers> {
        let back_end = match self.memory.driver().registers() {
            Some(registers) => registers.get(vcpu),
            None => Err(Error::not_supported("this image carries no registers")),
        };
        if back_end.is_ok() || self.capabilities().contains(Capabilities::LIVE) {
            return back_end;
        }
        match self.windows() {
            Ok(windows) => windows.processor(vcpu)?.saved_registers(),
            Err(_) => back_end,
        }
    }

    /// Sets all registers of processor `vcpu`.
    ///
    /// # Errors
    /// [`Error::NotSupported`] where the back end cannot.
    pub fn set_registers(&self, vcpu: u16, registers: &Registers) -> Result<()> {
        let settable = self.capabilities().contains(Capabilities::SET_REGISTERS);
        match self.memory.driver().registers().filter(|_| settable) {
            Some(driver) => driver.set(vcpu, registers),
            None => Err(Error::not_supported("setting the registers of this guest")),
        }
    }

    /// Forgets everything cached: for a guest that ran since.
    pub fn refresh(&self) {
        self.memory.flush();
        if let Some(windows) = self.windows.get() {
            windows.refresh();
        }
    }

    /// Ends the long calls that are running now with [`Error::Cancelled`].
    pub fn cancel(&self) {
        self.cancellations.fetch_add(1, Ordering::AcqRel);
    }

    /// Ends the long calls that are running and all that begin later.
    pub fn end_calls(&self) {
        self.ending.store(true, Ordering::Release);
    }

    /// Watches a long call that begins now.
    pub fn watch(&self) -> Watch<'_> {
        Watch {
            session: self,
            cancellations: self.cancellations.load(Ordering::Acquire),
        }
    }
}

/// Watches one long call of a session: passes its progress on to the
/// configuration's callback, and cancellation back to it.
#[derive(Clone, Copy)]
pub struct Watch<'a> {
    session: &'a Session,
    /// The session's count when the call began.
    cancellations: u64,
}

impl Watch<'_> {
    /// Was the call told to end?
    pub fn is_cancelled(&self) -> bool {
        self.session.ending.load(Ordering::Acquire)
            || self.session.cancellations.load(Ordering::Acquire) != self.cancellations
    }

    /// [`Error::Cancelled`] when the call was told to end.
    pub fn check(&self) -> Result<()> {
        if self.is_cancelled() {
            return Err(Error::Cancelled);
        }
        Ok(())
    }
}

impl Progress for Watch<'_> {
    fn report(&self, stage: &'static str, done: u64, total: u64) -> bool {
        !self.is_cancelled() && self.session.config.progress().report(stage, done, total)
    }
}
