//! Back ends of the host's own: a table of C functions as a driver.

use std::{ffi::c_void, sync::Arc};

use super::{
    callback::{UserData, wvmi_release_callback},
    config::wvmi_config,
    ffi::{Call, Plain},
    registers::wvmi_registers,
    session::{open_with, wvmi_session},
    status::{WVMI_ERROR_FAULT, WVMI_OK, wvmi_status},
};
use crate::{
    core::{
        Capabilities, Driver, Gfn, PAGE_SIZE, Pa, Registers, Va,
        driver::{DriverInfo, Hints, PhysicalMemory, Run, VcpuRegisters},
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
}

// SAFETY: integers and optional function pointers; zero is valid. Other bit
// patterns of the pointers are the host's functions, as the header demands.
unsafe impl Plain for wvmi_driver_ops {}

/// The host's back end.
struct HostDriver {
    ops: wvmi_driver_ops,
    read: unsafe extern "C" fn(*mut c_void, u64, *mut u8, usize) -> wvmi_status,
    context: UserData,
}

impl HostDriver {
    fn new(ops: wvmi_driver_ops, context: *mut c_void) -> Result<Self> {
        let context = UserData::new(context, ops.release);
        let read = ops.read_physical.ok_or(Error::NullArgument {
            argument: "ops->read_physical",
        })?;
        Ok(Self { ops, read, context })
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

fn error_of(status: wvmi_status, function: &str) -> Result<()> {
    match status {
        WVMI_OK => Ok(()),
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
/// Returns `WVMI_OK`; `WVMI_ERROR_NULL_ARGUMENT` for a NULL `ops`, `session` or
/// `ops->read_physical`; `WVMI_ERROR_INVALID_ARGUMENT` for a bad `size`;
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
