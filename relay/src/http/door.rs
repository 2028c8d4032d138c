//! Who is let in to the pages: so many at a time, each for so long.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::serve::Listener;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

/// How long a visitor may stay when the relay stops.
const FAREWELL: Duration = Duration::from_secs(1);

#[derive(Debug, Clone, Copy)]
pub(super) struct Bounds {
    /// Visitors at the same time.
    pub(super) places: usize,
    /// How long one may take for its request and the answer.
    pub(super) patience: Duration,
}

impl Default for Bounds {
    /// Far more than watch a relay, each with far more time than a page takes.
    fn default() -> Self {
        Self { places: 64, patience: Duration::from_secs(10) }
    }
}

/// A listener with bounds.
#[derive(Debug)]
pub(super) struct Door {
    listener: TcpListener,
    places: Arc<Semaphore>,
    patience: Duration,
    stopping: CancellationToken,
}

impl Door {
    pub(super) fn new(listener: TcpListener, bounds: Bounds, stopping: CancellationToken) -> Self {
        Self { listener, places: Arc::new(Semaphore::new(bounds.places)), patience: bounds.patience, stopping }
    }
}

impl Listener for Door {
    type Io = Visit;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Visit, SocketAddr) {
        let place = Arc::clone(&self.places).acquire_owned().await.ok();
        let (stream, from) = Listener::accept(&mut self.listener).await;
        let (patience, stopping) = (self.patience, self.stopping.clone());
        let end = async move {
            tokio::select! {
                () = sleep(patience) => {}
                () = async { stopping.cancelled().await; sleep(FAREWELL).await } => {}
            }
        };
        (Visit { stream, end: Some(Box::pin(end)), _place: place }, from)
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }
}

/// A connection that ends when its time is over.
pub(super) struct Visit {
    stream: TcpStream,
    /// None once it has come.
    end: Option<Pin<Box<dyn Future<Output = ()> + Send>>>,
    /// Given back with the connection.
    _place: Option<OwnedSemaphorePermit>,
}

impl Visit {
    /// What the stream says, unless the time is over.
    fn in_time<T>(
        &mut self,
        context: &mut Context<'_>,
        poll: impl FnOnce(Pin<&mut TcpStream>, &mut Context<'_>) -> Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        if self.end.as_mut().is_some_and(|end| end.as_mut().poll(context).is_ready()) {
            self.end = None;
        }
        match self.end {
            None => Poll::Ready(Err(io::ErrorKind::TimedOut.into())),
            Some(_) => poll(Pin::new(&mut self.stream), context),
        }
    }
}

impl AsyncRead for Visit {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        self.in_time(context, |stream, context| stream.poll_read(context, into))
    }
}

impl AsyncWrite for Visit {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.in_time(context, |stream, context| stream.poll_write(context, bytes))
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.in_time(context, |stream, context| stream.poll_flush(context))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.in_time(context, |stream, context| stream.poll_shutdown(context))
    }
}
