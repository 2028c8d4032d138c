//! A profile in the making: key ring, vault, store and marker, and the names under which they come to be.

use kith_core::client::{ClientError, Profile};

use super::*;
use crate::profiles_are_whole_or_not_there::{create, runtime, whole};

#[test]
fn child_creates_a_profile_and_is_recorded() {
    let Some(dir) = std::env::var_os(DIR) else { return };
    runtime().block_on(create(&Path::new(&dir).join("alice/profile"))).unwrap();
    acknowledge(0);
}

#[test]
fn a_power_cut_while_a_profile_is_made_leaves_a_whole_one_or_none() {
    let cuts = if std::env::var_os("KITH_SOAK").is_some() { 400 } else { 24 };
    let (_work, work, mut rng) = begin();
    let base = work.join("base");
    fs::create_dir(&base).unwrap();
    let mut disk = Disk::load(&base);
    let child = "creation::child_creates_a_profile_and_is_recorded";
    let records = recorded(child, &base, &shim(&work), &work.join("log"));
    let renamed = |record: &Record| record.kind == b'R' && record.bytes.ends_with(b"/profile/store");
    let moved = records.iter().position(renamed).expect("it is moved into its place");
    // Half of them about the instant at which there is a profile.
    let place = |number: u64, rng: &mut ChaCha20Rng| match number % 2 {
        0 => rng.next_u64() as usize % (records.len() + 1),
        _ => (moved + rng.next_u64() as usize % 8).saturating_sub(3).min(records.len()),
    };
    let places = (0..cuts).map(|number| place(number, &mut rng)).collect();
    let (mut there, mut not_there) = (0, 0);
    let told = cut_before(places, &records, &mut disk, &work.join("cut"), &mut rng, |cut, told, what| {
        let profile = cut.join("alice/profile");
        if Profile::exists(&profile) {
            there += 1;
        } else {
            assert!(told.is_empty(), "{what}: it is gone");
            not_there += 1;
            let error = runtime().block_on(whole(&profile)).unwrap_err();
            let named = matches!(error, ClientError::Unfinished(_) | ClientError::NoProfile(_));
            assert!(named, "{what}: {error}");
            runtime().block_on(create(&profile)).unwrap_or_else(|error| panic!("{what}: {error}"));
        }
        runtime().block_on(whole(&profile)).unwrap_or_else(|error| panic!("{what}: {error}"));
    });
    println!("{} records, {there} cuts left a profile and {not_there} none", records.len());
    assert!(!told.is_empty() && there > 0 && not_there > 0);
}
