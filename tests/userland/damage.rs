//! Damaged user mode: nothing hangs, nothing is guessed, what is left comes out.

use winvmi::{
    Error, FaultKind,
    core::Va,
    os::windows::{LoaderOrder, ParameterText, Process, Windows},
};
use winvmi_forge::{Guest, Layout, PteFlags, Width};

use crate::support;

/// A guest to be damaged and its WoW64 and its native process.
struct Victim {
    guest: Guest,
    wow64: u64,
    native: u64,
}

impl Victim {
    fn new() -> Self {
        let guest = support::guest(Layout::Win10_2004);
        let object = |name| guest.expected().process_named(name).unwrap().object;
        Self {
            wow64: object("legacy32.exe"),
            native: object("notepad.exe"),
            guest,
        }
    }

    /// Process, width and environment of both.
    fn environments(&self) -> [(u64, Width, u64, u64); 2] {
        [(self.wow64, Width::X86), (self.native, Width::Amd64)].map(|(process, width)| {
            let parameters = self.guest.expected().parameters.iter();
            let mut parameters = parameters.filter(|it| it.process == process && it.width == width);
            let it = parameters.next().unwrap();
            (process, width, it.address, it.environment_address)
        })
    }

    fn poke_parameter(
        &mut self,
        (process, width, address): (u64, Width, u64),
        path: &str,
        value: u64,
    ) {
        let structure = "_RTL_USER_PROCESS_PARAMETERS";
        let field = self.guest.user_field(width, address, structure, path);
        self.guest.write_user_pointer(process, width, field, value);
    }

    fn windows(self) -> Windows {
        support::windows(self.guest)
    }
}

fn variables(process: &Process<'_>) -> (Vec<String>, Vec<Error>) {
    let block = process.environment_block().unwrap().unwrap();
    let parameters = block.parameters().unwrap().unwrap();
    let (mut names, mut gaps) = (Vec::new(), Vec::new());
    for variable in parameters.environment().unwrap() {
        match variable {
            Ok(variable) => names.push(variable.name()),
            Err(gap) => gaps.push(gap),
        }
    }
    (names, gaps)
}

#[test]
fn an_environment_without_end_ends_with_its_size() {
    let mut victim = Victim::new();
    for (process, _, _, environment) in victim.environments() {
        victim
            .guest
            .write_user(process, environment, &[0x41; 0x800]);
    }
    let [wow64, native] = [victim.wow64, victim.native];
    let windows = victim.windows();
    for process in [wow64, native] {
        let (names, gaps) = variables(&windows.process(Va(process)));
        // What follows the letters is what was there before.
        assert!(names.len() < 8, "{names:?}");
        assert!(gaps.len() <= 1, "{gaps:?}");
    }
}

#[test]
fn an_environment_of_letters_alone_is_damaged_once() {
    let mut victim = Victim::new();
    let [(process, width, address, _), _] = victim.environments();
    let size = 0x4000;
    let letters = victim.guest.allocate_user_pages(process, size);
    victim.guest.write_user(process, letters, &[0x41; 0x4000]);
    victim.poke_parameter((process, width, address), "Environment", letters);
    victim.poke_parameter((process, width, address), "EnvironmentSize", size);
    let windows = victim.windows();
    let (names, gaps) = variables(&windows.process(Va(process)));
    assert_eq!(names, [""; 0]);
    assert!(
        matches!(gaps.as_slice(), [Error::Corrupt { .. }]),
        "{gaps:?}"
    );
}

#[test]
fn an_environment_goes_on_behind_a_missing_page() {
    let mut victim = Victim::new();
    let (process, width) = (victim.native, Width::Amd64);
    let [_, (_, _, address, _)] = victim.environments();
    let block = victim.guest.allocate_user_pages(process, 0x3000);
    let text: String = (0..0x3000 / 2 / 16)
        .map(|index| format!("{index:07}=1234567\0"))
        .collect();
    let bytes: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    victim.guest.write_user(process, block, &bytes);
    victim.guest.unmap_user(process, block + 0x1000);
    victim.poke_parameter((process, width, address), "Environment", block);
    victim.poke_parameter((process, width, address), "EnvironmentSize", 0x3000);
    let windows = victim.windows();
    let (names, gaps) = variables(&windows.process(Va(process)));
    assert_eq!(gaps.len(), 1);
    assert_eq!(gaps[0].fault().unwrap().kind, FaultKind::NotMapped);
    // 128 before the hole; behind it the first one may be half a string.
    assert_eq!(names.len(), 128 + 127);
    assert_eq!(names[128], "0000257");
}

#[test]
fn wild_and_hostile_pointers_are_refused() {
    let mut victim = Victim::new();
    let kernel = victim.guest.expected().kernel.base;
    let [_, (process, width, address, _)] = victim.environments();
    victim.guest.poke_peb(process, width, "Ldr", kernel);
    victim.poke_parameter((process, width, address), "Environment", kernel);
    let command_line = victim.guest.user_field(
        width,
        address,
        "_RTL_USER_PROCESS_PARAMETERS",
        "CommandLine",
    );
    victim
        .guest
        .write_user_pointer(process, width, command_line + 8, kernel);
    let wow64 = victim.wow64;
    victim
        .guest
        .poke_peb(wow64, Width::X86, "ProcessParameters", 0xdead_beef);
    let windows = victim.windows();
    let native = windows.process(Va(process));
    let block = native.environment_block().unwrap().unwrap();
    assert!(matches!(block.loader_data(), Err(Error::Corrupt { .. })));
    let parameters = block.parameters().unwrap().unwrap();
    let command_line = parameters.text(ParameterText::CommandLine);
    assert!(matches!(command_line, Err(Error::Corrupt { .. })));
    assert!(parameters.text(ParameterText::ImagePath).is_ok());
    assert!(parameters.environment().is_err());
    let wow64 = windows.process(Va(wow64)).environment_block().unwrap();
    let parameters = wow64.unwrap().parameters().unwrap().unwrap();
    let text = parameters.text(ParameterText::CommandLine);
    assert!(text.unwrap_err().fault().is_some());
}

#[test]
fn cyclic_loader_lists_end_with_one_gap() {
    for width in [Width::X86, Width::Amd64] {
        let mut victim = Victim::new();
        let process = match width {
            Width::X86 => victim.wow64,
            Width::Amd64 => victim.native,
        };
        let modules = victim.guest.expected().modules_of(process);
        let entries: Vec<_> = modules.filter(|it| it.listed_by == Some(width)).collect();
        let (first, last) = (entries[0].entry, entries[entries.len() - 1].entry);
        let count = entries.len();
        // The last entry's successor in load order is the first.
        victim.guest.write_user_pointer(process, width, last, first);
        let windows = victim.windows();
        let process = windows.process(Va(process));
        let block = process.environment_block().unwrap().unwrap();
        let data = block.loader_data().unwrap().unwrap();
        let walk: Vec<_> = data.entries(LoaderOrder::Load).collect();
        assert_eq!(walk.iter().filter(|it| it.is_err()).count(), 1);
        assert_eq!(walk.iter().flatten().count(), count);
        // The other lists are sound, and so no module is lost.
        let modules: Vec<_> = process.user_modules().collect();
        assert_eq!(modules.iter().filter(|it| it.is_err()).count(), 1);
        assert!(modules.iter().flatten().count() >= count);
    }
}

#[test]
fn modules_without_loader_are_found_by_their_regions() {
    let mut victim = Victim::new();
    let process = victim.native;
    let count = victim.guest.expected().modules_of(process).count();
    let peb = victim
        .guest
        .expected()
        .process_named("notepad.exe")
        .unwrap()
        .peb;
    victim.guest.unmap_user(process, peb);
    let windows = victim.windows();
    let process = windows.process(Va(process));
    let modules: Vec<_> = process.user_modules().collect();
    assert_eq!(modules.iter().filter(|it| it.is_err()).count(), 1);
    let found: Vec<_> = modules.into_iter().flatten().collect();
    assert_eq!(found.len(), count);
    assert!(found.iter().all(|module| module.lists().is_empty()));
    let names: Vec<_> = found.iter().map(|module| module.name().unwrap()).collect();
    assert!(names.contains(&"ntdll.dll".to_owned()), "{names:?}");
}

#[test]
fn a_name_that_is_paged_out_in_the_kernel_is_the_loaders() {
    let mut victim = Victim::new();
    let process = victim.native;
    let regions = victim.guest.expected().regions_of(process);
    let image = regions.iter().find(|it| it.is_image).unwrap();
    let (base, area) = (image.start, image.control_area.unwrap());
    let path = "FilePointer";
    victim
        .guest
        .poke_field(area, "_CONTROL_AREA", path, 0xffff_8765_4321_0000);
    let windows = victim.windows();
    let process = windows.process(Va(process));
    let mut modules = process.user_modules().flatten();
    let module = modules.find(|module| module.base() == Va(base)).unwrap();
    assert!(module.mapped_path().is_err());
    assert_eq!(module.name().unwrap(), "notepad.exe");
    assert!(module.path().unwrap().starts_with("C:\\"));
}

#[test]
fn lengths_beyond_all_memory_cost_nothing() {
    let mut victim = Victim::new();
    let process = victim.native;
    let flags = PteFlags::USER_DATA;
    // An image that says it has 4 GiB, and thousands of sections.
    let base = 0x2_9000_0000;
    victim.guest.map_user(process, base, 0x1000, flags);
    let mut header = include_bytes!("../pe/sample_x64.dll")[..0x400].to_vec();
    let nt = u32::from_le_bytes(header[0x3c..0x40].try_into().unwrap()) as usize;
    header[nt + 6..nt + 8].copy_from_slice(&[0xff, 0x5f]);
    header[nt + 24 + 56..nt + 24 + 60].copy_from_slice(&[0xff; 4]);
    victim.guest.write_user(process, base, &header);
    let windows = victim.windows();
    let process = windows.process(Va(process));
    let module = winvmi::os::windows::UserModule::new(process, Va(base)).unwrap();
    assert_eq!(module.size().unwrap(), 0xffff_ffff);
    let memory = module.extract(winvmi::pe::ImageLayout::Memory).unwrap();
    let mut page = [0; 0x1000];
    assert_eq!(memory.read(0, &mut page), 0x1000);
    assert_eq!(page[..0x400], header);
    assert_eq!(memory.read(0xf000_0000, &mut page), 0x1000);
    assert_eq!(page, [0; 0x1000]);
    assert!(module.extract(winvmi::pe::ImageLayout::File).is_err());
}

#[test]
fn damaged_region_trees_end_with_gaps() {
    let mut victim = Victim::new();
    let process = victim.native;
    let regions: Vec<u64> = {
        let regions = victim.guest.expected().regions_of(process);
        regions.iter().map(|region| region.vad).collect()
    };
    let root = victim
        .guest
        .peek_field(process, "_EPROCESS", "VadRoot.Root");
    // The smallest region's left child is the topmost node.
    let smallest = regions[0];
    victim
        .guest
        .poke_field(smallest, "_MMVAD_SHORT", "VadNode.Left", root);
    // The largest region's right child is nowhere.
    let largest = regions[regions.len() - 1];
    let nowhere = 0xffff_8765_4321_0000;
    victim
        .guest
        .poke_field(largest, "_MMVAD_SHORT", "VadNode.Right", nowhere);
    let windows = victim.windows();
    let walk: Vec<_> = windows.process(Va(process)).regions().collect();
    assert_eq!(walk.iter().filter(|it| it.is_err()).count(), 2);
    let found: Vec<_> = walk.iter().flatten().map(|region| region.vad().0).collect();
    assert_eq!(found, regions);
}
