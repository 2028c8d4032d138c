//! The main window: the rail, the list of chats, a conversation, and what lies beside and above them.

mod above;
mod conversation;
mod details;
mod keys;
pub(crate) mod list;
mod player;
#[cfg(test)]
mod snapshots;
#[cfg(test)]
mod tests;
mod timeline;
mod told;
mod view;

use std::future::Future;
use std::pin::Pin;

use iced::widget::operation;
use iced::{Subscription, Task};
use kith_core::wire::control::{Chat, Me, Member, Request, Said};

use self::above::{Deed, Modal};
use self::conversation::Conversation;
use self::details::Details;
use self::list::ChatList;
use self::player::Player;
use crate::app::Context;
use crate::backend::{Backend, Overview};
use crate::format::one_line;
use crate::i18n::I18n;
use crate::modal::question::{self, Question};
use crate::modal::{add, group, help, review, switcher};
use crate::platform::tray::{self, Tray};
use crate::problem::Problem;
use crate::said;
use crate::screen::settings::{self, Section, SettingsPage};
use crate::settings::Change;
use crate::theme::metric;
use crate::ui::avatar::Pictures;

/// Letters of a name that a window's title shows.
const OWNER: usize = 40;

/// Somebody is signed in.
#[derive(Debug)]
pub(crate) struct Home {
    backend: Backend,
    me: Option<Me>,
    /// What the account calls itself.
    name: Option<String>,
    list: ChatList,
    open: Option<Conversation>,
    details: Option<Details>,
    player: Player,
    page: Option<Box<SettingsPage>>,
    modal: Option<Modal>,
    pictures: Pictures,
    link: Link,
    warnings: Vec<Warning>,
    tray: Option<Tray>,
    is_looked_at: bool,
    problem: Option<Problem>,
}

/// Something to be looked at, in whatever language the window has then.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Warning {
    /// The core says it.
    Said(Box<Said>),
    /// Something was not done.
    Problem(Problem),
}

impl From<Said> for Warning {
    fn from(said: Said) -> Self {
        Self::Said(said.into())
    }
}

impl From<Problem> for Warning {
    fn from(problem: Problem) -> Self {
        Self::Problem(problem)
    }
}

impl Warning {
    fn words(&self, i18n: &I18n) -> String {
        match self {
            Self::Said(said) => said::alone(said, i18n),
            Self::Problem(problem) => problem.sentence(i18n),
        }
    }
}

/// Whether the own relay is reached.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Link {
    /// Not known yet.
    Unknown,
    /// It is being called for the first time.
    Calling,
    /// It is, or there is none to reach.
    Up,
    /// It is not, and why.
    Down(Option<Said>),
}

/// What happens.
#[derive(Debug, Clone)]
pub(crate) enum Message {
    /// What the list shows is here.
    Loaded(Result<Overview, Problem>),
    /// What the account calls itself is known.
    NameKnown(Result<Option<String>, Problem>),
    /// How everything is reached is known.
    StatusKnown(Result<Box<kith_core::wire::control::Status>, Problem>),
    /// Once more.
    Reload,
    /// Of the list.
    List(list::Message),
    /// Of the conversation of this chat.
    Conversation(String, conversation::Message),
    /// Of the panel beside it.
    Details(details::Message),
    /// Of what plays.
    Player(player::Message),
    /// Of the settings.
    Settings(settings::Message),
    /// Of somebody who is added.
    Add(add::Message),
    /// Of a group that is made.
    Group(group::Message),
    /// Of a jump.
    Switcher(switcher::Message),
    /// The keys were read.
    Help(help::Close),
    /// Of a contact request.
    Review(review::Message),
    /// A request was answered, or not.
    Reviewed(String, Result<(), Problem>),
    /// Of a question.
    Question(question::Message),
    /// Away with what lies above.
    CloseModal,
    /// The chats, from the rail.
    ShowChats,
    /// The settings, from the rail.
    ShowSettings,
    /// Somebody new, from the rail.
    ShowAdd,
    /// A group, from the rail.
    ShowGroup,
    /// The keys, from the rail.
    ShowHelp,
    /// A warning has been read.
    CloseWarning,
    /// A picture came.
    PictureRead(String, Option<iced::widget::image::Handle>),
    /// A notification is gone; if it was pressed, to this chat.
    NoticeEnded(Option<String>),
    /// The tray is there, or there is none.
    TrayReady(Option<Tray>),
    /// Something was chosen in the tray.
    Tray(tray::Chosen),
    /// A command was carried out, or not.
    Done(Result<(), Problem>),
}

impl Message {
    /// What the next frame shows for the first time, for those who measure.
    pub(crate) fn shows(&self) -> Option<&'static str> {
        match self {
            Self::Loaded(Ok(_)) => Some("chats"),
            Self::Conversation(_, conversation::Message::Opened(Ok(_))) => Some("conversation"),
            _ => None,
        }
    }
}

/// What the window does then.
#[derive(Debug)]
pub(crate) enum Action {
    /// Nothing.
    None,
    /// Carries this out.
    Run(Task<Message>),
    /// Keeps this setting.
    Set(Change, Task<Message>),
    /// Comes to the front.
    Raise(Task<Message>),
    /// Ends.
    Quit,
    /// There is no profile any more.
    Erased,
}

impl Home {
    /// Shows a profile; `link` is one that was opened.
    pub(crate) fn new(backend: Backend, link: Option<String>, context: Context<'_>) -> (Self, Task<Message>) {
        let mut home = Self {
            me: None,
            name: None,
            list: ChatList::default(),
            open: None,
            details: None,
            player: Player::new(backend.clone()),
            page: None,
            modal: None,
            pictures: Pictures::default(),
            link: Link::Unknown,
            warnings: Vec::new(),
            tray: None,
            is_looked_at: true,
            problem: None,
            backend,
        };
        let load = home.load();
        let tray = Task::perform(tray::show(tray::Words::of(context.i18n)), Message::TrayReady);
        let opened = link.map_or_else(Task::none, |link| home.add(Some(link)));
        (home, Task::batch([load, tray, opened]))
    }

    /// The profile.
    pub(crate) fn backend(&self) -> &Backend {
        &self.backend
    }

    /// The name of the window: how much waits, and whose it is, since there may be several.
    pub(crate) fn title(&self, i18n: &I18n) -> String {
        let app = i18n.tr("app-name");
        let title = match self.owner() {
            Some(owner) => format!("{owner} – {app}"),
            None => app,
        };
        match self.list.unread() {
            0 => title,
            count => format!("({count}) {title}"),
        }
    }

    /// Who is signed in: by what they call themselves, else by their name at the relay.
    fn owner(&self) -> Option<String> {
        let handle = || self.me.as_ref()?.handle.as_deref()?.split('@').next();
        let owner = one_line(self.name.as_deref().or_else(handle)?, OWNER);
        (!owner.is_empty()).then_some(owner)
    }

    fn load_name(&self) -> Task<Message> {
        Task::perform(self.backend.clone().own_profile(), |profile| Message::NameKnown(profile.map(|own| own.name)))
    }

    /// Whether it can go on without a window.
    pub(crate) fn has_tray(&self) -> bool {
        self.tray.is_some()
    }

    /// What is listened to.
    pub(crate) fn subscription(&self) -> Subscription<Message> {
        let tray = self.tray.as_ref().map_or_else(Subscription::none, |tray| tray.chosen().map(Message::Tray));
        let page =
            self.page.as_ref().map_or_else(Subscription::none, |page| page.subscription().map(Message::Settings));
        Subscription::batch([tray, page])
    }

    /// What is typed and not kept yet, as what keeps it.
    pub(crate) fn draft(&self) -> Option<Request> {
        self.open.as_ref().and_then(Conversation::last_draft)
    }

    /// The end: what was typed is kept, then the profile closes.
    pub(crate) fn end(&mut self) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        let backend = self.backend.clone();
        let draft = self.draft();
        let heard = self.player.end();
        self.tray = None;
        Box::pin(async move {
            heard.await;
            if let Some(draft) = draft {
                let _ = backend.clone().command(draft).await;
            }
            backend.close().await;
        })
    }

    fn load(&self) -> Task<Message> {
        let status = Task::perform(self.backend.clone().status(), |status| Message::StatusKnown(status.map(Box::new)));
        Task::batch([Task::perform(self.backend.clone().overview(), Message::Loaded), self.load_name(), status])
    }

    /// Something to be looked at.
    pub(crate) fn warn(&mut self, warning: impl Into<Warning>) -> Task<Message> {
        let warning = warning.into();
        if !self.warnings.contains(&warning) {
            self.warnings.push(warning);
        }
        Task::none()
    }

    /// Somebody looks at the window again.
    pub(crate) fn seen(&mut self, _context: Context<'_>) -> Task<Message> {
        self.is_looked_at = true;
        self.in_open(|open| open.seen(true))
    }

    /// Nobody looks at it.
    pub(crate) fn left(&mut self) -> Task<Message> {
        self.is_looked_at = false;
        Task::none()
    }

    /// A file was dropped on the window.
    pub(crate) fn file_dropped(&mut self, path: std::path::PathBuf, context: Context<'_>) -> Task<Message> {
        self.offer(vec![path], context)
    }

    fn in_open(&mut self, act: impl FnOnce(&mut Conversation) -> Task<conversation::Message>) -> Task<Message> {
        let Some(open) = &mut self.open else { return Task::none() };
        let id = open.chat().id.clone();
        act(open).map(move |message| Message::Conversation(id.clone(), message))
    }

    /// Somebody looks at the conversation, and at nothing that lies above it.
    fn is_looked_at(&self) -> bool {
        self.is_looked_at && self.modal.is_none() && self.page.is_none()
    }

    /// Says beside the window, too, how much waits, in the language that it has now.
    pub(crate) fn show_count(&self, context: Context<'_>) -> Task<Message> {
        let Some(tray) = self.tray.clone() else { return Task::none() };
        let (count, i18n) = (self.list.unread(), context.i18n);
        Task::future(tray.tell(tray::Words::of(i18n), count, i18n.count("unread-count", count))).discard()
    }

    /// A picture that is not here yet is read.
    fn want_picture(&mut self, chat: &Chat) -> Task<Message> {
        match (&chat.picture, &chat.account) {
            (Some(name), Some(who)) => self.want_picture_of(who, name),
            _ => Task::none(),
        }
    }

    fn want_picture_of(&mut self, who: &str, name: &str) -> Task<Message> {
        if !self.pictures.ask(name) {
            return Task::none();
        }
        let (name, backend, who) = (name.to_owned(), self.backend.clone(), who.to_owned());
        Task::perform(backend.picture(who), move |picture| Message::PictureRead(name.clone(), picture))
    }

    /// Pictures of those who are no contacts come with the list of a group's members.
    fn want_members_pictures(&mut self) -> Task<Message> {
        let members = self.details.as_ref().map(Details::members).unwrap_or_default();
        let named = |member: &Member| Some((member.account.clone(), member.picture.clone()?));
        let wanted: Vec<_> = members.iter().filter_map(named).collect();
        Task::batch(wanted.iter().map(|(who, name)| self.want_picture_of(who, name)).collect::<Vec<_>>())
    }

    /// Something happened.
    pub(crate) fn update(&mut self, message: Message, context: Context<'_>) -> Action {
        match message {
            Message::Loaded(overview) => self.loaded(overview, context),
            Message::StatusKnown(Ok(status)) => {
                // What was told meanwhile is newer than this answer.
                if self.link == Link::Unknown {
                    self.link = match (status.relay_connected, status.relay_problem) {
                        (Some(true) | None, _) => Link::Up,
                        (Some(false), None) => Link::Calling,
                        (Some(false), why) => Link::Down(why.map(|said| *said)),
                    };
                }
                let warned = status.warnings.iter().map(|said| self.warn(said.clone()));
                Action::Run(Task::batch(warned.collect::<Vec<_>>()))
            }
            Message::NameKnown(Ok(name)) => {
                self.name = name;
                Action::None
            }
            Message::Reload => Action::Run(self.load()),
            Message::List(message) => self.listed(message, context),
            Message::Conversation(id, message) => self.conversed(&id, message, context),
            Message::Details(message) => self.detailed(message, context),
            Message::Player(message) => self.played(message, context),
            Message::Settings(message) => self.set(message, context),
            Message::Add(message) => self.adding(message),
            Message::Group(message) => self.grouping(message, context),
            Message::Switcher(message) => self.switching(message, context),
            Message::Review(message) => self.reviewing(message, context),
            Message::Reviewed(account, answered) => self.reviewed(&account, answered, context),
            Message::Question(question::Message::Yes) => self.answered_yes(),
            Message::Question(question::Message::No) | Message::Help(help::Close) | Message::CloseModal => {
                Action::Run(self.close_modal())
            }
            Message::ShowChats => {
                self.page = None;
                Action::None
            }
            Message::ShowSettings => Action::Run(self.show_settings(Section::Profile)),
            Message::ShowAdd => Action::Run(self.add(None)),
            Message::ShowGroup => Action::Run(self.new_group()),
            Message::ShowHelp => {
                self.modal = Some(Modal::Help);
                Action::None
            }
            Message::CloseWarning => {
                if !self.warnings.is_empty() {
                    self.warnings.remove(0);
                }
                Action::None
            }
            Message::PictureRead(name, picture) => {
                if let Some(picture) = picture {
                    self.pictures.keep(name, picture);
                }
                Action::None
            }
            Message::NoticeEnded(None) => Action::None,
            Message::NoticeEnded(Some(chat)) => {
                self.modal = None;
                let task =
                    if self.list.request(&chat).is_some() { self.review(chat) } else { self.open(&chat, context) };
                Action::Raise(task)
            }
            Message::TrayReady(tray) => {
                self.tray = tray;
                Action::Run(self.show_count(context))
            }
            Message::Tray(tray::Chosen::Show) => Action::Raise(Task::none()),
            Message::Tray(tray::Chosen::Quit) => Action::Quit,
            Message::Done(Ok(())) => Action::None,
            Message::Done(Err(problem)) | Message::StatusKnown(Err(problem)) | Message::NameKnown(Err(problem)) => {
                Action::Run(self.warn(problem))
            }
        }
    }

    fn loaded(&mut self, overview: Result<Overview, Problem>, context: Context<'_>) -> Action {
        match overview {
            Ok(Overview { me, chats, requests }) => {
                self.problem = None;
                self.me = Some(me);
                let pictures: Vec<Task<Message>> = chats.iter().map(|chat| self.want_picture(chat)).collect();
                self.list.load(chats, requests);
                Action::Run(Task::batch([Task::batch(pictures), self.show_count(context)]))
            }
            Err(problem) => {
                self.problem = Some(problem);
                Action::None
            }
        }
    }

    fn open(&mut self, id: &str, context: Context<'_>) -> Task<Message> {
        self.page = None;
        if self.open.as_ref().is_some_and(|open| open.chat().id == id) {
            return operation::focus(conversation::COMPOSER);
        }
        let Some(chat) = self.list.chat(id).cloned() else { return Task::none() };
        let left = self.close();
        let (open, task) = Conversation::new(chat.clone(), self.backend.clone());
        self.open = Some(open);
        let details = if context.settings.details { self.show_details(chat) } else { Task::none() };
        let id = id.to_owned();
        Task::batch([left, details, task.map(move |message| Message::Conversation(id.clone(), message))])
    }

    fn close(&mut self) -> Task<Message> {
        self.details = None;
        let left = self.in_open(Conversation::leave);
        self.open = None;
        left
    }

    fn show_details(&mut self, chat: Chat) -> Task<Message> {
        let (details, task) = Details::new(chat, self.backend.clone());
        self.details = Some(details);
        task.map(Message::Details)
    }

    fn listed(&mut self, message: list::Message, context: Context<'_>) -> Action {
        match message {
            list::Message::QueryChanged(query) => {
                self.list.search(query);
                Action::None
            }
            list::Message::Submit => {
                let first = self.list.at(1).map(|chat| chat.id.clone());
                self.list.search(String::new());
                Action::Run(first.map_or_else(Task::none, |id| self.open(&id, context)))
            }
            list::Message::Open(id) => Action::Run(self.open(&id, context)),
            list::Message::Review(account) => Action::Run(self.review(account)),
            list::Message::AddContact => Action::Run(self.add(None)),
            list::Message::Scrolled(top) => {
                self.list.scrolled(top);
                Action::None
            }
        }
    }

    fn conversed(&mut self, id: &str, message: conversation::Message, context: Context<'_>) -> Action {
        let looked_at = self.is_looked_at();
        let Some(open) = self.open.as_mut().filter(|open| open.chat().id == id) else { return Action::None };
        let id = id.to_owned();
        let route = move |message| Message::Conversation(id.clone(), message);
        match open.update(message, looked_at, context) {
            conversation::Action::None => Action::None,
            conversation::Action::Run(task) => Action::Run(task.map(route)),
            conversation::Action::Set(change, task) => Action::Set(change, task.map(route)),
            conversation::Action::Player(wish, task) => {
                let task = task.map(route);
                match self.played(player::Message::Wish(wish), context) {
                    Action::Run(played) => Action::Run(Task::batch([played, task])),
                    _ => Action::Run(task),
                }
            }
            conversation::Action::ConfirmDelete(message) => {
                let i18n = context.i18n;
                let words = (i18n.tr("delete-title"), i18n.tr("delete-words"), i18n.tr("delete"));
                Action::Run(self.ask(Question::new(words.0, words.1, words.2, Deed::DeleteMessage(message))))
            }
            conversation::Action::Offer(files) => Action::Run(self.offer(files, context)),
            conversation::Action::OpenLink(link) => self.open_link(link),
            conversation::Action::ToggleDetails => self.toggle_details(),
            conversation::Action::ShowModels => Action::Run(self.show_settings(Section::Speech)),
            conversation::Action::Back => Action::Run(self.close()),
        }
    }

    fn played(&mut self, message: player::Message, context: Context<'_>) -> Action {
        Action::Run(match self.player.update(message) {
            player::Action::Run(task) => task.map(Message::Player),
            player::Action::Failed(problem) => self.warn(problem),
            player::Action::Told(said) => self.warn(*said),
            player::Action::Show(chat, message) => {
                let opened = self.open(&chat, context);
                let shown = self.in_open(|open| open.show(message));
                Task::batch([opened, shown])
            }
        })
    }

    fn toggle_details(&mut self) -> Action {
        if self.details.take().is_some() {
            return Action::Set(Change::Details(false), Task::none());
        }
        let Some(chat) = self.open.as_ref().map(|open| open.chat().clone()) else { return Action::None };
        let shown = self.show_details(chat);
        Action::Set(Change::Details(true), shown)
    }

    fn open_link(&mut self, link: String) -> Action {
        if link.starts_with("kith://") {
            return Action::Run(self.add(Some(link)));
        }
        Action::Run(Task::perform(crate::platform::open_link(link), Message::Done))
    }

    fn detailed(&mut self, message: details::Message, context: Context<'_>) -> Action {
        let Some(details) = &mut self.details else { return Action::None };
        match details.update(message) {
            details::Action::None => Action::Run(self.want_members_pictures()),
            details::Action::Run(task) => Action::Run(task.map(Message::Details)),
            details::Action::Close => {
                self.details = None;
                Action::Set(Change::Details(false), Task::none())
            }
            details::Action::ConfirmBlock(account) => {
                let i18n = context.i18n;
                let words = (i18n.tr("block-title"), i18n.tr("block-words"), i18n.tr("block"));
                Action::Run(self.ask(Question::new(words.0, words.1, words.2, Deed::Block(account))))
            }
            details::Action::Player(wish) => self.played(player::Message::Wish(wish), context),
            details::Action::Show(message) => {
                // Where both have no room beside each other, the panel would be in the way.
                if Self::is_single(context) {
                    self.details = None;
                }
                Action::Run(self.in_open(|open| open.show(message)))
            }
            details::Action::Open(account) => {
                let id = self.list.chat_with(&account).map(|chat| chat.id.clone());
                Action::Run(id.map_or_else(Task::none, |id| self.open(&id, context)))
            }
        }
    }

    fn set(&mut self, message: settings::Message, context: Context<'_>) -> Action {
        // A recovery code is shown once: who has left the settings meanwhile is led back.
        let back = (self.page.is_none() && message.holds_code()).then(|| self.show_settings(Section::Account));
        let Some(page) = &mut self.page else {
            return message.failed().cloned().map_or(Action::None, |problem| Action::Run(self.warn(problem)));
        };
        match page.update(message, context) {
            settings::Action::Run(task) if back.is_some() => {
                Action::Run(Task::batch(back.into_iter().chain([task.map(Message::Settings)])))
            }
            settings::Action::None => Action::None,
            settings::Action::Run(task) => Action::Run(task.map(Message::Settings)),
            settings::Action::Set(change) => Action::Set(change, Task::none()),
            settings::Action::Speaker(speaker, task) => {
                self.player.use_speaker(speaker);
                Action::Run(task.map(Message::Settings))
            }
            settings::Action::Close => {
                self.page = None;
                Action::None
            }
            settings::Action::Erased => Action::Erased,
        }
    }

    fn show_settings(&mut self, section: Section) -> Task<Message> {
        let (page, task) = SettingsPage::new(section, self.backend.clone());
        self.page = Some(Box::new(page));
        task.map(Message::Settings)
    }

    /// Whether the list and a conversation stand side by side in a window of this width.
    fn is_single(context: Context<'_>) -> bool {
        context.size.width < metric::SINGLE
    }
}
