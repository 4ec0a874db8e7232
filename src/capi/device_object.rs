//! Device objects of the guest, and iterations over those of a driver.

use super::{
    error::About,
    ffi::{Call, Plain, into_handle},
    gate::Inside,
    object::wvmi_object,
    object_info::fill,
    session::wvmi_session,
    status::{WVMI_OK, wvmi_status},
    valid::{Valid, or_zero},
    walk::Walk,
};
use crate::{
    error::{Error, Result},
    os::windows::{DeviceObject, DriverDevices},
};

/// What is known about a device object, filled by `wvmi_device_object_info()` and
/// `wvmi_device_iter_next_many()`.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct wvmi_device_object_details {
    /// Which of the other fields were read: `WVMI_DEVICE_OBJECT_VALID_*` bits.
    pub valid: u64,
    /// Address of the object's body; always filled.
    pub object: u64,
    /// The driver that serves it, as a `wvmi_object`; 0 without one
    /// (`_DEVICE_OBJECT.DriverObject`).
    pub driver: u64,
    /// The device on top of this one, which sees requests first; 0 without one
    /// (`_DEVICE_OBJECT.AttachedDevice`).
    pub upper_device: u64,
    /// The device below this one, which this one was attached to; 0 without one
    /// (`_DEVOBJ_EXTENSION.AttachedTo`).
    pub lower_device: u64,
    /// Address of the driver's own data; 0 without any
    /// (`_DEVICE_OBJECT.DeviceExtension`).
    pub extension: u64,
    /// Type as Windows numbers it, `FILE_DEVICE_*` (`_DEVICE_OBJECT.DeviceType`).
    pub device_type: u32,
    /// Flags as Windows numbers them, `DO_*` (`_DEVICE_OBJECT.Flags`).
    pub flags: u32,
    /// Characteristics as Windows numbers them (`_DEVICE_OBJECT.Characteristics`).
    pub characteristics: u32,
    /// Always 0.
    pub reserved: u32,
}

// SAFETY: integers only; every bit pattern is valid.
unsafe impl Plain for wvmi_device_object_details {}

/// `driver` was read.
pub const WVMI_DEVICE_OBJECT_VALID_DRIVER: u64 = 1;
/// `upper_device` was read.
pub const WVMI_DEVICE_OBJECT_VALID_UPPER_DEVICE: u64 = 2;
/// `lower_device` was read.
pub const WVMI_DEVICE_OBJECT_VALID_LOWER_DEVICE: u64 = 4;
/// `extension` was read.
pub const WVMI_DEVICE_OBJECT_VALID_EXTENSION: u64 = 8;
/// `device_type` was read.
pub const WVMI_DEVICE_OBJECT_VALID_DEVICE_TYPE: u64 = 0x10;
/// `flags` was read.
pub const WVMI_DEVICE_OBJECT_VALID_FLAGS: u64 = 0x20;
/// `characteristics` was read.
pub const WVMI_DEVICE_OBJECT_VALID_CHARACTERISTICS: u64 = 0x40;

fn describe(it: DeviceObject<'_>) -> (wvmi_device_object_details, Valid) {
    let mut valid = Valid::default();
    let v = &mut valid;
    let address = |device: Result<Option<DeviceObject<'_>>>| {
        or_zero(device.map(|device| device.map(|it| it.object().address())))
    };
    let driver = it.driver();
    let driver = driver.map(|driver| driver.map(|it| it.object().address()));
    let mut details = wvmi_device_object_details {
        valid: 0,
        object: it.object().address().0,
        driver: v.take(WVMI_DEVICE_OBJECT_VALID_DRIVER, or_zero(driver)),
        upper_device: v.take(
            WVMI_DEVICE_OBJECT_VALID_UPPER_DEVICE,
            address(it.attached_device()),
        ),
        lower_device: v.take(
            WVMI_DEVICE_OBJECT_VALID_LOWER_DEVICE,
            address(it.lower_device()),
        ),
        extension: v.take(WVMI_DEVICE_OBJECT_VALID_EXTENSION, or_zero(it.extension())),
        device_type: v.take(WVMI_DEVICE_OBJECT_VALID_DEVICE_TYPE, it.device_type()),
        flags: v.take(WVMI_DEVICE_OBJECT_VALID_FLAGS, it.flags()),
        characteristics: v.take(
            WVMI_DEVICE_OBJECT_VALID_CHARACTERISTICS,
            it.characteristics(),
        ),
        reserved: 0,
    };
    details.valid = valid.bits();
    (details, valid)
}

fn device_details(it: DeviceObject<'_>) -> Result<wvmi_device_object_details> {
    let (details, valid) = describe(it);
    valid.finish().map(|_| details)
}

/// Tells everything about a device object in one call; `wvmi_object_path()` gives
/// its path.
///
/// What cannot be read is left 0 and out of `details->valid`; the rest is
/// filled.
///
/// `details` receives the facts, `size` is `sizeof *details`.
///
/// Returns `WVMI_OK` when at least one field was read;
/// `WVMI_ERROR_INVALID_ARGUMENT` for an object of another type;
/// `WVMI_ERROR_FAULT` when no field was read; `WVMI_ERROR_CORRUPT`;
/// `WVMI_ERROR_NULL_ARGUMENT`; `WVMI_ERROR_NO_KERNEL`; `WVMI_ERROR_NO_SYMBOLS`.
///
/// Any thread, also from a callback.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wvmi_device_object_info(
    session: *mut wvmi_session,
    object: wvmi_object,
    details: *mut wvmi_device_object_details,
    size: usize,
) -> wvmi_status {
    // SAFETY: the caller passes pointers as the header demands.
    let call = unsafe { Call::new(c"wvmi_device_object_info") };
    call.run(|| {
        fill(&call, session, object, (details, size), "device", |it| {
            it.as_device()?.map(device_details).transpose()
        })
    })
}

/// An iteration over the devices of a driver; made by `wvmi_device_iter_new()`.
pub struct wvmi_device_iter(Walk<DriverDevices<'static>>);

/// Begins an iteration over the devices of a driver, the latest first
/// (`_DRIVER_OBJECT.DeviceObject`).
///
/// `driver` is the driver's object. `iter` receives the handle; free it with
/// `wvmi_device_iter_free()`.
///
/// Returns `WVMI_OK`; `WVMI_ERROR_INVALID_ARGUMENT` for an object of another
/// type; `WVMI_ERROR_FAULT`; `WVMI_ERROR_CORRUPT`; `WVMI_ERROR_NULL_ARGUMENT`;
/// `WVMI_ERROR_NO_KERNEL`; `WVMI_ERROR_NO_SYMBOLS`.
///
/// Any thread, also from a callback.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wvmi_device_iter_new(
    session: *mut wvmi_session,
    driver: wvmi_object,
    iter: *mut *mut wvmi_device_iter,
) -> wvmi_status {
    // SAFETY: the caller passes pointers as the header demands.
    let call = unsafe { Call::new(c"wvmi_device_iter_new") };
    call.run(|| {
        let session = call.session(session)?;
        let output = call.output(iter, "iter")?;
        let walk = devices(&session, driver).about("object", driver.object)?;
        output.write(into_handle(wvmi_device_iter(walk)));
        Ok(WVMI_OK)
    })
}

fn devices(session: &Inside, driver: wvmi_object) -> Result<Walk<DriverDevices<'static>>> {
    // SAFETY: the reference is kept by the iterator alone, and the devices that
    // it yields are turned into values at once.
    unsafe {
        Walk::new(session, |engine| {
            let driver = driver.get(engine.windows()?).as_driver()?;
            let none = || Error::invalid_argument("driver", "it is no driver");
            Ok(driver.ok_or_else(none)?.devices())
        })
    }
}

/// Gets the next device.
///
/// `details` receives the facts, `size` is `sizeof *details`.
///
/// Returns `WVMI_OK`; `WVMI_END`; `WVMI_GAP` when the chain is damaged or absent
/// from here on (the iteration ends); `WVMI_ERROR_CLOSED`;
/// `WVMI_ERROR_NULL_ARGUMENT`; `WVMI_ERROR_INVALID_ARGUMENT`.
///
/// The thread that owns `iter`, also from a callback.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wvmi_device_iter_next(
    iter: *mut wvmi_device_iter,
    details: *mut wvmi_device_object_details,
    size: usize,
) -> wvmi_status {
    // SAFETY: the caller passes pointers as the header demands.
    let call = unsafe { Call::new(c"wvmi_device_iter_next") };
    call.run(|| {
        let iter = call.exclusive(iter, "iter")?;
        let output = call.sized_output(details, size, "details")?;
        iter.0
            .next(&call, |_, device| output.write(describe(device).0))
    })
}

/// Gets the details of many devices at once.
///
/// `details` receives at most `capacity` of them, `stride` bytes apart (`sizeof
/// *details`); `count` receives how many, on every return.
///
/// Returns `WVMI_OK` with at least one device; `WVMI_END` with none; `WVMI_GAP`
/// with those before the gap, perhaps none; `WVMI_ERROR_CLOSED`;
/// `WVMI_ERROR_CANCELLED`; `WVMI_ERROR_NULL_ARGUMENT`;
/// `WVMI_ERROR_INVALID_ARGUMENT`.
///
/// The thread that owns `iter`, also from a callback.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wvmi_device_iter_next_many(
    iter: *mut wvmi_device_iter,
    details: *mut wvmi_device_object_details,
    stride: usize,
    capacity: usize,
    count: *mut usize,
) -> wvmi_status {
    // SAFETY: the caller passes pointers as the header demands.
    let call = unsafe { Call::new(c"wvmi_device_iter_next_many") };
    call.run(|| {
        let iter = call.exclusive(iter, "iter")?;
        let count = call.output(count, "count")?;
        let array = call.array_output(details, stride, capacity, "details")?;
        iter.0
            .next_many(&call, &array, &count, |_, device| describe(device).0)
    })
}

/// Frees the iterator. `iter` may be NULL.
///
/// Any thread, also from a callback, also after the session was closed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wvmi_device_iter_free(iter: *mut wvmi_device_iter) {
    // SAFETY: the caller passes pointers as the header demands.
    let call = unsafe { Call::new(c"wvmi_device_iter_free") };
    call.free(iter);
}
