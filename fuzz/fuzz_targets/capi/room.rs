//! Buffers of exactly the size that a call is told.

use std::{
    alloc::{Layout, alloc, dealloc, handle_alloc_error},
    slice,
};

const FILLER: u8 = 0xa5;

/// Bytes on the heap, aligned as structures are; none is NULL.
pub struct Room {
    pointer: *mut u8,
    layout: Layout,
}

impl Room {
    pub fn new(size: usize) -> Self {
        let layout = Layout::from_size_align(size, 8).expect("a small size");
        if size == 0 {
            return Self {
                pointer: std::ptr::null_mut(),
                layout,
            };
        }
        // SAFETY: the size is not 0.
        let pointer = unsafe { alloc(layout) };
        if pointer.is_null() {
            handle_alloc_error(layout);
        }
        // SAFETY: that many bytes were allocated.
        unsafe { pointer.write_bytes(FILLER, size) };
        Self { pointer, layout }
    }

    pub fn pointer<T>(&self) -> *mut T {
        self.pointer.cast()
    }

    pub fn size(&self) -> usize {
        self.layout.size()
    }

    fn bytes(&self) -> &[u8] {
        if self.pointer.is_null() {
            return &[];
        }
        // SAFETY: all bytes were written by `new`.
        unsafe { slice::from_raw_parts(self.pointer, self.layout.size()) }
    }

    /// Outputs are written on success only.
    pub fn assert_untouched_on_error(&self, status: i32) {
        let untouched = || self.bytes().iter().all(|&byte| byte == FILLER);
        assert!(status >= 0 || untouched(), "written by a call that failed");
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        if !self.pointer.is_null() {
            // SAFETY: allocated by `new` with this layout.
            unsafe { dealloc(self.pointer, self.layout) };
        }
    }
}
