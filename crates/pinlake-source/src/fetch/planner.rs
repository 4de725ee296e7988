//! The one place that decides what is asked for next.
//!
//! The planner walks the plan span by span. For each it waits for room in the window, then for a free request,
//! then starts the GET and puts its result's place into the piece's queue. See [`super`] for why this order
//! cannot deadlock.

use std::sync::Arc;

use bytes::Bytes;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot};
use tokio::task::JoinSet;

use super::body::{HeldBytes, PieceBody, SpanData, SpanResult};
use super::gate::Gate;
use super::{FetchError, FetchLimits, file, object};
use crate::aws::Aws;
use crate::piece::{Location, Piece};

/// How many pieces may be queued beyond those that are being fetched. It bounds the bookkeeping for pieces
/// that are almost nothing, of which a window holds any number.
const QUEUED_PIECES: usize = 256;

/// What is planned with at most where every piece is a file. A file is near, so reading far ahead of the consumer gains nothing,
/// and memory that is not touched need not be cleared: a conversion of a million endpoints in 20 pieces peaks at 195 MB with
/// these and at 280 MB with a window of 30 MiB, in the same time (2026-11-25).
const FILES: FetchLimits =
    FetchLimits { window_bytes: 8 << 20, max_requests: 16, whole_piece_bytes: 2 << 20, chunk_bytes: 1 << 20 };

/// A part of a piece that one GET brings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Span {
    /// The first byte.
    pub(super) offset: u64,
    /// How many bytes; it fits the window, and so a `usize` and the permits of a semaphore.
    pub(super) bytes: usize,
    /// Whether the span is the whole piece.
    pub(super) is_whole: bool,
}

/// The bounds as the plan uses them: never zero, and no span larger than the window.
#[derive(Debug, Clone, Copy)]
struct Bounds {
    window_bytes: usize,
    max_requests: usize,
    whole_piece_bytes: u64,
    chunk_bytes: usize,
}

impl From<FetchLimits> for Bounds {
    fn from(limits: FetchLimits) -> Self {
        // A semaphore gives out at most u32::MAX permits at a time, which bounds a span.
        let span_max = usize::try_from(u32::MAX).unwrap_or(usize::MAX);
        let window_bytes = limits.window_bytes.clamp(1, Semaphore::MAX_PERMITS);
        let span_max = span_max.min(window_bytes);
        Self {
            window_bytes,
            max_requests: limits.max_requests.clamp(1, Semaphore::MAX_PERMITS),
            whole_piece_bytes: limits.whole_piece_bytes.min(span_max as u64),
            chunk_bytes: limits.chunk_bytes.clamp(1, span_max),
        }
    }
}

impl Bounds {
    /// For these pieces.
    fn new(limits: FetchLimits, pieces: &[Piece]) -> Self {
        if pieces.iter().any(|piece| !matches!(piece.location, Location::File(_))) {
            return Self::from(limits);
        }
        Self::from(FetchLimits {
            window_bytes: limits.window_bytes.min(FILES.window_bytes),
            max_requests: limits.max_requests.min(FILES.max_requests),
            whole_piece_bytes: limits.whole_piece_bytes.min(FILES.whole_piece_bytes),
            chunk_bytes: limits.chunk_bytes.min(FILES.chunk_bytes),
        })
    }

    fn is_whole(&self, piece_bytes: u64) -> bool {
        piece_bytes <= self.whole_piece_bytes
    }

    /// The spans of a piece, in order; one for a piece of nothing.
    fn spans(&self, piece_bytes: u64) -> impl Iterator<Item = Span> + use<> {
        let is_whole = self.is_whole(piece_bytes);
        let chunk_bytes = if is_whole { piece_bytes } else { self.chunk_bytes as u64 };
        let mut offset = 0;
        let mut is_first = true;
        std::iter::from_fn(move || {
            if offset >= piece_bytes && !is_first {
                return None;
            }
            is_first = false;
            let bytes = chunk_bytes.min(piece_bytes - offset);
            let span = Span { offset, bytes: usize::try_from(bytes).ok()?, is_whole };
            offset += bytes;
            Some(span)
        })
    }

    /// How many spans of one piece the window can hold.
    fn spans_in_window(&self) -> usize {
        (self.window_bytes / self.chunk_bytes).saturating_add(1)
    }
}

/// Walks the plan; see the module.
pub(super) struct Planner {
    aws: Option<Aws>,
    pieces: Arc<[Piece]>,
    bounds: Bounds,
    queue: mpsc::Sender<PieceBody>,
    window: Arc<Semaphore>,
    requests: Arc<Semaphore>,
    gate: Gate,
    /// How many spans were started.
    turns: u64,
    gets: JoinSet<()>,
}

impl Planner {
    /// A planner and the queue in which the pieces will appear.
    pub(super) fn new(
        aws: Option<Aws>,
        pieces: Arc<[Piece]>,
        limits: FetchLimits,
    ) -> (Self, mpsc::Receiver<PieceBody>) {
        let bounds = Bounds::new(limits, &pieces);
        let (queue, bodies) = mpsc::channel(QUEUED_PIECES);
        let planner = Self {
            aws,
            pieces,
            bounds,
            queue,
            window: Arc::new(Semaphore::new(bounds.window_bytes)),
            requests: Arc::new(Semaphore::new(bounds.max_requests)),
            gate: Gate::new(bounds.max_requests),
            turns: 0,
            gets: JoinSet::new(),
        };
        (planner, bodies)
    }

    /// Runs until every GET is done or nobody waits for one any more.
    pub(super) async fn run(mut self) {
        let pieces = Arc::clone(&self.pieces);
        for (index, piece) in pieces.iter().enumerate() {
            let is_whole = self.bounds.is_whole(piece.size);
            let room = if is_whole { 1 } else { self.bounds.spans_in_window() };
            let (spans, chunks) = mpsc::channel(room);
            let body = PieceBody::new(Arc::clone(&pieces), index, is_whole, chunks);
            if self.queue.send(body).await.is_err() {
                return;
            }
            if self.start_piece(index, piece, &spans).await.is_none() {
                return;
            }
        }
        while self.gets.join_next().await.is_some() {}
    }

    /// Starts every span of a piece; a body that was dropped ends its piece and not the plan.
    async fn start_piece(
        &mut self,
        index: usize,
        piece: &Piece,
        spans: &mpsc::Sender<oneshot::Receiver<SpanResult>>,
    ) -> Option<()> {
        for span in self.bounds.spans(piece.size) {
            let permits = u32::try_from(span.bytes).ok()?;
            let held = Arc::clone(&self.window).acquire_many_owned(permits).await.ok()?;
            let slot = Arc::clone(&self.requests).acquire_owned().await.ok()?;
            let (answer, result) = oneshot::channel();
            let (aws, pieces) = (self.aws.clone(), Arc::clone(&self.pieces));
            let get = Get { aws, pieces, index, span, gate: self.gate.clone(), turn: self.turns };
            self.turns += 1;
            self.gets.spawn(get.run(held, slot, answer));
            while self.gets.try_join_next().is_some() {}
            if spans.send(result).await.is_err() {
                return Some(());
            }
        }
        Some(())
    }
}

/// One span on its way.
struct Get {
    aws: Option<Aws>,
    pieces: Arc<[Piece]>,
    index: usize,
    span: Span,
    gate: Gate,
    turn: u64,
}

impl Get {
    /// Brings the span, or stops as soon as nobody waits for it.
    async fn run(
        self,
        held: OwnedSemaphorePermit,
        slot: OwnedSemaphorePermit,
        mut answer: oneshot::Sender<SpanResult>,
    ) {
        let result = tokio::select! {
            result = self.bytes() => result,
            () = answer.closed() => return,
        };
        drop(slot);
        let result = result.map(|span| span.map(|bytes| HeldBytes::new(bytes, held)));
        // A body that was dropped meanwhile does not want the bytes; they are dropped with it.
        let _ = answer.send(result);
    }

    async fn bytes(&self) -> Result<SpanData<Bytes>, FetchError> {
        let piece = &self.pieces[self.index];
        match &piece.location {
            Location::File(path) => file::read(path, piece.size, self.span).await,
            Location::S3 { bucket, key } => {
                let aws = self
                    .aws
                    .as_ref()
                    .ok_or_else(|| FetchError::NotConnected { bucket: bucket.clone(), key: key.clone() })?;
                let etag = piece.etag.as_deref();
                let (gate, turn) = (&self.gate, self.turn);
                let (size, span) = (piece.size, self.span);
                object::ObjectSpan { aws, bucket, key, etag, size, span, gate, turn }.get().await
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn spans_cover_a_piece_once_and_fit_the_window(
            piece_bytes in 0_u64..5_000,
            window_bytes in 0_usize..600,
            whole_piece_bytes in 0_u64..700,
            chunk_bytes in 0_usize..700,
        ) {
            let limits = FetchLimits { window_bytes, max_requests: 0, whole_piece_bytes, chunk_bytes };
            let bounds = Bounds::from(limits);
            let spans: Vec<Span> = bounds.spans(piece_bytes).collect();
            let mut end = 0;
            for span in &spans {
                prop_assert_eq!(span.offset, end);
                prop_assert!(span.bytes <= bounds.window_bytes);
                prop_assert_eq!(span.is_whole, spans.len() == 1 && bounds.is_whole(piece_bytes));
                end += span.bytes as u64;
            }
            prop_assert_eq!(end, piece_bytes);
            prop_assert!(!spans.is_empty());
        }
    }
}
