//! `_CM_KEY_BODY`: open registry keys.

use isr::macros::Field;

use super::{KeyControlBlock, Object};
use crate::{
    core::Va,
    error::{Error, Result},
    os::windows::{Record, Windows},
};

isr::macros::offsets! {
    /// Where the fields of an open key are.
    pub struct Layout {
        struct _CM_KEY_BODY {
            KeyControlBlock: Field,
            ProcessID: Field,
        }
    }
}

/// An open registry key.
#[derive(Clone, Copy)]
pub struct KeyObject<'a> {
    windows: &'a Windows,
    record: Record<'a>,
}

impl<'a> KeyObject<'a> {
    /// The key whose `_CM_KEY_BODY` is at `object`.
    pub fn new(windows: &'a Windows, object: Va) -> Self {
        Self {
            windows,
            record: windows.record(object),
        }
    }

    fn layout(&self) -> &'a _CM_KEY_BODY {
        &self.windows.layouts.object.key._CM_KEY_BODY
    }

    /// The key as an object.
    pub fn object(&self) -> Object<'a> {
        Object::new(self.windows, self.record.base())
    }

    /// What all openers of the key share. Corresponds to `_CM_KEY_BODY.KeyControlBlock`.
    pub fn key_control_block(&self) -> Result<KeyControlBlock<'a>> {
        let base = self.record.base();
        match self.record.pointer_or_none(self.layout().KeyControlBlock)? {
            Some(block) => Ok(KeyControlBlock::new(self.windows, block)),
            None => Err(Error::corrupt(
                "_CM_KEY_BODY",
                base,
                "KeyControlBlock is NULL",
            )),
        }
    }

    /// Id of the process that opened the key. Corresponds to `_CM_KEY_BODY.ProcessID`.
    pub fn process_id(&self) -> Result<u32> {
        self.record.uint32(self.layout().ProcessID)
    }

    /// Full path (`\REGISTRY\MACHINE\...`); unpaired surrogates become U+FFFD.
    pub fn path(&self) -> Result<String> {
        self.path_utf16()
            .map(|units| String::from_utf16_lossy(&units))
    }

    /// UTF-16 units of [`KeyObject::path`].
    pub fn path_utf16(&self) -> Result<Vec<u16>> {
        self.key_control_block()?.path_utf16()
    }
}
