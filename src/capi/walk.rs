//! Iterators: engine iterators that keep their session alive.

use std::{ptr, sync::Arc};

pub use super::texts::{Lent, Texts};

use super::{
    error::record_gap,
    ffi::{ArrayOutput, Call, Output, Plain},
    gate::Inside,
    guard::Answer,
    session::Shared,
    status::{WVMI_END, WVMI_OK, wvmi_status},
};
use crate::{
    error::{Error, Result},
    session::{Session, Watch},
};

/// An engine iterator that borrows from the session beside it.
pub struct Walk<I> {
    /// Declared before the session, so dropped before it.
    items: I,
    ended: bool,
    session: Arc<Shared>,
}

impl<I> Walk<I> {
    /// Begins an iteration over something of the session.
    ///
    /// # Safety
    /// `begin` keeps its argument nowhere but in the iterator that it returns,
    /// and nothing that the iterator yields is kept longer than the walk.
    pub unsafe fn new(
        session: &Inside,
        begin: impl FnOnce(&'static Session) -> Result<I>,
    ) -> Result<Self> {
        let session = session.share();
        let engine = ptr::from_ref(session.engine());
        // SAFETY: the `Arc` beside the iterator keeps the engine at its address
        // longer than the iterator, which is all that keeps the reference.
        let items = begin(unsafe { &*engine })?;
        Ok(Self {
            items,
            ended: false,
            session,
        })
    }
}

/// Records an element that could not be read.
#[cold]
fn gap(call: &Call, session: &Inside, error: Error) -> wvmi_status {
    let function = call.function().to_string_lossy();
    let log = session.engine().log();
    log.debug(format_args!("{function}: a gap: {error}"));
    record_gap(call.function(), error.into())
}

/// Where a walk has come to.
enum Step<T> {
    Item(T),
    Gap(Error),
    End,
}

impl<T, I: Iterator<Item = Result<T>>> Walk<I> {
    fn step(&mut self) -> Step<T> {
        if self.ended {
            return Step::End;
        }
        match self.items.next() {
            Some(Ok(item)) => Step::Item(item),
            Some(Err(error)) => Step::Gap(error),
            None => {
                self.ended = true;
                Step::End
            }
        }
    }

    /// The body of a `_next` function: hands the next element to `give`.
    #[inline]
    pub fn next(&mut self, call: &Call, give: impl FnOnce(&Session, T)) -> Answer {
        let session = Inside::by_child(call.caller(), &self.session)?;
        Ok(match self.step() {
            Step::Item(item) => {
                give(session.engine(), item);
                WVMI_OK
            }
            Step::Gap(error) => gap(call, &session, error),
            Step::End => WVMI_END,
        })
    }

    /// The body of a `_next_many` function: fills an array until it is full,
    /// or the walk meets a gap or ends. `count` is written on every return.
    pub fn next_many<D: Plain>(
        &mut self,
        call: &Call,
        array: &ArrayOutput<'_, D>,
        count: &Output<'_, usize>,
        mut describe: impl FnMut(&Session, T) -> D,
    ) -> Answer {
        count.write(0);
        let session = Inside::by_child(call.caller(), &self.session)?;
        let watch = session.engine().watch();
        for index in 0..array.capacity() {
            check_now_and_then(&watch, index)?;
            match self.step() {
                Step::Item(item) => array.write(index, describe(session.engine(), item)),
                Step::Gap(error) => return Ok(gap(call, &session, error)),
                Step::End if index == 0 => return Ok(WVMI_END),
                Step::End => break,
            }
            count.write(index.saturating_add(1));
        }
        Ok(WVMI_OK)
    }
}

fn check_now_and_then(watch: &Watch<'_>, index: usize) -> Result<()> {
    const INTERVAL: usize = 64;
    match index % INTERVAL {
        0 => watch.check(),
        _ => Ok(()),
    }
}
