//! A sign in the system's tray, where there is one: shows the window, says how much waits, ends the program.

#[cfg(target_os = "linux")]
mod linux;
#[cfg(target_os = "linux")]
pub(crate) use linux::{Tray, show};

#[cfg(not(target_os = "linux"))]
mod elsewhere;
#[cfg(not(target_os = "linux"))]
pub(crate) use elsewhere::{Tray, show};

use crate::i18n::I18n;

/// What was chosen there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Chosen {
    /// The window.
    Show,
    /// The end.
    Quit,
}

/// The words of its menu.
#[derive(Debug, Clone)]
pub(crate) struct Words {
    show: String,
    quit: String,
}

impl Words {
    /// In the window's language.
    pub(crate) fn of(i18n: &I18n) -> Self {
        Self { show: i18n.tr("tray-show"), quit: i18n.tr("quit") }
    }
}
