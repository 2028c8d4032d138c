//! Who cannot be brought together, and why.

use std::collections::BTreeMap;

use kith_core::chat::policy::{Home, Kind, Policy};
use kith_core::chat::rogue::{Ground, agreed};
use kith_core::chat::view::{self, ConversationView};
use kith_core::home::State;
use kith_core::store::{Read as _, Table};
use kith_core::types::{ConversationId, GroupId};
use kith_core::wire::codec::Body as _;

use crate::sim::world::World;

impl World {
    /// Those who are in a conversation, by the group of it that they are in.
    pub(super) fn parts<'a>(
        &self,
        id: ConversationId,
        inside: &[&'a (usize, ConversationView)],
    ) -> Vec<Vec<&'a (usize, ConversationView)>> {
        let mut parts: BTreeMap<Option<GroupId>, Vec<&(usize, ConversationView)>> = BTreeMap::new();
        for here in inside {
            parts.entry(self.ground(here.0, id).map(|ground| ground.group)).or_default().push(here);
        }
        parts.into_values().collect()
    }

    /// Whether nobody honest may bring those who are in a group together.
    pub(super) fn is_apart(&self, id: ConversationId) -> bool {
        self.orphans(id).is_some() || self.led_apart(id).is_some()
    }

    /// Devices in a group that stand before a home without its log, where nobody honest may move the group and knows it: a group's only
    /// admin follows no rule, has nothing left of it, or has left it.
    pub(super) fn orphans(&self, id: ConversationId) -> Option<Vec<usize>> {
        self.stuck(id, |_, ground| self.home_keeps(ground))
    }

    /// Devices in such a group before a home that hides its log from them: they may have all that they need for all that.
    pub(super) fn shut_out(&self, id: ConversationId) -> Option<Vec<usize>> {
        self.stuck(id, |device, ground| self.home_shows(device, ground))
    }

    fn stuck(&self, id: ConversationId, has_home: impl Fn(usize, &Ground) -> bool) -> Option<Vec<usize>> {
        let grounds = self.honest().into_iter().filter_map(|device| Some((device, self.ground(device, id)?)));
        let lost: Vec<(usize, Ground)> = grounds.filter(|(device, ground)| !has_home(*device, ground)).collect();
        let group = lost.first().is_some_and(|(_, ground)| ground.policy.kind == Kind::Group);
        let fixed = group && !lost.iter().any(|(_, ground)| self.may_be_moved(id, ground));
        fixed.then(|| lost.into_iter().map(|(device, _)| device).collect())
    }

    /// Whether an honest device knows a group of which its account is an admin, and may move it.
    fn may_be_moved(&self, id: ConversationId, ground: &Ground) -> bool {
        self.honest().into_iter().any(|device| {
            let known = view::conversation(&self.devices[device].store, id).expect("a readable store").is_some();
            let left = self.ground(device, id).is_some_and(|ground| ground.left);
            known && !left && ground.policy.is_admin(self.devices[device].account)
        })
    }

    /// Who is in a group whose home is a device that was removed, if nobody honest may move it: it alone could take the commit that
    /// takes it out.
    pub(super) fn kept_by(&self, removed: usize, id: ConversationId) -> Option<Vec<usize>> {
        let home = |ground: &Ground| match &ground.policy.home {
            Home::Device { events, .. } => events.device_id() == self.devices[removed].id,
            Home::Relay(_) => false,
        };
        let grounds = self.honest().into_iter().filter_map(|device| Some((device, self.ground(device, id)?)));
        let kept: Vec<(usize, Ground)> = grounds.filter(|(device, _)| *device != removed).collect();
        let fixed =
            |ground: &Ground| ground.policy.kind == Kind::Group && home(ground) && !self.may_be_moved(id, ground);
        kept.iter().all(|(_, ground)| fixed(ground)).then(|| kept.into_iter().map(|(device, _)| device).collect())
    }

    /// Members' devices that know of a group in which everybody has lost their keys, and of which no admin knows any more: only who has a
    /// place could recall one, and nobody else may found a successor. Nothing if it is not so.
    pub(super) fn forgotten(&self, id: ConversationId) -> Option<Vec<usize>> {
        let placed = |device: usize| !self.devices[device].removed && self.ground(device, id).is_some();
        if (0..self.devices.len()).any(placed) {
            return None;
        }
        let policy = |device: usize| agreed(&self.devices[device].store, id).expect("a readable store");
        let known = self.honest().into_iter().filter_map(|device| Some((device, policy(device)?)));
        // Whoever was taken out waits for nothing.
        let waits =
            |account, policy: &Policy| policy.seat(account).is_some() && !self.ledger.unseated.contains(&(id, account));
        let known: Vec<_> = known.filter(|(device, policy)| waits(self.devices[*device].account, policy)).collect();
        let group = known.first().is_some_and(|(_, policy)| policy.kind == Kind::Group);
        let admin = known.iter().any(|(device, policy)| policy.is_admin(self.devices[*device].account));
        (group && !admin).then(|| known.into_iter().map(|(device, _)| device).collect())
    }

    /// Honest devices of a group whose admins all follow no rule and have led others into a successor of it: who was not invited by an
    /// admin cannot tell it from one that somebody made who may not, and nobody honest may bring them together. Nothing if there are none.
    pub(super) fn led_apart(&self, id: ConversationId) -> Option<Vec<usize>> {
        let honest = self.honest();
        let grounds = honest.iter().filter_map(|device| Some((*device, self.ground(*device, id)?)));
        let grounds: Vec<(usize, Ground)> = grounds.collect();
        let latest = grounds.iter().map(|(_, ground)| ground.policy.generation).max()?;
        let rules = |(_, ground): &(usize, Ground)| {
            let mut accounts = honest.iter().map(|device| self.devices[*device].account);
            ground.policy.kind != Kind::Group || accounts.any(|account| ground.policy.is_admin(account))
        };
        let behind = grounds.iter().filter(|(_, ground)| ground.policy.generation < latest);
        let behind: Vec<usize> = behind.map(|(device, _)| *device).collect();
        (!behind.is_empty() && !grounds.iter().any(rules)).then_some(behind)
    }

    /// Whether a group's home has the log as far as a device walked it, and does not hide that from it.
    fn home_shows(&self, device: usize, ground: &Ground) -> bool {
        let hidden = match &ground.policy.home {
            Home::Relay(address) => self
                .relay_of(address)
                .is_some_and(|relay| self.is_hidden_at(relay, device, ground.group, ground.log.next)),
            Home::Device { .. } => false,
        };
        self.home_keeps(ground) && !hidden
    }

    /// Whether a group's home has the log as far as it was walked.
    pub(super) fn home_keeps(&self, ground: &Ground) -> bool {
        match &ground.policy.home {
            Home::Relay(address) => {
                let mut relays = self.relays.iter();
                let relay = relays.position(|relay| relay.address.relay == address.relay);
                relay.is_some_and(|relay| self.keeps_log(relay, ground.group, ground.log.next))
            }
            Home::Device { events, .. } => {
                let home = self.by_id.get(&events.device_id()).map(|device| &self.devices[*device].store);
                let row =
                    home.and_then(|store| store.get(Table::HomeLog, ground.group.as_ref()).expect("a readable store"));
                let state = row.and_then(|row| State::decode(&row).ok());
                state.is_some_and(|state| state.head().next >= ground.log.next)
            }
        }
    }

    /// Who is in an orphaned group, and was not told why it cannot be brought together.
    pub(super) fn unsaid(&self, id: ConversationId, orphans: &[usize]) -> Option<String> {
        let told = |device: usize, what| self.devices[device].told.contains_key(what);
        let silent = self.honest().into_iter().find(|device| {
            let whose = self.devices[*device].account;
            let seated = orphans.iter().filter_map(|orphan| self.ground(*orphan, id));
            let here = seated.into_iter().any(|ground| ground.policy.seat(whose).is_some());
            let said = told(*device, "home lost") || (!orphans.contains(device) && told(*device, "rejoining"));
            here && !said && !self.is_led_on(*device, id)
        });
        silent.map(|device| format!("device {device} was not told that nobody can bring {id:?} together"))
    }

    /// Whether a device of an account that has left a group waits to be taken out in a log that its home shows to it alone: it finds
    /// nothing wrong with it.
    pub(super) fn is_led_on(&self, device: usize, id: ConversationId) -> bool {
        let Some(ground) = self.ground(device, id).filter(|ground| ground.left) else { return false };
        let Home::Relay(address) = &ground.policy.home else { return false };
        let relay = self.relay_of(address);
        relay.is_some_and(|relay| self.shows_alone(relay, device, ground.group, ground.log.next))
    }
}
