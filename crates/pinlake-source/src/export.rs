//! Export jobs: start one, look at one, list them, wait for one.
//!
//! Every request is tried again within the bound of `retry_for` when it failed for a passing reason. Creating
//! a job is not idempotent, and two jobs into one prefix would count every endpoint twice; so when it is not
//! known whether a request to create took effect, the application's jobs are looked through first.
//!
//! AWS ended Amazon Pinpoint on 2026-10-30. A refused or vanished service at AWS's own address is told as
//! [`ExportError::ServiceGone`]; at any other address it is an ordinary failure to connect.

mod job;
mod wait;

use std::collections::HashSet;

use aws_sdk_pinpoint::types::ExportJobsResponse;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;

pub use job::{ExportJob, ExportJobDefinition, ExportRequest};
pub use wait::WaitOptions;

use crate::aws::Aws;
use crate::error::{ErrorKind, SourceError};
use crate::failure::{FailureKind, RequestFailure};
use crate::retry::Retry;

/// How many jobs a page is asked to hold.
const PAGE_SIZE: &str = "100";

/// What goes wrong with an export job.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ExportError {
    /// Pinpoint at AWS refuses or is not there.
    #[error(
        "Amazon Pinpoint in {region} does not serve this ({place}): AWS ended Pinpoint on 2026-10-30; \
         exports that lie in S3 are read by `pinlake convert s3://BUCKET/PREFIX/`, and `pinlake local` serves \
         scripts that need a Pinpoint"
    )]
    ServiceGone {
        /// The region that was asked.
        region: String,
        /// What was asked for.
        place: String,
        /// What really happened.
        #[source]
        cause: RequestFailure,
    },
    /// A Pinpoint that is not AWS's cannot be reached.
    #[error("cannot reach Pinpoint at {url} (attempts: {attempts}): is `pinlake local` running?")]
    Unreachable {
        /// The endpoint.
        url: String,
        /// How many times it was tried.
        attempts: u32,
        /// What really happened.
        #[source]
        cause: RequestFailure,
    },
    /// The application or the job does not exist.
    #[error("no such {place}")]
    NotFound {
        /// What was asked for.
        place: String,
        /// What the service said.
        #[source]
        cause: RequestFailure,
    },
    /// Any other failed request.
    #[error("Pinpoint request for {place} failed (attempts: {attempts})")]
    Request {
        /// What was asked for.
        place: String,
        /// How many times it was tried.
        attempts: u32,
        /// The last failure.
        #[source]
        cause: RequestFailure,
    },
    /// The request lacks something that Pinpoint requires.
    #[error("{member} may not be empty")]
    Empty {
        /// What is missing.
        member: &'static str,
    },
    /// The server gave the same page token twice, so the list would never end.
    #[error("the list of {place} repeats a page token")]
    RepeatedToken {
        /// What was listed.
        place: String,
    },
    /// The job ended as FAILED.
    #[error("export job {} failed: {}", job.id_or_unknown(), job.failure_text())]
    JobFailed {
        /// The job as Pinpoint told it last.
        job: Box<ExportJob>,
    },
    /// The job did not end in time; it may still do so.
    #[error(
        "export job {} is not done after {waited_seconds} s: {}; wait again with `pinlake export wait --job-id {0}`, and \
         then read what it wrote with `pinlake convert --job-id {0}`",
        job.id_or_unknown(), job.progress_text()
    )]
    JobTimedOut {
        /// The job as Pinpoint told it last.
        job: Box<ExportJob>,
        /// How long it was waited for.
        waited_seconds: u64,
    },
}

impl ExportError {
    /// What the error means for the one who gave the command.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::ServiceGone { .. } | Self::Unreachable { .. } => ErrorKind::Network,
            Self::NotFound { .. } | Self::Empty { .. } => ErrorKind::Usage,
            Self::Request { cause, .. } => cause.error_kind(),
            Self::RepeatedToken { .. } => ErrorKind::Integrity,
            Self::JobFailed { .. } | Self::JobTimedOut { .. } => ErrorKind::JobFailed,
        }
    }
}

/// The export jobs that one connection can see.
#[derive(Debug, Clone)]
pub struct ExportJobs {
    aws: Aws,
}

impl ExportJobs {
    /// Jobs of the Pinpoint that `aws` points to.
    #[must_use]
    pub fn new(aws: Aws) -> Self {
        Self { aws }
    }

    /// Starts a job and returns it as Pinpoint answered, status CREATED as a rule.
    pub async fn create(&self, request: &ExportRequest) -> Result<ExportJob, SourceError> {
        request.check()?;
        let place = format!("application {}", request.application_id);
        let began = chrono::Utc::now();
        let mut retry = self.aws.retry().first_contact();
        loop {
            let failure = match self.try_create(request).await? {
                Ok(job) => return Ok(job),
                Err(failure) => failure,
            };
            if !retry.again(&failure).await {
                return Err(self.failed(place, failure, &retry).into());
            }
            // Throttled and unconnected requests were not carried out; of the others nobody knows.
            let is_unknown = !matches!(failure.kind(), FailureKind::Throttled | FailureKind::Unconnected);
            if is_unknown {
                match self.find_created(request, began).await {
                    Ok(Some(job)) => return Ok(job),
                    Ok(None) => {}
                    // Without sight of the jobs, trying again might make a second one.
                    Err(_) => return Err(self.failed(place, failure, &retry).into()),
                }
            }
        }
    }

    async fn try_create(
        &self,
        request: &ExportRequest,
    ) -> Result<Result<ExportJob, RequestFailure>, SourceError> {
        let call = self.aws.pinpoint()?.create_export_job();
        let answer =
            call.application_id(&request.application_id).export_job_request(request.to_sdk()).send().await;
        Ok(match answer {
            Ok(output) => Ok(ExportJob::from_sdk_output(output.export_job_response)),
            Err(error) => Err(RequestFailure::from_sdk(&error)),
        })
    }

    /// The job that a request to create, sent after `began` and not answered, left behind, if it did.
    pub async fn find_created(
        &self,
        request: &ExportRequest,
        began: chrono::DateTime<chrono::Utc>,
    ) -> Result<Option<ExportJob>, SourceError> {
        // A minute's allowance for clocks that differ.
        let earliest = began - chrono::TimeDelta::minutes(1);
        let jobs = self.list(&request.application_id).await?;
        Ok(jobs.into_iter().find(|job| request.is_asked_by(job) && job.is_created_since(earliest)))
    }

    /// One job as it is now.
    pub async fn get(&self, application_id: &str, job_id: &str) -> Result<ExportJob, SourceError> {
        self.get_within(self.aws.retry().first_contact(), application_id, job_id).await
    }

    async fn get_within(
        &self,
        mut retry: Retry,
        application_id: &str,
        job_id: &str,
    ) -> Result<ExportJob, SourceError> {
        not_empty("the application id", application_id)?;
        not_empty("the job id", job_id)?;
        let client = self.aws.pinpoint()?;
        loop {
            let call = client.get_export_job().application_id(application_id).job_id(job_id);
            let failure = match call.send().await {
                Ok(output) => return Ok(ExportJob::from_sdk_output(output.export_job_response)),
                Err(error) => RequestFailure::from_sdk(&error),
            };
            if !retry.again(&failure).await {
                let place = format!("export job {job_id} of application {application_id}");
                return Err(self.failed(place, failure, &retry).into());
            }
        }
    }

    /// All export jobs of an application, in the order Pinpoint gives them.
    pub async fn list(&self, application_id: &str) -> Result<Vec<ExportJob>, SourceError> {
        not_empty("the application id", application_id)?;
        let client = self.aws.pinpoint()?;
        let place = format!("application {application_id}");
        self.pages(place, |token| {
            let call = client.get_export_jobs().application_id(application_id).page_size(PAGE_SIZE);
            async move { Ok(call.set_token(token).send().await?.export_jobs_response) }
        })
        .await
    }

    /// All export jobs of one segment, in the order Pinpoint gives them.
    pub async fn list_of_segment(
        &self,
        application_id: &str,
        segment_id: &str,
    ) -> Result<Vec<ExportJob>, SourceError> {
        not_empty("the application id", application_id)?;
        not_empty("the segment id", segment_id)?;
        let client = self.aws.pinpoint()?;
        let place = format!("segment {segment_id} of application {application_id}");
        self.pages(place, |token| {
            let call = client.get_segment_export_jobs().application_id(application_id).segment_id(segment_id);
            async move { Ok(call.page_size(PAGE_SIZE).set_token(token).send().await?.export_jobs_response) }
        })
        .await
    }

    /// Follows pages to the end; `page` sends one request.
    async fn pages<E, F>(
        &self,
        place: String,
        page: impl Fn(Option<String>) -> F,
    ) -> Result<Vec<ExportJob>, SourceError>
    where
        E: ProvideErrorMetadata + std::error::Error + 'static,
        F: Future<Output = Result<Option<ExportJobsResponse>, SdkError<E, HttpResponse>>>,
    {
        let mut jobs = Vec::new();
        let mut seen_tokens = HashSet::new();
        let mut token: Option<String> = None;
        let mut retry = self.aws.retry().first_contact();
        loop {
            let answer = match page(token.clone()).await {
                Ok(answer) => answer,
                Err(error) => {
                    let failure = RequestFailure::from_sdk(&error);
                    if retry.again(&failure).await {
                        continue;
                    }
                    return Err(self.failed(place, failure, &retry).into());
                }
            };
            retry = self.aws.retry();
            let Some(answer) = answer else { return Ok(jobs) };
            jobs.extend(answer.item.unwrap_or_default().into_iter().map(ExportJob::from_sdk));
            token = answer.next_token.filter(|next| !next.is_empty());
            match &token {
                None => return Ok(jobs),
                Some(next) if !seen_tokens.insert(next.clone()) => {
                    return Err(ExportError::RepeatedToken { place }.into());
                }
                Some(_) => {}
            }
        }
    }

    /// Names a failed request: the end of Pinpoint, a server that is not there, or what it is.
    fn failed(&self, place: String, cause: RequestFailure, retry: &Retry) -> ExportError {
        let attempts = retry.attempts();
        let is_gone = matches!(
            cause.kind(),
            FailureKind::Unconnected | FailureKind::Denied | FailureKind::NotFound | FailureKind::Gone
        );
        if is_gone && self.aws.pinpoint_is_aws() {
            let region = self.aws.region().unwrap_or("this region").to_owned();
            return ExportError::ServiceGone { region, place, cause };
        }
        match (cause.kind(), self.aws.pinpoint_endpoint_url()) {
            (FailureKind::Unconnected, Some(url)) => {
                ExportError::Unreachable { url: without_user(url), attempts, cause }
            }
            (FailureKind::NotFound, _) => ExportError::NotFound { place, cause },
            _ => ExportError::Request { place, attempts, cause },
        }
    }
}

/// An endpoint URL as it may be shown: somebody may have put a password into it.
fn without_user(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return url.to_owned() };
    let end = rest.find('/').unwrap_or(rest.len());
    let host = rest[..end].rsplit('@').next().unwrap_or_default();
    format!("{scheme}://{host}{}", &rest[end..])
}

/// The SDK leaves an empty path segment out of the URL, which would then ask for something else.
fn not_empty(member: &'static str, value: &str) -> Result<(), ExportError> {
    if value.is_empty() { Err(ExportError::Empty { member }) } else { Ok(()) }
}

#[cfg(test)]
mod tests;
