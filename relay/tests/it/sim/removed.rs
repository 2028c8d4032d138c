//! What a device wrote while it was of its account stays, however it is removed.

use kith_core::chat::Command;
use kith_core::chat::policy::Kind;

use super::scenarios::{another_device, calm, contacts_of, one_of, people_at, settled};

#[test]
fn what_a_removed_device_wrote_stays_where_the_commit_that_removes_it_was_made_in_vain_once() {
    let (mut world, conversation) = contacts_of(calm());
    let second = another_device(&mut world, 1);
    let text = world.say(1, conversation);
    world.run_for(60_000);
    // Whoever made a commit in vain hears what was there first when it is time to make its own anew.
    world.plan.latency_ms = (3_000, 3_000);
    world.command(0, Command::UpdateKeys { conversation }, |_, outcome| assert!(outcome.is_ok()));
    world.run_for(1_000);
    world.remove_device(1);
    let world = settled(world);
    assert!([0, second].iter().all(|device| world.shows(*device, &text)), "{}", world.trace.text());
}

#[test]
fn what_a_removed_device_wrote_stays_where_the_others_have_lost_their_keys_and_begin_anew() {
    let mut world = people_at(&[Some(0), Some(0)]);
    let (second, third) = (another_device(&mut world, 0), another_device(&mut world, 0));
    let own = one_of(&world, 0, Kind::Own);
    let text = world.say(third, own);
    world.run_for(60_000);
    world.stop(third);
    for device in [0, second] {
        world.keep_copy(device);
    }
    for device in [0, second] {
        world.restore_device(device);
    }
    world.remove_device(third);
    world.run_for(60 * 60_000);
    let world = settled(world);
    assert!([0, second].iter().all(|device| world.shows(*device, &text)), "{}", world.trace.text());
}
