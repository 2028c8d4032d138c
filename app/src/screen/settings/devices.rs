//! The account's devices.

use iced::widget::{column, row, text};
use iced::{Alignment, Length, Task};
use kith_core::wire::control::DeviceInfo;

use super::parts::{self, Wanted};
use crate::app::Context;
use crate::backend::Backend;
use crate::problem::Problem;
use crate::theme::{Element, Icon, font, metric};
use crate::ui;

/// Letters of a device's id that tell it from the others.
const SHOWN: usize = 12;

/// The devices.
#[derive(Debug)]
pub(super) struct DevicesSection {
    backend: Backend,
    devices: Wanted<Vec<DeviceInfo>>,
}

/// What happens to it.
#[derive(Debug, Clone)]
pub(crate) enum Message {
    /// They are here.
    Came(Result<Vec<DeviceInfo>, Problem>),
    /// Once more.
    Again,
}

impl DevicesSection {
    pub(super) fn new(backend: Backend) -> Self {
        Self { backend, devices: Wanted::Coming }
    }

    pub(super) fn load(&self) -> Task<Message> {
        Task::perform(self.backend.clone().devices(), Message::Came)
    }

    pub(super) fn update(&mut self, message: Message) -> Task<Message> {
        match message {
            Message::Came(devices) => {
                self.devices.take(devices);
                Task::none()
            }
            Message::Again => self.load(),
        }
    }

    pub(super) fn view<'a>(&'a self, context: Context<'_>) -> Element<'a, Message> {
        let i18n = context.i18n;
        let devices = self.devices.view(i18n, Message::Again, |devices| {
            parts::group(None, devices.iter().map(|device| line(device, context)))
        });
        let again = parts::with_icon(Icon::RefreshCw, i18n.tr("settings-refresh"), Some(Message::Again));
        parts::groups([devices, row![ui::caption(i18n.tr("settings-devices-words"))].into(), row![again].into()])
    }
}

fn line<'a>(device: &DeviceInfo, context: Context<'_>) -> Element<'a, Message> {
    let i18n = context.i18n;
    let id: String = device.device.chars().take(SHOWN).collect();
    let since = context.clock.heading(i18n, device.created_ms, context.now_ms);
    let state = match (device.this, device.path.as_deref()) {
        (true, _) => i18n.tr("settings-device-here"),
        (false, Some(path)) if device.connected => {
            i18n.try_tr(&format!("path-{path}")).unwrap_or_else(|| path.to_owned())
        }
        _ => i18n.tr("settings-device-away"),
    };
    let this = device.this.then(|| parts::tag(i18n.tr("settings-device-this")));
    let name = row![text(id).size(metric::BODY).font(font::MONO)].push(this);
    let words = column![
        name.spacing(metric::SMALL).align_y(Alignment::Center),
        ui::caption(i18n.tr_with("settings-device-since", [("day", since.into()), ("state", state.into())])),
    ];
    let sign = if device.this || device.connected { Icon::Laptop } else { Icon::WifiOff };
    row![ui::icon(sign), words.spacing(metric::TIGHT / 2.0).width(Length::Fill)]
        .spacing(metric::GAP)
        .padding([metric::SMALL, metric::GAP])
        .align_y(Alignment::Center)
        .into()
}
