//! Temporary files, and what drivers are held against.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
};

pub use crate::images::*;
use winvmi::{
    Result,
    core::{Driver, Gfn, PAGE_SIZE, Pa},
    driver::{FileMode, OpenOptions, Target, open},
};

/// A file that is removed with its value.
pub struct TempFile(PathBuf);

impl TempFile {
    pub fn new(bytes: &[u8]) -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("winvmi-drivers-{}-{number}", std::process::id());
        let path = std::env::temp_dir().join(name);
        fs::write(&path, bytes).unwrap();
        Self(path)
    }

    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for TempFile {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

/// Opens `bytes` as a detected or (`prefix`) named format.
pub fn open_bytes(prefix: &str, bytes: &[u8], file_mode: FileMode) -> Result<Arc<dyn Driver>> {
    let file = TempFile::new(bytes);
    let target = Target::parse(&format!("{prefix}{}", file.path().display()))?;
    open(&target, OpenOptions { file_mode })
}

/// The error of opening `bytes`, as text.
pub fn refusal(bytes: &[u8]) -> String {
    match open_bytes("", bytes, FileMode::Auto) {
        Ok(_) => panic!("opened"),
        Err(error) => error.to_string(),
    }
}

/// Asserts that exactly `frames` are present, whole, pinned if mapped.
pub fn assert_frames(driver: &dyn Driver, frames: &[u64], mapped: bool) {
    let physical = driver.physical().expect("physical memory");
    for &frame in frames {
        let pa = Gfn(frame).pa();
        let mut bytes = vec![0; PAGE_SIZE as usize];
        physical.read(pa, &mut bytes).unwrap();
        assert!(bytes == page(frame), "frame {frame:#x} read");
        let pinned = physical.pin(Gfn(frame));
        assert_eq!(pinned.is_some(), mapped, "frame {frame:#x} pinned");
        if let Some(pinned) = pinned {
            let mut word = [0; 8];
            assert!(pinned.copy_to(4088, &mut word));
            assert_eq!(u64::from_le_bytes(word), frame << 16 | 511);
        }
    }
    let last = frames.iter().max().copied().unwrap_or_default();
    for frame in (0..last + 3).filter(|frame| !frames.contains(frame)) {
        assert!(physical.pin(Gfn(frame)).is_none());
        let mut byte = [0];
        let fault = physical.read(Gfn(frame).pa(), &mut byte).unwrap_err();
        assert_eq!(fault.kind, winvmi::FaultKind::NotInImage);
    }
    assert_eq!(runs(driver), expected_runs(frames));
    assert_eq!(driver.info().memory_size, frames.len() as u64 * PAGE_SIZE);
}

/// All runs of present memory, as (start, length) in bytes.
pub fn runs(driver: &dyn Driver) -> Vec<(u64, u64)> {
    let physical = driver.physical().expect("physical memory");
    let mut runs = Vec::new();
    let mut from = Gfn(0);
    while let Some(run) = physical.next_run(from) {
        runs.push((run.start, run.length));
        let end = Pa(run.start.checked_add(run.length).unwrap());
        assert!(end.gfn() > from && runs.len() < 10_000, "runs must advance");
        from = end.gfn();
    }
    runs
}

fn expected_runs(frames: &[u64]) -> Vec<(u64, u64)> {
    let mut sorted = frames.to_vec();
    sorted.sort_unstable();
    let mut runs: Vec<(u64, u64)> = Vec::new();
    for frame in sorted {
        let start = frame * PAGE_SIZE;
        match runs.last_mut() {
            Some((from, length)) if *from + *length == start => *length += PAGE_SIZE,
            _ => runs.push((start, PAGE_SIZE)),
        }
    }
    runs
}
