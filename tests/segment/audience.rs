//! An audience to evaluate segments over: a seeded population, and endpoints as odd as an export may have them.
//!
//! Left out is what a server and a lake mean to tell apart, as docs/segments.md says: of equal ids a server keeps one, it gives an id to an
//! endpoint without one, and dates of a lake have microseconds and no leap second.

use std::collections::HashSet;

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use serde_json::{Value, json};

use crate::harness::population;

/// Texts of attributes that are dates, or nearly.
pub(super) const DATES: [&str; 16] = [
    "2026-03-01T10:00:00Z",
    "2026-03-01T10:00:00.000000001Z",
    "2026-03-01T23:59:59.999Z",
    "2026-03-02T00:00:00Z",
    "2026-03-02T00:30:00+01:00",
    "2026-03-01T18:59:59-05:00",
    "2026-03-01t10:00:00z",
    "2026-03-01 10:00:00Z",
    "2026-03-01T10:00:00",
    "2026-03-01",
    "1772359200",
    "2016-12-31T23:59:60Z",
    "0001-01-01T00:00:00Z",
    "9999-12-31T23:59:59Z",
    "2026-02-30T00:00:00Z",
    "yesterday",
];

/// Texts that are nearly others.
pub(super) const TEXTS: [&str; 12] = [
    "",
    " ",
    "gold",
    "Gold",
    "gold ",
    "золото",
    "ЗОЛОТО",
    "straße",
    "STRASSE",
    "e\u{301}",
    "\u{e9}",
    "O'Hara \"x\" \\ %_",
];

/// The lines of the audience. `now` is the server's, so that some dates lie around the spans of recency.
pub(super) fn lines(now: DateTime<Utc>) -> Vec<String> {
    let population = population(600, 0.4);
    let mut lines: Vec<String> = Vec::new();
    for index in 0..population.endpoints() {
        let mut line = Vec::new();
        population.write_line(index, &mut line);
        lines.push(String::from_utf8(line).unwrap());
    }
    let odd = odd(now).into_iter().enumerate().map(|(at, mut odd)| {
        odd["Id"] = json!(format!("Odd/{at}-É"));
        odd["Address"] = json!(format!("odd{at}@example.com"));
        odd.to_string()
    });
    lines.extend(odd);
    let mut seen = HashSet::new();
    lines.retain(|line| id(line).is_some_and(|id| seen.insert(id.to_lowercase())));
    lines
}

/// The `Id` of a line.
pub(super) fn id(line: &str) -> Option<String> {
    serde_json::from_str::<Value>(line).unwrap()["Id"].as_str().map(str::to_owned)
}

fn odd(now: DateTime<Utc>) -> Vec<Value> {
    let mut odd = vec![json!({})];
    let attributes = |values: Value| json!({"ChannelType": "EMAIL", "Attributes": {"joined": values}, "User": {"UserAttributes": {"joined": values}}});
    odd.extend(DATES.map(|date| attributes(json!([date]))));
    odd.extend([
        attributes(json!(["yesterday", "2026-03-02T00:30:00+01:00", "2030-01-01T00:00:00Z"])),
        attributes(json!(["2026-02-28T00:00:00Z", "2026-03-03T00:00:00Z"])),
        attributes(json!([])),
        attributes(json!(null)),
        attributes(json!([null, "2026-03-01T10:00:00Z", null])),
        attributes(json!("2026-03-01T10:00:00Z")),
        json!({"Attributes": {}, "Metrics": {}, "Location": {}, "Demographic": {}, "User": {"UserAttributes": {}}}),
        json!({"Attributes": null, "Metrics": null, "Location": null, "Demographic": null, "User": null}),
        json!({"User": {"UserId": "u", "UserAttributes": null}, "OptOut": "ALL", "EndpointStatus": "INACTIVE"}),
        json!({"Attributes": {"tier": [true, 12, null, "x"]}, "User": {"UserAttributes": {"tier": 7}}}),
    ]);
    odd.extend(TEXTS.map(|text| {
        json!({"ChannelType": text, "Attributes": {"tier": [text], "Уровень": [text, "x"], "joined": []},
            "User": {"UserAttributes": {"tier": [text], "": [text]}}})
    }));
    odd.extend(TEXTS.map(|text| {
        json!({"Location": {"Country": text}, "Demographic": {"Platform": text, "Make": text, "Model": text, "AppVersion": text}})
    }));
    let numbers =
        [json!(0), json!(-0.0), json!(1e-9), json!(1e300), json!(-5), json!("6"), json!(3), json!(null)];
    odd.extend(numbers.map(|number| json!({"Metrics": {"visits": number, "sessions": 1}})));
    odd.push(json!({"Demographic": {"AppVersion": 3, "Make": true, "Platform": null}, "Location": {"Country": "jp"}}));
    for (latitude, longitude) in [
        (json!(90), json!(0)),
        (json!(90), json!(-170.5)),
        (json!(-90), json!(12)),
        (json!(0), json!(180)),
        (json!(0), json!(-180)),
        (json!(0.0), json!(179.9)),
        (json!("59.9"), json!("10.8")),
        (json!(59.9), json!(null)),
        (json!(null), json!(10.8)),
        (json!(0), json!(0)),
        (json!(91.5), json!(-200)),
    ] {
        odd.push(json!({"Location": {"Latitude": latitude, "Longitude": longitude}}));
    }
    // On both sides of each span, and further off than a test takes.
    let edges = [24, 7 * 24, 14 * 24, 30 * 24].into_iter().flat_map(|hours| [hours - 1, hours + 1]);
    for hours in edges.chain([-48, 0, 1, 4_000]) {
        let date = now - TimeDelta::hours(hours);
        odd.push(json!({"EffectiveDate": date.to_rfc3339_opts(SecondsFormat::Micros, true)}));
    }
    let local =
        (now - TimeDelta::hours(30)).with_timezone(&chrono::FixedOffset::east_opt(3 * 3_600).unwrap());
    odd.push(json!({"EffectiveDate": local.to_rfc3339()}));
    odd.extend(["", "soon", "2026-02-30T00:00:00Z", "2026-11"].map(|date| json!({"EffectiveDate": date})));
    odd
}
