//! View models: what the store holds, as it is shown.

use super::{Client, ClientError};
use crate::chat::account::{Account, Contact, WaitingRequest, contacts, known_record, waiting_requests};
use crate::chat::policy::{Kind, direct_conversation};
use crate::chat::view::{self, ConversationView};
use crate::chat::{Anchor, Item, ItemBody, MessageState, Route, timeline};
use crate::identity::SafetyNumber;
use crate::net::{Path, peer_of_key};
use crate::store::{Read as _, Table};
use crate::types::{AccountId, ContentId, FeedId};
use crate::wire::control;

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
        for contact in contacts(self.store(), self.me().account)? {
            list.push(self.contact_view(&contact)?);
        }
        for id in view::conversations(self.store())? {
            if let Some(group) = view::conversation(self.store(), id)?.filter(|found| found.kind == Kind::Group) {
                list.push(self.group_view(&group)?);
            }
        }
        Ok(list)
    }

    fn contact_view(&self, contact: &Contact) -> Result<control::Contact, ClientError> {
        let id = direct_conversation(self.me().account, contact.account);
        let conversation = view::conversation(self.store(), id)?;
        let record = known_record(self.store(), &contact.account)?;
        let own = self.own_record()?;
        let state = if contact.blocked {
            "blocked"
        } else if contact.accepted {
            "accepted"
        } else {
            "asked"
        };
        Ok(control::Contact {
            account: Some(contact.account.to_string()),
            name: self.name_of(&contact.account)?,
            handle: contact.handle.clone(),
            state: state.to_owned(),
            verified: contact.verified,
            safety_number: record.map(|record| SafetyNumber::of(own.account_root(), record.account_root()).to_string()),
            unread: conversation.as_ref().map_or(Ok(0), |found| self.unread(found))?,
            conversation: conversation.map(|found| found.id.to_string()),
        })
    }

    fn group_view(&self, group: &ConversationView) -> Result<control::Contact, ClientError> {
        Ok(control::Contact {
            account: None,
            conversation: Some(group.id.to_string()),
            name: group.name.clone().unwrap_or_else(|| group.id.short()),
            handle: None,
            state: "group".to_owned(),
            verified: false,
            safety_number: None,
            unread: self.unread(group)?,
        })
    }

    fn unread(&self, conversation: &ConversationView) -> Result<u64, ClientError> {
        let summary = timeline::summary(self.store(), &conversation.id, &conversation.roster, &self.me())?;
        Ok(summary.unread.into())
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
        let conversation = self.conversation_named(with)?;
        let anchor = match before {
            Some(id) => Anchor::Before(parse_id(id)?),
            None => Anchor::Newest,
        };
        let limit = usize::try_from(limit.min(MAX_PAGE)).unwrap_or_default();
        let items = view::page(self.store(), &conversation, self.me(), anchor, limit)?;
        items.iter().map(|item| self.message_view(&conversation, item)).collect()
    }

    pub(super) fn message(
        &self,
        conversation: &ConversationView,
        id: &ContentId,
    ) -> Result<Option<control::Message>, ClientError> {
        let item = timeline::item_at(self.store(), &conversation.id, &conversation.roster, &self.me(), id)?;
        item.map(|item| self.message_view(conversation, &item)).transpose()
    }

    fn message_view(&self, conversation: &ConversationView, item: &Item) -> Result<control::Message, ClientError> {
        let mine = item.author == self.me().account;
        let (state, route) = if mine {
            let (state, route) = view::message_state(self.store(), conversation, self.me(), &item.id)?;
            (Some(state_word(state).to_owned()), route)
        } else {
            (None, None)
        };
        let mut reactions: std::collections::BTreeMap<&str, u32> = std::collections::BTreeMap::new();
        for emoji in item.reactions.values() {
            let count = reactions.entry(emoji).or_default();
            *count = count.saturating_add(1);
        }
        let (kind, text, reply_to, duration_ms) = body_view(&item.body);
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
            duration_ms,
            transcript: self.kept_transcript(conversation, &item.id)?.map(|transcript| transcript.text),
            state,
            route: route.map(|route| route_word(route).to_owned()),
        })
    }

    pub(super) fn kept_transcript(
        &self,
        conversation: &ConversationView,
        id: &ContentId,
    ) -> Result<Option<control::Transcript>, ClientError> {
        let key = crate::chat::feed::event_key(&conversation.id, id);
        let kept = self.store().get(Table::Transcript, &key)?;
        Ok(kept.and_then(|bytes| serde_json::from_slice(&bytes).ok()))
    }

    pub(super) async fn status(&self) -> Result<control::Status, ClientError> {
        let link = self.link();
        let record = self.own_record()?;
        let addresses = self.inner.session.addresses().await?;
        let mut reaches = Vec::new();
        for contact in contacts(self.store(), self.me().account)? {
            if contact.accepted && !contact.blocked {
                reaches.push(self.reach(&contact).await?);
            }
        }
        Ok(control::Status {
            relay_connected: (!record.relays().is_empty()).then_some(link.connected),
            relay_problem: link.problem.filter(|_| !link.connected),
            addresses: addresses.iter().map(ToString::to_string).collect(),
            undelivered: self.undelivered()?,
            contacts: reaches,
            warnings: self.warnings().into_iter().chain(link.clock).collect(),
        })
    }

    /// The best way to any of a contact's devices.
    async fn reach(&self, contact: &Contact) -> Result<control::Reach, ClientError> {
        let mut best = control::Reach {
            account: contact.account.to_string(),
            name: self.name_of(&contact.account)?,
            path: "mailbox".to_owned(),
            why: "no device of theirs is known".to_owned(),
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
                best.why = found.why.to_string();
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
        for id in view::conversations(self.store())? {
            let Some(conversation) = view::conversation(self.store(), id)?.filter(|found| found.kind != Kind::Own)
            else {
                continue;
            };
            for item in view::page(self.store(), &conversation, self.me(), Anchor::Newest, LOOKED_AT)? {
                if item.author == self.me().account {
                    let (state, _) = view::message_state(self.store(), &conversation, self.me(), &item.id)?;
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
    }
}

fn body_view(body: &ItemBody) -> (&'static str, Option<String>, Option<String>, Option<u32>) {
    match body {
        ItemBody::Text { text, reply_to } => ("text", Some(text.clone()), reply_to.as_ref().map(format_id), None),
        ItemBody::VoiceNote { duration_ms, .. } => ("voice", None, None, Some(*duration_ms)),
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
