//! The window's root: holds what all screens share, and routes. What a screen shows and does is the screen's.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use iced::theme::Mode;
use iced::{Size, Subscription, Task, window};
use kith_core::wire::control::Event;

use crate::backend::{self, Backend, Found, Setup};
use crate::format::Clock;
use crate::i18n::{I18n, Language};
use crate::marks::Marks;
use crate::problem::Problem;
use crate::screen::failure::{self, Failure};
use crate::screen::home::{self, Home};
use crate::screen::unlock::{self, Unlock};
use crate::screen::welcome::{self, Welcome};
use crate::settings::{Change, Settings};
use crate::theme::{Element, Palette, Theme, Variant};
use crate::ui;
use crate::widget::calm::calm;
use crate::widget::focus_scope;
use crate::widget::meter::meter;
use crate::widget::reveal::reveal;
use crate::will::Will;

/// While the window is watched, its thread is asked so often whether it answers. Every answer draws a frame.
const BEAT: Duration = Duration::from_millis(20);

/// What every screen is shown with.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Context<'a> {
    /// The words.
    pub(crate) i18n: &'a I18n,
    /// What is set.
    pub(crate) settings: &'a Settings,
    /// The colours.
    pub(crate) palette: &'a Palette,
    /// How times are read.
    pub(crate) clock: &'a Clock,
    /// The time, in milliseconds since 1970.
    pub(crate) now_ms: u64,
    /// The window's size, in pixels at which text has its usual size.
    pub(crate) size: Size,
    /// How the window was started.
    pub(crate) setup: &'a Setup,
}

/// What all screens share.
#[derive(Debug)]
struct Shared {
    setup: Setup,
    settings: Settings,
    locale: String,
    i18n: I18n,
    clock: Clock,
    now_ms: u64,
    size: Size,
    /// What the system prefers.
    mode: Mode,
}

impl Shared {
    fn context(&self) -> Context<'_> {
        Context {
            i18n: &self.i18n,
            settings: &self.settings,
            palette: self.variant().palette(),
            clock: &self.clock,
            now_ms: self.now_ms,
            size: self.size,
            setup: &self.setup,
        }
    }

    fn variant(&self) -> Variant {
        self.settings.appearance.unwrap_or(match self.mode {
            Mode::None | Mode::Light => Variant::Light,
            Mode::Dark => Variant::Dark,
        })
    }
}

/// The whole window.
#[derive(Debug)]
pub(crate) struct App {
    shared: Shared,
    marks: Option<Marks>,
    window: Option<window::Id>,
    is_focused: bool,
    screen: Screen,
    /// A `kith://` link to be opened when somebody is signed in.
    link: Option<String>,
    ending: bool,
    will: Will,
}

#[derive(Debug)]
enum Screen {
    Starting,
    Welcome(Box<Welcome>),
    Unlock(Unlock),
    Home(Box<Home>),
    Failure(Failure),
}

/// What happens.
#[derive(Debug, Clone)]
pub(crate) enum Message {
    /// The window is there.
    WindowOpened(window::Id),
    /// Something happened to it.
    Window(window::Event),
    /// The system prefers light or dark.
    ModeChanged(Mode),
    /// A key that no widget took.
    Key(crate::keys::Press),
    /// What is in the profile's place.
    Found(Result<Found, Problem>),
    /// Of a first start.
    Welcome(welcome::Message),
    /// Of a profile that wants a passphrase.
    Unlock(unlock::Message),
    /// Of somebody who is signed in.
    Home(home::Message),
    /// Of a profile that cannot be opened.
    Failure(failure::Message),
    /// The core tells something.
    Told(Box<Event>),
    /// The settings are on the disk, or not.
    Saved(Result<(), Problem>),
    /// The window's thread is asked whether it answers; only while it is measured.
    Beat(Instant),
    /// All has ended: the program can.
    Ended,
}

impl App {
    /// A window that is about to open.
    pub(crate) fn boot(setup: Setup, link: Option<String>, will: Will) -> (Self, Task<Message>) {
        let settings = Settings::load(&setup.profile);
        let locale = sys_locale::get_locale().unwrap_or_default();
        let language = settings.language.unwrap_or_else(|| Language::of_locale(&locale));
        let look = backend::find(setup.clone(), link.clone());
        let shared = Shared {
            i18n: I18n::new(language),
            clock: Clock::system(&locale),
            now_ms: now_ms(),
            size: Size::new(settings.window.width, settings.window.height),
            mode: Mode::None,
            setup,
            settings,
            locale,
        };
        let app = Self {
            shared,
            marks: Marks::wanted(),
            window: None,
            is_focused: true,
            screen: Screen::Starting,
            link,
            ending: false,
            will,
        };
        let preference = iced::system::theme().map(Message::ModeChanged);
        (app, Task::batch([preference, Task::perform(look, Message::Found)]))
    }

    /// The name of the window.
    pub(crate) fn title(&self, _window: window::Id) -> String {
        match &self.screen {
            Screen::Home(home) => home.title(&self.shared.i18n),
            _ => self.shared.i18n.tr("app-name"),
        }
    }

    /// Its colours.
    pub(crate) fn theme(&self, _window: window::Id) -> Theme {
        Theme::new(self.shared.variant())
    }

    /// How much larger everything is.
    pub(crate) fn scale_factor(&self, _window: window::Id) -> f32 {
        f32::from(self.shared.settings.text_percent) / 100.0
    }

    /// What is listened to.
    pub(crate) fn subscription(&self) -> Subscription<Message> {
        let screen = match &self.screen {
            Screen::Home(home) => Subscription::batch([
                home.backend().events().map(|event| Message::Told(Box::new(event))),
                home.subscription().map(Message::Home),
            ]),
            Screen::Welcome(welcome) => welcome.subscription().map(Message::Welcome),
            Screen::Starting | Screen::Unlock(_) | Screen::Failure(_) => Subscription::none(),
        };
        let window = iced::event::listen_with(|event, status, _| match event {
            iced::Event::Window(event) => Some(Message::Window(event)),
            iced::Event::Keyboard(event) => crate::keys::press(&event, status).map(Message::Key),
            _ => None,
        });
        let mode = iced::system::theme_changes().map(Message::ModeChanged);
        let beat = match &self.marks {
            Some(marks) if marks.watches() => iced::time::every(BEAT).map(Message::Beat),
            _ => Subscription::none(),
        };
        Subscription::batch([screen, window, mode, beat])
    }

    /// Something happened.
    pub(crate) fn update(&mut self, message: Message) -> Task<Message> {
        self.shared.now_ms = now_ms();
        let task = self.handle(message);
        self.will.keep(match &self.screen {
            Screen::Home(home) => Some((home.backend(), home.draft())),
            _ => None,
        });
        task
    }

    fn handle(&mut self, message: Message) -> Task<Message> {
        match message {
            Message::WindowOpened(id) => {
                self.window = Some(id);
                Task::none()
            }
            Message::Window(event) => self.window_changed(&event),
            Message::ModeChanged(mode) => {
                self.shared.mode = mode;
                Task::none()
            }
            Message::Key(press) => self.key_pressed(&press),
            Message::Found(found) => self.found(found),
            Message::Welcome(message) => self.welcome(message),
            Message::Unlock(message) => self.unlock(message),
            Message::Home(message) => self.home(message),
            Message::Failure(message) => self.failure(message),
            Message::Told(event) => self.told(*event),
            Message::Saved(Ok(())) => Task::none(),
            Message::Saved(Err(problem)) => self.with_home(|home, _| home.warn(problem)),
            Message::Beat(asked) => {
                if let Some(marks) = &self.marks {
                    marks.late_by(asked.elapsed());
                }
                Task::none()
            }
            Message::Ended => self.exit(),
        }
    }

    /// What is drawn.
    pub(crate) fn view(&self, _window: window::Id) -> Element<'_, Message> {
        let context = self.shared.context();
        let screen = match &self.screen {
            Screen::Starting => ui::starting(context.i18n),
            Screen::Welcome(welcome) => welcome.view(context).map(Message::Welcome),
            Screen::Unlock(unlock) => unlock.view(context).map(Message::Unlock),
            Screen::Home(home) => home.view(context).map(Message::Home),
            Screen::Failure(failure) => failure.view(context).map(Message::Failure),
        };
        let screen = calm(screen);
        match &self.marks {
            Some(marks) => meter(screen, marks),
            None => screen,
        }
    }

    fn with_home(&mut self, act: impl FnOnce(&mut Home, Context<'_>) -> Task<home::Message>) -> Task<Message> {
        let context = self.shared.context();
        match &mut self.screen {
            Screen::Home(home) => act(home, context).map(Message::Home),
            _ => Task::none(),
        }
    }

    fn found(&mut self, found: Result<Found, Problem>) -> Task<Message> {
        match found {
            Ok(Found::Raised) => return self.exit(),
            Ok(Found::Opened(backend)) => {
                let signed_in = self.signed_in(backend);
                return Task::batch([self.open_window(), signed_in]);
            }
            Ok(Found::Nothing) => {
                let (welcome, task) = Welcome::new(self.shared.context(), self.link.as_deref());
                self.screen = Screen::Welcome(Box::new(welcome));
                return Task::batch([self.open_window(), task.map(Message::Welcome)]);
            }
            Ok(Found::Locked) => {
                let (unlock, task) = Unlock::new();
                self.screen = Screen::Unlock(unlock);
                // The focus goes to its field, which is not there before the window is.
                return self.open_window().chain(task.map(Message::Unlock));
            }
            Err(problem) => self.screen = Screen::Failure(Failure::new(problem)),
        }
        self.open_window()
    }

    fn open_window(&self) -> Task<Message> {
        if let Some(id) = self.window {
            return window::gain_focus(id);
        }
        let (_, open) = window::open(crate::platform::window_settings(&self.shared.settings.window));
        open.map(Message::WindowOpened)
    }

    fn signed_in(&mut self, backend: Backend) -> Task<Message> {
        let (home, task) = Home::new(backend, self.link.take(), self.shared.context());
        self.screen = Screen::Home(Box::new(home));
        task.map(Message::Home)
    }

    fn welcome(&mut self, message: welcome::Message) -> Task<Message> {
        let context = self.shared.context();
        let Screen::Welcome(welcome) = &mut self.screen else { return Task::none() };
        match welcome.update(message, context) {
            welcome::Action::None => Task::none(),
            welcome::Action::Run(task) => task.map(Message::Welcome),
            welcome::Action::Set(change) => self.set(change),
            welcome::Action::SignedIn(backend) => {
                self.link = welcome.link().map(str::to_owned);
                self.signed_in(backend)
            }
            welcome::Action::Failed(problem) => {
                self.screen = Screen::Failure(Failure::new(problem));
                Task::none()
            }
        }
    }

    fn unlock(&mut self, message: unlock::Message) -> Task<Message> {
        let Screen::Unlock(unlock) = &mut self.screen else { return Task::none() };
        match unlock.update(message, &self.shared.setup) {
            unlock::Action::None => Task::none(),
            unlock::Action::Run(task) => task.map(Message::Unlock),
            unlock::Action::SignedIn(backend) => self.signed_in(backend),
            unlock::Action::Failed(problem, passphrase) => {
                self.screen = Screen::Failure(Failure::new(problem).with_passphrase(passphrase));
                Task::none()
            }
        }
    }

    fn failure(&mut self, message: failure::Message) -> Task<Message> {
        let Screen::Failure(failure) = &mut self.screen else { return Task::none() };
        match failure.update(message, &self.shared.setup) {
            failure::Action::None => Task::none(),
            failure::Action::Run(task) => task.map(Message::Failure),
            failure::Action::Retry => {
                self.screen = Screen::Starting;
                Task::perform(backend::find(self.shared.setup.clone(), None), Message::Found)
            }
            failure::Action::SignedIn(backend) => self.signed_in(backend),
            failure::Action::Quit => self.quit(),
        }
    }

    fn home(&mut self, message: home::Message) -> Task<Message> {
        let context = self.shared.context();
        let Screen::Home(home) = &mut self.screen else { return Task::none() };
        if let Some((marks, name)) = self.marks.as_ref().zip(message.shows()) {
            marks.await_frame(name);
        }
        let action = home.update(message, context);
        self.act(action)
    }

    fn act(&mut self, action: home::Action) -> Task<Message> {
        match action {
            home::Action::None => Task::none(),
            home::Action::Run(task) => task.map(Message::Home),
            home::Action::Set(change, task) => {
                let set = self.set(change);
                Task::batch([set, task.map(Message::Home)])
            }
            home::Action::Raise(task) => Task::batch([self.raise(), task.map(Message::Home)]),
            home::Action::Quit => self.quit(),
            home::Action::Erased => {
                let (welcome, task) = Welcome::new(self.shared.context(), None);
                self.screen = Screen::Welcome(Box::new(welcome));
                task.map(Message::Welcome)
            }
        }
    }

    fn told(&mut self, event: Event) -> Task<Message> {
        let is_seen = self.is_focused && self.window.is_some();
        let raise = match &event {
            Event::Raise { .. } => self.raise(),
            _ => Task::none(),
        };
        let heard = self.with_home(|home, context| home.told(event, is_seen, context));
        Task::batch([raise, heard])
    }

    fn raise(&self) -> Task<Message> {
        match self.window {
            Some(id) => Task::batch([window::minimize(id, false), window::gain_focus(id)]),
            None => self.open_window(),
        }
    }

    fn key_pressed(&mut self, press: &crate::keys::Press) -> Task<Message> {
        use crate::keys::Press;
        if let Some(marks) = &self.marks {
            marks.key_pressed();
        }
        match press {
            Press::FocusNext => focus_scope::focus_next().chain(reveal()),
            Press::FocusPrevious => focus_scope::focus_previous().chain(reveal()),
            Press::Larger => self.set(Change::TextPercent(self.shared.settings.text_percent.saturating_add(10))),
            Press::Smaller => self.set(Change::TextPercent(self.shared.settings.text_percent.saturating_sub(10))),
            Press::UsualSize => self.set(Change::TextPercent(100)),
            Press::Quit => self.quit(),
            other => self.home_key(other),
        }
    }

    fn home_key(&mut self, press: &crate::keys::Press) -> Task<Message> {
        let context = self.shared.context();
        let Screen::Home(home) = &mut self.screen else { return Task::none() };
        let action = home.key_pressed(press, context);
        self.act(action)
    }

    fn window_changed(&mut self, event: &window::Event) -> Task<Message> {
        match event {
            window::Event::Resized(size) => {
                self.shared.size = *size;
                self.shared.settings.window.width = size.width;
                self.shared.settings.window.height = size.height;
                Task::none()
            }
            window::Event::Moved(at) => {
                // A window opens at a place that does not grow with what is in it.
                let scale = f32::from(self.shared.settings.text_percent) / 100.0;
                self.shared.settings.window.x = Some(at.x * scale);
                self.shared.settings.window.y = Some(at.y * scale);
                Task::none()
            }
            window::Event::Focused => {
                self.is_focused = true;
                self.with_home(Home::seen)
            }
            window::Event::Unfocused => {
                self.is_focused = false;
                self.with_home(|home, _| home.left())
            }
            window::Event::FileDropped(path) => {
                self.with_home(|home, context| home.file_dropped(path.clone(), context))
            }
            window::Event::CloseRequested => self.close_requested(),
            window::Event::Closed => {
                self.window = None;
                self.with_home(|home, _| home.left())
            }
            _ => Task::none(),
        }
    }

    /// The window goes away; Kith too, unless it is to go on in the tray.
    fn close_requested(&mut self) -> Task<Message> {
        let stays = matches!(&self.screen, Screen::Home(home) if self.shared.settings.close_to_tray && home.has_tray());
        match self.window {
            Some(id) if stays => Task::batch([self.save(), window::close(id)]),
            _ => self.quit(),
        }
    }

    fn quit(&mut self) -> Task<Message> {
        if self.ending {
            return Task::none();
        }
        self.ending = true;
        let (settings, profile) = (self.shared.settings.clone(), self.shared.setup.profile.clone());
        let end = match &mut self.screen {
            Screen::Home(home) => home.end(),
            _ => Box::pin(std::future::ready(())),
        };
        let keep = matches!(self.screen, Screen::Home(_));
        let close = self.window.map_or_else(Task::none, window::close);
        let finish = async move {
            if keep {
                let _ = tokio::task::spawn_blocking(move || settings.save(&profile)).await;
            }
            end.await;
        };
        Task::batch([close, Task::perform(finish, |()| Message::Ended)])
    }

    fn exit(&self) -> Task<Message> {
        self.will.tear();
        iced::exit()
    }

    fn set(&mut self, change: Change) -> Task<Message> {
        let language = self.shared.settings.language;
        self.shared.settings.apply(change);
        if self.shared.settings.language != language {
            self.shared.i18n =
                I18n::new(self.shared.settings.language.unwrap_or_else(|| Language::of_locale(&self.shared.locale)));
            let told = self.with_home(|home, context| home.show_count(context));
            return Task::batch([self.save(), told]);
        }
        self.save()
    }

    fn save(&self) -> Task<Message> {
        let (settings, profile) = (self.shared.settings.clone(), self.shared.setup.profile.clone());
        let save = async move {
            let saved = tokio::task::spawn_blocking(move || settings.save(&profile)).await;
            saved.map_err(|error| Problem::new("disk", error.to_string()))?.map_err(Problem::from)
        };
        Task::perform(save, Message::Saved)
    }
}

fn now_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}
