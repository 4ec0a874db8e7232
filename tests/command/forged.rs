//! Forged dumps, and the command run on them.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
    sync::OnceLock,
};

use serde_json::Value;
use winvmi_forge::{Expected, Guest, Layout, Options};

/// A dump, and what is in it.
pub struct Forged {
    pub dump: PathBuf,
    pub expected: Expected,
    pub guest: Guest,
}

impl Forged {
    pub fn new(name: &str, damage: impl Fn(&mut Guest)) -> Self {
        Self::of(Layout::Win10_2004, name, damage)
    }

    pub fn of(layout: Layout, name: &str, damage: impl Fn(&mut Guest)) -> Self {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("command");
        fs::create_dir_all(&folder).unwrap();
        let mut guest = Guest::build(layout, &Options::default()).unwrap();
        damage(&mut guest);
        let dump = folder.join(name);
        guest.write_full_dump(&dump).unwrap();
        Self {
            dump,
            expected: guest.expected().clone(),
            guest,
        }
    }

    pub fn whole() -> &'static Self {
        static FORGED: OnceLock<Forged> = OnceLock::new();
        FORGED.get_or_init(|| Self::new("whole.dmp", |_| ()))
    }

    pub fn run(&self, command: &str, arguments: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_winvmi"))
            .args([command, "--symbols"])
            .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/profiles"))
            .arg(&self.dump)
            .args(arguments)
            .output()
            .unwrap()
    }

    /// The rows that a command prints, and its exit code.
    pub fn rows(&self, command: &str, arguments: &[&str]) -> (Vec<Value>, Option<i32>) {
        let arguments = [arguments, &["--json"]].concat();
        let output = self.run(command, &arguments);
        let rows = serde_json::from_slice(&output.stdout);
        let rows = rows.unwrap_or_else(|error| {
            let said = String::from_utf8_lossy(&output.stderr);
            panic!("{command} {arguments:?}: {error}: {said}")
        });
        (rows, output.status.code())
    }

    /// What the command says about itself.
    pub fn help() -> String {
        let mut command = Command::new(env!("CARGO_BIN_EXE_winvmi"));
        let output = command.arg("--help").output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    }

    pub fn hex(&self, path: &str) -> String {
        format!("{:#x}", self.expected.object_at(path).unwrap().address)
    }
}
