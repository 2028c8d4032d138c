//! The attachments of events: which there are, so that what is kept of them can be found, and goes when no event names it any more.
//!
//! It knows nothing of files and transfers. Invariant: a row of [`Table::Attachment`] is there exactly as long as the content of an
//! event that counts and names an attachment.

use serde::{Deserialize, Serialize};

use super::feed::key;
use super::feed::row;
use crate::store::{Range, Read, ReadError, Table};
use crate::types::{ContentId, ConversationId, Hash};
use crate::wire::blob::Attachment;
use crate::wire::codec::Body;
use crate::wire::event::Content;
use crate::wire::message::{File, Kind, LongVoiceNote};

/// What is known of an attachment without reading the event that names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Known {
    /// [`Attachment::id`].
    #[serde(rename = "i")]
    pub id: Hash,
    /// [`Attachment::name`].
    #[serde(rename = "n")]
    pub name: Hash,
    /// [`crate::wire::blob::capability_hash`] of its capability.
    #[serde(rename = "c")]
    pub capability: Hash,
    /// Bytes of the file.
    #[serde(rename = "s")]
    pub size: u64,
    /// It is the sound of a voice note.
    #[serde(rename = "v")]
    pub voice: bool,
}

impl Body for Known {
    const MAX_BYTES: usize = 256;
}

impl Known {
    fn of(attachment: &Attachment, voice: bool) -> Self {
        Self {
            id: attachment.id,
            name: attachment.name(),
            capability: crate::wire::blob::capability_hash(&attachment.capability()),
            size: attachment.size,
            voice,
        }
    }
}

/// Whether events of this kind name an attachment.
pub(super) fn may_have(kind: u16) -> bool {
    kind == Kind::File as u16 || kind == Kind::LongVoiceNote as u16
}

/// The attachment that a content names, if it is of a kind that does.
pub(super) fn named(kind: u16, content: &Content) -> Option<Attachment> {
    match Kind::from_number(kind)? {
        Kind::File => File::decode(&content.body).ok().map(|file| file.attachment),
        Kind::LongVoiceNote => LongVoiceNote::decode(&content.body).ok().map(|note| note.attachment),
        _ => None,
    }
}

/// The row of the attachment that a content names.
pub(super) fn known(kind: u16, content: &Content) -> Option<Known> {
    named(kind, content).map(|attachment| Known::of(&attachment, kind == Kind::LongVoiceNote as u16))
}

/// What an event's attachment is fetched and read by; none if it has none, or its content is absent.
///
/// # Errors
/// When the store cannot be read.
pub fn attachment(
    read: &(impl Read + ?Sized),
    conversation: &ConversationId,
    id: &ContentId,
) -> Result<Option<Attachment>, ReadError> {
    let Some(event) = row::load_event(read, conversation, id)? else { return Ok(None) };
    Ok(event.content().and_then(|content| named(event.header().kind, content)))
}

/// What is known of an event's attachment.
///
/// # Errors
/// When the store cannot be read.
pub fn attachment_row(
    read: &(impl Read + ?Sized),
    conversation: &ConversationId,
    id: &ContentId,
) -> Result<Option<Known>, ReadError> {
    row::load(read, Table::Attachment, &key::event(conversation, id))
}

/// Every attachment that an event names.
///
/// # Errors
/// When the store cannot be read.
pub fn attachments(read: &(impl Read + ?Sized)) -> Result<Vec<(ConversationId, ContentId, Known)>, ReadError> {
    let mut found = Vec::new();
    for kept in read.scan(Table::Attachment, &[], Range::all())? {
        let conversation = kept.key.get(..ConversationId::LEN).and_then(|id| ConversationId::try_from(id).ok());
        let Some((conversation, id)) = conversation.zip(key::read_place(&kept.key)) else { continue };
        let known = Known::decode(&kept.value).map_err(|error| row::damaged(Table::Attachment, &error))?;
        found.push((conversation, id, known));
    }
    Ok(found)
}
