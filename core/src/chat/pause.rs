//! How long what came to nothing waits before it is tried again.

use rand_core::RngCore;

use crate::types::Rng;

/// The first wait before something is sent again, in milliseconds: a reconnect takes about as long.
pub(crate) const FIRST_RETRY_MS: u64 = 2_000;

/// The longest wait, in milliseconds: ten minutes; news of a peer or a relay ends a wait at once.
pub(crate) const LAST_RETRY_MS: u64 = 600_000;

/// The wait before something is sent again that has failed so often before, in milliseconds.
pub(crate) fn retry_ms(rng: &mut Rng, failures: u32) -> u64 {
    doubled_ms(rng, FIRST_RETRY_MS, LAST_RETRY_MS, failures)
}

/// The first wait, doubled after each failure up to the longest; up to a quarter more, so that those who lost the same relay do not
/// come back together.
pub(crate) fn doubled_ms(rng: &mut Rng, first_ms: u64, longest_ms: u64, failures: u32) -> u64 {
    let wait = first_ms.saturating_mul(1 << failures.min(16)).min(longest_ms);
    wait.saturating_add(u64::from(rng.next_u32()) % (wait / 4).max(1))
}
