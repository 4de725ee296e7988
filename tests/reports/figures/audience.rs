//! How big the audience is, on which channels, and who can be reached.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;
use pinlake_local::Endpoint;
use serde_json::{Value, json};

use super::super::audience;
use super::{Text, all, assert_figures, channel, country, is_opted_out, is_targetable, share};
use crate::harness::shown;

#[test]
fn audience_summary() {
    let audience = audience();
    let endpoints = &audience.endpoints;
    let count = |holds: &dyn Fn(&Endpoint) -> bool| endpoints.iter().filter(|one| holds(one)).count();
    let distinct =
        |value: &dyn Fn(&Endpoint) -> Text| endpoints.iter().filter_map(value).collect::<BTreeSet<_>>().len();
    let expected = json!({
        "endpoints": endpoints.len(),
        "distinct_ids": distinct(&|one| one.id.clone()),
        "addresses": distinct(&|one| one.address.clone()),
        "users": distinct(&|one| one.user_id().map(str::to_owned)),
        "anonymous_endpoints": count(&|one| one.user_id().is_none()),
        "targetable": count(&is_targetable),
        "opted_out": count(&is_opted_out),
        "inactive": count(&|one| one.endpoint_status.as_deref() == Some("INACTIVE")),
        "first_created": endpoints.iter().filter_map(|one| one.creation_date).min().map(shown),
        "last_effective": endpoints.iter().filter_map(|one| one.effective_date).max().map(shown),
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
