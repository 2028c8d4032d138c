//! The engine broken on purpose, one rule at a time, so that tests prove that the simulations notice. For simulations only.
//!
//! A switch of the thread: a simulation runs in one.

use std::cell::Cell;

/// What the engine leaves undone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mutation {
    /// Devices that meet send each other nothing.
    NoRepair,
    /// Feeds go on whatever a commit closed.
    NoCuts,
    /// Every commit counts that MLS can merge.
    NoEntitlement,
}

thread_local! {
    static BROKEN: Cell<Option<Mutation>> = const { Cell::new(None) };
}

/// Does some work with the engine broken, on this thread; it is whole again when the work has ended, by a panic too.
pub fn during<T>(mutation: Mutation, work: impl FnOnce() -> T) -> T {
    struct Whole;
    impl Drop for Whole {
        fn drop(&mut self) {
            BROKEN.set(None);
        }
    }
    let _whole = Whole;
    BROKEN.set(Some(mutation));
    work()
}

/// Whether the engine is broken in this way.
pub(crate) fn is(mutation: Mutation) -> bool {
    BROKEN.get() == Some(mutation)
}
