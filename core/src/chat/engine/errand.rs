//! Carrying out what conversations want of the engine, and the conversation with oneself.

use super::{Asked, Engine, MAX_ERRANDS};
use crate::chat::api::{Call, CallFailure, CallTarget};
use crate::chat::conversation::{Conversation, Errand, own_home};
use crate::chat::letter::{Letter, Matter};
use crate::chat::membership::{EMPTY_LOG, Invitee};
use crate::chat::policy::{History, Home, Kind, Policy, RULES, Role, Seat, own_conversation};
use crate::chat::turn::{EngineError, Turn};
use crate::identity::AccountRecord;
use crate::mls::Suite;
use crate::types::{AccountId, ConversationId, DeviceId, RequestId};
use crate::wire::codec::Body;
use crate::wire::log;
use crate::wire::message::{Past, ReadUpTo};
use crate::wire::relay::Request;

impl Engine {
    /// Carries out errands until none is left, then sends letters.
    pub(super) fn settle(&mut self, turn: &mut Turn<'_>) -> Result<(), EngineError> {
        for _ in 0..MAX_ERRANDS {
            if let Some(id) = self.advanced.pop() {
                self.unpark(turn, id)?;
                continue;
            }
            if let Some((group, device, epoch)) = self.heard.pop() {
                self.heard(turn, group, device, epoch)?;
                continue;
            }
            let notes = self.account.take_notes();
            if !notes.is_empty() {
                let own = own_conversation(self.account.id());
                for note in notes {
                    self.with(turn, own, |conversation, turn, shared| {
                        conversation.write(turn, shared, note.kind, note.body)
                    })?;
                }
                continue;
            }
            if self.errands.is_empty() {
                // A record that came with something else, as with a request or with word of a contact.
                let Some(account) = self.account.take_news() else { break };
                self.record_changed(turn, account)?;
                continue;
            }
            let (id, errand) = self.errands.remove(0);
            match errand {
                Errand::Home(request) => self.ask_home(turn, id, request)?,
                Errand::Packages(account) => self.ask_packages(turn, id, account)?,
                Errand::Grant(account) => self.grant(turn, id, account)?,
                Errand::Plead => self.plead(turn, id)?,
                Errand::FoundAnew => self.found_anew(turn, id)?,
                Errand::ReadWelcomes => {
                    self.unpark_uninvited(turn)?;
                    self.seek_soon(turn);
                }
                Errand::DropPleas => self.drop_pleas(turn, id)?,
                Errand::Recall { device, lasting } => self.recall(turn, id, device, lasting)?,
                Errand::SettleDoubt(partner) => self.settle_doubt(turn, id, partner)?,
                Errand::ReadElsewhere(read) => self.read_elsewhere(turn, read)?,
                Errand::Herald => self.herald_all(turn)?,
                Errand::SharePrekeys => self.share_prekeys(turn)?,
                Errand::NewRecord(account) => self.record_changed(turn, account)?,
            }
        }
        self.send_letters(turn)
    }

    fn call(&mut self, turn: &mut Turn<'_>, asked: Asked, to: CallTarget, request: Request) {
        let id = RequestId::random(turn.rng);
        self.calls.insert(id, asked);
        turn.effects.calls.push(Call { id, to, request });
    }

    fn ask_home(&mut self, turn: &mut Turn<'_>, id: ConversationId, request: log::Request) -> Result<(), EngineError> {
        let home = self.with(turn, id, |conversation, _, _| {
            Ok(conversation.membership().policy().map(|policy| policy.home.clone()))
        })?;
        let Some(home) = home.flatten() else { return Ok(()) };
        if self.is_home_blocked(turn, id, &home)? {
            let away = Err(CallFailure::Unreachable);
            self.with(turn, id, |conversation, turn, shared| conversation.home_answered(turn, shared, away))?;
            return Ok(());
        }
        let to = match home {
            Home::Relay(address) => {
                let own = self.account.relay().is_some_and(|relay| relay.relay == address.relay);
                if own { CallTarget::OwnRelay } else { CallTarget::Relay(address) }
            }
            Home::Device { events, transport, .. } => CallTarget::Device(events.device_id(), *transport.as_bytes()),
        };
        self.call(turn, Asked::Home(id), to, Request::Home(request));
        Ok(())
    }

    /// Whether the home is a device of the account that a direct conversation is with, and that account is blocked: a question would
    /// tell it that this device is there.
    fn is_home_blocked(&mut self, turn: &mut Turn<'_>, id: ConversationId, home: &Home) -> Result<bool, EngineError> {
        let Home::Device { events, .. } = home else { return Ok(false) };
        let (own, device) = (self.account.id(), events.device_id());
        let partner = self.with(turn, id, |conversation, _, _| {
            let keeper = conversation.membership().roster().member(&device).map(|member| member.account);
            Ok(conversation.partner(own).filter(|partner| keeper == Some(*partner)))
        })?;
        match partner.flatten() {
            Some(partner) => self.account.is_blocked(turn, &partner),
            None => Ok(false),
        }
    }

    fn ask_packages(&mut self, turn: &mut Turn<'_>, id: ConversationId, account: AccountId) -> Result<(), EngineError> {
        let token = self.account.key_package_token(turn, &account)?;
        let relay = self.account.record_of(turn, &account)?.and_then(|record| record.relays().first().cloned());
        let own = account == self.account.id();
        match (token, relay) {
            (Some(token), Some(relay)) => {
                let to = if own { CallTarget::OwnRelay } else { CallTarget::Relay(relay) };
                self.call(turn, Asked::Packages(id, account), to, Request::TakeKeyPackages { account, token });
                Ok(())
            }
            _ => {
                // Nobody keeps any: its devices plead to be added.
                self.with(turn, id, |conversation, turn, shared| {
                    conversation.packages_came(turn, shared, account, Some(Vec::new()))
                })?;
                Ok(())
            }
        }
    }

    /// Asks the other members' devices, and one's own, to add this device.
    fn plead(&mut self, turn: &mut Turn<'_>, id: ConversationId) -> Result<(), EngineError> {
        let policy =
            self.with(turn, id, |conversation, _, _| Ok(conversation.membership().policy().cloned()))?.flatten();
        let suite = policy.as_ref().map_or(Ok(self.account.suite()), |policy| Suite::from_number(policy.suite))?;
        let mut accounts: Vec<AccountId> =
            policy.map(|policy| policy.seats.iter().map(|seat| seat.account).collect()).unwrap_or_default();
        if accounts.is_empty() {
            // Who is in it is not known: the own devices may be, and the contact that it is with.
            accounts.push(self.account.id());
            accounts.extend(self.partner_in(turn, id)?);
        }
        accounts.extend(self.unknown.teller(id).filter(|teller| !accounts.contains(teller)));
        for account in accounts {
            let Some(record) = self.account.record_of(turn, &account)? else { continue };
            let to: Vec<(AccountId, DeviceId)> = record
                .devices()
                .iter()
                .map(|device| (account, device.device_id()))
                .filter(|(_, device)| *device != self.account.device())
                .collect();
            if to.is_empty() {
                continue;
            }
            if let Ok((envelope, package)) = self.account.plea(turn, &record, id, suite)? {
                let before = self.replace_plea(turn, id, account)?;
                let matter = Matter::Plea { account, package: package.into(), before };
                Letter::new(id, envelope, matter, to).keep(turn);
            }
        }
        Ok(())
    }

    fn read_elsewhere(&mut self, turn: &mut Turn<'_>, read: ReadUpTo) -> Result<(), EngineError> {
        let ReadUpTo { conversation, marks } = read;
        self.with(turn, conversation, |conversation, turn, shared| conversation.merge_read(turn, shared, &marks))?;
        Ok(())
    }

    /// The conversation with oneself: founded by an account's only device; another asks to be added to it.
    pub(super) fn begin_own(&mut self, turn: &mut Turn<'_>) -> Result<(), EngineError> {
        let id = own_conversation(self.account.id());
        let record = self.account.record().clone();
        if record.devices().len() == 1 {
            let policy = self.first_policy(id, Kind::Own, String::new(), &[(&record, Role::Member)]);
            return self.found(turn, policy, &[]);
        }
        let conversation = Conversation::new(turn, id, self.me())?;
        self.conversations.insert(id, conversation);
        self.with(turn, id, Conversation::lose)?;
        Ok(())
    }

    /// Tells one's other devices the secrets of new prekeys, once all who hear it are of the account: it was a removal, as a rule, that
    /// made them new.
    pub(super) fn share_prekeys(&mut self, turn: &mut Turn<'_>) -> Result<(), EngineError> {
        let Some(prekeys) = self.account.unshared_prekeys() else { return Ok(()) };
        if self.account.record().devices().len() > 1 {
            let id = own_conversation(self.account.id());
            let among_us = self.with(turn, id, |conversation, _, shared| {
                let membership = conversation.membership();
                let ours = |device: DeviceId| shared.account.record().device(device).is_some();
                Ok(membership.present().is_some() && membership.present_devices().all(ours))
            })?;
            if among_us != Some(true) {
                return Ok(());
            }
            self.write_to_oneself(turn, crate::wire::message::Kind::Prekeys, prekeys.encode())?.ok();
        }
        self.account.prekeys_shared(turn);
        Ok(())
    }

    /// A conversation in which only this account has a seat once more, as a successor of what this device knows of it. Another of the
    /// account's devices that is in a group all the same follows, or has the lower group id, and adds this one.
    fn found_anew(&mut self, turn: &mut Turn<'_>, id: ConversationId) -> Result<(), EngineError> {
        let record = self.account.record().clone();
        let new = self.first_policy(id, Kind::Own, String::new(), &[(&record, Role::Member)]);
        let agreed = self.with(turn, id, |conversation, _, _| Ok(conversation.membership().policy().cloned()))?;
        let policy = match agreed.flatten() {
            Some(agreed) => {
                let role = agreed.seat(record.account_id()).map_or(Role::Member, |seat| seat.role);
                let seats = new.seats.iter().map(|seat| Seat { role, ..*seat }).collect();
                let (generation, predecessor) = (agreed.generation.saturating_add(1), Some(agreed.hash()));
                Policy { generation, predecessor, log: new.log, home: new.home, suite: new.suite, seats, ..agreed }
            }
            None => new,
        };
        self.found(turn, policy, &[Invitee { record, packages: Vec::new() }])
    }

    /// The policy of a new conversation whose home this device chooses.
    pub(super) fn first_policy(
        &self,
        conversation: ConversationId,
        kind: Kind,
        name: String,
        members: &[(&AccountRecord, Role)],
    ) -> Policy {
        let mut policy = Policy {
            conversation,
            kind,
            generation: 0,
            predecessor: None,
            log: EMPTY_LOG,
            home: own_home(&self.account),
            rules: RULES,
            name,
            seats: Vec::new(),
            retention_s: None,
            past: Past::default().hash(),
            history: History::All,
            document: None,
            suite: self.account.suite().number(),
        };
        for (record, role) in members {
            let (account, version, hash) = (record.account_id(), record.version(), record.hash());
            policy.seat_account(Seat { account, version, hash, role: *role, since: 0 });
        }
        policy
    }

    /// Founds a conversation.
    pub(super) fn found(
        &mut self,
        turn: &mut Turn<'_>,
        policy: Policy,
        invitees: &[Invitee],
    ) -> Result<(), EngineError> {
        let id = policy.conversation;
        if self.with(turn, id, |_, _, _| Ok(()))?.is_none() {
            let conversation = Conversation::new(turn, id, self.me())?;
            self.conversations.insert(id, conversation);
        }
        self.with(turn, id, |conversation, turn, shared| conversation.found(turn, shared, policy, invitees))?;
        Ok(())
    }

    /// Tells an account's devices, as an event, what they may use to reach this one's.
    pub(super) fn grant(&mut self, turn: &mut Turn<'_>, id: ConversationId, to: AccountId) -> Result<(), EngineError> {
        if to == self.account.id() {
            return Ok(());
        }
        let Some(grant) = self.account.grant_for(turn, to)? else { return Ok(()) };
        self.with(turn, id, |conversation, turn, shared| {
            conversation.write(turn, shared, crate::wire::message::Kind::Grant, grant.encode())
        })?;
        self.herald(turn, id)
    }
}
