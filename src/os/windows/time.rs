//! Windows time stamps.

/// 100-nanosecond intervals since 1601-01-01 00:00 UTC; 0 means "never".
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct FileTime(pub u64);

/// FILETIME of 1970-01-01 00:00 UTC.
const UNIX_EPOCH: u64 = 116_444_736_000_000_000;

impl FileTime {
    /// Nanoseconds since 1970-01-01 00:00 UTC, `None` when earlier or beyond 64 bits.
    pub fn unix_nanoseconds(self) -> Option<u64> {
        self.0.checked_sub(UNIX_EPOCH)?.checked_mul(100)
    }
}
