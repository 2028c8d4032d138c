//! A file of 20 MB from one process to another: from the command to send it until it is whole and durable at its receiver, sealed and
//! hashed on both sides.

use std::fs::File;
use std::io::{Read, Write};
use std::path::Path;
use std::time::{Duration, Instant};

use ring::digest::{Context, SHA256};
use ring::rand::{SecureRandom, SystemRandom};

use crate::baseline::flow;
use crate::figure::Figure;
use crate::latency::acquaint;
use crate::people::Tell;
use crate::relay::Relay;
use crate::{Failure, Scale};

/// Bytes of the file.
const BYTES: usize = 20_000_000;

/// Files that are sent; the middle one counts. The first opens what is opened once.
const FILES: usize = 7;

pub(crate) fn run(scale: Scale) -> Result<Vec<Figure>, Failure> {
    let dir = tempfile::tempdir()?;
    let relay = Relay::start(&dir.path().join("relay"))?;
    let (mut alice, mut bob) = acquaint(dir.path(), &relay, false)?;
    let paths = vec!["lan".into(), "direct".into()];
    alice.ask::<String>(&Tell::Reach { name: "alice".into(), paths })?;
    bob.ask::<()>(&Tell::TakeFiles { name: "bob".into() })?;
    let bytes = scale.of(BYTES);
    let (mut sent, mut copied) = (Vec::new(), Vec::new());
    for number in 1..=FILES {
        let path = dir.path().join(format!("{number}.bin"));
        fill(&path, bytes)?;
        // One after the other, so that what else the machine does is in both.
        copied.push(copy(&path, &dir.path().join("copy"))?);
        let send = Tell::SendFile { name: "alice".into(), to: "bob".into(), path: path.clone() };
        let begun: u128 = alice.ask::<String>(&send)?.parse()?;
        let came: u128 = bob.ask::<String>(&Tell::FilesCame { name: "bob".into(), count: number })?.parse()?;
        sent.push(Duration::from_nanos(u64::try_from(came.saturating_sub(begun))?));
        std::fs::remove_file(path)?;
    }
    alice.ask::<()>(&Tell::Close)?;
    bob.ask::<()>(&Tell::Close)?;
    let rate = |times: Vec<Duration>| bytes as f64 / 1e6 / middle(times).as_secs_f64();
    let baseline = rate(copied);
    let against = "cp, fsync and SHA-256";
    let bare = rate(vec![flow(bytes)?]);
    Ok(vec![
        Figure::new("attachment of 20 MB", rate(sent), "MB/s").at_least(0.5 * baseline).against(baseline, against),
        Figure::new("attachment: its bytes on a bare stream", bare, "MB/s").against(baseline, against),
    ])
}

fn fill(path: &Path, bytes: usize) -> Result<(), Failure> {
    let mut content = vec![0; bytes];
    SystemRandom::new().fill(&mut content).map_err(|_| "the system gives no randomness")?;
    let mut file = File::create(path)?;
    file.write_all(&content)?;
    Ok(file.sync_all()?)
}

/// How long it takes to copy a file, make the copy durable, and hash it.
fn copy(from: &Path, to: &Path) -> Result<Duration, Failure> {
    let begun = Instant::now();
    std::fs::copy(from, to)?;
    let mut file = File::open(to)?;
    file.sync_all()?;
    let (mut hash, mut step) = (Context::new(&SHA256), vec![0; 64 * 1024]);
    loop {
        let read = file.read(&mut step)?;
        if read == 0 {
            break;
        }
        hash.update(step.get(..read).unwrap_or_default());
    }
    let _ = hash.finish();
    let took = begun.elapsed();
    std::fs::remove_file(to)?;
    Ok(took)
}

fn middle(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times.get(times.len() / 2).copied().unwrap_or_default()
}
