//! `wvmi_file`: file objects.

use std::ffi::c_char;

use super::{
    error::About,
    ffi::{Call, Plain},
    guard::Answer,
    object::wvmi_object,
    session::wvmi_session,
    status::{WVMI_OK, wvmi_status},
    valid::{Valid, or_zero},
};
use crate::{
    core::Va,
    error::{Error, Result},
    os::windows::{ControlArea, FileAccess, FileObject, Windows},
};

/// A file object: the address of its `_FILE_OBJECT`. A value, nothing to free.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct wvmi_file {
    /// Address of the file object.
    pub object: u64,
}

// SAFETY: an integer; every bit pattern is valid.
unsafe impl Plain for wvmi_file {}

impl wvmi_file {
    fn get(self, windows: &Windows) -> FileObject<'_> {
        FileObject::new(windows, Va(self.object))
    }
}

/// What is known about a file object, filled by `wvmi_file_info()`.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct wvmi_file_details {
    /// Which of the other fields were read: `WVMI_FILE_VALID_*` bits.
    pub valid: u64,
    /// Address of the file object; always filled.
    pub object: u64,
    /// Address of the device object; 0 without one (`_FILE_OBJECT.DeviceObject`).
    pub device: u64,
    /// Address of the file object that the name is relative to; 0 without one
    /// (`_FILE_OBJECT.RelatedFileObject`).
    pub related_file: u64,
    /// Position of the next synchronous access (`_FILE_OBJECT.CurrentByteOffset`).
    pub current_byte_offset: u64,
    /// Address of the section object pointers; 0 without them
    /// (`_FILE_OBJECT.SectionObjectPointer`).
    pub section_object_pointers: u64,
    /// Flags as Windows numbers them, `FO_*` (`_FILE_OBJECT.Flags`).
    pub flags: u32,
    /// How the file was opened: `WVMI_FILE_ACCESS_*` bits.
    pub access: u32,
    /// 1 when it will be deleted on close (`_FILE_OBJECT.DeletePending`).
    pub delete_pending: u32,
    /// Always 0.
    pub reserved: u32,
    /// Address of the `_CONTROL_AREA` of the file's pages as data; 0 while none
    /// was cached or mapped (`_SECTION_OBJECT_POINTERS.DataSectionObject`).
    pub data_section: u64,
    /// Size of those pages in bytes (`_SEGMENT.SizeOfSegment`).
    pub data_section_size: u64,
    /// Address of the `_CONTROL_AREA` of the file as an executable image; 0 while
    /// it is mapped as such nowhere (`_SECTION_OBJECT_POINTERS.ImageSectionObject`).
    pub image_section: u64,
    /// Size of the image in bytes (`_SEGMENT.SizeOfSegment`).
    pub image_section_size: u64,
}

// SAFETY: integers only; every bit pattern is valid.
unsafe impl Plain for wvmi_file_details {}

/// `device` was read.
pub const WVMI_FILE_VALID_DEVICE: u64 = 1;
/// `related_file` was read.
pub const WVMI_FILE_VALID_RELATED_FILE: u64 = 2;
/// `current_byte_offset` was read.
pub const WVMI_FILE_VALID_CURRENT_BYTE_OFFSET: u64 = 4;
/// `section_object_pointers` was read.
pub const WVMI_FILE_VALID_SECTION_OBJECT_POINTERS: u64 = 8;
/// `flags` was read.
pub const WVMI_FILE_VALID_FLAGS: u64 = 0x10;
/// `access` was read.
pub const WVMI_FILE_VALID_ACCESS: u64 = 0x20;
/// `delete_pending` was read.
pub const WVMI_FILE_VALID_DELETE_PENDING: u64 = 0x40;
/// `data_section` was read.
pub const WVMI_FILE_VALID_DATA_SECTION: u64 = 0x80;
/// `data_section_size` was read; only where there is such a section.
pub const WVMI_FILE_VALID_DATA_SECTION_SIZE: u64 = 0x100;
/// `image_section` was read.
pub const WVMI_FILE_VALID_IMAGE_SECTION: u64 = 0x200;
/// `image_section_size` was read; only where there is such a section.
pub const WVMI_FILE_VALID_IMAGE_SECTION_SIZE: u64 = 0x400;

/// Opened for reading.
pub const WVMI_FILE_ACCESS_READ: u32 = 1;
/// Opened for writing.
pub const WVMI_FILE_ACCESS_WRITE: u32 = 2;
/// Opened for deletion.
pub const WVMI_FILE_ACCESS_DELETE: u32 = 4;
/// Others may read.
pub const WVMI_FILE_ACCESS_SHARED_READ: u32 = 8;
/// Others may write.
pub const WVMI_FILE_ACCESS_SHARED_WRITE: u32 = 0x10;
/// Others may delete.
pub const WVMI_FILE_ACCESS_SHARED_DELETE: u32 = 0x20;

const ACCESS: [(FileAccess, u32); 6] = [
    (FileAccess::READ, WVMI_FILE_ACCESS_READ),
    (FileAccess::WRITE, WVMI_FILE_ACCESS_WRITE),
    (FileAccess::DELETE, WVMI_FILE_ACCESS_DELETE),
    (FileAccess::SHARED_READ, WVMI_FILE_ACCESS_SHARED_READ),
    (FileAccess::SHARED_WRITE, WVMI_FILE_ACCESS_SHARED_WRITE),
    (FileAccess::SHARED_DELETE, WVMI_FILE_ACCESS_SHARED_DELETE),
];

fn access_bits(access: FileAccess) -> u32 {
    ACCESS
        .iter()
        .filter(|(bit, _)| access.contains(*bit))
        .fold(0, |bits, (_, bit)| bits | bit)
}

/// Takes an object as the file object that it is.
///
/// `file` receives it. The reverse needs no call: a file's `object` is its
/// object.
///
/// Returns `WVMI_OK`, `WVMI_ERROR_INVALID_ARGUMENT` when the object is something
/// else, `WVMI_ERROR_FAULT`, `WVMI_ERROR_CORRUPT`, `WVMI_ERROR_NULL_ARGUMENT`,
/// `WVMI_ERROR_NO_KERNEL`, or `WVMI_ERROR_NO_SYMBOLS`.
///
/// Any thread, also from a callback.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wvmi_object_as_file(
    session: *mut wvmi_session,
    object: wvmi_object,
    file: *mut wvmi_file,
) -> wvmi_status {
    // SAFETY: the caller passes pointers as the header demands.
    let call = unsafe { Call::new(c"wvmi_object_as_file") };
    call.run(|| {
        let session = call.session(session)?;
        let output = call.output(file, "file")?;
        let found = object.get(session.engine().windows()?).as_file();
        let found = found.about("object", object.object)?;
        let found = found.ok_or_else(|| Error::invalid_argument("object", "it is no file"))?;
        output.write(wvmi_file {
            object: found.object().address().0,
        });
        Ok(WVMI_OK)
    })
}

/// Tells everything but the texts about a file object in one call.
///
/// What cannot be read is left 0 and out of `details->valid`; the rest is
/// filled.
///
/// `details` receives the facts, `size` is `sizeof *details`.
///
/// Returns `WVMI_OK` when at least one field was read; `WVMI_ERROR_FAULT` when
/// none was; `WVMI_ERROR_NULL_ARGUMENT`; `WVMI_ERROR_INVALID_ARGUMENT`;
/// `WVMI_ERROR_NO_KERNEL`; `WVMI_ERROR_NO_SYMBOLS`.
///
/// Any thread, also from a callback.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wvmi_file_info(
    session: *mut wvmi_session,
    file: wvmi_file,
    details: *mut wvmi_file_details,
    size: usize,
) -> wvmi_status {
    // SAFETY: the caller passes pointers as the header demands.
    let call = unsafe { Call::new(c"wvmi_file_info") };
    call.run(|| {
        let session = call.session(session)?;
        let output = call.sized_output(details, size, "details")?;
        let details = describe(file.get(session.engine().windows()?));
        output.write(details.about("file", file.object)?);
        Ok(WVMI_OK)
    })
}

fn describe(it: FileObject<'_>) -> Result<wvmi_file_details> {
    let mut valid = Valid::default();
    let v = &mut valid;
    let device = it.device().map(|device| device.map(|it| it.address()));
    let related = it.related_file();
    let related = related.map(|file| file.map(|it| it.object().address()));
    let data = v.found(WVMI_FILE_VALID_DATA_SECTION, it.data_section());
    let (data_section, data_section_size) =
        section(v, WVMI_FILE_VALID_DATA_SECTION_SIZE, data.flatten());
    let image = v.found(WVMI_FILE_VALID_IMAGE_SECTION, it.image_section());
    let (image_section, image_section_size) =
        section(v, WVMI_FILE_VALID_IMAGE_SECTION_SIZE, image.flatten());
    let details = wvmi_file_details {
        valid: 0,
        object: it.object().address().0,
        device: v.take(WVMI_FILE_VALID_DEVICE, or_zero(device)),
        related_file: v.take(WVMI_FILE_VALID_RELATED_FILE, or_zero(related)),
        current_byte_offset: v.take(
            WVMI_FILE_VALID_CURRENT_BYTE_OFFSET,
            it.current_byte_offset(),
        ),
        section_object_pointers: v.take(
            WVMI_FILE_VALID_SECTION_OBJECT_POINTERS,
            or_zero(it.section_object_pointers()),
        ),
        flags: v.take(WVMI_FILE_VALID_FLAGS, it.flags()),
        access: v.take(WVMI_FILE_VALID_ACCESS, it.access().map(access_bits)),
        delete_pending: v
            .take(WVMI_FILE_VALID_DELETE_PENDING, it.is_delete_pending())
            .into(),
        reserved: 0,
        data_section,
        data_section_size,
        image_section,
        image_section_size,
    };
    Ok(wvmi_file_details {
        valid: valid.finish()?,
        ..details
    })
}

/// Address and size of what holds pages of a file.
fn section(valid: &mut Valid, size: u64, area: Option<ControlArea<'_>>) -> (u64, u64) {
    area.map_or((0, 0), |area| {
        (area.address().0, valid.take(size, area.size()))
    })
}

/// The body of a function that copies one text of a file object.
fn copy_text(
    call: &Call,
    session: *mut wvmi_session,
    file: wvmi_file,
    (buffer, capacity, length): (*mut c_char, usize, *mut usize),
    get: impl FnOnce(&FileObject<'_>) -> Result<String>,
) -> Answer {
    let session = call.session(session)?;
    let output = call.text_buffer(buffer, capacity, length)?;
    let text = get(&file.get(session.engine().windows()?));
    output.write(&text.about("file", file.object)?)?;
    Ok(WVMI_OK)
}

/// Reads the name of a file object as it was opened (`_FILE_OBJECT.FileName`):
/// relative to its device, or to its related file object.
///
/// The name goes into `buffer` of `capacity` bytes; `length` (may be NULL)
/// receives its length.
///
/// Returns `WVMI_OK`, `WVMI_ERROR_BUFFER_TOO_SMALL`, `WVMI_ERROR_FAULT`,
/// `WVMI_ERROR_NULL_ARGUMENT`, `WVMI_ERROR_NO_KERNEL`, or
/// `WVMI_ERROR_NO_SYMBOLS`.
///
/// Any thread, also from a callback.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wvmi_file_name(
    session: *mut wvmi_session,
    file: wvmi_file,
    buffer: *mut c_char,
    capacity: usize,
    length: *mut usize,
) -> wvmi_status {
    // SAFETY: the caller passes pointers as the header demands.
    let call = unsafe { Call::new(c"wvmi_file_name") };
    let target = (buffer, capacity, length);
    call.run(|| copy_text(&call, session, file, target, |it| it.file_name()))
}

/// Reads the full path of a file object: the path of its device, the names of
/// its related file objects, and its own
/// (`"\\Device\\HarddiskVolume2\\Windows\\explorer.exe"`).
///
/// The path goes into `buffer` of `capacity` bytes; `length` (may be NULL)
/// receives its length.
///
/// Returns as `wvmi_file_name()`, and `WVMI_ERROR_CORRUPT` when the related file
/// objects form a circle.
///
/// Any thread, also from a callback.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wvmi_file_path(
    session: *mut wvmi_session,
    file: wvmi_file,
    buffer: *mut c_char,
    capacity: usize,
    length: *mut usize,
) -> wvmi_status {
    // SAFETY: the caller passes pointers as the header demands.
    let call = unsafe { Call::new(c"wvmi_file_path") };
    let target = (buffer, capacity, length);
    call.run(|| copy_text(&call, session, file, target, |it| it.path()))
}
