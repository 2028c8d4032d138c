//! A field for what others must not see, with an eye to look at it.

use iced::Alignment;
use iced::widget::{column, row, text, text_input};
use zeroize::Zeroizing;

use crate::i18n::I18n;
use crate::theme::{self, Element, Icon, font, metric};
use crate::ui::form;

/// A field for `value`.
pub(crate) struct Secret<'a, Message> {
    pub(crate) id: &'static str,
    pub(crate) name: String,
    pub(crate) value: &'a str,
    /// What is wrong.
    pub(crate) wrong: Option<String>,
    /// It can be read.
    pub(crate) is_shown: bool,
    /// Shows or hides it; none where another field's eye does so.
    pub(crate) eye: Option<Message>,
}

impl<'a, Message: Clone + 'a> Secret<'a, Message> {
    /// The field.
    pub(crate) fn view(
        self,
        i18n: &I18n,
        on_input: impl Fn(Zeroizing<String>) -> Message + 'a,
        on_submit: Message,
    ) -> Element<'a, Message> {
        let input = text_input("", self.value)
            .id(self.id)
            .secure(!self.is_shown)
            .padding([metric::SMALL + 2.0, metric::GAP])
            .size(metric::BODY)
            .style(theme::input::field(self.wrong.is_some()))
            .on_input(move |text| on_input(Zeroizing::new(text)))
            .on_submit(on_submit);
        let eye = self.eye.map(|message| {
            let (icon, words) = if self.is_shown {
                (Icon::EyeOff, i18n.tr("secret-hide"))
            } else {
                (Icon::Eye, i18n.tr("secret-show"))
            };
            form::icon_button(icon, words, Some(message))
        });
        let name = text(self.name).size(metric::CAPTION).font(font::MEDIUM);
        column![name, row![input].push(eye).spacing(metric::TIGHT).align_y(Alignment::Center)]
            .push(self.wrong.map(form::error))
            .spacing(metric::TIGHT)
            .into()
    }
}
