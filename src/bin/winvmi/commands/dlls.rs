//! `winvmi dlls`

use winvmi::{
    Result,
    os::windows::{Architecture, LoaderLists, UserModule},
};

use crate::{
    args::ProcessFilter,
    output::{Report, Row},
    target::{Guest, process_row},
};

const COLUMNS: &[&str] = &["pid", "base", "size", "bits", "listed", "name", "path"];

pub fn run(guest: &Guest, filter: &ProcessFilter) -> Result<Report> {
    let mut report = guest.list(COLUMNS);
    for process in guest.processes(filter, &mut report)? {
        for module in process.user_modules() {
            match module {
                Ok(module) => report.push(row(process_row(&process), &module)),
                Err(gap) => report.gap(gap),
            }
        }
    }
    Ok(report)
}

fn row(process: Row, module: &UserModule<'_>) -> Row {
    let mut buffer = [0; UserModule::SNAPSHOT];
    let module = module.with_copy(&mut buffer);
    let lists = module.lists();
    process
        .with("entry", module.entry().map(|entry| entry.address()))
        .with("base", module.base())
        .with("size", module.size())
        .with("entry_point", module.entry_point())
        .with("time_date_stamp", module.time_date_stamp())
        .with(
            "wow64",
            module.architecture().map(|it| it == Architecture::X86),
        )
        .with("bits", module.architecture().map(bits))
        .with("listed", !lists.is_empty())
        .with("in_load_order", lists.contains(LoaderLists::LOAD))
        .with("in_memory_order", lists.contains(LoaderLists::MEMORY))
        .with(
            "in_initialization_order",
            lists.contains(LoaderLists::INITIALIZATION),
        )
        .with("name", module.name())
        .with("path", module.path())
        .with("mapped_path", module.mapped_path())
}

const fn bits(architecture: Architecture) -> u32 {
    match architecture {
        Architecture::X86 => 32,
        Architecture::Amd64 => 64,
    }
}
