//! How often somebody may ask: buckets of tokens in bounded tables.
//!
//! They live in the process and are forgotten with it: what has to hold beyond that is a count in a row.

use std::collections::BTreeMap;
use std::net::IpAddr;

use kith_core::identity::Handle;
use kith_core::types::{AccountId, DeviceId, Hash, Timestamp};
use kith_core::wire::relay::Refusal;

use super::limits::{Limits, Rate};
use super::{Caller, Network};

/// Buckets in one table: some megabytes at the most. Beyond, those that are full again go first, then the one nearest to it.
const TABLE: usize = 65_536;

/// A table of buckets, by whom they limit.
#[derive(Debug)]
pub(super) struct Buckets<K> {
    rate: Rate,
    most: usize,
    /// When each bucket will be full again, in microseconds (the theoretical arrival time of the leaky bucket).
    full_at: BTreeMap<K, u64>,
}

impl<K: Ord + Clone> Buckets<K> {
    pub(super) fn new(rate: Rate) -> Self {
        Self { rate, most: TABLE, full_at: BTreeMap::new() }
    }

    /// Takes one token out of the bucket of `key`.
    pub(super) fn take(&mut self, key: K, now: Timestamp) -> Result<(), Refusal> {
        let micros = self.interval_us();
        let window = micros.saturating_mul(u64::from(self.rate.burst));
        let now = now.0.saturating_mul(1000);
        // After the wall clock was set back a bucket counts as empty, not as empty for as long as the clock was ahead.
        let full_at = self.full_at.get(&key).copied().unwrap_or(0).min(now.saturating_add(window)).max(now);
        let next = full_at.saturating_add(micros);
        if next.saturating_sub(now) > window {
            let wait_ms = next.saturating_sub(now).saturating_sub(window) / 1000;
            let retry_s = u32::try_from(wait_ms.div_ceil(1000).max(1)).unwrap_or(u32::MAX);
            return Err(Refusal::TooMany { retry_s });
        }
        if !self.full_at.contains_key(&key) && self.full_at.len() >= self.most {
            self.make_room(now);
        }
        self.full_at.insert(key, next);
        Ok(())
    }

    /// Puts one token back.
    pub(super) fn give_back(&mut self, key: &K) {
        let micros = self.interval_us();
        if let Some(full_at) = self.full_at.get_mut(key) {
            *full_at = full_at.saturating_sub(micros);
        }
    }

    /// Microseconds in which one token comes back; with a rate of zero, a century.
    fn interval_us(&self) -> u64 {
        60_000_000_u64.checked_div(u64::from(self.rate.per_minute)).unwrap_or(100 * 366 * 24 * 3600 * 1_000_000)
    }

    fn make_room(&mut self, now: u64) {
        self.full_at.retain(|_, full_at| *full_at > now);
        if self.full_at.len() >= self.most {
            let mut times: Vec<u64> = self.full_at.values().copied().collect();
            let middle = times.len() / 2;
            let (_, median, _) = times.select_nth_unstable(middle);
            let median = *median;
            self.full_at.retain(|_, full_at| *full_at > median);
        }
    }
}

/// Where a connection comes from, as coarse as one person's network: an IPv4 address, or a /64 of IPv6.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Origin([u8; 9]);

impl Origin {
    pub(super) fn of(address: IpAddr) -> Self {
        let mut bytes = [0; 9];
        match address.to_canonical() {
            IpAddr::V4(address) => {
                for (to, from) in bytes.iter_mut().zip([4].into_iter().chain(address.octets())) {
                    *to = from;
                }
            }
            IpAddr::V6(address) => {
                for (to, from) in bytes.iter_mut().zip([6].into_iter().chain(address.octets())) {
                    *to = from;
                }
            }
        }
        Self(bytes)
    }

    pub(super) const fn as_bytes(&self) -> &[u8; 9] {
        &self.0
    }
}

/// All tables.
#[derive(Debug)]
pub(super) struct Rates {
    peers: Buckets<[u8; 32]>,
    addresses: Buckets<Origin>,
    pub(super) deposits: Buckets<Hash>,
    login_handles: Buckets<Handle>,
    login_addresses: Buckets<Origin>,
    recoveries: Buckets<Handle>,
    register: Buckets<Origin>,
    pub(super) contact: Buckets<[u8; 32]>,
    pub(super) put_address: Buckets<DeviceId>,
    pub(super) create_log: Buckets<AccountId>,
}

impl Rates {
    pub(super) fn new(limits: &Limits) -> Self {
        Self {
            peers: Buckets::new(limits.requests_rate),
            addresses: Buckets::new(limits.address_rate),
            deposits: Buckets::new(limits.deposits_rate),
            login_handles: Buckets::new(limits.login_handle_rate),
            login_addresses: Buckets::new(limits.login_address_rate),
            recoveries: Buckets::new(limits.login_handle_rate),
            register: Buckets::new(limits.register_rate),
            contact: Buckets::new(limits.contact_rate),
            put_address: Buckets::new(limits.put_address_rate),
            create_log: Buckets::new(limits.create_log_rate),
        }
    }

    /// Any request.
    pub(super) fn request(&mut self, caller: &Caller, now: Timestamp) -> Result<(), Refusal> {
        self.peers.take(caller.peer, now)?;
        caller.address.map_or(Ok(()), |address| self.addresses.take(Origin::of(address), now))
    }

    /// An attempt to log in; a good one is given back.
    pub(super) fn login(&mut self, caller: &Caller, handle: &Handle, now: Timestamp) -> Result<(), Refusal> {
        if let Some(address) = caller.address {
            self.login_addresses.take(Origin::of(address), now)?;
        }
        self.login_handles.take(handle.clone(), now)
    }

    pub(super) fn logged_in(&mut self, caller: &Caller, handle: &Handle) {
        if let Some(address) = caller.address {
            self.login_addresses.give_back(&Origin::of(address));
        }
        self.login_handles.give_back(handle);
    }

    /// An attempt to recover an account; a good one is given back. By name it is counted apart from log-ins: who comes here has
    /// often tried many passwords before.
    pub(super) fn recover(&mut self, caller: &Caller, handle: &Handle, now: Timestamp) -> Result<(), Refusal> {
        if let Some(address) = caller.address {
            self.login_addresses.take(Origin::of(address), now)?;
        }
        self.recoveries.take(handle.clone(), now)
    }

    pub(super) fn recovered(&mut self, caller: &Caller, handle: &Handle) {
        if let Some(address) = caller.address {
            self.login_addresses.give_back(&Origin::of(address));
        }
        self.recoveries.give_back(handle);
    }

    pub(super) fn register(&mut self, caller: &Caller, now: Timestamp) -> Result<(), Refusal> {
        caller.address.map_or(Ok(()), |address| self.register.take(Origin::of(address), now))
    }
}

/// Whether an address is of one of the networks; a connection over a circuit is of none.
pub(super) fn is_listed(networks: &[Network], address: Option<IpAddr>) -> bool {
    address.is_some_and(|address| networks.iter().any(|network| network.contains(address)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn buckets(burst: u32, per_minute: u32) -> Buckets<u32> {
        Buckets { most: 4, ..Buckets::new(Rate { burst, per_minute }) }
    }

    #[test]
    fn a_bucket_gives_its_burst_and_then_its_rate() {
        let mut buckets = buckets(2, 60);
        let mut take = |ms: u64| buckets.take(1, Timestamp(1_000_000 + ms));
        assert_eq!((take(0), take(0)), (Ok(()), Ok(())));
        assert_eq!(take(0), Err(Refusal::TooMany { retry_s: 1 }));
        assert_eq!(take(1_000), Ok(()));
        assert_eq!(take(1_001), Err(Refusal::TooMany { retry_s: 1 }));
    }

    #[test]
    fn a_clock_that_was_set_back_closes_nothing_for_long() {
        let mut buckets = buckets(1, 60);
        assert_eq!(buckets.take(1, Timestamp(1_000_000_000)), Ok(()));
        assert_eq!(buckets.take(1, Timestamp(1_000)), Err(Refusal::TooMany { retry_s: 1 }));
        buckets.take(2, Timestamp(1_000)).unwrap();
        assert_eq!(buckets.take(1, Timestamp(1_000_000_000)), Err(Refusal::TooMany { retry_s: 1 }));
        assert_eq!(buckets.take(1, Timestamp(1_000_001_000)), Ok(()));
    }

    #[test]
    fn a_table_stays_bounded_and_forgets_the_fullest_first() {
        let mut buckets = buckets(10, 60);
        for _ in 0..9 {
            buckets.take(0, Timestamp(1)).unwrap();
        }
        for key in 1..100 {
            buckets.take(key, Timestamp(1)).unwrap();
            assert!(buckets.full_at.len() <= 4);
        }
        buckets.take(0, Timestamp(1)).unwrap();
        assert!(buckets.take(0, Timestamp(1)).is_err(), "the emptiest bucket was kept");
    }

    #[test]
    fn addresses_of_one_network_share_a_bucket() {
        let origin = |text: &str| Origin::of(text.parse().unwrap());
        assert_eq!(origin("2001:db8::1"), origin("2001:db8::ffff"));
        assert_ne!(origin("2001:db8::1"), origin("2001:db8:0:1::1"));
        assert_eq!(origin("1.2.3.4"), origin("::ffff:1.2.3.4"));
        assert_ne!(origin("1.2.3.4"), origin("1.2.3.5"));
    }
}
