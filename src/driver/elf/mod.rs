//! ELF cores of virtual machines: QEMU (`dump-guest-memory`, `virsh dump
//! --memory-only`), VirtualBox (`dumpvmcore`), Xen (`xl dump-core`).

mod file;
mod notes;
mod qemu;
mod virtualbox;
mod xen;
mod xen_vcpu;

use self::{
    file::{Core, PT_LOAD, PT_NOTE},
    notes::{Note, Notes},
    xen::XenCore,
};
use super::{
    Format,
    file::ImageFile,
    image::{Image, Layout, SavedRegisters},
    segments::{Segment, SegmentTable},
};
use crate::{
    core::{Registers, driver::DriverInfo},
    error::{Error, Result},
};

const MAGIC: &[u8] = b"\x7fELF";

/// Most processors that are believed.
const PROCESSORS_MAX: usize = 4096;
/// Most note segments that are read; cores have one.
const NOTE_SEGMENTS_MAX: usize = 16;

/// The format.
pub const FORMAT: Format = Format {
    prefix: "elf",
    name: "ELF core",
    claims: |head| head.starts_with(MAGIC),
    open,
};

fn open(file: ImageFile) -> Result<Image> {
    let core = Core::read(&file)?;
    if let Some(xen) = XenCore::read(&file, &core)? {
        let memory = xen.memory(&file, &core)?;
        let registers = xen.registers(&file, &core);
        let mut info = info("Xen core", &memory);
        info.vcpus = xen.processors();
        return Ok(image(info, file, memory, registers));
    }
    let memory = memory(&file, &core)?;
    let (name, registers) = processors(&file, &core)?;
    let mut info = info(name, &memory);
    info.vcpus = registers.0.len() as u16;
    Ok(image(info, file, memory, registers))
}

fn info(format: &'static str, memory: &impl Layout) -> DriverInfo {
    DriverInfo {
        name: FORMAT.prefix,
        format,
        vcpus: 0,
        memory_size: memory.size(),
    }
}

fn image(
    info: DriverInfo,
    file: ImageFile,
    memory: SegmentTable,
    registers: SavedRegisters,
) -> Image {
    Image {
        registers,
        ..Image::of_frames(info, file, memory)
    }
}

/// Physical memory from the `PT_LOAD` segments.
///
/// What a segment has in memory but not in the file (`p_memsz` beyond `p_filesz`)
/// was left out by the writer: it is absent, not zero.
fn memory(file: &ImageFile, core: &Core) -> Result<SegmentTable> {
    let loads = || core.programs.iter().filter(|it| it.kind == PT_LOAD);
    let placed = |it: &file::ProgramHeader| it.physical_address != 0 || it.virtual_address == 0;
    if loads().next().is_none() {
        return Err(Error::format(FORMAT.name, "it holds no memory"));
    }
    if !loads().any(placed) {
        let reason = "the core of a process, not of a machine";
        return Err(Error::format(FORMAT.name, reason));
    }
    let segments = loads().map(|it| Segment {
        start: it.physical_address,
        length: it.extent.length,
        offset: it.extent.offset,
    });
    Ok(SegmentTable::new(segments.collect(), file.len()))
}

/// Name of the writer and the registers that it noted.
fn processors(file: &ImageFile, core: &Core) -> Result<(&'static str, SavedRegisters)> {
    let mut name = "";
    let mut saved = Vec::new();
    let notes = core.programs.iter().filter(|it| it.kind == PT_NOTE);
    for program in notes.take(NOTE_SEGMENTS_MAX) {
        let notes = Notes::read(file, program.extent)?;
        let room = PROCESSORS_MAX.saturating_sub(saved.len());
        for (writer, registers) in notes.iter().filter_map(processor).take(room) {
            name = writer;
            saved.push(registers);
        }
    }
    Ok((name, SavedRegisters(saved)))
}

/// The registers of a processor's note; none when their layout is not known.
fn processor(note: Note) -> Option<(&'static str, Option<Registers>)> {
    match note.name {
        qemu::NOTE => Some(("QEMU core", qemu::registers(note.bytes))),
        virtualbox::NOTE => Some(("VirtualBox core", virtualbox::registers(note.bytes))),
        _ => None,
    }
}
