//! What a window reads of a profile with 200 chats and 100,000 messages: the list of chats, a chat that changed, pages.

use std::time::Instant;

use kith_core::client::sample::{Sample, make};
use kith_core::client::{Client, Event, Reply, Request};
use kith_core::wire::control::{At, Chat, Page};

use crate::figure::Figure;
use crate::people::{options, unlock};
use crate::{Failure, Scale};

const CHATS: usize = 200;

/// Messages in each of them.
const MESSAGES: usize = 500;

/// Messages of a page: two screens and a half.
const PAGE: u32 = 60;

/// How often a chat changes.
const CHANGES: usize = 100;

pub(crate) fn run(scale: Scale) -> Result<Vec<Figure>, Failure> {
    let dir = tempfile::tempdir()?;
    make(dir.path(), unlock(), Sample { chats: CHATS, messages: scale.of(MESSAGES) })?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    runtime.block_on(async {
        let client = Client::open(dir.path(), unlock(), options(true)).await?;
        let figures = read(&client).await;
        client.shutdown().await;
        figures
    })
}

async fn read(client: &Client) -> Result<Vec<Figure>, Failure> {
    let (cold, chats) = list(client).await?;
    let (warm, _) = list(client).await?;
    let mut pages = Vec::new();
    for chat in &chats {
        let mut at = At::Newest;
        for _ in 0..3 {
            let begun = Instant::now();
            let page = page(client, chat, at).await?;
            pages.push(milliseconds(begun));
            let Some(first) = page.messages.first().filter(|_| page.more_before) else { break };
            at = At::Before { message: first.id.clone() };
        }
    }
    let changes = changes(client, &chats).await?;
    let (page, slowest_page) = (percentile(&mut pages, 50), percentile(&mut pages, 99));
    let mut changes = changes;
    let (change, slowest_change) = (percentile(&mut changes, 50), percentile(&mut changes, 99));
    Ok(vec![
        Figure::new("chats: the list, first time", cold, "ms").against(warm, "again"),
        Figure::new("chats: the list", warm, "ms").at_most(20.0).against(change, "one chat that changed"),
        Figure::new("chats: one that changed, p50", change, "ms").at_most(1.0).against(slowest_change, "p99"),
        Figure::new("chats: a page of 60, p50", page, "ms").against(slowest_page, "p99"),
        Figure::new("chats: a page of 60, p99", slowest_page, "ms").at_most(10.0).against(page, "p50"),
    ])
}

async fn list(client: &Client) -> Result<(f64, Vec<Chat>), Failure> {
    let begun = Instant::now();
    match client.execute(Request::Chats).await? {
        Reply::Chats(chats) => Ok((milliseconds(begun), chats)),
        _ => Err("another answer than the list".into()),
    }
}

async fn page(client: &Client, chat: &Chat, at: At) -> Result<Page, Failure> {
    match client.execute(Request::Page { with: chat.id.clone(), at, limit: PAGE }).await? {
        Reply::Page(page) => Ok(page),
        _ => Err("another answer than a page".into()),
    }
}

/// From a change that is durable to the message and the chat that a window draws again.
async fn changes(client: &Client, chats: &[Chat]) -> Result<Vec<f64>, Failure> {
    let mut times = Vec::new();
    for chat in chats.iter().cycle().take(CHANGES) {
        let mut events = client.subscribe();
        let request = Request::Send { to: chat.id.clone(), text: "one more".into(), reply_to: None };
        client.execute(request).await?;
        let begun = Instant::now();
        loop {
            match events.next().await.ok_or("the session has ended")? {
                Event::Chat { chat: changed } if changed.id == chat.id => break,
                _ => {}
            }
        }
        times.push(milliseconds(begun));
    }
    Ok(times)
}

fn milliseconds(since: Instant) -> f64 {
    since.elapsed().as_secs_f64() * 1000.0
}

fn percentile(values: &mut [f64], of: usize) -> f64 {
    values.sort_by(f64::total_cmp);
    let place = values.len().saturating_sub(1) * of / 100;
    values.get(place).copied().unwrap_or(f64::NAN)
}
