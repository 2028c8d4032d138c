//! The threads of a node, in a runtime of their own: so that its sockets end when it does.
//!
//! quinn lets go of a QUIC socket only when the last of its connections has drained, in a task of its own that nobody else can end.
//! That takes three probe timeouts (RFC 9000 §10.2), and with quinn 0.11 the whole idle timeout for a connection whose very first
//! packet closed it, as it comes from a device whose dial over TCP was faster. A runtime that is shut down drops all its tasks.

use std::io::{self, ErrorKind};
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use kith_core::net::Multiaddr;
use libp2p::multiaddr::Protocol;
use tokio::runtime::{Builder, Handle, Runtime};

/// How long the end may wait for the ports to be free: dropping tasks takes milliseconds on an idle machine.
const PATIENCE: Duration = Duration::from_secs(2);

/// Between looks at a port.
const LOOK: Duration = Duration::from_millis(2);

/// They end when this is dropped.
#[derive(Debug)]
pub(super) struct Threads {
    handle: Handle,
    runtime: Mutex<Option<Runtime>>,
}

impl Threads {
    pub(super) fn start() -> io::Result<Self> {
        let runtime = Builder::new_multi_thread().thread_name("relay-node").enable_all().build()?;
        Ok(Self { handle: runtime.handle().clone(), runtime: Mutex::new(Some(runtime)) })
    }

    pub(super) fn handle(&self) -> &Handle {
        &self.handle
    }

    /// Drops all tasks, and waits until the UDP ports of these addresses can be bound. A port that another has taken since is not
    /// waited for much longer.
    pub(super) async fn end(&self, listened: &[Multiaddr]) {
        self.drop_tasks();
        let _ = tokio::time::timeout(PATIENCE, until_free(listened)).await;
    }

    fn drop_tasks(&self) {
        if let Some(runtime) = self.runtime.lock().unwrap_or_else(PoisonError::into_inner).take() {
            runtime.shutdown_background();
        }
    }
}

impl Drop for Threads {
    fn drop(&mut self) {
        self.drop_tasks();
    }
}

async fn until_free(listened: &[Multiaddr]) {
    for address in listened.iter().filter_map(udp) {
        while matches!(UdpSocket::bind(address), Err(error) if error.kind() == ErrorKind::AddrInUse) {
            tokio::time::sleep(LOOK).await;
        }
    }
}

fn udp(address: &Multiaddr) -> Option<SocketAddr> {
    let mut parts = address.iter();
    let host = match parts.next()? {
        Protocol::Ip4(host) => IpAddr::V4(host),
        Protocol::Ip6(host) => IpAddr::V6(host),
        _ => return None,
    };
    match parts.next()? {
        Protocol::Udp(port) => Some(SocketAddr::new(host, port)),
        _ => None,
    }
}
