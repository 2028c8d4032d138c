//! The first page: what this is, and three ways in.

use iced::widget::{column, container, image, text};
use iced::{Alignment, Length};
use kith_core::client::entry::Invite;

use super::{Kind, Message};
use crate::format;
use crate::i18n::I18n;
use crate::theme::{self, Element, Icon, font, metric};
use crate::ui::{self, choice};

/// A name that is longer is cut.
const MAX_NAME: usize = 40;

/// The picture, if it can be read.
pub(super) fn logo() -> Option<image::Handle> {
    let picture = ::image::load_from_memory(include_bytes!("../../../../assets/icons/kith-128.png")).ok()?.into_rgba8();
    Some(image::Handle::from_rgba(picture.width(), picture.height(), picture.into_raw()))
}

/// What is drawn; `link` was opened with the program.
pub(super) fn view<'a>(i18n: &I18n, logo: Option<&image::Handle>, link: Option<&str>) -> Element<'a, Message> {
    let logo = logo.map(|logo| image(logo.clone()).width(metric::AVATAR_LARGE).height(metric::AVATAR_LARGE));
    let invited = link.and_then(|link| Invite::from_link(link).ok()).and_then(|invite| invite.handle).map(|handle| {
        let name = format::one_line(handle.as_str(), MAX_NAME);
        let words = text(i18n.tr_with("welcome-invited", [("name", name.into())])).size(metric::BODY);
        container(words.width(Length::Fill).center()).padding(metric::GAP).style(theme::container::card)
    });
    let head = column![]
        .push(logo)
        .push(text(i18n.tr("welcome-title")).size(metric::TITLE).font(font::SEMIBOLD).center())
        .push(text(i18n.tr("welcome-words")).size(metric::BODY).style(theme::text::muted).center())
        .spacing(metric::GAP)
        .width(Length::Fill)
        .align_x(Alignment::Center);
    let ways = column![
        way(Icon::UserPlus, i18n.tr("welcome-create"), i18n.tr("welcome-create-words"), Kind::Create),
        way(Icon::KeyRound, i18n.tr("welcome-log-in"), i18n.tr("welcome-log-in-way"), Kind::LogIn),
        way(Icon::Wifi, i18n.tr("welcome-local"), i18n.tr("welcome-local-words"), Kind::Local),
    ];
    column![head]
        .push(invited)
        .push(ways.spacing(metric::GAP))
        .push(container(ui::caption(i18n.tr("welcome-privacy"))).center_x(Length::Fill))
        .spacing(metric::WIDE)
        .into()
}

fn way<'a>(icon: Icon, title: String, words: String, kind: Kind) -> Element<'a, Message> {
    choice::leads(icon, title, words, Message::Chose(kind))
}
