//! A recovery code, shown once: of a new account, or in the place of one that is worth nothing any more.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use iced::widget::{Column, Row, column, container, row, text};
use iced::{Alignment, Length, Task};
use zeroize::Zeroizing;

use crate::i18n::I18n;
use crate::platform::dialogue::Dialogue;
use crate::problem::Problem;
use crate::theme::{self, Element, Icon, font, metric};
use crate::ui::{self, choice, form};

/// What the file is called unless somebody says otherwise.
const FILE: &str = "kith-recovery-code.txt";

/// Groups of the code on a line.
const GROUPS: usize = 4;

/// Whose code it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Occasion {
    /// A new account's.
    Made,
    /// Another one was there before.
    Replaced,
}

/// The code, until it was written down.
pub(crate) struct Recovery {
    occasion: Occasion,
    code: Zeroizing<String>,
    is_written: bool,
    is_copied: bool,
    is_saving: bool,
    saved: Option<Result<PathBuf, Problem>>,
}

impl std::fmt::Debug for Recovery {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Recovery").field("is_written", &self.is_written).finish_non_exhaustive()
    }
}

/// What happens to it.
#[derive(Debug, Clone)]
pub(crate) enum Message {
    /// Into the clipboard.
    Copy,
    /// Into a file.
    Save,
    /// It is in this file, or not; none if nobody named one.
    Saved(Option<Result<PathBuf, Problem>>),
    /// It is written down, or not.
    Written(bool),
    /// Go on.
    Continue,
}

/// What comes of it.
pub(crate) enum Outcome {
    /// Nothing.
    None,
    /// This goes into the clipboard.
    Copy(Zeroizing<String>),
    /// This goes into a file that the person names.
    Save(Zeroizing<String>),
    /// It is done.
    Continue,
}

impl Recovery {
    /// Shows this code.
    pub(crate) fn new(occasion: Occasion, code: Zeroizing<String>) -> Self {
        Self { occasion, code, is_written: false, is_copied: false, is_saving: false, saved: None }
    }

    /// Something happened.
    pub(crate) fn update(&mut self, message: Message) -> Outcome {
        match message {
            Message::Copy => {
                self.is_copied = true;
                Outcome::Copy(self.code.clone())
            }
            Message::Save if self.is_saving => Outcome::None,
            Message::Save => {
                self.is_saving = true;
                Outcome::Save(self.code.clone())
            }
            Message::Saved(saved) => {
                self.is_saving = false;
                self.saved = saved.or(self.saved.take());
                Outcome::None
            }
            Message::Written(is_written) => {
                self.is_written = is_written;
                Outcome::None
            }
            Message::Continue if self.is_written => Outcome::Continue,
            Message::Continue => Outcome::None,
        }
    }

    /// What is drawn.
    pub(crate) fn view<'a>(&'a self, i18n: &I18n) -> Element<'a, Message> {
        let copied = if self.is_copied { i18n.tr("copied") } else { i18n.tr("copy") };
        let buttons = row![
            with_icon(if self.is_copied { Icon::Check } else { Icon::Copy }, copied, Message::Copy),
            with_icon(Icon::Download, i18n.tr("recovery-save"), Message::Save),
        ];
        let saved = self.saved.as_ref().map(|saved| match saved {
            Ok(path) => {
                let path = path.display().to_string();
                ui::caption(i18n.tr_with("recovery-saved", [("path", path.into())]))
            }
            Err(problem) => form::error(problem.sentence(i18n)),
        });
        let written = Message::Written(!self.is_written);
        let (title, words) = match self.occasion {
            Occasion::Made => (i18n.tr("recovery-title"), i18n.tr("recovery-words")),
            Occasion::Replaced => (i18n.tr("recovery-replaced"), i18n.tr("recovery-replaced-words")),
        };
        column![
            text(title).size(metric::TITLE).font(font::SEMIBOLD),
            text(words).size(metric::BODY).style(theme::text::muted),
            self.groups(),
            buttons.spacing(metric::SMALL).wrap(),
        ]
        .push(saved)
        .push(choice::check(i18n.tr("recovery-written"), self.is_written, Some(written)))
        .push(form::main_button(i18n.tr("continue")).on_press_maybe(self.is_written.then_some(Message::Continue)))
        .spacing(metric::PAD)
        .into()
    }

    fn groups(&self) -> Element<'_, Message> {
        let groups: Vec<&str> = self.code.split('-').collect();
        let line = |groups: &[&'_ str]| {
            let words = groups
                .iter()
                .map(|group| text((*group).to_owned()).font(font::MONO).size(metric::HEADING + 2.0).into());
            Row::with_children(words.collect::<Vec<Element<'_, Message>>>()).spacing(metric::WIDE).into()
        };
        let lines: Vec<Element<'_, Message>> = groups.chunks(GROUPS).map(line).collect();
        container(Column::with_children(lines).spacing(metric::GAP).align_x(Alignment::Center))
            .center_x(Length::Fill)
            .padding(metric::WIDE)
            .style(theme::choice::code)
            .into()
    }
}

fn with_icon<'a>(icon: Icon, words: String, message: Message) -> Element<'a, Message> {
    let content = row![ui::icon(icon), text(words).size(metric::BODY).font(font::MEDIUM)];
    crate::widget::press::press(content.spacing(metric::SMALL).align_y(Alignment::Center))
        .padding([metric::SMALL + 1.0, metric::PAD])
        .style(theme::button::secondary)
        .on_press(message)
        .into()
}

/// Puts it into a file that the person names.
pub(crate) fn saving(code: Zeroizing<String>, i18n: &I18n) -> Task<Message> {
    Task::perform(save(code, i18n.tr("recovery-file"), i18n.tr("recovery-save")), Message::Saved)
}

/// Asks where to, and writes it there.
async fn save(code: Zeroizing<String>, words: String, title: String) -> Option<Result<PathBuf, Problem>> {
    let path = match Dialogue::new().titled(title).named(FILE).place().await? {
        Ok(path) => path,
        Err(problem) => return Some(Err(problem)),
    };
    let written = tokio::task::spawn_blocking(move || write(&path, &code, &words).map(|()| path)).await;
    Some(written.unwrap_or_else(|error| Err(Problem::new("disk", error.to_string()))))
}

/// A file that is there is left alone: who is asked by the system whether to replace it may not know what it is.
fn write(path: &Path, code: &str, words: &str) -> Result<(), Problem> {
    let mut options = std::fs::File::options();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600);
    }
    let mut file = options.open(path).map_err(|error| match error.kind() {
        std::io::ErrorKind::AlreadyExists => Problem::new("file_exists", "there is a file of this name already"),
        _ => Problem::from(error),
    })?;
    let text = Zeroizing::new(format!("{words}\n\n{code}\n"));
    let written = file.write_all(text.as_bytes()).and_then(|()| file.sync_all());
    if written.is_err() {
        // Half a code would be in the way of the next try, and of who finds it.
        let _ = std::fs::remove_file(path);
    }
    Ok(written?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_code_goes_into_a_new_file_that_only_its_owner_reads() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("code.txt");
        write(&path, "K7QX-ABCD", "Keep this.").unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "Keep this.\n\nK7QX-ABCD\n");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        }
        let problem = write(&path, "another", "Keep this.").unwrap_err();
        assert_eq!(problem.code, "file_exists");
        assert!(std::fs::read_to_string(&path).unwrap().contains("K7QX"));
        assert_eq!(write(&folder.path().join("no/such"), "x", "y").unwrap_err().code, "disk");
    }

    #[test]
    fn who_has_not_written_it_down_does_not_go_on() {
        let mut recovery = Recovery::new(Occasion::Made, Zeroizing::new("K7QX-ABCD".into()));
        assert!(matches!(recovery.update(Message::Continue), Outcome::None));
        let _ = recovery.update(Message::Written(true));
        assert!(matches!(recovery.update(Message::Continue), Outcome::Continue));
        assert!(!format!("{recovery:?}").contains("K7QX"));
    }
}
