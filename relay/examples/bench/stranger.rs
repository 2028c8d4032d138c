//! Accounts that nobody logs in to: a root key, devices, a record, a token; and envelopes for their mailboxes.

use kith_core::identity::opaque::{Binding, ClientRegistration, ServerSetup};
use kith_core::identity::{
    AccountRecord, DeviceCertificate, DeviceKeys, Handle, PublicKey, RecordBody, RelayKey, RootKey, Stretching,
};
use kith_core::types::{DeviceId, EnvelopeId, Rng, Timestamp, Token};
use kith_core::wire::codec::Body as _;
use kith_core::wire::envelope::{Class, Envelope, Urgency};
use kith_core::wire::relay::{Mailbox, Purpose, Request, token_hash};
use kith_relay::domain::Caller;

use crate::Failure;

/// An account with devices.
pub(crate) struct Stranger {
    pub(crate) devices: Vec<DeviceKeys>,
    record: AccountRecord,
    token: Token,
}

impl Stranger {
    pub(crate) fn new(rng: &mut Rng, devices: usize) -> Result<Self, Failure> {
        let root = RootKey::generate(rng);
        let devices: Vec<DeviceKeys> = (0..devices).map(|_| DeviceKeys::generate(rng)).collect();
        let certificates = devices.iter().map(|keys| DeviceCertificate::issue(&root, keys, Timestamp(1)));
        let content = RecordBody {
            version: 1,
            predecessor: None,
            devices: certificates.collect::<Result<_, _>>()?,
            relays: Vec::new(),
            prekeys: Vec::new(),
            features: Vec::new(),
            created: Timestamp(1),
        };
        Ok(Self { devices, record: AccountRecord::sign(&root, content)?, token: Token::random(rng) })
    }

    /// The requests that sign it up and let anybody deposit; its first device makes them.
    pub(crate) fn sign_up(&self, handle: &str, upload: &[u8]) -> [Request; 2] {
        let register = Request::RegisterFinish {
            handle: handle.into(),
            message: upload.to_vec(),
            stretching: Stretching::RECOMMENDED,
            vault: b"vault".to_vec(),
            recovery: PublicKey::new([1; 32]),
            record: self.record.encode(),
            invitation: None,
        };
        let tokens = vec![(Purpose::Delivery, token_hash(&self.token))];
        [register, Request::IssueTokens { tokens }]
    }

    pub(crate) fn caller(&self) -> Option<Caller> {
        let device = self.devices.first()?;
        Some(Caller { peer: *device.transport.public().as_bytes(), address: None })
    }

    pub(crate) fn mailboxes(&self) -> Vec<Mailbox> {
        let mailbox = |device: DeviceId| Mailbox { device, token: self.token };
        self.devices.iter().map(|keys| mailbox(keys.device_id())).collect()
    }
}

/// What a registration uploads. It need not be one of the relay's where nobody logs in, and one stands for all.
pub(crate) fn upload(rng: &mut Rng) -> Result<Vec<u8>, Failure> {
    let relay = RelayKey::generate(rng).relay_id();
    let binding = Binding { relay, handle: Handle::parse("somebody")? };
    let (client, request) = ClientRegistration::start(rng, "correct horse battery staple")?;
    let answer = ServerSetup::generate(rng, relay).registration(&binding.handle, &request)?;
    Ok(client.finish(rng, &binding, &answer)?.upload)
}

/// A durable envelope with a message of so many bytes.
pub(crate) fn envelope(rng: &mut Rng, bytes: usize) -> Vec<u8> {
    let id = EnvelopeId::random(rng);
    Envelope { id, class: Class::Durable, urgency: Urgency::Normal, packet: vec![7; bytes] }.encode()
}
