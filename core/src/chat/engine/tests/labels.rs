//! What devices of an account are called, they know of each other, and nobody else does.

use super::*;
use crate::chat::label::label;

fn called(world: &World, at: DeviceId, device: DeviceId) -> [Option<String>; 3] {
    let label = label(&world.devices[&at].store, &device).unwrap();
    [label.name(), label.machine(), label.system()].map(|said| said.map(str::to_owned))
}

fn says(name: Option<&str>, machine: Option<&str>, system: Option<&str>) -> Command {
    let [name, machine, system] = [name, machine, system].map(|said| said.map(str::to_owned));
    Command::LabelDevice { name, machine, system }
}

fn words(said: [Option<&str>; 3]) -> [Option<String>; 3] {
    said.map(|said| said.map(str::to_owned))
}

#[test]
fn devices_of_an_account_know_what_each_other_is_called_and_nobody_else_does() {
    let mut world = World::new(41);
    let (mut alice, bob, id) = world.friends();
    let one = alice.device(0);
    world.command(one, says(None, Some("laptop"), Some("Linux"))).unwrap();
    world.command(one, says(Some("Alice's laptop"), None, None)).unwrap();
    world.add_device(&mut alice);
    let other = alice.device(1);
    // It says so at once, and is added to the account's conversation with itself later.
    world.command(other, says(None, Some("desk"), Some("Windows"))).unwrap();
    world.pass(400_000);
    for at in [one, other] {
        let told = [called(&world, at, one), called(&world, at, other)];
        assert_eq!(told[0], words([Some("Alice's laptop"), Some("laptop"), Some("Linux")]), "{at:?}");
        assert_eq!(told[1], words([None, Some("desk"), Some("Windows")]), "{at:?}");
    }
    // The same once more says nothing.
    world.sent.clear();
    world.command(other, says(None, Some("desk"), Some("Windows"))).unwrap();
    world.command(one, says(Some("Alice's laptop"), None, None)).unwrap();
    world.pass(5_000);
    assert!(world.sent.is_empty(), "{:?}", world.sent.len());
    world.command(one, says(Some(""), None, None)).unwrap();
    world.pass(5_000);
    assert_eq!(called(&world, other, one), words([None, Some("laptop"), Some("Linux")]));
    for device in [one, other] {
        assert_eq!(called(&world, bob.device(0), device), words([None; 3]));
    }
    assert_eq!(world.texts(one, id), ["hello"]);
}

#[test]
fn a_name_that_is_too_long_is_refused_with_a_sentence() {
    let mut world = World::new(42);
    let alice = world.person().device(0);
    let long = "ж".repeat(65);
    for command in [says(Some(&long), None, None), says(None, Some(&long), None), says(None, None, Some(&long))] {
        let refused = world.command(alice, command);
        assert!(matches!(&refused, Err(CommandError::Malformed(why)) if why.contains("64")), "{refused:?}");
    }
    assert_eq!(called(&world, alice, alice), words([None; 3]));
    world.command(alice, says(Some(&"ж".repeat(64)), None, None)).unwrap();
}
