//! What devices say to each other inside MLS application messages and sealed cards, and the contents of events.

mod content;
mod sealed;

use serde::{Deserialize, Serialize};

pub use content::{
    ContactChange, Delete, Draft, Edit, File, Grant, Kind, Leave, LongVoiceNote, MAX_LANGUAGE, MAX_MODEL_NAME,
    MAX_SEGMENTS, Played, Prekeys, Profile, Reaction, ReadUpTo, Setting, SharedPrekey, Text, TokenPair, Transcript,
    TranscriptSegment, VoiceNote, WITHOUT_BLANKS, words,
};
pub use sealed::{Out, Recall, Rejoin, RequestCard, Sealed};

use super::codec::{Body, DecodeError, at_most};
use super::event::{LogHead, MAX_CONTENT, UnverifiedEvent};
use super::log::Equivocation;
use crate::types::{AccountId, FeedId, Hash};

/// The most bytes of events in one bundle, so that a repair never holds up live messages for long.
pub const MAX_BUNDLE: usize = 64 * 1024;

/// The most bytes of a text: enough for any message a person types; longer ones are files.
pub const MAX_TEXT: usize = 16 * 1024;

/// The most bytes of the text in a contact request.
pub const MAX_REQUEST_TEXT: usize = 1024;

/// The most characters of the name that an account gives itself.
pub const MAX_PROFILE_NAME: usize = 64;

/// The most characters of what a device is called.
pub const MAX_DEVICE_NAME: usize = 64;

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
    /// The sender asks for the other's digest even if it does not differ.
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

impl Vector {
    /// Whether something is missing before what is held.
    pub fn has_gaps(&self) -> bool {
        self.feeds.iter().any(|state| !state.beyond.is_empty())
    }
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
