//! Carrying out what membership has come to.

use serde_bytes::ByteBuf;

use super::say::PASSING;
use super::{Conversation, Errand, Shared, draw, meet, write};
use crate::chat::account::Account;
use crate::chat::api::{CallFailure, Notice, Outgoing};
use crate::chat::letter::{Letter, Matter};
use crate::chat::membership::{Entered, Fact, Invitee, Membership, Wish};
use crate::chat::policy::{History, Home, Kind, Policy, own_conversation};
use crate::chat::transaction::Transaction;
use crate::chat::turn::{EngineError, Turn};
use crate::identity::{AccountRecord, DeviceCertificate};
use crate::mls::Invitation;
use crate::types::{AccountId, DeviceId, GroupId};
use crate::wire::codec::Body as _;
use crate::wire::envelope::{Class, Packet, Urgency};
use crate::wire::log;
use crate::wire::message::{Anchors, MAX_BUNDLE, Message};

/// A forced move waits so long for each device before one in line.
const MOVE_TURN_MS: u64 = 15_000;

/// Key packages that could not be had are asked for again after so long.
const PACKAGES_AGAIN_MS: u64 = 30_000;

/// A device that has no key package yet is looked for again after so long, and then half as often each time: it uploads some as soon
/// as its relay lets it in.
pub(super) const SYNC_AGAIN_MS: u64 = 3_000;

/// But no more seldom than this.
const SYNC_SELDOM_MS: u64 = 60 * 60 * 1000;

/// A device that was removed and belongs to the conversation all the same pleads when no Welcome has come for so long.
const WELCOME_BACK_MS: u64 = 60_000;

/// A plea is repeated after so long without an answer, and then half as often each time.
pub(super) const PLEA_AGAIN_MS: u64 = 5 * 60 * 1000;

/// When the pause between pleas has become so long, nobody is taken to be in a conversation of one account any more: all of its devices
/// may have lost it, and each would plead with the others for ever.
const PLEAS_IN_VAIN_MS: u64 = 4 * PLEA_AGAIN_MS;

/// But no more seldom than this.
const PLEA_SELDOM_MS: u64 = 60 * 60 * 1000;

/// Where commits are ordered when this device decides: at the account's relay, or here.
pub(crate) fn own_home(account: &Account) -> Home {
    account.relay().map_or_else(|| Home::device(account.certificate()), |relay| Home::Relay(relay.clone()))
}

impl Conversation {
    /// Founds the conversation's first group, or one where all have lost their keys.
    pub(crate) fn found(
        &mut self,
        turn: &mut Turn<'_>,
        shared: &mut Shared<'_>,
        policy: Policy,
        invitees: &[Invitee],
    ) -> Result<(), EngineError> {
        let held = self.cuts_here(turn, shared.me())?;
        let cuts = |device: &DeviceId| held.get(device).cloned().unwrap_or_default();
        let facts = self.membership.found(turn, shared.account, &cuts, policy, invitees)?;
        self.carry(turn, shared, facts)?;
        self.sync_devices(turn, shared, 0)
    }

    /// Enters by a Welcome.
    pub(crate) fn enter(
        &mut self,
        turn: &mut Turn<'_>,
        shared: &mut Shared<'_>,
        invitation: Invitation,
        anchors: &[u8],
    ) -> Result<Entered, EngineError> {
        let mut facts = Vec::new();
        let (entered, anchors) = self.membership.enter(turn, shared.account, invitation, anchors, &mut facts)?;
        for record in &anchors.records {
            self.observe(turn, shared, record)?;
        }
        self.carry(turn, shared, facts)?;
        if matches!(entered, Entered::Present) {
            self.begin_at(turn, shared, &anchors)?;
            self.membership.catches_up(turn.now.mono_ms.saturating_add(meet::UNDER_WAY_MS));
            if shared.habits.renews_keys {
                self.renew_at = Some(turn.now.mono_ms.saturating_add(write::joining_delay(turn.rng)));
            }
            self.marks_at = Some(turn.now.mono_ms);
            let devices = self.others(shared);
            self.offer_digest(turn, shared, &devices)?;
            self.drive(turn, shared)?;
        }
        Ok(entered)
    }

    /// Where only what follows may be read, a newcomer's history begins at its anchors.
    fn begin_at(&mut self, turn: &mut Turn<'_>, shared: &mut Shared<'_>, anchors: &Anchors) -> Result<(), EngineError> {
        if self.membership.policy().is_none_or(|policy| policy.history == History::All) {
            return Ok(());
        }
        self.work(turn, shared, |feeds, _| {
            for anchor in &anchors.feeds {
                feeds.anchor(anchor, false)?;
            }
            Ok(feeds.apply_roster()?)
        })
    }

    /// Asks the home what there is to ask.
    pub(super) fn drive(&mut self, turn: &mut Turn<'_>, shared: &mut Shared<'_>) -> Result<(), EngineError> {
        let held = self.held(turn, shared.me())?;
        let cuts = |device: &DeviceId| held.get(device).cloned().unwrap_or_default();
        let facts = self.membership.drive(turn, shared.account, &cuts)?;
        self.carry(turn, shared, facts)
    }

    /// The home has answered, or has not.
    pub(crate) fn home_answered(
        &mut self,
        turn: &mut Turn<'_>,
        shared: &mut Shared<'_>,
        outcome: Result<log::Response, CallFailure>,
    ) -> Result<(), EngineError> {
        let held = self.held(turn, shared.me())?;
        let cuts = |device: &DeviceId| held.get(device).cloned().unwrap_or_default();
        let facts = self.membership.answered(turn, shared.account, &cuts, outcome)?;
        self.carry(turn, shared, facts)
    }

    /// Key packages have come; none when they could not be had now.
    pub(crate) fn packages_came(
        &mut self,
        turn: &mut Turn<'_>,
        shared: &mut Shared<'_>,
        account: AccountId,
        found: Option<Vec<ByteBuf>>,
    ) -> Result<(), EngineError> {
        let Some(found) = found else {
            let pause = PACKAGES_AGAIN_MS.saturating_add(draw(turn.rng, PACKAGES_AGAIN_MS));
            self.packages_at.insert(account, turn.now.mono_ms.saturating_add(pause));
            return Ok(());
        };
        self.membership.packages(turn, account, found.clone());
        let anew: Vec<DeviceId> =
            self.anew.iter().filter(|(_, of)| **of == account).map(|(device, _)| *device).collect();
        for device in anew {
            self.anew.remove(&device);
            let Some(record) = shared.account.record_of(turn, &account)? else { continue };
            if let Some(package) = Membership::package_of(&record, device, &found) {
                self.membership.wish(turn, Wish::Return { device, package, record: record.encode().into() }, 0);
            }
        }
        if let Some(record) = shared.account.record_of(turn, &account)?
            && self.membership.lacks_package(&record, &found)
        {
            self.sync_later(turn);
            if record.relays().is_empty() || self.is_deserted(&record, shared) {
                self.call_for(turn, shared, &record)?;
            }
        }
        let held = self.held(turn, shared.me())?;
        let cuts = |device: &DeviceId| held.get(device).cloned().unwrap_or_default();
        let facts = self.membership.successor_packages(turn, shared.account, &cuts, account, found)?;
        self.carry(turn, shared, facts)?;
        self.drive(turn, shared)
    }

    /// Whether no device that the partner's record lists is in a direct conversation: its other devices may not know of it.
    fn is_deserted(&self, record: &AccountRecord, shared: &Shared<'_>) -> bool {
        let here = |device: DeviceId| self.membership.roster().is_present(&device);
        self.partner(shared.account.id()) == Some(record.account_id())
            && !record.devices().iter().any(|certificate| here(certificate.device_id()))
    }

    /// The relay gives no key packages of an account to this one. Who is deserted waits for none: a relay that was taken back from a copy
    /// does not know what a device that is gone had given, and that device is not to stay for want of them. Nor does a successor, which
    /// all the others wait for: whoever gives this account none may have blocked it, and pleads if not.
    pub(crate) fn packages_refused(
        &mut self,
        turn: &mut Turn<'_>,
        shared: &mut Shared<'_>,
        account: AccountId,
    ) -> Result<(), EngineError> {
        let record = shared.account.record_of(turn, &account)?;
        let waited_for = self.membership.succession_needs().contains(&account);
        let none = record.filter(|record| waited_for || self.is_deserted(record, shared)).map(|_| Vec::new());
        self.packages_came(turn, shared, account, none)
    }

    /// No relay keeps key packages of an account: its devices that are not here are told, straight, to ask to be added.
    /// If a device that is gone was the only one in the conversation, they may not know of it: they are told of that as well.
    fn call_for(
        &self,
        turn: &mut Turn<'_>,
        shared: &mut Shared<'_>,
        record: &AccountRecord,
    ) -> Result<(), EngineError> {
        let account = record.account_id();
        let seated = self.membership.policy().is_some_and(|policy| policy.seat(account).is_some());
        let Some(group) = self.membership.present().map(|present| present.group).filter(|_| seated) else {
            return Ok(());
        };
        if self.partner(shared.account.id()) == Some(account) && shared.account.is_blocked(turn, &account)? {
            return Ok(());
        }
        let mut to = Vec::new();
        let deserted = self.is_deserted(record, shared);
        for device in record.devices().iter().map(DeviceCertificate::device_id) {
            let here = self.membership.roster().is_present(&device);
            if here || device == shared.account.device() {
                continue;
            }
            if deserted {
                // They do not know this device either, and so do not come to it.
                shared.errands.push((self.id, Errand::Recall { device, lasting: false }));
            }
            if shared.peers.contains(&device) {
                to.extend(shared.account.recipient(turn, &account, device)?);
            }
        }
        if !to.is_empty() {
            let packet = Packet::Wanted { conversation: self.id, group };
            let envelope = super::say::envelope(turn, &packet, Class::LiveOnly, Urgency::Quiet);
            turn.effects.sends.push(Outgoing {
                id: envelope.id,
                class: envelope.class,
                envelope: envelope.encode(),
                to,
            });
        }
        Ok(())
    }

    /// A member says that this device has a place in a group: it asks to be added, unless it is there, or asks already.
    pub(crate) fn called_for(
        &mut self,
        turn: &mut Turn<'_>,
        shared: &mut Shared<'_>,
        group: GroupId,
    ) -> Result<(), EngineError> {
        if self.membership.holds(group) || self.membership.wants_back() {
            return Ok(());
        }
        match self.membership.present().map(|present| present.group) {
            Some(present) => {
                let facts = self.membership.left_out(turn, present);
                self.carry(turn, shared, facts)
            }
            None => {
                self.membership.await_return(turn);
                self.plead(turn, shared);
                Ok(())
            }
        }
    }

    /// Devices have a Welcome into a group and are not there: their accounts' key packages are asked for.
    pub(crate) fn add_anew(&mut self, shared: &mut Shared<'_>, group: GroupId, devices: &[DeviceId]) {
        if self.membership.present().is_none_or(|present| present.group != group) {
            return;
        }
        for device in devices {
            let member = self.membership.roster().member(device).filter(|member| member.is_present());
            if let Some(account) = member.map(|member| member.account) {
                self.anew.insert(*device, account);
                shared.errands.push((self.id, Errand::Packages(account)));
            }
        }
    }

    /// Some device could not be added yet, or it is not known whether all were: a device signs in before its key packages are there.
    pub(super) fn sync_later(&mut self, turn: &mut Turn<'_>) {
        let pause = self.sync_wait_ms.saturating_add(draw(turn.rng, self.sync_wait_ms));
        self.sync_at = Some(turn.now.mono_ms.saturating_add(pause));
        self.sync_wait_ms = self.sync_wait_ms.saturating_mul(2).min(SYNC_SELDOM_MS);
    }

    pub(super) fn ask_packages_again(&mut self, turn: &Turn<'_>, shared: &mut Shared<'_>) {
        let now = turn.now.mono_ms;
        let due: Vec<AccountId> = self.packages_at.iter().filter(|(_, at)| **at <= now).map(|(of, _)| *of).collect();
        for account in due {
            self.packages_at.remove(&account);
            shared.errands.push((self.id, Errand::Packages(account)));
        }
    }

    pub(super) fn carry(
        &mut self,
        turn: &mut Turn<'_>,
        shared: &mut Shared<'_>,
        facts: Vec<Fact>,
    ) -> Result<(), EngineError> {
        for fact in facts {
            match fact {
                Fact::Ask(request) => shared.errands.push((self.id, Errand::Home(request))),
                Fact::Packages(account) => shared.errands.push((self.id, Errand::Packages(account))),
                Fact::Welcome { to, group, message } => self.welcome(turn, shared, &to, group, message)?,
                Fact::Hint { group, next, removed } => {
                    let mut others = self.others(shared);
                    others.extend(removed);
                    self.post(turn, shared, &others, &Packet::Hint { group, next }, PASSING)?;
                }
                Fact::Advanced => self.advanced(turn, shared)?,
                Fact::Seated(accounts) => {
                    if self.kind() == Some(Kind::Group) {
                        shared.errands.extend(accounts.into_iter().map(|account| (self.id, Errand::Grant(account))));
                    }
                }
                Fact::Records(records) => {
                    for record in records {
                        self.observe(turn, shared, &record)?;
                    }
                }
                Fact::Walked => {}
                Fact::Gone { seated } => self.gone(turn, shared, &seated)?,
                Fact::Lied(proof) => self.home_lied(turn, shared, proof)?,
                Fact::Lost => self.home_lost(turn, shared)?,
                Fact::Stranded => {
                    turn.effects.notices.push(Notice::Rejoining { conversation: self.id });
                    self.plead_at = Some(turn.now.mono_ms);
                    // The Welcome that leads back may have come already.
                    shared.advanced.push(self.id);
                }
                Fact::Succeeded => {
                    shared.errands.push((self.id, Errand::DropPleas));
                    self.succeeded(turn);
                }
            }
        }
        Ok(())
    }

    fn welcome(
        &mut self,
        turn: &mut Turn<'_>,
        shared: &mut Shared<'_>,
        to: &[DeviceCertificate],
        group: GroupId,
        message: Vec<u8>,
    ) -> Result<(), EngineError> {
        let devices: Vec<(AccountId, DeviceId)> = to.iter().map(|leaf| (leaf.account_id(), leaf.device_id())).collect();
        let anchors = Message::Anchors(self.anchors(turn, shared)?).encode();
        let sealed = self.membership.seal(turn, shared.account, &anchors)?;
        let Some((_, anchors)) = sealed.filter(|(present, _)| *present == group) else { return Ok(()) };
        let packet = Packet::Welcome { group, message, anchors };
        let envelope = super::say::envelope(turn, &packet, Class::Durable, Urgency::Normal);
        let epoch = self.membership.epoch(turn)?.unwrap_or(0);
        Letter::new(self.id, envelope, Matter::Welcome { group, epoch }, devices).keep(turn);
        Ok(())
    }

    fn anchors(&self, turn: &mut Turn<'_>, shared: &Shared<'_>) -> Result<Anchors, EngineError> {
        let from_joining = self.membership.policy().is_some_and(|policy| policy.history == History::FromJoining);
        let feeds = if from_joining {
            let mut tx = Transaction::new(&turn.base, &mut turn.effects.batch);
            let roster = self.membership.roster();
            crate::chat::feed::Feeds::open(&mut tx, self.id, shared.me(), roster, turn.now)?.anchors()?
        } else {
            Vec::new()
        };
        Ok(Anchors { past: self.membership.roster().past(), feeds, records: self.records(turn, shared)? })
    }

    /// The members' records, as many as a message holds, the own first.
    fn records(&self, turn: &Turn<'_>, shared: &Shared<'_>) -> Result<Vec<ByteBuf>, EngineError> {
        let mut records = Vec::new();
        let mut bytes = 0_usize;
        let seats = self.membership.policy().map(|policy| policy.seats.as_slice()).unwrap_or_default();
        let own = shared.account.id();
        let others = seats.iter().map(|seat| seat.account).filter(|account| *account != own);
        for account in std::iter::once(own).chain(others) {
            let Some(record) = shared.account.record_of(turn, &account)? else { continue };
            let record = record.encode();
            bytes = bytes.saturating_add(record.len());
            if bytes > MAX_BUNDLE {
                break;
            }
            records.push(record.into());
        }
        Ok(records)
    }

    fn advanced(&mut self, turn: &mut Turn<'_>, shared: &mut Shared<'_>) -> Result<(), EngineError> {
        self.work(turn, shared, |feeds, _| Ok(feeds.apply_roster()?))?;
        self.sync_delivery(turn)?;
        turn.effects.notices.push(Notice::Conversation { conversation: self.id });
        shared.advanced.push(self.id);
        if self.is_own(shared) {
            shared.errands.push((self.id, Errand::SharePrekeys));
        }
        self.pump(turn, shared)
    }

    /// Brings delivery in step with the own feed and the members.
    pub(super) fn sync_delivery(&mut self, turn: &mut Turn<'_>) -> Result<(), EngineError> {
        self.delivery.refresh(&turn.read())?;
        let from_start = !self.membership.policy().is_some_and(|policy| policy.history == History::FromJoining);
        let mut tx = Transaction::new(&turn.base, &mut turn.effects.batch);
        self.delivery.sync(&mut tx, self.membership.roster(), from_start);
        Ok(())
    }

    fn gone(&mut self, turn: &mut Turn<'_>, shared: &mut Shared<'_>, seated: &[AccountId]) -> Result<(), EngineError> {
        self.work(turn, shared, |feeds, _| Ok(feeds.apply_roster()?))?;
        self.sync_delivery(turn)?;
        turn.effects.notices.push(Notice::Conversation { conversation: self.id });
        // The Welcome that leads back may have come already.
        shared.advanced.push(self.id);
        let (own, device) = (shared.account.id(), shared.account.device());
        if seated.contains(&own) && shared.account.record().device(device).is_some() {
            // It may also be one that this device cannot open: two members may answer one plea, and its key is good for one of them.
            self.membership.await_return(turn);
            self.plead_at = Some(turn.now.mono_ms.saturating_add(WELCOME_BACK_MS));
        }
        Ok(())
    }

    fn home_lied(
        &mut self,
        turn: &mut Turn<'_>,
        shared: &mut Shared<'_>,
        proof: log::Equivocation,
    ) -> Result<(), EngineError> {
        turn.effects.notices.push(Notice::HomeLied { conversation: self.id });
        let others = self.others(shared);
        if let Some(group) = self.membership.present().map(|present| present.group) {
            self.show(turn, shared, &others, group, proof)?;
        }
        self.plan_move(turn, shared);
        Ok(())
    }

    fn home_lost(&mut self, turn: &mut Turn<'_>, shared: &Shared<'_>) -> Result<(), EngineError> {
        turn.effects.notices.push(Notice::HomeLost { conversation: self.id });
        if self.must_move(turn, shared)? {
            self.plan_move(turn, shared);
        }
        Ok(())
    }

    /// Whether the home has failed for good, or is a device that its account has removed: nobody meets that one any more but whoever
    /// has it, who orders what they like.
    pub(super) fn must_move(&self, turn: &Turn<'_>, shared: &Shared<'_>) -> Result<bool, EngineError> {
        if self.membership.must_move() {
            return Ok(true);
        }
        let home = self.membership.policy().map(|policy| &policy.home);
        let Some(Home::Device { account, events, .. }) = home.filter(|_| self.membership.present().is_some()) else {
            return Ok(false);
        };
        // Where the partner is blocked its device is asked nothing, and this account's others could never be brought in step.
        if self.shuts_out(turn, shared, account)? && shared.account.record().devices().len() > 1 {
            return Ok(true);
        }
        let lists = |record: AccountRecord, device: DeviceId| record.device(device).is_some();
        let kept = shared.account.record_of(turn, account)?.is_none_or(|record| lists(record, events.device_id()));
        Ok(!kept && lists(shared.account.record().clone(), shared.account.device()))
    }

    /// Whether an account is the blocked partner of a conversation of two.
    fn shuts_out(&self, turn: &Turn<'_>, shared: &Shared<'_>, account: &AccountId) -> Result<bool, EngineError> {
        let partner = self.partner(shared.account.id()) == Some(*account);
        Ok(partner && shared.account.is_blocked(turn, account)?)
    }

    pub(super) fn plan_move(&mut self, turn: &mut Turn<'_>, shared: &Shared<'_>) {
        let Some(rank) = self.membership.mover_rank(shared.account) else { return };
        let wait = MOVE_TURN_MS.saturating_mul(rank).saturating_add(draw(turn.rng, MOVE_TURN_MS / 4));
        self.move_at = Some(turn.now.mono_ms.saturating_add(wait));
    }

    /// Begins a successor under another home, unless another device did.
    pub(super) fn force_move(&mut self, turn: &mut Turn<'_>, shared: &mut Shared<'_>) -> Result<(), EngineError> {
        self.move_at = None;
        let must = self.must_move(turn, shared)? || self.membership.cannot_be_brought_back();
        let Some(policy) = self.membership.policy().filter(|_| must).cloned() else { return Ok(()) };
        let own = own_home(shared.account);
        let failed =
            (own.key() == policy.home.key() && self.membership.has_home_failed()) || self.membership.has_lied(&own);
        // Two relays that each lie to somebody else would be moved away from in turn.
        let home = if failed || self.membership.has_been_left(turn, &own)? {
            Home::device(shared.account.certificate())
        } else {
            own
        };
        let mut records = Vec::new();
        for seat in &policy.seats {
            let shut_out = self.shuts_out(turn, shared, &seat.account)?;
            records.extend(shared.account.record_of(turn, &seat.account)?.map(|record| (record, !shut_out)));
        }
        let facts = self.membership.begin_succession(turn, home, records)?;
        self.carry(turn, shared, facts)
    }

    fn succeeded(&mut self, turn: &mut Turn<'_>) {
        self.move_at = None;
        self.over_at = turn.now.mono_ms.saturating_add(super::receive::OVER_MS);
        (self.plead_at, self.plead_wait_ms) = (None, PLEA_AGAIN_MS);
        self.packages_at.clear();
        self.sync_wait_ms = SYNC_AGAIN_MS;
        self.sync_later(turn);
        turn.effects.notices.push(Notice::Conversation { conversation: self.id });
    }

    /// A newer record of a member is known: its devices are brought in step, and one that has no key packages yet is soon looked for
    /// again.
    pub(crate) fn record_changed(
        &mut self,
        turn: &mut Turn<'_>,
        shared: &mut Shared<'_>,
        delay_ms: u64,
    ) -> Result<(), EngineError> {
        self.sync_wait_ms = SYNC_AGAIN_MS;
        // Who did not answer what it was told may be told something else now.
        self.silences.clear();
        self.silent_at = turn.now.mono_ms;
        self.sync_devices(turn, shared, delay_ms)
    }

    /// Wishes that each member's devices follow the newest record known of it.
    pub(crate) fn sync_devices(
        &mut self,
        turn: &mut Turn<'_>,
        shared: &mut Shared<'_>,
        delay_ms: u64,
    ) -> Result<(), EngineError> {
        let Some(policy) = self.membership.policy().cloned() else { return Ok(()) };
        if self.membership.present().is_none() {
            return Ok(());
        }
        if self.move_at.is_none() && self.must_move(turn, shared)? {
            self.plan_move(turn, shared);
        }
        let mut heard = false;
        for seat in &policy.seats {
            let Some(record) = shared.account.record_of(turn, &seat.account)? else { continue };
            heard |= self.membership.let_in(turn, &record);
            let here = |device: &DeviceCertificate| self.membership.roster().is_present(&device.device_id());
            let newer = record.version() > seat.version;
            if seat.account == shared.account.id() && record.device(shared.account.device()).is_none() {
                // It removes this device, which can only say so.
                self.say_removed(turn, shared)?;
                continue;
            }
            let lacks = record.version() == seat.version && !record.devices().iter().all(here);
            if newer || lacks {
                let own = seat.account == shared.account.id();
                let delay = if own { 0 } else { draw(turn.rng, delay_ms.max(1)) };
                self.membership.wish(turn, Wish::Sync { record: record.encode().into(), packages: None }, delay);
            }
        }
        if heard {
            self.work(turn, shared, |feeds, _| Ok(feeds.apply_roster()?))?;
        }
        self.drive(turn, shared)
    }

    /// Asks the members to be added again.
    pub(super) fn plead(&mut self, turn: &mut Turn<'_>, shared: &mut Shared<'_>) {
        self.plead_at = None;
        if self.membership.wants_back() {
            let in_vain = self.plead_wait_ms >= PLEAS_IN_VAIN_MS;
            self.plead_at = Some(turn.now.mono_ms.saturating_add(self.plead_wait_ms));
            self.plead_wait_ms = self.plead_wait_ms.saturating_mul(2).min(PLEA_SELDOM_MS);
            let own = shared.account.id();
            let only_own = |policy: &Policy| policy.seats.iter().all(|seat| seat.account == own);
            let alone = self.id == own_conversation(own) || self.membership.policy().is_some_and(only_own);
            if in_vain && self.move_at.is_none() && self.membership.cannot_be_brought_back() {
                self.plan_move(turn, shared);
            }
            shared.errands.push((self.id, if in_vain && alone { Errand::FoundAnew } else { Errand::Plead }));
        }
    }

    /// A contact's conversation that this device has not come into: its account's other devices may be in it, and are asked.
    pub(crate) fn seek(&mut self, turn: &mut Turn<'_>, shared: &mut Shared<'_>) -> Result<(), EngineError> {
        self.membership.lose(turn);
        self.plead(turn, shared);
        Ok(())
    }

    /// This device's MLS state is not to be used any more: a new feed, and a plea.
    pub(crate) fn lose(&mut self, turn: &mut Turn<'_>, shared: &mut Shared<'_>) -> Result<(), EngineError> {
        self.membership.lose(turn);
        self.work(turn, shared, |feeds, rng| {
            if feeds.own().is_some() {
                let _ = feeds.begin(rng);
            }
            Ok(())
        })?;
        self.delivery.refresh(&turn.read())?;
        turn.effects.notices.push(Notice::Rejoining { conversation: self.id });
        self.plead(turn, shared);
        Ok(())
    }

    /// Whether this is a conversation of two or with oneself.
    pub(crate) fn is_small(&self) -> bool {
        matches!(self.kind(), Some(Kind::Own | Kind::Direct))
    }
}
