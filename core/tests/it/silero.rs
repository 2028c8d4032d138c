//! Silero's model, which is not part of the project: tests with it need it beside the repository.

use std::path::{Path, PathBuf};

/// Where it is. Without it the tests that want it fail, unless it was said that it is known to be missing, as `./dev test` says.
pub(crate) fn silero() -> Option<PathBuf> {
    let model = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/models/silero-v6.2.0.bin");
    if model.is_file() {
        return Some(model);
    }
    let known = std::env::var_os("KITH_WITHOUT_SILERO").is_some();
    assert!(known, "Silero's model is not at {}: put it there, or set KITH_WITHOUT_SILERO=1", model.display());
    println!("Nothing is tested: Silero's model is not at {}.", model.display());
    None
}
