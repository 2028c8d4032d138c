//! Many messages through one relay, between clients that are a process each, as people's are: whether all arrive, once, and whether
//! memory grows.

use std::time::{Duration, Instant};

use crate::baseline::fsync;
use crate::figure::Figure;
use crate::latency::acquaint_as;
use crate::people::{Arrival, Counted, Tell};
use crate::process::Actor;
use crate::relay::Relay;
use crate::{Failure, Scale};

const PAIRS: usize = 50;

const MESSAGES: usize = 100_000;

/// Memory has settled when a fifth of the messages has arrived.
const SETTLED: usize = 20_000;

/// How long nobody writes before memory is looked at: stores settle, and what a burst took is given back.
const QUIET: Duration = Duration::from_secs(2);

/// What one writes before all wait for each other: memory is looked at while nothing is under way.
const ROUND: usize = 40;

/// Bytes of a short message on the wire.
const ON_THE_WIRE: usize = 900;

/// A relay refuses names that look alike, such as those with 1 and l, so that no digit is in them.
fn name(who: &str, number: usize) -> String {
    let letter =
        |digit: usize| ["b", "d", "f", "g", "h", "k", "p", "t", "x", "z"].get(digit % 10).copied().unwrap_or("q");
    format!("{who}-{}{}", letter(number / 10), letter(number))
}

/// Somebody who writes, and somebody who reads.
struct Pair {
    names: [String; 2],
    writer: Actor,
    reader: Actor,
}

impl Pair {
    fn write(&mut self, count: usize) -> Result<(), Failure> {
        let [name, to] = self.names.clone();
        self.writer.tell(&Tell::Write { name, to, count, pause_ms: 0 })?;
        self.reader.tell(&Tell::Arrived { name: self.names[1].clone(), count })
    }

    fn wrote(&mut self) -> Result<(), Failure> {
        self.writer.hear::<()>()?;
        self.reader.hear::<Vec<Arrival>>().map(|_| ())
    }
}

/// Memory in MiB, when all is quiet: a client's, on average, and the relay's.
fn look(pairs: &[Pair], relay: &Relay) -> (f64, f64) {
    std::thread::sleep(QUIET);
    let sum: f64 = pairs.iter().map(|pair| pair.writer.resident_mib() + pair.reader.resident_mib()).sum();
    (sum / (2 * pairs.len()) as f64, relay.actor.resident_mib())
}

pub(crate) fn run(scale: Scale) -> Result<Vec<Figure>, Failure> {
    let dir = tempfile::tempdir()?;
    let relay = Relay::start_without_circuits(&dir.path().join("relay"))?;
    let mut pairs = Vec::new();
    for number in 0..PAIRS {
        let names = [name("wendy", number), name("rachel", number)];
        let (writer, reader) = acquaint_as([&names[0], &names[1]], dir.path(), &relay, true)?;
        pairs.push(Pair { names, writer, reader });
    }
    let (rounds, settled) = (scale.of(MESSAGES) / PAIRS / ROUND, scale.of(SETTLED) / PAIRS / ROUND);
    let (rounds, begun) = (rounds.max(1), Instant::now());
    let mut before = (f64::NAN, f64::NAN);
    for round in 1..=rounds {
        pairs.iter_mut().try_for_each(|pair| pair.write(ROUND))?;
        pairs.iter_mut().try_for_each(Pair::wrote)?;
        if round == settled {
            before = look(&pairs, &relay);
            let arrived = round * ROUND * PAIRS;
            eprintln!("bench: {arrived} messages have arrived after {:.0} s", begun.elapsed().as_secs_f64());
        }
    }
    let seconds = begun.elapsed().as_secs_f64();
    let after = look(&pairs, &relay);
    let each = rounds * ROUND;
    let (mut lost, mut doubled) = (0, 0);
    for pair in &mut pairs {
        let [with, name] = pair.names.clone();
        let counted: Counted = pair.reader.ask(&Tell::Count { name, with })?;
        lost += each.saturating_sub(counted.different);
        doubled += counted.all.saturating_sub(counted.different);
    }
    for pair in &mut pairs {
        pair.writer.ask::<()>(&Tell::Close)?;
        pair.reader.ask::<()>(&Tell::Close)?;
    }
    let growth = |before: f64, after: f64| (after / before - 1.0) * 100.0;
    let sent = (each * PAIRS) as f64;
    let fsync = fsync(dir.path(), ON_THE_WIRE, Duration::ZERO)?.as_secs_f64();
    Ok(vec![
        Figure::new("volume: lost", lost as f64, "messages").at_most(0.0).against(sent, "all messages"),
        Figure::new("volume: doubled", doubled as f64, "messages").at_most(0.0).against(sent, "all messages"),
        Figure::new("volume: relay's growth", growth(before.1, after.1), "%")
            .at_most(5.0)
            .against(before.1, "MiB after a fifth"),
        Figure::new("volume: a client's growth", growth(before.0, after.0), "%")
            .at_most(5.0)
            .against(before.0, "MiB after a fifth"),
        Figure::new("volume: rate", sent / seconds, "messages/s").against(1.0 / fsync, "one fsync a message"),
    ])
}
