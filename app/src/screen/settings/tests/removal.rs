//! The account's devices, and how one is removed at a relay.

use kith_core::client::{Registration, Request};

use super::*;
use crate::relay::EmbeddedRelay;

#[tokio::test(flavor = "multi_thread")]
async fn devices_tell_which_is_this_one_and_how_the_others_are_reached() {
    let mut person = Person::at(Section::Devices).await;
    person.hears(Message::Devices(devices::Message::Came(Ok(devices::tests::known()))));
    for words in [
        "Anna’s laptop",
        "aaaabbbbcccc",
        "this one",
        "desk",
        "Linux · Added: today · on the same network",
        "ffff22223333",
        "Added: today · not connected",
    ] {
        assert!(person.sees(words), "{words}");
    }
    person.ends().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_device_is_taken_out_of_the_account_by_its_password() {
    let own = tempfile::tempdir().unwrap();
    let relay = EmbeddedRelay::of(own.path());
    let address = relay.start().await.unwrap();
    let secret = |words: &str| Zeroizing::new(words.to_owned());
    let registration = || Registration {
        relay: address.clone(),
        handle: "alice".into(),
        password: secret("correct horse battery"),
        invitation: None,
    };
    let keeping = || Keeping::Passphrase(secret("another secret"));
    let (folder, setup) = home(Options::default());
    let backend = backend::register(setup.clone(), keeping(), registration()).await.unwrap().backend.unwrap();
    let (_lost, second) = home(Options::default());
    let lost = backend::log_in(second, keeping(), registration()).await.unwrap();
    let gone = lost.clone().me().await.unwrap().device;

    let mut person = Person::of(folder, setup, backend, Section::Account);
    lost.clone().command(Request::NameDevice { name: "Old phone".into() }).await.unwrap();
    let heard = async {
        while !person.backend.clone().devices().await.unwrap().iter().any(|it| it.called() == Some("Old phone")) {
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(60), heard).await.expect("the second device is heard of");
    lost.close().await;
    person.clicks("Devices");
    person.waits().await;
    assert!(person.sees("Old phone") && person.sees(&gone[..12]));
    person.clicks("Rename…");
    person.hears(Message::Devices(devices::Message::Naming(devices::naming::Message::Changed("Desk".into()))));
    person.clicks("Save");
    person.waits().await;
    assert!(person.sees("Desk") && person.sees("Rename…"));
    person.clicks("Remove…");
    person.clicks("Remove the device");
    assert!(person.sees("Fill this in."));
    person.types(devices::PASSWORD, "something else entirely");
    person.clicks("Remove the device");
    assert!(person.sees("The device is being removed: this takes a few seconds."));
    person.waits().await;
    assert!(person.sees("Name or password is wrong."));
    person.hears(Message::Devices(devices::Message::PasswordChanged(secret("correct horse battery"))));
    person.clicks("Remove the device");
    person.waits().await;
    assert!(!person.sees(&gone[..12]) && !person.sees("Remove…") && person.sees("this one"));
    assert!(person.sees(
        "The device Old phone is removed. Whoever has it still has what it had: change the password if they may know it."
    ));
    assert_eq!(person.backend.clone().me().await.unwrap().devices, 1);
    person.ends().await;
    relay.stop().await;
}
