//! What people at both ends see, with real processes: away, without a relay, at two relays, strangers, and a second device.

use crate::world::{Pair, Relay, befriend, check, play, sign_up, text};

#[tokio::test]
async fn messages_to_somebody_who_is_away_wait_in_the_mailbox_and_arrive_in_order() {
    play(async |room| {
        let Pair { relay: _relay, alice, alice_runs: _alice_runs, bob, bob_runs } = Pair::meet(room).await?;
        bob.ask(&["stop"]).await?;
        bob_runs.ended().await?;
        let words = ["one, while you are away", "two, after it", "three, and the last"];
        let mut sent = Vec::new();
        for words in words {
            let message = alice.send("bob", words).await?;
            let (state, route) = (text(&message, "state"), text(&message, "route"));
            check((state, route) == ("sent", "mailbox"), &format!("it is {state}, by {route}"))?;
            sent.push(message);
        }
        let _bob_runs = bob.run().await?;
        bob.reads("alice", &words).await?;
        let shown = bob.whole_history("alice").await?;
        check(shown == ["hello", words[0], words[1], words[2]], &format!("Bob sees {shown:?}"))?;
        for message in &sent {
            alice.learns_of_delivery("bob", message).await?;
        }
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn with_both_and_the_relay_up_messages_go_directly() {
    play(async |room| {
        let Pair { relay, alice, alice_runs: _alice_runs, bob, bob_runs: _bob_runs } = Pair::meet(room).await?;
        alice.is_connected_to("bob").await?;
        bob.is_connected_to("alice").await?;
        let taken = "kith_relay_deposits_total{result=\"taken\"}";
        let before = relay.counted(taken)?;
        for (from, to, words) in [(&alice, &bob, "straight to you"), (&bob, &alice, "and straight back")] {
            let sent = from.send(to.name, words).await?;
            to.reads(from.name, &[words]).await?;
            let route = from.learns_of_delivery(to.name, &sent).await?;
            check(route == "direct", &format!("it went by {route}"))?;
        }
        let status = alice.ask_one(&["status"]).await?;
        check(status["relay_connected"] == true, &format!("the relay was away: {status}"))?;
        check(relay.counted(taken)? == before, "something went by the mailbox too")
    })
    .await;
}

#[tokio::test]
async fn with_the_relay_down_devices_that_have_met_talk_directly() {
    play(async |room| {
        let Pair { mut relay, alice, alice_runs, bob, bob_runs } = Pair::meet(room).await?;
        alice.is_connected_to("bob").await?;
        bob.is_connected_to("alice").await?;
        relay.kill().await?;
        for (from, to, words) in [(&alice, &bob, "the relay is gone"), (&bob, &alice, "and we are not")] {
            let sent = from.send(to.name, words).await?;
            to.reads(from.name, &[words]).await?;
            let route = from.learns_of_delivery(to.name, &sent).await?;
            check(route == "direct", &format!("it went by {route}"))?;
        }
        // Both begin again, and nobody tells them where the other is.
        for (person, runs) in [(&alice, alice_runs), (&bob, bob_runs)] {
            person.ask(&["stop"]).await?;
            runs.ended().await?;
        }
        let (_alice_runs, _bob_runs) = tokio::try_join!(alice.run(), bob.run())?;
        for (from, to, words) in [(&bob, &alice, "still no relay"), (&alice, &bob, "and still here")] {
            let sent = from.send(to.name, words).await?;
            to.reads(from.name, &[words]).await?;
            from.learns_of_delivery(to.name, &sent).await?;
        }
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn people_at_two_relays_write_to_each_other_and_mail_waits_at_the_recipients() {
    play(async |room| {
        let (one, two) = tokio::try_join!(Relay::start(room, "one"), Relay::start(room, "two"))?;
        let (alice, bob) = tokio::try_join!(sign_up(room, "alice", &one), sign_up(room, "bob", &two))?;
        let (_alice_runs, bob_runs) = tokio::try_join!(alice.run(), bob.run())?;
        befriend(&alice, &bob, &format!("bob@{}", two.address)).await?;
        for (from, to, words) in [(&alice, &bob, "from one to two"), (&bob, &alice, "from two to one")] {
            let sent = from.send(to.name, words).await?;
            to.reads(from.name, &[words]).await?;
            from.learns_of_delivery(to.name, &sent).await?;
        }
        bob.ask(&["stop"]).await?;
        bob_runs.ended().await?;
        // Alice's own relay has no part in it.
        let mut one = one;
        one.kill().await?;
        let sent = alice.send("bob", "for your return").await?;
        check(text(&sent, "route") == "mailbox", &format!("it went otherwise: {sent}"))?;
        let _bob_runs = bob.run().await?;
        bob.reads("alice", &["from one to two", "from two to one", "for your return"]).await?;
        alice.learns_of_delivery("bob", &sent).await?;
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn a_link_makes_people_at_two_relays_contacts() {
    play(async |room| {
        let (one, two) = tokio::try_join!(Relay::start(room, "one"), Relay::start(room, "two"))?;
        let (alice, bob) = tokio::try_join!(sign_up(room, "alice", &one), sign_up(room, "bob", &two))?;
        let (_alice_runs, _bob_runs) = tokio::try_join!(alice.run(), bob.run())?;
        let invited = bob.ask_one(&["invite"]).await?;
        let link = text(&invited, "link");
        check(link.starts_with("kith://"), &format!("no link: {link}"))?;
        befriend(&alice, &bob, link).await?;
        alice.send("bob", "by your link").await?;
        bob.reads("alice", &["by your link"]).await
    })
    .await;
}

#[tokio::test]
async fn whoever_is_blocked_gets_no_receipt_of_what_was_on_its_way() {
    play(async |room| {
        let Pair { relay, alice, alice_runs: _alice_runs, bob, bob_runs } = Pair::meet(room).await?;
        let carol = sign_up(room, "carol", &relay).await?;
        let _carol_runs = carol.run().await?;
        befriend(&carol, &bob, "bob").await?;
        bob.ask(&["stop"]).await?;
        bob_runs.ended().await?;

        let on_its_way = alice.send("bob", "are you there?").await?;
        bob.ask(&["--no-sync", "block", "alice"]).await?;
        let after_it = carol.send("bob", "I am here").await?;
        let _bob_runs = bob.run().await?;
        // What Carol wrote lies behind it in the mailbox: once her receipt has come, Alice's would have.
        bob.reads("carol", &["I am here"]).await?;
        carol.learns_of_delivery("bob", &after_it).await?;
        let shown = bob.whole_history("alice").await?;
        check(!shown.iter().any(|words| words == "are you there?"), &format!("Bob sees {shown:?}"))?;
        let history = alice.ask(&["history", "bob"]).await?;
        let state = history.iter().find(|message| message["id"] == on_its_way["id"]);
        let state = state.map(|message| text(message, "state")).unwrap_or("gone");
        check(state == "sent", &format!("a receipt has come: it is {state}"))
    })
    .await;
}

#[tokio::test]
async fn a_stranger_only_asks_and_who_is_blocked_does_not_arrive() {
    play(async |room| {
        let relay = Relay::start(room, "relay").await?;
        let (alice, bob) = tokio::try_join!(sign_up(room, "alice", &relay), sign_up(room, "bob", &relay))?;
        let (_alice_runs, bob_runs) = tokio::try_join!(alice.run(), bob.run())?;

        alice.ask(&["add", "bob", "may I?"]).await?;
        let request = bob.is_asked_by("alice").await?;
        check(text(&request, "text") == "may I?", &format!("the request says {request}"))?;
        let early = alice.refused(&["send", "bob", "before the answer", "--wait", "0"]).await?;
        check((early.exit, early.code.as_str()) == (Some(1), "not_accepted"), &format!("it was {early:?}"))?;
        let contacts = bob.ask(&["contacts"]).await?;
        check(contacts.is_empty(), &format!("a request made a contact: {contacts:?}"))?;
        check(bob.refused(&["history", "alice"]).await?.exit == Some(1), "a request has a history")?;

        bob.ask(&["accept", "alice"]).await?;
        alice.has_contact("bob").await?;
        let sent = alice.send("bob", "thank you").await?;
        bob.reads("alice", &["may I?", "thank you"]).await?;
        alice.learns_of_delivery("bob", &sent).await?;

        bob.ask(&["block", "alice"]).await?;
        let contacts = bob.ask(&["contacts"]).await?;
        check(contacts.first().is_some_and(|contact| contact["state"] == "blocked"), &format!("it is {contacts:?}"))?;
        // The device refuses what comes straight to it: once the attempt is over, nothing has left.
        let output = alice.kith().args(["send", "bob", "can you hear me?", "--wait", "3"]).output().await?;
        check(output.status.code() == Some(3), &format!("it left: {}", String::from_utf8_lossy(&output.stdout)))?;
        // And so does the relay, for which the token that Alice was given is worth nothing any more.
        bob.ask(&["stop"]).await?;
        bob_runs.ended().await?;
        let refused = "kith_relay_deposits_total{result=\"forbidden\"}";
        let before = relay.counted(refused)?;
        let output = alice.kith().args(["send", "bob", "nor by mail?", "--wait", "3"]).output().await?;
        check(output.status.code() == Some(3), &format!("it left: {}", String::from_utf8_lossy(&output.stdout)))?;
        check(relay.counted(refused)? > before, "the relay did not refuse a deposit")?;
        check(relay.counted("kith_relay_waiting_envelopes")? == 0, "something waits for Bob at the relay")?;

        // When Bob takes it back, both are contacts as before; only now can anything arrive, and receipts leave.
        let _bob_runs = bob.run().await?;
        let shown = bob.whole_history("alice").await?;
        check(shown == ["may I?", "thank you"], &format!("Bob sees {shown:?}"))?;
        let history = alice.ask(&["history", "bob"]).await?;
        for unheard in ["can you hear me?", "nor by mail?"] {
            let state = history.iter().find(|message| text(message, "text") == unheard);
            let state = state.map(|message| text(message, "state")).unwrap_or("not written");
            check(state == "queued", &format!("{unheard:?} is {state}"))?;
        }
        bob.ask(&["unblock", "alice"]).await?;
        let sent = bob.send("alice", "I am back").await?;
        bob.learns_of_delivery("alice", &sent).await?;
        let sent = alice.send("bob", "so am I").await?;
        bob.reads("alice", &["so am I"]).await?;
        alice.learns_of_delivery("bob", &sent).await?;
        Ok(())
    })
    .await;
}
