//! The ring page through which Xen reports events and takes answers.
//!
//! Xen is trusted no more than needed: the page is shared, so entries are copied
//! out before they are looked at, and indices wrap as Xen's do.

use std::{
    io,
    mem::offset_of,
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use xen::sys;

use super::{
    domain::Domain,
    handle::{EventChannels, Mapping, check, explained, failed},
};
use crate::{core::PAGE_SIZE, error::Result};

/// A request or an answer.
pub(super) type Entry = sys::vm_event_st;

/// Bytes in front of the entries.
const HEADER: usize = offset_of!(sys::vm_event_sring, ring);

/// Entries in the page, a power of two as Xen computes it.
const ENTRIES: u32 =
    1 << ((PAGE_SIZE as usize - HEADER) / size_of::<sys::vm_event_sring_entry>()).ilog2();

/// The shared page and the event channel that announces what is in it.
pub(super) struct Ring {
    page: Mapping,
    channels: EventChannels,
    port: u32,
}

/// How far this side has come in the ring.
#[derive(Debug, Default)]
pub(super) struct Cursor {
    /// Requests taken.
    taken: u32,
    /// Answers put.
    put: u32,
}

impl Ring {
    /// Enables the domain's monitor and binds its event channel.
    pub(super) fn enable(domain: &Domain) -> Result<Self> {
        let channels = EventChannels::open()?;
        let (page, remote) = domain.enable_monitor()?;
        // SAFETY: the handle is open, no memory is passed.
        let port = unsafe { sys::xenevtchn_bind_interdomain(channels.raw(), domain.id(), remote) };
        let port = check("xenevtchn_bind_interdomain", port).inspect_err(|_| {
            // Nobody would answer what it reports.
            let _ = domain.disable_monitor();
        })?;
        let ring = Self {
            page,
            channels,
            port: port.cast_unsigned(),
        };
        ring.reset();
        ring.do_not_block().inspect_err(|_| {
            let _ = domain.disable_monitor();
        })?;
        Ok(ring)
    }

    /// An empty ring, with wake-ups from the first request on.
    fn reset(&self) {
        self.index(offset_of!(sys::vm_event_sring, req_prod))
            .store(0, Ordering::Relaxed);
        self.index(offset_of!(sys::vm_event_sring, rsp_prod))
            .store(0, Ordering::Relaxed);
        self.index(offset_of!(sys::vm_event_sring, req_event))
            .store(1, Ordering::Relaxed);
        self.index(offset_of!(sys::vm_event_sring, rsp_event))
            .store(1, Ordering::Release);
    }

    /// One of the indices in the page's header.
    fn index(&self, offset: usize) -> &AtomicU32 {
        // SAFETY: the offset is that of an aligned 32-bit index inside the mapped page.
        let address = unsafe { self.page.as_ptr().add(offset) };
        // SAFETY: Xen accesses the indices atomically, too, and the page outlives the reference.
        unsafe { AtomicU32::from_ptr(address.cast()) }
    }

    fn entry(&self, index: u32) -> *mut Entry {
        let number = (index % ENTRIES) as usize;
        // SAFETY: the header lies in the page.
        let first = unsafe { self.page.as_ptr().add(HEADER) };
        let first: *mut sys::vm_event_sring_entry = first.cast();
        // SAFETY: ENTRIES entries fit into the page behind the header.
        unsafe { first.add(number) }.cast()
    }

    /// Takes the next request out, if there is one.
    pub(super) fn take(&self, cursor: &mut Cursor) -> Option<Entry> {
        let produced = self
            .index(offset_of!(sys::vm_event_sring, req_prod))
            .load(Ordering::Acquire);
        if produced == cursor.taken {
            return None;
        }
        // SAFETY: the entry lies in the mapped page and is integers only.
        let request = unsafe { self.entry(cursor.taken).read_volatile() };
        cursor.taken = cursor.taken.wrapping_add(1);
        self.index(offset_of!(sys::vm_event_sring, req_event))
            .store(cursor.taken.wrapping_add(1), Ordering::Release);
        Some(request)
    }

    /// Puts an answer in and has Xen carry it out.
    pub(super) fn put(&self, cursor: &mut Cursor, answer: Entry) -> Result<()> {
        // SAFETY: the entry lies in the mapped page; its request was taken out.
        unsafe { self.entry(cursor.put).write_volatile(answer) };
        cursor.put = cursor.put.wrapping_add(1);
        self.index(offset_of!(sys::vm_event_sring, rsp_prod))
            .store(cursor.put, Ordering::Release);
        // SAFETY: the port is bound in this handle.
        check("xenevtchn_notify", unsafe {
            sys::xenevtchn_notify(self.channels.raw(), self.port)
        })?;
        Ok(())
    }

    /// Descriptor that is readable after a notification.
    pub(super) fn fd(&self) -> Result<i32> {
        // SAFETY: the handle is open.
        check("xenevtchn_fd", unsafe {
            sys::xenevtchn_fd(self.channels.raw())
        })
    }

    /// Waits for a notification and consumes it; false on time-out or signal.
    ///
    /// A notification does not promise a request: the first after binding comes
    /// without one.
    pub(super) fn wait(&self, timeout: Duration) -> Result<bool> {
        // Mostly there is one, and asking for it costs as much as looking whether there is.
        if self.consume()? {
            return Ok(true);
        }
        if timeout.is_zero() {
            return Ok(false);
        }
        let mut poll = libc::pollfd {
            fd: self.fd()?,
            events: libc::POLLIN,
            revents: 0,
        };
        let milliseconds = i32::try_from(timeout.as_millis()).unwrap_or(i32::MAX);
        // SAFETY: one descriptor is passed and one counted.
        match unsafe { libc::poll(&mut poll, 1, milliseconds) } {
            0 => Ok(false),
            count if count < 0 => match io::Error::last_os_error().kind() {
                io::ErrorKind::Interrupted => Ok(false),
                _ => Err(failed("poll")),
            },
            _ => self.consume(),
        }
    }

    /// Consumes a notification; false when there is none.
    fn consume(&self) -> Result<bool> {
        // SAFETY: the handle is open.
        let port = unsafe { sys::xenevtchn_pending(self.channels.raw()) };
        if port < 0 {
            let cause = io::Error::last_os_error();
            return match cause.kind() {
                io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted => Ok(false),
                _ => Err(explained("xenevtchn_pending", &cause)),
            };
        }
        // Unmasked before requests are taken: what comes later notifies again.
        // SAFETY: the port came from this handle.
        check("xenevtchn_unmask", unsafe {
            sys::xenevtchn_unmask(self.channels.raw(), port.cast_unsigned())
        })?;
        Ok(true)
    }

    /// Has [`Ring::consume`] return at once when there is nothing.
    fn do_not_block(&self) -> Result<()> {
        let fd = self.fd()?;
        // SAFETY: the descriptor is open, only numbers are passed.
        let flags = check("fcntl", unsafe { libc::fcntl(fd, libc::F_GETFL) })?;
        // SAFETY: as above.
        check("fcntl", unsafe {
            libc::fcntl(fd, libc::F_SETFL, flags | libc::O_NONBLOCK)
        })?;
        Ok(())
    }
}

/// Lets every processor go that a killed client left waiting for an answer.
///
/// Disabling the monitor does not: Xen counts such stops per processor, and only
/// an answer takes one back. An answer that nobody waits for is ignored.
pub(super) fn release_processors(domain: &Domain, vcpus: u16) -> Result<()> {
    let ring = Ring::enable(domain)?;
    let mut cursor = Cursor::default();
    for vcpu in 0..vcpus {
        let answer = Entry {
            version: sys::VM_EVENT_INTERFACE_VERSION,
            flags: sys::VM_EVENT_FLAG_VCPU_PAUSED,
            vcpu_id: u32::from(vcpu),
            ..Entry::default()
        };
        ring.put(&mut cursor, answer)?;
    }
    drop(ring);
    domain.disable_monitor()
}
