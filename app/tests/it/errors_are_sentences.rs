//! What goes wrong has a word for programs and a sentence for people, and harms nothing.

use std::net::UdpSocket;
use std::path::Path;

use crate::world::{Failure, Outcome, Person, Refused, Relay, check, copy_directory, person, play, sign_up};

/// Another relay's key: of the right form, and wrong.
const OTHER_KEY: &str = "12D3KooWEyoppNCUx8Yx66oV9fJnriXwCcXwDDUA2kj6vnc6iDEp";

fn is_sentence(refused: &Refused, code: &str) -> Outcome {
    check(refused.exit == Some(1), &format!("{code}: the exit code is {:?}", refused.exit))?;
    check(refused.code == code, &format!("{code}: it was {refused:?}"))?;
    let words = refused.sentence.split_whitespace().count();
    check(words >= 4 && !refused.sentence.contains('\n'), &format!("that is no sentence: {refused:?}"))?;
    check(!refused.sentence.contains("Error"), &format!("that is for programmers: {refused:?}"))
}

/// Who could not sign up or log in leaves nothing behind.
async fn fails_to_join(newcomer: &Person<'_>, room: &Path, arguments: &[&str], code: &str) -> Outcome {
    is_sentence(&newcomer.refused(arguments).await?, code)?;
    check(!room.join(newcomer.name).exists(), &format!("{code}: a profile was left behind"))
}

#[tokio::test]
async fn whoever_cannot_sign_up_or_log_in_is_told_why() {
    play(async |room| {
        let mut relay = Relay::start(room, "relay").await?;
        let alice = sign_up(room, "alice", &relay).await?;
        let newcomer = person(room, "newcomer")?;
        let address = relay.address.clone();
        let address = address.as_str();

        fails_to_join(&newcomer, room, &["login", "alice", "--relay", address], "wrong_password").await?;
        fails_to_join(&newcomer, room, &["login", "nobody", "--relay", address], "wrong_password").await?;
        fails_to_join(&newcomer, room, &["register", "alice", "--relay", address], "handle_taken").await?;
        fails_to_join(&newcomer, room, &["register", "ALICE", "--relay", address], "handle_taken").await?;
        for malformed in ["al", "al ice", "a@b", ".alice."] {
            fails_to_join(&newcomer, room, &["register", malformed, "--relay", address], "handle").await?;
        }
        let wrong_key = address.split("/p2p/").next().map(|place| format!("{place}/p2p/{OTHER_KEY}"));
        let wrong_key = wrong_key.unwrap_or_default();
        fails_to_join(&newcomer, room, &["register", "newcomer", "--relay", &wrong_key], "wrong_relay_key").await?;
        fails_to_join(&newcomer, room, &["register", "newcomer", "--relay", "relay.example"], "address").await?;

        let weak = person(room, "weak")?;
        for password in ["short", "password", "aaaaaaaaaaaa", "weak1234"] {
            std::fs::write(weak.password_file(), password)?;
            fails_to_join(&weak, room, &["register", "weak", "--relay", address], "weak_password").await?;
        }

        let nobody = alice.refused(&["add", "nobody"]).await?;
        is_sentence(&nobody, "not_found")?;
        is_sentence(&alice.refused(&["add", "nobody@elsewhere"]).await?, "unknown_relay")?;
        is_sentence(&alice.refused(&["--no-sync", "send", "nobody", "hello"]).await?, "nobody")?;

        relay.kill().await?;
        fails_to_join(&newcomer, room, &["register", "newcomer", "--relay", address], "relay_unreachable").await?;
        // A port on which somebody else listens, who says nothing.
        let silent = UdpSocket::bind("127.0.0.1:0")?;
        let silent = format!("/ip4/127.0.0.1/udp/{}/quic-v1/p2p/{OTHER_KEY}", silent.local_addr()?.port());
        fails_to_join(&newcomer, room, &["login", "newcomer", "--relay", &silent], "relay_unreachable").await
    })
    .await;
}

#[tokio::test]
async fn a_profile_that_cannot_be_opened_stays_what_it_is() {
    play(async |room| {
        let alice = person(room, "alice")?;
        alice.ask_one(&["register", "--local"]).await?;
        let me = alice.ask_one(&["whoami"]).await?;
        is_sentence(&alice.refused(&["register", "--local"]).await?, "profile_exists")?;

        let runs = alice.run().await?;
        is_sentence(&alice.refused(&["run"]).await?, "profile_open")?;
        alice.ask(&["stop"]).await?;
        runs.ended().await?;

        let password = std::fs::read(alice.password_file())?;
        std::fs::write(alice.password_file(), "not the passphrase of Alice")?;
        is_sentence(&alice.refused(&["whoami"]).await?, "wrong_passphrase")?;
        std::fs::write(alice.password_file(), &password)?;

        let profile = room.join("alice");
        let store = profile.join("store");
        let aside = room.join("aside");
        for part in ["data", "marker"] {
            let found = store.join(part);
            check(found.exists(), &format!("the store has no {part}"))?;
        }
        std::fs::rename(store.join("data"), &aside)?;
        let missing = alice.refused(&["whoami"]).await?;
        is_sentence(&missing, "store")?;
        check(missing.sentence.contains("missing"), &format!("it says {missing:?}"))?;
        is_sentence(&alice.refused(&["register", "--local"]).await?, "profile_exists")?;
        // What a failed opening may have made must not be taken for the store.
        if store.join("data").exists() {
            std::fs::remove_dir_all(store.join("data"))?;
        }
        std::fs::rename(&aside, store.join("data"))?;
        let again = alice.ask_one(&["whoami"]).await?;
        check(again == me, &format!("who was {me} is {again} now"))
    })
    .await;
}

/// A file with every byte another one.
fn flipped(bytes: &[u8]) -> Vec<u8> {
    bytes.iter().map(|byte| !byte).collect()
}

#[tokio::test]
async fn a_store_that_is_damaged_or_from_the_future_is_named_and_never_replaced() {
    play(async |room| {
        let alice = person(room, "alice")?;
        alice.ask_one(&["register", "--local"]).await?;
        let me = alice.ask_one(&["whoami"]).await?;
        let store = room.join("alice").join("store");
        let whole = room.join("whole");
        copy_directory(&store, &whole)?;
        let put_back = || -> Outcome {
            std::fs::remove_dir_all(&store)?;
            copy_directory(&whole, &store)
        };

        // The first byte of the marker is the format's number.
        let mut marker = std::fs::read(store.join("marker"))?;
        *marker.first_mut().ok_or_else(|| Failure::new("the marker is empty"))? = 200;
        std::fs::write(store.join("marker"), &marker)?;
        let refused = alice.refused(&["whoami"]).await?;
        is_sentence(&refused, "newer_store")?;
        check(refused.sentence.contains("200"), &format!("it does not say which: {refused:?}"))?;
        put_back()?;

        for part in ["data/db", "ring.kith"] {
            let file = store.join(part);
            std::fs::write(&file, flipped(&std::fs::read(&file)?))?;
            is_sentence(&alice.refused(&["whoami"]).await?, "store")?;
            is_sentence(&alice.refused(&["register", "--local"]).await?, "profile_exists")?;
            put_back()?;
        }
        std::fs::remove_file(store.join("ring.kith"))?;
        is_sentence(&alice.refused(&["whoami"]).await?, "store")?;
        put_back()?;
        let again = alice.ask_one(&["whoami"]).await?;
        check(again == me, &format!("who was {me} is {again} now"))
    })
    .await;
}

#[tokio::test]
async fn a_relay_that_is_killed_while_somebody_signs_up_is_named_and_they_try_again() {
    play(async |room| {
        let mut relay = Relay::start(room, "relay").await?;
        let begun = "kith_relay_requests_total{name=\"register_start\",outcome=\"ok\"}";
        let mut interrupted = 0;
        // The sign-up takes a moment after its first step; who is too fast for the kill has an account.
        for name in ["first", "second", "third", "fourth", "fifth"] {
            let newcomer = person(room, name)?;
            let address = relay.address.clone();
            let arguments = ["register", name, "--relay", &address];
            let before = relay.counted(begun)?;
            let killed = async {
                while relay.counted(begun)? == before {
                    tokio::time::sleep(std::time::Duration::from_millis(2)).await;
                }
                relay.kill().await
            };
            let mut command = newcomer.kith();
            let (output, killed) = tokio::join!(command.args(arguments).output(), killed);
            killed?;
            let output = output?;
            if !output.status.success() {
                let error = serde_json::from_slice::<serde_json::Value>(&output.stderr)?;
                let part = |part: &str| error["error"][part].as_str().unwrap_or_default().to_owned();
                let refused = Refused { exit: output.status.code(), code: part("code"), sentence: part("message") };
                is_sentence(&refused, "relay_unreachable")?;
                check(!room.join(name).exists(), "a profile was left behind")?;
                interrupted += 1;
            }
            relay.restart().await?;
            if output.status.success() {
                continue;
            }
            // The relay may have taken the account, and only its answer was lost: then it is there to be logged in to.
            match newcomer.ask_one(&arguments).await {
                Ok(_) => {}
                Err(_) => drop(newcomer.ask_one(&["login", name, "--relay", &address]).await?),
            }
            newcomer.ask_one(&["whoami"]).await?;
            if interrupted >= 2 {
                return Ok(());
            }
        }
        check(interrupted > 0, "no sign-up was interrupted")
    })
    .await;
}
