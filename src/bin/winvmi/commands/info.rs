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
    let bug_check = guest.session.hints().bug_check;
    Row::default()
        .with("back_end", info.name)
        .with("format", info.format)
        .with("vcpus", info.vcpus)
        .with("memory_size", info.memory_size)
        .with(
            "bug_check",
            Value::from(bug_check.map(|it| Value::Address(it.code.into()))),
        )
}

fn kernel(guest: &Guest, row: Row) -> Row {
    let found = guest.session.kernel().ok();
    let pdb = guest.session.kernel_pdb();
    let loaded = guest.windows().ok();
    let facts = loaded.map(|windows| windows.facts()).unwrap_or_default();
    let build = facts.build.or(guest.session.hints().build);
    row.with("kernel_base", found.map(|found| found.image.base))
        .with("kernel_size", found.map(|found| found.image.size))
        .with("root", found.map(|found| found.root))
        .with("build", build)
        .with("build_lab", facts.build_lab)
        .with("processors", facts.processors)
        .with("kva_shadow", facts.kva_shadow)
        .with("pdb_name", pdb.map(|pdb| pdb.name.as_str()))
        .with("pdb_guid", pdb.map(|pdb| pdb.guid_text()))
        .with("pdb_age", pdb.map(|pdb| pdb.age))
        .with("symbols", loaded.is_some())
}
