//! What can be read of conversations without handling an input: for the screen, the command line and the network driver.

use std::collections::BTreeSet;

use super::delivery::{Delivery, MessageState};
use super::feed::Me;
use super::membership::Membership;
use super::policy::{Home, Kind};
use super::roster::Roster;
use super::turn::EngineError;
use super::{Item, Route, timeline};
use crate::store::{Range, Read, Table};
use crate::types::{AccountId, ContentId, ConversationId};

/// A conversation as it stands.
#[derive(Debug, Clone)]
pub struct ConversationView {
    /// Which.
    pub id: ConversationId,
    /// Its sort.
    pub kind: Kind,
    /// The name that its members gave it.
    pub name: Option<String>,
    /// The accounts in it.
    pub accounts: Vec<AccountId>,
    /// Who orders its commits.
    pub home: Home,
    /// Who is and was a member, for pages of the timeline.
    pub roster: Roster,
    /// This device is in its group.
    pub present: bool,
    /// This device lost its place and waits to be added again.
    pub rejoining: bool,
}

/// The conversations of this device, by id.
///
/// # Errors
/// If the store does not answer.
pub fn conversations(read: &dyn Read) -> Result<Vec<ConversationId>, EngineError> {
    let rows = read.scan(Table::Conversation, &[], Range::all())?;
    let ids: BTreeSet<ConversationId> =
        rows.iter().filter_map(|row| ConversationId::try_from(row.key.get(..ConversationId::LEN)?).ok()).collect();
    Ok(ids.into_iter().collect())
}

/// A conversation, once there is a group for it.
///
/// # Errors
/// If the store does not answer, or what it holds is damaged.
pub fn conversation(read: &dyn Read, id: ConversationId) -> Result<Option<ConversationView>, EngineError> {
    let Some(membership) = Membership::load(read, id)? else { return Ok(None) };
    let Some(policy) = membership.policy() else { return Ok(None) };
    Ok(Some(ConversationView {
        id,
        kind: policy.kind,
        name: Some(policy.name.clone()).filter(|name| !name.is_empty()),
        accounts: policy.seats.iter().map(|seat| seat.account).collect(),
        home: policy.home.clone(),
        roster: membership.roster().clone(),
        present: membership.present().is_some(),
        rejoining: membership.is_rejoining(),
    }))
}

/// Every account that shares a conversation with this device.
///
/// # Errors
/// If the store does not answer, or what it holds is damaged.
pub fn member_accounts(read: &dyn Read) -> Result<BTreeSet<AccountId>, EngineError> {
    let mut accounts = BTreeSet::new();
    for id in conversations(read)? {
        accounts.extend(conversation(read, id)?.map(|view| view.accounts).unwrap_or_default());
    }
    Ok(accounts)
}

/// How far a message of one's own has come, and which way it went last.
///
/// # Errors
/// If the store does not answer.
pub fn message_state(
    read: &dyn Read,
    view: &ConversationView,
    me: Me,
    id: &ContentId,
) -> Result<(MessageState, Option<Route>), EngineError> {
    Ok(state_in(&Delivery::load(read, view.id, me)?, view, me, id))
}

/// The same, by what was read of the conversation's delivery before.
pub fn state_in(delivery: &Delivery, view: &ConversationView, me: Me, id: &ContentId) -> (MessageState, Option<Route>) {
    let state = delivery.state(&view.roster, id);
    let devices = delivery.devices(&view.roster, id);
    let others = devices.iter().filter(|device| device.account != me.account);
    (state, others.filter_map(|device| device.route).min())
}

/// A page of a conversation's timeline.
///
/// # Errors
/// If the store does not answer.
pub fn page(
    read: &dyn Read,
    view: &ConversationView,
    me: Me,
    anchor: timeline::Anchor,
    limit: usize,
) -> Result<Vec<Item>, EngineError> {
    Ok(timeline::page(read, &view.id, &view.roster, &me, anchor, limit)?)
}
