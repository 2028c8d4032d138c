//! The files and voice notes of a chat: a press leads to the message, and a note can be played where it is listed.

use iced::widget::{Column, column, container, row, text};
use iced::{Alignment, Length, Task};
use kith_core::wire::control::{Message as Shown, Shared};

use crate::app::Context;
use crate::backend::Backend;
use crate::format::{self, one_line};
use crate::problem::Problem;
use crate::screen::home::player::{Player, Wish};
use crate::theme::{self, Element, Icon, font, metric};
use crate::ui::{self, form};
use crate::widget::line::line;
use crate::widget::press::press;

use super::inset;

/// So many are asked for at a time: more than the panel shows at once.
const PAGE: u32 = 12;

/// The part of the panel.
#[derive(Debug)]
pub(super) struct MediaPart {
    chat: String,
    backend: Backend,
    /// What is known, the newest first; none before the first answer.
    shared: Option<Vec<Shown>>,
    /// Where older ones begin, if there may be any.
    before: Option<String>,
    is_asking: bool,
    wrong: Option<Problem>,
}

/// What happens to it.
#[derive(Debug, Clone)]
pub(crate) enum Message {
    /// Some of what is in this chat is here.
    Came(String, Result<Shared, Problem>),
    /// Older ones are wanted, or what did not come.
    More,
    /// To the message that brought it.
    Show(String),
    /// Something is wanted of a voice note.
    Player(Wish),
}

impl MediaPart {
    pub(super) fn new(chat: String, backend: Backend) -> (Self, Task<Message>) {
        let mut part = Self { chat, backend, shared: None, before: None, is_asking: false, wrong: None };
        let ask = part.ask();
        (part, ask)
    }

    /// Asks for those that follow.
    pub(super) fn ask(&mut self) -> Task<Message> {
        if self.is_asking {
            return Task::none();
        }
        self.is_asking = true;
        let shared = self.backend.clone().shared(self.chat.clone(), self.before.clone(), PAGE);
        let chat = self.chat.clone();
        Task::perform(shared, move |shared| Message::Came(chat.clone(), shared))
    }

    /// They are here, or not. What was asked of a chat that was left is of no use here.
    pub(super) fn came(&mut self, chat: &str, shared: Result<Shared, Problem>) {
        if chat != self.chat {
            return;
        }
        self.is_asking = false;
        match shared {
            Ok(Shared { messages, before }) => {
                let known = self.shared.get_or_insert_default();
                known.extend(messages);
                (self.before, self.wrong) = (before, None);
            }
            Err(problem) => self.wrong = Some(problem),
        }
    }

    /// A message of the chat came, or is another now.
    pub(super) fn told(&mut self, message: &Shown) {
        let Some(known) = &mut self.shared else { return };
        let place = known.iter().position(|shown| shown.id == message.id);
        match (place.and_then(|place| known.get_mut(place)), is_shared(message)) {
            (Some(shown), true) => *shown = message.clone(),
            (Some(_), false) => known.retain(|shown| shown.id != message.id),
            (None, true) => {
                // What is older than all that is listed comes with the rest.
                let after = known.iter().position(|shown| shown.sent_ms <= message.sent_ms);
                if let Some(at) = after.or(self.before.is_none().then_some(known.len())) {
                    known.insert(at, message.clone());
                }
            }
            (None, false) => {}
        }
    }

    pub(super) fn view<'a>(&'a self, player: &'a Player, context: Context<'a>) -> Element<'a, Message> {
        let i18n = context.i18n;
        let heading = text(i18n.tr("shared-media")).font(font::SEMIBOLD);
        let wrong = self.wrong.as_ref().map(|problem| form::error(problem.sentence(i18n)));
        let list = self.shared.as_ref().map(|shared| match (shared.is_empty(), &self.before) {
            (true, None) => inset(empty(context)),
            _ => Column::with_children(shared.iter().map(|shown| entry(shown, player, context))).into(),
        });
        let coming = self.is_asking.then(|| ui::caption(i18n.tr("loading")));
        let words = i18n.tr(if self.wrong.is_some() { "failure-retry" } else { "shared-media-more" });
        let more = (!self.is_asking && (self.wrong.is_some() || self.before.is_some()))
            .then(|| form::wide_button(words).on_press(Message::More));
        column![inset(heading)]
            .push(list)
            .push(coming.map(inset))
            .push(wrong.map(inset))
            .push(more.map(inset))
            .spacing(metric::SMALL)
            .into()
    }
}

fn is_shared(message: &Shown) -> bool {
    matches!(message.kind.as_str(), "file" | "voice")
}

/// Nothing was shared yet.
fn empty<'a>(context: Context<'a>) -> Element<'a, Message> {
    let sign = text(Icon::Paperclip.glyph()).font(font::ICONS).size(metric::ICON).style(theme::text::muted);
    let words = container(ui::caption(context.i18n.tr("shared-media-empty"))).width(Length::Fill);
    row![sign, words].spacing(metric::GAP).align_y(Alignment::Center).into()
}

fn entry<'a>(shown: &'a Shown, player: &Player, context: Context<'a>) -> Element<'a, Message> {
    let i18n = context.i18n;
    let file = shown.file.as_ref();
    let (sign, name, size): (Element<'_, Message>, String, String) = if shown.kind == "voice" {
        let is_here = file.is_none_or(|file| file.transfer.here);
        let (icon, words) = match player.place(&shown.id).is_some_and(|place| place.runs) {
            true => (Icon::Pause, i18n.tr("voice-pause")),
            false => (Icon::Play, i18n.tr("voice-play")),
        };
        let toggle = is_here.then(|| Message::Player(Wish::Toggle(Box::new(shown.clone()))));
        let length = format::duration(shown.duration_ms.unwrap_or_default());
        (form::icon_button(icon, words, toggle), i18n.tr("said-voice"), length)
    } else {
        let name = file.map_or_else(|| i18n.tr("said-file"), |file| one_line(&file.name, 120));
        (ui::icon(Icon::File), name, file.map_or_else(String::new, |file| format::bytes(i18n, file.size)))
    };
    let who = if shown.mine { i18n.tr("you") } else { one_line(&shown.author_name, 40) };
    let when = context.clock.short(i18n, shown.sent_ms, context.now_ms);
    let facts: Vec<String> = [size, who, when].into_iter().filter(|fact| !fact.is_empty()).collect();
    let facts = line(facts.join(" · ")).size(metric::CAPTION).style(theme::text::muted);
    let words = press(column![line(name).font(font::MEDIUM), facts].spacing(metric::TIGHT / 2.0))
        .padding([metric::TIGHT, metric::SMALL])
        .width(Length::Fill)
        .style(theme::button::row(false))
        .on_press(Message::Show(shown.id.clone()));
    row![container(sign).center_x(metric::AVATAR_SMALL), words]
        .padding(iced::padding::left(metric::TIGHT))
        .align_y(Alignment::Center)
        .into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples::message;
    use kith_core::wire::control::Request;

    fn note(number: u64) -> Shown {
        Shown { kind: "voice".into(), ..message(number, "") }
    }

    fn known(part: &MediaPart) -> Vec<String> {
        part.shared.iter().flatten().map(|shown| shown.id.clone()).collect()
    }

    #[tokio::test]
    async fn older_ones_follow_and_what_changes_meanwhile_is_not_listed_twice() {
        let (backend, record) = Backend::detached();
        let (mut part, _) = MediaPart::new("chat".into(), backend);
        let _ = crate::snapshots::outputs(part.ask());
        assert_eq!(record.asked(), [], "it is asked for already");
        let before = Some(note(5).id);
        part.came("another", Ok(Shared { messages: vec![note(3)], before: None }));
        part.came("chat", Ok(Shared { messages: vec![note(8), note(5)], before: before.clone() }));
        let _ = crate::snapshots::outputs(part.ask());
        assert_eq!(record.asked(), [Request::Shared { with: "chat".into(), before, limit: PAGE }]);
        // Something new, something that is known, something older than what is listed, and words.
        for told in [note(9), note(8), note(2), message(10, "words")] {
            part.told(&told);
        }
        part.came("chat", Ok(Shared { messages: vec![note(2)], before: None }));
        assert_eq!(known(&part), [9, 8, 5, 2].map(|number| note(number).id));
        part.told(&Shown { kind: "deleted".into(), ..note(5) });
        assert_eq!(known(&part), [9, 8, 2].map(|number| note(number).id));
        part.told(&note(1));
        assert_eq!(known(&part).last(), Some(&note(1).id), "all is listed: the oldest, too");
    }
}
