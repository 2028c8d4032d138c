//! Sign-up and log-in without showing the password: OPAQUE (RFC 9807) over ristretto255 with SHA-512, 3DH and Argon2id.
//!
//! Two sides as small machines, bytes in and bytes out. They limit no attempts and store nothing; the relay does both.
//!
//! Invariants: the parameters of stretching stand beside every registration, and neither side takes less than
//! [`Stretching::FLOOR`]; client and server are bound by name (handle and relay key) and by a context string; an unknown
//! handle gets an answer of the same form, length and parameters as a known one.

mod client;
mod server;
#[cfg(test)]
mod tests;

use std::fmt;

use argon2::Argon2;
use opaque_ke::errors::ProtocolError;
use opaque_ke::{CipherSuite, Ristretto255, TripleDh};
use serde::{Deserialize, Serialize};
use zeroize::{Zeroize, ZeroizeOnDrop};

pub use client::{ClientLogin, ClientRegistration, LoggedIn, Registered};
pub use server::{LoginPending, PasswordFile, ServerSetup};

use super::handle::Handle;
use super::relay_key::RelayId;
use super::stretch::Stretching;
use crate::wire::codec::{Body, DecodeError};

/// The OPAQUE suite: RFC 9807 §7's recommended one, with Argon2id at explicit parameters.
pub(crate) struct Suite;

impl CipherSuite for Suite {
    type OprfCs = Ristretto255;
    type KeyExchange = TripleDh<Ristretto255, sha2::Sha512>;
    type Ksf = Argon2<'static>;
}

/// Why a step of sign-up or log-in failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OpaqueError {
    /// The password is wrong, the handle is unknown, or the answer came from somebody else: they cannot be told apart.
    #[error("the handle or the password is wrong")]
    WrongPassword,
    /// The answer is another relay's, or a mirrored question.
    #[error("the answer is not from the relay that was asked")]
    WrongServer,
    /// The parameters of stretching are below the floor or above the ceiling.
    #[error("the relay asks for a stretching that this device refuses")]
    ParametersTooWeak,
    /// The bytes are not a message of this step.
    #[error("a message of the log-in is malformed")]
    Malformed,
    /// A step of the protocol could not be computed; it does not happen with messages of the right form.
    #[error("the log-in could not be computed")]
    Internal,
}

impl From<ProtocolError> for OpaqueError {
    fn from(error: ProtocolError) -> Self {
        match error {
            ProtocolError::InvalidLoginError => Self::WrongPassword,
            ProtocolError::ReflectedValueError => Self::WrongServer,
            ProtocolError::SerializationError | ProtocolError::SizeError { .. } => Self::Malformed,
            ProtocolError::LibraryError(_) => Self::Internal,
            ProtocolError::Custom(never) => match never {},
        }
    }
}

impl From<DecodeError> for OpaqueError {
    fn from(_: DecodeError) -> Self {
        Self::Malformed
    }
}

macro_rules! secret64 {
    ($(#[$doc:meta])* $name:ident, $printed:literal) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
        pub struct $name([u8; 64]);

        impl $name {
            /// Wraps secret bytes.
            pub const fn new(bytes: [u8; 64]) -> Self {
                Self(bytes)
            }

            /// The secret bytes, to derive keys from.
            pub const fn expose(&self) -> &[u8; 64] {
                &self.0
            }

            fn from_output(output: impl Into<[u8; 64]>) -> Self {
                Self(output.into())
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str($printed)
            }
        }
    };
}

secret64!(
    /// What only the client learns, and learns again at every log-in: it opens the vault.
    ExportKey, "ExportKey(…)"
);
secret64!(
    /// What both sides share after a log-in.
    SessionKey, "SessionKey(…)"
);

/// Whom a password belongs to and where: both sides put it into the key exchange.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Binding {
    /// The relay's identity key.
    pub relay: RelayId,
    /// The account's handle there.
    pub handle: Handle,
}

impl Binding {
    fn identifiers(&self) -> opaque_ke::Identifiers<'_> {
        opaque_ke::Identifiers {
            client: Some(self.handle.as_str().as_bytes()),
            server: Some(self.relay.as_bytes().as_slice()),
        }
    }

    fn context(&self) -> Vec<u8> {
        [b"kith/opaque/1".as_slice(), self.relay.as_bytes(), self.handle.as_str().as_bytes()].concat()
    }

    fn server_parameters<'a>(&'a self, context: &'a [u8]) -> opaque_ke::ServerLoginParameters<'a, 'a> {
        opaque_ke::ServerLoginParameters { context: Some(context), identifiers: self.identifiers() }
    }
}

/// A message of the library, as bytes.
#[derive(Serialize, Deserialize)]
struct Message {
    #[serde(rename = "o", with = "serde_bytes")]
    opaque: Vec<u8>,
}

/// A message of the library with what the other side has to know beside it.
#[derive(Clone, Serialize, Deserialize)]
struct Answer {
    #[serde(rename = "r")]
    relay: RelayId,
    #[serde(rename = "k")]
    stretching: Stretching,
    #[serde(rename = "o", with = "serde_bytes")]
    opaque: Vec<u8>,
}

/// The longest message of this suite has 320 bytes.
const MAX_MESSAGE_BYTES: usize = 512;

impl Body for Message {
    const MAX_BYTES: usize = MAX_MESSAGE_BYTES;
}

impl Body for Answer {
    const MAX_BYTES: usize = MAX_MESSAGE_BYTES;
}

/// Reads a message of the library; bytes left over or a second encoding of the same message are refused.
fn exact<T>(
    bytes: &[u8],
    read: impl FnOnce(&[u8]) -> Result<T, ProtocolError>,
    write: impl FnOnce(&T) -> Vec<u8>,
) -> Result<T, OpaqueError> {
    let message = read(bytes).map_err(|_| OpaqueError::Malformed)?;
    if write(&message) == bytes { Ok(message) } else { Err(OpaqueError::Malformed) }
}
