use super::super::entitlement::tests::{Person, policy, seat};
use super::super::{Role, direct_conversation};
use super::*;
use crate::types::ConversationId;

const OF: GroupId = GroupId::new([5; 32]);
const LOWER: GroupId = GroupId::new([4; 32]);
const HIGHER: GroupId = GroupId::new([6; 32]);

/// A direct conversation or a group of Alice, its admin, with two devices, and Bob, with one; and a group that claims to be its next.
struct Case {
    agreed: Policy,
    new: Policy,
    group: GroupId,
    maker: DeviceCertificate,
    leaves: Vec<DeviceCertificate>,
    records: Vec<AccountRecord>,
    present: Vec<DeviceId>,
}

impl Case {
    fn of(kind: Kind, alice: &Person, bob: &Person) -> Self {
        let (id, role) = match kind {
            Kind::Group => (ConversationId::new([5; 32]), Role::Admin),
            Kind::Direct | Kind::Own => (direct_conversation(alice.account(), bob.account()), Role::Member),
        };
        let agreed = policy(kind, id, &[alice.seat(role), bob.seat(Role::Member)]);
        let new = Policy { generation: 1, predecessor: Some(agreed.hash()), ..agreed.clone() };
        let leaves = vec![alice.certificate(0), alice.certificate(1), bob.certificate(0)];
        let records = vec![alice.record.clone(), bob.record.clone()];
        let present = leaves.iter().map(DeviceCertificate::device_id).collect();
        Self { agreed, new, group: HIGHER, maker: alice.certificate(0), leaves, records, present }
    }

    fn direct(alice: &Person, bob: &Person) -> Self {
        Self::of(Kind::Direct, alice, bob)
    }

    /// Both know Alice's record without her second device, and have agreed on it.
    fn second_device_removed(alice: &Person, bob: &Person) -> Self {
        let mut case = Self::direct(alice, bob);
        case.agreed.seat_account(seat(&alice.with_devices(&[0]), Role::Member, 0));
        case.present.retain(|device| *device != alice.device(1));
        case
    }

    fn judge<T>(&self, judge: impl FnOnce(&Claim<'_>) -> T) -> T {
        let leaves = self.leaves.iter().map(|leaf| (leaf.device_id(), leaf.clone())).collect();
        let named = |record: &&AccountRecord| {
            self.new.seat(record.account_id()).is_some_and(|seat| seat.head() == record.head())
        };
        let records = self.records.iter().filter(named).map(|record| (record.account_id(), record.clone())).collect();
        judge(&Claim {
            policy: &self.new,
            group: self.group,
            maker: self.maker.account_id(),
            inviter: self.maker.device_id(),
            leaves: &leaves,
            records: &records,
            present: &self.present.iter().copied().collect(),
        })
    }

    fn succeeds(&self) -> Result<(), NoSuccessor> {
        self.judge(|claim| succeeds(&self.agreed, OF, claim))
    }

    fn readmits(&self) -> Result<(), NoSuccessor> {
        self.judge(|claim| readmits(Some(&self.agreed), Some(OF), Person::new(9, 1).account(), claim))
    }
}

fn people() -> (Person, Person) {
    (Person::new(1, 2), Person::new(2, 1))
}

#[test]
fn a_later_generation_takes_over_and_an_earlier_one_does_not() {
    let (alice, bob) = people();
    let mut case = Case::direct(&alice, &bob);
    assert_eq!(case.succeeds(), Ok(()));
    case.agreed.generation = 2;
    assert_eq!(case.succeeds(), Err(NoSuccessor::Earlier));
    assert_eq!(case.readmits(), Err(NoSuccessor::Earlier));
}

#[test]
fn of_rivals_the_lower_id_holds() {
    let (alice, bob) = people();
    let mut case = Case::direct(&alice, &bob);
    case.agreed.generation = 1;
    assert_eq!(case.succeeds(), Err(NoSuccessor::Rival));
    case.group = LOWER;
    assert_eq!(case.succeeds(), Ok(()));
}

#[test]
fn a_device_that_was_removed_founds_no_successor() {
    let (alice, bob) = people();
    // With the record of old, in which it still is.
    let mut case = Case::second_device_removed(&alice, &bob);
    case.maker = alice.certificate(1);
    assert_eq!(case.succeeds(), Err(NoSuccessor::Leaves));
    assert_eq!(case.readmits(), Err(NoSuccessor::Leaves));
    // Under the record that is agreed on, which does not list it.
    case.new.seat_account(*case.agreed.seat(alice.account()).unwrap());
    case.records = vec![alice.with_devices(&[0]), bob.record.clone()];
    assert_eq!(case.succeeds(), Err(NoSuccessor::Leaves));
    case.records.clear();
    assert_eq!(case.succeeds(), Err(NoSuccessor::Leaves));
    // Nor as a rival, however low its id.
    (case.new.generation, case.group) = (0, LOWER);
    assert_eq!(case.succeeds(), Err(NoSuccessor::Leaves));
    // And nobody takes it along.
    case.maker = bob.certificate(0);
    assert_eq!(case.succeeds(), Err(NoSuccessor::Leaves));
}

#[test]
fn who_knows_an_older_record_may_found_with_the_devices_that_are_here() {
    let (alice, bob) = people();
    let mut case = Case::second_device_removed(&alice, &bob);
    case.leaves.retain(|leaf| leaf.device_id() != alice.device(1));
    case.maker = bob.certificate(0);
    assert_eq!(case.succeeds(), Ok(()));
}

#[test]
fn a_new_device_comes_with_the_record_that_lists_it() {
    let (alice, bob) = people();
    let mut case = Case::direct(&alice, &bob);
    case.present.retain(|device| *device != alice.device(1));
    assert_eq!(case.succeeds(), Ok(()), "the agreed record lists it");
    case.records.clear();
    assert_eq!(case.succeeds(), Err(NoSuccessor::Leaves), "nothing shows that it is hers");
    let newer = alice.with_devices(&[0, 1]);
    case.new.seat_account(seat(&newer, Role::Member, 0));
    assert_eq!(case.succeeds(), Err(NoSuccessor::Leaves));
    case.records = vec![newer, bob.record.clone()];
    assert_eq!(case.succeeds(), Ok(()));
}

#[test]
fn another_record_of_the_agreed_version_is_not_believed() {
    let (alice, bob) = people();
    let mut case = Case::direct(&alice, &bob);
    let (one, other) = (alice.with_devices(&[0]), alice.with_devices(&[1]));
    case.agreed.seat_account(seat(&one, Role::Member, 0));
    case.new.seat_account(seat(&other, Role::Member, 0));
    case.records = vec![other, bob.record.clone()];
    case.present.retain(|device| *device != alice.device(1));
    assert_eq!(case.succeeds(), Err(NoSuccessor::Leaves));
}

#[test]
fn nobody_is_seated_by_a_successor_of_two_nor_given_a_role() {
    let (alice, bob) = people();
    let mut case = Case::direct(&alice, &bob);
    assert_eq!(case.succeeds(), Ok(()));
    case.new.seat_account(bob.seat(Role::Admin));
    assert_eq!(case.succeeds(), Err(NoSuccessor::Seats));
    case.new = Policy { generation: 1, ..case.agreed.clone() };
    case.new.seat_account(Person::new(3, 1).seat(Role::Member));
    assert_eq!(case.succeeds(), Err(NoSuccessor::Seats));
}

#[test]
fn a_successor_of_a_group_seats_whom_its_admin_has_seated_since_and_a_members_does_not() {
    let (alice, bob) = people();
    let carol = Person::new(3, 1);
    let mut case = Case::of(Kind::Group, &alice, &bob);
    case.new.seat_account(carol.seat(Role::Member));
    case.leaves.push(carol.certificate(0));
    case.records.push(carol.record.clone());
    assert_eq!(case.succeeds(), Ok(()), "who was shown another log has not seen her come");
    assert_eq!(case.readmits(), Ok(()));
    case.maker = bob.certificate(0);
    assert_eq!(case.succeeds(), Err(NoSuccessor::Maker));
    assert_eq!(case.readmits(), Err(NoSuccessor::Maker));
}

#[test]
fn a_group_is_taken_over_by_an_admin_only() {
    let (alice, bob) = people();
    let mut case = Case::of(Kind::Group, &alice, &bob);
    case.maker = bob.certificate(0);
    assert_eq!(case.succeeds(), Err(NoSuccessor::Maker));
}

#[test]
fn who_is_out_follows_a_member_into_its_last_group_and_an_admin_into_another() {
    let (alice, bob) = people();
    let mut case = Case::of(Kind::Group, &alice, &bob);
    case.maker = bob.certificate(0);
    assert_eq!(case.readmits(), Err(NoSuccessor::Maker));
    case.group = OF;
    assert_eq!(case.readmits(), Ok(()));
    (case.group, case.maker) = (HIGHER, alice.certificate(0));
    assert_eq!(case.readmits(), Ok(()));
}

#[test]
fn a_leaf_has_a_seat_and_a_device_of_its_own() {
    let (alice, bob) = people();
    let mut case = Case::of(Kind::Group, &alice, &bob);
    case.leaves.push(Person::new(3, 1).certificate(0));
    assert_eq!(case.succeeds(), Err(NoSuccessor::Leaves));
    assert_eq!(case.readmits(), Err(NoSuccessor::Leaves));
}

#[test]
fn of_a_large_group_the_makers_record_is_wanted_at_least() {
    let (alice, bob) = people();
    let mut case = Case::of(Kind::Group, &alice, &bob);
    case.present.clear();
    case.records = vec![alice.record.clone()];
    assert_eq!(case.succeeds(), Ok(()));
    case.records = vec![bob.record.clone()];
    assert_eq!(case.succeeds(), Err(NoSuccessor::Leaves));
}

/// What is decided of a fixed set of claims: once there is a release, other decisions are other [`RULES`].
#[test]
fn this_version_of_the_rules_decides_as_its_fixture_says() {
    let (alice, bob) = people();
    let (mut decisions, mut held) = (Vec::new(), 0);
    let makers = [alice.certificate(0), alice.certificate(1), bob.certificate(0)];
    for kind in [Kind::Direct, Kind::Group] {
        for (generation, group) in (0..3).flat_map(|generation| [(generation, LOWER), (generation, HIGHER)]) {
            for (maker, left, removed) in makers.iter().flat_map(|maker| (0..16).map(move |it| (maker, it / 2, it % 2)))
            {
                let mut case = Case::of(kind, &alice, &bob);
                if removed == 1 {
                    case.agreed.seat_account(seat(&alice.with_devices(&[0]), Role::Member, 0));
                    case.present.retain(|device| *device != alice.device(1));
                }
                (case.agreed.generation, case.group, case.maker) = (generation, group, maker.clone());
                case.leaves = (0..3).filter(|leaf| (left >> leaf) & 1 == 1).map(|leaf| makers[leaf].clone()).collect();
                for decided in [case.succeeds().is_ok(), case.readmits().is_ok()] {
                    decisions.push(u8::from(decided));
                    held += u32::from(decided);
                }
            }
        }
    }
    let found = crate::wire::codec::hash("kith/fixture/1", &[&decisions]);
    assert_eq!(
        (RULES, decisions.len(), held, found.to_string().as_str()),
        (1, 1152, 448, "owos2utln277x25sryj6zpgvn2qy4ux7dfnrtnkhtr253sg4l23a")
    );
}
