//! Words.

use iced::widget::text::{Catalog, Style, StyleFn};

use super::{Palette, Theme};

impl Catalog for Theme {
    type Class<'a> = StyleFn<'a, Self>;

    fn default<'a>() -> Self::Class<'a> {
        Box::new(|_| Style::default())
    }

    fn style(&self, class: &Self::Class<'_>) -> Style {
        class(self)
    }
}

/// The ground of the word of a voice note that is heard.
pub(crate) fn heard_ground(palette: &Palette) -> iced::Color {
    iced::Color { a: 0.28, ..palette.accent }
}

/// The ground of code in a message.
pub(crate) fn code_ground(palette: &Palette) -> iced::Color {
    iced::Color { a: 0.10, ..palette.text }
}

macro_rules! colored {
    ($($(#[$doc:meta])* $name:ident => $color:ident;)*) => {
        $($(#[$doc])*
        pub(crate) fn $name(theme: &Theme) -> Style {
            Style { color: Some(theme.palette().$color) }
        })*
    };
}

colored! {
    /// As on any ground.
    plain => text;
    /// Of less weight.
    muted => muted;
    /// Of less weight, in one's own message.
    mine_muted => mine_muted;
    /// What acts or leads on.
    accent => accent;
    /// All is well.
    good => good;
    /// Look at this.
    warning => warning;
    /// This went wrong.
    danger => danger;
}
