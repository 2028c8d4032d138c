//! `docs/` is enough for another implementation: each shape that travels has a table there, with just the keys that it has.
//!
//! A table is marked by a comment above it, `<!-- module::Type -->`. Its first column names the keys of a plain shape; of a choice
//! the tags, and `tag.key` for the fields of one.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// By `module::Type`.
type Shapes = BTreeMap<String, BTreeSet<String>>;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The files of a folder with this ending, by name.
fn files(dir: &str, ending: &str) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(root().join(dir)).unwrap();
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == ending));
    paths.sort();
    paths
}

/// Modules whose parts have files of their own; others know those by the module.
const FOLDERS: [&str; 2] = ["message", "relay"];

/// The module that others know a source by.
fn module(path: &Path) -> &str {
    let folder = path.parent().filter(|folder| FOLDERS.iter().any(|name| folder.ends_with(name)));
    folder.unwrap_or(path).file_stem().unwrap().to_str().unwrap()
}

/// The sources of what travels in the protocol. Local control is JSON, and `docs/cli.md` has it.
fn sources() -> Vec<PathBuf> {
    let mut paths = files("core/src/wire", "rs");
    paths.retain(|path| !["codec", "control"].contains(&module(path)));
    paths.extend(FOLDERS.iter().flat_map(|folder| files(&format!("core/src/wire/{folder}"), "rs")));
    paths.extend(files("core/src/identity", "rs"));
    paths.extend(["core/src/chat/policy.rs", "core/src/types/id.rs"].map(|path| root().join(path)));
    paths
}

/// The word before the first sign that no name has, if it is followed by one of `ends`.
fn name<'a>(line: &'a str, ends: &[&str]) -> Option<&'a str> {
    let line = line.strip_prefix("pub ").or_else(|| line.strip_prefix("pub(crate) ")).unwrap_or(line);
    let end = line.find(|sign: char| !sign.is_ascii_alphanumeric() && sign != '_')?;
    let (name, rest) = line.split_at(end);
    (!name.is_empty() && ends.iter().any(|end| rest.starts_with(end))).then_some(name)
}

/// Reads the shapes of a source as rustfmt writes it: what derives `Serialize` and has named parts.
fn shapes_of(module: &str, source: &str, found: &mut Shapes) {
    let (mut serializes, mut shape) = (false, None::<(String, BTreeSet<String>)>);
    let (mut renamed, mut tag) = (None::<String>, String::new());
    for line in source.lines() {
        if line == "mod tests {" {
            break;
        }
        if line.starts_with("#[derive(") {
            serializes = line.contains("Serialize");
        }
        let Some((of, keys)) = &mut shape else {
            let public = line.trim_start_matches("pub ").trim_start_matches("pub(crate) ");
            let declared = public.strip_prefix("struct ").or_else(|| public.strip_prefix("enum "));
            if let Some(of) = declared.and_then(|rest| name(rest, &[" {", "(", ";"])).filter(|_| serializes) {
                let of = format!("{module}::{of}");
                match line.chars().last() {
                    Some('{') => shape = Some((of, BTreeSet::new())),
                    Some('}') => drop(found.insert(of, BTreeSet::new())),
                    // A wrapper around one value, which is written as that value.
                    _ => {}
                }
                serializes = false;
            }
            continue;
        };
        if line == "}" {
            found.insert(std::mem::take(of), std::mem::take(keys));
            shape = None;
            continue;
        }
        let (depth, text) = (line.len() - line.trim_start().len(), line.trim_start());
        if let Some(attribute) = text.strip_prefix("#[serde(") {
            if let Some(rest) = attribute.strip_prefix("rename = \"") {
                renamed = rest.split('"').next().map(str::to_owned);
            }
            continue;
        }
        if let Some(own) = name(text, &[": ", " {", "(", ","]) {
            let own = renamed.take().unwrap_or_else(|| own.to_owned());
            match depth {
                4 => {
                    tag.clone_from(&own);
                    keys.insert(own);
                }
                _ => drop(keys.insert(format!("{tag}.{own}"))),
            }
        }
    }
}

/// The tables of a page: the words in backticks in the first column.
fn tables_of(page: &str, found: &mut Vec<(String, BTreeSet<String>)>) {
    let mut lines = page.lines().peekable();
    while let Some(line) = lines.next() {
        let mark = line.strip_prefix("<!-- ").and_then(|rest| rest.strip_suffix(" -->"));
        let Some(of) = mark.filter(|mark| mark.contains("::")) else { continue };
        let mut keys = BTreeSet::new();
        while let Some(row) = lines.next_if(|line| line.starts_with('|')) {
            let first = row.split('|').nth(1).unwrap_or_default();
            keys.extend(first.split('`').skip(1).step_by(2).map(str::to_owned));
        }
        found.push((of.to_owned(), keys));
    }
}

#[test]
fn every_shape_has_a_table_with_just_its_keys() {
    let mut shapes = Shapes::new();
    for path in sources() {
        shapes_of(module(&path), &std::fs::read_to_string(&path).unwrap(), &mut shapes);
    }
    assert!(shapes.len() > 60, "the sources were not understood: {} shapes", shapes.len());
    let mut tables = Vec::new();
    for path in files("docs", "md") {
        tables_of(&std::fs::read_to_string(&path).unwrap(), &mut tables);
    }
    let mut wrong = Vec::new();
    for (of, keys) in &tables {
        match shapes.get(of) {
            None => wrong.push(format!("{of}: has a table and is no shape")),
            Some(real) => {
                wrong.extend(real.difference(keys).map(|key| format!("{of}: `{key}` is not in its table")));
                wrong.extend(keys.difference(real).map(|key| format!("{of}: `{key}` is in its table only")));
            }
        }
    }
    for of in shapes.keys() {
        match tables.iter().filter(|(named, _)| named == of).count() {
            1 => {}
            count => wrong.push(format!("{of}: has {count} tables")),
        }
    }
    assert!(wrong.is_empty(), "docs/ and the source disagree:\n{}", wrong.join("\n"));
}

#[test]
fn shapes_and_tables_are_read_as_they_are_written() {
    let source = r#"
#[derive(Debug, Serialize)]
pub struct Plain {
    /// A key.
    #[serde(rename = "a", default)]
    pub first: u8,
    second: u8,
}
#[derive(Serialize)]
enum Choice {
    #[serde(rename = "u")]
    Unit,
    Tagged {
        #[serde(rename = "k")]
        key: u8,
    },
    #[serde(rename = "n")]
    New(Plain),
}
#[derive(Serialize)]
pub struct Empty {}
#[derive(Serialize)]
pub struct Wrapper(u64);
#[derive(Debug)]
pub struct Silent {
    secret: u8,
}
"#;
    let keys = |keys: &[&str]| keys.iter().map(|key| (*key).to_owned()).collect::<BTreeSet<String>>();
    let mut shapes = Shapes::new();
    shapes_of("m", source, &mut shapes);
    let expected = [
        ("m::Plain", keys(&["a", "second"])),
        ("m::Choice", keys(&["u", "Tagged", "Tagged.k", "n"])),
        ("m::Empty", keys(&[])),
    ];
    assert_eq!(shapes, expected.map(|(of, keys)| (of.to_owned(), keys)).into());
    let mut tables = Vec::new();
    tables_of("text\n<!-- m::Plain -->\n| key | `x` |\n|---|---|\n| `a` `b` | `y` |\n\n| `z` | |\n", &mut tables);
    assert_eq!(tables, [("m::Plain".to_owned(), keys(&["a", "b"]))]);
}
