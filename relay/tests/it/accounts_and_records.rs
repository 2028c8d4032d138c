//! Sign-up, log-in, records, tokens and key packages.

use kith_core::identity::{DeviceKeys, RecoveryCode};
use kith_core::types::Token;
use kith_core::wire::relay::{Purpose, Refusal, Request, Response, token_hash};
use kith_relay::domain::operator::{invite, remove_user, users};
use kith_relay::domain::{Caller, Federation, Limits, Rate, Registration, Settings};

use crate::world::{NewPassword, PASSWORD, Person, World, binding, envelope, stranger};

#[test]
fn a_handle_that_looks_like_a_taken_one_is_refused() {
    let mut world = World::new(Settings::default());
    world.person("alice.im", 1);
    let other = Person::new(&mut world.rng, 1);
    for handle in ["alice.im", "ALICE.IM", "a1ice-im", "alice_lm", "aliceirn"] {
        assert_eq!(world.refusal(other.caller(0), other.sign_up(handle)), Refusal::HandleTaken, "{handle}");
    }
    for handle in ["al", "al ice", ".alice", &"a".repeat(33)] {
        assert_eq!(world.refusal(other.caller(0), other.sign_up(handle)), Refusal::HandleMalformed, "{handle}");
    }
    assert_eq!(world.refusal(other.caller(0), other.sign_up("admin")), Refusal::HandleTaken);
    world.done(other.caller(0), other.sign_up("bob"));
}

#[test]
fn a_sign_up_that_is_repeated_is_done_once() {
    let mut world = World::new(Settings::default());
    let alice = Person::new(&mut world.rng, 1);
    world.done(alice.caller(0), alice.sign_up("alice"));
    let rows = world.rows.clone();
    world.done(alice.caller(0), alice.sign_up("alice"));
    assert_eq!(world.rows, rows);
    assert_eq!(world.refusal(alice.caller(0), alice.sign_up("alice2")), Refusal::Conflict);
}

#[test]
fn a_record_without_the_device_that_signs_up_is_refused() {
    let mut world = World::new(Settings::default());
    let alice = Person::new(&mut world.rng, 1);
    assert!(matches!(world.refusal(stranger(1), alice.sign_up("alice")), Refusal::Malformed(_)));
}

#[test]
fn registration_can_be_closed_or_need_an_invitation() {
    let settings = |registration| Settings { registration, ..Settings::default() };
    let mut world = World::new(settings(Registration::Closed));
    let alice = Person::new(&mut world.rng, 1);
    assert_eq!(world.refusal(alice.caller(0), alice.sign_up("alice")), Refusal::RegistrationClosed);

    let mut world = World::new(settings(Registration::Invite));
    assert_eq!(world.refusal(alice.caller(0), alice.sign_up("alice")), Refusal::RegistrationClosed);
    let (batch, invited) = invite(&world.rows, world.now, &mut world.rng);
    world.rows.apply(batch);
    let with_code = |person: &Person, handle: &str| match person.sign_up(handle) {
        Request::RegisterFinish { handle, message, stretching, vault, recovery, record, .. } => {
            let invitation = Some(invited.code);
            Request::RegisterFinish { handle, message, stretching, vault, recovery, record, invitation }
        }
        other => other,
    };
    world.done(alice.caller(0), with_code(&alice, "alice"));
    let bob = Person::new(&mut world.rng, 1);
    assert_eq!(world.refusal(bob.caller(0), with_code(&bob, "bob")), Refusal::RegistrationClosed, "good once");
}

#[test]
fn a_log_in_gives_vault_and_record_and_a_wrong_password_nothing() {
    let mut world = World::new(Settings::default());
    let alice = Person::new(&mut world.rng, 1);
    world.register(&alice, "alice", PASSWORD);
    let Response::LoggedIn { vault, version, record } = world.login(stranger(1), "Alice", PASSWORD) else {
        panic!("not logged in")
    };
    assert_eq!((vault.as_slice(), version), (b"vault".as_slice(), 1));
    assert_eq!(record, alice.record.encode());
    assert_eq!(world.login(stranger(1), "alice", "wrong"), Response::Refused(Refusal::WrongPassword));
}

#[test]
fn an_unknown_name_is_answered_like_a_known_one() {
    let mut world = World::new(Settings::default());
    let alice = Person::new(&mut world.rng, 1);
    world.register(&alice, "alice", PASSWORD);
    let mut start = |handle: &str| {
        let (_, message) = kith_core::identity::opaque::ClientLogin::start(&mut world.rng, PASSWORD).unwrap();
        match world.ask(stranger(1), Request::LoginStart { handle: handle.into(), message }) {
            Response::LoginStarted { message, stretching, .. } => (message.len(), stretching),
            other => panic!("not started: {other:?}"),
        }
    };
    assert_eq!(start("alice"), start("nobody"));
    assert_eq!(world.login(stranger(2), "nobody", PASSWORD), Response::Refused(Refusal::WrongPassword));
}

#[test]
fn attempts_to_log_in_are_limited_by_name_and_by_address() {
    let rate = |burst| Rate { burst, per_minute: 1 };
    let limits = Limits { login_handle_rate: rate(2), login_address_rate: rate(3), ..Limits::default() };
    let mut world = World::new(Settings { limits, ..Settings::default() });
    let mut start = |caller, handle: &str| {
        let (_, message) = kith_core::identity::opaque::ClientLogin::start(&mut world.rng, "x").unwrap();
        match world.ask(caller, Request::LoginStart { handle: handle.into(), message }) {
            Response::LoginStarted { .. } => true,
            Response::Refused(Refusal::TooMany { .. }) => false,
            other => panic!("{other:?}"),
        }
    };
    assert!(start(stranger(1), "alice") && start(stranger(2), "alice"));
    assert!(!start(stranger(3), "alice"), "by name, though it is unknown");
    assert!(start(stranger(1), "bob") && start(stranger(1), "carol"));
    assert!(!start(stranger(1), "dave"), "by address");
}

#[test]
fn a_log_in_belongs_to_its_connection_and_to_its_minute() {
    let mut world = World::new(Settings::default());
    let alice = Person::new(&mut world.rng, 1);
    world.register(&alice, "alice", PASSWORD);
    let start = |world: &mut World| {
        let (client, message) = kith_core::identity::opaque::ClientLogin::start(&mut world.rng, PASSWORD).unwrap();
        let Response::LoginStarted { login, message, .. } =
            world.ask(stranger(1), Request::LoginStart { handle: "alice".into(), message })
        else {
            panic!("not started")
        };
        let message = client.finish(&mut world.rng, &binding("alice"), &message).unwrap().finalization;
        Request::LoginFinish { login, message }
    };
    let finish = start(&mut world);
    assert_eq!(world.refusal(stranger(2), finish.clone()), Refusal::NotFound);
    assert!(matches!(world.ask(stranger(1), finish.clone()), Response::LoggedIn { .. }));
    assert_eq!(world.refusal(stranger(1), finish), Refusal::NotFound, "once");
    let late = start(&mut world);
    world.pass(60_000);
    assert_eq!(world.refusal(stranger(1), late), Refusal::NotFound);
}

#[test]
fn a_password_is_changed_after_a_log_in_and_only_from_the_expected_version() {
    let mut world = World::new(Settings::default());
    let alice = Person::new(&mut world.rng, 1);
    world.register(&alice, "alice", PASSWORD);
    let change = |world: &mut World, expected| {
        let new = NewPassword { password: "a new one", expected, ..NewPassword::default() };
        world.change_password(alice.caller(0), "alice", new)
    };
    assert_eq!(change(&mut world, 1), Response::Refused(Refusal::HandleTaken), "a device alone may not");
    assert!(matches!(world.login(alice.caller(0), "alice", PASSWORD), Response::LoggedIn { .. }));
    assert_eq!(change(&mut world, 2), Response::Refused(Refusal::Conflict));
    assert_eq!(change(&mut world, 1), Response::Done);
    assert_eq!(world.login(stranger(1), "alice", PASSWORD), Response::Refused(Refusal::WrongPassword));
    let Response::LoggedIn { vault, version, .. } = world.login(stranger(1), "alice", "a new one") else {
        panic!("not logged in")
    };
    assert_eq!((vault.as_slice(), version), (b"new vault".as_slice(), 2));
    assert!(matches!(world.recover(stranger(2), "alice", &alice.code), Response::LoggedIn { .. }), "the code stays");

    world.relay.disconnected(alice.caller(0).peer);
    assert_eq!(change(&mut world, 2), Response::Refused(Refusal::HandleTaken), "the log-in ended with its connection");
}

#[test]
fn who_has_the_recovery_code_gets_the_vault_and_sets_a_password_with_which_the_code_is_spent() {
    let mut world = World::new(Settings::default());
    let alice = Person::new(&mut world.rng, 1);
    world.register(&alice, "alice", PASSWORD);
    let Response::LoggedIn { vault, version, record } = world.recover(stranger(1), "Alice", &alice.code) else {
        panic!("not recovered")
    };
    assert_eq!((vault.as_slice(), version, record), (b"vault".as_slice(), 1, alice.record.encode()));
    assert!(matches!(world.login(stranger(2), "alice", PASSWORD), Response::LoggedIn { .. }), "until it is replaced");

    let next = RecoveryCode::generate(&mut world.rng);
    let device = DeviceKeys::generate(&mut world.rng);
    let record = alice.next_record(&[alice.devices[0].clone(), device.clone()]);
    let new = NewPassword { password: "a new one", expected: 1, code: Some(&next), record: Some(&record) };
    let mallory = world.person("mallory", 1);
    let foreign = NewPassword { record: Some(&mallory.record), ..new };
    assert_eq!(world.change_password(stranger(1), "alice", foreign), Response::Refused(Refusal::Forbidden));
    assert_eq!(world.change_password(stranger(1), "alice", new), Response::Done);

    assert_eq!(world.login(stranger(3), "alice", PASSWORD), Response::Refused(Refusal::WrongPassword));
    let spent = world.recover(stranger(3), "alice", &alice.code);
    assert_eq!(spent, Response::Refused(Refusal::WrongRecoveryCode));
    assert!(matches!(world.login(stranger(3), "alice", "a new one"), Response::LoggedIn { version: 2, .. }));
    assert!(matches!(world.recover(stranger(4), "alice", &next), Response::LoggedIn { version: 2, .. }));
    let shown = world.ask(stranger(5), Request::Lookup { handle: "alice".into() });
    assert_eq!(shown, Response::Record { record: record.encode() });
    world.fetch(alice.caller(0), None);
    world.fetch(Caller { peer: *device.transport.public().as_bytes(), address: None }, None);
}

#[test]
fn who_logged_in_before_a_change_of_password_cannot_change_it_back() {
    let mut world = World::new(Settings::default());
    let alice = Person::new(&mut world.rng, 1);
    world.register(&alice, "alice", PASSWORD);
    let (thief, late) = (stranger(1), stranger(2));
    assert!(matches!(world.login(thief, "alice", PASSWORD), Response::LoggedIn { .. }));
    let (client, message) = kith_core::identity::opaque::ClientLogin::start(&mut world.rng, PASSWORD).unwrap();
    let started = world.ask(late, Request::LoginStart { handle: "alice".into(), message });
    let Response::LoginStarted { login, message, .. } = started else { panic!("not started") };

    assert!(matches!(world.recover(stranger(3), "alice", &alice.code), Response::LoggedIn { .. }));
    let new = NewPassword { password: "a new one", expected: 1, ..NewPassword::default() };
    assert_eq!(world.change_password(stranger(3), "alice", new), Response::Done);

    let back = NewPassword { password: PASSWORD, expected: 2, ..NewPassword::default() };
    assert_eq!(world.change_password(thief, "alice", back), Response::Refused(Refusal::HandleTaken));
    let message = client.finish(&mut world.rng, &binding("alice"), &message).unwrap().finalization;
    assert_eq!(world.refusal(late, Request::LoginFinish { login, message }), Refusal::NotFound);
    assert!(matches!(world.login(stranger(4), "alice", "a new one"), Response::LoggedIn { .. }));
}

#[test]
fn a_wrong_code_and_an_unknown_name_are_answered_alike_and_are_limited() {
    let rate = |burst| Rate { burst, per_minute: 1 };
    let limits = Limits { login_handle_rate: rate(3), login_address_rate: rate(5), ..Limits::default() };
    let mut world = World::new(Settings { limits, ..Settings::default() });
    let alice = Person::new(&mut world.rng, 1);
    world.register(&alice, "alice", PASSWORD);
    let wrong = RecoveryCode::generate(&mut world.rng);
    let refused = Response::Refused(Refusal::WrongRecoveryCode);
    assert_eq!(world.recover(stranger(1), "alice", &wrong), refused);
    assert_eq!(world.recover(stranger(1), "nobody", &wrong), refused);
    assert_eq!(world.recover(stranger(1), "al", &wrong), Response::Refused(Refusal::HandleMalformed));
    for _ in 0..8 {
        let recovered = world.recover(stranger(2), "alice", &alice.code);
        assert!(matches!(recovered, Response::LoggedIn { .. }), "a good one is not counted: {recovered:?}");
    }
    for _ in 0..2 {
        assert_eq!(world.recover(stranger(3), "alice", &wrong), refused);
    }
    let patience = |response| matches!(response, Response::Refused(Refusal::TooMany { .. }));
    assert!(patience(world.recover(stranger(4), "alice", &wrong)), "by name");
    for name in ["bob", "carol", "dave"] {
        assert_eq!(world.recover(stranger(3), name, &wrong), refused);
    }
    assert!(patience(world.recover(stranger(3), "erin", &wrong)), "by address");
    assert!(
        matches!(world.login(stranger(5), "alice", PASSWORD), Response::LoggedIn { .. }),
        "log-ins are counted apart"
    );
}

#[test]
fn a_challenge_belongs_to_its_connection_its_name_and_its_minute_and_is_good_once() {
    let mut world = World::new(Settings::default());
    let alice = Person::new(&mut world.rng, 1);
    world.register(&alice, "alice", PASSWORD);
    let start = |world: &mut World, handle: &str| match world
        .ask(stranger(1), Request::RecoverStart { handle: handle.into() })
    {
        Response::RecoverStarted { challenge } => {
            let proof = alice.code.prove(&binding("alice"), &challenge).unwrap();
            (challenge, Request::RecoverFinish { challenge, proof })
        }
        other => panic!("{other:?}"),
    };
    let (challenge, finish) = start(&mut world, "alice");
    assert_eq!(world.refusal(stranger(2), finish.clone()), Refusal::NotFound);
    assert!(matches!(world.ask(stranger(1), finish.clone()), Response::LoggedIn { .. }));
    assert_eq!(world.refusal(stranger(1), finish), Refusal::NotFound, "once");
    let as_login = Request::LoginFinish { login: start(&mut world, "alice").0, message: vec![1; 9] };
    assert_eq!(world.refusal(stranger(1), as_login), Refusal::NotFound);
    let (_, of_another) = start(&mut world, "bob");
    assert_eq!(world.refusal(stranger(1), of_another), Refusal::WrongRecoveryCode);
    let old = alice.code.prove(&binding("alice"), &challenge).unwrap();
    let (challenge, _) = start(&mut world, "alice");
    let replayed = Request::RecoverFinish { challenge, proof: old };
    assert_eq!(world.refusal(stranger(1), replayed), Refusal::WrongRecoveryCode);
    let (_, late) = start(&mut world, "alice");
    world.pass(60_000);
    assert_eq!(world.refusal(stranger(1), late), Refusal::NotFound);
}

#[test]
fn a_newer_record_is_taken_and_a_lower_or_another_one_refused() {
    let mut world = World::new(Settings::default());
    let mut alice = world.person("alice", 1);
    let first = alice.record.clone();
    let added = DeviceKeys::generate(&mut world.rng);
    let devices = [alice.devices[0].clone(), added];
    let second = alice.next_record(&devices);
    let fork = alice.next_record(&devices[..1]);
    let put = |record: &kith_core::identity::AccountRecord| Request::PutRecord { record: record.encode() };
    world.done(stranger(1), put(&second));
    world.done(stranger(1), put(&second));
    assert_eq!(world.refusal(stranger(1), put(&first)), Refusal::Conflict);
    assert_eq!(world.refusal(stranger(1), put(&fork)), Refusal::Conflict);
    alice.record = fork;
    let wrong_predecessor = alice.next_record(&devices);
    assert_eq!(world.refusal(stranger(1), put(&wrong_predecessor)), Refusal::Conflict);
    let mut forged = second.encode();
    let last = forged.len() - 1;
    forged[last] ^= 1;
    assert!(matches!(world.refusal(stranger(1), Request::PutRecord { record: forged }), Refusal::Malformed(_)));
    let answer = world.ask(stranger(1), Request::GetRecord { account: alice.account() });
    assert_eq!(answer, Response::Record { record: second.encode() });
    assert_eq!(world.ask(stranger(1), Request::Lookup { handle: "ALICE".into() }), answer);
    assert_eq!(world.refusal(stranger(1), Request::Lookup { handle: "nobody".into() }), Refusal::NotFound);
}

#[test]
fn a_removed_device_is_signed_out_and_its_mailbox_swept() {
    let mut world = World::new(Settings::default());
    let mut alice = world.person("alice", 2);
    let envelope = envelope(&mut world.rng);
    let both = [alice.mailbox(0), alice.mailbox(1)];
    world.deposit(stranger(1), &both, &envelope);
    alice.record = alice.next_record(&alice.devices[..1]);
    world.done(alice.caller(0), Request::PutRecord { record: alice.record.encode() });
    assert_eq!(world.refusal(alice.caller(1), Request::Fetch { from: None }), Refusal::NotSignedIn);
    let results = world.deposit(stranger(1), &both, &envelope);
    assert_eq!(results, [kith_core::wire::relay::Deposited::Taken, kith_core::wire::relay::Deposited::Forbidden]);
    let before = world.rows.len();
    world.pass(1000);
    assert!(world.rows.len() < before, "its queue was swept");
    assert_eq!(world.fetch(alice.caller(0), None).1.len(), 1);
}

#[test]
fn one_device_cannot_belong_to_two_accounts() {
    let mut world = World::new(Settings::default());
    let alice = world.person("alice", 1);
    let mut mallory = Person::new(&mut world.rng, 1);
    mallory.devices.push(alice.devices[0].clone());
    mallory.record = mallory.next_record(&mallory.devices);
    let sign_up = mallory.sign_up("mallory");
    assert_eq!(world.refusal(mallory.caller(0), sign_up), Refusal::Conflict);
}

#[test]
fn key_packages_go_out_once_each_and_then_the_last_resort() {
    let mut world = World::new(Settings::default());
    let alice = world.person("alice", 1);
    let token = Token::random(&mut world.rng);
    let tokens = vec![(Purpose::KeyPackages, token_hash(&token))];
    world.done(alice.caller(0), Request::IssueTokens { tokens });
    let put = Request::PutKeyPackages {
        packages: vec![b"one".to_vec().into(), b"two".to_vec().into()],
        last_resort: Some(b"last".to_vec().into()),
    };
    let left = Response::KeyPackagesLeft { count: 2, last_resort_used: false };
    assert_eq!(world.ask(alice.caller(0), put), left);
    let mut take = |token| match world.ask(stranger(1), Request::TakeKeyPackages { account: alice.account(), token }) {
        Response::KeyPackages { packages } => Ok(packages[0].1.to_vec()),
        Response::Refused(refusal) => Err(refusal),
        other => panic!("{other:?}"),
    };
    let taken: Vec<_> = (0..4).map(|_| take(token).unwrap()).collect();
    assert_eq!(taken, [b"one".to_vec(), b"two".to_vec(), b"last".to_vec(), b"last".to_vec()]);
    assert_eq!(take(alice.token), Err(Refusal::Forbidden), "a delivery token is not for key packages");
    let left = Response::KeyPackagesLeft { count: 0, last_resort_used: true };
    assert_eq!(world.ask(alice.caller(0), Request::CountKeyPackages), left);
    assert_eq!(world.refusal(stranger(1), Request::CountKeyPackages), Refusal::NotSignedIn);
}

#[test]
fn tokens_are_bounded_and_only_their_owner_revokes_them() {
    let limits = Limits { tokens: 3, ..Limits::default() };
    let mut world = World::new(Settings { limits, ..Settings::default() });
    let (alice, bob) = (world.person("alice", 1), world.person("bob", 1));
    let hash = |number: u8| token_hash(&Token::new([number; 32]));
    let issue = |numbers: &[u8]| Request::IssueTokens {
        tokens: numbers.iter().map(|number| (Purpose::Delivery, hash(*number))).collect(),
    };
    world.done(alice.caller(0), issue(&[1, 2]));
    world.done(alice.caller(0), issue(&[1, 2]));
    assert_eq!(world.refusal(alice.caller(0), issue(&[3])), Refusal::Full);
    assert_eq!(world.refusal(bob.caller(0), issue(&[1])), Refusal::Conflict);
    world.done(bob.caller(0), Request::RevokeTokens { tokens: vec![token_hash(&alice.token)] });
    let envelope = envelope(&mut world.rng);
    assert_eq!(world.deposit(stranger(1), &[alice.mailbox(0)], &envelope), [kith_core::wire::relay::Deposited::Taken]);
    world.done(alice.caller(0), Request::RevokeTokens { tokens: vec![hash(1)] });
    world.done(alice.caller(0), issue(&[3]));
}

#[test]
fn addresses_are_kept_under_their_names_for_their_time() {
    let mut world = World::new(Settings::default());
    let (alice, bob) = (world.person("alice", 1), world.person("bob", 1));
    let name = token_hash(&Token::new([5; 32]));
    let put = |sealed: &[u8]| Request::PutAddress { name, sealed: sealed.to_vec(), ttl_s: 60 };
    world.done(alice.caller(0), put(b"here"));
    assert_eq!(world.refusal(bob.caller(0), put(b"there")), Refusal::Forbidden);
    assert_eq!(world.refusal(stranger(1), put(b"there")), Refusal::NotSignedIn);
    assert_eq!(world.refusal(alice.caller(0), put(&[0; 1025])), Refusal::TooLarge);
    let found = Response::Address { sealed: b"here".to_vec() };
    assert_eq!(world.ask(stranger(1), Request::GetAddress { name }), found);
    world.now = world.now.plus_ms(60_000);
    assert_eq!(world.refusal(stranger(1), Request::GetAddress { name }), Refusal::NotFound, "before it is swept");
    let rows = world.rows.len();
    world.pass(0);
    assert!(world.rows.len() < rows);
}

#[test]
fn a_removed_account_leaves_nothing_behind() {
    let mut world = World::new(Settings { federation: Federation::Open, ..Settings::default() });
    let empty = world.rows.len();
    let alice = world.person("alice", 2);
    let envelope = envelope(&mut world.rng);
    world.deposit(stranger(1), &[alice.mailbox(0), alice.mailbox(1)], &envelope);
    assert_eq!(users(&world.rows).unwrap()[0].waiting, 2);
    let batch = remove_user(&world.rows, "alice").unwrap();
    world.rows.apply(batch);
    assert_eq!(remove_user(&world.rows, "alice").unwrap_err(), Refusal::NotFound);
    world.pass(31 * 24 * 3600 * 1000);
    world.pass(1);
    assert_eq!(world.rows.len(), empty);
}
