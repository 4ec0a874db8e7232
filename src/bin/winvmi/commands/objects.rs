//! `winvmi objects`

use std::{
    borrow::Cow,
    collections::{HashSet, VecDeque},
};

use winvmi::{
    Error, Result,
    core::Va,
    os::windows::{DirectoryObject, Object},
};

use super::object_details::details;
use crate::{
    args::ObjectChoice,
    output::{Report, Row},
    target::{Guest, number},
};

const COLUMNS: &[&str] = &["object", "type_name", "path", "details"];
const COLUMNS_OF_ONE: &[&str] = &["object", "type_name", "path", "rest", "details"];

pub fn run(guest: &Guest, choice: &ObjectChoice) -> Result<Report> {
    let (object, rest) = find(guest, choice)?;
    if let Some(directory) = object.as_directory()? {
        let mut report = guest.list(COLUMNS);
        list(directory, choice.recursive, &mut report);
        return Ok(report);
    }
    let mut report = guest.list(COLUMNS_OF_ONE);
    let row = row(&object, path_or_name(&object), &mut report);
    report.push(row.with("rest", rest));
    Ok(report)
}

/// The chosen object, and the rest of the path that led to it.
fn find<'a>(guest: &'a Guest, choice: &ObjectChoice) -> Result<(Object<'a>, String)> {
    let windows = guest.windows()?;
    let text = choice.path.as_str();
    let missing = || Error::not_found(format!("object {text}"));
    if let Some(address) = number(text) {
        let object = windows.object(Va(address));
        return object.kind().map(|_| (object, String::new()));
    }
    if !choice.follow {
        let found = windows.object_at(text)?.ok_or_else(missing)?;
        return Ok((found, String::new()));
    }
    let process = choice.pid.map(|pid| windows.process_by_id(pid));
    let process = process.transpose()?;
    let found = windows.resolve_path(text, process)?.ok_or_else(missing)?;
    Ok((found.object, String::from_utf16_lossy(&found.rest)))
}

/// The objects of a directory and, when asked for, of those below it; each
/// directory once, though a damaged guest may hold it twice.
fn list(directory: DirectoryObject<'_>, recursive: bool, report: &mut Report) {
    let mut seen = HashSet::from([directory.address()]);
    let mut waiting = VecDeque::from([(directory, path_or_name(&directory.object()))]);
    while let Some((directory, base)) = waiting.pop_front() {
        for object in directory.entries() {
            let object = match object {
                Ok(object) => object,
                Err(gap) => {
                    report.gap(gap);
                    continue;
                }
            };
            let path = below(&base, &object, report);
            let row = row(&object, path.clone(), report);
            report.push(row);
            match object.as_directory() {
                Ok(Some(child)) if recursive && seen.insert(child.address()) => {
                    waiting.push_back((child, path));
                }
                Ok(_) => {}
                Err(gap) => report.gap(gap),
            }
        }
    }
}

/// Path of an object; the name of one that lies in no directory, such as a desktop.
pub fn path_or_name(object: &Object<'_>) -> Option<String> {
    let path = object.path().ok().flatten();
    path.or_else(|| object.name().ok().flatten())
}

/// Path of an object in the directory with the path `base`.
fn below(base: &Option<String>, object: &Object<'_>, report: &mut Report) -> Option<String> {
    let name = match object.name() {
        Ok(name) => name?,
        Err(gap) => {
            report.gap(gap);
            return None;
        }
    };
    let base = base.as_deref().unwrap_or_default();
    Some(format!("{}\\{name}", base.trim_end_matches('\\')))
}

fn row(object: &Object<'_>, path: Option<String>, report: &mut Report) -> Row {
    Row::default()
        .with("object", object.address())
        .with("type_name", object.type_name().map(Cow::into_owned))
        .with("path", path)
        .with("name", object.name())
        .with("pointer_count", object.pointer_count())
        .with("handle_count", object.handle_count())
        .with("details", details(object, report))
}
