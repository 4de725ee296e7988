//! Segments: who belongs to them, by criteria or by an import.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// `WriteSegmentRequest`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct WriteSegmentRequest {
    pub(crate) name: Option<String>,
    pub(crate) dimensions: Option<SegmentDimensions>,
    pub(crate) segment_groups: Option<SegmentGroupList>,
    #[serde(rename = "tags", default)]
    pub(crate) tags: BTreeMap<String, String>,
}

/// `SegmentResponse`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct SegmentResponse {
    pub(crate) application_id: String,
    pub(crate) arn: String,
    pub(crate) creation_date: String,
    pub(crate) id: String,
    pub(crate) last_modified_date: String,
    pub(crate) segment_type: SegmentType,
    pub(crate) version: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) dimensions: Option<SegmentDimensions>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) segment_groups: Option<SegmentGroupList>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) import_definition: Option<SegmentImportResource>,
    #[serde(rename = "tags", skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) tags: BTreeMap<String, String>,
}

/// `SegmentType`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(crate) enum SegmentType {
    Dimensional,
    Import,
}

/// `SegmentImportResource`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct SegmentImportResource {
    #[serde(skip_serializing_if = "BTreeMap::is_empty", default)]
    pub(crate) channel_counts: BTreeMap<String, u64>,
    /// Deprecated, and required by the model all the same.
    pub(crate) external_id: String,
    pub(crate) format: String,
    pub(crate) role_arn: String,
    pub(crate) s3_url: String,
    pub(crate) size: u64,
}

/// `SegmentDimensions`: an endpoint belongs if all of them hold.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(crate) struct SegmentDimensions {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) attributes: Option<BTreeMap<String, AttributeDimension>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) behavior: Option<SegmentBehaviors>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) demographic: Option<SegmentDemographics>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) location: Option<SegmentLocation>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) metrics: Option<BTreeMap<String, MetricDimension>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) user_attributes: Option<BTreeMap<String, AttributeDimension>>,
}

/// `AttributeDimension`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct AttributeDimension {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) attribute_type: Option<AttributeType>,
    pub(crate) values: Vec<String>,
}

/// `AttributeType`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(crate) enum AttributeType {
    Inclusive,
    Exclusive,
    Contains,
    Before,
    After,
    On,
    Between,
}

/// `SegmentBehaviors`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(crate) struct SegmentBehaviors {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) recency: Option<RecencyDimension>,
}

/// `RecencyDimension`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct RecencyDimension {
    pub(crate) duration: Duration,
    pub(crate) recency_type: RecencyType,
}

/// `Duration`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Duration {
    #[serde(rename = "HR_24")]
    Hours24,
    #[serde(rename = "DAY_7")]
    Days7,
    #[serde(rename = "DAY_14")]
    Days14,
    #[serde(rename = "DAY_30")]
    Days30,
}

/// `RecencyType`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(crate) enum RecencyType {
    Active,
    Inactive,
}

/// `SegmentDemographics`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(crate) struct SegmentDemographics {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) app_version: Option<SetDimension>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) channel: Option<SetDimension>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) device_type: Option<SetDimension>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) make: Option<SetDimension>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) model: Option<SetDimension>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) platform: Option<SetDimension>,
}

/// `SetDimension`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct SetDimension {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) dimension_type: Option<DimensionType>,
    pub(crate) values: Vec<String>,
}

/// `DimensionType`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(crate) enum DimensionType {
    Inclusive,
    Exclusive,
}

/// `SegmentLocation`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(crate) struct SegmentLocation {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) country: Option<SetDimension>,
    #[serde(rename = "GPSPoint", skip_serializing_if = "Option::is_none")]
    pub(crate) gps_point: Option<GpsPointDimension>,
}

/// `GPSPointDimension`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct GpsPointDimension {
    pub(crate) coordinates: GpsCoordinates,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) range_in_kilometers: Option<f64>,
}

/// `GPSCoordinates`, in degrees.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct GpsCoordinates {
    pub(crate) latitude: f64,
    pub(crate) longitude: f64,
}

/// `MetricDimension`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct MetricDimension {
    pub(crate) comparison_operator: ComparisonOperator,
    pub(crate) value: f64,
}

/// The values of `MetricDimension.ComparisonOperator`, which is a plain text in the model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(crate) enum ComparisonOperator {
    GreaterThan,
    LessThan,
    GreaterThanOrEqual,
    LessThanOrEqual,
    Equal,
}

/// `SegmentGroupList`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(crate) struct SegmentGroupList {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) groups: Vec<SegmentGroup>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) include: Option<Quantifier>,
}

/// `SegmentGroup`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(crate) struct SegmentGroup {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) dimensions: Vec<SegmentDimensions>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) source_segments: Vec<SegmentReference>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) source_type: Option<Quantifier>,
    #[serde(rename = "Type", skip_serializing_if = "Option::is_none")]
    pub(crate) dimensions_type: Option<Quantifier>,
}

/// `SegmentReference`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct SegmentReference {
    pub(crate) id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) version: Option<u32>,
}

/// `Include`, `SourceType` and `Type`: how many of several have to be true.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(crate) enum Quantifier {
    #[default]
    All,
    Any,
    None,
}
