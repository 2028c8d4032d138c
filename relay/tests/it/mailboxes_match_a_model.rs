//! Random requests against a model that is nothing but vectors.

use std::collections::{BTreeMap, BTreeSet};

use kith_core::types::EnvelopeId;
use kith_core::wire::envelope::Class;
use kith_core::wire::relay::{Cursor, Deposited, Request};
use kith_relay::domain::{Limits, Relay, Settings};
use proptest::prelude::*;

use crate::world::{Person, World, envelope_of, keys, stranger};

const DEVICES: usize = 3;
const KEEP_S: u64 = 100;
const MOST: usize = 6;

#[derive(Debug, Clone)]
enum Step {
    Deposit { id: u8, large: bool, to: Vec<usize>, ttl_s: Option<u32> },
    Fetch { device: usize },
    Acknowledge { device: usize, from: u64, upto: u64 },
    Pass { seconds: u64, sweep: bool },
    Disconnect { device: usize },
    Restart,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let device = 0..DEVICES;
    let to = proptest::collection::vec(0..DEVICES, 1..=DEVICES);
    let step = prop_oneof![
        5 => (0u8..20, any::<bool>(), to, proptest::option::of(1u32..200))
            .prop_map(|(id, large, to, ttl_s)| Step::Deposit { id, large, to, ttl_s }),
        2 => device.clone().prop_map(|device| Step::Fetch { device }),
        3 => (device.clone(), 0u64..6, 0u64..12).prop_map(|(device, from, upto)| Step::Acknowledge { device, from, upto }),
        1 => (0u64..60, any::<bool>()).prop_map(|(seconds, sweep)| Step::Pass { seconds, sweep }),
        1 => device.prop_map(|device| Step::Disconnect { device }),
        1 => Just(Step::Restart),
    ];
    proptest::collection::vec(step, 1..40)
}

/// What one mailbox should be.
#[derive(Default)]
struct Model {
    next: u64,
    /// Number, envelope, end in seconds.
    queue: Vec<(u64, Vec<u8>, u64)>,
    /// Ids that are known. Those that were acknowledged are forgotten only when there are many, or the relay starts anew.
    seen: BTreeSet<u8>,
    ids: BTreeMap<u64, u8>,
}

impl Model {
    fn deposit(&mut self, id: u8, envelope: &[u8], until: u64) -> Deposited {
        if self.seen.contains(&id) {
            return Deposited::Taken;
        }
        if self.queue.len() >= MOST {
            return Deposited::Full;
        }
        self.queue.push((self.next, envelope.to_vec(), until));
        self.seen.insert(id);
        self.ids.insert(self.next, id);
        self.next += 1;
        Deposited::Taken
    }

    fn acknowledge(&mut self, from: u64, upto: u64) {
        self.queue.retain(|item| !(from..upto).contains(&item.0));
    }

    fn forget(&mut self) {
        self.seen = self.queue.iter().map(|item| self.ids[&item.0]).collect();
    }

    fn sweep(&mut self, now: u64) {
        let gone: BTreeSet<u8> = self.queue.iter().filter(|item| item.2 <= now).map(|item| self.ids[&item.0]).collect();
        self.queue.retain(|item| item.2 > now);
        self.seen.retain(|id| !gone.contains(id));
    }
}

fn run(steps: Vec<Step>) -> Result<(), TestCaseError> {
    let limits = Limits { keep_s: KEEP_S, mailbox_envelopes: MOST as u64, ..Limits::default() };
    let mut world = World::new(Settings { limits, ..Settings::default() });
    let bob = world.person("bob", DEVICES);
    let start = world.now;
    let mut models: Vec<Model> = (0..DEVICES).map(|_| Model::default()).collect();
    for step in steps {
        let now = (world.now.0 - start.0) / 1000;
        match step {
            Step::Deposit { id, large, to, ttl_s } => {
                let class = ttl_s.map_or(Class::Durable, |ttl_s| Class::Ephemeral { ttl_s });
                let envelope = envelope_of(EnvelopeId::new([id; 16]), class, if large { 2000 } else { 20 });
                let until = now + ttl_s.map_or(KEEP_S, u64::from).min(KEEP_S);
                let mailboxes: Vec<_> = to.iter().map(|device| bob.mailbox(*device)).collect();
                let results = world.deposit(stranger(1), &mailboxes, &envelope);
                let expected: Vec<_> = to.iter().map(|device| models[*device].deposit(id, &envelope, until)).collect();
                prop_assert_eq!(results, expected);
            }
            Step::Fetch { device } => compare(&mut world, &bob, device, &models[device], now)?,
            Step::Acknowledge { device, from, upto } => {
                let queue = world.fetch(bob.caller(device), None).0.queue;
                world.done(bob.caller(device), Request::Acknowledge { from, upto: Cursor { queue, next: upto } });
                models[device].acknowledge(from, upto);
            }
            Step::Pass { seconds, sweep } => {
                world.now = world.now.plus_ms(seconds * 1000);
                if sweep {
                    world.pass(0);
                    models.iter_mut().for_each(|model| model.sweep(now + seconds));
                }
            }
            Step::Disconnect { device } => world.relay.disconnected(bob.caller(device).peer),
            Step::Restart => {
                world.relay = Relay::new(world.relay.settings().clone(), keys());
                models.iter_mut().for_each(Model::forget);
            }
        }
    }
    let now = (world.now.0 - start.0) / 1000;
    for (device, model) in models.iter().enumerate() {
        compare(&mut world, &bob, device, model, now)?;
    }
    world.pass(40 * 24 * 3600 * 1000);
    let left = world.rows.len();
    let mut fresh = World::new(Settings::default());
    fresh.person("bob", DEVICES);
    prop_assert_eq!(left, fresh.rows.len(), "in the end nothing is left");
    Ok(())
}

fn compare(world: &mut World, bob: &Person, device: usize, model: &Model, now: u64) -> Result<(), TestCaseError> {
    let (cursor, envelopes, more) = world.fetch(bob.caller(device), None);
    let found: Vec<(u64, Vec<u8>)> = envelopes.into_iter().map(|stored| (stored.number, stored.envelope)).collect();
    let alive = model.queue.iter().filter(|item| item.2 > now);
    let expected: Vec<(u64, Vec<u8>)> = alive.map(|item| (item.0, item.1.clone())).collect();
    prop_assert_eq!(found, expected);
    prop_assert_eq!((cursor.next, more), (model.next, false));
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]
    #[test]
    fn mailboxes_match_a_model(steps in steps()) {
        run(steps)?;
    }
}
