//! Platforms, devices and versions.

use chrono::Datelike as _;
use pinlake_local::Endpoint;
use pinlake_local::population::Demographic;
use serde_json::{Value, json};

use super::super::audience;
use super::{all, assert_figures, at_least, share};

fn device(endpoint: &Endpoint) -> Demographic {
    endpoint.demographic.clone().unwrap_or_default()
}

#[test]
fn platforms() {
    let audience = audience();
    let platform = |one: &Endpoint| {
        let Demographic { platform, platform_version, .. } = device(one);
        (platform, platform_version)
    };
    let expected = audience.count(platform).into_iter().map(|((platform, version), endpoints)| {
        json!({
            "platform": platform, "platform_version": version, "endpoints": endpoints,
            "share": share(endpoints, all(&audience)),
        })
    });
    assert_figures(&audience, "platforms", &[], expected.collect());
}

#[test]
fn app_versions() {
    let audience = audience();
    let month =
        |one: &Endpoint| one.effective_date.map(|date| date.date_naive().with_day(1).unwrap().to_string());
    let version = |one: &Endpoint| device(one).app_version;
    let told = audience.count(|one| (month(one), version(one).is_some()));
    let groups = audience.count(|one| (month(one), version(one))).into_iter();
    let rows = groups.map(|((month, version), endpoints)| {
        let of_month = version.is_some().then(|| share(endpoints, told[&(month.clone(), true)]));
        json!({
            "app_version": version, "month": month, "endpoints": endpoints,
            "share": share(endpoints, all(&audience)), "month_share": of_month,
        })
    });
    let rows: Vec<Value> = rows.collect();
    assert_figures(&audience, "app-versions", &[], rows.clone());
    assert_figures(&audience, "app-versions", &["min_endpoints=20"], at_least(20, &rows));
}

#[test]
fn devices() {
    let audience = audience();
    let model = |one: &Endpoint| {
        let Demographic { make, model, model_version, .. } = device(one);
        (make, model, model_version)
    };
    let rows = audience.count(model).into_iter().map(|((make, model, version), endpoints)| {
        json!({
            "make": make, "model": model, "model_version": version, "endpoints": endpoints,
            "share": share(endpoints, all(&audience)),
        })
    });
    let rows: Vec<Value> = rows.collect();
    assert_figures(&audience, "devices", &[], rows.clone());
    assert_figures(&audience, "devices", &["min_endpoints=100"], at_least(100, &rows));
}
