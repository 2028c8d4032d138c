//! How the window looks: named colours, spaces, radii and sizes, and one file of style functions for each sort of widget.
//!
//! Screens name what a thing is ([`button::primary`], [`container::bubble_mine`]); what that looks like is decided here.
//! Invariant: no colour or size is written anywhere else (`no_screen_paints_by_itself` checks it).

pub(crate) mod button;
pub(crate) mod choice;
pub(crate) mod container;
pub(crate) mod font;
pub(crate) mod icon;
pub(crate) mod input;
pub(crate) mod metric;
pub(crate) mod palette;
pub(crate) mod progress;
pub(crate) mod scrollable;
pub(crate) mod slider;
pub(crate) mod text;

use iced::theme::{Base, Mode, Style};

pub(crate) use icon::Icon;
pub(crate) use palette::{Palette, Variant};

/// An element of the window.
pub(crate) type Element<'a, Message> = iced::Element<'a, Message, Theme>;

/// A choice of colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Theme {
    variant: Variant,
}

impl Theme {
    /// The theme of this variant.
    pub(crate) const fn new(variant: Variant) -> Self {
        Self { variant }
    }

    /// Its colours.
    pub(crate) const fn palette(self) -> &'static Palette {
        self.variant.palette()
    }
}

impl Base for Theme {
    fn default(preference: Mode) -> Self {
        Self::new(match preference {
            Mode::None | Mode::Light => Variant::Light,
            Mode::Dark => Variant::Dark,
        })
    }

    fn mode(&self) -> Mode {
        match self.variant {
            Variant::Light => Mode::Light,
            Variant::Dark | Variant::HighContrast => Mode::Dark,
        }
    }

    fn base(&self) -> Style {
        let palette = Self::palette(*self);
        Style { background_color: palette.background, text_color: palette.text }
    }

    fn palette(&self) -> Option<iced::theme::Palette> {
        let palette = Self::palette(*self);
        Some(iced::theme::Palette {
            background: palette.background,
            text: palette.text,
            primary: palette.accent,
            success: palette.good,
            warning: palette.warning,
            danger: palette.danger,
        })
    }

    fn name(&self) -> &str {
        match self.variant {
            Variant::Light => "light",
            Variant::Dark => "dark",
            Variant::HighContrast => "high-contrast",
        }
    }
}
