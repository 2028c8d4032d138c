//! The programs as processes of their own: what they print, how they exit, and what people at both ends see.
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "tests wait, draw and open sockets as they need"
)]

mod alone;
mod commands_do_what_they_say;
#[cfg(target_os = "linux")]
mod desktop;
#[cfg(target_os = "linux")]
mod desktops_tell_of_messages;
mod devices_of_one_account_agree;
#[cfg(target_os = "linux")]
mod displays_are_lost;
mod errors_are_sentences;
#[path = "../../examples/demo/failure.rs"]
mod failure;
#[cfg(target_os = "linux")]
mod files_are_chosen_in_dialogues;
mod files_survive_kills;
mod forgotten_passwords_are_replaced;
mod keychains_hold_keys;
#[cfg(target_os = "linux")]
mod long_voice_notes_travel;
mod models_are_fetched_in_a_window;
#[cfg(target_os = "linux")]
mod notes_are_played_in_windows;
mod people_meet_on_the_local_network;
#[cfg(target_os = "linux")]
mod people_talk_in_windows;
mod people_write_to_each_other;
#[path = "../../examples/demo/process.rs"]
mod process;
mod processes_are_killed;
mod profiles_are_taken_along_and_erased;
#[cfg(target_os = "linux")]
mod recordings_are_made_in_windows;
mod relays_are_found_out;
mod relays_serve_their_operators;
#[path = "../../../core/tests/it/silero.rs"]
mod silero;
#[cfg(target_os = "linux")]
mod sound_is_recorded_and_played;
#[cfg(target_os = "linux")]
mod sound_is_set_up_in_a_window;
#[cfg(target_os = "linux")]
mod sound_server;
mod speech_in_sound_files_becomes_text;
mod the_demo_plays;
mod voice_notes_are_transcribed;
#[cfg(target_os = "linux")]
mod window;
mod world;
mod wrong_clocks_are_told;
