//! The demo: a real relay process and two real `kith` processes on this machine, and every step is checked in the receiver's own
//! store. Where there is a display, two people meet and their windows open; else, or with `--terminal`, they play the main job.
//!
//! `./dev demo` builds and starts it. It exits with 0 only if every step was verified; it ends only what it started, and
//! leaves nothing behind.
#![expect(clippy::disallowed_methods, reason = "it starts processes and says how long they take")]

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;

mod failure;
mod process;
mod stage;
mod story;
mod windows;

use failure::Failure;
use stage::Stage;

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
    let in_windows = !arguments.terminal && windows::are_possible();
    let mut stage = Stage::new();
    let outcome = tokio::select! {
        outcome = play(arguments, in_windows, &mut stage) => outcome,
        // Windows stay for as long as somebody likes to look at them.
        _ = tokio::signal::ctrl_c(), if in_windows => return ExitCode::SUCCESS,
        _ = tokio::signal::ctrl_c() => Err(Failure::new("interrupted")),
    };
    match outcome {
        Ok(()) => {
            stage.curtain();
            ExitCode::SUCCESS
        }
        Err(failure) => {
            stage.failed(&failure);
            ExitCode::FAILURE
        }
    }
}

async fn play(arguments: Arguments, in_windows: bool, stage: &mut Stage) -> Result<(), Failure> {
    let programs = process::Programs::find(arguments.kith, arguments.relay)?;
    let assets = std::path::absolute(&arguments.assets)?;
    let room = tempfile::Builder::new().prefix("kith-demo-").tempdir()?;
    let outcome = if in_windows {
        windows::play(stage, &programs, &assets, room.path()).await
    } else {
        story::play(stage, &programs, &assets, room.path()).await
    };
    if let Err(failure) = outcome {
        return Err(failure.with_logs(room.path()));
    }
    room.close()?;
    Ok(())
}
