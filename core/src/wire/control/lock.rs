//! What opens a profile, as it is said over the control socket, which only this user reaches.

use data_encoding::BASE64;
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use zeroize::Zeroizing;

/// What opens a profile on this device. It does not print, and is wiped when it goes.
#[derive(Clone, PartialEq, Eq)]
pub enum Lock {
    /// What a person types.
    Passphrase(Zeroizing<String>),
    /// A key that a keychain holds.
    Key(Zeroizing<[u8; 32]>),
}

impl std::fmt::Debug for Lock {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Lock(…)")
    }
}

/// How it is written: a key as base64.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Written {
    Passphrase(String),
    Key(String),
}

impl Serialize for Lock {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut written = match self {
            Self::Passphrase(passphrase) => Written::Passphrase(passphrase.to_string()),
            Self::Key(key) => Written::Key(BASE64.encode(key.as_slice())),
        };
        let done = written.serialize(serializer);
        written.wipe();
        done
    }
}

impl<'de> Deserialize<'de> for Lock {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Written::deserialize(deserializer)? {
            Written::Passphrase(passphrase) => Ok(Self::Passphrase(passphrase.into())),
            Written::Key(text) => {
                let text = Zeroizing::new(text);
                let bytes = BASE64.decode(text.as_bytes()).map(Zeroizing::new).map_err(D::Error::custom)?;
                let key = <[u8; 32]>::try_from(bytes.as_slice()).map_err(|_| D::Error::custom("a key has 32 bytes"))?;
                Ok(Self::Key(key.into()))
            }
        }
    }
}

impl Written {
    fn wipe(&mut self) {
        let (Self::Passphrase(text) | Self::Key(text)) = self;
        zeroize::Zeroize::zeroize(text);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_travels_and_does_not_print() {
        for lock in [Lock::Passphrase("correct horse".to_owned().into()), Lock::Key([7; 32].into())] {
            let line = serde_json::to_string(&lock).unwrap();
            assert_eq!(serde_json::from_str::<Lock>(&line).unwrap(), lock);
            assert_eq!(format!("{lock:?}"), "Lock(…)");
        }
        assert_eq!(serde_json::to_string(&Lock::Passphrase("a".to_owned().into())).unwrap(), r#"{"passphrase":"a"}"#);
        for line in [r#"{"key":"AAAA"}"#, r#"{"key":"?"}"#, r#"{"key":7}"#, r#"{"other":"a"}"#] {
            assert!(serde_json::from_str::<Lock>(line).is_err(), "{line}");
        }
    }
}
