//! Members' devices that are not heard of: each says something every hour, if only its digest, unless it is off or does not know that
//! it is a member.

use serde_bytes::ByteBuf;

use super::{Conversation, DIGEST_MS, Errand, Shared};
use crate::chat::policy::Kind;
use crate::chat::roster::{Member, Place};
use crate::chat::turn::{EngineError, Turn};
use crate::identity::{AccountRecord, DeviceCertificate};
use crate::types::{AccountId, Clock, ContentId, ConversationId, DeviceId};
use crate::wire::codec::Body as _;
use crate::wire::event::UnverifiedEvent;
use crate::wire::message::{Kind as MessageKind, Out, Recall, Rejoin, Text};

/// A device that has not been heard of for so long is told, and then half as often each time.
const SILENT_MS: u64 = DIGEST_MS + DIGEST_MS / 2;

/// But no more seldom than this.
const SELDOM_MS: u64 = 24 * 60 * 60 * 1000;

/// After a start a device that owes an answer has so long to give it.
const OWED_MS: u64 = 10 * 60 * 1000;

/// A device that says that it does not know a group is told no more often than this.
const TOLD_MS: u64 = 60_000;

/// Whoever is told that it is in a conversation and says again that it does not know the group is added anew: it cannot read what
/// it is told, or it is in a rival of that group.
const ANEW_MS: u64 = 10 * 60 * 1000;

/// A request's text is among so many first events of a feed: a grant and what was written before the answer came. A leave is among so
/// many last ones.
const BEGINNING: u64 = 64;

/// What an account wrote last in a conversation.
#[derive(Debug)]
pub(crate) struct LatestEvent {
    /// Without its content.
    pub(crate) event: UnverifiedEvent,
    /// The certificate of the device that wrote it, in a conversation of two.
    pub(crate) certificate: Option<ByteBuf>,
    /// The account's record does not list that device any more, as far as this one knows.
    pub(crate) former: bool,
}

/// What a device is told, and when next.
#[derive(Debug, Clone, Copy)]
pub(super) struct Silence {
    at: u64,
    wait_ms: u64,
    /// Not before this.
    rest_until: u64,
    /// When it first said that it does not know the group.
    unknown_since: Option<u64>,
}

impl Conversation {
    /// A device has sealed something: it knows what it is in.
    pub(super) fn not_silent(&mut self, turn: &Turn<'_>, device: &DeviceId) {
        if let Some(silence) = self.silences.get_mut(device) {
            (silence.at, silence.wait_ms) = (turn.now.mono_ms.saturating_add(SILENT_MS), SILENT_MS);
        }
    }

    /// Has those told that were not heard of for long.
    pub(super) fn recall_silent(&mut self, turn: &Turn<'_>, shared: &mut Shared<'_>) {
        let now = turn.now.mono_ms;
        let own = shared.account.id();
        let mine = |device: &DeviceId| self.membership.roster().member(device).is_some_and(|it| it.account == own);
        let admin = self.membership.policy().is_some_and(|policy| policy.is_admin(own));
        let watched: Vec<DeviceId> = match self.kind() {
            Some(Kind::Direct) => self.others(shared),
            // One's own devices, and those of a group that one looks after.
            Some(Kind::Group) => {
                let others = self.others(shared).into_iter().filter(|device| admin || mine(device));
                others.chain(self.strays(shared)).collect()
            }
            Some(Kind::Own) | None => Vec::new(),
        };
        let watched = if self.membership.present().is_some() { watched } else { Vec::new() };
        let owing = self.delivery.owing();
        self.silences.retain(|device, _| watched.contains(device));
        for device in watched {
            let present = self.membership.roster().is_present(&device);
            let wait_ms = if owing.contains(&device) || !present { OWED_MS } else { SILENT_MS };
            let first =
                Silence { at: now.saturating_add(wait_ms), wait_ms: SILENT_MS, rest_until: 0, unknown_since: None };
            let silence = self.silences.entry(device).or_insert(first);
            if silence.at <= now {
                silence.at = now.saturating_add(silence.wait_ms);
                silence.wait_ms = silence.wait_ms.saturating_mul(2).min(SELDOM_MS);
                silence.rest_until = now.saturating_add(TOLD_MS);
                shared.errands.push((self.id, Errand::Recall { device, lasting: owing.contains(&device) }));
            }
        }
        let next = self.silences.values().map(|silence| silence.at).min();
        self.silent_at = next.unwrap_or_else(|| now.saturating_add(SILENT_MS));
    }

    /// Devices of one's own that nobody could add, since no relay keeps their key packages. What groups there are they learn from
    /// nobody else.
    fn strays(&self, shared: &Shared<'_>) -> Vec<DeviceId> {
        let here = |device: &DeviceId| self.membership.roster().is_present(device);
        let devices = shared.account.record().devices().iter().map(DeviceCertificate::device_id);
        devices.filter(|device| !here(device)).collect()
    }

    /// A device of a member says that it does not know the conversation's group.
    pub(crate) fn is_unknown_to(&mut self, turn: &Turn<'_>, shared: &mut Shared<'_>, device: DeviceId) {
        let now = turn.now.mono_ms;
        let first =
            Silence { at: now.saturating_add(SILENT_MS), wait_ms: SILENT_MS, rest_until: 0, unknown_since: None };
        if !self.membership.roster().is_present(&device) {
            return;
        }
        let silence = self.silences.entry(device).or_insert(first);
        if silence.rest_until <= now {
            silence.rest_until = now.saturating_add(TOLD_MS);
            shared.errands.push((self.id, Errand::Recall { device, lasting: true }));
            match silence.unknown_since {
                None => silence.unknown_since = Some(now),
                Some(since) if now.saturating_sub(since) < ANEW_MS => {}
                Some(_) => {
                    silence.rest_until = now.saturating_add(ANEW_MS);
                    if let Some(group) = self.membership.present().map(|present| present.group) {
                        self.add_anew(shared, group, &[device]);
                    }
                }
            }
        }
    }

    /// A member shows what the home signed and has lost: it is asked whether that is so.
    pub(crate) fn probe(
        &mut self,
        turn: &mut Turn<'_>,
        shared: &mut Shared<'_>,
        recall: &Recall,
    ) -> Result<(), EngineError> {
        let Some(lost) = &recall.lost else { return Ok(()) };
        let written_in = shared.account.written_in(recall);
        let facts = self.membership.probe(turn, shared.account, recall.group, lost, written_in)?;
        self.carry(turn, shared, facts)
    }

    /// Of a plea of a device whose account was taken out of a group that this one may take people out of: whether it is told so. It is
    /// when it pleads again: by then the log was read here, which may say that it is in once more.
    pub(crate) fn is_out(&mut self, turn: &mut Turn<'_>, shared: &mut Shared<'_>, plea: &Rejoin) -> Option<bool> {
        let policy = self.membership.policy().filter(|policy| policy.kind == Kind::Group)?;
        let admin = self.membership.present().is_some() && policy.is_admin(shared.account.id());
        // Another of its devices may have come in a log that is not shown here.
        let roster = self.membership.roster();
        let gone = match roster.member(&plea.device) {
            Some(member) => member.place == Place::Gone,
            None => {
                let theirs = |(_, member): &(&DeviceId, &Member)| member.account == plea.account;
                let mut theirs = roster.members().filter(theirs).peekable();
                theirs.peek().is_some() && theirs.all(|(_, member)| member.place == Place::Gone)
            }
        };
        if !admin || !gone || policy.seat(plea.account).is_some() {
            return None;
        }
        let again = self.membership.has_heard(&plea.device);
        let newer = self.membership.hear_plea(turn, plea.device, plea.wall);
        self.membership.read_log();
        Some(again && newer)
    }

    /// Whether a device that pleads was a member of a group that another took over from, and its account has no seat in that one: whoever
    /// made it may have been shown a log without them, so that nobody here has seen them come.
    pub(crate) fn is_passed_over(&self, plea: &Rejoin) -> bool {
        let seated = self.membership.policy().is_none_or(|policy| policy.seat(plea.account).is_some());
        let took_over = self.membership.present().is_some_and(|present| present.generation > 0);
        let place = self.membership.roster().member(&plea.device).map(|member| member.place);
        let open = place.map_or(took_over, |place| !matches!(place, Place::Present | Place::Gone));
        !seated && open
    }

    /// A member says that this account is out. Whether it could have seen to that, as any can where the account has left, and this device
    /// waits for an answer.
    pub(crate) fn told_out(
        &mut self,
        turn: &mut Turn<'_>,
        shared: &mut Shared<'_>,
        out: &Out,
    ) -> Result<bool, EngineError> {
        let by = out.account;
        let waits = self.membership.wants_back();
        let shown = out.leave.as_ref().filter(|_| waits);
        let shown = shown.is_some_and(|leave| self.membership.shown_leave(turn, shared.account.id(), leave));
        let group = self.membership.policy().filter(|policy| policy.kind == Kind::Group);
        let left = self.membership.has_left() || shown;
        let may = group.is_some_and(|policy| policy.is_admin(by) || (left && policy.seat(by).is_some()));
        if by == shared.account.id() || !may || !waits {
            return Ok(false);
        }
        (self.plead_at, self.move_at) = (None, None);
        shared.errands.push((self.id, Errand::DropPleas));
        let facts = self.membership.taken_out(turn);
        self.carry(turn, shared, facts)?;
        Ok(true)
    }

    /// The latest event here of one of an account's devices, without its content. Where no device that its record lists has written,
    /// and the conversation is of two, it is of one that is gone.
    ///
    /// # Errors
    /// If the store does not answer or a row cannot be read.
    pub(crate) fn latest_of(
        &self,
        turn: &Turn<'_>,
        account: AccountId,
        shared: &Shared<'_>,
    ) -> Result<Option<LatestEvent>, EngineError> {
        let read = turn.read();
        let Some(record) = shared.account.record_of(turn, &account)? else { return Ok(None) };
        let mut latest: Option<((bool, Clock), LatestEvent)> = None;
        for state in crate::chat::repair::vector(&read, &self.id)?.feeds {
            let Some(sequence) = state.next.checked_sub(1) else { continue };
            let listed = record.device(state.feed.device).is_some();
            let certificate = self.certificate_of(&state.feed.device, account);
            if !listed && certificate.is_none() {
                continue;
            }
            let place = ContentId { feed: state.feed, sequence };
            let Some(event) = self.event(turn, &place)? else { continue };
            let rank = (listed, event.header().clock);
            if latest.as_ref().is_none_or(|(highest, _)| *highest < rank) {
                let event = event.erased().as_raw().clone();
                latest = Some((rank, LatestEvent { event, certificate, former: !listed }));
            }
        }
        Ok(latest.map(|(_, latest)| latest))
    }

    /// The latest event by which an account left, without its content.
    ///
    /// # Errors
    /// If the store does not answer or a row cannot be read.
    pub(crate) fn leave_of(
        &self,
        turn: &Turn<'_>,
        account: AccountId,
        shared: &Shared<'_>,
    ) -> Result<Option<UnverifiedEvent>, EngineError> {
        let Some(record) = shared.account.record_of(turn, &account)? else { return Ok(None) };
        let mut latest: Option<(Clock, UnverifiedEvent)> = None;
        for state in crate::chat::repair::vector(&turn.read(), &self.id)?.feeds {
            if record.device(state.feed.device).is_none() {
                continue;
            }
            for sequence in state.next.saturating_sub(BEGINNING)..state.next {
                let Some(event) = self.event(turn, &ContentId { feed: state.feed, sequence })? else { continue };
                let header = event.header();
                if header.kind == MessageKind::Leave as u16 && latest.as_ref().is_none_or(|(at, _)| *at < header.clock)
                {
                    latest = Some((header.clock, event.erased().as_raw().clone()));
                }
            }
        }
        Ok(latest.map(|(_, leave)| leave))
    }

    /// The certificate of a device of the partner in a conversation of two.
    fn certificate_of(&self, device: &DeviceId, account: AccountId) -> Option<ByteBuf> {
        let member = self.membership.roster().member(device).filter(|member| member.account == account)?;
        (self.kind() == Some(Kind::Direct)).then(|| member.certificate.clone().into())
    }

    /// Whether one of an account's feeds begins with a text, as one does whose request was answered.
    ///
    /// # Errors
    /// If the store does not answer.
    pub(crate) fn has_text(
        turn: &Turn<'_>,
        id: ConversationId,
        record: &AccountRecord,
        text: &str,
    ) -> Result<bool, EngineError> {
        let read = turn.read();
        for state in crate::chat::repair::vector(&read, &id)?.feeds {
            if record.device(state.feed.device).is_none() {
                continue;
            }
            for sequence in 0..state.next.min(BEGINNING) {
                let place = ContentId { feed: state.feed, sequence };
                let event = crate::chat::feed::row::load_event(&read, &id, &place)?;
                let event = event.filter(|event| event.header().kind == MessageKind::Text as u16);
                let content = event.as_ref().and_then(|event| event.content());
                if content.is_some_and(|content| Text::decode(&content.body).is_ok_and(|body| body.text == text)) {
                    return Ok(true);
                }
            }
        }
        Ok(false)
    }
}
