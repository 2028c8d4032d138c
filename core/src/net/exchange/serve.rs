//! The side that answers.

use std::collections::BTreeMap;
use std::future::Future;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use futures::{AsyncReadExt, AsyncWriteExt};
use libp2p::PeerId;
use libp2p::swarm::{ConnectionId, Stream};
use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::Refusal;
use super::frame::{FrameError, read_body, read_length, write_frame};
use super::streams::Incoming;

/// What is left of a body that was refused is read and thrown away up to this, so that the refusal is not lost in a reset.
const MAX_DRAINED: u64 = 64 * 1024;

/// What a server takes.
#[derive(Debug, Clone)]
pub struct Limits {
    /// The protocols, and the most bytes of a request of each.
    pub protocols: Vec<(&'static str, usize)>,
    /// Lanes of one peer, of all protocols together; one more is refused with [`Refusal::Busy`].
    pub lanes_per_peer: usize,
    /// Lanes of all peers together.
    pub lanes: usize,
    /// Bytes of all bodies that are being read or answered; more waits, unread. One peer has a
    /// quarter of it, so that whoever announces much and sends it slowly keeps nobody else waiting; more of it is refused with
    /// [`Refusal::Busy`].
    pub body_bytes: u32,
    /// How long a body may take to come and an answer to be taken.
    pub transfer: Duration,
    /// How long the handler may take; after that the answer is [`Refusal::TryLater`].
    pub patience: Duration,
}

/// A request that came.
#[derive(Debug)]
pub struct Call {
    /// Who asks, authenticated by the transport.
    pub peer: PeerId,
    /// On which connection.
    pub connection: ConnectionId,
    /// Whether that connection is a circuit.
    pub circuit: bool,
    /// Where that connection comes from; none over a circuit.
    pub remote: Option<IpAddr>,
    /// In which protocol.
    pub protocol: &'static str,
    /// Its bytes, not yet decoded.
    pub body: Vec<u8>,
}

/// What is answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// An encoded body.
    Body(Vec<u8>),
    /// Not looked at.
    Refused(Refusal),
}

/// Numbers for metrics, shared and only rising.
#[derive(Debug, Clone, Default)]
pub struct Counters(Arc<Cells>);

#[derive(Debug, Default)]
struct Cells {
    answered: AtomicU64,
    unreadable: AtomicU64,
    too_large: AtomicU64,
    busy: AtomicU64,
    late: AtomicU64,
    broken: AtomicU64,
    nonsense: AtomicU64,
}

/// A reading of [`Counters`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Requests that got an answer of their protocol.
    pub answered: u64,
    /// Requests that could not be decoded.
    pub unreadable: u64,
    /// Requests over their limit.
    pub too_large: u64,
    /// Lanes or requests beyond what one peer, or all, may have.
    pub busy: u64,
    /// Requests that were not answered in time.
    pub late: u64,
    /// Lanes that broke within a request.
    pub broken: u64,
    /// Answers to own requests that were too long or could not be decoded.
    pub nonsense: u64,
}

impl Counters {
    /// Their values now.
    pub fn read(&self) -> Counts {
        let load = |cell: &AtomicU64| cell.load(Ordering::Relaxed);
        Counts {
            answered: load(&self.0.answered),
            unreadable: load(&self.0.unreadable),
            too_large: load(&self.0.too_large),
            busy: load(&self.0.busy),
            late: load(&self.0.late),
            broken: load(&self.0.broken),
            nonsense: load(&self.0.nonsense),
        }
    }

    /// Counts a body that a handler could not decode, where the protocol has its own answer to that.
    pub fn unreadable(&self) {
        add(&self.0.unreadable);
    }

    /// Counts an answer that makes no sense.
    pub fn nonsense(&self) {
        add(&self.0.nonsense);
    }

    /// Counts a request that a handler refused as one too many, where the protocol has its own answer to that.
    pub fn busy(&self) {
        add(&self.0.busy);
    }

    fn refused(&self, refusal: Refusal) {
        match refusal {
            Refusal::Unreadable => add(&self.0.unreadable),
            Refusal::TooLarge => add(&self.0.too_large),
            Refusal::Busy => add(&self.0.busy),
            Refusal::TryLater => add(&self.0.late),
            Refusal::Stranger | Refusal::Other(_) => {}
        }
    }
}

fn add(cell: &AtomicU64) {
    cell.fetch_add(1, Ordering::Relaxed);
}

/// Takes lanes until `stop`, and then ends those that are left. The handler is called once a request; dropping its future
/// (late, or stopping) must be harmless.
pub async fn serve<H, F>(
    mut incoming: mpsc::Receiver<Incoming>,
    limits: Limits,
    counters: Counters,
    stop: CancellationToken,
    handler: H,
) where
    H: Fn(Call) -> F + Clone + Send + Sync + 'static,
    F: Future<Output = Answer> + Send,
{
    let limits = Arc::new(limits);
    let budget = Arc::new(Semaphore::new(limits.body_bytes as usize));
    let share = limits.share();
    let mut lanes = JoinSet::new();
    let mut per_peer: BTreeMap<PeerId, OfPeer> = BTreeMap::new();
    loop {
        let incoming = tokio::select! {
            () = stop.cancelled() => break,
            Some(ended) = lanes.join_next(), if !lanes.is_empty() => {
                if let Ok(peer) = ended {
                    release(&mut per_peer, &peer);
                }
                continue;
            }
            incoming = incoming.recv() => match incoming {
                Some(incoming) => incoming,
                None => break,
            },
        };
        let peer = incoming.connection.peer;
        let of_peer = per_peer.entry(peer).or_insert_with(|| OfPeer::new(share));
        let admitted = of_peer.lanes < limits.lanes_per_peer && lanes.len() < limits.lanes;
        let known = limits.protocols.iter().find(|(name, _)| incoming.protocol == *name);
        let (true, Some(&(protocol, limit))) = (admitted, known) else {
            add(&counters.0.busy);
            // Short, and few: it cannot pile up beyond the connection's own bound on streams.
            if lanes.len() < limits.lanes.saturating_add(limits.lanes_per_peer) {
                of_peer.lanes = of_peer.lanes.saturating_add(1);
                lanes.spawn(turn_away(incoming, limits.transfer));
            } else if of_peer.lanes == 0 {
                per_peer.remove(&peer);
            }
            continue;
        };
        of_peer.lanes = of_peer.lanes.saturating_add(1);
        let lane = Lane {
            protocol,
            limit,
            limits: Arc::clone(&limits),
            share,
            of_peer: Arc::clone(&of_peer.budget),
            budget: Arc::clone(&budget),
            counters: counters.clone(),
            handler: handler.clone(),
        };
        lanes.spawn(async move {
            lane.run(incoming).await;
            peer
        });
    }
}

/// What one peer has under way.
struct OfPeer {
    lanes: usize,
    budget: Arc<Semaphore>,
}

impl OfPeer {
    fn new(share: u32) -> Self {
        Self { lanes: 0, budget: Arc::new(Semaphore::new(share as usize)) }
    }
}

fn release(per_peer: &mut BTreeMap<PeerId, OfPeer>, peer: &PeerId) {
    if let Some(of_peer) = per_peer.get_mut(peer) {
        of_peer.lanes = of_peer.lanes.saturating_sub(1);
        if of_peer.lanes == 0 {
            per_peer.remove(peer);
        }
    }
}

/// Says *busy* on a lane that is one too many, and ends it.
async fn turn_away(mut incoming: Incoming, transfer: Duration) -> PeerId {
    let _ = tokio::time::timeout(transfer, refuse(&mut incoming.stream, Refusal::Busy)).await;
    incoming.connection.peer
}

/// Answers with a refusal and ends the lane: what follows in it cannot be told apart any more.
async fn refuse(stream: &mut Stream, refusal: Refusal) {
    if write_frame(stream, &[Refusal::MARK, refusal.code()]).await.is_err() || stream.close().await.is_err() {
        return;
    }
    let mut rest = stream.take(MAX_DRAINED);
    // Not an array: every lane, which seldom refuses anything, would have room for it as long as it lives.
    let mut scrap = vec![0; 4096];
    while matches!(rest.read(&mut scrap).await, Ok(read) if read > 0) {}
}

struct Lane<H> {
    protocol: &'static str,
    limit: usize,
    limits: Arc<Limits>,
    share: u32,
    of_peer: Arc<Semaphore>,
    budget: Arc<Semaphore>,
    counters: Counters,
    handler: H,
}

impl<H, F> Lane<H>
where
    H: Fn(Call) -> F + Send,
    F: Future<Output = Answer> + Send,
{
    async fn run(self, mut incoming: Incoming) {
        while self.one(&mut incoming).await {}
    }

    /// Reads and answers one request; whether the lane is good for another.
    async fn one(&self, incoming: &mut Incoming) -> bool {
        let length = match read_length(&mut incoming.stream, self.limit).await {
            Ok(Some(length)) => length,
            Ok(None) => return false,
            Err(FrameError::TooLong { .. }) => {
                self.counters.refused(Refusal::TooLarge);
                let refusal = refuse(&mut incoming.stream, Refusal::TooLarge);
                let _ = tokio::time::timeout(self.limits.transfer, refusal).await;
                return false;
            }
            Err(FrameError::Io(_)) => {
                return false;
            }
        };
        let _busy = incoming.connection.busy();
        // Held until the answer is out: a peer that does not take its answers cannot make others of them pile up.
        let bytes = u32::try_from(length).unwrap_or(u32::MAX).min(self.limits.body_bytes);
        // Refused, not left waiting: what is not read of one lane holds up the others of its connection, those being read included.
        let Ok(_share) = self.of_peer.try_acquire_many(bytes.min(self.share)) else {
            self.counters.refused(Refusal::Busy);
            let _ = tokio::time::timeout(self.limits.transfer, refuse(&mut incoming.stream, Refusal::Busy)).await;
            return false;
        };
        let Ok(_permit) = self.budget.acquire_many(bytes).await else { return false };
        let body = tokio::time::timeout(self.limits.transfer, read_body(&mut incoming.stream, length)).await;
        let Ok(Ok(body)) = body else {
            add(&self.counters.0.broken);
            return false;
        };
        let call = Call {
            peer: incoming.connection.peer,
            connection: incoming.connection.id,
            circuit: incoming.connection.circuit,
            remote: incoming.connection.remote,
            protocol: self.protocol,
            body,
        };
        let answer = tokio::time::timeout(self.limits.patience, (self.handler)(call))
            .await
            .unwrap_or(Answer::Refused(Refusal::TryLater));
        self.reply(&mut incoming.stream, answer).await
    }

    async fn reply(&self, stream: &mut Stream, answer: Answer) -> bool {
        let body = match answer {
            Answer::Body(body) => {
                add(&self.counters.0.answered);
                body
            }
            Answer::Refused(refusal) => {
                self.counters.refused(refusal);
                vec![Refusal::MARK, refusal.code()]
            }
        };
        let written = tokio::time::timeout(self.limits.transfer, write_frame(stream, &body)).await;
        matches!(written, Ok(Ok(())))
    }
}

impl Limits {
    /// Bytes that the bodies of one peer may take together: a quarter, but room for the largest.
    fn share(&self) -> u32 {
        let largest = self.protocols.iter().map(|(_, bytes)| *bytes).max().unwrap_or_default();
        (self.body_bytes / 4).max(u32::try_from(largest).unwrap_or(u32::MAX)).min(self.body_bytes)
    }

    /// The names of its protocols, so that a server's list and the behaviour's cannot differ.
    pub fn names(&self) -> Vec<&'static str> {
        self.protocols.iter().map(|(name, _)| *name).collect()
    }
}
