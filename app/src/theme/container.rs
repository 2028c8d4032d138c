//! Grounds.

use iced::border::Radius;
use iced::widget::container::{Catalog, Style, StyleFn};
use iced::{Background, Border, Color};

use super::{Palette, Theme, metric};

impl Catalog for Theme {
    type Class<'a> = StyleFn<'a, Self>;

    fn default<'a>() -> Self::Class<'a> {
        Box::new(|_| Style::default())
    }

    fn style(&self, class: &Self::Class<'_>) -> Style {
        class(self)
    }
}

fn ground(color: Color) -> Style {
    Style { background: Some(Background::Color(color)), ..Style::default() }
}

/// Behind messages.
pub(crate) fn background(theme: &Theme) -> Style {
    ground(theme.palette().background)
}

/// Lists, panels and bars.
pub(crate) fn surface(theme: &Theme) -> Style {
    ground(theme.palette().surface)
}

/// The rail.
pub(crate) fn rail(theme: &Theme) -> Style {
    ground(theme.palette().rail)
}

/// A card on a surface.
pub(crate) fn card(theme: &Theme) -> Style {
    let palette = theme.palette();
    Style { border: Border { radius: metric::ROUND.into(), width: 1.0, color: palette.line }, ..ground(palette.raised) }
}

/// A dialogue or a menu above everything.
pub(crate) fn raised(theme: &Theme) -> Style {
    let palette = theme.palette();
    Style {
        // No shadow: iced's processor renderer paints shadows over what it does not draw anew (docs/adr/0011-window.md).
        border: Border { radius: metric::ROUND.into(), width: 1.0, color: palette.border },
        ..ground(palette.raised)
    }
}

/// Which corners of a message are joined to the one before and the one after.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Joined {
    /// The same author wrote just before.
    pub(crate) above: bool,
    /// The same author wrote just after.
    pub(crate) below: bool,
}

/// One's own message; one that was found stands out.
pub(crate) fn bubble_mine(joined: Joined, found: bool) -> impl Fn(&Theme) -> Style {
    move |theme| bubble(theme.palette(), theme.palette().mine, right(joined), found)
}

/// Another's message.
pub(crate) fn bubble_theirs(joined: Joined, found: bool) -> impl Fn(&Theme) -> Style {
    move |theme| bubble(theme.palette(), theme.palette().theirs, left(joined), found)
}

fn bubble(palette: &Palette, color: Color, radius: Radius, found: bool) -> Style {
    let width = if found { 2.0 } else { 0.0 };
    Style { border: Border { radius, width, color: palette.accent }, ..ground(color) }
}

fn right(joined: Joined) -> Radius {
    let corner = |is_joined: bool| if is_joined { metric::JOINED } else { metric::ROUND };
    Radius::new(metric::ROUND).top_right(corner(joined.above)).bottom_right(corner(joined.below))
}

fn left(joined: Joined) -> Radius {
    let corner = |is_joined: bool| if is_joined { metric::JOINED } else { metric::ROUND };
    Radius::new(metric::ROUND).top_left(corner(joined.above)).bottom_left(corner(joined.below))
}

/// The message that is answered, inside the answer.
pub(crate) fn quote(theme: &Theme) -> Style {
    let palette = theme.palette();
    Style {
        border: Border { radius: metric::TIGHT.into(), ..Border::default() },
        ..ground(Color { a: 0.12, ..palette.accent })
    }
}

/// A small thing to be seen: unread messages.
pub(crate) fn badge(theme: &Theme) -> Style {
    let palette = theme.palette();
    Style { text_color: Some(palette.on_accent), ..pill(palette.accent) }
}

/// The same of a chat that is muted.
pub(crate) fn badge_quiet(theme: &Theme) -> Style {
    let palette = theme.palette();
    Style { text_color: Some(palette.surface), ..pill(palette.quiet_badge) }
}

/// A day, or the line under which nothing was read, between messages.
pub(crate) fn separator(theme: &Theme) -> Style {
    let palette = theme.palette();
    Style { text_color: Some(palette.muted), ..pill(palette.surface) }
}

fn pill(color: Color) -> Style {
    Style { border: Border { radius: metric::PILL.into(), ..Border::default() }, ..ground(color) }
}

/// A round picture's ground, when there is no picture; which colour is the person's.
pub(crate) fn person(number: usize) -> impl Fn(&Theme) -> Style {
    move |theme| {
        let people = &theme.palette().people;
        let color = people.get(number % people.len()).copied().unwrap_or(theme.palette().accent);
        Style { text_color: Some(Color::WHITE), ..pill(color) }
    }
}

/// The dot of somebody who is here, with the ground around it.
pub(crate) fn presence(theme: &Theme) -> Style {
    let palette = theme.palette();
    Style { border: Border { radius: metric::PILL.into(), width: 2.0, color: palette.surface }, ..ground(palette.good) }
}

/// Something to be looked at.
pub(crate) fn warning(theme: &Theme) -> Style {
    let palette = theme.palette();
    Style { text_color: Some(palette.text), ..ground(palette.warning_ground) }
}

/// A tooltip.
pub(crate) fn tooltip(theme: &Theme) -> Style {
    let palette = theme.palette();
    Style {
        text_color: Some(palette.text),
        border: Border { radius: metric::RADIUS.into(), width: 1.0, color: palette.border },
        ..ground(palette.raised)
    }
}

/// A line between parts.
pub(crate) fn line(theme: &Theme) -> Style {
    ground(theme.palette().line)
}

/// The line above what was not read.
pub(crate) fn accent_line(theme: &Theme) -> Style {
    ground(theme.palette().accent)
}

/// A part of the strength of a password: reached or not.
pub(crate) fn strength(score: u8, reached: bool) -> impl Fn(&Theme) -> Style {
    move |theme| {
        let palette = theme.palette();
        let color = match (reached, score) {
            (false, _) => palette.track,
            (true, 0..=1) => palette.danger,
            (true, 2) => palette.warning,
            (true, _) => palette.good,
        };
        pill(color)
    }
}
