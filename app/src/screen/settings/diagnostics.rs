//! How everything is reached, and the log.

use std::fmt::Write as _;

use iced::Task;
use iced::widget::{column, row};
use kith_core::wire::control::{Reach, Status};

use super::parts::{self, Wanted};
use crate::app::Context;
use crate::backend::Backend;
use crate::format;
use crate::i18n::I18n;
use crate::log;
use crate::problem::Problem;
use crate::said;
use crate::theme::{Element, Icon, metric};
use crate::ui::{self, form};

/// The most contacts that are listed; all are in what is copied.
const SHOWN: usize = 200;

/// A longer name is cut.
const MAX_NAME: usize = 60;

/// What is copied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum What {
    /// How everything is reached.
    Status,
    /// The log.
    Log,
}

/// How everything is reached.
#[derive(Debug)]
pub(super) struct Diagnostics {
    backend: Backend,
    status: Wanted<Status>,
    copied: Option<What>,
}

/// What happens to it.
#[derive(Debug, Clone)]
pub(crate) enum Message {
    /// It is here.
    Came(Result<Status, Problem>),
    /// Once more.
    Again,
    /// This goes into the clipboard.
    Copy(What),
}

impl Diagnostics {
    pub(super) fn new(backend: Backend) -> Self {
        Self { backend, status: Wanted::Coming, copied: None }
    }

    pub(super) fn load(&self) -> Task<Message> {
        Task::perform(self.backend.clone().status(), Message::Came)
    }

    pub(super) fn update(&mut self, message: Message, context: Context<'_>) -> Task<Message> {
        match message {
            Message::Came(status) => self.status.take(status),
            Message::Again => return self.load(),
            Message::Copy(what) => {
                let text = match (what, &self.status) {
                    (What::Log, _) => log::recent().unwrap_or_default(),
                    (What::Status, Wanted::Here(status)) => in_words(status, context.i18n),
                    (What::Status, _) => return Task::none(),
                };
                self.copied = Some(what);
                return iced::clipboard::write(text);
            }
        }
        Task::none()
    }

    pub(super) fn view<'a>(&'a self, context: Context<'_>) -> Element<'a, Message> {
        let i18n = context.i18n;
        let status = self.status.view(i18n, Message::Again, |status| self.status(status, i18n));
        let log = parts::group(
            Some(i18n.tr("settings-log")),
            [parts::fact(
                i18n.tr("settings-log-words"),
                parts::plain(i18n.tr("settings-log-last")),
                Some(parts::copy(i18n, self.copied == Some(What::Log), Message::Copy(What::Log))),
            )],
        );
        parts::groups([status, log])
    }

    fn status<'a>(&'a self, status: &'a Status, i18n: &I18n) -> Element<'a, Message> {
        let buttons = row![
            parts::with_icon(Icon::RefreshCw, i18n.tr("settings-refresh"), Some(Message::Again)),
            parts::copy(i18n, self.copied == Some(What::Status), Message::Copy(What::Status)),
        ];
        let relay = column![parts::plain(relay_words(status, i18n))]
            .push(status.relay_problem.as_ref().map(|said| form::error(said::alone(said, i18n))));
        let addresses = if status.addresses.is_empty() {
            parts::plain(i18n.tr("settings-no-address"))
        } else {
            parts::letters(status.addresses.join("\n"))
        };
        let mut facts = vec![
            parts::fact(i18n.tr("settings-relay"), relay.spacing(metric::TIGHT).into(), None),
            parts::fact(i18n.tr("settings-addresses"), addresses, None),
        ];
        if status.undelivered > 0 {
            let words = parts::plain(i18n.count("settings-undelivered-count", status.undelivered));
            facts.push(parts::fact(i18n.tr("settings-undelivered"), words, None));
        }
        let refused = status.refused.values().fold(0_u64, |sum, count| sum.saturating_add(*count));
        if refused > 0 {
            let words = parts::plain(i18n.count("settings-refused-count", refused));
            facts.push(parts::fact(i18n.tr("settings-refused"), words, None));
        }
        let warnings = status.warnings.iter().map(|warning| parts::note(said::words(warning, i18n)));
        let warnings =
            (!status.warnings.is_empty()).then(|| parts::group(Some(i18n.tr("settings-warnings")), warnings));
        let contacts: Vec<_> = status.contacts.iter().take(SHOWN).map(|reach| contact(reach, i18n)).collect();
        let contacts = if contacts.is_empty() {
            parts::group(Some(i18n.tr("settings-contacts")), [parts::note(i18n.tr("settings-no-contacts"))])
        } else {
            parts::group(Some(i18n.tr("settings-contacts")), contacts)
        };
        let this = parts::group(Some(i18n.tr("settings-this-device")), facts);
        parts::groups([buttons.spacing(metric::SMALL).into(), this].into_iter().chain(warnings).chain([contacts]))
    }
}

fn contact<'a>(reach: &Reach, i18n: &I18n) -> Element<'a, Message> {
    let name = format::one_line(&reach.name, MAX_NAME);
    let words = column![parts::plain(way(reach, i18n))];
    let words = words.push(said::why_not_better(reach, i18n).map(ui::caption));
    parts::fact(name, words.spacing(metric::TIGHT / 2.0).into(), None)
}

fn relay_words(status: &Status, i18n: &I18n) -> String {
    match status.relay_connected {
        Some(true) => i18n.tr("settings-relay-connected"),
        Some(false) => i18n.tr("settings-relay-away"),
        None => i18n.tr("settings-no-relay"),
    }
}

/// The way, and how long it takes there and back.
fn way(reach: &Reach, i18n: &I18n) -> String {
    let path = i18n.try_tr(&format!("path-{}", reach.path)).unwrap_or_else(|| reach.path.clone());
    match reach.round_trip_ms {
        Some(ms) => i18n.tr_with("settings-round-trip", [("path", path.into()), ("ms", format!("{ms:.0}").into())]),
        None => path,
    }
}

/// All of it as text.
fn in_words(status: &Status, i18n: &I18n) -> String {
    let mut text = format!("Kith {}\n", env!("CARGO_PKG_VERSION"));
    let mut line = |name: String, value: &str| {
        let _ = writeln!(text, "{name}: {value}");
    };
    line(i18n.tr("settings-relay"), &relay_words(status, i18n));
    if let Some(problem) = &status.relay_problem {
        line(i18n.tr("settings-relay"), &said::words_and_cause(problem, i18n));
    }
    for address in &status.addresses {
        line(i18n.tr("settings-addresses"), address);
    }
    line(i18n.tr("settings-undelivered"), &status.undelivered.to_string());
    for (reason, count) in &status.refused {
        line(i18n.tr("settings-refused"), &format!("{reason} {count}"));
    }
    for warning in &status.warnings {
        line(i18n.tr("settings-warnings"), &said::words_and_cause(warning, i18n));
    }
    for reach in &status.contacts {
        let name = format::one_line(&reach.name, MAX_NAME);
        line(name, &format!("{}; {}", way(reach, i18n), said::words_and_cause(&reach.why, i18n)));
    }
    text
}

#[cfg(test)]
mod tests {
    use kith_core::wire::control::{Code, Said};

    use super::*;
    use crate::i18n::Language;

    #[test]
    fn what_is_copied_says_all_of_it() {
        let reach = |name: &str, path: &str, round_trip_ms| Reach {
            account: "b1".into(),
            name: name.into(),
            path: path.into(),
            why: Said::new(Code::NotTried, "not tried yet"),
            round_trip_ms,
        };
        let status = Status {
            relay_connected: Some(false),
            relay_problem: Some(Box::new(Said::new(Code::Unreachable, "it is away").because("refused"))),
            addresses: vec!["/ip4/127.0.0.1/udp/4101/quic-v1".into()],
            undelivered: 2,
            contacts: vec![reach("bob", "direct", Some(1.51)), reach("carol\u{202e}\n", "odd", None)],
            warnings: vec![Said::new(Code::RecordForked, "look").of("carol")],
            refused: [("envelope".to_owned(), 3)].into(),
        };
        let text = in_words(&status, &I18n::new(Language::En));
        for line in [
            "Relay: Not connected",
            "Relay: nobody answers at the known addresses (unreachable: refused)",
            "/ip4/127.0.0.1/udp/4101/quic-v1",
            "Not taken: envelope 3",
            "two different records of carol",
            "bob: Connected directly, 2 ms; not tried yet",
            "carol: odd; not tried yet",
        ] {
            assert!(text.contains(line), "{line} in {text}");
        }
    }
}
