//! Windows PDB files.
//!
//! `isr-pdb` does the reading. It takes a file's word for sizes and follows
//! references between types by recursion, so the file is looked over first, and
//! what it gets wrong about arrays is mended afterwards.

mod arrays;
mod leaf;
mod links;
mod reader;
mod records;
mod source;

use std::{fs::File, io::Read, path::Path};

use isr::schema::{ArchivedProfile, Profile as Schema};
use pdb::{PDB, StreamIndex};
use rkyv::rancor;

use self::source::Bounded;
use super::{PdbId, archive, guard, profile::Profile};
use crate::error::{Error, Result};

/// Name of the format in error messages.
const FORMAT: &str = "PDB";

/// Longest file that is read, in bytes (a kernel's takes 15 MiB).
const MAX_LEN: u64 = 512 << 20;

/// Number of the stream that holds the types.
const TYPES: StreamIndex = StreamIndex(2);

/// Reads the symbols in a PDB if they are those of `id`; `None` if not.
///
/// # Errors
/// [`Error::Io`] when the file cannot be read, [`Error::Format`] when it is
/// damaged or too long.
pub(super) fn read(path: &Path, id: &PdbId) -> Result<Option<Profile>> {
    let bytes = read_bytes(path)?;
    guard::catch(FORMAT, || {
        let mut pdb = PDB::open(Bounded::new(&bytes)).map_err(damaged)?;
        if !is_of(&mut pdb, id)? {
            return Ok(None);
        }
        look_over(&mut pdb)?;
        let schema = parse(path)?;
        Profile::from_schema(id.clone(), &schema).map(Some)
    })
}

fn read_bytes(path: &Path) -> Result<Vec<u8>> {
    let io = |source| Error::io(format!("read {path:?}"), source);
    let file = File::open(path).map_err(io)?;
    let mut bytes = Vec::new();
    let limit = MAX_LEN.saturating_add(1);
    file.take(limit).read_to_end(&mut bytes).map_err(io)?;
    match stated_len(&bytes) {
        _ if bytes.len() as u64 > MAX_LEN => Err(Error::format(FORMAT, "the file is too long")),
        Some(len) if len <= bytes.len() as u64 => Ok(bytes),
        _ => Err(Error::format(FORMAT, "the file is cut off")),
    }
}

/// Length of the file by its header: page size times number of pages.
fn stated_len(bytes: &[u8]) -> Option<u64> {
    let word = |at| Some(u32::from_le_bytes(*bytes.get(at..)?.first_chunk()?));
    u64::from(word(32)?).checked_mul(word(40)?.into())
}

/// Whether the image with this identity was linked together with the PDB.
///
/// The image records the age of the debug information; tools that rewrite a PDB
/// raise only the age of the file.
fn is_of<'s>(pdb: &mut PDB<'s, Bounded<'s>>, id: &PdbId) -> Result<bool> {
    let info = pdb.pdb_information().map_err(damaged)?;
    let linked = pdb.debug_information().map_err(damaged)?.age();
    let age_fits = id.age == info.age || Some(id.age) == linked;
    Ok(info.guid.to_bytes_le() == id.guid && age_fits)
}

/// Opens all that `isr-pdb` opens, within the file's bounds, and checks the types.
fn look_over<'s>(pdb: &mut PDB<'s, Bounded<'s>>) -> Result<()> {
    pdb.address_map().map_err(damaged)?;
    pdb.global_symbols().map_err(damaged)?;
    let types = TYPES.get(pdb).map_err(damaged)?;
    let types = types.ok_or_else(|| Error::format(FORMAT, "it holds no types"))?;
    records::check(&types).map_err(|reason| Error::format(FORMAT, reason))
}

/// Lets `isr-pdb` read the file, then mends its arrays.
fn parse(path: &Path) -> Result<Schema> {
    let file = File::open(path).map_err(|source| Error::io(format!("open {path:?}"), source))?;
    let mut bytes = archive::Bytes::new();
    isr_pdb::create_profile(file, |schema| {
        bytes = archive::encode(schema)?;
        Ok::<_, Error>(())
    })
    .map_err(|error| Error::format(FORMAT, error.to_string()))?;
    let archived = rkyv::access::<ArchivedProfile, rancor::Error>(&bytes);
    let schema = archived.and_then(rkyv::deserialize::<Schema, rancor::Error>);
    let mut schema = schema.map_err(|error| Error::format(FORMAT, error.to_string()))?;
    arrays::mend(&mut schema);
    Ok(schema)
}

fn damaged(error: pdb::Error) -> Error {
    Error::format(FORMAT, error.to_string())
}
