//! Where lines of a chat come from, and where what is said goes meanwhile: a terminal with a line being edited, or two streams.

use std::io::{BufRead, IsTerminal, Read};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use rustyline::{DefaultEditor, ExternalPrinter};
use tokio::sync::mpsc;

use crate::cli::error::Error;
use crate::cli::print::Screen;
use crate::cli::text;

/// The longest line that is read from a stream: what one message holds is smaller.
const MAX_LINE: u64 = 1 << 20;

/// Lines that may wait while one is being sent; the reader waits then.
const WAITING: usize = 16;

/// Lines and the place for answers.
pub(super) struct Input {
    lines: mpsc::Receiver<String>,
    printer: Option<Box<dyn ExternalPrinter + Send>>,
    /// Lets the terminal be read again: it must not be in raw mode when the program ends.
    again: SyncSender<()>,
    screen: Screen,
}

impl Input {
    /// Starts reading, on a thread of its own: a terminal cannot be read otherwise.
    pub(super) fn start(prompt: String, screen: Screen) -> Self {
        let (sender, lines) = mpsc::channel(WAITING);
        let (again, permission) = sync_channel(1);
        let terminal = std::io::stdin().is_terminal() && std::io::stdout().is_terminal() && !screen.is_json();
        let editor = if terminal { DefaultEditor::new().ok() } else { None };
        let printer = match editor {
            Some(mut editor) => {
                let printer = editor.create_external_printer().ok();
                std::thread::spawn(move || read_terminal(editor, &prompt, &sender, &permission));
                printer.map(|printer| Box::new(printer) as Box<dyn ExternalPrinter + Send>)
            }
            None => {
                std::thread::spawn(move || read_stream(&sender));
                None
            }
        };
        Self { lines, printer, again, screen }
    }

    /// Whether somebody sits there.
    pub(super) fn is_terminal(&self) -> bool {
        self.printer.is_some()
    }

    /// The next line; none at the end. May be cancelled.
    pub(super) async fn next(&mut self) -> Option<String> {
        self.lines.recv().await
    }

    /// The last line was dealt with: the terminal may be read again.
    pub(super) fn go_on(&self) {
        // Where a permission waits already, or nobody reads, nothing is lost.
        let _ = self.again.try_send(());
    }

    /// The program ends by itself while somebody edits a line: they finish it first, so that the terminal is as it was.
    pub(super) async fn finish(&mut self, why: &str) -> Result<(), Error> {
        if self.is_terminal() {
            self.say(&format!("{why} {}", text::PRESS_ENTER))?;
            self.lines.recv().await;
        }
        Ok(())
    }

    /// Says something to a person, above the line being edited.
    pub(super) fn say(&mut self, words: &str) -> Result<(), Error> {
        match &mut self.printer {
            // It waits while the terminal is busy.
            Some(printer) => tokio::task::block_in_place(|| printer.print(format!("{}\n", text::plain(words))))
                .map_err(|error| Error::system(error.to_string())),
            None => self.screen.say(words),
        }
    }
}

fn read_terminal(mut editor: DefaultEditor, prompt: &str, lines: &mpsc::Sender<String>, permission: &Receiver<()>) {
    loop {
        // Ctrl-C and Ctrl-D end a chat as /quit does.
        let Ok(line) = editor.readline(prompt) else { return };
        // A line that is not remembered can still be sent.
        let _ = editor.add_history_entry(line.as_str());
        if lines.blocking_send(line).is_err() || permission.recv().is_err() {
            return;
        }
    }
}

fn read_stream(lines: &mpsc::Sender<String>) {
    let mut input = std::io::stdin().lock();
    loop {
        let mut line = Vec::new();
        match (&mut input).take(MAX_LINE).read_until(b'\n', &mut line) {
            Ok(0) | Err(_) => return,
            Ok(_) => {}
        }
        let text = String::from_utf8_lossy(&line);
        if lines.blocking_send(text.trim_end_matches(['\n', '\r']).to_owned()).is_err() {
            return;
        }
    }
}
