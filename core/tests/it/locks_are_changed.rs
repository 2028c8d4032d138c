//! What opens a profile is changed: cut off at any step, the profile opens, by the old or the new, and by the new once that was said.

use std::path::Path;
use std::process::Command;

use kith_core::client::{Client, ClientError, Reply, Request, Unlock};
use kith_core::identity::vault::{self, Passphrase, Vault, VaultError};
use kith_core::wire::control::Lock;

use crate::profiles_are_whole_or_not_there::{PASSPHRASE, options, runtime};

const DIR: &str = "KITH_TEST_LOCK_DIR";

const NEW: &str = "battery staple horse correct";

fn typed(passphrase: &str) -> Lock {
    Lock::Passphrase(passphrase.to_owned().into())
}

fn unlock(lock: &Lock) -> Unlock {
    match lock.clone() {
        Lock::Passphrase(passphrase) => Unlock::Passphrase(passphrase),
        Lock::Key(key) => Unlock::Key(key),
    }
}

async fn create(dir: &Path) {
    let unlock = unlock(&typed(PASSPHRASE));
    let registered = Client::register_local(dir, unlock, PASSPHRASE.to_owned().into(), options()).await.unwrap();
    registered.client.unwrap().shutdown().await;
}

async fn change(client: &Client, from: Lock, to: Lock) -> Result<(), ClientError> {
    let reply = client.execute(Request::ChangeLock { from, to }).await?;
    assert_eq!(reply, Reply::Done);
    Ok(())
}

/// Whether it opens a profile, which then works.
async fn opens(dir: &Path, lock: &Lock) -> bool {
    match Client::open(dir, unlock(lock), options()).await {
        Ok(client) => {
            assert!(matches!(client.execute(Request::Whoami).await, Ok(Reply::Me(_))));
            client.shutdown().await;
            true
        }
        Err(error) => {
            assert_eq!(error.code(), "wrong_passphrase", "{error}");
            false
        }
    }
}

fn vault_opens(dir: &Path, passphrase: &str) -> bool {
    let vault = Vault::decode(&std::fs::read(dir.join("store/vault.kith")).unwrap()).unwrap();
    match vault.open(vault::Unlock::Passphrase(Passphrase(passphrase))) {
        Ok(_) => true,
        Err(VaultError::WrongSecret) => false,
        Err(error) => panic!("{error}"),
    }
}

#[test]
fn child_changes_a_lock_and_is_cut_off() {
    let Some(dir) = std::env::var_os(DIR) else { return };
    runtime().block_on(async {
        let client = Client::open(Path::new(&dir), unlock(&typed(PASSPHRASE)), options()).await.unwrap();
        change(&client, typed(PASSPHRASE), typed(NEW)).await.unwrap();
        println!("it was said");
        client.shutdown().await;
    });
}

#[test]
fn a_change_that_is_cut_off_at_any_step_leaves_a_profile_that_one_of_the_two_opens() {
    let room = tempfile::tempdir().unwrap();
    for (step, changed) in [("vault changed", false), ("ring changed", true), ("none", true)] {
        let dir = room.path().join(step);
        let output = runtime().block_on(async {
            create(&dir).await;
            Command::new(std::env::current_exe().unwrap())
                .args(["--exact", "locks_are_changed::child_changes_a_lock_and_is_cut_off", "--nocapture"])
                .env(DIR, &dir)
                .env("KITH_TEST_CRASH_AT", step)
                .output()
                .unwrap()
        });
        let said = String::from_utf8_lossy(&output.stdout).contains("it was said");
        assert_eq!((output.status.success(), said), (step == "none", step == "none"), "{step}");
        runtime().block_on(async {
            assert_eq!(opens(&dir, &typed(NEW)).await, changed, "{step}");
            assert_eq!(opens(&dir, &typed(PASSPHRASE)).await, !changed, "{step}");
            // Whatever came of it, it can be done again.
            let now = if changed { NEW } else { PASSPHRASE };
            let client = Client::open(&dir, unlock(&typed(now)), options()).await.unwrap();
            change(&client, typed(now), typed(NEW)).await.unwrap();
            client.shutdown().await;
            assert!(opens(&dir, &typed(NEW)).await, "{step}");
        });
        assert!(vault_opens(&dir, NEW) && !vault_opens(&dir, PASSPHRASE), "{step}");
    }
}

#[test]
fn a_lock_is_changed_by_whoever_knows_it_and_to_any_other() {
    let room = tempfile::tempdir().unwrap();
    let dir = room.path().join("profile");
    let (key, other) = (Lock::Key([3; 32].into()), Lock::Key([4; 32].into()));
    runtime().block_on(async {
        create(&dir).await;
        let client = Client::open(&dir, unlock(&typed(PASSPHRASE)), options()).await.unwrap();
        for wrong in [typed("something else"), typed(""), key.clone()] {
            let error = change(&client, wrong, typed(NEW)).await.unwrap_err();
            assert_eq!(error.code(), "wrong_passphrase");
        }
        assert_eq!(change(&client, typed(PASSPHRASE), typed("")).await.unwrap_err().code(), "command");
        let weak = change(&client, typed(PASSPHRASE), typed("password")).await.unwrap_err();
        assert_eq!(weak.code(), "weak_password", "it guards the account too");
        change(&client, typed(PASSPHRASE), key.clone()).await.unwrap();
        assert_eq!(change(&client, typed(PASSPHRASE), other.clone()).await.unwrap_err().code(), "wrong_passphrase");
        change(&client, key.clone(), other.clone()).await.unwrap();
        client.shutdown().await;
        assert!(opens(&dir, &other).await && !opens(&dir, &key).await && !opens(&dir, &typed(PASSPHRASE)).await);
        // A keychain's key opens no vault: the account's passphrase stays what it was.
        assert!(vault_opens(&dir, PASSPHRASE));
        let client = Client::open(&dir, unlock(&other), options()).await.unwrap();
        change(&client, other, typed(NEW)).await.unwrap();
        client.shutdown().await;
        assert!(opens(&dir, &typed(NEW)).await && vault_opens(&dir, PASSPHRASE));
    });
}
