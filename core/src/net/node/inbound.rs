//! Requests that come in: judged by who asks and whether they can be read, then handed to the session.
//!
//! Each waits for its place among the events and then for its answer; meanwhile its lane reads nothing more.

use std::time::Duration;

use libp2p::PeerId;
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

use super::Event;
use crate::net::event::Reply;
use crate::net::exchange::{self, Answer, Call, Counters, Incoming, Limits, Refusal};
use crate::net::handle::Roster;
use crate::types::DeviceId;
use crate::wire::codec::Body;
use crate::wire::envelope::Envelope;
use crate::wire::relay::{Push, PushAnswer};
use crate::wire::{blob, log, protocol};

/// Bodies that are being read or answered at once: four of the largest, or a thousand messages.
const BODY_BYTES: u32 = 32 * 1024 * 1024;

/// How long a body may take: the largest over 2 Mbit/s.
const TRANSFER: Duration = Duration::from_secs(40);

/// How long the session may take to make something durable.
const PATIENCE: Duration = Duration::from_secs(20);

fn limits() -> Limits {
    Limits {
        protocols: vec![
            (protocol::PUSH, Push::MAX_BYTES),
            (protocol::DIRECT, Envelope::MAX_BYTES),
            (protocol::HOME, log::Request::MAX_BYTES),
            (protocol::BLOB, blob::Request::MAX_BYTES),
        ],
        lanes_per_peer: 32,
        lanes: 2048,
        body_bytes: BODY_BYTES,
        transfer: TRANSFER,
        patience: PATIENCE,
    }
}

pub(super) async fn serve(
    accepted: mpsc::Receiver<Incoming>,
    counters: Counters,
    stop: CancellationToken,
    roster: watch::Receiver<Roster>,
    events: mpsc::Sender<Event>,
) {
    let handler = move |call: Call| {
        let known = roster.borrow().clone();
        let events = events.clone();
        async move { answer(call, &known, &events).await.unwrap_or_else(Answer::Refused) }
    };
    exchange::serve(accepted, limits(), counters, stop, handler).await;
}

async fn answer(call: Call, known: &Roster, events: &mpsc::Sender<Event>) -> Result<Answer, Refusal> {
    match call.protocol {
        protocol::PUSH => {
            if !known.relays.contains(&call.peer) {
                return Err(Refusal::Stranger);
            }
            let push = Push::decode(&call.body).map_err(|_| Refusal::Unreadable)?;
            ask(events, PushAnswer::TryLater, |reply| Event::Push { relay: call.peer, push, reply }).await
        }
        protocol::DIRECT => {
            let device = contact(&call.peer, known)?;
            Envelope::decode(&call.body).map_err(|_| Refusal::Unreadable)?;
            let (peer, bytes) = (call.peer, call.body);
            ask(events, PushAnswer::TryLater, |reply| Event::Envelope { peer, device, bytes, reply }).await
        }
        protocol::HOME => {
            let device = contact(&call.peer, known)?;
            let request = log::Request::decode(&call.body).map_err(|_| Refusal::Unreadable)?;
            let later = log::Response::Refused(log::Refusal::TryLater);
            ask(events, later, |reply| Event::HomeRequest { peer: call.peer, device, request, reply }).await
        }
        protocol::BLOB => {
            let device = contact(&call.peer, known)?;
            let request = blob::Request::decode(&call.body).map_err(|_| Refusal::Unreadable)?;
            let later = blob::Response::Refused(blob::Refusal::TryLater);
            ask(events, later, |reply| Event::BlobRequest { peer: call.peer, device, request, reply }).await
        }
        _ => Err(Refusal::Unreadable),
    }
}

fn contact(peer: &PeerId, known: &Roster) -> Result<DeviceId, Refusal> {
    known.contacts.get(peer).copied().ok_or(Refusal::Stranger)
}

/// Hands the request to the session and waits for its answer, which is `later` when the session drops it.
async fn ask<T: Body>(
    events: &mpsc::Sender<Event>,
    later: T,
    event: impl FnOnce(Reply<T>) -> Event,
) -> Result<Answer, Refusal> {
    let (reply, answered) = Reply::new();
    events.send(event(reply)).await.map_err(|_| Refusal::TryLater)?;
    Ok(Answer::Body(answered.await.unwrap_or(later).into_bytes()))
}
