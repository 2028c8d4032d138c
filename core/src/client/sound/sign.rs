//! Short sounds that a program makes of itself: a message came, a message went.
//!
//! Invariant: one at a time, and what would follow too soon is left out: a burst of messages is one sound, and none is heard late.

use std::sync::Arc;
use std::time::Duration;

use super::super::{Client, ClientError};
use super::play::{Playback, PlaybackPhase};
use crate::audio::Backend;
use crate::voice::{NoteError, OPUS_RATE, Packets, wav};

/// From one such sound to the next at least so long.
const APART: Duration = Duration::from_secs(1);

/// A device that has not played it so long after its end plays it no more.
const LATE: Duration = Duration::from_secs(2);

/// Enough for a bell, which is no voice.
const BITRATE_BPS: i32 = 64_000;

impl Client {
    /// Plays a short sound, a WAV file, at the speaker that was chosen. Done when it was heard; at once if another is heard now.
    ///
    /// # Errors
    /// A sentence that says why it cannot be played; a speaker that fails in the middle is none.
    pub async fn sign(&self, wav: &'static [u8]) -> Result<(), ClientError> {
        let Ok(_only) = self.inner.sign.try_lock() else { return Ok(()) };
        let (backend, speaker) = (Arc::clone(&self.inner.sound), self.sound_options().speaker);
        let started = tokio::task::spawn_blocking(move || start(backend, speaker, wav));
        let playback = started.await.map_err(|_| ClientError::Ending)??;
        let mut states = playback.state();
        let ended = states.wait_for(|state| matches!(state.phase, PlaybackPhase::Finished | PlaybackPhase::Failed(_)));
        // Whoever plays tells nothing more once it has ended.
        let _ = tokio::time::timeout(playback.duration() + LATE, ended).await;
        drop(playback);
        tokio::time::sleep(APART).await;
        Ok(())
    }
}

fn start(backend: Arc<dyn Backend>, speaker: Option<String>, wav: &[u8]) -> Result<Playback, ClientError> {
    let sound = wav::decode(wav).map_err(NoteError::from)?.at_rate(OPUS_RATE).map_err(NoteError::from)?;
    Playback::start(backend, speaker, Packets::of(&sound.samples, BITRATE_BPS)?, Duration::ZERO, 100)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audio::{AudioError, Buffers};
    use crate::client::sample::{Sample, make};
    use crate::client::{Options, Unlock};
    use crate::voice::Pcm;

    const BELL: &[u8] = include_bytes!("../../../../assets/sounds/message.wav");

    async fn open(devices: &Buffers) -> (tempfile::TempDir, Client) {
        let folder = tempfile::tempdir().unwrap();
        let unlock = || Unlock::Key([7; 32].into());
        make(folder.path(), unlock(), Sample { chats: 1, messages: 1 }).unwrap();
        let listen = vec!["/ip4/127.0.0.1/udp/0/quic-v1".into()];
        let sound = Arc::new(devices.clone());
        let options = Options { listen, mdns: false, sound, ..Options::default() };
        let client = Client::open(folder.path(), unlock(), options).await.unwrap();
        (folder, client)
    }

    #[tokio::test]
    async fn a_burst_is_one_sound_and_without_a_speaker_there_is_a_reason() {
        let devices = Buffers::new(Pcm { rate: OPUS_RATE, samples: Vec::new() }, 0);
        let (_folder, client) = open(&devices).await;
        let burst = (0..5).map(|_| client.sign(BELL));
        assert!(futures::future::join_all(burst).await.iter().all(Result::is_ok));
        let once = wav::decode(BELL).unwrap().samples.len();
        assert!(devices.played().len().abs_diff(once) < 2_000, "{} of {once}", devices.played().len());
        assert!(devices.played().iter().any(|sample| sample.abs() > 0.1), "it is heard");
        client.sign(BELL).await.unwrap();
        assert!(devices.played().len() > once * 3 / 2, "the next one is another");
        client
            .set_sound_options(crate::client::sound::SoundOptions {
                speaker: Some("another".into()),
                ..client.sound_options()
            })
            .unwrap();
        devices.break_with(Some(AudioError::NoSystem));
        let before = devices.played().len();
        client.sign(BELL).await.unwrap();
        assert_eq!(devices.played().len(), before);
        client.shutdown().await;
    }
}
