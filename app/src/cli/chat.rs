//! Reading a conversation, and talking in it.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::pin::pin;
use std::time::Duration;

use kith_core::wire::control::{Contact, Event, Message, Reply, Request};

use super::arguments::History;
use super::backend::{Backend, Context, Events, Use};
use super::error::{Error, Success};
use super::send::absolute;
use super::{people, run, text};
use input::Input;
use tokio::time::{Instant, timeout_at};

mod input;

/// How many messages are shown when a chat begins: a screenful.
const SHOWN: u32 = 20;

/// How long messages may take to leave after the last line of a script.
const LEAVING: Duration = Duration::from_secs(20);

pub(crate) async fn history(context: &Context, arguments: History) -> Result<Success, Error> {
    let mut backend = context.reach(Use::Once).await?;
    if let Some(words) = arguments.find {
        let before = arguments.before;
        let request = Request::Find { with: arguments.name, words, before, limit: arguments.limit.min(200) };
        let Reply::Found(found) = backend.call(request).await? else { return Err(Error::nonsense()) };
        context.screen.show_all(&found.hits, || {
            let mut lines: Vec<String> = found.hits.iter().map(text::hit).collect();
            if lines.is_empty() {
                lines.push(text::NOTHING_FOUND.to_owned());
            }
            lines.extend(found.before.as_ref().map(|_| text::MORE_TO_FIND.to_owned()));
            lines.join("\n")
        })?;
        backend.close().await;
        return Ok(Success::Done);
    }
    let request = Request::History { with: arguments.name, before: arguments.before, limit: arguments.limit };
    let messages = page(&mut backend, request).await?;
    let line = |message: &Message| {
        let line = text::message(message);
        if arguments.ids { text::with_id(message, &line) } else { line }
    };
    if context.screen.is_json() || !messages.is_empty() {
        context.screen.show_all(&messages, || messages.iter().map(line).collect::<Vec<_>>().join("\n"))?;
    }
    backend.close().await;
    Ok(Success::Done)
}

pub(crate) async fn chat(context: &Context, name: String) -> Result<Success, Error> {
    let mut backend = context.reach(Use::Long).await?;
    let mut events = backend.events().await?;
    let contacts = people::list(&mut backend).await?;
    let contact = people::called(&contacts, &name)?.clone();
    let mut chat =
        Chat { name: address(&contact, name), contact, context, backend, known: BTreeSet::new(), waiting: Vec::new() };
    if !context.screen.is_json() {
        context.screen.say(&text::chat_begins(&chat.contact.name))?;
    }
    let mut input = Input::start(text::prompt(&chat.contact.name), context.screen);
    let outcome = chat.talk(&mut input, &mut events).await;
    drop(events);
    chat.backend.close().await;
    outcome
}

/// What names the conversation for certain, however many contacts are called the same.
fn address(contact: &Contact, name: String) -> String {
    contact.conversation.clone().or_else(|| contact.account.clone()).unwrap_or(name)
}

/// Whether the chat goes on.
enum Next {
    Go,
    Leave,
}

struct Chat<'a> {
    context: &'a Context,
    backend: Backend,
    contact: Contact,
    name: String,
    /// Messages that were shown or written here: what is heard of them is a change.
    known: BTreeSet<String>,
    /// Messages of this chat that have not left yet.
    waiting: Vec<String>,
}

impl Chat<'_> {
    async fn talk(&mut self, input: &mut Input, events: &mut Events) -> Result<Success, Error> {
        // One for all turns: a signal that comes while a line is sent would be lost with a new one each time.
        let mut interrupted = pin!(run::interrupted());
        self.show_history(input).await?;
        loop {
            tokio::select! {
                () = &mut interrupted => return Ok(Success::Done),
                () = self.backend.stopped() => {
                    input.finish(text::STOPPED).await?;
                    return Ok(Success::Done);
                }
                line = input.next() => match line {
                    Some(line) => match self.line(&line, input).await {
                        Ok(Next::Go) => input.go_on(),
                        Ok(Next::Leave) => return Ok(Success::Done),
                        // A person may try again; a script must learn of it.
                        Err(error) if input.is_terminal() => {
                            input.say(&error.message)?;
                            input.go_on();
                        }
                        Err(error) => return Err(error),
                    },
                    None if input.is_terminal() => return Ok(Success::Done),
                    None => {
                        return tokio::select! {
                            () = &mut interrupted => {
                                Ok(if self.waiting.is_empty() { Success::Done } else { Success::Queued })
                            }
                            outcome = self.end_of_script(events) => outcome,
                        };
                    }
                },
                event = events.next() => match event {
                    Ok(Some(event)) => self.event(event, input).await?,
                    Ok(None) => {
                        let ended = Error::new("closed", text::ENDED);
                        input.finish(&ended.message).await?;
                        return Err(ended);
                    }
                    Err(error) => {
                        input.finish(&error.message).await?;
                        return Err(error);
                    }
                },
            }
        }
    }

    async fn show_history(&mut self, input: &mut Input) -> Result<(), Error> {
        let request = Request::History { with: self.name.clone(), before: None, limit: SHOWN };
        let messages = match page(&mut self.backend, request).await {
            Ok(messages) => messages,
            // Nothing can be there before the other side accepts.
            Err(error) if error.code == "not_accepted" => return input.say(&error.message),
            Err(error) => return Err(error),
        };
        for message in &messages {
            self.known.insert(message.id.clone());
            if self.context.screen.is_json() {
                self.context.screen.show(message, String::new)?;
            } else {
                input.say(&text::message(message))?;
            }
        }
        match messages.iter().rev().find(|message| !message.mine) {
            Some(last) => self.mark_read(last).await,
            None => Ok(()),
        }
    }

    async fn line(&mut self, line: &str, input: &mut Input) -> Result<Next, Error> {
        let line = line.trim_end();
        if line.is_empty() {
            return Ok(Next::Go);
        }
        if let Some(text) = line.strip_prefix("//") {
            return self.say(format!("/{text}")).await;
        }
        let Some(command) = line.strip_prefix('/') else { return self.say(line.to_owned()).await };
        let (command, argument) = command.split_once(' ').unwrap_or((command, ""));
        match command {
            "quit" | "q" => return Ok(Next::Leave),
            "help" => input.say(text::CHAT_HELP)?,
            "history" => self.show_history(input).await?,
            "voice" if argument.trim().is_empty() => input.say(text::CHAT_VOICE_USAGE)?,
            "voice" => {
                let file = absolute(PathBuf::from(argument.trim()))?;
                return self.write(Request::SendVoice { to: self.name.clone(), file }).await;
            }
            "transcribe" => self.transcribe(input).await?,
            _ => input.say(text::CHAT_UNKNOWN)?,
        }
        Ok(Next::Go)
    }

    async fn say(&mut self, text: String) -> Result<Next, Error> {
        self.write(Request::Send { to: self.name.clone(), text, reply_to: None }).await
    }

    async fn write(&mut self, request: Request) -> Result<Next, Error> {
        let Reply::Message(message) = self.backend.call(request).await? else { return Err(Error::nonsense()) };
        self.known.insert(message.id.clone());
        if self.context.screen.is_json() {
            self.context.screen.show(&message, String::new)?;
        }
        if message.state.as_deref() == Some("queued") {
            self.waiting.push(message.id);
        }
        Ok(Next::Go)
    }

    async fn transcribe(&mut self, input: &mut Input) -> Result<(), Error> {
        let request = super::sound::note(self.name.clone(), None);
        let Reply::Transcript(transcript) = self.backend.call(request).await? else { return Err(Error::nonsense()) };
        if self.context.screen.is_json() {
            return self.context.screen.show(&transcript, String::new);
        }
        input.say(&text::transcript(&transcript))
    }

    async fn event(&mut self, event: Event, input: &mut Input) -> Result<(), Error> {
        if !self.concerns(&event) {
            return Ok(());
        }
        if self.context.screen.is_json() {
            self.context.screen.show(&event, String::new)?;
        }
        match event {
            Event::Message { message } | Event::Changed { message } => self.heard(message, input).await,
            _ if self.context.screen.is_json() => Ok(()),
            event => text::event(&event).map_or(Ok(()), |words| input.say(&words)),
        }
    }

    /// Whether an event is of this conversation, or something that a person should know wherever they are.
    fn concerns(&self, event: &Event) -> bool {
        match event {
            Event::Message { message } | Event::Changed { message } => match &self.contact.conversation {
                Some(conversation) => message.conversation == *conversation,
                None => {
                    self.contact.account.as_deref() == Some(message.author.as_str()) || self.known.contains(&message.id)
                }
            },
            Event::Warning { .. } | Event::Lagged { .. } => true,
            Event::Request { .. }
            | Event::Chat { .. }
            | Event::ChatGone { .. }
            | Event::Transfer { .. }
            | Event::Contact { .. }
            | Event::Typing { .. }
            | Event::Connection { .. }
            | Event::Transcription { .. }
            | Event::Model { .. }
            | Event::Raise { .. } => false,
        }
    }

    async fn heard(&mut self, message: Message, input: &mut Input) -> Result<(), Error> {
        let new = self.known.insert(message.id.clone());
        self.left(&message);
        if !self.context.screen.is_json() {
            if new {
                input.say(&text::said(&message))?;
            } else if message.mine
                && let Some(tick) = text::ticked(&message)
            {
                input.say(&tick)?;
            }
        }
        if new && !message.mine { self.mark_read(&message).await } else { Ok(()) }
    }

    async fn mark_read(&mut self, message: &Message) -> Result<(), Error> {
        let with = self.name.clone();
        self.backend.command(Request::MarkRead { with, upto: message.id.clone() }).await
    }

    fn left(&mut self, message: &Message) {
        let queued = message.state.as_deref() == Some("queued");
        self.waiting.retain(|waiting| queued || *waiting != message.id);
    }

    /// The last line of a script was read: its messages get time to leave.
    async fn end_of_script(&mut self, events: &mut Events) -> Result<Success, Error> {
        let end = Instant::now() + LEAVING;
        while !self.waiting.is_empty() {
            match timeout_at(end, events.next()).await {
                Ok(Ok(Some(Event::Message { message } | Event::Changed { message }))) => self.left(&message),
                Ok(Ok(Some(_))) => {}
                Ok(Ok(None)) => return Err(Error::new("closed", text::ENDED)),
                Ok(Err(error)) => return Err(error),
                Err(_) => return Ok(Success::Queued),
            }
        }
        Ok(Success::Done)
    }
}

async fn page(backend: &mut Backend, request: Request) -> Result<Vec<Message>, Error> {
    match backend.call(request).await? {
        Reply::Messages(messages) => Ok(messages),
        _ => Err(Error::nonsense()),
    }
}
