//! Makes a group.

use iced::widget::{Column, column, container, operation, row, space, text};
use iced::{Alignment, Length, Task};
use kith_core::wire::control::Chat;

use super::dialogue;
use crate::app::Context;
use crate::backend::Backend;
use crate::format::one_line;
use crate::problem::Problem;
use crate::theme::{self, Element, Icon, font, metric};
use crate::ui::avatar::{self, Pictures};
use crate::ui::{self, form};
use crate::widget::line::line;
use crate::widget::press::press;

const NAME: &str = "group-name";

/// The longest name, in characters.
const MAX_NAME: usize = 64;

/// A group that is being made.
#[derive(Debug)]
pub(crate) struct Group {
    backend: Backend,
    name: String,
    members: Vec<String>,
    wrong: Option<Problem>,
    is_busy: bool,
}

/// What happens.
#[derive(Debug, Clone)]
pub(crate) enum Message {
    /// Another name.
    NameChanged(String),
    /// Somebody in or out.
    Toggle(String),
    /// Make it.
    Submit,
    /// It was made, or not.
    Created(Result<String, Problem>),
    /// No group after all.
    Close,
}

/// What the main window does then.
#[derive(Debug)]
pub(crate) enum Action {
    /// Nothing.
    None,
    /// Carries this out.
    Run(Task<Message>),
    /// Opens the group.
    Open(String),
    /// Goes back.
    Close,
}

impl Group {
    /// Waits for a name and members.
    pub(crate) fn new(backend: Backend) -> (Self, Task<Message>) {
        let group = Self { backend, name: String::new(), members: Vec::new(), wrong: None, is_busy: false };
        (group, operation::focus(NAME))
    }

    fn is_ready(&self) -> bool {
        !self.is_busy && !self.name.trim().is_empty() && !self.members.is_empty()
    }

    /// Something happened.
    pub(crate) fn update(&mut self, message: Message) -> Action {
        match message {
            Message::NameChanged(name) => self.name = name.chars().take(MAX_NAME).collect(),
            Message::Toggle(account) => {
                let before = self.members.len();
                self.members.retain(|member| *member != account);
                if self.members.len() == before {
                    self.members.push(account);
                }
            }
            Message::Submit if self.is_ready() => {
                self.is_busy = true;
                self.wrong = None;
                let name = self.name.trim().to_owned();
                let create = self.backend.clone().create_group(name, self.members.clone());
                return Action::Run(Task::perform(create, Message::Created));
            }
            Message::Submit => {}
            Message::Created(Ok(id)) => return Action::Open(id),
            Message::Created(Err(problem)) => {
                self.is_busy = false;
                self.wrong = Some(problem);
            }
            Message::Close => return Action::Close,
        }
        Action::None
    }

    /// What is drawn.
    pub(crate) fn view<'a>(
        &'a self,
        chats: &'a [Chat],
        pictures: &'a Pictures,
        context: Context<'a>,
    ) -> Element<'a, Message> {
        let i18n = context.i18n;
        let name = form::field(NAME, i18n.tr("group-name"), &self.name)
            .wrong(self.wrong.as_ref().map(|problem| problem.sentence(i18n)))
            .view((!self.is_busy).then_some(Message::NameChanged), Some(Message::Submit));
        let contacts = chats.iter().filter(|chat| chat.state == "accepted");
        let rows: Vec<Element<'_, Message>> = contacts.filter_map(|chat| self.row(chat, pictures)).collect();
        let chosen = (!rows.is_empty()).then_some(self.members.len());
        let list: Element<'_, Message> = if rows.is_empty() {
            ui::caption(i18n.tr("group-nobody"))
        } else {
            // Few take no more room than they need, so that the button below stays in sight.
            container(ui::scroll(Column::with_children(rows))).max_height(metric::CHOICES).into()
        };
        let chosen =
            chosen.map(|chosen| ui::caption(i18n.count("group-chosen", u64::try_from(chosen).unwrap_or_default())));
        let words = i18n.tr(if self.is_busy { "group-creating" } else { "group-create" });
        let create = form::button(words)
            .style(theme::button::primary)
            .on_press_maybe(self.is_ready().then_some(Message::Submit));
        let foot = row![].push(chosen).push(space::horizontal()).push(create).align_y(Alignment::Center);
        dialogue(i18n.tr("new-group"), Message::Close, column![name, list, foot].spacing(metric::PAD), i18n)
    }

    fn row<'a>(&'a self, chat: &'a Chat, pictures: &'a Pictures) -> Option<Element<'a, Message>> {
        let account = chat.account.clone()?;
        let is_in = self.members.contains(&account);
        let round = avatar::avatar(&chat.name, &account, pictures.of(chat), metric::AVATAR_SMALL);
        let sign = if is_in { Icon::CircleCheck } else { Icon::Circle };
        let style = if is_in { theme::text::accent } else { theme::text::muted };
        let sign = text(sign.glyph()).font(font::ICONS).size(metric::ICON).style(style);
        let line = row![round, line(one_line(&chat.name, 60)).width(Length::Fill), sign];
        let line = press(line.spacing(metric::GAP).align_y(Alignment::Center))
            .width(Length::Fill)
            .style(theme::button::row(is_in))
            .on_press(Message::Toggle(account));
        Some(line.into())
    }
}
