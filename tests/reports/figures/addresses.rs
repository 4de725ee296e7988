//! Addresses: shared, wrong, and what they tell of their owners.

use std::collections::{BTreeMap, BTreeSet};

use pinlake_local::Endpoint;
use serde_json::{Value, json};

use super::super::audience;
use super::{Text, all, assert_figures, at_least, channel, is_active, is_opted_out, share};

fn address(endpoint: &Endpoint) -> &str {
    endpoint.address.as_deref().unwrap_or_default()
}

fn is_on(endpoint: &Endpoint, channels: &[&str]) -> bool {
    endpoint.channel_type.as_deref().is_some_and(|channel| channels.contains(&channel))
}

#[test]
fn duplicate_addresses() {
    let audience = audience();
    let mut sharers: BTreeMap<(Text, String), Vec<&Endpoint>> = BTreeMap::new();
    for one in audience.endpoints.iter().filter(|one| one.address.is_some()) {
        let trimmed = address(one).trim();
        let key = if is_on(one, &["EMAIL"]) { trimmed.to_lowercase() } else { trimmed.to_owned() };
        sharers.entry((channel(one), key)).or_default().push(one);
    }
    let distinct = |texts: &mut dyn Iterator<Item = &str>| texts.collect::<BTreeSet<_>>().len();
    sharers.retain(|_, endpoints| distinct(&mut endpoints.iter().filter_map(|one| one.id.as_deref())) > 1);
    let rows = sharers.into_iter().map(|((channel, address), endpoints)| {
        json!({
            "channel_type": channel, "address": address, "endpoints": endpoints.len(),
            "active_endpoints": endpoints.iter().filter(|one| is_active(one)).count(),
            "users": distinct(&mut endpoints.iter().filter_map(|one| one.user_id())),
        })
    });
    assert_figures(&audience, "duplicate-addresses", &[], rows.collect());
}

/// What is wrong with an endpoint's address, told without a regular expression.
fn problem(endpoint: &Endpoint) -> Option<&'static str> {
    let address = address(endpoint);
    let length = address.chars().count();
    let is_label = |label: &str| {
        !label.is_empty()
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.chars().all(|letter| letter == '-' || letter.is_alphanumeric())
    };
    if address.is_empty() {
        return Some("missing");
    }
    match endpoint.channel_type.as_deref()? {
        "EMAIL" => {
            let Some((_, domain)) = address.rsplit_once('@') else { return Some("no_at") };
            let labels: Vec<&str> = domain.split('.').collect();
            let is_number = labels[labels.len() - 1].bytes().all(|byte| byte.is_ascii_digit());
            (labels.len() < 2 || !labels.into_iter().all(is_label) || is_number).then_some("bad_domain")
        }
        "SMS" | "VOICE" => {
            let digits = address.strip_prefix('+').unwrap_or_default();
            let is_number = digits.bytes().all(|byte| byte.is_ascii_digit()) && !digits.starts_with('0');
            (!is_number || !(2..=15).contains(&digits.len())).then_some("not_e164")
        }
        push => {
            let lengths = match push {
                "GCM" => 100..=4096,
                "PUSH" => 64..=4096,
                "ADM" => 100..=1536,
                "BAIDU" => 15..=20,
                apns if apns.starts_with("APNS") => 64..=64,
                _ => return None,
            };
            (!lengths.contains(&length)).then_some("odd_token_length")
        }
    }
}

#[test]
fn address_quality() {
    let audience = audience();
    let channels = audience.count(channel);
    let groups = audience.count(|one| (channel(one), problem(one))).into_iter();
    let rows = groups.filter(|((_, problem), _)| problem.is_some()).map(|((channel, problem), endpoints)| {
        json!({
            "channel_type": channel, "problem": problem, "endpoints": endpoints,
            "share": share(endpoints, all(&audience)), "channel_share": share(endpoints, channels[&channel]),
        })
    });
    let rows: Vec<Value> = rows.collect();
    for problem in ["missing", "no_at", "not_e164"] {
        assert!(rows.iter().any(|row| row["problem"] == problem), "{problem} is among them");
    }
    assert_figures(&audience, "address-quality", &[], rows);
}

#[test]
fn email_domains() {
    let audience = audience();
    let mut domains: BTreeMap<Text, (u64, u64)> = BTreeMap::new();
    for one in audience.endpoints.iter().filter(|one| is_on(one, &["EMAIL"])) {
        let domain = address(one).rsplit_once('@').map(|(_, domain)| domain.to_lowercase());
        let counts = domains.entry(domain).or_default();
        counts.0 += 1;
        counts.1 += u64::from(is_opted_out(one));
    }
    let rows = domains.into_iter().map(|(domain, (endpoints, opted_out))| {
        json!({ "domain": domain, "endpoints": endpoints, "opted_out_share": share(opted_out, endpoints) })
    });
    let rows: Vec<Value> = rows.collect();
    assert_figures(&audience, "email-domains", &[], rows.clone());
    assert_figures(&audience, "email-domains", &["min_endpoints=100"], at_least(100, &rows));
}

#[test]
fn phone_countries() {
    let audience = audience();
    let codes = audience.room.sql("SELECT prefix, country FROM calling_codes");
    let codes: BTreeMap<&str, &str> = codes
        .iter()
        .map(|code| (code["prefix"].as_str().unwrap(), code["country"].as_str().unwrap()))
        .collect();
    let called = |one: &Endpoint| -> (Text, Text) {
        let digits = address(one).strip_prefix('+').unwrap_or_default();
        let prefixes = (1..=digits.len()).map(|length| &digits[..length]);
        let known: Vec<&str> = prefixes.filter(|prefix| codes.contains_key(prefix)).collect();
        let country = known.last().map(|prefix| codes[prefix]).filter(|country| !country.is_empty());
        (known.first().map(|code| (*code).to_owned()), country.map(str::to_owned))
    };
    let groups = audience.count(|one| is_on(one, &["SMS", "VOICE"]).then(|| called(one)));
    let rows = groups.into_iter().filter_map(|(called, endpoints)| {
        let (calling_code, country) = called?;
        Some(json!({ "calling_code": calling_code, "country": country, "endpoints": endpoints }))
    });
    let rows: Vec<Value> = rows.collect();
    let tells = |code: &str, country: &str| {
        rows.iter().any(|row| row["calling_code"] == code && row["country"] == country)
    };
    assert!(tells("81", "JP") && tells("1", "US") && tells("1", "CA"), "{rows:?}");
    assert_figures(&audience, "phone-countries", &[], rows.clone());
    assert_figures(&audience, "phone-countries", &["min_endpoints=20"], at_least(20, &rows));
}
