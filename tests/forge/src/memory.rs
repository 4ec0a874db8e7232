//! Sparse physical memory.

use std::collections::BTreeMap;
use std::ops::Range;

/// Size of a page and of a frame, in bytes.
pub const PAGE_SIZE: u64 = 0x1000;

/// Where 32-bit device memory begins on a PC: no RAM from here to 4 GiB.
const DEVICE_HOLE: Range<u64> = 0xc000_0000..0x1_0000_0000;
/// Usable memory below the legacy video and firmware area.
const LOW_MEMORY: Range<u64> = 0x1000..0x9_f000;
/// Where memory goes on above the legacy area.
const EXTENDED_MEMORY: u64 = 0x10_0000;

type Frame = Box<[u8; PAGE_SIZE as usize]>;

/// Physical memory of which only written frames take up space; other bytes read as zero.
#[derive(Clone, Default)]
pub struct PhysicalMemory {
    frames: BTreeMap<u64, Frame>,
    amount: u64,
    /// Whether the processors walk five levels of page tables (LA57), not four.
    pub five_levels: bool,
}

impl PhysicalMemory {
    /// Memory of `amount` bytes; it grows when frames beyond are used.
    pub fn new(amount: u64) -> Self {
        Self {
            amount,
            ..Self::default()
        }
    }

    /// Reads `buffer.len()` bytes from physical address `pa`.
    pub fn read(&self, pa: u64, buffer: &mut [u8]) {
        for (at, part) in page_parts(pa, buffer.len()) {
            match self.frames.get(&(at / PAGE_SIZE)) {
                Some(frame) => {
                    let start = (at % PAGE_SIZE) as usize;
                    buffer[part.clone()].copy_from_slice(&frame[start..start + part.len()]);
                }
                None => buffer[part].fill(0),
            }
        }
    }

    /// Writes bytes to physical address `pa`.
    pub fn write(&mut self, pa: u64, bytes: &[u8]) {
        for (at, part) in page_parts(pa, bytes.len()) {
            let frame = self
                .frames
                .entry(at / PAGE_SIZE)
                .or_insert_with(|| Box::new([0; PAGE_SIZE as usize]));
            let start = (at % PAGE_SIZE) as usize;
            frame[start..start + part.len()].copy_from_slice(&bytes[part]);
        }
    }

    /// Reads a 64-bit number.
    pub fn read_u64(&self, pa: u64) -> u64 {
        let mut bytes = [0; 8];
        self.read(pa, &mut bytes);
        u64::from_le_bytes(bytes)
    }

    /// Writes a 64-bit number.
    pub fn write_u64(&mut self, pa: u64, value: u64) {
        self.write(pa, &value.to_le_bytes());
    }

    /// Makes a frame one that was never written.
    pub fn forget(&mut self, number: u64) {
        self.frames.remove(&number);
    }

    /// The written frame of a number, if it has been written.
    pub fn frame(&self, number: u64) -> Option<&[u8; PAGE_SIZE as usize]> {
        self.frames.get(&number).map(|frame| &**frame)
    }

    /// The written frames and their numbers, in ascending order.
    pub fn frames(&self) -> impl Iterator<Item = (u64, &[u8; PAGE_SIZE as usize])> {
        self.frames
            .iter()
            .map(|(number, frame)| (*number, &**frame))
    }

    /// The written frames whose numbers are in a range, in ascending order.
    pub fn frames_in(
        &self,
        numbers: Range<u64>,
    ) -> impl Iterator<Item = (u64, &[u8; PAGE_SIZE as usize])> {
        self.frames
            .range(numbers)
            .map(|(number, frame)| (*number, &**frame))
    }

    /// The ranges of physical addresses that hold memory, in ascending order.
    pub fn ranges(&self) -> Vec<Range<u64>> {
        let end = self.end();
        let mut ranges = vec![LOW_MEMORY, EXTENDED_MEMORY..end.min(DEVICE_HOLE.start)];
        if end > DEVICE_HOLE.end {
            ranges.push(DEVICE_HOLE.end..end);
        }
        ranges
    }

    /// The first physical address above all memory.
    pub fn end(&self) -> u64 {
        let asked = match self.amount > DEVICE_HOLE.start {
            true => self.amount + (DEVICE_HOLE.end - DEVICE_HOLE.start),
            false => self.amount,
        };
        let used = self
            .frames
            .last_key_value()
            .map_or(0, |(last, _)| (last + 1) * PAGE_SIZE);
        asked.max(used.next_multiple_of(0x10_0000))
    }

    /// Bytes of memory, present or not in the host.
    pub fn total_bytes(&self) -> u64 {
        self.ranges()
            .iter()
            .map(|range| range.end - range.start)
            .sum()
    }
}

/// Cuts an address range at page boundaries: (address, range of the buffer).
pub(crate) fn page_parts(start: u64, length: usize) -> impl Iterator<Item = (u64, Range<usize>)> {
    let mut done = 0;
    std::iter::from_fn(move || {
        let at = start.wrapping_add(done as u64);
        let part = ((PAGE_SIZE - at % PAGE_SIZE) as usize).min(length - done);
        let range = done..done + part;
        done += part;
        (part > 0).then_some((at, range))
    })
}

/// Hands out frames that nothing else uses, in ascending order.
#[derive(Clone)]
pub struct FrameAllocator {
    next: u64,
    reserved: Range<u64>,
}

impl FrameAllocator {
    /// Hands out frames from physical address `start`, never in `reserved`.
    pub fn new(start: u64, reserved: Range<u64>) -> Self {
        Self {
            next: start,
            reserved,
        }
    }

    /// Physical address of `bytes` bytes in whole frames, aligned to `align`.
    pub fn take(&mut self, bytes: u64, align: u64) -> u64 {
        let bytes = bytes.next_multiple_of(PAGE_SIZE);
        let mut start = self.next.next_multiple_of(align);
        if start < self.reserved.end && start + bytes > self.reserved.start {
            start = self.reserved.end.next_multiple_of(align);
        }
        if start < DEVICE_HOLE.end && start + bytes > DEVICE_HOLE.start {
            start = DEVICE_HOLE.end.next_multiple_of(align);
        }
        self.next = start + bytes;
        start
    }

    /// Physical address of one frame.
    pub fn frame(&mut self) -> u64 {
        self.take(PAGE_SIZE, PAGE_SIZE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_across_absent_frames() {
        let mut memory = PhysicalMemory::new(0x20_0000);
        memory.write(0x10_0ffe, &[1, 2]);
        let mut bytes = [9; 4];
        memory.read(0x10_0ffd, &mut bytes);
        assert_eq!(bytes, [0, 1, 2, 0]);
        assert_eq!(memory.frames().count(), 1);
    }

    #[test]
    fn large_memory_has_a_device_hole() {
        let memory = PhysicalMemory::new(64 << 30);
        assert_eq!(memory.ranges().last().unwrap().end, 65 << 30);
        assert_eq!(memory.total_bytes(), (64 << 30) - 0x10_0000 + 0x9_e000);
    }

    #[test]
    fn frames_avoid_the_reserved_range() {
        let mut frames = FrameAllocator::new(0x1000, 0x2000..0x5000);
        assert_eq!(frames.frame(), 0x1000);
        assert_eq!(frames.frame(), 0x5000);
        assert_eq!(frames.take(0x2000, 0x20_0000), 0x20_0000);
    }
}
