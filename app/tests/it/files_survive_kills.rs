//! A file of 20 MB whose sender, receiver and relay are killed at every tenth of its way: it arrives whole, and next to nothing goes
//! twice.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::Value;
use tokio::time::{Instant, sleep};

use crate::world::{Failure, Outcome, Pair, Person, Relay, check, play, text};

/// Bytes of the file.
const FILE: usize = 20_000_000;

/// Bytes of a sealed chunk.
const CHUNK: u64 = 256 * 1024 + 16;

/// What the log of a device says of each chunk that it gives.
const GIVEN: &str = "A chunk of an attachment is given to a device.";

/// How long a tenth may take, on a slow machine under load.
const LIMIT: Duration = Duration::from_secs(90);

fn content() -> Vec<u8> {
    (0..FILE).map(|at| (at % 251) as u8 ^ (at / 65_537) as u8).collect()
}

/// Until it holds; it is looked at again at once, since what is waited for is soon over.
async fn until(what: &str, holds: impl Fn() -> bool) -> Outcome {
    let end = Instant::now() + LIMIT;
    while !holds() {
        if Instant::now() > end {
            return Err(Failure::new(format!("{what} did not come about within {} s", LIMIT.as_secs())));
        }
        sleep(Duration::from_millis(2)).await;
    }
    Ok(())
}

/// The chunks that a relay keeps, and their bytes.
fn kept(relay: &Path) -> (u64, u64) {
    let (mut count, mut bytes) = (0, 0);
    let mut dirs = vec![relay.join("blobs")];
    while let Some(dir) = dirs.pop() {
        for entry in fs::read_dir(dir).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() {
                dirs.push(path);
            } else if entry.file_name().to_string_lossy().parse::<u32>().is_ok() {
                count += 1;
                bytes += entry.metadata().map_or(0, |facts| facts.len());
            }
        }
    }
    (count, bytes)
}

/// The sealed files of a person's profile with this ending.
fn sealed(person: &Person<'_>, ending: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(person.room.join(person.name).join("store/blobs")).into_iter().flatten().flatten();
    let paths = entries.map(|entry| entry.path());
    paths.filter(|path| path.extension().is_some_and(|found| found == ending)).collect()
}

fn part_bytes(person: &Person<'_>) -> u64 {
    sealed(person, "part").iter().filter_map(|path| fs::metadata(path).ok()).map(|facts| facts.len()).sum()
}

fn moved(relay: &Relay<'_>, way: &str) -> Outcome<u64> {
    relay.counted(&format!("kith_relay_blob_bytes_total{{way=\"{way}\"}}"))
}

impl Person<'_> {
    /// The newest message with a file.
    async fn newest_file(&self, with: &str) -> Outcome<Value> {
        let file = |answer: &[Value]| answer.iter().rev().find(|message| message["kind"] == "file").cloned();
        self.until("the file's message", &["history", with], file).await
    }

    async fn transfer_is(&self, with: &str, states: &[&str]) -> Outcome {
        let wanted = |answer: &[Value]| {
            let file = answer.iter().rev().find(|message| message["kind"] == "file")?;
            states.contains(&text(&file["file"]["transfer"], "state")).then_some(())
        };
        self.until(&format!("{states:?}"), &["history", with], wanted).await
    }

    async fn has(&self, with: &str, content: &[u8], to: &Path) -> Outcome {
        let id = text(&self.newest_file(with).await?, "id").to_owned();
        // A connection whose other end was killed is known to be dead only after a while.
        let end = Instant::now() + 2 * LIMIT;
        while self.newest_file(with).await?["file"]["transfer"]["here"] != true {
            check(Instant::now() < end, "the file did not come")?;
            sleep(Duration::from_millis(100)).await;
        }
        let saved = self.ask_one(&["save", with, &id, &to.display().to_string()]).await?;
        check(saved["bytes"] == content.len(), &format!("{saved}"))?;
        check(fs::read(to)? == content, "another file came than was sent")
    }
}

#[tokio::test]
async fn whoever_is_killed_at_every_tenth_of_a_file_goes_on_where_it_was() {
    play(async |room| {
        let Pair { mut relay, alice, alice_runs, bob, bob_runs } = Pair::meet(room).await?;
        let (content, path) = (content(), room.join("recording.wav"));
        fs::write(&path, &content)?;
        bob_runs.kill().await?;
        alice.ask_one(&["send", "bob", "--file", &path.display().to_string(), "--wait", "0"]).await?;
        // What was copied no longer needs its original.
        fs::remove_file(&path)?;

        // To the relay: its sender is killed at every tenth, and in the middle the relay itself.
        let (chunks, mut runs, mut sent, mut kills) = (77, alice_runs, 0, 0);
        for tenth in 1..10 {
            until("a tenth of the upload", || kept(&relay.data()).0 * 10 >= chunks * tenth).await?;
            if tenth == 5 {
                sent += moved(&relay, "in")?;
                relay.kill().await?;
                relay.restart().await?;
            } else {
                runs.kill().await?;
                runs = alice.run().await?;
            }
            kills += 1;
        }
        alice.transfer_is("bob", &["uploaded"]).await?;
        let (_, all) = kept(&relay.data());
        sent += moved(&relay, "in")?;
        // What the relay took in the moment before it was killed it did not count.
        check(sent < all + kills * CHUNK, &format!("{sent} bytes went for {all}, with {kills} kills"))?;
        runs.kill().await?;

        // From the relay: its receiver is killed at every tenth.
        let (before, mut kills, mut runs) = (moved(&relay, "out")?, 0, bob.run().await?);
        let id = text(&bob.newest_file("alice").await?, "id").to_owned();
        let mut fetching = bob.kith().args(["fetch", "alice", &id]).spawn()?;
        for tenth in 1..10 {
            until("a tenth of the file", || {
                part_bytes(&bob) * 10 >= all * tenth || sealed(&bob, "list").len() > sealed(&bob, "part").len()
            })
            .await?;
            runs.kill().await?;
            kills += 1;
            runs = bob.run().await?;
        }
        // The command that asked for it ended with the process that it was attached to.
        let _ = fetching.wait().await?;
        bob.has("alice", &content, &room.join("by relay")).await?;
        let came = moved(&relay, "out")? - before;
        // What was under way when it was killed comes again: one chunk, and no more.
        check(came <= all + kills * CHUNK, &format!("{came} bytes came for {all}, with {kills} kills"))?;
        runs.kill().await
    })
    .await;
}

#[tokio::test]
async fn a_file_comes_straight_though_both_ends_are_killed_now_and_then() {
    play(async |room| {
        let Pair { mut relay, mut alice, alice_runs, bob, bob_runs } = Pair::meet(room).await?;
        let (content, path) = (content(), room.join("film.mkv"));
        fs::write(&path, &content)?;
        alice_runs.terminate().await?;
        alice.environment.push(("KITH_LOG".into(), "kith_core=debug".into()));
        let mut sends = alice.run().await?;
        alice.is_connected_to("bob").await?;
        alice.ask_one(&["send", "bob", "--file", &path.display().to_string(), "--wait", "0"]).await?;
        let id = text(&bob.newest_file("alice").await?, "id").to_owned();
        // Nobody else could give it.
        relay.kill().await?;
        let (mut gets, mut kills) = (bob_runs, 0);
        let mut fetching = bob.kith().args(["fetch", "alice", &id]).spawn()?;
        // Each costs the time after which a connection is known to be dead.
        for tenth in [2, 4, 6, 8] {
            until("so much of the file", || {
                part_bytes(&bob) * 10 >= FILE as u64 * tenth || sealed(&bob, "list").len() > sealed(&bob, "part").len()
            })
            .await?;
            if tenth % 4 == 0 {
                sends.kill().await?;
                sends = alice.run().await?;
            } else {
                gets.kill().await?;
                gets = bob.run().await?;
            }
            kills += 1;
        }
        // The command that asked for it ended with the process that it was attached to.
        let _ = fetching.wait().await?;
        bob.has("alice", &content, &room.join("straight")).await?;
        alice.transfer_is("bob", &["done"]).await?;
        let log = fs::read_to_string(room.join("alice.log"))?;
        let given: Vec<&str> = log.lines().filter_map(|line| Some(line.split_once(GIVEN)?.1)).collect();
        let all = given.iter().collect::<BTreeSet<_>>().len();
        // With its padding it is more than its bytes are; how much more is not for this test to say.
        check(all >= FILE.div_ceil(256 * 1024), &format!("only {all} chunks were given"))?;
        // What was under way when it was killed comes again: one chunk, and no more.
        let again = given.len() - all;
        check(again <= kills, &format!("{again} of {all} chunks went twice, with {kills} kills"))?;
        sends.kill().await?;
        gets.kill().await
    })
    .await;
}

#[tokio::test]
async fn a_file_whose_sender_is_killed_while_it_is_copied_is_there_or_not_at_all() {
    play(async |room| {
        let Pair { relay, alice, alice_runs, bob: _, bob_runs } = Pair::meet(room).await?;
        bob_runs.kill().await?;
        let path = room.join("photo.raw");
        fs::write(&path, content())?;
        let mut runs = alice_runs;
        for milliseconds in [0, 20, 60, 120, 250, 400] {
            let path = path.display().to_string();
            let mut sending = alice.kith().args(["send", "bob", "--file", &path, "--wait", "0"]).spawn()?;
            let begun = sealed(&alice, "list").len();
            until("the copy", || !sealed(&alice, "new").is_empty() || sealed(&alice, "list").len() > begun).await?;
            sleep(Duration::from_millis(milliseconds)).await;
            runs.kill().await?;
            let _ = sending.wait().await?;
            runs = alice.run().await?;
            let history = alice.ask(&["history", "bob"]).await?;
            let files: Vec<&Value> = history.iter().filter(|message| message["kind"] == "file").collect();
            let whole = files.iter().all(|message| message["file"]["transfer"]["here"] == true);
            let lists = sealed(&alice, "list").len();
            check(whole && lists == files.len(), &format!("{lists} files are kept for {} messages", files.len()))?;
            check(sealed(&alice, "new").is_empty(), "a half of a file was left behind")?;
        }
        runs.kill().await?;
        drop(relay);
        Ok(())
    })
    .await;
}
