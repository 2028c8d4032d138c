//! The list of chats, and who is in one.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use super::view::{cut, path_word};
use super::views::Entry;
use super::{Client, ClientError};
use crate::chat::policy::{Kind, direct_conversation};
use crate::chat::profile::profile;
use crate::chat::shelf::shelf;
use crate::chat::{Notice, timeline};
use crate::net::Path;
use crate::session::Event as Told;
use crate::types::{AccountId, ConversationId};
use crate::wire::control::{Chat, Member, Message};

/// How many characters of the last message are in the list: what fits into two lines.
const LAST_CHARACTERS: usize = 200;

impl Client {
    /// Contacts and groups: the pinned ones first, then what was active last.
    pub(super) fn chat_list(&self) -> Result<Vec<Chat>, ClientError> {
        let own = self.me().account;
        let direct = self.people()?.into_iter().map(|person| direct_conversation(own, person.account));
        let entries = self.entries()?.into_iter();
        let groups = entries.filter(|(_, entry)| entry.kind == Kind::Group).map(|(id, _)| id);
        let mut chats = Vec::new();
        for id in direct.chain(groups) {
            chats.extend(self.chat(id)?);
        }
        chats.sort_by_cached_key(|chat| (Reverse((chat.pinned, chat.active_ms)), chat.id.clone()));
        Ok(chats)
    }

    /// A chat as it stands in the list; none if it is in no list.
    pub(super) fn chat(&self, id: ConversationId) -> Result<Option<Chat>, ClientError> {
        let chat = self.kept_chat(id, || match self.partner(&id)? {
            Some(account) => self.direct_chat(id, &account),
            None => self.group_chat(id),
        })?;
        Ok(chat.map(|chat| Chat::clone(&chat)))
    }

    fn direct_chat(&self, id: ConversationId, account: &AccountId) -> Result<Option<Chat>, ClientError> {
        let Some(person) = self.person(account)?.filter(|person| person.is_contact()) else { return Ok(None) };
        let path = if person.accepted && !person.blocked { Some(self.path_to(account)?) } else { None };
        let path = path.map(|path| path_word(path).to_owned());
        let chat = Chat {
            kind: "direct".to_owned(),
            account: Some(account.to_string()),
            name: self.name_of(account)?,
            handle: person.handle.clone(),
            state: person.state().to_owned(),
            verified: person.verified,
            safety_number: self.known_safety_number(account),
            path,
            picture: person.picture.clone(),
            about: person.about.clone(),
            members: 2,
            active_ms: person.changed_ms,
            ..bare(id)
        };
        self.filled(id, chat).map(Some)
    }

    fn group_chat(&self, id: ConversationId) -> Result<Option<Chat>, ClientError> {
        let Some(Entry { kind: Kind::Group, name }) = self.entry(&id)? else { return Ok(None) };
        let members = self.conversation(id)?.map_or(0, |view| view.accounts.len());
        let chat = Chat {
            kind: "group".to_owned(),
            name: name.unwrap_or_else(|| id.short()),
            state: "group".to_owned(),
            members: u32::try_from(members).unwrap_or(u32::MAX),
            ..bare(id)
        };
        self.filled(id, chat).map(Some)
    }

    /// What is the same for all.
    fn filled(&self, id: ConversationId, chat: Chat) -> Result<Chat, ClientError> {
        let shelf = shelf(self.store(), &id)?;
        let last = self.last_message(id)?;
        let active_ms = match &last {
            Some(message) => message.sent_ms,
            None => timeline::active(self.store(), &id)?.0.max(chat.active_ms),
        };
        Ok(Chat {
            unread: timeline::unread(self.store(), &id)?.into(),
            pinned: shelf.is_pinned(),
            muted: shelf.is_muted(),
            draft: shelf.draft().map(str::to_owned),
            last,
            active_ms,
            ..chat
        })
    }

    fn last_message(&self, id: ConversationId) -> Result<Option<Message>, ClientError> {
        let Some(view) = self.conversation(id)? else { return Ok(None) };
        let Some(item) = timeline::summary(self.store(), &id, &view.roster, &self.me())?.last else { return Ok(None) };
        let mut message = self.bare_message(&view, &item)?;
        message.text = message.text.map(|text| cut(&text, LAST_CHARACTERS));
        message.transcript = message.transcript.map(|text| cut(&text, LAST_CHARACTERS));
        // A list has no room for what is said when.
        message.spoken = None;
        message.peaks = None;
        Ok(Some(message))
    }

    /// The newest message of a chat, as it is shown.
    pub(super) fn last_shown(&self, id: ConversationId) -> Result<Option<Message>, ClientError> {
        let Some(view) = self.conversation(id)? else { return Ok(None) };
        let summary = timeline::summary(self.store(), &id, &view.roster, &self.me())?;
        summary.last.map(|item| self.message_view(&view, &item)).transpose()
    }

    /// The best way to any of an account's devices but this one.
    pub(super) fn path_to(&self, account: &AccountId) -> Result<Path, ClientError> {
        let mut best = Path::None;
        for (device, path) in self.inner.session.paths() {
            if path < best && self.owner(&device)?.as_ref() == Some(account) {
                best = path;
            }
        }
        Ok(best)
    }

    /// The safety number of a chat that is looked at is computed aside, and told with the chat.
    pub(super) fn number_wanted(&self, with: &str) -> Result<(), ClientError> {
        let conversation = self.chat_named(with)?;
        let Some(account) = self.partner(&conversation)? else { return Ok(()) };
        if self.known_safety_number(&account).is_some() {
            return Ok(());
        }
        let client = self.clone();
        tokio::task::spawn_blocking(move || match client.safety_number(&account) {
            Ok(Some(_)) => client.inner.session.tell(Told::Notice(Notice::Listed { conversation })),
            Ok(None) => {}
            Err(error) => tracing::warn!(%error, "A safety number could not be computed."),
        });
        Ok(())
    }

    /// Who is in a conversation; the two of a contact who has not accepted yet.
    pub(super) fn member_list(&self, with: &str) -> Result<Vec<Member>, ClientError> {
        let id = self.chat_named(with)?;
        let mut devices: BTreeMap<AccountId, u32> = BTreeMap::new();
        let accounts = match self.conversation(id)? {
            Some(view) => {
                for (_, member) in view.roster.members().filter(|(_, member)| member.is_present()) {
                    let count = devices.entry(member.account).or_default();
                    *count = count.saturating_add(1);
                }
                view.accounts.clone()
            }
            None => std::iter::once(self.me().account).chain(self.partner(&id)?).collect(),
        };
        accounts.iter().map(|account| self.member(account, devices.get(account).copied())).collect()
    }

    fn member(&self, account: &AccountId, devices: Option<u32>) -> Result<Member, ClientError> {
        let person = self.person(account)?;
        let me = *account == self.me().account;
        let handle = if me { self.own_handle()? } else { person.as_ref().and_then(|person| person.handle.clone()) };
        Ok(Member {
            account: account.to_string(),
            name: self.name_of(account)?,
            handle,
            verified: person.is_some_and(|person| person.verified),
            me,
            devices: devices.unwrap_or(0),
            picture: profile(self.store(), account)?.and_then(|profile| profile.picture).map(|hash| hash.to_string()),
        })
    }
}

fn bare(id: ConversationId) -> Chat {
    Chat {
        id: id.to_string(),
        kind: String::new(),
        account: None,
        name: String::new(),
        handle: None,
        state: String::new(),
        verified: false,
        safety_number: None,
        unread: 0,
        pinned: false,
        muted: false,
        draft: None,
        last: None,
        active_ms: 0,
        path: None,
        picture: None,
        about: None,
        members: 0,
    }
}
