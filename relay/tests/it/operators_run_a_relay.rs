//! The operator's commands, against a relay that runs and one that does not.

use clap::Parser;
use kith_core::types::Rng;
use kith_core::wire::relay::{Request, Response};
use kith_relay::admin::{AdminError, Arguments, Task};
use kith_relay::data_dir::DataError;
use kith_relay::server::{Server, ServerError};
use rand_core::SeedableRng;

use crate::servers_answer_when_it_is_durable::{config, deposit, person};
use crate::world::envelope;

/// Runs a command on the relay of a directory.
async fn command(dir: &std::path::Path, line: &[&str]) -> Result<(String, bool), AdminError> {
    let data_dir = ("KITH_RELAY_DATA_DIR".to_string(), dir.display().to_string());
    let arguments = Arguments::try_parse_from(["kith-relay", "--json"].iter().chain(line)).unwrap();
    match arguments.execute([data_dir].into_iter()).await? {
        Task::Print(text, good) => Ok((text, good)),
        Task::Run(_) => panic!("it would run"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn accounts_are_looked_at_and_removed_while_it_runs_and_after() {
    let dir = tempfile::tempdir().unwrap();
    let mut rng = Rng::seed_from_u64(1);
    assert!(matches!(command(dir.path(), &["user", "list"]).await, Err(AdminError::NoRelay(_))));
    let server = Server::bind(config(dir.path())).await.unwrap();
    let bob = person(&server.handle(), &mut rng, "bob", 1).await;
    deposit(&server.handle(), &bob, envelope(&mut rng)).await;
    let (users, _) = command(dir.path(), &["user", "list"]).await.unwrap();
    assert!(users.contains("\"handle\":\"bob\"") && users.contains("\"waiting\":1"), "{users}");
    assert!(command(dir.path(), &["invite"]).await.unwrap().0.contains("\"code\""));
    assert!(matches!(command(dir.path(), &["user", "remove", "eve"]).await, Err(AdminError::Refused(_))));
    assert!(matches!(command(dir.path(), &["check"]).await, Err(AdminError::Store(_))));
    server.shutdown().await;

    assert!(command(dir.path(), &["check"]).await.unwrap().1);
    assert_eq!(command(dir.path(), &["user", "remove", "bob"]).await.unwrap().0, "{\"answer\":\"removed\"}");
    assert_eq!(command(dir.path(), &["user", "list"]).await.unwrap().0, "{\"answer\":\"users\",\"users\":[]}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_of_a_running_relay_becomes_the_same_relay_in_a_new_life() {
    let dir = tempfile::tempdir().unwrap();
    let mut rng = Rng::seed_from_u64(1);
    let server = Server::bind(config(dir.path())).await.unwrap();
    let relay_id = server.relay_id();
    let bob = person(&server.handle(), &mut rng, "bob", 1).await;
    let sent = envelope(&mut rng);
    deposit(&server.handle(), &bob, sent.clone()).await;
    let fetch = Request::Fetch { from: None };
    let Response::Waiting { cursor: before, .. } = server.handle().request(bob.caller(0), fetch.clone()).await else {
        panic!("nothing fetched")
    };
    let file = dir.path().join("copy.kith");
    let file_name = file.display().to_string();
    assert!(command(dir.path(), &["backup", &file_name]).await.unwrap().0.contains("copied"));
    assert!(command(dir.path(), &["backup", &file_name]).await.is_err(), "it overwrites nothing");
    let force = ["restore", &file_name, "--force"];
    assert!(command(dir.path(), &force).await.is_err(), "not under a running relay");
    server.shutdown().await;

    assert!(matches!(command(dir.path(), &["restore", &file_name]).await, Err(AdminError::Backup(_))));
    command(dir.path(), &force).await.unwrap();
    let elsewhere = tempfile::tempdir().unwrap();
    command(elsewhere.path(), &["restore", &file_name]).await.unwrap();
    for dir in [dir.path(), elsewhere.path()] {
        assert!(command(dir, &["check"]).await.unwrap().1);
        let server = Server::bind(config(dir)).await.unwrap();
        assert_eq!(server.relay_id(), relay_id);
        let Response::Waiting { cursor, envelopes, .. } = server.handle().request(bob.caller(0), fetch.clone()).await
        else {
            panic!("nothing fetched")
        };
        assert_eq!(envelopes[0].envelope, sent);
        assert_ne!(cursor.queue, before.queue);
        server.shutdown().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_in_a_backup_and_not_checked_is_said() {
    let dir = tempfile::tempdir().unwrap();
    Server::bind(config(dir.path())).await.unwrap().shutdown().await;
    let say = async |place: &str, line: &[&str]| {
        let variables = [("KITH_RELAY_DATA_DIR", dir.path().to_str().unwrap()), ("KITH_RELAY_BLOBS_PLACE", place)];
        let arguments = Arguments::try_parse_from(["kith-relay"].iter().chain(line)).unwrap();
        let Task::Print(text, true) = arguments.execute(variables.into_iter()).await.unwrap() else {
            panic!("not well")
        };
        text
    };
    let beside = dir.path().join("blobs").display().to_string();
    for (number, place, said) in [(1, "", beside.as_str()), (2, "s3://bucket/kith", "s3://bucket/kith")] {
        let copy = dir.path().join(format!("copy-{number}")).display().to_string();
        let backup = say(place, &["backup", &copy]).await;
        assert!(backup.ends_with(&format!("\nAttachments are not in it: they stay in {said}.")), "{backup}");
        let check = say(place, &["check"]).await;
        assert!(check.ends_with(&format!("\nThe attachments in {said} were not read.")), "{check}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_backup_is_refused_and_changes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    Server::bind(config(dir.path())).await.unwrap().shutdown().await;
    let file = dir.path().join("copy.kith");
    let file_name = file.display().to_string();
    command(dir.path(), &["backup", &file_name]).await.unwrap();
    let good = std::fs::read(&file).unwrap();
    let elsewhere = tempfile::tempdir().unwrap();
    let mut flipped = good.clone();
    flipped[good.len() / 2] ^= 1;
    for bad in [&good[..good.len() - 1], &good[..10], &[], flipped.as_slice()] {
        std::fs::write(&file, bad).unwrap();
        assert!(command(elsewhere.path(), &["restore", &file_name]).await.is_err());
        assert_eq!(std::fs::read_dir(elsewhere.path()).unwrap().count(), 0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_relays_do_not_share_a_directory_and_lost_keys_are_not_replaced() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::bind(config(dir.path())).await.unwrap();
    assert!(matches!(Server::bind(config(dir.path())).await, Err(ServerError::Data(DataError::Store(_)))));
    server.shutdown().await;
    std::fs::remove_file(dir.path().join(kith_relay::keys::FILE)).unwrap();
    assert!(matches!(Server::bind(config(dir.path())).await, Err(ServerError::Data(DataError::Keys(_)))));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_relay_whose_store_has_gone_refuses_to_start_until_a_backup_is_restored() {
    let dir = tempfile::tempdir().unwrap();
    let mut rng = Rng::seed_from_u64(1);
    let server = Server::bind(config(dir.path())).await.unwrap();
    person(&server.handle(), &mut rng, "bob", 1).await;
    let file = dir.path().join("copy.kith").display().to_string();
    command(dir.path(), &["backup", &file]).await.unwrap();
    server.shutdown().await;

    std::fs::remove_dir_all(dir.path().join("store")).unwrap();
    assert!(matches!(Server::bind(config(dir.path())).await, Err(ServerError::Data(DataError::Gone { .. }))));
    assert!(matches!(command(dir.path(), &["user", "list"]).await, Err(AdminError::Data(DataError::Gone { .. }))));
    command(dir.path(), &["restore", &file, "--force"]).await.unwrap();
    assert!(command(dir.path(), &["user", "list"]).await.unwrap().0.contains("\"handle\":\"bob\""));
    Server::bind(config(dir.path())).await.unwrap().shutdown().await;
}
