//! How the voice notes of one chat are listened to: as those of all chats, or otherwise.

use iced::Task;
use iced::widget::{column, row, text};
use iced::{Alignment, Length};
use kith_core::wire::control::{Listening, Request};

use crate::app::Context;
use crate::backend::Backend;
use crate::i18n::I18n;
use crate::problem::Problem;
use crate::theme::{self, Element, Icon, font, metric};
use crate::ui::language::{self, AUTO};
use crate::ui::{self, choice, form};
use crate::widget::press::press;

use super::inset;

/// The part of the panel.
#[derive(Debug)]
pub(super) struct ListeningPart {
    chat: String,
    backend: Backend,
    listening: Option<Listening>,
    /// What is typed while a language is looked for.
    query: Option<String>,
    wrong: Option<Problem>,
}

/// What happens to it.
#[derive(Debug, Clone)]
pub(crate) enum Message {
    /// How they are listened to.
    Known(Result<Listening, Problem>),
    /// Languages are wanted, or not.
    ToggleLanguages,
    /// A language is looked for.
    QueryChanged(String),
    /// This is spoken; empty: as in all chats.
    Speak(String),
    /// In English, whatever is spoken.
    Translate(bool),
}

impl ListeningPart {
    pub(super) fn new(chat: String, backend: Backend) -> (Self, Task<Message>) {
        let part = Self { chat, backend, listening: None, query: None, wrong: None };
        let ask = part.ask(Request::Listening { with: part.chat.clone() });
        (part, ask)
    }

    fn ask(&self, request: Request) -> Task<Message> {
        Task::perform(self.backend.clone().listening(request), Message::Known)
    }

    pub(super) fn update(&mut self, message: Message) -> Task<Message> {
        match message {
            Message::Known(Ok(listening)) => (self.listening, self.wrong) = (Some(listening), None),
            Message::Known(Err(problem)) => self.wrong = Some(problem),
            Message::ToggleLanguages => {
                self.query = if self.query.is_some() { None } else { Some(String::new()) };
            }
            Message::QueryChanged(typed) => self.query = Some(language::query(typed)),
            Message::Speak(language) => {
                self.query = None;
                return self.choose(Some(language), None);
            }
            Message::Translate(on) => return self.choose(None, Some(on)),
        }
        Task::none()
    }

    fn choose(&self, language: Option<String>, translate: Option<bool>) -> Task<Message> {
        self.ask(Request::SetListening { with: self.chat.clone(), language, translate })
    }

    pub(super) fn view<'a>(&'a self, context: Context<'_>) -> Element<'a, Message> {
        let i18n = context.i18n;
        let heading = text(i18n.tr("listening")).font(font::SEMIBOLD);
        let wrong = self.wrong.as_ref().map(|problem| form::error(problem.sentence(i18n)));
        let chosen = self.listening.as_ref().map(|listening| self.choices(listening, context));
        let coming = (chosen.is_none() && wrong.is_none()).then(|| ui::caption(i18n.tr("loading")));
        column![inset(heading)]
            .push(coming.map(inset))
            .push(chosen)
            .push(wrong.map(inset))
            .spacing(metric::SMALL)
            .into()
    }

    fn choices<'a>(&'a self, listening: &'a Listening, context: Context<'_>) -> Element<'a, Message> {
        let i18n = context.i18n;
        let icon = if self.query.is_some() { Icon::ChevronUp } else { Icon::ChevronDown };
        let line = row![text(words(listening, i18n)).width(Length::Fill), ui::icon(icon)];
        let language = press(line.spacing(metric::SMALL).align_y(Alignment::Center))
            .width(Length::Fill)
            .style(theme::button::secondary)
            .on_press(Message::ToggleLanguages);
        let picker = self.query.as_deref().map(|query| {
            let ways = [
                (i18n.tr("listening-as-all"), !listening.own, Message::Speak(String::new())),
                (
                    i18n.tr("speech-language-auto"),
                    listening.own && listening.language == AUTO,
                    Message::Speak(AUTO.to_owned()),
                ),
            ];
            let chosen = if listening.own { listening.language.as_str() } else { "" };
            language::picker(query, chosen, ways, Message::QueryChanged, Message::Speak, context)
        });
        let translate = choice::switch(
            i18n.tr("speech-translate"),
            None,
            listening.translate,
            Some(Message::Translate(!listening.translate)),
        );
        column![inset(ui::caption(i18n.tr("speech-language"))), inset(language)]
            .push(picker.map(inset))
            .push(translate)
            .spacing(metric::SMALL)
            .into()
    }
}

/// Which language is spoken, and whether that is so in all chats.
fn words(listening: &Listening, i18n: &I18n) -> String {
    let language = match listening.language.as_str() {
        AUTO => i18n.tr("speech-language-auto"),
        code => language::name(code).to_owned(),
    };
    if listening.own { language } else { i18n.tr_with("listening-as-all-is", [("language", language.into())]) }
}

#[cfg(test)]
mod tests {
    use kith_core::wire::control::Reply;

    use super::*;
    use crate::snapshots::outputs;

    #[tokio::test]
    async fn a_chat_gets_a_language_of_its_own_and_lets_go_of_it() {
        let (backend, record) = Backend::detached();
        let (mut part, _) = ListeningPart::new("c".into(), backend);
        let _ = part.update(Message::Known(Ok(Listening { language: AUTO.into(), translate: false, own: false })));
        let _ = part.update(Message::ToggleLanguages);
        let _ = part.update(Message::QueryChanged("укр".repeat(100)));
        assert_eq!(part.query.as_ref().map(|query| query.chars().count()), Some(40));
        let ukrainian = Listening { language: "uk".into(), translate: false, own: true };
        record.will_answer(Reply::Listening(ukrainian.clone()));
        for answer in outputs(part.update(Message::Speak("uk".into()))) {
            let _ = part.update(answer);
        }
        assert_eq!((part.query.as_ref(), part.listening.as_ref()), (None, Some(&ukrainian)));
        // What is refused is told, and what counted before still does.
        for answer in outputs(part.update(Message::Translate(true))) {
            let _ = part.update(answer);
        }
        assert!(part.wrong.is_some());
        assert_eq!(part.listening, Some(ukrainian));
        let _ = outputs(part.update(Message::Speak(String::new())));
        let asked = record.asked();
        let set = |request: &Request| match request {
            Request::SetListening { language, translate, .. } => Some((language.clone(), *translate)),
            _ => None,
        };
        let asked: Vec<_> = asked.iter().filter_map(set).collect();
        let language = |code: &str| Some(code.to_owned());
        assert_eq!(asked, [(language("uk"), None), (None, Some(true)), (language(""), None)]);
    }
}
