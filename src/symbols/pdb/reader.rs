//! Bounded reading of CodeView records.

/// A position in a record; nothing is read past its end.
#[derive(Clone, Copy)]
pub(super) struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn take(&mut self, len: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(len)?;
        self.0 = rest;
        Some(taken)
    }

    pub(super) fn skip(&mut self, len: u64) -> Option<()> {
        self.take(usize::try_from(len).ok()?).map(|_| ())
    }

    pub(super) fn u16(&mut self) -> Option<u16> {
        let (bytes, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(u16::from_le_bytes(*bytes))
    }

    pub(super) fn u32(&mut self) -> Option<u32> {
        let (bytes, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(u32::from_le_bytes(*bytes))
    }

    /// A name that ends with NUL.
    pub(super) fn name(&mut self) -> Option<()> {
        let end = self.0.iter().position(|&byte| byte == 0)?;
        self.take(end)?;
        self.skip(1)
    }

    /// A number: itself when below 0x8000, else the kind of what follows.
    pub(super) fn number(&mut self) -> Option<()> {
        let len = match self.u16()? {
            0..0x8000 => 0,
            0x8000 => 1,
            0x8001 | 0x8002 => 2,
            0x8003 | 0x8004 => 4,
            0x8009 | 0x800a => 8,
            _ => return None,
        };
        self.skip(len)
    }

    /// A number that cannot be negative.
    pub(super) fn unsigned(&mut self) -> Option<()> {
        let mut ahead = *self;
        match ahead.u16()? {
            0x8001 | 0x8003 | 0x8009 => None,
            _ => self.number(),
        }
    }

    /// Whether a NUL comes next; it is read then.
    pub(super) fn nul(&mut self) -> Option<bool> {
        let found = *self.0.first()? == 0;
        if found {
            self.skip(1)?;
        }
        Some(found)
    }

    /// Bytes between members: 0xF0 plus the number of bytes up to the next one.
    pub(super) fn padding(&mut self) -> Option<()> {
        while let Some(&byte) = self.0.first().filter(|&&byte| byte >= 0xf0) {
            self.skip(u64::from(byte & 0xf).max(1))?;
        }
        Some(())
    }
}
