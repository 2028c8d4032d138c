//! `./dev soak` runs the tests that have a long form, and no others: the profile's filter knows each of them by a part of its name.

use std::fs;
use std::path::{Path, PathBuf};

/// What asks for the long form. In two parts, so that this file is not one that asks.
const ASKS: &str = concat!("var_os(\"KITH", "_SOAK\")");

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The parts of names in the filter of the profile.
fn filter() -> Vec<String> {
    let config = fs::read_to_string(root().join(".config/nextest.toml")).unwrap();
    let (_, profile) = config.split_once("[profile.soak]").unwrap();
    let (_, filter) = profile.split_once("test(/").unwrap();
    let (filter, _) = filter.split_once("/)").unwrap();
    filter.split('|').map(str::to_owned).collect()
}

fn sources(dir: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

#[test]
fn every_long_form_is_in_the_filter_and_nothing_else() {
    let mut files = Vec::new();
    for package in ["core", "relay", "app"] {
        sources(&root().join(package).join("tests"), &mut files);
    }
    let mut unused = filter();
    for file in files {
        let text = fs::read_to_string(&file).unwrap();
        if !text.contains(ASKS) {
            continue;
        }
        let functions = text.lines().filter_map(|line| line.split("fn ").nth(1)?.split('(').next());
        let names: Vec<&str> = functions.collect();
        let filter = filter();
        let matching = filter.iter().filter(|part| names.iter().any(|name| name.contains(part.as_str())));
        let matching: Vec<&String> = matching.collect();
        assert!(!matching.is_empty(), "{} has a long form that `./dev soak` does not run", file.display());
        unused.retain(|part| !matching.contains(&part));
    }
    assert!(unused.is_empty(), "no test with a long form is called {unused:?}");
}
