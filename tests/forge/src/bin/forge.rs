//! Forges a Windows guest and writes it to a file.

use std::error::Error;
use std::fs::File;
use std::io::BufWriter;
use std::path::PathBuf;
use std::process::ExitCode;

use lexopt::prelude::*;
use winvmi_forge::{CoreFormat, DumpType, Guest, ImageFormat, Layout, Options, PageSize};

const USAGE: &str = "\
usage: forge --layout LAYOUT --format FORMAT [OPTION]... OUT

  --layout LAYOUT     win7-7601, win8.1-9600, win10-14393, win10-17763, win10-18362,
                      win10-19041, win2022-20348 or win11-22000
  --format FORMAT     raw, qemu, virtualbox, xen, lime, or a crash dump: full, bitmap, triage, or its type as a number
                      (1, 2, 4 to 10), with the prefix 'ranges-' for the form that debuggers
                      write (8 to 10)
  --processes N       extra processes
  --handles N         extra handles, of the process bulk.exe
  --processors N      processors (2)
  --memory MIB        physical memory in MiB (64)
  --no-kva-shadow     user mode shares the kernel's page tables
  --no-low-stub       leave out the processor start block
  --no-debugger-data  wipe the debugger data block
  --no-deep-handles   no handle table of three levels
  --small-pages       map the kernel with 4 KiB pages
  --expected FILE     write what was placed as JSON
";

/// What the command line asks for.
struct Request {
    layout: Layout,
    format: ImageFormat,
    options: Options,
    expected: Option<PathBuf>,
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
    let (mut layout, mut format, mut expected, mut out) = (None, None, None, None);
    let mut options = Options::default();
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
            Long("small-pages") => options.kernel_pages = PageSize::Small,
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
        expected,
        out: out.ok_or("OUT is missing")?,
    }))
}

fn format_named(name: &str) -> Result<ImageFormat, &'static str> {
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
    let guest = Guest::build(request.layout, &request.options)?;
    guest.write_file(request.format, &request.out)?;
    if let Some(path) = &request.expected {
        serde_json::to_writer_pretty(BufWriter::new(File::create(path)?), guest.expected())?;
    }
    Ok(())
}
