//! `read_pieces`: the rows of pieces that are in no lake.

use pinlake_local::{Fault, FaultRule};
use serde_json::{Value, json};

use crate::harness::{Pinlake, Relay, Room, World, gzip, lines_piece, population};

fn sql(room: &Room, query: &str) -> Pinlake {
    room.pinlake(&["sql", query, "--format", "json"])
}

#[test]
fn rows_are_those_that_a_conversion_makes() {
    let audience = population(2_000, 0.2);
    let room = Room::new();
    for (number, range) in audience.pieces(3).into_iter().enumerate() {
        room.write(&format!("in/part-{number}.gz"), audience.piece(range));
    }
    room.write("in/more/last.json", "{\"Id\":\"last\",\"Zip\":[1, 2]}");
    room.pinlake(&["convert", "in", "--snapshot", "s", "--max-rejects", "100%"]).succeeds();
    let order = "ORDER BY piece, line";
    let from_lake = room.sql(&format!("SELECT * EXCLUDE (snapshot) FROM endpoints {order}"));
    let from_pieces = sql(&room, &format!("SELECT * FROM read_pieces('in') {order}")).succeeds().rows();
    assert_eq!(from_lake.len(), 2_001);
    assert_eq!(from_pieces, from_lake);
    // Of a few columns in another order, and of those that only a condition needs.
    let few = "SELECT country, id FROM {} WHERE user_attributes IS NOT NULL AND channel_type = 'EMAIL' ORDER BY id, piece, line";
    let from_pieces = sql(&room, &few.replace("{}", "read_pieces('in')")).succeeds().rows();
    assert!(from_pieces.len() > 10);
    assert_eq!(from_pieces, room.sql(&few.replace("{}", "endpoints")));
    let counted = "SELECT count(*) AS n, count(extra) AS extras, min(line) AS first FROM {}";
    let from_pieces = sql(&room, &counted.replace("{}", "read_pieces('in')")).succeeds().rows();
    assert_eq!(from_pieces, room.sql(&counted.replace("{}", "endpoints")));
    // Pieces and the lake in one query, and the same pieces twice.
    let joined = "SELECT count(DISTINCT e.id) AS n FROM endpoints AS e JOIN read_pieces('in') AS a USING (id) \
                  WHERE e.id IN (SELECT id FROM read_pieces('in/more'))";
    assert_eq!(room.sql(joined), [json!({ "n": 1 })]);
}

#[test]
fn pieces_need_no_lake_and_what_needs_one_says_that_there_is_none() {
    let room = Room::new();
    room.write("in/a.json", "{\"Id\":\"1\"}\n{\"Id\":\"2\"}\n");
    let query = "SELECT id FROM read_pieces('in/a.json') ORDER BY id LIMIT 1";
    assert_eq!(sql(&room, query).succeeds().rows(), [json!({ "id": "1" })]);
    assert_eq!(sql(&room, "SELECT 1 AS one").succeeds().rows(), [json!({ "one": 1 })]);
    assert_eq!(room.names(), ["in"], "reading makes nothing");
    for table in ["endpoints", "all_endpoints", "users", "attributes", "snapshots"] {
        let query = format!("SELECT count(*) FROM {table}");
        room.pinlake(&["sql", &query]).fails(2, &["lake", "not a lake", "pinlake convert"]);
    }
    let both = "SELECT count(*) FROM read_pieces('in') AS a JOIN endpoints AS e USING (id)";
    room.pinlake(&["sql", both]).fails(2, &["not a lake"]);
    room.pinlake(&["sql", "SELECT 1", "--snapshot", "s"]).fails(2, &["not a lake"]);
}

#[test]
fn rejected_lines_are_left_out_and_told_of() {
    let room = Room::new();
    room.write("in/a.gz", lines_piece(&["{\"Id\":\"1\"}", "[]", "{\"Id\":", "", "{\"Id\":\"2\"}"]));
    room.write("in/b.gz", lines_piece(&["{\"Id\":\"3\"}", "x"]));
    room.write("in/notes.txt", "x");
    for flags in [&[][..], &["--quiet"]] {
        let ran = sql(&room, "SELECT count(*) AS n FROM read_pieces('in')").args(flags).succeeds();
        assert_eq!(ran.rows(), [json!({ "n": 3 })]);
        assert!(
            ran.stderr.contains("3 lines were rejected in in") && ran.stderr.contains(".gz`, line"),
            "{ran}"
        );
        assert_eq!(ran.stderr.contains("notes.txt"), flags.is_empty(), "{ran}");
    }
    // Twice the same place is not twice the rejects.
    let twice = "SELECT count(*) AS n FROM read_pieces('in') AS a JOIN read_pieces('in') AS b USING (id)";
    let ran = sql(&room, twice).succeeds();
    assert!(ran.stderr.contains("3 lines were rejected"), "{ran}");
    let one = sql(&room, "SELECT id FROM read_pieces('in/b.gz')").succeeds();
    assert!(one.stderr.contains("1 line was rejected in in/b.gz"), "{one}");
    assert!(!sql(&room, "SELECT 1").succeeds().stderr.contains("rejected"));
}

#[test]
fn what_cannot_be_read_ends_with_the_contracts_code() {
    let room = Room::new();
    room.write("in/a.gz", gzip("{\"Id\":\"1\"}"));
    let mut damaged = gzip("{\"Id\":\"1\"}\n".repeat(1_000));
    let middle = damaged.len() - 6;
    damaged[middle] ^= 1;
    room.write("bad/a.gz", &damaged);
    room.write("bad/b.gz", gzip("{}"));
    room.write("notes/a.txt", "Id\n1\n");
    let fails = |query: &str, code: i32, named: &[&str]| {
        room.pinlake(&["sql", query]).fails(code, named);
    };
    fails("SELECT count(*) FROM read_pieces('bad')", 7, &["a.gz", "CRC"]);
    fails("SELECT count(*) FROM read_pieces('missing')", 2, &["missing"]);
    fails("SELECT count(*) FROM read_pieces('notes')", 2, &["no piece", "a.txt"]);
    fails("SELECT count(*) FROM read_pieces('ftp://host/x')", 2, &["ftp://host/x"]);
    for wrong in ["", "1", "'in', 'bad'", "NULL", "id"] {
        fails(&format!("SELECT * FROM read_pieces({wrong})"), 2, &[]);
    }
    fails("SELECT * FROM read_pieces(7)", 2, &["read_pieces('exports/')"]);
    fails("SELECT nonsense FROM read_pieces('in')", 2, &["line 1, column 8", "nonsense"]);
    // Nothing of a result that failed stays behind.
    room.pinlake(&["sql", "SELECT id FROM read_pieces('bad')", "--out", "rows.csv"]).fails(7, &["a.gz"]);
    assert_eq!(room.names(), ["bad", "in", "notes"]);
}

#[test]
fn pieces_in_s3_are_read_as_far_as_a_query_needs() {
    let world = World::with_pieces(&population(2_000, 0.0), 40);
    let room = Room::new();
    let place = world.url("exports/");
    let rows = |query: &str| sql(&room, query).in_world(&world).succeeds().rows();
    let first = rows(&format!("SELECT piece, line FROM read_pieces('{place}') LIMIT 3"));
    let expected: Vec<Value> =
        (1..=3).map(|line| json!({ "piece": "exports/part-00000.gz", "line": line })).collect();
    assert_eq!(first, expected);
    let requests = world.requests("GetObject");
    assert!(requests <= 3, "{requests} pieces were asked for, to read three lines");
    assert_eq!(rows(&format!("SELECT count(*) AS n FROM read_pieces('{place}')")), [json!({ "n": 2_000 })]);
    assert_eq!(world.requests("GetObject"), requests + 40);

    let nothing = format!("SELECT 1 FROM read_pieces('{}')", world.url("nothing/"));
    room.pinlake(&["sql", &nothing]).in_world(&world).fails(2, &["nothing/"]);
    world.fault(FaultRule::s3("GetObject", Fault::status(403, "AccessDenied")).always());
    let denied = format!("SELECT max(id) FROM read_pieces('{place}')");
    room.pinlake(&["sql", &denied]).in_world(&world).fails(6, &["exports/part-", "AccessDenied"]);
}

/// The last piece never comes, and whoever waits for it waits for ever.
#[test]
fn a_limit_waits_for_no_later_piece_and_an_interrupt_ends_the_waiting() {
    let world = World::with_pieces(&population(300, 0.0), 3);
    let room = Room::new();
    let place = world.url("exports/");
    let run = |query: &str, relay: &Relay, flags: &[&str]| {
        let query = query.replace("PLACE", &place);
        sql(&room, &query).args(flags).in_world(&world).env("AWS_ENDPOINT_URL_S3", relay.url())
    };
    let relay = || Relay::start(&world.server.s3_url(), "part-00002.gz");
    let first = "SELECT count(*) AS n FROM (SELECT id FROM read_pieces('PLACE') LIMIT 150)";
    assert_eq!(run(first, &relay(), &[]).succeeds().rows(), [json!({ "n": 150 })]);
    let relay = relay();
    let running = run("SELECT id FROM read_pieces('PLACE')", &relay, &["--out", "rows.json"]).start();
    relay.wait_until_held();
    running.interrupt();
    let ran = running.end();
    assert_eq!(ran.code, Some(130), "{ran}");
    assert_eq!(room.names(), Vec::<String>::new(), "half a result is none");
}

#[test]
fn every_format_takes_rows_of_pieces() {
    let room = Room::new();
    room.write(
        "a.json",
        "{\"Id\":\"1\",\"Attributes\":{\"plan\":[\"gold\",null]},\"Metrics\":{\"m\":1.5},\"OptOut\":\"ALL\"}",
    );
    let query = "SELECT id, opt_out, attributes, metrics, piece, line FROM read_pieces('a.json')";
    for ending in ["csv", "json", "ndjson", "md", "html", "txt", "parquet"] {
        let file = format!("rows.{ending}");
        room.pinlake(&["sql", query, "--out", &file]).succeeds();
        if ending != "parquet" {
            let text = room.read(&file);
            assert!(text.contains("gold") && text.contains("1.5") && text.contains("a.json"), "{text}");
        }
    }
    let rows = crate::harness::parquet_rows(&room.path("rows.parquet"));
    assert_eq!(
        rows,
        [
            json!({ "id": "1", "opt_out": "ALL", "attributes": { "plan": ["gold", null] }, "metrics": { "m": 1.5 },
                 "piece": "a.json", "line": 1 })
        ]
    );
}
