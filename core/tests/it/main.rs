//! Behaviour of the core, a module each.
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "tests wait, draw and open sockets as they need"
)]

#[cfg(all(feature = "client", feature = "test-utils", target_os = "linux"))]
mod a_full_disk_is_survived;
#[cfg(feature = "speech")]
mod clips;
#[cfg(feature = "client")]
mod contacts_meet_on_the_local_network;
#[cfg(all(feature = "client", feature = "test-utils"))]
mod corpora_are_replayed;
#[cfg(feature = "client")]
mod devices_exchange_envelopes;
mod floors;
mod licences_are_known;
#[cfg(all(feature = "client", feature = "test-utils"))]
mod locks_are_changed;
#[cfg(all(feature = "client", target_os = "linux"))]
mod models_come_onto_a_full_disk;
#[cfg(all(feature = "client", feature = "test-utils"))]
mod profiles_are_whole_or_not_there;
mod protocol_documents_name_every_key;
#[cfg(feature = "speech")]
mod silero;
#[cfg(all(feature = "store", target_os = "linux"))]
mod small_disk;
#[cfg(feature = "speech")]
mod speech_turns_voice_notes_into_text;
#[cfg(feature = "store")]
mod store;
mod the_soak_profile_names_every_long_form;
#[cfg(feature = "client")]
mod transcripts_are_kept_shown_and_found;
#[cfg(feature = "client")]
mod views_show_what_is_there;
#[cfg(feature = "voice")]
mod voice_notes_work_with_other_programs;
