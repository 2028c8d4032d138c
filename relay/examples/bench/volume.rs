//! Many messages through one relay: whether all arrive, once, and whether memory grows.

use std::time::Duration;

use crate::baseline::fsync;
use crate::figure::Figure;
use crate::people::{Counted, Exchanged, Tell};
use crate::process::Actor;
use crate::relay::Relay;
use crate::{Failure, Scale};

const PAIRS: usize = 50;

const MESSAGES: usize = 100_000;

/// Memory has settled when a fifth of the messages has arrived.
const SETTLED: usize = 20_000;

/// Bytes of a short message on the wire.
const ON_THE_WIRE: usize = 900;

/// A relay refuses names that look alike, such as those with 1 and l, so that no digit is in them.
fn name(who: &str, number: usize) -> String {
    let letter =
        |digit: usize| ["b", "d", "f", "g", "h", "k", "p", "t", "x", "z"].get(digit % 10).copied().unwrap_or("q");
    format!("{who}-{}{}", letter(number / 10), letter(number))
}

pub(crate) fn run(scale: Scale) -> Result<Vec<Figure>, Failure> {
    let dir = tempfile::tempdir()?;
    let relay = Relay::start_without_circuits(&dir.path().join("relay"))?;
    let mut people = Actor::start("people")?;
    let pairs: Vec<(String, String)> =
        (0..PAIRS).map(|number| (name("wendy", number), name("rachel", number))).collect();
    for (writer, reader) in &pairs {
        for name in [writer, reader] {
            let (dir, relay) = (dir.path().join(name), relay.address.clone());
            people.ask::<()>(&Tell::Register { name: name.clone(), dir, relay, always_relay: true })?;
        }
        people.ask::<()>(&Tell::Add { name: writer.clone(), who: reader.clone() })?;
        people.ask::<()>(&Tell::Accept { name: reader.clone() })?;
        people.ask::<()>(&Tell::Await { name: writer.clone(), with: reader.clone() })?;
        people.ask::<()>(&Tell::Await { name: reader.clone(), with: writer.clone() })?;
    }
    let each = scale.of(MESSAGES) / PAIRS;
    let looks = vec![scale.of(SETTLED), scale.of(MESSAGES)];
    let exchange = Tell::Exchange { pairs: pairs.clone(), each, looks, also: relay.actor.id() };
    let Exchanged { seconds, looks } = people.ask(&exchange)?;
    let (mut lost, mut doubled) = (0, 0);
    for (writer, reader) in pairs {
        let counted: Counted = people.ask(&Tell::Count { name: reader, with: writer })?;
        lost += each.saturating_sub(counted.different);
        doubled += counted.all.saturating_sub(counted.different);
    }
    people.ask::<()>(&Tell::Close)?;
    let [(people_before, relay_before), (people_after, relay_after)] = looks.as_slice() else {
        return Err("memory was not looked at twice".into());
    };
    let growth = |before: f64, after: f64| (after / before - 1.0) * 100.0;
    let sent = (each * PAIRS) as f64;
    let fsync = fsync(dir.path(), ON_THE_WIRE, Duration::ZERO)?.as_secs_f64();
    Ok(vec![
        Figure::new("volume: lost", lost as f64, "messages").at_most(0.0).against(sent, "all messages"),
        Figure::new("volume: doubled", doubled as f64, "messages").at_most(0.0).against(sent, "all messages"),
        Figure::new("volume: relay's growth", growth(*relay_before, *relay_after), "%")
            .at_most(5.0)
            .against(*relay_before, "MiB after a fifth"),
        Figure::new("volume: 100 clients' growth", growth(*people_before, *people_after), "%")
            .at_most(5.0)
            .against(*people_before, "MiB after a fifth"),
        Figure::new("volume: rate", sent / seconds, "messages/s").against(1.0 / fsync, "one fsync a message"),
    ])
}
