//! Sealing: from what is to be said to envelopes.

use super::{Conversation, Shared};
use crate::chat::api::{Outgoing, Recipient};
use crate::chat::delivery::Due;
use crate::chat::repair;
use crate::chat::turn::{EngineError, Turn};
use crate::identity::DeviceCertificate;
use crate::types::{DeviceId, EnvelopeId};
use crate::wire::codec::Body;
use crate::wire::envelope::{Class, Envelope, Packet, Urgency};
use crate::wire::event::UnverifiedEvent;
use crate::wire::message::Message;

/// Rounds of the own feed that one input may send; the rest follows at once by the timer.
const MAX_PUMP_ROUNDS: usize = 4;

/// How a message travels.
#[derive(Debug, Clone, Copy)]
pub(super) struct Manner {
    pub(super) class: Class,
    pub(super) urgency: Urgency,
}

/// As a person's words.
pub(super) const LETTER: Manner = Manner { class: Class::Durable, urgency: Urgency::Normal };
/// Kept, and nobody is woken.
pub(super) const QUIET: Manner = Manner { class: Class::Durable, urgency: Urgency::Quiet };
/// What a later meeting makes good: an hour.
pub(super) const PASSING: Manner = Manner { class: Class::Ephemeral { ttl_s: 3600 }, urgency: Urgency::Quiet };
/// For whoever is there.
pub(super) const LIVE: Manner = Manner { class: Class::LiveOnly, urgency: Urgency::Quiet };

/// Puts a packet into an envelope.
pub(crate) fn envelope(turn: &mut Turn<'_>, packet: &Packet, class: Class, urgency: Urgency) -> Envelope {
    Envelope { id: EnvelopeId::random(turn.rng), class, urgency, packet: packet.encode() }
}

/// Sends a packet that is no MLS message.
pub(super) fn post_to(turn: &mut Turn<'_>, to: Vec<Recipient>, packet: &Packet, manner: Manner) {
    let envelope = envelope(turn, packet, manner.class, manner.urgency);
    let (id, class) = (envelope.id, manner.class);
    turn.effects.sends.push(Outgoing { id, class, envelope: envelope.encode(), to });
}

impl Conversation {
    /// How a device of a member is reached: by its account's record, or, while that is not known, by its certificate.
    pub(super) fn recipient(
        &self,
        turn: &Turn<'_>,
        shared: &Shared<'_>,
        device: DeviceId,
    ) -> Result<Option<Recipient>, EngineError> {
        let Some(member) = self.membership.roster().member(&device) else { return Ok(None) };
        if let Some(recipient) = shared.account.recipient(turn, &member.account, device)? {
            return Ok(Some(recipient));
        }
        let Ok(certificate) = DeviceCertificate::decode_stored(&member.certificate) else { return Ok(None) };
        let transport = *certificate.transport_key().as_bytes();
        Ok(Some(Recipient { account: member.account, device, transport, mailboxes: Vec::new() }))
    }

    /// How some devices are reached, for everything that a conversation sends. Of a direct conversation nothing leaves to a blocked
    /// account.
    pub(super) fn recipients(
        &self,
        turn: &Turn<'_>,
        shared: &Shared<'_>,
        devices: &[DeviceId],
    ) -> Result<Vec<Recipient>, EngineError> {
        let blocked = match self.partner(shared.account.id()) {
            Some(partner) if shared.account.is_blocked(turn, &partner)? => Some(partner),
            Some(_) | None => None,
        };
        let mut to = Vec::with_capacity(devices.len());
        for device in devices {
            to.extend(self.recipient(turn, shared, *device)?.filter(|recipient| Some(recipient.account) != blocked));
        }
        Ok(to)
    }

    /// Says something to some of the members' devices, under the present group. Without one nothing is said.
    pub(super) fn tell(
        &mut self,
        turn: &mut Turn<'_>,
        shared: &mut Shared<'_>,
        devices: &[DeviceId],
        message: &Message,
        manner: Manner,
    ) -> Result<Option<EnvelopeId>, EngineError> {
        let to = self.recipients(turn, shared, devices)?;
        self.tell_to(turn, shared, to, message, manner)
    }

    fn tell_to(
        &mut self,
        turn: &mut Turn<'_>,
        shared: &mut Shared<'_>,
        to: Vec<Recipient>,
        message: &Message,
        manner: Manner,
    ) -> Result<Option<EnvelopeId>, EngineError> {
        if to.is_empty() {
            return Ok(None);
        }
        let sealed = self.membership.seal(turn, shared.account, &message.encode())?;
        let Some((group, message)) = sealed else { return Ok(None) };
        let envelope = envelope(turn, &Packet::Mls { group, message }, manner.class, manner.urgency);
        let id = envelope.id;
        turn.effects.sends.push(Outgoing { id, class: manner.class, envelope: envelope.encode(), to });
        Ok(Some(id))
    }

    /// Sends a packet that is no MLS message.
    pub(super) fn post(
        &self,
        turn: &mut Turn<'_>,
        shared: &Shared<'_>,
        devices: &[DeviceId],
        packet: &Packet,
        manner: Manner,
    ) -> Result<(), EngineError> {
        let to = self.recipients(turn, shared, devices)?;
        if !to.is_empty() {
            post_to(turn, to, packet, manner);
        }
        Ok(())
    }

    /// Sends what of the own feed somebody lacks.
    pub(super) fn pump(&mut self, turn: &mut Turn<'_>, shared: &mut Shared<'_>) -> Result<(), EngineError> {
        if self.membership.present().is_none() {
            return Ok(());
        }
        for _ in 0..MAX_PUMP_ROUNDS {
            let due = self.delivery.due(turn.now);
            if due.is_empty() {
                return Ok(());
            }
            for part in due {
                self.send_part(turn, shared, &part)?;
            }
        }
        Ok(())
    }

    fn send_part(&mut self, turn: &mut Turn<'_>, shared: &mut Shared<'_>, part: &Due) -> Result<(), EngineError> {
        let round = repair::events(&turn.read(), &self.id, &part.feed, &part.ranges)?;
        let recipients = self.recipients(turn, shared, &part.devices)?;
        let reached: Vec<DeviceId> = recipients.iter().map(|recipient| recipient.device).collect();
        let unreached: Vec<DeviceId> =
            part.devices.iter().filter(|device| !reached.contains(device)).copied().collect();
        if round.bundles.is_empty() || !unreached.is_empty() {
            // Nothing can be sent for these now; news of them or of a relay end the wait.
            let devices = if round.bundles.is_empty() { &part.devices } else { &unreached };
            self.delivery.postpone(turn.now, turn.rng, &part.feed, devices, &part.ranges);
        }
        if reached.is_empty() {
            return Ok(());
        }
        for bundle in round.bundles {
            let ranges = ranges(&bundle);
            let sent = self.tell_to(turn, shared, recipients.clone(), &Message::Events(bundle), LETTER)?;
            let id = sent.unwrap_or_else(|| EnvelopeId::random(turn.rng));
            self.delivery.started(turn.now, id, &part.feed, &reached, &ranges);
        }
        Ok(())
    }
}

/// The places of a bundle's events, of one feed and ascending.
fn ranges(bundle: &[UnverifiedEvent]) -> Vec<(u64, u64)> {
    let mut ranges: Vec<(u64, u64)> = Vec::new();
    for sequence in bundle.iter().filter_map(|event| event.peek().ok()).map(|header| header.sequence) {
        match ranges.last_mut() {
            Some((_, end)) if *end == sequence => *end = sequence.saturating_add(1),
            _ => ranges.push((sequence, sequence.saturating_add(1))),
        }
    }
    ranges
}
