//! The HTTP pages: `/health`, `/ready` and `/metrics` for machines that watch the relay, and `/models/` for devices where the operator
//! chose a folder of them.
//!
//! Invariant: so many visitors are in at the same time, one request each, and none for longer than its patience; others wait at the
//! door, in the system's own bounded queue.

mod door;
mod error;
mod health;
mod metrics;
mod models;

use std::path::PathBuf;

use axum::Router;
use axum::http::HeaderValue;
use axum::http::header::CONNECTION;
use axum::response::Response;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::server::Handle;

use door::{Bounds, Door};

/// Serves the pages until the relay stops.
pub(crate) async fn serve(listener: TcpListener, handle: Handle, models: Option<PathBuf>, stopping: CancellationToken) {
    serve_within(Bounds::default(), listener, router(handle, models), stopping).await;
}

async fn serve_within(bounds: Bounds, listener: TcpListener, pages: Router, stopping: CancellationToken) {
    let door = Door::new(listener, bounds, stopping.clone());
    let served = axum::serve(door, pages).with_graceful_shutdown(stopping.cancelled_owned()).await;
    if let Err(error) = served {
        tracing::error!(%error, "The HTTP pages have stopped.");
    }
}

fn router(handle: Handle, models: Option<PathBuf>) -> Router {
    let pages = Router::new().merge(health::router()).merge(metrics::router()).merge(models::router(models));
    pages.layer(axum::middleware::map_response(close)).with_state(handle)
}

/// A visitor who stayed would keep another out.
async fn close(mut response: Response) -> Response {
    response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    response
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;
    use std::time::Duration;

    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpStream;

    use super::*;
    use crate::config::Config;
    use crate::server::Server;

    /// How long anything here may take before the test fails.
    const LIMIT: Duration = Duration::from_secs(30);

    const GET: &[u8] = b"GET /health HTTP/1.1\r\nHost: relay\r\n\r\n";

    /// A server, and its pages once more within these bounds.
    async fn pages(dir: &std::path::Path, bounds: Bounds) -> (Server, SocketAddr) {
        let mut config = Config::embedded(dir.to_path_buf());
        config.http_listen = ([127, 0, 0, 1], 0).into();
        let mut server = Server::bind(config).await.unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        server.attach(serve_within(bounds, listener, router(server.handle(), None), server.stopping()));
        (server, address)
    }

    /// What is heard until the other side closes.
    async fn rest(stream: &mut TcpStream) -> String {
        let mut heard = Vec::new();
        // A connection that is given up may end in a reset.
        let _ = tokio::time::timeout(LIMIT, stream.read_to_end(&mut heard)).await.expect("it is closed");
        String::from_utf8_lossy(&heard).into_owned()
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn slow_visitors_are_shown_out_and_whoever_waits_is_let_in() {
        let dir = tempfile::tempdir().unwrap();
        let patience = Duration::from_millis(300);
        let (server, address) = pages(dir.path(), Bounds { places: 2, patience }).await;
        let (mut silent, mut dripping) =
            (TcpStream::connect(address).await.unwrap(), TcpStream::connect(address).await.unwrap());
        dripping.write_all(&GET[..20]).await.unwrap();
        let mut waiting = TcpStream::connect(address).await.unwrap();
        waiting.write_all(GET).await.unwrap();
        assert!(rest(&mut waiting).await.starts_with("HTTP/1.1 200"));
        assert_eq!((rest(&mut silent).await, rest(&mut dripping).await), (String::new(), String::new()));
        server.shutdown().await;
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn no_more_than_the_places_are_let_in() {
        let dir = tempfile::tempdir().unwrap();
        let (server, address) = pages(dir.path(), Bounds { places: 1, patience: LIMIT * 2 }).await;
        let mut inside = TcpStream::connect(address).await.unwrap();
        inside.write_all(&GET[..20]).await.unwrap();
        let mut outside = TcpStream::connect(address).await.unwrap();
        outside.write_all(GET).await.unwrap();
        // Whoever is in has the place to the end of the answer; then the other gets it.
        let early = tokio::time::timeout(Duration::from_millis(300), outside.readable()).await;
        assert!(early.is_err(), "both were let in");
        inside.write_all(&GET[20..]).await.unwrap();
        assert!(rest(&mut inside).await.contains("connection: close"));
        assert!(rest(&mut outside).await.starts_with("HTTP/1.1 200"));
        server.shutdown().await;
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_slow_visitor_does_not_keep_the_relay_from_stopping() {
        let dir = tempfile::tempdir().unwrap();
        let (server, address) = pages(dir.path(), Bounds { places: 1, patience: LIMIT * 2 }).await;
        let mut inside = TcpStream::connect(address).await.unwrap();
        inside.write_all(&GET[..20]).await.unwrap();
        tokio::time::timeout(Duration::from_secs(5), server.shutdown()).await.expect("it stops");
        assert_eq!(rest(&mut inside).await, "");
    }
}
