//! Keys of the rows that feeds are kept in. Layouts are in the documentation of [`crate::store`].

use crate::types::{AccountId, Clock, ContentId, ConversationId, DeviceId, FeedId, Incarnation};

/// Length of a feed's part of a key: device id and incarnation.
pub(crate) const FEED_BYTES: usize = DeviceId::LEN + Incarnation::LEN;
/// Length of a place's part of a key: feed and sequence.
pub(crate) const PLACE_BYTES: usize = FEED_BYTES + 8;
/// Length of the key of a feed's row.
pub(crate) const FEED_KEY_BYTES: usize = ConversationId::LEN + FEED_BYTES;

/// The key of a feed's row, and the beginning of the keys of its events.
pub(crate) fn feed(conversation: &ConversationId, feed: &FeedId) -> Vec<u8> {
    let mut key = Vec::with_capacity(FEED_KEY_BYTES.saturating_add(8));
    key.extend_from_slice(conversation.as_bytes());
    push_feed(&mut key, feed);
    key
}

/// The key of a feed's fault.
pub(crate) fn fault(conversation: &ConversationId, id: &FeedId) -> Vec<u8> {
    let mut key = feed(conversation, id);
    key.push(1);
    key
}

/// The key of an event, its content, and it while it is parked.
pub(crate) fn event(conversation: &ConversationId, id: &ContentId) -> Vec<u8> {
    let mut key = feed(conversation, &id.feed);
    key.extend_from_slice(&id.sequence.to_be_bytes());
    key
}

/// The key of what many events share.
pub(crate) fn context(conversation: &ConversationId, name: &[u8; 8]) -> Vec<u8> {
    [conversation.as_bytes().as_slice(), name].concat()
}

/// The key of an item in the order of display.
pub(crate) fn timeline(conversation: &ConversationId, clock: Clock, id: &ContentId) -> Vec<u8> {
    let mut key = Vec::with_capacity(ConversationId::LEN.saturating_add(PLACE_BYTES).saturating_add(8));
    key.extend_from_slice(conversation.as_bytes());
    key.extend_from_slice(&clock.0.to_be_bytes());
    push_place(&mut key, id);
    key
}

/// The beginning of the keys of what was said about an event.
pub(crate) fn changes(conversation: &ConversationId, target: &ContentId) -> Vec<u8> {
    let rest = AccountId::LEN.saturating_add(9);
    let mut key = Vec::with_capacity(ConversationId::LEN.saturating_add(2 * PLACE_BYTES).saturating_add(rest));
    key.extend_from_slice(conversation.as_bytes());
    push_place(&mut key, target);
    key
}

/// The beginning of the keys of what one account has said of one kind about an event.
pub(crate) fn changes_by(conversation: &ConversationId, target: &ContentId, kind: u8, account: &AccountId) -> Vec<u8> {
    let mut key = changes(conversation, target);
    key.push(kind);
    key.extend_from_slice(account.as_bytes());
    key
}

/// The key of an edit, a delete or a reaction, by the event it is about and whose it is.
pub(crate) fn change(
    conversation: &ConversationId,
    target: &ContentId,
    (kind, account): (u8, &AccountId),
    clock: Clock,
    by: &ContentId,
) -> Vec<u8> {
    let mut key = changes_by(conversation, target, kind, account);
    key.extend_from_slice(&clock.0.to_be_bytes());
    push_place(&mut key, by);
    key
}

/// The feed at the end of a feed row's key.
pub(crate) fn read_feed(key: &[u8]) -> Option<FeedId> {
    if key.len() != FEED_KEY_BYTES {
        return None;
    }
    let rest = key.get(ConversationId::LEN..)?;
    let (device, incarnation) = rest.split_at_checked(DeviceId::LEN)?;
    Some(FeedId { device: device.try_into().ok()?, incarnation: incarnation.try_into().ok()? })
}

/// The place at the end of a key.
pub(crate) fn read_place(key: &[u8]) -> Option<ContentId> {
    let start = key.len().checked_sub(PLACE_BYTES)?;
    let (device, rest) = key.get(start..)?.split_at_checked(DeviceId::LEN)?;
    let (incarnation, sequence) = rest.split_at_checked(Incarnation::LEN)?;
    let feed = FeedId { device: device.try_into().ok()?, incarnation: incarnation.try_into().ok()? };
    Some(ContentId { feed, sequence: u64::from_be_bytes(sequence.try_into().ok()?) })
}

/// The clock right before the place at the end of a key.
pub(crate) fn read_clock(key: &[u8]) -> Option<Clock> {
    let end = key.len().checked_sub(PLACE_BYTES)?;
    let start = end.checked_sub(8)?;
    Some(Clock(u64::from_be_bytes(key.get(start..end)?.try_into().ok()?)))
}

fn push_feed(key: &mut Vec<u8>, feed: &FeedId) {
    key.extend_from_slice(feed.device.as_bytes());
    key.extend_from_slice(feed.incarnation.as_bytes());
}

fn push_place(key: &mut Vec<u8>, id: &ContentId) {
    push_feed(key, &id.feed);
    key.extend_from_slice(&id.sequence.to_be_bytes());
}
