//! An endpoint as a reader must find it: the oracle that reports and decoders are tested against.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use super::sink::{Decimal, Millis, Sink};

/// Named lists of texts. An element is `None` where a list holds a `null`.
pub type TextLists = BTreeMap<String, Vec<Option<String>>>;

/// One endpoint with every member of Pinpoint's `EndpointResponse`.
///
/// `None` is an absent member. An object that is present but empty is `Some` of an empty value. Values are what
/// pinlake's table holds for the line: odd values are converted, and what has no column is in `extra`.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Endpoint {
    /// `Id`.
    pub id: Option<String>,
    /// `ApplicationId`.
    pub application_id: Option<String>,
    /// `ChannelType`.
    pub channel_type: Option<String>,
    /// `Address`.
    pub address: Option<String>,
    /// `EndpointStatus`: `ACTIVE` or `INACTIVE`.
    pub endpoint_status: Option<String>,
    /// `OptOut`: `ALL` or `NONE`.
    pub opt_out: Option<String>,
    /// `CohortId`, which real exports never have.
    pub cohort_id: Option<String>,
    /// `RequestId`, which real exports never have.
    pub request_id: Option<String>,
    /// `CreationDate`.
    pub creation_date: Option<DateTime<Utc>>,
    /// `EffectiveDate`.
    pub effective_date: Option<DateTime<Utc>>,
    /// `Location`.
    pub location: Option<Location>,
    /// `Demographic`.
    pub demographic: Option<Demographic>,
    /// `Attributes`.
    pub attributes: Option<TextLists>,
    /// `Metrics`.
    pub metrics: Option<BTreeMap<String, f64>>,
    /// `User`.
    pub user: Option<User>,
    /// A compact JSON object of everything in the line that no member above can hold.
    pub extra: Option<String>,
}

/// `Location` of an endpoint.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Location {
    /// `City`.
    pub city: Option<String>,
    /// `Country`: ISO 3166 alpha-2 or alpha-3, as it came.
    pub country: Option<String>,
    /// `Latitude` in degrees, to one decimal.
    pub latitude: Option<f64>,
    /// `Longitude` in degrees, to one decimal.
    pub longitude: Option<f64>,
    /// `PostalCode`.
    pub postal_code: Option<String>,
    /// `Region`.
    pub region: Option<String>,
}

/// `Demographic` of an endpoint.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Demographic {
    /// `AppVersion`.
    pub app_version: Option<String>,
    /// `Locale`, such as `en_US`.
    pub locale: Option<String>,
    /// `Make`.
    pub make: Option<String>,
    /// `Model`.
    pub model: Option<String>,
    /// `ModelVersion`.
    pub model_version: Option<String>,
    /// `Platform`.
    pub platform: Option<String>,
    /// `PlatformVersion`.
    pub platform_version: Option<String>,
    /// `Timezone`: a tz database name in most records.
    pub timezone: Option<String>,
}

/// `User` of an endpoint.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct User {
    /// `UserId`.
    pub user_id: Option<String>,
    /// `UserAttributes`.
    pub user_attributes: Option<TextLists>,
}

impl Endpoint {
    /// `Location`, made present.
    pub(super) fn location_mut(&mut self) -> &mut Location {
        self.location.get_or_insert_default()
    }

    /// `Demographic`, made present.
    pub(super) fn demographic_mut(&mut self) -> &mut Demographic {
        self.demographic.get_or_insert_default()
    }

    /// `User`, made present.
    pub(super) fn user_mut(&mut self) -> &mut User {
        self.user.get_or_insert_default()
    }

    /// `Attributes`, made present.
    pub(super) fn attributes_mut(&mut self) -> &mut TextLists {
        self.attributes.get_or_insert_default()
    }

    /// `User.UserAttributes`, made present.
    pub(super) fn user_attributes_mut(&mut self) -> &mut TextLists {
        self.user_mut().user_attributes.get_or_insert_default()
    }

    /// `Metrics`, made present.
    pub(super) fn metrics_mut(&mut self) -> &mut BTreeMap<String, f64> {
        self.metrics.get_or_insert_default()
    }

    /// Whether Pinpoint would send to it: active, not opted out, with an address.
    #[must_use]
    pub fn is_targetable(&self) -> bool {
        self.endpoint_status.as_deref() == Some("ACTIVE")
            && self.opt_out.as_deref() != Some("ALL")
            && self.address.is_some()
    }

    /// `User.UserId`.
    #[must_use]
    pub fn user_id(&self) -> Option<&str> {
        self.user.as_ref()?.user_id.as_deref()
    }

    /// `Location.Country`, as it came.
    #[must_use]
    pub fn country(&self) -> Option<&str> {
        self.location.as_ref()?.country.as_deref()
    }
}

/// Files a record's members in an [`Endpoint`].
#[derive(Debug, Default)]
pub(super) struct EndpointSink {
    /// What has been told so far.
    pub(super) endpoint: Endpoint,
}

impl Sink for EndpointSink {
    fn open(&mut self, _member: &str, into: impl FnOnce(&mut Endpoint)) {
        into(&mut self.endpoint);
    }

    fn close(&mut self) {}

    fn text(&mut self, _member: &str, value: &str, into: impl FnOnce(&mut Endpoint, String)) {
        into(&mut self.endpoint, value.to_owned());
    }

    fn composed(
        &mut self,
        _member: &str,
        compose: impl FnOnce(&mut Vec<u8>),
        into: impl FnOnce(&mut Endpoint, String),
    ) {
        into(&mut self.endpoint, composed_text(compose));
    }

    fn number(&mut self, _member: &str, value: Decimal, into: impl FnOnce(&mut Endpoint, f64)) {
        into(&mut self.endpoint, value.value());
    }

    fn date(&mut self, _member: &str, value: Millis, into: impl FnOnce(&mut Endpoint, DateTime<Utc>)) {
        if let Some(date) = DateTime::from_timestamp_millis(value) {
            into(&mut self.endpoint, date);
        }
    }

    fn list(
        &mut self,
        name: &str,
        values: &[&str],
        into: impl FnOnce(&mut Endpoint, String, Vec<Option<String>>),
    ) {
        let values = values.iter().map(|value| Some((*value).to_owned())).collect();
        into(&mut self.endpoint, name.to_owned(), values);
    }

    fn composed_list(
        &mut self,
        name: &str,
        compose: impl FnOnce(&mut Vec<u8>),
        into: impl FnOnce(&mut Endpoint, String, Vec<Option<String>>),
    ) {
        into(&mut self.endpoint, name.to_owned(), vec![Some(composed_text(compose))]);
    }

    fn odd(&mut self, _member_json: &str, into: impl FnOnce(&mut Endpoint)) {
        into(&mut self.endpoint);
    }
}

/// The text that a composer writes.
fn composed_text(compose: impl FnOnce(&mut Vec<u8>)) -> String {
    let mut text = Vec::new();
    compose(&mut text);
    String::from_utf8_lossy(&text).into_owned()
}
