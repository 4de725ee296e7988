//! Every figure of every built-in report, worked out a second time in plain Rust from the population's oracle.
//!
//! The order of rows is not fixed by the contract, only that there is one (see `formats`), so rows are compared sorted.

mod addresses;
mod attributes;
mod audience;
mod devices;
mod history;
mod places;
mod quality;
mod time;
mod users;
mod values;

use chrono::{DateTime, Utc};
use pinlake_local::Endpoint;
use serde_json::Value;

use super::Audience;
use super::contract::columns;
use crate::harness::alpha2;

type Text = Option<String>;

fn is_active(endpoint: &Endpoint) -> bool {
    endpoint.endpoint_status.as_deref() == Some("ACTIVE")
}

fn is_opted_out(endpoint: &Endpoint) -> bool {
    endpoint.opt_out.as_deref() == Some("ALL")
}

/// Pinpoint's: status ACTIVE, opt-out not ALL, address present.
fn is_targetable(endpoint: &Endpoint) -> bool {
    is_active(endpoint) && !is_opted_out(endpoint) && endpoint.address.is_some()
}

fn channel(endpoint: &Endpoint) -> Text {
    endpoint.channel_type.clone()
}

fn country(endpoint: &Endpoint) -> Text {
    endpoint.country().map(|code| alpha2(code).to_owned())
}

fn share(part: u64, whole: u64) -> f64 {
    part as f64 / whole as f64
}

fn all(audience: &Audience) -> u64 {
    audience.endpoints.len() as u64
}

/// The newest effective date, from which reports count back unless they are told otherwise.
fn newest(audience: &Audience) -> DateTime<Utc> {
    audience.endpoints.iter().filter_map(|one| one.effective_date).max().unwrap()
}

/// The rows of groups of at least so many endpoints: what `min_endpoints` leaves in the table. It takes nothing from the whole.
fn at_least(endpoints: u64, rows: &[Value]) -> Vec<Value> {
    rows.iter().filter(|row| row["endpoints"].as_u64() >= Some(endpoints)).cloned().collect()
}

/// Compares the fixed columns of a report, and those that `expected` has further, with what they must hold, in any order of rows.
fn assert_figures(audience: &Audience, name: &str, params: &[&str], mut expected: Vec<Value>) {
    assert!(!expected.is_empty(), "{name} {params:?}: nothing is compared");
    let known: Vec<&String> = expected[0].as_object().unwrap().keys().collect();
    let fixed = columns(name);
    assert!(fixed.iter().all(|column| known.iter().any(|known| known == column)), "{name}: {known:?}");
    let further = known.iter().map(|column| column.as_str()).filter(|column| !fixed.contains(column));
    let columns: Vec<String> = fixed.iter().copied().chain(further).map(str::to_owned).collect();
    let mut found: Vec<Value> = audience
        .report(name, params)
        .iter()
        .map(|row| columns.iter().map(|column| (column.clone(), row[column].clone())).collect())
        .collect();
    // Keys are texts and stand in the first columns; counts follow. Floats are compared with a margin.
    let key = |row: &Value| -> Vec<String> {
        let exact = columns.iter().filter(|column| !row[*column].is_f64());
        exact.map(|column| row[column].to_string()).collect()
    };
    found.sort_by_key(key);
    expected.sort_by_key(key);
    assert_eq!(found.len(), expected.len(), "{name} {params:?}");
    for (found, expected) in found.iter().zip(&expected) {
        for column in &columns {
            let (value, wanted) = (&found[column], &expected[column]);
            let is_same = match (value.as_f64(), wanted.as_f64()) {
                (Some(value), Some(wanted)) => (value - wanted).abs() <= 1e-9 * wanted.abs().max(1e-3),
                _ => value == wanted,
            };
            assert!(is_same, "{name} {params:?}, column {column}: {found} instead of {expected}");
        }
    }
}
