//! What attributes and metrics hold, and how people and cohorts differ by them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;

use chrono::DateTime;
use pinlake_local::Endpoint;
use pinlake_local::population::TextLists;
use serde_json::{Value, json};

use super::super::{Audience, audience, usual_audience};
use super::{Text, all, assert_figures, at_least, channel, country, is_opted_out, newest, share};
use crate::harness::{Room, gzip, population};

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
    let usual = usual_audience();
    let interests = attribute_rows(&usual, "any", "interests", &|one| one.opt_out.clone());
    assert_figures(&usual, "attribute-values", &["name=interests", "by=opt_out"], interests);
}

/// So many hundredths of the way through sorted values, between neighbours if need be.
fn quantile(values: &[f64], hundredths: usize) -> f64 {
    let way = (values.len() - 1) * hundredths;
    let below = values[way / 100];
    let above = values.get(way / 100 + 1).copied().unwrap_or(below);
    below + (above - below) * (way % 100) as f64 / 100.0
}

fn distributions_of(audience: &Audience) -> Vec<Value> {
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
    rows.collect()
}

#[test]
fn metric_distribution() {
    for audience in [audience(), usual_audience()] {
        assert_figures(&audience, "metric-distribution", &[], distributions_of(&audience));
    }
}

/// What each cohort of an audience must be told as; those that are empty are left out.
fn cohort_rows(audience: &Audience, cohort: &dyn Fn(&Endpoint) -> Text) -> Vec<Value> {
    let opted_out = audience.count(|one| (cohort(one), is_opted_out(one)));
    let is_named =
        |cohort: &Text| cohort.as_deref().is_some_and(|name| (0..100).any(|n| n.to_string() == name));
    let sizes = audience.count(cohort);
    let in_cohorts: u64 = sizes.iter().filter(|(name, _)| is_named(name)).map(|(_, size)| size).sum();
    let rows = sizes.into_iter().map(|(cohort, endpoints)| {
        let refused = opted_out.get(&(cohort.clone(), true)).copied().unwrap_or(0);
        let expected = is_named(&cohort).then(|| share(in_cohorts, 100));
        let deviations = expected
            .filter(|size| *size >= 10.0)
            .map(|size| (endpoints as f64 - size) / (size * 0.99).sqrt());
        json!({
            "cohort_id": cohort, "endpoints": endpoints, "share": share(endpoints, all(audience)),
            "opt_out_share": share(refused, endpoints), "expected": expected, "z_score": deviations,
        })
    });
    rows.collect()
}

#[test]
fn cohort_balance() {
    for audience in [audience(), usual_audience()] {
        let rows = cohort_rows(&audience, &|one| one.cohort_id.clone());
        assert!(rows.iter().all(|row| row["z_score"].is_null()), "too few of them are in cohorts");
        assert_figures(&audience, "cohort-balance", &[], rows);
    }
}

/// The usual audience with cohorts, which exports leave out: unequal ones, empty ones, and two that are none.
#[test]
fn cohorts_that_are_out_of_balance() {
    let audience = population(2_000, 0.0);
    let cohort_of = |index: u64| match index % 50 {
        48 => "07".to_owned(),
        49 => "control".to_owned(),
        _ => (index * index % 97).to_string(),
    };
    let room = Room::new();
    let mut lines = Vec::new();
    for index in 0..audience.endpoints() {
        let mut line = Vec::new();
        audience.write_line(index, &mut line);
        let members = String::from_utf8(line).unwrap().split_off(1);
        lines.push(format!("{{\"CohortId\":\"{}\",{members}", cohort_of(index)));
    }
    room.write("export/part-0.gz", gzip(lines.join("\n").as_bytes()));
    room.pinlake(&["convert", "export", "--snapshot", "s"]).succeeds();
    let endpoints = audience.iter().zip(0..);
    let endpoints =
        endpoints.map(|(one, index)| Endpoint { cohort_id: Some(cohort_of(index)), ..one }).collect();
    let audience = Audience { room, endpoints, rows: OnceLock::new(), page: OnceLock::new() };

    let mut rows = cohort_rows(&audience, &|one| one.cohort_id.clone());
    let expected = rows[0]["expected"].clone();
    let deviations = -(expected.as_f64().unwrap() / 0.99).sqrt();
    // Squares leave half of the remainders out.
    let there: BTreeSet<&str> = rows.iter().filter_map(|row| row["cohort_id"].as_str()).collect();
    let missing = (0..100).map(|number| number.to_string()).filter(|cohort| !there.contains(&**cohort));
    let missing: Vec<String> = missing.collect();
    rows.extend(missing.into_iter().map(|cohort| {
        json!({
            "cohort_id": cohort, "endpoints": 0, "share": 0.0, "opt_out_share": null,
            "expected": expected, "z_score": deviations,
        })
    }));
    assert_eq!(rows.len(), 102);
    assert_figures(&audience, "cohort-balance", &[], rows);
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

/// The names of metrics by how many endpoints have them, most first.
fn most_filled(audience: &Audience) -> Vec<String> {
    let mut filled: BTreeMap<&String, usize> = BTreeMap::new();
    for name in audience.endpoints.iter().filter_map(|one| one.metrics.as_ref()).flat_map(BTreeMap::keys) {
        *filled.entry(name).or_default() += 1;
    }
    let mut names: Vec<(&String, usize)> = filled.into_iter().collect();
    names.sort_by_key(|(name, endpoints)| (usize::MAX - endpoints, *name));
    names.into_iter().map(|(name, _)| name.clone()).collect()
}

#[test]
fn rfm() {
    for audience in [audience(), usual_audience()] {
        let as_of = newest(&audience).timestamp_millis();
        let names = most_filled(&audience);
        assert!(names.len() > 1, "{names:?}");
        let usual = segment_rows(&people(&audience, &names[0], &names[1]), as_of);
        assert_figures(&audience, "rfm", &[], usual);
        let turned = segment_rows(&people(&audience, &names[1], &names[0]), as_of);
        assert_figures(&audience, "rfm", &[&format!("value={}", names[0])], turned);
    }
}

#[test]
fn rfm_of_metrics_that_are_named_and_days_that_are_counted_from_elsewhere() {
    let audience = audience();
    let as_of = newest(&audience).timestamp_millis();
    let named = segment_rows(&people(&audience, "sessions", "spend"), as_of);
    assert_figures(&audience, "rfm", &["frequency=sessions", "value=spend"], named);
    let missing = segment_rows(&people(&audience, "spend", "no such metric"), as_of);
    assert_figures(&audience, "rfm", &["frequency=spend", "value=no such metric"], missing);
    let new_year = DateTime::parse_from_rfc3339("2026-01-01T00:00:00Z").unwrap().timestamp_millis();
    let earlier = segment_rows(&people(&audience, "sessions", "spend"), new_year);
    assert!(
        earlier.iter().any(|row| row["recency_days"].as_f64() < Some(0.0)),
        "days that are still to come"
    );
    let params = ["frequency=sessions", "value=spend", "as_of=2026-01-01"];
    assert_figures(&audience, "rfm", &params, earlier);
}
