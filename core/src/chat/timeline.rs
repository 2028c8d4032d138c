//! The order of display, read page by page, and the row of a conversation in the list of chats.
//!
//! It folds nothing itself and writes nothing: the index is kept by [`super::fold`] while events come to count and cease to.
//!
//! Invariant: the order is (clock, feed, sequence) of the events that count, and a page reads its own items only.

use serde::{Deserialize, Serialize};

use super::feed::read_mark::is_message;
use super::feed::row::{self, FeedRow, Heads, Shown};
use super::feed::{Me, key};
use super::fold::{Item, fold, is_erased};
use super::roster::Roster;
use crate::store::{Range, Read, ReadError, Row, Table};
use crate::types::{Clock, ContentId, ConversationId, Timestamp};
use crate::wire::codec::Body;

/// Where a page lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Anchor {
    /// The end of the timeline.
    Newest,
    /// Right before this item.
    Before(ContentId),
    /// Right after this item.
    After(ContentId),
    /// This item, and about as much on either side.
    Around(ContentId),
}

/// A conversation in the list of chats.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Summary {
    /// The last item in order of display.
    pub last: Option<Item>,
    /// Messages of others beyond the account's read marks.
    pub unread: u32,
}

/// What is kept of it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct SummaryRow {
    #[serde(rename = "l")]
    pub(super) last: Option<(Clock, ContentId)>,
    #[serde(rename = "u")]
    pub(super) unread: u32,
}

impl Body for SummaryRow {
    const MAX_BYTES: usize = 256;
}

/// A part of the timeline, and whether there is more on either side.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Page {
    /// In order of display.
    pub items: Vec<Item>,
    /// There is something before them.
    pub before: bool,
    /// There is something after them.
    pub after: bool,
}

/// A page of at most `limit` items, in order of display. Empty when the item of the anchor is not here.
///
/// # Errors
/// When the store cannot be read.
pub fn page(
    read: &(impl Read + ?Sized),
    conversation: &ConversationId,
    roster: &Roster,
    me: &Me,
    anchor: Anchor,
    limit: usize,
) -> Result<Vec<Item>, ReadError> {
    let rows = rows(read, conversation, anchor, limit)?.unwrap_or_default();
    items(read, conversation, roster, me, &rows)
}

/// A page of at most `limit` items with what lies on its sides; none when the item of the anchor is not here.
///
/// # Errors
/// When the store cannot be read.
pub fn page_with_sides(
    read: &(impl Read + ?Sized),
    conversation: &ConversationId,
    roster: &Roster,
    me: &Me,
    anchor: Anchor,
    limit: usize,
) -> Result<Option<Page>, ReadError> {
    let Some(rows) = rows(read, conversation, anchor, limit)? else { return Ok(None) };
    let any = |range: Range, key: &[u8]| -> Result<bool, ReadError> {
        Ok(!read.scan(Table::Timeline, conversation.as_bytes(), range.beyond(key.to_vec()))?.is_empty())
    };
    let (before, after) = match (rows.first(), rows.last()) {
        (Some(first), Some(last)) => (any(Range::last(1), &first.key)?, any(Range::first(1), &last.key)?),
        // The anchor itself is on the other side.
        _ => (matches!(anchor, Anchor::After(_)), matches!(anchor, Anchor::Before(_))),
    };
    Ok(Some(Page { items: items(read, conversation, roster, me, &rows)?, before, after }))
}

fn rows(
    read: &(impl Read + ?Sized),
    conversation: &ConversationId,
    anchor: Anchor,
    limit: usize,
) -> Result<Option<Vec<Row>>, ReadError> {
    let key = match anchor {
        Anchor::Newest => return backwards(read, conversation, None, limit).map(Some),
        Anchor::Before(id) | Anchor::After(id) | Anchor::Around(id) => position(read, conversation, &id)?,
    };
    let Some(key) = key else { return Ok(None) };
    let mut rows = match anchor {
        Anchor::Newest | Anchor::Before(_) => backwards(read, conversation, Some(key), limit)?,
        Anchor::After(_) => read.scan(Table::Timeline, conversation.as_bytes(), Range::first(limit).beyond(key))?,
        Anchor::Around(_) => around(read, conversation, key, limit)?,
    };
    rows.truncate(limit);
    Ok(Some(rows))
}

fn items(
    read: &(impl Read + ?Sized),
    conversation: &ConversationId,
    roster: &Roster,
    me: &Me,
    rows: &[Row],
) -> Result<Vec<Item>, ReadError> {
    let mut items = Vec::with_capacity(rows.len());
    for row in rows {
        items.extend(item(read, conversation, roster, me, row)?);
    }
    Ok(items)
}

/// The first message, in order of display, that was not read.
///
/// # Errors
/// When the store cannot be read.
pub fn first_unread(
    read: &(impl Read + ?Sized),
    conversation: &ConversationId,
    roster: &Roster,
    me: &Me,
) -> Result<Option<ContentId>, ReadError> {
    let mut first = None;
    for kept in read.scan(Table::Feed, conversation.as_bytes(), Range::all())? {
        let Some(feed) = key::read_feed(&kept.key).filter(|_| kept.key.len() == key::FEED_KEY_BYTES) else { continue };
        let row = FeedRow::decode(&kept.value).map_err(|error| row::damaged(Table::Feed, &error))?;
        if row.unread == 0 {
            continue;
        }
        for sequence in row.read.max(row.low)..row.next {
            let id = ContentId { feed, sequence };
            let Some(event) = row::load_header(read, conversation, &id)? else { continue };
            if is_message(event.header().kind) && !is_erased(read, conversation, roster, me, &id)? {
                let place = (event.header().clock, id);
                first = Some(first.map_or(place, |earlier: (Clock, ContentId)| earlier.min(place)));
                break;
            }
        }
    }
    Ok(first.map(|(_, id)| id))
}

/// When something was last written in a conversation, by its clock.
///
/// # Errors
/// When the store cannot be read.
pub fn active(read: &(impl Read + ?Sized), conversation: &ConversationId) -> Result<Timestamp, ReadError> {
    let heads: Option<Heads> = row::load(read, Table::Feed, conversation.as_bytes())?;
    Ok(heads.unwrap_or_default().clock.wall())
}

/// One item of the timeline, if it is one.
///
/// # Errors
/// When the store cannot be read.
pub fn item_at(
    read: &(impl Read + ?Sized),
    conversation: &ConversationId,
    roster: &Roster,
    me: &Me,
    id: &ContentId,
) -> Result<Option<Item>, ReadError> {
    let Some(key) = position(read, conversation, id)? else { return Ok(None) };
    let Some(value) = read.get(Table::Timeline, &key)? else { return Ok(None) };
    item(read, conversation, roster, me, &Row { key, value })
}

/// The conversation in the list of chats.
///
/// # Errors
/// When the store cannot be read.
pub fn summary(
    read: &(impl Read + ?Sized),
    conversation: &ConversationId,
    roster: &Roster,
    me: &Me,
) -> Result<Summary, ReadError> {
    let kept: SummaryRow = row::load(read, Table::Summary, conversation.as_bytes())?.unwrap_or_default();
    let last = match kept.last {
        Some((_, id)) => item_at(read, conversation, roster, me, &id)?,
        None => None,
    };
    Ok(Summary { last, unread: kept.unread })
}

/// Messages of others beyond the account's read marks.
///
/// # Errors
/// When the store cannot be read.
pub fn unread(read: &(impl Read + ?Sized), conversation: &ConversationId) -> Result<u32, ReadError> {
    let kept: Option<SummaryRow> = row::load(read, Table::Summary, conversation.as_bytes())?;
    Ok(kept.unwrap_or_default().unread)
}

/// The first item in order of display.
///
/// # Errors
/// When the store cannot be read.
pub fn first(read: &(impl Read + ?Sized), conversation: &ConversationId) -> Result<Option<ContentId>, ReadError> {
    let rows = read.scan(Table::Timeline, conversation.as_bytes(), Range::first(1))?;
    Ok(rows.first().and_then(|row| key::read_place(&row.key)))
}

/// The last place in order of display.
pub(super) fn last(
    read: &(impl Read + ?Sized),
    conversation: &ConversationId,
) -> Result<Option<(Clock, ContentId)>, ReadError> {
    let rows = read.scan(Table::Timeline, conversation.as_bytes(), Range::last(1))?;
    Ok(rows.first().and_then(|row| Some((key::read_clock(&row.key)?, key::read_place(&row.key)?))))
}

fn backwards(
    read: &(impl Read + ?Sized),
    conversation: &ConversationId,
    before: Option<Vec<u8>>,
    limit: usize,
) -> Result<Vec<Row>, ReadError> {
    let range = Range { after: before, ..Range::last(limit) };
    let mut rows = read.scan(Table::Timeline, conversation.as_bytes(), range)?;
    rows.reverse();
    Ok(rows)
}

fn around(
    read: &(impl Read + ?Sized),
    conversation: &ConversationId,
    key: Vec<u8>,
    limit: usize,
) -> Result<Vec<Row>, ReadError> {
    let before = limit.saturating_sub(1) / 2;
    let mut rows = if before == 0 { Vec::new() } else { backwards(read, conversation, Some(key.clone()), before)? };
    if let Some(value) = read.get(Table::Timeline, &key)? {
        rows.push(Row { key: key.clone(), value });
    }
    let left = limit.saturating_sub(rows.len());
    if left > 0 {
        rows.extend(read.scan(Table::Timeline, conversation.as_bytes(), Range::first(left).beyond(key))?);
    }
    Ok(rows)
}

/// The key of an event's place in the order of display.
fn position(
    read: &(impl Read + ?Sized),
    conversation: &ConversationId,
    id: &ContentId,
) -> Result<Option<Vec<u8>>, ReadError> {
    let held = row::load_header(read, conversation, id)?;
    Ok(held.map(|event| key::timeline(conversation, event.header().clock, id)))
}

fn item(
    read: &(impl Read + ?Sized),
    conversation: &ConversationId,
    roster: &Roster,
    me: &Me,
    row: &Row,
) -> Result<Option<Item>, ReadError> {
    let Some(id) = key::read_place(&row.key) else { return Ok(None) };
    fold(read, conversation, roster, me, &id, Shown::unpack(&row.value)?)
}
