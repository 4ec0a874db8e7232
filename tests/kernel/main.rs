//! Finding the kernel, with every kind of clue and with none.

mod five_levels;
mod forged;
mod guest;
mod real;

use winvmi::{
    Error,
    core::{Memory, Pa, Progress, Space, Va},
    os::windows::kernel::{Clues, KernelImage, find_below, find_in_root, find_root, locate},
};

use guest::{Guest, KERNEL_BASE};

/// A guest with one root and the kernel, from 1 MiB on.
fn with_kernel() -> (Guest, u64) {
    let mut guest = Guest::new(0x100);
    let root = guest.root();
    guest.load(root, KERNEL_BASE, "ntkrnlmp.pdb");
    (guest, root)
}

fn assert_kernel(image: &KernelImage) {
    assert_eq!(image.base, Va(KERNEL_BASE));
    assert_eq!(image.os_version, (10, 0));
    assert_eq!(image.pdb.as_ref().unwrap().name, "ntkrnlmp.pdb");
}

fn virtual_space(root: u64) -> Space {
    Space::Virtual { root: Pa(root) }
}

#[test]
fn a_base_is_believed_with_a_kernels_codeview_only() {
    let (mut guest, root) = with_kernel();
    let ntfs = KERNEL_BASE - 0x100_0000;
    guest.load(root, ntfs, "ntfs.pdb");
    let (_guest, memory) = guest.memory();
    let space = virtual_space(root);
    assert_kernel(&KernelImage::verify(&memory, space, Va(KERNEL_BASE)).unwrap());
    for base in [ntfs, KERNEL_BASE + 0x1000] {
        let refused = KernelImage::verify(&memory, space, Va(base));
        assert!(matches!(refused, Err(Error::NoKernel { .. })), "{base:#x}");
        let refused = KernelImage::from_hint(&memory, space, Va(base));
        assert!(matches!(refused, Err(Error::NoKernel { .. })), "{base:#x}");
    }
}

#[test]
fn only_hints_are_believed_without_debug_data() {
    let (mut guest, root) = with_kernel();
    let memory = guest_without_page(&mut guest, root, KERNEL_BASE + 0x2000);
    let space = virtual_space(root);
    let image = KernelImage::from_hint(&memory, space, Va(KERNEL_BASE)).unwrap();
    assert_eq!((image.base, image.pdb), (Va(KERNEL_BASE), None));
    let refused = KernelImage::verify(&memory, space, Va(KERNEL_BASE));
    assert!(refused.is_err_and(|error| error.fault().is_some()));
}

/// The guest's memory without the frame behind `va`.
fn guest_without_page(guest: &mut Guest, root: u64, va: u64) -> Memory {
    let whole = std::mem::replace(guest, Guest::new(0));
    let (whole, memory) = whole.memory();
    let pa = memory.translate(Pa(root), Va(va)).unwrap().pa;
    drop(memory);
    let mut whole = std::sync::Arc::into_inner(whole).unwrap();
    whole.forget(pa.0);
    whole.memory().1
}

#[test]
fn the_system_call_entry_leads_down_to_the_kernel() {
    let (mut guest, root) = with_kernel();
    // What lies between has no MZ, or is another module, or is not mapped at all.
    guest.load(root, KERNEL_BASE + 0x10_0000, "ntfs.pdb");
    let (_guest, memory) = guest.memory();
    for offset in [0, 0x1234, 0x10_2000, 0x1ff_ffff, 0x200_0000] {
        let image = find_below(&memory, Pa(root), Va(KERNEL_BASE + offset)).unwrap();
        assert_kernel(&image);
    }
    let too_far = find_below(&memory, Pa(root), Va(KERNEL_BASE + 0x200_1000));
    assert!(matches!(too_far, Err(Error::NoKernel { .. })));
}

#[test]
fn entries_that_are_no_kernel_addresses_lead_nowhere() {
    let (guest, root) = with_kernel();
    let (_guest, memory) = guest.memory();
    let wild = [
        0,
        1,
        0x1000,
        0x200_0000,
        0x7fff_ffff_ffff,
        0x8000_0000_0000,
        u64::MAX,
    ];
    for lstar in wild {
        let found = find_below(&memory, Pa(root), Va(lstar));
        assert!(matches!(found, Err(Error::NoKernel { .. })), "{lstar:#x}");
    }
}

#[test]
fn page_tables_lead_to_the_kernel_behind_other_drivers() {
    let (mut guest, root) = with_kernel();
    guest.load(root, 0xffff_f800_0001_0000, "ntfs.pdb");
    guest.load(root, KERNEL_BASE - 0x20_0000, "hal.pdb");
    let (_guest, memory) = guest.memory();
    assert_kernel(&find_in_root(&memory, Pa(root), &()).unwrap());
}

#[test]
fn page_tables_without_a_kernel_are_said_to_have_none() {
    let mut guest = Guest::new(0x100);
    let root = guest.root();
    guest.load(root, KERNEL_BASE, "ntfs.pdb");
    let (_guest, memory) = guest.memory();
    let found = find_in_root(&memory, Pa(root), &());
    assert!(matches!(found, Err(Error::NoKernel { .. })));
}

#[test]
fn tables_that_map_everything_end_the_search_in_time() {
    let mut guest = Guest::new(0x100);
    let root = guest.root();
    // One table that is its own child at every level maps 256 TiB to one frame.
    let table = guest.frame();
    for index in 0..512 {
        guest.write_u64(table + index * 8, table | 3);
    }
    guest.write_u64(root + 0x1f0 * 8, table | 3);
    let (_guest, memory) = guest.memory();
    assert!(find_in_root(&memory, Pa(root), &()).is_err());
}

#[test]
fn the_start_block_spares_the_scan() {
    let (mut guest, root) = with_kernel();
    guest.start_block(0x1_3000, root, KERNEL_BASE + 0x1040);
    guest.padding = 64 << 30;
    let (guest, memory) = guest.memory();
    let found = find_root(&memory, &EndAt("looking for page tables")).unwrap();
    assert_eq!(found.root, Pa(root));
    assert_kernel(&found.image);
    assert!(guest.reads() < 20_000, "{} reads", guest.reads());
}

#[test]
fn start_blocks_that_lie_are_passed_over() {
    let (mut guest, root) = with_kernel();
    guest.start_block(0x1000, root + 0x1000, KERNEL_BASE);
    guest.start_block(0x2000, 0xdead_beef_f000, KERNEL_BASE);
    guest.start_block(0x3000, root, 0x1000);
    // The entry point lies in another image (the HAL of older Windows), above the kernel.
    guest.start_block(0x4000, root, 0xffff_f87f_ffff_f000);
    let (_guest, memory) = guest.memory();
    let found = find_root(&memory, &EndAt("looking for page tables")).unwrap();
    assert_eq!(found.root, Pa(root));
    assert_kernel(&found.image);
}

#[test]
fn without_a_start_block_the_system_process_is_preferred() {
    let mut guest = Guest::new(0x100);
    // The tables of a busy process come first in physical memory.
    let early = guest.frame();
    let system = guest.root();
    guest.load(system, KERNEL_BASE, "ntkrnlmp.pdb");
    let busy = guest.process_root(system, 5);
    let busier = guest.process_root(system, 7);
    for index in 0..512 {
        let entry = guest.read_u64(busy + index * 8);
        guest.write_u64(early + index * 8, entry);
    }
    guest.write_u64(early + guest::SELF_MAP_INDEX * 8, early | 3);
    let (_guest, memory) = guest.memory();
    let found = find_root(&memory, &()).unwrap();
    assert_eq!(
        found.root,
        Pa(system),
        "not {early:#x}, {busy:#x}, {busier:#x}"
    );
    assert_kernel(&found.image);
}

#[test]
fn without_the_system_process_any_root_will_do() {
    let (mut guest, system) = with_kernel();
    let busier = guest.process_root(system, 7);
    let busy = guest.process_root(system, 5);
    guest.forget(system);
    let (_guest, memory) = guest.memory();
    let found = find_root(&memory, &()).unwrap();
    assert_eq!(found.root, Pa(busy), "not {busier:#x}");
}

#[test]
fn self_maps_without_windows_are_passed_over() {
    let mut guest = Guest::new(0x100);
    let foreign = guest.frame();
    guest.write_u64(foreign + 0x1f0 * 8, foreign | 3);
    let in_lower_half = guest.frame();
    guest.write_u64(in_lower_half + 8, in_lower_half | 3);
    let (_guest, memory) = guest.memory();
    let found = find_root(&memory, &());
    assert!(matches!(found, Err(Error::NoKernel { .. })));
}

/// Asks to end when a stage begins.
struct EndAt(&'static str);

impl Progress for EndAt {
    fn report(&self, stage: &'static str, _done: u64, _total: u64) -> bool {
        stage != self.0
    }
}

#[test]
fn searches_end_when_they_are_told_to() {
    let (guest, root) = with_kernel();
    let (_guest, memory) = guest.memory();
    let stages = ["looking for page tables", "looking for the kernel"];
    for stage in stages {
        let found = find_root(&memory, &EndAt(stage));
        assert!(matches!(found, Err(Error::Cancelled)), "{stage}");
    }
    let found = find_in_root(&memory, Pa(root), &EndAt(stages[1]));
    assert!(matches!(found, Err(Error::Cancelled)));
}

#[test]
fn clues_are_tried_from_the_best_to_none() {
    let (guest, root) = with_kernel();
    let (_guest, memory) = guest.memory();
    let wrong = Va(KERNEL_BASE + 0x5000);
    let base = Some(Va(KERNEL_BASE));
    let lstar = KERNEL_BASE + 0x1040;
    let roots = vec![Pa(0x7000), Pa(root)];
    let clues = [
        (roots.clone(), base, 0),
        (roots.clone(), Some(wrong), lstar),
        (roots.clone(), None, lstar),
        (roots, Some(wrong), 0x1000),
        (vec![Pa(0x7000)], base, lstar),
        (Vec::new(), None, 0),
    ];
    for (roots, base, lstar) in clues {
        let clues = Clues { roots, base, lstar };
        let found = locate(&memory, &clues, &()).unwrap();
        assert_eq!(found.root, Pa(root), "{clues:?}");
        assert_kernel(&found.image);
    }
}
