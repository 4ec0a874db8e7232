//! One structure of user mode, read field by field.

use isr::macros::Field;

use crate::{
    core::Va,
    error::{Error, Result},
    os::windows::{Architecture, Record, UnicodeString},
};

/// The highest bit of an address: set in the kernel's half only.
const KERNEL_HALF: u64 = 1 << 63;

/// A structure of user mode, with pointers of its own width.
#[derive(Clone, Copy)]
pub struct UserRecord<'a> {
    record: Record<'a>,
    architecture: Architecture,
}

impl<'a> UserRecord<'a> {
    /// A structure of code of this architecture.
    pub const fn new(record: Record<'a>, architecture: Architecture) -> Self {
        Self {
            record,
            architecture,
        }
    }

    /// Whose code the structure belongs to.
    pub const fn architecture(&self) -> Architecture {
        self.architecture
    }

    /// The structure without its width.
    pub const fn record(&self) -> &Record<'a> {
        &self.record
    }

    /// Address of the structure.
    pub const fn base(&self) -> Va {
        self.record.base()
    }

    /// Another structure of the same code.
    pub const fn at(&self, base: Va) -> Self {
        Self::new(self.record.at(base), self.architecture)
    }

    /// The same structure with its first bytes read once into `buffer`.
    pub fn with_copy(self, buffer: &'a mut [u8]) -> Self {
        Self::new(self.record.with_copy(buffer), self.architecture)
    }

    /// An unsigned integer of the field's own size.
    pub fn uint(&self, field: Field) -> Result<u64> {
        self.record.uint(field)
    }

    /// The low 32 bits of a field.
    pub fn uint32(&self, field: Field) -> Result<u32> {
        self.record.uint32(field)
    }

    /// A pointer of the structure's width, NULL and wild ones included.
    pub fn pointer(&self, field: Field) -> Result<Va> {
        self.record.uint(field).map(Va)
    }

    /// A pointer to be followed: `None` when NULL.
    ///
    /// # Errors
    /// [`Error::Corrupt`] when it leads into the kernel's half.
    pub fn target(&self, structure: &'static str, field: Field) -> Result<Option<Va>> {
        let pointer = self.pointer(field)?;
        self.check(structure, pointer)?;
        Ok((!pointer.is_null()).then_some(pointer))
    }

    fn check(&self, structure: &'static str, pointer: Va) -> Result<()> {
        if pointer.0 & KERNEL_HALF == 0 {
            return Ok(());
        }
        let reason = format!("it points into the kernel's half ({pointer})");
        Err(Error::corrupt(structure, self.base(), reason))
    }

    /// The header of the `UNICODE_STRING` at `field`.
    pub fn string(&self, field: Field) -> Result<UnicodeString> {
        Ok(match self.architecture {
            Architecture::X86 => UnicodeString::from_bytes32(self.record.bytes(field)?),
            Architecture::Amd64 => UnicodeString::from_bytes64(self.record.bytes(field)?),
        })
    }

    /// UTF-16 units of a string that a field of `structure` describes.
    pub fn units(&self, structure: &'static str, string: UnicodeString) -> Result<Vec<u16>> {
        if string.units > 0 {
            self.check(structure, Va(string.buffer))?;
        }
        string.text(self.record.memory(), self.record.space())
    }

    /// As [`UserRecord::units`], as UTF-8 appended to `text`.
    pub fn append_text(
        &self,
        structure: &'static str,
        string: UnicodeString,
        text: &mut String,
    ) -> Result<()> {
        if string.units > 0 {
            self.check(structure, Va(string.buffer))?;
        }
        string.append(self.record.memory(), self.record.space(), text)
    }
}
