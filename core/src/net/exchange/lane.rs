//! The side that asks.

use std::sync::Arc;
use std::time::Duration;

use libp2p::PeerId;
use libp2p::swarm::{Stream, StreamProtocol};
use tokio::sync::oneshot;

use super::Refusal;
use super::frame::{FrameError, read_frame, write_frame};
use super::streams::{Connection, Connections, Open, lock};

/// Why a request has no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ExchangeError {
    /// There is no connection to the peer.
    #[error("not connected")]
    NotConnected,
    /// The peer does not speak the protocol.
    #[error("the other side does not speak this protocol")]
    Unsupported,
    /// The connection or the lane broke: the request may or may not have been done.
    #[error("the connection broke during the request, which may or may not have been done")]
    Interrupted,
    /// No answer in time: the request may or may not have been done.
    #[error("no answer in time; the request may or may not have been done")]
    TimedOut,
    /// The answer is longer than its kind may be.
    #[error("the answer is too long: {announced} bytes")]
    AnswerTooLong {
        /// Bytes announced.
        announced: usize,
    },
    /// It was refused unseen.
    #[error(transparent)]
    Refused(#[from] Refusal),
}

/// Asks peers that are connected. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Lanes {
    connections: Connections,
}

impl Lanes {
    pub(super) fn new(connections: Connections) -> Self {
        Self { connections }
    }

    /// Whether there is a connection to the peer, and if so whether every one of them is a circuit.
    pub fn connected(&self, peer: &PeerId) -> Option<bool> {
        lock(&self.connections).get(peer).map(|connections| connections.iter().all(|connection| connection.circuit))
    }

    /// How many peers are connected.
    pub fn peers(&self) -> usize {
        lock(&self.connections).len()
    }

    /// Asks a connected peer, over a direct connection if there is one, and waits for its answer of at most `limit` bytes.
    /// Requests beyond sixteen on a connection wait their turn, within `patience`.
    ///
    /// # Errors
    /// [`ExchangeError`]; after `Interrupted` and `TimedOut` nobody knows whether it was done.
    pub async fn request(
        &self,
        peer: &PeerId,
        protocol: &'static str,
        body: &[u8],
        limit: usize,
        patience: Duration,
    ) -> Result<Vec<u8>, ExchangeError> {
        let connection = self.best(peer).ok_or(ExchangeError::NotConnected)?;
        tokio::time::timeout(patience, ask(&connection, protocol, body, limit))
            .await
            .unwrap_or(Err(ExchangeError::TimedOut))
    }

    /// The newest direct connection, else the newest circuit.
    fn best(&self, peer: &PeerId) -> Option<Arc<Connection>> {
        let connections = lock(&self.connections);
        let of_peer = connections.get(peer)?;
        of_peer.iter().rev().find(|connection| !connection.circuit).or(of_peer.last()).map(Arc::clone)
    }
}

async fn ask(
    connection: &Arc<Connection>,
    protocol: &'static str,
    body: &[u8],
    limit: usize,
) -> Result<Vec<u8>, ExchangeError> {
    let _busy = connection.busy();
    let _turn = connection.turns.acquire().await.map_err(|_| ExchangeError::Interrupted)?;
    let mut stream = match take_idle(connection, protocol) {
        Some(stream) => stream,
        None => open(connection, protocol).await?,
    };
    // A server may refuse a body while it is still being sent: what it said counts, not that it stopped reading.
    let written = write_frame(&mut stream, body).await;
    let answer = match read_frame(&mut stream, limit).await {
        Ok(Some(answer)) => answer,
        Ok(None) | Err(FrameError::Io(_)) => return Err(ExchangeError::Interrupted),
        Err(FrameError::TooLong { announced, .. }) => return Err(ExchangeError::AnswerTooLong { announced }),
    };
    if let [Refusal::MARK, code, ..] = answer.as_slice() {
        return Err(Refusal::from_code(*code).into());
    }
    if written.is_ok() {
        lock(&connection.idle).entry(protocol).or_default().push(stream);
    }
    Ok(answer)
}

fn take_idle(connection: &Connection, protocol: &'static str) -> Option<Stream> {
    lock(&connection.idle).get_mut(protocol)?.pop()
}

async fn open(connection: &Connection, protocol: &'static str) -> Result<Stream, ExchangeError> {
    let (reply, opened) = oneshot::channel();
    let open = Open { protocol: StreamProtocol::new(protocol), reply };
    connection.opens.send(open).await.map_err(|_| ExchangeError::Interrupted)?;
    opened.await.map_err(|_| ExchangeError::Interrupted)?
}
