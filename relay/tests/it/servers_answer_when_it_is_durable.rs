//! A real server over a real store, and its node where bytes come from outside.

use std::net::SocketAddr;
use std::path::Path;

use kith_core::types::Rng;
use kith_core::wire::codec::Body;
use kith_core::wire::relay::{Deposited, Destination, Purpose, Refusal, Request, Response, token_hash};
use kith_relay::attach::attach_node;
use kith_relay::config::Config;
use kith_relay::domain::Delivered;
use kith_relay::server::{Handle, PUSHES, Server, pushes};
use rand_core::SeedableRng;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::node_serves_devices::hostile;
use crate::world::{Person, envelope, stranger};

pub(crate) fn config(dir: &Path) -> Config {
    let mut config = Config::embedded(dir.to_path_buf());
    config.http_listen = SocketAddr::from(([127, 0, 0, 1], 0));
    config
}

/// Signs somebody up. Nobody logs in here, so that the registration need not be one of this relay's.
pub(crate) async fn person(handle: &Handle, rng: &mut Rng, name: &str, devices: usize) -> Person {
    let person = Person::new(rng, devices);
    assert_eq!(handle.request(person.caller(0), person.sign_up(name)).await, Response::Done);
    let tokens = vec![(Purpose::Delivery, token_hash(&person.token))];
    assert_eq!(handle.request(person.caller(0), Request::IssueTokens { tokens }).await, Response::Done);
    person
}

pub(crate) async fn deposit(handle: &Handle, to: &Person, envelope: Vec<u8>) -> Response {
    let to = Destination::Mailboxes(vec![to.mailbox(0)]);
    handle.request(stranger(1), Request::Deposit { to, envelope }).await
}

fn taken() -> Response {
    Response::Deposited { results: vec![Deposited::Taken] }
}

async fn waiting(handle: &Handle, person: &Person) -> Vec<Vec<u8>> {
    match handle.request(person.caller(0), Request::Fetch { from: None }).await {
        Response::Waiting { envelopes, .. } => envelopes.into_iter().map(|stored| stored.envelope).collect(),
        other => panic!("nothing fetched: {other:?}"),
    }
}

pub(crate) async fn get(address: SocketAddr, page: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = format!("GET {page} HTTP/1.1\r\nHost: relay\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    let status = answer.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap();
    (status, answer)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_taken_is_there_after_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let mut rng = Rng::seed_from_u64(1);
    let server = Server::bind(config(dir.path())).await.unwrap();
    let relay_id = server.relay_id();
    let bob = person(&server.handle(), &mut rng, "bob", 1).await;
    let sent: Vec<Vec<u8>> = (0..5).map(|_| envelope(&mut rng)).collect();
    for envelope in &sent {
        assert_eq!(deposit(&server.handle(), &bob, envelope.clone()).await, taken());
    }
    let gone = server.handle();
    server.shutdown().await;
    let late = deposit(&gone, &bob, sent[0].clone()).await;
    assert_eq!(late, Response::Refused(Refusal::TryLater), "a relay that has stopped says so");

    let server = Server::bind(config(dir.path())).await.unwrap();
    assert_eq!(server.relay_id(), relay_id);
    assert_eq!(waiting(&server.handle(), &bob).await, sent);
    server.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connected_device_is_pushed_what_comes_and_a_lagging_one_is_let_go() {
    let dir = tempfile::tempdir().unwrap();
    let mut rng = Rng::seed_from_u64(1);
    let server = Server::bind(config(dir.path())).await.unwrap();
    let handle = server.handle();
    let bob = person(&handle, &mut rng, "bob", 1).await;
    let (sender, mut pushes) = pushes();
    let fetched = handle.fetch(bob.caller(0), None, sender).await;
    assert!(matches!(&fetched, Response::Waiting { envelopes, .. } if envelopes.is_empty()), "{fetched:?}");
    let first = envelope(&mut rng);
    deposit(&handle, &bob, first.clone()).await;
    let Some(Delivered::Kept { envelope: pushed, .. }) = pushes.recv().await else { panic!("no push") };
    assert_eq!(pushed.to_vec(), first);

    for _ in 0..=PUSHES {
        let envelope = envelope(&mut rng);
        assert_eq!(deposit(&handle, &bob, envelope).await, taken());
    }
    // The next thing the domain does is to let the device go.
    handle.request(stranger(1), Request::Hello).await;
    let mut pushed = 0;
    while pushes.recv().await.is_some() {
        pushed += 1;
    }
    assert_eq!(pushed, PUSHES);
    assert_eq!(waiting(&handle, &bob).await.len(), 256, "nothing was lost");
    server.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_tell_that_it_lives_and_what_it_counted() {
    let dir = tempfile::tempdir().unwrap();
    let mut rng = Rng::seed_from_u64(1);
    let server = Server::bind(config(dir.path())).await.unwrap();
    let handle = server.handle();
    let bob = person(&handle, &mut rng, "bob", 1).await;
    deposit(&handle, &bob, envelope(&mut rng)).await;
    assert_eq!(get(server.http_addr(), "/health").await.0, 200);
    assert_eq!(get(server.http_addr(), "/ready").await.0, 200);
    assert_eq!(get(server.http_addr(), "/secrets").await.0, 404);
    let (_, text) = get(server.http_addr(), "/metrics").await;
    for line in [
        "kith_relay_requests_total{name=\"deposit\",outcome=\"ok\"} 1",
        "kith_relay_deposits_total{result=\"taken\"} 1",
        "kith_relay_unserved_total{why=\"late\"} 0",
        "kith_relay_flush_seconds_count",
        "kith_relay_deposited_bytes_total",
        "kith_relay_connected_devices 0",
    ] {
        assert!(text.contains(line), "{line} is missing in {text}");
    }
    assert!(!text.contains("bob"));
    server.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn bytes_that_are_no_request_get_an_answer_and_are_counted() {
    let dir = tempfile::tempdir().unwrap();
    let mut config = config(dir.path());
    config.listen = vec!["/ip4/127.0.0.1/tcp/0".into()];
    let mut server = Server::bind(config).await.unwrap();
    let node = attach_node(&mut server).await.unwrap();
    let mut raw = hostile::raw(&node).await;
    let mut answer = async |bytes: &[u8]| Response::decode(&raw.says(&hostile::frame(bytes)).await).unwrap();
    let unknown = Response::Refused(Refusal::Unknown);
    assert_eq!(answer(b"").await, unknown);
    assert!(matches!(answer(b"\x01\xff").await, Response::Refused(Refusal::Malformed(_))));
    assert_eq!(answer(b"\x02\x62hi").await, unknown, "a format of the future");
    assert_eq!(answer(b"\x01\x62zz").await, unknown, "a request of the future");
    assert!(
        matches!(answer(&Request::Hello.encode()).await, Response::Hello(_)),
        "the connection is as good as before"
    );
    let (_, text) = get(server.http_addr(), "/metrics").await;
    for line in [
        "kith_relay_decode_errors_total{kind=\"empty\"} 1",
        "kith_relay_decode_errors_total{kind=\"malformed\"} 2",
        "kith_relay_decode_errors_total{kind=\"from_the_future\"} 1",
    ] {
        assert!(text.contains(line), "{line} is missing in {text}");
    }
    server.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn many_senders_at_once_lose_and_double_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let mut rng = Rng::seed_from_u64(1);
    let server = Server::bind(config(dir.path())).await.unwrap();
    let handle = server.handle();
    let bob = person(&handle, &mut rng, "bob", 1).await;
    let mut senders = tokio::task::JoinSet::new();
    for _ in 0..16 {
        let envelopes: Vec<Vec<u8>> = (0..10).map(|_| envelope(&mut rng)).collect();
        let (handle, mailbox) = (handle.clone(), bob.mailbox(0));
        senders.spawn(async move {
            for envelope in envelopes {
                let to = Destination::Mailboxes(vec![mailbox]);
                let twice = Request::Deposit { to, envelope };
                let (one, other) =
                    tokio::join!(handle.request(stranger(1), twice.clone()), handle.request(stranger(2), twice));
                assert_eq!((one, other), (taken(), taken()));
            }
        });
    }
    senders.join_all().await;
    let found = waiting(&handle, &bob).await;
    let different: std::collections::BTreeSet<_> = found.iter().collect();
    assert_eq!((found.len(), different.len()), (160, 160));
    server.shutdown().await;
}
