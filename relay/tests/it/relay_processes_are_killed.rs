//! SIGKILL under load, at drawn instants: what a relay acknowledged is there when it runs again: deposits, accounts, chunks of
//! attachments.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use kith_core::blob::Shelf;
use kith_core::net::{Handle, RelayAddress, TransportKey};
use kith_core::types::{EnvelopeId, Rng, Token};
use kith_core::wire::blob::{self, Attachment, Open, capability_hash};
use kith_core::wire::envelope::Class;
use kith_core::wire::relay::{Request, Response};
use rand_core::{RngCore as _, SeedableRng as _};
use tokio::task::JoinSet;

use crate::relay_processes_obey_and_recover::{Process, UNLIMITED, deposit, fetched, net, sign_up, taken, until};
use crate::world::{Person, envelope_of};

/// How often it is killed in the suite, and in the long form.
const ROUNDS: u64 = 5;
const ROUNDS_OF_SOAK: u64 = 300;

/// It is killed within this time after it took the first of everything.
const WITHIN_MS: u64 = 700;

/// After something that was refused or not answered.
const PAUSE: Duration = Duration::from_millis(20);

/// Bytes of an attachment: two chunks.
const FILE: usize = 300_000;

/// What the relay said that it has.
#[derive(Default)]
struct Acknowledged {
    envelopes: Vec<Vec<u8>>,
    accounts: BTreeMap<String, Vec<u8>>,
    chunks: Vec<(Attachment, u32, Vec<u8>)>,
}

type Told = Arc<Mutex<Acknowledged>>;

async fn deposits(relay: RelayAddress, to: Arc<Person>, seed: u64, told: Told) {
    let net = net(TransportKey::throwaway()).await;
    let mut rng = Rng::seed_from_u64(seed);
    loop {
        let envelope = envelope_of(EnvelopeId::random(&mut rng), Class::Durable, 2000);
        match net.relay_request(&relay, &deposit(&to, envelope.clone())).await {
            Ok(answer) if answer == taken() => told.lock().unwrap().envelopes.push(envelope),
            _ => tokio::time::sleep(PAUSE).await,
        }
    }
}

async fn sign_ups(relay: RelayAddress, mut rng: Rng, round: u64, told: Told) {
    for number in 0.. {
        let person = Person::new(&mut rng, 1);
        let seed = *person.devices[0].transport.seed().expose();
        let net = net(TransportKey::from_seed(seed.into()).unwrap()).await;
        // An own relay is asked as who one is.
        net.set_relays(vec![relay.clone()]).await.unwrap();
        let name = format!("r{round}n{number}");
        match net.relay_request(&relay, &person.sign_up(&name)).await {
            Ok(Response::Done) => drop(told.lock().unwrap().accounts.insert(name, person.record.encode())),
            _ => tokio::time::sleep(PAUSE).await,
        }
        net.shutdown().await;
    }
}

async fn uploads(net: Handle, relay: RelayAddress, of: Arc<Person>, mut rng: Rng, told: Told) {
    let dir = tempfile::tempdir().unwrap();
    let shelf = Shelf::open(dir.path()).unwrap();
    loop {
        let mut content = vec![0; FILE];
        rng.fill_bytes(&mut content);
        let attachment = shelf.take_in(Token::random(&mut rng), |to| Ok(to.write_all(&content)?)).unwrap();
        let open = Open {
            name: attachment.name(),
            capability: capability_hash(&attachment.capability()),
            sealed_bytes: attachment.layout().sealed_bytes(),
            list: shelf.list(&attachment.id).unwrap(),
            readers: vec![attachment.reader(&of.device(0))],
        };
        if !matches!(net.ask_keeper(&relay, &blob::Request::Open(open)).await, Ok(blob::Response::Opened { .. })) {
            tokio::time::sleep(PAUSE).await;
            continue;
        }
        for index in 0..attachment.layout().chunks() {
            let chunk = shelf.chunk(&attachment.id, &attachment.layout(), index).unwrap();
            let put = blob::Request::Put { name: attachment.name(), index, chunk: chunk.clone() };
            match net.ask_keeper(&relay, &put).await {
                Ok(blob::Response::Done) => told.lock().unwrap().chunks.push((attachment.clone(), index, chunk)),
                _ => tokio::time::sleep(PAUSE).await,
            }
        }
        shelf.remove(&attachment.id).unwrap();
    }
}

/// All that it acknowledged is there, asked for as people ask for it.
async fn has_all(relay: &RelayAddress, person: &Person, told: &Acknowledged, round: u64) {
    let seed = *person.devices[0].transport.seed().expose();
    let net = net(TransportKey::from_seed(seed.into()).unwrap()).await;
    net.set_relays(vec![relay.clone()]).await.unwrap();
    let found = fetched(async |request| net.relay_request(relay, &request).await.unwrap()).await;
    let lost = told.envelopes.iter().filter(|envelope| !found.contains(envelope)).count();
    assert_eq!(lost, 0, "round {round}: deposits of {} acknowledged are gone", told.envelopes.len());
    for (name, record) in &told.accounts {
        let answer = net.relay_request(relay, &Request::Lookup { handle: name.clone() }).await;
        assert_eq!(answer, Ok(Response::Record { record: record.clone() }), "round {round}: the account {name}");
    }
    for (attachment, index, chunk) in &told.chunks {
        let get = blob::Request::Get { claim: attachment.claim(), index: *index };
        let answer = net.ask_keeper(relay, &get).await;
        assert!(answer == Ok(blob::Response::Chunk { chunk: chunk.clone() }), "round {round}: a chunk: {answer:?}");
    }
    net.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_relay_acknowledged_is_there_after_a_kill_at_any_instant() {
    let rounds = if std::env::var_os("KITH_SOAK").is_some() { ROUNDS_OF_SOAK } else { ROUNDS };
    let seed = u64::from(std::process::id());
    println!("seed {seed}");
    let mut rng = Rng::seed_from_u64(seed);
    let dir = tempfile::tempdir().unwrap();
    let settings = [UNLIMITED.as_slice(), &[("KITH_RELAY_LIMITS_REGISTER_RATE", "1000000+60000000/min")]].concat();
    let mut relay = Process::start(dir.path(), &settings).await;
    for round in 0..rounds {
        let address = relay.address();
        let (carol, net) = sign_up(&address, &format!("carol{round}")).await;
        let (carol, told) = (Arc::new(carol), Told::default());
        let mut load = JoinSet::new();
        for _ in 0..3 {
            load.spawn(deposits(address.clone(), Arc::clone(&carol), rng.next_u64(), Arc::clone(&told)));
        }
        load.spawn(sign_ups(address.clone(), Rng::seed_from_u64(rng.next_u64()), round, Arc::clone(&told)));
        let own = Rng::seed_from_u64(rng.next_u64());
        load.spawn(uploads(net.clone(), address, Arc::clone(&carol), own, Arc::clone(&told)));
        until("something of everything", async || {
            let told = told.lock().unwrap();
            !(told.envelopes.is_empty() || told.accounts.is_empty() || told.chunks.is_empty())
        })
        .await;
        tokio::time::sleep(Duration::from_millis(rng.next_u64() % WITHIN_MS)).await;
        relay.kill().await;
        load.shutdown().await;
        net.shutdown().await;
        relay = Process::start(dir.path(), &settings).await;
        let told = std::mem::take(&mut *told.lock().unwrap());
        let (envelopes, accounts, chunks) = (told.envelopes.len(), told.accounts.len(), told.chunks.len());
        println!("round {round}: {envelopes} deposits, {accounts} accounts, {chunks} chunks");
        has_all(&relay.address(), &carol, &told, round).await;
    }
    relay.terminate().await;
}
