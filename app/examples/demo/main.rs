//! The demo: a real relay process and two real `kith` processes on this machine play the main job, and every step is checked
//! in the receiver's own store.
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

use failure::Failure;
use stage::Stage;

/// Two people and a relay on this machine.
#[derive(Debug, Parser)]
struct Arguments {
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
    let mut stage = Stage::new();
    let outcome = tokio::select! {
        outcome = play(Arguments::parse(), &mut stage) => outcome,
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

async fn play(arguments: Arguments, stage: &mut Stage) -> Result<(), Failure> {
    let programs = process::Programs::find(arguments.kith, arguments.relay)?;
    let assets = std::path::absolute(&arguments.assets)?;
    let room = tempfile::Builder::new().prefix("kith-demo-").tempdir()?;
    let outcome = story::play(stage, &programs, &assets, room.path()).await;
    if let Err(failure) = outcome {
        return Err(failure.with_logs(room.path()));
    }
    room.close()?;
    Ok(())
}
