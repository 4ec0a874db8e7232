//! Files that live in memory and have a path.

use std::{
    fs::File,
    io::Write,
    os::fd::{AsRawFd, FromRawFd},
    path::{Path, PathBuf},
};

/// An unlinked file in memory.
pub struct MemoryFile {
    path: PathBuf,
    _file: File,
}

impl MemoryFile {
    /// A file with these bytes.
    pub fn new(bytes: &[u8]) -> Self {
        // SAFETY: the name is NUL-terminated.
        let fd = unsafe { libc::memfd_create(c"fuzz".as_ptr(), libc::MFD_CLOEXEC) };
        assert!(fd >= 0, "no memory file");
        // SAFETY: the descriptor is new and belongs to nobody else.
        let mut file = unsafe { File::from_raw_fd(fd) };
        file.write_all(bytes).expect("memory for a file");
        Self {
            path: format!("/proc/self/fd/{}", file.as_raw_fd()).into(),
            _file: file,
        }
    }

    /// A path to open it by.
    pub fn path(&self) -> &Path {
        &self.path
    }
}
