//! `wvmi_pe_section_iter`: sections of an image.

use std::{ffi::c_char, vec};

use super::{
    error::{About, Failure},
    ffi::{Call, Plain, into_handle},
    gate::Inside,
    pe::wvmi_pe,
    session::wvmi_session,
    status::{WVMI_OK, wvmi_status},
    walk::Walk,
};
use crate::{error::Result, pe::Section};

/// A section of an image (`IMAGE_SECTION_HEADER`).
#[repr(C)]
#[derive(Clone, Copy)]
pub struct wvmi_pe_section {
    /// Name, at most eight bytes, NUL-terminated; not always UTF-8.
    pub name: [c_char; 12],
    /// Where it is loaded, relative to the base (`VirtualAddress`).
    pub rva: u32,
    /// Size when loaded, in bytes; 0 means that `file_size` counts
    /// (`VirtualSize`).
    pub virtual_size: u32,
    /// Offset of its data in the file (`PointerToRawData`).
    pub file_offset: u32,
    /// Size of its data in the file, in bytes (`SizeOfRawData`).
    pub file_size: u32,
    /// Flags (`IMAGE_SCN_*`, `Characteristics`).
    pub characteristics: u32,
}

// SAFETY: integers only; every bit pattern is valid.
unsafe impl Plain for wvmi_pe_section {}

impl From<Section> for wvmi_pe_section {
    fn from(section: Section) -> Self {
        let mut name = [0; 12];
        for (to, from) in name.iter_mut().zip(section.name) {
            *to = from as c_char;
        }
        Self {
            name,
            rva: section.rva,
            virtual_size: section.virtual_size,
            file_offset: section.file_offset,
            file_size: section.file_size,
            characteristics: section.characteristics,
        }
    }
}

/// An iteration over the sections of an image; made by
/// `wvmi_pe_section_iter_new()`.
pub struct wvmi_pe_section_iter(Walk<vec::IntoIter<Result<Section>>>);

/// Begins an iteration over the sections of an image, in the order of its table.
///
/// `iter` receives the handle; free it with `wvmi_pe_section_iter_free()`.
///
/// Returns `WVMI_OK`, or as `wvmi_pe_info()`.
///
/// Any thread, also from a callback.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wvmi_pe_section_iter_new(
    session: *mut wvmi_session,
    pe: wvmi_pe,
    iter: *mut *mut wvmi_pe_section_iter,
) -> wvmi_status {
    // SAFETY: the caller passes pointers as the header demands.
    let call = unsafe { Call::new(c"wvmi_pe_section_iter_new") };
    call.run(|| {
        let session = call.session(session)?;
        let output = call.output(iter, "iter")?;
        let walk = sections(&session, pe)?;
        output.write(into_handle(wvmi_pe_section_iter(walk)));
        Ok(WVMI_OK)
    })
}

fn sections(
    session: &Inside,
    pe: wvmi_pe,
) -> Result<Walk<vec::IntoIter<Result<Section>>>, Failure> {
    let table = pe.parse(session.engine(), session)?.sections();
    let table: Vec<_> = table.about("image", pe.base)?.into_iter().map(Ok).collect();
    // SAFETY: the sections are plain, the reference is not kept at all.
    Ok(unsafe { Walk::new(session, |_| Ok(table.into_iter())) }?)
}

/// Gets the next section.
///
/// `section` receives it, `size` is `sizeof *section`.
///
/// Returns `WVMI_OK`, `WVMI_END`, `WVMI_ERROR_CLOSED`,
/// `WVMI_ERROR_NULL_ARGUMENT`, or `WVMI_ERROR_INVALID_ARGUMENT`.
///
/// The thread that owns `iter`, also from a callback.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wvmi_pe_section_iter_next(
    iter: *mut wvmi_pe_section_iter,
    section: *mut wvmi_pe_section,
    size: usize,
) -> wvmi_status {
    // SAFETY: the caller passes pointers as the header demands.
    let call = unsafe { Call::new(c"wvmi_pe_section_iter_next") };
    call.run(|| {
        let iter = call.exclusive(iter, "iter")?;
        let output = call.sized_output(section, size, "section")?;
        iter.0
            .next(&call, |_, section| output.write(section.into()))
    })
}

/// Gets many sections at once.
///
/// `sections` receives at most `capacity` of them, `stride` bytes apart (`sizeof
/// *sections`); `count` receives how many, on every return.
///
/// Returns `WVMI_OK` with at least one section; `WVMI_END` with none;
/// `WVMI_ERROR_CLOSED`; `WVMI_ERROR_CANCELLED`; `WVMI_ERROR_NULL_ARGUMENT`;
/// `WVMI_ERROR_INVALID_ARGUMENT`.
///
/// The thread that owns `iter`, also from a callback.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wvmi_pe_section_iter_next_many(
    iter: *mut wvmi_pe_section_iter,
    sections: *mut wvmi_pe_section,
    stride: usize,
    capacity: usize,
    count: *mut usize,
) -> wvmi_status {
    // SAFETY: the caller passes pointers as the header demands.
    let call = unsafe { Call::new(c"wvmi_pe_section_iter_next_many") };
    call.run(|| {
        let iter = call.exclusive(iter, "iter")?;
        let count = call.output(count, "count")?;
        let array = call.array_output(sections, stride, capacity, "sections")?;
        iter.0
            .next_many(&call, &array, &count, |_, section| section.into())
    })
}

/// Frees the iterator. `iter` may be NULL.
///
/// Any thread, also from a callback, also after the session was closed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wvmi_pe_section_iter_free(iter: *mut wvmi_pe_section_iter) {
    // SAFETY: the caller passes pointers as the header demands.
    let call = unsafe { Call::new(c"wvmi_pe_section_iter_free") };
    call.free(iter);
}
