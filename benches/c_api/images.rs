//! The forged images that are measured.

use std::{
    fs::File,
    io,
    os::fd::AsRawFd,
    path::{Path, PathBuf},
};

use winvmi_forge::{
    Backing, DllSpec, Guest, Layout, ModuleSpec, Options, PAGE_SIZE, PageSize, ProcessSpec,
    PteFlags, RegionSpec, SystemDll, Width,
};

/// The kernel whose layout the guests have.
const LAYOUT: Layout = Layout::Win10_2004;
/// Physical memory of the dump that is read.
const MEMORY: u64 = 512 << 20;
/// Physical memory of the dump that is opened only.
const SPARSE_MEMORY: u64 = 64 << 30;
/// Frames from here on are the mapped pages'; the guest proper needs less.
const FIRST_MAPPED_FRAME: u64 = 160 << 20;

/// The process whose pages are read.
pub const MAPPED_PROCESS: &str = "mapped.exe";
/// Address of the first mapped page.
pub const MAPPED_BASE: u64 = 0x10_0000_0000;
/// Number of pages, each on a random frame.
pub const MAPPED_PAGES: u64 = 65536;

const PROCESSES: usize = 2000;
const MODULES: u32 = 1000;
const HANDLES: usize = 65536;
/// Regions of `explorer.exe`, each with a page between it and the next.
const REGIONS: u64 = 1000;
/// Modules of `notepad.exe`.
const USER_MODULES: u64 = 200;
/// Where both begin.
const USER_BASE: u64 = 0x20_0000_0000;

/// Where the images are.
pub struct Images {
    /// The full dump of 512 MiB.
    pub full: PathBuf,
    /// The full dump of 64 GiB, mostly holes.
    pub sparse: PathBuf,
    /// Directory of symbol tables.
    pub symbols: PathBuf,
}

impl Images {
    /// Writes the images into `folder`.
    pub fn forge(folder: &Path) -> io::Result<Self> {
        let images = Self {
            full: folder.join("full.dmp"),
            sparse: folder.join("sparse.dmp"),
            symbols: Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/profiles/windows"),
        };
        populated()?.write_full_dump(&images.full)?;
        read_again(&images.full)?;
        let sparse = Options {
            memory: SPARSE_MEMORY,
            ..Options::default()
        };
        Guest::build(LAYOUT, &sparse)?.write_full_dump(&images.sparse)?;
        Ok(images)
    }
}

/// Has the page cache hold the file as it holds one that was read, not written: a
/// dump is opened after it came from elsewhere, and the system maps what it read
/// ahead in larger pieces than what it wrote.
fn read_again(path: &Path) -> io::Result<()> {
    let mut file = File::open(path)?;
    file.sync_all()?;
    // SAFETY: the descriptor is open; nothing is written to memory.
    unsafe { libc::posix_fadvise(file.as_raw_fd(), 0, 0, libc::POSIX_FADV_DONTNEED) };
    io::copy(&mut file, &mut io::sink())?;
    Ok(())
}

/// A guest with many objects, and a process with many pages.
fn populated() -> io::Result<Guest> {
    let options = Options {
        memory: MEMORY,
        extra_processes: PROCESSES,
        extra_handles: HANDLES,
        ..Options::default()
    };
    let mut guest = Guest::build(LAYOUT, &options)?;
    for number in 0..MODULES {
        guest.append_module(module(number));
    }
    add_regions(&mut guest);
    load_modules(&mut guest);
    map_pages(&mut guest);
    Ok(guest)
}

fn module(number: u32) -> ModuleSpec {
    ModuleSpec {
        name: format!("driver{number:04}.sys"),
        path: format!("\\SystemRoot\\System32\\drivers\\driver{number:04}.sys"),
        base: 0xffff_f880_0000_0000 + u64::from(number) * 0x10_0000,
        size: 0x8_0000,
        entry_point: 0x1000,
        time_stamp: number,
    }
}

fn object_of(guest: &Guest, name: &str) -> u64 {
    let process = guest.expected().process_named(name);
    process.expect("the forge makes it").object
}

fn add_regions(guest: &mut Guest) {
    let process = object_of(guest, "explorer.exe");
    for number in 0..REGIONS {
        let spec = RegionSpec {
            start: USER_BASE + number * 2 * PAGE_SIZE,
            size: PAGE_SIZE,
            protection: 4,
            committed: true,
            commit_charge: 1,
            backing: Backing::Private,
        };
        guest.add_region(process, &spec);
    }
}

fn load_modules(guest: &mut Guest) {
    let process = object_of(guest, "notepad.exe");
    for number in 0..USER_MODULES {
        let name = format!("library{number:04}.dll");
        let dll = SystemDll {
            name: &name,
            width: Width::Amd64,
            base: USER_BASE + number * 0x10_0000,
            exports: &[("Start", 0x1000)],
            forwarder: None,
        };
        let spec = DllSpec {
            name: dll.name,
            path: &format!("C:\\Windows\\System32\\{name}"),
            base: dll.base,
            file: &dll.file(),
            width: dll.width,
            lists: [true; 3],
            missing: &[],
        };
        guest.load_dll(process, &spec);
    }
}

fn map_pages(guest: &mut Guest) {
    let process = guest.add_process(&ProcessSpec::user(MAPPED_PROCESS, 4));
    let frames = shuffled_frames(guest.memory().end());
    for (page, frame) in (0..MAPPED_PAGES).zip(frames) {
        let content = page.to_le_bytes().repeat(PAGE_SIZE as usize / 8);
        guest.memory_mut().write(frame, &content);
        let va = MAPPED_BASE + page * PAGE_SIZE;
        guest.map_user_page(process, va, frame, PageSize::Small, PteFlags::USER_DATA);
    }
}

/// The frames from [`FIRST_MAPPED_FRAME`] to `end` in random order.
fn shuffled_frames(end: u64) -> Vec<u64> {
    let mut frames: Vec<u64> = (FIRST_MAPPED_FRAME..end)
        .step_by(PAGE_SIZE as usize)
        .collect();
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    for last in (1..frames.len()).rev() {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        frames.swap(last, (state % (last as u64 + 1)) as usize);
    }
    frames
}
