//! Bodies of answers: what is in memory is handed out without copying, what is in files is read a chunk at a time.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use futures::Stream;
use s3s::StdError;
use s3s::stream::{ByteStream, RemainingLength};
use tokio::task::JoinHandle;

use crate::store::Body;

/// A body as a stream of chunks.
pub(super) struct Chunks {
    rest: Body,
    /// Bytes that were not handed out yet, those being read included.
    remaining: usize,
    /// The chunk that is being read from a file.
    reading: Option<JoinHandle<io::Result<Bytes>>>,
}

impl Chunks {
    /// All of a body.
    pub(super) fn new(body: Body) -> Self {
        Chunks { remaining: body.length(), rest: body, reading: None }
    }

    /// Begins to read the next chunk where it is in a file; hands it out where it is in memory.
    fn next(&mut self) -> Option<io::Result<Bytes>> {
        let chunk = self.rest.split_chunk()?;
        if chunk.is_in_memory() {
            return Some(chunk.read());
        }
        self.reading = Some(tokio::task::spawn_blocking(move || chunk.read()));
        None
    }
}

impl Stream for Chunks {
    type Item = Result<Bytes, StdError>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if self.reading.is_none() {
            match self.next() {
                Some(chunk) => {
                    let chunk = chunk?;
                    self.remaining -= chunk.len();
                    return Poll::Ready(Some(Ok(chunk)));
                }
                None if self.reading.is_none() => return Poll::Ready(None),
                None => {}
            }
        }
        let Some(reading) = &mut self.reading else { return Poll::Ready(None) };
        let chunk = ready!(Pin::new(reading).poll(context))?;
        self.reading = None;
        let chunk =
            chunk.inspect_err(|error| tracing::error!(%error, "the bytes of an object cannot be read"))?;
        self.remaining -= chunk.len();
        Poll::Ready(Some(Ok(chunk)))
    }
}

impl ByteStream for Chunks {
    fn remaining_length(&self) -> RemainingLength {
        RemainingLength::new_exact(self.remaining)
    }
}
