//! Events: the session's, as they are shown.

use tokio::sync::broadcast;
use tokio::sync::broadcast::error::RecvError;

use super::{Client, ClientError, Link};
use crate::chat::{Notice, view};
use crate::session::{ClockGap, Event as Told};
use crate::types::{ContentId, ConversationId};
use crate::wire::control::Event;

/// What a person is told when a trouble is over.
const RECOVERED: &str = "The profile can be written again: Kith goes on.";

/// What happens, one event after the other. A slow listener misses the oldest and is told how many.
pub struct EventStream {
    client: Client,
    told: broadcast::Receiver<Told>,
    /// What comes after a warning that was told about the same.
    after: Option<Event>,
}

impl std::fmt::Debug for EventStream {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("EventStream(…)")
    }
}

impl EventStream {
    pub(super) fn new(client: Client, told: broadcast::Receiver<Told>) -> Self {
        Self { client, told, after: None }
    }

    /// The next event; none when the session has ended.
    pub async fn next(&mut self) -> Option<Event> {
        if let Some(event) = self.after.take() {
            return Some(event);
        }
        loop {
            match self.told.recv().await {
                Ok(told) => match self.translate(told) {
                    Ok(Some(event)) => return Some(event),
                    Ok(None) => {}
                    Err(error) => tracing::warn!(%error, "An event could not be shown."),
                },
                Err(RecvError::Lagged(missed)) => return Some(Event::Lagged { missed }),
                Err(RecvError::Closed) => return None,
            }
        }
    }

    fn translate(&mut self, told: Told) -> Result<Option<Event>, ClientError> {
        match told {
            Told::Notice(notice) => self.notice(notice),
            Told::RelayUp => Ok(Some(Event::Connection { who: "relay".into(), path: "direct".into(), why: None })),
            Told::RelayDown(why) => {
                Ok(Some(Event::Connection { who: "relay".into(), path: "none".into(), why: Some(why) }))
            }
            Told::ClockOff(gap) => Ok(Some(Event::Warning { message: clock_off(gap) })),
            Told::Peer { device, path } => {
                let who = device.to_string();
                Ok(Some(Event::Connection { who, path: super::view::path_word(path).to_owned(), why: None }))
            }
            Told::Trouble(message) => Ok(Some(Event::Warning { message })),
            Told::Recovered => Ok(Some(Event::Warning { message: RECOVERED.to_owned() })),
        }
    }

    fn notice(&mut self, notice: Notice) -> Result<Option<Event>, ClientError> {
        let warning = warning(&self.client, &notice)?;
        let event = self.event(notice)?;
        Ok(match warning {
            Some(message) => {
                self.after = event;
                Some(Event::Warning { message })
            }
            None => event,
        })
    }

    fn event(&self, notice: Notice) -> Result<Option<Event>, ClientError> {
        match notice {
            Notice::Timeline { conversation, id, new } => self.message(conversation, id, new),
            Notice::Delivery { conversation, id } => self.message(conversation, id, false),
            Notice::Request { account } => {
                Ok(self.client.request_of(&account)?.map(|contact_request| Event::Request { contact_request }))
            }
            Notice::Contact { account } => Ok(Some(Event::Contact { account: account.to_string() })),
            Notice::Typing { conversation, account, on } => {
                Ok(Some(Event::Typing { conversation: conversation.to_string(), account: account.to_string(), on }))
            }
            _ => Ok(None),
        }
    }

    fn message(&self, conversation: ConversationId, id: ContentId, new: bool) -> Result<Option<Event>, ClientError> {
        if !self.client.is_shown(conversation)? {
            return Ok(None);
        }
        let Some(found) = view::conversation(self.client.store(), conversation)? else { return Ok(None) };
        let Some(message) = self.client.message(&found, &id)? else { return Ok(None) };
        Ok(Some(if new { Event::Message { message } } else { Event::Changed { message } }))
    }
}

/// What has to be looked at, as a sentence.
fn warning(client: &Client, notice: &Notice) -> Result<Option<String>, ClientError> {
    let named = |conversation: &ConversationId| -> Result<String, ClientError> {
        let found = view::conversation(client.store(), *conversation)?;
        let other = found.as_ref().and_then(|found| {
            let others = found.accounts.iter().find(|account| **account != client.me().account);
            found.name.clone().or_else(|| client.name_of(others?).ok())
        });
        Ok(other.unwrap_or_else(|| conversation.short()))
    };
    Ok(Some(match notice {
        Notice::RecordFork { account, known, shown } if shown < known => format!(
            "A relay shows an old record of {} (version {shown}, known is {known}). It may hide a change of their devices.",
            client.name_of(account)?
        ),
        Notice::RecordFork { account, known, .. } => format!(
            "There are two different records of {} with version {known}. Compare safety numbers before you write.",
            client.name_of(account)?
        ),
        Notice::HomeLied { conversation } => format!(
            "The home of the conversation with {} has shown two versions of its log. The proof is kept, and the conversation moves.",
            named(conversation)?
        ),
        Notice::HomeLost { conversation } => format!(
            "The home of the conversation with {} cannot be reached, or has lost its log. Messages flow; members cannot be changed.",
            named(conversation)?
        ),
        Notice::FeedFork { conversation, device } => format!(
            "Device {} signed two different messages for one place in the conversation with {}. It may have been copied.",
            device.short(),
            named(conversation)?
        ),
        Notice::Rejoining { conversation } => format!(
            "This device lost its keys for the conversation with {} and has asked to be added again. What you write is kept and sent then.",
            named(conversation)?
        ),
        Notice::Request { account } => {
            let request = crate::chat::account::waiting_request(client.store(), account)?;
            let Some(handle) = request.and_then(|request| request.handle) else { return Ok(None) };
            let Some(known) = client.other_known_as(&handle, *account)? else { return Ok(None) };
            format!(
                "{} asks for contact under the name {handle}, which you know as that of another contact, {}. Compare safety \
                 numbers before you accept.",
                account.short(),
                known.account.short()
            )
        }
        Notice::RequestRefused { account, refusal } => {
            format!("Your contact request to {} was not taken: {refusal}.", client.name_of(account)?)
        }
        _ => return Ok(None),
    }))
}

/// How far the clock is off, as a sentence: in a unit of which there are neither too many nor too few.
fn clock_off(gap: ClockGap) -> String {
    let minutes = gap.by.as_secs().saturating_add(30) / 60;
    let hours = minutes.saturating_add(30) / 60;
    let length = match (hours / 24, hours) {
        (3.., _) => format!("{} days", hours.saturating_add(12) / 24),
        (_, 2..) => format!("{hours} h"),
        _ => format!("{minutes} minutes"),
    };
    let side = if gap.ahead { "ahead of" } else { "behind" };
    format!(
        "This device's clock is {length} {side} your relay's. Set it right: what you send shows its time to others."
    )
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
                Ok(Told::Trouble(message)) => client.warn(message),
                Ok(Told::Recovered) => client.warn(RECOVERED.to_owned()),
                Ok(Told::Notice(notice)) => match warning(&client, &notice) {
                    Ok(Some(message)) => client.warn(message),
                    Ok(None) => {}
                    Err(error) => tracing::warn!(%error, "A notice could not be read."),
                },
                Ok(Told::Peer { .. }) | Err(RecvError::Lagged(_)) => {}
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
            assert!(told(false, seconds).starts_with(&format!("This device's clock is {length} behind your relay's.")));
            assert!(told(true, seconds).contains(&format!("is {length} ahead of your relay's.")));
        }
        assert!(told(true, u64::MAX).contains("days"));
    }
}
