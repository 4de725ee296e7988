//! A job as the API shows it and the state keeps it: its definition, its status and its counts.
//!
//! Statuses go `CREATED` → `PREPARING_FOR_INITIALIZATION` → `INITIALIZING` → `PROCESSING` → `COMPLETING` → `COMPLETED`, or
//! `FAILING` → `FAILED` where something could not be done. What a job does is its kind's own business.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::model::{self, ExportJobResource, ImportJobResource, JobCounts, JobResponse, JobStatus};
use crate::state::{Kind, State, StateError};
use crate::store::Store;

/// Failed entries that a job tells, as Pinpoint does.
const FAILURES_TOLD: usize = 100;

/// What a job is asked to do, and so its kind.
pub(super) trait Definition: Clone + Serialize + DeserializeOwned + Send + Sync + 'static {
    /// `Type` in the API.
    const TYPE: &'static str;
    /// Where the state keeps jobs of this kind.
    const KIND: Kind;

    /// The segment that it is about, if any.
    fn segment_id(&self) -> Option<&str>;
}

impl Definition for ExportJobResource {
    const TYPE: &'static str = "EXPORT";
    const KIND: Kind = Kind::ExportJob;

    fn segment_id(&self) -> Option<&str> {
        self.segment_id.as_deref()
    }
}

impl Definition for ImportJobResource {
    const TYPE: &'static str = "IMPORT";
    const KIND: Kind = Kind::ImportJob;

    fn segment_id(&self) -> Option<&str> {
        self.segment_id.as_deref()
    }
}

/// A job. Its state changes under a lock that is never held while the job works.
#[derive(Debug)]
pub(super) struct Job<D> {
    id: String,
    sequence: u64,
    application_id: String,
    definition: D,
    created: DateTime<Utc>,
    progress: Mutex<Progress>,
    state: State,
}

/// What changes in a job.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Progress {
    status: JobStatus,
    counts: Option<JobCounts>,
    failures: Vec<String>,
    /// Whether the job ends badly. Single entries may fail without that.
    has_failed: bool,
    completed: Option<DateTime<Utc>>,
}

/// A job as the state keeps it.
#[derive(Debug, Serialize, Deserialize)]
struct Record<D> {
    id: String,
    sequence: u64,
    definition: D,
    created: DateTime<Utc>,
    progress: Progress,
}

impl<D: Definition> Job<D> {
    /// A job, kept in the state from now on.
    pub(super) fn new(
        state: State,
        application_id: &str,
        sequence: u64,
        definition: D,
    ) -> Result<Self, StateError> {
        let job = Job {
            id: Uuid::new_v4().simple().to_string(),
            sequence,
            application_id: application_id.to_owned(),
            definition,
            created: Utc::now(),
            progress: Mutex::new(Progress {
                status: JobStatus::Created,
                counts: None,
                failures: Vec::new(),
                has_failed: false,
                completed: None,
            }),
            state,
        };
        job.keep()?;
        Ok(job)
    }

    /// The jobs that the state has of an application, the oldest first. One that a server left in the middle has failed.
    pub(super) fn all(state: &State, application_id: &str) -> Result<Vec<Arc<Self>>, StateError> {
        let records: Vec<Record<D>> = state.all(D::KIND, application_id)?;
        let revive = |record: Record<D>| {
            let job = Job {
                id: record.id,
                sequence: record.sequence,
                application_id: application_id.to_owned(),
                definition: record.definition,
                created: record.created,
                progress: Mutex::new(record.progress),
                state: state.clone(),
            };
            if !job.is_finished() {
                job.fail("The server was stopped before the job was done.");
                job.advance(JobStatus::Failed);
            }
            Arc::new(job)
        };
        let mut jobs: Vec<Arc<Self>> = records.into_iter().map(revive).collect();
        jobs.sort_by_key(|job| job.sequence);
        Ok(jobs)
    }

    /// `Id`: 32 hex digits.
    pub(super) fn id(&self) -> &str {
        &self.id
    }

    /// Its number within the application.
    pub(super) fn sequence(&self) -> u64 {
        self.sequence
    }

    /// `ApplicationId`.
    pub(super) fn application_id(&self) -> &str {
        &self.application_id
    }

    /// What it is asked to do.
    pub(super) fn definition(&self) -> &D {
        &self.definition
    }

    /// How the API shows it.
    pub(super) fn response(&self) -> JobResponse<D> {
        let progress = self.progress().clone();
        JobResponse {
            application_id: self.application_id.clone(),
            id: self.id.clone(),
            job_status: progress.status,
            creation_date: model::date(self.created),
            job_type: D::TYPE,
            definition: self.definition.clone(),
            counts: progress.counts,
            failures: progress.failures,
            completion_date: progress.completed.map(model::date),
        }
    }

    /// Goes on to a status. A last one gets its time and is kept.
    pub(super) fn advance(&self, status: JobStatus) {
        {
            let mut progress = self.progress();
            progress.status = status;
            if matches!(status, JobStatus::Completed | JobStatus::Failed) {
                progress.completed = Some(Utc::now());
            }
        }
        if self.is_finished()
            && let Err(error) = self.keep()
        {
            tracing::error!(%error, job = %self.id, "the end of a job could not be kept");
        }
    }

    /// Ends well, or badly where something failed, with a step between.
    pub(super) async fn finish(&self, pause: impl AsyncFnOnce()) {
        let has_failed = self.has_failed();
        self.advance(if has_failed { JobStatus::Failing } else { JobStatus::Completing });
        pause().await;
        self.advance(if has_failed { JobStatus::Failed } else { JobStatus::Completed });
    }

    /// The number of pieces is known.
    pub(super) fn begin_pieces(&self, total_pieces: u64) {
        self.progress().counts = Some(JobCounts { total_pieces, ..JobCounts::default() });
    }

    /// A piece is done, with this many endpoints processed and failed.
    pub(super) fn complete_piece(&self, processed: u64, failed: u64) {
        self.count(processed, failed);
        self.progress().counts.get_or_insert_default().completed_pieces += 1;
    }

    /// Counts endpoints that were processed and that failed.
    pub(super) fn count(&self, processed: u64, failed: u64) {
        let mut progress = self.progress();
        let counts = progress.counts.get_or_insert_default();
        counts.total_processed += processed;
        counts.total_failures += failed;
    }

    /// A piece with this many endpoints could not be done.
    pub(super) fn fail_piece(&self, endpoints: u64, failure: &str) {
        self.count(0, endpoints);
        self.progress().counts.get_or_insert_default().failed_pieces += 1;
        self.fail(failure);
    }

    /// Tells a failure that makes the job fail at its end.
    pub(super) fn fail(&self, failure: &str) {
        self.progress().has_failed = true;
        self.tell(failure);
    }

    /// Tells the failure of one entry.
    pub(super) fn tell(&self, failure: &str) {
        let mut progress = self.progress();
        if progress.failures.len() < FAILURES_TOLD {
            progress.failures.push(failure.to_owned());
        }
    }

    /// Whether the job will fail at its end.
    pub(super) fn has_failed(&self) -> bool {
        self.progress().has_failed
    }

    fn is_finished(&self) -> bool {
        matches!(self.progress().status, JobStatus::Completed | JobStatus::Failed)
    }

    fn keep(&self) -> Result<(), StateError> {
        let record = Record {
            id: self.id.clone(),
            sequence: self.sequence,
            definition: self.definition.clone(),
            created: self.created,
            progress: self.progress().clone(),
        };
        self.state.put(D::KIND, &self.application_id, &self.id, &record)
    }

    fn progress(&self) -> MutexGuard<'_, Progress> {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
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

impl JobSettings {
    /// Waits one step.
    pub(super) async fn pause(&self) {
        if self.pace.is_zero() {
            tokio::task::yield_now().await;
        } else {
            tokio::time::sleep(self.pace).await;
        }
    }
}

/// Runs jobs in the background. Dropping it ends them as they stand.
#[derive(Debug)]
pub(crate) struct JobRunner {
    pub(super) settings: JobSettings,
    tasks: Mutex<JoinSet<()>>,
    stop: CancellationToken,
}

impl JobRunner {
    /// A runner without jobs.
    pub(crate) fn new(settings: JobSettings) -> Self {
        JobRunner { settings, tasks: Mutex::default(), stop: CancellationToken::new() }
    }

    /// Work on threads that no task can abort looks at this before its next piece.
    pub(super) fn stop(&self) -> CancellationToken {
        self.stop.clone()
    }

    /// Begins a job's work.
    pub(super) fn begin(&self, work: impl Future<Output = ()> + Send + 'static) {
        let mut tasks = self.tasks.lock().unwrap_or_else(PoisonError::into_inner);
        while tasks.try_join_next().is_some() {}
        tasks.spawn(work);
    }
}

impl Drop for JobRunner {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}
