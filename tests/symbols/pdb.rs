//! Windows PDB files: `data/sample.pdb`, made by a real linker.

use std::{fs, path::PathBuf};

use winvmi::{
    Error, Result,
    symbols::{Bits, PdbId, Profile, Store},
};

use crate::support::{Folder, store};

/// GUID and age of the sample.
const SIGNATURE: &str = "B196DC3A7EA61CDD4C4C44205044422E1";

pub fn sample() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/symbols/data/sample.pdb")
}

pub fn id() -> PdbId {
    PdbId::parse("sample.pdb", SIGNATURE).unwrap()
}

fn load(store: &Store) -> Result<std::sync::Arc<Profile>> {
    store.load(&id(), &())
}

#[test]
fn structures_are_those_of_the_source() {
    let profile = load(&store(sample())).unwrap();
    let place = |path| {
        let field = profile.field("_OUTER", path).unwrap();
        (field.offset, field.size)
    };
    assert_eq!(profile.struct_size("_OUTER"), Some(0x100));
    assert_eq!(place("Links.Blink"), (8, 8));
    assert_eq!(place("Items"), (0x10, 0x30));
    assert_eq!(place("Grid"), (0x40, 0x80));
    assert_eq!(place("Kind"), (0xc0, 4));
    assert_eq!(place("Name"), (0xd0, 0x20));
    assert_eq!(place("Call"), (0xf0, 8));
    assert_eq!(place("Tail"), (0xf8, 1));
    assert_eq!(profile.field_type_name("_OUTER", "Links"), Some("_LINK"));
    assert_eq!(profile.field_type_name("_OUTER", "Kind"), Some("_KIND"));
}

#[test]
fn bit_fields_are_found_in_unnamed_members() {
    let profile = load(&store(sample())).unwrap();
    let top = profile.field("_OUTER", "Top").unwrap();
    let bits = Bits {
        position: 63,
        length: 1,
    };
    assert_eq!((top.offset, top.size, top.bits), (0xc8, 8, Some(bits)));
    let high = profile.field("_ITEM", "High").unwrap().bits.unwrap();
    assert_eq!((high.position, high.length), (3, 29));
}

#[test]
fn constants_have_the_sign_of_their_type() {
    let profile = load(&store(sample())).unwrap();
    assert_eq!(profile.enum_value("_KIND", "KindSome"), Some(5));
    assert_eq!(profile.enum_value("_KIND", "KindNegative"), Some(-2));
}

#[test]
fn public_symbols_have_relative_addresses() {
    let profile = load(&store(sample())).unwrap();
    assert_eq!(profile.symbol("PublicFunction"), Some(0x1000));
    assert_eq!(profile.symbol("PublicObject"), Some(0x3000));
    assert_eq!(profile.nearest(0x1002), Some(("PublicFunction", 2)));
}

#[test]
fn another_age_or_guid_is_another_pdb() {
    let other_guid = format!("0{}", &SIGNATURE[1..]);
    for signature in [format!("{}2", &SIGNATURE[..32]), other_guid] {
        let id = PdbId::parse("sample.pdb", &signature).unwrap();
        let error = store(sample()).load(&id, &()).unwrap_err();
        assert!(matches!(error, Error::NoSymbols(_)), "{error}");
    }
}

#[test]
fn a_symbol_store_is_searched_whatever_the_case() {
    let folder = Folder::new();
    let name = format!("Sample.PDB/{}/SAMPLE.pdb", SIGNATURE.to_lowercase());
    folder.write(&name, &fs::read(sample()).unwrap());
    assert!(load(&store(folder.path())).is_ok());
}

#[test]
fn a_pdb_lying_flat_is_found() {
    let folder = Folder::new();
    folder.write("sample.pdb", &fs::read(sample()).unwrap());
    assert!(load(&store(folder.path())).is_ok());
}

/// Reads a damaged copy: any answer will do, but an answer it must be.
fn survives(folder: &Folder, bytes: &[u8]) -> Result<()> {
    let path = folder.write("damaged.pdb", bytes);
    load(&store(path)).map(|_| ())
}

#[test]
fn a_truncated_file_is_refused() {
    let folder = Folder::new();
    let whole = fs::read(sample()).unwrap();
    for len in (0..whole.len()).step_by(0x600) {
        assert!(survives(&folder, &whole[..len]).is_err(), "{len}");
    }
}

#[test]
fn flipped_bytes_are_survived() {
    let folder = Folder::new();
    let whole = fs::read(sample()).unwrap();
    let used = (0..whole.len()).filter(|&at| whole[at] != 0);
    for at in used.step_by(3) {
        let mut bytes = whole.clone();
        bytes[at] ^= 0xff;
        let _ = survives(&folder, &bytes);
    }
}

#[test]
fn a_wild_stream_directory_is_refused() {
    let folder = Folder::new();
    let whole = fs::read(sample()).unwrap();
    for (offset, value) in [
        (32, 0),
        (32, 0x1001),
        (40, 0),
        (44, u32::MAX),
        (52, u32::MAX),
    ] {
        let mut bytes = whole.clone();
        bytes[offset..offset + 4].copy_from_slice(&u32::to_le_bytes(value));
        assert!(survives(&folder, &bytes).is_err(), "{offset}: {value}");
    }
}
