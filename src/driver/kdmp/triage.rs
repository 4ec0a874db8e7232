//! Triage dumps (type 4): `_TRIAGE_DUMP64` behind the header, then copies of the
//! most telling structures and a list of blocks of kernel memory.

use super::{
    FORMAT,
    header::{HEADER_SIZE, Header},
    kdbg::Kdbg,
    space::Space,
};
use crate::{
    core::{
        Va,
        bytes::{u32_at, u64_at},
    },
    driver::{file::ImageFile, segments::Segment},
    error::{Error, Result},
};

/// Size of `_TRIAGE_DUMP64`.
const SIZE: u64 = 0x80;
/// Size of a `_TRIAGE_DATA_BLOCK`.
const BLOCK_SIZE: usize = 0x10;
/// Most blocks that are believed; real dumps have a few thousand.
const BLOCKS_MAX: u32 = 1 << 20;

/// `_TRIAGE_DUMP64`. Its offsets count from the beginning of the file.
pub struct Triage(Vec<u8>);

impl Triage {
    /// Reads the structure.
    pub fn read(file: &ImageFile) -> Result<Self> {
        let bytes = file.load(FORMAT.name, "triage header", HEADER_SIZE, SIZE)?;
        Ok(Self(bytes))
    }

    fn u32(&self, offset: usize) -> u32 {
        u32_at(&self.0, offset).unwrap_or_default()
    }

    fn u64(&self, offset: usize) -> u64 {
        u64_at(&self.0, offset).unwrap_or_default()
    }

    /// Corresponds to `_TRIAGE_DUMP64.DriverListOffset` and `DriverCount`.
    pub fn driver_list(&self) -> (u64, u32) {
        (self.u32(0x30).into(), self.u32(0x34))
    }

    /// All blocks that the headers alone tell.
    pub fn blocks(&self, header: &Header, file: &ImageFile) -> Result<Vec<Segment>> {
        let mut blocks = self.data_blocks(file)?;
        blocks.extend(self.stack());
        blocks.extend(self.data_page());
        blocks.extend(self.debugger_data(header));
        Ok(blocks)
    }

    /// Corresponds to `_TRIAGE_DUMP64.DataBlocksOffset` and `DataBlocksCount`.
    fn data_blocks(&self, file: &ImageFile) -> Result<Vec<Segment>> {
        let (offset, count) = (self.u32(0x78), self.u32(0x7c));
        if count > BLOCKS_MAX {
            let reason = format!("damaged: {count} data blocks");
            return Err(Error::format(FORMAT.name, reason));
        }
        let length = u64::from(count).saturating_mul(BLOCK_SIZE as u64);
        let list = file.load(FORMAT.name, "list of data blocks", offset.into(), length)?;
        let blocks = list.as_chunks::<BLOCK_SIZE>().0.iter();
        Ok(blocks.map(data_block).collect())
    }

    /// Corresponds to `_TRIAGE_DUMP64.TopOfStack`, `CallStackOffset` and
    /// `SizeOfCallStack`: the stack from its pointer upwards.
    fn stack(&self) -> Option<Segment> {
        copy(Va(self.u64(0x48)), self.u32(0x28), self.u32(0x2c).into())
    }

    /// Corresponds to `_TRIAGE_DUMP64.DataPageAddress`, `DataPageOffset` and
    /// `DataPageSize`.
    fn data_page(&self) -> Option<Segment> {
        copy(Va(self.u64(0x60)), self.u32(0x68), self.u32(0x6c).into())
    }

    /// Corresponds to `_TRIAGE_DUMP64.DebuggerDataOffset` and `DebuggerDataSize`.
    fn debugger_data(&self, header: &Header) -> Option<Segment> {
        copy(
            header.debugger_data()?,
            self.u32(0x70),
            self.u32(0x74).into(),
        )
    }

    /// Copies of `_KPRCB`, `_ETHREAD` and `_EPROCESS`, whose addresses only the
    /// debugger data and the copies themselves tell.
    pub fn copies(&self, kdbg: &Kdbg, space: &Space, file: &ImageFile) -> Vec<Segment> {
        // `PrcbOffset`, `ThreadOffset`, `ProcessOffset`
        let (prcb, thread, process) = (self.u32(0x1c), self.u32(0x24), self.u32(0x20));
        let stored = |copy: u32, field: u64| {
            let mut bytes = [0; 8];
            file.read(u64::from(copy).checked_add(field)?, &mut bytes)
                .ok()?;
            Some(u64::from_le_bytes(bytes))
        };
        let prcb_block = || {
            let number = stored(prcb, kdbg.prcb_number()?)? & 0xffff_ffff;
            let slot = kdbg
                .processor_block()?
                .checked_add(number.wrapping_mul(8))?;
            copy(Va(space.u64(slot)?), prcb, kdbg.prcb_size()?)
        };
        let thread_block = || {
            let address = stored(prcb, kdbg.prcb_current_thread()?)?;
            copy(Va(address), thread, kdbg.thread_size()?)
        };
        let process_block = || {
            let address = stored(thread, kdbg.thread_process()?)?;
            copy(Va(address), process, kdbg.process_size()?)
        };
        [prcb_block(), thread_block(), process_block()]
            .into_iter()
            .flatten()
            .collect()
    }
}

fn data_block(block: &[u8; BLOCK_SIZE]) -> Segment {
    Segment {
        start: u64_at(block, 0).unwrap_or_default(),
        offset: u32_at(block, 8).unwrap_or_default().into(),
        length: u32_at(block, 12).unwrap_or_default().into(),
    }
}

/// A structure that is stored outside of the list; offset 0 says that it is not.
fn copy(address: Va, offset: u32, length: u64) -> Option<Segment> {
    (offset != 0 && !address.is_null()).then_some(Segment {
        start: address.0,
        length,
        offset: offset.into(),
    })
}
