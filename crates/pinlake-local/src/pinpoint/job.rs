//! An export job at work: `CREATED` → `PREPARING_FOR_INITIALIZATION` → `INITIALIZING` → `PROCESSING` → `COMPLETING` →
//! `COMPLETED`, or `FAILING` → `FAILED` where a piece could not be written.
//!
//! Pieces are made on rayon's threads, in waves, so that a client that polls sees `CompletedPieces` grow. Memory is the
//! store's: each piece is put there as soon as it is made. A job ends early, as it stands, when its runner is dropped.

use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chrono::{DateTime, Utc};
use rayon::prelude::*;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::application::Application;
use super::export::Destination;
use crate::model::{self, ExportJobResource, ExportJobResponse, JobCounts, JobStatus};
use crate::population::Population;
use crate::store::Store;

/// Steps of `CompletedPieces` that a job shows, at least, if it has so many pieces.
const WAVES: usize = 8;

/// Failed entries that a job tells, as Pinpoint does.
const FAILURES_TOLD: usize = 100;

/// A job. Its state changes under a lock that is never held while a piece is made.
#[derive(Debug)]
pub(crate) struct Job {
    id: String,
    sequence: u64,
    application_id: String,
    definition: ExportJobResource,
    created: DateTime<Utc>,
    state: Mutex<JobState>,
}

/// What changes in a job.
#[derive(Debug)]
struct JobState {
    status: JobStatus,
    counts: Option<JobCounts>,
    failures: Vec<String>,
    completed: Option<DateTime<Utc>>,
}

impl Job {
    /// The application's next job.
    pub(super) fn new(application: &Application, definition: ExportJobResource) -> Self {
        Job {
            id: Uuid::new_v4().simple().to_string(),
            sequence: application.jobs.last().map_or(0, |job| job.sequence + 1),
            application_id: application.id.clone(),
            definition,
            created: Utc::now(),
            state: Mutex::new(JobState {
                status: JobStatus::Created,
                counts: None,
                failures: Vec::new(),
                completed: None,
            }),
        }
    }

    /// `Id`: 32 hex digits.
    pub(super) fn id(&self) -> &str {
        &self.id
    }

    /// Its number within the application.
    pub(super) fn sequence(&self) -> u64 {
        self.sequence
    }

    /// The segment it exports, if it is not the whole application.
    pub(super) fn segment_id(&self) -> Option<&str> {
        self.definition.segment_id.as_deref()
    }

    /// How the API shows it.
    pub(super) fn response(&self) -> ExportJobResponse {
        let state = self.state();
        ExportJobResponse {
            application_id: self.application_id.clone(),
            id: self.id.clone(),
            job_status: state.status,
            creation_date: model::date(self.created),
            job_type: "EXPORT",
            definition: self.definition.clone(),
            counts: state.counts,
            failures: state.failures.clone(),
            completion_date: state.completed.map(model::date),
        }
    }

    /// The key of a piece: names under the prefix are Pinpoint's own, and nobody should rely on them.
    fn key(&self, destination: &Destination, part: usize) -> String {
        let folder = self.segment_id().unwrap_or(&self.application_id);
        format!("{}{folder}/{}-{part:05}.gz", destination.prefix, self.id)
    }

    /// Goes on to a status; a last one gets its time.
    fn advance(&self, status: JobStatus) {
        let mut state = self.state();
        state.status = status;
        if matches!(status, JobStatus::Completed | JobStatus::Failed) {
            state.completed = Some(Utc::now());
        }
    }

    /// Counts a piece of this many endpoints.
    fn count_piece(&self, endpoints: u64, failure: Option<String>) {
        let mut state = self.state();
        let counts = state.counts.get_or_insert_default();
        if let Some(failure) = failure {
            counts.failed_pieces += 1;
            counts.total_failures += endpoints;
            if state.failures.len() < FAILURES_TOLD {
                state.failures.push(failure);
            }
        } else {
            counts.completed_pieces += 1;
            counts.total_processed += endpoints;
        }
    }

    fn state(&self) -> MutexGuard<'_, JobState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How jobs work.
#[derive(Debug, Clone)]
pub(crate) struct JobSettings {
    /// Where pieces go.
    pub(crate) store: Store,
    /// Endpoints in a piece, at most.
    pub(crate) endpoints_per_piece: u64,
    /// Time between two steps.
    pub(crate) pace: Duration,
}

/// Runs jobs in the background. Dropping it ends them.
#[derive(Debug)]
pub(crate) struct JobRunner {
    settings: JobSettings,
    tasks: Mutex<JoinSet<()>>,
    stop: CancellationToken,
}

impl JobRunner {
    /// A runner without jobs.
    pub(crate) fn new(settings: JobSettings) -> Self {
        JobRunner { settings, tasks: Mutex::default(), stop: CancellationToken::new() }
    }

    /// Begins a job.
    pub(super) fn begin(&self, job: Arc<Job>, population: Option<Arc<Population>>, destination: Destination) {
        let work = Work {
            job,
            population,
            destination: Arc::new(destination),
            settings: self.settings.clone(),
            stop: self.stop.clone(),
        };
        let mut tasks = self.tasks.lock().unwrap_or_else(PoisonError::into_inner);
        while tasks.try_join_next().is_some() {}
        tasks.spawn(work.run());
    }
}

impl Drop for JobRunner {
    fn drop(&mut self) {
        // Pieces are made on threads that no task can abort; they look at this before the next piece.
        self.stop.cancel();
    }
}

/// One job with everything it needs.
#[derive(Clone)]
struct Work {
    job: Arc<Job>,
    population: Option<Arc<Population>>,
    destination: Arc<Destination>,
    settings: JobSettings,
    stop: CancellationToken,
}

impl Work {
    /// Takes the job through its statuses.
    async fn run(self) {
        for status in [JobStatus::PreparingForInitialization, JobStatus::Initializing] {
            self.pause().await;
            self.job.advance(status);
        }
        self.pause().await;
        let pieces = self.pieces();
        self.job.state().counts =
            Some(JobCounts { total_pieces: pieces.len() as u64, ..JobCounts::default() });
        self.job.advance(JobStatus::Processing);
        self.pause().await;
        self.check_bucket();
        for wave in waves(&pieces) {
            self.write_wave(wave).await;
            self.pause().await;
        }
        let failed = !self.job.state().failures.is_empty();
        self.job.advance(if failed { JobStatus::Failing } else { JobStatus::Completing });
        self.pause().await;
        self.job.advance(if failed { JobStatus::Failed } else { JobStatus::Completed });
    }

    /// The endpoints of each piece, numbered. No endpoints, no pieces.
    fn pieces(&self) -> Vec<(usize, Range<u64>)> {
        let Some(population) = &self.population else { return Vec::new() };
        let piece_count = population.endpoints().div_ceil(self.settings.endpoints_per_piece.max(1));
        population.pieces(piece_count).into_iter().enumerate().collect()
    }

    /// A job without pieces fails, too, where there is no bucket.
    fn check_bucket(&self) {
        let bucket = &self.destination.bucket;
        if !self.settings.store.has_bucket(bucket) {
            self.job
                .state()
                .failures
                .push(format!("The bucket {bucket} does not exist or cannot be written to."));
        }
    }

    /// Makes some pieces on rayon's threads and puts them into the store.
    async fn write_wave(&self, wave: Vec<(usize, Range<u64>)>) {
        let endpoints: u64 = wave.iter().map(|(_, range)| range.end - range.start).sum();
        let work = self.clone();
        let made = tokio::task::spawn_blocking(move || {
            wave.into_par_iter().for_each(|(part, range)| work.write_piece(part, range));
        });
        if let Err(error) = made.await {
            tracing::error!(%error, job = %self.job.id, "pieces could not be made");
            self.job.count_piece(endpoints, Some("Pieces could not be made.".to_owned()));
        }
    }

    /// Makes one piece and puts it into the store.
    fn write_piece(&self, part: usize, range: Range<u64>) {
        let Some(population) = &self.population else { return };
        if self.stop.is_cancelled() {
            return;
        }
        let endpoints = range.end - range.start;
        // A piece that nobody takes need not be made.
        let failure = if self.settings.store.has_bucket(&self.destination.bucket) {
            let key = self.job.key(&self.destination, part);
            let put = self.settings.store.put(&self.destination.bucket, &key, population.piece(range));
            put.err().map(|error| format!("Piece {part}: {error}."))
        } else {
            Some(format!("Piece {part}: the bucket {} does not exist.", self.destination.bucket))
        };
        self.job.count_piece(endpoints, failure);
    }

    /// Waits one step.
    async fn pause(&self) {
        if self.settings.pace.is_zero() {
            tokio::task::yield_now().await;
        } else {
            tokio::time::sleep(self.settings.pace).await;
        }
    }
}

/// Splits the pieces so that every wave keeps all threads busy and a client sees progress.
fn waves(pieces: &[(usize, Range<u64>)]) -> Vec<Vec<(usize, Range<u64>)>> {
    let size = pieces.len().div_ceil(WAVES).next_multiple_of(rayon::current_num_threads().max(1)).max(1);
    pieces.chunks(size).map(<[_]>::to_vec).collect()
}
