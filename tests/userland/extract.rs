//! Images taken out of memory again, pages missing.

use winvmi::{
    FaultKind,
    core::Va,
    os::windows::Windows,
    pe::{ExportTarget, Extraction, File, Image, ImageLayout, MissingRange, Pe},
};
use winvmi_forge::{DllSpec, Layout, Width};

use crate::support;

/// A DLL as a public linker made it, and what objdump says about it.
struct Sample {
    name: &'static str,
    path: &'static str,
    file: &'static [u8],
    objdump: &'static str,
    width: Width,
    base: u64,
}

const SAMPLES: [Sample; 2] = [
    Sample {
        name: "sample_x64.dll",
        path: "C:\\Program Files\\Sample\\sample_x64.dll",
        file: include_bytes!("../pe/sample_x64.dll"),
        objdump: include_str!("../pe/sample_x64.txt"),
        width: Width::Amd64,
        base: 0x1_8000_0000,
    },
    Sample {
        name: "sample_x86.dll",
        path: "C:\\Program Files (x86)\\Sample\\sample_x86.dll",
        file: include_bytes!("../pe/sample_x86.dll"),
        objdump: include_str!("../pe/sample_x86.txt"),
        width: Width::X86,
        base: 0x1000_0000,
    },
];

/// The code is not in memory, the data neither.
const MISSING: [u32; 2] = [1, 3];

/// A guest of which a WoW64 process has both samples mapped.
fn guest_with_samples(layout: Layout) -> Windows {
    let mut guest = support::guest(layout);
    let process = guest.expected().process_named("legacy32.exe").unwrap();
    let process = process.object;
    for sample in &SAMPLES {
        guest.load_dll(
            process,
            &DllSpec {
                name: sample.name,
                path: sample.path,
                base: sample.base,
                file: sample.file,
                width: sample.width,
                lists: [true; 3],
                missing: &MISSING,
            },
        );
    }
    support::windows(guest)
}

fn bytes(extraction: &Extraction<impl Image>) -> Vec<u8> {
    let mut bytes = vec![0xaa; extraction.len() as usize];
    assert_eq!(extraction.read(0, &mut bytes), bytes.len());
    bytes
}

fn extract(
    windows: &Windows,
    sample: &Sample,
    layout: ImageLayout,
) -> (Vec<u8>, Vec<MissingRange>) {
    let process = windows.process_by_name("legacy32.exe").unwrap();
    let architecture = Some(crate::architecture(sample.width));
    let module = process.user_module(sample.name, architecture).unwrap();
    assert_eq!(module.base(), Va(sample.base));
    let extraction = module.extract(layout).unwrap();
    (bytes(&extraction), extraction.missing())
}

/// objdump's export tables: ordinal and target, then ordinal and name.
fn reported_exports(sample: &Sample) -> (Vec<String>, Vec<String>) {
    let table = |title: &str| {
        let lines = sample.objdump.lines();
        let lines = lines.skip_while(|line| !line.starts_with(title)).skip(1);
        let entries = lines.take_while(|line| line.trim_start().starts_with('['));
        entries.map(|line| line.trim().to_owned()).collect()
    };
    (
        table("Export Address Table --"),
        table("[Ordinal/Name Pointer] Table"),
    )
}

/// The same tables of an extracted file, in objdump's words.
fn extracted_exports(file: &[u8]) -> (Vec<String>, Vec<String>) {
    let pe = Pe::parse(File::new(file).unwrap()).unwrap();
    let exports = pe.exports().unwrap().unwrap();
    let all: Vec<_> = exports.iter().map(Result::unwrap).collect();
    let mut by_ordinal = all.clone();
    by_ordinal.sort_by_key(|export| export.ordinal);
    let target = |target: &ExportTarget| match target {
        ExportTarget::Rva(rva) => format!("{rva:x} Export RVA"),
        ExportTarget::Forwarder(name) => format!("Forwarder RVA -- {name}"),
    };
    let addresses = by_ordinal.iter().map(|export| {
        let ordinal = export.ordinal;
        let target = target(&export.target);
        format!("[{ordinal:4}] +base[{ordinal:4}] {target}")
    });
    let names = all.iter().filter_map(|export| {
        let name = export.name.as_ref()?;
        Some(format!("[{:4}] {name}", export.ordinal))
    });
    (addresses.collect(), names.collect())
}

/// objdump prints the address of a forwarder's text, which is no part of what it means.
fn without_forwarder_address(line: String) -> String {
    match line.split_once(" Forwarder RVA") {
        Some((start, end)) => {
            let ordinals = start
                .rsplit_once(' ')
                .map_or(start, |(ordinals, _)| ordinals);
            format!("{ordinals} Forwarder RVA{end}")
        }
        None => line,
    }
}

#[test]
fn an_extracted_dll_exports_what_objdump_says() {
    for layout in Layout::ALL {
        let windows = guest_with_samples(layout);
        for sample in &SAMPLES {
            let (file, _) = extract(&windows, sample, ImageLayout::File);
            let (addresses, names) = reported_exports(sample);
            let addresses: Vec<_> = addresses
                .into_iter()
                .map(without_forwarder_address)
                .collect();
            assert!(addresses.len() == 6 && names.len() == 5);
            assert_eq!(extracted_exports(&file), (addresses, names), "{layout}");
        }
    }
}

#[test]
fn an_extracted_file_is_the_original_but_for_its_missing_pages() {
    let windows = guest_with_samples(Layout::Win10_2004);
    for sample in &SAMPLES {
        let (file, missing) = extract(&windows, sample, ImageLayout::File);
        assert_eq!(file.len(), sample.file.len());
        let is_missing = |at: usize| missing.iter().any(|it| it.offsets.contains(&(at as u64)));
        for (at, (&found, &original)) in file.iter().zip(sample.file).enumerate() {
            let expected = if is_missing(at) { 0 } else { original };
            assert_eq!(found, expected, "{} {at:#x}", sample.name);
        }
        // Both sections fill one sector; the other pages are there.
        let offsets: Vec<_> = missing.iter().map(|it| it.offsets.clone()).collect();
        assert_eq!(offsets.len(), 2);
        assert_eq!(offsets[0], 0x400..0x600);
        assert!(missing.iter().all(|it| it.cause == FaultKind::Prototype));
    }
}

#[test]
fn the_memory_layout_needs_no_headers() {
    let windows = guest_with_samples(Layout::Win11_21H2);
    for sample in &SAMPLES {
        let (image, missing) = extract(&windows, sample, ImageLayout::Memory);
        assert_eq!(&image[..0x400], &sample.file[..0x400]);
        let offsets: Vec<_> = missing.into_iter().map(|it| it.offsets).collect();
        assert_eq!(offsets, [0x1000..0x2000, 0x3000..0x4000]);
        let pe = Pe::parse(image.as_slice()).unwrap();
        let exports = pe.exports().unwrap().unwrap();
        assert!(exports.by_name("add").unwrap().is_some());
    }
}

#[test]
fn extracted_images_are_read_from_any_offset() {
    let windows = guest_with_samples(Layout::Win7Sp1);
    let process = windows.process_by_name("legacy32.exe").unwrap();
    let module = process.user_module("sample_x86", None).unwrap();
    for layout in [ImageLayout::Memory, ImageLayout::File] {
        let extraction = module.extract(layout).unwrap();
        let whole = bytes(&extraction);
        for (offset, length) in [(0, 1), (0x3ff, 2), (0x5fe, 0x1004), (whole.len() - 3, 64)] {
            let mut part = vec![0xaa; length];
            let read = extraction.read(offset as u64, &mut part);
            let end = whole.len().min(offset + length);
            assert_eq!(&part[..read], &whole[offset..end]);
        }
        assert_eq!(extraction.read(whole.len() as u64, &mut [0; 8]), 0);
        assert_eq!(extraction.read(u64::MAX, &mut [0; 8]), 0);
    }
}
