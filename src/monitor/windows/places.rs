//! Where a symbol is: in the kernel, or in each process that a hook concerns.

use std::sync::Arc;

use crate::{
    core::Va,
    error::{Error, Result},
    monitor::{Lack, Place, Scope, Search, Sighting, Target},
    os::windows::Architecture,
    session::{Session, UserSymbol},
};

/// `module!symbol` of a module that processes load.
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
/// A symbol of a module that the kernel has not loaded is looked for in every
/// process of the scope, in those of now and of later; without an `architecture`,
/// among the modules of the process's own code.
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
    let in_kernel = match symbol.split_once('!') {
        None => true,
        Some((module, name)) if module.is_empty() || name.is_empty() => {
            let reason = format!("`{symbol}` is not module!symbol");
            return Err(Error::invalid_argument("symbol", reason));
        }
        Some((module, _)) => {
            module.eq_ignore_ascii_case("nt") || windows.module_by_name(module).is_ok()
        }
    };
    if in_kernel {
        let (root, va) = (windows.root(), session.kernel_symbol(symbol)?);
        return Ok(Target::Code(vec![Place { root, va }]));
    }
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

impl Search for ModuleSymbol {
    fn look_in(&self, process: Va) -> Result<Sighting> {
        if self.home.is_some_and(|home| home != process) {
            return Ok(Sighting::Not(Lack::Module));
        }
        let process = self.session.windows()?.process(process);
        let names = self.symbol.split_once('!').unwrap_or(("", &self.symbol));
        let found = self
            .session
            .find_user_symbol(&process, names, self.architecture);
        match found {
            Ok(UserSymbol::At(va)) => process
                .translation_root()
                .map(|root| Sighting::At(Place { root, va })),
            Ok(UserSymbol::NoModule) => Ok(Sighting::Not(Lack::Module)),
            Ok(UserSymbol::NoSymbols) => Ok(Sighting::Not(Lack::Symbols)),
            Ok(UserSymbol::NoSymbol) => Ok(Sighting::Not(Lack::Symbol)),
            Err(error) => Err(error),
        }
        .or_else(unreadable)
    }

    fn name(&self) -> &str {
        &self.symbol
    }
}

/// What an error on the way to a symbol says about it.
fn unreadable(error: Error) -> Result<Sighting> {
    match error {
        Error::Fault(fault) => Ok(match fault.root {
            Some(root) if fault.address >> 63 == 0 => Sighting::Behind(Place {
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
