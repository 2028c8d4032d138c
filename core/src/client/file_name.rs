//! The names of files that others sent, as they may be shown and given to any file system.

use super::plain;

/// The most bytes of a cleaned name: every file system takes as many, with room for a number.
const MAX_BYTES: usize = 200;

/// The most bytes of an ending that is kept when a name is cut.
const MAX_ENDING: usize = 20;

/// What a file is called of whose name nothing is left.
const NAMELESS: &str = "file";

/// Names that some system takes for a device, whatever their ending.
const DEVICES: [&str; 6] = ["con", "prn", "aux", "nul", "conin$", "conout$"];

/// A name without a folder, controls, direction marks, or signs that mean something to a system; never hidden, never a device, never
/// empty. What is clean stays as it is.
pub(super) fn clean(name: &str) -> String {
    let last = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let seen: String = last.chars().filter(|sign| !plain::is_unseen(*sign)).map(replaced).collect();
    let trimmed = seen.trim_matches(|sign: char| sign.is_whitespace() || sign == '.');
    // A leading dot would hide it, which its sender may have meant and its receiver does not.
    let hidden = seen.trim_start().starts_with('.') && !trimmed.is_empty();
    let mut clean = if hidden { format!("_{trimmed}") } else { trimmed.to_owned() };
    if is_device(&clean) {
        clean.insert(0, '_');
    }
    let clean = cut(&clean);
    if clean.is_empty() { NAMELESS.to_owned() } else { clean }
}

fn replaced(sign: char) -> char {
    match sign {
        '<' | '>' | ':' | '"' | '|' | '?' | '*' => '_',
        sign if sign.is_whitespace() => ' ',
        sign => sign,
    }
}

fn is_device(name: &str) -> bool {
    let stem = name.split('.').next().unwrap_or_default().trim_end().to_ascii_lowercase();
    let port = |kind: &str| {
        stem.strip_prefix(kind).is_some_and(|number| {
            matches!(number, "0" | "1" | "2" | "3" | "4" | "5" | "6" | "7" | "8" | "9" | "¹" | "²" | "³")
        })
    };
    DEVICES.contains(&stem.as_str()) || port("com") || port("lpt")
}

/// Cuts the middle out of a name that is too long, so that its ending stays.
fn cut(name: &str) -> String {
    if name.len() <= MAX_BYTES {
        return name.to_owned();
    }
    let ending = name.rfind('.').and_then(|dot| name.get(dot..)).filter(|ending| ending.len() <= MAX_ENDING);
    let ending = ending.unwrap_or_default();
    let mut stem = String::new();
    for sign in name.chars() {
        if stem.len().saturating_add(sign.len_utf8()).saturating_add(ending.len()) > MAX_BYTES {
            break;
        }
        stem.push(sign);
    }
    format!("{}{ending}", stem.trim_end_matches([' ', '.']))
}

/// A name that is not taken: `name (2).ending` and so on.
pub(super) fn numbered(name: &str, number: u32) -> String {
    match name.rfind('.').filter(|dot| *dot > 0).map(|dot| name.split_at(dot)) {
        Some((stem, ending)) => format!("{stem} ({number}){ending}"),
        None => format!("{name} ({number})"),
    }
}

/// A media type as it may be shown; empty if it is none (RFC 6838 §4.2).
pub(super) fn media_type(said: &str) -> String {
    let sign = |sign: char| sign.is_ascii_alphanumeric() || "!#$&-^_.+".contains(sign);
    let part = |part: &str| !part.is_empty() && part.len() <= 127 && part.chars().all(sign);
    match said.split_once('/') {
        Some((kind, rest)) if part(kind) && part(rest) => said.to_ascii_lowercase(),
        _ => String::new(),
    }
}

/// The media type that an ending stands for, of those that people send; else that of any bytes.
pub(super) fn media_type_of(name: &str) -> &'static str {
    let ending = name.rsplit_once('.').map(|(_, ending)| ending.to_ascii_lowercase());
    match ending.as_deref() {
        Some("png") => "image/png",
        Some("jpg" | "jpeg") => "image/jpeg",
        Some("gif") => "image/gif",
        Some("webp") => "image/webp",
        Some("svg") => "image/svg+xml",
        Some("mp4") => "video/mp4",
        Some("webm") => "video/webm",
        Some("mov") => "video/quicktime",
        Some("mp3") => "audio/mpeg",
        Some("m4a") => "audio/mp4",
        Some("ogg" | "opus") => "audio/ogg",
        Some("flac") => "audio/flac",
        Some("wav") => "audio/wav",
        Some("pdf") => "application/pdf",
        Some("zip") => "application/zip",
        Some("txt") => "text/plain",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_name_leads_nowhere_and_hides_nothing() {
        for (said, shown) in [
            ("report.pdf", "report.pdf"),
            ("Урок 1.odt", "Урок 1.odt"),
            ("../../etc/passwd", "passwd"),
            ("C:\\Windows\\system32\\evil.exe", "evil.exe"),
            ("a\u{202e}gpj.exe", "agpj.exe"),
            ("one\ntwo\0three.txt", "onetwothree.txt"),
            (".bashrc", "_bashrc"),
            ("...", NAMELESS),
            ("", NAMELESS),
            ("/", NAMELESS),
            ("what? <now>: \"yes\"|no*", "what_ _now__ _yes__no_"),
            ("con", "_con"),
            ("NUL.txt", "_NUL.txt"),
            ("com1.tar.gz", "_com1.tar.gz"),
            ("console.log", "console.log"),
            ("trailing. . ", "trailing"),
        ] {
            assert_eq!(clean(said), shown, "{said:?}");
        }
        let long = clean(&format!("{}.jpeg", "ж".repeat(300)));
        assert!(long.len() <= MAX_BYTES && long.ends_with("ж.jpeg"));
        assert_eq!((numbered("a.b.txt", 2), numbered("none", 3)), ("a.b (2).txt".into(), "none (3)".into()));
    }

    #[test]
    fn a_media_type_is_one_or_nothing() {
        assert_eq!(media_type("Image/PNG"), "image/png");
        for wrong in ["", "image", "image/", "a/b/c", "a b/c", "text/html; charset=x", "\u{202e}/x"] {
            assert_eq!(media_type(wrong), "", "{wrong:?}");
        }
        assert_eq!((media_type_of("a.JPG"), media_type_of("a")), ("image/jpeg", "application/octet-stream"));
    }

    proptest! {
        #[test]
        fn whatever_a_file_is_called_its_name_is_safe(said in any::<String>()) {
            let name = clean(&said);
            prop_assert!(!name.is_empty() && name.len() <= MAX_BYTES);
            prop_assert!(!name.contains(['/', '\\', '\0', '\n', '<', '>', ':', '"', '|', '?', '*']));
            prop_assert!(!name.starts_with(['.', ' ']) && !name.ends_with(['.', ' ']));
            prop_assert!(!name.chars().any(plain::is_unseen) && !is_device(&name));
            prop_assert_eq!(clean(&name), name.clone(), "cleaning twice changes nothing");
        }
    }
}
