//! Open registry keys: key bodies and control blocks.

use crate::guest::Guest;
use crate::object::header::NewObject;

/// Type code of a key body: `ky02`.
const KEY_BODY_TYPE: u64 = 0x6b79_3032;

impl Guest {
    /// Makes the control block of a key: `parent` is its parent's control block, or 0.
    pub fn create_key_control_block(&mut self, parent: u64, name: &str) -> u64 {
        let name_offset = self.profile.offset("_CM_NAME_CONTROL_BLOCK", "Name");
        let name_block = self.allocate(name_offset + name.len() as u64 + 8);
        self.poke_field(name_block, "_CM_NAME_CONTROL_BLOCK", "Compressed", 1);
        self.poke_field(
            name_block,
            "_CM_NAME_CONTROL_BLOCK",
            "NameLength",
            name.len() as u64,
        );
        self.write(name_block + name_offset, name.as_bytes());
        let block = self.allocate(self.profile.size_of("_CM_KEY_CONTROL_BLOCK"));
        let mut record = self.record("_CM_KEY_CONTROL_BLOCK");
        record.set("ParentKcb", parent).set("NameBlock", name_block);
        self.write_record(block, &record);
        block
    }

    /// Makes a key object for a control block; `path` is the key's expected path.
    pub fn create_key(&mut self, control_block: u64, path: &str) -> u64 {
        let size = self.profile.size_of("_CM_KEY_BODY");
        let info = self.types.info("Key");
        let new = NewObject {
            type_name: "Key",
            path: Some(path),
            size,
            info,
            ..NewObject::default()
        };
        let key = self.create_object(&new);
        let mut record = self.record("_CM_KEY_BODY");
        record
            .set("Type", KEY_BODY_TYPE)
            .set("KeyControlBlock", control_block);
        self.write_record(key, &record);
        key
    }
}
