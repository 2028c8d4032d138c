//! A whole relay: server and node on loopback, with limits that a bench does not reach.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

use kith_relay::attach::attach_node;
use kith_relay::config::Config;
use kith_relay::domain::{Limits, Rate};
use kith_relay::server::Server;
use serde::{Deserialize, Serialize};

use crate::Failure;
use crate::process::{Actor, answer, told};

#[derive(Debug, Serialize, Deserialize)]
struct Begin {
    dir: PathBuf,
    circuits: bool,
}

/// A relay in a process of its own.
pub(crate) struct Relay {
    pub(crate) actor: Actor,
    /// Its addresses, with commas between.
    pub(crate) address: String,
}

impl Relay {
    /// Starts one and waits until it listens.
    pub(crate) fn start(dir: &Path) -> Result<Self, Failure> {
        Self::start_with(dir, true)
    }

    /// Starts one that carries nothing but mail.
    pub(crate) fn start_without_circuits(dir: &Path) -> Result<Self, Failure> {
        Self::start_with(dir, false)
    }

    fn start_with(dir: &Path, circuits: bool) -> Result<Self, Failure> {
        let mut actor = Actor::start("relay")?;
        let address = actor.ask(&Begin { dir: dir.to_owned(), circuits })?;
        Ok(Self { actor, address })
    }
}

/// Plays the relay.
pub(crate) async fn play() -> Result<(), Failure> {
    let Some(Begin { dir, circuits }) = told().await? else { return Ok(()) };
    let mut config = config(&dir);
    if !circuits {
        config.max_circuits = 0;
    }
    let mut server = Server::bind(config).await?;
    let node = attach_node(&mut server).await?;
    let addresses: Vec<String> = node.addresses().iter().map(ToString::to_string).collect();
    answer(Ok(addresses.join(",")))?;
    while told::<serde_json::Value>().await?.is_some() {}
    server.shutdown().await;
    Ok(())
}

/// Loopback only, ports that the system chooses.
pub(crate) fn config(dir: &Path) -> Config {
    let mut config = Config::embedded(dir.to_owned());
    config.listen = vec!["/ip4/127.0.0.1/udp/0/quic-v1".into(), "/ip4/127.0.0.1/tcp/0".into()];
    config.http_listen = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    config.settings.limits = unlimited();
    config
}

fn unlimited() -> Limits {
    let rate = Rate { burst: u32::MAX / 4, per_minute: 60_000_000 };
    Limits {
        requests_rate: rate,
        address_rate: rate,
        deposits_rate: rate,
        register_rate: rate,
        login_address_rate: rate,
        contact_rate: rate,
        put_address_rate: rate,
        create_log_rate: rate,
        mailbox_envelopes: 1 << 40,
        mailbox_bytes: 1 << 40,
        ..Limits::default()
    }
}
