//! Symbols: ISF tables, PDBs and ISR archives, told apart by their content.

#![no_main]

use libfuzzer_sys::fuzz_target;
use winvmi::symbols::{PdbId, Profile, Store, read_isf};
use winvmi_fuzz::memory_file::MemoryFile;

/// Identity of `tests/symbols/data/sample.pdb`; the seeds share it.
const NAME: &str = "sample.pdb";
const SIGNATURE: &str = "B196DC3A7EA61CDD4C4C44205044422E1";

fn ask(profile: &Profile) {
    for structure in ["_OUTER", "_INNER", "_EPROCESS"] {
        profile.struct_size(structure);
        for path in ["a", "Value", "Inner.Value", "Pcb.DirectoryTableBase"] {
            profile.field(structure, path);
        }
    }
    profile.enum_value("_KIND", "First");
    for (name, address) in profile.symbols().take(100) {
        profile.symbol(name);
        profile.nearest(address);
    }
}

fuzz_target!(|data: &[u8]| {
    let file = MemoryFile::new(data);
    if let Ok(profile) = read_isf(file.path()) {
        ask(&profile);
    }
    let mut store = Store::new();
    store.add(file.path());
    let id = PdbId::parse(NAME, SIGNATURE).unwrap();
    if let Ok(profile) = store.load(&id, &()) {
        ask(&profile);
    }
});
