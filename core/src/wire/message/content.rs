//! The contents of events: what stands behind a header's kind.

use serde::{Deserialize, Serialize};

use super::{
    MAX_ABOUT, MAX_FILE_NAME, MAX_MEDIA_TYPE, MAX_PEAKS, MAX_PICTURE, MAX_PREVIEW, MAX_PROFILE_NAME, MAX_TEXT, Mark,
};
use crate::identity::MAX_PREKEYS;
use crate::types::{AccountId, Clock, ContentId, ConversationId, Hash, Token};
use crate::wire::blob::Attachment;
use crate::wire::codec::{Body, DecodeError, at_most};
use crate::wire::event::MAX_CONTENT;

/// What kind of content an event has: the number in its header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u16)]
pub enum Kind {
    /// [`Text`].
    Text = 1,
    /// [`Edit`].
    Edit = 2,
    /// [`Delete`].
    Delete = 3,
    /// [`Reaction`].
    Reaction = 4,
    /// [`VoiceNote`].
    VoiceNote = 5,
    /// [`File`].
    File = 6,
    /// [`LongVoiceNote`].
    LongVoiceNote = 7,
    /// [`Grant`].
    Grant = 16,
    /// [`Leave`].
    Leave = 17,
    /// [`Profile`].
    Profile = 18,
    /// [`Transcript`].
    Transcript = 19,
    /// [`Played`].
    Played = 20,
    /// [`ContactChange`], in the conversation with oneself.
    Contact = 32,
    /// [`ReadUpTo`], in the conversation with oneself.
    Read = 33,
    /// [`Setting`], in the conversation with oneself.
    Setting = 34,
    /// [`Draft`], in the conversation with oneself.
    Draft = 35,
    /// [`Prekeys`], in the conversation with oneself.
    Prekeys = 36,
}

impl Kind {
    /// The kind of this number, if this Kith knows it.
    pub fn from_number(number: u16) -> Option<Self> {
        const ALL: [Kind; 17] = [
            Kind::Text,
            Kind::Edit,
            Kind::Delete,
            Kind::Reaction,
            Kind::VoiceNote,
            Kind::File,
            Kind::LongVoiceNote,
            Kind::Grant,
            Kind::Leave,
            Kind::Profile,
            Kind::Transcript,
            Kind::Played,
            Kind::Contact,
            Kind::Read,
            Kind::Setting,
            Kind::Draft,
            Kind::Prekeys,
        ];
        ALL.into_iter().find(|kind| *kind as u16 == number)
    }

    /// Whether a kind of this number, known or not, is between devices and never shown.
    pub const fn is_silent(number: u16) -> bool {
        matches!(number, 16 | 18..=63)
    }
}

/// A text, perhaps in answer to something.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Text {
    /// What it says.
    #[serde(rename = "t")]
    pub text: String,
    /// What it answers.
    #[serde(rename = "r")]
    pub reply_to: Option<ContentId>,
}

/// Replaces the text of one's own earlier message.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Edit {
    /// Which message.
    #[serde(rename = "o")]
    pub of: ContentId,
    /// The new text.
    #[serde(rename = "t")]
    pub text: String,
}

/// Erases one's own earlier message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delete {
    /// Which message.
    #[serde(rename = "o")]
    pub of: ContentId,
}

/// Says that all of a voice note was heard.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Played {
    /// Which voice note.
    #[serde(rename = "o")]
    pub of: ContentId,
}

/// Sets, or with an empty text takes back, one's reaction to a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reaction {
    /// To which message.
    #[serde(rename = "o")]
    pub of: ContentId,
    /// An emoji, at most 32 bytes.
    #[serde(rename = "e")]
    pub emoji: String,
}

/// A voice note that travels inside its event.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VoiceNote {
    /// Opus in Ogg (RFC 7845), 64 KiB at most.
    #[serde(rename = "o", with = "serde_bytes")]
    pub ogg: Vec<u8>,
    /// Its length in milliseconds, as its sender says.
    #[serde(rename = "d")]
    pub duration_ms: u32,
    /// Waveform peaks, 0–255, evenly spaced.
    #[serde(rename = "w", with = "serde_bytes")]
    pub peaks: Vec<u8>,
}

/// A file, which travels as an attachment.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct File {
    /// What its sender calls it, at most [`MAX_FILE_NAME`] bytes. Whoever writes it to a disk cleans it first.
    #[serde(rename = "n")]
    pub name: String,
    /// Its media type as its sender says, such as `image/png`; at most [`MAX_MEDIA_TYPE`] bytes.
    #[serde(rename = "m")]
    pub media_type: String,
    /// What it is fetched and read by.
    #[serde(rename = "a")]
    pub attachment: Attachment,
    /// Of a picture: its width and height in pixels, as its sender says, so that its place is known before it comes.
    #[serde(rename = "d")]
    pub dimensions: Option<(u32, u32)>,
    /// Of a picture: a small one, PNG or JPEG, at most [`MAX_PREVIEW`] bytes.
    #[serde(rename = "p")]
    pub preview: Option<serde_bytes::ByteBuf>,
    /// Words to it, at most [`MAX_TEXT`] bytes; empty for none.
    #[serde(rename = "t")]
    pub caption: String,
    /// What it answers.
    #[serde(rename = "r")]
    pub reply_to: Option<ContentId>,
}

impl Body for File {
    const MAX_BYTES: usize = MAX_TEXT + MAX_PREVIEW + 2048;

    fn check(&self) -> Result<(), DecodeError> {
        at_most(self.name.as_bytes(), MAX_FILE_NAME, "name")?;
        at_most(self.media_type.as_bytes(), MAX_MEDIA_TYPE, "media_type")?;
        at_most(self.caption.as_bytes(), MAX_TEXT, "caption")?;
        self.preview.as_ref().map_or(Ok(()), |preview| at_most(preview, MAX_PREVIEW, "preview"))?;
        self.attachment.check()
    }
}

/// A voice note whose sound travels as an attachment: Opus in Ogg, of more than 64 KiB.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LongVoiceNote {
    /// What its sound is fetched and read by.
    #[serde(rename = "a")]
    pub attachment: Attachment,
    /// Its length in milliseconds, as its sender says.
    #[serde(rename = "d")]
    pub duration_ms: u32,
    /// Waveform peaks, 0–255, evenly spaced; at most [`MAX_PEAKS`].
    #[serde(rename = "w", with = "serde_bytes")]
    pub peaks: Vec<u8>,
}

impl Body for LongVoiceNote {
    const MAX_BYTES: usize = MAX_PEAKS + 512;

    fn check(&self) -> Result<(), DecodeError> {
        at_most(&self.peaks, MAX_PEAKS, "peaks")?;
        self.attachment.check()
    }
}

/// What is said in one's own earlier voice note, so that whoever gets it needs no model. The latest counts; one without segments
/// takes it back.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Transcript {
    /// Of which voice note.
    #[serde(rename = "o")]
    pub of: ContentId,
    /// The language that was spoken, as in ISO 639-1, at most [`MAX_LANGUAGE`] bytes; empty if nobody knows.
    #[serde(rename = "l")]
    pub language: String,
    /// The model that wrote it, at most [`MAX_MODEL_NAME`] bytes.
    #[serde(rename = "m")]
    pub model: String,
    /// The words are English, whatever was spoken.
    #[serde(rename = "e")]
    pub translated: bool,
    /// Its author has mended it.
    #[serde(rename = "h")]
    pub edited: bool,
    /// In order, at most [`MAX_SEGMENTS`].
    #[serde(rename = "s")]
    pub segments: Vec<TranscriptSegment>,
}

/// The most segments of a transcript: one of 60 minutes has about a thousand.
pub const MAX_SEGMENTS: usize = 4096;

/// The longest name of a language in a transcript, in bytes.
pub const MAX_LANGUAGE: usize = 16;

/// The longest name of a model in a transcript, in bytes.
pub const MAX_MODEL_NAME: usize = 64;

/// Some words in a row.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TranscriptSegment {
    /// Where they begin, in milliseconds from the start of the sound.
    #[serde(rename = "b")]
    pub start_ms: u32,
    /// Where they end.
    #[serde(rename = "e")]
    pub end_ms: u32,
    /// The words; none where somebody speaks and nobody knows what.
    #[serde(rename = "t")]
    pub text: String,
    /// Where each of the [`words`] begins: two bytes each, big-endian, in hundredths of a second after the segment's begin; empty
    /// where that is not known.
    #[serde(rename = "w", with = "serde_bytes")]
    pub words: Vec<u8>,
}

/// From here on scripts have no blanks between their words: Han, kana, hangul syllables and what lies among them.
pub const WITHOUT_BLANKS: char = '\u{2e80}';

/// The words of a text, as far as their times are told: what blanks part, and of scripts without blanks every letter.
pub fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split_whitespace().flat_map(|part| {
        let mut rest = part;
        std::iter::from_fn(move || {
            let begins = |(_, sign): &(usize, char)| *sign >= WITHOUT_BLANKS && sign.is_alphabetic();
            let next = rest.char_indices().skip(1).find(begins).map_or(rest.len(), |(at, _)| at);
            let (word, after) = rest.split_at_checked(next)?;
            rest = after;
            (!word.is_empty()).then_some(word)
        })
    })
}

impl Body for Transcript {
    const MAX_BYTES: usize = MAX_CONTENT;

    fn check(&self) -> Result<(), DecodeError> {
        at_most(self.language.as_bytes(), MAX_LANGUAGE, "language")?;
        at_most(self.model.as_bytes(), MAX_MODEL_NAME, "model")?;
        at_most(&self.segments, MAX_SEGMENTS, "segments")
    }
}

/// What the members of this account may use to reach the author's devices: sent after joining and when it changes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grant {
    /// The account that may use it.
    #[serde(rename = "a")]
    pub to: AccountId,
    /// Deposits in the author's account's mailboxes.
    #[serde(rename = "d")]
    pub delivery: Token,
    /// Takes key packages of the author's account.
    #[serde(rename = "k")]
    pub key_packages: Token,
}

/// "I leave": another member removes the author's devices.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Leave {}

/// What an account says about itself. In the conversation with oneself it sets that; in any other it is a copy.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Profile {
    /// What it calls itself, at most [`MAX_PROFILE_NAME`] characters.
    #[serde(rename = "n")]
    pub name: Option<String>,
    /// Words about itself, at most [`MAX_ABOUT`] characters.
    #[serde(rename = "a")]
    pub about: Option<String>,
    /// `hash("kith/picture/1", its picture)`.
    #[serde(rename = "p")]
    pub picture: Option<Hash>,
    /// The picture, PNG or JPEG, at most [`MAX_PICTURE`] bytes: unless an earlier copy of this account brought it.
    #[serde(rename = "b")]
    pub bytes: Option<serde_bytes::ByteBuf>,
    /// Of a copy: when it was set, by the clock of the account's conversation with itself. The latest counts.
    #[serde(rename = "t")]
    pub set: Clock,
}

impl Body for Profile {
    const MAX_BYTES: usize = MAX_PICTURE + 4096;

    fn check(&self) -> Result<(), DecodeError> {
        let fits = |text: &Option<String>, most| text.as_ref().is_none_or(|text| text.chars().count() <= most);
        if !fits(&self.name, MAX_PROFILE_NAME) {
            return Err(DecodeError::OutOfBounds("name"));
        }
        if !fits(&self.about, MAX_ABOUT) {
            return Err(DecodeError::OutOfBounds("about"));
        }
        self.bytes.as_ref().map_or(Ok(()), |bytes| at_most(bytes, MAX_PICTURE, "picture"))
    }
}

/// What one thinks of an account. The latest by clock counts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContactChange {
    /// Whom.
    #[serde(rename = "a")]
    pub account: AccountId,
    /// Its handle when it was added.
    #[serde(rename = "h")]
    pub handle: Option<String>,
    /// The account's encoded record then.
    #[serde(rename = "r")]
    pub record: Option<serde_bytes::ByteBuf>,
    /// Whether the person has blocked or unblocked it with this change; none: this change is about something else. Blocked: refused at the
    /// device, its tokens revoked at the relay.
    #[serde(rename = "b")]
    pub blocked: Option<bool>,
    /// Accepted: a conversation may exist.
    #[serde(rename = "k")]
    pub accepted: bool,
    /// Safety number compared.
    #[serde(rename = "v")]
    pub verified: bool,
    /// The tokens that this account gave them.
    #[serde(rename = "g")]
    pub given: Option<TokenPair>,
    /// The tokens that they gave this account.
    #[serde(rename = "t")]
    pub taken: Option<TokenPair>,
}

/// The two capabilities of a contact.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenPair {
    /// For deposits.
    #[serde(rename = "d")]
    pub delivery: Token,
    /// For key packages.
    #[serde(rename = "k")]
    pub key_packages: Token,
}

/// Read on one of one's devices.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReadUpTo {
    /// In which conversation.
    #[serde(rename = "c")]
    pub conversation: ConversationId,
    /// How far.
    #[serde(rename = "m")]
    pub marks: Vec<Mark>,
}

/// One setting of an account.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Setting {
    /// Its name.
    #[serde(rename = "n")]
    pub name: String,
    /// Its value.
    #[serde(rename = "v")]
    pub value: String,
}

/// What was typed and not sent yet.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Draft {
    /// In which conversation.
    #[serde(rename = "c")]
    pub conversation: ConversationId,
    /// The text; empty when sent or discarded.
    #[serde(rename = "t")]
    pub text: String,
}

/// The secrets of prekeys of the own account's record, from the device that was given them to the others.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Prekeys {
    /// At most [`MAX_PREKEYS`].
    #[serde(rename = "p")]
    pub prekeys: Vec<SharedPrekey>,
}

impl Body for Prekeys {
    const MAX_BYTES: usize = 16 * 1024;

    fn check(&self) -> Result<(), DecodeError> {
        let fit = self.prekeys.len() <= MAX_PREKEYS;
        if fit { Ok(()) } else { Err(DecodeError::OutOfBounds("prekeys")) }
    }
}

/// A prekey's secret half; overwritten when it is dropped.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SharedPrekey {
    /// The prekey's number in the record.
    #[serde(rename = "i")]
    pub id: u32,
    /// The number of the suite whose HPKE it is for.
    #[serde(rename = "s")]
    pub suite: u16,
    /// Its bytes.
    #[serde(rename = "k", with = "serde_bytes")]
    pub secret: Vec<u8>,
}

impl Drop for SharedPrekey {
    fn drop(&mut self) {
        zeroize::Zeroize::zeroize(&mut self.secret);
    }
}
