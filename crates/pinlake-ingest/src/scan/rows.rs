//! The rows of one part of a scan, in the order of pieces and lines.

use std::sync::{Arc, Mutex};

use arrow::array::RecordBatch;
use futures::Stream;
use pinlake_decode::DecodedBlock;
use pinlake_source::Piece;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use super::reader::{Pending, read};
use super::{Rejected, Work, lock};
use crate::error::IngestError;

/// Rows as they are asked for. Reading begins with the first call; dropping this ends it.
#[derive(Debug)]
pub struct PieceRows {
    work: Arc<Work>,
    pieces: Arc<[Piece]>,
    /// Rows that are still wanted; none: all.
    left: Option<usize>,
    rejected: Arc<Mutex<Rejected>>,
    reading: Option<Reading>,
}

/// The task that reads, and what it sends. The task is aborted when this is dropped.
#[derive(Debug)]
struct Reading {
    blocks: mpsc::Receiver<Pending>,
    task: JoinSet<()>,
}

impl PieceRows {
    pub(super) fn new(
        work: Arc<Work>,
        pieces: Arc<[Piece]>,
        limit: Option<usize>,
        rejected: Arc<Mutex<Rejected>>,
    ) -> Self {
        Self { work, pieces, left: limit, rejected, reading: None }
    }

    /// The next rows: a batch of the selected columns that is not empty. `None` behind the last row and behind an error. It
    /// must be called within a tokio runtime.
    pub async fn next(&mut self) -> Option<Result<RecordBatch, IngestError>> {
        loop {
            if self.left == Some(0) {
                self.stop();
                return None;
            }
            let Some(pending) = self.reading().blocks.recv().await else {
                return self.ended().await.map(Err);
            };
            match settled(pending).await {
                Ok((piece, decoded)) => {
                    if let Some(batch) = self.take(&piece, decoded) {
                        return Some(Ok(batch));
                    }
                }
                Err(error) => {
                    self.stop();
                    return Some(Err(error));
                }
            }
        }
    }

    /// The same as a stream.
    pub fn into_stream(self) -> impl Stream<Item = Result<RecordBatch, IngestError>> + Send + 'static {
        futures::stream::unfold(self, |mut rows| async move {
            let next = rows.next().await?;
            Some((next, rows))
        })
    }

    fn reading(&mut self) -> &mut Reading {
        self.reading.get_or_insert_with(|| {
            let (sender, blocks) = mpsc::channel(self.work.jobs_ahead);
            let mut task = JoinSet::new();
            task.spawn(read(Arc::clone(&self.work), Arc::clone(&self.pieces), sender));
            Reading { blocks, task }
        })
    }

    /// Ends the reading; there will be no more rows.
    fn stop(&mut self) {
        self.left = Some(0);
        self.reading = None;
    }

    /// Why no more blocks came, if that was not because there are none.
    async fn ended(&mut self) -> Option<IngestError> {
        let outcome = self.reading().task.join_next().await;
        self.stop();
        match outcome {
            Some(Err(_)) => Some(IngestError::Panicked),
            _ => None,
        }
    }

    /// Counts what a block left out, and takes those of its rows that are still wanted.
    fn take(&mut self, piece: &str, decoded: DecodedBlock) -> Option<RecordBatch> {
        if let Some(first) = decoded.rejects.first() {
            let mut rejected = lock(&self.rejected);
            rejected.lines += decoded.rejects.len() as u64;
            rejected
                .example
                .get_or_insert_with(|| format!("piece `{piece}`, line {}: {}", first.line, first.reason));
        }
        let batch = decoded.batch?;
        let wanted = self.left.map_or(batch.num_rows(), |left| left.min(batch.num_rows()));
        self.left = self.left.map(|left| left - wanted);
        if self.left == Some(0) {
            self.stop();
        }
        Some(if wanted < batch.num_rows() { batch.slice(0, wanted) } else { batch })
    }
}

async fn settled(pending: Pending) -> Result<(Arc<str>, DecodedBlock), IngestError> {
    let (piece, job) = pending?;
    let decoded = job.result().await?;
    let decoded = decoded.map_err(|source| IngestError::Columns { piece: piece.to_string(), source })?;
    Ok((piece, decoded))
}
