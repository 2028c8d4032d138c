//! What can be pressed.

use iced::{Background, Border, Color};

use super::{Palette, Theme, metric};
use crate::widget::press::{Status, Style};

fn style(palette: &Palette, background: Option<Color>, text_color: Color) -> Style {
    Style {
        background: background.map(Background::Color),
        text_color,
        border: Border { radius: metric::RADIUS.into(), ..Border::default() },
        ring: palette.accent,
        ring_gap: None,
    }
}

/// On a ground of a strong colour the ring would not be seen.
fn strong(palette: &Palette, background: Color, text_color: Color) -> Style {
    Style { ring_gap: Some(metric::RING), ..style(palette, Some(background), text_color) }
}

/// What most people want to do here.
pub(crate) fn primary(theme: &Theme, status: Status) -> Style {
    let palette = theme.palette();
    match status {
        Status::Active => strong(palette, palette.accent, palette.on_accent),
        Status::Hovered | Status::Pressed => strong(palette, palette.accent_hovered, palette.on_accent),
        Status::Disabled => style(palette, Some(palette.line), palette.muted),
    }
}

/// What can also be done.
pub(crate) fn secondary(theme: &Theme, status: Status) -> Style {
    let palette = theme.palette();
    let (background, text) = match status {
        Status::Active => (palette.raised, palette.text),
        Status::Hovered | Status::Pressed => (palette.hovered, palette.text),
        Status::Disabled => (palette.surface, palette.muted),
    };
    let mut style = style(palette, Some(background), text);
    style.border.width = 1.0;
    style.border.color = palette.border;
    style
}

/// What cannot be undone.
pub(crate) fn danger(theme: &Theme, status: Status) -> Style {
    let palette = theme.palette();
    match status {
        Status::Active => strong(palette, palette.danger, palette.on_danger),
        Status::Hovered | Status::Pressed => strong(palette, Color { a: 0.85, ..palette.danger }, palette.on_danger),
        Status::Disabled => style(palette, Some(palette.line), palette.muted),
    }
}

/// What is against somebody, where most people want something else.
pub(crate) fn against(theme: &Theme, status: Status) -> Style {
    let palette = theme.palette();
    let mut style = secondary(theme, status);
    if status != Status::Disabled {
        style.text_color = palette.danger;
    }
    style
}

/// An icon, or words that need no frame.
pub(crate) fn quiet(theme: &Theme, status: Status) -> Style {
    let palette = theme.palette();
    match status {
        Status::Active => style(palette, None, palette.muted),
        Status::Hovered | Status::Pressed => style(palette, Some(palette.hovered), palette.text),
        Status::Disabled => style(palette, None, palette.track),
    }
}

/// Words that lead somewhere.
pub(crate) fn link(theme: &Theme, status: Status) -> Style {
    let palette = theme.palette();
    match status {
        Status::Active => style(palette, None, palette.accent),
        Status::Hovered | Status::Pressed => style(palette, None, palette.accent_hovered),
        Status::Disabled => style(palette, None, palette.muted),
    }
}

/// A row of a list.
pub(crate) fn row(selected: bool) -> impl Fn(&Theme, Status) -> Style {
    move |theme, status| {
        let palette = theme.palette();
        let background = match (selected, status) {
            (true, _) => Some(palette.selected),
            (false, Status::Hovered | Status::Pressed) => Some(palette.hovered),
            (false, Status::Active | Status::Disabled) => None,
        };
        style(palette, background, palette.text)
    }
}

/// A place on the rail.
pub(crate) fn rail(selected: bool) -> impl Fn(&Theme, Status) -> Style {
    move |theme, status| {
        let palette = theme.palette();
        let (background, text) = match (selected, status) {
            (true, _) => (Some(palette.selected), palette.accent),
            (false, Status::Hovered | Status::Pressed) => (Some(palette.hovered), palette.text),
            (false, Status::Active | Status::Disabled) => (None, palette.muted),
        };
        let mut style = style(palette, background, text);
        style.border.radius = metric::ROUND.into();
        style
    }
}

/// A round button that floats over what it moves.
pub(crate) fn floating(theme: &Theme, status: Status) -> Style {
    let palette = theme.palette();
    let background = if status == Status::Active { palette.raised } else { palette.hovered };
    let mut style = style(palette, Some(background), palette.text);
    style.border = Border { radius: metric::PILL.into(), width: 1.0, color: palette.border };
    style
}

/// A reaction under a message; chosen by oneself or not.
pub(crate) fn reaction(own: bool) -> impl Fn(&Theme, Status) -> Style {
    move |theme, status| {
        let palette = theme.palette();
        let hovered = matches!(status, Status::Hovered | Status::Pressed);
        let background = if own || hovered { palette.selected } else { palette.raised };
        let mut style = style(palette, Some(background), palette.text);
        let color = if own { palette.accent } else { palette.line };
        style.border = Border { radius: metric::PILL.into(), width: 1.0, color };
        style.ring_gap = own.then_some(metric::RING);
        style
    }
}
