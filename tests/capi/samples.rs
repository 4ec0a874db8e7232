//! DLLs of a public linker in the forged guest, taken out through C.

use std::{fmt::Write, fs, path::Path, process::Command};

use winvmi_forge::{DllSpec, Guest, Width};

use crate::{
    forged::Forged,
    root,
    toolchain::{self, LANGUAGES, Linkage, compilers},
};

/// A DLL as the linker made it, and what objdump says about it.
struct Sample {
    name: &'static str,
    path: &'static str,
    file: &'static [u8],
    objdump: &'static str,
    width: Width,
    base: u64,
    process: &'static str,
}

const SAMPLES: [Sample; 2] = [
    Sample {
        name: "sample_x64.dll",
        path: "C:\\Program Files\\Sample\\sample_x64.dll",
        file: include_bytes!("../pe/sample_x64.dll"),
        objdump: include_str!("../pe/sample_x64.txt"),
        width: Width::Amd64,
        base: 0x4_8000_0000,
        process: "notepad.exe",
    },
    Sample {
        name: "sample_x86.dll",
        path: "C:\\Program Files (x86)\\Sample\\sample_x86.dll",
        file: include_bytes!("../pe/sample_x86.dll"),
        objdump: include_str!("../pe/sample_x86.txt"),
        width: Width::X86,
        base: 0x1000_0000,
        process: "legacy32.exe",
    },
];

/// Pages that are not in memory: code and data.
const MISSING: [u32; 2] = [1, 3];

/// Maps the samples.
pub fn load(guest: &mut Guest) {
    for sample in &SAMPLES {
        let process = guest.expected().process_named(sample.process).unwrap();
        let process = process.object;
        guest.load_dll(
            process,
            &DllSpec {
                name: sample.name,
                path: sample.path,
                base: sample.base,
                file: sample.file,
                width: sample.width,
                lists: [true; 3],
                missing: &MISSING,
            },
        );
    }
}

/// The lines of objdump's two export tables, without addresses of forwarders' texts.
fn exports(objdump: &str) -> Vec<String> {
    let tables = ["Export Address Table --", "[Ordinal/Name Pointer] Table"];
    let lines = tables.into_iter().flat_map(|title| {
        let lines = objdump.lines().skip_while(move |it| !it.starts_with(title));
        lines
            .skip(1)
            .take_while(|it| it.trim_start().starts_with('['))
    });
    lines
        .map(|line| without_forwarder_address(line.trim()))
        .collect()
}

/// A forwarder's line without the address of its text, which is no part of what it means.
fn without_forwarder_address(line: &str) -> String {
    match line.split_once(" Forwarder RVA") {
        Some((start, end)) => {
            let ordinals = start.rsplit_once(' ').map_or(start, |(it, _)| it);
            format!("{ordinals} Forwarder RVA{end}")
        }
        None => line.to_owned(),
    }
}

/// What the C programs need to know.
pub fn declare(out: &mut String) {
    out.push_str("struct forged_sample { const char *process, *name; uint32_t wow64; ");
    out.push_str("uint64_t base; size_t file_size; const char *exports; };\n");
    out.push_str("static const struct forged_sample forged_samples[] = {\n");
    for sample in &SAMPLES {
        let exports = exports(sample.objdump).join("\\n");
        let is_narrow = u8::from(sample.width == Width::X86);
        let (process, name) = (sample.process, sample.name);
        let (base, size) = (sample.base, sample.file.len());
        writeln!(
            out,
            "    {{\"{process}\", \"{name}\", {is_narrow}, {base:#x}U, {size}, \"{exports}\\n\"}},"
        )
        .unwrap();
    }
    out.push_str("};\n\n");
}

/// Takes a sample out of the guest with the example program.
fn extracted(program: &Path, sample: &Sample) -> std::path::PathBuf {
    let forged = Forged::get();
    let target = forged.directory().join(sample.name);
    let mut command = Command::new(program);
    command
        .arg(forged.dump())
        .args([sample.process, sample.name]);
    command.arg(&target).arg(forged.symbols());
    command.env("XDG_CACHE_HOME", forged.directory());
    toolchain::run(&mut command);
    target
}

#[test]
fn an_extracted_dll_has_the_export_table_that_objdump_prints() {
    let forged = Forged::get();
    let source = root().join("c-examples/dump_module.c");
    let program = forged.directory().join("dump_module");
    let compiler = compilers()[0];
    compiler.build(
        LANGUAGES[0],
        Linkage::Shared,
        (&source, forged.directory(), &program),
    );
    for sample in &SAMPLES {
        let file = extracted(&program, sample);
        assert_eq!(fs::metadata(&file).unwrap().len(), sample.file.len() as u64);
        if !toolchain::is_installed("objdump") {
            println!("skipped: objdump is not installed");
            continue;
        }
        let output = Command::new("objdump")
            .arg("-p")
            .arg(&file)
            .output()
            .unwrap();
        let printed = String::from_utf8_lossy(&output.stdout).into_owned();
        let expected = exports(sample.objdump);
        assert_eq!(expected.len(), 11);
        assert_eq!(exports(&printed), expected, "{}", sample.name);
    }
}
