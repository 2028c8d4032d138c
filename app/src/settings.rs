//! What a person has set for this window, and where it stood: a file in the profile, that a text editor can read.
//!
//! What belongs to the account and not to the window is in [`kith_core::client`].
//! Invariant: a damaged or unknown file never keeps the window from opening; what cannot be read is as if it was never set.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::i18n::Language;
use crate::theme::Variant;

/// The file in the profile's directory.
const FILE: &str = "window.toml";

/// The largest file that is read.
const MAX_FILE: u64 = 64 * 1024;

/// As many emoji are remembered.
const RECENT_EMOJI: usize = 24;

/// Bounds of [`Settings::text_percent`].
pub(crate) const TEXT_PERCENT: std::ops::RangeInclusive<u16> = 80..=200;

/// All that is set.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
pub(crate) struct Settings {
    /// None for the system's.
    pub(crate) language: Option<Language>,
    /// None for the system's.
    pub(crate) appearance: Option<Variant>,
    /// How large everything is, in percent.
    pub(crate) text_percent: u16,
    /// What draws the window; takes effect at the next start.
    pub(crate) renderer: Drawing,
    /// The system tells of new messages.
    pub(crate) notifications: bool,
    /// What they show.
    pub(crate) notification_text: bool,
    /// They sound.
    pub(crate) sounds: bool,
    /// Closing the window leaves Kith running in the tray.
    pub(crate) close_to_tray: bool,
    /// Enter sends; otherwise Ctrl+Enter does.
    pub(crate) enter_sends: bool,
    /// The panel beside the conversation is open.
    pub(crate) details: bool,
    /// A relay runs in this program, with its data in this profile.
    pub(crate) own_relay: bool,
    /// Real models of speech are offered to whoever listens with the one that is built in.
    pub(crate) models_offered: bool,
    /// Where the window stood.
    pub(crate) window: Placement,
    /// Emoji that were used last.
    pub(crate) recent_emoji: Vec<String>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            language: None,
            appearance: None,
            text_percent: 100,
            renderer: Drawing::default(),
            notifications: true,
            notification_text: true,
            sounds: true,
            close_to_tray: false,
            enter_sends: true,
            details: false,
            own_relay: false,
            models_offered: true,
            window: Placement::default(),
            recent_emoji: Vec::new(),
        }
    }
}

/// What draws the window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Drawing {
    /// The processor: little memory, no driver (docs/adr/0011-window.md).
    #[default]
    Processor,
    /// The graphics card.
    Graphics,
}

impl Drawing {
    /// What iced calls it.
    pub(crate) const fn backend(self) -> &'static str {
        match self {
            Self::Processor => "tiny-skia",
            Self::Graphics => "wgpu",
        }
    }
}

/// Where a window stood, in logical pixels.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
pub(crate) struct Placement {
    /// Its width.
    pub(crate) width: f32,
    /// Its height.
    pub(crate) height: f32,
    /// Its left edge; none where the platform does not say.
    pub(crate) x: Option<f32>,
    /// Its upper edge.
    pub(crate) y: Option<f32>,
    /// It filled the screen.
    pub(crate) maximized: bool,
}

impl Default for Placement {
    fn default() -> Self {
        Self { width: 1080.0, height: 720.0, x: None, y: None, maximized: false }
    }
}

impl Placement {
    /// The same with numbers that a window can have.
    fn sane(self) -> Self {
        let within = |value: f32, low: f32, high: f32, otherwise: f32| {
            if value.is_finite() { value.clamp(low, high) } else { otherwise }
        };
        let place = |value: Option<f32>| value.filter(|value| value.is_finite() && value.abs() < 32_000.0);
        let usual = Self::default();
        Self {
            width: within(self.width, 360.0, 10_000.0, usual.width),
            height: within(self.height, 400.0, 10_000.0, usual.height),
            x: place(self.x),
            y: place(self.y),
            maximized: self.maximized,
        }
    }
}

impl Settings {
    /// What is set in this profile.
    pub(crate) fn load(profile: &Path) -> Self {
        use std::io::Read as _;
        let mut text = String::new();
        let read = std::fs::File::open(file(profile)).and_then(|file| file.take(MAX_FILE).read_to_string(&mut text));
        match read {
            Ok(_) => Self::parse(&text),
            Err(error) => {
                if error.kind() != std::io::ErrorKind::NotFound {
                    tracing::warn!(%error, "The window's settings cannot be read.");
                }
                Self::default()
            }
        }
    }

    fn parse(text: &str) -> Self {
        match toml::from_str::<Self>(text) {
            Ok(settings) => settings.sane(),
            Err(error) => {
                tracing::warn!(%error, "The window's settings are damaged.");
                Self::default()
            }
        }
    }

    fn sane(mut self) -> Self {
        self.window = self.window.sane();
        self.text_percent = self.text_percent.clamp(*TEXT_PERCENT.start(), *TEXT_PERCENT.end());
        self.recent_emoji.truncate(RECENT_EMOJI);
        self
    }

    /// Keeps it: the old file or the new one is there whenever the machine stops.
    ///
    /// # Errors
    /// If the disk does not take it.
    pub(crate) fn save(&self, profile: &Path) -> std::io::Result<()> {
        let text = toml::to_string_pretty(self).map_err(std::io::Error::other)?;
        let path = file(profile);
        std::fs::create_dir_all(profile)?;
        let new = path.with_extension("toml.new");
        let mut file = std::fs::File::create(&new)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        std::fs::rename(new, path)
    }
}

/// One thing that is set anew.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Change {
    /// See [`Settings::language`].
    Language(Option<Language>),
    /// See [`Settings::appearance`].
    Appearance(Option<Variant>),
    /// See [`Settings::text_percent`].
    TextPercent(u16),
    /// See [`Settings::renderer`].
    Renderer(Drawing),
    /// See [`Settings::notifications`].
    Notifications(bool),
    /// See [`Settings::notification_text`].
    NotificationText(bool),
    /// See [`Settings::sounds`].
    Sounds(bool),
    /// See [`Settings::close_to_tray`].
    CloseToTray(bool),
    /// See [`Settings::enter_sends`].
    EnterSends(bool),
    /// See [`Settings::details`].
    Details(bool),
    /// See [`Settings::own_relay`].
    OwnRelay(bool),
    /// See [`Settings::models_offered`].
    ModelsOffered(bool),
    /// An emoji was used: see [`Settings::recent_emoji`].
    UsedEmoji(String),
}

impl Settings {
    /// Sets it.
    pub(crate) fn apply(&mut self, change: Change) {
        match change {
            Change::Language(language) => self.language = language,
            Change::Appearance(appearance) => self.appearance = appearance,
            Change::TextPercent(percent) => {
                self.text_percent = percent.clamp(*TEXT_PERCENT.start(), *TEXT_PERCENT.end());
            }
            Change::Renderer(renderer) => self.renderer = renderer,
            Change::Notifications(on) => self.notifications = on,
            Change::NotificationText(on) => self.notification_text = on,
            Change::Sounds(on) => self.sounds = on,
            Change::CloseToTray(on) => self.close_to_tray = on,
            Change::EnterSends(on) => self.enter_sends = on,
            Change::Details(on) => self.details = on,
            Change::OwnRelay(on) => self.own_relay = on,
            Change::ModelsOffered(on) => self.models_offered = on,
            Change::UsedEmoji(emoji) => {
                self.recent_emoji.retain(|used| *used != emoji);
                self.recent_emoji.insert(0, emoji);
                self.recent_emoji.truncate(RECENT_EMOJI);
            }
        }
    }
}

fn file(profile: &Path) -> PathBuf {
    profile.join(FILE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_set_persists() {
        let folder = tempfile::tempdir().unwrap();
        let settings = Settings {
            language: Some(Language::Uk),
            appearance: Some(Variant::HighContrast),
            text_percent: 150,
            window: Placement { x: Some(-20.0), y: Some(10.0), maximized: true, ..Placement::default() },
            ..Settings::default()
        };
        settings.save(folder.path()).unwrap();
        assert_eq!(Settings::load(folder.path()), settings);
    }

    #[test]
    fn a_damaged_file_is_as_if_nothing_was_set() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(Settings::load(folder.path()), Settings::default());
        for text in ["", "language = 7", "\0\u{ff}", "[[window]]"] {
            std::fs::write(file(folder.path()), text).unwrap();
            assert_eq!(Settings::load(folder.path()), Settings::default(), "{text}");
        }
    }

    #[test]
    fn numbers_that_no_window_can_have_are_brought_back() {
        let settings = Settings::parse(
            "text-percent = 9000\n[window]\nwidth = nan\nheight = -4.0\nx = inf\ny = 1e30\nmaximized = true\n",
        );
        assert_eq!(settings.text_percent, 200);
        let Placement { width, height, x, y, maximized } = settings.window;
        assert_eq!((width, height, x, y, maximized), (1080.0, 400.0, None, None, true));
    }
}
