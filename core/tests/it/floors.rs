//! A module imports only from floors below its own: the list at the head of the crate is a fact, not an intention.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// The modules, ground first. Those of one line do not know each other. `wire::codec` is the ground of all formats and knows
/// ids only, so that identities can be encoded before the messages that carry them are known.
const FLOORS: [&[&str]; 10] = [
    &["types"],
    &["wire::codec"],
    &["identity"],
    &["wire"],
    &["home"],
    &["store"],
    &["mls", "voice", "blob"],
    &["chat"],
    &["net", "audio", "speech"],
    &["session"],
];

/// What stands above all of them.
const TOP: &str = "client";

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

fn floor_of(module: &str, floors: &BTreeMap<&str, usize>) -> usize {
    let first = module.split("::").next().unwrap();
    *floors.get(module).or_else(|| floors.get(first)).unwrap_or_else(|| panic!("{module} has no floor"))
}

/// The modules of the crate that a line of source names.
fn imports(line: &str) -> Vec<String> {
    let mut names = Vec::new();
    for (at, _) in line.match_indices("crate::") {
        let rest = &line[at + "crate::".len()..];
        let path: String = rest.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_' || *c == ':').collect();
        let parts: Vec<&str> = path.split("::").filter(|part| !part.is_empty()).collect();
        match parts.as_slice() {
            ["wire", "codec", ..] => names.push("wire::codec".to_owned()),
            [first, ..] => names.push((*first).to_owned()),
            [] => {}
        }
    }
    names
}

/// What the app may name of this crate: the facade, and the words of its control protocol. Its tests make things up of more.
const FOR_THE_APP: [&str; 2] = ["client::", "wire::control::"];

#[test]
fn the_app_knows_the_client_and_nothing_below_it() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../app/src");
    let mut files = Vec::new();
    sources(&root, &mut files);
    assert!(files.len() > 50, "the sources were not found");
    let is_test = |file: &Path| {
        let parts = file.strip_prefix(&root).unwrap().with_extension("");
        parts.components().any(|part| ["tests", "snapshots"].contains(&part.as_os_str().to_str().unwrap()))
    };
    let mut wrong = Vec::new();
    for file in files.iter().filter(|file| !is_test(file)) {
        let text = fs::read_to_string(file).unwrap();
        let shipped = text.split("#[cfg(test)]\nmod tests").next().unwrap();
        let shipped = shipped.split("#[cfg(test)]\npub(crate) mod tests").next().unwrap();
        for line in shipped.lines().filter(|line| !line.trim_start().starts_with("//")) {
            let named = line.match_indices("kith_core::").map(|(at, found)| &line[at + found.len()..]);
            let beyond = named.filter(|name| !FOR_THE_APP.iter().any(|allowed| name.starts_with(allowed)));
            wrong.extend(beyond.map(|name| format!("{}: {name}", file.display())));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn no_module_imports_upwards_or_sideways() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut floors: BTreeMap<&str, usize> = BTreeMap::from([(TOP, FLOORS.len())]);
    for (floor, modules) in FLOORS.iter().enumerate() {
        floors.extend(modules.iter().map(|module| (*module, floor)));
    }
    let mut files = Vec::new();
    sources(&root, &mut files);
    assert!(files.len() > 50, "the sources were not found");
    let mut wrong = Vec::new();
    for file in files {
        let relative = file.strip_prefix(&root).unwrap().with_extension("");
        let own = relative.to_str().unwrap().replace(std::path::MAIN_SEPARATOR, "::");
        if own == "lib" {
            continue;
        }
        let own = if own.starts_with("wire::codec") { "wire::codec" } else { own.split("::").next().unwrap() };
        let text = fs::read_to_string(&file).unwrap();
        for (number, line) in text.lines().enumerate() {
            if line.trim_start().starts_with("//") {
                continue;
            }
            for name in imports(line) {
                let known = floors.contains_key(name.as_str());
                if !known || name == own {
                    continue;
                }
                if floor_of(&name, &floors) >= floor_of(own, &floors) {
                    wrong.push(format!("{}:{}: {own} imports {name}", relative.display(), number + 1));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "these go up or sideways:\n{}", wrong.join("\n"));
}
