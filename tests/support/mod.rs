//! Forged guests as the engine sees them.

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
};

use winvmi::{
    Fault, FaultKind,
    arch::amd64::LongMode,
    core::{
        Capabilities, Driver, Gfn, Memory, Pa, Va,
        driver::{DriverInfo, PhysicalMemory, Run},
    },
    os::windows::Windows,
    symbols::{Profile, read_isf},
};
use winvmi_forge::{Expected, Guest, Layout, Options, PAGE_SIZE};

/// The standard guest of a layout.
pub fn guest(layout: Layout) -> Guest {
    Guest::build(layout, &Options::default()).unwrap()
}

/// The Windows layer on a guest's memory as it is now.
pub fn windows(guest: Guest) -> Windows {
    let profile = profile(guest.layout());
    let kernel = guest.expected().kernel.clone();
    let memory = Memory::new(Arc::new(Forged(guest)), 4096);
    memory.set_translate(Arc::new(LongMode::new(4)));
    let root = Pa(kernel.system_root);
    Windows::new(Arc::new(memory), Va(kernel.base), root, profile).unwrap()
}

/// Changes the standard guest of every layout, then checks what is told of it.
#[allow(dead_code, reason = "not every test program changes guests")]
pub fn altered(change: impl Fn(&mut Guest), check: impl Fn(&Windows, &Expected)) {
    for layout in Layout::ALL {
        let mut guest = guest(layout);
        change(&mut guest);
        let expected = guest.expected().clone();
        check(&windows(guest), &expected);
    }
}

/// Address of the object with a path.
#[allow(dead_code, reason = "not every test program looks for objects")]
pub fn address(expected: &Expected, path: &str) -> u64 {
    expected.object_at(path).unwrap().address
}

/// The symbols of a layout, read once.
#[allow(dead_code, reason = "most test programs need the Windows layer only")]
pub fn profile(layout: Layout) -> Arc<Profile> {
    static PROFILES: Mutex<Option<HashMap<Layout, Arc<Profile>>>> = Mutex::new(None);
    let mut profiles = PROFILES.lock().unwrap();
    let read = || Arc::new(read_isf(&layout.table_path()).unwrap());
    let profiles = profiles.get_or_insert_default();
    profiles.entry(layout).or_insert_with(read).clone()
}

/// The folder of shared inputs that are not part of the project, where it is at hand.
#[allow(dead_code, reason = "not every test program has extras")]
pub fn shared(file: &str) -> Option<PathBuf> {
    let folder = std::env::var_os("WINVMI_SHARED").map(PathBuf::from);
    let default = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared");
    let path = folder.unwrap_or(default).join(file);
    path.exists().then_some(path)
}

/// A guest's physical memory as a back end.
struct Forged(Guest);

impl Driver for Forged {
    fn info(&self) -> DriverInfo {
        DriverInfo {
            name: "forged",
            format: "",
            vcpus: 0,
            memory_size: self.0.memory().total_bytes(),
        }
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities::PHYSICAL_READ
    }

    fn physical(&self) -> Option<&dyn PhysicalMemory> {
        Some(self)
    }
}

impl PhysicalMemory for Forged {
    fn read(&self, pa: Pa, buffer: &mut [u8]) -> Result<(), Fault> {
        if pa.0 >= self.0.memory().end() {
            return Err(Fault::physical(pa, FaultKind::NotInImage));
        }
        self.0.memory().read(pa.0, buffer);
        Ok(())
    }

    fn next_run(&self, from: Gfn) -> Option<Run> {
        let start = from.pa().0;
        let ranges = self.0.memory().ranges();
        let range = ranges.into_iter().find(|range| range.end > start)?;
        let start = range.start.max(start).next_multiple_of(PAGE_SIZE);
        Some(Run {
            start,
            length: range.end - start,
        })
    }
}
