//! Relays that were met, by the name they give themselves: so that `bob@two` can be written once two's address is known.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use crate::store;

/// The file in a profile's directory. It holds nothing secret, and losing it costs a person one address.
pub(super) const FILE: &str = "relays.json";

/// The most relays that are remembered.
const MAX_RELAYS: usize = 256;

/// The longest file that is read.
const MAX_BYTES: u64 = 1 << 20;

#[derive(Debug)]
pub(super) struct KnownRelays {
    path: PathBuf,
    names: Mutex<BTreeMap<String, String>>,
}

impl KnownRelays {
    pub(super) fn load(directory: &Path) -> Self {
        let path = directory.join(FILE);
        let small = std::fs::metadata(&path).is_ok_and(|found| found.len() <= MAX_BYTES);
        let text = if small { std::fs::read(&path).unwrap_or_default() } else { Vec::new() };
        Self { path, names: Mutex::new(serde_json::from_slice(&text).unwrap_or_default()) }
    }

    pub(super) fn address(&self, name: &str) -> Option<String> {
        self.names.lock().unwrap_or_else(PoisonError::into_inner).get(name).cloned()
    }

    /// Remembers a relay. A name that is known keeps its address: a relay cannot take another one's name.
    pub(super) fn learn(&self, name: &str, address: &str) {
        let mut names = self.names.lock().unwrap_or_else(PoisonError::into_inner);
        if name.is_empty() || name.len() > 255 || names.contains_key(name) || names.len() >= MAX_RELAYS {
            return;
        }
        names.insert(name.to_owned(), address.to_owned());
        let written = serde_json::to_vec_pretty(&*names).map(|json| store::write_private(&self.path, &json));
        if !matches!(written, Ok(Ok(()))) {
            tracing::warn!("The list of known relays could not be written.");
        }
    }
}
