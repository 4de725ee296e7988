//! The export job of a run: created, or taken up again where an interrupted run of the same command created it.
//!
//! What was created is noted in the lake before anybody waits for it. The note is there before the job is, with the prefix that the
//! job is to write to, so that a job whose creation was not answered is found by that.

use std::time::Duration;

use chrono::{DateTime, Utc};
use pinlake_lake::{JobNote, LakeError};
use pinlake_source::{Aws, ErrorKind, ExportJob, ExportJobs, ExportRequest, SourceError, WaitOptions};
use serde::{Deserialize, Serialize};

use super::super::Context;
use super::super::export::await_job;
use super::{folder_of_this_run, told_id};
use crate::args::RunArgs;
use crate::ui;

/// A job that is older is not what somebody wants who runs an export now.
const TAKEN_UP_WITHIN: Duration = Duration::from_hours(12);

/// What is noted of a job.
#[derive(Debug, Serialize, Deserialize)]
struct Noted {
    /// Where the job writes.
    s3_url_prefix: String,
    /// Its id, once Pinpoint has told it.
    job_id: Option<String>,
    at: DateTime<Utc>,
}

/// A job that has completed, and what is noted of it.
pub(super) struct Exported {
    pub(super) job: ExportJob,
    pub(super) request: ExportRequest,
    /// None while another run of the same command holds it.
    note: Option<JobNote>,
}

impl Exported {
    /// Forgets the job: what it wrote is in the lake, or will not be.
    pub(super) fn forget(&self) -> Result<(), LakeError> {
        self.note.as_ref().map_or(Ok(()), JobNote::forget)
    }
}

/// Takes up the job that an interrupted run of the same command created, or creates one, and waits for its end. Its id is told
/// first, so that an interrupted wait can be taken up by other means too.
pub(super) async fn export(
    context: &Context,
    aws: &Aws,
    args: &RunArgs,
    mut request: ExportRequest,
) -> anyhow::Result<Exported> {
    let asked = serde_json::to_string(&(&request, args.exact_prefix))?;
    // A lake that cannot be written to is told of before a job is created.
    let note = match JobNote::take(&context.settings.lake, &asked) {
        Err(LakeError::Busy { .. }) => None,
        note => Some(note?),
    };
    let jobs = ExportJobs::new(aws.clone());
    let noted =
        note.as_ref().and_then(JobNote::read::<Noted>).filter(|noted| !args.new_job && noted.is_recent());
    let found = match &noted {
        Some(noted) => noted.find(&jobs, &request).await?,
        None => None,
    };
    let created = if let (Some(noted), Some(job)) = (noted, found) {
        context.ui.note(format!(
            "taking up export job {}, which an interrupted run created {} ago; --new-job exports anew",
            job.id.as_deref().unwrap_or_default(),
            ui::duration(noted.age())
        ));
        request.s3_url_prefix = noted.s3_url_prefix;
        job
    } else {
        if !args.exact_prefix {
            request.s3_url_prefix = folder_of_this_run(&request.s3_url_prefix)?;
        }
        create(&jobs, &request, note.as_ref()).await?
    };
    let id = told_id(context, created, &request)?;
    let wait = WaitOptions { timeout: args.timeout, ..WaitOptions::default() };
    let place = (request.application_id.as_str(), id.as_str());
    let waited = await_job(context.ui, &jobs, place, &wait).await;
    if let (Err(SourceError::Export(pinlake_source::ExportError::JobFailed { .. })), Some(note)) =
        (&waited, &note)
    {
        note.forget()?;
    }
    Ok(Exported { job: waited?, request, note })
}

/// Creates a job, noted before and after.
async fn create(
    jobs: &ExportJobs,
    request: &ExportRequest,
    note: Option<&JobNote>,
) -> anyhow::Result<ExportJob> {
    let mut noted = Noted { s3_url_prefix: request.s3_url_prefix.clone(), job_id: None, at: Utc::now() };
    if let Some(note) = note {
        note.write(&noted)?;
    }
    let created = jobs.create(request).await?;
    noted.job_id.clone_from(&created.id);
    if let Some(note) = note {
        note.write(&noted)?;
    }
    Ok(created)
}

impl Noted {
    fn age(&self) -> Duration {
        (Utc::now() - self.at).to_std().unwrap_or_default()
    }

    fn is_recent(&self) -> bool {
        self.age() <= TAKEN_UP_WITHIN
    }

    /// The job, unless it failed or Pinpoint knows nothing of it.
    async fn find(&self, jobs: &ExportJobs, asked: &ExportRequest) -> Result<Option<ExportJob>, SourceError> {
        let Some(id) = &self.job_id else {
            let request = ExportRequest { s3_url_prefix: self.s3_url_prefix.clone(), ..asked.clone() };
            return jobs.find_created(&request, self.at).await;
        };
        let found = match jobs.get(&asked.application_id, id).await {
            Err(SourceError::Export(error)) if error.kind() == ErrorKind::Usage => None,
            job => Some(job?),
        };
        Ok(found.filter(|job| !job.is_failed()))
    }
}
