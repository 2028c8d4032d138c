//! Proof of work, slots and origins.

use kith_core::types::{AccountId, EnvelopeId, Token};
use kith_core::wire::relay::{Refusal, Request, Response, leading_zero_bits, work_hash};
use kith_relay::domain::{Caller, Limits, Settings};

use crate::world::{World, card, envelope, stranger};

fn world() -> World {
    let limits = Limits { work_bits: 4, work_bits_full: 8, requests: 4, requests_per_origin: 2, ..Limits::default() };
    World::new(Settings { limits, ..Settings::default() })
}

fn challenge(world: &mut World, caller: Caller, account: AccountId) -> (Token, u8) {
    match world.ask(caller, Request::RequestChallenge { account }) {
        Response::Challenge { challenge, bits } => (challenge, bits),
        other => panic!("no challenge: {other:?}"),
    }
}

fn solve(challenge: &Token, id: EnvelopeId, bits: u8) -> u64 {
    let solves = |work: &u64| leading_zero_bits(&work_hash(challenge, &id, *work)) >= u32::from(bits);
    (0..).find(solves).unwrap()
}

fn request(account: AccountId, challenge: Token, work: u64, id: EnvelopeId) -> Request {
    Request::DepositRequest { account, challenge, work, envelope: card(id, account) }
}

fn send(world: &mut World, from: u8, account: AccountId, id: u8) -> Response {
    let id = EnvelopeId::new([id; 16]);
    let (challenge, bits) = challenge(world, stranger(from), account);
    let work = solve(&challenge, id, bits);
    world.ask(stranger(from), request(account, challenge, work, id))
}

#[test]
fn a_request_with_its_work_done_reaches_every_device_once() {
    let mut world = world();
    let bob = world.person("bob", 2);
    let id = EnvelopeId::new([1; 16]);
    let (challenge, bits) = challenge(&mut world, stranger(1), bob.account());
    let work = solve(&challenge, id, bits);
    let sent = request(bob.account(), challenge, work, id);
    world.done(stranger(1), sent.clone());
    world.done(stranger(1), sent);
    for device in 0..2 {
        let (_, envelopes, _) = world.fetch(bob.caller(device), None);
        assert_eq!(envelopes.len(), 1);
        assert_eq!(envelopes[0].envelope, card(id, bob.account()));
    }
    let other = EnvelopeId::new([2; 16]);
    let work = solve(&challenge, other, bits);
    let again = request(bob.account(), challenge, work, other);
    assert_eq!(world.refusal(stranger(1), again), Refusal::NotFound, "a challenge is good once");
}

#[test]
fn work_that_is_missing_stale_or_for_somebody_else_is_refused() {
    let mut world = world();
    let (alice, bob) = (world.person("alice", 1), world.person("bob", 1));
    let id = EnvelopeId::new([1; 16]);
    let (token, bits) = challenge(&mut world, stranger(1), bob.account());
    let work = solve(&token, id, bits);
    let unsolved = (0..).find(|work| leading_zero_bits(&work_hash(&token, &id, *work)) < u32::from(bits)).unwrap();
    assert_eq!(world.refusal(stranger(1), request(bob.account(), token, unsolved, id)), Refusal::Forbidden);
    assert_eq!(world.refusal(stranger(1), request(alice.account(), token, work, id)), Refusal::NotFound);
    let mut easier = *token.as_bytes();
    easier[4] = 0;
    let easier = Token::new(easier);
    assert_eq!(world.refusal(stranger(1), request(bob.account(), easier, 0, id)), Refusal::NotFound);
    world.now = world.now.plus_ms(600_000);
    assert_eq!(world.refusal(stranger(1), request(bob.account(), token, work, id)), Refusal::NotFound);
}

#[test]
fn work_grows_as_the_slot_fills_until_it_is_full() {
    let mut world = world();
    let bob = world.person("bob", 1);
    let mut asked = Vec::new();
    for number in 0..4 {
        asked.push(challenge(&mut world, stranger(100), bob.account()).1);
        assert_eq!(send(&mut world, number + 1, bob.account(), number + 1), Response::Done);
    }
    assert_eq!(asked, [4, 6, 8, 10]);
    assert_eq!(send(&mut world, 9, bob.account(), 9), Response::Refused(Refusal::Full));
    let envelope = envelope(&mut world.rng);
    let taken = world.deposit(stranger(1), &[bob.mailbox(0)], &envelope);
    assert_eq!(taken, [kith_core::wire::relay::Deposited::Taken], "the mailbox is apart from the slot");
    let (cursor, ..) = world.fetch(bob.caller(0), None);
    world.done(bob.caller(0), Request::Acknowledge { from: 0, upto: cursor });
    assert_eq!(challenge(&mut world, stranger(100), bob.account()).1, 4);
    assert_eq!(send(&mut world, 9, bob.account(), 9), Response::Done);
}

#[test]
fn one_origin_may_not_send_many() {
    let mut world = world();
    let bob = world.person("bob", 1);
    assert_eq!(send(&mut world, 1, bob.account(), 1), Response::Done);
    assert_eq!(send(&mut world, 1, bob.account(), 2), Response::Done);
    assert!(matches!(send(&mut world, 1, bob.account(), 3), Response::Refused(Refusal::TooMany { .. })));
    world.pass(24 * 3600 * 1000);
    assert_eq!(send(&mut world, 1, bob.account(), 3), Response::Done);
}

#[test]
fn nothing_but_a_sealed_card_is_a_request() {
    let mut world = world();
    let bob = world.person("bob", 1);
    let (token, _) = challenge(&mut world, stranger(1), bob.account());
    let mut refused = |envelope: Vec<u8>| {
        let request = Request::DepositRequest { account: bob.account(), challenge: token, work: 0, envelope };
        world.refusal(stranger(1), request)
    };
    assert!(matches!(refused(card(EnvelopeId::new([1; 16]), AccountId::new([1; 32]))), Refusal::Malformed(_)));
    assert!(matches!(refused(vec![1; 10]), Refusal::Malformed(_)));
    assert_eq!(refused(vec![1; 17 * 1024]), Refusal::TooLarge);
}
