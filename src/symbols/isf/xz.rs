//! The xz container around a table.

use std::io::{self, BufRead, Read};

use lzma_rust2::XzReader;

use crate::{
    error::{Error, Result},
    symbols::guard,
};

/// Name of the format in error messages.
const FORMAT: &str = "xz";

/// First bytes of every xz file.
const MAGIC: &[u8] = b"\xfd7zXZ\0";

/// Whether an xz stream starts here; nothing is consumed.
pub(super) fn is_xz(reader: &mut impl BufRead) -> io::Result<bool> {
    Ok(reader.fill_buf()?.starts_with(MAGIC))
}

/// Decompresses one stream and checks its checksums.
///
/// The dictionary is not limited: its memory is reserved by the file's word,
/// but only as much is touched as text comes out.
///
/// # Errors
/// [`Error::Format`] when the stream is damaged or holds more than `limit` bytes.
pub(super) fn decompress(reader: impl Read, limit: u64) -> Result<Vec<u8>> {
    guard::catch(FORMAT, || {
        let mut text = Vec::new();
        XzReader::new(reader, false)
            .take(limit.saturating_add(1))
            .read_to_end(&mut text)
            .map_err(|error| Error::format(FORMAT, error.to_string()))?;
        if text.len() as u64 > limit {
            return Err(Error::format(FORMAT, "it holds more than a symbol table"));
        }
        Ok(text)
    })
}
