//! A device whose clock is wrong by a day: it works, and its owner is told.

use serde_json::Value;

use crate::world::{Pair, check, play, text};

/// Where Debian and macOS keep the library that gives a process another wall clock.
fn shifted(days: i32) -> Vec<(String, String)> {
    let preload = if cfg!(target_os = "macos") {
        [
            ("DYLD_INSERT_LIBRARIES", "/opt/homebrew/lib/faketime/libfaketime.1.dylib".to_owned()),
            ("DYLD_FORCE_FLAT_NAMESPACE", "1".to_owned()),
        ]
    } else {
        [("LD_PRELOAD", "/usr/$LIB/faketime/libfaketimeMT.so.1".to_owned()), ("NO_FAKE_STAT", "1".to_owned())]
    };
    // Only the wall clock: timers go on as they are, as they do where somebody sets a clock wrong.
    let clock = [("FAKETIME", format!("{days:+}d")), ("FAKETIME_DONT_FAKE_MONOTONIC", "1".to_owned())];
    preload.into_iter().chain(clock).map(|(name, value)| (name.to_owned(), value)).collect()
}

#[tokio::test]
async fn a_clock_that_is_a_day_off_is_told_and_messages_flow() {
    play(async |room| {
        let Pair { relay: _relay, mut alice, alice_runs, bob, bob_runs: _bob_runs } = Pair::meet(room).await?;
        let status = alice.ask_one(&["status"]).await?;
        check(status["warnings"] == Value::Array(Vec::new()), &format!("a right clock is warned of: {status}"))?;
        alice.ask(&["stop"]).await?;
        alice_runs.ended().await?;

        for (days, wanted) in [(-1, "24 h behind your relay's"), (1, "24 h ahead of your relay's")] {
            alice.environment = shifted(days);
            let runs = alice.run().await?;
            let warning = alice.is_warned("clock").await?;
            check(warning.contains(wanted), &format!("it says {warning:?}"))?;
            for (from, to) in [(&alice, &bob), (&bob, &alice)] {
                let words = format!("{} at {days} days", from.name);
                let sent = from.send(to.name, &words).await?;
                to.reads(from.name, &[&words]).await?;
                from.learns_of_delivery(to.name, &sent).await?;
            }
            alice.ask(&["stop"]).await?;
            runs.ended().await?;
        }

        alice.environment = Vec::new();
        let _alice_runs = alice.run().await?;
        let there = |answer: &[Value]| (answer.first()?["relay_connected"] == true).then_some(());
        alice.until("the relay", &["status"], there).await?;
        let sent = alice.send("bob", "at the right time").await?;
        bob.reads("alice", &["at the right time"]).await?;
        alice.learns_of_delivery("bob", &sent).await?;
        let (at_alice, at_bob) = (alice.whole_history("bob").await?, bob.whole_history("alice").await?);
        check(at_alice == at_bob, &format!("Alice sees {at_alice:?}, Bob {at_bob:?}"))?;
        let status = alice.ask_one(&["status"]).await?;
        let clock =
            status["warnings"].as_array().is_some_and(|all| all.iter().any(|one| one.to_string().contains("clock")));
        check(!clock, &format!("a clock that was set right is still warned of: {}", text(&status, "warnings")))
    })
    .await;
}
