//! A machine of QEMU whose memory is a file that the test reads and writes.

use std::fs::{self, File, OpenOptions};
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::FileExt;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread::sleep;
use std::time::{Duration, Instant};

use winvmi_forge::running::{PANICKED, QUIET, Running, SIGNATURE, Word};

const QEMU: &str = "qemu-system-x86_64";
/// Bytes of memory beyond what the guest needs, for the firmware.
const SPARE_MEMORY: u64 = 64 << 20;
/// How long anything may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(120);
const NAP: Duration = Duration::from_millis(20);

/// A machine that is ended, and its files removed, with its value.
pub struct Machine {
    qemu: Child,
    memory: File,
    folder: PathBuf,
}

impl Machine {
    /// Starts a guest; nothing, and a line that says so, where QEMU is not installed.
    pub fn start(running: &Running, processors: u32) -> Option<Self> {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("winvmi-running-{}-{number}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        fs::create_dir(&folder).unwrap();
        running.write_elf(&folder.join("guest.elf")).unwrap();
        let size = running.memory() + SPARE_MEMORY;
        let memory = memory_file(&folder.join("memory"), size);
        match command(&folder, size, processors).spawn() {
            Ok(qemu) => Some(Self {
                qemu,
                memory,
                folder,
            }),
            Err(error) => {
                println!("skipped: {QEMU}: {error}");
                fs::remove_dir_all(&folder).unwrap();
                None
            }
        }
    }

    /// Reads a 64-bit number at a physical address.
    pub fn read(&self, pa: u64) -> u64 {
        let mut bytes = [0; 8];
        self.memory.read_exact_at(&mut bytes, pa).unwrap();
        u64::from_le_bytes(bytes)
    }

    /// Writes a byte at a physical address: what was there.
    pub fn replace_byte(&self, pa: u64, byte: u8) -> u8 {
        let mut before = [0];
        self.memory.read_exact_at(&mut before, pa).unwrap();
        self.memory.write_all_at(&[byte], pa).unwrap();
        before[0]
    }

    /// A word of the guest.
    pub fn word(&self, running: &Running, word: Word) -> u64 {
        self.read(running.word(word).1)
    }

    /// Sets a word of the guest, and the guest going again: it may have been quiet.
    pub fn set_word(&self, running: &Running, word: Word, value: u64) {
        for (word, value) in [(Word::State, 0), (word, value)] {
            let place = running.word(word).1;
            self.memory
                .write_all_at(&value.to_le_bytes(), place)
                .unwrap();
        }
    }

    /// Waits until the guest has started and nothing in it runs nor may run.
    pub fn wait_until_quiet(&self, running: &Running) {
        let end = Instant::now() + PATIENCE;
        loop {
            let state = self.word(running, Word::State);
            let has_started = self.word(running, Word::Signature) == SIGNATURE;
            assert_ne!(state, PANICKED, "panic: {:#x?}", self.panic(running));
            if has_started && state == QUIET {
                return;
            }
            assert!(Instant::now() < end, "the guest does not come to an end");
            sleep(NAP);
        }
    }

    /// Waits until a word is as large as a number.
    pub fn wait_for(&self, running: &Running, word: Word, least: u64) {
        let end = Instant::now() + PATIENCE;
        while self.word(running, word) < least {
            assert!(Instant::now() < end, "{} stays low", word.name());
            sleep(NAP);
        }
    }

    /// Vector, instruction pointer, CR2 and error code of a panic.
    fn panic(&self, running: &Running) -> [u64; 4] {
        [
            Word::PanicVector,
            Word::PanicAddress,
            Word::PanicFault,
            Word::PanicError,
        ]
        .map(|word| self.word(running, word))
    }

    /// Stops the machine and writes its memory as `dump-guest-memory` does: the path of the ELF
    /// core.
    pub fn dump(&mut self) -> PathBuf {
        let path = self.folder.join("core");
        let mut monitor = Monitor::connect(&self.folder.join("monitor"));
        monitor.ask(r#"{"execute": "stop"}"#);
        monitor.ask(&format!(
            r#"{{"execute": "dump-guest-memory", "arguments": {{"paging": false, "protocol": "file:{}"}}}}"#,
            path.display()
        ));
        path
    }

    /// Lets the stopped machine run for a moment and on.
    pub fn resume(&mut self) {
        Monitor::connect(&self.folder.join("monitor")).ask(r#"{"execute": "cont"}"#);
        sleep(NAP);
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        let _ = self.qemu.kill();
        let _ = self.qemu.wait();
        let _ = fs::remove_dir_all(&self.folder);
    }
}

fn memory_file(path: &Path, size: u64) -> File {
    let mut options = OpenOptions::new();
    let file = options.read(true).write(true).create(true).truncate(true);
    let file = file.open(path).unwrap();
    file.set_len(size).unwrap();
    file
}

fn command(folder: &Path, size: u64, processors: u32) -> Command {
    let memory = folder.join("memory");
    let object = format!(
        "memory-backend-file,id=ram,share=on,size={size},mem-path={}",
        memory.display()
    );
    let monitor = format!("unix:{},server,nowait", folder.join("monitor").display());
    let mut command = Command::new(QEMU);
    command
        .args(["-machine", "q35,memory-backend=ram", "-accel", "tcg"])
        .args(["-cpu", "max", "-smp", &processors.to_string()])
        .args(["-object", &object, "-m", &format!("{size}b")])
        .args(["-nodefaults", "-no-reboot", "-display", "none"])
        .args(["-qmp", &monitor])
        .arg("-kernel")
        .arg(folder.join("guest.elf"))
        .stdin(Stdio::null());
    command
}

/// QEMU's machine protocol.
struct Monitor {
    writer: UnixStream,
    reader: BufReader<UnixStream>,
}

impl Monitor {
    fn connect(path: &Path) -> Self {
        let writer = UnixStream::connect(path).unwrap();
        writer.set_read_timeout(Some(PATIENCE)).unwrap();
        let reader = BufReader::new(writer.try_clone().unwrap());
        let mut monitor = Self { writer, reader };
        monitor.ask(r#"{"execute": "qmp_capabilities"}"#);
        monitor
    }

    /// Sends a command and waits for its answer; events in between are passed over.
    fn ask(&mut self, command: &str) {
        self.writer.write_all(command.as_bytes()).unwrap();
        loop {
            let mut line = String::new();
            assert_ne!(self.reader.read_line(&mut line).unwrap(), 0, "QEMU ended");
            assert!(!line.contains("\"error\""), "{command}: {line}");
            if line.contains("\"return\"") {
                return;
            }
        }
    }
}
