//! Processes killed at random instants, also while they open the store.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use rand_chacha::ChaCha20Rng;
use rand_core::{RngCore as _, SeedableRng as _};

use super::scenario::{batch, check, open, time};

/// Where the child finds its directory; without it the child's test does nothing.
const DIR: &str = "KITH_TEST_STORE_DIR";

/// Writes numbered batches until it is killed, and says each number once its batch is durable.
#[test]
fn child_writes_until_it_is_killed() {
    let Some(dir) = std::env::var_os(DIR) else { return };
    let (store, _) = open(Path::new(&dir)).unwrap();
    println!("open");
    let next = check(&store).map_or(0, |head| head + 1);
    for number in next.. {
        let acknowledge = move |result: Result<(), kith_core::store::StoreError>| {
            result.unwrap();
            let mut out = std::io::stdout().lock();
            writeln!(out, "ack {number}").unwrap();
            out.flush().unwrap();
        };
        store.submit(&batch(number), time(number), Box::new(acknowledge)).unwrap();
    }
}

/// Lets a child run for a while, counted from its first acknowledgement when `under_load`, and kills it; whether it had opened
/// the store, and the last number it acknowledged.
fn killed(dir: &Path, under_load: bool, instant: Duration) -> (bool, Option<u64>) {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "store::crash::child_writes_until_it_is_killed", "--nocapture", "--test-threads=1"])
        .env(DIR, dir)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let out = BufReader::new(child.stdout.take().unwrap());
    let (sender, receiver) = mpsc::channel();
    let (first, writes) = mpsc::channel();
    let reader = std::thread::spawn(move || {
        let (mut opened, mut last) = (false, None);
        for line in out.lines().map_while(Result::ok) {
            // The test harness writes its own words before the first line.
            opened |= line.ends_with("open");
            if last.is_none() && line.contains("ack ") {
                let _ = first.send(());
            }
            last = line.split_once("ack ").and_then(|(_, number)| number.parse().ok()).or(last);
        }
        let _ = sender.send((opened, last));
    });
    if under_load {
        writes.recv_timeout(Duration::from_secs(60)).expect("the child writes");
    }
    std::thread::sleep(instant);
    let ended = child.try_wait().unwrap();
    assert!(ended.is_none(), "the child ended by itself: {ended:?}");
    child.kill().unwrap();
    child.wait().unwrap();
    reader.join().unwrap();
    receiver.recv().unwrap()
}

#[test]
fn no_acknowledged_batch_is_missing_after_a_kill_at_any_instant() {
    let rounds = if std::env::var_os("KITH_SOAK").is_some() { 500 } else { 25 };
    let seed = u64::from(std::process::id());
    println!("seed {seed}");
    let mut rng = ChaCha20Rng::seed_from_u64(seed);
    let dir = tempfile::tempdir().unwrap();
    let (mut acknowledged, mut during_open) = (None, 0);
    for round in 0..rounds {
        // Three quarters of the kills while it starts and opens, the others under load.
        let under_load = rng.next_u32().is_multiple_of(4) || round == 0;
        let longest = if under_load { 400 } else { 60 };
        let instant = Duration::from_millis(u64::from(rng.next_u32() % longest));
        let (opened, last) = killed(dir.path(), under_load, instant);
        during_open += u32::from(!opened);
        acknowledged = acknowledged.max(last);
        // A child that is killed at once may leave nothing: the next one creates the store.
        if round % 3 == 0 {
            let (store, _) = open(dir.path()).unwrap_or_else(|error| panic!("round {round}: {error}"));
            let head = check(&store);
            assert!(head >= acknowledged, "round {round}: {head:?} of {acknowledged:?}");
        }
    }
    let (store, _) = open(dir.path()).unwrap();
    assert!(check(&store) >= acknowledged);
    assert!(acknowledged.is_some(), "no child ever wrote");
    println!("{rounds} rounds, {during_open} killed before they had opened, last acknowledged {acknowledged:?}");
}
