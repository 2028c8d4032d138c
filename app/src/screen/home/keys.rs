//! What keys do in the main window, wherever the focus is.

use iced::Task;
use iced::widget::operation;

use super::above::Modal;
use super::conversation::{self, Conversation};
use super::{Action, Home, Message, list};
use crate::app::Context;
use crate::keys::Press;
use crate::modal::switcher;
use crate::screen::settings::Section;

impl Home {
    /// A key that no widget took.
    pub(crate) fn key_pressed(&mut self, press: &Press, context: Context<'_>) -> Action {
        if let Some(Modal::Switcher(_)) = &self.modal {
            match press {
                Press::Down | Press::NextChat | Press::NewerMessage => {
                    return self.switching(switcher::Message::Move(1), context);
                }
                Press::Up | Press::PreviousChat | Press::OlderMessage => {
                    return self.switching(switcher::Message::Move(-1), context);
                }
                _ => {}
            }
        }
        match press {
            Press::Escape => self.escape(),
            Press::Switcher => Action::Run(self.switch()),
            Press::Help => {
                self.modal = Some(Modal::Help);
                Action::None
            }
            _ if self.modal.is_some() => Action::None,
            // Without a chat it is looked for one.
            Press::Find if self.open.is_some() && self.page.is_none() => {
                self.converse(conversation::Message::Find(conversation::find::Deed::Open), context)
            }
            Press::Search | Press::Find => {
                self.page = None;
                Action::Run(operation::focus(list::SEARCH))
            }
            Press::Settings => Action::Run(self.show_settings(Section::Profile)),
            Press::AddContact => Action::Run(self.add(None)),
            Press::NewGroup => Action::Run(self.new_group()),
            Press::Details => self.toggle_details(),
            Press::NextChat => Action::Run(self.step(1, context)),
            Press::PreviousChat => Action::Run(self.step(-1, context)),
            Press::Chat(place) => {
                let id = self.list.at(*place).map(|chat| chat.id.clone());
                Action::Run(id.map_or_else(Task::none, |id| self.open(&id, context)))
            }
            Press::Emoji => self.converse(conversation::Message::ToggleEmoji(conversation::Target::Composer), context),
            Press::Record => {
                self.converse(conversation::Message::Recording(conversation::RecordingDeed::Toggle), context)
            }
            Press::Newest => self.converse(conversation::Message::ToNewest, context),
            Press::OlderMessage => self.converse(conversation::Message::ChooseOlder, context),
            Press::NewerMessage => self.converse(conversation::Message::ChooseNewer, context),
            _ => Action::None,
        }
    }

    fn converse(&mut self, message: conversation::Message, context: Context<'_>) -> Action {
        match self.open.as_ref().map(|open| open.chat().id.clone()) {
            Some(id) => self.conversed(&id, message, context),
            None => Action::None,
        }
    }

    fn step(&mut self, by: isize, context: Context<'_>) -> Task<Message> {
        let open = self.open.as_ref().map(|open| open.chat().id.as_str());
        let id = self.list.beside(open, by).map(|chat| chat.id.clone());
        id.map_or_else(Task::none, |id| self.open(&id, context))
    }

    fn escape(&mut self) -> Action {
        if self.modal.is_some() {
            return Action::Run(self.close_modal());
        }
        if self.page.take().is_some() {
            return Action::None;
        }
        if let Some(task) = self.cancel_recording() {
            return Action::Run(task);
        }
        if self.open.as_mut().is_some_and(Conversation::escape) {
            return Action::None;
        }
        self.list.search(String::new());
        if self.open.is_some() { Action::Run(operation::focus(conversation::COMPOSER)) } else { Action::None }
    }

    /// Away with what is recorded; none if nothing is.
    fn cancel_recording(&mut self) -> Option<Task<Message>> {
        let open = self.open.as_mut()?;
        let (id, task) = (open.chat().id.clone(), open.cancel_recording()?);
        Some(task.map(move |message| Message::Conversation(id.clone(), message)))
    }
}
