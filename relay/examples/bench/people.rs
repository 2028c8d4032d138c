//! People's devices in a process: whole clients, told what to do by the bench.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use kith_core::client::{Client, Options, Registration, Unlock};
use kith_core::wire::control::{Event, Message, Reply, Request};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::Failure;
use crate::process::{answer, told};

/// How long two people may take to find each other, and a message to arrive.
const PATIENCE: Duration = Duration::from_secs(120);

/// Between looks at what has no event of its own.
const LOOK: Duration = Duration::from_millis(50);

/// The length of a message that somebody types, in bytes.
const TEXT: usize = 200;

/// Messages that one sender may be ahead of its receiver.
const AHEAD: usize = 64;

/// What people are told.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Tell {
    /// Somebody signs up; the name is the handle.
    Register { name: String, dir: PathBuf, relay: String, always_relay: bool },
    /// One asks another for contact.
    Add { name: String, who: String },
    /// Waits for a request and accepts it.
    Accept { name: String },
    /// Waits until a conversation with somebody is there.
    Await { name: String, with: String },
    /// Waits until somebody is reached in one of these ways.
    Reach { name: String, paths: Vec<String> },
    /// Writes so many messages, one after the other.
    Write { name: String, to: String, count: usize, pause_ms: u64 },
    /// Waits until so many messages have arrived since the last such question.
    Arrived { name: String, count: usize },
    /// One writes to another who is here too, as fast as they can; it is said how far they are.
    Exchange { name: String, to: String, count: usize },
    /// From now on files of every size are fetched without being asked for.
    TakeFiles { name: String },
    /// Sends a file: when that was begun, in nanoseconds since 1970, as text.
    SendFile { name: String, to: String, path: PathBuf },
    /// Waits until so many files have come, whole and durable: when the last had.
    FilesCame { name: String, count: usize },
    /// Counts the messages of a conversation in the store.
    Count { name: String, with: String },
    /// Closes everything.
    Close,
}

/// A message that arrived.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Arrival {
    /// From the command to write it until it was durable at the receiver and told.
    pub(crate) micros: u64,
    /// `direct` or `mailbox`, if the client says so.
    pub(crate) route: Option<String>,
}

/// What is in a store.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(crate) struct Counted {
    pub(crate) all: usize,
    pub(crate) different: usize,
}

struct Person {
    client: Client,
    arrived: Arc<Mutex<Vec<Arrival>>>,
    /// Since the beginning.
    total: Arc<AtomicUsize>,
    /// When each file had come.
    files: Arc<Mutex<BTreeMap<String, u128>>>,
}

/// Plays people.
pub(crate) async fn play() -> Result<(), Failure> {
    let mut people = BTreeMap::new();
    while let Some(tell) = told::<Tell>().await? {
        let close = matches!(tell, Tell::Close);
        answer(obey(&mut people, tell).await)?;
        if close {
            return Ok(());
        }
    }
    Ok(())
}

async fn obey(people: &mut BTreeMap<String, Person>, tell: Tell) -> Result<serde_json::Value, Failure> {
    Ok(match tell {
        Tell::Register { name, dir, relay, always_relay } => {
            let person = register(&name, &dir, relay, always_relay).await?;
            people.insert(name, person);
            serde_json::Value::Null
        }
        Tell::Add { name, who } => {
            let add = Request::Add { who, text: "hello".into() };
            find(people, &name)?.client.execute(add).await?;
            serde_json::Value::Null
        }
        Tell::Accept { name } => serde_json::to_value(accept(&find(people, &name)?.client).await?)?,
        Tell::Await { name, with } => serde_json::to_value(meet(&find(people, &name)?.client, &with).await?)?,
        Tell::Reach { name, paths } => serde_json::to_value(reach(&find(people, &name)?.client, &paths).await?)?,
        Tell::Write { name, to, count, pause_ms } => {
            for number in 0..count {
                write(&find(people, &name)?.client, &to, number).await?;
                tokio::time::sleep(Duration::from_millis(pause_ms)).await;
            }
            serde_json::Value::Null
        }
        Tell::Arrived { name, count } => serde_json::to_value(arrived(find(people, &name)?, count).await?)?,
        Tell::Exchange { name, to, count } => {
            serde_json::to_value(exchange(find(people, &name)?, find(people, &to)?, &to, count).await?)?
        }
        Tell::TakeFiles { name } => {
            let (read_receipts, mdns, always_relay, typing, played_receipts) = (None, None, None, None, None);
            let all = Some(u64::MAX);
            let choice = Request::SetOptions {
                read_receipts,
                mdns,
                always_relay,
                typing,
                played_receipts,
                auto_fetch_bytes: all,
            };
            find(people, &name)?.client.execute(choice).await?;
            serde_json::Value::Null
        }
        Tell::SendFile { name, to, path } => {
            let begun = nanos();
            find(people, &name)?.client.execute(sending(to, path)).await?;
            serde_json::to_value(begun.to_string())?
        }
        Tell::FilesCame { name, count } => {
            let files = Arc::clone(&find(people, &name)?.files);
            let last = until("the arrival of all files", async || {
                let files = files.lock().unwrap_or_else(PoisonError::into_inner);
                Ok((files.len() >= count).then(|| files.values().max().copied().unwrap_or_default()))
            });
            serde_json::to_value(last.await?.to_string())?
        }
        Tell::Count { name, with } => serde_json::to_value(count(&find(people, &name)?.client, &with).await?)?,
        Tell::Close => {
            for person in people.values() {
                person.client.shutdown().await;
            }
            serde_json::Value::Null
        }
    })
}

fn find<'a>(people: &'a BTreeMap<String, Person>, name: &str) -> Result<&'a Person, Failure> {
    people.get(name).ok_or_else(|| format!("there is no {name} here").into())
}

/// The key of every profile here: a keychain's.
pub(crate) fn unlock() -> Unlock {
    Unlock::Key(Zeroizing::new([7; 32]))
}

/// Loopback only.
pub(crate) fn options(always_relay: bool) -> Options {
    let listen = vec!["/ip4/127.0.0.1/udp/0/quic-v1".into(), "/ip4/127.0.0.1/tcp/0".into()];
    Options { listen, mdns: false, always_relay, ..Options::default() }
}

async fn register(name: &str, dir: &Path, relay: String, always_relay: bool) -> Result<Person, Failure> {
    let password = Zeroizing::new("correct horse battery staple".to_owned());
    let registration = Registration { relay, handle: name.to_owned(), password, invitation: None };
    let client = Client::register(dir, unlock(), registration, options(always_relay)).await?.client?;
    let (arrived, total) = (Arc::new(Mutex::new(Vec::new())), Arc::new(AtomicUsize::new(0)));
    let mut events = client.subscribe();
    let (to, count) = (Arc::clone(&arrived), Arc::clone(&total));
    let files = Arc::new(Mutex::new(BTreeMap::new()));
    let came = Arc::clone(&files);
    tokio::spawn(async move {
        while let Some(event) = events.next().await {
            match event {
                Event::Message { message } if !message.mine => {
                    count.fetch_add(1, Ordering::AcqRel);
                    let arrival = arrival(&message);
                    to.lock().unwrap_or_else(PoisonError::into_inner).extend(arrival);
                }
                Event::Transfer { message, transfer, .. } if transfer.here && transfer.state == "done" => {
                    came.lock().unwrap_or_else(PoisonError::into_inner).entry(message).or_insert_with(nanos);
                }
                Event::Lagged { missed } => {
                    count.fetch_add(usize::try_from(missed).unwrap_or(usize::MAX), Ordering::AcqRel);
                }
                _ => {}
            }
        }
    });
    Ok(Person { client, arrived, total, files })
}

fn sending(to: String, path: PathBuf) -> Request {
    Request::SendFile {
        to,
        path,
        name: None,
        media_type: None,
        caption: None,
        dimensions: None,
        preview: None,
        reply_to: None,
    }
}

fn nanos() -> u128 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos()
}

/// A text says its number and when it was written: the clock is the same machine's.
async fn write(client: &Client, to: &str, number: usize) -> Result<(), Failure> {
    let text = format!("{number} {} ", nanos());
    let text = format!("{text:.<TEXT$}");
    client.execute(Request::Send { to: to.to_owned(), text, reply_to: None }).await?;
    Ok(())
}

fn arrival(message: &Message) -> Option<Arrival> {
    let written: u128 = message.text.as_ref()?.split_whitespace().nth(1)?.parse().ok()?;
    let micros = u64::try_from(nanos().saturating_sub(written) / 1000).ok()?;
    Some(Arrival { micros, route: message.route.clone() })
}

/// Looks until something is there.
async fn until<T>(what: &str, mut look: impl AsyncFnMut() -> Result<Option<T>, Failure>) -> Result<T, Failure> {
    let begun = Instant::now();
    let mut last = None;
    while begun.elapsed() < PATIENCE {
        match look().await {
            Ok(Some(found)) => return Ok(found),
            Ok(None) => {}
            Err(error) => last = Some(error.to_string()),
        }
        tokio::time::sleep(LOOK).await;
    }
    Err(format!("{what} did not happen in time{}", last.map_or(String::new(), |last| format!(": {last}"))).into())
}

async fn accept(client: &Client) -> Result<(), Failure> {
    until("a contact request", async || {
        let Reply::Requests(requests) = client.execute(Request::Requests).await? else { return Ok(None) };
        let Some(request) = requests.into_iter().next() else { return Ok(None) };
        client.execute(Request::Accept { who: request.account }).await?;
        Ok(Some(()))
    })
    .await
}

async fn meet(client: &Client, with: &str) -> Result<(), Failure> {
    until("a conversation", async || {
        let Reply::Contacts(contacts) = client.execute(Request::Contacts).await? else { return Ok(None) };
        let named = |handle: &str| handle.split('@').next() == Some(with);
        let found =
            contacts.iter().find(|contact| contact.handle.as_deref().is_some_and(named) || contact.name == with);
        Ok(found.and_then(|contact| contact.conversation.as_ref()).map(|_| ()))
    })
    .await
}

async fn reach(client: &Client, paths: &[String]) -> Result<String, Failure> {
    until("a way to the contact", async || {
        let Reply::Status(status) = client.execute(Request::Status).await? else { return Ok(None) };
        let path = status.contacts.into_iter().next().map(|contact| contact.path);
        Ok(path.filter(|path| paths.contains(path)))
    })
    .await
}

async fn arrived(person: &Person, count: usize) -> Result<Vec<Arrival>, Failure> {
    until("the arrival of all messages", async || {
        let mut arrived = person.arrived.lock().unwrap_or_else(PoisonError::into_inner);
        Ok((arrived.len() >= count).then(|| std::mem::take(&mut *arrived)))
    })
    .await
}

async fn exchange(writer: &Person, reader: &Person, to: &str, count: usize) -> Result<(), Failure> {
    /// How often it is said how far they are.
    const PARTS: usize = 10;
    let (begun, base) = (Instant::now(), reader.total.load(Ordering::Acquire));
    let arrived = || reader.total.load(Ordering::Acquire).saturating_sub(base);
    for number in 0..count {
        write(&writer.client, to, number).await?;
        let (ahead, moved) = (number.saturating_sub(AHEAD), Instant::now());
        while arrived() < ahead && moved.elapsed() < PATIENCE {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        if number > 0 && number % count.div_ceil(PARTS) == 0 {
            eprintln!("bench: {number} messages are written after {:.0} s", begun.elapsed().as_secs_f64());
        }
    }
    until("the arrival of all messages", async || Ok((arrived() >= count).then_some(()))).await
}

/// Counts the texts that others wrote, each of which says when it was written, and how many of them are different.
async fn count(client: &Client, with: &str) -> Result<Counted, Failure> {
    let (mut all, mut different, mut before) = (0, BTreeSet::new(), None);
    loop {
        let history = Request::History { with: with.to_owned(), before, limit: 1000 };
        let Reply::Messages(page) = client.execute(history).await? else { return Err("no history".into()) };
        let Some(first) = page.first() else { return Ok(Counted { all, different: different.len() }) };
        before = Some(first.id.clone());
        for message in page.iter().filter(|message| !message.mine) {
            let when = message.text.as_ref().and_then(|text| text.split_whitespace().nth(1)?.parse::<u128>().ok());
            all += usize::from(when.is_some());
            different.extend(when);
        }
    }
}
