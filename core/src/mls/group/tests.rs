//! Groups of real devices, each with a store of its own that is loaded again before every step.

mod agreement;
mod hostile;
mod size;
mod stored;

use rand_core::SeedableRng as _;

use super::*;
use crate::mls::{KeyPackage, OwnKeyPackage, UnverifiedKeyPackage};
use crate::store::MemoryStore;

/// A device with a store; every step reads the group from the store and commits its batch if it succeeds.
struct Device {
    name: String,
    store: MemoryStore,
    rng: Rng,
    signer: LeafSigner,
    now: Timestamp,
    group: Option<GroupId>,
    /// Bytes of the last batch.
    written: usize,
}

impl Device {
    fn new(name: &str, seed: u64) -> Self {
        let mut rng = Rng::seed_from_u64(seed);
        let mut key = [0; 32];
        rand_core::RngCore::fill_bytes(&mut rng, &mut key);
        Self {
            name: name.to_owned(),
            store: MemoryStore::new(),
            rng,
            signer: LeafSigner::from_seed(&key),
            now: Timestamp(1_000_000),
            group: None,
            written: 0,
        }
    }

    fn run<T>(
        &mut self,
        step: impl FnOnce(&mut Context<'_>, &LeafSigner) -> Result<T, MlsError>,
    ) -> Result<T, MlsError> {
        let mut batch = Batch::new();
        let mut context = Context { store: &self.store, batch: &mut batch, rng: &mut self.rng, now: self.now };
        let result = step(&mut context, &self.signer);
        if result.is_err() {
            assert!(batch.is_empty(), "an operation that failed left changes");
        }
        self.written = batch.size_bytes();
        self.store.apply(&batch);
        result
    }

    fn load(&self) -> Group {
        Group::load(&self.store, &self.group.unwrap()).unwrap().unwrap()
    }

    fn has_expired(&self) -> bool {
        Group::has_expired(&self.store, &self.group.unwrap(), self.now).unwrap()
    }

    fn with<T>(
        &mut self,
        step: impl FnOnce(&mut Group, &mut Context<'_>, &LeafSigner) -> Result<T, MlsError>,
    ) -> Result<T, MlsError> {
        let mut group = self.load();
        self.run(|context, signer| step(&mut group, context, signer))
    }

    fn create(&mut self, suite: Suite) {
        let name = self.name.clone();
        let group = self
            .run(|context, signer| Group::create(context, conversation(), b"policy 0", suite, signer, name.as_bytes()))
            .unwrap();
        self.group = Some(group.id());
    }

    fn key_package(&mut self, suite: Suite, last_resort: bool) -> (Vec<u8>, KeyPackage) {
        let name = self.name.clone();
        let own = self
            .run(|context, signer| OwnKeyPackage::generate(context, suite, signer, name.as_bytes(), last_resort))
            .unwrap();
        let verified = UnverifiedKeyPackage::parse(&own.bytes).unwrap().verify(suite).unwrap();
        assert_eq!(verified.reference(), own.reference);
        (own.reference, verified)
    }

    fn commit(&mut self, change: Change) -> Result<Pending, MlsError> {
        self.with(|group, context, signer| group.commit(context, signer, change))
    }

    fn accepted(&mut self) {
        self.with(|group, context, _| group.own_commit_accepted(context)).unwrap();
    }

    /// Commits and accepts at once.
    fn change(&mut self, change: Change) -> Pending {
        let pending = self.commit(change).unwrap();
        self.accepted();
        pending
    }

    fn join(&mut self, welcome: &[u8]) -> Result<(), MlsError> {
        let invitation = self.run(|context, _| Invitation::open(context, welcome))?;
        self.group = Some(self.run(|context, _| invitation.accept(context))?.id());
        Ok(())
    }

    fn seal(&mut self, text: &[u8]) -> Vec<u8> {
        self.with(|group, context, signer| group.seal(context, signer, text)).unwrap()
    }

    fn process(&mut self, blob: &[u8]) -> Result<Processed, MlsError> {
        self.with(|group, context, _| group.process(context, blob))
    }

    fn open(&mut self, blob: &[u8]) -> Result<Application, MlsError> {
        match self.process(blob)? {
            Processed::Application(message) => Ok(message),
            other => panic!("not a message: {other:?}"),
        }
    }

    /// Checks a commit and merges it.
    fn follow(&mut self, blob: &[u8]) -> Result<Summary, MlsError> {
        self.with(|group, context, _| {
            let Processed::Commit(staged) = group.process(context, blob)? else { panic!("not a commit") };
            let summary = staged.summary().clone();
            group.merge(context, staged)?;
            Ok(summary)
        })
    }
}

fn conversation() -> ConversationId {
    ConversationId::new([9; 32])
}

fn add(package: KeyPackage) -> Change {
    Change { adds: vec![package], ..Change::default() }
}

/// A group of as many devices as there are names; the first created it.
fn group_of<const N: usize>(suite: Suite, names: [&str; N]) -> [Device; N] {
    let mut seed = 0;
    let mut devices = names.map(|name| {
        seed += 1;
        Device::new(name, seed)
    });
    let (first, others) = devices.split_first_mut().unwrap();
    first.create(suite);
    if others.is_empty() {
        return devices;
    }
    let adds = others.iter_mut().map(|device| device.key_package(suite, false).1).collect();
    let welcome = first.change(Change { adds, ..Change::default() }).welcome.unwrap();
    for device in others {
        device.join(&welcome).unwrap();
    }
    devices
}
