//! Volatility's Intermediate Symbol Format: JSON, plain or compressed by xz.

mod convert;
mod model;
mod xz;

use std::{
    fs::File,
    io::{BufReader, Read},
    path::Path,
};

use self::model::Isf;
use super::{PdbId, profile::Profile};
use crate::error::{Error, Result};

/// Name of the format in error messages.
const FORMAT: &str = "ISF";

/// Longest JSON text that is read, in bytes (the largest kernel takes 7 MB).
const MAX_TEXT: u64 = 64 << 20;

/// Reads the symbols in an ISF table if they are those of `id`; `None` if not.
///
/// # Errors
/// As [`read_isf`].
pub(super) fn read(path: &Path, id: &PdbId) -> Result<Option<Profile>> {
    let (isf, own) = parse(path)?;
    if !own.same_build(id) {
        return Ok(None);
    }
    Profile::from_schema(id.clone(), &convert::schema(&isf)?).map(Some)
}

/// Reads a Volatility ISF table, whatever module it is of.
///
/// # Errors
/// [`Error::Io`] when the file cannot be read, [`Error::Format`] when it is
/// damaged, too long, or not of a Windows module.
pub fn read_isf(path: &Path) -> Result<Profile> {
    let (isf, id) = parse(path)?;
    Profile::from_schema(id, &convert::schema(&isf)?)
}

fn parse(path: &Path) -> Result<(Isf, PdbId)> {
    let text = read_text(path)?;
    let isf: Isf =
        serde_json::from_slice(&text).map_err(|error| Error::format(FORMAT, error.to_string()))?;
    let id = isf.pdb_id().ok_or_else(|| {
        Error::format(FORMAT, "names no PDB: not the symbols of a Windows module")
    })?;
    Ok((isf, id))
}

/// The table's JSON text, decompressed.
fn read_text(path: &Path) -> Result<Vec<u8>> {
    let io = |source| Error::io(format!("read {path:?}"), source);
    let mut file = BufReader::new(File::open(path).map_err(io)?);
    if xz::is_xz(&mut file).map_err(io)? {
        return xz::decompress(file, MAX_TEXT);
    }
    let mut text = Vec::new();
    let limit = MAX_TEXT.saturating_add(1);
    file.take(limit).read_to_end(&mut text).map_err(io)?;
    if text.len() as u64 > MAX_TEXT {
        return Err(Error::format(FORMAT, "the text is too long"));
    }
    Ok(text)
}
