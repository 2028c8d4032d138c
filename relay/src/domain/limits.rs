//! What an operator may set of the domain.

use std::net::IpAddr;

use kith_core::home;
use kith_core::wire::blob::{Layout, MAX_FILE};
use kith_core::wire::codec::Body;
use kith_core::wire::envelope::Envelope;

/// What the domain is told at its start.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Settings {
    /// The relay's name for people; a hint.
    pub name: String,
    /// Who may sign up.
    pub registration: Registration,
    /// From whom deposits are taken.
    pub federation: Federation,
    /// Limits.
    pub limits: Limits,
}

/// Who may sign up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Registration {
    /// Anybody.
    #[default]
    Open,
    /// Who has an invitation of the operator's.
    Invite,
    /// Nobody.
    Closed,
}

/// From whom, beside the relay's own devices, deposits and contact requests are taken.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Federation {
    /// Anybody.
    #[default]
    Open,
    /// Connections from these networks.
    List(Vec<Network>),
    /// Nobody.
    Closed,
}

/// A network: an address and how many of its leading bits count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Network {
    address: IpAddr,
    bits: u8,
}

/// The text is not a network.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a network such as 203.0.113.0/24 or 2001:db8::/32")]
pub struct InvalidNetwork(String);

impl Network {
    /// Whether an address is of this network.
    pub fn contains(&self, address: IpAddr) -> bool {
        match (self.address, address.to_canonical()) {
            (IpAddr::V4(net), IpAddr::V4(address)) => {
                (net.to_bits() ^ address.to_bits()).leading_zeros() >= u32::from(self.bits)
            }
            (IpAddr::V6(net), IpAddr::V6(address)) => {
                (net.to_bits() ^ address.to_bits()).leading_zeros() >= u32::from(self.bits)
            }
            (IpAddr::V4(_), IpAddr::V6(_)) | (IpAddr::V6(_), IpAddr::V4(_)) => false,
        }
    }
}

impl std::str::FromStr for Network {
    type Err = InvalidNetwork;

    fn from_str(text: &str) -> Result<Self, InvalidNetwork> {
        let invalid = || InvalidNetwork(text.chars().take(64).collect());
        let (address, bits) = match text.split_once('/') {
            Some((address, bits)) => (address, Some(bits)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().map_err(|_| invalid())?;
        let most = if address.is_ipv4() { 32 } else { 128 };
        let bits = bits.map_or(Ok(most), |bits| bits.parse().map_err(|_| invalid()))?;
        if bits > most { Err(invalid()) } else { Ok(Self { address, bits }) }
    }
}

impl std::fmt::Display for Network {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{}/{}", self.address, self.bits)
    }
}

/// A bucket of tokens: so many at once, and so many a minute after that.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// At once.
    pub burst: u32,
    /// Then so many a minute.
    pub per_minute: u32,
}

/// Limits, each with its default's reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The most bytes of one envelope; default: what the wire format allows.
    pub envelope_bytes: u64,
    /// The most bytes that wait in one mailbox; default 64 MiB: a thousand voice notes.
    pub mailbox_bytes: u64,
    /// The most envelopes that wait in one mailbox; default 20,000: weeks of a busy group.
    pub mailbox_envelopes: u64,
    /// How long an envelope waits, in seconds; default 30 days.
    pub keep_s: u64,
    /// The most contact requests that wait for one device; default 64: what a person may be asked to look through.
    pub requests: u64,
    /// The most contact requests from one device or address to one account in [`Limits::origin_s`]; default 3.
    pub requests_per_origin: u32,
    /// How long contact requests from one origin are counted, in seconds; default a day.
    pub origin_s: u64,
    /// The most bytes of a contact request's envelope; default 16 KiB: a card with its certificates, 1 kB of text and hybrid HPKE.
    pub request_bytes: u64,
    /// Leading zero bits of the work that a contact request to an empty slot takes; default 18: a fifth of a second on one core.
    pub work_bits: u8,
    /// Bits more when the slot is nearly full; default 6: sixty-four times the work.
    pub work_bits_full: u8,
    /// The most tokens an account may have out; default 20,000: contacts and conversations, times two purposes.
    pub tokens: u32,
    /// The most one-time key packages of a device; default 200.
    pub key_packages: u64,
    /// Requests of one connection's key; default 4,000 at once and 1,000 a second: a device that catches up.
    pub requests_rate: Rate,
    /// Requests from one address (a /64 of IPv6); default four times that of a key: a household behind one address.
    pub address_rate: Rate,
    /// Deposits by one token; default 2,000 at once and 100 a second.
    pub deposits_rate: Rate,
    /// Log-ins that fail, for one handle, and apart from them recoveries; default 10 at once and two a minute. It counts for unknown
    /// handles too.
    pub login_handle_rate: Rate,
    /// Log-ins and recoveries that fail, from one address; default 60 at once and ten a minute: a school behind one address.
    pub login_address_rate: Rate,
    /// Sign-ups from one address; default 60 at once and ten a minute.
    pub register_rate: Rate,
    /// Contact requests and their challenges from one key; default 30 at once and six a minute.
    pub contact_rate: Rate,
    /// What is put under blinded names by one device; default 256 at once and one a minute.
    pub put_address_rate: Rate,
    /// Logs begun by one account; default 256 at once and two a minute.
    pub create_log_rate: Rate,
    /// What a home allows.
    pub home: home::Limits,
    /// What is kept of attachments.
    pub blobs: BlobLimits,
}

/// Limits of the attachments that wait here, in bytes of sealed chunks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BlobLimits {
    /// The most bytes of one; default: the largest that there are, 2 GiB and its seals.
    pub bytes: u64,
    /// The most bytes of one account's; 0 for a relay that keeps none; default 4 GiB: two of the largest.
    pub account_bytes: u64,
    /// The most bytes of all together; default 64 GiB: what a small machine's disk has to spare.
    pub all_bytes: u64,
    /// How long one is kept that not all readers have fetched, in seconds; default 30 days, as long as an envelope.
    pub keep_s: u64,
}

impl BlobLimits {
    /// The most bytes of one that is taken; 0 if none is.
    pub fn most(&self) -> u64 {
        self.bytes.min(self.account_bytes).min(self.all_bytes)
    }
}

impl Default for BlobLimits {
    fn default() -> Self {
        Self {
            bytes: Layout::of(MAX_FILE).sealed_bytes(),
            account_bytes: 4 << 30,
            all_bytes: 64 << 30,
            keep_s: 30 * 24 * 3600,
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        let rate = |burst, per_minute| Rate { burst, per_minute };
        Self {
            envelope_bytes: Envelope::MAX_BYTES as u64,
            mailbox_bytes: 64 << 20,
            mailbox_envelopes: 20_000,
            keep_s: 30 * 24 * 3600,
            requests: 64,
            requests_per_origin: 3,
            origin_s: 24 * 3600,
            request_bytes: 16 * 1024,
            work_bits: 18,
            work_bits_full: 6,
            tokens: 20_000,
            key_packages: 200,
            requests_rate: rate(4_000, 60_000),
            address_rate: rate(16_000, 240_000),
            deposits_rate: rate(2_000, 6_000),
            login_handle_rate: rate(10, 2),
            login_address_rate: rate(60, 10),
            register_rate: rate(60, 10),
            contact_rate: rate(30, 6),
            put_address_rate: rate(256, 1),
            create_log_rate: rate(256, 2),
            home: home::Limits::default(),
            blobs: BlobLimits::default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_contains_its_own_addresses_only() {
        let net: Network = "203.0.113.0/24".parse().unwrap();
        assert!(net.contains("203.0.113.9".parse().unwrap()));
        assert!(net.contains("::ffff:203.0.113.9".parse().unwrap()));
        assert!(!net.contains("203.0.114.9".parse().unwrap()));
        let all: Network = "::/0".parse().unwrap();
        assert!(all.contains("2001:db8::1".parse().unwrap()) && !all.contains("1.2.3.4".parse().unwrap()));
        assert_eq!("10.0.0.0/33".parse::<Network>(), Err(InvalidNetwork("10.0.0.0/33".into())));
    }
}
