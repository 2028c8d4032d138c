//! The one place where an error becomes an HTTP status.

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};

/// Why a page is not given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum HttpError {
    /// The store takes nothing, or the relay is shutting down.
    #[error("not ready")]
    NotReady,
}

impl IntoResponse for HttpError {
    fn into_response(self) -> Response {
        let status = match self {
            Self::NotReady => StatusCode::SERVICE_UNAVAILABLE,
        };
        (status, format!("{self}\n")).into_response()
    }
}
