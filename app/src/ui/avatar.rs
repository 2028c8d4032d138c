//! Round pictures of people and groups, with a dot for those who are here.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use iced::widget::{container, image, space, stack, text};
use iced::{Alignment, Length};

use kith_core::wire::control::Chat;

use crate::format;
use crate::theme::{self, Element, font, metric};

/// A round picture: the one they chose, else their letters on a ground of their own.
pub(crate) fn avatar<'a, Message: 'a>(
    name: &str,
    id: &str,
    picture: Option<&image::Handle>,
    size: f32,
) -> Element<'a, Message> {
    if let Some(picture) = picture {
        return image(picture.clone()).width(size).height(size).into();
    }
    let letters = text(format::initials(name)).size(size * 0.38).font(font::SEMIBOLD).line_height(1.0);
    container(letters).center(size).style(theme::container::person(number_of(id))).into()
}

/// The same, with a dot when they can be reached straight.
pub(crate) fn with_presence<'a, Message: 'a>(avatar: Element<'a, Message>, size: f32) -> Element<'a, Message> {
    let dot = container(space().width(metric::DOT).height(metric::DOT)).style(theme::container::presence);
    let corner = container(dot).width(size).height(size).align_x(Alignment::End).align_y(Alignment::End);
    stack![avatar, corner].width(Length::Shrink).height(Length::Shrink).into()
}

/// Which of the grounds: the same for the same person everywhere, whatever they call themselves.
fn number_of(id: &str) -> usize {
    let mut hasher = DefaultHasher::new();
    id.hash(&mut hasher);
    usize::try_from(hasher.finish() % 8).unwrap_or_default()
}

/// The pictures that people chose, by their names: each is read once.
#[derive(Debug, Default)]
pub(crate) struct Pictures {
    known: BTreeMap<String, Option<image::Handle>>,
}

impl Pictures {
    /// The picture of a chat, if it is here.
    pub(crate) fn of(&self, chat: &Chat) -> Option<&image::Handle> {
        self.get(chat.picture.as_deref()?)
    }

    /// The picture of this name, if it is here.
    pub(crate) fn get(&self, name: &str) -> Option<&image::Handle> {
        self.known.get(name)?.as_ref()
    }

    /// Whether it has been asked for; from now on it has.
    pub(crate) fn ask(&mut self, name: &str) -> bool {
        let is_new = !self.known.contains_key(name);
        if is_new {
            self.known.insert(name.to_owned(), None);
        }
        is_new
    }

    /// It came.
    pub(crate) fn keep(&mut self, name: String, picture: image::Handle) {
        self.known.insert(name, Some(picture));
    }
}
