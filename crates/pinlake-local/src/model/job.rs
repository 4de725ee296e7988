//! Jobs and what they are asked for.

use serde::{Deserialize, Serialize};

/// `ExportJobRequest`. Members that the model requires are checked by the operation, which can say what is missing.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct ExportJobRequest {
    pub(crate) role_arn: Option<String>,
    pub(crate) s3_url_prefix: Option<String>,
    pub(crate) segment_id: Option<String>,
    pub(crate) segment_version: Option<i64>,
}

/// `ExportJobResource`: what the job was asked for.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct ExportJobResource {
    pub(crate) role_arn: String,
    pub(crate) s3_url_prefix: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) segment_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) segment_version: Option<i64>,
}

/// `ExportJobResponse` with an [`ExportJobResource`]; other jobs differ in their definition alone.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct JobResponse<D> {
    pub(crate) application_id: String,
    pub(crate) id: String,
    pub(crate) job_status: JobStatus,
    pub(crate) creation_date: String,
    #[serde(rename = "Type")]
    pub(crate) job_type: &'static str,
    pub(crate) definition: D,
    #[serde(flatten)]
    pub(crate) counts: Option<JobCounts>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) failures: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) completion_date: Option<String>,
}

/// The counts of a job, told once they are known.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct JobCounts {
    pub(crate) total_pieces: u64,
    pub(crate) completed_pieces: u64,
    pub(crate) failed_pieces: u64,
    /// Endpoints written.
    pub(crate) total_processed: u64,
    /// Endpoints that could not be written.
    pub(crate) total_failures: u64,
}

/// `JobStatus`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(crate) enum JobStatus {
    Created,
    PreparingForInitialization,
    Initializing,
    Processing,
    Completing,
    Completed,
    Failing,
    Failed,
}

/// `ImportJobRequest`. Members that the model requires are checked by the operation, which can say what is missing.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct ImportJobRequest {
    pub(crate) define_segment: Option<bool>,
    pub(crate) external_id: Option<String>,
    pub(crate) format: Option<String>,
    pub(crate) register_endpoints: Option<bool>,
    pub(crate) role_arn: Option<String>,
    pub(crate) s3_url: Option<String>,
    pub(crate) segment_id: Option<String>,
    pub(crate) segment_name: Option<String>,
}

/// `ImportJobResource`: what the job was asked for.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct ImportJobResource {
    pub(crate) define_segment: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) external_id: Option<String>,
    pub(crate) format: String,
    pub(crate) register_endpoints: bool,
    pub(crate) role_arn: String,
    pub(crate) s3_url: String,
    /// The segment that it makes or adds to, if any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) segment_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) segment_name: Option<String>,
}
