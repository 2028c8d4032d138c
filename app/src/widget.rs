//! Widgets that know nothing of Kith.

pub(crate) mod avatar_clip;
pub(crate) mod calm;
pub(crate) mod composer;
pub(crate) mod corner;
pub(crate) mod focus_scope;
pub(crate) mod history;
pub(crate) mod line;
pub(crate) mod meter;
pub(crate) mod press;
pub(crate) mod reveal;
pub(crate) mod scrolled;
pub(crate) mod seen;
pub(crate) mod selectable;
#[cfg(test)]
pub(crate) mod stage;
pub(crate) mod waveform;
