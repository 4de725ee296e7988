//! Accepts connections and answers their requests, until it is told to stop.
//!
//! Bounds: [`ClientLimits`], for the number of connections (others wait to be accepted), for a request's headers, and for
//! requests under way when the listener stops. Dropping it aborts everything at once.

use std::io::{self, IoSlice};
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::combinators::UnsyncBoxBody;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::{JoinHandle, JoinSet};
use tokio_util::sync::CancellationToken;

use crate::error::LocalError;

/// How much of a server's time and room its clients may take, of each service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClientLimits {
    /// Connections served at once; others wait. Stock clients keep at most some tens each.
    pub connections: usize,
    /// How long a request's headers may take to come, and a connection may be kept without one.
    pub header_time: Duration,
    /// How long the whole body of a Pinpoint request may take to come, and that of an S3 request may pause.
    pub body_time: Duration,
    /// How long requests under way have to end when the server stops.
    pub stop_time: Duration,
}

impl Default for ClientLimits {
    fn default() -> Self {
        ClientLimits {
            connections: 1_024,
            header_time: Duration::from_secs(30),
            body_time: Duration::from_mins(1),
            stop_time: Duration::from_secs(5),
        }
    }
}

/// An error in the middle of a body.
pub(crate) type BodyError = Box<dyn std::error::Error + Send + Sync>;

/// A body of either service.
pub(crate) type ResponseBody = UnsyncBoxBody<Bytes, BodyError>;

/// Answers requests. Failures are answers, too.
pub(crate) trait Handler: Send + Sync + 'static {
    /// The answer. The request carries a [`ResetSwitch`] among its extensions.
    /// `None` closes the connection without an answer.
    fn handle(
        &self,
        request: Request<Incoming>,
    ) -> impl Future<Output = Option<Response<ResponseBody>>> + Send;
}

/// Makes the connection end in a reset instead of an orderly close.
#[derive(Debug, Clone, Default)]
pub(crate) struct ResetSwitch(Arc<AtomicBool>);

impl ResetSwitch {
    /// The connection will be reset when it is dropped.
    pub(crate) fn arm(&self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// A bound address and the task that serves it.
#[derive(Debug)]
pub(crate) struct Listener {
    address: SocketAddr,
    stop: CancellationToken,
    task: JoinHandle<()>,
}

impl Listener {
    /// Binds the address and begins to serve.
    pub(crate) async fn start<H: Handler>(
        address: SocketAddr,
        handler: H,
        limits: ClientLimits,
    ) -> Result<Self, LocalError> {
        let bind_error = |source| LocalError::Bind { address, source };
        let listener = TcpListener::bind(address).await.map_err(bind_error)?;
        let address = listener.local_addr().map_err(bind_error)?;
        let stop = CancellationToken::new();
        let task = tokio::spawn(serve(listener, Arc::new(handler), limits, stop.clone()));
        Ok(Listener { address, stop, task })
    }

    /// Where it listens, with the port it got.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Accepts nothing more, lets requests under way end for a bounded time, and closes.
    pub(crate) async fn stop(mut self) {
        self.stop.cancel();
        if let Err(error) = (&mut self.task).await {
            tracing::warn!(%error, address = %self.address, "listener ended badly");
        }
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// The listener's task. Connections are children of it: aborting it drops them.
async fn serve<H: Handler>(
    listener: TcpListener,
    handler: Arc<H>,
    limits: ClientLimits,
    stop: CancellationToken,
) {
    let graceful = GracefulShutdown::new();
    let places = Arc::new(Semaphore::new(limits.connections));
    let mut connections = JoinSet::new();
    loop {
        let accept = async {
            let place = Arc::clone(&places).acquire_owned().await;
            (place, listener.accept().await)
        };
        let (place, accepted) = tokio::select! {
            biased;
            () = stop.cancelled() => break,
            Some(_) = connections.join_next() => continue,
            accepted = accept => accepted,
        };
        match accepted {
            Ok((stream, _)) => {
                let connection = answer(stream, Arc::clone(&handler), limits, graceful.watcher());
                connections.spawn(async move {
                    connection.await;
                    drop(place);
                });
            }
            // A connection that died before it was accepted, or no file handle left: the next may do.
            Err(error) => {
                tracing::debug!(%error, "cannot accept a connection");
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        }
    }
    drop(listener);
    if tokio::time::timeout(limits.stop_time, graceful.shutdown()).await.is_err() {
        tracing::warn!("some requests did not end in time and are cut off");
    }
    // What answered them lets go of the state before the listener has stopped: a next server may want it.
    connections.shutdown().await;
}

/// Answers the requests of one connection.
async fn answer<H: Handler>(stream: TcpStream, handler: Arc<H>, limits: ClientLimits, watcher: Watcher) {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "cannot disable Nagle's algorithm");
    }
    let reset = ResetSwitch::default();
    let io = TokioIo::new(Connection { stream, reset: reset.clone() });
    let service = service_fn(move |mut request: Request<Incoming>| {
        let handler = Arc::clone(&handler);
        request.extensions_mut().insert(reset.clone());
        async move {
            let answer = handler.handle(request).await;
            answer.ok_or_else(|| io::Error::from(io::ErrorKind::ConnectionReset))
        }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.header_time)
        .serve_connection(io, service);
    if let Err(error) = watcher.watch(connection).await {
        // Clients that leave and faults that were asked for end here.
        tracing::debug!(%error, "connection ended early");
    }
}

/// A TCP stream that can be closed by a reset.
struct Connection {
    stream: TcpStream,
    reset: ResetSwitch,
}

impl Drop for Connection {
    fn drop(&mut self) {
        if self.reset.0.load(Ordering::Relaxed)
            && let Err(error) = self.stream.set_zero_linger()
        {
            tracing::debug!(%error, "cannot reset a connection");
        }
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
