//! `winvmi trace`: what a running guest does, line by line.

mod calls;
mod files;
mod lines;
#[cfg(test)]
mod played;
#[cfg(test)]
mod tests;

use std::{io, sync::Arc};

use signal_hook::{
    consts::{SIGALRM, SIGHUP, SIGINT, SIGTERM},
    iterator::Signals,
};
use winvmi::{
    Error, Result,
    monitor::{
        Ended, Handler, HookOptions, LiveGuest, NewHook, RateLimit, Scope,
        windows::{live_guest, process_identity, target_of},
    },
};

use self::lines::{Lines, Output};
use crate::{args::ProcessFilter, output::Report, target::Guest};

/// Stands for what `trace files` prints, in place of symbols.
const FILES: &str = "files";

pub fn run(guest: &Guest, what: &[String], filter: &ProcessFilter) -> Result<Report> {
    trace_to(guest, what, filter, Box::new(io::stdout()))?;
    Ok(Report::printed())
}

fn trace_to(guest: &Guest, what: &[String], filter: &ProcessFilter, output: Output) -> Result<()> {
    let scope = scope(guest, filter)?;
    let live = Arc::new(live_guest(&guest.session)?);
    let lines = Lines::new(Arc::clone(&guest.session), guest.json, output);
    let traced = trace(guest, &live, what, (&scope, lines));
    // The guest is left as it was found, whatever happened.
    live.close()?;
    traced
}

fn scope(guest: &Guest, filter: &ProcessFilter) -> Result<Scope> {
    match (filter.pid, &filter.name) {
        (Some(pid), _) => {
            let process = guest.windows()?.process_by_id(pid)?;
            process_identity(&process).map(Scope::Process)
        }
        (None, Some(name)) => Ok(Scope::ImageName(name.clone())),
        (None, None) => Ok(Scope::All),
    }
}

fn trace(
    guest: &Guest,
    live: &Arc<LiveGuest>,
    what: &[String],
    (scope, lines): (&Scope, Lines),
) -> Result<()> {
    // Before the first hook: a signal must never find the guest hooked and nobody listening.
    let signals = Signals::new([SIGINT, SIGTERM, SIGHUP, SIGALRM]);
    let mut signals = signals.map_err(|error| Error::io("cannot wait for signals", error))?;
    let waiting = signals.handle();
    let stopped = Arc::clone(live);
    let listener = std::thread::spawn(move || signals.forever().for_each(|_| stopped.stop()));
    let result = insert(guest, live, what, (scope, lines)).and_then(|()| serve(live));
    waiting.close();
    let _ = listener.join();
    result
}

fn insert(
    guest: &Guest,
    live: &LiveGuest,
    what: &[String],
    (scope, lines): (&Scope, Lines),
) -> Result<()> {
    let lines = Arc::new(lines);
    let mut handlers: Vec<(String, Handler)> = Vec::new();
    for name in what {
        match name.as_str() {
            FILES => handlers.extend(files::handlers(&lines)),
            symbol => handlers.push((symbol.to_owned(), calls::handler(&lines, symbol))),
        }
    }
    let hook = |(symbol, handler): (String, Handler)| {
        Ok(NewHook {
            target: target_of(&guest.session, &symbol, None, scope)?,
            options: HookOptions {
                scope: scope.clone(),
                limit: RateLimit::NONE,
            },
            handler,
        })
    };
    let hooks = handlers.into_iter().map(hook).collect::<Result<Vec<_>>>()?;
    live.insert_many(hooks).map_err(|(_, error)| error)?;
    Ok(())
}

fn serve(live: &LiveGuest) -> Result<()> {
    loop {
        match live.run(&|| false)? {
            Ended::Woken | Ended::Handled(_) | Ended::TimedOut => {}
            Ended::Stopped | Ended::Closed => return Ok(()),
        }
    }
}
