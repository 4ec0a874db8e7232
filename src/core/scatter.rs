//! Many small reads in one call.

use super::{Memory, Space};
use crate::error::Fault;

/// One read among many.
#[derive(Debug)]
pub struct ScatterRead<'b> {
    /// Where the address lives.
    pub space: Space,
    /// First byte.
    pub address: u64,
    /// Receives the bytes.
    pub buffer: &'b mut [u8],
    /// Bytes read, from the first on.
    pub done: usize,
    /// Why fewer than all were read.
    pub fault: Option<Fault>,
}

impl<'b> ScatterRead<'b> {
    /// A read that has not been made yet.
    pub const fn new(space: Space, address: u64, buffer: &'b mut [u8]) -> Self {
        Self {
            space,
            address,
            buffer,
            done: 0,
            fault: None,
        }
    }
}

impl Memory {
    /// Makes all reads; each tells its own outcome. Returns how many failed.
    ///
    /// The translation cache makes requests that share a page walk its tables once.
    pub fn read_scatter<'b>(
        &self,
        requests: impl IntoIterator<Item = &'b mut ScatterRead<'b>>,
    ) -> usize {
        let mut failed = 0_usize;
        for request in requests {
            match self.read(request.space, request.address, request.buffer) {
                Ok(()) => request.done = request.buffer.len(),
                Err(partial) => {
                    request.done = partial.done;
                    request.fault = Some(partial.fault);
                    failed = failed.saturating_add(1);
                }
            }
        }
        failed
    }
}
