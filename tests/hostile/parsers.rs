//! Small parsers on mutated input: headers of reports, manifests, URLs, numbers of rejects. None panics, and what is taken is sound.
//!
//! These live in crates that are too heavy for a fuzzer's build (SQL, the AWS SDK), so they are mutated here: quickly with every run, and ten
//! million times with `PINLAKE_MUTATIONS=10000000 cargo test --workspace --test pinlake hostile::parsers`.

use pinlake_ingest::MaxRejects;
use pinlake_lake::{RunManifest, SnapshotId};
use pinlake_report::Template;
use pinlake_source::Source;

use crate::harness::{Dice, Room};

/// How often each parser is tried when nothing else is said.
const MUTATIONS: u64 = 5_000;

fn mutations() -> u64 {
    let given = std::env::var("PINLAKE_MUTATIONS").ok();
    given.map_or(MUTATIONS, |count| count.parse().unwrap())
}

/// A place among so many.
fn place(dice: &mut Dice, places: usize) -> usize {
    usize::try_from(dice.below(u64::try_from(places).unwrap())).unwrap()
}

/// Some bytes of a seed cut out, repeated, replaced by words that mean something, or by any.
fn mutated(dice: &mut Dice, seeds: &[&str], words: &[&str]) -> String {
    let mut bytes = seeds[place(dice, seeds.len())].as_bytes().to_vec();
    for _ in 0..=dice.below(4) {
        let (at, other) = (place(dice, bytes.len() + 1), place(dice, bytes.len() + 1));
        let (start, end) = (at.min(other), at.max(other).min(at.min(other) + 20));
        match dice.below(5) {
            0 => drop(bytes.drain(start..end)),
            1 => {
                let part = bytes[start..end].to_vec();
                bytes.splice(at..at, part);
            }
            2 => drop(bytes.splice(start..end, words[place(dice, words.len())].bytes())),
            3 => bytes.truncate(at),
            _ => bytes.insert(at, u8::try_from(dice.below(256)).unwrap()),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[test]
fn headers_of_reports() {
    let seeds = [
        "-- title: Opt-out\n-- about: Share of\n-- about: endpoints.\n-- param: since date = 1970-01-01    From this day\n\
         -- param: grain text = month {day, week, month}  A period\n-- param: label text = 'two  spaces'  Shown\n\
         -- chart: bar x=channel_type y=opt_out_share series=country\n-- check: opt_out_share <= 0.5 warn  Many\nSELECT $since, $x",
        "\u{feff}-- param: n integer = 3\n-- param: f float = null\n-- param: b boolean\n-- check: n > 0 error\nSELECT $n",
    ];
    let words = [
        "--",
        ":",
        "=",
        "{",
        "}",
        "'",
        "  ",
        "\t",
        "null",
        "date",
        "$",
        "é",
        "\u{0}",
        "\r\n",
        "warn",
        "error",
        "9999-99-99",
        "-- param: ",
    ];
    let mut dice = Dice::new(1);
    for _ in 0..mutations() {
        let text = mutated(&mut dice, &seeds, &words);
        match Template::parse("name", "name.sql", &text) {
            Ok(template) => assert!(text.ends_with(&template.sql), "{text:?}"),
            Err(error) => assert!(error.to_string().contains("name.sql"), "{text:?}"),
        }
    }
}

#[test]
fn manifests_of_runs() {
    let room = Room::new();
    room.write("a.json", "{\"Id\":\"1\",\"Zip\":1}\nx\n");
    room.pinlake(&["convert", "a.json", "--snapshot", "s", "--max-rejects", "1"]).succeeds();
    let seed = room.read("lake/runs/s/run.json");
    let words = [
        "{",
        "}",
        "[",
        "]",
        "\"",
        ":",
        ",",
        "null",
        "-1",
        "1e400",
        "18446744073709551616",
        "\\ud800",
        "\"2026-01-01T00:00:00Z\"",
        "\"rows\"",
    ];
    let mut dice = Dice::new(2);
    for _ in 0..mutations() {
        let text = mutated(&mut dice, &[&seed], &words);
        if let Ok(mut manifest) = serde_json::from_str::<RunManifest>(&text) {
            let mut again: RunManifest =
                serde_json::from_str(&serde_json::to_string(&manifest).unwrap()).unwrap();
            // serde_json reads seconds such as 5.962e305 to all bits but the last, which is as good.
            assert_eq!(again.timings.seconds.len(), manifest.timings.seconds.len(), "{text}");
            manifest.timings.seconds.clear();
            again.timings.seconds.clear();
            assert_eq!(again, manifest, "{text}");
        }
    }
}

#[test]
fn words_of_the_command_line() {
    let seeds = [
        "s3://bucket/prefix/key.gz",
        "s3://my.bucket-1/",
        "exports/a b/ä.gz",
        "12.5%",
        "100%",
        "12",
        "2026-10-29T120000Z",
    ];
    let words = ["s3://", "/", "..", "%", "-", "NaN", "inf", "1e9", "\u{0}", "\n", "é", "?", "#", "*"];
    let mut dice = Dice::new(3);
    for _ in 0..mutations() {
        let text = mutated(&mut dice, &seeds, &words);
        if let Ok(most) = text.parse::<MaxRejects>() {
            assert!(!most.is_exceeded(0, 10), "{text:?}");
            assert_eq!(most.is_exceeded(u64::MAX, 0), text.parse() != Ok(u64::MAX), "{text:?}");
        }
        if let Ok(source) = text.parse::<Source>() {
            assert_eq!(source.is_s3(), text.starts_with("s3://"), "{text:?}");
        }
        if let Ok(id) = text.parse::<SnapshotId>() {
            assert!(
                id.as_str() == text && text.len() <= 64 && text.bytes().all(|byte| byte.is_ascii_graphic()),
                "{text:?}"
            );
        }
    }
}
