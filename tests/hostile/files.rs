//! Files and arguments that are not what they should be: settings, sources, names.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::symlink;
use std::process::Command;

use crate::harness::Room;

#[test]
fn settings_that_are_none() {
    let room = Room::new();
    for (name, text, named) in [
        ("long", "#".repeat(3 << 20), "longer than"),
        ("deep", format!("params = {}1{}", "[".repeat(100_000), "]".repeat(100_000)), "deep.toml"),
        ("keys", format!("{}x = 1", "a.".repeat(100_000)), "keys.toml"),
        ("types", "threads = \"many\"".to_owned(), "threads"),
        ("negative", "threads = -1".to_owned(), "threads"),
        ("nul", "lake = \"a\\u0000b\"\nthreads = 0".to_owned(), "threads"),
    ] {
        let file = format!("{name}.toml");
        room.write(&file, text);
        room.pinlake(&["--config", &file, "report", "--list"]).fails(2, &[named]);
    }
    room.pinlake(&["--config", "/dev/zero", "report", "--list"]).fails(2, &["/dev/zero"]);
    // A pipe of that name is no file of settings, and nobody waits for what may come of it.
    assert!(Command::new("mkfifo").arg(room.path("pinlake.toml")).status().unwrap().success());
    room.pinlake(&["report", "--list"]).succeeds();
}

#[test]
fn sources_that_are_no_files() {
    let room = Room::new();
    assert!(Command::new("mkfifo").arg(room.path("pipe.json")).status().unwrap().success());
    symlink("/dev/zero", room.path("zero.json")).unwrap();
    for source in ["pipe.json", "zero.json", "/dev/zero"] {
        room.pinlake(&["convert", source]).fails(2, &[source, "not a regular file"]);
        let query = format!("SELECT count(*) FROM read_pieces('{source}')");
        room.pinlake(&["sql", &query]).fails(2, &[source, "not a regular file"]);
    }
    // In a folder they are passed over, and a folder inside itself is not entered.
    room.write("in/a.json", "{}");
    symlink(room.path("in"), room.path("in/round")).unwrap();
    symlink("loop.json", room.path("in/loop.json")).unwrap();
    symlink("/dev/zero", room.path("in/zero.json")).unwrap();
    assert!(Command::new("mkfifo").arg(room.path("in/pipe.json")).status().unwrap().success());
    room.pinlake(&["convert", "in", "--snapshot", "s", "--expect-rows", "1"]).succeeds();
    let query = "SELECT count(*) AS n FROM read_pieces('in')";
    assert_eq!(room.pinlake(&["sql", query, "--format", "csv"]).succeeds().stdout, "n\r\n1\r\n");
}

#[test]
fn records_of_runs_that_are_damaged() {
    let room = Room::new();
    room.write("a.json", "{\"Id\":\"1\"}");
    room.pinlake(&["convert", "a.json", "--snapshot", "s"]).succeeds();
    let manifest = room.read("lake/runs/s/run.json");
    for text in [
        String::new(),
        "[".repeat(1_000_000),
        "{\"a\":".repeat(1_000_000),
        manifest[..manifest.len() / 2].to_owned(),
        manifest.replace("\"rows\"", "\"sows\""),
        manifest.replace("\"rows\": 1", "\"rows\": -1"),
    ] {
        room.write("lake/runs/s/run.json", text);
        room.pinlake(&["snapshots", "show"]).fails(7, &["run.json"]);
        // Rows do not depend on it.
        assert_eq!(room.sql("SELECT id FROM endpoints").len(), 1);
    }
}

#[test]
fn arguments_that_are_no_text() {
    let room = Room::new();
    let odd = OsStr::from_bytes(b"a\xff.json");
    std::fs::write(room.path("x").with_file_name(odd), "{}").unwrap();
    for args in [&["convert"][..], &["sql", "-f"], &["sql"], &["report", "--queries"], &["--lake"]] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_pinlake"));
        let output = command.current_dir(room.path("")).args(args).arg(odd).output().unwrap();
        let told = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{args:?}: {told}");
        assert!(!told.contains("panicked"), "{told}");
    }
}
