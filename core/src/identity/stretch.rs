//! Stretching of passwords and passphrases: Argon2id (RFC 9106) with parameters that travel beside what they protect.
//!
//! Lanes are computed one after the other here, so more than one helps only who guesses.
//!
//! Invariant: nothing is stretched with less than [`Stretching::FLOOR`], whoever chose the parameters, nor with more than
//! [`Stretching::CEILING`], so that a lying relay cannot exhaust a device.

use argon2::{Algorithm, Argon2, Params, Version};
use zeroize::Zeroizing;

use super::error::FormatError;

/// Parameters of Argon2id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Stretching {
    /// Memory in KiB.
    #[serde(rename = "m")]
    pub memory_kib: u32,
    /// Passes.
    #[serde(rename = "t")]
    pub passes: u32,
    /// Lanes.
    #[serde(rename = "p")]
    pub lanes: u32,
}

impl Stretching {
    /// The least that is accepted: RFC 9106 §4's choice for devices with little memory, 64 MiB and 3 passes.
    pub const FLOOR: Self = Self { memory_kib: 64 * 1024, passes: 3, lanes: 1 };
    /// What new passwords get. A phone of 2026 takes well under a second.
    pub const RECOMMENDED: Self = Self::FLOOR;
    /// The most that is computed: about as much memory as an old phone can give, and some ten seconds there.
    pub const CEILING: Self = Self { memory_kib: 512 * 1024, passes: 16, lanes: 16 };

    /// Whether they are between the floor and the ceiling.
    ///
    /// # Errors
    /// [`FormatError::Invalid`] when they are weaker than the floor or dearer than the ceiling.
    pub fn check(self) -> Result<Self, FormatError> {
        const WHAT: &str = "the cost of stretching";
        let below =
            |limit: Self| self.memory_kib < limit.memory_kib || self.passes < limit.passes || self.lanes < limit.lanes;
        let Self { memory_kib, passes, lanes } = Self::CEILING;
        if below(Self::FLOOR) {
            return Err(FormatError::Invalid { what: WHAT, why: "it is below the floor" });
        }
        if self.memory_kib > memory_kib || self.passes > passes || self.lanes > lanes {
            return Err(FormatError::Invalid { what: WHAT, why: "it is above the ceiling" });
        }
        Ok(self)
    }

    pub(crate) fn argon2(self) -> Result<Argon2<'static>, FormatError> {
        let Self { memory_kib, passes, lanes } = self.check()?;
        let params = Params::new(memory_kib, passes, lanes, None)
            .map_err(|_| FormatError::Invalid { what: "the cost of stretching", why: "the parameters do not fit" })?;
        Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
    }

    /// Stretches a passphrase; takes this cost in time and memory.
    pub(crate) fn stretch(self, passphrase: &str, salt: &[u8]) -> Result<Zeroizing<[u8; 32]>, FormatError> {
        let mut key = Zeroizing::new([0; 32]);
        self.argon2()?
            .hash_password_into(passphrase.as_bytes(), salt, key.as_mut_slice())
            .map_err(|_| FormatError::Invalid { what: "a passphrase", why: "it cannot be stretched" })?;
        Ok(key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weaker_than_the_floor_and_dearer_than_the_ceiling_are_refused() {
        assert_eq!(Stretching::RECOMMENDED.check(), Ok(Stretching::RECOMMENDED));
        assert!(Stretching::CEILING.check().is_ok());
        let Stretching { memory_kib, passes, lanes } = Stretching::FLOOR;
        for weak in [
            Stretching { memory_kib: memory_kib - 1, passes, lanes },
            Stretching { memory_kib, passes: passes - 1, lanes },
            Stretching { memory_kib, passes, lanes: 0 },
            Stretching { memory_kib: u32::MAX, passes, lanes },
            Stretching { memory_kib, passes: 17, lanes },
            Stretching { memory_kib, passes, lanes: 17 },
        ] {
            assert!(weak.check().is_err());
            assert!(weak.argon2().is_err());
        }
    }

    #[test]
    fn a_stretched_passphrase_is_argon2id_and_depends_on_the_salt() {
        let key = Stretching::FLOOR.stretch("correct horse", b"0123456789abcdef").unwrap();
        assert_ne!(key, Stretching::FLOOR.stretch("correct horse", b"0123456789abcdeg").unwrap());
        assert_ne!(*key, [0; 32]);
    }
}
