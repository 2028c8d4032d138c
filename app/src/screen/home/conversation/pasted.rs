//! Files that are pasted: what a manager of files copies reaches a window as text, one address on a line (RFC 2483, RFC 8089).

use std::path::PathBuf;

use iced::Task;
use iced::widget::text_editor::{Action as Edited, Edit};

use super::{Action, Conversation, Message};
use crate::app::Context;
use crate::widget::composer;

/// Files that are offered at once.
const MOST: usize = 50;

/// The longest text that is taken for addresses of files.
const LONGEST: usize = 64 * 1024;

impl Conversation {
    /// What is pasted, if it may be files: whether they are there is asked where that may take its time.
    pub(super) fn pasted(&self, action: &composer::Action) -> Option<Action> {
        let composer::Action::Editor(Edited::Edit(Edit::Paste(text))) = action else { return None };
        let files = files(text).filter(|_| self.mode_writes())?;
        let text = text.to_string();
        let looked_for = files.clone();
        let look = async move {
            let look = move || looked_for.iter().all(|file| file.is_file());
            tokio::task::spawn_blocking(look).await.unwrap_or_default()
        };
        Some(Action::Run(Task::perform(look, move |are_files| {
            Message::Pasted(text.clone(), if are_files { files.clone() } else { Vec::new() })
        })))
    }

    /// They are there; or it was a text.
    pub(super) fn pasted_is(&mut self, text: &str, files: Vec<PathBuf>, context: Context<'_>) -> Action {
        if files.is_empty() {
            let changed = self.composer.insert(text);
            return self.typed(changed, context);
        }
        Action::Offer(files)
    }
}

/// The files of a text that is nothing but their addresses.
fn files(text: &str) -> Option<Vec<PathBuf>> {
    if text.len() > LONGEST {
        return None;
    }
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    let files: Vec<PathBuf> = lines.map(file).collect::<Option<_>>()?;
    (1..=MOST).contains(&files.len()).then_some(files)
}

/// The file of an address on this computer.
fn file(address: &str) -> Option<PathBuf> {
    let rest = address.strip_prefix("file://")?;
    let path = rest.strip_prefix("localhost").unwrap_or(rest);
    let path = decoded(path.strip_prefix('/')?)?;
    // There a path begins with the letter of a disk.
    Some(if cfg!(windows) { PathBuf::from(path) } else { PathBuf::from(format!("/{path}")) })
}

/// The text of which some bytes stand as a sign and two digits.
fn decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut parts = text.split('%');
    bytes.extend_from_slice(parts.next()?.as_bytes());
    for part in parts {
        let (digits, rest) = part.split_at_checked(2)?;
        bytes.push(u8::from_str_radix(digits, 16).ok()?);
        bytes.extend_from_slice(rest.as_bytes());
    }
    String::from_utf8(bytes).ok().filter(|path| !path.contains('\0'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paths(text: &str) -> Option<Vec<String>> {
        Some(files(text)?.iter().map(|file| file.to_string_lossy().into_owned()).collect())
    }

    #[cfg(unix)]
    #[test]
    fn addresses_of_files_are_read_as_managers_of_files_write_them() {
        let copied =
            "# copied\r\nfile:///home/a/train%20plan.pdf\r\nfile://localhost/tmp/%D0%B3%D0%BE%D1%80%D0%B8.jpg\r\n";
        assert_eq!(paths(copied), Some(vec!["/home/a/train plan.pdf".into(), "/tmp/гори.jpg".into()]));
        assert_eq!(paths("file:///a"), Some(vec!["/a".into()]));
    }

    #[test]
    fn what_is_anything_else_stays_text() {
        let many = "file:///a\n".repeat(MOST + 1);
        for text in [
            "",
            "hello",
            "/etc/hosts",
            "file:///a and more\nwords",
            "https://example.org/a",
            "file://elsewhere/a",
            "file:///%zz",
            "file:///%f",
            "file:///%ff",
            "file:///a%00b",
            many.as_str(),
        ] {
            assert_eq!(files(text), None, "{text}");
        }
    }
}
