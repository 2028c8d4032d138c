//! What Kith asks of the system's allocator, in a crate of its own since all others forbid unsafe code.
#![deny(missing_docs)]

#[cfg(feature = "counting")]
mod counting;

#[cfg(feature = "counting")]
pub use counting::{Counting, touched};

/// Allocations of this size and more get pages of their own, which go back to the system when they are freed: glibc's default.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
const LARGE_BYTES: libc::c_int = 128 * 1024;

/// Keeps large allocations apart from small ones, for the whole process. Where the allocator is not glibc's it does nothing.
///
/// glibc begins so, but takes the size of the first large one that is freed for its new limit. A store's buffers of half a MiB,
/// which come and go all day, then lie among small things that stay, and the heap grows around them: 20 clients that wrote and
/// read 10,000 messages held 349 MiB with the moving limit and 148 MiB with the fixed one.
pub fn keep_large_apart() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    // SAFETY: mallopt (POSIX: MT-Safe init) takes plain numbers, locks the arena itself, and changes no allocation that exists.
    // Called again, or refused, it leaves things as they are.
    unsafe {
        libc::mallopt(libc::M_MMAP_THRESHOLD, LARGE_BYTES);
    }
}

/// One heap for all threads, whose free room all of them use: for a program that is small before it is fast. Before there are
/// others; elsewhere it does nothing.
///
/// glibc gives each thread that allocates while another does a heap of its own, and what is free in one is of no use to the others:
/// a window with 200 chats held 40 MiB so, and 32 MiB with one.
pub fn share_one() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    // SAFETY: as above.
    unsafe {
        libc::mallopt(libc::M_ARENA_MAX, 1);
    }
}

/// Gives the system back what lies free within the heap: for after something large was let go of. Elsewhere it does nothing.
///
/// What a speech model computes with is many pieces below the limit above; freed, they stay in the heap.
pub fn give_back() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    // SAFETY: malloc_trim (POSIX: MT-Safe) takes a plain number, locks each arena itself, and touches only what is free.
    unsafe {
        libc::malloc_trim(0);
    }
}
