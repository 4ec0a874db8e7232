//! Back ends of the host's own: a table of C functions as a driver.

use std::{ffi::c_void, sync::Arc};

use super::{
    callback::{UserData, wvmi_release_callback},
    config::wvmi_config,
    driver_event::{wvmi_driver_answer, wvmi_driver_interrupt},
    driver_live::check,
    event_details::wvmi_event_kind,
    ffi::{Call, Plain},
    registers::wvmi_registers,
    session::{open_with, wvmi_session},
    status::{
        WVMI_ERROR_FAULT, WVMI_ERROR_NOT_FOUND, WVMI_ERROR_NOT_SUPPORTED, WVMI_OK, wvmi_status,
    },
};
use crate::{
    core::{
        Capabilities, Driver, Gfn, PAGE_SIZE, Pa, Registers, Va,
        driver::{Control, DriverInfo, Events, Hints, PhysicalMemory, Run, VcpuRegisters, Views},
    },
    error::{Error, Fault, FaultKind, Result},
    session::{Config, Session},
};

/// The functions of a back end that the host brings along.
///
/// Zero the table first; what is left NULL or 0 the back end lacks. Only
/// `read_physical` is required. All functions get the `context` that
/// `wvmi_session_open_driver()` was given, must be callable from any number of
/// threads at once, and must return: no `longjmp`, no C++ exception. They must
/// not call functions with the session that they serve. The library never
/// believes them blindly: addresses and lengths that make no sense end a walk.
///
/// From `pause` on the table is for a running guest. Functions that belong
/// together come together: control (`pause`, `resume`, `reset_events`); frames
/// (`allocate_frame`, `free_frame`); views (all seven; they need frames, events
/// and `write_physical`); events (`enable_events`, `disable_events`,
/// `wait_events`; they need control and `get_registers`). With views,
/// breakpoints are hidden; without them they are written into the guest's own
/// code. These functions return `WVMI_OK` or an error; an error leaves the guest
/// as it was. Frames are named by the physical address of their first byte.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct wvmi_driver_ops {
    /// Physical bytes that can be read, for `wvmi_session_info()`; 0 when unknown.
    pub memory_size: u64,
    /// Physical address of a page-table root that maps the kernel; 0 when
    /// unknown. It is verified.
    pub root: u64,
    /// Address of the kernel image; 0 when unknown. It is verified.
    pub kernel_base: u64,
    /// Number of virtual processors; 0 when unknown.
    pub vcpus: u32,
    /// 1 when the guest is running while it is looked at, else 0: nothing about
    /// a running guest is remembered.
    pub live: u32,
    /// Reads `size` bytes at a physical address; they lie within one 4 KiB page.
    ///
    /// Returns `WVMI_OK` when all bytes were read, `WVMI_ERROR_FAULT` when the
    /// guest has no such memory, or any other error when reading failed.
    pub read_physical: Option<
        unsafe extern "C" fn(
            context: *mut c_void,
            address: u64,
            buffer: *mut u8,
            size: usize,
        ) -> wvmi_status,
    >,
    /// Overwrites `size` bytes at a physical address; they lie within one page.
    ///
    /// Returns as `read_physical`.
    pub write_physical: Option<
        unsafe extern "C" fn(
            context: *mut c_void,
            address: u64,
            bytes: *const u8,
            size: usize,
        ) -> wvmi_status,
    >,
    /// Tells the first run of physical memory that ends after `from`: its first
    /// byte and its length, in whole pages.
    ///
    /// Returns `WVMI_OK`, or `WVMI_END` when there is none. Without it, memory
    /// is taken to be one run from 0 to `memory_size`.
    pub next_run: Option<
        unsafe extern "C" fn(
            context: *mut c_void,
            from: u64,
            start: *mut u64,
            length: *mut u64,
        ) -> wvmi_status,
    >,
    /// Reads the registers of a virtual processor into a structure of `size` bytes.
    ///
    /// Returns `WVMI_OK` or an error.
    pub get_registers: Option<
        unsafe extern "C" fn(
            context: *mut c_void,
            vcpu: u32,
            registers: *mut wvmi_registers,
            size: usize,
        ) -> wvmi_status,
    >,
    /// Sets the registers of a virtual processor from a structure of `size` bytes.
    ///
    /// Returns `WVMI_OK` or an error.
    pub set_registers: Option<
        unsafe extern "C" fn(
            context: *mut c_void,
            vcpu: u32,
            registers: *const wvmi_registers,
            size: usize,
        ) -> wvmi_status,
    >,
    /// Releases `context`: called once, after the last call of the others, when
    /// the session and all that belongs to it is gone, or when opening fails.
    pub release: wvmi_release_callback,
    /// Stops all processors; counted.
    pub pause: Option<unsafe extern "C" fn(context: *mut c_void) -> wvmi_status>,
    /// Undoes one `pause`.
    pub resume: Option<unsafe extern "C" fn(context: *mut c_void) -> wvmi_status>,
    /// Ends every report and every single step that the back end was asked for.
    /// Events that are on their way are still answered.
    pub reset_events: Option<unsafe extern "C" fn(context: *mut c_void) -> wvmi_status>,
    /// Queues an interrupt, a structure of `size` bytes, for a processor, which
    /// takes it before its next instruction. May be NULL: then pages that the
    /// guest does not have in memory cannot be brought in.
    pub inject: Option<
        unsafe extern "C" fn(
            context: *mut c_void,
            vcpu: u32,
            interrupt: *const wvmi_driver_interrupt,
            size: usize,
        ) -> wvmi_status,
    >,
    /// Adds a page to the guest, outside of what it knows, and tells where.
    pub allocate_frame:
        Option<unsafe extern "C" fn(context: *mut c_void, frame: *mut u64) -> wvmi_status>,
    /// Takes an allocated page back.
    pub free_frame: Option<unsafe extern "C" fn(context: *mut c_void, frame: u64) -> wvmi_status>,
    /// Makes a view, in which each page may be accessed as `access` says: read 1,
    /// write 2, execute 4. `view` receives its number, below 65536 and never
    /// `default_view`.
    pub create_view: Option<
        unsafe extern "C" fn(context: *mut c_void, access: u32, view: *mut u32) -> wvmi_status,
    >,
    /// Destroys a view that no processor runs in. Returns `WVMI_ERROR_NOT_FOUND`
    /// when there is none of this number.
    pub destroy_view: Option<unsafe extern "C" fn(context: *mut c_void, view: u32) -> wvmi_status>,
    /// Moves all processors into a view.
    pub switch_view: Option<unsafe extern "C" fn(context: *mut c_void, view: u32) -> wvmi_status>,
    /// Shows the page `shown` where the view showed `frame`, with all rights.
    /// `read_physical` and `write_physical` go past views.
    pub remap_page: Option<
        unsafe extern "C" fn(
            context: *mut c_void,
            view: u32,
            frame: u64,
            shown: u64,
        ) -> wvmi_status,
    >,
    /// Shows `frame` itself again, with all rights.
    pub reset_page:
        Option<unsafe extern "C" fn(context: *mut c_void, view: u32, frame: u64) -> wvmi_status>,
    /// Tells how a page may be accessed in a view.
    pub get_page_access: Option<
        unsafe extern "C" fn(
            context: *mut c_void,
            view: u32,
            frame: u64,
            access: *mut u32,
        ) -> wvmi_status,
    >,
    /// Sets how a page may be accessed in a view; other accesses are reported
    /// with `WVMI_EVENT_MEMORY`. The bit 8 in `access` lets the processors' own
    /// page walks read and write the page all the same.
    pub set_page_access: Option<
        unsafe extern "C" fn(
            context: *mut c_void,
            view: u32,
            frame: u64,
            access: u32,
        ) -> wvmi_status,
    >,
    /// Begins to report: `WVMI_EVENT_INTERRUPT` for vector `number` (3 and 1 at
    /// least), `WVMI_EVENT_CONTROL_REGISTER` for register `number` (0, 3, 4, or 8
    /// for XCR0), `WVMI_EVENT_MSR` for index `number`, `WVMI_EVENT_CPUID`,
    /// `WVMI_EVENT_IO`, `WVMI_EVENT_HYPERCALL`, or `WVMI_EVENT_SINGLE_STEP`: the
    /// steps that an answer asks for. What the back end does not know gets
    /// `WVMI_ERROR_NOT_SUPPORTED`.
    pub enable_events: Option<
        unsafe extern "C" fn(
            context: *mut c_void,
            kind: wvmi_event_kind,
            number: u32,
        ) -> wvmi_status,
    >,
    /// Ends what `enable_events` began.
    pub disable_events: Option<
        unsafe extern "C" fn(
            context: *mut c_void,
            kind: wvmi_event_kind,
            number: u32,
        ) -> wvmi_status,
    >,
    /// Waits at most `timeout_ms` milliseconds for events and calls `answer` with
    /// `answer_context` for each that is there, one after the other; each
    /// processor goes on as its answer says before the next event is answered.
    /// One thread at a time is in here. With 0 it takes what is pending and
    /// returns; a signal may end the wait.
    ///
    /// Returns `WVMI_OK` or `WVMI_TIMEOUT`, or an error.
    pub wait_events: Option<
        unsafe extern "C" fn(
            context: *mut c_void,
            timeout_ms: u32,
            answer: wvmi_driver_answer,
            answer_context: *mut c_void,
        ) -> wvmi_status,
    >,
    /// Tells a descriptor, of the back end's own, that is readable while events
    /// are pending. May be NULL: then the event loop looks at intervals, and
    /// `wvmi_session_fd()` is not supported.
    pub events_fd:
        Option<unsafe extern "C" fn(context: *mut c_void, descriptor: *mut i32) -> wvmi_status>,
    /// Number of the view that the guest runs in by itself; below 65536.
    pub default_view: u32,
    /// Must be 0.
    pub reserved: u32,
}

// SAFETY: integers and optional function pointers; zero is valid. Other bit
// patterns of the pointers are the host's functions, as the header demands.
unsafe impl Plain for wvmi_driver_ops {}

/// The host's back end.
pub struct HostDriver {
    pub(super) ops: wvmi_driver_ops,
    read: unsafe extern "C" fn(*mut c_void, u64, *mut u8, usize) -> wvmi_status,
    context: UserData,
}

impl HostDriver {
    fn new(ops: wvmi_driver_ops, context: *mut c_void) -> Result<Self> {
        let context = UserData::new(context, ops.release);
        let read = ops.read_physical.ok_or(Error::NullArgument {
            argument: "ops->read_physical",
        })?;
        check(&ops)?;
        if u16::try_from(ops.default_view).is_err() {
            return Err(Error::invalid_argument("ops->default_view", "too large"));
        }
        Ok(Self { ops, read, context })
    }

    /// The host's context.
    pub(super) const fn context(&self) -> *mut c_void {
        self.context.pointer()
    }

    fn all_memory(&self, from: u64) -> Option<Run> {
        let end = self.ops.memory_size & !(PAGE_SIZE - 1);
        let length = end.checked_sub(from).filter(|&length| length > 0)?;
        Some(Run {
            start: from,
            length,
        })
    }
}

/// The fault for a status that a function of the host returned.
fn fault_of(status: wvmi_status, pa: Pa) -> Result<(), Fault> {
    match status {
        WVMI_OK => Ok(()),
        WVMI_ERROR_FAULT => Err(Fault::physical(pa, FaultKind::NotInImage)),
        _ => Err(Fault::physical(pa, FaultKind::BackEnd)),
    }
}

/// The error for a status that a function of the host returned.
pub fn error_of(status: wvmi_status, function: &str) -> Result<()> {
    match status {
        WVMI_OK => Ok(()),
        WVMI_ERROR_NOT_FOUND => Err(Error::not_found(format!("what {function} was asked for"))),
        WVMI_ERROR_NOT_SUPPORTED => Err(Error::not_supported(format!(
            "{function} of the host's table, in this case"
        ))),
        _ => Err(Error::BackEnd {
            reason: format!("{function} of the host's table returned {status}").into(),
        }),
    }
}

impl Driver for HostDriver {
    fn info(&self) -> DriverInfo {
        DriverInfo {
            name: "host",
            format: "",
            vcpus: u16::try_from(self.ops.vcpus).unwrap_or(u16::MAX),
            memory_size: self.ops.memory_size,
        }
    }

    fn capabilities(&self) -> Capabilities {
        let mut capabilities = Capabilities::PHYSICAL_READ;
        capabilities.set(Capabilities::WRITE, self.ops.write_physical.is_some());
        capabilities.set(Capabilities::REGISTERS, self.ops.get_registers.is_some());
        let settable = self.ops.set_registers.is_some();
        capabilities.set(Capabilities::SET_REGISTERS, settable);
        capabilities.set(Capabilities::LIVE, self.ops.live != 0);
        capabilities.set(Capabilities::CONTROL, self.ops.pause.is_some());
        capabilities.set(Capabilities::VIEWS, self.ops.create_view.is_some());
        capabilities.set(Capabilities::EVENTS, self.ops.wait_events.is_some());
        capabilities
    }

    fn hints(&self) -> Hints {
        let known = |address: u64| (address != 0).then_some(address);
        Hints {
            root: known(self.ops.root).map(Pa),
            kernel_base: known(self.ops.kernel_base).map(Va),
            ..Hints::default()
        }
    }

    fn physical(&self) -> Option<&dyn PhysicalMemory> {
        Some(self)
    }

    fn registers(&self) -> Option<&dyn VcpuRegisters> {
        self.ops.get_registers.is_some().then_some(self as _)
    }

    fn control(&self) -> Option<&dyn Control> {
        self.ops.pause.is_some().then_some(self as _)
    }

    fn views(&self) -> Option<&dyn Views> {
        self.ops.create_view.is_some().then_some(self as _)
    }

    fn events(&self) -> Option<&dyn Events> {
        self.ops.wait_events.is_some().then_some(self as _)
    }
}

impl PhysicalMemory for HostDriver {
    fn read(&self, pa: Pa, buffer: &mut [u8]) -> Result<(), Fault> {
        let context = self.context.pointer();
        // SAFETY: the host's table holds functions of these types for this
        // context, which lives as long as `self`; the buffer holds its length.
        let status = unsafe { (self.read)(context, pa.0, buffer.as_mut_ptr(), buffer.len()) };
        fault_of(status, pa)
    }

    fn next_run(&self, from: Gfn) -> Option<Run> {
        let from = from.pa().0;
        let Some(next_run) = self.ops.next_run else {
            return self.all_memory(from);
        };
        let (mut start, mut length) = (0, 0);
        let context = self.context.pointer();
        // SAFETY: as for `read`; both locals live until the call returns.
        let status = unsafe { next_run(context, from, &raw mut start, &raw mut length) };
        let end = start.checked_add(length)? & !(PAGE_SIZE - 1);
        let start = start.checked_next_multiple_of(PAGE_SIZE)?.max(from);
        let length = end.checked_sub(start).filter(|&length| length > 0)?;
        (status == WVMI_OK).then_some(Run { start, length })
    }

    fn write(&self, pa: Pa, bytes: &[u8]) -> Result<(), Fault> {
        let write = self.ops.write_physical;
        let write = write.ok_or_else(|| Fault::physical(pa, FaultKind::BackEnd))?;
        // SAFETY: as for `read`; the slice holds its length.
        let status = unsafe { write(self.context.pointer(), pa.0, bytes.as_ptr(), bytes.len()) };
        fault_of(status, pa)
    }
}

impl VcpuRegisters for HostDriver {
    fn get(&self, vcpu: u16) -> Result<Registers> {
        let get = self.ops.get_registers;
        let get = get.ok_or_else(|| Error::not_supported("registers"))?;
        let mut registers = wvmi_registers::zeroed();
        let size = size_of_val(&registers);
        let context = self.context.pointer();
        // SAFETY: as for `read`; the local lives until the call returns.
        let status = unsafe { get(context, vcpu.into(), &raw mut registers, size) };
        error_of(status, "get_registers")?;
        Ok((&registers).into())
    }

    fn set(&self, vcpu: u16, registers: &Registers) -> Result<()> {
        let set = self.ops.set_registers;
        let set = set.ok_or_else(|| Error::not_supported("setting registers"))?;
        let registers = wvmi_registers::from(registers);
        let size = size_of_val(&registers);
        let context = self.context.pointer();
        // SAFETY: as for `read`; the local lives until the call returns.
        let status = unsafe { set(context, vcpu.into(), &raw const registers, size) };
        error_of(status, "set_registers")
    }
}

/// Opens a guest behind a back end of the host's own.
///
/// Everything works as after `wvmi_session_open()`, as far as the back end can:
/// the kernel is found by its hints, its registers, or by scanning its memory.
///
/// `ops` is the table of functions, copied; `size` is `sizeof *ops`. `context`
/// is passed to them and may be NULL. `config` may be NULL for all defaults.
/// `session` receives the handle; close it with `wvmi_session_close()`.
///
/// Returns `WVMI_OK`; `WVMI_ERROR_NULL_ARGUMENT` for a NULL `ops`, `session`,
/// `ops->read_physical`, or a function that another one of the table needs (the
/// last error names it); `WVMI_ERROR_INVALID_ARGUMENT` for a bad `size` or a
/// live side without `ops->live`;
/// `WVMI_ERROR_CANCELLED` when the progress callback says so; or
/// `WVMI_ERROR_BUSY` when 1024 sessions are open. Whenever the table could be
/// read, `ops->release` has been called when the function fails.
///
/// Any thread, also from a callback.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wvmi_session_open_driver(
    ops: *const wvmi_driver_ops,
    size: usize,
    context: *mut c_void,
    config: *const wvmi_config,
    session: *mut *mut wvmi_session,
) -> wvmi_status {
    // SAFETY: the caller passes pointers as the header demands.
    let call = unsafe { Call::new(c"wvmi_session_open_driver") };
    call.run(|| {
        let ops = call.sized_input(ops, size, "ops")?;
        let driver = Arc::new(HostDriver::new(ops, context)?);
        open_with(&call, config, session, |config: &Config| {
            Session::open_driver(driver, config)
        })
    })
}
