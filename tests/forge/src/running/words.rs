//! The numbers in guest memory by which a running guest is controlled and tells what it did.
//!
//! All are 64-bit, little endian. The processor that runs an actor is the only one that writes
//! the actor's numbers; those of the whole guest are written with the bus locked.

/// Declares the words of a block: the order is the order in memory.
macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$word_doc:meta])* $word:ident,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum $name { $($(#[$word_doc])* $word,)* }

        impl $name {
            /// All words, in the order of memory.
            pub const ALL: &[Self] = &[$(Self::$word,)*];

            /// Offset from the start of the block, in bytes.
            pub fn offset(self) -> u64 {
                self as u64 * 8
            }

            /// Its name.
            pub fn name(self) -> &'static str {
                match self { $(Self::$word => stringify!($word),)* }
            }
        }
    };
}

words! {
    /// Words of the whole guest.
    Word {
        /// [`SIGNATURE`], from the start.
        Signature,
        /// 0 before the first actor runs, [`RUNNING`], [`QUIET`] or [`PANICKED`].
        State,
        /// Control: bits ([`ActorKind::bit`](super::ActorKind::bit)) of the kinds of actors that may run.
        Actors,
        /// Control: iterations after which an actor rests, or 0 for no end.
        Limit,
        /// Control: ticks of the local APIC's timer that a processor sleeps after each iteration.
        Pace,
        /// Processors that have started, those too many included.
        Online,
        /// Number of the last request to flush translations.
        Generation,
        /// The words of the processor that has all others stand when they flush, or 0.
        Frozen,
        /// Tickets drawn by those who want to change page tables.
        PagerTickets,
        /// The ticket whose holder may: the others wait for their turn.
        PagerTurn,
        /// Level of the entry that is out (1 page table to 4 top level; 5 the image's page), or 0.
        PendingLevel,
        /// Physical address of the entry that is out; of the top level, every root has one.
        PendingEntry,
        /// Value that brings the entry in.
        PendingValue,
        /// Frame of the driver's code page.
        DriverPage,
        /// Frame of the driver's page table.
        DriverTable,
        /// Frame of the driver's page directory.
        DriverDirectory,
        /// Frame of the driver's page-directory-pointer table.
        DriverPointers,
        /// Frame that the code page moves to next.
        SparePage,
        /// Frame that the page table moves to next.
        SpareTable,
        /// Frame that the page directory moves to next.
        SpareDirectory,
        /// Frame that the page-directory-pointer table moves to next.
        SparePointers,
        /// Times the driver's page was out by its page table.
        PageTableOuts,
        /// Times the driver's page was out by its page directory.
        DirectoryOuts,
        /// Times the driver's page was out by its page-directory-pointer table.
        PointersOuts,
        /// Times the driver's page was out by the top level.
        TopOuts,
        /// Times a page of the kernel image was out.
        ImageOuts,
        /// Times an entry came in again, of all levels.
        PageIns,
        /// Large pages of the kernel image split.
        Splits,
        /// Large pages of the kernel image joined.
        Joins,
        /// Page faults at pages that were there, such as injected ones.
        SpuriousFaults,
        /// INT3 that the guest did not place.
        StrayBreakpoints,
        /// Address of the last such INT3.
        StrayAddress,
        /// Rounds of the integrity checker over all watched pages.
        IntegrityRounds,
        /// Pages whose sum was not what it must be.
        IntegrityDifferences,
        /// Address of the last such page.
        DifferentPage,
        /// Processes put into the list.
        ProcessCreates,
        /// Processes taken out of the list.
        ProcessExits,
        /// Sum of both arguments of all calls of `PspInsertProcess`.
        InsertArgumentSum,
        /// Sum of the first argument of all calls of `MmCleanProcessAddressSpace`.
        CleanArgumentSum,
        /// Times the late driver was put into the list of modules.
        DriverLoads,
        /// Times the late driver was taken out of the list of modules.
        DriverUnloads,
        /// The late driver's function while it may be called, or 0.
        LateFunction,
        /// Threads that may be in it.
        LateUsers,
        /// Control: what the first process does with the plugin next: 1 and 2 load it at its
        /// first or second place, 3 and 4 unload it there.
        PluginTurn,
        /// Times the plugin was loaded.
        PluginLoads,
        /// Control: whether privileged actors call the hypervisor (Xen), 0 or 1.
        Hypercalls,
        /// Vector of the exception that ended everything.
        PanicVector,
        /// Its instruction pointer.
        PanicAddress,
        /// CR2 at it.
        PanicFault,
        /// Its error code.
        PanicError,
    }
}

words! {
    /// Words of an actor.
    ActorWord {
        /// Whether a processor runs it: 0 or 1.
        Busy,
        /// Bit of its kind in [`Word::Actors`].
        Kind,
        /// Its `_ETHREAD`.
        Thread,
        /// Its root (CR3 in kernel mode).
        Root,
        /// Its root in user mode.
        UserRoot,
        /// Where its kernel stack begins.
        Stack,
        /// Its native TEB.
        Teb,
        /// Function that is an iteration of a kernel actor; 0 in user mode.
        Function,
        /// First instruction of an iteration in user mode.
        UserEntry,
        /// User-mode stack pointer at the first instruction.
        UserStack,
        /// Iterations done.
        Iterations,
        /// Calls of `NtCreateFile`.
        Creates,
        /// Calls of `NtWriteFile`.
        Writes,
        /// Calls of the driver's function.
        DriverCalls,
        /// Sum of the first five arguments of all calls of `NtCreateFile` and `NtWriteFile`.
        ArgumentSum,
        /// Sum of the UTF-16 units of all paths given to `NtCreateFile`.
        PathSum,
        /// Entries of the recursive function `ObOpenObjectByName`.
        Opens,
        /// Returns from it.
        OpenReturns,
        /// Times its thread ended inside `ObOpenObjectByName` and `NtCreateFile`.
        ThreadExits,
        /// Its own INT3 executed.
        Breakpoints,
        /// Pages brought in for it.
        Faults,
        /// Calls of the late driver's function.
        LateCalls,
        /// Writes of the model-specific register SYSENTER_EIP.
        MsrWrites,
        /// `CPUID` executed.
        CpuIds,
        /// Writes to a port.
        Outs,
        /// Calls of the hypervisor.
        Vmcalls,
    }
}

/// Words of a processor, by their offsets in bytes.
#[derive(Clone, Copy, Debug)]
pub(super) enum ProcessorWord {
    /// Stack pointer of the idle loop while an actor runs.
    SavedStack = 0,
    /// Last [`Word::Generation`] that it has answered.
    Flushed = 8,
    /// Its `_KPCR`.
    Region = 16,
    /// Where its idle stack begins.
    IdleStack = 24,
    /// Limit (16 bits) and address of the GDT, as LGDT reads them.
    Gdt = 32,
    /// Limit (16 bits) and address of the IDT, as LIDT reads them.
    Idt = 48,
}

impl ProcessorWord {
    /// Offset from the start of the processor's words, in bytes.
    pub fn offset(self) -> u64 {
        self as u64
    }
}

/// Value of [`Word::Signature`]: `WINVMIRG`.
pub const SIGNATURE: u64 = u64::from_le_bytes(*b"WINVMIRG");
/// [`Word::State`] while actors run.
pub const RUNNING: u64 = 1;
/// [`Word::State`] when no actor runs, nor may.
pub const QUIET: u64 = 2;
/// [`Word::State`] after an exception that nothing handles.
pub const PANICKED: u64 = 3;

/// Distance of actors, and of processors, in bytes.
pub(super) const STEP: u64 = 256;
