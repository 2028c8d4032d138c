//! What a relay's disk bears: deposits of many senders, and a start with many envelopes waiting.

use std::path::Path;
use std::time::{Duration, Instant};

use kith_core::types::Rng;
use kith_core::wire::relay::{Deposited, Destination, Request, Response};
use kith_relay::domain::Caller;
use kith_relay::server::{Handle, Server};
use rand_core::SeedableRng;

use crate::baseline::fsync;
use crate::figure::Figure;
use crate::relay::{Relay, config};
use crate::stranger::{Stranger, envelope, upload};
use crate::{Failure, Scale, process};

const SENDERS: usize = 64;

/// Bytes of a short message's envelope.
const ENVELOPE: usize = 400;

/// The most devices of one account, and so the mailboxes that one deposit reaches.
const DEVICES: usize = 64;

/// Envelopes that wait in a mailbox at a cold start.
const WAITING: usize = 10;

/// Somebody whom the relay does not know.
const ANYBODY: Caller = Caller { peer: [9; 32], address: None };

async fn sign_up(
    handle: &Handle,
    rng: &mut Rng,
    upload: &[u8],
    name: &str,
    devices: usize,
) -> Result<Stranger, Failure> {
    let stranger = Stranger::new(rng, devices)?;
    let caller = stranger.caller().ok_or("an account without a device")?;
    for request in stranger.sign_up(name, upload) {
        match handle.request(caller, request).await {
            Response::Done => {}
            other => return Err(format!("the relay does not sign up {name}: {other:?}").into()),
        }
    }
    Ok(stranger)
}

async fn deposit(handle: &Handle, to: &Destination, envelope: Vec<u8>) -> Result<(), Failure> {
    match handle.request(ANYBODY, Request::Deposit { to: to.clone(), envelope }).await {
        Response::Deposited { results } if results.iter().all(|result| *result == Deposited::Taken) => Ok(()),
        other => Err(format!("a deposit was not taken: {other:?}").into()),
    }
}

/// Deposits of 64 senders at once, each waiting until its last one is durable.
pub(crate) fn rate(scale: Scale) -> Result<Vec<Figure>, Failure> {
    let dir = tempfile::tempdir()?;
    let each = scale.of(500);
    let rate = process::runtime()?.block_on(async {
        let server = Server::bind(config(dir.path())).await?;
        let (handle, mut rng) = (server.handle(), Rng::seed_from_u64(1));
        let upload = upload(&mut rng)?;
        let mut senders = tokio::task::JoinSet::new();
        let mut lots = Vec::new();
        for number in 0..SENDERS {
            let stranger = sign_up(&handle, &mut rng, &upload, &format!("person{number}"), 1).await?;
            let envelopes: Vec<Vec<u8>> = (0..each).map(|_| envelope(&mut rng, ENVELOPE)).collect();
            lots.push((Destination::Mailboxes(stranger.mailboxes()), envelopes));
        }
        let begun = Instant::now();
        for (to, envelopes) in lots {
            let handle = handle.clone();
            senders.spawn(async move {
                for envelope in envelopes {
                    deposit(&handle, &to, envelope).await?;
                }
                Ok::<(), Failure>(())
            });
        }
        while let Some(sender) = senders.join_next().await {
            sender??;
        }
        let rate = (SENDERS * each) as f64 / begun.elapsed().as_secs_f64();
        server.shutdown().await;
        Ok::<f64, Failure>(rate)
    })?;
    let baseline = 1.0 / fsync(dir.path(), ENVELOPE + 200, Duration::ZERO)?.as_secs_f64();
    let target = (10.0 * baseline).min(5000.0);
    Ok(vec![Figure::new("deposits", rate, "deposits/s").at_least(target).against(baseline, "one fsync a deposit")])
}

/// A relay's start with a million envelopes in 100,000 mailboxes, until it listens.
pub(crate) fn cold_start(scale: Scale) -> Result<Vec<Figure>, Failure> {
    let dir = tempfile::tempdir()?;
    let mailboxes = scale.of(100_000);
    process::runtime()?.block_on(fill(dir.path(), mailboxes.div_ceil(DEVICES)))?;
    let reading = read_all(&dir.path().join("store"))?;
    let empty = tempfile::tempdir()?;
    let baseline = Relay::start(empty.path())?.actor.resident_mib();
    let begun = Instant::now();
    let relay = Relay::start(dir.path())?;
    let time = begun.elapsed().as_secs_f64();
    Ok(vec![
        Figure::new("cold-start time", time, "s").at_most(5.0).against(reading.as_secs_f64(), "reading the files once"),
        Figure::new("cold-start memory", relay.actor.resident_mib(), "MiB")
            .at_most(256.0)
            .against(baseline, "an empty relay"),
    ])
}

async fn fill(dir: &Path, accounts: usize) -> Result<(), Failure> {
    let server = Server::bind(config(dir)).await?;
    let (handle, mut rng) = (server.handle(), Rng::seed_from_u64(1));
    let upload = upload(&mut rng)?;
    for number in 0..accounts {
        let stranger = sign_up(&handle, &mut rng, &upload, &format!("person{number}"), DEVICES).await?;
        let to = Destination::Mailboxes(stranger.mailboxes());
        let envelopes: Vec<Vec<u8>> = (0..WAITING).map(|_| envelope(&mut rng, ENVELOPE / 2)).collect();
        let deposits = envelopes.into_iter().map(|envelope| deposit(&handle, &to, envelope));
        futures::future::join_all(deposits).await.into_iter().collect::<Result<Vec<()>, _>>()?;
    }
    server.shutdown().await;
    Ok(())
}

/// Reads every file below once.
fn read_all(dir: &Path) -> Result<Duration, Failure> {
    let begun = Instant::now();
    for file in files(dir)? {
        std::fs::read(file)?;
    }
    Ok(begun.elapsed())
}

/// The files below a directory.
pub(crate) fn files(dir: &Path) -> Result<Vec<std::path::PathBuf>, Failure> {
    let (mut files, mut open) = (Vec::new(), vec![dir.to_owned()]);
    while let Some(dir) = open.pop() {
        for entry in std::fs::read_dir(dir)? {
            let entry = entry?;
            if entry.file_type()?.is_dir() { open.push(entry.path()) } else { files.push(entry.path()) }
        }
    }
    Ok(files)
}
