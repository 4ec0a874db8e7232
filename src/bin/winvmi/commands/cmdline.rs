//! `winvmi cmdline`

use winvmi::{
    Result,
    os::windows::{ParameterText, Process, ProcessParameters},
};

use crate::{
    args::ProcessFilter,
    output::{Report, Row},
    target::{Guest, process_row},
};

const COLUMNS: &[&str] = &["pid", "name", "command_line"];

pub fn run(guest: &Guest, filter: &ProcessFilter) -> Result<Report> {
    let mut report = guest.list(COLUMNS);
    for process in guest.processes(filter, &mut report)? {
        match parameters(&process) {
            Ok(Some(parameters)) => report.push(row(&process, &parameters)),
            Ok(None) => {}
            Err(gap) => report.gap(gap),
        }
    }
    Ok(report)
}

/// What the process was started with, `None` for those without user mode.
pub fn parameters<'a>(process: &Process<'a>) -> Result<Option<ProcessParameters<'a>>> {
    match process.environment_block()? {
        Some(block) => block.parameters(),
        None => Ok(None),
    }
}

fn row(process: &Process<'_>, parameters: &ProcessParameters<'_>) -> Row {
    let text = |text| parameters.text(text);
    process_row(process)
        .with("name", process.name())
        .with("image_path", text(ParameterText::ImagePath))
        .with("command_line", text(ParameterText::CommandLine))
        .with("current_directory", text(ParameterText::CurrentDirectory))
        .with("dll_path", text(ParameterText::DllPath))
        .with("window_title", text(ParameterText::WindowTitle))
        .with("desktop", text(ParameterText::Desktop))
}
