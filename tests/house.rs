//! The rules of the house: who may know whom, and how much may come along.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

/// What each room may use, beside itself. What is not listed may use nothing.
///
/// `core` and `error` form the ground floor: an error names addresses.
const MAY_USE: &[(&str, &[&str])] = &[
    ("error", &["core"]),
    ("log", &[]),
    ("core", &["error"]),
    ("arch", &["core", "error"]),
    ("driver", &["arch", "core", "error", "log"]),
    ("pe", &["core", "error", "log"]),
    ("symbols", &["core", "error", "log"]),
    ("os", &["core", "error", "log", "pe", "symbols"]),
    (
        "session",
        &[
            "arch", "core", "driver", "error", "log", "os", "pe", "symbols",
        ],
    ),
    (
        "monitor",
        &[
            "arch", "core", "error", "log", "os", "pe", "session", "symbols",
        ],
    ),
    (
        "capi",
        &[
            "arch", "core", "driver", "error", "log", "monitor", "os", "pe", "session", "symbols",
        ],
    ),
];

/// Most crates of a default build, this one included.
const MOST_CRATES: usize = 70;

/// Crates that talk to the network; none may come along unasked.
const NETWORK_CRATES: [&str; 10] = [
    "hyper",
    "reqwest",
    "ureq",
    "curl",
    "isahc",
    "attohttpc",
    "rustls",
    "native-tls",
    "openssl",
    "tokio",
];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn sources(directory: &Path, found: &mut Vec<PathBuf>) {
    for entry in directory.read_dir().unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|it| it == "rs") {
            found.push(path);
        }
    }
}

/// The room of a file: the first directory or file name below `src`.
fn room(path: &Path) -> String {
    let inside = path.strip_prefix(root().join("src")).unwrap();
    let first = inside.components().next().unwrap().as_os_str();
    first.to_str().unwrap().trim_end_matches(".rs").to_owned()
}

/// The code of a file: no comments, and nothing after its unit tests begin.
fn code(path: &Path) -> String {
    let text = fs::read_to_string(path).unwrap();
    let code = text.split("#[cfg(test)]\nmod ").next().unwrap();
    code.lines()
        .map(|line| line.split("//").next().unwrap())
        .fold(String::new(), |all, line| all + line + "\n")
}

/// First names of the paths that follow `crate::`, in groups, too.
fn used_rooms(code: &str) -> BTreeSet<String> {
    let mut rooms = BTreeSet::new();
    for path in code.split("crate::").skip(1) {
        match path.strip_prefix('{') {
            Some(group) => rooms.extend(group_heads(group)),
            None => {
                rooms.insert(head(path));
            }
        }
    }
    rooms
}

fn head(path: &str) -> String {
    path.trim_start()
        .chars()
        .take_while(|it| it.is_alphanumeric() || *it == '_')
        .collect()
}

/// First names of the members of a `{...}` group, which begins inside of it.
fn group_heads(group: &str) -> Vec<String> {
    let mut depth = 1;
    let mut heads = vec![head(group)];
    for (at, letter) in group.char_indices() {
        match letter {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 1 => heads.push(head(&group[at + 1..])),
            _ => {}
        }
        if depth == 0 {
            break;
        }
    }
    heads.retain(|head| !head.is_empty());
    heads
}

#[test]
fn rooms_use_only_what_is_below_them() {
    let rooms: BTreeSet<_> = MAY_USE.iter().map(|(room, _)| *room).collect();
    let mut files = Vec::new();
    sources(&root().join("src"), &mut files);
    for path in files {
        let here = room(&path);
        let Some((_, allowed)) = MAY_USE.iter().find(|(room, _)| *room == here) else {
            // The command uses the public API, `lib.rs` names all rooms.
            assert!(
                ["bin", "lib"].contains(&&*here),
                "{here} has no place in the house"
            );
            continue;
        };
        for used in used_rooms(&code(&path)) {
            let known = rooms.contains(&*used);
            let fits = used == here || allowed.contains(&&*used);
            assert!(!known || fits, "{} uses {used}", path.display());
        }
    }
}

#[test]
fn only_one_file_of_the_c_api_dereferences_pointers() {
    for entry in root().join("src/capi").read_dir().unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        // The gate's pointers are its own, no caller's.
        if path.is_dir() || ["ffi", "gate"].contains(&&*name) {
            continue;
        }
        let code = code(&path);
        for forbidden in [
            "from_raw(",
            "from_raw_parts",
            ".as_ref() }",
            "CStr::from_ptr",
            ".read()",
        ] {
            assert!(!code.contains(forbidden), "{name}.rs: {forbidden}");
        }
    }
}

/// Crates of the default build as `name version`.
fn crates() -> BTreeSet<String> {
    let output = Command::new(env!("CARGO"))
        .args([
            "tree",
            "--offline",
            "--edges",
            "normal,build",
            "--prefix",
            "none",
        ])
        .args(["--package", "winvmi"])
        .current_dir(root())
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout)
        .unwrap()
        .lines()
        .filter_map(|line| {
            let mut words = line.split(' ');
            Some(format!("{} {}", words.next()?, words.next()?))
        })
        .collect()
}

#[test]
fn few_crates_come_along() {
    let crates = crates();
    let count = crates.len();
    assert!(count <= MOST_CRATES, "{count} crates: {crates:#?}");
}

#[test]
fn no_network_comes_along() {
    for name in crates() {
        let name = name.split(' ').next().unwrap();
        assert!(
            !NETWORK_CRATES.contains(&name),
            "{name} is in the default build"
        );
    }
}

#[test]
fn files_stay_short() {
    const MOST_LINES: usize = 450;
    let mut files = Vec::new();
    sources(&root().join("src"), &mut files);
    for path in files {
        let lines = fs::read_to_string(&path).unwrap().lines().count();
        assert!(lines <= MOST_LINES, "{} has {lines} lines", path.display());
    }
}
