//! People with devices, and a relay's domain over a map.

use std::net::IpAddr;
use std::sync::OnceLock;

use kith_core::identity::opaque::{Binding, ClientLogin, ClientRegistration, ServerSetup};
use kith_core::identity::{
    AccountRecord, DeviceCertificate, DeviceKeys, Handle, PublicKey, RecordBody, RecoveryCode, RelayKey, RootKey, Seed,
    Stretching,
};
use kith_core::types::{AccountId, DeviceId, EnvelopeId, Rng, Timestamp, Token};
use kith_core::wire::codec::Body;
use kith_core::wire::envelope::{Class, Envelope, Packet, Urgency};
use kith_core::wire::relay::{
    Cursor, Deposited, Destination, Mailbox, Purpose, Refusal, Request, Response, Stored, token_hash,
};
use kith_relay::domain::{Caller, Delivery, Keys, MemoryRows, Relay, Settings};
use rand_core::SeedableRng;

/// The password of everybody here.
pub(crate) const PASSWORD: &str = "correct horse battery staple";

/// The keys of the relay of every world.
pub(crate) fn keys() -> Keys {
    let mut rng = Rng::seed_from_u64(7);
    let identity = RelayKey::generate(&mut rng);
    let opaque = ServerSetup::generate(&mut rng, identity.relay_id());
    Keys { identity, opaque, challenge: Seed::random(&mut rng) }
}

/// What a registration uploads. Stretching takes its time, so one upload stands for those who never log in.
pub(crate) fn upload() -> Vec<u8> {
    static UPLOAD: OnceLock<Vec<u8>> = OnceLock::new();
    let make = || register(&keys().opaque, "somebody", PASSWORD);
    UPLOAD.get_or_init(make).clone()
}

fn register(opaque: &ServerSetup, handle: &str, password: &str) -> Vec<u8> {
    let mut rng = Rng::seed_from_u64(8);
    let (client, request) = ClientRegistration::start(&mut rng, password).unwrap();
    let handle = Handle::parse(handle).unwrap();
    let answer = opaque.registration(&handle, &request).unwrap();
    let binding = Binding { relay: keys().identity.relay_id(), handle };
    client.finish(&mut rng, &binding, &answer).unwrap().upload
}

/// A person with devices.
pub(crate) struct Person {
    pub(crate) root: RootKey,
    pub(crate) devices: Vec<DeviceKeys>,
    pub(crate) record: AccountRecord,
    pub(crate) token: Token,
    pub(crate) code: RecoveryCode,
}

impl Person {
    pub(crate) fn new(rng: &mut Rng, devices: usize) -> Self {
        let root = RootKey::generate(rng);
        let devices: Vec<DeviceKeys> = (0..devices).map(|_| DeviceKeys::generate(rng)).collect();
        let record = AccountRecord::sign(&root, body(&root, &devices)).unwrap();
        Self { root, devices, record, token: Token::random(rng), code: RecoveryCode::generate(rng) }
    }

    pub(crate) fn account(&self) -> AccountId {
        self.record.account_id()
    }

    pub(crate) fn device(&self, number: usize) -> DeviceId {
        self.devices[number].device_id()
    }

    pub(crate) fn caller(&self, number: usize) -> Caller {
        Caller { peer: *self.devices[number].transport.public().as_bytes(), address: None }
    }

    pub(crate) fn mailbox(&self, number: usize) -> Mailbox {
        Mailbox { device: self.device(number), token: self.token }
    }

    /// The next version of the record, with these devices.
    pub(crate) fn next_record(&self, devices: &[DeviceKeys]) -> AccountRecord {
        let next = RecordBody { devices: certificates(&self.root, devices), ..self.record.successor(Timestamp(2)) };
        AccountRecord::sign(&self.root, next).unwrap()
    }

    pub(crate) fn recovery(&self, handle: &str) -> PublicKey {
        self.code.public(&binding(handle)).unwrap()
    }

    pub(crate) fn sign_up(&self, handle: &str) -> Request {
        Request::RegisterFinish {
            handle: handle.into(),
            message: upload(),
            stretching: Stretching::RECOMMENDED,
            vault: b"vault".to_vec(),
            recovery: Handle::parse(handle).map_or(PublicKey::new([1; 32]), |_| self.recovery(handle)),
            record: self.record.encode(),
            invitation: None,
        }
    }
}

fn body(root: &RootKey, devices: &[DeviceKeys]) -> RecordBody {
    RecordBody {
        version: 1,
        predecessor: None,
        devices: certificates(root, devices),
        relays: Vec::new(),
        prekeys: Vec::new(),
        features: Vec::new(),
        created: Timestamp(1),
    }
}

fn certificates(root: &RootKey, devices: &[DeviceKeys]) -> Vec<DeviceCertificate> {
    devices.iter().map(|device| DeviceCertificate::issue(root, device, Timestamp(1)).unwrap()).collect()
}

/// An envelope of a class, with so many bytes in it.
pub(crate) fn envelope_of(id: EnvelopeId, class: Class, bytes: usize) -> Vec<u8> {
    Envelope { id, class, urgency: Urgency::Normal, packet: vec![7; bytes] }.encode()
}

pub(crate) fn envelope(rng: &mut Rng) -> Vec<u8> {
    envelope_of(EnvelopeId::random(rng), Class::Durable, 200)
}

/// A contact request to an account.
pub(crate) fn card(id: EnvelopeId, to: AccountId) -> Vec<u8> {
    let packet = Packet::Sealed { to, prekey: 1, sealed: vec![1; 600] }.encode();
    Envelope { id, class: Class::Durable, urgency: Urgency::Quiet, packet }.encode()
}

/// A stranger's connection.
pub(crate) fn stranger(number: u8) -> Caller {
    Caller { peer: [number; 32], address: Some(IpAddr::from([10, 0, 0, number])) }
}

/// A relay's domain whose batches are applied at once.
pub(crate) struct World {
    pub(crate) relay: Relay,
    pub(crate) rows: MemoryRows,
    pub(crate) rng: Rng,
    pub(crate) now: Timestamp,
    pub(crate) pushes: Vec<Delivery>,
}

impl World {
    pub(crate) fn new(settings: Settings) -> Self {
        Self {
            relay: Relay::new(settings, keys()),
            rows: MemoryRows::default(),
            rng: Rng::seed_from_u64(9),
            now: Timestamp(1_700_000_000_000),
            pushes: Vec::new(),
        }
    }

    pub(crate) fn ask(&mut self, caller: Caller, request: Request) -> Response {
        let refused_changes_nothing = self.rows.clone();
        let outcome = self.relay.handle(self.now, &mut self.rng, caller, &self.rows, request);
        self.rows.apply(outcome.batch);
        self.pushes.extend(outcome.pushes);
        if matches!(outcome.response, Response::Refused(_)) {
            assert_eq!(self.rows, refused_changes_nothing);
        }
        outcome.response
    }

    pub(crate) fn refusal(&mut self, caller: Caller, request: Request) -> Refusal {
        match self.ask(caller, request) {
            Response::Refused(refusal) => refusal,
            other => panic!("not refused: {other:?}"),
        }
    }

    pub(crate) fn done(&mut self, caller: Caller, request: Request) {
        assert_eq!(self.ask(caller, request), Response::Done);
    }

    /// Somebody with devices who has signed up and issued a delivery token.
    pub(crate) fn person(&mut self, handle: &str, devices: usize) -> Person {
        let person = Person::new(&mut self.rng, devices);
        self.done(person.caller(0), person.sign_up(handle));
        let tokens = vec![(Purpose::Delivery, token_hash(&person.token))];
        self.done(person.caller(0), Request::IssueTokens { tokens });
        person
    }

    pub(crate) fn deposit(&mut self, from: Caller, to: &[Mailbox], envelope: &[u8]) -> Vec<Deposited> {
        let request = Request::Deposit { to: Destination::Mailboxes(to.to_vec()), envelope: envelope.to_vec() };
        match self.ask(from, request) {
            Response::Deposited { results } => results,
            other => panic!("not deposited: {other:?}"),
        }
    }

    pub(crate) fn fetch(&mut self, caller: Caller, from: Option<Cursor>) -> (Cursor, Vec<Stored>, bool) {
        match self.ask(caller, Request::Fetch { from }) {
            Response::Waiting { cursor, envelopes, more } => (cursor, envelopes, more),
            other => panic!("nothing fetched: {other:?}"),
        }
    }

    /// Lets time pass and everything out of date go.
    pub(crate) fn pass(&mut self, ms: u64) {
        self.now = self.now.plus_ms(ms);
        loop {
            let (batch, more) = self.relay.expire(self.now, &self.rows, 8);
            self.rows.apply(batch);
            if !more {
                return;
            }
        }
    }

    /// Registers with a password of one's own, as a client does.
    pub(crate) fn register(&mut self, person: &Person, handle: &str, password: &str) {
        let (client, message) = ClientRegistration::start(&mut self.rng, password).unwrap();
        let start = Request::RegisterStart { handle: handle.into(), message };
        let Response::RegisterStarted { message } = self.ask(person.caller(0), start) else { panic!("not started") };
        let binding = binding(handle);
        let message = client.finish(&mut self.rng, &binding, &message).unwrap().upload;
        let Request::RegisterFinish { stretching, vault, recovery, record, invitation, .. } = person.sign_up(handle)
        else {
            panic!("no sign-up")
        };
        let handle = handle.into();
        let finish = Request::RegisterFinish { handle, message, stretching, vault, recovery, record, invitation };
        self.done(person.caller(0), finish);
    }

    pub(crate) fn login(&mut self, caller: Caller, handle: &str, password: &str) -> Response {
        let (client, message) = ClientLogin::start(&mut self.rng, password).unwrap();
        let start = Request::LoginStart { handle: handle.into(), message };
        let (login, message) = match self.ask(caller, start) {
            Response::LoginStarted { login, message, stretching } => {
                assert_eq!(stretching, Stretching::RECOMMENDED);
                (login, message)
            }
            other => return other,
        };
        match client.finish(&mut self.rng, &binding(handle), &message) {
            Ok(logged_in) => self.ask(caller, Request::LoginFinish { login, message: logged_in.finalization }),
            Err(_) => Response::Refused(Refusal::WrongPassword),
        }
    }

    /// Asks for the vault by a recovery code.
    pub(crate) fn recover(&mut self, caller: Caller, handle: &str, code: &RecoveryCode) -> Response {
        match self.ask(caller, Request::RecoverStart { handle: handle.into() }) {
            Response::RecoverStarted { challenge } => {
                let proof = code.prove(&binding(handle), &challenge).unwrap();
                self.ask(caller, Request::RecoverFinish { challenge, proof })
            }
            other => other,
        }
    }

    /// Asks for another password, and what else it replaces.
    pub(crate) fn change_password(&mut self, caller: Caller, handle: &str, new: NewPassword<'_>) -> Response {
        let (client, message) = ClientRegistration::start(&mut self.rng, new.password).unwrap();
        let message = match self.ask(caller, Request::RegisterStart { handle: handle.into(), message }) {
            Response::RegisterStarted { message } => message,
            other => return other,
        };
        let message = client.finish(&mut self.rng, &binding(handle), &message).unwrap().upload;
        let change = Request::ChangePassword {
            expected: new.expected,
            message,
            stretching: Stretching::RECOMMENDED,
            vault: b"new vault".to_vec(),
            recovery: new.code.map(|code| code.public(&binding(handle)).unwrap()),
            record: new.record.map(|record| record.encode().into()),
        };
        self.ask(caller, change)
    }
}

/// What replaces a password.
#[derive(Clone, Copy, Default)]
pub(crate) struct NewPassword<'a> {
    pub(crate) password: &'a str,
    pub(crate) expected: u64,
    pub(crate) code: Option<&'a RecoveryCode>,
    pub(crate) record: Option<&'a AccountRecord>,
}

pub(crate) fn binding(handle: &str) -> Binding {
    Binding { relay: keys().identity.relay_id(), handle: Handle::parse(handle).unwrap() }
}
