//! Events: the session's, as they are shown.

use std::collections::{BTreeSet, VecDeque};

use tokio::sync::broadcast;
use tokio::sync::broadcast::error::{RecvError, TryRecvError};

use super::{Client, ClientError, Link};
use crate::chat::Notice;
use crate::session::{ClockGap, Event as Told};
use crate::types::{ContentId, ConversationId, DeviceId};
use crate::wire::control::{Code, Event, Said};

/// How many notices are taken in while a chat that changed waits to be told: in a flood nobody waits for its end.
const MAX_UNTOLD: usize = 256;

/// What happens, one event after the other. A slow listener misses the oldest and is told how many.
pub struct EventStream {
    client: Client,
    told: broadcast::Receiver<Told>,
    /// Events that are due.
    ready: VecDeque<Event>,
    /// Chats that changed, to be told when no more is known to change.
    changed: BTreeSet<ConversationId>,
    /// Notices taken in since one of them was told.
    untold: usize,
}

impl std::fmt::Debug for EventStream {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("EventStream(…)")
    }
}

impl EventStream {
    pub(super) fn new(client: Client, told: broadcast::Receiver<Told>) -> Self {
        Self { client, told, ready: VecDeque::new(), changed: BTreeSet::new(), untold: 0 }
    }

    /// The next event; none when the session has ended.
    pub async fn next(&mut self) -> Option<Event> {
        loop {
            if let Some(event) = self.ready.pop_front() {
                return Some(event);
            }
            let told = match self.told.try_recv() {
                Ok(told) => Ok(told),
                Err(TryRecvError::Empty) if self.tell_chat() => continue,
                Err(TryRecvError::Empty) => self.told.recv().await,
                Err(TryRecvError::Closed) => Err(RecvError::Closed),
                Err(TryRecvError::Lagged(missed)) => Err(RecvError::Lagged(missed)),
            };
            match told {
                Ok(told) => {
                    if let Err(error) = self.take(told) {
                        tracing::warn!(%error, "An event could not be shown.");
                    }
                    self.untold = self.untold.saturating_add(1);
                    if self.untold > MAX_UNTOLD {
                        self.tell_chat();
                    }
                }
                Err(RecvError::Lagged(missed)) => return Some(Event::Lagged { missed }),
                Err(RecvError::Closed) => return None,
            }
        }
    }

    /// Makes one of the chats that changed due. Says whether there was one.
    fn tell_chat(&mut self) -> bool {
        self.untold = 0;
        let Some(id) = self.changed.pop_first() else { return false };
        match self.client.chat(id) {
            Ok(Some(chat)) => self.ready.push_back(Event::Chat { chat }),
            Ok(None) if self.client.was_listed(&id) => self.ready.push_back(Event::ChatGone { chat: id.to_string() }),
            Ok(None) => {}
            Err(error) => tracing::warn!(%error, "A chat could not be shown."),
        }
        true
    }

    fn take(&mut self, told: Told) -> Result<(), ClientError> {
        let event = match told {
            Told::Notice(notice) => return self.notice(notice),
            Told::RelayUp => Event::Connection { who: "relay".into(), path: "direct".into(), why: None },
            Told::RelayDown(why) => Event::Connection { who: "relay".into(), path: "none".into(), why: Some(why) },
            Told::ClockOff(gap) => Event::Warning { said: clock_off(gap) },
            Told::Peer { device, .. } => return self.peer(device),
            Told::Obstacle { device } => return self.obstacle(device),
            Told::Transfer { conversation, id } => return self.transfer(conversation, id),
            Told::Raise { link } => Event::Raise { link },
            Told::Client(event) => *event,
            Told::Trouble(said) => Event::Warning { said },
            Told::Recovered => Event::Warning { said: recovered() },
        };
        self.ready.push_back(event);
        Ok(())
    }

    /// A device came or went: what counts is how its account is reached.
    fn peer(&mut self, device: DeviceId) -> Result<(), ClientError> {
        let Some(account) = self.client.owner(&device)? else { return Ok(()) };
        let path = super::view::path_word(self.client.path_to(&account)?).to_owned();
        self.ready.push_back(Event::Connection { who: account.to_string(), path, why: None });
        self.changed.insert(self.client.conversation_with(account));
        Ok(())
    }

    /// What waits for a device has another reason to, or none any more.
    fn obstacle(&mut self, device: DeviceId) -> Result<(), ClientError> {
        let Some(account) = self.client.owner(&device)? else { return Ok(()) };
        let id = self.client.conversation_with(account);
        self.changed.insert(id);
        if let Some(message) = self.client.last_shown(id)?.filter(|message| message.mine) {
            self.ready.push_back(Event::Changed { message });
        }
        Ok(())
    }

    fn notice(&mut self, notice: Notice) -> Result<(), ClientError> {
        self.ready.extend(warning(&self.client, &notice)?.map(|said| Event::Warning { said }));
        match notice {
            Notice::Timeline { conversation, id, new } => self.message(conversation, &id, new)?,
            Notice::Delivery { conversation, id } => self.message(conversation, &id, false)?,
            Notice::Request { account } => {
                let request = self.client.request_of(&account)?;
                self.ready.extend(request.map(|contact_request| Event::Request { contact_request }));
            }
            Notice::Contact { account } | Notice::Profile { account } => {
                self.changed.insert(self.client.conversation_with(account));
                self.ready.push_back(Event::Contact { account: account.to_string() });
            }
            Notice::Typing { conversation, account, on } => {
                let (conversation, account) = (conversation.to_string(), account.to_string());
                self.ready.push_back(Event::Typing { conversation, account, on });
            }
            Notice::Conversation { conversation }
            | Notice::Listed { conversation }
            | Notice::Rejoining { conversation } => drop(self.changed.insert(conversation)),
            _ => {}
        }
        Ok(())
    }

    fn transfer(&mut self, conversation: ConversationId, id: ContentId) -> Result<(), ClientError> {
        if let Some(transfer) = self.client.transfer_of(conversation, id) {
            let (conversation, message) = (conversation.to_string(), super::view::format_id(&id));
            self.ready.push_back(Event::Transfer { conversation, message, transfer });
        }
        Ok(())
    }

    fn message(&mut self, conversation: ConversationId, id: &ContentId, new: bool) -> Result<(), ClientError> {
        if conversation == self.client.own_conversation() {
            return Ok(());
        }
        self.changed.insert(conversation);
        let Some(view) = self.client.conversation(conversation)? else { return Ok(()) };
        let message = self.client.message(&view, id)?;
        let event = |message| if new { Event::Message { message } } else { Event::Changed { message } };
        self.ready.extend(message.map(event));
        Ok(())
    }
}

/// What a person is told when a trouble is over.
fn recovered() -> Said {
    Said::new(Code::Recovered, "The profile can be written again: Kith goes on.")
}

/// What the owner of a removed device is told, there and as long as it is so.
pub(super) fn device_removed() -> Said {
    let words = "This device was removed from the account: it gets nothing new and can send nothing. What it had is still here.";
    Said::new(Code::DeviceRemoved, words)
}

/// What has to be looked at.
fn warning(client: &Client, notice: &Notice) -> Result<Option<Said>, ClientError> {
    let named = |conversation: &ConversationId| -> Result<String, ClientError> {
        let found = client.conversation(*conversation)?;
        let other = found.as_ref().and_then(|found| {
            let others = found.accounts.iter().find(|account| **account != client.me().account);
            found.name.clone().or_else(|| client.name_of(others?).ok())
        });
        Ok(other.unwrap_or_else(|| conversation.short()))
    };
    Ok(Some(match notice {
        Notice::RecordFork { account, known, shown } => {
            let name = client.name_of(account)?;
            let (code, words) = if shown < known {
                let words = format!(
                    "A relay shows an old record of {name} (version {shown}, known is {known}). It may hide a change of their \
                     devices."
                );
                (Code::RecordOld, words)
            } else {
                let words = format!(
                    "There are two different records of {name} with version {known}. Compare safety numbers before you write."
                );
                (Code::RecordForked, words)
            };
            Said::new(code, words).of(name)
        }
        Notice::DeviceRemoved => device_removed(),
        Notice::HomeLied { conversation } => {
            let name = named(conversation)?;
            let words = format!(
                "The home of the conversation with {name} has shown two versions of its log. The proof is kept, and the \
                 conversation moves."
            );
            Said::new(Code::HomeLied, words).of(name)
        }
        Notice::HomeLost { conversation } => {
            let name = named(conversation)?;
            let words = format!(
                "The home of the conversation with {name} cannot be reached, or has lost its log. Messages flow; members cannot \
                 be changed."
            );
            Said::new(Code::HomeLost, words).of(name)
        }
        Notice::NotSeated { conversation, account } => {
            let (name, who) = (named(conversation)?, client.name_of(account)?);
            let words = format!(
                "{who} was not added to {name}: their devices could not be had, or the group takes nobody else. Try again when they \
                 have been online."
            );
            Said::new(Code::NotAdded, words).of(name).besides(who)
        }
        Notice::Claimed { conversation, account } => {
            let (name, who) = (named(conversation)?, client.name_of(account)?);
            let words = format!(
                "{who} says to be in {name}, of which this device went back to an old copy without them. Add them again if they \
                 belong there."
            );
            Said::new(Code::SaysMember, words).of(name).besides(who)
        }
        Notice::FeedFork { conversation, device } => {
            let (name, device) = (named(conversation)?, device.short());
            let words = format!(
                "Device {device} signed two different messages for one place in the conversation with {name}. It may have been \
                 copied."
            );
            Said::new(Code::FeedForked, words).of(name).besides(device)
        }
        Notice::Rejoining { conversation } => {
            let name = named(conversation)?;
            let words = format!(
                "This device lost its keys for the conversation with {name} and has asked to be added again. What you write is \
                 kept and sent then."
            );
            Said::new(Code::KeysLost, words).of(name)
        }
        Notice::Request { account } => {
            let request = crate::chat::account::waiting_request(client.store(), account)?;
            let Some(handle) = request.and_then(|request| request.handle) else { return Ok(None) };
            let Some(known) = client.other_known_as(&handle, *account)? else { return Ok(None) };
            let (account, known) = (account.short(), known.account.short());
            let words = format!(
                "{account} asks for contact under the name {handle}, which you know as that of another contact, {known}. \
                 Compare safety numbers before you accept."
            );
            Said::new(Code::NameOfAnother, words).of(account).under(handle).besides(known)
        }
        Notice::RequestRefused { account, refusal } => {
            let name = client.name_of(account)?;
            let words = format!("Your contact request to {name} was not taken: {refusal}.");
            Said::new(Code::RequestRefused, words).of(name).because(refusal)
        }
        _ => return Ok(None),
    }))
}

/// How far the clock is off: in a unit of which there are neither too many nor too few.
fn clock_off(gap: ClockGap) -> Said {
    let seconds = gap.by.as_secs();
    let minutes = seconds.saturating_add(30) / 60;
    let hours = minutes.saturating_add(30) / 60;
    let length = match (hours / 24, hours) {
        (3.., _) => format!("{} days", hours.saturating_add(12) / 24),
        (_, 2..) => format!("{hours} h"),
        _ => format!("{minutes} minutes"),
    };
    let (code, side) = if gap.ahead { (Code::ClockAhead, "ahead of") } else { (Code::ClockBehind, "behind") };
    let words = format!(
        "This device's clock is {length} {side} your relay's. Set it right: what you send shows its time to others."
    );
    Said::new(code, words).lasting(seconds)
}

/// Keeps what [`Client::status`] tells: the relay's connection and the warnings.
pub(super) fn follow(client: &Client) {
    let mut told = client.inner.session.subscribe();
    let weak = std::sync::Arc::downgrade(&client.inner);
    tokio::spawn(async move {
        loop {
            let event = told.recv().await;
            let Some(inner) = weak.upgrade() else { return };
            let client = Client { inner };
            match event {
                Ok(Told::RelayUp) => client.set_link(Link { connected: true, ..Link::default() }),
                Ok(Told::RelayDown(problem)) => {
                    client.set_link(Link { connected: false, problem: Some(problem), ..client.link() });
                }
                // Kept with the connection: the next one begins without it, since the clock may have been set meanwhile.
                Ok(Told::ClockOff(gap)) => client.set_link(Link { clock: Some(clock_off(gap)), ..client.link() }),
                Ok(Told::Trouble(said)) => client.warn(said),
                Ok(Told::Recovered) => client.warn(recovered()),
                Ok(Told::Notice(notice)) => {
                    match warning(&client, &notice) {
                        Ok(Some(said)) => client.warn(said),
                        Ok(None) => {}
                        Err(error) => tracing::warn!(%error, "A notice could not be read."),
                    }
                    if let Notice::Timeline { conversation, id, new: true } = notice
                        && let Err(error) = client.note_appeared(conversation, id).await
                    {
                        tracing::info!(%error, "A voice note was not turned into text by itself.");
                    }
                }
                Ok(
                    Told::Peer { .. }
                    | Told::Obstacle { .. }
                    | Told::Transfer { .. }
                    | Told::Raise { .. }
                    | Told::Client(_),
                )
                | Err(RecvError::Lagged(_)) => {}
                Err(RecvError::Closed) => return,
            }
        }
    });
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_wrong_clock_is_told_in_a_unit_that_a_person_uses() {
        let told = |ahead, seconds| clock_off(ClockGap { ahead, by: Duration::from_secs(seconds) });
        for (seconds, length) in [
            (660, "11 minutes"),
            (5000, "83 minutes"),
            (86_399, "24 h"),
            (2 * 86_400, "48 h"),
            (3 * 86_400, "3 days"),
            (365 * 86_400, "365 days"),
        ] {
            assert!(
                told(false, seconds)
                    .message
                    .starts_with(&format!("This device's clock is {length} behind your relay's."))
            );
            assert!(told(true, seconds).message.contains(&format!("is {length} ahead of your relay's.")));
        }
        assert!(told(true, u64::MAX).message.contains("days"));
    }
}
