//! Every kind of fault by seed, against both commands that read a bucket: nothing is ever lost in silence.
//!
//! What passes is recovered from, with the same rows and bytes. What lasts is refused with the code of its kind, and nothing is
//! published. The short run is a few seeds a kind; the long one is `just faults`, which prints a table.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use pinlake_local::{FaultKind, FaultRule};

use crate::harness::{Room, World, population};

const ENDPOINTS: u64 = 60;
const PIECES: u64 = 3;
const KEYS: [&str; 3] = ["part-00000.gz", "part-00001.gz", "part-00002.gz"];

/// A command that reads a bucket.
#[derive(Debug, Clone, Copy)]
enum Reader {
    Fetch,
    Convert,
}

/// The code that a kind of fault leads to.
fn expected_code(kind: FaultKind) -> i32 {
    match kind {
        FaultKind::Expired | FaultKind::Denied => 6,
        FaultKind::WrongRegion => 2,
        FaultKind::ChangedETag
        | FaultKind::Deleted
        | FaultKind::RepeatedToken
        | FaultKind::LostKey
        | FaultKind::DamagedObject => 7,
        _ => 0,
    }
}

/// One run under one fault; what went wrong with it, if anything, and whether it is a loss.
fn trial(kind: FaultKind, seed: u64, reader: Reader) -> Result<(), String> {
    let audience = population(ENDPOINTS, 0.0);
    let world = World::with_pieces(&audience, PIECES);
    let rule = FaultRule::seeded(seed, kind, &KEYS);
    let told = format!("{kind:?}, seed {seed}, {reader:?}, {rule:?}");
    world.fault(rule);
    let (room, url) = (Room::new(), world.url("exports/"));
    let command = match reader {
        Reader::Fetch => ["fetch", &url, "dest"].to_vec(),
        Reader::Convert => ["convert", &url, "--snapshot", "s"].to_vec(),
    };
    let bounds = ["--timeout", "1s", "--retry-for", "20s"];
    let ran = room.pinlake(&command).args(&bounds).in_world(&world).run();

    let is_done = ran.code == Some(0);
    let is_whole = match reader {
        Reader::Fetch => fetched_is_right(&room, &audience, is_done),
        Reader::Convert => converted_is_right(&room, &audience, is_done),
    };
    if !is_whole {
        return Err(format!("LOST: {told}: {ran}"));
    }
    if world.server.faults().struck() == 0 || ran.code != Some(expected_code(kind)) {
        return Err(format!("{told}: {} struck: {ran}", world.server.faults().struck()));
    }
    Ok(())
}

/// Whether every file in the destination is the piece, and all are there after a success.
fn fetched_is_right(room: &Room, audience: &pinlake_local::Population, is_done: bool) -> bool {
    let names = if room.path("dest").exists() { room.names_in("dest") } else { Vec::new() };
    let is_right =
        |(name, range): (&&str, std::ops::Range<u64>)| match std::fs::read(room.path("dest").join(name)) {
            Ok(bytes) => bytes == audience.piece(range),
            Err(_) => !is_done,
        };
    let is_clean = !names.iter().any(|name| name.ends_with(".partial")) || !is_done;
    is_clean && KEYS.iter().zip(audience.pieces(PIECES)).all(is_right)
}

/// Whether the lake has the oracle's rows after a success, and nothing after a failure.
fn converted_is_right(room: &Room, audience: &pinlake_local::Population, is_done: bool) -> bool {
    if !is_done {
        return room.lake().live_files().is_empty() && room.lake().parquet_files().is_empty();
    }
    let mut ids: Vec<String> = audience.iter().map(|endpoint| endpoint.id.unwrap_or_default()).collect();
    ids.sort();
    room.lake().ids("s") == ids
}

/// Figures of one kind.
#[derive(Debug, Default)]
struct Figures {
    runs: u64,
    recovered: u64,
    refused: u64,
    lost: u64,
    wrong: u64,
}

/// Runs every kind with these seeds, some at a time; returns figures by kind, and what went wrong.
fn campaign(seeds: std::ops::Range<u64>, readers: &[Reader]) -> (BTreeMap<FaultKind, Figures>, Vec<String>) {
    let seed_count = seeds.end - seeds.start;
    // Seeds go round slowest, so that a campaign that is cut short has had every kind.
    let total = seed_count * FaultKind::ALL.len() as u64;
    let (next, results) = (AtomicU64::new(0), Mutex::new((BTreeMap::new(), Vec::new())));
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                loop {
                    let at = next.fetch_add(1, Ordering::Relaxed);
                    if at >= total {
                        break;
                    }
                    let kinds = FaultKind::ALL.len() as u64;
                    let (seed, kind) =
                        (seeds.start + at / kinds, FaultKind::ALL[usize::try_from(at % kinds).unwrap()]);
                    let chosen = if readers.is_empty() {
                        // One of the two in turn.
                        &[[Reader::Fetch], [Reader::Convert]][usize::try_from((seed + at) % 2).unwrap()][..]
                    } else {
                        readers
                    };
                    for reader in chosen {
                        note(&results, kind, trial(kind, seed, *reader));
                    }
                }
            });
        }
    });
    results.into_inner().unwrap()
}

fn note(
    results: &Mutex<(BTreeMap<FaultKind, Figures>, Vec<String>)>,
    kind: FaultKind,
    result: Result<(), String>,
) {
    let mut results = results.lock().unwrap();
    let figures: &mut Figures = results.0.entry(kind).or_default();
    figures.runs += 1;
    match result {
        Ok(()) if expected_code(kind) == 0 => figures.recovered += 1,
        Ok(()) => figures.refused += 1,
        Err(text) => {
            figures.lost += u64::from(text.starts_with("LOST"));
            figures.wrong += 1;
            eprintln!("{text}");
            results.1.push(text);
        }
    }
}

#[test]
fn each_kind_of_fault_is_recovered_from_or_refused() {
    let (_, wrong) = campaign(1..3, &[]);
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

#[test]
#[ignore = "takes an hour: `just faults` runs it"]
fn long() {
    let number = |name: &str, default: u64| {
        std::env::var(name).ok().map_or(default, |text| text.parse().expect("a number"))
    };
    let first = number("PINLAKE_FAULT_FIRST_SEED", 0);
    let seeds = first..first + number("PINLAKE_FAULT_SEEDS", 100);
    let (figures, wrong) = campaign(seeds, &[Reader::Fetch, Reader::Convert]);
    println!("| kind | runs | recovered | refused | lost | wrong |\n| --- | --: | --: | --: | --: | --: |");
    for (kind, Figures { runs, recovered, refused, lost, wrong }) in &figures {
        println!("| {kind:?} | {runs} | {recovered} | {refused} | {lost} | {wrong} |");
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}
