//! What people type and are given on the way to an account, before there is a [`Client`](super::Client): names, passwords, addresses of
//! relays, links. Whoever shows a form checks it with these as it is filled in.

pub use crate::identity::{Handle, HandleError, Invite, RecoveryCode, SafetyCode, password};
pub use crate::net::{InvalidRelayAddress, RelayAddress};
