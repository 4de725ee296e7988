//! Import jobs as the API sees them: `CreateImportJob`, `GetImportJob`, `GetImportJobs`, `GetSegmentImportJobs`.

mod work;

use std::sync::Arc;

use hyper::StatusCode;
use uuid::Uuid;

use super::Answer;
use super::application::{Application, Applications};
use super::export::role_arn;
use super::failure::Failure;
use super::job::{Definition as _, Job, JobRunner};
use super::paging::PageRequest;
use super::segment;
use crate::import::Format;
use crate::model::{ImportJobRequest, ImportJobResource, Items};
use work::Work;

/// Where a job reads: a bucket, and the key of an object or the prefix of several.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Origin {
    bucket: String,
    key: String,
}

impl Origin {
    /// Reads `s3://bucket/key`.
    fn parse(url: &str) -> Option<Self> {
        let (bucket, key) = url.strip_prefix("s3://")?.split_once('/').unwrap_or((&url[5..], ""));
        let is_valid = s3s::path::check_bucket_name(bucket) && key.len() <= 1_024;
        is_valid.then(|| Origin { bucket: bucket.to_owned(), key: key.to_owned() })
    }
}

/// `CreateImportJob`: 201, and the job begins.
pub(super) fn create(
    applications: &Applications,
    jobs: &JobRunner,
    application_id: &str,
    body: &[u8],
) -> Result<Answer, Failure> {
    // An unknown application is told before anything about the body.
    applications.with(application_id, |_| Ok(()))?;
    let request: ImportJobRequest = super::read(body)?;
    let (format, origin) = (format_of(&request)?, origin_of(&request)?);
    let job = applications.with(application_id, |application| {
        let definition = definition(application, request)?;
        let sequence = application.import_jobs.last().map_or(0, |job| job.sequence() + 1);
        let job = Arc::new(Job::new(applications.state().clone(), application_id, sequence, definition)?);
        application.import_jobs.push(Arc::clone(&job));
        Ok(job)
    })?;
    let answer = Answer::new(StatusCode::CREATED, &job.response());
    let work = Work {
        job,
        applications: applications.clone(),
        origin,
        format,
        settings: jobs.settings.clone(),
        stop: jobs.stop(),
    };
    jobs.begin(work.run());
    answer
}

fn format_of(request: &ImportJobRequest) -> Result<Format, Failure> {
    match request.format.as_deref() {
        Some("CSV") => Ok(Format::Csv),
        Some("JSON") => Ok(Format::Json),
        Some(_) => Err(Failure::bad_request("Format must be one of CSV, JSON.")),
        None => Err(Failure::bad_request("Format is missing.")),
    }
}

fn origin_of(request: &ImportJobRequest) -> Result<Origin, Failure> {
    let url = request.s3_url.as_deref().filter(|url| !url.is_empty());
    let url = url.ok_or_else(|| Failure::bad_request("S3Url is missing."))?;
    Origin::parse(url)
        .ok_or_else(|| Failure::bad_request("S3Url must be s3://bucket-name/folder-name/file-name."))
}

/// What the job is to do. A segment that it makes has its id from the beginning.
fn definition(application: &Application, request: ImportJobRequest) -> Result<ImportJobResource, Failure> {
    let define_segment = request.define_segment.unwrap_or(false);
    if let Some(segment_id) = &request.segment_id
        && segment::known(application, segment_id)?.import.is_none()
    {
        return Err(Failure::bad_request("SegmentId must be that of an imported segment."));
    }
    let segment_id =
        request.segment_id.or_else(|| define_segment.then(|| Uuid::new_v4().simple().to_string()));
    Ok(ImportJobResource {
        define_segment,
        external_id: request.external_id,
        format: request.format.unwrap_or_default(),
        register_endpoints: request.register_endpoints.unwrap_or(true),
        role_arn: role_arn(request.role_arn)?,
        s3_url: request.s3_url.unwrap_or_default(),
        segment_id,
        segment_name: request.segment_name,
    })
}

/// `GetImportJob`: 200.
pub(super) fn get(
    applications: &Applications,
    application_id: &str,
    job_id: &str,
) -> Result<Answer, Failure> {
    let response = applications.with(application_id, |application| {
        let job = application.import_jobs.iter().find(|job| job.id() == job_id);
        let unknown = || Failure::not_found(&format!("Import job {job_id} was not found."));
        Ok(job.ok_or_else(unknown)?.response())
    })?;
    Answer::new(StatusCode::OK, &response)
}

/// `GetImportJobs`, or `GetSegmentImportJobs` where there is a segment: 200, paged, the oldest job first.
pub(super) fn list(
    applications: &Applications,
    application_id: &str,
    segment_id: Option<&str>,
    query: &str,
) -> Result<Answer, Failure> {
    let request = PageRequest::parse(query)?;
    let (item, next_token) = applications.with(application_id, |application| {
        if let Some(segment_id) = segment_id {
            segment::known(application, segment_id)?;
        }
        let jobs = application.import_jobs.iter();
        let jobs = jobs.filter(|job| segment_id.is_none() || job.definition().segment_id() == segment_id);
        Ok(request.cut(jobs.map(|job| (job.sequence(), job.response()))))
    })?;
    Answer::new(StatusCode::OK, &Items { item, next_token })
}
