//! A relay that shows an older record than it showed before, or another version of its log, is noticed and named.

use std::path::Path;

use serde_json::Value;

use crate::world::{
    Outcome, Pair, Person, Relay, Running, befriend, check, copy_directory, new_device, play, sign_up, text,
};

/// Keeps all that a relay knows now, which it may later go on from as if nothing had been since.
async fn remember(relay: &mut Relay<'_>, copy: &Path) -> Outcome {
    relay.terminate().await?;
    copy_directory(&relay.data(), copy)?;
    relay.restart().await
}

/// The relay goes back to what it knew, without saying so.
async fn forget_since(relay: &mut Relay<'_>, copy: &Path) -> Outcome {
    relay.terminate().await?;
    std::fs::remove_dir_all(relay.data())?;
    copy_directory(copy, &relay.data())?;
    relay.restart().await
}

/// Starts a new device of somebody, then the one that adds it to its conversations.
async fn add_device(
    room: &Path,
    name: &'static str,
    to: &Person<'_>,
    relay: &Relay<'_>,
) -> Outcome<(Person<'static>, [Running; 2])> {
    let (device, new) = new_device(room, name, to, relay).await?;
    Ok((device, [new, to.run().await?]))
}

async fn is_online(person: &Person<'_>) -> Outcome {
    let there = |answer: &[Value]| (answer.first()?["relay_connected"] == true).then_some(());
    person.until("the relay", &["status"], there).await
}

/// What is left when a relay has gone back behind a phone of Alice's that Bob has heard from: nothing of hers runs.
struct Forgotten<'a> {
    relay: Relay<'a>,
    alice: Person<'static>,
    phone: Person<'static>,
    bob: Person<'static>,
    _bob_runs: Running,
    /// The conversation.
    with: String,
}

async fn forget_a_phone(room: &Path) -> Outcome<Forgotten<'_>> {
    let Pair { mut relay, alice, alice_runs, bob, bob_runs } = Pair::meet(room).await?;
    alice.ask(&["stop"]).await?;
    alice_runs.ended().await?;
    let before = room.join("before");
    remember(&mut relay, &before).await?;
    is_online(&bob).await?;
    let (phone, [phone_runs, alice_runs]) = add_device(room, "alice-phone", &alice, &relay).await?;
    let contacts = bob.ask(&["contacts"]).await?;
    let with = contacts.first().map(|contact| text(contact, "conversation").to_owned()).unwrap_or_default();
    let joined = |answer: &[Value]| answer.iter().any(|contact| text(contact, "conversation") == with).then_some(());
    phone.until("the conversation", &["contacts"], joined).await?;
    // Bob has seen the newer record once a message of the new device has come.
    phone.send(&with, "from my phone").await?;
    bob.reads("alice", &["from my phone"]).await?;
    // They would put the newest record there again.
    for (device, runs) in [(&phone, phone_runs), (&alice, alice_runs)] {
        device.ask(&["stop"]).await?;
        runs.ended().await?;
    }
    forget_since(&mut relay, &before).await?;
    is_online(&bob).await?;
    Ok(Forgotten { relay, alice, phone, bob, _bob_runs: bob_runs, with })
}

#[tokio::test]
async fn a_relay_that_shows_an_older_record_than_is_known_is_named() {
    play(async |room| {
        let Forgotten { bob, relay: _relay, _bob_runs, .. } = forget_a_phone(room).await?;
        bob.ask(&["add", "alice", "is it you?"]).await.ok();
        let warning = bob.is_warned("old record").await?;
        check(warning.contains("alice"), &format!("it does not say whose: {warning}"))
    })
    .await;
}

#[tokio::test]
async fn a_relay_that_shows_another_record_of_the_same_version_is_named_and_not_believed() {
    play(async |room| {
        let Forgotten { relay, alice, phone, bob, _bob_runs, with } = forget_a_phone(room).await?;
        // The relay knows nothing of the phone any more, and takes another second record: with a tablet.
        let (_tablet, tablet_runs) = new_device(room, "alice-tablet", &alice, &relay).await?;
        bob.ask(&["add", "alice", "is it you?"]).await.ok();
        let warning = bob.is_warned("two different records").await?;
        check(warning.contains("alice"), &format!("it does not say whose: {warning}"))?;
        tablet_runs.kill().await?;
        // The record that was seen first is the one that counts: the phone is heard as before.
        let _phone_runs = phone.run().await?;
        let sent = phone.ask_one(&["send", &with, "it is still me", "--wait", "45"]).await?;
        check(!text(&sent, "state").is_empty(), &format!("it was not kept: {sent}"))?;
        bob.reads("alice", &["from my phone", "it is still me"]).await
    })
    .await;
}

#[tokio::test]
async fn a_relay_that_shows_two_versions_of_its_log_is_named() {
    play(async |room| {
        let Pair { mut relay, alice, alice_runs, bob, bob_runs } = Pair::meet(room).await?;
        let contacts = bob.ask(&["contacts"]).await?;
        let with = contacts.first().map(|contact| text(contact, "conversation").to_owned()).unwrap_or_default();
        let joined =
            |answer: &[Value]| answer.iter().any(|contact| text(contact, "conversation") == with).then_some(());
        for (person, runs) in [(&alice, alice_runs), (&bob, bob_runs)] {
            person.ask(&["stop"]).await?;
            runs.ended().await?;
        }
        let before = room.join("before");
        remember(&mut relay, &before).await?;

        // While Alice is away a device of Bob is added: one version of what comes next in the log.
        let (bob_phone, [phone_runs, bob_runs]) = add_device(room, "bob-phone", &bob, &relay).await?;
        bob_phone.until("the conversation", &["contacts"], joined).await?;
        for (device, runs) in [(&bob_phone, phone_runs), (&bob, bob_runs)] {
            device.ask(&["stop"]).await?;
            runs.ended().await?;
        }

        // While Bob is away the relay forgets it, and a device of Alice is added: the other version.
        forget_since(&mut relay, &before).await?;
        let (alice_phone, _runs) = add_device(room, "alice-phone", &alice, &relay).await?;
        alice_phone.until("the conversation", &["contacts"], joined).await?;

        let _bob_runs = bob.run().await?;
        let warning = bob.is_warned("two versions of its log").await?;
        check(warning.contains("alice"), &format!("it does not say which conversation: {warning}"))
    })
    .await;
}

#[tokio::test]
async fn a_home_that_lost_the_log_of_a_conversation_is_named() {
    play(async |room| {
        let mut relay = Relay::start(room, "relay").await?;
        let (alice, bob) = tokio::try_join!(sign_up(room, "alice", &relay), sign_up(room, "bob", &relay))?;
        let (phone, _phone_runs) = new_device(room, "bob-phone", &bob, &relay).await?;
        let before = room.join("before");
        remember(&mut relay, &before).await?;
        let _runs = tokio::try_join!(alice.run(), bob.run())?;
        befriend(&alice, &bob, "bob").await?;
        // Whoever was added by a commit has it from the log.
        phone.has_contact("alice").await?;
        alice.send("bob", "before").await?;
        phone.reads("alice", &["before"]).await?;
        forget_since(&mut relay, &before).await?;
        let lost = "has lost its log";
        let warned = tokio::select! {
            at_alice = alice.is_warned(lost) => at_alice?,
            at_bob = bob.is_warned(lost) => at_bob?,
            at_phone = phone.is_warned(lost) => at_phone?,
        };
        check(warned.contains("Messages flow"), &warned)?;
        alice.send("bob", "after").await?;
        phone.reads("alice", &["before", "after"]).await
    })
    .await;
}
