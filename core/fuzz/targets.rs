//! What is done with bytes from outside, one function a decoder: the fuzzer's targets call them, and the test that replays the
//! corpora calls the same ones.
//!
//! A target says whether the bytes were taken. It fails by a panic: the decoder's own, or because what was decoded does not
//! survive being encoded.

#[cfg(feature = "client")]
#[path = "targets/client.rs"]
pub mod client;
#[path = "targets/identity.rs"]
pub mod identity;
#[path = "targets/mls.rs"]
pub mod mls;
#[path = "targets/store.rs"]
mod store;
#[path = "targets/voice.rs"]
mod voice;
#[path = "targets/wire.rs"]
pub mod wire;

/// A decoder under test.
pub struct Target {
    /// Its name: that of its program and of its corpus.
    pub name: &'static str,
    /// Feeds it; whether the bytes were taken.
    pub run: fn(&[u8]) -> bool,
    /// It takes milliseconds or more, so that a replay does not also alter its seeds.
    pub slow: bool,
}

const fn fast(name: &'static str, run: fn(&[u8]) -> bool) -> Target {
    Target { name, run, slow: false }
}

const fn slow(name: &'static str, run: fn(&[u8]) -> bool) -> Target {
    Target { name, run, slow: true }
}

/// All decoders.
pub fn all() -> impl Iterator<Item = &'static Target> {
    #[cfg(feature = "client")]
    let client = client::TARGETS;
    #[cfg(not(feature = "client"))]
    let client: &[Target] = &[];
    [wire::TARGETS, identity::TARGETS, mls::TARGETS, store::TARGETS, voice::TARGETS, client].into_iter().flatten()
}

/// Feeds one decoder, by its name.
#[allow(dead_code, reason = "the fuzz programs call it")]
pub fn run(name: &str, bytes: &[u8]) -> bool {
    let target = all().find(|target| target.name == name).expect("there is no such target");
    (target.run)(bytes)
}
