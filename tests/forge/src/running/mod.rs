//! A guest whose code runs: an ELF file that Xen (PVH) and `qemu-system-x86_64 -kernel` start.
//!
//! Its memory is that of the standard guest of a [`Layout`], with three more processes, threads
//! of the System process, a driver, and code at the addresses of the kernel's functions. One to
//! four processors run it. Each runs *iterations* of *actors* ([`ActorKind`]); what they did is
//! counted in [`Word`]s and [`ActorWord`]s at fixed addresses, the truth for tests.
//!
//! An iteration in user mode, N its number from 1:
//!
//! 1. `int3`.
//! 2. `NtCreateFile` of an absolute path, whose text is on a page that is not present; `DesiredAccess`
//!    is 0x120089, the other values are in [`Actor::user`].
//! 3. `NtWriteFile` to the handle N modulo 4.
//! 4. A system call to the driver's function, which the pager takes out by every level; it calls
//!    `late.sys!LateFunction` while that driver is loaded. The first process maps and unmaps
//!    `plugin.dll` in this call as [`Word::PluginTurn`] says, through `DbgkMapViewOfSection`, and
//!    calls `PluginFunction` after it.
//! 5. `NtCreateFile` of a path relative to a handle; `OBJECT_ATTRIBUTES` and all behind it are on
//!    another page that is not present. Where N is a multiple of 8, `DesiredAccess` has 0x2000000
//!    too: the thread ends at the bottom of the recursion of `ObOpenObjectByName`, and none of
//!    the functions on its stack returns. It starts anew with the next iteration.
//! 6. A system call that gives up the processor; both pages are taken out again.
//!
//! `NtCreateFile` calls `ObOpenObjectByName`, which calls itself three times. 64-bit code goes
//! through `syscall`, 32-bit code through its 64-bit part; the kernel side goes through the layout's
//! `KiSystemCall64` or `KiSystemCall64Shadow`, `KiSystemServiceUser`, `KiSystemServiceCopyEnd` and
//! `KiSystemServiceExit`. The thread's `_KTRAP_FRAME`, the processor's `CurrentThread` and the GS
//! bases are what they are in Windows; `CurrentThread` is the idle thread between iterations.
//!
//! Iterations of the kernel's actors:
//!
//! - The pager takes one step of seven: the driver's code page goes out by its page table, page
//!   directory, page-directory-pointer table and top-level entry (of every root); the large page
//!   of the image that holds `NtWriteFile` is split; the page of `NtWriteFile` goes out; the large
//!   page is joined. What is out comes in by the next fault, the frame below the entry and that of
//!   the code being others than before.
//! - The integrity checker sums every watched page and calls `DbgBreakPoint`.
//! - The lifecycle inserts a process with `PspInsertProcess` and, in every second iteration,
//!   removes it again after `MmCleanProcessAddressSpace`.
//! - The loader maps `late.sys`, puts it into the list with `MiProcessLoaderEntry` and calls
//!   `LateFunction`; in every second iteration it unloads it. The next time it is elsewhere.
//! - The privileged one writes SYSENTER_EIP (the iteration's number), executes CPUID (leaf 0, ECX
//!   the number less one), writes to port 0x84 and, if [`Word::Hypercalls`] says so, calls Xen.
//!
//! **Start.** `qemu-system-x86_64 -machine q35 -cpu max -smp 2 -m 128M -nodefaults -display none
//! -debugcon stdio -kernel GUEST`, or a domain of type `pvh` with `kernel = "GUEST"` and
//! `memory = 64`. Physical addresses are the same under both.
//!
//! **Control.** [`Word::Actors`] holds the kinds that may run, [`Word::Limit`] after how many
//! iterations each actor rests, [`Word::Pace`] the time of sleep in between. All can be changed at any
//! time from outside. When nothing runs nor may run, [`Word::State`] is [`QUIET`]: counters
//! stand still and can be compared. The console (port 0xE9) tells the start, each
//! time that all is quiet, and a panic.

mod actors;
mod build;
mod code;
mod late;
mod moving;
mod plan;
mod plugin;
mod pvh;
mod tables;
mod truth;
mod user_space;
mod words;

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

use serde::Serialize;

pub use actors::{Actor, ActorCode, ActorKind};
pub use words::{ActorWord, PANICKED, QUIET, RUNNING, SIGNATURE, Word};

use crate::guest::Guest;
use crate::layout::Layout;
use crate::options::Options;

/// What runs at first.
#[derive(Clone, Debug)]
pub struct RunningOptions {
    /// Kinds of actors.
    pub actors: Vec<ActorKind>,
    /// Iterations of each actor, or 0 for no end.
    pub limit: u64,
    /// Ticks of the local APIC's timer that a processor sleeps after each iteration (1 ns under
    /// QEMU, 10 ns under Xen).
    pub pace: u64,
}

impl Default for RunningOptions {
    fn default() -> Self {
        Self {
            actors: ActorKind::ALL.to_vec(),
            limit: 0,
            pace: 0,
        }
    }
}

/// A running guest, before it runs.
pub struct Running {
    guest: Guest,
    entry: u64,
    words: u64,
    actors: Vec<Actor>,
    driver_function: u64,
    spares: Vec<u64>,
    parent: u64,
    watched: Vec<u64>,
}

impl Running {
    /// Builds the guest.
    ///
    /// # Errors
    /// When the layout's table cannot be read or the code not be assembled.
    ///
    /// # Panics
    /// With options for more than four processors, or other than large pages for the kernel.
    pub fn build(layout: Layout, options: &Options, running: &RunningOptions) -> io::Result<Self> {
        let guest = Guest::build(layout, options)?;
        build::build(guest, running).map_err(io::Error::other)
    }

    /// The guest as it is when it starts.
    pub fn guest(&self) -> &Guest {
        &self.guest
    }

    /// The actors.
    pub fn actors(&self) -> &[Actor] {
        &self.actors
    }

    /// The driver's function that actors in user mode call.
    pub fn driver_function(&self) -> u64 {
        self.driver_function
    }

    /// Where `late.sys!LateFunction` is, in turn.
    pub fn late_functions() -> [u64; 2] {
        late::functions()
    }

    /// Where `plugin.dll!PluginFunction` is, in turn.
    pub fn plugin_functions() -> [u64; 2] {
        plugin::functions()
    }

    /// Processes (`_EPROCESS`) that come and go, in the order of their coming.
    pub fn spares(&self) -> &[u64] {
        &self.spares
    }

    /// The second argument (`_EPROCESS`) of `PspInsertProcess`.
    pub fn parent(&self) -> u64 {
        self.parent
    }

    /// Pages that the integrity checker watches.
    pub fn watched(&self) -> &[u64] {
        &self.watched
    }

    /// Virtual and physical address of a word of the guest.
    pub fn word(&self, word: Word) -> (u64, u64) {
        self.place(self.words + word.offset())
    }

    /// Virtual and physical address of a word of an actor.
    pub fn actor_word(&self, actor: &Actor, word: ActorWord) -> (u64, u64) {
        self.place(actor.words + word.offset())
    }

    fn place(&self, va: u64) -> (u64, u64) {
        (va, self.guest.translate(va).unwrap_or_default())
    }

    /// Physical memory that the machine must have, in bytes.
    pub fn memory(&self) -> u64 {
        self.guest.memory.end()
    }

    /// Writes the ELF file.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write_elf(&self, path: &Path) -> io::Result<()> {
        let mut out = BufWriter::new(File::create(path)?);
        pvh::write(&self.guest.memory, self.entry, &mut out)?;
        out.flush()
    }

    /// Where everything is that a test looks at, to be written as JSON.
    pub fn map(&self) -> impl Serialize + '_ {
        let words = Word::ALL.iter().map(|word| (word.name(), self.word(*word)));
        let actor_words = ActorWord::ALL
            .iter()
            .map(|word| (word.name(), word.offset()));
        Map {
            memory: self.memory(),
            words: words.collect(),
            actor_words: actor_words.collect(),
            actors: &self.actors,
            actor_frames: self
                .actors
                .iter()
                .map(|actor| self.place(actor.words).1)
                .collect(),
            driver_function: self.driver_function,
            late_functions: Self::late_functions(),
            plugin_functions: Self::plugin_functions(),
            plugin_calls: user_space::PLUGIN_CALLS,
            spares: &self.spares,
            parent: self.parent,
            watched: &self.watched,
        }
    }
}

/// See [`Running::map`].
#[derive(Serialize)]
struct Map<'a> {
    /// Bytes of memory that the machine needs.
    memory: u64,
    /// Virtual and physical addresses of [`Word`]s.
    words: BTreeMap<&'static str, (u64, u64)>,
    /// Offsets of [`ActorWord`]s from an actor's words.
    actor_words: BTreeMap<&'static str, u64>,
    actors: &'a [Actor],
    /// Physical addresses of the actors' words.
    actor_frames: Vec<u64>,
    driver_function: u64,
    late_functions: [u64; 2],
    plugin_functions: [u64; 2],
    /// Where the first process counts the calls.
    plugin_calls: u64,
    spares: &'a [u64],
    parent: u64,
    watched: &'a [u64],
}
