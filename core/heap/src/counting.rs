//! The system's allocator, which counts what each thread asks of it.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

thread_local! {
    /// Without a destructor and made before the program runs: counting asks the heap for nothing itself.
    static TOUCHED: Cell<u64> = const { Cell::new(0) };
}

/// How often this thread has allocated or freed something so far.
#[must_use]
pub fn touched() -> u64 {
    TOUCHED.get()
}

/// To be named as the global allocator of a test program; then [`touched`] counts.
#[derive(Debug, Clone, Copy, Default)]
pub struct Counting;

fn count() {
    TOUCHED.set(TOUCHED.get().wrapping_add(1));
}

// SAFETY: every call is handed to the system's allocator as it came, which keeps the contract; counting touches a number of this
// thread alone, and cannot unwind.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count();
        // SAFETY: the caller keeps the contract of `alloc`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        count();
        // SAFETY: the caller keeps the contract of `dealloc`; the pointer came from the same allocator.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count();
        // SAFETY: the caller keeps the contract of `alloc_zeroed`.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count();
        // SAFETY: the caller keeps the contract of `realloc`; the pointer came from the same allocator.
        unsafe { System.realloc(pointer, layout, size) }
    }
}
