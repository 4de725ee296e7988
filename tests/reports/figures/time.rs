//! What dates tell: growth, freshness, lifetimes.

use std::collections::BTreeMap;

use chrono::{DateTime, Datelike as _, Days, NaiveDate, Utc};
use pinlake_local::Endpoint;
use serde_json::{Value, json};

use super::super::audience;
use super::{Text, all, assert_figures, channel, is_active, newest, share};
use crate::harness::shown;

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
    assert_figures(&audience, "recency", &[], expected(newest(&audience)));
    let as_of = "2026-06-01T00:00:00Z";
    assert_figures(&audience, "recency", &[&format!("as_of={as_of}")], expected(as_of.parse().unwrap()));
}

#[test]
fn dormant() {
    let audience = audience();
    let expected = |days: i64, as_of: DateTime<Utc>| -> Vec<Value> {
        let rows = audience.endpoints.iter().filter(|one| is_active(one)).filter_map(|one| {
            let date = one.effective_date?;
            let idle = (as_of - date).num_milliseconds().div_euclid(86_400_000);
            (idle > days).then(|| {
                json!({
                    "id": one.id, "channel_type": channel(one), "user_id": one.user_id(),
                    "effective_date": shown(date), "days_idle": idle,
                })
            })
        });
        rows.collect()
    };
    assert_figures(&audience, "dormant", &[], expected(90, newest(&audience)));
    assert_figures(&audience, "dormant", &["days=0"], expected(0, newest(&audience)));
    let as_of = "2025-06-01T00:00:00Z";
    let params = ["days=365", &format!("as_of={as_of}")];
    assert_figures(&audience, "dormant", &params, expected(365, as_of.parse().unwrap()));
}

/// Months, numbered through.
fn month(date: DateTime<Utc>) -> i64 {
    i64::from(date.year()) * 12 + i64::from(date.month0())
}

#[test]
fn retention() {
    let audience = audience();
    // For each month of creation the month of each endpoint's last update.
    let mut cohorts: BTreeMap<i64, Vec<Option<i64>>> = BTreeMap::new();
    for one in &audience.endpoints {
        if let Some(created) = one.creation_date {
            cohorts.entry(month(created)).or_default().push(one.effective_date.map(month));
        }
    }
    let expected = |as_of: DateTime<Utc>, max_age: i64| -> Vec<Value> {
        let mut rows = Vec::new();
        for (cohort, updated) in &cohorts {
            for age in 0..=(month(as_of) - cohort).min(max_age) {
                let is_live = |last: &&Option<i64>| last.is_some_and(|last| last >= cohort + age);
                let retained = updated.iter().filter(is_live).count();
                rows.push(json!({
                    "cohort_month": format!("{:04}-{:02}-01", cohort / 12, cohort % 12 + 1),
                    "age_months": age, "endpoints": retained,
                    "retained_share": share(retained as u64, updated.len() as u64),
                    "cohort_endpoints": updated.len(),
                }));
            }
        }
        rows
    };
    assert_figures(&audience, "retention", &[], expected(newest(&audience), 240));
    assert_figures(&audience, "retention", &["max_age=2"], expected(newest(&audience), 2));
    let as_of = "2021-02-28T23:59:59Z";
    let params = [&*format!("as_of={as_of}")];
    assert_figures(&audience, "retention", &params, expected(as_of.parse().unwrap(), 240));
}

/// So many tenths of the way through sorted spans of microseconds, between neighbours if need be, in days.
fn quantile(spans: &[i64], tenths: usize) -> Option<f64> {
    let way = spans.len().checked_sub(1)? * tenths;
    let below = spans[way / 10];
    let above = spans.get(way / 10 + 1).copied().unwrap_or(below);
    Some((below as f64 + (above - below) as f64 * (way % 10) as f64 / 10.0) / 86_400_000_000.0)
}

#[test]
fn lifetime() {
    let audience = audience();
    let mut spans: BTreeMap<Text, Vec<i64>> = BTreeMap::new();
    for one in &audience.endpoints {
        let of_channel = spans.entry(channel(one)).or_default();
        if let (Some(created), Some(updated)) = (one.creation_date, one.effective_date) {
            of_channel.push((updated - created).num_microseconds().unwrap());
        }
    }
    for spans in spans.values_mut() {
        spans.sort_unstable();
    }
    let channels = audience.count(channel);
    let expected = |never_micros: i64| -> Vec<Value> {
        let rows = spans.iter().map(|(channel, spans)| {
            let never = spans.iter().filter(|span| **span <= never_micros).count();
            json!({
                "channel_type": channel, "endpoints": channels[channel], "dated_endpoints": spans.len(),
                "p50_days": quantile(spans, 5), "p90_days": quantile(spans, 9),
                "never_updated_share": share(never as u64, channels[channel]),
            })
        });
        rows.collect()
    };
    assert_figures(&audience, "lifetime", &[], expected(1_000_000));
    // Four endpoints in ten were updated within three milliseconds, or not at all.
    assert_figures(&audience, "lifetime", &["never_seconds=0.001"], expected(1_000));
}
