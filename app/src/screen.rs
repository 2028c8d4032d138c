//! What fills the window, one at a time.

pub(crate) mod failure;
pub(crate) mod home;
pub(crate) mod settings;
pub(crate) mod unlock;
pub(crate) mod welcome;
