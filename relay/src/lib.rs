//! The relay that anyone can run for Kith: it fills in for the times when people's own devices cannot reach each other.
//!
//! [`domain`] is the pure machine behind every request: no sockets, clock, threads or randomness of its own. [`store`] keeps its
//! rows on a disk; [`server`] drives both and is what the network node, the HTTP pages and the tests talk to.
//!
//! It cannot read a word of what it carries, and it knows no more of who writes to whom than a delivery token tells.
#![forbid(unsafe_code)]
#![deny(missing_docs, rustdoc::broken_intra_doc_links, unreachable_pub)]
#![cfg_attr(not(test), deny(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::string_slice))]

#[expect(clippy::disallowed_methods, reason = "a driver: it starts the server and waits")]
pub mod admin;
#[expect(clippy::disallowed_methods, reason = "a driver: a task for each device that is pushed to")]
pub mod attach;
pub mod backup;
#[expect(clippy::disallowed_methods, reason = "a driver: files, and the time between two sweeps")]
pub mod blobs;
pub mod check;
pub mod config;
#[expect(clippy::disallowed_methods, reason = "a driver: it answers the operator beside the server")]
pub mod control;
pub mod data_dir;
pub mod domain;
#[expect(clippy::disallowed_methods, reason = "a driver: a caller has so much time")]
mod http;
pub mod keys;
pub mod metrics;
#[expect(clippy::disallowed_methods, clippy::disallowed_types, reason = "a driver: sockets and their timers")]
pub mod node;
#[expect(clippy::disallowed_methods, reason = "a driver: it gives the domain its time and its randomness")]
pub mod server;
pub mod store;
