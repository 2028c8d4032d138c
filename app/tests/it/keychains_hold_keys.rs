//! A profile whose key lies in the system's keychain: a real Secret Service on a bus of its own, and none at all.

use std::path::Path;
use std::process::Stdio;

use serde_json::Value;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, ChildStdin};
use tokio::time::{Duration, timeout};

use crate::process::command;
use crate::world::{Failure, Outcome, Person, Relay, check, person, play};

/// How long the keychain may take to start.
const LIMIT: Duration = Duration::from_secs(60);

/// A bus with an unlocked keychain; both end when the standard input of the shell that keeps them does, so also with the test.
struct Keychain {
    session: Child,
    input: ChildStdin,
    environment: Vec<(String, String)>,
}

impl Keychain {
    async fn start(room: &Path) -> Outcome<Self> {
        const SCRIPT: &str = "printf '\\n' | gnome-keyring-daemon --unlock --components=secrets >/dev/null && \
            echo \"$DBUS_SESSION_BUS_ADDRESS\" && exec cat";
        let home = room.join("home");
        std::fs::create_dir_all(&home)?;
        let home = home.to_string_lossy().into_owned();
        // Whoever runs the tests has a keychain of their own, which is not to be touched.
        let own = ["HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_RUNTIME_DIR"];
        let mut environment: Vec<(String, String)> = own.map(|name| (name.to_owned(), home.clone())).into();
        let mut bus = command(Path::new("dbus-run-session"));
        bus.args(["--", "sh", "-c", SCRIPT]).envs(environment.iter().map(|(name, value)| (name, value)));
        let log = std::fs::File::create(room.join("keychain.log"))?;
        // Killed, it would leave the bus behind.
        bus.kill_on_drop(false).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(log);
        let mut session = bus.spawn()?;
        let input = session.stdin.take().ok_or_else(|| Failure::new("the bus has no input"))?;
        let output = session.stdout.take().ok_or_else(|| Failure::new("the bus has no output"))?;
        let line = timeout(LIMIT, BufReader::new(output).lines().next_line()).await;
        let address = line.map_err(|_| Failure::new("the keychain did not start"))??;
        let address = address.ok_or_else(|| Failure::new("the keychain ended at once"))?;
        environment.push(("DBUS_SESSION_BUS_ADDRESS".to_owned(), address));
        Ok(Self { session, input, environment })
    }

    async fn ends(mut self) -> Outcome {
        drop(self.input);
        let ended = timeout(LIMIT, self.session.wait()).await.map_err(|_| Failure::new("the bus did not end"))??;
        check(ended.success(), &format!("the bus ended with {ended}"))
    }
}

/// From now on no keychain can be reached.
fn without_keychain(person: &mut Person<'_>, room: &Path) {
    let nowhere = format!("unix:path={}", room.join("no-bus").display());
    person.environment.retain(|(name, _)| name != "DBUS_SESSION_BUS_ADDRESS");
    person.environment.push(("DBUS_SESSION_BUS_ADDRESS".to_owned(), nowhere));
}

/// Commands need no passphrase, so there is none to find.
fn forgets_password(person: &Person<'_>) -> Outcome {
    Ok(std::fs::remove_file(person.password_file())?)
}

#[tokio::test]
async fn a_key_in_the_keychain_opens_the_profile_without_a_passphrase() {
    if cfg!(target_os = "macos") {
        eprintln!("skipped: a test must not write to this user's own keychain");
        return;
    }
    play(async |room| {
        let keychain = Keychain::start(room).await?;
        let relay = Relay::start(room, "relay").await?;
        let mut alice = person(room, "alice")?;
        alice.environment = keychain.environment.clone();
        let me = alice.ask_one(&["register", "alice", "--relay", &relay.address, "--keychain"]).await?;
        let mut further = person(room, "alice-at-work")?;
        further.environment = keychain.environment.clone();
        std::fs::copy(alice.password_file(), further.password_file())?;
        further.ask_one(&["login", "alice", "--relay", &relay.address, "--keychain"]).await?;
        forgets_password(&alice)?;
        forgets_password(&further)?;
        for device in [&alice, &further] {
            let found = device.ask_one(&["whoami"]).await?;
            check(found["account"] == me["account"], &format!("it is {found}"))?;
        }
        let runs = alice.run().await?;
        alice.ask(&["stop"]).await?;
        runs.ended().await?;

        // A profile that was moved still finds its key, and one that is made where it was does not take it away.
        std::fs::rename(room.join("alice"), room.join("moved"))?;
        let mut local = person(room, "alice")?;
        local.environment = keychain.environment.clone();
        let other = local.ask_one(&["register", "--local", "--keychain"]).await?;
        check(other["account"] != me["account"], "a new profile is the old account")?;
        forgets_password(&local)?;
        check(local.ask_one(&["whoami"]).await?["account"] == other["account"], "the new profile is another's")?;
        std::fs::rename(room.join("alice"), room.join("aside"))?;
        std::fs::rename(room.join("moved"), room.join("alice"))?;
        check(alice.ask_one(&["whoami"]).await?["account"] == me["account"], "the moved profile is another's")?;

        without_keychain(&mut alice, room);
        let refused = alice.refused(&["whoami"]).await?;
        check(refused.code == "keychain", &format!("it was {refused:?}"))?;
        check(refused.sentence.contains("keychain"), &format!("it says {refused:?}"))?;
        // Another keychain, in which nothing is.
        let empty = room.join("another");
        std::fs::create_dir(&empty)?;
        let another = Keychain::start(&empty).await?;
        alice.environment = another.environment.clone();
        let refused = alice.refused(&["whoami"]).await?;
        check(refused.code == "keychain_key", &format!("it was {refused:?}"))?;
        alice.environment = keychain.environment.clone();
        check(alice.ask_one(&["whoami"]).await?["account"] == me["account"], "the profile did not stay what it was")?;
        another.ends().await?;
        keychain.ends().await
    })
    .await;
}

#[tokio::test]
async fn what_opens_a_profile_is_changed_to_a_key_to_another_and_back() {
    if cfg!(target_os = "macos") {
        eprintln!("skipped: a test must not write to this user's own keychain");
        return;
    }
    play(async |room| {
        let keychain = Keychain::start(room).await?;
        let mut alice = person(room, "alice")?;
        alice.environment = keychain.environment.clone();
        let me = alice.ask_one(&["register", "--local"]).await?;
        let named = room.join("alice/keychain");
        let is_me = async |arguments: &[&str]| -> Outcome {
            let found = alice.ask_one(arguments).await?;
            check(found["account"] == me["account"], &format!("{arguments:?}: it is {found}"))
        };
        check(!named.exists(), "a passphrase has a key")?;
        alice.ask(&["passphrase", "--keychain"]).await?;
        forgets_password(&alice)?;
        is_me(&["whoami"]).await?;

        // Another key, while the profile is in use.
        let first = std::fs::read_to_string(&named)?;
        let runs = alice.run().await?;
        alice.ask(&["passphrase", "--keychain"]).await?;
        alice.ask(&["stop"]).await?;
        runs.ended().await?;
        let second = std::fs::read_to_string(&named)?;
        check(first != second, "it is the same key")?;
        is_me(&["whoami"]).await?;
        // The former key is gone.
        std::fs::write(&named, &first)?;
        check(alice.refused(&["whoami"]).await?.code == "keychain_key", "the former key is still there")?;

        // A change that was cut off, before the ring was rewritten and after it.
        for names in [format!("{second}\0{first}"), format!("{first}\0{second}"), format!("{second}\0")] {
            std::fs::write(&named, &names)?;
            is_me(&["whoami"]).await?;
            check(std::fs::read_to_string(&named)? == second, "what opened the profile is not named alone")?;
        }

        let new = room.join("new-passphrase");
        let new = new.to_string_lossy();
        std::fs::write(&*new, "battery staple horse correct\n")?;
        alice.ask(&["passphrase", "--new-passphrase-file", &new]).await?;
        check(!named.exists(), "a passphrase has a key")?;
        is_me(&["whoami", "--passphrase-file", &new]).await?;
        let other = room.join("other-passphrase");
        let other = other.to_string_lossy();
        std::fs::write(&*other, "something else\n")?;
        let refused = alice.refused(&["passphrase", "--keychain", "--passphrase-file", &other]).await?;
        check(refused.code == "wrong_passphrase", &format!("it was {refused:?}"))?;
        check(!named.exists(), "a change that was refused names a key")?;
        is_me(&["whoami", "--passphrase-file", &new]).await?;
        keychain.ends().await
    })
    .await;
}

#[tokio::test]
async fn without_a_keychain_nobody_is_signed_up_and_a_passphrase_still_does() {
    if cfg!(target_os = "macos") {
        eprintln!("skipped: macOS always has a keychain");
        return;
    }
    play(async |room| {
        let mut alice = person(room, "alice")?;
        without_keychain(&mut alice, room);
        let refused = alice.refused(&["register", "--local", "--keychain"]).await?;
        check((refused.exit, refused.code.as_str()) == (Some(1), "keychain"), &format!("it was {refused:?}"))?;
        check(refused.sentence.contains("--keychain"), &format!("it does not say what to do: {refused:?}"))?;
        check(!room.join("alice").exists(), "a profile was left behind")?;
        let me = alice.ask_one(&["register", "--local"]).await?;
        check(me["account"].is_string(), &format!("it is {me}"))?;
        let found: Value = alice.ask_one(&["whoami"]).await?;
        check(found["account"] == me["account"], &format!("it is {found}"))
    })
    .await;
}
