//! The reports that there must be, each with the columns that are fixed for it.

use serde_json::json;

use crate::harness::Room;

/// A report's name and its fixed columns; a report may have further ones behind them.
pub(super) type Fixed = (&'static str, &'static [&'static str]);

/// The reports that are built in, in the order of reading.
pub(super) static BUILTIN: [Fixed; 35] = [
    (
        "audience-summary",
        &[
            "endpoints",
            "distinct_ids",
            "addresses",
            "users",
            "anonymous_endpoints",
            "targetable",
            "opted_out",
            "inactive",
            "first_created",
            "last_effective",
        ],
    ),
    ("channel-mix", &["channel_type", "endpoint_status", "opt_out", "endpoints", "share"]),
    ("targetable", &["channel_type", "endpoints", "targetable", "targetable_share"]),
    ("opt-out", &["channel_type", "country", "endpoints", "opted_out", "opt_out_share"]),
    ("growth", &["period", "channel_type", "new_endpoints", "running_total"]),
    ("recency", &["band", "channel_type", "endpoints", "share"]),
    ("dormant", &["id", "channel_type", "user_id", "effective_date", "days_idle"]),
    ("retention", &["cohort_month", "age_months", "endpoints", "retained_share"]),
    ("lifetime", &["channel_type", "endpoints", "p50_days", "p90_days", "never_updated_share"]),
    ("geography", &["country", "region", "city", "endpoints", "users", "share"]),
    ("geo-radius", &["channel_type", "endpoints", "nearest_km"]),
    ("platforms", &["platform", "platform_version", "endpoints", "share"]),
    ("app-versions", &["app_version", "month", "endpoints", "share"]),
    ("devices", &["make", "model", "model_version", "endpoints", "share"]),
    ("locales", &["language", "locale_region", "endpoints", "country_mismatch"]),
    ("timezones", &["timezone", "endpoints", "valid"]),
    ("endpoints-per-user", &["endpoints_per_user", "users", "at_limit"]),
    ("channel-overlap", &["channels", "users", "endpoints"]),
    ("unreachable-users", &["user_id", "endpoints", "reasons"]),
    ("rfm", &["segment", "users", "recency_days", "frequency", "value"]),
    ("user-conflicts", &["user_id", "name", "values", "endpoints"]),
    ("duplicate-addresses", &["channel_type", "address", "endpoints", "active_endpoints", "users"]),
    ("address-quality", &["channel_type", "problem", "endpoints", "share"]),
    ("email-domains", &["domain", "endpoints", "opted_out_share"]),
    ("phone-countries", &["calling_code", "country", "endpoints"]),
    ("ghosts", &["id", "channel_type", "endpoint_status", "opt_out"]),
    (
        "attribute-catalogue",
        &[
            "source",
            "name",
            "endpoints",
            "fill_share",
            "distinct_values",
            "max_values",
            "max_length",
            "problems",
        ],
    ),
    ("attribute-values", &["value", "endpoints", "share"]),
    (
        "metric-distribution",
        &[
            "name",
            "endpoints",
            "min",
            "p25",
            "p50",
            "p75",
            "p95",
            "max",
            "mean",
            "stddev",
            "zeros",
            "negatives",
        ],
    ),
    ("cohort-balance", &["cohort_id", "endpoints", "share", "opt_out_share"]),
    ("completeness", &["column", "channel_type", "null_share"]),
    ("integrity", &["check", "expected", "actual", "ok"]),
    ("snapshot-diff", &["change", "field", "endpoints"]),
    ("subject-lookup", &["snapshot", "id", "channel_type", "address", "user_id", "piece", "line"]),
    ("migration-readiness", &["problem", "users", "endpoints", "example_id"]),
];

/// The reports that do not run before they are given something.
const ASKING: [&str; 3] = ["geo-radius", "attribute-values", "snapshot-diff"];

/// What reports are given that ask for something, or have no rows without it. The values suit each audience of these tests.
const GIVEN: [(&str, &[&str]); 4] = [
    ("geo-radius", &["latitude=36.7", "longitude=137.2"]),
    ("attribute-values", &["name=plan"]),
    ("snapshot-diff", &["from=first", "to=second"]),
    ("subject-lookup", &["user_id=u-45"]),
];

/// The fixed columns of a report.
pub(super) fn columns(name: &str) -> &'static [&'static str] {
    BUILTIN.iter().find(|(known, _)| *known == name).unwrap_or_else(|| panic!("no report is called {name}")).1
}

/// What a report is given so that it has rows.
pub(super) fn given(name: &str) -> &'static [&'static str] {
    GIVEN.iter().find(|(known, _)| *known == name).map_or(&[][..], |(_, params)| *params)
}

/// The reports that run without being given anything.
pub(super) fn unasked() -> impl Iterator<Item = &'static str> {
    BUILTIN.iter().map(|(name, _)| *name).filter(|name| !ASKING.contains(name))
}

#[test]
fn every_report_of_the_contract_is_there_and_no_other() {
    let room = Room::new();
    let listed = room.pinlake(&["report", "--list", "--format", "json"]).succeeds().rows();
    let names: Vec<&str> = listed.iter().map(|report| report["name"].as_str().unwrap()).collect();
    let expected: Vec<&str> = BUILTIN.iter().map(|(name, _)| *name).collect();
    assert_eq!(names, expected);
    for report in &listed {
        let mut params = report["params"].as_array().unwrap().iter();
        let name = report["name"].as_str().unwrap();
        assert_eq!(params.any(|param| param["required"] == json!(true)), ASKING.contains(&name), "{name}");
    }
}
