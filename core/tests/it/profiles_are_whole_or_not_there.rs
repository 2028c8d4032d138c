//! A profile whose creation is cut off at any step is not there, and one that is there can be opened, its vault included.

use std::path::Path;
use std::process::Command;

use kith_core::client::{Client, ClientError, Options, Profile, Reply, Request, Unlock};
use kith_core::identity::vault::{self, Passphrase, Vault};
use kith_core::identity::{RecoveryCode, RootKey};

pub(crate) const PASSPHRASE: &str = "correct horse battery staple";

const DIR: &str = "KITH_TEST_CUT_OFF_DIR";

pub(crate) fn unlock() -> Unlock {
    Unlock::Key([7; 32].into())
}

pub(crate) fn options() -> Options {
    Options { listen: vec!["/ip4/127.0.0.1/tcp/0".into()], mdns: false, ..Options::default() }
}

pub(crate) fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
}

/// Makes a profile; its recovery code.
pub(crate) async fn create(dir: &Path) -> Result<String, ClientError> {
    let registered = Client::register_local(dir, unlock(), PASSPHRASE.to_owned().into(), options()).await?;
    registered.client?.shutdown().await;
    Ok(registered.recovery_code.to_string())
}

/// Opens a profile; the account in it, after checking that the vault beside it is that account's.
pub(crate) async fn whole(dir: &Path) -> Result<String, ClientError> {
    let client = Client::open(dir, unlock(), options()).await?;
    let Reply::Me(me) = client.execute(Request::Whoami).await? else { panic!("nobody") };
    client.shutdown().await;
    let vault = Vault::decode(&std::fs::read(dir.join("store/vault.kith")).unwrap()).unwrap();
    let opened = vault.open(vault::Unlock::Passphrase(Passphrase(PASSPHRASE))).unwrap();
    assert_eq!(RootKey::account_id(opened.root()).to_string(), me.account);
    Ok(me.account)
}

#[test]
fn child_creates_a_profile_and_is_cut_off() {
    let Some(dir) = std::env::var_os(DIR) else { return };
    runtime().block_on(create(Path::new(&dir))).unwrap();
    println!("it went on");
}

#[test]
fn a_creation_that_is_cut_off_at_any_step_leaves_a_whole_profile_or_none() {
    let room = tempfile::tempdir().unwrap();
    for (step, there) in
        [("begun", false), ("vault", false), ("store", false), ("account", false), ("enrolled", false), ("moved", true)]
    {
        let dir = room.path().join(step);
        let output = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "profiles_are_whole_or_not_there::child_creates_a_profile_and_is_cut_off", "--nocapture"])
            .env(DIR, &dir)
            .env("KITH_TEST_CRASH_AT", step)
            .output()
            .unwrap();
        assert!(!output.status.success() && !String::from_utf8_lossy(&output.stdout).contains("it went on"), "{step}");
        assert_eq!(Profile::exists(&dir), there, "{step}");
        runtime().block_on(async {
            if !there {
                let error = whole(&dir).await.unwrap_err();
                assert!(matches!(error, ClientError::Unfinished(_)), "{step}: {error}");
                assert!(error.to_string().contains("cut off"), "{error}");
                create(&dir).await.unwrap();
            }
            whole(&dir).await.unwrap();
        });
        let names = std::fs::read_dir(&dir).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
        assert!(names.collect::<Vec<_>>().iter().all(|name| !name.contains("creating")), "{step}");
        assert!(!dir.join("store/building").exists(), "{step}");
    }
}

#[test]
fn the_recovery_code_of_an_account_without_a_relay_opens_its_vault() {
    let room = tempfile::tempdir().unwrap();
    let code = runtime().block_on(create(room.path())).unwrap();
    let vault = Vault::decode(&std::fs::read(room.path().join("store/vault.kith")).unwrap()).unwrap();
    let code = RecoveryCode::parse(&code).unwrap();
    assert!(vault.open(vault::Unlock::Recovery(&code)).is_ok());
}

#[test]
fn what_cannot_be_made_leaves_nothing_behind() {
    let room = tempfile::tempdir().unwrap();
    let dir = room.path().join("weak");
    runtime().block_on(async {
        let weak = Client::register_local(&dir, unlock(), "password".to_owned().into(), options()).await.unwrap_err();
        assert_eq!(weak.code(), "weak_password");
        let nowhere = Options { listen: vec!["nowhere".into()], ..options() };
        let passphrase = PASSPHRASE.to_owned().into();
        let wrong = Client::register_local(&dir, unlock(), passphrase, nowhere).await.unwrap_err();
        assert_eq!(wrong.code(), "address");
    });
    assert!(!dir.exists());
}

#[cfg(target_os = "linux")]
#[test]
fn a_profile_that_the_disk_has_no_room_for_leaves_nothing_behind() {
    use crate::small_disk::{Filler, or_run_again};
    let name = "profiles_are_whole_or_not_there::a_profile_that_the_disk_has_no_room_for_leaves_nothing_behind";
    let Some(disk) = or_run_again(name, 16) else { return };
    let dir = disk.join("profile");
    let filler = Filler::fill(&disk);
    let error = runtime().block_on(create(&dir)).unwrap_err();
    assert_eq!(error.code(), "disk_full", "{error}");
    drop(filler);
    assert!(!dir.exists());
    runtime().block_on(async {
        create(&dir).await.unwrap();
        whole(&dir).await.unwrap();
    });
}
