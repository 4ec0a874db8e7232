//! What user mode of a running guest works with: the same addresses in every process.

use crate::guest::{Guest, utf16};
use crate::memory::PAGE_SIZE;
use crate::paging::{self, FRAME_MASK, PteFlags};
use crate::process::vad::{Backing, RegionSpec};

/// The page that is always mapped.
pub(super) const DATA: u64 = 0x2000_0000;
/// Pages that come in by a fault in every iteration.
pub(super) const ABSENT_PAGES: [u64; 2] = [DATA + 0x1000, DATA + 0x2000];
/// Stacks, and where they begin: of 64-bit and of 32-bit code.
const STACKS: u64 = DATA + 0x1_0000;
const STACKS_SIZE: u64 = 0x1_0000;
pub(super) const STACK: u64 = STACKS + 0x8000 - 0x100;
pub(super) const STACK32: u64 = STACKS + 0xf000;

/// Number of the iteration, from 1.
pub(super) const NUMBER: u64 = DATA;
/// Where `NtCreateFile` puts the handle.
pub(super) const HANDLE: u64 = DATA + 0x8;
/// I/O status block.
pub(super) const STATUS: u64 = DATA + 0x10;
/// Handles for `NtWriteFile`, used in turn.
pub(super) const HANDLES: u64 = DATA + 0x20;
pub(super) const HANDLE_COUNT: usize = 4;
/// Calls of the plugin's function.
pub(super) const PLUGIN_CALLS: u64 = DATA + 0x48;
/// The plugin's function while the plugin is loaded, or 0.
pub(super) const PLUGIN_FUNCTION: u64 = DATA + 0x50;
/// What is written.
pub(super) const BUFFER: u64 = DATA + 0x60;
pub(super) const BUFFER_LENGTH: u32 = 16;
/// `_OBJECT_ATTRIBUTES` of the file with an absolute path: only the path's text is absent.
pub(super) const ABSOLUTE: u64 = DATA + 0x80;
const ABSOLUTE_NAME: u64 = DATA + 0xc0;
const ABSOLUTE_TEXT: u64 = ABSENT_PAGES[0] + 0x120;
/// `_OBJECT_ATTRIBUTES` of the file relative to a folder: absent with all that it refers to.
pub(super) const RELATIVE: u64 = ABSENT_PAGES[1];
const RELATIVE_NAME: u64 = ABSENT_PAGES[1] + 0x40;
const RELATIVE_TEXT: u64 = ABSENT_PAGES[1] + 0x80;

/// `DesiredAccess` of files.
pub(super) const ACCESS: u32 = 0x12_0089;
/// The bit (`MAXIMUM_ALLOWED`) at which this guest ends the thread in the middle of a call.
pub(super) const ENDS_THREAD: u32 = 0x0200_0000;
/// Every how many iterations that happens.
pub(super) const EXIT_PERIOD: u32 = 8;
/// Times that `ObOpenObjectByName` calls itself.
pub(super) const RECURSION: u32 = 3;
/// Protection of the regions: read and write.
const READ_WRITE: u8 = 4;
/// `OBJ_CASE_INSENSITIVE`.
const CASE_INSENSITIVE: u64 = 0x40;

/// What a process opens and writes.
pub(super) struct Files<'a> {
    /// Absolute path.
    pub absolute: &'a str,
    /// Handle of the folder, and path relative to it.
    pub folder: u32,
    pub relative: &'a str,
    /// Handles to write to.
    pub handles: [u32; HANDLE_COUNT],
}

/// Maps and fills a process's pages: its user-mode root sees them too. The absent ones are left
/// as transition pages; the bits of their entries without the frame are returned.
pub(super) fn build(guest: &mut Guest, process: u64, is_32_bit: bool, files: &Files) -> u64 {
    let flags = PteFlags::USER_DATA | PteFlags::NO_EXECUTE;
    guest.map_user(process, DATA, PAGE_SIZE, flags);
    guest.map_user(process, STACKS, STACKS_SIZE, flags);
    describe(guest, process);
    for (index, handle) in files.handles.iter().enumerate() {
        guest.write_user(
            process,
            HANDLES + index as u64 * 8,
            &u64::from(*handle).to_le_bytes(),
        );
    }
    guest.write_user(process, BUFFER, b"sixteen letters!");
    let write = Writer { is_32_bit };
    let absolute = utf16(files.absolute);
    guest.write_user(process, ABSOLUTE, &write.attributes(0, ABSOLUTE_NAME));
    guest.write_user(
        process,
        ABSOLUTE_NAME,
        &write.string(absolute.len(), ABSOLUTE_TEXT),
    );
    let first = page_with(&[(ABSOLUTE_TEXT, &absolute)]);
    let relative = utf16(files.relative);
    let second = page_with(&[
        (RELATIVE, &write.attributes(files.folder, RELATIVE_NAME)),
        (RELATIVE_NAME, &write.string(relative.len(), RELATIVE_TEXT)),
        (RELATIVE_TEXT, &relative),
    ]);
    for (page, content) in ABSENT_PAGES.into_iter().zip([first, second]) {
        guest.place_transition_page(process, page, &content, false);
        // Pages that come and go are no fixed answer.
        guest.expected.pages.pop();
    }
    let root = guest.processes[&process].root;
    let entry = paging::leaf(&guest.memory, root, ABSENT_PAGES[0]);
    entry.map_or(0, |entry| {
        entry.value & !FRAME_MASK | entry.value & SOFTWARE_BITS
    })
}

/// Makes the regions of the pages.
fn describe(guest: &mut Guest, process: u64) {
    let absent = ABSENT_PAGES.len() as u64 * PAGE_SIZE;
    for (start, size) in [(DATA, PAGE_SIZE + absent), (STACKS, STACKS_SIZE)] {
        let region = RegionSpec {
            start,
            size,
            protection: READ_WRITE,
            committed: true,
            commit_charge: size / PAGE_SIZE,
            backing: Backing::Private,
        };
        guest.add_region(process, &region);
    }
}

/// Bits of a transition entry above any frame number of this machine: they hold no frame.
const SOFTWARE_BITS: u64 = 0xffff_f000_0000_0000;

/// A page's content: pieces at addresses in the page.
fn page_with(pieces: &[(u64, &[u8])]) -> Vec<u8> {
    let mut page = vec![0; PAGE_SIZE as usize];
    for (va, bytes) in pieces {
        let start = (va % PAGE_SIZE) as usize;
        page[start..start + bytes.len()].copy_from_slice(bytes);
    }
    page
}

/// Writes structures for 64-bit or 32-bit code.
struct Writer {
    is_32_bit: bool,
}

impl Writer {
    /// Members of pointer size, in the order of the structure; smaller ones are padded to it.
    fn members(&self, members: &[u64]) -> Vec<u8> {
        let width = if self.is_32_bit { 4 } else { 8 };
        let bytes = members
            .iter()
            .flat_map(|member| member.to_le_bytes().into_iter().take(width));
        bytes.collect()
    }

    /// `_OBJECT_ATTRIBUTES`.
    fn attributes(&self, root_directory: u32, name: u64) -> Vec<u8> {
        let length = if self.is_32_bit { 0x18 } else { 0x30 };
        self.members(&[length, root_directory.into(), name, CASE_INSENSITIVE, 0, 0])
    }

    /// `_UNICODE_STRING`.
    fn string(&self, length: usize, text: u64) -> Vec<u8> {
        let length = length as u64;
        self.members(&[length | length << 16, text])
    }
}
