//! Forges a Windows guest and writes it to a file.

use std::error::Error;
use std::fs::File;
use std::io::BufWriter;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use lexopt::prelude::*;
use serde::Serialize;
use winvmi_forge::running::{ActorKind, Running, RunningOptions};
use winvmi_forge::{CoreFormat, DumpType, Guest, ImageFormat, Layout, Options, PageSize};

const USAGE: &str = "\
usage: forge --layout LAYOUT --format FORMAT [OPTION]... OUT

  --layout LAYOUT     win7-7601, win8.1-9600, win10-14393, win10-17763, win10-18362,
                      win10-19041, win2022-20348 or win11-22000
  --format FORMAT     raw, qemu, virtualbox, xen, lime, or a crash dump: full, bitmap, triage, or its type as a number
                      (1, 2, 4 to 10), with the prefix 'ranges-' for the form that debuggers
                      write (8 to 10); or pvh: a guest that runs, as a kernel for Xen and QEMU
  --processes N       extra processes
  --handles N         extra handles, of the process bulk.exe
  --processors N      processors (2)
  --memory MIB        physical memory in MiB (64)
  --no-kva-shadow     user mode shares the kernel's page tables
  --no-low-stub       leave out the processor start block
  --no-debugger-data  wipe the debugger data block
  --no-deep-handles   no handle table of three levels
  --five-levels       page tables of five levels (LA57)
  --small-pages       map the kernel with 4 KiB pages
  --expected FILE     write what was placed as JSON
  --running FILE      of a guest that runs, write where everything is as JSON
  --actors LIST       of a guest that runs, what runs at first: user,wow64,pager,integrity,
                      lifecycle,loader,privileged (all)
  --iterations N      of a guest that runs, iterations of each actor (without end)
  --pace N            of a guest that runs, timer ticks of sleep between iterations (0)
";

/// What to write: an image of memory or a guest that runs.
enum Format {
    Image(ImageFormat),
    Pvh,
}

/// What the command line asks for.
struct Request {
    layout: Layout,
    format: Format,
    options: Options,
    running: RunningOptions,
    expected: Option<PathBuf>,
    map: Option<PathBuf>,
    out: PathBuf,
}

fn main() -> ExitCode {
    let request = match parse(lexopt::Parser::from_env()) {
        Ok(Some(request)) => request,
        Ok(None) => {
            print!("{USAGE}");
            return ExitCode::SUCCESS;
        }
        Err(error) => {
            eprint!("forge: {error}\n{USAGE}");
            return ExitCode::from(2);
        }
    };
    match run(&request) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("forge: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Reads the command line; nothing when help is asked for.
fn parse(mut parser: lexopt::Parser) -> Result<Option<Request>, lexopt::Error> {
    let (mut layout, mut format, mut out) = (None, None, None);
    let (mut expected, mut map) = (None, None);
    let mut options = Options::default();
    let mut running = RunningOptions::default();
    while let Some(argument) = parser.next()? {
        match argument {
            Long("layout") => layout = Some(parser.value()?.parse()?),
            Long("format") => format = Some(parser.value()?.parse_with(format_named)?),
            Long("processes") => options.extra_processes = parser.value()?.parse()?,
            Long("handles") => options.extra_handles = parser.value()?.parse()?,
            Long("processors") => options.processors = parser.value()?.parse()?,
            Long("memory") => options.memory = parser.value()?.parse::<u64>()? << 20,
            Long("no-kva-shadow") => options.kva_shadow = false,
            Long("no-low-stub") => options.low_stub = false,
            Long("no-debugger-data") => options.debugger_data = false,
            Long("no-deep-handles") => options.deep_handle_table = false,
            Long("five-levels") => options.five_levels = true,
            Long("small-pages") => options.kernel_pages = PageSize::Small,
            Long("actors") => running.actors = parser.value()?.parse_with(actors_named)?,
            Long("iterations") => running.limit = parser.value()?.parse()?,
            Long("pace") => running.pace = parser.value()?.parse()?,
            Long("running") => map = Some(parser.value()?.into()),
            Long("expected") => expected = Some(parser.value()?.into()),
            Short('h') | Long("help") => return Ok(None),
            Value(path) if out.is_none() => out = Some(PathBuf::from(path)),
            other => return Err(other.unexpected()),
        }
    }
    Ok(Some(Request {
        layout: layout.ok_or("--layout is missing")?,
        format: format.ok_or("--format is missing")?,
        options,
        running,
        expected,
        map,
        out: out.ok_or("OUT is missing")?,
    }))
}

fn format_named(name: &str) -> Result<Format, &'static str> {
    match name {
        "pvh" => Ok(Format::Pvh),
        name => image_format_named(name).map(Format::Image),
    }
}

fn actors_named(list: &str) -> Result<Vec<ActorKind>, &'static str> {
    let kind = |name: &str| match name {
        "user" => Ok(ActorKind::User),
        "wow64" => Ok(ActorKind::Wow64),
        "pager" => Ok(ActorKind::Pager),
        "integrity" => Ok(ActorKind::Integrity),
        "lifecycle" => Ok(ActorKind::Lifecycle),
        "loader" => Ok(ActorKind::Loader),
        "privileged" => Ok(ActorKind::Privileged),
        _ => Err("no such actor"),
    };
    list.split(',').map(kind).collect()
}

fn image_format_named(name: &str) -> Result<ImageFormat, &'static str> {
    if let Some(number) = name.strip_prefix("ranges-") {
        return dump_type(number).map(ImageFormat::Ranges);
    }
    match name {
        "raw" => Ok(ImageFormat::Raw),
        "qemu" => Ok(ImageFormat::Core(CoreFormat::Qemu)),
        "virtualbox" => Ok(ImageFormat::Core(CoreFormat::VirtualBox)),
        "xen" => Ok(ImageFormat::Core(CoreFormat::Xen)),
        "lime" => Ok(ImageFormat::Core(CoreFormat::Lime)),
        "full" => Ok(ImageFormat::Dump(DumpType::Full)),
        "bitmap" => Ok(ImageFormat::Dump(DumpType::BitmapFull)),
        "triage" => Ok(ImageFormat::Dump(DumpType::Triage)),
        number => dump_type(number).map(ImageFormat::Dump),
    }
}

fn dump_type(number: &str) -> Result<DumpType, &'static str> {
    let number = number.parse().ok();
    number
        .and_then(DumpType::from_number)
        .ok_or("no such format")
}

fn run(request: &Request) -> Result<(), Box<dyn Error>> {
    match request.format {
        Format::Image(format) => {
            let guest = Guest::build(request.layout, &request.options)?;
            guest.write_file(format, &request.out)?;
            write_json(request.expected.as_deref(), guest.expected())
        }
        Format::Pvh => {
            let running = Running::build(request.layout, &request.options, &request.running)?;
            running.write_elf(&request.out)?;
            write_json(request.map.as_deref(), &running.map())?;
            write_json(request.expected.as_deref(), running.guest().expected())
        }
    }
}

fn write_json(path: Option<&Path>, value: &impl Serialize) -> Result<(), Box<dyn Error>> {
    if let Some(path) = path {
        serde_json::to_writer_pretty(BufWriter::new(File::create(path)?), value)?;
    }
    Ok(())
}
