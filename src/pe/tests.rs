//! The sample DLLs of `tests/pe`, read beside what `objdump -p` says about them.

use super::*;

/// A sample DLL and objdump's report on it.
struct Sample {
    dll: &'static [u8],
    report: &'static str,
}

const SAMPLES: [Sample; 2] = [
    Sample {
        dll: include_bytes!("../../tests/pe/sample_x64.dll"),
        report: include_str!("../../tests/pe/sample_x64.txt"),
    },
    Sample {
        dll: include_bytes!("../../tests/pe/sample_x86.dll"),
        report: include_str!("../../tests/pe/sample_x86.txt"),
    },
];

impl Sample {
    fn pe(&self) -> Pe<File<'_>> {
        Pe::parse(File::new(self.dll).unwrap()).unwrap()
    }

    /// Words of the report's line that starts with `key`.
    fn words(&self, key: &str) -> Vec<&'static str> {
        let line = self.report.lines().find(|line| line.starts_with(key));
        line.unwrap_or_else(|| panic!("no {key} in the report"))[key.len()..]
            .split_whitespace()
            .collect()
    }

    fn hex(&self, key: &str) -> u64 {
        hex(self.words(key)[0])
    }

    fn decimal(&self, key: &str) -> u16 {
        self.words(key)[0].parse().unwrap()
    }
}

fn hex(text: &str) -> u64 {
    u64::from_str_radix(text, 16).unwrap()
}

/// A GUID as objdump prints it: the first three groups as numbers.
fn guid_text(mut guid: [u8; 16]) -> String {
    guid[..4].reverse();
    guid[4..6].reverse();
    guid[6..8].reverse();
    guid.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The image as the loader would lay it out.
fn loaded(pe: &Pe<File<'_>>) -> Vec<u8> {
    let mut bytes = vec![0; pe.headers().size_of_image as usize];
    let mut load = |rva: u32, size: u32| {
        let range = rva as usize..(rva + size) as usize;
        pe.image.read(rva, &mut bytes[range]).unwrap();
    };
    load(0, pe.headers().size_of_headers);
    for section in pe.sections().unwrap() {
        load(section.rva, section.size());
    }
    bytes
}

/// Everything that can be read from an image, for tests that want no panic.
fn read_all<I: Image>(image: I) -> Result<()> {
    let pe = Pe::parse(image)?;
    pe.sections()?;
    pe.codeview()?;
    Ok(())
}

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

#[test]
fn ages_keep_all_their_bits() {
    let mut dll = SAMPLES[0].dll.to_vec();
    let record = dll.windows(4).position(|bytes| bytes == b"RSDS").unwrap();
    dll[record + 20..record + 24].copy_from_slice(&0x1234_5678_u32.to_le_bytes());
    let pe = Pe::parse(File::new(&dll).unwrap()).unwrap();
    assert_eq!(pe.codeview().unwrap().unwrap().age, 0x1234_5678);
}

#[test]
fn loaded_images_read_like_files() {
    for sample in &SAMPLES {
        let file = sample.pe();
        let image = loaded(&file);
        let pe = Pe::parse(&image[..]).unwrap();
        assert_eq!(pe.headers(), file.headers());
        assert_eq!(pe.sections().unwrap(), file.sections().unwrap());
        assert_eq!(pe.codeview().unwrap(), file.codeview().unwrap());
    }
}

#[test]
fn flipped_bytes_are_survived() {
    for sample in &SAMPLES {
        let image = loaded(&sample.pe());
        for at in 0..0x400 {
            for flip in [0x01, 0x80, 0xff] {
                let mut damaged = image.clone();
                damaged[at] ^= flip;
                let _ = read_all(&damaged[..]);
            }
        }
    }
}

#[test]
fn truncated_images_are_survived() {
    for sample in &SAMPLES {
        let image = loaded(&sample.pe());
        for length in 0..image.len() {
            let _ = read_all(&image[..length]);
        }
        for length in 0..sample.dll.len() {
            if let Ok(file) = File::new(&sample.dll[..length]) {
                let _ = read_all(file);
            }
        }
        assert!(read_all(&image[..]).is_ok());
    }
}
