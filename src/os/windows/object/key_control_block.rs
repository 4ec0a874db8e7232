//! `_CM_KEY_CONTROL_BLOCK`: registry keys that somebody has open.

use isr::macros::{Bitfield, Field};

use super::{path, trail::Trail};
use crate::{
    core::Va,
    error::Result,
    os::windows::{Record, Windows},
};

isr::macros::offsets! {
    /// Where the fields of a key control block and of its name are.
    pub struct Layout {
        struct _CM_KEY_CONTROL_BLOCK {
            KeyHive: Field,
            KeyCell: Field,
            ParentKcb: Field,
            NameBlock: Field,
        }

        struct _CM_NAME_CONTROL_BLOCK {
            Compressed: Bitfield,
            NameLength: Field,
            Name: Field,
        }
    }
}

/// Windows allows 512 levels of keys.
const DEPTH_MAX: usize = 1024;

const PARENT: &str = "_CM_KEY_CONTROL_BLOCK.ParentKcb";

/// What all openers of a registry key share.
#[derive(Clone, Copy)]
pub struct KeyControlBlock<'a> {
    windows: &'a Windows,
    record: Record<'a>,
}

impl<'a> KeyControlBlock<'a> {
    /// The `_CM_KEY_CONTROL_BLOCK` at `address`.
    pub fn new(windows: &'a Windows, address: Va) -> Self {
        Self {
            windows,
            record: windows.record(address),
        }
    }

    fn layout(&self) -> &'a Layout {
        &self.windows.layouts.object.key_control_block
    }

    /// Address of the `_CM_KEY_CONTROL_BLOCK`.
    pub const fn address(&self) -> Va {
        self.record.base()
    }

    /// Address of the hive that holds the key. Corresponds to `_CM_KEY_CONTROL_BLOCK.KeyHive`.
    pub fn hive(&self) -> Result<Va> {
        self.record
            .pointer(self.layout()._CM_KEY_CONTROL_BLOCK.KeyHive)
    }

    /// Index of the key's cell in its hive. Corresponds to `_CM_KEY_CONTROL_BLOCK.KeyCell`.
    pub fn cell(&self) -> Result<u32> {
        self.record
            .uint32(self.layout()._CM_KEY_CONTROL_BLOCK.KeyCell)
    }

    /// The key above, `None` at the root. Corresponds to `_CM_KEY_CONTROL_BLOCK.ParentKcb`.
    pub fn parent(&self) -> Result<Option<KeyControlBlock<'a>>> {
        let field = self.layout()._CM_KEY_CONTROL_BLOCK.ParentKcb;
        let parent = self.record.pointer_or_none(field)?;
        Ok(parent.map(|parent| KeyControlBlock::new(self.windows, parent)))
    }

    /// UTF-16 units of the key's own name.
    /// Corresponds to `_CM_KEY_CONTROL_BLOCK.NameBlock`.
    pub fn name_utf16(&self) -> Result<Vec<u16>> {
        let layout = &self.layout()._CM_NAME_CONTROL_BLOCK;
        let block = self
            .record
            .pointer(self.layout()._CM_KEY_CONTROL_BLOCK.NameBlock)?;
        let block = self.record.at(block);
        let length = block.uint32(layout.NameLength)?;
        let mut bytes = vec![0; length as usize & 0xffff];
        block.read(layout.Name.offset(), &mut bytes)?;
        let is_latin1 = block.bits(layout.Compressed)? != 0;
        Ok(match is_latin1 {
            true => bytes.into_iter().map(u16::from).collect(),
            false => utf16(&bytes),
        })
    }

    /// UTF-16 units of the full path (`\REGISTRY\MACHINE\...`).
    ///
    /// # Errors
    /// [`Error::Corrupt`](crate::Error::Corrupt) when the keys above form a circle.
    pub fn path_utf16(&self) -> Result<Vec<u16>> {
        let mut trail = Trail::new(PARENT, DEPTH_MAX);
        let mut names = Vec::new();
        let mut next = Some(*self);
        while let Some(block) = next {
            trail.visit(block.address())?;
            names.push(block.name_utf16()?);
            next = block.parent()?;
        }
        path::from_leaf_up(&names, PARENT, self.address())
    }
}

fn utf16(bytes: &[u8]) -> Vec<u16> {
    let pairs = bytes.as_chunks::<2>().0.iter();
    pairs.map(|pair| u16::from_le_bytes(*pair)).collect()
}
