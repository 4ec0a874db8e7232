//! Files created and written, processes begun and ended.

use std::sync::Arc;

use winvmi::{
    Error, Result,
    core::{Va, driver::MemoryAccess},
    monitor::{Action, Handler, Missing, Occurrence},
    os::windows::{Frame, ObjectAttributes, Process},
};

use super::lines::Lines;
use crate::{
    output::{Row, Value},
    target::process_row,
};

/// What is found out at one function: nothing, where it does not concern files.
type Describe = fn(&Lines, &Occurrence<'_>) -> Result<Option<(String, Row)>>;

const FUNCTIONS: [(&str, Describe); 4] = [
    ("nt!NtCreateFile", created),
    ("nt!NtWriteFile", written),
    ("nt!PspInsertProcess", begun),
    ("nt!MmCleanProcessAddressSpace", ended),
];

/// The functions to be hooked, and what prints their calls.
pub fn handlers(lines: &Arc<Lines>) -> impl Iterator<Item = (String, Handler)> {
    FUNCTIONS.into_iter().map(|(symbol, describe)| {
        let lines = Arc::clone(lines);
        let callback = move |event: &mut Occurrence<'_>| tell(&lines, event, describe);
        (symbol.to_owned(), Handler::Event(Box::new(callback)))
    })
}

fn tell(lines: &Lines, event: &Occurrence<'_>, describe: Describe) -> Action {
    match describe(lines, event) {
        Ok(Some((text, row))) => lines.print(event, &text, row),
        Ok(None) => Action::Continue,
        // The guest brings it in, then this is called again.
        Err(Error::Fault(fault)) if !event.not_resident => Action::MakeResident(Missing {
            va: Va(fault.address),
            access: MemoryAccess::READ,
        }),
        Err(error) => {
            let text = format!("? {error}");
            let row = Row::default().with("event", "unreadable");
            lines.print(event, &text, row.with("error", error.to_string()))
        }
    }
}

fn argument(lines: &Lines, event: &Occurrence<'_>, index: u32) -> Result<u64> {
    Frame::new(lines.session.memory(), event.registers()).argument(index)
}

fn file(event: &'static str, path: String) -> (String, Row) {
    let row = Row::default().with("event", event);
    (format!("{event} {path}"), row.with("path", path))
}

/// `NtCreateFile(FileHandle, DesiredAccess, ObjectAttributes, ...)`
fn created(lines: &Lines, event: &Occurrence<'_>) -> Result<Option<(String, Row)>> {
    let windows = lines.windows()?;
    let identity = event.stopped.identity()?;
    let process = windows.process(identity.attached);
    let thread = windows.thread(identity.thread.object);
    let address = Va(argument(lines, event, 2)?);
    let attributes = ObjectAttributes::new(windows, process.space()?, address);
    match attributes.path(process, Some(thread)) {
        Ok(path) => Ok(path.map(|path| file("create", path))),
        Err(Error::NotFound { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

/// `NtWriteFile(FileHandle, Event, ApcRoutine, ApcContext, IoStatusBlock, Buffer, Length, ...)`
fn written(lines: &Lines, event: &Occurrence<'_>) -> Result<Option<(String, Row)>> {
    let windows = lines.windows()?;
    let identity = event.stopped.identity()?;
    let process = windows.process(identity.attached);
    let thread = windows.thread(identity.thread.object);
    let handle = argument(lines, event, 0)?;
    let Some(object) = process.lookup_object(handle, Some(thread))? else {
        return Ok(None);
    };
    // Pipes and the like are files; what is none is no concern of the file system.
    let Some(open) = object.as_file()? else {
        return Ok(None);
    };
    let (text, row) = file("write", open.path()?);
    // The argument is a 32-bit one: what is above it in its slot is anything.
    let length = argument(lines, event, 6)? as u32;
    Ok(Some((
        text,
        row.with("handle", Va(handle)).with("length", length),
    )))
}

fn process<'a>(lines: &'a Lines, event: &Occurrence<'_>, index: u32) -> Result<Process<'a>> {
    Ok(lines.windows()?.process(Va(argument(lines, event, index)?)))
}

fn named(event: &'static str, process: &Process<'_>) -> Result<(String, Row)> {
    let (name, id) = (process.name()?, process.id()?);
    let about = process_row(process).with("name", name.as_str());
    let row = Row::default()
        .with("event", event)
        .with("about", Value::Row(about));
    Ok((format!("{event} {name} ({id})"), row))
}

/// `PspInsertProcess(NewProcess, Parent, ...)`, before the process runs
fn begun(lines: &Lines, event: &Occurrence<'_>) -> Result<Option<(String, Row)>> {
    let new = process(lines, event, 0)?;
    let parent = process(lines, event, 1)?.id()?;
    let (text, row) = named("begin", &new)?;
    let agrees = new.parent_id()? == parent;
    let row = row.with("parent", parent).with("parent_agrees", agrees);
    let doubt = if agrees { "" } else { ", which it denies" };
    Ok(Some((format!("{text}, child of {parent}{doubt}"), row)))
}

/// `MmCleanProcessAddressSpace(Process)`
fn ended(lines: &Lines, event: &Occurrence<'_>) -> Result<Option<(String, Row)>> {
    named("end", &process(lines, event, 0)?).map(Some)
}
