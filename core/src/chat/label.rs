//! What a device is called among the devices of its account.
//!
//! A device says it of itself, by settings in the conversation with oneself, and nobody outside the account hears it. Of another one it
//! can say nothing, so that a device in other hands does not change what the others are called. Of several the latest counts.
//!
//! Invariant: one row a device, of bounded size. What is in it is as it was said: whoever shows it cleans it first.

use serde::{Deserialize, Serialize};

use super::shelf::{At, Kept, put};
use super::turn::{EngineError, Turn, get};
use crate::store::{Read, Scope, Table};
use crate::types::DeviceId;
use crate::wire::codec::Body;
use crate::wire::message::{MAX_DEVICE_NAME, Setting};

/// What a setting of the device that writes it is called: this, and which.
const PREFIX: &str = "device/";
const NAME: &str = "name";
const MACHINE: &str = "machine";
const SYSTEM: &str = "system";

/// What a device is called.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Label {
    #[serde(rename = "n")]
    name: Option<Kept<String>>,
    #[serde(rename = "m")]
    machine: Option<Kept<String>>,
    #[serde(rename = "s")]
    system: Option<Kept<String>>,
}

impl std::fmt::Debug for Label {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Label(…)")
    }
}

impl Body for Label {
    const MAX_BYTES: usize = 3 * (4 * MAX_DEVICE_NAME + 128);
}

impl Label {
    /// What its owner calls it.
    pub fn name(&self) -> Option<&str> {
        value(self.name.as_ref())
    }

    /// What the machine is called by its system.
    pub fn machine(&self) -> Option<&str> {
        value(self.machine.as_ref())
    }

    /// The system that it runs.
    pub fn system(&self) -> Option<&str> {
        value(self.system.as_ref())
    }
}

fn value(kept: Option<&Kept<String>>) -> Option<&str> {
    kept.map(|kept| kept.value.as_str()).filter(|text| !text.is_empty())
}

/// Reads what a device is called.
///
/// # Errors
/// If the store does not answer or the row cannot be read.
pub fn label(read: &(impl Read + ?Sized), device: &DeviceId) -> Result<Label, EngineError> {
    Ok(get(read, Table::Account, &key(device))?.unwrap_or_default())
}

fn key(device: &DeviceId) -> Vec<u8> {
    [device.as_ref(), b"/label"].concat()
}

/// The settings by which a device says what it is called: of what is named that which is not known of it yet.
pub(super) fn settings(
    known: &Label,
    name: Option<String>,
    machine: Option<String>,
    system: Option<String>,
) -> Vec<Setting> {
    [(NAME, name, known.name()), (MACHINE, machine, known.machine()), (SYSTEM, system, known.system())]
        .into_iter()
        .filter_map(|(which, said, known)| said.map(|said| (which, said, known.unwrap_or_default())))
        .filter(|(_, said, known)| said != known)
        .map(|(which, said, _)| Setting { name: format!("{PREFIX}{which}"), value: said })
        .collect()
}

/// A setting counts: it may say what the device that wrote it is called.
pub(super) fn set(turn: &mut Turn<'_>, at: At, setting: Setting) -> Result<(), EngineError> {
    let Some(which) = setting.name.strip_prefix(PREFIX) else { return Ok(()) };
    let device = at.1.feed.device;
    let mut label = label(&turn.read(), &device)?;
    let slot = match which {
        NAME => &mut label.name,
        MACHINE => &mut label.machine,
        SYSTEM => &mut label.system,
        _ => return Ok(()),
    };
    if put(slot, setting.value.chars().take(MAX_DEVICE_NAME).collect(), at) {
        turn.put(Table::Account, Scope::Account, &key(&device), &label);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use rand_core::SeedableRng;

    use super::*;
    use crate::chat::api::{Effects, Now};
    use crate::store::MemoryStore;
    use crate::types::{Clock, ContentId, FeedId, Incarnation, Rng, Timestamp};

    const ONE: DeviceId = DeviceId::new([1; 32]);
    const OTHER: DeviceId = DeviceId::new([2; 32]);

    fn say(store: &mut MemoryStore, device: DeviceId, clock: u64, name: &str, value: &str) {
        let (mut rng, mut effects) = (Rng::seed_from_u64(1), Effects::default());
        let now = Now { wall: Timestamp(1), mono_ms: 1 };
        let mut turn = Turn { now, rng: &mut rng, base: store, effects: &mut effects };
        let feed = FeedId { device, incarnation: Incarnation::new([3; 8]) };
        let setting = Setting { name: name.to_owned(), value: value.to_owned() };
        set(&mut turn, (Clock(clock), ContentId { feed, sequence: clock }), setting).unwrap();
        store.apply(&effects.batch);
    }

    #[test]
    fn the_latest_that_a_device_says_of_itself_counts_in_whatever_order_it_comes() {
        for order in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
            let mut store = MemoryStore::new();
            for place in order {
                let (clock, name) = [(1, "first"), (2, "second"), (3, "third")][place];
                say(&mut store, ONE, clock, "device/name", name);
            }
            assert_eq!(label(&store, &ONE).unwrap().name(), Some("third"), "{order:?}");
            assert_eq!(label(&store, &OTHER).unwrap(), Label::default());
        }
    }

    #[test]
    fn what_is_said_stays_in_bounds_and_words_that_are_not_known_are_passed_over() {
        let mut store = MemoryStore::new();
        let long = "ж".repeat(20_000);
        for which in ["device/name", "device/machine", "device/system"] {
            say(&mut store, ONE, u64::MAX, which, &long);
        }
        let kept = label(&store, &ONE).unwrap();
        for said in [kept.name(), kept.machine(), kept.system()] {
            assert_eq!(said, Some("ж".repeat(MAX_DEVICE_NAME).as_str()));
        }
        assert!(kept.encode().len() <= Label::MAX_BYTES);
        for which in ["device/", "device/colour", "device/name/", "name", ""] {
            say(&mut store, OTHER, 1, which, "odd");
        }
        assert_eq!(label(&store, &OTHER).unwrap(), Label::default());
    }
}
