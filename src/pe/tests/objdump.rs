//! What objdump reads, this reads.

use super::*;

#[test]
fn headers_are_what_objdump_reads() {
    for sample in &SAMPLES {
        let pe = sample.pe();
        let headers = pe.headers();
        let magic = match headers.format {
            Format::Pe32 => 0x10b,
            Format::Pe32Plus => 0x20b,
        };
        assert_eq!(magic, sample.hex("Magic"));
        assert_eq!(
            u64::from(headers.entry_point),
            sample.hex("AddressOfEntryPoint")
        );
        assert_eq!(headers.image_base, sample.hex("ImageBase"));
        assert_eq!(headers.os_version.0, sample.decimal("MajorOSystemVersion"));
        assert_eq!(headers.os_version.1, sample.decimal("MinorOSystemVersion"));
        assert_eq!(u64::from(headers.size_of_image), sample.hex("SizeOfImage"));
        assert_eq!(
            u64::from(headers.size_of_headers),
            sample.hex("SizeOfHeaders")
        );
        assert_eq!(u64::from(headers.checksum), sample.hex("CheckSum"));
        assert_eq!(u64::from(headers.subsystem), sample.hex("Subsystem"));
        assert_eq!(
            u64::from(headers.dll_characteristics),
            sample.hex("DllCharacteristics")
        );
    }
}

#[test]
fn directories_are_what_objdump_reads() {
    let kinds = [
        (DirectoryKind::Export, "Entry 0"),
        (DirectoryKind::Import, "Entry 1"),
        (DirectoryKind::Resource, "Entry 2"),
        (DirectoryKind::Exception, "Entry 3"),
        (DirectoryKind::BaseRelocation, "Entry 5"),
        (DirectoryKind::Debug, "Entry 6"),
        (DirectoryKind::Tls, "Entry 9"),
        (DirectoryKind::LoadConfig, "Entry a"),
        (DirectoryKind::ImportAddress, "Entry c"),
        (DirectoryKind::DelayImport, "Entry d"),
    ];
    for (sample, (kind, key)) in SAMPLES.iter().flat_map(|s| kinds.map(|k| (s, k))) {
        let words = sample.words(key);
        let (rva, size) = (hex(words[0]), hex(words[1]));
        let directory = sample.pe().headers().directory(kind).unwrap_or_default();
        assert_eq!(
            (directory.rva.into(), directory.size.into()),
            (rva, size),
            "{key}"
        );
    }
}

#[test]
fn codeview_is_what_objdump_reads() {
    for sample in &SAMPLES {
        let codeview = sample.pe().codeview().unwrap().unwrap();
        let words = sample.words("(format RSDS signature");
        assert_eq!(guid_text(codeview.guid), words[0]);
        assert_eq!(codeview.age.to_string(), words[2]);
        let path = words[4].trim_end_matches(')');
        assert_eq!(codeview.pdb, path.rsplit('\\').next().unwrap());
    }
}

/// objdump's address table: ordinal, target.
fn reported_exports(sample: &Sample) -> Vec<(u32, ExportTarget)> {
    let table = sample.between("Export Address Table --", "[Ordinal/Name");
    let entry = |line: &str| {
        let words: Vec<_> = line
            .split([' ', '[', ']', '\t'])
            .filter(|it| !it.is_empty())
            .collect();
        let ordinal = words[2].parse().unwrap();
        let target = match words[4] {
            "Forwarder" => ExportTarget::Forwarder(words[7].to_owned()),
            _ => ExportTarget::Rva(hex(words[3]) as u32),
        };
        (ordinal, target)
    };
    table.into_iter().map(entry).collect()
}

/// objdump's name table: ordinal, name.
fn reported_names(sample: &Sample) -> Vec<(u32, &'static str)> {
    let table = sample.between("[Ordinal/Name Pointer] Table", "");
    let entry = |line: &'static str| {
        let words: Vec<_> = line
            .split([' ', '[', ']', '\t'])
            .filter(|it| !it.is_empty())
            .collect();
        (words[0].parse().unwrap(), words[1])
    };
    table.into_iter().map(entry).collect()
}

#[test]
fn exports_are_what_objdump_reads() {
    for sample in &SAMPLES {
        let pe = sample.pe();
        let exports = pe.exports().unwrap().unwrap();
        assert_eq!(
            exports.module_name().unwrap(),
            format!("{}.dll", sample.name)
        );
        for (ordinal, target) in reported_exports(sample) {
            assert_eq!(exports.by_ordinal(ordinal).unwrap().unwrap().target, target);
        }
        for (ordinal, name) in reported_names(sample) {
            let export = exports.by_name(name).unwrap().unwrap();
            assert_eq!(
                (export.ordinal, export.name.as_deref()),
                (ordinal, Some(name))
            );
        }
        let all: Vec<_> = exports.iter().map(Result::unwrap).collect();
        let named = reported_names(sample).len();
        assert!(all[..named].is_sorted_by_key(|export| &export.name));
        assert_eq!(all[named..].len(), 1);
        assert_eq!((all[named].ordinal, &all[named].name), (20, &None));
        assert_eq!(exports.by_name("absent").unwrap(), None);
        assert_eq!(exports.by_ordinal(9).unwrap(), None);
        assert_eq!(exports.by_ordinal(u32::MAX).unwrap(), None);
    }
}

#[test]
fn nearest_exports_are_found_from_inside() {
    let pe = SAMPLES[0].pe();
    let exports = pe.exports().unwrap().unwrap();
    let ticks = exports.by_name("ticks").unwrap().unwrap();
    let ExportTarget::Rva(start) = ticks.target else {
        panic!("ticks is code");
    };
    assert_eq!(exports.nearest(start + 3).unwrap(), Some((ticks, 3)));
    let (first, offset) = exports.nearest(start - 1).unwrap().unwrap();
    assert_eq!(
        (first.name.as_deref(), offset),
        (Some("add"), start - 1 - 0x1000)
    );
    assert_eq!(exports.nearest(0xfff).unwrap(), None);
}

#[test]
fn imports_are_what_objdump_reads() {
    for sample in &SAMPLES {
        let pe = sample.pe();
        let modules: Vec<_> = pe.imported_modules().unwrap().map(Result::unwrap).collect();
        let names: Vec<_> = modules.iter().map(|module| module.name.as_str()).collect();
        assert_eq!(names, ["KERNEL32.dll", "other.dll"]);
        let imports = |at: usize| -> Vec<_> {
            let all = pe.imports(&modules[at]).map(Result::unwrap);
            all.map(|import| (import.slot, import.symbol)).collect()
        };
        let by_name = ImportSymbol::Name {
            hint: 0,
            name: "GetTickCount".to_owned(),
        };
        assert_eq!(imports(0), [(sample.first_thunk(0), by_name)]);
        assert_eq!(
            imports(1),
            [(sample.first_thunk(1), ImportSymbol::Ordinal(7))]
        );
    }
}

#[test]
fn function_entries_are_what_objdump_reads() {
    let sample = &SAMPLES[0];
    let pe = sample.pe();
    let reported = &sample.between("vma:\t\t\tBeginAddress", "")[0];
    let base = pe.headers().image_base;
    let words: Vec<_> = reported.split_whitespace().collect();
    let [begin, end, unwind_info] = [2, 3, 4].map(|at| (hex(words[at - 1]) - base) as u32);
    let entry = RuntimeFunction {
        begin,
        end,
        unwind_info,
    };
    assert_eq!(pe.runtime_function(begin).unwrap(), Some(entry));
    assert_eq!(pe.runtime_function(end - 1).unwrap(), Some(entry));
    assert_eq!(pe.runtime_function(begin - 1).unwrap(), None);
    assert_eq!(pe.runtime_function(end).unwrap(), None);
    assert!(SAMPLES[1].pe().runtime_function(0x1000).is_err());
}

#[test]
fn ages_keep_all_their_bits() {
    let mut dll = SAMPLES[0].dll.to_vec();
    let record = dll.windows(4).position(|bytes| bytes == b"RSDS").unwrap();
    dll[record + 20..record + 24].copy_from_slice(&0x1234_5678_u32.to_le_bytes());
    let pe = Pe::parse(File::new(&dll).unwrap()).unwrap();
    assert_eq!(pe.codeview().unwrap().unwrap().age, 0x1234_5678);
}
