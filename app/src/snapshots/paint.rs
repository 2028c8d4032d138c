//! Colours and sizes are the theme's alone.

use std::path::{Path, PathBuf};

/// Files that write a colour or a style of their own, each with why.
const MAY: [&str; 0] = [];

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// A call by which a size is given, followed by a number that is not zero or one.
fn writes_a_size(line: &str) -> bool {
    const CALLS: [&str; 9] = [
        ".size(",
        ".width(",
        ".height(",
        ".padding(",
        ".spacing(",
        ".gap(",
        ".max_width(",
        ".max_height(",
        ".total_size(",
    ];
    CALLS.iter().any(|call| {
        line.match_indices(call).any(|(at, _)| {
            let given = line[at + call.len()..].trim_start_matches('[');
            let number: String = given.chars().take_while(|c| c.is_ascii_digit() || *c == '.').collect();
            number.parse::<f32>().is_ok_and(|number| number > 1.0)
        })
    })
}

#[test]
fn no_screen_paints_by_itself() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    for folder in ["screen", "modal", "ui"] {
        sources(&source.join(folder), &mut files);
    }
    assert!(files.len() > 20, "the screens are elsewhere");
    files.extend(["screen.rs", "modal.rs", "ui.rs"].map(|file| source.join(file)));
    let mut found = Vec::new();
    for file in files {
        let name = file.strip_prefix(&source).unwrap().to_string_lossy().replace('\\', "/");
        if name.contains("test") || name.contains("snapshots") || MAY.contains(&name.as_str()) {
            continue;
        }
        let text = std::fs::read_to_string(&file).unwrap();
        let text = text.split("#[cfg(test)]").next().unwrap_or_default();
        for (at, line) in text.lines().enumerate() {
            let paints = ["Color::", "Color {", "color!(", " Style {", "Background::", "Border {", "Shadow {"];
            if paints.iter().any(|sign| line.contains(sign)) || writes_a_size(line) {
                found.push(format!("{name}:{}: {}", at + 1, line.trim()));
            }
        }
    }
    assert!(found.is_empty(), "these belong in the theme:\n{}", found.join("\n"));
}
