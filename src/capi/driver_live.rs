//! The live side of a back end of the host's: control, views, events.

use std::{
    cell::{Cell, RefCell},
    ffi::c_void,
    thread::{self, ThreadId},
    time::Duration,
};

use super::{
    caller::Caller,
    driver::{HostDriver, error_of, wvmi_driver_ops},
    driver_event::{
        monitor_numbers, response_of, wvmi_driver_event, wvmi_driver_interrupt,
        wvmi_driver_response,
    },
    ffi::{Call, Plain},
    guard,
    registers::wvmi_registers,
    status::{WVMI_OK, WVMI_TIMEOUT, wvmi_status},
};
use crate::{
    core::{
        Gfn, Pa, Registers,
        driver::{
            Control, Event, EventResponse, Events, Interrupt, MemoryAccess, Monitor,
            ResponseAction, ViewId, Views,
        },
    },
    error::{Error, Result},
};

/// What a group of functions needs: whether it is there, and its parts by name.
type Part = (&'static str, bool);

macro_rules! parts {
    ($ops:ident: $($field:ident),*) => {
        [$((concat!("ops->", stringify!($field)), $ops.$field.is_some())),*]
    };
}

/// Refuses a table that has only a part of what belongs together.
pub fn check(ops: &wvmi_driver_ops) -> Result<()> {
    let set = parts!(ops: set_registers);
    let frames = parts!(ops: allocate_frame, free_frame);
    let control = parts!(ops: pause, resume, reset_events);
    let views = parts!(
        ops: create_view, destroy_view, switch_view, remap_page, reset_page, get_page_access,
        set_page_access
    );
    let events = parts!(ops: enable_events, disable_events, wait_events);
    let below_views = parts!(ops: allocate_frame, write_physical, wait_events);
    let whole: [&[Part]; 4] = [&frames, &control, &views, &events];
    for group in whole {
        needs(group, group)?;
    }
    needs(&set, &parts!(ops: get_registers))?;
    needs(&frames, &parts!(ops: pause))?;
    needs(&views, &below_views)?;
    needs(&events, &parts!(ops: pause, get_registers))?;
    needs(&parts!(ops: events_fd), &parts!(ops: wait_events))?;
    needs(&parts!(ops: inject), &parts!(ops: pause))?;
    match ops.pause.is_some() && ops.live == 0 {
        true => Err(Error::invalid_argument(
            "ops->live",
            "a guest that can be paused is running: it must be 1",
        )),
        false => Ok(()),
    }
}

/// When one of `group` is there, all of `others` have to be.
fn needs(group: &[Part], others: &[Part]) -> Result<()> {
    let begun = group.iter().any(|(_, there)| *there);
    let missing = others.iter().find(|(_, there)| !there);
    match missing.filter(|_| begun) {
        Some((argument, _)) => Err(Error::NullArgument { argument }),
        None => Ok(()),
    }
}

/// The function of a field, which `check` has found where it is needed.
fn there<F: Copy>(function: Option<F>, name: &'static str) -> Result<F> {
    function.ok_or_else(|| Error::not_supported(format!("{name} by the host's back end")))
}

/// Calls a function of the table with the context and further arguments.
macro_rules! ask {
    ($driver:ident.$field:ident($($argument:expr),*)) => {{
        let function = there($driver.ops.$field, stringify!($field))?;
        // SAFETY: the host's table holds functions of these types for this
        // context, which lives as long as the driver; pointers among the
        // arguments are to locals.
        let status = unsafe { function($driver.context(), $($argument),*) };
        error_of(status, stringify!($field))
    }};
}

/// The frame at an address that the host told.
fn frame_of(address: u64) -> Result<Gfn> {
    match Pa(address).page_offset() {
        0 => Ok(Pa(address).gfn()),
        _ => Err(Error::BackEnd {
            reason: "allocate_frame of the host's table gave no address of a page".into(),
        }),
    }
}

impl Control for HostDriver {
    fn pause(&self) -> Result<()> {
        ask!(self.pause())
    }

    fn resume(&self) -> Result<()> {
        ask!(self.resume())
    }

    fn inject(&self, vcpu: u16, interrupt: &Interrupt) -> Result<()> {
        let interrupt = wvmi_driver_interrupt::from(interrupt);
        let size = size_of_val(&interrupt);
        ask!(self.inject(vcpu.into(), &raw const interrupt, size))
    }

    fn allocate_frame(&self) -> Result<Gfn> {
        let mut address = 0;
        ask!(self.allocate_frame(&raw mut address))?;
        frame_of(address)
    }

    fn free_frame(&self, gfn: Gfn) -> Result<()> {
        ask!(self.free_frame(gfn.pa().0))
    }

    fn reset(&self) -> Result<()> {
        ask!(self.reset_events())
    }
}

impl Views for HostDriver {
    fn default_view(&self) -> ViewId {
        // `HostDriver::new` refused what does not fit.
        ViewId(self.ops.default_view as u16)
    }

    fn create(&self, access: MemoryAccess) -> Result<ViewId> {
        let mut view = 0;
        ask!(self.create_view(access.bits().into(), &raw mut view))?;
        let view = u16::try_from(view).map(ViewId).ok();
        let fresh = view.filter(|view| *view != self.default_view());
        fresh.ok_or_else(|| Error::BackEnd {
            reason: "create_view of the host's table gave no number of a new view".into(),
        })
    }

    fn destroy(&self, view: ViewId) -> Result<()> {
        ask!(self.destroy_view(view.0.into()))
    }

    fn switch(&self, view: ViewId) -> Result<()> {
        ask!(self.switch_view(view.0.into()))
    }

    fn remap(&self, view: ViewId, old: Gfn, new: Gfn) -> Result<()> {
        ask!(self.remap_page(view.0.into(), old.pa().0, new.pa().0))
    }

    fn reset(&self, view: ViewId, gfn: Gfn) -> Result<()> {
        ask!(self.reset_page(view.0.into(), gfn.pa().0))
    }

    fn access(&self, view: ViewId, gfn: Gfn) -> Result<MemoryAccess> {
        let mut access = 0;
        ask!(self.get_page_access(view.0.into(), gfn.pa().0, &raw mut access))?;
        let access = u8::try_from(access).ok().and_then(MemoryAccess::from_bits);
        access.ok_or_else(|| Error::BackEnd {
            reason: "get_page_access of the host's table gave unknown rights".into(),
        })
    }

    fn set_access(&self, view: ViewId, gfn: Gfn, access: MemoryAccess) -> Result<()> {
        ask!(self.set_page_access(view.0.into(), gfn.pa().0, access.bits().into()))
    }
}

impl Events for HostDriver {
    fn enable(&self, monitor: Monitor) -> Result<()> {
        let (kind, number) = monitor_numbers(monitor);
        ask!(self.enable_events(kind, number))
    }

    fn disable(&self, monitor: Monitor) -> Result<()> {
        let (kind, number) = monitor_numbers(monitor);
        ask!(self.disable_events(kind, number))
    }

    fn wait(
        &self,
        timeout: Duration,
        handler: &mut dyn FnMut(&Event) -> EventResponse,
    ) -> Result<usize> {
        let wait = there(self.ops.wait_events, "wait_events")?;
        let timeout = u32::try_from(timeout.as_millis()).unwrap_or(u32::MAX);
        let waiting = Waiting::new(handler);
        let answer_context = (&raw const waiting).cast_mut().cast();
        // SAFETY: as in `ask`; `waiting` outlives the call, and the answer function is
        // only called within it, as the header demands.
        let status = unsafe {
            wait(
                self.context(),
                timeout,
                Some(wvmi_driver_answer),
                answer_context,
            )
        };
        let panicked = waiting.panicked.get();
        match status {
            _ if panicked => Err(Error::Internal {
                reason: "answering an event panicked".into(),
            }),
            WVMI_OK | WVMI_TIMEOUT => Ok(waiting.answered.get()),
            status => error_of(status, "wait_events").map(|()| 0),
        }
    }

    fn fd(&self) -> Result<i32> {
        let mut descriptor = -1;
        ask!(self.events_fd(&raw mut descriptor))?;
        match descriptor {
            0.. => Ok(descriptor),
            _ => Err(Error::BackEnd {
                reason: "events_fd of the host's table gave no descriptor".into(),
            }),
        }
    }
}

/// One call of `wait_events`: what its answer function works on.
struct Waiting<'a> {
    thread: ThreadId,
    handler: RefCell<&'a mut dyn FnMut(&Event) -> EventResponse>,
    answered: Cell<usize>,
    panicked: Cell<bool>,
    /// Registers of the last answer.
    registers: RefCell<Box<wvmi_registers>>,
}

impl<'a> Waiting<'a> {
    fn new(handler: &'a mut dyn FnMut(&Event) -> EventResponse) -> Self {
        Self {
            thread: thread::current().id(),
            handler: RefCell::new(handler),
            answered: Cell::new(0),
            panicked: Cell::new(false),
            registers: RefCell::new(Box::new(wvmi_registers::zeroed())),
        }
    }

    /// The answer to an event; none for one that cannot be asked about now.
    fn answer(&self, event: &Event) -> Option<wvmi_driver_response> {
        if self.thread != thread::current().id() {
            return None;
        }
        let mut handler = self.handler.try_borrow_mut().ok()?;
        self.answered.set(self.answered.get().saturating_add(1));
        let response = guard::caught(Caller::current(), || handler(event));
        let Ok(response) = response else {
            self.panicked.set(true);
            return None;
        };
        let mut answer = response_of(&response);
        if let Some(registers) = &response.registers {
            let mut kept = self.registers.try_borrow_mut().ok()?;
            **kept = wvmi_registers::from(&**registers);
            answer.registers = &raw const **kept;
            answer.registers_size = size_of::<wvmi_registers>();
        }
        Some(answer)
    }
}

/// The engine's event, as far as the host's version of it tells.
///
/// Fields that only a newer host knows are passed over: an event is answered in
/// any case.
fn event_of(call: &Call, event: *const wvmi_driver_event, size: usize) -> Result<Event> {
    let known = size.min(size_of::<wvmi_driver_event>());
    let event = call.sized_input(event, known, "event")?;
    let size = event.registers_size.min(size_of::<wvmi_registers>());
    let registers = match event.registers.is_null() {
        true => Registers::default(),
        false => Registers::from(&call.sized_input(event.registers, size, "registers")?),
    };
    let vcpu = u16::try_from(event.vcpu);
    Ok(Event {
        vcpu: vcpu.map_err(|_| Error::invalid_argument("vcpu", "too large"))?,
        view: event.view_id(),
        registers,
        reason: event.reason(),
    })
}

/// The function that `wait_events` is given.
unsafe extern "C" fn wvmi_driver_answer(
    answer_context: *mut c_void,
    event: *const wvmi_driver_event,
    event_size: usize,
    response: *mut wvmi_driver_response,
    response_size: usize,
) {
    // SAFETY: the host passes pointers as the header demands.
    let call = unsafe { Call::new(c"wvmi_driver_answer") };
    let mut plain = response_of(&EventResponse {
        action: ResponseAction::Continue,
        view: None,
        registers: None,
    });
    let _ = guard::caught(Caller::current(), || -> Result<wvmi_status> {
        let output = call.sized_output(response, response_size, "response")?;
        if let Ok(event) = event_of(&call, event, event_size) {
            let waiting = call.input(answer_context.cast::<Waiting<'_>>(), "answer_context")?;
            plain = waiting.answer(&event).unwrap_or(plain);
        }
        output.write(plain);
        Ok(WVMI_OK)
    });
}
