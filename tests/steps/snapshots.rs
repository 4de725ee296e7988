//! `snapshots verify` and `snapshots drop`, as a user meets them.

use std::fs;

use serde_json::json;

use crate::harness::{Relay, Room, World, gzip, lines_piece, population};

/// A room whose lake has the snapshots `old` (two rows, a reject) and `new` (one row).
fn two() -> Room {
    let room = Room::new();
    room.write("old.gz", gzip("{\"Id\":\"1\"}\nno JSON\n\n{\"Id\":\"2\"}\n"));
    room.write("new.gz", lines_piece(&[r#"{"Id":"2"}"#]));
    room.pinlake(&["convert", "old.gz", "--snapshot", "old", "--max-rejects", "1"]).succeeds();
    room.pinlake(&["convert", "new.gz", "--snapshot", "new"]).succeeds();
    room
}

#[test]
fn a_sound_lake_is_said_to_be_one() {
    let room = two();
    let ran = room.pinlake(&["snapshots", "verify"]).succeeds();
    assert!(ran.stdout.starts_with("sound: 2 snapshots, 2 data files, 3 rows, "), "{ran}");
    assert_eq!(ran.stderr, "", "{ran}");
    let deep = room.pinlake(&["snapshots", "verify", "old", "--deep"]).succeeds();
    assert!(
        deep.stdout.contains("1 snapshots, 1 data files, 2 rows") && deep.stdout.contains("every byte"),
        "{deep}"
    );
    let told = room.pinlake(&["snapshots", "verify", "latest", "--json"]).succeeds().json();
    assert_eq!((&told["sound"], &told["rows"], &told["findings"]), (&json!(true), &json!(1), &json!([])));
    room.pinlake(&["snapshots", "verify", "none"]).fails(2, &["none", "new"]);
    room.pinlake(&["snapshots", "verify", "--lake", "nowhere"]).fails(2, &["nowhere"]);
}

#[test]
fn everything_that_is_wrong_is_listed_with_code_7() {
    let room = two();
    let names: Vec<String> = room.lake().live_files().into_iter().collect();
    let path = |name: &str| room.path("lake/endpoints").join(name);
    let mut bytes = fs::read(path(&names[0])).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(path(&names[0]), bytes).unwrap();
    room.pinlake(&["snapshots", "verify"]).succeeds();
    room.pinlake(&["snapshots", "verify", "--deep"]).fails(7, &["1 thing is wrong", &names[0], "SHA-256"]);
    fs::remove_file(path(&names[1])).unwrap();
    room.write("lake/endpoints/snapshot=new/added.parquet", "x");
    room.write("lake/runs/old/rejects.ndjson", "");
    let expected = ["4 things are wrong", &names[0], &names[1], "added.parquet", "runs/old/rejects.ndjson"];
    room.pinlake(&["snapshots", "verify", "--deep"]).fails(7, &expected);
    room.pinlake(&["snapshots", "verify", "--deep", "old"]).fails(7, &["2 things are wrong"]);
    let ran = room.pinlake(&["snapshots", "verify", "--deep", "--json"]).ends(7);
    assert_eq!(ran.json()["findings"].as_array().map(Vec::len), Some(4), "{ran}");
    assert_eq!(ran.json()["sound"], json!(false));
}

#[test]
fn a_dropped_snapshot_is_gone_for_every_command_and_its_id_is_free() {
    let room = two();
    room.pinlake(&["snapshots", "drop", "none"]).fails(2, &["none", "`new`"]);
    room.pinlake(&["snapshots", "drop", "latest"]).fails(2, &["by its id"]);
    let ran = room.pinlake(&["snapshots", "drop", "new"]).succeeds();
    assert!(ran.stdout.contains("dropped snapshot `new`: 1 rows in 1 data files"), "{ran}");
    assert!(ran.stdout.contains("3 files of ") && ran.stdout.contains("--vacuum"), "{ran}");
    assert_eq!(room.lake().commits(), 4, "one commit makes a table, two a snapshot each, one drops one");

    assert_eq!(room.sql("SELECT snapshot, rows FROM snapshots"), [json!({ "snapshot": "old", "rows": 2 })]);
    assert_eq!(
        room.sql("SELECT id FROM all_endpoints ORDER BY id"),
        [json!({ "id": "1" }), json!({ "id": "2" })]
    );
    assert_eq!(room.sql("SELECT count(*) AS n FROM endpoints"), [json!({ "n": 2 })]);
    room.pinlake(&["snapshots", "show", "new"]).fails(2, &["new", "old"]);
    room.pinlake(&["diff", "old", "new"]).fails(2, &["new"]);
    room.pinlake(&["report", "--all", "--out", "page.html"]).succeeds();
    room.pinlake(&["report", "growth", "--snapshot", "new"]).fails(2, &["new", "old"]);

    let noted = room.pinlake(&["snapshots", "verify", "--deep"]).succeeds();
    assert!(noted.stdout.contains("note: ") && noted.stdout.contains("left 3 files"), "{noted}");
    let freed = room.pinlake(&["snapshots", "drop", "new", "--vacuum"]).succeeds();
    assert!(freed.stdout.contains("had been dropped before; 3 files of "), "{freed}");
    room.lake().assert_sound();
    assert_eq!(room.names_in("lake/runs"), ["old"]);
    room.pinlake(&["snapshots", "drop", "new", "--vacuum"]).succeeds();

    room.pinlake(&["convert", "new.gz", "--snapshot", "new"]).succeeds();
    room.pinlake(&["snapshots", "drop", "old", "--vacuum"]).succeeds();
    room.lake().assert_sound();
    let told = room.pinlake(&["snapshots", "verify", "--deep", "--json"]).succeeds().json();
    assert_eq!((&told["rows"], &told["notes"]), (&json!(1), &json!([])));
    room.pinlake(&["snapshots", "drop", "new", "--vacuum"]).succeeds();
    assert_eq!(room.sql("SELECT count(*) AS n FROM endpoints"), [json!({ "n": 0 })]);
    room.pinlake(&["snapshots", "verify", "latest"]).fails(2, &["no snapshot"]);
    room.pinlake(&["snapshots", "verify"]).succeeds();
}

#[test]
fn until_its_files_are_removed_an_older_version_has_the_snapshot() {
    let room = two();
    let files = room.lake().live_files();
    room.pinlake(&["snapshots", "drop", "new"]).succeeds();
    // What a reader of the version before does: it takes the log up to there.
    let log = room.path("lake/endpoints/_delta_log");
    let last = log.join("00000000000000000003.json");
    fs::rename(&last, room.path("aside.json")).unwrap();
    assert_eq!(room.lake().live_files(), files);
    assert_eq!(room.lake().ids("new"), ["2"]);
    fs::rename(room.path("aside.json"), &last).unwrap();
    // The action is one that every reader of Delta knows.
    let text = fs::read_to_string(&last).unwrap();
    assert_eq!(text.matches("\"remove\":").count(), 1, "{text}");
}

#[test]
fn a_snapshot_that_is_being_made_is_not_dropped_and_no_damage() {
    let world = World::with_pieces(&population(300, 0.0), 3);
    let (room, url) = (Room::new(), world.url("exports/"));
    let convert = || room.pinlake(&["convert", &url, "--snapshot", "s", "--replace"]).in_world(&world);
    convert().succeeds();
    let relay = Relay::start(&world.server.s3_url(), "part-00002.gz");
    let running = convert().env("AWS_ENDPOINT_URL_S3", relay.url()).start();
    relay.wait_until_held();
    // Pieces are fetched while the lake is opened, so that the request can be there first.
    let lock = room.path("lake/.staging/s~lock");
    let is_locked = (0..50_000_000).any(|_| {
        std::thread::yield_now();
        lock.exists()
    });
    assert!(is_locked, "{} never came", lock.display());
    let failed =
        room.pinlake(&["snapshots", "drop", "s", "--vacuum"]).fails(8, &["`s`", "in use by process"]);
    assert!(failed.stderr.contains("lock"), "{failed}");
    room.pinlake(&["snapshots", "verify", "--deep"]).succeeds();
    running.kill();
    room.pinlake(&["snapshots", "verify", "--deep"]).succeeds();
    room.pinlake(&["snapshots", "drop", "s", "--vacuum"]).succeeds();
    assert!(!room.path("lake/runs/s").exists());
}
