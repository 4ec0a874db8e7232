//! Page files beside an image.

use std::{fs, path::PathBuf};

use winvmi::{
    Error, FaultKind,
    core::Va,
    os::windows::Process,
    session::{Config, PagefilePath, ProfileCache, Session},
};
use winvmi_forge::{DumpType, ImageFormat, Layout};

use super::{AREA, subject, support};

/// A folder that goes away with its test.
pub struct Folder(PathBuf);

impl Folder {
    pub fn new(test: &str) -> Self {
        let name = format!("winvmi-{test}-{}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        fs::create_dir_all(&folder).unwrap();
        Self(folder)
    }

    pub fn write(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.0.join(name);
        fs::write(&path, bytes).unwrap();
        path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// A session beside these page files.
pub fn config(pagefiles: Vec<PagefilePath>) -> Config {
    Config {
        symbol_paths: vec![Layout::symbol_directory()],
        symbol_environment: false,
        profile_cache: ProfileCache::Off,
        pagefiles,
        ..Config::default()
    }
}

fn read(process: &Process<'_>, va: u64) -> Result<[u8; 16], FaultKind> {
    let mut bytes = [0; 16];
    let read = process.memory().unwrap().read(Va(va), &mut bytes);
    read.map(|()| bytes).map_err(|partial| partial.fault.kind)
}

#[test]
fn pages_come_from_the_page_file_of_their_number() {
    let folder = Folder::new("pagefiles");
    let mut guest = support::guest(Layout::Win10_2004);
    let object = subject(guest.expected());
    guest.place_page_file_page(object, AREA, 0, 2, true);
    guest.place_page_file_page(object, AREA + 0x1000, 1, 1, false);
    guest.place_page_file_page(object, AREA + 0x2000, 1, 99, false);
    guest.place_page_file_page(object, AREA + 0x3000, 2, 1, false);
    guest.place_page_file_page(object, AREA + 0x4000, 3, 1, false);
    let image = guest.image_bytes(ImageFormat::Dump(DumpType::BitmapKernel));
    let image = folder.write("memory.dmp", &image);
    let pages = |fills: &[u8]| -> Vec<u8> { fills.iter().flat_map(|&fill| [fill; 4096]).collect() };
    let file = |number, name: &str, fills: &[u8]| PagefilePath {
        number,
        path: folder.write(name, &pages(fills)),
    };
    let files = vec![
        file(0, "pagefile.sys", &[0xff, 0xa1, 0xa2]),
        file(1, "swapfile.sys", &[0xff, 0xb1]),
    ];
    let session = Session::open(image.to_str().unwrap(), &config(files)).unwrap();
    let process = session.windows().unwrap().process(Va(object));
    assert_eq!(read(&process, AREA + 8), Ok([0xa2; 16]));
    assert_eq!(read(&process, AREA + 0x1000), Ok([0xb1; 16]));
    let crossing = [[0xa2; 8], [0xb1; 8]].concat();
    assert_eq!(read(&process, AREA + 0xff8).unwrap()[..], crossing);
    let missing = |number, page: u64| {
        let offset = page * 4096;
        Err(FaultKind::Pagefile { number, offset })
    };
    assert_eq!(read(&process, AREA + 0x2004), missing(1, 99));
    assert_eq!(read(&process, AREA + 0x3004), missing(2, 1));
    assert_eq!(read(&process, AREA + 0x4004), Err(FaultKind::Compressed));
}

#[test]
fn page_files_that_cannot_be_opened_are_refused() {
    let guest = support::guest(Layout::Win7Sp1);
    let folder = Folder::new("no-pagefiles");
    let image = guest.image_bytes(ImageFormat::Raw);
    let image = folder.write("memory.raw", &image);
    let open = |number, path: PathBuf| {
        let config = config(vec![PagefilePath { number, path }]);
        Session::open(image.to_str().unwrap(), &config).err()
    };
    let absent = open(0, folder.0.join("absent.sys"));
    assert!(matches!(absent, Some(Error::Io { .. })));
    let odd = open(16, image.clone());
    assert!(matches!(odd, Some(Error::InvalidArgument { .. })));
}
