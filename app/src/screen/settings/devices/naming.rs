//! Naming this device.

use iced::Task;
use iced::widget::{column, container, operation, row};
use kith_core::wire::control::{DeviceInfo, Request};

use crate::backend::Backend;
use crate::format::one_line;
use crate::i18n::I18n;
use crate::problem::Problem;
use crate::screen::settings::parts;
use crate::theme::{self, Element, Icon, metric};
use crate::ui::form;
use crate::widget::focus_scope::focus_scope;
use crate::widget::reveal::reveal;

pub(crate) const NAME: &str = "settings-device-name";
const OPEN: &str = "settings-device-rename";

/// The longest name that the core takes, in characters.
const MAX_NAME: usize = 64;

/// More is not taken from the keyboard or the clipboard.
const MAX_TYPED: usize = 1024;

/// The name of this device, while it is changed.
#[derive(Debug, Default)]
pub(super) struct Naming {
    open: Option<Open>,
}

#[derive(Debug)]
struct Open {
    before: String,
    typed: String,
    is_saving: bool,
    wrong: Option<Problem>,
}

/// What happens to it.
#[derive(Debug, Clone)]
pub(crate) enum Message {
    /// It is to be changed; so it is called now.
    Open(String),
    /// Something was typed.
    Changed(String),
    /// Say it.
    Save,
    /// It is said, or not.
    Saved(Result<(), Problem>),
    /// It stays as it is.
    Cancel,
}

/// What is to be done now.
pub(super) enum Outcome {
    Run(Task<Message>),
    /// The device has another name.
    Renamed(Task<Message>),
}

impl Naming {
    pub(super) fn update(&mut self, message: Message, backend: &Backend) -> Outcome {
        match (message, &mut self.open) {
            (Message::Open(before), None) => {
                let typed = before.clone();
                self.open = Some(Open { before, typed, is_saving: false, wrong: None });
                let field = operation::focus(NAME).chain(operation::select_all(NAME));
                return Outcome::Run(field.chain(reveal()));
            }
            (Message::Changed(text), Some(open)) if text.len() <= MAX_TYPED && !open.is_saving => {
                (open.typed, open.wrong) = (text, None);
            }
            (Message::Save, Some(open)) if !open.is_changed() => return Outcome::Run(self.close()),
            (Message::Save, Some(open)) if open.may_save() => {
                open.is_saving = true;
                let request = Request::NameDevice { name: open.typed.trim().to_owned() };
                return Outcome::Run(Task::perform(backend.clone().command(request), Message::Saved));
            }
            (Message::Saved(Ok(())), _) => return Outcome::Renamed(self.close()),
            (Message::Saved(Err(problem)), Some(open)) => {
                (open.is_saving, open.wrong) = (false, Some(problem));
                return Outcome::Run(operation::focus(NAME).chain(reveal()));
            }
            (Message::Cancel, Some(open)) if !open.is_saving => return Outcome::Run(self.close()),
            // Too late, or too early.
            _ => {}
        }
        Outcome::Run(Task::none())
    }

    fn close(&mut self) -> Task<Message> {
        self.open.take().map_or_else(Task::none, |_| operation::focus(OPEN))
    }

    /// The button that begins it; none while it goes on.
    pub(super) fn button<'a>(&self, device: &DeviceInfo, i18n: &I18n) -> Option<Element<'a, Message>> {
        let message = Message::Open(device.called().unwrap_or_default().to_owned());
        let button = || parts::icon_and_words(Icon::Pencil, i18n.tr("settings-device-rename"), Some(message)).id(OPEN);
        self.open.is_none().then(|| button().into())
    }

    /// The field, while it goes on.
    pub(super) fn view<'a>(&'a self, device: &DeviceInfo, i18n: &I18n) -> Option<Element<'a, Message>> {
        let open = self.open.as_ref()?;
        let machine = device.machine.as_deref().map(|machine| one_line(machine, MAX_NAME));
        let hint = match machine.clone() {
            Some(machine) => i18n.tr_with("settings-device-name-hint-machine", [("machine", machine.into())]),
            None => i18n.tr("settings-device-name-hint"),
        };
        let wrong = match &open.wrong {
            Some(problem) => Some(problem.sentence(i18n)),
            None => parts::too_long(&open.typed, MAX_NAME, i18n),
        };
        let field = form::field(NAME, i18n.tr("settings-device-name"), &open.typed)
            .placeholder(machine.unwrap_or_default())
            .hint(hint)
            .wrong(wrong)
            .view(Some(Message::Changed), Some(Message::Save));
        let buttons = row![
            form::button(i18n.tr("settings-save"))
                .style(theme::button::primary)
                .on_press_maybe(open.may_save().then_some(Message::Save)),
            form::button(i18n.tr("cancel")).style(theme::button::quiet).on_press(Message::Cancel),
        ];
        let content = column![field, buttons.spacing(metric::SMALL).wrap()].spacing(metric::PAD);
        Some(focus_scope(container(content).padding(metric::GAP)).on_escape(Message::Cancel).into())
    }
}

impl Open {
    fn is_changed(&self) -> bool {
        self.typed.trim() != self.before
    }

    fn may_save(&self) -> bool {
        self.is_changed() && !self.is_saving && parts::fits(&self.typed, MAX_NAME)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open(naming: &mut Naming) -> &mut Open {
        naming.open.as_mut().expect("the field")
    }

    fn tell(naming: &mut Naming, message: Message) -> bool {
        matches!(naming.update(message, &Backend::detached().0), Outcome::Renamed(_))
    }

    fn typed(before: &str, text: &str) -> Naming {
        let mut naming = Naming::default();
        tell(&mut naming, Message::Open(before.to_owned()));
        tell(&mut naming, Message::Changed(text.to_owned()));
        naming
    }

    #[test]
    fn what_is_the_same_is_not_said_and_what_is_too_long_cannot_be() {
        let mut same = typed("desk", " desk ");
        tell(&mut same, Message::Save);
        assert!(same.open.is_none());
        let mut long = typed("desk", &"ж".repeat(MAX_NAME + 1));
        tell(&mut long, Message::Save);
        assert!(!open(&mut long).is_saving);
        tell(&mut long, Message::Changed("ж".repeat(MAX_TYPED)));
        assert_eq!(open(&mut long).typed.chars().count(), MAX_NAME + 1);
        tell(&mut long, Message::Changed("ж".repeat(MAX_NAME)));
        tell(&mut long, Message::Save);
        assert!(open(&mut long).is_saving);
    }

    #[test]
    fn what_is_being_said_cannot_be_called_off_and_is_kept_when_it_fails() {
        let mut naming = typed("desk", "");
        tell(&mut naming, Message::Save);
        for message in [Message::Save, Message::Cancel, Message::Changed("other".into()), Message::Open("x".into())] {
            tell(&mut naming, message);
            let open = open(&mut naming);
            assert_eq!((open.typed.as_str(), open.is_saving), ("", true));
        }
        tell(&mut naming, Message::Saved(Err(Problem::new("disk", ""))));
        assert!(!open(&mut naming).is_saving && open(&mut naming).wrong.is_some());
        tell(&mut naming, Message::Changed("other".into()));
        assert!(open(&mut naming).wrong.is_none(), "it is being mended");
        tell(&mut naming, Message::Save);
        assert!(tell(&mut naming, Message::Saved(Ok(()))) && naming.open.is_none());
        // A page that is new since then lists the devices anew all the same.
        assert!(tell(&mut naming, Message::Saved(Ok(()))));
    }
}
