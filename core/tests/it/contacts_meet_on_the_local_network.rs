//! mDNS between two nodes, in a network namespace of its own whose one interface has multicast and an address of a LAN.

use std::collections::BTreeMap;
use std::process::Command;
use std::time::Duration;

use kith_core::net::{Event, Handle, Node, NodeConfig, Path, TransportKey};
use kith_core::types::DeviceId;
use tokio::sync::mpsc;

/// How long anything here may take before the test fails.
const LIMIT: Duration = Duration::from_secs(30);

/// Set in the process that runs inside the namespace.
const INSIDE: &str = "KITH_TEST_INSIDE_NAMESPACE";

const NAME: &str = "contacts_meet_on_the_local_network::contacts_find_each_other_without_a_relay_or_an_address";

/// Runs this test again in a new network namespace.
fn run_in_namespace() {
    let setup = "ip link set lo up multicast on && ip addr add 10.77.0.1/24 dev lo && ip route add 224.0.0.0/4 dev lo";
    let own = std::env::current_exe().unwrap();
    let allowed = Command::new("unshare").args(["-rn", "sh", "-c", setup]).output();
    if !allowed.as_ref().is_ok_and(|output| output.status.success()) {
        // Where the tests have to be whole, a system that refuses is a failure; at a desk it is a remark.
        let macos = cfg!(target_os = "macos");
        assert!(macos || std::env::var("CI").as_deref() != Ok("true"), "no network namespace can be made: {allowed:?}");
        eprintln!("skipped: no network namespace can be made here");
        return;
    }
    let script = format!("{setup} && exec \"$0\" --exact \"$1\" --nocapture");
    let ran = Command::new("unshare").args(["-rn", "sh", "-c", &script]).arg(own).arg(NAME).env(INSIDE, "1").status();
    assert!(ran.unwrap().success());
}

async fn device(seed: u8) -> (Handle, mpsc::Receiver<Event>) {
    let key = TransportKey::from_seed([seed; 32].into()).unwrap();
    let listen = vec!["/ip4/0.0.0.0/udp/0/quic-v1".parse().unwrap()];
    Node::start(NodeConfig { listen, mdns: true, ..NodeConfig::new(key) }).await.unwrap()
}

#[test]
fn contacts_find_each_other_without_a_relay_or_an_address() {
    if std::env::var_os(INSIDE).is_none() {
        run_in_namespace();
        return;
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let (alice, mut at_alice) = device(1).await;
        let (bob, _at_bob) = device(2).await;
        let contact = |other: &Handle| BTreeMap::from([(other.local_peer(), DeviceId::new([1; 32]))]);
        bob.set_contacts(contact(&alice)).await.unwrap();
        alice.set_contacts(contact(&bob)).await.unwrap();
        let met = async {
            loop {
                if let Event::PeerUp { peer, path, .. } = at_alice.recv().await.unwrap() {
                    return (peer, path);
                }
            }
        };
        assert_eq!(tokio::time::timeout(LIMIT, met).await.unwrap(), (bob.local_peer(), Path::Lan));
    });
}
