//! An extra on a real triage dump, where it is at hand.

use std::path::{Path, PathBuf};

use winvmi::{
    core::{Memory, Space, Va, driver::Hints},
    driver::{self, Target},
    os::windows::kernel::{Clues, KernelImage, locate},
    symbols::read_isf,
};
use winvmi_forge::Layout;

fn real_dump() -> Option<PathBuf> {
    let shared = std::env::var_os("WINVMI_SHARED").map(PathBuf::from);
    let default = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared");
    let dump = shared.unwrap_or(default).join("real/triage_x64.dmp");
    dump.exists().then_some(dump)
}

#[test]
fn the_header_page_of_a_triage_dump_is_believed() {
    let Some(dump) = real_dump() else {
        eprintln!("skipped: the real dump is not here");
        return;
    };
    let driver = driver::open(&Target::from(dump.as_path()), Default::default()).unwrap();
    let hints = driver.hints();
    let memory = Memory::new(driver, 64);
    let root = hints.root.unwrap();
    let base = hints.kernel_base.unwrap();
    assert_eq!(base, Va(0xffff_f804_7ba0_0000));
    let space = Space::Virtual { root };
    let image = KernelImage::from_hint(&memory, space, base).unwrap();
    assert_eq!((image.os_version, image.size), ((10, 0), 0x0104_6000));
    // Triage dumps keep the header page only: nothing proves the name of the PDB.
    assert_eq!(image.pdb, None);
    assert!(KernelImage::verify(&memory, space, base).is_err());
    let clues = Clues {
        roots: vec![root],
        base: Some(base),
        lstar: 0,
    };
    assert_eq!(locate(&memory, &clues, &()).unwrap().image, image);
    // Where its variables are tells the build.
    for layout in Layout::ALL {
        let profile = read_isf(&layout.table_path()).unwrap();
        let guid = profile.id().guid_text();
        let right = guid == "5278AFF86C341677D7D7835C85B7B844";
        assert_eq!(image.fits(&profile, &hints), right, "{guid}");
        assert!(!image.fits(&profile, &Hints::default()));
    }
}
