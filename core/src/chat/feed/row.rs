//! Rows of feeds, and how an event is kept: its header in 127 bytes where it can be rebuilt, with its content if that is short.
//!
//! What many events of a conversation say alike (group, epoch, head of the log) is one row of its own, the *context*, which their
//! rows name by eight bytes of its hash.

use ed25519_dalek::SIGNATURE_LENGTH;
use serde::{Deserialize, Serialize};

use super::key;
use crate::chat::transaction::Transaction;
use crate::store::{Read, ReadError, Scope, Table};
use crate::types::{Clock, ContentId, ConversationId, FeedId, GroupId, Hash, Incarnation, Timestamp};
use crate::wire::codec::{Body, DecodeError, at_most, hash};
use crate::wire::event::{Content, Event, Header, LogHead, UnverifiedEvent};

/// The most ranges of events that a feed keeps beyond its gaps: what a vector can name.
pub(super) const MAX_BEYOND_RANGES: usize = crate::wire::message::MAX_RANGES;

/// The most events that a feed keeps beyond its gaps: four full bundles; repair brings the rest again.
pub(super) const MAX_BEYOND_EVENTS: u64 = 2048;

/// The most places a feed remembers as lacking their content.
const MAX_LACKING: usize = 4096;

/// What the check of the next event needs of the last one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Tip {
    #[serde(rename = "t")]
    pub(crate) clock: Clock,
    #[serde(rename = "i")]
    pub(crate) group: GroupId,
    #[serde(rename = "e")]
    pub(crate) epoch: u64,
}

impl Tip {
    pub(crate) fn of(header: &Header) -> Self {
        Self { clock: header.clock, group: header.group, epoch: header.epoch }
    }

    /// Whether an event that follows this one keeps the rules: neither clock nor, within one group, epoch falls.
    pub(crate) fn admits(&self, next: &Header) -> bool {
        next.clock >= self.clock && (next.group != self.group || next.epoch >= self.epoch)
    }
}

/// What is known of one feed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct FeedRow {
    /// The first event that counts: 0, or where a newcomer's history starts.
    #[serde(rename = "l")]
    pub(crate) low: u64,
    /// Hash of the header before `low`; all zero at 0.
    #[serde(rename = "p")]
    pub(crate) below: Hash,
    /// The first that is missing.
    #[serde(rename = "n")]
    pub(crate) next: u64,
    /// Hash of the header before `next`; all zero at 0.
    #[serde(rename = "h")]
    pub(crate) head: Hash,
    /// Of the event before `next`, if it is held.
    #[serde(rename = "t")]
    pub(crate) tip: Option<Tip>,
    /// What lies before `low` is wanted.
    #[serde(rename = "w")]
    pub(crate) wanted: bool,
    /// Held, but not joined to the part that counts: half-open, ascending.
    #[serde(rename = "b")]
    pub(crate) beyond: Vec<(u64, u64)>,
    /// Count, but their content is absent and no delete explains why; ascending.
    #[serde(rename = "m")]
    pub(crate) lacking: Vec<u64>,
    /// Where the feed ends by its fault.
    #[serde(rename = "e")]
    pub(crate) end: Option<u64>,
    /// Read on this account up to here.
    #[serde(rename = "r")]
    pub(crate) read: u64,
    /// Messages that count at `read` and beyond, by other accounts.
    #[serde(rename = "u")]
    pub(crate) unread: u32,
    /// `next` as the last marks told it.
    #[serde(rename = "td")]
    pub(crate) told: u64,
    /// `read` as the last marks told it.
    #[serde(rename = "tr")]
    pub(crate) read_told: u64,
}

impl Default for FeedRow {
    fn default() -> Self {
        Self {
            low: 0,
            below: ZERO,
            next: 0,
            head: ZERO,
            tip: None,
            wanted: false,
            beyond: Vec::new(),
            lacking: Vec::new(),
            end: None,
            read: 0,
            unread: 0,
            told: 0,
            read_told: 0,
        }
    }
}

impl Body for FeedRow {
    const MAX_BYTES: usize = 128 * 1024;

    fn check(&self) -> Result<(), DecodeError> {
        at_most(&self.beyond, MAX_BEYOND_RANGES, "beyond")?;
        at_most(&self.lacking, MAX_LACKING, "lacking")
    }
}

impl FeedRow {
    /// Whether the event at this place is in the part that counts.
    pub(crate) fn counts(&self, sequence: u64) -> bool {
        self.low <= sequence && sequence < self.next
    }

    /// Whether the event at this place is kept beyond a gap.
    pub(crate) fn keeps(&self, sequence: u64) -> bool {
        self.beyond.iter().any(|(from, to)| *from <= sequence && sequence < *to)
    }

    /// Takes a place into the ranges beyond; says no when there is no room.
    pub(super) fn keep(&mut self, sequence: u64) -> bool {
        let held = self.beyond.iter().fold(0u64, |sum, (from, to)| sum.saturating_add(to.saturating_sub(*from)));
        if held >= MAX_BEYOND_EVENTS {
            return false;
        }
        let mut ranges = self.beyond.clone();
        ranges.push((sequence, sequence.saturating_add(1)));
        let ranges = joined(ranges);
        if ranges.len() > MAX_BEYOND_RANGES {
            return false;
        }
        self.beyond = ranges;
        true
    }

    /// Takes a place out of the ranges beyond.
    pub(super) fn unkeep(&mut self, sequence: u64) {
        let mut ranges = Vec::with_capacity(self.beyond.len().saturating_add(1));
        for (from, to) in self.beyond.drain(..) {
            if sequence < from || sequence >= to {
                ranges.push((from, to));
                continue;
            }
            if from < sequence {
                ranges.push((from, sequence));
            }
            if sequence.saturating_add(1) < to {
                ranges.push((sequence.saturating_add(1), to));
            }
        }
        // Splitting the last allowed range would make one too many; its upper half is given up and comes again by repair.
        ranges.truncate(MAX_BEYOND_RANGES);
        self.beyond = ranges;
    }

    pub(crate) fn lack(&mut self, sequence: u64) -> bool {
        match self.lacking.binary_search(&sequence) {
            Ok(_) => true,
            Err(_) if self.lacking.len() >= MAX_LACKING => false,
            Err(at) => {
                self.lacking.insert(at, sequence);
                true
            }
        }
    }

    pub(crate) fn unlack(&mut self, sequence: u64) -> bool {
        if let Ok(at) = self.lacking.binary_search(&sequence) {
            self.lacking.remove(at);
            return true;
        }
        false
    }
}

/// All zero: what stands where there is no header.
pub(crate) const ZERO: Hash = Hash::new([0; Hash::LEN]);

/// Sorts ranges and joins those that touch.
pub(crate) fn joined(mut ranges: Vec<(u64, u64)>) -> Vec<(u64, u64)> {
    ranges.retain(|(from, to)| from < to);
    ranges.sort_unstable();
    let mut joined: Vec<(u64, u64)> = Vec::with_capacity(ranges.len());
    for (from, to) in ranges {
        match joined.last_mut() {
            Some(last) if from <= last.1 => last.1 = last.1.max(to),
            _ => joined.push((from, to)),
        }
    }
    joined
}

/// The parts of a range that sorted, separate ranges do not cover.
pub(crate) fn gaps(covered: &[(u64, u64)], from: u64, to: u64) -> Vec<(u64, u64)> {
    let mut left = Vec::new();
    let mut from = from;
    for (low, high) in covered {
        if *high <= from || *low >= to {
            continue;
        }
        if *low > from {
            left.push((from, *low));
        }
        from = from.max(*high);
    }
    if from < to {
        left.push((from, to));
    }
    left
}

/// What is known of a conversation's feeds together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(crate) struct Heads {
    /// The incarnation that this device writes in.
    #[serde(rename = "i")]
    pub(crate) own: Option<Incarnation>,
    /// The clock, merged with all that counted.
    #[serde(rename = "t")]
    pub(crate) clock: Clock,
    /// Events of unknown devices that are parked.
    #[serde(rename = "p")]
    pub(crate) parked: u32,
    /// Their bytes.
    #[serde(rename = "b")]
    pub(crate) parked_bytes: u64,
}

impl Body for Heads {
    const MAX_BYTES: usize = 256;
}

/// Two signed headers of a feed that cannot both be in an honest one. They carry no content.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    /// One: that of the lower place, or the lower hash.
    #[serde(rename = "a")]
    pub one: UnverifiedEvent,
    /// The other.
    #[serde(rename = "b")]
    pub other: UnverifiedEvent,
}

impl Body for Fault {
    const MAX_BYTES: usize = 2 * crate::wire::event::MAX_HEADER + 512;
}

/// Reads a stored body.
pub(crate) fn load<T: Body>(read: &(impl Read + ?Sized), table: Table, key: &[u8]) -> Result<Option<T>, ReadError> {
    read.get(table, key)?.map(|bytes| T::decode(&bytes).map_err(|error| damaged(table, &error))).transpose()
}

/// The fault of a stored value.
pub(crate) fn damaged(table: Table, error: &DecodeError) -> ReadError {
    match error {
        DecodeError::FromTheFuture { found, .. } => ReadError::FromTheFuture { format: *found },
        _ => ReadError::Damaged { table },
    }
}

/// First byte of a row: header that is rebuilt from its fields, content apart. Written where the context's name is taken.
const COMPACT: u8 = 1;
/// Header kept as received, content apart: it has fields that this Kith does not know.
const VERBATIM: u8 = 2;
/// As `COMPACT` with the context in a row of its own, and the content within.
const WHOLE: u8 = 3;
/// As `WHOLE`, and the content apart or absent.
const SHORT: u8 = 4;
/// First byte of a stored content.
const CONTENT: u8 = 1;
/// A content this short is kept with its header: it is read with it, and one row costs less than two.
const WITHIN_BYTES: usize = 1024;

/// Keeps an event under its place: with this content, or as one whose content is absent.
///
/// # Errors
/// When the store cannot be read.
pub(crate) fn put<R: Read + ?Sized>(
    tx: &mut Transaction<'_, R>,
    conversation: &ConversationId,
    event: &Event,
    content: Option<&Content>,
) -> Result<(), ReadError> {
    let (header, scope) = (event.header(), Scope::Conversation(*conversation));
    let key = key::event(conversation, &ContentId { feed: header.feed, sequence: header.sequence });
    let context = if rebuilds(event) { put_context(tx, conversation, header)? } else { None };
    let within = |content: &&Content| {
        // Only then is its hash known without being kept.
        content.body.len() <= WITHIN_BYTES && content.hash() == header.content
    };
    let (row, apart) = match (context, content.filter(within)) {
        (Some(context), Some(content)) => (pack_whole(event, context, content), None),
        (Some(context), None) => (pack_short(event, context), content),
        (None, _) => (pack(event), content),
    };
    tx.put(Table::Event, scope, key.clone(), row);
    match apart {
        Some(content) => tx.put(Table::Content, scope, key, pack_content(content)),
        None if tx.get(Table::Content, &key)?.is_some() => tx.delete(Table::Content, key),
        None => {}
    }
    Ok(())
}

/// Whether a header's bytes are those that its fields give.
fn rebuilds(event: &Event) -> bool {
    event.header().encode() == event.as_raw().header
}

/// Keeps what many headers share, and says how it is named; nothing if another context has that name.
fn put_context<R: Read + ?Sized>(
    tx: &mut Transaction<'_, R>,
    conversation: &ConversationId,
    header: &Header,
) -> Result<Option<ContextName>, ReadError> {
    let mut value = Vec::with_capacity(CONTEXT_BYTES);
    value.push(CONTEXT);
    value.extend_from_slice(header.group.as_bytes());
    value.extend_from_slice(&header.epoch.to_be_bytes());
    value.extend_from_slice(&header.log.next.to_be_bytes());
    value.extend_from_slice(header.log.hash.as_bytes());
    let name = hash("kith/context/1", &[&value]);
    let Some(name) = name.as_bytes().first_chunk::<CONTEXT_NAME_BYTES>() else { return Ok(None) };
    let key = key::context(conversation, name);
    match tx.get(Table::Context, &key)? {
        Some(held) if held == value => {}
        // An author can find two that share eight bytes; both events are kept all the same.
        Some(_) => return Ok(None),
        None => tx.put(Table::Context, Scope::Conversation(*conversation), key, value),
    }
    Ok(Some(*name))
}

/// First byte of a stored context.
const CONTEXT: u8 = 1;
const CONTEXT_BYTES: usize = 1 + GroupId::LEN + 8 + 8 + Hash::LEN;
/// Bytes of a context's hash that name it.
const CONTEXT_NAME_BYTES: usize = 8;
type ContextName = [u8; CONTEXT_NAME_BYTES];

/// What many headers share.
struct Context {
    group: GroupId,
    epoch: u64,
    log: LogHead,
}

fn load_context(
    read: &(impl Read + ?Sized),
    conversation: &ConversationId,
    name: &ContextName,
) -> Result<Option<Context>, ReadError> {
    let Some(bytes) = read.get(Table::Context, &key::context(conversation, name))? else { return Ok(None) };
    let (format, rest) = bytes.split_first().ok_or(ReadError::Damaged { table: Table::Context })?;
    if *format != CONTEXT {
        return Err(ReadError::FromTheFuture { format: *format });
    }
    let mut fields = Fields(rest);
    let mut parse = || {
        let (group, epoch) = (GroupId::new(fields.take()?), u64::from_be_bytes(fields.take()?));
        let log = LogHead { next: u64::from_be_bytes(fields.take()?), hash: Hash::new(fields.take()?) };
        Some(Context { group, epoch, log })
    };
    parse().map(Some).ok_or(ReadError::Damaged { table: Table::Context })
}

/// A header and its signature as they are kept on their own.
fn pack(event: &Event) -> Vec<u8> {
    let raw = event.as_raw();
    let header = event.header();
    let mut bytes = Vec::with_capacity(256);
    if !rebuilds(event) {
        bytes.push(VERBATIM);
        bytes.extend_from_slice(&raw.signature);
        bytes.extend_from_slice(&raw.header);
        return bytes;
    }
    bytes.push(COMPACT);
    bytes.extend_from_slice(&raw.signature);
    bytes.extend_from_slice(header.previous.as_bytes());
    bytes.extend_from_slice(&header.clock.0.to_be_bytes());
    bytes.extend_from_slice(&header.wall_ms.to_be_bytes());
    bytes.extend_from_slice(&header.generation.to_be_bytes());
    bytes.extend_from_slice(header.group.as_bytes());
    bytes.extend_from_slice(&header.epoch.to_be_bytes());
    bytes.extend_from_slice(&header.log.next.to_be_bytes());
    bytes.extend_from_slice(header.log.hash.as_bytes());
    bytes.extend_from_slice(&header.kind.to_be_bytes());
    bytes.extend_from_slice(header.content.as_bytes());
    bytes
}

fn pack_short(event: &Event, context: ContextName) -> Vec<u8> {
    let mut bytes = vec![SHORT];
    push_fields(&mut bytes, event, context);
    bytes.extend_from_slice(event.header().content.as_bytes());
    bytes
}

fn pack_whole(event: &Event, context: ContextName, content: &Content) -> Vec<u8> {
    let mut bytes = vec![WHOLE];
    push_fields(&mut bytes, event, context);
    bytes.extend_from_slice(&content.salt);
    bytes.extend_from_slice(&content.body);
    bytes
}

fn push_fields(bytes: &mut Vec<u8>, event: &Event, context: ContextName) {
    let header = event.header();
    bytes.extend_from_slice(&event.as_raw().signature);
    bytes.extend_from_slice(&context);
    bytes.extend_from_slice(header.previous.as_bytes());
    bytes.extend_from_slice(&header.clock.0.to_be_bytes());
    bytes.extend_from_slice(&header.wall_ms.to_be_bytes());
    bytes.extend_from_slice(&header.generation.to_be_bytes());
    bytes.extend_from_slice(&header.kind.to_be_bytes());
}

/// Takes a kept event back, with the content that is kept with it.
fn unpack(
    read: &(impl Read + ?Sized),
    conversation: &ConversationId,
    id: &ContentId,
    bytes: &[u8],
) -> Result<UnverifiedEvent, ReadError> {
    let damaged = || ReadError::Damaged { table: Table::Event };
    let (format, rest) = bytes.split_first().ok_or_else(damaged)?;
    let (signature, rest) = rest.split_at_checked(SIGNATURE_LENGTH).ok_or_else(damaged)?;
    let (header, content) = match *format {
        VERBATIM => (rest.to_vec(), None),
        COMPACT => (unpack_compact(conversation, id, rest).ok_or_else(damaged)?.encode(), None),
        WHOLE | SHORT => {
            let (name, rest) = rest.split_first_chunk().ok_or_else(damaged)?;
            let context = load_context(read, conversation, name)?.ok_or_else(damaged)?;
            let (header, content) =
                unpack_short(conversation, id, context, rest, *format == WHOLE).ok_or_else(damaged)?;
            (header.encode(), content)
        }
        format => return Err(ReadError::FromTheFuture { format }),
    };
    Ok(UnverifiedEvent { header, signature: signature.to_vec(), content })
}

fn unpack_compact(conversation: &ConversationId, id: &ContentId, bytes: &[u8]) -> Option<Header> {
    let mut fields = Fields(bytes);
    Some(Header {
        conversation: *conversation,
        feed: id.feed,
        sequence: id.sequence,
        previous: Hash::new(fields.take()?),
        clock: Clock(u64::from_be_bytes(fields.take()?)),
        wall_ms: u64::from_be_bytes(fields.take()?),
        generation: u32::from_be_bytes(fields.take()?),
        group: GroupId::new(fields.take()?),
        epoch: u64::from_be_bytes(fields.take()?),
        log: LogHead { next: u64::from_be_bytes(fields.take()?), hash: Hash::new(fields.take()?) },
        kind: u16::from_be_bytes(fields.take()?),
        content: Hash::new(fields.take()?),
    })
}

fn unpack_short(
    conversation: &ConversationId,
    id: &ContentId,
    context: Context,
    bytes: &[u8],
    whole: bool,
) -> Option<(Header, Option<Content>)> {
    let mut fields = Fields(bytes);
    let Context { group, epoch, log } = context;
    let mut header = Header {
        conversation: *conversation,
        feed: id.feed,
        sequence: id.sequence,
        previous: Hash::new(fields.take()?),
        clock: Clock(u64::from_be_bytes(fields.take()?)),
        wall_ms: u64::from_be_bytes(fields.take()?),
        generation: u32::from_be_bytes(fields.take()?),
        group,
        epoch,
        log,
        kind: u16::from_be_bytes(fields.take()?),
        content: ZERO,
    };
    if whole {
        let salt = fields.take::<{ Content::SALT_BYTES }>()?.to_vec();
        let content = Content { salt, body: fields.0.to_vec() };
        header.content = content.hash();
        return Some((header, Some(content)));
    }
    header.content = Hash::new(fields.take()?);
    Some((header, None))
}

struct Fields<'a>(&'a [u8]);

impl Fields<'_> {
    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (field, rest) = self.0.split_at_checked(N)?;
        self.0 = rest;
        field.try_into().ok()
    }
}

/// A content as it is kept apart.
fn pack_content(content: &Content) -> Vec<u8> {
    [&[CONTENT], content.salt.as_slice(), content.body.as_slice()].concat()
}

fn load_apart(read: &(impl Read + ?Sized), key: &[u8]) -> Result<Option<Content>, ReadError> {
    let Some(bytes) = read.get(Table::Content, key)? else { return Ok(None) };
    let damaged = ReadError::Damaged { table: Table::Content };
    let (format, rest) = bytes.split_first().ok_or(damaged.clone())?;
    if *format != CONTENT {
        return Err(ReadError::FromTheFuture { format: *format });
    }
    let (salt, body) = rest.split_at_checked(Content::SALT_BYTES).ok_or(damaged)?;
    Ok(Some(Content { salt: salt.to_vec(), body: body.to_vec() }))
}

/// Reads a content, unless it is absent.
pub(crate) fn load_content(
    read: &(impl Read + ?Sized),
    conversation: &ConversationId,
    id: &ContentId,
) -> Result<Option<Content>, ReadError> {
    let event = load_event(read, conversation, id)?;
    Ok(event.and_then(|event| event.content().cloned()))
}

/// Reads a kept event without its content.
pub(crate) fn load_header(
    read: &(impl Read + ?Sized),
    conversation: &ConversationId,
    id: &ContentId,
) -> Result<Option<Event>, ReadError> {
    let Some(bytes) = read.get(Table::Event, &key::event(conversation, id))? else { return Ok(None) };
    let raw = UnverifiedEvent { content: None, ..unpack(read, conversation, id, &bytes)? };
    Event::from_store(raw).map(Some).map_err(|_| ReadError::Damaged { table: Table::Event })
}

/// Reads a kept event with its content, where there is one.
pub(crate) fn load_event(
    read: &(impl Read + ?Sized),
    conversation: &ConversationId,
    id: &ContentId,
) -> Result<Option<Event>, ReadError> {
    let key = key::event(conversation, id);
    let Some(bytes) = read.get(Table::Event, &key)? else { return Ok(None) };
    let mut raw = unpack(read, conversation, id, &bytes)?;
    if raw.content.is_none() {
        raw.content = load_apart(read, &key)?;
    }
    Event::from_store(raw).map(Some).map_err(|_| ReadError::Damaged { table: Table::Event })
}

/// Where an event came from in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Shown {
    /// The event's kind.
    pub(crate) kind: u16,
    /// It came as it was written, not by repair.
    pub(crate) live: bool,
    /// When it came, by this device's clock.
    pub(crate) arrived: Timestamp,
}

impl Shown {
    const FORMAT: u8 = 1;

    pub(crate) fn pack(self) -> Vec<u8> {
        let mut bytes = vec![Self::FORMAT, u8::from(self.live)];
        bytes.extend_from_slice(&self.kind.to_be_bytes());
        bytes.extend_from_slice(&self.arrived.0.to_be_bytes());
        bytes
    }

    pub(crate) fn unpack(bytes: &[u8]) -> Result<Self, ReadError> {
        let mut fields = Fields(bytes);
        let mut parse = || {
            let [format, live] = fields.take()?;
            let kind = u16::from_be_bytes(fields.take()?);
            let arrived = Timestamp(u64::from_be_bytes(fields.take()?));
            (format == Self::FORMAT).then_some(Self { kind, live: live == 1, arrived })
        };
        parse().ok_or(ReadError::Damaged { table: Table::Timeline })
    }
}

/// Reads a feed's row.
pub(crate) fn load_feed(
    read: &(impl Read + ?Sized),
    conversation: &ConversationId,
    feed: &FeedId,
) -> Result<Option<FeedRow>, ReadError> {
    load(read, Table::Feed, &key::feed(conversation, feed))
}
