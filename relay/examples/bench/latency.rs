//! How long a text takes from the command to write it until it is durable at its receiver and told there: two processes.

use std::path::Path;
use std::time::Duration;

use crate::baseline::{echo, fsync, ms, p50_p99};
use crate::figure::Figure;
use crate::people::{Arrival, Tell};
use crate::process::Actor;
use crate::relay::Relay;
use crate::{Failure, Scale};

/// Messages before those that are measured: connections, keys and caches are warm then.
const WARM: usize = 30;

const MESSAGES: usize = 500;

/// Between two messages: nobody types faster, and one never waits for another.
const PAUSE_MS: u64 = 15;

/// Bytes of a short message on the wire.
const ON_THE_WIRE: usize = 900;

/// Directly from device to device.
pub(crate) fn direct(scale: Scale) -> Result<Vec<Figure>, Failure> {
    let (arrivals, fsync, echo) = measure(scale, false)?;
    let mut figures = figures("direct", &arrivals, fsync, echo, 2);
    if fsync <= Duration::from_millis(1) {
        let (p50, _) = p50_p99(arrivals);
        figures.push(Figure::new("direct p50, quick disk", ms(p50), "ms").at_most(5.0).against(ms(echo), "an echo"));
    }
    Ok(figures)
}

/// Through the mailbox of a device that is connected to the relay and cannot be reached otherwise.
pub(crate) fn mailbox(scale: Scale) -> Result<Vec<Figure>, Failure> {
    let (arrivals, fsync, echo) = measure(scale, true)?;
    Ok(figures("mailbox", &arrivals, fsync, echo, 3))
}

fn figures(name: &str, arrivals: &[Duration], fsync: Duration, echo: Duration, fsyncs: u32) -> Vec<Figure> {
    let baseline = ms(echo + fsync * fsyncs);
    let (p50, p99) = p50_p99(arrivals.to_vec());
    let against = if fsyncs == 2 { "an echo and two fsyncs" } else { "an echo and three fsyncs" };
    vec![
        Figure::new(format!("{name} p50"), ms(p50), "ms").at_most(3.0 * baseline).against(baseline, against),
        Figure::new(format!("{name} p99"), ms(p99), "ms").at_most(5.0 * ms(p50)).against(ms(p50), "its p50"),
    ]
}

/// Two people in two processes at one relay, who know each other.
pub(crate) fn acquaint(dir: &Path, relay: &Relay, always_relay: bool) -> Result<(Actor, Actor), Failure> {
    acquaint_as(["alice", "bob"], dir, relay, always_relay)
}

/// The same, with other names.
pub(crate) fn acquaint_as(
    names: [&str; 2],
    dir: &Path,
    relay: &Relay,
    always_relay: bool,
) -> Result<(Actor, Actor), Failure> {
    let (mut first, mut second) = (Actor::start("people")?, Actor::start("people")?);
    let [one, other] = names.map(str::to_owned);
    for (actor, name) in [(&mut first, &one), (&mut second, &other)] {
        let (dir, relay) = (dir.join(name), relay.address.clone());
        actor.tell(&Tell::Register { name: name.clone(), dir, relay, always_relay })?;
    }
    first.hear::<()>()?;
    second.hear::<()>()?;
    first.ask::<()>(&Tell::Add { name: one.clone(), who: other.clone() })?;
    second.ask::<()>(&Tell::Accept { name: other.clone() })?;
    first.ask::<()>(&Tell::Await { name: one.clone(), with: other.clone() })?;
    second.ask::<()>(&Tell::Await { name: other, with: one })?;
    Ok((first, second))
}

/// The times of all messages, an `fsync` and an echo.
fn measure(scale: Scale, mail: bool) -> Result<(Vec<Duration>, Duration, Duration), Failure> {
    let dir = tempfile::tempdir()?;
    let at = dir.path().join("relay");
    let relay = if mail { Relay::start_without_circuits(&at)? } else { Relay::start(&at)? };
    let (mut alice, mut bob) = acquaint(dir.path(), &relay, mail)?;
    if !mail {
        let paths = vec!["lan".into(), "direct".into()];
        alice.ask::<String>(&Tell::Reach { name: "alice".into(), paths })?;
    }
    let route = if mail { "mailbox" } else { "direct" };
    exchange(&mut alice, &mut bob, WARM)?;
    let arrivals = exchange(&mut alice, &mut bob, scale.of(MESSAGES))?;
    if let Some(other) = arrivals.iter().find_map(|arrival| arrival.route.as_ref().filter(|taken| *taken != route)) {
        return Err(format!("a message went the way {other:?} where {route:?} was to be measured").into());
    }
    alice.ask::<()>(&Tell::Close)?;
    bob.ask::<()>(&Tell::Close)?;
    // At the same pace: a processor and a disk that slept for as long take longer than those that had no time to.
    let pause = Duration::from_millis(PAUSE_MS);
    let (fsync, echo) = (fsync(dir.path(), ON_THE_WIRE, pause)?, echo(ON_THE_WIRE, pause)?);
    Ok((arrivals.iter().map(|arrival| Duration::from_micros(arrival.micros)).collect(), fsync, echo))
}

fn exchange(alice: &mut Actor, bob: &mut Actor, count: usize) -> Result<Vec<Arrival>, Failure> {
    alice.ask::<()>(&Tell::Write { name: "alice".into(), to: "bob".into(), count, pause_ms: PAUSE_MS })?;
    bob.ask(&Tell::Arrived { name: "bob".into(), count })
}
