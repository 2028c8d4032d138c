//! `/metrics`: what the relay counts, in the OpenMetrics text that Prometheus reads.

use axum::Router;
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use axum::routing::get;

use crate::server::Handle;

/// The media type of OpenMetrics' text.
const TEXT: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

pub(super) fn router() -> Router<Handle> {
    Router::new().route("/metrics", get(metrics))
}

async fn metrics(State(handle): State<Handle>) -> impl IntoResponse {
    ([(CONTENT_TYPE, TEXT)], handle.metrics().text())
}
