//! Voice notes made of sound files: inside their message while they fit, else as an attachment.

use std::fs::File;
use std::io::{self, BufReader, Read as _, Seek as _, Write};
use std::path::{Path, PathBuf};

use super::{Client, ClientError};
use crate::blob::ShelfError;
use crate::chat::{Command, fold};
use crate::session::Attachments;
use crate::types::{ContentId, ConversationId};
use crate::voice::MAX_NOTE_BYTES;
use crate::voice::note::NoteError;
use crate::voice::stream::{LONG_BITRATE_BPS, Shape, encode_wav, look_through};
use crate::wire::blob::Attachment;
use crate::wire::control::Reply;
use crate::wire::message::LongVoiceNote;

/// Bit rates at which a sound is tried to fit in a message, best first, in bit/s: below 16 kbit/s voices grow dull.
const BITRATES_BPS: [i32; 3] = [LONG_BITRATE_BPS, 20_000, 16_000];

/// The most bytes of a sound that are read into memory: an hour at the highest rate that is offered for speech.
const MAX_SOUND: u64 = 64 << 20;

/// A note, ready to be sent.
enum Made {
    Short(Vec<u8>, Shape),
    Long(Attachment, Shape),
}

impl Client {
    /// Sends a sound file: WAV, which is encoded as it is read, or Opus in Ogg, which is looked through and sent as it is.
    pub(super) async fn send_voice(&self, to: &str, file: &Path) -> Result<Reply, ClientError> {
        let conversation = self.conversation_named(to)?.id;
        let (path, attachments) = (file.to_owned(), self.attachments().clone());
        let made = tokio::task::spawn_blocking(move || make(&path, &attachments));
        match made.await.map_err(|_| ClientError::Ending)?? {
            Made::Short(ogg, shape) => self.send_ogg(conversation, ogg, shape).await,
            Made::Long(attachment, shape) => self.send_long(conversation, attachment, shape).await,
        }
    }

    /// Sends a voice note that is an Ogg Opus file already.
    pub(super) async fn send_ogg(
        &self,
        conversation: ConversationId,
        ogg: Vec<u8>,
        shape: Shape,
    ) -> Result<Reply, ClientError> {
        if ogg.len() <= MAX_NOTE_BYTES {
            let duration_ms = milliseconds(shape.duration);
            return self.written(Command::SendVoiceNote { conversation, ogg, duration_ms, peaks: shape.peaks }).await;
        }
        let attachments = self.attachments().clone();
        let taken = tokio::task::spawn_blocking(move || attachments.take_in(|out| Ok(out.write_all(&ogg)?)));
        let attachment = taken.await.map_err(|_| ClientError::Ending)??;
        self.send_long(conversation, attachment, shape).await
    }

    /// The sound of a voice note, as it was sent. It reads the disk.
    pub(super) fn sound_of(&self, conversation: &ConversationId, id: &ContentId) -> Result<Vec<u8>, ClientError> {
        if let Some(note) = fold::voice_note(self.store(), conversation, id)? {
            return Ok(note.ogg);
        }
        let mut sealed = self.open_sealed(*conversation, *id).map_err(|error| match error {
            ClientError::NoAttachment => ClientError::NoVoiceNote,
            error => error,
        })?;
        let mut ogg = Vec::new();
        (&mut sealed).take(MAX_SOUND).read_to_end(&mut ogg).map_err(ShelfError::from)?;
        Ok(ogg)
    }

    async fn send_long(
        &self,
        conversation: ConversationId,
        attachment: Attachment,
        shape: Shape,
    ) -> Result<Reply, ClientError> {
        let duration_ms = milliseconds(shape.duration);
        let note = LongVoiceNote { attachment: attachment.clone(), duration_ms, peaks: shape.peaks };
        self.written_with(&attachment, Command::SendLongVoiceNote { conversation, note: Box::new(note) }).await
    }
}

fn milliseconds(time: std::time::Duration) -> u32 {
    u32::try_from(time.as_millis()).unwrap_or(u32::MAX)
}

fn make(path: &PathBuf, attachments: &Attachments) -> Result<Made, ClientError> {
    let failed = |error: io::Error| ClientError::File { path: path.display().to_string(), reason: error.to_string() };
    let mut file = File::open(path).map_err(failed)?;
    if !file.metadata().map_err(failed)?.is_file() {
        return Err(failed(io::Error::other("it is not a file")));
    }
    let mut magic = Vec::new();
    (&mut file).take(4).read_to_end(&mut magic).map_err(failed)?;
    file.rewind().map_err(failed)?;
    if magic == b"OggS" { of_ogg(file, attachments) } else { of_wav(&mut file, attachments, failed) }
}

fn of_ogg(mut file: File, attachments: &Attachments) -> Result<Made, ClientError> {
    let shape = look_through(BufReader::new(&mut file))?;
    file.rewind().map_err(ShelfError::from)?;
    let mut whole = Vec::new();
    (&mut file).take(MAX_NOTE_BYTES as u64 + 1).read_to_end(&mut whole).map_err(ShelfError::from)?;
    if whole.len() <= MAX_NOTE_BYTES {
        return Ok(Made::Short(whole, shape));
    }
    let attachment = attachments.take_in(|out| {
        out.write_all(&whole)?;
        io::copy(&mut file, out).map(drop).map_err(|error| ShelfError::Source(error.to_string()))
    })?;
    Ok(Made::Long(attachment, shape))
}

fn of_wav(
    file: &mut File,
    attachments: &Attachments,
    failed: impl Fn(io::Error) -> ClientError,
) -> Result<Made, ClientError> {
    for bitrate_bps in BITRATES_BPS {
        match encode_wav(BufReader::new(&mut *file), Small(Vec::new()), bitrate_bps) {
            Ok((Small(ogg), shape)) => return Ok(Made::Short(ogg, shape)),
            // Writing to memory fails only when it does not fit.
            Err(NoteError::Ogg(crate::voice::ogg::OggError::Write { .. })) => {}
            Err(error) => return Err(error.into()),
        }
        file.rewind().map_err(&failed)?;
    }
    let mut made: Option<Result<Shape, NoteError>> = None;
    let taken = attachments.take_in(|out| {
        let mut disk = Kept { out, error: None };
        let encoded = encode_wav(BufReader::new(file), &mut disk, LONG_BITRATE_BPS).map(|(_, shape)| shape);
        if let Some(error) = disk.error {
            return Err(error.into());
        }
        let failure = encoded.as_ref().err().map(ToString::to_string);
        made = Some(encoded);
        failure.map_or(Ok(()), |failure| Err(ShelfError::Source(failure)))
    });
    match (made, taken) {
        (Some(Err(error)), _) => Err(error.into()),
        (_, Err(error)) => Err(error.into()),
        (Some(Ok(shape)), Ok(attachment)) => Ok(Made::Long(attachment, shape)),
        (None, Ok(_)) => Err(NoteError::Empty.into()),
    }
}

/// Memory that takes as much as a message does.
struct Small(Vec<u8>);

impl Write for Small {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.0.len().saturating_add(bytes.len()) > MAX_NOTE_BYTES {
            return Err(io::Error::from(io::ErrorKind::StorageFull));
        }
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Keeps why what is written to fails: an encoder only says that it does.
struct Kept<'a> {
    out: &'a mut dyn Write,
    error: Option<io::Error>,
}

impl Write for Kept<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.out.write(bytes).map_err(|error| {
            let said = io::Error::from(error.kind());
            self.error.get_or_insert(error);
            said
        })
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}
