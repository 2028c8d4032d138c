//! Whether a connection's other end is still there, asked when the same peer has come by another one.
//!
//! Who was killed and is back has left connections behind that QUIC takes for alive until they were idle for a minute: whatever was
//! asked on them would wait, and they count against what one peer may have.

use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use futures::StreamExt as _;
use futures::future::BoxFuture;
use futures::stream::FuturesUnordered;
use libp2p::swarm::StreamProtocol;
use tokio::sync::oneshot;

use super::lane::ExchangeError;
use super::streams::{Connection, Open};

/// How long the other end may take to answer: a bad mobile link's round trip, and a repetition. What was under way there is only
/// interrupted, and asked again over the connection that was just made.
const PATIENCE: Duration = Duration::from_secs(3);

/// Nobody speaks it: that somebody says so is the answer.
const PROTOCOL: StreamProtocol = StreamProtocol::new("/kith/there/1");

/// Connections of which it is not known yet.
#[derive(Default)]
pub(super) struct Probes(FuturesUnordered<BoxFuture<'static, Option<Arc<Connection>>>>);

impl Probes {
    /// Asks.
    pub(super) fn ask(&mut self, connection: Arc<Connection>) {
        self.0.push(Box::pin(async move {
            let is_there = tokio::time::timeout(PATIENCE, answers(&connection)).await.unwrap_or(false);
            (!is_there).then_some(connection)
        }));
    }

    /// The next connection whose other end is gone.
    pub(super) fn poll_dead(&mut self, context: &mut Context<'_>) -> Poll<Arc<Connection>> {
        loop {
            match self.0.poll_next_unpin(context) {
                Poll::Ready(Some(Some(dead))) => return Poll::Ready(dead),
                Poll::Ready(Some(None)) => {}
                Poll::Ready(None) | Poll::Pending => return Poll::Pending,
            }
        }
    }
}

async fn answers(connection: &Connection) -> bool {
    let (reply, answer) = oneshot::channel();
    // A connection that ends by itself is nothing that has to be ended.
    if connection.opens.send(Open { protocol: PROTOCOL, reply }).await.is_err() {
        return true;
    }
    !matches!(answer.await, Ok(Err(ExchangeError::TimedOut)))
}
