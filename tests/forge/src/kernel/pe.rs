//! PE headers, export directories and CodeView records.

/// Machine type of x64 images.
pub(crate) const MACHINE_AMD64: u16 = 0x8664;
/// Machine type of 32-bit x86 images.
pub(crate) const MACHINE_I386: u16 = 0x14c;

/// Offset of the PE signature in every image made here.
const SIGNATURE_OFFSET: usize = 0xf0;
/// Number of data directories in an optional header.
const DIRECTORIES: usize = 16;
/// Index of the export directory.
const EXPORT: usize = 0;
/// Index of the debug directory.
const DEBUG: usize = 6;

/// A range of an image: address relative to the base, and size.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Extent {
    pub rva: u32,
    pub size: u32,
}

/// A section of an image.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Section {
    pub name: &'static str,
    pub extent: Extent,
    pub characteristics: u32,
}

/// Code: readable and executable.
pub(crate) const CODE: u32 = 0x6800_0020;
/// Data: readable and writable.
pub(crate) const DATA: u32 = 0xc800_0040;
/// Constants: readable.
pub(crate) const CONSTANTS: u32 = 0x4000_0040;

/// What the headers of an image say.
#[derive(Clone, Debug)]
pub(crate) struct Headers {
    pub machine: u16,
    pub is_dll: bool,
    pub time_stamp: u32,
    pub entry_point: u32,
    pub image_base: u64,
    pub image_size: u32,
    pub os_version: (u16, u16),
    pub exports: Extent,
    pub debug: Extent,
    pub sections: Vec<Section>,
}

impl Headers {
    /// The headers' bytes, from the DOS header to the last section header.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        let mut out = vec![0; SIGNATURE_OFFSET];
        out[..2].copy_from_slice(b"MZ");
        out[0x3c..0x40].copy_from_slice(&(SIGNATURE_OFFSET as u32).to_le_bytes());
        out.extend(b"PE\0\0");
        out.extend(self.file_header());
        out.extend(self.optional_header());
        for section in &self.sections {
            out.extend(section_header(section));
        }
        out
    }

    fn is_64_bit(&self) -> bool {
        self.machine == MACHINE_AMD64
    }

    fn file_header(&self) -> Vec<u8> {
        let optional_size: u16 = if self.is_64_bit() { 0xf0 } else { 0xe0 };
        let dll = if self.is_dll { 0x2000 } else { 0 };
        let characteristics: u16 = dll | if self.is_64_bit() { 0x22 } else { 0x102 };
        let mut out = Vec::new();
        out.extend(self.machine.to_le_bytes());
        out.extend((self.sections.len() as u16).to_le_bytes());
        out.extend(self.time_stamp.to_le_bytes());
        out.extend([0; 8]);
        out.extend(optional_size.to_le_bytes());
        out.extend(characteristics.to_le_bytes());
        out
    }

    fn optional_header(&self) -> Vec<u8> {
        let mut out = Vec::new();
        let magic: u16 = if self.is_64_bit() { 0x20b } else { 0x10b };
        out.extend(magic.to_le_bytes());
        out.extend([14, 20]);
        out.extend([0; 12]);
        out.extend(self.entry_point.to_le_bytes());
        out.extend(0x1000u32.to_le_bytes());
        match self.is_64_bit() {
            true => out.extend(self.image_base.to_le_bytes()),
            false => {
                out.extend(0x1000u32.to_le_bytes());
                out.extend((self.image_base as u32).to_le_bytes());
            }
        }
        out.extend(0x1000u32.to_le_bytes());
        out.extend(0x200u32.to_le_bytes());
        for version in [self.os_version, self.os_version, self.os_version] {
            out.extend(version.0.to_le_bytes());
            out.extend(version.1.to_le_bytes());
        }
        out.extend(0u32.to_le_bytes());
        out.extend(self.image_size.to_le_bytes());
        out.extend(0x1000u32.to_le_bytes());
        out.extend(0u32.to_le_bytes());
        out.extend(1u16.to_le_bytes());
        out.extend(0x4160u16.to_le_bytes());
        let sizes = if self.is_64_bit() { 32 } else { 16 };
        out.extend(vec![0; sizes + 4]);
        out.extend((DIRECTORIES as u32).to_le_bytes());
        out.extend(self.directories());
        out
    }

    fn directories(&self) -> Vec<u8> {
        let mut extents = [Extent::default(); DIRECTORIES];
        extents[EXPORT] = self.exports;
        extents[DEBUG] = self.debug;
        extents
            .iter()
            .flat_map(|extent| pair(extent.rva, extent.size))
            .collect()
    }
}

fn section_header(section: &Section) -> Vec<u8> {
    let Extent { rva, size } = section.extent;
    let mut out = section.name.as_bytes().to_vec();
    out.resize(8, 0);
    out.extend(pair(size, rva));
    out.extend(pair(size.next_multiple_of(0x200), rva));
    out.extend([0; 12]);
    out.extend(section.characteristics.to_le_bytes());
    out
}

fn pair(first: u32, second: u32) -> impl Iterator<Item = u8> {
    first.to_le_bytes().into_iter().chain(second.to_le_bytes())
}

/// Size of a debug directory of one entry.
pub(crate) const DEBUG_ENTRY_SIZE: u32 = 28;

/// A debug directory of one CodeView entry, followed by the CodeView record, for address `rva`.
pub(crate) fn debug_directory(
    rva: u32,
    time_stamp: u32,
    guid: &str,
    age: u32,
    pdb: &str,
) -> Vec<u8> {
    let record = codeview(guid, age, pdb);
    let record_rva = rva + DEBUG_ENTRY_SIZE;
    let mut out = Vec::new();
    for word in [
        0,
        time_stamp,
        0,
        2,
        record.len() as u32,
        record_rva,
        record_rva,
    ] {
        out.extend(word.to_le_bytes());
    }
    out.extend(record);
    out
}

/// A CodeView record (`RSDS`).
fn codeview(guid: &str, age: u32, pdb: &str) -> Vec<u8> {
    let mut out = b"RSDS".to_vec();
    out.extend(guid_bytes(guid));
    out.extend(age.to_le_bytes());
    out.extend(pdb.as_bytes());
    out.push(0);
    out
}

/// The bytes of a GUID of 32 hexadecimal digits: its first three parts are little endian.
pub(crate) fn guid_bytes(guid: &str) -> [u8; 16] {
    let value = u128::from_str_radix(guid, 16).unwrap_or_else(|_| panic!("{guid} is no GUID"));
    let mut bytes = value.to_be_bytes();
    bytes[..4].reverse();
    bytes[4..6].reverse();
    bytes[6..8].reverse();
    bytes
}

/// An export directory for address `rva`, of names in alphabetical order and their addresses.
pub(crate) fn export_directory(rva: u32, module: &str, exports: &[(&str, u32)]) -> Vec<u8> {
    let count = exports.len() as u32;
    let functions = rva + 40;
    let names = functions + count * 4;
    let ordinals = names + count * 4;
    let module_name = ordinals + count * 2;
    let mut strings = module.as_bytes().to_vec();
    strings.push(0);
    let mut out = Vec::new();
    for word in [
        0,
        0,
        0,
        module_name,
        1,
        count,
        count,
        functions,
        names,
        ordinals,
    ] {
        out.extend(word.to_le_bytes());
    }
    out.extend(exports.iter().flat_map(|(_, target)| target.to_le_bytes()));
    for (name, _) in exports {
        out.extend((module_name + strings.len() as u32).to_le_bytes());
        strings.extend(name.as_bytes());
        strings.push(0);
    }
    out.extend((0..count as u16).flat_map(u16::to_le_bytes));
    out.extend(strings);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn guid_parts_are_little_endian() {
        let bytes = guid_bytes("5278AFF86C341677D7D7835C85B7B844");
        assert_eq!(bytes[..8], [0xf8, 0xaf, 0x78, 0x52, 0x34, 0x6c, 0x77, 0x16]);
        assert_eq!(bytes[8..], [0xd7, 0xd7, 0x83, 0x5c, 0x85, 0xb7, 0xb8, 0x44]);
    }
}
