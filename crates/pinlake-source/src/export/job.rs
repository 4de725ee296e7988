//! An export job as Pinpoint tells it, without the SDK's types.
//!
//! AWS's own samples lack members that the model requires (no `ApplicationId`, an empty `Definition`), and the
//! SDK fills such gaps with empty text. Here every member is optional, and empty text is an absent member.

use aws_sdk_pinpoint::types::{ExportJobRequest, ExportJobResource, ExportJobResponse};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{ExportError, not_empty};

/// What to export, and where to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ExportRequest {
    /// The application (project) whose endpoints are exported.
    pub application_id: String,
    /// The prefix that Pinpoint writes to, `s3://bucket/folder/`.
    pub s3_url_prefix: String,
    /// The role that Pinpoint takes to write there.
    pub role_arn: String,
    /// Only the members of this segment.
    pub segment_id: Option<String>,
    /// That version of the segment instead of its latest.
    pub segment_version: Option<i32>,
}

impl ExportRequest {
    pub(super) fn check(&self) -> Result<(), ExportError> {
        not_empty("the application id", &self.application_id)?;
        not_empty("the S3 URL prefix", &self.s3_url_prefix)?;
        not_empty("the role ARN", &self.role_arn)
    }

    pub(super) fn to_sdk(&self) -> ExportJobRequest {
        ExportJobRequest::builder()
            .role_arn(&self.role_arn)
            .s3_url_prefix(&self.s3_url_prefix)
            .set_segment_id(self.segment_id.clone())
            .set_segment_version(self.segment_version)
            .build()
    }

    /// Whether `job` is what this request asks for.
    pub(super) fn is_asked_by(&self, job: &ExportJob) -> bool {
        job.definition.as_ref().is_some_and(|definition| {
            definition.s3_url_prefix.as_deref() == Some(&self.s3_url_prefix)
                && definition.role_arn.as_deref() == Some(&self.role_arn)
                && definition.segment_id == self.segment_id
                && definition.segment_version == self.segment_version
        })
    }
}

/// An export job; in JSON it has exactly the members of Pinpoint's `ExportJobResponse`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct ExportJob {
    /// The application whose endpoints are exported.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub application_id: Option<String>,
    /// How many pieces are done.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub completed_pieces: Option<i32>,
    /// When the job ended, in ISO 8601.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub completion_date: Option<String>,
    /// When the job was made, in ISO 8601.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub creation_date: Option<String>,
    /// What was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub definition: Option<ExportJobDefinition>,
    /// How many pieces failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failed_pieces: Option<i32>,
    /// The first hundred entries that failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failures: Option<Vec<String>>,
    /// The job's id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The status in Pinpoint's words, those unknown to us included.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub job_status: Option<String>,
    /// How many endpoints failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub total_failures: Option<i32>,
    /// How many pieces there will be.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub total_pieces: Option<i32>,
    /// How many endpoints were processed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub total_processed: Option<i32>,
    /// `EXPORT`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub r#type: Option<String>,
}

/// What an export job was asked to do.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct ExportJobDefinition {
    /// The role that Pinpoint takes to write.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role_arn: Option<String>,
    /// The prefix that Pinpoint writes to.
    #[serde(rename = "S3UrlPrefix", skip_serializing_if = "Option::is_none")]
    pub s3_url_prefix: Option<String>,
    /// The segment whose members are exported.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub segment_id: Option<String>,
    /// The version of the segment.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub segment_version: Option<i32>,
}

impl ExportJob {
    /// The status in Pinpoint's words; empty where it gave none.
    #[must_use]
    pub fn status(&self) -> &str {
        self.job_status.as_deref().unwrap_or_default()
    }

    /// Whether the job has ended, well or not.
    #[must_use]
    pub fn is_terminal(&self) -> bool {
        self.is_completed() || self.is_failed()
    }

    /// Whether the job has ended well.
    #[must_use]
    pub fn is_completed(&self) -> bool {
        self.status() == "COMPLETED"
    }

    /// Whether the job has ended as failed.
    #[must_use]
    pub fn is_failed(&self) -> bool {
        self.status() == "FAILED"
    }

    /// Whether it was made at `earliest` or later, as far as its date can be read.
    pub(super) fn is_created_since(&self, earliest: DateTime<Utc>) -> bool {
        let date = self.creation_date.as_deref().and_then(|text| DateTime::parse_from_rfc3339(text).ok());
        date.is_some_and(|date| date >= earliest)
    }

    pub(super) fn id_or_unknown(&self) -> &str {
        self.id.as_deref().unwrap_or("(no id)")
    }

    /// How far the job is: `PROCESSING, 3 of 20 pieces`.
    pub(super) fn progress_text(&self) -> String {
        let status = if self.status().is_empty() { "no status" } else { self.status() };
        match (self.completed_pieces, self.total_pieces) {
            (Some(done), Some(total)) => format!("{status}, {done} of {total} pieces"),
            (Some(done), None) => format!("{status}, {done} pieces"),
            _ => status.to_owned(),
        }
    }

    /// How much of the job failed. `Failures` is not quoted: its entries are endpoints, and so data.
    pub(super) fn failure_text(&self) -> String {
        let pieces = self.failed_pieces.unwrap_or_default();
        let endpoints = self.total_failures.unwrap_or_default();
        let id = self.id_or_unknown();
        format!(
            "{pieces} failed pieces, {endpoints} failed endpoints; `pinlake export status --job-id {id}` prints its Failures"
        )
    }

    pub(super) fn from_sdk_output(job: Option<ExportJobResponse>) -> Self {
        job.map(Self::from_sdk).unwrap_or_default()
    }

    pub(super) fn from_sdk(job: ExportJobResponse) -> Self {
        Self {
            application_id: told(job.application_id),
            completed_pieces: job.completed_pieces,
            completion_date: told(job.completion_date),
            creation_date: told(job.creation_date),
            definition: job.definition.map(ExportJobDefinition::from_sdk),
            failed_pieces: job.failed_pieces,
            failures: job.failures,
            id: told(job.id),
            job_status: told(job.job_status.map(|status| status.as_str().to_owned())),
            total_failures: job.total_failures,
            total_pieces: job.total_pieces,
            total_processed: job.total_processed,
            r#type: told(job.r#type),
        }
    }
}

impl ExportJobDefinition {
    fn from_sdk(definition: ExportJobResource) -> Self {
        Self {
            role_arn: told(definition.role_arn),
            s3_url_prefix: told(definition.s3_url_prefix),
            segment_id: told(definition.segment_id),
            segment_version: definition.segment_version,
        }
    }
}

/// The SDK puts empty text where a required member is missing.
fn told(text: Option<String>) -> Option<String> {
    text.filter(|text| !text.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_has_pinpoints_members_and_no_others() {
        let text = r#"{"CompletedPieces":2,"CreationDate":"2026-10-29T12:00:00.000Z",
            "Definition":{"RoleArn":"r","S3UrlPrefix":"s3://b/p/"},"FailedPieces":0,"Id":"j",
            "JobStatus":"PROCESSING","TotalPieces":3,"Type":"EXPORT"}"#;
        let job: ExportJob = serde_json::from_str(text).unwrap();
        let again: serde_json::Value = serde_json::to_value(&job).unwrap();
        assert_eq!(again, serde_json::from_str::<serde_json::Value>(text).unwrap());
        assert!(!job.is_terminal());
        assert_eq!(job.progress_text(), "PROCESSING, 2 of 3 pieces");
    }

    #[test]
    fn statuses_decide_the_end() {
        let with = |status: &str| ExportJob { job_status: Some(status.to_owned()), ..ExportJob::default() };
        assert!(with("COMPLETED").is_completed() && with("FAILED").is_failed());
        for status in ["CREATED", "PENDING_JOB", "COMPLETING", "FAILING", "SOMETHING_NEW", ""] {
            assert!(!with(status).is_terminal(), "{status}");
        }
    }
}
