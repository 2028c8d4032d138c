//! What the relay's store bears. Run by hand, optimised: `cargo test --release --config profile.release.debug-assertions=true
//! --workspace --features kith-core/test-utils --test it -- --ignored --nocapture measured`.

use std::time::{Duration, Instant};

use kith_core::types::{EnvelopeId, Rng};
use kith_core::wire::envelope::Class;
use kith_core::wire::relay::{Deposited, Destination, Request, Response};
use kith_relay::domain::{Limits, Rate};
use kith_relay::server::Server;
use rand_core::SeedableRng;

use crate::servers_answer_when_it_is_durable::{config, person};
use crate::world::{Person, envelope_of, stranger};

fn unlimited() -> Limits {
    let rate = Rate { burst: u32::MAX / 4, per_minute: 60_000_000 };
    Limits {
        requests_rate: rate,
        address_rate: rate,
        deposits_rate: rate,
        register_rate: rate,
        mailbox_envelopes: 1 << 40,
        mailbox_bytes: 1 << 40,
        ..Limits::default()
    }
}

/// Resident memory of this process in MiB.
fn resident_mib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap_or_default();
    line.split_whitespace().nth(1).and_then(|kib| kib.parse::<u64>().ok()).unwrap_or(0) / 1024
}

async fn deposits(server: &Server, people: &[Person], each: usize, rng: &mut Rng) -> f64 {
    let mut senders = tokio::task::JoinSet::new();
    for (number, person) in people.iter().enumerate() {
        let envelopes: Vec<_> = (0..each).map(|_| envelope_of(EnvelopeId::random(rng), Class::Durable, 400)).collect();
        let (handle, mailbox) = (server.handle(), person.mailbox(0));
        let caller = stranger(u8::try_from(number).unwrap());
        senders.spawn(async move {
            for envelope in envelopes {
                let to = Destination::Mailboxes(vec![mailbox]);
                let answer = handle.request(caller, Request::Deposit { to, envelope }).await;
                assert_eq!(answer, Response::Deposited { results: vec![Deposited::Taken] });
            }
        });
    }
    let began = Instant::now();
    senders.join_all().await;
    (people.len() * each) as f64 / began.elapsed().as_secs_f64()
}

fn fsync_each(dir: &std::path::Path) -> f64 {
    use std::io::Write;
    let mut file = std::fs::File::create(dir.join("fsync")).unwrap();
    let began = Instant::now();
    for _ in 0..200 {
        file.write_all(&[7; 600]).unwrap();
        file.sync_data().unwrap();
    }
    200.0 / began.elapsed().as_secs_f64()
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "a measurement"]
async fn measured_deposits_of_64_senders() {
    let dir = tempfile::tempdir().unwrap();
    let mut rng = Rng::seed_from_u64(1);
    let mut config = config(dir.path());
    config.settings.limits = unlimited();
    let server = Server::bind(config).await.unwrap();
    let mut people = Vec::new();
    for number in 0..64 {
        people.push(person(&server.handle(), &mut rng, &format!("person{number}x"), 1).await);
    }
    let baseline = fsync_each(dir.path());
    let rate = deposits(&server, &people, 500, &mut rng).await;
    println!("deposits of 64 senders: {rate:.0}/s; one fsync each: {baseline:.0}/s; ratio {:.1}", rate / baseline);
    server.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "a measurement"]
async fn measured_cold_start() {
    const ACCOUNTS: usize = 1563;
    const DEVICES: usize = 64;
    const EACH: usize = 10;
    let dir = tempfile::tempdir().unwrap();
    let mut rng = Rng::seed_from_u64(1);
    let mut settings = config(dir.path());
    settings.settings.limits = unlimited();
    let server = Server::bind(settings.clone()).await.unwrap();
    let handle = server.handle();
    let began = Instant::now();
    let mut mailboxes = 0;
    for number in 0..ACCOUNTS {
        let person = person(&handle, &mut rng, &format!("x{number}y"), DEVICES).await;
        mailboxes += DEVICES;
        for _ in 0..EACH {
            let to = Destination::Mailboxes((0..DEVICES).map(|device| person.mailbox(device)).collect());
            let envelope = envelope_of(EnvelopeId::random(&mut rng), Class::Durable, 200);
            handle.request(stranger(1), Request::Deposit { to, envelope }).await;
        }
    }
    println!("{mailboxes} mailboxes, {} envelopes, made in {:?}", mailboxes * EACH, began.elapsed());
    server.shutdown().await;
    let server = child_start(dir.path());
    println!("start: {server:?}");
    let before = resident_mib();
    let began = Instant::now();
    let server = Server::bind(settings).await.unwrap();
    assert!(matches!(server.handle().request(stranger(1), Request::Hello).await, Response::Hello(_)));
    println!("in process: {:?}, resident {before} -> {} MiB", began.elapsed(), resident_mib());
    server.shutdown().await;
}

/// Starts the relay's own binary on the directory: time until its pages answer, and its resident memory ten seconds later.
fn child_start(dir: &std::path::Path) -> (Duration, u64) {
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let began = Instant::now();
    let mut child = std::process::Command::new(env!("CARGO_BIN_EXE_kith-relay"))
        .env("KITH_RELAY_DATA_DIR", dir)
        .env("KITH_RELAY_HTTP_LISTEN", port.to_string())
        .env("KITH_RELAY_LISTEN", "/ip4/127.0.0.1/tcp/0")
        .spawn()
        .unwrap();
    while std::net::TcpStream::connect(port).is_err() {
        assert!(began.elapsed() < Duration::from_secs(60), "it does not start");
        std::thread::sleep(Duration::from_millis(5));
    }
    let ready = began.elapsed();
    std::thread::sleep(Duration::from_secs(10));
    let status = std::fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap_or_default();
    let peak = line.split_whitespace().nth(1).and_then(|kib| kib.parse::<u64>().ok()).unwrap_or(0) / 1024;
    child.kill().unwrap();
    child.wait().unwrap();
    (ready, peak)
}
