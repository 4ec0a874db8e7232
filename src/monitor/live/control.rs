//! Waking, stopping and waiting for the thread that serves events.

use std::{
    io,
    os::fd::{AsRawFd, FromRawFd, OwnedFd},
    sync::{
        Condvar, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, ThreadId},
    time::Duration,
};

use once_cell::sync::OnceCell;

use crate::{
    error::{Error, Result},
    monitor::machine::Machine,
};

/// How often a back end without a descriptor is asked for events.
const INTERVAL: Duration = Duration::from_millis(2);

/// Who serves events, and what it is told.
pub struct LoopControl {
    /// An `eventfd`: readable after a wake-up.
    wake: OwnedFd,
    /// An `epoll` over the back end's descriptor and `wake`.
    both: OnceCell<OwnedFd>,
    stop: AtomicBool,
    closing: AtomicBool,
    server: Mutex<Option<ThreadId>>,
    ended: Condvar,
}

/// What ended a wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Woken {
    /// [`LoopControl::wake`] was called.
    ByCall,
    /// Events are pending, or the time is up, or a signal came.
    Otherwise,
}

/// Serves events as long as it lives; one at a time.
pub struct Serving<'a>(&'a LoopControl);

impl Drop for Serving<'_> {
    fn drop(&mut self) {
        *self.0.server() = None;
        self.0.ended.notify_all();
    }
}

fn checked(result: libc::c_int, action: &str) -> Result<libc::c_int> {
    match result {
        -1 => Err(Error::io(action, io::Error::last_os_error())),
        result => Ok(result),
    }
}

fn owned(descriptor: libc::c_int) -> OwnedFd {
    // SAFETY: the caller has just got the descriptor from the system.
    unsafe { OwnedFd::from_raw_fd(descriptor) }
}

fn add(epoll: &OwnedFd, descriptor: libc::c_int) -> Result<()> {
    let mut event = libc::epoll_event {
        events: libc::EPOLLIN as u32,
        u64: 0,
    };
    // SAFETY: both descriptors are open, and `event` lives through the call.
    let result = unsafe {
        libc::epoll_ctl(
            epoll.as_raw_fd(),
            libc::EPOLL_CTL_ADD,
            descriptor,
            &raw mut event,
        )
    };
    checked(result, "watch the descriptor of the back end").map(drop)
}

impl LoopControl {
    pub fn new() -> Result<Self> {
        // SAFETY: takes numbers only.
        let wake = unsafe { libc::eventfd(0, libc::EFD_CLOEXEC | libc::EFD_NONBLOCK) };
        Ok(Self {
            wake: owned(checked(wake, "make an eventfd")?),
            both: OnceCell::new(),
            stop: AtomicBool::new(false),
            closing: AtomicBool::new(false),
            server: Mutex::new(None),
            ended: Condvar::new(),
        })
    }

    fn join(descriptor: libc::c_int, wake: &OwnedFd) -> Result<OwnedFd> {
        // SAFETY: takes a number only.
        let epoll = unsafe { libc::epoll_create1(libc::EPOLL_CLOEXEC) };
        let epoll = owned(checked(epoll, "make an epoll")?);
        add(&epoll, descriptor)?;
        add(&epoll, wake.as_raw_fd())?;
        Ok(epoll)
    }

    fn server(&self) -> MutexGuard<'_, Option<ThreadId>> {
        self.server.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins to serve events in this thread.
    pub fn serve(&self) -> Result<Serving<'_>> {
        let mut server = self.server();
        if server.is_some() {
            return Err(Error::Busy {
                reason: "the event loop is running already".into(),
            });
        }
        *server = Some(thread::current().id());
        Ok(Serving(self))
    }

    /// Does this thread serve events (so that it is inside a callback)?
    pub fn is_server(&self) -> bool {
        *self.server() == Some(thread::current().id())
    }

    /// Waits until no thread serves events.
    pub fn wait_ended(&self) {
        let mut server = self.server();
        while server.is_some() {
            server = self
                .ended
                .wait(server)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Ends the current wait, or the next one. Async-signal-safe.
    pub fn wake(&self) {
        let one = 1_u64;
        // SAFETY: the eventfd is open, and `one` has the 8 bytes that it takes.
        let _ = unsafe { libc::write(self.wake.as_raw_fd(), (&raw const one).cast(), 8) };
    }

    pub fn stop(&self) {
        self.stop.store(true, Ordering::Release);
        self.wake();
    }

    /// Was a stop asked for? Each request counts once.
    pub fn take_stop(&self) -> bool {
        self.stop.swap(false, Ordering::AcqRel)
    }

    /// Will the next [`LoopControl::take_stop`] be true?
    pub fn is_stopping(&self) -> bool {
        self.stop.load(Ordering::Acquire)
    }

    pub fn close(&self) {
        self.closing.store(true, Ordering::Release);
        self.wake();
    }

    pub fn is_closing(&self) -> bool {
        self.closing.load(Ordering::Acquire)
    }

    /// A descriptor that is readable while events or a wake-up are pending.
    ///
    /// Made at its first use: before that, the back end need not report anything.
    pub fn descriptor(&self, machine: &Machine) -> Result<libc::c_int> {
        let join = || Self::join(machine.events()?.fd()?, &self.wake);
        self.both.get_or_try_init(join).map(AsRawFd::as_raw_fd)
    }

    /// Waits for events or a wake-up, whichever is first.
    ///
    /// Where the back end has no descriptor it is asked at intervals.
    pub fn wait(&self, machine: &Machine, timeout: Duration) -> Result<Woken> {
        let (descriptor, timeout) = match self.descriptor(machine) {
            Ok(both) => (both, timeout),
            Err(_) => (self.wake.as_raw_fd(), timeout.min(INTERVAL)),
        };
        let mut polled = libc::pollfd {
            fd: descriptor,
            events: libc::POLLIN,
            revents: 0,
        };
        // Rounded up, so that a wait never ends just before its time.
        let timeout = timeout.as_micros().div_ceil(1000);
        let timeout = libc::c_int::try_from(timeout).unwrap_or(libc::c_int::MAX);
        // SAFETY: one pollfd, which lives through the call.
        if unsafe { libc::poll(&raw mut polled, 1, timeout) } < 0 {
            let error = io::Error::last_os_error();
            if error.kind() != io::ErrorKind::Interrupted {
                return Err(Error::io("wait for events", error));
            }
        }
        Ok(match self.take_wake() {
            true => Woken::ByCall,
            false => Woken::Otherwise,
        })
    }

    fn take_wake(&self) -> bool {
        let mut count = 0_u64;
        // SAFETY: the eventfd is open, and `count` has the 8 bytes that it gives.
        let read = unsafe { libc::read(self.wake.as_raw_fd(), (&raw mut count).cast(), 8) };
        read == 8
    }
}
