//! What a person chose for this profile, and what of it counts now.
//!
//! A start may only be more discreet than what was chosen: what it hides stays hidden until the next one.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};

use super::{ClientError, Options};
use crate::store;
use crate::wire::control::{Code, LiveOptions, Said};

/// The file in a profile's directory, beside the store.
pub(super) const FILE: &str = "options.json";

/// The longest file that is read.
const MAX_BYTES: u64 = 64 * 1024;

/// What is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Choice {
    pub(super) read_receipts: bool,
    pub(super) mdns: bool,
    pub(super) always_relay: bool,
    pub(super) typing: bool,
    pub(super) played_receipts: bool,
    pub(super) auto_fetch_bytes: u64,
}

/// Pictures and short films of a phone: what a person expects to see without asking for it.
const AUTO_FETCH_BYTES: u64 = 16 << 20;

impl Default for Choice {
    fn default() -> Self {
        Self {
            read_receipts: true,
            mdns: true,
            always_relay: false,
            typing: true,
            played_receipts: true,
            auto_fetch_bytes: AUTO_FETCH_BYTES,
        }
    }
}

impl Choice {
    /// Tells nobody anything: for when what was chosen cannot be read.
    const DISCREET: Self = Self {
        read_receipts: false,
        mdns: false,
        always_relay: true,
        typing: false,
        played_receipts: false,
        auto_fetch_bytes: 0,
    };

    /// The same, and whatever a start hides is hidden.
    fn within(self, options: &Options) -> Self {
        Self {
            read_receipts: self.read_receipts && options.read_receipts,
            mdns: self.mdns && options.mdns,
            always_relay: self.always_relay || options.always_relay,
            typing: self.typing,
            played_receipts: self.played_receipts && options.read_receipts,
            auto_fetch_bytes: self.auto_fetch_bytes,
        }
    }
}

/// What was chosen, and how this start went about it.
#[derive(Debug)]
pub(super) struct Choices {
    path: PathBuf,
    given: Options,
    started: Choice,
    chosen: Mutex<Choice>,
}

impl Choices {
    /// Reads what was chosen, and says what is wrong with it.
    pub(super) fn load(directory: &Path, given: &Options) -> (Self, Option<Said>) {
        let path = directory.join(FILE);
        let (chosen, wrong) = match read(&path) {
            Ok(chosen) => (chosen.unwrap_or_default(), None),
            Err(why) => (
                Choice::DISCREET,
                Some(
                    Said::new(
                        Code::ChoicesUnreadable,
                        format_args!(
                            "The choices of this profile cannot be read ({why}), so nothing is told to others that you may \
                             have hidden: make them again."
                        ),
                    )
                    .because(&why),
                ),
            ),
        };
        let started = chosen.within(given);
        (Self { path, given: given.clone(), started, chosen: Mutex::new(chosen) }, wrong)
    }

    /// What this start began with.
    pub(super) fn started(&self) -> Choice {
        self.started
    }

    /// What counts now of what can be changed without a new start.
    pub(super) fn now(&self) -> Choice {
        self.chosen().within(&self.given)
    }

    /// What was chosen, for whoever shows it.
    pub(super) fn view(&self) -> LiveOptions {
        let chosen = *self.chosen();
        let Choice { read_receipts, mdns, always_relay, typing, played_receipts, auto_fetch_bytes } = chosen;
        // Of these two only the network knows, and it is told once.
        let restart = (chosen.mdns, chosen.always_relay) != (self.started.mdns, self.started.always_relay);
        LiveOptions { read_receipts, mdns, always_relay, typing, played_receipts, auto_fetch_bytes, restart }
    }

    /// Keeps another choice, durably.
    pub(super) fn choose(&self, change: impl FnOnce(&mut Choice)) -> Result<(), ClientError> {
        let mut chosen = self.chosen();
        let mut new = *chosen;
        change(&mut new);
        let json = serde_json::to_vec_pretty(&new).map_err(|error| ClientError::Write(error.to_string()))?;
        store::write_private(&self.path, &json)?;
        *chosen = new;
        Ok(())
    }

    fn chosen(&self) -> MutexGuard<'_, Choice> {
        self.chosen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn read(path: &Path) -> Result<Option<Choice>, String> {
    let found = match std::fs::metadata(path) {
        Ok(found) => found,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error.to_string()),
    };
    if found.len() > MAX_BYTES {
        return Err(format!("{FILE} is too large"));
    }
    let text = std::fs::read(path).map_err(|error| error.to_string())?;
    serde_json::from_slice(&text).map(Some).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_choice_lasts_and_a_start_can_only_be_more_discreet() {
        let directory = tempfile::tempdir().unwrap();
        let (choices, wrong) = Choices::load(directory.path(), &Options::default());
        assert_eq!((choices.now(), wrong), (Choice::default(), None));
        choices.choose(|choice| (choice.typing, choice.mdns) = (false, false)).unwrap();
        assert!(!choices.now().typing && choices.view().restart);
        let hidden = Options { always_relay: true, read_receipts: false, ..Options::default() };
        let (choices, _) = Choices::load(directory.path(), &hidden);
        assert_eq!(choices.started(), Choice { auto_fetch_bytes: AUTO_FETCH_BYTES, ..Choice::DISCREET });
        let view = choices.view();
        assert_eq!((view.always_relay, view.read_receipts, view.restart), (false, true, true));
    }

    #[test]
    fn choices_that_cannot_be_read_hide_everything_and_are_named() {
        let directory = tempfile::tempdir().unwrap();
        for garbage in ["", "{\"mdns\":7}", "nonsense"] {
            std::fs::write(directory.path().join(FILE), garbage).unwrap();
            let (choices, wrong) = Choices::load(directory.path(), &Options::default());
            assert_eq!(choices.now(), Choice::DISCREET, "{garbage:?}");
            assert!(wrong.is_some());
        }
        std::fs::write(directory.path().join(FILE), "{\"typing\":false,\"of a later Kith\":1}").unwrap();
        let (choices, wrong) = Choices::load(directory.path(), &Options::default());
        assert_eq!((choices.now(), wrong), (Choice { typing: false, ..Choice::default() }, None));
    }
}
