//! Where a symbol is: in the kernel's modules, or in each process that a hook concerns.

use std::sync::Arc;

use crate::{
    core::{Pa, Va},
    error::{Error, Result},
    monitor::{Lack, Place, Scope, Search, Sighting, Target},
    os::windows::{Architecture, Module},
    session::{Session, UserSymbol},
};

/// `module!symbol` of a module that the kernel or processes load.
struct ModuleSymbol {
    session: Arc<Session>,
    symbol: String,
    /// Width of the module; `None` for that of the process's own code.
    architecture: Option<Architecture>,
    /// The only process that is asked for.
    home: Option<Va>,
}

/// What `"nt!NtCreateFile"` or `"ntdll!NtCreateFile"` names.
///
/// A symbol of the kernel itself has its place. One of a module is looked for among
/// the kernel's modules, those of now and of later; as long as none of them has it, in
/// every process of the scope, too, in those of now and of later; without an
/// `architecture`, among the modules of the process's own code.
///
/// # Errors
/// [`Error::NotFound`] for a symbol that the kernel or its driver lacks,
/// [`Error::InvalidArgument`] for text that names none.
pub fn target_of(
    session: &Arc<Session>,
    symbol: &str,
    architecture: Option<Architecture>,
    scope: &Scope,
) -> Result<Target> {
    let windows = session.windows()?;
    let is_nt = match symbol.split_once('!') {
        None => true,
        Some((module, name)) if module.is_empty() || name.is_empty() => {
            let reason = format!("`{symbol}` is not module!symbol");
            return Err(Error::invalid_argument("symbol", reason));
        }
        Some((module, _)) => module.eq_ignore_ascii_case("nt"),
    };
    if is_nt {
        let (root, va) = (windows.root(), session.kernel_symbol(symbol)?);
        return Ok(Target::Code(vec![Place { root, va }]));
    }
    // Symbols may have been put in place since the last hook.
    session.forget_unfound();
    refuse_mistake(session, symbol)?;
    let home = match scope {
        Scope::Process(process) => Some(process.object),
        Scope::Thread(thread) => Some(windows.thread(thread.object).process()?.object()),
        Scope::All | Scope::ImageName(_) | Scope::ProcessTree(_) => None,
    };
    Ok(Target::Symbol(Arc::new(ModuleSymbol {
        session: Arc::clone(session),
        symbol: symbol.to_owned(),
        architecture,
        home,
    })))
}

/// What a driver lacks that is loaded is a mistake, not something to wait for; a page
/// of it that is not in memory is.
fn refuse_mistake(session: &Session, symbol: &str) -> Result<()> {
    let module = symbol.split_once('!').map_or("", |(module, _)| module);
    if session.windows()?.module_by_name(module).is_err() {
        return Ok(());
    }
    match session.kernel_symbol(symbol) {
        Ok(_) | Err(Error::Fault(_)) => Ok(()),
        Err(error) => Err(error),
    }
}

impl Search for ModuleSymbol {
    fn look_in(&self, process: Va) -> Result<Sighting> {
        if self.home.is_some_and(|home| home != process) {
            return Ok(Sighting::Not(Lack::Module));
        }
        let process = self.session.windows()?.process(process);
        let found = self
            .session
            .find_user_symbol(&process, self.names(), self.architecture);
        sighting(found, false, || process.translation_root())
    }

    fn look_in_kernel(&self) -> Result<Sighting> {
        let windows = self.session.windows()?;
        let found = self.session.find_kernel_symbol(self.names());
        sighting(found, true, || Ok(windows.root()))
    }

    fn look_in_module(&self, entry: Va) -> Result<Sighting> {
        let windows = self.session.windows()?;
        let module = Module::new(windows, entry);
        let (name, symbol) = self.names();
        let found = match module.is_named(name) {
            Ok(true) => self.session.find_module_symbol(&module, symbol),
            Ok(false) => Ok(UserSymbol::NoModule),
            Err(error) => Err(error),
        };
        sighting(found, true, || Ok(windows.root()))
    }

    fn is_in_module(&self, entry: Va, va: Va) -> Result<bool> {
        let module = Module::new(self.session.windows()?, entry);
        Ok(module.contains(va))
    }

    fn name(&self) -> &str {
        &self.symbol
    }
}

impl ModuleSymbol {
    /// The module, and the symbol.
    fn names(&self) -> (&str, &str) {
        self.symbol.split_once('!').unwrap_or(("", &self.symbol))
    }
}

/// What was found in the address space of `root`, or why not.
fn sighting(
    found: Result<UserSymbol>,
    in_kernel: bool,
    root: impl FnOnce() -> Result<Pa>,
) -> Result<Sighting> {
    match found {
        Ok(UserSymbol::At(va)) => root().map(|root| Sighting::At(Place { root, va })),
        Ok(UserSymbol::NoModule) => Ok(Sighting::Not(Lack::Module)),
        Ok(UserSymbol::NoSymbols) => Ok(Sighting::Not(Lack::Symbols)),
        Ok(UserSymbol::NoSymbol) => Ok(Sighting::Not(Lack::Symbol)),
        Err(error) => Err(error),
    }
    .or_else(|error| unreadable(error, in_kernel))
}

/// What an error on the way to a symbol says about it. Pages are waited for in the half of
/// the address space that the module is in.
fn unreadable(error: Error, in_kernel: bool) -> Result<Sighting> {
    match error {
        Error::Fault(fault) => Ok(match fault.root {
            Some(root) if (fault.address >> 63 != 0) == in_kernel => Sighting::Behind(Place {
                root,
                va: Va(fault.address),
            }),
            _ => Sighting::Not(Lack::Module),
        }),
        // Processes come and go while they are looked at.
        Error::NotFound { .. } | Error::NoSymbols(_) | Error::Corrupt { .. } => {
            Ok(Sighting::Not(Lack::Module))
        }
        error => Err(error),
    }
}
