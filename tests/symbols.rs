//! Symbol profiles: real layouts, damaged files, look-up in directories.

use std::path::{Path, PathBuf};

use isr::macros::{Field, offsets, symbols};
use winvmi::symbols::{Profile, read_isf};

offsets! {
    struct Offsets {
        struct _EPROCESS {
            UniqueProcessId: Field,
            DirectoryTableBase: Field,
        }
    }
}

symbols! {
    struct Symbols {
        PsInitialSystemProcess: u64,
        NoSuchSymbol: Option<u64>,
    }
}

fn tables() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/profiles/windows/ntkrnlmp.pdb");
    let entries = std::fs::read_dir(folder).unwrap();
    entries.map(|entry| entry.unwrap().path()).collect()
}

fn assert_is_kernel(profile: &Profile) {
    let offsets = Offsets::new(profile.isr()).unwrap();
    let symbols = Symbols::new(profile.isr()).unwrap();
    let field = profile.field("_EPROCESS", "UniqueProcessId").unwrap();
    assert_eq!(field.offset, offsets._EPROCESS.UniqueProcessId.offset());
    assert_eq!(field.size, 8);
    let nested = profile
        .field("_EPROCESS", "Pcb.DirectoryTableBase")
        .unwrap();
    assert_eq!(nested.offset, offsets._EPROCESS.DirectoryTableBase.offset());
    let rva = symbols.PsInitialSystemProcess;
    assert_eq!(profile.symbol("PsInitialSystemProcess"), Some(rva));
    assert_eq!(symbols.NoSuchSymbol, None);
    let (_, distance) = profile.nearest(rva + 1).unwrap();
    assert_eq!(distance, 1);
}

#[test]
fn every_reduced_table_makes_a_profile() {
    let tables = tables();
    assert_eq!(tables.len(), 8);
    for path in tables {
        assert_is_kernel(&read_isf(&path).unwrap());
    }
}

#[test]
fn a_profile_is_shared_between_threads() {
    fn shared<T: Send + Sync>() {}
    shared::<Profile>();
}
