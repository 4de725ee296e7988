//! Export jobs as the API sees them: `CreateExportJob`, `GetExportJob`, `GetExportJobs`, `GetSegmentExportJobs`.

mod work;

use std::sync::Arc;

use chrono::Utc;
use hyper::StatusCode;

use super::Answer;
use super::application::{Application, Applications};
use super::failure::Failure;
use super::job::{Definition as _, Job, JobRunner};
use super::paging::PageRequest;
use super::segment;
use crate::model::{ExportJobRequest, ExportJobResource, Items};
use crate::segment::Plan;
use work::Work;

/// Where a job writes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Destination {
    pub(super) bucket: String,
    /// Empty, or ending in a slash.
    pub(super) prefix: String,
}

impl Destination {
    /// Reads `s3://bucket/prefix`, with or without a slash at its end.
    fn parse(url: &str) -> Option<Self> {
        let (bucket, prefix) = url.strip_prefix("s3://")?.split_once('/').unwrap_or((&url[5..], ""));
        let prefix =
            if prefix.is_empty() || prefix.ends_with('/') { prefix.to_owned() } else { format!("{prefix}/") };
        // Room is left for the names of the pieces: a key has at most 1,024 bytes.
        let is_valid = s3s::path::check_bucket_name(bucket) && prefix.len() <= 900;
        is_valid.then(|| Destination { bucket: bucket.to_owned(), prefix })
    }
}

/// `CreateExportJob`: 202, and the job begins.
pub(super) fn create(
    applications: &Applications,
    jobs: &JobRunner,
    application_id: &str,
    body: &[u8],
) -> Result<Answer, Failure> {
    // An unknown application is told before anything about the body.
    applications.with(application_id, |_| Ok(()))?;
    let request: ExportJobRequest = super::read(body)?;
    let role_arn = role_arn(request.role_arn)?;
    let s3_url_prefix = request.s3_url_prefix.filter(|prefix| !prefix.is_empty());
    let s3_url_prefix = s3_url_prefix.ok_or_else(|| Failure::bad_request("S3UrlPrefix is missing."))?;
    let destination = Destination::parse(&s3_url_prefix)
        .ok_or_else(|| Failure::bad_request("S3UrlPrefix must be s3://bucket-name/folder-name/."))?;
    let definition = ExportJobResource {
        role_arn,
        s3_url_prefix,
        segment_id: request.segment_id,
        segment_version: request.segment_version,
    };
    let (job, audience, plan) = applications.with(application_id, |application| {
        let plan = segment_plan(application, &definition)?;
        let sequence = application.export_jobs.last().map_or(0, |job| job.sequence() + 1);
        let job = Arc::new(Job::new(applications.state().clone(), application_id, sequence, definition)?);
        application.export_jobs.push(Arc::clone(&job));
        Ok((job, Arc::clone(&application.audience), plan))
    })?;
    let answer = Answer::new(StatusCode::ACCEPTED, &job.response());
    let work =
        Work { job, destination: Arc::new(destination), settings: jobs.settings.clone(), stop: jobs.stop() };
    let choose = move || match plan {
        Some(plan) => {
            let now = Utc::now();
            audience.those(&|endpoint| plan.includes(endpoint, now))
        }
        None => audience.everyone(),
    };
    jobs.begin(work.run(Box::new(choose)));
    answer
}

/// A role's ARN, which a job must name although nobody assumes the role here.
pub(super) fn role_arn(role_arn: Option<String>) -> Result<String, Failure> {
    let role_arn = role_arn.filter(|role| !role.is_empty());
    let role_arn = role_arn.ok_or_else(|| Failure::bad_request("RoleArn is missing."))?;
    if !(role_arn.starts_with("arn:") && role_arn.contains(":iam::") && role_arn.contains(":role/")) {
        return Err(Failure::bad_request("RoleArn is not the ARN of an IAM role."));
    }
    Ok(role_arn)
}

/// `GetExportJob`: 200.
pub(super) fn get(
    applications: &Applications,
    application_id: &str,
    job_id: &str,
) -> Result<Answer, Failure> {
    let response = applications.with(application_id, |application| {
        let job = application.export_jobs.iter().find(|job| job.id() == job_id);
        let unknown = || Failure::not_found(&format!("Export job {job_id} was not found."));
        Ok(job.ok_or_else(unknown)?.response())
    })?;
    Answer::new(StatusCode::OK, &response)
}

/// `GetExportJobs`, or `GetSegmentExportJobs` where there is a segment: 200, paged, the oldest job first.
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
        let jobs = application.export_jobs.iter();
        let jobs = jobs.filter(|job| segment_id.is_none() || job.definition().segment_id() == segment_id);
        Ok(request.cut(jobs.map(|job| (job.sequence(), job.response()))))
    })?;
    Answer::new(StatusCode::OK, &Items { item, next_token })
}

/// Who is to be exported: the members of a segment, or `None` for everybody. Refuses a segment, or a version of one, that
/// does not exist.
fn segment_plan(application: &Application, definition: &ExportJobResource) -> Result<Option<Plan>, Failure> {
    let version = match (&definition.segment_id, definition.segment_version) {
        (None, None) => return Ok(None),
        (None, Some(_)) => return Err(Failure::bad_request("SegmentVersion needs a SegmentId.")),
        (Some(segment_id), None) => segment::known(application, segment_id)?,
        (Some(segment_id), Some(version)) => {
            segment::known(application, segment_id)?;
            let version = u32::try_from(version).ok();
            let found = version.and_then(|version| application.segments.get(segment_id, Some(version)));
            found.ok_or_else(|| Failure::not_found(&format!("Segment {segment_id} has no such version.")))?
        }
    };
    let plan = application.segments.plan(version).map_err(|refusal| Failure::bad_request(&refusal.0))?;
    Ok(Some(plan).filter(|plan| !plan.is_everyone()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn destinations_end_in_a_slash_or_are_the_bucket() {
        let parse = |url| Destination::parse(url).map(|to| (to.bucket, to.prefix));
        let expected = |bucket: &str, prefix: &str| Some((bucket.to_owned(), prefix.to_owned()));
        assert_eq!(parse("s3://bucket/a/b/"), expected("bucket", "a/b/"));
        assert_eq!(parse("s3://bucket/a/b"), expected("bucket", "a/b/"));
        assert_eq!(parse("s3://bucket"), expected("bucket", ""));
        assert_eq!(parse("s3://bucket/"), expected("bucket", ""));
        for wrong in ["bucket/a", "http://bucket/a", "s3://", "s3:///a", "s3://Bad_Bucket/a"] {
            assert_eq!(parse(wrong), None, "{wrong}");
        }
    }
}
