//! What the fuzzer was given and what it found is handled again: nothing panics, and what was valid is still taken.

#[path = "../../fuzz/seeds.rs"]
mod seeds;
#[path = "../../fuzz/targets.rs"]
mod targets;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use kith_core::types::Rng;
use rand_core::{RngCore, SeedableRng};
use targets::{TARGETS, Target};

/// Inputs of this name are taken by their target.
const VALID: &str = "valid-";

/// At so many places a seed is cut short, and altered.
const PLACES: usize = 64;

fn fuzz() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz")
}

fn inputs(target: &Target) -> Vec<(String, Vec<u8>)> {
    let dir = fuzz().join("corpus").join(target.name);
    let entries = fs::read_dir(&dir).unwrap_or_else(|error| panic!("{}: {error}", dir.display()));
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let read = |path: PathBuf| (path.file_name().unwrap().to_string_lossy().into_owned(), fs::read(&path).unwrap());
    paths.into_iter().map(read).collect()
}

#[test]
fn every_input_is_answered_and_valid_ones_are_taken() {
    for target in TARGETS {
        let inputs = inputs(target);
        assert!(inputs.iter().any(|(name, _)| name.starts_with(VALID)), "{} has no valid input", target.name);
        for (name, bytes) in inputs {
            let taken = targets::run(target.name, &bytes);
            assert!(taken || !name.starts_with(VALID), "{}: {name} is not taken any more", target.name);
        }
    }
}

#[test]
fn what_is_cut_short_or_altered_is_answered() {
    for target in TARGETS {
        for (_, bytes) in inputs(target).iter().filter(|(name, _)| name.starts_with(VALID)) {
            for place in (0..bytes.len()).step_by(bytes.len().div_ceil(PLACES).max(1)) {
                (target.run)(&bytes[..place]);
                let mut altered = bytes.clone();
                altered[place] ^= 1 << (place % 8);
                (target.run)(&altered);
            }
        }
    }
}

#[test]
fn every_target_has_a_program_and_every_corpus_a_target() {
    let names = |dir: &str| -> BTreeSet<String> {
        let entries = fs::read_dir(fuzz().join(dir)).unwrap();
        entries.map(|entry| entry.unwrap().path().file_stem().unwrap().to_string_lossy().into_owned()).collect()
    };
    let targets: BTreeSet<String> = TARGETS.iter().map(|target| target.name.to_owned()).collect();
    assert_eq!(names("fuzz_targets"), targets);
    assert_eq!(names("corpus"), targets);
}

/// Without the fuzzer's eyes, on any toolchain: seeds with some bytes overwritten, cut out, doubled or taken from another seed.
#[test]
#[ignore = "takes KITH_FUZZ_SECONDS (5 if unset) for every target"]
fn random_alterations_are_answered() {
    let seconds = std::env::var("KITH_FUZZ_SECONDS").ok().and_then(|text| text.parse().ok()).unwrap_or(5);
    let mut rng = Rng::seed_from_u64(std::process::id().into());
    for target in TARGETS {
        let seeds: Vec<Vec<u8>> = inputs(target).into_iter().map(|(_, bytes)| bytes).collect();
        let (begun, mut count) = (Instant::now(), 0_u64);
        while begun.elapsed() < Duration::from_secs(seconds) {
            let bytes = altered(&seeds, &mut rng);
            if let Err(panic) = std::panic::catch_unwind(|| (target.run)(&bytes)) {
                fs::write(fuzz().join("corpus").join(target.name).join(format!("crash-{count}")), &bytes).unwrap();
                std::panic::resume_unwind(panic);
            }
            count += 1;
        }
        println!("{}: {count} inputs", target.name);
    }
}

fn altered(seeds: &[Vec<u8>], rng: &mut Rng) -> Vec<u8> {
    let mut below = |limit: usize| rng.next_u32() as usize % limit.max(1);
    let mut bytes = seeds[below(seeds.len())].clone();
    for _ in 0..=below(4) {
        let (at, length) = (below(bytes.len()), below(16));
        let end = (at + length).min(bytes.len());
        let other = &seeds[below(seeds.len())];
        let from = below(other.len());
        let piece = &other[from..(from + length).min(other.len())];
        match below(6) {
            0 if at < bytes.len() => bytes[at] ^= 1 << below(8),
            1 if at < bytes.len() => bytes[at] = [0, 1, 0x7f, 0x80, 0xff, 0x9b, 0xbb, 0x5b][below(8)],
            2 => drop(bytes.drain(at..end)),
            3 => bytes.extend_from_within(at..end),
            4 => drop(bytes.splice(at..end, piece.iter().copied())),
            _ => bytes.truncate(at + length),
        }
    }
    bytes
}

#[test]
#[ignore = "writes the corpora's valid inputs anew, for a new format"]
fn write_seeds() {
    for target in TARGETS {
        let dir = fuzz().join("corpus").join(target.name);
        fs::create_dir_all(&dir).unwrap();
        let of_target = seeds::all().into_iter().filter(|(name, _)| *name == target.name);
        for (number, (_, bytes)) in of_target.enumerate() {
            let name = if (target.run)(&bytes) { VALID } else { "refused-" };
            fs::write(dir.join(format!("{name}{number}")), &bytes).unwrap();
            fs::write(dir.join(format!("cut-{number}")), &bytes[..bytes.len() / 2]).unwrap();
        }
    }
}
