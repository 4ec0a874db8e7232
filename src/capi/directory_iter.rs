//! `wvmi_directory_iter`: iterations over directories of the object namespace.

use std::{ffi::c_char, ptr};

use super::{
    error::About,
    ffi::{Call, Plain, into_handle},
    gate::Inside,
    object::wvmi_object,
    object_kind::{WVMI_OBJECT_UNKNOWN, kind_number, wvmi_object_kind},
    session::wvmi_session,
    status::{WVMI_OK, wvmi_status},
    walk::{Lent, Texts, Walk},
};
use crate::{
    error::{Error, Result},
    os::windows::{DirectoryEntries, Object},
};

/// An object in a directory, filled by `wvmi_directory_iter_next()` and
/// `wvmi_directory_iter_next_many()`.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct wvmi_directory_entry {
    /// Which of the other fields were read: `WVMI_DIRECTORY_VALID_*` bits.
    pub valid: u64,
    /// Address of the object's body, a `wvmi_object`; always filled.
    pub object: u64,
    /// Name in the directory, UTF-8, NUL-terminated, valid until the iterator's
    /// next call. Unpaired surrogates and NULs have become U+FFFD;
    /// `wvmi_object_text_utf16()` gives the units as they are.
    pub name: *const c_char,
    /// Length of `name` in bytes.
    pub name_length: usize,
    /// Name of the object's type (`"Directory"`), as `name`.
    pub type_name: *const c_char,
    /// Length of `type_name` in bytes.
    pub type_name_length: usize,
    /// What the object is: one of the `WVMI_OBJECT_*` numbers.
    pub kind: wvmi_object_kind,
    /// Always 0.
    pub reserved: u32,
}

// SAFETY: integers and pointers only; every bit pattern is valid.
unsafe impl Plain for wvmi_directory_entry {}

/// `name` was read.
pub const WVMI_DIRECTORY_VALID_NAME: u64 = 1;
/// `kind` was read.
pub const WVMI_DIRECTORY_VALID_KIND: u64 = 2;
/// `type_name` was read.
pub const WVMI_DIRECTORY_VALID_TYPE_NAME: u64 = 4;

fn describe(object: Object<'_>, texts: &mut Texts) -> wvmi_directory_entry {
    let mut buffer = [0; Object::SNAPSHOT];
    let object = object.with_copy(&mut buffer);
    let kind = object.kind().ok();
    let name = object.name().ok().flatten().map(|name| texts.keep(name));
    let type_name = match kind.and_then(|kind| texts.type_name(kind)) {
        Some(name) => Some(name),
        None => own_type_name(&object, texts),
    };
    let known = [
        (name.is_some(), WVMI_DIRECTORY_VALID_NAME),
        (kind.is_some(), WVMI_DIRECTORY_VALID_KIND),
        (type_name.is_some(), WVMI_DIRECTORY_VALID_TYPE_NAME),
    ];
    let known = known.iter().filter(|(known, _)| *known);
    let (name, name_length) = name.unwrap_or((ptr::null(), 0));
    let (type_name, type_name_length) = type_name.unwrap_or((ptr::null(), 0));
    wvmi_directory_entry {
        valid: known.fold(0, |bits, (_, bit)| bits | bit),
        object: object.address().0,
        name,
        name_length,
        type_name,
        type_name_length,
        kind: kind.map_or(WVMI_OBJECT_UNKNOWN, kind_number),
        reserved: 0,
    }
}

fn own_type_name(object: &Object<'_>, texts: &mut Texts) -> Option<Lent> {
    let name = object.type_name().ok()?;
    Some(texts.keep(name))
}

/// An iteration over the objects of a directory; made by
/// `wvmi_directory_iter_new()`.
pub struct wvmi_directory_iter {
    walk: Walk<DirectoryEntries<'static>>,
    texts: Texts,
}

/// Begins an iteration over the objects of a directory of the namespace, in the
/// order of its buckets.
///
/// `directory` is the directory's object; `wvmi_object_by_path()` finds it.
/// `iter` receives the handle; free it with `wvmi_directory_iter_free()`.
///
/// A damaged guest may have directories that contain each other: who walks down
/// a tree bounds the depth.
///
/// Returns `WVMI_OK`; `WVMI_ERROR_INVALID_ARGUMENT` for an object of another
/// type; `WVMI_ERROR_FAULT`; `WVMI_ERROR_CORRUPT`; `WVMI_ERROR_NULL_ARGUMENT`;
/// `WVMI_ERROR_NO_KERNEL`; `WVMI_ERROR_NO_SYMBOLS`.
///
/// Any thread, also from a callback.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wvmi_directory_iter_new(
    session: *mut wvmi_session,
    directory: wvmi_object,
    iter: *mut *mut wvmi_directory_iter,
) -> wvmi_status {
    // SAFETY: the caller passes pointers as the header demands.
    let call = unsafe { Call::new(c"wvmi_directory_iter_new") };
    call.run(|| {
        let session = call.session(session)?;
        let output = call.output(iter, "iter")?;
        let walk = entries(&session, directory).about("object", directory.object)?;
        output.write(into_handle(wvmi_directory_iter {
            walk,
            texts: Texts::default(),
        }));
        Ok(WVMI_OK)
    })
}

fn entries(session: &Inside, directory: wvmi_object) -> Result<Walk<DirectoryEntries<'static>>> {
    // SAFETY: the reference is kept by the iterator alone, and the objects that
    // it yields are turned into values at once.
    unsafe {
        Walk::new(session, |engine| {
            let directory = directory.get(engine.windows()?).as_directory()?;
            let none = || Error::invalid_argument("directory", "it is no directory");
            Ok(directory.ok_or_else(none)?.entries())
        })
    }
}

/// Gets the next object of a directory.
///
/// `entry` receives the facts, `size` is `sizeof *entry`; its texts are valid
/// until the next call with this iterator.
///
/// Returns `WVMI_OK`; `WVMI_END`; `WVMI_GAP` when a chain of the directory is
/// damaged or absent from here on (the iteration goes on with the next chain);
/// `WVMI_ERROR_CLOSED`; `WVMI_ERROR_NULL_ARGUMENT`;
/// `WVMI_ERROR_INVALID_ARGUMENT`.
///
/// The thread that owns `iter`, also from a callback.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wvmi_directory_iter_next(
    iter: *mut wvmi_directory_iter,
    entry: *mut wvmi_directory_entry,
    size: usize,
) -> wvmi_status {
    // SAFETY: the caller passes pointers as the header demands.
    let call = unsafe { Call::new(c"wvmi_directory_iter_next") };
    call.run(|| {
        let iter = call.exclusive(iter, "iter")?;
        let output = call.sized_output(entry, size, "entry")?;
        let wvmi_directory_iter { walk, texts } = iter;
        texts.clear();
        walk.next(&call, |_, object| output.write(describe(object, texts)))
    })
}

/// Gets many objects of a directory at once.
///
/// `entries` receives at most `capacity` of them, `stride` bytes apart (`sizeof
/// *entries`); `count` receives how many, on every return. Their texts are valid
/// until the next call with this iterator.
///
/// Returns `WVMI_OK` with at least one object; `WVMI_END` with none; `WVMI_GAP`
/// with those before the gap, perhaps none; `WVMI_ERROR_CLOSED`;
/// `WVMI_ERROR_CANCELLED`; `WVMI_ERROR_NULL_ARGUMENT`;
/// `WVMI_ERROR_INVALID_ARGUMENT`.
///
/// The thread that owns `iter`, also from a callback.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wvmi_directory_iter_next_many(
    iter: *mut wvmi_directory_iter,
    entries: *mut wvmi_directory_entry,
    stride: usize,
    capacity: usize,
    count: *mut usize,
) -> wvmi_status {
    // SAFETY: the caller passes pointers as the header demands.
    let call = unsafe { Call::new(c"wvmi_directory_iter_next_many") };
    call.run(|| {
        let iter = call.exclusive(iter, "iter")?;
        let count = call.output(count, "count")?;
        let array = call.array_output(entries, stride, capacity, "entries")?;
        let wvmi_directory_iter { walk, texts } = iter;
        texts.clear();
        walk.next_many(&call, &array, &count, |_, object| describe(object, texts))
    })
}

/// Frees the iterator and the texts that it lent out. `iter` may be NULL.
///
/// Any thread, also from a callback, also after the session was closed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wvmi_directory_iter_free(iter: *mut wvmi_directory_iter) {
    // SAFETY: the caller passes pointers as the header demands.
    let call = unsafe { Call::new(c"wvmi_directory_iter_free") };
    call.free(iter);
}
