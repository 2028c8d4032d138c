//! What views have read, kept until a notice says that it is another now.
//!
//! The store is the truth; this saves reading it again for every event and every message shown. Notices are sent before the
//! answers to commands, and are taken in before anything here is given out, so that a caller's own change is never missing. What
//! is kept is read while nobody else may change what is kept: a change that comes meanwhile is told afterwards, and read again.
//!
//! Invariant: bounded by the numbers of contacts and conversations; what is large is kept of [`MAX_OPEN`] conversations.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::broadcast::{self, error::TryRecvError};

use super::{Client, ClientError, plain};
use crate::chat::account::{Contact, contact, contacts, known_record};
use crate::chat::policy::{Kind, direct_conversation, own_conversation};
use crate::chat::profile::{Profile, profile};
use crate::chat::view::{self, ConversationView};
use crate::chat::{Delivery, Notice};
use crate::session::Event as Told;
use crate::store::Store;
use crate::types::{AccountId, ConversationId, DeviceId};
use crate::wire::control::Chat;

/// Conversations of which members and delivery are kept: more than a person has open, and than news come from at once.
const MAX_OPEN: usize = 256;

/// What views have read.
#[derive(Debug)]
pub(super) struct Views(Mutex<Kept>);

/// What is known of a contact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Person {
    pub(super) account: AccountId,
    pub(super) handle: Option<String>,
    pub(super) accepted: bool,
    pub(super) blocked: bool,
    pub(super) asked: bool,
    pub(super) verified: bool,
    /// What it calls itself, as it may be shown.
    pub(super) name: Option<String>,
    /// Its words about itself, as they may be shown.
    pub(super) about: Option<String>,
    /// Names its picture.
    pub(super) picture: Option<String>,
    /// When it was changed last, in milliseconds.
    pub(super) changed_ms: u64,
}

impl Person {
    fn of(contact: &Contact, profile: Option<&Profile>) -> Self {
        let about = profile.and_then(|profile| profile.about.as_deref());
        Self {
            name: profile.and_then(|profile| plain::name(profile.name.as_deref()?)),
            about: about.and_then(plain::about),
            picture: profile.and_then(|profile| profile.picture).map(|hash| hash.to_string()),
            account: contact.account,
            handle: contact.handle.clone(),
            accepted: contact.accepted,
            blocked: contact.blocked,
            asked: contact.asked.is_some(),
            verified: contact.verified,
            changed_ms: contact.changed.wall().0,
        }
    }

    /// How it stands, in a word.
    pub(super) fn state(&self) -> &'static str {
        if self.blocked {
            "blocked"
        } else if self.accepted {
            "accepted"
        } else {
            "asked"
        }
    }

    /// Whether it is one: an account that only shares a group is known here too.
    pub(super) fn is_contact(&self) -> bool {
        self.accepted || self.blocked || self.asked
    }
}

/// A conversation in a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) kind: Kind,
    pub(super) name: Option<String>,
}

#[derive(Debug)]
struct Open {
    view: Arc<ConversationView>,
    delivery: Option<Arc<Delivery>>,
    used: u64,
}

#[derive(Debug)]
struct Kept {
    own: AccountId,
    told: broadcast::Receiver<Told>,
    people: Option<People>,
    stale_people: BTreeSet<AccountId>,
    entries: Option<BTreeMap<ConversationId, Entry>>,
    stale_entries: BTreeSet<ConversationId>,
    open: BTreeMap<ConversationId, Open>,
    uses: u64,
    chats: BTreeMap<ConversationId, Arc<Chat>>,
    /// Counts what made chats other than they were.
    changes: u64,
    /// Those that were ever in the list.
    listed: BTreeSet<ConversationId>,
    safety: BTreeMap<AccountId, String>,
}

/// The contacts, and what leads to one.
#[derive(Debug, Default)]
struct People {
    by_account: BTreeMap<AccountId, Arc<Person>>,
    by_chat: BTreeMap<ConversationId, AccountId>,
    /// Read when a device is first asked for: it takes every record.
    by_device: Option<BTreeMap<DeviceId, AccountId>>,
}

impl Views {
    pub(super) fn new(own: AccountId, told: broadcast::Receiver<Told>) -> Self {
        Self(Mutex::new(Kept {
            own,
            told,
            people: None,
            stale_people: BTreeSet::new(),
            entries: None,
            stale_entries: BTreeSet::new(),
            open: BTreeMap::new(),
            uses: 0,
            chats: BTreeMap::new(),
            changes: 0,
            listed: BTreeSet::new(),
            safety: BTreeMap::new(),
        }))
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.catch_up();
        kept
    }
}

impl Kept {
    /// Takes in what was told since.
    fn catch_up(&mut self) {
        loop {
            match self.told.try_recv() {
                Ok(told) => self.take(&told),
                Err(TryRecvError::Lagged(_)) => self.forget(),
                Err(TryRecvError::Empty | TryRecvError::Closed) => return,
            }
        }
    }

    fn take(&mut self, told: &Told) {
        self.changes = self.changes.saturating_add(1);
        match told {
            Told::Notice(notice) => self.notice(notice),
            Told::Peer { device, .. } | Told::Obstacle { device } => {
                match self.people.as_ref().and_then(|people| people.by_device.as_ref()?.get(device)) {
                    Some(account) => drop(self.chats.remove(&direct_conversation(self.own, *account))),
                    // A device that came with a newer record: whose it is has to be looked up.
                    None => self.chats.clear(),
                }
            }
            Told::Transfer { conversation, .. } => drop(self.chats.remove(conversation)),
            Told::Recovered => self.forget(),
            Told::RelayUp
            | Told::RelayDown(_)
            | Told::ClockOff(_)
            | Told::Raise { .. }
            | Told::Client(_)
            | Told::Trouble(_) => {}
        }
    }

    fn notice(&mut self, notice: &Notice) {
        match notice {
            Notice::Timeline { conversation, .. } | Notice::Delivery { conversation, .. } => {
                self.chats.remove(conversation);
                if let Some(open) = self.open.get_mut(conversation) {
                    open.delivery = None;
                }
            }
            Notice::Listed { conversation } => drop(self.chats.remove(conversation)),
            Notice::Conversation { conversation } | Notice::Rejoining { conversation } => {
                self.chats.remove(conversation);
                self.open.remove(conversation);
                self.stale_entries.insert(*conversation);
            }
            Notice::Contact { account } | Notice::Profile { account } => {
                // Its name may stand in any of them.
                self.chats.clear();
                self.stale_people.insert(*account);
            }
            _ => {}
        }
    }

    /// Nothing is known for certain any more.
    fn forget(&mut self) {
        self.changes = self.changes.saturating_add(1);
        self.people = None;
        self.stale_people.clear();
        self.entries = None;
        self.stale_entries.clear();
        self.open.clear();
        self.chats.clear();
    }

    fn people(&mut self, store: &Store) -> Result<&mut People, ClientError> {
        let own = self.own;
        if self.people.is_none() {
            let mut people = People::default();
            for contact in contacts(store, own)? {
                people.put(store, own, &contact)?;
            }
            self.stale_people.clear();
            self.people = Some(people);
        }
        let people = self.people.get_or_insert_default();
        while let Some(account) = self.stale_people.first().copied() {
            if let Some(contact) = contact(store, &account)? {
                people.put(store, own, &contact)?;
            }
            self.stale_people.remove(&account);
        }
        Ok(people)
    }

    fn entries(&mut self, store: &Store) -> Result<&BTreeMap<ConversationId, Entry>, ClientError> {
        if self.entries.is_none() {
            let mut entries = BTreeMap::new();
            for id in view::conversations(store)? {
                if let Some(view) = view::conversation(store, id)? {
                    entries.insert(id, Entry { kind: view.kind, name: view.name.clone() });
                    if self.open.len() < MAX_OPEN {
                        self.keep_open(Arc::new(view));
                    }
                }
            }
            self.stale_entries.clear();
            self.entries = Some(entries);
        }
        while let Some(id) = self.stale_entries.first().copied() {
            let view = view::conversation(store, id)?;
            let entries = self.entries.get_or_insert_default();
            match &view {
                Some(view) => drop(entries.insert(id, Entry { kind: view.kind, name: view.name.clone() })),
                None => drop(entries.remove(&id)),
            }
            self.stale_entries.remove(&id);
            if let Some(view) = view {
                self.keep_open(Arc::new(view));
            }
        }
        Ok(self.entries.get_or_insert_default())
    }

    fn keep_open(&mut self, view: Arc<ConversationView>) -> &mut Open {
        self.uses = self.uses.saturating_add(1);
        let (id, used) = (view.id, self.uses);
        while self.open.len() >= MAX_OPEN && !self.open.contains_key(&id) {
            let oldest = self.open.iter().min_by_key(|(_, open)| open.used).map(|(id, _)| *id);
            let Some(oldest) = oldest else { break };
            self.open.remove(&oldest);
        }
        self.open.entry(id).or_insert(Open { view, delivery: None, used })
    }

    fn open(&mut self, store: &Store, id: ConversationId) -> Result<Option<&mut Open>, ClientError> {
        if !self.open.contains_key(&id) {
            let Some(view) = view::conversation(store, id)? else { return Ok(None) };
            self.keep_open(Arc::new(view));
        }
        self.uses = self.uses.saturating_add(1);
        let used = self.uses;
        let Some(open) = self.open.get_mut(&id) else { return Ok(None) };
        open.used = used;
        Ok(Some(open))
    }
}

impl People {
    fn put(&mut self, store: &Store, own: AccountId, contact: &Contact) -> Result<(), ClientError> {
        self.by_chat.insert(direct_conversation(own, contact.account), contact.account);
        let profile = profile(store, &contact.account)?;
        self.by_account.insert(contact.account, Arc::new(Person::of(contact, profile.as_ref())));
        match &mut self.by_device {
            Some(devices) => learn_devices(devices, store, contact.account),
            None => Ok(()),
        }
    }

    fn owner(&mut self, store: &Store, own: AccountId, device: &DeviceId) -> Result<Option<AccountId>, ClientError> {
        if let Some(owner) = self.by_device.as_ref().and_then(|devices| devices.get(device)) {
            return Ok(Some(*owner));
        }
        // A device may have come with a newer record.
        let mut devices = BTreeMap::new();
        for account in self.by_account.keys().copied().chain([own]) {
            learn_devices(&mut devices, store, account)?;
        }
        Ok(self.by_device.insert(devices).get(device).copied())
    }
}

fn learn_devices(
    devices: &mut BTreeMap<DeviceId, AccountId>,
    store: &Store,
    account: AccountId,
) -> Result<(), ClientError> {
    if let Some(record) = known_record(store, &account)? {
        devices.extend(record.devices().iter().map(|device| (device.device_id(), account)));
    }
    Ok(())
}

impl Client {
    /// What is known of an account, if it is a contact or shares a group.
    pub(super) fn person(&self, account: &AccountId) -> Result<Option<Arc<Person>>, ClientError> {
        let mut kept = self.inner.views.kept();
        Ok(kept.people(self.store())?.by_account.get(account).cloned())
    }

    /// The contacts: whoever was asked, accepted or blocked.
    pub(super) fn people(&self) -> Result<Vec<Arc<Person>>, ClientError> {
        let mut kept = self.inner.views.kept();
        let people = kept.people(self.store())?;
        Ok(people.by_account.values().filter(|person| person.is_contact()).cloned().collect())
    }

    /// Whom a direct conversation is with, whether or not there is one yet.
    pub(super) fn partner(&self, id: &ConversationId) -> Result<Option<AccountId>, ClientError> {
        let mut kept = self.inner.views.kept();
        Ok(kept.people(self.store())?.by_chat.get(id).copied())
    }

    /// Whose device it is: a contact's, or the own account's.
    pub(super) fn owner(&self, device: &DeviceId) -> Result<Option<AccountId>, ClientError> {
        let mut kept = self.inner.views.kept();
        let own = kept.own;
        kept.people(self.store())?.owner(self.store(), own, device)
    }

    /// The conversations here, in a line each.
    pub(super) fn entries(&self) -> Result<Vec<(ConversationId, Entry)>, ClientError> {
        let mut kept = self.inner.views.kept();
        Ok(kept.entries(self.store())?.iter().map(|(id, entry)| (*id, entry.clone())).collect())
    }

    /// A conversation in a line, if there is a group for it.
    pub(super) fn entry(&self, id: &ConversationId) -> Result<Option<Entry>, ClientError> {
        let mut kept = self.inner.views.kept();
        Ok(kept.entries(self.store())?.get(id).cloned())
    }

    /// A conversation with its members, if there is a group for it.
    pub(super) fn conversation(&self, id: ConversationId) -> Result<Option<Arc<ConversationView>>, ClientError> {
        let mut kept = self.inner.views.kept();
        Ok(kept.open(self.store(), id)?.map(|open| Arc::clone(&open.view)))
    }

    /// Who has what of the own messages in a conversation.
    pub(super) fn delivery(&self, id: ConversationId) -> Result<Arc<Delivery>, ClientError> {
        let (store, me) = (self.store(), self.me());
        let mut kept = self.inner.views.kept();
        let Some(open) = kept.open(store, id)? else { return Ok(Arc::new(Delivery::load(store, id, me)?)) };
        Ok(match &open.delivery {
            Some(delivery) => Arc::clone(delivery),
            None => Arc::clone(open.delivery.insert(Arc::new(Delivery::load(store, id, me)?))),
        })
    }

    /// The chat as it was read, or as `read` reads it; and notes that it is in the list.
    pub(super) fn kept_chat(
        &self,
        id: ConversationId,
        read: impl FnOnce() -> Result<Option<Chat>, ClientError>,
    ) -> Result<Option<Arc<Chat>>, ClientError> {
        let changes = {
            let kept = self.inner.views.kept();
            if let Some(chat) = kept.chats.get(&id) {
                return Ok(Some(Arc::clone(chat)));
            }
            kept.changes
        };
        let Some(chat) = read()?.map(Arc::new) else { return Ok(None) };
        let mut kept = self.inner.views.kept();
        kept.listed.insert(id);
        // Of what was told since, some of it may be about this chat, and be younger than what was read.
        if kept.changes == changes {
            kept.chats.insert(id, Arc::clone(&chat));
        }
        Ok(Some(chat))
    }

    /// Whether a chat was ever in the list.
    pub(super) fn was_listed(&self, id: &ConversationId) -> bool {
        self.inner.views.kept().listed.contains(id)
    }

    /// The safety number with a contact, if it was computed.
    pub(super) fn known_safety_number(&self, account: &AccountId) -> Option<String> {
        self.inner.views.kept().safety.get(account).cloned()
    }

    pub(super) fn keep_safety_number(&self, account: AccountId, number: String) {
        let mut kept = self.inner.views.kept();
        kept.safety.insert(account, number);
        let chat = direct_conversation(kept.own, account);
        kept.chats.remove(&chat);
        kept.changes = kept.changes.saturating_add(1);
    }

    /// The conversation with oneself.
    pub(super) fn own_conversation(&self) -> ConversationId {
        own_conversation(self.me().account)
    }
}
