//! `--redact`: what is kept, and that nothing else ever was on the disk.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::{Value, json};

use super::found;
use crate::harness::{Relay, Room, World, gzip, population};

const KEY: &str = "0123456789abcdef0123456789abcdef";

/// A name without case and without what stands between words.
fn plain(name: &str) -> String {
    name.to_lowercase().replace(['_', '-', ' '], "")
}

/// A value without the members of some names, and without the objects that are empty for it.
fn without(value: &Value, names: &[&str]) -> Value {
    match value {
        Value::Object(members) => {
            let left = members.iter().filter(|(name, _)| !names.contains(&plain(name).as_str()));
            let left = left.map(|(name, value)| (name.clone(), without(value, names), value));
            let is_emptied = |left: &Value, value: &Value| left == &json!({}) && value != left;
            let left = left.filter(|(_, left, value)| !is_emptied(left, value));
            Value::Object(left.map(|(name, left, _)| (name, left)).collect())
        }
        Value::Array(items) => items.iter().map(|item| without(item, names)).collect(),
        other => other.clone(),
    }
}

#[test]
fn redacted_columns_are_gone_and_all_others_are_as_they_would_have_been() {
    let room = Room::new();
    let audience = population(2_000, 0.3);
    for (number, range) in audience.pieces(4).into_iter().enumerate() {
        room.write(&format!("in/{number}.gz"), audience.piece(range));
    }
    room.write("key", KEY);
    room.pinlake(&["convert", "in", "--snapshot", "plain"]).succeeds();
    let redact =
        "address=hash,user_id=hash,city,postal_code=mask,creation_date,latitude,user_attributes=mask,metrics";
    room.pinlake(&["convert", "in", "--snapshot", "redacted", "--redact", redact])
        .args(&["--redact", "cohort_id", "--redact-key-file", "key"])
        .succeeds();
    let lake = room.lake();
    let (plain_rows, rows) = (lake.rows("plain"), lake.rows("redacted"));
    assert_eq!((plain_rows.len(), rows.len()), (2_000, 2_000));
    let (mut hashes, mut addresses) = (BTreeMap::new(), BTreeMap::new());
    let in_extra = [
        "address",
        "userid",
        "city",
        "postalcode",
        "creationdate",
        "latitude",
        "userattributes",
        "metrics",
        "cohortid",
    ];
    for (before, after) in plain_rows.iter().zip(&rows) {
        for (column, before) in before.as_object().unwrap() {
            let after = &after[column];
            match column.as_str() {
                "address" | "user_id" => {
                    assert_eq!(before.is_null(), after.is_null());
                    let Some(hash) = after.as_str() else { continue };
                    assert!(hash.len() == 64 && hash.bytes().all(|byte| byte.is_ascii_hexdigit()), "{hash}");
                    // Equal values have equal hashes, and different ones different hashes.
                    assert_eq!(hashes.entry(before.to_string()).or_insert_with(|| after.clone()), after);
                    assert_eq!(addresses.entry(after.to_string()).or_insert_with(|| before.clone()), before);
                }
                "city" | "creation_date" | "latitude" | "metrics" | "cohort_id" => assert!(after.is_null()),
                "postal_code" => {
                    assert_eq!(before.is_null(), after.is_null());
                    assert!(
                        after.as_str().is_none_or(|code| code.is_empty() || code.ends_with("***")),
                        "{after}"
                    );
                }
                "user_attributes" => {
                    let names =
                        |map: &Value| map.as_object().map(|map| map.keys().cloned().collect::<Vec<_>>());
                    assert_eq!(names(before), names(after));
                    let text = after.to_string();
                    assert!(!text.contains("***") || text.contains("\"***"), "{text}");
                }
                "extra" => {
                    let parsed = |text: &Value| -> Value {
                        text.as_str().map_or(Value::Null, |text| serde_json::from_str(text).unwrap())
                    };
                    let mut expected = without(&parsed(before), &in_extra);
                    // An object that a column belongs into and that is none goes too.
                    if let Some(members) = expected.as_object_mut() {
                        let is_parent = |name: &str| ["Location", "User"].contains(&name);
                        members.retain(|name, value| value.is_object() || !is_parent(name));
                    }
                    if expected == json!({}) {
                        expected = Value::Null;
                    }
                    assert_eq!(parsed(after), expected, "{before}");
                }
                _ => assert_eq!(before, after, "{column}"),
            }
        }
    }
    assert!(hashes.len() > 1_000);
    let (before, after) = (lake.manifest("plain"), lake.manifest("redacted"));
    for member in ["pieces", "totals", "reconciliation"] {
        assert_eq!(before[member], after[member], "{member}");
    }
    lake.assert_sound();
}

/// What the manifest and the log say, and what `snapshots show` does.
#[test]
fn a_redaction_is_told_without_its_key() {
    let room = Room::new();
    room.write("in.json", r#"{"Id":"1","Address":"jane@example.com","CreationDate":"2020-01-01T00:00:00Z"}"#);
    room.write("key", format!("{KEY}\n"));
    let redact = ["--redact", "address=hash,creation_date,attributes.a.b"];
    let convert = ["convert", "in.json", "--snapshot", "s", "--redact-key-file", "key", "-vvv"];
    let ran = room.pinlake(&convert).args(&redact).succeeds();
    assert!(!ran.stderr.contains(KEY), "{ran}");
    // HMAC-SHA-256, made with Python's hmac module: the line end of the file is no part of the key.
    let expected = "e54ecd8285defd5c7a03f9025dba809862224f8c4b3b8ec1b7844d775a27b734";
    assert_eq!(room.lake().rows("s")[0]["address"], expected);
    let modes = json!({ "address": "hash", "creation_date": "drop", "attributes.a.b": "drop" });
    assert_eq!(room.lake().manifest("s")["redaction"], modes);
    let shown = room.pinlake(&["snapshots", "show", "s"]).succeeds();
    assert!(shown.stdout.contains("address (hash), attributes.a.b (drop), creation_date (drop)"), "{shown}");
    assert_eq!(found(&room.path("lake"), &[KEY, "jane", "2020-01-01"]), []);
    room.pinlake(&["convert", "in.json", "--snapshot", "t"]).succeeds();
    assert_eq!(room.lake().manifest("t").get("redaction"), None);
    let dry = room.pinlake(&["convert", "in.json", "--dry-run", "--redact", "city,id=mask"]).succeeds();
    assert!(
        dry.stdout.contains("redact\tdrop\tcity\n") && dry.stdout.contains("redact\tmask\tid\n"),
        "{dry}"
    );
}

/// Lines with canaries wherever a value can be.
fn canary_lines(count: usize) -> String {
    let mut lines = String::new();
    for number in 0..count {
        let canary = format!("canary-{number:07}");
        // An id of some length, so that row groups are full soon.
        let id = format!("canary-id-{number:0200}");
        let address = match number % 5 {
            0 => format!("{{\"odd\":\"{canary}\"}}"),
            _ => format!("\"{canary}@example.com\""),
        };
        write!(
            lines,
            "{{\"Id\":\"{id}\",\"Address\":{address},\"address\":\"{canary}\",\"User\":{{\"UserId\":\"{canary}\"}},\
             \"Attributes\":{{\"Secret\":[\"{canary}\"],\"Open\":[\"open\"]}},\"Location\":\"{canary}\"}}\n\
             {{\"Address\":\"{canary}\"\n"
        )
        .unwrap();
    }
    lines
}

const CANARY_REDACTION: [&str; 2] = ["--redact", "id,address=mask,user_id=hash,attributes.Secret,city"];
const CANARY_FLAGS: [&str; 8] =
    ["--compression", "none", "--threads", "1", "--memory-limit", "64MiB", "--max-rejects", "100%"];

#[test]
fn nothing_of_what_is_redacted_is_ever_in_a_file() {
    let room = Room::new();
    room.write("in.json", canary_lines(3_000));
    let convert = |snapshot: &str| {
        let convert = ["convert", "in.json", "--snapshot", snapshot, "--lake", snapshot];
        room.pinlake(&convert).args(&CANARY_FLAGS)
    };
    convert("redacted").args(&CANARY_REDACTION).env("PINLAKE_REDACT_KEY", KEY).succeeds();
    assert_eq!(found(&room.path("redacted"), &["canary", KEY]), []);
    // Only what was redacted is gone, and the same test finds what is not.
    assert!(!found(&room.path("redacted"), &["open"]).is_empty());
    convert("plain").succeeds();
    assert!(found(&room.path("plain"), &["canary"]).len() > 1);
}

#[test]
fn a_kill_in_the_middle_leaves_nothing_of_it_either() {
    for is_redacted in [true, false] {
        let world = World::empty();
        world.put("p/a.gz", gzip(canary_lines(40_000)));
        world.put("p/b.gz", gzip("{}"));
        let room = Room::new();
        let relay = Relay::start(&world.server.s3_url(), "p/b.gz");
        let url = world.url("p/");
        let convert =
            room.pinlake(&["convert", &url, "--snapshot", "s"]).args(&CANARY_FLAGS).in_world(&world);
        let convert = convert.env("AWS_ENDPOINT_URL_S3", relay.url()).env("PINLAKE_REDACT_KEY", KEY);
        let convert = if is_redacted { convert.args(&CANARY_REDACTION) } else { convert };
        let running = convert.start();
        relay.wait_until_held();
        // The other piece is being read meanwhile; a row group of it is on the disk before long.
        let staged = room.path("lake/.staging/s");
        let is_written = || {
            let files = std::fs::read_dir(staged.join("data")).into_iter().chain(std::fs::read_dir(&staged));
            let mut folders = files.flatten().flatten().map(|entry| entry.path());
            folders.any(|path| below(&path) > 1_000_000)
        };
        assert!(
            (0..2_000_000).any(|_| {
                std::thread::yield_now();
                is_written()
            }),
            "nothing was written"
        );
        running.kill();
        assert!(below(&staged) > 1_000_000);
        assert_eq!(found(&room.path("lake"), &["canary", KEY]).is_empty(), is_redacted);
    }
}

/// Bytes of all files below a folder.
fn below(path: &std::path::Path) -> u64 {
    let Ok(entries) = std::fs::read_dir(path) else { return path.metadata().map_or(0, |facts| facts.len()) };
    entries.flatten().map(|entry| below(&entry.path())).sum()
}

#[test]
fn rejects_leave_the_text_of_lines_out_on_request_and_with_any_redaction() {
    let room = Room::new();
    room.write("in.json", "{\"Address\":\"canary\"\n\"\u{e9}\"\n{}");
    let flags = [
        &["--rejects-raw", "off"][..],
        &["--redact", "city"],
        &["--rejects-raw", "on", "--redact", "city"],
        &[],
    ];
    for (number, flags) in flags.into_iter().enumerate() {
        let id = format!("s{number}");
        room.pinlake(&["convert", "in.json", "--snapshot", &id, "--max-rejects", "2"]).args(flags).succeeds();
        let rejects = room.lake().rejects(&id);
        assert_eq!(rejects.len(), 2);
        for reject in &rejects {
            assert_eq!(reject.get("raw").is_some(), flags.is_empty(), "{reject}");
            assert!(reject["piece"] == "in.json" && reject["reason"].is_string(), "{reject}");
        }
    }
    room.write("pinlake.toml", "rejects-raw = \"off\"");
    room.pinlake(&["convert", "in.json", "--snapshot", "c", "--max-rejects", "2"]).succeeds();
    assert!(room.lake().rejects("c").iter().all(|reject| reject.get("raw").is_none()));
    // Of a run that fails too.
    room.pinlake(&["convert", "in.json", "--snapshot", "f"]).fails(5, &["in.json"]);
    assert_eq!(found(&room.path("lake/runs/f~failed"), &["canary"]), []);
}

#[test]
fn the_config_and_flags_add_up_and_a_flag_has_the_last_word() {
    let room = Room::new();
    room.write(
        "in.json",
        r#"{"Id":"1","Address":"jane@example.com","User":{"UserId":"u"},"Location":{"City":"Bonn"}}"#,
    );
    room.write(
        "etc/pinlake.toml",
        "redact = [\"address\", \"user_id=hash\"]\nredact-key-file = \"key\"\nlake = \"../lake\"",
    );
    room.write("etc/key", KEY);
    let config = ["--config", "etc/pinlake.toml"];
    let row = |id: &str, flags: &[&str], key: Option<&str>| {
        let command = room.pinlake(&["convert", "in.json", "--snapshot", id]).args(&config).args(flags);
        let command = key.into_iter().fold(command, |command, key| command.env("PINLAKE_REDACT_KEY", key));
        command.succeeds();
        room.lake().rows(id)[0].clone()
    };
    let kept = row("a", &[], None);
    assert!(kept["address"].is_null() && kept["user_id"].as_str().is_some_and(|hash| hash.len() == 64));
    let flagged = row("b", &["--redact", "address=mask,city"], None);
    assert_eq!((&flagged["address"], &flagged["city"]), (&json!("***@example.com"), &Value::Null));
    assert_eq!(flagged["user_id"], kept["user_id"]);
    // A key of the environment comes before that of the config, and one of a flag before both.
    let other = "another key that is long enough";
    assert_ne!(row("c", &[], Some(other))["user_id"], kept["user_id"]);
    let flag = row("d", &["--redact-key-file", "etc/key"], Some(other));
    assert_eq!(flag["user_id"], kept["user_id"]);
}

#[test]
fn what_cannot_be_meant_is_refused_before_anything_happens() {
    let room = Room::new();
    room.write("in.json", "{}");
    room.write("short", "too short");
    for (flags, named) in [
        (&["--redact", "adress"][..], &["`adress`", "did you mean `address`?"][..]),
        (&["--redact", "nothing_like_it"], &["nothing_like_it", "user_id"]),
        (&["--redact", ""], &["names no column"]),
        (&["--redact", "address,"], &["names no column"]),
        (&["--redact", "address=bogus"], &["`bogus`", "drop, mask and hash"]),
        (&["--redact", "address", "--redact", "address=mask"], &["address", "two ways"]),
        (&["--redact", "latitude=mask"], &["latitude", "dropped only"]),
        (&["--redact", "metrics.clicks=hash"], &["metrics.clicks", "dropped only"]),
        (&["--redact", "piece"], &["piece"]),
        (&["--redact", "id=hash"], &["id", "--redact-key-file", "PINLAKE_REDACT_KEY"]),
        (&["--redact", "id=hash", "--redact-key-file", "absent"], &["absent"]),
        (&["--redact", "id=hash", "--redact-key-file", "short"], &["short", "9 bytes", "16"]),
    ] {
        let ran = room.pinlake(&["convert", "in.json"]).args(flags).fails(2, named);
        assert!(!ran.stderr.contains("too short"), "{ran}");
    }
    let short =
        room.pinlake(&["convert", "in.json", "--redact", "id=hash"]).env("PINLAKE_REDACT_KEY", "canary");
    let ran = short.fails(2, &["PINLAKE_REDACT_KEY", "6 bytes"]);
    assert!(!ran.stderr.contains("canary"), "{ran}");
    room.write("pinlake.toml", "redact = [\"adress\"]");
    room.pinlake(&["convert", "in.json"]).fails(2, &["config file", "adress"]);
    assert!(!room.path("lake").exists());
    // No job is made that nobody wants then.
    let options =
        pinlake_local::PopulationOptions { endpoints: 5, ..pinlake_local::PopulationOptions::default() };
    let world = World::with_audience(options, 5);
    let role = "arn:aws:iam::123456789012:role/r";
    let run = ["run", "--s3-url-prefix", &world.url("p/"), "--role-arn", role, "--redact", "id=hash"];
    room.pinlake(&run).in_world(&world).env("PINLAKE_REDACT_KEY", KEY).fails(2, &["config file", "adress"]);
    assert_eq!(world.requests("CreateExportJob"), 0);
    std::fs::remove_file(room.path("pinlake.toml")).unwrap();
    room.pinlake(&run).in_world(&world).fails(2, &["--redact-key-file"]);
    assert_eq!(world.requests("CreateExportJob"), 0);
    room.pinlake(&run).in_world(&world).env("PINLAKE_REDACT_KEY", KEY).args(&["--snapshot", "s"]).succeeds();
    assert!(room.lake().rows("s").iter().all(|row| row["id"].as_str().is_some_and(|id| id.len() == 64)));
}
