//! Parts of forms: a field with its name, what is wrong with it beside it, and buttons.

use iced::widget::{column, row, text, text_input};
use iced::{Alignment, Length};

use crate::theme::{self, Element, Icon, font, metric};
use crate::widget::focus_scope::focus_scope;
use crate::widget::press::{Press, press};

/// A field with its name above it, and below it what is wrong, or else what is meant.
pub(crate) struct Field<'a> {
    id: &'static str,
    name: String,
    value: &'a str,
    placeholder: String,
    hint: Option<String>,
    wrong: Option<String>,
    secret: bool,
}

/// A field for `value`; its id is for the focus.
pub(crate) fn field<'a>(id: &'static str, name: String, value: &'a str) -> Field<'a> {
    Field { id, name, value, placeholder: String::new(), hint: None, wrong: None, secret: false }
}

impl<'a> Field<'a> {
    /// What stands in it while it is empty.
    pub(crate) fn placeholder(mut self, words: String) -> Self {
        self.placeholder = words;
        self
    }

    /// What is meant.
    pub(crate) fn hint(mut self, words: String) -> Self {
        self.hint = Some(words);
        self
    }

    /// What is wrong.
    pub(crate) fn wrong(mut self, words: Option<String>) -> Self {
        self.wrong = words;
        self
    }

    /// It is not shown.
    pub(crate) fn secret(mut self, secret: bool) -> Self {
        self.secret = secret;
        self
    }

    /// The field; without messages it cannot be changed.
    pub(crate) fn view<Message: Clone + 'a>(
        self,
        on_input: Option<impl Fn(String) -> Message + 'a>,
        on_submit: Option<Message>,
    ) -> Element<'a, Message> {
        let is_still = on_input.is_none();
        let input = text_input(&self.placeholder, self.value)
            .id(self.id)
            .secure(self.secret)
            .padding([metric::SMALL + 2.0, metric::GAP])
            .size(metric::BODY)
            .style(theme::input::field(self.wrong.is_some()))
            .on_input_maybe(on_input)
            .on_submit_maybe(on_submit);
        let below = match (self.wrong, self.hint) {
            (Some(wrong), _) => Some(error(wrong)),
            (None, Some(hint)) => Some(text(hint).size(metric::CAPTION).style(theme::text::muted).into()),
            (None, None) => None,
        };
        let input = focus_scope(input).passed_by(is_still);
        column![text(self.name).size(metric::CAPTION).font(font::MEDIUM), Element::from(input)]
            .push(below)
            .spacing(metric::TIGHT)
            .into()
    }
}

/// What is wrong, beside what caused it.
pub(crate) fn error<'a, Message: 'a>(words: String) -> Element<'a, Message> {
    let sign = text(Icon::CircleAlert.glyph()).font(font::ICONS).size(metric::CAPTION).style(theme::text::danger);
    let words = text(words).size(metric::CAPTION).style(theme::text::danger);
    row![sign, words].spacing(metric::TIGHT).align_y(Alignment::Start).into()
}

/// A button with words.
pub(crate) fn button<'a, Message: Clone + 'a>(words: String) -> Press<'a, Message> {
    press(text(words).size(metric::BODY).font(font::MEDIUM).center().width(Length::Shrink))
        .padding([metric::SMALL + 1.0, metric::PAD])
}

/// The same, as wide as there is room.
pub(crate) fn wide_button<'a, Message: Clone + 'a>(words: String) -> Press<'a, Message> {
    press(text(words).size(metric::BODY).font(font::MEDIUM).center().width(Length::Fill))
        .padding([metric::SMALL + 1.0, metric::PAD])
        .width(Length::Fill)
}

/// What most people want to do here, as wide as the form.
pub(crate) fn main_button<'a, Message: Clone + 'a>(words: String) -> Press<'a, Message> {
    press(text(words).size(metric::BODY).font(font::SEMIBOLD).center().width(Length::Fill))
        .padding([metric::GAP - 1.0, metric::PAD])
        .width(Length::Fill)
        .style(theme::button::primary)
}

/// A button with an icon alone; `words` say what it does, for a tooltip.
pub(crate) fn icon_button<'a, Message: Clone + 'a>(
    icon: Icon,
    words: String,
    on_press: Option<Message>,
) -> Element<'a, Message> {
    let button =
        press(crate::ui::icon(icon)).padding(metric::SMALL).style(theme::button::quiet).on_press_maybe(on_press);
    crate::ui::with_tooltip(button, words, iced::widget::tooltip::Position::Bottom)
}
