//! `winvmi handles`

use std::borrow::Cow;

use winvmi::{
    Result,
    os::windows::{HandleEntry, Windows},
};

use super::objects::path_or_name;
use crate::{
    args::ProcessFilter,
    output::{Report, Row, Value},
    target::{Guest, process_row},
};

const COLUMNS: &[&str] = &["pid", "handle", "type_name", "granted_access", "name"];

pub fn run(guest: &Guest, filter: &ProcessFilter) -> Result<Report> {
    let mut report = guest.list(COLUMNS);
    for process in guest.processes(filter, &mut report)? {
        let table = match process.handle_table() {
            Ok(Some(table)) => table,
            Ok(None) => continue,
            Err(gap) => {
                report.gap(gap);
                continue;
            }
        };
        for entry in table.handles() {
            match entry {
                Ok(entry) => report.push(row(guest.windows()?, process_row(&process), &entry)),
                Err(gap) => report.gap(gap),
            }
        }
    }
    Ok(report)
}

fn row(windows: &Windows, process: Row, entry: &HandleEntry) -> Row {
    let object = windows.object(entry.object);
    process
        .with("handle", entry.handle)
        .with("object", entry.object)
        .with("attributes", entry.attributes.bits())
        .with(
            "granted_access",
            Value::Address(entry.granted_access.into()),
        )
        .with("type_name", object.type_name().map(Cow::into_owned))
        .with("name", path_or_name(&object))
}
