//! PE images as files, as loaded slices and in guest memory.

#![no_main]

use std::sync::Arc;

use libfuzzer_sys::fuzz_target;
use winvmi::{
    core::{Memory, Space, Va},
    pe::{Extraction, File, Image, Mapped, Pe},
};
use winvmi_fuzz::pages::Bytes;

/// Entries of a table that are looked at.
const LIMIT: usize = 100;

/// Larger images have so many pages that going through them all leaves no time for other inputs.
const LARGE: u64 = 16 << 20;

fn read_all<I: Image>(image: I) {
    let Ok(pe) = Pe::parse(image) else {
        return;
    };
    let _ = (pe.sections(), pe.codeview(), pe.runtime_function(0x1018));
    if let Ok(Some(exports)) = pe.exports() {
        let _ = (exports.module_name(), exports.nearest(0x1234));
        let _ = (exports.by_name("ticks"), exports.by_ordinal(1));
        exports.iter().take(LIMIT).for_each(drop);
    }
    if let Ok(modules) = pe.imported_modules() {
        for module in modules.take(LIMIT).flatten() {
            pe.imports(&module).take(LIMIT).for_each(drop);
        }
    }
}

fn extract<I: Image>(extraction: &Extraction<I>) {
    let mut buffer = [0; 4096];
    for offset in [0, 1, 0x1fff, extraction.len().saturating_sub(7)] {
        extraction.read(offset, &mut buffer);
    }
    if extraction.len() <= LARGE {
        extraction.missing();
    }
}

fuzz_target!(|data: &[u8]| {
    read_all(data);
    if let Ok(file) = File::new(data) {
        read_all(file);
    }
    let memory = Memory::new(Arc::new(Bytes::new(data)), 64);
    let mapped = Mapped::new(&memory, Space::Physical, Va(0));
    read_all(mapped);
    extract(&Extraction::memory(mapped, data.len() as u32));
    if let Ok(extraction) = Extraction::file(mapped) {
        extract(&extraction);
    }
});
