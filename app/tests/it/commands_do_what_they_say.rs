//! The commands beside sending and reading: chats, listening, groups, safety numbers, changes of messages, refusals.

use std::process::Stdio;

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout};
use tokio::time::{Duration, timeout};

use crate::world::{Failure, Outcome, Pair, Person, Relay, befriend, check, play, sign_up, text};

/// How long something may take to be printed.
const LIMIT: Duration = Duration::from_secs(60);

/// A command that goes on, with what it is told and what it prints.
struct Talk {
    child: Child,
    input: Option<ChildStdin>,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Talk {
    fn start(person: &Person<'_>, arguments: &[&str]) -> Outcome<Self> {
        let log = std::fs::File::create(person.room.join(format!("{}-talk.log", person.name)))?;
        let mut command = person.kith();
        let mut child = command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(log).spawn()?;
        let input = child.stdin.take();
        let output = child.stdout.take().ok_or_else(|| Failure::new("a command has no output"))?;
        Ok(Self { child, input, lines: BufReader::new(output).lines() })
    }

    async fn says(&mut self, line: &str) -> Outcome {
        let input = self.input.as_mut().ok_or_else(|| Failure::new("its input has ended"))?;
        Ok(input.write_all(format!("{line}\n").as_bytes()).await?)
    }

    /// The next object in which something is found.
    async fn prints<T>(&mut self, what: &str, wanted: impl Fn(&Value) -> Option<T>) -> Outcome<T> {
        let search = async {
            while let Some(line) = self.lines.next_line().await? {
                if let Some(found) = wanted(&serde_json::from_str(&line)?) {
                    return Ok(found);
                }
            }
            Err(Failure::new(format!("it ended before {what} came")))
        };
        timeout(LIMIT, search).await.map_err(|_| Failure::new(format!("{what} did not come")))?
    }

    /// Its input ends; it has to end by itself: its exit code.
    async fn ends(mut self) -> Outcome<Option<i32>> {
        drop(self.input.take());
        self.is_over().await
    }

    async fn is_over(&mut self) -> Outcome<Option<i32>> {
        let status = timeout(LIMIT, self.child.wait()).await.map_err(|_| Failure::new("it did not end"))??;
        Ok(status.code())
    }

    /// Asks it to end, as the system does: its exit code.
    async fn terminated(mut self) -> Outcome<Option<i32>> {
        let id = self.child.id().ok_or_else(|| Failure::new("it has ended already"))?;
        tokio::process::Command::new("kill").arg("-TERM").arg(id.to_string()).status().await?;
        self.is_over().await
    }
}

fn message_of(event: &Value, kind: &str, words: &str) -> Option<Value> {
    (event["event"] == kind && event["message"]["text"] == words).then(|| event["message"].clone())
}

#[tokio::test]
async fn a_chat_without_a_terminal_sends_every_line_and_prints_the_answers() {
    play(async |room| {
        let Pair { relay: _relay, alice, alice_runs, bob, bob_runs: _bob_runs } = Pair::meet(room).await?;
        // Once beside a process that runs, once keeping the account online itself.
        let mut runs = Some(alice_runs);
        for occasion in ["beside", "alone"] {
            let mut chat = Talk::start(&alice, &["chat", "bob"])?;
            chat.prints("the history", |object| (object["text"] == "hello").then_some(())).await?;
            let (line, slash) = (format!("a line, {occasion}"), format!("/ is written with two, {occasion}"));
            chat.says(&line).await?;
            let sent =
                chat.prints("the message", |object| (object["text"] == line.as_str()).then(|| object.clone())).await?;
            check(sent["mine"] == true, &format!("it is {sent}"))?;
            chat.says(&format!("/{slash}")).await?;
            bob.reads("alice", &[&line, &slash]).await?;
            let answer = format!("an answer, {occasion}");
            bob.send("alice", &answer).await?;
            chat.prints("the answer", |object| message_of(object, "message", &answer)).await?;
            // A chat marks what it shows as read.
            let read = |answer: &[Value]| {
                let message =
                    answer.iter().find(|message| text(message, "text") == format!("an answer, {occasion}"))?;
                (text(message, "state") == "read" || text(message, "state") == "delivered").then_some(())
            };
            bob.until("the receipt", &["history", "alice"], read).await?;
            chat.says("the last line").await?;
            check(chat.ends().await? == Some(0), "the chat did not end well")?;
            bob.reads("alice", &["the last line"]).await?;
            if let Some(runs) = runs.take() {
                alice.ask(&["stop"]).await?;
                runs.ended().await?;
            }
        }
        let mut chat = Talk::start(&alice, &["chat", "bob"])?;
        chat.prints("the history", |object| (object["text"] == "hello").then_some(())).await?;
        chat.says("/quit").await?;
        check(chat.is_over().await? == Some(0), "it did not leave")
    })
    .await;
}

#[tokio::test]
async fn listening_prints_what_happens_and_ends_when_it_is_asked_to() {
    play(async |room| {
        let Pair { relay: _relay, alice, alice_runs: _alice_runs, bob, bob_runs } = Pair::meet(room).await?;
        bob.ask(&["stop"]).await?;
        bob_runs.ended().await?;
        // Nothing else runs: it keeps the account online, and other commands use it.
        let mut listening = Talk::start(&bob, &["listen"])?;
        listening
            .prints("the relay", |event| (event["event"] == "connection" && event["who"] == "relay").then_some(()))
            .await?;
        let mut second = Talk::start(&bob, &["listen"])?;
        let sent = alice.send("bob", "do you listen?").await?;
        let heard = listening.prints("the message", |event| message_of(event, "message", "do you listen?")).await?;
        check(heard["id"] == sent["id"] && heard["mine"] == false, &format!("it is {heard}"))?;
        let emoji = json!([["👍", 1]]);
        bob.ask(&["react", "alice", text(&sent, "id"), "👍"]).await?;
        listening
            .prints("the reaction", |event| {
                (event["event"] == "changed" && event["message"]["reactions"] == emoji).then_some(())
            })
            .await?;
        // The second one attaches when the first is ready; whatever it saw, the reaction is after it.
        second.prints("an event of the other process", |event| event["event"].is_string().then_some(())).await?;
        check(second.terminated().await? == Some(0), "one that attached did not end well")?;
        check(listening.terminated().await? == Some(0), "it did not end well")?;
        check(bob.ask_one(&["whoami"]).await?["account"].is_string(), "the profile was not given free")
    })
    .await;
}

#[tokio::test]
async fn messages_are_edited_deleted_reacted_to_and_answered() {
    play(async |room| {
        let Pair { relay: _relay, alice, alice_runs: _alice_runs, bob, bob_runs: _bob_runs } = Pair::meet(room).await?;
        let done = [json!({"done": true})];
        let (first, second) = (alice.send("bob", "one").await?, alice.send("bob", "two").await?);
        bob.reads("alice", &["one", "two"]).await?;
        let (first, second) = (text(&first, "id"), text(&second, "id"));
        check(alice.ask(&["edit", "bob", first, "one, corrected"]).await? == done, "an edit is not done")?;
        check(alice.ask(&["delete", "bob", second]).await? == done, "a deletion is not done")?;
        check(bob.ask(&["react", "alice", first, "👍"]).await? == done, "a reaction is not done")?;
        let answer = bob.ask_one(&["send", "alice", "an answer", "--reply-to", first, "--wait", "45"]).await?;
        check(answer["reply_to"] == first, &format!("it answers nothing: {answer}"))?;
        for (person, with) in [(&alice, "bob"), (&bob, "alice")] {
            let changed = |answer: &[Value]| {
                let called = |id: &str| answer.iter().find(|message| text(message, "id") == id);
                let (edited, deleted) = (called(first)?, called(second)?);
                let corrected = edited["text"] == "one, corrected" && edited["edited"] == true;
                let answered = answer.iter().any(|message| message["reply_to"] == first);
                let gone = deleted["kind"] == "deleted" && deleted["text"].is_null();
                (corrected && answered && gone && edited["reactions"] == json!([["👍", 1]])).then_some(())
            };
            person.until("the changes", &["history", with], changed).await?;
        }
        bob.ask(&["react", "alice", first]).await?;
        let taken_back = |answer: &[Value]| {
            let message = answer.iter().find(|message| text(message, "id") == first)?;
            (message["reactions"] == json!([])).then_some(())
        };
        alice.until("that the reaction is gone", &["history", "bob"], taken_back).await?;
        // Only one's own: what is tried on another's text changes nothing at either end.
        for attempt in [&["edit", "alice", first, "mine now"][..], &["delete", "alice", first]] {
            let refused = bob.refused(attempt).await?;
            check(refused.code == "no_message", &format!("{attempt:?}: it was {refused:?}"))?;
        }
        bob.send("alice", "after it").await?;
        alice.reads("bob", &["after it"]).await?;
        for (person, with) in [(&alice, "bob"), (&bob, "alice")] {
            let messages = person.ask(&["history", with]).await?;
            let kept = messages.iter().find(|message| text(message, "id") == first);
            let same = kept.is_some_and(|message| message["text"] == "one, corrected" && message["kind"] == "text");
            check(same, &format!("{} sees {kept:?}", person.name))?;
        }
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn a_group_is_one_conversation_for_all_its_members() {
    play(async |room| {
        let Pair { relay, alice, alice_runs: _alice_runs, bob, bob_runs: _bob_runs } = Pair::meet(room).await?;
        let carol = sign_up(room, "carol", &relay).await?;
        let _carol_runs = carol.run().await?;
        befriend(&alice, &carol, "carol").await?;
        let made = alice.ask_one(&["group", "walkers", "bob", "carol"]).await?;
        let conversation = text(&made, "conversation");
        check(made == json!({"conversation": conversation}) && !conversation.is_empty(), &format!("it is {made}"))?;
        for person in [&alice, &bob, &carol] {
            let there = |answer: &[Value]| {
                let group = answer.iter().find(|contact| text(contact, "conversation") == conversation)?;
                (group["state"] == "group" && group["name"] == "walkers" && group["account"].is_null()).then_some(())
            };
            person.until("the group", &["contacts"], there).await?;
        }
        for (person, words) in [(&alice, "on Sunday?"), (&bob, "I come"), (&carol, "so do I")] {
            person.send("walkers", words).await?;
            for reader in [&alice, &bob, &carol] {
                reader.reads("walkers", &[words]).await?;
            }
        }
        let shown = alice.whole_history("walkers").await?;
        for reader in [&bob, &carol] {
            let other = reader.whole_history("walkers").await?;
            check(other == shown, &format!("{} sees {other:?}, Alice {shown:?}", reader.name))?;
        }
        check(alice.refused(&["group", "nobodies", "dave"]).await?.code == "nobody", "a group of nobody was made")
    })
    .await;
}

#[tokio::test]
async fn safety_numbers_are_the_same_at_both_ends_and_a_comparison_is_noted() {
    play(async |room| {
        let Pair { relay: _relay, alice, alice_runs: _alice_runs, bob, bob_runs: _bob_runs } = Pair::meet(room).await?;
        let (at_alice, at_bob) = (alice.ask_one(&["verify", "bob"]).await?, bob.ask_one(&["verify", "alice"]).await?);
        let number = text(&at_alice, "safety_number");
        check(number.split_whitespace().count() == 12, &format!("that is no safety number: {number:?}"))?;
        check(number == text(&at_bob, "safety_number"), &format!("{at_alice} is not the number of {at_bob}"))?;
        check(at_alice["verified"] == false, "it is verified before it was compared")?;
        check(alice.ask(&["verify", "bob", "--compared"]).await? == [json!({"done": true})], "it is not done")?;
        check(alice.ask_one(&["verify", "bob"]).await?["verified"] == true, "the comparison was not noted")?;
        check(bob.ask_one(&["verify", "alice"]).await?["verified"] == false, "it was noted at the other end too")
    })
    .await;
}

#[tokio::test]
async fn a_request_is_declined_and_may_be_made_again() {
    play(async |room| {
        let relay = Relay::start(room, "relay").await?;
        let (alice, bob) = tokio::try_join!(sign_up(room, "alice", &relay), sign_up(room, "bob", &relay))?;
        let _runs = tokio::try_join!(alice.run(), bob.run())?;
        alice.ask(&["add", "bob", "may I?"]).await?;
        bob.is_asked_by("alice").await?;
        check(bob.ask(&["decline", "alice"]).await? == [json!({"done": true})], "it is not done")?;
        check(bob.ask(&["requests"]).await?.is_empty(), "the request is still there")?;
        check(bob.ask(&["contacts"]).await?.is_empty(), "a declined request made a contact")?;
        // Alice is not told.
        let asked = alice.ask(&["contacts"]).await?;
        check(asked.first().is_some_and(|contact| contact["state"] == "asked"), &format!("Alice sees {asked:?}"))?;
        check(bob.refused(&["accept", "alice"]).await?.exit == Some(1), "a dropped request was accepted")?;
        befriend(&alice, &bob, "bob").await
    })
    .await;
}
