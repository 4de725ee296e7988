//! `pinlake fetch`: every piece once, each to a safe place, and nothing twice.

use serde_json::{Value, json};

use crate::harness::{Room, World, gzip, lines_piece, population};

fn index(room: &Room) -> Value {
    serde_json::from_str(&room.read("dest/fetch.json")).unwrap()
}

#[test]
fn a_second_fetch_loads_only_what_is_new_or_gone() {
    let world = World::with_pieces(&population(60, 0.0), 3);
    world.put("exports/notes.txt", b"not a piece".to_vec());
    let room = Room::new();
    let url = world.url("exports/");
    let fetch = || room.pinlake(&["fetch", &url, "dest"]).in_world(&world).succeeds();

    let ran = fetch();
    assert!(ran.stderr.contains("notes.txt"), "what is skipped is named: {ran}");
    let told = ran.stderr.lines().find(|line| line.contains("fetched 3 pieces (")).unwrap();
    let (_, how) = told.split_once(" into dest in ").unwrap();
    let [time, rate, there] =
        ["s: ", "B a second; ", "0 were there already"].map(|part| how.find(part).unwrap());
    assert!(time < rate && rate < there, "how long and how fast: {ran}");
    let names = ["part-00000.gz", "part-00001.gz", "part-00002.gz"];
    assert_eq!(room.names_in("dest"), ["fetch.json", "part-00000.gz", "part-00001.gz", "part-00002.gz"]);
    let stored =
        |name: &str| world.server.store().get(world.server.bucket(), &format!("exports/{name}")).unwrap();
    let told = index(&room);
    for name in names {
        let (object, file) = (stored(name), std::fs::read(room.path("dest").join(name)).unwrap());
        assert!(object.bytes().unwrap() == file, "{name}");
        let entry = &told["pieces"][format!("exports/{name}")];
        assert_eq!(entry["file"], json!(name));
        assert_eq!(entry["size"], json!(file.len()));
        assert_eq!(entry["etag"].as_str().unwrap().trim_matches('"'), object.etag());
        assert_eq!(entry["sha256"].as_str().unwrap().len(), 64);
    }
    assert_eq!(told["skipped"][0]["key"], json!("exports/notes.txt"));
    assert_eq!(world.requests("GetObject"), 3);

    fetch();
    assert_eq!(world.requests("GetObject"), 3, "nothing is loaded twice");

    // Another content under one key, and one file lost: these two are loaded, and no other.
    world.put("exports/part-00001.gz", lines_piece(&[r#"{"Id":"new"}"#]));
    std::fs::remove_file(room.path("dest/part-00002.gz")).unwrap();
    fetch();
    assert_eq!(world.requests("GetObject"), 5);
    assert!(
        stored("part-00001.gz").bytes().unwrap() == std::fs::read(room.path("dest/part-00001.gz")).unwrap()
    );
    assert!(
        stored("part-00002.gz").bytes().unwrap() == std::fs::read(room.path("dest/part-00002.gz")).unwrap()
    );
}

#[test]
fn more_than_one_page_of_keys_is_found() {
    let world = World::empty();
    let mut expected = Vec::new();
    for number in 0..1_203 {
        let id = format!("id-{number:04}");
        world.put(&format!("many/{number:04}.gz"), gzip(format!("{{\"Id\":\"{id}\"}}")));
        expected.push(id);
    }
    let room = Room::new();
    let url = world.url("many/");
    room.pinlake(&["convert", &url, "--snapshot", "s", "--expect-rows", "1203"]).in_world(&world).succeeds();
    assert_eq!(world.requests("ListObjectsV2"), 2);
    assert_eq!(world.requests("GetObject"), 1_203);
    assert_eq!(room.lake().ids("s"), expected);
}

#[test]
fn keys_that_are_no_plain_paths_stay_inside_the_folder() {
    let world = World::empty();
    let keys = [
        "../up.gz",
        "/abs.gz",
        "a/../../b.gz",
        "a\\b.gz",
        "x",
        "x/y.gz",
        "x.gz",
        "ok/fine.gz",
        "line\nfeed.gz",
    ];
    for key in keys {
        world.put(&format!("odd/{key}"), lines_piece(&[&format!("{{\"Id\":{}}}", json!(key))]));
    }
    let room = Room::new();
    room.write("inside/keep", "");
    let url = world.url("odd/");
    room.pinlake(&["fetch", &url, "inside/dest", "--include", "*"]).in_world(&world).succeeds();
    assert_eq!(room.names(), ["inside"]);
    assert_eq!(room.names_in("inside"), ["dest", "keep"]);
    let told: Value = serde_json::from_str(&room.read("inside/dest/fetch.json")).unwrap();
    let pieces = told["pieces"].as_object().unwrap();
    assert_eq!(pieces.len(), keys.len());
    for key in keys {
        let file = pieces[&format!("odd/{key}")]["file"].as_str().unwrap();
        let bytes = std::fs::read(room.path("inside/dest").join(file)).unwrap();
        let stored = world.server.store().get(world.server.bucket(), &format!("odd/{key}")).unwrap();
        assert!(stored.bytes().unwrap() == bytes, "{key:?} is not {file}");
    }
    assert_eq!(pieces["odd/ok/fine.gz"]["file"], json!("ok/fine.gz"));

    // Converting them reads each once too, and rows say by the key where they came from.
    room.pinlake(&["convert", &url, "--snapshot", "s"]).in_world(&world).succeeds();
    for row in room.lake().rows("s") {
        assert_eq!(row["piece"], json!(format!("odd/{}", row["id"].as_str().unwrap())));
    }
}

#[test]
fn a_link_in_the_destination_is_not_written_through() {
    let world = World::empty();
    world.put("p/a.gz", lines_piece(&["{}"]));
    let room = Room::new();
    let outside = room.write("outside.txt", "precious");
    std::fs::create_dir(room.path("dest")).unwrap();
    std::os::unix::fs::symlink(&outside, room.path("dest/a.gz")).unwrap();
    let url = world.url("p/");
    room.pinlake(&["fetch", &url, "dest"]).in_world(&world).succeeds();
    assert_eq!(room.read("outside.txt"), "precious");
}

#[test]
fn kept_pieces_are_the_objects_and_rows_keep_their_keys() {
    let world = World::with_pieces(&population(40, 0.0), 2);
    let room = Room::new();
    let url = world.url("exports/");
    let args = ["convert", &url, "--snapshot", "s", "--keep-pieces", "kept"];
    room.pinlake(&args).in_world(&world).succeeds();
    assert_eq!(room.names_in("kept"), ["fetch.json", "part-00000.gz", "part-00001.gz"]);
    assert_eq!(world.requests("GetObject"), 2, "no piece is loaded twice");
    let rows = room.lake().rows("s");
    assert_eq!(rows.len(), 40);
    assert_eq!(rows[0]["piece"], json!("exports/part-00000.gz"));
}

#[test]
fn a_prefix_is_a_folder_or_one_key_and_takes_no_siblings() {
    let world = World::empty();
    for key in ["day/a.gz", "day/b.gz", "day-2/c.gz", "day.gz"] {
        world.put(key, lines_piece(&[&format!("{{\"Id\":{}}}", json!(key))]));
    }
    let room = Room::new();
    for (number, (key, expected)) in [
        ("day", &["day/a.gz", "day/b.gz"][..]),
        ("day/", &["day/a.gz", "day/b.gz"]),
        ("day/b.gz", &["day/b.gz"]),
        ("day.gz", &["day.gz"]),
    ]
    .into_iter()
    .enumerate()
    {
        let (url, snapshot) = (world.url(key), format!("s{number}"));
        room.pinlake(&["convert", &url, "--snapshot", &snapshot]).in_world(&world).succeeds();
        assert_eq!(room.lake().ids(&snapshot), expected, "{key}");
    }
}
