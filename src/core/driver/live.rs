//! What only a running guest offers: control, views and events.
//!
//! The shapes follow what hypervisors really do (Xen with altp2m): an event
//! stops one processor, carries its registers, and is answered exactly once.

use std::time::Duration;

use bitflags::bitflags;

use crate::{
    core::{Gfn, Pa, Registers, Va},
    error::{Error, Result},
};

bitflags! {
    /// Access rights of a page in a view, and the kind of a memory access.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
    pub struct MemoryAccess: u8 {
        /// Read.
        const READ = 1;
        /// Write.
        const WRITE = 2;
        /// Execute.
        const EXECUTE = 4;
        /// The processor's own page walks do not count as accesses.
        const IGNORE_PAGE_WALK = 8;
    }
}

/// A memory view: an alternative mapping of frames with its own access rights.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ViewId(pub u16);

/// How an interrupt came about, in the encoding of the VMCS.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InterruptKind {
    /// External interrupt.
    External,
    /// Non-maskable interrupt.
    Nmi,
    /// Exception raised by the processor.
    HardwareException,
    /// `INT n`.
    Software,
    /// `INT1`.
    PrivilegedSoftwareException,
    /// `INT3`, `INTO`.
    SoftwareException,
}

/// An interrupt or exception.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Interrupt {
    /// Vector, 0 to 255.
    pub vector: u8,
    /// How it came about.
    pub kind: InterruptKind,
    /// Error code, for vectors that push one.
    pub error_code: Option<u32>,
    /// Length of the instruction that raised it, in bytes.
    pub instruction_length: u8,
    /// CR2 for a page fault, DR6 bits for a debug exception, else 0.
    pub extra: u64,
}

/// What the hypervisor is asked to report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Monitor {
    /// Interrupts and exceptions of this vector (3 and 1 on Xen).
    Interrupt(u8),
    /// Writes to control register 0, 3 or 4.
    ControlRegister(u8),
    /// Writes to XCR0.
    Xcr0,
    /// Writes to this model-specific register.
    Msr(u32),
    /// `CPUID`.
    CpuId,
    /// Single steps.
    SingleStep,
    /// Guest-requested events (`VMCALL` of the bridge).
    Hypercall,
    /// Port I/O.
    Io,
}

/// Why an event was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EventReason {
    /// A page was accessed against its rights in the event's view.
    MemoryAccess {
        /// Physical address of the access.
        pa: Pa,
        /// Virtual address, where the hardware told it.
        va: Option<Va>,
        /// What was tried.
        access: MemoryAccess,
        /// The access was made by the processor's page walk.
        page_walk: bool,
    },
    /// An interrupt or exception was about to be delivered.
    Interrupt(Interrupt),
    /// One instruction was executed.
    SingleStep,
    /// A control register (0, 3, 4, or 8 for XCR0 in `register`) was written.
    ControlRegister {
        /// Which one.
        register: u8,
        /// Value before.
        old: u64,
        /// Value after.
        new: u64,
    },
    /// A model-specific register was written.
    Msr {
        /// Which one.
        index: u32,
        /// Value before, where the hypervisor tells it.
        old: u64,
        /// Value after.
        new: u64,
    },
    /// `CPUID` was executed; the event's registers hold its results, RIP is still at it.
    /// Unless the answer moves RIP, the processor goes on behind it.
    CpuId {
        /// EAX.
        leaf: u32,
        /// ECX.
        subleaf: u32,
        /// Instruction length in bytes.
        length: u8,
    },
    /// A port was accessed.
    Io {
        /// Port number.
        port: u16,
        /// Bytes accessed.
        size: u8,
        /// `IN` rather than `OUT`.
        input: bool,
        /// A string instruction.
        string: bool,
    },
    /// The guest asked for attention.
    Hypercall,
    /// A reason this library does not know; it is answered with a plain continue.
    Unknown(u32),
}

/// One stopped virtual processor.
#[derive(Debug, Clone)]
pub struct Event {
    /// The stopped processor.
    pub vcpu: u16,
    /// View it ran in.
    pub view: Option<ViewId>,
    /// Its registers; those that the back end does not report are 0 (Xen: DR0 to DR3,
    /// CR8, XCR0, IDTR, TR, LDTR, CSTAR, FMASK, TSC_AUX; ask [`VcpuRegisters`]).
    ///
    /// [`VcpuRegisters`]: super::VcpuRegisters
    pub registers: Registers,
    /// Why it stopped.
    pub reason: EventReason,
}

/// What the stopped processor does next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ResponseAction {
    /// Goes on.
    Continue,
    /// Goes on without the effect of the monitored write.
    Deny,
    /// Takes the interrupt after all.
    Reinject,
    /// Executes one instruction in `view` and reports a single step.
    SingleStep,
    /// Executes one instruction in this view, then returns to the event's view
    /// without an event.
    FastSingleStep(ViewId),
    /// Has the hypervisor emulate the instruction that a memory access was made by; an
    /// INT3 that a view shows is stepped over in the default view.
    Emulate,
}

/// Answer to an [`Event`].
#[derive(Debug, Clone, PartialEq)]
pub struct EventResponse {
    /// What the processor does next.
    pub action: ResponseAction,
    /// View to run in from now on; `None` keeps the event's.
    pub view: Option<ViewId>,
    /// General-purpose registers, RIP and RFLAGS to load before it goes on.
    pub registers: Option<Box<Registers>>,
}

/// Pausing, injection and frame allocation.
pub trait Control: Send + Sync {
    /// Stops all processors; counted.
    fn pause(&self) -> Result<()>;

    /// Undoes one [`Control::pause`].
    fn resume(&self) -> Result<()>;

    /// Queues an interrupt for a processor.
    fn inject(&self, vcpu: u16, interrupt: &Interrupt) -> Result<()>;

    /// Adds a frame to the guest, outside of what it knows. What is in it is undefined.
    fn allocate_frame(&self) -> Result<Gfn>;

    /// Takes an allocated frame back, at the latest in [`Control::leave`].
    fn free_frame(&self, gfn: Gfn) -> Result<()>;

    /// Has only this processor run, or with `None` all of them; not counted. The
    /// others stand when it returns.
    ///
    /// # Errors
    /// [`Error::NotSupported`] where processors cannot be held one by one.
    fn run_only(&self, vcpu: Option<u16>) -> Result<()> {
        let _ = vcpu;
        Err(Error::not_supported("holding single processors"))
    }

    /// Disables every monitor and single step that this driver may have enabled,
    /// and ends [`Control::run_only`].
    fn reset(&self) -> Result<()>;

    /// Undoes all that this driver has changed in the guest, and lets it run. Whoever
    /// still holds the driver afterwards only reads; dropping it does the same.
    fn leave(&self) -> Result<()> {
        Ok(())
    }
}

/// Alternative memory views.
pub trait Views: Send + Sync {
    /// The view that the guest runs in by itself.
    fn default_view(&self) -> ViewId;

    /// Makes a view in which every page has `access`.
    fn create(&self, access: MemoryAccess) -> Result<ViewId>;

    /// Destroys a view that no processor runs in.
    fn destroy(&self, view: ViewId) -> Result<()>;

    /// Moves all processors into `view`.
    fn switch(&self, view: ViewId) -> Result<()>;

    /// Shows frame `new` where the view showed `old`; resets the access rights.
    fn remap(&self, view: ViewId, old: Gfn, new: Gfn) -> Result<()>;

    /// Undoes [`Views::remap`].
    fn reset(&self, view: ViewId, gfn: Gfn) -> Result<()>;

    /// Access rights of a page in a view.
    fn access(&self, view: ViewId, gfn: Gfn) -> Result<MemoryAccess>;

    /// Sets the access rights of a page in a view.
    fn set_access(&self, view: ViewId, gfn: Gfn, access: MemoryAccess) -> Result<()>;
}

/// Guest events. One thread at a time waits and answers.
pub trait Events: Send + Sync {
    /// Starts reporting.
    fn enable(&self, monitor: Monitor) -> Result<()>;

    /// Stops reporting.
    fn disable(&self, monitor: Monitor) -> Result<()>;

    /// Waits for events and has `handler` answer each; the answer is sent before
    /// the next event is handled. Returns how many came, 0 on time-out or when a
    /// signal interrupted the wait. A handler that panics leaves no processor waiting.
    fn wait(
        &self,
        timeout: Duration,
        handler: &mut dyn FnMut(&Event) -> EventResponse,
    ) -> Result<usize>;

    /// A file descriptor that becomes readable when events come. One that was readable
    /// is served by [`Events::wait`] with a zero time-out until that returns 0.
    fn fd(&self) -> Result<i32>;
}
