//! A running guest with hooks in it: the monitor's front door.

mod control;
mod detach;
mod find;
mod insert;
mod run;
mod status;
mod views;

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError, atomic::AtomicU64},
};

use self::control::LoopControl;
pub(super) use self::insert::NOWHERE;
pub use self::{
    insert::NewHook,
    run::Ended,
    status::{HookState, Pending},
};
use super::{
    breakpoint::{BreakpointManager, Key},
    dispatch::PendingStep,
    ground::Ground,
    guest::Guest,
    hurried::Hurried,
    machine::Machine,
    memory_hooks::{MemoryHooks, MemoryRange},
    own_views::OwnViews,
    patches::{BREAKPOINT_VECTOR, Location, Medium, Patches},
    plain::PlainPatches,
    registration::Registration,
    resident::Residency,
    search::{Search, Searches},
    shadow::ShadowPages,
    slots::{HookId, Slots},
    turns::Turns,
};
use crate::{
    arch::amd64::LongMode,
    core::{
        Memory, Pa, Va,
        driver::{MemoryAccess, Monitor, ViewId},
    },
    error::{Error, Result},
};

/// Key of the engine's own breakpoints; no hook has it.
pub(super) const OWN_KEY: Key = Key(0);

/// An address in an address space.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// Root of the address space.
    pub root: Pa,
    /// The address.
    pub va: Va,
}

/// What a hook waits for.
#[derive(Clone)]
pub enum Target {
    /// Execution of these instructions, in every address space that reaches the
    /// same bytes. Pages that are absent are hooked as soon as they come in.
    Code(Vec<Place>),
    /// Execution of a symbol of a module, in the kernel or in every process of the
    /// hook's scope as soon as the module is loaded there.
    Symbol(Arc<dyn Search>),
    /// Accesses to memory.
    Memory(MemoryRange),
    /// Something that a processor does.
    Processor(Monitor),
    /// Accesses that a view of the caller's denies.
    Denied(ViewId),
}

/// What the engine itself must know of the guest's kernel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Landmarks {
    /// Root through which kernel addresses are reached.
    pub kernel_root: Pa,
    /// Where a thread passes once, at its end: `PspExitThread`.
    pub thread_exit: Option<Va>,
    /// Where each new process passes, before it runs, with its object and its
    /// parent's as arguments: `PspInsertProcess`.
    pub process_created: Option<Va>,
    /// Where a thread passes that has mapped an image into the address space that it
    /// uses: `DbgkMapViewOfSection`, `PsCallImageNotifyRoutines`.
    pub image_mapped: [Option<Va>; 2],
    /// Where each module of the kernel passes before it is put into the list of those
    /// that are loaded, and before it is taken out, with its loader entry and whether it
    /// comes as arguments: `MiProcessLoaderEntry`.
    pub module_listed: Option<Va>,
    /// Where each process passes after its last thread, with its object as argument,
    /// while its page tables still exist: `MmCleanProcessAddressSpace`.
    pub process_ended: Option<Va>,
}

/// How far the guest is taken over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    /// Untouched.
    Idle,
    /// Running in this view (the default one where the back end has none).
    Attached(ViewId),
    /// Restored, for good.
    Closed,
}

/// What the threads that insert, remove and serve hooks share.
pub(super) struct State {
    pub phase: Phase,
    pub ground: Ground,
    pub breakpoints: BreakpointManager,
    pub memory: MemoryHooks,
    pub registry: Slots<Arc<Registration>>,
    /// Who waits for what processors do.
    pub processor: HashMap<Monitor, Vec<HookId>>,
    /// What is to be done after the step of each processor.
    pub steps: HashMap<u16, PendingStep>,
    /// Where processors were told to step over a patch, which they may still have to do.
    pub hurried: Hurried,
    /// Those of them that run alone.
    pub turns: Turns,
    pub residency: Residency,
    /// Symbols of modules that are not loaded everywhere yet.
    pub searches: Searches,
    /// Views of the caller's.
    pub own: OwnViews,
}

/// A running guest and its hooks.
///
/// The guest is left alone until the first hook is inserted. Hooks may be
/// inserted and removed by any thread, also inside callbacks; callbacks run in
/// the one thread that serves events, with no lock held.
pub struct LiveGuest {
    pub(super) machine: Machine,
    pub(super) guest: Arc<dyn Guest>,
    pub(super) landmarks: Landmarks,
    pub(super) mode: LongMode,
    pub(super) sequence: AtomicU64,
    /// Why the event loop is to end with an error.
    pub(super) failure: Mutex<Option<Error>>,
    state: Mutex<State>,
    control: LoopControl,
}

impl LiveGuest {
    /// Prepares to hook the guest behind `memory`'s driver, which uses paging of
    /// `levels` (4 or 5) levels.
    ///
    /// # Errors
    /// [`Error::NotSupported`] when the back end cannot stop a guest at events.
    pub fn new(
        memory: Arc<Memory>,
        guest: Arc<dyn Guest>,
        landmarks: Landmarks,
        levels: u8,
    ) -> Result<Self> {
        let machine = Machine::new(memory)?.with_log(guest.log());
        let medium: Box<dyn Medium> = match machine.has_views() {
            true => Box::new(ShadowPages::new()),
            false => Box::new(PlainPatches::new()),
        };
        let state = State {
            phase: Phase::Idle,
            ground: Ground::new(machine.clone(), LongMode::new(levels)),
            breakpoints: BreakpointManager::new(Patches::new(medium)),
            memory: MemoryHooks::default(),
            registry: Slots::default(),
            processor: HashMap::new(),
            steps: HashMap::new(),
            hurried: Hurried::default(),
            turns: Turns::default(),
            residency: Residency::default(),
            searches: Searches::default(),
            own: OwnViews::default(),
        };
        Ok(Self {
            control: LoopControl::new()?,
            machine,
            guest,
            landmarks,
            mode: LongMode::new(levels),
            sequence: AtomicU64::new(0),
            failure: Mutex::new(None),
            state: Mutex::new(state),
        })
    }

    /// Can the guest see code hooks by reading its own code? True on back ends
    /// without memory views.
    pub fn is_visible(&self) -> bool {
        !self.machine.has_views()
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn is_closing(&self) -> bool {
        self.control.is_closing()
    }

    fn take_failure(&self) -> Option<Error> {
        let mut failure = self.failure.lock().unwrap_or_else(PoisonError::into_inner);
        failure.take()
    }

    /// The byte that a reader of guest memory is to see at `pa`, where it is not
    /// the one in the frame.
    pub fn original_byte(&self, pa: Pa) -> Option<u8> {
        let state = self.state();
        let at = Location::new(state.view(), pa);
        state.breakpoints.original(at)
    }
}

impl State {
    /// The view that the guest runs in while it is taken over.
    pub fn view(&self) -> ViewId {
        match self.phase {
            Phase::Attached(view) => view,
            Phase::Idle | Phase::Closed => ViewId(0),
        }
    }

    /// Takes the guest over, unless that was done. Returns the view it runs in.
    fn attach(&mut self) -> Result<ViewId> {
        match self.phase {
            Phase::Attached(view) => return Ok(view),
            Phase::Closed => return Err(Error::Closed),
            Phase::Idle => {}
        }
        let machine = self.ground.machine.clone();
        let _paused = machine.pause()?;
        let view = take_over(&machine)?;
        self.phase = Phase::Attached(view);
        Ok(view)
    }
}

/// Rights of every page in a new view.
const EVERYTHING: MemoryAccess = MemoryAccess::READ
    .union(MemoryAccess::WRITE)
    .union(MemoryAccess::EXECUTE);

/// Makes a view, has events reported, moves the guest into the view; all or nothing.
fn take_over(machine: &Machine) -> Result<ViewId> {
    let Ok(views) = machine.views() else {
        let enabled = enable_all(machine).map(|()| ViewId(0));
        return enabled.inspect_err(|_| disable_all(machine));
    };
    let view = views.create(EVERYTHING)?;
    let moved = enable_all(machine).and_then(|()| views.switch(view));
    if moved.is_err() {
        disable_all(machine);
        let _ = views.destroy(view);
    }
    moved.map(|()| view)
}

/// Undoes what [`enable_all`] may have done; the error that counts is the first one.
fn disable_all(machine: &Machine) {
    if let Ok(events) = machine.events() {
        for monitor in NEEDED {
            let _ = events.disable(monitor);
        }
    }
}

/// What is reported as long as the guest is taken over.
const NEEDED: [Monitor; 2] = [Monitor::Interrupt(BREAKPOINT_VECTOR), Monitor::SingleStep];

fn enable_all(machine: &Machine) -> Result<()> {
    let events = machine.events()?;
    for monitor in NEEDED {
        events.enable(monitor)?;
    }
    Ok(())
}
