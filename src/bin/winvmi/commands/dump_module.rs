//! `winvmi dump-module`

use std::{
    fs::File,
    io::{self, Seek, SeekFrom, Write},
    path::Path,
};

use winvmi::{
    Error, Result,
    core::Va,
    os::windows::{Process, UserModule},
    pe::{Extraction, Image, ImageLayout, MissingRange},
};

use crate::{
    args::{DumpLayout, ModuleDump},
    output::{Report, Row},
    target::{Guest, number},
};

const COLUMNS: &[&str] = &["offset", "length", "cause"];

/// Bytes that are read and written at once.
const PIECE: usize = 1 << 16;

/// Writes the file and lists what is missing in it.
pub fn run(guest: &Guest, dump: &ModuleDump) -> Result<Report> {
    let process = guest.windows()?.process_by_id(dump.pid)?;
    let module = module(&process, &dump.module)?;
    let extraction = module.extract(match dump.layout {
        DumpLayout::File => ImageLayout::File,
        DumpLayout::Memory => ImageLayout::Memory,
    })?;
    write(&extraction, &dump.output)
        .map_err(|error| Error::io(format!("write {:?}", dump.output), error))?;
    let mut report = guest.list(COLUMNS);
    for range in extraction.missing() {
        report.push(row(&module, &range));
        report.gap(format_args!(
            "offsets {:#x} to {:#x} are zeros: {}",
            range.offsets.start, range.offsets.end, range.cause
        ));
    }
    Ok(report)
}

/// The module at a base address, or of a name.
fn module<'a>(process: &Process<'a>, text: &str) -> Result<UserModule<'a>> {
    let Some(base) = number(text).map(Va) else {
        return process.user_module(text, None);
    };
    let mut modules = process.user_modules().flatten();
    match modules.find(|module| module.base() == base) {
        Some(module) => Ok(module),
        None => UserModule::new(*process, base),
    }
}

/// Pieces of zeros become holes: the size is the guest's word.
fn write(extraction: &Extraction<impl Image>, path: &Path) -> io::Result<()> {
    let mut file = File::create(path)?;
    file.set_len(extraction.len())?;
    let mut piece = vec![0; PIECE];
    for offset in (0..extraction.len()).step_by(PIECE) {
        let length = extraction.read(offset, &mut piece);
        let read = piece.get(..length).unwrap_or_default();
        if read.iter().any(|&byte| byte != 0) {
            file.seek(SeekFrom::Start(offset))?;
            file.write_all(read)?;
        }
    }
    Ok(())
}

fn row(module: &UserModule<'_>, range: &MissingRange) -> Row {
    Row::default()
        .with("base", module.base())
        .with("name", module.name())
        .with("offset", Va(range.offsets.start))
        .with("length", range.offsets.end.abs_diff(range.offsets.start))
        .with("cause", range.cause.to_string())
}
