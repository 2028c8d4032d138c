//! Accounts as their owners hold them: the root key, the newest record, and what a new device is set up with.

use kith_core::chat::account::{OwnPrekey, Setup, contact};
use kith_core::identity::{AccountRecord, DeviceCertificate, DeviceKeys, Prekey, RecordBody, RootKey};
use kith_core::mls::{Suite, generate_prekey};
use kith_core::types::{AccountId, Rng};
use kith_core::wire::codec::hash;
use rand_core::SeedableRng;

use super::world::World;

/// A person.
pub(crate) struct Person {
    pub(crate) root: RootKey,
    pub(crate) account: AccountId,
    pub(crate) record: AccountRecord,
    pub(crate) first_record: Vec<u8>,
    pub(crate) relay: Option<usize>,
    pub(crate) handle: String,
    /// Devices that are of the account now.
    pub(crate) devices: Vec<usize>,
    prekeys: u32,
}

impl World {
    /// A person with one device, signed up at a relay if there is one.
    pub(crate) fn add_person(&mut self, relay: Option<usize>) -> usize {
        let root = RootKey::generate(&mut self.rng);
        let keys = DeviceKeys::generate(&mut self.rng);
        let wall = self.true_wall();
        let suite = self.plan.suite;
        let (prekey, _) = derived_prekey(&root, 0, suite);
        let certificate = DeviceCertificate::issue(&root, &keys, wall).expect("a certificate");
        let relays = relay.map(|relay| self.relays[relay].address.clone()).into_iter().collect();
        let body = RecordBody {
            version: 1,
            predecessor: None,
            devices: vec![certificate],
            relays,
            prekeys: vec![prekey],
            features: vec!["text/1".to_owned()],
            created: wall,
        };
        let record = AccountRecord::sign(&root, body).expect("a record");
        let index = self.people.len();
        let handle = format!("person-{index}x");
        let account = root.account_id();
        let first_record = record.encode();
        let devices = Vec::new();
        self.people.push(Person { root, account, record, first_record, relay, handle, devices, prekeys: 0 });
        if let Some(relay) = relay {
            self.sign_up(index, relay, *keys.transport.public().as_bytes());
        }
        self.add_engine(index, keys);
        index
    }

    /// A further device of a person: certified, told to the relay, and told to one of the others.
    pub(crate) fn add_device(&mut self, person: usize) -> usize {
        let keys = DeviceKeys::generate(&mut self.rng);
        let wall = self.true_wall();
        let certificate = DeviceCertificate::issue(&self.people[person].root, &keys, wall).expect("a certificate");
        let mut body = self.people[person].record.successor(wall);
        body.devices.push(certificate);
        self.new_record(person, body);
        let device = self.add_engine(person, keys);
        self.spread_record(person, Some(device));
        device
    }

    /// Takes a device out of its account. What it does from now on is a thief's.
    pub(crate) fn remove_device(&mut self, device: usize) {
        let person = self.devices[device].person;
        let id = self.devices[device].id;
        let mut body = self.people[person].record.successor(self.true_wall());
        body.devices.retain(|certificate| certificate.device_id() != id);
        // A removed device knew the secret of the prekey.
        self.people[person].prekeys += 1;
        let number = self.people[person].prekeys;
        body.prekeys = vec![derived_prekey(&self.people[person].root, number, self.plan.suite).0];
        self.people[person].devices.retain(|own| *own != device);
        self.devices[device].removed = true;
        self.forget_blocks(person);
        self.new_record(person, body);
        self.spread_record(person, None);
    }

    /// What a device that is removed alone knew of blocks went with it.
    fn forget_blocks(&mut self, person: usize) {
        let Person { account, devices, .. } = &self.people[person];
        let holds = |device: &usize, other: &AccountId| {
            let contact = contact(&self.devices[*device].store, other).expect("a readable store");
            contact.is_some_and(|contact| contact.blocked)
        };
        self.ledger.shut.retain(|(who, other)| who != account || devices.iter().any(|device| holds(device, other)));
    }

    fn new_record(&mut self, person: usize, body: RecordBody) {
        let record = AccountRecord::sign(&self.people[person].root, body).expect("a record");
        if let Some(relay) = self.people[person].relay {
            self.put_record(relay, record.encode());
        }
        self.note("record", person, &record.hash().as_bytes()[..], || format!("of {person}: {}", record.version()));
        self.people[person].record = record;
    }

    /// The person tells one of their older devices; it tells the others.
    fn spread_record(&mut self, person: usize, newest: Option<usize>) {
        let older: Vec<usize> =
            self.people[person].devices.iter().copied().filter(|device| Some(*device) != newest).collect();
        let Some(device) = self.pick(&older) else { return };
        self.tell_record(person, device);
    }

    /// Repeated until the device is there to hear it: a person does not go away before it is done.
    pub(crate) fn tell_record(&mut self, person: usize, device: usize) {
        let record = self.people[person].record.encode();
        if self.devices[device].removed {
            return;
        }
        let prekeys = self.prekeys(person);
        let command = kith_core::chat::Command::OwnRecord { record, prekeys };
        self.command(device, command, move |world, outcome| {
            if outcome.is_err() {
                world.after(5_000, move |world| world.tell_record(person, device));
            }
        });
    }

    fn prekeys(&self, person: usize) -> Vec<OwnPrekey> {
        let (owner, suite) = (&self.people[person], self.plan.suite);
        let prekeys = owner.record.prekeys().iter();
        prekeys.map(|prekey| derived_prekey(&owner.root, prekey.id, suite).1).collect()
    }

    pub(crate) fn setup(&self, person: usize, keys: DeviceKeys) -> Setup {
        let (owner, suite) = (&self.people[person], self.plan.suite);
        let prekeys = self.prekeys(person);
        Setup { keys, record: owner.record.clone(), prekeys, handle: Some(owner.handle.clone()), suite }
    }
}

/// As the session derives it: from the root key, so that every device of the account has it.
fn derived_prekey(root: &RootKey, id: u32, suite: Suite) -> (Prekey, OwnPrekey) {
    let seed = hash("kith/sim/prekey", &[root.seed().expose(), &id.to_be_bytes(), &suite.number().to_be_bytes()]);
    let (key, secret) = generate_prekey(suite, &mut Rng::from_seed(*seed.as_bytes())).expect("a prekey");
    (Prekey { suite: suite.number(), id, key }, OwnPrekey { id, suite, secret })
}
