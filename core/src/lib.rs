//! All that a Kith device does, without a screen.
//!
//! The crate is built in floors, ground first; a module imports only from floors below its own (`tests/it/floors.rs` checks it):
//!
//! | floor | modules |
//! |---|---|
//! | 0 | [`types`] |
//! | 1 | [`identity`], [`wire`], [`home`] |
//! | 2 | [`store`] |
//! | 3 | `mls`, `chat`, `voice`, `blob` |
//! | 4 | `net`, `audio`, `speech` |
//! | 5 | `session` |
//! | 6 | `client` |
//!
//! Without cargo features only floors 0 to 2 are built, without sled: what the relay shares with devices.
//! `store` adds the guarded sled, `client` the floors up to 6, `voice`, `audio` and `speech` the sound.
#![forbid(unsafe_code)]
#![deny(missing_docs, rustdoc::broken_intra_doc_links, unreachable_pub)]
#![cfg_attr(test, allow(clippy::disallowed_methods, reason = "tests look at the clock and at what they are asked"))]
#![cfg_attr(not(test), deny(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::string_slice))]

#[cfg(all(feature = "test-utils", not(debug_assertions)))]
compile_error!("feature `test-utils` plays faults and opens secrets for tests: no release is built with it");

/// Tests hold what must not allocate to it.
#[cfg(test)]
#[global_allocator]
static HEAP: kith_heap::Counting = kith_heap::Counting;

pub mod home;
pub mod identity;
pub mod store;
pub mod types;
pub mod wire;

#[cfg(feature = "audio")]
#[expect(clippy::disallowed_methods, reason = "a driver: devices on threads of their own, in real time")]
pub mod audio;
#[cfg(feature = "client")]
pub mod blob;
#[cfg(feature = "client")]
pub mod chat;
#[cfg(feature = "client")]
#[expect(clippy::disallowed_methods, reason = "the facade waits, and starts work beside it")]
pub mod client;
#[cfg(feature = "mls")]
pub mod mls;
#[cfg(feature = "net")]
#[expect(clippy::disallowed_methods, reason = "a driver: sockets and their timers")]
pub mod net;
#[cfg(feature = "client")]
#[expect(clippy::disallowed_methods, reason = "a driver: it gives the engine its time and its randomness")]
pub mod session;
#[cfg(feature = "speech")]
#[expect(clippy::disallowed_methods, reason = "a driver: inference on a thread of its own")]
pub mod speech;
#[cfg(feature = "voice")]
pub mod voice;
