//! `kith export` and `kith erase`: all of it as plain files, and nothing of it at all.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::world::{Outcome, Pair, Person, check, play, text};

/// What is said in a chat, by a line of its file.
fn said(line: &str) -> Outcome<String> {
    Ok(text(&serde_json::from_str::<Value>(line)?, "text").to_owned())
}

fn files_below(directory: &Path) -> Outcome<Vec<PathBuf>> {
    let (mut found, mut left) = (Vec::new(), vec![directory.to_owned()]);
    while let Some(directory) = left.pop() {
        for entry in std::fs::read_dir(directory)? {
            let path = entry?.path();
            if path.is_dir() { left.push(path) } else { found.push(path) }
        }
    }
    Ok(found)
}

/// Whether nobody but the owner can read it.
#[cfg(unix)]
fn is_private(path: &Path) -> Outcome<bool> {
    use std::os::unix::fs::PermissionsExt as _;
    Ok(std::fs::metadata(path)?.permissions().mode() & 0o077 == 0)
}

#[tokio::test]
async fn what_is_exported_is_all_that_was_said_in_files_that_open() {
    play(async |room| {
        let Pair { relay: _relay, alice, alice_runs, bob, bob_runs: _bob_runs } = Pair::meet(room).await?;
        let (picture, bytes) = (room.join("a picture.bin"), [7_u8; 70_000]);
        std::fs::write(&picture, bytes)?;
        alice.send("bob", "did you see \"it\"?\nLook.").await?;
        bob.reads("alice", &["did you see \"it\"?\nLook."]).await?;
        bob.send("alice", "Привіт, ні ☂").await?;
        alice.reads("bob", &["Привіт, ні ☂"]).await?;
        alice.ask(&["send", "bob", "--file", picture.to_str().unwrap_or_default()]).await?;
        let history = alice.all_messages("bob").await?;

        // Beside the process that runs, and without it.
        let beside = room.join("beside");
        let counted = export(&alice, &beside).await?;
        alice_runs.terminate().await?;
        let alone = room.join("alone");
        export(&alice, &alone).await?;

        for folder in [&beside, &alone] {
            let chats = files_below(&folder.join("chats"))?;
            let mut lines = Vec::new();
            for chat in &chats {
                lines.extend(std::fs::read_to_string(chat)?.lines().map(said).collect::<Outcome<Vec<_>>>()?);
            }
            let exported: BTreeSet<&str> = lines.iter().map(String::as_str).collect();
            let missing = history.iter().map(|message| text(message, "text")).find(|words| !exported.contains(words));
            check(missing.is_none(), &format!("{missing:?} is missing in {lines:?}"))?;
            check(exported.contains("Привіт, ні ☂"), "the answer is not there as it was written")?;
            let contacts = std::fs::read_to_string(folder.join("contacts.json"))?;
            let contacts: Vec<Value> = serde_json::from_str(&contacts)?;
            check(contacts.iter().any(|contact| text(contact, "name") == "bob"), "bob is no contact there")?;
            serde_json::from_str::<Value>(&std::fs::read_to_string(folder.join("profile.json"))?)?;
            let files = files_below(&folder.join("files"))?;
            check(files.len() == 1 && std::fs::read(&files[0])? == bytes, "the file is not what was sent")?;
            check(files[0].file_name() == picture.file_name(), "the file has another name")?;
            #[cfg(unix)]
            for file in files_below(folder)? {
                check(is_private(&file)?, &format!("others can read {}", file.display()))?;
            }
        }
        check(files_below(&beside)?.len() as u64 == counted["files"], "it was counted wrongly")?;

        // What is there is not written over.
        let refused = alice.refused(&["export", beside.to_str().unwrap_or_default()]).await?;
        check(refused.sentence.contains("not empty"), &refused.sentence)
    })
    .await;
}

async fn export(person: &Person<'_>, to: &Path) -> Outcome<Value> {
    person.ask_one(&["export", to.to_str().unwrap_or_default()]).await
}

#[tokio::test]
async fn a_profile_is_erased_only_when_it_is_meant_and_then_nothing_is_left() {
    play(async |room| {
        let Pair { relay: _relay, alice, alice_runs, bob, bob_runs: _bob_runs } = Pair::meet(room).await?;
        alice.send("bob", "between us").await?;
        bob.reads("alice", &["between us"]).await?;
        let profile = room.join("alice");

        let running = alice.refused(&["erase", "--yes"]).await?;
        check(running.code == "profile_open", &format!("{running:?}"))?;
        alice_runs.terminate().await?;
        // Nobody is there to be asked.
        let unasked = alice.refused(&["erase"]).await?;
        check(unasked.code == "no_terminal" && unasked.sentence.contains("--yes"), &format!("{unasked:?}"))?;
        check(alice.whole_history("bob").await?.contains(&"between us".to_owned()), "it was erased all the same")?;

        // What somebody else put there is theirs.
        let foreign = profile.join("notes.txt");
        std::fs::write(&foreign, "mine")?;
        alice.ask(&["erase", "--yes"]).await?;
        check(files_below(&profile)? == [foreign.clone()], &format!("left: {:?}", files_below(&profile)?))?;
        check(std::fs::read_to_string(&foreign)? == "mine", "somebody else's file was changed")?;
        for command in ["whoami", "contacts", "erase"] {
            let gone = alice.refused(&[command]).await?;
            check(gone.code == "no_profile", &format!("{command}: {gone:?}"))?;
        }
        check(bob.whole_history("alice").await?.contains(&"between us".to_owned()), "it went at the other's too")
    })
    .await;
}
