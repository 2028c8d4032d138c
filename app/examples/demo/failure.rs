//! Why a story ended early: a sentence, and the ends of the programs' logs. The tests of the program use it too.

use std::path::Path;

/// How much of each program's log is shown when a step fails.
const LOG_LINES: usize = 40;

/// Why a story ended early.
#[derive(Debug)]
pub(crate) struct Failure {
    what: String,
    logs: Vec<(String, Vec<String>)>,
}

impl Failure {
    pub(crate) fn new(what: impl Into<String>) -> Self {
        Self { what: what.into(), logs: Vec::new() }
    }

    /// With the ends of the programs' logs, which the story's directory has for a moment longer.
    pub(crate) fn with_logs(mut self, room: &Path) -> Self {
        let files = std::fs::read_dir(room).into_iter().flatten().flatten().map(|entry| entry.path());
        let mut logs: Vec<_> =
            files.filter(|path| path.extension().is_some_and(|extension| extension == "log")).collect();
        logs.sort();
        for path in logs {
            let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            let text = std::fs::read_to_string(&path).unwrap_or_default();
            let lines: Vec<String> = text.lines().map(str::to_owned).collect();
            let last = lines.len().saturating_sub(LOG_LINES);
            self.logs.push((name, lines.into_iter().skip(last).collect()));
        }
        self
    }

    /// The ends of the programs' logs, by their names.
    pub(crate) fn logs(&self) -> &[(String, Vec<String>)] {
        &self.logs
    }
}

impl std::fmt::Display for Failure {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(&self.what)
    }
}

impl<E: std::error::Error> From<E> for Failure {
    fn from(error: E) -> Self {
        Self::new(error.to_string())
    }
}
