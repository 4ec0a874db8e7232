//! `winvmi info`

use winvmi::Result;

use crate::{
    output::{Report, Row, Value},
    target::Guest,
};

pub fn run(guest: &Guest) -> Result<Report> {
    let mut report = Report::object(guest.json);
    report.push(kernel(guest, back_end(guest)));
    if let Err(missing) = guest.windows() {
        report.gap(missing);
    }
    Ok(report)
}

fn back_end(guest: &Guest) -> Row {
    let info = guest.session.driver_info();
    let hints = guest.session.hints();
    let bug_check = hints.bug_check.map(|it| Value::Address(it.code.into()));
    Row::default()
        .with("back_end", info.name)
        .with("format", info.format)
        .with("vcpus", info.vcpus)
        .with("memory_size", info.memory_size)
        .with("bug_check_code", bug_check.unwrap_or(Value::None))
        .with("system_time", hints.system_time)
}

fn kernel(guest: &Guest, row: Row) -> Row {
    let found = guest.session.kernel().ok();
    let image = found.map(|found| &found.image);
    let pdb = guest.session.kernel_pdb();
    let loaded = guest.windows().ok();
    let facts = loaded.map(|windows| windows.facts()).unwrap_or_default();
    let root = loaded.map(|windows| windows.root());
    let version = image.map(|image| image.os_version);
    row.with("kernel_base", image.map(|image| image.base))
        .with("kernel_size", image.map(|image| image.size))
        .with("kernel_time_date_stamp", image.map(|it| it.time_date_stamp))
        .with("kernel_root", root.or(found.map(|found| found.root)))
        .with("version_major", version.map(|(major, _)| major))
        .with("version_minor", version.map(|(_, minor)| minor))
        .with("build", facts.build.or(guest.session.hints().build))
        .with("build_lab", facts.build_lab)
        .with("processors", facts.processors)
        .with("kva_shadow", facts.kva_shadow)
        .with("pdb_name", pdb.map(|pdb| pdb.name.as_str()))
        .with("pdb_guid", pdb.map(|pdb| pdb.guid_text()))
        .with("pdb_age", pdb.map(|pdb| pdb.age))
        .with("symbols_loaded", loaded.is_some())
}
