//! A fetch that was stopped at any moment goes on without doing done work again, and two never write to one folder.

use crate::harness::{Relay, Room, Running, World, population};

const PIECES: u64 = 12;
const HELD: &str = "part-00011.gz";

fn world() -> World {
    World::with_pieces(&population(120, 0.0), PIECES)
}

/// The pieces that are complete in the destination.
fn complete(room: &Room) -> usize {
    if !room.path("dest").exists() {
        return 0;
    }
    room.names_in("dest")
        .iter()
        .filter(|name| name.rsplit_once('.').is_some_and(|(_, end)| end == "gz"))
        .count()
}

/// A fetch that cannot end, because one piece never comes; it is under way when so many pieces are in place.
fn under_way(room: &Room, world: &World, pieces: usize) -> Running {
    let relay = Relay::start(&world.server.s3_url(), HELD);
    let url = world.url("exports/");
    let running = room.pinlake(&["fetch", &url, "dest"]).in_world(world);
    let running = running.env("AWS_ENDPOINT_URL_S3", relay.url()).start();
    relay.wait_until_held();
    while complete(room) < pieces {
        std::thread::yield_now();
    }
    running
}

/// Fetches from another server with the same pieces, so that its counts are those of this run alone.
fn goes_on(room: &Room) -> u64 {
    let fresh = world();
    let url = fresh.url("exports/");
    room.pinlake(&["fetch", &url, "dest"]).in_world(&fresh).succeeds();
    let names = room.names_in("dest");
    assert_eq!(names.len() as u64, PIECES + 1, "the pieces and the index alone: {names:?}");
    for range in population(120, 0.0).pieces(PIECES).into_iter().enumerate() {
        let (number, range) = range;
        let file = std::fs::read(room.path(&format!("dest/part-{number:05}.gz"))).unwrap();
        assert!(file == population(120, 0.0).piece(range), "piece {number}");
    }
    fresh.requests("GetObject")
}

#[test]
fn after_a_kill_only_what_is_not_in_place_is_fetched() {
    for pieces in [0, 1, 4, 11] {
        let (world, room) = (world(), Room::new());
        under_way(&room, &world, pieces).kill();
        let there = complete(&room) as u64;
        assert_eq!(goes_on(&room), PIECES - there, "{there} were in place");
        // A third run has nothing to do.
        assert_eq!(goes_on(&room), 0);
    }
}

#[test]
fn after_an_interrupt_only_what_is_not_in_place_is_fetched() {
    let (world, room) = (world(), Room::new());
    let running = under_way(&room, &world, 6);
    running.interrupt();
    let ran = running.end();
    assert_eq!(ran.code, Some(130), "{ran}");
    let there = complete(&room) as u64;
    assert_eq!(goes_on(&room), PIECES - there);
}

#[test]
fn of_two_fetches_into_one_folder_one_is_refused() {
    let (world, room) = (world(), Room::new());
    let running = under_way(&room, &world, 11);
    let url = world.url("exports/");
    let fetch = || room.pinlake(&["fetch", &url, "dest"]).in_world(&world);
    let ran = fetch().fails(8, &["dest", "process "]);
    assert!(!ran.stderr.contains("a bug"), "{ran}");
    assert_eq!(world.requests("GetObject"), 11, "the second asked for no piece");
    // Saying what would be done needs no lock.
    fetch().args(&["--dry-run"]).succeeds();
    running.kill();

    // What the dead one left is no lock, and nothing that a conversion would speak of.
    assert!(room.names_in("dest").contains(&".fetch.lock".to_owned()));
    std::fs::remove_file(room.path("dest/fetch.json")).unwrap();
    room.pinlake(&["convert", "dest", "--snapshot", "s"]).succeeds();
    assert_eq!(room.lake().rows("s").len(), 110);
    let skipped = room.lake().manifest("s")["skipped"].to_string();
    assert!(!skipped.contains("lock"), "{skipped}");
}

#[test]
fn a_lock_that_is_a_link_is_not_written_through() {
    let (world, room) = (world(), Room::new());
    let outside = room.write("outside", "precious");
    std::fs::create_dir(room.path("dest")).unwrap();
    std::os::unix::fs::symlink(&outside, room.path("dest/.fetch.lock")).unwrap();
    let url = world.url("exports/");
    room.pinlake(&["fetch", &url, "dest"]).in_world(&world).fails(2, &[".fetch.lock"]);
    assert_eq!(room.read("outside"), "precious");
}
