//! Images whose pages the process's tables do not lead to.

use winvmi::{
    FaultKind,
    core::Va,
    pe::{File, ImageLayout, Pe},
    session::{PagefilePath, Session},
};
use winvmi_forge::{DllSpec, DumpType, Guest, ImageFormat, Layout, Width};

use super::{
    pagefiles::{Folder, config},
    subject, support,
};

const FILE: &[u8] = include_bytes!("../pe/sample_x64.dll");
const PATH: &str = "C:\\Program Files\\Sample\\scattered.dll";
const BASE: u64 = 0x7_7000_0000;

/// Maps the sample, of which page 3 is nowhere but in its file, and takes the others out of the
/// page tables: the headers were changed by the process and paged out, the code is behind its
/// prototype entry, the constants are where their prototype entry says, in the page file. Gives
/// that page file.
fn load_scattered(guest: &mut Guest, process: u64) -> Vec<u8> {
    let dll = DllSpec {
        name: "scattered.dll",
        path: PATH,
        base: BASE,
        file: FILE,
        width: Width::Amd64,
        lists: [true; 3],
        missing: &[3],
    };
    guest.load_dll(process, &dll);
    let section = guest.image_section_of(PATH).unwrap();
    for page in [1, 2] {
        guest.unmap_user(process, BASE + page * 0x1000);
    }
    let page_file = [("Protection", 7), ("PageFileLow", 0), ("PageFileHigh", 1)];
    let entry = guest.absent_entry("_MMPTE_SOFTWARE", &page_file, true);
    guest.write_u64(section.prototypes + 2 * 8, entry);
    guest.place_page_file_page(process, BASE, 0, 2, true);
    let mut content = vec![0xff; 0x1000];
    for page in [2, 0] {
        let mut bytes = [0; 0x1000];
        guest.memory().read(section.pages[page], &mut bytes);
        content.extend(bytes);
    }
    content
}

#[test]
fn pages_behind_prototypes_and_in_page_files_are_extracted() {
    for layout in Layout::ALL {
        let folder = Folder::new(&format!("images-{layout:?}"));
        let mut guest = support::guest(layout);
        let process = subject(guest.expected());
        let content = load_scattered(&mut guest, process);
        let image = guest.image_bytes(ImageFormat::Dump(DumpType::BitmapFull));
        let image = folder.write("memory.dmp", &image);
        let files = vec![PagefilePath {
            number: 0,
            path: folder.write("pagefile.sys", &content),
        }];
        let session = Session::open(image.to_str().unwrap(), &config(files)).unwrap();
        let process = session.windows().unwrap().process(Va(process));
        let module = process.user_module("scattered.dll", None).unwrap();
        assert!(module.export("add").unwrap().is_some(), "{layout}");

        let extraction = module.extract(ImageLayout::File).unwrap();
        let mut file = vec![0xaa; extraction.len() as usize];
        assert_eq!(extraction.read(0, &mut file), FILE.len());
        let [missing] = &extraction.missing()[..] else {
            panic!("{layout}: {:?}", extraction.missing());
        };
        assert_eq!(missing.cause, FaultKind::Prototype);
        for (at, (found, original)) in file.iter().zip(FILE).enumerate() {
            let is_missing = missing.offsets.contains(&(at as u64));
            assert_eq!(*found, if is_missing { 0 } else { *original }, "{at:#x}");
        }
        let pe = Pe::parse(File::new(&file).unwrap()).unwrap();
        assert!(
            pe.exports()
                .unwrap()
                .unwrap()
                .by_name("add")
                .unwrap()
                .is_some()
        );
    }
}

#[test]
fn without_its_page_file_an_image_says_where_it_is() {
    let mut guest = support::guest(Layout::Win11_21H2);
    let process = subject(guest.expected());
    load_scattered(&mut guest, process);
    let windows = support::windows(guest);
    let module = windows.process(Va(process));
    let module = module.user_module("scattered.dll", None).unwrap();
    let missing = module.extract(ImageLayout::Memory).unwrap().missing();
    let causes: Vec<_> = missing
        .iter()
        .map(|it| (it.offsets.start, it.cause))
        .collect();
    let paged_out = |offset| FaultKind::Pagefile { number: 0, offset };
    assert_eq!(
        causes[..3],
        [
            (0, paged_out(0x2000)),
            (0x2000, paged_out(0x1000)),
            (0x3000, FaultKind::Prototype)
        ]
    );
}
