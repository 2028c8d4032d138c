//! Envelopes that devices have acknowledged lately: a depositor who lost the answer asks again within seconds, and is told that it was
//! taken. They live in the process. What is forgotten and comes again is delivered again, and its device drops it (ADR 7: why no rows).

use std::collections::{BTreeSet, VecDeque};

use kith_core::types::{DeviceId, EnvelopeId, Incarnation};
use kith_core::wire::codec::hash;

/// How many are remembered, of all mailboxes together: three seconds of what a relay takes at the most, hours of a small one. Less
/// than 1 MB.
pub(super) const MOST: usize = 16_384;

/// 128 bits of a hash: of so many no two are alike by chance.
type Name = [u8; 16];

/// The last envelopes that were acknowledged.
#[derive(Debug, Default)]
pub(super) struct Recent {
    names: BTreeSet<Name>,
    /// The oldest first.
    order: VecDeque<Name>,
}

impl Recent {
    /// An envelope was acknowledged by a device.
    pub(super) fn add(&mut self, device: DeviceId, queue: Incarnation, envelope: EnvelopeId) {
        let name = name(device, queue, envelope);
        if !self.names.insert(name) {
            return;
        }
        if self.order.len() >= MOST
            && let Some(oldest) = self.order.pop_front()
        {
            self.names.remove(&oldest);
        }
        self.order.push_back(name);
    }

    /// Whether it was, lately.
    pub(super) fn has(&self, device: DeviceId, queue: Incarnation, envelope: EnvelopeId) -> bool {
        self.names.contains(&name(device, queue, envelope))
    }
}

fn name(device: DeviceId, queue: Incarnation, envelope: EnvelopeId) -> Name {
    let whole = hash("kith/relay-recent/1", &[device.as_ref(), queue.as_ref(), envelope.as_ref()]);
    let mut name = Name::default();
    name.iter_mut().zip(whole.as_bytes()).for_each(|(to, from)| *to = *from);
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    const QUEUE: Incarnation = Incarnation::new([1; Incarnation::LEN]);

    fn envelope(number: usize) -> EnvelopeId {
        let mut bytes = [0; 16];
        bytes.iter_mut().zip(number.to_be_bytes()).for_each(|(to, from)| *to = from);
        EnvelopeId::new(bytes)
    }

    #[test]
    fn the_last_ones_are_remembered_of_each_mailbox_and_no_more_than_there_is_room_for() {
        let (one, other) = (DeviceId::new([1; 32]), DeviceId::new([2; 32]));
        let mut recent = Recent::default();
        for number in 0..=MOST {
            recent.add(one, QUEUE, envelope(number));
            recent.add(one, QUEUE, envelope(number));
        }
        assert!(!recent.has(one, QUEUE, envelope(0)) && recent.has(one, QUEUE, envelope(1)));
        assert!(recent.has(one, QUEUE, envelope(MOST)) && !recent.has(other, QUEUE, envelope(MOST)));
        assert_eq!((recent.names.len(), recent.order.len()), (MOST, MOST));
    }
}
