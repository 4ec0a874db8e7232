//! Lines about events, printed as they come.

use std::{
    io::{self, Write},
    sync::{Arc, Mutex, PoisonError},
};

use winvmi::{
    monitor::{Action, Occurrence},
    os::windows::Windows,
    session::Session,
};

use crate::output::{Row, Value};

/// Where lines are printed.
pub type Output = Box<dyn Write + Send>;

/// Prints lines about the events of a session.
pub struct Lines {
    pub session: Arc<Session>,
    json: bool,
    output: Mutex<Output>,
}

impl Lines {
    pub fn new(session: Arc<Session>, json: bool, output: Output) -> Self {
        Self {
            session,
            json,
            output: Mutex::new(output),
        }
    }

    pub fn windows(&self) -> winvmi::Result<&Windows> {
        self.session.windows()
    }

    /// Prints what happened; `text` says the same as `details`, for people.
    ///
    /// When nobody reads any more, the trace ends.
    pub fn print(&self, event: &Occurrence<'_>, text: &str, details: Row) -> Action {
        match self.write(event, text, details) {
            Ok(()) => Action::Continue,
            Err(_) => Action::Stop,
        }
    }

    fn write(&self, event: &Occurrence<'_>, text: &str, details: Row) -> io::Result<()> {
        let who = self.who(event);
        let mut out = self.output.lock().unwrap_or_else(PoisonError::into_inner);
        if self.json {
            let row = Row::default()
                .with("sequence", event.stopped.sequence)
                .with("vcpu", event.stopped.event.vcpu)
                .joined(who)
                .joined(details);
            serde_json::to_writer(&mut *out, &row)?;
            return writeln!(out);
        }
        let value = |name| who.get(name).to_string();
        let (pid, tid, name) = (value("pid"), value("tid"), value("name"));
        // Text may be the guest's.
        let text = Value::from(text);
        writeln!(out, "{pid:>6}.{tid:<6} {name:<15} {text}")
    }

    fn who(&self, event: &Occurrence<'_>) -> Row {
        let identity = event.stopped.identity().ok();
        let process = identity.and_then(|it| {
            let windows = self.windows().ok()?;
            Some(windows.process(it.process.object))
        });
        Row::default()
            .with("pid", identity.map(|it| it.process.id))
            .with("tid", identity.map(|it| it.thread.id))
            .with("name", process.and_then(|it| it.name().ok()))
            .with("process", identity.map(|it| it.process.object))
            .with("attached", identity.map(|it| it.attached))
            .with("thread", identity.map(|it| it.thread.object))
    }
}
