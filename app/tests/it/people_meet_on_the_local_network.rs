//! mDNS with real processes, in a network namespace of their own whose one interface has multicast and an address of a LAN.

use std::process::Command;

use serde_json::Value;

use crate::world::{Outcome, Person, Relay, befriend, check, person, play, text};

/// Set in the process that runs inside the namespace.
const INSIDE: &str = "KITH_TEST_INSIDE_NAMESPACE";

const NAME: &str = "people_meet_on_the_local_network::who_knows_no_address_finds_a_contact_on_the_local_network";

/// Runs this test again in a new network namespace.
fn run_in_namespace() {
    let setup = "ip link set lo up multicast on && ip addr add 10.77.0.1/24 dev lo && ip route add 224.0.0.0/4 dev lo";
    let own = std::env::current_exe().unwrap();
    let allowed = Command::new("unshare").args(["-rn", "sh", "-c", setup]).output();
    if !allowed.as_ref().is_ok_and(|output| output.status.success()) {
        // Where the tests have to be whole, a system that refuses is a failure; at a desk it is a remark.
        assert!(std::env::var("CI").as_deref() != Ok("true"), "no network namespace can be made here: {allowed:?}");
        eprintln!("skipped: no network namespace can be made here");
        return;
    }
    let script = format!("{setup} && exec \"$0\" --exact \"$1\" --nocapture");
    let ran = Command::new("unshare").args(["-rn", "sh", "-c", &script]).arg(own).arg(NAME).env(INSIDE, "1").status();
    assert!(ran.unwrap().success());
}

/// With mDNS, at whatever port is free: after a restart nobody knows the address.
fn on_the_lan(person: &mut Person<'_>) {
    person.network = ["--listen", "/ip4/0.0.0.0/udp/0/quic-v1"].map(str::to_owned).into();
}

async fn is_reached_by_lan(person: &Person<'_>, other: &str) -> Outcome {
    let by_lan = |answer: &[Value]| {
        let contacts = answer.first()?["contacts"].as_array()?;
        let reach = contacts.iter().find(|reach| text(reach, "name") == other)?;
        (text(reach, "path") == "lan").then_some(())
    };
    person.until(&format!("{other} on the local network"), &["status"], by_lan).await
}

async fn story(room: &std::path::Path) -> Outcome {
    let mut relay = Relay::start(room, "relay").await?;
    let (mut alice, mut bob) = (person(room, "alice")?, person(room, "bob")?);
    for person in [&mut alice, &mut bob] {
        on_the_lan(person);
        person.ask_one(&["register", person.name, "--relay", &relay.address]).await?;
    }
    let (alice_runs, bob_runs) = tokio::try_join!(alice.run(), bob.run())?;
    befriend(&alice, &bob, "bob").await?;
    relay.kill().await?;
    for (person, runs) in [(&alice, alice_runs), (&bob, bob_runs)] {
        person.ask(&["stop"]).await?;
        runs.ended().await?;
    }
    let _runs = tokio::try_join!(alice.run(), bob.run())?;
    is_reached_by_lan(&alice, "bob").await?;
    is_reached_by_lan(&bob, "alice").await?;
    for (from, to, words) in [(&alice, &bob, "without a relay"), (&bob, &alice, "or an address")] {
        let sent = from.send(to.name, words).await?;
        to.reads(from.name, &[words]).await?;
        let route = from.learns_of_delivery(to.name, &sent).await?;
        check(route == "direct", &format!("it went by {route}"))?;
    }
    Ok(())
}

#[test]
fn who_knows_no_address_finds_a_contact_on_the_local_network() {
    if cfg!(target_os = "macos") {
        eprintln!("skipped: macOS has no network namespaces");
        return;
    }
    if std::env::var_os(INSIDE).is_none() {
        run_in_namespace();
        return;
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(play(story));
}
