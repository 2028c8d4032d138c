//! Deposits, cursors, fan-out, limits and time.

use kith_core::types::{EnvelopeId, Incarnation, Token};
use kith_core::wire::envelope::Class;
use kith_core::wire::relay::{
    Cursor, Deposited, Destination, Mailbox, Push, Refusal, Request, Response, list_hash, token_hash,
};
use kith_relay::domain::operator::new_life;
use kith_relay::domain::{Federation, Limits, Rate, Relay, RelayRead, Settings};

use crate::world::{World, envelope, envelope_of, keys, stranger};

fn world_with(limits: Limits) -> World {
    World::new(Settings { limits, ..Settings::default() })
}

#[test]
fn a_duplicate_deposit_is_stored_once_even_after_its_acknowledgement() {
    let mut world = World::new(Settings::default());
    let bob = world.person("bob", 1);
    let envelope = envelope(&mut world.rng);
    for _ in 0..2 {
        assert_eq!(world.deposit(stranger(1), &[bob.mailbox(0)], &envelope), [Deposited::Taken]);
    }
    let (cursor, envelopes, more) = world.fetch(bob.caller(0), None);
    assert_eq!((envelopes.len(), more), (1, false));
    assert_eq!(envelopes[0].envelope, envelope);
    world.done(bob.caller(0), Request::Acknowledge { from: 0, upto: cursor });
    assert_eq!(world.deposit(stranger(1), &[bob.mailbox(0)], &envelope), [Deposited::Taken]);
    assert!(world.fetch(bob.caller(0), None).1.is_empty());
    world.relay = Relay::new(Settings::default(), keys());
    assert_eq!(world.deposit(stranger(1), &[bob.mailbox(0)], &envelope), [Deposited::Taken]);
    assert_eq!(world.fetch(bob.caller(0), None).1.len(), 1, "who starts anew has forgotten it");
}

#[test]
fn a_full_mailbox_refuses_and_drops_nothing() {
    let mut world = world_with(Limits { mailbox_envelopes: 2, mailbox_bytes: 900, ..Limits::default() });
    let bob = world.person("bob", 1);
    let envelopes: Vec<Vec<u8>> = (0..3).map(|_| envelope(&mut world.rng)).collect();
    let mut deposit = |envelope: &[u8]| world.deposit(stranger(1), &[bob.mailbox(0)], envelope)[0];
    assert_eq!((deposit(&envelopes[0]), deposit(&envelopes[1])), (Deposited::Taken, Deposited::Taken));
    assert_eq!(deposit(&envelopes[2]), Deposited::Full, "by number");
    assert_eq!(deposit(&envelopes[0]), Deposited::Taken, "what it has it has");
    let (mut cursor, waiting, _) = world.fetch(bob.caller(0), None);
    assert_eq!(waiting.len(), 2);
    cursor.next = waiting[0].number + 1;
    world.done(bob.caller(0), Request::Acknowledge { from: 0, upto: cursor });
    let large = envelope_of(EnvelopeId::new([1; 16]), Class::Durable, 800);
    assert_eq!(world.deposit(stranger(1), &[bob.mailbox(0)], &large), [Deposited::Full], "by size");
    assert_eq!(world.deposit(stranger(1), &[bob.mailbox(0)], &envelopes[2]), [Deposited::Taken]);
}

#[test]
fn a_revoked_or_foreign_token_is_forbidden() {
    let mut world = World::new(Settings::default());
    let (alice, bob) = (world.person("alice", 1), world.person("bob", 1));
    let envelope = envelope(&mut world.rng);
    let of_another = Mailbox { device: alice.device(0), token: bob.token };
    let unknown = Mailbox { device: alice.device(0), token: Token::new([1; 32]) };
    let results = world.deposit(stranger(1), &[of_another, unknown, alice.mailbox(0)], &envelope);
    assert_eq!(results, [Deposited::Forbidden, Deposited::Forbidden, Deposited::Taken]);
    world.done(alice.caller(0), Request::RevokeTokens { tokens: vec![token_hash(&alice.token)] });
    let again = envelope_of(EnvelopeId::new([1; 16]), Class::Durable, 1);
    assert_eq!(world.deposit(stranger(1), &[alice.mailbox(0)], &again), [Deposited::Forbidden]);
}

#[test]
fn a_cursor_of_another_incarnation_means_nothing() {
    let mut world = World::new(Settings::default());
    let bob = world.person("bob", 1);
    let envelope = envelope(&mut world.rng);
    world.deposit(stranger(1), &[bob.mailbox(0)], &envelope);
    let (cursor, ..) = world.fetch(bob.caller(0), None);
    let foreign = Cursor { queue: Incarnation::new([1; 8]), next: 1 };
    assert_eq!(world.fetch(bob.caller(0), Some(foreign)).1.len(), 1, "everything is shown");
    assert_eq!(world.refusal(bob.caller(0), Request::Acknowledge { from: 0, upto: foreign }), Refusal::Conflict);

    let batch = new_life(&world.rows, &mut world.rng).unwrap();
    world.rows.apply(batch);
    assert_eq!(world.refusal(bob.caller(0), Request::Acknowledge { from: 0, upto: cursor }), Refusal::Conflict);
    let (after, envelopes, _) = world.fetch(bob.caller(0), Some(cursor));
    assert_ne!(after.queue, cursor.queue, "a restored relay begins new queues");
    assert_eq!(envelopes.len(), 1);
    world.done(bob.caller(0), Request::Acknowledge { from: 0, upto: after });
}

#[test]
fn a_cursor_beyond_the_end_neither_skips_nor_deletes_what_comes() {
    let mut world = World::new(Settings::default());
    let bob = world.person("bob", 1);
    let (mut cursor, ..) = world.fetch(bob.caller(0), None);
    cursor.next = u64::MAX;
    world.done(bob.caller(0), Request::Acknowledge { from: 0, upto: cursor });
    let envelope = envelope(&mut world.rng);
    world.deposit(stranger(1), &[bob.mailbox(0)], &envelope);
    let (next, envelopes, _) = world.fetch(bob.caller(0), None);
    assert_eq!((next.next, envelopes.len()), (1, 1));
}

#[test]
fn one_upload_reaches_all_of_a_list_and_is_kept_until_the_last_has_it() {
    let mut world = World::new(Settings::default());
    let (alice, bob) = (world.person("alice", 2), world.person("bob", 1));
    let mut mailboxes = vec![alice.mailbox(0), alice.mailbox(1), bob.mailbox(0)];
    mailboxes.sort();
    let list = list_hash(&mailboxes);
    let large = envelope_of(EnvelopeId::new([1; 16]), Class::Durable, 10_000);
    let deposit = Request::Deposit { to: Destination::List(list), envelope: large.clone() };
    assert_eq!(world.ask(stranger(1), deposit.clone()), Response::UnknownList);
    world.done(stranger(1), Request::DefineList { mailboxes: mailboxes.clone() });
    let before = size(&world);
    assert_eq!(world.ask(stranger(1), deposit), Response::Deposited { results: vec![Deposited::Taken; 3] });
    assert!(size(&world) - before < 12_000, "the body is stored once");
    for (person, device) in [(&alice, 0), (&alice, 1), (&bob, 0)] {
        let (cursor, envelopes, _) = world.fetch(person.caller(device), None);
        assert_eq!(envelopes[0].envelope, large);
        world.done(person.caller(device), Request::Acknowledge { from: 0, upto: cursor });
    }
    assert!(size(&world) < before + 2_000, "the body is gone");
    mailboxes.reverse();
    assert!(matches!(world.refusal(stranger(1), Request::DefineList { mailboxes }), Refusal::Malformed(_)));
    let strangers = vec![Mailbox { device: bob.device(0), token: Token::new([3; 32]) }];
    assert_eq!(world.refusal(stranger(1), Request::DefineList { mailboxes: strangers }), Refusal::Forbidden);
}

fn size(world: &World) -> usize {
    world.rows.scan(&[], None, usize::MAX).unwrap().iter().map(|(key, value)| key.len() + value.len()).sum()
}

#[test]
fn envelopes_end_after_their_time() {
    let mut world = World::new(Settings::default());
    let bob = world.person("bob", 1);
    let rows = world.rows.len();
    let short = envelope_of(EnvelopeId::new([1; 16]), Class::Ephemeral { ttl_s: 10 }, 10);
    let long = envelope_of(EnvelopeId::new([2; 16]), Class::Durable, 10);
    world.deposit(stranger(1), &[bob.mailbox(0)], &short);
    world.deposit(stranger(1), &[bob.mailbox(0)], &long);
    world.now = world.now.plus_ms(10_000);
    let (_, envelopes, _) = world.fetch(bob.caller(0), None);
    assert_eq!(envelopes.len(), 1, "before it is swept");
    world.pass(30 * 24 * 3600 * 1000);
    assert!(world.fetch(bob.caller(0), None).1.is_empty());
    assert_eq!(world.rows.len(), rows, "nothing is left of them");
}

#[test]
fn live_only_envelopes_reach_who_listens_and_nobody_else() {
    let mut world = World::new(Settings::default());
    let bob = world.person("bob", 1);
    let live = envelope_of(EnvelopeId::new([1; 16]), Class::LiveOnly, 10);
    assert_eq!(world.deposit(stranger(1), &[bob.mailbox(0)], &live), [Deposited::Away]);
    world.fetch(bob.caller(0), None);
    assert_eq!(world.deposit(stranger(1), &[bob.mailbox(0)], &live), [Deposited::Taken]);
    assert_eq!(
        world.pushes.pop().map(|delivery| Push::from(delivery.what)),
        Some(Push::Live { envelope: live.clone() })
    );
    world.relay.disconnected(bob.caller(0).peer);
    assert_eq!(world.deposit(stranger(1), &[bob.mailbox(0)], &live), [Deposited::Away]);
    assert!(world.fetch(bob.caller(0), None).1.is_empty(), "it is not kept");
}

#[test]
fn pushes_go_on_where_the_last_fetch_ended() {
    let mut world = World::new(Settings::default());
    let bob = world.person("bob", 1);
    for _ in 0..300 {
        let envelope = envelope(&mut world.rng);
        world.deposit(stranger(1), &[bob.mailbox(0)], &envelope);
    }
    let (cursor, envelopes, more) = world.fetch(bob.caller(0), None);
    assert_eq!((envelopes.len(), more), (256, true));
    let late = envelope(&mut world.rng);
    world.deposit(stranger(1), &[bob.mailbox(0)], &late);
    assert!(world.pushes.is_empty(), "not before everything was fetched");
    let (cursor, envelopes, more) = world.fetch(bob.caller(0), Some(cursor));
    assert_eq!((envelopes.len(), more), (45, false));
    let last = envelope(&mut world.rng);
    world.deposit(stranger(1), &[bob.mailbox(0)], &last);
    let Some(Push::Envelopes { cursor: pushed, envelopes }) =
        world.pushes.pop().map(|delivery| Push::from(delivery.what))
    else {
        panic!("nothing pushed")
    };
    assert_eq!((envelopes[0].number, pushed.next), (cursor.next, cursor.next + 1));
    world.done(bob.caller(0), Request::Acknowledge { from: 0, upto: pushed });
    assert!(world.fetch(bob.caller(0), None).1.is_empty());
}

#[test]
fn what_is_pushed_and_acknowledged_leaves_what_was_fetched_and_is_not() {
    let mut world = World::new(Settings::default());
    let bob = world.person("bob", 1);
    let fetched = envelope(&mut world.rng);
    world.deposit(stranger(1), &[bob.mailbox(0)], &fetched);
    // The answer to this is lost on its way.
    let _ = world.fetch(bob.caller(0), None);
    let pushed = envelope(&mut world.rng);
    world.deposit(stranger(1), &[bob.mailbox(0)], &pushed);
    let Some(Push::Envelopes { cursor, envelopes }) = world.pushes.pop().map(|delivery| Push::from(delivery.what))
    else {
        panic!("nothing pushed")
    };
    world.done(bob.caller(0), Request::Acknowledge { from: envelopes[0].number, upto: cursor });
    let left: Vec<Vec<u8>> = world.fetch(bob.caller(0), None).1.into_iter().map(|stored| stored.envelope).collect();
    assert_eq!(left, [fetched]);
}

#[test]
fn deposits_by_one_token_are_limited_in_rate() {
    let limits = Limits { deposits_rate: Rate { burst: 2, per_minute: 60 }, ..Limits::default() };
    let mut world = world_with(limits);
    let bob = world.person("bob", 1);
    let deposit = |world: &mut World| {
        let envelope = envelope(&mut world.rng);
        world.deposit(stranger(1), &[bob.mailbox(0)], &envelope)[0]
    };
    let results = [deposit(&mut world), deposit(&mut world), deposit(&mut world)];
    assert_eq!(results, [Deposited::Taken, Deposited::Taken, Deposited::TooFast]);
    world.now = world.now.plus_ms(1000);
    assert_eq!(deposit(&mut world), Deposited::Taken);
}

#[test]
fn a_relay_that_does_not_federate_takes_from_its_own_only() {
    let closed = Settings { federation: Federation::Closed, ..Settings::default() };
    let mut world = World::new(closed);
    let (alice, bob) = (world.person("alice", 1), world.person("bob", 1));
    let envelope = envelope(&mut world.rng);
    let to = Destination::Mailboxes(vec![bob.mailbox(0)]);
    let deposit = Request::Deposit { to, envelope: envelope.clone() };
    assert_eq!(world.refusal(stranger(1), deposit.clone()), Refusal::NotFederated);
    assert_eq!(world.deposit(alice.caller(0), &[bob.mailbox(0)], &envelope), [Deposited::Taken]);

    let networks = vec!["10.0.0.0/29".parse().unwrap()];
    let mut world = World::new(Settings { federation: Federation::List(networks), ..Settings::default() });
    assert!(matches!(world.ask(stranger(7), deposit.clone()), Response::Deposited { .. }));
    assert_eq!(world.refusal(stranger(8), deposit), Refusal::NotFederated);
}

#[test]
fn too_large_or_malformed_an_envelope_is_refused() {
    let mut world = world_with(Limits { envelope_bytes: 300, ..Limits::default() });
    let bob = world.person("bob", 1);
    let deposit = |envelope: Vec<u8>| Request::Deposit { to: Destination::Mailboxes(vec![bob.mailbox(0)]), envelope };
    let large = envelope_of(EnvelopeId::new([1; 16]), Class::Durable, 300);
    assert_eq!(world.refusal(stranger(1), deposit(large)), Refusal::TooLarge);
    assert!(matches!(world.refusal(stranger(1), deposit(vec![1, 2, 3])), Refusal::Malformed(_)));
}
