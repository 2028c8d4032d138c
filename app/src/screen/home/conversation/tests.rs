use iced::widget::text_editor::{self, Edit};
use kith_core::wire::control::{Progress, Reply};

use super::*;
use crate::backend::asked::tests::Record;
use crate::problem::Problem;
use crate::samples::message;
use crate::screen::home::list::tests::chat;
use crate::screen::home::timeline::key_of;
use crate::snapshots::{World, outputs};

/// A conversation without a profile behind it.
struct Talk {
    world: World,
    talk: Conversation,
    record: Record,
    later_ms: u64,
    is_looked_at: bool,
}

impl Talk {
    fn new(chat: Chat) -> Self {
        let (backend, record) = Backend::detached();
        let (talk, _) = Conversation::new(chat, backend);
        Self { world: World::new(800.0, 600.0), talk, record, later_ms: 0, is_looked_at: true }
    }

    /// With these messages.
    fn with(chat: Chat, messages: Vec<Shown>) -> Self {
        let mut talk = Self::new(chat);
        talk.hears(Message::Opened(Ok(page(messages))));
        talk
    }

    fn hears(&mut self, message: Message) -> Vec<Message> {
        let mut context = self.world.context();
        context.now_ms += self.later_ms;
        match self.talk.update(message, self.is_looked_at, context) {
            Action::Run(task) | Action::Set(_, task) => outputs(task),
            _ => Vec::new(),
        }
    }

    fn types(&mut self, text: &str) {
        let _ = self.hears(typed(text));
    }

    /// What was typed rests for a while.
    fn rests(&mut self) {
        let _ = self.hears(Message::DraftDue(self.talk.draft_serial));
    }

    fn asked(&self) -> Vec<Request> {
        self.record.asked()
    }
}

fn typed(text: &str) -> Message {
    let paste = Edit::Paste(std::sync::Arc::new(text.to_owned()));
    Message::Compose(composer::Action::Editor(text_editor::Action::Edit(paste)))
}

fn page(messages: Vec<Shown>) -> Page {
    Page { messages, more_before: false, more_after: false, first_unread: None }
}

fn mine(number: u64, text: &str) -> Shown {
    Shown { mine: true, author: "me".into(), ..message(number, text) }
}

fn sends(asked: &[Request]) -> Vec<&str> {
    let mut found = Vec::new();
    for request in asked {
        if let Request::Send { text, .. } = request {
            found.push(text.as_str());
        }
    }
    found
}

fn drafts(asked: &[Request]) -> Vec<&str> {
    let mut found = Vec::new();
    for request in asked {
        if let Request::SaveDraft { text, .. } = request {
            found.push(text.as_str());
        }
    }
    found
}

fn typing(asked: &[Request]) -> Vec<bool> {
    let on = |request: &Request| if let Request::Typing { on, .. } = request { Some(*on) } else { None };
    asked.iter().filter_map(on).collect()
}

fn read(asked: &[Request]) -> Vec<&str> {
    let mut found = Vec::new();
    for request in asked {
        if let Request::MarkRead { upto, .. } = request {
            found.push(upto.as_str());
        }
    }
    found
}

fn pages(asked: &[Request]) -> usize {
    asked.iter().filter(|request| matches!(request, Request::Page { .. })).count()
}

/// A voice note that waits to become text.
fn note(number: u64) -> Shown {
    Shown { kind: "voice".into(), duration_ms: Some(9_000), ..message(number, "") }
}

#[tokio::test]
async fn notes_on_the_screen_become_text_first_once_somebody_looks_at_them() {
    let mut talk = Talk::with(chat("Bob"), (0..6).map(note).collect());
    let id = |number: u64| message(number, "").id;
    let rows = |first: u64, last: u64| {
        let (first_visible, last_visible) = (key_of(&id(first)), key_of(&id(last)));
        Message::Scrolled(history::Position { at_end: false, first_visible, last_visible })
    };
    let looked = |talk: &mut Talk| {
        let serial = talk.talk.sound.look_serial();
        let _ = talk.hears(Message::Sound(SoundDeed::LookDue(serial)));
        let asked = talk.asked().into_iter();
        asked
            .filter_map(|asked| match asked {
                Request::LookAt { messages, .. } => Some(messages),
                _ => None,
            })
            .collect::<Vec<_>>()
    };
    talk.hears(rows(0, 2));
    assert_eq!(looked(&mut talk), Vec::<Vec<String>>::new(), "nothing waits");
    let _ = talk.talk.transcribed(id(1), Progress::Waiting);
    let _ = talk.talk.transcribed(id(4), Progress::Waiting);
    assert_eq!(looked(&mut talk), [vec![id(1)]]);
    // Whoever scrolls by looks at nothing.
    talk.hears(rows(1, 3));
    talk.hears(rows(2, 4));
    talk.hears(Message::Sound(SoundDeed::LookDue(talk.talk.sound.look_serial() - 1)));
    talk.hears(rows(3, 5));
    assert_eq!(looked(&mut talk), [vec![id(4)]]);
    assert_eq!(looked(&mut talk), Vec::<Vec<String>>::new(), "the same is not said again");
    // The row of the day counts as the message below it.
    let day = view::day_row(talk.talk.timeline.by_id(&id(0)).unwrap());
    let position = history::Position { at_end: false, first_visible: day, last_visible: key_of(&id(1)) };
    talk.hears(Message::Scrolled(position));
    assert_eq!(looked(&mut talk), [vec![id(1)]]);
    let _ = outputs(talk.talk.leave());
    let left =
        talk.asked().into_iter().any(|asked| matches!(asked, Request::LookAt { messages, .. } if messages.is_empty()));
    assert!(left, "nobody looks any more");
}

#[tokio::test]
async fn files_that_are_pasted_are_offered_and_what_is_no_file_is_text() {
    let folder = tempfile::tempdir().unwrap();
    let there = folder.path().join("train plan.pdf");
    std::fs::write(&there, "x").unwrap();
    let address = format!("file://{}", there.display().to_string().replace(' ', "%20"));
    let mut talk = Talk::with(chat("Bob"), Vec::new());
    assert!(
        talk.talk
            .pasted(&composer::Action::Editor(text_editor::Action::Edit(Edit::Paste(std::sync::Arc::new(
                address.clone()
            )))))
            .is_some()
    );
    talk.types("hello ");
    // It was looked for, and is there; then it is not.
    let offered = talk.talk.update(Message::Pasted(address.clone(), vec![there.clone()]), true, talk.world.context());
    assert!(matches!(offered, Action::Offer(files) if files == [there.clone()]));
    talk.hears(Message::Pasted(address.clone(), Vec::new()));
    assert_eq!(talk.talk.composer.text(), format!("hello {address}"));
}

#[tokio::test]
async fn a_draft_that_cannot_be_kept_is_said_once_and_kept_when_it_can_be() {
    let mut talk = Talk::with(chat("Bob"), Vec::new());
    let full = || Err(Problem::new("disk_full", "the disk is full"));
    let saves = |talk: &Talk| {
        let asked = talk.asked().into_iter();
        asked.filter(|asked| matches!(asked, Request::SaveDraft { text, .. } if text == "to be kept")).count()
    };
    talk.types("to be kept");
    talk.rests();
    assert_eq!(saves(&talk), 1);
    talk.hears(Message::DraftKept(full()));
    assert!(talk.talk.notice.take().is_some());
    talk.rests();
    talk.hears(Message::DraftKept(full()));
    assert_eq!((saves(&talk), talk.talk.notice.is_some()), (1, false), "nobody is told again and again");
    assert!(talk.talk.last_draft().is_some(), "nor is it lost at the end");
    talk.rests();
    talk.hears(Message::DraftKept(Ok(())));
    talk.rests();
    assert_eq!(saves(&talk), 1, "it is there");
    assert!(talk.talk.last_draft().is_none());
}

#[tokio::test]
async fn notes_that_waited_before_the_chat_was_opened_are_known() {
    let mut talk = Talk::with(chat("Bob"), (0..3).map(note).collect());
    let waiting = vec![message(1, "").id];
    talk.hears(Message::Sound(SoundDeed::Waiting(Ok(waiting.clone()))));
    assert_eq!(talk.talk.sound.transcribing.keys().cloned().collect::<Vec<_>>(), waiting);
}

#[tokio::test]
async fn what_could_not_be_queued_can_be_tried_again_or_let_go() {
    let mut talk = Talk::with(chat("Bob"), Vec::new());
    talk.types("  hello ");
    let mut answers = talk.hears(Message::Submit);
    assert_eq!(sends(&talk.asked()), ["hello"]);
    assert!(talk.talk.composer.is_empty());
    answers.retain(|answer| matches!(answer, Message::Sent(..)));
    assert!(matches!(answers[..], [Message::Sent(0, Err(_))]));
    let _ = talk.hears(answers.remove(0));
    assert_eq!(talk.talk.failed.len(), 1);
    assert!(!talk.talk.failed[0].is_trying);
    talk.record.will_answer(Reply::Message(mine(1, "hello")));
    let answers = talk.hears(Message::Retry(0));
    assert_eq!(sends(&talk.asked()), ["hello"]);
    assert!(talk.hears(Message::Retry(0)).is_empty() && talk.asked().is_empty(), "it is being tried");
    for answer in answers {
        let _ = talk.hears(answer);
    }
    assert!(talk.talk.failed.is_empty());
    assert_eq!(pages(&talk.asked()), 1, "the message is fetched into its place");
    talk.types("again");
    for answer in talk.hears(Message::Submit) {
        let _ = talk.hears(answer);
    }
    let _ = talk.hears(Message::Discard(1));
    assert!(talk.talk.failed.is_empty());
}

#[tokio::test]
async fn nothing_but_spaces_is_not_sent() {
    let mut talk = Talk::with(chat("Bob"), Vec::new());
    talk.types(" \n ");
    let _ = talk.hears(Message::Submit);
    assert!(sends(&talk.asked()).is_empty());
}

#[tokio::test]
async fn a_draft_is_kept_when_typing_rests_and_on_leaving_and_only_when_it_is_another() {
    let mut talk = Talk::with(chat("Bob"), Vec::new());
    talk.types("half a");
    let serial = talk.talk.draft_serial;
    talk.types(" thought");
    let _ = talk.hears(Message::DraftDue(serial));
    assert!(drafts(&talk.asked()).is_empty(), "somebody types on");
    talk.rests();
    assert_eq!(drafts(&talk.asked()), ["half a thought"]);
    talk.rests();
    assert!(drafts(&talk.asked()).is_empty(), "it is known");
    talk.types("!");
    let _ = outputs(talk.talk.leave());
    let asked = talk.asked();
    assert_eq!(drafts(&asked), ["half a thought!"]);
    assert_eq!(typing(&asked), [false]);
    let _ = talk.hears(Message::Submit);
    assert_eq!(drafts(&talk.asked()), [""], "what was sent is no draft");
}

#[tokio::test]
async fn a_change_of_a_message_leaves_the_draft_alone() {
    let mut talk = Talk::with(chat("Bob"), vec![mine(1, "tpyo"), message(2, "theirs")]);
    talk.types("a draft");
    let _ = talk.hears(Message::Edit(key_of("feed.0.2")));
    assert_eq!(talk.talk.mode, Mode::Write, "others' messages are theirs");
    let _ = talk.hears(Message::EditLast);
    assert_eq!(talk.talk.composer.text(), "tpyo");
    let _ = talk.asked();
    talk.rests();
    assert!(talk.asked().is_empty(), "what is changed is no draft");
    assert_eq!(
        talk.talk.last_draft().map(|draft| matches!(draft, Request::SaveDraft { text, .. } if text == "a draft")),
        Some(true)
    );
    let _ = talk.hears(Message::Cancel);
    assert_eq!(talk.talk.composer.text(), "a draft");
    let _ = talk.hears(Message::EditLast);
    talk.types(" no more");
    let _ = talk.hears(Message::Submit);
    assert_eq!(talk.talk.composer.text(), "a draft");
    let asked = talk.asked();
    assert!(asked.iter().any(|request| matches!(request, Request::Edit { message, .. } if message == "feed.0.1")));
    assert!(sends(&asked).is_empty());
}

#[tokio::test]
async fn an_answer_names_what_it_answers_once() {
    let mut talk = Talk::with(chat("Bob"), vec![message(1, "a question")]);
    let _ = talk.hears(Message::Reply(key_of("feed.0.1")));
    talk.types("yes");
    let _ = talk.hears(Message::Submit);
    talk.types("and more");
    let _ = talk.hears(Message::Submit);
    let answered = |request: &Request| match request {
        Request::Send { reply_to, .. } => Some(reply_to.clone()),
        _ => None,
    };
    let answered: Vec<_> = talk.asked().iter().filter_map(answered).collect();
    assert_eq!(answered, [Some("feed.0.1".to_owned()), None]);
}

#[tokio::test]
async fn that_one_types_is_said_now_and_then_and_taken_back() {
    let mut talk = Talk::with(chat("Bob"), Vec::new());
    for letter in ["a", "b", "c"] {
        talk.types(letter);
    }
    assert_eq!(typing(&talk.asked()), [true]);
    talk.later_ms = TYPING_AGAIN_MS + 1;
    talk.types("d");
    assert_eq!(typing(&talk.asked()), [true]);
    let _ = talk.hears(Message::Submit);
    assert_eq!(typing(&talk.asked()), [false]);
    // Whoever has not accepted yet is told nothing.
    let mut talk = Talk::with(Chat { state: "asked".into(), ..chat("Bob") }, Vec::new());
    talk.types("a");
    assert!(typing(&talk.asked()).is_empty());
}

#[tokio::test]
async fn who_says_nothing_more_has_stopped_typing() {
    let mut talk = Talk::with(chat("Bob"), Vec::new());
    let now = talk.world.context().now_ms;
    let _ = talk.talk.typing("them".into(), true, now);
    let _ = talk.hears(Message::TypingDue);
    assert_eq!(talk.talk.typing.len(), 1);
    talk.later_ms = 7001;
    let _ = talk.hears(Message::TypingDue);
    assert!(talk.talk.typing.is_empty());
    let _ = talk.talk.typing("them".into(), true, now);
    let _ = talk.talk.came(&message(9, "here"));
    assert!(talk.talk.typing.is_empty(), "who wrote types no more");
}

#[tokio::test]
async fn only_what_somebody_looks_at_is_read() {
    let mut talk = Talk::new(Chat { unread: 2, ..chat("Bob") });
    talk.is_looked_at = false;
    let messages = vec![message(1, "one"), message(2, "two")];
    let _ = talk.hears(Message::Opened(Ok(page(messages.clone()))));
    assert!(read(&talk.asked()).is_empty());
    let _ = outputs(talk.talk.seen(true));
    assert_eq!(read(&talk.asked()), ["feed.0.2"]);
    let _ = outputs(talk.talk.seen(true));
    assert!(read(&talk.asked()).is_empty(), "once is enough");
    // Opened at the first that was not read: the rest is read when it is seen.
    let mut talk = Talk::new(Chat { unread: 2, ..chat("Bob") });
    let first = Page { first_unread: Some("feed.0.1".into()), ..page(messages) };
    let _ = talk.hears(Message::Opened(Ok(first)));
    assert!(read(&talk.asked()).is_empty());
    let position =
        history::Position { first_visible: key_of("feed.0.1"), last_visible: key_of("feed.0.1"), at_end: false };
    let _ = talk.hears(Message::Scrolled(position));
    assert_eq!(read(&talk.asked()), ["feed.0.1"]);
}

#[tokio::test]
async fn many_events_are_one_reload_and_one_more() {
    let mut talk = Talk::with(chat("Bob"), vec![message(1, "one")]);
    for number in 2..20 {
        let _ = outputs(talk.talk.came(&message(number, "more")));
    }
    assert_eq!(pages(&talk.asked()), 1);
    let _ = talk.hears(Message::Reloaded(Ok(page(vec![message(1, "one"), message(2, "two")]))));
    assert_eq!(pages(&talk.asked()), 1, "what came meanwhile");
    let _ = talk.hears(Message::Reloaded(Ok(page(vec![message(3, "three")]))));
    assert_eq!(pages(&talk.asked()), 0);
    assert_eq!(talk.talk.timeline.entries().len(), 1);
}

#[tokio::test]
async fn what_comes_while_one_reads_old_messages_is_counted_and_not_fetched() {
    let mut talk = Talk::new(chat("Bob"));
    let older = Page { more_after: true, ..page(vec![message(1, "old")]) };
    let _ = talk.hears(Message::Opened(Ok(older)));
    let _ = outputs(talk.talk.came(&message(8, "new")));
    let _ = outputs(talk.talk.came(&mine(9, "from another device")));
    assert_eq!((talk.talk.new_below, pages(&talk.asked())), (1, 0));
    let _ = talk.hears(Message::ToNewest);
    assert_eq!((talk.talk.new_below, pages(&talk.asked())), (0, 1));
}

#[tokio::test]
async fn escape_takes_away_one_thing_after_the_other() {
    let mut talk = Talk::with(chat("Bob"), vec![mine(1, "one")]);
    let _ = talk.hears(Message::EditLast);
    let _ = talk.hears(Message::Done(Err(Problem::new("no_message", "it is gone"))));
    assert!(talk.talk.notice.is_some());
    assert!(talk.talk.escape() && talk.talk.notice.is_none() && talk.talk.mode != Mode::Write);
    assert!(talk.talk.escape() && talk.talk.mode == Mode::Write);
    assert!(!talk.talk.escape());
}
