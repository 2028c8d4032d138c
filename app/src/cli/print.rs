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
    use kith_core::wire::control::{
        Chat, Code, Contact, ContactRequest, Event, Me, Message, Progress, Reach, Said, Segment, SpokenWord, Status,
        Transcript,
    };
    use serde::Serialize;

    use crate::cli::account::Newcomer;
    use crate::cli::error::Error;
    use crate::samples;

    fn me() -> Me {
        Me {
            account: "a1".into(),
            device: "d1".into(),
            handle: Some("alice@relay".into()),
            relays: vec!["/ip4/127.0.0.1/tcp/4001".into()],
            devices: 1,
        }
    }

    fn message() -> Message {
        Message {
            id: "d1.i1.7".into(),
            conversation: "c1".into(),
            author: "a1".into(),
            author_name: "me".into(),
            mine: true,
            sent_ms: 1_800_000_000_000,
            reply_to: Some("d2.i2.3".into()),
            reply_preview: Some("bob: hello?".into()),
            reactions: vec![("👍".into(), 2)],
            state: Some("sent".into()),
            route: Some("mailbox".into()),
            ..samples::message(7, "hello")
        }
    }

    /// The names in these lines are what programs rely on (`docs/cli.md`): a change here is a change for them.
    #[track_caller]
    fn is_printed_as(object: &impl Serialize, line: &str) {
        assert_eq!(serde_json::to_string(object).unwrap(), line);
    }

    const ME: &str =
        r#"{"account":"a1","device":"d1","handle":"alice@relay","relays":["/ip4/127.0.0.1/tcp/4001"],"devices":1}"#;
    const MESSAGE: &str = r#"{"id":"d1.i1.7","conversation":"c1","author":"a1","author_name":"me","mine":true,"sent_ms":1800000000000,"kind":"text","text":"hello","edited":false,"reply_to":"d2.i2.3","reply_preview":"bob: hello?","reactions":[["👍",2]],"duration_ms":null,"peaks":null,"transcript":null,"spoken":null,"state":"sent","route":"mailbox","problem":null}"#;
    const REQUEST: &str = r#"{"account":"b1","handle":"bob@relay","text":"may I?","sent_ms":5,"remembered":false}"#;

    const CHAT: &str = r#"{"id":"c1","kind":"direct","account":"b1","name":"bob","handle":"bob@relay","state":"accepted","verified":false,"safety_number":null,"unread":3,"pinned":true,"muted":false,"draft":"hel","last":null,"active_ms":7,"path":"lan","picture":null,"about":null,"members":2}"#;

    fn chat() -> Chat {
        Chat {
            id: "c1".into(),
            kind: "direct".into(),
            account: Some("b1".into()),
            name: "bob".into(),
            handle: Some("bob@relay".into()),
            state: "accepted".into(),
            verified: false,
            safety_number: None,
            unread: 3,
            pinned: true,
            muted: false,
            draft: Some("hel".into()),
            last: None,
            active_ms: 7,
            path: Some("lan".into()),
            picture: None,
            about: None,
            members: 2,
        }
    }

    fn request() -> ContactRequest {
        ContactRequest {
            account: "b1".into(),
            handle: Some("bob@relay".into()),
            text: "may I?".into(),
            sent_ms: 5,
            remembered: false,
        }
    }

    #[test]
    fn people_are_printed_for_programs_under_stable_names() {
        is_printed_as(&me(), ME);
        let registered = Newcomer { me: &me(), recovery_code: "the code" };
        is_printed_as(&registered, &format!(r#"{},"recovery_code":"the code"}}"#, ME.trim_end_matches('}')));
        let mut contact = Contact {
            account: Some("b1".into()),
            conversation: None,
            name: "bob".into(),
            handle: None,
            state: "asked".into(),
            verified: false,
            safety_number: None,
            unread: 0,
            devices: 0,
        };
        is_printed_as(
            &contact,
            r#"{"account":"b1","conversation":null,"name":"bob","handle":null,"state":"asked","verified":false,"safety_number":null,"unread":0,"devices":0}"#,
        );
        contact.account = None;
        contact.conversation = Some("c1".into());
        contact.state = "group".into();
        is_printed_as(
            &contact,
            r#"{"account":null,"conversation":"c1","name":"bob","handle":null,"state":"group","verified":false,"safety_number":null,"unread":0,"devices":0}"#,
        );
        is_printed_as(&request(), REQUEST);
    }

    #[test]
    fn a_status_is_printed_for_programs_under_stable_names() {
        let reach = Reach {
            account: "b1".into(),
            name: "bob".into(),
            path: "direct".into(),
            why: Said::new(Code::Best, "the best way"),
            round_trip_ms: Some(1.5),
        };
        let look = Said::new(Code::RecordOld, "look at this").of("bob");
        let status = Status {
            relay_connected: Some(false),
            relay_problem: Some(Box::new(Said::new(Code::Unreachable, "it is away").because("refused"))),
            addresses: vec!["/ip4/127.0.0.1/udp/4101/quic-v1".into()],
            undelivered: 2,
            contacts: vec![reach],
            warnings: vec![look],
            refused: [("envelope".to_owned(), 3)].into(),
        };
        is_printed_as(
            &status,
            r#"{"relay_connected":false,"relay_problem":{"code":"unreachable","detail":"refused","message":"it is away"},"addresses":["/ip4/127.0.0.1/udp/4101/quic-v1"],"undelivered":2,"contacts":[{"account":"b1","name":"bob","path":"direct","why":{"code":"best","message":"the best way"},"round_trip_ms":1.5}],"warnings":[{"code":"record_old","name":"bob","message":"look at this"}],"refused":{"envelope":3}}"#,
        );
    }

    #[test]
    fn messages_and_transcripts_are_printed_for_programs_under_stable_names() {
        is_printed_as(&message(), MESSAGE);
        let transcript = Transcript {
            message: None,
            text: "Meet me.".into(),
            segments: vec![Segment {
                start_ms: 0,
                end_ms: 900,
                text: "Meet me.".into(),
                confidence: 0.5,
                inaudible: false,
                words: vec![SpokenWord { start_ms: 0, end_ms: 400, text: "Meet".into() }],
            }],
            model: "m".into(),
            language: "en".into(),
            translated: false,
            source: "mine".into(),
            edited: false,
        };
        is_printed_as(
            &transcript,
            r#"{"message":null,"text":"Meet me.","segments":[{"start_ms":0,"end_ms":900,"text":"Meet me.","confidence":0.5,"inaudible":false,"words":[{"start_ms":0,"end_ms":400,"text":"Meet"}]}],"model":"m","language":"en","translated":false,"source":"mine","edited":false}"#,
        );
    }

    #[test]
    fn events_are_printed_for_programs_under_stable_names() {
        let why = Some(Said::new(Code::Lost, "it ended"));
        let look = Said::new(Code::RecordOld, "look at this").of("bob");
        let told = [
            (Event::Message { message: message() }, format!(r#"{{"event":"message","message":{MESSAGE}}}"#)),
            (Event::Changed { message: message() }, format!(r#"{{"event":"changed","message":{MESSAGE}}}"#)),
            (
                Event::Request { contact_request: request() },
                format!(r#"{{"event":"request","contact_request":{REQUEST}}}"#),
            ),
            (Event::Contact { account: "b1".into() }, r#"{"event":"contact","account":"b1"}"#.into()),
            (
                Event::Typing { conversation: "c1".into(), account: "b1".into(), on: true },
                r#"{"event":"typing","conversation":"c1","account":"b1","on":true}"#.into(),
            ),
            (
                Event::Connection { who: "relay".into(), path: "none".into(), why },
                r#"{"event":"connection","who":"relay","path":"none","why":{"code":"lost","message":"it ended"}}"#
                    .into(),
            ),
            (
                Event::Warning { said: look },
                r#"{"event":"warning","code":"record_old","name":"bob","message":"look at this"}"#.into(),
            ),
            (Event::Chat { chat: chat() }, format!(r#"{{"event":"chat","chat":{CHAT}}}"#)),
            (Event::ChatGone { chat: "c1".into() }, r#"{"event":"chat_gone","chat":"c1"}"#.into()),
            (
                Event::Transcription {
                    conversation: "c1".into(),
                    message: "m1".into(),
                    progress: Progress::Running { percent: 40 },
                },
                r#"{"event":"transcription","conversation":"c1","message":"m1","state":"running","percent":40}"#.into(),
            ),
            (Event::Raise { link: None }, r#"{"event":"raise","link":null}"#.into()),
            (Event::Lagged { missed: 3 }, r#"{"event":"lagged","missed":3}"#.into()),
        ];
        for (event, line) in &told {
            is_printed_as(event, line);
        }
    }

    #[test]
    fn an_error_is_printed_for_programs_under_stable_names() {
        let error = Error::new("nobody", "nobody is called so");
        is_printed_as(&error.object(), r#"{"error":{"code":"nobody","message":"nobody is called so"}}"#);
    }
}
