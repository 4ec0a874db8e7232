//! `wvmi_pe_import_iter`: imported symbols of an image.

use std::{ffi::c_char, ptr};

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
    pe::{Import, ImportSymbol, Pe},
};

/// An imported symbol.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct wvmi_pe_import {
    /// Address of the slot that the loader fills with the symbol's address.
    pub slot: u64,
    /// The same, relative to the base.
    pub slot_rva: u32,
    /// Ordinal, for an import without a name.
    pub ordinal: u32,
    /// Likely index in the exporter's name table, for an import by name.
    pub hint: u32,
    /// Always 0.
    pub reserved: u32,
    /// File name of the module that is imported from, NUL-terminated. Valid until
    /// the iterator's next call.
    pub module: *const c_char,
    /// Length of `module` in bytes.
    pub module_length: usize,
    /// Name of the symbol; NULL for an import by ordinal; as `module`.
    pub name: *const c_char,
    /// Length of `name` in bytes.
    pub name_length: usize,
}

// SAFETY: integers and pointers only; every bit pattern is valid.
unsafe impl Plain for wvmi_pe_import {}

fn describe(item: (String, Import), base: u64, texts: &mut Texts) -> wvmi_pe_import {
    let (module, import) = item;
    let (module, module_length) = texts.keep(module);
    let mut to = wvmi_pe_import {
        slot: base.wrapping_add(import.slot.into()),
        slot_rva: import.slot,
        ordinal: 0,
        hint: 0,
        reserved: 0,
        module,
        module_length,
        name: ptr::null(),
        name_length: 0,
    };
    match import.symbol {
        ImportSymbol::Ordinal(ordinal) => to.ordinal = ordinal.into(),
        ImportSymbol::Name { hint, name } => {
            to.hint = hint.into();
            (to.name, to.name_length) = texts.keep(name);
        }
    }
    to
}

type Imports = Box<dyn Iterator<Item = Result<(String, Import)>>>;

/// An iteration over the imports of an image; made by
/// `wvmi_pe_import_iter_new()`.
pub struct wvmi_pe_import_iter {
    walk: Walk<Imports>,
    texts: Texts,
    base: u64,
}

/// Begins an iteration over the imports of an image, module by module, at most
/// a million.
///
/// An image whose linker made no lookup table has lost the names when it was
/// loaded: its symbols come out wrong or not at all. `iter` receives the handle;
/// free it with `wvmi_pe_import_iter_free()`.
///
/// Returns `WVMI_OK`, or as `wvmi_pe_info()`, also for the import directory.
///
/// Any thread, also from a callback.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wvmi_pe_import_iter_new(
    session: *mut wvmi_session,
    pe: wvmi_pe,
    iter: *mut *mut wvmi_pe_import_iter,
) -> wvmi_status {
    // SAFETY: the caller passes pointers as the header demands.
    let call = unsafe { Call::new(c"wvmi_pe_import_iter_new") };
    call.run(|| {
        let session = call.session(session)?;
        let output = call.output(iter, "iter")?;
        output.write(into_handle(wvmi_pe_import_iter {
            walk: imports(&session, pe)?,
            texts: Texts::default(),
            base: pe.base,
        }));
        Ok(WVMI_OK)
    })
}

fn imports(session: &Inside, pe: wvmi_pe) -> Result<Walk<Imports>, Failure> {
    // SAFETY: the reference is kept by the iterator alone, and the imports that
    // it yields own their texts.
    let walk = unsafe {
        Walk::new(session, |engine| {
            let image = Pe::parse(pe.image(engine, session)?)?;
            Ok(Box::new(image.into_imports()?) as Imports)
        })
    };
    walk.about("image", pe.base)
}

/// Gets the next import.
///
/// `import` receives it, `size` is `sizeof *import`; its texts are valid until the
/// next call with this iterator.
///
/// Returns `WVMI_OK`; `WVMI_END`; `WVMI_GAP` for a module or symbol that cannot be read (the
/// iteration goes on); `WVMI_ERROR_CLOSED`; `WVMI_ERROR_NULL_ARGUMENT`;
/// `WVMI_ERROR_INVALID_ARGUMENT`.
///
/// The thread that owns `iter`, also from a callback.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wvmi_pe_import_iter_next(
    iter: *mut wvmi_pe_import_iter,
    import: *mut wvmi_pe_import,
    size: usize,
) -> wvmi_status {
    // SAFETY: the caller passes pointers as the header demands.
    let call = unsafe { Call::new(c"wvmi_pe_import_iter_next") };
    call.run(|| {
        let iter = call.exclusive(iter, "iter")?;
        let output = call.sized_output(import, size, "import")?;
        let wvmi_pe_import_iter { walk, texts, base } = iter;
        texts.clear();
        walk.next(&call, |_, import| {
            output.write(describe(import, *base, texts));
        })
    })
}

/// Gets many imports at once.
///
/// `imports` receives at most `capacity` of them, `stride` bytes apart (`sizeof
/// *imports`); `count` receives how many, on every return. Their texts are valid
/// until the next call with this iterator.
///
/// Returns `WVMI_OK` with at least one import; `WVMI_END` with none; `WVMI_GAP`
/// with those before the gap, perhaps none; `WVMI_ERROR_CLOSED`;
/// `WVMI_ERROR_CANCELLED`; `WVMI_ERROR_NULL_ARGUMENT`;
/// `WVMI_ERROR_INVALID_ARGUMENT`.
///
/// The thread that owns `iter`, also from a callback.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wvmi_pe_import_iter_next_many(
    iter: *mut wvmi_pe_import_iter,
    imports: *mut wvmi_pe_import,
    stride: usize,
    capacity: usize,
    count: *mut usize,
) -> wvmi_status {
    // SAFETY: the caller passes pointers as the header demands.
    let call = unsafe { Call::new(c"wvmi_pe_import_iter_next_many") };
    call.run(|| {
        let iter = call.exclusive(iter, "iter")?;
        let count = call.output(count, "count")?;
        let array = call.array_output(imports, stride, capacity, "imports")?;
        let wvmi_pe_import_iter { walk, texts, base } = iter;
        texts.clear();
        walk.next_many(&call, &array, &count, |_, import| {
            describe(import, *base, texts)
        })
    })
}

/// Frees the iterator and the texts that it lent out. `iter` may be NULL.
///
/// Any thread, also from a callback, also after the session was closed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wvmi_pe_import_iter_free(iter: *mut wvmi_pe_import_iter) {
    // SAFETY: the caller passes pointers as the header demands.
    let call = unsafe { Call::new(c"wvmi_pe_import_iter_free") };
    call.free(iter);
}
