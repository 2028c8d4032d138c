//! What is switched, and what shows how far something is.

use iced::widget::{progress_bar, toggler};
use iced::{Background, Border};

use super::{Theme, metric};

impl toggler::Catalog for Theme {
    type Class<'a> = toggler::StyleFn<'a, Self>;

    fn default<'a>() -> Self::Class<'a> {
        Box::new(switch)
    }

    fn style(&self, class: &Self::Class<'_>, status: toggler::Status) -> toggler::Style {
        class(self, status)
    }
}

fn switch(theme: &Theme, status: toggler::Status) -> toggler::Style {
    let palette = theme.palette();
    let (on, ground) = match status {
        toggler::Status::Active { is_toggled: true } => (true, palette.accent),
        toggler::Status::Hovered { is_toggled: true } => (true, palette.accent_hovered),
        toggler::Status::Disabled { is_toggled } => (is_toggled, palette.line),
        toggler::Status::Active { .. } | toggler::Status::Hovered { .. } => (false, palette.raised),
    };
    toggler::Style {
        background: Background::Color(ground),
        background_border_width: 1.0,
        background_border_color: if on { ground } else { palette.border },
        foreground: Background::Color(if on { palette.on_accent } else { palette.border }),
        foreground_border_width: 0.0,
        foreground_border_color: palette.border,
        text_color: Some(palette.text),
        border_radius: None,
        padding_ratio: 0.15,
    }
}

impl progress_bar::Catalog for Theme {
    type Class<'a> = progress_bar::StyleFn<'a, Self>;

    fn default<'a>() -> Self::Class<'a> {
        Box::new(|theme| {
            let palette = theme.palette();
            progress_bar::Style {
                background: Background::Color(palette.line),
                bar: Background::Color(palette.accent),
                border: Border { radius: metric::PILL.into(), ..Border::default() },
            }
        })
    }

    fn style(&self, class: &Self::Class<'_>) -> progress_bar::Style {
        class(self)
    }
}
