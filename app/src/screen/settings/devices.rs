//! The account's devices, naming this one, and taking another out.

pub(super) mod naming;

use iced::widget::{column, container, operation, row, text};
use iced::{Alignment, Length, Subscription, Task};
use kith_core::wire::control::DeviceInfo;
use zeroize::Zeroizing;

use self::naming::Naming;
use super::parts::{self, Wanted};
use super::password::{At, MAX_TEXT};
use crate::app::Context;
use crate::backend::Backend;
use crate::format::{one_line, within};
use crate::i18n::I18n;
use crate::problem::Problem;
use crate::theme::{self, Element, Icon, font, metric};
use crate::ui::secret::Secret;
use crate::ui::{self, form};
use crate::widget::focus_scope::focus_scope;
use crate::widget::reveal::reveal;

pub(super) const PASSWORD: &str = "settings-device-password";

/// Letters of a device's id that tell it from the others.
const SHOWN: usize = 12;

/// Characters of a name or a system that are shown.
const LONGEST: usize = 64;

/// The devices.
#[derive(Debug)]
pub(super) struct DevicesSection {
    backend: Backend,
    known: Wanted<Known>,
    naming: Naming,
    removing: Option<Removing>,
    /// What the last one that was taken out is called.
    removed: Option<String>,
}

/// What is shown.
#[derive(Debug, Clone)]
pub(crate) struct Known {
    pub(super) devices: Vec<DeviceInfo>,
    /// Where one can be taken out; nowhere without a relay.
    pub(super) at: Option<At>,
}

/// A device is to be taken out.
struct Removing {
    device: String,
    password: Zeroizing<String>,
    is_shown: bool,
    wrong: Option<Wrong>,
    /// The relay is asked, and so many dots have had their turn.
    turn: Option<usize>,
}

/// Why it was not done.
#[derive(Debug)]
enum Wrong {
    Empty,
    Refused(Problem),
}

impl std::fmt::Debug for Removing {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Removing").field("turn", &self.turn).finish_non_exhaustive()
    }
}

/// What happens to it.
#[derive(Clone)]
pub(crate) enum Message {
    /// They are here.
    Came(Result<Known, Problem>),
    /// Once more.
    Again,
    /// This device gets another name.
    Naming(naming::Message),
    /// This one is to go.
    Remove(String),
    /// The password is typed.
    PasswordChanged(Zeroizing<String>),
    /// Shows or hides it.
    Look,
    /// The device may stay.
    Cancel,
    /// Now.
    Submit,
    /// Time has passed.
    Turned,
    /// It is out, or not.
    Removed(String, Result<(), Problem>),
}

impl std::fmt::Debug for Message {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("devices::Message(…)")
    }
}

impl Message {
    /// Why a device is still in the account.
    pub(super) fn failed(&self) -> Option<&Problem> {
        let Self::Removed(_, Err(problem)) = self else { return None };
        Some(problem)
    }
}

impl DevicesSection {
    pub(super) fn new(backend: Backend) -> Self {
        Self { backend, known: Wanted::Coming, naming: Naming::default(), removing: None, removed: None }
    }

    pub(super) fn load(&self) -> Task<Message> {
        Task::perform(known(self.backend.clone()), Message::Came)
    }

    /// What is listened to: time, while something goes on.
    pub(super) fn subscription(&self) -> Subscription<Message> {
        match self.removing {
            Some(Removing { turn: Some(_), .. }) => parts::turns().map(|()| Message::Turned),
            _ => Subscription::none(),
        }
    }

    pub(super) fn update(&mut self, message: Message) -> Task<Message> {
        let is_working = self.removing.as_ref().is_some_and(|removing| removing.turn.is_some());
        match (message, &mut self.removing) {
            (Message::Came(known), _) => self.came(known),
            (Message::Again, _) => return self.load(),
            (Message::Naming(message), _) => {
                return match self.naming.update(message, &self.backend) {
                    naming::Outcome::Run(task) => task.map(Message::Naming),
                    naming::Outcome::Renamed(task) => task.map(Message::Naming).chain(self.load()),
                };
            }
            (Message::Removed(device, removed), _) => return self.removed(device, removed),
            (Message::Turned, Some(Removing { turn: Some(turn), .. })) => *turn = turn.wrapping_add(1),
            // It cannot be called off any more.
            _ if is_working => {}
            (Message::Remove(device), _) => {
                (self.removing, self.removed) = (Some(Removing::of(device)), None);
                return operation::focus(PASSWORD).chain(reveal());
            }
            (Message::PasswordChanged(text), Some(removing)) if text.len() <= MAX_TEXT => {
                (removing.password, removing.wrong) = (text, None);
            }
            (Message::Look, Some(removing)) => removing.is_shown = !removing.is_shown,
            (Message::Cancel, removing) => {
                let device = removing.take().map(|removing| removing.device);
                return device.map_or_else(Task::none, |device| operation::focus(button(&device)));
            }
            (Message::Submit, Some(_)) => return self.submit(),
            // Too late, or too early.
            _ => {}
        }
        Task::none()
    }

    fn came(&mut self, known: Result<Known, Problem>) {
        let is_there = |device: &str| match &known {
            Ok(known) => known.devices.iter().any(|other| other.device == device),
            Err(_) => true,
        };
        if self.removing.as_ref().is_some_and(|removing| removing.turn.is_none() && !is_there(&removing.device)) {
            self.removing = None;
        }
        self.known.take(known);
    }

    fn submit(&mut self) -> Task<Message> {
        let Wanted::Here(Known { at: Some(at), .. }) = &self.known else { return Task::none() };
        let Some(removing) = &mut self.removing else { return Task::none() };
        if removing.password.is_empty() {
            removing.wrong = Some(Wrong::Empty);
            return operation::focus(PASSWORD);
        }
        (removing.wrong, removing.turn) = (None, Some(0));
        let device = removing.device.clone();
        let registration = at.clone().with_password(removing.password.clone());
        let remove = self.backend.clone().remove_device(registration, device.clone());
        Task::perform(remove, move |removed| Message::Removed(device.clone(), removed))
    }

    fn removed(&mut self, device: String, removed: Result<(), Problem>) -> Task<Message> {
        match removed {
            Ok(()) => {
                self.removing = None;
                let mut called = shown(&device);
                if let Wanted::Here(known) = &mut self.known {
                    called = known.devices.iter().find(|other| other.device == device).map_or(called, title);
                    known.devices.retain(|other| other.device != device);
                }
                self.removed = Some(called);
                self.load()
            }
            Err(problem) => {
                // Whoever left the settings meanwhile sees it here all the same.
                let removing = self.removing.get_or_insert_with(|| Removing::of(device));
                (removing.wrong, removing.turn) = (Some(Wrong::Refused(problem)), None);
                operation::focus(PASSWORD).chain(reveal())
            }
        }
    }

    pub(super) fn view<'a>(&'a self, context: Context<'_>) -> Element<'a, Message> {
        let i18n = context.i18n;
        let devices = self.known.view(i18n, Message::Again, |known| {
            let rows = known.devices.iter().map(|device| self.row(device, known.at.is_some(), context));
            parts::group(None, rows)
        });
        let removed = self.removed.as_ref().map(|device| {
            row![ui::caption(i18n.tr_with("settings-device-removed", [("device", device.as_str().into())]))].into()
        });
        let again = parts::with_icon(Icon::RefreshCw, i18n.tr("settings-refresh"), Some(Message::Again));
        let words = row![ui::caption(i18n.tr("settings-devices-words"))].into();
        parts::groups([devices].into_iter().chain(removed).chain([words, row![again].into()]))
    }

    /// A device, and below it what it takes to name or to remove it.
    fn row<'a>(&'a self, device: &DeviceInfo, is_removable: bool, context: Context<'_>) -> Element<'a, Message> {
        if device.this {
            let rename = self.naming.button(device, context.i18n).map(|button| button.map(Message::Naming));
            let field = self.naming.view(device, context.i18n).map(|field| field.map(Message::Naming));
            return column![line(device, rename, context)].push(field).into();
        }
        match self.removing.as_ref().filter(|removing| removing.device == device.device) {
            Some(removing) => column![line(device, None, context), removing.view(context.i18n)].into(),
            None => {
                let is_free = self.removing.as_ref().is_none_or(|removing| removing.turn.is_none());
                let remove = is_removable.then(|| {
                    let message = is_free.then(|| Message::Remove(device.device.clone()));
                    parts::icon_and_words(Icon::Trash2, context.i18n.tr("settings-device-remove"), message)
                        .id(button(&device.device))
                        .into()
                });
                line(device, remove, context)
            }
        }
    }
}

impl Removing {
    fn of(device: String) -> Self {
        Self { device, password: Zeroizing::default(), is_shown: false, wrong: None, turn: None }
    }

    fn view<'a>(&'a self, i18n: &I18n) -> Element<'a, Message> {
        let words = text(i18n.tr("settings-device-remove-words")).size(metric::BODY);
        if let Some(turn) = self.turn {
            let working = parts::working(turn, i18n.tr("settings-device-removing"));
            return padded(column![words, working].spacing(metric::PAD));
        }
        let (beside, below) = match &self.wrong {
            None => (None, None),
            Some(Wrong::Empty) => (Some(i18n.tr("secret-empty")), None),
            Some(Wrong::Refused(problem)) if problem.code == "wrong_password" => (Some(problem.sentence(i18n)), None),
            Some(Wrong::Refused(problem)) => (None, Some(form::error(problem.sentence(i18n)))),
        };
        let password = Secret {
            id: PASSWORD,
            name: i18n.tr("settings-device-password"),
            value: &self.password,
            wrong: beside,
            is_shown: self.is_shown,
            eye: Some(Message::Look),
        };
        let buttons = row![
            form::button(i18n.tr("settings-device-remove-now")).style(theme::button::danger).on_press(Message::Submit),
            form::button(i18n.tr("cancel")).style(theme::button::quiet).on_press(Message::Cancel),
        ];
        let content = column![words, password.view(i18n, Message::PasswordChanged, Message::Submit)]
            .push(below)
            .push(buttons.spacing(metric::SMALL).wrap())
            .spacing(metric::PAD);
        focus_scope(padded(content)).on_escape(Message::Cancel).into()
    }
}

fn padded<'a>(content: impl Into<Element<'a, Message>>) -> Element<'a, Message> {
    container(content).padding(metric::GAP).into()
}

async fn known(backend: Backend) -> Result<Known, Problem> {
    let at = At::of(&backend.clone().me().await?);
    Ok(Known { devices: backend.devices().await?, at })
}

/// The id of the button that is to remove a device.
fn button(device: &str) -> String {
    format!("settings-device-remove-{device}")
}

/// The beginning of an id.
fn shown(device: &str) -> String {
    device.chars().take(SHOWN).collect()
}

/// What a device is called; the beginning of its id if nobody said that.
fn title(device: &DeviceInfo) -> String {
    device.called().map_or_else(|| shown(&device.device), |name| one_line(name, LONGEST))
}

fn line<'a>(device: &DeviceInfo, action: Option<Element<'a, Message>>, context: Context<'_>) -> Element<'a, Message> {
    let i18n = context.i18n;
    let since = context.clock.day_within(i18n, device.created_ms, context.now_ms);
    let state = match (device.this, device.path.as_deref()) {
        (true, _) => i18n.tr("settings-device-here"),
        (false, Some(path)) if device.connected => {
            i18n.try_tr(&format!("path-{path}")).map_or_else(|| path.to_owned(), |words| within(&words))
        }
        _ => i18n.tr("settings-device-away"),
    };
    let this = device.this.then(|| parts::tag(i18n.tr("settings-device-this")));
    let title = text(title(device)).size(metric::BODY).wrapping(text::Wrapping::WordOrGlyph);
    let is_called = device.called().is_some();
    let title = row![title.font(if is_called { font::MEDIUM } else { font::MONO })].push(this);
    let since = i18n.tr_with("settings-device-since", [("day", since.into()), ("state", state.into())]);
    let system = device.system.as_deref().map(|system| one_line(system, LONGEST));
    let details = system.map_or_else(|| since.clone(), |system| format!("{system} · {since}"));
    let id =
        is_called.then(|| text(shown(&device.device)).size(metric::CAPTION).font(font::MONO).style(theme::text::muted));
    let words = column![title.spacing(metric::SMALL).align_y(Alignment::Center).wrap(), ui::caption(details)].push(id);
    let sign = if device.this || device.connected { Icon::Laptop } else { Icon::WifiOff };
    row![ui::icon(sign), words.spacing(metric::TIGHT / 2.0).width(Length::Fill)]
        .push(action)
        .spacing(metric::GAP)
        .padding([metric::SMALL, metric::GAP])
        .align_y(Alignment::Center)
        .into()
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::snapshots::NOON;

    /// One that its owner has lost.
    pub(in super::super) const LOST: &str = "ffff222233334444";

    /// Three devices of an account at a relay.
    pub(in super::super) fn known() -> Known {
        let device = |device: &str, this, connected, name: Option<&str>, machine: Option<&str>| DeviceInfo {
            device: device.into(),
            this,
            connected,
            path: (!this).then(|| "lan".to_owned()),
            created_ms: NOON,
            name: name.map(str::to_owned),
            machine: machine.map(str::to_owned),
            system: machine.map(|_| "Linux".to_owned()),
        };
        let devices = vec![
            device("aaaabbbbccccdddd", true, false, Some("Anna’s laptop"), Some("anna-laptop")),
            device("eeee00001111aaaa", false, true, None, Some("desk")),
            device(LOST, false, false, None, None),
        ];
        let at = At::of(&super::super::snapshots::me());
        Known { devices, at }
    }

    fn section() -> DevicesSection {
        let mut section = DevicesSection::new(Backend::detached().0);
        let _ = section.update(Message::Came(Ok(known())));
        section
    }

    fn typed(section: &mut DevicesSection, password: &str) {
        let _ = section.update(Message::PasswordChanged(Zeroizing::new(password.to_owned())));
    }

    fn is_asked(section: &DevicesSection) -> bool {
        section.removing.as_ref().is_some_and(|removing| removing.turn.is_some())
    }

    /// The relay is asked to remove the lost one.
    fn asked() -> DevicesSection {
        let mut section = section();
        let _ = section.update(Message::Remove(LOST.into()));
        typed(&mut section, "correct horse battery");
        let _ = section.update(Message::Submit);
        assert!(is_asked(&section));
        section
    }

    #[test]
    fn nothing_is_removed_without_a_device_and_a_password() {
        let mut section = section();
        let _ = section.update(Message::Submit);
        assert!(section.removing.is_none());
        let _ = section.update(Message::Remove(LOST.into()));
        let _ = section.update(Message::Submit);
        assert!(!is_asked(&section) && matches!(section.removing, Some(Removing { wrong: Some(Wrong::Empty), .. })));
        typed(&mut section, "c");
        assert!(matches!(section.removing, Some(Removing { wrong: None, .. })), "it is being mended");
        typed(&mut section, &"c".repeat(MAX_TEXT + 1));
        assert_eq!(section.removing.as_ref().unwrap().password.as_str(), "c");
        let _ = section.update(Message::Cancel);
        assert!(section.removing.is_none());
    }

    #[test]
    fn the_password_goes_with_the_device_that_it_was_typed_for_and_is_in_no_log() {
        let mut section = asked();
        assert!(!format!("{section:?}").contains("horse"));
        section.removing = None;
        let _ = section.update(Message::Remove(LOST.into()));
        typed(&mut section, "correct horse battery");
        let _ = section.update(Message::Remove("eeee00001111aaaa".into()));
        let removing = section.removing.as_ref().unwrap();
        assert_eq!((removing.device.as_str(), removing.password.as_str()), ("eeee00001111aaaa", ""));
    }

    #[test]
    fn a_device_is_removed_once_and_that_cannot_be_called_off() {
        let mut section = asked();
        for message in [Message::Submit, Message::Cancel, Message::Remove("eeee00001111aaaa".into()), Message::Look] {
            let _ = section.update(message);
            let removing = section.removing.as_ref().unwrap();
            assert_eq!((removing.device.as_str(), removing.turn, removing.is_shown), (LOST, Some(0), false));
        }
        let _ = section.update(Message::Turned);
        assert_eq!(section.removing.as_ref().unwrap().turn, Some(1));
        let _ = section.update(Message::Removed(LOST.into(), Ok(())));
        let Wanted::Here(known) = &section.known else { panic!("{section:?}") };
        assert!(section.removing.is_none() && known.devices.iter().all(|device| device.device != LOST));
        assert_eq!(section.removed.as_deref(), Some("ffff22223333"));
    }

    #[test]
    fn what_was_typed_is_kept_when_the_relay_refuses_and_a_page_that_is_new_says_so_too() {
        let refused = || Message::Removed(LOST.into(), Err(Problem::new("wrong_password", "")));
        assert_eq!(refused().failed().unwrap().code, "wrong_password");
        let mut section = asked();
        let _ = section.update(refused());
        let removing = section.removing.as_ref().unwrap();
        assert!(matches!(removing, Removing { turn: None, wrong: Some(Wrong::Refused(_)), .. }));
        assert_eq!(removing.password.as_str(), "correct horse battery");
        let mut anew = self::section();
        let _ = anew.update(refused());
        assert!(matches!(anew.removing, Some(Removing { wrong: Some(Wrong::Refused(_)), .. })));
    }

    #[test]
    fn a_device_that_has_gone_meanwhile_is_not_removed_any_more() {
        let mut section = section();
        let _ = section.update(Message::Remove(LOST.into()));
        let _ = section.update(Message::Came(Err(Problem::new("ending", ""))));
        assert!(section.removing.is_some());
        let mut rest = known();
        rest.devices.retain(|device| device.device != LOST);
        let _ = section.update(Message::Came(Ok(rest)));
        assert!(section.removing.is_none());
    }
}
