//! What is wrong with the data, and what a move to another service would meet.

use std::collections::{BTreeMap, BTreeSet};

use pinlake_local::Endpoint;
use pinlake_local::population::TextLists;
use serde_json::{Value, json};

use super::super::{Audience, audience, usual_audience};
use super::{Text, assert_figures, channel, is_opted_out};

fn is_inactive(endpoint: &Endpoint) -> bool {
    endpoint.endpoint_status.as_deref() == Some("INACTIVE")
}

fn address(endpoint: &Endpoint) -> &str {
    endpoint.address.as_deref().unwrap_or_default()
}

fn ghosts_of(audience: &Audience) -> Vec<Value> {
    let rows = audience.endpoints.iter().filter_map(|one| {
        let reasons = [
            (address(one).is_empty(), "no_address"),
            (one.creation_date.is_none() && one.effective_date.is_none(), "no_dates"),
            (is_inactive(one) && is_opted_out(one) && one.user_id().is_none(), "inactive_opted_out"),
        ];
        let reasons: Vec<&str> = reasons.into_iter().filter(|(holds, _)| *holds).map(|it| it.1).collect();
        (!reasons.is_empty()).then(|| {
            json!({
                "id": one.id, "channel_type": channel(one), "endpoint_status": one.endpoint_status,
                "opt_out": one.opt_out, "reasons": reasons,
            })
        })
    });
    rows.collect()
}

#[test]
fn ghosts() {
    for audience in [audience(), usual_audience()] {
        let rows = ghosts_of(&audience);
        let all = json!(["no_address", "no_dates", "inactive_opted_out"]);
        assert!(rows.iter().any(|row| row["reasons"] == all));
        assert!(rows.iter().any(|row| row["reasons"] == json!(["no_address"])));
        assert_figures(&audience, "ghosts", &[], rows);
    }
}

fn conflicts_of(audience: &Audience) -> Vec<Value> {
    let mut sets: BTreeMap<(String, String), Vec<BTreeSet<String>>> = BTreeMap::new();
    for one in &audience.endpoints {
        let Some(user) = one.user_id() else { continue };
        let lists = one.user.clone().and_then(|user| user.user_attributes).unwrap_or_default();
        for (name, values) in lists {
            let set: BTreeSet<String> = values.into_iter().flatten().collect();
            if !set.is_empty() {
                sets.entry((user.to_owned(), name)).or_default().push(set);
            }
        }
    }
    let rows = sets.into_iter().filter_map(|((user, name), sets)| {
        let variants = sets.iter().collect::<BTreeSet<_>>().len();
        let values: BTreeSet<&String> = sets.iter().flatten().collect();
        (variants > 1).then(|| {
            json!({
                "user_id": user, "name": name, "values": values, "endpoints": sets.len(),
                "variants": variants,
            })
        })
    });
    rows.collect()
}

#[test]
fn user_conflicts() {
    let audience = audience();
    assert_figures(&audience, "user-conflicts", &[], conflicts_of(&audience));
    // Only odd records tell something else of a user than the user's other endpoints do.
    let usual = usual_audience();
    assert_eq!(conflicts_of(&usual), Vec::<Value>::new());
    assert_eq!(usual.report("user-conflicts", &[]), Vec::<Value>::new());
}

/// Whether a text that a profile would hold has more characters than it can.
fn is_wordy(endpoint: &Endpoint) -> bool {
    let is_long = |text: &str| text.chars().count() > 255;
    let lists = [endpoint.attributes.clone(), endpoint.user.clone().and_then(|user| user.user_attributes)];
    let values = lists.into_iter().flatten().flat_map(TextLists::into_values).flatten().flatten();
    let location = endpoint.location.clone().unwrap_or_default();
    let texts = [location.city, location.region, location.postal_code, endpoint.address.clone()];
    values.chain(texts.into_iter().flatten()).any(|text| is_long(&text))
        || endpoint.user_id().is_some_and(is_long)
}

/// Whether an endpoint has a problem.
type Holds<'a> = &'a dyn Fn(&Endpoint) -> bool;

fn problems_of(audience: &Audience) -> Vec<Value> {
    let is_email = |one: &Endpoint| channel(one).as_deref() == Some("EMAIL") && !address(one).is_empty();
    let is_phone =
        |one: &Endpoint| matches!(channel(one).as_deref(), Some("SMS" | "VOICE")) && !address(one).is_empty();
    let mut emails: BTreeMap<Text, BTreeSet<String>> = BTreeMap::new();
    let mut phones: BTreeMap<Text, BTreeSet<String>> = BTreeMap::new();
    let user = |one: &Endpoint| one.user_id().map(str::to_owned);
    for one in audience.endpoints.iter().filter(|one| one.user_id().is_some()) {
        if is_email(one) {
            emails.entry(user(one)).or_default().insert(address(one).trim().to_lowercase());
        } else if is_phone(one) {
            phones.entry(user(one)).or_default().insert(address(one).trim().to_owned());
        }
    }
    let count =
        |of: &BTreeMap<Text, BTreeSet<String>>, one: &Endpoint| of.get(&user(one)).map_or(0, BTreeSet::len);
    let problems: [(&str, Holds); 8] = [
        ("no_user_id", &|one| one.user_id().is_none()),
        ("over_3_emails", &|one| is_email(one) && count(&emails, one) > 3),
        ("over_4_phones", &|one| is_phone(one) && count(&phones, one) > 4),
        ("value_over_255", &is_wordy),
        ("opted_out", &is_opted_out),
        ("inactive", &is_inactive),
        ("push_or_custom_channel", &|one| {
            !matches!(channel(one).as_deref(), None | Some("EMAIL" | "SMS" | "VOICE"))
        }),
        ("no_address", &|one| address(one).is_empty()),
    ];
    let rows = problems.iter().map(|(problem, holds)| {
        let having: Vec<&Endpoint> = audience.endpoints.iter().filter(|one| holds(one)).collect();
        let users: BTreeSet<&str> = having.iter().filter_map(|one| one.user_id()).collect();
        json!({
            "problem": problem, "users": users.len(), "endpoints": having.len(),
            "example_id": having.iter().filter_map(|one| one.id.as_deref()).min(),
        })
    });
    rows.collect()
}

#[test]
fn migration_readiness() {
    for audience in [audience(), usual_audience()] {
        assert_figures(&audience, "migration-readiness", &[], problems_of(&audience));
    }
}
