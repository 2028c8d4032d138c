//! Behaviour of the relay and of whole devices against it, a module each.
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "tests wait, draw and open sockets as they need"
)]

mod accounts_and_records;
mod attachments_in_a_bucket;
mod attachments_travel;
#[path = "../../../core/tests/it/clips.rs"]
mod clips;
mod contact_requests_cost_the_stranger;
mod corpora_are_replayed;
mod forgotten_passwords_are_replaced;
mod homes_order_and_do_not_judge;
mod mailboxes_keep_what_they_took;
mod mailboxes_match_a_model;
mod measured;
mod network_costs;
mod node_serves_devices;
mod operators_run_a_relay;
mod people_at_one_relay;
mod relay_processes_are_killed;
mod relay_processes_obey_and_recover;
mod s3;
mod servers_answer_when_it_is_durable;
mod sim;
mod speech_goes_from_microphone_to_text;
mod world;
