//! Whether a password is worth its stretching: length and a list of what is guessed first, after NIST SP 800-63B §5.1.1.2.
//!
//! It asks for no mixture of characters. It knows a short list, not the leaked ones: those a relay cannot check either,
//! since it never sees a password.

use super::handle::Handle;

/// Fewer characters are within reach of guessing in spite of the stretching.
pub const MIN_CHARACTERS: usize = 10;
/// More than this is no password that a person types.
pub const MAX_BYTES: usize = 1024;
/// A password with fewer different characters is a pattern.
const MIN_DISTINCT: usize = 5;

/// Why a password is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum WeakPassword {
    /// Under 10 characters.
    #[error("a password has at least {MIN_CHARACTERS} characters, this has {found}")]
    TooShort {
        /// How many it has.
        found: usize,
    },
    /// Over 1024 bytes.
    #[error("a password has at most {MAX_BYTES} bytes")]
    TooLong,
    /// It is, but for digits, marks and look-alikes, one that is guessed first.
    #[error("this password is one of those that are guessed first")]
    Common,
    /// It repeats a few characters, or goes along the alphabet or the keyboard.
    #[error("this password is a pattern")]
    Pattern,
    /// Little is left of it without the handle.
    #[error("this password is made of the handle")]
    Handle,
}

/// What people choose; letters only, look-alikes undone.
const COMMON: &[&str] = &[
    "abc",
    "abcdef",
    "administrator",
    "admin",
    "alexander",
    "amanda",
    "andrea",
    "andrew",
    "angel",
    "anthony",
    "ashley",
    "asdf",
    "asdfgh",
    "asdfghjkl",
    "babygirl",
    "bailey",
    "barcelona",
    "baseball",
    "basketball",
    "batman",
    "beautiful",
    "blessed",
    "butterfly",
    "charlie",
    "changeme",
    "chelsea",
    "chocolate",
    "christian",
    "christopher",
    "computer",
    "cookie",
    "daniel",
    "default",
    "dragon",
    "elizabeth",
    "flower",
    "football",
    "freedom",
    "friends",
    "guest",
    "hannah",
    "hello",
    "helloworld",
    "iloveyou",
    "iloveyousomuch",
    "internet",
    "jasmine",
    "jennifer",
    "jessica",
    "jordan",
    "joshua",
    "justin",
    "killer",
    "kith",
    "letmein",
    "letmeinnow",
    "liverpool",
    "login",
    "loveme",
    "lovely",
    "manchester",
    "maria",
    "master",
    "matthew",
    "messenger",
    "michael",
    "michelle",
    "monkey",
    "mustang",
    "mypassword",
    "newpassword",
    "nicholas",
    "nicole",
    "ninja",
    "nothing",
    "password",
    "passwordpassword",
    "passw",
    "passwort",
    "pokemon",
    "princess",
    "qazwsx",
    "qazwsxedc",
    "qwer",
    "qwerty",
    "qwertyqwerty",
    "qwertyuiop",
    "qwertz",
    "qwertzuiop",
    "realmadrid",
    "robert",
    "samantha",
    "samsung",
    "secret",
    "shadow",
    "soccer",
    "starwars",
    "steelers",
    "summer",
    "sunshine",
    "superman",
    "supersecret",
    "superstar",
    "tequiero",
    "test",
    "testing",
    "thepassword",
    "thomas",
    "tinkerbell",
    "trustno",
    "trustnoone",
    "unknown",
    "user",
    "victoria",
    "welcome",
    "welcomeback",
    "whatever",
    "william",
    "winter",
    "yourpassword",
    "zxcvbn",
    "zxcvbnm",
];

/// Along these a finger or a mind goes by itself.
const ROWS: &[&str] = &[
    "abcdefghijklmnopqrstuvwxyz",
    "01234567890123456789",
    "qwertyuiopasdfghjklzxcvbnm",
    "qwertzuiopasdfghjklyxcvbnm",
    "1q2w3e4r5t6y7u8i9o0p",
    "qazwsxedcrfvtgbyhnujmikolp",
];

/// Checks a password for an account of this handle, if it has one.
///
/// # Errors
/// [`WeakPassword`], which a person can read.
pub fn check(password: &str, handle: Option<&Handle>) -> Result<(), WeakPassword> {
    if password.len() > MAX_BYTES {
        return Err(WeakPassword::TooLong);
    }
    let found = password.chars().count();
    if found < MIN_CHARACTERS {
        return Err(WeakPassword::TooShort { found });
    }
    let lower = password.to_lowercase();
    if is_pattern(&lower) {
        return Err(WeakPassword::Pattern);
    }
    let letters = letters_of(&lower);
    if COMMON.contains(&letters.as_str()) || COMMON.contains(&letters_of(without_ends(&lower)).as_str()) {
        return Err(WeakPassword::Common);
    }
    let Some(handle) = handle else { return Ok(()) };
    let rest = lower.replace(handle.as_str(), "");
    if rest.len() < lower.len() && rest.chars().count() < MIN_CHARACTERS / 2 {
        return Err(WeakPassword::Handle);
    }
    Ok(())
}

/// The password without digits and marks at its ends, which is where people put the ones they are asked for.
fn without_ends(password: &str) -> &str {
    password.trim_matches(|character: char| !character.is_alphabetic())
}

/// Its letters, with the digits and marks that stand for letters read as those.
fn letters_of(password: &str) -> String {
    let letter = |character| match character {
        '0' => 'o',
        '1' | '!' => 'i',
        '3' => 'e',
        '4' | '@' => 'a',
        '5' | '$' => 's',
        '7' => 't',
        other => other,
    };
    password.chars().map(letter).filter(|character| character.is_alphabetic()).collect()
}

fn is_pattern(password: &str) -> bool {
    let distinct: std::collections::BTreeSet<char> = password.chars().collect();
    let is_period =
        |period: &usize| password.chars().zip(password.chars().skip(*period)).all(|(one, other)| one == other);
    let length = password.chars().count();
    let repeats =
        (1..=length / 2).filter(|period| period.saturating_mul(2) <= length).take(6).any(|period| is_period(&period));
    let backwards: String = password.chars().rev().collect();
    let along_a_row = ROWS.iter().any(|row| row.contains(password) || row.contains(&backwards));
    distinct.len() < MIN_DISTINCT || repeats || along_a_row
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_passphrase_is_good_without_any_mixture_of_characters() {
        for good in ["correct horse battery", "zwölf Boxkämpfer", "vK9#mq2!xR", "пароль от замка сада"]
        {
            assert_eq!(check(good, Some(&Handle::parse("alice").unwrap())), Ok(()), "{good}");
        }
    }

    #[test]
    fn length_counts_in_characters() {
        assert_eq!(check("kürzer öä", None), Err(WeakPassword::TooShort { found: 9 }));
        assert_eq!(check(&"ab cd ef gh".repeat(100), None), Err(WeakPassword::TooLong));
    }

    #[test]
    fn what_is_guessed_first_is_refused_in_disguise_too() {
        for common in ["Password123!", "p4ssw0rd2026", "iloveyou!!!!", "Welcome-2026", "qwertyuiop1", "L3tm31nn0w"] {
            assert_eq!(check(common, None), Err(WeakPassword::Common), "{common}");
        }
    }

    #[test]
    fn patterns_are_refused() {
        for pattern in
            ["aaaaaaaaaaaa", "abababababab", "1234567890", "0987654321", "abcdefghijk", "qwertyuiop", "lemon lemon "]
        {
            assert_eq!(check(pattern, None), Err(WeakPassword::Pattern), "{pattern}");
        }
    }

    #[test]
    fn the_handle_is_no_password() {
        let handle = Handle::parse("alice.wonder").unwrap();
        assert_eq!(check("Alice.Wonder7", Some(&handle)), Err(WeakPassword::Handle));
        assert_eq!(check("alice.wonder and the white rabbit", Some(&handle)), Ok(()));
    }
}
