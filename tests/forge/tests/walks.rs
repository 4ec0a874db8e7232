//! Walks forged images from nothing but their bytes, the table and the rules of the kernel, and
//! compares with what the forge says it placed.

use std::collections::HashMap;

use winvmi_forge::{ExpectedHandle, Guest, ImageFormat, Layout, Options, PageKind, Profile};

/// A raw image, read through page tables.
struct Image {
    bytes: Vec<u8>,
    profile: Profile,
    base: u64,
}

impl Image {
    fn u64_at(&self, pa: u64) -> u64 {
        self.bytes
            .get(pa as usize..pa as usize + 8)
            .map_or(0, number)
    }

    fn translate(&self, root: u64, va: u64) -> Option<u64> {
        let mut table = root & !0xfff;
        for shift in [39, 30, 21, 12] {
            let entry = self.u64_at(table + (va >> shift & 511) * 8);
            let low = (1u64 << shift) - 1;
            match entry {
                _ if entry & 1 == 0 => return None,
                _ if shift == 12 || entry & 0x80 != 0 => {
                    return Some(entry & 0xf_ffff_ffff_f000 & !low | va & low);
                }
                _ => table = entry & 0xf_ffff_ffff_f000,
            }
        }
        None
    }

    fn read(&self, root: u64, va: u64) -> u64 {
        let pa = self
            .translate(root, va)
            .unwrap_or_else(|| panic!("{va:#x} is not mapped"));
        self.u64_at(pa)
    }

    fn symbol(&self, name: &str) -> u64 {
        self.base + self.profile.symbol(name)
    }
}

fn number(bytes: &[u8]) -> u64 {
    u64::from_le_bytes(bytes.try_into().unwrap())
}

fn forged(layout: Layout) -> (Image, Guest) {
    let guest = Guest::build(layout, &Options::default()).unwrap();
    let image = Image {
        bytes: guest.image_bytes(ImageFormat::Raw),
        profile: Profile::load(layout).unwrap(),
        base: guest.expected().kernel.base,
    };
    (image, guest)
}

/// Structures of a circular list, in order.
fn list(image: &Image, root: u64, head: u64, offset: u64) -> Vec<u64> {
    let mut found = Vec::new();
    let mut entry = image.read(root, head);
    while entry != head {
        found.push(entry - offset);
        let next = image.read(root, entry);
        assert_eq!(image.read(root, next + 8), entry, "the list leads back");
        entry = next;
    }
    found
}

#[test]
fn process_and_thread_lists() {
    for layout in Layout::ALL {
        let (image, guest) = forged(layout);
        let expected = guest.expected();
        let root = expected.kernel.system_root;
        let links = image.profile.offset("_EPROCESS", "ActiveProcessLinks");
        let processes = list(&image, root, image.symbol("PsActiveProcessHead"), links);
        let placed: Vec<u64> = expected
            .processes
            .iter()
            .map(|process| process.object)
            .collect();
        assert_eq!(processes, placed, "{layout}");
        for process in processes {
            let head = process + image.profile.offset("_EPROCESS", "ThreadListHead");
            let links = image.profile.offset("_ETHREAD", "ThreadListEntry");
            let placed: Vec<u64> = expected
                .threads_of(process)
                .map(|thread| thread.object)
                .collect();
            assert_eq!(list(&image, root, head, links), placed, "{layout}");
        }
    }
}

/// All entries of a handle table: handle, pointer, access and attributes.
fn handles(image: &Image, root: u64, table: u64) -> Vec<(u32, u64, u32, u32)> {
    let field = |name| table + image.profile.offset("_HANDLE_TABLE", name);
    let code = image.read(root, field("TableCode"));
    let limit = image.read(root, field("NextHandleNeedingPool")) as u32;
    let (level, start) = (code & 3, code & !3);
    let entry_of = |handle: u32| {
        let index = u64::from(handle / 4);
        let pointer = |page: u64, slot: u64| image.read(root, page + slot * 8);
        let page = match level {
            0 => start,
            1 => pointer(start, index / 256),
            _ => pointer(pointer(start, index / 256 / 512), index / 256 % 512),
        };
        page + index % 256 * 16
    };
    let entries = (0..limit)
        .step_by(4)
        .map(|handle| (handle, entry_of(handle)));
    let values = entries
        .map(|(handle, entry)| (handle, image.read(root, entry), image.read(root, entry + 8)));
    values
        .filter_map(|(handle, low, high)| decode(image, handle, low, high))
        .collect()
}

fn decode(image: &Image, handle: u32, low: u64, high: u64) -> Option<(u32, u64, u32, u32)> {
    if image
        .profile
        .has_field("_HANDLE_TABLE_ENTRY", "ObjectPointerBits")
    {
        let pointer = 0xffff_0000_0000_0000 | low >> 20 << 4;
        let found = (
            handle,
            pointer,
            high as u32 & 0x1ff_ffff,
            (low >> 17) as u32 & 7,
        );
        return (low >> 20 != 0).then_some(found);
    }
    let protect = high as u32 >> 25 & 1;
    let found = (
        handle,
        low & !7,
        high as u32 & 0x1ff_ffff,
        low as u32 & 6 | protect,
    );
    (low & !7 != 0).then_some(found)
}

#[test]
fn handle_tables_of_every_level() {
    for layout in Layout::ALL {
        let (image, guest) = forged(layout);
        let expected = guest.expected();
        let root = expected.kernel.system_root;
        let body = image.profile.offset("_OBJECT_HEADER", "Body");
        let levels: Vec<u8> = expected
            .processes
            .iter()
            .map(|process| process.handle_table_level)
            .collect();
        assert!(
            [0, 1, 2].iter().all(|level| levels.contains(level)),
            "{layout}"
        );
        for process in expected
            .processes
            .iter()
            .filter(|process| process.handle_table != 0)
        {
            let pid = process.pid;
            let found: Vec<ExpectedHandle> = handles(&image, root, process.handle_table)
                .into_iter()
                .map(|(handle, header, access, attributes)| ExpectedHandle {
                    pid,
                    handle,
                    object: header + body,
                    access,
                    attributes,
                })
                .collect();
            let placed: Vec<ExpectedHandle> =
                expected.handles_of(pid).into_iter().cloned().collect();
            assert_eq!(found, placed, "{layout} {}", process.name);
        }
    }
}

#[test]
fn ids_lead_to_processes_and_threads() {
    for layout in Layout::ALL {
        let (image, guest) = forged(layout);
        let expected = guest.expected();
        let root = expected.kernel.system_root;
        let table = image.read(root, image.symbol("PspCidTable"));
        let found: HashMap<u32, u64> = handles(&image, root, table)
            .into_iter()
            .map(|(id, body, _, _)| (id, body))
            .collect();
        let processes = expected
            .processes
            .iter()
            .map(|process| (process.pid, process.object));
        let threads = expected.threads.iter().filter(|thread| thread.pid != 0);
        let placed: HashMap<u32, u64> = processes
            .chain(threads.map(|thread| (thread.tid, thread.object)))
            .collect();
        assert_eq!(found, placed, "{layout}");
    }
}

#[test]
fn object_types_decode() {
    for layout in Layout::ALL {
        let (image, guest) = forged(layout);
        let expected = guest.expected();
        let root = expected.kernel.system_root;
        let type_name = image.profile.offset("_OBJECT_TYPE", "Name.Buffer");
        let cookie = image.profile.find_symbol("ObHeaderCookie");
        let cookie = cookie.map(|rva| image.read(root, image.base + rva) as u8);
        for object in &expected.objects {
            let header = object.address - image.profile.offset("_OBJECT_HEADER", "Body");
            let stored = image.read(
                root,
                header + image.profile.offset("_OBJECT_HEADER", "TypeIndex"),
            ) as u8;
            let index = cookie.map_or(stored, |cookie| stored ^ cookie ^ (header >> 8) as u8);
            let kind = image.read(
                root,
                image.symbol("ObTypeIndexTable") + u64::from(index) * 8,
            );
            let first = image.read(root, image.read(root, kind + type_name)) as u8;
            assert_eq!(first, object.type_name.as_bytes()[0], "{layout} {object:?}");
            assert_eq!(
                image.read(root, header + 8),
                object.handle_count,
                "{layout} {object:?}"
            );
        }
    }
}

#[test]
fn pages_are_where_they_should_be() {
    for layout in Layout::ALL {
        let (image, guest) = forged(layout);
        let expected = guest.expected();
        for page in &expected.pages {
            let owner = expected
                .processes
                .iter()
                .find(|process| process.object == page.process)
                .unwrap();
            let present = page.kind == PageKind::Present;
            let found = image.translate(owner.root, page.va);
            assert_eq!(found, page.pa.filter(|_| present), "{layout} {page:x?}");
            if let Some(pa) = page.pa {
                let content = &image.bytes[pa as usize..pa as usize + page.content.len()];
                assert_eq!(content, page.content, "{layout} {page:x?}");
            }
        }
    }
}

#[test]
fn user_roots_hide_the_kernel() {
    for layout in Layout::ALL {
        let (image, guest) = forged(layout);
        let expected = guest.expected();
        let process = expected.process_named("notepad.exe").unwrap();
        assert_ne!(process.root, process.user_root, "{layout}");
        for root in [process.root, process.user_root] {
            assert!(image.translate(root, process.peb).is_some(), "{layout}");
            assert!(
                image.translate(root, expected.kernel.lstar).is_some(),
                "{layout}"
            );
        }
        assert!(
            image.translate(process.root, process.object).is_some(),
            "{layout}"
        );
        assert_eq!(
            image.translate(process.user_root, process.object),
            None,
            "{layout}"
        );
        let index = expected.kernel.self_map_index as u64;
        let self_map = image.u64_at(process.root + index * 8);
        assert_eq!(self_map & 0xf_ffff_ffff_f000, process.root, "{layout}");
    }
}
