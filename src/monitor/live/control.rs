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

/// Which descriptor of the `epoll` is readable.
const BACK_END: u64 = 0;
const WAKE: u64 = 1;

/// Who serves events, and what it is told.
pub struct LoopControl {
    /// An `eventfd`: readable after a wake-up.
    wake: OwnedFd,
    /// An `epoll` over the back end's descriptor and `wake`.
    both: OnceCell<OwnedFd>,
    /// A wake-up came that no wait has seen yet.
    woken: AtomicBool,
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

fn add(epoll: &OwnedFd, descriptor: libc::c_int, name: u64) -> Result<()> {
    let mut event = libc::epoll_event {
        events: libc::EPOLLIN as u32,
        u64: name,
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
            woken: AtomicBool::new(false),
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
        add(&epoll, descriptor, BACK_END)?;
        add(&epoll, wake.as_raw_fd(), WAKE)?;
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
        self.woken.store(true, Ordering::Release);
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

    /// Is there a wake-up that no wait has seen yet?
    pub fn is_woken(&self) -> bool {
        self.woken.load(Ordering::Acquire)
    }

    /// Waits for events or a wake-up, whichever is first.
    ///
    /// Where the back end has no descriptor it is asked at intervals.
    pub fn wait(&self, machine: &Machine, timeout: Duration) -> Result<Woken> {
        // Cleared first: what comes from here on is seen by the wait below.
        self.woken.store(false, Ordering::Release);
        let readable = match self.descriptor(machine) {
            Ok(both) => self.wait_for_both(both, timeout)?,
            Err(_) => self.wait_for_wake(timeout.min(INTERVAL))?,
        };
        Ok(match readable && self.take_wake() {
            true => Woken::ByCall,
            false => Woken::Otherwise,
        })
    }

    /// Waits for either descriptor; true when the wake-up's is readable.
    fn wait_for_both(&self, both: libc::c_int, timeout: Duration) -> Result<bool> {
        let mut readable = [libc::epoll_event { events: 0, u64: 0 }; 2];
        // SAFETY: the array has the two elements that are told, and lives through the call.
        let count =
            unsafe { libc::epoll_wait(both, readable.as_mut_ptr(), 2, milliseconds(timeout)) };
        let count = waited(count)?;
        Ok(readable.iter().take(count).any(|event| event.u64 == WAKE))
    }

    fn wait_for_wake(&self, timeout: Duration) -> Result<bool> {
        let mut polled = libc::pollfd {
            fd: self.wake.as_raw_fd(),
            events: libc::POLLIN,
            revents: 0,
        };
        // SAFETY: one pollfd, which lives through the call.
        let count = unsafe { libc::poll(&raw mut polled, 1, milliseconds(timeout)) };
        Ok(waited(count)? > 0)
    }

    fn take_wake(&self) -> bool {
        let mut count = 0_u64;
        // SAFETY: the eventfd is open, and `count` has the 8 bytes that it gives.
        let read = unsafe { libc::read(self.wake.as_raw_fd(), (&raw mut count).cast(), 8) };
        read == 8
    }
}

/// Rounded up, so that a wait never ends just before its time.
fn milliseconds(timeout: Duration) -> libc::c_int {
    let milliseconds = timeout.as_micros().div_ceil(1000);
    libc::c_int::try_from(milliseconds).unwrap_or(libc::c_int::MAX)
}

/// Number of readable descriptors after a wait; a signal ends one without any.
fn waited(count: libc::c_int) -> Result<usize> {
    usize::try_from(count).or_else(|_| {
        let error = io::Error::last_os_error();
        match error.kind() {
            io::ErrorKind::Interrupted => Ok(0),
            _ => Err(Error::io("wait for events", error)),
        }
    })
}
