//! Input that is damaged, replayed, another's, or made by a member who bypasses the checks.

use openmls::prelude::tls_codec::{DeserializeBytes as _, Serialize as _};
use openmls::prelude::{
    CredentialType, CustomProposal, Extension, Extensions, LeafNodeParameters, MlsMessageBodyIn, MlsMessageIn,
    OpenMlsProvider as _, PURE_PLAINTEXT_WIRE_FORMAT_POLICY, Proposal, RequiredCapabilitiesExtension, StagedWelcome,
};
use openmls_rust_crypto::OpenMlsRustCrypto;
use proptest::prelude::*;

use super::*;
use crate::mls::{IDENTITY_MAX_BYTES, MESSAGE_MAX_BYTES, POLICY_MAX_BYTES};

#[test]
fn a_replayed_message_is_refused() {
    let [mut alice, mut bob] = group_of(Suite::X25519, ["alice", "bob"]);
    let blob = alice.seal(b"once");
    bob.open(&blob).unwrap();
    assert_eq!(bob.open(&blob), Err(MlsError::Replayed));
    assert_eq!(alice.open(&blob), Err(MlsError::OwnMessage));
}

#[test]
fn a_message_beyond_the_window_is_refused() {
    let [mut alice, mut bob] = group_of(Suite::X25519, ["alice", "bob"]);
    let mut group = alice.load();
    let mut blobs = Vec::new();
    for _ in 0..FORWARD + 2 {
        blobs.push(alice.run(|context, signer| group.seal(context, signer, b"")).unwrap());
    }
    assert_eq!(bob.open(blobs.last().unwrap()), Err(MlsError::TooFarAhead));
    bob.open(&blobs[OUT_OF_ORDER as usize + 1]).unwrap();
    assert_eq!(bob.open(&blobs[0]), Err(MlsError::Replayed));
    bob.open(&blobs[2]).unwrap();
}

#[test]
fn a_message_of_another_group_is_refused() {
    let [mut alice, _] = group_of(Suite::X25519, ["alice", "bob"]);
    let mut other = Device::new("other", 77);
    other.create(Suite::X25519);
    let blob = alice.seal(b"for Bob");
    assert_eq!(other.open(&blob), Err(MlsError::WrongGroup));
}

#[test]
fn a_message_of_an_epoch_to_come_is_refused_until_its_commit_is_merged() {
    let [mut alice, mut bob] = group_of(Suite::X25519, ["alice", "bob"]);
    let pending = alice.change(Change::default());
    let blob = alice.seal(b"early");
    assert_eq!(bob.open(&blob), Err(MlsError::FutureEpoch { epoch: 2, current: 1 }));
    bob.follow(&pending.blob).unwrap();
    assert_eq!(bob.open(&blob).unwrap().bytes, b"early");
}

#[test]
fn what_is_too_large_is_refused() {
    let [mut alice, mut bob] = group_of(Suite::X25519, ["alice", "bob"]);
    let large = vec![0; MESSAGE_MAX_BYTES + 1];
    assert!(matches!(bob.process(&large), Err(MlsError::TooLarge { .. })));
    assert!(matches!(bob.join(&large), Err(MlsError::TooLarge { .. })));
    let large = vec![0; APPLICATION_MAX_BYTES + 1];
    let sealed = alice.with(|group, context, signer| group.seal(context, signer, &large));
    assert!(matches!(sealed, Err(MlsError::TooLarge { .. })));
    let change = Change { policy: Some(vec![0; POLICY_MAX_BYTES + 1]), ..Change::default() };
    assert!(matches!(alice.commit(change), Err(MlsError::TooLarge { .. })));
    let change = Change { identity: Some(vec![0; IDENTITY_MAX_BYTES + 1]), ..Change::default() };
    assert!(matches!(alice.commit(change), Err(MlsError::TooLarge { .. })));
    let largest = alice.seal(&vec![1; APPLICATION_MAX_BYTES]);
    assert_eq!(bob.open(&largest).unwrap().bytes.len(), APPLICATION_MAX_BYTES);
}

#[test]
fn impossible_changes_are_refused() {
    let [mut alice, mut bob] = group_of(Suite::X25519, ["alice", "bob"]);
    let remove = |index| Change { removes: vec![index], ..Change::default() };
    assert_eq!(alice.commit(remove(7)), Err(MlsError::NoSuchLeaf(7)));
    assert_eq!(alice.commit(remove(0)), Err(MlsError::NotAllowed("removing oneself")));
    let (_, package) = bob.key_package(Suite::X25519, false);
    assert_eq!(alice.commit(add(package)), Err(MlsError::NotAllowed("adding a device that is there")));
    let other = LeafSigner::from_seed(&[5; 32]);
    let signed = alice.with(|group, context, _| group.commit(context, &other, Change::default()));
    assert!(matches!(signed, Err(MlsError::NotAllowed(_))));
    alice.change(Change::default());
}

#[test]
fn key_packages_are_checked() {
    let mut alice = Device::new("alice", 1);
    for suite in Suite::ALL {
        let own = alice.run(|context, signer| OwnKeyPackage::generate(context, suite, signer, b"alice", true)).unwrap();
        let parsed = UnverifiedKeyPackage::parse(&own.bytes).unwrap();
        let other = Suite::ALL.into_iter().find(|other| *other != suite).unwrap();
        assert_eq!(parsed.clone().verify(other), Err(MlsError::Unsupported("key package of another suite")));
        let verified = parsed.verify(suite).unwrap();
        assert!(verified.is_last_resort());
        assert_eq!(verified.identity(), b"alice");
        assert_eq!(verified.signature_key(), alice.signer.public());
        assert_eq!(OwnKeyPackage::is_stored(&alice.store, &own.reference), Ok(true));
        let longer = [own.bytes.as_slice(), &[0]].concat();
        assert_eq!(UnverifiedKeyPackage::parse(&longer).err(), Some(MlsError::Malformed("key package")));
    }
}

#[test]
fn a_key_package_is_used_once_unless_it_is_a_last_resort() {
    for last_resort in [false, true] {
        let mut alice = Device::new("alice", 1);
        let mut bob = Device::new("bob", 2);
        alice.create(Suite::X25519);
        let (reference, package) = bob.key_package(Suite::X25519, last_resort);
        let welcome = alice.change(add(package)).welcome.unwrap();
        bob.join(&welcome).unwrap();
        assert_eq!(OwnKeyPackage::is_stored(&bob.store, &reference), Ok(last_resort));
        let again = if last_resort { MlsError::GroupExists } else { MlsError::UnknownKeyPackage };
        assert_eq!(bob.join(&welcome), Err(again));
        assert_eq!(alice.join(&welcome), Err(MlsError::UnknownKeyPackage));
    }
}

/// A commit by a member who bypasses the checks of this module.
fn rogue_commit(
    device: &mut Device,
    proposals: Vec<Proposal>,
    extensions: Option<Extensions<openmls::prelude::GroupContext>>,
) -> Vec<u8> {
    device
        .with(|group, context, signer| {
            let provider = provider(context.store, context.batch, context.rng);
            let mut builder = group.mls.commit_builder().add_proposals(proposals).force_self_update(true);
            if let Some(extensions) = extensions {
                builder = builder.propose_group_context_extensions(extensions).unwrap();
            }
            let built = builder
                .load_psks(provider.storage())
                .unwrap()
                .build(provider.rand(), provider.crypto(), signer, |_| true)
                .unwrap();
            Ok(built.stage_commit(&provider).unwrap().commit().to_bytes().unwrap())
        })
        .unwrap()
}

fn custom(number: u16, payload: &[u8]) -> Proposal {
    Proposal::Custom(Box::new(CustomProposal::new(number, payload.to_vec())))
}

#[test]
fn a_hostile_members_commits_are_refused_and_nothing_sticks() {
    let elsewhere = policy::extensions(&ConversationId::new([1; 32]), b"policy").unwrap();
    let policy_only = policy::extensions(&conversation(), b"policy").unwrap().iter().nth(1).cloned().unwrap();
    let basic = RequiredCapabilitiesExtension::new(&[policy_only.extension_type()], &[], &[CredentialType::Basic]);
    let lax = Extensions::from_vec(vec![Extension::RequiredCapabilities(basic), policy_only]).unwrap();
    let cases = [
        (vec![custom(0xF4B5, b"")], None, MlsError::NotAllowed("an unknown proposal")),
        (vec![custom(0xF4B0, b"1"), custom(0xF4B0, b"2")], None, MlsError::NotAllowed("two infos in one commit")),
        (vec![], Some(elsewhere), MlsError::NotAllowed("moving a group to another conversation")),
        (vec![], Some(lax), MlsError::NotAllowed("other extensions of the group than Kith's")),
    ];
    for (proposals, extensions, refusal) in cases {
        let [mut mallory, mut bob, mut carol] = group_of(Suite::X25519, ["mallory", "bob", "carol"]);
        let blob = rogue_commit(&mut mallory, proposals, extensions);
        let mut group = bob.load();
        assert_eq!(bob.run(|context, _| group.process(context, &blob)).err(), Some(refusal));
        // The same group goes on, and so does one that is loaded anew.
        let good = carol.change(Change { info: b"good".to_vec(), ..Change::default() });
        let Processed::Commit(staged) = bob.run(|context, _| group.process(context, &good.blob)).unwrap() else {
            panic!("not a commit");
        };
        bob.run(|context, _| group.merge(context, staged)).unwrap();
        let blob = carol.seal(b"after");
        assert_eq!(bob.open(&blob).unwrap().bytes, b"after");
        assert_eq!(bob.load().leaf_count(), 3);
    }
}

/// A member who runs OpenMLS without this module.
struct Stranger {
    provider: OpenMlsRustCrypto,
    signer: LeafSigner,
    group: MlsGroup,
}

impl Stranger {
    /// Adds one to the group.
    fn added_by(alice: &mut Device) -> (Self, Vec<u8>) {
        let (provider, signer) = (OpenMlsRustCrypto::default(), LeafSigner::from_seed(&[66; 32]));
        let bundle = openmls::prelude::KeyPackage::builder()
            .leaf_node_capabilities(policy::capabilities(&Crypto::without_randomness()))
            .key_package_lifetime(unlimited())
            .build(Suite::X25519.ciphersuite(), &provider, &signer, credential(&signer, b"mallory").unwrap())
            .unwrap();
        let bytes = bundle.key_package().tls_serialize_detached().unwrap();
        let package = UnverifiedKeyPackage::parse(&bytes).unwrap().verify(Suite::X25519).unwrap();
        let pending = alice.change(add(package));
        let (welcome, _) = MlsMessageIn::tls_deserialize_bytes(&pending.welcome.unwrap()).unwrap();
        let MlsMessageBodyIn::Welcome(welcome) = welcome.extract() else { panic!("not a Welcome") };
        let staged = StagedWelcome::build_from_welcome(&provider, &join_config(), welcome)
            .unwrap()
            .skip_lifetime_validation()
            .build()
            .unwrap();
        let group = staged.into_group(&provider).unwrap();
        (Self { provider, signer, group }, pending.blob)
    }

    fn send_in_the_clear(&mut self) {
        let config = MlsGroupJoinConfig::builder().wire_format_policy(PURE_PLAINTEXT_WIRE_FORMAT_POLICY).build();
        self.group.set_configuration(self.provider.storage(), &config).unwrap();
    }
}

#[test]
fn proposals_outside_commits_and_handshakes_in_the_clear_are_refused() {
    let [mut alice, mut bob] = group_of(Suite::X25519, ["alice", "bob"]);
    let (mut mallory, blob) = Stranger::added_by(&mut alice);
    bob.follow(&blob).unwrap();
    let Stranger { provider, signer, group } = &mut mallory;
    let leave = group.leave_group(provider, signer).unwrap().to_bytes().unwrap();
    assert_eq!(bob.process(&leave).err(), Some(MlsError::NotAllowed("a proposal outside a commit")));
    group.clear_pending_proposals(provider.storage()).unwrap();

    // A commit that names a proposal which was sent apart.
    let (_, _) = group.propose_remove_member(provider, signer, openmls::prelude::LeafNodeIndex::new(0)).unwrap();
    let (commit, _, _) = group.commit_to_pending_proposals(provider, signer).unwrap();
    assert_eq!(bob.process(&commit.to_bytes().unwrap()).err(), Some(MlsError::NotAllowed("a commit that MLS refuses")));
    group.clear_pending_commit(provider.storage()).unwrap();
    group.clear_pending_proposals(provider.storage()).unwrap();

    mallory.send_in_the_clear();
    let Stranger { provider, signer, group } = &mut mallory;
    let commit = group.self_update(provider, signer, LeafNodeParameters::default()).unwrap();
    let clear = commit.commit().to_bytes().unwrap();
    assert_eq!(bob.process(&clear).err(), Some(MlsError::NotAllowed("a message in the clear")));
    assert_eq!((bob.load().epoch(), bob.load().leaf_count()), (2, 3));
    let blob = alice.seal(b"undisturbed");
    assert_eq!(bob.open(&blob).unwrap().bytes, b"undisturbed");
}

#[test]
fn a_stranger_without_kiths_capabilities_is_not_added() {
    let (provider, signer) = (OpenMlsRustCrypto::default(), LeafSigner::from_seed(&[66; 32]));
    let bundle = openmls::prelude::KeyPackage::builder()
        .build(Suite::X25519.ciphersuite(), &provider, &signer, credential(&signer, b"mallory").unwrap())
        .unwrap();
    let bytes = bundle.key_package().tls_serialize_detached().unwrap();
    let verified = UnverifiedKeyPackage::parse(&bytes).unwrap().verify(Suite::X25519);
    assert_eq!(verified, Err(MlsError::Unsupported("key package without Kith's capabilities")));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn a_damaged_message_is_refused_and_the_true_one_still_opens(
        at in any::<prop::sample::Index>(),
        flip in 1_u8..,
        cut in any::<prop::sample::Index>(),
    ) {
        let [mut alice, mut bob] = group_of(Suite::X25519, ["alice", "bob"]);
        let blob = alice.seal(b"true");
        let pending = alice.commit(Change { policy: Some(b"policy 1".to_vec()), ..Change::default() }).unwrap();
        for true_blob in [&blob, &pending.blob] {
            let mut damaged = true_blob.clone();
            damaged[at.index(true_blob.len())] ^= flip;
            prop_assert!(bob.process(&damaged).is_err());
            prop_assert!(bob.process(&true_blob[..cut.index(true_blob.len())]).is_err());
            prop_assert!(bob.process(&[true_blob.as_slice(), &[0]].concat()).is_err());
        }
        prop_assert_eq!(bob.open(&blob).unwrap().bytes, b"true");
        prop_assert_eq!(bob.follow(&pending.blob).unwrap().policy_after, b"policy 1");
    }

    #[test]
    fn a_damaged_welcome_is_refused_and_the_true_one_still_opens(
        at in any::<prop::sample::Index>(),
        flip in 1_u8..,
        cut in any::<prop::sample::Index>(),
    ) {
        let mut alice = Device::new("alice", 1);
        let mut bob = Device::new("bob", 2);
        alice.create(Suite::X25519);
        let (_, package) = bob.key_package(Suite::X25519, false);
        let welcome = alice.change(add(package)).welcome.unwrap();
        let mut damaged = welcome.clone();
        damaged[at.index(welcome.len())] ^= flip;
        prop_assert!(bob.join(&damaged).is_err());
        prop_assert!(bob.join(&welcome[..cut.index(welcome.len())]).is_err());
        prop_assert!(bob.join(&welcome).is_ok());
    }

    #[test]
    fn a_damaged_key_package_is_refused(at in any::<prop::sample::Index>(), flip in 1_u8..) {
        let mut bob = Device::new("bob", 2);
        let own = bob
            .run(|context, signer| OwnKeyPackage::generate(context, Suite::X25519, signer, b"bob", false))
            .unwrap();
        let mut damaged = own.bytes.clone();
        damaged[at.index(own.bytes.len())] ^= flip;
        let verified = UnverifiedKeyPackage::parse(&damaged).and_then(|package| package.verify(Suite::X25519));
        prop_assert!(verified.is_err());
    }

    #[test]
    fn arbitrary_bytes_are_refused(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let mut alice = Device::new("alice", 1);
        alice.create(Suite::X25519);
        prop_assert!(alice.process(&bytes).is_err());
        prop_assert!(alice.join(&bytes).is_err());
        let _ = UnverifiedKeyPackage::parse(&bytes);
    }
}
