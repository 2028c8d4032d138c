//! What the devices of an account agree on about a conversation without asking its members: a draft, whether it stands above the
//! others, whether it makes a sound.
//!
//! It travels as events in the conversation with oneself. Of several the latest by (clock, feed, sequence) counts, on every device
//! in whatever order they came.

use serde::{Deserialize, Serialize};

use super::api::Notice;
use super::feed::Counted;
use super::label;
use super::turn::{EngineError, Turn, get};
use crate::store::{Read, Scope, Table};
use crate::types::{Clock, ContentId, ConversationId};
use crate::wire::codec::Body;
use crate::wire::message::{Draft, Kind, MAX_TEXT, Setting};

/// What a setting of a conversation is called: this, the conversation's id, `/`, and which.
const PREFIX: &str = "chat/";
const PINNED: &str = "pinned";
const MUTED: &str = "muted";
const ON: &str = "1";
const OFF: &str = "0";

/// A place in the order of the conversation with oneself.
pub(super) type At = (Clock, ContentId);

/// A value, and since when it is so.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Kept<T> {
    #[serde(rename = "v")]
    pub(super) value: T,
    /// None of what no other device was told.
    #[serde(rename = "a")]
    at: Option<At>,
}

/// How a conversation stands on the account's devices.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shelf {
    #[serde(rename = "d")]
    draft: Option<Kept<String>>,
    #[serde(rename = "p")]
    pinned: Option<Kept<bool>>,
    #[serde(rename = "m")]
    muted: Option<Kept<bool>>,
}

impl std::fmt::Debug for Shelf {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Shelf")
            .field("pinned", &self.pinned)
            .field("muted", &self.muted)
            .finish_non_exhaustive()
    }
}

impl Body for Shelf {
    const MAX_BYTES: usize = MAX_TEXT + 1024;
}

impl Shelf {
    /// What was typed and not sent.
    pub fn draft(&self) -> Option<&str> {
        self.draft.as_ref().map(|kept| kept.value.as_str()).filter(|text| !text.is_empty())
    }

    /// Whether it stands above the others.
    pub fn is_pinned(&self) -> bool {
        self.pinned.as_ref().is_some_and(|kept| kept.value)
    }

    /// Whether it makes no sound.
    pub fn is_muted(&self) -> bool {
        self.muted.as_ref().is_some_and(|kept| kept.value)
    }

    /// Keeps a draft that no other device is told of.
    pub(super) fn type_alone(&mut self, text: String) {
        self.draft = Some(Kept { value: text, at: None });
    }
}

/// Reads how a conversation stands.
///
/// # Errors
/// If the store does not answer or the row cannot be read.
pub fn shelf(read: &(impl Read + ?Sized), conversation: &ConversationId) -> Result<Shelf, EngineError> {
    Ok(get(read, Table::Conversation, &key(conversation))?.unwrap_or_default())
}

/// Keeps how a conversation stands.
pub(super) fn keep(turn: &mut Turn<'_>, conversation: ConversationId, shelf: &Shelf) {
    turn.put(Table::Conversation, Scope::Conversation(conversation), &key(&conversation), shelf);
}

fn key(conversation: &ConversationId) -> Vec<u8> {
    [conversation.as_ref(), b"/shelf"].concat()
}

/// The settings that say how a conversation is to stand; what is not named stays.
pub(super) fn settings(conversation: ConversationId, pinned: Option<bool>, muted: Option<bool>) -> Vec<Setting> {
    let setting = |which: &str, on: bool| Setting {
        name: format!("{PREFIX}{conversation}/{which}"),
        value: if on { ON } else { OFF }.to_owned(),
    };
    pinned.map(|on| setting(PINNED, on)).into_iter().chain(muted.map(|on| setting(MUTED, on))).collect()
}

/// An event of the conversation with oneself counts, this device's own too. What a newer Kith says is left to it.
pub(super) fn counted(turn: &mut Turn<'_>, counted: &Counted) -> Result<(), EngineError> {
    let Some(content) = &counted.content else { return Ok(()) };
    let at = (counted.clock, counted.id);
    match Kind::from_number(counted.kind) {
        Some(Kind::Setting) => match Setting::decode(&content.body) {
            Ok(setting) => set(turn, at, setting),
            Err(_) => Ok(()),
        },
        Some(Kind::Draft) => match Draft::decode(&content.body) {
            Ok(draft) => change(turn, draft.conversation, |shelf| put(&mut shelf.draft, draft.text, at)),
            Err(_) => Ok(()),
        },
        _ => Ok(()),
    }
}

fn set(turn: &mut Turn<'_>, at: At, setting: Setting) -> Result<(), EngineError> {
    let Some((conversation, which)) = setting.name.strip_prefix(PREFIX).and_then(|rest| rest.split_once('/')) else {
        return label::set(turn, at, setting);
    };
    let (Ok(conversation), Some(on)) = (conversation.parse(), parse(&setting.value)) else { return Ok(()) };
    change(turn, conversation, |shelf| match which {
        PINNED => put(&mut shelf.pinned, on, at),
        MUTED => put(&mut shelf.muted, on, at),
        _ => false,
    })
}

fn parse(value: &str) -> Option<bool> {
    match value {
        ON => Some(true),
        OFF => Some(false),
        _ => None,
    }
}

/// Puts a value in the place of an earlier one. Says whether it was one.
pub(super) fn put<T>(slot: &mut Option<Kept<T>>, value: T, at: At) -> bool {
    let later = slot.as_ref().is_none_or(|kept| kept.at.is_none_or(|before| before < at));
    if later {
        *slot = Some(Kept { value, at: Some(at) });
    }
    later
}

fn change(
    turn: &mut Turn<'_>,
    conversation: ConversationId,
    change: impl FnOnce(&mut Shelf) -> bool,
) -> Result<(), EngineError> {
    let mut shelf = shelf(&turn.read(), &conversation)?;
    if change(&mut shelf) {
        keep(turn, conversation, &shelf);
        turn.effects.notices.push(Notice::Listed { conversation });
    }
    Ok(())
}
