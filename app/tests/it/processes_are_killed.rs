//! SIGKILL at random instants, also while a process starts, under load: what was acknowledged is there, once, and what was
//! said of it is true.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::Value;
use tokio::time::{sleep, timeout};

use crate::world::{Outcome, Pair, Person, Relay, Running, check, play, text};

/// How often processes are killed in the suite, and in its long form.
const ROUNDS: u32 = 25;
const ROUNDS_OF_SOAK: u32 = 500;

/// A process is killed within this time after it began to work; it takes about that long to start.
const WITHIN_MS: u64 = 900;

/// Random instants (xorshift): the kernel's scheduling is not repeatable, so neither need these be.
struct Chance(u64);

impl Chance {
    fn new(salt: u64) -> Self {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self((u64::from(now.subsec_nanos()) ^ salt.wrapping_mul(0x9E37_79B9_7F4A_7C15)) | 1)
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

/// How far a message is, as far as its sender was told. The order is that of the promises.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Claim {
    /// Durable at the sender.
    Queued,
    /// Durable at the relay or at a device of the recipient.
    Sent,
    /// Durable at a device of the recipient.
    Delivered,
}

/// What was acknowledged, by its text, and how far it was said to be.
type Claims = BTreeMap<String, Claim>;

fn claim(message: &Value) -> Option<Claim> {
    match text(message, "state") {
        "queued" => Some(Claim::Queued),
        "sent" => Some(Claim::Sent),
        "delivered" | "read" => Some(Claim::Delivered),
        _ => None,
    }
}

fn note(claims: &mut Claims, message: &Value) {
    if let Some(claim) = claim(message) {
        let known = claims.entry(text(message, "text").to_owned()).or_insert(claim);
        *known = claim.max(*known);
    }
}

/// What goes on between the kills.
struct Scene<'a> {
    people: [&'a Person<'a>; 2],
    /// Whose process is being started again.
    away: [AtomicBool; 2],
    enough: AtomicBool,
}

impl Scene<'_> {
    /// One sender of a person sends numbered texts until it is told to stop; every other waits until it has left.
    async fn send_numbers(&self, who: usize, sender: usize) -> Claims {
        let (person, to) = (self.people[who], self.people[1 - who].name);
        let mut chance = Chance::new(sender as u64 + 7 * who as u64);
        let mut claims = Claims::new();
        for number in 0_u32.. {
            if self.enough.load(Ordering::Relaxed) {
                break;
            }
            // While nothing runs, every command opens the profile itself; the start of the process needs its turn too.
            if self.away[who].load(Ordering::Relaxed) {
                sleep(chance.instant()).await;
            }
            let words = format!("{} {sender} {number}", person.name);
            let wait = if number % 2 == 0 { "2" } else { "0" };
            // Who is killed meanwhile acknowledges nothing, and owes nothing. It is no failure that it could not leave.
            let output = person.kith().args(["send", to, &words, "--wait", wait]).output().await;
            let said = output.map(|output| output.stdout).unwrap_or_default();
            if let Ok(message) = serde_json::from_slice::<Value>(&said) {
                note(&mut claims, &message);
            }
        }
        claims
    }

    /// Starts a person's process, killing it now and then while it starts. Every start that is left alone has to succeed.
    async fn start_again(&self, who: usize, chance: &mut Chance) -> Outcome<Running> {
        self.away[who].store(true, Ordering::Relaxed);
        let mut started = None;
        if chance.below(2) == 0
            && let Ok(early) = timeout(chance.instant(), self.people[who].run()).await
        {
            started = Some(early?);
        }
        let running = match started {
            Some(running) => running,
            None => self.people[who].run().await?,
        };
        self.away[who].store(false, Ordering::Relaxed);
        Ok(running)
    }

    async fn kill_in_turn(&self, relay: &mut Relay<'_>, mut runs: [Running; 2], rounds: u32) -> Outcome<[Running; 2]> {
        let mut chance = Chance::new(1000);
        for round in 0..rounds {
            sleep(chance.instant()).await;
            match round % 3 {
                0 => {
                    relay.kill().await?;
                    if chance.below(2) == 0 {
                        // Killed again while it starts, unless it is faster.
                        let _ = timeout(chance.instant() / 4, relay.restart()).await;
                        relay.kill().await?;
                    }
                    relay.restart().await?;
                }
                1 => {
                    let [alice, bob] = runs;
                    alice.kill().await?;
                    runs = [self.start_again(0, &mut chance).await?, bob];
                }
                _ => {
                    let [alice, bob] = runs;
                    bob.kill().await?;
                    runs = [alice, self.start_again(1, &mut chance).await?];
                }
            }
        }
        Ok(runs)
    }
}

fn all_shown(shown: &[String], claims: &Claims, least: Claim) -> Outcome {
    let wanted = claims.iter().filter(|(_, claim)| **claim >= least).map(|(words, _)| words);
    let missing: Vec<&String> = wanted.filter(|words| !shown.contains(words)).collect();
    check(missing.is_empty(), &format!("{least:?} was said of these, and they are not there: {missing:?}"))
}

/// The numbers of each sender are in order, and nothing is there twice.
fn once_and_in_order(shown: &[String]) -> Outcome {
    let mut last: BTreeMap<&str, u32> = BTreeMap::new();
    for words in shown {
        let Some((sender, number)) = words.rsplit_once(' ') else { continue };
        let Ok(number) = number.parse::<u32>() else { continue };
        if let Some(before) = last.insert(sender, number) {
            check(before < number, &format!("{words:?} comes after number {before}: {shown:?}"))?;
        }
    }
    Ok(())
}

#[tokio::test]
async fn whatever_is_killed_acknowledged_texts_arrive_once() {
    play(async |room| {
        let Pair { mut relay, alice, alice_runs, bob, bob_runs } = Pair::meet(room).await?;
        let rounds = if std::env::var_os("KITH_SOAK").is_some() { ROUNDS_OF_SOAK } else { ROUNDS };
        let scene = Scene { people: [&alice, &bob], away: Default::default(), enough: AtomicBool::new(false) };
        let killing = async {
            let outcome = scene.kill_in_turn(&mut relay, [alice_runs, bob_runs], rounds).await;
            scene.enough.store(true, Ordering::Relaxed);
            outcome
        };
        let (first, second, third, of_bob, runs) = tokio::join!(
            scene.send_numbers(0, 0),
            scene.send_numbers(0, 1),
            scene.send_numbers(0, 2),
            scene.send_numbers(1, 0),
            killing
        );
        let [alice_runs, bob_runs] = runs?;
        let mut of_alice: Claims = [first, second, third].into_iter().flatten().collect();

        // Everything ends at once, and Alice does not come back for now: nothing can come from her any more.
        relay.kill().await?;
        alice_runs.kill().await?;
        bob_runs.kill().await?;
        for message in alice.all_messages("bob").await?.iter().filter(|message| message["mine"] == true) {
            note(&mut of_alice, message);
        }
        let counted = |least| of_alice.values().filter(|claim| **claim >= least).count();
        let (sent, delivered) = (counted(Claim::Sent), counted(Claim::Delivered));
        check(sent > 0 && delivered > 0, &format!("of {} texts {sent} were sent", of_alice.len()))?;
        check(!of_bob.is_empty(), "Bob sent nothing between the kills")?;

        // What was delivered is on Bob's disk; what was sent there or at the relay.
        all_shown(&bob.whole_history("alice").await?, &of_alice, Claim::Delivered)?;
        relay.restart().await?;
        let _bob_runs = bob.run().await?;
        let there = |answer: &[Value]| (answer.first()?["relay_connected"] == true).then_some(());
        bob.until("the relay", &["status"], there).await?;
        all_shown(&bob.whole_history("alice").await?, &of_alice, Claim::Sent)?;

        let _alice_runs = alice.run().await?;
        for (from, to) in [(&alice, &bob), (&bob, &alice)] {
            let words = format!("the last of {}", from.name);
            let last = from.send(to.name, &words).await?;
            to.reads(from.name, &[&words]).await?;
            from.learns_of_delivery(to.name, &last).await?;
        }
        let (at_bob, at_alice) = (bob.whole_history("alice").await?, alice.whole_history("bob").await?);
        all_shown(&at_bob, &of_alice, Claim::Queued)?;
        all_shown(&at_alice, &of_bob, Claim::Queued)?;
        once_and_in_order(&at_bob)?;
        check(at_alice == at_bob, &format!("Alice sees {at_alice:?}, Bob {at_bob:?}"))
    })
    .await;
}
