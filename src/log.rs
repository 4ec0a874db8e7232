//! Log records: nothing is printed, a sink of the host's gets them.
//!
//! One sink per host process, because a program has one log; every record
//! names its session. Records below the sink's level cost one atomic load.

use std::{
    cell::Cell,
    fmt,
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicU8, Ordering},
    },
};

/// Importance of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Level {
    /// Something that was asked for failed and nobody else will say so.
    Error = 1,
    /// Something is wrong, and the library works around it.
    Warning = 2,
    /// What happens, in a few lines per session.
    Info = 3,
    /// Why it happens.
    Debug = 4,
    /// Every step.
    Trace = 5,
}

/// One record; valid while the sink looks at it.
#[derive(Debug, Clone, Copy)]
pub struct Record<'a> {
    /// Its importance.
    pub level: Level,
    /// Name of the session that it is about, empty for the library as a whole.
    pub session: &'a str,
    /// What happened.
    pub message: fmt::Arguments<'a>,
}

/// Receives records, from any thread, also several at once.
pub trait Sink: Send + Sync {
    /// Takes one record. Records that are made while a thread is in here are dropped.
    fn log(&self, record: &Record<'_>);
}

/// Records of this level and of more important ones are wanted; 0 for none.
static LEVEL: AtomicU8 = AtomicU8::new(0);
static SINK: RwLock<Option<Arc<dyn Sink>>> = RwLock::new(None);

thread_local! {
    static IN_SINK: Cell<bool> = const { Cell::new(false) };
}

/// Replaces the sink. Calls of the old one that are already running end by themselves.
pub fn set_sink(sink: Option<(Level, Arc<dyn Sink>)>) {
    let (level, sink) = match sink {
        Some((level, sink)) => (level as u8, Some(sink)),
        None => (0, None),
    };
    let previous = {
        let mut current = SINK.write().unwrap_or_else(PoisonError::into_inner);
        LEVEL.store(level, Ordering::Relaxed);
        std::mem::replace(&mut *current, sink)
    };
    // Dropped with no lock held: the sink may call back into the library.
    drop(previous);
}

/// Is anybody interested in records of `level`?
#[inline]
pub fn enabled(level: Level) -> bool {
    level as u8 <= LEVEL.load(Ordering::Relaxed)
}

/// The log of one session: names it in every record.
#[derive(Debug, Clone)]
pub struct Log {
    session: Arc<str>,
}

impl Log {
    /// Log of the session called `session`.
    pub fn new(session: impl Into<Arc<str>>) -> Self {
        Self {
            session: session.into(),
        }
    }

    /// Name of the session.
    pub fn session(&self) -> &str {
        &self.session
    }

    /// Records a failure that nobody else reports.
    pub fn error(&self, message: fmt::Arguments<'_>) {
        self.emit(Level::Error, message);
    }

    /// Records something that is worked around.
    pub fn warning(&self, message: fmt::Arguments<'_>) {
        self.emit(Level::Warning, message);
    }

    /// Records what happens.
    pub fn info(&self, message: fmt::Arguments<'_>) {
        self.emit(Level::Info, message);
    }

    /// Records why it happens.
    pub fn debug(&self, message: fmt::Arguments<'_>) {
        self.emit(Level::Debug, message);
    }

    /// Records a step.
    pub fn trace(&self, message: fmt::Arguments<'_>) {
        self.emit(Level::Trace, message);
    }

    fn emit(&self, level: Level, message: fmt::Arguments<'_>) {
        if enabled(level) {
            deliver(&Record {
                level,
                session: &self.session,
                message,
            });
        }
    }
}

#[cold]
fn deliver(record: &Record<'_>) {
    // Cloned out of the lock, so that a sink may be replaced from inside of it.
    let sink = SINK
        .read()
        .unwrap_or_else(PoisonError::into_inner)
        .as_ref()
        .map(Arc::clone);
    let Some(sink) = sink else { return };
    if !IN_SINK.replace(true) {
        sink.log(record);
        IN_SINK.set(false);
    }
}
