//! Kith's program: a window, and the same by a command line, for people at a terminal, scripts, bots and screen readers.
#![forbid(unsafe_code)]
#![expect(clippy::disallowed_methods, reason = "a program waits for people and for other processes")]
#![deny(missing_docs, rustdoc::broken_intra_doc_links)]
#![cfg_attr(not(test), deny(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::string_slice))]

use std::process::ExitCode;

mod app;
mod backend;
mod cli;
mod format;
mod i18n;
mod keys;
mod log;
mod marks;
mod modal;
mod platform;
mod problem;
#[expect(clippy::disallowed_types, reason = "a driver: it looks for free ports")]
mod relay;
mod said;
#[cfg(test)]
mod samples;
mod screen;
mod settings;
#[cfg(test)]
mod snapshots;
mod theme;
mod ui;
mod widget;
mod will;
mod window;

fn main() -> ExitCode {
    cli::main()
}
