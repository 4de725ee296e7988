//! Waiting for a job's end by asking for it now and then.
//!
//! Each request has its own retries within `retry_for`, so the wait outlives short outages; an outage that
//! lasts longer ends it with that error, and the job id takes it up again.

use std::time::Duration;

use tokio::time::Instant;

use super::{ExportError, ExportJob, ExportJobs};
use crate::error::SourceError;
use crate::retry::jittered;

/// How long to wait for a job, and how often to ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WaitOptions {
    /// How long to wait in all.
    pub timeout: Duration,
    /// The first pause between two questions. Small jobs end within seconds.
    pub first_interval: Duration,
    /// The longest pause: pauses grow by half each time nothing has changed.
    pub max_interval: Duration,
}

impl Default for WaitOptions {
    fn default() -> Self {
        Self {
            timeout: Duration::from_hours(2),
            first_interval: Duration::from_millis(500),
            max_interval: Duration::from_secs(15),
        }
    }
}

impl ExportJobs {
    /// Waits until the job has ended and returns it completed. `on_progress` hears of every answer, the last
    /// one included. A job that failed is [`ExportError::JobFailed`].
    pub async fn wait(
        &self,
        application_id: &str,
        job_id: &str,
        options: &WaitOptions,
        mut on_progress: impl FnMut(&ExportJob),
    ) -> Result<ExportJob, SourceError> {
        let began = Instant::now();
        let give_up_at = began + options.timeout;
        let mut interval = options.first_interval;
        let mut last: Option<ExportJob> = None;
        loop {
            let retry = self.aws.retry();
            // Once the server has answered, a connection that does not open is an outage to sit out.
            let retry = if last.is_some() { retry } else { retry.first_contact() };
            let job = self.get_within(retry, application_id, job_id).await?;
            on_progress(&job);
            if job.is_completed() {
                return Ok(job);
            }
            if job.is_failed() {
                return Err(ExportError::JobFailed { job: Box::new(job) }.into());
            }
            let now = Instant::now();
            if now >= give_up_at {
                let waited_seconds = began.elapsed().as_secs();
                return Err(ExportError::JobTimedOut { job: Box::new(job), waited_seconds }.into());
            }
            // A job that moves is asked for more often than one that does not.
            interval = match last {
                Some(last) if last == job => (interval * 3 / 2).min(options.max_interval),
                Some(_) => options.first_interval,
                None => interval,
            };
            last = Some(job);
            tokio::time::sleep(jittered(interval).min(give_up_at - now)).await;
        }
    }
}
