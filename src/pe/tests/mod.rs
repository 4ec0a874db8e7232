//! The sample DLLs of `tests/pe`, read beside what `objdump -p` says about them.

mod damage;
mod extract;
mod objdump;

use super::*;

/// A sample DLL and objdump's report on it.
struct Sample {
    name: &'static str,
    dll: &'static [u8],
    report: &'static str,
}

const SAMPLES: [Sample; 2] = [
    Sample {
        name: "sample_x64",
        dll: include_bytes!("../../../tests/pe/sample_x64.dll"),
        report: include_str!("../../../tests/pe/sample_x64.txt"),
    },
    Sample {
        name: "sample_x86",
        dll: include_bytes!("../../../tests/pe/sample_x86.dll"),
        report: include_str!("../../../tests/pe/sample_x86.txt"),
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

    /// The lines behind the one that starts with `start`, up to a blank one or `end`.
    fn between(&self, start: &str, end: &str) -> Vec<&'static str> {
        let lines = self.report.lines();
        let table = lines.skip_while(|line| !line.starts_with(start)).skip(1);
        table
            .take_while(|line| !line.is_empty() && (end.is_empty() || !line.starts_with(end)))
            .collect()
    }

    /// Address table of an imported module, from objdump's list of descriptors.
    fn first_thunk(&self, module: usize) -> u32 {
        let rows = self
            .report
            .lines()
            .filter(|line| line.starts_with(" 00002"));
        let row = rows.map(|line| line.split_whitespace().last().unwrap());
        hex(row.collect::<Vec<_>>()[module]) as u32
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
    if let Some(exports) = pe.exports()? {
        exports.module_name()?;
        exports.iter().collect::<Result<Vec<_>>>()?;
        exports.by_name("ticks")?;
        exports.nearest(0x1234)?;
    }
    for module in pe.imported_modules()? {
        pe.imports(&module?).collect::<Result<Vec<_>>>()?;
    }
    if pe.headers().machine == 0x8664 {
        pe.runtime_function(0x1018)?;
    }
    Ok(())
}
