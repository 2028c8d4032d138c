//! Handles: `name@relay`, a hint where to look for a person. The account id is the person.
//!
//! It does not look anything up. Invariant: a [`Handle`] is in its normal form; two handles that a person could take for
//! each other have the same [`Handle::skeleton`], and a relay gives a skeleton to one account only.

use std::fmt;

/// Fewer characters are left free.
const MIN_CHARACTERS: usize = 3;
/// More characters fit no list of chats.
const MAX_CHARACTERS: usize = 32;
/// A DNS name (RFC 1035 §2.3.4).
const MAX_NAME_BYTES: usize = 253;
/// A label of a DNS name (RFC 1035 §2.3.4).
const MAX_LABEL_BYTES: usize = 63;
/// A multiaddr as text, with a DNS name, a path and a peer id.
const MAX_ADDRESS_BYTES: usize = 512;

/// Names that sound as if the relay or Kith itself spoke.
const RESERVED: &[&str] = &[
    "abuse",
    "admin",
    "administrator",
    "all",
    "anonymous",
    "api",
    "billing",
    "channel",
    "contact",
    "everyone",
    "help",
    "helpdesk",
    "here",
    "hostmaster",
    "info",
    "kith",
    "kith-support",
    "mail",
    "mailer-daemon",
    "moderator",
    "news",
    "nobody",
    "noreply",
    "no-reply",
    "notifications",
    "null",
    "official",
    "operator",
    "owner",
    "postmaster",
    "privacy",
    "relay",
    "root",
    "security",
    "service",
    "staff",
    "support",
    "sysadmin",
    "system",
    "team",
    "undefined",
    "webmaster",
    "www",
];

/// The text is not a handle.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum HandleError {
    /// Shorter than 3 or longer than 32 characters.
    #[error("a handle has 3 to 32 characters, this has {found}")]
    Length {
        /// How many it has.
        found: usize,
    },
    /// A character that no handle has.
    #[error("a handle has only a–z, 0–9, and . _ - between them, not {0:?}")]
    Character(char),
    /// It begins or ends with `.`, `_` or `-`, or has two of them in a row.
    #[error("a handle has . _ - only between letters and digits, one at a time")]
    Punctuation,
    /// The part behind the `@` is neither a name nor a multiaddr.
    #[error("the part behind the @ is neither the name of a relay nor a multiaddr")]
    Relay,
}

/// The name of an account at its relay, in lower case.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Handle(String);

impl Handle {
    /// Reads a handle in any case, with or without an `@` before it.
    ///
    /// # Errors
    /// [`HandleError`], which says what a person can correct.
    pub fn parse(text: &str) -> Result<Self, HandleError> {
        let text = text.trim();
        let text = text.strip_prefix('@').unwrap_or(text);
        let found = text.chars().take(MAX_NAME_BYTES).count();
        if !(MIN_CHARACTERS..=MAX_CHARACTERS).contains(&found) {
            return Err(HandleError::Length { found });
        }
        let name = text.to_ascii_lowercase();
        if let Some(wrong) = name.chars().find(|character| !is_letter(*character) && !is_mark(*character)) {
            return Err(HandleError::Character(wrong));
        }
        if name.split(is_mark).any(str::is_empty) {
            return Err(HandleError::Punctuation);
        }
        Ok(Self(name))
    }

    /// The handle as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What is left when all that people confuse is made the same: marks are dropped, `0` is `o`, `1` and `i` are `l`,
    /// `m` is `rn`, `w` is `vv`. A relay refuses a handle whose skeleton is taken. It is not a handle.
    pub fn skeleton(&self) -> String {
        skeleton(&self.0)
    }

    /// Whether it could be taken for the relay or Kith itself; a relay does not give such handles away.
    pub fn is_reserved(&self) -> bool {
        let own = self.skeleton();
        RESERVED.iter().any(|reserved| skeleton(reserved) == own)
    }
}

fn skeleton(name: &str) -> String {
    let mut skeleton = String::with_capacity(2 * name.len());
    for character in name.chars().filter(|character| !is_mark(*character)) {
        match character {
            '0' => skeleton.push('o'),
            '1' | 'i' => skeleton.push('l'),
            'm' => skeleton.push_str("rn"),
            'w' => skeleton.push_str("vv"),
            other => skeleton.push(other),
        }
    }
    skeleton
}

fn is_letter(character: char) -> bool {
    character.is_ascii_lowercase() || character.is_ascii_digit()
}

fn is_mark(character: char) -> bool {
    matches!(character, '.' | '_' | '-')
}

impl fmt::Display for Handle {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl std::str::FromStr for Handle {
    type Err = HandleError;

    fn from_str(text: &str) -> Result<Self, HandleError> {
        Self::parse(text)
    }
}

/// The part of a full handle behind the `@`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RelayPart {
    /// A short name from the settings, or a domain; in lower case.
    Name(String),
    /// A multiaddr, as it was written; whether it is one shows when it is dialled.
    Address(String),
}

impl RelayPart {
    /// Reads a relay's name, or a multiaddr, which begins with `/`.
    ///
    /// # Errors
    /// [`HandleError::Relay`] when it is neither.
    pub fn parse(text: &str) -> Result<Self, HandleError> {
        let text = text.trim();
        if text.starts_with('/') {
            let printable = text.chars().all(|character| character.is_ascii_graphic());
            let fits = printable && text.len() > 1 && text.len() <= MAX_ADDRESS_BYTES;
            return if fits { Ok(Self::Address(text.to_owned())) } else { Err(HandleError::Relay) };
        }
        let name = text.to_ascii_lowercase();
        let is_label = |label: &str| {
            let characters = label.chars().all(|character| is_letter(character) || character == '-');
            let length = (1..=MAX_LABEL_BYTES).contains(&label.len());
            characters && length && !label.starts_with('-') && !label.ends_with('-')
        };
        let fits = name.len() <= MAX_NAME_BYTES && name.split('.').all(is_label);
        if fits { Ok(Self::Name(name)) } else { Err(HandleError::Relay) }
    }
}

impl fmt::Display for RelayPart {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Self::Name(text) | Self::Address(text)) = self;
        formatter.write_str(text)
    }
}

/// A handle with its relay: `name@relay`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FullHandle {
    /// The name of the account there.
    pub handle: Handle,
    /// Where.
    pub relay: RelayPart,
}

impl fmt::Display for FullHandle {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}@{}", self.handle, self.relay)
    }
}

impl std::str::FromStr for FullHandle {
    type Err = HandleError;

    fn from_str(text: &str) -> Result<Self, HandleError> {
        let text = text.trim();
        let text = text.strip_prefix('@').unwrap_or(text);
        let (handle, relay) = text.split_once('@').ok_or(HandleError::Relay)?;
        Ok(Self { handle: Handle::parse(handle)?, relay: RelayPart::parse(relay)? })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn handle(text: &str) -> Handle {
        Handle::parse(text).unwrap()
    }

    #[test]
    fn case_spaces_and_a_leading_at_do_not_matter() {
        assert_eq!(handle(" @Alice.B-2 ").as_str(), "alice.b-2");
    }

    #[test]
    fn what_is_no_handle_is_refused_with_the_reason() {
        assert_eq!(Handle::parse("ab"), Err(HandleError::Length { found: 2 }));
        assert_eq!(Handle::parse(&"a".repeat(33)), Err(HandleError::Length { found: 33 }));
        assert!(matches!(Handle::parse(&"a".repeat(1 << 20)), Err(HandleError::Length { .. })));
        assert_eq!(Handle::parse("al ice"), Err(HandleError::Character(' ')));
        assert_eq!(Handle::parse("аlice"), Err(HandleError::Character('а')), "a Cyrillic letter");
        for marks in [".alice", "alice_", "al..ice", "al._ice", "---"] {
            assert_eq!(Handle::parse(marks), Err(HandleError::Punctuation), "{marks}");
        }
    }

    #[test]
    fn handles_that_look_alike_share_a_skeleton() {
        for (one, other) in [
            ("paypal", "paypa1"),
            ("bill", "b1ll"),
            ("bob", "b0b"),
            ("modern", "rnodem"),
            ("wave", "vvave"),
            ("vwave", "wvave"),
            ("al.ice", "al_ice"),
            ("al-ice", "alice"),
            ("i1l", "lli"),
        ] {
            assert_eq!(handle(one).skeleton(), handle(other).skeleton(), "{one} and {other}");
        }
        assert_ne!(handle("alice").skeleton(), handle("alicia").skeleton());
    }

    #[test]
    fn names_of_authority_and_their_look_alikes_are_reserved() {
        for name in ["admin", "adrnin", "adm1n", "r00t", "kith", "k1th", "sup.port", "re-lay"] {
            assert!(handle(name).is_reserved(), "{name}");
        }
        assert!(!handle("alice").is_reserved());
    }

    #[test]
    fn a_full_handle_has_a_name_or_a_multiaddr_behind_the_at() {
        let full: FullHandle = "@Alice@Relay.Example.org".parse().unwrap();
        assert_eq!(full.to_string(), "alice@relay.example.org");
        let full: FullHandle = "bob@/ip4/127.0.0.1/udp/4001/quic-v1/p2p/12D3Koo".parse().unwrap();
        assert_eq!(full.relay, RelayPart::Address("/ip4/127.0.0.1/udp/4001/quic-v1/p2p/12D3Koo".to_owned()));
        for wrong in ["bob", "bob@", "bob@-x", "bob@a..b", "bob@a b", "bob@x@y", "bob@/", "bob@/ip4/ü"] {
            assert_eq!(wrong.parse::<FullHandle>(), Err(HandleError::Relay), "{wrong}");
        }
        assert!(format!("bob@{}", "a.".repeat(200) + "a").parse::<FullHandle>().is_err());
    }

    proptest! {
        #[test]
        fn any_text_is_refused_or_survives_its_normal_form(text in "\\PC{0,40}") {
            if let Ok(parsed) = Handle::parse(&text) {
                prop_assert_eq!(Handle::parse(parsed.as_str()), Ok(parsed));
            }
            if let Ok(parsed) = text.parse::<FullHandle>() {
                prop_assert_eq!(parsed.to_string().parse(), Ok(parsed));
            }
        }

        #[test]
        fn every_handle_of_the_alphabet_has_a_skeleton(text in "[a-z0-9]([._-]?[a-z0-9]){2,15}") {
            prop_assert!(!handle(&text).skeleton().is_empty());
        }
    }
}
