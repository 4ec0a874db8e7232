//! Texts of objects, as UTF-8 and without loss.

use std::ffi::c_char;

use super::{
    error::{About, Failure},
    ffi::Call,
    object::wvmi_object,
    session::wvmi_session,
    status::{WVMI_OK, wvmi_status},
};
use crate::{
    error::{Error, Result},
    os::windows::Object,
};

/// A text of an object; one of the `WVMI_OBJECT_TEXT_*` numbers.
pub type wvmi_object_text_kind = u32;

/// The object's own name, the last part of its path: of desktops and window
/// stations, too (`_OBJECT_HEADER_NAME_INFO.Name`).
pub const WVMI_OBJECT_TEXT_NAME: wvmi_object_text_kind = 0;
/// Full path: of a file with its device's, of a registry key in the registry
/// (`"\\REGISTRY\\MACHINE\\SOFTWARE"`), of others in the namespace.
pub const WVMI_OBJECT_TEXT_PATH: wvmi_object_text_kind = 1;
/// Name of the object's type (`_OBJECT_TYPE.Name`).
pub const WVMI_OBJECT_TEXT_TYPE_NAME: wvmi_object_text_kind = 2;
/// Of a symbolic link, the path that it stands for
/// (`_OBJECT_SYMBOLIC_LINK.LinkTarget`).
pub const WVMI_OBJECT_TEXT_LINK_TARGET: wvmi_object_text_kind = 3;
/// Of a file, its name as it was opened (`_FILE_OBJECT.FileName`).
pub const WVMI_OBJECT_TEXT_FILE_NAME: wvmi_object_text_kind = 4;
/// Of a driver, its name in its own words (`_DRIVER_OBJECT.DriverName`).
pub const WVMI_OBJECT_TEXT_DRIVER_NAME: wvmi_object_text_kind = 5;
/// Of a driver, the name of its key among the services
/// (`_DRIVER_EXTENSION.ServiceKeyName`).
pub const WVMI_OBJECT_TEXT_SERVICE_KEY: wvmi_object_text_kind = 6;
/// UTF-16 units of a text, `None` where the object has none.
fn units(object: &Object<'_>, kind: wvmi_object_text_kind) -> Result<Option<Vec<u16>>> {
    match kind {
        WVMI_OBJECT_TEXT_NAME => object.name_utf16(),
        WVMI_OBJECT_TEXT_PATH => object.path_utf16(),
        WVMI_OBJECT_TEXT_TYPE_NAME => object.object_type()?.name_utf16().map(Some),
        WVMI_OBJECT_TEXT_LINK_TARGET => {
            expect("symbolic link", object.as_symbolic_link()?)?.target_utf16()
        }
        WVMI_OBJECT_TEXT_FILE_NAME => expect("file", object.as_file()?)?
            .file_name_utf16()
            .map(Some),
        WVMI_OBJECT_TEXT_DRIVER_NAME => expect("driver", object.as_driver()?)?
            .name_utf16()
            .map(Some),
        WVMI_OBJECT_TEXT_SERVICE_KEY => expect("driver", object.as_driver()?)?.service_key_utf16(),
        _ => Err(Error::invalid_argument(
            "kind",
            "no WVMI_OBJECT_TEXT_ number",
        )),
    }
}

/// The object as what the text belongs to.
fn expect<T>(kind: &str, object: Option<T>) -> Result<T> {
    object.ok_or_else(|| Error::invalid_argument("object", format!("it is no {kind}")))
}

fn read(
    call: &Call,
    session: *mut wvmi_session,
    object: wvmi_object,
    kind: wvmi_object_text_kind,
) -> Result<Vec<u16>, Failure> {
    let session = call.session(session)?;
    let units = units(&object.get(session.engine().windows()?), kind);
    let units = units.and_then(|units| units.ok_or_else(|| Error::not_found("such a text")));
    units.about("object", object.object)
}

/// Reads a text of an object.
///
/// Unpaired surrogates become U+FFFD, and embedded NULs are kept and counted in
/// `length`; `wvmi_object_text_utf16()` gives the units as they are.
///
/// `kind` chooses the text. It goes into `buffer` of `capacity` bytes; `length`
/// (may be NULL) receives its length.
///
/// Returns `WVMI_OK`; `WVMI_ERROR_BUFFER_TOO_SMALL`; `WVMI_ERROR_NOT_FOUND` when
/// the object has no such text, as a link whose target a driver computes;
/// `WVMI_ERROR_FAULT`; `WVMI_ERROR_CORRUPT`; `WVMI_ERROR_NULL_ARGUMENT`;
/// `WVMI_ERROR_INVALID_ARGUMENT` for another number, and for an object of a
/// type that the text does not belong to; `WVMI_ERROR_NO_KERNEL`;
/// `WVMI_ERROR_NO_SYMBOLS`.
///
/// Any thread, also from a callback.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wvmi_object_text(
    session: *mut wvmi_session,
    object: wvmi_object,
    kind: wvmi_object_text_kind,
    buffer: *mut c_char,
    capacity: usize,
    length: *mut usize,
) -> wvmi_status {
    // SAFETY: the caller passes pointers as the header demands.
    let call = unsafe { Call::new(c"wvmi_object_text") };
    call.run(|| {
        let output = call.text_buffer(buffer, capacity, length)?;
        let units = read(&call, session, object, kind)?;
        output.write(&String::from_utf16_lossy(&units))?;
        Ok(WVMI_OK)
    })
}

/// Reads a text of an object without loss, as UTF-16 units: names that UTF-8
/// cannot carry hold unpaired surrogates or NULs.
///
/// `kind` chooses the text. `units` receives at most `capacity` 16-bit units,
/// without a terminator; `count` (may be NULL) receives the number of units that
/// the text has.
///
/// Returns `WVMI_OK`, `WVMI_ERROR_BUFFER_TOO_SMALL` when the text was cut, else
/// as `wvmi_object_text()`.
///
/// Any thread, also from a callback.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wvmi_object_text_utf16(
    session: *mut wvmi_session,
    object: wvmi_object,
    kind: wvmi_object_text_kind,
    units: *mut u16,
    capacity: usize,
    count: *mut usize,
) -> wvmi_status {
    // SAFETY: the caller passes pointers as the header demands.
    let call = unsafe { Call::new(c"wvmi_object_text_utf16") };
    call.run(|| {
        let output = call.units_buffer(units, capacity, count)?;
        output.write(&read(&call, session, object, kind)?)?;
        Ok(WVMI_OK)
    })
}
