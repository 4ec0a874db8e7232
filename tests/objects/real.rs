//! Objects of a real triage dump, where it is at hand.

use std::sync::Arc;

use winvmi::{
    FaultKind,
    core::{Memory, Va},
    driver::{self, Target},
    os::windows::Windows,
    symbols::read_isf,
};

use crate::support::shared;

/// The symbols of the dump's kernel, a build 19041.
const SYMBOLS: &str = "profiles/5278AFF86C341677D7D7835C85B7B844-1.json.xz";

fn real_dump() -> Option<Windows> {
    let dump = shared("real/triage_x64.dmp")?;
    let profile = read_isf(&shared(SYMBOLS)?).unwrap();
    let driver = driver::open(&Target::from(dump.as_path()), Default::default()).unwrap();
    let hints = driver.hints();
    let memory = Arc::new(Memory::new(driver, 64));
    let (base, root) = (hints.kernel_base.unwrap(), hints.root.unwrap());
    Some(Windows::new(memory, base, root, Arc::new(profile)).unwrap())
}

/// The dump says where the namespace begins, but kept neither types nor directories.
#[test]
fn what_a_triage_dump_did_not_keep_is_a_gap_once() {
    let Some(windows) = real_dump() else {
        eprintln!("skipped: the real dump is not here");
        return;
    };
    let root = windows.root_directory().unwrap();
    assert_eq!(root.address(), Va(0xffff_ad0e_c103_3b70));
    let kind = root.object().kind().unwrap_err();
    assert_eq!(kind.fault().unwrap().kind, FaultKind::NotInImage);
    let mut types = windows.object_types();
    assert!(types.next().unwrap().is_err() && types.next().is_none());
    let mut unloaded = windows.unloaded_modules();
    assert!(unloaded.next().unwrap().is_err() && unloaded.next().is_none());
    assert!(root.entries().count() <= 37);
    assert_eq!(
        root.object().path().unwrap_err().to_string(),
        kind.to_string()
    );
    assert_eq!(
        root.object().namespace_path_utf16().unwrap(),
        Some(vec![0x5c])
    );
}
