//! Crash dumps of 64-bit Windows on x64 (`PAGEDU64`).

mod bitmap;
mod blocks;
mod drivers;
mod header;
mod kdbg;
mod processors;
mod ranges;
mod runs;
mod space;
mod triage;

use self::{
    blocks::Blocks,
    header::{DumpType, Header},
    kdbg::Kdbg,
    space::Space,
    triage::Triage,
};
use super::{
    Format,
    file::ImageFile,
    image::{Frames, Image, Layout, SavedRegisters, Stored},
};
use crate::{
    arch::amd64::LongMode,
    core::driver::{DriverInfo, Hints},
    error::Result,
};

/// The format. Other dumps of Windows are claimed, too, to be refused by name.
pub const FORMAT: Format = Format {
    prefix: "kdmp",
    name: "crash dump",
    claims: |head| {
        [&b"PAGE"[..], b"MDMP", b"USERDU"]
            .iter()
            .any(|magic| head.starts_with(magic))
    },
    open,
};

fn open(file: ImageFile) -> Result<Image> {
    let header = Header::read(&file)?;
    let kind = header.dump_type()?;
    match kind {
        DumpType::Full => {
            let runs = runs::read(&header, &file)?;
            Ok(paged(&header, kind, file, runs))
        }
        DumpType::Triage => triage(&header, kind, file),
        DumpType::Summary => {
            let bitmap = bitmap::read_summary(&file)?;
            Ok(paged(&header, kind, file, bitmap))
        }
        // What follows the header says how, whatever the type says.
        DumpType::Pages { complete, .. } if ranges::is_next(&file) => {
            let ranges = ranges::read(&file, complete)?;
            Ok(paged(&header, kind, file, ranges))
        }
        DumpType::Pages { .. } => {
            let bitmap = bitmap::read(&file)?;
            Ok(paged(&header, kind, file, bitmap))
        }
    }
}

/// A dump of frames.
fn paged(header: &Header, kind: DumpType, file: ImageFile, layout: impl Layout + 'static) -> Image {
    let info = info(header, kind, layout.size());
    let mapped = file.is_mapped();
    let frames = Frames::new(file, layout);
    let root = header.root().unwrap_or_default();
    let spaces = [4, 5].map(|levels| Space::Paged {
        memory: &frames,
        walker: LongMode::new(levels),
        root,
    });
    let (hints, registers) = facts(header, &spaces);
    Image {
        info,
        hints,
        registers,
        mapped,
        memory: Stored::Frames(Box::new(frames)),
    }
}

/// A dump of blocks by virtual address.
fn triage(header: &Header, kind: DumpType, file: ImageFile) -> Result<Image> {
    let triage = Triage::read(&file)?;
    let mut list = triage.blocks(header, &file)?;
    let drivers = drivers::read(&file, triage.driver_list());
    let mut blocks = Blocks::new(file, list.clone());
    let space = Space::Stored(&blocks);
    let kdbg = header.debugger_data().and_then(|va| Kdbg::read(&space, va));
    if let Some(kdbg) = kdbg {
        list.extend(triage.copies(&kdbg, &space, blocks.file()));
        blocks = blocks.with(list);
    }
    let (mut hints, registers) = facts(header, &[Space::Stored(&blocks)]);
    hints.modules = drivers;
    Ok(Image {
        info: info(header, kind, blocks.size()),
        hints,
        registers,
        mapped: blocks.file().is_mapped(),
        memory: Stored::Bytes(Box::new(blocks)),
    })
}

fn info(header: &Header, kind: DumpType, memory_size: u64) -> DriverInfo {
    DriverInfo {
        name: FORMAT.prefix,
        format: kind.name(),
        vcpus: header.processors(),
        memory_size,
    }
}

/// What the header and, in the first of `spaces` that has it, the debugger data tell.
fn facts(header: &Header, spaces: &[Space]) -> (Hints, SavedRegisters) {
    let mut hints = header.hints();
    let found = hints.debugger_data.and_then(|va| {
        let found = |space| Some((Kdbg::read(space, va)?, space));
        spaces.iter().find_map(found)
    });
    if let Some((kdbg, _)) = &found {
        hints.kernel_base = kdbg.kernel_base();
        hints.process_list = hints.process_list.or(kdbg.process_list());
        hints.module_list = hints.module_list.or(kdbg.module_list());
    }
    let kdbg = found.as_ref().map(|(kdbg, space)| (kdbg, *space));
    (hints, processors::read(header, kdbg))
}
