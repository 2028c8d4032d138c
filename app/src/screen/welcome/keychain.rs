//! Whether the system has a keychain that works here.

use std::time::Duration;

/// A keychain that does not answer by then is not offered.
const PATIENCE: Duration = Duration::from_secs(5);

/// Asks it for something that is not there: one that works says so.
pub(super) async fn works() -> bool {
    let asked = tokio::task::spawn_blocking(|| {
        if keyring::Entry::store_status().is_err() {
            return false;
        }
        let secret = keyring::Entry::new("kith", "is anybody there?").and_then(|entry| entry.get_secret());
        matches!(secret, Err(keyring::Error::NoEntry))
    });
    matches!(tokio::time::timeout(PATIENCE, asked).await, Ok(Ok(true)))
}
