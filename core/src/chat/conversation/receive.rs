//! What comes in under the conversation's groups.

use std::collections::BTreeSet;

use super::{Conversation, Errand, Shared};
use crate::chat::api::{Notice, Recipient, Verdict};
use crate::chat::feed::row::{Heads, load};
use crate::chat::feed::{Counted, Outcome};
use crate::chat::membership::{Opened, Wish};
use crate::chat::policy::{Kind as Sort, own_conversation};
use crate::chat::turn::{EngineError, Turn};
use crate::mls::MlsError;
use crate::store::Table;
use crate::types::{AccountId, ContentId, DeviceId, GroupId};
use crate::wire::codec::Body;
use crate::wire::envelope::Packet;
use crate::wire::event::UnverifiedEvent;
use crate::wire::log::Equivocation;
use crate::wire::message::{ContactChange, Grant, Kind, Message, Prekeys, ReadUpTo};

/// What came of an MLS message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Received {
    /// It was dealt with.
    Done(Verdict),
    /// Its epoch is to come: it is to be parked.
    Early,
}

/// How long the removal of somebody who left waits at most, so that not all remove them at once.
const LEAVE_DELAY_MS: u64 = 5_000;

/// How often messages that do not open lead to showing the log: anybody who knows the group's id can send such.
const SUSPECT_MS: u64 = 60_000;

/// How often those who write in a group that is over, or that they are out of, are told so, and so long after another took over at first: what was under way
/// then is no sign of anything.
pub(super) const OVER_MS: u64 = 60_000;

impl Conversation {
    /// Takes an MLS message of one of the conversation's groups, that a device has brought straight or a mailbox.
    pub(crate) fn receive(
        &mut self,
        turn: &mut Turn<'_>,
        shared: &mut Shared<'_>,
        from: Option<DeviceId>,
        group: GroupId,
        message: &[u8],
    ) -> Result<Received, EngineError> {
        self.tell_over(turn, shared, from, group)?;
        let opened = match self.membership.open(turn, group, message)? {
            Ok(opened) => opened,
            Err(MlsError::FutureEpoch { epoch, .. }) => {
                self.membership.saw_ahead(group, epoch);
                self.membership.read_log();
                return Ok(Received::Early);
            }
            Err(MlsError::Replayed | MlsError::OwnMessage | MlsError::Removed) => {
                return Ok(Received::Done(Verdict::Durable));
            }
            Err(MlsError::PastEpochGone { .. }) => {
                // What it carried comes by repair; the sooner the better.
                self.digest_at = self.digest_at.min(turn.now.mono_ms.saturating_add(super::MARKS_MS));
                return Ok(Received::Done(Verdict::Durable));
            }
            Err(error) => {
                if error == MlsError::Forged {
                    self.suspect(turn, shared, from, group)?;
                }
                return Ok(Received::Done(dropped(turn, "mls")));
            }
        };
        shared.heard.push((group, opened.sender.device_id(), opened.epoch));
        self.not_silent(turn, &opened.sender.device_id());
        self.show_epoch(turn, shared, group, opened.sender.device_id())?;
        let account = opened.sender.account_id();
        if self.kind() == Some(Sort::Direct) && shared.account.is_blocked(turn, &account)? {
            return Ok(Received::Done(Verdict::Refused));
        }
        match Message::decode(&opened.bytes) {
            Ok(message) => self.hear(turn, shared, &opened, message)?,
            Err(_) => return Ok(Received::Done(dropped(turn, "message"))),
        }
        Ok(Received::Done(Verdict::Durable))
    }

    fn hear(
        &mut self,
        turn: &mut Turn<'_>,
        shared: &mut Shared<'_>,
        opened: &Opened,
        message: Message,
    ) -> Result<(), EngineError> {
        let from = opened.sender.device_id();
        match message {
            Message::Events(events) => self.take_events(turn, shared, from, events),
            Message::Marks(marks) => self.take_marks(turn, from, &marks),
            Message::Digest(digest) => self.take_digest(turn, shared, from, &digest),
            Message::Vector(vector) => self.take_vector(turn, shared, from, &vector),
            Message::Fork { one, other } => {
                let fault = crate::chat::feed::Fault { one, other };
                self.work(turn, shared, |feeds, _| Ok(feeds.take_fault(&fault)?))?;
                Ok(())
            }
            Message::Records(records) => self.take_records(turn, shared, &records),
            Message::Equivocation(shown) => self.take_shown(turn, shared, &shown),
            Message::Anchors(_) => {
                // They count only where they came with a Welcome.
                dropped(turn, "anchors");
                Ok(())
            }
            Message::Typing { on } => {
                let (conversation, account) = (self.id, opened.sender.account_id());
                turn.effects.notices.push(Notice::Typing { conversation, account, on });
                Ok(())
            }
        }
    }

    /// Entries of the log that a member shows.
    pub(crate) fn take_shown(
        &mut self,
        turn: &mut Turn<'_>,
        shared: &mut Shared<'_>,
        shown: &Equivocation,
    ) -> Result<(), EngineError> {
        let facts = self.membership.shown(turn, shown)?;
        self.carry(turn, shared, facts)
    }

    /// A message of the present epoch that does not open: perhaps its sender was shown another log. The others are shown the last entry
    /// walked here, whoever brought it too, since this log may have removed it; and the home is asked for it again. So are they shown the
    /// last ones of the homes before: the log may have been moved away from one that lies in one of its versions only.
    fn suspect(
        &mut self,
        turn: &mut Turn<'_>,
        shared: &mut Shared<'_>,
        from: Option<DeviceId>,
        group: GroupId,
    ) -> Result<(), EngineError> {
        let now = turn.now.mono_ms;
        if self.suspect_at > now {
            return Ok(());
        }
        self.suspect_at = now.saturating_add(SUSPECT_MS);
        let (last, former) = self.membership.last_entries(turn, group)?;
        if last.is_some() {
            self.membership.doubt();
        }
        let mut others = self.others(shared);
        others.extend(from.filter(|from| !others.contains(from)));
        for shown in last.into_iter().chain(former) {
            self.show(turn, shared, &others, group, shown)?;
        }
        Ok(())
    }

    /// Shows devices entries of a group's log.
    pub(super) fn show(
        &self,
        turn: &mut Turn<'_>,
        shared: &Shared<'_>,
        to: &[DeviceId],
        group: GroupId,
        shown: Equivocation,
    ) -> Result<(), EngineError> {
        self.post(turn, shared, to, &Packet::Shown { group, shown }, super::say::QUIET)
    }

    /// Somebody writes in a group that another took over from: those who are not in that one are told, since no Welcome led them
    /// there, and those who were in it, since a Welcome may have been no good for them. Whoever has come after does not heed it.
    /// So is whoever brought it and is out, also if it came in a log that is not shown here. Whether the message opens is not asked:
    /// they may be in an epoch of their own.
    fn tell_over(
        &mut self,
        turn: &mut Turn<'_>,
        shared: &mut Shared<'_>,
        from: Option<DeviceId>,
        group: GroupId,
    ) -> Result<(), EngineError> {
        let now = turn.now.mono_ms;
        let present = self.membership.present().map(|present| present.group);
        if self.over_at > now || present.is_none_or(|present| present == group) {
            return Ok(());
        }
        let mut left: BTreeSet<DeviceId> = self.membership.away_devices().into_iter().collect();
        left.extend(self.membership.leaves_of(turn, group)?);
        left.extend(from.filter(|from| self.membership.roster().member(from).is_some_and(|it| !it.is_present())));
        left.remove(&shared.account.device());
        let left: Vec<DeviceId> = left.into_iter().collect();
        let mut to = self.recipients(turn, shared, &left)?;
        if let Some(from) = from.filter(|from| self.membership.roster().member(from).is_none()) {
            to.extend(self.outsider(turn, shared, from)?);
        }
        if !to.is_empty() {
            self.over_at = now.saturating_add(OVER_MS);
            super::say::post_to(turn, to, &Packet::Over { group }, super::say::QUIET);
        }
        Ok(())
    }

    /// How a device that was never seen here is reached, if its account has no seat: it was a member and is out, or it is a contact's
    /// that came in a log which was not shown here.
    fn outsider(
        &self,
        turn: &Turn<'_>,
        shared: &Shared<'_>,
        device: DeviceId,
    ) -> Result<Option<Recipient>, EngineError> {
        let Some(policy) = self.membership.policy() else { return Ok(None) };
        let members = self.membership.roster().members().map(|(_, member)| member.account);
        let mut out: BTreeSet<AccountId> = members.collect();
        out.extend(shared.account.owner_of(turn, device)?);
        out.retain(|account| policy.seat(*account).is_none());
        for account in out {
            if let Some(recipient) = shared.account.recipient(turn, &account, device)? {
                return Ok(Some(recipient));
            }
        }
        Ok(None)
    }

    /// A device that is in the group no more still writes in it: a message of the present epoch, which it cannot open, shows it that
    /// the log goes on where the home lets it see no more.
    fn show_epoch(
        &mut self,
        turn: &mut Turn<'_>,
        shared: &mut Shared<'_>,
        group: GroupId,
        from: DeviceId,
    ) -> Result<(), EngineError> {
        let now = turn.now.mono_ms;
        let here = self.membership.roster().is_present(&from);
        let present = self.membership.present().is_some_and(|present| present.group == group);
        if here || !present || self.over_at > now {
            return Ok(());
        }
        self.over_at = now.saturating_add(OVER_MS);
        self.offer_digest(turn, shared, &[from])
    }

    /// A member says that another group took over.
    pub(crate) fn take_over(
        &mut self,
        turn: &mut Turn<'_>,
        shared: &mut Shared<'_>,
        group: GroupId,
    ) -> Result<(), EngineError> {
        let facts = self.membership.left_out(turn, group);
        self.carry(turn, shared, facts)
    }

    /// A member pleads, and this device can do nothing for it: it pleads as well, so that both know.
    pub(crate) fn share_loss(&mut self, turn: &mut Turn<'_>, shared: &mut Shared<'_>) -> Result<(), EngineError> {
        match self.membership.present().map(|present| present.group) {
            Some(group) => self.take_over(turn, shared, group),
            None => Ok(()),
        }
    }

    fn take_events(
        &mut self,
        turn: &mut Turn<'_>,
        shared: &mut Shared<'_>,
        from: DeviceId,
        events: Vec<UnverifiedEvent>,
    ) -> Result<(), EngineError> {
        let closing = self.membership.closing(turn)?;
        let closed = |event: &UnverifiedEvent| {
            let place = event.peek().map(|header| (header.feed, header.sequence));
            place.is_ok_and(|(feed, sequence)| closing.iter().any(|cut| cut.feed == feed && sequence >= cut.next))
        };
        let (ahead, unknown, refused, gaps) = self.work(turn, shared, |feeds, _| {
            let (mut ahead, mut unknown, mut refused, mut gaps) = (false, false, BTreeSet::new(), false);
            // What will not count once the own commit does must not erase what only this device may hold then.
            for event in events.into_iter().filter(|event| !closed(event)) {
                let live = event.peek().is_ok_and(|header| header.feed.device == from);
                match feeds.ingest(event, live)? {
                    Outcome::OwnAhead => ahead = true,
                    Outcome::Parked => unknown = true,
                    Outcome::Kept => gaps = true,
                    Outcome::Refused(refusal) => drop(refused.insert(refusal.word())),
                    Outcome::New | Outcome::Completed | Outcome::Duplicate | Outcome::Fork => {}
                }
            }
            Ok((ahead, unknown, refused, gaps))
        })?;
        for reason in refused {
            dropped(turn, reason);
        }
        if unknown {
            self.membership.read_log();
        }
        if ahead && self.membership.present().is_some() {
            return self.lose(turn, shared);
        }
        self.mark_soon(turn);
        self.wait_for_gap(turn, from, gaps);
        Ok(())
    }

    /// An event counts from now on.
    pub(super) fn counted(
        &mut self,
        turn: &mut Turn<'_>,
        shared: &mut Shared<'_>,
        counted: &Counted,
    ) -> Result<(), EngineError> {
        if counted.author == shared.account.id() && counted.kind == Kind::Leave as u16 {
            let event = self.event(turn, &counted.id)?;
            if let Some(header) = event.as_ref().map(|event| event.header()) {
                self.membership.leaves(turn, counted.author, header.group, header.epoch);
            }
        }
        if counted.id.feed.device == shared.account.device() {
            return self.noted(turn, shared, counted);
        }
        let (group, head) = counted.log;
        if let Some(shown) = self.membership.compare(turn, group, head)? {
            self.show(turn, shared, &[counted.id.feed.device], group, shown)?;
        }
        if counted.kind == Kind::Leave as u16 {
            // It says all that there is to say by its kind: its content may be erased.
            return self.somebody_leaves(turn, counted);
        }
        let Some(content) = &counted.content else { return Ok(()) };
        match Kind::from_number(counted.kind) {
            Some(Kind::Grant) => {
                if let Ok(grant) = Grant::decode(&content.body) {
                    shared.account.granted(turn, counted.author, &grant)?;
                    self.delivery.hurry(None);
                    self.pass_on(turn, shared, counted, &grant)?;
                }
            }
            Some(Kind::Contact) if self.is_own(shared) => {
                if let Ok(change) = ContactChange::decode(&content.body) {
                    shared.account.contact_changed(turn, counted.clock, counted.id.feed.device, &change)?;
                    shared.errands.push((self.id, Errand::ReadWelcomes));
                }
            }
            Some(Kind::Read) if self.is_own(shared) => {
                if let Ok(read) = ReadUpTo::decode(&content.body) {
                    shared.errands.push((read.conversation, Errand::ReadElsewhere(read)));
                }
            }
            Some(Kind::Profile) if self.profile(turn, shared, counted)? => {
                shared.errands.push((self.id, Errand::Herald));
            }
            Some(Kind::Prekeys) if self.is_own(shared) => {
                if let Ok(told) = Prekeys::decode(&content.body) {
                    shared.account.told_prekeys(turn, &told);
                }
            }
            Some(Kind::Setting | Kind::Draft) if self.is_own(shared) => crate::chat::shelf::counted(turn, counted)?,
            _ => {}
        }
        Ok(())
    }

    /// An own event counts: written now, or before this device lost its place and told again by another.
    fn noted(&self, turn: &mut Turn<'_>, shared: &mut Shared<'_>, counted: &Counted) -> Result<(), EngineError> {
        if counted.kind == Kind::Profile as u16 {
            return self.profile(turn, shared, counted).map(drop);
        }
        if !self.is_own(shared) {
            return Ok(());
        }
        if let Some(content) = counted.content.as_ref().filter(|_| counted.kind == Kind::Prekeys as u16) {
            // The store may have been taken back to before this device was given them.
            if let Ok(told) = Prekeys::decode(&content.body) {
                shared.account.told_prekeys(turn, &told);
            }
            return Ok(());
        }
        let Some(content) = counted.content.as_ref().filter(|_| counted.kind == Kind::Contact as u16) else {
            return crate::chat::shelf::counted(turn, counted);
        };
        let heads: Heads = load(&turn.read(), Table::Feed, self.id.as_bytes())?.unwrap_or_default();
        let now = heads.own == Some(counted.id.feed.incarnation);
        match ContactChange::decode(&content.body) {
            // What was written before the store was taken back is as new here as another device's.
            Ok(change) if !now => {
                shared.account.contact_changed(turn, counted.clock, counted.id.feed.device, &change)?;
                shared.errands.push((self.id, Errand::ReadWelcomes));
                Ok(())
            }
            Ok(change) => shared.account.contact_noted(turn, counted.clock, &change),
            Err(_) => Ok(()),
        }
    }

    /// A profile counts. Says whether it sets the own one anew.
    fn profile(&self, turn: &mut Turn<'_>, shared: &Shared<'_>, counted: &Counted) -> Result<bool, EngineError> {
        if self.is_own(shared) {
            return crate::chat::profile::set(turn, counted);
        }
        crate::chat::profile::copy(turn, self.id, shared.account.id(), counted)?;
        Ok(false)
    }

    /// Members who are no contacts have no way to each other before each has the other's grant: those who brought them together pass
    /// it on.
    fn pass_on(
        &mut self,
        turn: &mut Turn<'_>,
        shared: &mut Shared<'_>,
        counted: &Counted,
        grant: &Grant,
    ) -> Result<(), EngineError> {
        let own = shared.account.id();
        let brought = self.kind() == Some(Sort::Group)
            && ![grant.to, counted.author].contains(&own)
            && self.membership.policy().is_some_and(|policy| policy.is_admin(own));
        if !brought {
            return Ok(());
        }
        let is_theirs = |device: &DeviceId| {
            self.membership.roster().member(device).is_some_and(|member| member.account == grant.to)
        };
        let to: Vec<DeviceId> = self.membership.present_devices().filter(is_theirs).collect();
        let event = self.event(turn, &counted.id)?;
        let Some(event) = event.map(|event| event.as_raw().clone()).filter(|_| !to.is_empty()) else { return Ok(()) };
        self.tell(turn, shared, &to, &Message::Events(vec![event]), super::say::QUIET)?;
        Ok(())
    }

    /// Whether it is the conversation with oneself: known before there is a group.
    pub(super) fn is_own(&self, shared: &Shared<'_>) -> bool {
        self.id == own_conversation(shared.account.id())
    }

    /// Who left is removed by whoever comes first.
    fn somebody_leaves(&mut self, turn: &mut Turn<'_>, counted: &Counted) -> Result<(), EngineError> {
        if self.kind() != Some(Sort::Group) {
            return Ok(());
        }
        let event = self.event(turn, &counted.id)?;
        let Some(event) = event else { return Ok(()) };
        let leave = Some(Box::new(event.erased().as_raw().clone()));
        let delay = super::draw(turn.rng, LEAVE_DELAY_MS);
        self.membership.wish(turn, Wish::Unseat { account: counted.author, leave }, delay);
        Ok(())
    }

    pub(crate) fn told_delivery(&self, turn: &mut Turn<'_>, moved: &[crate::chat::delivery::Moved]) {
        let conversation = self.id;
        for part in moved {
            let last = part.to.saturating_sub(1);
            let id = ContentId { feed: part.feed, sequence: last };
            turn.effects.notices.push(Notice::Delivery { conversation, id });
        }
    }
}

/// Counts what is no good. It is durable all the same: it must block nothing.
pub(crate) fn dropped(turn: &mut Turn<'_>, reason: &'static str) -> Verdict {
    turn.effects.notices.push(Notice::Dropped { reason });
    Verdict::Durable
}
