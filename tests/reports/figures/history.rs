//! Snapshots against each other and against what they were made of, and what all of them hold on one person.

use std::collections::{BTreeMap, BTreeSet};

use pinlake_local::{Endpoint, Population, PopulationOptions};
use serde_json::{Map, Value, json};

use super::super::{ENDPOINTS, audience, convert, earlier};
use super::{Text, assert_figures};
use crate::harness::{Room, lines_piece, population, row_of};

/// Every endpoint of an audience in the order of pieces and lines, with both.
fn placed(audience: &Population) -> Vec<(String, u64, Endpoint)> {
    let pieces = audience.pieces(4).into_iter().enumerate();
    let places = pieces.flat_map(|(number, range)| {
        let first = range.start;
        range.map(move |index| (format!("part-{number}.gz"), index - first + 1, index))
    });
    places.map(|(piece, line, index)| (piece, line, audience.endpoint(index))).collect()
}

fn later() -> Population {
    population(ENDPOINTS, 0.05)
}

/// Rows by id; those of one id are numbered.
fn by_id(audience: &Population) -> BTreeMap<(Text, usize), Map<String, Value>> {
    let mut seen: BTreeMap<Text, usize> = BTreeMap::new();
    let mut rows = BTreeMap::new();
    for endpoint in audience.iter() {
        let place = seen.entry(endpoint.id.clone()).or_default();
        *place += 1;
        let mut row = row_of(&endpoint).as_object().unwrap().clone();
        row.remove("id");
        rows.insert((endpoint.id.clone(), *place), row);
    }
    rows
}

fn differences(from: &Population, to: &Population) -> Vec<Value> {
    let (from, to) = (by_id(from), by_id(to));
    let missing = |of: &BTreeMap<_, _>, among: &BTreeMap<(Text, usize), _>| {
        of.keys().filter(|key| !among.contains_key(key)).count()
    };
    let mut fields: BTreeMap<&String, u64> = BTreeMap::new();
    for (key, before) in &from {
        let Some(after) = to.get(key) else { continue };
        let changed = before.iter().filter(|(field, value)| after[*field] != **value);
        for (field, _) in changed {
            *fields.entry(field).or_default() += 1;
        }
    }
    let whole = [("added", missing(&to, &from)), ("removed", missing(&from, &to))];
    let whole = whole.into_iter().filter(|(_, endpoints)| *endpoints > 0);
    let whole =
        whole.map(|(change, endpoints)| json!({ "change": change, "field": null, "endpoints": endpoints }));
    let changed = fields.into_iter();
    let changed = changed
        .map(|(field, endpoints)| json!({ "change": "changed", "field": field, "endpoints": endpoints }));
    whole.chain(changed).collect()
}

#[test]
fn snapshot_diff() {
    let audience = audience();
    let forth = differences(&earlier(), &later());
    assert!(forth.len() > 8, "{forth:?}");
    assert_figures(&audience, "snapshot-diff", &["from=first", "to=second"], forth);
    assert_figures(
        &audience,
        "snapshot-diff",
        &["from=second", "to=first"],
        differences(&later(), &earlier()),
    );
    assert_eq!(audience.report("snapshot-diff", &["from=second", "to=second"]), Vec::<Value>::new());
    let unknown = json!({ "change": "no_such_snapshot", "field": "third", "endpoints": 0 });
    assert_figures(&audience, "snapshot-diff", &["from=third", "to=second"], vec![unknown]);
}

/// The rows of both snapshots on endpoints of which something holds.
fn held_on(holds: impl Fn(&Endpoint) -> bool) -> Vec<Value> {
    let snapshots = [("first", earlier()), ("second", later())];
    let rows = snapshots.into_iter().flat_map(|(snapshot, audience)| {
        placed(&audience).into_iter().map(move |(piece, line, endpoint)| (snapshot, piece, line, endpoint))
    });
    let rows = rows.filter(|(.., endpoint)| holds(endpoint)).map(|(snapshot, piece, line, endpoint)| {
        json!({
            "snapshot": snapshot, "id": endpoint.id, "channel_type": endpoint.channel_type,
            "address": endpoint.address, "user_id": endpoint.user_id(), "piece": piece, "line": line,
        })
    });
    rows.collect()
}

#[test]
fn subject_lookup() {
    let audience = audience();
    // Somebody with several endpoints, and an address that several share.
    let per_user = audience.count(|one| one.user_id().map(str::to_owned));
    let user = per_user.iter().find(|(user, endpoints)| user.is_some() && **endpoints > 3);
    let user = user.unwrap().0.clone().unwrap();
    let on_user = held_on(|one| one.user_id() == Some(&user));
    assert_figures(&audience, "subject-lookup", &[&format!("user_id={user}")], on_user);

    let is_email = |one: &Endpoint| one.channel_type.as_deref() == Some("EMAIL");
    let address = audience.count(|one| one.address.clone().filter(|_| is_email(one)));
    let address = address.iter().find(|(address, endpoints)| address.is_some() && **endpoints > 1);
    let address = address.unwrap().0.clone().unwrap();
    let on_address = held_on(|one| is_email(one) && one.address.as_deref() == Some(&address));
    let asked = format!("address= {} ", address.to_uppercase());
    assert_figures(&audience, "subject-lookup", &[&asked], on_address);
    assert_eq!(audience.report("subject-lookup", &[]), Vec::<Value>::new());
    assert_eq!(audience.report("subject-lookup", &["address="]), Vec::<Value>::new());
}

#[test]
fn integrity() {
    let audience = audience();
    let rows = audience.report("integrity", &[]);
    let placed = placed(&later());
    let mut pieces_of: BTreeMap<&Text, Vec<&String>> = BTreeMap::new();
    for (piece, _, endpoint) in &placed {
        pieces_of.entry(&endpoint.id).or_default().push(piece);
    }
    pieces_of.remove(&None);
    let distinct = |pieces: &[&String]| pieces.iter().collect::<BTreeSet<_>>().len();
    let in_several = pieces_of.values().filter(|pieces| distinct(pieces) > 1).count();
    let twice_in_one = pieces_of.values().filter(|pieces| distinct(pieces) < pieces.len()).count();
    assert!(twice_in_one > 0, "repeated ids are among them");
    let row = |check: &str, expected: usize, actual: usize, level: &str| json!({ "check": check, "expected": expected, "actual": actual, "ok": expected == actual, "level": level });
    let all = placed.len();
    let own = [
        row("rows in the table = rows in its log", all, all, "error"),
        row("rows in the table = rows of the pieces", all, all, "error"),
        row("pieces with all of their rows in the table", 4, 4, "error"),
        row("pieces in the table that the manifest lists", 4, 4, "error"),
        row("pieces whose line numbers are lines of theirs", 4, 4, "error"),
        row("rows from a line that gave one before", 0, 0, "error"),
        row("ids in more than one piece", 0, in_several, "warn"),
        row("ids more than once in one piece", 0, twice_in_one, "warn"),
        row("rows without an id", 0, 0, "warn"),
    ];
    // In front stands what the run reconciled.
    let run = audience.room.lake().manifest("second");
    let reconciled = run["reconciliation"].as_array().unwrap().len();
    assert!(reconciled > 0);
    assert!(rows[..reconciled].iter().all(|row| row["ok"] == json!(true)), "{rows:?}");
    assert_eq!(rows[reconciled..], own);
}

/// Changes what a manifest says.
fn edit_manifest(room: &Room, edit: impl Fn(&mut Value)) {
    let mut manifest = room.lake().manifest("s");
    edit(&mut manifest);
    room.write("lake/runs/s/run.json", manifest.to_string());
}

#[test]
fn rows_that_are_not_those_that_were_read_fail_the_check() {
    let room = Room::new();
    let audience = population(60, 0.0);
    for (number, range) in audience.pieces(2).into_iter().enumerate() {
        room.write(&format!("export/part-{number}.gz"), audience.piece(range));
    }
    room.pinlake(&["convert", "export", "--snapshot", "s"]).succeeds();
    let integrity = || room.pinlake(&["report", "integrity", "--format", "json", "--fail-on-check"]);
    let sound = integrity().succeeds().rows();
    assert!(sound.iter().all(|row| row["ok"] == json!(true)), "{sound:?}");

    // One row more was read of the second piece than the table holds.
    edit_manifest(&room, |manifest| {
        let piece = &mut manifest["pieces"][1];
        piece["rows"] = json!(piece["rows"].as_u64().unwrap() + 1);
    });
    let ran = integrity().ends(9);
    let failed: Vec<Value> = ran.rows().into_iter().filter(|row| row["ok"] == json!(false)).collect();
    let row = |check: &str, expected: u64, actual: u64| json!({ "check": check, "expected": expected, "actual": actual, "ok": false, "level": "error" });
    assert_eq!(
        failed,
        [
            row("rows in the table = rows of the pieces", 61, 60),
            row("pieces with all of their rows in the table", 2, 1),
        ]
    );
    // It is told without being a failure where nobody asked for one.
    room.pinlake(&["report", "integrity"]).succeeds();
}

#[test]
fn repeated_ids_alone_are_a_warning() {
    let room = Room::new();
    room.write("export/part-0.gz", lines_piece(&[r#"{"Id":"a"}"#, r#"{"Id":"a"}"#, "{}"]));
    room.pinlake(&["convert", "export", "--snapshot", "s"]).succeeds();
    let integrity = ["report", "integrity", "--format", "json", "--fail-on-check"];
    let rows = room.pinlake(&integrity).succeeds().rows();
    let told = rows.iter().filter(|row| row["ok"] == json!(false));
    let told: Vec<Value> =
        told.map(|row| json!([row["check"], row["expected"], row["actual"], row["level"]])).collect();
    assert_eq!(
        told,
        [
            json!(["ids more than once in one piece", 0, 1, "warn"]),
            json!(["rows without an id", 0, 1, "warn"]),
        ]
    );
}

#[test]
fn snapshots_that_have_nothing_in_common() {
    let room = Room::new();
    let options = population(40, 0.0).options().clone();
    let seeds = [options.seed, options.seed + 1];
    let audiences = seeds.map(|seed| Population::new(PopulationOptions { seed, ..options.clone() }));
    for (snapshot, audience) in ["one", "other"].into_iter().zip(&audiences) {
        convert(&room, snapshot, audience);
    }
    let expected = differences(&audiences[0], &audiences[1]);
    let diff = ["report", "snapshot-diff", "--param", "from=one", "--param", "to=other", "--format", "json"];
    let found = room.pinlake(&diff).succeeds().rows();
    assert_eq!(found, expected);
    let row = |change: &str| json!({ "change": change, "field": null, "endpoints": 40 });
    assert_eq!(found, [row("added"), row("removed")]);
}
