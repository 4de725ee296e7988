//! Kinds of sources: folders, files, several of them, gzip in every legal form, one huge piece; and what becomes of a snapshot.

use serde_json::{Value, json};

use crate::harness::{Room, gzip, lines_piece, population};

/// Piece, line and id of each row.
fn places(room: &Room, snapshot: &str) -> Vec<(String, i64, String)> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let rows = room.lake().rows(snapshot);
    rows.iter().map(|row| (text(&row["piece"]), row["line"].as_i64().unwrap(), text(&row["id"]))).collect()
}

fn place(piece: &str, line: i64, id: &str) -> (String, i64, String) {
    (piece.to_owned(), line, id.to_owned())
}

#[test]
fn a_folder_is_read_with_its_subfolders_and_what_is_no_piece_is_listed() {
    let room = Room::new();
    for (name, bytes) in [
        ("old/b.gz", lines_piece(&[r#"{"Id":"b"}"#])),
        ("old/a/deep.jsonl", b"{\"Id\":\"deep\"}\n".to_vec()),
        ("old/c.ndjson", b"{\"Id\":\"c1\"}\r\n{\"Id\":\"c2\"}".to_vec()),
        ("old/d.json", b"{\"Id\":\"d\"}".to_vec()),
        ("old/readme.txt", b"hello".to_vec()),
        ("old/photo.jpg", vec![0xff; 10]),
        ("old/.hidden.gz", b"x".to_vec()),
    ] {
        room.write(name, bytes);
    }
    let ran = room.pinlake(&["convert", "old", "--snapshot", "s"]).succeeds();
    assert_eq!(
        places(&room, "s"),
        [
            place("a/deep.jsonl", 1, "deep"),
            place("b.gz", 1, "b"),
            place("c.ndjson", 1, "c1"),
            place("c.ndjson", 2, "c2"),
            place("d.json", 1, "d"),
        ]
    );
    let manifest = room.lake().manifest("s");
    let skipped: Vec<&str> =
        manifest["skipped"].as_array().unwrap().iter().map(|it| it["name"].as_str().unwrap()).collect();
    assert_eq!(skipped, [".hidden.gz", "photo.jpg", "readme.txt"]);
    assert!(ran.stderr.contains("skipped 3") && ran.stderr.contains("photo.jpg"), "{ran}");
    let pieces: Vec<&str> =
        manifest["pieces"].as_array().unwrap().iter().map(|it| it["piece"].as_str().unwrap()).collect();
    assert_eq!(pieces, ["a/deep.jsonl", "b.gz", "c.ndjson", "d.json"]);
}

#[test]
fn several_sources_make_one_snapshot_and_names_that_clash_are_told_apart() {
    let room = Room::new();
    for (folder, id) in [("one", "1"), ("two", "2")] {
        room.write(&format!("{folder}/same.gz"), lines_piece(&[&format!("{{\"Id\":\"{id}\"}}")]));
    }
    room.write("single.json", "{\"Id\":\"3\"}");
    room.pinlake(&["convert", "one", "two", "single.json", "--snapshot", "s"]).succeeds();
    let found = places(&room, "s");
    let ids: Vec<&str> = found.iter().map(|(_, _, id)| id.as_str()).collect();
    assert_eq!(room.lake().ids("s"), ["1", "2", "3"]);
    let mut pieces: Vec<&String> = found.iter().map(|(piece, _, _)| piece).collect();
    pieces.sort();
    pieces.dedup();
    assert_eq!(pieces.len(), 3, "{ids:?} come from {pieces:?}");
    assert!(
        pieces.iter().any(|piece| piece.contains("one/"))
            && pieces.iter().any(|piece| piece.contains("two/"))
    );
}

#[test]
fn the_forms_of_gzip_and_of_lines_make_no_difference() {
    let first = "{\"Id\":\"1\"}\n{\"Id\":";
    let rest = "\"2\"}\r\n\r\n{\"Id\":\"3\"}";
    let whole = format!("{first}{rest}");
    let joined = [gzip(first), gzip(""), gzip(rest)].concat();
    let padded = [gzip(&whole), vec![0; 700]].concat();
    for (name, bytes) in [
        ("one-member.gz", gzip(&whole)),
        ("several-members.gz", joined),
        ("zero-padding.gz", padded),
        ("plain.json", whole.clone().into_bytes()),
        ("line-feed-at-the-end.gz", gzip(format!("{whole}\n"))),
        ("bom.gz", gzip(format!("\u{feff}{whole}"))),
        ("no-ending-at-all", whole.clone().into_bytes()),
    ] {
        let room = Room::new();
        room.write(name, bytes);
        room.pinlake(&["convert", name, "--snapshot", "s"]).succeeds();
        assert_eq!(places(&room, "s"), [place(name, 1, "1"), place(name, 2, "2"), place(name, 4, "3")]);
        assert_eq!(room.lake().manifest("s")["totals"]["blank"], json!(1), "{name}");
    }
}

#[test]
fn one_huge_piece_is_streamed_within_little_memory() {
    const ENDPOINTS: u64 = 30_000;
    let room = Room::new();
    let count = ENDPOINTS.to_string();
    room.pinlake(&["generate", &count, "huge", "--pieces", "1"]).succeeds();
    // Far more than the window of fetched bytes, so it comes in chunks, and lines are cut wherever a chunk ends.
    let args = ["convert", "huge", "--snapshot", "s", "--memory-limit", "64MiB", "--expect-rows", &count];
    room.pinlake(&args).succeeds();
    let sums = "SELECT count(*) AS rows, count(DISTINCT id) AS ids, min(line) AS first, max(line) AS last, \
                count(DISTINCT line) AS lines, count(extra) AS extras, count(DISTINCT user_id) AS users FROM endpoints";
    let audience = population(ENDPOINTS, 0.0);
    let users: std::collections::BTreeSet<String> =
        audience.iter().filter_map(|endpoint| endpoint.user_id().map(str::to_owned)).collect();
    let expected = json!({
        "rows": ENDPOINTS, "ids": ENDPOINTS, "first": 1, "last": ENDPOINTS, "lines": ENDPOINTS, "extras": 0,
        "users": users.len(),
    });
    assert_eq!(room.sql(sums), [expected]);
    for row in room.sql("SELECT line, id, address FROM endpoints WHERE line % 997 = 0") {
        let endpoint = audience.endpoint(row["line"].as_u64().unwrap() - 1);
        assert_eq!((&row["id"], &row["address"]), (&json!(endpoint.id), &json!(endpoint.address)));
    }
}

#[test]
fn the_manifest_accounts_for_every_piece_and_file() {
    let room = Room::new();
    let (first, second) = (lines_piece(&[r#"{"Id":"1"}"#, r#"{"Id":"1"}"#]), gzip("\n{\"Id\":\"2\"}\n\n"));
    room.write("in/a.gz", &first);
    room.write("in/b.gz", &second);
    room.pinlake(&["convert", "in", "--snapshot", "s", "--expect-rows", "3"]).succeeds();
    let manifest = room.lake().manifest("s");
    let members: std::collections::BTreeSet<&str> =
        manifest.as_object().unwrap().keys().map(String::as_str).collect();
    let told = [
        "tool",
        "source",
        "run_id",
        "job",
        "snapshot",
        "pieces",
        "files",
        "skipped",
        "totals",
        "drift",
        "reconciliation",
        "timings",
    ];
    assert_eq!(members, told.into());
    assert!(manifest["tool"].as_str().unwrap().starts_with("pinlake "));
    assert_eq!(manifest["source"], json!("in"));
    assert_eq!(manifest["snapshot"], json!("s"));
    assert_eq!(manifest["job"], Value::Null);
    let piece = |at: usize| manifest["pieces"][at].clone();
    for (at, name, bytes, counts) in [(0, "a.gz", &first, [2, 2, 0, 0]), (1, "b.gz", &second, [3, 1, 0, 2])] {
        let [lines, rows, rejects, blank] = counts;
        let expected = json!({
            "piece": name, "size": bytes.len(), "etag": null, "sha256": sha256(bytes), "lines": lines, "rows": rows,
            "rejects": rejects, "blank": blank,
        });
        assert_eq!(piece(at), expected);
    }
    let totals = json!({ "lines": 5, "rows": 3, "rejects": 0, "blank": 2, "duplicate_ids": 1 });
    assert_eq!(manifest["totals"], totals);
    let mut rows = 0;
    for file in manifest["files"].as_array().unwrap() {
        let bytes = std::fs::read(room.path("lake").join(file["path"].as_str().unwrap())).unwrap();
        assert_eq!(file["bytes"], json!(bytes.len()));
        assert_eq!(file["sha256"], json!(sha256(&bytes)));
        rows += file["rows"].as_u64().unwrap();
    }
    assert_eq!(rows, 3);
    let checks = manifest["reconciliation"].as_array().unwrap();
    assert!(checks.len() >= 3);
    for check in checks {
        assert_eq!((&check["ok"], &check["expected"]), (&json!(true), &check["actual"]), "{check}");
    }
    assert!(checks.iter().any(|check| check["check"].as_str().unwrap().contains("--expect-rows")));
}

#[test]
fn a_wrong_expectation_publishes_nothing() {
    let room = Room::new();
    room.write("in.json", "{}\n{}\nnull");
    let args = ["convert", "in.json", "--snapshot", "s", "--max-rejects", "1", "--expect-rows"];
    for wrong in ["2", "4"] {
        room.pinlake(&args).args(&[wrong]).fails(4, &["--expect-rows", wrong, "3"]);
        room.lake().assert_sound();
        assert_eq!(room.lake().live_files().len(), 0);
    }
    // Rows and rejects together are what was exported.
    room.pinlake(&args).args(&["3"]).succeeds();
}

#[test]
fn a_snapshot_is_replaced_only_on_request_and_in_one_commit() {
    let room = Room::new();
    room.write("old.json", "{\"Id\":\"old\"}");
    room.write("new.json", "{\"Id\":\"new\"}");
    room.pinlake(&["convert", "old.json", "--snapshot", "s"]).succeeds();
    let before = room.lake().visible();
    room.pinlake(&["convert", "new.json", "--snapshot", "s"]).fails(2, &["`s`", "already"]);
    assert_eq!(room.lake().visible(), before);
    let commits = room.lake().commits();
    room.pinlake(&["convert", "new.json", "--snapshot", "s", "--replace"]).succeeds();
    assert_eq!(room.lake().commits(), commits + 1);
    room.lake().assert_sound();
    assert_eq!(room.lake().ids("s"), ["new"]);
    assert_eq!(room.lake().manifest("s")["source"], json!("new.json"));
    // Without anything to replace it simply converts.
    room.pinlake(&["convert", "old.json", "--snapshot", "t", "--replace"]).succeeds();
    assert_eq!(room.sql("SELECT count(*) AS n FROM all_endpoints"), [json!({ "n": 2 })]);
}

#[test]
fn codecs_change_files_and_not_rows() {
    use parquet::basic::Compression;
    use parquet::file::reader::{FileReader as _, SerializedFileReader};
    let room = Room::new();
    // Enough of the same for a codec to pay; a chunk that it hardly shrinks is stored as it is.
    let line = format!("{{\"Id\":\"{}\",\"Attributes\":{{\"a\":[\"b\"]}}}}\n", "1".repeat(100));
    room.write("in.json", line.repeat(50));
    for codec in ["zstd", "snappy", "none"] {
        room.pinlake(&["convert", "in.json", "--snapshot", codec, "--compression", codec]).succeeds();
        let lake = room.lake();
        let file = lake.live_files().into_iter().find(|file| file.contains(codec)).unwrap();
        let file = std::fs::File::open(room.path("lake/endpoints").join(file)).unwrap();
        let reader = SerializedFileReader::new(file).unwrap();
        let found = reader.metadata().row_group(0).column(0).compression();
        let is_right = match codec {
            "zstd" => matches!(found, Compression::ZSTD(_)),
            "snappy" => matches!(found, Compression::SNAPPY),
            _ => matches!(found, Compression::UNCOMPRESSED),
        };
        assert!(is_right, "{codec} made {found:?}");
        assert_eq!(lake.rows(codec), lake.rows("zstd"));
    }
    room.pinlake(&["convert", "in.json", "--compression", "lzma"]).ends(2);
}

#[test]
fn an_export_of_nobody_is_a_snapshot_without_rows() {
    let room = Room::new();
    room.write("empty.json", "");
    room.write("blank.gz", gzip("\n\n"));
    room.pinlake(&["convert", "empty.json", "blank.gz", "--snapshot", "s", "--expect-rows", "0"]).succeeds();
    assert_eq!(room.sql("SELECT count(*) AS n FROM endpoints"), [json!({ "n": 0 })]);
    assert_eq!(room.sql("SELECT snapshot, rows FROM snapshots"), [json!({ "snapshot": "s", "rows": 0 })]);
}

/// SHA-256 in hex, by a tool that is not ours.
fn sha256(bytes: &[u8]) -> String {
    let room = Room::new();
    let path = room.write("bytes", bytes);
    let output = std::process::Command::new("sha256sum").arg(path).output().unwrap();
    String::from_utf8(output.stdout).unwrap().split(' ').next().unwrap().to_owned()
}
