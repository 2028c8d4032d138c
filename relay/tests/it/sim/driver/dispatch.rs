//! Sending and asking: what the session's dispatcher does.

use std::collections::BTreeMap;

use kith_core::chat::{Call, CallFailure, CallTarget, Input, Outgoing, Recipient, SendOutcome, Verdict};
use kith_core::identity::RelayAddress;
use kith_core::types::{AccountId, DeviceId, EnvelopeId};
use kith_core::wire::codec::Body as _;
use kith_core::wire::envelope::{Class, Envelope};
use kith_core::wire::log;
use kith_core::wire::relay::{Destination, Mailbox, Request, Response, leading_zero_bits, list_hash, work_hash};

use super::super::network::Once;
use super::super::world::World;
use super::{Job, LIST_FROM, PATIENCE_MS};

impl World {
    pub(super) fn send(&mut self, device: usize, outgoing: Outgoing) {
        let Outgoing { id, class, envelope, to } = outgoing;
        let mut mailboxes = Vec::new();
        for recipient in to {
            let target = self.by_id.get(&recipient.device).copied();
            let connected = target.is_some_and(|target| self.devices[device].peers.contains(&target));
            if connected || recipient.mailboxes.is_empty() {
                self.send_straight(device, id, class, envelope.clone(), recipient, target);
            } else {
                mailboxes.push(recipient);
            }
        }
        self.deposit_all(device, id, class, envelope, mailboxes);
    }

    fn send_straight(
        &mut self,
        device: usize,
        id: EnvelopeId,
        class: Class,
        bytes: Vec<u8>,
        recipient: Recipient,
        target: Option<usize>,
    ) {
        let life = self.devices[device].life;
        let envelope = bytes.clone();
        let to = recipient.device;
        let done = Once::new(move |world: &mut World, verdict: Option<Verdict>| {
            if world.devices[device].life != life {
                return;
            }
            let outcome = match verdict {
                Some(Verdict::Durable) => SendOutcome::Direct,
                Some(Verdict::Refused) => SendOutcome::Refused,
                _ if !recipient.mailboxes.is_empty() => {
                    return world.deposit_all(device, id, class, bytes, vec![recipient]);
                }
                _ => SendOutcome::Unreachable,
            };
            world.input(device, Input::Sent { envelope: id, device: to, outcome });
        });
        let Some(target) = target.filter(|target| self.devices[device].peers.contains(target)) else {
            let wait = 10 + self.draw(500);
            self.after(wait, move |world| done.call(world, None));
            return;
        };
        let from = self.devices[device].id;
        let late = done.clone();
        self.after(PATIENCE_MS, move |world| late.call(world, None));
        self.carry(true, move |world| {
            if !world.reaches_device(device, target) {
                return;
            }
            let done = done.clone();
            let answered = Once::new(move |world: &mut World, verdict: Verdict| {
                let done = done.clone();
                world.carry(false, move |world| done.call(world, Some(verdict)));
            });
            let input = Input::Envelope { from: Some(from), bytes: envelope.clone() };
            world.job(target, Job::Input(Box::new(input), Some(answered)));
        });
    }

    pub(crate) fn relay_of(&self, address: &RelayAddress) -> Option<usize> {
        self.relays.iter().position(|relay| relay.address.relay == address.relay)
    }

    fn deposit_all(&mut self, device: usize, id: EnvelopeId, class: Class, envelope: Vec<u8>, to: Vec<Recipient>) {
        let mut by_relay: BTreeMap<usize, Vec<Recipient>> = BTreeMap::new();
        for recipient in to {
            match recipient.mailboxes.first().and_then(|(relay, _)| self.relay_of(relay)) {
                Some(relay) => by_relay.entry(relay).or_default().push(recipient),
                None => {
                    let to = recipient.device;
                    let outcome = SendOutcome::Unreachable;
                    self.input(device, Input::Sent { envelope: id, device: to, outcome });
                }
            }
        }
        for (relay, mut recipients) in by_relay {
            recipients.sort_by_key(|recipient| (recipient.device, recipient.mailboxes[0].1));
            let mailboxes: Vec<Mailbox> = recipients
                .iter()
                .map(|recipient| Mailbox { device: recipient.device, token: recipient.mailboxes[0].1 })
                .collect();
            self.deposit(device, relay, id, class, envelope.clone(), recipients, mailboxes);
        }
    }

    #[expect(clippy::too_many_arguments, reason = "one upload, as the session makes it")]
    fn deposit(
        &mut self,
        device: usize,
        relay: usize,
        id: EnvelopeId,
        class: Class,
        envelope: Vec<u8>,
        recipients: Vec<Recipient>,
        mailboxes: Vec<Mailbox>,
    ) {
        let listed = mailboxes.len() >= LIST_FROM;
        let to = match listed {
            true => Destination::List(list_hash(&mailboxes)),
            false => Destination::Mailboxes(mailboxes.clone()),
        };
        let request = Request::Deposit { to: to.clone(), envelope: envelope.clone() };
        self.ask(device, relay, request, move |world, outcome| match outcome {
            Ok(Response::UnknownList) if listed => {
                world.ask(device, relay, Request::DefineList { mailboxes }, move |world, outcome| {
                    if matches!(outcome, Ok(Response::Done)) {
                        let request = Request::Deposit { to, envelope: envelope.clone() };
                        world.ask(device, relay, request, move |world, outcome| {
                            world.deposited(device, id, class, envelope, recipients, outcome);
                        });
                    } else {
                        world.deposited(device, id, class, envelope, recipients, outcome);
                    }
                });
            }
            outcome => world.deposited(device, id, class, envelope, recipients, outcome),
        });
    }

    fn deposited(
        &mut self,
        device: usize,
        id: EnvelopeId,
        class: Class,
        envelope: Vec<u8>,
        recipients: Vec<Recipient>,
        outcome: Result<Response, CallFailure>,
    ) {
        match outcome {
            Ok(Response::Deposited { results }) if results.len() == recipients.len() => {
                for (recipient, result) in recipients.iter().zip(results) {
                    let outcome = SendOutcome::Mailbox(result);
                    self.input(device, Input::Sent { envelope: id, device: recipient.device, outcome });
                }
            }
            _ => {
                for mut recipient in recipients {
                    recipient.mailboxes.remove(0);
                    if recipient.mailboxes.is_empty() || class == Class::LiveOnly {
                        let to = recipient.device;
                        let outcome = SendOutcome::Unreachable;
                        self.input(device, Input::Sent { envelope: id, device: to, outcome });
                    } else {
                        self.deposit_all(device, id, class, envelope.clone(), vec![recipient]);
                    }
                }
            }
        }
    }

    pub(super) fn call(&mut self, device: usize, call: Call) {
        let Call { id, to, request } = call;
        if matches!(request, Request::GetRecord { .. }) {
            self.devices[device].asked.insert(id);
        }
        let answered = move |world: &mut World, outcome| world.input(device, Input::Answer { id, outcome });
        let relay = match to {
            CallTarget::Device(target, _) => return self.call_device(device, target, request, answered),
            CallTarget::OwnRelay => self.people[self.devices[device].person].relay,
            CallTarget::Relay(address) => self.relay_of(&address),
        };
        let Some(relay) = relay else {
            let life = self.devices[device].life;
            self.after(10, move |world| {
                if world.devices[device].life == life {
                    answered(world, Err(CallFailure::Unreachable));
                }
            });
            return;
        };
        match request {
            Request::DepositRequest { account, envelope, .. } => {
                self.ask_for_contact(device, relay, account, envelope, answered);
            }
            request => self.ask(device, relay, request, answered),
        }
    }

    pub(crate) fn call_device(
        &mut self,
        device: usize,
        target: DeviceId,
        request: Request,
        then: impl FnOnce(&mut Self, Result<Response, CallFailure>) + 'static,
    ) {
        let life = self.devices[device].life;
        let then = Once::new(move |world: &mut World, outcome: Result<Response, CallFailure>| {
            if world.devices[device].life == life {
                then(world, outcome);
            }
        });
        let Request::Home(request) = request else { return then.call(self, Err(CallFailure::Broken)) };
        let from = self.devices[device].id;
        let target = self.by_id.get(&target).copied();
        let Some(target) = target.filter(|target| self.devices[device].peers.contains(target)) else {
            let wait = 10 + self.draw(3000);
            self.after(wait, move |world| then.call(world, Err(CallFailure::Unreachable)));
            return;
        };
        let late = then.clone();
        self.after(PATIENCE_MS, move |world| late.call(world, Err(CallFailure::Interrupted)));
        self.carry(false, move |world| {
            let then = then.clone();
            let answered = Once::new(move |world: &mut World, response: log::Response| {
                let then = then.clone();
                world.carry(false, move |world| then.call(world, Ok(Response::Home(response.clone()))));
            });
            world.job(target, Job::Home(from, Box::new(request.clone()), answered));
        });
    }

    /// Gets the challenge, does the work, deposits the request.
    fn ask_for_contact(
        &mut self,
        device: usize,
        relay: usize,
        account: AccountId,
        envelope: Vec<u8>,
        then: impl FnOnce(&mut Self, Result<Response, CallFailure>) + 'static,
    ) {
        self.ask(device, relay, Request::RequestChallenge { account }, move |world, outcome| {
            let (challenge, bits) = match outcome {
                Ok(Response::Challenge { challenge, bits }) => (challenge, bits),
                other => return then(world, other),
            };
            let Ok(id) = Envelope::decode(&envelope).map(|envelope| envelope.id) else {
                return then(world, Err(CallFailure::Broken));
            };
            let solves = |work: &u64| leading_zero_bits(&work_hash(&challenge, &id, *work)) >= u32::from(bits);
            let work = (0..u64::MAX).find(solves).unwrap_or(0);
            let request = Request::DepositRequest { account, challenge, work, envelope };
            world.ask(device, relay, request, then);
        });
    }
}
