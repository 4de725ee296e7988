//! `pinlake generate`: a seeded audience in the exact form of an export.

use std::io::Read as _;

use flate2::read::MultiGzDecoder;
use pinlake_local::{Population, PopulationOptions, RecordSize};

use crate::harness::{Room, population};

/// The text of a piece in a room.
fn text(room: &Room, name: &str) -> String {
    let mut text = String::new();
    MultiGzDecoder::new(std::fs::File::open(room.path(name)).unwrap()).read_to_string(&mut text).unwrap();
    text
}

fn expected_lines(population: &Population) -> Vec<String> {
    let line = |index| {
        let mut line = Vec::new();
        population.write_line(index, &mut line);
        String::from_utf8(line).unwrap()
    };
    (0..population.endpoints()).map(line).collect()
}

#[test]
fn the_same_seed_makes_the_same_bytes_with_any_number_of_threads() {
    let room = Room::new();
    let generate = |folder: &str, more: &[&str]| {
        room.pinlake(&["generate", "500", folder, "--pieces", "3"]).args(more).succeeds();
    };
    generate("a", &["--seed", "7", "--threads", "1"]);
    generate("b", &["--seed", "7", "--threads", "3"]);
    generate("c", &["--seed", "8"]);
    let names = ["part-00000.gz", "part-00001.gz", "part-00002.gz"];
    assert_eq!(room.names_in("a"), names);
    let bytes = |folder: &str, name: &str| std::fs::read(room.path(folder).join(name)).unwrap();
    for name in names {
        assert!(bytes("a", name) == bytes("b", name), "{name}");
        assert!(bytes("a", name) != bytes("c", name), "{name}");
    }
    // And they are the population of that seed.
    let options = PopulationOptions { seed: 7, endpoints: 500, ..PopulationOptions::default() };
    let lines: Vec<String> = names.iter().map(|name| text(&room, &format!("a/{name}"))).collect();
    assert!(lines.join("\n").lines().eq(expected_lines(&Population::new(options))));
}

#[test]
fn the_default_is_twenty_pieces_and_small_audiences_have_fewer() {
    let room = Room::new();
    room.pinlake(&["generate", "100", "many"]).succeeds();
    assert_eq!(room.names_in("many").len(), 20);
    room.pinlake(&["generate", "3", "few"]).succeeds();
    assert_eq!(room.names_in("few").len(), 3);
    room.pinlake(&["generate", "0", "none"]).succeeds();
    assert_eq!(room.names_in("none"), Vec::<String>::new());
    let all: Vec<String> = room
        .names_in("many")
        .iter()
        .flat_map(|name| text(&room, &format!("many/{name}")).lines().map(str::to_owned).collect::<Vec<_>>())
        .collect();
    assert!(all == expected_lines(&population(100, 0.0)));
}

#[test]
fn a_folder_that_holds_pieces_is_left_alone() {
    let room = Room::new();
    room.write("mine/part-00000.gz", "precious");
    room.pinlake(&["generate", "10", "mine"]).fails(2, &["mine", "part-00000.gz"]);
    assert_eq!(room.read("mine/part-00000.gz"), "precious");
    assert_eq!(room.names_in("mine"), ["part-00000.gz"]);
}

#[test]
fn records_have_the_size_the_attributes_and_the_order_that_were_asked_for() {
    let room = Room::new();
    let cases = [
        (
            vec!["--records", "sparse"],
            PopulationOptions { records: RecordSize::Sparse, ..PopulationOptions::default() },
        ),
        (
            vec!["--records", "rich", "--attributes", "3"],
            PopulationOptions {
                records: RecordSize::Rich,
                further_attributes: 3,
                ..PopulationOptions::default()
            },
        ),
        (
            vec!["--shuffle-members"],
            PopulationOptions { shuffle_members: true, ..PopulationOptions::default() },
        ),
    ];
    for (number, (args, options)) in cases.into_iter().enumerate() {
        let folder = number.to_string();
        room.pinlake(&["generate", "40", &folder, "--pieces", "1"]).args(&args).succeeds();
        let population = Population::new(PopulationOptions { endpoints: 40, ..options });
        let lines = text(&room, &format!("{folder}/part-00000.gz"));
        assert!(lines.lines().eq(expected_lines(&population)), "{args:?}");
    }
    room.pinlake(&["generate", "1", "x", "--records", "huge"]).ends(2);
    assert!(!room.path("x").exists());
}
