//! Translation, present ranges and runs of memory.

use super::{
    ffi::{Call, Plain, into_handle},
    gate::Inside,
    quick,
    session::wvmi_session,
    space::{WVMI_SPACE_PHYSICAL, WVMI_SPACE_ROOT, wvmi_space},
    status::{WVMI_OK, wvmi_status},
    walk::Walk,
};
use crate::{
    core::{PageMapping, Protection, Range, Ranges, Source, Space, Translation, Va},
    error::{Error, Result},
};

/// The page can be read.
pub const WVMI_PROTECTION_READ: u32 = 1;
/// The page can be written.
pub const WVMI_PROTECTION_WRITE: u32 = 2;
/// The page can be executed.
pub const WVMI_PROTECTION_EXECUTE: u32 = 4;
/// The page can be accessed from user mode.
pub const WVMI_PROTECTION_USER: u32 = 8;

const _: () = assert!(
    WVMI_PROTECTION_READ == Protection::READ.bits() as u32
        && WVMI_PROTECTION_WRITE == Protection::WRITE.bits() as u32
        && WVMI_PROTECTION_EXECUTE == Protection::EXECUTE.bits() as u32
        && WVMI_PROTECTION_USER == Protection::USER.bits() as u32
);

/// How a page was found; one of the `WVMI_SOURCE_*` numbers.
pub type wvmi_page_source = u32;

/// A present page-table entry names the frame.
pub const WVMI_SOURCE_HARDWARE: wvmi_page_source = 0;
/// The entry is not present, but in transition: Windows has taken the page out
/// of the working set, and its frame still holds it.
pub const WVMI_SOURCE_TRANSITION: wvmi_page_source = 1;

/// How an address is mapped, filled by `wvmi_translate()`.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct wvmi_translation {
    /// Physical address of the byte.
    pub physical_address: u64,
    /// Size of the page: 4 KiB, 2 MiB or 1 GiB, in bytes.
    pub page_size: u64,
    /// What all paging levels together allow: `WVMI_PROTECTION_*` bits.
    pub protection: u32,
    /// Level of the entry that maps the page: 1, 2 or 3.
    pub level: u32,
    /// How the page was found.
    pub source: wvmi_page_source,
    /// Always 0.
    pub reserved: u32,
}

// SAFETY: integers only; every bit pattern is valid.
unsafe impl Plain for wvmi_translation {}

const fn protection(protection: Protection) -> u32 {
    protection.bits() as u32
}

const fn source(source: Source) -> wvmi_page_source {
    match source {
        Source::Hardware => WVMI_SOURCE_HARDWARE,
        Source::Transition => WVMI_SOURCE_TRANSITION,
    }
}

/// Translates a virtual address.
///
/// `space` is a virtual space, `address` an address in it. `translation`
/// receives the answer, `size` is `sizeof *translation`.
///
/// Returns `WVMI_OK`; `WVMI_ERROR_FAULT` with the level at which the walk
/// stopped and the reason in the last error; `WVMI_ERROR_NOT_SUPPORTED` where
/// memory is stored by virtual address; `WVMI_ERROR_NULL_ARGUMENT`;
/// `WVMI_ERROR_INVALID_ARGUMENT` for the physical or an unknown space.
///
/// Any thread, also from a callback.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wvmi_translate(
    session: *mut wvmi_session,
    space: wvmi_space,
    address: u64,
    translation: *mut wvmi_translation,
    size: usize,
) -> wvmi_status {
    if space.kind != WVMI_SPACE_ROOT {
        return translate_any(session, space, address, translation, size);
    }
    if size != size_of::<wvmi_translation>() {
        return translate_other_version(session, space, address, translation, size);
    }
    // SAFETY: the caller passes pointers as the header demands.
    let call = unsafe { Call::new(c"wvmi_translate") };
    if let Some(found) = quick::mapping(session, space.value, address)
        && let Some(output) = call.optional_output(translation)
    {
        output.write(describe_mapping(found, Va(address)));
        return WVMI_OK;
    }
    translate_in_root(session, space.value, address, translation)
}

/// The body for a caller of another version. A function of its own, so that its
/// condition stays a branch of its own, which costs less than a sum of conditions.
#[cold]
#[inline(never)]
extern "C" fn translate_other_version(
    session: *mut wvmi_session,
    space: wvmi_space,
    address: u64,
    translation: *mut wvmi_translation,
    size: usize,
) -> wvmi_status {
    translate_any(session, space, address, translation, size)
}

/// The body for the usual arguments, which needs fewer of them: so the registers of
/// the others are free before it.
#[cold]
#[inline(never)]
extern "C" fn translate_in_root(
    session: *mut wvmi_session,
    root: u64,
    address: u64,
    translation: *mut wvmi_translation,
) -> wvmi_status {
    let space = wvmi_space {
        kind: WVMI_SPACE_ROOT,
        value: root,
    };
    let size = size_of::<wvmi_translation>();
    translate_any(session, space, address, translation, size)
}

/// The body. It has the convention of its callers, which know from that that it does
/// not unwind, and end with a jump.
#[inline(never)]
extern "C" fn translate_any(
    session: *mut wvmi_session,
    space: wvmi_space,
    address: u64,
    translation: *mut wvmi_translation,
    size: usize,
) -> wvmi_status {
    // SAFETY: the arguments are those of `wvmi_translate`.
    let call = unsafe { Call::new(c"wvmi_translate") };
    call.run(|| {
        let session = call.session(session)?;
        let output = call.sized_output(translation, size, "translation")?;
        let Space::Virtual { root } = session.space(space)? else {
            return Err(
                Error::invalid_argument("space", "physical addresses are not translated").into(),
            );
        };
        let found = session.memory().translate(root, Va(address))?;
        output.write(describe_translation(&found));
        Ok(WVMI_OK)
    })
}

const fn describe_translation(found: &Translation) -> wvmi_translation {
    wvmi_translation {
        physical_address: found.pa.0,
        page_size: 1 << found.page_shift,
        protection: protection(found.protection),
        level: found.level as u32,
        source: source(found.source),
        reserved: 0,
    }
}

/// What there is to tell of mappings besides the address, by their attributes.
#[allow(clippy::indexing_slicing, reason = "the compiler runs this")]
static DESCRIPTIONS: [wvmi_translation; 256] = {
    let mut all = [describe_attributes(0); 256];
    let mut attributes = 0;
    while attributes < all.len() {
        all[attributes] = describe_attributes(attributes as u8);
        attributes += 1;
    }
    all
};

const fn describe_attributes(attributes: u8) -> wvmi_translation {
    describe_translation(&PageMapping::with_attributes(attributes).translation(Va(0)))
}

#[inline(always)]
#[allow(clippy::indexing_slicing, reason = "an entry for each byte")]
fn describe_mapping(found: PageMapping, va: Va) -> wvmi_translation {
    wvmi_translation {
        physical_address: found.pa(va).0,
        ..DESCRIPTIONS[found.attributes() as usize]
    }
}

/// Consecutive addresses that are present, with one protection.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct wvmi_range {
    /// First address.
    pub address: u64,
    /// Length in bytes, never 0.
    pub length: u64,
    /// Physical address of the first byte; the range is contiguous there, too.
    /// 0 where memory is stored by virtual address.
    pub physical_address: u64,
    /// What all paging levels together allow: `WVMI_PROTECTION_*` bits.
    pub protection: u32,
    /// How the pages were found.
    pub source: wvmi_page_source,
}

// SAFETY: integers only; every bit pattern is valid.
unsafe impl Plain for wvmi_range {}

/// The engine's ranges cannot fail, those of other iterators can.
type RangeResults = std::iter::Map<Ranges<'static>, fn(Range) -> Result<Range>>;

/// An iteration over present ranges; made by `wvmi_range_iter_new()`.
pub struct wvmi_range_iter(Walk<RangeResults>);

/// Begins an iteration over what is present in a space, in order of addresses.
///
/// In a virtual space the page tables are walked, at a cost of what is present;
/// in the physical space these are the runs of memory that the back end holds.
///
/// `space` is any space. `start` and `end` are the first and the last address
/// of interest; `UINT64_MAX` as `end` is the end of the space. `iter` receives
/// the handle; free it with `wvmi_range_iter_free()`.
///
/// Returns `WVMI_OK`, `WVMI_ERROR_NULL_ARGUMENT`, `WVMI_ERROR_INVALID_ARGUMENT`,
/// `WVMI_ERROR_NOT_SUPPORTED` for physical memory where it is stored by virtual
/// address, or what resolving the space returns.
///
/// Any thread, also from a callback.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wvmi_range_iter_new(
    session: *mut wvmi_session,
    space: wvmi_space,
    start: u64,
    end: u64,
    iter: *mut *mut wvmi_range_iter,
) -> wvmi_status {
    // SAFETY: the caller passes pointers as the header demands.
    let call = unsafe { Call::new(c"wvmi_range_iter_new") };
    call.run(|| {
        let session = call.session(session)?;
        let output = call.output(iter, "iter")?;
        if space.kind == WVMI_SPACE_PHYSICAL {
            session.engine().memory().physical()?;
        }
        let space = session.space(space)?;
        output.write(into_handle(ranges(&session, space, start, end)?));
        Ok(WVMI_OK)
    })
}

fn ranges(session: &Inside, space: Space, start: u64, end: u64) -> Result<wvmi_range_iter> {
    // SAFETY: the reference is kept by the ranges alone, and what they yield is plain.
    let walk = unsafe {
        Walk::new(session, |engine| {
            let ranges = engine.memory().ranges(space, start, end);
            Ok(ranges.map(Ok as fn(Range) -> Result<Range>))
        })
    };
    walk.map(wvmi_range_iter)
}

fn describe(range: Range) -> wvmi_range {
    wvmi_range {
        address: range.address,
        length: range.length,
        physical_address: range.pa.map_or(0, |pa| pa.0),
        protection: protection(range.protection),
        source: source(range.source),
    }
}

/// Gets the next present range.
///
/// `range` receives it, `size` is `sizeof *range`.
///
/// Returns `WVMI_OK`, `WVMI_END`, `WVMI_ERROR_CLOSED`, `WVMI_ERROR_NULL_ARGUMENT`
/// or `WVMI_ERROR_INVALID_ARGUMENT`.
///
/// The thread that owns `iter`, also from a callback.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wvmi_range_iter_next(
    iter: *mut wvmi_range_iter,
    range: *mut wvmi_range,
    size: usize,
) -> wvmi_status {
    // SAFETY: the caller passes pointers as the header demands.
    let call = unsafe { Call::new(c"wvmi_range_iter_next") };
    call.run(|| {
        let iter = call.exclusive(iter, "iter")?;
        let output = call.sized_output(range, size, "range")?;
        iter.0.next(&call, |_, range| output.write(describe(range)))
    })
}

/// Gets many present ranges at once.
///
/// `ranges` receives at most `capacity` of them, `stride` bytes apart (`sizeof
/// *ranges`); `count` receives how many.
///
/// Returns `WVMI_OK` with at least one range, `WVMI_END` when there are no more,
/// `WVMI_ERROR_CLOSED`, `WVMI_ERROR_CANCELLED`, `WVMI_ERROR_NULL_ARGUMENT` or
/// `WVMI_ERROR_INVALID_ARGUMENT`.
///
/// The thread that owns `iter`, also from a callback.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wvmi_range_iter_next_many(
    iter: *mut wvmi_range_iter,
    ranges: *mut wvmi_range,
    stride: usize,
    capacity: usize,
    count: *mut usize,
) -> wvmi_status {
    // SAFETY: the caller passes pointers as the header demands.
    let call = unsafe { Call::new(c"wvmi_range_iter_next_many") };
    call.run(|| {
        let iter = call.exclusive(iter, "iter")?;
        let array = call.array_output(ranges, stride, capacity, "ranges")?;
        let count = call.output(count, "count")?;
        iter.0
            .next_many(&call, &array, &count, |_, range| describe(range))
    })
}

/// Frees the iterator. `iter` may be NULL.
///
/// Any thread, also from a callback, also after the session was closed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wvmi_range_iter_free(iter: *mut wvmi_range_iter) {
    // SAFETY: the caller passes pointers as the header demands.
    let call = unsafe { Call::new(c"wvmi_range_iter_free") };
    call.free(iter);
}
