//! The settings of sound with real devices: they come and go in the list, the microphone is open only while it is asked for, and what is
//! said into it is played back.

use std::path::Path;

use crate::sound_server::{Server, clip, until};
use crate::window::{Display, Window};
use crate::world::{Relay, check, play, sign_up};

#[tokio::test]
async fn a_microphone_is_tried_out_in_the_settings() {
    let pictures = Path::new(env!("CARGO_TARGET_TMPDIR")).join("sound");
    std::fs::create_dir_all(&pictures).unwrap();
    play(async |room| {
        let server = Server::start();
        let relay = Relay::start(room, "relay").await?;
        let alice = sign_up(room, "alice", &relay).await?;
        let display = Display::start(room, "alice", &pictures).await?;
        let mut command = Window::command(&display, &room.join("alice"), &relay.address);
        command.arg("--password-file").arg(alice.password_file()).env("PULSE_SERVER", server.address());
        let window = Window::open(&display, command, room.join("alice.jsonl")).await?;
        window.resize(1000, 780).await?;
        window.key("ctrl+comma").await?;
        window.press("Sound").await?;

        // A microphone is plugged in, and out again.
        let plug = ["load-module", "module-null-source", "source_name=headset", "description=Headset"];
        check(server.control(&plug).status.success(), "no microphone can be plugged in")?;
        window.shows("Headset").await?;
        display.picture("devices").await?;
        check(server.control(&["unload-module", "module-null-source"]).status.success(), "it cannot be unplugged")?;
        window.hides("Headset").await?;

        check(server.listeners() == 0, "somebody listens who was not asked to")?;
        window.press("Show how loud it is").await?;
        until("a listener at the microphone", || server.listeners() > 0);
        window.press("Show how loud it is").await?;
        until("the end of the listening", || server.listeners() == 0);

        window.press("Record").await?;
        until("a listener at the microphone", || server.listeners() > 0);
        let said = server.command("paplay").arg("--device=wire").arg(clip()).status()?;
        check(said.success(), "nothing could be said")?;
        window.shows("0:05").await?;
        window.press("Stop").await?;
        window.shows("With clean-up").await?;
        display.picture("tried").await?;
        until("the end of the listening", || server.listeners() == 0);
        for way in ["As it was", "With clean-up"] {
            window.press(way).await?;
            let ear = server.ear();
            window.press("Play").await?;
            let heard = ear.words_after(6_000);
            check(heard == "Meet me at the station at eleven.", &format!("{way}: {heard:?} was heard"))?;
            window.shows("Play").await?;
        }
        window.close().await?;
        display.end().await
    })
    .await;
}
