//! Applications, which the console calls projects.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// `CreateApplicationRequest`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct CreateApplicationRequest {
    pub(crate) name: Option<String>,
    #[serde(rename = "tags", default)]
    pub(crate) tags: BTreeMap<String, String>,
}

/// `ApplicationResponse`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct ApplicationResponse {
    pub(crate) arn: String,
    pub(crate) id: String,
    pub(crate) name: String,
    #[serde(rename = "tags", skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) tags: BTreeMap<String, String>,
    pub(crate) creation_date: String,
}
