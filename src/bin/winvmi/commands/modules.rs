//! `winvmi modules`

use winvmi::{Result, os::windows::Module};

use crate::{
    output::{Report, Row},
    target::Guest,
};

const COLUMNS: &[&str] = &["base", "size", "name", "path"];

pub fn run(guest: &Guest) -> Result<Report> {
    let mut report = guest.list(COLUMNS);
    for module in guest.windows()?.modules() {
        match module {
            Ok(module) => report.push(row(&module)),
            Err(gap) => report.gap(gap),
        }
    }
    Ok(report)
}

fn row(module: &Module<'_>) -> Row {
    Row::default()
        .with("entry", module.entry())
        .with("base", module.base())
        .with("size", module.size())
        .with("entry_point", module.entry_point())
        .with("time_date_stamp", module.time_date_stamp())
        .with("name", module.name())
        .with("path", module.path())
}
