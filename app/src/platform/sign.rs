//! The sounds that Kith makes of itself.

use crate::backend::Backend;

/// What is to be heard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sign {
    /// Something came.
    Came,
    /// What one wrote goes.
    Sent,
}

impl Sign {
    /// As a WAV file.
    pub(crate) const fn sound(self) -> &'static [u8] {
        match self {
            Self::Came => include_bytes!("../../../assets/sounds/message.wav"),
            Self::Sent => include_bytes!("../../../assets/sounds/sent.wav"),
        }
    }

    /// Lets it be heard. Nobody is told if there is no speaker: it is only a sign.
    pub(crate) async fn give(self, backend: Backend) {
        if let Err(problem) = backend.sign(self).await {
            tracing::debug!(?problem, "A sound could not be played.");
        }
    }
}
