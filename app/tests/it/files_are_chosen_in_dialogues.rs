//! Files are chosen in the desktop's own dialogues; where nothing shows them, that is said, and what to do.

use std::path::Path;

use crate::desktop::Desktop;
use crate::window::{Display, Window};
use crate::world::{Outcome, Pair, play, text};

const SENTENCE: &str = "Nothing here can show a dialogue for files. Install xdg-desktop-portal with the part for your desktop \
    (such as xdg-desktop-portal-gtk), or zenity, and try again. Files to be sent can also be dropped on the conversation.";

#[tokio::test]
async fn a_desktop_without_dialogues_is_told_of_and_one_with_them_is_used() {
    let pictures = Path::new(env!("CARGO_TARGET_TMPDIR")).join("dialogues");
    std::fs::create_dir_all(&pictures).unwrap();
    play(async |room| {
        let Pair { relay, alice, alice_runs, bob, bob_runs: _bob_runs } = Pair::meet(room).await?;
        alice_runs.terminate().await?;
        let programs = room.join("programs");
        std::fs::create_dir_all(&programs)?;
        let desktop = Desktop::start(room).await?;
        let display = Display::start(room, "alice", &pictures).await?;
        let mut command = Window::command_of(&display, &alice, &relay.address);
        // No zenity either, until there is one.
        command.env("DBUS_SESSION_BUS_ADDRESS", desktop.address()).env("PATH", &programs);
        let window = Window::open(&display, command, room.join("alice.jsonl")).await?;
        window.shows("bob").await?;
        window.key("ctrl+1").await?;
        window.is_in_composer().await?;
        attach(&window).await?;
        window.shows(SENTENCE).await?;
        display.picture("no-dialogue").await?;

        let has = async |name: &str| {
            let there = |answer: &[serde_json::Value]| {
                answer.iter().any(|message| text(&message["file"], "name") == name).then_some(())
            };
            bob.until(name, &["history", "alice"], there).await
        };
        for (name, file) in [("zenity.txt", "by zenity"), ("portal.txt", "by a portal")] {
            std::fs::write(room.join(name), file)?;
        }
        let zenity = programs.join("zenity");
        std::fs::write(&zenity, format!("#!/bin/sh\necho '{}'\n", room.join("zenity.txt").display()))?;
        make_program(&zenity)?;
        attach(&window).await?;
        has("zenity.txt").await?;

        desktop.will_choose(&room.join("portal.txt")).await?;
        attach(&window).await?;
        has("portal.txt").await?;
        window.close().await?;
        display.end().await?;
        desktop.end().await
    })
    .await;
}

/// By keys: the sign stands before the field where messages are written.
async fn attach(window: &Window<'_>) -> Outcome {
    window.key("ctrl+1").await?;
    window.is_in_composer().await?;
    window.key("shift+Tab").await?;
    window.key("space").await
}

fn make_program(file: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::set_permissions(file, std::fs::Permissions::from_mode(0o755))
}
