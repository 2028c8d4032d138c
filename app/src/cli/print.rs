//! What goes to standard output: words for a person, or one JSON object a line.

use std::io::{ErrorKind, Write};

use serde::Serialize;

use super::error::Error;
use super::text;

/// Where results go.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Screen {
    json: bool,
}

impl Screen {
    pub(crate) fn new(json: bool) -> Self {
        Self { json }
    }

    pub(crate) fn is_json(self) -> bool {
        self.json
    }

    /// A result: the object for programs, the words for a person.
    pub(crate) fn show(self, object: &impl Serialize, words: impl FnOnce() -> String) -> Result<(), Error> {
        if self.json { self.object(object) } else { self.say(&words()) }
    }

    /// Results: an object a line for programs, words about all of them for a person.
    pub(crate) fn show_all<T: Serialize>(self, objects: &[T], words: impl FnOnce() -> String) -> Result<(), Error> {
        if !self.json {
            return self.say(&words());
        }
        objects.iter().try_for_each(|object| self.object(object))
    }

    /// What was asked for is done, and there is nothing else to tell a program.
    pub(crate) fn done(self, words: impl FnOnce() -> String) -> Result<(), Error> {
        self.show(&serde_json::json!({"done": true}), words)
    }

    fn object(self, object: &impl Serialize) -> Result<(), Error> {
        let line = serde_json::to_string(object).map_err(|_| Error::nonsense())?;
        write(&line)
    }

    /// Words for a person; what came from others cannot control the terminal.
    pub(crate) fn say(self, words: &str) -> Result<(), Error> {
        write(&text::plain(words))
    }
}

fn write(text: &str) -> Result<(), Error> {
    let mut out = std::io::stdout().lock();
    let written = writeln!(out, "{text}").and_then(|()| out.flush());
    written.map_err(|error| match error.kind() {
        ErrorKind::BrokenPipe => Error::output_closed(),
        _ => Error::system(error.to_string()),
    })
}

#[cfg(test)]
mod tests {
    use kith_core::wire::control::{Contact, Event, Me, Segment, Transcript};

    /// The names in these lines are what programs rely on: a change here is a change for them.
    #[test]
    fn objects_for_programs_keep_their_names() {
        let me = Me {
            account: "a1".into(),
            device: "d1".into(),
            handle: Some("alice@relay".into()),
            relays: vec!["/ip4/127.0.0.1/tcp/4001".into()],
            devices: 1,
        };
        let contact = Contact {
            account: Some("b1".into()),
            conversation: None,
            name: "bob".into(),
            handle: None,
            state: "asked".into(),
            verified: false,
            safety_number: None,
            unread: 0,
        };
        let transcript = Transcript {
            message: None,
            text: "Meet me.".into(),
            segments: vec![Segment { start_ms: 0, end_ms: 900, text: "Meet me.".into(), confidence: 0.5 }],
            model: "m".into(),
            language: "en".into(),
        };
        let event = Event::Connection { who: "relay".into(), path: "none".into(), why: None };
        let lines = [
            serde_json::to_string(&me).unwrap(),
            serde_json::to_string(&contact).unwrap(),
            serde_json::to_string(&transcript).unwrap(),
            serde_json::to_string(&event).unwrap(),
        ];
        assert_eq!(
            lines,
            [
                r#"{"account":"a1","device":"d1","handle":"alice@relay","relays":["/ip4/127.0.0.1/tcp/4001"],"devices":1}"#,
                r#"{"account":"b1","conversation":null,"name":"bob","handle":null,"state":"asked","verified":false,"safety_number":null,"unread":0}"#,
                r#"{"message":null,"text":"Meet me.","segments":[{"start_ms":0,"end_ms":900,"text":"Meet me.","confidence":0.5}],"model":"m","language":"en"}"#,
                r#"{"event":"connection","who":"relay","path":"none","why":null}"#,
            ]
        );
    }
}
