//! A recording that was made and not sent: finished by its person, or found after a crash.
//!
//! It lies in the profile as a sealed file, block by block as it was recorded:
//!
//! | first byte | rest of the block |
//! |---|---|
//! | 0 | what it is, once, first: JSON `{"format":1,"conversation":…,"pre_skip":…}` |
//! | 1 | packets: length (u16, big endian) ‖ Opus packet, many times |
//! | 2 | the end, once, last: JSON `{"total":…,"peaks":[…]}`; missing after a crash |
//!
//! Invariant: every packet of a block that was told as recorded is in the file; a crash loses less than [`super::record::SAVED_EVERY`].

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::super::{Client, ClientError};
use crate::store::{Store, StoreError};
use crate::types::ConversationId;
use crate::voice::stream::Shape;
use crate::voice::{Packets, recorder};
use crate::wire::control::{Message, Reply};

/// Directory of the recordings within a profile's.
const DIR: &str = "recordings";

/// The longest file that is read: an hour at the highest bit rate, sealed.
const MAX_FILE: u64 = 64 << 20;

const HEAD: u8 = 0;
const PACKETS: u8 = 1;
const END: u8 = 2;

#[derive(Debug, Serialize, Deserialize)]
struct Head {
    format: u8,
    conversation: String,
    pre_skip: u16,
}

#[derive(Debug, Serialize, Deserialize)]
struct End {
    total: u64,
    peaks: Vec<u8>,
}

/// A recording that waits to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draft {
    /// Names it.
    pub id: String,
    /// The conversation for which it was made.
    pub conversation: String,
    /// How long it is.
    pub duration: Duration,
    /// Its waveform: [`crate::voice::PEAK_COUNT`] peaks of 0 to 255.
    pub peaks: Vec<u8>,
    pub(super) packets: Packets,
}

/// The file of a recording, while it is written.
pub(super) struct Writing {
    file: crate::store::SealedFile,
    path: PathBuf,
}

impl Writing {
    pub(super) fn begin(
        client: &Client,
        id: &str,
        conversation: ConversationId,
        pre_skip: u16,
    ) -> Result<Self, StoreError> {
        let directory = directory(client.directory());
        crate::store::create_private_dir(&directory)?;
        let path = directory.join(format!("{id}.kith"));
        let mut file = client.store().create_sealed_file(&path)?;
        let head = Head { format: 1, conversation: conversation.to_string(), pre_skip };
        file.append(&tagged(HEAD, &serde_json::to_vec(&head).unwrap_or_default()))?;
        Ok(Self { file, path })
    }

    /// Keeps packets, each with its length before it.
    pub(super) fn packets(&mut self, lengths_and_packets: &[u8]) -> Result<(), StoreError> {
        self.file.append(&tagged(PACKETS, lengths_and_packets))
    }

    pub(super) fn end(&mut self, total: u64, peaks: &[u8]) -> Result<(), StoreError> {
        let end = End { total, peaks: peaks.to_vec() };
        self.file.append(&tagged(END, &serde_json::to_vec(&end).unwrap_or_default()))
    }

    pub(super) fn discard(self) {
        remove(&self.path);
    }
}

/// A packet as it lies in a block.
pub(super) fn put_packet(block: &mut Vec<u8>, packet: &[u8]) {
    block.extend(u16::try_from(packet.len()).unwrap_or(u16::MAX).to_be_bytes());
    block.extend(packet);
}

fn tagged(tag: u8, rest: &[u8]) -> Vec<u8> {
    let mut block = Vec::with_capacity(rest.len() + 1);
    block.push(tag);
    block.extend(rest);
    block
}

pub(super) fn directory(profile: &Path) -> PathBuf {
    profile.join(DIR)
}

fn remove(path: &Path) {
    if let Err(error) = std::fs::remove_file(path) {
        tracing::warn!(%error, "A recording could not be removed.");
    }
}

/// Reads what is left of a recording; nothing if that is no sound at all.
pub(super) fn read(store: &Store, path: &Path) -> Result<Option<Draft>, ClientError> {
    let id = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default().to_owned();
    Ok(assemble(id, &store.read_sealed_file(path, MAX_FILE)?))
}

fn assemble(id: String, blocks: &[Vec<u8>]) -> Option<Draft> {
    let mut head: Option<Head> = None;
    let mut end: Option<End> = None;
    let mut packets = Packets::new(0);
    for block in blocks {
        match (block.split_first()?, &head) {
            ((&HEAD, rest), None) => {
                let read: Head = serde_json::from_slice(rest).ok().filter(|head: &Head| head.format == 1)?;
                packets = Packets::new(read.pre_skip);
                head = Some(read);
            }
            ((&PACKETS, mut rest), Some(_)) => {
                while let Some((length, after)) = rest.split_first_chunk::<2>() {
                    let (packet, after) = after.split_at_checked(usize::from(u16::from_be_bytes(*length)))?;
                    packets.push(packet).ok()?;
                    rest = after;
                }
            }
            ((&END, rest), Some(_)) => end = serde_json::from_slice(rest).ok(),
            _ => return None,
        }
    }
    let peaks = match end {
        Some(end) => {
            packets.trim(end.total);
            end.peaks
        }
        None => recorder::peaks_of(&packets).ok()?,
    };
    let duration = packets.duration();
    (!duration.is_zero()).then(|| Draft {
        id,
        conversation: head.map(|head| head.conversation).unwrap_or_default(),
        duration,
        peaks,
        packets,
    })
}

impl Client {
    /// Recordings that were made and not sent, of all conversations: those that a crash left, too. What holds no sound is removed,
    /// what cannot be read is left out and stays.
    ///
    /// # Errors
    /// If the profile cannot be read.
    pub async fn recordings(&self) -> Result<Vec<Draft>, ClientError> {
        let client = self.clone();
        let found = tokio::task::spawn_blocking(move || client.read_recordings()).await;
        found.map_err(|_| ClientError::Ending)?
    }

    fn read_recordings(&self) -> Result<Vec<Draft>, ClientError> {
        let directory = directory(self.directory());
        let failed = |error: std::io::Error| ClientError::File {
            path: directory.display().to_string(),
            reason: error.to_string(),
        };
        let entries = match std::fs::read_dir(&directory) {
            Ok(entries) => entries,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(failed(error)),
        };
        let mut paths = entries.map(|entry| Ok(entry?.path())).collect::<std::io::Result<Vec<_>>>().map_err(failed)?;
        paths.retain(|path| path.extension().is_some_and(|extension| extension == "kith"));
        paths.sort();
        let active = self.inner.recording.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clone();
        let mut found = Vec::new();
        for path in paths {
            if path.file_stem().is_some_and(|stem| active.contains(stem.to_string_lossy().as_ref())) {
                continue;
            }
            match read(self.store(), &path) {
                Ok(Some(draft)) => found.push(draft),
                Ok(None) => remove(&path),
                // The others are there all the same, and it may be readable to a newer Kith.
                Err(error) => tracing::warn!(%error, "A recording cannot be read; it stays where it is."),
            }
        }
        Ok(found)
    }

    /// Sends a recording to the conversation for which it was made; its file goes when the message is durable.
    ///
    /// # Errors
    /// A sentence that says why not; then the recording stays.
    pub async fn send_recording(&self, draft: &Draft) -> Result<Message, ClientError> {
        let conversation = draft.conversation.parse().map_err(|_| ClientError::Nobody(draft.conversation.clone()))?;
        let ogg = draft.packets.to_ogg()?;
        let shape = Shape { duration: draft.duration, peaks: draft.peaks.clone() };
        let Reply::Message(sent) = self.send_ogg(conversation, ogg, shape).await? else {
            return Err(ClientError::Nonsense);
        };
        self.discard_recording(draft);
        Ok(sent)
    }

    /// Removes a recording for good.
    pub fn discard_recording(&self, draft: &Draft) {
        remove(&directory(self.directory()).join(format!("{}.kith", draft.id)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::voice::Recorder;

    fn blocks(frames: usize) -> Vec<Vec<u8>> {
        let mut recorder = Recorder::new(24_000).unwrap();
        let head = Head { format: 1, conversation: "c".into(), pre_skip: recorder.pre_skip() };
        let mut blocks = vec![tagged(HEAD, &serde_json::to_vec(&head).unwrap())];
        for _ in 0..frames {
            let mut block = Vec::new();
            recorder.push(&[0.3; 960], |packet| put_packet(&mut block, &packet)).unwrap();
            blocks.push(tagged(PACKETS, &block));
        }
        let ending = recorder.finish().unwrap();
        let mut block = Vec::new();
        ending.packets.iter().for_each(|packet| put_packet(&mut block, packet));
        blocks.push(tagged(PACKETS, &block));
        let end = End { total: ending.total, peaks: ending.peaks };
        blocks.push(tagged(END, &serde_json::to_vec(&end).unwrap()));
        blocks
    }

    #[test]
    fn a_recording_that_was_cut_off_keeps_every_block() {
        let blocks = blocks(50);
        let whole = assemble("a".into(), &blocks).unwrap();
        assert_eq!((whole.duration, whole.peaks.len()), (Duration::from_secs(1), 64));
        let cut = assemble("a".into(), &blocks[..26]).unwrap();
        assert_eq!(cut.duration, Duration::from_secs_f64((25.0 * 960.0 - 312.0) / 48_000.0));
        assert_eq!(cut.peaks.len(), 64);
        assert_eq!(assemble("a".into(), &blocks[..1]), None);
        assert_eq!(assemble("a".into(), &[]), None);
    }

    #[test]
    fn blocks_that_make_no_sense_are_no_recording() {
        let good = blocks(3);
        assert_eq!(assemble("a".into(), &[good[1].clone()]), None);
        assert_eq!(assemble("a".into(), &[good[0].clone(), good[0].clone()]), None);
        assert_eq!(assemble("a".into(), &[good[0].clone(), vec![]]), None);
        assert_eq!(assemble("a".into(), &[good[0].clone(), vec![PACKETS, 0, 9, 1]]), None);
        assert_eq!(assemble("a".into(), &[good[0].clone(), vec![9]]), None);
    }
}
