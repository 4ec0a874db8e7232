//! How far one gets from a process to a symbol, and what is missing.

use std::{fs, path::Path};

use winvmi::{
    core::Va,
    os::windows::Architecture,
    session::{Config, ProfileCache, Session, UserSymbol},
};
use winvmi_forge::{Guest, Layout, Options};

const ONLY: &str = "OnlyInItsPdb";
const ONLY_RVA: u64 = 0x1234;

/// Puts the table of one PDB that has one symbol into a folder.
fn put_table(folder: &Path, name: &str, (guid, age): (&str, u32)) {
    let of_module = folder.join(name);
    fs::create_dir_all(&of_module).unwrap();
    let table = format!(
        r#"{{
            "metadata": {{"windows": {{"pdb": {{
                "GUID": "{guid}", "age": {age}, "database": "{name}", "machine_type": 34404
            }}}}}},
            "base_types": {{}}, "user_types": {{}}, "enums": {{}},
            "symbols": {{"{ONLY}": {{"address": {ONLY_RVA}}}}}
        }}"#
    );
    fs::write(of_module.join(format!("{guid}-{age}.json")), table).unwrap();
}

#[test]
fn what_is_missing_is_told_apart() {
    let layout = Layout::Win10_2004;
    let image = Path::new(env!("CARGO_TARGET_TMPDIR")).join("userland-symbols.dmp");
    let guest = Guest::build(layout, &Options::default()).unwrap();
    guest.write_full_dump(&image).unwrap();
    let mut config = Config {
        symbol_paths: vec![layout.table_path()],
        profile_cache: ProfileCache::Off,
        offline: true,
        ..Config::default()
    };
    let open = |config: &Config| Session::open(image.to_str().unwrap(), config).unwrap();
    let session = open(&config);
    let notepad = |session: &Session, module, symbol| {
        let process = session.windows()?.process_by_name("notepad.exe")?;
        let width = Some(Architecture::Amd64);
        session.find_user_symbol(&process, (module, symbol), width)
    };
    let process = session.windows().unwrap().process_by_name("notepad.exe");
    let ntdll = process.unwrap().user_module("ntdll", None).unwrap();
    let at = |rva| UserSymbol::At(Va(ntdll.base().0 + rva));
    let found = |session, module, symbol| notepad(session, module, symbol).unwrap();
    assert_eq!(found(&session, "absent", "A"), UserSymbol::NoModule);
    assert_eq!(found(&session, "ntdll", ONLY), UserSymbol::NoSymbols);
    assert_eq!(found(&session, "ntdll", "NtCreateFile"), at(0x1200));

    let pdb = ntdll.pdb().unwrap().unwrap();
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("userland-symbols");
    put_table(&folder, &pdb.name, (&pdb.guid_text(), pdb.age));
    config.symbol_paths.push(folder);
    let session = open(&config);
    assert_eq!(found(&session, "ntdll", ONLY), at(ONLY_RVA));
    assert_eq!(
        found(&session, "NTDLL.dll", "OnlyInItsPbd"),
        UserSymbol::NoSymbol
    );
    // What the symbols lack may be exported.
    assert_eq!(found(&session, "ntdll", "NtCreateFile"), at(0x1200));
    assert_eq!(found(&session, "absent", ONLY), UserSymbol::NoModule);
}

#[test]
fn symbols_that_are_put_in_place_late_are_found() {
    let layout = Layout::Win10_2004;
    let places = Path::new(env!("CARGO_TARGET_TMPDIR")).join("late-symbols");
    let _ = fs::remove_dir_all(&places);
    let image = places.join("guest.dmp");
    fs::create_dir_all(&places).unwrap();
    let guest = Guest::build(layout, &Options::default()).unwrap();
    guest.write_full_dump(&image).unwrap();
    let symbols = places.join("symbols");
    let config = Config {
        symbol_paths: vec![layout.table_path(), symbols.clone()],
        profile_cache: ProfileCache::Off,
        offline: true,
        ..Config::default()
    };
    let session = Session::open(image.to_str().unwrap(), &config).unwrap();
    let process = session.windows().unwrap().process_by_name("notepad.exe");
    let process = process.unwrap();
    let search = || session.find_user_symbol(&process, ("ntdll", ONLY), None);
    let ask = || session.user_symbol(&process, &format!("ntdll!{ONLY}"), None);
    assert_eq!(search().unwrap(), UserSymbol::NoSymbols);
    assert!(ask().is_err());

    let ntdll = process.user_module("ntdll", None).unwrap();
    let pdb = ntdll.pdb().unwrap().unwrap();
    put_table(&symbols, &pdb.name, (&pdb.guid_text(), pdb.age));
    let there = Va(ntdll.base().0 + ONLY_RVA);
    // Who asks is answered anew; a search that asks at each load is so when it is told.
    assert_eq!(ask().unwrap(), there);
    assert_eq!(search().unwrap(), UserSymbol::NoSymbols);
    session.forget_unfound();
    assert_eq!(search().unwrap(), UserSymbol::At(there));
}
