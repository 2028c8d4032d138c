//! Words that are looked for in a chat: in texts, and in what was said in voice notes.

use std::time::Duration;

use iced::widget::{column, container, operation, row, space, text, text_input};
use iced::{Alignment, Length, Task};
use kith_core::wire::control::{Found, Hit};

use super::{Action, COMPOSER, Conversation, Message};
use crate::app::Context;
use crate::format::{self, one_line};
use crate::problem::Problem;
use crate::screen::home::player::Wish;
use crate::screen::home::timeline::key_of;
use crate::theme::{self, Element, Icon, font, metric};
use crate::ui::{self, form};
use crate::widget::line::line;
use crate::widget::press::press;

/// The field.
pub(crate) const FIND: &str = "find";

/// How long after the last key it is looked.
const REST: Duration = Duration::from_millis(250);

/// Hits that are asked for at once.
const HITS: u32 = 50;

/// The most characters that are looked for: what the core takes.
const MAX_WORDS: usize = 256;

/// What is looked for, and what was found.
#[derive(Debug, Default)]
pub(super) struct Find {
    words: String,
    hits: Vec<Hit>,
    /// Where older hits begin, if there may be any.
    before: Option<String>,
    /// The hit that is shown.
    at: usize,
    serial: u64,
    state: State,
}

#[derive(Debug, Default)]
enum State {
    /// Nothing was asked.
    #[default]
    Idle,
    /// It is looked for.
    Looking,
    /// All that was asked for is here.
    Done,
    /// It could not be looked for.
    Failed(Problem),
}

/// What happens to it.
#[derive(Debug, Clone)]
pub(crate) enum Deed {
    /// Words are to be looked for.
    Open,
    /// No more.
    Close,
    /// Other words.
    Changed(String),
    /// Nothing was typed for a while.
    Due(u64),
    /// What was found; older than what was there, or anew.
    Found(u64, bool, Result<Found, Problem>),
    /// To the next older hit.
    Older,
    /// To the next newer one.
    Newer,
    /// Play the note that was found from where the words are said.
    Play,
}

impl Conversation {
    pub(super) fn find(&mut self, deed: Deed) -> Action {
        let Some(find) = self.find.as_mut() else {
            return match deed {
                Deed::Open => self.open_find(),
                _ => Action::None,
            };
        };
        match deed {
            Deed::Open => Action::Run(operation::focus(FIND)),
            Deed::Close => {
                self.find = None;
                Action::Run(operation::focus(COMPOSER))
            }
            Deed::Changed(words) => {
                find.words = words.chars().take(MAX_WORDS).collect();
                find.serial = find.serial.wrapping_add(1);
                let serial = find.serial;
                Action::Run(Task::future(async move {
                    tokio::time::sleep(REST).await;
                    Message::Find(Deed::Due(serial))
                }))
            }
            Deed::Due(serial) if serial == find.serial => {
                if find.words.trim().is_empty() {
                    *find = Find { words: std::mem::take(&mut find.words), serial: find.serial, ..Find::default() };
                    return Action::None;
                }
                find.state = State::Looking;
                Action::Run(self.look(None))
            }
            Deed::Found(serial, is_more, found) if serial == find.serial => match found {
                Ok(found) => {
                    if !is_more {
                        find.hits.clear();
                        find.at = 0;
                    }
                    let was = find.hits.len();
                    find.hits.extend(found.hits);
                    find.before = found.before;
                    find.state = State::Done;
                    if is_more && find.hits.len() > was {
                        find.at = was;
                    }
                    self.show_hit()
                }
                Err(problem) => {
                    find.state = State::Failed(problem);
                    Action::None
                }
            },
            Deed::Due(_) | Deed::Found(..) => Action::None,
            Deed::Older => {
                if find.at.saturating_add(1) < find.hits.len() {
                    find.at += 1;
                    return self.show_hit();
                }
                match find.before.clone().filter(|_| matches!(find.state, State::Done)) {
                    Some(before) => {
                        find.state = State::Looking;
                        Action::Run(self.look(Some(before)))
                    }
                    None => Action::None,
                }
            }
            Deed::Newer => match find.at.checked_sub(1) {
                Some(at) => {
                    find.at = at;
                    self.show_hit()
                }
                None => Action::None,
            },
            Deed::Play => self.play_hit(),
        }
    }

    fn open_find(&mut self) -> Action {
        self.find = Some(Find::default());
        Action::Run(operation::focus(FIND))
    }

    fn look(&self, before: Option<String>) -> Task<Message> {
        let Some(find) = &self.find else { return Task::none() };
        let (serial, is_more) = (find.serial, before.is_some());
        let find = self.backend.clone().find(self.chat.id.clone(), find.words.clone(), before, HITS);
        Task::perform(find, move |found| Message::Find(Deed::Found(serial, is_more, found)))
    }

    fn hit(&self) -> Option<&Hit> {
        self.find.as_ref().and_then(|find| find.hits.get(find.at))
    }

    fn show_hit(&mut self) -> Action {
        match self.hit().map(|hit| hit.message.clone()) {
            Some(message) => self.jump(message),
            None => Action::None,
        }
    }

    /// The row of the message that was found, so that it stands out.
    pub(super) fn found_row(&self) -> Option<u64> {
        self.hit().map(|hit| key_of(&hit.message))
    }

    fn play_hit(&self) -> Action {
        let Some((message, at_ms)) = self.hit().and_then(|hit| Some((&hit.message, hit.at_ms?))) else {
            return Action::None;
        };
        match self.timeline.by_id(message) {
            Some(entry) => {
                let wish = Wish::Seek(Box::new(entry.message.clone()), Duration::from_millis(at_ms));
                Action::Player(wish, Task::none())
            }
            None => Action::None,
        }
    }

    /// The field and what was found, above the messages.
    pub(super) fn find_bar<'a>(&'a self, context: Context<'a>) -> Option<Element<'a, Message>> {
        let (find, i18n) = (self.find.as_ref()?, context.i18n);
        let deed = Message::Find;
        let field = text_input(&i18n.tr("find-placeholder"), &find.words)
            .id(FIND)
            .padding([metric::SMALL, metric::GAP])
            .size(metric::BODY)
            .style(theme::input::field(false))
            .on_input(move |words| deed(Deed::Changed(words)))
            .on_submit(deed(Deed::Older));
        let more = find.before.is_some();
        let count = match &find.state {
            State::Idle => String::new(),
            State::Looking => i18n.tr("find-looking"),
            State::Failed(_) => String::new(),
            State::Done if find.hits.is_empty() => i18n.tr("find-nothing"),
            State::Done => {
                let all = find.hits.len();
                let all = if more { format!("{all}+") } else { all.to_string() };
                i18n.tr_with("find-at", [("at", (find.at + 1).to_string().into()), ("all", all.into())])
            }
        };
        let count = text(count).size(metric::CAPTION).style(theme::text::muted).wrapping(text::Wrapping::None);
        let may_older = find.at.saturating_add(1) < find.hits.len() || more;
        let step = |icon, words, may: bool, to| form::icon_button(icon, words, may.then_some(deed(to)));
        let older = step(Icon::ChevronUp, i18n.tr("find-older"), may_older, Deed::Older);
        let newer = step(Icon::ChevronDown, i18n.tr("find-newer"), find.at > 0, Deed::Newer);
        let close = step(Icon::X, i18n.tr("close"), true, Deed::Close);
        let bar = row![field, count, older, newer, close].spacing(metric::TIGHT).align_y(Alignment::Center);
        let below = match (&find.state, self.hit()) {
            (State::Failed(problem), _) => Some(form::error(problem.sentence(i18n))),
            (_, Some(hit)) => Some(excerpt(hit, context)),
            _ => None,
        };
        let bar = container(column![bar].push(below).spacing(metric::TIGHT))
            .padding([metric::SMALL, metric::GAP])
            .style(theme::container::surface);
        let under = container(space().height(1.0).width(Length::Fill)).style(theme::container::line);
        Some(column![bar, under].into())
    }
}

/// Who said it, when, and what stands around it; of a note a button that plays from there.
fn excerpt<'a>(hit: &'a Hit, context: Context<'a>) -> Element<'a, Message> {
    let i18n = context.i18n;
    let play = hit.at_ms.map(|at_ms| {
        let time = text(format::duration(u32::try_from(at_ms).unwrap_or(u32::MAX))).size(metric::CAPTION);
        let words = row![ui::sized_icon(Icon::Play, metric::CAPTION), time.wrapping(text::Wrapping::None)];
        let button = press(words.spacing(metric::TIGHT).align_y(Alignment::Center))
            .padding([metric::TIGHT, metric::SMALL])
            .style(theme::button::secondary)
            .on_press(Message::Find(Deed::Play));
        ui::with_tooltip(button, i18n.tr("find-play"), iced::widget::tooltip::Position::Bottom)
    });
    let who = if hit.author_name == "me" { i18n.tr("you") } else { one_line(&hit.author_name, 40) };
    let when = context.clock.full(i18n, hit.sent_ms, context.now_ms);
    let facts = text(format!("{who} · {when}")).size(metric::CAPTION).font(font::MEDIUM).wrapping(text::Wrapping::None);
    let words = line(one_line(&hit.excerpt, 200)).size(metric::CAPTION).style(theme::text::muted).width(Length::Fill);
    row![].push(play).push(facts).push(words).spacing(metric::SMALL).align_y(Alignment::Center).into()
}
