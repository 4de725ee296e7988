//! The members of Pinpoint's model (botocore, `pinpoint/2016-12-01`), as requests bring them and answers tell them.
//!
//! Structures have the model's names. Members that the model requires of a request are optional here: the operation checks
//! them, which can say what is missing.

mod application;
mod endpoint;
mod job;
mod segment;

use chrono::{DateTime, SecondsFormat, Utc};
use serde::Serialize;

pub(crate) use application::{ApplicationResponse, CreateApplicationRequest};
pub(crate) use endpoint::{EndpointDemographic, EndpointLocation, EndpointResponse, EndpointUser, TextLists};
pub(crate) use job::{
    ExportJobRequest, ExportJobResource, ImportJobRequest, ImportJobResource, JobCounts, JobResponse,
    JobStatus,
};
pub(crate) use segment::{
    AttributeDimension, AttributeType, ComparisonOperator, DimensionType, Duration, GpsPointDimension,
    MetricDimension, Quantifier, RecencyDimension, RecencyType, SegmentDemographics, SegmentDimensions,
    SegmentGroup, SegmentGroupList, SegmentImportResource, SegmentReference, SegmentResponse, SegmentType,
    SetDimension, WriteSegmentRequest,
};

/// A page of things: `ApplicationsResponse`, `EndpointsResponse`, `ExportJobsResponse`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Items<T> {
    pub(crate) item: Vec<T>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) next_token: Option<String>,
}

/// A date as Pinpoint writes it: `2018-06-06T00:12:43.271Z`.
pub(crate) fn date(date: DateTime<Utc>) -> String {
    date.to_rfc3339_opts(SecondsFormat::Millis, true)
}

/// `MessageBody`, the answer of an operation that has nothing to tell. Note the spelling of its members.
#[derive(Debug, Serialize)]
pub(crate) struct MessageBody<'a> {
    #[serde(rename = "Message")]
    pub(crate) message: &'a str,
    #[serde(rename = "RequestID")]
    pub(crate) request_id: &'a str,
}
