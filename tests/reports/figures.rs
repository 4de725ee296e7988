//! Every figure of every built-in report, worked out a second time in plain Rust from the population's oracle.
//!
//! The order of rows is not fixed by the contract, only that there is one (see `formats`), so rows are compared sorted.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Datelike as _, Days, NaiveDate, Utc};
use pinlake_local::Endpoint;
use pinlake_local::population::TextLists;
use serde_json::{Value, json};

use super::{Audience, BUILTIN, audience};
use crate::harness::{alpha2, row_of};

type Text = Option<String>;

fn is_opted_out(endpoint: &Endpoint) -> bool {
    endpoint.opt_out.as_deref() == Some("ALL")
}

/// Pinpoint's: status ACTIVE, opt-out not ALL, address present.
fn is_targetable(endpoint: &Endpoint) -> bool {
    endpoint.endpoint_status.as_deref() == Some("ACTIVE")
        && !is_opted_out(endpoint)
        && endpoint.address.is_some()
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

/// Compares the fixed columns of a report with what they must hold, in any order of rows.
fn assert_figures(audience: &Audience, name: &str, params: &[&str], expected: Vec<Value>) {
    let columns = BUILTIN.iter().find(|(known, _)| *known == name).unwrap().1;
    let mut found: Vec<Value> = audience
        .report(name, params)
        .iter()
        .map(|row| columns.iter().map(|column| ((*column).to_owned(), row[column].clone())).collect())
        .collect();
    let mut expected = expected;
    // Keys are texts and stand in the first columns; counts follow. Floats come last and are compared with a margin.
    let key = |row: &Value| -> Vec<String> {
        let exact = columns.iter().filter(|column| !row[**column].is_f64());
        exact.map(|column| row[*column].to_string()).collect()
    };
    found.sort_by_key(key);
    expected.sort_by_key(key);
    assert_eq!(found.len(), expected.len(), "{name} {params:?}");
    for (found, expected) in found.iter().zip(&expected) {
        for column in columns {
            let (value, wanted) = (&found[column], &expected[column]);
            let is_same = match (value.as_f64(), wanted.as_f64()) {
                (Some(value), Some(wanted)) => (value - wanted).abs() < 1e-12,
                _ => value == wanted,
            };
            assert!(is_same, "{name} {params:?}, column {column}: {found} instead of {expected}");
        }
    }
}

#[test]
fn audience_summary() {
    let audience = audience();
    let endpoints = &audience.endpoints;
    let count = |holds: &dyn Fn(&Endpoint) -> bool| endpoints.iter().filter(|one| holds(one)).count();
    let distinct =
        |value: &dyn Fn(&Endpoint) -> Text| endpoints.iter().filter_map(value).collect::<BTreeSet<_>>().len();
    let shown = |date: Option<DateTime<Utc>>| {
        date.map(|date| date.to_rfc3339_opts(chrono::SecondsFormat::AutoSi, true))
    };
    let expected = json!({
        "endpoints": endpoints.len(),
        "distinct_ids": distinct(&|one| one.id.clone()),
        "addresses": distinct(&|one| one.address.clone()),
        "users": distinct(&|one| one.user_id().map(str::to_owned)),
        "anonymous_endpoints": count(&|one| one.user_id().is_none()),
        "targetable": count(&is_targetable),
        "opted_out": count(&is_opted_out),
        "inactive": count(&|one| one.endpoint_status.as_deref() == Some("INACTIVE")),
        "first_created": shown(endpoints.iter().filter_map(|one| one.creation_date).min()),
        "last_effective": shown(endpoints.iter().filter_map(|one| one.effective_date).max()),
    });
    assert_figures(&audience, "audience-summary", &[], vec![expected]);
}

#[test]
fn channel_mix() {
    let audience = audience();
    let groups = audience.count(|one| (channel(one), one.endpoint_status.clone(), one.opt_out.clone()));
    let expected = groups.into_iter().map(|((channel, status, opt_out), endpoints)| {
        json!({
            "channel_type": channel, "endpoint_status": status, "opt_out": opt_out, "endpoints": endpoints,
            "share": share(endpoints, all(&audience)),
        })
    });
    assert_figures(&audience, "channel-mix", &[], expected.collect());
}

#[test]
fn targetable() {
    let audience = audience();
    let reachable = audience.count(|one| (channel(one), is_targetable(one)));
    let expected = audience.count(channel).into_iter().map(|(channel, endpoints)| {
        let targetable = reachable.get(&(channel.clone(), true)).copied().unwrap_or(0);
        json!({
            "channel_type": channel, "endpoints": endpoints, "targetable": targetable,
            "targetable_share": share(targetable, endpoints),
        })
    });
    assert_figures(&audience, "targetable", &[], expected.collect());
}

#[test]
fn opt_out() {
    let audience = audience();
    let expected = |since: Option<NaiveDate>, least: u64| -> Vec<Value> {
        let mut groups: BTreeMap<(Text, Text), (u64, u64)> = BTreeMap::new();
        for one in &audience.endpoints {
            // The default leaves nothing out, endpoints without a date included.
            let counts =
                since.is_none_or(|since| one.creation_date.is_some_and(|date| date.date_naive() >= since));
            if counts {
                let group = groups.entry((channel(one), country(one))).or_default();
                group.0 += 1;
                group.1 += u64::from(is_opted_out(one));
            }
        }
        let groups = groups.into_iter().filter(|(_, (endpoints, _))| *endpoints >= least);
        groups
            .map(|((channel, country), (endpoints, opted_out))| {
                json!({
                    "channel_type": channel, "country": country, "endpoints": endpoints, "opted_out": opted_out,
                    "opt_out_share": share(opted_out, endpoints),
                })
            })
            .collect()
    };
    assert_figures(&audience, "opt-out", &[], expected(None, 1));
    let since = NaiveDate::from_ymd_opt(2024, 1, 1);
    assert_figures(&audience, "opt-out", &["since=2024-01-01", "min_endpoints=5"], expected(since, 5));
}

#[test]
fn growth() {
    let audience = audience();
    let month = |day: NaiveDate| day.with_day(1).unwrap();
    let week = |day: NaiveDate| day - Days::new(day.weekday().num_days_from_monday().into());
    let expected = |period_of: &dyn Fn(NaiveDate) -> NaiveDate| -> Vec<Value> {
        let period = |one: &Endpoint| one.creation_date.map(|date| period_of(date.date_naive()).to_string());
        // Those without a date come last.
        let groups = audience.count(|one| (channel(one), period(one).is_none(), period(one)));
        let (mut total, mut of) = (0, None);
        let rows = groups.into_iter().map(|((channel, _, period), new)| {
            total = if of.as_ref() == Some(&channel) { total + new } else { new };
            of = Some(channel.clone());
            json!({ "period": period, "channel_type": channel, "new_endpoints": new, "running_total": total })
        });
        rows.collect()
    };
    assert_figures(&audience, "growth", &[], expected(&month));
    assert_figures(&audience, "growth", &["grain=week"], expected(&week));
    assert_figures(&audience, "growth", &["grain=day"], expected(&|day| day));
}

#[test]
fn recency() {
    const BANDS: [(i64, &str); 7] =
        [(1, "≤1"), (7, "≤7"), (14, "≤14"), (30, "≤30"), (90, "≤90"), (180, "≤180"), (365, "≤365")];
    let audience = audience();
    let expected = |as_of: DateTime<Utc>| -> Vec<Value> {
        let band = |one: &Endpoint| {
            let Some(date) = one.effective_date else { return "unknown" };
            let days = (as_of - date).num_milliseconds().div_euclid(86_400_000);
            BANDS.iter().find(|(most, _)| days <= *most).map_or(">365", |(_, name)| name)
        };
        let groups = audience.count(|one| (band(one), channel(one)));
        let rows = groups.into_iter().map(|((band, channel), endpoints)| {
            json!({
                "band": band, "channel_type": channel, "endpoints": endpoints,
                "share": share(endpoints, all(&audience)),
            })
        });
        rows.collect()
    };
    let newest = audience.endpoints.iter().filter_map(|one| one.effective_date).max().unwrap();
    assert_figures(&audience, "recency", &[], expected(newest));
    let as_of = "2026-06-01T00:00:00Z";
    assert_figures(&audience, "recency", &[&format!("as_of={as_of}")], expected(as_of.parse().unwrap()));
}

#[test]
fn geography() {
    let audience = audience();
    let place = |one: &Endpoint| {
        let location = one.location.clone().unwrap_or_default();
        (country(one), location.region, location.city)
    };
    let mut users: BTreeMap<_, BTreeSet<String>> = BTreeMap::new();
    for one in &audience.endpoints {
        users.entry(place(one)).or_default().extend(one.user_id().map(str::to_owned));
    }
    let expected = audience.count(place).into_iter().map(|(place, endpoints)| {
        let users = users[&place].len();
        let (country, region, city) = place;
        json!({
            "country": country, "region": region, "city": city, "endpoints": endpoints, "users": users,
            "share": share(endpoints, all(&audience)),
        })
    });
    let expected: Vec<Value> = expected.collect();
    assert!(
        audience.endpoints.iter().any(|one| one.country() == Some("USA")),
        "alpha-3 codes are among them"
    );
    assert_figures(&audience, "geography", &[], expected.clone());
    // What is left out is left out of the table and not of the whole.
    let large = expected.into_iter().filter(|row| row["endpoints"].as_u64() >= Some(20)).collect();
    assert_figures(&audience, "geography", &["min_endpoints=20"], large);
}

#[test]
fn platforms() {
    let audience = audience();
    let platform = |one: &Endpoint| {
        let demographic = one.demographic.clone().unwrap_or_default();
        (demographic.platform, demographic.platform_version)
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
fn endpoints_per_user() {
    let audience = audience();
    let per_user = audience.count(|one| one.user_id().map(str::to_owned));
    let mut histogram: BTreeMap<u64, u64> = BTreeMap::new();
    for (_, endpoints) in per_user.iter().filter(|(user, _)| user.is_some()) {
        *histogram.entry(*endpoints).or_default() += 1;
    }
    let expected = histogram.into_iter().map(|(endpoints, users)| {
        json!({ "endpoints_per_user": endpoints, "users": users, "at_limit": endpoints >= 15 })
    });
    assert_figures(&audience, "endpoints-per-user", &[], expected.collect());
}

#[test]
fn channel_overlap() {
    let audience = audience();
    let mut people: BTreeMap<&str, (BTreeSet<String>, u64)> = BTreeMap::new();
    for one in &audience.endpoints {
        if let Some(user) = one.user_id() {
            let person = people.entry(user).or_default();
            person.0.extend(channel(one));
            person.1 += 1;
        }
    }
    let mut sets: BTreeMap<Text, (u64, u64)> = BTreeMap::new();
    for (channels, endpoints) in people.into_values() {
        let name = (!channels.is_empty()).then(|| channels.into_iter().collect::<Vec<_>>().join("+"));
        let set = sets.entry(name).or_default();
        set.0 += 1;
        set.1 += endpoints;
    }
    let expected = sets
        .into_iter()
        .map(|(channels, (users, endpoints))| json!({ "channels": channels, "users": users, "endpoints": endpoints }));
    assert_figures(&audience, "channel-overlap", &[], expected.collect());
}

#[test]
fn attribute_catalogue() {
    let audience = audience();
    let user_attributes = |one: &Endpoint| one.user.as_ref().and_then(|user| user.user_attributes.clone());
    let mut expected = Vec::new();
    for (source, lists) in [
        ("attributes", &(|one: &Endpoint| one.attributes.clone()) as &dyn Fn(&Endpoint) -> Option<TextLists>),
        ("user_attributes", &user_attributes),
    ] {
        let mut entries: BTreeMap<String, Vec<Vec<Text>>> = BTreeMap::new();
        for (name, values) in audience.endpoints.iter().filter_map(lists).flatten() {
            entries.entry(name).or_default().push(values);
        }
        let names: Vec<String> = entries.keys().cloned().collect();
        for (name, lists) in entries {
            let values: Vec<&String> = lists.iter().flatten().flatten().collect();
            let max_values = lists.iter().map(Vec::len).max().unwrap_or(0);
            let max_length = values.iter().map(|value| value.chars().count()).max().unwrap_or(0);
            let has_variant =
                names.iter().any(|other| *other != name && other.to_lowercase() == name.to_lowercase());
            let problems = [
                (name.chars().count() > 50, "name_over_50"),
                (max_length > 100, "value_over_100"),
                (max_values > 50, "over_50_values"),
                (has_variant, "case_variant"),
            ];
            expected.push(json!({
                "source": source,
                "name": name,
                "endpoints": lists.len(),
                "fill_share": share(lists.len() as u64, all(&audience)),
                "distinct_values": values.into_iter().collect::<BTreeSet<_>>().len(),
                "max_values": max_values,
                "max_length": max_length,
                "problems": problems.iter().filter(|it| it.0).map(|it| it.1).collect::<Vec<_>>(),
            }));
        }
    }
    assert!(expected.len() > 8);
    assert_figures(&audience, "attribute-catalogue", &[], expected);
}

#[test]
fn completeness() {
    let audience = audience();
    let channels = audience.count(channel);
    let mut nulls: BTreeMap<(String, Text), u64> = BTreeMap::new();
    for one in &audience.endpoints {
        for (column, value) in row_of(one).as_object().unwrap() {
            *nulls.entry((column.clone(), channel(one))).or_default() += u64::from(value.is_null());
        }
        for column in ["piece", "line", "snapshot"] {
            nulls.entry((column.to_owned(), channel(one))).or_default();
        }
    }
    assert_eq!(nulls.len(), 32 * channels.len());
    let expected = nulls.into_iter().map(|((column, channel), nulls)| {
        let null_share = share(nulls, channels[&channel]);
        json!({ "column": column, "channel_type": channel, "null_share": null_share })
    });
    assert_figures(&audience, "completeness", &[], expected.collect());
}
