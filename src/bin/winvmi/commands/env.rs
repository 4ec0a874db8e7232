//! `winvmi env`

use winvmi::{
    Result,
    os::windows::{Process, Variable},
};

use super::cmdline::parameters;
use crate::{
    args::ProcessFilter,
    output::{Report, Row},
    target::{Guest, process_row},
};

const COLUMNS: &[&str] = &["pid", "name", "value"];

pub fn run(guest: &Guest, filter: &ProcessFilter) -> Result<Report> {
    let mut report = guest.list(COLUMNS);
    for process in guest.processes(filter, &mut report)? {
        if let Err(gap) = variables(&process, &mut report) {
            report.gap(gap);
        }
    }
    Ok(report)
}

fn variables(process: &Process<'_>, report: &mut Report) -> Result<()> {
    let Some(parameters) = parameters(process)? else {
        return Ok(());
    };
    for variable in parameters.environment()? {
        match variable {
            Ok(variable) => report.push(row(process_row(process), &variable)),
            Err(gap) => report.gap(gap),
        }
    }
    Ok(())
}

fn row(process: Row, variable: &Variable) -> Row {
    process
        .with("name", variable.name())
        .with("value", variable.value())
}
