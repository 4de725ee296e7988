//! Requests and answers with the members of Pinpoint's model (botocore, `pinpoint/2016-12-01`).

use std::collections::BTreeMap;

use chrono::{DateTime, SecondsFormat, Utc};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::failure::Failure;

/// `CreateApplicationRequest`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct CreateApplicationRequest {
    pub(super) name: Option<String>,
    #[serde(rename = "tags", default)]
    pub(super) tags: BTreeMap<String, String>,
}

/// `ApplicationResponse`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ApplicationResponse {
    pub(super) arn: String,
    pub(super) id: String,
    pub(super) name: String,
    #[serde(rename = "tags", skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) tags: BTreeMap<String, String>,
    pub(super) creation_date: String,
}

/// `ExportJobRequest`. Members that the model requires are checked by the operation, which can say what is missing.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ExportJobRequest {
    pub(super) role_arn: Option<String>,
    pub(super) s3_url_prefix: Option<String>,
    pub(super) segment_id: Option<String>,
    pub(super) segment_version: Option<i64>,
}

/// `ExportJobResource`: what the job was asked for.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ExportJobResource {
    pub(super) role_arn: String,
    pub(super) s3_url_prefix: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) segment_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) segment_version: Option<i64>,
}

/// `ExportJobResponse`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ExportJobResponse {
    pub(super) application_id: String,
    pub(super) id: String,
    pub(super) job_status: JobStatus,
    pub(super) creation_date: String,
    #[serde(rename = "Type")]
    pub(super) job_type: &'static str,
    pub(super) definition: ExportJobResource,
    #[serde(flatten)]
    pub(super) counts: Option<JobCounts>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) failures: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) completion_date: Option<String>,
}

/// The counts of a job, told once they are known.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct JobCounts {
    pub(super) total_pieces: u64,
    pub(super) completed_pieces: u64,
    pub(super) failed_pieces: u64,
    /// Endpoints written.
    pub(super) total_processed: u64,
    /// Endpoints that could not be written.
    pub(super) total_failures: u64,
}

/// `JobStatus`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(super) enum JobStatus {
    Created,
    PreparingForInitialization,
    Initializing,
    Processing,
    Completing,
    Completed,
    Failing,
    Failed,
}

/// A page of things: `ApplicationsResponse`, `ExportJobsResponse`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Items<T> {
    pub(super) item: Vec<T>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) next_token: Option<String>,
}

/// Reads a request's body. Unknown members are ignored, as AWS does.
pub(super) fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, Failure> {
    serde_json::from_slice(body)
        .map_err(|error| Failure::bad_request(&format!("The request's body cannot be read: {error}.")))
}

/// A date as Pinpoint writes it: `2018-06-06T00:12:43.271Z`.
pub(super) fn date(date: DateTime<Utc>) -> String {
    date.to_rfc3339_opts(SecondsFormat::Millis, true)
}
