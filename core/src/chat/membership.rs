//! Who is in a conversation, and by whose word: its succession of MLS groups, the walk over the home's log, and the commits that
//! this device wishes for.
//!
//! It seals and opens application messages and does not know what is in them. It asks the home through [`Fact::Ask`] and is told
//! with [`Membership::answered`]; what it learns it says in [`Fact`]s. Feeds, contacts and delivery are others' business.
//!
//! Invariants: a commit counts if the log's walk reaches it while its epoch lasts and [`super::policy::entitled`] allows it; all others are
//! skipped. A commit of this device's own takes effect only when the walk meets it in the log. What one wishes for is a durable
//! row until the log fulfils it, so a crash at any instant repeats it. Sending never waits for the home.
//! Source: DESIGN §4; `docs/protocol-conversation.md`.

mod asking;
mod commit;
mod group;
mod home;
mod join;
mod kept;
mod state;
mod succession;
mod walk;

use std::collections::BTreeMap;

pub(crate) use self::group::Opened;
pub(crate) use self::join::{Entered, Invitee};
use self::state::Row;
pub(crate) use self::state::{Present, Wish};
pub(crate) use self::succession::EMPTY_LOG;
use super::policy::Policy;
use super::roster::Roster;
use super::turn::{EngineError, Turn};
use crate::identity::DeviceCertificate;
use crate::mls::Group;
use crate::store::{Read, Scope, Table};
use crate::types::{AccountId, ConversationId, DeviceId, GroupId, Hash};
use crate::wire::log;
use crate::wire::message::Cut;

/// Where the feeds of a device end, as far as this device holds them without a gap: what a commit that removes it closes.
pub(crate) type Held<'a> = &'a dyn Fn(&DeviceId) -> Vec<Cut>;

/// What membership came to; for the conversation to carry out, in order.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Fact {
    /// Ask the home.
    Ask(log::Request),
    /// Key packages of an account's devices are needed: [`Membership::packages`].
    Packages(AccountId),
    /// Deliver a Welcome, durably.
    Welcome {
        /// To these devices.
        to: Vec<DeviceCertificate>,
        /// The group that it leads into.
        group: GroupId,
        /// The MLSMessage.
        message: Vec<u8>,
    },
    /// Tell the others that the log has grown.
    Hint {
        /// Of this group.
        group: GroupId,
        /// To so many entries.
        next: u64,
        /// Devices that it removed: they are told too.
        removed: Vec<DeviceId>,
    },
    /// The present group has a new epoch, or there is another present group: the roster or the policy may have changed.
    Advanced,
    /// These accounts were seated.
    Seated(Vec<AccountId>),
    /// Account records that a commit that counts carries.
    Records(Vec<serde_bytes::ByteBuf>),
    /// The log was walked to its end.
    Walked,
    /// This device was removed.
    Gone {
        /// Those who belong to the conversation all the same.
        seated: Vec<AccountId>,
    },
    /// The home lied; here is what to show the others.
    Lied(log::Equivocation),
    /// The home lost its log, or has not answered for long.
    Lost,
    /// The others are in epochs that this device cannot reach.
    Stranded,
    /// A successor was founded or entered: pleas and packages may be needed.
    Succeeded,
}

/// The membership of one conversation.
#[derive(Debug)]
pub(crate) struct Membership {
    conversation: ConversationId,
    row: Row,
    roster: Roster,
    /// The group that this device was removed from last: a Welcome back into it may have come before that was known.
    gone: Option<GroupId>,
    policy: Option<Policy>,
    groups: BTreeMap<GroupId, Group>,
    home: asking::Asking,
}

/// What membership knows beyond the store.
#[derive(Debug)]
pub(crate) struct Unstored {
    gone: Option<GroupId>,
    home: asking::Asking,
}

impl Membership {
    /// Of a conversation that has no group yet.
    pub(crate) fn new(conversation: ConversationId) -> Self {
        Self {
            conversation,
            row: Row::default(),
            roster: Roster::default(),
            gone: None,
            policy: None,
            groups: BTreeMap::new(),
            home: asking::Asking::default(),
        }
    }

    /// Takes it back from the store.
    ///
    /// # Errors
    /// If the store does not answer, or what it holds is damaged.
    pub(crate) fn load(read: &dyn Read, conversation: ConversationId) -> Result<Option<Self>, EngineError> {
        let Some(row) = super::turn::get::<Row>(read, Table::Conversation, &state::key(conversation))? else {
            return Ok(None);
        };
        let mut membership = Self::new(conversation);
        membership.roster = row.roster()?;
        membership.policy = row.policy()?;
        membership.row = row;
        Ok(Some(membership))
    }

    /// The conversation that a group belongs to, if it was ever held here.
    ///
    /// # Errors
    /// If the store does not answer.
    pub(crate) fn conversation_of(read: &dyn Read, group: GroupId) -> Result<Option<ConversationId>, EngineError> {
        let row = read.get(Table::Group, &state::index_key(group))?;
        Ok(row.and_then(|bytes| ConversationId::try_from(bytes.as_slice()).ok()))
    }

    /// Puts down what can be read back; what cannot is returned, for [`Membership::resume`]. Nothing may be asked of the home.
    ///
    /// # Errors
    /// If the store does not answer, or what it holds is damaged.
    pub(crate) fn put_down(mut self, turn: &mut Turn<'_>) -> Result<Unstored, EngineError> {
        self.row.keep(&self.roster, self.policy.as_ref());
        let stored = turn.get::<Row>(Table::Conversation, &state::key(self.conversation))?;
        if stored.as_ref() != Some(&self.row) {
            self.save(turn);
        }
        let Self { gone, home, .. } = self;
        Ok(Unstored { gone, home })
    }

    /// After [`Membership::load`]: what is not in the store.
    pub(crate) fn resume(&mut self, unstored: Unstored) {
        let Unstored { gone, home } = unstored;
        (self.gone, self.home) = (gone, home);
    }

    /// Whether there is nothing in it: a Welcome that was refused leaves such a one.
    pub(crate) fn is_blank(&self) -> bool {
        self.row == Row::default() && self.gone.is_none()
    }

    /// Whether the home is being asked.
    pub(crate) const fn is_asking(&self) -> bool {
        self.home.is_waiting()
    }

    fn save(&mut self, turn: &mut Turn<'_>) {
        self.row.keep(&self.roster, self.policy.as_ref());
        let scope = Scope::Conversation(self.conversation);
        turn.put(Table::Conversation, scope, &state::key(self.conversation), &self.row);
    }

    /// Who was a member when.
    pub(crate) const fn roster(&self) -> &Roster {
        &self.roster
    }

    /// What the members agree on of the past once a commit counts.
    pub(crate) fn past_after(&self, added: &[DeviceCertificate], removed: &[DeviceId], cuts: &[Cut]) -> Hash {
        commit::changed(&self.roster, added, removed, cuts).past().hash()
    }

    /// The policy in force.
    pub(crate) const fn policy(&self) -> Option<&Policy> {
        self.policy.as_ref()
    }

    /// The present group, if this device is in one.
    pub(crate) const fn present(&self) -> Option<&Present> {
        self.row.present.as_ref()
    }

    /// Whether this device lost its place and waits to be added again.
    pub(crate) const fn is_rejoining(&self) -> bool {
        self.row.rejoining
    }

    /// Whether this device has to be added anew, having lost its place or the others.
    pub(crate) const fn wants_back(&self) -> bool {
        self.row.rejoining || self.row.stranded
    }

    /// A message of a later epoch of the present group has come.
    pub(crate) fn saw_ahead(&mut self, group: GroupId, epoch: u64) {
        if self.row.present.as_ref().is_some_and(|present| present.group == group) {
            self.home.ahead(epoch);
        }
    }

    /// Whether a group is, or was, one of this conversation's here.
    pub(crate) fn holds(&self, group: GroupId) -> bool {
        self.row.present.as_ref().is_some_and(|present| present.group == group) || self.row.older.contains(&group)
    }

    /// The groups whose messages are read, the present one first.
    pub(crate) fn groups(&self) -> Vec<GroupId> {
        let present = self.row.present.as_ref().map(|present| present.group);
        present.into_iter().chain(self.row.older.iter().rev().copied()).chain(self.gone).collect()
    }

    /// The epoch of the present group.
    ///
    /// # Errors
    /// If the store does not answer.
    pub(crate) fn epoch(&mut self, turn: &Turn<'_>) -> Result<Option<u64>, EngineError> {
        let Some(group) = self.row.present.as_ref().map(|present| present.group) else { return Ok(None) };
        Ok(Some(self.group(turn, group)?.epoch()))
    }

    /// The devices that are leaves now.
    pub(crate) fn present_devices(&self) -> impl Iterator<Item = DeviceId> + '_ {
        self.roster.members().filter(|(_, member)| member.is_present()).map(|(device, _)| *device)
    }

    /// Wishes for a change; it is carried out when the home can be asked.
    pub(crate) fn wish(&mut self, turn: &mut Turn<'_>, wish: Wish, delay_ms: u64) {
        if let Wish::Return { device, .. } = &wish {
            // Of several pleas of a device only the last one's key is sure to be there still.
            let older =
                |other: &Wish| matches!(other, Wish::Return { device: of, .. } if of == device) && *other != wish;
            self.row.wishes.retain(|other| !older(other));
        }
        if self.row.wishes.len() >= state::MAX_WISHES || self.row.wishes.contains(&wish) {
            return;
        }
        self.home.commit_after(turn.now.mono_ms.saturating_add(delay_ms), self.row.wishes.is_empty());
        // What it needs is asked for, whatever others still wait for.
        self.home.packages_came();
        self.row.wishes.push(wish);
        self.save(turn);
    }

    /// This device has come in: until then, or [`Membership::caught_up`], it removes nobody.
    pub(crate) const fn catches_up(&mut self, until: u64) {
        self.home.catches_up_until = until;
    }

    /// Another member holds nothing that is not held here.
    pub(crate) fn caught_up(&mut self, turn: &Turn<'_>) {
        self.home.caught_up(turn.now.mono_ms);
    }

    /// Whether a commit may be made now that closes feeds: also while one waits, which an answer of the home may undo.
    pub(crate) fn wants_cuts(&self) -> bool {
        !self.row.wishes.is_empty() || self.row.succession.is_some()
    }

    /// When to come back with [`Membership::drive`].
    pub(crate) fn wake_at(&self) -> Option<u64> {
        self.row.present.as_ref().filter(|_| self.row.lied.is_none())?;
        self.home.wake_at(!self.row.wishes.is_empty() || self.row.pending)
    }
}
