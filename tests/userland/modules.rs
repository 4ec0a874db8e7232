//! Modules of user mode, listed and not.

use std::collections::HashSet;

use winvmi::{
    core::Va,
    os::windows::{Architecture, LoaderLists, LoaderOrder, UserModule},
    pe::ExportTarget,
};
use winvmi_forge::{ExpectedUserModule, Width};

use crate::{architecture, on_all_layouts};

fn lists(expected: &ExpectedUserModule) -> LoaderLists {
    let all = [
        LoaderLists::LOAD,
        LoaderLists::MEMORY,
        LoaderLists::INITIALIZATION,
    ];
    let on = all.into_iter().zip(expected.lists);
    on.filter_map(|(list, is_on)| is_on.then_some(list))
        .collect()
}

fn assert_module(module: &UserModule<'_>, expected: &ExpectedUserModule) {
    let about = format!("{expected:x?}");
    assert_eq!(module.base(), Va(expected.base), "{about}");
    let entry = module.entry().map_or(0, |entry| entry.address().0);
    assert_eq!(entry, expected.entry, "{about}");
    assert_eq!(module.lists(), lists(expected), "{about}");
    assert_eq!(module.size().unwrap(), u64::from(expected.size));
    assert_eq!(module.entry_point().ok(), Some(entry_point(expected)));
    assert_eq!(module.time_date_stamp().unwrap(), expected.time_stamp);
    assert_eq!(module.name().unwrap(), expected.name);
    assert_eq!(Some(module.mapped_path().unwrap()), expected.mapped_path);
    let path = match expected.listed_by {
        Some(_) => &expected.path,
        None => expected.mapped_path.as_ref().unwrap(),
    };
    assert_eq!(&module.path().unwrap(), path);
    let width = architecture(expected.width);
    assert_eq!(module.architecture().unwrap(), width, "{about}");
    let pe = module.pe().unwrap();
    assert_eq!(pe.headers().size_of_image, expected.size);
    let pdb = module.pdb().unwrap().unwrap();
    assert_eq!(pdb.name, expected.name.replace(".dll", ".pdb"));
}

/// A loader's entry point is an address even where the image has none.
const fn entry_point(expected: &ExpectedUserModule) -> Va {
    match expected.listed_by {
        None if expected.entry_point == expected.base => Va(0),
        _ => Va(expected.entry_point),
    }
}

#[test]
fn every_module_comes_out_once() {
    on_all_layouts(|windows, expected| {
        for process in &expected.processes {
            let mut placed: Vec<_> = expected.modules_of(process.object).collect();
            if placed.is_empty() {
                continue;
            }
            let modules = windows.process(Va(process.object)).user_modules();
            for module in modules.map(Result::unwrap) {
                let at = placed.iter().position(|it| Va(it.base) == module.base());
                let placed = placed.remove(at.unwrap());
                assert_module(&module, placed);
                let mut copy = [0; UserModule::SNAPSHOT];
                assert_module(&module.with_copy(&mut copy), placed);
            }
            assert!(placed.is_empty(), "{placed:x?}");
        }
    });
}

#[test]
fn each_order_of_a_loader_is_kept() {
    let orders = [
        LoaderOrder::Load,
        LoaderOrder::Memory,
        LoaderOrder::Initialization,
    ];
    on_all_layouts(|windows, expected| {
        for process in &expected.processes {
            let guest = windows.process(Va(process.object));
            let Some(block) = guest.environment_block().unwrap() else {
                continue;
            };
            let Some(data) = block.loader_data().unwrap() else {
                continue;
            };
            for (index, order) in orders.into_iter().enumerate() {
                let found: Vec<_> = data
                    .entries(order)
                    .map(|entry| entry.unwrap().base().unwrap())
                    .collect();
                let own = |it: &&ExpectedUserModule| {
                    it.lists[index] && it.listed_by.map(architecture) == Some(block.architecture())
                };
                let placed = expected.modules_of(process.object).filter(own);
                let placed: Vec<_> = placed.map(|it| Va(it.base)).collect();
                if !placed.is_empty() {
                    assert_eq!(found, placed, "{} {order:?}", process.name);
                }
            }
        }
    });
}

#[test]
fn images_behind_the_loaders_back_are_said_to_be() {
    on_all_layouts(|windows, _| {
        let process = windows.process_by_name("explorer.exe").unwrap();
        let module = |name| process.user_module(name, None).unwrap();
        assert_eq!(module("hidden").lists(), LoaderLists::empty());
        assert!(module("hidden").entry().is_none());
        let left = LoaderLists::MEMORY | LoaderLists::INITIALIZATION;
        assert_eq!(module("unlinked").lists(), left);
        assert_eq!(module("ntdll").lists(), LoaderLists::all());
        // The executable is never initialized as a DLL is.
        let executable = LoaderLists::LOAD | LoaderLists::MEMORY;
        assert_eq!(module("explorer.exe").lists(), executable);
    });
}

#[test]
fn symbols_of_both_widths_are_told_apart() {
    on_all_layouts(|windows, expected| {
        let process = windows.process_by_name("legacy32.exe").unwrap();
        let base = |width: Width| {
            let mut modules = expected.modules_of(process.object().0);
            let module = modules.find(|it| it.name == "ntdll.dll" && it.width == width);
            module.unwrap().base
        };
        let symbol = |architecture| {
            process
                .user_symbol("ntdll!NtCreateFile", architecture, &())
                .unwrap()
        };
        let (narrow, wide) = (base(Width::X86) + 0x1200, base(Width::Amd64) + 0x1200);
        assert_eq!(symbol(None), Va(narrow));
        assert_eq!(symbol(Some(Architecture::X86)), Va(narrow));
        assert_eq!(symbol(Some(Architecture::Amd64)), Va(wide));
        let heap_alloc = process.user_symbol("KERNEL32!HeapAlloc", None, &());
        assert_eq!(heap_alloc.unwrap(), Va(base(Width::X86) + 0x1300));
        for absent in ["ntdll!Absent", "absent!NtCreateFile", "ntdll"] {
            assert!(process.user_symbol(absent, None, &()).is_err(), "{absent}");
        }
    });
}

#[test]
fn exports_of_all_modules_can_be_read() {
    on_all_layouts(|windows, _| {
        let process = windows.process_by_name("notepad.exe").unwrap();
        let ntdll = process.user_module("ntdll.dll", None).unwrap();
        let pe = ntdll.pe().unwrap();
        let exports = pe.exports().unwrap().unwrap();
        let names: HashSet<_> = exports.iter().filter_map(|it| it.unwrap().name).collect();
        assert!(names.contains("LdrLoadDll"));
        let second = ntdll.export("#2").unwrap().unwrap();
        assert_eq!(second.target, ExportTarget::Rva(0x1200));
    });
}
