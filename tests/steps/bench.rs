//! `pinlake bench`: what it counts, what it leaves, and how it fails. No time is held against anything.

use serde_json::{Value, json};

use crate::harness::{Relay, Room, World, lines_piece, population};

/// The pieces that lie in the repository.
const SAMPLES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/data-samples/export");

/// Runs a bench whose scratch folder must be empty afterwards.
fn bench(room: &Room, args: &[&str]) -> Value {
    std::fs::create_dir_all(room.path("scratch")).unwrap();
    let ran = room
        .pinlake(&["bench", "--format", "json", "--scratch", "scratch", "--rounds", "2"])
        .args(args)
        .succeeds();
    assert_eq!(room.names_in("scratch"), Vec::<String>::new());
    ran.json()
}

#[test]
fn every_stage_is_measured_and_counts_are_right() {
    let room = Room::new();
    let result = bench(&room, &[SAMPLES, "--threads", "2", "--endpoints", "3000"]);
    let sample = &result["sample"];
    assert_eq!(sample["source"], json!(SAMPLES));
    for (member, expected) in [("listed_pieces", 3), ("pieces", 3), ("endpoints", 300), ("rejects", 0)] {
        assert_eq!(sample[member], json!(expected), "{member}");
    }
    let mut line = Vec::new();
    let population = population(300, 0.0);
    (0..300).for_each(|index| population.write_line(index, &mut line));
    // A line feed stands between two lines of a piece and not behind the last of its three.
    assert_eq!(sample["json_bytes"], json!(line.len() + 297));
    let stages: Vec<Value> = result["stages"]
        .as_array()
        .unwrap()
        .iter()
        .map(|stage| json!([stage["stage"], stage["threads"], stage["rounds"].as_array().unwrap().len()]))
        .collect();
    let expected = json!([
        ["fetch", 2, 2],
        ["unpack", 2, 2],
        ["decode", 2, 2],
        ["write", 2, 2],
        ["whole", 2, 2],
        ["whole", 1, 2]
    ]);
    assert_eq!(Value::Array(stages), expected);
    for stage in result["stages"].as_array().unwrap() {
        for rate in ["endpoints_per_second", "stored_bytes_per_second", "json_bytes_per_second"] {
            assert!(stage[rate].as_f64().is_some_and(|rate| rate > 0.0), "{rate} in {stage}");
        }
    }
    let number = |value: &Value| value.as_u64().unwrap();
    let estimate = &result["estimate"];
    assert_eq!(estimate["endpoints"], json!(3_000));
    assert_eq!(number(&estimate["stored_bytes"]), 10 * number(&sample["stored_bytes"]));
    assert_eq!(number(&estimate["parquet_bytes"]), 10 * number(&result["parquet_bytes"]));
    assert_eq!(result["compression"], json!("zstd"));
    // No lake was made where one would be.
    assert_eq!(room.names(), ["scratch"]);
}

#[test]
fn people_get_a_table() {
    let room = Room::new();
    room.write("scratch/other", "mine");
    let args = ["bench", SAMPLES, "--rounds", "1", "--scratch", "scratch", "--endpoints", "1000000"];
    let ran = room.pinlake(&args).succeeds();
    for words in
        ["300 endpoints", "fetch", "unpack", "decode", "write", "whole", "1,000,000 endpoints like these"]
    {
        assert!(ran.stdout.contains(words), "`{words}`: {ran}");
    }
    assert_eq!(room.names_in("scratch"), ["other"]);
}

#[test]
fn a_sample_of_a_prefix_is_read() {
    let world = World::with_pieces(&population(200, 0.0), 4);
    let room = Room::new();
    let url = world.url("exports/");
    room.write("scratch/x", "");
    let args = ["bench", &url, "--sample", "1", "--rounds", "1", "--threads", "1", "--format", "json"];
    let ran = room.pinlake(&args).args(&["--scratch", "scratch"]).in_world(&world).succeeds();
    let result = ran.json();
    assert_eq!(result["sample"]["listed_pieces"], json!(4));
    assert_eq!(result["sample"]["pieces"], json!(1));
    assert_eq!(result["sample"]["endpoints"], json!(50));
    assert_eq!(result["speed_up"], Value::Null);
    // Fetched alone, as a whole, and for the stages.
    assert_eq!(world.requests("GetObject"), 3);
}

#[test]
fn rejects_are_counted_and_a_source_without_endpoints_has_no_estimate() {
    let room = Room::new();
    room.write("bad/a.gz", lines_piece(&["nothing", "\"at all\""]));
    let result = bench(&room, &["bad"]);
    assert_eq!(result["sample"]["rejects"], json!(2));
    assert_eq!(result["estimate"], Value::Null);
}

#[test]
fn what_cannot_be_measured_has_its_code() {
    let room = Room::new();
    room.write("damaged/a.gz", "no gzip");
    room.write("empty/readme.txt", "no piece");
    let bench = |args: &[&str]| room.pinlake(&["bench", "--scratch", "."]).args(args);
    bench(&["nowhere"]).fails(2, &["nowhere"]);
    bench(&["empty"]).fails(2, &["empty", "readme.txt"]);
    bench(&["damaged"]).fails(7, &["a.gz"]);
    room.pinlake(&["bench", SAMPLES, "--scratch", "missing/folder"]).fails(2, &["missing/folder"]);
    bench(&[SAMPLES, "--rounds", "0"]).ends(2);
    bench(&[SAMPLES, "--sample", "much"]).ends(2);
    bench(&[]).ends(2);
    assert_eq!(room.names(), ["damaged", "empty"], "nothing is left");
}

#[test]
fn an_interrupted_bench_leaves_nothing() {
    let world = World::with_pieces(&population(60, 0.0), 3);
    let room = Room::new();
    room.write("scratch/other", "mine");
    let url = world.url("exports/");
    let relay = Relay::start(&world.server.s3_url(), "part-00002.gz");
    let command = room.pinlake(&["bench", &url, "--scratch", "scratch"]).in_world(&world);
    let running = command.env("AWS_ENDPOINT_URL_S3", relay.url()).start();
    relay.wait_until_held();
    running.interrupt();
    let ran = running.end();
    assert_eq!(ran.code, Some(130), "{ran}");
    assert_eq!(ran.stdout, "");
    assert_eq!(room.names_in("scratch"), ["other"]);
}
