//! Real layouts, reduced and full: offsets, bit-fields, enumerations, symbols.

use isr::macros::{Bitfield, Field, offsets, symbols};
use winvmi::symbols::{Bits, Profile, extract};

use crate::support::{full_tables, load, tables};

offsets! {
    struct Offsets {
        struct _EPROCESS {
            UniqueProcessId: Field,
            DirectoryTableBase: Field,
        }
        struct _MMPTE_HARDWARE {
            PageFrameNumber: Bitfield,
        }
    }
}

symbols! {
    struct Symbols {
        PsInitialSystemProcess: u64,
        NoSuchSymbol: Option<u64>,
    }
}

/// Signature, `_EPROCESS.UniqueProcessId`, `_EPROCESS.ImageFileName`,
/// `_KTHREAD.Process`, type of `_EPROCESS.VadRoot`.
type Known = (&'static str, u64, u64, u64, &'static str);

const KNOWN: [Known; 8] = [
    (
        "339E74133576439CBCDF7E0229DA37731",
        0x180,
        0x2e0,
        0x210,
        "_MM_AVL_TABLE",
    ),
    (
        "C8539FFDFDA646A794016F13DD5EC9411",
        0x2e0,
        0x438,
        0x220,
        "_RTL_AVL_TREE",
    ),
    (
        "E68EBE9258E74638B1E2C94F4EEA6B041",
        0x2e8,
        0x450,
        0x220,
        "_RTL_AVL_TREE",
    ),
    (
        "E9B0162BD22022D8A437F9FBC73E94591",
        0x2e0,
        0x450,
        0x220,
        "_RTL_AVL_TREE",
    ),
    (
        "90F5E1C8BBE1FE1FB8A714305EE06F361",
        0x2e8,
        0x450,
        0x220,
        "_RTL_AVL_TREE",
    ),
    (
        "5278AFF86C341677D7D7835C85B7B8441",
        0x440,
        0x5a8,
        0x220,
        "_RTL_AVL_TREE",
    ),
    (
        "62EE22A5A171B889C5B859E3F87F70741",
        0x440,
        0x5a8,
        0x220,
        "_RTL_AVL_TREE",
    ),
    (
        "9AA3518467E0D28B53CB63E0A57118DE1",
        0x440,
        0x5a8,
        0x220,
        "_RTL_AVL_TREE",
    ),
];

fn assert_is_known(profile: &Profile, known: &Known) {
    let (signature, id, name, process, vad_root) = *known;
    let offset = |structure, path| profile.field(structure, path).unwrap().offset;
    assert_eq!(profile.id().signature(), signature);
    assert_eq!(offset("_EPROCESS", "UniqueProcessId"), id);
    assert_eq!(offset("_EPROCESS", "ImageFileName"), name);
    assert_eq!(offset("_KTHREAD", "Process"), process);
    let root = profile.field_type_name("_EPROCESS", "VadRoot");
    assert_eq!(root, Some(vad_root));
}

fn assert_macros_agree(profile: &Profile) {
    let offsets = Offsets::new(profile.isr()).unwrap();
    let symbols = Symbols::new(profile.isr()).unwrap();
    let field = |path| profile.field("_EPROCESS", path).unwrap();
    let id = field("UniqueProcessId");
    assert_eq!(id.offset, offsets._EPROCESS.UniqueProcessId.offset());
    assert_eq!((id.size, id.bits), (8, None));
    let root = offsets._EPROCESS.DirectoryTableBase.offset();
    assert_eq!(field("Pcb.DirectoryTableBase").offset, root);
    assert_eq!(field("DirectoryTableBase").offset, root);
    let rva = symbols.PsInitialSystemProcess;
    assert_eq!(profile.symbol("PsInitialSystemProcess"), Some(rva));
    assert_eq!(symbols.NoSuchSymbol, None);
}

fn assert_bits(profile: &Profile) {
    let frame = profile.field("_MMPTE_HARDWARE", "PageFrameNumber").unwrap();
    let bits = frame.bits.unwrap();
    assert_eq!(bits.position, 12);
    assert!((36..=40).contains(&bits.length));
    assert_eq!(bits.extract(0x1234_5867), 0x12345);
    let offsets = Offsets::new(profile.isr()).unwrap();
    let macros = &offsets._MMPTE_HARDWARE.PageFrameNumber;
    assert_eq!(Bits::from(macros), bits);
    assert_eq!(extract(macros, 0x1234_5867), 0x12345);
}

fn assert_symbols(profile: &Profile) {
    let rva = profile.symbol("PsLoadedModuleList").unwrap();
    let (name, distance) = profile.nearest(rva).unwrap();
    assert_eq!((profile.symbol(name), distance), (Some(rva), 0));
    assert_eq!(profile.nearest(rva + 1).unwrap().1, 1);
    assert_eq!(profile.nearest(0), None);
    assert!(
        profile
            .symbols()
            .any(|found| found == ("PsLoadedModuleList", rva))
    );
}

fn assert_absent(profile: &Profile) {
    assert_eq!(profile.symbol("NoSuchSymbol"), None);
    assert_eq!(profile.struct_size("_NO_SUCH_STRUCT"), None);
    assert_eq!(profile.field("_NO_SUCH_STRUCT", "Field"), None);
    assert_eq!(profile.enum_value("_NO_SUCH_ENUM", "Constant"), None);
    for path in [
        "",
        ".",
        "NoSuchField",
        "Pcb.",
        "Pcb.NoSuchField",
        "UniqueProcessId.x",
    ] {
        assert_eq!(profile.field("_EPROCESS", path), None, "{path:?}");
    }
}

#[test]
fn reduced_tables_answer_as_the_kernels_do() {
    for known in &KNOWN {
        let profile = load(tables(), known.0).unwrap();
        assert_is_known(&profile, known);
        assert_macros_agree(&profile);
        assert_bits(&profile);
        assert_symbols(&profile);
        assert_absent(&profile);
    }
}

#[test]
fn full_tables_answer_as_the_kernels_do() {
    let Some(tables) = full_tables() else {
        return;
    };
    for known in &KNOWN {
        let profile = load(&tables, known.0).unwrap();
        assert_is_known(&profile, known);
        assert_macros_agree(&profile);
        assert_bits(&profile);
        assert_symbols(&profile);
        assert_absent(&profile);
        assert!(profile.symbols().len() > 15_000);
    }
}

#[test]
fn enumerations_keep_their_signs() {
    let Some(tables) = full_tables() else {
        return;
    };
    let profile = load(tables, KNOWN[0].0).unwrap();
    let value = |constant| profile.enum_value("_INTERFACE_TYPE", constant);
    assert_eq!(value("InterfaceTypeUndefined"), Some(-1));
    assert_eq!(value("Internal"), Some(0));
    assert_eq!(value("PCIBus"), Some(5));
    assert_eq!(value("NoSuchBus"), None);
}
