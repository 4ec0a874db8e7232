//! `wvmi_pe_export_iter`: exported symbols of an image.

use std::{ffi::c_char, iter, ptr};

use super::{
    error::{About, Failure},
    ffi::{Call, Plain, into_handle},
    gate::Inside,
    pe::wvmi_pe,
    session::wvmi_session,
    status::{WVMI_OK, wvmi_status},
    walk::{Texts, Walk},
};
use crate::{
    error::Result,
    pe::{Export, ExportTarget, Pe},
};

/// An exported symbol.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct wvmi_pe_export {
    /// Address; 0 for a forwarder.
    pub address: u64,
    /// Address relative to the base; 0 for a forwarder.
    pub rva: u32,
    /// Ordinal, with the directory's base added.
    pub ordinal: u32,
    /// Name, NUL-terminated; NULL for an export by ordinal only. Valid until the
    /// iterator's next call.
    pub name: *const c_char,
    /// Length of `name` in bytes.
    pub name_length: usize,
    /// Of a forwarder, the export that it stands for (`"NTDLL.RtlAllocateHeap"`,
    /// `"NTDLL.#7"`), else NULL; as `name`.
    pub forwarder: *const c_char,
    /// Length of `forwarder` in bytes.
    pub forwarder_length: usize,
}

// SAFETY: integers and pointers only; every bit pattern is valid.
unsafe impl Plain for wvmi_pe_export {}

fn describe(export: Export, base: u64, texts: &mut Texts) -> wvmi_pe_export {
    let mut to = wvmi_pe_export {
        address: 0,
        rva: 0,
        ordinal: export.ordinal,
        name: ptr::null(),
        name_length: 0,
        forwarder: ptr::null(),
        forwarder_length: 0,
    };
    if let Some(name) = export.name {
        (to.name, to.name_length) = texts.keep(name);
    }
    match export.target {
        ExportTarget::Rva(rva) => {
            to.rva = rva;
            to.address = base.wrapping_add(rva.into());
        }
        ExportTarget::Forwarder(target) => {
            (to.forwarder, to.forwarder_length) = texts.keep(target);
        }
    }
    to
}

type Exports = Box<dyn Iterator<Item = Result<Export>>>;

/// An iteration over the exports of an image; made by
/// `wvmi_pe_export_iter_new()`.
pub struct wvmi_pe_export_iter {
    walk: Walk<Exports>,
    texts: Texts,
    base: u64,
}

/// Begins an iteration over the exports of an image: those with a name in the
/// order of the name table, then those without. An image without exports has
/// none.
///
/// `iter` receives the handle; free it with `wvmi_pe_export_iter_free()`.
///
/// Returns `WVMI_OK`, or as `wvmi_pe_info()`, also for the export directory.
///
/// Any thread, also from a callback.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wvmi_pe_export_iter_new(
    session: *mut wvmi_session,
    pe: wvmi_pe,
    iter: *mut *mut wvmi_pe_export_iter,
) -> wvmi_status {
    // SAFETY: the caller passes pointers as the header demands.
    let call = unsafe { Call::new(c"wvmi_pe_export_iter_new") };
    call.run(|| {
        let session = call.session(session)?;
        let output = call.output(iter, "iter")?;
        output.write(into_handle(wvmi_pe_export_iter {
            walk: exports(&session, pe)?,
            texts: Texts::default(),
            base: pe.base,
        }));
        Ok(WVMI_OK)
    })
}

fn exports(session: &Inside, pe: wvmi_pe) -> Result<Walk<Exports>, Failure> {
    // SAFETY: the reference is kept by the iterator alone, and the exports that
    // it yields own their texts.
    let walk = unsafe {
        Walk::new(session, |engine| {
            let image = Pe::parse(pe.image(engine, session)?)?;
            Ok(match image.into_exports()? {
                Some(exports) => Box::new(exports.into_all()) as Exports,
                None => Box::new(iter::empty()),
            })
        })
    };
    walk.about("image", pe.base)
}

/// Gets the next export.
///
/// `export` receives it, `size` is `sizeof *export`; its texts are valid until the
/// next call with this iterator.
///
/// Returns `WVMI_OK`; `WVMI_END`; `WVMI_GAP` for an export that cannot be read (the
/// iteration goes on); `WVMI_ERROR_CLOSED`; `WVMI_ERROR_NULL_ARGUMENT`;
/// `WVMI_ERROR_INVALID_ARGUMENT`.
///
/// The thread that owns `iter`, also from a callback.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wvmi_pe_export_iter_next(
    iter: *mut wvmi_pe_export_iter,
    export: *mut wvmi_pe_export,
    size: usize,
) -> wvmi_status {
    // SAFETY: the caller passes pointers as the header demands.
    let call = unsafe { Call::new(c"wvmi_pe_export_iter_next") };
    call.run(|| {
        let iter = call.exclusive(iter, "iter")?;
        let output = call.sized_output(export, size, "export")?;
        let wvmi_pe_export_iter { walk, texts, base } = iter;
        texts.clear();
        walk.next(&call, |_, export| {
            output.write(describe(export, *base, texts));
        })
    })
}

/// Gets many exports at once.
///
/// `exports` receives at most `capacity` of them, `stride` bytes apart (`sizeof
/// *exports`); `count` receives how many, on every return. Their texts are valid
/// until the next call with this iterator.
///
/// Returns `WVMI_OK` with at least one export; `WVMI_END` with none; `WVMI_GAP`
/// with those before the gap, perhaps none; `WVMI_ERROR_CLOSED`;
/// `WVMI_ERROR_CANCELLED`; `WVMI_ERROR_NULL_ARGUMENT`;
/// `WVMI_ERROR_INVALID_ARGUMENT`.
///
/// The thread that owns `iter`, also from a callback.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wvmi_pe_export_iter_next_many(
    iter: *mut wvmi_pe_export_iter,
    exports: *mut wvmi_pe_export,
    stride: usize,
    capacity: usize,
    count: *mut usize,
) -> wvmi_status {
    // SAFETY: the caller passes pointers as the header demands.
    let call = unsafe { Call::new(c"wvmi_pe_export_iter_next_many") };
    call.run(|| {
        let iter = call.exclusive(iter, "iter")?;
        let count = call.output(count, "count")?;
        let array = call.array_output(exports, stride, capacity, "exports")?;
        let wvmi_pe_export_iter { walk, texts, base } = iter;
        texts.clear();
        walk.next_many(&call, &array, &count, |_, export| {
            describe(export, *base, texts)
        })
    })
}

/// Frees the iterator and the texts that it lent out. `iter` may be NULL.
///
/// Any thread, also from a callback, also after the session was closed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wvmi_pe_export_iter_free(iter: *mut wvmi_pe_export_iter) {
    // SAFETY: the caller passes pointers as the header demands.
    let call = unsafe { Call::new(c"wvmi_pe_export_iter_free") };
    call.free(iter);
}
