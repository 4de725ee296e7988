//! What attributes and metrics hold, and how people and cohorts differ by them.

use std::collections::{BTreeMap, BTreeSet};

use pinlake_local::Endpoint;
use pinlake_local::population::TextLists;
use serde_json::{Value, json};

use super::super::{Audience, audience};
use super::{Text, all, assert_figures, at_least, channel, country, is_opted_out, newest, share};

fn user_attributes(endpoint: &Endpoint) -> TextLists {
    endpoint.user.clone().unwrap_or_default().user_attributes.unwrap_or_default()
}

/// The values that an endpoint holds under a name, each once.
fn held(endpoint: &Endpoint, source: &str, name: &str) -> BTreeSet<Text> {
    let mut lists = Vec::new();
    if source != "user_attributes" {
        lists.extend(endpoint.attributes.clone().unwrap_or_default().remove(name));
    }
    if source != "attributes" {
        lists.extend(user_attributes(endpoint).remove(name));
    }
    lists.into_iter().flatten().collect()
}

fn attribute_rows(
    audience: &Audience,
    source: &str,
    name: &str,
    by: &dyn Fn(&Endpoint) -> Text,
) -> Vec<Value> {
    let whole = audience.count(by);
    let mut counts: BTreeMap<(Text, Text), u64> = BTreeMap::new();
    for one in &audience.endpoints {
        for value in held(one, source, name) {
            *counts.entry((value, by(one))).or_default() += 1;
        }
    }
    let rows = counts.into_iter().map(|((value, by_value), endpoints)| {
        json!({
            "value": value, "endpoints": endpoints, "share": share(endpoints, all(audience)),
            "by_share": share(endpoints, whole[&by_value]), "by_value": by_value,
        })
    });
    rows.collect()
}

#[test]
fn attribute_values() {
    let audience = audience();
    let plans = attribute_rows(&audience, "any", "plan", &|_| None);
    assert_figures(&audience, "attribute-values", &["name=plan"], plans.clone());
    assert_figures(&audience, "attribute-values", &["name=plan", "min_endpoints=100"], at_least(100, &plans));
    // A list with a null in it, texts with everything that texts may hold, and a split by a normalised column.
    let interests = attribute_rows(&audience, "any", "interests", &|_| None);
    assert!(interests.iter().any(|row| row["value"].is_null()));
    assert_figures(&audience, "attribute-values", &["name=interests"], interests);
    let notes = attribute_rows(&audience, "attributes", "note", &country);
    let params = ["name=note", "source=attributes", "by=country"];
    assert_figures(&audience, "attribute-values", &params, notes);
    let segments = attribute_rows(&audience, "user_attributes", "Segment", &channel);
    let params = ["name=Segment", "source=user_attributes", "by=channel_type"];
    assert_figures(&audience, "attribute-values", &params, segments);
    assert_eq!(audience.report("attribute-values", &["name=PLAN"]), Vec::<Value>::new());
}

/// So many hundredths of the way through sorted values, between neighbours if need be.
fn quantile(values: &[f64], hundredths: usize) -> f64 {
    let way = (values.len() - 1) * hundredths;
    let below = values[way / 100];
    let above = values.get(way / 100 + 1).copied().unwrap_or(below);
    below + (above - below) * (way % 100) as f64 / 100.0
}

#[test]
fn metric_distribution() {
    let audience = audience();
    let mut metrics: BTreeMap<String, Vec<f64>> = BTreeMap::new();
    for (name, value) in audience.endpoints.iter().filter_map(|one| one.metrics.clone()).flatten() {
        metrics.entry(name).or_default().push(value);
    }
    let rows = metrics.into_iter().map(|(name, mut values)| {
        values.sort_unstable_by(f64::total_cmp);
        let count = values.len() as f64;
        let mean = values.iter().sum::<f64>() / count;
        let squares = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>();
        let stddev = (values.len() > 1).then(|| (squares / (count - 1.0)).sqrt());
        json!({
            "name": name, "endpoints": values.len(), "min": values[0], "max": values[values.len() - 1],
            "p25": quantile(&values, 25), "p50": quantile(&values, 50), "p75": quantile(&values, 75),
            "p95": quantile(&values, 95), "mean": mean, "stddev": stddev,
            "zeros": values.iter().filter(|value| **value == 0.0).count(),
            "negatives": values.iter().filter(|value| **value < 0.0).count(),
        })
    });
    assert_figures(&audience, "metric-distribution", &[], rows.collect());
}

#[test]
fn cohort_balance() {
    let audience = audience();
    let cohort = |one: &Endpoint| one.cohort_id.clone();
    let opted_out = audience.count(|one| (cohort(one), is_opted_out(one)));
    let named = |cohort: &Text| cohort.as_deref().is_some_and(|name| (0..100).any(|n| n.to_string() == name));
    let in_cohorts: u64 =
        audience.count(cohort).iter().filter(|(name, _)| named(name)).map(|(_, n)| *n).sum();
    assert!((1..1_000).contains(&in_cohorts), "too few for a z-score: {in_cohorts}");
    let rows = audience.count(cohort).into_iter().map(|(cohort, endpoints)| {
        let refused = opted_out.get(&(cohort.clone(), true)).copied().unwrap_or(0);
        json!({
            "endpoints": endpoints, "share": share(endpoints, all(&audience)),
            "opt_out_share": share(refused, endpoints), "z_score": null,
            "expected": named(&cohort).then(|| share(in_cohorts, 100)), "cohort_id": cohort,
        })
    });
    assert_figures(&audience, "cohort-balance", &[], rows.collect());
}

/// Newest update in milliseconds, frequency and value of a person.
type Person = (Option<i64>, f64, f64);

fn people(audience: &Audience, frequency: &str, value: &str) -> Vec<Person> {
    let mut people: BTreeMap<&str, Person> = BTreeMap::new();
    for one in &audience.endpoints {
        let Some(user) = one.user_id() else { continue };
        let person = people.entry(user).or_insert((None, 0.0, 0.0));
        person.0 = person.0.max(one.effective_date.map(|date| date.timestamp_millis()));
        let metric = |name: &str| one.metrics.as_ref().and_then(|metrics| metrics.get(name)).copied();
        person.1 += metric(frequency).unwrap_or(0.0);
        person.2 += metric(value).unwrap_or(0.0);
    }
    // Metrics have two decimals; sums are compared as such.
    let rounded = |sum: f64| (sum * 1e6).round() / 1e6;
    people.into_values().map(|(date, first, second)| (date, rounded(first), rounded(second))).collect()
}

/// One to five by quintiles: of how many others each is ahead.
fn scores(keys: &[f64]) -> Vec<usize> {
    let ahead = |key: &f64| keys.iter().filter(|other| *other < key).count();
    keys.iter().map(|key| 1 + 5 * ahead(key) / keys.len()).collect()
}

fn segment_rows(people: &[Person], as_of_millis: i64) -> Vec<Value> {
    let recency: Vec<f64> =
        people.iter().map(|one| one.0.map_or(f64::NEG_INFINITY, |date| date as f64)).collect();
    let frequency: Vec<f64> = people.iter().map(|one| one.1).collect();
    let value: Vec<f64> = people.iter().map(|one| one.2).collect();
    let [recency, frequency, value] = [recency, frequency, value].map(|keys| scores(&keys));
    let mut segments: BTreeMap<String, Vec<&Person>> = BTreeMap::new();
    for (place, person) in people.iter().enumerate() {
        let segment = format!("{}{}{}", recency[place], frequency[place], value[place]);
        segments.entry(segment).or_default().push(person);
    }
    let mean = |values: Vec<f64>| {
        (!values.is_empty()).then(|| (values.iter().sum::<f64>() / values.len() as f64 * 1e6).round() / 1e6)
    };
    let rows = segments.into_iter().map(|(segment, people)| {
        let days = people.iter().filter_map(|one| Some((as_of_millis - one.0?) as f64 / 86_400_000.0));
        json!({
            "segment": segment, "users": people.len(), "recency_days": mean(days.collect()),
            "frequency": mean(people.iter().map(|one| one.1).collect()),
            "value": mean(people.iter().map(|one| one.2).collect()),
        })
    });
    rows.collect()
}

#[test]
fn rfm() {
    let audience = audience();
    let as_of = newest(&audience).timestamp_millis();
    // Both metrics are told together but for odd records: `spend` is the one that is always a number.
    let filled = |name: &str| {
        let metrics = audience.endpoints.iter().filter_map(|one| one.metrics.as_ref());
        metrics.filter(|metrics| metrics.contains_key(name)).count()
    };
    assert!(filled("spend") > filled("sessions"));
    let usual = segment_rows(&people(&audience, "spend", "sessions"), as_of);
    assert_figures(&audience, "rfm", &[], usual);
    let named = segment_rows(&people(&audience, "sessions", "spend"), as_of);
    assert_figures(&audience, "rfm", &["frequency=sessions", "value=spend"], named);
    let missing = segment_rows(&people(&audience, "spend", "no such metric"), as_of);
    assert_figures(&audience, "rfm", &["value=no such metric"], missing);
}
