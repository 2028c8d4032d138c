//! Newtypes over fixed byte strings.

use std::fmt;

use data_encoding::BASE32_NOPAD;
use rand_core::RngCore;
use serde::de::{Error as _, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The text or the bytes are not an id of this kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a valid {kind}: expected {expected} bytes")]
pub struct InvalidId {
    /// The kind of id that was expected.
    pub kind: &'static str,
    /// Its length in bytes.
    pub expected: usize,
}

struct BytesVisitor<const N: usize>(&'static str);

impl<'de, const N: usize> Visitor<'de> for BytesVisitor<N> {
    type Value = [u8; N];

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} of {N} bytes", self.0)
    }

    fn visit_bytes<E: serde::de::Error>(self, bytes: &[u8]) -> Result<Self::Value, E> {
        bytes.try_into().map_err(|_| E::invalid_length(bytes.len(), &self))
    }
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $len:literal, $kind:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name([u8; $len]);

        impl $name {
            /// Its length in bytes.
            pub const LEN: usize = $len;

            /// Wraps bytes that are known to be an id.
            pub const fn new(bytes: [u8; $len]) -> Self {
                Self(bytes)
            }

            /// Draws one at random.
            pub fn random(rng: &mut super::Rng) -> Self {
                let mut bytes = [0; $len];
                rng.fill_bytes(&mut bytes);
                Self(bytes)
            }

            /// Its bytes.
            pub const fn as_bytes(&self) -> &[u8; $len] {
                &self.0
            }

            /// The first characters of its text, for logs at `DEBUG` and below.
            pub fn short(&self) -> String {
                self.to_string().chars().take(8).collect()
            }
        }

        impl AsRef<[u8]> for $name {
            fn as_ref(&self) -> &[u8] {
                &self.0
            }
        }

        impl TryFrom<&[u8]> for $name {
            type Error = InvalidId;

            fn try_from(bytes: &[u8]) -> Result<Self, InvalidId> {
                bytes.try_into().map(Self).map_err(|_| InvalidId { kind: $kind, expected: $len })
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str(&BASE32_NOPAD.encode(&self.0).to_ascii_lowercase())
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(formatter, "{}({})", stringify!($name), self.short())
            }
        }

        impl std::str::FromStr for $name {
            type Err = InvalidId;

            fn from_str(text: &str) -> Result<Self, InvalidId> {
                let error = InvalidId { kind: $kind, expected: $len };
                if text.len() > 2 * $len {
                    return Err(error);
                }
                let bytes = BASE32_NOPAD.decode(text.to_ascii_uppercase().as_bytes()).map_err(|_| error)?;
                Self::try_from(bytes.as_slice())
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_bytes(&self.0)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                deserializer.deserialize_bytes(BytesVisitor::<$len>($kind)).map(Self).map_err(D::Error::custom)
            }
        }
    };
}

id!(
    /// A person's account: the SHA-256 of its root public key. It is the person; a handle is a hint.
    AccountId, 32, "account id"
);
id!(
    /// A device: the SHA-256 of its events public key.
    DeviceId, 32, "device id"
);
id!(
    /// A conversation, stable over its succession of MLS groups.
    ConversationId, 32, "conversation id"
);
id!(
    /// An MLS group (RFC 9420 §8.1); random, one a generation of a conversation.
    GroupId, 32, "group id"
);
id!(
    /// A SHA-256 digest.
    Hash, 32, "hash"
);
id!(
    /// Names an envelope, so that a deposit done twice is stored once.
    EnvelopeId, 16, "envelope id"
);
id!(
    /// Names a request from the engine to its driver; the answer carries it back.
    RequestId, 16, "request id"
);
id!(
    /// A capability that its owner issued: to deposit in a mailbox or to take a key package.
    Token, 32, "token"
);
id!(
    /// One life of a device's feed; a device whose store was restored begins a new one.
    Incarnation, 8, "incarnation"
);

/// A feed of a conversation: what one device wrote in one incarnation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct FeedId {
    /// Whose feed.
    pub device: DeviceId,
    /// Which of that device's lives.
    pub incarnation: Incarnation,
}

/// The place of an event: names it for replies, deletions, the outbox and the screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ContentId {
    /// In which feed.
    pub feed: FeedId,
    /// Its number there, from 0.
    pub sequence: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_survives_its_text() {
        let id = AccountId::new([7; 32]);
        assert_eq!(id.to_string().parse(), Ok(id));
    }

    #[test]
    fn text_of_another_length_is_refused() {
        assert!("aa".parse::<AccountId>().is_err());
        assert!("a".repeat(1_000_000).parse::<AccountId>().is_err());
        assert!("not base 32!".parse::<Incarnation>().is_err());
    }
}
