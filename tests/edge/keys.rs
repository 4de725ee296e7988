//! Keys as hostile as S3 allows: nothing outside the destination, nothing replaced, each piece fetched once and told by its key.

use serde_json::{Value, json};

use crate::harness::{Room, World, lines_piece};

/// Keys below the prefix. All end in `.gz`, so that every command takes them for pieces.
fn hostile() -> Vec<String> {
    let mut keys: Vec<String> = [
        "../up.gz",
        "../../../../../../../../tmp/pinlake-was-here.gz",
        "/abs.gz",
        "a/../../b.gz",
        "a//b.gz",
        "a/./b.gz",
        "a\\b.gz",
        "..\\..\\b.gz",
        "C:\\b.gz",
        "line\nfeed.gz",
        "bell\u{7}and\u{1b}[2Jclear.gz",
        "tab\tand space .gz",
        "x.gz",
        "x.gz/y.gz",
        "X.gz",
        ".gz",
        "..gz",
        "...gz",
        ".fetch.lock/x.gz",
        ".hidden.gz",
        "_under/score.gz",
        "fetch.json/x.gz",
        "fetch.json.gz",
        "x.partial/y.gz",
        "x.gz.partial.gz",
        "trailing./dot.gz",
        "trailing /space.gz",
        "\u{202e}zg.tupni.gz",
        "\u{2066}bidi\u{2069}.gz",
        "e\u{301}.gz",
        "\u{e9}.gz",
        "+%20&<>\"'#?;=.gz",
        "CON.gz",
        "plain.gz",
    ]
    .map(str::to_owned)
    .to_vec();
    // With the prefix it has 1,024 bytes, the most that S3 allows, in one part and in many.
    keys.push(format!("{}.gz", "n".repeat(1_024 - "odd/.gz".len())));
    keys.push(format!("{}.gz", "deep/".repeat(203)));
    keys
}

fn world() -> World {
    let world = World::empty();
    for key in hostile() {
        world.put(&format!("odd/{key}"), lines_piece(&[&json!({"Id": key}).to_string()]));
    }
    for (key, bytes) in [("fetch.json", "{}"), ("x.partial", ""), ("sub/", ""), ("notes.txt", "x")] {
        world.put(&format!("odd/{key}"), bytes.into());
    }
    world
}

/// The names of everything in the room, a room of a test being the only folder that it may write to.
fn assert_told_and_right(room: &Room, world: &World, dest: &str) {
    let told: Value = serde_json::from_str(&room.read(&format!("{dest}/fetch.json"))).unwrap();
    let pieces = told["pieces"].as_object().unwrap();
    assert_eq!(pieces.len(), hostile().len());
    let mut files = Vec::new();
    for key in hostile() {
        let key = format!("odd/{key}");
        let file = pieces[&key]["file"].as_str().unwrap();
        assert!(!file.split('/').any(|part| part.is_empty() || part.starts_with('.')), "{key:?} is {file:?}");
        let stored = world.server.store().get(world.server.bucket(), &key).unwrap();
        let bytes = std::fs::read(room.path(dest).join(file)).unwrap();
        assert!(stored.bytes().unwrap() == bytes, "{key:?} is not {file:?}");
        files.push(file.to_lowercase());
    }
    files.sort();
    files.dedup();
    assert_eq!(files.len(), hostile().len(), "no two share a file");
    let skipped = told["skipped"].as_array().unwrap();
    let skipped: Vec<&str> = skipped.iter().map(|skip| skip["key"].as_str().unwrap()).collect();
    assert_eq!(skipped, ["odd/fetch.json", "odd/notes.txt", "odd/sub/", "odd/x.partial"]);
}

#[test]
fn fetch_keeps_them_inside_and_apart_and_loads_each_once() {
    let (world, room) = (world(), Room::new());
    room.write("inside/keep", "");
    let url = world.url("odd/");
    let fetch = || room.pinlake(&["fetch", &url, "inside/dest"]).in_world(&world).succeeds();
    let ran = fetch();
    assert!(!ran.stderr.chars().any(|c| c.is_control() && c != '\n'), "{ran}");
    assert_eq!(room.names(), ["inside"]);
    assert_eq!(room.names_in("inside"), ["dest", "keep"]);
    assert!(!std::path::Path::new("/tmp/pinlake-was-here.gz").exists());
    assert_told_and_right(&room, &world, "inside/dest");
    assert_eq!(world.requests("GetObject"), hostile().len() as u64);
    // Again: every one of them is known.
    fetch();
    assert_eq!(world.requests("GetObject"), hostile().len() as u64);
}

#[test]
fn convert_reads_each_once_with_and_without_keeping_them() {
    for kept in [None, Some("kept")] {
        let (world, room) = (world(), Room::new());
        let url = world.url("odd/");
        // `fetch.json` and `x.partial` are nobody's pieces, and `fetch.json` is no JSON lines either.
        let mut args = vec!["convert", &url, "--snapshot", "s"];
        args.extend(kept.iter().flat_map(|folder| ["--keep-pieces", *folder]));
        room.pinlake(&args).in_world(&world).succeeds();
        let mut expected = hostile();
        expected.sort();
        assert_eq!(room.lake().ids("s"), expected);
        for row in room.lake().rows("s") {
            assert_eq!(row["piece"], json!(format!("odd/{}", row["id"].as_str().unwrap())));
        }
        assert_eq!(world.requests("GetObject"), hostile().len() as u64);
        if let Some(folder) = kept {
            assert_told_and_right(&room, &world, folder);
        }
        let skipped = room.lake().manifest("s")["skipped"].as_array().unwrap().len();
        assert_eq!(skipped, 4, "each is listed with its reason");
    }
}

#[test]
fn what_lies_in_the_destination_is_neither_followed_nor_replaced() {
    let (world, room) = (World::empty(), Room::new());
    for key in ["file.gz", "folder/a.gz", "theirs.gz.partial/b.gz", "plain.gz"] {
        world.put(&format!("p/{key}"), lines_piece(&[&json!({"Id": key}).to_string()]));
    }
    let outside = room.write("outside/file", "precious");
    room.write("dest/theirs.gz.partial", "precious");
    std::os::unix::fs::symlink(&outside, room.path("dest/file.gz")).unwrap();
    std::os::unix::fs::symlink(room.path("outside"), room.path("dest/folder")).unwrap();
    let url = world.url("p/");
    for _ in 0..2 {
        room.pinlake(&["fetch", &url, "dest"]).in_world(&world).succeeds();
        assert_eq!(room.names_in("outside"), ["file"]);
        assert_eq!(room.read("outside/file"), "precious");
        assert_eq!(room.read("dest/theirs.gz.partial"), "precious");
        assert_eq!(world.requests("GetObject"), 4);
    }
    // A file of somebody else's under a piece's name stays as it is.
    world.put("q/plain.gz", lines_piece(&["{}"]));
    room.write("other/plain.gz", "precious");
    let url = world.url("q/");
    room.pinlake(&["fetch", &url, "other"]).in_world(&world).fails(2, &["plain.gz"]);
    assert_eq!(room.read("other/plain.gz"), "precious");
}

#[test]
fn errors_show_what_keys_hide() {
    let key = "odd/\u{1b}[2J\u{202e}line\nfeed\u{7}.gz";
    for bytes in [b"no gzip".to_vec(), Vec::new()] {
        let (world, room) = (World::empty(), Room::new());
        world.put(key, bytes);
        let url = world.url("odd/");
        for command in [&["convert", &url][..], &["fetch", &url, "dest"], &["fetch", &url, "d2", "--dry-run"]]
        {
            let ran = room.pinlake(command).in_world(&world).run();
            for text in [&ran.stdout, &ran.stderr] {
                let odd = text.chars().find(|c| (c.is_control() && !"\n\t".contains(*c)) || *c == '\u{202e}');
                assert_eq!(odd, None, "{ran}");
                assert!(!text.lines().any(|line| line.starts_with("feed")), "{ran}");
            }
        }
        // One that vanishes is named.
        let gone = pinlake_local::FaultRule::s3("GetObject", pinlake_local::Fault::Deleted);
        world.fault(gone);
        let ran = room.pinlake(&["fetch", &url, "d3"]).in_world(&world).fails(7, &["\\u{1b}[2J"]);
        assert!(!ran.stderr.contains(['\u{1b}', '\u{7}', '\u{202e}']), "{ran}");
    }
}
