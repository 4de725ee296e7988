//! What holds for each report on any audience: the same bytes whatever happens, and shares that are parts of a whole.

use std::collections::BTreeSet;

use super::audience;
use super::contract::BUILTIN;

#[test]
fn threads_and_repetition_change_nothing() {
    let audience = audience();
    let files = audience.room.lake().live_files();
    let files = files.iter().filter(|name| name.starts_with("snapshot=second/")).count();
    assert!(files > 1, "there is something to do for several threads");
    let run = |threads: &str| audience.every_report(&["--format", "json", "--threads", threads]);
    let (alone, together) = (run("1"), run("4"));
    assert_eq!(alone.stdout, together.stdout);
    assert_eq!(&alone.json(), audience.rows(), "once more, on as many threads as there are cores");
}

#[test]
fn shares_are_between_nothing_and_everything() {
    let audience = audience();
    let object = audience.rows();
    let mut seen = BTreeSet::new();
    for (name, _) in &BUILTIN {
        for row in object[name].as_array().unwrap() {
            for (column, value) in row.as_object().unwrap() {
                if column != "share" && !column.ends_with("_share") {
                    continue;
                }
                seen.insert(*name);
                let is_share = value.as_f64().is_some_and(|share| (0.0..=1.0).contains(&share));
                assert!(is_share || value.is_null(), "{name}, {column}: {row}");
            }
        }
    }
    assert!(seen.len() > 10, "{seen:?}");
}

/// Shares of all endpoints are a whole together, where nothing is left out.
#[test]
fn shares_of_all_add_up() {
    let audience = audience();
    for name in ["channel-mix", "recency", "geography", "platforms", "app-versions", "devices"] {
        let rows = audience.report(name, &[]);
        let shares: f64 = rows.iter().filter_map(|row| row["share"].as_f64()).sum();
        let endpoints: u64 = rows.iter().filter_map(|row| row["endpoints"].as_u64()).sum();
        assert_eq!(endpoints, audience.endpoints.len() as u64, "{name}");
        assert!((shares - 1.0).abs() < 1e-9, "{name}: {shares}");
    }
}
