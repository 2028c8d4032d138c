//! Whole clients at a relay: who has forgotten the password gets the account back by its recovery code, who has not changes it, and
//! wherever that is cut off the old password counts or the new one.

use std::path::Path;
use std::process::Command;

use kith_core::client::{Client, ClientError, Profile, Proof, Registered, Registration, Reply, Request};
use kith_core::wire::control::Me;
use kith_relay::domain::Rate;

use crate::people_at_one_relay::{PASSWORD, options, registration, relay, relay_with, unlock};

/// The password after the one that was forgotten.
const NEXT: &str = "another horse, another battery";

fn with(password: &str, relay: &str) -> Registration {
    Registration { password: password.to_owned().into(), ..registration("alice", relay) }
}

/// Signs Alice up; her recovery code.
async fn sign_up(dir: &Path, relay: &str) -> (Client, String) {
    let registered = Client::register(dir, unlock(), with(PASSWORD, relay), options()).await.unwrap();
    (registered.client.unwrap(), registered.recovery_code.to_string())
}

async fn recover(dir: &Path, registration: Registration, code: &str) -> Result<Registered, ClientError> {
    Client::recover(dir, unlock(), registration, code.to_owned().into(), options()).await
}

/// Whether a password logs in: on a device of its own, in `room`.
async fn logs_in(room: &Path, password: &str, relay: &str) -> bool {
    let dir = tempfile::tempdir_in(room).unwrap();
    match Client::log_in(&dir.path().join("device"), unlock(), with(password, relay), options()).await {
        Ok(client) => {
            client.shutdown().await;
            true
        }
        Err(error) => {
            assert_eq!(error.code(), "wrong_password", "{error}");
            false
        }
    }
}

async fn change(registration: Registration, proof: Proof, new_code: bool) -> Result<Option<String>, ClientError> {
    let code = Client::change_password(registration, proof, new_code).await?;
    Ok(code.map(|code| code.to_string()))
}

fn by_password(password: &str) -> Proof {
    Proof::Password(password.to_owned().into())
}

fn by_code(code: &str) -> Proof {
    Proof::RecoveryCode(code.to_owned().into())
}

async fn me(client: &Client) -> Me {
    let Ok(Reply::Me(me)) = client.execute(Request::Whoami).await else { panic!("nobody") };
    me
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_has_the_recovery_code_gets_the_account_back_on_a_new_device_with_a_new_password() {
    let room = tempfile::tempdir().unwrap();
    let (server, address) = relay(&room.path().join("relay")).await;
    let (first, code) = sign_up(&room.path().join("first"), &address).await;
    let dir = room.path().join("second");
    let wrong = "0000-0000-0000-0000-0000-0000-0000";
    let of_nobody = Registration { handle: "nobody".into(), ..with(NEXT, &address) };
    let other_code =
        kith_core::identity::RecoveryCode::generate(&mut rand_core::SeedableRng::seed_from_u64(1)).to_text();
    for (registration, code, because) in [
        (with(NEXT, &address), other_code.as_str(), "wrong_recovery_code"),
        (of_nobody, &code, "wrong_recovery_code"),
        (with(NEXT, &address), wrong, "recovery_code"),
        (with("short", &address), &code, "weak_password"),
    ] {
        let error = recover(&dir, registration, code).await.unwrap_err();
        assert_eq!(error.code(), because, "{error}");
        assert!(!dir.exists(), "{because} leaves nothing behind");
    }
    assert!(logs_in(room.path(), PASSWORD, &address).await, "nothing has changed so far");

    let typed = code.to_lowercase().replace('-', " ");
    let recovered = recover(&dir, with(NEXT, &address), &typed).await.unwrap();
    let second = recovered.client.unwrap();
    assert_eq!(me(&second).await.account, me(&first).await.account);
    assert_ne!(*recovered.recovery_code, code);
    assert!(!logs_in(room.path(), PASSWORD, &address).await);
    assert!(logs_in(room.path(), NEXT, &address).await);
    let spent = recover(&room.path().join("third"), with("yet another password", &address), &code).await.unwrap_err();
    assert_eq!(spent.code(), "wrong_recovery_code", "{spent}");
    let Ok(Reply::Link { .. }) = first.execute(Request::Invite).await else { panic!("no link") };
    let Ok(Reply::Status(status)) = first.execute(Request::Status).await else { panic!("no status") };
    assert_eq!(status.relay_connected, Some(true), "a device that was signed in stays so");
    for client in [first, second] {
        client.shutdown().await;
    }
    // It was durable before it was answered.
    server.shutdown().await;
    let (server, again) = relay(&room.path().join("relay")).await;
    assert!(logs_in(room.path(), NEXT, &again).await && !logs_in(room.path(), PASSWORD, &again).await);
    server.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_password_is_changed_by_the_old_one_or_the_code_and_the_code_on_request() {
    let room = tempfile::tempdir().unwrap();
    let (server, address) = relay(&room.path().join("relay")).await;
    let (client, first_code) = sign_up(&room.path().join("alice"), &address).await;
    client.shutdown().await;

    let error = change(with(NEXT, &address), by_password("not the password at all"), false).await.unwrap_err();
    assert_eq!(error.code(), "wrong_password", "{error}");
    let error = change(with("alice alice", &address), by_password(PASSWORD), false).await.unwrap_err();
    assert_eq!(error.code(), "weak_password", "{error}");
    assert_eq!(change(with(NEXT, &address), by_password(PASSWORD), false).await.unwrap(), None);
    assert!(logs_in(room.path(), NEXT, &address).await && !logs_in(room.path(), PASSWORD, &address).await);

    // The code was left as it was, and is spent when it is used.
    let second_code = change(with(PASSWORD, &address), by_code(&first_code), false).await.unwrap().unwrap();
    let error = change(with(NEXT, &address), by_code(&first_code), false).await.unwrap_err();
    assert_eq!(error.code(), "wrong_recovery_code", "{error}");
    // A new one can be had by the password alone, which may stay the same.
    let third_code = change(with(PASSWORD, &address), by_password(PASSWORD), true).await.unwrap().unwrap();
    for code in [first_code, second_code] {
        let error = recover(&room.path().join("spent"), with(NEXT, &address), &code).await.unwrap_err();
        assert_eq!(error.code(), "wrong_recovery_code", "{error}");
    }
    let recovered = recover(&room.path().join("last"), with(NEXT, &address), &third_code).await.unwrap();
    recovered.client.unwrap().shutdown().await;
    server.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn codes_are_not_guessed_at_for_long() {
    let room = tempfile::tempdir().unwrap();
    let few = |config: &mut kith_relay::config::Config| {
        config.settings.limits.login_handle_rate = Rate { burst: 2, per_minute: 1 };
    };
    let (server, address) = relay_with(&room.path().join("relay"), few).await;
    let (client, code) = sign_up(&room.path().join("alice"), &address).await;
    client.shutdown().await;
    let mut rng = rand_core::SeedableRng::seed_from_u64(1);
    for because in ["wrong_recovery_code", "wrong_recovery_code", "too_many"] {
        let guessed = kith_core::identity::RecoveryCode::generate(&mut rng).to_text();
        let error = change(with(NEXT, &address), by_code(&guessed), false).await.unwrap_err();
        assert_eq!(error.code(), because, "{error}");
    }
    let error = change(with(NEXT, &address), by_code(&code), false).await.unwrap_err();
    assert_eq!(error.code(), "too_many", "{error}");
    assert!(logs_in(room.path(), PASSWORD, &address).await, "who knows the password is not kept out by it");
    server.shutdown().await;
}

/// The relay, the directory and the code of a child that recovers an account and is killed.
const CUT_OFF: &str = "KITH_TEST_RECOVERY_CUT_OFF";

#[test]
fn child_recovers_an_account_and_is_cut_off() {
    let Ok(told) = std::env::var(CUT_OFF) else { return };
    let told: Vec<&str> = told.lines().collect();
    let [address, dir, code] = told.as_slice() else { panic!("{told:?}") };
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let recovered = runtime.block_on(recover(Path::new(dir), with(NEXT, address), code));
    panic!("it went on: {recovered:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_recovery_that_is_cut_off_at_any_step_leaves_the_old_password_or_the_new_one() {
    let room = tempfile::tempdir().unwrap();
    let (server, address) = relay(&room.path().join("relay")).await;
    let (client, code) = sign_up(&room.path().join("alice"), &address).await;
    client.shutdown().await;
    let dir = room.path().join("new");
    for (step, done) in [("begun", false), ("store", false), ("account", false), ("enrolled", true)] {
        let told = format!("{address}\n{}\n{code}", dir.display());
        let child = tokio::task::spawn_blocking(move || {
            let name = "forgotten_passwords_are_replaced::child_recovers_an_account_and_is_cut_off";
            let own = std::env::current_exe().unwrap();
            Command::new(own).args(["--exact", name]).env(CUT_OFF, told).env("KITH_TEST_CRASH_AT", step).output()
        });
        let output = child.await.unwrap().unwrap();
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(!output.status.success() && !said.contains("it went on"), "{step}: {said}");
        assert!(!Profile::exists(&dir), "{step}");
        assert_eq!(logs_in(room.path(), PASSWORD, &address).await, !done, "{step}");
        assert_eq!(logs_in(room.path(), NEXT, &address).await, done, "{step}");
    }
    // The code of the last one was never shown: whoever has the password makes another.
    let spent = recover(&dir, with(NEXT, &address), &code).await.unwrap_err();
    assert_eq!(spent.code(), "wrong_recovery_code", "{spent}");
    let code = change(with(NEXT, &address), by_password(NEXT), true).await.unwrap().unwrap();
    let recovered = recover(&dir, with(PASSWORD, &address), &code).await.unwrap();
    let client = recovered.client.unwrap();
    assert!(me(&client).await.handle.is_some_and(|handle| handle.starts_with("alice@")));
    client.shutdown().await;
    assert!(logs_in(room.path(), PASSWORD, &address).await);
    server.shutdown().await;
}
