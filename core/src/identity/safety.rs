//! Safety numbers: what two people compare, in person or by phone, to know that they have each other's accounts.
//!
//! Half a number is 30 digits of an iterated SHA-512 of one account's root key, the lower account id's half first, so
//! both people see the same 60 digits. 30 digits are 99 bits; 5200 rounds add 12 to the cost of finding a second key.
//! It does not remember who was compared.

use std::fmt;

use ring::digest::{Context, SHA512};

use super::error::FormatError;
use super::keys::PublicKey;
use crate::types::AccountId;
use crate::wire::codec::DecodeError;

/// Rounds of the hash: some milliseconds for a device, and the number that the field has used for ten years.
const ROUNDS: usize = 5200;
/// Groups of five digits, per account.
const GROUPS: usize = 6;

/// The safety number of two accounts: 60 digits.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SafetyNumber([u32; 2 * GROUPS]);

impl SafetyNumber {
    /// The number of two accounts, in either order.
    pub fn of(one: PublicKey, other: PublicKey) -> Self {
        let mut keys = [one, other];
        keys.sort_unstable_by_key(PublicKey::account_id);
        let [low, high] = keys.map(half);
        let mut groups = [0; 2 * GROUPS];
        groups.iter_mut().zip(low.into_iter().chain(high)).for_each(|(place, group)| *place = group);
        Self(groups)
    }

    /// Its twelve groups, each below 100 000.
    pub const fn groups(&self) -> &[u32; 12] {
        &self.0
    }

    /// Whether a text a person typed or pasted is this number; anything but digits is ignored.
    pub fn matches(&self, text: &str) -> bool {
        let typed = text.chars().filter(char::is_ascii_digit);
        let own = self.to_string();
        typed.eq(own.chars().filter(char::is_ascii_digit))
    }
}

impl fmt::Display for SafetyNumber {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, group) in self.0.iter().enumerate() {
            let space = if place == 0 { "" } else { " " };
            write!(formatter, "{space}{group:05}")?;
        }
        Ok(())
    }
}

fn half(root: PublicKey) -> [u32; GROUPS] {
    let mut state = b"kith/safety/1".to_vec();
    state.extend_from_slice(root.as_bytes());
    for _ in 0..ROUNDS {
        let mut context = Context::new(&SHA512);
        context.update(&state);
        context.update(root.as_bytes());
        state = context.finish().as_ref().to_vec();
    }
    let mut groups = [0; GROUPS];
    for (group, bytes) in groups.iter_mut().zip(state.as_chunks::<5>().0) {
        let value = bytes.iter().fold(0_u64, |value, byte| value << 8 | u64::from(*byte));
        *group = u32::try_from(value % 100_000).unwrap_or_default();
    }
    groups
}

/// What a QR code for comparing holds: who shows it, and whom they believe to be talking to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SafetyCode {
    /// The account that shows the code.
    pub shown_by: AccountId,
    /// The account that it believes the other person has.
    pub meant_for: AccountId,
}

/// What scanning somebody's code says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparison {
    /// Both sides have each other's accounts.
    Match,
    /// The person who shows the code has another account than we know for them.
    TheyAreAnother {
        /// The account in the code.
        shown: AccountId,
    },
    /// They know another account for us than ours, or scan a code that was meant for somebody else.
    WeAreAnother {
        /// The account they have for us.
        believed: AccountId,
    },
}

impl SafetyCode {
    /// The format number of its bytes.
    const FORMAT: u8 = 1;
    /// Length of its bytes: the format number and two account ids.
    pub const LEN: usize = 1 + 2 * AccountId::LEN;

    /// The bytes for the QR code.
    pub fn encode(&self) -> Vec<u8> {
        [&[Self::FORMAT], self.shown_by.as_ref(), self.meant_for.as_ref()].concat()
    }

    /// Reads the bytes of a scanned code.
    ///
    /// # Errors
    /// [`FormatError`] when they are not of this format and length.
    pub fn decode(bytes: &[u8]) -> Result<Self, FormatError> {
        const WHAT: &str = "a safety code";
        let (format, ids) = bytes.split_first().ok_or(FormatError::length(WHAT))?;
        if *format != Self::FORMAT {
            return Err(FormatError::Form { what: WHAT, why: DecodeError::UnknownFormat { found: *format } });
        }
        match ids.as_chunks::<{ AccountId::LEN }>() {
            ([shown_by, meant_for], []) => {
                Ok(Self { shown_by: AccountId::new(*shown_by), meant_for: AccountId::new(*meant_for) })
            }
            _ => Err(FormatError::length(WHAT)),
        }
    }

    /// Compares a scanned code with our own account and the one we know for the person who shows it.
    pub fn compare(&self, ours: AccountId, theirs: AccountId) -> Comparison {
        if self.shown_by != theirs {
            return Comparison::TheyAreAnother { shown: self.shown_by };
        }
        if self.meant_for != ours {
            return Comparison::WeAreAnother { believed: self.meant_for };
        }
        Comparison::Match
    }
}

#[cfg(test)]
mod tests {
    use rand_core::SeedableRng;

    use super::*;
    use crate::identity::RootKey;
    use crate::types::Rng;

    fn keys() -> [PublicKey; 3] {
        let mut rng = Rng::seed_from_u64(5);
        [0; 3].map(|_| RootKey::generate(&mut rng).public())
    }

    #[test]
    fn both_people_see_the_same_sixty_digits() {
        let [alice, bob, eve] = keys();
        let number = SafetyNumber::of(alice, bob);
        assert_eq!(number, SafetyNumber::of(bob, alice));
        assert_ne!(number, SafetyNumber::of(alice, eve));
        let text = number.to_string();
        assert_eq!(text.split(' ').map(str::len).collect::<Vec<_>>(), [5; 12]);
        assert!(number.matches(&text) && number.matches(&text.replace(' ', "\n")));
        assert!(!number.matches(&SafetyNumber::of(alice, eve).to_string()));
        assert!(!number.matches(""));
    }

    #[test]
    fn the_number_of_two_known_keys_does_not_change() {
        let number = SafetyNumber::of(PublicKey::new([1; 32]), PublicKey::new([2; 32]));
        assert_eq!(number.to_string(), include_str!("fixtures/safety-number-1.txt").trim());
    }

    #[test]
    fn a_scanned_code_tells_which_side_is_wrong() {
        let [alice, bob, eve] = keys().map(|key| key.account_id());
        let shown_by_bob = SafetyCode { shown_by: bob, meant_for: alice };
        let scanned = SafetyCode::decode(&shown_by_bob.encode()).unwrap();
        assert_eq!(scanned.compare(alice, bob), Comparison::Match);
        assert_eq!(scanned.compare(alice, eve), Comparison::TheyAreAnother { shown: bob });
        assert_eq!(scanned.compare(eve, bob), Comparison::WeAreAnother { believed: alice });
    }

    #[test]
    fn bytes_of_another_length_or_format_are_no_code() {
        let [alice, bob, _] = keys().map(|key| key.account_id());
        let bytes = SafetyCode { shown_by: bob, meant_for: alice }.encode();
        assert_eq!(bytes.len(), SafetyCode::LEN);
        assert!((0..bytes.len()).all(|length| SafetyCode::decode(&bytes[..length]).is_err()));
        assert!(SafetyCode::decode(&[&bytes[..], &[0]].concat()).is_err());
        assert!(SafetyCode::decode(&[&[2], &bytes[1..]].concat()).is_err());
    }
}
