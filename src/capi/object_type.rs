//! Types of objects: how many there are of each.

use std::ffi::c_char;

use super::{
    ffi::{Call, Plain, copy_text, into_handle},
    object::wvmi_object,
    object_info::fill,
    object_kind::{kind_number, wvmi_object_kind},
    session::wvmi_session,
    status::{WVMI_OK, wvmi_status},
    valid::Valid,
    walk::Walk,
};
use crate::{
    error::Result,
    os::windows::{ObjectKind, ObjectType, ObjectTypes},
};

/// What is known about a type of objects, filled by `wvmi_object_type_info()` and
/// `wvmi_object_type_iter_next_many()`.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct wvmi_object_type_details {
    /// Which of the other fields were read: `WVMI_OBJECT_TYPE_VALID_*` bits.
    pub valid: u64,
    /// Address of the type's own object, its `_OBJECT_TYPE`; always filled.
    pub object: u64,
    /// Index in the guest's table of types (`_OBJECT_TYPE.Index`).
    pub index: u32,
    /// What objects of the type are: one of the `WVMI_OBJECT_*` numbers.
    pub kind: wvmi_object_kind,
    /// Number of objects (`_OBJECT_TYPE.TotalNumberOfObjects`).
    pub objects: u32,
    /// Number of handles to them (`_OBJECT_TYPE.TotalNumberOfHandles`).
    pub handles: u32,
    /// Most objects at one time (`_OBJECT_TYPE.HighWaterNumberOfObjects`).
    pub peak_objects: u32,
    /// Most handles at one time (`_OBJECT_TYPE.HighWaterNumberOfHandles`).
    pub peak_handles: u32,
    /// Name, `"File"`; cut to the array, whose size no name of Windows needs
    /// (`_OBJECT_TYPE.Name`).
    pub name: [c_char; 64],
}

// SAFETY: integers only; every bit pattern is valid.
unsafe impl Plain for wvmi_object_type_details {}

/// `index` was read.
pub const WVMI_OBJECT_TYPE_VALID_INDEX: u64 = 1;
/// `name` and `kind` were read.
pub const WVMI_OBJECT_TYPE_VALID_NAME: u64 = 2;
/// `objects` was read.
pub const WVMI_OBJECT_TYPE_VALID_OBJECTS: u64 = 4;
/// `handles` was read.
pub const WVMI_OBJECT_TYPE_VALID_HANDLES: u64 = 8;
/// `peak_objects` was read.
pub const WVMI_OBJECT_TYPE_VALID_PEAK_OBJECTS: u64 = 0x10;
/// `peak_handles` was read.
pub const WVMI_OBJECT_TYPE_VALID_PEAK_HANDLES: u64 = 0x20;

fn describe(it: ObjectType<'_>) -> (wvmi_object_type_details, Valid) {
    let mut valid = Valid::default();
    let v = &mut valid;
    let name = v.take(WVMI_OBJECT_TYPE_VALID_NAME, it.name());
    let mut details = wvmi_object_type_details {
        valid: 0,
        object: it.object().address().0,
        index: v.take(WVMI_OBJECT_TYPE_VALID_INDEX, it.index()).into(),
        kind: kind_number(ObjectKind::from_name(&name)),
        objects: v.take(WVMI_OBJECT_TYPE_VALID_OBJECTS, it.object_count()),
        handles: v.take(WVMI_OBJECT_TYPE_VALID_HANDLES, it.handle_count()),
        peak_objects: v.take(WVMI_OBJECT_TYPE_VALID_PEAK_OBJECTS, it.peak_object_count()),
        peak_handles: v.take(WVMI_OBJECT_TYPE_VALID_PEAK_HANDLES, it.peak_handle_count()),
        name: copy_text(&name),
    };
    details.valid = valid.bits();
    (details, valid)
}

fn type_details(it: ObjectType<'_>) -> Result<wvmi_object_type_details> {
    let (details, valid) = describe(it);
    valid.finish().map(|_| details)
}

/// Tells everything about a type of objects in one call.
///
/// What cannot be read is left 0 and out of `details->valid`; the rest is
/// filled.
///
/// `object` is the type's own object, as `"\\ObjectTypes"` lists them. `details`
/// receives the facts, `size` is `sizeof *details`.
///
/// Returns `WVMI_OK` when at least one field was read;
/// `WVMI_ERROR_INVALID_ARGUMENT` for an object of another type;
/// `WVMI_ERROR_FAULT` when no field was read; `WVMI_ERROR_CORRUPT`;
/// `WVMI_ERROR_NULL_ARGUMENT`; `WVMI_ERROR_NO_KERNEL`; `WVMI_ERROR_NO_SYMBOLS`.
///
/// Any thread, also from a callback.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wvmi_object_type_info(
    session: *mut wvmi_session,
    object: wvmi_object,
    details: *mut wvmi_object_type_details,
    size: usize,
) -> wvmi_status {
    // SAFETY: the caller passes pointers as the header demands.
    let call = unsafe { Call::new(c"wvmi_object_type_info") };
    call.run(|| {
        fill(&call, session, object, (details, size), "type", |it| {
            it.as_type()?.map(type_details).transpose()
        })
    })
}

/// An iteration over the types of objects; made by
/// `wvmi_object_type_iter_new()`.
pub struct wvmi_object_type_iter(Walk<ObjectTypes<'static>>);

/// Begins an iteration over the types of objects, in order of their indexes
/// (`ObTypeIndexTable`).
///
/// `iter` receives the handle; free it with `wvmi_object_type_iter_free()`.
///
/// Returns `WVMI_OK`, `WVMI_ERROR_NULL_ARGUMENT`, `WVMI_ERROR_NO_KERNEL`, or
/// `WVMI_ERROR_NO_SYMBOLS`.
///
/// Any thread, also from a callback.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wvmi_object_type_iter_new(
    session: *mut wvmi_session,
    iter: *mut *mut wvmi_object_type_iter,
) -> wvmi_status {
    // SAFETY: the caller passes pointers as the header demands.
    let call = unsafe { Call::new(c"wvmi_object_type_iter_new") };
    call.run(|| {
        let session = call.session(session)?;
        let output = call.output(iter, "iter")?;
        // SAFETY: the reference is kept by the iterator alone, and the types
        // that it yields are turned into values at once.
        let walk = unsafe { Walk::new(&session, |engine| Ok(engine.windows()?.object_types())) };
        output.write(into_handle(wvmi_object_type_iter(walk?)));
        Ok(WVMI_OK)
    })
}

/// Gets the next type.
///
/// `details` receives the facts, `size` is `sizeof *details`.
///
/// Returns `WVMI_OK`; `WVMI_END`; `WVMI_GAP` when a type is absent or damaged
/// (the iteration goes on with the next), or the table is (it ends);
/// `WVMI_ERROR_CLOSED`; `WVMI_ERROR_NULL_ARGUMENT`;
/// `WVMI_ERROR_INVALID_ARGUMENT`.
///
/// The thread that owns `iter`, also from a callback.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wvmi_object_type_iter_next(
    iter: *mut wvmi_object_type_iter,
    details: *mut wvmi_object_type_details,
    size: usize,
) -> wvmi_status {
    // SAFETY: the caller passes pointers as the header demands.
    let call = unsafe { Call::new(c"wvmi_object_type_iter_next") };
    call.run(|| {
        let iter = call.exclusive(iter, "iter")?;
        let output = call.sized_output(details, size, "details")?;
        iter.0
            .next(&call, |_, found| output.write(describe(found).0))
    })
}

/// Gets the details of many types at once.
///
/// `details` receives at most `capacity` of them, `stride` bytes apart (`sizeof
/// *details`); `count` receives how many, on every return.
///
/// Returns `WVMI_OK` with at least one type; `WVMI_END` with none; `WVMI_GAP`
/// with those before the gap, perhaps none; `WVMI_ERROR_CLOSED`;
/// `WVMI_ERROR_CANCELLED`; `WVMI_ERROR_NULL_ARGUMENT`;
/// `WVMI_ERROR_INVALID_ARGUMENT`.
///
/// The thread that owns `iter`, also from a callback.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wvmi_object_type_iter_next_many(
    iter: *mut wvmi_object_type_iter,
    details: *mut wvmi_object_type_details,
    stride: usize,
    capacity: usize,
    count: *mut usize,
) -> wvmi_status {
    // SAFETY: the caller passes pointers as the header demands.
    let call = unsafe { Call::new(c"wvmi_object_type_iter_next_many") };
    call.run(|| {
        let iter = call.exclusive(iter, "iter")?;
        let count = call.output(count, "count")?;
        let array = call.array_output(details, stride, capacity, "details")?;
        iter.0
            .next_many(&call, &array, &count, |_, found| describe(found).0)
    })
}

/// Frees the iterator. `iter` may be NULL.
///
/// Any thread, also from a callback, also after the session was closed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wvmi_object_type_iter_free(iter: *mut wvmi_object_type_iter) {
    // SAFETY: the caller passes pointers as the header demands.
    let call = unsafe { Call::new(c"wvmi_object_type_iter_free") };
    call.free(iter);
}
