//! The first start: somebody makes an account, logs in, or goes on without a relay.
//!
//! One step after the other, each a part of its own: which relay ([`place`]), name and password or recovery code ([`account`]), and
//! where there is a new recovery code, that ([`recovery`]). What was asked of the core is never cut off: an account whose answer is
//! thrown away would have lost its recovery code. Who cancels goes back; if it was too late for that, they are told the code all the
//! same.

mod account;
mod keychain;
mod place;
#[cfg(test)]
mod snapshots;
mod start;

use std::time::Duration;

use iced::widget::{column, container, operation, responsive, row, scrollable, space, text};
use iced::{Alignment, Length, Subscription, Task};
use kith_core::client::Registration;

use account::{Account, Filled};
use place::{Chosen, Place};

use crate::app::Context;
use crate::backend::{self, Backend, Created};
use crate::i18n::{I18n, Language};
use crate::problem::Problem;
use crate::relay::EmbeddedRelay;
use crate::settings::Change;
use crate::theme::{self, Element, Icon, font, metric};
use crate::ui::recovery::{self, Occasion, Recovery};
use crate::ui::{self, choice, form};
use crate::widget::press::press;
use crate::widget::reveal::reveal;

/// Between two dots of what shows that something goes on: calm, and no more redraws than that takes.
const TURN: Duration = Duration::from_millis(400);

/// A bar narrower than this has no room for words beside the languages.
const NARROW_BAR: f32 = 430.0;

/// What somebody wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A new account at a relay.
    Create,
    /// This device is to be one of an account.
    LogIn,
    /// The same, and the password is forgotten.
    Recover,
    /// A new account without a relay.
    Local,
}

/// The first start.
#[derive(Debug)]
pub(crate) struct Welcome {
    step: Step,
    logo: Option<iced::widget::image::Handle>,
    link: Option<String>,
    has_keychain: bool,
    relay: EmbeddedRelay,
    place: Place,
    account: Account,
    chosen: Option<Chosen>,
    uses_own: bool,
    /// Something was asked of the core, and its answer is not there yet.
    is_asking: bool,
    /// What is asked as soon as that answer is there: it was cancelled, and filled in again.
    next: Option<Filled>,
    turn: usize,
    made: Option<Made>,
}

#[derive(Debug)]
enum Step {
    Start,
    Place,
    Account,
    Working,
    Recovery(Recovery),
}

/// A profile that is there.
#[derive(Debug)]
struct Made {
    backend: Result<Backend, Problem>,
}

/// What happens.
#[derive(Debug, Clone)]
pub(crate) enum Message {
    /// The words are to be of this language.
    LanguageChosen(Language),
    /// This is wanted.
    Chose(Kind),
    /// One step back.
    Back,
    /// The system has a keychain that works, or not.
    KeychainProbed(bool),
    /// Of the choice of a relay.
    Place(place::Message),
    /// The relay of this computer runs, at this address.
    RelayStarted(Result<String, Problem>),
    /// Of name and password.
    Account(account::Message),
    /// An account was made, or not.
    Created(Result<Created, Problem>),
    /// This device is one of an account, or not.
    LoggedIn(Result<Backend, Problem>),
    /// Time has passed.
    Turned,
    /// Back to what was filled in.
    Cancel,
    /// Of the recovery code.
    Recovery(recovery::Message),
    /// This is to be set before anything is shown.
    Keep(Change),
    /// To the chats.
    Enter,
}

/// What the window does then.
#[derive(Debug)]
pub(crate) enum Action {
    /// Nothing.
    None,
    /// Carries this out.
    Run(Task<Message>),
    /// Sets this.
    Set(Change),
    /// Shows the chats.
    SignedIn(Backend),
    /// There is a profile, and it cannot be put to work.
    Failed(Problem),
}

impl Welcome {
    /// Nobody is anybody yet; `link` was opened with the program.
    pub(crate) fn new(context: Context<'_>, link: Option<&str>) -> (Self, Task<Message>) {
        let relay = EmbeddedRelay::of(&context.setup.profile);
        let welcome = Self {
            step: Step::Start,
            logo: start::logo(),
            link: link.map(str::to_owned),
            has_keychain: false,
            place: Place::new(context.setup.relay.as_deref(), link, true),
            account: Account::new(Kind::Create, None, false),
            relay,
            chosen: None,
            uses_own: false,
            is_asking: false,
            next: None,
            turn: 0,
            made: None,
        };
        (welcome, Task::perform(keychain::works(), Message::KeychainProbed))
    }

    /// The link of somebody who is to be added when this is done: the one that was typed, or opened with the program.
    pub(crate) fn link(&self) -> Option<&str> {
        let typed = self.chosen.as_ref().and_then(|chosen| chosen.link.as_deref());
        // Who logs in types their own.
        typed.filter(|_| self.account.kind() == Kind::Create).or(self.link.as_deref())
    }

    /// Something happened.
    pub(crate) fn update(&mut self, message: Message, context: Context<'_>) -> Action {
        match message {
            Message::LanguageChosen(language) => Action::Set(Change::Language(Some(language))),
            Message::Chose(kind) => self.chose(kind, context),
            Message::Back => self.back(),
            Message::KeychainProbed(works) => {
                self.has_keychain = works;
                self.account.set_keychain(works);
                Action::None
            }
            Message::Place(message) => self.place(message),
            Message::RelayStarted(started) => self.relay_started(started),
            Message::Account(message) => match self.account.update(message) {
                account::Outcome::None => Action::None,
                account::Outcome::Focus(field) => focus(field),
                account::Outcome::Forgotten(handle) => self.log_in_by(Kind::Recover, handle),
                account::Outcome::Filled(filled) => self.submit(filled, context),
            },
            Message::Created(Ok(created)) => self.created(created, context),
            Message::LoggedIn(Ok(backend)) => self.logged_in(backend, context),
            Message::Created(Err(problem)) | Message::LoggedIn(Err(problem)) => self.refused(problem, context),
            Message::Turned => {
                self.turn = self.turn.wrapping_add(1);
                Action::None
            }
            Message::Cancel => {
                self.step = Step::Account;
                self.next = None;
                Action::None
            }
            Message::Recovery(message) => self.recovery(message, context),
            Message::Keep(change) => Action::Set(change),
            Message::Enter => match self.made.take() {
                Some(Made { backend: Ok(backend) }) => Action::SignedIn(backend),
                Some(Made { backend: Err(problem) }) => Action::Failed(problem),
                None => Action::None,
            },
        }
    }

    fn chose(&mut self, kind: Kind, context: Context<'_>) -> Action {
        self.account = Account::new(kind, None, self.has_keychain);
        (self.chosen, self.uses_own) = (None, false);
        if kind == Kind::Local {
            return self.show_account();
        }
        // Somebody else's link does not say where one's own account is.
        let link = self.link.as_deref().filter(|_| kind == Kind::Create);
        let offers_own = kind == Kind::Create || self.relay.exists();
        self.place = Place::new(context.setup.relay.as_deref(), link, offers_own);
        self.step = Step::Place;
        self.place.first_field().map_or(Action::None, focus)
    }

    fn back(&mut self) -> Action {
        match self.step {
            Step::Account if self.account.kind() == Kind::Recover => {
                let handle = self.account.handle().to_owned();
                self.log_in_by(Kind::LogIn, handle)
            }
            Step::Account if self.account.kind() != Kind::Local => {
                self.step = Step::Place;
                self.place.first_field().map_or(Action::None, focus)
            }
            Step::Account | Step::Place => {
                self.place.started();
                self.step = Step::Start;
                Action::None
            }
            Step::Start | Step::Working | Step::Recovery(_) => Action::None,
        }
    }

    fn place(&mut self, message: place::Message) -> Action {
        match self.place.update(message) {
            place::Outcome::None => Action::None,
            place::Outcome::Focus(field) => focus(field),
            place::Outcome::StartOwn => {
                let relay = self.relay.clone();
                Action::Run(Task::perform(async move { relay.start().await }, Message::RelayStarted))
            }
            place::Outcome::Chosen(chosen) => {
                self.uses_own = false;
                self.choose(chosen)
            }
        }
    }

    fn relay_started(&mut self, started: Result<String, Problem>) -> Action {
        // Who has gone back does not want it; it ends when another relay was taken, or with the window.
        if !self.place.is_starting() {
            return Action::None;
        }
        match started {
            Ok(address) => {
                self.place.started();
                self.uses_own = true;
                self.choose(Chosen { address, handle: None, link: None })
            }
            Err(problem) => {
                let _ = self.place.refuse(problem);
                Action::None
            }
        }
    }

    fn choose(&mut self, chosen: Chosen) -> Action {
        let kind = self.account.kind();
        let own_handle = chosen.handle.clone().filter(|_| kind != Kind::Create);
        if self.chosen.as_ref() != Some(&chosen) {
            self.account = Account::new(kind, own_handle, self.has_keychain);
        }
        self.chosen = Some(chosen);
        self.show_account()
    }

    /// By the password, or because it is forgotten.
    fn log_in_by(&mut self, kind: Kind, handle: String) -> Action {
        self.account = Account::new(kind, Some(handle), self.has_keychain);
        self.show_account()
    }

    fn show_account(&mut self) -> Action {
        self.step = Step::Account;
        focus(self.account.first_field())
    }

    fn submit(&mut self, filled: Filled, context: Context<'_>) -> Action {
        self.step = Step::Working;
        if self.is_asking {
            self.next = Some(filled);
            return Action::None;
        }
        self.is_asking = true;
        Action::Run(self.ask(filled, context))
    }

    fn ask(&self, filled: Filled, context: Context<'_>) -> Task<Message> {
        let setup = context.setup.clone();
        let Filled { handle, invitation, code, password, keeping } = filled;
        let (kind, relay, uses_own) = (self.account.kind(), self.relay.clone(), self.uses_own);
        let Some(Chosen { address, .. }) = self.chosen.clone().filter(|_| kind != Kind::Local) else {
            let made = async move {
                relay.stop().await;
                backend::register_local(setup, keeping, password).await
            };
            return Task::perform(made, Message::Created);
        };
        let registration = Registration { relay: address, handle, password, invitation };
        let ready = async move {
            if !uses_own {
                relay.stop().await;
            }
        };
        if kind == Kind::LogIn {
            let logged_in = async move {
                ready.await;
                backend::log_in(setup, keeping, registration).await
            };
            return Task::perform(logged_in, Message::LoggedIn);
        }
        if kind == Kind::Recover {
            let recovered = async move {
                ready.await;
                backend::recover(setup, keeping, registration, code).await
            };
            return Task::perform(recovered, Message::Created);
        }
        let made = async move {
            ready.await;
            backend::register(setup, keeping, registration).await
        };
        Task::perform(made, Message::Created)
    }

    fn created(&mut self, Created { recovery_code, backend }: Created, context: Context<'_>) -> Action {
        (self.is_asking, self.next) = (false, None);
        self.made = Some(Made { backend: backend.map(|backend| self.with_relay(backend)) });
        let is_recovered = self.account.kind() == Kind::Recover;
        let occasion = if is_recovered { Occasion::Replaced } else { Occasion::Made };
        self.step = Step::Recovery(Recovery::new(occasion, recovery_code));
        self.own_relay(context).map_or(Action::None, Action::Set)
    }

    fn logged_in(&mut self, backend: Backend, context: Context<'_>) -> Action {
        (self.is_asking, self.next) = (false, None);
        match self.own_relay(context) {
            None => Action::SignedIn(self.with_relay(backend)),
            Some(change) => {
                self.made = Some(Made { backend: Ok(self.with_relay(backend)) });
                Action::Run(Task::done(Message::Keep(change)).chain(Task::done(Message::Enter)))
            }
        }
    }

    /// The profile ends the relay of this computer when it ends.
    fn with_relay(&self, backend: Backend) -> Backend {
        if self.uses_own { backend.with_relay(self.relay.clone()) } else { backend }
    }

    /// Whether the relay of this computer is started from now on, if that is another than it is set.
    fn own_relay(&self, context: Context<'_>) -> Option<Change> {
        (self.uses_own != context.settings.own_relay).then_some(Change::OwnRelay(self.uses_own))
    }

    fn refused(&mut self, problem: Problem, context: Context<'_>) -> Action {
        self.is_asking = false;
        if let Some(filled) = self.next.take() {
            return self.submit(filled, context);
        }
        if problem.code == "start" {
            return Action::Failed(problem);
        }
        if !matches!(self.step, Step::Working) {
            return Action::None;
        }
        let is_of_relay =
            matches!(problem.code.as_str(), "relay_unreachable" | "wrong_relay_key" | "address" | "network");
        let field = if is_of_relay && self.account.kind() != Kind::Local {
            self.step = Step::Place;
            self.place.refuse(problem)
        } else {
            self.step = Step::Account;
            self.account.refuse(problem)
        };
        field.map_or(Action::None, focus)
    }

    fn recovery(&mut self, message: recovery::Message, context: Context<'_>) -> Action {
        let Step::Recovery(recovery) = &mut self.step else { return Action::None };
        match recovery.update(message) {
            recovery::Outcome::None => Action::None,
            recovery::Outcome::Copy(code) => Action::Run(iced::clipboard::write(code.to_string())),
            recovery::Outcome::Save(code) => Action::Run(recovery::saving(code, context.i18n).map(Message::Recovery)),
            recovery::Outcome::Continue => self.update(Message::Enter, context),
        }
    }

    /// What is listened to: time, while something goes on.
    pub(crate) fn subscription(&self) -> Subscription<Message> {
        match self.step {
            Step::Working => iced::time::every(TURN).map(|_| Message::Turned),
            Step::Start | Step::Place | Step::Account | Step::Recovery(_) => Subscription::none(),
        }
    }

    /// What is drawn.
    pub(crate) fn view(&self, context: Context<'_>) -> Element<'_, Message> {
        let i18n = context.i18n;
        let step = match &self.step {
            Step::Start => start::view(i18n, self.logo.as_ref(), self.link.as_deref()),
            Step::Place => self.place.view(i18n).map(Message::Place),
            Step::Account => self.account.view(i18n, self.relay_name(i18n).as_deref()).map(Message::Account),
            Step::Working => self.working(i18n),
            Step::Recovery(recovery) => recovery.view(i18n).map(Message::Recovery),
        };
        let step = container(container(step).max_width(metric::FORM)).center_x(Length::Fill);
        let step = scrollable(step.padding([metric::SMALL, metric::WIDE])).width(Length::Fill);
        let body = column![self.bar(i18n), container(step).center(Length::Fill)];
        container(body).center(Length::Fill).style(theme::container::background).into()
    }

    /// How the chosen relay is called.
    fn relay_name(&self, i18n: &I18n) -> Option<String> {
        if self.uses_own {
            return Some(i18n.tr("welcome-this-computer"));
        }
        self.chosen.as_ref().filter(|_| self.account.kind() != Kind::Local).map(|chosen| place::shown(&chosen.address))
    }

    fn bar(&self, i18n: &I18n) -> Element<'_, Message> {
        let back = matches!(self.step, Step::Place | Step::Account).then(|| i18n.tr("back"));
        let chosen = i18n.language();
        responsive(move |room| {
            let back = back.clone().map(|words| {
                if room.width < NARROW_BAR {
                    return form::icon_button(Icon::ArrowLeft, words, Some(Message::Back));
                }
                let words = row![ui::icon(Icon::ArrowLeft), text(words).size(metric::BODY).font(font::MEDIUM)];
                press(words.spacing(metric::SMALL).align_y(Alignment::Center))
                    .style(theme::button::quiet)
                    .on_press(Message::Back)
                    .into()
            });
            let languages = Language::ALL.map(|language| {
                (language.own_name().to_owned(), language == chosen, Message::LanguageChosen(language))
            });
            row![]
                .push(back)
                .push(space().width(Length::Fill))
                .push(choice::segments(languages))
                .align_y(Alignment::Center)
                .padding([0.0, metric::PAD])
                .height(metric::BAR)
                .into()
        })
        .height(metric::BAR)
        .into()
    }

    fn working(&self, i18n: &I18n) -> Element<'_, Message> {
        let (title, words) = match self.account.kind() {
            _ if self.next.is_some() => (i18n.tr("welcome-waiting"), i18n.tr("welcome-waiting-words")),
            Kind::Create => (i18n.tr("welcome-creating"), i18n.tr("welcome-creating-words")),
            Kind::LogIn => (i18n.tr("welcome-logging-in"), i18n.tr("welcome-logging-in-words")),
            Kind::Recover => (i18n.tr("welcome-recovering"), i18n.tr("welcome-recovering-words")),
            Kind::Local => (i18n.tr("welcome-creating"), i18n.tr("welcome-creating-local")),
        };
        let cancel = self
            .made
            .is_none()
            .then(|| form::button(i18n.tr("cancel")).style(theme::button::quiet).on_press(Message::Cancel));
        column![
            choice::going_on(self.turn),
            text(title).size(metric::HEADING).font(font::SEMIBOLD).center(),
            text(words).size(metric::BODY).style(theme::text::muted).center(),
        ]
        .push(cancel)
        .spacing(metric::PAD)
        .width(Length::Fill)
        .align_x(Alignment::Center)
        .into()
    }
}

fn focus(field: &'static str) -> Action {
    Action::Run(operation::focus(field).chain(reveal()))
}

#[cfg(test)]
mod tests;
