//! What processes are made of: regions, modules, command lines, environments.

use std::{collections::BTreeMap, fs};

use serde_json::json;
use winvmi_forge::{Expected, ExpectedParameters, ExpectedProcess, ExpectedUserModule, Width};

use super::{check, each_layout, hex, hex_or_null, rows};

/// Commands that are checked here.
pub const COMMANDS: [&str; 5] = ["regions", "dlls", "cmdline", "env", "dump-module"];

#[test]
fn regions_come_in_order() {
    each_layout(|forged| {
        let expected = &forged.expected;
        let rows = rows(forged, "regions", &[]);
        let processes = expected.processes.iter();
        let regions: Vec<_> = processes
            .flat_map(|process| {
                let regions = expected.regions_of(process.object).into_iter();
                regions.map(move |it| (process, it))
            })
            .collect();
        assert_eq!(rows.len(), regions.len());
        for (row, (process, it)) in rows.iter().zip(regions) {
            let kind = match (it.is_private, it.is_image, &it.path) {
                (true, ..) => "private",
                (_, true, _) => "image",
                (.., Some(_)) => "data file",
                (.., None) => "pagefile section",
            };
            let placed = json!({
                "process": hex(process.object),
                "pid": process.pid,
                "vad": hex(it.vad),
                "start": hex(it.start),
                "end": hex(it.end),
                "kind_name": kind,
                "private": it.is_private,
                "committed": it.committed,
                "commit_charge": it.commit_charge,
                "protection": hex(it.protection.into()),
                "control_area": hex_or_null(it.control_area.unwrap_or(0)),
                "path": it.path,
            });
            check(row, placed, &["vad_type", "file"]);
            assert_eq!(row["vad_type"] == 2, it.is_image);
            assert_eq!(row["file"].is_null(), it.path.is_none());
        }
    });
}

/// What the loaders of a process, then its regions tell of.
fn modules<'a>(
    expected: &'a Expected,
    process: &ExpectedProcess,
) -> BTreeMap<u64, &'a ExpectedUserModule> {
    let mut modules = BTreeMap::new();
    for module in expected.modules_of(process.object) {
        // The executable of a WoW64 process is on the lists of both loaders.
        modules.entry(module.base).or_insert(module);
    }
    modules
}

#[test]
fn dlls_come_once_each() {
    each_layout(|forged| {
        let expected = &forged.expected;
        let rows = rows(forged, "dlls", &[]);
        let mut count = 0;
        for process in &expected.processes {
            let modules = modules(expected, process);
            let own = rows.iter().filter(|row| row["pid"] == process.pid);
            let own: Vec<_> = own.collect();
            assert_eq!(own.len(), modules.len());
            for row in own {
                let base = row["base"].as_str().unwrap().trim_start_matches("0x");
                let it = modules[&u64::from_str_radix(base, 16).unwrap()];
                let is_narrow = it.width == Width::X86;
                let is_listed = it.lists.contains(&true);
                let text = |listed: &String| match is_listed {
                    true => Some(listed.clone()),
                    false => None,
                };
                // The loader names the base of a DLL without an entry point, headers nothing.
                let entry_point = match !is_listed && it.entry_point == it.base {
                    true => 0,
                    false => it.entry_point,
                };
                let placed = json!({
                    "process": hex(process.object),
                    "pid": process.pid,
                    "entry": hex_or_null(if is_listed { it.entry } else { 0 }),
                    "base": hex(it.base),
                    "size": it.size,
                    "entry_point": hex(entry_point),
                    "time_date_stamp": it.time_stamp,
                    "wow64": is_narrow,
                    "bits": if is_narrow { 32 } else { 64 },
                    "listed": is_listed,
                    "in_load_order": it.lists[0],
                    "in_memory_order": it.lists[1],
                    "in_initialization_order": it.lists[2],
                    "name": it.name,
                    // What no loader lists has the kernel's path only.
                    "path": text(&it.path).or(it.mapped_path.clone()),
                    "mapped_path": it.mapped_path,
                });
                check(row, placed, &[]);
                count += 1;
            }
        }
        assert_eq!((rows.len(), count > 20), (count, true));
    });
}

/// What each process's own code was started with.
fn parameters(expected: &Expected) -> Vec<(&ExpectedProcess, &ExpectedParameters)> {
    let processes = expected.processes.iter();
    let own = processes.filter_map(|process| {
        let width = match process.is_wow64 {
            true => Width::X86,
            false => Width::Amd64,
        };
        let mut all = expected.parameters.iter();
        let own = all.find(|it| it.process == process.object && it.width == width);
        own.map(|own| (process, own))
    });
    own.collect()
}

#[test]
fn cmdline_tells_what_processes_were_started_with() {
    each_layout(|forged| {
        let rows = rows(forged, "cmdline", &[]);
        let parameters = parameters(&forged.expected);
        assert_eq!(rows.len(), parameters.len());
        for (row, (process, it)) in rows.iter().zip(parameters) {
            let placed = json!({
                "process": hex(process.object),
                "pid": process.pid,
                "name": process.name,
                "image_path": it.image_path,
                "command_line": it.command_line,
                "current_directory": it.current_directory,
                "dll_path": it.dll_path,
                "window_title": it.window_title,
                "desktop": it.desktop,
            });
            check(row, placed, &[]);
        }
    });
}

#[test]
fn env_tells_every_variable() {
    each_layout(|forged| {
        let rows = rows(forged, "env", &[]);
        let parameters = parameters(&forged.expected);
        let variables: Vec<_> = parameters
            .iter()
            .flat_map(|(process, it)| it.environment.iter().map(move |it| (process, it)))
            .collect();
        assert_eq!(rows.len(), variables.len());
        for (row, (process, (name, value))) in rows.iter().zip(variables) {
            let placed = json!({
                "process": hex(process.object),
                "pid": process.pid,
                "name": name,
                "value": value,
            });
            check(row, placed, &[]);
        }
    });
}

/// A module that is whole is written without a row; what is missing has one each.
#[test]
fn dump_module_tells_what_is_missing() {
    each_layout(|forged| {
        let process = forged.expected.process_named("notepad.exe").unwrap();
        let module = forged.expected.modules_of(process.object).next().unwrap();
        let (pid, base) = (process.pid.to_string(), format!("{:#x}", module.base));
        let file = forged.dump.with_extension("module");
        let arguments = [&base, "--pid", &pid, "--layout", "memory", "-o"];
        let output = file.to_str().unwrap();
        let (rows, code) = forged.rows("dump-module", &[&arguments[..], &[output]].concat());
        assert_eq!(fs::metadata(&file).unwrap().len(), u64::from(module.size));
        fs::remove_file(&file).unwrap();
        assert_eq!(rows.len(), module.missing.len());
        assert_eq!(code, Some(if rows.is_empty() { 0 } else { 3 }));
        for (row, page) in rows.iter().zip(&module.missing) {
            let placed = json!({
                "base": base,
                "name": module.name,
                "offset": hex(u64::from(*page) * 0x1000),
                "length": 0x1000,
            });
            check(row.as_object().unwrap(), placed, &["cause"]);
        }
    });
}
