//! Damaged tables and archives: an error or an answer, never a panic.

use std::{fs, sync::Arc};

use isr::schema::{
    Array, Base, Bitfield, Enum, EnumRef, Field, Profile as Schema, Struct, StructKind, StructRef,
    Type,
};
use winvmi::{Error, Result, symbols::Profile};

use crate::support::{Folder, WINDOWS_10_2004 as SIGNATURE, load, table};

/// Reads archive bytes as the symbols of the kernel.
fn open_archive(folder: &Folder, bytes: &[u8]) -> Result<Arc<Profile>> {
    load(folder.write(&format!("{SIGNATURE}.isr"), bytes), SIGNATURE)
}

fn encode(schema: &Schema) -> Vec<u8> {
    rkyv::to_bytes::<rkyv::rancor::Error>(schema)
        .unwrap()
        .to_vec()
}

/// Asks a profile everything: with whatever it answers, it must end.
fn exercise(profile: &Profile) {
    for structure in ["_EPROCESS", "_OUTER", "_MISSING"] {
        profile.struct_size(structure);
        profile.field(structure, "Pcb.DirectoryTableBase");
        profile.field(structure, "NoSuchField");
    }
    profile.enum_value("_INTERFACE_TYPE", "NoSuchConstant");
    profile.symbol("NoSuchSymbol");
    profile.nearest(u64::MAX);
    for (name, _) in profile.symbols().take(100) {
        profile.symbol(name);
    }
}

fn assert_refused(result: Result<Arc<Profile>>) {
    let error = result.map(|_| ()).unwrap_err();
    assert!(matches!(error, Error::Format { .. }), "{error}");
}

#[test]
fn a_damaged_table_is_refused_and_named() {
    let folder = Folder::new();
    let whole = fs::read(table(SIGNATURE)).unwrap();
    for len in (6..whole.len()).step_by(whole.len() / 20) {
        let path = folder.write("cut.json.xz", &whole[..len]);
        let error = load(&path, SIGNATURE).unwrap_err().to_string();
        assert!(error.contains("cut.json.xz"), "{error}");
    }
    let mut flipped = whole.clone();
    flipped[whole.len() / 2] ^= 1;
    assert_refused(load(folder.write("bad.json.xz", &flipped), SIGNATURE));
}

#[test]
fn tables_that_are_no_tables_are_refused() {
    let folder = Folder::new();
    let nested = format!("{{\"metadata\":{}", "[".repeat(100_000));
    let unnamed = r#"{"metadata":{},"base_types":{},"user_types":{},"enums":{},"symbols":{}}"#;
    for text in ["{", "{}", "{\"metadata\": 3}", &nested, unnamed] {
        assert_refused(load(folder.write("a.json", text.as_bytes()), SIGNATURE));
    }
}

/// A table of the kernel with one structure.
fn table_text(fields: &str) -> String {
    let guid = &SIGNATURE[..32];
    format!(
        r#"{{"metadata": {{"windows": {{"pdb": {{"GUID": "{guid}", "age": 1, "database": "ntkrnlmp.pdb"}}}}}},
        "base_types": {{"int": {{"kind": "int", "size": 4, "signed": true}}, "odd": {{"kind": "int", "size": 3, "signed": true}}}},
        "user_types": {{"_OUTER": {{"kind": "struct", "size": 16, "fields": {{{fields}}}}}}},
        "enums": {{}}, "symbols": {{}}}}"#
    )
}

#[test]
fn impossible_members_of_a_table_are_refused() {
    let folder = Folder::new();
    let good = r#""a": {"offset": 0, "type": {"kind": "base", "name": "int"}}"#;
    let path = folder.write("a.json", table_text(good).as_bytes());
    assert!(load(path, SIGNATURE).is_ok());
    for (nth, fields) in [
        r#""a": {"offset": -1, "type": {"kind": "base", "name": "int"}}"#,
        r#""a": {"offset": 18446744073709551615, "type": {"kind": "base", "name": "int"}}"#,
        r#""a": {"offset": 0, "type": {"kind": "base", "name": "odd"}}"#,
        r#""a": {"offset": 0, "type": {"kind": "base", "name": "absent"}}"#,
        r#""a": {"offset": 0, "type": {"kind": "base"}}"#,
        r#""a": {"offset": 0, "type": {"kind": "array", "count": 5}}"#,
        r#""a": {"offset": 0, "type": {"kind": "mystery"}}"#,
        r#""a": {"offset": 0, "type": {"kind": "struct", "name": "_OUTER"}}"#,
        r#""a": {"offset": 0, "type": {"kind": "bitfield", "bit_position": 31, "bit_length": 2, "type": {"kind": "base", "name": "int"}}}"#,
        r#""a": {"offset": 0, "type": {"kind": "array", "count": 18446744073709551615, "subtype": {"kind": "base", "name": "int"}}}"#,
    ]
    .into_iter()
    .enumerate()
    {
        let path = folder.write(&format!("{nth}.json"), table_text(fields).as_bytes());
        assert_refused(load(path, SIGNATURE));
    }
}

#[test]
fn a_truncated_archive_is_refused() {
    let folder = Folder::new();
    let whole = load(table(SIGNATURE), SIGNATURE).unwrap();
    let whole = whole.as_bytes();
    open_archive(&folder, whole).unwrap();
    for len in (0..whole.len()).step_by(whole.len() / 30) {
        assert_refused(open_archive(&folder, &whole[..len]));
    }
    assert_refused(open_archive(&folder, &vec![0xff; 4096]));
}

#[test]
fn flipped_bytes_of_an_archive_are_survived() {
    let folder = Folder::new();
    let bytes = encode(&sample(structure(16, vec![("Inner", 0, named("_INNER"))])));
    for at in 0..bytes.len() {
        for mask in [0x01, 0x80, 0xff] {
            let mut damaged = bytes.clone();
            damaged[at] ^= mask;
            if let Ok(profile) = open_archive(&folder, &damaged) {
                exercise(&profile);
            }
        }
    }
}

fn structure(size: u64, fields: Vec<(&str, u64, Type)>) -> Struct {
    let field = |(name, offset, ty): (&str, u64, Type)| (name.to_owned(), Field { offset, ty });
    Struct {
        kind: StructKind::Struct,
        size,
        fields: fields.into_iter().map(field).collect(),
    }
}

fn named(name: &str) -> Type {
    Type::Struct(StructRef { name: name.into() })
}

/// A profile with one structure under test and a harmless one.
fn sample(outer: Struct) -> Schema {
    let mut schema = Schema::default();
    let int = Type::Base(Base::U32);
    schema.structs.insert("_OUTER".into(), outer);
    schema
        .structs
        .insert("_INNER".into(), structure(8, vec![("Value", 4, int)]));
    schema.symbols.insert("Symbol".into(), 0x1000);
    schema
}

fn array(element: Type, dims: &[u64]) -> Type {
    Type::Array(Array {
        subtype: Box::new(element),
        dims: dims.to_vec(),
    })
}

fn bits(base: Type, bit_position: u64, bit_length: u64) -> Type {
    Type::Bitfield(Bitfield {
        subtype: Box::new(base),
        bit_length,
        bit_position,
    })
}

#[test]
fn impossible_members_are_refused() {
    let folder = Folder::new();
    let byte = || Type::Base(Base::U8);
    let mut deep = byte();
    for _ in 0..1000 {
        deep = array(deep, &[1]);
    }
    let cases = [
        (0, named("_OUTER")),
        (u64::MAX, byte()),
        (0, array(byte(), &[u64::MAX, 2])),
        (0, array(named("_INNER"), &[u64::MAX])),
        (0, bits(Type::Base(Base::U64), 1, 64)),
        (0, bits(Type::Base(Base::U64), u64::MAX, 1)),
        (0, bits(Type::Base(Base::U8), 0, 0)),
        (0, bits(named("_INNER"), 0, 1)),
        (0, deep),
    ];
    for (offset, ty) in cases {
        let outer = structure(16, vec![("Member", offset, ty)]);
        assert_refused(open_archive(&folder, &encode(&sample(outer))));
    }
    assert_refused(open_archive(
        &folder,
        &encode(&sample(structure(u64::MAX, vec![]))),
    ));
}

#[test]
fn types_that_are_absent_have_no_size() {
    let folder = Folder::new();
    let absent = Type::Enum(EnumRef {
        name: "_ABSENT".into(),
    });
    let outer = structure(16, vec![("Kind", 4, absent), ("Gone", 8, named("_GONE"))]);
    let profile = open_archive(&folder, &encode(&sample(outer))).unwrap();
    let kind = profile.field("_OUTER", "Kind").unwrap();
    assert_eq!((kind.offset, kind.size), (4, 0));
    assert_eq!(profile.field("_OUTER", "Gone").unwrap().size, 0);
    assert_eq!(profile.field("_OUTER", "Gone.Value"), None);
}

#[test]
fn enumerations_of_enumerations_are_refused() {
    let folder = Folder::new();
    let mut schema = sample(structure(0, vec![]));
    let endless = Enum {
        subtype: Type::Enum(EnumRef {
            name: "_ENDLESS".into(),
        }),
        fields: Default::default(),
    };
    schema.enums.insert("_ENDLESS".into(), endless);
    assert_refused(open_archive(&folder, &encode(&schema)));
}

/// A chain of structures, each holding the next one `width` times.
fn chain(len: usize, width: usize) -> Schema {
    let mut schema = sample(structure(8, vec![]));
    for nth in 0..len {
        let next = format!("_LINK{}", nth + 1);
        let names: Vec<_> = (0..width).map(|nth| format!("Next{nth}")).collect();
        let fields = names.iter().map(|name| (name.as_str(), 0, named(&next)));
        schema
            .structs
            .insert(format!("_LINK{nth}"), structure(8, fields.collect()));
    }
    schema
}

#[test]
fn nesting_is_bounded_in_depth_and_width() {
    let folder = Folder::new();
    assert!(open_archive(&folder, &encode(&chain(20, 1))).is_ok());
    assert!(open_archive(&folder, &encode(&chain(4, 8))).is_ok());
    assert_refused(open_archive(&folder, &encode(&chain(100, 1))));
    assert_refused(open_archive(&folder, &encode(&chain(100_000, 1))));
    assert_refused(open_archive(&folder, &encode(&chain(20, 4))));
    let mut backwards = chain(100, 1);
    backwards.structs.reverse();
    assert_refused(open_archive(&folder, &encode(&backwards)));
}

#[test]
fn symbols_outside_of_any_image_are_refused() {
    let folder = Folder::new();
    let mut schema = sample(structure(0, vec![]));
    schema.symbols.insert("Far".into(), 1 << 32);
    assert_refused(open_archive(&folder, &encode(&schema)));
}
