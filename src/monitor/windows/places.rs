//! Where a symbol is: in the kernel, or in each process that a hook concerns.

use crate::{
    core::Va,
    error::{Error, Result},
    monitor::{Place, Scope},
    os::windows::Process,
    session::Session,
};

/// The places that `"nt!NtCreateFile"` or `"ntdll!NtCreateFile"` names.
///
/// A symbol of a user module is looked for in every process of the scope that
/// has the module loaded now; none is an empty answer, no error.
pub fn places_of(session: &Session, symbol: &str, scope: &Scope) -> Result<Vec<Place>> {
    let windows = session.windows()?;
    let kernel = match symbol.split_once('!') {
        None => Some(symbol),
        Some((module, name)) => module.eq_ignore_ascii_case("nt").then_some(name),
    };
    if let Some(name) = kernel {
        let (root, va) = (windows.root(), windows.symbol(name)?);
        return Ok(vec![Place { root, va }]);
    }
    let processes: Vec<Process<'_>> = match scope {
        Scope::Process(process) | Scope::ProcessTree(process) => {
            vec![windows.process(process.object)]
        }
        Scope::Thread(thread) => vec![windows.thread(thread.object).process()?],
        Scope::All | Scope::ImageName(_) => windows
            .processes()
            .flatten()
            .filter(|process| is_named(process, scope))
            .collect(),
    };
    let places = processes
        .iter()
        .map(|process| place_in(session, process, symbol));
    places.filter_map(Result::transpose).collect()
}

fn is_named(process: &Process<'_>, scope: &Scope) -> bool {
    match scope {
        Scope::ImageName(name) => process
            .name()
            .is_ok_and(|image| crate::monitor::scope::same_image(&image, name)),
        _ => true,
    }
}

/// The symbol in one process; `None` when the process lacks the module, or
/// what tells where the symbol is.
fn place_in(session: &Session, process: &Process<'_>, symbol: &str) -> Result<Option<Place>> {
    let va: Va = match session.user_symbol(process, symbol, None) {
        Ok(va) => va,
        Err(Error::NotFound { .. } | Error::Fault(_) | Error::NoSymbols(_)) => return Ok(None),
        Err(Error::Corrupt { .. }) => return Ok(None),
        Err(error) => return Err(error),
    };
    let root = process.translation_root()?;
    Ok(Some(Place { root, va }))
}
