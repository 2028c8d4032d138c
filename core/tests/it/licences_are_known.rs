//! What is linked has a licence that we know: a permissive one, or one that `THIRD-PARTY.md` names the crate with.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Licences that ask for no more than their notice.
const PERMISSIVE: &[&str] = &[
    "0BSD",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-1-Clause",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "CC0-1.0",
    "CDLA-Permissive-2.0",
    "ISC",
    "MIT",
    "MIT-0",
    "Unicode-3.0",
    "Unlicense",
    "Zlib",
];

/// The licence of which `THIRD-PARTY.md` names each crate, with its version and where its source is.
const NAMED: &str = "MPL-2.0";

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// What cargo links into the programs on this system: name, version, licence.
fn linked() -> BTreeSet<(String, String, String)> {
    let mut command = Command::new(env!("CARGO"));
    command.args(["tree", "--workspace", "--locked", "--offline", "--edges", "normal", "--prefix", "none"]);
    let output = command.args(["--format", "{p}|{l}"]).current_dir(root()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    let crates = text.lines().filter(|line| !line.is_empty()).map(|line| {
        let (package, licence) = line.split_once('|').unwrap();
        let mut words = package.split_whitespace();
        let (name, version) = (words.next().unwrap(), words.next().unwrap().trim_start_matches('v'));
        let licence = licence.trim_end_matches(" (*)");
        (name.to_owned(), version.to_owned(), licence.to_owned())
    });
    crates.collect()
}

/// The crates that `THIRD-PARTY.md` names, with their versions.
fn named() -> BTreeSet<(String, String)> {
    let text = std::fs::read_to_string(root().join("THIRD-PARTY.md")).unwrap();
    let rows = text.lines().filter_map(|line| {
        let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
        match cells.as_slice() {
            [name, version, source, _] if *source == format!("https://crates.io/crates/{name}/{version}") => {
                Some(((*name).to_owned(), (*version).to_owned()))
            }
            _ => None,
        }
    });
    rows.collect()
}

/// Whether an expression of licences (SPDX 2.3 annex D, and the slash of old manifests for `OR`) can be met with these.
fn is_met(expression: &str, licences: &[&str]) -> bool {
    let spaced =
        expression.replace('/', " OR ").replace('(', " ( ").replace(')', " ) ").replace(" WITH ", "\u{a0}WITH\u{a0}");
    let words: Vec<String> =
        spaced.split(' ').filter(|word| !word.is_empty()).map(|word| word.replace('\u{a0}', " ")).collect();
    let mut rest = words.as_slice();
    let met = any(&mut rest, licences);
    assert!(rest.is_empty(), "{expression:?} ends with {rest:?}");
    met
}

fn any(rest: &mut &[String], licences: &[&str]) -> bool {
    let mut met = all(rest, licences);
    while take(rest, "OR") {
        met |= all(rest, licences);
    }
    met
}

fn all(rest: &mut &[String], licences: &[&str]) -> bool {
    let mut met = one(rest, licences);
    while take(rest, "AND") {
        met &= one(rest, licences);
    }
    met
}

fn one(rest: &mut &[String], licences: &[&str]) -> bool {
    if take(rest, "(") {
        let met = any(rest, licences);
        assert!(take(rest, ")"), "a parenthesis is not closed");
        return met;
    }
    let (word, after) = rest.split_first().expect("a licence");
    *rest = after;
    licences.contains(&word.as_str())
}

fn take(rest: &mut &[String], word: &str) -> bool {
    match rest.split_first() {
        Some((first, after)) if first == word => {
            *rest = after;
            true
        }
        _ => false,
    }
}

#[test]
fn every_linked_crate_is_permissive_or_named_in_third_party() {
    let (linked, named) = (linked(), named());
    assert!(linked.len() > 100, "cargo named {} crates only", linked.len());
    let unknown: Vec<_> = linked
        .iter()
        .filter(|(name, version, licence)| {
            let named = licence == NAMED && named.contains(&(name.clone(), version.clone()));
            !named && !is_met(licence, PERMISSIVE)
        })
        .collect();
    assert!(unknown.is_empty(), "neither permissive nor in THIRD-PARTY.md: {unknown:#?}");
    let gone: Vec<_> = named
        .iter()
        .filter(|(name, version)| !linked.contains(&(name.clone(), version.clone(), NAMED.to_owned())))
        .collect();
    assert!(gone.is_empty(), "in THIRD-PARTY.md, but not linked under {NAMED}: {gone:#?}");
}

#[test]
fn a_licence_is_met_by_one_choice_and_by_every_part() {
    let mine = &["MIT", "ISC", "Apache-2.0 WITH LLVM-exception"];
    for met in ["MIT", "GPL-3.0/MIT", "GPL-3.0 OR (MIT AND ISC)", "Apache-2.0 WITH LLVM-exception OR GPL-2.0"] {
        assert!(is_met(met, mine), "{met}");
    }
    for unmet in
        ["MPL-2.0", "MIT AND GPL-3.0", "MIT AND (GPL-2.0 OR GPL-3.0)", "Apache-2.0", "MIT AND MPL-2.0 OR GPL-3.0"]
    {
        assert!(!is_met(unmet, mine), "{unmet}");
    }
}
