//! The demo: a real relay process and two real `kith` processes on this machine, and every step is checked in the receiver's own
//! store. Where there is a display, two people meet and their windows open; else, or with `--terminal`, they play the main job.
//!
//! `./dev demo` builds and starts it. It exits with 0 only if every step was verified; it ends only what it started, and
//! leaves nothing behind.
#![expect(clippy::disallowed_methods, reason = "it starts processes and says how long they take")]

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;

#[path = "../../src/platform/display.rs"]
mod display;
mod failure;
mod process;
mod stage;
mod story;
mod windows;

use failure::Failure;
use stage::Stage;

/// How often the room is tried to be removed, and how long to wait before another try.
const TRIES: u32 = 100;
const BETWEEN_TRIES: Duration = Duration::from_millis(50);

/// Two people and a relay on this machine.
#[derive(Debug, Parser)]
struct Arguments {
    /// Plays in the terminal also where there is a display.
    #[arg(long)]
    terminal: bool,
    /// The directory with the demo's voice notes and the speech model.
    #[arg(long, default_value = "assets")]
    assets: PathBuf,
    /// The `kith` program; by default the one built beside this demo.
    #[arg(long)]
    kith: Option<PathBuf>,
    /// The relay's program; by default the one built beside this demo.
    #[arg(long)]
    relay: Option<PathBuf>,
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let in_windows = !arguments.terminal && has_display();
    let mut stage = Stage::new();
    match in_a_room(arguments, in_windows, &mut stage).await {
        Ok(true) => stage.curtain(),
        Ok(false) => {}
        Err(failure) => {
            stage.failed(&failure);
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}

/// Whether there is a display to show windows on. One that is set and does not answer is told of: somebody expects windows there.
fn has_display() -> bool {
    let found = display::look();
    if let Err(why) = &found {
        println!("No windows can be shown: {why}. The demo plays in the terminal.");
    }
    found.is_ok()
}

/// Plays in a directory of its own, which is removed however it ends; whether it played to its end.
async fn in_a_room(arguments: Arguments, in_windows: bool, stage: &mut Stage) -> Result<bool, Failure> {
    let room = tempfile::Builder::new().prefix("kith-demo-").tempdir()?;
    let outcome = tokio::select! {
        outcome = play(arguments, in_windows, stage, room.path()) => outcome.map(|()| true),
        outcome = interrupted() => match outcome {
            // Windows stay for as long as somebody likes to look at them.
            Ok(()) if in_windows => Ok(false),
            Ok(()) => Err(Failure::new("interrupted")),
            Err(failure) => Err(failure),
        },
    };
    let outcome = outcome.map_err(|failure| failure.with_logs(room.path()));
    let cleared = clear(room).await;
    outcome.and_then(|to_its_end| cleared.map(|()| to_its_end))
}

async fn play(arguments: Arguments, in_windows: bool, stage: &mut Stage, room: &Path) -> Result<(), Failure> {
    let programs = process::Programs::find(arguments.kith, arguments.relay)?;
    let assets = std::path::absolute(&arguments.assets)?;
    if in_windows {
        windows::play(stage, &programs, &assets, room).await
    } else {
        story::play(stage, &programs, &assets, room).await
    }
}

/// Comes when somebody, or the system, wants the demo to end.
async fn interrupted() -> Result<(), Failure> {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let (mut terminate, mut hang_up) = (signal(SignalKind::terminate())?, signal(SignalKind::hangup())?);
        tokio::select! {
            outcome = tokio::signal::ctrl_c() => outcome?,
            _ = terminate.recv() => {}
            _ = hang_up.recv() => {}
        }
    }
    #[cfg(not(unix))]
    tokio::signal::ctrl_c().await?;
    Ok(())
}

/// Removes the room. A process that was killed a moment ago may have been writing into it, so that one try is not always enough.
async fn clear(room: tempfile::TempDir) -> Result<(), Failure> {
    let mut tries = 0;
    loop {
        match std::fs::remove_dir_all(room.path()) {
            Err(error) if error.kind() != ErrorKind::NotFound && tries < TRIES => tries += 1,
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error.into()),
            _ => return Ok(()),
        }
        tokio::time::sleep(BETWEEN_TRIES).await;
    }
}
