//! Bad input: one message that names the place and the way out, the contract's code, and a lake that nothing happened to.

use std::net::TcpListener;
use std::time::Duration;

use pinlake_local::{Fault, FaultRule, LocalOptions};
use serde_json::json;

use crate::harness::{Room, World, gzip, lines_piece, population};

const ROLE: &str = "arn:aws:iam::123456789012:role/pinpoint-export";

/// A room whose lake holds one snapshot.
fn room_with_a_lake() -> Room {
    let room = Room::new();
    room.write("before.json", "{\"Id\":\"before\"}");
    room.pinlake(&["convert", "before.json", "--snapshot", "before"]).succeeds();
    room
}

/// Insists that the lake is as [`room_with_a_lake`] left it, and that the same id can be used afterwards.
fn assert_untouched(room: &Room) {
    room.lake().assert_sound();
    assert_eq!(room.lake().ids("before"), ["before"]);
    assert_eq!(room.sql("SELECT snapshot FROM snapshots"), [json!({ "snapshot": "before" })]);
}

/// The URL of a loopback port where nobody listens.
fn nobody() -> String {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    format!("http://127.0.0.1:{port}")
}

#[test]
fn sources_in_s3_that_are_none() {
    let world = World::empty();
    world.put("other/readme.txt", b"x".to_vec());
    world.put("other/data.parquet", b"x".to_vec());
    let room = room_with_a_lake();
    for (source, named) in [
        ("s3://no-such-bucket/exports/", vec!["no such bucket", "no-such-bucket"]),
        ("s3://pinlake-local/nothing/", vec!["s3://pinlake-local/nothing/", "check the prefix"]),
        ("s3://pinlake-local/other/", vec!["s3://pinlake-local/other/", "readme.txt", "*.gz"]),
        ("s3://", vec!["s3://"]),
        ("gs://bucket/p/", vec!["gs://bucket/p/", "s3://"]),
    ] {
        let args = ["convert", source, "--snapshot", "s"];
        room.pinlake(&args).in_world(&world).fails(2, &named);
        room.pinlake(&["fetch", source, "dest"]).in_world(&world).fails(2, &[]);
        assert_untouched(&room);
    }
}

#[test]
fn s3_that_refuses() {
    let world = World::with_pieces(&population(20, 0.0), 2);
    let room = room_with_a_lake();
    let url = world.url("exports/");
    let convert =
        || room.pinlake(&["convert", &url, "--snapshot", "s", "--retry-for", "1s"]).in_world(&world);
    for (operation, status, code, named) in [
        ("ListObjectsV2", 403, "AccessDenied", vec!["s3://pinlake-local/exports/", "s3:ListBucket"]),
        ("GetObject", 403, "AccessDenied", vec!["exports/part-0000", "access denied"]),
        ("ListObjectsV2", 400, "ExpiredToken", vec!["s3://pinlake-local/exports/", "expired", "renew"]),
        ("GetObject", 400, "ExpiredToken", vec!["exports/part-0000", "expired", "renew"]),
        ("ListObjectsV2", 503, "SlowDown", vec!["s3://pinlake-local/exports/", "too many requests"]),
    ] {
        world.fault(FaultRule::s3(operation, Fault::status(status, code)).always());
        convert().fails(6, &named);
        assert_untouched(&room);
        world.server.faults().clear();
    }
    convert().env("AWS_SECRET_ACCESS_KEY", "another").fails(6, &["s3://pinlake-local/exports/"]);
    convert()
        .env("AWS_ENDPOINT_URL_S3", nobody())
        .fails(6, &["s3://pinlake-local/exports/", "cannot connect"]);
    let anonymous = room.pinlake(&["convert", &url]).env("AWS_ENDPOINT_URL_S3", world.server.s3_url());
    anonymous.env("AWS_REGION", "us-east-1").fails(6, &["credentials", "--profile"]);
    assert_untouched(&room);
}

#[test]
fn folders_and_files_that_are_no_export() {
    let room = room_with_a_lake();
    std::fs::create_dir(room.path("empty")).unwrap();
    room.write("other/readme.txt", "x");
    for (source, named) in [
        ("missing", vec!["missing", "No such file"]),
        ("missing.gz", vec!["missing.gz"]),
        ("empty", vec!["empty"]),
        ("other", vec!["other", "readme.txt", "*.gz"]),
        ("/dev/null", vec!["/dev/null"]),
    ] {
        room.pinlake(&["convert", source, "--snapshot", "s"]).fails(2, &named);
        assert_untouched(&room);
    }
}

#[test]
fn gzip_that_is_damaged() {
    let good = lines_piece(&[r#"{"Id":"1"}"#, r#"{"Id":"2"}"#]);
    let changed = |at: usize| {
        let mut bytes = good.clone();
        bytes[at] ^= 1;
        bytes
    };
    let tail = good.len();
    let room = room_with_a_lake();
    for (name, bytes) in [
        ("no-gzip.gz", b"{\"Id\":\"1\"}".to_vec()),
        ("empty.gz", Vec::new()),
        ("half.gz", good[..tail / 2].to_vec()),
        ("without-its-last-byte.gz", good[..tail - 1].to_vec()),
        ("without-its-trailer.gz", good[..tail - 8].to_vec()),
        ("header-alone.gz", good[..10].to_vec()),
        ("flipped-bit.gz", changed(tail / 2)),
        ("wrong-crc.gz", changed(tail - 8)),
        ("wrong-length.gz", changed(tail - 1)),
        ("garbage-behind.gz", [good.clone(), b"garbage".to_vec()].concat()),
        ("broken-second-member.gz", [good.clone(), good[..tail - 3].to_vec()].concat()),
    ] {
        room.write(&format!("in/{name}"), bytes);
        room.write("in/a-good-one.gz", &good);
        room.pinlake(&["convert", "in", "--snapshot", "s"]).fails(7, &[name]);
        assert_untouched(&room);
        std::fs::remove_file(room.path("in").join(name)).unwrap();
    }
    // What was wrong is gone, and the same command succeeds.
    room.pinlake(&["convert", "in", "--snapshot", "s"]).succeeds();
}

#[test]
fn an_empty_gzip_object_is_fetched_with_a_warning_and_not_converted() {
    let world = World::empty();
    world.put("p/empty.gz", Vec::new());
    world.put("p/good.gz", gzip("{}"));
    let room = Room::new();
    let url = world.url("p/");
    let ran = room.pinlake(&["fetch", &url, "dest"]).in_world(&world).succeeds();
    assert!(ran.stderr.contains("warning") && ran.stderr.contains("empty.gz"), "{ran}");
    room.pinlake(&["convert", &url]).in_world(&world).fails(7, &["empty.gz"]);
}

#[test]
fn json_that_is_broken() {
    let room = room_with_a_lake();
    room.write("in/broken.gz", gzip("{\"Id\":\"1\"}\n{\"Id\":"));
    let named = ["broken.gz", "line 2", "rejects.ndjson", "--max-rejects"];
    room.pinlake(&["convert", "in", "--snapshot", "s"]).fails(5, &named);
    assert_untouched(&room);
}

#[test]
fn lakes_that_are_none() {
    let room = Room::new();
    room.write("other/holiday.jpg", "x");
    room.write("in.json", "{}");
    std::fs::create_dir(room.path("empty")).unwrap();
    for lake in ["missing", "other", "empty", "in.json"] {
        for command in [
            vec!["sql", "SELECT count(*) FROM endpoints"],
            vec!["report", "--all"],
            vec!["report", "growth"],
            vec!["snapshots", "list"],
            vec!["snapshots", "show"],
        ] {
            room.pinlake(&command).args(&["--lake", lake]).fails(2, &[lake]);
        }
    }
    let failed = room.pinlake(&["sql", "SELECT id FROM endpoints"]).fails(2, &["lake", "pinlake convert"]);
    assert!(failed.stderr.contains("not a lake"), "{failed}");
    // A folder of something else is not made one.
    room.pinlake(&["convert", "in.json", "--lake", "other"]).fails(2, &["other", "holiday.jpg"]);
    assert_eq!(room.names_in("other"), ["holiday.jpg"]);
    assert_eq!(room.names(), ["empty", "in.json", "other"]);
}

#[test]
fn a_lake_that_is_damaged() {
    let room = room_with_a_lake();
    let file = room.lake().live_files().into_iter().next().unwrap();
    let path = room.path("lake/endpoints").join(&file);
    let bytes = std::fs::read(&path).unwrap();
    let query = ["sql", "SELECT min(id) FROM endpoints"];
    std::fs::write(&path, &bytes[..bytes.len() / 2]).unwrap();
    room.pinlake(&query).fails(7, &["part-00000"]);
    std::fs::remove_file(&path).unwrap();
    room.pinlake(&query).fails(7, &["part-00000"]);
    std::fs::write(room.path("lake/endpoints/_delta_log/00000000000000000001.json"), "no log").unwrap();
    room.pinlake(&query).fails(7, &["endpoints"]);
}

#[test]
fn names_that_nothing_has() {
    let room = room_with_a_lake();
    room.pinlake(&["report", "audience-sumary"])
        .fails(2, &["audience-sumary", "did you mean \"audience-summary\"", "growth"]);
    room.pinlake(&["report"]).fails(2, &["--all", "--list"]);
    room.pinlake(&["report", "missing.sql"]).fails(2, &["missing.sql"]);
    room.pinlake(&["report", "--all", "--queries", "nowhere"]).fails(2, &["nowhere"]);
    room.pinlake(&["sql", "SELECT 1", "--snapshot", "after"]).fails(2, &["after", "before"]);
    room.pinlake(&["snapshots", "show", "after"]).fails(2, &["after", "before"]);
    room.pinlake(&["sql", "-f", "missing.sql"]).fails(2, &["missing.sql"]);
    room.pinlake(&["sql"]).stdin(" \n").fails(2, &["no query"]);
    for id in ["a/b", "", "..", &"x".repeat(65), "a b"] {
        room.pinlake(&["convert", "before.json", "--snapshot", id]).ends(2);
        room.pinlake(&["sql", "SELECT 1", "--snapshot", id]).ends(2);
    }
    for args in [
        vec!["nonsense"],
        vec![],
        vec!["convert"],
        vec!["convert", "before.json", "--max-rejects", "some"],
        vec!["convert", "before.json", "--expect-rows", "-1"],
        vec!["convert", "before.json", "--memory-limit", "lots"],
        vec!["convert", "before.json", "--keep-pieces", "kept"],
        vec!["sql", "SELECT 1", "--format", "docx"],
        vec!["fetch", "before.json", "dest"],
        vec!["export", "list"],
        vec!["export", "create", "--application-id", "a"],
        vec!["generate", "many", "dest"],
        vec!["generate", "1", "dest", "--odd-share", "2"],
    ] {
        let ran = room.pinlake(&args).ends(2);
        assert_eq!(ran.stdout, "", "{ran}");
        assert!(!ran.stderr.is_empty(), "{ran}");
    }
    assert_untouched(&room);
}

#[test]
fn queries_cannot_change_anything() {
    let room = room_with_a_lake();
    for query in [
        "COPY (SELECT * FROM endpoints) TO 'stolen.csv'",
        "CREATE EXTERNAL TABLE t STORED AS CSV LOCATION '/etc/passwd'",
        "INSERT INTO endpoints SELECT * FROM endpoints",
        "DROP VIEW users",
    ] {
        room.pinlake(&["sql", query]).fails(2, &["read-only"]);
    }
    assert_eq!(room.names(), ["before.json", "lake"]);
    assert_untouched(&room);
}

#[test]
fn a_disk_that_is_full() {
    let room = room_with_a_lake();
    room.pinlake(&["generate", "2000", "in", "--pieces", "2"]).succeeds();
    // A limit on the size of files stands in for a full disk: the write fails in the middle of a data file.
    let line = "trap '' XFSZ; ulimit -f 100; exec \"$0\" \"$@\"";
    let failed =
        room.pinlake_in_shell(line, &["convert", "in", "--snapshot", "s"]).fails(8, &["lake/.staging/s"]);
    assert!(failed.stderr.contains("File too large"), "{failed}");
    assert_untouched(&room);
    room.pinlake_in_shell(line, &["sql", "SELECT 1 FROM endpoints", "--out", "fits.csv"]).succeeds();
    room.pinlake(&["convert", "in", "--snapshot", "s"]).succeeds();
    room.pinlake_in_shell(line, &["generate", "20000", "more", "--pieces", "1"]).fails(8, &["part-00000"]);
}

#[test]
fn pinpoint_that_is_not_there() {
    let room = Room::new();
    let create =
        ["export", "create", "--application-id", "a", "--s3-url-prefix", "s3://b/p/", "--role-arn", ROLE];
    let keys = |command: crate::harness::Pinlake| {
        command.env("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE").env("AWS_SECRET_ACCESS_KEY", "secret")
    };
    // AWS's own Pinpoint has ended. The proxy, where nobody listens, keeps this test on the machine.
    let nobody = nobody();
    let named = ["2026-10-30", "pinlake convert s3://", "pinlake local", "us-east-1"];
    for args in [&create[..], &["export", "list", "--application-id", "a"]] {
        keys(room.pinlake(args))
            .args(&["--retry-for", "1s", "--region", "us-east-1"])
            .env("HTTPS_PROXY", &nobody)
            .fails(6, &named);
    }
    // Any other that does not answer is not running.
    let refused = ["--endpoint-url", nobody.as_str(), "--region", "us-east-1", "--retry-for", "1s"];
    keys(room.pinlake(&create)).args(&refused).fails(6, &[&nobody, "pinlake local"]);
}

#[test]
fn pinpoint_that_refuses() {
    let world = World::empty();
    let room = Room::new();
    let pinlake = |args: &[&str]| room.pinlake(args).in_world(&world);
    let unknown = "0".repeat(32);
    pinlake(&["export", "status", "--job-id", &unknown]).fails(2, &[&unknown]);
    pinlake(&["export", "list", "--application-id", &unknown]).fails(2, &[&unknown]);
    for (status, code, named) in [
        (403, "AccessDeniedException", "access denied"),
        (403, "ExpiredTokenException", "expired"),
        (500, "InternalServerErrorException", "failed"),
    ] {
        world.fault(FaultRule::pinpoint("GetExportJobs", Fault::status(status, code)).always());
        let list = pinlake(&["export", "list", "--retry-for", "1s"]);
        list.fails(6, &[named, world.server.application_id()]);
        world.server.faults().clear();
    }
}

#[test]
fn jobs_that_fail_or_take_too_long() {
    let options =
        pinlake_local::PopulationOptions { endpoints: 10, ..pinlake_local::PopulationOptions::default() };
    let world = World::with_audience(options.clone(), 5);
    let room = Room::new();
    let url = "s3://no-such-bucket/p/";
    let args = ["export", "create", "--s3-url-prefix", url, "--role-arn", ROLE];
    let created = room.pinlake(&args).in_world(&world).succeeds().json();
    let job = created["ExportJobResponse"]["Id"].as_str().unwrap().to_owned();
    room.pinlake(&["export", "wait", "--job-id", &job])
        .in_world(&world)
        .fails(3, &[&job, "2 failed pieces", "Failures"]);
    let status = room.pinlake(&["export", "status", "--job-id", &job]).in_world(&world).succeeds();
    assert!(
        status.json()["ExportJobResponse"]["Failures"].to_string().contains("no-such-bucket"),
        "{status}"
    );
    room.pinlake(&["convert", "--job-id", &job]).in_world(&world).fails(3, &[&job]);
    let run = ["run", "--s3-url-prefix", url, "--role-arn", ROLE];
    room.pinlake(&run).in_world(&world).fails(3, &["2 failed pieces"]);
    assert!(!room.path("lake").exists(), "nothing was published");

    // A job that takes an hour for each step.
    let slow = World::start(LocalOptions {
        population: Some(options),
        job_pace: Duration::from_hours(1),
        ..LocalOptions::default()
    });
    let args = ["export", "create", "--s3-url-prefix", &slow.url("p/"), "--role-arn", ROLE];
    let created = room.pinlake(&args).in_world(&slow).succeeds().json();
    let job = created["ExportJobResponse"]["Id"].as_str().unwrap().to_owned();
    let wait = ["export", "wait", "--job-id", &job, "--timeout", "10ms"];
    room.pinlake(&wait).in_world(&slow).fails(3, &[&job, "pinlake export wait"]);
    room.pinlake(&["convert", "--job-id", &job]).in_world(&slow).fails(2, &[&job, "pinlake export wait"]);
}
