//! The `winvmi` command on a forged dump: what it prints and how it ends.

mod forged;
mod json;

use std::fs;

use serde_json::Value;
use winvmi_forge::InfoMask;

use self::forged::Forged;

fn row_of<'a>(rows: &'a [Value], path: &str) -> &'a Value {
    let row = rows.iter().find(|row| row["path"] == path);
    row.unwrap_or_else(|| panic!("no row for {path}"))
}

#[test]
fn objects_lists_the_root_and_all_below() {
    let forged = Forged::whole();
    let (root, code) = forged.rows("objects", &[]);
    assert_eq!(code, Some(0));
    assert_eq!(row_of(&root, "\\Device")["object"], forged.hex("\\Device"));
    assert_eq!(row_of(&root, "\\DosDevices")["details"]["target"], "\\??");
    let (all, code) = forged.rows("objects", &["--recursive"]);
    assert_eq!(code, Some(0));
    let in_namespace = |it: &&winvmi_forge::ExpectedObject| {
        it.path.is_some() && !["File", "Key"].contains(&&*it.type_name)
    };
    let placed = forged.expected.objects.iter().filter(in_namespace);
    // All but the root itself.
    assert_eq!(all.len(), placed.count() - 1);
    let job = row_of(&all, "\\Sessions\\1\\BaseNamedObjects\\ShellJob");
    assert_eq!(job["details"]["processes"].as_array().unwrap().len(), 2);
    let semaphore = row_of(&all, "\\Sessions\\1\\BaseNamedObjects\\Throttle");
    assert_eq!(semaphore["details"]["limit"], 8);
}

#[test]
fn ps_names_the_job_of_each_process() {
    let forged = Forged::whole();
    let (rows, code) = forged.rows("ps", &[]);
    assert_eq!(code, Some(0));
    for row in &rows {
        let object = row["object"].as_str().unwrap();
        let is_member = |it: &u64| format!("{it:#x}") == object;
        let mut jobs = forged.expected.jobs.iter();
        let job = jobs.find(|job| job.processes.iter().any(is_member));
        match job {
            Some(job) => {
                assert_eq!(row["job"]["object"], format!("{:#x}", job.address));
                assert_eq!(row["job"]["active_processes"], job.processes.len());
            }
            None => assert!(row["job"].is_null()),
        }
    }
    assert_eq!(rows.len(), forged.expected.processes.len());
}

#[test]
fn objects_shows_one_and_follows_links() {
    let forged = Forged::whole();
    let drive = ["\\GLOBAL??\\C:"];
    let (link, _) = forged.rows("objects", &drive);
    assert_eq!(link[0]["type_name"], "SymbolicLink");
    assert_eq!(link[0]["details"]["drive_letter"], "C");
    let explorer = forged.expected.process_named("explorer.exe").unwrap();
    let pid = explorer.pid.to_string();
    let own = ["\\??\\Z:\\notes.txt", "--follow", "--pid", &pid];
    let (found, code) = forged.rows("objects", &own);
    assert_eq!(code, Some(0));
    assert_eq!(found[0]["object"], forged.hex("\\Device\\HarddiskVolume2"));
    assert_eq!(found[0]["rest"], "\\Users\\notes.txt");
    let notes = "\\Device\\HarddiskVolume2\\Users\\user\\notes.txt";
    let (file, _) = forged.rows("objects", &[&forged.hex(notes)]);
    assert_eq!((file.len(), &file[0]["path"]), (1, &Value::from(notes)));
    assert_eq!(file[0]["details"]["data_section_size"], 5 * 4096);
}

#[test]
fn objects_ends_with_the_codes_of_all_commands() {
    let forged = Forged::whole();
    for (arguments, code) in [
        (&["\\Nothing"][..], 1),
        (&["Device"], 1),
        (&["0x10"], 1),
        (&["\\??\\Z:", "--pid", "4"], 2),
    ] {
        let output = forged.run("objects", arguments);
        assert_eq!(output.status.code(), Some(code), "{arguments:?}");
        assert!(output.stdout.is_empty() && !output.stderr.is_empty());
    }
}

#[test]
fn objects_tells_gaps_and_visits_no_directory_twice() {
    let forged = Forged::new("damaged.dmp", |guest| {
        let root = guest.lookup("\\").unwrap();
        let sessions = guest.lookup("\\Sessions").unwrap();
        guest.enter_directory(sessions, "Loop", root);
        let null = guest.lookup("\\Device\\Null").unwrap();
        let info = guest.object_info(null, InfoMask::NAME).unwrap();
        guest.poke_field(info, "_OBJECT_HEADER_NAME_INFO", "Name.Buffer", 0x10);
    });
    let (rows, code) = forged.rows("objects", &["--recursive"]);
    assert_eq!(code, Some(3));
    let loops = rows.iter().filter(|row| row["object"] == forged.hex("\\"));
    assert_eq!(loops.count(), 1);
    let null = rows
        .iter()
        .find(|row| row["object"] == forged.hex("\\Device\\Null"));
    assert_eq!(null.unwrap()["path"], Value::Null);
}

const NOTEPAD: &[&str] = &["--name", "notepad.exe"];

#[test]
fn regions_and_dlls_print_the_names_of_c() {
    let forged = Forged::whole();
    let process = forged.expected.process_named("notepad.exe").unwrap();
    let (rows, code) = forged.rows("regions", NOTEPAD);
    let expected = forged.expected.regions_of(process.object);
    assert_eq!((rows.len(), code), (expected.len(), Some(0)));
    for (row, region) in rows.iter().zip(expected) {
        assert_eq!(row["vad"], format!("{:#x}", region.vad));
        assert_eq!(row["start"], format!("{:#x}", region.start));
        assert_eq!(row["file"].is_null(), row["path"].is_null());
        assert!(!row["kind_name"].is_null() && !row["committed"].is_null());
    }
    let (rows, code) = forged.rows("dlls", NOTEPAD);
    let count = forged.expected.modules_of(process.object).count();
    assert_eq!((rows.len(), code), (count, Some(0)));
    for row in rows {
        assert_eq!((&row["wow64"], &row["bits"]), (&false.into(), &64.into()));
        assert!(row["name"].is_string() && row["path"].is_string());
    }
}

#[test]
fn cmdline_and_env_print_what_a_process_was_given() {
    let forged = Forged::whole();
    let (rows, code) = forged.rows("cmdline", NOTEPAD);
    assert_eq!((rows.len(), code), (1, Some(0)));
    assert!(
        rows[0]["command_line"]
            .as_str()
            .unwrap()
            .contains("notepad")
    );
    let (rows, code) = forged.rows("env", NOTEPAD);
    assert_eq!(code, Some(0));
    let process = forged.expected.process_named("notepad.exe").unwrap();
    let mut all = forged.expected.parameters.iter();
    let given = all.find(|it| it.process == process.object).unwrap();
    assert_eq!(rows.len(), given.environment.len());
    for (row, (name, value)) in rows.iter().zip(&given.environment) {
        assert_eq!(
            (&row["name"], &row["value"]),
            (&name[..].into(), &value[..].into())
        );
    }
    for command in ["regions", "dlls", "cmdline", "env"] {
        let output = forged.run(command, &["--name", "nobody.exe"]);
        assert_eq!(output.status.code(), Some(1), "{command}");
        assert_eq!(forged.run(command, &["--no-such"]).status.code(), Some(2));
    }
}

#[test]
fn dump_module_names_the_missing_parts() {
    let forged = Forged::new("missing.dmp", |guest| {
        let process = guest.expected().process_named("notepad.exe").unwrap();
        let object = process.object;
        let (base, path) = {
            let mut modules = guest.expected().modules_of(object);
            let ntdll = modules.find(|it| it.name == "ntdll.dll").unwrap();
            (ntdll.base, ntdll.path.clone())
        };
        guest.unmap_user(object, base + 0x1000);
        let section = guest.image_section_of(&path).unwrap();
        guest.leave_in_file(&section, 1);
    });
    let process = forged.expected.process_named("notepad.exe").unwrap();
    let pid = process.pid.to_string();
    let file = forged.dump.with_extension("dll");
    let output = file.to_str().unwrap();
    let (rows, code) = forged.rows("dump-module", &["ntdll.dll", "--pid", &pid, "-o", output]);
    assert_eq!((rows.len(), code), (1, Some(3)));
    assert_eq!(
        (&rows[0]["offset"], &rows[0]["length"]),
        (&"0x1000".into(), &0x1000.into())
    );
    let bytes = fs::read(&file).unwrap();
    assert!(bytes.starts_with(b"MZ") && bytes[0x1000..0x2000].iter().all(|&it| it == 0));
    let (rows, code) =
        Forged::whole().rows("dump-module", &["ntdll.dll", "--pid", &pid, "-o", output]);
    assert_eq!((rows.len(), code), (0, Some(0)));
    let failed = forged.run("dump-module", &["no.dll", "--pid", &pid, "-o", output]);
    assert_eq!(failed.status.code(), Some(1));
}
