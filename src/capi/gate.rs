//! Handles of sessions, and the gate at which closing waits for other threads.
//!
//! A session's handle is a number, not an address: a slot of a table and the
//! slot's generation. A closed handle is therefore recognised for ever, whoever
//! still uses it, and any other pointer is refused.
//!
//! A call publishes the session that it is inside of in a record of its thread,
//! then checks the generation. Closing advances the generation, has every
//! thread pass a memory barrier (`membarrier(2)`), and waits until no record
//! names the session. So a call costs two plain stores, and no reader ever
//! writes to memory that another reads.

mod front;
mod record;

// The concurrency tests put a model checker's atomics in its place.
use std::sync::atomic as atomics;
use std::{
    ops::Deref,
    ptr,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicPtr, AtomicU8, AtomicU64, AtomicUsize, Ordering, compiler_fence, fence},
    },
    thread,
    time::Duration,
};

use self::front::Front;
pub use self::record::Record;
use super::{
    caller::Caller,
    session::{Shared, wvmi_session},
};
use crate::{
    core::Tlb,
    error::{Error, Result},
};

/// Most sessions that can be open at once.
const SLOTS: usize = 1024;

/// Handles are odd, so that no real pointer looks like one.
const MARK: usize = 1;
const INDEX_SHIFT: u32 = 1;
const GENERATION_SHIFT: u32 = INDEX_SHIFT + SLOTS.trailing_zeros();

/// The slot that the number of a handle names.
#[inline(always)]
const fn index_of(number: usize) -> usize {
    number >> INDEX_SHIFT & (SLOTS - 1)
}

struct Slot {
    /// The open session, from `Arc::into_raw`.
    session: AtomicPtr<Shared>,
    /// How many sessions were closed here.
    generation: AtomicU64,
}

static TABLE: [Slot; SLOTS] = [const {
    Slot {
        session: AtomicPtr::new(ptr::null_mut()),
        generation: AtomicU64::new(0),
    }
}; SLOTS];

/// The translation caches of the sessions in the slots.
static FRONTS: [Front<Tlb>; SLOTS] =
    [const { Front::new(AtomicUsize::new(0), AtomicPtr::new(ptr::null_mut())) }; SLOTS];

/// Asks the translation cache of an open session, without entering that.
#[inline(always)]
pub fn ask_translations<R>(
    handle: *const wvmi_session,
    question: impl FnOnce(&Tlb) -> Option<R>,
) -> Option<R> {
    let number = handle.addr();
    FRONTS.get(index_of(number))?.ask(number, question)
}

/// Held while a slot is taken or its generation advanced.
static CHANGING: Mutex<()> = Mutex::new(());

fn change() -> MutexGuard<'static, ()> {
    CHANGING.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A call that is inside of a session; closing waits for it.
pub struct Inside {
    session: *const Shared,
    record: &'static Record<Shared>,
    /// Where the record names the session.
    place: usize,
}

impl Inside {
    /// Publishes `session` and keeps it when `valid` still says so afterwards.
    #[inline(always)]
    fn enter(
        caller: &'static Caller,
        session: *mut Shared,
        valid: impl FnOnce() -> bool,
    ) -> Result<Self> {
        let record = &caller.record;
        let Some(place) = record.enter(session, barrier_of_reader) else {
            return Err(too_deep());
        };
        let inside = Self {
            session,
            record,
            place,
        };
        if valid() {
            Ok(inside)
        } else {
            Err(Error::Closed)
        }
    }

    /// Enters the session behind a handle.
    #[inline(always)]
    pub fn by_handle(
        caller: &'static Caller,
        handle: *const wvmi_session,
        name: &'static str,
    ) -> Result<Self> {
        let (slot, generation) = decode(handle, name)?;
        let session = slot.session.load(Ordering::Acquire);
        Self::enter(caller, session, || {
            slot.generation.load(Ordering::Acquire) == generation && !session.is_null()
        })
    }

    /// Enters the session that a child keeps alive.
    #[inline]
    pub fn by_child(caller: &'static Caller, session: &Arc<Shared>) -> Result<Self> {
        let pointer = Arc::as_ptr(session).cast_mut();
        Self::enter(caller, pointer, || !session.is_closed())
    }

    /// The session, to be kept by a child.
    pub fn share(&self) -> Arc<Shared> {
        // SAFETY: the pointer comes from an `Arc` that is alive while we are inside.
        unsafe { Arc::increment_strong_count(self.session) };
        // SAFETY: the count that was just added is handed to the new `Arc`.
        unsafe { Arc::from_raw(self.session) }
    }
}

impl Deref for Inside {
    type Target = Shared;

    #[inline]
    fn deref(&self) -> &Shared {
        // SAFETY: `enter` published the session and found it open afterwards, so
        // closing waits for this value before it drops the session.
        unsafe { &*self.session }
    }
}

impl Drop for Inside {
    #[inline]
    fn drop(&mut self) {
        self.record.leave(self.place);
    }
}

/// As [`Inside`], for a call that is answered at once: it calls nobody back.
pub struct Briefly {
    session: *const Shared,
    record: &'static Record<Shared>,
}

impl Briefly {
    /// Enters the session behind a handle, in a thread that called before; `None`
    /// leaves the call, and the reason why not, to [`Inside::by_handle`].
    #[inline(always)]
    pub fn by_handle(handle: *const wvmi_session) -> Option<Self> {
        let record = &Caller::known()?.record;
        let (slot, generation) = decode_known(handle)?;
        let session = slot.session.load(Ordering::Acquire);
        // Only callers whose closers make the barriers are known.
        record.enter_briefly(session, || compiler_fence(Ordering::SeqCst));
        let inside = Self { session, record };
        let is_open = slot.generation.load(Ordering::Acquire) == generation && !session.is_null();
        is_open.then_some(inside)
    }
}

impl Deref for Briefly {
    type Target = Shared;

    #[inline(always)]
    fn deref(&self) -> &Shared {
        // SAFETY: `by_handle` published the session and found it open afterwards,
        // so closing waits for this value before it drops the session.
        unsafe { &*self.session }
    }
}

impl Drop for Briefly {
    #[inline(always)]
    fn drop(&mut self) {
        self.record.leave_briefly();
    }
}

#[cold]
fn too_deep() -> Error {
    Error::Busy {
        reason: "calls within callbacks are nested too deeply".into(),
    }
}

/// The slot and the generation of a handle, if it is one.
#[inline(always)]
fn decode_known(handle: *const wvmi_session) -> Option<(&'static Slot, u64)> {
    let number = handle.addr();
    let slot = TABLE.get(index_of(number))?;
    (number & MARK != 0).then_some((slot, (number >> GENERATION_SHIFT) as u64))
}

fn decode(handle: *const wvmi_session, name: &'static str) -> Result<(&'static Slot, u64)> {
    if handle.is_null() {
        return Err(Error::NullArgument { argument: name });
    }
    decode_known(handle).ok_or_else(|| Error::invalid_argument(name, "not a session"))
}

/// Puts a session into the table and returns its handle.
pub fn register(session: Shared) -> Result<*mut wvmi_session> {
    prepare_barrier();
    let _changing = change();
    let free = TABLE
        .iter()
        .enumerate()
        .find(|(_, slot)| slot.session.load(Ordering::Acquire).is_null());
    let Some((index, slot)) = free else {
        return Err(Error::Busy {
            reason: format!("{SLOTS} sessions are open").into(),
        });
    };
    let translations = session.memory().translations();
    let pointer = Arc::into_raw(Arc::new(session)).cast_mut();
    slot.session.store(pointer, Ordering::Release);
    let generation = slot.generation.load(Ordering::Acquire) as usize;
    let number = generation << GENERATION_SHIFT | index << INDEX_SHIFT | MARK;
    if let Some(front) = FRONTS.get(index) {
        front.publish(number, translations);
    }
    Ok(ptr::without_provenance_mut(number))
}

/// Closes a session: ends what other threads do in it, waits for them, and
/// gives up the table's share of it.
pub fn close(handle: *mut wvmi_session) -> Result<()> {
    let (slot, generation) = decode(handle, "session")?;
    let session = retire(slot, generation, index_of(handle.addr()))?;
    barrier_of_closer();
    for caller in Caller::all() {
        wait_until(|| !caller.record.names(session));
    }
    slot.session.store(ptr::null_mut(), Ordering::Release);
    // SAFETY: the table's share is given up below, by this thread.
    let restored = unsafe { &*session }.restore();
    // SAFETY: `register` made the pointer with `into_raw`, `retire` lets one
    // closer pass, and no thread is inside any more.
    drop(unsafe { Arc::from_raw(session) });
    restored
}

/// Makes the handle invalid; refuses what this thread itself is inside of.
fn retire(slot: &Slot, generation: u64, index: usize) -> Result<*mut Shared> {
    let _changing = change();
    let session = slot.session.load(Ordering::Acquire);
    if slot.generation.load(Ordering::Acquire) != generation || session.is_null() {
        return Err(Error::Closed);
    }
    if Caller::current().record.names(session) {
        return Err(Error::Busy {
            reason: "a session cannot be closed from inside its own callback".into(),
        });
    }
    // SAFETY: the generation was right, so the table's share is still there.
    unsafe { &*session }.begin_closing();
    slot.generation
        .store(generation.wrapping_add(1), Ordering::Release);
    if let Some(front) = FRONTS.get(index) {
        front.withdraw();
    }
    Ok(session)
}

fn wait_until(done: impl Fn() -> bool) {
    let mut pause = Duration::from_micros(1);
    while !done() {
        thread::sleep(pause);
        pause = pause.saturating_mul(2).min(Duration::from_millis(1));
    }
}

/// Whether closers can make the readers' barriers for them: one of the numbers below.
static EXPEDITED: AtomicU8 = AtomicU8::new(UNKNOWN);
const UNKNOWN: u8 = 0;
const YES: u8 = 1;
const NO: u8 = 2;

fn is_expedited() -> bool {
    EXPEDITED.load(Ordering::SeqCst) == YES
}

#[inline]
fn barrier_of_reader() {
    if EXPEDITED.load(Ordering::Relaxed) == YES {
        compiler_fence(Ordering::SeqCst);
    } else {
        fence(Ordering::SeqCst);
    }
}

/// Has closers make the readers' barriers; false where the system cannot.
pub fn prepare_barrier() -> bool {
    if EXPEDITED.load(Ordering::Relaxed) == UNKNOWN {
        let registered = membarrier(libc::MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED);
        EXPEDITED.store(if registered { YES } else { NO }, Ordering::SeqCst);
    }
    is_expedited()
}

fn barrier_of_closer() {
    fence(Ordering::SeqCst);
    if is_expedited() && !membarrier(libc::MEMBARRIER_CMD_PRIVATE_EXPEDITED) {
        // A sandbox took the call away: a store buffer drains long before this.
        thread::sleep(Duration::from_millis(10));
    }
}

fn membarrier(command: libc::c_int) -> bool {
    // SAFETY: the call takes no pointers.
    unsafe { libc::syscall(libc::SYS_membarrier, command, 0, 0) == 0 }
}
