//! `/health`: the process lives. `/ready`: it can store something now.

use axum::Router;
use axum::extract::State;
use axum::routing::get;

use super::error::HttpError;
use crate::server::Handle;

pub(super) fn router() -> Router<Handle> {
    Router::new().route("/health", get(health)).route("/ready", get(ready))
}

async fn health() -> &'static str {
    "ok\n"
}

async fn ready(State(handle): State<Handle>) -> Result<&'static str, HttpError> {
    if handle.is_ready() { Ok("ready\n") } else { Err(HttpError::NotReady) }
}
