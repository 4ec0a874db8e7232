//! A driver over plain maps that logs its calls and fails the one it is told to.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use crate::{
    core::{
        Capabilities, Driver, Gfn, Memory, Pa, Registers,
        driver::{
            Control, DriverInfo, Event, EventResponse, Events, Interrupt, MemoryAccess, Monitor,
            PhysicalMemory, Run, VcpuRegisters, ViewId, Views,
        },
    },
    error::{Error, Fault, FaultKind, Result},
    monitor::Machine,
};

/// One call that reached the driver.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Call {
    Read(Pa, usize),
    Write(Pa, usize),
    Pause,
    Resume,
    Inject(u16, Interrupt),
    RunOnly(Option<u16>),
    Allocate,
    Free(Gfn),
    ResetEvents,
    CreateView,
    DestroyView(ViewId),
    Switch(ViewId),
    Remap(ViewId, Gfn, Gfn),
    ResetPage(ViewId, Gfn),
    Access(ViewId, Gfn),
    SetAccess(ViewId, Gfn, MemoryAccess),
    Enable(Monitor),
    Disable(Monitor),
    Wait,
    Registers(u16),
}

/// What a view shows of a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shown {
    pub gfn: Gfn,
    pub access: MemoryAccess,
}

#[derive(Default)]
pub struct State {
    pub frames: HashMap<Gfn, Box<[u8; 4096]>>,
    pub views: BTreeMap<ViewId, BTreeMap<Gfn, Shown>>,
    pub current: Option<ViewId>,
    pub calls: Vec<Call>,
    pub paused: i32,
    /// The only processor that runs.
    pub alone: Option<u16>,
    pub allocated: BTreeSet<Gfn>,
    /// Registers of the processors whose registers can be asked for.
    pub registers: HashMap<u16, Registers>,
    pub monitors: Vec<Monitor>,
    pub events: VecDeque<Event>,
    pub answers: Vec<(Event, EventResponse)>,
    /// Calls until the one that fails, and whether all later ones do too.
    fail_in: Option<(usize, bool)>,
    next_view: u16,
    next_frame: u64,
}

pub const DEFAULT_VIEW: ViewId = ViewId(0);
/// Shadow frames are allocated from here on.
const FIRST_SHADOW: u64 = 0x10_0000;

pub const FULL: MemoryAccess = MemoryAccess::READ
    .union(MemoryAccess::WRITE)
    .union(MemoryAccess::EXECUTE);

/// A page in which every byte tells its offset, and none is an INT3.
pub fn code(seed: u8) -> [u8; 4096] {
    std::array::from_fn(|offset| (offset as u8 ^ seed) & 0x7f)
}

pub struct Mock {
    state: Mutex<State>,
    has_views: bool,
}

impl Mock {
    pub fn new() -> Self {
        let mut state = State {
            next_frame: FIRST_SHADOW,
            ..State::default()
        };
        state.views.insert(DEFAULT_VIEW, BTreeMap::new());
        state.current = Some(DEFAULT_VIEW);
        Self {
            state: Mutex::new(state),
            has_views: true,
        }
    }

    pub fn without_views() -> Self {
        Self {
            has_views: false,
            ..Self::new()
        }
    }

    pub fn memory(self: &Arc<Self>) -> Arc<Memory> {
        Arc::new(Memory::new(Arc::clone(self) as Arc<dyn Driver>, 64))
    }

    pub fn machine(self: &Arc<Self>) -> Machine {
        Machine::new(self.memory()).unwrap()
    }

    pub fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    /// Lets `calls` calls pass and fails the next one.
    pub fn fail_after(&self, calls: usize) {
        self.state().fail_in = Some((calls, false));
    }

    /// Lets `calls` calls pass and fails all others until [`Mock::heal`].
    pub fn break_after(&self, calls: usize) {
        self.state().fail_in = Some((calls, true));
    }

    /// Ends what `fail_after` or `break_after` began; true when a call did fail.
    pub fn heal(&self) -> bool {
        match self.state().fail_in.take() {
            Some((left, true)) => left == 0,
            Some((_, false)) => false,
            None => true,
        }
    }

    pub fn calls(&self) -> Vec<Call> {
        std::mem::take(&mut self.state().calls)
    }

    pub fn put(&self, gfn: Gfn, bytes: [u8; 4096]) {
        self.state().frames.insert(gfn, Box::new(bytes));
    }

    pub fn byte(&self, pa: Pa) -> u8 {
        self.state().frames[&pa.gfn()][pa.page_offset() as usize]
    }

    pub fn poke(&self, pa: Pa, bytes: &[u8]) {
        let offset = pa.page_offset() as usize;
        let mut state = self.state();
        let page = state.frames.entry(pa.gfn()).or_insert(Box::new([0; 4096]));
        page[offset..offset + bytes.len()].copy_from_slice(bytes);
    }

    /// What the guest sees at `pa` in `view`.
    pub fn seen(&self, view: ViewId, pa: Pa) -> u8 {
        let gfn = self.shown(view, pa.gfn()).gfn;
        self.byte(gfn.pa().wrapping_add(pa.page_offset()))
    }

    pub fn shown(&self, view: ViewId, gfn: Gfn) -> Shown {
        let state = self.state();
        let shown = state.views.get(&view).and_then(|pages| pages.get(&gfn));
        shown.copied().unwrap_or(Shown { gfn, access: FULL })
    }

    /// Pages that a view shows otherwise than the guest has them.
    pub fn altered(&self, view: ViewId) -> usize {
        let state = self.state();
        let pages = state.views.get(&view).into_iter().flatten();
        pages
            .filter(|(gfn, shown)| shown.gfn != **gfn || shown.access != FULL)
            .count()
    }

    fn call(&self, call: Call) -> Result<MutexGuard<'_, State>> {
        let mut state = self.state();
        state.calls.push(call);
        match &mut state.fail_in {
            Some((0, lasting)) => {
                if !*lasting {
                    state.fail_in = None;
                }
                return Err(Error::BackEnd {
                    reason: "told to fail".into(),
                });
            }
            Some((left, _)) => *left -= 1,
            None => {}
        }
        Ok(state)
    }

    fn page(state: &mut State, view: ViewId, gfn: Gfn) -> Result<&mut Shown> {
        let pages = state
            .views
            .get_mut(&view)
            .ok_or_else(|| Error::not_found("the view"))?;
        Ok(pages.entry(gfn).or_insert(Shown { gfn, access: FULL }))
    }
}

impl PhysicalMemory for Mock {
    fn read(&self, pa: Pa, buffer: &mut [u8]) -> Result<(), Fault> {
        let call = self.call(Call::Read(pa, buffer.len()));
        let state = call.map_err(|_| Fault::physical(pa, FaultKind::BackEnd))?;
        let page = state.frames.get(&pa.gfn());
        let page = page.ok_or(Fault::physical(pa, FaultKind::NotInImage))?;
        let offset = pa.page_offset() as usize;
        buffer.copy_from_slice(&page[offset..offset + buffer.len()]);
        Ok(())
    }

    fn next_run(&self, _from: Gfn) -> Option<Run> {
        None
    }

    fn write(&self, pa: Pa, bytes: &[u8]) -> Result<(), Fault> {
        let call = self.call(Call::Write(pa, bytes.len()));
        let mut state = call.map_err(|_| Fault::physical(pa, FaultKind::BackEnd))?;
        let page = state.frames.get_mut(&pa.gfn());
        let page = page.ok_or(Fault::physical(pa, FaultKind::NotInImage))?;
        let offset = pa.page_offset() as usize;
        page[offset..offset + bytes.len()].copy_from_slice(bytes);
        Ok(())
    }
}

impl VcpuRegisters for Mock {
    fn get(&self, vcpu: u16) -> Result<Registers> {
        let state = self.call(Call::Registers(vcpu))?;
        let registers = state.registers.get(&vcpu).copied();
        registers.ok_or_else(|| Error::not_found("the processor"))
    }

    fn set(&self, vcpu: u16, registers: &Registers) -> Result<()> {
        let mut state = self.call(Call::Registers(vcpu))?;
        state.registers.insert(vcpu, *registers);
        Ok(())
    }
}

impl Control for Mock {
    fn pause(&self) -> Result<()> {
        self.call(Call::Pause)?.paused += 1;
        Ok(())
    }

    fn resume(&self) -> Result<()> {
        self.call(Call::Resume)?.paused -= 1;
        Ok(())
    }

    fn inject(&self, vcpu: u16, interrupt: &Interrupt) -> Result<()> {
        self.call(Call::Inject(vcpu, *interrupt)).map(drop)
    }

    fn run_only(&self, vcpu: Option<u16>) -> Result<()> {
        self.call(Call::RunOnly(vcpu))?.alone = vcpu;
        Ok(())
    }

    fn allocate_frame(&self) -> Result<Gfn> {
        let mut state = self.call(Call::Allocate)?;
        let gfn = Gfn(state.next_frame);
        state.next_frame += 1;
        state.allocated.insert(gfn);
        state.frames.insert(gfn, Box::new([0; 4096]));
        Ok(gfn)
    }

    fn free_frame(&self, gfn: Gfn) -> Result<()> {
        let mut state = self.call(Call::Free(gfn))?;
        assert!(state.allocated.remove(&gfn), "freed twice: {gfn:?}");
        state.frames.remove(&gfn);
        Ok(())
    }

    fn reset(&self) -> Result<()> {
        let mut state = self.call(Call::ResetEvents)?;
        state.monitors.clear();
        state.alone = None;
        Ok(())
    }
}

impl Views for Mock {
    fn default_view(&self) -> ViewId {
        DEFAULT_VIEW
    }

    fn create(&self, _access: MemoryAccess) -> Result<ViewId> {
        let mut state = self.call(Call::CreateView)?;
        state.next_view += 1;
        let view = ViewId(state.next_view);
        state.views.insert(view, BTreeMap::new());
        Ok(view)
    }

    fn destroy(&self, view: ViewId) -> Result<()> {
        let mut state = self.call(Call::DestroyView(view))?;
        assert_ne!(state.current, Some(view), "destroyed while in use");
        let destroyed = state.views.remove(&view);
        destroyed
            .map(drop)
            .ok_or_else(|| Error::not_found("the view"))
    }

    fn switch(&self, view: ViewId) -> Result<()> {
        self.call(Call::Switch(view))?.current = Some(view);
        Ok(())
    }

    fn remap(&self, view: ViewId, old: Gfn, new: Gfn) -> Result<()> {
        let mut state = self.call(Call::Remap(view, old, new))?;
        let (gfn, access) = (new, FULL);
        *Self::page(&mut state, view, old)? = Shown { gfn, access };
        Ok(())
    }

    fn reset(&self, view: ViewId, gfn: Gfn) -> Result<()> {
        let mut state = self.call(Call::ResetPage(view, gfn))?;
        *Self::page(&mut state, view, gfn)? = Shown { gfn, access: FULL };
        Ok(())
    }

    fn access(&self, view: ViewId, gfn: Gfn) -> Result<MemoryAccess> {
        let mut state = self.call(Call::Access(view, gfn))?;
        Ok(Self::page(&mut state, view, gfn)?.access)
    }

    fn set_access(&self, view: ViewId, gfn: Gfn, access: MemoryAccess) -> Result<()> {
        let mut state = self.call(Call::SetAccess(view, gfn, access))?;
        Self::page(&mut state, view, gfn)?.access = access;
        Ok(())
    }
}

impl Events for Mock {
    fn enable(&self, monitor: Monitor) -> Result<()> {
        self.call(Call::Enable(monitor))?.monitors.push(monitor);
        Ok(())
    }

    fn disable(&self, monitor: Monitor) -> Result<()> {
        let mut state = self.call(Call::Disable(monitor))?;
        state.monitors.retain(|other| *other != monitor);
        Ok(())
    }

    fn wait(
        &self,
        _timeout: Duration,
        handler: &mut dyn FnMut(&Event) -> EventResponse,
    ) -> Result<usize> {
        drop(self.call(Call::Wait)?);
        let mut count = 0;
        while let Some(event) = { self.state().events.pop_front() } {
            let response = handler(&event);
            self.state().answers.push((event, response));
            count += 1;
        }
        Ok(count)
    }

    fn fd(&self) -> Result<i32> {
        Err(Error::not_supported("a descriptor"))
    }
}

impl Driver for Mock {
    fn info(&self) -> DriverInfo {
        DriverInfo {
            name: "mock",
            format: "",
            vcpus: 2,
            memory_size: 0,
        }
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities::all()
    }

    fn physical(&self) -> Option<&dyn PhysicalMemory> {
        Some(self)
    }

    fn registers(&self) -> Option<&dyn VcpuRegisters> {
        Some(self)
    }

    fn control(&self) -> Option<&dyn Control> {
        Some(self)
    }

    fn views(&self) -> Option<&dyn Views> {
        self.has_views.then_some(self as &dyn Views)
    }

    fn events(&self) -> Option<&dyn Events> {
        Some(self)
    }
}
