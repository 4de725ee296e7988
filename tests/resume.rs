//! A run that died or was stopped is taken up again by the same command, and what it had done is not done again.

use crate::harness::{Pinlake, Relay, Room, Running, World, population};

const PIECES: usize = 6;
const ENDPOINTS: u64 = 600;

/// The form in which `-v` tells of a checkpoint.
const NOTED: &str = "noted what is done for good";

/// An audience with odd values and damaged lines in six pieces, and a relay on which the fifth never comes.
struct Halted {
    world: World,
    room: Room,
    relay: Relay,
    url: String,
}

impl Halted {
    fn new() -> Self {
        let world = World::empty();
        for number in 0..PIECES {
            world.put(&key(number), piece(number));
        }
        let relay = Relay::start(&world.server.s3_url(), "part-00004.gz");
        Self { url: world.url("exports/"), world, room: Room::new(), relay }
    }

    fn convert(&self, flags: &[&str]) -> Pinlake {
        let args = ["convert", &self.url, "--max-rejects", "50%", "--threads", "1"];
        self.room.pinlake(&args).args(flags).in_world(&self.world)
    }

    /// Starts a conversion that notes each piece, and comes back when four are noted and the fifth does not come.
    fn start(&self, flags: &[&str]) -> Running {
        let convert = self.convert(flags).args(&["-v", "--checkpoint", "0"]);
        let mut running = convert.env("AWS_ENDPOINT_URL_S3", self.relay.url()).start();
        running.wait_until_it_says(&[NOTED, "done=4"]);
        running
    }

    /// How many objects a conversion with these flags gets that ends well.
    fn gets(&self, flags: &[&str]) -> u64 {
        let before = self.world.requests("GetObject");
        self.convert(flags).succeeds();
        self.world.requests("GetObject") - before
    }

    /// Insists that a snapshot is what an undisturbed conversion makes of the same pieces.
    fn assert_as_undisturbed(&self, snapshot: &str) {
        let undisturbed = Room::new();
        let args = ["convert", &self.url, "--max-rejects", "50%", "--snapshot", snapshot];
        undisturbed.pinlake(&args).in_world(&self.world).succeeds();
        let facts = |room: &Room| {
            let lake = room.lake();
            let manifest = lake.manifest(snapshot);
            let told =
                ["pieces", "totals", "drift", "skipped", "reconciliation"].map(|it| manifest[it].clone());
            (lake.rows(snapshot), lake.rejects(snapshot), told)
        };
        let (expected, found) = (facts(&undisturbed), facts(&self.room));
        assert!(expected.0.len() as u64 > ENDPOINTS - 100 && !expected.1.is_empty());
        assert_eq!(found.1, expected.1);
        assert_eq!(found.2, expected.2);
        assert!(found.0 == expected.0, "the rows of {snapshot} are not those of an undisturbed run");
        self.room.lake().assert_sound();
    }
}

fn key(number: usize) -> String {
    format!("exports/part-{number:05}.gz")
}

/// One of the pieces; the last line of every one is no endpoint.
fn piece(number: usize) -> Vec<u8> {
    let population = population(ENDPOINTS, 0.2);
    let range = population.pieces(PIECES as u64).into_iter().nth(number).unwrap();
    let mut piece = population.piece(range);
    // A further member of gzip goes on with the stream, and with the line that has no end yet.
    piece.extend(crate::harness::lines_piece(&[&format!("{{\"Id\": no endpoint {number}")]));
    piece
}

#[test]
fn a_killed_conversion_goes_on_and_reads_no_piece_twice() {
    let halted = Halted::new();
    halted.start(&["--snapshot", "s"]).kill();
    assert!(halted.room.lake().parquet_files().is_empty());
    let again = halted.convert(&["--snapshot", "s"]);
    let before = halted.world.requests("GetObject");
    let ran = again.succeeds();
    assert_eq!(halted.world.requests("GetObject") - before, 2);
    assert!(ran.stderr.contains("4 of 6 pieces were done by an interrupted run"), "{ran}");
    halted.assert_as_undisturbed("s");
}

#[test]
fn a_run_killed_again_and_again_gets_to_its_end() {
    let halted = Halted::new();
    halted.start(&["--snapshot", "s"]).kill();
    let relay = Relay::start(&halted.world.server.s3_url(), "part-00005.gz");
    let convert = halted.convert(&["--snapshot", "s", "-v", "--checkpoint", "0"]);
    let mut running = convert.env("AWS_ENDPOINT_URL_S3", relay.url()).start();
    running.wait_until_it_says(&[NOTED, "done=5"]);
    running.kill();
    assert_eq!(halted.gets(&["--snapshot", "s"]), 1);
    halted.assert_as_undisturbed("s");
}

#[test]
fn without_a_name_the_same_source_is_gone_on_with_under_its_name() {
    let halted = Halted::new();
    halted.start(&[]).kill();
    let ran = halted.convert(&[]).succeeds();
    assert!(ran.stderr.contains("which an interrupted run began"), "{ran}");
    let snapshot = ran.stdout.trim().to_owned();
    assert!(ran.stderr.contains(&snapshot), "{ran}");
    halted.assert_as_undisturbed(&snapshot);
    let listed = halted.room.pinlake(&["snapshots", "list", "--format", "json"]).succeeds().rows();
    assert_eq!(listed.len(), 1);
    // The work is done, so the next run of the same command is a new one.
    let ran = halted.convert(&[]).succeeds();
    assert_ne!(ran.stdout.trim(), snapshot);
    assert!(!ran.stderr.contains("interrupted"), "{ran}");
}

#[test]
fn an_interrupted_conversion_ends_what_is_at_hand_and_says_how_to_go_on() {
    let halted = Halted::new();
    // Without --checkpoint: what is done is noted because of the signal.
    let convert = halted.convert(&["--snapshot", "s", "-vv"]);
    let running = convert.env("AWS_ENDPOINT_URL_S3", halted.relay.url()).start();
    halted.relay.wait_until_held();
    running.interrupt();
    let ran = running.end();
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(130), ""), "{ran}");
    assert!(ran.stderr.contains("stopping"), "{ran}");
    let kept = (0..=4).find(|kept| ran.stderr.contains(&format!("{kept} of 6 pieces are done and kept in")));
    match kept {
        Some(kept) => assert_eq!(halted.gets(&["--snapshot", "s"]), 6 - kept),
        None => assert!(ran.stderr.contains("the same command starts over"), "{ran}"),
    }
    halted.convert(&["--snapshot", "s", "--replace"]).succeeds();
    halted.assert_as_undisturbed("s");
}

#[test]
fn a_signal_during_the_wait_keeps_all_that_was_noted() {
    let halted = Halted::new();
    let running = halted.start(&["--snapshot", "s"]);
    running.terminate();
    let ran = running.end();
    assert_eq!(ran.code, Some(130), "{ran}");
    assert!(ran.stderr.contains("4 of 6 pieces are done and kept in"), "{ran}");
    assert!(ran.stderr.contains(".staging/s"), "{ran}");
    assert_eq!(halted.gets(&["--snapshot", "s"]), 2);
    halted.assert_as_undisturbed("s");
}

#[test]
fn a_large_piece_at_hand_gets_the_rest_of_its_bytes() {
    let world = World::empty();
    // One thread has at most two of them open.
    for name in ["a", "b", "c"] {
        world.put(&format!("exports/{name}.gz"), large_piece());
    }
    let room = Room::new();
    let url = world.url("exports/");
    let args = ["convert", &url, "--snapshot", "s", "--memory-limit", "64MiB", "--threads", "1", "-vv"];
    // The last part of the first piece takes its time; it comes when the signal has come.
    let relay = Relay::start(&world.server.s3_url(), "bytes=3");
    let mut running = room.pinlake(&args).in_world(&world).env("AWS_ENDPOINT_URL_S3", relay.url()).start();
    relay.wait_until_held();
    running.wait_until_it_says(&["piece begun"]);
    running.interrupt();
    running.wait_until_it_says(&["stopping"]);
    relay.let_go();
    let ran = running.end();
    assert_eq!(ran.code, Some(130), "{ran}");
    let is_kept =
        ["1 of 3 pieces are done", "2 of 3 pieces are done"].iter().any(|it| ran.stderr.contains(it));
    assert!(is_kept, "{ran}");
    room.pinlake(&args).in_world(&world).succeeds();
    assert_eq!(room.lake().ids("s").len(), 12_000);
    room.lake().assert_sound();
}

/// Four thousand endpoints in four million bytes.
fn large_piece() -> Vec<u8> {
    let line = format!("{{\"Id\":\"{}\"}}\n", "x".repeat(1_000));
    let mut piece = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::none());
    std::io::Write::write_all(&mut piece, line.repeat(4_000).as_bytes()).unwrap();
    piece.finish().unwrap()
}

#[test]
fn a_second_signal_does_not_wait_for_the_piece_at_hand() {
    let world = World::empty();
    world.put("exports/large.gz", large_piece());
    // It comes in several requests; the second, which begins behind a million bytes, is not answered.
    let relay = Relay::start(&world.server.s3_url(), "bytes=1");
    let room = Room::new();
    let url = world.url("exports/");
    let args = ["convert", &url, "--snapshot", "s", "--memory-limit", "64MiB", "--threads", "1"];
    let convert = room.pinlake(&args).in_world(&world);
    let mut running = convert.env("AWS_ENDPOINT_URL_S3", relay.url()).start();
    relay.wait_until_held();
    running.interrupt();
    running.wait_until_it_says(&["stopping", "interrupt again"]);
    running.interrupt();
    let ran = running.end();
    assert_eq!(ran.code, Some(130), "{ran}");
    assert!(!ran.stderr.contains("take too long"), "{ran}");
    room.lake().assert_sound();
    room.pinlake(&args).in_world(&world).succeeds();
    assert_eq!(room.lake().ids("s").len(), 4_000);
}

#[test]
fn a_piece_that_changed_meanwhile_is_read_again() {
    let halted = Halted::new();
    halted.start(&["--snapshot", "s"]).kill();
    // One of those that were done: the same length, other bytes.
    halted.world.put(&key(1), {
        let mut lines = population(ENDPOINTS, 0.2);
        lines = population(lines.iter().count() as u64, 0.0);
        lines.piece(lines.pieces(PIECES as u64).into_iter().nth(1).unwrap())
    });
    // Pieces that were open together are noted together.
    let gets = halted.gets(&["--snapshot", "s"]);
    assert!((3..=4).contains(&gets), "{gets}");
    halted.assert_as_undisturbed("s");
}

#[test]
fn other_work_does_not_go_on_with_it() {
    let halted = Halted::new();
    halted.start(&["--snapshot", "s"]).kill();
    // Other files would come of it, so it starts over.
    assert_eq!(halted.gets(&["--snapshot", "s", "--compression", "none"]), 6);
    halted.assert_as_undisturbed("s");
    let ran = halted.convert(&["--snapshot", "s"]).fails(2, &["`s` already", "--replace"]);
    assert_eq!(ran.stdout, "");
}

#[test]
fn a_failing_network_keeps_what_is_done() {
    let halted = Halted::new();
    let fault = pinlake_local::Fault::status(403, "AccessDenied");
    halted.world.fault(pinlake_local::FaultRule::s3("GetObject", fault).on_path("part-00004").always());
    halted.convert(&["--snapshot", "s"]).fails(6, &["part-00004.gz"]);
    halted.world.server.faults().clear();
    let gets = halted.gets(&["--snapshot", "s"]);
    assert!((2..6).contains(&gets), "{gets}");
    halted.assert_as_undisturbed("s");
}

/// A folder of the pieces, the fifth of which is cut short, so that a conversion ends there.
struct Folder {
    room: Room,
    cut: Vec<u8>,
}

impl Folder {
    fn new() -> Self {
        let room = Room::new();
        for number in 0..PIECES {
            room.write(&format!("in/{number}.gz"), piece(number));
        }
        let cut = std::fs::read(room.path("in/4.gz")).unwrap();
        room.write("in/4.gz", &cut[..cut.len() / 2]);
        Self { room, cut }
    }

    fn convert(&self) -> Pinlake {
        let args = ["convert", "in", "--snapshot", "s", "--max-rejects", "50%", "--threads", "1"];
        self.room.pinlake(&args)
    }

    /// Ends at the piece that is cut, and mends it.
    fn fails_and_is_mended(&self) {
        self.convert().args(&["--checkpoint", "0"]).fails(7, &["4.gz"]);
        self.room.lake().assert_consistent();
        self.room.write("in/4.gz", &self.cut);
    }

    fn assert_whole(&self) {
        let (lake, lines) = (self.room.lake(), ENDPOINTS - PIECES as u64);
        assert_eq!(lake.manifest("s")["totals"]["rows"], lines);
        assert_eq!(lake.rows("s").len() as u64, lines);
        assert_eq!(lake.rejects("s").len(), PIECES);
        lake.assert_sound();
    }
}

#[test]
fn a_folder_is_gone_on_with_when_a_damaged_piece_is_mended() {
    let folder = Folder::new();
    folder.fails_and_is_mended();
    let ran = folder.convert().succeeds();
    let done = (1..=4).find(|done| ran.stderr.contains(&format!("{done} of 6 pieces were done")));
    assert!(done.is_some(), "{ran}");
    folder.assert_whole();
}

#[test]
fn a_file_that_was_touched_is_read_again() {
    let folder = Folder::new();
    folder.fails_and_is_mended();
    let touch = |number: usize, time: std::time::SystemTime| {
        let path = folder.room.path(&format!("in/{number}.gz"));
        std::fs::File::options().write(true).open(path).unwrap().set_modified(time).unwrap();
    };
    for number in 0..4 {
        touch(number, std::time::SystemTime::UNIX_EPOCH);
    }
    let ran = folder.convert().succeeds();
    assert!(!ran.stderr.contains("were done by an interrupted run"), "{ran}");
    folder.assert_whole();

    // One whose time is behind the run's cannot be told from one that changes meanwhile: it is never noted, and neither are
    // the files with its rows.
    let folder = Folder::new();
    let path = folder.room.path("in/1.gz");
    let tomorrow = std::time::SystemTime::now() + std::time::Duration::from_hours(24);
    std::fs::File::options().write(true).open(path).unwrap().set_modified(tomorrow).unwrap();
    folder.fails_and_is_mended();
    folder.convert().succeeds();
    folder.assert_whole();
}

#[test]
fn a_run_takes_its_export_job_up_again() {
    let options =
        pinlake_local::PopulationOptions { endpoints: 60, ..pinlake_local::PopulationOptions::default() };
    let world = World::with_audience(options, 10);
    let room = Room::new();
    let url = world.url("p/");
    let args = ["run", "--s3-url-prefix", &url, "--role-arn", "arn:aws:iam::123456789012:role/r"];
    let run = |url: String| room.pinlake(&args).in_world(&world).env("AWS_ENDPOINT_URL_PINPOINT", url);
    // The job is created, and nobody is told how it goes on.
    let relay = Relay::start(&world.server.pinpoint_url(), "GET /v1/apps/");
    let running = run(relay.url()).start();
    relay.wait_until_held();
    running.kill();
    // It has completed, and its pieces do not come.
    let held = Relay::start(&world.server.s3_url(), "GET /");
    let running = run(world.server.pinpoint_url()).env("AWS_ENDPOINT_URL_S3", held.url()).start();
    held.wait_until_held();
    running.interrupt();
    let ran = running.end();
    assert_eq!(ran.code, Some(130), "{ran}");
    assert!(ran.stderr.contains("taking up export job"), "{ran}");

    let ran = run(world.server.pinpoint_url()).succeeds();
    assert!(ran.stderr.contains("taking up export job"), "{ran}");
    assert_eq!(world.requests("CreateExportJob"), 1);
    let listed = room.pinlake(&["snapshots", "list", "--format", "json"]).succeeds().rows();
    assert_eq!(listed.len(), 1);
    assert_eq!(listed[0]["rows"], 60);
    // What is done is forgotten: the next run exports anew.
    run(world.server.pinpoint_url()).args(&["--snapshot", "next"]).succeeds();
    assert_eq!(world.requests("CreateExportJob"), 2);
    room.lake().assert_sound();
}

#[test]
fn a_new_job_is_made_where_it_is_asked_for_and_where_the_old_one_failed() {
    let world = World::with_audience(pinlake_local::PopulationOptions::default(), 1_000);
    let room = Room::new();
    let url = world.url("p/");
    let args = ["run", "--s3-url-prefix", &url, "--role-arn", "arn:aws:iam::123456789012:role/r"];
    let relay = Relay::start(&world.server.pinpoint_url(), "GET /v1/apps/");
    let run = || room.pinlake(&args).in_world(&world);
    for created in 1..3 {
        let running = run().args(&["--new-job"]).env("AWS_ENDPOINT_URL_PINPOINT", relay.url()).start();
        relay.wait_until_held();
        running.kill();
        assert_eq!(world.requests("CreateExportJob"), created);
    }
    let fault = pinlake_local::Fault::status(404, "NotFoundException");
    world.fault(pinlake_local::FaultRule::pinpoint("GetExportJob", fault));
    // Pinpoint does not know the job any more.
    run().succeeds();
    assert_eq!(world.requests("CreateExportJob"), 3);
}
