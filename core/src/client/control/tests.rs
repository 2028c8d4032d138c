//! Callers and a server over real sockets, with a service that is only a function.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use serde_json::Value;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::UnixStream;
use tokio::sync::{Notify, broadcast};

use super::*;
use crate::wire::control::{Code, MAX_LINE, Said};

/// No test here waits for anything but another task of its own process.
const LIMIT: Duration = Duration::from_secs(60);

struct World {
    directory: TempDir,
    events: broadcast::Sender<Event>,
    gate: Arc<Notify>,
}

impl World {
    fn new() -> Self {
        Self { directory: TempDir::new().unwrap(), events: broadcast::Sender::new(16), gate: Arc::new(Notify::new()) }
    }

    fn profile(&self) -> PathBuf {
        self.directory.path().join("profile")
    }

    /// `Invite` answers at once, `Whoami` waits for the gate, all else fails.
    fn service(&self) -> Service {
        let (events, gate) = (self.events.clone(), Arc::clone(&self.gate));
        Service {
            execute: Arc::new(move |request| {
                let gate = Arc::clone(&gate);
                Box::pin(async move {
                    match request {
                        Request::Invite => Ok(Reply::Link { link: "kith://x".to_owned() }),
                        Request::Whoami => {
                            gate.notified().await;
                            Ok(Reply::Done)
                        }
                        _ => Err(Failure { code: "refused".to_owned(), message: "not today".to_owned() }),
                    }
                })
            }),
            subscribe: Arc::new(move || {
                futures::stream::unfold(events.subscribe(), |mut events| async move {
                    events.recv().await.ok().map(|event| (event, events))
                })
                .boxed()
            }),
        }
    }

    async fn serve(&self) -> Server {
        serve(self.service(), &self.profile()).await.unwrap()
    }

    async fn connect(&self) -> Connection {
        Connection::connect(&self.profile()).await.unwrap().expect("somebody serves")
    }

    async fn raw(&self) -> Raw {
        let stream = UnixStream::connect(self.profile().join("control.sock")).await.unwrap();
        let mut raw = Raw { stream: BufReader::new(stream) };
        assert_eq!(raw.read().await, serde_json::json!({"server": "kith", "version": 1}));
        raw
    }
}

/// A caller that says what it likes.
struct Raw {
    stream: BufReader<UnixStream>,
}

impl Raw {
    async fn write(&mut self, bytes: &[u8]) {
        self.stream.get_mut().write_all(bytes).await.unwrap();
    }

    async fn read_text(&mut self) -> String {
        let mut line = String::new();
        tokio::time::timeout(LIMIT, self.stream.read_line(&mut line)).await.unwrap().unwrap();
        line
    }

    async fn read(&mut self) -> Value {
        serde_json::from_str(&self.read_text().await).unwrap()
    }
}

fn mode(path: &Path) -> u32 {
    std::fs::metadata(path).unwrap().permissions().mode() & 0o777
}

fn link() -> Reply {
    Reply::Link { link: "kith://x".to_owned() }
}

#[tokio::test]
async fn two_callers_are_answered_side_by_side() {
    let world = World::new();
    let server = world.serve().await;
    let (mut one, mut two) = (world.connect().await, world.connect().await);
    let (waiting, answered) = tokio::join!(one.call(Request::Whoami), async {
        let answer = two.call(Request::Invite).await;
        world.gate.notify_one();
        answer
    });
    assert_eq!((waiting, answered), (Ok(Reply::Done), Ok(link())));
    server.shutdown().await;
}

#[tokio::test]
async fn a_failure_keeps_its_code_and_sentence() {
    let world = World::new();
    let _server = world.serve().await;
    let error = world.connect().await.call(Request::Contacts).await.unwrap_err();
    assert_eq!((error.code(), error.to_string().as_str()), ("refused", "not today"));
}

#[tokio::test]
async fn a_malformed_line_gets_an_error_with_its_number_and_the_caller_goes_on() {
    let world = World::new();
    let _server = world.serve().await;
    let mut raw = world.raw().await;
    for (line, id) in [
        (&b"{\"id\":7,\"request\":\"no such thing\"}\n"[..], 7),
        (b"{\"id\":8,\"request\":\"send\",\"to\":5}\n", 8),
        (b"\xff\xfe not json\n", 0),
        (b"\n", 0),
        (b"[[[[[[[[\n", 0),
    ] {
        raw.write(line).await;
        let failed = raw.read().await;
        assert_eq!(failed["failed"]["id"], id);
        assert_eq!(failed["failed"]["code"], "malformed");
    }
    raw.write(b"{\"id\":9,\"request\":\"invite\"}\n").await;
    assert_eq!(raw.read_text().await, "{\"answer\":{\"id\":9,\"reply\":{\"link\":{\"link\":\"kith://x\"}}}}\n");
}

#[tokio::test]
async fn a_line_over_the_limit_ends_its_caller_alone() {
    let world = World::new();
    let _server = world.serve().await;
    let mut other = world.connect().await;
    let mut raw = world.raw().await;
    // The server stops reading at its limit, so only as much is sent as it takes for certain.
    raw.write(&vec![b'x'; MAX_LINE + 1]).await;
    assert_eq!(raw.read().await["failed"]["code"], "line_too_long");
    assert_eq!(raw.read_text().await, "");
    assert_eq!(other.call(Request::Invite).await, Ok(link()));
}

#[tokio::test]
async fn a_caller_that_goes_in_the_middle_of_a_line_or_a_call_disturbs_nobody() {
    let world = World::new();
    let _server = world.serve().await;
    let mut raw = world.raw().await;
    raw.write(b"{\"id\":1,\"request\":\"whoami\"}\n{\"id\":2,").await;
    drop(raw);
    assert_eq!(world.connect().await.call(Request::Invite).await, Ok(link()));
}

#[tokio::test]
async fn events_come_after_listening_and_calls_go_on_beside_them() {
    let world = World::new();
    let server = world.serve().await;
    let mut events = world.connect().await.events().await.unwrap();
    let event = Event::Warning { said: Said::new(Code::Recovered, "look") };
    world.events.send(event.clone()).unwrap();
    assert_eq!(events.next().await, Ok(Some(event)));

    let mut raw = world.raw().await;
    raw.write(b"{\"id\":1,\"request\":\"listen\"}\n").await;
    assert_eq!(raw.read_text().await, "{\"answer\":{\"id\":1,\"reply\":\"done\"}}\n");
    world.events.send(Event::Lagged { missed: 3 }).unwrap();
    assert_eq!(raw.read_text().await, "{\"event\":{\"event\":\"lagged\",\"missed\":3}}\n");
    raw.write(b"{\"id\":2,\"request\":\"invite\"}\n").await;
    assert_eq!(raw.read().await["answer"]["id"], 2);

    server.shutdown().await;
    assert_eq!(events.next().await, Ok(Some(Event::Lagged { missed: 3 })));
    assert_eq!(events.next().await, Ok(None));
}

#[tokio::test]
async fn a_caller_over_the_bound_is_told_and_served_once_another_left() {
    let world = World::new();
    let _server = world.serve().await;
    let mut callers = Vec::new();
    for _ in 0..MAX_CALLERS {
        callers.push(world.connect().await);
    }
    let refused = Connection::connect(&world.profile()).await.unwrap_err();
    assert_eq!(refused.code(), "busy");
    callers.clear();
    let served = async {
        loop {
            if let Ok(Some(mut caller)) = Connection::connect(&world.profile()).await {
                return caller.call(Request::Invite).await;
            }
            tokio::task::yield_now().await;
        }
    };
    assert_eq!(tokio::time::timeout(LIMIT, served).await, Ok(Ok(link())));
}

#[tokio::test]
async fn a_living_profile_is_not_taken_over() {
    let world = World::new();
    let _server = world.serve().await;
    assert_eq!(serve(world.service(), &world.profile()).await.unwrap_err(), ControlError::AlreadyOpen);
    assert_eq!(world.connect().await.call(Request::Invite).await, Ok(link()));
}

#[tokio::test]
async fn a_socket_that_a_dead_process_left_is_replaced() {
    let world = World::new();
    std::fs::create_dir(world.profile()).unwrap();
    // A listener that is closed leaves its file, as a killed process does.
    drop(std::os::unix::net::UnixListener::bind(world.profile().join("control.sock")).unwrap());
    assert!(Connection::connect(&world.profile()).await.unwrap().is_none());
    let _server = world.serve().await;
    assert_eq!(world.connect().await.call(Request::Invite).await, Ok(link()));
}

#[tokio::test]
async fn a_file_that_is_no_socket_is_left_alone() {
    let world = World::new();
    let file = world.profile().join("control.sock");
    std::fs::create_dir(world.profile()).unwrap();
    std::fs::write(&file, "a person's").unwrap();
    let refused = serve(world.service(), &world.profile()).await.unwrap_err();
    assert_eq!(refused, ControlError::NotOurs { path: file.clone() });
    assert_eq!(std::fs::read_to_string(file).unwrap(), "a person's");
}

#[tokio::test]
async fn only_this_user_reaches_the_socket() {
    let world = World::new();
    std::fs::create_dir(world.profile()).unwrap();
    std::fs::set_permissions(world.profile(), std::fs::Permissions::from_mode(0o755)).unwrap();
    let _server = world.serve().await;
    assert_eq!(mode(&world.profile()), 0o700);
    assert_eq!(mode(&world.profile().join("control.sock")), 0o600);
}

#[tokio::test]
async fn a_shutdown_is_answered_and_reaches_the_owner() {
    let world = World::new();
    let server = world.serve().await;
    assert_eq!(world.connect().await.call(Request::Shutdown).await, Ok(Reply::Done));
    tokio::time::timeout(LIMIT, server.stopped()).await.unwrap();
    server.shutdown().await;
    assert!(!world.profile().join("control.sock").exists());
    assert!(Connection::connect(&world.profile()).await.unwrap().is_none());
}

#[tokio::test]
async fn a_long_directory_serves_through_a_short_path() {
    let world = World::new();
    let profile = world.directory.path().join("d".repeat(120));
    let server = serve(world.service(), &profile).await.unwrap();
    let pointer = std::fs::read_to_string(profile.join("control.path")).unwrap();
    let mut caller = Connection::connect(&profile).await.unwrap().unwrap();
    assert_eq!(caller.call(Request::Invite).await, Ok(link()));
    assert_eq!(mode(Path::new(&pointer)), 0o600);
    server.shutdown().await;
    assert!(!Path::new(&pointer).exists());
    assert!(Connection::connect(&profile).await.unwrap().is_none());
}

#[tokio::test]
async fn a_pointer_to_anybodys_directory_is_not_followed() {
    let world = World::new();
    let open = world.directory.path().join("open");
    std::fs::create_dir(&open).unwrap();
    std::fs::set_permissions(&open, std::fs::Permissions::from_mode(0o777)).unwrap();
    std::fs::create_dir(world.profile()).unwrap();
    let socket = open.join("control.sock");
    std::fs::write(world.profile().join("control.path"), socket.to_str().unwrap()).unwrap();
    assert_eq!(Connection::connect(&world.profile()).await.unwrap_err(), ControlError::NotOurs { path: socket });
    for garbage in ["relative.sock", "", &"/x".repeat(200)] {
        std::fs::write(world.profile().join("control.path"), garbage).unwrap();
        assert_eq!(Connection::connect(&world.profile()).await.unwrap_err().code(), "socket_not_ours");
    }
}

#[tokio::test]
async fn nobody_runs_a_profile_that_is_not_there() {
    let world = World::new();
    assert!(Connection::connect(&world.profile()).await.unwrap().is_none());
}
