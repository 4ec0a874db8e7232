//! The body that the functions about objects of one kind share.

use super::{
    error::About,
    ffi::{Call, Plain},
    guard::Answer,
    object::wvmi_object,
    session::wvmi_session,
    status::WVMI_OK,
};
use crate::{
    error::{Error, Result},
    os::windows::Object,
};

/// Fills the details of an object of one kind: `describe` gives `None` for an
/// object that is no `kind`.
pub fn fill<D: Plain>(
    call: &Call,
    session: *mut wvmi_session,
    object: wvmi_object,
    (details, size): (*mut D, usize),
    kind: &'static str,
    describe: impl FnOnce(&Object<'_>) -> Result<Option<D>>,
) -> Answer {
    let session = call.session(session)?;
    let output = call.sized_output(details, size, "details")?;
    let found = describe(&object.get(session.engine().windows()?));
    let found = found.about("object", object.object)?;
    let none = || Error::invalid_argument("object", format!("it is no {kind}"));
    output.write(found.ok_or_else(none)?);
    Ok(WVMI_OK)
}
