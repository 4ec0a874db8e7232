//! The committed header is what `src/capi` says.

use std::{
    env, fs,
    path::{Path, PathBuf},
};

/// The files of the C API in the order in which the header presents them.
const CHAPTERS: &[&str] = &[
    "status",
    "error",
    "callback",
    "log",
    "version",
    "config",
    "session",
    "space",
    "architecture",
    "memory",
    "bulk",
    "translate",
    "mapping",
    "process",
    "process_details",
    "process_iter",
    "process_text",
    "environment",
    "peb",
    "process_memory",
    "thread",
    "thread_details",
    "thread_iter",
    "teb",
    "module",
    "module_text",
    "unloaded_module_iter",
    "region",
    "region_iter",
    "user_module",
    "user_module_iter",
    "pe",
    "pe_section_iter",
    "pe_export_iter",
    "pe_import_iter",
    "pe_extract",
    "handle",
    "handle_iter",
    "object_kind",
    "object",
    "object_text",
    "object_type",
    "namespace",
    "directory_iter",
    "object_attributes",
    "file",
    "section",
    "key",
    "dispatcher",
    "alpc_port",
    "symbolic_link",
    "driver_object",
    "device_object",
    "job",
    "job_iter",
    "terminal_session",
    "token",
    "token_sid_iter",
    "symbols",
    "kernel_types",
    "registers",
    "context",
    "trap_frame",
    "exception_record",
    "pause",
    "action",
    "event",
    "event_details",
    "event_memory",
    "driver_event",
    "driver",
    "inject",
    "hook",
    "hook_info",
    "view",
    "monitor",
    "call_hook",
    "event_loop",
];

const HEADER: &str = "include/winvmi.h";

/// Least share of the header's lines that are documentation, in percent.
const LEAST_COMMENT_SHARE: usize = 60;

fn generate() -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let config = cbindgen::Config::from_file(root.join("cbindgen.toml")).unwrap();
    let builder = CHAPTERS
        .iter()
        .fold(cbindgen::Builder::new(), |builder, chapter| {
            builder.with_src(root.join(format!("src/capi/{chapter}.rs")))
        });
    let mut text = Vec::new();
    builder
        .with_config(config)
        .generate()
        .unwrap()
        .write(&mut text);
    String::from_utf8(text).unwrap()
}

fn path() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(HEADER)
}

fn committed() -> String {
    fs::read_to_string(path()).unwrap_or_default()
}

#[test]
fn is_up_to_date() {
    let generated = generate();
    if env::var_os("WINVMI_BLESS").is_some() {
        fs::write(path(), &generated).unwrap();
    }
    let committed = committed();
    assert!(
        committed == generated,
        "{HEADER} is out of date: run `WINVMI_BLESS=1 cargo test --test header`"
    );
}

#[test]
fn is_a_manual() {
    let header = committed();
    let lines: Vec<&str> = header
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .collect();
    let comments = lines
        .iter()
        .filter(|line| line.starts_with("/*") || line.starts_with('*'))
        .count();
    let share = comments * 100 / lines.len();
    assert!(
        share >= LEAST_COMMENT_SHARE,
        "{share} % of the header's lines are documentation, want {LEAST_COMMENT_SHARE} %"
    );
}

#[test]
fn carries_the_version_of_the_package() {
    let header = committed();
    for (name, value) in [
        ("MAJOR", env!("CARGO_PKG_VERSION_MAJOR")),
        ("MINOR", env!("CARGO_PKG_VERSION_MINOR")),
        ("PATCH", env!("CARGO_PKG_VERSION_PATCH")),
    ] {
        assert!(header.contains(&format!("#define WVMI_VERSION_{name} {value}\n")));
    }
    let whole = concat!("#define WVMI_VERSION \"", env!("CARGO_PKG_VERSION"), "\"\n");
    assert!(header.contains(whole));
}
