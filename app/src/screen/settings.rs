//! The settings, inside the main window: a list of sections, and the one that is looked at.
//!
//! What belongs to the window is [`Change`]d by the parent; what belongs to the account is asked of the core.

mod account;
mod data;
#[cfg(target_os = "linux")]
mod desktop;
mod devices;
mod diagnostics;
mod look;
mod parts;
mod password;
mod privacy;
mod profile;
#[cfg(test)]
mod snapshots;
mod sound;
mod speech;

use iced::widget::{Column, column, container, row, scrollable, space, text};
use iced::{Alignment, Length, Subscription, Task};
use kith_core::wire::control::SpeechModel;

use crate::app::Context;
use crate::backend::Backend;
use crate::i18n::I18n;
use crate::problem::Problem;
use crate::settings::Change;
use crate::theme::{self, Element, Icon, choice, font, metric};
use crate::ui::{self, form};
use crate::widget::press::press;

use account::AccountSection;
use data::DataSection;
use devices::DevicesSection;
use diagnostics::Diagnostics;
use privacy::PrivacySection;
use profile::ProfileSection;
use sound::SoundSection;
use speech::SpeechSection;

/// A part of the settings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Section {
    /// What others see of oneself.
    Profile,
    /// The relay, and who one is there.
    Account,
    /// The account's devices.
    Devices,
    /// What others are told.
    Privacy,
    /// What the system tells.
    Notifications,
    /// Microphones and speakers.
    Sound,
    /// What is said, as text.
    Speech,
    /// Colours and sizes.
    Appearance,
    /// The words.
    Language,
    /// Taking everything along, and leaving nothing behind.
    Data,
    /// How everything is reached.
    Diagnostics,
    /// What this is.
    About,
}

impl Section {
    const ALL: [Self; 12] = [
        Self::Profile,
        Self::Account,
        Self::Devices,
        Self::Privacy,
        Self::Notifications,
        Self::Sound,
        Self::Speech,
        Self::Appearance,
        Self::Language,
        Self::Data,
        Self::Diagnostics,
        Self::About,
    ];

    const fn icon(self) -> Icon {
        match self {
            Self::Profile => Icon::User,
            Self::Account => Icon::Server,
            Self::Devices => Icon::Laptop,
            Self::Privacy => Icon::Shield,
            Self::Notifications => Icon::Bell,
            Self::Sound => Icon::Mic,
            Self::Speech => Icon::Type,
            Self::Appearance => Icon::Palette,
            Self::Language => Icon::Languages,
            Self::Data => Icon::Database,
            Self::Diagnostics => Icon::Activity,
            Self::About => Icon::Info,
        }
    }

    fn title(self, i18n: &I18n) -> String {
        match self {
            Self::Profile => i18n.tr("settings-profile"),
            Self::Account => i18n.tr("settings-account"),
            Self::Devices => i18n.tr("settings-devices"),
            Self::Privacy => i18n.tr("settings-privacy"),
            Self::Notifications => i18n.tr("settings-notifications"),
            Self::Sound => i18n.tr("settings-sound"),
            Self::Speech => i18n.tr("settings-speech"),
            Self::Appearance => i18n.tr("settings-appearance"),
            Self::Language => i18n.tr("settings-language"),
            Self::Data => i18n.tr("settings-data"),
            Self::Diagnostics => i18n.tr("settings-diagnostics"),
            Self::About => i18n.tr("settings-about"),
        }
    }
}

/// The settings.
#[derive(Debug)]
pub(crate) struct SettingsPage {
    section: Section,
    /// In a narrow window: the list is shown, not the section.
    is_list: bool,
    /// The size of text while it is being dragged.
    percent: Option<u16>,
    profile: ProfileSection,
    account: AccountSection,
    devices: DevicesSection,
    privacy: PrivacySection,
    sound: SoundSection,
    speech: SpeechSection,
    data: DataSection,
    diagnostics: Diagnostics,
    #[cfg(target_os = "linux")]
    desktop: desktop::DesktopSection,
}

/// What happens.
#[derive(Debug, Clone)]
pub(crate) enum Message {
    /// Another section.
    Show(Section),
    /// Back to the list of them, where the window shows only one.
    ShowList,
    /// Away from the settings.
    Close,
    /// Something of the window's.
    Set(Change),
    /// The size of text is being dragged.
    PercentDragged(u16),
    /// It was let go.
    PercentReleased,
    /// Of the profile.
    Profile(profile::Message),
    /// Of privacy.
    Privacy(privacy::Message),
    /// Of sound.
    Sound(sound::Message),
    /// Of speech.
    Speech(speech::Message),
    /// Of data.
    Data(data::Message),
    /// Of relay and account.
    Account(account::Message),
    /// Of devices.
    Devices(devices::Message),
    /// Of diagnostics.
    Diagnostics(diagnostics::Message),
    /// Of the desktop's programs.
    #[cfg(target_os = "linux")]
    Desktop(desktop::Message),
}

impl Message {
    /// It holds a recovery code that is shown once: it is shown even to who has left the settings.
    pub(crate) fn holds_code(&self) -> bool {
        matches!(self, Self::Account(account::Message::Password(message)) if message.holds_code())
    }

    /// Why something was not done that goes on when the settings are left.
    pub(crate) fn failed(&self) -> Option<&Problem> {
        let Self::Devices(message) = self else { return None };
        message.failed()
    }
}

#[cfg(test)]
impl Message {
    /// The password has changed, with a new recovery code if there is one.
    pub(crate) fn password_changed(code: Option<zeroize::Zeroizing<String>>) -> Self {
        Self::Account(account::Message::Password(password::Message::Changed(Ok(code))))
    }
}

/// What the main window does then.
#[derive(Debug)]
pub(crate) enum Action {
    /// Nothing.
    None,
    /// Carries this out.
    Run(Task<Message>),
    /// Sets this.
    Set(Change),
    /// What plays goes on at this speaker, or the default one; and this.
    Speaker(Option<String>, Task<Message>),
    /// Shows the chats again.
    Close,
    /// The profile is gone.
    Erased,
}

impl SettingsPage {
    /// Looks at this section first.
    pub(crate) fn new(section: Section, backend: Backend) -> (Self, Task<Message>) {
        let mut page = Self {
            profile: ProfileSection::new(backend.clone()),
            account: AccountSection::new(backend.clone()),
            devices: DevicesSection::new(backend.clone()),
            privacy: PrivacySection::new(backend.clone()),
            sound: SoundSection::new(backend.clone()),
            speech: SpeechSection::new(backend.clone()),
            data: DataSection::new(backend.clone()),
            diagnostics: Diagnostics::new(backend),
            #[cfg(target_os = "linux")]
            desktop: desktop::DesktopSection::default(),
            section,
            is_list: false,
            percent: None,
        };
        let load = page.load();
        (page, load)
    }

    /// What the section shows is asked for.
    fn load(&mut self) -> Task<Message> {
        match self.section {
            Section::Profile => self.profile.load().map(Message::Profile),
            Section::Privacy => self.privacy.load().map(Message::Privacy),
            Section::Account => self.account.load().map(Message::Account),
            Section::Devices => self.devices.load().map(Message::Devices),
            Section::Sound => self.sound.load().map(Message::Sound),
            Section::Speech => self.speech.load().map(Message::Speech),
            Section::Diagnostics => self.diagnostics.load().map(Message::Diagnostics),
            #[cfg(target_os = "linux")]
            Section::Notifications => desktop::DesktopSection::load().map(Message::Desktop),
            #[cfg(not(target_os = "linux"))]
            Section::Notifications => Task::none(),
            Section::Appearance | Section::Language | Section::Data | Section::About => Task::none(),
        }
    }

    /// What is listened to while it is shown.
    pub(crate) fn subscription(&self) -> Subscription<Message> {
        match self.section {
            Section::Sound if !self.is_list => SoundSection::subscription().map(Message::Sound),
            Section::Account => self.account.subscription().map(Message::Account),
            Section::Devices => self.devices.subscription().map(Message::Devices),
            _ => Subscription::none(),
        }
    }

    /// The core tells how a model of speech stands.
    pub(crate) fn model_changed(&mut self, model: SpeechModel) -> Task<Message> {
        self.speech.model_changed(model).map(Message::Speech)
    }

    /// Something happened.
    pub(crate) fn update(&mut self, message: Message, context: Context<'_>) -> Action {
        match message {
            Message::Show(section) => {
                self.sound.leave();
                (self.section, self.is_list) = (section, false);
                Action::Run(self.load())
            }
            Message::ShowList => {
                self.sound.leave();
                self.is_list = true;
                Action::None
            }
            Message::Close => Action::Close,
            Message::Set(change) => Action::Set(change),
            Message::PercentDragged(percent) => {
                self.percent = Some(percent);
                Action::None
            }
            // Only now: the window would grow under the pointer that drags.
            Message::PercentReleased => {
                self.percent.take().map_or(Action::None, |percent| Action::Set(Change::TextPercent(percent)))
            }
            Message::Profile(message) => Action::Run(self.profile.update(message, context.i18n).map(Message::Profile)),
            Message::Privacy(message) => Action::Run(self.privacy.update(message).map(Message::Privacy)),
            Message::Sound(message) => match self.sound.update(message) {
                sound::Outcome::Run(task) => Action::Run(task.map(Message::Sound)),
                sound::Outcome::Speaker(speaker, task) => Action::Speaker(speaker, task.map(Message::Sound)),
            },
            Message::Speech(message) => Action::Run(self.speech.update(message, context).map(Message::Speech)),
            Message::Data(message) => match self.data.update(message, context) {
                data::Outcome::Run(task) => Action::Run(task.map(Message::Data)),
                data::Outcome::Erased => Action::Erased,
            },
            Message::Account(message) => Action::Run(self.account.update(message, context.i18n).map(Message::Account)),
            Message::Devices(message) => Action::Run(self.devices.update(message).map(Message::Devices)),
            #[cfg(target_os = "linux")]
            Message::Desktop(message) => Action::Run(self.desktop.update(message).map(Message::Desktop)),
            Message::Diagnostics(message) => {
                Action::Run(self.diagnostics.update(message, context).map(Message::Diagnostics))
            }
        }
    }

    /// What is drawn.
    pub(crate) fn view<'a>(&'a self, context: Context<'_>) -> Element<'a, Message> {
        let is_narrow = context.size.width < metric::SINGLE;
        let list = |width: Length| container(self.list(context.i18n, is_narrow)).width(width).height(Length::Fill);
        if is_narrow && self.is_list {
            return list(Length::Fill).style(theme::container::surface).into();
        }
        let content = self.content(context, is_narrow);
        if is_narrow {
            return content;
        }
        let line = container(space().width(1.0)).height(Length::Fill).style(theme::container::line);
        let list = list(choice::SECTIONS.into()).style(theme::container::surface);
        row![list, line, content].height(Length::Fill).into()
    }

    fn list(&self, i18n: &I18n, is_narrow: bool) -> Element<'_, Message> {
        let head = row![
            text(i18n.tr("settings")).size(metric::HEADING).font(font::SEMIBOLD).width(Length::Fill),
            form::icon_button(Icon::X, i18n.tr("close"), Some(Message::Close)),
        ]
        .padding([0.0, metric::SMALL])
        .height(metric::BAR)
        .align_y(Alignment::Center);
        let sections = Section::ALL.map(|section| {
            let words = text(section.title(i18n)).size(metric::BODY).width(Length::Fill);
            press(row![ui::icon(section.icon()), words].spacing(metric::GAP).align_y(Alignment::Center))
                .width(Length::Fill)
                .padding([metric::SMALL + 1.0, metric::GAP])
                .style(theme::button::row(section == self.section && !is_narrow))
                .on_press(Message::Show(section))
                .into()
        });
        let sections = Column::with_children(sections).spacing(metric::TIGHT / 2.0);
        column![head, scrollable(sections).height(Length::Fill)].padding([0.0, metric::SMALL]).into()
    }

    fn content<'a>(&'a self, context: Context<'_>, is_narrow: bool) -> Element<'a, Message> {
        let i18n = context.i18n;
        let back = is_narrow.then(|| form::icon_button(Icon::ArrowLeft, i18n.tr("back"), Some(Message::ShowList)));
        let close = is_narrow.then(|| form::icon_button(Icon::X, i18n.tr("close"), Some(Message::Close)));
        let title = text(self.section.title(i18n)).size(metric::HEADING).font(font::SEMIBOLD).width(Length::Fill);
        let head = row![].push(back).push(title).push(close).spacing(metric::SMALL).align_y(Alignment::Center);
        let section = match self.section {
            Section::Account => self.account.view(context).map(Message::Account),
            Section::Devices => self.devices.view(context).map(Message::Devices),
            #[cfg(target_os = "linux")]
            Section::Notifications => {
                let desktop = self.desktop.view(context).map(Message::Desktop);
                parts::groups([look::notifications(context), desktop])
            }
            #[cfg(not(target_os = "linux"))]
            Section::Notifications => look::notifications(context),
            Section::Appearance => look::appearance(context, self.percent),
            Section::Language => look::language(context),
            Section::Diagnostics => self.diagnostics.view(context).map(Message::Diagnostics),
            Section::About => look::about(i18n),
            Section::Profile => self.profile.view(context).map(Message::Profile),
            Section::Privacy => self.privacy.view(context).map(Message::Privacy),
            Section::Sound => self.sound.view(context).map(Message::Sound),
            Section::Speech => self.speech.view(context).map(Message::Speech),
            Section::Data => self.data.view(context).map(Message::Data),
        };
        let section = container(section).max_width(choice::SECTION).padding([0.0, metric::WIDE]);
        let scrolled =
            scrollable(container(section).padding(iced::Padding { bottom: metric::WIDE, ..iced::Padding::ZERO }));
        let head = container(head).height(metric::BAR).align_y(Alignment::Center).padding([0.0, metric::WIDE]);
        container(column![head, scrolled.width(Length::Fill).height(Length::Fill)])
            .width(Length::Fill)
            .height(Length::Fill)
            .style(theme::container::background)
            .into()
    }
}

#[cfg(test)]
mod tests;
