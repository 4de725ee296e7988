//! The people behind endpoints.

use std::collections::{BTreeMap, BTreeSet};

use pinlake_local::Endpoint;
use serde_json::{Value, json};

use super::super::audience;
use super::{Text, assert_figures, channel, is_active, is_opted_out, is_targetable};

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
fn unreachable_users() {
    let audience = audience();
    let mut people: BTreeMap<&str, Vec<&Endpoint>> = BTreeMap::new();
    for one in &audience.endpoints {
        if let Some(user) = one.user_id() {
            people.entry(user).or_default().push(one);
        }
    }
    people.retain(|_, endpoints| !endpoints.iter().any(|one| is_targetable(one)));
    let rows = people.into_iter().map(|(user, endpoints)| {
        let holds = |of: &dyn Fn(&Endpoint) -> bool| endpoints.iter().any(|one| of(one));
        let reasons = [
            (holds(&|one| !is_active(one)), "inactive"),
            (holds(&|one| one.address.is_none()), "no_address"),
            (holds(&is_opted_out), "opted_out"),
        ];
        let reasons: Vec<&str> = reasons.into_iter().filter(|(holds, _)| *holds).map(|it| it.1).collect();
        json!({ "user_id": user, "endpoints": endpoints.len(), "reasons": reasons })
    });
    let rows: Vec<Value> = rows.collect();
    for reason in ["inactive", "no_address", "opted_out"] {
        assert!(
            rows.iter().any(|row| row["reasons"] == json!([reason])),
            "{reason} is somebody's only reason"
        );
    }
    assert_figures(&audience, "unreachable-users", &[], rows);
}
