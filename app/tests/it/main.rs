//! The programs as processes of their own: what they print, how they exit, and what people at both ends see.
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "tests wait, draw and open sockets as they need"
)]

mod alone;
mod errors_are_sentences;
#[path = "../../examples/demo/failure.rs"]
mod failure;
mod people_write_to_each_other;
#[path = "../../examples/demo/process.rs"]
mod process;
mod processes_are_killed;
mod relays_serve_their_operators;
mod world;
