//! A client with a long history: what its store takes, and how it starts.

use std::path::{Path, PathBuf};
use std::time::Instant;

use kith_core::client::Client;
use kith_core::wire::control::Request;
use serde::{Deserialize, Serialize};

use crate::deposits::files;
use crate::figure::Figure;
use crate::people::{Tell, options, unlock};
use crate::process::{Actor, answer, told};
use crate::relay::Relay;
use crate::{Failure, Scale, rows};

const MESSAGES: usize = 100_000;

/// Bytes of each.
const TEXT: usize = 200;

/// Messages of a screen and its neighbours: what is read first.
const SCREEN: u32 = 50;

/// Where a profile keeps its rows, and copies of them.
const STORE: &str = "store";
const SNAPSHOTS: &str = "store/snapshots";

const MB: f64 = 1e6;

pub(crate) fn run(scale: Scale) -> Result<Vec<Figure>, Failure> {
    let dir = tempfile::tempdir()?;
    let relay = Relay::start(&dir.path().join("relay"))?;
    let count = scale.of(MESSAGES);
    fill(dir.path(), &relay, count)?;
    let (writer, reader, empty) = (dir.path().join("wendy"), dir.path().join("rachel"), dir.path().join("solomon"));
    let larger = if bytes(&writer)? > bytes(&reader)? { &writer } else { &reader };
    let snapshots = bytes(&larger.join(SNAPSHOTS))? as f64 / MB;
    let size = bytes(larger)? as f64 / MB - snapshots;
    // The first opening after a run repairs what the run left; what people see is the second.
    open(&reader, "wendy")?;
    let (time, memory) = open(&reader, "wendy")?;
    let (empty_time, empty_memory) = open(&empty, "")?;
    let live = rows::live(&larger.join(STORE))? as f64 / MB;
    let share = count as f64 / MESSAGES as f64;
    Ok(vec![
        Figure::new("history: store", size, "MB")
            .at_most(120.0 * share)
            .against((count * TEXT) as f64 / MB, "the texts alone"),
        Figure::new("history: its rows", live, "MB").against((count * TEXT) as f64 / MB, "the texts alone"),
        Figure::new("history: its snapshot", snapshots, "MB").against(live, "all rows"),
        Figure::new("history: start", time, "ms").at_most(300.0).against(empty_time, "an empty profile"),
        Figure::new("history: memory at start", memory, "MiB").at_most(60.0).against(empty_memory, "an empty profile"),
    ])
}

/// One writes, the other reads, and a third has nothing.
fn fill(dir: &Path, relay: &Relay, each: usize) -> Result<(), Failure> {
    let mut people = Actor::start("people")?;
    let [writer, reader, nobody] = ["wendy", "rachel", "solomon"].map(String::from);
    for name in [&writer, &reader, &nobody] {
        let (dir, relay) = (dir.join(name), relay.address.clone());
        people.ask::<()>(&Tell::Register { name: name.clone(), dir, relay, always_relay: false })?;
    }
    people.ask::<()>(&Tell::Add { name: writer.clone(), who: reader.clone() })?;
    people.ask::<()>(&Tell::Accept { name: reader.clone() })?;
    people.ask::<()>(&Tell::Await { name: writer.clone(), with: reader.clone() })?;
    people.ask::<()>(&Tell::Await { name: reader.clone(), with: writer.clone() })?;
    people.ask::<()>(&Tell::Exchange { name: writer, to: reader, count: each })?;
    people.ask::<()>(&Tell::Close)
}

fn bytes(dir: &Path) -> Result<u64, Failure> {
    let mut sum = 0;
    for file in files(dir)? {
        sum += file.metadata()?.len();
    }
    Ok(sum)
}

#[derive(Debug, Serialize, Deserialize)]
struct Open {
    dir: PathBuf,
    with: String,
}

/// Milliseconds from the start of a process until the newest messages are there, and its memory in MiB then.
fn open(dir: &Path, with: &str) -> Result<(f64, f64), Failure> {
    let begun = Instant::now();
    let mut actor = Actor::start("opener")?;
    actor.ask::<()>(&Open { dir: dir.to_owned(), with: with.to_owned() })?;
    Ok((begun.elapsed().as_secs_f64() * 1000.0, actor.resident_mib()))
}

/// Plays a client that is opened.
pub(crate) async fn play() -> Result<(), Failure> {
    let Some(Open { dir, with }) = told().await? else { return Ok(()) };
    let client = Client::open(&dir, unlock(), options(false)).await?;
    client.execute(Request::Contacts).await?;
    if !with.is_empty() {
        client.execute(Request::History { with, before: None, limit: SCREEN }).await?;
    }
    answer(Ok(()))?;
    while told::<serde_json::Value>().await?.is_some() {}
    client.shutdown().await;
    Ok(())
}
