//! The HTTP pages, for machines that watch the relay: `/health`, `/ready`, `/metrics`.

mod error;
mod health;
mod metrics;

use axum::Router;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::server::Handle;

/// Serves the pages until the relay stops.
pub(crate) async fn serve(listener: TcpListener, handle: Handle, stopping: CancellationToken) {
    let served = axum::serve(listener, router(handle)).with_graceful_shutdown(stopping.cancelled_owned()).await;
    if let Err(error) = served {
        tracing::error!(%error, "The HTTP pages have stopped.");
    }
}

fn router(handle: Handle) -> Router {
    Router::new().merge(health::router()).merge(metrics::router()).with_state(handle)
}
