//! Export jobs as the API sees them: `CreateExportJob`, `GetExportJob`, `GetExportJobs`, `GetSegmentExportJobs`.

mod work;

use std::sync::Arc;

use hyper::StatusCode;

use super::Answer;
use super::application::{Application, Applications};
use super::failure::Failure;
use super::job::{Definition as _, Job, JobRunner};
use super::paging::PageRequest;
use crate::model::{ExportJobRequest, ExportJobResource, Items};
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
    let (job, audience) = applications.with(application_id, |application| {
        check_segment(application, &definition)?;
        let sequence = application.export_jobs.last().map_or(0, |job| job.sequence() + 1);
        let job = Arc::new(Job::new(applications.state().clone(), application_id, sequence, definition)?);
        application.export_jobs.push(Arc::clone(&job));
        Ok((job, Arc::clone(&application.audience)))
    })?;
    let answer = Answer::new(StatusCode::ACCEPTED, &job.response());
    let work =
        Work { job, destination: Arc::new(destination), settings: jobs.settings.clone(), stop: jobs.stop() };
    jobs.begin(work.run(Box::new(move || audience.everyone())));
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
            known_segment(application, segment_id)?;
        }
        let jobs = application.export_jobs.iter();
        let jobs = jobs.filter(|job| segment_id.is_none() || job.definition().segment_id() == segment_id);
        Ok(request.cut(jobs.map(|job| (job.sequence(), job.response()))))
    })?;
    Answer::new(StatusCode::OK, &Items { item, next_token })
}

/// Refuses a job for a segment, or a version of one, that does not exist. Segments here have one version.
fn check_segment(application: &Application, definition: &ExportJobResource) -> Result<(), Failure> {
    match (&definition.segment_id, definition.segment_version) {
        (None, None) => Ok(()),
        (None, Some(_)) => Err(Failure::bad_request("SegmentVersion needs a SegmentId.")),
        (Some(segment_id), version) => {
            known_segment(application, segment_id)?;
            if version.is_some_and(|version| version != 1) {
                return Err(Failure::not_found(&format!("Segment {segment_id} has no such version.")));
            }
            Ok(())
        }
    }
}

/// 404 for a segment that does not exist.
fn known_segment(application: &Application, segment_id: &str) -> Result<(), Failure> {
    if application.segment_ids.iter().any(|known| known == segment_id) {
        return Ok(());
    }
    Err(Failure::not_found(&format!("Segment {segment_id} was not found.")))
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
