//! A note that plays.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use super::super::view::parse_id;
use super::super::{Client, ClientError};
use super::draft::Draft;
use super::stand_in;
use crate::audio::{AudioError, Backend, Direction, Progress, Speaker};
use crate::chat::view::ConversationView;
use crate::chat::{Command, Heard, timeline};
use crate::store::{Read as _, Table};
use crate::types::{ContentId, ConversationId};
use crate::voice::{Packets, Player};
use crate::wire::control::Said;

/// How it goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PlaybackPhase {
    /// The speaker is being opened.
    Opening,
    /// It is heard.
    Playing,
    /// It stands still.
    Paused,
    /// The speaker is gone; it or another is looked for.
    Searching(AudioError),
    /// All of it was heard.
    Finished,
    /// It cannot go on.
    Failed(AudioError),
}

/// Where a note stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlaybackState {
    /// How it goes.
    pub phase: PlaybackPhase,
    /// What is heard now is this far into the note.
    pub position: Duration,
    /// A part of it is damaged and was left out.
    pub damaged: bool,
    /// The speaker stands in for the one that was chosen, which is not there.
    pub stand_in: Option<Box<Said>>,
}

/// A note that is played. Dropping it stops it.
#[derive(Debug)]
pub struct Playback {
    speaker: Speaker,
    duration: Duration,
    state: watch::Receiver<PlaybackState>,
}

impl Playback {
    pub(super) fn start(
        backend: Arc<dyn Backend>,
        device: Option<String>,
        packets: Packets,
        from: Duration,
        speed_percent: u16,
    ) -> Result<Self, ClientError> {
        let mut player = Player::new(packets)?;
        player.set_speed(speed_percent)?;
        // What was heard to its end begins anew.
        let from = if from >= player.duration() { Duration::ZERO } else { from };
        player.seek(from)?;
        let duration = player.duration();
        let opening = PlaybackState { phase: PlaybackPhase::Opening, position: from, damaged: false, stand_in: None };
        let (state, states) = watch::channel(opening);
        let listener = move |progress| {
            state.send_modify(|state| match progress {
                Progress::Opened { name, stands_in } => {
                    state.stand_in = stands_in.then(|| stand_in(Direction::Output, &name));
                }
                Progress::Playing(position) => (state.phase, state.position) = (PlaybackPhase::Playing, position),
                Progress::Paused(position) => (state.phase, state.position) = (PlaybackPhase::Paused, position),
                Progress::Lost(error) => state.phase = PlaybackPhase::Searching(error),
                Progress::Finished => (state.phase, state.position) = (PlaybackPhase::Finished, duration),
                Progress::Failed(error) => state.phase = PlaybackPhase::Failed(error),
                Progress::Damaged(_) => state.damaged = true,
            });
        };
        Ok(Self { speaker: Speaker::start(backend, device, player, listener)?, duration, state: states })
    }

    /// Where it stands, and each change. The channel closes when nothing plays any more.
    #[must_use]
    pub fn state(&self) -> watch::Receiver<PlaybackState> {
        self.state.clone()
    }

    /// How long the note is at normal speed.
    #[must_use]
    pub fn duration(&self) -> Duration {
        self.duration
    }

    /// Stands still, or goes on.
    pub fn pause(&self, paused: bool) {
        self.speaker.pause(paused);
    }

    /// Goes on at another moment.
    pub fn seek(&self, to: Duration) {
        self.speaker.seek(to);
    }

    /// Goes on at another speed, in per cent.
    pub fn set_speed(&self, percent: u16) {
        self.speaker.set_speed(percent);
    }

    /// Goes on at another device; none for the default one.
    pub fn set_device(&self, device: Option<String>) {
        self.speaker.set_device(device);
    }
}

/// Plays an Ogg Opus file without a profile.
///
/// # Errors
/// A sentence that says why it cannot be played.
pub fn play_file(
    backend: Arc<dyn Backend>,
    device: Option<String>,
    ogg: &[u8],
    from: Duration,
    speed_percent: u16,
) -> Result<Playback, ClientError> {
    Playback::start(backend, device, Packets::from_ogg(ogg)?, from, speed_percent)
}

impl Client {
    /// Plays a voice note from a moment, at the speed that was chosen.
    ///
    /// # Errors
    /// A sentence that says why it cannot be played.
    pub async fn play(&self, with: &str, message: &str, from: Duration) -> Result<Playback, ClientError> {
        let (conversation, id) = (self.conversation_named(with)?.id, parse_id(message)?);
        let options = self.sound_options();
        let client = self.clone();
        let started = tokio::task::spawn_blocking(move || {
            let packets = Packets::from_ogg(&client.sound_of(&conversation, &id)?)?;
            Playback::start(Arc::clone(&client.inner.sound), options.speaker, packets, from, options.speed_percent)
        });
        started.await.map_err(|_| ClientError::Ending)?
    }

    /// Plays a recording before it is sent.
    ///
    /// # Errors
    /// A sentence that says why it cannot be played.
    pub fn play_recording(&self, draft: &Draft, from: Duration) -> Result<Playback, ClientError> {
        let options = self.sound_options();
        Playback::start(
            Arc::clone(&self.inner.sound),
            options.speaker,
            draft.packets.clone(),
            from,
            options.speed_percent,
        )
    }

    /// Keeps how far a voice note was heard. `whole` stays once it was so.
    ///
    /// # Errors
    /// If it cannot be kept.
    pub async fn keep_heard(
        &self,
        with: &str,
        message: &str,
        position: Duration,
        whole: bool,
    ) -> Result<(), ClientError> {
        let (view, of) = (self.conversation_named(with)?, parse_id(message)?);
        let conversation = view.id;
        let before = self.heard(&conversation, &of)?;
        let position_ms = u32::try_from(position.as_millis()).unwrap_or(u32::MAX);
        let heard = Heard { position_ms, whole: whole || before.is_some_and(|before| before.whole) };
        if before != Some(heard) {
            self.inner.session.command(Command::KeepHeard { conversation, of, heard }).await?;
        }
        if heard.whole && !before.is_some_and(|before| before.whole) && self.tells_played(&view, &of)? {
            self.inner.session.command(Command::SayPlayed { conversation, of }).await?;
        }
        Ok(())
    }

    /// Whether its author is to know that this note was heard: if that is told at all, and was not yet, by any device.
    fn tells_played(&self, view: &ConversationView, of: &ContentId) -> Result<bool, ClientError> {
        if !self.inner.choices.now().played_receipts {
            return Ok(false);
        }
        let me = self.me();
        let item = timeline::item_at(self.store(), &view.id, &view.roster, &me, of)?;
        Ok(view.present && item.is_some_and(|item| item.author != me.account && !item.played.contains(&me.account)))
    }

    pub(in crate::client) fn heard(
        &self,
        conversation: &ConversationId,
        id: &ContentId,
    ) -> Result<Option<Heard>, ClientError> {
        let key = crate::chat::feed::event_key(conversation, id);
        Ok(self.store().get(Table::Heard, &key)?.and_then(|bytes| Heard::from_bytes(&bytes)))
    }
}
