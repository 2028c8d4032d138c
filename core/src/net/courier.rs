//! Requests to relays that are not ours, each relay under a throwaway key of its own, so that it does not learn who asks and
//! two relays cannot tell that it was the same.
//!
//! It does not hide our network address. Invariant: a key is used for one relay and one connection and then forgotten.

use std::collections::BTreeMap;
use std::time::Duration;

use futures::StreamExt;
use libp2p::PeerId;
use libp2p::swarm::dial_opts::{DialOpts, PeerCondition};
use libp2p::swarm::{Swarm, SwarmEvent};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::config::RelayAddress;
use super::error::NetError;
use super::exchange::{self, Lanes};
use super::transport::{self, TransportKey};
use crate::wire::codec::Body;

/// Relays that are talked to at the same time; a conversation's members have a handful.
const MAX_RELAYS: usize = 32;

/// Requests that wait for one relay.
const MAX_WAITING: usize = 64;

/// How long a connection is kept for more: long enough to do the work that a challenge asks for.
const IDLE: Duration = Duration::from_secs(60);

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(30);

struct Job {
    relay: RelayAddress,
    protocol: &'static str,
    body: Vec<u8>,
    /// The most bytes of an answer.
    limit: usize,
    reply: oneshot::Sender<Result<Vec<u8>, NetError>>,
}

/// Takes requests to foreign relays. Cheap to clone.
#[derive(Debug, Clone)]
pub(super) struct Courier {
    jobs: mpsc::Sender<Job>,
}

impl Courier {
    /// The courier, and what it has to run.
    pub(super) fn new(stop: CancellationToken) -> (Self, impl Future<Output = ()> + Send) {
        let (jobs, receiver) = mpsc::channel(MAX_WAITING);
        (Self { jobs }, distribute(receiver, stop))
    }

    pub(super) async fn ask<A: Body>(
        &self,
        relay: RelayAddress,
        protocol: &'static str,
        body: Vec<u8>,
    ) -> Result<A, NetError> {
        let (reply, answer) = oneshot::channel();
        let job = Job { relay, protocol, body, limit: A::MAX_BYTES, reply };
        self.jobs.send(job).await.map_err(|_| NetError::ShutDown)?;
        Ok(A::from_bytes(answer.await.map_err(|_| NetError::ShutDown)??)?)
    }
}

/// Gives each job to its relay's trip, and begins one where there is none.
async fn distribute(mut jobs: mpsc::Receiver<Job>, stop: CancellationToken) {
    let mut trips: BTreeMap<PeerId, mpsc::Sender<Job>> = BTreeMap::new();
    let mut running = JoinSet::new();
    loop {
        let job = tokio::select! {
            () = stop.cancelled() => break,
            Some(_) = running.join_next(), if !running.is_empty() => {
                trips.retain(|_, trip| !trip.is_closed());
                continue;
            }
            job = jobs.recv() => match job {
                Some(job) => job,
                None => break,
            },
        };
        let peer = job.relay.peer();
        // A trip that is about to end is closed: the job then goes to a new one.
        let Some(job) = hand_over(trips.get(&peer), job) else { continue };
        if running.len() >= MAX_RELAYS {
            let _ = job.reply.send(Err(NetError::Busy));
            continue;
        }
        let relay = job.relay.clone();
        let (sender, receiver) = mpsc::channel(MAX_WAITING);
        if hand_over(Some(&sender), job).is_none() {
            trips.insert(peer, sender);
            running.spawn(travel(relay, receiver));
        }
    }
}

/// Gives the job to the trip, or gives it back when there is none.
fn hand_over(trip: Option<&mpsc::Sender<Job>>, job: Job) -> Option<Job> {
    match trip.map(|trip| trip.clone().try_reserve_owned()) {
        Some(Ok(permit)) => {
            permit.send(job);
            None
        }
        Some(Err(mpsc::error::TrySendError::Full(_))) => {
            let _ = job.reply.send(Err(NetError::Busy));
            None
        }
        Some(Err(mpsc::error::TrySendError::Closed(_))) | None => Some(job),
    }
}

/// One connection to one relay, under a key of its own, for as long as there is something to ask.
async fn travel(relay: RelayAddress, mut jobs: mpsc::Receiver<Job>) {
    let connected = match build() {
        Ok((swarm, lanes)) => connect(swarm, &relay).await.map(|swarm| (swarm, lanes)),
        Err(error) => Err(error),
    };
    let (mut swarm, lanes) = match connected {
        Ok(connected) => connected,
        Err(error) => {
            jobs.close();
            while let Some(job) = jobs.recv().await {
                let _ = job.reply.send(Err(error.clone()));
            }
            return;
        }
    };
    let mut asking = JoinSet::new();
    let mut lost = false;
    loop {
        tokio::select! {
            job = jobs.recv() => match job {
                Some(job) => {
                    asking.spawn(ask(lanes.clone(), relay.peer(), job));
                }
                None if asking.is_empty() => break,
                None => {
                    asking.join_next().await;
                }
            },
            Some(_) = asking.join_next(), if !asking.is_empty() => {}
            event = swarm.select_next_some(), if !lost => {
                if let SwarmEvent::ConnectionClosed { num_established: 0, .. } = event {
                    lost = true;
                    jobs.close();
                }
            }
            () = tokio::time::sleep(IDLE), if asking.is_empty() && !jobs.is_closed() => jobs.close(),
        }
    }
}

async fn ask(lanes: Lanes, relay: PeerId, job: Job) {
    let answer = lanes.request(&relay, job.protocol, &job.body, job.limit, PATIENCE).await;
    let _ = job.reply.send(answer.map_err(|error| NetError::of_exchange(error, job.protocol, job.limit)));
}

type CourierSwarm = Swarm<exchange::Behaviour>;

fn build() -> Result<(CourierSwarm, Lanes), NetError> {
    let (behaviour, lanes, _) = exchange::Behaviour::new(&[], true);
    let key = TransportKey::throwaway();
    Ok((transport::swarm(&key, transport::base(&key, transport::Role::Device)?, behaviour, IDLE), lanes))
}

async fn connect(mut swarm: CourierSwarm, relay: &RelayAddress) -> Result<CourierSwarm, NetError> {
    let dial =
        DialOpts::peer_id(relay.peer()).condition(PeerCondition::Always).addresses(relay.addresses().to_vec()).build();
    swarm.dial(dial).map_err(|error| NetError::of_dial(relay.peer(), &error))?;
    loop {
        match swarm.select_next_some().await {
            SwarmEvent::ConnectionEstablished { .. } => return Ok(swarm),
            SwarmEvent::OutgoingConnectionError { error, .. } => {
                return Err(NetError::of_dial(relay.peer(), &error));
            }
            _ => {}
        }
    }
}
