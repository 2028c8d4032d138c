//! A display that goes takes no word with it.

use std::path::Path;
use std::time::Duration;

use tokio::time::timeout;

use crate::window::{Display, Window};
use crate::world::{Failure, Pair, check, play};

/// A program whose display is gone has no more to do than this.
const PATIENCE: Duration = Duration::from_secs(20);

const DRAFT: &str = "A word that outlives its display";

#[tokio::test]
async fn a_lost_display_ends_the_program_and_loses_nothing() {
    let pictures = Path::new(env!("CARGO_TARGET_TMPDIR")).join("lost");
    std::fs::create_dir_all(&pictures).unwrap();
    play(async |room| {
        let Pair { relay, alice, alice_runs, bob, bob_runs: _bob_runs } = Pair::meet(room).await?;
        alice_runs.terminate().await?;
        let display = Display::start(room, "first", &pictures).await?;
        let command = Window::command_of(&display, &alice, &relay.address);
        let window = Window::open(&display, command, room.join("lost.jsonl")).await?;
        window.shows("bob").await?;
        window.key("ctrl+1").await?;
        window.is_in_composer().await?;
        let socket = room.join("alice/control.sock");
        check(socket.exists(), "an open profile has no socket")?;
        // The last letter is drawn, and nothing is kept before somebody rests.
        window.write(DRAFT).await?;
        window.shows(DRAFT).await?;
        let mut program = window.program();
        display.kill().await?;
        let ended = timeout(PATIENCE, program.child.wait()).await;
        let ended = ended.map_err(|_| Failure::new("the program goes on without its display"))??;
        check(ended.code() == Some(1), &format!("it ended with {ended}"))?;
        let log = std::fs::read_to_string(room.join("lost.log"))?;
        check(log.contains("What was typed is kept"), &format!("it says: {log}"))?;
        check(!log.contains("panicked"), &format!("it says: {log}"))?;
        check(!socket.exists(), "the profile was not closed")?;

        let display = Display::start(room, "second", &pictures).await?;
        let command = Window::command_of(&display, &alice, &relay.address);
        let window = Window::open(&display, command, room.join("found.jsonl")).await?;
        window.shows("bob").await?;
        window.key("ctrl+1").await?;
        window.is_in_composer().await?;
        window.shows(DRAFT).await?;
        window.key("Return").await?;
        bob.reads("alice", &[DRAFT]).await?;
        window.close().await?;
        display.end().await
    })
    .await;
}

#[tokio::test]
async fn where_no_display_answers_the_window_is_refused_with_a_sentence() {
    play(async |room| {
        let mut kith = crate::process::command(Path::new(env!("CARGO_BIN_EXE_kith")));
        kith.arg("--profile").arg(room.join("nobody")).env("DISPLAY", ":54321");
        kith.env_remove("WAYLAND_DISPLAY").env_remove("WAYLAND_SOCKET");
        let output = kith.output().await?;
        check(output.status.code() == Some(1), &format!("it ended with {}", output.status))?;
        let said = String::from_utf8_lossy(&output.stderr);
        let sentence = "kith: there is no display to show a window on: DISPLAY is :54321, and nothing answers there.";
        check(said.starts_with(sentence) && said.lines().count() == 1, &format!("it says: {said}"))
    })
    .await;
}
