//! Guests with page tables of five levels (LA57), and modes that are refused.

use std::{path::PathBuf, sync::Arc};

use winvmi::{
    Error, FaultKind,
    core::{
        Capabilities, Driver, Pa, Registers, Space, Va,
        driver::{DriverInfo, PhysicalMemory, VcpuRegisters},
    },
    driver::{self, Target},
    session::{Config, Session},
};
use winvmi_forge::{
    CoreFormat, DumpType, Guest, ImageFormat, Layout, Options, PageKind, PageSize, PteFlags,
};

use crate::forged::TempImage;

const LAYOUT: Layout = Layout::Win10_2004;

/// Every format that can hold such a guest, and whether it tells the mode itself.
const FORMATS: [(&str, ImageFormat); 7] = [
    ("raw", ImageFormat::Raw),
    ("qemu", ImageFormat::Core(CoreFormat::Qemu)),
    ("virtualbox", ImageFormat::Core(CoreFormat::VirtualBox)),
    ("xen", ImageFormat::Core(CoreFormat::Xen)),
    ("lime", ImageFormat::Core(CoreFormat::Lime)),
    ("full", ImageFormat::Dump(DumpType::Full)),
    ("bitmap", ImageFormat::Dump(DumpType::BitmapFull)),
];

fn options() -> Options {
    Options {
        five_levels: true,
        ..Options::default()
    }
}

fn config() -> Config {
    let profiles = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/profiles");
    Config {
        symbol_paths: vec![profiles],
        symbol_environment: false,
        ..Config::default()
    }
}

fn open(guest: &Guest, name: &str, format: ImageFormat) -> (TempImage, Session) {
    let image = TempImage::new(name);
    guest.write_file(format, &image.0).unwrap();
    let session = Session::open(image.0.to_str().unwrap(), &config()).unwrap();
    (image, session)
}

fn assert_processes(session: &Session, guest: &Guest, context: &str) {
    let windows = session
        .windows()
        .unwrap_or_else(|error| panic!("{context}: {error}"));
    let mut found: Vec<_> = windows
        .processes()
        .map(|process| process.unwrap())
        .map(|process| (process.object().0, process.name().unwrap()))
        .collect();
    let listed = |object: &u64| found.iter().any(|(other, _)| other == object);
    let expected = guest.expected().processes.iter();
    assert!(expected.clone().filter(|it| listed(&it.object)).count() > 5);
    found.retain(|(object, name)| {
        let process = expected.clone().find(|it| it.object == *object);
        process.is_none_or(|it| it.name != *name)
    });
    assert_eq!(found, [], "{context}");
}

#[test]
fn a_guest_is_found_in_every_format_without_being_named() {
    let guest = Guest::build(LAYOUT, &options()).unwrap();
    let kernel = &guest.expected().kernel;
    for (name, format) in FORMATS {
        let (_image, session) = open(&guest, &format!("la57-{name}"), format);
        let found = session
            .kernel()
            .unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(found.image.base, Va(kernel.base), "{name}");
        assert_eq!(found.root, Pa(kernel.system_root), "{name}");
        assert_eq!(session.memory().translator().unwrap().levels(), 5, "{name}");
        assert_processes(&session, &guest, name);
    }
}

#[test]
fn page_tables_alone_lead_to_the_system_process() {
    let options = Options {
        low_stub: false,
        debugger_data: false,
        ..options()
    };
    let guest = Guest::build(LAYOUT, &options).unwrap();
    let (_image, session) = open(&guest, "la57-scan", ImageFormat::Raw);
    let found = session.kernel().unwrap();
    assert_eq!(found.root, Pa(guest.expected().kernel.system_root));
    assert_processes(&session, &guest, "scan");
}

#[test]
fn pages_of_every_size_are_walked() {
    let guest = Guest::build(LAYOUT, &options()).unwrap();
    let (_image, session) = open(&guest, "la57-pages", ImageFormat::Raw);
    let windows = session.windows().unwrap();
    let mut sizes = Vec::new();
    for page in &guest.expected().pages {
        let root = match page.process {
            0 => windows.root(),
            process => windows.process(Va(process)).translation_root().unwrap(),
        };
        let translated = session.memory().translate(root, Va(page.va));
        match (page.pa, translated) {
            (Some(pa), Ok(translation)) => {
                assert_eq!(translation.pa, Pa(pa), "{:#x}", page.va);
                if page.kind == PageKind::Present {
                    sizes.push(page.size);
                }
            }
            (None, Err(error)) => assert_eq!(error.fault().unwrap().level, 1),
            other => panic!("{:#x}: {other:?}", page.va),
        }
    }
    for size in [PageSize::Small, PageSize::Large, PageSize::Huge] {
        assert!(sizes.contains(&size), "{size:?}");
    }
}

/// Addresses that only five levels reach, lower and upper half.
const BEYOND: [(u64, u64); 3] = [
    (0x0001_2345_6789_a000, 0x3f0_0000),
    (0x00ff_ffff_ffff_f000, 0x3f0_1000),
    (0xff12_3456_7000_0000, 0x3f0_2000),
];

#[test]
fn what_four_levels_cannot_reach_is_read_and_listed() {
    let mut guest = Guest::build(LAYOUT, &options()).unwrap();
    for (va, pa) in BEYOND {
        guest.memory_mut().write(pa, &va.to_le_bytes());
        guest.map_beyond(va, pa, PageSize::Small, PteFlags::KERNEL);
    }
    let (_image, session) = open(&guest, "la57-beyond", ImageFormat::Raw);
    let memory = session.memory();
    let root = Pa(guest.kernel_root());
    let space = Space::Virtual { root };
    for (va, pa) in BEYOND {
        let mut bytes = [0; 8];
        memory.read(space, va, &mut bytes).unwrap();
        assert_eq!(u64::from_le_bytes(bytes), va);
        let mut ranges = memory.ranges(space, va, va + 0xfff);
        let range = ranges.next().unwrap();
        assert_eq!((range.address, range.pa), (va, Some(Pa(pa))));
        assert_eq!((range.length, ranges.next()), (0x1000, None));
    }
    // The whole space, in order, holds them all; the hole is as small as it is.
    let all: Vec<_> = memory.ranges(space, 0, u64::MAX).collect();
    assert!(all.is_sorted_by_key(|range| range.address));
    for (va, _) in BEYOND {
        let holds = |range: &winvmi::core::Range| va.wrapping_sub(range.address) < range.length;
        assert!(all.iter().any(holds), "{va:#x}");
    }
    for va in [0x0100_0000_0000_0000, 0xfeff_ffff_ffff_f000] {
        let fault = *memory.translate(root, Va(va)).unwrap_err().fault().unwrap();
        assert_eq!((fault.kind, fault.level), (FaultKind::NonCanonical, 0));
    }
    let absent = memory.translate(root, Va(0x0080_0000_0000_0000));
    let fault = *absent.unwrap_err().fault().unwrap();
    assert_eq!((fault.kind, fault.level), (FaultKind::NotMapped, 5));
}

/// A forged guest whose processors say that they are in another mode.
struct OtherMode {
    driver: Arc<dyn Driver>,
    registers: Registers,
}

impl Driver for OtherMode {
    fn info(&self) -> DriverInfo {
        self.driver.info()
    }

    fn capabilities(&self) -> Capabilities {
        self.driver.capabilities() | Capabilities::REGISTERS
    }

    fn physical(&self) -> Option<&dyn PhysicalMemory> {
        self.driver.physical()
    }

    fn registers(&self) -> Option<&dyn VcpuRegisters> {
        Some(self)
    }
}

impl VcpuRegisters for OtherMode {
    fn get(&self, _vcpu: u16) -> winvmi::Result<Registers> {
        Ok(self.registers)
    }

    fn set(&self, _vcpu: u16, _registers: &Registers) -> winvmi::Result<()> {
        Err(Error::not_supported("setting registers"))
    }
}

#[test]
fn modes_of_32_bit_guests_are_refused_by_name() {
    let guest = Guest::build(LAYOUT, &Options::default()).unwrap();
    let image = TempImage::new("other-modes");
    guest.write_raw(&image.0).unwrap();
    let (paging, pae, long) = (1 << 31, 1 << 5, 1 << 8);
    for (cr0, cr4, efer, name) in [
        (paging, pae, 0, "PAE paging"),
        (paging, 0, 0, "32-bit paging"),
        (paging, pae, long, ""),
    ] {
        let target = Target::from(image.0.as_path());
        let driver = Arc::new(OtherMode {
            driver: driver::open(&target, Default::default()).unwrap(),
            registers: Registers {
                cr0,
                cr4,
                efer,
                ..Registers::default()
            },
        });
        let session = Session::open_driver(driver, &config()).unwrap();
        match session.kernel() {
            Ok(_) => assert_eq!(name, "", "taken for four levels"),
            Err(error) => {
                let text = error.to_string();
                assert!(!name.is_empty() && text.contains(name), "{text}");
            }
        }
    }
}
