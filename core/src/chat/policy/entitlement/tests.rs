use rand_core::SeedableRng;

use super::super::{History, Home, Kind, Policy, Role, Seat, direct_conversation, own_conversation};
use super::*;
use crate::identity::{Context, DeviceKeys, RecordBody, RelayAddress, RelayKey, RootKey};
use crate::types::{Clock, ConversationId, FeedId, Hash, Incarnation, Rng, Timestamp};
use crate::wire::codec::Body;
use crate::wire::event::{Content, Event, Header};
use crate::wire::message::{Cut, Past};

pub(in crate::chat::policy) struct Person {
    root: RootKey,
    devices: Vec<DeviceKeys>,
    pub(in crate::chat::policy) record: AccountRecord,
}

impl Person {
    pub(in crate::chat::policy) fn new(seed: u64, devices: usize) -> Self {
        let mut rng = Rng::seed_from_u64(seed);
        let root = RootKey::generate(&mut rng);
        let devices: Vec<DeviceKeys> = (0..devices).map(|_| DeviceKeys::generate(&mut rng)).collect();
        let content = RecordBody {
            version: 1,
            predecessor: None,
            devices: devices.iter().map(|keys| DeviceCertificate::issue(&root, keys, Timestamp(1)).unwrap()).collect(),
            relays: Vec::new(),
            prekeys: Vec::new(),
            features: Vec::new(),
            created: Timestamp(1),
        };
        let record = AccountRecord::sign(&root, content).unwrap();
        Self { root, devices, record }
    }

    pub(in crate::chat::policy) fn account(&self) -> AccountId {
        self.record.account_id()
    }

    pub(in crate::chat::policy) fn certificate(&self, device: usize) -> DeviceCertificate {
        DeviceCertificate::issue(&self.root, &self.devices[device], Timestamp(1)).unwrap()
    }

    pub(in crate::chat::policy) fn device(&self, device: usize) -> DeviceId {
        self.devices[device].device_id()
    }

    /// The next record, with these of its devices.
    pub(in crate::chat::policy) fn with_devices(&self, devices: &[usize]) -> AccountRecord {
        let mut content = self.record.successor(Timestamp(2));
        content.devices = devices.iter().map(|device| self.certificate(*device)).collect();
        AccountRecord::sign(&self.root, content).unwrap()
    }

    pub(in crate::chat::policy) fn seat(&self, role: Role) -> Seat {
        seat(&self.record, role, 0)
    }

    fn leave(&self, conversation: ConversationId, group: GroupId, epoch: u64) -> crate::wire::event::UnverifiedEvent {
        let content = Content { salt: vec![0; 16], body: message::Leave {}.encode() };
        let header = Header {
            conversation,
            feed: FeedId { device: self.device(0), incarnation: Incarnation::new([1; 8]) },
            sequence: 0,
            previous: Hash::new([0; 32]),
            clock: Clock(1),
            wall_ms: 0,
            generation: 0,
            group,
            epoch,
            log: START,
            kind: message::Kind::Leave as u16,
            content: content.hash(),
        };
        let event = Event::sign(header, content, |bytes| {
            let label = [crate::wire::event::SIGNATURE_LABEL.as_bytes(), &[0]].concat();
            let signed = self.devices[0].events.sign(Context::Event, bytes.strip_prefix(label.as_slice()).unwrap());
            ed25519_dalek::Signature::from_bytes(signed.as_bytes())
        });
        event.erased().as_raw().clone()
    }
}

pub(in crate::chat::policy) fn seat(record: &AccountRecord, role: Role, since: u64) -> Seat {
    Seat { account: record.account_id(), version: record.version(), hash: record.hash(), role, since }
}

const START: LogHead = LogHead { next: 0, hash: Hash::new([0; 32]) };
const GROUP: GroupId = GroupId::new([9; 32]);

fn relay(seed: u64) -> Home {
    let relay = RelayKey::generate(&mut Rng::seed_from_u64(seed)).relay_id();
    Home::Relay(RelayAddress { relay, addresses: vec!["/memory/1".into()] })
}

pub(in crate::chat::policy) fn policy(kind: Kind, conversation: ConversationId, seats: &[Seat]) -> Policy {
    let mut policy = Policy {
        conversation,
        kind,
        generation: 0,
        predecessor: None,
        log: START,
        home: relay(7),
        rules: RULES,
        name: String::new(),
        seats: Vec::new(),
        retention_s: None,
        past: Past::default().hash(),
        history: History::All,
        document: None,
        suite: 1,
    };
    seats.iter().for_each(|seat| policy.seat_account(*seat));
    assert_eq!(Policy::decode(&policy.encode()), Ok(policy.clone()));
    policy
}

/// A conversation, and a commit under trial.
struct Case {
    before: Policy,
    after: Policy,
    leaves: BTreeMap<DeviceId, DeviceCertificate>,
    sender: DeviceId,
    added: Vec<Entrant>,
    removed: Vec<DeviceId>,
    info: CommitInfo,
    past: Hash,
}

impl Case {
    fn new(before: Policy, leaves: &[DeviceCertificate], sender: DeviceId) -> Self {
        let after = before.next(START);
        let leaves = leaves.iter().map(|leaf| (leaf.device_id(), leaf.clone())).collect();
        let past = Past::default().hash();
        Self { before, after, leaves, sender, added: vec![], removed: vec![], info: CommitInfo::default(), past }
    }

    fn direct(alice: &Person, bob: &Person) -> Self {
        let conversation = direct_conversation(alice.account(), bob.account());
        let seats = [alice.seat(Role::Member), bob.seat(Role::Member)];
        let leaves = [alice.certificate(0), bob.certificate(0)];
        Self::new(policy(Kind::Direct, conversation, &seats), &leaves, alice.device(0))
    }

    /// Alice is its admin, Bob a member.
    fn group(alice: &Person, bob: &Person, sender: &Person) -> Self {
        let seats = [alice.seat(Role::Admin), bob.seat(Role::Member)];
        let leaves = [alice.certificate(0), bob.certificate(0)];
        Self::new(policy(Kind::Group, ConversationId::new([5; 32]), &seats), &leaves, sender.device(0))
    }

    fn add(&mut self, certificate: DeviceCertificate) {
        self.added.push(Entrant { leaf_key: certificate.mls_key(), certificate });
    }

    fn carry(&mut self, record: &AccountRecord) {
        self.info.records.push(record.encode().into());
    }

    fn follow(&mut self, record: &AccountRecord) {
        let old = *self.after.seat(record.account_id()).unwrap();
        self.after.seat_account(seat(record, old.role, old.since));
        self.carry(record);
    }

    fn verdict(&self) -> Result<(), NotEntitled> {
        let commit = Commit {
            group: GROUP,
            epoch: 1,
            place: START,
            sender: self.sender,
            leaves: &self.leaves,
            added: &self.added,
            removed: &self.removed,
            info: &self.info,
            past: self.past,
        };
        entitled(&self.before, &self.after, &commit)
    }
}

#[test]
fn an_empty_update_is_anybodys() {
    let (alice, bob) = (Person::new(1, 1), Person::new(2, 1));
    let mut case = Case::direct(&alice, &bob);
    assert_eq!(case.verdict(), Ok(()));
    case.after = case.before.clone();
    assert_eq!(case.verdict(), Ok(()));
    case.sender = Person::new(3, 1).device(0);
    assert_eq!(case.verdict(), Err(NotEntitled::Stranger));
}

#[test]
fn a_policy_names_its_predecessor_and_its_place() {
    let (alice, bob) = (Person::new(1, 1), Person::new(2, 1));
    let mut case = Case::direct(&alice, &bob);
    case.after.predecessor = Some(Hash::new([1; 32]));
    assert_eq!(case.verdict(), Err(NotEntitled::DoesNotFollow));
    case.after = case.before.next(LogHead { next: 1, hash: Hash::new([0; 32]) });
    assert_eq!(case.verdict(), Err(NotEntitled::DoesNotFollow));
}

#[test]
fn a_policy_names_what_the_members_agree_on_of_the_past() {
    let (alice, bob) = (Person::new(1, 1), Person::new(2, 1));
    let mut case = Case::direct(&alice, &bob);
    case.after.past = Hash::new([1; 32]);
    assert_eq!(case.verdict(), Err(NotEntitled::DoesNotFollow));
    case.past = case.after.past;
    assert_eq!(case.verdict(), Ok(()));
}

#[test]
fn what_is_fixed_stays() {
    let (alice, bob) = (Person::new(1, 1), Person::new(2, 1));
    for change in [
        |policy: &mut Policy| policy.generation += 1,
        |policy: &mut Policy| policy.suite = 2,
        |policy: &mut Policy| policy.rules += 1,
        |policy: &mut Policy| policy.kind = Kind::Group,
    ] {
        let mut case = Case::direct(&alice, &bob);
        change(&mut case.after);
        assert_eq!(case.verdict(), Err(NotEntitled::Fixed));
    }
}

#[test]
fn any_member_brings_devices_in_step_with_a_newer_record_it_carries() {
    let (alice, bob) = (Person::new(1, 1), Person::new(2, 3));
    let newer = bob.with_devices(&[1, 2]);
    let mut case = Case::direct(&alice, &bob);
    case.follow(&newer);
    case.add(bob.certificate(1));
    case.removed = vec![bob.device(0)];
    assert_eq!(case.verdict(), Ok(()));

    case.removed.clear();
    assert_eq!(case.verdict(), Err(NotEntitled::NoRecord), "a device that the record no longer lists lingers");
    case.removed = vec![bob.device(0)];
    case.info.records.clear();
    assert_eq!(case.verdict(), Err(NotEntitled::NoRecord), "no record is carried");
}

#[test]
fn a_device_of_no_record_is_not_added() {
    let (alice, bob, eve) = (Person::new(1, 1), Person::new(2, 2), Person::new(3, 1));
    let mut case = Case::direct(&alice, &bob);
    case.follow(&bob.with_devices(&[0]));
    case.add(bob.certificate(1));
    assert_eq!(case.verdict(), Err(NotEntitled::NoRecord));

    let mut case = Case::direct(&alice, &bob);
    case.add(eve.certificate(0));
    assert_eq!(case.verdict(), Err(NotEntitled::NoRecord));
}

#[test]
fn an_older_record_is_not_followed() {
    let (alice, bob) = (Person::new(1, 1), Person::new(2, 2));
    let mut case = Case::direct(&alice, &bob);
    let newer = bob.with_devices(&[0, 1]);
    case.before.seat_account(seat(&newer, Role::Member, 0));
    case.after = case.before.next(START);
    case.follow(&bob.record);
    assert_eq!(case.verdict(), Err(NotEntitled::NoRecord));
}

#[test]
fn nobody_is_a_third_in_a_direct_conversation() {
    let (alice, bob, eve) = (Person::new(1, 1), Person::new(2, 1), Person::new(3, 1));
    let mut case = Case::direct(&alice, &bob);
    case.after.seat_account(seat(&eve.record, Role::Member, 1));
    case.carry(&eve.record);
    case.add(eve.certificate(0));
    assert_eq!(case.verdict(), Err(NotEntitled::Closed));
    case.after = case.before.next(START);
    case.after.unseat(bob.account());
    assert_eq!(case.verdict(), Err(NotEntitled::Closed));
}

#[test]
fn only_admins_add_and_remove_accounts() {
    let (alice, bob, eve) = (Person::new(1, 1), Person::new(2, 1), Person::new(3, 1));
    for (sender, verdict) in [(&alice, Ok(())), (&bob, Err(NotEntitled::NotAdmin))] {
        let mut case = Case::group(&alice, &bob, sender);
        case.after.seat_account(seat(&eve.record, Role::Member, 1));
        case.carry(&eve.record);
        case.add(eve.certificate(0));
        assert_eq!(case.verdict(), verdict);
    }
    let mut case = Case::group(&alice, &bob, &alice);
    case.after.unseat(bob.account());
    case.removed = vec![bob.device(0)];
    assert_eq!(case.verdict(), Ok(()));
    case.removed.clear();
    assert_eq!(case.verdict(), Err(NotEntitled::NoRecord), "an account's leaf stays without a seat");
    let mut case = Case::group(&alice, &bob, &bob);
    case.after.unseat(alice.account());
    case.removed = vec![alice.device(0)];
    assert_eq!(case.verdict(), Err(NotEntitled::NotAdmin));
}

#[test]
fn only_admins_change_roles_name_and_home_of_a_group() {
    let (alice, bob) = (Person::new(1, 1), Person::new(2, 1));
    let changes: [fn(&mut Policy, &Person); 3] = [
        |policy, _| policy.name = "new".into(),
        |policy, _| policy.home = relay(8),
        |policy, bob| policy.seat_account(bob.seat(Role::Admin)),
    ];
    for change in changes {
        for (sender, verdict) in [(&alice, Ok(())), (&bob, Err(NotEntitled::NotAdmin))] {
            let mut case = Case::group(&alice, &bob, sender);
            change(&mut case.after, &bob);
            assert_eq!(case.verdict(), verdict);
        }
    }
    let mut case = Case::direct(&alice, &bob);
    case.after.home = relay(8);
    assert_eq!(case.verdict(), Ok(()), "either of two may move the home");
}

#[test]
fn who_left_is_removed_by_anybody_once() {
    let (alice, bob) = (Person::new(1, 1), Person::new(2, 1));
    let mut case = Case::group(&alice, &bob, &bob);
    case.info.leaves = vec![alice.leave(case.before.conversation, GROUP, 0)];
    case.after.unseat(alice.account());
    case.removed = vec![alice.device(0)];
    assert_eq!(case.verdict(), Ok(()));

    case.before.seat_account(Seat { since: 1, ..alice.seat(Role::Admin) });
    case.after = case.before.next(START);
    case.after.unseat(alice.account());
    assert_eq!(case.verdict(), Err(NotEntitled::FalseEvidence), "she was seated again after she left");
    case.info.leaves = vec![alice.leave(ConversationId::new([6; 32]), GROUP, 1)];
    assert_eq!(case.verdict(), Err(NotEntitled::FalseEvidence), "she left another conversation");
    let mut forged = alice.leave(case.before.conversation, GROUP, 1);
    forged.signature = vec![0; 64];
    case.info.leaves = vec![forged];
    assert_eq!(case.verdict(), Err(NotEntitled::FalseEvidence));
}

#[test]
fn a_device_comes_back_with_fresh_keys_and_its_feeds_stay_open() {
    let (alice, bob) = (Person::new(1, 1), Person::new(2, 1));
    let mut case = Case::direct(&alice, &bob);
    case.carry(&bob.record);
    case.add(bob.certificate(0));
    case.removed = vec![bob.device(0)];
    assert_eq!(case.verdict(), Ok(()));
    let feed = FeedId { device: bob.device(0), incarnation: Incarnation::new([1; 8]) };
    case.info.cuts = vec![Cut { feed, next: 0, hash: Hash::new([0; 32]) }];
    assert_eq!(case.verdict(), Err(NotEntitled::FalseCut));
}

#[test]
fn only_feeds_of_removed_devices_are_closed() {
    let (alice, bob) = (Person::new(1, 1), Person::new(2, 2));
    let cut = |device| Cut {
        feed: FeedId { device, incarnation: Incarnation::new([1; 8]) },
        next: 1,
        hash: Hash::new([3; 32]),
    };
    let mut case = Case::direct(&alice, &bob);
    case.follow(&bob.with_devices(&[1]));
    case.removed = vec![bob.device(0)];
    case.info.cuts = vec![cut(bob.device(0))];
    assert_eq!(case.verdict(), Ok(()));
    case.info.cuts = vec![cut(alice.device(0))];
    assert_eq!(case.verdict(), Err(NotEntitled::FalseCut));
}

#[test]
fn a_leaf_is_what_its_certificate_says_and_there_once() {
    let (alice, bob) = (Person::new(1, 1), Person::new(2, 2));
    let mut case = Case::direct(&alice, &bob);
    case.carry(&bob.record);
    case.add(bob.certificate(0));
    assert_eq!(case.verdict(), Err(NotEntitled::FalseLeaf), "it is a leaf already");
    case.added = vec![Entrant { certificate: bob.certificate(1), leaf_key: alice.certificate(0).mls_key() }];
    assert_eq!(case.verdict(), Err(NotEntitled::FalseLeaf), "it signs with another key");
}

#[test]
fn carried_records_are_used_and_genuine() {
    let (alice, bob, eve) = (Person::new(1, 1), Person::new(2, 1), Person::new(3, 1));
    let mut case = Case::direct(&alice, &bob);
    case.carry(&eve.record);
    assert_eq!(case.verdict(), Err(NotEntitled::FalseEvidence));
    case.info.records = vec![serde_bytes::ByteBuf::from(vec![1, 2, 3])];
    assert_eq!(case.verdict(), Err(NotEntitled::FalseEvidence));
    let mut bytes = bob.record.encode();
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    case.info.records = vec![bytes.into()];
    assert_eq!(case.verdict(), Err(NotEntitled::FalseEvidence));
}

#[test]
fn a_conversation_with_oneself_takes_one_account() {
    let alice = Person::new(1, 2);
    let before = policy(Kind::Own, own_conversation(alice.account()), &[alice.seat(Role::Member)]);
    let mut case = Case::new(before, &[alice.certificate(0)], alice.device(0));
    case.carry(&alice.record);
    case.add(alice.certificate(1));
    assert_eq!(case.verdict(), Ok(()));
}
