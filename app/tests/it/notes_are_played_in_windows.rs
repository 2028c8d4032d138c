//! Voice notes that came are listened to in a window: what is heard at the speaker is what the window says.

use std::path::Path;
use std::time::Duration;

use serde_json::Value;

use crate::sound_server::{Server, samples_of, until, wav};
use crate::window::{Display, Screen, Window};
use crate::world::{Outcome, Pair, Person, check, play, text};

/// The button that plays a note, and the one that has it stand still, as the icons' font has them.
const PLAY: &str = "\u{e13c}";
const PAUSE: &str = "\u{e12e}";

/// What is said in the first note, with silence around each: longer than a breath, so that the small model hears one at a time.
const FIRST: [(&str, &str); 2] = [("ok_02.wav", "Please call me back."), ("ok_03.wav", "The relay is offline.")];

/// And in the second.
const SECOND: [(&str, &str); 1] = [("ok_07.wav", "Can you call me tonight?")];

/// The silence, in milliseconds.
const SILENCE: u64 = 3_000;

/// A word of the second sentence, and not its first.
const WORD: &str = "relay";

/// What is listened to besides, in milliseconds: a press and a speaker take their time.
const REST: u64 = 1_500;

/// How wide a waveform is, and how far above the line below it its middle.
const WAVEFORM: [f64; 2] = [192.0, 22.0];

/// A note, and the moments at which its sentences begin and end, in milliseconds.
fn note(server: &Server, name: &str, sentences: &[(&str, &str)]) -> Outcome<(String, Vec<[u64; 2]>, u64)> {
    let bytes = |ms: u64| usize::try_from(ms * 32).unwrap_or_default();
    let (mut samples, mut said) = (vec![0; bytes(1_000)], Vec::new());
    for (clip, _) in sentences {
        let begin = samples.len() as u64 / 32;
        samples.extend(samples_of(clip));
        said.push([begin, samples.len() as u64 / 32]);
        samples.resize(samples.len() + bytes(SILENCE), 0);
    }
    let file = server.path(name);
    std::fs::write(&file, wav(16_000, &samples))?;
    Ok((file.display().to_string(), said, samples.len() as u64 / 32))
}

/// Bob, who listens.
struct Listener<'a> {
    server: &'a Server,
    bob: &'a Person<'static>,
    /// The first note: its id, how long it is in milliseconds, and when its sentences begin and end.
    id: String,
    length: u64,
    said: Vec<[u64; 2]>,
}

impl Listener<'_> {
    async fn window<'a>(&self, display: &'a Display, relay: &str, number: u32) -> Outcome<Window<'a>> {
        let mut command = Window::command_of(display, self.bob, relay);
        command.env("PULSE_SERVER", self.server.address());
        let window = Window::open(display, command, self.bob.room.join(format!("bob-{number}.jsonl"))).await?;
        window.shows("alice").await?;
        window.key("ctrl+1").await?;
        window.shows(PLAY).await?;
        Ok(window)
    }

    /// How the first note stands in the profile.
    async fn stands(&self, what: &str, is: impl Fn(&Value) -> bool) -> Outcome {
        let wanted =
            |answer: &[Value]| answer.iter().find(|note| note["id"] == *self.id).filter(|note| is(note)).map(|_| ());
        self.bob.until(what, &["history", "alice"], wanted).await
    }

    /// Where the first note stands, in whole seconds, while that is said below its waveform.
    fn at(&self, screen: &Screen) -> Option<u64> {
        let end = format!(" / {}", clock(self.length));
        let (minutes, seconds) = screen.words().find_map(|words| words.strip_suffix(&end))?.split_once(':')?;
        Some(minutes.parse::<u64>().ok()? * 60 + seconds.parse::<u64>().ok()?)
    }

    /// Until it has come so far, in whole seconds.
    async fn comes_to(&self, window: &Window<'_>, seconds: u64) -> Outcome {
        let there = |screen: &Screen| self.at(screen).filter(|at| *at >= seconds).map(|_| ());
        window.until(&format!("{seconds} s of the note"), there).await
    }

    /// Presses the waveform of the first note at this moment.
    async fn seek(&self, window: &Window<'_>, ms: u64) -> Outcome {
        let end = clock(self.length);
        let below = |screen: &Screen| screen.placed().find(|(words, _)| words.ends_with(&end)).map(|(_, place)| place);
        let [x, y, _, _] = window.until("the line below the waveform", below).await?;
        window.press_at(x + WAVEFORM[0] * ms as f64 / self.length as f64, y - WAVEFORM[1]).await
    }

    /// Nothing plays any more, and the first note begins anew.
    async fn ends(&self, window: &Window<'_>) -> Outcome {
        window.hides(PAUSE).await?;
        window.until("the first note as before", |screen| screen.place(&clock(self.length)).map(|_| ())).await?;
        Ok(())
    }
}

/// As the window writes it: seconds, rounded up.
fn clock(ms: u64) -> String {
    let seconds = ms.div_ceil(1_000);
    format!("{}:{:02}", seconds / 60, seconds % 60)
}

#[tokio::test]
async fn notes_that_came_are_heard_one_after_the_other_from_any_word_at_any_speed() {
    let pictures = Path::new(env!("CARGO_TARGET_TMPDIR")).join("listening");
    std::fs::create_dir_all(&pictures).unwrap();
    play(async |room| {
        let server = Server::start();
        let Pair { relay, alice, alice_runs: _alice_runs, bob, bob_runs } = Pair::meet(room).await?;
        let (first, said, length) = note(&server, "first.wav", &FIRST)?;
        let (second, _, second_length) = note(&server, "second.wav", &SECOND)?;
        let sent = alice.ask_one(&["send", "bob", "--voice", &first, "--wait", "45"]).await?;
        let sent_second = alice.ask_one(&["send", "bob", "--voice", &second, "--wait", "45"]).await?;
        let arrived = |answer: &[Value]| answer.iter().find(|note| note["id"] == sent_second["id"]).map(|_| ());
        bob.until("the notes", &["history", "alice"], arrived).await?;
        let id = text(&sent, "id").to_owned();
        let words = bob.ask_one(&["transcribe", "--with", "alice", &id]).await?;
        let sentences = FIRST.map(|(_, words)| words).join(" ");
        check(text(&words, "text") == sentences, &format!("it was understood as {words}"))?;
        bob_runs.terminate().await?;

        let display = Display::start(room, "bob", &pictures).await?;
        let listener = Listener { server: &server, bob: &bob, id, length, said };
        let window = listener.window(&display, &relay.address, 1).await?;
        // A blank stands behind every word.
        let shown = format!("{sentences} ");
        window.shows(&shown).await?;
        let ear = server.ear();
        window.press(PLAY).await?;
        listener.comes_to(&window, 2).await?;
        display.picture("listening").await?;
        let all = [&FIRST[..], &SECOND].concat().iter().map(|(_, words)| *words).collect::<Vec<_>>().join(" ");
        let heard = ear.words_after(length + second_length + REST);
        check(heard == all, &format!("one after the other {heard:?} was heard"))?;
        listener.ends(&window).await?;
        listener.stands("that it was heard", |note| note["heard"] == true).await?;

        // Where it was left it goes on, also in another window: that is between its sentences, however late the pause was.
        let silence = listener.said[0][1] + SILENCE / 2;
        window.press(PLAY).await?;
        listener.comes_to(&window, 1).await?;
        window.press(PAUSE).await?;
        window.hides(PAUSE).await?;
        listener.seek(&window, silence).await?;
        let there = |screen: &Screen| (listener.at(screen) == Some(silence.div_ceil(1_000))).then_some(());
        window.until("the place that was pressed", there).await?;
        window.close().await?;
        let window = listener.window(&display, &relay.address, 2).await?;
        listener.comes_to(&window, 1).await?;
        let left = |note: &Value| note["heard_ms"].as_u64().is_some_and(|ms| ms.abs_diff(silence) < 200);
        listener.stands("where it was left", left).await?;
        hears("the place where it was left", &listener, &window, async || window.press(PLAY).await).await?;

        // A press on its waveform, and one on a word of it.
        hears("a press on the waveform", &listener, &window, async || listener.seek(&window, silence).await).await?;
        let [x, y, width, height] = window.shows(&shown).await?;
        let part = (sentences.find(WORD).unwrap_or_default() + WORD.len() / 2) as f64 / shown.len() as f64;
        let ear = server.ear();
        window.press_at(x + width * part, y + height / 2.0).await?;
        let heard = ear.words_after(listener.length - listener.said[1][0] + REST);
        check(heard.ends_with("offline.") && !heard.contains("back"), &format!("from a word on {heard:?} was heard"))?;
        listener.ends(&window).await?;

        // Twice as fast, it takes half as long.
        window.press(PLAY).await?;
        listener.comes_to(&window, 1).await?;
        window.press(PAUSE).await?;
        window.hides(PAUSE).await?;
        for speeds in ["1×", "1.25×", "1.5×", "2×"].windows(2) {
            window.press(speeds[0]).await?;
            window.shows(speeds[1]).await?;
        }
        display.picture("twice-as-fast").await?;
        listener.seek(&window, 0).await?;
        let ear = server.ear();
        window.press(PLAY).await?;
        let took = ear.span_after(length / 2 + REST);
        let half = Duration::from_millis((listener.said[1][1] - listener.said[0][0]) / 2);
        check(took.abs_diff(half) < Duration::from_millis(500), &format!("it took {took:?}, and not {half:?}"))?;
        listener.ends(&window).await?;
        until("the speaker's rest", || server.control(&["list", "short", "sink-inputs"]).stdout.is_empty());
        window.close().await?;
        display.end().await
    })
    .await;
}

/// From what is done until the end of the first note its second sentence is heard, and nothing before.
async fn hears(
    from: &str,
    listener: &Listener<'_>,
    window: &Window<'_>,
    done: impl AsyncFnOnce() -> Outcome,
) -> Outcome {
    let ear = listener.server.ear();
    done().await?;
    let heard = ear.words_after(listener.length - listener.said[0][1] + REST);
    check(heard == FIRST[1].1, &format!("from {from} on {heard:?} was heard"))?;
    listener.ends(window).await
}
