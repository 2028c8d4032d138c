//! The vault: an account's root key at rest.
//!
//! The root key's seed is sealed under a random vault key; the vault key is sealed once for every way to open it:
//! OPAQUE's export key, the recovery code, or, without a relay, a passphrase. A changed password replaces its one wrap.
//! It does not store itself: the blob lies at the relay or in the profile, and a version number orders its changes.
//!
//! Invariants: every key seals one thing once (it is derived with a fresh salt, so the nonce is fixed); what is sealed is
//! bound to account, format and [`Role`]; a passphrase wrap never goes to a relay, where it could be guessed at.

use std::fmt;

use rand_core::RngCore;
use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::hkdf::{HKDF_SHA256, Salt};
use serde::{Deserialize, Serialize};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use super::error::FormatError;
use super::keys::{RootKey, Seed};
use super::opaque::ExportKey;
use super::recovery::RecoveryCode;
use super::signed::decode;
use super::stretch::Stretching;
use crate::types::{AccountId, Rng};
use crate::wire::codec::{Body, DecodeError};

const WHAT: &str = "a vault";
const LABEL: &[u8] = b"kith/vault/1";
/// 128 bits: no salt comes twice.
const SALT_LEN: usize = 16;
/// A sealed key: 32 bytes and the tag.
const SEALED_LEN: usize = 32 + 16;
/// One wrap a role.
const MAX_WRAPS: usize = 3;

/// What opens a wrap.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// The key that a log-in with the password exports.
    Password,
    /// The recovery code.
    Recovery,
    /// A passphrase, for an account without a relay.
    Passphrase,
}

impl Role {
    const fn number(self) -> u8 {
        match self {
            Self::Password => 1,
            Self::Recovery => 2,
            Self::Passphrase => 3,
        }
    }
}

/// The number of the sealed seed among the roles.
const SEED_NUMBER: u8 = 0;

/// A secret that opens a vault.
#[derive(Debug, Clone, Copy)]
pub enum Unlock<'a> {
    /// From the OPAQUE log-in or registration.
    Password(&'a ExportKey),
    /// What a person wrote on paper.
    Recovery(&'a RecoveryCode),
    /// Without a relay.
    Passphrase(Passphrase<'a>),
}

impl Unlock<'_> {
    /// Which wrap it opens.
    pub const fn role(&self) -> Role {
        match self {
            Self::Password(_) => Role::Password,
            Self::Recovery(_) => Role::Recovery,
            Self::Passphrase(_) => Role::Passphrase,
        }
    }
}

/// A passphrase as a person typed it; it does not print.
#[derive(Clone, Copy)]
pub struct Passphrase<'a>(pub &'a str);

impl fmt::Debug for Passphrase<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Passphrase(…)")
    }
}

/// Why a vault does not open or change.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum VaultError {
    /// The secret is not the right one, or the vault was tampered with: the two cannot be told apart.
    #[error("the secret does not open the vault")]
    WrongSecret,
    /// No wrap of this kind is in it.
    #[error("the vault has no wrap for this kind of secret")]
    NoSuchWrap(Role),
    /// The last wrap cannot be taken out.
    #[error("a vault keeps at least one wrap")]
    LastWrap,
    /// Somebody else changed it in between: fetch it and try again.
    #[error("the vault has version {found}, expected was {expected}")]
    Version {
        /// The version the caller thought it had.
        expected: u64,
        /// The version it has.
        found: u64,
    },
    /// Its parameters of stretching are refused, or its form is wrong.
    #[error(transparent)]
    Format(#[from] FormatError),
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Sealed {
    #[serde(rename = "s", with = "serde_bytes")]
    salt: [u8; SALT_LEN],
    #[serde(rename = "b", with = "serde_bytes")]
    bytes: [u8; SEALED_LEN],
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Wrap {
    #[serde(rename = "o")]
    role: u8,
    #[serde(rename = "k", default, skip_serializing_if = "Option::is_none")]
    stretching: Option<Stretching>,
    #[serde(rename = "w")]
    vault_key: Sealed,
}

/// A vault, closed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Vault {
    #[serde(rename = "a")]
    account: AccountId,
    #[serde(rename = "v")]
    version: u64,
    #[serde(rename = "r")]
    seed: Sealed,
    #[serde(rename = "w")]
    wraps: Vec<Wrap>,
}

impl Body for Vault {
    /// A vault with three wraps has about 450 bytes; the rest is for fields of later versions.
    const MAX_BYTES: usize = 2048;

    fn check(&self) -> Result<(), DecodeError> {
        let repeated = |wrap: &Wrap| self.wraps.iter().filter(|other| other.role == wrap.role).count() > 1;
        if self.wraps.is_empty() || self.wraps.len() > MAX_WRAPS || self.wraps.iter().any(repeated) {
            return Err(DecodeError::OutOfBounds("the wraps of a vault"));
        }
        Ok(())
    }
}

#[derive(Zeroize, ZeroizeOnDrop)]
struct VaultKey([u8; 32]);

/// A vault, opened: the root key is unwrapped while this lives. Keep it for one signature, then drop it.
pub struct OpenVault {
    root: RootKey,
    key: VaultKey,
}

impl OpenVault {
    /// The root key.
    pub const fn root(&self) -> &RootKey {
        &self.root
    }
}

impl fmt::Debug for OpenVault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("OpenVault(…)")
    }
}

impl Vault {
    /// Seals the root key of a new account, version 1, with a first way to open it. A passphrase takes the time of its
    /// stretching.
    ///
    /// # Errors
    /// [`VaultError::Format`] when a passphrase cannot be stretched.
    pub fn create(rng: &mut Rng, root: &RootKey, unlock: Unlock<'_>) -> Result<Self, VaultError> {
        let mut key = VaultKey([0; 32]);
        rng.fill_bytes(&mut key.0);
        let account = root.account_id();
        let seed = seal(rng, &key.0, account, SEED_NUMBER, root.seed().expose())?;
        let wraps = vec![wrap(rng, account, &key, unlock)?];
        Ok(Self { account, version: 1, seed, wraps })
    }

    /// Reads a blob.
    ///
    /// # Errors
    /// [`FormatError`] when it is too large, of another format, malformed, or has two wraps of one role.
    pub fn decode(bytes: &[u8]) -> Result<Self, FormatError> {
        decode(bytes, Self::MAX_BYTES, WHAT)
    }

    /// The blob.
    pub fn encode(&self) -> Vec<u8> {
        Body::encode(self)
    }

    /// Whose root key it holds.
    pub const fn account(&self) -> AccountId {
        self.account
    }

    /// Counts its changes from 1; whoever stores it replaces version n by n + 1 only.
    pub const fn version(&self) -> u64 {
        self.version
    }

    /// Whether it has a wrap of this kind. A relay refuses a vault with a [`Role::Passphrase`].
    pub fn has(&self, role: Role) -> bool {
        self.wraps.iter().any(|wrap| wrap.role == role.number())
    }

    /// Opens it. A passphrase takes the time of its stretching.
    ///
    /// # Errors
    /// [`VaultError::WrongSecret`], [`VaultError::NoSuchWrap`], or [`VaultError::Format`] when the parameters of
    /// stretching are below the floor or above the ceiling.
    pub fn open(&self, unlock: Unlock<'_>) -> Result<OpenVault, VaultError> {
        let role = unlock.role();
        let found = self.wraps.iter().find(|wrap| wrap.role == role.number());
        let found = found.ok_or(VaultError::NoSuchWrap(role))?;
        let secret = secret_bytes(unlock, found.stretching.unwrap_or(Stretching::FLOOR), &found.vault_key.salt)?;
        let key = VaultKey(open(&secret, self.account, role.number(), &found.vault_key)?);
        let seed = Seed::new(open(&key.0, self.account, SEED_NUMBER, &self.seed)?);
        let root = RootKey::from_seed(&seed);
        if root.account_id() != self.account {
            return Err(VaultError::WrongSecret);
        }
        Ok(OpenVault { root, key })
    }

    /// The next version, with a wrap added or replaced: a new password, a new recovery code.
    ///
    /// # Errors
    /// [`VaultError::Version`] when this is not the expected version, [`VaultError::WrongSecret`] when `opened` is
    /// another account's, [`VaultError::Format`] when a passphrase cannot be stretched.
    pub fn rewrap(
        &self,
        rng: &mut Rng,
        opened: &OpenVault,
        expected: u64,
        unlock: Unlock<'_>,
    ) -> Result<Self, VaultError> {
        self.expect_version(expected)?;
        if opened.root.account_id() != self.account {
            return Err(VaultError::WrongSecret);
        }
        let mut next = self.next_without(unlock.role());
        next.wraps.push(wrap(rng, self.account, &opened.key, unlock)?);
        next.wraps.sort_by_key(|wrap| wrap.role);
        Ok(next)
    }

    /// The next version without one wrap, such as the passphrase when an account gets a relay.
    ///
    /// # Errors
    /// [`VaultError::Version`], [`VaultError::NoSuchWrap`], or [`VaultError::LastWrap`] when nothing would open it.
    pub fn without(&self, expected: u64, role: Role) -> Result<Self, VaultError> {
        self.expect_version(expected)?;
        if !self.has(role) {
            return Err(VaultError::NoSuchWrap(role));
        }
        let next = self.next_without(role);
        if next.wraps.is_empty() { Err(VaultError::LastWrap) } else { Ok(next) }
    }

    fn expect_version(&self, expected: u64) -> Result<(), VaultError> {
        let found = self.version;
        if found == expected { Ok(()) } else { Err(VaultError::Version { expected, found }) }
    }

    fn next_without(&self, role: Role) -> Self {
        let mut next = Self { version: self.version.saturating_add(1), ..self.clone() };
        next.wraps.retain(|wrap| wrap.role != role.number());
        next
    }
}

fn wrap(rng: &mut Rng, account: AccountId, key: &VaultKey, unlock: Unlock<'_>) -> Result<Wrap, VaultError> {
    let mut salt = [0; SALT_LEN];
    rng.fill_bytes(&mut salt);
    let secret = secret_bytes(unlock, Stretching::RECOMMENDED, &salt)?;
    let role = unlock.role().number();
    let stretching = matches!(unlock, Unlock::Passphrase(_)).then_some(Stretching::RECOMMENDED);
    Ok(Wrap { role, stretching, vault_key: seal_with_salt(&secret, account, role, salt, &key.0)? })
}

fn secret_bytes(unlock: Unlock<'_>, stretching: Stretching, salt: &[u8]) -> Result<Zeroizing<Vec<u8>>, VaultError> {
    Ok(Zeroizing::new(match unlock {
        Unlock::Password(export_key) => export_key.expose().to_vec(),
        Unlock::Recovery(code) => code.expose().to_vec(),
        Unlock::Passphrase(Passphrase(text)) => stretching.stretch(text, salt)?.to_vec(),
    }))
}

fn seal(rng: &mut Rng, secret: &[u8], account: AccountId, number: u8, plain: &[u8; 32]) -> Result<Sealed, VaultError> {
    let mut salt = [0; SALT_LEN];
    rng.fill_bytes(&mut salt);
    seal_with_salt(secret, account, number, salt, plain)
}

fn seal_with_salt(
    secret: &[u8],
    account: AccountId,
    number: u8,
    salt: [u8; SALT_LEN],
    plain: &[u8; 32],
) -> Result<Sealed, VaultError> {
    let mut bytes = Zeroizing::new([0; SEALED_LEN]);
    let (body, tag_place) = bytes.split_at_mut(32);
    body.copy_from_slice(plain);
    let tag = sealing_key(secret, number, &salt)?
        .seal_in_place_separate_tag(only_nonce(), Aad::from(bound_to(account, number)), body)
        .map_err(|_| VaultError::WrongSecret)?;
    tag_place.copy_from_slice(tag.as_ref());
    Ok(Sealed { salt, bytes: *bytes })
}

fn open(secret: &[u8], account: AccountId, number: u8, sealed: &Sealed) -> Result<[u8; 32], VaultError> {
    let mut bytes = Zeroizing::new(sealed.bytes);
    let plain = sealing_key(secret, number, &sealed.salt)?
        .open_in_place(only_nonce(), Aad::from(bound_to(account, number)), bytes.as_mut_slice())
        .map_err(|_| VaultError::WrongSecret)?;
    <[u8; 32]>::try_from(&*plain).map_err(|_| VaultError::WrongSecret)
}

fn sealing_key(secret: &[u8], number: u8, salt: &[u8]) -> Result<LessSafeKey, VaultError> {
    let pseudo_random_key = Salt::new(HKDF_SHA256, salt).extract(secret);
    let info: [&[u8]; 2] = [LABEL, &[number]];
    let okm = pseudo_random_key.expand(&info, &CHACHA20_POLY1305).map_err(|_| VaultError::WrongSecret)?;
    Ok(LessSafeKey::new(UnboundKey::from(okm)))
}

/// A key is derived with a fresh salt and seals once.
fn only_nonce() -> Nonce {
    Nonce::assume_unique_for_key([0; NONCE_LEN])
}

fn bound_to(account: AccountId, number: u8) -> Vec<u8> {
    [LABEL, account.as_ref(), &[Vault::FORMAT, number]].concat()
}

#[cfg(test)]
mod tests;
