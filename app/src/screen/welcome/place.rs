//! Which relay: by its address, by somebody's link, or one on this computer.

use iced::widget::{column, text};
use kith_core::client::entry::Invite;
use kith_core::client::entry::{InvalidRelayAddress, RelayAddress};

use crate::format;
use crate::i18n::I18n;
use crate::problem::Problem;
use crate::theme::{self, Element, font, metric};
use crate::ui::{choice, form};

/// The address field.
pub(super) const ADDRESS: &str = "welcome-address";
/// The link field.
pub(super) const LINK: &str = "welcome-link";

/// A longer text is no address and no link.
const MAX_TEXT: usize = 4096;

/// A longer name of a relay is cut where it is shown.
const MAX_SHOWN: usize = 60;

/// How a relay is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    /// Its address was given.
    Address,
    /// Somebody's link names it.
    Link,
    /// It runs in this program.
    Own,
}

/// The choice of a relay.
#[derive(Debug)]
pub(super) struct Place {
    way: Way,
    address: String,
    link: String,
    offers_own: bool,
    is_starting: bool,
    was_tried: bool,
    refused: Option<Problem>,
}

/// What happens to it.
#[derive(Debug, Clone)]
pub(crate) enum Message {
    /// Another way.
    WayChosen(Way),
    /// Something was typed.
    AddressChanged(String),
    /// Something was typed.
    LinkChanged(String),
    /// Go on.
    Submit,
}

/// What comes of it.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// Nothing.
    None,
    /// The focus goes to this field.
    Focus(&'static str),
    /// The relay of this computer is to be started.
    StartOwn,
    /// It is chosen.
    Chosen(Chosen),
}

/// A relay that was chosen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Chosen {
    /// Its addresses, separated by commas.
    pub(super) address: String,
    /// The handle that the link names.
    pub(super) handle: Option<String>,
    /// The link.
    pub(super) link: Option<String>,
}

impl Place {
    /// Begins with this address or this link, if there is one.
    pub(super) fn new(address: Option<&str>, link: Option<&str>, offers_own: bool) -> Self {
        let way = if link.is_some() { Way::Link } else { Way::Address };
        Self {
            way,
            address: address.unwrap_or_default().to_owned(),
            link: link.unwrap_or_default().to_owned(),
            offers_own,
            is_starting: false,
            was_tried: false,
            refused: None,
        }
    }

    /// Where the focus begins.
    pub(super) fn first_field(&self) -> Option<&'static str> {
        match self.way {
            Way::Address => Some(ADDRESS),
            Way::Link => Some(LINK),
            Way::Own => None,
        }
    }

    /// The relay of this computer is on its way.
    pub(super) fn is_starting(&self) -> bool {
        self.is_starting
    }

    /// It is there, or not any more wanted.
    pub(super) fn started(&mut self) {
        self.is_starting = false;
    }

    /// The relay could not be used.
    pub(super) fn refuse(&mut self, problem: Problem) -> Option<&'static str> {
        self.is_starting = false;
        self.refused = Some(problem);
        self.first_field()
    }

    /// Something happened.
    pub(super) fn update(&mut self, message: Message) -> Outcome {
        if self.is_starting {
            return Outcome::None;
        }
        match message {
            Message::WayChosen(way) => {
                self.way = way;
                (self.was_tried, self.refused) = (false, None);
                self.first_field().map_or(Outcome::None, Outcome::Focus)
            }
            Message::AddressChanged(text) if text.trim_start().starts_with("kith://") => self.typed_link(text),
            Message::AddressChanged(text) if text.len() <= MAX_TEXT => {
                (self.address, self.refused) = (text, None);
                Outcome::None
            }
            Message::LinkChanged(text) if text.len() <= MAX_TEXT => self.typed_link(text),
            Message::AddressChanged(_) | Message::LinkChanged(_) => Outcome::None,
            Message::Submit => self.submit(),
        }
    }

    /// A link is taken for one wherever it was put.
    fn typed_link(&mut self, text: String) -> Outcome {
        let moved = self.way != Way::Link;
        (self.way, self.link, self.refused) = (Way::Link, text, None);
        if moved { Outcome::Focus(LINK) } else { Outcome::None }
    }

    fn submit(&mut self) -> Outcome {
        (self.was_tried, self.refused) = (true, None);
        let chosen = match self.way {
            Way::Own => {
                self.is_starting = true;
                return Outcome::StartOwn;
            }
            Way::Address => self.by_address().ok(),
            Way::Link => self.by_link().ok(),
        };
        match (chosen, self.first_field()) {
            (Some(chosen), _) => Outcome::Chosen(chosen),
            (None, Some(field)) => Outcome::Focus(field),
            (None, None) => Outcome::None,
        }
    }

    fn by_address(&self) -> Result<Chosen, Wrong> {
        let text = self.address.trim();
        if text.is_empty() {
            return Err(Wrong::NoAddress);
        }
        let address = text.parse::<RelayAddress>().map_err(Wrong::Address)?.to_string();
        Ok(Chosen { address, handle: None, link: None })
    }

    fn by_link(&self) -> Result<Chosen, Wrong> {
        let text = self.link.trim();
        if text.is_empty() {
            return Err(Wrong::NoLink);
        }
        let invite = Invite::from_link(text).map_err(|_| Wrong::Link)?;
        let handle = invite.handle.as_ref().map(ToString::to_string);
        let usable = |addresses: &[String]| addresses.join(",").parse::<RelayAddress>().ok();
        let relay = invite.relays.iter().find_map(|relay| usable(&relay.addresses)).ok_or(Wrong::LinkWithoutRelay)?;
        Ok(Chosen { address: relay.to_string(), handle, link: Some(text.to_owned()) })
    }

    /// What is wrong, as far as it was typed.
    fn wrong(&self, i18n: &I18n) -> Option<String> {
        if let Some(problem) = &self.refused {
            return Some(problem.sentence(i18n));
        }
        let wrong = match self.way {
            Way::Own => return None,
            Way::Address => self.by_address().err()?,
            Way::Link => self.by_link().err()?,
        };
        let is_empty = matches!(wrong, Wrong::NoAddress | Wrong::NoLink);
        (self.was_tried || !is_empty).then(|| wrong.sentence(i18n))
    }

    /// What is drawn.
    pub(super) fn view<'a>(&'a self, i18n: &I18n) -> Element<'a, Message> {
        let wrong = self.wrong(i18n);
        let may = |way| (!self.is_starting).then_some(Message::WayChosen(way));
        let way = |way, title: String, words: String| choice::radio(title, Some(words), self.way == way, may(way));
        let mut ways = column![way(Way::Address, i18n.tr("welcome-by-address"), i18n.tr("welcome-by-address-words"))];
        if self.way == Way::Address {
            ways = ways.push(self.address_field(i18n, wrong.clone()));
        }
        ways = ways.push(way(Way::Link, i18n.tr("welcome-by-link"), i18n.tr("welcome-by-link-words")));
        if self.way == Way::Link {
            ways = ways.push(self.link_field(i18n, wrong.clone()));
        }
        if self.offers_own {
            ways = ways.push(way(Way::Own, i18n.tr("welcome-own-relay"), i18n.tr("welcome-own-relay-words")));
        }
        if self.way == Way::Own {
            ways = ways.push(wrong.map(form::error));
        }
        let go_on = if self.is_starting { i18n.tr("welcome-own-relay-starting") } else { i18n.tr("continue") };
        let submit = form::main_button(go_on).on_press_maybe((!self.is_starting).then_some(Message::Submit));
        column![
            text(i18n.tr("welcome-relay-title")).size(metric::TITLE).font(font::SEMIBOLD),
            text(i18n.tr("welcome-relay-words")).size(metric::BODY).style(theme::text::muted),
            ways.spacing(metric::GAP),
            submit,
        ]
        .spacing(metric::PAD)
        .into()
    }

    fn address_field<'a>(&'a self, i18n: &I18n, wrong: Option<String>) -> Element<'a, Message> {
        let known = self.by_address().ok().map(|chosen| shown(&chosen.address));
        let field = form::field(ADDRESS, i18n.tr("welcome-address"), &self.address)
            .placeholder("/ip4/192.0.2.1/udp/4001/quic-v1/p2p/12D3Koo…".to_owned())
            .hint(known.map_or_else(|| i18n.tr("welcome-address-hint"), |host| good(i18n, host)))
            .wrong(wrong);
        field.view(Some(Message::AddressChanged), Some(Message::Submit))
    }

    fn link_field<'a>(&'a self, i18n: &I18n, wrong: Option<String>) -> Element<'a, Message> {
        let hint = match self.by_link() {
            Ok(Chosen { handle: Some(handle), .. }) => {
                i18n.tr_with("welcome-link-from", [("what", format::one_line(&handle, MAX_SHOWN).into())])
            }
            Ok(Chosen { address, .. }) => good(i18n, shown(&address)),
            Err(_) => i18n.tr("welcome-link-hint"),
        };
        let field = form::field(LINK, i18n.tr("welcome-link"), &self.link)
            .placeholder("kith://add/…".to_owned())
            .hint(hint)
            .wrong(wrong);
        field.view(Some(Message::LinkChanged), Some(Message::Submit))
    }
}

fn good(i18n: &I18n, host: String) -> String {
    i18n.tr_with("welcome-address-good", [("what", host.into())])
}

/// The part of a relay's addresses that a person may recognize.
pub(super) fn shown(address: &str) -> String {
    let host = address.split('/').nth(2).unwrap_or_default();
    format::one_line(host, MAX_SHOWN)
}

enum Wrong {
    NoAddress,
    Address(InvalidRelayAddress),
    NoLink,
    Link,
    LinkWithoutRelay,
}

impl Wrong {
    fn sentence(&self, i18n: &I18n) -> String {
        match self {
            Self::NoAddress => i18n.tr("welcome-address-missing"),
            Self::Address(InvalidRelayAddress::Malformed(_)) => i18n.tr("welcome-address-malformed"),
            Self::Address(InvalidRelayAddress::NoPeer) => i18n.tr("welcome-address-no-key"),
            Self::Address(InvalidRelayAddress::SeveralPeers) => i18n.tr("welcome-address-several"),
            Self::Address(InvalidRelayAddress::Count) => i18n.tr("welcome-address-count"),
            Self::NoLink => i18n.tr("welcome-link-missing"),
            Self::Link => i18n.tr("welcome-link-broken"),
            Self::LinkWithoutRelay => i18n.tr("welcome-link-no-relay"),
        }
    }
}
