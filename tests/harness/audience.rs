//! The population's oracle in the terms of the table: what a row must hold, and how countries are normalised.

use std::collections::BTreeMap;

use chrono::{DateTime, SecondsFormat, Utc};
use pinlake_local::population::{Demographic, Location, TextLists, User};
use pinlake_local::{Endpoint, Population, PopulationOptions};
use serde_json::{Value, json};

/// An audience of this size with this share of odd records.
pub(crate) fn population(endpoints: u64, odd_share: f64) -> Population {
    Population::new(PopulationOptions { endpoints, odd_share, ..PopulationOptions::default() })
}

/// The row of an endpoint, but for `piece`, `line` and `snapshot`. `extra` is its parsed object.
pub(crate) fn row_of(endpoint: &Endpoint) -> Value {
    let location = endpoint.location.clone().unwrap_or_default();
    let demographic = endpoint.demographic.clone().unwrap_or_default();
    let user = endpoint.user.clone().unwrap_or_default();
    let Location { city, country, latitude, longitude, postal_code, region } = location;
    let Demographic { app_version, locale, make, model, model_version, platform, platform_version, timezone } =
        demographic;
    let User { user_id, user_attributes } = user;
    json!({
        "id": endpoint.id,
        "application_id": endpoint.application_id,
        "channel_type": endpoint.channel_type,
        "endpoint_status": endpoint.endpoint_status,
        "opt_out": endpoint.opt_out,
        "cohort_id": endpoint.cohort_id,
        "address": endpoint.address,
        "request_id": endpoint.request_id,
        "creation_date": endpoint.creation_date.map(shown),
        "effective_date": endpoint.effective_date.map(shown),
        "city": city,
        "region": region,
        "country": country,
        "postal_code": postal_code,
        "latitude": latitude,
        "longitude": longitude,
        "app_version": app_version,
        "locale": locale,
        "make": make,
        "model": model,
        "model_version": model_version,
        "platform": platform,
        "platform_version": platform_version,
        "timezone": timezone,
        "attributes": endpoint.attributes.as_ref().map(lists),
        "metrics": endpoint.metrics.as_ref().map(numbers),
        "user_id": user_id,
        "user_attributes": user_attributes.as_ref().map(lists),
        "extra": endpoint.extra.as_deref().map(|extra| serde_json::from_str::<Value>(extra).unwrap()),
    })
}

/// An instant as results show it.
pub(crate) fn shown(instant: DateTime<Utc>) -> String {
    instant.to_rfc3339_opts(SecondsFormat::AutoSi, true)
}

fn lists(lists: &TextLists) -> Value {
    serde_json::to_value(lists).unwrap()
}

fn numbers(numbers: &BTreeMap<String, f64>) -> Value {
    serde_json::to_value(numbers).unwrap()
}

/// The alpha-2 code of a country, for every country that the population has.
pub(crate) fn alpha2(country: &str) -> &str {
    match country {
        "AUS" => "AU",
        "BRA" => "BR",
        "CAN" => "CA",
        "CHN" => "CN",
        "DEU" => "DE",
        "ESP" => "ES",
        "FRA" => "FR",
        "GBR" => "GB",
        "IND" => "IN",
        "JPN" => "JP",
        "MEX" => "MX",
        "POL" => "PL",
        "SWE" => "SE",
        "USA" => "US",
        other => other,
    }
}
