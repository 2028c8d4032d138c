//! A message in a group whose past epochs are full: time of the sender's processor, and bytes that each end writes.
//!
//! Sealing waits for nothing, so that its time on the wall, the middle of many, is the processor's.

use std::time::{Duration, Instant};

use kith_core::mls::{
    Change, Context, Group, Invitation, KeyPackage, LeafSigner, MlsError, OwnKeyPackage, Processed, Suite,
    UnverifiedKeyPackage,
};
use kith_core::store::{Batch, MemoryStore};
use kith_core::types::{ConversationId, GroupId, Rng, Timestamp};
use rand_core::SeedableRng;

use crate::baseline::{ms, p50_p99};
use crate::figure::Figure;
use crate::{Failure, Scale};

/// Devices, milliseconds at the sender, and bytes at each end, at most.
const TARGETS: [(usize, f64, f64); 3] = [(2, 2.0, 8_000.0), (20, 3.0, 64_000.0), (200, 10.0, 512_000.0)];

/// Commits after which a group of any size has all the past epochs that it keeps.
const COMMITS: usize = 6;

const MESSAGES: usize = 100;

/// The length of a message that somebody types, in bytes.
const TEXT: [u8; 200] = [7; 200];

/// A device with a store of its own.
struct Device {
    store: MemoryStore,
    rng: Rng,
    signer: LeafSigner,
    /// Bytes of the last batch.
    written: usize,
}

impl Device {
    fn new(number: u64) -> Self {
        let rng = Rng::seed_from_u64(number);
        let signer = LeafSigner::from_seed(&rng.clone().get_seed());
        Self { store: MemoryStore::new(), rng, signer, written: 0 }
    }

    fn run<T>(
        &mut self,
        step: impl FnOnce(&mut Context<'_>, &LeafSigner) -> Result<T, MlsError>,
    ) -> Result<T, MlsError> {
        let mut batch = Batch::new();
        let mut context =
            Context { store: &self.store, batch: &mut batch, rng: &mut self.rng, now: Timestamp(1_000_000) };
        let result = step(&mut context, &self.signer)?;
        self.written = batch.size_bytes();
        self.store.apply(&batch);
        Ok(result)
    }

    fn key_package(&mut self) -> Result<KeyPackage, MlsError> {
        let generate = |context: &mut Context<'_>, signer: &LeafSigner| {
            OwnKeyPackage::generate(context, SUITE, signer, b"device", false)
        };
        UnverifiedKeyPackage::parse(&self.run(generate)?.bytes)?.verify(SUITE)
    }

    fn load(&self, group: GroupId) -> Result<Group, Failure> {
        Ok(Group::load(&self.store, &group)?.ok_or("the group is not in the store")?)
    }
}

const SUITE: Suite = Suite::DEFAULT;

pub(crate) fn run(_: Scale) -> Result<Vec<Figure>, Failure> {
    let signature = signature();
    let mut figures = Vec::new();
    for (devices, time, bytes) in TARGETS {
        let (mut alice, mut bob, group) = group_of(devices)?;
        let (mut sender, mut receiver) = (alice.load(group)?, bob.load(group)?);
        let (mut times, mut sent, mut received) = (Vec::new(), 0, 0);
        for _ in 0..MESSAGES {
            let begun = Instant::now();
            let blob = alice.run(|context, signer| sender.seal(context, signer, &TEXT))?;
            times.push(begun.elapsed());
            sent = sent.max(alice.written);
            bob.run(|context, _| receiver.process(context, &blob))?;
            received = received.max(bob.written);
        }
        let text = TEXT.len() as f64;
        let name = |what: &str| format!("group of {devices}: {what}");
        figures.push(
            Figure::new(name("sender's CPU"), ms(p50_p99(times).0), "ms")
                .at_most(time)
                .against(ms(signature), "an Ed25519 signature"),
        );
        figures.push(
            Figure::new(name("written by sender"), sent as f64, "bytes").at_most(bytes).against(text, "its text"),
        );
        figures.push(
            Figure::new(name("written by receiver"), received as f64, "bytes").at_most(bytes).against(text, "its text"),
        );
    }
    Ok(figures)
}

/// Two of the devices have stores; past epochs of both are full.
fn group_of(devices: usize) -> Result<(Device, Device, GroupId), Failure> {
    let (mut alice, mut bob) = (Device::new(1), Device::new(2));
    let conversation = ConversationId::new([9; 32]);
    let create = |context: &mut Context<'_>, signer: &LeafSigner| {
        Group::create(context, conversation, b"policy", SUITE, signer, b"device")
    };
    let id = alice.run(create)?.id();
    let mut adds = vec![bob.key_package()?];
    for number in 2..devices {
        adds.push(Device::new(1000 + number as u64).key_package()?);
    }
    let mut group = alice.load(id)?;
    let change = Change { adds, ..Change::default() };
    let pending = alice.run(|context, signer| group.commit(context, signer, change))?;
    alice.run(|context, _| group.own_commit_accepted(context))?;
    let welcome = pending.welcome.ok_or("no Welcome")?;
    let invitation = bob.run(|context, _| Invitation::open(context, &welcome))?;
    bob.run(|context, _| invitation.accept(context))?;
    for _ in 0..COMMITS {
        pass_epoch(&mut alice, &mut bob, id)?;
    }
    Ok((alice, bob, id))
}

/// A message, so that the epoch's ratchets are in use, and a commit.
fn pass_epoch(alice: &mut Device, bob: &mut Device, id: GroupId) -> Result<(), Failure> {
    let (mut sender, mut receiver) = (alice.load(id)?, bob.load(id)?);
    let blob = alice.run(|context, signer| sender.seal(context, signer, &TEXT))?;
    bob.run(|context, _| receiver.process(context, &blob))?;
    let pending = bob.run(|context, signer| receiver.commit(context, signer, Change::default()))?;
    bob.run(|context, _| receiver.own_commit_accepted(context))?;
    alice.run(|context, _| match sender.process(context, &pending.blob)? {
        Processed::Commit(staged) => sender.merge(context, staged),
        Processed::Application(_) | Processed::OwnCommit => Err(MlsError::NotAllowed("another message than a commit")),
    })?;
    Ok(())
}

fn signature() -> Duration {
    use kith_core::identity::{Context, Seed, SigningKey};
    let key = SigningKey::from_seed(&Seed::new([1; 32]));
    let sign = |_| {
        let begun = Instant::now();
        std::hint::black_box(key.sign(Context::Log, &TEXT));
        begun.elapsed()
    };
    p50_p99((0..MESSAGES).map(sign).collect()).0
}
