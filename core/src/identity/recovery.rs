//! The recovery code: 128 random bits that open the vault when the password is lost. A person writes it on paper.
//!
//! Text: 28 characters of Crockford's base 32 in seven groups; the last 12 of its 140 bits are a checksum, so that of
//! 4096 slips of the pen one goes unnoticed. It is not stretched: nobody guesses 128 bits.
//!
//! Two keys come from it, apart by their labels: one opens its wrap in the vault ([`super::vault`]), and one signs what a relay
//! wants to see before it gives the vault to somebody who has forgotten the password. The relay keeps the latter's public half.

use std::fmt;

use rand_core::RngCore;
use ring::hkdf::{HKDF_SHA256, Salt};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use super::error::FormatError;
use super::keys::{Context, PublicKey, Seed, Signature, SigningKey, sha256};
use super::opaque::Binding;
use crate::types::{Rng, Token};

const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const CHARACTERS: usize = 28;
const GROUP: usize = 4;
const CHECK_BITS: u32 = 12;
/// Sets the signing key apart from the vault's.
const KEY_LABEL: &[u8] = b"kith/recovery-key/1";
/// Longer text than this is no code, however many spaces a person put in.
const MAX_TEXT_BYTES: usize = 256;

/// The text is not a recovery code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RecoveryCodeError {
    /// Not 28 letters and digits.
    #[error("a recovery code has 28 letters and digits, this has {found}")]
    Length {
        /// How many it has.
        found: usize,
    },
    /// A character that no code has.
    #[error("a recovery code has no {0:?}")]
    Character(char),
    /// The checksum does not fit: a character is wrong.
    #[error("the recovery code has a typing mistake")]
    Checksum,
}

/// A recovery code. Wiped when dropped.
#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub struct RecoveryCode([u8; 16]);

impl RecoveryCode {
    /// Draws one.
    pub fn generate(rng: &mut Rng) -> Self {
        let mut code = Self([0; 16]);
        rng.fill_bytes(&mut code.0);
        code
    }

    pub(crate) fn expose(&self) -> &[u8; 16] {
        &self.0
    }

    /// What a relay keeps of it to know its owner by: the public half of the key of this handle at this relay.
    ///
    /// # Errors
    /// [`FormatError`] when the key cannot be derived; it does not happen.
    pub fn public(&self, binding: &Binding) -> Result<PublicKey, FormatError> {
        Ok(self.key(binding)?.public())
    }

    /// Answers a relay's challenge.
    ///
    /// # Errors
    /// [`FormatError`] when the key cannot be derived; it does not happen.
    pub fn prove(&self, binding: &Binding, challenge: &Token) -> Result<Signature, FormatError> {
        Ok(self.key(binding)?.sign(Context::Recovery, &claim(binding, challenge)))
    }

    /// HKDF (RFC 5869) over the code, which is random enough to be extracted from with a label for salt.
    fn key(&self, binding: &Binding) -> Result<SigningKey, FormatError> {
        let info: [&[u8]; 2] = [binding.relay.as_bytes(), binding.handle.as_str().as_bytes()];
        let mut seed = Zeroizing::new([0; 32]);
        Salt::new(HKDF_SHA256, KEY_LABEL)
            .extract(&self.0)
            .expand(&info, HKDF_SHA256)
            .and_then(|output| output.fill(seed.as_mut()))
            .map_err(|_| FormatError::length("a key of the recovery code"))?;
        Ok(SigningKey::from_seed(&Seed::new(*seed)))
    }

    /// Its text, to be shown once: `K7QX-…`, seven groups of four.
    pub fn to_text(&self) -> Zeroizing<String> {
        let mut text = Zeroizing::new(String::with_capacity(CHARACTERS + CHARACTERS / GROUP));
        for place in 0..CHARACTERS {
            if place > 0 && place % GROUP == 0 {
                text.push('-');
            }
            text.push(char::from(self.character(place)));
        }
        text
    }

    /// Reads a text in any case, with any spaces and hyphens; `O` is read as `0`, `I` and `L` as `1`.
    ///
    /// # Errors
    /// [`RecoveryCodeError`], which says what a person can correct.
    pub fn parse(text: &str) -> Result<Self, RecoveryCodeError> {
        if text.len() > MAX_TEXT_BYTES {
            return Err(RecoveryCodeError::Length { found: text.len() });
        }
        let (mut bits, mut check, mut found) = (Zeroizing::new(0_u128), 0_u16, 0_usize);
        for character in text.chars().filter(|character| !character.is_whitespace() && *character != '-') {
            let value = u16::from(value_of(character).ok_or(RecoveryCodeError::Character(character))?);
            // 128 bits are 25 characters and the upper 3 bits of the 26th.
            match found {
                0..25 => *bits = *bits << 5 | u128::from(value),
                25 => {
                    *bits = *bits << 3 | u128::from(value >> 2);
                    check = value & 0b11;
                }
                _ => check = (check << 5 | value) & ((1 << CHECK_BITS) - 1),
            }
            found = found.saturating_add(1);
        }
        if found != CHARACTERS {
            return Err(RecoveryCodeError::Length { found });
        }
        let code = Self(bits.to_be_bytes());
        if code.checksum() == check { Ok(code) } else { Err(RecoveryCodeError::Checksum) }
    }

    fn checksum(&self) -> u16 {
        let [first, second, ..] = sha256(&[b"kith/recovery/1", &self.0]);
        u16::from_be_bytes([first, second]) >> (16 - CHECK_BITS)
    }

    fn character(&self, place: usize) -> u8 {
        let bits = Zeroizing::new(u128::from_be_bytes(self.0));
        let value = match place {
            0..25 => (*bits >> (123 - 5 * place)) as usize,
            25 => ((*bits << 2) as usize) | usize::from(self.checksum() >> 10),
            26 => usize::from(self.checksum() >> 5),
            _ => usize::from(self.checksum()),
        };
        ALPHABET.get(value & 31).copied().unwrap_or_default()
    }
}

/// Whether this is the answer of the code's owner to a challenge: what a relay asks before it gives a vault away.
///
/// # Errors
/// [`FormatError::BadSignature`] when it is not.
pub fn verify_recovery(
    public: &PublicKey,
    binding: &Binding,
    challenge: &Token,
    answer: &Signature,
) -> Result<(), FormatError> {
    public.verify(Context::Recovery, &claim(binding, challenge), answer)
}

/// What is signed: which relay, which challenge, and whose account; the handle comes last, since its length varies.
fn claim(binding: &Binding, challenge: &Token) -> Vec<u8> {
    [binding.relay.as_bytes().as_slice(), challenge.as_ref(), binding.handle.as_str().as_bytes()].concat()
}

impl fmt::Debug for RecoveryCode {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("RecoveryCode(…)")
    }
}

fn value_of(character: char) -> Option<u8> {
    let read_as = match character.to_ascii_uppercase() {
        'O' => '0',
        'I' | 'L' => '1',
        other => other,
    };
    let place = ALPHABET.iter().position(|known| char::from(*known) == read_as)?;
    u8::try_from(place).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{prop_assert_eq, proptest};
    use rand_core::SeedableRng;

    use super::*;
    use crate::identity::{Handle, RelayId};

    #[test]
    fn a_code_survives_its_text_however_it_is_typed() {
        let code = RecoveryCode([0; 16]);
        let text = code.to_text();
        assert_eq!(text.len(), 34);
        assert_eq!(RecoveryCode::parse(&text), Ok(code.clone()));
        assert_eq!(RecoveryCode::parse(&text.replace('0', "o")), Ok(code.clone()));
        assert_eq!(RecoveryCode::parse(&text.replace('-', " ").to_lowercase()), Ok(code.clone()));
        assert_eq!(RecoveryCode::parse(&format!("  {}\n", text.replace('-', ""))), Ok(code));
    }

    #[test]
    fn ones_are_read_from_their_look_alikes() {
        let code = RecoveryCode(0x0842_1084_2108_4210_8421_0842_1084_2108_u128.to_be_bytes());
        let text = code.to_text();
        assert!(text.starts_with("1111-1111"));
        assert_eq!(RecoveryCode::parse(&text.replace('1', "i")), Ok(code.clone()));
        assert_eq!(RecoveryCode::parse(&text.replace('1', "L")), Ok(code));
    }

    #[test]
    fn what_is_wrong_with_a_text_is_said() {
        assert_eq!(RecoveryCode::parse("ABCD"), Err(RecoveryCodeError::Length { found: 4 }));
        assert_eq!(RecoveryCode::parse("ABCU"), Err(RecoveryCodeError::Character('U')));
        assert_eq!(RecoveryCode::parse(&"A".repeat(1000)), Err(RecoveryCodeError::Length { found: 1000 }));
        assert!(matches!(RecoveryCode::parse(&"A".repeat(29)), Err(RecoveryCodeError::Length { found: 29 })));
    }

    #[test]
    fn almost_every_single_slip_is_noticed() {
        let text = RecoveryCode::generate(&mut Rng::seed_from_u64(3)).to_text();
        let mut unnoticed = 0;
        for place in 0..text.len() {
            for replacement in ALPHABET.iter().map(|character| char::from(*character)) {
                let mut slipped: Vec<char> = text.chars().collect();
                if slipped[place] == '-' || slipped[place] == replacement {
                    continue;
                }
                slipped[place] = replacement;
                unnoticed += usize::from(RecoveryCode::parse(&slipped.iter().collect::<String>()).is_ok());
            }
        }
        assert!(unnoticed <= 2, "{unnoticed} of 868 slips went unnoticed");
    }

    fn binding(relay: u8, handle: &str) -> Binding {
        let relay = RelayId::new(PublicKey::new([relay; 32]));
        Binding { relay, handle: Handle::parse(handle).unwrap() }
    }

    #[test]
    fn a_proof_counts_for_one_code_relay_handle_and_challenge() {
        let (code, other) = (RecoveryCode([5; 16]), RecoveryCode([6; 16]));
        let (here, challenge) = (binding(1, "alice"), Token::new([7; 32]));
        let proof = code.prove(&here, &challenge).unwrap();
        let key = code.public(&here).unwrap();
        assert_eq!(verify_recovery(&key, &here, &challenge, &proof), Ok(()));
        for (key, binding, challenge) in [
            (other.public(&here).unwrap(), here.clone(), challenge),
            (key, binding(2, "alice"), challenge),
            (key, binding(1, "alicia"), challenge),
            (key, here.clone(), Token::new([8; 32])),
        ] {
            assert!(verify_recovery(&key, &binding, &challenge, &proof).is_err());
        }
        for elsewhere in [binding(2, "alice"), binding(1, "bob")] {
            assert_ne!(code.public(&elsewhere).unwrap(), key, "two relays cannot tell that a code is the same");
        }
    }

    #[test]
    fn the_first_key_of_a_code_is_still_derived() {
        let code = RecoveryCode::parse(include_str!("fixtures/vault-1.code.txt")).unwrap();
        let (binding, challenge) = (binding(9, "alice"), Token::new([7; 32]));
        let (public, proof) = (code.public(&binding).unwrap(), code.prove(&binding, &challenge).unwrap());
        let kept = [public.as_bytes().as_slice(), proof.as_bytes()].concat();
        assert_eq!(kept, include_bytes!("fixtures/recovery-proof-1.bin"));
    }

    proptest! {
        #[test]
        fn every_code_survives_its_text(bytes: [u8; 16]) {
            let code = RecoveryCode(bytes);
            prop_assert_eq!(RecoveryCode::parse(&code.to_text()), Ok(code));
        }

        #[test]
        fn no_text_makes_the_parser_panic(text in "\\PC{0,80}") {
            let _ = RecoveryCode::parse(&text);
        }
    }
}
