//! `winvmi trace` on a forged guest that is played.

use std::{
    env, fs,
    io::{self, Write},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use serde_json::{Value, from_str};
use winvmi::{
    Error,
    core::Registers,
    session::{Config, ProfileCache, Session},
};
use winvmi_forge::{Expected, Guest as Forged, Layout, Options, PteFlags};

use super::{
    lines::Output,
    played::{PAGE, Played, Still},
    trace_to,
};
use crate::{args::ProcessFilter, target::Guest};

const PATH: &str = "\\??\\C:\\Temp\\f\u{fc}nf.txt";
/// Attributes of a file, and ones whose name is nowhere.
const ATTRIBUTES: u64 = 0x1_7000_0000;
const NAMELESS: u64 = ATTRIBUTES + 0x800;

/// What was printed.
#[derive(Clone, Default)]
struct Printed(Arc<Mutex<Vec<u8>>>);

impl Write for Printed {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Has nobody read what is printed.
struct Gone;

impl Write for Gone {
    fn write(&mut self, _bytes: &[u8]) -> io::Result<usize> {
        Err(io::ErrorKind::BrokenPipe.into())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// `_OBJECT_ATTRIBUTES` with the `_UNICODE_STRING` behind it.
fn attributes(at: u64, text: u64, length: usize) -> Vec<u8> {
    let words = [0x30, 0, at + 0x30, 0x40, 0, 0, length as u64, text];
    words.into_iter().flat_map(u64::to_le_bytes).collect()
}

/// A guest whose processor runs a thread of notepad, which has files open.
fn forged() -> Forged {
    let mut guest = Forged::build(Layout::Win10_2004, &Options::default()).unwrap();
    let notepad = guest
        .expected()
        .process_named("notepad.exe")
        .unwrap()
        .object;
    let thread = guest.expected().processors[0].current_thread;
    guest.poke_field(thread, "_KTHREAD", "Process", notepad);
    guest.poke_field(thread, "_KTHREAD", "ApcState.Process", notepad);
    let text: Vec<u8> = PATH.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let mut bytes = attributes(ATTRIBUTES, ATTRIBUTES + 0x40, text.len());
    bytes.extend(&text);
    guest.map_user(notepad, ATTRIBUTES, 0x1000, PteFlags::USER_DATA);
    guest.write_user(notepad, ATTRIBUTES, &bytes);
    let nowhere = attributes(NAMELESS, ATTRIBUTES + 0x1000, text.len());
    guest.write_user(notepad, NAMELESS, &nowhere);
    guest
}

/// A signal is for the whole process: one trace at a time.
static ALONE: Mutex<()> = Mutex::new(());

struct Scene {
    _alone: MutexGuard<'static, ()>,
    expected: Expected,
    guest: Guest,
    played: Arc<Played>,
    at_call: Registers,
}

impl Scene {
    fn new(name: &str, json: bool) -> Self {
        let alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
        let forged = forged();
        let program = env::current_exe().unwrap();
        let folder = program.ancestors().nth(2).unwrap().join("trace");
        fs::create_dir_all(&folder).unwrap();
        let image = folder.join(format!("{name}.dmp"));
        forged.write_full_dump(&image).unwrap();
        let config = Config {
            symbol_paths: vec![Layout::Win10_2004.table_path()],
            profile_cache: ProfileCache::Off,
            offline: true,
            ..Config::default()
        };
        let source = Session::open(image.to_str().unwrap(), &config).unwrap();
        // It stays mapped.
        fs::remove_file(&image).unwrap();
        let expected = forged.expected().clone();
        let notepad = expected.process_named("notepad.exe").unwrap();
        let at_call = Registers {
            cr3: notepad.root,
            ..source.registers(0).unwrap()
        };
        let played = Arc::new(Played {
            source,
            written: Mutex::default(),
            calls: Mutex::default(),
        });
        let session = Session::open_driver(played.clone(), &config).unwrap();
        let session = Arc::new(session);
        Self {
            _alone: alone,
            guest: Guest { session, json },
            expected,
            played,
            at_call,
        }
    }

    fn call(&self, function: &str, [rcx, rdx, r8]: [u64; 3]) {
        let rip = self.guest.windows().unwrap().symbol(function).unwrap().0;
        self.played.calls.lock().unwrap().push_back(Registers {
            rip,
            rcx,
            rdx,
            r8,
            ..self.at_call
        });
    }

    fn object(&self, name: &str) -> u64 {
        self.expected.process_named(name).unwrap().object
    }

    /// A handle of notepad's to a file, and the file's path.
    fn file(&self) -> (u64, String) {
        let pid = self.expected.process_named("notepad.exe").unwrap().pid;
        let path = |object: u64| {
            let mut objects = self.expected.objects.iter();
            let file = objects.find(|it| it.address == object && it.type_name == "File");
            file.and_then(|file| file.path.clone())
        };
        let handles = self.expected.handles_of(pid);
        let mut files = handles
            .iter()
            .filter_map(|it| Some((it.handle.into(), path(it.object)?)));
        files.next().unwrap()
    }

    fn trace(&self, what: &[&str], filter: &ProcessFilter) -> Vec<String> {
        let printed = Printed::default();
        let what: Vec<_> = what.iter().map(|it| (*it).to_owned()).collect();
        let output: Output = Box::new(printed.clone());
        trace_to(&self.guest, &what, filter, output).unwrap();
        // Left as it was found: no byte of the guest differs.
        for (gfn, page) in &*self.played.written.lock().unwrap() {
            let mut before = [0; PAGE];
            self.played.memory().read(gfn.pa(), &mut before).unwrap();
            assert!(before == **page, "{gfn:?}");
        }
        let bytes = printed.0.lock().unwrap().clone();
        let text = String::from_utf8(bytes).unwrap();
        text.lines().map(str::to_owned).collect()
    }
}

const EVERYBODY: ProcessFilter = ProcessFilter {
    pid: None,
    name: None,
};

fn play_files(scene: &Scene) -> (String, u64) {
    let (handle, path) = scene.file();
    let (notepad, explorer) = (scene.object("notepad.exe"), scene.object("explorer.exe"));
    scene.call("NtCreateFile", [0, 0, ATTRIBUTES]);
    scene.call("NtCreateFile", [0, 0, NAMELESS]);
    scene.call("NtWriteFile", [handle, 0, 0]);
    // A handle that is none: no concern of the file system.
    scene.call("NtWriteFile", [0xfff0, 0, 0]);
    scene.call("PspInsertProcess", [notepad, explorer, 0]);
    scene.call("PspInsertProcess", [notepad, scene.object("lsass.exe"), 0]);
    scene.call("MmCleanProcessAddressSpace", [notepad, 0, 0]);
    (path, handle)
}

#[test]
fn files_are_told_as_json_lines() {
    let scene = Scene::new("json", true);
    let (path, handle) = play_files(&scene);
    let lines = scene.trace(&["files"], &EVERYBODY);
    let rows: Vec<Value> = lines.iter().map(|line| from_str(line).unwrap()).collect();
    let events: Vec<_> = rows
        .iter()
        .map(|row| row["event"].as_str().unwrap())
        .collect();
    let expected = ["create", "unreadable", "write", "begin", "begin", "end"];
    assert_eq!(events, expected);
    let notepad = scene.expected.process_named("notepad.exe").unwrap();
    for row in &rows {
        assert_eq!(
            (&row["pid"], &row["name"]),
            (&notepad.pid.into(), &"notepad.exe".into())
        );
        assert_eq!(row["attached"], format!("{:#x}", notepad.object));
        assert!(row["tid"].is_u64() && row["vcpu"] == 0);
    }
    let sequences: Vec<_> = rows.iter().map(|row| row["sequence"].as_u64()).collect();
    assert!(sequences.is_sorted() && sequences[0] < sequences[1]);
    assert_eq!(rows[0]["path"], PATH);
    assert_eq!(
        (&rows[2]["path"], &rows[2]["handle"]),
        (&path.into(), &format!("{handle:#x}").into())
    );
    assert!(rows[2]["length"].is_u64());
    let explorer = scene.expected.process_named("explorer.exe").unwrap();
    assert_eq!(
        (&rows[3]["parent"], &rows[3]["parent_agrees"]),
        (&explorer.pid.into(), &true.into())
    );
    assert_eq!(rows[4]["parent_agrees"], false);
    assert_eq!(rows[5]["about"]["name"], "notepad.exe");
}

#[test]
fn files_are_told_as_text() {
    let scene = Scene::new("text", false);
    let (path, _) = play_files(&scene);
    let lines = scene.trace(&["files"], &EVERYBODY);
    let pid = scene.expected.process_named("notepad.exe").unwrap().pid;
    assert!(
        lines
            .iter()
            .all(|line| line.trim_start().starts_with(&format!("{pid}.")))
    );
    let ends = [
        format!(" create {PATH}"),
        String::new(),
        format!(" write {path}"),
        format!(" begin notepad.exe ({pid}), child of 64"),
        String::from(", which it denies"),
        format!(" end notepad.exe ({pid})"),
    ];
    assert_eq!(lines.len(), ends.len());
    for (line, end) in lines.iter().zip(ends) {
        assert!(line.ends_with(&end), "{line}");
    }
}

#[test]
fn calls_are_told_and_those_of_others_are_not() {
    let scene = Scene::new("calls", true);
    let of = |name: &str| ProcessFilter {
        pid: None,
        name: Some(name.to_owned()),
    };
    scene.call("NtCreateFile", [1, 2, 3]);
    let lines = scene.trace(&["nt!NtCreateFile"], &of("NOTEPAD.EXE"));
    let rows: Vec<Value> = lines.iter().map(|line| from_str(line).unwrap()).collect();
    assert_eq!(
        rows.len(),
        1,
        "the call did not return before the trace ended"
    );
    assert_eq!(
        (&rows[0]["event"], &rows[0]["symbol"]),
        (&"call".into(), &"nt!NtCreateFile".into())
    );
    assert_eq!(
        (&rows[0]["argument0"], &rows[0]["argument2"]),
        (&"0x1".into(), &"0x3".into())
    );
    scene.call("NtCreateFile", [1, 2, 3]);
    assert!(
        scene
            .trace(&["nt!NtCreateFile"], &of("lsass.exe"))
            .is_empty()
    );
}

#[test]
fn a_trace_that_nobody_reads_ends() {
    let scene = Scene::new("gone", true);
    play_files(&scene);
    let what = ["files".to_owned()];
    trace_to(&scene.guest, &what, &EVERYBODY, Box::new(Gone)).unwrap();
    // At the first line, long before the signal.
    assert!(scene.played.calls.lock().unwrap().len() > 4);
}

#[test]
fn what_cannot_be_traced_is_refused_before_anything_is_done() {
    let scene = Scene::new("refused", true);
    for (what, code) in [
        ("nt!NoSuchFunction", false),
        ("ntdll!", false),
        ("nosuch!Function", true),
    ] {
        let what = [what.to_owned()];
        let traced = trace_to(
            &scene.guest,
            &what,
            &EVERYBODY,
            Box::new(Printed::default()),
        );
        // A module that nobody has may come yet.
        assert_eq!(traced.is_ok(), code, "{what:?}");
    }
    let nobody = ProcessFilter {
        pid: Some(77777),
        name: None,
    };
    let what = ["files".to_owned()];
    let traced = trace_to(&scene.guest, &what, &nobody, Box::new(Printed::default()));
    assert!(matches!(traced, Err(Error::NotFound { .. })));
    let source = Guest {
        session: Arc::new(
            Session::open_driver(Arc::new(Still(scene.played.clone())), &Config::default())
                .unwrap(),
        ),
        json: true,
    };
    assert!(trace_to(&source, &what, &EVERYBODY, Box::new(Printed::default())).is_err());
}
