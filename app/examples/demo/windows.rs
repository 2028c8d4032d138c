//! The demo in windows: Alice and Bob, signed in and with a short history, side by side, until both windows are closed.

use std::path::Path;

use crate::failure::Failure;
use crate::process::{Person, Programs, Running};
use crate::stage::Stage;
use crate::story::{self, Met};

/// How wide each window is, and where the upper left one stands: two of them fit on a small laptop's screen.
const WIDTH: u32 = 680;
const HEIGHT: u32 = 720;
const EDGE: u32 = 8;
const TOP: u32 = 48;

/// Prepares the two profiles, opens their windows, and waits until both are closed.
pub(crate) async fn play(stage: &mut Stage, programs: &Programs, assets: &Path, room: &Path) -> Result<(), Failure> {
    let Met { relay, alice, bob, alice_runs, bob_runs } = story::meet(stage, programs, assets, room).await?;
    story::talk(stage, &alice, &bob).await?;
    for (person, running) in [(&alice, alice_runs), (&bob, bob_runs)] {
        person.ask(&["stop"]).await?;
        running.ended().await?;
    }
    stage.chapter("Two windows");
    stage.step("They open side by side");
    let mut left = open(&alice, EDGE)?;
    let mut right = open(&bob, EDGE + WIDTH + EDGE)?;
    stage.verified("Alice's on the left, Bob's on the right");
    println!("\n  Write to each other. The demo ends when both windows are closed, or by Ctrl+C.");
    // Both at once: one that breaks is told of while the other is still open.
    tokio::try_join!(closed(&alice, &mut left), closed(&bob, &mut right))?;
    relay.terminate().await
}

async fn closed(person: &Person<'_>, window: &mut Running) -> Result<(), Failure> {
    let ended = window.child.wait().await?;
    if ended.success() { Ok(()) } else { Err(Failure::new(format!("{}'s window did not end well", person.name))) }
}

fn open(person: &Person<'_>, x: u32) -> Result<Running, Failure> {
    let profile = person.room.join(person.name);
    let placement = format!("[window]\nwidth = {WIDTH}.0\nheight = {HEIGHT}.0\nx = {x}.0\ny = {TOP}.0\n");
    std::fs::write(profile.join("window.toml"), placement)?;
    Running::start(person.kith(), person.name, &person.room.join(format!("{}-window.log", person.name)))
}
