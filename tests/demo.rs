//! `pinlake demo`: the whole pipeline with nothing else installed, no account, no network and no environment.

use serde_json::json;

use crate::harness::{LakeFolder, Room, population, row_of};

#[test]
fn the_demo_makes_a_lake_a_page_and_an_overview_and_can_be_run_again() {
    let room = Room::new();
    let demo = || room.pinlake(&["demo", "--endpoints", "2000", "--out", "X"]).without_environment();
    let ran = demo().succeeds();

    assert_eq!(room.names(), ["X"], "nothing is written elsewhere");
    assert_eq!(room.names_in("X"), ["lake", "report.html"]);
    assert!(ran.stdout.contains("Audience summary") && ran.stdout.contains("2,000"), "{ran}");
    assert!(!ran.stdout.contains('\u{1b}'), "no colour but on a terminal: {ran}");
    for next in ["X/report.html", "pinlake --lake X/lake sql '", "convert s3://", "run --application-id"] {
        assert!(ran.stderr.contains(next), "`{next}` is not among what to do next: {ran}");
    }

    let lake = LakeFolder::new(room.path("X/lake"));
    lake.assert_sound();
    let snapshots =
        room.pinlake(&["snapshots", "list", "--lake", "X/lake", "--format", "json"]).succeeds().rows();
    assert_eq!(snapshots.len(), 1);
    let first = snapshots[0]["snapshot"].as_str().unwrap();
    assert_every_endpoint(&lake, first);
    let manifest = lake.manifest(first);
    assert_eq!(manifest["job"]["TotalProcessed"], json!(2000));
    assert_eq!(manifest["job"]["TotalPieces"], json!(20));
    assert!(manifest["reconciliation"].as_array().unwrap().iter().all(|check| check["ok"] == json!(true)));

    let page = room.read("X/report.html");
    for report in ["Audience summary", "Channel mix", "Geography", "Completeness"] {
        assert!(page.contains(report), "the page lacks {report}");
    }

    // A second demo adds a snapshot of the same audience to the lake that is there.
    demo().succeeds();
    lake.assert_sound();
    let count = "SELECT snapshot, count(*) AS n FROM all_endpoints GROUP BY 1 ORDER BY 1";
    let counts = room.pinlake(&["sql", count, "--lake", "X/lake", "--format", "json"]).succeeds().rows();
    assert_eq!(counts.len(), 2);
    assert!(counts.iter().all(|row| row["n"] == json!(2000)), "{counts:?}");
}

#[test]
fn the_demo_keeps_its_pieces_where_it_is_asked_to() {
    let room = Room::new();
    let args = ["demo", "--endpoints", "200", "--out", "kept", "--keep-pieces"];
    room.pinlake(&args).without_environment().succeeds();
    assert_eq!(room.names_in("kept"), ["lake", "pieces", "report.html"]);
    // What was kept is an input like any other, and gives the same rows.
    room.pinlake(&["convert", "kept/pieces", "--snapshot", "again"]).succeeds();
    assert_eq!(room.lake().rows("again").len(), 200);
}

/// The snapshot holds the demo's population: each endpoint once, with what the oracle says.
fn assert_every_endpoint(lake: &LakeFolder, snapshot: &str) {
    let mut rows = lake.rows(snapshot);
    let mut expected: Vec<_> = population(2_000, 0.0).iter().map(|endpoint| row_of(&endpoint)).collect();
    for row in &mut rows {
        let row = row.as_object_mut().unwrap();
        row.remove("piece");
        row.remove("line");
    }
    let id = |row: &serde_json::Value| row["id"].as_str().unwrap().to_owned();
    rows.sort_by_key(id);
    expected.sort_by_key(id);
    assert_eq!(rows.len(), expected.len());
    for (row, expected) in rows.iter().zip(&expected) {
        assert_eq!(row, expected);
    }
}
