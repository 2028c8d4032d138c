//! Systems on which Kith has no tray yet: closing the window ends the program there.

use iced::Subscription;

use super::{Chosen, Words};

/// There is none.
#[derive(Debug, Clone)]
pub(crate) enum Tray {}

/// None.
pub(crate) async fn show(_words: Words) -> Option<Tray> {
    None
}

impl Tray {
    /// How much waits.
    pub(crate) async fn tell(self, _words: Words, _waiting: u64, _about: String) {
        match self {}
    }

    /// What is chosen.
    pub(crate) fn chosen(&self) -> Subscription<Chosen> {
        match *self {}
    }
}
