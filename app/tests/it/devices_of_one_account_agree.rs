//! Several devices of one account: each gets every message, and all show one order, also when much happens at once.

use serde_json::Value;

use crate::world::{Outcome, Pair, Person, Relay, Running, check, new_device, person, play, sign_up, text};

/// The messages that are shown in a conversation, by their texts and ids.
async fn shown(device: &Person<'_>, with: &str) -> Outcome<Vec<(String, String)>> {
    let messages = device.all_messages(with).await?;
    let part = |message: &Value, name: &str| text(message, name).to_owned();
    Ok(messages.iter().map(|message| (part(message, "text"), part(message, "id"))).collect())
}

/// Until a device shows all of these texts with somebody, in whatever order.
async fn has_all(device: &Person<'_>, with: &str, words: &[String]) -> Outcome {
    let all = |answer: &[Value]| {
        let has = |words: &String| answer.iter().any(|message| text(message, "text") == words);
        words.iter().all(has).then_some(())
    };
    device.until(&format!("{words:?} at {}", device.name), &["history", with, "--limit", "1000"], all).await
}

/// The conversation with somebody, by its id: on every device the same.
async fn conversation(device: &Person<'_>, with: &str) -> Outcome<String> {
    let contacts = device.ask(&["contacts"]).await?;
    let found = contacts.iter().find(|contact| text(contact, "name") == with);
    Ok(found.map(|contact| text(contact, "conversation").to_owned()).unwrap_or_default())
}

/// Until a device has been added to a conversation.
async fn has_joined(device: &Person<'_>, conversation: &str) -> Outcome {
    let joined =
        |answer: &[Value]| answer.iter().any(|contact| text(contact, "conversation") == conversation).then_some(());
    device.until(&format!("the conversation at {}", device.name), &["contacts"], joined).await
}

/// Everybody writes once; then every device has all of it, in the same order.
async fn all_agree(devices: &[&Person<'_>], conversation: &str, occasion: &str) -> Outcome {
    let mut said = Vec::new();
    for device in devices {
        let words = format!("{} {occasion}", device.name);
        device.send(conversation, &words).await?;
        said.push(words);
    }
    for device in devices {
        has_all(device, conversation, &said).await?;
    }
    let mut orders = Vec::new();
    for device in devices {
        let mut order = shown(device, conversation).await?;
        // What was said before a device was added need not be on it.
        order.retain(|(words, _)| said.contains(words));
        check(order.len() == said.len(), &format!("{} shows something twice: {order:?}", device.name))?;
        orders.push((device.name, order));
    }
    for pair in orders.windows(2) {
        let [one, other] = pair else { continue };
        check(one.1 == other.1, &format!("{one:?} is not the order of {other:?}"))?;
    }
    Ok(())
}

async fn leaves(person: &Person<'_>, runs: Running) -> Outcome {
    person.ask(&["stop"]).await?;
    runs.ended().await
}

#[tokio::test]
async fn a_device_that_signs_in_and_is_gone_again_is_listed_when_the_list_is_looked_at() {
    play(async |room| {
        let relay = Relay::start(room, "relay").await?;
        let alice = sign_up(room, "alice", &relay).await?;
        let _alice_runs = alice.run().await?;
        let thief = person(room, "thief")?;
        std::fs::copy(alice.password_file(), thief.password_file())?;
        thief.ask_one(&["login", "alice", "--relay", &relay.address]).await?;
        alice.until("both devices", &["devices"], |answer| (answer.len() == 2).then_some(())).await
    })
    .await;
}

/// Until a device lists another of its account's under a name; none: as its system calls it.
async fn lists(device: &Person<'_>, name: Option<&str>) -> Outcome {
    let listed = |answer: &[Value]| {
        let other = answer.iter().find(|other| other["this"] == false && other["system"].is_string())?;
        (other["name"].as_str() == name && !text(other, "device").is_empty()).then_some(())
    };
    device.until(&format!("{name:?} at {}", device.name), &["devices"], listed).await
}

#[tokio::test]
async fn devices_of_one_account_show_what_each_other_is_called_and_contacts_are_not_told() {
    play(async |room| {
        let Pair { relay, alice, alice_runs: _alice_runs, bob, bob_runs: _bob_runs } = Pair::meet(room).await?;
        let renamed = alice.ask_one(&["devices", "rename", "Alice’s desk"]).await?;
        check(renamed["done"] == true, &format!("{renamed}"))?;
        let (phone, phone_runs) = new_device(room, "alice-phone", &alice, &relay).await?;
        tokio::try_join!(lists(&phone, Some("Alice’s desk")), lists(&alice, None))?;
        // By a process of its own, and with signs that would turn round or colour what stands beside them.
        leaves(&phone, phone_runs).await?;
        phone.ask_one(&["devices", "rename", " pho\u{202e}ne\u{1b}[31m "]).await?;
        let _phone_runs = phone.run().await?;
        lists(&alice, Some("phone[31m")).await?;
        phone.ask_one(&["devices", "rename", ""]).await?;
        lists(&alice, None).await?;
        let refused = phone.refused(&["devices", "rename", &"x".repeat(65)]).await?;
        check(refused.sentence.contains("64 characters"), &format!("{refused:?}"))?;
        for question in [&["contacts"][..], &["status"], &["history", "alice"]] {
            let told = format!("{:?}", bob.ask(question).await?);
            check(!told.contains("desk") && !told.contains("phone"), &format!("{question:?}: {told}"))?;
        }
        Ok(())
    })
    .await;
}

/// Until a device knows that its account has so many.
async fn counts_devices(device: &Person<'_>, wanted: u64) -> Outcome {
    let counted = |answer: &[Value]| (answer.first()?["devices"] == wanted).then_some(());
    device.until(&format!("{wanted} devices"), &["whoami"], counted).await
}

/// Until a conversation is read by so many devices, as one of them knows.
async fn is_read_by(device: &Person<'_>, conversation: &str, wanted: u64) -> Outcome {
    let counted = |answer: &[Value]| {
        let found = answer.iter().find(|contact| text(contact, "conversation") == conversation)?;
        (found["devices"] == wanted).then_some(())
    };
    device.until(&format!("{wanted} devices in the conversation at {}", device.name), &["contacts"], counted).await
}

#[tokio::test]
async fn a_second_device_gets_what_is_written_from_then_on_in_the_same_order() {
    play(async |room| {
        let Pair { relay, alice, alice_runs, bob, bob_runs: _bob_runs } = Pair::meet(room).await?;
        leaves(&alice, alice_runs).await?;
        let (phone, _phone_runs) = new_device(room, "alice-phone", &alice, &relay).await?;
        let _alice_runs = alice.run().await?;
        counts_devices(&alice, 2).await?;
        let (one, other) = (alice.ask_one(&["whoami"]).await?, phone.ask_one(&["whoami"]).await?);
        check(one["account"] == other["account"], "the second device is another account")?;
        check(one["device"] != other["device"], "the second device is the first")?;
        let with = conversation(&alice, "bob").await?;
        has_joined(&phone, &with).await?;
        all_agree(&[&alice, &phone, &bob], &with, "first").await?;
        all_agree(&[&bob, &phone, &alice], &with, "then").await?;
        // What one device wrote is the account's own on the other.
        let own = phone.ask(&["history", &with]).await?;
        let written = own.iter().find(|message| text(message, "text") == "alice first");
        check(written.is_some_and(|message| message["mine"] == true), &format!("it is {written:?}"))
    })
    .await;
}

#[tokio::test]
async fn devices_that_are_added_on_both_sides_at_once_end_in_one_conversation() {
    play(async |room| {
        let Pair { relay, alice, alice_runs, bob, bob_runs } = Pair::meet(room).await?;
        let with = conversation(&alice, "bob").await?;
        tokio::try_join!(leaves(&alice, alice_runs), leaves(&bob, bob_runs))?;
        let (alice_phone, _alice_phone_runs) = new_device(room, "alice-phone", &alice, &relay).await?;
        let (bob_phone, _bob_phone_runs) = new_device(room, "bob-phone", &bob, &relay).await?;
        // Both find the new devices as they start, and commit.
        let _runs = tokio::try_join!(alice.run(), bob.run())?;
        tokio::try_join!(has_joined(&alice_phone, &with), has_joined(&bob_phone, &with))?;
        let devices = [&alice, &alice_phone, &bob, &bob_phone];
        all_agree(&devices, &with, "to all").await?;
        for device in devices {
            let contacts = device.ask(&["contacts"]).await?;
            check(contacts.len() == 1, &format!("{} has several conversations: {contacts:?}", device.name))?;
        }
        Ok(())
    })
    .await;
}

/// Until somebody is a contact: their request, which may come before or after the answer to one's own, is accepted.
async fn comes_together(person: &Person<'_>, other: &str) -> Outcome {
    let accepting = async {
        let begins = format!("{other}@");
        loop {
            let asked = person.ask(&["requests"]).await?;
            if asked.iter().any(|request| text(request, "handle").starts_with(&begins)) {
                // The answer to one's own request may come in between, and with it this one is settled.
                drop(person.ask(&["accept", other]).await);
                return Outcome::Ok(());
            }
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
    };
    tokio::select! {
        outcome = accepting => outcome?,
        outcome = person.has_contact(other) => outcome?,
    }
    person.has_contact(other).await
}

#[tokio::test]
async fn two_people_who_ask_each_other_at_once_have_one_conversation() {
    play(async |room| {
        let relay = Relay::start(room, "relay").await?;
        let (alice, bob) = tokio::try_join!(sign_up(room, "alice", &relay), sign_up(room, "bob", &relay))?;
        let _runs = tokio::try_join!(alice.run(), bob.run())?;
        tokio::try_join!(alice.ask(&["add", "bob", "I ask first"]), bob.ask(&["add", "alice", "no, I do"]))?;
        tokio::try_join!(comes_together(&alice, "bob"), comes_together(&bob, "alice"))?;
        let mut found = Vec::new();
        for person in [&alice, &bob] {
            let contacts = person.ask(&["contacts"]).await?;
            check(contacts.len() == 1, &format!("{} has {contacts:?}", person.name))?;
            found.extend(contacts.iter().map(|contact| text(contact, "conversation").to_owned()));
        }
        check(found.len() == 2 && found.first() == found.last(), &format!("the conversations are {found:?}"))?;
        let with = conversation(&alice, "bob").await?;
        all_agree(&[&alice, &bob], &with, "at last").await?;
        check(shown(&alice, "bob").await? == shown(&bob, "alice").await?, "the two see different histories")
    })
    .await;
}

#[tokio::test]
async fn a_device_that_is_removed_reads_nothing_that_is_written_afterwards_and_says_so() {
    play(async |room| {
        let Pair { relay, alice, alice_runs, bob, bob_runs: _bob_runs } = Pair::meet(room).await?;
        leaves(&alice, alice_runs).await?;
        let (phone, phone_runs) = new_device(room, "alice-phone", &alice, &relay).await?;
        let _alice_runs = alice.run().await?;
        let with = conversation(&alice, "bob").await?;
        has_joined(&phone, &with).await?;
        all_agree(&[&alice, &phone, &bob], &with, "before").await?;
        let devices = alice.ask(&["devices"]).await?;
        let id_of =
            |this: bool| devices.iter().find(|device| device["this"] == this).map(|found| text(found, "device"));
        let (Some(own), Some(lost)) = (id_of(true), id_of(false)) else { return check(false, &format!("{devices:?}")) };

        let passwords = std::fs::read_to_string(alice.password_file())?;
        for (arguments, code) in [
            (&["devices", "remove", own, "--yes"][..], "this_device"),
            (&["devices", "remove", "no such device", "--yes"], "no_device"),
            (&["devices", "remove", lost], "no_terminal"),
        ] {
            let refused = alice.refused(arguments).await?;
            check(refused.code == code, &format!("{arguments:?}: {refused:?}"))?;
        }
        std::fs::write(alice.password_file(), "not the password at all")?;
        let refused = alice.refused(&["devices", "remove", lost, "--yes"]).await?;
        check(refused.code == "wrong_password", &format!("{refused:?}"))?;
        std::fs::write(alice.password_file(), passwords)?;
        counts_devices(&phone, 2).await?;
        is_read_by(&bob, &with, 3).await?;
        // It is away when it is removed, and hears of it only from the relay.
        leaves(&phone, phone_runs).await?;
        let removed = alice.ask_one(&["devices", "remove", &lost[..8], "--yes"]).await?;
        check(removed["done"] == true, &format!("{removed}"))?;
        counts_devices(&alice, 1).await?;
        // From the group's commit on nothing is sealed for it.
        tokio::try_join!(is_read_by(&alice, &with, 2), is_read_by(&bob, &with, 2))?;
        bob.send("alice", "not for the phone").await?;
        alice.reads("bob", &["not for the phone"]).await?;
        alice.send("bob", "nor this").await?;
        bob.reads("alice", &["not for the phone", "nor this"]).await?;

        let _phone_runs = phone.run().await?;
        let warning = phone.is_warned("was removed from the account").await?;
        check(warning.contains("still here"), &warning)?;
        let words = phone.whole_history(&with).await?;
        check(words.contains(&"alice before".to_owned()), &format!("it lost what it had: {words:?}"))?;
        check(
            !words.iter().any(|words| words.contains("nor this") || words.contains("not for")),
            &format!("{words:?}"),
        )?;
        let refused = phone.refused(&["send", &with, "let me in"]).await?;
        check(refused.code == "not_member", &format!("{refused:?}"))?;
        check(!bob.whole_history("alice").await?.contains(&"let me in".to_owned()), "it wrote all the same")
    })
    .await;
}
