//! Every format of image holds the same memory.

use winvmi_forge::{DumpType, Guest, ImageFormat, Layout, Options, PAGE_SIZE};

fn guest() -> Guest {
    Guest::build(Layout::Win10_2004, &Options::default()).unwrap()
}

fn u64_at(bytes: &[u8], offset: usize) -> u64 {
    u64::from_le_bytes(bytes[offset..offset + 8].try_into().unwrap())
}

fn u32_at(bytes: &[u8], offset: usize) -> u64 {
    u32::from_le_bytes(bytes[offset..offset + 4].try_into().unwrap()).into()
}

/// The page of the kernel's header in a dump whose pages follow a bitmap.
fn kernel_page(dump: &[u8], first_page: u64, bitmap: usize, frame: u64) -> &[u8] {
    let is_set = |number: u64| dump[bitmap + (number / 8) as usize] >> (number % 8) & 1;
    assert_eq!(is_set(frame), 1);
    let before: u64 = (0..frame).map(|number| u64::from(is_set(number))).sum();
    let start = (first_page + before * PAGE_SIZE) as usize;
    &dump[start..start + PAGE_SIZE as usize]
}

#[test]
fn full_dumps_hold_all_runs() {
    let guest = guest();
    let raw = guest.image_bytes(ImageFormat::Raw);
    let dump = guest.image_bytes(ImageFormat::Dump(DumpType::Full));
    assert_eq!(u64_at(&dump, 0xfa0), dump.len() as u64);
    let mut offset = 0x2000;
    for run in 0..u32_at(&dump, 0x88) as usize {
        let start = u64_at(&dump, 0x98 + run * 16) * PAGE_SIZE;
        let length = u64_at(&dump, 0xa0 + run * 16) * PAGE_SIZE;
        let memory = &raw[start as usize..(start + length) as usize];
        assert!(dump[offset..offset + memory.len()] == *memory);
        offset += memory.len();
    }
    assert_eq!(offset, dump.len());
}

#[test]
fn bitmap_dumps_hold_the_kernel() {
    let guest = guest();
    let frame = guest.expected().kernel.physical_base / PAGE_SIZE;
    for kind in DumpType::ALL {
        if matches!(kind, DumpType::Full | DumpType::Triage | DumpType::Summary) {
            continue;
        }
        let dump = guest.image_bytes(ImageFormat::Dump(kind));
        assert_eq!(&dump[0x2004..0x2008], b"DUMP", "{kind:?}");
        let page = kernel_page(&dump, u64_at(&dump, 0x2020), 0x2038, frame);
        assert_eq!(&page[..2], b"MZ", "{kind:?}");
        assert_eq!(
            u64_at(&dump, 0x2020) + u64_at(&dump, 0x2028) * PAGE_SIZE,
            dump.len() as u64
        );
    }
}

#[test]
fn kernel_dumps_leave_user_pages_out() {
    let guest = guest();
    let sizes = [
        DumpType::BitmapKernel,
        DumpType::KernelAndUser,
        DumpType::Complete,
    ]
    .map(|kind| guest.image_bytes(ImageFormat::Dump(kind)).len());
    assert!(sizes[0] < sizes[1] && sizes[1] < sizes[2], "{sizes:?}");
}

#[test]
fn range_dumps_list_their_frames() {
    let guest = guest();
    let dump = guest.image_bytes(ImageFormat::Ranges(DumpType::Complete));
    assert_eq!(&dump[0x2004..0x200c], b"RDMPDUMP");
    let listed: u64 = (0..u64_at(&dump, 0x2020) as usize)
        .map(|range| u64_at(&dump, 0x2038 + range * 16))
        .sum();
    assert_eq!(listed, u64_at(&dump, 0x2028));
    assert_eq!(
        u64_at(&dump, 0x2018) + listed * PAGE_SIZE,
        dump.len() as u64
    );
}

#[test]
fn triage_dumps_hold_blocks_by_address() {
    for layout in Layout::ALL {
        let guest = Guest::build(layout, &Options::default()).unwrap();
        let dump = guest.image_bytes(ImageFormat::Dump(DumpType::Triage));
        let (list, count) = (
            u32_at(&dump, 0x2078) as usize,
            u32_at(&dump, 0x207c) as usize,
        );
        let blocks = guest.triage_blocks();
        assert_eq!(count, blocks.len(), "{layout}");
        for (index, (va, length)) in blocks.into_iter().enumerate() {
            let at = list + index * 16;
            let offset = u32_at(&dump, at + 8) as usize;
            assert_eq!(
                (u64_at(&dump, at), u32_at(&dump, at + 12)),
                (va, length),
                "{layout}"
            );
            let mut memory = vec![0; length as usize];
            guest.read(va, &mut memory);
            assert!(dump[offset..offset + memory.len()] == memory, "{layout}");
        }
        assert_eq!(&dump[u32_at(&dump, 0x2008) as usize..], b"TRGD", "{layout}");
    }
}

#[test]
fn scale() {
    let options = Options {
        extra_processes: 10_000,
        extra_handles: 1_000_000,
        ..Options::default()
    };
    let guest = Guest::build(Layout::Win11_21H2, &options).unwrap();
    let bulk = guest.expected().process_named("bulk.exe").unwrap();
    assert_eq!(bulk.handle_count, 1_000_000);
    assert_eq!(bulk.handle_table_level, 2);
    assert!(guest.expected().processes.len() > 10_000);
}
