//! Jumps to a chat by a few letters of its name.

use iced::widget::{Column, column, container, operation, row, text, text_input};
use iced::{Alignment, Length, Task};
use kith_core::wire::control::Chat;

use crate::app::Context;
use crate::format::one_line;
use crate::theme::{self, Element, font, metric};
use crate::ui::avatar::{self, Pictures};
use crate::widget::line::line;
use crate::widget::press::press;

const QUERY: &str = "switcher-query";

/// As many are offered.
const OFFERED: usize = 8;

/// A jump.
#[derive(Debug, Default)]
pub(crate) struct Switcher {
    query: String,
    marked: usize,
}

/// What happens to it.
#[derive(Debug, Clone)]
pub(crate) enum Message {
    /// Other letters.
    QueryChanged(String),
    /// The mark goes down or up.
    Move(isize),
    /// The marked one is wanted.
    Submit,
    /// This one is wanted.
    Open(String),
}

impl Switcher {
    /// Waits for letters.
    pub(crate) fn new() -> (Self, Task<Message>) {
        (Self::default(), operation::focus(QUERY))
    }

    /// Something happened: the chat to open, if that is clear now.
    pub(crate) fn update(&mut self, message: Message, chats: &[Chat]) -> Option<String> {
        match message {
            Message::QueryChanged(query) => {
                self.query = query;
                self.marked = 0;
                None
            }
            Message::Move(by) => {
                let last = self.offered(chats).len().saturating_sub(1);
                self.marked = self.marked.saturating_add_signed(by).min(last);
                None
            }
            Message::Submit => self.offered(chats).get(self.marked).map(|chat| chat.id.clone()),
            Message::Open(id) => Some(id),
        }
    }

    /// Those that begin so come first, then those with a word that does, then those that contain it.
    fn offered<'a>(&self, chats: &'a [Chat]) -> Vec<&'a Chat> {
        let query = self.query.trim().to_lowercase();
        let mut found: Vec<(u8, &Chat)> =
            chats.iter().filter_map(|chat| rank(chat, &query).map(|rank| (rank, chat))).collect();
        found.sort_by_key(|(rank, _)| *rank);
        found.into_iter().take(OFFERED).map(|(_, chat)| chat).collect()
    }

    /// What is drawn.
    pub(crate) fn view<'a>(
        &'a self,
        chats: &'a [Chat],
        pictures: &'a Pictures,
        context: Context<'a>,
    ) -> Element<'a, Message> {
        let i18n = context.i18n;
        let field = text_input(&i18n.tr("switcher-query"), &self.query)
            .id(QUERY)
            .on_input(Message::QueryChanged)
            .on_submit(Message::Submit)
            .padding(metric::GAP)
            .size(metric::HEADING);
        let offered = self.offered(chats);
        let nothing = offered
            .is_empty()
            .then(|| container(text(i18n.tr("list-nothing-title")).style(theme::text::muted)).padding(metric::GAP));
        let rows = offered.into_iter().enumerate().map(|(at, chat)| offer(chat, at == self.marked, pictures));
        let list = Column::with_children(rows).push(nothing);
        container(column![field, list].spacing(metric::SMALL))
            .padding(metric::GAP)
            .width(metric::DIALOGUE)
            .style(theme::container::raised)
            .into()
    }
}

fn offer<'a>(chat: &'a Chat, is_marked: bool, pictures: &'a Pictures) -> Element<'a, Message> {
    let id = chat.account.as_deref().unwrap_or(&chat.id);
    let round = avatar::avatar(&chat.name, id, pictures.of(chat), metric::AVATAR_SMALL);
    let handle = chat
        .handle
        .as_deref()
        .filter(|handle| *handle != chat.name)
        .map(|handle| line(one_line(handle, 60)).size(metric::CAPTION).style(theme::text::muted));
    let words = column![line(one_line(&chat.name, 60)).font(font::MEDIUM)].push(handle);
    press(row![round, words].spacing(metric::GAP).align_y(Alignment::Center))
        .width(Length::Fill)
        .style(theme::button::row(is_marked))
        .unfocusable()
        .on_press(Message::Open(chat.id.clone()))
        .into()
}

fn rank(chat: &Chat, query: &str) -> Option<u8> {
    let name = chat.name.to_lowercase();
    let handle = chat.handle.as_deref().unwrap_or_default().to_lowercase();
    if name.starts_with(query) || handle.starts_with(query) {
        Some(0)
    } else if name.split_whitespace().any(|word| word.starts_with(query)) {
        Some(1)
    } else {
        (name.contains(query) || handle.contains(query)).then_some(2)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::screen::home::list::tests::chat;

    #[test]
    fn a_few_letters_find_a_chat() {
        let chats = [chat("Maria Anders"), chat("Ann"), chat("Joanna"), chat("Пётр Андреев")];
        let (mut switcher, _) = Switcher::new();
        let find = |switcher: &mut Switcher, query: &str| {
            let _ = switcher.update(Message::QueryChanged(query.into()), &chats);
            switcher.offered(&chats).iter().map(|chat| chat.name.clone()).collect::<Vec<_>>()
        };
        assert_eq!(find(&mut switcher, "an"), ["Ann", "Maria Anders", "Joanna"]);
        assert_eq!(find(&mut switcher, "АНД"), ["Пётр Андреев"]);
        assert_eq!(find(&mut switcher, "x").len(), 0);
        assert_eq!(switcher.update(Message::Submit, &chats), None);
        let _ = find(&mut switcher, "an");
        for _ in 0..5 {
            let _ = switcher.update(Message::Move(1), &chats);
        }
        assert_eq!(switcher.update(Message::Submit, &chats), Some("id-Joanna".into()), "the mark stays within");
    }
}
