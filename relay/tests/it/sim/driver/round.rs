//! Inputs that share a batch, and letting go what came of them once it is durable.

use kith_core::chat::account::known_record;
use kith_core::chat::{CommandError, Effects, EngineError, Input, Notice, Reply, Verdict};
use kith_core::identity::AccountRecord;
use kith_core::store::{Batch, Overlay, Read as _, Table};
use kith_core::types::{EnvelopeId, RequestId};
use kith_core::wire::codec::Body as _;
use kith_core::wire::envelope::{Class, Envelope, Packet};
use kith_core::wire::log;
use kith_core::wire::relay::Response;

use super::super::faults::{Crash, Fault};
use super::super::mutations::{self, Broken};
use super::super::network::Once;
use super::super::world::World;
use super::{Job, ROUND, gone, self_index};

impl World {
    /// What has come is handled and committed together.
    pub(super) fn round(&mut self, device: usize) {
        let mut jobs = std::mem::take(&mut self.devices[device].jobs);
        let rest = jobs.split_off(jobs.len().min(ROUND));
        let mut round = Round::default();
        for job in jobs {
            if let Err(error) = self.take(device, job, &mut round) {
                // Of a device whose state its owner meddles with, nothing is promised.
                if !self.hostile.contains(&device) {
                    self.defect(format!("the engine of device {device} failed: {error}"));
                }
                self.commit(device, std::mem::take(&mut round));
                self.reopen(device);
            }
        }
        if self.devices[device].is_up() {
            self.commit(device, round);
        }
        if self.devices[device].is_up() {
            for job in rest {
                self.job(device, job);
            }
        }
    }

    fn take(&mut self, device: usize, job: Job, round: &mut Round) -> Result<(), EngineError> {
        match job {
            Job::Input(input, verdict) => {
                self.note("input", device, &[], || format!("{device} {}", name(&input)));
                round.deals_with_copy |= matches!(*input, Input::Start { restored: true });
                let older = self.is_older_record(device, &input, round);
                let kept = kept_envelope(&input);
                let effects = self.step(device, *input, round)?;
                if older && !effects.notices.iter().any(|notice| matches!(notice, Notice::RecordFork { .. })) {
                    self.defect(format!("device {device} was shown an older record and told nobody"));
                }
                round.released.push(Released { effects, verdict, kept });
            }
            Job::Command(command, then) => {
                let id = RequestId::random(&mut self.devices[device].rng);
                self.note("command", device, &[], || format!("{device} {command:?}").chars().take(160).collect());
                match self.step(device, Input::Command { id, command: *command }, round) {
                    Ok(effects) => {
                        round.commands.push((id, then));
                        round.released.push(Released { effects, verdict: None, kept: None });
                    }
                    Err(error) => {
                        then.call(self, Err(CommandError::Internal(error.to_string())));
                        return Err(error);
                    }
                }
            }
            Job::Home(from, request, then) => {
                let now = self.now_of(device);
                let it = &mut self.devices[device];
                let Some(engine) = it.engine.as_mut() else { return Ok(()) };
                let read = Overlay::new(&it.store, &round.batch);
                let (batch, response) = engine.handle_home_request(now, &read, from, &request)?;
                round.batch.append(batch);
                round.homes.push((response, then));
            }
        }
        Ok(())
    }

    fn step(&mut self, device: usize, input: Input, round: &mut Round) -> Result<Effects, EngineError> {
        let now = self.now_of(device);
        let it = &mut self.devices[device];
        let Some(engine) = it.engine.as_mut() else { return Ok(Effects::default()) };
        let read = Overlay::new(&it.store, &round.batch);
        let mut effects = engine.handle(now, &mut it.rng, &read, input)?;
        round.batch.append(std::mem::take(&mut effects.batch));
        Ok(effects)
    }

    /// Whether an answer shows an older record than the device knows: it has to say so.
    fn is_older_record(&mut self, device: usize, input: &Input, round: &Round) -> bool {
        let Input::Answer { id, outcome: Ok(Response::Record { record }) } = input else { return false };
        let it = &mut self.devices[device];
        if !it.asked.remove(id) {
            return false;
        }
        let Ok(shown) = AccountRecord::decode_verified(record) else { return false };
        let known = known_record(&Overlay::new(&it.store, &round.batch), &shown.account_id());
        known.ok().flatten().is_some_and(|known| known.version() > shown.version())
    }

    fn commit(&mut self, device: usize, mut round: Round) {
        let crash = self.crash_point(device);
        if mutations::is(Broken::LetsGoEarly) {
            let batch = std::mem::take(&mut round.batch);
            self.let_go(device, round, usize::MAX);
            round = Round { batch, ..Round::default() };
        }
        if !round.batch.is_empty() {
            if crash == Some(Crash::Before) {
                self.devices[device].store.submit(&round.batch);
                let away = 500 + self.draw(30_000);
                self.crash(device, away);
                for (_, then) in round.commands {
                    then.call(self, Err(gone()));
                }
                return;
            }
            if self.mischance(self.plan.disk_permille) {
                self.happened.insert(Fault::Disk);
                self.note("disk", device, &[], || format!("the disk of {device} fails"));
                for (_, then) in round.commands {
                    then.call(self, Err(CommandError::Internal("disk full".to_owned())));
                }
                for (_, then) in round.homes {
                    then.call(self, log::Response::Refused(log::Refusal::TryLater));
                }
                for Released { verdict, .. } in round.released {
                    if let Some(verdict) = verdict {
                        verdict.call(self, Verdict::TryLater);
                    }
                }
                return self.reopen(device);
            }
            if !(mutations::is(Broken::DropsBatches) && self.draw(6) == 0) {
                self.devices[device].store.submit(&round.batch);
            }
            self.devices[device].store.flush();
        }
        self.devices[device].from_copy &= !round.deals_with_copy;
        let left = match crash {
            // The process ends while it lets go what is durable.
            Some(Crash::After) => usize::try_from(self.draw(round.released.len() as u64 + 1)).unwrap_or(0),
            _ => usize::MAX,
        };
        self.let_go(device, round, left);
        if crash == Some(Crash::After) {
            let away = 500 + self.draw(30_000);
            self.crash(device, away);
        }
    }

    /// Lets go what a round came to, or only so much of it.
    fn let_go(&mut self, device: usize, round: Round, mut left: usize) {
        let mut commands = round.commands;
        for released in round.released {
            if left == 0 || !self.devices[device].is_up() {
                break;
            }
            left -= 1;
            self.release(device, released, &mut commands);
        }
        if left > 0 {
            for (response, then) in round.homes {
                then.call(self, response);
            }
        }
    }

    fn release(
        &mut self,
        device: usize,
        released: Released,
        commands: &mut Vec<(RequestId, Once<Result<Reply, CommandError>>)>,
    ) {
        let Released { effects, verdict, kept } = released;
        self.is_promise_kept(device, &effects, kept);
        if let Some(verdict) = verdict {
            verdict.call(self, effects.verdict.unwrap_or(Verdict::Durable));
        }
        for (id, outcome) in effects.replies {
            if let Some(at) = commands.iter().position(|(asked, _)| *asked == id) {
                let (_, then) = commands.swap_remove(at);
                self.note("reply", device, &[], || format!("{device} {outcome:?}"));
                then.call(self, outcome);
            }
        }
        for outgoing in effects.sends {
            self.note("send", device, &outgoing.envelope, || {
                let to: Vec<String> = outgoing.to.iter().map(|to| self_index(&to.device)).collect();
                format!("{device} {:?} {} to {to:?}", outgoing.class, packet(&outgoing.envelope))
            });
            self.send(device, outgoing);
        }
        for call in effects.calls {
            self.call(device, call);
        }
        for notice in effects.notices {
            self.told(device, &notice);
        }
        if let Some(at) = effects.wake_at {
            self.wake(device, at);
        }
    }

    /// What is acknowledged now is on the disk now.
    fn is_promise_kept(&mut self, device: usize, effects: &Effects, envelope: Option<EnvelopeId>) {
        if self.hostile.contains(&device) {
            return;
        }
        let store = &self.devices[device].store;
        let durable = store.unflushed() == 0;
        if let (Some(id), Some(Verdict::Durable)) = (envelope, effects.verdict)
            && !(durable && store.get(Table::Seen, id.as_ref()).is_ok_and(|row| row.is_some()))
        {
            return self.defect(format!("device {device} called {id:?} durable, and it is not"));
        }
        for (_, outcome) in &effects.replies {
            if let Ok(Reply::Written { conversation, id }) = outcome
                && !(durable && self.holds(device, *conversation, id))
            {
                return self.defect(format!("device {device} acknowledged {id:?}, and it is not durable"));
            }
        }
    }
}

fn name(input: &Input) -> String {
    match input {
        Input::Start { restored } => format!("start, restored {restored}"),
        Input::Command { .. } => "command".to_owned(),
        Input::Envelope { from, bytes } => {
            format!("envelope from {:?}: {}", from.map(|from| from.short()), packet(bytes))
        }
        Input::Answer { outcome, .. } => format!("answer {outcome:?}"),
        Input::Sent { envelope, device, outcome } => format!("sent {envelope:?} to {} {outcome:?}", device.short()),
        Input::PeerUp { device } => format!("peer up {}", device.short()),
        Input::PeerDown { device } => format!("peer down {}", device.short()),
        Input::RelayUp { .. } => "relay up".to_owned(),
        Input::RelayDown => "relay down".to_owned(),
        Input::Record { .. } => "record".to_owned(),
        Input::Timer => "timer".to_owned(),
    }
}

/// An envelope as a trace names it.
fn packet(bytes: &[u8]) -> String {
    let Ok(envelope) = Envelope::decode(bytes) else { return format!("{} B", bytes.len()) };
    let (name, group) = match Packet::decode(&envelope.packet) {
        Err(_) => ("garbage", None),
        Ok(Packet::Mls { group, .. }) => ("Mls", Some(group)),
        Ok(Packet::Welcome { group, .. }) => ("Welcome", Some(group)),
        Ok(Packet::Hint { group, .. }) => ("Hint", Some(group)),
        Ok(Packet::Shown { group, .. }) => ("Shown", Some(group)),
        Ok(Packet::Over { group }) => ("Over", Some(group)),
        Ok(Packet::Unknown { group }) => ("Unknown", Some(group)),
        Ok(Packet::Wanted { group, .. }) => ("Wanted", Some(group)),
        Ok(Packet::Sealed { .. }) => ("Sealed", None),
    };
    let group = group.map(|group| format!(" of {}", group.short())).unwrap_or_default();
    format!("{} {name}{group}, {} B", envelope.id.short(), bytes.len())
}

/// What one input came to.
pub(super) struct Released {
    effects: Effects,
    verdict: Option<Once<Verdict>>,
    /// The envelope that it was, if it is one that is kept.
    kept: Option<EnvelopeId>,
}

/// The envelope of an input, if whoever sent it may forget it once it is called durable.
fn kept_envelope(input: &Input) -> Option<EnvelopeId> {
    let Input::Envelope { bytes, .. } = input else { return None };
    Envelope::decode(bytes).ok().filter(|envelope| envelope.class == Class::Durable).map(|envelope| envelope.id)
}

/// What is released after the flush.
#[derive(Default)]
pub(super) struct Round {
    batch: Batch,
    /// The engine was told that its store is from a copy.
    deals_with_copy: bool,
    released: Vec<Released>,
    homes: Vec<(log::Response, Once<log::Response>)>,
    commands: Vec<(RequestId, Once<Result<Reply, CommandError>>)>,
}
