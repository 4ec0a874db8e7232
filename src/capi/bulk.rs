//! Many reads in one call, and reads over holes.

use super::{
    error::fault_kind,
    ffi::{ArrayOutput, Call, Plain},
    guard::Answer,
    session::{Shared, wvmi_session},
    space::wvmi_space,
    status::{WVMI_ERROR_FAULT, WVMI_OK, status_of, wvmi_status},
};
use crate::{
    core::{Anticipated, PageState, SharedFrame, pages_touched},
    error::{Error, Result},
    session::Session,
};

/// One read of `wvmi_read_scatter()`.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct wvmi_scatter_request {
    /// In: where `address` lives.
    pub space: wvmi_space,
    /// In: first byte.
    pub address: u64,
    /// In: receives the bytes.
    pub buffer: *mut u8,
    /// In: number of bytes.
    pub size: usize,
    /// Out: number of bytes read, from the first on.
    pub done: usize,
    /// Out: `WVMI_OK`, or why not all bytes were read.
    pub status: wvmi_status,
    /// Out: for `WVMI_ERROR_FAULT` one of the `WVMI_FAULT_*` numbers, else 0.
    pub fault: u32,
}

// SAFETY: integers and pointers only; every bit pattern is valid.
unsafe impl Plain for wvmi_scatter_request {}

/// Makes many reads in one call.
///
/// Each request tells its own outcome in `done`, `status` and `fault`; a failed
/// one does not stop the others and leaves no last error. Where each read is a
/// call of the back end, a page that several requests touch is read once.
///
/// `requests` are `count` structures, `stride` bytes apart (`sizeof
/// *requests`); it may be NULL when `count` is 0.
///
/// Returns `WVMI_OK` when all requests were tried, whatever became of them;
/// `WVMI_ERROR_NULL_ARGUMENT` or `WVMI_ERROR_INVALID_ARGUMENT` for a bad array;
/// `WVMI_ERROR_CANCELLED`.
///
/// Any thread, also from a callback; reads run in parallel.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wvmi_read_scatter(
    session: *mut wvmi_session,
    requests: *mut wvmi_scatter_request,
    stride: usize,
    count: usize,
) -> wvmi_status {
    // SAFETY: the caller passes pointers as the header demands.
    let call = unsafe { Call::new(c"wvmi_read_scatter") };
    call.run(|| {
        let session = call.session(session)?;
        if count == 0 {
            return Ok(WVMI_OK);
        }
        let array = call.array_output(requests, stride, count, "requests")?;
        let scatter = Scatter {
            call: &call,
            session: &session,
            array: &array,
        };
        if session.engine().memory().has_pinned_runs() {
            scatter.in_order(count)?;
        } else {
            scatter.by_frame(count)?;
        }
        Ok(WVMI_OK)
    })
}

/// Requests whose cache misses overlap.
const GROUP: usize = 16;

/// Requests among which each frame is read once.
const BATCH: usize = 65_536;

/// The requests of a call.
struct Scatter<'a> {
    call: &'a Call,
    session: &'a Shared,
    array: &'a ArrayOutput<'a, wvmi_scatter_request>,
}

impl Scatter<'_> {
    /// For memory that is mapped into this process.
    fn in_order(&self, count: usize) -> Result<()> {
        let watch = self.session.engine().watch();
        for first in (0..count).step_by(GROUP) {
            watch.check()?;
            let group = || (first..count).take(GROUP);
            let mut prepared = [Anticipated::default(); GROUP];
            for (index, prepared) in group().zip(&mut prepared) {
                *prepared = self.prepare(index);
            }
            for (index, prepared) in group().zip(prepared) {
                self.answer(index, prepared, None);
            }
        }
        Ok(())
    }

    /// For back ends to which each read is a call: a frame that several requests
    /// touch is read once and as a whole.
    fn by_frame(&self, count: usize) -> Result<()> {
        let watch = self.session.engine().watch();
        let mut frame = SharedFrame::EMPTY;
        for first in (0..count).step_by(BATCH) {
            let mut order = Vec::new();
            for index in (first..count).take(BATCH) {
                watch.check()?;
                order.push((self.prepare(index), index));
            }
            order.sort_by_key(|(prepared, _)| prepared.frame());
            for requests in order.chunk_by(|(a, _), (b, _)| a.frame() == b.frame()) {
                watch.check()?;
                if let [(prepared, _), _, ..] = requests {
                    let memory = self.session.engine().memory();
                    memory.share_frame(*prepared, &mut frame);
                }
                for (prepared, index) in requests {
                    self.answer(*index, *prepared, Some(&frame));
                }
            }
        }
        Ok(())
    }

    fn prepare(&self, index: usize) -> Anticipated {
        let request = self.array.read(index);
        match self.session.space(request.space) {
            Ok(space) => {
                let memory = self.session.engine().memory();
                memory.anticipate(space, request.address, request.size)
            }
            // The answer tells why.
            Err(_) => Anticipated::default(),
        }
    }

    fn answer(&self, index: usize, prepared: Anticipated, frame: Option<&SharedFrame>) {
        let mut request = self.array.read(index);
        request.done = 0;
        request.status = WVMI_OK;
        request.fault = 0;
        let read = self.session.space(request.space).and_then(|space| {
            let buffer = self.call.buffer(request.buffer, request.size, "buffer")?;
            if frame.is_some_and(|frame| frame.copy(prepared, buffer)) {
                return Ok(());
            }
            let memory = self.session.engine().memory();
            memory
                .read_anticipated(prepared, space, request.address, buffer)
                .map_err(|partial| {
                    request.done = partial.done;
                    request.fault = fault_kind(partial.fault.kind);
                    Error::Fault(partial.fault)
                })
        });
        match read {
            Ok(()) => request.done = request.size,
            Err(error) => request.status = status_of(&error),
        }
        self.array.update(index, request);
    }
}

/// What became of one page; `WVMI_PAGE_PRESENT` or one of `WVMI_FAULT_*`.
pub type wvmi_page_state = u8;

/// All bytes of the page that were asked for are the guest's.
pub const WVMI_PAGE_PRESENT: wvmi_page_state = 0;

const fn page_state(state: PageState) -> wvmi_page_state {
    match state {
        PageState::Present => WVMI_PAGE_PRESENT,
        PageState::Absent(kind) => fault_kind(kind) as u8,
    }
}

/// Pages whose states are gathered at a time.
const PAGES_AT_ONCE: usize = 256;

/// Reads a span with holes: what is absent reads as zeros.
///
/// `space` says where `address` lives. `buffer` receives `size` bytes. `states`
/// (may be NULL when `page_count` is 0) receives one state for each 4 KiB page
/// that the span touches, in order, at most `page_count`. `present` (may be
/// NULL) receives the number of bytes on pages that are present.
///
/// Returns `WVMI_OK` when at least one page is present; `WVMI_ERROR_FAULT` when
/// none is (the buffer is filled with zeros, the states and `present` are
/// written); `WVMI_ERROR_NULL_ARGUMENT`; `WVMI_ERROR_INVALID_ARGUMENT`;
/// `WVMI_ERROR_CANCELLED`; or what resolving the space returns.
///
/// Any thread, also from a callback; reads run in parallel.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wvmi_read_sparse(
    session: *mut wvmi_session,
    space: wvmi_space,
    address: u64,
    buffer: *mut u8,
    size: usize,
    states: *mut wvmi_page_state,
    page_count: usize,
    present: *mut usize,
) -> wvmi_status {
    // SAFETY: the caller passes pointers as the header demands.
    let call = unsafe { Call::new(c"wvmi_read_sparse") };
    call.run(|| {
        let session = call.session(session)?;
        let buffer = call.buffer(buffer, size, "buffer")?;
        let states = call.buffer(states, page_count, "states")?;
        let span = Span {
            space: session.space(space)?,
            address,
        };
        let bytes = span.read(session.engine(), buffer, states)?;
        if let Some(present) = call.optional_output(present) {
            present.write(bytes);
        }
        if bytes == 0 && size != 0 {
            return span.fault(session.engine());
        }
        Ok(WVMI_OK)
    })
}

struct Span {
    space: crate::core::Space,
    address: u64,
}

impl Span {
    /// Reads in pieces, so that a long call can be cancelled.
    fn read(
        &self,
        session: &Session,
        buffer: &mut [u8],
        states: &mut [wvmi_page_state],
    ) -> Result<usize> {
        let watch = session.watch();
        let mut states = states.iter_mut();
        let mut address = self.address;
        let mut rest = buffer;
        let mut present = 0_usize;
        while !rest.is_empty() {
            watch.check()?;
            let offset = (address & 0xfff) as usize;
            let length = (PAGES_AT_ONCE * 0x1000).saturating_sub(offset);
            let (piece, tail) = rest.split_at_mut(length.min(rest.len()));
            let mut pages = [PageState::Present; PAGES_AT_ONCE];
            present = present.saturating_add(
                session
                    .memory()
                    .read_sparse(self.space, address, piece, &mut pages),
            );
            let touched = pages_touched(address, piece.len() as u64) as usize;
            for (state, page) in states.by_ref().zip(pages.iter().take(touched)) {
                *state = page_state(*page);
            }
            address = address.wrapping_add(piece.len() as u64);
            rest = tail;
        }
        Ok(present)
    }

    /// The reason why the first byte is absent.
    fn fault(&self, session: &Session) -> Answer {
        session.memory().read(self.space, self.address, &mut [0])?;
        Ok(WVMI_ERROR_FAULT)
    }
}
