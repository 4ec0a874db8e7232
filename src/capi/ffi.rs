//! Raw pointers become references, slices and strings here and nowhere else.

use std::{
    ffi::{CStr, c_char},
    marker::PhantomData,
    mem, ptr, slice,
};

use super::{caller::Caller, guard};
use crate::error::{Error, Result};

/// Largest structure that a caller may announce, in bytes: more is a wrong size.
const LARGEST_STRUCT: usize = 64 << 10;

/// A structure that is plain data for both sides.
///
/// # Safety
/// `repr(C)`, and every bit pattern is valid (integers and raw pointers).
pub unsafe trait Plain: Copy {
    /// The value whose bytes are all zero.
    #[inline]
    fn zeroed() -> Self {
        // SAFETY: every bit pattern is valid.
        unsafe { mem::zeroed() }
    }
}

macro_rules! plain {
    ($($integer:ty),*) => {
        $(
            // SAFETY: every bit pattern is an integer.
            unsafe impl Plain for $integer {}
        )*
    };
}
plain!(u8, u16, u32, u64, usize, i32, i64);

// SAFETY: every bit pattern is a raw pointer.
unsafe impl<T> Plain for *mut T {}

/// One call from C: the witness that its pointer arguments are what the header
/// demands, so that they can be used while the call lasts.
pub struct Call {
    function: &'static CStr,
}

impl Call {
    /// Begins a call of the extern function `function`.
    ///
    /// # Safety
    /// Every pointer that is handed to the methods is NULL or points to what
    /// the header says, for as long as the call lasts.
    #[inline]
    pub const unsafe fn new(function: &'static CStr) -> Self {
        Self { function }
    }

    /// The thread that calls.
    #[inline]
    pub fn caller(&self) -> &'static Caller {
        Caller::current()
    }

    /// Name of the extern function.
    #[inline]
    pub const fn function(&self) -> &'static CStr {
        self.function
    }

    /// A handle or structure that the call reads.
    #[inline]
    pub fn input<T>(&self, pointer: *const T, name: &'static str) -> Result<&T> {
        self.optional_input(pointer).ok_or_else(|| null(name))
    }

    /// As [`Call::input`]; NULL is none.
    #[inline]
    pub fn optional_input<T>(&self, pointer: *const T) -> Option<&T> {
        // SAFETY: NULL or valid for reads while the call lasts (`Call::new`).
        unsafe { pointer.as_ref() }
    }

    /// A handle that the call changes; one thread at a time uses it.
    #[inline]
    #[allow(clippy::mut_from_ref)]
    pub fn exclusive<T>(&self, pointer: *mut T, name: &'static str) -> Result<&mut T> {
        // SAFETY: NULL or valid and used by this thread only (`Call::new`).
        unsafe { pointer.as_mut() }.ok_or_else(|| null(name))
    }

    /// Where the call writes its answer.
    #[inline]
    pub fn output<T: Plain>(&self, pointer: *mut T, name: &'static str) -> Result<Output<'_, T>> {
        self.optional_output(pointer).ok_or_else(|| null(name))
    }

    /// As [`Call::output`]; NULL means that the caller does not want it.
    #[inline]
    pub fn optional_output<T: Plain>(&self, pointer: *mut T) -> Option<Output<'_, T>> {
        (!pointer.is_null()).then_some(Output {
            pointer,
            call: PhantomData,
        })
    }

    /// UTF-8 text of the caller.
    pub fn text(&self, pointer: *const c_char, name: &'static str) -> Result<&str> {
        if pointer.is_null() {
            return Err(null(name));
        }
        // SAFETY: not NULL, so NUL-terminated and readable (`Call::new`).
        let text = unsafe { CStr::from_ptr(pointer) };
        text.to_str()
            .map_err(|_| Error::invalid_argument(name, "not UTF-8"))
    }

    /// As [`Call::text`]; NULL is none.
    pub fn optional_text(
        &self,
        pointer: *const c_char,
        name: &'static str,
    ) -> Result<Option<&str>> {
        if pointer.is_null() {
            return Ok(None);
        }
        self.text(pointer, name).map(Some)
    }

    /// Bytes or elements that the call reads; NULL is allowed for none.
    #[inline]
    pub fn slice<T: Plain>(
        &self,
        pointer: *const T,
        count: usize,
        name: &'static str,
    ) -> Result<&[T]> {
        check_extent::<T>(pointer, count, name)?;
        if count == 0 {
            return Ok(&[]);
        }
        // SAFETY: `count` elements are readable (`Call::new`), aligned and
        // within the address space (`check_extent`).
        Ok(unsafe { slice::from_raw_parts(pointer, count) })
    }

    /// A buffer that the call fills; NULL is allowed for an empty one.
    #[inline]
    #[allow(clippy::mut_from_ref)]
    pub fn buffer<T: Plain>(
        &self,
        pointer: *mut T,
        count: usize,
        name: &'static str,
    ) -> Result<&mut [T]> {
        check_extent::<T>(pointer, count, name)?;
        if count == 0 {
            return Ok(&mut []);
        }
        // SAFETY: `count` elements are writable (`Call::new`), aligned and
        // within the address space (`check_extent`).
        Ok(unsafe { slice::from_raw_parts_mut(pointer, count) })
    }

    /// As [`Call::buffer`], without the reason why not.
    #[inline(always)]
    #[allow(clippy::mut_from_ref)]
    pub fn possible_buffer(&self, pointer: *mut u8, count: usize) -> Option<&mut [u8]> {
        if pointer.is_null() || count > isize::MAX as usize {
            return None;
        }
        // SAFETY: `count` bytes are writable (`Call::new`) and within the address space.
        Some(unsafe { slice::from_raw_parts_mut(pointer, count) })
    }

    /// A structure that the caller passes with its size: what an older caller
    /// does not know is zero, what a newer one sets beyond ours is refused.
    pub fn sized_input<T: Plain>(
        &self,
        pointer: *const T,
        size: usize,
        name: &'static str,
    ) -> Result<T> {
        check_struct(pointer, size, name)?;
        let mut value = T::zeroed();
        let known = size.min(size_of::<T>());
        // SAFETY: `size` bytes are readable (`Call::new`); `known` is not more
        // than either side holds, and a local does not overlap the argument.
        unsafe {
            ptr::copy_nonoverlapping(pointer.cast::<u8>(), (&raw mut value).cast::<u8>(), known);
        }
        let bytes = self.slice(pointer.cast::<u8>(), size, name)?;
        match bytes.get(known..) {
            Some(rest) if rest.iter().any(|&byte| byte != 0) => Err(Error::invalid_argument(
                name,
                "a field that this version of the library does not know is set",
            )),
            _ => Ok(value),
        }
    }

    /// A structure that the call fills, passed with its size.
    #[inline]
    pub fn sized_output<T: Plain>(
        &self,
        pointer: *mut T,
        size: usize,
        name: &'static str,
    ) -> Result<SizedOutput<'_, T>> {
        check_struct(pointer, size, name)?;
        Ok(SizedOutput {
            base: pointer.cast(),
            size,
            call: PhantomData,
        })
    }

    /// An array of structures that the call fills, `stride` bytes apart.
    pub fn array_output<T: Plain>(
        &self,
        pointer: *mut T,
        stride: usize,
        capacity: usize,
        name: &'static str,
    ) -> Result<ArrayOutput<'_, T>> {
        check_struct(pointer, stride, name)?;
        check_extent::<u8>(pointer.cast(), stride.saturating_mul(capacity), name)?;
        Ok(ArrayOutput {
            base: pointer.cast(),
            stride,
            capacity,
            call: PhantomData,
        })
    }

    /// Frees a handle that [`into_handle`] gave out; NULL is none.
    pub fn free<T>(&self, handle: *mut T) {
        // The thread's last error is none of a free function's business.
        let _ = guard::caught(self.caller(), || {
            if !handle.is_null() {
                // SAFETY: a handle comes from `into_handle` and is freed once (`Call::new`).
                drop(unsafe { Box::from_raw(handle) });
            }
        });
    }
}

/// Gives a value away as a handle; [`Call::free`] takes it back.
pub fn into_handle<T>(value: T) -> *mut T {
    Box::into_raw(Box::new(value))
}

#[cold]
const fn null(argument: &'static str) -> Error {
    Error::NullArgument { argument }
}

/// An array of `count` elements is not NULL, aligned and of a possible size.
#[inline]
fn check_extent<T>(pointer: *const T, count: usize, name: &'static str) -> Result<()> {
    if count == 0 {
        return Ok(());
    }
    if pointer.is_null() {
        return Err(null(name));
    }
    if !pointer.is_aligned() {
        return Err(Error::invalid_argument(name, "not aligned"));
    }
    match count.checked_mul(size_of::<T>()) {
        Some(bytes) if bytes <= isize::MAX as usize => Ok(()),
        _ => Err(Error::invalid_argument(
            name,
            "larger than the address space",
        )),
    }
}

#[inline]
fn check_struct<T>(pointer: *const T, size: usize, name: &'static str) -> Result<()> {
    if pointer.is_null() {
        return Err(null(name));
    }
    if size == 0 || size > LARGEST_STRUCT {
        return Err(Error::invalid_argument(name, "its size must be its sizeof"));
    }
    Ok(())
}

/// A place for one value of a known size.
#[derive(Clone, Copy)]
pub struct Output<'call, T> {
    pointer: *mut T,
    call: PhantomData<&'call Call>,
}

impl<T: Plain> Output<'_, T> {
    /// Writes the answer.
    #[inline]
    pub fn write(&self, value: T) {
        // SAFETY: not NULL, so writable while the call lasts (`Call::new`).
        unsafe { self.pointer.write_unaligned(value) }
    }
}

/// A place for one structure of the caller's size.
pub struct SizedOutput<'call, T> {
    base: *mut u8,
    size: usize,
    call: PhantomData<(&'call Call, T)>,
}

impl<T: Plain> SizedOutput<'_, T> {
    /// Writes as much as the caller's version holds; what only a newer version
    /// knows is zeroed.
    #[inline]
    pub fn write(&self, value: T) {
        if self.size == size_of::<T>() {
            // SAFETY: `size` bytes are writable (`Call::new`).
            unsafe { self.base.cast::<T>().write_unaligned(value) };
            return;
        }
        self.write_known(&value);
    }

    /// The write of a caller of another version.
    #[cold]
    fn write_known(&self, value: &T) {
        let known = self.size.min(size_of::<T>());
        // SAFETY: `size` bytes are writable (`Call::new`), `known` is not more
        // than either side holds, and the argument does not overlap a local.
        unsafe { ptr::copy_nonoverlapping(ptr::from_ref(value).cast(), self.base, known) };
        let unknown = self.size.saturating_sub(known);
        // SAFETY: `known` is at most `size`, the caller's extent.
        let rest = unsafe { self.base.add(known) };
        // SAFETY: the `unknown` bytes after the known ones end at `size`.
        unsafe { rest.write_bytes(0, unknown) };
    }
}

/// A place for many structures of the caller's size, `stride` bytes apart.
pub struct ArrayOutput<'call, T> {
    base: *mut u8,
    stride: usize,
    capacity: usize,
    call: PhantomData<(&'call Call, T)>,
}

impl<T: Plain> ArrayOutput<'_, T> {
    /// Number of elements that fit.
    pub const fn capacity(&self) -> usize {
        self.capacity
    }

    #[inline]
    fn element(&self, index: usize) -> Option<SizedOutput<'_, T>> {
        if index >= self.capacity {
            return None;
        }
        // `array_output` checked that the whole array fits the address space.
        let offset = index.wrapping_mul(self.stride);
        Some(SizedOutput {
            // SAFETY: `index` is below the capacity, so the element is in the array.
            base: unsafe { self.base.add(offset) },
            size: self.stride,
            call: PhantomData,
        })
    }

    /// Writes element `index`; nothing outside of the array.
    #[inline]
    pub fn write(&self, index: usize, value: T) {
        if let Some(element) = self.element(index) {
            element.write(value);
        }
    }

    /// As [`ArrayOutput::write`], but leaves what only a newer caller knows.
    pub fn update(&self, index: usize, value: T) {
        if let Some(mut element) = self.element(index) {
            element.size = element.size.min(size_of::<T>());
            element.write(value);
        }
    }

    /// Reads element `index` of an array that the caller filled; what an older
    /// caller does not know is zero.
    #[inline]
    pub fn read(&self, index: usize) -> T {
        let mut value = T::zeroed();
        if let Some(element) = self.element(index) {
            if element.size == size_of::<T>() {
                // SAFETY: `size` bytes are readable (`Call::new`).
                return unsafe { element.base.cast::<T>().read_unaligned() };
            }
            let known = element.size.min(size_of::<T>());
            // SAFETY: `known` bytes are readable (`Call::new`), and a local holds them.
            unsafe { ptr::copy_nonoverlapping(element.base, (&raw mut value).cast(), known) };
        }
        value
    }
}

/// Copies text into an array inside a structure, cut between characters.
pub fn copy_text<const N: usize>(text: &str) -> [c_char; N] {
    let mut array = [0; N];
    let room = N.saturating_sub(1);
    let kept = text.get(..text.floor_char_boundary(room)).unwrap_or("");
    for (slot, byte) in array.iter_mut().zip(kept.bytes()) {
        *slot = byte as c_char;
    }
    array
}
