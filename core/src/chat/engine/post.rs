//! Sending letters, and what came of what was sent.

use std::collections::BTreeMap;

use super::Engine;
use crate::chat::api::{Outgoing, Recipient, SendOutcome};
use crate::chat::letter::Letter;
use crate::chat::turn::{EngineError, Turn};
use crate::types::{DeviceId, EnvelopeId};
use crate::wire::envelope::Class;
use crate::wire::relay::Deposited;

/// The first pause before a letter is sent again, doubled each time.
const FIRST_RETRY_MS: u64 = 2_000;

/// The longest pause.
const LAST_RETRY_MS: u64 = 10 * 60 * 1000;

/// An attempt without an outcome is repeated after so long.
const PATIENCE_MS: u64 = 60_000;

/// When each letter is sent next.
#[derive(Debug, Default)]
pub(super) struct Post {
    due: BTreeMap<EnvelopeId, (u64, u32)>,
}

impl Post {
    /// After a start all are due.
    pub(super) fn load(&mut self, turn: &Turn<'_>) -> Result<(), EngineError> {
        self.due = Letter::all(&turn.read())?.into_iter().map(|letter| (letter.id, (0, 0))).collect();
        Ok(())
    }

    /// Letters that were written by now are due; with a device, those to it.
    pub(super) fn hurry(&mut self, turn: &Turn<'_>, device: Option<DeviceId>) -> Result<(), EngineError> {
        for letter in Letter::all(&turn.read())? {
            if device.is_none_or(|device| letter.to.iter().any(|(_, to)| *to == device)) {
                self.due.insert(letter.id, (0, 0));
            }
        }
        Ok(())
    }

    pub(super) fn knows(&self, id: &EnvelopeId) -> bool {
        self.due.contains_key(id)
    }

    pub(super) fn wake_at(&self) -> Option<u64> {
        self.due.values().map(|(at, _)| *at).min()
    }
}

impl Engine {
    /// Sends letters that are due, new ones among them.
    pub(super) fn send_letters(&mut self, turn: &mut Turn<'_>, fresh: &[EnvelopeId]) -> Result<(), EngineError> {
        let now = turn.now.mono_ms;
        self.letters.due.extend(fresh.iter().map(|id| (*id, (0, 0))));
        let due: Vec<EnvelopeId> =
            self.letters.due.iter().filter(|(_, (at, _))| *at <= now).map(|(id, _)| *id).collect();
        for id in due {
            let Some(letter) = Letter::find(turn, id)? else {
                self.letters.due.remove(&id);
                continue;
            };
            if letter.is_stale(turn.now.wall) {
                Letter::forget(turn, id);
                self.letters.due.remove(&id);
                continue;
            }
            let failures = self.letters.due.get(&id).map_or(0, |(_, failures)| *failures);
            self.letters.due.insert(id, (now.saturating_add(PATIENCE_MS), failures));
            let mut to: Vec<Recipient> = Vec::new();
            for (account, device) in &letter.to {
                to.extend(self.account.recipient(turn, account, *device)?);
            }
            if !to.is_empty() {
                turn.effects.sends.push(Outgoing {
                    id,
                    class: Class::Durable,
                    envelope: letter.envelope.into_vec(),
                    to,
                });
            }
        }
        Ok(())
    }

    /// What came of an envelope for one of its recipients.
    pub(super) fn sent(
        &mut self,
        turn: &mut Turn<'_>,
        envelope: EnvelopeId,
        device: DeviceId,
        outcome: SendOutcome,
    ) -> Result<(), EngineError> {
        if let Some(id) = self.flights.get(&envelope).copied() {
            self.with(turn, id, |conversation, turn, _| {
                conversation.sent(turn, &envelope, &device, outcome);
                Ok(())
            })?;
            return Ok(());
        }
        let Some((_, failures)) = self.letters.due.get(&envelope).copied() else { return Ok(()) };
        let Some(letter) = Letter::find(turn, envelope)? else {
            self.letters.due.remove(&envelope);
            return Ok(());
        };
        match outcome {
            SendOutcome::Direct | SendOutcome::Mailbox(Deposited::Taken) => letter.taken(turn, device),
            SendOutcome::Refused | SendOutcome::Unreachable | SendOutcome::Mailbox(_) => {
                let pause = FIRST_RETRY_MS.saturating_mul(1 << failures.min(12)).min(LAST_RETRY_MS);
                let again = (turn.now.mono_ms.saturating_add(pause), failures.saturating_add(1));
                self.letters.due.insert(envelope, again);
            }
        }
        Ok(())
    }
}
