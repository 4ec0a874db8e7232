//! Objects of the standard population.

use crate::guest::Guest;
use crate::object::file::FileSpec;
use crate::object::token::TokenSpec;

/// Device types (`FILE_DEVICE_*`).
const DISK: u32 = 7;
const NAMED_PIPE: u32 = 0x11;
const NULL: u32 = 0x15;

/// Named objects: type and path.
const NAMED: [(&str, &str); 9] = [
    ("Event", "\\KernelObjects\\LowMemoryCondition"),
    ("Event", "\\BaseNamedObjects\\ShellReadyEvent"),
    ("Mutant", "\\Sessions\\1\\BaseNamedObjects\\SingleInstance"),
    ("Semaphore", "\\Sessions\\1\\BaseNamedObjects\\Throttle"),
    ("Section", "\\BaseNamedObjects\\SharedTable"),
    ("ALPC Port", "\\RPC Control\\lsasspirpc"),
    ("WindowStation", "\\Windows\\WindowStations\\WinSta0"),
    ("Job", "\\BaseNamedObjects\\WorkerJob"),
    ("Timer", "\\BaseNamedObjects\\Daily"),
];

/// Types of which there is also an object without a name.
const UNNAMED: [&str; 7] = [
    "Event",
    "Mutant",
    "Semaphore",
    "IoCompletion",
    "Section",
    "EtwRegistration",
    "TpWorkerFactory",
];

/// Objects that handles will refer to.
pub(super) struct Objects {
    /// Objects of many types, one or more of each.
    pub all: Vec<u64>,
    /// An unnamed event, for handles in bulk.
    pub event: u64,
}

/// Makes the devices and objects.
pub(super) fn create(guest: &mut Guest) -> Objects {
    let mut all = create_files(guest);
    all.extend(create_keys(guest));
    for (type_name, path) in NAMED {
        all.push(guest.create_named(type_name, path, guest.body_size(type_name)));
    }
    for type_name in UNNAMED {
        all.push(guest.create_unnamed(type_name, guest.body_size(type_name)));
    }
    let existing = [
        "\\KnownDlls",
        "\\Sessions\\1\\BaseNamedObjects",
        "\\GLOBAL??\\C:",
    ];
    all.extend(existing.iter().filter_map(|path| guest.lookup(path)));
    all.push(guest.create_desktop("Default"));
    all.push(guest.create_token(&TokenSpec::full(1)));
    let event = guest.create_unnamed("Event", guest.body_size("Event"));
    Objects { all, event }
}

fn create_files(guest: &mut Guest) -> Vec<u64> {
    let volumes = guest.create_driver("\\Driver\\volmgr");
    guest.create_device("\\Device\\HarddiskVolume1", volumes, DISK);
    let volume = guest.create_device("\\Device\\HarddiskVolume2", volumes, DISK);
    let pipes = guest.create_driver("\\FileSystem\\Npfs");
    let pipe = guest.create_device("\\Device\\NamedPipe", pipes, NAMED_PIPE);
    let nulls = guest.create_driver("\\Driver\\Null");
    let null = guest.create_device("\\Device\\Null", nulls, NULL);
    let file = |device, name, related| FileSpec {
        device,
        name,
        related,
        access: (true, false, false),
        flags: 0x4_0042,
    };
    let folder = guest.create_file(&file(volume, "\\Windows\\System32", 0));
    vec![
        folder,
        guest.create_file(&file(volume, "drivers\\etc\\hosts", folder)),
        guest.create_file(&FileSpec {
            access: (true, true, false),
            ..file(volume, "\\Users\\user\\notes.txt", 0)
        }),
        guest.create_file(&file(volume, "\\$Directory with ünïcode 漢字", 0)),
        guest.create_file(&file(pipe, "\\lsass", 0)),
        guest.create_file(&file(null, "", 0)),
        guest.create_file(&file(volume, &long_name(), 0)),
    ]
}

/// A name so long that its buffer crosses a page.
fn long_name() -> String {
    let folders: String = (0..200)
        .map(|index| format!("\\folder number {index:04}"))
        .collect();
    format!("{folders}\\end.bin")
}

fn create_keys(guest: &mut Guest) -> Vec<u64> {
    let registry = guest.create_key_control_block(0, "REGISTRY");
    let machine = guest.create_key_control_block(registry, "MACHINE");
    let software = guest.create_key_control_block(machine, "SOFTWARE");
    vec![
        guest.create_key(machine, "\\REGISTRY\\MACHINE"),
        guest.create_key(software, "\\REGISTRY\\MACHINE\\SOFTWARE"),
    ]
}

impl Guest {
    /// Makes a desktop object: it has a name but lies in no directory.
    pub fn create_desktop(&mut self, name: &str) -> u64 {
        let info = self.types.info("Desktop");
        let size = self.body_size("Desktop");
        let new = crate::object::NewObject {
            type_name: "Desktop",
            name: Some(name),
            size,
            info,
            ..Default::default()
        };
        self.create_object(&new)
    }
}
