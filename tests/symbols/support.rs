//! Files and folders for the tests of symbols.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
};

use winvmi::{
    Result,
    symbols::{PdbId, Profile, Store},
};

/// Signature of the Windows 10 2004 kernel.
pub const WINDOWS_10_2004: &str = "5278AFF86C341677D7D7835C85B7B8441";

pub fn kernel(signature: &str) -> PdbId {
    PdbId::parse("ntkrnlmp.pdb", signature).unwrap()
}

/// Root of the reduced kernel tables.
pub fn tables() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/profiles")
}

/// Path of the reduced table of a kernel.
pub fn table(signature: &str) -> PathBuf {
    let (guid, age) = signature.split_at(32);
    let name = format!("windows/ntkrnlmp.pdb/{guid}-{age}.json.xz");
    tables().join(name)
}

/// A folder with a copy of the table of [`WINDOWS_10_2004`], which no other test
/// shares.
pub fn own_table() -> Folder {
    let folder = Folder::new();
    let name = format!("{}-1.json.xz", &WINDOWS_10_2004[..32]);
    folder.write(&name, &fs::read(table(WINDOWS_10_2004)).unwrap());
    folder
}

/// The full tables that may lie beside the project.
pub fn full_tables() -> Option<PathBuf> {
    let shared = std::env::var_os("WINVMI_SHARED").map(PathBuf::from);
    let shared = shared.unwrap_or_else(|| {
        Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("../shared")
            .to_owned()
    });
    let tables = shared.join("profiles");
    if tables.is_dir() {
        return Some(tables);
    }
    println!("skipped: no full tables in {}", tables.display());
    None
}

/// A store of one place and no cache.
pub fn store(place: impl Into<PathBuf>) -> Store {
    let mut store = Store::new();
    store.add(place);
    store
}

/// Looks in one place, without a cache.
pub fn load(place: impl Into<PathBuf>, signature: &str) -> Result<Arc<Profile>> {
    store(place).load(&kernel(signature), &())
}

/// A folder of its own, removed when the test ends.
pub struct Folder(PathBuf);

impl Folder {
    pub fn new() -> Self {
        static SERIAL: AtomicU32 = AtomicU32::new(0);
        let serial = SERIAL.fetch_add(1, Ordering::Relaxed);
        let name = format!("winvmi-symbols-{}-{serial}", std::process::id());
        let path = std::env::temp_dir().join(name);
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Writes a file, folders included.
    pub fn write(&self, name: &str, contents: &[u8]) -> PathBuf {
        let path = self.0.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, contents).unwrap();
        path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}
