//! The table of process and thread ids (`PspCidTable`).

use crate::guest::Guest;
use crate::process::handle_table::{self, HandleTable};

/// Makes the empty table.
pub(crate) fn build(guest: &mut Guest) {
    let table = HandleTable::create(guest, 0, 0);
    guest.write_u64(guest.symbol("PspCidTable"), table.object);
    guest.id_table = Some(table);
}

impl Guest {
    /// Gives an id to a process or thread: the one asked for, or the next free one. Other than
    /// those of handle tables, entries of this table point to the bodies of objects.
    ///
    /// # Panics
    /// When the id is in use.
    pub(crate) fn take_id(&mut self, asked: Option<u32>, object: u64) -> u32 {
        let id = asked.unwrap_or_else(|| self.next_free_id());
        assert!(self.used_ids.insert(id), "id {id} is in use");
        if let Some(mut table) = self.id_table.take() {
            table.write_entry(self, id, object, 0, handle_table::HandleAttributes::empty());
            self.id_table = Some(table);
        }
        id
    }

    fn next_free_id(&mut self) -> u32 {
        while self.used_ids.contains(&self.next_id) || handle_table::is_reserved(self.next_id) {
            self.next_id += 4;
        }
        self.next_id
    }
}
