//! Becoming somebody: sign-up, log-in on a further device, recovery when the password is forgotten, and an account without a relay;
//! and another password for somebody who is somebody already.
//!
//! The root key exists unwrapped only inside these functions. The keys that contact requests are sealed to are derived from it,
//! so that every device of the account can open them.

use ring::hkdf;
use zeroize::Zeroizing;

use super::heart::{seeded, wall};
use crate::chat::account::{OwnPrekey, Setup};
use crate::identity::opaque::{Binding, ClientLogin, ClientRegistration, OpaqueError, Registered};
use crate::identity::password::WeakPassword;
use crate::identity::vault::{OpenVault, Passphrase, Unlock, Vault, VaultError};
use crate::identity::{
    AccountRecord, DeviceCertificate, DeviceKeys, FormatError, Handle, Prekey, PublicKey, RecordBody, RecoveryCode,
    RelayAddress, RelayId, RootKey, Stretching, password,
};
use crate::mls::{MlsError, Suite, generate_prekey};
use crate::net::{self, NetError, Node, NodeConfig, TransportKey};
use crate::types::{DeviceId, Rng, Token};
use crate::wire::relay::{Hello, Refusal, Request, Response};
use rand_core::SeedableRng;

/// What account records say that these devices understand.
const FEATURES: [&str; 3] = ["text/1", "voice-note/1", crate::chat::profile::FEATURE];

/// How long the connection to a relay may take before it counts as unreachable.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(20);

/// Who signs up or logs in, and where.
#[derive(Clone)]
pub struct Credentials {
    /// Where the relay is.
    pub relay: net::RelayAddress,
    /// The name there.
    pub handle: Handle,
    /// The password; it never leaves this device.
    pub password: Zeroizing<String>,
    /// Where the relay takes new accounts by invitation only: its code.
    pub invitation: Option<Token>,
}

impl std::fmt::Debug for Credentials {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Credentials(…)")
    }
}

/// By what somebody shows that an account is theirs.
#[derive(Clone)]
pub enum Proof {
    /// The password.
    Password(Zeroizing<String>),
    /// The recovery code.
    Recovery(RecoveryCode),
}

impl std::fmt::Debug for Proof {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Proof(…)")
    }
}

/// A device that has become one of an account.
#[derive(Debug)]
pub struct Joined {
    /// What the engine starts with.
    pub setup: Setup,
    /// The vault blob; kept here when there is no relay to keep it.
    pub vault: Vec<u8>,
    /// The new recovery code, of an account that was made or recovered: to be shown once.
    pub recovery: Option<RecoveryCode>,
}

/// Why somebody could not sign up or log in. Each is a sentence for the person.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OnboardingError {
    /// The password is too easily guessed.
    #[error(transparent)]
    Weak(#[from] WeakPassword),
    /// The relay cannot be reached, or is not the one expected.
    #[error("the relay: {0}")]
    Network(#[from] NetError),
    /// The relay refused.
    #[error("{0}")]
    Refused(Refusal),
    /// The key exchange failed.
    #[error(transparent)]
    Opaque(#[from] OpaqueError),
    /// The vault cannot be opened or made.
    #[error(transparent)]
    Vault(#[from] VaultError),
    /// The answer to a change of password was lost, and no other came.
    #[error(
        "the relay's answer was lost: the password may be the new one or still the old one; try the new one first, then the old"
    )]
    Uncertain,
    /// The account has no such device.
    #[error("the account has no such device: it may have been removed already")]
    NoDevice,
    /// The relay's answer makes no sense.
    #[error("the relay gave an answer that makes no sense: {0}")]
    Nonsense(&'static str),
    /// A record or key is malformed.
    #[error(transparent)]
    Format(#[from] FormatError),
    /// The cryptographic library failed.
    #[error(transparent)]
    Mls(#[from] MlsError),
}

/// What the relay still has to be told before the account, or the device in it, is there. Whoever becomes somebody makes it durable
/// here between.
pub struct Enrolment {
    desk: Desk,
    request: Request,
    record: AccountRecord,
}

impl std::fmt::Debug for Enrolment {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Enrolment(…)")
    }
}

impl Enrolment {
    /// Tells the relay.
    ///
    /// # Errors
    /// A sentence that says why it was not done, or that nobody knows whether it was.
    pub async fn finish(self) -> Result<(), OnboardingError> {
        let outcome = match self.desk.ask(self.request.clone()).await {
            Ok(Response::Done) => Ok(()),
            Ok(_) => Err(OnboardingError::Nonsense("to a record")),
            // It may have been done: what the relay shows says it.
            Err(OnboardingError::Network(error @ (NetError::Interrupted | NetError::TimedOut))) => {
                if self.is_shown().await { Ok(()) } else { Err(error.into()) }
            }
            Err(error) => Err(error),
        };
        self.desk.close().await;
        outcome
    }

    /// Leaves it: at the relay nothing has happened.
    pub async fn abandon(self) {
        self.desk.close().await;
    }

    async fn is_shown(&self) -> bool {
        let account = self.record.account_id();
        let shown = self.desk.ask(Request::GetRecord { account }).await;
        matches!(shown, Ok(Response::Record { record }) if record == self.record.encode())
    }
}

/// Prepares to sign up at a relay: there is an account when [`Enrolment::finish`] has returned.
///
/// # Errors
/// A sentence that says why not.
pub async fn register(credentials: Credentials, suite: Suite) -> Result<(Joined, Enrolment), OnboardingError> {
    password::check(&credentials.password, Some(&credentials.handle))?;
    let mut rng = seeded();
    let keys = DeviceKeys::generate(&mut rng);
    let desk = Desk::open(&keys, &credentials.relay).await?;
    let outcome = desk.register(&mut rng, keys, &credentials, suite).await;
    desk.prepared(outcome).await
}

/// Logs in on a further device: it is added to the account's record when [`Enrolment::finish`] has returned.
///
/// # Errors
/// A sentence that says why not.
pub async fn log_in(credentials: Credentials, suite: Suite) -> Result<(Joined, Enrolment), OnboardingError> {
    let mut rng = seeded();
    let keys = DeviceKeys::generate(&mut rng);
    let desk = Desk::open(&keys, &credentials.relay).await?;
    let outcome = desk.log_in(&mut rng, keys, &credentials, suite).await;
    desk.prepared(outcome).await
}

/// Prepares to recover an account whose password is forgotten: when [`Enrolment::finish`] has returned, the password is the one in
/// `credentials`, the recovery code is spent and another one in its place, and this device is one of the account's. Until then all is
/// as before: the relay does it in one step.
///
/// # Errors
/// A sentence that says why not.
pub async fn recover(
    credentials: Credentials,
    code: RecoveryCode,
    suite: Suite,
) -> Result<(Joined, Enrolment), OnboardingError> {
    password::check(&credentials.password, Some(&credentials.handle))?;
    let mut rng = seeded();
    let keys = DeviceKeys::generate(&mut rng);
    let desk = Desk::open(&keys, &credentials.relay).await?;
    let outcome = desk.recover(&mut rng, keys, &credentials, code, suite).await;
    desk.prepared(outcome).await
}

/// Sets another password, that in `credentials`. Who proves by recovery code has spent it, and gets another one; so does who asks for
/// one. Devices that are signed in stay so.
///
/// # Errors
/// A sentence that says why not: the password is the old one then, unless it says that nobody knows.
pub async fn change_password(
    credentials: Credentials,
    proof: Proof,
    new_code: bool,
) -> Result<Option<RecoveryCode>, OnboardingError> {
    password::check(&credentials.password, Some(&credentials.handle))?;
    let mut rng = seeded();
    // A connection of its own, under a key that is no device's: it need not disturb that of the session.
    let desk = Desk::open(&DeviceKeys::generate(&mut rng), &credentials.relay).await?;
    let outcome = desk.change_password(&mut rng, &credentials, proof, new_code).await;
    desk.close().await;
    outcome
}

/// Takes a device out of the account at its relay. What comes back is the account's record without it, for
/// [`crate::chat::Command::OwnRecord`]: the device is out of a conversation when another one of the account, or a contact, knows it.
///
/// # Errors
/// A sentence that says why not.
pub async fn remove_device(credentials: Credentials, device: DeviceId) -> Result<Vec<u8>, OnboardingError> {
    let mut rng = seeded();
    let desk = Desk::open(&DeviceKeys::generate(&mut rng), &credentials.relay).await?;
    let outcome = desk.remove_device(&mut rng, &credentials, device).await;
    desk.close().await;
    outcome
}

/// Makes an account without a relay; its vault is opened by the passphrase or the recovery code, here.
///
/// # Errors
/// A sentence that says why not.
pub fn create_local(passphrase: &str, suite: Suite) -> Result<Joined, OnboardingError> {
    password::check(passphrase, None)?;
    let mut rng = seeded();
    let (root, keys) = (RootKey::generate(&mut rng), DeviceKeys::generate(&mut rng));
    let recovery = RecoveryCode::generate(&mut rng);
    let vault = Vault::create(&mut rng, &root, Unlock::Recovery(&recovery))?;
    let opened = vault.open(Unlock::Recovery(&recovery))?;
    let vault = vault.rewrap(&mut rng, &opened, vault.version(), Unlock::Passphrase(Passphrase(passphrase)))?;
    let (record, prekey) = first_record(&root, &keys, Vec::new(), suite)?;
    let setup = Setup { keys, record, prekeys: vec![prekey], handle: None, suite };
    Ok(Joined { setup, vault: vault.encode(), recovery: Some(recovery) })
}

/// What the relay gives to whoever has shown that an account is theirs.
struct Opened {
    vault: Vault,
    /// The vault, open: to be dropped when the root key has signed.
    open: OpenVault,
    /// The relay's number of what logs in.
    version: u64,
    record: AccountRecord,
}

/// A short-lived node that speaks to one relay under the new device's key.
struct Desk {
    net: net::Handle,
    relay: net::RelayAddress,
    hello: Hello,
}

impl Desk {
    async fn open(keys: &DeviceKeys, relay: &net::RelayAddress) -> Result<Self, OnboardingError> {
        let seed = Zeroizing::new(*keys.transport.seed().expose());
        let key = TransportKey::from_seed(seed).map_err(|_| OnboardingError::Nonsense("a key of this device"))?;
        let config = NodeConfig { listen: Vec::new(), mdns: false, ..NodeConfig::new(key) };
        let (net, mut events) = Node::start(config).await?;
        // Nothing of interest comes up while signing up; the node is not held back by it.
        tokio::spawn(async move { while events.recv().await.is_some() {} });
        net.set_relays(vec![relay.clone()]).await?;
        let relay = relay.clone();
        let connected = tokio::time::timeout(PATIENCE, net.connect(relay.peer())).await;
        let outcome = match connected {
            Ok(Ok(_)) => net.relay_request(&relay, &Request::Hello).await,
            Ok(Err(error)) => Err(error),
            Err(_) => Err(NetError::TimedOut),
        };
        match outcome {
            Ok(Response::Hello(hello)) => Ok(Self { net, relay, hello }),
            other => {
                net.shutdown().await;
                Err(unexpected(other))
            }
        }
    }

    async fn close(&self) {
        self.net.shutdown().await;
    }

    /// Stays open for what has to be told yet.
    async fn prepared(
        self,
        outcome: Result<(Joined, Request), OnboardingError>,
    ) -> Result<(Joined, Enrolment), OnboardingError> {
        match outcome {
            Ok((joined, request)) => {
                let record = joined.setup.record.clone();
                Ok((joined, Enrolment { desk: self, request, record }))
            }
            Err(error) => {
                self.close().await;
                Err(error)
            }
        }
    }

    async fn ask(&self, request: Request) -> Result<Response, OnboardingError> {
        match self.net.relay_request(&self.relay, &request).await? {
            Response::Refused(refusal) => Err(OnboardingError::Refused(refusal)),
            response => Ok(response),
        }
    }

    /// The relay's key and address, as records name it.
    fn relay(&self) -> Result<RelayAddress, OnboardingError> {
        let key = self.hello.key.as_slice().try_into().map_err(|_| OnboardingError::Nonsense("its key"))?;
        let addresses = self.relay.addresses().iter().map(ToString::to_string).collect();
        Ok(RelayAddress { relay: RelayId::new(PublicKey::new(key)), addresses })
    }

    fn binding(&self, handle: &Handle) -> Result<Binding, OnboardingError> {
        Ok(Binding { relay: self.relay()?.relay, handle: handle.clone() })
    }

    async fn register(
        &self,
        rng: &mut Rng,
        keys: DeviceKeys,
        credentials: &Credentials,
        suite: Suite,
    ) -> Result<(Joined, Request), OnboardingError> {
        let registered = self.stretch(rng, credentials).await?;
        let root = RootKey::generate(rng);
        let recovery = RecoveryCode::generate(rng);
        let vault = Vault::create(rng, &root, Unlock::Recovery(&recovery))?;
        let opened = vault.open(Unlock::Recovery(&recovery))?;
        let vault = vault.rewrap(rng, &opened, vault.version(), Unlock::Password(&registered.export_key))?.encode();
        let (record, prekey) = first_record(&root, &keys, vec![self.relay()?], suite)?;
        let request = Request::RegisterFinish {
            handle: credentials.handle.as_str().to_owned(),
            message: registered.upload,
            stretching: Stretching::RECOMMENDED,
            vault: vault.clone(),
            recovery: recovery.public(&self.binding(&credentials.handle)?)?,
            record: record.encode(),
            invitation: credentials.invitation,
        };
        let handle = Some(self.full_handle(&credentials.handle));
        let setup = Setup { keys, record, prekeys: vec![prekey], handle, suite };
        Ok((Joined { setup, vault, recovery: Some(recovery) }, request))
    }

    async fn log_in(
        &self,
        rng: &mut Rng,
        keys: DeviceKeys,
        credentials: &Credentials,
        suite: Suite,
    ) -> Result<(Joined, Request), OnboardingError> {
        let opened = self.open_by_password(rng, &credentials.handle, &credentials.password).await?;
        let setup = self.with_device(keys, &opened, &credentials.handle, suite)?;
        let request = Request::PutRecord { record: setup.record.encode() };
        Ok((Joined { setup, vault: opened.vault.encode(), recovery: None }, request))
    }

    async fn recover(
        &self,
        rng: &mut Rng,
        keys: DeviceKeys,
        credentials: &Credentials,
        code: RecoveryCode,
        suite: Suite,
    ) -> Result<(Joined, Request), OnboardingError> {
        let opened = self.open_by_code(&credentials.handle, &code).await?;
        let setup = self.with_device(keys, &opened, &credentials.handle, suite)?;
        let recovery = RecoveryCode::generate(rng);
        let (vault, request) = self.replace(rng, credentials, &opened, Some(&recovery), Some(&setup.record)).await?;
        Ok((Joined { setup, vault: vault.encode(), recovery: Some(recovery) }, request))
    }

    async fn change_password(
        &self,
        rng: &mut Rng,
        credentials: &Credentials,
        proof: Proof,
        new_code: bool,
    ) -> Result<Option<RecoveryCode>, OnboardingError> {
        let (opened, is_spent) = match &proof {
            Proof::Password(password) => (self.open_by_password(rng, &credentials.handle, password).await?, false),
            Proof::Recovery(code) => (self.open_by_code(&credentials.handle, code).await?, true),
        };
        let recovery = (new_code || is_spent).then(|| RecoveryCode::generate(rng));
        let (_, request) = self.replace(rng, credentials, &opened, recovery.as_ref(), None).await?;
        drop(opened);
        match self.ask(request).await {
            Ok(Response::Done) => Ok(recovery),
            Ok(_) => Err(OnboardingError::Nonsense("to another password")),
            // It may have been done: whether the new password logs in says it.
            Err(OnboardingError::Network(error @ (NetError::Interrupted | NetError::TimedOut))) => {
                match self.open_by_password(rng, &credentials.handle, &credentials.password).await {
                    Ok(_) => Ok(recovery),
                    Err(OnboardingError::Opaque(OpaqueError::WrongPassword)) => Err(error.into()),
                    Err(_) => Err(OnboardingError::Uncertain),
                }
            }
            Err(error) => Err(error),
        }
    }

    async fn remove_device(
        &self,
        rng: &mut Rng,
        credentials: &Credentials,
        device: DeviceId,
    ) -> Result<Vec<u8>, OnboardingError> {
        let opened = self.open_by_password(rng, &credentials.handle, &credentials.password).await?;
        if opened.record.device(device).is_none() {
            return Err(OnboardingError::NoDevice);
        }
        let mut body = opened.record.successor(wall());
        body.devices.retain(|certificate| certificate.device_id() != device);
        let record = AccountRecord::sign(opened.open.root(), body)?.encode();
        drop(opened);
        match self.ask(Request::PutRecord { record: record.clone() }).await? {
            Response::Done => Ok(record),
            _ => Err(OnboardingError::Nonsense("to a record")),
        }
    }

    /// Registers the password at the relay as far as nothing is stored there.
    async fn stretch(&self, rng: &mut Rng, credentials: &Credentials) -> Result<Registered, OnboardingError> {
        let handle = credentials.handle.as_str().to_owned();
        let (registration, message) = ClientRegistration::start(rng, &credentials.password)?;
        let Response::RegisterStarted { message } = self.ask(Request::RegisterStart { handle, message }).await? else {
            return Err(OnboardingError::Nonsense("to a registration"));
        };
        let binding = self.binding(&credentials.handle)?;
        let mut stretch = seeded();
        Ok(blocking(move || registration.finish(&mut stretch, &binding, &message)).await??)
    }

    async fn open_by_password(
        &self,
        rng: &mut Rng,
        handle: &Handle,
        password: &str,
    ) -> Result<Opened, OnboardingError> {
        let (login, message) = ClientLogin::start(rng, password)?;
        let start = Request::LoginStart { handle: handle.as_str().to_owned(), message };
        let Response::LoginStarted { login: attempt, message, .. } = self.ask(start).await? else {
            return Err(OnboardingError::Nonsense("to a log-in"));
        };
        let binding = self.binding(handle)?;
        let mut stretch = seeded();
        let logged_in = blocking(move || login.finish(&mut stretch, &binding, &message)).await??;
        let finish = Request::LoginFinish { login: attempt, message: logged_in.finalization };
        self.opened(finish, Unlock::Password(&logged_in.export_key)).await
    }

    async fn open_by_code(&self, handle: &Handle, code: &RecoveryCode) -> Result<Opened, OnboardingError> {
        let start = Request::RecoverStart { handle: handle.as_str().to_owned() };
        let Response::RecoverStarted { challenge } = self.ask(start).await? else {
            return Err(OnboardingError::Nonsense("to a recovery"));
        };
        let proof = code.prove(&self.binding(handle)?, &challenge)?;
        self.opened(Request::RecoverFinish { challenge, proof }, Unlock::Recovery(code)).await
    }

    async fn opened(&self, finish: Request, unlock: Unlock<'_>) -> Result<Opened, OnboardingError> {
        let Response::LoggedIn { vault, version, record } = self.ask(finish).await? else {
            return Err(OnboardingError::Nonsense("to a log-in"));
        };
        let vault = Vault::decode(&vault)?;
        let open = vault.open(unlock)?;
        let record = AccountRecord::decode_verified(&record)?;
        if record.account_id() != open.root().account_id() {
            return Err(OnboardingError::Nonsense("a record of another account"));
        }
        Ok(Opened { vault, open, version, record })
    }

    /// The account with this device in its record.
    fn with_device(
        &self,
        keys: DeviceKeys,
        opened: &Opened,
        handle: &Handle,
        suite: Suite,
    ) -> Result<Setup, OnboardingError> {
        let root = opened.open.root();
        let mut body = opened.record.successor(wall());
        body.devices.push(DeviceCertificate::issue(root, &keys, wall())?);
        let prekeys = body.prekeys.iter().filter_map(|prekey| {
            let suite = Suite::from_number(prekey.suite).ok()?;
            derived_prekey(root, prekey.id, suite).ok()
        });
        let prekeys = prekeys.map(|(_, own)| own).collect();
        let record = AccountRecord::sign(root, body)?;
        Ok(Setup { keys, record, prekeys, handle: Some(self.full_handle(handle)), suite })
    }

    /// The vault under another password, and what replaces the old one at the relay; under another recovery code, too, and with a
    /// newer record, where there is one.
    async fn replace(
        &self,
        rng: &mut Rng,
        credentials: &Credentials,
        opened: &Opened,
        recovery: Option<&RecoveryCode>,
        record: Option<&AccountRecord>,
    ) -> Result<(Vault, Request), OnboardingError> {
        let registered = self.stretch(rng, credentials).await?;
        let Opened { vault, open, version, .. } = opened;
        let mut next = vault.rewrap(rng, open, vault.version(), Unlock::Password(&registered.export_key))?;
        if let Some(code) = recovery {
            next = next.rewrap(rng, open, next.version(), Unlock::Recovery(code))?;
        }
        let binding = self.binding(&credentials.handle)?;
        let request = Request::ChangePassword {
            expected: *version,
            message: registered.upload,
            stretching: Stretching::RECOMMENDED,
            vault: next.encode(),
            recovery: recovery.map(|code| code.public(&binding)).transpose()?,
            record: record.map(|record| record.encode().into()),
        };
        Ok((next, request))
    }

    fn full_handle(&self, handle: &Handle) -> String {
        let relay = if self.hello.name.is_empty() {
            self.relay.addresses().first().map(ToString::to_string).unwrap_or_default()
        } else {
            self.hello.name.clone()
        };
        format!("{}@{relay}", handle.as_str())
    }
}

fn unexpected(outcome: Result<Response, NetError>) -> OnboardingError {
    match outcome {
        Err(error) => OnboardingError::Network(error),
        Ok(Response::Refused(refusal)) => OnboardingError::Refused(refusal),
        Ok(_) => OnboardingError::Nonsense("to a greeting"),
    }
}

/// Runs what takes a core for a while where it holds nobody up.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, OnboardingError> {
    tokio::task::spawn_blocking(work).await.map_err(|_| OnboardingError::Nonsense("of this program: a task has ended"))
}

pub(crate) fn first_record(
    root: &RootKey,
    keys: &DeviceKeys,
    relays: Vec<RelayAddress>,
    suite: Suite,
) -> Result<(AccountRecord, OwnPrekey), OnboardingError> {
    let (prekey, own) = derived_prekey(root, 0, suite)?;
    let body = RecordBody {
        version: 1,
        predecessor: None,
        devices: vec![DeviceCertificate::issue(root, keys, wall())?],
        relays,
        prekeys: vec![prekey],
        features: FEATURES.map(str::to_owned).to_vec(),
        created: wall(),
    };
    Ok((AccountRecord::sign(root, body)?, own))
}

/// The prekey of this number: derived from the root key (HKDF, RFC 5869), so that a device that logs in has it too. Its number stays when a
/// device is removed, which knew the secret: a device that was taken back has no way yet to get the secret of a later one.
fn derived_prekey(root: &RootKey, id: u32, suite: Suite) -> Result<(Prekey, OwnPrekey), OnboardingError> {
    let salt = hkdf::Salt::new(hkdf::HKDF_SHA256, b"kith/prekey/1");
    let secret = Zeroizing::new(*root.seed().expose());
    let extracted = salt.extract(secret.as_slice());
    let (id_bytes, suite_bytes) = (id.to_be_bytes(), suite.number().to_be_bytes());
    let info = [id_bytes.as_slice(), suite_bytes.as_slice()];
    let mut seed = Zeroizing::new([0; 32]);
    let expanded = extracted.expand(&info, hkdf::HKDF_SHA256).and_then(|output| output.fill(seed.as_mut()));
    expanded.map_err(|_| OnboardingError::Nonsense("of this program: HKDF"))?;
    let (key, secret) = generate_prekey(suite, &mut Rng::from_seed(*seed))?;
    Ok((Prekey { suite: suite.number(), id, key }, OwnPrekey { id, suite, secret }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_without_a_relay_is_made_whole() {
        let joined = create_local("correct horse battery staple", Suite::X25519).unwrap();
        assert_eq!(joined.setup.record.devices().len(), 1);
        assert!(joined.recovery.is_some());
        let vault = Vault::decode(&joined.vault).unwrap();
        let opened = vault.open(Unlock::Passphrase(Passphrase("correct horse battery staple"))).unwrap();
        let again = derived_prekey(opened.root(), 0, Suite::X25519).unwrap();
        assert_eq!(again.0, joined.setup.record.prekeys()[0]);
        assert_eq!(again.1.secret.as_bytes(), joined.setup.prekeys[0].secret.as_bytes());
    }

    #[test]
    fn a_weak_passphrase_is_refused() {
        assert!(matches!(create_local("password", Suite::X25519), Err(OnboardingError::Weak(_))));
    }
}
