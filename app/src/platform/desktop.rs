//! Kith among the programs of a Linux desktop: in its menu, with an icon, and as what opens `kith://` links.
//!
//! Only for this user, in the folders of the XDG base directory specification, and only when somebody wants it. What is put there is
//! taken away again without a trace.

use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::APPLICATION;

/// What packagers install as it is; the program's place is written into it here.
const ENTRY: &str = include_str!("../../../assets/desktop/chat.kith.Kith.desktop");

/// The line of the entry that says how the program is started.
const START: &str = "Exec=kith ";

/// What links of Kith are to a desktop.
const SCHEME: &str = "x-scheme-handler/kith";

const ICONS: [(&str, &str, &[u8]); 5] = [
    ("48x48", "png", include_bytes!("../../../assets/icons/kith-48.png")),
    ("64x64", "png", include_bytes!("../../../assets/icons/kith-64.png")),
    ("128x128", "png", include_bytes!("../../../assets/icons/kith-128.png")),
    ("256x256", "png", include_bytes!("../../../assets/icons/kith-256.png")),
    ("scalable", "svg", include_bytes!("../../../assets/icons/kith.svg")),
];

/// Where a user's programs and their settings are.
#[derive(Debug, Clone)]
pub(crate) struct Desktop {
    data: PathBuf,
    config: PathBuf,
}

impl Desktop {
    /// This user's.
    pub(crate) fn of_user() -> io::Result<Self> {
        let folders = directories::BaseDirs::new();
        let folders = folders.ok_or_else(|| io::Error::other("this user has no home directory"))?;
        Ok(Self { data: folders.data_dir().to_owned(), config: folders.config_dir().to_owned() })
    }

    fn programs(&self) -> PathBuf {
        self.data.join("applications")
    }

    fn entry(&self) -> PathBuf {
        self.programs().join(format!("{APPLICATION}.desktop"))
    }

    fn icons(&self) -> impl Iterator<Item = (PathBuf, &'static [u8])> {
        let place = |size: &str, kind: &str| self.data.join(format!("icons/hicolor/{size}/apps/{APPLICATION}.{kind}"));
        ICONS.into_iter().map(move |(size, kind, picture)| (place(size, kind), picture))
    }

    /// Whether Kith is among the programs.
    pub(crate) fn has_kith(&self) -> bool {
        self.entry().is_file()
    }

    /// Puts this program there. It may be there already, at another place.
    pub(crate) fn install(&self, program: &Path) -> io::Result<()> {
        let entry = entry_of(program)?;
        for (path, picture) in self.icons() {
            write(&path, picture)?;
        }
        write(&self.entry(), entry.as_bytes())?;
        self.refresh();
        self.tell("xdg-mime", &["default".as_ref(), format!("{APPLICATION}.desktop").as_ref(), SCHEME.as_ref()]);
        Ok(())
    }

    /// Takes it away. It may not be there.
    pub(crate) fn remove(&self) -> io::Result<()> {
        for path in self.icons().map(|(path, _)| path).chain([self.entry()]) {
            match std::fs::remove_file(&path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        self.forget_links()?;
        self.refresh();
        Ok(())
    }

    /// `xdg-mime` knows no way back.
    fn forget_links(&self) -> io::Result<()> {
        let path = self.config.join("mimeapps.list");
        let Ok(before) = std::fs::read_to_string(&path) else { return Ok(()) };
        let is_ours = |line: &&str| {
            line.split_once('=').is_some_and(|(kind, program)| kind == SCHEME && program.starts_with(APPLICATION))
        };
        let after: String = before.lines().filter(|line| !is_ours(line)).flat_map(|line| [line, "\n"]).collect();
        if after.lines().eq(before.lines()) { Ok(()) } else { write(&path, after.as_bytes()) }
    }

    /// Programs that look up who opens what have it in a file of their own.
    fn refresh(&self) {
        self.tell("update-desktop-database", &[self.programs().as_os_str()]);
    }

    /// Not every desktop has these programs, and those without them look for themselves.
    fn tell(&self, program: &str, arguments: &[&std::ffi::OsStr]) {
        let mut command = Command::new(program);
        command.args(arguments).env("XDG_DATA_HOME", &self.data).env("XDG_CONFIG_HOME", &self.config);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        match command.status() {
            Ok(status) if !status.success() => tracing::warn!(program, %status, "The desktop was not told."),
            Ok(_) => {}
            Err(error) => tracing::debug!(program, %error, "The desktop was not told."),
        }
    }
}

/// The entry that starts this program.
fn entry_of(program: &Path) -> io::Result<String> {
    let wrong = || io::Error::new(io::ErrorKind::InvalidInput, "no desktop could start a program of this name");
    let name = program.to_str().filter(|name| !name.chars().any(char::is_control)).ok_or_else(wrong)?;
    let mut quoted = String::with_capacity(name.len() + 8);
    for letter in name.chars() {
        match letter {
            // Once for the quotes, and each backslash once more, as in every value of the file.
            '"' | '`' | '$' => quoted.push_str("\\\\"),
            '\\' => quoted.push_str("\\\\\\"),
            '%' => quoted.push('%'),
            _ => {}
        }
        quoted.push(letter);
    }
    Ok(ENTRY.replace(START, &format!("Exec=\"{quoted}\" ")))
}

/// Writes a file whole or not at all.
fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let folder = path.parent().ok_or(io::ErrorKind::InvalidInput)?;
    std::fs::create_dir_all(folder)?;
    let new = path.with_extension("kith-new");
    std::fs::write(&new, bytes)?;
    std::fs::rename(&new, path)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn desktop(folder: &Path) -> Desktop {
        Desktop { data: folder.join("data"), config: folder.join("config") }
    }

    fn files(folder: &Path) -> Vec<PathBuf> {
        let Ok(found) = std::fs::read_dir(folder) else { return Vec::new() };
        let paths = found.map(|entry| entry.unwrap().path());
        paths.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
    }

    #[test]
    fn kith_comes_among_the_programs_and_goes_without_a_trace() {
        let folder = tempfile::tempdir().unwrap();
        let desktop = desktop(folder.path());
        assert!(!desktop.has_kith());
        desktop.install(Path::new("/opt/kith/kith")).unwrap();
        assert!(desktop.has_kith());
        let entry = std::fs::read_to_string(folder.path().join("data/applications/chat.kith.Kith.desktop")).unwrap();
        assert!(entry.lines().any(|line| line == "Exec=\"/opt/kith/kith\" open %u"), "{entry}");
        assert!(entry.lines().any(|line| line == "MimeType=x-scheme-handler/kith;"), "{entry}");
        for (icon, picture) in desktop.icons() {
            assert_eq!(std::fs::read(&icon).unwrap(), picture, "{}", icon.display());
        }
        // Where it is by now is said anew.
        desktop.install(Path::new("/elsewhere/kith")).unwrap();
        assert!(std::fs::read_to_string(desktop.entry()).unwrap().contains("\"/elsewhere/kith\""));
        desktop.remove().unwrap();
        desktop.remove().unwrap();
        assert!(!desktop.has_kith());
        let is_ours = |path: &PathBuf| {
            path.to_string_lossy().contains(APPLICATION)
                || std::fs::read_to_string(path).is_ok_and(|words| words.contains(APPLICATION))
        };
        assert_eq!(files(folder.path()).into_iter().filter(is_ours).collect::<Vec<_>>(), Vec::<PathBuf>::new());
    }

    #[test]
    fn what_others_open_stays_theirs() {
        let folder = tempfile::tempdir().unwrap();
        let desktop = desktop(folder.path());
        let list = folder.path().join("config/mimeapps.list");
        let others = "[Default Applications]\ntext/html=browser.desktop\n";
        write(&list, format!("{others}{SCHEME}={APPLICATION}.desktop\n").as_bytes()).unwrap();
        desktop.remove().unwrap();
        assert_eq!(std::fs::read_to_string(&list).unwrap(), others);
    }

    #[test]
    fn a_program_of_any_name_is_quoted_as_desktops_read_it() {
        let line = |name: &str| {
            let entry = entry_of(Path::new(name)).unwrap();
            entry.lines().find(|line| line.starts_with("Exec=")).map(str::to_owned).unwrap()
        };
        assert_eq!(line("/home/a b/kith"), r#"Exec="/home/a b/kith" open %u"#);
        assert_eq!(line("/50%/$x/kith"), r#"Exec="/50%%/\\$x/kith" open %u"#);
        assert_eq!(line(r"/a\b/kith"), r#"Exec="/a\\\\b/kith" open %u"#);
        assert!(entry_of(Path::new("/a\nExec=evil/kith")).is_err());
    }
}
