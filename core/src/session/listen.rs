//! Turns what the network brings into inputs, and empties the mailbox.

use std::time::Duration;

use tokio::sync::{broadcast, mpsc};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::attachments::Attachments;
use super::heart::HeartHandle;
use super::outlook::Outlook;
use super::peers::Peers;
use super::{Event, clock};
use crate::chat::{Input, Verdict};
use crate::net::{self, Path};
use crate::types::DeviceId;
use crate::wire::control::{Code, Said};
use crate::wire::log;
use crate::wire::relay::{Cursor, Push, PushAnswer, Request, Response, Stored};

/// The first pause before a mailbox that could not be emptied is tried again; it doubles with each failure.
const FIRST_PAUSE: Duration = Duration::from_secs(1);

/// The longest of these: often enough for a person, and next to nothing for a relay.
const LONGEST_PAUSE: Duration = Duration::from_secs(300);

pub(super) struct Listener {
    pub(super) net: net::Handle,
    pub(super) peers: Peers,
    pub(super) heart: HeartHandle,
    pub(super) outlook: Outlook,
    pub(super) attachments: Attachments,
    pub(super) events: broadcast::Sender<Event>,
}

impl Listener {
    pub(super) async fn run(self, mut incoming: mpsc::Receiver<net::Event>, stop: CancellationToken) {
        // One at a time: a new one ends the one before, and all of them end with the listener.
        let mut emptying = JoinSet::new();
        loop {
            let event = tokio::select! {
                () = stop.cancelled() => return,
                () = self.heart.recovered() => {
                    if self.relay_is_connected().await {
                        self.relay_up(&mut emptying);
                    }
                    continue;
                }
                Some(_) = emptying.join_next(), if !emptying.is_empty() => continue,
                event = incoming.recv() => event,
            };
            let Some(event) = event else { return };
            tokio::select! {
                () = stop.cancelled() => return,
                () = self.take(event, &mut emptying) => {}
            }
        }
    }

    async fn take(&self, event: net::Event, emptying: &mut JoinSet<()>) {
        match event {
            net::Event::RelayUp { .. } => self.relay_up(emptying),
            net::Event::RelayDown { reason, .. } => {
                emptying.abort_all();
                let _ = self.events.send(Event::RelayDown((&reason).into()));
                self.input(Input::RelayDown).await;
            }
            net::Event::PeerUp { device, path, .. } => {
                self.reached(device, path);
                self.input(Input::PeerUp { device }).await;
            }
            net::Event::PathChanged { device, path, .. } => self.reached(device, path),
            net::Event::Found { device, addresses } => {
                // The heart ends with the session, and then nothing is left to be kept.
                let _ = self.heart.found(device, addresses).await;
            }
            net::Event::PeerDown { device, .. } => {
                self.reached(device, Path::None);
                self.input(Input::PeerDown { device }).await;
            }
            net::Event::Push { push, reply, .. } => {
                let heart = self.heart.clone();
                tokio::spawn(async move { reply.send(take_push(&heart, push).await) });
            }
            net::Event::Envelope { device, bytes, reply, .. } => {
                let heart = self.heart.clone();
                tokio::spawn(async move {
                    let verdict = heart.envelope(Input::Envelope { from: Some(device), bytes }).await;
                    reply.send(answer(verdict.unwrap_or(Verdict::TryLater)));
                });
            }
            net::Event::HomeRequest { device, request, reply, .. } => {
                let heart = self.heart.clone();
                tokio::spawn(async move {
                    let busy = log::Response::Refused(log::Refusal::TryLater);
                    reply.send(heart.home(device, request).await.unwrap_or(busy));
                });
            }
            net::Event::BlobRequest { device, request, reply, .. } => {
                let attachments = self.attachments.clone();
                tokio::spawn(async move { reply.send(attachments.serve(device, request).await) });
            }
            net::Event::Listening(_) | net::Event::ObservedAddresses(_) => self.peers.changed().notify_one(),
            net::Event::Lagged { .. } => self.look_again(emptying).await,
            net::Event::Reserved { .. } => {}
        }
    }

    fn reached(&self, device: DeviceId, path: Path) {
        self.outlook.set_path(device, path);
        let _ = self.events.send(Event::Peer { device, path });
    }

    /// Who is connected was told while nobody listened: it is asked.
    async fn look_again(&self, emptying: &mut JoinSet<()>) {
        for (peer, device) in self.peers.devices().await {
            let Ok(found) = self.net.reachability(peer).await else { return };
            self.reached(device, found.path);
            let up = found.path != Path::None;
            self.input(if up { Input::PeerUp { device } } else { Input::PeerDown { device } }).await;
        }
        if self.relay_is_connected().await {
            self.relay_up(emptying);
        } else if self.peers.own_relay().await.is_some() {
            emptying.abort_all();
            let _ = self.events.send(Event::RelayDown((&net::NetError::Interrupted).into()));
            self.input(Input::RelayDown).await;
        }
    }

    async fn relay_is_connected(&self) -> bool {
        self.peers.own_relay().await.is_some_and(|relay| self.net.is_connected(&relay.peer()))
    }

    async fn input(&self, input: Input) {
        // The heart ends with the session; what the network still says then does not matter.
        let _ = self.heart.input(input).await;
    }

    fn relay_up(&self, emptying: &mut JoinSet<()>) {
        let (net, peers, heart, events) =
            (self.net.clone(), self.peers.clone(), self.heart.clone(), self.events.clone());
        emptying.abort_all();
        emptying.spawn(async move {
            let mut pause = FIRST_PAUSE;
            // That the relay goes ends this: what is tried again is what it, or the own store, refused.
            while let Err(problem) = empty_mailbox(&net, &peers, &heart).await {
                tracing::debug!(%problem, "The mailbox cannot be emptied.");
                let _ = events.send(Event::RelayDown(problem));
                tokio::time::sleep(pause).await;
                pause = pause.saturating_mul(2).min(LONGEST_PAUSE);
            }
            peers.changed().notify_one();
            let _ = events.send(Event::RelayUp);
            if let Some(gap) = clock::compare(&net, &peers).await {
                let _ = events.send(Event::ClockOff(gap));
            }
        });
    }
}

/// Fetches until nothing waits; from then on the relay pushes.
async fn empty_mailbox(net: &net::Handle, peers: &Peers, heart: &HeartHandle) -> Result<(), Said> {
    let broken = |error: &net::NetError| Said::from(error);
    let not_stored = || Said::new(Code::NotStored, "what came cannot be stored now");
    let relay = peers.own_relay().await.ok_or_else(|| Said::new(Code::NoRelay, "the account has no relay"))?;
    let mut from: Option<Cursor> = None;
    loop {
        let response = net.relay_request(&relay, &Request::Fetch { from }).await.map_err(|error| broken(&error))?;
        let (cursor, envelopes, more) = match response {
            Response::Waiting { cursor, envelopes, more } => (cursor, envelopes, more),
            Response::Refused(refusal) => return Err((&refusal).into()),
            _ => return Err(Said::new(Code::Nonsense, "the relay answered something else")),
        };
        if from.is_none() {
            heart.input(Input::RelayUp { queue: cursor.queue }).await.map_err(|_| not_stored())?;
        }
        if let Some(first) = envelopes.first().map(|stored| stored.number) {
            let upto = take_all(heart, cursor, envelopes).await.ok_or_else(not_stored)?;
            let acknowledged = net.relay_request(&relay, &Request::Acknowledge { from: first, upto }).await;
            let _ = acknowledged.map_err(|error| broken(&error))?;
        }
        if !more {
            return Ok(());
        }
        from = Some(cursor);
    }
}

async fn take_push(heart: &HeartHandle, push: Push) -> PushAnswer {
    match push {
        Push::Envelopes { cursor, envelopes } => match take_all(heart, cursor, envelopes).await {
            Some(_) => PushAnswer::Durable,
            None => PushAnswer::TryLater,
        },
        Push::Live { envelope } => {
            let verdict = heart.envelope(Input::Envelope { from: None, bytes: envelope }).await;
            answer(verdict.unwrap_or(Verdict::TryLater))
        }
    }
}

/// Hands all in at once, so that they share flushes. None if one of them cannot be stored now.
async fn take_all(heart: &HeartHandle, cursor: Cursor, envelopes: Vec<Stored>) -> Option<Cursor> {
    let verdicts = envelopes.into_iter().map(|stored| {
        let heart = heart.clone();
        async move { heart.envelope(Input::Envelope { from: None, bytes: stored.envelope }).await }
    });
    let verdicts = futures::future::join_all(verdicts).await;
    // What is refused is done with as well: it may go from the mailbox.
    verdicts.iter().all(|verdict| matches!(verdict, Ok(Verdict::Durable | Verdict::Refused))).then_some(cursor)
}

fn answer(verdict: Verdict) -> PushAnswer {
    match verdict {
        Verdict::Durable => PushAnswer::Durable,
        Verdict::Refused => PushAnswer::Refused,
        Verdict::TryLater => PushAnswer::TryLater,
    }
}
