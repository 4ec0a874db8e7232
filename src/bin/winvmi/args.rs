//! The command line.

use std::path::PathBuf;

use clap::{Args as Group, Parser, Subcommand, ValueEnum};

/// Look into a Windows guest: a crash dump, a memory image.
#[derive(Parser)]
#[command(name = "winvmi", version, max_term_width = 100)]
pub struct Args {
    #[command(subcommand)]
    pub command: Command,
}

/// The guest, and how it is opened.
#[derive(Group)]
pub struct Target {
    /// Crash dump or memory image (a path, or kdmp:PATH, raw:PATH, ...)
    pub target: String,
    /// File or directory with symbols (.isr, .pdb, ISF .json or .json.xz); may be repeated
    #[arg(long, value_name = "PATH")]
    pub symbols: Vec<PathBuf>,
    /// Print JSON instead of a table
    #[arg(long)]
    pub json: bool,
}

/// Which processes a list is about.
#[derive(Group)]
#[group(multiple = false)]
pub struct ProcessFilter {
    /// Only the process with this id
    #[arg(long)]
    pub pid: Option<u32>,
    /// Only processes with this image name (case does not count)
    #[arg(long)]
    pub name: Option<String>,
}

/// An address and the space it lies in.
#[derive(Group)]
pub struct Place {
    /// Address (0x...), symbol (nt!NtCreateFile), or symbol plus offset (nt!KiSystemCall64+0x10)
    pub address: String,
    /// In the address space of the process with this id [default: the kernel's]
    #[arg(long, conflicts_with = "physical")]
    pub pid: Option<u32>,
    /// A physical address
    #[arg(long)]
    pub physical: bool,
}

/// Which objects are shown.
#[derive(Group)]
pub struct ObjectChoice {
    /// Path in the namespace, or the address (0x...) of an object
    #[arg(default_value = "\\")]
    pub path: String,
    /// Follow symbolic links
    #[arg(long)]
    pub follow: bool,
    /// List the directories below, too
    #[arg(long)]
    pub recursive: bool,
    /// Drive letters are those that the process with this id sees
    #[arg(long, requires = "follow")]
    pub pid: Option<u32>,
}

/// A module, and where it goes.
#[derive(Group)]
pub struct ModuleDump {
    /// File name of the module, or its base address (0x...)
    pub module: String,
    /// File to be written
    #[arg(long, short, value_name = "PATH")]
    pub output: PathBuf,
    /// Id of the process
    #[arg(long)]
    pub pid: u32,
    /// Order of the bytes
    #[arg(long, value_enum, default_value = "file")]
    pub layout: DumpLayout,
}

/// How the bytes of a module are ordered.
#[derive(Clone, Copy, ValueEnum)]
pub enum DumpLayout {
    /// As in the file that the module was loaded from
    File,
    /// As in memory
    Memory,
}

/// Where processes are looked for.
#[derive(Clone, Copy, ValueEnum)]
pub enum Source {
    /// The list of active processes
    List,
    /// The table of process and thread ids, which hidden processes are in, too
    Ids,
}

/// What is to be done.
#[derive(Subcommand)]
pub enum Command {
    /// What is known about the guest, its kernel and its symbols
    Info {
        #[command(flatten)]
        target: Target,
    },
    /// Processes
    Ps {
        #[command(flatten)]
        target: Target,
        /// Show who created whom
        #[arg(long)]
        tree: bool,
        /// Where processes are looked for
        #[arg(long, value_enum, default_value = "list")]
        source: Source,
    },
    /// Threads
    Threads {
        #[command(flatten)]
        target: Target,
        #[command(flatten)]
        process: ProcessFilter,
    },
    /// Open handles and what they refer to
    Handles {
        #[command(flatten)]
        target: Target,
        #[command(flatten)]
        process: ProcessFilter,
    },
    /// Tokens of processes and of threads that impersonate: users, groups, privileges
    Tokens {
        #[command(flatten)]
        target: Target,
        #[command(flatten)]
        process: ProcessFilter,
    },
    /// Objects: what a directory of the namespace holds, or what one object says
    Objects {
        #[command(flatten)]
        target: Target,
        #[command(flatten)]
        choice: ObjectChoice,
    },
    /// Modules of the kernel
    Modules {
        #[command(flatten)]
        target: Target,
    },
    /// Memory regions of processes
    Regions {
        #[command(flatten)]
        target: Target,
        #[command(flatten)]
        process: ProcessFilter,
    },
    /// Modules of processes, those that no loader lists included
    Dlls {
        #[command(flatten)]
        target: Target,
        #[command(flatten)]
        process: ProcessFilter,
    },
    /// Command lines of processes
    Cmdline {
        #[command(flatten)]
        target: Target,
        #[command(flatten)]
        process: ProcessFilter,
    },
    /// Environment variables of processes
    Env {
        #[command(flatten)]
        target: Target,
        #[command(flatten)]
        process: ProcessFilter,
    },
    /// Write a module of a process to a file; lists what is missing in it
    DumpModule {
        #[command(flatten)]
        target: Target,
        #[command(flatten)]
        dump: ModuleDump,
    },
    /// Bytes of memory
    Read {
        #[command(flatten)]
        target: Target,
        #[command(flatten)]
        place: Place,
        /// Number of bytes
        #[arg(default_value_t = 256)]
        length: u64,
    },
    /// Where a virtual address leads
    Translate {
        #[command(flatten)]
        target: Target,
        #[command(flatten)]
        place: Place,
    },
    /// What a running guest does, until SIGINT, SIGTERM, SIGHUP or SIGALRM; the guest is left
    /// as it was. JSON is one object per line
    Trace {
        #[command(flatten)]
        target: Target,
        /// Functions whose calls and returns are printed (nt!NtCreateFile, ntdll!NtClose), or
        /// `files`: files created and written, processes begun and ended
        #[arg(required = true)]
        what: Vec<String>,
        #[command(flatten)]
        process: ProcessFilter,
    },
    /// Addresses of symbols (nt!NtCreateFile) and symbols at addresses (0x...)
    Symbols {
        #[command(flatten)]
        target: Target,
        /// Symbols or addresses; none prints all symbols of the kernel
        names: Vec<String>,
    },
}

impl Command {
    /// The guest that the command is about.
    pub const fn target(&self) -> &Target {
        match self {
            Self::Info { target }
            | Self::Ps { target, .. }
            | Self::Threads { target, .. }
            | Self::Handles { target, .. }
            | Self::Tokens { target, .. }
            | Self::Objects { target, .. }
            | Self::Modules { target }
            | Self::Regions { target, .. }
            | Self::Dlls { target, .. }
            | Self::Cmdline { target, .. }
            | Self::Env { target, .. }
            | Self::DumpModule { target, .. }
            | Self::Read { target, .. }
            | Self::Translate { target, .. }
            | Self::Trace { target, .. }
            | Self::Symbols { target, .. } => target,
        }
    }
}
