//! Compares this device's clock with the relay's.
//!
//! It changes nothing: times of messages are hints, and the engine bounds what a wrong clock can do. But a person whose
//! device has a wrong clock should know why its messages carry strange times.

use std::time::Duration;

use super::heart::wall;
use super::peers::Peers;
use crate::net;
use crate::types::Timestamp;
use crate::wire::relay::{Request, Response};

/// A difference that nobody notices: clocks that are never set drift by some minutes a year.
const TOLERATED: Duration = Duration::from_secs(600);

/// How far this device's clock is from the relay's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClockGap {
    /// This device's clock is ahead; else it is behind.
    pub ahead: bool,
    /// By so much.
    pub by: Duration,
}

/// The difference, if it is one that a person should know of.
fn gap(here: Timestamp, there: Timestamp) -> Option<ClockGap> {
    let by = Duration::from_millis(here.0.abs_diff(there.0));
    (by > TOLERATED).then_some(ClockGap { ahead: here > there, by })
}

/// Asks the own relay for its clock. A relay that does not say it leaves nothing to compare.
pub(super) async fn compare(net: &net::Handle, peers: &Peers) -> Option<ClockGap> {
    let relay = peers.own_relay().await?;
    match net.relay_request(&relay, &Request::Hello).await {
        Ok(Response::Hello(hello)) => gap(wall(), hello.wall),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_is_wrong_from_ten_minutes_on_in_either_direction() {
        let (noon, minute) = (Timestamp(1_800_000_000_000), 60_000);
        assert_eq!(gap(noon, noon), None);
        assert_eq!(gap(noon, Timestamp(noon.0 + 10 * minute)), None);
        assert_eq!(gap(Timestamp(noon.0 + 10 * minute), noon), None);
        let eleven = Duration::from_secs(660);
        assert_eq!(gap(noon, Timestamp(noon.0 + 11 * minute)), Some(ClockGap { ahead: false, by: eleven }));
        assert_eq!(gap(Timestamp(noon.0 + 11 * minute), noon), Some(ClockGap { ahead: true, by: eleven }));
        assert!(gap(Timestamp(0), Timestamp(u64::MAX)).is_some_and(|gap| !gap.ahead));
    }
}
