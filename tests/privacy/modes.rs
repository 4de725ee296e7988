//! Who may read what: everything that holds personal data is its owner's alone, unless somebody chose otherwise.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use serde_json::json;

use crate::harness::{Pinlake, Room, World, gzip, population};

/// The usual mask, whatever that of whoever runs the tests.
const USUAL: &str = "umask 022; exec \"$0\" \"$@\"";

fn mode(path: &Path) -> u32 {
    fs::symlink_metadata(path).unwrap().permissions().mode() & 0o777
}

/// Every file and folder at or below `path` that others may use in any way.
fn shared(path: &Path) -> Vec<String> {
    let mut found = Vec::new();
    let mut waiting = vec![path.to_owned()];
    while let Some(next) = waiting.pop() {
        let facts = fs::symlink_metadata(&next).unwrap();
        let private = if facts.is_dir() { 0o700 } else { 0o600 };
        if mode(&next) != private {
            found.push(format!("{} {:o}", next.display(), mode(&next)));
        }
        if facts.is_dir() {
            waiting.extend(fs::read_dir(&next).unwrap().map(|entry| entry.unwrap().path()));
        }
    }
    found
}

fn usual(room: &Room, args: &[&str]) -> Pinlake {
    room.pinlake_in_shell(USUAL, args)
}

#[test]
fn what_is_written_is_its_owners_alone() {
    let world = World::with_pieces(&population(60, 0.2), 2);
    world.put("exports/deep/er/part.gz", gzip("{\"Id\":\"x\"}\n{\"Id\":\n"));
    let room = Room::new();
    let url = world.url("exports/");
    usual(&room, &["fetch", &url, "fetched/here"]).in_world(&world).succeeds();
    let convert = ["convert", &url, "--snapshot", "s", "--max-rejects", "1", "--keep-pieces", "kept"];
    usual(&room, &convert).in_world(&world).succeeds();
    usual(&room, &["convert", &url, "--snapshot", "t"]).in_world(&world).fails(5, &["rejects.ndjson"]);
    usual(&room, &["report", "--all", "--out", "reports", "--format", "html,csv,xlsx,parquet"]).succeeds();
    usual(&room, &["report", "growth", "--out", "growth.html"]).succeeds();
    usual(&room, &["sql", "SELECT * FROM endpoints", "--out", "rows.csv"]).succeeds();
    usual(&room, &["convert", &url, "--snapshot", "u", "--max-rejects", "1"]).in_world(&world).succeeds();
    usual(&room, &["diff", "s", "u", "--out", "diff.ndjson"]).succeeds();
    room.write("everybody.json", r#"{"Dimensions":{}}"#);
    usual(&room, &["segment", "evaluate", "everybody.json", "--out", "members.csv"]).succeeds();
    usual(&room, &["snapshots", "drop", "u"]).succeeds();
    for name in
        ["fetched", "kept", "lake", "reports", "growth.html", "rows.csv", "diff.ndjson", "members.csv"]
    {
        assert_eq!(shared(&room.path(name)), [""; 0]);
    }
    assert!(room.path("lake/runs/t~failed/rejects.ndjson").exists());
    assert!(room.path("reports/checks.json").exists());
}

#[test]
fn work_in_progress_is_its_owners_alone() {
    let world = World::with_pieces(&population(300, 0.0), 3);
    let url = world.url("exports/");
    let relay = crate::harness::Relay::start(&world.server.s3_url(), "part-00002.gz");
    let room = Room::new();
    let running = usual(&room, &["convert", &url, "--snapshot", "s"])
        .in_world(&world)
        .env("AWS_ENDPOINT_URL_S3", relay.url())
        .start();
    relay.wait_until_held();
    let staged = room.path("lake/.staging/s/run/rejects.ndjson");
    let is_staged = (0..50_000_000).any(|_| {
        std::thread::yield_now();
        staged.exists()
    });
    assert!(is_staged, "{} never came", staged.display());
    assert_eq!(shared(&room.path("lake")), [""; 0]);
    drop(running);
}

#[test]
fn a_demo_is_its_owners_alone() {
    let room = Room::new();
    usual(&room, &["demo", "--endpoints", "200", "--out", "shown", "--keep-pieces"]).succeeds();
    assert_eq!(shared(&room.path("shown")), [""; 0]);
}

#[test]
fn what_was_shared_before_stays_shared() {
    let room = Room::new();
    room.write("in.json", "{\"Id\":\"1\"}");
    fs::create_dir(room.path("lake")).unwrap();
    fs::set_permissions(room.path("lake"), fs::Permissions::from_mode(0o750)).unwrap();
    fs::set_permissions(room.write("page.html", "old"), fs::Permissions::from_mode(0o644)).unwrap();
    usual(&room, &["convert", "in.json", "--snapshot", "s"]).succeeds();
    usual(&room, &["report", "growth", "--out", "page.html"]).succeeds();
    assert_eq!(mode(&room.path("lake")), 0o750);
    assert_eq!(mode(&room.path("page.html")), 0o644);
    assert!(room.read("page.html").starts_with("<!"));
    // As docs/SEMANTICS.md says: what is there is shared by a change of modes, and the lake works on.
    let all =
        std::process::Command::new("chmod").args(["-R", "g+rX"]).arg(room.path("lake")).status().unwrap();
    assert!(all.success());
    assert_eq!(mode(&room.path("lake/endpoints/snapshot=s")), 0o750);
    usual(&room, &["convert", "in.json", "--snapshot", "t"]).succeeds();
    assert_eq!(room.sql("SELECT count(*) AS n FROM all_endpoints"), [json!({ "n": 2 })]);
    assert_eq!(mode(&room.path("lake/endpoints/snapshot=t")), 0o700);
}
