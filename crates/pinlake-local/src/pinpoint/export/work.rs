//! An export job at work: its pieces are made on rayon's threads, in waves, so that a client that polls sees
//! `CompletedPieces` grow. Memory is the store's: each piece is put there as soon as it is made.

use std::ops::Range;
use std::sync::Arc;

use rayon::prelude::*;
use tokio_util::sync::CancellationToken;

use super::Destination;
use crate::audience::{AudienceError, Source};
use crate::model::{ExportJobResource, JobStatus};
use crate::pinpoint::job::{Job, JobSettings};

/// Steps of `CompletedPieces` that a job shows, at least, if it has so many pieces.
const WAVES: usize = 8;

/// Finds out what a job exports. It is called once, on a thread that may block.
pub(super) type Choose = Box<dyn FnOnce() -> Result<Source, AudienceError> + Send>;

/// One job with everything it needs.
#[derive(Clone)]
pub(super) struct Work {
    pub(super) job: Arc<Job<ExportJobResource>>,
    pub(super) destination: Arc<Destination>,
    pub(super) settings: JobSettings,
    pub(super) stop: CancellationToken,
}

impl Work {
    /// Takes the job through its statuses.
    pub(super) async fn run(self, choose: Choose) {
        for status in [JobStatus::PreparingForInitialization, JobStatus::Initializing] {
            self.settings.pause().await;
            self.job.advance(status);
        }
        let source = tokio::task::spawn_blocking(choose).await;
        self.settings.pause().await;
        match source {
            Ok(Ok(source)) => self.write_pieces(source).await,
            Ok(Err(error)) => self.break_off(&error),
            Err(error) => self.break_off(&error),
        }
        self.job.finish(async || self.settings.pause().await).await;
    }

    /// Nothing can be exported, by a fault of this server.
    fn break_off(&self, error: &dyn std::error::Error) {
        tracing::error!(%error, job = %self.job.id(), "endpoints cannot be read");
        self.job.fail("The application's endpoints cannot be read.");
    }

    async fn write_pieces(&self, source: Source) {
        let pieces: Vec<(usize, Range<u64>)> =
            source.pieces(self.settings.endpoints_per_piece).into_iter().enumerate().collect();
        self.job.begin_pieces(pieces.len() as u64);
        self.job.advance(JobStatus::Processing);
        self.settings.pause().await;
        self.check_bucket();
        for wave in waves(&pieces) {
            self.write_wave(&source, wave).await;
            self.settings.pause().await;
        }
    }

    /// A job without pieces fails, too, where there is no bucket.
    fn check_bucket(&self) {
        let bucket = &self.destination.bucket;
        if !self.settings.store.has_bucket(bucket) {
            self.job.fail(&format!("The bucket {bucket} does not exist or cannot be written to."));
        }
    }

    /// Makes some pieces on rayon's threads and puts them into the store.
    async fn write_wave(&self, source: &Source, wave: Vec<(usize, Range<u64>)>) {
        let endpoints: u64 = wave.iter().map(|(_, range)| range.end - range.start).sum();
        let (work, source) = (self.clone(), source.clone());
        let made = tokio::task::spawn_blocking(move || {
            wave.into_par_iter().for_each(|(part, range)| work.write_piece(&source, part, range));
        });
        if let Err(error) = made.await {
            tracing::error!(%error, job = %self.job.id(), "pieces could not be made");
            self.job.fail_piece(endpoints, "Pieces could not be made.");
        }
    }

    /// Makes one piece and puts it into the store.
    fn write_piece(&self, source: &Source, part: usize, range: Range<u64>) {
        if self.stop.is_cancelled() {
            return;
        }
        let endpoints = range.end - range.start;
        let bucket = &self.destination.bucket;
        // A piece that nobody takes need not be made.
        if !self.settings.store.has_bucket(bucket) {
            self.job.fail_piece(endpoints, &format!("Piece {part}: the bucket {bucket} does not exist."));
            return;
        }
        let put = source.piece(range).map_err(|error| error.to_string()).and_then(|piece| {
            let put = self.settings.store.put(bucket, &self.key(part), piece);
            put.map_err(|error| error.to_string())
        });
        match put {
            Ok(_) => self.job.complete_piece(endpoints, 0),
            Err(error) => self.job.fail_piece(endpoints, &format!("Piece {part}: {error}.")),
        }
    }

    /// The key of a piece: names under the prefix are Pinpoint's own, and nobody should rely on them.
    fn key(&self, part: usize) -> String {
        let folder = self.job.definition().segment_id.as_deref().unwrap_or(self.job.application_id());
        format!("{}{folder}/{}-{part:05}.gz", self.destination.prefix, self.job.id())
    }
}

/// Splits the pieces so that every wave keeps all threads busy and a client sees progress.
fn waves(pieces: &[(usize, Range<u64>)]) -> Vec<Vec<(usize, Range<u64>)>> {
    let size = pieces.len().div_ceil(WAVES).next_multiple_of(rayon::current_num_threads().max(1)).max(1);
    pieces.chunks(size).map(<[_]>::to_vec).collect()
}
