//! Faults on the way: what passes is recovered from with the same rows, what cannot be trusted is refused.

mod seeded;

use crate::harness::{Room, World, population};
use pinlake_local::{Fault, FaultRule};

const ENDPOINTS: u64 = 300;
const PIECES: u64 = 3;

fn world() -> World {
    World::with_pieces(&population(ENDPOINTS, 0.0), PIECES)
}

fn expected_ids() -> Vec<String> {
    let mut ids: Vec<String> =
        population(ENDPOINTS, 0.0).iter().map(|endpoint| endpoint.id.unwrap_or_default()).collect();
    ids.sort();
    ids
}

#[test]
fn what_passes_is_recovered_from_with_the_same_rows() {
    let expected = expected_ids();
    for rule in [
        FaultRule::s3("ListObjectsV2", Fault::status(500, "InternalError")).times(2),
        FaultRule::s3("ListObjectsV2", Fault::status(503, "SlowDown")).times(2),
        FaultRule::s3("ListObjectsV2", Fault::ResetMidBody),
        FaultRule::s3("ListObjectsV2", Fault::ShortBody),
        FaultRule::s3("ListObjectsV2", Fault::TruncatedBody).times(3),
        FaultRule::s3("GetObject", Fault::status(500, "InternalError")).times(4),
        FaultRule::s3("GetObject", Fault::status(503, "SlowDown")).times(4),
        FaultRule::s3("GetObject", Fault::status(429, "TooManyRequests")).times(2),
        FaultRule::s3("GetObject", Fault::ResetMidBody).times(4),
        FaultRule::s3("GetObject", Fault::ShortBody).times(4),
        FaultRule::s3("GetObject", Fault::TruncatedBody).times(4),
    ] {
        let world = world();
        let room = Room::new();
        let url = world.url("exports/");
        let struck = rule.times;
        world.fault(rule.clone());
        let args = ["convert", &url, "--snapshot", "s", "--retry-for", "5s", "--expect-rows", "300"];
        let ran = room.pinlake(&args).in_world(&world).succeeds();
        assert_eq!(world.server.faults().struck(), struck, "{rule:?}: {ran}");
        assert_eq!(room.lake().ids("s"), expected, "{rule:?}");
        room.lake().assert_sound();
    }
}

#[test]
fn fetch_recovers_too_and_leaves_no_partial_file() {
    let world = world();
    for fault in [Fault::ResetMidBody, Fault::ShortBody, Fault::TruncatedBody, Fault::status(503, "SlowDown")]
    {
        world.fault(FaultRule::s3("GetObject", fault));
    }
    let room = Room::new();
    let url = world.url("exports/");
    room.pinlake(&["fetch", &url, "dest", "--retry-for", "5s"]).in_world(&world).succeeds();
    assert_eq!(world.server.faults().struck(), 4);
    assert_eq!(room.names_in("dest"), ["fetch.json", "part-00000.gz", "part-00001.gz", "part-00002.gz"]);
    for name in ["part-00000.gz", "part-00001.gz", "part-00002.gz"] {
        let object = world.server.store().get(world.server.bucket(), &format!("exports/{name}")).unwrap();
        assert!(object.bytes().unwrap() == std::fs::read(room.path("dest").join(name)).unwrap(), "{name}");
    }
}

#[test]
fn a_disk_that_is_full_leaves_no_half_piece() {
    let world = world();
    let room = Room::new();
    let url = world.url("exports/");
    // Half the size of a piece stands in for a full disk.
    let line = "trap '' XFSZ; ulimit -f 16; exec \"$0\" \"$@\"";
    let fetch = ["fetch", &url, "dest"];
    room.pinlake_in_shell(line, &fetch).in_world(&world).fails(8, &["dest/part-0000", "File too large"]);
    assert!(room.names_in("dest").iter().all(|name| !name.ends_with("gz")), "{:?}", room.names_in("dest"));
    room.pinlake(&fetch).in_world(&world).succeeds();
    room.pinlake(&["convert", "dest", "--snapshot", "s"]).succeeds();
    assert_eq!(room.lake().ids("s"), expected_ids());
}

#[test]
fn pinpoint_is_asked_again() {
    let options =
        pinlake_local::PopulationOptions { endpoints: 50, ..pinlake_local::PopulationOptions::default() };
    let world = World::with_audience(options, 25);
    for operation in ["CreateExportJob", "GetExportJob"] {
        let fault = Fault::status(429, "TooManyRequestsException");
        world.fault(FaultRule::pinpoint(operation, fault).times(2));
        let fault = Fault::status(500, "InternalServerErrorException");
        world.fault(FaultRule::pinpoint(operation, fault));
    }
    let room = Room::new();
    let url = world.url("p/");
    let args = ["run", "--s3-url-prefix", &url, "--role-arn", "arn:aws:iam::123456789012:role/r"];
    room.pinlake(&args).args(&["--snapshot", "s", "--retry-for", "5s"]).in_world(&world).succeeds();
    assert_eq!(world.server.faults().struck(), 6);
    // A failed answer does not tell whether the job was made; there is one job all the same.
    let jobs = room.pinlake(&["export", "list"]).in_world(&world).succeeds().json();
    assert_eq!(jobs["ExportJobsResponse"]["Item"].as_array().unwrap().len(), 1);
    assert_eq!(room.lake().rows("s").len(), 50);
}

#[test]
fn what_cannot_be_trusted_is_refused() {
    let world = world();
    let room = Room::new();
    let url = world.url("exports/");
    for (fault, command) in [
        (Fault::FlipBit, &["convert", &url, "--snapshot", "s"][..]),
        (Fault::FlipBit, &["fetch", &url, "dest"]),
        (Fault::StaleETag, &["convert", &url, "--snapshot", "s"]),
        (Fault::StaleETag, &["fetch", &url, "other"]),
    ] {
        world.fault(FaultRule::s3("GetObject", fault.clone()).on_path("part-00001").always());
        let named = ["s3://pinlake-local/exports/part-00001.gz"];
        room.pinlake(command).args(&["--retry-for", "2s"]).in_world(&world).fails(7, &named);
        world.server.faults().clear();
    }
    assert!(!room.path("dest/part-00001.gz").exists() && !room.path("other/part-00001.gz").exists());
    assert_eq!(room.lake().live_files().len(), 0);
    room.lake().assert_consistent();

    // Nothing of it stays: the same commands succeed when the fault is gone.
    room.pinlake(&["convert", &url, "--snapshot", "s"]).in_world(&world).succeeds();
    room.pinlake(&["fetch", &url, "dest"]).in_world(&world).succeeds();
    assert_eq!(room.lake().ids("s"), expected_ids());
}

#[test]
fn an_object_that_vanishes_is_not_passed_over() {
    let world = world();
    world.fault(FaultRule::s3("GetObject", Fault::status(404, "NoSuchKey")).on_path("part-00002").always());
    let room = Room::new();
    let url = world.url("exports/");
    room.pinlake(&["convert", &url]).in_world(&world).fails(7, &["exports/part-00002.gz"]);
    assert_eq!(room.lake().live_files().len(), 0);
}

#[test]
fn a_bit_that_flips_once_is_noticed_and_the_piece_read_again() {
    let world = world();
    world.fault(FaultRule::s3("GetObject", Fault::FlipBit));
    let room = Room::new();
    let url = world.url("exports/");
    room.pinlake(&["convert", &url, "--snapshot", "s"]).in_world(&world).succeeds();
    assert_eq!(world.requests("GetObject"), PIECES + 1);
    assert_eq!(room.lake().ids("s"), expected_ids());
}
