//! What people see of an event: its text as edited, its deletion, its reactions.
//!
//! Edits, transcripts, deletes, reactions and receipts of voice notes that were heard are kept as rows under the event that they are about, whether it is held yet or not, exactly
//! while they count themselves; an item is folded from them when it is shown. So nothing depends on the order of arrival. The rows
//! stand by account: whoever writes many of them buries only their own.
//!
//! Rules: an edit, a transcript or a delete counts only by the account of its target; of each the latest by (clock, feed, sequence) shows;
//! of one account's reactions the latest; a delete cannot be deleted; a deleted edit or reaction counts no more.

use std::collections::{BTreeMap, BTreeSet};

use super::attachment;
use super::feed::row::{self, Shown};
use super::feed::{Feeds, Me, key};
use super::roster::Roster;
use crate::store::{Range, Read, ReadError, Table};
use crate::types::{AccountId, Clock, ContentId, ConversationId, DeviceId, Timestamp};
use crate::wire::blob::Attachment;
use crate::wire::codec::Body;
use crate::wire::event::{Content, Event};
use crate::wire::message::{Delete, Edit, File, Kind, LongVoiceNote, Played, Reaction, Text, Transcript, VoiceNote};

/// How many edits of an event by its own account are looked at: more than a person makes.
const MAX_EDITS: usize = 4096;

/// How many accounts' reactions or receipts an item shows: more than a conversation has seats over its life.
const MAX_REACTING: usize = 1024;

/// The most bytes of a reaction.
const MAX_EMOJI: usize = 32;

/// A live message whose author's clock is off by more than this is shown at its arrival, in milliseconds: ten minutes.
const SHOWN_TOLERANCE_MS: u64 = 10 * 60 * 1000;

/// An item of a conversation's timeline.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// Its place.
    pub id: ContentId,
    /// Whose it is.
    pub author: AccountId,
    /// Its place in the order of display, before feed and sequence.
    pub clock: Clock,
    /// What its author's clock said.
    pub written: Timestamp,
    /// When it came here.
    pub arrived: Timestamp,
    /// The time to show.
    pub shown: Timestamp,
    /// What it says.
    pub body: ItemBody,
    /// Its text is not the first.
    pub edited: bool,
    /// The latest reaction of each account that has one.
    pub reactions: BTreeMap<AccountId, String>,
    /// What is said in a voice note, by its author.
    pub transcript: Option<Transcript>,
    /// Who has said that they heard all of a voice note.
    pub played: BTreeSet<AccountId>,
}

/// What an item says.
#[derive(Clone, PartialEq, Eq)]
pub enum ItemBody {
    /// A text.
    Text {
        /// As it was edited last.
        text: String,
        /// What it answers.
        reply_to: Option<ContentId>,
    },
    /// A voice note; [`voice_note`] reads its sound, if it has no attachment.
    VoiceNote {
        /// Its length in milliseconds, as its sender says.
        duration_ms: u32,
        /// Its waveform, 0–255.
        peaks: Vec<u8>,
        /// What its sound is fetched by, when it does not fit in the event.
        attachment: Option<Attachment>,
    },
    /// A file.
    File(Box<File>),
    /// Its author left the conversation.
    Left,
    /// Its author deleted it.
    Deleted,
    /// Its content has not come yet.
    Missing,
    /// A newer Kith is needed to show it.
    Newer {
        /// The number of its kind.
        kind: u16,
    },
    /// Its author wrote something that cannot be read.
    Malformed,
}

impl std::fmt::Debug for ItemBody {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(match self {
            Self::Text { .. } => "Text(…)",
            Self::VoiceNote { .. } => "VoiceNote(…)",
            Self::File(_) => "File(…)",
            Self::Left => "Left",
            Self::Deleted => "Deleted",
            Self::Missing => "Missing",
            Self::Newer { .. } => "Newer",
            Self::Malformed => "Malformed",
        })
    }
}

impl<R: Read + ?Sized> Feeds<'_, '_, R> {
    /// Puts what a counted event says where readers find it.
    pub(super) fn index(&mut self, event: &Event, live: bool) -> Result<(), ReadError> {
        let header = event.header();
        let id = super::feed::place(event);
        if is_shown(header.kind) {
            let shown = Shown { kind: header.kind, live, arrived: self.wall() };
            let key = key::timeline(&self.conversation, header.clock, &id);
            if self.tx.get(Table::Timeline, &key)?.is_none() {
                self.changes.appeared.insert(id);
            }
            self.tx.put(Table::Timeline, self.scope(), key, shown.pack());
            self.changes.touched.insert(id);
            if !self.is_deleted(&id)? {
                self.count_unread(&id, header.kind, 1)?;
            }
        }
        self.index_content(event)
    }

    /// The part of it that needs the event's content.
    pub(super) fn index_content(&mut self, event: &Event) -> Result<(), ReadError> {
        let header = event.header();
        let id = super::feed::place(event);
        if is_shown(header.kind) {
            self.changes.touched.insert(id);
        }
        if let Some(known) = event.content().and_then(|content| attachment::known(header.kind, content))
            && !self.is_deleted(&id)?
        {
            let key = key::event(&self.conversation, &id);
            self.tx.put(Table::Attachment, self.scope(), key, known.encode());
        }
        let Some((kind, target)) = event.content().and_then(|content| target(header.kind, content)) else {
            return Ok(());
        };
        if kind != Kind::Delete && self.is_deleted(&id)? {
            return Ok(());
        }
        let was_deleted = self.is_deleted(&target)?;
        let Some(key) = self.change_key(&target, kind, header.clock, &id) else { return Ok(()) };
        self.tx.put(Table::Change, self.scope(), key, [1]);
        self.changes.touched.insert(target);
        if kind == Kind::Delete && !was_deleted && self.is_deleted(&target)? {
            self.erase(&target)?;
        }
        Ok(())
    }

    /// Takes out what an event said, because it counts no more.
    pub(super) fn unindex(&mut self, event: &Event) -> Result<(), ReadError> {
        let header = event.header();
        let id = super::feed::place(event);
        if is_shown(header.kind) {
            self.tx.delete(Table::Timeline, key::timeline(&self.conversation, header.clock, &id));
            self.changes.touched.insert(id);
            if !self.is_deleted(&id)? {
                self.count_unread(&id, header.kind, -1)?;
            }
        }
        self.unindex_content(event)
    }

    fn unindex_content(&mut self, event: &Event) -> Result<(), ReadError> {
        let header = event.header();
        let id = super::feed::place(event);
        if attachment::may_have(header.kind) {
            let key = key::event(&self.conversation, &id);
            self.tx.delete(Table::Attachment, key);
        }
        let Some((kind, target)) = event.content().and_then(|content| target(header.kind, content)) else {
            return Ok(());
        };
        let was_deleted = self.is_deleted(&target)?;
        let Some(key) = self.change_key(&target, kind, header.clock, &id) else { return Ok(()) };
        self.tx.delete(Table::Change, key);
        self.changes.touched.insert(target);
        if kind == Kind::Delete && was_deleted && !self.is_deleted(&target)? {
            self.want_back(&target)?;
        }
        Ok(())
    }

    /// A delete of an event counts: its content goes.
    fn erase(&mut self, target: &ContentId) -> Result<(), ReadError> {
        let mut row = self.row(&target.feed)?;
        if !row.counts(target.sequence) {
            return Ok(());
        }
        let Some(event) = row::load_event(self.tx, &self.conversation, target)? else { return Ok(()) };
        if event.header().kind == Kind::Delete as u16 {
            return Ok(());
        }
        if row.unlack(target.sequence) {
            self.set_row(target.feed, row);
        }
        row::put(self.tx, &self.conversation, &event, None)?;
        self.count_unread(target, event.header().kind, -1)?;
        self.unindex_content(&event)
    }

    /// The delete of an event counts no more: its content is wanted again.
    fn want_back(&mut self, target: &ContentId) -> Result<(), ReadError> {
        let mut row = self.row(&target.feed)?;
        if !row.counts(target.sequence) {
            return Ok(());
        }
        let Some(event) = row::load_event(self.tx, &self.conversation, target)? else { return Ok(()) };
        if event.header().kind == Kind::Delete as u16 {
            return Ok(());
        }
        if event.content().is_none() {
            row.lack(target.sequence);
            self.set_row(target.feed, row);
        }
        self.count_unread(target, event.header().kind, 1)
    }

    fn change_key(&self, target: &ContentId, kind: Kind, clock: Clock, by: &ContentId) -> Option<Vec<u8>> {
        let account = self.account_of(&by.feed.device)?;
        Some(key::change(&self.conversation, target, (kind_byte(kind), &account), clock, by))
    }

    /// Whether a delete of this event, held or not, counts.
    pub(super) fn is_deleted(&self, id: &ContentId) -> Result<bool, ReadError> {
        is_deleted(&*self.tx, &self.conversation, id, |device| self.account_of(device))
    }
}

/// Whether events of this kind are items.
fn is_shown(kind: u16) -> bool {
    const SHOWN: [Kind; 5] = [Kind::Text, Kind::VoiceNote, Kind::File, Kind::LongVoiceNote, Kind::Leave];
    !Kind::is_silent(kind) && Kind::from_number(kind).is_none_or(|kind| SHOWN.contains(&kind))
}

/// What an event changes, if it is of a kind that changes another.
fn target(kind: u16, content: &Content) -> Option<(Kind, ContentId)> {
    match Kind::from_number(kind)? {
        Kind::Edit => Edit::decode(&content.body).ok().map(|edit| (Kind::Edit, edit.of)),
        Kind::Delete => Delete::decode(&content.body).ok().map(|delete| (Kind::Delete, delete.of)),
        Kind::Reaction => {
            let reaction = Reaction::decode(&content.body).ok()?;
            (reaction.emoji.len() <= MAX_EMOJI).then_some((Kind::Reaction, reaction.of))
        }
        Kind::Transcript => Transcript::decode(&content.body).ok().map(|transcript| (Kind::Transcript, transcript.of)),
        Kind::Played => Played::decode(&content.body).ok().map(|played| (Kind::Played, played.of)),
        _ => None,
    }
}

/// A change's kind in its key: the numbers of these five are below 256.
fn kind_byte(kind: Kind) -> u8 {
    match kind {
        Kind::Edit => 2,
        Kind::Delete => 3,
        Kind::Transcript => 19,
        Kind::Played => 20,
        _ => 4,
    }
}

/// The latest changes of one kind that an account has made to an event, the latest first.
fn changes_by(
    read: &(impl Read + ?Sized),
    conversation: &ConversationId,
    target: &ContentId,
    (kind, account): (Kind, &AccountId),
    most: usize,
) -> Result<Vec<ContentId>, ReadError> {
    let prefix = key::changes_by(conversation, target, kind_byte(kind), account);
    let rows = read.scan(Table::Change, &prefix, Range::last(most))?;
    Ok(rows.iter().filter_map(|row| key::read_place(&row.key)).collect())
}

/// The latest change of one kind that each account has made to an event.
fn latest_of_each(
    read: &(impl Read + ?Sized),
    conversation: &ConversationId,
    target: &ContentId,
    kind: Kind,
) -> Result<Vec<ContentId>, ReadError> {
    let mut prefix = key::changes(conversation, target);
    prefix.push(kind_byte(kind));
    let mut latest = Vec::new();
    let mut range = Range::last(1);
    while latest.len() < MAX_REACTING {
        let Some(row) = read.scan(Table::Change, &prefix, range)?.pop() else { break };
        latest.extend(key::read_place(&row.key));
        // What the same account said before has greater keys than its first one, and smaller keys are others'.
        let end = prefix.len().saturating_add(AccountId::LEN);
        let Some(before) = row.key.get(..end) else { break };
        range = Range::last(1).beyond(before.to_vec());
    }
    Ok(latest)
}

fn is_deleted(
    read: &(impl Read + ?Sized),
    conversation: &ConversationId,
    id: &ContentId,
    account_of: impl Fn(&DeviceId) -> Option<AccountId>,
) -> Result<bool, ReadError> {
    let Some(author) = account_of(&id.feed.device) else { return Ok(false) };
    Ok(!changes_by(read, conversation, id, (Kind::Delete, &author), 1)?.is_empty())
}

/// Whether an event's author has deleted it.
pub(super) fn is_erased(
    read: &(impl Read + ?Sized),
    conversation: &ConversationId,
    roster: &Roster,
    me: &Me,
    id: &ContentId,
) -> Result<bool, ReadError> {
    is_deleted(read, conversation, id, |device| whose(roster, me, device))
}

fn whose(roster: &Roster, me: &Me, device: &DeviceId) -> Option<AccountId> {
    if *device == me.device { Some(me.account) } else { roster.member(device).map(|member| member.account) }
}

/// The edits and transcripts of an event by its own account.
pub(super) fn additions(
    read: &(impl Read + ?Sized),
    conversation: &ConversationId,
    roster: &Roster,
    me: &Me,
    of: &ContentId,
) -> Result<Vec<ContentId>, ReadError> {
    let mut all = edits(read, conversation, roster, me, of)?;
    all.extend(transcripts(read, conversation, roster, me, of, MAX_EDITS)?);
    Ok(all)
}

/// The latest transcripts of an event by its own account, the latest first.
fn transcripts(
    read: &(impl Read + ?Sized),
    conversation: &ConversationId,
    roster: &Roster,
    me: &Me,
    of: &ContentId,
    most: usize,
) -> Result<Vec<ContentId>, ReadError> {
    let Some(author) = whose(roster, me, &of.feed.device) else { return Ok(Vec::new()) };
    changes_by(read, conversation, of, (Kind::Transcript, &author), most)
}

/// The edits of an event by its own account.
fn edits(
    read: &(impl Read + ?Sized),
    conversation: &ConversationId,
    roster: &Roster,
    me: &Me,
    of: &ContentId,
) -> Result<Vec<ContentId>, ReadError> {
    let Some(author) = whose(roster, me, &of.feed.device) else { return Ok(Vec::new()) };
    changes_by(read, conversation, of, (Kind::Edit, &author), MAX_EDITS)
}

/// Folds one item.
pub(super) fn fold(
    read: &(impl Read + ?Sized),
    conversation: &ConversationId,
    roster: &Roster,
    me: &Me,
    id: &ContentId,
    shown: Shown,
) -> Result<Option<Item>, ReadError> {
    let whose = |device: &DeviceId| whose(roster, me, device);
    let Some(event) = row::load_event(read, conversation, id)? else { return Ok(None) };
    let Some(author) = whose(&id.feed.device) else { return Ok(None) };
    let header = event.header();
    let written = Timestamp(header.wall_ms);
    let off = shown.live && shown.arrived.0.abs_diff(written.0) > SHOWN_TOLERANCE_MS;
    let mut item = Item {
        id: *id,
        author,
        clock: header.clock,
        written,
        arrived: shown.arrived,
        shown: if off { shown.arrived } else { written },
        body: ItemBody::Deleted,
        edited: false,
        reactions: BTreeMap::new(),
        transcript: None,
        played: BTreeSet::new(),
    };
    if is_deleted(read, conversation, id, whose)? {
        return Ok(Some(item));
    }
    item.body = body(header.kind, event.content());
    if let ItemBody::Text { text, .. } = &mut item.body {
        for by in edits(read, conversation, roster, me, id)? {
            let content = row::load_content(read, conversation, &by)?;
            if let Some(edit) = content.and_then(|content| Edit::decode(&content.body).ok()) {
                (*text, item.edited) = (edit.text, true);
                break;
            }
        }
    }
    if let ItemBody::VoiceNote { .. } = &item.body {
        for by in transcripts(read, conversation, roster, me, id, MAX_EDITS)? {
            let content = row::load_content(read, conversation, &by)?;
            if let Some(transcript) = content.and_then(|content| Transcript::decode(&content.body).ok()) {
                item.transcript = Some(transcript).filter(|transcript| !transcript.segments.is_empty());
                break;
            }
        }
        let played = latest_of_each(read, conversation, id, Kind::Played)?;
        item.played =
            played.iter().filter_map(|by| whose(&by.feed.device)).filter(|account| *account != author).collect();
    }
    for by in latest_of_each(read, conversation, id, Kind::Reaction)? {
        let Some(account) = whose(&by.feed.device) else { continue };
        let content = row::load_content(read, conversation, &by)?;
        if let Some(reaction) = content.and_then(|content| Reaction::decode(&content.body).ok()) {
            item.reactions.insert(account, reaction.emoji);
        }
    }
    item.reactions.retain(|_, emoji| !emoji.is_empty());
    Ok(Some(item))
}

fn body(kind: u16, content: Option<&Content>) -> ItemBody {
    let Some(kind) = Kind::from_number(kind) else { return ItemBody::Newer { kind } };
    let Some(content) = content else { return ItemBody::Missing };
    match kind {
        Kind::Text => Text::decode(&content.body)
            .map_or(ItemBody::Malformed, |text| ItemBody::Text { text: text.text, reply_to: text.reply_to }),
        Kind::VoiceNote => VoiceNote::decode(&content.body).map_or(ItemBody::Malformed, |note| ItemBody::VoiceNote {
            duration_ms: note.duration_ms,
            peaks: note.peaks,
            attachment: None,
        }),
        Kind::LongVoiceNote => LongVoiceNote::decode(&content.body).map_or(ItemBody::Malformed, |note| {
            let LongVoiceNote { attachment, duration_ms, peaks } = note;
            ItemBody::VoiceNote { duration_ms, peaks, attachment: Some(attachment) }
        }),
        Kind::File => File::decode(&content.body).map_or(ItemBody::Malformed, |file| ItemBody::File(Box::new(file))),
        Kind::Leave => ItemBody::Left,
        _ => ItemBody::Malformed,
    }
}

/// What a message says of its file, if it is one and not absent.
///
/// # Errors
/// When the store cannot be read.
pub fn file(
    read: &(impl Read + ?Sized),
    conversation: &ConversationId,
    id: &ContentId,
) -> Result<Option<File>, ReadError> {
    let Some(event) = row::load_event(read, conversation, id)? else { return Ok(None) };
    let file = event.content().filter(|_| event.header().kind == Kind::File as u16);
    Ok(file.and_then(|content| File::decode(&content.body).ok()))
}

/// The sound of a voice note, unless it is absent, or an attachment.
///
/// # Errors
/// When the store cannot be read.
pub fn voice_note(
    read: &(impl Read + ?Sized),
    conversation: &ConversationId,
    id: &ContentId,
) -> Result<Option<VoiceNote>, ReadError> {
    let Some(event) = row::load_event(read, conversation, id)? else { return Ok(None) };
    let note = event.content().filter(|_| event.header().kind == Kind::VoiceNote as u16);
    Ok(note.and_then(|content| VoiceNote::decode(&content.body).ok()))
}
