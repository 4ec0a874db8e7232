//! Toy back ends.

use winvmi::{
    Fault, FaultKind,
    core::{
        Capabilities, Driver, Gfn, PAGE_SIZE, Pa,
        driver::{DriverInfo, PhysicalMemory, Run},
    },
};

/// Bytes as physical memory.
pub struct Bytes {
    bytes: Vec<u8>,
    /// Whether the bytes come again and again, so that every pointer hits them.
    endless: bool,
}

impl Bytes {
    /// Memory that ends with the bytes.
    pub fn new(bytes: &[u8]) -> Self {
        Self {
            bytes: bytes.to_vec(),
            endless: false,
        }
    }

    /// Memory of which every frame holds one of the pieces of 512 bytes, over
    /// and over.
    pub fn endless(pieces: &[u8]) -> Self {
        let frames = pieces.chunks_exact(PIECE);
        Self {
            bytes: frames.flat_map(|piece| piece.repeat(8)).collect(),
            endless: true,
        }
    }
}

/// Bytes of a frame of [`Bytes::endless`].
const PIECE: usize = 512;

impl Driver for Bytes {
    fn info(&self) -> DriverInfo {
        DriverInfo {
            name: "bytes",
            format: "",
            vcpus: 0,
            memory_size: self.bytes.len() as u64,
        }
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities::PHYSICAL_READ
    }

    fn physical(&self) -> Option<&dyn PhysicalMemory> {
        Some(self)
    }
}

impl PhysicalMemory for Bytes {
    fn read(&self, pa: Pa, buffer: &mut [u8]) -> Result<(), Fault> {
        let absent = Fault::physical(pa, FaultKind::NotInImage);
        let start = match (self.endless, self.bytes.len() as u64) {
            (true, 0) => return Err(absent),
            (true, length) => pa.0 % length,
            (false, _) => pa.0,
        };
        let source = self.bytes.get(start as usize..).ok_or(absent)?;
        buffer.copy_from_slice(source.get(..buffer.len()).ok_or(absent)?);
        Ok(())
    }

    fn next_run(&self, from: Gfn) -> Option<Run> {
        let start = from.pa().0;
        let end = self.bytes.len() as u64 / PAGE_SIZE * PAGE_SIZE;
        (start < end).then(|| Run {
            start,
            length: end - start,
        })
    }
}
