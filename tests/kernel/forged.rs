//! Raw images of all layouts: the kernel is found without a single register.

use std::{
    fs::{File, OpenOptions},
    path::{Path, PathBuf},
    sync::Arc,
};

use winvmi::{
    arch::amd64::LongMode,
    core::{Memory, Pa, Space, Va},
    driver::{self, Target},
    os::windows::kernel::{KernelImage, find_below, find_in_root, find_root},
    symbols::{PdbId, read_isf},
};
use winvmi_forge::{ExpectedKernel, Guest, Layout, Options, PageSize};

use crate::EndAt;

/// An image that is removed when the test is over.
pub struct TempImage(pub PathBuf);

impl TempImage {
    pub fn new(name: &str) -> Self {
        let file = format!("winvmi-kernel-{name}-{}", std::process::id());
        Self(std::env::temp_dir().join(file))
    }

    fn raw(guest: &Guest, name: &str) -> Self {
        let image = Self::new(name);
        guest.write_raw(&image.0).unwrap();
        image
    }

    fn full_dump(guest: &Guest, name: &str) -> Self {
        let image = Self::new(name);
        guest.write_full_dump(&image.0).unwrap();
        image
    }

    fn memory(&self) -> Memory {
        let path: &Path = &self.0;
        let driver = driver::open(&Target::from(path), Default::default()).unwrap();
        let memory = Memory::new(driver, 8192);
        memory.set_translate(Arc::new(LongMode::new(4)));
        memory
    }
}

impl Drop for TempImage {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

fn assert_kernel(image: &KernelImage, expected: &ExpectedKernel) {
    assert_eq!(image.base, Va(expected.base));
    assert_eq!(u64::from(image.size), expected.size);
    let version = (image.os_version.0.into(), image.os_version.1.into());
    assert_eq!(version, (expected.major_version, expected.minor_version));
    let signature = format!("{}{:X}", expected.guid, expected.age);
    let pdb = PdbId::parse(&expected.pdb, &signature).unwrap();
    assert_eq!(image.pdb, Some(pdb));
}

#[test]
fn every_layout_is_found_with_and_without_the_start_block() {
    for layout in Layout::ALL {
        for low_stub in [true, false] {
            let options = Options {
                low_stub,
                ..Options::default()
            };
            let guest = Guest::build(layout, &options).unwrap();
            let image = TempImage::raw(&guest, &format!("{layout}-{low_stub}"));
            let memory = image.memory();
            let found = find_root(&memory, &()).unwrap();
            let expected = &guest.expected().kernel;
            assert_eq!(found.root, Pa(expected.system_root), "{layout} {low_stub}");
            assert_kernel(&found.image, expected);
        }
    }
}

#[test]
fn every_layout_is_found_below_its_system_call_entry() {
    for layout in Layout::ALL {
        for (kva_shadow, kernel_pages) in [(true, PageSize::Large), (false, PageSize::Small)] {
            let options = Options {
                kva_shadow,
                kernel_pages,
                ..Options::default()
            };
            let guest = Guest::build(layout, &options).unwrap();
            let image = TempImage::raw(&guest, &format!("{layout}-lstar-{kva_shadow}"));
            let memory = image.memory();
            let expected = &guest.expected().kernel;
            let root = Pa(expected.system_root);
            let found = find_below(&memory, root, Va(expected.lstar)).unwrap();
            assert_kernel(&found, expected);
            let found = find_in_root(&memory, root, &()).unwrap();
            assert_kernel(&found, expected);
        }
    }
}

#[test]
fn every_layout_is_told_by_the_addresses_in_a_dump_header() {
    for (index, layout) in Layout::ALL.into_iter().enumerate() {
        let guest = Guest::new(layout, &Options::default()).unwrap();
        let dump = TempImage::full_dump(&guest, &format!("{layout}-fits"));
        let memory = dump.memory();
        let hints = memory.driver().hints();
        let root = hints.root.unwrap();
        let base = hints.kernel_base.unwrap();
        let image = KernelImage::from_hint(&memory, Space::Virtual { root }, base).unwrap();
        assert_kernel(&image, &guest.expected().kernel);
        let other = Layout::ALL[(index + 1) % Layout::ALL.len()];
        for (candidate, fits) in [(layout, true), (other, false)] {
            let profile = read_isf(&candidate.table_path()).unwrap();
            assert_eq!(image.fits(&profile, &hints), fits, "{layout} {candidate}");
        }
    }
}

#[test]
fn large_images_with_a_start_block_are_not_read() {
    let guest = Guest::build(Layout::Win10_2004, &Options::default()).unwrap();
    let image = TempImage::raw(&guest, "64g");
    let file: File = OpenOptions::new().write(true).open(&image.0).unwrap();
    file.set_len(64 << 30).unwrap();
    let found = find_root(&image.memory(), &EndAt("looking for page tables")).unwrap();
    assert_kernel(&found.image, &guest.expected().kernel);
}
