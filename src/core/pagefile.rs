//! Page files, as the core sees them.

use std::sync::Arc;

use super::PAGE_SIZE;
use crate::error::FaultKind;

/// Content of pages that the guest took out of memory.
pub trait Pagefile: Send + Sync {
    /// Copies the bytes at `offset`.
    ///
    /// [`FaultKind::NotInImage`] when the file ends before they do,
    /// [`FaultKind::BackEnd`] when reading fails.
    fn read(&self, offset: u64, buffer: &mut [u8]) -> Result<(), FaultKind>;
}

/// A guest's page files by number; those that are not at hand are missing.
#[derive(Clone, Default)]
pub struct Pagefiles([Option<Arc<dyn Pagefile>>; Self::COUNT]);

impl Pagefiles {
    /// Most page files that a guest has: numbers have 4 bits.
    pub const COUNT: usize = 16;

    /// Adds the page file `number`, in the place of an earlier one; false from
    /// [`Pagefiles::COUNT`] on.
    pub fn insert(&mut self, number: u8, file: Arc<dyn Pagefile>) -> bool {
        let place = self.0.get_mut(usize::from(number));
        place.is_some_and(|place| {
            *place = Some(file);
            true
        })
    }

    /// Copies the bytes at `offset` of page file `number`.
    ///
    /// [`FaultKind::Pagefile`] with its number and the page's offset when the file is not
    /// at hand or ends before the bytes do.
    pub fn read(&self, number: u8, offset: u64, buffer: &mut [u8]) -> Result<(), FaultKind> {
        let missing = FaultKind::Pagefile {
            number,
            offset: offset & !(PAGE_SIZE - 1),
        };
        let file = self.0.get(usize::from(number)).and_then(Option::as_ref);
        match file.ok_or(missing)?.read(offset, buffer) {
            Err(FaultKind::NotInImage) => Err(missing),
            done => done,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Bytes(Vec<u8>);

    impl Pagefile for Bytes {
        fn read(&self, offset: u64, buffer: &mut [u8]) -> Result<(), FaultKind> {
            let start = usize::try_from(offset).unwrap();
            let bytes = self.0.get(start..start + buffer.len());
            buffer.copy_from_slice(bytes.ok_or(FaultKind::NotInImage)?);
            Ok(())
        }
    }

    #[test]
    fn missing_files_and_missing_ends_are_named() {
        let mut files = Pagefiles::default();
        assert!(files.insert(3, Arc::new(Bytes((0..100).collect()))));
        assert!(!files.insert(16, Arc::new(Bytes(Vec::new()))));
        let mut buffer = [0; 4];
        assert_eq!(files.read(3, 96, &mut buffer), Ok(()));
        assert_eq!(buffer, [96, 97, 98, 99]);
        for (number, at, offset) in [(3, 97, 0), (2, 0x1fff, 0x1000), (255, 0, 0)] {
            let missing = FaultKind::Pagefile { number, offset };
            assert_eq!(files.read(number, at, &mut buffer), Err(missing));
        }
    }
}
