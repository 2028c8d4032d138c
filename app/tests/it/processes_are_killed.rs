//! SIGKILL at random instants, also while a process starts, under load: what was acknowledged is there, once.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::time::{sleep, timeout};

use crate::world::{Outcome, Pair, Person, Relay, Running, check, play, text};

/// How often processes are killed in the suite, and in its long form.
const ROUNDS: u32 = 5;
const ROUNDS_OF_SOAK: u32 = 500;

/// A process is killed within this time after it began to work; it takes about that long to start.
const WITHIN_MS: u64 = 2500;

/// Random instants (xorshift): the kernel's scheduling is not repeatable, so neither need these be.
struct Chance(u64);

impl Chance {
    fn new() -> Self {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self(u64::from(now.subsec_nanos()) | 1)
    }

    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % limit
    }

    fn instant(&mut self) -> Duration {
        Duration::from_millis(self.below(WITHIN_MS))
    }
}

/// Alice sends numbered texts until she is told to stop: those that were acknowledged.
async fn send_numbers(alice: &Person<'_>, enough: &AtomicBool) -> Vec<String> {
    let mut acknowledged = Vec::new();
    for number in 0_u32.. {
        if enough.load(Ordering::Relaxed) {
            break;
        }
        let words = number.to_string();
        // Who is killed meanwhile acknowledges nothing, and owes nothing.
        if let Ok(message) = alice.ask_one(&["send", "bob", &words, "--wait", "0"]).await
            && text(&message, "text") == words
        {
            acknowledged.push(words);
        }
    }
    acknowledged
}

/// Starts a person's process, killing it now and then while it starts. Every start that is left alone has to succeed.
async fn start_again(person: &Person<'_>, chance: &mut Chance) -> Outcome<Running> {
    if chance.below(2) == 0
        && let Ok(early) = timeout(chance.instant(), person.run()).await
    {
        return early;
    }
    person.run().await
}

async fn kill_in_turn(
    relay: &mut Relay<'_>,
    people: [&Person<'_>; 2],
    mut runs: [Running; 2],
    rounds: u32,
) -> Outcome<[Running; 2]> {
    let mut chance = Chance::new();
    for round in 0..rounds {
        sleep(chance.instant()).await;
        match round % 3 {
            0 => {
                relay.kill().await?;
                if chance.below(2) == 0 {
                    // Killed again while it starts, unless it is faster.
                    let _ = timeout(chance.instant() / 8, relay.restart()).await;
                    relay.kill().await?;
                }
                relay.restart().await?;
            }
            who => {
                let who = usize::from(who == 1);
                let [alice, bob] = runs;
                let (victim, other) = if who == 1 { (bob, alice) } else { (alice, bob) };
                victim.kill().await?;
                let again = start_again(people[who], &mut chance).await?;
                runs = if who == 1 { [other, again] } else { [again, other] };
            }
        }
    }
    Ok(runs)
}

#[tokio::test]
async fn whatever_is_killed_acknowledged_texts_arrive_once() {
    play(async |room| {
        let Pair { mut relay, alice, alice_runs, bob, bob_runs } = Pair::meet(room).await?;
        let rounds = if std::env::var_os("KITH_SOAK").is_some() { ROUNDS_OF_SOAK } else { ROUNDS };
        let enough = AtomicBool::new(false);
        let killing = async {
            let outcome = kill_in_turn(&mut relay, [&alice, &bob], [alice_runs, bob_runs], rounds).await;
            enough.store(true, Ordering::Relaxed);
            outcome
        };
        let (acknowledged, runs) = tokio::join!(send_numbers(&alice, &enough), killing);
        let _runs = runs?;
        check(!acknowledged.is_empty(), "nothing was sent between the kills")?;
        let last = alice.send("bob", "the last").await?;
        bob.reads("alice", &["the last"]).await?;
        alice.learns_of_delivery("bob", &last).await?;

        let shown = bob.whole_history("alice").await?;
        let mut once = shown.clone();
        once.sort();
        once.dedup();
        check(once.len() == shown.len(), &format!("something is shown twice: {shown:?}"))?;
        let missing: Vec<&String> = acknowledged.iter().filter(|words| !shown.contains(words)).collect();
        check(missing.is_empty(), &format!("of {} texts these are missing: {missing:?}", acknowledged.len()))?;
        let numbers: Vec<u32> = shown.iter().filter_map(|words| words.parse().ok()).collect();
        check(numbers.is_sorted(), &format!("they are out of order: {numbers:?}"))?;
        let own = alice.whole_history("bob").await?;
        check(own == shown, &format!("Alice sees {own:?}, Bob {shown:?}"))
    })
    .await;
}
