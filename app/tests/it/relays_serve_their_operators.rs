//! What an operator relies on: pages for machines, logs without people in them, and an end when it is asked for.

use std::time::{Duration, Instant};

use crate::world::{Pair, check, play, text};

/// A relay has to end within this time after SIGTERM: so long service managers wait at least.
const END_WITHIN: Duration = Duration::from_secs(5);

#[tokio::test]
async fn a_relay_tells_machines_how_it_is_and_its_log_names_nobody() {
    play(async |room| {
        let Pair { mut relay, alice, alice_runs: _alice_runs, bob, bob_runs } = Pair::meet(room).await?;
        bob.ask(&["stop"]).await?;
        bob_runs.ended().await?;
        alice.send("bob", "nobody else reads this").await?;

        for (path, wanted) in [("/health", "ok"), ("/ready", "ready"), ("/metrics", "kith_relay_deposits_total")] {
            let (status, body) = relay.page(path)?;
            check(status.contains(" 200 "), &format!("{path} answers {status}"))?;
            check(body.contains(wanted), &format!("{path} says {body}"))?;
        }
        let (_, metrics) = relay.page("/metrics")?;
        let taken = metrics.lines().any(|line| line.starts_with("kith_relay_deposits_total{result=\"taken\"}"));
        check(taken, &format!("no deposit is counted: {metrics}"))?;

        let (me, other) = (alice.ask_one(&["whoami"]).await?, bob.ask_one(&["whoami"]).await?);
        let before = Instant::now();
        relay.terminate().await?;
        let took = before.elapsed();
        check(took < END_WITHIN, &format!("it ended only after {took:?}"))?;

        let log = std::fs::read_to_string(room.join("relay.log"))?;
        check(log.contains("Told to stop."), &format!("this is no log of the relay: {log:?}"))?;
        let told = [text(&me, "account"), text(&me, "device"), text(&other, "account"), text(&other, "device")];
        let told = told.into_iter().chain(["alice", "bob", "127.0.0.1", "nobody else"]);
        for word in told.chain(std::iter::once(&*relay.address)) {
            check(!word.is_empty() && !log.contains(word), &format!("the log names {word:?}: {log}"))?;
            check(!metrics.contains(word), &format!("the metrics name {word:?}"))?;
        }
        Ok(())
    })
    .await;
}
