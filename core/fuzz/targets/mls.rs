//! Key packages, Welcomes, messages and commits, and what is sealed to a prekey.

use std::sync::OnceLock;

use kith_core::mls::{
    Change, Context, Group, Invitation, KeyPackage, LeafSigner, MlsError, OwnKeyPackage, PrekeySecret, Processed,
    Suite, UnverifiedKeyPackage, generate_prekey, open,
};
use kith_core::store::{Batch, MemoryStore};
use kith_core::types::{ConversationId, GroupId, Rng, Timestamp};
use rand_core::SeedableRng as _;

use super::{Target, fast, slow};

pub const TARGETS: &[Target] = &[
    fast("mls_key_package", key_package),
    slow("mls_message", message),
    fast("mls_sealed", sealed),
    slow("mls_welcome", welcome),
];

/// A device: a store, and what it draws from.
#[derive(Clone)]
pub struct Device {
    name: &'static str,
    store: MemoryStore,
    rng: Rng,
    signer: LeafSigner,
}

impl Device {
    fn new(name: &'static str, seed: u8) -> Self {
        let (rng, signer) = (Rng::from_seed([seed; 32]), LeafSigner::from_seed(&[seed; 32]));
        Self { name, store: MemoryStore::new(), rng, signer }
    }

    /// Does something; what fails leaves nothing behind.
    pub fn run<T>(
        &mut self,
        step: impl FnOnce(&mut Context<'_>, &LeafSigner) -> Result<T, MlsError>,
    ) -> Result<T, MlsError> {
        let mut batch = Batch::new();
        let now = Timestamp(1_000_000);
        let result =
            step(&mut Context { store: &self.store, batch: &mut batch, rng: &mut self.rng, now }, &self.signer);
        assert!(result.is_ok() || batch.is_empty(), "an operation that failed left changes");
        self.store.apply(&batch);
        result
    }

    fn key_package(&mut self) -> KeyPackage {
        let name = self.name.as_bytes();
        let own = self.run(|context, signer| OwnKeyPackage::generate(context, SUITE, signer, name, false));
        let package = UnverifiedKeyPackage::parse(&own.expect("a key package").bytes).expect("it is one");
        package.verify(SUITE).expect("it verifies")
    }

    fn group(&self, id: GroupId) -> Group {
        Group::load(&self.store, &id).expect("the store answers").expect("the group is here")
    }
}

/// The smaller one: a decoder does not care which, and a corpus is to be small.
const SUITE: Suite = Suite::X25519;

/// Alice and Bob in a group; Carol invited; what Alice sends.
pub struct Fixture {
    id: GroupId,
    bob: Device,
    carol: Device,
    /// Messages and a commit that Bob can process, in any order.
    pub blobs: Vec<Vec<u8>>,
    /// A Welcome for Carol.
    pub welcome: Vec<u8>,
    /// A key package.
    pub key_package: Vec<u8>,
    /// The prekey to which things are sealed, and something sealed.
    prekey: PrekeySecret,
    /// Something sealed to it.
    pub sealed: Vec<u8>,
}

/// The same at every start.
pub fn fixture() -> &'static Fixture {
    static FIXTURE: OnceLock<Fixture> = OnceLock::new();
    FIXTURE.get_or_init(build)
}

fn build() -> Fixture {
    let [mut alice, mut bob, mut carol] =
        [("alice", 1), ("bob", 2), ("carol", 3)].map(|(name, seed)| Device::new(name, seed));
    let create = |context: &mut Context<'_>, signer: &LeafSigner| {
        Group::create(context, ConversationId::new([9; 32]), b"policy", SUITE, signer, b"alice")
    };
    let id = alice.run(create).expect("a group").id();
    let commit = |alice: &mut Device, change: Change| {
        let mut group = alice.group(id);
        let pending = alice.run(|context, signer| group.commit(context, signer, change)).expect("a commit");
        (group, pending)
    };
    let adds = vec![bob.key_package()];
    let (mut group, pending) = commit(&mut alice, Change { adds, ..Change::default() });
    alice.run(|context, _| group.own_commit_accepted(context)).expect("it counts");
    let invitation = bob.run(|context, _| Invitation::open(context, &pending.welcome.expect("a Welcome")));
    bob.run(|context, _| invitation.expect("it opens").accept(context)).expect("Bob joins");
    let mut seal = |text: &[u8]| alice.run(|context, signer| group.seal(context, signer, text)).expect("a message");
    let mut blobs = vec![seal(b"hello"), seal(&[7; 300])];
    let adds = vec![carol.key_package()];
    let change = Change { adds, policy: Some(b"another".to_vec()), info: b"info".to_vec(), ..Change::default() };
    let (_, pending) = commit(&mut alice, change);
    blobs.push(pending.blob);
    let mut rng = Rng::from_seed([4; 32]);
    let (public, prekey) = generate_prekey(SUITE, &mut rng).expect("a prekey");
    let sealed = kith_core::mls::seal(SUITE, &public, b"info", b"aad", b"hello", &mut rng).expect("it is sealed");
    let dave =
        Device::new("dave", 5).run(|context, signer| OwnKeyPackage::generate(context, SUITE, signer, b"dave", true));
    let key_package = dave.expect("a key package").bytes;
    Fixture { id, bob, carol, blobs, welcome: pending.welcome.expect("a Welcome"), key_package, prekey, sealed }
}

fn key_package(bytes: &[u8]) -> bool {
    let Ok(package) = UnverifiedKeyPackage::parse(bytes) else { return false };
    for suite in Suite::ALL {
        let _ = package.clone().verify(suite);
    }
    true
}

fn message(bytes: &[u8]) -> bool {
    let mut bob = fixture().bob.clone();
    let mut group = bob.group(fixture().id);
    let epoch = group.epoch();
    let processed = bob.run(|context, _| group.process(context, bytes));
    let taken = processed.is_ok();
    if let Ok(Processed::Commit(staged)) = processed {
        assert_eq!(group.epoch(), epoch, "a commit counts before it was merged");
        bob.run(|context, _| group.merge(context, staged)).expect("a checked commit is merged");
    }
    let loaded = bob.group(fixture().id);
    assert_eq!(loaded.epoch(), group.epoch(), "the store has another epoch");
    taken
}

fn welcome(bytes: &[u8]) -> bool {
    let mut carol = fixture().carol.clone();
    let Ok(invitation) = carol.run(|context, _| Invitation::open(context, bytes)) else { return false };
    let group = carol.run(|context, _| invitation.accept(context)).expect("a checked Welcome is accepted");
    assert!(group.is_member());
    true
}

fn sealed(bytes: &[u8]) -> bool {
    open(SUITE, &fixture().prekey, b"info", b"aad", bytes).is_ok()
}
