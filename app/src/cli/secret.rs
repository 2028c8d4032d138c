//! Passwords and passphrases: from a file, or asked for at the terminal. Never from an argument, never shown.

use std::fs::File;
use std::io::{IsTerminal, Read};
use std::path::{Path, PathBuf};

use kith_core::client::entry::RecoveryCode;
use zeroize::Zeroizing;

use super::error::Error;
use super::text;

/// The longest file worth reading: far more than a person's longest passphrase.
const MAX_FILE: u64 = 4096;

/// Where secrets come from.
#[derive(Debug, Clone)]
pub(crate) struct Secrets {
    pub(crate) password_file: Option<PathBuf>,
    pub(crate) passphrase_file: Option<PathBuf>,
}

/// Of a new account or device.
pub(crate) struct NewSecrets {
    /// The account's, at the relay.
    pub(crate) password: Zeroizing<String>,
    /// The profile's, on this device; none if its key lies in the system's keychain.
    pub(crate) passphrase: Option<Zeroizing<String>>,
}

impl Secrets {
    /// For an account at a relay; `again` asks twice, because a new password with a slip would lock its owner out.
    pub(crate) fn for_relay(&self, again: bool, keychain: bool) -> Result<NewSecrets, Error> {
        let password = match &self.password_file {
            Some(file) => from_file(file)?,
            None => {
                need_terminal(text::NO_PASSWORD)?;
                if again { ask_twice(text::PASSWORD, text::PASSWORD_AGAIN)? } else { ask(text::PASSWORD)? }
            }
        };
        if keychain {
            return Ok(NewSecrets { password, passphrase: None });
        }
        let passphrase = match (&self.passphrase_file, &self.password_file) {
            (Some(file), _) => from_file(file)?,
            (None, Some(_)) => password.clone(),
            (None, None) => {
                let passphrase = prompt(text::NEW_PASSPHRASE)?;
                if passphrase.is_empty() { password.clone() } else { repeated(passphrase, text::PASSPHRASE_AGAIN)? }
            }
        };
        Ok(NewSecrets { password, passphrase: Some(passphrase) })
    }

    /// The account's password that counts now.
    pub(crate) fn present(&self) -> Result<Zeroizing<String>, Error> {
        match &self.password_file {
            Some(file) => from_file(file),
            None => {
                need_terminal(text::NO_PASSWORD)?;
                ask(text::PRESENT_PASSWORD)
            }
        }
    }

    /// For an account without a relay.
    pub(crate) fn for_local(&self) -> Result<Zeroizing<String>, Error> {
        match self.passphrase_file.as_ref().or(self.password_file.as_ref()) {
            Some(file) => from_file(file),
            None => {
                need_terminal(text::NO_PASSPHRASE)?;
                ask_twice(text::NEW_LOCAL_PASSPHRASE, text::PASSPHRASE_AGAIN)
            }
        }
    }

    /// Opens a profile that is there.
    pub(crate) fn to_open(&self) -> Result<Zeroizing<String>, Error> {
        match self.passphrase_file.as_ref().or(self.password_file.as_ref()) {
            Some(file) => from_file(file),
            None => {
                need_terminal(text::NO_PASSPHRASE)?;
                ask(text::PASSPHRASE)
            }
        }
    }
}

/// A profile's new passphrase, asked for twice.
pub(crate) fn new_passphrase() -> Result<Zeroizing<String>, Error> {
    need_terminal(text::NO_NEW_PASSPHRASE)?;
    ask_twice(text::ANOTHER_PASSPHRASE, text::PASSPHRASE_AGAIN)
}

/// The password that is to count from now on.
pub(crate) fn new_password(file: Option<&Path>) -> Result<Zeroizing<String>, Error> {
    match file {
        Some(file) => from_file(file),
        None => {
            need_terminal(text::NO_NEW_PASSWORD)?;
            ask_twice(text::NEW_PASSWORD, text::PASSWORD_AGAIN)
        }
    }
}

/// A recovery code as it was typed, or the first line of a file that is one: the window's file has words above it.
pub(crate) fn recovery_code(file: Option<&Path>) -> Result<Zeroizing<String>, Error> {
    let Some(file) = file else {
        need_terminal(text::NO_RECOVERY_CODE)?;
        return ask(text::RECOVERY_CODE);
    };
    let content = read_file(file)?;
    let is_code = |line: &&str| RecoveryCode::parse(line).is_ok();
    let line = content.lines().find(is_code).or_else(|| content.lines().find(|line| !line.trim().is_empty()));
    let line = line.ok_or_else(|| Error::new("password_file", text::recovery_file_empty(file)))?;
    Ok(Zeroizing::new(line.to_owned()))
}

fn need_terminal(otherwise: &str) -> Result<(), Error> {
    let terminal = std::io::stdin().is_terminal() && std::io::stderr().is_terminal();
    if terminal { Ok(()) } else { Err(Error::new("no_terminal", otherwise)) }
}

fn prompt(words: &str) -> Result<Zeroizing<String>, Error> {
    rpassword::prompt_password(words).map(Zeroizing::new).map_err(|error| Error::system(text::no_prompt(&error)))
}

fn ask(words: &str) -> Result<Zeroizing<String>, Error> {
    let secret = prompt(words)?;
    if secret.is_empty() { Err(Error::new("empty_password", text::EMPTY_SECRET)) } else { Ok(secret) }
}

fn ask_twice(words: &str, again: &str) -> Result<Zeroizing<String>, Error> {
    repeated(ask(words)?, again)
}

fn repeated(secret: Zeroizing<String>, again: &str) -> Result<Zeroizing<String>, Error> {
    if *prompt(again)? == *secret { Ok(secret) } else { Err(Error::new("not_the_same", text::NOT_THE_SAME)) }
}

/// The first line of a file, without its end.
pub(crate) fn from_file(path: &Path) -> Result<Zeroizing<String>, Error> {
    let content = read_file(path)?;
    let line = content.lines().next().unwrap_or_default();
    if line.is_empty() {
        return Err(Error::new("password_file", text::secret_file_empty(path)));
    }
    Ok(Zeroizing::new(line.to_owned()))
}

fn read_file(path: &Path) -> Result<Zeroizing<String>, Error> {
    let failed = |error: std::io::Error| Error::new("password_file", text::secret_file(path, &error));
    let mut bytes = Zeroizing::new(Vec::with_capacity(MAX_FILE as usize + 1));
    File::open(path).map_err(failed)?.take(MAX_FILE + 1).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() as u64 > MAX_FILE {
        return Err(Error::new("password_file", text::secret_file_long(path)));
    }
    let content =
        std::str::from_utf8(&bytes).map_err(|error| Error::new("password_file", text::secret_file(path, &error)))?;
    Ok(Zeroizing::new(content.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(content: &[u8]) -> (tempfile::TempDir, PathBuf) {
        let directory = tempfile::TempDir::new().unwrap();
        let path = directory.path().join("secret");
        std::fs::write(&path, content).unwrap();
        (directory, path)
    }

    #[test]
    fn a_file_gives_its_first_line() {
        for content in ["correct horse \n", "correct horse \r\nsecond\n", "correct horse "] {
            let (_directory, path) = file(content.as_bytes());
            assert_eq!(*from_file(&path).unwrap(), "correct horse ");
        }
    }

    #[test]
    fn a_file_without_a_password_is_an_error_that_names_it() {
        for content in [&b""[..], b"\nsecond\n", b"\xff\xfe\n", &[b'x'; 5000]] {
            let (_directory, path) = file(content);
            let error = from_file(&path).unwrap_err();
            assert_eq!(error.code, "password_file");
            assert!(error.message.contains(path.to_str().unwrap()));
        }
        assert_eq!(from_file(Path::new("/nowhere/at/all")).unwrap_err().code, "password_file");
    }

    #[test]
    fn a_recovery_code_is_found_below_the_words_that_the_window_writes() {
        let code = "K7QX-ABCD-EFGH-JKMN-PQRS-TVWX-YZ01";
        let (_directory, typed) = file(format!("  {code}\n").as_bytes());
        assert_eq!(recovery_code(Some(&typed)).unwrap().trim(), code, "what is wrong with it the core says");
        let code = include_str!("../../../core/src/identity/fixtures/vault-1.code.txt").trim();
        let (_directory, saved) = file(format!("Keep this.\n\n{code}\n").as_bytes());
        assert_eq!(*recovery_code(Some(&saved)).unwrap(), code);
        let (_directory, empty) = file(b"\n \n");
        assert_eq!(recovery_code(Some(&empty)).unwrap_err().code, "password_file");
    }

    #[test]
    fn the_passphrase_is_the_password_unless_it_has_a_file_of_its_own() {
        let (_directory, password_file) = file(b"the password\n");
        let secrets = Secrets { password_file: Some(password_file), passphrase_file: None };
        let both = |keychain: bool| {
            let new = secrets.for_relay(true, keychain).unwrap();
            (new.password.to_string(), new.passphrase.map(|passphrase| passphrase.to_string()))
        };
        assert_eq!(both(false), ("the password".into(), Some("the password".into())));
        assert_eq!(both(true), ("the password".into(), None));
        assert_eq!(*secrets.to_open().unwrap(), "the password");

        let (_other, passphrase_file) = file(b"the passphrase\n");
        let secrets = Secrets { passphrase_file: Some(passphrase_file), ..secrets };
        let new = secrets.for_relay(true, false).unwrap();
        assert_eq!(new.passphrase.unwrap().as_str(), "the passphrase");
        assert_eq!(*secrets.to_open().unwrap(), "the passphrase");
        assert_eq!(*secrets.for_local().unwrap(), "the passphrase");
    }
}
