//! Very many pieces under one prefix, among everything else that may lie there: each is found once, and what is passed over is told.

use serde_json::json;

use crate::harness::{Room, World, gzip};

/// Converts so many pieces with other things between them.
fn each_is_found_once(pieces: usize) {
    let world = World::empty();
    let mut expected = Vec::with_capacity(pieces);
    for number in 0..pieces {
        let id = format!("id-{number:06}");
        let bytes = gzip(format!("{{\"Id\":\"{id}\"}}"));
        world.put(&format!("many/{:03}/{number:06}.gz", number % 7), bytes);
        expected.push(id);
    }
    let mut skipped = Vec::new();
    for number in 0..pieces / 100 {
        for (key, bytes) in [
            (format!("many/{number:04}/"), ""),
            (format!("many/{number:04}/empty.txt"), ""),
            (format!("many/{number:04}/segment.tsv"), "Id\n1\n"),
            (format!("many/{number:04}/a.gz.partial"), "x"),
        ] {
            world.put(&key, bytes.into());
            skipped.push(key);
        }
        // Siblings of the prefix, before and behind it in the order of keys.
        for key in [format!("many-{number}/a.gz"), format!("man/{number}.gz"), format!("many0{number}.gz")] {
            world.put(&key, gzip("{\"Id\":\"sibling\"}"));
        }
    }
    skipped.sort();
    let room = Room::new();
    let url = world.url("many/");
    room.pinlake(&["convert", &url, "--snapshot", "s"]).in_world(&world).succeeds();
    assert_eq!(room.lake().ids("s"), expected);
    assert_eq!(world.requests("GetObject"), pieces as u64, "each is fetched once");
    let manifest = room.lake().manifest("s");
    assert_eq!(manifest["pieces"].as_array().unwrap().len(), pieces);
    let told = manifest["skipped"].as_array().unwrap();
    let mut names: Vec<&str> = told.iter().map(|skip| skip["name"].as_str().unwrap()).collect();
    names.sort_unstable();
    assert_eq!(names, skipped);
    assert!(told.iter().all(|skip| skip["reason"] != json!("") && skip["reason"].is_string()));
}

#[test]
fn fifteen_hundred_pieces_are_each_found_once() {
    each_is_found_once(1_500);
}

#[test]
#[ignore = "takes a minute: `just faults` runs it"]
fn ten_thousand_pieces_are_each_found_once() {
    each_is_found_once(10_000);
}

#[test]
#[ignore = "takes many minutes: `just many` runs it"]
fn a_hundred_thousand_pieces_are_each_found_once() {
    each_is_found_once(100_000);
}
