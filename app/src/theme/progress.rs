//! What shows how far something is.

use iced::widget::progress_bar;
use iced::{Background, Border};

use super::{Theme, metric};

impl progress_bar::Catalog for Theme {
    type Class<'a> = progress_bar::StyleFn<'a, Self>;

    fn default<'a>() -> Self::Class<'a> {
        Box::new(|theme| {
            let palette = theme.palette();
            progress_bar::Style {
                background: Background::Color(palette.track),
                bar: Background::Color(palette.accent),
                border: Border { radius: metric::PILL.into(), ..Border::default() },
            }
        })
    }

    fn style(&self, class: &Self::Class<'_>) -> progress_bar::Style {
        class(self)
    }
}
