//! The open calls of each thread, innermost last.

use std::collections::HashMap;

use super::{CallEnd, Site};
use crate::{
    core::{Registers, Va},
    monitor::guest::ThreadIdentity,
};

/// A new entry this close above an open call is on the same stack, so that the
/// open call is over. Farther away it may be another stack (fibers, expanded
/// kernel stacks), where both are alive.
const SAME_STACK: u64 = 16 << 10;

/// CS.L: the segment holds 64-bit code.
const LONG_MODE: u32 = 1 << 13;

/// Where a function was entered, or where a return led.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Frame {
    /// Instruction that the processor stopped at: a function's first one, or
    /// the one returned to.
    pub instruction: Va,
    /// Stack pointer at that moment.
    pub stack: u64,
    /// Privilege level of the code, 0 or 3.
    pub ring: u8,
    /// Bytes of a return address: 8, or 4 in 32-bit code.
    pub width: u8,
}

/// A call that was entered and not ended.
#[derive(Debug, Clone, Copy)]
pub struct OpenCall {
    pub thread: ThreadIdentity,
    pub frame: Frame,
    pub site: Site,
    pub value: usize,
}

/// A call that ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EndedCall {
    /// The thread that made it.
    pub thread: ThreadIdentity,
    /// Where it was entered.
    pub frame: Frame,
    /// Where it was to return to.
    pub site: Site,
    /// The value that the entry's callback left.
    pub value: usize,
    /// How it ended.
    pub end: CallEnd,
}

/// Open calls by thread object.
#[derive(Default)]
pub struct Threads(HashMap<Va, Vec<OpenCall>>);

impl Frame {
    /// The frame of a processor that stopped at a function or a return address.
    pub const fn of(registers: &Registers) -> Self {
        let ring = (registers.cs.selector & 3) as u8;
        // Back ends that do not know the access rights give 0.
        let narrow = ring == 3 && registers.cs.access != 0 && registers.cs.access & LONG_MODE == 0;
        Self {
            instruction: Va(registers.rip),
            stack: registers.rsp,
            ring,
            width: if narrow { 4 } else { 8 },
        }
    }

    const fn same_kind(&self, other: &Self) -> bool {
        self.ring == other.ring && self.width == other.width
    }

    /// Can a return that leaves the stack as in `after` be this call's?
    ///
    /// 32-bit functions pop their arguments, too.
    const fn may_return_to(&self, after: &Self) -> bool {
        let popped = self.stack.wrapping_add(self.width as u64);
        self.same_kind(after)
            && match self.width {
                8 => popped == after.stack,
                _ => popped <= after.stack,
            }
    }

    /// Does an entry at `entry` show that this call is over?
    const fn is_overtaken_by(&self, entry: &Self) -> bool {
        self.same_kind(entry)
            && self.stack <= entry.stack
            && entry.stack.wrapping_sub(self.stack) < SAME_STACK
    }
}

impl OpenCall {
    const fn ended(self, end: CallEnd) -> EndedCall {
        EndedCall {
            thread: self.thread,
            frame: self.frame,
            site: self.site,
            value: self.value,
            end,
        }
    }
}

impl Threads {
    pub fn push(&mut self, call: OpenCall) {
        self.0.entry(call.thread.object).or_default().push(call);
    }

    /// Takes the calls that are over, the innermost first.
    fn take(
        &mut self,
        thread: Va,
        end: CallEnd,
        over: impl Fn(&OpenCall) -> bool,
    ) -> Vec<EndedCall> {
        let calls = self.0.remove(&thread).unwrap_or_default();
        let (over, open): (Vec<_>, Vec<_>) = calls.into_iter().partition(over);
        if !open.is_empty() {
            self.0.insert(thread, open);
        }
        over.into_iter().rev().map(|call| call.ended(end)).collect()
    }

    /// Calls of former threads at the same address.
    pub fn of_former_threads(&mut self, thread: &ThreadIdentity) -> Vec<EndedCall> {
        let former = |call: &OpenCall| call.thread != *thread;
        self.take(thread.object, CallEnd::ThreadExited, former)
    }

    /// Calls of a thread that ends.
    pub fn of_thread(&mut self, thread: &ThreadIdentity) -> Vec<EndedCall> {
        self.take(thread.object, CallEnd::ThreadExited, |_| true)
    }

    /// Calls of all threads, for the end of the hook.
    pub fn all(&mut self) -> Vec<EndedCall> {
        let threads: Vec<_> = self.0.keys().copied().collect();
        let take = |thread| self.take(thread, CallEnd::Detached, |_| true);
        threads.into_iter().flat_map(take).collect()
    }

    /// Calls that a new entry on their stack shows to be over.
    pub fn overtaken(&mut self, thread: &ThreadIdentity, entry: &Frame) -> Vec<EndedCall> {
        let over = |call: &OpenCall| call.frame.is_overtaken_by(entry);
        self.take(thread.object, CallEnd::Unwound, over)
    }

    /// The call that a return ends, last, and those inside it, which were unwound.
    pub fn returned(&mut self, thread: &ThreadIdentity, after: &Frame) -> Vec<EndedCall> {
        let calls = self.0.get(&thread.object);
        let candidates = calls.into_iter().flatten().filter(|call| {
            call.thread == *thread
                && call.site.1 == after.instruction
                && call.frame.may_return_to(after)
        });
        let Some(call) = candidates.max_by_key(|call| call.frame.stack).copied() else {
            return Vec::new();
        };
        let inside = |other: &OpenCall| {
            other.frame.same_kind(&call.frame) && other.frame.stack <= call.frame.stack
        };
        let mut ended = self.take(thread.object, CallEnd::Unwound, inside);
        if let Some(outermost) = ended.last_mut() {
            outermost.end = CallEnd::Returned;
        }
        ended
    }
}

#[cfg(test)]
mod tests {
    use super::{
        CallEnd::{Returned, ThreadExited, Unwound},
        *,
    };
    use crate::core::Pa;

    const THREAD: ThreadIdentity = ThreadIdentity {
        object: Va(0xffff_8000_1000_0000),
        id: 8,
        created: 1,
    };

    fn frame(stack: u64, width: u8) -> Frame {
        Frame {
            instruction: Va(0x2000),
            stack,
            ring: 3,
            width,
        }
    }

    fn open(threads: &mut Threads, stack: u64, width: u8, value: usize) {
        threads.push(OpenCall {
            thread: THREAD,
            frame: frame(stack, width),
            site: (Pa(0), Va(0x2000)),
            value,
        });
    }

    fn ends(ended: Vec<EndedCall>) -> Vec<(usize, CallEnd)> {
        ended.iter().map(|call| (call.value, call.end)).collect()
    }

    fn returned(threads: &mut Threads, stack: u64, width: u8) -> Vec<(usize, CallEnd)> {
        ends(threads.returned(&THREAD, &frame(stack, width)))
    }

    #[test]
    fn recursion_returns_innermost_first() {
        let mut threads = Threads::default();
        for (stack, value) in [(0x9000, 1), (0x8f00, 2), (0x8e00, 3)] {
            open(&mut threads, stack, 8, value);
        }
        assert_eq!(returned(&mut threads, 0x8e08, 8), [(3, Returned)]);
        assert_eq!(returned(&mut threads, 0x8e08, 8), []);
        assert_eq!(
            returned(&mut threads, 0x9008, 8),
            [(2, Unwound), (1, Returned)]
        );
    }

    #[test]
    fn functions_that_pop_their_arguments_are_told_apart() {
        let mut threads = Threads::default();
        open(&mut threads, 0x1000, 4, 1);
        open(&mut threads, 0x900, 4, 2);
        assert_eq!(returned(&mut threads, 0x910, 4), [(2, Returned)]);
        open(&mut threads, 0xf00, 4, 3);
        assert_eq!(
            returned(&mut threads, 0x1010, 4),
            [(3, Unwound), (1, Returned)]
        );
    }

    #[test]
    fn another_width_or_ring_is_another_stack() {
        let mut threads = Threads::default();
        open(&mut threads, 0x9000, 8, 1);
        assert_eq!(returned(&mut threads, 0x9008, 4), []);
        let kernel = Frame {
            ring: 0,
            ..frame(0x9100, 8)
        };
        assert_eq!(ends(threads.overtaken(&THREAD, &kernel)), []);
    }

    #[test]
    fn a_new_entry_above_ends_what_was_unwound() {
        let mut threads = Threads::default();
        open(&mut threads, 0x9000, 8, 1);
        open(&mut threads, 0x8800, 8, 2);
        let entry = frame(0x8900, 8);
        assert_eq!(ends(threads.overtaken(&THREAD, &entry)), [(2, Unwound)]);
        let far = frame(0x9000 + SAME_STACK, 8);
        assert_eq!(ends(threads.overtaken(&THREAD, &far)), []);
    }

    #[test]
    fn a_new_thread_at_the_same_address_ends_the_calls_of_the_old_one() {
        let mut threads = Threads::default();
        open(&mut threads, 0x9000, 8, 1);
        let next = ThreadIdentity {
            created: 2,
            ..THREAD
        };
        assert_eq!(ends(threads.of_former_threads(&next)), [(1, ThreadExited)]);
        assert_eq!(ends(threads.all()), []);
    }
}
