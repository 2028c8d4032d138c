//! The data keys that seal a store's values, in one small file beside the store.
//!
//! To destroy a key is to write the file without it, and then, where the ring key is the keychain's, to rotate that one, so that
//! an old block of the disk cannot be opened either. With a passphrase that last step is not possible: it is not promised.
//!
//! Not here: which value has which key (`sealed`), and when a key is due (`disk`).
//!
//! # Layout of `ring.kith`
//!
//! `kith-ring` ‖ format (1) ‖ kind (0 raw, 1 passphrase) ‖ Argon2id memory in KiB, passes, lanes (u32 each, 0 when raw) ‖
//! salt (16) ‖ nonce (12) ‖ sealed body ‖ first 8 bytes of the SHA-256 of all before. The header is bound to the body.
//! Body: number of the next key (u32), then for each key its number (u32), kind of scope (u8), id (32), period (u32), key (32).
//!
//! # Invariants
//!
//! - The number of a key is never used again, so a key that is missing from the ring was destroyed.
//! - A key is durable in the ring before a value sealed by it is.
//!
//! Source: DESIGN §7; RFC 9106 (Argon2).

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::digest::{SHA256, digest};
use ring::rand::{SecureRandom as _, SystemRandom};
use zeroize::{Zeroize, Zeroizing};

use super::{Scope, StoreError, file};
use crate::types::{ConversationId, GroupId};

/// Name of the file.
const FILE: &str = "ring.kith";
const MAGIC: &[u8] = b"kith-ring";
const FORMAT: u8 = 1;
/// Room for 200,000 keys: 400 conversations for ten years. More is not a ring of ours.
const MAX_FILE_BYTES: u64 = 16 << 20;
const HEADER_BYTES: usize = MAGIC.len() + 2 + 12 + 16 + NONCE_LEN;
const CHECK_BYTES: usize = 8;

/// What opens a key ring.
#[derive(Clone)]
pub enum RingKey {
    /// A key that a keychain holds.
    Raw(Zeroizing<[u8; 32]>),
    /// A passphrase, stretched by Argon2id.
    Passphrase(Zeroizing<String>),
}

impl RingKey {
    /// A new key for a keychain.
    ///
    /// # Errors
    /// If the operating system has no randomness.
    pub fn generate() -> Result<Self, StoreError> {
        let mut key = Zeroizing::new([0; 32]);
        random(key.as_mut())?;
        Ok(Self::Raw(key))
    }
}

impl std::fmt::Debug for RingKey {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(match self {
            Self::Raw(_) => "Raw(…)",
            Self::Passphrase(_) => "Passphrase(…)",
        })
    }
}

/// Costs of Argon2id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stretching {
    memory_kib: u32,
    passes: u32,
    lanes: u32,
}

impl Stretching {
    const NONE: Self = Self { memory_kib: 0, passes: 0, lanes: 0 };
    /// 64 MiB and 3 passes: the second recommendation of RFC 9106 §4.
    const USUAL: Self = Self { memory_kib: 64 << 10, passes: 3, lanes: 1 };
    /// What a file may ask for: beyond it, opening would be refused for memory or last for minutes.
    const MOST: Self = Self { memory_kib: 1 << 20, passes: 16, lanes: 16 };

    fn fair(self) -> bool {
        let range = |value, least, most| (least..=most).contains(&value);
        range(self.memory_kib, Self::USUAL.memory_kib, Self::MOST.memory_kib)
            && range(self.passes, Self::USUAL.passes, Self::MOST.passes)
            && range(self.lanes, Self::USUAL.lanes, Self::MOST.lanes)
    }
}

/// How the file's own key is derived; the same as long as the ring key is.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Derivation {
    kind: u8,
    stretching: Stretching,
    salt: [u8; 16],
}

impl Derivation {
    const RAW: u8 = 0;
    const PASSPHRASE: u8 = 1;

    fn new(key: &RingKey) -> Result<Self, StoreError> {
        let mut salt = [0; 16];
        random(&mut salt)?;
        Ok(match key {
            RingKey::Raw(_) => Self { kind: Self::RAW, stretching: Stretching::NONE, salt },
            RingKey::Passphrase(_) => Self { kind: Self::PASSPHRASE, stretching: Stretching::USUAL, salt },
        })
    }

    fn derive(&self, key: &RingKey) -> Result<Zeroizing<[u8; 32]>, StoreError> {
        match (key, self.kind) {
            (RingKey::Raw(key), Self::RAW) => Ok(key.clone()),
            (RingKey::Passphrase(passphrase), Self::PASSPHRASE) if self.stretching.fair() => {
                let Stretching { memory_kib, passes, lanes } = self.stretching;
                let params =
                    argon2::Params::new(memory_kib, passes, lanes, Some(32)).map_err(|_| StoreError::RingDamaged)?;
                let argon2 = argon2::Argon2::new(argon2::Algorithm::Argon2id, argon2::Version::V0x13, params);
                let mut derived = Zeroizing::new([0; 32]);
                let stretched = argon2.hash_password_into(passphrase.as_bytes(), &self.salt, derived.as_mut());
                stretched.map_err(|_| StoreError::RingDamaged)?;
                Ok(derived)
            }
            (RingKey::Passphrase(_), Self::PASSPHRASE) => Err(StoreError::RingDamaged),
            _ => Err(StoreError::WrongKey),
        }
    }
}

/// A data key, ready to use.
pub(super) struct DataKey {
    pub(super) scope: Scope,
    /// Week or day of its making; 0 for the account's.
    pub(super) period: u32,
    bytes: Zeroizing<[u8; 32]>,
    pub(super) cipher: LessSafeKey,
    /// About to be destroyed: not used any more, but in the file until the batch that destroys it is durable.
    doomed: bool,
}

impl DataKey {
    fn new(scope: Scope, period: u32, bytes: Zeroizing<[u8; 32]>) -> Result<Self, StoreError> {
        let cipher = cipher(&bytes)?;
        Ok(Self { scope, period, bytes, cipher, doomed: false })
    }
}

/// What opens a ring, already stretched.
#[derive(Clone)]
pub struct Opener {
    derivation: Derivation,
    key: Zeroizing<[u8; 32]>,
}

impl std::fmt::Debug for Opener {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Opener(…)")
    }
}

impl Opener {
    /// A key that opens no ring yet, stretched.
    pub(super) fn new(key: &RingKey) -> Result<Self, StoreError> {
        let derivation = Derivation::new(key)?;
        Ok(Self { key: derivation.derive(key)?, derivation })
    }

    /// Whether it came of this key.
    pub(super) fn is_of(&self, key: &RingKey) -> Result<bool, StoreError> {
        match self.derivation.derive(key) {
            Ok(derived) => Ok(*derived == *self.key),
            Err(StoreError::WrongKey) => Ok(false),
            Err(error) => Err(error),
        }
    }
}

/// The data keys of a store.
pub(super) struct Keyring {
    path: PathBuf,
    derivation: Derivation,
    key: Zeroizing<[u8; 32]>,
    next: u32,
    /// Some keys are not in the file yet.
    unwritten: bool,
    keys: BTreeMap<u32, DataKey>,
    /// The newest key of each scope.
    latest: BTreeMap<Scope, u32>,
}

impl Keyring {
    /// Takes the ring of a directory away, its bytes before its name.
    pub(super) fn erase(dir: &Path) -> Result<(), StoreError> {
        for path in [dir.join(FILE), dir.join(FILE).with_extension("new")] {
            match std::fs::metadata(&path) {
                Ok(found) => {
                    let nothing = vec![0; usize::try_from(found.len().min(MAX_FILE_BYTES)).unwrap_or_default()];
                    file::overwrite(&path, &nothing)?;
                    std::fs::remove_file(&path)?;
                    file::sync_parent(&path)?;
                }
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    /// Creates the file, or replaces one that an unfinished first opening left.
    pub(super) fn create(dir: &Path, key: &RingKey) -> Result<Self, StoreError> {
        let mut ring = Self { next: 1, ..Self::empty(dir.join(FILE), Opener::new(key)?) };
        ring.write()?;
        Ok(ring)
    }

    /// Opens the file.
    pub(super) fn open(dir: &Path, key: &RingKey) -> Result<Self, StoreError> {
        Self::open_with(dir, |derivation| derivation.derive(key))
    }

    /// Opens the file with what it was opened with before.
    pub(super) fn open_again(dir: &Path, opener: &Opener) -> Result<Self, StoreError> {
        Self::open_with(dir, |derivation| {
            if *derivation == opener.derivation { Ok(opener.key.clone()) } else { Err(StoreError::WrongKey) }
        })
    }

    fn open_with(
        dir: &Path,
        key: impl FnOnce(&Derivation) -> Result<Zeroizing<[u8; 32]>, StoreError>,
    ) -> Result<Self, StoreError> {
        let path = dir.join(FILE);
        let bytes = file::read(&path, MAX_FILE_BYTES)?.ok_or(StoreError::RingMissing)?;
        let (derivation, nonce, header, sealed) = parse(&bytes)?;
        let key = key(&derivation)?;
        let mut body = Zeroizing::new(sealed.to_vec());
        let nonce = Nonce::assume_unique_for_key(nonce);
        let body =
            cipher(&key)?.open_in_place(nonce, Aad::from(header), &mut body).map_err(|_| StoreError::WrongKey)?;
        let mut ring = Self::empty(path, Opener { derivation, key });
        ring.read_body(body).ok_or(StoreError::RingDamaged)??;
        Ok(ring)
    }

    fn empty(path: PathBuf, Opener { derivation, key }: Opener) -> Self {
        Self { path, derivation, key, next: 0, unwritten: false, keys: BTreeMap::new(), latest: BTreeMap::new() }
    }

    /// What opens it again.
    pub(super) fn opener(&self) -> Opener {
        Opener { derivation: self.derivation, key: self.key.clone() }
    }

    /// Reads a body as it is once it is unsealed; says how many keys it has.
    #[cfg(feature = "test-utils")]
    pub(super) fn inspect_body(body: &[u8]) -> Result<usize, StoreError> {
        let derivation = Derivation { kind: Derivation::RAW, stretching: Stretching::NONE, salt: [0; 16] };
        let mut ring = Self::empty(PathBuf::new(), Opener { derivation, key: Zeroizing::new([0; 32]) });
        ring.read_body(body).ok_or(StoreError::RingDamaged)??;
        Ok(ring.keys.len())
    }

    /// A key by its number; nothing if it was destroyed.
    ///
    /// # Errors
    /// If the ring never had it: the ring is older than the store.
    pub(super) fn get(&self, number: u32) -> Result<Option<&DataKey>, StoreError> {
        match self.keys.get(&number) {
            None if number >= self.next => Err(StoreError::RingDamaged),
            key => Ok(key.filter(|key| !key.doomed)),
        }
    }

    /// The newest key of a scope and its number.
    pub(super) fn latest(&self, scope: Scope) -> Option<(u32, &DataKey)> {
        let number = *self.latest.get(&scope)?;
        self.keys.get(&number).map(|key| (number, key))
    }

    /// Makes a key; [`Keyring::write_new`] makes it durable.
    pub(super) fn add(&mut self, scope: Scope, period: u32) -> Result<u32, StoreError> {
        let number = self.next;
        let mut bytes = Zeroizing::new([0; 32]);
        random(bytes.as_mut())?;
        let key = DataKey::new(scope, period, bytes)?;
        self.next = number.checked_add(1).ok_or(StoreError::RingDamaged)?;
        self.keys.insert(number, key);
        self.latest.insert(scope, number);
        self.unwritten = true;
        Ok(number)
    }

    /// Makes the keys durable that were made since the last write. One that failed is made up for by the next: until then
    /// no value may be sealed by them.
    pub(super) fn write_new(&mut self) -> Result<(), StoreError> {
        if self.unwritten { self.write() } else { Ok(()) }
    }

    /// The numbers of all keys of a scope that are in use.
    pub(super) fn numbers(&self, scope: Scope) -> Vec<u32> {
        let used = self.keys.iter().filter(|(_, key)| key.scope == scope && !key.doomed);
        used.map(|(number, _)| *number).collect()
    }

    /// Stops using a key; [`Keyring::destroy`] destroys it.
    pub(super) fn doom(&mut self, number: u32) {
        if let Some(key) = self.keys.get_mut(&number) {
            key.doomed = true;
            if self.latest.get(&key.scope) == Some(&number) {
                self.latest.remove(&key.scope);
            }
        }
    }

    /// The numbers of the keys about to be destroyed.
    pub(super) fn doomed(&self) -> Vec<u32> {
        self.keys.iter().filter(|(_, key)| key.doomed).map(|(number, _)| *number).collect()
    }

    /// Destroys keys: they are in neither memory nor file when this returns.
    pub(super) fn destroy(&mut self, numbers: &[u32]) -> Result<(), StoreError> {
        numbers.iter().for_each(|number| self.doom(*number));
        let before = self.keys.len();
        self.keys.retain(|number, _| !numbers.contains(number));
        self.unwritten |= self.keys.len() != before;
        self.write_new()
    }

    /// From now on another key opens the ring, unless it is opened by another than was thought.
    ///
    /// # Errors
    /// If the file cannot be written: either key may open it then, and the former one does from the next write on.
    pub(super) fn rotate(&mut self, from: &Opener, to: Opener) -> Result<(), StoreError> {
        if self.derivation != from.derivation {
            return Err(StoreError::WrongKey);
        }
        let before = (std::mem::replace(&mut self.derivation, to.derivation), std::mem::replace(&mut self.key, to.key));
        self.write().inspect_err(|_| {
            (self.derivation, self.key) = before;
            self.unwritten = true;
        })
    }

    /// Writes the file, whole or not at all; durable when this returns.
    fn write(&mut self) -> Result<(), StoreError> {
        let mut nonce = [0; NONCE_LEN];
        random(&mut nonce)?;
        let mut bytes = self.header(nonce);
        let mut body = self.body();
        let nonce = Nonce::assume_unique_for_key(nonce);
        let sealed = cipher(&self.key)?.seal_in_place_append_tag(nonce, Aad::from(&bytes), &mut *body);
        sealed.map_err(|_| StoreError::RingDamaged)?;
        bytes.extend_from_slice(&body);
        let check = check(&bytes);
        bytes.extend_from_slice(&check);
        file::replace(&self.path, &bytes)?;
        self.unwritten = false;
        Ok(())
    }

    fn header(&self, nonce: [u8; NONCE_LEN]) -> Vec<u8> {
        let Derivation { kind, stretching, salt } = self.derivation;
        let mut bytes = MAGIC.to_vec();
        bytes.extend_from_slice(&[FORMAT, kind]);
        for cost in [stretching.memory_kib, stretching.passes, stretching.lanes] {
            bytes.extend_from_slice(&cost.to_be_bytes());
        }
        bytes.extend_from_slice(&salt);
        bytes.extend_from_slice(&nonce);
        bytes
    }

    fn body(&self) -> Zeroizing<Vec<u8>> {
        /// Number, kind of scope, id, period, key.
        const KEY_BYTES: usize = 4 + 1 + 32 + 4 + 32;
        // Never grown, so that no copy of keys stays behind; 32 more for the tag.
        let capacity = self.keys.len().saturating_mul(KEY_BYTES).saturating_add(36);
        let mut body = Zeroizing::new(Vec::with_capacity(capacity));
        body.extend_from_slice(&self.next.to_be_bytes());
        for (number, key) in &self.keys {
            let (kind, id) = match key.scope {
                Scope::Account => (0, [0; 32]),
                Scope::Conversation(id) => (1, *id.as_bytes()),
                Scope::Group(id) => (2, *id.as_bytes()),
            };
            body.extend_from_slice(&number.to_be_bytes());
            body.push(kind);
            body.extend_from_slice(&id);
            body.extend_from_slice(&key.period.to_be_bytes());
            body.extend_from_slice(&*key.bytes);
        }
        body
    }

    /// Nothing if the body ends early or holds what this release does not write.
    fn read_body(&mut self, body: &[u8]) -> Option<Result<(), StoreError>> {
        let (next, mut rest) = body.split_first_chunk()?;
        self.next = u32::from_be_bytes(*next);
        while !rest.is_empty() {
            let (number, after) = rest.split_first_chunk()?;
            let (kind, after) = after.split_first()?;
            let (id, after) = after.split_first_chunk()?;
            let (period, after) = after.split_first_chunk()?;
            let (bytes, after) = after.split_first_chunk::<32>()?;
            rest = after;
            let scope = match kind {
                0 => Scope::Account,
                1 => Scope::Conversation(ConversationId::new(*id)),
                2 => Scope::Group(GroupId::new(*id)),
                _ => return None,
            };
            let number = u32::from_be_bytes(*number);
            if number >= self.next {
                return None;
            }
            match DataKey::new(scope, u32::from_be_bytes(*period), Zeroizing::new(*bytes)) {
                Ok(key) => self.keys.insert(number, key),
                Err(error) => return Some(Err(error)),
            };
            self.latest.insert(scope, number);
        }
        Some(Ok(()))
    }
}

/// Reads a file as far as it can be read without its key.
#[cfg(feature = "test-utils")]
pub(super) fn inspect(bytes: &[u8]) -> Result<(), StoreError> {
    parse(bytes).map(drop)
}

type Parts<'a> = (Derivation, [u8; NONCE_LEN], &'a [u8], &'a [u8]);

/// Derivation, nonce, header and sealed body of a file.
fn parse(bytes: &[u8]) -> Result<Parts<'_>, StoreError> {
    let rest = bytes.strip_prefix(MAGIC).ok_or(StoreError::RingDamaged)?;
    match rest.first() {
        Some(&FORMAT) => {}
        Some(&found) if found > FORMAT => return Err(StoreError::FromTheFuture { found, known: FORMAT }),
        _ => return Err(StoreError::RingDamaged),
    }
    let (content, expected) = bytes.split_last_chunk::<CHECK_BYTES>().ok_or(StoreError::RingDamaged)?;
    if check(content) != *expected {
        return Err(StoreError::RingDamaged);
    }
    let parsed = (|| {
        let (header, sealed) = content.split_at_checked(HEADER_BYTES)?;
        let (&[_, kind], rest) = header.strip_prefix(MAGIC)?.split_first_chunk::<2>()?;
        let (memory, rest) = rest.split_first_chunk()?;
        let (passes, rest) = rest.split_first_chunk()?;
        let (lanes, rest) = rest.split_first_chunk()?;
        let (salt, rest) = rest.split_first_chunk()?;
        let nonce = rest.try_into().ok()?;
        let [memory_kib, passes, lanes] = [memory, passes, lanes].map(|bytes| u32::from_be_bytes(*bytes));
        let derivation = Derivation { kind, stretching: Stretching { memory_kib, passes, lanes }, salt: *salt };
        Some((derivation, nonce, header, sealed))
    })();
    parsed.ok_or(StoreError::RingDamaged)
}

/// Tells a damaged file from a wrong key.
fn check(bytes: &[u8]) -> [u8; CHECK_BYTES] {
    let mut check = [0; CHECK_BYTES];
    check.iter_mut().zip(digest(&SHA256, bytes).as_ref()).for_each(|(to, from)| *to = *from);
    check
}

fn cipher(key: &[u8; 32]) -> Result<LessSafeKey, StoreError> {
    UnboundKey::new(&AES_256_GCM, key).map(LessSafeKey::new).map_err(|_| StoreError::RingDamaged)
}

/// Random bytes of the operating system.
pub(super) fn random(bytes: &mut [u8]) -> Result<(), StoreError> {
    SystemRandom::new().fill(bytes).map_err(|_| {
        bytes.zeroize();
        StoreError::Io("the operating system has no randomness".into())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn raw(byte: u8) -> RingKey {
        RingKey::Raw(Zeroizing::new([byte; 32]))
    }

    #[test]
    fn a_destroyed_key_is_not_in_the_file_and_its_number_is_not_used_again() {
        let dir = tempfile::tempdir().unwrap();
        let scope = Scope::Conversation(ConversationId::new([3; 32]));
        let mut ring = Keyring::create(dir.path(), &raw(1)).unwrap();
        let (first, second) = (ring.add(scope, 7).unwrap(), ring.add(scope, 8).unwrap());
        let bytes = ring.get(second).unwrap().unwrap().bytes.clone();
        ring.doom(first);
        ring.write().unwrap();
        assert!(ring.get(first).unwrap().is_none());
        assert!(Keyring::open(dir.path(), &raw(1)).unwrap().get(first).unwrap().is_some());
        ring.destroy(&[first]).unwrap();
        let mut ring = Keyring::open(dir.path(), &raw(1)).unwrap();
        assert!(ring.get(first).unwrap().is_none());
        assert_eq!(ring.get(second).unwrap().unwrap().bytes, bytes);
        assert_eq!(ring.latest(scope).map(|(number, key)| (number, key.period)), Some((second, 8)));
        assert!(matches!(ring.get(3), Err(StoreError::RingDamaged)));
        assert_eq!(ring.add(scope, 9), Ok(3));
    }

    #[test]
    fn a_wrong_key_and_a_damaged_ring_are_told_apart() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(Keyring::open(dir.path(), &raw(1)).err(), Some(StoreError::RingMissing));
        Keyring::create(dir.path(), &raw(1)).unwrap().add(Scope::Account, 0).unwrap();
        assert_eq!(Keyring::open(dir.path(), &raw(2)).err(), Some(StoreError::WrongKey));
        let path = dir.path().join(FILE);
        let good = std::fs::read(&path).unwrap();
        for place in 0..good.len() {
            let mut bad = good.clone();
            bad[place] ^= 1;
            std::fs::write(&path, &bad).unwrap();
            let error = Keyring::open(dir.path(), &raw(1)).err();
            assert!(error.is_some_and(|error| error != StoreError::WrongKey), "byte {place}");
            std::fs::write(&path, &good[..place]).unwrap();
            assert_eq!(Keyring::open(dir.path(), &raw(1)).err(), Some(StoreError::RingDamaged));
        }
    }

    #[test]
    fn a_passphrase_opens_its_ring_until_it_is_rotated() {
        let dir = tempfile::tempdir().unwrap();
        let passphrase = |text: &str| RingKey::Passphrase(Zeroizing::new(text.into()));
        let mut ring = Keyring::create(dir.path(), &passphrase("correct horse")).unwrap();
        let number = ring.add(Scope::Account, 0).unwrap();
        ring.write().unwrap();
        assert!(Keyring::open(dir.path(), &passphrase("correct horse")).unwrap().get(number).unwrap().is_some());
        assert_eq!(Keyring::open(dir.path(), &passphrase("battery")).err(), Some(StoreError::WrongKey));
        assert_eq!(Keyring::open(dir.path(), &raw(1)).err(), Some(StoreError::WrongKey));
        let opener = ring.opener();
        assert_eq!((opener.is_of(&passphrase("battery")), opener.is_of(&raw(1))), (Ok(false), Ok(false)));
        assert_eq!(opener.is_of(&passphrase("correct horse")), Ok(true));
        ring.rotate(&opener, Opener::new(&raw(1)).unwrap()).unwrap();
        assert_eq!(ring.rotate(&opener, Opener::new(&raw(2)).unwrap()), Err(StoreError::WrongKey));
        assert_eq!(Keyring::open(dir.path(), &passphrase("correct horse")).err(), Some(StoreError::WrongKey));
        assert!(Keyring::open(dir.path(), &raw(1)).unwrap().get(number).unwrap().is_some());
    }

    #[test]
    fn stretching_below_the_floor_is_refused() {
        assert!(Stretching::USUAL.fair());
        assert!(!Stretching { memory_kib: 1024, ..Stretching::USUAL }.fair());
        assert!(!Stretching { passes: u32::MAX, ..Stretching::USUAL }.fair());
    }

    #[test]
    fn debug_shows_no_key() {
        assert_eq!(format!("{:?}", raw(1)), "Raw(…)");
    }
}
