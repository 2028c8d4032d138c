//! Carries out what the engine wants sent and asked.
//!
//! A device that is connected gets its envelope straight; for the rest it is deposited at their relays at once, one upload a
//! relay, and a connection is tried in the background for the next one.

use std::collections::BTreeMap;
use std::sync::Arc;

use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use super::heart::{HeartHandle, Task, Work};
use super::peers::{Peers, relay_address};
use crate::chat::{Call, CallFailure, CallTarget, Input, Outgoing, Recipient, SendOutcome};
use crate::net::{self, NetError, RelayAddress, peer_of_key};
use crate::types::{EnvelopeId, Token};
use crate::wire::codec::Body as _;
use crate::wire::envelope::{Class, Envelope};
use crate::wire::relay::{
    Deposited, Destination, Mailbox, PushAnswer, Request, Response, leading_zero_bits, list_hash, work_hash,
};

/// How many sends and calls are carried out at once; the rest wait in order.
const AT_ONCE: usize = 128;

/// From so many mailboxes on, a list is named by its hash instead of sent with each envelope.
const LIST_FROM: usize = 8;

/// The most work that is done for a contact request: some seconds of one core. A relay that asks for more is not served.
const MAX_WORK_BITS: u8 = 26;

pub(super) struct Dispatcher {
    pub(super) net: net::Handle,
    pub(super) peers: Peers,
    pub(super) heart: HeartHandle,
}

#[derive(Clone)]
struct Carrier {
    net: net::Handle,
    peers: Peers,
    heart: HeartHandle,
}

impl Dispatcher {
    pub(super) async fn run(self, mut work: Work, stop: CancellationToken) {
        let permits = Arc::new(Semaphore::new(AT_ONCE));
        let carrier = Carrier { net: self.net, peers: self.peers, heart: self.heart };
        loop {
            let task = tokio::select! {
                () = stop.cancelled() => return,
                task = work.recv() => task,
            };
            let Some(task) = task else { return };
            let Ok(permit) = Arc::clone(&permits).acquire_owned().await else { return };
            let (carrier, stop) = (carrier.clone(), stop.clone());
            tokio::spawn(async move {
                tokio::select! {
                    () = stop.cancelled() => {}
                    () = carrier.carry(task) => {}
                }
                drop(permit);
            });
        }
    }
}

impl Carrier {
    async fn carry(self, task: Task) {
        match task {
            Task::Send(outgoing) => self.send(outgoing).await,
            Task::Call(call) => {
                let id = call.id;
                let outcome = self.call(call).await;
                self.heart.outcome(Input::Answer { id, outcome });
            }
        }
    }

    async fn send(&self, outgoing: Outgoing) {
        let Outgoing { id, class, envelope, to } = outgoing;
        let envelope: Arc<[u8]> = envelope.into();
        let (mut straight, mut mailboxes) = (Vec::new(), Vec::new());
        for recipient in to {
            match peer_of_key(&recipient.transport) {
                Ok(peer) if self.net.is_connected(&peer) || recipient.mailboxes.is_empty() => {
                    straight.push((peer, recipient));
                }
                Ok(peer) => {
                    self.connect_in_background(peer);
                    mailboxes.push(recipient);
                }
                Err(_) => mailboxes.push(recipient),
            }
        }
        let direct = straight.into_iter().map(|(peer, recipient)| {
            let (this, envelope) = (self.clone(), Arc::clone(&envelope));
            async move { this.send_straight(id, peer, recipient, &envelope).await }
        });
        let undelivered = futures::future::join_all(direct).await;
        mailboxes.extend(undelivered.into_iter().flatten());
        self.deposit_all(id, class, &envelope, mailboxes).await;
    }

    fn connect_in_background(&self, peer: net::PeerId) {
        let net = self.net.clone();
        tokio::spawn(async move {
            if let Err(error) = net.connect(peer).await {
                tracing::debug!(%error, "A contact's device cannot be reached straight.");
            }
        });
    }

    /// Gives the recipient back when its mailbox has to take it.
    async fn send_straight(
        &self,
        envelope: EnvelopeId,
        peer: net::PeerId,
        recipient: Recipient,
        bytes: &[u8],
    ) -> Option<Recipient> {
        let device = recipient.device;
        let outcome = match self.net.deliver(peer, bytes).await {
            Ok(PushAnswer::Durable) => SendOutcome::Direct,
            Ok(PushAnswer::Refused) => SendOutcome::Refused,
            answer => {
                tracing::debug!(?answer, "A device did not take an envelope.");
                if !recipient.mailboxes.is_empty() {
                    return Some(recipient);
                }
                SendOutcome::Unreachable
            }
        };
        self.heart.outcome(Input::Sent { envelope, device, outcome });
        None
    }

    async fn deposit_all(&self, id: EnvelopeId, class: Class, envelope: &[u8], recipients: Vec<Recipient>) {
        let mut by_relay: BTreeMap<RelayAddress, Vec<(Recipient, Token)>> = BTreeMap::new();
        for recipient in recipients {
            // The preferred relay takes it; the others are for when that one is gone.
            let preferred =
                recipient.mailboxes.first().and_then(|(relay, token)| Some((relay_address(relay)?, *token)));
            match preferred {
                Some((relay, token)) => by_relay.entry(relay).or_default().push((recipient, token)),
                None => self.sent(id, &recipient, SendOutcome::Unreachable),
            }
        }
        for (relay, mut recipients) in by_relay {
            recipients.sort_by_key(|(recipient, token)| (recipient.device, *token));
            let mailboxes: Vec<Mailbox> = recipients
                .iter()
                .map(|(recipient, token)| Mailbox { device: recipient.device, token: *token })
                .collect();
            match self.deposit(&relay, mailboxes, envelope).await {
                Some(results) if results.len() == recipients.len() => {
                    for ((recipient, _), result) in recipients.iter().zip(results) {
                        self.sent(id, recipient, SendOutcome::Mailbox(result));
                    }
                }
                _ => self.try_other_relays(id, class, envelope, recipients).await,
            }
        }
    }

    async fn try_other_relays(
        &self,
        id: EnvelopeId,
        class: Class,
        envelope: &[u8],
        recipients: Vec<(Recipient, Token)>,
    ) {
        for (mut recipient, _) in recipients {
            recipient.mailboxes.remove(0);
            if recipient.mailboxes.is_empty() || class == Class::LiveOnly {
                self.sent(id, &recipient, SendOutcome::Unreachable);
            } else {
                Box::pin(self.deposit_all(id, class, envelope, vec![recipient])).await;
            }
        }
    }

    async fn deposit(&self, relay: &RelayAddress, mailboxes: Vec<Mailbox>, envelope: &[u8]) -> Option<Vec<Deposited>> {
        if mailboxes.len() < LIST_FROM {
            let to = Destination::Mailboxes(mailboxes);
            return self.deposited(relay, to, envelope).await.ok().flatten();
        }
        let to = Destination::List(list_hash(&mailboxes));
        match self.deposited(relay, to.clone(), envelope).await {
            Ok(Some(results)) => Some(results),
            Err(UnknownList) => {
                let define = Request::DefineList { mailboxes };
                match self.net.relay_request(relay, &define).await {
                    Ok(Response::Done) => self.deposited(relay, to, envelope).await.ok().flatten(),
                    _ => None,
                }
            }
            Ok(None) => None,
        }
    }

    async fn deposited(
        &self,
        relay: &RelayAddress,
        to: Destination,
        envelope: &[u8],
    ) -> Result<Option<Vec<Deposited>>, UnknownList> {
        match self.net.relay_request(relay, &Request::Deposit { to, envelope: envelope.to_vec() }).await {
            Ok(Response::Deposited { results }) => Ok(Some(results)),
            Ok(Response::UnknownList) => Err(UnknownList),
            Ok(_) => Ok(None),
            Err(error) => {
                tracing::debug!(%error, "A relay could not take a deposit.");
                Ok(None)
            }
        }
    }

    fn sent(&self, envelope: EnvelopeId, recipient: &Recipient, outcome: SendOutcome) {
        if outcome != SendOutcome::Mailbox(Deposited::Taken) {
            tracing::debug!(?outcome, "A mailbox did not take an envelope.");
        }
        self.heart.outcome(Input::Sent { envelope, device: recipient.device, outcome });
    }

    async fn call(&self, call: Call) -> Result<Response, CallFailure> {
        let relay = match call.to {
            CallTarget::Device(_, transport) => return self.call_device(&transport, call.request).await,
            CallTarget::OwnRelay => self.peers.own_relay().await,
            CallTarget::Relay(relay) => relay_address(&relay),
        };
        let relay = relay.ok_or(CallFailure::Unreachable)?;
        match call.request {
            Request::DepositRequest { account, envelope, .. } => self.ask_for_contact(&relay, account, envelope).await,
            request => self.net.relay_request(&relay, &request).await.map_err(failure),
        }
    }

    async fn call_device(&self, transport: &[u8; 32], request: Request) -> Result<Response, CallFailure> {
        let (Ok(peer), Request::Home(request)) = (peer_of_key(transport), request) else {
            return Err(CallFailure::Broken);
        };
        self.net.home_request(peer, &request).await.map(Response::Home).map_err(failure)
    }

    /// Gets the recipient's relay's challenge, does the work, and deposits the request.
    async fn ask_for_contact(
        &self,
        relay: &RelayAddress,
        account: crate::types::AccountId,
        envelope: Vec<u8>,
    ) -> Result<Response, CallFailure> {
        let asked = self.net.relay_request(relay, &Request::RequestChallenge { account }).await.map_err(failure)?;
        let (challenge, bits) = match asked {
            Response::Challenge { challenge, bits } if bits <= MAX_WORK_BITS => (challenge, bits),
            Response::Challenge { .. } => return Err(CallFailure::Broken),
            other => return Ok(other),
        };
        let id = Envelope::decode(&envelope).map_err(|_| CallFailure::Broken)?.id;
        let work = tokio::task::spawn_blocking(move || {
            (0..u64::MAX).find(|work| leading_zero_bits(&work_hash(&challenge, &id, *work)) >= u32::from(bits))
        });
        let work = work.await.ok().flatten().ok_or(CallFailure::Broken)?;
        let request = Request::DepositRequest { account, challenge, work, envelope };
        self.net.relay_request(relay, &request).await.map_err(failure)
    }
}

/// The relay does not know the list of mailboxes.
struct UnknownList;

fn failure(error: NetError) -> CallFailure {
    match error {
        NetError::Interrupted | NetError::TimedOut => CallFailure::Interrupted,
        NetError::WrongKey { .. } | NetError::Unsupported(_) | NetError::Malformed(_) => CallFailure::Broken,
        _ => CallFailure::Unreachable,
    }
}
