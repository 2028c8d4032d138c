//! What is typed into, and what is chosen from.

use iced::overlay::menu;
use iced::widget::{pick_list, qr_code, text_editor, text_input};
use iced::{Background, Border, Color, Shadow};

use super::{Theme, metric};

fn border(theme: &Theme, focused: bool, wrong: bool) -> Border {
    let palette = theme.palette();
    let color = match (focused, wrong) {
        (_, true) => palette.danger,
        (true, false) => palette.accent,
        (false, false) => palette.border,
    };
    Border { color, width: if focused { metric::RING } else { 1.0 }, radius: metric::RADIUS.into() }
}

impl text_input::Catalog for Theme {
    type Class<'a> = text_input::StyleFn<'a, Self>;

    fn default<'a>() -> Self::Class<'a> {
        Box::new(|theme, status| field(false)(theme, status))
    }

    fn style(&self, class: &Self::Class<'_>, status: text_input::Status) -> text_input::Style {
        class(self, status)
    }
}

/// A field, with something wrong in it or not.
pub(crate) fn field(wrong: bool) -> impl Fn(&Theme, text_input::Status) -> text_input::Style {
    move |theme, status| {
        let palette = theme.palette();
        let focused = matches!(status, text_input::Status::Focused { .. });
        text_input::Style {
            background: Background::Color(palette.raised),
            border: border(theme, focused, wrong),
            icon: palette.muted,
            placeholder: palette.muted,
            value: palette.text,
            selection: palette.selection,
        }
    }
}

/// The search field over a list: no border until it is used.
pub(crate) fn search(theme: &Theme, status: text_input::Status) -> text_input::Style {
    let palette = theme.palette();
    let focused = matches!(status, text_input::Status::Focused { .. });
    let mut style = field(false)(theme, status);
    style.background = Background::Color(palette.background);
    if !focused {
        style.border.color = palette.line;
    }
    style.border.radius = metric::PILL.into();
    style
}

impl text_editor::Catalog for Theme {
    type Class<'a> = text_editor::StyleFn<'a, Self>;

    fn default<'a>() -> Self::Class<'a> {
        Box::new(composer)
    }

    fn style(&self, class: &Self::Class<'_>, status: text_editor::Status) -> text_editor::Style {
        class(self, status)
    }
}

/// Where messages are written.
pub(crate) fn composer(theme: &Theme, status: text_editor::Status) -> text_editor::Style {
    let palette = theme.palette();
    let focused = matches!(status, text_editor::Status::Focused { .. });
    let mut border = border(theme, focused, false);
    border.radius = metric::ROUND.into();
    text_editor::Style {
        background: Background::Color(palette.raised),
        border,
        placeholder: palette.muted,
        value: palette.text,
        selection: palette.selection,
    }
}

impl menu::Catalog for Theme {
    type Class<'a> = menu::StyleFn<'a, Self>;

    fn default<'a>() -> <Self as menu::Catalog>::Class<'a> {
        Box::new(choices)
    }

    fn style(&self, class: &<Self as menu::Catalog>::Class<'_>) -> menu::Style {
        class(self)
    }
}

fn choices(theme: &Theme) -> menu::Style {
    let palette = theme.palette();
    menu::Style {
        background: Background::Color(palette.raised),
        border: Border { color: palette.border, width: 1.0, radius: metric::RADIUS.into() },
        text_color: palette.text,
        selected_text_color: palette.text,
        selected_background: Background::Color(palette.selected),
        shadow: Shadow::default(),
    }
}

impl pick_list::Catalog for Theme {
    type Class<'a> = pick_list::StyleFn<'a, Self>;

    fn default<'a>() -> <Self as pick_list::Catalog>::Class<'a> {
        Box::new(|theme, status| {
            let palette = theme.palette();
            let open = matches!(status, pick_list::Status::Opened { .. });
            pick_list::Style {
                text_color: palette.text,
                placeholder_color: palette.muted,
                handle_color: palette.muted,
                background: Background::Color(palette.raised),
                border: border(theme, open, false),
            }
        })
    }

    fn style(&self, class: &<Self as pick_list::Catalog>::Class<'_>, status: pick_list::Status) -> pick_list::Style {
        class(self, status)
    }
}

impl qr_code::Catalog for Theme {
    type Class<'a> = qr_code::StyleFn<'a, Self>;

    /// Cameras want dark on light, whatever the theme.
    fn default<'a>() -> Self::Class<'a> {
        Box::new(|_| qr_code::Style { cell: Color::BLACK, background: Color::WHITE })
    }

    fn style(&self, class: &Self::Class<'_>) -> qr_code::Style {
        class(self)
    }
}
