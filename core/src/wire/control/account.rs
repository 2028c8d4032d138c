//! The account, its devices and contacts, and how they are reached, as they are shown.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Said, base64};

/// Who is signed in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Me {
    /// The account's id.
    pub account: String,
    /// This device's id.
    pub device: String,
    /// `name@relay`.
    pub handle: Option<String>,
    /// The relay's addresses.
    pub relays: Vec<String>,
    /// Devices of the account.
    pub devices: u32,
}

impl Me {
    /// Where the account is, to log in there: the addresses of its relay with commas between, and its name there. None without a
    /// relay.
    pub fn place(&self) -> Option<(String, String)> {
        let (handle, _) = self.handle.as_deref()?.split_once('@')?;
        (!self.relays.is_empty()).then(|| (self.relays.join(","), handle.to_owned()))
    }
}

/// How things are reached.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Status {
    /// Whether the own relay is connected; none if the account has none.
    pub relay_connected: Option<bool>,
    /// Why not.
    pub relay_problem: Option<Box<Said>>,
    /// Where this device can be found.
    pub addresses: Vec<String>,
    /// Messages not yet delivered to somebody.
    pub undelivered: u64,
    /// The contacts.
    pub contacts: Vec<Reach>,
    /// What was noticed and should be looked at: a lying home, an older record, a forked feed.
    pub warnings: Vec<Said>,
    /// How often something came that was no good and was not taken, by reason, since the profile was opened.
    #[serde(default)]
    pub refused: BTreeMap<String, u64>,
}

/// How a contact is reached: by the best of its devices' ways.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Reach {
    /// The account's id.
    pub account: String,
    /// Its name here.
    pub name: String,
    /// `lan`, `direct`, `circuit` or `mailbox`.
    pub path: String,
    /// Why not better.
    pub why: Said,
    /// Round trip in milliseconds, if it was measured.
    pub round_trip_ms: Option<f64>,
}

/// A contact or a group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contact {
    /// The account's id; of a group none.
    pub account: Option<String>,
    /// The conversation's id, once there is one.
    pub conversation: Option<String>,
    /// How it is called here: a handle, a group's name, or the beginning of the id.
    pub name: String,
    /// `name@relay` as it was looked up: a hint.
    pub handle: Option<String>,
    /// `asked`, `accepted`, `blocked` or `group`.
    pub state: String,
    /// Safety number compared.
    pub verified: bool,
    /// The safety number, 12 groups of 5 digits.
    pub safety_number: Option<String>,
    /// Messages that were not read.
    pub unread: u64,
    /// How many devices read the conversation, this one among them; by a service that does not say, none.
    #[serde(default)]
    pub devices: u32,
}

/// A device of the own account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeviceInfo {
    /// Its id.
    pub device: String,
    /// It is this one.
    pub this: bool,
    /// It is connected to this one.
    pub connected: bool,
    /// How: `lan`, `direct`, `circuit`, or `mailbox` when it is not connected; none for this one.
    pub path: Option<String>,
    /// When it was made, in milliseconds since 1970 by its clock.
    pub created_ms: u64,
    /// What its owner calls it, if they said so.
    #[serde(default)]
    pub name: Option<String>,
    /// What the machine is called by its system, if the device said so.
    #[serde(default)]
    pub machine: Option<String>,
    /// The system that it runs, such as `Linux`, if the device said so.
    #[serde(default)]
    pub system: Option<String>,
}

impl DeviceInfo {
    /// What it is called: by its owner, or else by its system.
    pub fn called(&self) -> Option<&str> {
        self.name.as_deref().or(self.machine.as_deref())
    }
}

/// What was chosen for a profile.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct LiveOptions {
    /// Tell others what was read.
    pub read_receipts: bool,
    /// Find contacts on the local network.
    pub mdns: bool,
    /// No direct paths.
    pub always_relay: bool,
    /// Tell others that one types.
    pub typing: bool,
    /// Tell others which of their voice notes were heard.
    #[serde(default)]
    pub played_receipts: bool,
    /// Files of others up to so many bytes are fetched without being asked for; 0 for none.
    pub auto_fetch_bytes: u64,
    /// The profile runs otherwise than chosen, and will as chosen from its next start: if that is not told to be more discreet.
    pub restart: bool,
}

/// What an account says about itself, as it is shown: cut to its bounds, without characters that are not seen or turn text round.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Profile {
    /// The account's id.
    pub account: String,
    /// What it calls itself.
    pub name: Option<String>,
    /// Its words about itself.
    pub about: Option<String>,
    /// Its picture, PNG or JPEG as it was sent: whoever shows it looks whether it is one. In JSON as base64.
    #[serde(with = "base64")]
    pub picture: Option<Vec<u8>>,
}

/// A contact request that waits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContactRequest {
    /// The account's id.
    pub account: String,
    /// The handle they say they have: a hint, *unverified*.
    pub handle: Option<String>,
    /// What they write.
    pub text: String,
    /// When, in milliseconds since 1970, by their clock.
    pub sent_ms: u64,
    /// They are in a conversation with a device that was removed from this account, and that alone knew them. Accepted, the others come
    /// into it. That device may have been a thief's when they met it.
    #[serde(default)]
    pub remembered: bool,
}
