//! The guest's clock: fixed, so that every build gives the same bytes.

/// Time of the guest: 2024-03-01 12:00:00 UTC (FILETIME: 100 ns since 1601).
pub const NOW: u64 = 133_537_680_000_000_000;
/// One second.
pub const SECOND: u64 = 10_000_000;
/// Time at which the guest started: an hour ago.
pub const BOOT: u64 = NOW - 3600 * SECOND;

/// Parts of a `_KSYSTEM_TIME`: low, first high and second high word.
pub fn system_time(value: u64) -> (u64, u64) {
    (value & 0xffff_ffff, value >> 32)
}
