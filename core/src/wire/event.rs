//! Events: a signed header in a feed, and its content.
//!
//! Only the header is chained and signed, so that content can be erased and the chain still verifies. A header's bytes are
//! kept as received; its hash is that of the bytes.

use ed25519_dalek::{Signature, VerifyingKey};
use serde::{Deserialize, Serialize};

use super::codec::{Body, DecodeError, hash};
use crate::types::{Clock, ConversationId, FeedId, GroupId, Hash};

/// Label under which a device signs a header; the bytes signed are the label, a zero byte, and the header's bytes.
pub const SIGNATURE_LABEL: &str = "kith/event/1";

/// The most bytes a header may have: about 330 are used, the rest is room for later fields.
pub const MAX_HEADER: usize = 1024;

/// The most bytes a content may have: a voice note of 64 KiB with its waveform.
pub const MAX_CONTENT: usize = 72 * 1024;

/// How far its author had walked the home's log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct LogHead {
    /// Entries seen: the next index.
    #[serde(rename = "n")]
    pub next: u64,
    /// Hash of the last entry seen; all zero before the first.
    #[serde(rename = "h")]
    pub hash: Hash,
}

/// What is signed of an event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    /// Its conversation.
    #[serde(rename = "c")]
    pub conversation: ConversationId,
    /// Its feed.
    #[serde(rename = "f")]
    pub feed: FeedId,
    /// Its number in the feed, from 0 without gaps.
    #[serde(rename = "s")]
    pub sequence: u64,
    /// Hash of the header before it; all zero at 0.
    #[serde(rename = "p")]
    pub previous: Hash,
    /// Its place in the order of display; never falls along a feed.
    #[serde(rename = "t")]
    pub clock: Clock,
    /// What the author's wall clock said, in milliseconds: for the eye only.
    #[serde(rename = "w")]
    pub wall_ms: u64,
    /// The conversation's generation when it was written.
    #[serde(rename = "g")]
    pub generation: u32,
    /// The MLS group of that generation that its author was in.
    #[serde(rename = "i")]
    pub group: GroupId,
    /// That group's epoch (RFC 9420 §8); never falls along a feed within one group.
    #[serde(rename = "e")]
    pub epoch: u64,
    /// How far the author had walked that group's log.
    #[serde(rename = "l")]
    pub log: LogHead,
    /// What the content is: a number of [`crate::wire::message::Kind`], kept even when unknown.
    #[serde(rename = "k")]
    pub kind: u16,
    /// [`Content::hash`].
    #[serde(rename = "x")]
    pub content: Hash,
}

impl Body for Header {
    const MAX_BYTES: usize = MAX_HEADER;
}

/// What an event says. The salt keeps a guess at an erased content from being checked against its header.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Content {
    /// 16 random bytes.
    #[serde(rename = "s", with = "serde_bytes")]
    pub salt: Vec<u8>,
    /// The encoded body of the event's kind.
    #[serde(rename = "b", with = "serde_bytes")]
    pub body: Vec<u8>,
}

impl Content {
    /// Length of the salt in bytes: a guess costs 2^128 tries.
    pub const SALT_BYTES: usize = 16;

    /// The hash that a header names.
    pub fn hash(&self) -> Hash {
        hash("kith/content/1", &[&self.salt, &self.body])
    }
}

impl std::fmt::Debug for Content {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "Content({} bytes …)", self.body.len())
    }
}

/// An event as it travels and as it is kept. Nothing in it is believed before [`UnverifiedEvent::verify`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnverifiedEvent {
    /// The header's bytes as its author wrote them.
    #[serde(rename = "h", with = "serde_bytes")]
    pub header: Vec<u8>,
    /// The author's Ed25519 signature (RFC 8032), 64 bytes.
    #[serde(rename = "s", with = "serde_bytes")]
    pub signature: Vec<u8>,
    /// The content, unless it was erased.
    #[serde(rename = "c")]
    pub content: Option<Content>,
}

impl Body for UnverifiedEvent {
    const MAX_BYTES: usize = MAX_HEADER + MAX_CONTENT + 256;
}

/// Why an event is not believed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EventError {
    /// Its header or content cannot be read.
    #[error(transparent)]
    Decode(#[from] DecodeError),
    /// The signature is not its author's.
    #[error("the signature is not the author's")]
    WrongSignature,
    /// The content is not the one that was signed.
    #[error("the content is not the one that was signed")]
    WrongContent,
}

/// An event whose signature and content hash were checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    header: Header,
    hash: Hash,
    raw: UnverifiedEvent,
}

impl UnverifiedEvent {
    /// Reads the header without believing it: to learn whose key to check it with.
    ///
    /// # Errors
    /// When the header cannot be read.
    pub fn peek(&self) -> Result<Header, DecodeError> {
        Header::decode(&self.header)
    }

    /// Checks the signature and the content's hash.
    ///
    /// # Errors
    /// When either is wrong, or the event cannot be read.
    pub fn verify(self, author: &VerifyingKey) -> Result<Event, EventError> {
        let header = self.peek()?;
        let signature = Signature::from_slice(&self.signature).map_err(|_| EventError::WrongSignature)?;
        author.verify_strict(&signed_bytes(&self.header), &signature).map_err(|_| EventError::WrongSignature)?;
        if let Some(content) = &self.content {
            if content.body.len() > MAX_CONTENT {
                return Err(DecodeError::TooLong { actual: content.body.len(), limit: MAX_CONTENT }.into());
            }
            if content.salt.len() != Content::SALT_BYTES || content.hash() != header.content {
                return Err(EventError::WrongContent);
            }
        }
        Ok(Event { hash: header_hash(&self.header), header, raw: self })
    }
}

impl Event {
    /// Signs a header with `sign`, which is given the bytes to sign.
    pub fn sign(header: Header, content: Content, sign: impl FnOnce(&[u8]) -> Signature) -> Self {
        let bytes = header.encode();
        let signature = sign(&signed_bytes(&bytes)).to_bytes().to_vec();
        let hash = header_hash(&bytes);
        Self { header, hash, raw: UnverifiedEvent { header: bytes, signature, content: Some(content) } }
    }

    /// Takes an event back from the store, where only checked ones are put.
    ///
    /// # Errors
    /// When the header cannot be read.
    pub fn from_store(raw: UnverifiedEvent) -> Result<Self, DecodeError> {
        let header = raw.peek()?;
        Ok(Self { hash: header_hash(&raw.header), header, raw })
    }

    /// Its header.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// Hash of its header's bytes: what its successor names.
    pub fn hash(&self) -> Hash {
        self.hash
    }

    /// Its content, unless it was erased.
    pub fn content(&self) -> Option<&Content> {
        self.raw.content.as_ref()
    }

    /// As it travels.
    pub fn as_raw(&self) -> &UnverifiedEvent {
        &self.raw
    }

    /// The same event with its content erased; the chain still verifies.
    pub fn erased(mut self) -> Self {
        self.raw.content = None;
        self
    }
}

fn signed_bytes(header: &[u8]) -> Vec<u8> {
    [SIGNATURE_LABEL.as_bytes(), &[0], header].concat()
}

/// The hash that the next header of a feed names.
pub fn header_hash(header: &[u8]) -> Hash {
    hash("kith/header/1", &[header])
}
