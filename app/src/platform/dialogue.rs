//! The system's dialogues for files and folders.
//!
//! Where nothing can show them they would not come, and nobody would hear why: so that is asked before.

use std::path::PathBuf;

use crate::problem::Problem;

/// A dialogue that is about to be shown.
#[derive(Debug)]
pub(crate) struct Dialogue(rfd::AsyncFileDialog);

impl Dialogue {
    /// With the title that the system gives it.
    pub(crate) fn new() -> Self {
        Self(rfd::AsyncFileDialog::new())
    }

    /// With this title.
    pub(crate) fn titled(self, title: String) -> Self {
        Self(self.0.set_title(title))
    }

    /// Offers pictures alone.
    pub(crate) fn pictures(self) -> Self {
        self.only("PNG, JPEG", &["png", "jpg", "jpeg"])
    }

    /// Offers files with these endings alone.
    pub(crate) fn only(self, name: &str, endings: &[&str]) -> Self {
        Self(self.0.add_filter(name, endings))
    }

    /// Proposes a name.
    pub(crate) fn named(self, name: &str) -> Self {
        Self(self.0.set_file_name(name))
    }

    /// Which file; none if somebody thought better of it.
    pub(crate) async fn file(self) -> Option<Result<PathBuf, Problem>> {
        chosen(is_possible().await, self.0.pick_file()).await
    }

    /// Which folder.
    pub(crate) async fn folder(self) -> Option<Result<PathBuf, Problem>> {
        chosen(is_possible().await, self.0.pick_folder()).await
    }

    /// Where something is to be saved.
    pub(crate) async fn place(self) -> Option<Result<PathBuf, Problem>> {
        chosen(is_possible().await, self.0.save_file()).await
    }

    /// Which files; none if somebody thought better of it.
    pub(crate) async fn files(self) -> Result<Vec<PathBuf>, Problem> {
        is_possible().await?;
        let files = self.0.pick_files().await.unwrap_or_default();
        Ok(files.iter().map(|file| file.path().to_owned()).collect())
    }
}

async fn chosen(
    possible: Result<(), Problem>,
    ask: impl Future<Output = Option<rfd::FileHandle>>,
) -> Option<Result<PathBuf, Problem>> {
    match possible {
        Ok(()) => Some(Ok(ask.await?.path().to_owned())),
        Err(problem) => Some(Err(problem)),
    }
}

/// Elsewhere the system itself shows them.
#[cfg(not(target_os = "linux"))]
async fn is_possible() -> Result<(), Problem> {
    Ok(())
}

/// Whether somebody shows them: the desktop's portal, or `zenity`, which is what `rfd` turns to.
#[cfg(target_os = "linux")]
async fn is_possible() -> Result<(), Problem> {
    if linux::has_portal().await || linux::has_zenity().await {
        return Ok(());
    }
    tracing::info!("There is neither a portal for files nor zenity.");
    Err(Problem::new("no_dialogue", "no dialogue for files can be shown: install xdg-desktop-portal or zenity"))
}

#[cfg(target_os = "linux")]
mod linux {
    use std::path::Path;
    use std::time::Duration;

    use zbus::Connection;

    const PORTAL: &str = "org.freedesktop.portal.Desktop";
    const PATH: &str = "/org/freedesktop/portal/desktop";

    /// A portal that has to be started first may take its time. One that takes longer is there, at least.
    const PATIENCE: Duration = Duration::from_secs(5);

    /// Whether a portal is on the session's bus, or can be started by it, and knows dialogues for files: one whose part for the
    /// desktop is missing does not.
    pub(super) async fn has_portal() -> bool {
        !matches!(tokio::time::timeout(PATIENCE, version()).await, Ok(Err(_)))
    }

    async fn version() -> zbus::Result<()> {
        let bus = Connection::session().await?;
        let asked = ("org.freedesktop.portal.FileChooser", "version");
        bus.call_method(Some(PORTAL), PATH, Some("org.freedesktop.DBus.Properties"), "Get", &asked).await.map(drop)
    }

    /// Whether `zenity` is among the programs.
    pub(super) async fn has_zenity() -> bool {
        let programs = std::env::var_os("PATH").unwrap_or_default();
        let look = move || std::env::split_paths(&programs).any(|folder| is_program(&folder.join("zenity")));
        tokio::task::spawn_blocking(look).await.unwrap_or_default()
    }

    fn is_program(path: &Path) -> bool {
        use std::os::unix::fs::PermissionsExt as _;
        std::fs::metadata(path).is_ok_and(|file| file.is_file() && file.permissions().mode() & 0o111 != 0)
    }
}
