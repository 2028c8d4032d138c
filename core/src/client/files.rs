//! Files: sent, fetched, and written to where a person wants them.

use std::fs::File;
use std::io::{ErrorKind, Read as _, Write as _};
use std::path::{Path, PathBuf};

use super::view::parse_id;
use super::{Client, ClientError, file_name};
use crate::blob::{Reader, ShelfError};
use crate::chat::attachment::attachment;
use crate::chat::fold::file;
use crate::chat::{Command, CommandError, ItemBody};
use crate::session::{Attachments, Standing, TransferState};
use crate::types::{ContentId, ConversationId};
use crate::wire::blob::{Attachment, MAX_FILE};
use crate::wire::control::{self, Reply};
use crate::wire::message::{self, MAX_FILE_NAME, MAX_PREVIEW, MAX_TEXT};

/// Names that are tried beside one that is taken.
const MAX_NUMBER: u32 = 1000;

/// Bytes that are read at once.
const STEP: usize = 64 * 1024;

/// What is sent.
pub(super) struct Sending {
    pub(super) path: PathBuf,
    pub(super) name: Option<String>,
    pub(super) media_type: Option<String>,
    pub(super) caption: Option<String>,
    pub(super) dimensions: Option<(u32, u32)>,
    pub(super) preview: Option<Vec<u8>>,
    pub(super) reply_to: Option<String>,
}

impl Client {
    pub(super) async fn send_file(&self, to: &str, sending: Sending) -> Result<Reply, ClientError> {
        let conversation = self.conversation_named(to)?.id;
        let reply_to = sending.reply_to.as_deref().map(parse_id).transpose()?;
        let Sending { path, name, media_type, caption, dimensions, preview, .. } = sending;
        let caption = caption.unwrap_or_default();
        for (length, limit) in [(caption.len(), MAX_TEXT), (preview.as_ref().map_or(0, Vec::len), MAX_PREVIEW)] {
            if length > limit {
                return Err(CommandError::TooLong { limit }.into());
            }
        }
        let own = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let name = file_name::clean(&name.unwrap_or(own));
        debug_assert!(name.len() <= MAX_FILE_NAME, "a cleaned name is short");
        let said = media_type.as_deref().map(file_name::media_type).filter(|said| !said.is_empty());
        let media_type = said.unwrap_or_else(|| file_name::media_type_of(&name).to_owned());
        let attachments = self.attachments().clone();
        let taken = tokio::task::spawn_blocking(move || take_in(&attachments, &path));
        let attachment = taken.await.map_err(|_| ClientError::Ending)??;
        let preview = preview.map(Into::into);
        let file = message::File { name, media_type, attachment, dimensions, preview, caption, reply_to };
        let taken = file.attachment.clone();
        self.written_with(&taken, Command::SendFile { conversation, file: Box::new(file) }).await
    }

    /// Carries out a command that writes a message with an attachment; if it is not carried out, the attachment goes.
    pub(super) async fn written_with(&self, attachment: &Attachment, command: Command) -> Result<Reply, ClientError> {
        let written = self.written(command).await;
        // What may have been stored all the same keeps its file: the next start looks whether it was.
        if let Err(ClientError::Command(_) | ClientError::NotStored(_)) = &written {
            self.attachments().discard(attachment);
        }
        written
    }

    pub(super) async fn fetch(&self, with: &str, message: &str) -> Result<Reply, ClientError> {
        let (conversation, id) = self.place(with, message)?;
        let standing = self.attachments().fetch(conversation, id).await?;
        standing.map(|standing| Reply::Transfer(transfer(standing))).ok_or(ClientError::NoAttachment)
    }

    pub(super) async fn cancel_transfer(&self, with: &str, message: &str) -> Result<Reply, ClientError> {
        let (conversation, id) = self.place(with, message)?;
        let standing = self.attachments().cancel(conversation, id).await?;
        standing.map(|standing| Reply::Transfer(transfer(standing))).ok_or(ClientError::NoAttachment)
    }

    pub(super) async fn save_file(&self, with: &str, message: &str, path: PathBuf) -> Result<Reply, ClientError> {
        let (conversation, id) = self.place(with, message)?;
        let client = self.clone();
        let saving = tokio::task::spawn_blocking(move || client.save(conversation, id, &path));
        let (path, bytes) = saving.await.map_err(|_| ClientError::Ending)??;
        Ok(Reply::Saved { path, bytes })
    }

    fn save(&self, conversation: ConversationId, id: ContentId, to: &Path) -> Result<(PathBuf, u64), ClientError> {
        let mut reader = self.open_sealed(conversation, id)?;
        let named = file(self.store(), &conversation, &id)?.map(|file| file.name);
        let name = named.map_or_else(|| "voice.ogg".to_owned(), |name| file_name::clean(&name));
        let (file, path) = new_file(to, &name)?;
        let written = write_out(&mut reader, &file);
        if written.is_err() {
            // A file that looks whole and is not would be taken for it.
            let _ = std::fs::remove_file(&path);
        }
        let bytes = written.map_err(|error| not_written(&path, &error))?;
        Ok((path, bytes))
    }

    /// Reads a message's attachment, which is on this device, whole: from any place, a chunk at a time. It reads the disk when it is read:
    /// that is not for a runtime's threads.
    ///
    /// # Errors
    /// If the message has none, or it is not here yet.
    pub fn open_attachment(&self, with: &str, message: &str) -> Result<Reader<File>, ClientError> {
        let (conversation, id) = self.place(with, message)?;
        self.open_sealed(conversation, id)
    }

    pub(super) fn open_sealed(&self, conversation: ConversationId, id: ContentId) -> Result<Reader<File>, ClientError> {
        let found = attachment(self.store(), &conversation, &id)?.ok_or(ClientError::NoAttachment)?;
        if !self.attachments().shelf().has(&found.id) {
            return Err(ClientError::NotHere);
        }
        Ok(self.attachments().shelf().reader(&found)?)
    }

    pub(super) fn attachments(&self) -> &Attachments {
        self.inner.session.attachments()
    }

    /// How it stands with a message's attachment, as it is told.
    pub(super) fn transfer_of(&self, conversation: ConversationId, id: ContentId) -> Option<control::Transfer> {
        self.attachments().standing(conversation, id).map(transfer)
    }

    /// The attachment of a message, as it is shown.
    pub(super) fn file_view(
        &self,
        conversation: ConversationId,
        id: ContentId,
        body: &ItemBody,
    ) -> Option<control::File> {
        let (name, media_type, attachment, dimensions, preview) = match body {
            ItemBody::File(file) => {
                let preview = file.preview.as_ref().map(|preview| preview.to_vec());
                let media_type = file_name::media_type(&file.media_type);
                (file_name::clean(&file.name), media_type, &file.attachment, file.dimensions, preview)
            }
            ItemBody::VoiceNote { attachment: Some(attachment), .. } => {
                ("voice.ogg".to_owned(), "audio/ogg".to_owned(), attachment, None, None)
            }
            _ => return None,
        };
        // The plan hears of a message a moment after it is there.
        let unplanned = || Standing {
            state: TransferState::None,
            here: self.attachments().shelf().has(&attachment.id),
            done: 0,
            total: attachment.layout().sealed_bytes(),
            problem: None,
        };
        let standing = self.attachments().standing(conversation, id).unwrap_or_else(unplanned);
        Some(control::File {
            name,
            media_type,
            size: attachment.size,
            dimensions,
            preview,
            transfer: transfer(standing),
        })
    }
}

fn transfer(standing: Standing) -> control::Transfer {
    let state = match standing.state {
        TransferState::None => "none",
        TransferState::Waiting => "waiting",
        TransferState::Active => "active",
        TransferState::Uploaded => "uploaded",
        TransferState::Done => "done",
        TransferState::Failed => "failed",
        TransferState::Cancelled => "cancelled",
    };
    let Standing { here, done, total, problem, .. } = standing;
    control::Transfer { state: state.to_owned(), here, done, total, problem }
}

/// Copies and seals a file.
fn take_in(attachments: &Attachments, path: &Path) -> Result<Attachment, ClientError> {
    let failed = |reason: String| ClientError::File { path: path.display().to_string(), reason };
    let facts = std::fs::metadata(path).map_err(|error| failed(error.to_string()))?;
    if !facts.is_file() {
        return Err(failed("it is not a file".to_owned()));
    }
    if facts.len() > MAX_FILE {
        return Err(ShelfError::from(crate::blob::SealError::TooLarge).into());
    }
    let mut source = File::open(path).map_err(|error| failed(error.to_string()))?;
    let taken = attachments.take_in(|out| {
        let mut step = vec![0; STEP];
        loop {
            let read = match source.read(&mut step) {
                Ok(0) => return Ok(()),
                Ok(read) => read,
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) => return Err(ShelfError::Source(error.to_string())),
            };
            out.write_all(step.get(..read).unwrap_or_default())?;
        }
    });
    taken.map_err(|error| match error {
        ShelfError::Source(reason) => failed(reason),
        error => error.into(),
    })
}

/// A new file at a path, or in a folder under this name or the next that is free.
fn new_file(to: &Path, name: &str) -> Result<(File, PathBuf), ClientError> {
    let create = |path: &Path| File::options().write(true).create_new(true).open(path);
    if !to.is_dir() {
        let file = create(to).map_err(|error| not_written(to, &error))?;
        return Ok((file, to.to_owned()));
    }
    for number in 1..=MAX_NUMBER {
        let path = to.join(if number == 1 { name.to_owned() } else { file_name::numbered(name, number) });
        match create(&path) {
            Ok(file) => return Ok((file, path)),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            Err(error) => return Err(not_written(&path, &error)),
        }
    }
    Err(not_written(&to.join(name), &std::io::Error::from(ErrorKind::AlreadyExists)))
}

fn write_out(reader: &mut Reader<File>, mut file: &File) -> std::io::Result<u64> {
    let mut step = vec![0; STEP];
    let mut bytes = 0_u64;
    loop {
        let read = reader.read(&mut step)?;
        if read == 0 {
            break;
        }
        file.write_all(step.get(..read).unwrap_or_default())?;
        bytes = bytes.saturating_add(read as u64);
    }
    file.sync_all()?;
    Ok(bytes)
}

fn not_written(path: &Path, error: &std::io::Error) -> ClientError {
    let reason = match error.kind() {
        ErrorKind::AlreadyExists => "there is a file of that name already".to_owned(),
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => "the disk is full".to_owned(),
        ErrorKind::InvalidData => "what is here of it is damaged: fetch it again".to_owned(),
        _ => error.to_string(),
    };
    ClientError::NotSaved { path: path.display().to_string(), reason }
}
