//! `winvmi regions`

use winvmi::{
    Result,
    os::windows::{FileObject, Region, RegionKind, Windows},
};

use crate::{
    args::ProcessFilter,
    output::{Report, Row, Value},
    target::{Guest, process_row},
};

const COLUMNS: &[&str] = &["pid", "start", "end", "kind_name", "protection", "path"];

pub fn run(guest: &Guest, filter: &ProcessFilter) -> Result<Report> {
    let windows = guest.windows()?;
    let mut report = guest.list(COLUMNS);
    for process in guest.processes(filter, &mut report)? {
        for region in process.regions() {
            match region {
                Ok(region) => report.push(row(windows, process_row(&process), &region)),
                Err(gap) => report.gap(gap),
            }
        }
    }
    Ok(report)
}

fn row(windows: &Windows, process: Row, region: &Region<'_>) -> Row {
    let mut buffer = [0; Region::SNAPSHOT];
    let region = region.with_copy(&mut buffer);
    let area = region.control_area();
    process
        .with("vad", region.vad())
        .with("start", region.start())
        .with("end", region.end())
        .with("kind_name", region.kind().map(kind_name))
        .with("vad_type", region.vad_type())
        .with("private", region.is_private())
        .with("committed", region.is_committed())
        .with("commit_charge", region.commit_charge())
        .with(
            "protection",
            region.protection().map(|it| Value::Address(it.0.into())),
        )
        .with("control_area", area.map(|area| area.map(|it| it.address())))
        .with("file", region.file_object())
        .with("path", path(windows, &region))
}

fn path(windows: &Windows, region: &Region<'_>) -> Result<Option<String>> {
    let file = region.file_object()?;
    file.map(|file| FileObject::new(windows, file).path())
        .transpose()
}

const fn kind_name(kind: RegionKind) -> &'static str {
    match kind {
        RegionKind::Private => "private",
        RegionKind::Image => "image",
        RegionKind::DataFile => "data file",
        RegionKind::PagefileSection => "pagefile section",
        RegionKind::Physical => "physical",
        RegionKind::Awe => "awe",
        RegionKind::LargePages => "large pages",
        RegionKind::RotatePhysical => "rotate physical",
    }
}
