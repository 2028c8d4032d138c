//! Accounts, devices, and what people type or scan.

use kith_core::identity::opaque::{Binding, ClientLogin, ClientRegistration, PasswordFile, ServerSetup};
use kith_core::identity::vault::{Passphrase, Unlock, Vault};
use kith_core::identity::{
    AccountRecord, CertificateRequest, DeviceCertificate, DeviceKeys, FullHandle, Handle, Invite, LeafIdentity,
    RecoveryCode, RelayId, RelayKey, RelayPart, RootKey, SafetyCode, Seed, Stretching, UnverifiedCertificate,
    UnverifiedRecord, password,
};
use kith_core::types::{AccountId, Rng};
use rand_core::SeedableRng as _;

use super::{Target, fast, slow};

pub const TARGETS: &[Target] = &[
    fast("account_record", account_record),
    fast("certificate", certificate),
    fast("handle", handle),
    fast("invite", invite),
    fast("opaque_server", opaque_server),
    slow("opaque_client", opaque_client),
    fast("password", password),
    fast("recovery_code", recovery_code),
    fast("safety_code", safety_code),
    slow("vault", vault),
];

fn account_record(bytes: &[u8]) -> bool {
    let Ok(record) = UnverifiedRecord::decode(bytes) else { return false };
    let Ok(record) = record.verify() else { return true };
    assert_eq!(AccountRecord::decode_verified(&record.encode()).as_ref(), Ok(&record), "another record came back");
    true
}

fn certificate(bytes: &[u8]) -> bool {
    if let Ok(certificate) = UnverifiedCertificate::decode(bytes)
        && let Ok(certificate) = certificate.verify()
    {
        assert_eq!(DeviceCertificate::decode_verified(&certificate.encode()), Ok(certificate));
    }
    if let Ok(leaf) = LeafIdentity::decode(bytes) {
        assert_eq!(LeafIdentity::decode(&leaf.encode()), Ok(leaf));
    }
    if let Ok(request) = CertificateRequest::decode(bytes) {
        assert_eq!(CertificateRequest::decode(&request.encode()).as_ref(), Ok(&request));
        let _ = request.certify(&RootKey::from_seed(&Seed::new([1; 32])));
    }
    let _ = DeviceKeys::from_secret_bytes(bytes);
    let _ = RelayKey::from_secret_bytes(bytes);
    UnverifiedCertificate::decode(bytes).is_ok()
        || LeafIdentity::decode(bytes).is_ok()
        || CertificateRequest::decode(bytes).is_ok()
}

fn handle(bytes: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(bytes) else { return false };
    if let Ok(handle) = Handle::parse(text) {
        assert_eq!(Handle::parse(handle.as_str()).as_ref(), Ok(&handle), "another handle came back");
        let _ = (handle.skeleton(), handle.is_reserved());
    }
    if let Ok(relay) = text.parse::<RelayId>() {
        assert_eq!(relay.to_string().parse(), Ok(relay));
    }
    if let Ok(account) = text.parse::<AccountId>() {
        assert_eq!(account.to_string().parse(), Ok(account));
    }
    let _ = RelayPart::parse(text);
    Handle::parse(text).is_ok() || text.parse::<FullHandle>().is_ok()
}

fn invite(bytes: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(bytes) else { return false };
    // Most inputs are no link: the fuzzer gets past the prefix with what it found.
    let inside = format!("kith://add/{}", data_encoding::BASE64URL_NOPAD.encode(bytes));
    let taken = [text, &inside].map(|link| {
        let Ok(invite) = Invite::from_link(link) else { return false };
        let again = invite.to_link().expect("an invite that was read is written");
        assert_eq!(Invite::from_link(&again), Ok(invite), "another invite came back");
        true
    });
    taken.contains(&true)
}

/// Who signs up and logs in here, and at which relay.
pub fn binding() -> Binding {
    let relay = RelayKey::from_seed(&Seed::new([3; 32])).relay_id();
    Binding { relay, handle: Handle::parse("alice").expect("a handle") }
}

/// The relay's secrets.
pub fn setup() -> ServerSetup {
    ServerSetup::generate(&mut Rng::seed_from_u64(1), binding().relay)
}

/// The first byte says to which step the rest is a message.
fn opaque_server(bytes: &[u8]) -> bool {
    let Some((step, message)) = bytes.split_first() else { return false };
    let (setup, handle) = (setup(), binding().handle);
    let mut rng = Rng::seed_from_u64(2);
    match step {
        0 => setup.registration(&handle, message).is_ok(),
        1 => setup.login(&mut rng, &handle, None, &[Stretching::FLOOR], message).is_ok(),
        2 => {
            let Ok(file) = PasswordFile::from_upload(message) else { return false };
            assert_eq!(PasswordFile::from_upload(&file.encode()).map(|file| file.encode()), Ok(file.encode()));
            true
        }
        3 => ServerSetup::from_secret_bytes(message, binding().relay).is_ok(),
        4 => {
            let (_, first) = ClientLogin::start(&mut rng, "secret").expect("a log-in begins");
            let (pending, _) = setup.login(&mut rng, &handle, None, &[], &first).expect("it is answered");
            pending.finish(message).is_ok()
        }
        _ => false,
    }
}

/// The state of the client that waits for an answer: always the same.
pub fn registration() -> (ClientRegistration, Vec<u8>) {
    ClientRegistration::start(&mut Rng::seed_from_u64(4), "secret").expect("a sign-up begins")
}

/// Whether it stretches decides how long it takes, so only answers that are dear by themselves are left out.
fn opaque_client(bytes: &[u8]) -> bool {
    let Some((step, message)) = bytes.split_first() else { return false };
    let mut rng = Rng::seed_from_u64(5);
    match step {
        0 => registration().0.finish(&mut rng, &binding(), message).is_ok(),
        1 => {
            let (login, _) = ClientLogin::start(&mut Rng::seed_from_u64(6), "secret").expect("a log-in begins");
            login.finish(&mut rng, &binding(), message).is_ok()
        }
        _ => false,
    }
}

fn password(bytes: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(bytes) else { return false };
    password::check(text, Some(&binding().handle)).is_ok()
}

fn recovery_code(bytes: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(bytes) else { return false };
    let Ok(code) = RecoveryCode::parse(text) else { return false };
    assert!(RecoveryCode::parse(&code.to_text()).is_ok_and(|again| *again.to_text() == *code.to_text()));
    true
}

fn safety_code(bytes: &[u8]) -> bool {
    let Ok(code) = SafetyCode::decode(bytes) else { return false };
    assert_eq!(code.encode(), bytes, "a code has two encodings");
    let _ = code.compare(AccountId::new([1; 32]), AccountId::new([2; 32]));
    true
}

/// What opens the vaults here.
pub fn recovery() -> RecoveryCode {
    RecoveryCode::generate(&mut Rng::seed_from_u64(3))
}

fn vault(bytes: &[u8]) -> bool {
    let Ok(vault) = Vault::decode(bytes) else { return false };
    assert_eq!(Vault::decode(&vault.encode()).as_ref(), Ok(&vault), "another vault came back");
    let _ = vault.open(Unlock::Recovery(&recovery()));
    let _ = vault.open(Unlock::Passphrase(Passphrase("secret")));
    true
}
