//! Recording and playing in a terminal: without a profile, or into and out of a conversation.

use std::io::{IsTerminal, Write};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use kith_core::client::sound::{
    Backend, CleanUp, Device, Direction, PlaybackPhase, PlaybackState, RecordingPhase, RecordingState, System,
    play_file, record_file,
};
use kith_core::wire::control::{Reply, Request, Said};
use serde::Serialize;

use super::arguments::{Play, Record};
use super::backend::{Context, Use};
use super::error::{Error, Success};
use super::text;

/// The largest note that is read to be played: an hour at the highest bit rate.
const MAX_NOTE: u64 = 64 << 20;

/// Lists microphones and speakers.
pub(crate) async fn devices(context: &Context) -> Result<Success, Error> {
    let shown = |direction: &'static str, device: Device| Shown {
        direction,
        id: device.id,
        name: device.name,
        default: device.is_default,
    };
    let found = tokio::task::spawn_blocking(|| {
        let inputs = System.devices(Direction::Input)?;
        Ok::<_, kith_core::client::sound::AudioError>((inputs, System.devices(Direction::Output)?))
    });
    let (inputs, outputs) = found.await.map_err(|_| Error::nonsense())?.map_err(failed)?;
    let inputs = inputs.into_iter().map(|device| shown("microphone", device));
    let all: Vec<Shown> = inputs.chain(outputs.into_iter().map(|device| shown("speaker", device))).collect();
    context.screen.show_all(&all, || text::sound_devices(&all))?;
    Ok(Success::Done)
}

/// A device as it is shown.
#[derive(Debug, Serialize)]
pub(crate) struct Shown {
    pub(crate) direction: &'static str,
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) default: bool,
}

/// What was recorded.
#[derive(Debug, Serialize)]
struct Recorded {
    file: PathBuf,
    duration_ms: u64,
    bytes: usize,
}

pub(crate) async fn record(context: &Context, arguments: Record) -> Result<Success, Error> {
    let clean = if arguments.raw { CleanUp::NONE } else { CleanUp::FULL };
    let stop = stop(arguments.seconds);
    let bar = std::io::stderr().is_terminal();
    if bar {
        let _ = writeln!(std::io::stderr(), "{}", text::RECORDING_ENDS);
    }
    let mut before = None;
    let take = record_file(Arc::new(System), arguments.device, clean, arguments.bitrate * 1_000, stop, |state| {
        tell(state, before.as_ref(), bar);
        before = Some(state.clone());
    });
    let take = take.await;
    if bar {
        clear();
    }
    let take = take?;
    let Some(to) = arguments.to else {
        // Required by the command line unless it goes to somebody.
        let file = arguments.file.unwrap_or_default();
        let bytes = take.save(&file)?;
        let duration_ms = u64::try_from(take.packets.duration().as_millis()).unwrap_or(u64::MAX);
        let recorded = Recorded { file, duration_ms, bytes };
        context.screen.show(&recorded, || text::recorded(&recorded.file, take.packets.duration()))?;
        return Ok(Success::Done);
    };
    // Whoever has the profile open reads it from there; nobody else may.
    let file = context.profile.join(format!("recorded-{}.ogg", std::process::id()));
    let mut backend = context.reach(Use::Once).await?;
    take.save(&file)?;
    let sent = backend.call(Request::SendVoice { to, file: file.clone() }).await;
    let removed = std::fs::remove_file(&file);
    let Reply::Message(message) = sent? else { return Err(Error::nonsense()) };
    removed.map_err(|error| Error::system(text::not_written(&file, &error)))?;
    context.screen.show(&message, || text::message(&message))?;
    backend.close().await;
    Ok(Success::Done)
}

pub(crate) async fn play(context: &Context, arguments: Play) -> Result<Success, Error> {
    let found =
        std::fs::metadata(&arguments.file).map_err(|error| Error::system(text::not_read(&arguments.file, &error)))?;
    if found.len() > MAX_NOTE {
        return Err(Error::new("sound", text::NOTE_TOO_LARGE));
    }
    let ogg = std::fs::read(&arguments.file).map_err(|error| Error::system(text::not_read(&arguments.file, &error)))?;
    let from = Duration::from_secs(arguments.from);
    let playback = play_file(Arc::new(System), arguments.device, &ogg, from, arguments.speed)?;
    let bar = std::io::stderr().is_terminal();
    let (mut states, mut stand_in) = (playback.state(), None);
    let outcome = loop {
        let state = states.borrow_and_update().clone();
        tell_stand_in(state.stand_in.as_deref(), stand_in.as_deref());
        stand_in.clone_from(&state.stand_in);
        if bar {
            show(&text::playing(state.position, playback.duration()));
        }
        match state {
            PlaybackState { phase: PlaybackPhase::Finished, damaged, .. } => break Ok(damaged),
            PlaybackState { phase: PlaybackPhase::Failed(error), .. } => break Err(failed(error)),
            _ => {}
        }
        tokio::select! {
            changed = states.changed() => if changed.is_err() { break Err(Error::nonsense()) },
            _ = tokio::signal::ctrl_c() => break Ok(false),
        }
    };
    if bar {
        clear();
    }
    if outcome? {
        let _ = writeln!(std::io::stderr(), "kith: {}", text::NOTE_DAMAGED);
    }
    if context.screen.is_json() {
        context.screen.done(String::new)?;
    }
    Ok(Success::Done)
}

/// When a recording ends: after so many seconds, by Enter, by Ctrl-C, or when standard input does.
async fn stop(seconds: Option<u64>) {
    let interrupted = tokio::signal::ctrl_c();
    if let Some(seconds) = seconds {
        tokio::select! {
            _ = interrupted => {}
            () = tokio::time::sleep(Duration::from_secs(seconds)) => {}
        }
        return;
    }
    let (entered, enter) = tokio::sync::oneshot::channel();
    // A thread of its own: reading from a terminal cannot be called off, and the program ends without it.
    std::thread::spawn(move || {
        let mut line = String::new();
        let _ = std::io::stdin().read_line(&mut line);
        let _ = entered.send(());
    });
    tokio::select! {
        _ = interrupted => {}
        _ = enter => {}
    }
}

fn tell(state: &RecordingState, before: Option<&RecordingState>, bar: bool) {
    tell_stand_in(state.stand_in.as_deref(), before.and_then(|before| before.stand_in.as_deref()));
    if before.is_none_or(|before| before.phase != state.phase)
        && let Some(problem) = &state.problem
        && state.phase == RecordingPhase::Searching
    {
        let _ = writeln!(std::io::stderr(), "kith: {}", text::microphone_lost(problem));
    }
    if bar && state.phase == RecordingPhase::Recording {
        show(&text::recording(state.duration, state.level));
    }
}

/// That another device stands in is said once.
fn tell_stand_in(now: Option<&Said>, before: Option<&Said>) {
    if let Some(said) = now.filter(|_| now != before) {
        let _ = writeln!(std::io::stderr(), "kith: {said}");
    }
}

fn show(line: &str) {
    let _ = write!(std::io::stderr(), "\r\u{1b}[K{line}");
}

fn clear() {
    let _ = write!(std::io::stderr(), "\r\u{1b}[K");
}

fn failed(error: kith_core::client::sound::AudioError) -> Error {
    kith_core::client::ClientError::from(error).into()
}
