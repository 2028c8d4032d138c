//! View models: what the store holds, as it is shown.

use super::events::device_removed;
use super::spoken::{self, Kept};
use super::transcribe::{MINE, SENDERS};
use super::views::{Entry, Person};
use super::{Client, ClientError, file_name, plain};
use crate::chat::account::{Account, WaitingRequest, known_record, waiting_requests};
use crate::chat::policy::{Kind, direct_conversation};
use crate::chat::profile;
use crate::chat::view::{self, ConversationView};
use crate::chat::{Anchor, CommandError, Delivery, Item, ItemBody, MessageState, Route, timeline};
use crate::identity::SafetyNumber;
use crate::net::{Path, peer_of_key};
use crate::session::Obstacle;
use crate::store::{Read as _, Table};
use crate::types::{AccountId, ContentId, ConversationId, FeedId};
use crate::wire::control::{self, Code, Said};

/// The longest page of a history.
const MAX_PAGE: u32 = 1000;

impl Client {
    pub(super) fn own_handle(&self) -> Result<Option<String>, ClientError> {
        Ok(Account::open(self.store())?.and_then(|account| account.handle().map(str::to_owned)))
    }

    pub(super) fn whoami(&self) -> Result<control::Me, ClientError> {
        let record = self.own_record()?;
        let me = self.me();
        Ok(control::Me {
            account: me.account.to_string(),
            device: me.device.to_string(),
            handle: self.own_handle()?,
            relays: record.relays().iter().flat_map(|relay| relay.addresses.clone()).collect(),
            devices: u32::try_from(record.devices().len()).unwrap_or(u32::MAX),
        })
    }

    pub(super) fn contact_list(&self) -> Result<Vec<control::Contact>, ClientError> {
        let mut list = Vec::new();
        for person in self.people()? {
            list.push(self.contact_view(&person)?);
        }
        for (id, entry) in self.entries()? {
            if entry.kind == Kind::Group {
                list.push(self.group_view(id, &entry)?);
            }
        }
        Ok(list)
    }

    fn contact_view(&self, person: &Person) -> Result<control::Contact, ClientError> {
        let id = direct_conversation(self.me().account, person.account);
        let conversation = self.entry(&id)?.map(|_| id);
        Ok(control::Contact {
            account: Some(person.account.to_string()),
            name: self.name_of(&person.account)?,
            handle: person.handle.clone(),
            state: person.state().to_owned(),
            verified: person.verified,
            safety_number: self.safety_number(&person.account)?,
            unread: conversation.map_or(Ok(0), |id| timeline::unread(self.store(), &id))?.into(),
            devices: conversation.map_or(Ok(0), |id| self.devices_in(id))?,
            conversation: conversation.map(|id| id.to_string()),
        })
    }

    fn group_view(&self, id: ConversationId, entry: &Entry) -> Result<control::Contact, ClientError> {
        Ok(control::Contact {
            account: None,
            conversation: Some(id.to_string()),
            name: entry.name.clone().unwrap_or_else(|| id.short()),
            handle: None,
            state: "group".to_owned(),
            verified: false,
            safety_number: None,
            unread: timeline::unread(self.store(), &id)?.into(),
            devices: self.devices_in(id)?,
        })
    }

    fn devices_in(&self, id: ConversationId) -> Result<u32, ClientError> {
        let view = self.conversation(id)?;
        let present = view.map_or(0, |view| view.roster.members().filter(|(_, member)| member.is_present()).count());
        Ok(u32::try_from(present).unwrap_or(u32::MAX))
    }

    /// The safety number with an account, once its record is known. It takes milliseconds, and is kept.
    pub(super) fn safety_number(&self, account: &AccountId) -> Result<Option<String>, ClientError> {
        if let Some(known) = self.known_safety_number(account) {
            return Ok(Some(known));
        }
        let Some(record) = known_record(self.store(), account)? else { return Ok(None) };
        let number = SafetyNumber::of(self.own_record()?.account_root(), record.account_root()).to_string();
        self.keep_safety_number(*account, number.clone());
        Ok(Some(number))
    }

    /// What an account says about itself, as it may be shown.
    pub(super) fn profile(&self, who: Option<&str>) -> Result<control::Profile, ClientError> {
        let account = who.map_or_else(|| Ok(self.me().account), |who| self.account_named(who))?;
        let kept = profile::profile(self.store(), &account)?;
        let (name, about) = kept.map_or((None, None), |kept| (kept.name, kept.about));
        Ok(control::Profile {
            account: account.to_string(),
            name: name.as_deref().and_then(plain::name),
            about: about.as_deref().and_then(plain::about),
            picture: profile::picture(self.store(), &account)?,
        })
    }

    pub(super) fn request_list(&self) -> Result<Vec<control::ContactRequest>, ClientError> {
        Ok(waiting_requests(self.store())?.iter().map(request_view).collect())
    }

    pub(super) fn request_of(&self, account: &AccountId) -> Result<Option<control::ContactRequest>, ClientError> {
        let waiting = crate::chat::account::waiting_request(self.store(), account)?;
        Ok(waiting.as_ref().map(request_view))
    }

    pub(super) fn history(
        &self,
        with: &str,
        before: Option<&str>,
        limit: u32,
    ) -> Result<Vec<control::Message>, ClientError> {
        let view = self.conversation_named(with)?;
        let anchor = match before {
            Some(id) => Anchor::Before(parse_id(id)?),
            None => Anchor::Newest,
        };
        let items = view::page(self.store(), &view, self.me(), anchor, page_size(limit))?;
        let mut messages: Vec<_> = items.iter().map(|item| self.message_view(&view, item)).collect::<Result<_, _>>()?;
        spoken::bound(&mut messages);
        Ok(messages)
    }

    /// A part of a history; of a contact who has not accepted yet an empty one.
    pub(super) fn page(&self, with: &str, at: &control::At, limit: u32) -> Result<control::Page, ClientError> {
        let Some(view) = self.conversation(self.chat_named(with)?)? else {
            return Ok(control::Page {
                messages: Vec::new(),
                more_before: false,
                more_after: false,
                first_unread: None,
            });
        };
        let (store, me) = (self.store(), self.me());
        let first_unread = timeline::first_unread(store, &view.id, &view.roster, &me)?;
        let (anchor, named) = match at {
            control::At::Newest => (Anchor::Newest, None),
            control::At::Unread => (first_unread.map_or(Anchor::Newest, Anchor::Around), None),
            control::At::Before { message } => (Anchor::Before(parse_id(message)?), Some(message)),
            control::At::After { message } => (Anchor::After(parse_id(message)?), Some(message)),
            control::At::Around { message } => (Anchor::Around(parse_id(message)?), Some(message)),
        };
        let limit = page_size(limit);
        let page = timeline::page_with_sides(store, &view.id, &view.roster, &me, anchor, limit)?;
        let page = page.ok_or_else(|| ClientError::NoMessage(named.cloned().unwrap_or_default()))?;
        let mut messages: Vec<_> =
            page.items.iter().map(|item| self.message_view(&view, item)).collect::<Result<_, _>>()?;
        spoken::bound(&mut messages);
        Ok(control::Page {
            messages,
            more_before: page.before,
            more_after: page.after,
            first_unread: first_unread.as_ref().map(format_id),
        })
    }

    pub(super) fn message(
        &self,
        view: &ConversationView,
        id: &ContentId,
    ) -> Result<Option<control::Message>, ClientError> {
        let item = timeline::item_at(self.store(), &view.id, &view.roster, &self.me(), id)?;
        item.map(|item| self.message_view(view, &item)).transpose()
    }

    pub(super) fn message_view(&self, view: &ConversationView, item: &Item) -> Result<control::Message, ClientError> {
        let mut message = self.bare_message(view, item)?;
        let answered = match &item.body {
            ItemBody::Text { reply_to, .. } => reply_to.as_ref(),
            ItemBody::File(file) => file.reply_to.as_ref(),
            _ => None,
        };
        if let Some(of) = answered {
            message.reply_preview = self.preview(view, of)?;
        }
        Ok(message)
    }

    /// A message without what it answers.
    pub(super) fn bare_message(
        &self,
        conversation: &ConversationView,
        item: &Item,
    ) -> Result<control::Message, ClientError> {
        let mine = item.author == self.me().account;
        let (state, route, problem) = if mine {
            let delivery = self.delivery(conversation.id)?;
            let (state, route) = view::state_in(&delivery, conversation, self.me(), &item.id);
            let waits = state == MessageState::Queued;
            let problem = if waits { self.problem(conversation, &delivery, &item.id)? } else { None };
            (Some(state_word(state).to_owned()), route, problem)
        } else {
            (None, None, None)
        };
        let mut reactions: std::collections::BTreeMap<&str, u32> = std::collections::BTreeMap::new();
        for emoji in item.reactions.values() {
            let count = reactions.entry(emoji).or_default();
            *count = count.saturating_add(1);
        }
        let (kind, text, reply_to, sound) = body_view(&item.body);
        let heard = match sound {
            Some(_) => Some(self.heard(&conversation.id, &item.id)?.unwrap_or_default()),
            None => None,
        };
        let heard_by = u32::try_from(item.played.len()).unwrap_or(u32::MAX);
        let file = self.file_view(conversation.id, item.id, &item.body);
        let said = match sound {
            Some(_) => self.transcript_of(conversation, item)?,
            None => None,
        };
        Ok(control::Message {
            id: format_id(&item.id),
            conversation: conversation.id.to_string(),
            author: item.author.to_string(),
            author_name: self.name_of(&item.author)?,
            mine,
            sent_ms: item.shown.0,
            kind: kind.to_owned(),
            text,
            edited: item.edited,
            reply_to,
            reactions: reactions.into_iter().map(|(emoji, count)| (emoji.to_owned(), count)).collect(),
            reply_preview: None,
            duration_ms: sound.map(|(duration_ms, _)| duration_ms),
            peaks: sound.map(|(_, peaks)| peaks.to_vec()),
            heard_ms: heard.map(|heard| heard.position_ms),
            heard: heard.map(|heard| heard.whole || item.played.contains(&self.me().account)),
            heard_by: sound.filter(|_| mine).map(|_| heard_by),
            file,
            transcript: said.as_ref().map(|(kept, _)| kept.beginning()),
            spoken: said.map(|(kept, source)| kept.spoken(source)),
            state,
            route: route.map(|route| route_word(route).to_owned()),
            problem,
        })
    }

    /// What a message that is answered says.
    fn preview(&self, conversation: &ConversationView, of: &ContentId) -> Result<Option<String>, ClientError> {
        /// Enough to know it by.
        const PREVIEWED: usize = 120;
        let item = timeline::item_at(self.store(), &conversation.id, &conversation.roster, &self.me(), of)?;
        let Some(item) = item else { return Ok(None) };
        let says = match &item.body {
            ItemBody::Text { text, .. } => cut(text, PREVIEWED),
            ItemBody::VoiceNote { duration_ms, .. } => {
                let seconds = duration_ms.div_ceil(1000);
                format!("🎤 {}:{:02}", seconds / 60, seconds % 60)
            }
            ItemBody::File(file) => cut(&format!("📎 {}", file_name::clean(&file.name)), PREVIEWED),
            ItemBody::Left | ItemBody::Deleted | ItemBody::Missing | ItemBody::Newer { .. } | ItemBody::Malformed => {
                "…".to_owned()
            }
        };
        Ok(Some(format!("{}: {says}", self.name_of(&item.author)?)))
    }

    /// Why a message of one's own that nobody has yet cannot go on, as far as is known.
    fn problem(
        &self,
        view: &ConversationView,
        delivery: &Delivery,
        id: &ContentId,
    ) -> Result<Option<Said>, ClientError> {
        let own = self.me().account;
        if view.rejoining {
            return Ok(Some(Said::new(Code::WaitsForKeys, CommandError::Rejoining)));
        }
        if !view.present {
            return Ok(Some(Said::new(Code::NotMember, CommandError::NotMember)));
        }
        let partner = view.accounts.iter().find(|account| view.kind == Kind::Direct && **account != own);
        if let Some(partner) = partner
            && self.person(partner)?.is_some_and(|person| person.blocked)
        {
            return Ok(Some(Said::new(Code::Blocked, CommandError::Blocked)));
        }
        let others = delivery.devices(&view.roster, id).into_iter().filter(|device| device.account != own);
        let obstacles: Option<Vec<Obstacle>> =
            others.map(|device| self.inner.session.obstacle(&device.device)).collect();
        Ok(obstacles.and_then(|all| all.into_iter().min()).map(Said::from))
    }

    /// Whether this reader has, or had, a transcript of a note.
    pub(super) fn has_kept(&self, conversation: &ConversationView, id: &ContentId) -> Result<bool, ClientError> {
        let key = crate::chat::feed::event_key(&conversation.id, id);
        Ok(self.store().get(Table::Transcript, &key)?.is_some())
    }

    pub(super) fn kept_transcript(
        &self,
        conversation: &ConversationView,
        id: &ContentId,
    ) -> Result<Option<Kept>, ClientError> {
        let key = crate::chat::feed::event_key(&conversation.id, id);
        let kept = self.store().get(Table::Transcript, &key)?.and_then(|bytes| Kept::decode(&bytes));
        // One that was discarded says nothing.
        Ok(kept.filter(|kept| *kept != Kept::default()))
    }

    /// What is said in a voice note, and whose word that is.
    pub(super) fn transcript_of(
        &self,
        conversation: &ConversationView,
        item: &Item,
    ) -> Result<Option<(Kept, &'static str)>, ClientError> {
        if let Some(kept) = self.kept_transcript(conversation, &item.id)? {
            return Ok(Some((kept, MINE)));
        }
        let source = if item.author == self.me().account { MINE } else { SENDERS };
        Ok(item.transcript.as_ref().map(|transcript| (Kept::attached(transcript), source)))
    }

    pub(super) async fn status(&self) -> Result<control::Status, ClientError> {
        let link = self.link();
        let record = self.own_record()?;
        let addresses = self.inner.session.addresses().await?;
        let mut reaches = Vec::new();
        for person in self.people()? {
            if person.accepted && !person.blocked {
                reaches.push(self.reach(&person).await?);
            }
        }
        let removed = record.device(self.me().device).is_none().then(device_removed);
        let noticed = self.warnings().into_iter().filter(|said| said.code != Code::DeviceRemoved.word());
        Ok(control::Status {
            relay_connected: (!record.relays().is_empty()).then_some(link.connected),
            relay_problem: link.problem.filter(|_| !link.connected).map(Box::new),
            addresses: addresses.iter().map(ToString::to_string).collect(),
            undelivered: self.undelivered()?,
            contacts: reaches,
            warnings: removed.into_iter().chain(noticed).chain(link.clock).collect(),
            refused: self
                .inner
                .session
                .refused()
                .into_iter()
                .map(|(reason, count)| (reason.to_owned(), count))
                .collect(),
        })
    }

    /// The best way to any of a contact's devices.
    async fn reach(&self, contact: &Person) -> Result<control::Reach, ClientError> {
        let mut best = control::Reach {
            account: contact.account.to_string(),
            name: self.name_of(&contact.account)?,
            path: "mailbox".to_owned(),
            why: Said::new(Code::NoDevice, "no device of theirs is known"),
            round_trip_ms: None,
        };
        let mut best_path = None;
        let record = known_record(self.store(), &contact.account)?;
        for device in record.iter().flat_map(|record| record.devices()) {
            let Ok(peer) = peer_of_key(device.transport_key().as_bytes()) else { continue };
            let found = self.inner.session.reachability(peer).await?;
            if best_path.is_none_or(|best| found.path < best) {
                best_path = Some(found.path);
                best.path = path_word(found.path).to_owned();
                best.why = (&found.why).into();
                best.round_trip_ms = found.round_trip.map(|time| time.as_secs_f64() * 1000.0);
            }
        }
        Ok(best)
    }

    /// Messages of one's own that somebody does not have yet, among the newest of each conversation.
    fn undelivered(&self) -> Result<u64, ClientError> {
        /// Older ones are delivered, or have been waiting for so long that their number does not matter.
        const LOOKED_AT: usize = 200;
        let mut count: u64 = 0;
        for (id, entry) in self.entries()? {
            let Some(view) = self.conversation(id)?.filter(|_| entry.kind != Kind::Own) else { continue };
            let delivery = self.delivery(id)?;
            for item in view::page(self.store(), &view, self.me(), Anchor::Newest, LOOKED_AT)? {
                if item.author == self.me().account {
                    let (state, _) = view::state_in(&delivery, &view, self.me(), &item.id);
                    count = count.saturating_add(u64::from(state < MessageState::Delivered));
                }
            }
        }
        Ok(count)
    }
}

fn request_view(waiting: &WaitingRequest) -> control::ContactRequest {
    control::ContactRequest {
        account: waiting.account.to_string(),
        handle: waiting.handle.clone(),
        text: waiting.text.clone(),
        sent_ms: waiting.wall.0,
        remembered: waiting.is_remembered(),
    }
}

fn page_size(limit: u32) -> usize {
    usize::try_from(limit.min(MAX_PAGE)).unwrap_or_default()
}

/// The first characters of a text.
pub(super) fn cut(text: &str, characters: usize) -> String {
    text.chars().take(characters).collect()
}

/// The kind, the text, what it answers, and the length and waveform of a sound.
type BodyView<'a> = (&'static str, Option<String>, Option<String>, Option<(u32, &'a [u8])>);

fn body_view(body: &ItemBody) -> BodyView<'_> {
    match body {
        ItemBody::Text { text, reply_to } => ("text", Some(text.clone()), reply_to.as_ref().map(format_id), None),
        ItemBody::VoiceNote { duration_ms, peaks, .. } => ("voice", None, None, Some((*duration_ms, peaks.as_slice()))),
        ItemBody::File(file) => {
            let caption = Some(file.caption.clone()).filter(|caption| !caption.is_empty());
            ("file", caption, file.reply_to.as_ref().map(format_id), None)
        }
        ItemBody::Left => ("left", None, None, None),
        ItemBody::Deleted => ("deleted", None, None, None),
        ItemBody::Missing => ("missing", None, None, None),
        ItemBody::Newer { .. } => ("unknown", None, None, None),
        ItemBody::Malformed => ("malformed", None, None, None),
    }
}

fn state_word(state: MessageState) -> &'static str {
    match state {
        MessageState::Queued => "queued",
        MessageState::Sent => "sent",
        MessageState::Delivered => "delivered",
        MessageState::Read => "read",
    }
}

fn route_word(route: Route) -> &'static str {
    match route {
        Route::Direct => "direct",
        Route::Mailbox => "mailbox",
    }
}

/// How a path is called in the control protocol.
pub(super) fn path_word(path: Path) -> &'static str {
    match path {
        Path::Lan => "lan",
        Path::Direct => "direct",
        Path::Circuit => "circuit",
        Path::None => "mailbox",
    }
}

/// A message's place as text: device, incarnation and number.
pub(super) fn format_id(id: &ContentId) -> String {
    format!("{}.{}.{}", id.feed.device, id.feed.incarnation, id.sequence)
}

pub(super) fn parse_id(text: &str) -> Result<ContentId, ClientError> {
    let unknown = || ClientError::NoMessage(text.to_owned());
    let mut parts = text.split('.');
    let (Some(device), Some(incarnation), Some(sequence), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err(unknown());
    };
    let feed = FeedId {
        device: device.parse().map_err(|_| unknown())?,
        incarnation: incarnation.parse().map_err(|_| unknown())?,
    };
    Ok(ContentId { feed, sequence: sequence.parse().map_err(|_| unknown())? })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::{DeviceId, Incarnation};

    #[test]
    fn a_messages_place_survives_its_text() {
        let feed = FeedId { device: DeviceId::new([3; 32]), incarnation: Incarnation::new([4; 8]) };
        let id = ContentId { feed, sequence: 17 };
        assert_eq!(parse_id(&format_id(&id)), Ok(id));
        for wrong in ["", "a.b.c", "..", "a.b", "1.2.3.4"] {
            assert!(parse_id(wrong).is_err(), "{wrong}");
        }
    }
}
