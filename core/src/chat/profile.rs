//! What an account says about itself: a name, some words, a picture.
//!
//! It is set in the conversation with oneself, and from there copied into every other conversation whose members all understand it.
//! A copy says when it was set, by the clock of the conversation with oneself; of several the latest counts, and of two of one
//! time the later one in order of display. A picture's bytes travel once to each conversation: later copies name it by its hash.
//!
//! Invariants: one row and one picture an account, both bounded; nothing here decides whose account it is.

use serde::{Deserialize, Serialize};

use super::api::Notice;
use super::feed::Counted;
use super::turn::{EngineError, Turn, get};
use crate::store::{Read, Scope, Table};
use crate::types::{AccountId, Clock, ContentId, ConversationId, Hash};
use crate::wire::codec::{Body, hash};
use crate::wire::message::{MAX_PICTURE, Profile as Told};

/// What the record of an account says whose devices understand it.
pub const FEATURE: &str = "profile/1";

/// When it was set; and of a copy, where it is displayed.
type Stamp = (Clock, Clock, ContentId);

/// What is kept of an account's.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Profile {
    /// What it calls itself, as it says.
    #[serde(rename = "n")]
    pub name: Option<String>,
    /// Its words about itself, as it says.
    #[serde(rename = "a")]
    pub about: Option<String>,
    /// Names its picture, which may not have come yet.
    #[serde(rename = "p")]
    pub picture: Option<Hash>,
    #[serde(rename = "s")]
    stamp: Stamp,
}

impl Body for Profile {
    const MAX_BYTES: usize = 4096;
}

impl std::fmt::Debug for Profile {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Profile").field("stamp", &self.stamp).finish_non_exhaustive()
    }
}

impl Profile {
    /// When it was set, by the clock of its account's conversation with itself.
    pub(super) const fn set(&self) -> Clock {
        self.stamp.0
    }

    /// Where it was read.
    pub(super) const fn place(&self) -> ContentId {
        self.stamp.2
    }
}

#[derive(Serialize, Deserialize)]
struct Picture {
    #[serde(rename = "h")]
    hash: Hash,
    #[serde(rename = "b", with = "serde_bytes")]
    bytes: Vec<u8>,
}

impl Body for Picture {
    const MAX_BYTES: usize = MAX_PICTURE + 256;
}

/// What a conversation was told of the own profile.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Copied {
    /// The latest copy in it is of this one.
    #[serde(rename = "s")]
    pub(super) set: Clock,
    /// The picture whose bytes are in it.
    #[serde(rename = "p")]
    pub(super) picture: Option<Hash>,
    /// Where they are.
    #[serde(rename = "w")]
    pub(super) place: Option<ContentId>,
}

impl Body for Copied {
    const MAX_BYTES: usize = 256;
}

/// What an account says about itself, if it says anything.
///
/// # Errors
/// If the store does not answer or the row cannot be read.
pub fn profile(read: &(impl Read + ?Sized), account: &AccountId) -> Result<Option<Profile>, EngineError> {
    get(read, Table::Account, &key(account))
}

/// An account's picture: PNG or JPEG as it was sent, and not looked into.
///
/// # Errors
/// If the store does not answer or the row cannot be read.
pub fn picture(read: &(impl Read + ?Sized), account: &AccountId) -> Result<Option<Vec<u8>>, EngineError> {
    Ok(kept_picture(read, account)?.map(|kept| kept.bytes))
}

/// The name of a picture.
pub fn picture_hash(bytes: &[u8]) -> Hash {
    hash("kith/picture/1", &[bytes])
}

/// Whether bytes may be a picture: of a kind and a size that are shown.
pub fn is_picture(bytes: &[u8]) -> bool {
    const PNG: &[u8] = b"\x89PNG\r\n\x1a\n";
    const JPEG: &[u8] = &[0xff, 0xd8, 0xff];
    bytes.len() <= MAX_PICTURE && (bytes.starts_with(PNG) || bytes.starts_with(JPEG))
}

fn kept_picture(read: &(impl Read + ?Sized), account: &AccountId) -> Result<Option<Picture>, EngineError> {
    get(read, Table::Account, &picture_key(account))
}

/// What a conversation was told of the own profile.
pub(super) fn copied(read: &(impl Read + ?Sized), conversation: &ConversationId) -> Result<Copied, EngineError> {
    Ok(get(read, Table::Conversation, &copied_key(conversation))?.unwrap_or_default())
}

fn key(account: &AccountId) -> Vec<u8> {
    [account.as_ref(), b"/profile"].concat()
}

fn picture_key(account: &AccountId) -> Vec<u8> {
    [account.as_ref(), b"/picture"].concat()
}

fn copied_key(conversation: &ConversationId) -> Vec<u8> {
    [conversation.as_ref(), b"/profile"].concat()
}

/// The own profile was set, here or on another of one's devices. Says whether it is another than before.
pub(super) fn set(turn: &mut Turn<'_>, counted: &Counted) -> Result<bool, EngineError> {
    let Some(told) = told(counted) else { return Ok(false) };
    take(turn, counted.author, (counted.clock, counted.clock, counted.id), told)
}

/// A copy counts: of a member's profile, or of the own one by one of one's devices.
pub(super) fn copy(
    turn: &mut Turn<'_>,
    conversation: ConversationId,
    own: AccountId,
    counted: &Counted,
) -> Result<(), EngineError> {
    let Some(told) = told(counted) else { return Ok(()) };
    if counted.author == own {
        let mut copied = copied(&turn.read(), &conversation)?;
        copied.set = copied.set.max(told.set);
        if told.bytes.is_some() {
            (copied.picture, copied.place) = (told.picture, Some(counted.id));
        }
        turn.put(Table::Conversation, Scope::Conversation(conversation), &copied_key(&conversation), &copied);
        return Ok(());
    }
    take(turn, counted.author, (told.set, counted.clock, counted.id), told).map(drop)
}

fn told(counted: &Counted) -> Option<Told> {
    counted.content.as_ref().and_then(|content| Told::decode(&content.body).ok())
}

fn take(turn: &mut Turn<'_>, account: AccountId, stamp: Stamp, told: Told) -> Result<bool, EngineError> {
    let known = profile(&turn.read(), &account)?;
    let later = known.as_ref().is_none_or(|known| known.stamp < stamp);
    let bytes = told.bytes.filter(|bytes| Some(picture_hash(bytes)) == told.picture && is_picture(bytes));
    let profile = match known {
        Some(known) if !later => known,
        _ => Profile { name: told.name, about: told.about, picture: told.picture, stamp },
    };
    if later {
        turn.put(Table::Account, Scope::Account, &key(&account), &profile);
    }
    let came = keep_picture(turn, &account, profile.picture, told.picture, bytes.map(serde_bytes::ByteBuf::into_vec))?;
    if later || came {
        turn.effects.notices.push(Notice::Profile { account });
    }
    Ok(later)
}

/// Keeps the bytes of the picture that counts, whichever copy brought them. Says whether they are new.
fn keep_picture(
    turn: &mut Turn<'_>,
    account: &AccountId,
    counts: Option<Hash>,
    named: Option<Hash>,
    bytes: Option<Vec<u8>>,
) -> Result<bool, EngineError> {
    let kept = kept_picture(&turn.read(), account)?.map(|kept| kept.hash);
    if kept.is_some() && kept != counts {
        turn.effects.batch.delete(Table::Account, picture_key(account));
    }
    match (counts, bytes) {
        (Some(hash), Some(bytes)) if named == Some(hash) && kept != Some(hash) => {
            turn.put(Table::Account, Scope::Account, &picture_key(account), &Picture { hash, bytes });
            Ok(true)
        }
        _ => Ok(false),
    }
}

#[cfg(test)]
mod tests {
    use rand_core::SeedableRng;

    use super::*;
    use crate::chat::api::{Effects, Now};
    use crate::store::MemoryStore;
    use crate::types::{DeviceId, FeedId, GroupId, Incarnation, Rng, Timestamp};
    use crate::wire::event::{Content, LogHead};
    use crate::wire::message::Kind;

    const OWN: AccountId = AccountId::new([1; 32]);
    const OTHER: AccountId = AccountId::new([2; 32]);

    fn picture_of(last: u8) -> Vec<u8> {
        [b"\x89PNG\r\n\x1a\n".as_slice(), &[last]].concat()
    }

    fn counted(sequence: u64, told: &Told) -> Counted {
        let feed = FeedId { device: DeviceId::new([3; 32]), incarnation: Incarnation::new([4; 8]) };
        let log = (GroupId::new([0; 32]), LogHead { next: 0, hash: Hash::new([0; 32]) });
        Counted {
            id: ContentId { feed, sequence },
            author: OTHER,
            kind: Kind::Profile as u16,
            clock: Clock(sequence),
            log,
            content: Some(Content { salt: vec![0; 16], body: told.encode() }),
        }
    }

    /// What is known after copies came in this order.
    fn after(order: &[&Counted]) -> (Option<Profile>, Option<Vec<u8>>, usize) {
        let (mut store, mut rng) = (MemoryStore::new(), Rng::seed_from_u64(1));
        let mut notices = 0;
        for copied in order {
            let mut effects = Effects::default();
            let now = Now { wall: Timestamp(1), mono_ms: 1 };
            let mut turn = Turn { now, rng: &mut rng, base: &store, effects: &mut effects };
            copy(&mut turn, ConversationId::new([5; 32]), OWN, copied).unwrap();
            notices += effects.notices.len();
            store.apply(&effects.batch);
        }
        (profile(&store, &OTHER).unwrap(), picture(&store, &OTHER).unwrap(), notices)
    }

    #[test]
    fn the_latest_counts_and_finds_its_picture_in_whatever_order_copies_come() {
        let (old, new) = (picture_of(1), picture_of(2));
        let told = |name: &str, picture: &[u8], bytes: bool, set: u64| Told {
            name: Some(name.to_owned()),
            about: None,
            picture: Some(picture_hash(picture)),
            bytes: bytes.then(|| picture.to_vec().into()),
            set: Clock(set),
        };
        let copies = [
            counted(9, &told("first", &old, true, 1)),
            counted(2, &told("second", &new, true, 2)),
            counted(1, &told("third", &new, false, 3)),
        ];
        for order in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
            let (profile, picture, notices) = after(&order.map(|place| &copies[place]));
            assert_eq!(profile.unwrap().name.as_deref(), Some("third"), "{order:?}");
            assert_eq!(picture.as_ref(), Some(&new), "{order:?}");
            assert!((2..=3).contains(&notices), "{order:?}");
        }
    }

    #[test]
    fn bytes_that_are_not_the_picture_named_are_not_kept() {
        let wrong = Told {
            picture: Some(picture_hash(&picture_of(1))),
            bytes: Some(picture_of(2).into()),
            set: Clock(1),
            ..Told::default()
        };
        let text = b"not a picture".to_vec();
        let odd =
            Told { picture: Some(picture_hash(&text)), bytes: Some(text.into()), set: Clock(1), ..Told::default() };
        for told in [wrong, odd] {
            let (profile, picture, _) = after(&[&counted(1, &told)]);
            assert!(profile.unwrap().picture.is_some());
            assert_eq!(picture, None);
        }
    }
}
