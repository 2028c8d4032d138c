//! A conversation: the stretch of its history that is in the window, and where messages are written.
//!
//! It asks the core and shows what it answers; what a message looks like is in [`view`].

mod attached;
pub(crate) mod find;
#[cfg(test)]
mod full_disk;
mod pasted;
mod reading;
mod recording;
mod sound;
mod spoken;
#[cfg(test)]
mod tests;
mod view;
mod writing;

pub(crate) use recording::Deed as RecordingDeed;
pub(crate) use sound::Deed as SoundDeed;

use std::collections::BTreeMap;
use std::time::Duration;

use iced::Task;
use iced::widget::{Id, operation};
use kith_core::client::BUILT_IN_MODEL;
use kith_core::wire::control::{At, Chat, Message as Shown, Page, Request, SpeechOptions, Transcript};

use super::player::Wish;
use super::timeline::{PAGE, Side, Timeline};
use crate::app::Context;
use crate::backend::Backend;
use crate::problem::Problem;
use crate::settings::Change;
use crate::widget::composer::{self, Composer};
use crate::widget::history;

/// Where messages are written.
pub(crate) const COMPOSER: &str = "composer";

/// The longest message, in bytes: what the core takes.
pub(crate) const MAX_TEXT: usize = 16 * 1024;

/// How long after the last key a draft is kept.
const DRAFT_REST: Duration = Duration::from_millis(800);

/// A draft that could not be kept is tried again after so long: there may be room on the disk then.
const DRAFT_AGAIN: Duration = Duration::from_secs(5);

/// While somebody types, this is said again as often.
const TYPING_AGAIN_MS: u64 = 4000;

/// Who has not said for so long that they type has stopped.
const TYPING_LASTS: Duration = Duration::from_secs(7);

/// The most messages that are fetched anew when something came.
const RELOAD: u32 = 180;

/// An open conversation.
#[derive(Debug)]
pub(crate) struct Conversation {
    chat: Chat,
    backend: Backend,
    timeline: Timeline,
    loading: Loading,
    composer: Composer,
    mode: Mode,
    failed: Vec<Failed>,
    next_failed: u64,
    typing: BTreeMap<String, u64>,
    is_at_end: bool,
    /// The topmost and the lowest row that are seen.
    visible: Option<(u64, u64)>,
    new_below: u64,
    chosen: Option<u64>,
    emoji: Option<Target>,
    emoji_query: String,
    draft_serial: u64,
    /// What was typed last could not be kept.
    draft_failed: bool,
    said_typing_ms: u64,
    read_upto: Option<String>,
    reload: Reload,
    notice: Option<String>,
    sound: sound::Sound,
    recorder: recording::Recorder,
    /// Real models of speech are offered: only the one that is built in is here.
    offers_models: bool,
    find: Option<find::Find>,
    /// The message that is shown once the history is here.
    wanted: Option<String>,
}

#[derive(Debug)]
enum Loading {
    Waiting,
    Ready,
    Failed(Problem),
}

/// Whether the newest messages are fetched anew, and whether once more after that.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reload {
    Idle,
    Running,
    Again,
}

/// What the composer is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Mode {
    /// A new message.
    Write,
    /// An answer.
    Reply(Box<Shown>),
    /// Another text for a message of one's own; with what had been typed before.
    Edit {
        /// The message.
        message: String,
        /// What had been typed.
        before: String,
    },
    /// Other words for this reader's own transcript of a voice note.
    Mend {
        /// The message.
        message: String,
        /// What had been typed.
        before: String,
    },
}

/// What an emoji is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Target {
    /// The message that is written.
    Composer,
    /// A reaction to the message of this row.
    Reaction(u64),
}

/// A message that could not even be queued.
#[derive(Debug, Clone)]
pub(crate) struct Failed {
    key: u64,
    text: String,
    reply_to: Option<String>,
    problem: Problem,
    is_trying: bool,
}

/// What happens.
#[derive(Debug, Clone)]
pub(crate) enum Message {
    /// The first page is here.
    Opened(Result<Page, Problem>),
    /// Once more.
    Reopen,
    /// More of the history is here.
    Paged(Side, Result<Page, Problem>),
    /// The newest messages are here anew.
    Reloaded(Result<Page, Problem>),
    /// The first or last row that is here is near.
    Near(Side),
    /// Other rows are seen.
    Scrolled(history::Position),
    /// A page up or down.
    Page(f32),
    /// To the newest message.
    ToNewest,
    /// To a message.
    Jump(String),
    /// What is around it is here.
    Jumped(String, Result<Page, Problem>),
    /// Something was typed.
    Compose(composer::Action),
    /// This text was pasted, and is nothing but the addresses of these files; of none if it is a text.
    Pasted(String, Vec<std::path::PathBuf>),
    /// Send what is typed.
    Submit,
    /// It is queued, or not.
    Sent(u64, Result<Box<Shown>, Problem>),
    /// Send what could not be queued once more.
    Retry(u64),
    /// Let go of it.
    Discard(u64),
    /// Show or hide what can be done with a message.
    Choose(u64),
    /// Answer it.
    Reply(u64),
    /// Change one's own.
    Edit(u64),
    /// Change the last of one's own.
    EditLast,
    /// Erase one's own; asks first.
    Delete(u64),
    /// Copy its text.
    Copy(u64),
    /// React, or take the same reaction back.
    React(u64, String),
    /// All of a long text.
    ShowWhole(u64),
    /// All of a long transcript.
    WholeTranscript(u64),
    /// It is here.
    TranscriptCame(u64, Result<Box<Transcript>, Problem>),
    /// Mend the transcript of this row.
    Mend(u64),
    /// The words to be mended are here.
    MendThis(String, Result<String, Problem>),
    /// Words are looked for.
    Find(find::Deed),
    /// A link was pressed.
    OpenLink(String),
    /// Emoji are wanted, or not.
    ToggleEmoji(Target),
    /// Other emoji are looked for.
    EmojiQueryChanged(String),
    /// An emoji was chosen.
    PickEmoji(String),
    /// What was said at the foot has been read.
    CloseNotice,
    /// The message above the chosen one, or the newest, is chosen.
    ChooseOlder,
    /// The message below the chosen one is chosen.
    ChooseNewer,
    /// Neither answer nor change.
    Cancel,
    /// Nothing was typed for a while.
    DraftDue(u64),
    /// The draft is on the disk, or not.
    DraftKept(Result<(), Problem>),
    /// Somebody may have stopped typing.
    TypingDue,
    /// A command was carried out, or not.
    Done(Result<(), Problem>),
    /// Sound and files.
    Sound(SoundDeed),
    /// Of what is recorded.
    Recording(RecordingDeed),
    /// Which model of speech listens, for whoever wants a note written down.
    ModelKnown(Result<Box<SpeechOptions>, Problem>),
    /// To the models of speech.
    ShowModels,
    /// They are not to be offered any more.
    CloseModels,
    /// The panel beside it.
    ToggleDetails,
    /// Back to the list, where both do not fit.
    Back,
    /// Take a block back.
    Unblock,
}

/// What the main window does then.
#[derive(Debug)]
pub(crate) enum Action {
    /// Nothing.
    None,
    /// Carries this out.
    Run(Task<Message>),
    /// Keeps this setting.
    Set(Change, Task<Message>),
    /// Wants this of what plays.
    Player(Wish, Task<Message>),
    /// Asks whether these files are to be sent.
    Offer(Vec<std::path::PathBuf>),
    /// Asks whether this message is to be erased.
    ConfirmDelete(String),
    /// Opens a link.
    OpenLink(String),
    /// The panel beside it.
    ToggleDetails,
    /// To the models of speech, in the settings.
    ShowModels,
    /// Back to the list.
    Back,
}

impl Conversation {
    /// Opens a chat where it was left: at the first message that was not read.
    pub(crate) fn new(chat: Chat, backend: Backend) -> (Self, Task<Message>) {
        let draft = chat.draft.clone().unwrap_or_default();
        let conversation = Self {
            composer: Composer::new(&draft, MAX_TEXT),
            timeline: Timeline::default(),
            loading: Loading::Waiting,
            mode: Mode::Write,
            failed: Vec::new(),
            next_failed: 0,
            typing: BTreeMap::new(),
            is_at_end: true,
            visible: None,
            new_below: 0,
            chosen: None,
            emoji: None,
            emoji_query: String::new(),
            draft_serial: 0,
            draft_failed: false,
            said_typing_ms: 0,
            read_upto: None,
            reload: Reload::Idle,
            notice: None,
            sound: sound::Sound::default(),
            recorder: recording::Recorder::default(),
            offers_models: false,
            find: None,
            wanted: None,
            chat,
            backend,
        };
        let open = conversation.page(At::Unread, PAGE, Message::Opened);
        let found = conversation.find_recordings();
        let waiting = conversation.ask_waiting();
        (conversation, Task::batch([open, operation::focus(COMPOSER), found, waiting]))
    }

    /// The list of messages: another chat is another list.
    fn history(&self) -> Id {
        Id::from(format!("history-{}", self.chat.id))
    }

    /// Its chat.
    pub(crate) fn chat(&self) -> &Chat {
        &self.chat
    }

    #[cfg(test)]
    pub(crate) fn offers_models(&self) -> bool {
        self.offers_models
    }

    /// The chat is another now.
    pub(crate) fn chat_changed(&mut self, chat: Chat) {
        // A draft that another device of the account wrote, where nothing is being typed here.
        let is_idle = self.composer.is_empty() && self.mode == Mode::Write && chat.draft != self.chat.draft;
        if let Some(draft) = chat.draft.as_ref().filter(|_| is_idle) {
            self.composer.set(draft);
        }
        self.chat = chat;
    }

    /// What was typed is kept, and others are told that one types no more: on leaving.
    pub(crate) fn leave(&mut self) -> Task<Message> {
        let text = self.written();
        let (recorded, looked_away) = (self.leave_recording(), self.look_away());
        Task::batch([self.keep_draft(text), self.say_typing(false), recorded, looked_away])
    }

    /// Somebody types, or stopped.
    pub(crate) fn typing(&mut self, account: String, on: bool, now_ms: u64) -> Task<Message> {
        if !on {
            self.typing.remove(&account);
            return Task::none();
        }
        let until = now_ms.saturating_add(u64::try_from(TYPING_LASTS.as_millis()).unwrap_or(u64::MAX));
        self.typing.insert(account, until);
        Task::perform(tokio::time::sleep(TYPING_LASTS), |()| Message::TypingDue)
    }

    /// Something happened. `is_looked_at`: somebody sees it.
    pub(crate) fn update(&mut self, message: Message, is_looked_at: bool, context: Context<'_>) -> Action {
        match message {
            Message::Opened(page) => self.opened(page, is_looked_at),
            Message::Reopen => {
                self.loading = Loading::Waiting;
                Action::Run(self.page(At::Unread, PAGE, Message::Opened))
            }
            Message::Paged(side, page) => self.paged(side, page, context),
            Message::Reloaded(page) => self.reloaded(page, is_looked_at, context),
            Message::Near(side) => Action::Run(self.near(side)),
            Message::Scrolled(position) => self.scrolled(position, is_looked_at),
            Message::Page(pages) => Action::Run(history::scroll_pages(self.history(), pages)),
            Message::ToNewest => Action::Run(self.show_newest()),
            Message::Jump(id) => self.jump(id),
            Message::Jumped(id, page) => self.jumped(&id, page, context),
            Message::Compose(action) => self.composed(action, context),
            Message::Pasted(text, files) => self.pasted_is(&text, files, context),
            Message::Submit => self.submit(),
            Message::Sent(key, sent) => self.sent(key, sent, context),
            Message::Retry(key) => self.retry(key),
            Message::Discard(key) => {
                self.failed.retain(|failed| failed.key != key);
                Action::None
            }
            Message::Choose(key) => {
                self.chosen = if self.chosen == Some(key) { None } else { Some(key) };
                self.emoji = None;
                Action::None
            }
            Message::Reply(key) => self.reply(key),
            Message::Edit(key) => self.edit(key),
            Message::EditLast => self.edit_last(),
            Message::Delete(key) => match self.timeline.by_key(key) {
                Some(entry) => Action::ConfirmDelete(entry.message.id.clone()),
                None => Action::None,
            },
            Message::Copy(key) => self.copy(key),
            Message::React(key, emoji) => self.react(key, emoji),
            Message::ShowWhole(key) => {
                self.timeline.show_whole(key);
                Action::None
            }
            Message::WholeTranscript(key) => self.ask_whole(key),
            Message::TranscriptCame(key, transcript) => self.whole_came(key, transcript, context),
            Message::Mend(key) => self.mend(key),
            Message::MendThis(message, words) => self.mend_this(message, words, context),
            Message::Find(deed) => self.find(deed),
            Message::OpenLink(link) => Action::OpenLink(link),
            Message::ToggleEmoji(target) => {
                self.emoji = if self.emoji == Some(target) { None } else { Some(target) };
                self.emoji_query.clear();
                Action::None
            }
            Message::EmojiQueryChanged(query) => {
                self.emoji_query = query;
                Action::None
            }
            Message::CloseNotice => {
                self.notice = None;
                Action::None
            }
            Message::ChooseOlder => self.choose_beside(true),
            Message::ChooseNewer => self.choose_beside(false),
            Message::PickEmoji(emoji) => self.pick_emoji(emoji),
            Message::Cancel => self.cancel(),
            Message::DraftDue(serial) => self.draft_due(serial),
            Message::DraftKept(kept) => self.draft_kept(kept, context),
            Message::TypingDue => {
                self.typing.retain(|_, until| *until > context.now_ms);
                Action::None
            }
            Message::Done(Ok(())) => Action::None,
            Message::Done(Err(problem)) => {
                self.notice = Some(problem.sentence(context.i18n));
                Action::None
            }
            Message::Sound(deed) => {
                if matches!(deed, SoundDeed::Play(_) | SoundDeed::Seek(..)) {
                    self.recorder.silence();
                }
                self.sound(deed, context)
            }
            Message::Recording(deed) => self.record(deed, context),
            Message::ModelKnown(options) => {
                let is_test = options.is_ok_and(|options| options.listens == BUILT_IN_MODEL);
                self.offers_models = is_test && context.settings.models_offered;
                Action::None
            }
            Message::ShowModels => {
                self.offers_models = false;
                Action::ShowModels
            }
            Message::CloseModels => {
                self.offers_models = false;
                Action::Set(Change::ModelsOffered(false), Task::none())
            }
            Message::ToggleDetails => Action::ToggleDetails,
            Message::Back => Action::Back,
            Message::Unblock => {
                let who = self.chat.account.clone().unwrap_or_default();
                Action::Run(self.command(Request::Unblock { who }))
            }
        }
    }

    /// Away with what is on top; whether there was anything.
    pub(crate) fn escape(&mut self) -> bool {
        if self.emoji.take().is_some() || self.chosen.take().is_some() || self.notice.take().is_some() {
            return true;
        }
        if self.mode != Mode::Write {
            let _ = self.cancel();
            return true;
        }
        self.find.take().is_some()
    }

    /// The text of a message is erased everywhere.
    pub(crate) fn delete(&mut self, message: String) -> Task<Message> {
        self.chosen = None;
        self.command(Request::Delete { with: self.chat.id.clone(), message })
    }

    fn copy(&mut self, key: u64) -> Action {
        self.chosen = None;
        let Some(entry) = self.timeline.by_key(key) else { return Action::None };
        let text = entry.message.text.clone().or_else(|| entry.message.transcript.clone());
        Action::Run(text.map_or_else(Task::none, iced::clipboard::write))
    }

    fn react(&mut self, key: u64, emoji: String) -> Action {
        self.emoji = None;
        self.chosen = None;
        let Some(entry) = self.timeline.by_key(key) else { return Action::None };
        let react =
            Request::React { with: self.chat.id.clone(), message: entry.message.id.clone(), emoji: emoji.clone() };
        let command = self.command(react);
        if emoji.is_empty() { Action::Run(command) } else { Action::Set(Change::UsedEmoji(emoji), command) }
    }

    fn pick_emoji(&mut self, emoji: String) -> Action {
        match self.emoji {
            Some(Target::Reaction(key)) => self.react(key, emoji),
            Some(Target::Composer) | None => {
                let _ = self.composer.insert(&emoji);
                Action::Set(Change::UsedEmoji(emoji), operation::focus(COMPOSER))
            }
        }
    }

    fn page(
        &self,
        at: At,
        limit: u32,
        answer: impl Fn(Result<Page, Problem>) -> Message + Send + 'static,
    ) -> Task<Message> {
        Task::perform(self.backend.clone().page(self.chat.id.clone(), at, limit), answer)
    }

    fn command(&self, request: Request) -> Task<Message> {
        Task::perform(self.backend.clone().command(request), Message::Done)
    }
}
