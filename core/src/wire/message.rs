//! What devices say to each other inside MLS application messages and sealed cards, and the contents of events.

use serde::{Deserialize, Serialize};

use super::blob::Attachment;
use super::codec::{Body, DecodeError, at_most};
use super::event::{LogHead, MAX_CONTENT, UnverifiedEvent};
use super::log::Equivocation;
use crate::identity::MAX_PREKEYS;
use crate::types::{AccountId, Clock, ContentId, ConversationId, DeviceId, FeedId, GroupId, Hash, Timestamp, Token};

/// The most bytes of events in one bundle, so that a repair never holds up live messages for long.
pub const MAX_BUNDLE: usize = 64 * 1024;

/// The most bytes of a text: enough for any message a person types; longer ones are files.
pub const MAX_TEXT: usize = 16 * 1024;

/// The most bytes of the text in a contact request.
pub const MAX_REQUEST_TEXT: usize = 1024;

/// The most characters of the name that an account gives itself.
pub const MAX_PROFILE_NAME: usize = 64;

/// The most characters that an account says about itself.
pub const MAX_ABOUT: usize = 280;

/// The most bytes of a picture: 192 pixels square take less.
pub const MAX_PICTURE: usize = 48 * 1024;

/// The most bytes of a file's name.
pub const MAX_FILE_NAME: usize = 255;

/// The most bytes of a media type (RFC 6838 §4.2 allows 127 for each of its two parts; none in use is half as long).
pub const MAX_MEDIA_TYPE: usize = 127;

/// The most bytes of the small picture that travels with a file.
pub const MAX_PREVIEW: usize = 16 * 1024;

/// The most peaks of a waveform.
pub const MAX_PEAKS: usize = 1024;

/// The most feeds named in one vector.
pub const MAX_FEEDS: usize = 4096;

/// The most ranges beyond the contiguous part that one feed's state names.
pub const MAX_RANGES: usize = 32;

/// An application message of a conversation's group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Message {
    /// Events: live ones, or a repair bundle.
    #[serde(rename = "e")]
    Events(Vec<UnverifiedEvent>),
    /// How far the sending device has durably come, and its account has read. Cumulative; the greater counts.
    #[serde(rename = "m")]
    Marks(Marks),
    /// Opens a repair: "this is a digest of what I hold".
    #[serde(rename = "d")]
    Digest(Digest),
    /// What the sending device holds, when digests differ.
    #[serde(rename = "v")]
    Vector(Vector),
    /// Two signed headers that cannot both be in an honest feed.
    #[serde(rename = "f")]
    Fork {
        /// One event, without its content.
        #[serde(rename = "a")]
        one: UnverifiedEvent,
        /// The other, without its content.
        #[serde(rename = "b")]
        other: UnverifiedEvent,
    },
    /// Two versions of the home's log.
    #[serde(rename = "q")]
    Equivocation(Equivocation),
    /// What a newcomer has to know; sent in the packet of its Welcome.
    #[serde(rename = "a")]
    Anchors(Anchors),
    /// Encoded account records of members, as the sender knows them: shown to whoever knows another record of the same version.
    #[serde(rename = "k")]
    Records(Vec<serde_bytes::ByteBuf>),
    /// Seen now and never kept.
    #[serde(rename = "t")]
    Typing {
        /// Whether it began or ended.
        #[serde(rename = "o")]
        on: bool,
    },
}

impl Body for Message {
    const MAX_BYTES: usize = 2 * MAX_BUNDLE + MAX_CONTENT + Past::MAX_BYTES;

    fn check(&self) -> Result<(), DecodeError> {
        match self {
            Self::Events(events) => at_most(events, 512, "events"),
            Self::Marks(marks) => {
                at_most(&marks.delivered, MAX_FEEDS, "delivered")?;
                at_most(&marks.read, MAX_FEEDS, "read")
            }
            Self::Vector(vector) => {
                at_most(&vector.feeds, MAX_FEEDS, "feeds")?;
                vector.feeds.iter().try_for_each(|feed| {
                    at_most(&feed.beyond, MAX_RANGES, "ranges")?;
                    at_most(&feed.lacking, MAX_RANGES, "lacking")
                })
            }
            Self::Anchors(anchors) => {
                at_most(&anchors.feeds, MAX_FEEDS, "anchors")?;
                anchors.past.check()?;
                at_most(&anchors.records, 512, "records")
            }
            Self::Records(records) => at_most(records, 64, "records"),
            Self::Digest(digest) => at_most(&digest.records, 512, "records"),
            Self::Fork { .. } | Self::Equivocation(_) | Self::Typing { .. } => Ok(()),
        }
    }
}

/// A place up to which a feed is held or read: the number of events from 0 on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Mark {
    /// Which feed.
    #[serde(rename = "f")]
    pub feed: FeedId,
    /// So many events from its start, without a gap.
    #[serde(rename = "n")]
    pub next: u64,
}

/// Cumulative marks of one device.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Marks {
    /// Held durably by the sending device.
    #[serde(rename = "d")]
    pub delivered: Vec<Mark>,
    /// Read by its person; empty when read receipts are off.
    #[serde(rename = "r")]
    pub read: Vec<Mark>,
}

/// The head of an account's chain of records, as a device knows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct RecordHead {
    /// Whose.
    #[serde(rename = "a")]
    pub account: AccountId,
    /// The version known.
    #[serde(rename = "v")]
    pub version: u64,
    /// The hash of that record.
    #[serde(rename = "h")]
    pub hash: Hash,
}

/// A summary of what a device holds of a conversation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Digest {
    /// `hash("kith/vector/1", the encoded vector)`.
    #[serde(rename = "h")]
    pub vector: Hash,
    /// The log as the sender walked it.
    #[serde(rename = "l")]
    pub log: LogHead,
    /// The records of the members as the sender knows them: a relay that shows others is noticed.
    #[serde(rename = "r")]
    pub records: Vec<RecordHead>,
    /// The sender asks for the other's digest.
    #[serde(rename = "q")]
    pub ask: bool,
}

/// What a device holds of one feed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct FeedState {
    /// Which feed.
    #[serde(rename = "f")]
    pub feed: FeedId,
    /// Held from 0 on without a gap: the next number.
    #[serde(rename = "n")]
    pub next: u64,
    /// Hash of the header at `next - 1`; all zero when `next` is 0.
    #[serde(rename = "h")]
    pub hash: Hash,
    /// The first that is held of the part without a gap: above 0 at a newcomer whose history is still wanted.
    #[serde(rename = "l")]
    pub from: u64,
    /// Held beyond the first gap: half-open ranges, ascending.
    #[serde(rename = "b")]
    pub beyond: Vec<(u64, u64)>,
    /// Held without their content, and no delete explains why; ascending, the first [`MAX_RANGES`].
    #[serde(rename = "m")]
    pub lacking: Vec<u64>,
}

/// What a device holds of a conversation, by feed, ascending.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Vector {
    /// Its feeds.
    #[serde(rename = "f")]
    pub feeds: Vec<FeedState>,
    /// The sender asks for the other's vector.
    #[serde(rename = "q")]
    pub ask: bool,
}

/// The end of a feed that a commit closed: what lies at `next` and beyond does not count, or counts only from `reopened` on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Cut {
    /// Which feed.
    #[serde(rename = "f")]
    pub feed: FeedId,
    /// So many events count.
    #[serde(rename = "n")]
    pub next: u64,
    /// Hash of the header at `next - 1`; all zero when `next` is 0.
    #[serde(rename = "h")]
    pub hash: Hash,
}

/// A device that was in the conversation and is in none of its groups now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Former {
    /// Its encoded certificate.
    #[serde(rename = "d")]
    pub certificate: serde_bytes::ByteBuf,
    /// A commit removed it for good; else it only could not be taken along.
    #[serde(rename = "g")]
    pub gone: bool,
}

/// What the members of a conversation have agreed on beside who is in its group: each policy holds the hash of it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Past {
    /// Those who were members, ascending by device.
    #[serde(rename = "d")]
    pub former: Vec<Former>,
    /// The cuts in force, ascending by feed.
    #[serde(rename = "c")]
    pub cuts: Vec<Cut>,
}

impl Body for Past {
    const MAX_BYTES: usize = 1 << 20;

    fn check(&self) -> Result<(), DecodeError> {
        at_most(&self.cuts, MAX_FEEDS, "cuts")?;
        at_most(&self.former, MAX_FEEDS, "former")
    }
}

impl Past {
    /// Its name in a policy.
    pub fn hash(&self) -> Hash {
        super::codec::hash("kith/past/1", &[&self.encode()])
    }
}

/// What a newcomer has to know of a conversation before it reads anything in it. It travels with its Welcome and nowhere else.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Anchors {
    /// What the members have agreed on: the policy of the newcomer's epoch holds its hash.
    #[serde(rename = "p")]
    pub past: Past,
    /// The feeds as the adder holds them, where no history from before is given: events up to here count by their chain.
    #[serde(rename = "f")]
    pub feeds: Vec<Cut>,
    /// The members' account records, so that it can be seen whose devices they are; as many as fit.
    #[serde(rename = "r")]
    pub records: Vec<serde_bytes::ByteBuf>,
}

/// What a commit says beside MLS: the body of its custom proposal, encrypted in it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct CommitInfo {
    /// Newer account records that justify the change of devices.
    #[serde(rename = "r")]
    pub records: Vec<serde_bytes::ByteBuf>,
    /// Feeds that the commit closes.
    #[serde(rename = "c")]
    pub cuts: Vec<Cut>,
    /// [`Leave`] events, without content, of accounts that the commit removes at their own wish.
    #[serde(rename = "l")]
    pub leaves: Vec<UnverifiedEvent>,
}

impl Body for CommitInfo {
    const MAX_BYTES: usize = 1 << 20;

    fn check(&self) -> Result<(), DecodeError> {
        at_most(&self.records, 64, "records")?;
        at_most(&self.leaves, 64, "leaves")?;
        at_most(&self.cuts, MAX_FEEDS, "cuts")
    }
}

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

/// What is sealed by HPKE to a prekey of an account record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Sealed {
    /// A stranger's card.
    #[serde(rename = "r")]
    Request(RequestCard),
    /// A member's device that lost its MLS state asks to be added again.
    #[serde(rename = "j")]
    Rejoin(Rejoin),
    /// A member tells a device that seems to have lost all that it knew of a conversation.
    #[serde(rename = "c")]
    Recall(Recall),
    /// A member that may take people out tells who pleads that its account is out.
    #[serde(rename = "o")]
    Out(Out),
}

/// A contact request: who, what, and how to answer.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestCard {
    /// The stranger's encoded account record.
    #[serde(rename = "r", with = "serde_bytes")]
    pub record: Vec<u8>,
    /// Its handle, a hint.
    #[serde(rename = "h")]
    pub handle: Option<String>,
    /// At most [`MAX_REQUEST_TEXT`] bytes.
    #[serde(rename = "t")]
    pub text: String,
    /// What the other may use to answer.
    #[serde(rename = "g")]
    pub grant: TokenPair,
    /// When it was written.
    #[serde(rename = "w")]
    pub wall: Timestamp,
    /// The device that signed the card.
    #[serde(rename = "d")]
    pub device: DeviceId,
    /// A key package of that device, so that accepting needs nothing from the stranger's relay.
    #[serde(rename = "k", with = "serde_bytes")]
    pub key_package: Vec<u8>,
    /// Its signature as a card ([`crate::identity::Context::Card`]) over the receiver's account id and the card with this field empty.
    #[serde(rename = "s", with = "serde_bytes")]
    pub signature: Vec<u8>,
}

/// A plea to be added again, with fresh key packages.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rejoin {
    /// Whose device asks.
    #[serde(rename = "a")]
    pub account: AccountId,
    /// Which conversation.
    #[serde(rename = "c")]
    pub conversation: ConversationId,
    /// Which device asks.
    #[serde(rename = "d")]
    pub device: DeviceId,
    /// A fresh key package.
    #[serde(rename = "k", with = "serde_bytes")]
    pub key_package: Vec<u8>,
    /// When it was written: an older plea than one already answered is ignored.
    #[serde(rename = "w")]
    pub wall: Timestamp,
    /// Its account's encoded record: whoever answers may not have come by the newest one otherwise.
    #[serde(rename = "r", with = "serde_bytes")]
    pub record: Vec<u8>,
    /// The device's signature as a card ([`crate::identity::Context::Card`]) over the receiver's account id and the plea with this field empty.
    #[serde(rename = "s", with = "serde_bytes")]
    pub signature: Vec<u8>,
}

/// "You are in a conversation with us." A device from an old copy of its store may know neither the conversation nor who is in it;
/// whoever knows the group ignores this, and whoever does not pleads.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recall {
    /// The sender's encoded account record.
    #[serde(rename = "r", with = "serde_bytes")]
    pub record: Vec<u8>,
    /// Which conversation.
    #[serde(rename = "c")]
    pub conversation: ConversationId,
    /// Its present group, in which the receiver has a leaf.
    #[serde(rename = "i")]
    pub group: GroupId,
    /// The device that signed this.
    #[serde(rename = "d")]
    pub device: DeviceId,
    /// What the receiver may use to answer.
    #[serde(rename = "g")]
    pub grant: Option<TokenPair>,
    /// What the receiver's account gave the sender's: it may not know of that any more, and could not revoke it.
    #[serde(rename = "t")]
    pub taken: Option<TokenPair>,
    /// The latest event there of a device of the receiver's account, without its content: by its own signature it was a member.
    #[serde(rename = "e")]
    pub event: Option<UnverifiedEvent>,
    /// The certificate of the device that wrote it, where the receiver's account has removed that device: the receiver may never have
    /// heard of it, and knows the root key that signed this.
    #[serde(rename = "k", default)]
    pub certificate: Option<serde_bytes::ByteBuf>,
    /// The device's signature as a card ([`crate::identity::Context::Card`]) over the receiver's account id and this with this field empty.
    #[serde(rename = "s", with = "serde_bytes")]
    pub signature: Vec<u8>,
}

/// "You are out": the answer to a plea of a device whose account was taken out of a group. Neither the home nor an old copy of its store
/// has let it know.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Out {
    /// The sender's account.
    #[serde(rename = "a")]
    pub account: AccountId,
    /// Which conversation.
    #[serde(rename = "c")]
    pub conversation: ConversationId,
    /// The device that signed this.
    #[serde(rename = "d")]
    pub device: DeviceId,
    /// [`Rejoin::wall`] of the plea that it answers: another one's answer is nobody's.
    #[serde(rename = "w")]
    pub wall: Timestamp,
    /// The device's signature as a card ([`crate::identity::Context::Card`]) over the receiver's account id and this with this field empty.
    #[serde(rename = "s", with = "serde_bytes")]
    pub signature: Vec<u8>,
}

/// A content body, as its kind says.
macro_rules! bodies {
    ($($name:ident: $max:expr),+ $(,)?) => {
        $(impl Body for $name {
            const MAX_BYTES: usize = $max;
        })+
    };
}

bodies! {
    Text: MAX_TEXT + 256,
    Edit: MAX_TEXT + 256,
    Delete: 256,
    Played: 256,
    Reaction: 512,
    VoiceNote: MAX_CONTENT,
    Grant: 512,
    Leave: 64,
    ContactChange: 70 * 1024,
    ReadUpTo: MAX_CONTENT,
    Setting: 8 * 1024,
    Draft: MAX_TEXT + 256,
    Vector: 1 << 20,
    Sealed: 80 * 1024,
}

/// Texts say how long they are, never what they say.
macro_rules! discreet {
    ($($name:ident { $($field:ident),* }),+ $(,)?) => {
        $(impl std::fmt::Debug for $name {
            fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.debug_struct(stringify!($name))$(.field(stringify!($field), &self.$field))*.finish_non_exhaustive()
            }
        })+
    };
}

discreet! {
    Text { reply_to }, Edit { of }, Transcript { of }, TranscriptSegment { start_ms, end_ms }, VoiceNote { duration_ms }, LongVoiceNote { duration_ms }, File { attachment }, Setting { name }, Draft { conversation }, Profile { picture, set },
    SharedPrekey { id, suite }, RequestCard { wall, device }, Rejoin { conversation, device }, Recall { conversation, device },
    Out { conversation, device },
}
