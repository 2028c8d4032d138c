//! What a desktop shows of Kith beside its window: notifications that lead to a chat, and a sign in the tray.

use std::path::Path;

use crate::desktop::Desktop;
use crate::window::{Display, Window, until};
use crate::world::{Pair, check, play};

#[tokio::test]
async fn a_pressed_notification_opens_the_chat_and_the_tray_brings_the_window_back() {
    let pictures = Path::new(env!("CARGO_TARGET_TMPDIR")).join("desktops");
    std::fs::create_dir_all(&pictures).unwrap();
    play(async |room| {
        let Pair { relay, alice, alice_runs, bob, bob_runs: _bob_runs } = Pair::meet(room).await?;
        alice_runs.terminate().await?;
        std::fs::write(room.join("alice/window.toml"), "close-to-tray = true\n")?;
        let desktop = Desktop::start(room).await?;
        let display = Display::start(room, "alice", &pictures).await?;
        let mut command = Window::command_of(&display, &alice, &relay.address);
        command.env("DBUS_SESSION_BUS_ADDRESS", desktop.address());
        let at_alice = Window::open(&display, command, room.join("alice.jsonl")).await?;
        at_alice.shows("bob").await?;
        at_alice.is_called("alice – Kith").await?;
        let sign = desktop.has_sign().await?;
        desktop.sign_says(&sign, "").await?;

        bob.send("alice", "Are you <b>there</b> & awake?").await?;
        let told = desktop.is_told(0).await?;
        check(told.title == "bob", &format!("it is called {:?}", told.title))?;
        check(told.words == "Are you &lt;b>there&lt;/b> &amp; awake?", &format!("it says {:?}", told.words))?;
        check(told.actions.iter().any(|action| action == "default"), "it cannot be pressed")?;
        at_alice.is_called("(1) alice – Kith").await?;
        desktop.sign_says(&sign, "1 unread message").await?;
        // Nothing is open yet, so that only the press can open it.
        at_alice.shows("Choose a chat").await?;
        desktop.press(&told).await?;
        at_alice.hides("Choose a chat").await?;
        at_alice.is_in_composer().await?;
        at_alice.is_called("alice – Kith").await?;
        desktop.sign_says(&sign, "").await?;

        // The chat is open, but nobody looks at it.
        at_alice.minimize().await?;
        bob.send("alice", "Behind?").await?;
        let told = desktop.is_told(1).await?;
        check(told.words == "Behind?", &format!("it says {:?}", told.words))?;
        at_alice.is_called("(1) alice – Kith").await?;
        desktop.press(&told).await?;
        at_alice.is_in_front().await?;
        at_alice.is_called("alice – Kith").await?;
        // Who looks at it is told nothing: the next notification is of what comes after.
        bob.send("alice", "In front.").await?;
        at_alice.shows("In front.").await?;

        display.close_one().await?;
        until("the window away", async || Ok((display.windows().await? == 0).then_some(()))).await?;
        bob.send("alice", "And now?").await?;
        let told = desktop.is_told(2).await?;
        check(told.words == "And now?", &format!("it says {:?}", told.words))?;
        desktop.sign_says(&sign, "1 unread message").await?;
        desktop.press_sign(&sign).await?;
        let at_alice = at_alice.again().await?;
        at_alice.shows("And now?").await?;
        desktop.sign_says(&sign, "").await?;

        display.close_one().await?;
        until("the window away", async || Ok((display.windows().await? == 0).then_some(()))).await?;
        desktop.choose(&sign, "Show Kith").await?;
        let at_alice = at_alice.again().await?;
        desktop.choose(&sign, "Quit Kith").await?;
        at_alice.ended().await?;
        display.end().await?;
        desktop.end().await
    })
    .await;
}
