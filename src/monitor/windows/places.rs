//! Where a symbol is: in the kernel, or in each process that a hook concerns.

use std::sync::Arc;

use crate::{
    core::Va,
    error::{Error, Result},
    monitor::{Place, Scope, Search, Sighting, Target},
    os::windows::Architecture,
    session::Session,
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
            return Ok(Sighting::Absent);
        }
        let process = self.session.windows()?.process(process);
        let found = self
            .session
            .user_symbol(&process, &self.symbol, self.architecture)
            .and_then(|va| Ok((process.translation_root()?, va)));
        match found {
            Ok((root, va)) => Ok(Sighting::At(Place { root, va })),
            Err(Error::Fault(fault)) => Ok(match fault.root {
                Some(root) if fault.address >> 63 == 0 => Sighting::Behind(Place {
                    root,
                    va: Va(fault.address),
                }),
                _ => Sighting::Absent,
            }),
            // Processes come and go while they are looked at.
            Err(Error::NotFound { .. } | Error::NoSymbols(_) | Error::Corrupt { .. }) => {
                Ok(Sighting::Absent)
            }
            Err(error) => Err(error),
        }
    }
}
