//! A voice note becomes text by a request, with events on the way; the text is kept, shown with its times, mended, attached and found.

use std::path::{Path, PathBuf};
use std::time::Duration;

use kith_core::client::sample::{Sample, make};
use kith_core::client::{Client, Event, EventStream, Options, Reply, Request, Unlock};
use kith_core::wire::control::{At, Found, Message, Page, Progress, SpeechOptions, Transcript, Urgency};

/// How long anything here may take before the test fails.
const LIMIT: Duration = Duration::from_secs(120);

const SAMPLE: Sample = Sample { chats: 2, messages: 20 };

fn unlock() -> Unlock {
    Unlock::Key([7; 32].into())
}

fn file(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

async fn open(profile: &Path) -> Client {
    let listen = vec!["/ip4/127.0.0.1/udp/0/quic-v1".into()];
    let models = Some(file("../assets/models"));
    Client::open(profile, unlock(), Options { listen, mdns: false, models, ..Options::default() }).await.unwrap()
}

async fn first_chat(client: &Client) -> String {
    let Reply::Chats(chats) = client.execute(Request::Chats).await.unwrap() else { panic!("no chats") };
    chats[0].id.clone()
}

async fn send(client: &Client, to: &str, clip: &str) -> Message {
    let request = Request::SendVoice { to: to.into(), file: file("tests/clips").join(clip) };
    let Reply::Message(message) = client.execute(request).await.unwrap() else { panic!("no message") };
    message
}

fn transcribe(with: &str, message: &str) -> Request {
    Request::Transcribe {
        with: with.into(),
        message: Some(message.into()),
        priority: Urgency::OnScreen,
        language: None,
        translate: None,
        again: false,
    }
}

async fn transcript(client: &Client, request: Request) -> Transcript {
    match client.execute(request).await.unwrap() {
        Reply::Transcript(transcript) => transcript,
        other => panic!("{other:?}"),
    }
}

async fn shown(client: &Client, with: &str, message: &str) -> Message {
    let request = Request::Page { with: with.into(), at: At::Around { message: message.into() }, limit: 1 };
    let Reply::Page(Page { mut messages, .. }) = client.execute(request).await.unwrap() else { panic!("no page") };
    messages.remove(0)
}

async fn find(client: &Client, with: &str, words: &str) -> Found {
    let request = Request::Find { with: with.into(), words: words.into(), before: None, limit: 10 };
    let Reply::Found(found) = client.execute(request).await.unwrap() else { panic!("nothing") };
    found
}

async fn options(client: &Client, request: Request) -> SpeechOptions {
    let Reply::SpeechOptions(options) = client.execute(request).await.unwrap() else { panic!("no options") };
    options
}

fn set(attach: Option<bool>, model: Option<&str>) -> Request {
    Request::SetSpeechOptions {
        automatic: None,
        mains_only: Some(false),
        up_to_s: None,
        attach,
        language: None,
        translate: None,
        model: model.map(str::to_owned),
        mirrors: None,
    }
}

/// How the transcription of a note goes, to its end.
async fn course(events: &mut EventStream, note: &str) -> Vec<Progress> {
    let mut course = Vec::new();
    loop {
        let event = tokio::time::timeout(LIMIT, events.next()).await.expect("an event").expect("the client lives");
        if let Event::Transcription { message, progress, .. } = event
            && message == note
        {
            let ended = matches!(progress, Progress::Done | Progress::Cancelled | Progress::Failed { .. });
            course.push(progress);
            if ended {
                return course;
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn speech_that_was_heard_is_kept_shown_mended_attached_and_found() {
    let room = tempfile::tempdir().unwrap();
    make(room.path(), unlock(), SAMPLE).unwrap();
    let client = open(room.path()).await;
    let chat = first_chat(&client).await;
    let note = send(&client, &chat, "ok_01.wav").await;
    assert_eq!((note.spoken.as_ref(), note.transcript.as_ref()), (None, None));
    let missing = Request::Transcript { with: chat.clone(), message: note.id.clone() };
    assert_eq!(client.execute(missing.clone()).await.unwrap_err().code(), "no_transcript");

    // It is heard, and told on the way.
    let mut events = client.subscribe();
    let heard = transcript(&client, transcribe(&chat, &note.id)).await;
    assert_eq!((heard.text.as_str(), heard.source.as_str()), ("Meet me at the station at eleven.", "mine"));
    let told = course(&mut events, &note.id).await;
    assert_eq!((told.first(), told.last()), (Some(&Progress::Waiting), Some(&Progress::Done)));
    assert!(told.iter().any(|progress| matches!(progress, Progress::Running { .. })), "{told:?}");

    // It is shown with its times.
    let message = shown(&client, &chat, &note.id).await;
    let spoken = message.spoken.clone().unwrap();
    assert_eq!(message.transcript.as_deref(), Some("Meet me at the station at eleven."));
    assert_eq!((spoken.source.as_str(), spoken.model.as_str(), spoken.cut), ("mine", "kith-test.en", false));
    let words: Vec<&str> = spoken.segments[0].words.iter().map(|word| word.text.as_str()).collect();
    assert_eq!(words, ["Meet", "me", "at", "the", "station", "at", "eleven."]);
    assert!(spoken.segments[0].words.is_sorted_by_key(|word| word.start_ms));

    // It is found, at its second.
    let found = find(&client, &chat, "the stat").await;
    // The newest comes first; the made-up messages speak of stations, too.
    assert_eq!(
        (found.hits[0].message.as_str(), found.hits[0].at_ms),
        (note.id.as_str(), Some(spoken.segments[0].words[3].start_ms))
    );
    assert!(find(&client, &chat, "bicycle").await.hits.is_empty());
    assert!(find(&client, &chat, "the").await.hits.iter().all(|hit| hit.excerpt.to_lowercase().contains("the")));

    // It is mended, and goes to the others when that is wanted.
    let text = "Meet Bob at the station at eleven.".to_owned();
    let edit = Request::EditTranscript { with: chat.clone(), message: note.id.clone(), text };
    assert!(transcript(&client, edit).await.edited);
    let attach = |on| Request::AttachTranscript { with: chat.clone(), message: note.id.clone(), on };
    assert_eq!(client.execute(attach(true)).await.unwrap(), Reply::Done);
    let spoken = shown(&client, &chat, &note.id).await.spoken.unwrap();
    assert!(spoken.edited && spoken.segments[0].text.contains("Bob"));
    // Without this reader's own the attached one is shown.
    let discard = Request::EditTranscript { with: chat.clone(), message: note.id.clone(), text: String::new() };
    let _ = client.execute(attach(true)).await.unwrap();
    assert_eq!(client.execute(attach(false)).await.unwrap(), Reply::Done);
    assert_eq!(transcript(&client, discard).await.text, "");
    assert_eq!(shown(&client, &chat, &note.id).await.spoken, None);

    // Chosen once, it is attached by itself.
    let chosen = options(&client, set(Some(true), Some("kith-test.en"))).await;
    assert_eq!((chosen.attach, chosen.listens.as_str()), (true, "kith-test.en"));
    assert_eq!(client.execute(set(None, Some("large-v3"))).await.unwrap_err().code(), "model");
    let second = send(&client, &chat, "ok_03.wav").await;
    let told = course(&mut events, &second.id).await;
    assert_eq!(told.last(), Some(&Progress::Done), "{told:?}");
    let whole = transcript(&client, Request::Transcript { with: chat.clone(), message: second.id.clone() }).await;
    assert_eq!(whole.text, "The relay is offline.");
    client.shutdown().await;

    // All of it lasts.
    let client = open(room.path()).await;
    assert!(options(&client, Request::SpeechOptions).await.attach);
    let message = shown(&client, &chat, &second.id).await;
    assert_eq!(message.transcript.as_deref(), Some("The relay is offline."));
    let listening = Request::SetListening { with: chat.clone(), language: Some("de".into()), translate: Some(true) };
    let Reply::Listening(listening) = client.execute(listening).await.unwrap() else { panic!("nothing") };
    assert_eq!((listening.language.as_str(), listening.translate, listening.own), ("de", true, true));
    let wrong = Request::SetListening { with: chat.clone(), language: Some("klingon".into()), translate: None };
    assert_eq!(client.execute(wrong).await.unwrap_err().code(), "speech");
    // The built-in model cannot translate, and says so.
    let refused = client.execute(Request::Transcribe {
        with: chat.clone(),
        message: Some(note.id.clone()),
        priority: Urgency::Asked,
        language: None,
        translate: None,
        again: true,
    });
    assert_eq!(refused.await.unwrap_err().code(), "speech");
    // As in all chats again: what was chosen for those counts.
    let Request::SetSpeechOptions { automatic, mains_only, up_to_s, attach, model, mirrors, .. } = set(None, None)
    else {
        panic!()
    };
    let language = |language: &str| Some(language.to_owned());
    let all = |named: &str| Request::SetSpeechOptions {
        language: language(named),
        translate: None,
        automatic,
        mains_only,
        up_to_s,
        attach,
        model: model.clone(),
        mirrors: mirrors.clone(),
    };
    assert_eq!(client.execute(all("klingon")).await.unwrap_err().code(), "speech");
    assert_eq!(options(&client, all("en")).await.language, "en");
    let forget = Request::SetListening { with: chat.clone(), language: language(""), translate: None };
    let Reply::Listening(listening) = client.execute(forget).await.unwrap() else { panic!("nothing") };
    assert_eq!((listening.language.as_str(), listening.translate, listening.own), ("en", false, false));
    let Reply::Models(models) = client.execute(Request::Models).await.unwrap() else { panic!("no models") };
    assert!(models.iter().any(|model| model.name == "kith-test.en" && model.state == "built_in"));
    client.shutdown().await;
}

/// The words of a note with their times, as soon as it is told that this is said in it, by whom it was written down.
async fn told(events: &mut EventStream, note: &str, words: Option<(&str, &str)>) -> Vec<(u64, String)> {
    let telling = async {
        loop {
            let Some(Event::Changed { message }) = events.next().await else { continue };
            let spoken = message.spoken.as_ref();
            let text = message.transcript.as_deref();
            if message.id == note && text.zip(spoken.map(|spoken| spoken.source.as_str())) == words {
                let segments = spoken.into_iter().flat_map(|spoken| &spoken.segments);
                return segments
                    .flat_map(|segment| &segment.words)
                    .map(|word| (word.start_ms, word.text.clone()))
                    .collect();
            }
        }
    };
    tokio::time::timeout(LIMIT, telling).await.unwrap_or_else(|_| panic!("{words:?} were not told"))
}

/// What an index of words lives on.
#[tokio::test(flavor = "multi_thread")]
async fn every_change_of_what_is_said_in_a_note_is_told_with_its_words_and_times() {
    let room = tempfile::tempdir().unwrap();
    make(room.path(), unlock(), SAMPLE).unwrap();
    let client = open(room.path()).await;
    let chat = first_chat(&client).await;
    let note = send(&client, &chat, "ok_01.wav").await;
    let mut events = client.subscribe();
    let heard = transcript(&client, transcribe(&chat, &note.id)).await;
    let words = told(&mut events, &note.id, Some((&heard.text, "mine"))).await;
    assert_eq!(words.iter().map(|(_, word)| word.as_str()).collect::<Vec<_>>().join(" "), heard.text);
    assert!(words.len() == 7 && words.is_sorted_by_key(|(start_ms, _)| *start_ms), "{words:?}");

    let edit = |text: &str| Request::EditTranscript { with: chat.clone(), message: note.id.clone(), text: text.into() };
    let attach = |on| Request::AttachTranscript { with: chat.clone(), message: note.id.clone(), on };
    let mended = "Meet Bob at the station at eleven.";
    client.execute(edit(mended)).await.unwrap();
    assert_eq!(told(&mut events, &note.id, Some((mended, "mine"))).await[1].1, "Bob");
    client.execute(attach(true)).await.unwrap();
    // Discarded, it is taken back from the others, too.
    client.execute(edit("")).await.unwrap();
    told(&mut events, &note.id, None).await;
    client.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_note_that_is_looked_at_is_heard_before_those_that_nobody_sees() {
    let room = tempfile::tempdir().unwrap();
    make(room.path(), unlock(), SAMPLE).unwrap();
    let client = open(room.path()).await;
    let chat = first_chat(&client).await;
    let look = |messages: &[&Message]| {
        let messages = messages.iter().map(|message| message.id.clone()).collect();
        client.execute(Request::LookAt { with: chat.clone(), messages })
    };
    let mut notes = Vec::new();
    for _ in 0..4 {
        notes.push(send(&client, &chat, "ok_01.wav").await);
    }
    assert_eq!(
        look(&[&notes[3]]).await.unwrap(),
        Reply::Waiting { messages: Vec::new() },
        "it puts nothing in the queue"
    );
    let mut events = client.subscribe();
    let mut asked = tokio::task::JoinSet::new();
    for note in &notes {
        let (client, chat, note) = (client.clone(), chat.clone(), note.id.clone());
        let request = Request::Transcribe {
            with: chat,
            message: Some(note),
            priority: Urgency::Background,
            language: None,
            translate: None,
            again: false,
        };
        asked.spawn(async move { client.execute(request).await });
    }
    let (mut waiting, mut done) = (0, Vec::new());
    while done.len() < notes.len() {
        let event = tokio::time::timeout(LIMIT, events.next()).await.expect("an event").expect("the client lives");
        match event {
            Event::Transcription { progress: Progress::Waiting, .. } => {
                waiting += 1;
                if waiting == notes.len() {
                    let Reply::Waiting { messages } = look(&[&notes[3]]).await.unwrap() else { panic!("no notes") };
                    assert!(messages.contains(&notes[2].id) && messages.contains(&notes[3].id), "{messages:?}");
                }
            }
            Event::Transcription { progress: Progress::Done, message, .. } => done.push(message),
            _ => {}
        }
    }
    let place = |note: &Message| done.iter().position(|done| *done == note.id);
    assert!(place(&notes[3]) < place(&notes[1]).max(place(&notes[2])), "{done:?}");
    assert_eq!(look(&[]).await.unwrap(), Reply::Waiting { messages: Vec::new() }, "nothing waits any more");
    while let Some(heard) = asked.join_next().await {
        heard.unwrap().unwrap();
    }
    client.shutdown().await;
}
