//! A real Windows 10 triage dump: 1,831 blocks of kernel memory by virtual
//! address. An extra: it is no part of the project, and neither is the full table
//! of its kernel.

mod support;

use std::path::PathBuf;

use winvmi::{
    Error, FaultKind,
    core::{Space, Va},
    session::{Config, ProfileCache, Session},
};

const DUMP: &str = "real/triage_x64.dmp";
const BASE: u64 = 0xffff_f804_7ba0_0000;
const GUID: &str = "5278AFF86C341677D7D7835C85B7B844";

fn open(symbols: Vec<PathBuf>) -> Option<Session> {
    let Some(path) = support::shared(DUMP) else {
        eprintln!("skipped: {DUMP} is not at hand");
        return None;
    };
    let config = Config {
        symbol_paths: symbols,
        symbol_environment: false,
        profile_cache: ProfileCache::Off,
        ..Config::default()
    };
    Some(Session::open(path.to_str().unwrap(), &config).unwrap())
}

fn with_symbols() -> Option<Session> {
    open(vec![support::shared("profiles")?])
}

#[test]
fn headers_tell_the_crash() {
    let Some(session) = open(Vec::new()) else {
        return;
    };
    let info = session.driver_info();
    assert_eq!((info.name, info.vcpus), ("kdmp", 16));
    let hints = session.hints();
    let bug_check = hints.bug_check.unwrap();
    assert_eq!(bug_check.code, 0x1000_007e);
    assert_eq!(hints.build, Some(19041));
    assert_eq!(session.kernel().unwrap().image.base, Va(BASE));
    assert_eq!(session.kernel().unwrap().root.0, 0x1a_d000);
    for vcpu in 0..16 {
        let registers = session.registers(vcpu).unwrap();
        assert_ne!(registers.rip, 0);
        assert_ne!(registers.rsp, 0);
    }
    assert!(session.registers(16).is_err());
}

#[test]
fn symbols_are_named_when_missing() {
    let Some(session) = open(vec![PathBuf::from("/nonexistent")]) else {
        return;
    };
    let Err(error) = session.windows() else {
        panic!("symbols out of nowhere");
    };
    assert!(matches!(error, Error::NoSymbols(_)));
    assert!(error.to_string().contains("/nonexistent"));
}

#[test]
fn symbols_are_told_by_the_kernel_s_variables() {
    let Some(session) = with_symbols() else {
        return;
    };
    let pdb = session.kernel_pdb().unwrap();
    assert_eq!((pdb.guid_text().as_str(), pdb.age), (GUID, 1));
    let facts = session.windows().unwrap().facts();
    assert!(facts.build_lab.unwrap().starts_with("19041."));
}

#[test]
fn the_system_process_and_its_neighbours() {
    let Some(session) = with_symbols() else {
        return;
    };
    let windows = session.windows().unwrap();
    let system = windows.system_process().unwrap();
    assert_eq!(system.id().unwrap(), 4);
    assert_eq!(system.name().unwrap(), "System");
    assert_eq!(system.translation_root().unwrap().0, 0x1a_d000);
    assert_eq!(system.active_threads().unwrap(), 147);
    // The list is only partly in the dump: what is there comes out, and it ends.
    let listed: Vec<_> = windows.processes().take(100).collect();
    assert!(listed.len() < 100);
    let parents: Vec<_> = listed
        .iter()
        .flatten()
        .filter_map(|process| process.parent_id().ok())
        .collect();
    assert_eq!(parents, [0, 4, 4, 4, 588]);
}

#[test]
fn modules_with_names() {
    let Some(session) = with_symbols() else {
        return;
    };
    let modules: Vec<_> = session
        .windows()
        .unwrap()
        .modules()
        .map(Result::unwrap)
        .collect();
    assert_eq!(modules.len(), 151);
    assert_eq!(modules[0].base().unwrap(), Va(BASE));
    assert_eq!(modules[0].name().unwrap(), "ntoskrnl.exe");
    assert!(
        modules
            .iter()
            .all(|module| !module.name().unwrap().is_empty())
    );
}

#[test]
fn current_threads_and_stacks() {
    let Some(session) = with_symbols() else {
        return;
    };
    let windows = session.windows().unwrap();
    let space = windows.space();
    let mut readable_stacks = 0;
    for number in 0..16 {
        let processor = windows.processor(number).unwrap();
        assert_eq!(processor.number().unwrap(), u32::from(number));
        let thread = processor.current_thread().unwrap();
        assert!(thread.object().0 > 0xffff_8000_0000_0000);
        let rsp = session.registers(number).unwrap().rsp;
        let mut word = [0; 8];
        readable_stacks += usize::from(session.memory().read(space, rsp, &mut word).is_ok());
    }
    assert!(readable_stacks > 0, "the crashing stack is in the dump");
}

#[test]
fn absent_bytes_are_faults_and_never_zeros() {
    let Some(session) = open(Vec::new()) else {
        return;
    };
    let space = session.kernel_space().unwrap();
    let mut page = [0; 0x2000];
    // The kernel's header page is there, the next page is not.
    let partial = session.memory().read(space, BASE, &mut page).unwrap_err();
    assert_eq!(partial.done, 0x1000);
    assert_eq!(partial.fault.kind, FaultKind::NotInImage);
    assert_eq!(partial.fault.address, BASE + 0x1000);
    assert_eq!(&page[..2], b"MZ");
    assert!(
        session
            .memory()
            .read(Space::Physical, 0, &mut [0; 1])
            .is_err()
    );
    assert!(matches!(
        session.memory().physical().err(),
        Some(Error::NotSupported { .. })
    ));
}
