//! Every word that a tour reads, overwritten: list links, page-table entries,
//! lengths, counts, tags and pointers of every structure alike.

use std::{
    collections::BTreeSet,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use winvmi::{
    Fault, FaultKind,
    core::{
        Capabilities, Driver, Gfn, Pa,
        driver::{DriverInfo, PhysicalMemory, Run},
    },
    os::windows::Windows,
};
use winvmi_forge::{Guest, Layout};

use crate::{
    back_end::{on_driver, small_guest},
    tour::Tour,
};

/// Elements of one iterator.
const LIMIT: usize = 1000;

/// A tour takes some milliseconds; this tells one that does not end.
const PATIENCE: Duration = Duration::from_secs(10);

/// A guest one word of which is not what it was.
struct Altered {
    guest: Arc<Guest>,
    /// Physical address of the word, and its value.
    word: Option<(u64, u64)>,
    /// Physical addresses of all words that were read, where wanted.
    read: Option<Arc<Mutex<BTreeSet<u64>>>>,
    calls: Arc<AtomicU64>,
}

impl Driver for Altered {
    fn info(&self) -> DriverInfo {
        DriverInfo {
            name: "altered",
            format: "",
            vcpus: 0,
            memory_size: self.guest.memory().total_bytes(),
        }
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities::PHYSICAL_READ
    }

    fn physical(&self) -> Option<&dyn PhysicalMemory> {
        Some(self)
    }
}

impl PhysicalMemory for Altered {
    fn read(&self, pa: Pa, buffer: &mut [u8]) -> Result<(), Fault> {
        self.calls.fetch_add(1, Ordering::Relaxed);
        let end = pa.0 + buffer.len() as u64;
        if end > self.guest.memory().end() {
            return Err(Fault::physical(pa, FaultKind::NotInImage));
        }
        self.guest.memory().read(pa.0, buffer);
        if let Some(read) = &self.read {
            read.lock().unwrap().extend((pa.0 & !7..end).step_by(8));
        }
        if let Some((word, value)) = self.word {
            for (address, byte) in (word..).zip(value.to_le_bytes()) {
                if (pa.0..end).contains(&address) {
                    buffer[(address - pa.0) as usize] = byte;
                }
            }
        }
        Ok(())
    }

    fn next_run(&self, _from: Gfn) -> Option<Run> {
        None
    }
}

/// The Windows layer on the altered guest, and a count of its reads.
fn windows(guest: &Arc<Guest>, word: Option<(u64, u64)>) -> (Option<Windows>, Arc<AtomicU64>) {
    let calls = Arc::new(AtomicU64::new(0));
    let driver = Altered {
        guest: Arc::clone(guest),
        word,
        read: None,
        calls: Arc::clone(&calls),
    };
    (on_driver(guest, driver), calls)
}

/// Words that a tour of the whole guest reads.
fn words(guest: &Arc<Guest>) -> BTreeSet<u64> {
    let read = Arc::new(Mutex::new(BTreeSet::new()));
    let driver = Altered {
        guest: Arc::clone(guest),
        word: None,
        read: Some(Arc::clone(&read)),
        calls: Arc::default(),
    };
    let windows = on_driver(guest, driver).unwrap();
    Tour::of(&windows, LIMIT);
    Tour::objects(&windows, LIMIT);
    drop(windows);
    std::mem::take(&mut *read.lock().unwrap())
}

/// What a word becomes: nothing, no address, an unmapped one, another word's
/// content, a length or count beyond all memory, one bit more or less.
fn damage(guest: &Guest, word: u64, kind: usize) -> u64 {
    let old = guest.memory().read_u64(word);
    let neighbour = guest.memory().read_u64(word ^ 8);
    match kind {
        0 => 0,
        1 => u64::MAX,
        2 => 0xdead_beef_dead_beef,
        3 => 0xffff_8800_1234_5000,
        4 => neighbour,
        5 => old ^ 1 << 47,
        6 => old ^ 3,
        _ => old | 0x7fff_fff0,
    }
}

/// Kinds of [`damage`].
const KINDS: usize = 8;

/// Processor time of this thread: what others take of a busy machine is none of it.
fn processor_time() -> Duration {
    let mut time = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // SAFETY: the clock exists, and the structure is writable.
    let status = unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &mut time) };
    assert_eq!(status, 0);
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

/// Damages every word, each in another way than the one before.
fn survive(layout: Layout) {
    let guest = Arc::new(small_guest(layout));
    let words = words(&guest);
    for (index, &word) in words.iter().enumerate() {
        let value = damage(&guest, word, index % KINDS);
        let (windows, calls) = windows(&guest, Some((word, value)));
        let Some(windows) = windows else {
            continue;
        };
        let start = processor_time();
        Tour::of(&windows, LIMIT);
        Tour::objects(&windows, LIMIT);
        let (took, calls) = (processor_time() - start, calls.load(Ordering::Relaxed));
        assert!(
            took < PATIENCE,
            "{word:#x} = {value:#x}: {took:?}, {calls} reads"
        );
    }
}

#[test]
fn every_word_of_the_oldest_layout() {
    survive(Layout::Win7Sp1);
}

#[test]
fn every_word_of_the_newest_layout() {
    survive(Layout::Win11_21H2);
}
