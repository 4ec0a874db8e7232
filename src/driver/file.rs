//! A read-only image file, mapped or read.
//!
//! Mapping is faster, but a mapped file that another process truncates, or whose
//! server goes away, ends in a signal (`SIGBUS`) instead of an error. Files on
//! network and FUSE file systems are therefore read with `pread` by default.

use std::{
    fs::File,
    io::{self, Seek, SeekFrom},
    os::unix::fs::{FileExt, FileTypeExt},
    path::Path,
    ptr::NonNull,
};

use memmap2::{MmapOptions, MmapRaw};

use crate::{
    core::{
        PAGE_SIZE, Pa,
        driver::{PinnedPage, PinnedRun},
    },
    error::{Error, FaultKind, Result},
};

/// How an image file is accessed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum FileMode {
    /// Mapped on local file systems, read on network and FUSE ones.
    #[default]
    Auto,
    /// Mapped.
    Map,
    /// Read with `pread`.
    Read,
}

/// An open image file.
pub struct ImageFile {
    file: File,
    map: Option<MmapRaw>,
    length: u64,
}

impl ImageFile {
    /// Opens a regular file or block device.
    pub fn open(path: &Path, mode: FileMode) -> Result<Self> {
        let failed = |error| Error::io(format!("open {path:?}"), error);
        // Looked at first: opening a FIFO would wait for a writer.
        let kind = path.metadata().map_err(failed)?.file_type();
        if !kind.is_file() && !kind.is_block_device() {
            let odd = io::Error::new(io::ErrorKind::InvalidInput, "not a file");
            return Err(failed(odd));
        }
        let mut file = File::open(path).map_err(failed)?;
        let length = file.seek(SeekFrom::End(0)).map_err(failed)?;
        let map = match mode {
            FileMode::Map => Some(map_file(&file, length).map_err(failed)?),
            // A process short of address space can still read.
            FileMode::Auto if !is_remote(&file) => map_file(&file, length).ok(),
            FileMode::Auto | FileMode::Read => None,
        };
        Ok(Self { file, map, length })
    }

    /// Length in bytes, as it was when the file was opened.
    pub fn len(&self) -> u64 {
        self.length
    }

    /// Is the file mapped?
    pub fn is_mapped(&self) -> bool {
        self.map.is_some()
    }

    /// Address of `length` bytes at `offset`, when they are mapped.
    #[inline]
    fn mapped(&self, offset: u64, length: u64) -> Option<NonNull<u8>> {
        let map = self.map.as_ref()?;
        let end = offset.checked_add(length)?;
        if end > self.length {
            return None;
        }
        // SAFETY: offset <= end <= the length of the mapping.
        let address = unsafe { map.as_mut_ptr().add(offset as usize) };
        NonNull::new(address)
    }

    /// The 4096 bytes at `offset` (of any alignment), when they are mapped.
    #[inline]
    pub fn page(&self, offset: u64) -> Option<PinnedPage<'_>> {
        let page = self.mapped(offset, PAGE_SIZE)?;
        // SAFETY: the page is mapped for as long as this file.
        Some(unsafe { PinnedPage::new(page) })
    }

    /// The `length` bytes at `offset` as the physical memory at `start`, when
    /// they are mapped.
    pub fn run(&self, start: Pa, offset: u64, length: u64) -> Option<PinnedRun<'_>> {
        let host = self.mapped(offset, length)?;
        // SAFETY: the bytes are mapped for as long as this file.
        Some(unsafe { PinnedRun::new(start, length, host) })
    }

    /// Copies the bytes at `offset`.
    ///
    /// [`FaultKind::NotInImage`] when the file ends before they do,
    /// [`FaultKind::BackEnd`] when reading fails.
    #[inline]
    pub fn read(&self, offset: u64, buffer: &mut [u8]) -> Result<(), FaultKind> {
        let length = buffer.len() as u64;
        if let Some(source) = self.mapped(offset, length) {
            // SAFETY: `mapped` checked the range, and a fresh `&mut` never overlaps it.
            unsafe { source.copy_to_nonoverlapping(NonNull::from(buffer).cast(), length as usize) };
            return Ok(());
        }
        let end = offset.checked_add(length).ok_or(FaultKind::NotInImage)?;
        if end > self.length {
            return Err(FaultKind::NotInImage);
        }
        self.file
            .read_exact_at(buffer, offset)
            .map_err(|_| FaultKind::BackEnd)
    }

    /// The `length` bytes of `part`, a header or table of a `format` file, at `offset`.
    pub fn load(
        &self,
        format: &'static str,
        part: &str,
        offset: u64,
        length: u64,
    ) -> Result<Vec<u8>> {
        let truncated = || {
            let end = self.length;
            Error::format(
                format,
                format!("the file ends at {end:#x}, inside the {part} at {offset:#x}"),
            )
        };
        let end = offset.checked_add(length).ok_or_else(truncated)?;
        if end > self.length {
            return Err(truncated());
        }
        let mut bytes = vec![0; length as usize];
        self.read(offset, &mut bytes)
            .map_err(|_| Error::format(format, format!("the {part} cannot be read")))?;
        Ok(bytes)
    }
}

fn map_file(file: &File, length: u64) -> io::Result<MmapRaw> {
    let length = usize::try_from(length).map_err(|_| io::ErrorKind::FileTooLarge)?;
    MmapOptions::new().len(length).map_raw_read_only(file)
}

/// Is the file on a network or FUSE file system?
#[cfg(target_os = "linux")]
fn is_remote(file: &File) -> bool {
    use std::{mem::MaybeUninit, os::fd::AsRawFd};

    /// `f_type` of AFS, Ceph, CIFS, Coda, FUSE, Lustre, NCP, NFS, SMB, SMB2, 9P, vboxsf.
    const REMOTE: [u32; 12] = [
        0x5346_414f,
        0x00c3_6400,
        0xff53_4d42,
        0x7375_7245,
        0x6573_5546,
        0x0bd0_0bd0,
        0x0000_564c,
        0x0000_6969,
        0x0000_517b,
        0xfe53_4d42,
        0x0102_1997,
        0x786f_4256,
    ];
    let mut answer = MaybeUninit::<libc::statfs>::uninit();
    // SAFETY: the descriptor is open and the structure is writable.
    let status = unsafe { libc::fstatfs(file.as_raw_fd(), answer.as_mut_ptr()) };
    if status != 0 {
        return false;
    }
    // SAFETY: the call succeeded, so it filled the structure.
    let answer = unsafe { answer.assume_init() };
    REMOTE.contains(&(answer.f_type as u32))
}

#[cfg(not(target_os = "linux"))]
fn is_remote(_file: &File) -> bool {
    false
}
