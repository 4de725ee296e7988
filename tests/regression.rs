//! Faults that were found once, each with the command that showed it.

use pinlake_local::{Fault, FaultRule};

use crate::harness::{Room, World, lines_piece};

/// The message was "the output cannot be written", and nobody could tell which of many files was meant.
#[test]
fn a_result_that_cannot_be_written_is_named() {
    let room = Room::new();
    room.pinlake(&["generate", "1000", "in", "--pieces", "1"]).succeeds();
    room.pinlake(&["convert", "in", "--snapshot", "s"]).succeeds();
    // 50 kB, which neither the rows nor the page fit in.
    let line = "trap '' XFSZ; ulimit -f 100; exec \"$0\" \"$@\"";
    for (args, file) in [
        (&["sql", "SELECT * FROM endpoints", "--out", "rows.json"][..], "rows.json"),
        (&["report", "--all", "--out", "page.html"], "page.html"),
    ] {
        room.pinlake_in_shell(line, args).fails(8, &[file, "File too large"]);
    }
    assert_eq!(room.names(), ["in", "lake"], "half a result is none");
}

/// The lake was written at the path that `..` means and then not found there by the reports.
#[test]
fn a_lake_beside_the_current_folder_is_read_as_it_is_written() {
    let room = Room::new();
    room.write("in/a.json", "{\"Id\":\"1\"}\n");
    room.write("work/.keep", "");
    let line = "cd work && exec \"$0\" \"$@\"";
    room.pinlake_in_shell(line, &["convert", "../in", "--lake", "../beside"]).succeeds();
    let query = ["sql", "SELECT max(id) AS id FROM endpoints", "--format", "json", "--lake", "../beside"];
    let told = room.pinlake_in_shell(line, &query).succeeds();
    assert_eq!(told.stdout, "[\n{\"id\":\"1\"}\n]\n");
}

/// The manifest and the rejects of the lake were read as pieces by the second run.
#[test]
fn the_current_folder_is_converted_twice_into_the_lake_inside_it() {
    let room = Room::new();
    room.write("a.json", "{\"Id\":\"1\"}\n");
    room.pinlake(&["convert", ".", "--snapshot", "first"]).succeeds();
    room.pinlake(&["convert", ".", "--snapshot", "second", "--expect-rows", "1"]).succeeds();
}

/// Its rows were there twice, and every check held.
#[test]
fn a_piece_given_twice_is_refused() {
    let room = Room::new();
    room.write("in/a.json", "{\"Id\":\"1\"}\n");
    room.pinlake(&["convert", "in/a.json", "in"]).fails(2, &["a.json", "twice"]);
    assert_eq!(room.names(), ["in"]);
}

/// A text table was written into a file named as a spreadsheet.
#[test]
fn an_ending_that_is_no_format_is_refused() {
    let room = Room::new();
    room.write("in/a.json", "{\"Id\":\"1\"}\n");
    room.pinlake(&["convert", "in"]).succeeds();
    room.pinlake(&["sql", "SELECT 1", "--out", "x.ods"]).fails(2, &["x.ods", "--format"]);
    assert_eq!(room.names(), ["in", "lake"]);
}

/// The dry run said that the snapshot would be written, and the run that it was there already.
#[test]
fn a_dry_run_meets_the_same_snapshot_as_the_run() {
    let room = Room::new();
    room.write("in/a.json", "{\"Id\":\"1\"}\n");
    room.pinlake(&["convert", "in", "--snapshot", "s"]).succeeds();
    room.pinlake(&["convert", "in", "--snapshot", "s", "--dry-run"]).fails(2, &["`s`", "--replace"]);
}

/// Two conversions within a second wanted the same default id.
#[test]
fn conversions_in_quick_succession_get_ids_of_their_own() {
    let room = Room::new();
    room.write("in/a.json", "{\"Id\":\"1\"}\n");
    let ids: std::collections::BTreeSet<String> =
        (0..3).map(|_| room.pinlake(&["convert", "in"]).succeeds().stdout).collect();
    assert_eq!(ids.len(), 3);
}

/// A number of threads that no machine has ended in a panic of a library.
#[test]
fn values_that_cannot_be_meant_are_refused() {
    let room = Room::new();
    room.pinlake(&["--threads", "100000", "report", "--list"]).ends(2);
    room.pinlake(&["--endpoint-url", "127.0.0.1:9000", "export", "list"]).ends(2);
}

/// A page of a listing that ended early, under a length that agreed, was taken for the last one: the conversion ended with 0, and the keys
/// behind were in no piece.
#[test]
fn a_page_that_ends_early_is_asked_for_again() {
    // S3 tells a thousand keys a page.
    let pieces = 1_001;
    for (page, body_per_mille) in [(1, 100), (1, 300), (1, 900), (0, 200)] {
        let world = World::empty();
        for number in 0..pieces {
            world.put(&format!("p/{number:04}.gz"), lines_piece(&[&format!("{{\"Id\":\"{number:04}\"}}")]));
        }
        let fault = FaultRule::s3("ListObjectsV2", Fault::TruncatedBody);
        world.fault(fault.after(page).times(1).behind(body_per_mille));
        let room = Room::new();
        room.pinlake(&["convert", &world.url("p/"), "--snapshot", "s"]).in_world(&world).succeeds();
        assert_eq!(world.server.faults().struck(), 1);
        assert_eq!(room.lake().ids("s").len(), pieces, "page {page} up to {body_per_mille} of a thousand");
    }
}
