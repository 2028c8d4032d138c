use proptest::prelude::{ProptestConfig, any, prop_assert, prop_assert_eq, proptest};
use rand_core::{RngCore, SeedableRng};

use super::*;
use crate::chat::laboratory::{CONVERSATION, Device, account, device, id, roster};
use crate::chat::pause::{FIRST_RETRY_MS, LAST_RETRY_MS};
use crate::store::{Batch, MemoryStore};
use crate::types::{ContentId, Incarnation, Timestamp};

fn now(mono_ms: u64) -> Now {
    Now { wall: Timestamp(mono_ms), mono_ms }
}

fn envelope(number: u8) -> EnvelopeId {
    EnvelopeId::new([number; 16])
}

/// Alice (account 1) with devices 1 and 4, Bob (account 2) with 2 and 5, Carol (account 3) with 3; at device 1.
struct Desk {
    alice: Device,
    delivery: Delivery,
    rng: Rng,
}

impl Desk {
    fn new() -> Self {
        Self::among(&[(1, 1), (4, 1), (2, 2), (5, 2), (3, 3)])
    }

    fn among(members: &[(u8, u8)]) -> Self {
        let members = roster(members);
        let alice = Device::new(1, 1, &members);
        let delivery = Delivery::load(&alice.store, CONVERSATION, alice.me).unwrap();
        let mut desk = Self { alice, delivery, rng: Rng::seed_from_u64(1) };
        desk.change(|delivery, tx, roster, _| delivery.sync(tx, roster, true));
        desk
    }

    fn change<T>(
        &mut self,
        change: impl FnOnce(&mut Delivery, &mut Transaction<'_, MemoryStore>, &Roster, &mut Rng) -> T,
    ) -> T {
        let mut batch = Batch::new();
        let mut tx = Transaction::new(&self.alice.store, &mut batch);
        let result = change(&mut self.delivery, &mut tx, &self.alice.roster, &mut self.rng);
        self.alice.store.apply(&batch);
        result
    }

    fn text(&mut self) -> ContentId {
        let event = self.alice.text("x");
        self.delivery.refresh(&self.alice.store).unwrap();
        self.change(|delivery, tx, roster, _| delivery.sync(tx, roster, false));
        id(&event)
    }

    /// The device's next life.
    fn begin(&mut self) {
        let mut rng = self.alice.rng.clone();
        self.alice.work(|feeds| feeds.begin(&mut rng));
        self.alice.rng = rng;
        self.delivery.refresh(&self.alice.store).unwrap();
    }

    fn restart(&mut self) {
        self.delivery = Delivery::load(&self.alice.store, CONVERSATION, self.alice.me).unwrap();
    }

    /// A device of an account comes or goes.
    fn member(&mut self, number: u8, owner: u8, present: bool, from_start: bool) {
        self.alice.roster.admit(device(number), crate::chat::laboratory::member(number, owner, present));
        self.change(|delivery, tx, roster, _| delivery.sync(tx, roster, from_start));
    }

    fn outcome(&mut self, mono: u64, number: u8, to: u8, outcome: SendOutcome) -> Vec<Moved> {
        self.change(|delivery, tx, _, rng| {
            delivery.outcome(tx, now(mono), rng, &envelope(number), &device(to), outcome)
        })
    }

    fn marks(&mut self, from: u8, delivered: &[Mark], read: &[Mark]) -> Vec<Moved> {
        let marks = Marks { delivered: delivered.to_vec(), read: read.to_vec() };
        self.change(|delivery, tx, roster, _| delivery.take_marks(tx, roster, &device(from), &marks).unwrap())
    }

    fn state(&self, id: &ContentId) -> MessageState {
        self.delivery.state(&self.alice.roster, id)
    }

    /// Takes all that is due as one envelope.
    fn send(&mut self, mono: u64, number: u8) -> Vec<Due> {
        let due = self.delivery.due(now(mono));
        for part in &due {
            self.delivery.started(now(mono), envelope(number), &part.feed, &part.devices, &part.ranges);
        }
        due
    }
}

#[test]
fn a_message_goes_through_its_states() {
    let mut desk = Desk::new();
    let text = desk.text();
    assert_eq!(desk.state(&text), MessageState::Queued);
    assert_eq!(desk.delivery.wake_at(), Some(0));
    let due = desk.send(10, 1);
    assert_eq!((due.len(), due[0].devices.len(), due[0].ranges.as_slice()), (1, 4, [(0, 1)].as_slice()));
    assert!(desk.delivery.due(now(11)).is_empty());
    assert_eq!(desk.outcome(20, 1, 2, SendOutcome::Direct).len(), 1);
    assert_eq!(desk.state(&text), MessageState::Sent);
    for to in [3, 4, 5] {
        desk.outcome(20, 1, to, SendOutcome::Mailbox(Deposited::Taken));
    }
    assert_eq!(desk.delivery.wake_at(), None);
    assert!(!desk.delivery.is_freed(&device(2)), "sent frees nothing");
    let mark = [Mark { feed: text.feed, next: 1 }];
    desk.marks(2, &mark, &[]);
    assert_eq!(desk.state(&text), MessageState::Sent, "one account of two has it");
    assert!(desk.delivery.is_freed(&device(2)));
    desk.marks(3, &mark, &mark);
    assert_eq!(desk.state(&text), MessageState::Delivered);
    desk.marks(5, &mark, &mark);
    assert_eq!(desk.state(&text), MessageState::Read, "one device of each account");
    let states = desk.delivery.devices(&desk.alice.roster, &text);
    let bob = states.iter().find(|state| state.device == device(2)).unwrap();
    assert_eq!((bob.account, bob.state, bob.route), (account(2), MessageState::Delivered, Some(Route::Direct)));
}

#[test]
fn a_failed_attempt_is_repeated_later_and_later_and_news_end_the_wait() {
    let mut desk = Desk::new();
    desk.text();
    let mut mono = 0;
    let mut waits = Vec::new();
    for number in 1..12 {
        assert!(!desk.send(mono, number).is_empty());
        for to in [2, 3, 4, 5] {
            desk.outcome(mono, number, to, SendOutcome::Unreachable);
        }
        let wake = desk.delivery.wake_at().unwrap();
        assert!(desk.delivery.due(now(wake - 1)).is_empty());
        waits.push(wake - mono);
        mono = wake + LAST_RETRY_MS;
    }
    assert!((FIRST_RETRY_MS..FIRST_RETRY_MS * 5 / 4).contains(&waits[0]), "{waits:?}");
    assert!(waits.iter().all(|wait| *wait <= LAST_RETRY_MS * 5 / 4), "{waits:?}");
    assert!(waits[10] >= LAST_RETRY_MS, "{waits:?}");
    desk.send(mono, 20);
    desk.outcome(mono, 20, 2, SendOutcome::Refused);
    assert!(desk.delivery.due(now(mono)).is_empty());
    desk.delivery.hurry(Some(&device(2)));
    assert_eq!(desk.delivery.due(now(mono))[0].devices, [device(2)]);
}

#[test]
fn an_attempt_without_outcome_is_repeated_and_a_new_text_does_not_wait_for_it() {
    let mut desk = Desk::new();
    desk.text();
    desk.send(0, 1);
    desk.text();
    assert_eq!(desk.delivery.due(now(1))[0].ranges, [(1, 2)]);
    assert_eq!(desk.delivery.due(now(PATIENCE_MS))[0].ranges, [(0, 2)]);
    // A late outcome still counts; one of an unknown envelope, or a second one, does not.
    assert_eq!(desk.outcome(9, 1, 2, SendOutcome::Direct).len(), 1);
    assert!(desk.outcome(9, 1, 2, SendOutcome::Direct).is_empty());
    assert!(desk.outcome(9, 99, 2, SendOutcome::Direct).is_empty());
}

#[test]
fn what_was_not_taken_is_due_after_a_restart() {
    let mut desk = Desk::new();
    desk.text();
    desk.send(0, 1);
    desk.outcome(1, 1, 2, SendOutcome::Mailbox(Deposited::Taken));
    desk.outcome(1, 1, 3, SendOutcome::Mailbox(Deposited::Full));
    let mut again = Delivery::load(&desk.alice.store, CONVERSATION, desk.alice.me).unwrap();
    assert_eq!(again.due(now(0))[0].devices, [device(3), device(4), device(5)]);
}

#[test]
fn members_that_come_get_what_follows_and_those_that_go_are_forgotten() {
    let mut desk = Desk::new();
    desk.text();
    let mut members = desk.alice.roster.clone();
    members.dismiss(&device(2));
    members.dismiss(&device(5));
    members.admit(device(6), crate::chat::laboratory::member(6, 6, true));
    desk.alice.roster = members;
    desk.change(|delivery, tx, roster, _| delivery.sync(tx, roster, false));
    let due = desk.send(0, 1);
    assert_eq!(due[0].devices, [device(3), device(4)]);
    let text = desk.text();
    let due = desk.delivery.due(now(1));
    assert_eq!((due[0].devices.len(), due[0].ranges.as_slice()), (3, [(1, 2)].as_slice()));
    let first = ContentId { sequence: 0, ..text };
    let mark = [Mark { feed: text.feed, next: 2 }];
    desk.marks(3, &mark, &[]);
    assert_eq!(desk.state(&first), MessageState::Delivered, "the newcomer is no recipient of it");
    assert_ne!(desk.state(&text), MessageState::Delivered);
    let key = row::link_key(&CONVERSATION, &device(2), &text.feed.incarnation);
    assert!(desk.alice.store.get(Table::Outbox, &key).unwrap().is_none());
}

#[test]
fn a_lost_mailbox_makes_due_what_was_not_delivered() {
    let mut desk = Desk::new();
    let feed = desk.text().feed;
    desk.text();
    let last = desk.text();
    desk.send(0, 1);
    desk.outcome(1, 1, 2, SendOutcome::Mailbox(Deposited::Taken));
    desk.marks(2, &[Mark { feed, next: 1 }], &[]);
    for (most, range) in [(Some(1), (1, 2)), (None, (1, 3))] {
        desk.change(|delivery, tx, _, _| delivery.reopen(tx, &device(2), most));
        let due = desk.delivery.due(now(2));
        assert_eq!((due[0].devices.as_slice(), due[0].ranges.as_slice()), ([device(2)].as_slice(), [range].as_slice()));
    }
    assert_eq!(desk.state(&last), MessageState::Sent, "it stays what it was");
}

#[test]
fn marks_are_merged_by_the_greater_and_lies_are_bounded() {
    let mut desk = Desk::new();
    let text = desk.text();
    let feed = text.feed;
    assert_eq!(desk.marks(2, &[Mark { feed, next: 1 << 63 }], &[]), [Moved { feed, from: 0, to: 1 }]);
    assert!(desk.marks(2, &[Mark { feed, next: 0 }], &[]).is_empty());
    let foreign = FeedId { device: device(3), ..feed };
    let unknown: Vec<Mark> =
        (0..200u8).map(|n| Mark { feed: FeedId { incarnation: Incarnation::new([n; 8]), ..feed }, next: 5 }).collect();
    let before = desk.alice.store.clone();
    assert!(desk.marks(2, &[Mark { feed: foreign, next: 7 }], &unknown).is_empty());
    assert!(desk.marks(77, &unknown, &unknown).is_empty());
    assert!(desk.alice.store == before);
}

#[test]
fn a_new_incarnation_is_delivered_from_its_start_and_the_old_one_to_its_end() {
    let mut desk = Desk::new();
    let sent = desk.text();
    desk.send(0, 1);
    desk.outcome(1, 1, 2, SendOutcome::Mailbox(Deposited::Taken));
    let waiting = desk.text();
    desk.begin();
    let text = desk.text();
    assert_ne!(waiting.feed, text.feed);
    assert_eq!(desk.state(&sent), MessageState::Sent);
    assert_eq!(desk.state(&waiting), MessageState::Queued, "it has left nowhere");
    desk.restart();
    assert_eq!(desk.state(&waiting), MessageState::Queued);
    let due = desk.send(100_000, 2);
    let of = |feed: FeedId, to: u8| -> Vec<(u64, u64)> {
        let part = due.iter().find(|part| part.feed == feed && part.devices.contains(&device(to)));
        part.map(|part| part.ranges.clone()).unwrap_or_default()
    };
    assert_eq!((of(waiting.feed, 2), of(waiting.feed, 3)), (vec![(1, 2)], vec![(0, 2)]));
    assert_eq!((of(text.feed, 2), of(text.feed, 3)), (vec![(0, 1)], vec![(0, 1)]));
    for from in [2, 3] {
        desk.marks(from, &[Mark { feed: waiting.feed, next: 2 }], &[]);
    }
    assert_eq!(desk.state(&waiting), MessageState::Delivered);
    assert_eq!(desk.state(&text), MessageState::Queued);
}

#[test]
fn a_state_stays_when_accounts_come_that_a_message_was_not_for_and_when_devices_go() {
    let mut desk = Desk::new();
    let text = desk.text();
    desk.send(0, 1);
    desk.outcome(1, 1, 2, SendOutcome::Direct);
    let mark = [Mark { feed: text.feed, next: 1 }];
    desk.marks(2, &mark, &mark);
    desk.marks(3, &mark, &[]);
    assert_eq!(desk.state(&text), MessageState::Delivered);
    // Dave comes, and is given what was before.
    desk.member(6, 6, true, true);
    assert_eq!(desk.state(&text), MessageState::Delivered);
    let later = desk.text();
    assert_eq!(desk.state(&later), MessageState::Queued);
    let mark = [Mark { feed: text.feed, next: 2 }];
    for from in [2, 3] {
        desk.marks(from, &mark, &[]);
    }
    assert_ne!(desk.state(&later), MessageState::Delivered, "it is for Dave too");
    desk.marks(6, &mark, &[]);
    assert_eq!(desk.state(&later), MessageState::Delivered);
    // The devices that said so are removed; Bob's other one has nothing yet.
    desk.member(2, 2, false, true);
    desk.member(3, 3, false, true);
    desk.member(6, 6, false, true);
    assert_eq!((desk.state(&text), desk.state(&later)), (MessageState::Delivered, MessageState::Delivered));
    desk.restart();
    assert_eq!((desk.state(&text), desk.state(&later)), (MessageState::Delivered, MessageState::Delivered));
}

#[test]
fn what_another_device_of_the_account_said_to_hold_stays_sent_when_that_device_goes() {
    let mut desk = Desk::new();
    let first = desk.text();
    // Word that an envelope was taken is lost.
    let held = Mark { feed: first.feed, next: 1 };
    desk.marks(4, &[held], &[]);
    assert_eq!(desk.state(&first), MessageState::Sent);
    desk.member(4, 1, false, false);
    assert_eq!(desk.state(&first), MessageState::Sent);
    desk.restart();
    assert_eq!(desk.state(&first), MessageState::Sent);
}

#[test]
fn what_was_written_alone_counts_for_the_first_who_comes() {
    let mut desk = Desk::among(&[(1, 1)]);
    let text = desk.text();
    assert_eq!(desk.state(&text), MessageState::Queued);
    desk.member(2, 2, true, true);
    assert_eq!(desk.state(&text), MessageState::Queued);
    assert_eq!(desk.send(0, 1)[0].ranges, [(0, 1)]);
    desk.marks(2, &[Mark { feed: text.feed, next: 1 }], &[]);
    assert_eq!(desk.state(&text), MessageState::Delivered);
}

#[test]
fn where_history_is_not_given_a_newcomer_gets_the_first_text_of_a_feed_and_nothing_from_before_it_came() {
    let mut desk = Desk::new();
    desk.text();
    desk.member(6, 6, true, false);
    desk.begin();
    let first = desk.text();
    let due = desk.delivery.due(now(0));
    let given: Vec<DeviceId> =
        due.iter().filter(|part| part.feed == first.feed).flat_map(|part| part.devices.clone()).collect();
    assert_eq!(given.len(), 5);
    assert!(due.iter().filter(|part| part.feed != first.feed).all(|part| !part.devices.contains(&device(6))));
}

#[test]
fn earlier_feeds_that_are_sent_on_are_bounded() {
    let mut desk = Desk::new();
    for _ in 0..40 {
        desk.text();
        desk.begin();
    }
    let lives: BTreeSet<Incarnation> = desk.delivery.links.keys().map(|(_, life)| *life).collect();
    assert!(lives.len() <= MAX_LIVES, "{}", lives.len());
}

#[test]
fn what_cannot_be_sent_now_waits_longer_each_time() {
    let mut desk = Desk::new();
    desk.text();
    let mut mono = 0;
    for _ in 0..4 {
        let due = desk.delivery.due(now(mono)).remove(0);
        let mut rng = Rng::seed_from_u64(mono);
        desk.delivery.postpone(now(mono), &mut rng, &due.feed, &due.devices, &due.ranges);
        let wake = desk.delivery.wake_at().unwrap();
        assert!(wake >= mono + FIRST_RETRY_MS);
        mono = wake + 60_000;
    }
    desk.delivery.hurry(None);
    assert_eq!(desk.delivery.wake_at(), Some(0));
}

#[test]
fn marks_to_send_are_told_once_and_receipts_can_be_off() {
    let members = roster(&[(1, 1), (2, 2)]);
    let (mut alice, mut bob) = (Device::new(1, 1, &members), Device::new(2, 2, &members));
    let text = alice.text("x");
    bob.ingest(&text);
    bob.work(|feeds| feeds.mark_read(&id(&text)).unwrap());
    let mark = vec![Mark { feed: id(&text).feed, next: 1 }];
    assert!(bob.work(|feeds| feeds.has_marks(false).unwrap()).0);
    let told = bob.work(|feeds| feeds.take_marks(false, false).unwrap()).0;
    assert_eq!(told, Some(Marks { delivered: mark.clone(), read: Vec::new() }));
    assert!(!bob.work(|feeds| feeds.has_marks(false).unwrap()).0);
    assert_eq!(bob.work(|feeds| feeds.take_marks(false, false).unwrap()).0, None);
    let told = bob.work(|feeds| feeds.take_marks(true, false).unwrap()).0;
    assert_eq!(told, Some(Marks { delivered: Vec::new(), read: mark.clone() }));
    let told = bob.work(|feeds| feeds.take_marks(true, true).unwrap()).0;
    assert_eq!(told, Some(Marks { delivered: mark.clone(), read: mark }));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn whatever_becomes_of_envelopes_everything_is_taken_at_last(seed in any::<u64>()) {
        let mut desk = Desk::new();
        let mut rng = Rng::seed_from_u64(seed);
        let (mut mono, mut number) = (0, 0);
        let mut last = desk.text();
        for step in 0..2_000u32 {
            if step < 30 && rng.next_u32().is_multiple_of(2) {
                last = desk.text();
            }
            mono += u64::from(rng.next_u32() % 20_000);
            let healed = step > 200;
            number = (number + 1) % 250;
            let due = desk.delivery.due(now(mono));
            if healed && due.is_empty() && desk.delivery.wake_at().is_none() {
                break;
            }
            for part in due {
                desk.delivery.started(now(mono), envelope(number), &part.feed, &part.devices, &part.ranges);
                for to in 2..=5 {
                    let outcome = match rng.next_u32() % 5 {
                        _ if healed => SendOutcome::Direct,
                        0 => SendOutcome::Direct,
                        1 => SendOutcome::Mailbox(Deposited::Taken),
                        2 => SendOutcome::Mailbox(Deposited::Full),
                        3 => SendOutcome::Unreachable,
                        _ => continue,
                    };
                    desk.outcome(mono, number, to, outcome);
                }
            }
        }
        prop_assert_eq!(desk.delivery.wake_at(), None);
        prop_assert!(desk.delivery.attempts.is_empty());
        for device in desk.delivery.devices(&desk.alice.roster, &last) {
            prop_assert_eq!(device.state, MessageState::Sent);
        }
    }
}
