//! Damage on purpose: any byte, member, page or link of a guest can be changed after the fact.
//! What the guest expects does not change with it.

use crate::guest::Guest;
use crate::memory::PAGE_SIZE;
use crate::paging::{self, Leaf};

impl Guest {
    /// The page-table entry for a kernel address.
    pub fn page_entry(&self, va: u64) -> Option<Leaf> {
        paging::leaf(&self.memory, self.kernel_root(), va)
    }

    /// The page-table entry for an address of a process.
    ///
    /// # Panics
    /// When the process does not exist.
    pub fn user_page_entry(&self, process: u64, va: u64) -> Option<Leaf> {
        paging::leaf(&self.memory, self.processes[&process].root, va)
    }

    /// Takes the page of a kernel address out of the page tables.
    ///
    /// # Panics
    /// When no page table covers the address.
    pub fn unmap(&mut self, va: u64) {
        self.unmap_in(self.kernel_root(), va);
    }

    /// Takes the page of an address of a process out of its page tables.
    ///
    /// # Panics
    /// When the process does not exist or no page table covers the address.
    pub fn unmap_user(&mut self, process: u64, va: u64) {
        self.unmap_in(self.processes[&process].root, va);
    }

    fn unmap_in(&mut self, root: u64, va: u64) {
        let leaf = paging::leaf(&self.memory, root, va);
        let leaf = leaf.unwrap_or_else(|| panic!("no page table covers {va:#x}"));
        self.memory.write_u64(leaf.address, 0);
    }

    /// Takes the frame of a kernel address out of the image: its content reads as zero in
    /// complete images and is absent from others.
    ///
    /// # Panics
    /// When nothing is mapped there.
    pub fn drop_frame(&mut self, va: u64) {
        let pa = self
            .translate(va)
            .unwrap_or_else(|| panic!("{va:#x} is not mapped"));
        self.memory.forget(pa / PAGE_SIZE);
    }

    /// Address of a member of a structure.
    ///
    /// # Panics
    /// When the layout lacks the member.
    pub fn field_address(&self, va: u64, structure: &str, path: &str) -> u64 {
        va + self.profile.offset(structure, path)
    }

    /// Address of the entry of a handle in its process's table.
    ///
    /// # Panics
    /// When the process has no such entry.
    pub fn handle_entry(&self, process: u64, handle: u32) -> u64 {
        let table = self.processes[&process].handle_table.as_ref();
        let entry = table.and_then(|table| table.existing_entry(handle));
        entry.unwrap_or_else(|| panic!("{process:#x} has no entry for {handle:#x}"))
    }
}

#[cfg(test)]
mod tests {
    use crate::{Guest, Layout, Options};

    #[test]
    fn damage_is_seen_by_reads() {
        let mut guest = Guest::new(Layout::Win10_2004, &Options::default()).unwrap();
        let system = guest.expected().processes[0].object;
        guest.poke_field(system, "_EPROCESS", "ActiveProcessLinks.Flink", 0x1234);
        assert_eq!(
            guest.peek_field(system, "_EPROCESS", "ActiveProcessLinks.Flink"),
            0x1234
        );
        let page = guest.allocate_pages(1);
        guest.unmap(page);
        assert_eq!(guest.translate(page), None);
    }
}
