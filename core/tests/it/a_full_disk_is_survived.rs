//! A device whose disk fills up refuses with a sentence, shows nothing that may be lost, and goes on by itself.

use std::collections::BTreeSet;

use kith_core::client::{Client, ClientError, Event, Reply, Request};

use crate::profiles_are_whole_or_not_there::{create, options, runtime, unlock};
use crate::small_disk::{Filler, or_run_again};

async fn note(client: &Client, text: &str) -> Result<(), ClientError> {
    client.execute(Request::Send { to: "notes".into(), text: text.into(), reply_to: None }).await.map(drop)
}

async fn notes(client: &Client) -> Result<BTreeSet<String>, ClientError> {
    match client.execute(Request::History { with: "notes".into(), before: None, limit: 1000 }).await? {
        Reply::Messages(messages) => Ok(messages.into_iter().filter_map(|message| message.text).collect()),
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_was_acknowledged_is_kept_and_nothing_else_and_writing_goes_on_by_itself() {
    let name = "a_full_disk_is_survived::what_was_acknowledged_is_kept_and_nothing_else_and_writing_goes_on_by_itself";
    let Some(disk) = or_run_again(name, 48) else { return };
    let dir = disk.join("profile");
    runtime().block_on(async {
        create(&dir).await.unwrap();
        let client = Client::open(&dir, unlock(), options()).await.unwrap();
        let mut events = client.subscribe();
        client.execute(Request::CreateGroup { name: "notes".into(), members: Vec::new() }).await.unwrap();
        let mut kept = BTreeSet::new();
        for round in 0..3 {
            let filler = Filler::fill(&disk);
            let (uncertain, refused) = loop {
                let text = format!("{round} {}", kept.len());
                match note(&client, &text).await {
                    Ok(()) => assert!(kept.insert(text)),
                    Err(error) => break (text, error),
                }
            };
            // Where pages are moved between two messages that is noticed first, and then nothing of the second was begun.
            let uncertain = matches!(refused, ClientError::Uncertain(_)).then_some(uncertain);
            assert_eq!(refused.code(), "disk_full", "{refused}");
            assert!(refused.to_string().contains("the disk is full"), "{refused}");
            for _ in 0..3 {
                let error = note(&client, "lost").await.unwrap_err();
                assert_eq!(error.code(), "disk_full", "{error}");
                assert_eq!(notes(&client).await.unwrap_err().code(), "disk_full");
            }
            drop(filler);
            let mut said = Vec::new();
            while !said.iter().any(|sentence: &String| sentence.contains("goes on.")) {
                if let Event::Warning { said: warning } = events.next().await.unwrap() {
                    said.push(warning.message);
                }
            }
            assert!(said[0].starts_with("The disk is full"), "{said:?}");
            assert_eq!(said.len(), 2, "one sentence, and that it is over: {said:?}");
            let text = format!("{round} after");
            note(&client, &text).await.unwrap();
            kept.insert(text);
            let there = notes(&client).await.unwrap();
            // That one was on the disk, though not surely.
            kept.extend(uncertain.filter(|text| there.contains(text)));
            assert_eq!(there, kept);
        }
        client.shutdown().await;
        let client = Client::open(&dir, unlock(), options()).await.unwrap();
        assert_eq!(notes(&client).await.unwrap(), kept);
        client.shutdown().await;
    });
}

#[test]
fn a_session_whose_disk_stays_full_ends_when_it_is_told_to() {
    let name = "a_full_disk_is_survived::a_session_whose_disk_stays_full_ends_when_it_is_told_to";
    let Some(disk) = or_run_again(name, 48) else { return };
    let dir = disk.join("profile");
    runtime().block_on(async {
        create(&dir).await.unwrap();
        let client = Client::open(&dir, unlock(), options()).await.unwrap();
        client.execute(Request::CreateGroup { name: "notes".into(), members: Vec::new() }).await.unwrap();
        let _filler = Filler::fill(&disk);
        while note(&client, "more").await.is_ok() {}
        client.shutdown().await;
        assert_eq!(note(&client, "late").await.unwrap_err().code(), "ending");
    });
}

#[test]
fn a_file_for_which_there_is_no_room_is_refused_and_leaves_nothing() {
    let name = "a_full_disk_is_survived::a_file_for_which_there_is_no_room_is_refused_and_leaves_nothing";
    let Some(disk) = or_run_again(name, 48) else { return };
    let dir = disk.join("profile");
    let elsewhere = tempfile::tempdir().unwrap();
    runtime().block_on(async {
        create(&dir).await.unwrap();
        let client = Client::open(&dir, unlock(), options()).await.unwrap();
        client.execute(Request::CreateGroup { name: "notes".into(), members: Vec::new() }).await.unwrap();
        let send = async |bytes: u64| {
            let path = elsewhere.path().join("film.mp4");
            std::fs::File::create(&path).unwrap().set_len(bytes).unwrap();
            let (name, media_type, caption, dimensions) = (None, None, None, None);
            let (preview, reply_to) = (None, None);
            let to = "notes".to_owned();
            client
                .execute(Request::SendFile { to, path, name, media_type, caption, dimensions, preview, reply_to })
                .await
        };
        let refused = send(64 << 20).await.unwrap_err();
        assert_eq!((refused.code(), refused.to_string().as_str()), ("disk_full", "the disk is full"));
        assert_eq!(std::fs::read_dir(dir.join("store/blobs")).unwrap().count(), 0, "a half of it was left behind");
        note(&client, "it goes on").await.unwrap();
        let Reply::Message(sent) = send(1 << 20).await.unwrap() else { panic!("no message") };
        assert!(sent.file.unwrap().transfer.here);
        let too_large = send((2 << 30) + 1).await.unwrap_err();
        assert_eq!(too_large.code(), "too_large", "{too_large}");
        client.shutdown().await;
    });
}
