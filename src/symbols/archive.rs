//! The on-disk form of a profile: bytes of an ISR archive, validated.

use std::{fs::File, io::Read, num::NonZeroUsize, path::Path};

use isr::schema::{ArchivedProfile, Profile as Schema};
use rkyv::{
    rancor,
    util::AlignedVec,
    validation::{Validator, archive::ArchiveValidator, shared::SharedValidator},
};

use super::{check, guard, tables};
use crate::error::{Error, Result};

/// Name of the format in error messages.
const FORMAT: &str = "ISR archive";

/// Longest archive that is read, in bytes (the largest kernel takes 5 MiB).
const MAX_LEN: u64 = 256 << 20;

/// Deepest nesting of the archive's own objects: maps within maps, then one
/// level for each pointer or array of a type.
const MAX_DEPTH: NonZeroUsize = NonZeroUsize::new(48).unwrap();

/// Archive bytes, aligned as their readers need it.
pub(super) type Bytes = AlignedVec;

/// Turns a profile into archive bytes.
///
/// # Errors
/// [`Error::Format`] when the profile is too large to be archived.
pub(super) fn encode(schema: &Schema) -> Result<Bytes> {
    rkyv::to_bytes::<rancor::Error>(schema).map_err(damaged)
}

/// Reads a whole archive file into memory.
///
/// It is copied, not mapped: once validated, the bytes must not change, and no
/// other process can truncate a copy.
///
/// # Errors
/// [`Error::Io`] when the file cannot be read, [`Error::Format`] when it is
/// longer than any profile.
pub(super) fn read(path: &Path) -> Result<Bytes> {
    let io = |source| Error::io(format!("read {path:?}"), source);
    let file = File::open(path).map_err(io)?;
    let len = file.metadata().map_err(io)?.len();
    if len > MAX_LEN {
        return Err(Error::format(FORMAT, format!("{len} bytes are too many")));
    }
    let mut bytes = Bytes::with_capacity(usize::try_from(len).unwrap_or(0));
    bytes
        .extend_from_reader(&mut file.take(MAX_LEN))
        .map_err(io)?;
    Ok(bytes)
}

/// Validates archive bytes: their structure first, then what they say.
///
/// # Errors
/// [`Error::Format`] when the bytes are damaged or absurd.
pub(super) fn validate(bytes: &[u8]) -> Result<&ArchivedProfile> {
    guard::catch(FORMAT, || {
        let archive = ArchiveValidator::with_max_depth(bytes, Some(MAX_DEPTH));
        let mut validator = Validator::new(archive, SharedValidator::new());
        let profile = rkyv::api::access_with_context::<ArchivedProfile, _, rancor::Error>(
            bytes,
            &mut validator,
        )
        .map_err(damaged)?;
        if !tables::are_sound(bytes, profile) {
            return Err(Error::format(FORMAT, "a hash table is damaged"));
        }
        check::profile(profile)?;
        Ok(profile)
    })
}

fn damaged(error: rancor::Error) -> Error {
    Error::format(FORMAT, error.to_string())
}
